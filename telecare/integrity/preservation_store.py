"""SQL of bevarandestopp (role app)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from telecare.runtime.db import Row, Transaction
from telecare.wire.ids import ResidentId, StaffId

LIMIT = 200

# An erasure that goes on just then ends first, or waits.
BEFORE_AN_ERASURE = "select pg_advisory_xact_lock_shared(hashtext('audit.erase'))"
ADD = """
insert into log_hold
    (tenant_id, id, resident_id, event, since, until, reason, decision, proposed_by, proposed_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
on conflict (tenant_id, id) do nothing
returning id
"""
HOLDS = """
select h.id, h.resident_id, shown_name(r) as resident_name, h.event, h.since, h.until, h.reason,
    h.decision, h.proposed_by, shown_name(p) as proposed_name, h.proposed_at, h.approved_by,
    shown_name(a) as approved_name, h.approved_at, h.declined_at, h.lift_proposed_by,
    shown_name(l) as lift_name, h.lift_proposed_at, h.lift_reason, h.lifted_at
from log_hold h
left join resident r on r.tenant_id = h.tenant_id and r.id = h.resident_id
join staff p on p.tenant_id = h.tenant_id and p.id = h.proposed_by
left join staff a on a.tenant_id = h.tenant_id and a.id = h.approved_by
left join staff l on l.tenant_id = h.tenant_id and l.id = h.lift_proposed_by
where h.tenant_id = $1"""
IN_FORCE = f"""{HOLDS} and h.declined_at is null and h.lifted_at is null
order by h.proposed_at, h.id
limit $2
"""
ONE = f"""{HOLDS} and h.id = $2
for update of h
"""
APPROVE = "update log_hold set approved_by = $3, approved_at = $4 where tenant_id = $1 and id = $2"
DECLINE = "update log_hold set declined_by = $3, declined_at = $4 where tenant_id = $1 and id = $2"
PROPOSE_LIFT = """
update log_hold set lift_proposed_by = $3, lift_proposed_at = $4, lift_reason = $5
where tenant_id = $1 and id = $2
"""
DECLINE_LIFT = """
update log_hold set lift_proposed_by = null, lift_proposed_at = null, lift_reason = null
where tenant_id = $1 and id = $2
"""
LIFT = "update log_hold set lifted_by = $3, lifted_at = $4 where tenant_id = $1 and id = $2"


@dataclass(frozen=True, slots=True)
class Scope:
    """What is held: records of a person, of a kind, from a time to another; all that is given."""

    resident_id: ResidentId | None = None
    event: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Proposed:
    """Who proposed it, and when. A name is empty for one with protected identity."""

    by: StaffId
    name: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Hold:
    """A bevarandestopp: it holds from its proposal until it is declined or lifted."""

    id: UUID
    scope: Scope
    resident_name: str
    reason: str
    decision: str
    proposed: Proposed
    approved: Proposed | None
    lift: Proposed | None
    lift_reason: str
    is_over: bool

    def proposed_by(self, staff: StaffId) -> bool:
        """Whether what waits for a decision is hers, so that it takes somebody else."""
        waiting = self.lift or (None if self.approved else self.proposed)
        return waiting is not None and waiting.by == staff


def _hold(row: Row) -> Hold:
    return Hold(
        id=row["id"],
        scope=Scope(row["resident_id"], row["event"], row["since"], row["until"]),
        resident_name=row["resident_name"] or "",
        reason=row["reason"],
        decision=row["decision"],
        proposed=Proposed(row["proposed_by"], row["proposed_name"], row["proposed_at"]),
        approved=_proposed(row["approved_by"], row["approved_name"], row["approved_at"]),
        lift=_proposed(row["lift_proposed_by"], row["lift_name"], row["lift_proposed_at"]),
        lift_reason=row["lift_reason"] or "",
        is_over=row["declined_at"] is not None or row["lifted_at"] is not None,
    )


def _proposed(by: UUID | None, name: str | None, at: datetime | None) -> Proposed | None:
    return None if by is None or at is None else Proposed(StaffId(by), name or "", at)


async def add(
    db: Transaction,
    hold: UUID,
    scope: Scope,
    *,
    reason: str,
    decision: str,
    by: StaffId,
    now: datetime,
) -> bool:
    """False when it is there already: the same form sent twice."""
    await db.execute(BEFORE_AN_ERASURE)
    added = await db.fetchval(
        ADD, db.tenant, hold, scope.resident_id, scope.event, scope.since, scope.until, reason,
        decision, by, now,
    )  # fmt: skip
    return added is not None


async def in_force(db: Transaction) -> Sequence[Hold]:
    """Also those that wait for somebody else's decision."""
    return [_hold(row) for row in await db.fetch(IN_FORCE, db.tenant, LIMIT)]


async def one(db: Transaction, hold: UUID) -> Hold | None:
    """Nobody else decides on it until the transaction ends."""
    row = await db.fetchrow(ONE, db.tenant, hold)
    return None if row is None else _hold(row)


async def approve(db: Transaction, hold: UUID, by: StaffId, now: datetime) -> None:
    await db.execute(APPROVE, db.tenant, hold, by, now)


async def decline(db: Transaction, hold: UUID, by: StaffId, now: datetime) -> None:
    await db.execute(DECLINE, db.tenant, hold, by, now)


async def propose_lift(
    db: Transaction, hold: UUID, by: StaffId, now: datetime, reason: str
) -> None:
    await db.execute(PROPOSE_LIFT, db.tenant, hold, by, now, reason)


async def decline_lift(db: Transaction, hold: UUID) -> None:
    await db.execute(DECLINE_LIFT, db.tenant, hold)


async def lift(db: Transaction, hold: UUID, by: StaffId, now: datetime) -> None:
    await db.execute(LIFT, db.tenant, hold, by, now)

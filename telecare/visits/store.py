"""SQL of visits and insatser."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from telecare.access.holding import Held, held
from telecare.runtime.db import Row, Transaction
from telecare.visits.model import Insats, Visit, VisitState
from telecare.wire.ids import CallId, CareUnitId, EndingId, ResidentId, StaffId, VisitId
from telecare.wire.signalling import Language

LIMIT = 100

ADD_INSATS = """
insert into insats (tenant_id, id, name, minutes, step_after_min) values ($1, $2, $3, $4, $5)
"""
INSATSER = """
select id, name, minutes, step_after_min from insats
where tenant_id = $1 and ended_at is null
order by name
limit $2
"""
INSATS = "select id, name, minutes, step_after_min from insats where tenant_id = $1 and id = $2"
END_INSATS = """
update insats set ended_at = $3 where tenant_id = $1 and id = $2 and ended_at is null
returning name
"""
ADD = """
insert into visit (tenant_id, id, series_id, resident_id, unit_id, staff_id, insats_id, starts_at,
    minutes, to_do, to_know, created_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
"""
VISIT = """
select id, series_id, resident_id, unit_id, staff_id, insats_id, starts_at, minutes, to_do, done,
    to_know, state, call_id, outcome, step, step_at, note, moved, taken_over
from visit
where tenant_id = $1"""
BY_ID = f"""{VISIT} and id = $2
"""
HOLD = f"{BY_ID}for update\n"
HOLD_UNHELD = f"""{VISIT}
    and resident_id = $2 and starts_at >= $3 and starts_at <= $4
    and state in ('planned', 'needs_step')
order by id
for update
"""
CANCEL_OPEN = """
update visit set state = 'cancelled', step = null, step_at = null, ending_id = $3,
    version = version + 1
where tenant_id = $1 and resident_id = $2 and state not in ('done', 'cancelled', 'absent')
returning id, series_id, resident_id, unit_id, staff_id, insats_id, starts_at, minutes, to_do, done,
    to_know, state, call_id, outcome, step, step_at, note, moved, taken_over
"""
CANCELLED_BY = f"""{VISIT} and ending_id = $2 and starts_at > $3 and state = 'cancelled'
order by starts_at, id
"""
RESTORE = """
update visit set state = 'planned', ending_id = null, version = version + 1
where tenant_id = $1 and id = $2
"""
SAVE = """
update visit set staff_id = $3, starts_at = $4, done = $5, state = $6, call_id = $7, outcome = $8,
    step = $9, step_at = $10, note = $11, moved = $12, taken_over = $13, version = version + 1
where tenant_id = $1 and id = $2
"""
LISTED = """
select v.id, v.series_id, v.resident_id, v.unit_id, v.staff_id, v.insats_id, v.starts_at,
    v.minutes, v.to_do, v.done, v.to_know, v.state, v.call_id, v.outcome, v.step, v.step_at,
    v.note, v.moved, v.taken_over, i.name as insats_name, i.step_after_min,
    shown_name(r) as resident_name, shown_given_name(r) as resident_given_name,
    r.language as resident_language, shown_name(s) as staff_name, c.state as call_state,
    exists (
        select from absence a
        where a.tenant_id = v.tenant_id and a.resident_id = v.resident_id
            and a.from_at <= v.starts_at and (a.until_at is null or a.until_at > v.starts_at)
            and (a.home_at is null or a.home_at > v.starts_at)
    ) as is_away
from visit v
join insats i on i.tenant_id = v.tenant_id and i.id = v.insats_id
join resident r on r.tenant_id = v.tenant_id and r.id = v.resident_id
left join staff s on s.tenant_id = v.tenant_id and s.id = v.staff_id
left join call c on c.tenant_id = v.tenant_id and c.visit_id = v.id and c.state <> 'ended'
where v.tenant_id = $1"""
DAY = f"""{LISTED}
    and v.unit_id = any($2) and v.starts_at >= $3 and v.starts_at < $4
order by v.starts_at, v.id
limit $5
"""
OF_RESIDENT = f"""{LISTED}
    and v.resident_id = $2 and v.starts_at >= $3 and v.starts_at < $4
order by v.starts_at, v.id
limit $5
"""
LAST = """
select starts_at, minutes, outcome from visit
where tenant_id = $1 and resident_id = $2 and state = 'done' and starts_at < $3
order by starts_at desc
limit 1
"""


HELD_BY = """
select v.id, v.unit_id, v.starts_at as since, r.id as resident_id,
    shown_name(r) as resident_name
from visit v
join resident r on r.tenant_id = v.tenant_id and r.id = v.resident_id
left join call c on c.tenant_id = v.tenant_id and c.id = v.call_id
where v.tenant_id = $1 and coalesce(v.staff_id, c.staff_id) = $2 and v.starts_at > $3
    and (v.state in ('needs_step', 'unfinished') or (v.state = 'stepped' and v.step = 'ring_again'))
order by v.starts_at
limit $4
"""


def _visit(row: Row) -> Visit:
    return Visit(
        id=VisitId(row["id"]),
        series_id=row["series_id"],
        resident_id=ResidentId(row["resident_id"]),
        unit_id=CareUnitId(row["unit_id"]),
        staff_id=row["staff_id"],
        insats_id=row["insats_id"],
        starts_at=row["starts_at"],
        minutes=row["minutes"],
        to_do=tuple(row["to_do"]),
        done=tuple(row["done"]),
        to_know=row["to_know"],
        state=VisitState(row["state"]),
        call_id=row["call_id"],
        outcome=row["outcome"],
        step=row["step"],
        step_at=row["step_at"],
        note=row["note"],
        moved=row["moved"],
        taken_over=row["taken_over"],
    )


def _insats(row: Row) -> Insats:
    return Insats(row["id"], row["name"], row["minutes"], row["step_after_min"])


async def add_insats(db: Transaction, insats: Insats) -> None:
    await db.execute(
        ADD_INSATS, db.tenant, insats.id, insats.name, insats.minutes, insats.step_after_min
    )


async def end_insats(db: Transaction, insats_id: UUID, now: datetime) -> str | None:
    """Its name; None when it is not there."""
    name: str | None = await db.fetchval(END_INSATS, db.tenant, insats_id, now)
    return name


async def insatser(db: Transaction) -> Sequence[Insats]:
    return [_insats(row) for row in await db.fetch(INSATSER, db.tenant, LIMIT)]


async def insats(db: Transaction, insats_id: UUID) -> Insats | None:
    row = await db.fetchrow(INSATS, db.tenant, insats_id)
    return _insats(row) if row else None


async def add(db: Transaction, visit: Visit, now: datetime) -> None:
    await db.execute(
        ADD, db.tenant, visit.id, visit.series_id, visit.resident_id, visit.unit_id,
        visit.staff_id, visit.insats_id, visit.starts_at, visit.minutes, list(visit.to_do),
        visit.to_know, now,
    )  # fmt: skip


async def by_id(db: Transaction, visit_id: VisitId) -> Visit | None:
    row = await db.fetchrow(BY_ID, db.tenant, visit_id)
    return _visit(row) if row else None


async def hold(db: Transaction, visit_id: VisitId) -> Visit | None:
    row = await db.fetchrow(HOLD, db.tenant, visit_id)
    return _visit(row) if row else None


async def hold_unheld(
    db: Transaction, resident_id: ResidentId, *, since: datetime, until: datetime
) -> Sequence[Visit]:
    """Hers in that time that nobody has held or dealt with, locked."""
    return [_visit(r) for r in await db.fetch(HOLD_UNHELD, db.tenant, resident_id, since, until)]


async def cancel_open(
    db: Transaction, resident_id: ResidentId, ending_id: EndingId
) -> Sequence[Visit]:
    """All of hers that were not closed, cancelled by the ending."""
    return [_visit(r) for r in await db.fetch(CANCEL_OPEN, db.tenant, resident_id, ending_id)]


async def cancelled_by(db: Transaction, ending_id: EndingId, after: datetime) -> Sequence[Visit]:
    """What the ending cancelled and still lies ahead."""
    return [_visit(r) for r in await db.fetch(CANCELLED_BY, db.tenant, ending_id, after)]


async def restore(db: Transaction, visit_id: VisitId) -> None:
    await db.execute(RESTORE, db.tenant, visit_id)


async def save(db: Transaction, visit: Visit) -> None:
    await db.execute(
        SAVE, db.tenant, visit.id, visit.staff_id, visit.starts_at, list(visit.done),
        str(visit.state), visit.call_id, visit.outcome, visit.step, visit.step_at, visit.note,
        visit.moved, visit.taken_over,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Listed:
    """A visit with what a list shows beside it."""

    visit: Visit
    insats_name: str
    step_after_min: int
    resident_name: str
    resident_given_name: str
    resident_language: Language
    staff_name: str | None
    call_state: str | None
    call_id: CallId | None
    is_away: bool
    """An absence of hers covers its start."""


def _listed(row: Row) -> Listed:
    return Listed(
        _visit(row), row["insats_name"], row["step_after_min"], row["resident_name"],
        row["resident_given_name"], row["resident_language"], row["staff_name"],
        row["call_state"], row["call_id"], row["is_away"],
    )  # fmt: skip


async def day(
    db: Transaction, units: Sequence[CareUnitId], start: datetime, end: datetime
) -> Sequence[Listed]:
    rows = await db.fetch(DAY, db.tenant, list(units), start, end, LIMIT)
    return [_listed(row) for row in rows]


async def of_resident(
    db: Transaction, resident_id: ResidentId, start: datetime, end: datetime
) -> Sequence[Listed]:
    rows = await db.fetch(OF_RESIDENT, db.tenant, resident_id, start, end, LIMIT)
    return [_listed(row) for row in rows]


async def last_done(
    db: Transaction, resident_id: ResidentId, before: datetime
) -> tuple[datetime, int, str] | None:
    row = await db.fetchrow(LAST, db.tenant, resident_id, before)
    return (row["starts_at"], row["minutes"], row["outcome"]) if row else None


async def held_by(db: Transaction, staff_id: StaffId, since: datetime) -> Sequence[Held]:
    """Hers, begun after `since`, that wait for a step, an outcome or to be rung again."""
    rows = await db.fetch(HELD_BY, db.tenant, staff_id, since, LIMIT)
    return [held("visit", row) for row in rows]


GIVEN_NAME = "select shown_given_name(s) from staff s where tenant_id = $1 and id = $2"


async def staff_given_name(db: Transaction, staff_id: StaffId) -> str | None:
    """None for somebody who appears by her role only."""
    name: str | None = await db.fetchval(GIVEN_NAME, db.tenant, staff_id)
    return name or None


AWAITS_OUTCOME = """
select exists (
    select from visit v
    join call c on c.tenant_id = v.tenant_id and c.id = v.call_id
    where v.tenant_id = $1 and c.staff_id = $2 and v.state = 'unfinished' and c.ended_at > $3
)
"""


async def awaits_outcome(db: Transaction, staff_id: StaffId, since: datetime) -> bool:
    """Whether a visit she held, and left after `since`, has no outcome yet."""
    found: bool = await db.fetchval(AWAITS_OUTCOME, db.tenant, staff_id, since)
    return found

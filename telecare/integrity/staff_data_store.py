"""SQL of rules on staff's own data (role app). No digest can be read back, only compared."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal
from uuid import UUID

from telecare.integrity.preservation_store import Proposed
from telecare.integrity.rules import NEAR, Compared, StaffRule
from telecare.runtime.db import Row, Transaction
from telecare.wire.ids import ResidentId, StaffId

DECISION = """
select d.id, d.rules, d.decision, d.decided_on, d.law, d.consulted, d.proposed_by,
    shown_name(p) as proposed_name, d.proposed_at, d.approved_by, shown_name(a) as approved_name,
    d.approved_at
from staff_data_decision d
join staff p on p.tenant_id = d.tenant_id and p.id = d.proposed_by
left join staff a on a.tenant_id = d.tenant_id and a.id = d.approved_by
where d.tenant_id = $1 and d.declined_at is null and d.withdrawn_at is null
"""
HOLD_DECISION = DECISION + "for update of d"
ADD_DECISION = """
insert into staff_data_decision (tenant_id, id, rules, decision, decided_on, law, consulted,
    proposed_by, proposed_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
on conflict (tenant_id) where declined_at is null and withdrawn_at is null do nothing
returning id
"""
DECIDE: dict[Literal["approved", "declined", "withdrawn"], str] = {
    "approved": (
        "update staff_data_decision set approved_by = $3, approved_at = $4"
        " where tenant_id = $1 and id = $2"
    ),
    "declined": (
        "update staff_data_decision set declined_by = $3, declined_at = $4"
        " where tenant_id = $1 and id = $2"
    ),
    "withdrawn": (
        "update staff_data_decision set withdrawn_by = $3, withdrawn_at = $4"
        " where tenant_id = $1 and id = $2"
    ),
}
IMPORTS = """
select i.rule, i.row_count, i.staff_count, i.left_out, i.key_digest, i.sent_by as by,
    shown_name(s) as name, i.sent_at as at
from staff_data_import i
join staff s on s.tenant_id = i.tenant_id and s.id = i.sent_by
where i.tenant_id = $1
"""
FORGET_FACTS = "delete from staff_fact where tenant_id = $1 and ($2::text is null or rule = $2)"
FORGET_IMPORTS = (
    "delete from staff_data_import where tenant_id = $1 and ($2::text is null or rule = $2)"
)
ADD_IMPORT = """
insert into staff_data_import (tenant_id, rule, decision_id, row_count, staff_count, left_out,
    key_digest, sent_by, sent_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
"""
ADD_FACTS = """
insert into staff_fact (tenant_id, rule, n, staff_id, kind, digest, since, until)
select $1, $2, f.n, f.staff_id, f.kind, f.digest, f.since, f.until
from unnest($3::uuid[], $4::text[], $5::bytea[], $6::timestamptz[], $7::timestamptz[])
    with ordinality as f (staff_id, kind, digest, since, until, n)
"""
STAFF = """
select s.id, s.name, u.name as unit_name, s.is_protected, s.revoked_at is not null as is_revoked
from staff s
join care_unit u on u.tenant_id = s.tenant_id and u.id = s.unit_id
where s.tenant_id = $1
order by u.name, s.name, s.id
"""
PROTECTED = "select id from staff where tenant_id = $1 and id = any($2) and is_protected"
HOMES = "select id, address, is_protected from resident where tenant_id = $1 and id = any($2)"
COMPARED = "select * from staff_data_compared($1, $2, $3, $4, $5, $6)"

Kind = Literal["street", "place", "self", "relative", "shift"]


@dataclass(frozen=True, slots=True)
class NewDecision:
    """The municipality's own decision. `consulted`: how the unions were heard (MBL)."""

    rules: tuple[StaffRule, ...]
    decision: str
    decided_on: date
    law: str
    consulted: str


@dataclass(frozen=True, slots=True)
class Decision:
    id: UUID
    what: NewDecision
    proposed: Proposed
    approved: Proposed | None

    def holds_for(self, rule: StaffRule) -> bool:
        return self.approved is not None and rule in self.what.rules


@dataclass(frozen=True, slots=True)
class Import:
    rule: StaffRule
    row_count: int
    staff_count: int
    left_out: int
    """Rows about staff with protected identity: not kept."""
    key_digest: bytes
    sent: Proposed


@dataclass(frozen=True, slots=True)
class Fact:
    staff_id: StaffId
    kind: Kind
    digest: bytes | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Employed:
    id: StaffId
    name: str
    unit_name: str
    is_protected: bool
    is_revoked: bool


@dataclass(frozen=True, slots=True)
class Home:
    id: ResidentId
    address: str
    is_protected: bool


@dataclass(frozen=True, slots=True)
class Question:
    """One access, and the digests of the person's address when she has one."""

    staff_id: StaffId
    resident_id: ResidentId | None
    at: datetime
    is_protected: bool
    street: bytes | None
    place: bytes | None


async def decision(db: Transaction, *, hold: bool = False) -> Decision | None:
    """The one that is in force or waits. `hold`: nobody else decides or sends in until commit."""
    row = await db.fetchrow(HOLD_DECISION if hold else DECISION, db.tenant)
    return None if row is None else _decision(row)


def _decision(row: Row) -> Decision:
    approved = row["approved_by"]
    what = NewDecision(
        rules=tuple(StaffRule(one) for one in row["rules"]),
        decision=row["decision"],
        decided_on=row["decided_on"],
        law=row["law"],
        consulted=row["consulted"],
    )
    return Decision(
        row["id"],
        what,
        Proposed(row["proposed_by"], row["proposed_name"], row["proposed_at"]),
        approved and Proposed(approved, row["approved_name"], row["approved_at"]),
    )


async def propose(
    db: Transaction, decision_id: UUID, what: NewDecision, by: StaffId, now: datetime
) -> bool:
    """False when one is in force or waits."""
    rules = [str(one) for one in what.rules]
    added = await db.fetchval(
        ADD_DECISION, db.tenant, decision_id, rules, what.decision, what.decided_on, what.law,
        what.consulted, by, now,
    )  # fmt: skip
    return added is not None


async def decide(
    db: Transaction,
    decision_id: UUID,
    how: Literal["approved", "declined", "withdrawn"],
    by: StaffId,
    now: datetime,
) -> None:
    await db.execute(DECIDE[how], db.tenant, decision_id, by, now)


async def imports(db: Transaction) -> dict[StaffRule, Import]:
    found = {}
    for row in await db.fetch(IMPORTS, db.tenant):
        rule = StaffRule(row["rule"])
        sent = Proposed(row["by"], row["name"], row["at"])
        found[rule] = Import(
            rule, row["row_count"], row["staff_count"], row["left_out"], row["key_digest"], sent
        )
    return found


async def forget(db: Transaction, rule: StaffRule | None = None) -> None:
    """Everything that was sent in, or what one rule goes by."""
    await db.execute(FORGET_FACTS, db.tenant, rule)
    await db.execute(FORGET_IMPORTS, db.tenant, rule)


async def take_in(db: Transaction, decision_id: UUID, sent: Import, facts: Sequence[Fact]) -> None:
    """In place of what the rule went by before."""
    await forget(db, sent.rule)
    await db.execute(
        ADD_IMPORT, db.tenant, sent.rule, decision_id, sent.row_count, sent.staff_count,
        sent.left_out, sent.key_digest, sent.sent.by, sent.sent.at,
    )  # fmt: skip
    await db.execute(
        ADD_FACTS, db.tenant, sent.rule, [one.staff_id for one in facts],
        [one.kind for one in facts], [one.digest for one in facts], [one.since for one in facts],
        [one.until for one in facts],
    )  # fmt: skip


async def staff(db: Transaction) -> Sequence[Employed]:
    """Everybody there has been, by unit and name."""
    return [Employed(**row) for row in await db.fetch(STAFF, db.tenant)]


async def protected(db: Transaction, staff: Sequence[StaffId]) -> frozenset[StaffId]:
    return frozenset(row["id"] for row in await db.fetch(PROTECTED, db.tenant, list(staff)))


async def homes(db: Transaction, residents: Sequence[ResidentId]) -> Sequence[Home]:
    return [Home(**row) for row in await db.fetch(HOMES, db.tenant, list(residents))]


async def compared(db: Transaction, asked: Sequence[Question]) -> Sequence[Compared]:
    """In the order asked."""
    rows = await db.fetch(
        COMPARED,
        [one.staff_id for one in asked],
        [one.resident_id for one in asked],
        [one.at for one in asked],
        [one.street for one in asked],
        [one.place for one in asked],
        NEAR,
    )
    return [
        Compared(
            is_about_one=one.resident_id is not None,
            is_protected=one.is_protected,
            person_has_address=one.street is not None,
            **row,
        )
        for one, row in zip(asked, rows, strict=True)
    ]

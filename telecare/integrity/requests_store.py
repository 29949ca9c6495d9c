"""SQL of requests for an extract: the register of them (role app), her numbers (role reader)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal
from uuid import UUID

from telecare.integrity.harm_test import Capacity, HarmTest, Outcome, Third
from telecare.runtime.db import Row, Transaction
from telecare.wire.ids import ExtractRequestId, ResidentId, StaffId
from telecare.wire.signalling import Language

MOST_LISTED = 100
MOST_THIRDS = 100
MOST_EARLIER = 10
IdentifiedBy = Literal["id_document", "e_id", "known", "authority", "not_asked"]
Part = Literal["package", "report"]

ADD = """
insert into extract_request (tenant_id, id, resident_id, diary_number, asked_by, capacity,
    capacity_document, identified_by, wanted, reason, since, until, language, received_on, due_on,
    registered_by, registered_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
on conflict (tenant_id, id) do nothing
returning id
"""
ONE = """
select q.id, q.resident_id, q.diary_number, q.asked_by, q.capacity, q.capacity_document,
    q.identified_by, q.wanted, q.reason, q.since, q.until, q.language, q.received_on, q.due_on,
    q.registered_at, shown_name(s) as registrar
from extract_request q
join staff s on s.tenant_id = q.tenant_id and s.id = q.registered_by
where q.tenant_id = $1 and q.id = $2
"""
HOLD = "select id from extract_request where tenant_id = $1 and id = $2 for update"
OPEN = """
select q.id, q.resident_id, q.diary_number, q.capacity, q.due_on, q.received_on,
    null::text as outcome, null::timestamptz as decided_at
from extract_request q
where q.tenant_id = $1 and not exists (
    select from extract_decision d where d.tenant_id = q.tenant_id and d.request_id = q.id
)
order by q.due_on, q.id
limit $2
"""
DECIDED = """
select q.id, q.resident_id, q.diary_number, q.capacity, q.due_on, q.received_on, d.outcome,
    d.decided_at
from extract_decision d
join extract_request q on q.tenant_id = d.tenant_id and q.id = d.request_id
where d.tenant_id = $1
order by d.decided_at desc, q.id
limit $2
"""
EARLIER = """
select q.id, q.resident_id, q.diary_number, q.capacity, q.due_on, q.received_on, d.outcome,
    d.decided_at
from extract_request q
join extract_decision d on d.tenant_id = q.tenant_id and d.request_id = q.id
where q.tenant_id = $1 and q.resident_id = $2 and q.id <> $3
order by d.decided_at desc, q.id
limit $4
"""
ADD_TEST = """
insert into extract_test (tenant_id, request_id, place, kind, name, gives_out, statute, reason)
values ($1, $2, $3, $4, $5, $6, $7, $8)
on conflict (tenant_id, request_id, place) do nothing
returning place
"""
SET_TEST = """
update extract_test set gives_out = $4, statute = $5, reason = $6, tested_by = $7, tested_at = $8
where tenant_id = $1 and request_id = $2 and place = $3
returning kind
"""
TESTS = """
select t.place, t.kind, t.name, t.gives_out, t.statute, t.reason, shown_name(s) as tester,
    t.tested_at
from extract_test t
left join staff s on s.tenant_id = t.tenant_id and s.id = t.tested_by
where t.tenant_id = $1 and t.request_id = $2
order by array_position(array['actor', 'what', 'basis'], t.place), t.kind, t.name, t.place
"""
THIRDS = """
select c.id, 'cohabitant' as kind, c.name from cohabitant c
where c.tenant_id = $1 and c.resident_id = $2
union all
select r.id, 'relative', r.name from relative r where r.tenant_id = $1 and r.resident_id = $2
union all
select p.id, 'representative', p.name from representative p
where p.tenant_id = $1 and p.resident_id = $2
order by 2, 3, 1
limit $3
"""
DECIDE = """
insert into extract_decision (tenant_id, request_id, outcome, statute, reason, first_number,
    last_number, decided_by, decided_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
"""
DECISION = """
select d.outcome, d.statute, d.reason, d.first_number, d.last_number, d.decided_at,
    shown_name(s) as decider
from extract_decision d
join staff s on s.tenant_id = d.tenant_id and s.id = d.decided_by
where d.tenant_id = $1 and d.request_id = $2
"""
ADD_ISSUE = """
insert into extract_issue (tenant_id, request_id, id, part, digest, issued_by, issued_at)
values ($1, $2, $3, $4, $5, $6, $7)
"""
ISSUES = """
select i.part, i.digest, i.issued_at, shown_name(s) as issuer
from extract_issue i
join staff s on s.tenant_id = i.tenant_id and s.id = i.issued_by
where i.tenant_id = $1 and i.request_id = $2
order by i.issued_at desc, i.id
limit $3
"""
STAFF_NAMED = """
select id, shown_name(s) as name from staff s where tenant_id = $1 and id = any($2)
order by 2, 1
"""
NUMBERS = """
select min(n) as first, max(n) as last from audit.subject_entry
where tenant_id = $1 and resident_id = $2
    and ($3::timestamptz is null or recorded_at >= $3)
    and ($4::timestamptz is null or recorded_at < $4)
"""
SIGNED = """
select count(*)
from audit.subject_entry s
join audit.leaf l on l.tenant_id = s.tenant_id and l.entry_id = s.entry_id
where s.tenant_id = $1 and s.resident_id = $2 and s.n between $3 and $4
    and l.leaf_index < (
        select max(c.size) from audit.checkpoint c
        where c.tenant_id = l.tenant_id and c.log = l.log
    )
"""


@dataclass(frozen=True, slots=True)
class Asked:
    """`until` is not included. `asked_by` may be empty when she need not say it."""

    resident_id: ResidentId
    diary_number: str
    asked_by: str
    capacity: Capacity
    capacity_document: str
    identified_by: IdentifiedBy
    wanted: str
    reason: str
    since: datetime | None
    until: datetime | None
    language: Language
    received_on: date
    due_on: date


@dataclass(frozen=True, slots=True)
class Registered:
    id: ExtractRequestId
    asked: Asked
    registered_at: datetime
    registrar: str


@dataclass(frozen=True, slots=True)
class Listed:
    """As a list shows it. `outcome` None: open."""

    id: ExtractRequestId
    resident_id: ResidentId
    diary_number: str
    capacity: Capacity
    due_on: date
    received_on: date
    outcome: Outcome | None
    decided_at: datetime | None


@dataclass(frozen=True, slots=True)
class Decision:
    """`numbers`: the first and last that are given out; None of a no."""

    outcome: Outcome
    statute: str
    reason: str
    numbers: tuple[int, int] | None
    decided_at: datetime
    decider: str


@dataclass(frozen=True, slots=True)
class Issue:
    part: Part
    digest: str
    issued_at: datetime
    issuer: str


async def add(
    db: Transaction, request: ExtractRequestId, asked: Asked, by: StaffId, now: datetime
) -> bool:
    """False when it is there already: the same form sent twice."""
    added = await db.fetchval(
        ADD, db.tenant, request, asked.resident_id, asked.diary_number, asked.asked_by,
        asked.capacity, asked.capacity_document, asked.identified_by, asked.wanted, asked.reason,
        asked.since, asked.until, asked.language, asked.received_on, asked.due_on, by, now,
    )  # fmt: skip
    return added is not None


async def one(db: Transaction, request: ExtractRequestId) -> Registered | None:
    row = await db.fetchrow(ONE, db.tenant, request)
    if row is None:
        return None
    asked = Asked(
        resident_id=ResidentId(row["resident_id"]),
        diary_number=row["diary_number"],
        asked_by=row["asked_by"],
        capacity=row["capacity"],
        capacity_document=row["capacity_document"],
        identified_by=row["identified_by"],
        wanted=row["wanted"],
        reason=row["reason"],
        since=row["since"],
        until=row["until"],
        language=row["language"],
        received_on=row["received_on"],
        due_on=row["due_on"],
    )
    return Registered(request, asked, row["registered_at"], row["registrar"])


async def hold(db: Transaction, request: ExtractRequestId) -> None:
    """Until commit nobody else tests or decides it."""
    await db.execute(HOLD, db.tenant, request)


async def open_ones(db: Transaction) -> Sequence[Listed]:
    """What is due first, first."""
    return [_listed(row) for row in await db.fetch(OPEN, db.tenant, MOST_LISTED)]


async def decided(db: Transaction) -> Sequence[Listed]:
    """Newest first."""
    return [_listed(row) for row in await db.fetch(DECIDED, db.tenant, MOST_LISTED)]


async def earlier(
    db: Transaction, resident: ResidentId, request: ExtractRequestId
) -> Sequence[Listed]:
    """Other decided ones about her, newest first."""
    rows = await db.fetch(EARLIER, db.tenant, resident, request, MOST_EARLIER)
    return [_listed(row) for row in rows]


def _listed(row: Row) -> Listed:
    return Listed(
        ExtractRequestId(row["id"]), ResidentId(row["resident_id"]), row["diary_number"],
        row["capacity"], row["due_on"], row["received_on"], row["outcome"], row["decided_at"],
    )  # fmt: skip


async def add_test(db: Transaction, request: ExtractRequestId, test: HarmTest) -> bool:
    """False: that one is there already."""
    added = await db.fetchval(
        ADD_TEST, db.tenant, request, test.place, test.kind, test.name, test.gives_out,
        test.statute, test.reason,
    )  # fmt: skip
    return added is not None


async def set_test(
    db: Transaction, request: ExtractRequestId, test: HarmTest, by: StaffId, now: datetime
) -> str | None:
    """Its kind; None: there is no such place in that request."""
    kind: str | None = await db.fetchval(
        SET_TEST, db.tenant, request, test.place, test.gives_out, test.statute, test.reason, by, now
    )
    return kind


async def tests(db: Transaction, request: ExtractRequestId) -> Sequence[HarmTest]:
    """Sections first."""
    return [
        HarmTest(
            place=row["place"],
            kind=row["kind"],
            name=row["name"],
            gives_out=row["gives_out"],
            statute=row["statute"],
            reason=row["reason"],
            tester=row["tester"] if row["tested_at"] else None,
            tested_at=row["tested_at"],
        )
        for row in await db.fetch(TESTS, db.tenant, request)
    ]


async def thirds(db: Transaction, resident: ResidentId) -> Sequence[Third]:
    """All who have ever stood in the register beside her."""
    rows = await db.fetch(THIRDS, db.tenant, resident, MOST_THIRDS)
    return [Third(row["id"], row["kind"], row["name"]) for row in rows]


async def staff_named(db: Transaction, ids: Sequence[UUID]) -> Sequence[Third]:
    """By name; those with protected identity have none and are left out: no record names them."""
    rows = await db.fetch(STAFF_NAMED, db.tenant, ids)
    return [Third(row["id"], "staff", row["name"]) for row in rows if row["name"]]


async def decide(
    db: Transaction, request: ExtractRequestId, decision: Decision, by: StaffId
) -> None:
    first, last = decision.numbers or (None, None)
    await db.execute(
        DECIDE, db.tenant, request, decision.outcome, decision.statute, decision.reason, first,
        last, by, decision.decided_at,
    )  # fmt: skip


async def decision(db: Transaction, request: ExtractRequestId) -> Decision | None:
    row = await db.fetchrow(DECISION, db.tenant, request)
    if row is None:
        return None
    first, last = row["first_number"], row["last_number"]
    return Decision(
        outcome=row["outcome"],
        statute=row["statute"],
        reason=row["reason"],
        numbers=None if first is None else (first, last),
        decided_at=row["decided_at"],
        decider=row["decider"],
    )


async def add_issue(
    db: Transaction, request: ExtractRequestId, issue: UUID, part: Part, digest: str,
    by: StaffId, now: datetime,
) -> None:  # fmt: skip
    await db.execute(ADD_ISSUE, db.tenant, request, issue, part, digest, by, now)


async def issues(db: Transaction, request: ExtractRequestId) -> Sequence[Issue]:
    """Newest first."""
    rows = await db.fetch(ISSUES, db.tenant, request, MOST_LISTED)
    return [Issue(row["part"], row["digest"], row["issued_at"], row["issuer"]) for row in rows]


async def numbers(
    db: Transaction, resident: ResidentId, since: datetime | None, until: datetime | None
) -> tuple[int, int] | None:
    """Her first and last of that time; None: she has none (role reader)."""
    row = await db.fetchrow(NUMBERS, db.tenant, resident, since, until)
    assert row is not None  # noqa: S101 - an aggregate has one row
    return None if row["first"] is None else (row["first"], row["last"])


async def are_signed(db: Transaction, resident: ResidentId, span: tuple[int, int]) -> bool:
    """Whether a signed head covers all of those numbers (role reader)."""
    first, last = span
    found: int = await db.fetchval(SIGNED, db.tenant, resident, first, last)
    return found == last - first + 1

"""What an erasure asks: whose places (reader), and the functions that erase (role eraser)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from telecare.integrity.spans import Span
from telecare.runtime.db import Transaction
from telecare.wire.ids import ResidentId, TenantId

PLACES_OF = """
select s.n, l.log, l.leaf_index
from audit.subject_entry s
left join audit.leaf l on l.tenant_id = s.tenant_id and l.entry_id = s.entry_id
where s.tenant_id = $1 and s.resident_id = $2 and s.n between $3 and $4
order by s.n
"""
ERASE = "select outcome, leaf, hold, records from audit.erase($1, $2, $3, $4, $5, $6, $7, $8, $9)"
TENANTS = "select id, slug from tenant order by id"
ERASURES = "select data, seed, what, basis from audit.erasures()"
WITH_TEXT = """
select l.leaf_index, audit.hold_of(b.entry_id, b.recorded_at, b.event) as hold
from unnest($3::bigint[], $4::bigint[]) as r (first, last)
join audit.leaf l on l.tenant_id = $1 and l.log = $2 and l.leaf_index between r.first and r.last
join audit.entry e on e.tenant_id = l.tenant_id and e.entry_id = l.entry_id
join audit.body b on b.tenant_id = l.tenant_id and b.entry_id = l.entry_id
    and b.recorded_at = e.recorded_at
order by l.leaf_index
"""
OLD_MONTHS = "select audit.old_months($1)"
DROP_MONTH = "select audit.drop_month($1, $2, $3)"
SET_RETENTION = """
insert into audit.retention
    (tenant_id, valid_from, years, decision, law, decided_by, done_by, set_at)
values ($1, $2, $3, $4, $5, $6, $7, $2)
"""
RETENTION = """
select years, decision, law, decided_by, done_by, valid_from
from audit.retention
where tenant_id = $1 and valid_from <= $2
order by valid_from desc
limit 1
"""
WAIT = "select set_config('statement_timeout', $1, true), set_config('lock_timeout', $2, true)"
LONGEST_DROP = "300s"
LONGEST_LOCK = "2s"
"""While it waits for its lock, everybody who wants to enter a record waits behind it."""


@dataclass(frozen=True, slots=True)
class Order:
    """Who decided, on what ground, who carries it out; `actor` is an audit document."""

    decision: str
    law: str
    decided_by: str
    done_by: str
    actor: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """`why` is "erased", or what hindered the first place that could not be."""

    why: str
    leaf: int | None
    hold: UUID | None
    records: int


@dataclass(frozen=True, slots=True)
class Retention:
    """How long a municipality keeps the log's texts, by whose decision."""

    years: int
    decision: str
    law: str
    decided_by: str
    done_by: str
    valid_from: datetime


async def places_of(
    db: Transaction, resident: ResidentId, first: int, last: int
) -> dict[int, tuple[int, int] | None]:
    """By her number, where each record stands; None while it waits for its place."""
    rows = await db.fetch(PLACES_OF, db.tenant, resident, first, last)
    return {
        row["n"]: None if row["log"] is None else (row["log"], row["leaf_index"]) for row in rows
    }


async def erase(
    db: Transaction, kind: str, log: int, leaves: Sequence[Span], order: Order
) -> Outcome:
    """All of them or none; their records are entered in the same statement."""
    row = await db.fetchrow(
        ERASE, kind, log, [first for first, _ in leaves], [last for _, last in leaves],
        order.decision, order.law, order.decided_by, order.done_by, order.actor,
    )  # fmt: skip
    assert row is not None  # noqa: S101 - the function answers with one row
    return Outcome(row["outcome"], row["leaf"], row["hold"], row["records"])


async def tenants(db: Transaction) -> Sequence[tuple[TenantId, str]]:
    """All municipalities, with their short names."""
    return [(TenantId(row["id"]), row["slug"]) for row in await db.fetch(TENANTS)]


async def entered(db: Transaction) -> Sequence[tuple[bytes, bytes, str, str]]:
    """Envelope, seed, what and basis of the records of erasures, in order."""
    return [tuple(row) for row in await db.fetch(ERASURES)]


async def with_text(
    db: Transaction, log: int, spans: Sequence[Span]
) -> Sequence[tuple[int, UUID | None]]:
    """Leaves in these spans whose text is there, and by which hold it is held (role reader)."""
    firsts, lasts = [first for first, _ in spans], [last for _, last in spans]
    rows = await db.fetch(WITH_TEXT, db.tenant, log, firsts, lasts)
    return [(row["leaf_index"], row["hold"]) for row in rows]


async def old_months(db: Transaction, now: datetime) -> Sequence[date]:
    """Months old enough that their texts may be over for somebody."""
    return [row[0] for row in await db.fetch(OLD_MONTHS, now)]


async def drop_month(db: Transaction, month: date, now: datetime, actor: str) -> int:
    """How many texts fell. Raises LockTaken when somebody reads or writes just then."""
    await db.execute(WAIT, LONGEST_DROP, LONGEST_LOCK)
    fell: int = await db.fetchval(DROP_MONTH, month, now, actor)
    return fell


async def set_retention(db: Transaction, years: int, order: Order, now: datetime) -> None:
    await db.execute(
        SET_RETENTION, db.tenant, now, years, order.decision, order.law, order.decided_by,
        order.done_by,
    )  # fmt: skip


async def retention(db: Transaction, at: datetime) -> Retention | None:
    """None: nothing is decided, and nothing falls."""
    row = await db.fetchrow(RETENTION, db.tenant, at)
    return None if row is None else Retention(*row)

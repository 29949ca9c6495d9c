"""SQL of endings."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from telecare.endings.model import Ending
from telecare.runtime.db import Row, Transaction
from telecare.wire.ids import CareUnitId, EndingId, ResidentId, StaffId

LIMIT = 100

ENDED_FROM = """
select from_at from ending where tenant_id = $1 and resident_id = $2 and undone_at is null
"""
ADD = """
insert into ending (tenant_id, id, resident_id, reason, on_date, from_at, done_by, done_at)
values ($1, $2, $3, $4, $5, $6, $7, $8)
"""
ENDING = """
select id, resident_id, reason, on_date, from_at, done_by, carried_out_at
from ending
where tenant_id = $1 and undone_at is null"""
BY_ID = f"""{ENDING} and id = $2
"""
HOLD = f"{BY_ID}for update\n"
OF_RESIDENT = f"""{ENDING} and resident_id = $2
"""
HOLD_OF_RESIDENT = f"{OF_RESIDENT}for update\n"
CARRIED_OUT = "update ending set carried_out_at = $3 where tenant_id = $1 and id = $2"
UNDO = "update ending set undone_by = $3, undone_at = $4 where tenant_id = $1 and id = $2"
UNDOABLE = """
select e.id, e.resident_id, e.reason, e.on_date, e.from_at, e.done_by, e.carried_out_at,
    shown_name(r) as resident_name, shown_name(s) as done_by_name
from ending e
join resident r on r.tenant_id = e.tenant_id and r.id = e.resident_id
join staff s on s.tenant_id = e.tenant_id and s.id = e.done_by
where e.tenant_id = $1 and r.unit_id = any($2) and e.undone_at is null
    and (e.carried_out_at is null or e.carried_out_at >= $3)
order by e.from_at desc, e.id
limit $4
"""


def _ending(row: Row) -> Ending:
    return Ending(
        id=EndingId(row["id"]),
        resident_id=ResidentId(row["resident_id"]),
        reason=row["reason"],
        on_date=row["on_date"],
        from_at=row["from_at"],
        done_by=StaffId(row["done_by"]),
        carried_out_at=row["carried_out_at"],
    )


async def ended_from(db: Transaction, resident_id: ResidentId) -> datetime | None:
    """From when on she is no longer with us; it may lie ahead."""
    found: datetime | None = await db.fetchval(ENDED_FROM, db.tenant, resident_id)
    return found


async def add(db: Transaction, ending: Ending, now: datetime) -> None:
    await db.execute(
        ADD, db.tenant, ending.id, ending.resident_id, ending.reason, ending.on_date,
        ending.from_at, ending.done_by, now,
    )  # fmt: skip


async def by_id(db: Transaction, ending_id: EndingId) -> Ending | None:
    """None also when it has been undone."""
    row = await db.fetchrow(BY_ID, db.tenant, ending_id)
    return _ending(row) if row else None


async def hold(db: Transaction, ending_id: EndingId) -> Ending | None:
    row = await db.fetchrow(HOLD, db.tenant, ending_id)
    return _ending(row) if row else None


async def of_resident(db: Transaction, resident_id: ResidentId) -> Ending | None:
    """The one that stands, planned or carried out."""
    row = await db.fetchrow(OF_RESIDENT, db.tenant, resident_id)
    return _ending(row) if row else None


async def hold_of_resident(db: Transaction, resident_id: ResidentId) -> Ending | None:
    row = await db.fetchrow(HOLD_OF_RESIDENT, db.tenant, resident_id)
    return _ending(row) if row else None


async def carried_out(db: Transaction, ending_id: EndingId, now: datetime) -> None:
    await db.execute(CARRIED_OUT, db.tenant, ending_id, now)


async def undo(db: Transaction, ending_id: EndingId, by: StaffId, now: datetime) -> None:
    await db.execute(UNDO, db.tenant, ending_id, by, now)


@dataclass(frozen=True, slots=True)
class Listed:
    ending: Ending
    resident_name: str
    done_by_name: str


async def undoable(
    db: Transaction, units: Sequence[CareUnitId], since: datetime
) -> Sequence[Listed]:
    """Those ahead, and those carried out after `since`; the newest first."""
    rows = await db.fetch(UNDOABLE, db.tenant, list(units), since, LIMIT)
    return [Listed(_ending(row), row["resident_name"], row["done_by_name"]) for row in rows]

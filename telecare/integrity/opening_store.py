"""One record and its place in the log (role reader)."""

from collections.abc import Sequence
from dataclasses import dataclass

from telecare.integrity.records import Entered, entered
from telecare.integrity.tree_store import Signed
from telecare.runtime.db import Transaction
from telecare.wire.ids import ResidentId

ABOUT_WHOM = """
select e.entry_id,
    array(
        select s.resident_id from audit.subject_entry s
        where s.tenant_id = e.tenant_id and s.entry_id = e.entry_id
        order by s.resident_id
    ) as residents
from audit.entry e
where e.tenant_id = $1 and e.entry_id = $2
"""
ONE = """
select e.entry_id, e.recorded_at, coalesce(b.event, convert_from(e.data, 'UTF8')::jsonb ->> 'ev')
    as event, b.actor, b.what, b.basis, b.subject, b.persons
from audit.entry e
left join audit.body b on b.tenant_id = e.tenant_id and b.entry_id = e.entry_id
    and b.recorded_at = e.recorded_at
where e.tenant_id = $1 and e.entry_id = $2
"""
PLACE = """
select l.log, l.leaf_index, g.origin
from audit.leaf l
join audit.log g on g.tenant_id = l.tenant_id and g.log = l.log
where l.tenant_id = $1 and l.entry_id = $2
"""
COVERED_BY = """
select size, root, note, signed_at from audit.checkpoint
where tenant_id = $1 and log = $2 and size > $3
order by size
limit 1
"""
AT_PLACES = """
select l.log, l.leaf_index, l.entry_id
from unnest($2::int[], $3::bigint[]) as w (log, leaf_index)
join audit.leaf l on l.tenant_id = $1 and l.log = w.log and l.leaf_index = w.leaf_index
"""


@dataclass(frozen=True, slots=True)
class InLog:
    """Where a record stands, and the first signed head that covers it; None: not yet signed."""

    log: int
    index: int
    origin: str
    head: Signed | None


async def about_whom(db: Transaction, entry_id: int) -> Sequence[ResidentId] | None:
    """None: there is no such record."""
    row = await db.fetchrow(ABOUT_WHOM, db.tenant, entry_id)
    return None if row is None else [ResidentId(one) for one in row["residents"]]


async def one(db: Transaction, entry_id: int) -> Entered | None:
    row = await db.fetchrow(ONE, db.tenant, entry_id)
    return None if row is None else entered(row)


async def place(db: Transaction, entry_id: int) -> InLog | None:
    """None while it waits for its place."""
    row = await db.fetchrow(PLACE, db.tenant, entry_id)
    if row is None:
        return None
    head = await db.fetchrow(COVERED_BY, db.tenant, row["log"], row["leaf_index"])
    return InLog(row["log"], row["leaf_index"], row["origin"], Signed(*head) if head else None)


async def at_places(
    db: Transaction, places: Sequence[tuple[int, int]]
) -> dict[tuple[int, int], int]:
    """Entry numbers by log and leaf index."""
    logs, indexes = [log for log, _ in places], [index for _, index in places]
    rows = await db.fetch(AT_PLACES, db.tenant, logs, indexes)
    return {(row["log"], row["leaf_index"]): row["entry_id"] for row in rows}

"""What is read of a log that has stopped, to say what is left of it."""

from collections.abc import Sequence

from telecare.runtime.db import Transaction

GAPS = """
select here + 1 as first, following - 1 as last
from (
    select leaf_index as here,
        lead(leaf_index, 1, greatest($3, leaf_index + 1)) over (order by leaf_index) as following
    from (
        select -1 as leaf_index
        union all
        select leaf_index from audit.leaf where tenant_id = $1 and log = $2
    ) every
) pairs
where following > here + 1
order by 1
limit $4
"""
STOPPED_BECAUSE = """
select stopped_because::text from audit.log where tenant_id = $1 and log = $2
"""
NOTE_OF = """
select note from audit.checkpoint where tenant_id = $1 and log = $2 and size = $3
"""
MOST_GAPS = 100
"""More than anybody reads; a log with more has a tree with holes, which says so itself."""


async def gaps(db: Transaction, log: int, size: int) -> Sequence[tuple[int, int]]:
    """First and last numbers of leaves below `size` that are not there."""
    rows = await db.fetch(GAPS, db.tenant, log, size, MOST_GAPS)
    return [(row["first"], row["last"]) for row in rows]


async def stopped_because(db: Transaction, log: int) -> str:
    """A JSON document."""
    found: str = await db.fetchval(STOPPED_BECAUSE, db.tenant, log)
    return found


async def note_of(db: Transaction, log: int, size: int) -> str | None:
    """The head of that size as it was signed."""
    note: str | None = await db.fetchval(NOTE_OF, db.tenant, log, size)
    return note

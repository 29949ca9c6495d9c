"""RFC 3161 time stamps of the log's heads."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from telecare.integrity.tree_store import Signed
from telecare.runtime.db import Row, Transaction

LIMIT = 5000
OF = """
select s.log, s.size, c.note, s.authority, s.token, s.stamped_at
from audit.stamp s
join audit.checkpoint c using (tenant_id, log, size)
where s.tenant_id = $1 and s.log = $2 and s.size = $3
"""
EVERY = """
select s.log, s.size, c.note, s.authority, s.token, s.stamped_at
from audit.stamp s
join audit.checkpoint c using (tenant_id, log, size)
where s.tenant_id = $1
order by s.log desc, s.size desc
limit $2
"""
HEADS = """
select s.log, c.size, c.root, c.note, c.signed_at
from audit.stamp s
join audit.checkpoint c using (tenant_id, log, size)
where s.tenant_id = $1
order by s.log desc, s.size desc
limit 100
"""
NEWEST_COSIGNED = """
select c.size, c.root, c.note, c.signed_at
from audit.checkpoint c
where c.tenant_id = $1 and c.log = $2 and c.size = (
    select max(w.size) from audit.cosignature w where w.tenant_id = $1 and w.log = $2
) and c.size > coalesce(
    (select max(s.size) from audit.stamp s where s.tenant_id = $1 and s.log = $2), 0
)
"""
RECEIVED = """
select max(received_at) from audit.stamp where tenant_id = $1 and log = $2
"""
ADD = """
insert into audit.stamp (tenant_id, log, size, authority, token, stamped_at, received_at)
values ($1, $2, $3, $4, $5, $6, $7)
on conflict do nothing
"""


@dataclass(frozen=True, slots=True)
class Stamped:
    """`note`: the head as the log signed it, which is what was stamped; `token`: the answer."""

    log: int
    size: int
    note: str
    authority: str
    token: bytes
    stamped_at: datetime


async def of(db: Transaction, log: int, size: int) -> Stamped | None:
    row = await db.fetchrow(OF, db.tenant, log, size)
    return _stamped(row) if row else None


async def every(db: Transaction, limit: int = LIMIT) -> Sequence[Stamped]:
    """The newest first."""
    return [_stamped(row) for row in await db.fetch(EVERY, db.tenant, limit)]


async def heads(db: Transaction) -> Sequence[tuple[int, Signed]]:
    """Log and head of those that are stamped, the newest first."""
    rows = await db.fetch(HEADS, db.tenant)
    return [(log, Signed(*signed)) for log, *signed in rows]


async def newest_cosigned(db: Transaction, log: int) -> Signed | None:
    """The newest head that some witness has signed, when it is newer than the last stamp."""
    row = await db.fetchrow(NEWEST_COSIGNED, db.tenant, log)
    return Signed(*row) if row else None


async def received(db: Transaction, log: int) -> datetime | None:
    """When the last of this log came, by our clock."""
    at: datetime | None = await db.fetchval(RECEIVED, db.tenant, log)
    return at


async def add(db: Transaction, given: Stamped, now: datetime) -> None:
    """The first of a head is kept."""
    await db.execute(
        ADD, db.tenant, given.log, given.size, given.authority, given.token, given.stamped_at, now
    )


def _stamped(row: Row) -> Stamped:
    return Stamped(
        row["log"], row["size"], row["note"], row["authority"], row["token"], row["stamped_at"]
    )

"""What the page about the whole log shows besides the check itself (role reader)."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from telecare.integrity.tree_store import Signed
from telecare.runtime.db import Transaction

LOGS = """
select g.log, g.origin, g.stopped_at, g.stopped_because, h.size, h.root, h.note, h.signed_at,
    (
        select coalesce(max(l.leaf_index) + 1, 0) from audit.leaf l
        where l.tenant_id = g.tenant_id and l.log = g.log
    ) as leaves
from audit.log g
left join lateral (
    select c.size, c.root, c.note, c.signed_at from audit.checkpoint c
    where c.tenant_id = g.tenant_id and c.log = g.log
    order by c.size desc
    limit 1
) h on true
where g.tenant_id = $1
order by g.log
"""
KEYS = """
select k.public_key
from audit.log_key k
join audit.leaf l on l.tenant_id = k.tenant_id and l.entry_id = k.entry_id
where k.tenant_id = $1
order by l.log, l.leaf_index
"""
WAITING = """
select count(*) from audit.entry e
where e.tenant_id = $1
    and e.entry_id > coalesce((select max(g.mark) from audit.log g where g.tenant_id = $1), 0)
    and not exists (
        select from audit.leaf l where l.tenant_id = e.tenant_id and l.entry_id = e.entry_id
    )
"""


@dataclass(frozen=True, slots=True)
class LogState:
    """One of the municipality's logs: how many records have a place, and its newest head."""

    log: int
    origin: str
    leaves: int
    head: Signed | None
    stopped_at: datetime | None
    stopped_because: Mapping[str, object]


async def logs(db: Transaction) -> Sequence[LogState]:
    return [
        LogState(
            log=row["log"],
            origin=row["origin"],
            leaves=row["leaves"],
            head=None
            if row["size"] is None
            else Signed(row["size"], row["root"], row["note"], row["signed_at"]),
            stopped_at=row["stopped_at"],
            stopped_because=json.loads(row["stopped_because"] or "{}"),
        )
        for row in await db.fetch(LOGS, db.tenant)
    ]


async def keys(db: Transaction) -> Sequence[bytes]:
    """Public keys of the log, in the order in which they were announced."""
    return [row["public_key"] for row in await db.fetch(KEYS, db.tenant)]


async def waiting(db: Transaction) -> int:
    """Records that have no place in any log yet."""
    count: int = await db.fetchval(WAITING, db.tenant)
    return count

"""SQL of units' events, which stand month by month."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from telecare.devices.store import StoredEvent
from telecare.runtime.db import Database, Transaction

MONTHS = "select name, since, before from event_months()"
# An event that came without a date once (no table for its month yet) is not stored again with one.
ADD = """
insert into event (tenant_id, unit_id, boot, seq, kind, occurred_at, clock_ok, received_at,
    partition_at, payload)
select u.tenant_id, u.unit_id, u.boot, u.seq, u.kind, u.occurred_at, u.clock_ok, $9, u.partition_at,
    u.payload
from unnest($1::int[], $2::text[], $3::uuid[], $4::bigint[], $5::text[], $6::timestamptz[],
        $7::bool[], $8::timestamptz[], $10::jsonb[])
    as u (tenant_id, unit_id, boot, seq, kind, occurred_at, clock_ok, partition_at, payload)
where not exists (
    select from event e
    where e.tenant_id = u.tenant_id and e.unit_id = u.unit_id and e.boot = u.boot and e.seq = u.seq
        and e.partition_at = '1970-01-01 00:00Z'
)
on conflict do nothing
returning seq
"""

# A name is no value: these are made with one that MONTH fits.
DETACH = "alter table event detach partition {} concurrently"
FINALIZE = "alter table event detach partition {} finalize"
DROP = "drop table {}"
MONTH = re.compile(r"event_\d{4}_\d{2}")
LEFT_OVER = """
select c.relname as name, coalesce(i.inhdetachpending, false) as is_pending
from pg_class c
left join pg_inherits i on i.inhrelid = c.oid
where c.relnamespace = 'public'::regnamespace and c.relkind = 'r'
    and c.relname ~ '^event_[0-9]{4}_[0-9]{2}$'
    and (i.inhrelid is null or i.inhdetachpending)
order by c.relname
"""


@dataclass(frozen=True, slots=True)
class LeftOver:
    """A month on its way out; `is_pending`: its detaching was not finished."""

    name: str
    is_pending: bool


async def left_over(db: Transaction) -> Sequence[LeftOver]:
    return [LeftOver(row["name"], row["is_pending"]) for row in await db.fetch(LEFT_OVER)]


async def detach(database: Database, name: str) -> None:
    """Waits for those who use the month, and hinders nobody meanwhile."""
    await database.alone(_with(DETACH, name))


async def finalize(database: Database, name: str) -> None:
    await database.alone(_with(FINALIZE, name))


async def drop(database: Database, name: str) -> None:
    await database.alone(_with(DROP, name))


def _with(sql: str, name: str) -> str:
    assert MONTH.fullmatch(name)  # noqa: S101 - the catalogue's own names
    return sql.format(name)


@dataclass(frozen=True, slots=True)
class Month:
    """A month with a table; from `since`, up to but without `before`."""

    name: str
    since: datetime
    before: datetime


async def months(db: Transaction) -> Sequence[Month]:
    """Oldest first."""
    return [Month(row["name"], row["since"], row["before"]) for row in await db.fetch(MONTHS)]


async def add(
    db: Transaction, events: Sequence[StoredEvent], places: Sequence[datetime], now: datetime
) -> int:
    """How many were new; `places`: the `partition_at` of each."""
    rows = await db.fetch(
        ADD,
        [e.tenant for e in events], [e.unit_id for e in events], [e.boot for e in events],
        [e.seq for e in events], [e.kind for e in events], [e.occurred_at for e in events],
        [e.clock_ok for e in events], places, now, [e.payload for e in events],
    )  # fmt: skip
    return len(rows)

"""Which day's head has been sent where. Places are digests of addresses."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from telecare.runtime.db import Transaction

CLAIM = """
insert into audit.mailing as m (tenant_id, place, day, attempts, next_at)
values ($1, $2, $3, 1, $4::timestamptz + ($5::interval[])[1])
on conflict (tenant_id, place, day) do update set
    attempts = m.attempts + 1,
    next_at = $4::timestamptz
        + ($5::interval[])[least(m.attempts + 1, cardinality($5::interval[]))]
where m.sent_at is null and m.next_at <= $4
returning attempts
"""
ADD_SENT = """
insert into audit.mailing as m (tenant_id, place, day, attempts, next_at, log, size, sent_at)
values ($1, $2, $3, 1, $6, $4, $5, $6)
on conflict (tenant_id, place, day) do update set log = $4, size = $5, sent_at = $6
"""
LATEST = """
with reached as (
    select m.day, max(m.sent_at) as at from audit.mailing m
    where m.tenant_id = $1 and m.sent_at is not null
    group by m.day
    order by m.day desc
    limit 1
), newest as (
    select max(m.day) as day from audit.mailing m where m.tenant_id = $1
)
select reached.at, count(*) filter (where m.day = reached.day and m.sent_at is not null) as places,
    count(*) filter (where m.day = newest.day and m.sent_at is null) as waiting
from newest left join reached on true
join audit.mailing m on m.tenant_id = $1 and m.day in (newest.day, reached.day)
group by reached.at
"""


@dataclass(frozen=True, slots=True)
class Mailed:
    """When a head was last sent, to how many; how many of the newest day still wait for theirs."""

    at: datetime | None
    places: int
    waiting: int


def _place(address: str) -> bytes:
    return hashlib.sha256(address.lower().encode()).digest()


async def claim(
    db: Transaction, address: str, day: date, now: datetime, pauses: Sequence[timedelta]
) -> int | None:
    """Be the one who tries now: which attempt it is. None: it is sent, or it is not time."""
    attempt: int | None = await db.fetchval(
        CLAIM, db.tenant, _place(address), day, now, list(pauses)
    )
    return attempt


async def add_sent(
    db: Transaction, address: str, day: date, head: tuple[int, int], now: datetime
) -> None:
    """`head`: its log and size."""
    await db.execute(ADD_SENT, db.tenant, _place(address), day, *head, now)


async def latest(db: Transaction) -> Mailed | None:
    """None: nothing was ever to be sent."""
    row = await db.fetchrow(LATEST, db.tenant)
    return Mailed(row["at"], row["places"], row["waiting"]) if row else None

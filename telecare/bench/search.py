"""`audit-search`: what a reviewer asks of five years of a log, beside a tenth of it."""

import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from telecare.bench.log import Ground, ground
from telecare.bench.report import Part, at_most, compared, percentile
from telecare.integrity import searching_store, timelines_store
from telecare.integrity.searching_store import Place, Wanted
from telecare.integrity.timelines_store import Numbered
from telecare.runtime.clock import SystemClock
from telecare.runtime.db import Database, Transaction
from telecare.wire.ids import ResidentId

RECORDS = 5_000_000
RESIDENTS, STAFF = 3_000, 500
YEARS = timedelta(days=5 * 365)
PROBES = 200
LATEST = 50
PAGE = 101

EMPTY = """
set session_replication_role = replica;
truncate audit.entry, audit.body, audit.subject_entry cascade
"""
MONTHS = """
do $$
declare
    v_month date;
begin
    for v_month in select generate_series(
        date_trunc('month', '{since}'::timestamptz at time zone 'UTC'),
        '{until}'::timestamptz at time zone 'UTC', interval '1 month'
    )::date loop
        if to_regclass('audit.body_' || to_char(v_month, 'YYYY_MM')) is null then
            execute format(
                'create table audit.%I partition of audit.body for values from (%L) to (%L)',
                'body_' || to_char(v_month, 'YYYY_MM'), v_month::timestamp at time zone 'UTC',
                (v_month + interval '1 month') at time zone 'UTC'
            );
        end if;
    end loop;
end
$$;
"""
FILL = """
set session_replication_role = replica;
create temp table made as
select n, '{since}'::timestamptz + '{years}'::interval * (n::float8 / {of}) as at,
    n % {residents} as resident, n / {residents} + 1 as number,
    (n * 7 + n / {residents} * 13) % {staff} as staff
from generate_series({first}::bigint, {last}::bigint) as n;
insert into audit.entry (entry_id, tenant_id, recorded_at, xid, data)
overriding system value
select 1 + n, {tenant}, at, '1',
    convert_to('{{"ev":"card.read","sd":"' || repeat('a', 260) || '"}}', 'UTF8')
from made;
insert into audit.body (entry_id, tenant_id, recorded_at, event, seed, actor, subject, what, basis,
    persons)
select 1 + n, {tenant}, at, 'card.read', sha256('seed'),
    '{{"id":"' || {staff_id} || '","kind":"staff","name":"Maria Ek","unit_name":"Dagen"}}',
    '{{"persons":["3q2-7wAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"]}}',
    '{{"outcome":"all_well","seconds":412}}', '{{"policy":"video_visit","purpose":"video_visit"}}',
    array['{{"id":"' || {resident_id} || '","n":' || number || ',"name":"Ingrid"}}']
from made;
insert into audit.subject_entry (tenant_id, resident_id, n, entry_id, recorded_at, actor_id)
select {tenant}, ({resident_id})::uuid, number, 1 + n, at, {staff_id} from made;
drop table made;
"""
STAFF_ID = "'00000000-0000-4000-9000-' || lpad(to_hex(staff), 12, '0')"
RESIDENT_ID = "'00000000-0000-4000-8000-' || lpad(to_hex(resident), 12, '0')"
CHUNK = 500_000


@dataclass(frozen=True, slots=True)
class Log:
    """So many records, evenly over the years until then."""

    here: Ground
    records: int
    until: datetime

    @property
    def since(self) -> datetime:
        return self.until - YEARS


async def audit_search(rounds: int | None) -> list[Part]:
    large = rounds or RECORDS
    async with ground() as here:
        until = SystemClock().now()
        tenth = await _measure(here, large // 10, until)
        whole = await _measure(here, large, until)
    parts: list[Part] = []
    for (name, limit), ours in zip(LIMITS, whole, strict=True):
        reference = tenth[len(parts) // 2]
        parts.append(at_most(f"{name}, p95", ours, "ms", limit))
        parts.append(compared(f"{name}, beside a tenth", ours, reference, "ms", at_most=2))
    return parts


LIMITS = (
    (f"latest {LATEST} of a resident", 10.0),
    ("a week of a colleague", 15.0),
    ("a resident and a colleague", 10.0),
)


async def _measure(here: Ground, records: int, until: datetime) -> list[float]:
    """p95 of each, in milliseconds."""
    log = Log(here, records, until)
    await _fill(log)
    chance = random.Random(records)  # noqa: S311 - which probes, not a secret
    figures = []
    for ask in (_latest, _week, _both):
        async with here.role("reader") as reader:
            took = [await _timed(reader, log, ask, chance) for _ in range(PROBES)]
        figures.append(percentile(took, 95))
    return figures


async def _fill(log: Log) -> None:
    await log.here.as_superuser(EMPTY)
    await log.here.as_superuser(MONTHS.format(since=log.since, until=log.until))
    for first in range(0, log.records, CHUNK):
        await log.here.as_superuser(
            FILL.format(
                since=log.since, years=f"{YEARS.days} days", of=log.records, first=first,
                last=min(first + CHUNK, log.records) - 1, residents=RESIDENTS, staff=STAFF,
                tenant=log.here.tenant, staff_id=STAFF_ID, resident_id=RESIDENT_ID,
            )
        )  # fmt: skip
    for table in ("audit.entry", "audit.body", "audit.subject_entry"):
        await log.here.as_superuser(f"vacuum (analyze) {table}")


Ask = Callable[[Transaction, Log, random.Random], Awaitable[object]]


async def _timed(reader: Database, log: Log, ask: Ask, chance: random.Random) -> float:
    async with reader.transaction(log.here.tenant) as db:
        begun = time.monotonic()
        await ask(db, log, chance)
        return (time.monotonic() - begun) * 1000


async def _latest(db: Transaction, log: Log, chance: random.Random) -> object:
    all_of_it = Numbered(2**62, datetime.min.replace(tzinfo=UTC), log.until, None)
    return await timelines_store.of_person(db, ResidentId(_resident(chance)), all_of_it, LATEST)


async def _week(db: Transaction, log: Log, chance: random.Random) -> object:
    end = log.until - timedelta(days=chance.randrange(YEARS.days - 7))
    wanted = Wanted(staff=[_colleague(chance)])
    return await searching_store.between(db, wanted, end - timedelta(days=7), Place(end, 0), PAGE)


async def _both(db: Transaction, log: Log, chance: random.Random) -> object:
    wanted = Wanted(residents=[_resident(chance)], staff=[_colleague(chance)])
    return await searching_store.between(db, wanted, log.since, Place(log.until, 0), PAGE)


def _resident(chance: random.Random) -> UUID:
    return UUID(f"00000000-0000-4000-8000-{chance.randrange(RESIDENTS):012x}")


def _colleague(chance: random.Random) -> UUID:
    return UUID(f"00000000-0000-4000-9000-{chance.randrange(STAFF):012x}")

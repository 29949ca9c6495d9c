"""What a search of the log reads: records newest first (role reader), and names (role app)."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from telecare.integrity.months import plan_once
from telecare.integrity.records import Entered, entered
from telecare.runtime.db import Row, Transaction
from telecare.wire.ids import StaffId

BEGUN = """
select recorded_at from audit.entry where tenant_id = $1 order by entry_id limit 1
"""
NOW = "select clock_timestamp()"
BETWEEN = """
select b.entry_id, b.recorded_at, b.event, b.actor, b.what, b.basis, b.subject, b.persons
from audit.body b
where b.tenant_id = $1
    and b.recorded_at >= $2
    and (b.recorded_at, b.entry_id) < ($3, $4)
    and ($5::text[] is null or b.actor_id = any($5))
    and ($6::text is null or b.event = $6)
    and ($7::text is null or b.what::jsonb ->> 'purpose' = $7 or b.basis::jsonb ->> 'purpose' = $7)
order by b.recorded_at desc, b.entry_id desc
limit $8
"""
ABOUT = """
select b.entry_id, b.recorded_at, b.event, b.actor, b.what, b.basis, b.subject, b.persons
from (
    select distinct s.entry_id, s.recorded_at from audit.subject_entry s
    where s.tenant_id = $1 and s.resident_id = any($9)
        and s.recorded_at >= $2 and (s.recorded_at, s.entry_id) < ($3, $4)
) of_them
join audit.body b on b.tenant_id = $1 and b.entry_id = of_them.entry_id
    and b.recorded_at = of_them.recorded_at
where ($5::text[] is null or b.actor_id = any($5))
    and ($6::text is null or b.event = $6)
    and ($7::text is null or b.what::jsonb ->> 'purpose' = $7 or b.basis::jsonb ->> 'purpose' = $7)
order by b.recorded_at desc, b.entry_id desc
limit $8
"""
OF_BOTH = """
select distinct s.entry_id, s.recorded_at from audit.subject_entry s
where s.tenant_id = $1 and s.resident_id = any($6) and s.actor_id = any($5)
    and s.recorded_at >= $2 and (s.recorded_at, s.entry_id) < ($3, $4)
order by s.recorded_at desc, s.entry_id desc
limit $7
"""
"""By the index of people alone; the texts of the few that are left are read by THESE."""
THESE = """
select b.entry_id, b.recorded_at, b.event, b.actor, b.what, b.basis, b.subject, b.persons
from unnest($2::bigint[], $3::timestamptz[]) as p (entry_id, recorded_at)
join audit.body b on b.tenant_id = $1 and b.entry_id = p.entry_id
    and b.recorded_at = p.recorded_at
order by b.recorded_at desc, b.entry_id desc
"""
ASK = (
    "insert into log_search (tenant_id, id, staff_id, asked, asked_at) values ($1, $2, $3, $4, $5)"
)
FORGET = "delete from log_search where tenant_id = $1 and id = $2"
ASKED = "select asked from log_search where tenant_id = $1 and id = $2 and staff_id = $3"
RESIDENTS_NAMED = """
select r.id, r.name, u.name as unit_name
from resident r
join care_unit u on u.tenant_id = r.tenant_id and u.id = r.unit_id
where r.tenant_id = $1 and not r.is_protected and strpos(lower(r.name), lower($2)) > 0
order by r.name, r.id
limit $3
"""
STAFF_NAMED = """
select s.id, s.name, u.name as unit_name
from staff s
join care_unit u on u.tenant_id = s.tenant_id and u.id = s.unit_id
where s.tenant_id = $1 and not s.is_protected and strpos(lower(s.name), lower($2)) > 0
order by s.name, s.id
limit $3
"""


@dataclass(frozen=True, slots=True)
class FoundByName:
    """Nobody with protected identity is found by name; their records are found by time and kind."""

    id: UUID
    name: str
    unit_name: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """Whose and which records; None: all."""

    residents: Sequence[UUID] | None = None
    staff: Sequence[UUID] | None = None
    event: str | None = None
    purpose: str | None = None


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A record's place by time; what comes before it is older."""

    at: datetime
    entry_id: int


async def now(db: Transaction) -> datetime:
    """By the log's own clock."""
    at: datetime = await db.fetchval(NOW)
    return at


async def begun(db: Transaction) -> datetime | None:
    """When the log's first record was entered."""
    at: datetime | None = await db.fetchval(BEGUN, db.tenant)
    return at


async def between(
    db: Transaction, wanted: Wanted, since: datetime, before: Place, limit: int
) -> Sequence[Entered]:
    """From `since` and before `before`, newest first."""
    staff = None if wanted.staff is None else [str(one) for one in wanted.staff]
    values = (db.tenant, since, before.at, before.entry_id, staff, wanted.event, wanted.purpose)
    if wanted.residents is None:
        rows = await db.fetch(BETWEEN, *values, limit)
    elif staff is not None and wanted.event is None and wanted.purpose is None:
        rows = await _of_both(db, wanted.residents, staff, since, before, limit)
    else:
        rows = await db.fetch(ABOUT, *values, limit, wanted.residents)
    return [entered(row) for row in rows]


async def _of_both(
    db: Transaction,
    residents: Sequence[UUID],
    staff: Sequence[str],
    since: datetime,
    before: Place,
    limit: int,
) -> Sequence[Row]:
    await plan_once(db)
    places = await db.fetch(
        OF_BOTH, db.tenant, since, before.at, before.entry_id, staff, residents, limit
    )
    if not places:
        return ()
    entries = [row["entry_id"] for row in places]
    return await db.fetch(THESE, db.tenant, entries, [row["recorded_at"] for row in places])


async def ask(
    db: Transaction, id_: UUID, staff_id: StaffId, asked: Mapping[str, str], now: datetime
) -> None:
    await db.execute(ASK, db.tenant, id_, staff_id, json.dumps(asked), now)


async def forget(db: Transaction, id_: UUID) -> None:
    await db.execute(FORGET, db.tenant, id_)


async def asked(db: Transaction, id_: UUID, staff_id: StaffId) -> Mapping[str, str] | None:
    """What she herself asked for."""
    found = await db.fetchval(ASKED, db.tenant, id_, staff_id)
    return None if found is None else {str(k): str(v) for k, v in json.loads(found).items()}


async def residents_named(db: Transaction, words: str, limit: int) -> Sequence[FoundByName]:
    return [FoundByName(*row) for row in await db.fetch(RESIDENTS_NAMED, db.tenant, words, limit)]


async def staff_named(db: Transaction, words: str, limit: int) -> Sequence[FoundByName]:
    """Also those who no longer work here."""
    return [FoundByName(*row) for row in await db.fetch(STAFF_NAMED, db.tenant, words, limit)]

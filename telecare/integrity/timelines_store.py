"""What a timeline reads: a person's numbered records, and who stands in them (role reader)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from telecare.integrity.months import plan_once
from telecare.integrity.records import Entered, entered
from telecare.runtime.db import Transaction
from telecare.wire.ids import ResidentId, StaffId

OF_PERSON = """
select s.n, s.entry_id, s.recorded_at, convert_from(e.data, 'UTF8')::jsonb ->> 'ev' as event
from audit.subject_entry s
join audit.entry e on e.tenant_id = s.tenant_id and e.entry_id = s.entry_id
where s.tenant_id = $1 and s.resident_id = $2 and s.n < $3
    and s.recorded_at >= $4 and s.recorded_at < $5
    and ($6::text[] is null
        or split_part(convert_from(e.data, 'UTF8')::jsonb ->> 'ev', '.', 1) = any($6))
order by s.n desc
limit $7
"""
TEXTS = """
select b.entry_id, b.actor, b.what, b.basis, b.subject, b.persons
from audit.body b
where b.tenant_id = $1 and b.recorded_at >= $2 and b.recorded_at <= $3 and b.entry_id = any($4)
"""
"""Asked by themselves: only the months that have them are looked into."""
NO_TEXT = dict.fromkeys(("actor", "what", "basis", "subject", "persons"))
MISSING = """
select g.n from generate_series($3::bigint, $4::bigint) as g (n)
where not exists (
    select from audit.subject_entry s
    where s.tenant_id = $1 and s.resident_id = $2 and s.n = g.n
)
order by g.n
limit $5
"""
TALLY = """
select count(*) as events,
    count(*) filter (where b.event = 'camera.turned' and b.what::jsonb ->> 'on' = 'true') as cameras
from audit.subject_entry s
left join audit.body b on b.tenant_id = s.tenant_id and b.entry_id = s.entry_id
    and b.recorded_at = s.recorded_at
where s.tenant_id = $1 and s.resident_id = $2 and s.recorded_at >= $3 and s.recorded_at < $4
"""
WHO = """
select b.actor_id, (array_agg(b.actor order by b.recorded_at desc))[1] as actor, count(*) as times
from audit.subject_entry s
join audit.body b on b.tenant_id = s.tenant_id and b.entry_id = s.entry_id
    and b.recorded_at = s.recorded_at
where s.tenant_id = $1 and s.resident_id = $2 and s.recorded_at >= $3 and s.recorded_at < $4
    and b.actor::jsonb ->> 'kind' = 'staff'
group by b.actor_id
order by times desc, b.actor_id
limit $5
"""
COLLEAGUE = """
select shown_name(s) as name, u.name as unit_name
from staff s
join care_unit u on u.tenant_id = s.tenant_id and u.id = s.unit_id
where s.tenant_id = $1 and s.id = $2
"""


@dataclass(frozen=True, slots=True)
class Tally:
    events: int
    cameras: int
    """How often a camera went on."""


@dataclass(frozen=True, slots=True)
class Numbered:
    """Where to go on back from, in which time, and which kinds (the first word of their action)."""

    below: int
    since: datetime
    until: datetime
    kinds: Sequence[str] | None


async def of_person(
    db: Transaction, resident: ResidentId, which: Numbered, limit: int
) -> Sequence[Entered]:
    """Highest number first."""
    await plan_once(db)
    rows = await db.fetch(
        OF_PERSON, db.tenant, resident, which.below, which.since, which.until, which.kinds, limit
    )
    if not rows:
        return []
    times = [row["recorded_at"] for row in rows]
    found = await db.fetch(
        TEXTS, db.tenant, min(times), max(times), [row["entry_id"] for row in rows]
    )
    texts = {text["entry_id"]: text for text in found}
    return [entered({**NO_TEXT, **row, **texts.get(row["entry_id"], {})}) for row in rows]


async def missing(
    db: Transaction, resident: ResidentId, numbers: tuple[int, int], limit: int
) -> Sequence[int]:
    """Which of her numbers from the first to the last are not there."""
    rows = await db.fetch(MISSING, db.tenant, resident, *numbers, limit)
    return [row["n"] for row in rows]


async def tally(db: Transaction, resident: ResidentId, since: datetime, until: datetime) -> Tally:
    row = await db.fetchrow(TALLY, db.tenant, resident, since, until)
    assert row is not None  # noqa: S101 - an aggregate has one row
    return Tally(*row)


async def who(
    db: Transaction, resident: ResidentId, since: datetime, until: datetime, limit: int
) -> Sequence[tuple[UUID, str, int]]:
    """Staff who stand in her records: id, the newest actor text, and how often."""
    rows = await db.fetch(WHO, db.tenant, resident, since, until, limit)
    return [(row["actor_id"], row["actor"], row["times"]) for row in rows]


async def colleague(db: Transaction, staff: StaffId) -> tuple[str, str] | None:
    """Name ("" with protected identity) and unit, also of one who no longer works here (app)."""
    row = await db.fetchrow(COLLEAGUE, db.tenant, staff)
    return None if row is None else (row["name"], row["unit_name"])

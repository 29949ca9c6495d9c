"""SQL of absences."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from telecare.absences.model import Absence
from telecare.runtime.db import Row, Transaction
from telecare.wire.ids import AbsenceId, CareUnitId, ResidentId, StaffId

LIMIT = 100

ADD = """
insert into absence (tenant_id, id, resident_id, kind, from_at, until_at, reported_by, note,
    made_by, made_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
"""
ABSENCE = """
select id, resident_id, kind, from_at, until_at, reported_by, note, home_at
from absence
where tenant_id = $1"""
HOLD = f"""{ABSENCE} and id = $2
for update
"""
NOT_OVER = f"""{ABSENCE}
    and resident_id = $2 and home_at is null and (until_at is null or until_at > $3)
order by from_at
limit $4
"""
OVERLAPS = """
select exists (
    select from absence
    where tenant_id = $1 and resident_id = $2
        and from_at < coalesce($4::timestamptz, 'infinity')
        and coalesce(least(until_at, home_at), 'infinity') > greatest(from_at, $3)
)
"""
COVERING = f"""{ABSENCE}
    and resident_id = $2 and from_at <= $3
    and (until_at is null or until_at > $3) and (home_at is null or home_at > $3)
limit 1
"""
COME_HOME = """
update absence set home_at = $3, home_by = $4 where tenant_id = $1 and id = $2
"""
AWAY = """
select a.id, a.resident_id, a.kind, a.from_at, a.until_at, a.reported_by, a.note, a.home_at,
    shown_name(r) as resident_name, r.unit_id
from absence a
join resident r on r.tenant_id = a.tenant_id and r.id = a.resident_id
where a.tenant_id = $1 and (r.unit_id = any($2) or a.resident_id = any($3))
    and a.from_at <= $4 and a.home_at is null and (a.until_at is null or a.until_at > $4)
    and not exists (
        select from ending e
        where e.tenant_id = a.tenant_id and e.resident_id = a.resident_id
            and e.undone_at is null and e.from_at <= $4
    )
order by a.from_at, a.id
limit $5
"""


def _absence(row: Row) -> Absence:
    return Absence(
        id=AbsenceId(row["id"]),
        resident_id=ResidentId(row["resident_id"]),
        kind=row["kind"],
        from_at=row["from_at"],
        until_at=row["until_at"],
        reported_by=row["reported_by"],
        note=row["note"],
        home_at=row["home_at"],
    )


async def add(db: Transaction, absence: Absence, by: StaffId, now: datetime) -> None:
    await db.execute(
        ADD, db.tenant, absence.id, absence.resident_id, absence.kind, absence.from_at,
        absence.until_at, absence.reported_by, absence.note, by, now,
    )  # fmt: skip


async def hold(db: Transaction, absence_id: AbsenceId) -> Absence | None:
    row = await db.fetchrow(HOLD, db.tenant, absence_id)
    return _absence(row) if row else None


async def not_over(db: Transaction, resident_id: ResidentId, at: datetime) -> Sequence[Absence]:
    """Hers that cover `at` or lie ahead of it, by their beginning."""
    return [_absence(row) for row in await db.fetch(NOT_OVER, db.tenant, resident_id, at, LIMIT)]


async def overlaps(db: Transaction, absence: Absence) -> bool:
    """Whether she is absent already at some of its time."""
    found: bool = await db.fetchval(
        OVERLAPS, db.tenant, absence.resident_id, absence.from_at, absence.until_at
    )
    return found


async def covering(db: Transaction, resident_id: ResidentId, at: datetime) -> Absence | None:
    """The one that covers `at`, which may lie in the past."""
    row = await db.fetchrow(COVERING, db.tenant, resident_id, at)
    return _absence(row) if row else None


async def come_home(
    db: Transaction, absence_id: AbsenceId, at: datetime, by: StaffId | None
) -> None:
    await db.execute(COME_HOME, db.tenant, absence_id, at, by)


@dataclass(frozen=True, slots=True)
class Away:
    """An absence of today, as a list shows it."""

    absence: Absence
    resident_name: str
    unit_id: CareUnitId


async def away(
    db: Transaction, units: Sequence[CareUnitId], residents: Sequence[UUID], now: datetime
) -> Mapping[ResidentId, Away]:
    """Who is away now: of these units, and those of `residents` wherever they belong."""
    rows = await db.fetch(AWAY, db.tenant, list(units), list(residents), now, LIMIT)
    return {
        ResidentId(row["resident_id"]): Away(
            _absence(row), row["resident_name"], CareUnitId(row["unit_id"])
        )
        for row in rows
    }

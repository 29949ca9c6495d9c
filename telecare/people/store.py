"""SQL of residents, cohabitants and follow-ups."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from telecare.access.holding import Held, held
from telecare.audit.model import Person
from telecare.people.model import Cohabitant, FollowUp, FollowUpKind, Resident
from telecare.runtime.db import Row, Transaction
from telecare.wire.ids import (
    CareUnitId,
    CohabitantId,
    EndingId,
    FollowUpId,
    ResidentId,
    StaffId,
)

LIMIT = 100

ADD_RESIDENT = """
insert into resident (tenant_id, id, unit_id, name, given_name, language, address, phone, born_on,
    to_know, scale_percent, hearing, priority, is_protected, created_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
"""
RESIDENT = """
select id, unit_id, name, given_name, language, address, phone, born_on, to_know, scale_percent,
    hearing, priority, is_protected
from resident
where tenant_id = $1 and id = $2
"""
RESIDENTS = """
select id, unit_id, name, given_name, language, address, phone, born_on, to_know, scale_percent,
    hearing, priority, is_protected
from resident
where tenant_id = $1 and id = any($2)
order by name, id
"""
HOLD_RESIDENT = """
select id from resident where tenant_id = $1 and id = $2 for no key update
"""
HAS_ENDED = """
select exists (
    select from ending
    where tenant_id = $1 and resident_id = $2 and undone_at is null and from_at <= $3
)
"""
SEARCH = """
select r.id, r.name, r.is_protected, u.name as unit_name
from resident r
join care_unit u on u.tenant_id = r.tenant_id and u.id = r.unit_id
where r.tenant_id = $1 and lower(r.name) like '%' || lower($2) || '%' escape '\\'
    and not exists (
        select from ending e
        where e.tenant_id = r.tenant_id and e.resident_id = r.id and e.carried_out_at is not null
            and e.undone_at is null
    )
    and ($3::uuid is null or (r.name, r.id) > (
        select l.name, l.id from resident l where l.tenant_id = $1 and l.id = $3
    ))
    and (not r.is_protected or exists (
        select from assignment a
        where a.tenant_id = r.tenant_id and a.resident_id = r.id and a.staff_id = $5
            and a.valid_from <= $6 and (a.valid_until is null or a.valid_until > $6)
    ))
order by r.name, r.id
limit $4
"""
ADD_COHABITANT = """
insert into cohabitant (tenant_id, id, resident_id, name, relation, moved_in_at, is_resident_id)
values ($1, $2, $3, $4, $5, $6, $7)
"""
COHABITANTS = """
select id, name, relation, is_resident_id from cohabitant
where tenant_id = $1 and resident_id = $2 and moved_in_at <= $3
    and (moved_out_at is null or moved_out_at > $3)
order by name
limit $4
"""


def _resident(row: Row) -> Resident:
    return Resident(
        id=ResidentId(row["id"]),
        unit_id=CareUnitId(row["unit_id"]),
        name=row["name"],
        given_name=row["given_name"],
        language=row["language"],
        address=row["address"],
        phone=row["phone"],
        born_on=row["born_on"],
        to_know=tuple(row["to_know"]),
        scale_percent=row["scale_percent"],
        hearing=row["hearing"],
        priority=row["priority"],
        is_protected=row["is_protected"],
    )


async def add_resident(db: Transaction, resident: Resident, now: datetime) -> None:
    await db.execute(
        ADD_RESIDENT, db.tenant, resident.id, resident.unit_id, resident.name, resident.given_name,
        resident.language, resident.address, resident.phone, resident.born_on,
        list(resident.to_know), resident.scale_percent, resident.hearing, resident.priority,
        resident.is_protected, now,
    )  # fmt: skip


async def resident(db: Transaction, resident_id: ResidentId) -> Resident | None:
    row = await db.fetchrow(RESIDENT, db.tenant, resident_id)
    return _resident(row) if row else None


async def residents(db: Transaction, ids: Sequence[ResidentId]) -> Sequence[Resident]:
    """By name."""
    return [_resident(row) for row in await db.fetch(RESIDENTS, db.tenant, list(ids))]


async def hold_resident(db: Transaction, resident_id: ResidentId) -> None:
    """One at a time: what may be said of her only once. Comes before the gate's locks."""
    await db.execute(HOLD_RESIDENT, db.tenant, resident_id)


async def has_ended(db: Transaction, resident_id: ResidentId, at: datetime) -> bool:
    """Whether she is no longer with us (avslutad)."""
    found: bool = await db.fetchval(HAS_ENDED, db.tenant, resident_id, at)
    return found


@dataclass(frozen=True, slots=True)
class Found:
    id: ResidentId
    name: str
    unit_name: str
    is_protected: bool


async def search(
    db: Transaction,
    words: str,
    *,
    by: StaffId | None,
    now: datetime,
    after: UUID | None,
    limit: int,
) -> Sequence[Found]:
    """Residents whose name contains `words`, by name, those after the one with id `after`.

    Those with protected identity are found by whoever is assigned to them now.
    """
    escaped = words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    rows = await db.fetch(SEARCH, db.tenant, escaped, after, limit, by, now)
    return [Found(ResidentId(r["id"]), r["name"], r["unit_name"], r["is_protected"]) for r in rows]


async def add_cohabitant(
    db: Transaction, resident_id: ResidentId, cohabitant: Cohabitant, now: datetime
) -> None:
    await db.execute(
        ADD_COHABITANT, db.tenant, cohabitant.id, resident_id, cohabitant.name,
        cohabitant.relation, now, cohabitant.is_resident_id,
    )  # fmt: skip


async def cohabitants(
    db: Transaction, resident_id: ResidentId, now: datetime
) -> Sequence[Cohabitant]:
    rows = await db.fetch(COHABITANTS, db.tenant, resident_id, now, LIMIT)
    return [
        Cohabitant(CohabitantId(r["id"]), r["name"], r["relation"], r["is_resident_id"])
        for r in rows
    ]


MOVE_OUT = """
update cohabitant c set moved_out_at = $4, ending_id = $3
from resident r
where c.tenant_id = $1 and c.is_resident_id = $2 and c.moved_out_at is null
    and r.tenant_id = c.tenant_id and r.id = c.resident_id
returning c.id, c.name, r.id as resident_id, r.name as resident_name, r.is_protected
"""
MOVE_IN_AGAIN = """
update cohabitant c set moved_out_at = null, ending_id = null
from resident r
where c.tenant_id = $1 and c.ending_id = $2
    and r.tenant_id = c.tenant_id and r.id = c.resident_id
returning c.id, c.name, r.id as resident_id, r.name as resident_name, r.is_protected
"""


@dataclass(frozen=True, slots=True)
class Moved:
    """Somebody who is a resident herself, out of or into the home of another."""

    id: CohabitantId
    name: str
    home_of: Person


async def move_out(
    db: Transaction, resident_id: ResidentId, ending_id: EndingId, now: datetime
) -> Sequence[Moved]:
    """Of every home where she is known as a cohabitant."""
    return [_moved(row) for row in await db.fetch(MOVE_OUT, db.tenant, resident_id, ending_id, now)]


async def move_in_again(db: Transaction, ending_id: EndingId) -> Sequence[Moved]:
    return [_moved(row) for row in await db.fetch(MOVE_IN_AGAIN, db.tenant, ending_id)]


def _moved(row: Row) -> Moved:
    home_of = Person(
        ResidentId(row["resident_id"]), row["resident_name"], is_protected=row["is_protected"]
    )
    return Moved(CohabitantId(row["id"]), row["name"], home_of)


TAKEN_OVER = """
select a.id, a.valid_from, shown_name(s) as staff_name, r.id as resident_id,
    shown_name(r) as resident_name, g.kind, g.reason
from assignment a
join staff s on s.tenant_id = a.tenant_id and s.id = a.staff_id
join resident r on r.tenant_id = a.tenant_id and r.id = a.resident_id
left join break_glass g on g.tenant_id = a.tenant_id and g.id = a.source_id
    and a.source = 'break_glass'
where a.tenant_id = $1 and r.unit_id = $2 and a.source in ('took_over', 'break_glass')
    and a.valid_from >= $3
order by a.valid_from desc, a.id
limit $4
"""


@dataclass(frozen=True, slots=True)
class TakenOver:
    """Somebody assigned herself to a resident ("Ta över"), or opened without a mission: then with
    `kind` and `reason`.
    """

    id: UUID
    at: datetime
    staff_name: str
    resident_id: ResidentId
    resident_name: str
    kind: str | None = None
    reason: str | None = None


async def taken_over(db: Transaction, unit_id: CareUnitId, since: datetime) -> Sequence[TakenOver]:
    """Newest first, at most 100."""
    rows = await db.fetch(TAKEN_OVER, db.tenant, unit_id, since, LIMIT)
    return [
        TakenOver(
            r["id"], r["valid_from"], r["staff_name"], ResidentId(r["resident_id"]),
            r["resident_name"], r["kind"], r["reason"],
        )
        for r in rows
    ]  # fmt: skip


ADD_FOLLOW_UP = """
insert into follow_up (tenant_id, id, unit_id, resident_id, kind, about_id, created_at)
values ($1, $2, $3, $4, $5, $6, $7)
on conflict (tenant_id, kind, about_id) where closed_at is null do nothing
returning id
"""
FOLLOW_UP = """
select id, unit_id, resident_id, kind, about_id, created_at, taken_by from follow_up
where tenant_id = $1 and id = $2 and closed_at is null
for update
"""
CLOSE_FOLLOW_UP = """
update follow_up set closed_at = $3, closed_by = $4, note = $5 where tenant_id = $1 and id = $2
"""
CLOSE_ABOUT = """
update follow_up set closed_at = $5, note = $4
where tenant_id = $1 and kind = $2 and about_id = any($3) and closed_at is null
returning id, unit_id, resident_id, kind, about_id, created_at, taken_by
"""
CLOSE_OF_RESIDENT = """
update follow_up set closed_at = $4, note = $3
where tenant_id = $1 and resident_id = $2 and closed_at is null
returning id, unit_id, resident_id, kind, about_id, created_at, taken_by
"""
GIVE_FOLLOW_UP = """
update follow_up set taken_by = $3, taken_at = $4
where tenant_id = $1 and id = $2 and closed_at is null
"""
FOLLOW_UPS_HELD_BY = """
select f.id, f.unit_id, f.taken_at as since, r.id as resident_id,
    shown_name(r) as resident_name
from follow_up f
join resident r on r.tenant_id = f.tenant_id and r.id = f.resident_id
where f.tenant_id = $1 and f.taken_by = $2 and f.closed_at is null
order by f.taken_at
limit $3
"""
OPEN_FOLLOW_UPS = """
select f.id, f.unit_id, f.resident_id, f.kind, f.about_id, f.created_at, f.taken_by,
    shown_name(r) as resident_name, shown_name(s) as taken_name
from follow_up f
join resident r on r.tenant_id = f.tenant_id and r.id = f.resident_id
left join staff s on s.tenant_id = f.tenant_id and s.id = f.taken_by
where f.tenant_id = $1 and f.unit_id = any($2) and f.closed_at is null
order by f.created_at
limit $3
"""


def _follow_up(row: Row) -> FollowUp:
    return FollowUp(
        FollowUpId(row["id"]), CareUnitId(row["unit_id"]), ResidentId(row["resident_id"]),
        row["kind"], row["about_id"], row["created_at"], row["taken_by"],
    )  # fmt: skip


async def add_follow_up(db: Transaction, follow_up: FollowUp) -> bool:
    """False when the same is open already."""
    found = await db.fetchval(
        ADD_FOLLOW_UP, db.tenant, follow_up.id, follow_up.unit_id, follow_up.resident_id,
        follow_up.kind, follow_up.about_id, follow_up.created_at,
    )  # fmt: skip
    return found is not None


async def hold_follow_up(db: Transaction, follow_up_id: FollowUpId) -> FollowUp | None:
    row = await db.fetchrow(FOLLOW_UP, db.tenant, follow_up_id)
    return _follow_up(row) if row else None


async def close_follow_up(
    db: Transaction, follow_up_id: FollowUpId, *, by: StaffId | None, note: str, now: datetime
) -> None:
    await db.execute(CLOSE_FOLLOW_UP, db.tenant, follow_up_id, now, by, note)


async def give_follow_up(
    db: Transaction, follow_up_id: FollowUpId, to: StaffId | None, now: datetime
) -> None:
    """Somebody has it, or (None) anybody in the unit may take it."""
    await db.execute(GIVE_FOLLOW_UP, db.tenant, follow_up_id, to, None if to is None else now)


async def follow_ups_held_by(db: Transaction, staff_id: StaffId) -> Sequence[Held]:
    """Those she has taken and not closed."""
    rows = await db.fetch(FOLLOW_UPS_HELD_BY, db.tenant, staff_id, LIMIT)
    return [held("follow_up", row) for row in rows]


async def close_about(
    db: Transaction, kind: FollowUpKind, about: Sequence[UUID], *, note: str, now: datetime
) -> Sequence[FollowUp]:
    """Close those that nobody needs to look at any more; they had no human end."""
    rows = await db.fetch(CLOSE_ABOUT, db.tenant, kind, list(about), note, now)
    return [_follow_up(row) for row in rows]


async def close_of_resident(
    db: Transaction, resident_id: ResidentId, *, note: str, now: datetime
) -> Sequence[FollowUp]:
    rows = await db.fetch(CLOSE_OF_RESIDENT, db.tenant, resident_id, note, now)
    return [_follow_up(row) for row in rows]


@dataclass(frozen=True, slots=True)
class OpenFollowUp:
    follow_up: FollowUp
    resident_name: str
    taken_name: str | None


async def open_follow_ups(db: Transaction, units: Sequence[CareUnitId]) -> Sequence[OpenFollowUp]:
    rows = await db.fetch(OPEN_FOLLOW_UPS, db.tenant, list(units), LIMIT)
    return [OpenFollowUp(_follow_up(row), row["resident_name"], row["taken_name"]) for row in rows]

"""SQL of the round page."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from telecare.nightchecks.agreement import night_begins
from telecare.nightchecks.model import Check
from telecare.nightchecks.store import LIMIT, of_row
from telecare.runtime.db import Row, Transaction
from telecare.wire.ids import CareUnitId, CheckId, ResidentId, RoundId, StaffId

LISTED = """
select c.*, shown_name(r) as resident_name, r.phone as resident_phone, r.language as language,
    coalesce(cam.place, '') as place, a.to_know, a.look_s, a.picture, a.may_speak,
    shown_given_name(s) as staff_given_name, u.phone as unit_phone, u.name as unit_name,
    last.at as last_at, last.ended_as as last_ended_as, last.given_name as last_by,
    yes.hours_from, yes.hours_until, yes.valid_until, sent.state as sent_state
from night_check c
join resident r on r.tenant_id = c.tenant_id and r.id = c.resident_id
join night_agreement a on a.tenant_id = c.tenant_id and a.id = c.agreement_id
join care_unit u on u.tenant_id = c.tenant_id and u.id = c.unit_id
left join night_camera cam on cam.tenant_id = a.tenant_id and cam.id = a.camera_id
left join staff s on s.tenant_id = c.tenant_id and s.id = c.staff_id
left join lateral (
    select p.since as at, p.ended_as, shown_given_name(ps) as given_name
    from night_check p
    left join staff ps on ps.tenant_id = p.tenant_id and ps.id = p.staff_id
    where p.tenant_id = c.tenant_id and p.resident_id = c.resident_id and p.state = 'done'
        and p.starts_at < c.starts_at
    order by p.starts_at desc
    limit 1
) as last on true
left join lateral (
    select n.decision, n.hours_from, n.hours_until, n.valid_until
    from consent n
    where n.tenant_id = c.tenant_id and n.resident_id = c.resident_id
        and n.purpose = 'camera_check' and n.cohabitant_id is null
    order by n.ordinal desc
    limit 1
) as yes on yes.decision = 'permit'
left join dispatch sent on sent.tenant_id = c.tenant_id and sent.about_id = c.id
    and sent.state <> 'done'
where c.tenant_id = $1"""
CHECKS = f"""{LISTED} and c.unit_id = any($2) and c.starts_at >= $3 and c.starts_at < $4
    and coalesce(c.called_off_for, '') <> 'agreement_changed'
order by c.starts_at, c.id
limit $5
"""
OF_CHECK = f"{LISTED} and c.id = $2 and c.staff_id = $3"
ROUNDS = """
select r.id, min(c.starts_at) as first
from night_round r
join night_check c on c.tenant_id = r.tenant_id and c.round_id = r.id
    and coalesce(c.called_off_for, '') <> 'agreement_changed'
where r.tenant_id = $1 and r.unit_id = any($2) and r.night = $3
group by r.id
order by first, r.id
"""


MISSED = """
select c.round_id, c.resident_id, c.starts_at, shown_name(r) as resident_name
from night_check c
join resident r on r.tenant_id = c.tenant_id and r.id = c.resident_id
where c.tenant_id = $1 and c.unit_id = any($2) and c.round_id = any($3)
    and (c.why = 'missed' or c.called_off_for = 'outage')
order by c.starts_at, c.id
limit $4
"""


OPEN = """
select c.*, shown_name(r) as resident_name, r.phone as resident_phone
from night_check c
join resident r on r.tenant_id = c.tenant_id and r.id = c.resident_id
where c.tenant_id = $1 and c.unit_id = any($2) and c.starts_at >= $3 and c.starts_at < $4
    and c.state not in ('dispatched', 'done', 'called_off')
order by r.priority, c.starts_at, c.id
limit $5
"""


@dataclass(frozen=True, slots=True)
class Open:
    """A check that nobody drives to and that has not ended; an empty name is protected."""

    check: Check
    resident_name: str
    resident_phone: str


@dataclass(frozen=True, slots=True)
class Missed:
    """A check nobody began in time; an empty name is protected."""

    round_id: RoundId
    resident_id: ResidentId
    starts_at: datetime
    resident_name: str


@dataclass(frozen=True, slots=True)
class Listed:
    """A check with what to know. Names are empty where protected."""

    check: Check
    resident_name: str
    resident_phone: str
    language: str
    place: str
    to_know: str
    look_s: int
    picture: str
    may_speak: bool
    staff_given_name: str | None
    unit_phone: str
    unit_name: str
    last_at: datetime | None
    last_ended_as: str | None
    last_by: str | None
    yes_hours: str
    """From and until, HH:MM; empty: at any hour."""
    valid_until: datetime | None
    has_driver: bool
    """Somebody has said that she goes there."""


@dataclass(frozen=True, slots=True)
class Round:
    id: RoundId
    first: datetime


async def checks(
    db: Transaction, units: Sequence[CareUnitId], begins: datetime, ends: datetime
) -> Sequence[Listed]:
    """At most LIMIT."""
    rows = await db.fetch(CHECKS, db.tenant, list(units), begins, ends, LIMIT)
    return [_listed(row) for row in rows]


async def of_check(db: Transaction, check_id: CheckId, staff_id: StaffId) -> Listed | None:
    """Only for whoever looks there now, or looked last."""
    row = await db.fetchrow(OF_CHECK, db.tenant, check_id, staff_id)
    return _listed(row) if row else None


async def rounds(db: Transaction, units: Sequence[CareUnitId], night: date) -> Sequence[Round]:
    """In the order of the night."""
    rows = await db.fetch(ROUNDS, db.tenant, list(units), night)
    return [Round(RoundId(row["id"]), row["first"]) for row in rows]


async def missed(
    db: Transaction, units: Sequence[CareUnitId], rounds: Sequence[UUID]
) -> Sequence[Missed]:
    """At most LIMIT, by their time."""
    rows = await db.fetch(MISSED, db.tenant, list(units), list(rounds), LIMIT)
    return [
        Missed(
            RoundId(row["round_id"]),
            ResidentId(row["resident_id"]),
            row["starts_at"],
            row["resident_name"] or "",
        )
        for row in rows
    ]


def _listed(row: Row) -> Listed:
    return Listed(
        check=of_row(row),
        resident_name=row["resident_name"] or "",
        resident_phone=row["resident_phone"],
        language=row["language"],
        place=row["place"],
        to_know=row["to_know"],
        look_s=row["look_s"],
        picture=row["picture"],
        may_speak=row["may_speak"],
        staff_given_name=row["staff_given_name"],
        unit_phone=row["unit_phone"],
        unit_name=row["unit_name"],
        last_at=row["last_at"],
        last_ended_as=row["last_ended_as"],
        last_by=row["last_by"],
        yes_hours=f"{row['hours_from']:%H:%M}\N{EN DASH}{row['hours_until']:%H:%M}"
        if row["hours_from"] is not None
        else "",
        valid_until=row["valid_until"],
        has_driver=row["sent_state"] in ("accepted", "arrived"),
    )


async def open_checks(db: Transaction, units: Sequence[CareUnitId], night: date) -> Sequence[Open]:
    """At most LIMIT, those first who are asked for first when not all can be reached."""
    begins, ends = night_begins(night), night_begins(night + timedelta(days=1))
    rows = await db.fetch(OPEN, db.tenant, list(units), begins, ends, LIMIT)
    return [Open(of_row(row), row["resident_name"], row["resident_phone"]) for row in rows]

"""SQL of alarms, what has happened with each, and records that are owed."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from uuid import UUID

from telecare.access.holding import Held, held
from telecare.alarms.model import Alarm, Closing, State
from telecare.audit.format import Document
from telecare.runtime.db import Row, Transaction
from telecare.wire.ids import AlarmId, CareUnitId, ResidentId, StaffId

LIMIT = 100

ADD = """
with added as (
    insert into alarm (tenant_id, id, lane, source, source_id, reference, resident_id, unit_id,
        chain, asked_units, trigger, device, place, priority, state, pressed_at, received_at,
        attempt)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
    on conflict (tenant_id, source, source_id, reference) do nothing
    returning id
)
insert into alarm_step (tenant_id, alarm_id, n, kind, at, unit_id)
select $1, a.id, s.n, s.kind, s.at, s.unit_id
from added a
cross join unnest($19::text[], $20::timestamptz[], $21::uuid[])
    with ordinality as s (kind, at, unit_id, n)
returning alarm_id
"""
COLUMNS = """
select id, lane, source, source_id, reference, resident_id, unit_id, chain, asked_units, trigger,
    device, place, priority, state, pressed_at, received_at, cancelled_at, taken_by, taken_at,
    lease_until, contact_at, contact, contact_with, returned_at, returned_from, returned_why,
    attempt
from alarm
"""
HOLD = f"{COLUMNS} where tenant_id = $1 and id = $2 for update"
ONE = f"{COLUMNS} where tenant_id = $1 and id = $2"
BY_IDS = f"{COLUMNS} where tenant_id = $1 and id = any($2)"
NEXT_AT = """
select due_at from timer where tenant_id = $1 and kind = $2 and subject = $3
"""
HOLD_SAID = f"""{COLUMNS}
where tenant_id = $1 and source = $2 and source_id = $3 and reference = $4 for update
"""
SAVE = """
update alarm set asked_units = $3, state = $4, cancelled_at = $5, taken_by = $6, taken_at = $7,
    lease_until = $8, contact_at = $9, contact = $10, contact_with = $11, returned_at = $12,
    returned_from = $13, returned_why = $14
where tenant_id = $1 and id = $2
"""
CLOSE = """
update alarm set closed_at = $3, closed_by = $4, pressed_by = $5, cause_id = $6, measure_id = $7,
    note = $8
where tenant_id = $1 and id = $2
"""
OPEN = """
select a.id, a.lane, a.source, a.source_id, a.reference, a.resident_id, a.unit_id, a.chain,
    a.asked_units, a.trigger, a.device, a.place, a.priority, a.state, a.pressed_at, a.received_at,
    a.cancelled_at, a.taken_by, a.taken_at, a.lease_until, a.contact_at, a.contact, a.contact_with,
    a.returned_at, a.returned_from, a.returned_why, a.attempt,
    shown_name(r) as resident_name, shown_name(t) as taken_name, shown_name(f) as returned_name,
    n.due_at as next_at
from alarm a
join resident r on r.tenant_id = a.tenant_id and r.id = a.resident_id
left join staff t on t.tenant_id = a.tenant_id and t.id = a.taken_by
left join staff f on f.tenant_id = a.tenant_id and f.id = a.returned_from
left join timer n on n.tenant_id = a.tenant_id and n.kind = $3 and n.subject = a.id
where a.tenant_id = $1 and a.state in ('new', 'taken', 'handled') and a.asked_units && $2
order by a.priority, a.received_at
limit $4
"""
TAKER = """
select case when s.is_protected then '' else s.given_name end
from alarm a
join staff s on s.tenant_id = a.tenant_id and s.id = a.taken_by
where a.tenant_id = $1 and a.id = $2
"""
IN_HOME = """
select a.id, a.state, a.cancelled_at is not null as is_cancelled, a.received_at,
    case when s.is_protected then '' else s.given_name end as given_name
from alarm a
left join staff s on s.tenant_id = a.tenant_id and s.id = a.taken_by
where a.tenant_id = $1 and a.resident_id = $2 and a.state in ('new', 'taken', 'handled')
order by a.received_at desc, a.id desc
limit 1
"""
STEP = """
insert into alarm_step (tenant_id, alarm_id, n, at, kind, staff_id, unit_id, what)
select $1, $2, coalesce(max(s.n), 0) + 1, $3, $4, $5, $6, $7
from alarm_step s
where s.tenant_id = $1 and s.alarm_id = $2
"""
STEPS = """
select s.n, s.at, s.kind, s.staff_id, shown_name(p) as staff_name, u.name as unit_name, s.what
from alarm_step s
left join staff p on p.tenant_id = s.tenant_id and p.id = s.staff_id
left join care_unit u on u.tenant_id = s.tenant_id and u.id = s.unit_id
where s.tenant_id = $1 and s.alarm_id = $2
order by s.n
limit $3
"""
HELD_BY = """
select a.id, a.unit_id, a.taken_at as since, r.id as resident_id,
    shown_name(r) as resident_name
from alarm a
join resident r on r.tenant_id = a.tenant_id and r.id = a.resident_id
where a.tenant_id = $1 and a.taken_by = $2 and a.state in ('taken', 'handled')
order by a.taken_at
limit $3
"""
FIGURES = """
select count(*) as alarms,
    count(*) filter (where w.waited <= interval '60 seconds') as within_60_s,
    count(*) filter (where w.waited <= interval '180 seconds') as within_180_s,
    count(a.attempt) as told_attempt,
    count(*) filter (where a.attempt = 1) as at_first_attempt
from alarm a
left join lateral (
    select min(s.at) - a.received_at as waited from alarm_step s
    where s.tenant_id = a.tenant_id and s.alarm_id = a.id and s.kind = 'taken'
) w on true
where a.tenant_id = $1 and a.unit_id = any($2) and a.lane = 'care' and a.received_at >= $3
    and (w.waited is not null or a.received_at < $4)
"""
OWE = """
insert into owed_record (tenant_id, id, alarm_id, what, happened_at) values ($1, $2, $3, $4, $5)
"""
OWED = """
select id, alarm_id, what, happened_at from owed_record
where tenant_id = $1 and id = $2 and entered_at is null
for update
"""
OWED_TRIED = "update owed_record set tries = tries + 1 where tenant_id = $1 and id = $2"
OWED_ENTERED = "update owed_record set entered_at = $3 where tenant_id = $1 and id = $2"
HOW_MANY_OWED = "select count(*) from owed_record where tenant_id = $1 and entered_at is null"
_NAMES = tuple(field.name for field in fields(Alarm))


def _alarm(row: Row) -> Alarm:
    values = {name: row[name] for name in _NAMES}
    values["state"] = State(row["state"])
    values["chain"], values["asked_units"] = tuple(row["chain"]), tuple(row["asked_units"])
    return Alarm(**values)


@dataclass(frozen=True, slots=True)
class Happened:
    """A step of an alarm, not yet stored."""

    kind: str
    at: datetime
    unit_id: CareUnitId | None = None


async def add(db: Transaction, alarm: Alarm, steps: Sequence[Happened]) -> bool:
    """With what has happened at once (at least one step). False when it had come before."""
    found = await db.fetchval(
        ADD, db.tenant, alarm.id, alarm.lane, alarm.source, alarm.source_id, alarm.reference,
        alarm.resident_id, alarm.unit_id, list(alarm.chain), list(alarm.asked_units),
        alarm.trigger, alarm.device, alarm.place, alarm.priority, str(alarm.state),
        alarm.pressed_at, alarm.received_at, alarm.attempt,
        [step.kind for step in steps], [step.at for step in steps],
        [step.unit_id for step in steps],
    )  # fmt: skip
    return found is not None


async def by_id(db: Transaction, alarm_id: AlarmId) -> Alarm | None:
    row = await db.fetchrow(ONE, db.tenant, alarm_id)
    return _alarm(row) if row else None


async def by_ids(db: Transaction, ids: Sequence[UUID]) -> Sequence[Alarm]:
    """Those of them that are alarms."""
    return [_alarm(row) for row in await db.fetch(BY_IDS, db.tenant, list(ids))]


async def next_at(db: Transaction, alarm_id: AlarmId, kind: str) -> datetime | None:
    """When that timer of it is due."""
    at: datetime | None = await db.fetchval(NEXT_AT, db.tenant, kind, alarm_id)
    return at


async def hold(db: Transaction, alarm_id: AlarmId) -> Alarm | None:
    row = await db.fetchrow(HOLD, db.tenant, alarm_id)
    return _alarm(row) if row else None


async def hold_said(db: Transaction, source: str, source_id: str, reference: str) -> Alarm | None:
    """The one that its sender numbers so."""
    row = await db.fetchrow(HOLD_SAID, db.tenant, source, source_id, reference)
    return _alarm(row) if row else None


async def save(db: Transaction, alarm: Alarm) -> None:
    await db.execute(
        SAVE, db.tenant, alarm.id, list(alarm.asked_units), str(alarm.state), alarm.cancelled_at,
        alarm.taken_by, alarm.taken_at, alarm.lease_until, alarm.contact_at, alarm.contact,
        alarm.contact_with, alarm.returned_at, alarm.returned_from, alarm.returned_why,
    )  # fmt: skip


async def close(
    db: Transaction, alarm_id: AlarmId, by: StaffId, closing: Closing, now: datetime
) -> None:
    await db.execute(
        CLOSE, db.tenant, alarm_id, now, by, closing.pressed_by, closing.cause_id,
        closing.measure_id, closing.note,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Listed:
    """An open alarm on a list. Names as they may be shown; `next_at`: when more is done by itself,
    while nobody has it.
    """

    alarm: Alarm
    resident_name: str
    taken_name: str | None
    returned_name: str | None
    next_at: datetime | None


async def open_in(db: Transaction, units: Sequence[CareUnitId], next_kind: str) -> Sequence[Listed]:
    """Those that any of these units is asked about; the most urgent, then the oldest, first."""
    rows = await db.fetch(OPEN, db.tenant, list(units), next_kind, LIMIT)
    return [
        Listed(
            _alarm(row), row["resident_name"], row["taken_name"], row["returned_name"],
            row["next_at"],
        )
        for row in rows
    ]  # fmt: skip


async def given_name_of_taker(db: Transaction, alarm_id: AlarmId) -> str:
    """Empty for somebody with protected identity, or nobody."""
    name: str | None = await db.fetchval(TAKER, db.tenant, alarm_id)
    return name or ""


@dataclass(frozen=True, slots=True)
class InHome:
    """Her newest open alarm, as her own screen shows it. `by`: given name of who has it."""

    id: AlarmId
    is_taken: bool
    is_cancelled: bool
    by: str


async def in_home(db: Transaction, resident_id: ResidentId) -> InHome | None:
    row = await db.fetchrow(IN_HOME, db.tenant, resident_id)
    if row is None:
        return None
    return InHome(
        AlarmId(row["id"]), row["state"] != "new", row["is_cancelled"], row["given_name"] or ""
    )


@dataclass(frozen=True, slots=True)
class Step:
    n: int
    at: datetime
    kind: str
    staff_id: StaffId | None
    staff_name: str | None
    unit_name: str | None
    what: Document


async def add_step(
    db: Transaction,
    alarm_id: AlarmId,
    kind: str,
    at: datetime,
    *,
    staff_id: StaffId | None = None,
    unit_id: CareUnitId | None = None,
    what: Document | None = None,
) -> None:
    """The caller holds the alarm."""
    text = json.dumps(what or {}, ensure_ascii=False)
    await db.execute(STEP, db.tenant, alarm_id, at, kind, staff_id, unit_id, text)


async def steps(db: Transaction, alarm_id: AlarmId) -> Sequence[Step]:
    rows = await db.fetch(STEPS, db.tenant, alarm_id, LIMIT)
    return [
        Step(
            row["n"], row["at"], row["kind"], row["staff_id"], row["staff_name"],
            row["unit_name"], json.loads(row["what"]),
        )
        for row in rows
    ]  # fmt: skip


async def held_by(db: Transaction, staff_id: StaffId) -> Sequence[Held]:
    """The alarms she has taken and not closed."""
    rows = await db.fetch(HELD_BY, db.tenant, staff_id, LIMIT)
    return [held("alarm", row) for row in rows]


@dataclass(frozen=True, slots=True)
class Owed:
    id: UUID
    alarm_id: AlarmId
    what: Document
    happened_at: datetime


async def owe(
    db: Transaction, id_: UUID, alarm_id: AlarmId, what: Document, happened_at: datetime
) -> None:
    text = json.dumps(what, ensure_ascii=False)
    await db.execute(OWE, db.tenant, id_, alarm_id, text, happened_at)


async def owed(db: Transaction, id_: UUID) -> Owed | None:
    row = await db.fetchrow(OWED, db.tenant, id_)
    if row is None:
        return None
    return Owed(row["id"], AlarmId(row["alarm_id"]), json.loads(row["what"]), row["happened_at"])


async def owed_tried(db: Transaction, id_: UUID) -> None:
    await db.execute(OWED_TRIED, db.tenant, id_)


async def owed_entered(db: Transaction, id_: UUID, now: datetime) -> None:
    await db.execute(OWED_ENTERED, db.tenant, id_, now)


@dataclass(frozen=True, slots=True)
class Figures:
    """How many alarms came, and how many were answered in time; of how many the home unit told
    which sending of it this was, and how many of these were stored at the first.
    """

    alarms: int
    within_60_s: int
    within_180_s: int
    told_attempt: int
    at_first_attempt: int


async def figures(
    db: Transaction, units: Sequence[CareUnitId], since: datetime, late_before: datetime
) -> Figures:
    """`late_before`: one that came before this and has no answer counts as late; a newer one not
    yet.
    """
    row = await db.fetchrow(FIGURES, db.tenant, list(units), since, late_before)
    assert row is not None  # noqa: S101 - a count is one row
    return Figures(
        row["alarms"], row["within_60_s"], row["within_180_s"], row["told_attempt"],
        row["at_first_attempt"],
    )  # fmt: skip


async def how_many_owed(db: Transaction) -> int:
    count: int = await db.fetchval(HOW_MANY_OWED, db.tenant)
    return count

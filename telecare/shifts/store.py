"""SQL of shifts and of handing over."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from telecare.runtime.db import Row, Transaction
from telecare.shifts.model import HandOver, HandOverState, Task
from telecare.wire.ids import CareUnitId, HandOverId, ResidentId, ShiftId, StaffId

LIMIT = 100

BEGIN = """
insert into shift (tenant_id, id, staff_id, unit_id, begun_at, tasks)
values ($1, $2, $3, $4, $5, $6)
on conflict (tenant_id, staff_id) where ended_at is null do nothing
returning id
"""
END = """
update shift set ended_at = $3 where tenant_id = $1 and staff_id = $2 and ended_at is null
returning id
"""
TASKS = """
select tasks from shift where tenant_id = $1 and staff_id = $2 and ended_at is null
"""
HOLD_ALONE = """
select id from staff where tenant_id = $1 and id = $2 for no key update
"""
ON_SHIFT = """
select s.id, shown_name(s) as name, h.unit_id, u.name as unit_name
from shift h
join staff s on s.tenant_id = h.tenant_id and s.id = h.staff_id
join care_unit u on u.tenant_id = h.tenant_id and u.id = h.unit_id
where h.tenant_id = $1 and h.ended_at is null and s.id <> $2 and s.revoked_at is null
    and (s.ends_at is null or s.ends_at > $3)
order by h.unit_id <> $4, s.name
limit $5
"""


async def begin(
    db: Transaction, shift_id: ShiftId, *, staff_id: StaffId, unit_id: CareUnitId,
    tasks: Sequence[Task], now: datetime,
) -> bool:  # fmt: skip
    """False when a shift is open already."""
    found = await db.fetchval(BEGIN, db.tenant, shift_id, staff_id, unit_id, now, list(tasks))
    return found is not None


async def end(db: Transaction, staff_id: StaffId, now: datetime) -> ShiftId | None:
    ended: ShiftId | None = await db.fetchval(END, db.tenant, staff_id, now)
    return ended


async def tasks_of(db: Transaction, staff_id: StaffId) -> Sequence[Task]:
    """What she does in the shift she is in; empty without one."""
    found: Sequence[Task] | None = await db.fetchval(TASKS, db.tenant, staff_id)
    return found or []


async def hold_alone(db: Transaction, staff_id: StaffId) -> None:
    """Nothing is taken in her name beside us until commit (what she takes locks her row too)."""
    await db.execute(HOLD_ALONE, db.tenant, staff_id)


@dataclass(frozen=True, slots=True)
class OnShift:
    id: StaffId
    name: str
    unit_id: CareUnitId
    unit_name: str


async def on_shift(
    db: Transaction, but: StaffId, first: CareUnitId, now: datetime
) -> Sequence[OnShift]:
    """Everybody on shift but one; those of unit `first` stand first."""
    rows = await db.fetch(ON_SHIFT, db.tenant, but, now, first, LIMIT)
    return [
        OnShift(StaffId(r["id"]), r["name"], CareUnitId(r["unit_id"]), r["unit_name"]) for r in rows
    ]


ASK = """
insert into hand_over (tenant_id, id, kind, about_id, resident_id, from_staff_id, from_unit_id,
    to_staff_id, to_unit_id, state, asked_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
"""
BY_ID = """
select id, kind, about_id, resident_id, from_staff_id, from_unit_id, to_staff_id, to_unit_id,
    state, asked_at, answered_at, answered_by
from hand_over
where tenant_id = $1 and id = $2
for update
"""
OPEN_ABOUT = """
select id, kind, about_id, resident_id, from_staff_id, from_unit_id, to_staff_id, to_unit_id,
    state, asked_at, answered_at, answered_by
from hand_over
where tenant_id = $1 and kind = $2 and about_id = $3
    and state in ('asked', 'declined', 'unanswered')
for update
"""
OPEN_FROM = """
select id, kind, about_id, resident_id, from_staff_id, from_unit_id, to_staff_id, to_unit_id,
    state, asked_at, answered_at, answered_by
from hand_over
where tenant_id = $1 and from_staff_id = $2 and state in ('asked', 'declined', 'unanswered')
order by id
limit $3
for update
"""
SAVE = """
update hand_over set state = $3, answered_at = $4, answered_by = $5
where tenant_id = $1 and id = $2
"""
LISTED = """
select h.id, h.kind, h.about_id, h.resident_id, h.from_staff_id, h.from_unit_id, h.to_staff_id,
    h.to_unit_id, h.state, h.asked_at, h.answered_at, h.answered_by,
    shown_name(r) as resident_name, shown_name(f) as from_name,
    case when h.to_staff_id is null then u.name else shown_name(t) end as to_name
from hand_over h
join resident r on r.tenant_id = h.tenant_id and r.id = h.resident_id
join staff f on f.tenant_id = h.tenant_id and f.id = h.from_staff_id
left join staff t on t.tenant_id = h.tenant_id and t.id = h.to_staff_id
join care_unit u on u.tenant_id = h.tenant_id and u.id = h.to_unit_id
where h.tenant_id = $1 and h.state in ('asked', 'declined', 'unanswered')"""
LISTED_IN = f"""{LISTED}
    and (h.from_unit_id = any($2) or h.to_unit_id = any($2))
order by h.asked_at, h.id
limit $3
"""
LISTED_FROM = f"""{LISTED}
    and h.from_staff_id = $2
order by h.asked_at, h.id
limit $3
"""


def _hand_over(row: Row) -> HandOver:
    return HandOver(
        id=HandOverId(row["id"]),
        kind=row["kind"],
        about_id=row["about_id"],
        resident_id=ResidentId(row["resident_id"]),
        from_staff_id=StaffId(row["from_staff_id"]),
        from_unit_id=CareUnitId(row["from_unit_id"]),
        to_staff_id=row["to_staff_id"],
        to_unit_id=CareUnitId(row["to_unit_id"]),
        state=HandOverState(row["state"]),
        asked_at=row["asked_at"],
        answered_at=row["answered_at"],
        answered_by=row["answered_by"],
    )


async def ask(db: Transaction, one: HandOver) -> None:
    await db.execute(
        ASK, db.tenant, one.id, one.kind, one.about_id, one.resident_id, one.from_staff_id,
        one.from_unit_id, one.to_staff_id, one.to_unit_id, str(one.state), one.asked_at,
    )  # fmt: skip


async def hold(db: Transaction, hand_over_id: HandOverId) -> HandOver | None:
    row = await db.fetchrow(BY_ID, db.tenant, hand_over_id)
    return _hand_over(row) if row else None


async def hold_open(db: Transaction, kind: str, about_id: UUID) -> HandOver | None:
    """The one about this thing that is still in sight."""
    row = await db.fetchrow(OPEN_ABOUT, db.tenant, kind, about_id)
    return _hand_over(row) if row else None


async def hold_open_from(db: Transaction, staff_id: StaffId) -> Sequence[HandOver]:
    return [_hand_over(r) for r in await db.fetch(OPEN_FROM, db.tenant, staff_id, LIMIT)]


async def save(db: Transaction, one: HandOver) -> None:
    await db.execute(SAVE, db.tenant, one.id, str(one.state), one.answered_at, one.answered_by)


@dataclass(frozen=True, slots=True)
class Listed:
    """`to_name`: the colleague's, or the unit's."""

    hand_over: HandOver
    resident_name: str
    from_name: str
    to_name: str


def _listed(row: Row) -> Listed:
    return Listed(_hand_over(row), row["resident_name"], row["from_name"], row["to_name"])


async def listed_in(db: Transaction, units: Sequence[CareUnitId]) -> Sequence[Listed]:
    """Those in sight that go to or come from these units."""
    return [_listed(row) for row in await db.fetch(LISTED_IN, db.tenant, list(units), LIMIT)]


async def listed_from(db: Transaction, staff_id: StaffId) -> Sequence[Listed]:
    return [_listed(row) for row in await db.fetch(LISTED_FROM, db.tenant, staff_id, LIMIT)]

"""SQL of dispatches."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from telecare.access.holding import Held, held
from telecare.dispatches.noted import Entered
from telecare.runtime.db import Row, Transaction
from telecare.wire.ids import CareUnitId, DispatchId, ResidentId, StaffId

LIMIT = 100
State = Literal["asked", "accepted", "arrived", "done"]

ADD = """
insert into dispatch (tenant_id, id, unit_id, resident_id, about_id, state, asked_at, asked_by)
values ($1, $2, $3, $4, $5, 'asked', $6, $7)
on conflict (tenant_id, about_id) where state <> 'done' do nothing
returning id
"""
HOLD = """
select id, unit_id, resident_id, state, asked_at, accepted_by, about_id, arrive_by from dispatch
where tenant_id = $1 and id = $2
for update
"""
ACCEPT = """
update dispatch set state = 'accepted', accepted_at = $3, accepted_by = $4, arrive_by = $5
where tenant_id = $1 and id = $2
"""
ARRIVE = """
update dispatch set state = 'arrived', arrived_at = $3, arrived_noted_at = $4
where tenant_id = $1 and id = $2
"""
CLOSE = """
update dispatch set state = 'done', done_at = $3, outcome = $4, done_noted_at = $5
where tenant_id = $1 and id = $2
"""
SAID = """
select arrived_at, arrived_noted_at, done_noted_at from dispatch where tenant_id = $1 and id = $2
"""
HELD_BY = """
select d.id, d.unit_id, d.accepted_at as since, r.id as resident_id,
    shown_name(r) as resident_name
from dispatch d
join resident r on r.tenant_id = d.tenant_id and r.id = d.resident_id
where d.tenant_id = $1 and d.accepted_by = $2 and d.state in ('accepted', 'arrived')
order by d.accepted_at
limit $3
"""
GIVE = """
update dispatch set state = $3, accepted_by = $4, accepted_at = $5, arrived_at = null,
    arrive_by = case when $3 = 'asked' then null else arrive_by end
where tenant_id = $1 and id = $2
"""
CLOSE_OF_RESIDENT = """
update dispatch set state = 'done', done_at = $4, outcome = $3
where tenant_id = $1 and resident_id = $2 and state <> 'done'
returning id, unit_id, resident_id, state, asked_at, accepted_by, about_id, arrive_by
"""
OPEN = """
select d.id, d.unit_id, d.resident_id, d.state, d.asked_at, d.accepted_by, d.about_id, d.arrive_by,
    shown_name(r) as resident_name, shown_name(s) as accepted_name
from dispatch d
join resident r on r.tenant_id = d.tenant_id and r.id = d.resident_id
left join staff s on s.tenant_id = d.tenant_id and s.id = d.accepted_by
where d.tenant_id = $1 and d.unit_id = any($2) and d.state <> 'done'
order by d.asked_at
limit $3
"""
TONIGHT = """
select d.id, d.unit_id, d.resident_id, d.state, d.asked_at, d.accepted_by, d.about_id, d.arrive_by,
    shown_name(r) as resident_name, shown_name(s) as accepted_name, d.arrived_at, d.done_at,
    coalesce(d.outcome, '') as outcome, r.priority,
    case when r.is_protected then '' else r.address end as address
from dispatch d
join resident r on r.tenant_id = d.tenant_id and r.id = d.resident_id
left join staff s on s.tenant_id = d.tenant_id and s.id = d.accepted_by
where d.tenant_id = $1 and d.unit_id = any($2) and (d.state <> 'done' or d.done_at >= $3)
order by d.asked_at, d.id
limit $4
"""


ON_MISSION = """
select exists (
    select from dispatch
    where tenant_id = $1 and accepted_by = $2 and resident_id = $3
        and state in ('accepted', 'arrived')
)
"""


ON_THE_WAY = """
select exists (
    select from dispatch where tenant_id = $1 and about_id = $2 and state = 'accepted'
)
"""


async def is_on_the_way(db: Transaction, about_id: UUID) -> bool:
    """Somebody has said that she goes there about this, and is not there."""
    found: bool = await db.fetchval(ON_THE_WAY, db.tenant, about_id)
    return found


async def is_on_mission(db: Transaction, staff_id: StaffId, resident_id: ResidentId) -> bool:
    """She has accepted to go to this resident and is not done."""
    found: bool = await db.fetchval(ON_MISSION, db.tenant, staff_id, resident_id)
    return found


@dataclass(frozen=True, slots=True)
class Dispatch:
    id: DispatchId
    unit_id: CareUnitId
    resident_id: ResidentId
    state: State
    asked_at: datetime
    accepted_by: StaffId | None
    about_id: UUID
    arrive_by: datetime | None = None
    """When whoever goes has promised to be there."""


@dataclass(frozen=True, slots=True)
class Said:
    """When she was there, and when her device says that she said so."""

    arrived_at: datetime | None
    arrived_noted_at: datetime | None
    done_noted_at: datetime | None


@dataclass(frozen=True, slots=True)
class OpenDispatch:
    dispatch: Dispatch
    resident_name: str
    accepted_name: str | None


@dataclass(frozen=True, slots=True)
class OfTonight:
    """As whoever drives needs it. Who is protected has neither name nor address here."""

    listed: OpenDispatch
    address: str
    arrived_at: datetime | None
    done_at: datetime | None
    outcome: str
    priority: int
    """Of the resident: 1 is asked for first when not all can be reached."""


def _dispatch(row: Row) -> Dispatch:
    return Dispatch(
        DispatchId(row["id"]), CareUnitId(row["unit_id"]), ResidentId(row["resident_id"]),
        row["state"], row["asked_at"], row["accepted_by"], row["about_id"], row["arrive_by"],
    )  # fmt: skip


async def add(db: Transaction, dispatch: Dispatch, *, by: StaffId | None) -> bool:
    """False when somebody is already asked about the same thing."""
    found = await db.fetchval(
        ADD, db.tenant, dispatch.id, dispatch.unit_id, dispatch.resident_id,
        dispatch.about_id, dispatch.asked_at, by,
    )  # fmt: skip
    return found is not None


async def hold(db: Transaction, dispatch_id: DispatchId) -> Dispatch | None:
    row = await db.fetchrow(HOLD, db.tenant, dispatch_id)
    return _dispatch(row) if row else None


async def accept(
    db: Transaction, dispatch_id: DispatchId, by: StaffId, arrive_by: datetime, now: datetime
) -> None:
    await db.execute(ACCEPT, db.tenant, dispatch_id, now, by, arrive_by)


async def arrive(db: Transaction, dispatch_id: DispatchId, entered: Entered) -> None:
    await db.execute(ARRIVE, db.tenant, dispatch_id, entered.at, entered.noted_at)


async def close(db: Transaction, dispatch_id: DispatchId, outcome: str, entered: Entered) -> None:
    await db.execute(CLOSE, db.tenant, dispatch_id, entered.at, outcome, entered.noted_at)


async def said(db: Transaction, dispatch_id: DispatchId) -> Said:
    """The dispatch is there."""
    row = await db.fetchrow(SAID, db.tenant, dispatch_id)
    assert row is not None  # noqa: S101 - held by the caller
    return Said(row["arrived_at"], row["arrived_noted_at"], row["done_noted_at"])


async def held_by(db: Transaction, staff_id: StaffId) -> Sequence[Held]:
    """The home visits she has accepted and not closed."""
    rows = await db.fetch(HELD_BY, db.tenant, staff_id, LIMIT)
    return [held("dispatch", row) for row in rows]


async def give(db: Transaction, dispatch_id: DispatchId, to: StaffId | None, now: datetime) -> None:
    """Somebody else is on her way now, or (None) it is asked for anew."""
    state = "asked" if to is None else "accepted"
    at = None if to is None else now
    await db.execute(GIVE, db.tenant, dispatch_id, state, to, at)


async def close_of_resident(
    db: Transaction, resident_id: ResidentId, outcome: str, now: datetime
) -> Sequence[Dispatch]:
    rows = await db.fetch(CLOSE_OF_RESIDENT, db.tenant, resident_id, outcome, now)
    return [_dispatch(row) for row in rows]


async def open_in(db: Transaction, units: Sequence[CareUnitId]) -> Sequence[OpenDispatch]:
    rows = await db.fetch(OPEN, db.tenant, list(units), LIMIT)
    return [OpenDispatch(_dispatch(r), r["resident_name"], r["accepted_name"]) for r in rows]


async def tonight(
    db: Transaction, units: Sequence[CareUnitId], since: datetime
) -> Sequence[OfTonight]:
    """Those that are open, and those that were done since; at most LIMIT, the oldest first."""
    rows = await db.fetch(TONIGHT, db.tenant, list(units), since, LIMIT)
    return [
        OfTonight(
            OpenDispatch(_dispatch(r), r["resident_name"], r["accepted_name"]),
            r["address"], r["arrived_at"], r["done_at"], r["outcome"], r["priority"],
        )
        for r in rows
    ]  # fmt: skip

"""SQL of checks, rounds and pauses."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from telecare.nightchecks.agreement import Modality, Substitute
from telecare.nightchecks.model import Check, CheckState, Ending
from telecare.runtime.db import Row, Transaction
from telecare.wire.ids import (
    AgreementId,
    CallId,
    CareUnitId,
    CheckId,
    ResidentId,
    RoundId,
    ShiftId,
    StaffId,
)

LIMIT = 300
"""Checks of one unit and night that a list holds."""

ADD_ROUND = "insert into night_round (tenant_id, id, unit_id, night) values ($1, $2, $3, $4)"
ROUNDS = """
select r.id, min(c.starts_at) as first, max(c.starts_at) as last
from night_round r
join night_check c on c.tenant_id = r.tenant_id and c.round_id = r.id
where r.tenant_id = $1 and r.unit_id = $2 and r.night = $3
group by r.id
order by first
"""
ADD = """
insert into night_check (tenant_id, id, agreement_id, resident_id, unit_id, round_id, starts_at,
    opens_at, closes_at, modality,
    substitute, phone_first, retry_min, state, since, staff_id, call_id, not_before, looks,
    interrupted, extended, shown_at, seen_s, last_outcome, without_camera, why, expected_by,
    again_at, ended_as, called_off_for)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20,
    $21, $22, $23, $24, $25, $26, $27, $28, $29, $30)
on conflict (tenant_id, resident_id, starts_at) where state <> 'called_off' do nothing
returning id
"""
CHECK = """
select id, agreement_id, resident_id, unit_id, round_id, starts_at, opens_at, closes_at, modality,
    substitute, phone_first, retry_min, state, since, staff_id, call_id, not_before, looks,
    interrupted, extended, shown_at, seen_s, last_outcome, without_camera, why, expected_by,
    again_at, ended_as, called_off_for
from night_check
where tenant_id = $1"""
BY_ID = f"{CHECK} and id = $2"
BY_IDS = f"{CHECK} and id = any($2)"
HOLD = f"{BY_ID} for update"
HOLD_OF_CALL = f"{CHECK} and call_id = $2 for update"
HOLD_OPEN = f"""{CHECK} and resident_id = $2 and state not in ('done', 'called_off')
order by id
for update
"""
HOLD_DUE = f"""{CHECK} and unit_id = any($2) and state = 'due' and modality = 'camera'
order by resident_id, id
for update
"""
HOLD_PLANNED = f"""{CHECK} and agreement_id = $2 and state = 'planned'
order by id
for update
"""
OF_NIGHT = f"""{CHECK} and unit_id = $2 and starts_at >= $3 and starts_at < $4
order by starts_at, id
limit $5
"""
SAVE = """
update night_check set state = $3, since = $4, staff_id = $5, call_id = $6, not_before = $7,
    looks = $8, interrupted = $9, extended = $10, shown_at = $11, seen_s = $12, last_outcome = $13,
    without_camera = $14, why = $15, expected_by = $16, ended_as = $17, called_off_for = $18,
    substitute = $19, again_at = $20
where tenant_id = $1 and id = $2
"""
PAUSE = """
insert into night_pause (tenant_id, resident_id, night, somebody_comes, said_at)
values ($1, $2, $3, $4, $5)
on conflict (tenant_id, resident_id, night) do update set somebody_comes = excluded.somebody_comes,
    said_at = excluded.said_at
"""
UNPAUSE = "delete from night_pause where tenant_id = $1 and resident_id = $2 and night = $3"
PAUSED = """
select somebody_comes from night_pause where tenant_id = $1 and resident_id = $2 and night = $3
"""

SAY_PRIVATE = """
insert into night_private_room (tenant_id, shift_id, said_at) values ($1, $2, $3)
on conflict do nothing
returning shift_id
"""
IS_PRIVATE = """
select exists (select from night_private_room where tenant_id = $1 and shift_id = $2)
"""


@dataclass(frozen=True, slots=True)
class Round:
    """The times of its first and last check, of those called off too."""

    id: RoundId
    first: datetime
    last: datetime


def of_row(row: Row) -> Check:
    return Check(
        id=CheckId(row["id"]),
        agreement_id=AgreementId(row["agreement_id"]),
        resident_id=ResidentId(row["resident_id"]),
        unit_id=CareUnitId(row["unit_id"]),
        round_id=RoundId(row["round_id"]),
        starts_at=row["starts_at"],
        opens_at=row["opens_at"],
        closes_at=row["closes_at"],
        modality=Modality(row["modality"]),
        substitute=Substitute(row["substitute"]),
        phone_first=row["phone_first"],
        retry_min=row["retry_min"],
        state=CheckState(row["state"]),
        since=row["since"],
        staff_id=StaffId(row["staff_id"]) if row["staff_id"] else None,
        call_id=CallId(row["call_id"]) if row["call_id"] else None,
        not_before=row["not_before"],
        looks=row["looks"],
        interrupted=row["interrupted"],
        extended=row["extended"],
        shown_at=row["shown_at"],
        seen_s=row["seen_s"],
        last_outcome=row["last_outcome"],
        without_camera=row["without_camera"],
        why=row["why"],
        expected_by=row["expected_by"],
        again_at=row["again_at"],
        ended_as=Ending(row["ended_as"]) if row["ended_as"] else None,
        called_off_for=row["called_off_for"],
    )


async def add_round(db: Transaction, id_: RoundId, unit_id: CareUnitId, night: date) -> None:
    await db.execute(ADD_ROUND, db.tenant, id_, unit_id, night)


async def rounds(db: Transaction, unit_id: CareUnitId, night: date) -> Sequence[Round]:
    rows = await db.fetch(ROUNDS, db.tenant, unit_id, night)
    return [Round(RoundId(row["id"]), row["first"], row["last"]) for row in rows]


async def add(db: Transaction, check: Check) -> bool:
    """False when she has a check at that time already."""
    found = await db.fetchval(
        ADD, db.tenant, check.id, check.agreement_id, check.resident_id, check.unit_id,
        check.round_id, check.starts_at, check.opens_at, check.closes_at, str(check.modality),
        str(check.substitute), check.phone_first, check.retry_min, str(check.state), check.since,
        check.staff_id, check.call_id, check.not_before, check.looks, check.interrupted,
        check.extended, check.shown_at, check.seen_s, check.last_outcome, check.without_camera,
        check.why, check.expected_by, check.again_at, check.ended_as, check.called_off_for,
    )  # fmt: skip
    return found is not None


async def by_id(db: Transaction, check_id: CheckId) -> Check | None:
    row = await db.fetchrow(BY_ID, db.tenant, check_id)
    return of_row(row) if row else None


async def by_ids(db: Transaction, ids: Sequence[UUID]) -> Sequence[Check]:
    """Those of them that are checks."""
    return [of_row(row) for row in await db.fetch(BY_IDS, db.tenant, list(ids))]


async def hold(db: Transaction, check_id: CheckId) -> Check | None:
    row = await db.fetchrow(HOLD, db.tenant, check_id)
    return of_row(row) if row else None


async def hold_of_call(db: Transaction, call_id: CallId) -> Check | None:
    """The one that is looked at through this call."""
    row = await db.fetchrow(HOLD_OF_CALL, db.tenant, call_id)
    return of_row(row) if row else None


async def hold_open(db: Transaction, resident_id: ResidentId) -> Sequence[Check]:
    """Hers that are not over."""
    return [of_row(row) for row in await db.fetch(HOLD_OPEN, db.tenant, resident_id)]


async def hold_due(db: Transaction, units: Sequence[CareUnitId]) -> Sequence[Check]:
    """Looks whose time has come and that nobody has begun."""
    return [of_row(row) for row in await db.fetch(HOLD_DUE, db.tenant, list(units))]


async def hold_planned(db: Transaction, agreement_id: AgreementId) -> Sequence[Check]:
    """Those of an agreement whose time has not come."""
    return [of_row(row) for row in await db.fetch(HOLD_PLANNED, db.tenant, agreement_id)]


async def of_night(
    db: Transaction, unit_id: CareUnitId, begins: datetime, ends: datetime
) -> Sequence[Check]:
    """At most LIMIT, by their time."""
    rows = await db.fetch(OF_NIGHT, db.tenant, unit_id, begins, ends, LIMIT)
    return [of_row(row) for row in rows]


async def save(db: Transaction, check: Check) -> None:
    await db.execute(
        SAVE, db.tenant, check.id, str(check.state), check.since, check.staff_id, check.call_id,
        check.not_before, check.looks, check.interrupted, check.extended, check.shown_at,
        check.seen_s, check.last_outcome, check.without_camera, check.why, check.expected_by,
        check.ended_as, check.called_off_for, str(check.substitute), check.again_at,
    )  # fmt: skip


async def pause(
    db: Transaction, resident_id: ResidentId, night: date, now: datetime, *, somebody_comes: bool
) -> None:
    await db.execute(PAUSE, db.tenant, resident_id, night, somebody_comes, now)


async def unpause(db: Transaction, resident_id: ResidentId, night: date) -> None:
    await db.execute(UNPAUSE, db.tenant, resident_id, night)


async def paused(db: Transaction, resident_id: ResidentId, night: date) -> bool | None:
    """Whether somebody comes instead; None: that night is not paused."""
    found: bool | None = await db.fetchval(PAUSED, db.tenant, resident_id, night)
    return found


async def say_private(db: Transaction, shift_id: ShiftId, now: datetime) -> bool:
    """False when she has said so before in this shift."""
    return await db.fetchval(SAY_PRIVATE, db.tenant, shift_id, now) is not None


async def is_private(db: Transaction, shift_id: ShiftId) -> bool:
    found: bool = await db.fetchval(IS_PRIVATE, db.tenant, shift_id)
    return found

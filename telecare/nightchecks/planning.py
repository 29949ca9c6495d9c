"""Checks of a night made from the agreements, never from the cameras: a camera that is gone makes a
check without a camera, not no check.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from telecare.access.service import unit_topic
from telecare.audit.actions import Action
from telecare.audit.append import append
from telecare.audit.format import Document
from telecare.audit.model import Person, Record, SystemActor
from telecare.consent import store as consent_store
from telecare.consent.model import Hours, Purpose
from telecare.nightchecks import agreements_store, store
from telecare.nightchecks.agreement import Agreement, Planned, joins, occurrences
from telecare.nightchecks.model import Check, CheckState
from telecare.people.service import known
from telecare.runtime.db import Transaction
from telecare.runtime.timers import set_timer
from telecare.wire.ids import CareUnitId, CheckId, ResidentId, RoundId, new_row_id

STEP = "night.check"
"""A check's deadline."""
PLAN = "night.plan"
"""A unit's next night."""
SYSTEM = SystemActor("night timer")
CATCHES_UP = timedelta(days=2)
"""How far back nights are made that nothing of ours was running to make."""


async def plan_night(
    db: Transaction, unit_id: CareUnitId, night: date, now: datetime
) -> Sequence[Check]:
    """Whatever the agreements in force ask for and is not there yet; idempotent."""
    wanted: list[tuple[Agreement, Planned]] = []
    for agreement in await agreements_store.of_unit(db, unit_id):
        hours = await _hours(db, agreement.resident_id)
        wanted += [(agreement, one) for one in occurrences(agreement, night, hours)]
    return await _add(db, unit_id, night, wanted, now)


async def plan_agreement(
    db: Transaction, agreement: Agreement, night: date, now: datetime
) -> Sequence[Check]:
    """What of a new agreement still lies ahead in a night that is planned already."""
    hours = await _hours(db, agreement.resident_id)
    ahead = [
        (agreement, one)
        for one in occurrences(agreement, night, hours)
        if one.window.closes_at > now
    ]
    return await _add(db, agreement.unit_id, night, ahead, now)


async def _add(
    db: Transaction, unit_id: CareUnitId, night: date,
    wanted: Sequence[tuple[Agreement, Planned]], now: datetime,
) -> Sequence[Check]:  # fmt: skip
    rounds = [
        store.Round(one.id, one.first, one.last) for one in await store.rounds(db, unit_id, night)
    ]
    made: list[Check] = []
    for agreement, one in sorted(wanted, key=lambda each: each[1].starts_at):
        at = one.starts_at
        its = next((r for r in rounds if joins(at, r.first, r.last)), None)
        if its is None:
            its = store.Round(RoundId(new_row_id(now)), at, at)
            await store.add_round(db, its.id, unit_id, night)
            rounds.append(its)
        rounds[rounds.index(its)] = store.Round(its.id, min(its.first, at), max(its.last, at))
        check = _check(agreement, one, its.id, now)
        somebody_comes = await store.paused(db, agreement.resident_id, night)
        if somebody_comes is not None:
            check = check.pause(somebody_comes=somebody_comes, now=now)
        if await store.add(db, check):
            await set_timer(db, STEP, check.id, max(check.opens_at, now))
            made.append(check)
    if made:
        db.changed(unit_topic(unit_id))
        await _record(db, unit_id, night, made)
    return made


def _check(agreement: Agreement, one: Planned, round_id: RoundId, now: datetime) -> Check:
    return Check(
        id=CheckId(new_row_id(now)),
        agreement_id=agreement.id,
        resident_id=agreement.resident_id,
        unit_id=agreement.unit_id,
        round_id=round_id,
        starts_at=one.starts_at,
        opens_at=one.window.opens_at,
        closes_at=one.window.closes_at,
        modality=one.modality,
        substitute=agreement.substitute,
        phone_first=agreement.phone_first,
        retry_min=agreement.retry_min,
        state=CheckState.PLANNED,
        since=now,
    )


async def _hours(db: Transaction, resident_id: ResidentId) -> Sequence[Hours]:
    """The hours of each yes to the camera that stands."""
    newest = await consent_store.newest(db, resident_id, Purpose.CAMERA_CHECK)
    return [c.hours for c in newest if c.decision == "permit" and c.hours is not None]


async def _record(db: Transaction, unit_id: CareUnitId, night: date, made: Sequence[Check]) -> None:
    residents = {check.resident_id for check in made}
    persons: list[Person] = [(await known(db, id_)).person for id_ in sorted(residents)]
    what: Document = {
        "check_ids": [str(check.id) for check in made],
        "night": night.isoformat(),
        "unit_id": str(unit_id),
    }
    await append(db, Record(Action.ROUND_PLANNED, SYSTEM, persons, what))

"""An alarm is put to one unit after another of its chain, until somebody takes it."""

from datetime import datetime

from telecare.access.service import unit_topic
from telecare.alarms import chain_store, store
from telecare.alarms.model import ASK_NEXT_AFTER, Alarm, State
from telecare.alarms.receiving import receivers
from telecare.audit.actions import Action
from telecare.audit.append import append
from telecare.audit.format import Document
from telecare.audit.model import Record, SystemActor
from telecare.people.service import known, resident_topic
from telecare.runtime import outbox
from telecare.runtime.db import Transaction
from telecare.runtime.timers import set_timer
from telecare.wire.ids import AlarmId, CareUnitId

NEXT = "alarm.ask_next"
CENTRE = "alarm_centre"
"""The outbox's channel to alarm centres."""


async def ask(db: Transaction, alarm: Alarm, unit: CareUnitId, now: datetime) -> None:
    """A unit where nobody would hear it is passed over at once (fails loud). An alarm centre is
    rung as well, and has the same time to answer.
    """
    await store.add_step(db, alarm.id, "asked", now, unit_id=unit)
    is_rung = await _ring(db, alarm, unit, now)
    if is_rung or await receivers(db, unit, now):
        await set_timer(db, NEXT, alarm.id, now + ASK_NEXT_AFTER)
    else:
        await store.add_step(db, alarm.id, "nobody_receives", now, unit_id=unit)
        await set_timer(db, NEXT, alarm.id, now)


async def _ring(db: Transaction, alarm: Alarm, unit: CareUnitId, now: datetime) -> bool:
    """Nothing in it is about anybody. False where this unit is no centre."""
    if await chain_store.centre(db, unit) is None:
        return False
    letter = {
        "alarm_id": str(alarm.id),
        "since": alarm.received_at.isoformat(),
        "unit_id": str(unit),
    }
    await outbox.put(db, CENTRE, f"{alarm.id}/{unit}", letter, now)
    return True


async def centre_answered(
    db: Transaction, alarm_id: AlarmId, unit: CareUnitId, now: datetime
) -> None:
    """The centre has the alarm before it: it has its time to take it."""
    alarm = await store.hold(db, alarm_id)
    if alarm is None or alarm.state is not State.NEW:
        return
    await store.add_step(db, alarm.id, "centre_answered", now, unit_id=unit)
    if alarm.asked_units[-1] == unit:
        await set_timer(db, NEXT, alarm.id, now + ASK_NEXT_AFTER)
    tell(db, alarm)
    resident = await known(db, alarm.resident_id)
    what: Document = {"alarm_id": str(alarm.id), "unit_id": str(unit)}
    actor = SystemActor("alarm centre")
    await append(db, Record(Action.ALARM_CENTRE_ANSWERED, actor, [resident.person], what))


def tell(db: Transaction, alarm: Alarm) -> None:
    """Whoever is asked, and her own screens."""
    for unit in alarm.asked_units:
        db.changed(unit_topic(unit))
    db.changed(resident_topic(alarm.resident_id))

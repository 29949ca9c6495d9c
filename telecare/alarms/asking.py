"""An alarm is put to one unit after another of its chain, until somebody takes it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from telecare.alarms import chain_store, store
from telecare.alarms.model import ASK_NEXT_AFTER, Alarm, State
from telecare.alarms.receiving import receivers
from telecare.alarms.store import Happened
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


@dataclass(frozen=True, slots=True)
class Asked:
    """A unit is asked. An alarm centre is rung as well, and has the same time to answer; a unit
    where nobody would hear it is passed over at once (fails loud).
    """

    unit: CareUnitId
    at: datetime
    is_centre: bool
    is_heard: bool

    @property
    def steps(self) -> Sequence[Happened]:
        asked = Happened("asked", self.at, self.unit)
        if self.is_heard:
            return [asked]
        return [asked, Happened("nobody_receives", self.at, self.unit)]

    @property
    def next_at(self) -> datetime:
        """When it is the next unit's turn."""
        return self.at + ASK_NEXT_AFTER if self.is_heard else self.at


async def asked(db: Transaction, unit: CareUnitId, now: datetime) -> Asked:
    is_centre = await chain_store.centre(db, unit) is not None
    is_heard = is_centre or bool(await receivers(db, unit, now))
    return Asked(unit, now, is_centre, is_heard)


async def ask_next(db: Transaction, alarm: Alarm, unit: CareUnitId, now: datetime) -> None:
    """One more unit; the caller has saved that it is."""
    turn = await asked(db, unit, now)
    for step in turn.steps:
        await store.add_step(db, alarm.id, step.kind, step.at, unit_id=step.unit_id)
    await ring(db, alarm, turn)
    await set_timer(db, NEXT, alarm.id, turn.next_at)


async def ring(db: Transaction, alarm: Alarm, turn: Asked) -> None:
    """Where the unit is a centre. Nothing in the letter is about anybody."""
    if not turn.is_centre:
        return
    letter = {
        "alarm_id": str(alarm.id),
        "since": alarm.received_at.isoformat(),
        "unit_id": str(turn.unit),
    }
    await outbox.put(db, CENTRE, f"{alarm.id}/{turn.unit}", letter, turn.at)


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


def alarms_topic(unit_id: UUID) -> str:
    """The alarms on the day's list of a care unit, which need not wait for the rest of it."""
    return f"alarms:{unit_id}"


def tell(db: Transaction, alarm: Alarm) -> None:
    """Whoever is asked, and her own screens."""
    for unit in alarm.asked_units:
        db.changed(alarms_topic(unit))
    db.changed(resident_topic(alarm.resident_id))

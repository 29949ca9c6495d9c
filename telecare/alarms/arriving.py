"""An alarm comes in. It is stored even when its record cannot be: then the record is owed, and
entered later with its true time. No other action has this right (architecture §1.4).
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from telecare.access.service import unit_topic
from telecare.alarms import store
from telecare.alarms.asking import NEXT, asked, ring, tell
from telecare.alarms.chain import chain_of
from telecare.alarms.model import (
    DEVIATION_AFTER,
    ENDS,
    Alarm,
    Source,
    State,
    pressed_at,
    priority_of,
)
from telecare.alarms.store import Happened
from telecare.audit.actions import Action
from telecare.audit.append import append
from telecare.audit.format import Document
from telecare.audit.model import Actor, AlarmUnitActor, HomeActor, Person, Record, SystemActor
from telecare.devices import store as device_store
from telecare.devices.model import Unit
from telecare.devices.outgoing import Addressee, to_unit
from telecare.people.service import known
from telecare.runtime.clock import Clock
from telecare.runtime.db import Database, RefusedByDatabase, Transaction
from telecare.runtime.timers import Due, set_timer, set_timers
from telecare.wire import edge, topics
from telecare.wire.ids import (
    AlarmId,
    AlarmUnitId,
    CareUnitId,
    EndpointId,
    ResidentId,
    TenantId,
    new_row_id,
)

log = logging.getLogger(__name__)

UNANSWERED = "alarm.unanswered"
OWED = "alarm.record_owed"
OWED_AGAIN = timedelta(seconds=10)
TIMER = SystemActor("alarm timer")

InHome = HomeActor | AlarmUnitActor
"""What in a home an alarm comes from."""


class Arrivals:
    """`database`: a pool of its own; pages that are slow to read must not delay an alarm."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def take_in(
        self, tenant: TenantId, said: Sequence[tuple[Unit, edge.UnitAlarm]]
    ) -> Sequence[tuple[Unit, edge.UnitAlarm]]:
        """What the homes of one municipality say, in one transaction; those that are stored now,
        or were before. What is not among them comes again by itself.

        Raises DatabaseUnavailable.
        """
        now = self._clock.now()
        done: list[tuple[Unit, edge.UnitAlarm]] = []
        async with self._database.transaction(tenant) as db:
            for unit, event in said:
                match event:
                    case edge.AlarmRaised():
                        await raised(db, unit, event, now)
                        done.append((unit, event))
                    case edge.AlarmCancelled():
                        if await cancelled(db, unit, event, now):
                            done.append((unit, event))
        return done


@dataclass(frozen=True, slots=True)
class Said:
    """An alarm as what is in the home tells of it; `reference`: what its source numbers it by."""

    source: Source
    source_id: str
    reference: str
    resident_id: ResidentId
    trigger: str
    pressed_at: datetime
    device: str = ""
    place: str = ""
    is_test: bool = False
    attempt: int | None = None


async def raised(db: Transaction, unit: Unit, event: edge.AlarmRaised, now: datetime) -> None:
    """From a home unit."""
    said = Said(
        source="unit",
        source_id=unit.id,
        reference=_reference(event.boot, event.seq),
        resident_id=unit.resident_id,
        trigger=event.trigger,
        pressed_at=pressed_at(event.occurred_at, clock_ok=event.clock_ok, received_at=now),
        device=event.device,
        place=event.place,
        is_test=event.is_test,
        attempt=event.attempt,
    )
    await _arrive(db, said, unit.actor, now)


async def raised_on_tv(db: Transaction, actor: HomeActor, press: UUID, now: datetime) -> None:
    """On the TV's own page; `press` makes a repeat the same alarm."""
    said = Said(
        source="tv",
        source_id=str(actor.endpoint_id),
        reference=str(press),
        resident_id=actor.resident_id,
        trigger="screen",
        pressed_at=now,
    )
    await _arrive(db, said, actor, now)


@dataclass(frozen=True, slots=True)
class FromAlarmUnit:
    """An alarm of another maker's unit. `reference`: what no other message of any unit has."""

    source: Source
    alarm_unit_id: AlarmUnitId
    resident_id: ResidentId
    reference: str
    trigger: str
    device: str
    place: str
    is_test: bool


async def raised_by_alarm_unit(db: Transaction, said: FromAlarmUnit, now: datetime) -> AlarmId:
    """Whether it is a repeat was asked before."""
    alarm = Said(
        source=said.source,
        source_id=str(said.alarm_unit_id),
        reference=said.reference,
        resident_id=said.resident_id,
        trigger=said.trigger,
        pressed_at=now,
        device=said.device,
        place=said.place,
        is_test=said.is_test,
    )
    actor = AlarmUnitActor(said.alarm_unit_id, said.resident_id)
    return await _arrive(db, alarm, actor, now)


async def _arrive(db: Transaction, said: Said, actor: InHome, now: datetime) -> AlarmId:
    """Stored once, with the chain as it is now and the timers that ask on by themselves."""
    resident = await known(db, said.resident_id)
    alarm = _new(said, resident.unit_id, await chain_of(db, resident.id, now), now)
    turn = await asked(db, alarm.asked_units[0], now) if alarm.state is State.NEW else None
    steps = [Happened("pressed", alarm.pressed_at), Happened("stored", now)]
    if not await store.add(db, alarm, [*steps, *turn.steps] if turn else steps):
        await _tell_again(db, alarm)
        return alarm.id
    action = Action.ALARM_TESTED
    if turn is not None:
        action = Action.ALARM_RAISED
        await ring(db, alarm, turn)
        due_at = {NEXT: turn.next_at, UNANSWERED: now + DEVIATION_AFTER}
        await set_timers(db, alarm.id, due_at)
    tell(db, alarm)
    what: Document = {
        "alarm_id": str(alarm.id),
        "device": alarm.device,
        "place": alarm.place,
        "pressed_at": alarm.pressed_at.isoformat(),
        "trigger": alarm.trigger,
        alarm.source: alarm.source_id,
    }
    await _enter(db, alarm, Record(action, actor, [resident.person], what), now)
    return alarm.id


def _new(said: Said, unit_id: CareUnitId, chain: tuple[CareUnitId, ...], now: datetime) -> Alarm:
    return Alarm(
        id=AlarmId(new_row_id(now)),
        lane="test" if said.is_test else "care",
        source=said.source,
        source_id=said.source_id,
        reference=said.reference,
        resident_id=said.resident_id,
        unit_id=unit_id,
        chain=chain,
        asked_units=chain[:1],
        trigger=said.trigger,
        device=said.device,
        place=said.place,
        priority=priority_of(said.trigger),
        state=State.TESTED if said.is_test else State.NEW,
        pressed_at=said.pressed_at,
        received_at=now,
        attempt=said.attempt,
    )


async def cancelled(db: Transaction, unit: Unit, event: edge.AlarmCancelled, now: datetime) -> bool:
    """ "Jag tryckte fel". False when the alarm itself has not come yet."""
    alarm = await store.hold_said(db, "unit", unit.id, _reference(event.boot, event.alarm))
    if alarm is None:
        return False
    await mark_cancelled(db, alarm, unit.actor, now)
    return True


async def mark_cancelled(db: Transaction, alarm: Alarm, actor: InHome, now: datetime) -> None:
    """The caller holds the alarm. Somebody still asks how she is."""
    marked = alarm.cancel(now)
    if marked == alarm:
        return
    await store.save(db, marked)
    step = "withdrawn" if isinstance(actor, AlarmUnitActor) else "cancelled"
    await store.add_step(db, alarm.id, step, now)
    tell(db, marked)
    resident = await known(db, alarm.resident_id)
    what: Document = {"alarm_id": str(alarm.id)}
    record = Record(Action.ALARM_CANCELLED, actor, [resident.person], what)
    await _enter(db, alarm, record, now)


async def enter_owed(db: Transaction, due: Due, now: datetime) -> None:
    """A record that could not be entered when its alarm came (a timer)."""
    owed = await store.owed(db, due.subject)
    alarm = await store.hold(db, owed.alarm_id) if owed else None
    if owed is None or alarm is None:
        return
    resident = await known(db, alarm.resident_id)
    record = _of_document(owed.what, resident.person, owed.happened_at)
    try:
        async with db.savepoint():
            await append(db, record)
    except RefusedByDatabase:
        await store.owed_tried(db, owed.id)
        await set_timer(db, OWED, owed.id, now + OWED_AGAIN)
        log.exception("record of an alarm is still owed")
        return
    await store.owed_entered(db, owed.id, now)
    db.changed(unit_topic(alarm.unit_id))


async def tell_home(
    db: Transaction, alarm: Alarm, state: Literal["waiting", "taken", "closed"], by: str = ""
) -> None:
    """The unit where it was pressed. Lost, it is said again when the unit asks."""
    if alarm.source != "unit":
        return
    boot, _, seq = alarm.reference.partition("/")
    message = edge.AlarmIs(boot=UUID(boot), seq=int(seq), state=state, by=by)
    for endpoint in await device_store.endpoints(db, alarm.resident_id):
        if endpoint.unit_id == alarm.source_id and endpoint.mac_key is not None:
            to = Addressee(endpoint.unit_id, endpoint.mac_key)
            db.after_commit(to_unit(to, topics.Down.ALARM, message))


async def _tell_again(db: Transaction, said: Alarm) -> None:
    """It came before; its unit may have missed what became of it."""
    alarm = await store.hold_said(db, said.source, said.source_id, said.reference)
    if alarm is None or alarm.state is State.TESTED:
        return
    state: Literal["waiting", "taken", "closed"] = "waiting"
    by = ""
    if alarm.state in ENDS:
        state = "closed"
    elif alarm.state is not State.NEW:
        state, by = "taken", await store.given_name_of_taker(db, alarm.id)
    await tell_home(db, alarm, state, by)


def _reference(boot: UUID, seq: int) -> str:
    return f"{boot}/{seq}"


async def _enter(db: Transaction, alarm: Alarm, record: Record, now: datetime) -> None:
    """The record, or a debt. Raises what ends the connection itself."""
    try:
        async with db.savepoint():
            await append(db, record)
    except RefusedByDatabase:
        log.exception("record of an alarm is owed")
        id_ = new_row_id(now)
        await store.owe(db, id_, alarm.id, _document(record), now)
        await set_timer(db, OWED, id_, now + OWED_AGAIN)
        db.changed(unit_topic(alarm.unit_id))


def _document(record: Record) -> Document:
    device, its_id = _of_home(record.actor)
    return {
        "action": str(record.action),
        "device": device,
        "endpoint_id": str(its_id),
        "what": dict(record.what),
    }


def _of_home(actor: Actor) -> tuple[str, UUID]:
    match actor:
        case HomeActor():
            return actor.device, actor.endpoint_id
        case AlarmUnitActor():
            return "alarm_unit", actor.alarm_unit_id
    raise AssertionError  # alarms come from homes


def _of_document(owed: Document, person: Person, happened_at: datetime) -> Record:
    its_id = UUID(str(owed["endpoint_id"]))
    actor: InHome
    if owed["device"] == "alarm_unit":
        actor = AlarmUnitActor(AlarmUnitId(its_id), person.id)
    else:
        device: Literal["tv", "unit"] = "tv" if owed["device"] == "tv" else "unit"
        actor = HomeActor(EndpointId(its_id), device, person.id)
    what = owed["what"]
    assert isinstance(what, dict)  # noqa: S101 - as `_document` wrote it
    more: Document = {"happened_at": happened_at.isoformat(), "written_afterwards": True}
    return Record(Action(str(owed["action"])), actor, [person], {**what, **more})

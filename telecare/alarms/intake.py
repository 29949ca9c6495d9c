"""What other makers' units send, stored; what this returns from is committed.

Nothing an alarm can be is dropped: what no registered unit has proven to be its own is stored too,
and shown to the municipality whose receiver took it (fails loud).
"""

import hashlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import assert_never
from uuid import UUID

from telecare.alarms import alarm_units_store, arriving, intake_store, store
from telecare.alarms.alarm_units import profile_of
from telecare.alarms.alarm_units_store import AlarmUnit
from telecare.alarms.arriving import FromAlarmUnit, raised_by_alarm_unit
from telecare.alarms.asking import tell
from telecare.alarms.intake_store import Became
from telecare.alarms.model import ENDS, NO_VOICE_AFTER
from telecare.alarms.receivers.arrived import Answer, Arrived, Claim, Profile, Refused
from telecare.alarms.unit_trouble import follow, heard, show_unknown
from telecare.audit.model import AlarmUnitActor
from telecare.devices import store as device_store
from telecare.devices.store import Reject
from telecare.runtime.clock import Clock
from telecare.runtime.db import Database, Transaction
from telecare.runtime.sealing import SealBroken, Sealer
from telecare.runtime.texts import text
from telecare.runtime.timers import Due, set_timer
from telecare.wire.ids import AlarmId, TenantId, new_row_id

log = logging.getLogger(__name__)

NO_VOICE = "alarm.no_voice"


@dataclass(frozen=True, slots=True)
class Whose:
    """Whose each receiver is, by its port's name or by the name a unit addressed; and the URIs that
    each municipality's units are to call.
    """

    ports: Mapping[str, TenantId]
    domains: Mapping[str, TenantId] = field(default_factory=dict)
    exchanges: Mapping[TenantId, tuple[str, ...]] = field(default_factory=dict)

    def tenant(self, claim: Claim) -> TenantId:
        return self.domains.get(claim.domain) or self.ports[claim.receiver]


class Intake:
    """The desk behind every receiver (receivers/arrived.py)."""

    def __init__(self, database: Database, clock: Clock, sealer: Sealer, whose: Whose) -> None:
        self._database = database
        self._clock = clock
        self._sealer = sealer
        self._whose = whose

    async def look_up(self, claim: Claim) -> Profile | None:
        """Read anew each time: a unit that is closed is out with the commit. One whose secret
        cannot be opened is nobody we know, so that what it sends is shown (fails loud).
        """
        async with self._database.transaction(self._whose.tenant(claim)) as db:
            unit = await alarm_units_store.open_unit(db, claim.protocol, claim.account)
        if unit is None:
            return None
        try:
            return profile_of(unit, self._sealer)
        except SealBroken:
            log.exception("secret of an alarm unit cannot be opened")
            return None

    async def receive(self, arrived: Arrived) -> Answer:
        now = self._clock.now()
        tenant = self._whose.tenant(arrived.claim)
        async with self._database.transaction(tenant) as db:
            await intake_store.hold_account(db, arrived)
            unit = await _proven(db, arrived)
            is_repeat = await _take(db, arrived, unit, now)
        return Answer(unit is not None, is_repeat, self._whose.exchanges.get(tenant, ()))

    async def refuse(self, refused: Refused) -> None:
        """Kept as a digest, like what a home unit sends and nobody can read. A registered unit that
        says such things is to be seen to: it may have been an alarm.
        """
        now = self._clock.now()
        topic = f"{refused.protocol}/{refused.receiver}/{refused.account}"
        digest = hashlib.sha256(refused.payload).digest()
        async with self._database.transaction(self._whose.ports[refused.receiver]) as db:
            await device_store.reject(db, [Reject(topic, refused.reason, digest)], now)
            unit = await alarm_units_store.open_unit(db, refused.protocol, refused.account)
            if unit is not None:
                await follow(db, "fault", unit, "", now)
        log.warning("message from another maker's unit refused", extra={"reason": refused.reason})


async def no_voice(db: Transaction, due: Due, now: datetime) -> None:
    """Nobody has said that she spoke with the resident, a minute after the unit was to call (a
    timer).
    """
    alarm = await store.hold(db, AlarmId(due.subject))
    if alarm is None or alarm.state in ENDS or alarm.contact_at is not None:
        return
    await store.add_step(db, alarm.id, "no_voice", now)
    tell(db, alarm)


async def _take(db: Transaction, arrived: Arrived, unit: AlarmUnit | None, now: datetime) -> bool:
    """Whether it had come before."""
    if unit is not None:
        await heard(db, unit, now)
    if arrived.kind == "heartbeat":
        return False
    unit_id = unit.id if unit else None
    if await intake_store.came_before(db, arrived, unit_id, now):
        return True
    message_id = new_row_id(now)
    if unit is not None:
        became = await _carry_out(db, arrived, unit, message_id, now)
    else:
        became = Became(technical_alarm_id=await show_unknown(db, arrived, now))
    await intake_store.add(db, message_id, arrived, unit_id, became, now)
    return False


async def _carry_out(
    db: Transaction, arrived: Arrived, unit: AlarmUnit, message_id: UUID, now: datetime
) -> Became:
    match arrived.kind:
        case "alarm" | "test":
            return Became(alarm_id=await _raise(db, arrived, unit, message_id, now))
        case "cancel":
            await _withdraw(db, unit, now)
        case "technical":
            fault = arrived.fault or "fault"
            return Became(technical_alarm_id=await follow(db, fault, unit, arrived.device, now))
        case "information" | "heartbeat":
            pass
        case _:
            assert_never(arrived.kind)
    return Became()


async def _raise(
    db: Transaction, arrived: Arrived, unit: AlarmUnit, message_id: UUID, now: datetime
) -> AlarmId:
    said = FromAlarmUnit(
        source=unit.protocol,
        alarm_unit_id=unit.id,
        resident_id=unit.resident_id,
        reference=str(message_id),
        trigger=arrived.trigger,
        device=arrived.device,
        place=_place(arrived, unit),
        is_test=arrived.kind == "test",
    )
    alarm_id = await raised_by_alarm_unit(db, said, now)
    if arrived.voice is not None:
        await set_timer(db, NO_VOICE, alarm_id, now + NO_VOICE_AFTER)
    return alarm_id


async def _withdraw(db: Transaction, unit: AlarmUnit, now: datetime) -> None:
    """All that the unit has raised is marked; somebody still asks how she is."""
    for alarm_id in await intake_store.open_alarms(db, unit.protocol, unit.id):
        if alarm := await store.hold(db, alarm_id):
            actor = AlarmUnitActor(unit.id, alarm.resident_id)
            await arriving.mark_cancelled(db, alarm, actor, now)


def _place(arrived: Arrived, unit: AlarmUnit) -> str:
    """In the unit's own words, else the room it gave a code of, else where it was registered."""
    room = text("sv", f"alarm.room.{arrived.room}") if arrived.room else ""
    return arrived.place or room or unit.place


async def _proven(db: Transaction, arrived: Arrived) -> AlarmUnit | None:
    """The unit that has proven itself, and has not been closed since."""
    if not arrived.is_proven:
        return None
    claim = arrived.claim
    return await alarm_units_store.open_unit(db, claim.protocol, claim.account)

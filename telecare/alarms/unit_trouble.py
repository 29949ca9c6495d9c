"""What other makers' units have the technical queue show: alarms of senders that nobody knows,
faults that a registered unit tells of itself, and its silence.
"""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from telecare.access.service import unit_topic
from telecare.alarms import alarm_units_store, intake_store
from telecare.alarms.alarm_units import expect_sign
from telecare.alarms.alarm_units_store import AlarmUnit
from telecare.alarms.receivers.arrived import NEVER_LOST, Arrived, Fault
from telecare.alarms.technical import store as technical_store
from telecare.alarms.technical.model import Kind, NewTechnical
from telecare.alarms.technical.service import raise_unknown_sender
from telecare.audit.actions import Action
from telecare.audit.append import append
from telecare.audit.format import Document
from telecare.audit.model import Actor, AlarmUnitActor, Record, SystemActor
from telecare.people.service import known
from telecare.runtime.db import Transaction
from telecare.runtime.timers import Due
from telecare.wire.ids import AlarmUnitId, new_row_id

RECEIVER = SystemActor("receiver")
TIMER = SystemActor("alarm unit timer")
MAX_DETAIL = 200
NAMES = {"scaip": "SCAIP", "dc09": "SIA DC-09"}
BEGINS: Mapping[Fault, Kind] = {
    "battery_low": "unit_battery",
    "battery_failed": "unit_battery",
    "mains_lost": "unit_mains",
    "line_lost": "unit_line",
    "radio_lost": "unit_line",
    "tamper": "unit_cover",
    "fault": "unit_fault",
}
ENDS: Mapping[Fault, Kind] = {
    "battery_ok": "unit_battery",
    "mains_back": "unit_mains",
    "line_back": "unit_line",
    "radio_back": "unit_line",
}


async def show_unknown(db: Transaction, arrived: Arrived, now: datetime) -> UUID | None:
    """Once for each account while somebody has still to see to it. Each message has its record:
    whoever asks afterwards what became of three presses finds three.
    """
    if arrived.kind not in NEVER_LOST:
        return None
    claim = arrived.claim
    id_ = await intake_store.shown_unknown(db, claim.protocol, claim.account)
    if id_ is None:
        id_ = await _raise_unknown(db, arrived, now)
    what: Document = {
        "account": claim.account,
        "device": arrived.device,
        "kind": arrived.kind,
        "place": arrived.place,
        "protocol": claim.protocol,
        "receiver": claim.receiver,
        "technical_alarm_id": str(id_),
    }
    await append(db, Record(Action.ALARM_UNPROVEN, RECEIVER, what=what))
    return id_


async def _raise_unknown(db: Transaction, arrived: Arrived, now: datetime) -> UUID:
    claim = arrived.claim
    words = (f"{NAMES[claim.protocol]} {claim.account}", arrived.device, arrived.place)
    detail = ", ".join(word for word in words if word)[:MAX_DETAIL]
    id_ = await raise_unknown_sender(db, detail, now)
    what: Document = {"kind": "unknown_sender", "technical_alarm_id": str(id_)}
    await append(db, Record(Action.TECHNICAL_RAISED, RECEIVER, what=what))
    return id_


async def follow(
    db: Transaction, fault: Fault, unit: AlarmUnit, device: str, now: datetime
) -> UUID | None:
    """Begun or over, as the unit says; what is told of already is not told of again."""
    actor = AlarmUnitActor(unit.id, unit.resident_id)
    if fault in ENDS:
        return await _end(db, ENDS[fault], unit, actor, now)
    return await _begin(db, BEGINS[fault], unit, actor, now, detail=device)


async def heard(db: Transaction, unit: AlarmUnit, now: datetime) -> None:
    """It has said something, whatever it was."""
    await alarm_units_store.seen(db, unit.id, now)
    if unit.signs_every is not None:
        await expect_sign(db, unit, now)
    await _end(db, "unit_silent", unit, AlarmUnitActor(unit.id, unit.resident_id), now)


async def fell_silent(db: Transaction, due: Due, now: datetime) -> None:
    """It has said nothing for as long as it was set up to (a timer)."""
    unit = await alarm_units_store.hold(db, AlarmUnitId(due.subject))
    if unit is not None and unit.signs_every is not None:
        since = due.due_at - unit.signs_every
        await _begin(db, "unit_silent", unit, TIMER, now, since=since)


async def _begin(
    db: Transaction, kind: Kind, unit: AlarmUnit, actor: Actor, now: datetime, *,
    detail: str = "", since: datetime | None = None,
) -> UUID:  # fmt: skip
    shown = await intake_store.shown_trouble(db, kind, unit.resident_id, unit.account)
    if shown is not None:
        return shown
    resident = await known(db, unit.resident_id)
    id_ = new_row_id(now)
    new = NewTechnical(
        kind, None, resident.id, resident.unit_id, since or now, device=unit.account, detail=detail
    )
    await technical_store.add(db, id_, new, now)
    told: Document = {"device": unit.account, "kind": kind, "technical_alarm_id": str(id_)}
    await append(db, Record(Action.TECHNICAL_RAISED, actor, [resident.person], told))
    db.changed(unit_topic(resident.unit_id))
    return id_


async def _end(
    db: Transaction, kind: Kind, unit: AlarmUnit, actor: Actor, now: datetime
) -> UUID | None:
    ended = await intake_store.end_trouble(db, kind, unit.resident_id, unit.account, now)
    if ended is not None:
        resident = await known(db, unit.resident_id)
        what: Document = {"kind": kind, "technical_alarm_id": str(ended)}
        await append(db, Record(Action.TECHNICAL_ENDED, actor, [resident.person], what))
        db.changed(unit_topic(resident.unit_id))
    return ended

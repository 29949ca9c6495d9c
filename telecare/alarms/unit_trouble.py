"""What other makers' units have the technical queue show: alarms of senders that nobody knows, and
faults that a registered unit tells of itself.
"""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from telecare.access.service import unit_topic
from telecare.alarms import intake_store
from telecare.alarms.alarm_units_store import AlarmUnit
from telecare.alarms.receivers.arrived import NEVER_LOST, Arrived, Fault
from telecare.alarms.technical import store as technical_store
from telecare.alarms.technical.model import Kind, NewTechnical
from telecare.alarms.technical.service import raise_unknown_sender
from telecare.audit.actions import Action
from telecare.audit.append import append
from telecare.audit.format import Document
from telecare.audit.model import AlarmUnitActor, Record, SystemActor
from telecare.people.service import known
from telecare.runtime.db import Transaction
from telecare.wire.ids import new_row_id

RECEIVER = SystemActor("receiver")
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
    resident = await known(db, unit.resident_id)
    actor = AlarmUnitActor(unit.id, resident.id)
    if fault in ENDS:
        kind = ENDS[fault]
        ended = await intake_store.end_trouble(db, kind, resident.id, unit.account, now)
        if ended is not None:
            what: Document = {"kind": kind, "technical_alarm_id": str(ended)}
            await append(db, Record(Action.TECHNICAL_ENDED, actor, [resident.person], what))
            db.changed(unit_topic(resident.unit_id))
        return ended
    kind = BEGINS[fault]
    shown = await intake_store.shown_trouble(db, kind, resident.id, unit.account)
    if shown is not None:
        return shown
    id_ = new_row_id(now)
    new = NewTechnical(
        kind, None, resident.id, resident.unit_id, now, device=unit.account, detail=device
    )
    await technical_store.add(db, id_, new, now)
    told: Document = {"device": unit.account, "kind": kind, "technical_alarm_id": str(id_)}
    await append(db, Record(Action.TECHNICAL_RAISED, actor, [resident.person], told))
    db.changed(unit_topic(resident.unit_id))
    return id_

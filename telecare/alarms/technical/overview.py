"""Enheter: every home's devices, what must be seen to first, and asking somebody to do it."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum

from telecare.access.errors import NotPermitted
from telecare.access.model import Permission, StaffSession
from telecare.access.service import list_read, require, stays, units_seen
from telecare.alarms.technical import overview_store as store
from telecare.alarms.technical.model import LOW_BATTERY, Kind
from telecare.alarms.technical.overview_store import AlarmUnitDevice, Device, Tried
from telecare.audit.actions import Action
from telecare.audit.append import Kept
from telecare.audit.model import actor_text, refused
from telecare.devices.model import UNIT_LEASE
from telecare.people.service import known, make_follow_up
from telecare.runtime.clock import Clock
from telecare.runtime.db import Database, Transaction
from telecare.runtime.errors import NotFound
from telecare.wire.errors import Code
from telecare.wire.ids import AlarmUnitId, EndpointId

SILENCE_WITHIN = timedelta(days=30)
TEST_EVERY = timedelta(days=31)
"""A home whose alarm nobody has tried, or used, for longer is late."""
REMEMBERS = timedelta(days=400)
NEVER = Tried(None, None)
FAULTS: frozenset[Kind] = frozenset({"unit_mains", "unit_line", "unit_cover", "unit_fault"})
"""Of another maker's unit: somebody should go there."""


class Need(IntEnum):
    """What must be done about a device; the most urgent first."""

    SILENT = 0
    FAULT = 1
    BATTERY = 2
    TEST = 3
    NOTHING = 4


@dataclass(frozen=True, slots=True)
class Health:
    """`is_here`: None when nobody knows how often it says something; `weak`: other devices of that
    home with low batteries, and their percent.
    """

    device: Device | AlarmUnitDevice
    need: Need
    is_here: bool | None
    tried: Tried
    longest_silence: timedelta | None
    weak: Sequence[tuple[str, str]]


class Overview:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def listed(self, session: StaffSession) -> Sequence[Health]:
        """Of her unit and those it covers now; what must be seen to stands first. A read of the
        list, recorded once in 15 min. Raises NotPermitted.
        """
        now = self._clock.now()
        async with self._by(session) as db:
            require(db, session, Permission.WORK, Action.LIST_READ)
            units = await units_seen(db, session, now)
            devices = await store.devices(db, units)
            others = await store.alarm_units(db, units, now - SILENCE_WITHIN, now)
            ids = [one.id for one in devices]
            everything: Sequence[Device | AlarmUnitDevice] = [*devices, *others]
            sources = [source for one in everything if (source := _source(one))]
            tried = await store.tried(db, sources, now - REMEMBERS)
            silences = await store.silences(db, ids, now - SILENCE_WITHIN, now)
            weak = await store.weak(db, ids)
            named = {one.resident_id: one.resident_name for one in everything}
            await list_read(db, session, "devices", units, named, now)
        found = []
        for one in devices:
            last = tried.get(_source(one), NEVER)
            is_here = one.seen_at is not None and now - one.seen_at < UNIT_LEASE
            need = _need(one, last, weak.get(one.id, ()), is_here=is_here, now=now)
            found.append(
                Health(one, need, is_here, last, silences.get(one.id), weak.get(one.id, ()))
            )
        found += [_of_alarm_unit(one, tried.get(_source(one), NEVER), now) for one in others]
        return sorted(found, key=lambda health: health.need)

    async def ask_for(self, session: StaffSession, device_id: EndpointId | AlarmUnitId) -> None:
        """A task of the unit: see to this device. Asking again changes nothing.

        Raises NotFound, NotPermitted.
        """
        now = self._clock.now()
        async with self._by(session) as db:
            await stays(db, session, Action.FOLLOW_UP_MADE, now)
            resident_id = await store.resident_of(db, device_id)
            if resident_id is None:
                raise NotFound
            resident = await known(db, resident_id)
            if resident.unit_id not in await units_seen(db, session, now):
                tried = Action.FOLLOW_UP_MADE
                record = refused(Code.NOT_PERMITTED, tried, session.actor, [resident.person], {})
                raise NotPermitted(Kept(record))
            await make_follow_up(
                db,
                "mend_device",
                resident,
                unit_id=resident.unit_id,
                about_id=device_id,
                actor=session.actor,
                now=now,
            )

    def _by(self, session: StaffSession) -> AbstractAsyncContextManager[Transaction]:
        return self._database.transaction(session.tenant, actor_text(session.actor))


def _need(
    device: Device, tried: Tried, weak: Sequence[tuple[str, str]], *, is_here: bool, now: datetime
) -> Need:
    """A TV is put out at night: its silence asks for nothing, nor does it raise alarms alone."""
    if device.kind == "tv":
        return Need.NOTHING
    if not is_here:
        return Need.SILENT
    low = device.battery_percent is not None and device.battery_percent <= LOW_BATTERY
    if weak or low:
        return Need.BATTERY
    return _need_of_test(tried, now)


def _of_alarm_unit(device: AlarmUnitDevice, tried: Tried, now: datetime) -> Health:
    """What it has not told of itself nobody knows: its silence asks for somebody only when it is
    known how often it says something.
    """
    is_here = None
    if device.signs_every is not None:
        is_here = device.seen_at is not None and now - device.seen_at <= device.signs_every
    need = _need_of_test(tried, now)
    if is_here is False:
        need = Need.SILENT
    elif any(kind in FAULTS for kind in device.troubles):
        need = Need.FAULT
    elif "unit_battery" in device.troubles:
        need = Need.BATTERY
    return Health(device, need, is_here, tried, device.longest_silence, ())


def _need_of_test(tried: Tried, now: datetime) -> Need:
    last = max((at for at in (tried.tested_at, tried.alarmed_at) if at), default=None)
    return Need.NOTHING if last and now - last <= TEST_EVERY else Need.TEST


def _source(device: Device | AlarmUnitDevice) -> str:
    """What its alarms say that they come from; '' of a TV."""
    if isinstance(device, AlarmUnitDevice):
        return str(device.id)
    return device.home_unit_id or ""

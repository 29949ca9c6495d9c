"""Technical alarms: raised by what homes say or stop saying, ended by themselves where they can be.

A person who cannot raise an alarm does not know it: a silent unit is told of within 45 s (P3).
"""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from uuid import UUID

from telecare.access import store as access_store
from telecare.access.errors import NotPermitted
from telecare.access.model import Permission, StaffSession
from telecare.access.service import stays, unit_topic
from telecare.alarms.technical import store
from telecare.alarms.technical.model import (
    BATTERY_FINE,
    LOW_BATTERY,
    OUTAGE_WITHIN,
    Kind,
    NewTechnical,
    Technical,
    TechnicalClosed,
    outage_among,
)
from telecare.audit.actions import Action
from telecare.audit.append import Kept, append, append_all
from telecare.audit.format import Document
from telecare.audit.model import Actor, Person, Record, SystemActor, actor_text, refused
from telecare.devices.model import UNIT_LEASE, Unit, UnitHeard
from telecare.people.model import Resident
from telecare.people.service import known
from telecare.runtime.clock import STOCKHOLM, Clock
from telecare.runtime.db import Database, Transaction
from telecare.runtime.errors import DatabaseUnavailable, NotFound
from telecare.wire import edge
from telecare.wire.errors import Code
from telecare.wire.ids import CareUnitId, EndpointId, TenantId, new_row_id

LOOK_EVERY = timedelta(seconds=4)
ACTOR = SystemActor("technical alarms")
BY_THEMSELVES: tuple[Kind, ...] = ("offline", "battery", "mains", "cover", "dropped")
FOLLOWED = (edge.BatteryLevel, edge.CoverChanged, edge.EventsDropped)
"""Events that may raise or end one."""


class TechnicalAlarms:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._hears_since: datetime | None = None
        self._looked_at: datetime | None = None

    # --- raised and ended by what homes say -----------------------------------------------------

    async def look_for_silent(self, *, hears: bool) -> None:
        """`hears`: the line to the broker stands. What a process that was deaf itself for a while
        (no broker, no database, frozen) has not heard is nobody's silence.
        """
        now = self._clock.now()
        if not self._has_heard_long(now, hears=hears):
            return
        try:
            async with self._database.across_tenants() as db:
                found = await store.silent(db, now - UNIT_LEASE)
                again = await store.heard_again(db)
            for tenant, endpoints in found:
                await self._lost(tenant, endpoints, now - UNIT_LEASE)
            for tenant, endpoints in again:
                await self._found(tenant, endpoints)
        except DatabaseUnavailable:
            self._hears_since = None
            raise

    def _has_heard_long(self, now: datetime, *, hears: bool) -> bool:
        was_away = self._looked_at is None or now - self._looked_at > 3 * LOOK_EVERY
        self._looked_at = now
        if not hears:
            self._hears_since = None
            return False
        if was_away or self._hears_since is None:
            self._hears_since = now
        return now - self._hears_since >= UNIT_LEASE

    async def _lost(
        self, tenant: TenantId, endpoints: Sequence[EndpointId], before: datetime
    ) -> None:
        now = self._clock.now()
        async with self._database.transaction(tenant) as db:
            records: list[Record] = []
            for new in await store.still_silent(db, endpoints, before):
                records += await _raise(db, new, now)
            records += await self._join(db, now)
            await append_all(db, records)

    async def _found(self, tenant: TenantId, endpoints: Sequence[EndpointId]) -> None:
        now = self._clock.now()
        async with self._database.transaction(tenant) as db:
            records: list[Record] = []
            for endpoint_id in endpoints:
                resident = await known(db, await store.home_of(db, endpoint_id))
                records += await self._end(db, endpoint_id, ["offline"], resident, now, device="")
            await append_all(db, records)

    async def _join(self, db: Transaction, now: datetime) -> Sequence[Record]:
        """Five lost together are one thing to see to, and so is what is lost to it later."""
        lost = list(await store.just_lost(db, now - OUTAGE_WITHIN - UNIT_LEASE))
        for outage_id, shares, name in await store.ongoing(db):
            joining = [one for one in lost if one.common(shares) == name]
            await store.join_outage(db, outage_id, [one.id for one in joining])
            lost = [one for one in lost if one not in joining]
        records = []
        while found := outage_among(lost):
            outage_id = new_row_id(now)
            began_at = min(one.began_at for one in found.members)
            await store.add_outage(db, outage_id, found.shares, found.name, began_at)
            await store.join_outage(db, outage_id, [one.id for one in found.members])
            lost = [one for one in lost if one not in found.members]
            what: Document = {
                "name": found.name,
                "outage_id": str(outage_id),
                "shares": found.shares,
                "units": len(found.members),
            }
            records.append(Record(Action.OUTAGE_BEGAN, ACTOR, what=what))
        return records

    async def heard(self, db: Transaction, event: UnitHeard) -> None:
        """A unit's news: it is there, on this much battery, with or without mains."""
        status, now = event.status, event.at
        over: list[Kind] = ["offline"]
        if status.mains is True:
            over.append("mains")
        if status.battery_percent is not None and status.battery_percent >= BATTERY_FINE:
            over.append("battery")
        resident = await known(db, event.resident_id)
        records = list(await self._end(db, event.endpoint_id, over, resident, now, device=""))
        news: list[NewTechnical] = []
        if status.mains is False:
            news.append(_of_home("mains", event.endpoint_id, resident, now))
        if status.battery_percent is not None and status.battery_percent <= LOW_BATTERY:
            detail = str(status.battery_percent)
            news.append(_of_home("battery", event.endpoint_id, resident, now, detail=detail))
        for new in news:
            records += await _raise(db, new, now)
        await append_all(db, records)

    async def reported(self, unit: Unit, event: edge.UnitEvent) -> None:
        """An event that has been stored: a device's battery, the cover, what was given up."""
        if not isinstance(event, FOLLOWED):
            return
        now = self._clock.now()
        async with self._database.transaction(unit.tenant, actor_text(unit.actor)) as db:
            resident = await known(db, unit.resident_id)
            records: Sequence[Record] = []
            of_home = unit.endpoint_id, resident
            match event:
                case edge.BatteryLevel() if event.percent <= LOW_BATTERY:
                    new = _of_home("battery", *of_home, now, event.device, str(event.percent))
                    records = await _raise(db, new, now)
                case edge.BatteryLevel() if event.percent >= BATTERY_FINE:
                    records = await self._end(
                        db, unit.endpoint_id, ["battery"], resident, now, device=event.device
                    )
                case edge.CoverChanged() if event.is_open:
                    records = await _raise(db, _of_home("cover", *of_home, now), now)
                case edge.EventsDropped():
                    new = _of_home("dropped", *of_home, now, detail=str(event.count))
                    records = await _raise(db, new, now)
            await append_all(db, records)

    async def end_of(self, db: Transaction, endpoint_id: EndpointId, now: datetime) -> None:
        """The device is closed: nobody needs to see to it."""
        for one in await store.end(db, endpoint_id, BY_THEMSELVES, now):
            await _tell(db, one.unit_id, one.outage_id)

    async def _end(
        self, db: Transaction, endpoint_id: EndpointId, kinds: Sequence[Kind], resident: Resident,
        now: datetime, *, device: str,
    ) -> Sequence[Record]:  # fmt: skip
        records = []
        for one in await store.end(db, endpoint_id, kinds, now, device=device):
            await _tell(db, one.unit_id, one.outage_id)
            if one.was_open:
                what: Document = {"kind": one.kind, "technical_alarm_id": str(one.id)}
                records.append(Record(Action.TECHNICAL_ENDED, ACTOR, [resident.person], what))
            if one.outage_id and await store.end_outage(db, one.outage_id, now):
                over: Document = {"outage_id": str(one.outage_id)}
                records.append(Record(Action.OUTAGE_ENDED, ACTOR, what=over))
        return records

    # --- by staff -----------------------------------------------------------------------------

    async def take(self, session: StaffSession, id_: UUID) -> None:
        """ "Jag tar det". Raises NotFound, NotPermitted, TechnicalClosed."""
        now = self._clock.now()
        async with self._by(session) as db:
            await stays(db, session, Action.TECHNICAL_TAKEN, now)
            found = await self._held(db, session, id_, Action.TECHNICAL_TAKEN, now)
            if found.taken_by not in (None, session.staff.id):
                raise TechnicalClosed
            if found.taken_by is not None:
                return
            await store.take(db, id_, session.staff.id, now)
            await self._record(db, session.actor, Action.TECHNICAL_TAKEN, found)

    async def close(self, session: StaffSession, id_: UUID, note: str) -> None:
        """ "Klar". A silent unit that somebody has seen to is told of again only after it has been
        heard. Raises NotFound, NotPermitted, TechnicalClosed.
        """
        now = self._clock.now()
        async with self._by(session) as db:
            await stays(db, session, Action.TECHNICAL_CLOSED, now)
            found = await self._held(db, session, id_, Action.TECHNICAL_CLOSED, now)
            await store.close(db, id_, session.staff.id, note, now)
            await self._record(db, session.actor, Action.TECHNICAL_CLOSED, found, note=note)

    async def take_outage(self, session: StaffSession, outage_id: UUID) -> None:
        """ "Jag tar det". Raises NotFound, NotPermitted, TechnicalClosed."""
        now = self._clock.now()
        async with self._by(session) as db:
            await stays(db, session, Action.OUTAGE_TAKEN, now)
            found = await store.hold_outage(db, outage_id)
            units = await store.units_in(db, outage_id)
            if found is None:
                raise NotFound
            await self._may(db, session, units, Action.OUTAGE_TAKEN, [], now)
            taken_by, is_open = found
            if taken_by == session.staff.id:
                return
            if taken_by is not None or not is_open:
                raise TechnicalClosed
            await store.take_outage(db, outage_id, session.staff.id, now)
            for unit in units:
                db.changed(unit_topic(unit))
            what: Document = {"outage_id": str(outage_id)}
            await append(db, Record(Action.OUTAGE_TAKEN, session.actor, what=what))

    # --- parts --------------------------------------------------------------------------------

    def _by(self, session: StaffSession) -> AbstractAsyncContextManager[Transaction]:
        return self._database.transaction(session.tenant, actor_text(session.actor))

    async def _held(
        self, db: Transaction, session: StaffSession, id_: UUID, tried: Action, now: datetime
    ) -> Technical:
        found = await store.hold(db, id_)
        if found is None:
            raise NotFound
        units = [found.unit_id] if found.unit_id else []
        await self._may(db, session, units, tried, await _persons(db, found), now)
        if not found.is_open:
            raise TechnicalClosed
        return found

    async def _may(
        self, db: Transaction, session: StaffSession, units: Sequence[CareUnitId], tried: Action,
        persons: Sequence[Person], now: datetime,
    ) -> None:  # fmt: skip
        """One who takes alarms, in such a unit or one that covers it; of nobody's unit, any."""
        local = now.astimezone(STOCKHOLM)
        if session.staff.may(Permission.ALARM):
            works_in = session.staff.works_in
            if not units:
                return
            for unit in units:
                if await access_store.covers(db, works_in, unit, local=local):
                    return
        raise NotPermitted(
            Kept(refused(Code.NOT_PERMITTED, tried, session.actor, list(persons), {}))
        )

    async def _record(
        self, db: Transaction, actor: Actor, action: Action, found: Technical, **more: str
    ) -> None:
        await _tell(db, found.unit_id)
        what: Document = {"kind": found.kind, "technical_alarm_id": str(found.id), **more}
        await append(db, Record(action, actor, await _persons(db, found), what))


async def raise_unknown_sender(db: Transaction, detail: str, now: datetime) -> UUID:
    """An alarm came from a unit that nobody has registered: every unit of the municipality sees it
    until somebody closes it. The record is the caller's.
    """
    new = NewTechnical("unknown_sender", None, None, None, now, detail=detail)
    id_ = new_row_id(now)
    await store.add(db, id_, new, now)
    await _tell(db, None)
    return id_


def _of_home(
    kind: Kind, endpoint_id: EndpointId, resident: Resident, now: datetime, device: str = "",
    detail: str = "",
) -> NewTechnical:  # fmt: skip
    return NewTechnical(kind, endpoint_id, resident.id, resident.unit_id, now, device, detail)


async def _raise(db: Transaction, new: NewTechnical, now: datetime) -> Sequence[Record]:
    """Once while it lasts."""
    id_ = new_row_id(now)
    if not await store.add(db, id_, new, now):
        return []
    await _tell(db, new.unit_id)
    persons = [(await known(db, new.resident_id)).person] if new.resident_id else []
    what: Document = {
        "detail": new.detail,
        "device": new.device,
        "kind": new.kind,
        "since": new.began_at.isoformat(),
        "technical_alarm_id": str(id_),
    }
    return [Record(Action.TECHNICAL_RAISED, ACTOR, persons, what)]


async def _persons(db: Transaction, found: Technical) -> Sequence[Person]:
    return [(await known(db, found.resident_id)).person] if found.resident_id else []


async def _tell(db: Transaction, unit_id: CareUnitId | None, outage_id: UUID | None = None) -> None:
    units = [unit_id] if unit_id else [unit.id for unit in await access_store.units(db)]
    if outage_id is not None:
        units += await store.units_in(db, outage_id)
    for unit in units:
        db.changed(unit_topic(unit))

"""Keeping providers (utförare), care units, and which unit covers which at what hours."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import time

from telecare.access import store, units_store
from telecare.access.model import CareUnit, Permission, StaffSession
from telecare.access.service import require, unit_topic
from telecare.access.units_store import Cover, KeptUnit, Provider
from telecare.audit.actions import Action
from telecare.audit.append import append
from telecare.audit.format import Document
from telecare.audit.model import Record, actor_text
from telecare.runtime.clock import Clock
from telecare.runtime.db import Database, Transaction
from telecare.runtime.errors import FieldInvalid, NotFound
from telecare.wire.ids import CareUnitId, ProviderId, new_row_id


@dataclass(frozen=True, slots=True)
class UnitDetails:
    """`next_unit_id`: who is asked when nobody here answers."""

    name: str
    phone: str
    provider_id: ProviderId
    next_unit_id: CareUnitId | None


@dataclass(frozen=True, slots=True)
class Register:
    """Everything there is; a municipality has few."""

    providers: Sequence[Provider]
    units: Sequence[KeptUnit]
    covers: Sequence[Cover]


class CareUnits:
    """Use cases of those who keep the units. All raise NotPermitted without CONFIGURE."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def register(self, session: StaffSession) -> Register:
        async with self._begun(session) as db:
            return Register(
                await units_store.providers(db),
                await units_store.units(db),
                await units_store.covers(db),
            )

    async def add_provider(self, session: StaffSession, name: str) -> None:
        provider = ProviderId(new_row_id(self._clock.now()))
        async with self._begun(session) as db:
            require(db, session, Permission.CONFIGURE, Action.PROVIDER_ADDED)
            await store.add_provider(db, provider, name)
            what: Document = {"name": name, "provider_id": str(provider)}
            await append(db, Record(Action.PROVIDER_ADDED, session.actor, what=what))

    async def add(self, session: StaffSession, details: UnitDetails) -> None:
        """Raises FieldInvalid."""
        unit_id = CareUnitId(new_row_id(self._clock.now()))
        async with self._begun(session) as db:
            require(db, session, Permission.CONFIGURE, Action.UNIT_ADDED)
            await self._check(db, details, unit_id)
            unit = CareUnit(unit_id, details.name, details.phone, details.next_unit_id)
            await store.add_unit(db, unit, details.provider_id)
            await self._record(db, session, Action.UNIT_ADDED, unit_id, details)

    async def change(
        self, session: StaffSession, unit_id: CareUnitId, details: UnitDetails
    ) -> None:
        """Raises NotFound, FieldInvalid."""
        async with self._begun(session) as db:
            require(db, session, Permission.CONFIGURE, Action.UNIT_CHANGED)
            await self._check(db, details, unit_id)
            changed = KeptUnit(
                unit_id, details.name, details.phone, details.next_unit_id,
                details.provider_id, "",
            )  # fmt: skip
            if not await units_store.change_unit(db, changed):
                raise NotFound
            db.changed(unit_topic(unit_id))
            await self._record(db, session, Action.UNIT_CHANGED, unit_id, details)

    async def cover(
        self,
        session: StaffSession,
        unit_id: CareUnitId,
        covers: CareUnitId,
        *,
        hours: tuple[time, time],
    ) -> None:
        """`hours`: local, from and until; until before from is past midnight.

        Raises NotFound, FieldInvalid.
        """
        async with self._begun(session) as db:
            require(db, session, Permission.CONFIGURE, Action.UNIT_CHANGED)
            known = {unit.id for unit in await store.units(db)}
            if unit_id not in known:
                raise NotFound
            if covers not in known or covers == unit_id:
                raise FieldInvalid("covers")
            if hours[0] == hours[1]:
                raise FieldInvalid("until")
            await units_store.cover(db, Cover(unit_id, covers, "", *hours))
            db.changed(unit_topic(unit_id))
            what: Document = {
                "covers": str(covers),
                "from": hours[0].isoformat(),
                "unit_id": str(unit_id),
                "until": hours[1].isoformat(),
            }
            await append(db, Record(Action.UNIT_CHANGED, session.actor, what=what))

    async def uncover(self, session: StaffSession, unit_id: CareUnitId, covers: CareUnitId) -> None:
        """Raises NotFound."""
        async with self._begun(session) as db:
            require(db, session, Permission.CONFIGURE, Action.UNIT_CHANGED)
            if not await units_store.uncover(db, unit_id, covers):
                raise NotFound
            db.changed(unit_topic(unit_id))
            what: Document = {"covers_no_more": str(covers), "unit_id": str(unit_id)}
            await append(db, Record(Action.UNIT_CHANGED, session.actor, what=what))

    def _begun(self, session: StaffSession) -> AbstractAsyncContextManager[Transaction]:
        return self._database.transaction(session.tenant, actor_text(session.actor))

    async def _check(self, db: Transaction, details: UnitDetails, unit_id: CareUnitId) -> None:
        if details.provider_id not in {p.id for p in await units_store.providers(db)}:
            raise FieldInvalid("provider_id")
        following = details.next_unit_id
        if following is not None and (
            following == unit_id or await store.unit(db, following) is None
        ):
            raise FieldInvalid("next_unit_id")

    async def _record(
        self,
        db: Transaction,
        session: StaffSession,
        action: Action,
        unit_id: CareUnitId,
        details: UnitDetails,
    ) -> None:
        what: Document = {
            "name": details.name,
            "next_unit_id": str(details.next_unit_id) if details.next_unit_id else None,
            "phone": details.phone,
            "provider_id": str(details.provider_id),
            "unit_id": str(unit_id),
        }
        await append(db, Record(action, session.actor, what=what))

"""Keeping the register: residents, who lives with them, who is near them, who stands for them."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, fields, replace
from datetime import date, datetime
from uuid import UUID

from telecare.access import store as access_store
from telecare.access.model import Permission, StaffSession
from telecare.access.service import React, is_new_read, require_in, unit_topic
from telecare.audit.actions import Action
from telecare.audit.append import append
from telecare.audit.format import Document, Value
from telecare.audit.model import Person, Record, StaffActor, actor_text
from telecare.people import keeping_store, store
from telecare.people.model import (
    Cohabitant,
    CohabitantMovedIn,
    Hearing,
    Priority,
    Relative,
    Representative,
    Resident,
    ResidentRegistered,
    Scale,
)
from telecare.people.national_id import (
    NationalId,
    NationalIdKeyMissing,
    NationalIdTaken,
    digest_of,
    read_national_id,
)
from telecare.people.service import (
    known,
    on_mission,
    register,
    register_cohabitant,
    resident_topic,
    without_address,
)
from telecare.runtime.clock import STOCKHOLM, Clock
from telecare.runtime.db import Database, Transaction
from telecare.runtime.errors import FieldInvalid, NotFound, TelecareError
from telecare.runtime.sealing import Sealer
from telecare.wire.errors import Code
from telecare.wire.ids import (
    CareUnitId,
    CohabitantId,
    ResidentId,
    TenantId,
    new_row_id,
)
from telecare.wire.signalling import Language


class EndBeforeStart(TelecareError):
    """The last day lies before the first."""

    status = 422
    code = Code.END_BEFORE_START


@dataclass(frozen=True, slots=True)
class Details:
    """What is kept of a resident. `national_id` as typed; None leaves the one that is kept."""

    name: str
    given_name: str
    unit_id: CareUnitId
    language: Language
    address: str
    phone: str
    hearing: Hearing
    to_know: tuple[str, ...]
    priority: Priority
    is_protected: bool
    national_id: str | None
    scale_percent: Scale = 100
    """Of everything on her TV."""


@dataclass(frozen=True, slots=True)
class Card:
    """A resident as those who keep the register see her."""

    resident: Resident
    national_id: str | None
    cohabitants: Sequence[Cohabitant]
    relatives: Sequence[Relative]
    representatives: Sequence[Representative]
    has_address: bool
    """Of somebody protected `resident` tells no address; that there is one may be known."""
    key_note_since: datetime | None
    """When it was noted how one gets in; what it says is for whoever goes there alone."""


class Keeping:
    """Use cases of those with REGISTER in her unit; all raise NotPermitted for others."""

    def __init__(
        self, database: Database, clock: Clock, react: React, sealer: Sealer | None
    ) -> None:
        self._database = database
        self._clock = clock
        self._react = react
        self._sealer = sealer

    async def listed(self, session: StaffSession) -> Sequence[keeping_store.Listed]:
        """Of the units whose register she keeps, at most 1000; a read, recorded once in 15 min."""
        now = self._clock.now()
        units = session.staff.units_of(Permission.REGISTER)
        async with self._begun(session) as db:
            found = await keeping_store.listed(db, units)
            if found and await is_new_read(db, session, "register", units[0], now):
                persons = [Person(row.id, row.name, is_protected=row.is_protected) for row in found]
                what: Document = {"list": "register", "units": [str(unit) for unit in units]}
                await append(db, Record(Action.LIST_READ, session.actor, persons, what))
        return found

    async def card(self, session: StaffSession, resident_id: ResidentId) -> Card:
        """A read of her, recorded. Raises NotFound, NotPermitted."""
        now = self._clock.now()
        async with self._begun(session) as db:
            resident = await self._kept(db, session, resident_id, Action.REGISTER_READ)
            card = Card(
                without_address(resident) if resident.is_protected else resident,
                await self._national_id(db, resident.id),
                await store.cohabitants(db, resident.id, now),
                await keeping_store.relatives(db, resident.id),
                await keeping_store.representatives(db, resident.id),
                bool(resident.address),
                await keeping_store.key_note_since(db, resident.id),
            )
            if await is_new_read(db, session, "register", resident.id, now):
                record = Record(Action.REGISTER_READ, session.actor, [resident.person])
                await append(db, record)
        return card

    async def register(self, session: StaffSession, details: Details) -> ResidentId:
        """Raises FieldInvalid, NationalIdWrong, NationalIdTaken."""
        now = self._clock.now()
        async with self._begun(session) as db:
            require_in(
                db, session, Permission.REGISTER, details.unit_id, Action.RESIDENT_REGISTERED
            )
            return await self.register_one(db, details, session.actor, now)

    async def register_one(
        self, db: Transaction, details: Details, actor: StaffActor, now: datetime
    ) -> ResidentId:
        """In the caller's transaction, who has asked whether this may be."""
        resident_id = ResidentId(new_row_id(now))
        national_id = await self._checked(db, details, now)
        born_on = national_id.born_on if national_id else None
        resident = _resident(resident_id, details, born_on=born_on)
        await register(db, resident, actor, now)
        if national_id is not None:
            await self._keep_national_id(db, resident_id, national_id)
        await self._react(db, ResidentRegistered(resident_id))
        return resident_id

    async def change(
        self, session: StaffSession, resident_id: ResidentId, details: Details
    ) -> None:
        """Raises NotFound, FieldInvalid, NationalIdWrong, NationalIdTaken."""
        now = self._clock.now()
        async with self._begun(session) as db:
            await keeping_store.hold(db, resident_id)
            before = await self._kept(db, session, resident_id, Action.RESIDENT_CHANGED)
            if details.unit_id != before.unit_id:
                require_in(
                    db, session, Permission.REGISTER, details.unit_id, Action.RESIDENT_CHANGED
                )
            if before.is_protected:
                details = _still_protected(db, session, before, details)
            national_id = await self._checked(db, details, now)
            after = _resident(
                resident_id,
                details,
                born_on=national_id.born_on if national_id else before.born_on,
            )
            await keeping_store.change(db, after)
            if national_id is not None:
                await self._keep_national_id(db, resident_id, national_id)
            for unit in {before.unit_id, after.unit_id}:
                db.changed(unit_topic(unit))
            db.changed(resident_topic(resident_id))
            what = _changes(before, after)
            if national_id is not None:
                what = {**what, "national_id": "changed"}
            await append(db, Record(Action.RESIDENT_CHANGED, session.actor, [after.person], what))

    async def add_cohabitant(
        self,
        session: StaffSession,
        resident_id: ResidentId,
        *,
        name: str,
        relation: str,
        is_resident_id: ResidentId | None = None,
    ) -> None:
        """From now on her yes is needed too; what runs without it ends at the commit.

        `is_resident_id`: she is a resident herself. Raises NotFound, FieldInvalid.
        """
        now = self._clock.now()
        async with self._begun(session) as db:
            resident = await self._kept(db, session, resident_id, Action.COHABITANT_REGISTERED)
            if is_resident_id is not None:
                await self._may_live_there(db, resident_id, is_resident_id, now)
            await self._react(db, CohabitantMovedIn(resident_id, now))
            cohabitant = Cohabitant(CohabitantId(new_row_id(now)), name, relation, is_resident_id)
            await register_cohabitant(db, resident, cohabitant, session.actor, now)

    async def _may_live_there(
        self, db: Transaction, home_of: ResidentId, other: ResidentId, now: datetime
    ) -> None:
        """Somebody else, known here, who does not live there yet. Raises FieldInvalid."""
        lives_there = {c.is_resident_id for c in await store.cohabitants(db, home_of, now)}
        if other == home_of or other in lives_there or await store.resident(db, other) is None:
            raise FieldInvalid("is_resident_id")

    async def move_out(
        self, session: StaffSession, resident_id: ResidentId, cohabitant_id: UUID
    ) -> None:
        """Raises NotFound."""
        now = self._clock.now()
        async with self._begun(session) as db:
            resident = await self._kept(db, session, resident_id, Action.COHABITANT_MOVED_OUT)
            name = await keeping_store.move_out(db, resident_id, cohabitant_id, now)
            await self._ended(
                db, session, resident, Action.COHABITANT_MOVED_OUT, cohabitant_id, name
            )

    async def add_relative(
        self, session: StaffSession, resident_id: ResidentId, relative: Relative
    ) -> None:
        now = self._clock.now()
        async with self._begun(session) as db:
            resident = await self._kept(db, session, resident_id, Action.RELATIVE_ADDED)
            await keeping_store.add_relative(db, resident_id, relative, now)
            what: Document = {
                "id": str(relative.id),
                "may_be_told": relative.may_be_told,
                "name": relative.name,
                "relation": relative.relation,
                "rings_first": relative.rings_first,
            }
            await append(db, Record(Action.RELATIVE_ADDED, session.actor, [resident.person], what))

    async def set_key_note(self, session: StaffSession, resident_id: ResidentId, note: str) -> None:
        """How one gets in; '' takes it away. The record says that it was set, not to what."""
        now = self._clock.now()
        async with self._begun(session) as db:
            resident = await self._kept(db, session, resident_id, Action.KEY_NOTE_SET)
            await keeping_store.set_key_note(db, resident_id, note, session.staff.id, now)
            what: Document = {"is_there": bool(note)}
            await append(db, Record(Action.KEY_NOTE_SET, session.actor, [resident.person], what))

    async def end_relative(
        self, session: StaffSession, resident_id: ResidentId, relative_id: UUID
    ) -> None:
        """Raises NotFound."""
        now = self._clock.now()
        async with self._begun(session) as db:
            resident = await self._kept(db, session, resident_id, Action.RELATIVE_ENDED)
            name = await keeping_store.end_relative(db, resident_id, relative_id, now)
            await self._ended(db, session, resident, Action.RELATIVE_ENDED, relative_id, name)

    async def add_representative(
        self, session: StaffSession, resident_id: ResidentId, one: Representative
    ) -> None:
        """Raises EndBeforeStart."""
        now = self._clock.now()
        if one.valid_until is not None and one.valid_until < one.valid_from:
            raise EndBeforeStart("valid_until")
        async with self._begun(session) as db:
            resident = await self._kept(db, session, resident_id, Action.REPRESENTATIVE_ADDED)
            await keeping_store.add_representative(db, resident_id, one, now)
            what: Document = {
                "document": one.document,
                "id": str(one.id),
                "kind": one.kind,
                "name": one.name,
                "scope": one.scope,
                "valid_from": one.valid_from.isoformat(),
                "valid_until": one.valid_until.isoformat() if one.valid_until else None,
            }
            record = Record(Action.REPRESENTATIVE_ADDED, session.actor, [resident.person], what)
            await append(db, record)

    async def end_representative(
        self, session: StaffSession, resident_id: ResidentId, one: UUID
    ) -> None:
        """Raises NotFound."""
        now = self._clock.now()
        async with self._begun(session) as db:
            resident = await self._kept(db, session, resident_id, Action.REPRESENTATIVE_ENDED)
            name = await keeping_store.end_representative(db, resident_id, one, now)
            await self._ended(db, session, resident, Action.REPRESENTATIVE_ENDED, one, name)

    # --- parts --------------------------------------------------------------------------------

    def _begun(self, session: StaffSession) -> AbstractAsyncContextManager[Transaction]:
        return self._database.transaction(session.tenant, actor_text(session.actor))

    async def _kept(
        self, db: Transaction, session: StaffSession, resident_id: ResidentId, tried: Action
    ) -> Resident:
        """Hers to keep; of somebody protected, only while she has a mission with her."""
        resident = await known(db, resident_id)
        require_in(db, session, Permission.REGISTER, resident.unit_id, tried)
        if resident.is_protected:
            await on_mission(db, session, resident, tried, self._clock.now())
        return resident

    async def _ended(
        self,
        db: Transaction,
        session: StaffSession,
        resident: Resident,
        action: Action,
        one: UUID,
        name: str | None,
    ) -> None:
        if name is None:
            raise NotFound
        what: Document = {"id": str(one), "name": name}
        await append(db, Record(action, session.actor, [resident.person], what))

    async def _checked(self, db: Transaction, details: Details, now: datetime) -> NationalId | None:
        if await access_store.unit(db, details.unit_id) is None:
            raise FieldInvalid("unit_id")
        if details.national_id is None:
            return None
        return read_national_id(details.national_id, now.astimezone(STOCKHOLM).date())

    async def _keep_national_id(
        self, db: Transaction, resident_id: ResidentId, national_id: NationalId
    ) -> None:
        """Raises NationalIdTaken, NationalIdKeyMissing."""
        if self._sealer is None:
            raise NationalIdKeyMissing("national_id")
        sealed = self._sealer.seal(str(resident_id), national_id.digits.encode())
        digest = self.digest(db.tenant, national_id)
        if not await keeping_store.set_national_id(db, resident_id, sealed, digest):
            raise NationalIdTaken("national_id")

    def digest(self, tenant: TenantId, national_id: NationalId) -> bytes:
        """What the number is found by, in this municipality. Raises NationalIdKeyMissing."""
        if self._sealer is None:
            raise NationalIdKeyMissing("national_id")
        return digest_of(self._sealer, tenant, national_id)

    async def _national_id(self, db: Transaction, resident_id: ResidentId) -> str | None:
        sealed = await keeping_store.national_id(db, resident_id)
        if sealed is None or self._sealer is None:
            return None
        digits = self._sealer.open(str(resident_id), sealed).decode()
        return f"{digits[:8]}-{digits[8:]}"


def _still_protected(
    db: Transaction, session: StaffSession, before: Resident, details: Details
) -> Details:
    """What was left empty stays; only a head lifts the protection. Raises NotPermitted."""
    if not details.is_protected:
        require_in(db, session, Permission.LEAD, before.unit_id, Action.RESIDENT_CHANGED)
    return replace(
        details,
        address=details.address or before.address,
        phone=details.phone or before.phone,
    )


def _resident(resident_id: ResidentId, details: Details, *, born_on: date | None) -> Resident:
    return Resident(
        id=resident_id,
        unit_id=details.unit_id,
        name=details.name,
        given_name=details.given_name,
        language=details.language,
        address=details.address,
        phone=details.phone,
        born_on=born_on,
        to_know=details.to_know,
        scale_percent=details.scale_percent,
        hearing=details.hearing,
        priority=details.priority,
        is_protected=details.is_protected,
    )


def _changes(before: Resident, after: Resident) -> Document:
    """What stood there and what stands there now; of somebody protected, no name nor address."""
    hidden = (
        {"address", "phone", "name", "given_name"}
        if before.is_protected or after.is_protected
        else set()
    )
    changed: dict[str, Value] = {}
    for field in fields(Resident):
        was, now = getattr(before, field.name), getattr(after, field.name)
        if was == now:
            continue
        changed[field.name] = "changed" if field.name in hidden else [_plain(was), _plain(now)]
    return changed


def _plain(value: object) -> Value:
    if isinstance(value, tuple):
        return list(value)
    if value is None or isinstance(value, (bool, int, str)):
        return value
    return str(value)

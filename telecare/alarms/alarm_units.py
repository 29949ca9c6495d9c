"""The register of other makers' units (larmenheter): whose they are and how they prove it."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from datetime import datetime

from telecare.access.model import Permission, StaffSession
from telecare.access.service import list_read, require_in
from telecare.alarms import alarm_units_store as store
from telecare.alarms.alarm_units_store import AlarmUnit, Digest, Listed, Reply
from telecare.alarms.receivers.arrived import Network, Profile, Protocol
from telecare.audit.actions import Action
from telecare.audit.append import append
from telecare.audit.format import Document
from telecare.audit.model import Actor, Person, Record, SystemActor, actor_text
from telecare.people.service import known, still_with_us
from telecare.runtime.clock import Clock
from telecare.runtime.db import Database, Transaction
from telecare.runtime.errors import FieldInvalid, NotFound, TelecareError
from telecare.runtime.sealing import Sealer
from telecare.runtime.timers import cancel_timers, set_timer
from telecare.wire.errors import Code
from telecare.wire.ids import AlarmUnitId, EndingId, ResidentId, new_row_id

KEY_BYTES = frozenset({16, 24, 32})
"""AES; DC-09 §5.4."""
SYSTEM = SystemActor("alarm units")
SILENT = "alarm_unit.silent"


class AlarmAccountTaken(TelecareError):
    """Another unit of the municipality sends under it."""

    code = Code.ALARM_ACCOUNT_TAKEN


class AlarmProofMissing(TelecareError):
    """With neither password, key nor network anybody could be this unit."""

    status = 422
    code = Code.ALARM_PROOF_MISSING


class AlarmKeyMissing(TelecareError):
    """The server has no key to seal a unit's secret with."""

    status = 503
    code = Code.ALARM_KEY_MISSING


@dataclass(frozen=True, slots=True)
class Settings:
    """How a unit proves itself, is answered, and is shown. `key`: of 16, 24 or 32 bytes."""

    networks: tuple[Network, ...] = ()
    password: str | None = field(default=None, repr=False)
    key: bytes | None = field(default=None, repr=False)
    digest: Digest = "MD5"
    reply: Reply = "message"
    place: str = ""
    signs_every_h: int | None = None
    """It says something at least so often, as it was set up; then its silence is told of."""


@dataclass(frozen=True, slots=True)
class Details:
    """A unit as somebody registers it. `account`: what it calls itself."""

    resident_id: ResidentId
    protocol: Protocol
    account: str
    settings: Settings


class AlarmUnits:
    """Use cases of those with REGISTER in the resident's unit."""

    def __init__(self, database: Database, clock: Clock, sealer: Sealer | None) -> None:
        self._database = database
        self._clock = clock
        self._sealer = sealer

    async def listed(self, session: StaffSession) -> Sequence[Listed]:
        """Of the units whose register she keeps; a read, recorded once in 15 minutes."""
        now = self._clock.now()
        units = session.staff.units_of(Permission.REGISTER)
        async with self._begun(session) as db:
            found = await store.listed(db, units)
            names = {one.resident_id: one.resident_name for one in found}
            await list_read(db, session, "alarm_units", units, names, now)
        return found

    async def register(self, session: StaffSession, details: Details) -> AlarmUnitId:
        """Raises NotFound, NotPermitted, ResidentGone, FieldInvalid, AlarmProofMissing,
        AlarmAccountTaken, AlarmKeyMissing.
        """
        now = self._clock.now()
        unit = self._new(AlarmUnitId(new_row_id(now)), details)
        async with self._begun(session) as db:
            resident = await known(db, details.resident_id)
            tried = Action.ALARM_UNIT_REGISTERED
            require_in(db, session, Permission.REGISTER, resident.unit_id, tried)
            await still_with_us(db, session.actor, resident, tried, now)
            if not await store.add(db, unit, now):
                raise AlarmAccountTaken("account")
            await expect_sign(db, unit, now)
            what: Document = {**_what(unit), **_settings(unit)}
            await append(db, Record(tried, session.actor, [resident.person], what))
        return unit.id

    async def change(self, session: StaffSession, unit_id: AlarmUnitId, settings: Settings) -> None:
        """From its next message on. Whose it is and what it calls itself stay; a secret that is not
        given stays as it was.

        Raises NotFound, NotPermitted, FieldInvalid, AlarmProofMissing, AlarmKeyMissing.
        """
        now = self._clock.now()
        async with self._begun(session) as db:
            unit = await store.hold(db, unit_id)
            if unit is None:
                raise NotFound
            resident = await known(db, unit.resident_id)
            tried = Action.ALARM_UNIT_CHANGED
            require_in(db, session, Permission.REGISTER, resident.unit_id, tried)
            changed = self._set(unit, settings)
            if changed == unit:
                return
            await store.change(db, changed)
            if changed.signs_every != unit.signs_every:
                await cancel_timers(db, [SILENT], unit.id)
                await expect_sign(db, changed, now)
            what: Document = {
                **_what(unit),
                "from": _settings(unit),
                "new_secret": (changed.password, changed.key) != (unit.password, unit.key),
                "to": _settings(changed),
            }
            await append(db, Record(tried, session.actor, [resident.person], what))

    async def close(self, session: StaffSession, unit_id: AlarmUnitId) -> None:
        """From this commit on it is a unit nobody knows: what it sends is still shown.

        Raises NotFound, NotPermitted.
        """
        now = self._clock.now()
        async with self._begun(session) as db:
            unit = await store.hold(db, unit_id)
            if unit is None:
                raise NotFound
            resident = await known(db, unit.resident_id)
            require_in(db, session, Permission.REGISTER, resident.unit_id, Action.ALARM_UNIT_CLOSED)
            await store.close(db, unit.id, None, now)
            await append(db, _closed(unit, resident.person, session.actor))

    def _begun(self, session: StaffSession) -> AbstractAsyncContextManager[Transaction]:
        return self._database.transaction(session.tenant, actor_text(session.actor))

    def _new(self, unit_id: AlarmUnitId, details: Details) -> AlarmUnit:
        account = details.account.upper() if details.protocol == "dc09" else details.account
        bare = AlarmUnit(unit_id, details.resident_id, details.protocol, account)
        return self._set(bare, details.settings)

    def _set(self, unit: AlarmUnit, settings: Settings) -> AlarmUnit:
        """Raises FieldInvalid, AlarmProofMissing, AlarmKeyMissing."""
        if settings.key is not None and (
            unit.protocol != "dc09" or len(settings.key) not in KEY_BYTES
        ):
            raise FieldInvalid("key")
        if settings.password is not None and unit.protocol != "scaip":
            raise FieldInvalid("password")
        password = settings.password.encode() if settings.password else None
        found = replace(
            unit,
            networks=settings.networks,
            password=self._seal(unit.id, "password", password) or unit.password,
            key=self._seal(unit.id, "key", settings.key) or unit.key,
            digest=settings.digest,
            reply=settings.reply,
            place=settings.place,
            signs_every_h=settings.signs_every_h,
        )
        if not (found.password or found.key or found.networks):
            raise AlarmProofMissing("networks")
        return found

    def _seal(self, unit_id: AlarmUnitId, field_: str, secret: bytes | None) -> bytes | None:
        if secret is None:
            return None
        if self._sealer is None:
            raise AlarmKeyMissing(field_)
        return self._sealer.seal(_about(unit_id, field_), secret)


async def expect_sign(db: Transaction, unit: AlarmUnit, now: datetime) -> None:
    """The next within its time, or it is silent."""
    if unit.signs_every is not None:
        await set_timer(db, SILENT, unit.id, now + unit.signs_every)


def profile_of(unit: AlarmUnit, sealer: Sealer) -> Profile:
    """With its secrets open. Raises SealBroken."""
    password = sealer.open(_about(unit.id, "password"), unit.password) if unit.password else None
    return Profile(
        networks=unit.networks,
        password=password.decode() if password is not None else None,
        digest=unit.digest,
        key=sealer.open(_about(unit.id, "key"), unit.key) if unit.key else None,
        scaip_reply=unit.reply,
    )


async def end_of_resident(
    db: Transaction, person: Person, ending_id: EndingId, now: datetime
) -> Sequence[Record]:
    """All of hers. The records are for the caller to enter."""
    units = await store.hold_of(db, person.id)
    for unit in units:
        await store.close(db, unit.id, ending_id, now)
    return [_closed(unit, person, SYSTEM) for unit in units]


async def undo_end(db: Transaction, person: Person, ending_id: EndingId) -> Sequence[Record]:
    """Those that the ending closed, but for whose account somebody else has been given since."""
    return [
        Record(Action.ALARM_UNIT_REOPENED, SYSTEM, [person], _what(unit))
        for unit in await store.reopen(db, ending_id)
    ]


def _closed(unit: AlarmUnit, person: Person, actor: Actor) -> Record:
    return Record(Action.ALARM_UNIT_CLOSED, actor, [person], _what(unit))


def _what(unit: AlarmUnit) -> Document:
    return {
        "account": unit.account,
        "alarm_unit_id": str(unit.id),
        "protocol": unit.protocol,
    }


def _settings(unit: AlarmUnit) -> Document:
    """But its secrets."""
    return {
        "digest": unit.digest,
        "networks": [str(network) for network in unit.networks],
        "place": unit.place,
        "proves_by": _proves_by(unit),
        "reply": unit.reply,
        "signs_every_h": unit.signs_every_h,
    }


def _proves_by(unit: AlarmUnit) -> str:
    if unit.password is not None:
        return "password"
    return "key" if unit.key is not None else "network"


def _about(unit_id: AlarmUnitId, secret: str) -> str:
    return f"alarm_unit {unit_id} {secret}"

"""Pairing a TV, enrolling a home unit, and what units say of themselves."""

import base64
import hashlib
import logging
import secrets
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from telecare.access import store as access_store
from telecare.access.model import Permission, ScreenSession, StaffSession
from telecare.access.service import (
    Limit,
    count_try,
    new_token,
    require,
    require_in,
    token_hash,
    unit_topic,
)
from telecare.audit.actions import Action
from telecare.audit.append import append
from telecare.audit.format import Document
from telecare.audit.model import Actor, HomeActor, Person, Record, SystemActor, actor_text
from telecare.devices import store
from telecare.devices.authority import Authority
from telecare.devices.certificates import issue
from telecare.devices.model import (
    MAX_TRIES,
    PAIRING_WORDS,
    TV_CODE_LIMIT,
    UNIT_CODE_LIMIT,
    UNIT_LEASE,
    Closed,
    DeviceClosing,
    Endpoint,
    Pairing,
    Unit,
    UnitHeard,
    new_tv_code,
    new_unit_code,
    tidy_code,
    tidy_unit_code,
)
from telecare.devices.outgoing import Addressee, to_unit
from telecare.devices.presence import Presence
from telecare.devices.store import Reject, StoredEvent
from telecare.people.model import Resident
from telecare.people.service import (
    assigned_or_keeps,
    known,
    resident_topic,
    still_with_us,
)
from telecare.runtime.clock import Clock
from telecare.runtime.db import Database, Transaction
from telecare.runtime.errors import FieldInvalid, NotFound, TelecareError
from telecare.wire import edge, topics
from telecare.wire.errors import Code
from telecare.wire.ids import (
    EndingId,
    EndpointId,
    ResidentId,
    UnitId,
    new_row_id,
    new_unit_id,
)
from telecare.wire.seal import is_proof, proof

log = logging.getLogger(__name__)

KEY_BYTES = 32
SYSTEM = SystemActor("devices")

React = Callable[[Transaction, object], Awaitable[None]]


class PairingCodeWrong(TelecareError):
    status = 422
    code = Code.PAIRING_CODE_WRONG


class PairingCodeExpired(TelecareError):
    status = 410
    code = Code.PAIRING_CODE_EXPIRED


def code_hash(code: str) -> bytes:
    return hashlib.sha256(code.encode()).digest()


@dataclass(frozen=True, slots=True)
class TvCode:
    """What the TV shows, and the secret by which it asks whether it is paired."""

    letters: str
    poll: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class PairedTv:
    """A word for both screens; the session token, the first time it is asked for."""

    word: int
    token: str | None


class Devices:
    """`react` carries what follows in other packages, in the same transaction. `broker_urls`: where
    homes find the broker, and where they try when it does not answer; `authority`: None for a
    broker that asks for no certificate.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        react: React,
        broker_urls: tuple[str, str | None],
        authority: Authority | None = None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._react = react
        self._broker_urls = broker_urls
        self._authority = authority
        self._presence = Presence()

    def on(self, database: Database) -> "Devices":
        """The same by other connections, for a lane that waits for no other."""
        return Devices(database, self._clock, self._react, self._broker_urls, self._authority)

    async def count_try(self, limit: Limit, key: str) -> None:
        """Raises RateLimited."""
        await count_try(self._database, limit, key, self._clock.now())

    async def begin_tv_pairing(self) -> TvCode:
        now = self._clock.now()
        poll = new_token()
        while True:
            letters = new_tv_code()
            async with self._database.across_tenants() as db:
                made = await store.begin_tv_pairing(
                    db,
                    uuid4(),
                    code_hash=code_hash(letters),
                    poll_hash=token_hash(poll),
                    now=now,
                    until=now + TV_CODE_LIMIT,
                )
            if made:
                return TvCode(letters, poll, now + TV_CODE_LIMIT)

    async def pair_tv(self, session: StaffSession, resident_id: ResidentId, letters: str) -> int:
        """Type what the TV shows; returns the number of the word both screens then show."""
        now = self._clock.now()
        async with self._database.transaction(session.tenant) as db:
            resident = await known(db, resident_id)
            await assigned_or_keeps(db, session, resident, Action.SCREEN_PAIRED, now)
            await still_with_us(db, session.actor, resident, Action.SCREEN_PAIRED, now)
            claimed = await store.claim_tv_pairing(db, code_hash(tidy_code(letters)))
            if claimed is None:
                raise PairingCodeWrong("letters")
            pairing_id, expires_at = claimed
            if now >= expires_at:
                raise PairingCodeExpired("letters")
            endpoint = EndpointId(new_row_id(now))
            await store.add_endpoint(
                db, endpoint, resident.id, kind="tv", label="", has_picture=True, now=now
            )
            word = secrets.randbelow(PAIRING_WORDS)
            await store.finish_pairing(db, pairing_id, endpoint_id=endpoint, word=word, now=now)
            what = {"endpoint_id": str(endpoint)}
            await append(db, Record(Action.SCREEN_PAIRED, session.actor, [resident.person], what))
        return word

    async def tv_pairing(self, poll: str) -> Pairing | PairedTv:
        """Asked by the waiting TV with its own secret. Paired: its session, made once.

        Raises NotFound for a secret nobody knows, PairingCodeExpired after its ten minutes.
        """
        now = self._clock.now()
        async with self._database.across_tenants() as db:
            pairing = await store.pairing_of(db, token_hash(poll))
            if pairing is None:
                raise NotFound
            if pairing.used_at is None:
                if now >= pairing.expires_at:
                    raise PairingCodeExpired
                return pairing
            assert pairing.tenant is not None  # noqa: S101 - used means claimed by a tenant
            assert pairing.endpoint_id is not None  # noqa: S101
            assert pairing.word is not None  # noqa: S101
            await db.enter(pairing.tenant, "")
            if await store.open_resident_of(db, pairing.endpoint_id) is None:
                raise NotFound  # closed since: it has no home, and may ask for new letters
            token = await tv_session(db, pairing.endpoint_id, poll, now)
        return PairedTv(pairing.word, token)

    async def listed(self, session: StaffSession, resident_id: ResidentId) -> Sequence[Endpoint]:
        """What can ring in her home. Raises NotFound, NotAssigned."""
        async with self._database.transaction(session.tenant) as db:
            resident = await known(db, resident_id)
            now = self._clock.now()
            await assigned_or_keeps(db, session, resident, Action.REGISTER_READ, now)
            return await store.endpoints(db, resident_id)

    async def health(self, session: StaffSession) -> Sequence[store.Health]:
        """Every device of the municipality, without whose it is. Raises NotPermitted."""
        async with self._database.transaction(session.tenant) as db:
            require(db, session, Permission.DEVICES, Action.REGISTER_READ)
            return await store.health(db)

    async def set_network(
        self, session: StaffSession, endpoint_id: EndpointId, network: str
    ) -> None:
        """Whose line a home unit is on. Raises NotFound, NotPermitted."""
        tried = Action.UNIT_NETWORK_SET
        async with self._database.transaction(session.tenant, actor_text(session.actor)) as db:
            require(db, session, Permission.DEVICES, tried)
            resident_id = await store.set_network(db, endpoint_id, network)
            if resident_id is None:
                raise NotFound
            resident = await known(db, resident_id)
            what = {"endpoint_id": str(endpoint_id), "network": network}
            await append(db, Record(tried, session.actor, [resident.person], what))

    async def unit_code(self, session: StaffSession, resident_id: ResidentId, label: str) -> str:
        now = self._clock.now()
        async with self._database.transaction(session.tenant) as db:
            resident = await known(db, resident_id)
            await assigned_or_keeps(db, session, resident, Action.UNIT_ENROLLED, now)
            await still_with_us(db, session.actor, resident, Action.UNIT_ENROLLED, now)
            code = await make_unit_code(db, resident, label, now)
            await append(db, Record(Action.PAIRING_BEGUN, session.actor, [resident.person]))
        return code

    async def enrol(self, request: edge.EnrolRequest) -> edge.Enrolment:
        """A home unit trades its code for an identity. Raises PairingCodeWrong, …Expired."""
        now = self._clock.now()
        public_key = _key(request.public_key)
        digest = code_hash(tidy_unit_code(request.code))
        async with self._database.across_tenants() as db:
            pairing = await store.unit_pairing_of(db, digest)
        if pairing is None or pairing.tries > MAX_TRIES:
            raise PairingCodeWrong("code")
        if now >= pairing.expires_at:
            raise PairingCodeExpired("code")
        unit = Unit(
            tenant=pairing.tenant,
            id=new_unit_id(),
            endpoint_id=EndpointId(new_row_id(now)),
            resident_id=pairing.resident_id,
            public_key=public_key,
            mac_key=secrets.token_bytes(KEY_BYTES),
        )
        async with self._database.transaction(pairing.tenant) as db:
            resident = await known(db, pairing.resident_id)
            await store.add_endpoint(
                db,
                unit.endpoint_id,
                resident.id,
                kind="unit",
                label=pairing.label,
                has_picture=True,
                now=now,
            )
            await store.add_unit(db, unit, now)
            await store.finish_pairing(
                db, pairing.id, endpoint_id=unit.endpoint_id, word=None, now=now
            )
            what = {"endpoint_id": str(unit.endpoint_id), "unit": unit.id}
            actor = HomeActor(unit.endpoint_id, "unit", resident.id)
            certificate = await self._certificate(db, unit, now)
            await append(db, Record(Action.UNIT_ENROLLED, actor, [resident.person], what))
        return edge.Enrolment(
            unit=unit.id,
            mac_key=_base64url(unit.mac_key),
            broker_url=self._broker_urls[0],
            second_broker_url=self._broker_urls[1],
            certificate=certificate,
            authority=self._authority.pem.decode() if self._authority else None,
        )

    async def _certificate(self, db: Transaction, unit: Unit, now: datetime) -> str | None:
        if self._authority is None:
            return None
        return await issue(db, self._authority, unit.id, unit.public_key, now)

    async def close(
        self, session: StaffSession, resident_id: ResidentId, endpoint_id: EndpointId
    ) -> None:
        """This TV or unit of hers, never a number typed from a list. It empties itself.

        Raises NotPermitted, NotFound (also when it is closed already).
        """
        now = self._clock.now()
        async with self._database.transaction(session.tenant, actor_text(session.actor)) as db:
            resident = await known(db, resident_id)
            if await store.open_resident_of(db, endpoint_id) != resident.id:
                raise NotFound
            require_in(db, session, Permission.PLAN, resident.unit_id, Action.DEVICE_CLOSED)
            await self._react(db, DeviceClosing(endpoint_id, resident.id, now))
            closed = await store.close(db, endpoint_id, None, now)
            if closed is None:
                raise NotFound
            await append(db, await _close(db, closed, resident.person, session.actor, now))

    async def end_of_resident(
        self, db: Transaction, person: Person, ending_id: EndingId, now: datetime
    ) -> Sequence[Record]:
        """All of hers, and codes that wait. The records are for the caller to enter."""
        await store.expire_codes(db, person.id, now)
        records = []
        for endpoint in await store.endpoints(db, person.id):
            closed = await store.close(db, endpoint.id, ending_id, now)
            if closed is not None:
                records.append(await _close(db, closed, person, SYSTEM, now))
        return records

    async def undo_end(
        self, db: Transaction, person: Person, ending_id: EndingId
    ) -> Sequence[Record]:
        """What the ending closed opens again, but for a unit that has wiped itself since."""
        records = []
        for closed in await store.closed_by(db, ending_id):
            if closed.was_wiped:
                continue
            await store.reopen(db, closed.id)
            await access_store.reopen_screen_sessions(db, closed.id, closed.ended_at)
            records.append(Record(Action.DEVICE_REOPENED, SYSTEM, [person], _what(closed)))
        return records

    async def revoked(self, unit_ids: Collection[UnitId]) -> Mapping[UnitId, Unit]:
        """Those of them that were closed; they may not have heard of it."""
        async with self._database.one_question() as db:
            return await store.revoked_units_of(db, unit_ids)

    async def closed_proof(self, unit_id: UnitId, challenge: str) -> str:
        """For a unit that no broker lets in: that it is closed. Raises NotFound when it is not."""
        unit = await self._closed(unit_id)
        return proof(unit.mac_key, "closed", unit.id, challenge)

    async def wiped_elsewhere(self, unit_id: UnitId, notice: edge.WipedNotice) -> None:
        """Said by such a unit. Raises NotFound, also for a proof that is not its."""
        unit = await self._closed(unit_id)
        if not is_proof(notice.proof, unit.mac_key, "wiped", unit.id, notice.challenge):
            raise NotFound
        await self.wiped(unit)

    async def _closed(self, unit_id: UnitId) -> Unit:
        """Raises NotFound."""
        unit = (await self.revoked([unit_id])).get(unit_id)
        if unit is None:
            raise NotFound
        return unit

    async def wiped(self, unit: Unit) -> None:
        """It says that its keys and its outbox are gone: it can never come back."""
        now = self._clock.now()
        async with self._database.transaction(unit.tenant) as db:
            if await store.wiped(db, unit.id, now):
                resident = await known(db, unit.resident_id)
                what = {"endpoint_id": str(unit.endpoint_id), "unit": unit.id}
                await append(db, Record(Action.UNIT_WIPED, unit.actor, [resident.person], what))

    async def units(self, unit_ids: Collection[UnitId]) -> Mapping[UnitId, Unit]:
        """The registry's answer for every message: enrolled, not revoked (P7)."""
        async with self._database.one_question() as db:
            return await store.units_of(db, unit_ids)

    async def status(self, unit: Unit, status: edge.UnitStatus) -> None:
        """Stored at once when it is news, with the other units' when it is a sign of life."""
        now = self._clock.now()
        if self._presence.is_sign_of_life(unit.id, status, now):
            return
        try:
            await self._store_status(unit, status, now)
        except BaseException:
            self._presence.forget(unit.id)
            raise

    async def keep_signs_of_life(self) -> None:
        """Each PRESENCE_INTERVAL, of all tenants in one statement."""
        if seen := self._presence.take_unwritten():
            async with self._database.across_tenants() as db:
                for care_unit, resident_id in await store.mark_seen(db, seen, UNIT_LEASE):
                    db.changed(unit_topic(care_unit))
                    db.changed(resident_topic(resident_id))

    async def remember_units(self) -> None:
        """Before anything is heard: ten thousand homes that say what they said before a restart
        are signs of life, not ten thousand transactions.
        """
        async with self._database.across_tenants() as db:
            self._presence.remember(await store.said_by_units(db))

    async def _store_status(self, unit: Unit, status: edge.UnitStatus, now: datetime) -> None:
        async with self._database.transaction(unit.tenant) as db:
            await store.set_status(
                db,
                unit.id,
                is_online=status.online,
                now=now,
                boot=status.stamp.boot,
                screen=status.screen,
                cameras=status.cameras,
                version=status.version,
                power=(status.mains, status.battery_percent),
                path=status.path,
            )
            if status.online:
                await store.endpoint_seen(db, unit.endpoint_id, now)
            db.changed(resident_topic(unit.resident_id))
            resident = await known(db, unit.resident_id)
            db.changed(unit_topic(resident.unit_id))
            if status.online:
                heard = UnitHeard(unit.endpoint_id, unit.resident_id, status, now)
                await self._react(db, heard)

    async def camera_turned(self, unit: Unit, event: edge.CameraTurned) -> None:
        """Stored once, with its record. Raises FieldInvalid for a wrong signature."""
        now = self._clock.now()
        if not _is_signed(unit, event):
            raise FieldInvalid("signature")
        async with self._database.transaction(unit.tenant) as db:
            if not await store.add_event(db, StoredEvent.of(unit, event), now):
                return
            db.changed(resident_topic(unit.resident_id))
            resident = await known(db, unit.resident_id)
            what = {
                "call_id": str(event.call_id) if event.call_id else None,
                "camera": event.camera,
                "number": event.number,
                "on": event.on,
                "reason": event.reason,
                "seconds": event.seconds,
                "unit": unit.id,
            }
            await append(db, Record(Action.CAMERA_TURNED, unit.actor, [resident.person], what))

    async def reject(self, rejects: Sequence[Reject]) -> None:
        """Malformed, unknown or forged: kept as a digest, and counted."""
        async with self._database.across_tenants() as db:
            await store.reject(db, rejects, self._clock.now())
        for reason, count in Counter(one.reason for one in rejects).items():
            log.warning("messages from units refused", extra={"reason": reason, "count": count})

    async def tv_seen(self, session: ScreenSession) -> None:
        """A TV page's socket is open: said each 15 s."""
        async with self._database.transaction(session.tenant) as db:
            await store.endpoint_seen(db, session.actor.endpoint_id, self._clock.now())


async def make_unit_code(db: Transaction, resident: Resident, label: str, now: datetime) -> str:
    code = new_unit_code()
    await store.add_unit_pairing(
        db,
        new_row_id(now),
        resident.id,
        code_hash=code_hash(code),
        label=label,
        until=now + UNIT_CODE_LIMIT,
    )
    return code


async def tv_session(
    db: Transaction, endpoint_id: EndpointId, secret: str, now: datetime
) -> str | None:
    """The TV's session; its token comes from the secret, so asking again gives the same one."""
    token = hashlib.sha256(b"tv session\0" + secret.encode()).hexdigest()
    digest = token_hash(token)
    if await access_store.session_of(db, digest) is not None:
        return token
    resident_id = await store.resident_of(db, endpoint_id)
    row = access_store.SessionRow(
        tenant=db.tenant,
        id=uuid4(),
        kind="tv",
        staff_id=None,
        endpoint_id=endpoint_id,
        resident_id=resident_id,
        signed_in_by="pairing",
        used_at=now,
        expires_at=None,
        page_locked_at=None,
    )
    await access_store.add_session(db, row, token_hash=digest)
    return token


async def _close(
    db: Transaction, closed: Closed, person: Person, actor: Actor, now: datetime
) -> Record:
    """A screen loses its session and shows its pairing page; a unit is told to wipe itself."""
    await access_store.end_screen_sessions(db, closed.id, now)
    db.changed(resident_topic(closed.resident_id))
    if closed.unit_id is not None and closed.mac_key is not None:
        addressee = Addressee(closed.unit_id, closed.mac_key)
        db.after_commit(to_unit(addressee, topics.Down.CONFIG, edge.Wipe()))
    return Record(Action.DEVICE_CLOSED, actor, [person], _what(closed))


def _what(closed: Closed) -> Document:
    return {
        "endpoint_id": str(closed.id),
        "kind": closed.kind,
        "unit": str(closed.unit_id) if closed.unit_id else None,
    }


def _is_signed(unit: Unit, event: edge.CameraTurned) -> bool:
    try:
        signature = base64.urlsafe_b64decode(event.signature + "==")
        key = Ed25519PublicKey.from_public_bytes(unit.public_key)
        key.verify(signature, edge.signed_text(unit.id, event))
    except (InvalidSignature, ValueError):
        return False
    return True


def _key(text: str) -> bytes:
    try:
        key = base64.urlsafe_b64decode(text + "=")
        Ed25519PublicKey.from_public_bytes(key)
    except ValueError as error:
        raise FieldInvalid("public_key") from error
    return key


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()

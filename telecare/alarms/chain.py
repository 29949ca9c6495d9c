"""Larmkedjan: whose screens an alarm is put on, one unit after another, and who keeps that so."""

import secrets
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime, time
from urllib.parse import urlsplit

from telecare.access import store as access_store
from telecare.access.model import Permission, StaffSession
from telecare.access.service import require, require_in
from telecare.alarms import chain_store as store
from telecare.alarms.chain_store import Centre, OwnChain
from telecare.audit.actions import Action
from telecare.audit.append import append
from telecare.audit.format import Document
from telecare.audit.model import Record, actor_text
from telecare.people.model import Resident
from telecare.people.service import known, on_mission
from telecare.runtime.clock import STOCKHOLM, Clock
from telecare.runtime.db import Database, Transaction
from telecare.runtime.errors import FieldInvalid, NotFound
from telecare.wire.ids import CareUnitId, ResidentId

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
SECRET_BYTES = 32


async def chain_of(
    db: Transaction, resident_id: ResidentId, now: datetime
) -> tuple[CareUnitId, ...]:
    """Her own at this hour, else her unit and those asked after it; then the alarm centres."""
    local = now.astimezone(STOCKHOLM).time()
    return tuple(dict.fromkeys(await store.put_to(db, resident_id, local)))


class Chains:
    """Use cases of those who keep the register and the units. `is_local`: a server for trying out,
    whose webhooks may go to this machine itself.
    """

    def __init__(self, database: Database, clock: Clock, *, is_local: bool) -> None:
        self._database = database
        self._clock = clock
        self._is_local = is_local

    async def own(self, session: StaffSession, resident_id: ResidentId) -> Sequence[OwnChain]:
        """Raises NotFound, NotPermitted."""
        async with self._by(session) as db:
            await self._kept(db, session, resident_id)
            return await store.own(db, resident_id)

    async def add(self, session: StaffSession, resident_id: ResidentId, chain: OwnChain) -> None:
        """Raises NotFound, NotPermitted, FieldInvalid (also where it meets another's hours)."""
        async with self._by(session) as db:
            resident = await self._kept(db, session, resident_id)
            if chain.start == chain.until:
                raise FieldInvalid("until")
            standing = await store.own(db, resident_id)
            if any(_meet(chain, other) for other in standing):
                raise FieldInvalid("start")
            for unit in chain.unit_ids:
                if await access_store.unit(db, unit) is None:
                    raise FieldInvalid("first")
            await store.add(db, resident_id, chain)
            what: Document = {
                "from": chain.start.isoformat("minutes"),
                "unit_ids": [str(unit) for unit in chain.unit_ids],
                "until": chain.until.isoformat("minutes"),
            }
            record = Record(Action.ALARM_CHAIN_SET, session.actor, [resident.person], what)
            await append(db, record)

    async def end(self, session: StaffSession, resident_id: ResidentId, start: time) -> None:
        """Raises NotFound, NotPermitted."""
        async with self._by(session) as db:
            resident = await self._kept(db, session, resident_id)
            if not await store.end(db, resident_id, start):
                raise NotFound
            what: Document = {"from": start.isoformat("minutes"), "unit_ids": []}
            record = Record(Action.ALARM_CHAIN_SET, session.actor, [resident.person], what)
            await append(db, record)

    async def centres(self, session: StaffSession) -> Sequence[Centre]:
        """Raises NotPermitted."""
        async with self._by(session) as db:
            require(db, session, Permission.CONFIGURE, Action.ALARM_CENTRE_SET)
            return await store.centres(db)

    async def set_centre(self, session: StaffSession, unit_id: CareUnitId, url: str) -> bytes:
        """The new secret, told this once. Raises NotFound, NotPermitted, FieldInvalid."""
        async with self._by(session) as db:
            require(db, session, Permission.CONFIGURE, Action.ALARM_CENTRE_SET)
            if await access_store.unit(db, unit_id) is None:
                raise NotFound
            self._check(url)
            secret = secrets.token_bytes(SECRET_BYTES)
            await store.set_centre(db, Centre(unit_id, url, secret))
            what: Document = {"unit_id": str(unit_id), "url": url}
            await append(db, Record(Action.ALARM_CENTRE_SET, session.actor, what=what))
        return secret

    async def end_centre(self, session: StaffSession, unit_id: CareUnitId) -> None:
        """Raises NotFound, NotPermitted."""
        async with self._by(session) as db:
            require(db, session, Permission.CONFIGURE, Action.ALARM_CENTRE_SET)
            if not await store.end_centre(db, unit_id):
                raise NotFound
            what: Document = {"unit_id": str(unit_id), "url": None}
            await append(db, Record(Action.ALARM_CENTRE_SET, session.actor, what=what))

    def _by(self, session: StaffSession) -> AbstractAsyncContextManager[Transaction]:
        return self._database.transaction(session.tenant, actor_text(session.actor))

    async def _kept(
        self, db: Transaction, session: StaffSession, resident_id: ResidentId
    ) -> Resident:
        tried = Action.ALARM_CHAIN_SET
        resident = await known(db, resident_id)
        require_in(db, session, Permission.REGISTER, resident.unit_id, tried)
        if resident.is_protected:
            await on_mission(db, session, resident, tried, self._clock.now())
        return resident

    def _check(self, url: str) -> None:
        """TLS, and no password in the address. Raises FieldInvalid."""
        try:
            parts = urlsplit(url)
            host = parts.hostname
        except ValueError:
            raise FieldInvalid("url") from None
        is_tls = parts.scheme == "https" and host is not None and host not in LOOPBACK
        is_here = self._is_local and parts.scheme == "http" and host in LOOPBACK
        if not (is_tls or is_here) or parts.username is not None or parts.fragment:
            raise FieldInvalid("url")


def _meet(one: OwnChain, other: OwnChain) -> bool:
    """Two spans of a day meet where one of them holds the other's beginning."""
    return _holds(one, other.start) or _holds(other, one.start)


def _holds(chain: OwnChain, at: time) -> bool:
    if chain.start < chain.until:
        return chain.start <= at < chain.until
    return at >= chain.start or at < chain.until

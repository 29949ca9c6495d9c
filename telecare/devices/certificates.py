"""Home units' certificates: made at enrolment, made anew in good time, and taken back.

Whoever asks gets a unit's certificate: it says only that this key is this unit, and is worth
nothing without the key, which never leaves the home.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from telecare.devices import certificates_store as store
from telecare.devices import store as device_store
from telecare.devices.authority import RENEWED_AFTER, Authority, replace_file
from telecare.runtime.clock import Clock
from telecare.runtime.db import Database, Transaction
from telecare.runtime.errors import NotFound
from telecare.wire.ids import UnitId

log = logging.getLogger(__name__)

LOOK_INTERVAL = timedelta(seconds=0.3)
LOOK_LIMIT = timedelta(seconds=10)
REVOKED_LATELY = timedelta(days=1)
DISPLACED_TIMES = 6
"""A unit that comes back before the broker has read the new list is thrown out again."""

Displace = Callable[[str], Awaitable[None]]
"""End the broker's connection of this client id. Raises OSError when the broker is out of reach."""


async def issue(
    db: Transaction, authority: Authority, unit_id: UnitId, public_key: bytes, now: datetime
) -> str:
    """A new one, in PEM."""
    made = authority.for_unit(unit_id, public_key, now)
    await store.add(db, unit_id, made)
    return made.pem


class Certificates:
    """`authority`: None where the broker knows no certificates; then there are none."""

    def __init__(self, database: Database, clock: Clock, authority: Authority | None) -> None:
        self._database = database
        self._clock = clock
        self._authority = authority

    async def current(self, unit_id: UnitId) -> str:
        """In PEM; a new one when the newest is due. Raises NotFound, for a closed unit too."""
        now = self._clock.now()
        if self._authority is None:
            raise NotFound
        async with self._database.across_tenants() as db:
            unit = (await device_store.units_of(db, [unit_id])).get(unit_id)
        if unit is None:
            raise NotFound
        async with self._database.transaction(unit.tenant) as db:
            newest = await store.newest(db, unit_id)
            if newest is not None and now < newest.issued_at + RENEWED_AFTER:
                return newest.pem
            return await issue(db, self._authority, unit_id, unit.public_key, now)


class Revocations:
    """Brings what was taken back to the broker: the list on disk, and an end to the connection."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        authority: Authority,
        file: Path,
        displace: Displace,
    ) -> None:
        """`file`: which the broker reads again when told that it has changed."""
        self._database = database
        self._clock = clock
        self._authority = authority
        self._file = file
        self._displace = displace
        self._written: Sequence[store.Revoked] | None = None
        self._to_displace: dict[UnitId, int] = {}

    async def look(self) -> None:
        """Raises DatabaseUnavailable."""
        now = self._clock.now()
        async with self._database.across_tenants() as db:
            revoked = await store.revoked(db, now)
        if revoked != self._written:
            await self._write(revoked, now)
        for unit_id, times in list(self._to_displace.items()):
            await self._throw_out(unit_id, times)

    async def _write(self, revoked: Sequence[store.Revoked], now: datetime) -> None:
        before = self._written
        if before is None:  # what was revoked while no server ran may still be connected
            before = [one for one in revoked if one.at < now - REVOKED_LATELY]
        known = {one.serial for one in before}
        self._to_displace |= {
            one.unit_id: DISPLACED_TIMES for one in revoked if one.serial not in known
        }
        text = self._authority.revocation_list([(one.serial, one.at) for one in revoked], now)
        await asyncio.to_thread(replace_file, self._file, text)
        self._written = revoked

    async def _throw_out(self, unit_id: UnitId, times: int) -> None:
        try:
            await self._displace(unit_id)
        except (OSError, TimeoutError):
            log.warning("broker out of reach, unit not thrown out", extra={"unit_id": unit_id})
            return
        if times > 1:
            self._to_displace[unit_id] = times - 1
        else:
            del self._to_displace[unit_id]

"""The unit's own account of its camera: numbered, signed, stored before the camera opens.

Fails closed: `turned_on` raises when the record is not on the disk, or when an earlier off could
not be written yet. An off that cannot be written is owed and written as soon as it can be.
"""

import asyncio
import logging
import sqlite3
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from edge.clock import HomeClock
from edge.identity import Identity
from edge.outbox import Lane, Outbox, OutboxBusy, Place, Transaction
from telecare.wire.edge import CameraTurned

log = logging.getLogger(__name__)

NUMBER = "camera.number"
IS_ON = "camera.is_on"
RETRY_S = 1

Reason = Literal["call", "hang_up", "lease", "must_end", "viewer_silent", "fault", "start"]


class RecordNotStored(Exception):
    """The camera must stay closed."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What happened to the camera, before it has a place and a number."""

    on: bool
    at: datetime
    reason: Reason
    camera: str
    call_id: UUID | None = None
    seconds: int | None = None


class CameraRecords:
    """Of every camera of the unit, one after the other; `stored` is called after each record."""

    def __init__(
        self,
        outbox: Outbox,
        identity: Identity,
        *,
        camera: str,
        clock: HomeClock,
        stored: Callable[[], None],
    ) -> None:
        """`camera`: the one that a run that died is taken to have had open."""
        self._outbox = outbox
        self._identity = identity
        self._camera = camera
        self._clock = clock
        self._stored = stored
        self._owed: deque[Turn] = deque()
        self._owes = asyncio.Event()

    async def turned_on(self, call_id: UUID, camera: str) -> None:
        """Return when the record is on the disk; raises `RecordNotStored`."""
        if self._owed or not self._outbox.is_durable:
            raise RecordNotStored
        try:
            now = self._clock.now()
            await self._store(Turn(True, now, "call", camera, call_id))
        except (sqlite3.Error, OutboxBusy) as error:
            raise RecordNotStored from error

    async def turned_off(self, call_id: UUID, camera: str, *, reason: Reason, seconds: int) -> None:
        turn = Turn(False, self._clock.now(), reason, camera, call_id, seconds)
        await self._store_or_owe(turn)

    async def _store_or_owe(self, turn: Turn) -> None:
        try:
            await self._store(turn)
        except (sqlite3.Error, OutboxBusy):
            log.exception("camera record owed")
            self._owed.append(turn)
            self._owes.set()

    async def close_what_was_left_open(self) -> None:
        """A run that died with the camera on left no off: write it, without a length."""
        if (await asyncio.wrap_future(self._outbox.counters([IS_ON])))[0] == 1:
            await self._store_or_owe(Turn(False, self._clock.now(), "start", self._camera))

    async def run(self) -> None:
        """Write what is owed; for the life of the agent."""
        while True:
            await self._owes.wait()
            self._owes.clear()
            while self._owed:
                try:
                    await self._store(self._owed[0])
                except (sqlite3.Error, OutboxBusy):
                    await asyncio.sleep(RETRY_S)
                else:
                    self._owed.popleft()

    async def _store(self, turn: Turn) -> None:
        await asyncio.wrap_future(self._outbox.submit(lambda file: self._write(file, turn)))
        self._stored()

    def _write(self, file: Transaction, turn: Turn) -> None:
        number = file.counter(NUMBER) + 1
        file.put(Lane.EVENT, lambda place: self._record(place, number, turn))
        file.keep(NUMBER, number)
        file.keep(IS_ON, int(turn.on))

    def _record(self, place: Place, number: int, turn: Turn) -> bytes:
        record = CameraTurned(
            boot=place.boot,
            seq=place.seq,
            occurred_at=turn.at,
            clock_ok=self._clock.is_right(turn.at),
            camera=turn.camera,
            number=number,
            on=turn.on,
            call_id=turn.call_id,
            reason=turn.reason,
            seconds=turn.seconds,
            signature="",
        )
        return self._identity.signed(record).model_dump_json().encode()

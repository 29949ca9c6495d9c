"""What happens in the home and is no alarm: stored in its order, counted when it cannot be."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

from edge.clock import HomeClock
from edge.outbox import DISK_FAULTS, Lane, Outbox, Place
from edge.sensing import Battery, Change, Cover, Mains, Telemetry
from telecare.wire.edge import (
    BatteryLevel,
    BrokerPath,
    CoverChanged,
    EventsDropped,
    PathChanged,
    PowerChanged,
    SensorChanged,
    UnitEvent,
)

log = logging.getLogger(__name__)

MOST_NOTED = 1_000
"""Waiting for the disk; beyond it the newest are counted as lost."""


@dataclass(frozen=True, slots=True)
class Reached:
    """The broker is reached again."""

    path: BrokerPath
    silent_ms: int


@dataclass(frozen=True, slots=True)
class Lost:
    """So many events found no room."""

    count: int


@dataclass(frozen=True, slots=True)
class Noted:
    what: Telemetry | Reached | Lost
    at: datetime
    is_clock_right: bool


class HomeEvents:
    """`run` for the life of the agent; `stored` is called after each turn of it."""

    def __init__(self, outbox: Outbox, *, clock: HomeClock, stored: Callable[[], None]) -> None:
        self._outbox = outbox
        self._clock = clock
        self._stored = stored
        self._noted: asyncio.Queue[Noted] = asyncio.Queue(MOST_NOTED)
        self._lost = 0

    def note(self, what: Telemetry | Reached) -> None:
        try:
            self._noted.put_nowait(self._now(what))
        except asyncio.QueueFull:
            self._lost += 1

    async def run(self) -> None:
        while True:
            await self._store(await self._noted.get())
            self._stored()

    def _now(self, what: Telemetry | Reached | Lost) -> Noted:
        at = self._clock.now()
        return Noted(what, at, self._clock.is_right(at))

    async def _store(self, noted: Noted) -> None:
        try:
            await self._put(noted)
        except DISK_FAULTS:
            if not self._lost:
                log.exception("events cannot be stored")
            self._lost += 1
            return
        if self._lost:
            lost, self._lost = self._lost, 0
            await self._store_lost(lost)

    async def _store_lost(self, count: int) -> None:
        try:
            await self._put(self._now(Lost(count)))
        except DISK_FAULTS:
            self._lost += count

    async def _put(self, noted: Noted) -> None:
        def write(place: Place) -> bytes:
            return event_of(noted, place).model_dump_json(exclude_none=True).encode()

        await asyncio.wrap_future(self._outbox.put(Lane.EVENT, write))


def event_of(noted: Noted, place: Place) -> UnitEvent:
    boot, seq, at, ok = place.boot, place.seq, noted.at, noted.is_clock_right
    match noted.what:
        case Change(sensor=sensor, device=device, place=room, is_on=is_on):
            return SensorChanged(
                boot=boot, seq=seq, occurred_at=at, clock_ok=ok,
                sensor=sensor, device=device, place=room, is_on=is_on,
            )  # fmt: skip
        case Battery(device=device, percent=percent):
            return BatteryLevel(
                boot=boot, seq=seq, occurred_at=at, clock_ok=ok, device=device, percent=percent
            )
        case Mains(is_on=mains):
            return PowerChanged(boot=boot, seq=seq, occurred_at=at, clock_ok=ok, mains=mains)
        case Cover(is_open=is_open):
            return CoverChanged(boot=boot, seq=seq, occurred_at=at, clock_ok=ok, is_open=is_open)
        case Reached(path=path, silent_ms=silent_ms):
            return PathChanged(
                boot=boot, seq=seq, occurred_at=at, clock_ok=ok, path=path, silent_ms=silent_ms
            )
        case Lost(count=count):
            return EventsDropped(boot=boot, seq=seq, occurred_at=at, clock_ok=ok, count=count)
        case _:
            assert_never(noted.what)

"""`telecare simulate`: brings the homes to life and tells how the server keeps up."""

import asyncio
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

from telecare.load.fleet import Counts, Fleet, fleet_of
from telecare.load.living import Living, Pace
from telecare.load.registry import registered
from telecare.runtime.clock import Clock
from telecare.runtime.config import Config
from telecare.runtime.db import open_database
from telecare.runtime.errors import CannotStart
from telecare.runtime.tasks import running
from telecare.wire import topics

MOST_HOMES = 100_000
TELL_S = 1.0
LAST_RECEIPTS_S = 15.0

Tell = Callable[[str], None]


class NoSuchLoad(CannotStart):
    """Homes are 1 to 100,000, seconds and times an hour not below nothing."""


@dataclass(frozen=True, slots=True)
class Load:
    """`seconds`: None until told to stop."""

    homes: int
    pace: Pace
    seconds: float | None = None

    def check(self) -> None:
        """Raises NoSuchLoad."""
        if not 1 <= self.homes <= MOST_HOMES:
            raise NoSuchLoad(f"{self.homes} homes")
        pace = self.pace
        figures = (
            pace.events_an_hour, pace.alarms_an_hour, pace.outages_an_hour, pace.outage_s,
            0.0 if self.seconds is None else self.seconds,
        )  # fmt: skip
        for figure in figures:
            if not 0 <= figure < float("inf"):
                raise NoSuchLoad(f"{figure:g}")


async def simulate(
    load: Load, config: Config, clock: Clock, stop: asyncio.Event, tell: Tell
) -> list[str]:
    """Until `stop` or the load's end; the summary. `tell` is given a line each second.

    Raises NoSuchLoad, RealMunicipality, BrokerUnreachable.
    """
    load.check()
    async with open_database(config.role_url("app"), size=2) as database:
        homes = await registered(database, load.homes, clock.now())
    begun_s = time.monotonic()
    async with fleet_of(config.mqtt_url, homes, clock) as fleet:
        living = Living(fleet, load.pace)
        async with running(living=living.run(), telling=_telling(fleet, begun_s, tell)):
            await _stopped(stop, load.seconds)
        await _last_receipts(fleet)
    return summary(fleet, time.monotonic() - begun_s)


async def _stopped(stop: asyncio.Event, seconds: float | None) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return


async def _last_receipts(fleet: Fleet) -> None:
    try:
        async with asyncio.timeout(LAST_RECEIPTS_S):
            await fleet.receipted_all()
    except TimeoutError:
        return


async def _telling(fleet: Fleet, begun_s: float, tell: Tell) -> None:
    while True:
        await asyncio.sleep(TELL_S)
        tell(_line(fleet, time.monotonic() - begun_s))


def _line(fleet: Fleet, seconds: float) -> str:
    counts = fleet.counts
    return (
        f"{seconds:6.0f} s  {len(fleet.homes)} homes  said {counts.said}  again {counts.said_again}"
        f"  receipted {counts.receipted}  waiting {fleet.waiting}"
    )


def say_live(line: str) -> None:
    """In one place of a terminal; a line each where nobody watches."""
    if sys.stdout.isatty():
        sys.stdout.write(f"\r{line}")
    else:
        sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def summary(fleet: Fleet, seconds: float) -> list[str]:
    lanes = ((topics.Up.EVENT, "events"), (topics.Up.ALARM, "alarms"))
    return [_line(fleet, seconds), *(_delays(fleet.counts, lane, name) for lane, name in lanes)]


def _delays(counts: Counts, lane: topics.Up, name: str) -> str:
    delays = sorted(counts.delays_s[lane])
    if not delays:
        return f"{name}: none receipted"
    p50, p99 = (1000 * delays[int((len(delays) - 1) * part)] for part in (0.5, 0.99))
    return f"{name}: {len(delays)} receipted, p50 {p50:.1f} ms, p99 {p99:.1f} ms"

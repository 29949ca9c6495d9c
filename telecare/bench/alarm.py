"""An alarm from its press to a console's WebSocket: alone, and while stored events replay.

Beside it, in the same run and by turns, the least it could be: one row committed and one message to
the broker and back.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from telecare.bench.reference.round_trip import round_trips
from telecare.bench.report import Part, at_most, compared, percentile, told
from telecare.bench.simulated import Console, close_alarms, console, feeder, home_at, homes_of
from telecare.bench.stack import Stack, running_stack, until
from telecare.load.fleet import Counts, Fleet, Line, fleet_of
from telecare.load.homes import LightHome
from telecare.runtime.clock import SystemClock
from telecare.runtime.embedded.postgres import SUPERUSER
from telecare.runtime.tasks import running
from telecare.wire import topics

HOMES = 50
ALARMS = 200
WARM = 20
INTERVAL_S = 0.1
"""Ten a second."""
AT_ONCE = 20
"""So many stand on the board before it is cleared."""
REPLAYING = 200
REPLAYED = 100_000
REPLAY_LIMIT_S = 180.0
ROW = "x" * 260
"""As long as an alarm's message."""


@dataclass(slots=True)
class Measured:
    """Milliseconds."""

    to_screen: list[float] = field(default_factory=list)
    to_receipt: list[float] = field(default_factory=list)
    bare: list[float] = field(default_factory=list)


Once = Callable[[], Awaitable[float]]


class Presses:
    """Presses buttons and sees them on the console, a few at a time."""

    def __init__(self, stack: Stack, fleet: Fleet, seen_by: Console) -> None:
        self._stack = stack
        self._fleet = fleet
        self._console = seen_by
        self._number = 0

    async def some(self, measured: Measured, bare: Once | None) -> None:
        """AT_ONCE presses; between each two `bare` is measured once."""
        pressed: dict[str, float] = {}
        for _ in range(AT_ONCE):
            self._number += 1
            device = f"b{self._number}"
            pressed[device] = time.monotonic()
            self._fleet.press(self._number % len(self._fleet.homes), device=device)
            await asyncio.sleep(INTERVAL_S / 2)
            if bare is not None:
                measured.bare.append(await bare())
            await asyncio.sleep(INTERVAL_S / 2)
        await self._console.sees(pressed)
        measured.to_screen += [1000 * (self._console.seen[d] - at) for d, at in pressed.items()]
        await close_alarms(self._stack)

    async def measured(self, count: int, bare: Once | None = None) -> Measured:
        delays = self._fleet.counts.delays_s[topics.Up.ALARM]
        before, made = len(delays), Measured()
        while len(made.to_screen) < count:
            await self.some(made, bare)
        made.to_receipt = [1000 * delay for delay in delays[before:]]
        return made


async def alarm(rounds: int | None) -> list[Part]:
    async with running_stack() as stack:
        homes = await homes_of(stack, HOMES)
        url = stack.services.broker.url
        async with (
            console(stack) as seen_by,
            fleet_of(url, homes, SystemClock()) as fleet,
            round_trips(stack.services.postgres.url(SUPERUSER), url, ROW) as bare,
        ):
            presses = Presses(stack, fleet, seen_by)
            await presses.measured(WARM, bare)
            made = await presses.measured(rounds or ALARMS, bare)
    p50, p99 = (percentile(made.to_screen, part) for part in (50, 99))
    return [
        compared(
            "press to console, p50, beside commit and echo",
            p50, percentile(made.bare, 50), "ms", at_most=2.5,
        ),
        at_most("press to console, p99", p99, "ms", 25),
        told("commit and echo, p99", percentile(made.bare, 99), "ms"),
        told("press to receipt, p50", percentile(made.to_receipt, 50), "ms"),
        told("press to receipt, p99", percentile(made.to_receipt, 99), "ms"),
    ]  # fmt: skip


async def alarm_under_replay(rounds: int | None) -> list[Part]:
    """`rounds`: how many events replay."""
    async with running_stack() as stack:
        homes = await homes_of(stack, HOMES + REPLAYING)
        pressing, replaying = homes[:HOMES], homes[HOMES:]
        url = stack.services.broker.url
        async with console(stack) as seen_by, fleet_of(url, pressing, SystemClock()) as fleet:
            presses = Presses(stack, fleet, seen_by)
            await presses.measured(WARM)
            idle = await presses.measured(ALARMS)
            events = rounds or REPLAYED
            busy, seconds = await _during_replay(stack, presses, replaying, events)
    p99_idle, p99_busy = percentile(idle.to_screen, 99), percentile(busy.to_screen, 99)
    return [
        compared("press to console, p99, beside idle", p99_busy, p99_idle, "ms", at_most=5),
        told("press to console, p50, during replay", percentile(busy.to_screen, 50), "ms"),
        told("press to console, p50, idle", percentile(idle.to_screen, 50), "ms"),
        told("alarms during replay", len(busy.to_screen), ""),
        told("events replayed and receipted", events / seconds, "events/s"),
    ]


async def _during_replay(
    stack: Stack, presses: Presses, homes: Sequence[LightHome], events: int
) -> tuple[Measured, float]:
    """Alarms until all that replays is receipted, and for how long that was."""
    now = SystemClock().now()
    said = [home_at(homes, n).door(now, 0.0) for n in range(events)]
    line = Line(stack.services.broker.url, homes, Counts())
    made = Measured()
    async with feeder(stack, said) as feeding, running(line=line.broker.run()):
        await until(lambda: line.broker.is_up)
        begun = time.monotonic()
        feeding.begin()
        async with asyncio.timeout(REPLAY_LIMIT_S):
            while any(home.waiting for home in homes):
                await presses.some(made, None)
        seconds = time.monotonic() - begun
    return made, seconds

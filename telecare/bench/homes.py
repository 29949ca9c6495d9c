"""Ten thousand homes on one server process: signs of life and events, and alarms among them."""

import asyncio
import sys
import time

from telecare.bench.alarm import ALARMS, HOMES, WARM, Presses
from telecare.bench.report import Part, compared, percentile, told
from telecare.bench.simulated import console, homes_of
from telecare.bench.stack import child, environment, running_stack, ticks_of_tree
from telecare.load.fleet import fleet_of
from telecare.runtime.clock import SystemClock

COUNT = 10_000
EVENTS_AN_HOUR = "12"
SETTLE_S = 20.0
"""A sign of life of each has come."""
TICKS_A_SECOND = 100


async def homes(rounds: int | None) -> list[Part]:
    """`rounds`: how many homes."""
    count = rounds or COUNT
    async with running_stack() as stack:
        all_homes = await homes_of(stack, count)
        url = stack.services.broker.url
        async with (
            console(stack) as seen_by,
            fleet_of(url, all_homes[:HOMES], SystemClock()) as fleet,
        ):
            presses = Presses(stack, fleet, seen_by)
            await presses.measured(WARM)
            idle = await presses.measured(ALARMS)
            log = stack.folder / "simulate.log"
            with child(_command(count), log, environment(stack.services, stack.port)):
                await asyncio.sleep(SETTLE_S)
                before, begun = ticks_of_tree(stack.server.pid), time.monotonic()
                busy = await presses.measured(ALARMS)
                used_s = (ticks_of_tree(stack.server.pid) - before) / TICKS_A_SECOND
                share = 100 * used_s / (time.monotonic() - begun)
    p99_idle, p99_busy = percentile(idle.to_screen, 99), percentile(busy.to_screen, 99)
    return [
        compared("alarm to console, p99, beside idle", p99_busy, p99_idle, "ms", at_most=2),
        told("alarm to console, p50", percentile(busy.to_screen, 50), "ms"),
        told("alarm to console, p50, idle", percentile(idle.to_screen, 50), "ms"),
        told("server process, of a core", share, "%"),
        told("homes", count, ""),
    ]


def _command(count: int) -> list[str]:
    pace = ["--events", EVENTS_AN_HOUR]
    return [sys.executable, "-m", "telecare", "simulate", "--homes", str(count), *pace]

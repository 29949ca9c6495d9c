"""Ten thousand homes on one server process: signs of life and events, and alarms among them.

Behind a mosquitto, as real homes are: the embedded iotcore would be what is measured. What the
broker and the database need alone meanwhile stands beside, so that a busy machine is not taken for
a slow server.
"""

import asyncio
import sys
import time

from telecare.bench.alarm import ALARMS, HOMES, ROW, WARM, Presses
from telecare.bench.reference.round_trip import round_trips
from telecare.bench.report import Part, compared, percentile, told
from telecare.bench.simulated import console, homes_of
from telecare.bench.stack import Stack, child, environment, running_stack, ticks_of_tree
from telecare.devices import store as device_store
from telecare.load.fleet import fleet_of
from telecare.runtime.clock import SystemClock
from telecare.runtime.db import Database, open_database
from telecare.runtime.embedded.postgres import SUPERUSER

COUNT = 10_000
EVENTS_AN_HOUR = "12"
HEARD_LIMIT_S = 180.0
LOOK_S = 1.0
TICKS_A_SECOND = 100


async def homes(rounds: int | None) -> list[Part]:
    """`rounds`: how many homes."""
    count = rounds or COUNT
    async with running_stack("mosquitto") as stack:
        all_homes = await homes_of(stack, count)
        url = stack.services.broker.url
        async with (
            console(stack) as seen_by,
            fleet_of(url, all_homes[:HOMES], SystemClock()) as fleet,
            round_trips(stack.services.postgres.url(SUPERUSER), url, ROW) as bare,
        ):
            presses = Presses(stack, fleet, seen_by)
            await presses.measured(WARM)
            idle = await presses.measured(ALARMS)
            log = stack.folder / "simulate.log"
            with child(_command(count), log, environment(stack.services, stack.port)):
                await _all_heard(stack, count)
                before, begun = ticks_of_tree(stack.server.pid), time.monotonic()
                busy = await presses.measured(ALARMS, bare)
                used_s = (ticks_of_tree(stack.server.pid) - before) / TICKS_A_SECOND
                share = 100 * used_s / (time.monotonic() - begun)
    p99_idle, p99_busy = percentile(idle.to_screen, 99), percentile(busy.to_screen, 99)
    return [
        compared("alarm to console, p99, beside idle", p99_busy, p99_idle, "ms", at_most=2),
        told("alarm to console, p50", percentile(busy.to_screen, 50), "ms"),
        told("alarm to console, p50, idle", percentile(idle.to_screen, 50), "ms"),
        told("commit and echo meanwhile, p99", percentile(busy.bare, 99), "ms"),
        told("server process, of a core", share, "%"),
        told("homes", count, ""),
    ]


async def _all_heard(stack: Stack, count: int) -> None:
    """A sign of life of each has come."""
    async with open_database(stack.config.role_url("app"), size=1) as database:
        async with asyncio.timeout(HEARD_LIMIT_S):
            while await _heard(database) < count:  # noqa: ASYNC110 - the server tells nobody
                await asyncio.sleep(LOOK_S)


async def _heard(database: Database) -> int:
    async with database.one_question() as db:
        said = await device_store.said_by_units(db)
    return sum(status.online for status in said.values())


def _command(count: int) -> list[str]:
    pace = ["--events", EVENTS_AN_HOUR]
    return [sys.executable, "-m", "telecare", "simulate", "--homes", str(count), *pace]

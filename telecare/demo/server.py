"""The demo's server process: the real server and the demo's extra pages. A child of `run`.

It is started before the services it needs, so that both load at once: a line of JSON on standard
input tells where they are. Nothing there (end of file): they are up, and in the environment.
"""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

from aiohttp import web

from telecare.app import Prepare, Services, serving
from telecare.demo import door, pages, seed
from telecare.demo.lan import LanSettings
from telecare.runtime import log
from telecare.runtime.clock import Clock, FileClock, SystemClock
from telecare.runtime.config import Config
from telecare.runtime.turns import settle


async def prepare(app: web.Application, made: Services) -> None:
    """Who the municipality is: seeded before by the supervisor, or now."""
    app[pages.DEMO] = pages.DemoTenant(await seed.seed(made.database, made.clock.now()))


def prepare_door(settings: LanSettings, clock: Clock) -> Prepare:
    """As `prepare`, with the gate that stands before the network's devices."""

    async def both(app: web.Application, made: Services) -> None:
        await prepare(app, made)
        app[door.DOOR] = own = door.Door(settings, clock)
        app.middlewares.append(door.gate(own))
        await own.open()

    return both


async def main(
    port: int, host: str, environment: Mapping[str, str], *, clock_file: str, lan_file: str
) -> None:
    config = Config.from_environment(environment)
    clock: Clock = FileClock(Path(clock_file)) if clock_file else SystemClock()
    lan = LanSettings.read(Path(lan_file)) if lan_file else None
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with serving(
        config,
        clock,
        host=host,
        port=port,
        is_demo=True,
        extra=(*pages.ROUTES, *door.ROUTES) if lan else pages.ROUTES,
        prepare=prepare_door(lan, clock) if lan else prepare,
        direct=lan.sites() if lan else (),
    ):
        settle()
        print("up", flush=True)  # noqa: T201 - the supervisor waits for this word
        await stop.wait()


if __name__ == "__main__":
    log.begin()
    listen_port, listen_host, *files = sys.argv[1:]
    clock, lan, *_ = [*files, "", ""]
    told = json.loads(sys.stdin.readline() or "{}")
    everything = {**os.environ, **told}
    asyncio.run(main(int(listen_port), listen_host, everything, clock_file=clock, lan_file=lan))

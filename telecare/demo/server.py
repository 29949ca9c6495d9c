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

from telecare.app import Services, serving
from telecare.demo import pages, seed
from telecare.runtime import log
from telecare.runtime.clock import Clock, FileClock, SystemClock
from telecare.runtime.config import Config


async def prepare(app: web.Application, made: Services) -> None:
    """Who the municipality is: seeded before by the supervisor, or now."""
    app[pages.DEMO] = pages.DemoTenant(await seed.seed(made.database, made.clock.now()))


async def main(port: int, host: str, clock_file: str, environment: Mapping[str, str]) -> None:
    config = Config.from_environment(environment)
    clock: Clock = FileClock(Path(clock_file)) if clock_file else SystemClock()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with serving(
        config,
        clock,
        host=host,
        port=port,
        is_demo=True,
        extra=pages.ROUTES,
        prepare=prepare,
    ):
        print("up", flush=True)  # noqa: T201 - the supervisor waits for this word
        await stop.wait()


if __name__ == "__main__":
    log.begin()
    listen_port, listen_host, *clock_files = sys.argv[1:]
    told = json.loads(sys.stdin.readline() or "{}")
    asyncio.run(main(int(listen_port), listen_host, "".join(clock_files), {**os.environ, **told}))

"""`telecare sequencer`: the process that keeps the tree."""

import asyncio
import contextlib
from pathlib import Path
from urllib.parse import urlsplit

from telecare.integrity.keys import LogFiles
from telecare.integrity.sequencer import TICK, TICK_LIMIT, Sequencer
from telecare.runtime.clock import Clock
from telecare.runtime.config import Config
from telecare.runtime.db import open_database
from telecare.runtime.errors import DatabaseUnavailable
from telecare.runtime.tasks import every

LAST_TICK_S = 3.0


def origin_host(config: Config) -> str:
    """What the origins of this installation's logs begin with."""
    return urlsplit(config.public_url).netloc


async def sequence(config: Config, clock: Clock) -> None:
    """Until it is cancelled; then what has been entered gets its place before this returns."""
    async with open_database(config.role_url("sequencer"), size=2) as database:
        files = LogFiles(Path(config.log_key_dir))
        sequencer = Sequencer(database, clock, files, origin_host(config))
        try:
            await every(TICK, sequencer.tick, limit=TICK_LIMIT)
        finally:
            with contextlib.suppress(DatabaseUnavailable, TimeoutError):
                async with asyncio.timeout(LAST_TICK_S):
                    await sequencer.tick()

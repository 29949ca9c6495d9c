"""Tasks with an owner: a job ends with its block, and its errors surface there."""

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import timedelta

from telecare.runtime.errors import DatabaseUnavailable

log = logging.getLogger(__name__)

Step = Callable[[], Awaitable[None]]
BACK_OFF_S = (0.1, 0.3, 1.0, 3.0)


async def every(interval: timedelta, step: Step, *, limit: timedelta) -> None:
    """Run `step` again and again, pausing `interval`; a step longer than `limit` is an error.

    An unreachable database is retried with back-off; anything else ends the process.
    """
    failures = 0
    while True:
        try:
            async with asyncio.timeout(limit.total_seconds()):
                await step()
        except DatabaseUnavailable:
            pause = BACK_OFF_S[min(failures, len(BACK_OFF_S) - 1)]
            failures += 1
            log.warning("database unreachable, job waits", extra={"attempt": failures})
            await asyncio.sleep(pause * random.uniform(0.7, 1.3))  # noqa: S311 - jitter
        else:
            failures = 0
            await asyncio.sleep(interval.total_seconds())


class Errands:
    """Short tasks of many owners. One that fails is logged, and told to its owner alone."""

    def __init__(self) -> None:
        self._group: asyncio.TaskGroup | None = None

    async def run(self) -> None:
        """For the life of the process; errands still going end with it."""
        async with asyncio.TaskGroup() as self._group:
            await asyncio.Event().wait()

    def start(
        self, errand: Coroutine[None, None, None], *, name: str, failed: Callable[[], None]
    ) -> "asyncio.Task[None]":
        assert self._group is not None  # noqa: S101 - run() began before anybody has errands
        return self._group.create_task(_carried_out(errand, failed), name=name)


async def _carried_out(errand: Coroutine[None, None, None], failed: Callable[[], None]) -> None:
    try:
        await errand
    except Exception:
        log.exception("errand failed")
        failed()


@asynccontextmanager
async def running(**jobs: Coroutine[None, None, None]) -> AsyncIterator[None]:
    """Run the named jobs for the life of the block; their errors surface here, none is lost."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(job, name=name) for name, job in jobs.items()]
        yield
        for task in tasks:
            task.cancel()

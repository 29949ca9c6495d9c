"""The agent's end of a media process, and the one kept ready because aiortc is slow to import."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Self

from pydantic import ValidationError

from edge.pipe import MAX_LINE_BYTES, REPORT, FirstFrame, Order, Ready, Report

START_TIMEOUT_S = 60
STOP_TIMEOUT_S = 2
RESTART_PAUSE_S = 1
SETTLE_LIMIT_S = 10
"""A taken process that has sent no picture by now will not be slowed by loading the next."""
FIRST_PICTURES_S = 2
"""The first pictures after that are on their way, too."""
ROOT = Path(__file__).resolve().parent.parent
"""`python -m edge` finds this very code there, wherever the agent was started."""


class MediaProcess:
    """A child `python -m edge media`. Orders are not waited for: the reports tell what came."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        if process.stdin is None or process.stdout is None:  # pragma: no cover - both are PIPE
            raise ValueError("the process has no pipes")
        self._process = process
        self._orders = process.stdin
        self._reports = process.stdout
        self.settled = asyncio.Event()
        """Its call has a picture, or is over."""
        self.over = asyncio.Event()

    @classmethod
    async def start(cls) -> Self:
        """A process that has imported everything; raises `TimeoutError` or `OSError`."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "edge",
            "media",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=MAX_LINE_BYTES,
            cwd=ROOT,
        )
        media = cls(process)
        try:
            async with asyncio.timeout(START_TIMEOUT_S):
                ready = await media.next_report()
        except BaseException:
            await media.kill()
            raise
        if not isinstance(ready, Ready):
            await media.kill()
            raise ChildProcessError("the media process did not get ready")
        return media

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def is_running(self) -> bool:
        return self._process.returncode is None

    def order(self, order: Order) -> None:
        """A process that is gone hears nothing; its reports have ended then."""
        with suppress(ConnectionError):
            self._orders.write(order.model_dump_json().encode() + b"\n")

    async def next_report(self) -> Report | None:
        """None when the process is gone or speaks nonsense."""
        try:
            line = await self._reports.readline()
            report = REPORT.validate_json(line) if line else None
        except (ValidationError, ValueError, ConnectionError):
            report = None
        if report is None or isinstance(report, FirstFrame):
            self.settled.set()
        if report is None:
            self.over.set()
        return report

    async def reports(self) -> AsyncIterator[Report]:
        while (report := await self.next_report()) is not None:
            yield report

    async def stop(self) -> None:
        """Close the pipe, which it obeys, and kill it when it does not."""
        self._orders.close()
        try:
            async with asyncio.timeout(STOP_TIMEOUT_S):
                await self._process.wait()
        except TimeoutError:
            await self.kill()

    async def kill(self) -> None:
        with suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()


class Standby:
    """One idle, imported process. The next is loaded once the one taken has settled: a second of
    computing in the middle of a call's setting up would be a picture a third of a second later.

    `most`: where many homes share one, so many are kept once more than one was asked for at a time.
    """

    def __init__(self, most: int = 1) -> None:
        self._most = most
        self._idle: asyncio.Queue[tuple[MediaProcess, asyncio.Event]] = asyncio.Queue(most)
        self._too_few = asyncio.Event()

    async def keep(self) -> None:
        """Run for the life of the agent."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._keep_one())
            for _ in range(self._most - 1):
                await self._too_few.wait()
                self._too_few.clear()
                group.create_task(self._keep_one())

    async def _keep_one(self) -> None:
        while True:
            try:
                media = await MediaProcess.start()
            except (TimeoutError, OSError):
                await asyncio.sleep(RESTART_PAUSE_S)
                continue
            taken = asyncio.Event()
            try:
                self._idle.put_nowait((media, taken))
                await taken.wait()
                await within(SETTLE_LIMIT_S, media.settled)
                await within(FIRST_PICTURES_S, media.over)
            finally:
                if not taken.is_set():
                    await media.stop()

    async def take(self) -> MediaProcess:
        """The ready process, or the next one; the taker stops it."""
        while True:
            if self._idle.empty():
                self._too_few.set()
            media, taken = await self._idle.get()
            taken.set()
            if media.is_running:
                return media

    def take_now(self) -> MediaProcess | None:
        """The ready process, if there is one at this moment."""
        if self._idle.empty():
            self._too_few.set()
            return None
        media, taken = self._idle.get_nowait()
        taken.set()
        return media if media.is_running else None


async def within(seconds: float, event: asyncio.Event) -> None:
    """Until then, or at most this long."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()

"""A TCP proxy on loopback that makes a line bad: jitter, stalls, cuts. It knows bytes only."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from random import Random
from typing import Literal

Direction = Literal["up", "down"]
"""Seen from whoever connects: `up` is towards the target."""
CHUNK_BYTES = 65_536
WAITING_CHUNKS = 10_000
"""In flight on one direction of one connection; when full the sender has to wait."""
GONE_S = 5
GONE_S = 5
Chunks = asyncio.Queue[tuple[float, bytes]]


@dataclass(slots=True)
class FaultProxy:
    """Made by `fault_proxy`. What it is told holds for every connection, open or to come."""

    target_port: int = 0
    port: int = 0
    accepted: int = 0
    """Connections taken so far."""
    jitter_s: tuple[float, float] = (0.0, 0.0)
    seeded: Random = field(default_factory=lambda: Random(70719))  # noqa: S311 - a test's chance
    _gates: dict[Direction, asyncio.Event] = field(default_factory=dict)
    _open: set[asyncio.StreamWriter] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._gates = {"up": asyncio.Event(), "down": asyncio.Event()}
        self.release()

    def shake(self, least_s: float, most_s: float) -> None:
        """Each chunk from now on is late by a random time; order is kept, as TCP keeps it."""
        self.jitter_s = (least_s, most_s)

    def stall(self, *directions: Direction) -> None:
        """Hold every byte (both ways when none is named); nobody is told."""
        for direction in directions or ("up", "down"):
            self._gates[direction].clear()

    def release(self) -> None:
        """No more jitter, and what was held goes on."""
        self.jitter_s = (0.0, 0.0)
        for gate in self._gates.values():
            gate.set()

    def cut(self) -> None:
        """Reset every open connection; new ones are taken."""
        for writer in list(self._open):
            writer.transport.abort()

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection from first to last."""
        self.accepted += 1
        try:
            there, target = await asyncio.open_connection("127.0.0.1", self.target_port)
        except OSError:
            writer.transport.abort()
            return
        both = {writer, target}
        self._open |= both
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pass_on(reader, target, "up"), name="up")
                group.create_task(self._pass_on(there, writer, "down"), name="down")
        except* OSError:
            pass
        finally:
            for end in both:
                end.transport.abort()
            self._open -= both

    async def _pass_on(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, direction: Direction
    ) -> None:
        chunks: Chunks = asyncio.Queue(WAITING_CHUNKS)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._take(source, chunks), name="take")
            group.create_task(self._give(chunks, sink, direction), name="give")

    async def _take(self, source: asyncio.StreamReader, chunks: Chunks) -> None:
        loop, due = asyncio.get_running_loop(), 0.0
        while True:
            chunk = await source.read(CHUNK_BYTES)
            due = max(due, loop.time() + self.seeded.uniform(*self.jitter_s))
            await chunks.put((due, chunk))
            if not chunk:
                return

    async def _give(self, chunks: Chunks, sink: asyncio.StreamWriter, direction: Direction) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due, chunk = await chunks.get()
            await asyncio.sleep(due - loop.time())
            await self._gates[direction].wait()
            if not chunk:
                sink.write_eof()
                return
            sink.write(chunk)
            await sink.drain()


@contextlib.asynccontextmanager
async def fault_proxy(target_port: int = 0) -> AsyncIterator[FaultProxy]:
    """Listens for the life of the block, sound until told otherwise."""
    proxy = FaultProxy(target_port)
    server = await asyncio.start_server(proxy.carry, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        proxy.release()
        proxy.cut()
        async with asyncio.timeout(GONE_S):
            while proxy._open:
                await asyncio.sleep(0.01)

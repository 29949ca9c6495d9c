"""Light homes for benches, somebody who gets their alarms, and a process that speaks for them."""

import asyncio
import contextlib
import json
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import aiohttp

from telecare.access import store as access_store
from telecare.access.http import STAFF_COOKIE
from telecare.access.model import Role
from telecare.access.service import begin_session
from telecare.bench.stack import ACTOR, Stack, child, until_says
from telecare.load.homes import LightHome
from telecare.load.registry import SLUG, UNIT, registered
from telecare.runtime.broker import Publish
from telecare.runtime.clock import SystemClock
from telecare.runtime.db import open_database, run_script
from telecare.runtime.embedded.postgres import SUPERUSER
from telecare.runtime.tasks import running
from telecare.shifts import store as shift_store
from telecare.wire.ids import ShiftId, StaffId, new_row_id
from telecare.wire.signalling import Ready, Subscribe

SEEN_S = 30.0
ON_THEIR_WAY = 10
"""Of a home's telemetry, without an answer of the broker (edge/link.py)."""
READY_S = 10.0
EMPTY_QUEUE = """
delete from timer where kind like 'alarm.%';
update alarm set state = 'closed', contact = 'phone', contact_with = 'resident', contact_at = now()
where state = 'new'
"""


async def homes_of(stack: Stack, count: int) -> list[LightHome]:
    """The database knows how many there are, as any does that has run for a minute."""
    async with open_database(stack.config.role_url("app"), size=2) as database:
        homes = await registered(database, count, SystemClock().now())
    await run_script(stack.services.postgres.url(SUPERUSER), "analyze")
    return homes


def home_at(homes: Sequence[LightHome], number: int) -> LightHome:
    """Whose event comes next when all replay: each sends as many as it may have on their way."""
    return homes[number // ON_THEIR_WAY % len(homes)]


@dataclass
class Console:
    """A staff page on its WebSocket. `seen`: when each alarm came, by its device's name."""

    seen: dict[str, float] = field(default_factory=dict)
    _came: asyncio.Event = field(default_factory=asyncio.Event)

    async def read(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        async for message in socket:
            at = time.monotonic()
            frame = json.loads(message.data)
            for row in frame.get("changed", ()):
                if row["row"] == "alarm":
                    self.seen.setdefault(row["device"], at)
            self._came.set()
        raise ConnectionError("the server closed a console")

    async def sees(self, devices: Iterable[str]) -> None:
        async with asyncio.timeout(SEEN_S):
            while not set(devices) <= self.seen.keys():
                self._came.clear()
                await self._came.wait()


@contextlib.asynccontextmanager
async def console(stack: Stack) -> AsyncIterator[Console]:
    """On shift, with its sound on."""
    made = Console()
    headers = {"Origin": stack.url, "Cookie": f"{STAFF_COOKIE}={await _signed_in(stack)}"}
    address = stack.url.replace("http", "ws")
    async with (
        aiohttp.ClientSession() as http,
        http.ws_connect(f"{address}/ws/staff", headers=headers, compress=0) as socket,
    ):
        await socket.send_str(Subscribe(view="today", unit=UNIT).model_dump_json())

        async def be_ready() -> None:
            while True:
                await socket.send_str(Ready(sound=True).model_dump_json())
                await asyncio.sleep(READY_S)

        async with running(reading=made.read(socket), ready=be_ready()):
            yield made


async def _signed_in(stack: Stack) -> str:
    """Somebody new who receives the simulated homes' alarms; her token."""
    now = SystemClock().now()
    staff = StaffId(uuid4())
    async with open_database(stack.config.role_url("app"), size=1) as database:
        async with database.across_tenants() as db:
            tenant = await access_store.tenant_by_slug(db, SLUG)
        assert tenant is not None  # noqa: S101 - its homes are registered
        async with database.transaction(tenant.id, ACTOR) as db:
            await access_store.add_staff(
                db, staff, name="Simulerad Ek", given_name="Simulerad", unit=UNIT,
                roles=[Role.LARMMOTTAGARE], languages=["sv"], language="sv", now=now,
            )  # fmt: skip
            await shift_store.begin(
                db, ShiftId(new_row_id(now)), staff_id=staff, unit_id=UNIT, tasks=[], now=now
            )
            return await begin_session(db, staff, "demo", now)


async def close_alarms(stack: Stack) -> None:
    """A board holds a hundred: those that were measured make room."""
    await run_script(stack.services.postgres.url(SUPERUSER), EMPTY_QUEUE)


@dataclass
class Feeder:
    """A process that says what was prepared, so that nobody who measures is disturbed by it."""

    process: "subprocess.Popen[bytes]"
    log: Path
    _times: int = 0

    def begin(self) -> None:
        assert self.process.stdin is not None  # noqa: S101 - it was asked for
        self.process.stdin.write(b"go\n")
        self.process.stdin.flush()

    async def fed(self) -> None:
        """Until the broker has it all."""
        self._times += 1
        await until_says(self.process, self.log, "fed\n" * self._times)


@contextlib.asynccontextmanager
async def feeder(stack: Stack, messages: Sequence[Publish]) -> AsyncIterator[Feeder]:
    name = f"feeding-{uuid4().hex}"
    path, log = stack.folder / f"{name}.jsonl", stack.folder / f"{name}.log"
    lines = (json.dumps([m.topic, m.payload.decode(), m.properties]) for m in messages)
    await asyncio.to_thread(path.write_text, "\n".join(lines))
    command = [sys.executable, "-m", "telecare.bench.reference.feeding"]
    with child([*command, stack.services.broker.url, str(path)], log) as running_:
        await until_says(running_, log, "up\n")
        yield Feeder(running_, log)

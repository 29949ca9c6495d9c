"""What a bench runs against: embedded services, one server process with invented people, homes.

The server is the demo's, started as a process: a bench measures from outside, as users would.
"""

import asyncio
import contextlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from os import environ
from pathlib import Path

import aiohttp
from pydantic import BaseModel

from telecare.access import store as access_store
from telecare.audit.model import CommandLineActor, actor_text
from telecare.devices.service import make_unit_code
from telecare.people import store as people_store
from telecare.people.model import Resident
from telecare.runtime.clock import SystemClock
from telecare.runtime.config import Config
from telecare.runtime.db import Database, Transaction, open_database
from telecare.runtime.embedded import process
from telecare.runtime.embedded.broker import Program
from telecare.runtime.embedded.services import EmbeddedServices
from telecare.runtime.errors import CannotStart
from telecare.wire.homes import HomeScript, Pressed
from telecare.wire.ids import ResidentId, TenantId

UP_S = 60.0
POLL_S = 0.01
STOP_S = 10.0
REST_S = 0.6
REST_TICKS = 2
UTIME, STIME = 11, 12
"""proc(5), /proc/pid/stat, counted after the name."""
TENANT_SLUG = "norrvika"
"""The invented municipality that the demo's server makes."""
BENCH = CommandLineActor("bench")
ACTOR = actor_text(BENCH)
STAMPS_FILE = "camera-stamps.jsonl"


class DidNotStart(CannotStart):
    """A process of the bench ended or did not answer in time; what it wrote is the message."""


class CameraStamp(BaseModel):
    """When a simulated camera opened or closed, on CLOCK_MONOTONIC."""

    on: bool
    at_ms: int


@dataclass(slots=True)
class SimulatedHome:
    resident_id: ResidentId
    folder: Path
    process: "subprocess.Popen[bytes]"

    async def camera_off_ms(self) -> int:
        """When the camera that is on closes, or closed, on time.monotonic()."""
        async with asyncio.timeout(UP_S):
            while True:
                stamp = await asyncio.to_thread(self._last_stamp)
                if not stamp.on:
                    return stamp.at_ms
                await asyncio.sleep(POLL_S)

    def _last_stamp(self) -> CameraStamp:
        lines = (self.folder / STAMPS_FILE).read_text().splitlines()
        return CameraStamp.model_validate_json(lines[-1])

    async def rested(self) -> None:
        """Until the unit works no more: after a call it makes the next media process ready."""
        async with asyncio.timeout(UP_S):
            while True:
                before = ticks_of_tree(self.process.pid)
                await asyncio.sleep(REST_S)
                if ticks_of_tree(self.process.pid) - before <= REST_TICKS:
                    return


@dataclass(slots=True)
class Stack:
    """Made by `running_stack`."""

    services: EmbeddedServices
    folder: Path
    port: int
    server: "subprocess.Popen[bytes]"

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    @property
    def config(self) -> Config:
        return Config.from_environment(environment(self.services, self.port))

    @contextlib.contextmanager
    def frozen(self) -> Iterator[float]:
        """The server process does nothing inside the block. Gives when, on time.monotonic()."""
        self.server.send_signal(signal.SIGSTOP)
        try:
            yield time.monotonic()
        finally:
            self.server.send_signal(signal.SIGCONT)

    @contextlib.asynccontextmanager
    async def home_of(
        self, given_name: str, *, answers_after_s: float = 0
    ) -> AsyncIterator[SimulatedHome]:
        """A unit in the resident's home, and the simulated person in it."""
        resident_id, code = await self._unit_code(given_name)
        folder = self.folder / f"home-{resident_id}"
        script = HomeScript(
            state_dir=str(folder),
            server_url=self.url,
            enrol_code=code,
            when_it_rings=Pressed(key="answer", after_s=answers_after_s),
        )
        log = self.folder / f"home-{resident_id}.log"
        with log.open("ab") as output:
            running = process.start(
                [sys.executable, "-m", "edge", "simulate"],
                output=output,
                stdin=subprocess.PIPE,
                environment=environment(self.services, self.port),
            )
        try:
            if running.stdin is not None:
                running.stdin.write(f"{script.model_dump_json()}\n".encode())
                running.stdin.close()
            await until_says(running, log, '"up": true')
            yield SimulatedHome(resident_id, folder, running)
        finally:
            process.stop(running, signal.SIGTERM, STOP_S)

    async def tenant(self, database: Database) -> TenantId:
        """The invented municipality."""
        async with database.across_tenants() as db:
            found = await access_store.tenant_by_slug(db, TENANT_SLUG)
        if found is None:
            raise DidNotStart(f"no municipality is called {TENANT_SLUG}")
        return found.id

    async def resident(self, db: Transaction, given_name: str) -> Resident:
        found = await people_store.search(
            db, given_name, by=None, now=datetime.now(UTC), after=None, limit=1
        )
        resident = await people_store.resident(db, found[0].id) if found else None
        if resident is None:
            raise DidNotStart(f"nobody is called {given_name}")
        return resident

    async def _unit_code(self, given_name: str) -> tuple[ResidentId, str]:
        async with open_database(self.config.role_url("app"), size=1) as database:
            tenant = await self.tenant(database)
            async with database.transaction(tenant, ACTOR) as db:
                resident = await self.resident(db, given_name)
                code = await make_unit_code(db, resident, "Teven", SystemClock().now())
                return resident.id, code


def ticks_of_tree(pid: int) -> int:
    """CPU time of a process and its descendants, in clock ticks; a process just gone counts 0."""
    proc = Path("/proc") / str(pid)
    try:
        fields = (proc / "stat").read_text().rpartition(")")[2].split()
        children = (proc / "task" / str(pid) / "children").read_text().split()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    used = int(fields[UTIME]) + int(fields[STIME])
    return used + sum(ticks_of_tree(int(child)) for child in children)


def environment(services: EmbeddedServices, port: int) -> dict[str, str]:
    return {**environ, **services.environment, "TELECARE_PUBLIC_URL": f"http://localhost:{port}"}


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def folder_of_bench() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="telecare-bench-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.asynccontextmanager
async def running_stack(broker: Program = "iotcore") -> AsyncIterator[Stack]:
    """For the life of the block; a fresh database with the defaults of the demo."""
    with folder_of_bench() as folder:
        services = EmbeddedServices(folder, broker_program=broker)
        services.start()
        try:
            await services.prepare()
            port = free_port()
            log = folder / "server.log"
            with log.open("ab") as output:
                server = process.start(
                    [sys.executable, "-m", "telecare.demo.server", str(port), "localhost"],
                    output=output,
                    environment=environment(services, port),
                )
            try:
                await until_ready(f"http://localhost:{port}", server, log)
                yield Stack(services, folder, port, server)
            finally:
                process.stop(server, signal.SIGTERM, STOP_S)
        finally:
            services.stop()


@contextlib.asynccontextmanager
async def reference_process(
    module: str, folder: Path, *, port: int
) -> AsyncIterator[tuple[str, "subprocess.Popen[bytes]"]]:
    """`telecare/bench/reference/<module>.py` as a process; gives the address and itself."""
    log = folder / f"{module}.log"
    with log.open("ab") as output:
        running = process.start(
            [sys.executable, "-m", f"telecare.bench.reference.{module}", str(port)], output=output
        )
    try:
        await until_says(running, log, "up")
        yield f"http://localhost:{port}", running
    finally:
        process.stop(running, signal.SIGTERM, STOP_S)


async def until_ready(url: str, server: "subprocess.Popen[bytes]", log: Path) -> None:
    """Until database and broker answer too."""
    with _tells_when_late(log):
        async with asyncio.timeout(UP_S), aiohttp.ClientSession() as http:
            while server.poll() is None:
                with contextlib.suppress(aiohttp.ClientError):
                    async with http.get(f"{url}/readyz") as answer:
                        if answer.status == 200:  # noqa: PLR2004 - HTTP's own number
                            return
                await asyncio.sleep(POLL_S)
    raise DidNotStart(await asyncio.to_thread(log.read_text))


async def until(is_so: Callable[[], bool]) -> None:
    """Looks again and again; the caller sets the limit."""
    while not is_so():  # noqa: ASYNC110 - other processes tell nobody
        await asyncio.sleep(POLL_S)


@contextlib.contextmanager
def child(
    command: list[str], log: Path, own_environment: Mapping[str, str] | None = None
) -> Iterator["subprocess.Popen[bytes]"]:
    """A process for the life of the block, with a line to its standard input."""
    with log.open("ab") as output:
        running = process.start(
            command, output=output, stdin=subprocess.PIPE, environment=own_environment
        )
    try:
        yield running
    finally:
        process.stop(running, signal.SIGTERM, STOP_S)
        if running.stdin is not None:
            running.stdin.close()


async def until_says(
    running: "subprocess.Popen[bytes]", log: Path, words: str, *, times: int = 1
) -> None:
    with _tells_when_late(log):
        async with asyncio.timeout(UP_S):
            while running.poll() is None:
                if (await asyncio.to_thread(log.read_text)).count(words) >= times:
                    return
                await asyncio.sleep(POLL_S)
    raise DidNotStart(await asyncio.to_thread(log.read_text))


@contextlib.contextmanager
def _tells_when_late(log: Path) -> Iterator[None]:
    try:
        yield
    except TimeoutError as error:
        raise DidNotStart(log.read_text()) from error

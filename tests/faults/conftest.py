"""A whole Telecare of its own for fault runs: real processes on loopback, each of which may die."""

import asyncio
import contextlib
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import UTC
from pathlib import Path

import aiohttp
import asyncpg
import pytest

from telecare.access.model import Role
from telecare.app import services
from telecare.runtime.clock import Clock, FileClock, SystemClock
from telecare.runtime.config import Config
from telecare.runtime.db import open_database
from telecare.runtime.embedded import process
from telecare.runtime.embedded.postgres import SUPERUSER, PostgresDidNotStart
from telecare.runtime.embedded.services import EmbeddedServices
from tests.faults.history import Finding, Held, Place, compared
from tests.faults.homes import Home, Homes, day_of, home_folder
from tests.faults.operator import Operator
from tests.ports import port_beside_the_flows
from tests.world import TOKENS, World

UP_S = 30
DRAINED_S = 90
EVENTS = """
select unit_id, boot, seq, kind, received_at, payload ->> 'device' as device from event
where tenant_id = $1
"""
ALARMS = """
select source_id, reference, device, received_at from alarm
where tenant_id = $1 and source = 'unit'
"""
STORED = """
select (select count(*) from event where tenant_id = $1)
    + (select count(*) from alarm where tenant_id = $1) as count
"""


def pytest_collection_modifyitems(items) -> None:
    here = str(Path(__file__).parent)
    for item in items:
        if str(item.path).startswith(here) and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(240))


@dataclass
class Server:
    """One server process."""

    port: int
    log: Path
    environment: dict[str, str]
    clock_file: Path | None = None
    """With one, the demo's server: `serve` knows no moved clock."""
    running: object = None
    starts: int = 0

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    def start(self) -> None:
        self.starts += 1
        program = ["telecare", "serve", "--port", str(self.port)]
        if self.clock_file is not None:
            program = ["telecare.demo.server", str(self.port), "localhost", str(self.clock_file)]
        with self.log.open("ab") as output:
            self.running = process.start(
                [sys.executable, "-m", *program], output=output, environment=self.environment
            )

    async def is_up(self) -> None:
        """It answers. One that ended because it found no database is started again, as by systemd.

        Not `/readyz`: nobody keeps the log's tree here.
        """
        async with asyncio.timeout(UP_S), aiohttp.ClientSession() as http:
            while True:
                if self.running.poll() is not None:
                    self.start()
                with contextlib.suppress(aiohttp.ClientError):
                    async with http.get(f"{self.url}/healthz") as answer:
                        if answer.status == 200:
                            return
                await asyncio.sleep(0.05)

    def stop(self) -> None:
        process.stop(self.running, signal.SIGTERM, 10)


@dataclass
class Site:
    """Database, broker and one server process."""

    services: EmbeddedServices
    folder: Path
    port: int
    clock_file: Path | None = None
    server: Server = field(init=False)

    def __post_init__(self) -> None:
        log = self.folder / "server.log"
        self.server = Server(self.port, log, self.environment, self.clock_file)

    @property
    def clock(self) -> Clock:
        return FileClock(self.clock_file) if self.clock_file else SystemClock()

    @property
    def url(self) -> str:
        return self.server.url

    @property
    def config(self) -> Config:
        return Config.from_environment(self.environment)

    @property
    def environment(self) -> dict[str, str]:
        url = f"http://localhost:{self.port}"
        return {**os.environ, **self.services.environment, "TELECARE_PUBLIC_URL": url}

    @contextlib.contextmanager
    def second_server(self) -> Iterator[Server]:
        second = Server(port_beside_the_flows(), self.folder / "second.log", self.environment)
        second.start()
        try:
            yield second
        finally:
            second.stop()

    def signal_server(self, number: signal.Signals) -> None:
        self.server.running.send_signal(number)

    def start_server(self) -> None:
        self.server.start()

    async def server_up(self) -> None:
        await self.server.is_up()

    def kill_server(self) -> None:
        self.signal_server(signal.SIGKILL)
        self.server.running.wait()

    def kill_broker(self) -> None:
        os.kill(self.services.broker.pid, signal.SIGKILL)
        while not self.services.broker.ended():
            time.sleep(0.01)

    def kill_postgres(self) -> None:
        """The postmaster and every process of its."""
        first = self.services.postgres.pid
        children = Path(f"/proc/{first}/task/{first}/children").read_text().split()
        for pid in (first, *(int(child) for child in children)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        while not self.services.postgres.ended():
            time.sleep(0.01)

    @property
    def database_folder(self) -> Path:
        return self.services.folder / "postgres"

    async def watch(self) -> None:
        """Starts what ended by itself, as systemd would, for the life of the block."""
        while True:
            await asyncio.sleep(0.5)
            with contextlib.suppress(PostgresDidNotStart):
                if self.services.postgres.ended():
                    self.services.postgres.restart()
            if self.server.running.poll() is not None:
                self.server.start()

    async def rows(self, sql: str, *values: object) -> list[dict]:
        """Asked again while the database is down."""
        async with asyncio.timeout(UP_S):
            while True:
                with contextlib.suppress(OSError, asyncpg.PostgresError):
                    connection = await asyncpg.connect(self.services.postgres.url(SUPERUSER))
                    try:
                        return [dict(row) for row in await connection.fetch(sql, *values)]
                    finally:
                        await connection.close()
                await asyncio.sleep(0.05)

    async def until(self, sql: str, *values: object) -> list[dict]:
        """Rows as soon as there are any."""
        async with asyncio.timeout(UP_S):
            while not (rows := await self.rows(sql, *values)):
                await asyncio.sleep(0.005)
        return rows

    def stop(self) -> None:
        self.server.stop()
        self.services.stop()


@contextlib.contextmanager
def running_site(
    *, has_moved_clock: bool = False, database_folder: Path | None = None, **settings: str
) -> Iterator[Site]:
    """On disk as in production: what is committed is synced. `settings`: of PostgreSQL."""
    folder = Path(tempfile.mkdtemp(prefix="telecare-fault-"))
    if database_folder is not None:
        (folder / "postgres").symlink_to(database_folder)
    made = EmbeddedServices(folder, postgres_settings=settings)
    made.start()
    asyncio.run(made.prepare())
    clock_file = folder / "clock" if has_moved_clock else None
    if clock_file is not None:
        clock_file.write_text("0")
    site = Site(made, folder, port_beside_the_flows(), clock_file)
    site.start_server()
    try:
        asyncio.run(site.server_up())
        yield site
    finally:
        site.stop()
        if kept := os.environ.get("TELECARE_KEEP_LOGS"):
            shutil.copytree(folder, kept, dirs_exist_ok=True, ignore=lambda *_: ["data"])
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with running_site() as site:
        yield site


@dataclass
class Run:
    """A municipality of its own with homes in it, and somebody who receives its alarms."""

    site: Site
    world: World
    operator: Operator
    groups: list[Homes] = field(default_factory=list)
    expected: int = 0
    processes: int = 1
    """Of homes."""

    @property
    def broker_port(self) -> int:
        return self.site.services.broker.port

    async def furnished(
        self, count: int, *, events: int, alarms: int, seconds: float,
        broker_url: str | None = None, second_url: str | None = None,
    ) -> Homes:  # fmt: skip
        """So many homes in a process that has not begun."""
        homes = []
        there = sum(len(group.homes) for group in self.groups)
        for number in range(there, there + count):
            unit = await self.world.home_unit(await self.world.resident(f"Prov{number}"))
            home = Home(unit, home_folder(self.site.folder))
            home.furnish(broker_url or self.site.services.broker.url, second_url)
            home.happens = day_of(number, events=events, alarms=alarms, seconds=seconds)
            homes.append(home)
        group = Homes(homes, self.site.folder / f"homes-{len(self.groups)}.log")
        self.groups.append(group)
        self.expected += group.meant
        return group

    async def stored_more(self, count: int) -> None:
        """Until the database holds so many more than now."""
        wanted = await self._count_stored() + count
        async with asyncio.timeout(DRAINED_S):
            while await self._count_stored() < wanted:
                await asyncio.sleep(0.1)

    async def said_more(self, count: int) -> None:
        """Until the homes have said so many more than now, to whoever hears them."""
        wanted = self._count_said() + count
        async with asyncio.timeout(DRAINED_S):
            while self._count_said() < wanted:
                await asyncio.sleep(0.1)

    async def _count_stored(self) -> int:
        [row] = await self.site.rows(STORED, self.world.tenant)
        return row["count"]

    def _count_said(self) -> int:
        return sum(group.count_said() for group in self.groups)

    async def drained(self) -> None:
        for group in self.groups:
            await group.have_nothing_left(DRAINED_S)

    async def held(self) -> list[Held]:
        events = await self.site.rows(EVENTS, self.world.tenant)
        alarms = await self.site.rows(ALARMS, self.world.tenant)
        return [
            *(
                Held(
                    Place(row["unit_id"], str(row["boot"]), row["seq"]),
                    False, row["device"] or row["kind"], row["received_at"].astimezone(UTC),
                )
                for row in events
            ),
            *(
                Held(
                    Place(row["source_id"], boot, int(seq)),
                    True, row["device"], row["received_at"].astimezone(UTC),
                )
                for row in alarms
                for boot, _, seq in [row["reference"].partition("/")]
            ),
        ]  # fmt: skip

    async def findings(self) -> list[Finding]:
        """What the homes said beside what the database holds."""
        said = [one for group in self.groups for one in group.said()]
        return compared(said, await self.held())

    async def is_seen(self, alarm: str) -> None:
        async with asyncio.timeout(UP_S):
            while alarm not in self.operator.seen:
                await asyncio.sleep(0.05)

    async def slowest_alarm_s(self) -> float:
        """From a home's own disk to the operator's screen, of all that were pressed."""
        pressed = {
            one.what: one.at.timestamp()
            for group in self.groups
            for one in group.said()
            if one.is_alarm
        }
        for what in pressed:
            await self.is_seen(what)
        return max(self.operator.seen[what] - at for what, at in pressed.items())


@pytest.fixture
async def unwatched(site) -> AsyncIterator[Run]:
    """Nobody receives the alarms."""
    config = site.config
    async with (
        open_database(config.role_url("app"), size=4) as database,
        open_database(config.role_url("reader"), size=1, least=0) as reader,
    ):
        database.dispatch = lambda effect: None
        made = services(database, reader, site.clock, config)
        async with World.found(made, site.services.postgres.url(SUPERUSER)) as world:
            maria = await world.staff("Maria", role=Role.LARMMOTTAGARE, on_shift=True)
            operator = Operator([site.url], str(world.unit), TOKENS[maria.id])
            fresh = Run(site, world, operator)
            try:
                yield fresh
            finally:
                for homes in fresh.groups:
                    homes.stop()


@pytest.fixture
async def run(unwatched) -> AsyncIterator[Run]:
    """Somebody receives them."""
    async with asyncio.TaskGroup() as group:
        watching = group.create_task(unwatched.operator.watch(), name="operator")
        await unwatched.operator.is_there()
        yield unwatched
        watching.cancel()

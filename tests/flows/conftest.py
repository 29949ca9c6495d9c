"""Whole processes as in `telecare demo`, and real Chromium, in a network namespace of their own."""

import asyncio
import contextlib
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import aiohttp
import asyncpg
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright

from telecare.bench.browser import ARGUMENTS
from telecare.demo import seed
from telecare.runtime.clock import STOCKHOLM, FileClock
from telecare.runtime.config import Config
from telecare.runtime.db import open_database
from telecare.runtime.embedded import process
from telecare.runtime.embedded.postgres import SUPERUSER
from telecare.runtime.embedded.services import EmbeddedServices
from telecare.runtime.ports import free_port
from telecare.runtime.sealing import make_key
from telecare.wire.homes import HomeScript, Pressed
from tests.flows.kept_state import keep, put_back

CHROMIUM = (
    shutil.which("chromium-headless-shell") or shutil.which("chromium") or "/usr/bin/chromium"
)
"""The same engine, without windows where it can be had."""
WATCH_PEERS = """
(() => {
  const Real = window.RTCPeerConnection;
  window.peers = [];
  window.RTCPeerConnection = class extends Real {
    constructor(...given) { super(...given); window.peers.push(this); }
  };
})();
"""
CALLS_LONG_OVER = """
update call set
    state = 'ended',
    ended_at = coalesce(ended_at, now()),
    end_reason = coalesce(end_reason, 'cancelled'),
    created_at = created_at - interval '1 year'
"""
UP_S = 30
LOG_SHOWN = 4_000
"""Characters, when a server has ended that nobody ended."""
PATIENCE_S = 25


def pytest_collection_modifyitems(items) -> None:
    here = str(Path(__file__).parent)
    missing = None
    if not Path(CHROMIUM).exists():
        missing = "chromium is not installed"
    elif os.environ.get("TELECARE_TEST_NETWORK") != "1":
        missing = "network namespaces are not allowed here"
    for item in items:
        if str(item.path).startswith(here):
            item.add_marker(pytest.mark.timeout(120))
            if missing:
                item.add_marker(pytest.mark.skip(reason=missing))


def _until_ten() -> timedelta:
    now = datetime.now(STOCKHOLM)
    return now.replace(hour=10, minute=0, second=0, microsecond=0) - now


@dataclass
class Stack:
    """Embedded services, one server process, and simulated homes."""

    services: EmbeddedServices
    folder: Path
    port: int
    extra: dict[str, str] = field(default_factory=dict)
    is_demo: bool = True
    """False: `telecare serve` itself, with the clock of the machine and nobody in it."""
    release: Path | None = None
    """Where the server's code lies; None: here."""
    lan_file: str = ""
    server: object = None
    sequencer: object = None
    homes: list = field(default_factory=list)
    homes_kept: int = 0
    """That many of them belong to the state that is kept."""
    folders_kept: set[Path] = field(default_factory=set)
    at_ten: timedelta = field(default_factory=_until_ten)

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            **self.services.environment,
            "TELECARE_PUBLIC_URL": self.url,
            **self.extra,
        }

    @property
    def clock_file(self) -> Path:
        return self.folder / "clock"

    def start_server(self) -> None:
        demo = [
            "telecare.demo.server", str(self.port), "localhost", str(self.clock_file), self.lan_file
        ]  # fmt: skip
        serve = ["telecare", "serve", "--port", str(self.port)]
        with (self.folder / "server.log").open("ab") as output:
            self.server = process.start(
                [sys.executable, "-m", *(demo if self.is_demo else serve)],
                output=output,
                environment=self.environment,
                folder=self.release,
            )

    def start_sequencer(self) -> None:
        make_key(self.services.log_key_dir / f"{seed.SLUG}.key")
        with (self.folder / "sequencer.log").open("ab") as output:
            self.sequencer = process.start(
                [sys.executable, "-m", "telecare", "sequencer"],
                output=output,
                environment={
                    **self.environment,
                    "TELECARE_LOG_KEY_DIR": str(self.services.log_key_dir),
                },
            )

    async def telecare(self, *arguments: str) -> str:
        """What a command of the command line prints; it must succeed."""
        run = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "telecare", *arguments,
            stdout=asyncio.subprocess.PIPE, env=self.environment,
        )  # fmt: skip
        output, _ = await run.communicate()
        assert run.returncode == 0
        return output.decode().strip()

    async def server_up(self) -> None:
        async with asyncio.timeout(UP_S), aiohttp.ClientSession() as http:
            while True:
                with contextlib.suppress(aiohttp.ClientError):
                    async with http.get(f"{self.url}/readyz") as answer:
                        if answer.status == 200:
                            return
                await asyncio.sleep(0.02)

    def kill_server(self) -> None:
        self.server.send_signal(signal.SIGKILL)
        self.server.wait()

    async def start_home(self, key: str, **script: object) -> str:
        """A simulated home unit at `key`'s, up and enrolled; the code it spent."""
        config = Config.from_environment(self.environment)
        home = next(h for h in seed.HOMES if h.key == key)
        now = FileClock(self.clock_file).now()
        async with open_database(config.role_url("app"), size=2) as database:
            tenant = await seed.seed(database, now)
            codes = await seed.unit_codes(database, tenant, [home], now)
        written = HomeScript(
            state_dir=str(self.folder / "homes" / key),
            server_url=self.url,
            enrol_code=codes[key],
            **{"when_it_rings": Pressed(key="answer", after_s=0.2), **script},
        )
        log = self.folder / f"home-{key}.log"
        with log.open("ab") as output:
            running = process.start(
                [sys.executable, "-m", "edge", "simulate"],
                output=output,
                stdin=-1,
                environment=self.environment,
            )
        running.stdin.write(f"{written.model_dump_json()}\n".encode())
        running.stdin.close()
        self.homes.append(running)
        async with asyncio.timeout(UP_S):
            while '"up": true' not in log.read_text():
                await asyncio.sleep(0.05)
        return codes[key]

    async def rows(self, sql: str, *values: object) -> list[dict]:
        async with self._superuser() as database:
            return [dict(row) for row in await database.fetch(sql, *values)]

    async def until(self, sql: str, *values: object) -> list[dict]:
        """Rows as soon as there are any."""
        async with asyncio.timeout(UP_S):
            while not (rows := await self.rows(sql, *values)):
                await asyncio.sleep(0.05)
        return rows

    def move_clock(self, **further: float) -> None:
        """Ten in the morning in Sweden when the tests began, and `further`."""
        self.clock_file.write_text(str((self.at_ten + timedelta(**further)).total_seconds()))

    def home_folders(self) -> set[Path]:
        return set((self.folder / "homes").glob("*"))

    async def new_day(self) -> None:
        """As it was when the state was kept: nobody in a call, every visit still to be held."""
        has_ended = self.server.poll() is not None
        assert not has_ended, (self.folder / "server.log").read_text()[-LOG_SHOWN:]
        for home in self.homes[self.homes_kept :]:
            process.stop(home, signal.SIGTERM, 10)
        del self.homes[self.homes_kept :]
        for folder in self.home_folders() - self.folders_kept:
            shutil.rmtree(folder)  # the database knows its unit no more
            (self.folder / f"home-{folder.name}.log").unlink()
        async with self._superuser() as database:
            await put_back(database)
            await database.execute(CALLS_LONG_OVER)
            await database.execute("delete from timer")
            await database.execute("select pg_notify('telecare', $1)", f"unit:{seed.TEAM}")
        self.move_clock()

    async def keep_state(self) -> None:
        """Each new day begins like this, and with the homes that are up now."""
        self.homes_kept = len(self.homes)
        self.folders_kept = self.home_folders()
        async with self._superuser() as database:
            await keep(database)

    @contextlib.asynccontextmanager
    async def _superuser(self) -> AsyncIterator[asyncpg.Connection]:
        connection = await asyncpg.connect(self.services.postgres.url(SUPERUSER))
        try:
            yield connection
        finally:
            await connection.close()

    def stop(self) -> None:
        for home in self.homes:
            process.stop(home, signal.SIGTERM, 10)
        for each in (self.server, self.sequencer):
            process.stop(each, signal.SIGTERM, 10)
        self.services.stop()


def remove(folder: Path) -> None:
    """A stack's folder; its logs stay when TELECARE_KEEP_LOGS names a place for them."""
    if kept := os.environ.get("TELECARE_KEEP_LOGS"):
        shutil.copytree(folder, kept, dirs_exist_ok=True, ignore=lambda *_: ["data"])
    shutil.rmtree(folder, ignore_errors=True)


async def started(folder: Path, *, is_demo: bool = True, **extra: str) -> Stack:
    services = EmbeddedServices(folder, postgres_settings={"fsync": "off"})
    services.start()
    await services.prepare()
    # None that a connection going out could be given before the server listens.
    stack = Stack(services, folder, free_port(0), extra, is_demo)
    stack.move_clock()
    stack.start_server()
    stack.start_sequencer()
    await stack.server_up()
    await stack.keep_state()
    return stack


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def stack() -> AsyncIterator[Stack]:
    folder = Path(tempfile.mkdtemp(prefix="telecare-flow-"))
    running = await started(folder)
    try:
        await running.start_home("ingrid")
        await running.keep_state()
        yield running
    finally:
        running.stop()
        remove(folder)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        await browser.close()


@dataclass
class Windows:
    """Browser windows of a test. A console error fails the test (catches CSP breaks)."""

    browser: Browser
    url: str
    contexts: list = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    urls: list[str] = field(default_factory=list)
    """Every address a page has asked for."""

    async def new(self, **options: object) -> Page:
        context = await self.browser.new_context(
            permissions=["camera", "microphone"],
            locale="sv-SE",
            **{"viewport": {"width": 1440, "height": 900}, **options},
        )
        await context.add_init_script(WATCH_PEERS)
        self.contexts.append(context)
        context.on("request", lambda request: self.urls.append(request.url))
        context.set_default_timeout(PATIENCE_S * 1000)
        page = await context.new_page()
        page.on("console", self._heard)
        page.on("websocket", lambda socket: self.urls.append(socket.url))
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        return page

    def _heard(self, message) -> None:
        lost = (
            "WebSocket connection to" in message.text or "Failed to load resource" in message.text
        )
        if message.type == "error" and not lost:
            self.errors.append(message.text)

    async def staff(self, name: str = "Maria Ek", **options: object) -> Page:
        page = await self.new(**options)
        await page.goto(self.url)
        await page.get_by_role("button", name=name).click()
        await page.locator("[data-test^=filter-]").first.wait_for()
        return page

    async def tv(self, home: str = "birgitta", **options: object) -> Page:
        page = await self.new(viewport={"width": 1920, "height": 1080}, **options)
        await page.goto(f"{self.url}/demo/tv/{home}")
        await page.locator("[data-test=home], [data-test=night]").first.wait_for()
        if await page.locator("[data-test=night]").count():
            await page.keyboard.press("ArrowUp")
            await page.locator("[data-test=home]").wait_for()
        return page

    async def close(self) -> None:
        for context in self.contexts:
            await context.close()


@pytest_asyncio.fixture(loop_scope="session")
async def day(stack) -> None:
    """Nothing is left of what another test did."""
    await stack.new_day()


@pytest_asyncio.fixture(loop_scope="session")
async def windows(stack, day, chromium) -> AsyncIterator[Windows]:
    made = Windows(chromium, stack.url)
    yield made
    await made.close()
    assert made.errors == []


@pytest_asyncio.fixture(loop_scope="session")
async def in_language(stack, day):
    """Staff and residents get pages in this language."""

    async def speak(language: str) -> None:
        await stack.rows("update staff set language = $1", language)
        await stack.rows(
            "update resident set language = $1 where given_name in ('Birgitta', 'Ingrid')", language
        )

    return speak


VIDEO = "[...document.querySelectorAll('video')].filter(v => v.srcObject && !v.muted)[0]"
ENERGY = """
async () => {
  let sum = 0;
  for (const peer of window.peers) {
    for (const [, r] of await peer.getStats()) {
      if (r.type === "inbound-rtp" && r.kind === "audio") sum += r.totalAudioEnergy || 0;
    }
  }
  return sum;
}
"""
FRAMES = """
async () => {
  let sum = 0;
  for (const peer of window.peers) {
    for (const [, r] of await peer.getStats()) {
      if (r.type === "inbound-rtp" && r.kind === "video") sum += r.framesDecoded || 0;
    }
  }
  return sum;
}
"""


async def sees(page: Page) -> None:
    """Frames arrive and go on arriving."""
    async with asyncio.timeout(PATIENCE_S):
        first = await page.evaluate(FRAMES)
        while await page.evaluate(FRAMES) < first + 10:
            await asyncio.sleep(0.05)


async def hears(page: Page) -> None:
    async with asyncio.timeout(PATIENCE_S):
        first = await page.evaluate(ENERGY)
        while await page.evaluate(ENERGY) <= first:
            await asyncio.sleep(0.05)


async def stops_seeing(page: Page) -> None:
    """No new frame for a second."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            before = await page.evaluate(FRAMES)
            await asyncio.sleep(1)
            if await page.evaluate(FRAMES) == before:
                return

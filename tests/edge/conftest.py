"""A real broker, a home as a child process, and a network of its own for tests with pictures."""

import asyncio
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from iotcore import Broker
from outsider import WAIT_S, Server

from edge.agent import Agent, Fittings
from edge.clock import HomeClock
from edge.hardware.lamp import SimulatedLamp
from edge.hardware.screen import SimulatedScreen
from edge.hardware.speaker import SimulatedSpeaker
from edge.homes import OUTBOX_FILE, SIGNS_FILE
from edge.identity import Identity, to_text
from edge.media_process import Standby
from edge.outbox import Outbox
from edge.pipe import Hardware
from edge.sensing import Signal
from telecare.wire.homes import HomeScript, HomeSettings, Pressed
from telecare.wire.ids import new_unit_id
from tests.gaps import Gaps

ROOT = Path(__file__).resolve().parents[2]
INSIDE = "TELECARE_TEST_NETWORK"
OUTCOMES = pytest.StashKey()
NETWORK = """
ip link set lo up
ip link add care0 type veth peer name care1
ip addr add 10.99.0.1/24 dev care0
ip link set care0 up
ip link set care1 up
exec "$@"
"""
OWN_DISK = (
    *("unshare", "-Urm", "sh", "-ec"),
    'mount -t tmpfs -o "$1" tmpfs "$3"; cp -a "$2/." "$3/"; shift 3; exec "$@"',
)
BROKER = """
id = 0
[router]
id = 0
max_connections = 1000
max_outgoing_packet_count = 200
max_segment_size = 104857600
max_segment_count = 10
[v5.1]
name = "v5"
listen = "127.0.0.1:{port}"
next_connection_delay_ms = 1
[v5.1.connections]
connection_timeout_ms = 60000
max_payload_size = 65536
max_inflight_count = 100
dynamic_filters = true
"""


def pytest_configure(config):
    config.addinivalue_line(
        "markers", "network: runs in a network namespace of its own, where ICE finds an address"
    )


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session):
    """Run the `network` tests first, in one child pytest inside a namespace."""
    items = [item for item in session.items if is_for_network(item)]
    if items and not session.config.option.collectonly:
        with tempfile.TemporaryDirectory() as folder:
            session.config.stash[OUTCOMES] = outcomes_inside(items, Path(folder) / "outcomes.xml")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item, nextitem):
    """The outcome in there is the test's outcome here."""
    if not is_for_network(item):
        return None
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    kind, said = item.config.stash[OUTCOMES].get(item.name, ("error", "it did not run"))
    call = pytest.CallInfo.from_call(lambda: repeat(kind, said), "call")
    report = pytest.TestReport.from_item_and_call(item, call)
    item.ihook.pytest_runtest_logreport(report=report)
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    # What the test before has left standing, for this one's module, is nobody's from here on.
    item.session._setupstate.teardown_exact(nextitem)
    return True


def is_for_network(item) -> bool:
    return item.get_closest_marker("network") is not None and INSIDE not in os.environ


def outcomes_inside(items, report: Path) -> dict[str, tuple[str, str]]:
    """What became of each test, by name."""
    if subprocess.run(["unshare", "-Urn", "true"], check=False).returncode != 0:
        refused = ("skipped", "no network namespaces here: `unshare -Urn` is refused")
        return dict.fromkeys((item.name for item in items), refused)
    plugins = ["-p", "pytest_asyncio.plugin", "-p", "pytest_timeout", "-p", "no:cacheprovider"]
    alone = ["unshare", "-Urn", "sh", "-ec", NETWORK, "sh"]
    wanted = ["-rP", "--junitxml", str(report), *(item.nodeid for item in items)]
    done = subprocess.run(
        [*alone, sys.executable, "-m", "pytest", "-q", *plugins, *wanted],
        cwd=ROOT,
        env={**os.environ, INSIDE: "1", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=600,
    )
    print("\n".join(line for line in done.stdout.splitlines() if " gap" in line))  # noqa: T201
    if not report.exists():
        return dict.fromkeys((item.name for item in items), ("error", done.stdout))
    cases = ET.parse(report).iter("testcase")  # noqa: S314 - our own file
    return {case.get("name"): outcome(case) for case in cases}


def outcome(case) -> tuple[str, str]:
    """What became of it, and why, when it did not pass."""
    for part in case:
        if part.tag in {"failure", "error", "skipped"}:
            return part.tag, part.text or part.get("message") or ""
    return "passed", ""


def repeat(kind: str, said: str) -> None:
    if kind == "skipped":
        pytest.skip(said)
    if kind != "passed":
        pytest.fail(said, pytrace=False)


class EmbeddedBroker:
    """iotcore on 127.0.0.1; may be killed and started again on the same port."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self._config = folder / "broker.toml"
        self._config.write_text(BROKER.format(port=self.port))
        self.start()

    def start(self) -> None:
        self._broker = Broker(config_path=str(self._config)).start()

    def stop(self) -> None:
        self._broker.stop()

    @property
    def url(self) -> str:
        return f"mqtt://127.0.0.1:{self.port}"


class Line:
    """A network between home and broker that can stall, without either end hearing of it."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._flows = asyncio.Event()
        self._flows.set()
        self._tasks: set[asyncio.Task] = set()

    async def __aenter__(self):
        self._server = await asyncio.start_server(self._join, "127.0.0.1", 0)
        self.url = f"mqtt://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_):
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def stall(self) -> None:
        self._flows.clear()

    def flow(self) -> None:
        self._flows.set()

    async def _join(self, reader, writer) -> None:
        try:
            there_reader, there_writer = await asyncio.open_connection("127.0.0.1", self._port)
        except OSError:
            writer.close()
            return
        for pair in ((reader, there_writer), (there_reader, writer)):
            self._tasks.add(asyncio.create_task(self._carry(*pair)))

    async def _carry(self, reader, writer) -> None:
        try:
            while chunk := await reader.read(65_536):
                await self._flows.wait()
                writer.write(chunk)
                await writer.drain()
            await self._flows.wait()
        except OSError:
            pass
        finally:
            writer.close()


@pytest.fixture
async def line(broker):
    async with Line(broker.port) as between:
        yield between


@pytest.fixture
def broker(tmp_path):
    embedded = EmbeddedBroker(tmp_path)
    yield embedded
    embedded.stop()


@pytest.fixture
def identity(broker, tmp_path) -> Identity:
    """A unit enrolled by other means: its files are where `edge.identity.load` looks."""
    folder = tmp_path / "home"
    folder.mkdir()
    signing_key = Ed25519PrivateKey.generate()
    (folder / "signing.key").write_bytes(signing_key.private_bytes_raw())
    mac_key = secrets.token_bytes(32)
    (folder / "mac.key").write_bytes(mac_key)
    unit = new_unit_id()
    (folder / "unit.json").write_text(json.dumps({"unit": unit, "broker_url": broker.url}))
    return Identity(folder, unit, broker.url, mac_key, signing_key)


@pytest.fixture
async def server(broker, identity):
    outsider = Server(broker.port, identity.unit, identity.mac_key)
    await outsider.start()
    yield outsider
    outsider.stop()


def may_mount() -> bool:
    return subprocess.run(["unshare", "-Urm", "true"], check=False).returncode == 0


def stamps_in(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


@dataclass
class HomeHere:
    """A home in the test's own loop: its patience can be shorter than a person's."""

    agent: Agent
    outbox: Outbox
    screen: SimulatedScreen
    folder: Path

    def sense(self, what: str, device: str = "", place: str = "", **values) -> None:
        self.agent.sense(Signal(what, device, place, **values))

    def said(self) -> list[str]:
        return [sign["said"] for sign in stamps_in(self.folder / SIGNS_FILE) if "said" in sign]

    def texts(self) -> list[str]:
        return [sign["text"] for sign in stamps_in(self.folder / SIGNS_FILE) if "said" in sign]

    def lamp(self) -> list[str]:
        return [sign["lamp"] for sign in stamps_in(self.folder / SIGNS_FILE) if "lamp" in sign]

    async def says(self, phrase: str, *, count: int = 1) -> None:
        async with asyncio.timeout(WAIT_S):
            while self.said().count(phrase) < count:
                await asyncio.sleep(0.01)

    async def shows(self, sign: str) -> None:
        async with asyncio.timeout(WAIT_S):
            while self.lamp()[-1:] != [sign]:
                await asyncio.sleep(0.01)


@asynccontextmanager
async def home_in(identity, *, settings=None, patiences=None, clock=None, outbox=None):
    """`outbox`: one that is open already."""
    clock = clock or HomeClock(is_synchronised=lambda: True)
    signs = identity.folder / SIGNS_FILE
    screen = SimulatedScreen()
    fittings = Fittings(
        hardware=Hardware(),
        screen=screen,
        standby=Standby(),
        lamp=SimulatedLamp(signs),
        speaker=SimulatedSpeaker(signs),
        settings=settings or HomeSettings(),
    )
    with ExitStack() as stack:
        if outbox is None:
            outbox = stack.enter_context(Outbox(identity.folder / OUTBOX_FILE, now=clock.now))
        agent = Agent(
            identity, outbox, fittings, clock=clock, notice=lambda _: None, patiences=patiences
        )
        running = asyncio.create_task(agent.run())
        try:
            async with asyncio.timeout(WAIT_S):
                await agent.link.connected.wait()
            yield HomeHere(agent, outbox, screen, identity.folder)
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running


@dataclass
class SimulatedHome:
    """`python -m edge simulate` with one home."""

    process: subprocess.Popen
    folder: Path
    disk: Path

    def freeze(self) -> None:
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(10)

    def kill_media(self) -> None:
        """Both the process of the call and the idle one."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        for pid in children.read_text().split():
            os.kill(int(pid), signal.SIGKILL)

    def wait_until_dark(self) -> None:
        """Poll the file that the camera itself writes; nobody else can tell when frozen."""
        for _ in range(1000):
            if not self.stamps()[-1]["on"]:
                return
            time.sleep(0.01)
        raise TimeoutError("the camera stayed on")

    def stamps(self) -> list[dict]:
        """When the simulated camera opened and closed, by itself."""
        return stamps_in(self.folder / "camera-stamps.jsonl")

    def signs(self) -> list[dict]:
        """What the simulated lamp showed and the voice said."""
        return stamps_in(self.folder / SIGNS_FILE)


@pytest.fixture
async def homes(identity):
    """Start a simulated home with what its script says; ends with the test.

    `disk_kb`: its files stand on a disk of that size, of its own (`home.disk`).
    """
    started: list[SimulatedHome] = []

    async def start(disk_kb: int | None = None, **script) -> SimulatedHome:
        folder = identity.folder
        alone = []
        if disk_kb is not None:
            folder = identity.folder.parent / "disk"
            folder.mkdir()
            mount = f"size={disk_kb}k"
            alone = [*OWN_DISK, "sh", mount, str(identity.folder), str(folder)]
        filled = {"when_it_rings": Pressed(key="answer", after_s=0.1), **script}
        written = HomeScript(state_dir=str(folder), server_url="http://localhost:1", **filled)
        process = subprocess.Popen(  # noqa: ASYNC220 - a fork
            [*alone, sys.executable, "-m", "edge", "simulate"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        process.stdin.write(written.model_dump_json() + "\n")
        process.stdin.flush()
        disk = Path(f"/proc/{process.pid}/root{folder}")
        home = SimulatedHome(process, folder, disk)
        started.append(home)
        up = json.loads(await asyncio.to_thread(process.stdout.readline))
        assert up == {"unit": identity.unit, "up": True}
        return home

    yield start
    for home in started:
        home.thaw()
        home.process.terminate()
        try:
            assert await asyncio.to_thread(home.process.wait, 10) in {0, -signal.SIGKILL}
        finally:
            home.process.kill()
            home.process.stdin.close()
            home.process.stdout.close()


@pytest.fixture
def gaps():
    with Gaps() as probe:
        yield probe


@pytest.fixture
def public_key(identity) -> str:
    return to_text(identity.signing_key.public_key().public_bytes_raw())

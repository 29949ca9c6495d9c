"""The demo's supervisor: embedded services, the server, simulated homes; Ctrl-C ends them all.

Children live in sessions of their own, so that Ctrl-C reaches only us: the homes and the server
stop first, the database last.
"""

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from telecare.demo import lan, seed
from telecare.runtime.clock import SystemClock
from telecare.runtime.config import Config
from telecare.runtime.db import open_database
from telecare.runtime.embedded import process
from telecare.runtime.embedded.services import EmbeddedServices
from telecare.runtime.texts import text
from telecare.wire.homes import HomeScript, Pressed

FIRST_PORT = 8080
PORTS = 50
SERVER_UP_S = 30.0
STOP_S = 10.0
WATCH_S = 0.2


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """`folder` keeps the data between starts; `fresh` empties it first.

    `lan`: devices in the room are let in with a code. `camera`: a V4L2 device for Ingrid's home;
    without it every home's camera is simulated.
    """

    folder: Path
    port: int = 0
    fresh: bool = False
    clock_file: str = ""
    lan: bool = False
    camera: str = ""


class CameraMissing(Exception):
    """The device that was asked for is no camera."""


class PortTaken(Exception):
    """The port that was asked for is in use."""


def default_folder() -> Path:
    base = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(base) / "telecare" / "demo"


async def demo(options: DemoOptions) -> None:
    """Run until Ctrl-C. Raises PortTaken, CameraMissing, LanMissing."""
    port = free_port(options.port)
    check_camera(options.camera)
    if options.fresh:
        shutil.rmtree(options.folder, ignore_errors=True)
    options.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    services = EmbeddedServices(options.folder, broker_port=_kept_broker_port(options.folder))
    lan_file = lan.make_ready(options.folder, SystemClock().now()) if options.lan else None
    print(text("sv", "demo.starting"), flush=True)
    children: list[Child] = []
    try:
        services.start()
        _keep_broker_port(options.folder, services.broker.port)
        await services.prepare()
        environment = {
            **os.environ,
            **services.environment,
            "TELECARE_PUBLIC_URL": f"http://localhost:{port}",
        }
        homes = await _seed(environment, options)
        server = Child(
            [sys.executable, "-m", "telecare.demo.server", str(port), "localhost",
             options.clock_file, str(lan_file or "")],
            environment,
            options.folder / "server.log",
        )  # fmt: skip
        children.append(server)
        server.start()
        await _until_up(port, server)
        simulated = Child(
            [sys.executable, "-m", "edge", "simulate"],
            environment,
            options.folder / "homes.log",
            stdin="".join(f"{home.model_dump_json()}\n" for home in homes),
        )
        children.append(simulated)
        simulated.start()
        _tell(port)
        await _until_stopped(services, children, lan_file)
    finally:
        for child in reversed(children):
            child.stop()
        services.stop()


@dataclass(slots=True)
class Child:
    """A process that is started again when it ends by itself."""

    command: list[str]
    environment: dict[str, str]
    log: Path
    stdin: str | None = None
    process: "subprocess.Popen[bytes] | None" = None

    def start(self) -> None:
        with self.log.open("ab") as output:
            self.process = process.start(
                self.command,
                output=output,
                environment=self.environment,
                stdin=subprocess.PIPE if self.stdin is not None else subprocess.DEVNULL,
            )
        if self.stdin is not None and self.process.stdin is not None:
            self.process.stdin.write(self.stdin.encode())
            self.process.stdin.close()

    def ended(self) -> bool:
        return self.process is not None and self.process.poll() is not None

    def stop(self) -> None:
        if self.process is not None:
            process.stop(self.process, signal.SIGTERM, STOP_S)


def check_camera(device: str) -> None:
    """Raises CameraMissing; no device means that no home has a real camera."""
    if device and not Path(device).is_char_device():
        raise CameraMissing(text("sv", "demo.no_camera", device=device))


def free_port(asked: int) -> int:
    """The port asked for, or the first free one from 8080. Raises PortTaken."""
    for port in [asked] if asked else range(FIRST_PORT, FIRST_PORT + PORTS):
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return port
    raise PortTaken(str(asked or FIRST_PORT))


def _kept_broker_port(folder: Path) -> int:
    """The broker's port of last time, which enrolled homes know; 0 when it is taken or new."""
    with contextlib.suppress(OSError, ValueError, PortTaken):
        return free_port(int((folder / "broker.port").read_text()))
    shutil.rmtree(folder / "homes", ignore_errors=True)
    return 0


def _keep_broker_port(folder: Path, port: int) -> None:
    (folder / "broker.port").write_text(str(port))


async def _seed(environment: dict[str, str], options: DemoOptions) -> list[HomeScript]:
    """Invented people, and what each simulated home does."""
    folder = options.folder
    config = Config.from_environment(environment)
    now = SystemClock().now()
    with_units = [home for home in seed.HOMES if home.has_unit]
    async with open_database(config.role_url("app"), size=2) as database:
        tenant = await seed.seed(database, now)
        new = [h for h in with_units if not (folder / "homes" / h.key / "unit.json").exists()]
        codes = await seed.unit_codes(database, tenant, new, now)
    return [home_script(h, options, config.public_url, codes.get(h.key)) for h in with_units]


def home_script(
    home: seed.Home, options: DemoOptions, server_url: str, code: str | None
) -> HomeScript:
    return HomeScript(
        state_dir=str(options.folder / "homes" / home.key),
        server_url=server_url,
        enrol_code=code,
        when_it_rings=Pressed(key="answer", after_s=1.5),
        screen="off" if home.key == "karl-erik" else "on",
        camera=options.camera if options.camera and home.key == "ingrid" else "simulated",
    )


async def _until_up(port: int, server: Child) -> None:
    deadline = time.monotonic() + SERVER_UP_S
    while not _answers(port):
        if server.ended() or time.monotonic() > deadline:
            raise SystemExit(f"The server did not start; see {server.log}")
        await asyncio.sleep(0.05)


def _answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("localhost", port), timeout=0.5):
        return True
    return False


async def _until_stopped(
    services: EmbeddedServices, children: list[Child], lan_file: Path | None
) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with asyncio.TaskGroup() as group:
        watching = group.create_task(services.watch(), name="services")
        tasks = [watching, group.create_task(_keep(children), name="children")]
        if lan_file is not None:
            tasks.append(group.create_task(lan.show_codes(lan_file), name="start codes"))
        await stop.wait()
        for task in tasks:
            task.cancel()


async def _keep(children: list[Child]) -> None:
    while True:
        await asyncio.sleep(WATCH_S)
        for child in children:
            if child.ended():
                child.start()


def _tell(port: int) -> None:
    base = f"http://localhost:{port}"
    print(text("sv", "demo.ready", url=base, tv=f"{base}/demo/tv/birgitta"), flush=True)

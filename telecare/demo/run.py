"""The demo's supervisor: embedded services, the server, simulated homes; Ctrl-C ends them all.

Children live in sessions of their own, so that Ctrl-C reaches only us: the homes and the server
stop first, the database last. This module loads little, and the server's process is the first thing
it starts: both load while PostgreSQL does, which is most of what a start takes.
"""

import asyncio
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from telecare.runtime.clock import SystemClock
from telecare.runtime.embedded import process
from telecare.runtime.embedded.services import EmbeddedServices
from telecare.runtime.errors import CannotStart
from telecare.runtime.ports import PortTaken, free_port
from telecare.runtime.sealing import make_key
from telecare.runtime.texts import text

SERVER_UP_S = 30.0
STOP_S = 10.0
WATCH_S = 0.2
POLL_S = 0.02


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


class CameraMissing(CannotStart):
    """The device that was asked for is no camera."""


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
    lan_file = _lan_file(options)
    print(text("sv", "demo.starting"), flush=True)
    server = Child(
        [
            sys.executable,
            "-m",
            "telecare.demo.server",
            str(port),
            "localhost",
            options.clock_file,
            str(lan_file or ""),
        ],
        options.folder / "server.log",
    )
    homes = Child([sys.executable, "-m", "edge", "simulate"], options.folder / "homes.log")
    children = [server]
    try:
        server.start()
        environment = await _begin(services, options.folder, f"http://localhost:{port}")
        homes.tell(*await _homes(environment, options))
        server.tell(json.dumps(environment))  # after the people are made: it makes who is missing
        await _until_up(port, server)
        sequencer = _sequencer(services, environment, options.folder)
        children = [sequencer, server, homes]  # stopped from the last: it takes in what they wrote
        homes.start()
        sequencer.start()
        _tell(port)
        await _until_stopped(services, children, lan_file, environment)
    finally:
        for child in reversed(children):
            child.stop()
        services.stop()


async def _begin(services: EmbeddedServices, folder: Path, public_url: str) -> dict[str, str]:
    """PostgreSQL and broker up, tables in place; how a server finds them."""
    services.start()
    _keep_broker_port(folder, services.broker.port)
    await services.prepare()
    return {**services.environment, "TELECARE_PUBLIC_URL": public_url}


def _lan_file(options: DemoOptions) -> Path | None:
    """Where the server reads how to let this network in. Raises LanMissing."""
    if not options.lan:
        return None
    from telecare.demo import lan  # noqa: PLC0415 - slow to load, and seldom wanted

    return lan.make_ready(options.folder, SystemClock().now())


async def _show_codes(lan_file: Path) -> None:
    from telecare.demo.lan import show_codes  # noqa: PLC0415 - as above

    await show_codes(lan_file)


async def _homes(environment: dict[str, str], options: DemoOptions) -> list[str]:
    from telecare.demo.homes import homes_of  # noqa: PLC0415 - slow to load: after the start

    homes = await homes_of(environment, options.folder, camera=options.camera)
    return [home.model_dump_json() for home in homes]


@dataclass(slots=True)
class Child:
    """A process that is started again when it ends by itself; it reads what it is told."""

    command: list[str]
    log: Path
    environment: dict[str, str] | None = None
    process: "subprocess.Popen[bytes] | None" = None
    told: bytes = b""

    def start(self) -> None:
        with self.log.open("ab") as output:
            self.process = process.start(
                self.command, output=output, stdin=subprocess.PIPE, environment=self.environment
            )
        if self.told:
            self._say()

    def tell(self, *lines: str) -> None:
        """Its standard input, now and after each start anew."""
        self.told = "".join(f"{line}\n" for line in lines).encode()
        if self.process is not None:
            self._say()

    def _say(self) -> None:
        assert self.process is not None  # noqa: S101 - started
        assert self.process.stdin is not None  # noqa: S101 - a pipe
        with contextlib.suppress(BrokenPipeError):  # it ended already, which is noticed elsewhere
            self.process.stdin.write(self.told)
            self.process.stdin.close()

    def ended(self) -> bool:
        return self.process is not None and self.process.poll() is not None

    def stop(self) -> None:
        if self.process is not None:
            process.stop(self.process, signal.SIGTERM, STOP_S)


def _sequencer(services: EmbeddedServices, environment: dict[str, str], folder: Path) -> Child:
    """Keeps the log's tree. Its key is its own: the server is not told where it lies."""
    from telecare.demo.seed import SLUG  # noqa: PLC0415 - as below

    make_key(services.log_key_dir / f"{SLUG}.key")
    return Child(
        [sys.executable, "-m", "telecare", "sequencer"],
        folder / "sequencer.log",
        {**os.environ, **environment, "TELECARE_LOG_KEY_DIR": str(services.log_key_dir)},
    )


def check_camera(device: str) -> None:
    """Raises CameraMissing; no device means that no home has a real camera."""
    if device and not Path(device).is_char_device():
        raise CameraMissing(text("sv", "demo.no_camera", device=device))


def _kept_broker_port(folder: Path) -> int:
    """The broker's port of last time, which enrolled homes know; 0 when it is taken or new."""
    with contextlib.suppress(OSError, ValueError, PortTaken):
        return free_port(int((folder / "broker.port").read_text()))
    shutil.rmtree(folder / "homes", ignore_errors=True)
    return 0


def _keep_broker_port(folder: Path, port: int) -> None:
    (folder / "broker.port").write_text(str(port))


async def _until_up(port: int, server: Child) -> None:
    deadline = time.monotonic() + SERVER_UP_S
    while not _answers(port):
        if server.ended() or time.monotonic() > deadline:
            raise SystemExit(f"The server did not start; see {server.log}")
        await asyncio.sleep(POLL_S)


def _answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("localhost", port), timeout=0.5):
        return True
    return False


async def _until_stopped(
    services: EmbeddedServices, children: list[Child], lan_file: Path | None,
    environment: dict[str, str],
) -> None:  # fmt: skip
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with asyncio.TaskGroup() as group:
        watching = group.create_task(services.watch(), name="services")
        from telecare.demo.homes import agree_nights  # noqa: PLC0415 - slow to load

        nights = group.create_task(agree_nights(environment), name="nights")
        tasks = [watching, nights, group.create_task(_keep(children), name="children")]
        if lan_file is not None:
            tasks.append(group.create_task(_show_codes(lan_file), name="start codes"))
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
    print(
        text(
            "sv",
            "demo.ready",
            url=base,
            tv=f"{base}/demo/tv/birgitta",
            button=f"{base}/demo/button/ingrid",
        ),
        flush=True,
    )

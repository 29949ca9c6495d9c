"""A real Mosquitto as `telecare devices broker-config` writes it, and people outside its door."""

import asyncio
import os
import pwd
import shutil
import signal
import socket
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge import certificate
from edge.link import tls_context
from telecare.devices.authority import Authority
from telecare.devices.broker_config import Doors, server_tls, write_broker_config
from telecare.runtime.broker import Broker
from telecare.runtime.tasks import running
from telecare.wire.edge import Enrolment
from telecare.wire.ids import new_unit_id

PATH = f"{os.environ['PATH']}:/usr/sbin"
MOSQUITTO = shutil.which("mosquitto", path=PATH)
CLIENTS = shutil.which("mosquitto_pub")
PATIENCE_S = 10


def pytest_collection_modifyitems(items):
    skip = pytest.mark.skip(reason="mosquitto or mosquitto-clients is not installed")
    for item in items:
        if item.path.parent.name == "broker" and not (MOSQUITTO and CLIENTS):
            item.add_marker(skip)


class Unit:
    """Somebody with a certificate, and Mosquitto's own tools in their hands."""

    def __init__(self, gate, name, folder, serial):
        self.gate, self.id, self.folder, self.serial = gate, name, folder, serial

    def topic(self, lane, direction="up"):
        return f"tc/1/{self.id}/{direction}/{lane}"

    def _arguments(self, *more):
        return (
            "-h", "127.0.0.1", "-p", str(self.gate.doors.unit_port), "-V", "5",
            "--cafile", str(self.gate.folder / "broker" / "ca.pem"),
            "--cert", str(self.folder / "tls" / "unit.pem"),
            "--key", str(self.folder / "tls" / "unit.key"), *more,
        )  # fmt: skip

    @asynccontextmanager
    async def running(self, tool, *more):
        process = await asyncio.create_subprocess_exec(
            "stdbuf", "-oL", f"mosquitto_{tool}", *self._arguments(*more),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        try:
            yield process
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()

    @asynccontextmanager
    async def connected(self):
        """A bare connection, with the files and the TLS of the home's own program; let in."""
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", self.gate.doors.unit_port, ssl=tls_context(self.folder)
        )
        name = self.id.encode()
        body = b"\x00\x04MQTT\x05\x02\x00\x3c\x00" + len(name).to_bytes(2) + name  # CONNECT
        writer.write(bytes((0x10, len(body))) + body)
        try:
            async with asyncio.timeout(PATIENCE_S):
                assert (await reader.readexactly(4))[3] == 0, "CONNACK refuses"
            yield reader
        finally:
            writer.transport.abort()

    async def publish(self, topic, text, *more):
        """Mosquitto's exit code: 0 when the broker has taken it."""
        async with self.running("pub", "-t", topic, "-m", text, "-q", "1", *more) as process:
            await process.communicate()
            return process.returncode

    @asynccontextmanager
    async def listening(self, *filters, more=()):
        """Subscribed for certain: `-d` says so."""
        topics = [part for one in filters for part in ("-t", one)]
        async with self.running("sub", "-d", "-v", *topics, *more) as process:
            async with asyncio.timeout(PATIENCE_S):
                while b"SUBACK" not in (said := await process.stdout.readline()):
                    assert said, "hung up"
            yield process


class Gate:
    """The broker's machine and the authority."""

    def __init__(self, folder, doors):
        self.folder, self.doors = folder, doors
        self.authority = Authority.read(folder / "server")
        self.tls = server_tls(folder / "server")
        self.revoked_file = folder / "broker" / "revoked.pem"
        self.process = None

    @property
    def server_url(self):
        return f"mqtts://127.0.0.1:{self.doors.server_port}"

    def unit(self, authority=None, *, at=None, name=None):
        name = name or new_unit_id()
        folder = self.folder / f"{name}-{len(list(self.folder.iterdir()))}"
        folder.mkdir()
        key = Ed25519PrivateKey.generate()
        made = (authority or self.authority).for_unit(
            name, key.public_key().public_bytes_raw(), at or datetime.now(UTC)
        )
        enrolment = Enrolment(
            unit=name, mac_key="", broker_url="", certificate=made.pem,
            authority=self.authority.pem.decode(),
        )  # fmt: skip
        certificate.keep(folder, enrolment, key, "https://care.example")
        return Unit(self, name, folder, made.serial)

    def reload(self):
        """As the path unit of deploy/ does when the list has changed."""
        self.process.send_signal(signal.SIGHUP)


@pytest.fixture
async def gate(tmp_path):
    with (
        socket.create_server(("127.0.0.1", 0)) as one,
        socket.create_server(("127.0.0.1", 0)) as two,
    ):
        doors = Doors(one.getsockname()[1], two.getsockname()[1], "127.0.0.1")
    write_broker_config(
        tmp_path, ["127.0.0.1", "localhost"], str(tmp_path / "broker"), datetime.now(UTC), doors
    )
    config = tmp_path / "broker" / "mosquitto.conf"
    user = pwd.getpwuid(os.getuid()).pw_name  # it would become a user that cannot read this folder
    config.write_text(f"user {user}\n{config.read_text()}")
    gate = Gate(tmp_path, doors)
    gate.process = await asyncio.create_subprocess_exec(
        MOSQUITTO, "-c", config, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        yield gate
    finally:
        gate.process.terminate()
        await gate.process.wait()


class Server:
    """`telecare serve` at its door: what it hears, in order."""

    def __init__(self):
        self.heard = []
        self.is_there = asyncio.Event()
        self._changed = asyncio.Condition()

    async def take(self, messages):
        self.heard += [(one.topic, one.payload.decode()) for one in messages]
        async with self._changed:
            self._changed.notify_all()

    async def came(self):
        self.is_there.set()

    async def until_heard(self, text):
        async with asyncio.timeout(PATIENCE_S), self._changed:
            await self._changed.wait_for(lambda: any(said == text for _, said in self.heard))


@pytest.fixture
async def server(gate):
    server = Server()
    broker = Broker(gate.server_url, ["tc/1/+/up/+"], server.take, server.came, gate.tls)
    async with running(broker=broker.run()), asyncio.timeout(PATIENCE_S):
        await server.is_there.wait()
        server.broker = broker
        yield server


LONG_AGO = timedelta(days=100)

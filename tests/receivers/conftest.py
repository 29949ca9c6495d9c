"""A receiver with its ports open, and somebody behind it who writes down what comes."""

import asyncio
import ssl
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address, ip_network

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from telecare.alarms.receivers.arrived import Answer, Profile
from telecare.alarms.receivers.limits import Limits
from telecare.alarms.receivers.ports import Port
from telecare.alarms.receivers.scaip_receiver import ScaipReceiver
from telecare.runtime.errors import DatabaseUnavailable
from telecare.runtime.tasks import Errands, running

HERE = (ip_network("127.0.0.0/8"),)


class Register:
    """Stands where the database does: keeps what came, and can be out of reach."""

    def __init__(self):
        self.profiles = {"700123": Profile(networks=HERE)}
        self.arrived, self.refused = [], []
        self.is_reachable = True
        self.commits = asyncio.Event()
        self.commits.set()
        self.asked = self.received = self.failures = 0
        self._changed = asyncio.Condition()
        self._stored = {}

    async def look_up(self, claim):
        self.asked += 1
        await self._tell()
        await self._reach()
        return self.profiles.get(claim.account)

    async def receive(self, arrived):
        self.received += 1
        await self.commits.wait()
        await self._reach()
        key = (arrived.claim.account, arrived.reference, arrived.fingerprint)
        is_repeat = key in self._stored
        if not is_repeat:
            self._stored[key] = arrived
            self.arrived.append(arrived)
        await self._tell()
        known = arrived.is_proven
        return Answer(known, is_repeat, ("sip:arc@larm.example",) if arrived.voice else ())

    async def refuse(self, refused):
        await self._reach()
        self.refused.append(refused)
        await self._tell()

    async def until(self, holds):
        async with asyncio.timeout(10), self._changed:
            await self._changed.wait_for(holds)

    async def _tell(self):
        async with self._changed:
            self._changed.notify_all()

    async def _reach(self):
        if not self.is_reachable:
            self.failures += 1
            await self._tell()
            raise DatabaseUnavailable


class Seconds:
    """Seconds that stand still until somebody moves them."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now

    def pass_(self, seconds):
        self.now += seconds


@pytest.fixture
async def register():
    return Register()


@pytest.fixture
def seconds():
    return Seconds()


@pytest.fixture
async def errands():
    errands = Errands()
    async with running(errands=errands.run()):
        await asyncio.sleep(0)
        yield errands


@asynccontextmanager
async def datagrams(to):
    """A unit's UDP port: `send`, and `inbox` of what came."""
    unit = _Datagrams()
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: unit, remote_addr=to)
    try:
        yield unit
    finally:
        transport.close()


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self):
        self._inbox = asyncio.Queue()

    def connection_made(self, transport):
        self._transport = transport
        self.here = transport.get_extra_info("sockname")[:2]

    def datagram_received(self, data, addr):
        self._inbox.put_nowait(data)

    def send(self, data):
        self._transport.sendto(data)

    async def receive(self):
        async with asyncio.timeout(10):
            return await self._inbox.get()

    @property
    def has_more(self):
        return not self._inbox.empty()


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    """Files of a certificate for 127.0.0.1 and its key, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "larm.example")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    folder = tmp_path_factory.mktemp("certificate")
    pem = serialization.Encoding.PEM
    (folder / "cert.pem").write_bytes(made.public_bytes(pem))
    (folder / "key.pem").write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return folder / "cert.pem", folder / "key.pem"


@pytest.fixture
def server_tls(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    return context


class Rig:
    def __init__(self, receiver, endpoints):
        self.receiver = receiver
        self.udp, self.tcp, self.tls = endpoints


@pytest.fixture
async def open_receiver(register, seconds, errands, server_tls):
    @asynccontextmanager
    async def opened(**limits):
        ports = [
            Port("north", "udp", "127.0.0.1", 0),
            Port("north", "tcp", "127.0.0.1", 0),
            Port("north", "tls", "127.0.0.1", 0, server_tls),
        ]
        receiver = ScaipReceiver(
            ports,
            register,
            errands=errands,
            clock=seconds,
            limits=Limits(**limits),
        )
        async with receiver.open() as endpoints:
            yield Rig(receiver, endpoints)

    return opened


@pytest.fixture
async def rig(open_receiver):
    async with open_receiver() as rig:
        yield rig

"""Who this unit is: its Ed25519 key, its MAC key, its id and its broker, in files only it reads.

The private key never leaves the state folder; the server learns the public half at enrolment.
"""

import asyncio
import base64
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import BaseModel, ConfigDict, ValidationError

from edge import certificate
from edge.files import write_private
from telecare.wire.edge import CameraTurned, Enrolment, EnrolRequest, signed_text
from telecare.wire.ids import UnitId

ENROL_PATH = "/api/units/enrol"
ENROL_TIMEOUT_S = 20
MAX_ANSWER_BYTES = 16_384
LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})

SIGNING_KEY_FILE = "signing.key"
MAC_KEY_FILE = "mac.key"
UNIT_FILE = "unit.json"
IDENTITY_FILES = (MAC_KEY_FILE, SIGNING_KEY_FILE, UNIT_FILE)


class NotEnrolled(Exception):
    """The state folder holds no unit yet, or not all of it."""


class EnrolmentRefused(Exception):
    """The server did not take the code; `status` is its HTTP status, `code` its stable word."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(f"{status} {code}")
        self.status = status
        self.code = code


class UnsafeAddress(Exception):
    """Only TLS, or plain text to this same machine."""


class _UnitFile(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    unit: str
    broker_url: str
    second_broker_url: str | None = None


class _Problem(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")
    code: str = "unknown"


@dataclass(frozen=True, slots=True)
class Identity:
    """An enrolled unit; the keys are kept out of its `repr`."""

    folder: Path
    unit: UnitId
    broker_url: str
    mac_key: bytes = field(repr=False)
    signing_key: Ed25519PrivateKey = field(repr=False)
    second_broker_url: str | None = None

    def signed(self, record: CameraTurned) -> CameraTurned:
        """The same record with this unit's signature over `signed_text`."""
        signature = self.signing_key.sign(signed_text(self.unit, record))
        return record.model_copy(update={"signature": to_text(signature)})


def load(state: Path) -> Identity:
    """The unit of this state folder; raises `NotEnrolled`."""
    try:
        unit = _UnitFile.model_validate_json((state / UNIT_FILE).read_bytes())
        mac_key = (state / MAC_KEY_FILE).read_bytes()
    except (FileNotFoundError, ValidationError) as error:
        raise NotEnrolled(str(state)) from error
    return Identity(
        state,
        UnitId(unit.unit),
        unit.broker_url,
        mac_key,
        _signing_key(state),
        unit.second_broker_url,
    )


async def enrol(state: Path, *, server_url: str, code: str) -> Identity:
    """Spend the one-time code. The key is on disk before the server hears of it."""
    refuse_plain_text(server_url, secure_scheme="https")
    key = await asyncio.to_thread(_signing_key, state)
    request = EnrolRequest(code=code, public_key=to_text(key.public_key().public_bytes_raw()))
    enrolment = await _post(server_url.rstrip("/") + ENROL_PATH, request)
    return await asyncio.to_thread(keep, state, enrolment, key, server_url)


def refuse_plain_text(url: str, *, secure_scheme: str) -> None:
    """Raise `UnsafeAddress` unless `url` is encrypted or goes to this same machine."""
    parts = urlsplit(url)
    if parts.scheme != secure_scheme and parts.hostname not in LOOPBACK_HOSTS:
        raise UnsafeAddress(f"only {secure_scheme} may leave this machine")


def to_text(raw: bytes) -> str:
    """base64url without padding."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def from_text(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


async def _post(url: str, request: EnrolRequest) -> Enrolment:
    timeout = aiohttp.ClientTimeout(total=ENROL_TIMEOUT_S)
    async with (
        aiohttp.ClientSession(timeout=timeout) as session,
        session.post(
            url,
            data=request.model_dump_json(),
            headers={"Content-Type": "application/json"},
            allow_redirects=False,
        ) as response,
    ):
        body = await response.content.read(MAX_ANSWER_BYTES)
        if response.status not in {200, 201}:
            raise EnrolmentRefused(response.status, _problem_code(body))
        try:
            return Enrolment.model_validate_json(body)
        except ValidationError as error:
            raise EnrolmentRefused(response.status, "answer_malformed") from error


def keep(state: Path, enrolment: Enrolment, key: Ed25519PrivateKey, server_url: str) -> Identity:
    certificate.keep(state, enrolment, key, server_url)
    write_private(state / MAC_KEY_FILE, from_text(enrolment.mac_key))
    unit = _UnitFile(
        unit=enrolment.unit,
        broker_url=enrolment.broker_url,
        second_broker_url=enrolment.second_broker_url,
    )
    write_private(state / UNIT_FILE, unit.model_dump_json().encode())
    return load(state)


def _problem_code(body: bytes) -> str:
    try:
        return _Problem.model_validate_json(body).code
    except ValidationError:
        return "unknown"


def _signing_key(state: Path) -> Ed25519PrivateKey:
    path = state / SIGNING_KEY_FILE
    if path.exists():
        return Ed25519PrivateKey.from_private_bytes(path.read_bytes())
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    key = Ed25519PrivateKey.generate()
    write_private(path, key.private_bytes_raw())
    return key

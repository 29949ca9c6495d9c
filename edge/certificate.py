"""The unit's certificate for the broker's door, over the key it has already; renewed in good time.

A broker that asks for none has given none at enrolment: then nothing here does anything.
"""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import aiohttp
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from edge.files import write_private
from telecare.wire.edge import Enrolment, UnitCertificate
from telecare.wire.ids import UnitId

log = logging.getLogger(__name__)

FOLDER = "tls"
AUTHORITY_FILE = "ca.pem"
CERTIFICATE_FILE = "unit.pem"
KEY_FILE = "unit.key"
SERVER_FILE = "server.url"
RENEW_BEFORE = timedelta(days=30)
LOOK_EVERY = timedelta(hours=6)
FETCH_TIMEOUT_S = 20
MAX_ANSWER_BYTES = 16_384


def keep(state: Path, enrolment: Enrolment, key: Ed25519PrivateKey, server_url: str) -> None:
    """What came with the enrolment."""
    if enrolment.certificate is None or enrolment.authority is None:
        return
    folder = state / FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    write_private(folder / KEY_FILE, pem)
    write_private(folder / AUTHORITY_FILE, enrolment.authority.encode())
    write_private(folder / SERVER_FILE, server_url.rstrip("/").encode())
    write_private(folder / CERTIFICATE_FILE, enrolment.certificate.encode())


def due_at(state: Path) -> datetime | None:
    """When it is to be renewed; None without one."""
    try:
        held = x509.load_pem_x509_certificate((state / FOLDER / CERTIFICATE_FILE).read_bytes())
    except FileNotFoundError:
        return None
    return held.not_valid_after_utc - RENEW_BEFORE


async def keep_fresh(state: Path, unit: UnitId, now: Callable[[], datetime]) -> None:
    """For the life of the unit. The line takes the new one when it is made the next time."""
    while (due := due_at(state)) is not None:
        if now() >= due:
            await renew(state, unit)
        await asyncio.sleep(LOOK_EVERY.total_seconds())


async def renew(state: Path, unit: UnitId) -> bool:
    """Also one that has expired while the home was without power. False: not now."""
    server_url = (state / FOLDER / SERVER_FILE).read_text()
    try:
        fetched = await _fetch(f"{server_url}/api/units/{unit}/certificate")
        x509.load_pem_x509_certificate(fetched.certificate.encode())
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:  # ValidationError is one
        log.warning("certificate not renewed", extra={"reason": type(error).__name__})
        return False
    write_private(state / FOLDER / CERTIFICATE_FILE, fetched.certificate.encode())
    return True


async def _fetch(url: str) -> UnitCertificate:
    timeout = aiohttp.ClientTimeout(total=FETCH_TIMEOUT_S)
    async with (
        aiohttp.ClientSession(timeout=timeout, raise_for_status=True) as session,
        session.get(url, allow_redirects=False) as response,
    ):
        return UnitCertificate.model_validate_json(await response.content.read(MAX_ANSWER_BYTES))

"""`--lan`, the supervisor's half: addresses, a certificate, and the codes shown in the terminal.

Only private IPv4 addresses of this machine are served, never one that the internet reaches. The
server's half, which keeps everybody without a code out, is `door.py`; the two meet in one folder.
"""

import asyncio
import contextlib
import fcntl
import os
import secrets
import socket
import ssl
import struct
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from ipaddress import IPv4Address, IPv4Network
from itertools import zip_longest
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pydantic import BaseModel, ConfigDict

from telecare.app import TlsSite
from telecare.runtime.errors import CannotStart
from telecare.runtime.qr import qr_lines
from telecare.runtime.texts import text

PRIVATE = tuple(map(IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")))
"""RFC 1918 §3."""
SIOCGIFADDR = 0x8915
"""netdevice(7)."""
FIRST_PORT = 8443
PORTS = 50
CERTIFICATE_LIFE = timedelta(days=397)
"""Longer ones are refused by browsers."""
RENEW_BEFORE = timedelta(days=7)
LOOK_S = 0.2
CODES = "codes.json"
KEY_BYTES = 32


class LanMissing(CannotStart):
    """This machine has no private network address, or no port is free on it."""


class LanSettings(BaseModel):
    """What the supervisor decides at each start and the server reads."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    folder: Path
    addresses: tuple[str, ...]
    port: int
    cookie_key: str
    """Made anew at each start, so that no device stays let in from one demo to the next."""

    @classmethod
    def read(cls, file: Path) -> Self:
        return cls.model_validate_json(file.read_bytes())

    @property
    def codes_file(self) -> Path:
        return self.folder / CODES

    def sites(self) -> list[TlsSite]:
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(self.folder / "certificate.pem", self.folder / "key.pem")
        return [TlsSite(address, self.port, tls) for address in self.addresses]


class Codes(BaseModel):
    """The start codes that work now; written by the server, shown by the supervisor."""

    model_config = ConfigDict(frozen=True)
    tv: str
    staff: str


def make_ready(data: Path, now: datetime) -> Path:
    """A folder with certificate and settings for this start; returns the settings' file.

    Raises LanMissing.
    """
    addresses = private_addresses()
    if not addresses:
        raise LanMissing(text("sv", "demo.lan.no_address"))
    folder = data / "lan"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not _still_good(folder, addresses, now):
        _make_certificate(folder, addresses, now)
    settings = LanSettings(
        folder=folder,
        addresses=tuple(addresses),
        port=_free_port(addresses),
        cookie_key=secrets.token_hex(KEY_BYTES),
    )
    settings.codes_file.unlink(missing_ok=True)
    write_secret(folder / "settings.json", settings.model_dump_json().encode())
    return folder / "settings.json"


def private_addresses() -> list[str]:
    """One IPv4 address of each of this machine's interfaces, as far as they are private."""
    found = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        for _, name in socket.if_nameindex():
            with contextlib.suppress(OSError):
                answer = fcntl.ioctl(probe, SIOCGIFADDR, struct.pack("256s", name.encode()[:15]))
                found.append(IPv4Address(answer[20:24]))
    return [str(one) for one in found if any(one in network for network in PRIVATE)]


def _free_port(addresses: Iterable[str]) -> int:
    for port in range(FIRST_PORT, FIRST_PORT + PORTS):
        with contextlib.suppress(OSError), contextlib.ExitStack() as probes:
            for address in addresses:
                probe = probes.enter_context(socket.socket())
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind((address, port))
            return port
    raise LanMissing(text("sv", "demo.lan.no_port"))


def write_secret(file: Path, content: bytes) -> None:
    """Whole or not at all, readable by this user only from its first byte on."""
    waiting = file.with_suffix(".new")
    waiting.unlink(missing_ok=True)
    with os.fdopen(os.open(waiting, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as output:
        output.write(content)
    waiting.replace(file)


def _still_good(folder: Path, addresses: Sequence[str], now: datetime) -> bool:
    """A device that trusted the certificate once is not asked again while it fits."""
    try:
        kept = x509.load_pem_x509_certificate((folder / "certificate.pem").read_bytes())
        named = kept.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (OSError, ValueError, x509.ExtensionNotFound):
        return False
    same = {str(one) for one in named.get_values_for_type(x509.IPAddress)} == set(addresses)
    is_ours = (folder / "key.pem").exists()
    return same and is_ours and kept.not_valid_after_utc > now + RENEW_BEFORE


def _make_certificate(folder: Path, addresses: Sequence[str], now: datetime) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Telecare demo")])
    names = x509.SubjectAlternativeName([x509.IPAddress(IPv4Address(one)) for one in addresses])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + CERTIFICATE_LIFE - timedelta(days=1))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(
            x509.ExtendedKeyUsage([x509.oid.ExtendedKeyUsageOID.SERVER_AUTH]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    write_secret(folder / "key.pem", private)
    write_secret(folder / "certificate.pem", certificate.public_bytes(serialization.Encoding.PEM))


# --- what the terminal shows -----------------------------------------------------------------


async def show_codes(settings_file: Path) -> None:
    """Print each code that is new: at the start, after one was used, after the server's restart."""
    settings = LanSettings.read(settings_file)
    shown: set[str] = set()
    while True:
        with contextlib.suppress(OSError):
            codes = Codes.model_validate_json(settings.codes_file.read_bytes())
            fresh = {page: code for page, code in codes if code not in shown}
            if fresh:
                print(terminal_text(settings, fresh), flush=True)
            shown |= set(fresh.values())
        await asyncio.sleep(LOOK_S)


def terminal_text(settings: LanSettings, codes: dict[str, str]) -> str:
    """Where each code leads, and the same as pictures side by side (at most 80 columns)."""
    first, *others = (f"https://{one}:{settings.port}" for one in settings.addresses)
    lines = ["", text("sv", "demo.lan.ready")]
    for page, code in codes.items():
        lines.append(f"  {text('sv', f'demo.lan.{page}'):<14} {first}/start/{code}")
    lines += [text("sv", "demo.lan.also", url=other) for other in others]
    pictures = [qr_lines(f"{first}/start/{code}") for code in codes.values()]
    beside = zip_longest(*pictures, fillvalue="")
    return "\n".join([*lines, "", *("   ".join(row) for row in beside)])

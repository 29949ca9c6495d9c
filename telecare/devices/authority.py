"""The authority behind the broker's doors: certificates of homes, broker and server, and the list
of those that are good no longer (RFC 5280). Stores nothing but its own key.

A home's certificate is over the Ed25519 key that it has made at enrolment: no second secret is
made, and the certificate itself is no secret (`docs/decisions/0019`).
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from telecare.runtime.errors import CannotStart
from telecare.wire.ids import UnitId

KEY_FILE = "ca.key"
CERTIFICATE_FILE = "ca.pem"
UNIT_LIFE = timedelta(days=90)
RENEWED_AFTER = timedelta(days=60)
"""A month is left for a home that is without power, or whose server is."""
OUR_LIFE = timedelta(days=825)
"""Of the broker's and the server's own; `telecare devices broker-config` makes them anew."""
AUTHORITY_LIFE = timedelta(days=20 * 365)
CLOCKS_DIFFER = timedelta(days=1)
SERVER_NAME = "server"
"""The name in the server's own certificate; a home's is its id, `u-…`."""


class AuthorityMissing(CannotStart):
    """TELECARE_BROKER_CA_DIR holds no authority; `telecare devices broker-config` makes one."""


@dataclass(frozen=True, slots=True)
class UnitCertificate:
    serial: int
    pem: str
    issued_at: datetime
    valid_until: datetime


@dataclass(frozen=True, slots=True)
class Paper:
    """A certificate and its key, in PEM."""

    certificate: bytes
    key: bytes


class Authority:
    def __init__(self, key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate) -> None:
        self._key = key
        self._certificate = certificate

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Raises AuthorityMissing."""
        try:
            key = load_pem_private_key((folder / KEY_FILE).read_bytes(), None)
            certificate = x509.load_pem_x509_certificate((folder / CERTIFICATE_FILE).read_bytes())
        except (OSError, ValueError) as error:
            raise AuthorityMissing(str(folder)) from error
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise AuthorityMissing(str(folder))
        return cls(key, certificate)

    @classmethod
    def make(cls, folder: Path, now: datetime) -> Self:
        """A new one. Its key is readable by this user alone."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = _name("Telecare broker authority")
        certificate = (
            _builder(name, name, now, AUTHORITY_LIFE)
            .public_key(key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(signs_certificates=True), critical=True)
            .add_extension(
                x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False
            )
            .sign(key, hashes.SHA256())
        )
        write_private(folder / KEY_FILE, _pem(key))
        (folder / CERTIFICATE_FILE).write_bytes(certificate.public_bytes(Encoding.PEM))
        return cls(key, certificate)

    @property
    def pem(self) -> bytes:
        return self._certificate.public_bytes(Encoding.PEM)

    def for_unit(self, unit: UnitId, public_key: bytes, now: datetime) -> UnitCertificate:
        """`public_key`: 32 bytes, Ed25519."""
        made = self._signed(
            unit, Ed25519PublicKey.from_public_bytes(public_key), now, UNIT_LIFE, is_client=True
        )
        pem = made.public_bytes(Encoding.PEM).decode()
        return UnitCertificate(made.serial_number, pem, now, made.not_valid_after_utc)

    def for_server(self, now: datetime) -> Paper:
        """What `telecare serve` shows to the broker."""
        key = ec.generate_private_key(ec.SECP256R1())
        made = self._signed(SERVER_NAME, key.public_key(), now, OUR_LIFE, is_client=True)
        return Paper(made.public_bytes(Encoding.PEM), _pem(key))

    def for_broker(self, hosts: Sequence[str], now: datetime) -> Paper:
        """`hosts`: every name and address that homes and server call it by."""
        key = ec.generate_private_key(ec.SECP256R1())
        names = x509.SubjectAlternativeName([_host(host) for host in hosts])
        made = self._signed(hosts[0], key.public_key(), now, OUR_LIFE, is_client=False, names=names)
        return Paper(made.public_bytes(Encoding.PEM), _pem(key))

    def revocation_list(self, revoked: Sequence[tuple[int, datetime]], now: datetime) -> bytes:
        """Serial numbers and since when. It has no use-by date that counts: a list that nobody
        renews must not silence every home.
        """
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self._certificate.subject)
            .last_update(now - CLOCKS_DIFFER)
            .next_update(self._certificate.not_valid_after_utc)
        )
        for serial, at in revoked:
            builder = builder.add_revoked_certificate(
                x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(at).build()
            )
        return builder.sign(self._key, hashes.SHA256()).public_bytes(Encoding.PEM)

    def _signed(
        self,
        name: str,
        key: Ed25519PublicKey | ec.EllipticCurvePublicKey,
        now: datetime,
        life: timedelta,
        *,
        is_client: bool,
        names: x509.SubjectAlternativeName | None = None,
    ) -> x509.Certificate:
        purpose = ExtendedKeyUsageOID.CLIENT_AUTH if is_client else ExtendedKeyUsageOID.SERVER_AUTH
        builder = (
            _builder(_name(name), self._certificate.subject, now, life)
            .public_key(key)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()),
                critical=False,
            )
        )
        if names is not None:
            builder = builder.add_extension(names, critical=False)
        return builder.sign(self._key, hashes.SHA256())


def write_private(path: Path, content: bytes) -> None:
    """Readable by this user alone, from the first byte on."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)


def replace_file(path: Path, content: bytes) -> None:
    """Whole or not at all: others read it meanwhile."""
    partial = path.with_suffix(".partial")
    partial.write_bytes(content)
    partial.replace(path)


def _builder(
    subject: x509.Name, issuer: x509.Name, now: datetime, life: timedelta
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCKS_DIFFER)
        .not_valid_after(now + life)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

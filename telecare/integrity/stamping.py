"""Has the log's head stamped by a time-stamping authority (RFC 3161), once a day.

What is stamped: SHA-256 of the head as the log signed it, note and signature, byte for byte as in
`audit.checkpoint` (an extract's `log-N.stamped`). It shows that the head was there at the
authority's time; an authority, unlike a witness, does not know that there is no other head.
"""

import asyncio
import contextlib
import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import aiohttp
from cryptography import x509
from cryptography.x509.oid import NameOID

from telecare.integrity import stamp_store, tree_store
from telecare.integrity.publishing import BACK_OFF, Publisher
from telecare.integrity.stamp_store import Stamped
from telecare.runtime.clock import Clock
from telecare.runtime.config import Config
from telecare.runtime.db import Database
from telecare.runtime.errors import CannotStart
from telecare.wire.ids import TenantId

if TYPE_CHECKING:
    from rfc3161_client import TimeStampResponse

log = logging.getLogger(__name__)

ROUND = timedelta(minutes=1)
ROUND_S = 45.0
ROUND_LIMIT = timedelta(minutes=2)
INTERVAL = timedelta(days=1)
ANSWER_S = 10.0
MOST_BYTES = 65536
QUERY, REPLY = "application/timestamp-query", "application/timestamp-reply"
"""RFC 3161 §3.4."""


class StampsUnusable(CannotStart):
    """The settings of the time-stamping authority cannot be used."""


class StampSilent(Exception):
    """The authority did not answer, or not with a stamp of this head that its roots vouch for."""


class StampWrong(Exception):
    """The stamp is of something else, or not the authority's."""


@dataclass(frozen=True, slots=True)
class Authority:
    """Where it answers, and whose certificates are believed."""

    url: str
    roots: Sequence[x509.Certificate]


def authority(config: Config) -> Authority | None:
    """None: heads are not stamped. Raises StampsUnusable."""
    if not config.tsa_url and not config.tsa_roots:
        return None
    parts = urlsplit(config.tsa_url)
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        raise StampsUnusable("TELECARE_TSA_URL is not an address")
    return Authority(config.tsa_url, roots(config.tsa_roots))


def roots(file: str) -> Sequence[x509.Certificate]:
    """Raises StampsUnusable."""
    if not file:
        raise StampsUnusable("TELECARE_TSA_URL needs TELECARE_TSA_ROOTS, a file of certificates")
    try:
        import rfc3161_client  # noqa: F401, PLC0415 - an extra
    except ImportError as error:
        raise StampsUnusable("stamps need the extra: pip install 'telecare[stamps]'") from error
    try:
        return x509.load_pem_x509_certificates(Path(file).read_bytes())
    except (OSError, ValueError) as error:
        raise StampsUnusable(f"{file} holds no certificates in PEM") from error


async def stamp(
    http: aiohttp.ClientSession, of: Authority, note: str
) -> tuple[str, bytes, datetime]:
    """Who stamped it, the answer and its time. Raises StampSilent."""
    from rfc3161_client import HashAlgorithm, TimestampRequestBuilder  # noqa: PLC0415 - an extra

    asked = (
        TimestampRequestBuilder()
        .data(note.encode())
        .hash_algorithm(HashAlgorithm.SHA256)
        .nonce(nonce=True)
        .cert_request(cert_request=True)
        .build()
    )
    token = await _ask(http, of.url, asked.as_bytes())
    try:
        who, at = await asyncio.to_thread(checked, token, note, of.roots, asked.nonce)
    except StampWrong as error:
        raise StampSilent from error
    return who, token, at


def checked(
    token: bytes, note: str, trusted: Sequence[x509.Certificate], nonce: int | None = None
) -> tuple[str, datetime]:
    """Who stamped this head, and when. Raises StampWrong."""
    from rfc3161_client import (  # noqa: PLC0415 - an extra
        VerificationError,
        VerifierBuilder,
        decode_timestamp_response,
    )

    try:
        answer = decode_timestamp_response(token)
        verifier = VerifierBuilder(roots=list(trusted), nonce=nonce).build()
        verifier.verify(answer, hashlib.sha256(note.encode()).digest())
        return _name(answer), answer.tst_info.gen_time
    except (VerificationError, ValueError) as error:
        raise StampWrong from error


def _name(answer: "TimeStampResponse") -> str:
    """Of the certificate that signed it."""
    [signer] = answer.signed_data.signer_infos
    certificates = [x509.load_der_x509_certificate(one) for one in answer.signed_data.certificates]
    subjects = [
        one.subject
        for one in certificates
        if (one.issuer, one.serial_number) == (signer.issuer, signer.serial_number)
    ]
    names = [str(one.value) for subject in subjects
             for one in subject.get_attributes_for_oid(NameOID.COMMON_NAME)]  # fmt: skip
    return names[0] if names else subjects[0].rfc4514_string()


async def _ask(http: aiohttp.ClientSession, url: str, query: bytes) -> bytes:
    """Raises StampSilent."""
    try:
        async with (
            asyncio.timeout(ANSWER_S),
            http.post(
                url, data=query, headers={"Content-Type": QUERY}, allow_redirects=False
            ) as answer,
        ):
            if answer.status != 200 or answer.content_type != REPLY:  # noqa: PLR2004 - HTTP
                raise StampSilent
            read = b""
            async for part in answer.content.iter_any():
                read += part
                if len(read) > MOST_BYTES:
                    raise StampSilent
            return read
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        raise StampSilent from error


class Stamping:
    """Every municipality's newest head, once a day. A log that has stopped is not stamped."""

    def __init__(
        self,
        database: Database,
        publisher: Publisher,
        http: aiohttp.ClientSession,
        of: Authority | None,
        clock: Clock,
    ) -> None:
        self._database = database
        self._publisher = publisher
        self._http = http
        self._authority = of
        self._clock = clock
        self._failures = 0
        self._quiet_until: datetime | None = None

    async def go_round(self) -> None:
        """All that is due."""
        if self._authority is None:
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(ROUND_S):
                for tenant, _ in await self._publisher.tenants():
                    await self.of_tenant(tenant)

    async def of_tenant(self, tenant: TenantId) -> None:
        now = self._clock.now()
        if self._quiet_until is not None and now < self._quiet_until:
            return
        newest = await self._publisher.newest_log(tenant)
        if newest is None or newest.stopped_at is not None:
            return
        async with self._database.transaction(tenant) as db:
            last = await stamp_store.received(db, newest.log)
        if last is not None and now < last + INTERVAL:
            return
        try:
            await self.stamp(tenant)
        except StampSilent:
            self._back_off(now)
        else:
            self._failures = 0

    async def stamp(self, tenant: TenantId) -> Stamped | None:
        """The newest head that a witness has signed too, else the newest: so that an extract can
        show both under one. Stamped now or before; None when there is none. Raises StampSilent.
        """
        assert self._authority is not None  # noqa: S101 - whoever calls has one
        async with self._database.transaction(tenant) as db:
            newest = await tree_store.newest_log(db)
            signed = await tree_store.newest_checkpoint(db, newest.log) if newest else None
            if newest is None or signed is None:
                return None
            signed = await stamp_store.newest_cosigned(db, newest.log) or signed
            before = await stamp_store.of(db, newest.log, signed.size)
        if before is not None:
            return before
        who, token, at = await stamp(self._http, self._authority, signed.note)
        given = Stamped(newest.log, signed.size, signed.note, who, token, at)
        async with self._database.transaction(tenant) as db:
            await stamp_store.add(db, given, self._clock.now())
        return given

    def _back_off(self, now: datetime) -> None:
        pause = BACK_OFF[min(self._failures, len(BACK_OFF) - 1)]
        self._failures += 1
        self._quiet_until = now + pause
        log.warning("time-stamping authority gives no stamp", extra={"attempt": self._failures})

"""Sends the log's newest head by e-mail once a day: a mailbox is a place that the system's own
administrators cannot rewrite. Nothing in it is about anybody.

A day's letter is taken by the mail server once; only a process that dies between that and its row
sends it again, with the same Message-ID.
"""

import asyncio
import contextlib
import hashlib
import ipaddress
import logging
import re
import smtplib
import ssl
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from enum import Enum
from pathlib import Path
from urllib.parse import unquote, urlsplit

from telecare.access import store as access_store
from telecare.access.store import TenantRow
from telecare.audit.note import Checkpoint, VerifierKey
from telecare.integrity import mailing_store, printed
from telecare.integrity.printed import Printed
from telecare.integrity.publishing import Publisher
from telecare.runtime.clock import STOCKHOLM, Clock
from telecare.runtime.config import Config
from telecare.runtime.db import Database
from telecare.runtime.errors import CannotStart
from telecare.runtime.texts import text

log = logging.getLogger(__name__)

ROUND = timedelta(minutes=1)
ROUND_S = 45.0
"""A round that takes longer goes on at the next."""
ROUND_LIMIT = timedelta(minutes=2)
ANSWER_S = 5.0
"""For each of the server's answers."""
PAUSES = (
    timedelta(minutes=2),  # longer than one sending: it keeps others away too
    timedelta(minutes=5),
    timedelta(minutes=15),
    timedelta(hours=1),
)
_HOST = re.compile(r"[A-Za-z0-9.:_-]{1,253}")
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")


class MailUnusable(CannotStart):
    """The settings do not say how and to whom letters are sent."""


class MailSilent(Exception):
    """The server did not answer, or not with TLS that can be trusted."""


class MailRefused(Exception):
    """The server answered, and did not take the letter."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class Tls(Enum):
    FROM_START = "smtps"
    BY_STARTTLS = "smtp"
    NONE = "loopback"
    """Only on this machine itself."""


@dataclass(frozen=True, slots=True)
class MailServer:
    host: str
    port: int
    tls: Tls
    user: str = ""
    password: str = ""


@dataclass(frozen=True, slots=True)
class Recipient:
    """`slug`: whose heads alone; empty: every municipality's."""

    address: str
    slug: str = ""


@dataclass(frozen=True, slots=True)
class Post:
    """How letters leave, and who gets them."""

    server: MailServer
    sender: str
    recipients: Sequence[Recipient]

    def of(self, slug: str) -> Sequence[str]:
        return [one.address for one in self.recipients if one.slug in {"", slug}]

    def unreachable(self, slugs: Iterable[str]) -> int:
        """How many would never get a letter: there is no such municipality."""
        return sum(one.slug not in {"", *slugs} for one in self.recipients)


def post(config: Config) -> Post | None:
    """None: no letters are sent. Raises MailUnusable."""
    if not config.publish_to:
        return None
    if not config.mail_url:
        raise MailUnusable("TELECARE_PUBLISH_TO needs TELECARE_MAIL_URL")
    if not _ADDRESS.fullmatch(config.mail_from):
        raise MailUnusable("TELECARE_MAIL_FROM is not an address")
    return Post(
        _server(config.mail_url, config.mail_password_file),
        config.mail_from,
        [_recipient(word) for word in config.publish_to],
    )


def _recipient(word: str) -> Recipient:
    slug, _, address = word.rpartition(":")
    if not _ADDRESS.fullmatch(address):
        raise MailUnusable(f"TELECARE_PUBLISH_TO: {word} is not an address")
    return Recipient(address, slug)


def _server(url: str, password_file: str) -> MailServer:
    try:
        parts = urlsplit(url)
        given = parts.port
    except ValueError as error:
        raise MailUnusable("TELECARE_MAIL_URL is not smtps://user@host:port") from error
    if parts.scheme not in {"smtp", "smtps"} or not parts.hostname or parts.path not in {"", "/"}:
        raise MailUnusable("TELECARE_MAIL_URL is not smtps://user@host:port")
    if parts.password is not None:
        raise MailUnusable("the mail password belongs in TELECARE_MAIL_PASSWORD_FILE")
    if bool(parts.username) != bool(password_file):
        raise MailUnusable("a user in TELECARE_MAIL_URL needs TELECARE_MAIL_PASSWORD_FILE")
    user = unquote(parts.username or "")
    if not user.isascii() or not _HOST.fullmatch(parts.hostname):
        raise MailUnusable("TELECARE_MAIL_URL is not in ASCII")
    tls = Tls(parts.scheme)
    if tls is Tls.BY_STARTTLS and _is_here(parts.hostname):
        tls = Tls.NONE
    port = given or (465 if tls is Tls.FROM_START else 587)
    return MailServer(parts.hostname, port, tls, user, _password(password_file))


def _password(file: str) -> str:
    if not file:
        return ""
    try:
        found = Path(file).read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise MailUnusable(f"{file} cannot be read") from error
    if not found or not found.isascii():
        raise MailUnusable(f"{file} holds no password in ASCII")  # as smtplib sends it
    return found


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@dataclass(frozen=True, slots=True)
class Letter:
    """A head on its way to one address."""

    head: Printed
    slug: str
    sender: str
    to: str
    day: date

    def message(self, language: str, now: datetime) -> EmailMessage:
        """The head as text, as a file to compare with, and as the page with its QR code."""
        checkpoint = Checkpoint.parse(self.head.note.text)
        name = f"{self.slug}-{self.head.log}-{checkpoint.size}"
        size, municipality = str(checkpoint.size), self.head.municipality

        def t(key: str, **values: str) -> str:
            return text(language, key, **values)

        message = EmailMessage(policy=SMTP)
        message["From"], message["To"] = self.sender, self.to
        message["Subject"] = t("log_mail.subject", municipality=municipality, size=size)
        message["Date"] = format_datetime(now)
        message["Message-ID"] = self._id(checkpoint)
        message["Auto-Submitted"] = "auto-generated"
        paragraphs = [
            t("log_mail.about", municipality=municipality),
            str(self.head.note).rstrip("\n"),
            t("log_mail.signed", at=f"{self.head.signed_at.astimezone(STOCKHOLM):%Y-%m-%d %H:%M}"),
            *(
                text(language, "log_page.seen", witness=one.witness.partition("+")[0],
                     when=f"{one.seen_at.astimezone(STOCKHOLM):%Y-%m-%d %H:%M}")
                for one in self.head.witnesses
            ),
            t("log_mail.key", fingerprint=self.head.key.fingerprint),
            t("log_mail.check", command=f"telecare audit verify {self.slug} --full "
              f"--checkpoint {name}.checkpoint"),
            t("log_mail.daily"),
        ]  # fmt: skip
        message.set_content("\n\n".join(paragraphs) + "\n")
        message.add_attachment(
            str(self.head.note).encode(), maintype="application", subtype="octet-stream",
            filename=f"{name}.checkpoint",
        )  # fmt: skip
        message.add_attachment(
            printed.page(self.head, language).encode(), maintype="text", subtype="html",
            filename=f"{name}.html",
        )  # fmt: skip
        return message

    def _id(self, head: Checkpoint) -> str:
        """The same letter has the same, however often it is sent."""
        named = "\n".join((head.origin, str(head.size), self.day.isoformat(), self.to.lower()))
        domain = self.sender.rpartition("@")[-1]
        return f"<{hashlib.sha256(named.encode()).hexdigest()[:32]}@{domain}>"


def deliver(server: MailServer, message: EmailMessage) -> None:
    """Hand it to the server. Not on the loop. Raises MailSilent, MailRefused."""
    domain = str(message["From"]).rpartition("@")[-1]
    trusted = ssl.create_default_context()
    try:
        with (
            smtplib.SMTP_SSL(server.host, server.port, domain, timeout=ANSWER_S, context=trusted)
            if server.tls is Tls.FROM_START
            else smtplib.SMTP(server.host, server.port, domain, timeout=ANSWER_S)
        ) as connection:
            if server.tls is Tls.BY_STARTTLS:
                connection.starttls(context=trusted)
            if server.user:
                connection.login(server.user, server.password)
            connection.send_message(message)
    except smtplib.SMTPRecipientsRefused as error:
        raise MailRefused(min(status for status, _ in error.recipients.values())) from error
    except smtplib.SMTPResponseException as error:
        raise MailRefused(error.smtp_code) from error
    except OSError as error:  # smtplib's own derive from it
        raise MailSilent from error


class Mailing:
    """Every municipality's head, once a local day to each address. A log that has stopped is not
    sent: the letter that does not come says that something is wrong.
    """

    def __init__(
        self,
        database: Database,
        publisher: Publisher,
        post: Post | None,
        witnesses: Sequence[VerifierKey],
        clock: Clock,
    ) -> None:
        self._database = database
        self._publisher = publisher
        self._post = post
        self._witnesses = witnesses
        self._clock = clock
        self._told = 0

    async def go_round(self) -> None:
        """All that is due."""
        if self._post is None:
            return
        with contextlib.suppress(TimeoutError, MailSilent):
            async with asyncio.timeout(ROUND_S):
                tenants = await self._publisher.tenants()
                self._tell_once([slug for _, slug in tenants])
                for tenant, _ in tenants:
                    async with self._database.transaction(tenant) as db:
                        row = await access_store.tenant(db)
                    await self.of_tenant(row)

    def _tell_once(self, slugs: Sequence[str]) -> None:
        assert self._post is not None  # noqa: S101 - go_round has looked
        unreachable = self._post.unreachable(slugs)
        if unreachable != self._told:
            log.warning("addresses of unknown municipalities", extra={"count": unreachable})
            self._told = unreachable

    async def of_tenant(self, tenant: TenantRow) -> None:
        """Raises MailSilent: then there is no use in asking for the next address at once."""
        assert self._post is not None  # noqa: S101 - go_round has looked
        newest = await self._publisher.newest_log(tenant.id)
        if newest is None or newest.stopped_at is not None:
            return
        head = await self._publisher.printed(tenant, self._witnesses)
        if head is None:
            return
        for address in self._post.of(tenant.slug):
            await self._send_if_due(tenant, head, address)

    async def _send_if_due(self, tenant: TenantRow, head: Printed, address: str) -> None:
        """Raises MailSilent."""
        now = self._clock.now()
        async with self._database.transaction(tenant.id) as db:
            day = _day(now)
            attempt = await mailing_store.claim(db, address, day, now, PAUSES)
        if attempt is None:
            return
        about = {"tenant_id": tenant.id, "attempt": attempt}
        try:
            await self.send(tenant, head, address, tenant.language)
        except MailRefused as error:
            log.warning("mail server refused a head", extra={**about, "status": error.status})
        except MailSilent:
            log.warning("mail server does not answer", extra=about)
            raise

    async def send(self, tenant: TenantRow, head: Printed, address: str, language: str) -> int:
        """Now, whatever was sent before; how many records the head covers.

        Raises MailSilent, MailRefused.
        """
        assert self._post is not None  # noqa: S101 - there is an address
        now = self._clock.now()
        letter = Letter(head, tenant.slug, self._post.sender, address, _day(now))
        server = self._post.server  # the QR code takes a while too: not on the loop
        await asyncio.to_thread(lambda: deliver(server, letter.message(language, now)))
        size = Checkpoint.parse(head.note.text).size
        async with self._database.transaction(tenant.id) as db:
            await mailing_store.add_sent(db, address, _day(now), (head.log, size), now)
        return size


def _day(now: datetime) -> date:
    return now.astimezone(STOCKHOLM).date()

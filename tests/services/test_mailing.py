"""The log's head in mailboxes that its administrators cannot rewrite, by a real mail server."""

import datetime as dt
import logging
import ssl
from email import message_from_bytes
from email.policy import default

import pytest
from aiohttp.test_utils import unused_port
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from telecare.access import store as access_store
from telecare.access.model import Role
from telecare.audit.note import Checkpoint
from telecare.integrity.mailing import (
    Letter,
    Mailing,
    MailRefused,
    MailServer,
    MailSilent,
    MailUnusable,
    Post,
    Recipient,
    Tls,
    deliver,
    post,
)
from telecare.integrity.publish_command import publish
from telecare.integrity.publishing import Publisher
from telecare.integrity.verify_command import Wanted, verify_log
from telecare.integrity.witnesses import speaking
from telecare.runtime.config import Config
from tests.services.test_sequencer import Kept, files, kept, sequencer_database  # noqa: F401

OFFICER, AUDITOR = "dso@norrvika.example", "revisor@norrvika.example"


class PostOffice:
    """A mail server: what it took, in order. `refuses`: addresses it knows nothing of."""

    def __init__(self, **more) -> None:
        self.port = unused_port()
        self.taken, self.refuses, self._more, self._running = [], set(), more, None

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802
        if address in self.refuses:
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        message = message_from_bytes(envelope.original_content, policy=default)
        self.taken.append((envelope.rcpt_tos, message))
        return "250 OK"

    def up(self) -> None:
        self._running = Controller(self, hostname="127.0.0.1", port=self.port, **self._more)
        self._running.start()

    def down(self) -> None:
        if self._running is not None:
            self._running.stop(no_assert=True)
            self._running = None

    @property
    def reached(self) -> list[str]:
        return [to for [to], _ in self.taken]


@pytest.fixture
def office():
    made = PostOffice()
    made.up()
    yield made
    made.down()


class Sender:
    """The sequencer's process as far as it sends letters."""

    def __init__(self, kept, http, office, *addresses) -> None:  # noqa: F811
        self.kept, self._http = kept, http
        server = MailServer("127.0.0.1", office.port, Tls.NONE)
        self._post = Post(server, "logg@telecare.example", [Recipient(one) for one in addresses])
        self.begin_anew()

    def begin_anew(self) -> None:
        database = self.kept.database
        publisher = Publisher(database, self.kept.files, self._http)
        self.mailing = Mailing(database, publisher, self._post, [], self.kept.clock)

    async def round(self) -> None:
        """Of this municipality only: the database is everybody's."""
        async with self.kept.database.transaction(self.kept.world.tenant) as db:
            row = await access_store.tenant(db)
        await self.mailing.of_tenant(row)


@pytest.fixture
async def signed(kept) -> Checkpoint:  # noqa: F811
    await kept.write(3)
    await kept.go_on()
    return await kept.sign()


@pytest.fixture
async def sender(kept, signed, office):  # noqa: F811
    async with speaking() as http:
        yield Sender(kept, http, office, OFFICER, AUDITOR)


async def test_each_address_gets_the_head_once_a_day_also_when_the_process_begins_anew(
    sender, office, kept  # noqa: F811
):  # fmt: skip
    for _ in range(3):
        await sender.round()
        sender.begin_anew()
    assert office.reached == [OFFICER, AUDITOR]

    kept.clock.forward(hours=14)  # after midnight in Sweden
    await sender.round()

    assert office.reached == [OFFICER, AUDITOR] * 2


async def test_the_letter_holds_the_head_as_text_as_a_file_to_compare_with_and_as_a_page(
    sender, office, kept, signed, config, tmp_path  # noqa: F811
):  # fmt: skip
    await kept.world.rows("update tenant set language = 'fi' where id = $1", kept.world.tenant)
    await kept.world.resident("Ingrid")
    await sender.round()

    [_, message] = office.taken[0]
    note = await kept.note()
    body = message.get_body(("plain",)).get_content().replace("\r\n", "\n")
    assert str(note) in body
    assert kept.verifier().fingerprint in body
    assert "Säilytä kirje" in body
    head, page = message.iter_attachments()
    assert "<svg" in page.get_content()
    assert "Ingrid" not in body + page.get_content()
    assert (message["To"], message["Auto-Submitted"]) == (OFFICER, "auto-generated")
    file = tmp_path / head.get_filename()
    file.write_bytes(head.get_content())
    assert file.read_text() == str(note)
    assert f"telecare audit verify {kept.slug} --full --checkpoint {file.name}" in body
    own = config.model_copy(update={"log_key_dir": str(kept.files.folder)})
    told = await verify_log(own, kept.slug, Wanted.read("", [str(file)], ""), login="anna")
    assert told.status == 0


async def test_a_log_that_has_stopped_sends_nothing(sender, office, kept):  # noqa: F811
    await kept.world.rows(
        "update audit.log set stopped_at = opened_at, stopped_because = '{}' where tenant_id = $1",
        kept.world.tenant,
    )

    await sender.round()

    assert office.taken == []


async def test_one_refused_address_hinders_no_other_and_is_tried_again_more_and_more_seldom(
    sender, office, kept, caplog  # noqa: F811
):  # fmt: skip
    office.refuses = {OFFICER}
    tried = []
    with caplog.at_level(logging.WARNING, "telecare"):
        at = 0
        for minute in (0, 1, 2, 6, 7, 21, 22, 81, 82):
            kept.clock.forward(minutes=minute - at)
            at, before = minute, len(caplog.records)
            await sender.round()
            tried += [minute] * (len(caplog.records) - before)

    assert office.reached == [AUDITOR]
    assert tried == [0, 2, 7, 22, 82]
    assert {(one.status, OFFICER in str(vars(one))) for one in caplog.records} == {(550, False)}

    office.refuses = set()
    kept.clock.forward(hours=1)
    await sender.round()

    assert office.reached == [AUDITOR, OFFICER]


async def test_a_mail_server_that_was_down_gets_the_days_letters_when_it_is_up_again(
    sender, office, kept  # noqa: F811
):  # fmt: skip
    office.down()
    with pytest.raises(MailSilent):
        await sender.round()
    with pytest.raises(MailSilent):
        await sender.round()
    await sender.round()
    assert office.taken == []

    office.up()
    sender.begin_anew()
    await sender.round()
    assert office.taken == []  # a process that begins anew does not hurry
    kept.clock.forward(minutes=3)
    await sender.round()

    assert sorted(office.reached) == [OFFICER, AUDITOR]


async def test_two_processes_send_one_letter(kept, signed, office):  # noqa: F811
    async with speaking() as http:
        one, other = (Sender(kept, http, office, OFFICER) for _ in range(2))
        await one.round()
        await other.round()

    assert office.reached == [OFFICER]


async def test_the_page_about_the_log_says_when_and_how_many_letters_left(
    sender, office, kept, client  # noqa: F811
):  # fmt: skip
    office.refuses = {OFFICER}
    lawyer = await kept.world.staff("Lena", role=Role.GRANSKARE)
    _, page = await client.look("/audit/verify", lawyer)
    assert 'data-test="mailed"' not in page

    await sender.round()

    _, page = await client.look("/audit/verify", lawyer)
    assert "till 1 adress." in page
    assert "1 adress har inte nåtts i dag" in page
    assert OFFICER not in page + str(await kept.world.rows("select * from audit.mailing"))


# --- how it is set up -----------------------------------------------------------------------------


def set_up(**more) -> Config:
    given = {"mail_url": "smtps://logg@mail.example", "mail_from": "logg@telecare.example",
             "publish_to": (OFFICER,), **more}  # fmt: skip
    return Config(database_url="", public_url="", **given)


def test_places_are_addresses_for_all_municipalities_or_for_one(tmp_path):
    secret = tmp_path / "password"
    secret.write_text("hemligt\n")

    made = post(
        set_up(mail_password_file=str(secret), publish_to=(OFFICER, f"sodervika:{AUDITOR}"))
    )

    assert made.server == MailServer("mail.example", 465, Tls.FROM_START, "logg", "hemligt")
    assert made.of("norrvika") == [OFFICER]
    assert made.of("sodervika") == [OFFICER, AUDITOR]
    assert made.unreachable(["norrvika"]) == 1
    assert made.unreachable(["norrvika", "sodervika"]) == 0
    assert post(set_up(publish_to=())) is None


def test_a_login_that_smtp_cannot_send_is_refused(tmp_path):
    secret = tmp_path / "password"
    for user, password in [("logg", "hemlig å"), ("logg", ""), ("l%C3%A5gg", "hemligt")]:
        secret.write_text(password)
        url = f"smtps://{user}@mail.example"
        with pytest.raises(MailUnusable):
            post(set_up(mail_url=url, mail_password_file=str(secret)))


@pytest.mark.parametrize(
    ("url", "tls", "port"),
    [("smtp://mail.example", Tls.BY_STARTTLS, 587), ("smtps://mail.example:1", Tls.FROM_START, 1),
     ("smtp://127.0.0.1:25", Tls.NONE, 25), ("smtp://[::1]:25", Tls.NONE, 25),
     ("smtp://localhost:25", Tls.NONE, 25), ("smtp://127.example", Tls.BY_STARTTLS, 587)],
)  # fmt: skip
def test_letters_leave_the_machine_by_tls_alone(url, tls, port):
    server = post(set_up(mail_url=url)).server

    assert (server.tls, server.port) == (tls, port)


@pytest.mark.parametrize(
    "wrong",
    [{"mail_url": ""}, {"mail_url": "http://mail.example"}, {"mail_url": "smtps://"},
     {"mail_url": "smtps://mail.example:x"}, {"mail_url": "smtps://logg:word@mail.example"},
     {"mail_url": "smtps://logg@mail.example"}, {"mail_password_file": "/nowhere"},
     {"mail_url": "smtps://mail.example", "mail_password_file": "/nowhere"},
     {"mail_url": "smtps://logg@mail.example", "mail_password_file": "/nowhere"},
     {"mail_url": "smtps://mäil.example"},
     {"mail_url": "smtps://mail.example", "mail_from": ""},
     {"mail_url": "smtps://mail.example", "publish_to": ("dso",)},
     {"mail_url": "smtps://mail.example", "publish_to": ("dso@norrvika.example,x@y.example",)},
     {"mail_url": "smtps://mail.example", "publish_to": ("Dså@norrvika.example",)}],
)  # fmt: skip
def test_settings_that_cannot_be_used_are_refused_before_anything_begins(wrong):
    with pytest.raises(MailUnusable):
        post(set_up(**wrong))


# --- the line to the server -----------------------------------------------------------------------


@pytest.fixture
async def letter(sender, kept):  # noqa: F811
    async with kept.database.transaction(kept.world.tenant) as db:
        row = await access_store.tenant(db)
    head = await sender.mailing._publisher.printed(row, [])
    now = kept.clock.now()
    return Letter(head, kept.slug, "logg@telecare.example", OFFICER, now.date()).message("sv", now)


@pytest.fixture
def certificate(tmp_path):
    """Of a server named localhost, signed by itself: (context of the server, file to trust)."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1).not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    pem, secret = tmp_path / "server.pem", tmp_path / "server.key"
    pem.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(pem, secret)
    return context, pem


def knows_the_word(server, session, envelope, mechanism, given) -> AuthResult:
    is_right = (given.login, given.password) == (b"logg", b"hemligt")
    return AuthResult(success=is_right, handled=False)


async def test_only_a_server_whose_certificate_is_trusted_gets_the_password_and_the_letter(
    letter, certificate, monkeypatch
):
    context, pem = certificate
    office = PostOffice(tls_context=context, authenticator=knows_the_word, auth_required=True)
    office.up()
    try:
        server = MailServer("localhost", office.port, Tls.BY_STARTTLS, "logg", "hemligt")
        with pytest.raises(MailSilent):
            deliver(server, letter)
        monkeypatch.setenv("SSL_CERT_FILE", str(pem))
        deliver(server, letter)
        assert office.reached == [OFFICER]
        with pytest.raises(MailRefused) as refused:
            deliver(MailServer("localhost", office.port, Tls.BY_STARTTLS, "logg", "fel"), letter)
        assert refused.value.status == 535
        with pytest.raises(MailSilent):
            deliver(MailServer("127.0.0.1", office.port, Tls.BY_STARTTLS), letter)  # another name
    finally:
        office.down()
    assert len(office.taken) == 1


async def test_a_server_that_speaks_no_tls_gets_nothing(letter, office):
    for tls in (Tls.BY_STARTTLS, Tls.FROM_START):
        with pytest.raises(MailSilent):
            deliver(MailServer("localhost", office.port, tls), letter)

    assert office.taken == []


# --- telecare audit publish -----------------------------------------------------------------------


async def test_the_command_says_of_each_address_whether_the_mail_server_took_it(
    sender, office, kept, signed, config  # noqa: F811
):  # fmt: skip
    office.refuses = {AUDITOR}
    own = config.model_copy(
        update={
            "mail_url": f"smtp://127.0.0.1:{office.port}", "mail_from": "logg@telecare.example",
            "publish_to": (OFFICER, AUDITOR), "log_key_dir": str(kept.files.folder),
        }
    )  # fmt: skip

    async def command():
        return await publish(own, kept.slug, page="", language="en", clock=kept.clock)

    told = await command()
    assert told.status == 1
    assert told.lines == [
        f"{OFFICER}: the mail server took the head of {signed.size} records",
        f"{AUDITOR}: the mail server refuses (status 550)",
    ]
    assert "Here is today's seal" in office.taken[0][1].get_body(("plain",)).get_content()

    office.refuses = set()
    assert (await command()).status == 0
    await sender.round()  # the day's letter has been sent
    assert office.reached == [OFFICER, OFFICER, AUDITOR]
    assert office.taken[0][1]["Message-ID"] == office.taken[1][1]["Message-ID"]

    office.down()
    told = await command()
    assert (told.status, "does not answer" in told.lines[0]) == (1, True)

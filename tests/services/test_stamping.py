"""RFC 3161 stamps of the log's heads, by an authority that openssl plays."""

import asyncio
import datetime as dt
import logging
import shutil
import subprocess
import sys
import zipfile
from io import BytesIO
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import unused_port
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from telecare.access.model import Role
from telecare.audit.note import COSIGNATURE_V1, Checkpoint, Note
from telecare.integrity import extract
from telecare.integrity.extract import Order
from telecare.integrity.publish_command import publish
from telecare.integrity.publishing import Publisher
from telecare.integrity.stamping import (
    Stamping,
    StampsUnusable,
    StampWrong,
    authority,
    checked,
)
from telecare.integrity.verify_command import Wanted, verify_log
from telecare.integrity.witness_store import Cosignature, add_cosignature
from telecare.integrity.witnesses import speaking
from telecare.runtime.config import Config
from tests.services.test_extract import WITNESS
from tests.services.test_sequencer import Kept, files, kept, sequencer_database  # noqa: F401

NAME = "Provstämpeln TSA 1"
SETTINGS = """
[tsa]
serial = {folder}/serial
default_policy = 1.2.3.4.1
digests = sha256
signer_digest = sha256
ess_cert_id_alg = sha256
"""


def _certified(name, key, by=None, by_key=None):
    """A root, or what a root signed: for stamps alone (RFC 3161 §2.3)."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by.subject if by else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=30))
        .add_extension(x509.BasicConstraints(ca=by is None, path_length=None), critical=True)
    )
    if by is not None:
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
        made = made.add_extension(usage, critical=True)
    return made.sign(by_key or key, hashes.SHA256())


def _pem(certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


class Office:
    """The authority. `answers`: bytes to say instead; `is_away`: it does not answer."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, unused_port()
        self.url = f"http://127.0.0.1:{self.port}/tsr"
        self.asked, self.answers, self.is_away = 0, None, False
        root_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
        root = _certified("Provroten", root_key)
        other = _certified("En annan rot", ec.generate_private_key(ec.SECP256R1()))
        secret = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        for name, content in {
            "root.pem": _pem(root), "other.pem": _pem(other), "key.pem": secret, "serial": b"01\n",
            "tsa.pem": _pem(_certified(NAME, key, root, root_key)),
            "tsa.cnf": SETTINGS.format(folder=folder).encode(),
        }.items():  # fmt: skip
            (folder / name).write_bytes(content)

    @property
    def roots(self) -> list:
        return x509.load_pem_x509_certificates((self.folder / "root.pem").read_bytes())

    async def answer(self, request):
        self.asked += 1
        if self.is_away:
            raise web.HTTPServiceUnavailable
        query = await request.read()
        said = self.answers or await asyncio.to_thread(self.reply, query)
        return web.Response(body=said, content_type="application/timestamp-reply")

    def reply(self, query: bytes) -> bytes:
        (self.folder / "query.tsq").write_bytes(query)
        command = [
            "openssl", "ts", "-reply", "-config", "tsa.cnf", "-section", "tsa", "-queryfile",
            "query.tsq", "-signer", "tsa.pem", "-inkey", "key.pem", "-out", "reply.tsr",
        ]  # fmt: skip
        subprocess.run(command, cwd=self.folder, check=True, capture_output=True)
        return (self.folder / "reply.tsr").read_bytes()

    def agrees(self, token: bytes, data: bytes) -> bool:
        """What a stranger with openssl alone finds."""
        (self.folder / "given.tsr").write_bytes(token)
        (self.folder / "given").write_bytes(data)
        command = ["openssl", "ts", "-verify", "-in", "given.tsr", "-data", "given",
                   "-CAfile", "root.pem"]  # fmt: skip
        run = subprocess.run(command, cwd=self.folder, check=False, capture_output=True)
        return run.returncode == 0


@pytest.fixture
async def office(tmp_path):
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    folder = tmp_path / "tsa"
    folder.mkdir()
    made = Office(folder)
    app = web.Application()
    app.router.add_post("/tsr", made.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", made.port).start()
    yield made
    await runner.cleanup()


@pytest.fixture
def own(config, office, kept):  # noqa: F811
    """The settings of whoever keeps this log."""
    more = {"tsa_url": office.url, "tsa_roots": str(office.folder / "root.pem"),
            "log_key_dir": str(kept.files.folder)}  # fmt: skip
    return config.model_copy(update=more)


@pytest.fixture
async def head(kept) -> Checkpoint:  # noqa: F811
    await kept.world.resident("Ingrid")
    await kept.go_on()
    return await kept.sign()


@pytest.fixture
async def stamping(kept, own, head):  # noqa: F811
    async with speaking() as http:
        publisher = Publisher(kept.database, kept.files, http)
        yield Stamping(kept.database, publisher, http, authority(own), kept.clock)


async def stamps(kept) -> list[dict]:  # noqa: F811
    return await kept.world.rows(
        "select * from audit.stamp where tenant_id = $1 order by size", kept.world.tenant
    )


async def test_the_head_is_stamped_once_a_day_and_openssl_agrees(stamping, office, kept, head):  # noqa: F811
    for _ in range(3):
        await stamping.of_tenant(kept.world.tenant)

    [row] = await stamps(kept)
    assert (office.asked, row["size"], row["authority"]) == (1, head.size, NAME)
    note = str(await kept.note())
    assert office.agrees(row["token"], note.encode())
    assert not office.agrees(row["token"], note.encode() + b" ")
    assert checked(row["token"], note, office.roots) == (NAME, row["stamped_at"])

    kept.clock.forward(hours=25)
    await stamping.of_tenant(kept.world.tenant)
    assert office.asked == 1  # it is the same head
    await kept.write(1)
    await kept.sign()
    await stamping.of_tenant(kept.world.tenant)
    assert len(await stamps(kept)) == 2


async def test_a_stamp_of_something_else_or_by_somebody_else_is_refused(stamping, office, kept):  # noqa: F811
    given = await stamping.stamp(kept.world.tenant)
    other = x509.load_pem_x509_certificates((office.folder / "other.pem").read_bytes())

    for token, note, roots in [
        (given.token, given.note.replace("\n", "\n ", 1), office.roots),
        (given.token, given.note, other),
        (given.token[:-1] + bytes([given.token[-1] ^ 1]), given.note, office.roots),
        (b"", given.note, office.roots),
        (b"0\x03\x02\x01\x02", given.note, office.roots),
    ]:
        with pytest.raises(StampWrong):
            checked(token, note, roots)


async def test_an_authority_that_is_away_or_answers_wrong_is_asked_ever_more_seldom(
    stamping, office, kept, caplog  # noqa: F811
):  # fmt: skip
    office.is_away = True
    with caplog.at_level(logging.WARNING, "telecare"):
        for _ in range(60):
            await stamping.of_tenant(kept.world.tenant)
            kept.clock.forward(seconds=2)
    assert [one.attempt for one in caplog.records] == [1, 2, 3, 4]

    office.is_away = False
    old = await kept.note()
    office.answers = await asyncio.to_thread(office.reply, _query(office, str(old)))
    kept.clock.forward(hours=2)
    await stamping.of_tenant(kept.world.tenant)
    assert await stamps(kept) == []  # it was no answer to this question: another nonce
    office.answers = None
    kept.clock.forward(hours=2)
    await stamping.of_tenant(kept.world.tenant)

    assert len(await stamps(kept)) == 1


def _query(office, text: str) -> bytes:
    (office.folder / "old").write_text(text)
    command = ["openssl", "ts", "-query", "-data", "old", "-sha256", "-cert", "-out", "old.tsq"]
    subprocess.run(command, cwd=office.folder, check=True, capture_output=True)
    return (office.folder / "old.tsq").read_bytes()


async def test_nobody_changes_a_stamp(stamping, kept, as_superuser):  # noqa: F811
    await stamping.stamp(kept.world.tenant)

    with pytest.raises(Exception, match="append only"):
        await as_superuser("update audit.stamp set authority = 'X'")


async def test_the_commands_say_who_stamped_what_and_when(own, office, kept, head):  # noqa: F811
    async def command():
        return await publish(own, kept.slug, page="", language="sv", clock=kept.clock)

    office.is_away = True
    told = await command()
    assert (told.status, told.lines) == (
        1, [f"{office.url}: gives no stamp that its certificates vouch for"],
    )  # fmt: skip
    office.is_away = False
    told = await command()
    assert told.status == 0
    assert told.lines[0].startswith(f"{NAME}: has stamped {head.size} records at ")

    told = await verify_log(own, kept.slug, Wanted.read("", [], ""), login="anna")
    assert told.status == 0
    assert f"Stamped by {NAME}" in told.lines[-1]
    assert f"log 1, {head.size} records were there then" in told.lines[-1]
    unset = own.model_copy(update={"tsa_roots": ""})
    told = await verify_log(unset, kept.slug, Wanted.read("", [], ""), login="anna")
    assert told.lines[-1] == "Not checked: 1 time stamps (no TELECARE_TSA_ROOTS)."
    wrong = own.model_copy(update={"tsa_roots": str(office.folder / "other.pem")})
    told = await verify_log(wrong, kept.slug, Wanted.read("", [], ""), login="anna")
    assert (told.status, told.lines[-1]) == (
        1, f"DOES NOT FIT: time stamp, log 1 head {head.size}",
    )  # fmt: skip


async def test_the_page_about_the_log_says_who_stamped_it(stamping, kept, client, head):  # noqa: F811
    lawyer = await kept.world.staff("Lena", role=Role.GRANSKARE)
    _, page = await client.look("/audit/verify", lawyer)
    assert 'data-test="stamped"' not in page

    await stamping.stamp(kept.world.tenant)

    _, page = await client.look("/audit/verify", lawyer)
    assert f"de {head.size} första händelserna: av {NAME}" in page


async def test_an_extract_holds_the_stamp_of_its_head_for_openssl(
    stamping, office, kept, reader, tmp_path  # noqa: F811
):  # fmt: skip
    [ingrid] = await kept.world.rows(
        "select resident_id, n from audit.subject_counter where tenant_id = $1", kept.world.tenant
    )
    order = Order(ingrid["resident_id"], "Ingrid", ingrid["n"], "en", kept.clock.now())

    async def package() -> dict[str, bytes]:
        async with reader.transaction(kept.world.tenant) as db:
            made = await extract.make(db, order)
        with zipfile.ZipFile(BytesIO(extract.zipped(made))) as opened:
            return {name: opened.read(name) for name in opened.namelist()}

    assert not [name for name in await package() if "stamped" in name]
    await stamping.stamp(kept.world.tenant)
    parts = await package()

    assert office.agrees(parts["log-1.stamped.tsr"], parts["log-1.stamped"])
    assert parts["log-1.checkpoint"].startswith(parts["log-1.stamped"])
    told = parts["README.txt"].decode()
    assert f"time-stamped by {NAME}" in told
    assert "openssl ts -verify -in log-1.stamped.tsr -data log-1.stamped" in told


async def test_an_extract_goes_on_showing_the_head_that_was_witnessed_and_stamped(
    stamping, kept, reader, head  # noqa: F811
):  # fmt: skip
    witness = WITNESS.verifier(COSIGNATURE_V1)
    [ingrid] = await kept.world.rows(
        "select resident_id, n from audit.subject_counter where tenant_id = $1", kept.world.tenant
    )

    async def witnessed() -> None:
        note = await kept.note()
        line = str(WITNESS.cosign(note.text, kept.clock.now()))
        given = Cosignature(str(witness), line, kept.clock.now())
        async with kept.database.transaction(kept.world.tenant) as db:
            await add_cosignature(db, 1, Checkpoint.parse(note.text).size, given)

    async def shown(*witnesses) -> tuple[int, bool, int]:
        order = Order(ingrid["resident_id"], "Ingrid", ingrid["n"], "en", kept.clock.now(),
                      witnesses=witnesses)  # fmt: skip
        async with reader.transaction(kept.world.tenant) as db:
            made = await extract.make(db, order)
        note = Note.parse(made.parts["log-1.checkpoint"])
        return Checkpoint.parse(note.text).size, 1 in made.stamps, len(note.signatures)

    await witnessed()
    await kept.write(1)
    last = await kept.sign()  # nobody has seen this one
    await stamping.stamp(kept.world.tenant)
    assert [row["size"] for row in await stamps(kept)] == [head.size]
    await witnessed()

    assert last.size > head.size
    assert await shown(witness) == (head.size, True, 2)
    assert await shown() == (head.size, True, 1)


# --- how it is set up -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrong",
    [{"tsa_url": "tsa.example"}, {"tsa_url": ""}, {"tsa_roots": ""}, {"tsa_roots": "/nowhere"},
     {"tsa_roots": __file__}],
)  # fmt: skip
def test_settings_that_cannot_be_used_are_refused_before_anything_begins(wrong, tmp_path):
    file = tmp_path / "root.pem"
    file.write_bytes(_pem(_certified("Provroten", ec.generate_private_key(ec.SECP256R1()))))
    given = {"tsa_url": "https://tsa.example", "tsa_roots": str(file)}
    right = Config(database_url="", public_url="", **given)
    assert authority(right).url == "https://tsa.example"

    with pytest.raises(StampsUnusable):
        authority(right.model_copy(update=wrong))


def test_without_the_extra_the_sentence_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "rfc3161_client", None)
    own = Config(database_url="", public_url="", tsa_url="https://tsa.example", tsa_roots="x.pem")

    with pytest.raises(StampsUnusable, match=r"telecare\[stamps\]"):
        authority(own)
    assert authority(own.model_copy(update={"tsa_url": "", "tsa_roots": ""})) is None

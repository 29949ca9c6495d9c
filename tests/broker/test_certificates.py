"""A home's certificate comes with its enrolment, is made anew in good time, and is taken back."""

import base64
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge import certificate, homes, identity
from telecare.access.model import Role
from telecare.app import services, web_app
from telecare.devices.authority import RENEWED_AFTER, Authority, AuthorityMissing
from telecare.devices.broker_config import write_broker_config
from telecare.devices.certificates import DISPLACED_TIMES, Revocations
from telecare.devices.service import make_unit_code
from telecare.runtime.errors import NotFound
from telecare.runtime.feed import Feed
from telecare.runtime.tasks import Errands
from telecare.wire import seal
from telecare.wire.edge import Enrolment, EnrolRequest, WipedNotice

TLS_FILES = {"ca.pem", "unit.pem", "unit.key", "server.url"}


@pytest.fixture
def folder(tmp_path):
    write_broker_config(tmp_path / "b", ["127.0.0.1"], "/etc/telecare", datetime.now(UTC))
    return tmp_path / "b" / "server"


@pytest.fixture
def made(database, reader, clock, config, folder):
    told = config.model_copy(update={"broker_ca_dir": str(folder)})
    return services(database, reader, clock, told)


@pytest.fixture
def key():
    return Ed25519PrivateKey.generate()


@pytest.fixture
async def enrolled(made, world, key):
    """Ingrid's unit: what it was given, by a key that it has."""
    ingrid = await world.resident("Ingrid")
    async with world.begun() as db:
        code = await make_unit_code(db, ingrid, "Teven", world.now)
    public = base64.urlsafe_b64encode(key.public_key().public_bytes_raw()).decode().rstrip("=")
    given = await made.devices.enrol(EnrolRequest(code=code, public_key=public))
    [unit] = (await made.devices.units([given.unit])).values()
    return ingrid, unit, given


def read(pem):
    return x509.load_pem_x509_certificate(pem.encode())


def name_of(held):
    return held.subject.rfc4514_string()


async def test_a_home_gets_a_certificate_over_its_own_key(enrolled, key, folder):
    _, unit, given = enrolled

    held = read(given.certificate)

    assert name_of(held) == f"CN={unit.id}"
    assert held.public_key() == key.public_key()
    held.verify_directly_issued_by(read(given.authority))
    assert given.authority.encode() == Authority.read(folder).pem


async def test_where_the_broker_asks_for_none_none_is_given(database, reader, clock, config, world):
    without = services(database, reader, clock, config)
    ingrid = await world.resident("Ingrid")
    async with world.begun() as db:
        code = await make_unit_code(db, ingrid, "Teven", world.now)

    given = await without.devices.enrol(EnrolRequest(code=code, public_key="A" * 43))

    assert (given.certificate, given.authority) == (None, None)
    with pytest.raises(NotFound):
        await without.certificates.current(given.unit)


async def test_it_stays_the_same_until_a_month_before_its_end(made, enrolled, clock):
    _, unit, given = enrolled

    assert await made.certificates.current(unit.id) == given.certificate
    clock.forward(days=RENEWED_AFTER.days)
    anew = await made.certificates.current(unit.id)

    assert anew != given.certificate
    assert read(anew).public_key() == read(given.certificate).public_key()
    left = read(given.certificate).not_valid_after_utc - clock.now()
    assert left >= timedelta(days=30)
    assert await made.certificates.current(unit.id) == anew


async def test_a_closed_home_gets_no_other_and_all_it_had_are_taken_back(
    made, world, enrolled, clock, database, folder, tmp_path
):
    ingrid, unit, given = enrolled
    clock.forward(days=RENEWED_AFTER.days)
    both = {read(given.certificate).serial_number}
    both.add(read(await made.certificates.current(unit.id)).serial_number)
    thrown_out = []

    async def displace(client_id):
        thrown_out.append(client_id)

    file = tmp_path / "revoked.pem"
    revocations = Revocations(database, clock, Authority.read(folder), file, displace)
    await revocations.look()
    assert not taken_back(file) & both
    karin = await world.staff("Karin", role=Role.ENHETSCHEF)

    await made.devices.close(karin, ingrid.id, unit.endpoint_id)
    for _ in range(DISPLACED_TIMES + 2):
        await revocations.look()

    assert taken_back(file) & both == both
    assert thrown_out.count(unit.id) == DISPLACED_TIMES
    with pytest.raises(NotFound):
        await made.certificates.current(unit.id)


async def test_only_a_closed_home_is_told_so_and_only_it_can_say_that_it_is_empty(
    made, world, enrolled
):
    ingrid, unit, _ = enrolled
    devices, challenge = made.devices, "c" * 43
    said = seal.proof(unit.mac_key, "wiped", unit.id, challenge)
    mine = WipedNotice(challenge=challenge, proof=said)
    forged = WipedNotice(challenge=challenge, proof=seal.proof(bytes(32), "wiped", unit.id, "c"))
    with pytest.raises(NotFound):
        await devices.closed_proof(unit.id, challenge)
    with pytest.raises(NotFound):
        await devices.wiped_elsewhere(unit.id, mine)
    karin = await world.staff("Karin", role=Role.ENHETSCHEF)

    await devices.close(karin, ingrid.id, unit.endpoint_id)

    told = await devices.closed_proof(unit.id, challenge)
    assert seal.is_proof(told, unit.mac_key, "closed", unit.id, challenge)
    with pytest.raises(NotFound):
        await devices.wiped_elsewhere(unit.id, forged)
    assert "unit.wiped" not in await world.events()
    await devices.wiped_elsewhere(unit.id, mine)
    assert "unit.wiped" in await world.events()


async def test_a_home_whose_ending_is_undone_is_let_in_again(
    made, world, enrolled, clock, database, folder, tmp_path
):
    ingrid, _, given = enrolled

    async def displace(client_id):
        pass

    file = tmp_path / "revoked.pem"
    revocations = Revocations(database, clock, Authority.read(folder), file, displace)
    eva = await world.staff("Eva", role=Role.SAMORDNARE)
    karin = await world.staff("Karin", role=Role.ENHETSCHEF)
    await made.endings.end(eva, ingrid.id, "moved", world.now.date())
    await world.run_due()
    await revocations.look()
    serial = read(given.certificate).serial_number
    assert serial in taken_back(file)

    [ending] = await world.rows("select id from ending where tenant_id = $1", world.tenant)
    await made.endings.undo(karin, ending["id"])
    await revocations.look()

    assert serial not in taken_back(file)


async def test_a_broker_out_of_reach_is_told_when_it_is_back(
    made, world, enrolled, clock, database, folder, tmp_path
):
    ingrid, unit, _ = enrolled
    tries = []

    async def displace(client_id):
        if client_id != unit.id:
            return  # of other tests: the list is of every municipality
        tries.append(client_id)
        if len(tries) < 3:
            raise ConnectionError

    file = tmp_path / "revoked.pem"
    revocations = Revocations(database, clock, Authority.read(folder), file, displace)
    await revocations.look()
    karin = await world.staff("Karin", role=Role.ENHETSCHEF)
    await made.devices.close(karin, ingrid.id, unit.endpoint_id)

    for _ in range(DISPLACED_TIMES + 5):
        await revocations.look()

    assert len(tries) == 2 + DISPLACED_TIMES


def taken_back(file):
    listed = x509.load_pem_x509_crl(file.read_bytes())
    return {one.serial_number for one in listed}


def test_no_list_is_ever_too_old_to_let_homes_in(folder):
    authority = Authority.read(folder)

    listed = x509.load_pem_x509_crl(authority.revocation_list([], datetime.now(UTC)))

    assert listed.next_update_utc == read(authority.pem.decode()).not_valid_after_utc


def test_written_again_the_authority_stays_and_no_home_is_shut_out(tmp_path):
    now = datetime.now(UTC)
    write_broker_config(tmp_path, ["broker.example"], "/etc/telecare", now)
    first = files(tmp_path)

    write_broker_config(tmp_path, ["broker.example"], "/etc/telecare", now)

    second = files(tmp_path)
    same = {"server/ca.key", "server/ca.pem", "broker/ca.pem", "broker/revoked.pem", "broker/acl"}
    assert {name for name in first if first[name] == second[name]} >= same
    assert first["broker/broker.pem"] != second["broker/broker.pem"]
    for name in ("server/ca.key", "server/server.key", "broker/broker.key"):
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o600
    assert not (tmp_path / "broker" / "ca.key").exists()


def files(folder: Path):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_a_server_without_the_authority_it_was_told_of_does_not_start(tmp_path):
    with pytest.raises(AuthorityMissing):
        Authority.read(tmp_path)


# --- in the home --------------------------------------------------------------------------------


@pytest.fixture
async def care_url(made, config):
    """The server's own pages, on a port of this machine."""
    app = web_app(
        made, config, feed=Feed(made.database), brokers=(), errands=Errands(), is_demo=False
    )
    runner = aiohttp.web.AppRunner(app)
    await runner.setup()
    site = aiohttp.web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


@pytest.fixture
def home(tmp_path):
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


async def test_a_home_renews_its_certificate_also_after_it_has_expired(
    made, enrolled, key, clock, care_url, home
):
    _, unit, given = enrolled
    certificate.keep(home, given, key, care_url)
    due = certificate.due_at(home)
    assert due == read(given.certificate).not_valid_after_utc - certificate.RENEW_BEFORE
    clock.forward(days=200)

    assert await certificate.renew(home, unit.id)

    kept = (home / "tls" / "unit.pem").read_text()
    assert kept == await made.certificates.current(unit.id)
    assert certificate.due_at(home) > clock.now()


async def test_a_home_that_cannot_renew_keeps_what_it_has(enrolled, key, care_url, home):
    _, unit, given = enrolled
    certificate.keep(home, given, key, care_url)

    assert not await certificate.renew(home, "u-" + "z" * 26)
    assert (home / "tls" / "unit.pem").read_text() == given.certificate
    (home / "tls" / "server.url").write_text("http://127.0.0.1:1")
    assert not await certificate.renew(home, unit.id)
    assert (home / "tls" / "unit.pem").read_text() == given.certificate


async def test_a_home_keeps_its_certificate_for_itself_and_forgets_it_when_wiped(
    enrolled, key, home
):
    _, _, given = enrolled
    identity.keep(home, given, key, "https://care.example")

    kept = list((home / "tls").iterdir())
    assert {file.name for file in kept} == TLS_FILES
    assert {file.stat().st_mode & 0o777 for file in kept} == {0o600}
    homes.forget(home)

    assert not (home / "tls").exists()


async def test_a_home_without_a_certificate_looks_after_none(home, key):
    given = Enrolment(unit="u-" + "a" * 26, mac_key="", broker_url="mqtt://127.0.0.1")
    certificate.keep(home, given, key, "https://care.example")

    assert certificate.due_at(home) is None
    await certificate.keep_fresh(home, "u-" + "a" * 26, lambda: datetime.now(UTC))

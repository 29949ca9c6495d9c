"""The page that checks the log: what it says, against whom and until when, and never more."""

import re
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from telecare.access.model import Role
from telecare.audit.format import SECTIONS
from telecare.audit.note import COSIGNATURE_V1, Checkpoint, Signer
from telecare.integrity import checking, verifying
from telecare.integrity.cosigned import cosigned
from telecare.integrity.witness_store import Cosignature, add_cosignature
from telecare.runtime.texts import catalogue
from telecare.web.audit_verify import _for_a_code as for_a_code
from tests.services.test_sequencer import Kept, files, kept, sequencer_database  # noqa: F401


@pytest.fixture
async def lena(world):
    return await world.staff("Lena", role=Role.GRANSKARE)


@pytest.fixture
async def log(kept, lena):  # noqa: F811
    """Ingrid's log, signed."""
    await kept.world.resident("Ingrid")
    await kept.go_on()
    await kept.sign()
    return kept


async def test_a_whole_log_is_said_to_be_whole_against_staff_and_up_to_its_seal(
    world, client, log, lena
):
    status, page, _ = await client.send("/audit/verify", lena)
    last = (await world.records())[-1]
    signed = await world.rows(
        "select size from audit.checkpoint where tenant_id = $1", world.tenant
    )

    assert status == 200
    assert 'data-verdict="whole"' in page
    assert "Inga spår av ändring." in page
    assert f"Gäller de {signed[-1]['size']} första händelserna i logg 1" in page
    assert "skyddar mot personalen, inte mot den som driver systemet" in page
    assert "ingen saknas" not in page.lower()
    assert last["event"] == "log.verified"
    assert (last["what"]["findings"], last["what"]["heads"]) == (0, 1)


async def test_the_page_shows_the_key_and_the_newest_seal_as_a_code(client, log, lena):
    _, page = await client.look("/audit/verify", lena)
    key = log.files.key(log.slug).public_key().public_bytes_raw()

    fingerprint = verifying.VerifierKey("log", b"\x01", key).fingerprint
    assert fingerprint in page
    assert f"prov.example/{log.slug}/audit/1" in page
    assert 'class="qr"' in page


def test_a_seal_with_many_witnesses_is_still_a_code():
    note = "origin\n7\nroot=\n\n" + "\N{EM DASH} witness AAAA\n" * 200

    assert for_a_code(note) == "origin\n7\nroot=\n"
    assert for_a_code(note[:200]) == note[:200]


async def test_without_a_seal_nothing_is_said_to_be_whole(client, world, lena):
    _, page, _ = await client.send("/audit/verify", lena)

    assert 'data-verdict="unknown"' in page
    assert "Kunde inte kontrolleras" in page
    assert "Inga spår av ändring" not in page


async def test_what_does_not_fit_is_named_with_its_record(client, world, as_superuser, log, lena):
    given = next(r for r in await world.records() if r["event"] == "consent.given")
    await as_superuser(
        "set session_replication_role = replica; "
        f"""update audit.body set actor = '{{"id":"x"}}' where entry_id = {given["entry_id"]}"""
    )

    _, page, _ = await client.send("/audit/verify", lena)
    checked, found, _ = (await world.records())[-3:]

    assert 'data-verdict="broken"' in page
    assert 'data-kind="actor_altered"' in page
    assert "Avsnittet ”vem” är inte det som skrevs." in page
    assert f'href="/audit/records/{given["entry_id"]}"' in page
    assert "Ska vara" in page
    assert checked["what"]["kinds_of_findings"] == ["actor_altered", "index_altered"]
    assert (found["event"], found["what"]["finding"]) == ("finding.opened", "actor_altered")
    status, shown = await client.look(f"/audit/records/{given['entry_id']}", lena)
    assert status == 200
    assert "Vem" in shown


async def test_an_altered_record_that_is_no_document_can_still_be_opened(
    client, world, as_superuser, log, lena
):
    given = next(r for r in await world.records() if r["event"] == "consent.given")
    await as_superuser(
        "set session_replication_role = replica; update audit.body set basis = 'scrawl', "
        f"subject = '[]', persons = array['x'] where entry_id = {given['entry_id']}"
    )

    status, page = await client.look(f"/audit/records/{given['entry_id']}", lena)

    assert status == 200
    assert "scrawl" in page


async def test_a_stopped_log_says_why_and_that_records_go_on(
    client, world, as_superuser, log, lena
):
    await as_superuser(
        "set session_replication_role = replica; "
        f"delete from audit.leaf where tenant_id = {world.tenant} and leaf_index >= 3"
    )
    await log.restart()

    _, page = await client.look("/audit/verify", lena)

    assert 'data-test="stopped"' in page
    assert "Loggen är kortare än det som har signerats: 3 händelser" in page
    assert "Nya händelser skrivs fortfarande in" in page


async def test_a_check_that_takes_too_long_says_nothing(client, made, log, lena):
    made.verifying.longest = -verifying.CHECK_LIMIT

    status, page, _ = await client.send("/audit/verify", lena)

    assert status == 409
    assert 'data-code="check_too_long"' in page
    assert "Kunde inte kontrolleras" in page


async def test_a_log_too_long_for_the_page_is_not_begun(client, made, log, lena):
    made.verifying.most_records = 2

    _, page, _ = await client.send("/audit/verify", lena)

    assert 'data-code="log_too_long"' in page


async def test_one_check_at_a_time(made, log, lena):
    made.verifying._running.add(lena.tenant)

    with pytest.raises(verifying.CheckRunning):
        await made.verifying.check(lena)


def test_every_finding_has_a_sentence():
    source = Path(checking.__file__).read_text("utf-8")
    kinds = set(re.findall(r'\.add\(\s*f?"([a-z_]+)"', source))
    kinds |= {f"{section}_altered" for section in SECTIONS}

    assert len(kinds) > 15
    assert [kind for kind in kinds if f"finding.{kind}" not in catalogue("sv")] == []


async def test_a_neighbours_signature_is_compared_with_and_until_when(
    world,
    made,
    log,
    lena,
    sequencer_database,  # noqa: F811
):
    neighbour = Signer("witness.sodervika.example", Ed25519PrivateKey.generate())
    key = neighbour.verifier(COSIGNATURE_V1)
    head = await log.note()
    line = str(neighbour.cosign(head.text, world.now))
    async with sequencer_database.transaction(world.tenant) as db:
        size = Checkpoint.parse(head.text).size
        await add_cosignature(db, 1, size, Cosignature(str(key), line, world.now))

    @asynccontextmanager
    async def reader():
        yield made.reader

    page = verifying.Verifying(made.database, made.reader, made.clock, reader, [key])
    async with made.reader.transaction(world.tenant) as db:
        [outside] = await cosigned(db, [key])
        stranger = Signer(neighbour.name, Ed25519PrivateKey.generate()).verifier(COSIGNATURE_V1)
        assert await cosigned(db, [stranger]) == []
    checked = await page._check(world.tenant)

    assert outside.checkpoint == Checkpoint.parse(head.text)
    assert checked.is_whole
    assert checked.outside == world.now

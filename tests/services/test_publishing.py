"""Witnesses hear of each head, and what they hold is compared before anything is signed."""

from dataclasses import dataclass
from html import unescape
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import unused_port

from telecare.audit.note import (
    COSIGNATURE_V1,
    Checkpoint,
    Note,
    Signer,
    VerifierKey,
    check_signature,
    cosigned_at,
)
from telecare.integrity import witness_store
from telecare.integrity.publish_command import NobodyToTell, NoHead, TenantUnknown, publish
from telecare.integrity.publishing import NotOurTree, Publisher, Rounds, Witnessed
from telecare.integrity.submission import path_of
from telecare.integrity.witness import WitnessFiles
from telecare.integrity.witness_http import witness_key, witnessing
from telecare.integrity.witness_store import Cosignature
from telecare.integrity.witnesses import (
    WitnessAddress,
    WitnessesUnusable,
    WitnessRefused,
    WitnessSilent,
    addresses,
    speaking,
)
from telecare.runtime.config import WitnessConfig
from telecare.runtime.qr import qr_path
from telecare.runtime.texts import text
from tests.services.test_sequencer import Kept, files, kept, sequencer_database  # noqa: F401


@dataclass
class Neighbour:
    """A municipality that runs a witness; `up` says whether it does just now."""

    config: WitnessConfig
    port: int
    clock: object
    running: object = None

    @property
    def address(self) -> WitnessAddress:
        return WitnessAddress(f"http://127.0.0.1:{self.port}", witness_key(self.config))

    async def up(self):
        self.running = witnessing(self.config, self.clock, host="127.0.0.1", port=self.port)
        return await self.running.__aenter__()

    async def down(self) -> None:
        if self.running is not None:
            await self.running.__aexit__(None, None, None)
            self.running = None

    def knows(self, *keys: VerifierKey) -> None:
        with (Path(self.config.folder) / "logs.vkeys").open("a") as file:
            file.writelines(f"{key}\n" for key in keys)


@pytest.fixture
async def neighbour(tmp_path, kept):  # noqa: F811
    config = WitnessConfig(folder=str(tmp_path / "neighbour"), name="witness.sodervika.example")
    witness_key(config)
    made = Neighbour(config, unused_port(), kept.clock)
    made.knows(kept.verifier())
    yield made
    await made.down()


class Office:
    """The sequencer's process, as `telecare sequencer` puts it together."""

    def __init__(self, kept, http, neighbour) -> None:  # noqa: F811
        self.kept, self.http, self.neighbour = kept, http, neighbour
        self.begin_anew()

    def begin_anew(self) -> None:
        self.kept.sequencer = self.kept.started(has_witnesses=True)
        self.publisher = Publisher(self.kept.database, self.kept.files, self.http)
        self.rounds = Rounds(
            self.publisher, self.kept.sequencer, [self.neighbour.address], self.kept.clock
        )

    async def round(self) -> None:
        """Of this municipality only: the database is everybody's."""
        await self.rounds._of_tenant(self.kept.world.tenant, self.kept.slug)

    async def publish(self):
        return await self.publisher.publish(
            self.kept.world.tenant, self.kept.slug, self.neighbour.address
        )

    async def heads(self) -> list[int]:
        rows = await self.kept.world.rows(
            "select size from audit.checkpoint where tenant_id = $1 order by size",
            self.kept.world.tenant,
        )
        return [row["size"] for row in rows]

    async def seen(self) -> list[dict]:
        return await self.kept.world.rows(
            "select * from audit.cosignature where tenant_id = $1 order by size",
            self.kept.world.tenant,
        )


@pytest.fixture
async def office(kept, neighbour):  # noqa: F811
    async with speaking() as http:
        yield Office(kept, http, neighbour)


async def signed(office, count=1) -> Checkpoint:
    """A head of a log that nobody has compared yet must not be signed: so it is heard first."""
    await office.kept.go_on()  # the key's own record comes first
    await office.kept.write(count)
    await office.kept.go_on()
    await office.round()
    return await office.kept.sign()


async def test_a_witness_signs_the_newest_head_and_what_it_signed_is_kept(office, neighbour):
    await neighbour.up()
    await office.kept.write(300)
    await office.kept.go_on()
    await office.round()
    for count in (300, 1):
        head = await office.kept.sign()
        outcome = await office.publish()
        assert isinstance(outcome, Witnessed)
        assert (outcome.size, outcome.is_new) == (head.size, True)
        [*_, row] = await office.seen()
        note = Note.parse(f"{await office.kept.note()}{row['line']}")
        assert cosigned_at(note, neighbour.address.key) == office.kept.clock.now()
        assert row["size"] == head.size
        await office.kept.write(count)
    assert (await office.publish()).is_new is False


async def test_each_witness_hears_of_a_head_at_most_hourly(office, neighbour):
    await neighbour.up()
    await signed(office)
    for _ in range(12):
        await office.round()
        await office.kept.write(1)
        await office.kept.sign()
        office.kept.clock.forward(minutes=10)

    assert len(await office.heads()) >= 12
    assert 2 <= len(await office.seen()) <= 4


class TickingClock:
    """As a real one: no two readings are the same."""

    def __init__(self, clock) -> None:
        self._clock = clock

    def now(self):
        self._clock.forward(microseconds=1)
        return self._clock.now()


async def test_a_witness_hears_of_the_first_head_while_time_goes_on(office, neighbour):
    await neighbour.up()
    clock = TickingClock(office.kept.clock)
    office.rounds = Rounds(office.publisher, office.kept.sequencer, [neighbour.address], clock)
    await signed(office)
    office.kept.clock.forward(seconds=6)

    await office.round()

    assert len(await office.seen()) == 1


async def test_what_was_signed_but_not_stored_is_signed_again(office, neighbour):
    """The connection broke after the witness had written its signature down."""
    await neighbour.up()
    await signed(office)
    await office.publish()
    await office.kept.write(1)
    await office.kept.sign()
    news = await _news(office)
    await office.publisher._submit(office.kept.world.tenant, news, news.believed, neighbour.address)

    outcome = await office.publish()

    assert (outcome.size, outcome.is_new) == ((await office.heads())[-1], True)


async def _news(office):
    async with office.kept.database.transaction(office.kept.world.tenant) as db:
        return await office.publisher._news(db, office.neighbour.address)


async def test_a_silent_witness_hinders_no_record_and_is_asked_again_later(office, neighbour):
    await office.kept.write(5)
    for _ in range(3):
        await office.round()
        await office.kept.go_on()
    assert len(await office.kept.leaves()) == len(await office.kept.world.records())
    assert await office.heads() == []  # nothing outside the database to compare with: not signed

    await neighbour.up()
    await office.round()
    await office.kept.go_on()
    assert await office.heads() == []  # it is left alone for a while
    office.kept.clock.forward(seconds=11)
    await office.round()
    await office.kept.go_on()

    assert len(await office.heads()) == 1


async def test_the_file_beside_the_key_is_enough_to_go_on_signing(office, neighbour):
    await neighbour.up()
    await signed(office)
    await neighbour.down()
    office.begin_anew()
    before = len(await office.heads())

    await office.round()
    await office.kept.write(1)
    await office.kept.sign()

    assert len(await office.heads()) == before + 1


CUT = """
set session_replication_role = replica;
delete from audit.cosignature where tenant_id = {tenant};
delete from audit.checkpoint where tenant_id = {tenant} and size > {size};
delete from audit.leaf where tenant_id = {tenant} and leaf_index >= {size};
delete from audit.tile where tenant_id = {tenant} and (n + 1) * 256 > {size};
delete from audit.entry e where tenant_id = {tenant} and not exists (
    select 1 from audit.leaf l where l.tenant_id = e.tenant_id and l.entry_id = e.entry_id);
"""


async def forget_the_file(office) -> None:
    """The machine was restored together with its database."""
    (office.kept.files.folder / f"{office.kept.slug}.1.checkpoint").unlink()


async def test_a_log_shorter_than_what_a_witness_holds_stops_before_anything_is_signed(
    office, neighbour, as_superuser
):
    await neighbour.up()
    head = await signed(office, 40)
    await office.publish()
    await as_superuser(CUT.format(tenant=office.kept.world.tenant, size=30))
    await forget_the_file(office)
    before = await office.heads()
    office.begin_anew()
    await office.kept.write(1)
    await office.kept.go_on()
    office.kept.clock.forward(seconds=61)
    await office.kept.go_on()
    assert await office.heads() == before

    await office.round()
    await office.kept.go_on()

    assert await office.kept.stopped_because() == {
        "expected_size": head.size, "found": "shorter", "found_size": 31, "log": 1,
    }  # fmt: skip
    assert await office.heads() == before


async def test_another_log_grown_past_what_a_witness_holds_stops_when_it_answers(
    office, neighbour, as_superuser
):
    """The witness was away at the start, a file was there: it was signed on, until it answered."""
    await neighbour.up()
    head = await signed(office, 40)
    await office.publish()
    await neighbour.down()
    await as_superuser(CUT.format(tenant=office.kept.world.tenant, size=30))
    await forget_the_file(office)
    office.kept.sequencer = office.kept.started()  # somebody runs it without witnesses
    await office.kept.write(60)
    await office.kept.sign()
    office.begin_anew()
    await office.round()
    await office.kept.write(1)
    await office.kept.sign()
    assert max(await office.heads()) > head.size

    await neighbour.up()
    office.kept.clock.forward(minutes=10)
    await office.round()
    await office.kept.go_on()

    assert (await office.kept.stopped_because())["found"] == "different"


async def test_a_tree_that_turned_into_another_is_found_when_it_is_published(
    office, neighbour, as_superuser
):
    """The process that has compared once goes on with what it remembers; the witness does not."""
    await neighbour.up()
    await signed(office, 40)
    await office.publish()
    await as_superuser(CUT.format(tenant=office.kept.world.tenant, size=30))
    await forget_the_file(office)
    office.kept.sequencer = office.kept.started()
    await office.kept.write(60)
    await office.kept.sign()

    outcome = await office.publish()

    assert isinstance(outcome, NotOurTree)
    assert not await office.publisher.fits(
        office.kept.world.tenant,
        (await _news(office)).newest,
        outcome.held.checkpoint,
    )
    assert await office.seen() == []


async def test_a_witness_that_does_not_know_the_log_refuses(office, neighbour, tmp_path):
    await neighbour.up()
    await signed(office)
    await neighbour.down()
    (tmp_path / "neighbour" / "logs.vkeys").write_text("")
    await neighbour.up()

    with pytest.raises(WitnessRefused):
        await office.publish()


@pytest.fixture
async def liar(neighbour):
    """Something else answers at the witness's address, whatever is asked."""
    said = {"status": 200, "text": ""}

    async def answer(request):
        return web.Response(**said)

    app = web.Application()
    app.router.add_route("*", "/{any:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", neighbour.port).start()
    yield said
    await runner.cleanup()


@pytest.mark.parametrize(
    "said", [{"text": ""}, {"text": "<html>"}, {"text": "x" * 100_000}, {"status": 302},
             {"status": 500}, {"text": "\N{EM DASH} witness.sodervika.example AAAAAAAAAAAA\n"}],
)  # fmt: skip
async def test_an_answer_that_is_not_the_witnesss_counts_as_none(office, liar, said):
    office.kept.sequencer = office.kept.started()
    await office.kept.sign()
    liar.update(said)

    with pytest.raises((WitnessSilent, WitnessRefused)):
        await office.publish()
    assert await office.seen() == []
    office.begin_anew()
    await forget_the_file(office)
    before = await office.heads()
    await office.round()
    await office.kept.write(1)
    await office.kept.sign()
    assert await office.heads() == before


async def test_a_head_that_the_log_never_signed_stops_nothing(office, neighbour, liar):
    """Whoever holds the witness's key alone cannot stop a log."""
    office.kept.sequencer = office.kept.started()
    await office.kept.sign()
    thief = Signer(office.kept.verifier().name, office.kept.files.make("thief"))
    note = Note(Checkpoint(thief.name, 10**6, b"\0" * 32).text)
    witness = Signer(neighbour.config.name, _key_of(neighbour))
    note = note.signed(thief.sign(note.text), witness.cosign(note.text, office.kept.clock.now()))
    liar["text"] = str(note)
    office.begin_anew()

    await office.round()
    await office.kept.go_on()

    assert await office.kept.stopped_because() is None
    with pytest.raises(WitnessSilent):
        await office.publisher.held(
            office.kept.world.tenant, "", (await _news(office)).newest, neighbour.address
        )


def _key_of(neighbour):
    return WitnessFiles(Path(neighbour.config.folder)).key()


async def test_a_witness_that_has_forgotten_what_it_signed_is_not_believed(office, neighbour):
    await neighbour.up()
    await signed(office)
    await office.publish()
    await neighbour.down()
    for file in _folder(neighbour).glob("*.checkpoint"):
        file.unlink()
    await neighbour.up()

    with pytest.raises(WitnessSilent):
        await office.publisher.held(
            office.kept.world.tenant, office.kept.slug, (await _news(office)).newest,
            neighbour.address,
        )  # fmt: skip


def _folder(neighbour):
    return Path(neighbour.config.folder)


async def test_what_a_witness_holds_is_signed_by_both(office, neighbour):
    witness = await neighbour.up()
    head = await signed(office)
    await office.publish()

    note = witness.head(office.kept.verifier().name)

    check_signature(note, office.kept.verifier())
    assert Checkpoint.parse(note.text) == head
    assert path_of(head.origin)[1:65].isalnum()


def test_witnesses_are_configured_as_addresses_and_keys(neighbour, kept):  # noqa: F811
    words = [neighbour.address.url + "/", str(neighbour.address.key)]

    assert addresses(words * 2) == [neighbour.address] * 2
    assert addresses([]) == []
    for wrong in (words[:1], words[::-1], [words[0], "x"], ["ftp://x", words[1]],
                  [words[0], str(kept.verifier())]):  # fmt: skip
        with pytest.raises(WitnessesUnusable):
            addresses(wrong)


# --- telecare audit publish -----------------------------------------------------------------------


@pytest.fixture
def command(config, office, tmp_path):
    """Run as an administrator runs it, in the environment of this log."""

    async def run(*witnesses, page="", language="sv", slug=None):
        words = [word for one in witnesses for word in (one.url, str(one.key))]
        own = config.model_copy(
            update={"witnesses": words, "log_key_dir": str(office.kept.files.folder)}
        )
        return await publish(
            own, slug or office.kept.slug, page=page, language=language, clock=office.kept.clock
        )

    return run


async def test_the_command_says_what_each_witness_answers(office, neighbour, command):
    await neighbour.up()
    head = await signed(office, 3)

    told = await command(neighbour.address)

    assert told.status == 0
    [line] = told.lines
    assert line.startswith(f"witness.sodervika.example: has signed {head.size} records at 2026-")
    await neighbour.down()
    await office.kept.write(1)
    await office.kept.sign()
    told = await command(neighbour.address)
    assert (told.status, "does not answer" in told.lines[0]) == (1, True)


async def test_the_command_says_aloud_that_the_log_is_another(
    office, neighbour, command, as_superuser
):
    await neighbour.up()
    await signed(office, 40)
    await office.publish()
    await as_superuser(CUT.format(tenant=office.kept.world.tenant, size=30))
    await forget_the_file(office)
    office.kept.sequencer = office.kept.started()
    await office.kept.write(60)
    await office.kept.sign()

    told = await command(neighbour.address)

    assert (told.status, "THE LOG DOES NOT BEGIN WITH" in told.lines[0]) == (1, True)


async def test_the_page_for_the_diary_holds_the_head_its_key_and_who_saw_it(
    office, neighbour, command, tmp_path
):
    await neighbour.up()
    head = await signed(office)
    note = await office.kept.note()

    for language in ("sv", "fi", "en"):
        await command(neighbour.address, page=str(tmp_path / "page.html"), language=language)
        page = (tmp_path / "page.html").read_text()
        assert str(note).strip() in unescape(page)
        assert office.kept.verifier().fingerprint in page
        assert f"<dd>{head.size}</dd>" in page
        assert "witness.sodervika.example" in page
        assert qr_path(str(note)).path in page
        assert "src=" not in page and "href=" not in page  # noqa: PT018
        assert text(language, "log_page.about").split(".")[0] in unescape(page)


async def test_the_page_says_when_no_witness_of_ours_has_signed(
    office, neighbour, command, tmp_path, as_superuser
):
    """Also when the database says that one has."""
    await neighbour.up()
    head = await signed(office)
    thief = Signer("witness.sodervika.example", office.kept.files.make("thief"))
    note = await office.kept.note()
    line = str(thief.cosign(note.text, office.kept.clock.now()))
    async with office.kept.database.transaction(office.kept.world.tenant) as db:
        for key in (neighbour.address.key, thief.verifier(COSIGNATURE_V1)):
            given = Cosignature(str(key), line, office.kept.clock.now())
            await witness_store.add_cosignature(db, 1, head.size, given)

    await command(neighbour.address, page=str(tmp_path / "page.html"), language="en")

    assert "No witness has signed this head." in (tmp_path / "page.html").read_text()


async def test_the_command_refuses_what_it_cannot_do(office, neighbour, command, tmp_path):
    with pytest.raises(NobodyToTell):
        await command()
    with pytest.raises(TenantUnknown):
        await command(neighbour.address, slug="nowhere")
    with pytest.raises(NoHead):
        await command(page=str(tmp_path / "page.html"))
    assert not (tmp_path / "page.html").exists()

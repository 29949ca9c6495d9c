"""A log that stopped is followed by another only in the open: two people, a decision, a seam."""

import asyncio
import json

import pytest

from telecare.audit.actions import Action
from telecare.audit.append import append
from telecare.audit.model import CommandLineActor, Record
from telecare.audit.note import Checkpoint, VerifierKey, check_signature
from telecare.integrity import tree_store
from telecare.integrity.checking import Outside, check
from telecare.integrity.publish_command import TenantUnknown
from telecare.integrity.reopening import (
    DecisionMissing,
    LogGoesOn,
    NothingSigned,
    NotTwoPeople,
    Order,
    SequencerHolds,
    reopen,
)
from telecare.integrity.seams import Seam, SeamUnreadable
from tests.services.test_publishing import (  # noqa: F401
    CUT,
    Neighbour,
    Office,
    forget_the_file,
    neighbour,
    office,
    signed,
)
from tests.services.test_sequencer import HOST, Kept, files, kept, sequencer_database  # noqa: F401

ORDER = Order.read("2026/12", ["Eva Sjö", "Karin Ek"], "root")


class Stopped:
    """A log that has lost its end, and those who decide what follows."""

    def __init__(self, office, neighbour, config, reader, as_superuser) -> None:  # noqa: F811
        self.office, self.neighbour, self.kept = office, neighbour, office.kept
        self.reader, self.as_superuser = reader, as_superuser
        self.config = config.model_copy(
            update={
                "public_url": f"https://{HOST}",
                "log_key_dir": str(office.kept.files.folder),
                "witnesses": (neighbour.address.url, str(neighbour.address.key)),
            }
        )

    async def cut(self, size: int = 30) -> None:
        """A backup is put back: what was entered after it is gone."""
        await self.as_superuser(
            CUT.format(tenant=self.kept.world.tenant, size=size)
            + f"delete from audit.body b where tenant_id = {self.kept.world.tenant} and not exists "
            "(select 1 from audit.entry e where e.entry_id = b.entry_id);"
        )

    async def stop(self) -> None:
        self.office.begin_anew()
        await self.office.round()
        await self.kept.go_on()
        assert await self.kept.stopped_because()

    async def reopen(self, order=ORDER, slug=None):
        return await reopen(self.config, slug or self.kept.slug, order, self.kept.clock)

    async def go_on(self, number: int = 2) -> Checkpoint:
        """The neighbour takes the new log in, and the sequencer goes on with it."""
        await self.neighbour.down()
        key = self.kept.verifier()
        self.neighbour.knows(
            VerifierKey(f"{HOST}/{self.kept.slug}/audit/{number}", key.kind, key.public_key)
        )
        await self.neighbour.up()
        self.office.begin_anew()
        await self.office.round()
        await self.kept.go_on()
        return await self.kept.sign()

    async def check(self, *outside, **more):
        async with self.reader.transaction(self.kept.world.tenant) as db:
            return await check(db, outside, **more)

    async def seam(self) -> Seam:
        records = await self.kept.world.records()
        [record] = [one for one in records if one["event"] == "log.reopened"]
        return Seam.read(json.dumps(record["what"]))


@pytest.fixture
async def stopped(office, neighbour, config, reader, as_superuser):  # noqa: F811
    made = Stopped(office, neighbour, config, reader, as_superuser)
    await neighbour.up()
    made.head = await signed(office, 40)
    await office.publish()
    await made.cut()
    await made.stop()
    return made


async def test_the_new_log_begins_with_what_is_known_of_the_old(stopped):
    told = await stopped.reopen()
    await stopped.kept.write(5)
    head = await stopped.go_on()

    seam = await stopped.seam()
    assert (seam.log, seam.follows, seam.decision) == (2, 1, "2026/12")
    assert list(seam.by) == ["Eva Sjö", "Karin Ek"]
    assert (seam.head, seam.held_by, seam.fits) == (
        stopped.head,
        "witness.sodervika.example",
        False,
    )
    assert list(seam.missing) == [(30, stopped.head.size - 1)]
    assert (seam.size, seam.found) == (30, "shorter")
    check_signature(seam.note, stopped.kept.verifier())
    assert f"Missing: records 30 to {stopped.head.size - 1}." in told.lines
    assert head.origin == f"{HOST}/{stopped.kept.slug}/audit/2"
    rows = await stopped.kept.world.rows(
        "select event from audit.leaf join audit.body using (tenant_id, entry_id) "
        "where tenant_id = $1 and log = 2 order by leaf_index",
        stopped.kept.world.tenant,
    )
    assert rows[0]["event"] == "log.reopened"
    assert [row["event"] for row in rows].count("residents.searched") >= 5


async def test_what_is_missing_at_the_seam_is_known_and_no_finding(stopped):
    held = Outside("witness", stopped.head)
    before = await stopped.check(held)
    assert {one.kind for one in before.findings} == {"tree_shorter"}

    await stopped.reopen()
    head = await stopped.go_on()

    after = await stopped.check(held, Outside("witness", head))
    assert after.findings == []
    [seam] = after.seams
    assert list(seam.missing) == [(30, stopped.head.size - 1)]
    key = stopped.kept.verifier().public_key
    assert (await stopped.check(held, first_key=key)).findings == []


async def test_what_goes_missing_in_the_old_log_after_the_seam_is_a_finding(stopped):
    await stopped.reopen()
    await stopped.go_on()

    await stopped.as_superuser(
        "set session_replication_role = replica; delete from audit.leaf "
        f"where tenant_id = {stopped.kept.world.tenant} and log = 1 and leaf_index >= 28"
    )

    found = {one.kind for one in (await stopped.check()).findings}
    assert "seam_moved" in found


@pytest.mark.parametrize(
    ("sql", "kind"),
    [
        ("update audit.log set stopped_at = null where log = 1", "log_not_stopped"),
        ("update audit.body set event = 'list.read' where event = 'log.reopened'", "seam_missing"),
        ("""update audit.body set what = replace(what, '"missing":[[30,', '"missing":[[39,')
            where event = 'log.reopened'""", "what_altered"),
        ("""update audit.body set what = replace(what, 'audit/1', 'audit/9')
            where event = 'log.reopened'""", "seam_unsigned"),
        ("delete from audit.body where event = 'log.reopened'", "seam_missing"),
    ],
)  # fmt: skip
async def test_a_second_log_that_is_not_accounted_for_is_a_finding(stopped, sql, kind):
    await stopped.reopen()
    await stopped.go_on()

    where = f"{' and ' if 'where' in sql else ' where '}tenant_id = {stopped.kept.world.tenant}"
    await stopped.as_superuser(f"set session_replication_role = replica; {sql}{where}")

    assert kind in {one.kind for one in (await stopped.check()).findings}


async def test_a_log_begun_without_a_seam_is_a_finding(stopped):
    async with stopped.kept.database.transaction(stopped.kept.world.tenant) as db:
        entry = await append(db, Record(Action.SEARCHED, CommandLineActor("root")))
        origin = f"{HOST}/{stopped.kept.slug}/audit/2"
        await tree_store.open_log(db, 2, origin, entry, stopped.kept.clock.now())
    await stopped.go_on()

    assert "seam_missing" in {one.kind for one in (await stopped.check()).findings}


async def test_a_head_larger_than_the_seam_admits_is_a_finding(stopped):
    await stopped.reopen()
    await stopped.go_on()
    larger = Checkpoint(stopped.head.origin, stopped.head.size + 7, b"\1" * 32)

    found = await stopped.check(Outside("paper", larger))

    assert [one.kind for one in found.findings] == ["tree_shorter"]


async def test_another_tree_that_was_grown_past_the_loss_is_known_by_its_seam(
    office,  # noqa: F811
    neighbour,  # noqa: F811
    config,
    reader,
    as_superuser,
):
    made = Stopped(office, neighbour, config, reader, as_superuser)
    await neighbour.up()
    head = await signed(office, 40)
    await office.publish()
    await made.cut()
    await forget_the_file(office)
    office.kept.sequencer = office.kept.started()  # somebody runs it without witnesses
    await office.kept.write(60)
    await office.kept.sign()
    await made.stop()

    await made.reopen()
    await made.go_on()

    seam = await made.seam()
    assert (seam.fits, seam.found, list(seam.missing)) == (False, "different", [])
    assert seam.size > head.size
    found = await made.check(Outside("witness", head))
    assert found.findings == []
    assert [one.fits for one in found.seams] == [False]


async def test_without_a_witness_our_own_last_head_is_quoted(stopped):
    await stopped.neighbour.down()
    stopped.config = stopped.config.model_copy(update={"witnesses": ()})

    await stopped.reopen()

    seam = await stopped.seam()
    assert (seam.head, seam.held_by) == (stopped.head, "the file beside the key")


async def test_a_log_that_goes_on_is_not_begun_anew(
    office,  # noqa: F811
    neighbour,  # noqa: F811
    config,
    reader,
    as_superuser,
):
    made = Stopped(office, neighbour, config, reader, as_superuser)
    await neighbour.up()
    await signed(office)

    with pytest.raises(LogGoesOn):
        await made.reopen()
    with pytest.raises(TenantUnknown):
        await made.reopen(slug="nowhere")
    assert "log.reopened" not in [one["event"] for one in await office.kept.world.records()]


async def test_it_happens_once(stopped):
    await stopped.reopen()

    with pytest.raises(LogGoesOn):
        await stopped.reopen()


async def test_two_at_once_begin_one_log(stopped):
    outcomes = await asyncio.gather(*(stopped.reopen() for _ in range(4)), return_exceptions=True)

    assert sum(not isinstance(one, Exception) for one in outcomes) == 1
    refused = [one for one in outcomes if isinstance(one, Exception)]
    assert all(isinstance(one, (LogGoesOn, SequencerHolds)) for one in refused)


async def test_a_log_of_which_no_head_is_left_anywhere_cannot_be_quoted(stopped):
    await forget_the_file(stopped.office)
    await stopped.neighbour.down()
    await stopped.as_superuser(
        "set session_replication_role = replica; "
        f"delete from audit.checkpoint where tenant_id = {stopped.kept.world.tenant}"
    )

    with pytest.raises(NothingSigned):
        await stopped.reopen()


async def test_a_key_that_was_announced_before_the_seam_takes_over_after_it(stopped):
    await stopped.reopen()
    await stopped.go_on()
    stopped.kept.files.make_next(stopped.kept.slug)
    await stopped.kept.go_on()
    await stopped.kept.go_on()
    await stopped.kept.sign()
    await stopped.kept.write(1)
    await stopped.kept.sign()

    assert stopped.kept.files.next_key(stopped.kept.slug) is None
    assert (await stopped.check()).findings == []


@pytest.mark.parametrize(
    "by", [[], ["Eva"], ["Eva", "Eva"], ["Eva Sjö", " eva  sjö "], ["Eva", ""], ["A", "B", "C"]]
)
def test_it_takes_two_different_people(by):
    with pytest.raises(NotTwoPeople):
        Order.read("2026/12", by, "root")


@pytest.mark.parametrize("decision", ["", "  ", "x" * 201])
def test_it_takes_a_decision(decision):
    with pytest.raises(DecisionMissing):
        Order.read(decision, ["Eva", "Karin"], "root")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"follows":1}', '{"log":2,"follows":{}}'])
def test_what_is_no_seam_is_refused(text):
    with pytest.raises(SeamUnreadable):
        Seam.read(text)

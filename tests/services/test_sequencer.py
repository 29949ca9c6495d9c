"""The sequencer: every committed record gets its place, and nothing is signed that does not fit."""

import json
import shutil
from importlib import resources
from pathlib import Path

import asyncpg
import pytest

from telecare.audit.actions import Action
from telecare.audit.append import append
from telecare.audit.format import leaf_hash
from telecare.audit.model import CommandLineActor, Record
from telecare.audit.note import Checkpoint, Note, NotSigned, VerifierKey, check_signature
from telecare.audit.tree import Edge, check_consistency, check_inclusion, consistency, inclusion
from telecare.integrity import tree_store
from telecare.integrity.keys import KeyExists, KeyMissing, LogFiles
from telecare.integrity.sequencer import Sequencer
from telecare.runtime.db import open_database, run_script

CLERK = CommandLineActor("clerk")
HOST = "prov.example"


@pytest.fixture
async def sequencer_database(config):
    async with open_database(config.role_url("sequencer"), size=3) as database:
        yield database


@pytest.fixture
def files(tmp_path) -> LogFiles:
    return LogFiles(tmp_path / "log")


class Kept:
    """A municipality's log, and the process that keeps it."""

    def __init__(self, world, database, clock, files, slug) -> None:
        self.world, self.database, self.clock = world, database, clock
        self.files, self.slug = files, slug
        self.sequencer = self.started()

    def started(self, **more: bool) -> Sequencer:
        """A process that has just begun."""
        return Sequencer(self.database, self.clock, self.files, HOST, **more)

    async def go_on(self) -> None:
        await self.sequencer.go_on(self.world.tenant, self.slug)

    async def restart(self) -> None:
        self.sequencer = self.started()
        await self.go_on()

    async def write(self, count: int) -> None:
        async with self.world.begun() as db:
            for _ in range(count):
                await append(db, Record(Action.SEARCHED, CLERK))

    async def sign(self) -> Checkpoint:
        self.clock.forward(seconds=61)
        await self.go_on()
        return Checkpoint.parse((await self.note()).text)

    async def note(self) -> Note:
        rows = await self.world.rows(
            "select note from audit.checkpoint where tenant_id = $1 order by log, size",
            self.world.tenant,
        )
        return Note.parse(rows[-1]["note"])

    async def leaves(self) -> list[bytes]:
        rows = await self.world.rows(
            "select hash from audit.leaf where tenant_id = $1 order by log, leaf_index",
            self.world.tenant,
        )
        return [row["hash"] for row in rows]

    async def stopped_because(self) -> dict | None:
        rows = await self.world.rows(
            "select stopped_because from audit.log where tenant_id = $1 and stopped_at is not null",
            self.world.tenant,
        )
        return json.loads(rows[0]["stopped_because"]) if rows else None

    def verifier(self) -> VerifierKey:
        key = self.files.key(self.slug).public_key().public_bytes_raw()
        return VerifierKey(f"{HOST}/{self.slug}/audit/1", b"\x01", key)


@pytest.fixture
async def kept(world, sequencer_database, clock, files) -> Kept:
    rows = await world.rows("select slug from tenant where id = $1", world.tenant)
    files.make(rows[0]["slug"])
    return Kept(world, sequencer_database, clock, files, rows[0]["slug"])


async def test_every_record_becomes_a_leaf_once_and_the_head_is_signed(kept):
    await kept.world.resident("Ingrid")
    await kept.go_on()
    head = await kept.sign()

    records = await kept.world.records()
    edge = Edge()
    edge.append([leaf_hash(record["data"]) for record in records])

    assert await kept.leaves() == [leaf_hash(record["data"]) for record in records]
    assert (head.origin, head.size) == (f"{HOST}/{kept.slug}/audit/1", len(records))
    assert head.root == edge.root()
    check_signature(await kept.note(), kept.verifier())


async def test_nothing_is_signed_before_the_keys_own_record_is_in_the_tree(kept):
    await kept.go_on()
    assert await kept.leaves()
    announced = [r for r in await kept.world.records() if r["event"] == "log.key_added"]

    head = await kept.sign()

    assert len(announced) == 1
    key = kept.files.key(kept.slug).public_key().public_bytes_raw()
    assert announced[0]["what"]["public_key"] == key.hex()
    assert head.size > [r["entry_id"] for r in await kept.world.records()].index(
        announced[0]["entry_id"]
    )


async def test_proofs_come_from_the_database_across_the_edge_of_tiles(kept):
    await kept.write(600)
    await kept.go_on()
    head = await kept.sign()
    leaves = await kept.leaves()

    async with kept.database.transaction(kept.world.tenant) as db:
        places = (0, 255, 256, 511, head.size - 1)
        proofs = await tree_store.proofs(db, 1, [inclusion(at, head.size) for at in places])
        for index, proof in zip(places, proofs, strict=True):
            check_inclusion(leaves[index], index, head.size, proof, head.root)
        for old in (1, 255, 256, 513):
            before = await tree_store.root_at(db, 1, old)
            [proof] = await tree_store.proofs(db, 1, [consistency(old, head.size)])
            check_consistency(old, before, head.size, head.root, proof)


async def test_a_process_that_begins_anew_goes_on_where_the_last_one_ended(kept):
    await kept.write(300)
    await kept.go_on()
    first = await kept.sign()
    await kept.write(300)
    await kept.restart()
    second = await kept.sign()

    edge = Edge()
    edge.append(await kept.leaves())
    assert (second.size, second.root) == (edge.size, edge.root())
    assert second.size >= first.size + 300


async def test_a_process_that_finds_nothing_new_takes_nothing_in_twice(kept):
    """The one before ended before its mark had followed."""
    await kept.write(20)
    await kept.go_on()
    before = await kept.leaves()
    await kept.world.rows("update audit.log set mark = 0 where tenant_id = $1", kept.world.tenant)

    await kept.restart()
    for _ in range(4):
        await kept.go_on()
    assert await kept.leaves() == before

    await kept.write(1)
    await kept.go_on()
    assert len(await kept.leaves()) == len(before) + 1


async def test_two_processes_give_no_record_two_places(kept):
    other = kept.started()
    for _ in range(3):
        await kept.write(40)
        await other.go_on(kept.world.tenant, kept.slug)
        await kept.write(40)
        await kept.go_on()

    rows = await kept.world.rows(
        "select count(*) as n, count(distinct entry_id) as entries, max(leaf_index) + 1 as size "
        "from audit.leaf where tenant_id = $1",
        kept.world.tenant,
    )
    assert rows[0]["n"] == rows[0]["entries"] == rows[0]["size"]
    edge = Edge()
    edge.append(await kept.leaves())
    assert (await kept.sign()).size >= edge.size


async def test_a_record_committed_late_with_a_low_number_is_not_passed_over(kept):
    """Its transaction took its number first and was open while others were taken in."""
    await kept.go_on()
    connection = await asyncpg.connect(kept.world.superuser_url)
    try:
        begun = connection.transaction()
        await begun.start()
        await connection.execute(
            "select set_config('app.tenant', $1, true)", str(kept.world.tenant)
        )
        late = await connection.fetchval(
            """select audit.append('residents.searched', '{}', '{}', '{}', '{}', '{}')"""
        )
        for _ in range(4):
            await kept.write(2)
            await kept.go_on()
        before = len(await kept.leaves())
        await begun.commit()
    finally:
        await connection.close()
    for _ in range(3):
        await kept.go_on()

    rows = await kept.world.rows(
        "select leaf_index from audit.leaf where tenant_id = $1 and entry_id = $2",
        kept.world.tenant,
        late,
    )
    assert [row["leaf_index"] for row in rows] == [before]
    mark = await kept.world.rows(
        "select mark from audit.log where tenant_id = $1", kept.world.tenant
    )
    assert mark[0]["mark"] > late


async def test_records_of_a_younger_transaction_that_ends_last_are_not_passed_over(kept):
    """It took its numbers before an older one took its own, which was the last to end: nothing that
    a snapshot lists tells that the younger one is there.
    """
    await kept.go_on()
    older, younger = [await asyncpg.connect(kept.world.superuser_url) for _ in range(2)]
    try:
        begun = [one.transaction() for one in (older, younger)]
        for one, transaction in zip((older, younger), begun, strict=True):
            await transaction.start()
            await one.execute("select set_config('app.tenant', $1, true)", str(kept.world.tenant))
            await one.execute("select pg_current_xact_id()")
        append_one = "select audit.append('residents.searched', '{}', '{}', '{}', '{}', '{}')"
        late = [await younger.fetchval(append_one) for _ in range(3)]
        await older.execute(append_one)
        await begun[0].commit()
        await kept.go_on()
        await kept.go_on()
        await begun[1].commit()
    finally:
        await older.close()
        await younger.close()
    await kept.go_on()
    await kept.restart()

    rows = await kept.world.rows(
        "select entry_id from audit.leaf where tenant_id = $1 and entry_id = any($2)",
        kept.world.tenant,
        late,
    )
    assert sorted(row["entry_id"] for row in rows) == late


async def test_what_was_passed_over_gets_its_place_when_the_mark_begins_anew(kept, embedded):
    await kept.go_on()
    await kept.world.rows(
        "update audit.log set mark = 1000000000 where tenant_id = $1", kept.world.tenant
    )
    await kept.write(3)
    await kept.restart()
    before = len(await kept.leaves())

    migration = resources.files("telecare.runtime") / "migrations" / "2074_audit_passed_over.sql"
    await run_script(embedded.postgres.url("telecare_owner"), migration.read_text())
    await kept.restart()

    assert len(await kept.leaves()) == before + 3


async def test_what_was_rolled_back_is_no_leaf(kept):
    await kept.go_on()
    before = await kept.leaves()
    with pytest.raises(RuntimeError):
        async with kept.world.begun() as db:
            await append(db, Record(Action.SEARCHED, CLERK))
            raise RuntimeError

    await kept.go_on()

    assert await kept.leaves() == before


async def test_a_head_is_signed_at_most_each_minute_or_when_somebody_waits(kept):
    first = await kept.sign()
    await kept.write(1)
    await kept.go_on()
    assert Checkpoint.parse((await kept.note()).text) == first

    kept.sequencer.sign_soon(kept.world.tenant)
    await kept.go_on()

    assert Checkpoint.parse((await kept.note()).text).size == first.size + 1


@pytest.mark.parametrize("what", ["rows", "rows_and_checkpoints"])
async def test_an_older_database_is_never_signed_over(kept, as_superuser, what):
    """A restored backup, or somebody who cut off the end: the file beside the key knows better."""
    await kept.write(300)
    head = await kept.sign()
    cut = f"""
        set session_replication_role = replica;
        delete from audit.leaf where tenant_id = {kept.world.tenant} and leaf_index >= 200;
        delete from audit.tile where tenant_id = {kept.world.tenant};
        delete from audit.entry e where tenant_id = {kept.world.tenant} and not exists (
            select 1 from audit.leaf l
            where l.tenant_id = e.tenant_id and l.entry_id = e.entry_id);
    """
    if what == "rows_and_checkpoints":
        cut += f"delete from audit.checkpoint where tenant_id = {kept.world.tenant};"
    await as_superuser(cut)
    await kept.restart()
    await kept.write(500)
    kept.clock.forward(seconds=61)
    await kept.go_on()

    assert await kept.stopped_because() == {
        "expected_size": head.size, "found": "shorter", "found_size": 200, "log": 1,
    }  # fmt: skip
    assert len(await kept.leaves()) == 200
    events = await kept.world.rows(
        "select event from audit.body where tenant_id = $1 order by entry_id desc limit 501",
        kept.world.tenant,
    )
    assert {"log.stopped", "residents.searched"} == {row["event"] for row in events}


async def test_a_leaf_that_was_changed_stops_the_log(kept, as_superuser):
    await kept.write(20)
    head = await kept.sign()
    await as_superuser(f"""
        set session_replication_role = replica;
        update audit.leaf set hash = sha256('x') where tenant_id = {kept.world.tenant}
            and leaf_index = 7;
    """)

    await kept.restart()

    assert (await kept.stopped_because())["found"] == "different"
    assert Checkpoint.parse((await kept.note()).text) == head


@pytest.mark.parametrize("where", ["leaf where leaf_index = 290", "tile where n = 0"])
async def test_a_tree_with_a_hole_stops_the_log(kept, as_superuser, where):
    await kept.write(300)
    await kept.sign()
    await as_superuser(f"""
        set session_replication_role = replica;
        delete from audit.{where} and tenant_id = {kept.world.tenant};
    """)

    await kept.restart()

    assert (await kept.stopped_because())["found"] == "incomplete"


async def test_without_a_key_records_are_taken_in_and_nothing_is_signed(kept, tmp_path):
    kept.files = LogFiles(tmp_path / "empty")
    await kept.write(3)
    await kept.restart()
    kept.clock.forward(seconds=61)
    await kept.go_on()

    assert len(await kept.leaves()) == len(await kept.world.records())
    assert not await kept.world.rows(
        "select 1 from audit.checkpoint where tenant_id = $1", kept.world.tenant
    )


async def test_a_new_key_signs_once_the_old_one_has_signed_for_it(kept):
    await kept.sign()
    old = kept.verifier()
    following = kept.files.make_next(kept.slug)
    await kept.go_on()
    await kept.go_on()
    await kept.sign()
    check_signature(await kept.note(), old)
    assert kept.files.key(kept.slug).private_bytes_raw() == following.private_bytes_raw()

    await kept.write(1)
    await kept.sign()

    check_signature(await kept.note(), kept.verifier())
    with pytest.raises(NotSigned):
        check_signature(await kept.note(), old)


def test_a_key_is_made_once_and_read_by_its_owner_alone(files):
    with pytest.raises(KeyMissing):
        files.make_next("norrvika")
    files.make("norrvika")
    with pytest.raises(KeyExists):
        files.make("norrvika")
    files.make_next("norrvika")
    with pytest.raises(KeyExists):
        files.make_next("norrvika")

    assert {oct(file.stat().st_mode & 0o777) for file in Path(files.folder).iterdir()} == {"0o600"}
    shutil.rmtree(files.folder)


@pytest.mark.parametrize(
    "attack",
    ["select * from audit.body", "select * from consent", "update audit.leaf set hash = ''",
     "delete from audit.leaf", "update audit.entry set data = ''", "delete from audit.checkpoint"],
)  # fmt: skip
async def test_the_sequencer_reads_no_content_and_changes_no_leaf(kept, attack):
    await kept.go_on()

    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with kept.database.transaction(kept.world.tenant) as db:
            await db.execute(attack)

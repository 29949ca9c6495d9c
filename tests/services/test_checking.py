"""P10: what an administrator of the database can try, with triggers off, is found and named."""

import json

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from telecare.audit.note import Checkpoint, Note, Signer
from telecare.integrity.checking import Outside, check
from telecare.integrity.examining import Hands
from tests.services.test_sequencer import Kept, files, kept, sequencer_database  # noqa: F401

OFF = "set session_replication_role = replica; set app.tenant = '{tenant}';"


@pytest.fixture
async def log(kept, reader):  # noqa: F811
    """A log with a resident in it, past one full tile, signed."""
    await kept.world.resident("Ingrid")
    await kept.write(280)
    await kept.go_on()
    await kept.sign()
    return Attacked(kept, reader)


class Attacked:
    def __init__(self, kept, database) -> None:  # noqa: F811
        self.kept, self.database, self.tenant = kept, database, kept.world.tenant

    async def found(self, *outside: Outside, first_key: bytes | None = None) -> dict[str, str]:
        """What does not fit: kinds, and the records they name."""
        async with self.database.transaction(self.tenant) as db:
            checked = await check(db, outside, first_key)
        return {finding.kind: finding.about for finding in checked.findings}

    async def entry(self, index: int) -> int:
        rows = await self.kept.world.rows(
            "select entry_id from audit.leaf where tenant_id = $1 and leaf_index = $2",
            self.tenant,
            index,
        )
        return rows[0]["entry_id"]

    async def index_of(self, event: str) -> int:
        rows = await self.kept.world.rows(
            "select leaf_index from audit.leaf join audit.body using (tenant_id, entry_id) "
            "where tenant_id = $1 and event = $2 order by 1 limit 1",
            self.tenant,
            event,
        )
        return rows[0]["leaf_index"]


@pytest.fixture
def off(as_superuser, log):
    """Run as superuser, every trigger and foreign key off."""

    async def run(sql: str, **values: object) -> None:
        given = {"tenant": log.tenant, **values}
        await as_superuser((OFF + sql).format(**given))

    return run


async def test_a_log_that_nobody_touched_is_whole(log):
    await log.kept.write(300)
    await log.kept.go_on()
    key = log.kept.files.key(log.kept.slug).public_key().public_bytes_raw()

    assert await log.found(first_key=key) == {}


async def test_several_processes_find_what_one_finds(log, off, config):
    hands = Hands(config.role_url("reader"), count=2, part=64)
    entries = [await log.entry(index) for index in (70, 200)]
    await off(
        """update audit.body set what = '{{"a":1}}'
        where tenant_id = {tenant} and entry_id = any(array{e})""",
        e=entries,
    )

    async with log.database.transaction(log.tenant) as db:
        alone, together = await check(db), await check(db, hands=hands)

    assert [one.about for one in together.findings] == ["log 1 record 70", "log 1 record 200"]
    assert together == alone


@pytest.mark.parametrize("section", ["actor", "what", "basis", "subject"])
async def test_a_changed_text_is_found_and_its_record_named(log, off, section):
    index = await log.index_of("resident.registered")
    changed = '{{"persons":[]}}' if section == "subject" else '{{"id":"somebody else"}}'

    await off(
        f"update audit.body set {section} = '{changed}' "
        "where tenant_id = {tenant} and entry_id = {entry}",
        entry=await log.entry(index),
    )

    assert (await log.found())[f"{section}_altered"] == f"log 1 record {index}"


async def test_a_changed_name_of_a_person_is_found(log, off):
    index = await log.index_of("resident.registered")

    await off(
        "update audit.body set persons = array[replace(persons[1], 'Ingrid', 'Astrid')] "
        "where tenant_id = {tenant} and entry_id = {entry}",
        entry=await log.entry(index),
    )

    assert await log.found() == {"person_altered": f"log 1 record {index}"}


async def test_another_kind_of_event_is_found(log, off):
    index = await log.index_of("resident.registered")

    await off(
        "update audit.body set event = 'x.y' where tenant_id = {tenant} and entry_id = {entry}",
        entry=await log.entry(index),
    )

    assert await log.found() == {"event_altered": f"log 1 record {index}"}


async def test_a_back_dated_record_is_found(log, off):
    index = await log.index_of("resident.registered")
    back = "recorded_at = recorded_at - interval '3 minutes'"

    await off(
        f"update audit.body set {back} where tenant_id = {{tenant}} and entry_id = {{entry}};"
        f"update audit.entry set {back} where tenant_id = {{tenant}} and entry_id = {{entry}};",
        entry=await log.entry(index),
    )

    assert await log.found() == {"time_altered": f"log 1 record {index}"}


async def test_an_envelope_rewritten_with_its_leaf_and_tile_does_not_fit_what_was_signed(log, off):
    await off(
        """
        update audit.entry set data = convert_to(
            regexp_replace(convert_from(data, 'UTF8'), '"at":"....', '"at":"1999'), 'UTF8')
        where tenant_id = {tenant} and entry_id = {entry};
        update audit.leaf l set hash = sha256('\\x00'::bytea || e.data)
        from audit.entry e
        where e.entry_id = l.entry_id and l.tenant_id = {tenant} and l.entry_id = {entry};
        """,
        entry=await log.entry(7),
    )

    found = await log.found()

    assert found["time_altered"] == "log 1 record 7"
    assert found["tile_altered"] == "log 1 tile 0/0"
    assert "tree_differs" in found


async def test_a_deleted_text_is_found(log, off):
    await off(
        "delete from audit.body where tenant_id = {tenant} and entry_id = {entry}",
        entry=await log.entry(7),
    )

    assert await log.found() == {"text_missing": "log 1 record 7"}


async def test_a_record_deleted_with_all_its_rows_is_found(log, off):
    index = await log.index_of("resident.registered")
    await off(
        """
        delete from audit.body where tenant_id = {tenant} and entry_id = {entry};
        delete from audit.subject_entry where tenant_id = {tenant} and entry_id = {entry};
        delete from audit.leaf where tenant_id = {tenant} and entry_id = {entry};
        delete from audit.entry where tenant_id = {tenant} and entry_id = {entry};
        """,
        entry=await log.entry(index),
    )

    found = await log.found()

    assert found["leaf_missing"] == f"log 1 record {index}"
    assert "number_missing" in found
    assert "tree_shorter" in found


async def test_an_inserted_record_is_found(log, off):
    await off(
        """
        insert into audit.entry (entry_id, tenant_id, recorded_at, xid, data)
        overriding system value
        select -entry_id, tenant_id, recorded_at, xid, data from audit.entry
        where tenant_id = {tenant} and entry_id = {entry}
        """,
        entry=await log.entry(7),
    )

    assert await log.found() == {"not_in_tree": f"entry {-await log.entry(7)}"}


async def test_two_records_that_changed_places_are_found(log, off):
    await off(
        """
        update audit.leaf set leaf_index = -1 where tenant_id = {tenant} and leaf_index = 7;
        update audit.leaf set leaf_index = 7 where tenant_id = {tenant} and leaf_index = 8;
        update audit.leaf set leaf_index = 8 where tenant_id = {tenant} and leaf_index = -1;
        """.replace("-1", "999999")
    )

    found = await log.found()

    assert found["tile_altered"] == "log 1 tile 0/0"
    assert "tree_differs" in found


TRUNCATE = """
delete from audit.checkpoint where tenant_id = {tenant} and size > {size};
delete from audit.tile where tenant_id = {tenant} and (n + 1) * 256 > {size};
create temp table cut as select entry_id from audit.leaf
    where tenant_id = {tenant} and leaf_index >= {size};
delete from audit.leaf where entry_id in (select entry_id from cut);
delete from audit.subject_entry where entry_id in (select entry_id from cut);
delete from audit.body where entry_id in (select entry_id from cut);
delete from audit.entry where entry_id in (select entry_id from cut);
drop table cut;
"""


async def test_a_tail_cut_off_is_found_by_the_head_that_somebody_else_holds(log, off):
    held = Checkpoint.parse((await log.kept.note()).text)

    await off(TRUNCATE, size=200)

    assert "tree_shorter" not in await log.found()  # alone the log cannot know
    found = await log.found(Outside("witness.example", held))
    assert found["tree_shorter"] == f"log 1 head {held.size} of witness.example"


async def test_a_tail_cut_off_before_anybody_saw_it_leaves_a_gap_in_the_numbers(log, off):
    size = len(await log.kept.leaves())
    await log.kept.world.resident("Aino")
    await log.kept.go_on()

    await off(TRUNCATE, size=size)

    assert set(await log.found()) == {"number_missing"}


async def test_a_tree_written_anew_and_signed_with_the_stolen_key_is_found(log, off):
    """Everything of one record is gone, the rest is sequenced and signed again, by the real key."""
    held = Checkpoint.parse((await log.kept.note()).text)
    gone = await log.entry(270)
    await off(
        """
        delete from audit.body where tenant_id = {tenant} and entry_id = {entry};
        delete from audit.entry where tenant_id = {tenant} and entry_id = {entry};
        delete from audit.checkpoint where tenant_id = {tenant};
        delete from audit.tile where tenant_id = {tenant};
        delete from audit.leaf where tenant_id = {tenant};
        update audit.log set mark = 0 where tenant_id = {tenant};
        """,
        entry=gone,
    )
    (log.kept.files.folder / f"{log.kept.slug}.1.checkpoint").unlink()
    await log.kept.restart()
    await log.kept.sign()

    assert await log.found() == {}  # by itself it fits
    found = await log.found(Outside("witness.example", held))
    assert set(found) & {"tree_differs", "tree_shorter"}


async def test_a_head_signed_with_another_key_is_not_the_logs(log, off):
    key = log.kept.files.key(log.kept.slug).public_key().public_bytes_raw()
    note = await log.kept.note()
    thief = Signer(Checkpoint.parse(note.text).origin, Ed25519PrivateKey.generate())

    await off(
        "update audit.checkpoint set note = $note${note}$note$ where tenant_id = {tenant}",
        note=str(Note(note.text).signed(thief.sign(note.text))),
    )

    assert set(await log.found(first_key=key)) == {"head_not_signed"}


async def test_another_first_key_than_the_published_one_is_found(log):
    assert "head_not_signed" in await log.found(first_key=b"\x01" * 32)


@pytest.mark.parametrize("changed", ["resident_id = gen_random_uuid()", "actor_id = 'nobody'"])
async def test_an_index_of_people_that_leads_elsewhere_is_found(log, off, changed):
    index = await log.index_of("resident.registered")

    await off(
        f"update audit.subject_entry set {changed} "
        "where tenant_id = {tenant} and entry_id = {entry}",
        entry=await log.entry(index),
    )

    assert (await log.found())["index_altered"] == f"log 1 record {index}"


async def test_what_was_erased_with_a_record_of_it_is_no_finding(log, off, as_superuser):
    entry = await log.entry(7)
    what = json.dumps({"leaves": [[7, 7]], "log": 1, "decision": "2026/12"})
    await as_superuser(f"""
        set app.tenant = '{log.tenant}';
        select audit.append('record.erased', '{{}}', '{{}}', '{{}}', '{what}', '{{}}');
    """)
    await off(
        "delete from audit.body where tenant_id = {tenant} and entry_id = {entry}", entry=entry
    )
    await log.kept.go_on()

    assert await log.found() == {}

"""Erasure: two people and a decision; a place stays in the log, nothing goes without a record."""

import json
from dataclasses import replace
from itertools import pairwise
from uuid import uuid4

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from telecare.audit.actions import Action
from telecare.audit.append import append
from telecare.audit.model import CommandLineActor, Record
from telecare.integrity import journal, spans
from telecare.integrity.checking import check
from telecare.integrity.erasing import (
    LawMissing,
    Named,
    NothingNamed,
    RecordErasedBefore,
    RecordHeld,
    RecordNotSequenced,
    RecordOfDecision,
    RecordsMalformed,
    RecordUnknown,
    erase,
    order,
)
from telecare.integrity.publish_command import TenantUnknown
from telecare.integrity.reopening import DecisionMissing, NotTwoPeople
from telecare.runtime.db import open_database
from tests.services.test_extract import Desk, lines
from tests.services.test_sequencer import files, kept, sequencer_database  # noqa: F401

ORDER = order("2026/14", "GDPR art. 17", "Eva Sjö", "Karin Ek", "root")
CLERK = CommandLineActor("clerk")


class Keeping:
    """A log with Ingrid and Aino in it, and whoever erases."""

    def __init__(self, kept, reader, config, ingrid, aino) -> None:  # noqa: F811
        self.kept, self.reader, self.config = kept, reader, config
        self.world, self.ingrid, self.aino = kept.world, ingrid, aino

    async def erase(self, *records, resident="", numbers=(), slug=None, by=ORDER):
        named = Named.read(records, resident and str(resident), numbers)
        return await erase(self.config, slug or self.kept.slug, named, by)

    async def go_on(self):
        await self.kept.go_on()
        return await self.kept.sign()

    async def found(self) -> dict[str, str]:
        async with self.reader.transaction(self.world.tenant) as db:
            self.checked = await check(db)
        return {finding.kind: finding.about for finding in self.checked.findings}

    async def erasures(self) -> list[dict]:
        return [r for r in await self.world.records() if r["event"] == "record.erased"]

    async def about(self, resident) -> list[tuple[int, int]]:
        """(number, leaf index) of her records."""
        rows = await self.world.rows(
            "select s.n, l.leaf_index from audit.subject_entry s "
            "join audit.leaf l using (tenant_id, entry_id) "
            "where s.tenant_id = $1 and s.resident_id = $2 order by s.n",
            self.world.tenant, resident.id,
        )  # fmt: skip
        return [(row["n"], row["leaf_index"]) for row in rows]

    async def index_of(self, event: str) -> int:
        rows = await self.world.rows(
            "select leaf_index from audit.leaf join audit.body using (tenant_id, entry_id) "
            "where tenant_id = $1 and event = $2 order by 1 limit 1",
            self.world.tenant, event,
        )  # fmt: skip
        return rows[0]["leaf_index"]

    async def texts(self) -> int:
        rows = await self.world.rows(
            "select count(*) as n from audit.body where tenant_id = $1", self.world.tenant
        )
        return rows[0]["n"]


@pytest.fixture
async def keeping(kept, reader, config):  # noqa: F811
    ingrid, aino = await kept.world.resident("Ingrid"), await kept.world.resident("Aino")
    async with kept.world.begun() as db:
        for _ in range(3):
            await append(db, Record(Action.LIST_READ, CLERK, [ingrid.person, aino.person]))
    made = Keeping(kept, reader, config, ingrid, aino)
    await made.go_on()
    return made


async def test_whose_act_an_erased_record_was_stands_nowhere_beside_her_number(keeping):
    (number, leaf), *rest = await keeping.about(keeping.ingrid)

    await keeping.erase(f"1/{leaf}")

    rows = await keeping.world.rows(
        "select n, actor_id from audit.subject_entry where tenant_id = $1 and resident_id = $2",
        keeping.world.tenant, keeping.ingrid.id,
    )  # fmt: skip
    assert {row["n"] for row in rows if row["actor_id"] is None} == {number}
    assert len(rows) == len(rest) + 1
    assert await keeping.found() == {}


async def test_whose_act_it_was_beside_an_erased_record_is_found(keeping, as_superuser):
    (number, leaf), *_ = await keeping.about(keeping.ingrid)
    await keeping.erase(f"1/{leaf}")

    await as_superuser(
        "set session_replication_role = replica; update audit.subject_entry set actor_id = 'lena' "
        f"where tenant_id = {keeping.world.tenant} and resident_id = '{keeping.ingrid.id}' "
        f"and n = {number}"
    )

    assert await keeping.found() == {"index_altered": f"log 1 record {leaf}"}


async def test_an_erased_text_is_gone_and_its_record_says_by_whose_decision(keeping):
    (number, leaf), *_ = await keeping.about(keeping.ingrid)
    before = await keeping.texts()

    told = await keeping.erase(f"1/{leaf}")

    assert await keeping.texts() == before  # one is gone, and one came
    [record] = await keeping.erasures()
    assert record["what"] == {
        "decided_by": "Eva Sjö", "decision": "2026/14", "done_by": "Karin Ek", "kind": "records",
        "leaves": [[leaf, leaf]], "log": 1, "records": 1,
    }  # fmt: skip
    assert record["text"]["what"] == json.dumps(
        record["what"], sort_keys=True, separators=(",", ":"), ensure_ascii=False
    )
    assert record["basis"] == {"decision": "2026/14", "law": "GDPR art. 17"}
    assert record["actor"] == {"channel": "command_line", "id": "root", "kind": "operator"}
    assert told.lines[0] == f"Erased the texts of 1 records of log 1: {leaf} to {leaf}."
    assert "copies in backups until" in told.lines[-1]
    assert number == 1


async def test_an_erased_record_is_no_finding_also_before_its_erasure_has_a_place(keeping):
    await keeping.erase("1/5-9")

    assert await keeping.found() == {}
    assert keeping.checked.erased == 5
    await keeping.go_on()
    assert await keeping.found() == {}
    assert keeping.checked.erased == 5


async def test_a_persons_records_are_erased_by_her_own_numbers(keeping):
    places = dict(await keeping.about(keeping.ingrid))

    await keeping.erase(resident=keeping.ingrid.id, numbers=["1-2", "4"])

    [record] = await keeping.erasures()
    named = [n for first, last in record["what"]["leaves"] for n in range(first, last + 1)]
    assert named == sorted(places[n] for n in (1, 2, 4))


async def test_her_extract_says_which_of_her_numbers_are_erased(keeping, tmp_path):
    places = dict(await keeping.about(keeping.ingrid))
    await keeping.erase(resident=keeping.ingrid.id, numbers=["2"])
    await keeping.go_on()
    desk = Desk(keeping.kept, keeping.reader, keeping.ingrid, keeping.aino, tmp_path)

    parts = await desk.make()

    [erased] = [line for line in lines(parts) if line.get("erased")]
    assert (erased["n"], erased["index"], erased["open"]) == (2, places[2], {})
    code, said = desk.run(parts)
    assert code == 0, said
    assert "7. 1 records are erased, each by a recorded decision." in said


async def test_what_is_gone_without_a_record_is_tampering(keeping, as_superuser):
    await keeping.erase("1/5-6")
    await keeping.go_on()
    await as_superuser(
        "set session_replication_role = replica; delete from audit.body b using audit.leaf l "
        f"where l.tenant_id = {keeping.world.tenant} and b.tenant_id = l.tenant_id "
        "and b.entry_id = l.entry_id and l.leaf_index = 7"
    )

    found = await keeping.found()
    assert found.pop("index_altered") == "log 1 record 7"
    assert found == {"text_missing": "log 1 record 7"}
    assert keeping.checked.erased == 2


async def append_erasure(keeping, as_superuser, leaves, log=1):
    what = json.dumps({"leaves": leaves, "log": log, "decision": "x"})
    await as_superuser(
        f"set app.tenant = '{keeping.world.tenant}'; "
        f"select audit.append('record.erased', '{{}}', '{{}}', '{{}}', '{what}', '{{}}')"
    )
    await keeping.go_on()


@pytest.mark.parametrize(
    ("leaves", "log", "kind"),
    [
        ([[5, 6]], 1, {"erasure_not_done"}),
        ([[3, 99999]], 1, {"erasure_not_done", "erasure_beyond"}),
        ([[5, 6]], 2, {"erasure_beyond"}),
        ([["x"]], 1, {"erasure_unreadable"}),
    ],
)
async def test_an_erasure_that_names_more_than_is_gone_is_found(
    keeping, as_superuser, leaves, log, kind
):
    await append_erasure(keeping, as_superuser, leaves, log)

    assert set(await keeping.found()) == kind


async def test_the_record_of_an_erasure_cannot_itself_be_named_away(keeping, as_superuser):
    await keeping.erase("1/5")
    await keeping.go_on()
    index = await keeping.index_of("record.erased")
    await as_superuser(
        "set session_replication_role = replica; delete from audit.body "
        f"where tenant_id = {keeping.world.tenant} and event = 'record.erased'"
    )
    await append_erasure(keeping, as_superuser, [[5, 5], [index, index]])

    assert await keeping.found() == {"text_missing": f"log 1 record {index}"}


async def test_what_has_no_place_yet_waits(keeping):
    await keeping.world.resident("Tyra")
    async with keeping.world.begun() as db:
        await append(db, Record(Action.CARD_READ, CLERK, [keeping.ingrid.person]))
    last = len(await keeping.about(keeping.ingrid)) + 1

    with pytest.raises(RecordNotSequenced, match=f"number {last}"):
        await keeping.erase(resident=keeping.ingrid.id, numbers=[str(last)])


async def test_all_or_nothing(keeping):
    await keeping.kept.write(3)
    await keeping.go_on()
    size = len(await keeping.kept.leaves())
    before = await keeping.world.events()

    with pytest.raises(RecordUnknown, match=f"log 1 record {size}"):
        await keeping.erase(f"1/{size - 1}-{size}")
    with pytest.raises(RecordUnknown, match="log 2 record 0"):
        await keeping.erase("1/5-6", "2/0")
    with pytest.raises(RecordUnknown, match="number 99"):
        await keeping.erase("1/5", resident=keeping.ingrid.id, numbers=["99"])
    with pytest.raises(RecordUnknown):
        await keeping.erase(resident=uuid4(), numbers=["1"])
    with pytest.raises(TenantUnknown):
        await keeping.erase("1/5", slug="nowhere")

    assert await keeping.world.events() == before


async def test_another_municipalitys_records_do_not_exist_here(keeping, other_world):
    theirs = await other_world.resident("Berit")

    with pytest.raises(RecordUnknown):
        await keeping.erase(resident=theirs.id, numbers=["1"])


async def test_nothing_is_erased_twice(keeping):
    await keeping.erase("1/5-6")

    with pytest.raises(RecordErasedBefore, match="log 1 record 6"):
        await keeping.erase("1/6-7")


async def test_records_of_the_logs_own_decisions_stay(keeping):
    await keeping.erase("1/5")
    await keeping.go_on()

    for event in ("record.erased", "log.key_added"):
        with pytest.raises(RecordOfDecision):
            await keeping.erase(f"1/{await keeping.index_of(event)}")


async def test_a_held_record_is_refused_with_the_hold_that_holds_it(keeping):
    lena = await keeping.world.staff("Lena", role="granskare")
    hold = uuid4()
    async with keeping.world.begun() as db:
        await db.execute(
            "insert into log_hold (tenant_id, id, resident_id, reason, decision, proposed_by, "
            "proposed_at) values ($1, $2, $3, 'Tvist', '2026/3', $4, $5)",
            db.tenant, hold, keeping.ingrid.id, lena.staff.id, keeping.world.now,
        )  # fmt: skip
    hers = [leaf for _, leaf in await keeping.about(keeping.ingrid)]
    others = [n for n, leaf in await keeping.about(keeping.aino) if leaf not in hers]

    with pytest.raises(RecordHeld, match=f"log 1 record {hers[0]}: {hold}"):
        await keeping.erase(f"1/{hers[0]}")
    await keeping.erase(resident=keeping.aino.id, numbers=[str(others[0])])


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"decision": " "}, DecisionMissing),
        ({"decision": "x" * 201}, DecisionMissing),
        ({"law": ""}, LawMissing),
        ({"law": "x" * 201}, LawMissing),
        ({"done_by": "eva  sjö"}, NotTwoPeople),
        ({"done_by": ""}, NotTwoPeople),
    ],
)
def test_it_takes_a_decision_a_law_and_two_different_people(changes, error):
    given = {"decision": "2026/1", "law": "GDPR", "decided_by": "Eva Sjö", "done_by": "Karin Ek"}
    with pytest.raises(error):
        order(**{**given, **changes}, login="root")


@pytest.mark.parametrize(
    ("records", "resident", "numbers", "error"),
    [
        ([], "", [], NothingNamed),
        ([], str(uuid4()), [], NothingNamed),
        ([], "", ["1"], NothingNamed),
        (["5"], "", [], RecordsMalformed),
        (["0/5"], "", [], RecordsMalformed),
        (["1/"], "", [], RecordsMalformed),
        (["1/9-5"], "", [], RecordsMalformed),
        (["1/-5"], "", [], RecordsMalformed),
        (["1/٣"], "", [], RecordsMalformed),
        (["99999999999/1"], "", [], RecordsMalformed),
        (["1/0-10000"], "", [], RecordsMalformed),
        ([], str(uuid4()), ["0"], RecordsMalformed),
        ([], "Ingrid", ["1"], RecordsMalformed),
    ],
)
def test_what_names_no_records_is_refused(records, resident, numbers, error):
    with pytest.raises(error):
        Named.read(records, resident, numbers)


async def test_the_database_itself_wants_two_people(keeping, config):
    same = replace(ORDER, done_by=" EVA SJÖ ")

    with pytest.raises(asyncpg.CheckViolationError):
        await keeping.erase("1/5", by=same)


@pytest.mark.parametrize("table", ["audit.body", "audit.entry", "audit.leaf", "audit.retention"])
async def test_in_normal_mode_nobody_deletes_not_even_the_superuser(keeping, as_superuser, table):
    for statement in (f"delete from {table}", f"truncate {table} cascade"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await as_superuser(statement)


async def test_a_month_of_texts_cannot_be_deleted_by_its_own_name(keeping, as_superuser):
    rows = await keeping.world.rows(
        "select inhrelid::regclass::text as name from pg_inherits "
        "where inhparent = 'audit.body'::regclass"
    )
    assert rows
    for row in rows:
        for statement in (f"delete from {row['name']}", f"truncate {row['name']}"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await as_superuser(statement)


async def test_the_owner_of_the_function_cannot_use_it_for_himself(keeping, config):
    arguments = "'records', 1, array[5], array[5], 'd', 'l', 'a', 'b', '{}'"
    async with open_database(config.role_url("owner"), size=1) as owner:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with owner.transaction(keeping.world.tenant) as db:
                await db.execute("set local role telecare_audit")
                await db.execute(f"select audit.erase({arguments})")


@pytest.mark.parametrize("event", ["record.erased", "log.key_added", "log.reopened"])
async def test_the_server_writes_no_record_that_the_check_goes_by(keeping, event):
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with keeping.world.begun() as db:
            await append(db, Record(Action(event), CLERK))


async def test_whoever_opens_an_erased_record_is_told_by_whose_decision(keeping, client):
    lena = await keeping.world.staff("Lena", role="granskare")
    given = next(r for r in await keeping.world.records() if r["event"] == "consent.given")
    index = await keeping.index_of("consent.given")
    await keeping.erase(f"1/{index}")
    await keeping.go_on()

    _, page = await client.look(f"/audit/records/{given['entry_id']}", lena)

    assert 'data-test="erased"' in page
    for told in ("2026/14", "GDPR art. 17", "Eva Sjö", "Karin Ek"):
        assert told in page
    [record] = await keeping.erasures()
    _, page = await client.look(f"/audit/records/{record['entry_id']}", lena)
    assert "Enskilda händelser" in page
    assert f"<dd>{index}</dd>" in page


async def test_an_erasure_is_written_down_beside_the_backups(keeping, tmp_path):
    file = tmp_path / "backups" / "erasures.jsonl"
    keeping.config = keeping.config.model_copy(update={"erasure_journal": str(file)})

    told = await keeping.erase("1/5-6")
    await keeping.erase("1/7")

    mine = [line for line in journal.lines(file) if line.slug == keeping.kept.slug]
    assert [list(line.erased.leaves) for line in mine] == [[(5, 6)], [(7, 7)]]
    assert "TELECARE_ERASURE_JOURNAL" not in " ".join(told.lines)


async def test_an_erasure_that_cannot_be_written_down_is_done_and_that_is_said(keeping, tmp_path):
    file = tmp_path / "erasures.jsonl"
    file.write_text("scrawl\n")
    keeping.config = keeping.config.model_copy(update={"erasure_journal": str(file)})

    told = await keeping.erase("1/5")

    assert f"NOT WRITTEN DOWN in {file}: JournalBroken" in " ".join(told.lines)
    assert len(await keeping.erasures()) == 1


async def test_without_a_journal_that_is_said(keeping):
    told = await keeping.erase("1/5")

    assert "TELECARE_ERASURE_JOURNAL is not set" in " ".join(told.lines)


@given(st.sets(st.integers(0, 40)), st.sets(st.integers(0, 40)), st.integers(0, 40))
def test_spans_are_sets(some, others, number):
    first = spans.merged((one, one) for one in some)
    second = spans.merged((one, one) for one in others)

    assert set(spans.one_by_one(first)) == some
    assert set(spans.one_by_one(spans.minus(first, second))) == some - others
    assert set(spans.one_by_one(spans.common(first, second))) == some & others
    assert spans.holds(first, number) == (number in some)
    assert spans.count(first) == len(some)
    assert all(here[1] + 1 < after[0] for here, after in pairwise(first))

"""Retention: a month's texts fall when the municipality's years are over, each with its record."""

import asyncio
import json
from datetime import date
from uuid import uuid4

import asyncpg
import pytest

from telecare.audit.actions import Action
from telecare.audit.append import append
from telecare.audit.model import CommandLineActor, Record
from telecare.integrity.checking import check
from telecare.integrity.erasing import YearsTooFew, order, set_retention
from telecare.integrity.journal import lines as lines_of
from telecare.integrity.process import sequence
from telecare.integrity.retention import Retention
from telecare.runtime.db import open_database
from telecare.runtime.tasks import running
from tests.services.test_extract import Desk
from tests.services.test_sequencer import HOST, Kept, files, kept, sequencer_database  # noqa: F401

CLERK = CommandLineActor("clerk")
ORDER = order("2025/77", "HSLF-FS 2016:40 4 kap. 9 §", "Eva Sjö", "Karin Ek", "root")
AT = """
create or replace function audit.at() returns timestamptz language sql volatile as $$
    select coalesce(nullif(current_setting('test.at', true), '')::timestamptz, clock_timestamp())
$$
"""
AT_AS_IT_IS = """
create or replace function audit.at() returns timestamptz language sql volatile as
'select clock_timestamp()'
"""
MONTH = """
set role telecare_audit;
do $$
begin
    if to_regclass('audit.body_{name}') is null then
        create table audit.body_{name} partition of audit.body
            for values from ('{name_}-01 00:00Z') to (date '{name_}-01' + interval '1 month');
        perform audit.wall_partition('audit.body_{name}');
    end if;
end
$$;
"""


class Years:
    """A municipality's log with records of long ago."""

    def __init__(self, kept, eraser, reader, config) -> None:  # noqa: F811
        self.kept, self.world = kept, kept.world
        self.eraser, self.reader, self.config = eraser, reader, config

    async def write(self, day: str, count: int = 3, persons=(), event=Action.LIST_READ) -> None:
        async with self.world.begun() as db:
            await db.execute("select set_config('test.at', $1, true)", f"{day} 12:00Z")
            for _ in range(count):
                await append(db, Record(event, CLERK, persons))

    async def go_on(self) -> None:
        await self.kept.go_on()
        await self.kept.sign()

    async def keep_for(self, years: int) -> None:
        self.kept.clock.forward(seconds=1)
        await set_retention(self.config, self.kept.slug, years, ORDER, "root", self.kept.clock)

    async def round(self) -> None:
        await Retention(self.eraser, self.kept.clock).go_round()

    async def texts(self, month: str) -> int:
        rows = await self.world.rows(
            "select count(*) as n from audit.body where tenant_id = $1 and recorded_at >= $2::date "
            "and recorded_at < $2::date + interval '1 month'",
            self.world.tenant, date.fromisoformat(f"{month}-01"),
        )  # fmt: skip
        return rows[0]["n"]

    async def fallen(self) -> list[dict]:
        return [r["what"] for r in await self.world.records() if r["event"] == "record.erased"]

    async def found(self) -> list[str]:
        async with self.reader.transaction(self.world.tenant) as db:
            self.checked = await check(db)
        return [finding.kind for finding in self.checked.findings]

    async def hold(self, **scope) -> str:
        lena = await self.world.staff("Lena", role="granskare")
        hold = uuid4()
        async with self.world.begun() as db:
            await db.execute(
                "insert into log_hold (tenant_id, id, resident_id, event, reason, decision, "
                "proposed_by, proposed_at) values ($1, $2, $3, $4, 'Tvist', '2026/3', $5, $6)",
                db.tenant, hold, scope.get("resident"), scope.get("event"), lena.staff.id,
                self.world.now,
            )  # fmt: skip
        return str(hold)


@pytest.fixture
async def long_ago(as_superuser):
    """Records can be entered at a time of a test's choice; months of 2019 and 2020 have tables."""
    await as_superuser(AT)
    for name in ("2019_07", "2020_03", "2020_04"):
        await as_superuser(MONTH.format(name=name, name_=name.replace("_", "-")))
    yield
    await as_superuser(AT_AS_IT_IS)


@pytest.fixture
async def eraser(config):
    async with open_database(config.role_url("eraser"), size=2) as database:
        yield database


@pytest.fixture
async def years(kept, eraser, reader, config, long_ago):  # noqa: F811
    return Years(kept, eraser, reader, config)


@pytest.fixture
async def neighbour(
    other_world,
    sequencer_database,  # noqa: F811
    clock,
    files,  # noqa: F811
    eraser,
    reader,
    config,
    long_ago,
):
    rows = await other_world.rows("select slug from tenant where id = $1", other_world.tenant)
    files.make(rows[0]["slug"])
    theirs = Kept(other_world, sequencer_database, clock, files, rows[0]["slug"])
    return Years(theirs, eraser, reader, config)


async def test_a_month_falls_after_the_municipalitys_years_with_a_record_of_it(years):
    ingrid = await years.world.resident("Ingrid")
    await years.write("2020-03-05", 4, [ingrid.person])
    await years.write("2020-04-05", 2)
    await years.go_on()
    await years.keep_for(5)

    await years.round()

    assert (await years.texts("2020-03"), await years.texts("2020-04")) == (0, 0)
    march, april = await years.fallen()
    assert (march["month"], march["records"], march["years"]) == ("2020-03", 4, 5)
    assert (april["month"], april["records"]) == ("2020-04", 2)
    assert (march["kind"], march["decision"], march["held"]) == ("retention", "2025/77", 0)
    assert (march["decided_by"], march["done_by"]) == ("Eva Sjö", "Karin Ek")
    [leaves] = march["leaves"]
    assert leaves[1] - leaves[0] == 3
    assert await years.found() == []
    await years.go_on()
    assert await years.found() == []
    assert years.checked.erased == 6
    left = await years.world.rows(
        "select s.n from audit.subject_entry s where s.tenant_id = $1 and s.actor_id is not null "
        "and not exists (select from audit.body b where b.entry_id = s.entry_id)",
        years.world.tenant,
    )
    assert left == []


async def test_nothing_falls_before_somebody_has_decided_for_how_long(years):
    await years.write("2020-03-05")
    await years.go_on()

    await years.round()

    assert await years.texts("2020-03") == 3
    assert await years.fallen() == []


async def test_texts_within_the_years_stay(years):
    await years.write("2020-03-05")
    await years.go_on()
    await years.keep_for(5)
    await years.keep_for(10)

    await years.round()

    assert await years.texts("2020-03") == 3


async def test_a_municipality_with_longer_years_keeps_hers_beside_one_with_shorter(
    years, neighbour
):
    for one in (years, neighbour):
        await one.write("2020-03-05")
        await one.go_on()
    await years.keep_for(5)
    await neighbour.keep_for(20)

    await years.round()

    assert await years.texts("2020-03") == 0
    assert await neighbour.texts("2020-03") == 3
    assert await neighbour.fallen() == []
    assert (await years.found(), await neighbour.found()) == ([], [])


async def test_a_second_round_finds_nothing_more(years):
    await years.write("2020-03-05")
    await years.go_on()
    await years.keep_for(5)
    await years.round()

    before = await years.world.events()
    await years.round()

    assert await years.world.events() == before


async def test_when_nobodys_texts_are_left_the_months_table_is_gone(years):
    await years.write("2019-07-05")
    await years.go_on()
    await years.keep_for(5)

    await years.round()

    assert await years.world.rows("select to_regclass('audit.body_2019_07') as t") == [{"t": None}]


async def test_held_texts_stay_and_are_named_and_fall_when_the_hold_is_lifted(years, tmp_path):
    ingrid = await years.world.resident("Ingrid")
    await years.write("2020-03-05", 3, [ingrid.person])
    await years.write("2020-03-06", 3)
    await years.go_on()
    await years.keep_for(5)
    hold = await years.hold(resident=ingrid.id)

    await years.round()

    assert await years.texts("2020-03") == 3
    [record] = await years.fallen()
    assert (record["held"], record["holds"], record["records"]) == (3, [hold], 3)
    await years.go_on()
    assert await years.found() == []
    desk = Desk(years.kept, years.reader, ingrid, ingrid, tmp_path)
    code, said = desk.run(await desk.make())
    assert (code, "0 records are erased" in said) == (0, True), said
    walls = await years.world.rows(
        "select relrowsecurity, relforcerowsecurity from pg_class where relname = 'body_2020_03'"
    )
    assert walls == [{"relrowsecurity": True, "relforcerowsecurity": True}]

    async with years.world.begun() as db:
        await db.execute(
            "update log_hold set declined_by = proposed_by, declined_at = $2 where id = $1::uuid",
            hold, years.world.now,
        )  # fmt: skip
    await years.round()
    assert await years.texts("2020-03") == 0
    await years.go_on()
    assert await years.found() == []


async def test_what_stays_can_still_not_be_deleted(years, as_superuser):
    await years.write("2020-03-05")
    await years.go_on()
    await years.keep_for(5)
    await years.hold(event="list.read")
    await years.round()

    for table in ("audit.body", "audit.body_2020_03"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await as_superuser(f"delete from {table}")


async def test_a_record_without_a_place_in_the_log_stays_with_its_text(years):
    await years.write("2020-03-05", 2)
    await years.go_on()
    await years.write("2020-03-06", 2)
    await years.keep_for(5)

    await years.round()

    assert await years.texts("2020-03") == 2
    await years.go_on()
    await years.round()
    assert await years.texts("2020-03") == 0
    await years.go_on()
    assert await years.found() == []


async def test_a_crash_before_the_end_leaves_text_and_record_as_they_were(years):
    await years.write("2020-03-05")
    await years.go_on()
    await years.keep_for(5)
    before = await years.world.events()

    async def crash():
        async with years.eraser.across_tenants() as db:
            await db.fetchval(
                "select audit.drop_month('2020-03-01', $1, '{}')", years.kept.clock.now()
            )
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await crash()

    assert await years.world.events() == before
    assert await years.texts("2020-03") == 3
    await years.round()
    assert await years.texts("2020-03") == 0


async def test_a_long_reading_is_waited_for_only_a_moment(years):
    await years.write("2020-03-05")
    await years.go_on()
    await years.keep_for(5)

    async with years.reader.transaction(years.world.tenant) as db:
        await db.fetch("select 1 from audit.body limit 1")
        await years.round()

    assert await years.texts("2020-03") == 3
    await years.round()
    assert await years.texts("2020-03") == 0


async def test_the_clock_of_whoever_asks_cannot_make_texts_fall_early(years):
    await years.write("2020-03-05")
    await years.go_on()
    await years.keep_for(10)
    years.kept.clock.forward(days=20 * 365)

    await years.round()

    assert await years.texts("2020-03") == 3


async def test_more_places_than_one_record_can_say_are_said_in_several(years):
    ingrid = await years.world.resident("Ingrid")
    async with years.world.begun() as db:
        await db.execute("select set_config('test.at', '2020-03-05 12:00Z', true)")
        for _ in range(501):
            await append(db, Record(Action.LIST_READ, CLERK))
            await append(db, Record(Action.CARD_READ, CLERK, [ingrid.person]))
    await years.go_on()
    await years.keep_for(5)
    await years.hold(event="card.read")

    await years.round()

    assert sorted(len(one["leaves"]) for one in await years.fallen()) == [1, 500]
    await years.go_on()
    assert await years.found() == []
    assert years.checked.erased == 501


async def test_what_fell_is_written_down_beside_the_backups(years, tmp_path):
    await years.write("2020-03-05")
    await years.go_on()
    await years.keep_for(5)

    await Retention(years.eraser, years.kept.clock, tmp_path / "erasures.jsonl").go_round()

    lines = [one for one in lines_of(tmp_path / "erasures.jsonl") if one.slug == years.kept.slug]
    assert [(one.erased.kind, one.erased.month) for one in lines] == [("retention", "2020-03")]


async def test_the_sequencers_process_does_it_by_itself(years, tmp_path):
    await years.write("2020-03-05")
    await years.go_on()
    await years.keep_for(5)
    config = years.config.model_copy(
        update={
            "log_key_dir": str(years.kept.files.folder),
            "public_url": f"https://{HOST}",
            "erasure_journal": str(tmp_path / "erasures.jsonl"),
        }
    )

    async with running(sequencer=sequence(config, years.kept.clock)), asyncio.timeout(15):
        while await years.texts("2020-03"):
            await asyncio.sleep(0.05)

    [record] = await years.fallen()
    assert record["records"] == 3
    assert await years.found() == []


async def test_that_years_were_set_is_a_record(years):
    await years.keep_for(7)

    record = (await years.world.records())[-1]
    assert record["event"] == "retention.set"
    assert record["what"] == {
        "decided_by": "Eva Sjö", "decision": "2025/77", "done_by": "Karin Ek", "years": 7,
    }  # fmt: skip
    assert record["text"]["what"] == json.dumps(
        record["what"], sort_keys=True, separators=(",", ":"), ensure_ascii=False
    )


@pytest.mark.parametrize("number", [4, 0, -1, 101])
async def test_fewer_than_five_years_are_refused(years, number):
    with pytest.raises(YearsTooFew):
        await years.keep_for(number)


async def test_the_database_itself_keeps_to_five_years_and_two_people(years):
    insert = (
        "insert into audit.retention (tenant_id, valid_from, years, decision, law, decided_by, "
        "done_by, set_at) values ($1, $2, $3, 'd', 'l', $4, 'Karin', $2)"
    )
    for number, decided in ((4, "Eva"), (5, "karin")):
        with pytest.raises(asyncpg.CheckViolationError):
            async with years.eraser.transaction(years.world.tenant) as db:
                await db.execute(insert, db.tenant, years.world.now, number, decided)

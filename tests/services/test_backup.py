"""Backup and restore, with real clusters: nothing is lost, and what was erased stays erased."""

import asyncio
import contextlib
import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest

from telecare.app import services
from telecare.audit.actions import Action
from telecare.audit.append import append
from telecare.audit.model import CommandLineActor, Record
from telecare.integrity import journal
from telecare.integrity.backup import BackupFailed, BackupFolder, backup, rotate
from telecare.integrity.checking import Outside, check
from telecare.integrity.erasing import Named, erase, order
from telecare.integrity.journal import JournalBroken
from telecare.integrity.keys import LogFiles
from telecare.integrity.preservation_store import Scope
from telecare.integrity.reopening import Order as Reopening
from telecare.integrity.reopening import reopen
from telecare.integrity.restoring import (
    FolderNotEmpty,
    MomentMalformed,
    NoBackup,
    moment,
    restore,
)
from telecare.runtime.clock import SystemClock
from telecare.runtime.config import Config
from telecare.runtime.db import open_database, run_script
from telecare.runtime.embedded.postgres import (
    SUPERUSER,
    EmbeddedPostgres,
    PostgresDidNotStart,
)
from telecare.runtime.embedded.services import ensure_database
from telecare.runtime.migrate import migrate, roles_sql
from tests.services.test_sequencer import HOST, Kept
from tests.world import MovedClock, World

CLERK = CommandLineActor("clerk")
ORDER = order("2026/14", "GDPR art. 17", "Eva Sjö", "Karin Ek", "root")
pytestmark = pytest.mark.timeout(120)


class Site:
    """A cluster, a municipality in it with a log that is signed, and a folder of backups."""

    def __init__(self, folder: Path, postgres: EmbeddedPostgres) -> None:
        self.folder, self.postgres = folder, postgres
        self.backups = BackupFolder(folder / "backups")
        self.files = LogFiles(folder / "log")
        self.clock = MovedClock(datetime.now(UTC))
        self.config = self._config(postgres)

    def _config(self, postgres: EmbeddedPostgres) -> Config:
        return Config(
            database_url=postgres.url("telecare_app"),
            public_url=f"https://{HOST}",
            erasure_journal=str(self.backups.journal),
            log_key_dir=str(self.files.folder),
        )

    def moved(self, postgres: EmbeddedPostgres) -> None:
        """From now on the municipality lives in that cluster."""
        self.postgres, self.config = postgres, self._config(postgres)

    async def found(self) -> None:
        async with self.app() as database, self.reader() as reader:
            made = services(database, reader, self.clock, self.config)
            async with World.found(made, self.postgres.url(SUPERUSER)) as world:
                self.tenant = world.tenant
                [row] = await world.rows("select slug from tenant where id = $1", self.tenant)
                self.slug = row["slug"]
                self.files.make(self.slug)
                self.ingrid = await world.resident("Ingrid")

    def app(self):
        return open_database(self.config.role_url("app"), size=3)

    def reader(self):
        return open_database(self.config.role_url("reader"), size=1)

    async def write(self, count: int) -> datetime:
        """Records about Ingrid; the moment after the last."""
        async with self.app() as database:
            async with database.transaction(self.tenant, "{}") as db:
                for _ in range(count):
                    await append(db, Record(Action.CARD_READ, CLERK, [self.ingrid.person]))
            async with database.transaction(self.tenant) as db:
                return await db.fetchval("select clock_timestamp()")

    async def sign(self):
        """The sequencer, once; what it says when it stops."""
        async with open_database(self.config.role_url("sequencer"), size=3) as database:
            self.clock.forward(seconds=61)
            async with self.world() as world:
                kept = Kept(world, database, self.clock, self.files, self.slug)
                await kept.go_on()
                [newest] = await world.rows(
                    "select stopped_because from audit.log order by log desc limit 1"
                )
                self.head = None if newest["stopped_because"] else await kept.sign()
            return newest["stopped_because"] and json.loads(newest["stopped_because"])

    async def erase(self, index: int) -> None:
        await erase(self.config, self.slug, Named.read([f"1/{index}"], "", []), ORDER)

    async def texts(self) -> set[int]:
        """Places of log 1 that have a text."""
        rows = await self.rows(
            "select l.leaf_index from audit.leaf l join audit.body b using (tenant_id, entry_id) "
            "where l.log = 1"
        )
        return {row["leaf_index"] for row in rows}

    async def rows(self, sql: str) -> list[dict]:
        async with self.world() as world:
            return await world.rows(sql)

    @contextlib.asynccontextmanager
    async def world(self, made=None, unit=None):
        """The municipality, where it lives now."""
        url = self.postgres.url(SUPERUSER)
        async with asyncpg.create_pool(url, min_size=0) as superuser:
            yield World(made, self.tenant, unit, unit, None, url, superuser)

    async def check(self, *outside):
        async with self.reader() as reader, reader.transaction(self.tenant) as db:
            return await check(db, outside)

    async def archived(self) -> None:
        """All that was entered is in the archive."""
        await run_script(self.postgres.url(SUPERUSER), "select pg_switch_wal()")
        [row] = await self.rows("select pg_walfile_name(pg_current_wal_lsn()) as name")
        async with asyncio.timeout(20):
            while True:
                [got] = await self.rows("select last_archived_wal as name from pg_stat_archiver")
                if got["name"] and got["name"][:24] >= _before(row["name"]):
                    return
                await asyncio.sleep(0.05)

    async def back_up(self):
        return await backup(self.config, self.backups.path, 35, SystemClock())

    async def restore(self, name: str, until: datetime | None = None):
        return await restore(self.config, self.backups.path, self.folder / name, until, "root")


def _before(segment: str) -> str:
    return f"{int(segment, 16) - 1:024X}"


async def _site(folder: Path, settings: dict[str, str]):
    postgres = EmbeddedPostgres(folder / "cluster", {"fsync": "off", **settings})
    postgres.start()
    await ensure_database(postgres, "telecare")
    await run_script(postgres.url(SUPERUSER), roles_sql())
    await migrate(postgres.url("telecare_owner"))
    return Site(folder, postgres)


@pytest.fixture
async def site(tmp_path):
    wal = tmp_path / "backups" / "wal"
    wal.mkdir(parents=True)
    archive = {
        "archive_mode": "on",
        "archive_command": f"test ! -f {wal}/%f && cp %p {wal}/part && mv {wal}/part {wal}/%f",
    }
    made = await _site(tmp_path, archive)
    try:
        await made.found()
        yield made
    finally:
        made.postgres.stop()


@pytest.fixture
async def lost(site):
    """Copied, gone on, erased from before and after the copy, and then the machine is gone."""
    await site.write(30)
    await site.sign()
    await site.erase(5)
    told = await site.back_up()
    assert (told.status, "1 erasures in" in told.lines[0]) == (0, True)
    site.then = await site.write(10)  # what follows is in the archive only
    await site.write(10)
    await site.sign()
    await site.erase(7)
    await site.write(5)
    assert await site.sign() is None
    site.had = await site.texts()
    await site.archived()
    site.postgres.stop()
    return site


@contextlib.contextmanager
def running_on(site, name):
    postgres = EmbeddedPostgres(site.folder / name)
    postgres.start()
    try:
        site.moved(postgres)
        yield
    finally:
        postgres.stop()


async def test_to_the_end_of_the_archive_nothing_is_lost_and_every_log_fits(lost):
    told = await lost.restore("whole")

    assert told.status == 0, told.lines
    assert not [line for line in told.lines if "rased again" in line]
    assert f"audit/1, {lost.head.size} records" in " ".join(told.lines)
    with running_on(lost, "whole"):
        assert await lost.texts() == lost.had
        assert {5, 7} & lost.had == set()
        assert await lost.sign() is None


async def test_to_a_moment_before_an_erasure_it_is_erased_again_and_the_log_is_shorter(lost):
    told = await lost.restore("earlier", lost.then)

    said = "\n".join(told.lines)
    assert told.status == 1
    assert f"Erased again, {lost.slug} log 1: 1 records, decision 2026/14 (erased)." in said
    assert "DOES NOT FIT: tree_shorter" in said
    assert "text_missing" not in said
    assert "telecare audit reopen" in told.lines[-1]


async def test_after_it_nothing_is_signed_until_two_people_reopen_and_the_seam_is_shown(lost):
    head = lost.head
    await lost.restore("earlier", lost.then)
    with running_on(lost, "earlier"):
        assert {5, 7} & await lost.texts() == set()
        assert (await lost.sign())["found"] == "shorter"
        [newest] = await lost.rows("select max(size) as size from audit.checkpoint")
        assert newest["size"] < head.size

        decided = Reopening.read("2026/20", ["Eva Sjö", "Karin Ek"], "root")
        told = await reopen(lost.config, lost.slug, decided, lost.clock)
        assert f"to {head.size - 1}." in " ".join(told.lines)
        assert await lost.sign() is None

        checked = await lost.check(Outside("the file beside the key", head))
        assert [one.kind for one in checked.findings] == []
        assert checked.erased == 2
        [seam] = checked.seams
        assert (seam.head.size, seam.size < head.size) == (head.size, True)
        rows = await lost.rows(
            "select what from audit.body join audit.leaf using (tenant_id, entry_id) "
            "where event = 'record.erased' and log = 2"
        )
        assert "again" in {json.loads(row["what"])["kind"] for row in rows}


@pytest.mark.slow
async def test_the_commands_do_what_they_say(site):
    await site.write(3)
    await site.sign()
    environment = {
        **os.environ,
        "TELECARE_DATABASE_URL": site.config.database_url,
        "TELECARE_PUBLIC_URL": site.config.public_url,
        "TELECARE_LOG_KEY_DIR": site.config.log_key_dir,
        "TELECARE_ERASURE_JOURNAL": site.config.erasure_journal,
    }

    def telecare(*arguments: str) -> tuple[int, str]:
        run = subprocess.run(
            [sys.executable, "-m", "telecare", *arguments],
            env=environment, capture_output=True, check=False, text=True,
        )  # fmt: skip
        return run.returncode, run.stdout + run.stderr

    two = ["--law", "GDPR art. 17", "--decided-by", "Eva Sjö", "--done-by", "Karin Ek"]
    code, said = telecare(
        "audit", "retention", site.slug, "--years", "7", "--decision", "2026/1", *two
    )
    assert (code, "are kept for 7 years by decision 2026/1" in said) == (0, True)
    code, said = telecare(
        "audit", "erase", site.slug, "--record", "1/3-4", "--decision", "2026/2", *two
    )
    assert (code, "Erased the texts of 2 records of log 1: 3 to 4." in said) == (0, True)
    code, said = telecare(
        "audit", "erase", site.slug, "--record", "1/3", "--decision", "2026/2", *two
    )
    assert (code, "telecare: RecordErasedBefore: log 1 record 3" in said) == (1, True)
    code, said = telecare("backup", str(site.backups.path))
    assert (code, "Copied to" in said, "The archive goes on" in said) == (0, True, True)
    site.postgres.stop()
    code, said = telecare("restore", str(site.backups.path), str(site.folder / "into"))
    assert (code, "Nothing was found that does not fit." in said) == (0, True), said
    code, said = telecare("restore", str(site.backups.path), str(site.folder / "into"))
    assert (code, "telecare: FolderNotEmpty" in said) == (1, True)


@pytest.mark.slow
async def test_a_held_text_is_not_erased_again_and_that_is_said(site):
    await site.write(30)
    await site.sign()
    async with site.app() as database, site.reader() as reader:
        made = services(database, reader, site.clock, site.config)
        [unit] = await site.rows("select id from care_unit where name = 'Dagen'")
        async with site.world(made, unit["id"]) as world:
            lena = await world.staff("Lena", role="granskare")
        scope = Scope(site.ingrid.id)
        await made.preservation.propose(lena, scope, reason="Tvist", decision="2026/3")
    [hold] = await site.rows("select id from log_hold")
    await site.sign()
    await site.back_up()
    then = await site.write(1)
    async with site.app() as database, database.transaction(site.tenant, "{}") as db:
        await db.execute("update log_hold set declined_by = proposed_by, declined_at = proposed_at")
    [place] = await site.rows(
        "select max(l.leaf_index) as at from audit.leaf l join audit.body b "
        "using (tenant_id, entry_id) where b.event = 'card.read'"
    )
    await site.erase(place["at"])
    await site.archived()
    site.postgres.stop()

    told = await site.restore("earlier", then)

    wanted = f"NOT erased again, {site.slug} log 1 record {place['at']}: held by {hold['id']}."
    assert wanted in told.lines


@pytest.mark.slow
async def test_what_cannot_be_restored_is_said_and_nothing_is_made(site):
    await site.write(3)
    with pytest.raises(NoBackup):
        await site.restore("into")
    await site.back_up()
    later = await site.write(3)
    with pytest.raises(NoBackup):
        await site.restore("into", later - timedelta(days=1))
    (site.folder / "full").mkdir()
    (site.folder / "full" / "something").touch()
    with pytest.raises(FolderNotEmpty):
        await site.restore("full")
    [(_, base)] = site.backups.bases()
    assert not (site.folder / "into").exists()

    version = base / "PG_VERSION"
    version.write_text("9\n")
    with pytest.raises(BackupFailed, match="pg_verifybackup"):
        await site.restore("into")
    assert not (site.folder / "into").exists()


@pytest.mark.slow
async def test_a_moment_after_the_archives_end_is_refused(site):
    await site.write(3)
    await site.back_up()
    await site.archived()
    site.postgres.stop()

    with pytest.raises(PostgresDidNotStart):
        await site.restore("into", datetime.now(UTC) + timedelta(days=1))


@pytest.mark.slow
async def test_without_an_archive_it_says_so(tmp_path):
    made = await _site(tmp_path, {})
    try:
        await made.found()
        told = await made.back_up()
    finally:
        made.postgres.stop()

    assert told.status == 1
    assert "NO ARCHIVE" in told.lines[-1]
    assert "archive_command" in told.lines[-1]
    assert (await made.restore("into")).status == 0  # the copy itself is whole


@pytest.mark.slow
async def test_a_journal_that_somebody_changed_stops_the_restore(site):
    await site.write(30)
    await site.sign()
    await site.erase(5)
    await site.back_up()
    file = site.backups.journal
    file.write_text(file.read_text().replace("[[5,5]]", "[[5,9]]"))

    with pytest.raises(JournalBroken):
        journal.lines(file)
    with pytest.raises(JournalBroken):
        await site.restore("into")
    with pytest.raises(JournalBroken):
        await site.back_up()


@pytest.mark.parametrize(
    "line", ["x", "[]", "{}", '{"slug":"a","entry":"!","seed":"","what":"{}"}']
)
def test_what_is_no_journal_is_refused(tmp_path, line):
    (tmp_path / "erasures.jsonl").write_text(f"{line}\n")

    with pytest.raises(JournalBroken):
        journal.lines(tmp_path / "erasures.jsonl")


@pytest.mark.parametrize("given", ["yesterday", "2026-13-01", "10:15"])
def test_what_is_no_moment_is_refused(given):
    with pytest.raises(MomentMalformed):
        moment(given)


def test_a_moment_is_swedish_time_unless_it_says_otherwise():
    assert moment("2026-11-23T10:15") == datetime(2026, 11, 23, 9, 15, tzinfo=UTC)
    assert moment("2026-11-23T10:15:00Z") == datetime(2026, 11, 23, 10, 15, tzinfo=UTC)
    assert moment("") is None


async def test_old_copies_rotate_away_and_the_archive_before_the_oldest_left(tmp_path):
    kept = BackupFolder(tmp_path)
    kept.wal.mkdir(parents=True)
    now = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
    for number, days in enumerate((50, 36, 20, 1), 1):
        base = kept.base / (now - timedelta(days=days)).strftime("%Y%m%dT%H%M%S.%fZ")
        base.mkdir(parents=True)
        segment = f"{number:024X}"
        (base / "backup_label").write_text(f"START WAL LOCATION: 0/2 (file {segment})\n")
        (kept.wal / segment).touch()

    told = await rotate(kept, timedelta(days=35), now)

    assert len(told) == 2
    assert [(now - at).days for at, _ in kept.bases()] == [20, 1]
    assert sorted(one.name for one in kept.wal.iterdir()) == [f"{n:024X}" for n in (3, 4)]
    assert await rotate(kept, timedelta(0), now + timedelta(days=99)) != []
    assert len(kept.bases()) == 1

"""`telecare restore`: a folder of backups becomes a cluster again, at its end or at a moment.

What was erased after that moment is erased again, by the journal; then every log is checked in
full. Nothing is signed here: the sequencer compares first (docs/decisions/0009).
"""

import shlex
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from telecare.audit.model import CommandLineActor, actor_text
from telecare.integrity import erasing_store as store
from telecare.integrity import journal
from telecare.integrity.backup import BackupFolder, run
from telecare.integrity.erasing_store import Order
from telecare.integrity.journal import Line
from telecare.integrity.publish_command import DIFFERS, FITS, Told
from telecare.integrity.spans import Span, extended
from telecare.integrity.verify_command import Wanted, verify_log
from telecare.runtime.clock import from_local
from telecare.runtime.config import Config
from telecare.runtime.db import Database, open_database
from telecare.runtime.embedded.postgres import EmbeddedPostgres
from telecare.runtime.errors import CannotStart
from telecare.wire.ids import TenantId

RECOVERY_LIMIT_S = 86_400.0
AT_ONCE = 10_000
"""Records erased again in one transaction."""


class NoBackup(CannotStart):
    """The folder holds no finished copy from before that moment."""


class FolderNotEmpty(CannotStart):
    """A cluster is restored into a folder that is new or empty."""


class MomentMalformed(CannotStart):
    """--until is not a moment as 2026-11-23T10:15 (Swedish time) or with its offset."""


def moment(given: str) -> datetime | None:
    """Raises MomentMalformed."""
    if not given:
        return None
    try:
        at = datetime.fromisoformat(given)
    except ValueError as error:
        raise MomentMalformed(given) from error
    return at if at.tzinfo else from_local(at)


@dataclass(slots=True)
class Restored:
    """A cluster that runs on what was restored. `config` leads to it."""

    postgres: EmbeddedPostgres
    config: Config

    def stop(self) -> None:
        self.postgres.stop()


async def restore(
    config: Config, folder: Path, into: Path, until: datetime | None, login: str
) -> Told:
    """Ends with a stopped cluster in INTO/data. Status 1 when a log does not fit.

    Raises NoBackup, FolderNotEmpty, BackupFailed, PostgresMissing, PostgresDidNotStart,
    JournalBroken.
    """
    kept = BackupFolder(folder)
    base = _base(kept, into, until)
    await run("pg_verifybackup", "--quiet", str(base))
    noted = journal.lines(kept.journal)
    if config.erasure_journal:
        known = {(one.slug, one.entry) for one in noted}
        beside = journal.lines(Path(config.erasure_journal))
        noted = [*noted, *(one for one in beside if (one.slug, one.entry) not in known)]
    restored = recover(config, kept, base, into, until)
    try:
        said, status = [f"Restored {base.name} into {into}/data."], FITS
        async with (
            open_database(restored.config.role_url("eraser"), size=1) as eraser,
            open_database(restored.config.role_url("reader"), size=1) as reader,
        ):
            async with eraser.across_tenants() as db:
                tenants = await store.tenants(db)
            for tenant, slug in tenants:
                of_it = [one for one in noted if one.slug == slug]
                said += await erase_again(reader, eraser, tenant, of_it, login)
        for _, slug in tenants:
            told = await verify_log(restored.config, slug, Wanted(None, [], None), login=login)
            said += told.lines
            status = max(status, told.status)
    finally:
        restored.stop()
    said.append(
        "The sequencer signs when what was signed before fits. A log that is shorter stays stopped "
        "until two people decide: telecare audit reopen."
        if status == DIFFERS
        else "Every log fits what was compared."
    )
    return Told(said, status)


def _base(kept: BackupFolder, into: Path, until: datetime | None) -> Path:
    """Raises NoBackup, FolderNotEmpty."""
    bases = [path for at, path in kept.bases() if until is None or at <= until]
    if not bases:
        raise NoBackup(str(kept.path))
    if into.exists() and any(into.iterdir()):
        raise FolderNotEmpty(str(into))
    return bases[-1]


def recover(
    config: Config, kept: BackupFolder, base: Path, into: Path, until: datetime | None
) -> Restored:
    """The copy, and the archive played into it; on a socket of its own, with settings of its own.

    Raises PostgresDidNotStart.
    """
    into.mkdir(parents=True, exist_ok=True, mode=0o700)
    data = into / "data"
    shutil.copytree(base, data, symlinks=True)
    data.chmod(0o700)
    (data / "recovery.signal").touch()
    (into / "restore.conf").write_text("", "utf-8")
    (into / "restore_hba.conf").write_text("local all all trust\n", "utf-8")
    settings = {
        "config_file": str(into / "restore.conf"),
        "hba_file": str(into / "restore_hba.conf"),
        "restore_command": f"cp {shlex.quote(str(kept.wal.absolute()))}/%f %p",
        "hot_standby": "off",
        "archive_mode": "off",
        "recovery_target_action": "promote",
    }
    if until is not None:
        settings["recovery_target_time"] = until.isoformat()
    postgres = EmbeddedPostgres(
        into,
        settings,
        start_limit_s=RECOVERY_LIMIT_S,
        retry_s=0,
        version=(data / "PG_VERSION").read_text("utf-8").strip(),
    )
    try:
        postgres.start()
    except BaseException:
        postgres.stop()
        raise
    name = urlsplit(config.database_url).path.strip("/") or "telecare"
    url = postgres.url("telecare_app", name)
    return Restored(postgres, config.model_copy(update={"database_url": url}))


async def erase_again(
    reader: Database, eraser: Database, tenant: TenantId, noted: Sequence[Line], login: str
) -> Sequence[str]:
    """What the journal names and the restored database still has. Held texts stay, and are told."""
    said = []
    actor = actor_text(CommandLineActor(login))
    for line in noted:
        what = line.erased
        async with reader.transaction(tenant) as db:
            there = await store.with_text(db, what.log, what.leaves)
        said += [
            f"NOT erased again, {line.slug} log {what.log} record {leaf}: held by {hold}."
            for leaf, hold in there
            if hold is not None
        ]
        order = Order(what.decision, line.law, what.decided_by, what.done_by, actor)
        leaves = [leaf for leaf, hold in there if hold is None]
        for first in range(0, len(leaves), AT_ONCE):
            spans: list[Span] = []
            for leaf in leaves[first : first + AT_ONCE]:
                extended(spans, leaf)
            async with eraser.transaction(tenant, actor) as db:
                outcome = await store.erase(db, "again", what.log, spans, order)
            told = f"{line.slug} log {what.log}: {outcome.records} records"
            said.append(f"Erased again, {told}, decision {what.decision} ({outcome.why}).")
    return said

"""`telecare backup`: a copy of the whole cluster, the archive of what follows it, and the journal
of erasures, in one folder. PostgreSQL's own programs do the copying.

    DIR/base/20261123T101500.123456Z/   pg_basebackup, checked
    DIR/wal/                     what PostgreSQL's archive_command puts there
    DIR/erasures.jsonl           integrity/journal.py
"""

import asyncio
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from telecare.integrity import journal
from telecare.integrity.backup_store import archived
from telecare.integrity.publish_command import DIFFERS, FITS, Told
from telecare.runtime.clock import Clock
from telecare.runtime.config import Config
from telecare.runtime.db import open_database
from telecare.runtime.embedded.postgres import PostgresMissing, find_binaries
from telecare.runtime.errors import CannotStart

STAMP = "%Y%m%dT%H%M%S.%fZ"
KEEP = timedelta(days=35)
"""How long a backup is kept when nothing else is said: so long erased texts stay in backups."""
ARCHIVE_WAIT_S = 10.0
POLL_S = 0.05


class ProgramMissing(CannotStart):
    """PostgreSQL's client programs are not on the PATH: apt install postgresql-client."""


class BackupFailed(CannotStart):
    """A program of PostgreSQL's ended with an error; what it said follows."""


@dataclass(frozen=True, slots=True)
class BackupFolder:
    """One folder of backups; a copy is whole from the moment that names it."""

    path: Path

    @property
    def base(self) -> Path:
        return self.path / "base"

    @property
    def wal(self) -> Path:
        return self.path / "wal"

    @property
    def journal(self) -> Path:
        return self.path / journal.NAME

    def bases(self) -> Sequence[tuple[datetime, Path]]:
        """Finished ones, the oldest first."""
        found = []
        for one in self.base.glob("*"):
            try:
                at = datetime.strptime(one.name, STAMP).replace(tzinfo=UTC)
            except ValueError:
                continue
            found.append((at, one))
        return sorted(found)


async def backup(config: Config, folder: Path, keep_days: int, clock: Clock) -> Told:
    """Status 1 when no archive follows: then only this moment can be restored.

    Raises ProgramMissing, BackupFailed, JournalBroken.
    """
    kept = BackupFolder(folder)
    for made in (kept.path, kept.base, kept.wal):
        made.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = kept.base / "part"
    shutil.rmtree(part, ignore_errors=True)
    await run(
        "pg_basebackup", f"--dbname={config.role_url('backup')}", f"--pgdata={part}",
        "--wal-method=stream", "--checkpoint=fast", "--no-password",
    )  # fmt: skip
    await run("pg_verifybackup", "--quiet", str(part))
    finished = kept.base / clock.now().strftime(STAMP)
    part.rename(finished)
    async with open_database(config.role_url("eraser"), size=1) as eraser:
        erasures = await journal.keep(eraser, kept.journal)
    said = [f"Copied to {finished} and checked; {erasures} erasures in {kept.journal.name}."]
    said += await rotate(kept, timedelta(days=keep_days), clock.now())
    last = await _archived(config, kept)
    if last is None:
        half = f"{kept.wal}/part"
        command = f"test ! -f {kept.wal}/%f && cp %p {half} && mv {half} {kept.wal}/%f"
        said.append(
            f"NO ARCHIVE in {kept.wal}: what is entered after this copy is not in it. "
            f"Set archive_mode = on and archive_command = '{command}'."
        )
        return Told(said, DIFFERS)
    return Told([*said, f"The archive goes on: {last} is in {kept.wal}."], FITS)


async def _archived(config: Config, kept: BackupFolder) -> str | None:
    """What PostgreSQL archived last, when it is in our folder."""
    async with open_database(config.role_url("backup"), size=1) as database:
        deadline = asyncio.get_running_loop().time() + ARCHIVE_WAIT_S
        while asyncio.get_running_loop().time() < deadline:
            async with database.across_tenants() as db:
                is_on, last = await archived(db)
            if last and (kept.wal / last).exists():
                return last
            if not is_on:
                return None
            await asyncio.sleep(POLL_S)
    return None


async def rotate(kept: BackupFolder, keep: timedelta, now: datetime) -> Sequence[str]:
    """Copies older than `keep` go, and the archive before the oldest that is left; never the last
    copy.
    """
    every = kept.bases()
    old = [path for at, path in every[:-1] if at < now - keep]
    for one in old:
        shutil.rmtree(one)
    if old:
        label = (kept.bases()[0][1] / "backup_label").read_text("utf-8")
        first = label.partition("(file ")[2].partition(")")[0]
        await run("pg_archivecleanup", str(kept.wal), first)
    return [f"Rotated away: {one.name}." for one in old]


def program(name: str) -> str:
    """Beside the server's binaries, or on the PATH. Raises ProgramMissing."""
    try:
        beside = find_binaries() / name
    except PostgresMissing:
        beside = Path(name)
    found = str(beside) if beside.is_file() else shutil.which(name)
    if found is None:
        raise ProgramMissing(name)
    return found


async def run(name: str, *arguments: str) -> None:
    """Raises ProgramMissing, BackupFailed."""
    process = await asyncio.create_subprocess_exec(
        program(name), *arguments, stderr=asyncio.subprocess.STDOUT, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    if process.returncode:
        raise BackupFailed(f"{name}: {output.decode(errors='replace').strip()}")

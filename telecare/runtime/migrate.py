"""Numbered SQL files, forward only, each in its own transaction, once (docs/start.md).

A file that was applied and then changed stops the run: what is in the database must be what stands
in the tree. A lower number that arrives later is applied too.
"""

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources

from telecare.runtime.db import single_connection

log = logging.getLogger(__name__)

LOCK = 7_032_001
"""pg_advisory_lock key: two migrating processes wait for each other."""

MAKE_TABLE = """
create table if not exists migration (
    name text primary key,
    sha256 text not null,
    applied_at timestamptz not null
)
"""
APPLIED = "select name, sha256 from migration"
REMEMBER = "insert into migration (name, sha256, applied_at) values ($1, $2, clock_timestamp())"
MAKE_PARTITIONS = "select audit.make_partitions($1)"
MAKE_EVENT_PARTITIONS = "select make_event_partitions(clock_timestamp(), $1)"
MONTHS_AHEAD = 4


class MigrationChanged(Exception):
    """An applied file no longer has the text that was applied."""


@dataclass(frozen=True, slots=True)
class Migration:
    name: str
    sql: str

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.sql.encode()).hexdigest()


def migrations() -> Sequence[Migration]:
    folder = resources.files("telecare.runtime") / "migrations"
    files = sorted((f for f in folder.iterdir() if f.name.endswith(".sql")), key=lambda f: f.name)
    return [Migration(f.name, f.read_text(encoding="utf-8")) for f in files]


def roles_sql() -> str:
    return (resources.files("telecare.runtime") / "roles.sql").read_text(encoding="utf-8")


async def migrate(owner_url: str) -> list[str]:
    """Apply what is missing as the owner role; returns the names applied. Safe to run again."""
    applied: list[str] = []
    async with single_connection(owner_url) as connection:
        await connection.execute("select pg_advisory_lock($1)", LOCK)
        await connection.execute(MAKE_TABLE)
        known = {row["name"]: row["sha256"] for row in await connection.fetch(APPLIED)}
        for step in migrations():
            if step.name in known:
                if known[step.name] != step.sha256:
                    raise MigrationChanged(step.name)
                continue
            async with connection.transaction():
                await connection.execute(step.sql)
                await connection.execute(REMEMBER, step.name, step.sha256)
            log.info("migration applied", extra={"migration": step.name})
            applied.append(step.name)
        await connection.execute(MAKE_PARTITIONS, MONTHS_AHEAD)
        await connection.execute(MAKE_EVENT_PARTITIONS, MONTHS_AHEAD)
    return applied

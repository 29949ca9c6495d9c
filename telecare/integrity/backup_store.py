"""Whether the cluster archives what is entered (role backup)."""

from telecare.runtime.db import Transaction

ARCHIVED = """
select current_setting('archive_mode') <> 'off' as is_on,
    (select last_archived_wal from pg_stat_archiver) as last
"""


async def archived(db: Transaction) -> tuple[bool, str | None]:
    """Whether it does at all, and the last file."""
    row = await db.fetchrow(ARCHIVED)
    assert row is not None  # noqa: S101 - it has one row
    return row["is_on"], row["last"]

"""Lets the log's texts fall, month by month, when a municipality's years are over (role eraser).

What falls and the records of it are one transaction; whatever ends this process, it begins again
from what is there (docs/decisions/0013).
"""

import logging
from datetime import timedelta
from pathlib import Path

from telecare.audit.model import SystemActor, actor_text
from telecare.integrity import erasing_store as store
from telecare.integrity.journal import JournalBroken, keep
from telecare.runtime.clock import Clock
from telecare.runtime.db import Database, LockTaken

log = logging.getLogger(__name__)

ROUND = timedelta(hours=1)
ROUND_LIMIT = timedelta(hours=1)
ACTOR = actor_text(SystemActor("retention"))


class Retention:
    """`database` (role eraser) reaches every municipality, and by its functions alone."""

    def __init__(self, database: Database, clock: Clock, journal: Path | None = None) -> None:
        self._database = database
        self._clock = clock
        self._journal = journal

    async def go_round(self) -> None:
        """Every month that is old enough, each in a transaction of its own."""
        now = self._clock.now()
        async with self._database.across_tenants() as db:
            months = await store.old_months(db, now)
        for month in months:
            try:
                async with self._database.across_tenants() as db:
                    fell = await store.drop_month(db, month, now, ACTOR)
            except LockTaken:
                log.info("retention gave way")
                break
            if fell:
                log.info("texts of the log fell")
        if self._journal is not None:
            try:
                await keep(self._database, self._journal)
            except (JournalBroken, OSError):
                log.exception("the journal of erasures could not be written")

"""Lets the homes' events fall, a month at a time (role eraser). Nobody who reads or stores waits.

What a crash leaves half done is finished by the next round.
"""

import logging
from datetime import datetime, timedelta

from telecare.devices import events_store as store
from telecare.runtime.clock import Clock
from telecare.runtime.db import Database

log = logging.getLogger(__name__)

ROUND = timedelta(hours=1)
ROUND_LIMIT = timedelta(minutes=10)


class FallingEvents:
    """`kept_days`: of a whole month, after its end."""

    def __init__(self, database: Database, clock: Clock, kept_days: int) -> None:
        self._database = database
        self._clock = clock
        self._kept = timedelta(days=kept_days)

    async def go_round(self) -> None:
        await self._finish()
        for name in await self._old(self._clock.now()):
            await store.detach(self._database, name)
            await store.drop(self._database, name)
            log.info("a month of events fell", extra={"job": name})

    async def _old(self, now: datetime) -> list[str]:
        async with self._database.across_tenants() as db:
            months = await store.months(db)
        return [month.name for month in months if month.before <= now - self._kept]

    async def _finish(self) -> None:
        async with self._database.across_tenants() as db:
            left = await store.left_over(db)
        for one in left:
            if one.is_pending:
                await store.finalize(self._database, one.name)
            await store.drop(self._database, one.name)

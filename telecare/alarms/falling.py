"""Lets what other makers' units said fall after its time (role eraser), a batch at a time."""

from datetime import timedelta

from telecare.alarms import intake_store
from telecare.runtime.clock import Clock
from telecare.runtime.db import Database

ROUND = timedelta(hours=1)
ROUND_LIMIT = timedelta(minutes=10)
BATCH = 5_000


class FallingMessages:
    """`kept_days`: of each message, after it came. What it raised stays with the resident."""

    def __init__(self, database: Database, clock: Clock, kept_days: int) -> None:
        self._database = database
        self._clock = clock
        self._kept = timedelta(days=kept_days)

    async def go_round(self) -> None:
        before = self._clock.now() - self._kept
        dropped = BATCH
        while dropped == BATCH:
            async with self._database.across_tenants() as db:
                dropped = await intake_store.drop_messages(db, before, BATCH)

"""Events that nothing follows from, of many municipalities in one statement (role ingest)."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from telecare.devices import events_store as store
from telecare.devices.store import StoredEvent
from telecare.runtime.clock import Clock
from telecare.runtime.db import Database, NoSuchPartition

WITHOUT_DATE = datetime(1970, 1, 1, tzinfo=UTC)
"""Where an event stands whose clock cannot be right."""
LOOK_AT_MONTHS = timedelta(minutes=10)


class Ingest:
    """`database`: role ingest, which can add events and see no more of them than their numbers."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._months = Months((), WITHOUT_DATE)

    async def add(self, events: Sequence[StoredEvent]) -> int:
        """How many of them were new. All are stored when this has returned.

        Raises DatabaseUnavailable.
        """
        now = self._clock.now()
        if now - self._months.read_at >= LOOK_AT_MONTHS:
            await self._look_at_months(now)
        try:
            return await self._add(events, now)
        except NoSuchPartition:
            await self._look_at_months(now)  # one has fallen since
            return await self._add(events, now)

    async def _add(self, events: Sequence[StoredEvent], now: datetime) -> int:
        async with self._database.across_tenants() as db:
            return await store.add(db, events, [self._months.place(e) for e in events], now)

    async def _look_at_months(self, now: datetime) -> None:
        async with self._database.across_tenants() as db:
            self._months = Months(await store.months(db), now)


class Months:
    """Which months have a table, as they were when somebody looked."""

    def __init__(self, months: Sequence[store.Month], read_at: datetime) -> None:
        self.read_at = read_at
        self._there = {(month.since.year, month.since.month) for month in months}

    def place(self, event: StoredEvent) -> datetime:
        """`partition_at`."""
        at = event.occurred_at.astimezone(UTC)
        if event.clock_ok and (at.year, at.month) in self._there:
            return event.occurred_at
        return WITHOUT_DATE

"""The day's list of a care unit: one query per change and process, serialised once, sent to all.

A page gets a snapshot first, then whole changed rows. Rows come from what is stored; a page never
works anything out from events it may have missed.
"""

import asyncio
import time
from collections.abc import Sequence
from uuid import UUID

from telecare.access import store as access_store
from telecare.access.service import unit_topic
from telecare.alarms.asking import alarms_topic
from telecare.runtime.clock import Clock
from telecare.runtime.db import Database
from telecare.runtime.feed import Feed
from telecare.web.board_rows import Scope, alarm_rows, rows_in, scope_of
from telecare.wire.ids import CareUnitId, TenantId
from telecare.wire.signalling import (
    AlarmRow,
    CallRow,
    Locked,
    OutageRow,
    ReceiversRow,
    Row,
    Rows,
    Snapshot,
    TechnicalRow,
    Waits,
)

FRESH_S = 15.0
"""Presence changes by time alone: a board older than this is read again when asked."""


class Board:
    """What one care unit's screens show. `version` rises by one with every change."""

    def __init__(
        self, database: Database, clock: Clock, feed: Feed, *, tenant: TenantId, unit: CareUnitId
    ) -> None:
        self._database = database
        self._clock = clock
        self._feed = feed
        self._tenant = tenant
        self._unit = unit
        self._lock = asyncio.Lock()
        self._changed = asyncio.Event()
        self._alarms_changed = asyncio.Event()
        self._scope = Scope((unit,), {})
        self.topics = _topics(unit)
        """A change of one of these may change the list: its unit's, and those of the units it
        covers at some hours.
        """
        self._read_at = float("-inf")
        self._rest_until = 0.0
        self._rows: dict[UUID, Row] = {}
        self.version = 0
        self._changes = ""
        self._snapshot: str | None = None

    def rest_s(self) -> float:
        """How long to leave a changed list alone: as long as reading it took, so that a burst of
        changes never takes more than half of the time. A first change is read at once, and so is
        an alarm.
        """
        return self._rest_until - time.monotonic() if self._changed.is_set() else 0.0

    @property
    def has_news(self) -> bool:
        """Of alarms, which wait for nothing else on the list."""
        return self._alarms_changed.is_set()

    @property
    def residents(self) -> Sequence[tuple[UUID, str]]:
        """Whose names stand on the list: what a recorded read covers."""
        return sorted({named for row in self._rows.values() for named in _named(row)})

    async def locked(self) -> str:
        """What a locked page may know of it."""
        await self._fresh()
        waiting = [
            Waits(id=row.id, since=row.since)
            for row in self._rows.values()
            if isinstance(row, CallRow | AlarmRow) and row.taken_by is None
        ]
        return Locked(waiting=waiting).model_dump_json()

    async def frame(self, known: int | None) -> tuple[str | None, int]:
        """What a page that holds version `known` needs now (None: nothing), and the new version."""
        await self._fresh()
        if known == self.version:
            return None, known
        if known is not None and known == self.version - 1:
            return self._changes, self.version
        if self._snapshot is None:
            self._snapshot = Snapshot(
                unit=self._unit, version=self.version, rows=list(self._rows.values())
            ).model_dump_json()
        return self._snapshot, self.version

    async def _fresh(self) -> None:
        async with self._lock:
            is_old = self._changed.is_set() or time.monotonic() - self._read_at > FRESH_S
            if is_old and time.monotonic() >= self._rest_until:
                await self._read()
            elif self._alarms_changed.is_set():
                await self._read_alarms()

    async def _read(self) -> None:
        self._changed.clear()
        self._alarms_changed.clear()
        begun = time.monotonic()
        async with self._database.transaction(self._tenant) as db:
            for unit in (self._unit, *await access_store.covered_at_times(db, self._unit)):
                self._feed.follow(self._changed, unit_topic(unit))
                self._feed.follow(self._alarms_changed, alarms_topic(unit))
                self.topics |= _topics(unit)
            now = self._clock.now()
            self._scope = await scope_of(db, self._unit, now)
            rows = await rows_in(db, self._scope, now)
        self._read_at = time.monotonic()
        self._rest_until = 2 * self._read_at - begun
        self._show(rows)

    async def _read_alarms(self) -> None:
        self._alarms_changed.clear()
        async with self._database.transaction(self._tenant) as db:
            alarms = await alarm_rows(db, self._scope, self._clock.now())
        others = [row for row in self._rows.values() if not isinstance(row, AlarmRow)]
        self._show([*alarms, *others])

    def _show(self, now: Sequence[Row]) -> None:
        rows = {row.id: row for row in now}
        changed = [row for key, row in rows.items() if self._rows.get(key) != row]
        gone = [key for key in self._rows if key not in rows]
        if self.version and not changed and not gone:
            return
        self._rows = rows
        self.version += 1
        self._snapshot = None
        self._changes = Rows(
            unit=self._unit, version=self.version, changed=changed, gone=gone
        ).model_dump_json()


def _topics(unit: CareUnitId) -> frozenset[str]:
    return frozenset({unit_topic(unit), alarms_topic(unit)})


def _named(row: Row) -> Sequence[tuple[UUID, str]]:
    match row:
        case ReceiversRow():
            return []
        case OutageRow():
            return [(home.resident_id, home.resident_name) for home in row.homes]
        case TechnicalRow():
            return [(row.resident_id, row.resident_name)] if row.resident_id else []
        case _:
            return [(row.resident_id, row.resident_name)]


class Boards:
    """The boards somebody looks at, kept while they do."""

    def __init__(self, database: Database, clock: Clock, feed: Feed) -> None:
        self._database = database
        self._clock = clock
        self._feed = feed
        self._boards: dict[tuple[TenantId, CareUnitId], Board] = {}

    def of(self, tenant: TenantId, unit: CareUnitId) -> Board:
        """The unit's board, for the life of the process; it follows its topics once it was read."""
        key = (tenant, unit)
        if key not in self._boards:
            self._boards[key] = Board(
                self._database, self._clock, self._feed, tenant=tenant, unit=unit
            )
        return self._boards[key]

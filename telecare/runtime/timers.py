"""Timers: rows that come due. A handler runs in the transaction that took its row, so a crash
anywhere leaves the row where it was, and two processes never do the same one.

A use case holds its thing and then moves the timer; a timer is taken and then holds the thing.
Where the two meet the timer gives way: before PostgreSQL sees a deadlock (1 s) it lets go, and
comes again with the next tick.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from telecare.runtime.clock import Clock
from telecare.runtime.db import Database, LockTaken, RefusedByDatabase, Transaction
from telecare.wire.ids import TenantId

log = logging.getLogger(__name__)

TICK = timedelta(seconds=0.5)
STEP_LIMIT = timedelta(seconds=30)
PUT_OFF = timedelta(seconds=5)
BATCH = 100
ACTOR = '{"channel":"timer","id":"timer","kind":"system"}'

GIVE_WAY = "select set_config('lock_timeout', '300ms', true)"
CLAIM = "select tenant_id, kind, subject, due_at from claim_timer($1)"
SET = """
insert into timer (tenant_id, kind, subject, due_at)
select $1, t.kind, $2, t.due_at
from unnest($3::text[], $4::timestamptz[]) as t (kind, due_at)
on conflict (tenant_id, kind, subject) do update set due_at = excluded.due_at
"""
KEEP = """
insert into timer (tenant_id, kind, subject, due_at) values ($1, $2, $3, $4)
on conflict (tenant_id, kind, subject) do nothing
"""
CANCEL = "delete from timer where tenant_id = $1 and kind = any($2) and subject = $3"


@dataclass(frozen=True, slots=True)
class Due:
    """A timer that has come due: what kind, about what, and since when."""

    kind: str
    subject: UUID
    due_at: datetime


Handler = Callable[[Transaction, Due, datetime], Awaitable[None]]


async def set_timer(db: Transaction, kind: str, subject: UUID, due_at: datetime) -> None:
    """One timer per kind and subject; setting it again moves it."""
    await set_timers(db, subject, {kind: due_at})


async def set_timers(db: Transaction, subject: UUID, due_at: Mapping[str, datetime]) -> None:
    """Several of one subject, by their kind."""
    kinds = sorted(due_at)
    await db.execute(SET, db.tenant, subject, kinds, [due_at[kind] for kind in kinds])


async def keep_timer(db: Transaction, kind: str, subject: UUID, due_at: datetime) -> None:
    """As `set_timer`, but one that is set already stays where it is."""
    await db.execute(KEEP, db.tenant, kind, subject, due_at)


async def cancel_timers(db: Transaction, kinds: list[str], subject: UUID) -> None:
    await db.execute(CANCEL, db.tenant, kinds, subject)


@dataclass(slots=True)
class Taken:
    """Which one is being carried out; None: nothing was due."""

    tenant: TenantId | None = None
    due: Due | None = None


class Timers:
    """Carries out what is due; `handlers` is built once in app.py."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        handlers: Mapping[str, Handler],
        batch: int = BATCH,
    ) -> None:
        self._database = database
        self._clock = clock
        self._handlers = handlers
        self._batch = batch

    async def run_due(self) -> None:
        """Everything due now, at most `batch`, each in a transaction of its own."""
        for _ in range(self._batch):
            taken = Taken()
            try:
                await self._run_one(taken)
            except LockTaken:
                log.info("timer gave way")
                return
            except RefusedByDatabase:
                if taken.due is None or taken.tenant is None:
                    raise
                log.exception("timer not carried out", extra={"kind": taken.due.kind})
                await self._put_off(taken.tenant, taken.due)
            if taken.due is None:
                return

    async def _run_one(self, taken: "Taken") -> None:
        now = self._clock.now()
        async with self._database.across_tenants(ACTOR) as db:
            await db.execute(GIVE_WAY)
            row = await db.fetchrow(CLAIM, now)
            if row is None:
                return
            taken.tenant = TenantId(row["tenant_id"])
            taken.due = Due(row["kind"], row["subject"], row["due_at"])
            await db.enter(taken.tenant, ACTOR)
            await self._handlers[taken.due.kind](db, taken.due, now)

    async def _put_off(self, tenant: TenantId, due: Due) -> None:
        """What cannot be done now hinders no other; it is tried again."""
        async with self._database.transaction(tenant) as db:
            await set_timer(db, due.kind, due.subject, self._clock.now() + PUT_OFF)

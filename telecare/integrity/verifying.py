"""Checking the whole log from its page: bounded, one at a time, away from everything live.

The verdict never says more than was proved: against whom, and up to which signed head.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from telecare.access.model import StaffSession
from telecare.audit.actions import Action
from telecare.audit.format import Document
from telecare.audit.model import actor_text
from telecare.audit.note import ED25519, VerifierKey
from telecare.integrity import opening_store, verifying_store
from telecare.integrity.checking import Checked, check
from telecare.integrity.cosigned import cosigned
from telecare.integrity.findings import found
from telecare.integrity.findings_store import NewFinding
from telecare.integrity.reading import record_reading
from telecare.integrity.verifying_store import LogState
from telecare.runtime.clock import Clock
from telecare.runtime.db import Database
from telecare.runtime.errors import TelecareError
from telecare.wire.errors import Code
from telecare.wire.ids import TenantId

MOST_RECORDS = 200_000
"""Longer logs are checked from the command line."""
MOST_KEPT = 200
"""Findings of one check that are kept; the first of them say where it is broken."""
CHECK_LIMIT = timedelta(seconds=60)
OpenReader = Callable[[], AbstractAsyncContextManager[Database]]


class CheckRunning(TelecareError):
    """Somebody of this municipality is checking the log already."""

    code = Code.CHECK_RUNNING


class CheckTooLong(TelecareError):
    """It was not done in CHECK_LIMIT, and says nothing."""

    code = Code.CHECK_TOO_LONG


class LogTooLong(TelecareError):
    """More than MOST_RECORDS records."""

    code = Code.LOG_TOO_LONG


@dataclass(frozen=True, slots=True)
class State:
    """The municipality's logs, the newest last, and the keys they are signed with."""

    logs: Sequence[LogState]
    keys: Sequence[bytes]
    waiting: int

    @property
    def records(self) -> int:
        return sum(log.leaves for log in self.logs)

    @property
    def newest(self) -> LogState | None:
        return self.logs[-1] if self.logs else None

    @property
    def stopped(self) -> LogState | None:
        """The log being written, when nothing is taken into it any more."""
        return self.newest if self.newest and self.newest.stopped_at else None

    @property
    def fingerprints(self) -> Sequence[str]:
        return [VerifierKey("log", ED25519, key).fingerprint for key in self.keys]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a check found. `entries`: entry numbers of records that findings name."""

    checked: Checked
    at: datetime
    entries: dict[tuple[int, int], int]

    @property
    def can_tell(self) -> bool:
        """Without a signed head there is nothing to compare with."""
        return self.checked.heads > 0 or not self.checked.is_whole


class Verifying:
    """`open_reader` opens a database of its own (role reader), for the check's own thread."""

    def __init__(
        self,
        database: Database,
        reader: Database,
        clock: Clock,
        open_reader: OpenReader,
        witnesses: Sequence[VerifierKey] = (),
    ) -> None:
        self.most_records = MOST_RECORDS
        self.longest = CHECK_LIMIT
        self._database = database
        self._reader = reader
        self._clock = clock
        self._open_reader = open_reader
        self._witnesses = witnesses
        self._running: set[TenantId] = set()

    async def state(self, session: StaffSession) -> State:
        """Holds nothing about anybody: how long the log is, its heads and keys."""
        async with self._reader.transaction(session.tenant) as db:
            return State(
                await verifying_store.logs(db),
                await verifying_store.keys(db),
                await verifying_store.waiting(db),
            )

    async def check(self, session: StaffSession) -> Verdict:
        """Recorded with what it found, before it is shown.

        Raises CheckRunning, LogTooLong, CheckTooLong.
        """
        if (await self.state(session)).records > self.most_records:
            raise LogTooLong
        async with self._only_one(session.tenant):
            checked = await self._checked(session.tenant)
        what: Document = {
            "erased": checked.erased,
            "findings": len(checked.findings),
            "heads": checked.heads,
            "kinds_of_findings": sorted({one.kind for one in checked.findings}),
            "records": checked.records,
        }
        await record_reading(self._database, session, Action.LOG_VERIFIED, (), what)
        async with self._reader.transaction(session.tenant) as db:
            places = [place for one in checked.findings if (place := record_of(one.about))]
            entries = await opening_store.at_places(db, places)
        await self._keep(session, checked, entries)
        return Verdict(checked, self._clock.now(), entries)

    async def _keep(
        self, session: StaffSession, checked: Checked, entries: dict[tuple[int, int], int]
    ) -> None:
        """What was found stays, whatever is done to the log later."""
        findings = [
            NewFinding(
                one.kind,
                one.about,
                entry_id=entries.get(place) if (place := record_of(one.about)) else None,
            )
            for one in checked.findings[:MOST_KEPT]
        ]
        if findings:
            async with self._database.transaction(session.tenant, actor_text(session.actor)) as db:
                await found(db, findings, session.actor, self._clock.now())

    async def _checked(self, tenant: TenantId) -> Checked:
        """In a thread with a loop of its own: hashing a log never delays a call."""
        return await asyncio.to_thread(asyncio.run, self._check(tenant))

    async def _check(self, tenant: TenantId) -> Checked:
        try:
            async with (
                asyncio.timeout(self.longest.total_seconds()),
                self._open_reader() as reader,
                reader.transaction(tenant) as db,
            ):
                return await check(db, await cosigned(db, self._witnesses))
        except TimeoutError as error:
            raise CheckTooLong from error

    @asynccontextmanager
    async def _only_one(self, tenant: TenantId) -> AsyncIterator[None]:
        if tenant in self._running:
            raise CheckRunning
        self._running.add(tenant)
        try:
            yield
        finally:
            self._running.discard(tenant)


def record_of(about: str) -> tuple[int, int] | None:
    """Log and leaf index, when a finding is about a record."""
    match about.split():
        case ["log", log, "record", index] if log.isdecimal() and index.isdecimal():
            return int(log), int(index)
    return None

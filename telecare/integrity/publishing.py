"""Brings the log's heads to its witnesses, and hears from them what they hold.

Beside the sequencer, never before it: a witness that does not answer is asked again later, and
nothing waits for it but the first signature of a process that has nothing else to compare with
(docs/decisions/0010). Letters are sent by mailing.py.
"""

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import aiohttp

from telecare.access.store import TenantRow
from telecare.audit.note import Checkpoint, Note, VerifierKey
from telecare.audit.tree import consistency
from telecare.integrity import tree_store, witness_store
from telecare.integrity.keys import LogFiles
from telecare.integrity.printed import Printed
from telecare.integrity.sequencer import Sequencer
from telecare.integrity.submission import Submission
from telecare.integrity.tree_store import Log, Signed
from telecare.integrity.witness_store import Cosignature
from telecare.integrity.witnesses import (
    Held,
    HoldsAnother,
    WitnessAddress,
    WitnessRefused,
    WitnessSilent,
    held,
    signing_key,
    submit,
    verified,
)
from telecare.runtime.clock import Clock
from telecare.runtime.db import Database, Transaction
from telecare.wire.ids import TenantId

log = logging.getLogger(__name__)

ROUND = timedelta(seconds=1)
ROUND_S = 30.0
"""A round that takes longer goes on at the next."""
ROUND_LIMIT = timedelta(seconds=60)
PUBLISH_INTERVAL = timedelta(hours=1)
NOTHING_NEW = timedelta(seconds=5)
DOES_NOT_FOLLOW = 422
BACK_OFF = (
    timedelta(seconds=5),
    timedelta(seconds=15),
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=15),
    timedelta(hours=1),
)


@dataclass(frozen=True, slots=True)
class Witnessed:
    """A witness has signed the newest head; `is_new`: just now."""

    size: int
    given: Cosignature
    is_new: bool


@dataclass(frozen=True, slots=True)
class NotOurTree:
    """The newest head does not follow from what the witness holds: it is another tree's, or newer
    than ours.
    """

    held: Held | None


@dataclass(frozen=True, slots=True)
class _News:
    """What there is to send."""

    newest: Log
    signed: Signed
    believed: int
    """The size of the head that the witness holds, as far as we know."""


class Publisher:
    """Speaks with one witness about one municipality's log. `files` may hold keys that the database
    no longer knows.
    """

    def __init__(
        self, database: Database, files: LogFiles | None, http: aiohttp.ClientSession
    ) -> None:
        self._database = database
        self._files = files
        self._http = http

    async def tenants(self) -> Sequence[tuple[TenantId, str]]:
        """Every municipality, with its short name."""
        async with self._database.across_tenants() as db:
            return [(tenant, slug) for tenant, slug, _ in await tree_store.tenants(db)]

    async def newest_log(self, tenant: TenantId) -> Log | None:
        async with self._database.transaction(tenant) as db:
            return await tree_store.newest_log(db)

    async def held(
        self, tenant: TenantId, slug: str, which: Log, witness: WitnessAddress
    ) -> Held | None:
        """What it holds of that log; None: nothing, and it never did. Raises WitnessSilent."""
        async with self._database.transaction(tenant) as db:
            keys = list(await witness_store.keys(db))
            seen = await witness_store.largest_seen(db, which.log, str(witness.key))
        own = (self._files.key(slug), self._files.next_key(slug)) if self._files else ()
        keys += [key.public_key().public_bytes_raw() for key in own if key]
        found = await held(self._http, witness, which.origin, keys)
        if found is None and seen:
            raise WitnessSilent  # it has signed before: this is not the one that did
        return found

    async def publish(
        self, tenant: TenantId, slug: str, witness: WitnessAddress
    ) -> Witnessed | NotOurTree | None:
        """The newest head, signed by the witness; None when there is no head.

        Raises WitnessSilent, WitnessRefused, TreeIncomplete.
        """
        async with self._database.transaction(tenant) as db:
            news = await self._news(db, witness)
            if news is None:
                return None
            for before in await witness_store.cosignatures(db, news.newest.log, news.signed.size):
                if before.witness == str(witness.key):
                    return Witnessed(news.signed.size, before, is_new=False)
        given = await self._sent(tenant, news, witness)
        if given is None:
            return NotOurTree(await self.held(tenant, slug, news.newest, witness))
        async with self._database.transaction(tenant) as db:
            await witness_store.add_cosignature(db, news.newest.log, news.signed.size, given)
        return Witnessed(news.signed.size, given, is_new=True)

    async def _news(self, db: Transaction, witness: WitnessAddress) -> _News | None:
        newest = await tree_store.newest_log(db)
        signed = await tree_store.newest_checkpoint(db, newest.log) if newest else None
        if newest is None or signed is None:
            return None
        seen = await witness_store.largest_seen(db, newest.log, str(witness.key))
        return _News(newest, signed, seen)

    async def _sent(
        self, tenant: TenantId, news: _News, witness: WitnessAddress
    ) -> Cosignature | None:
        """None: it holds a head that the newest of ours does not follow.

        Raises WitnessSilent, WitnessRefused, TreeIncomplete.
        """
        old = news.believed
        for _ in range(2):
            try:
                return await self._submit(tenant, news, old, witness)
            except HoldsAnother as error:
                if error.size > news.signed.size or error.size == old:
                    return None
                old = error.size
            except WitnessRefused as error:
                if error.status != DOES_NOT_FOLLOW:
                    raise
                return None
        return None

    async def fits(self, tenant: TenantId, newest: Log, head: Checkpoint) -> bool:
        """Whether the tree begins with this head of the log."""
        async with self._database.transaction(tenant) as db:
            if head.size > await tree_store.size(db, newest.log):
                return False
            return await tree_store.root_at(db, newest.log, head.size) == head.root

    async def printed(self, tenant: TenantRow, witnesses: Sequence[VerifierKey]) -> Printed | None:
        """The newest head as people are given it; None: none was signed by a key of the log."""
        async with self._database.transaction(tenant.id) as db:
            newest = await tree_store.newest_log(db)
            signed = await tree_store.newest_checkpoint(db, newest.log) if newest else None
            if newest is None or signed is None:
                return None
            note = Note.parse(signed.note)
            key = signing_key(note, newest.origin, await witness_store.keys(db))
            given = await witness_store.cosignatures(db, newest.log, signed.size)
        if key is None:
            return None
        held = verified(note, given, witnesses)
        return Printed(tenant.name, newest.log, note, key, signed.signed_at, held)

    async def _submit(
        self, tenant: TenantId, news: _News, old: int, witness: WitnessAddress
    ) -> Cosignature:
        """Raises WitnessSilent, HoldsAnother, WitnessRefused, TreeIncomplete."""
        size = news.signed.size
        async with self._database.transaction(tenant) as db:
            [proof] = await tree_store.proofs(db, news.newest.log, [consistency(old, size)])
        sent = Submission(old, proof, Note.parse(news.signed.note))
        return await submit(self._http, witness, sent)


Pair = tuple[TenantId, int, str]
"""A municipality, its log, a witness's key."""


class Rounds:
    """Asks each witness once what it holds, and brings it the newest head, at most hourly."""

    def __init__(
        self,
        publisher: Publisher,
        sequencer: Sequencer,
        witnesses: Sequence[WitnessAddress],
        clock: Clock,
    ) -> None:
        self._publisher = publisher
        self._sequencer = sequencer
        self._witnesses = witnesses
        self._clock = clock
        self._asked: set[Pair] = set()
        self._due: dict[Pair, datetime] = {}
        self._failures: dict[str, int] = {}
        self._quiet_until: dict[str, datetime] = {}

    async def go_round(self) -> None:
        """All that is due, of every municipality whose log goes on."""
        if not self._witnesses:
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(ROUND_S):
                for tenant, slug in await self._publisher.tenants():
                    await self._of_tenant(tenant, slug)

    async def _of_tenant(self, tenant: TenantId, slug: str) -> None:
        waiting = [one for one in self._witnesses if not self._is_quiet(one)]
        newest = await self._publisher.newest_log(tenant) if waiting else None
        if newest is None or newest.stopped_at is not None:
            return
        for witness in waiting:
            try:
                await self._speak(tenant, slug, newest, witness)
            except WitnessSilent:
                self._back_off(witness)
            except tree_store.TreeIncomplete:
                log.warning("tree incomplete, head not sent", extra={"tenant_id": tenant})
                self._due[tenant, newest.log, str(witness.key)] = self._later(PUBLISH_INTERVAL)

    async def _speak(
        self, tenant: TenantId, slug: str, newest: Log, witness: WitnessAddress
    ) -> None:
        """Raises WitnessSilent, TreeIncomplete."""
        pair = (tenant, newest.log, str(witness.key))
        if pair not in self._asked:
            found = await self._publisher.held(tenant, slug, newest, witness)
            self._hear(tenant, newest, found)
            self._asked.add(pair)
        due = self._due.get(pair)
        if due is not None and self._clock.now() < due:
            return
        try:
            outcome = await self._publisher.publish(tenant, slug, witness)
        except WitnessRefused as error:
            log.warning(
                "witness refused a head", extra={"tenant_id": tenant, "status": error.status}
            )
            self._due[pair] = self._later(PUBLISH_INTERVAL)
            return
        self._failures.pop(witness.key.name, None)
        match outcome:
            case Witnessed(is_new=True):
                self._due[pair] = self._later(PUBLISH_INTERVAL)
            case NotOurTree(held=found):
                if found is not None:
                    self._hear(tenant, newest, found)
                self._due[pair] = self._later(NOTHING_NEW)
            case _:
                self._due[pair] = self._later(NOTHING_NEW)

    def _hear(self, tenant: TenantId, newest: Log, found: Held | None) -> None:
        checkpoint: Checkpoint | None = found.checkpoint if found else None
        self._sequencer.hear(tenant, newest.origin, checkpoint)

    def _later(self, interval: timedelta) -> datetime:
        return self._clock.now() + interval

    def _is_quiet(self, witness: WitnessAddress) -> bool:
        until = self._quiet_until.get(witness.key.name)
        return until is not None and self._clock.now() < until

    def _back_off(self, witness: WitnessAddress) -> None:
        """One that does not answer is left alone for a while, for all municipalities."""
        failures = self._failures.get(witness.key.name, 0)
        self._failures[witness.key.name] = failures + 1
        pause = BACK_OFF[min(failures, len(BACK_OFF) - 1)]
        self._quiet_until[witness.key.name] = self._later(pause)
        log.warning("witness does not answer", extra={"attempt": failures + 1})

"""Gives committed records their place in the tree, and signs the tree's head.

A process of its own (`telecare sequencer`); any number may run, and each municipality has one at a
time. Fails closed: whatever does not fit what was signed before is not signed over. Records go on
being entered meanwhile; nothing waits for this process but proofs.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from telecare.audit.actions import Action
from telecare.audit.append import append
from telecare.audit.format import Document, canonical, leaf_hash
from telecare.audit.model import Record, SystemActor
from telecare.audit.note import (
    Checkpoint,
    Note,
    NoteMalformed,
    Signer,
    VerifierKey,
)
from telecare.audit.tree import Edge
from telecare.integrity import tree_store
from telecare.integrity.keys import LogFiles
from telecare.integrity.tree_store import Log, Signed, Snapshot
from telecare.runtime.clock import Clock
from telecare.runtime.db import Database, Transaction
from telecare.wire.ids import TenantId

log = logging.getLogger(__name__)

TICK = timedelta(milliseconds=200)
TICK_LIMIT = timedelta(seconds=60)
SIGN_INTERVAL = timedelta(seconds=60)
ROUND_INTERVAL = timedelta(seconds=60)
"""How often also those municipalities are looked at where nothing has happened: keys may be new."""
BATCH = 4096
"""Records taken in by one transaction."""
BATCHES = 8
"""At a tick: a municipality with a long backlog does not keep the others waiting."""
ACTOR = SystemActor("sequencer")
SIGNED_AT_ONCE = f'"ev":"{Action.REQUEST_DECIDED}"'.encode()
"""In an envelope: an extract waits for a head that covers this record."""


class DoesNotFit(Exception):
    """The tree in the database is not what was signed before: `found` says how."""

    def __init__(self, found: str, **sizes: int) -> None:
        super().__init__(found)
        self.found = found
        self.sizes = sizes


@dataclass(slots=True)
class Place:
    """What this process knows of one municipality's log since it last held it."""

    log: int
    edge: Edge
    is_vouched: bool
    """Something outside the database was there, and the tree begins with it."""
    highest: int | None = None
    """Every entry up to it that was visible is a leaf; None: not looked at yet."""
    open: frozenset[int] = frozenset()
    """Transactions that may still bring an entry with a lower number."""
    seen: tuple[int, int] | None = None
    """The highest entry then, and a transaction younger than all with a lower one: the mark follows
    when they are over.
    """


class Sequencer:
    """`host` begins the origin of each log: this installation's name. With `has_witnesses` nothing
    is signed before something outside the database has been compared (docs/decisions/0010).
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        files: LogFiles,
        host: str,
        *,
        has_witnesses: bool = False,
    ) -> None:
        self._database = database
        self._clock = clock
        self._files = files
        self._host = host
        self._places: dict[TenantId, Place] = {}
        self._sign_at: dict[TenantId, datetime] = {}
        """When the next checkpoint is due, of those with news since the last."""
        self._round_due = clock.now()
        self._wanted: set[TenantId] = set()
        self._has_witnesses = has_witnesses
        self._heard: dict[TenantId, list[tuple[str, Checkpoint | None]]] = {}

    def hear(self, tenant: TenantId, origin: str, held: Checkpoint | None) -> None:
        """What a witness holds of a log; None: nothing yet. Compared at the next tick."""
        self._heard.setdefault(tenant, []).append((origin, held))

    def sign_soon(self, tenant: TenantId) -> None:
        """Somebody waits for a checkpoint: an extract is being made."""
        self._wanted.add(tenant)

    async def tick(self) -> None:
        """All that waits, of every municipality that no other process holds."""
        now = self._clock.now()
        is_round = now >= self._round_due
        if is_round:
            self._round_due = now + ROUND_INTERVAL
        async with self._database.across_tenants() as db:
            tenants = await tree_store.tenants(db)
        for tenant, slug, has_news in tenants:
            is_due = tenant in self._sign_at and now >= self._sign_at[tenant]
            is_asked = tenant in self._wanted or tenant in self._heard
            if has_news or is_round or is_due or is_asked:
                await self.go_on(tenant, slug)

    async def go_on(self, tenant: TenantId, slug: str) -> None:
        """What waits of one municipality, at most BATCHES; the rest at the next tick."""
        try:
            for _ in range(BATCHES):
                if await self._take_in(tenant, slug) < BATCH:
                    break
            await self._sign(tenant, slug)
        except DoesNotFit as error:
            await self._stop(tenant, error)
        except BaseException:
            self._places.pop(tenant, None)  # the transaction is undone; so is what we think
            raise

    # --- taking in ----------------------------------------------------------------------------

    async def _take_in(self, tenant: TenantId, slug: str) -> int:
        """One batch; how many records it held."""
        async with self._database.transaction(tenant) as db:
            held = await self._hold(db, slug)
            if held is None:
                return 0
            newest, place = held
            await self._announce_keys(db, slug)
            before = await tree_store.snapshot(db)
            waiting = await _waiting(db, newest, place, before)
            entries = [entry for entry, _ in waiting]
            if any(SIGNED_AT_ONCE in data for _, data in waiting):
                self.sign_soon(db.tenant)
            if waiting:
                leaves = [leaf_hash(data) for _, data in waiting]
                first = place.edge.size
                full = place.edge.append(leaves)
                await tree_store.add_leaves(db, newest.log, first, entries, leaves)
                if full:
                    await tree_store.add_tiles(db, newest.log, full)
            is_drained = len(waiting) < BATCH
            if place.highest is not None:
                place.highest = max([place.highest, *entries])
            elif is_drained:
                place.highest = await tree_store.highest(db)
            youngest = await tree_store.own_transaction(db)
            place.open = before.not_over_below(youngest)
            if is_drained:
                await self._follow(db, newest, place, before, youngest)
        return len(waiting)

    async def _hold(self, db: Transaction, slug: str) -> tuple[Log, Place] | None:
        """The log to go on with; None when another process has it or it has stopped.

        Raises DoesNotFit.
        """
        if not await tree_store.hold(db):
            self._places.pop(db.tenant, None)
            return None
        newest = await tree_store.newest_log(db)
        if newest is None:
            newest = await self._begin(db, slug)
        if newest.stopped_at is not None:
            self._heard.pop(db.tenant, None)
            return None
        place = self._places.get(db.tenant)
        if place is None or place.log != newest.log:
            edge, is_vouched = await self._fitting_edge(db, slug, newest)
            place = self._places[db.tenant] = Place(newest.log, edge, is_vouched)
        elif place.edge.size != await tree_store.size(db, newest.log):
            # Another process was here between.
            edge = await tree_store.edge(db, newest.log)
            place = self._places[db.tenant] = Place(newest.log, edge, place.is_vouched)
        await self._check_heard(db, newest, place)
        return newest, place

    async def _begin(self, db: Transaction, slug: str) -> Log:
        origin = f"{self._host}/{slug}/audit/1"
        await tree_store.open_log(db, 1, origin, None, self._clock.now())
        begun = await tree_store.newest_log(db)
        assert begun is not None  # noqa: S101 - just made
        return begun

    async def _follow(
        self, db: Transaction, newest: Log, place: Place, before: Snapshot, youngest: int
    ) -> None:
        """Move the mark over what can no longer change (docs/decisions/0009)."""
        if place.seen is not None:
            highest, then = place.seen
            if before.xmin >= then:
                await tree_store.move_mark(db, newest.log, highest)
                place.seen = None
        if place.seen is None and place.highest is not None and place.highest > newest.mark:
            place.seen = (place.highest, youngest)

    async def _announce_keys(self, db: Transaction, slug: str) -> None:
        """A key's record comes before anything it signs."""
        for key in (self._files.key(slug), self._files.next_key(slug)):
            public = key.public_key().public_bytes_raw() if key else None
            if public is None or await tree_store.key_entry(db, public) is not None:
                continue
            shown = VerifierKey(slug, b"\x01", public)
            what = {"fingerprint": shown.fingerprint, "public_key": public.hex()}
            entry = await append(db, Record(Action.LOG_KEY_ADDED, ACTOR, what=what))
            await tree_store.add_key(db, public, entry)

    # --- what was signed before ---------------------------------------------------------------

    async def _fitting_edge(self, db: Transaction, slug: str, newest: Log) -> tuple[Edge, bool]:
        """The edge of a tree that begins with all that was signed of it, and whether the file
        beside the key said so too. Raises DoesNotFit.
        """
        try:
            edge = await tree_store.edge(db, newest.log)
            return edge, await self._check_past(db, slug, newest, edge)
        except tree_store.TreeIncomplete as error:
            raise DoesNotFit("incomplete") from error

    async def _check_past(self, db: Transaction, slug: str, newest: Log, edge: Edge) -> bool:
        """Whether there was a file of what was signed last. Raises DoesNotFit, TreeIncomplete."""
        signed = await tree_store.newest_checkpoint(db, newest.log)
        if signed is not None:
            await self._fits(db, newest, edge, signed.size, signed.root)
        try:
            note = self._files.last_signed(slug, newest.log)
            if note is None:
                return False
            kept = Checkpoint.parse(note.text)
        except NoteMalformed as error:
            raise DoesNotFit("kept_checkpoint_unreadable") from error
        if kept.origin != newest.origin:
            raise DoesNotFit("kept_checkpoint_of_another_log")
        await self._fits(db, newest, edge, kept.size, kept.root)
        return True

    async def _check_heard(self, db: Transaction, newest: Log, place: Place) -> None:
        """Raises DoesNotFit."""
        for origin, held in self._heard.pop(db.tenant, ()):
            if origin != newest.origin:
                continue
            if held is not None:
                try:
                    await self._fits(db, newest, place.edge, held.size, held.root)
                except tree_store.TreeIncomplete as error:
                    raise DoesNotFit("incomplete") from error
            place.is_vouched = True

    async def _fits(self, db: Transaction, newest: Log, edge: Edge, size: int, root: bytes) -> None:
        if size > edge.size:
            raise DoesNotFit("shorter", expected_size=size, found_size=edge.size)
        if await tree_store.root_at(db, newest.log, size) != root:
            raise DoesNotFit("different", expected_size=size, found_size=edge.size)

    async def _stop(self, tenant: TenantId, error: DoesNotFit) -> None:
        self._places.pop(tenant, None)
        now = self._clock.now()
        async with self._database.transaction(tenant) as db:
            newest = await tree_store.newest_log(db)
            if newest is None or newest.stopped_at is not None:
                return
            what: Document = {"found": error.found, "log": newest.log, **error.sizes}
            await tree_store.stop_log(db, newest.log, canonical(what), now)
            await append(db, Record(Action.LOG_STOPPED, ACTOR, what=what))
        log.error("log stopped", extra={"tenant_id": tenant})

    # --- signing ------------------------------------------------------------------------------

    async def _sign(self, tenant: TenantId, slug: str) -> None:
        """A checkpoint, when there is news and it is time, or somebody waits for it."""
        key = self._files.key(slug)
        if key is None:
            return
        now = self._clock.now()
        async with self._database.transaction(tenant) as db:
            held = await self._hold(db, slug)
            if held is None:
                return
            newest, place = held
            last = await tree_store.newest_checkpoint(db, newest.log)
            if place.edge.size == (last.size if last else 0):
                self._signed(tenant)
                return
            due = last.signed_at + SIGN_INTERVAL if last else now
            self._sign_at[tenant] = due
            is_time = now >= due or tenant in self._wanted
            if self._has_witnesses and not place.is_vouched:
                return
            if not is_time or not await _is_announced(db, key):
                return
            note = _signed_note(newest, place.edge, key)
            signed = Signed(place.edge.size, place.edge.root(), str(note), now)
            await tree_store.add_checkpoint(db, newest.log, signed)
        self._signed(tenant)
        self._files.keep_signed(slug, newest.log, note)
        await self._change_key(tenant, slug, (newest.log, signed.size))

    def _signed(self, tenant: TenantId) -> None:
        """There is nothing to sign until something happens."""
        self._sign_at.pop(tenant, None)
        self._wanted.discard(tenant)

    async def _change_key(self, tenant: TenantId, slug: str, signed: tuple[int, int]) -> None:
        """The next key signs once a head (log and size) of the old one covers its record. The first
        record of a log that follows another names the keys announced before.
        """
        following = self._files.next_key(slug)
        if following is None:
            return
        async with self._database.transaction(tenant) as db:
            place = await tree_store.key_place(db, following.public_key().public_bytes_raw())
        if place is not None and place < signed:
            self._files.take_next(slug)
            log.info("log key changed", extra={"tenant_id": tenant})


async def _waiting(
    db: Transaction, newest: Log, place: Place, before: Snapshot
) -> Sequence[tuple[int, bytes]]:
    """Entries without a leaf. After the first look only those that can be new: higher numbers, and
    what transactions have committed that were open then.
    """
    if place.highest is None:
        return await tree_store.waiting(db, newest, BATCH)
    over = [one for one in place.open if before.is_over(one)]
    late = await tree_store.late(db, newest, place.highest, over) if over else ()
    return [*late, *await tree_store.new(db, place.highest, BATCH)]


async def _is_announced(db: Transaction, key: Ed25519PrivateKey) -> bool:
    return await tree_store.key_place(db, key.public_key().public_bytes_raw()) is not None


def _signed_note(newest: Log, edge: Edge, key: Ed25519PrivateKey) -> Note:
    checkpoint = Checkpoint(newest.origin, edge.size, edge.root())
    note = Note(checkpoint.text)
    return note.signed(Signer(newest.origin, key).sign(note.text))

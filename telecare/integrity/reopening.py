"""Begins a new log after one that has stopped: two people, a decision, and a first record that says
what is known of the old one. Role sequencer; nothing of the old log is touched.
"""

import contextlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from telecare.access.store import TenantRow
from telecare.audit.actions import Action
from telecare.audit.append import append
from telecare.audit.model import CommandLineActor, Record, actor_text
from telecare.audit.note import Checkpoint, Note, NoteMalformed
from telecare.integrity import reopening_store, tree_store, witness_store
from telecare.integrity.keys import LogFiles
from telecare.integrity.process import origin_of
from telecare.integrity.publish_command import Told, municipality
from telecare.integrity.publishing import Publisher
from telecare.integrity.seams import Seam
from telecare.integrity.tree_store import Log, TreeIncomplete
from telecare.integrity.witnesses import (
    WitnessAddress,
    WitnessSilent,
    addresses,
    signing_key,
    speaking,
    verified,
)
from telecare.runtime.clock import Clock
from telecare.runtime.config import Config
from telecare.runtime.db import Transaction, open_database
from telecare.runtime.errors import CannotStart

MAX_CHARACTERS = 200
TWO = 2


class LogGoesOn(CannotStart):
    """The log has not stopped: there is nothing to begin anew."""


class NotTwoPeople(CannotStart):
    """It takes two different people."""


class DecisionMissing(CannotStart):
    """The decision's number, at most 200 characters."""


class SequencerHolds(CannotStart):
    """The sequencer works on this log just now; try again."""


class NothingSigned(CannotStart):
    """No head of the old log is known, by anybody; there is nothing to quote."""


@dataclass(frozen=True, slots=True)
class Order:
    """Who decided what, and who types it."""

    decision: str
    by: Sequence[str]
    login: str

    @classmethod
    def read(cls, decision: str, by: Sequence[str], login: str) -> "Order":
        """Raises NotTwoPeople, DecisionMissing."""
        names = [" ".join(name.split()) for name in by]
        if len(names) != TWO or len({name.casefold() for name in names}) != TWO or "" in names:
            raise NotTwoPeople(", ".join(names))
        if not decision.strip() or max(map(len, [decision, *names])) > MAX_CHARACTERS:
            raise DecisionMissing(decision)
        return cls(decision.strip(), names, login)


@dataclass(frozen=True, slots=True)
class KnownHead:
    """A head of the old log, signed by it. `is_outside`: a witness has it."""

    held_by: str
    note: Note
    is_outside: bool

    @property
    def checkpoint(self) -> Checkpoint:
        return Checkpoint.parse(self.note.text)


async def reopen(config: Config, slug: str, order: Order, clock: Clock) -> Told:
    """Raises WitnessesUnusable, TenantUnknown, LogGoesOn, SequencerHolds, NothingSigned."""
    witnesses = addresses(config.witnesses)
    files = LogFiles(Path(config.log_key_dir))
    actor = CommandLineActor(order.login)
    async with open_database(config.role_url("sequencer"), size=1) as database, speaking() as http:
        tenant = await municipality(database, slug)
        held = await _held(Publisher(database, files, http), tenant, witnesses)
        async with database.transaction(tenant.id, actor_text(actor)) as db:
            if not await tree_store.hold(db):
                raise SequencerHolds(slug)
            newest = await tree_store.newest_log(db)
            if newest is None or newest.stopped_at is None:
                raise LogGoesOn(slug)
            known = [*held, *await _kept(db, slug, newest, files, witnesses)]
            seam = await _seam(db, newest, known, order, _keys(files, slug))
            basis = {"decision": order.decision}
            record = Record(Action.LOG_REOPENED, actor, what=seam.document(), basis=basis)
            entry = await append(db, record)
            origin = origin_of(config, slug, seam.log)
            await tree_store.open_log(db, seam.log, origin, entry, clock.now())
    return Told(_told(seam, origin), 0)


async def _held(
    publisher: Publisher, tenant: TenantRow, witnesses: Sequence[WitnessAddress]
) -> Sequence[KnownHead]:
    """What witnesses hold of the newest log now."""
    newest = await publisher.newest_log(tenant.id)
    known = []
    for witness in witnesses if newest else ():
        assert newest is not None  # noqa: S101 - as the line above says
        with contextlib.suppress(WitnessSilent):
            found = await publisher.held(tenant.id, tenant.slug, newest, witness)
            known += [KnownHead(witness.key.name, found.note, is_outside=True)] if found else []
    return known


async def _kept(
    db: Transaction,
    slug: str,
    newest: Log,
    files: LogFiles,
    witnesses: Sequence[WitnessAddress],
) -> Sequence[KnownHead]:
    """What the file beside the key and the database know, as far as the log's keys signed it."""
    keys = [*await witness_store.keys(db), *_keys(files, slug)]
    notes: list[tuple[str, Note]] = []
    with contextlib.suppress(NoteMalformed):
        if (last := files.last_signed(slug, newest.log)) is not None:
            notes.append(("the file beside the key", last))
    if (signed := await tree_store.newest_checkpoint(db, newest.log)) is not None:
        with contextlib.suppress(NoteMalformed):
            notes.append(("the database", Note.parse(signed.note)))
    known = [
        KnownHead(held_by, note, is_outside=False)
        for held_by, note in notes
        if signing_key(note, newest.origin, keys) and note.text.startswith(f"{newest.origin}\n")
    ]
    for witness in witnesses:
        size = await witness_store.largest_seen(db, newest.log, str(witness.key))
        given = await witness_store.cosignatures(db, newest.log, size)
        text = await reopening_store.note_of(db, newest.log, size)
        if text is not None and verified(Note.parse(text), given, [witness.key]):
            known.append(KnownHead(witness.key.name, Note.parse(text), is_outside=True))
    return known


def _keys(files: LogFiles, slug: str) -> Sequence[bytes]:
    keys = (files.key(slug), files.next_key(slug))
    return [key.public_key().public_bytes_raw() for key in keys if key]


async def _seam(
    db: Transaction, newest: Log, known: Sequence[KnownHead], order: Order, keys: Sequence[bytes]
) -> Seam:
    """What is known of the log that stopped: the last head outside, else the last of our own.

    Raises NothingSigned.
    """
    if not known:
        raise NothingSigned(newest.origin)
    quoted = max(known, key=lambda one: (one.is_outside, one.checkpoint.size))
    largest = max(one.checkpoint.size for one in known)
    size = await tree_store.size(db, newest.log)
    head = quoted.checkpoint
    return Seam(
        log=newest.log + 1,
        follows=newest.log,
        note=quoted.note,
        held_by=quoted.held_by,
        fits=head.size <= size and await _root(db, newest, head.size) == head.root,
        largest=largest,
        missing=await reopening_store.gaps(db, newest.log, largest),
        size=size,
        root=await _root(db, newest, size),
        found=json.loads(await reopening_store.stopped_because(db, newest.log))["found"],
        keys=keys,
        decision=order.decision,
        by=order.by,
    )


async def _root(db: Transaction, newest: Log, size: int) -> bytes | None:
    try:
        return await tree_store.root_at(db, newest.log, size)
    except TreeIncomplete:
        return None


def _told(seam: Seam, origin: str) -> Sequence[str]:
    begins = "begins" if seam.fits else "DOES NOT BEGIN"
    stopped = f"log {seam.follows}, which stopped ({seam.found}) at {seam.size} records"
    quoted = f"the head of {seam.head.size} records that {seam.held_by} has"
    said = [f"{origin} follows {stopped}.", f"Quoted: {quoted}; the old tree {begins} with it."]
    said += [f"Missing: records {first} to {last}." for first, last in seam.missing]
    return [*said, "Tell the witnesses: telecare audit key show --log N prints its line."]

"""Checks a whole log: every text against its envelope, every envelope against the tree, the tree
against every head that was signed or that an outsider holds. Reads only; says what does not fit,
record by record. What it cannot show stands in docs/privacy.md.
"""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice

from telecare.audit.actions import Action
from telecare.audit.note import (
    ED25519,
    Checkpoint,
    Note,
    NoteMalformed,
    NotSigned,
    VerifierKey,
    check_signature,
)
from telecare.audit.tree import Edge, Tile
from telecare.integrity import checking_store, tree_store
from telecare.integrity.checking_store import LogToCheck
from telecare.integrity.erasures import Erased, ErasureUnreadable
from telecare.integrity.examining import Examined, Finding, Hands, examined, fits
from telecare.integrity.seams import Seam, SeamUnreadable
from telecare.integrity.spans import Span, common, count, merged, minus, one_by_one
from telecare.runtime.db import Transaction

MOST_FINDINGS = 1000


@dataclass(slots=True)
class Checked:
    """What was looked at, and what does not fit."""

    records: int = 0
    heads: int = 0
    erased: int = 0
    outside: datetime | None = None
    """When a witness last saw a head that fits."""
    findings: list[Finding] = field(default_factory=list)
    seams: list[Seam] = field(default_factory=list)
    """Where a log follows another that stopped. What is missing there is known, and no finding."""

    @property
    def is_whole(self) -> bool:
        return not self.findings

    def add(self, kind: str, about: str, expected: object = "", found: object = "") -> None:
        if len(self.findings) < MOST_FINDINGS:
            self.findings.append(Finding(kind, about, str(expected), str(found)))


@dataclass(frozen=True, slots=True)
class Outside:
    """A head that somebody else holds: a witness, a printed page, the sequencer's own file.
    `seen_at`: by the witness's own clock.
    """

    holder: str
    checkpoint: Checkpoint
    seen_at: datetime | None = None


async def check(
    db: Transaction,
    outside: Sequence[Outside] = (),
    first_key: bytes | None = None,
    since: datetime | None = None,
    hands: Hands | None = None,
) -> Checked:
    """The municipality of this transaction (role reader). `first_key`: the public key of the first
    head as it was published; without it the first key in the log is taken at its word. `since`:
    texts from before are not read again; the tree always is. `hands`: who helps with a long log.
    """
    checked = Checked()
    logs = await checking_store.logs(db)
    seams = {log.log: await _seam(db, log) for log in logs[1:]}
    trusted: set[bytes] = set()
    walks = []
    for log in logs:
        held = [one for one in outside if one.checkpoint.origin == log.origin]
        following = seams.get(log.log + 1)
        walk = _Walk(db, log, checked, first_key, since, following, trusted, hands)
        if log is not logs[0]:
            walk.begin_after(seams[log.log])
        await walk.check(held)
        if log is not logs[-1]:
            walk.check_seam(following)
        trusted = walk.trusted()
        walks.append(walk)
    await _check_erasures(db, walks, checked)
    for entry in await checking_store.passed_over(db, MOST_FINDINGS):
        checked.add("not_in_tree", f"entry {entry}")
    for entry in await checking_store.stray_bodies(db, MOST_FINDINGS):
        checked.add("text_without_entry", f"entry {entry}")
    for resident, numbers, last in await checking_store.broken_numbers(db):
        highest = max([last or 0, *numbers])
        missing = sorted(set(range(1, highest + 1)) - set(numbers))
        told = f"all but {', '.join(map(str, missing[:20]))}"
        checked.add("number_missing", f"resident {resident}", f"1 to {highest}", told)
    return checked


async def _seam(db: Transaction, log: LogToCheck) -> Seam | None:
    """What its first record says of the log before it."""
    first = await checking_store.first_record(db, log.log)
    if first is None or first[0] != Action.LOG_REOPENED:
        return None
    try:
        seam = Seam.read(first[1])
    except SeamUnreadable:
        return None
    return seam if (seam.log, seam.follows) == (log.log, log.log - 1) else None


class _Walk:
    """Through one log from its first leaf, growing the tree again."""

    def __init__(
        self,
        db: Transaction,
        log: LogToCheck,
        checked: Checked,
        first_key: bytes | None,
        since: datetime | None,
        following: Seam | None,
        carried: set[bytes],
        hands: Hands | None,
    ) -> None:
        self._db, self._log, self._checked = db, log, checked
        self._hands = hands
        self._edge = Edge()
        self._end = 0
        """After the last leaf that is there."""
        self._since = since
        self._following = following
        """How the next log says that this one ended."""
        self._carried = carried
        """Keys that the log before this one trusted."""
        self._roots: dict[int, bytes] = {0: self._edge.root()}
        self._keys: dict[bytes, int] = {}
        """Public keys that records announce, and at which leaf."""
        self._first_key = first_key
        self.missing: list[Span] = []
        """Leaves without a text."""
        self.present: list[Span] = []
        """Leaves with one."""

    async def check(self, outside: Sequence[Outside]) -> None:
        heads = list(self._heads(await checking_store.checkpoints(self._db, self._log.log)))
        wanted = {size for size, _, _ in heads} | {one.checkpoint.size for one in outside}
        if self._following is not None:
            wanted |= {self._following.size, self._following.head.size}
        sizes, roots = sorted(wanted), self._roots
        full: list[Tile] = []
        # The log goes on meanwhile: what is there now must be there in what is read later.
        least = await tree_store.size(self._db, self._log.log)
        kept = await checking_store.tiles(self._db, self._log.log)
        async for part in self._examined(least):
            self._take_in(part)
            full += self._grow(part.leaves, sizes, roots)
        self._check_tiles(full, kept, least)
        for size, root, note in heads:
            self._check_head(size, root, note, roots)
        for one in outside:
            self._check_outside(one, roots)

    def _examined(self, size: int) -> AsyncIterator[Examined]:
        log = self._log.log
        if self._hands is None or size <= self._hands.part:
            return examined(self._db, log, (0, None), self._since)
        return self._hands.examined(self._db, log, size, self._since)

    @property
    def log(self) -> int:
        return self._log.log

    def _name(self, index: int) -> str:
        return f"log {self._log.log} record {index}"

    # --- each record --------------------------------------------------------------------------

    def _take_in(self, part: Examined) -> None:
        expected = self._edge.size
        for first, last in part.places:
            if first != expected and not self._is_known(expected, first):
                self._checked.add("leaf_missing", self._name(expected), expected, first)
            self._end = expected = last + 1
        for finding in part.findings:
            self._checked.add(finding.kind, finding.about, finding.expected, finding.found)
        for key, index in part.keys:
            self._keys.setdefault(key, index)
        self.present += part.present
        self.missing += part.missing
        self._checked.records += len(part.leaves)

    # --- the tree -----------------------------------------------------------------------------

    def _grow(
        self, leaves: Sequence[bytes], sizes: Sequence[int], roots: dict[int, bytes]
    ) -> list[Tile]:
        """The tree goes on; its root is kept at each size that a head was signed at."""
        full, at, begun = [], 0, self._edge.size
        for size in sizes:
            if begun < size <= begun + len(leaves):
                full += self._edge.append(leaves[at : size - begun])
                at = size - begun
                roots[size] = self._edge.root()
        return full + self._edge.append(leaves[at:])

    def _check_tiles(
        self,
        full: Sequence[Tile],
        kept: Mapping[tuple[int, int], tuple[bytes, bytes]],
        least: int,
    ) -> None:
        """`least`: a size of the tree from before its tiles were read."""
        for tile in full:
            name = f"log {self._log.log} tile {tile.level}/{tile.n}"
            found = kept.get((tile.level, tile.n))
            if found is None:
                if tile.end <= least:
                    self._checked.add("tile_missing", name)
            elif found != (tile.hashes, tile.root):
                self._checked.add("tile_altered", name, tile.root.hex(), found[1].hex())
        beyond = set(kept) - {(tile.level, tile.n) for tile in full}
        for level, n in sorted(beyond):
            first, end = n << 8 * (level + 1), (n + 1) << 8 * (level + 1)
            if self._is_known(max(first, self._edge.size), end):
                continue
            self._checked.add("tile_beyond", f"log {self._log.log} tile {level}/{n}")

    def _heads(self, kept: Sequence[tuple[int, bytes, str]]) -> Iterator[tuple[int, bytes, Note]]:
        for size, root, text in kept:
            name = f"log {self._log.log} head {size}"
            try:
                note = Note.parse(text)
                read = Checkpoint.parse(note.text)
            except NoteMalformed:
                self._checked.add("head_unreadable", name)
                continue
            if (read.origin, read.size, read.root) != (self._log.origin, size, root):
                self._checked.add("head_altered", name, f"{size} {root.hex()}", read.text)
            else:
                yield size, root, note

    def _check_head(self, size: int, root: bytes, note: Note, roots: Mapping[int, bytes]) -> None:
        """Signed by a key that a record before it announced, and of the tree as it is now."""
        self._checked.heads += 1
        name = f"log {self._log.log} head {size}"
        if size not in roots:
            if not self._is_known(self._edge.size, size):
                self._checked.add("tree_shorter", name, size, self._edge.size)
        elif roots[size] != root and not self._is_past_a_gap(size):
            self._checked.add("tree_differs", name, root.hex(), roots[size].hex())
        if not any(
            _signs(note, self._log.origin, key)
            for key, announced in self._keys.items()
            if announced < size and self._is_trusted(key)
        ):
            self._checked.add("head_not_signed", name)

    def _is_trusted(self, key: bytes) -> bool:
        """The published first key; later ones are announced in what it has signed."""
        if self._first_key is None or key == self._first_key or key in self._carried:
            return True
        from_here = -1 if self._carried else self._keys.get(self._first_key, self._edge.size)
        return from_here < self._keys[key]

    def trusted(self) -> set[bytes]:
        """The keys that may sign the next log."""
        return {key for key in self._keys if self._is_trusted(key)}

    # --- between two logs ---------------------------------------------------------------------

    def begin_after(self, seam: Seam | None) -> None:
        """This log follows another: its first record says which keys go on."""
        if seam is not None:
            known = self._carried or set(seam.keys)
            self._keys = {key: 0 for key in seam.keys if key in known}

    def check_seam(self, seam: Seam | None) -> None:
        """Of this log and the next: only one that has stopped, and is quoted, has a next."""
        name = f"log {self._log.log + 1} record 0"
        if not self._log.is_stopped:
            self._checked.add("log_not_stopped", f"log {self._log.log}", "stopped", "a next log")
        if seam is None:
            self._checked.add("seam_missing", name, f"a record of where log {self._log.log} ended")
            return
        head = seam.head
        if head.origin != self._log.origin or not any(
            _signs(seam.note, self._log.origin, key) for key in self.trusted() or seam.keys
        ):
            self._checked.add("seam_unsigned", name, self._log.origin, head.origin)
        fits = self._roots.get(head.size) == head.root
        if fits != seam.fits:
            self._checked.add("seam_wrong", name, f"fits: {seam.fits}", f"fits: {fits}")
        stood = self._roots.get(seam.size)
        if self._end != seam.size or (seam.root and stood != seam.root):
            told = f"{self._end} {stood.hex() if stood else ''}"
            self._checked.add(
                "seam_moved",
                f"log {self._log.log}",
                f"{seam.size} {(seam.root or b'').hex()}",
                told,
            )
        self._checked.seams.append(seam)

    def _is_known(self, first: int, end: int) -> bool:
        """The next log's first record says that these leaves are missing."""
        return self._following is not None and self._following.is_missing(first, end)

    def _is_past_a_gap(self, size: int) -> bool:
        """No root can be made where a leaf is known to be missing."""
        seam = self._following
        return seam is not None and any(first < size for first, _ in seam.missing)

    def _is_known_to_differ(self, head: Checkpoint) -> bool:
        """The next log's first record quotes it, and says that it does not fit."""
        seam = self._following
        return seam is not None and not seam.fits and seam.head.size == head.size

    def _check_outside(self, one: Outside, roots: Mapping[int, bytes]) -> None:
        size, root = one.checkpoint.size, one.checkpoint.root
        name = f"log {self._log.log} head {size} of {one.holder}"
        if size not in roots:
            if not self._is_known(self._edge.size, size):
                self._checked.add("tree_shorter", name, size, self._edge.size)
        elif roots[size] != root:
            if not (self._is_known_to_differ(one.checkpoint) or self._is_past_a_gap(size)):
                self._checked.add("tree_differs", name, root.hex(), roots[size].hex())
        elif one.seen_at is not None:
            seen = self._checked.outside
            self._checked.outside = max(seen, one.seen_at) if seen else one.seen_at


async def _check_erasures(db: Transaction, walks: Sequence[_Walk], checked: Checked) -> None:
    """Every text that is not there is named by a record of its erasure, and no such record names
    one that is. Read last: the log goes on while it is checked.
    """
    named: dict[int, list[Span]] = {}
    kept = await checking_store.erasures(db)
    for record in kept:
        try:
            erased = Erased.read(record.body.what)
        except ErasureUnreadable:
            checked.add("erasure_unreadable", record.about)
            continue
        if fits(record.data, record.recorded_at, record.body):  # else the walk has named it
            named.setdefault(erased.log, []).extend(erased.leaves)
            end = await tree_store.size(db, erased.log)
            if erased.leaves and erased.leaves[-1][1] >= end:
                told = f"log {erased.log} record {erased.leaves[-1][1]}"
                checked.add("erasure_beyond", record.about, f"records below {end}", told)
    for walk in walks:
        erased_here = merged(named.get(walk.log, ()))
        unnamed = list(minus(walk.missing, erased_here))
        checked.erased += count(walk.missing) - count(unnamed)
        for index in _first(unnamed):
            checked.add("text_missing", f"log {walk.log} record {index}", "a record of its erasure")
        left = common(walk.present, erased_here)
        for index in await checking_store.with_text(db, walk.log, left, MOST_FINDINGS):
            checked.add("erasure_not_done", f"log {walk.log} record {index}", "no text", "its text")


def _first(spans: Sequence[Span]) -> Sequence[int]:
    return list(islice(one_by_one(spans), MOST_FINDINGS))


def _signs(note: Note, origin: str, key: bytes) -> bool:
    try:
        check_signature(note, VerifierKey(origin, ED25519, key))
    except NotSigned:
        return False
    return True

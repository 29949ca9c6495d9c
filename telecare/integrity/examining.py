"""Looks at each record of a log by itself: its texts against its envelope, the envelope against its
leaf, the index of people against both. A long log is looked through by several processes.
"""

import asyncio
import json
import os
from collections import deque
from collections.abc import AsyncIterator, Iterator, Mapping
from collections.abc import Set as AbstractSet
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from multiprocessing import get_context
from typing import Any  # what json.loads makes

from telecare.audit.actions import Action
from telecare.audit.format import SECTIONS, commitment, envelope, leaf_hash, subject
from telecare.integrity import checking_store
from telecare.integrity.checking_store import BATCH, Body, PlaceToCheck, Subject
from telecare.integrity.spans import Span, extended
from telecare.runtime.db import Transaction, open_database
from telecare.wire.ids import TenantId

PART = 8 * BATCH
"""Leaves that one process takes at a time; a log that is no longer is not worth a process."""
AWAKE_S = 2.0
RELIED_ON = {Action.LOG_KEY_ADDED, Action.LOG_REOPENED, Action.RECORD_ERASED}
"""Records whose texts the check itself goes by: they are read whatever their age."""
NOBODY: AbstractSet[Subject] = frozenset()
Range = tuple[int, int | None]
"""From a leaf, up to but without another, or to the end."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that does not fit. `kind` has a text `finding.<kind>`; `about` names the record."""

    kind: str
    about: str
    expected: str = ""
    found: str = ""


@dataclass(slots=True)
class Examined:
    """Some neighbouring records."""

    leaves: list[bytes] = field(default_factory=list)
    """Hashes."""
    places: list[Span] = field(default_factory=list)
    """Where those leaves stand."""
    present: list[Span] = field(default_factory=list)
    """Leaves with a text."""
    missing: list[Span] = field(default_factory=list)
    """Leaves without one."""
    keys: list[tuple[bytes, int]] = field(default_factory=list)
    """Public keys that records announce, and at which leaf."""
    findings: list[Finding] = field(default_factory=list)

    def add(self, kind: str, about: str, expected: object = "", found: object = "") -> None:
        self.findings.append(Finding(kind, about, str(expected), str(found)))


async def examined(
    db: Transaction, log: int, which: Range, since: datetime | None
) -> AsyncIterator[Examined]:
    """Those records of the log, a batch at a time (role reader). `since`: texts from before are not
    named when they do not fit.
    """
    async for batch in checking_store.places(db, log, *which):
        found = await checking_store.subjects(db, [place.entry_id for place in batch])
        part = Examined([place.leaf for place in batch])
        for place in batch:
            subjects = found.get(place.entry_id, NOBODY)
            extended(part.places, place.leaf_index)
            if _is_whole(place, subjects) or _look_into(part, log, place, subjects, since):
                extended(part.present, place.leaf_index)
                assert place.body is not None  # noqa: S101 - what was looked at
                if place.body.event == Action.LOG_KEY_ADDED:
                    key = json.loads(place.body.what)["public_key"]
                    part.keys.append((bytes.fromhex(key), place.leaf_index))
        yield part


# --- by several processes -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Hands:
    """Processes that look through parts of a log, each with a connection of its own to `url`."""

    url: str
    count: int = field(default_factory=lambda: os.cpu_count() or 1)
    part: int = PART

    async def examined(
        self, db: Transaction, log: int, size: int, since: datetime | None
    ) -> AsyncIterator[Examined]:
        """The whole log in order; `size` leaves and what has come since. `db` is kept from being
        closed as idle meanwhile.

        Raises BrokenProcessPool when a process ends before it has answered.
        """
        firsts = range(0, max(size, 1), self.part)
        todo = deque[Range]((first, first + self.part) for first in firsts[:-1])
        todo.append((firsts[-1], None))
        loop = asyncio.get_running_loop()
        with ProcessPoolExecutor(self.count, get_context("spawn")) as pool:
            running = deque[asyncio.Future[list[Examined]]]()
            while todo or running:
                while todo and len(running) < 2 * self.count:
                    task = (self.url, db.tenant, log, todo.popleft(), since)
                    running.append(loop.run_in_executor(pool, _of_part, *task))
                first = running.popleft()
                while not first.done():
                    await asyncio.wait({first}, timeout=AWAKE_S)
                    await checking_store.stay(db)
                for part in first.result():
                    yield part


def _of_part(
    url: str, tenant: TenantId, log: int, which: Range, since: datetime | None
) -> list[Examined]:
    """In a process of its own."""

    async def collected() -> list[Examined]:
        async with open_database(url, size=1) as database, database.transaction(tenant) as db:
            return [part async for part in examined(db, log, which, since)]

    return asyncio.run(collected())


# --- one record -----------------------------------------------------------------------------------


def _is_whole(place: PlaceToCheck, subjects: AbstractSet[Subject]) -> bool:
    """Whether all that is kept of a record leads to its leaf, and the index finds whom it names.
    The one look that most records get; what is not whole is looked into.
    """
    _, _, leaf, data, recorded_at, body = place
    return (
        data is not None
        and recorded_at is not None
        and body is not None
        and leaf_hash(data) == leaf
        and fits(data, recorded_at, body)
        and _is_indexed(body, subjects)
    )


def fits(data: bytes, recorded_at: datetime, body: Body) -> bool:
    """Whether the texts lead to the envelope."""
    event, seed, *texts, persons = body
    if persons is not None and subject(seed, persons) != body.subject:
        return False
    return envelope(_written(recorded_at), event, seed, texts) == data


def _is_indexed(body: Body, subjects: AbstractSet[Subject]) -> bool:
    """Whether the index names whom it is about and whose act it was; of one person, by how the
    texts of most records are written.
    """
    texts = body.persons
    if texts is not None and len(texts) == len(subjects) < 2:  # noqa: PLR2004 - most records
        return all(
            text.startswith(f'{{"id":"{who}","n":{n},') and f'"id":"{actor}"' in body.actor
            for text, (who, n, actor) in zip(texts, subjects, strict=True)
        )
    return _named(body) == subjects


def _look_into(
    part: Examined,
    log: int,
    place: PlaceToCheck,
    subjects: AbstractSet[Subject],
    since: datetime | None,
) -> bool:
    """What of it does not fit; whether there is a text at a place that is known."""
    name = f"log {log} record {place.leaf_index}"
    if place.data is None:
        part.add("entry_missing", name, f"entry {place.entry_id}")
        return False
    if (found := leaf_hash(place.data)) != place.leaf:
        part.add("entry_altered", name, place.leaf.hex(), found.hex())
        return False
    assert place.recorded_at is not None  # noqa: S101 - an entry has a time
    said: Mapping[str, Any] = json.loads(place.data)
    if _written(place.recorded_at) != said["at"]:
        part.add("time_altered", name, said["at"], _written(place.recorded_at))
    if place.body is None:
        if said["ev"] in RELIED_ON:
            part.add("text_missing", name, "a text that cannot be erased")
        else:
            extended(part.missing, place.leaf_index)
        for actor in {subject.actor for subject in subjects} - {None}:
            part.add("index_altered", name, "nobody beside a text that is gone", actor)
    elif since is None or place.recorded_at >= since or said["ev"] in RELIED_ON:
        _look_into_texts(part, name, said, place.body, subjects)
    return place.body is not None


def _look_into_texts(
    part: Examined,
    name: str,
    said: Mapping[str, Any],
    body: Body,
    subjects: AbstractSet[Subject],
) -> None:
    if body.event != said["ev"]:
        part.add("event_altered", name, said["ev"], body.event)
    for section, text in zip(SECTIONS, body.texts, strict=True):
        found = commitment(section, body.seed, text)
        if found != said["sd"][section]:
            part.add(f"{section}_altered", name, said["sd"][section], found)
    for place, (committed, text) in enumerate(_persons(body)):
        if committed is not None:
            found = commitment(f"person/{place}", body.seed, text)
            if found != committed:
                part.add("person_altered", name, committed, found)
    if (named := _named(body)) != subjects:
        differing = sorted({f"{who} number {n}" for who, n, _ in named ^ subjects})
        part.add("index_altered", name, "as in the record", ", ".join(differing))


def _named(body: Body) -> AbstractSet[Subject]:
    """The people it is about, with their numbers, and whose act it was."""
    texts = body.persons
    if texts is None:
        texts = [text for _, text in _persons(body)]
    people = [json.loads(text) for text in texts]
    actor = _id_of(body.actor)
    return {Subject(person["id"], person["n"], actor) for person in people}


def _id_of(actor: str) -> str | None:
    """None: the system itself, or a text that somebody has put there."""
    try:
        document = json.loads(actor)
    except ValueError:
        return None
    return document.get("id") if isinstance(document, dict) else None


def _persons(body: Body) -> Iterator[tuple[str | None, str]]:
    """Each person's commitment and text; no commitment of her own in records from before 2001."""
    committed_to = json.loads(body.subject)["persons"]
    if body.persons is None:
        for person in committed_to:
            yield None, json.dumps(person)
        return
    for place, text in enumerate(body.persons):
        yield (committed_to[place] if place < len(committed_to) else ""), text
    for committed in committed_to[len(body.persons) :]:
        yield committed, '{"id":"","n":0}'


def _written(at: datetime) -> str:
    """As the envelope has it: RFC 3339, UTC, milliseconds cut. `at` is in UTC, as the database
    gives it.
    """
    return f"{at.isoformat(timespec='milliseconds')[:-6]}Z"

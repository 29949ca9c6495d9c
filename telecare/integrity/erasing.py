"""Erasing what records say, and deciding for how long it is kept: by two people, on a decision
(docs/decisions/0013). What was erased stays in the log as a place, and is named by a record.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar
from uuid import UUID

from telecare.audit.actions import Action
from telecare.audit.append import append
from telecare.audit.format import Document
from telecare.audit.model import CommandLineActor, Record, actor_text
from telecare.integrity import erasing_store as store
from telecare.integrity.erasing_store import Order, Outcome
from telecare.integrity.journal import JournalBroken, keep
from telecare.integrity.publish_command import FITS, Told, municipality
from telecare.integrity.reopening import MAX_CHARACTERS
from telecare.integrity.reopening import Order as TwoPeople
from telecare.integrity.spans import Span, count, merged
from telecare.runtime.clock import Clock
from telecare.runtime.config import Config
from telecare.runtime.db import Database, open_database
from telecare.runtime.errors import CannotStart
from telecare.wire.ids import ResidentId

MOST_RECORDS = 10_000
LEAST_YEARS = 5
MOST_YEARS = 100
RANGE = re.compile(r"(\d{1,15})(?:-(\d{1,15}))?")


class LawMissing(CannotStart):
    """The legal basis, at most 200 characters: --law."""


class NothingNamed(CannotStart):
    """Which records: --record LOG/FIRST-LAST, or --resident ID --number FIRST-LAST."""


class RecordsMalformed(CannotStart):
    """Not a number or a range as 212-215, or more than 10,000 records."""


class YearsTooFew(CannotStart):
    """The log's texts are kept for five years at least, and a hundred at most."""


class CannotErase(CannotStart):
    """One of the named records cannot be erased, and none was."""

    outcome: ClassVar[str]


class RecordUnknown(CannotErase):
    """This municipality has no such record."""

    outcome = "not_there"


class RecordNotSequenced(CannotErase):
    """The record has no place in the log yet, by which its erasure could name it."""

    outcome = "not_sequenced"


class RecordErasedBefore(CannotErase):
    """Its text is gone already."""

    outcome = "erased_before"


class RecordOfDecision(CannotErase):
    """It says who decided what about the log itself, and stays."""

    outcome = "is_a_decision"


class RecordHeld(CannotErase):
    """A bevarandestopp covers it."""

    outcome = "held"


WHY = {one.outcome: one for one in CannotErase.__subclasses__()}


@dataclass(frozen=True, slots=True)
class Named:
    """Which records: places by log, or a person's own numbers."""

    places: Sequence[tuple[int, Span]] = ()
    resident: ResidentId | None = None
    numbers: Sequence[Span] = ()

    @classmethod
    def read(cls, records: Sequence[str], resident: str, numbers: Sequence[str]) -> "Named":
        """Raises NothingNamed, RecordsMalformed."""
        if bool(resident) != bool(numbers) or not (records or numbers):
            raise NothingNamed
        places = []
        for one in records:
            log, slash, rest = one.partition("/")
            if not slash or not log.isdecimal() or not 0 < int(log) < 2**31:
                raise RecordsMalformed(one)
            places.append((int(log), _span(rest, least=0)))
        spans = [_span(one, least=1) for one in numbers]
        if count([span for _, span in places]) + count(spans) > MOST_RECORDS:
            raise RecordsMalformed(f"more than {MOST_RECORDS}")
        try:
            of = ResidentId(UUID(resident)) if resident else None
        except ValueError as error:
            raise RecordsMalformed(resident) from error
        return cls(places, of, spans)


def _span(text: str, *, least: int) -> Span:
    match = RANGE.fullmatch(text)
    if match is None or not match[0].isascii():
        raise RecordsMalformed(text)
    first, last = int(match[1]), int(match[2] or match[1])
    if not least <= first <= last:
        raise RecordsMalformed(text)
    return first, last


def order(decision: str, law: str, decided_by: str, done_by: str, login: str) -> Order:
    """Raises NotTwoPeople, DecisionMissing, LawMissing."""
    two = TwoPeople.read(decision, [decided_by, done_by], login)
    if not law.strip() or len(law) > MAX_CHARACTERS:
        raise LawMissing(law)
    actor = actor_text(CommandLineActor(login))
    return Order(two.decision, law.strip(), two.by[0], two.by[1], actor)


async def erase(config: Config, slug: str, named: Named, order: Order) -> Told:
    """All that is named, or nothing.

    Raises TenantUnknown, RecordUnknown, RecordNotSequenced, RecordErasedBefore, RecordOfDecision,
    RecordHeld.
    """
    async with (
        open_database(config.role_url("reader"), size=1) as reader,
        open_database(config.role_url("eraser"), size=1) as eraser,
    ):
        tenant = await municipality(eraser, slug)
        async with reader.transaction(tenant.id) as db:
            places = [*named.places]
            if named.resident is not None:
                for first, last in named.numbers:
                    found = await store.places_of(db, named.resident, first, last)
                    places += [_place(n, found) for n in range(first, last + 1)]
        said = []
        async with eraser.transaction(tenant.id, order.actor) as db:
            for log in sorted({log for log, _ in places}):
                leaves = merged(span for of, span in places if of == log)
                outcome = await store.erase(db, "records", log, leaves, order)
                _check(log, outcome)
                ranges = ", ".join(f"{first} to {last}" for first, last in leaves)
                said.append(
                    f"Erased the texts of {outcome.records} records of log {log}: {ranges}."
                )
        said += await _journal(config, eraser)
    return Told([*said, REMAINS], FITS)


async def _journal(config: Config, eraser: Database) -> Sequence[str]:
    """What is done is done: that it could not be written down is said, and no refusal."""
    if not config.erasure_journal:
        return [NO_JOURNAL]
    try:
        await keep(eraser, Path(config.erasure_journal))
    except (JournalBroken, OSError) as error:
        return [f"NOT WRITTEN DOWN in {config.erasure_journal}: {type(error).__name__}: {error}"]
    return []


NO_JOURNAL = (
    "TELECARE_ERASURE_JOURNAL is not set: until the next backup nothing outside the database knows "
    "of this erasure."
)
REMAINS = (
    "What remains: their places in the log, the record of this erasure, copies in backups until "
    "these rotate, and extracts that were handed out."
)


def _place(n: int, found: dict[int, tuple[int, int] | None]) -> tuple[int, Span]:
    """Raises RecordUnknown, RecordNotSequenced."""
    if n not in found:
        raise RecordUnknown(f"number {n}")
    place = found[n]
    if place is None:
        raise RecordNotSequenced(f"number {n}")
    return place[0], (place[1], place[1])


def _check(log: int, outcome: Outcome) -> None:
    """Raises what hindered it; the transaction is undone."""
    if outcome.why == "erased":
        return
    about = f"log {log} record {outcome.leaf}"
    raise WHY[outcome.why](f"{about}: {outcome.hold}" if outcome.hold else about)


async def set_retention(
    config: Config, slug: str, years: int, order: Order, login: str, clock: Clock
) -> Told:
    """From now on. Raises TenantUnknown, YearsTooFew."""
    if not LEAST_YEARS <= years <= MOST_YEARS:
        raise YearsTooFew(str(years))
    what: Document = {
        "decided_by": order.decided_by,
        "decision": order.decision,
        "done_by": order.done_by,
        "years": years,
    }
    basis = {"decision": order.decision, "law": order.law}
    async with open_database(config.role_url("eraser"), size=1) as database:
        tenant = await municipality(database, slug)
        async with database.transaction(tenant.id, order.actor) as db:
            await store.set_retention(db, years, order, clock.now())
            record = Record(Action.RETENTION_SET, CommandLineActor(login), what=what, basis=basis)
            await append(db, record)
    kept = f"The texts of the log of {tenant.name} are kept for {years} years"
    return Told([f"{kept} by decision {order.decision}; then they fall by whole months."], FITS)

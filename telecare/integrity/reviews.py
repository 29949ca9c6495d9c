"""Log review (loggkontroll, SoLPuL 10 §, HSLF-FS 2016:40 4:9): rules and a random sample over a
unit's readings, and every opening without a mission; judged by somebody else, signed off.
"""

from collections import Counter
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal
from uuid import UUID

from telecare.access import store as access_store
from telecare.access.model import StaffSession
from telecare.audit.actions import Action
from telecare.audit.append import Kept, append, append_all
from telecare.audit.format import Document
from telecare.audit.model import Person, Record, SystemActor, actor_text, refused
from telecare.audit.note import Checkpoint, Note, VerifierKey
from telecare.integrity import opening_store, rules, witness_store
from telecare.integrity import reviews_store as store
from telecare.integrity.findings import found
from telecare.integrity.findings_store import NewFinding
from telecare.integrity.looks_store import Look
from telecare.integrity.reading import persons_of, record_reading
from telecare.integrity.records import Entered
from telecare.integrity.reviews_store import Access, Head, Item, NewItem, Review, Verdict
from telecare.integrity.rules import Check, Hit, Rule, StaffDay
from telecare.integrity.sampling import Candidate, draw, seed
from telecare.integrity.staff_data import Access as OwnAccess
from telecare.integrity.staff_data import StaffData
from telecare.integrity.witnesses import verified
from telecare.people import store as people_store
from telecare.people.break_glass import OpenedAnyway
from telecare.people.model import FollowUpKind
from telecare.people.service import close_follow_ups, closed_without_us, known, make_follow_up
from telecare.runtime.clock import STOCKHOLM, Clock
from telecare.runtime.db import Database, Transaction
from telecare.runtime.errors import NotFound, Refusal, TelecareError
from telecare.runtime.timers import Due, cancel_timers, set_timer
from telecare.wire.errors import Code
from telecare.wire.ids import CareUnitId, CohabitantId, ResidentId, StaffId, new_row_id

WITHIN = timedelta(hours=72)
AGAIN = timedelta(hours=24)
"""A review that is late is said anew so often."""
ANSWER_WITHIN = timedelta(days=7)
LONGEST_PERIOD = timedelta(days=100)
LIST = 100
MOST_ITEMS = 2_000
MOST_HEADS = 500
OVERDUE = "review.overdue"
SYSTEM = SystemActor("review timer")


class OwnAct(Refusal):
    """Nobody reviews what she did herself."""

    status = 409
    code = Code.REVIEW_OWN_ACT


class ReviewTooEarly(TelecareError):
    """The period is not over, or no head has been signed since."""

    code = Code.REVIEW_TOO_EARLY


class ReviewDrawn(TelecareError):
    """This period of this unit has been drawn before; a sample is drawn once."""

    code = Code.REVIEW_DRAWN


class PeriodTooLong(TelecareError):
    status = 422
    code = Code.REVIEW_TOO_LONG


class ItemClosed(TelecareError):
    """Somebody has judged it, or asked, already."""

    code = Code.REVIEW_ITEM_CLOSED


class ReviewNotDone(TelecareError):
    """Some of it has not been judged yet."""

    code = Code.REVIEW_NOT_DONE


@dataclass(frozen=True, slots=True)
class Overview:
    """`openings`: those without a mission that wait for a review, the most urgent first."""

    reviews: Sequence[Review]
    openings: Sequence[Item]


@dataclass(frozen=True, slots=True)
class Letter:
    """To whom, and what she asked or did not: `opened`, `asked`, `seen`, `read`."""

    party: CohabitantId | None
    name: str
    kind: Literal["opened", "asked", "seen", "read"]
    printed_at: datetime | None
    """Of one that was asked for."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A review, or None for an opening that is in none yet; its items; the one that is looked at,
    with the record as it stands in the log.
    """

    review: Review | None
    items: Sequence[Item]
    item: Item | None = None
    entry: Entered | None = None
    letters: Sequence[Letter] = ()


class Reviews:
    """`reader` (role reader) sees the log. `witnesses` count as outsiders."""

    def __init__(
        self,
        database: Database,
        reader: Database,
        clock: Clock,
        staff_data: StaffData,
        witnesses: Sequence[VerifierKey] = (),
    ) -> None:
        self._database = database
        self._reader = reader
        self._clock = clock
        self._staff_data = staff_data
        self._witnesses = witnesses

    # --- what the house does by itself --------------------------------------------------------

    async def opened_anyway(self, db: Transaction, event: OpenedAnyway) -> None:
        """An opening without a mission is under review from its first moment."""
        opening = event.opening
        own, checks = await self._own(db, opening.staff_id, opening.resident_id, opening.opened_at)
        item = NewItem(
            id=new_row_id(opening.opened_at),
            entry_id=event.entry_id,
            at=opening.opened_at,
            event=Action.BREAK_GLASS_OPENED,
            staff_id=opening.staff_id,
            unit_id=opening.unit_id,
            resident_id=opening.resident_id,
            drawn="break_glass",
            hits=[Hit(Rule.BREAK_GLASS, {}), *own],
            due_at=opening.opened_at + WITHIN,
            checks=checks,
        )
        await store.add_item(db, item)
        await set_timer(db, OVERDUE, item.id, opening.opened_at + WITHIN)

    async def asked_about(
        self,
        db: Transaction,
        look: Look,
        resident_id: ResidentId,
        unit_id: CareUnitId,
        now: datetime,
        party: CohabitantId | None = None,
    ) -> None:
        """She wonders about a call: somebody looks at it, and she gets a letter. Once.

        `party`: the cohabitant who does.
        """
        rule = Rule.COHABITANT_ASKED if party else Rule.ASKED
        own, checks = await self._own(db, look.staff_id, resident_id, look.at)
        item = NewItem(
            id=new_row_id(now),
            entry_id=look.entry_id,
            at=look.at,
            event=Action.CALL_ENDED,
            staff_id=look.staff_id,
            unit_id=unit_id,
            resident_id=resident_id,
            drawn="asked",
            hits=[Hit(rule, {}), *own],
            due_at=now + WITHIN,
            checks=checks,
        )
        if await store.add_item(db, item):
            await set_timer(db, OVERDUE, item.id, now + WITHIN)
        await store.add_question(db, look.entry_id, party, now)

    async def _own(
        self, db: Transaction, staff_id: StaffId, resident_id: ResidentId, at: datetime
    ) -> tuple[list[Hit], list[Check]]:
        [found] = await self._staff_data.checked(db, [OwnAccess(staff_id, resident_id, at)])
        return found

    async def overdue(self, db: Transaction, due: Due, now: datetime) -> None:
        """Nobody has judged it in time: the head of the person's unit is told, again and again."""
        item = await store.hold_item(db, due.subject)
        if item is None or item.closed_at is not None or item.resident_id is None:
            return
        await store.overdue(db, item.id, now)
        await set_timer(db, OVERDUE, item.id, now + AGAIN)
        resident = await known(db, item.resident_id)
        await make_follow_up(
            db,
            "review_overdue",
            resident,
            unit_id=item.unit_id,
            about_id=item.id,
            actor=SYSTEM,
            now=now,
        )
        what: Document = {"entry": item.entry_id, "item_id": str(item.id)}
        await append(db, Record(Action.REVIEW_OVERDUE, SYSTEM, [resident.person], what))

    # --- drawing ------------------------------------------------------------------------------

    async def draw(
        self, session: StaffSession, unit_id: CareUnitId, since: datetime, until: datetime
    ) -> UUID:
        """All that a rule hits, and a sample of the rest. Once for each unit and period.

        Raises NotFound, PeriodTooLong, ReviewTooEarly, ReviewDrawn.
        """
        now = self._clock.now()
        if until > now:
            raise ReviewTooEarly
        if until - since > LONGEST_PERIOD:
            raise PeriodTooLong
        async with self._reader.transaction(session.tenant) as db:
            if await store.has_unsequenced(db, until):
                raise ReviewTooEarly
            head = await self._head(db, until)
            if head is None:
                raise ReviewTooEarly
            population = await store.population(db, unit_id, since, until)
        if len(population) > store.MOST:
            raise PeriodTooLong
        async with self._database.transaction(session.tenant, actor_text(session.actor)) as db:
            unit = await access_store.unit(db, unit_id)
            if unit is None:
                raise NotFound
            review = Review(
                id=new_row_id(now), unit_id=unit_id, unit_name=unit.name, since=since,
                until=until, drawn_at=now, drawn_name="", seed_log=head.log, seed_size=head.size,
                seed_root=head.root, seed_witness=head.witness, population=len(population),
                signed_at=None, signed_name=None, statement=None, items=0, closed=0,
            )  # fmt: skip
            if not await store.add_review(db, review, session.staff.id):
                raise ReviewDrawn
            hits = await _hits(db, population)
            checks = await self._checked(db, population, hits)
            counted = sorted(
                Counter(one for each in checks.values() for one in each).items(),
                key=lambda one: (one[0].rule, -one[1], one[0].why or ""),
            )
            await store.keep_checks(db, review.id, counted)
            drawn = await _drawn(db, review, population, hits, checks)
            for item in drawn:
                await store.add_item(db, item)
            await store.take_in_openings(db, review)
            what: Document = {
                **_period(review),
                "drawn_by_rule": sum(1 for one in drawn if one.drawn == "rule"),
                "drawn_by_sample": sum(1 for one in drawn if one.drawn == "sample"),
                "population": review.population,
                "staff_rules": [
                    {
                        "compared_with": str(one.day) if one.day else None,
                        "count": n,
                        "not_compared": one.why,
                        "rule": one.rule,
                    }
                    for one, n in counted
                ],
                "seed_log": head.log,
                "seed_root": head.root.hex(),
                "seed_size": head.size,
                "seed_witness": head.witness,
            }
            await append(db, Record(Action.REVIEW_BEGUN, session.actor, (), what))
        return review.id

    async def _checked(
        self, db: Transaction, population: Sequence[Access], hits: dict[int, list[Hit]]
    ) -> dict[int, list[Check]]:
        """Held against staff's own data; what hits joins `hits`. By entry number."""
        asked = [OwnAccess(one.staff_id, one.resident_id, one.entry.at) for one in population]
        found = {}
        told = await self._staff_data.checked(db, asked)
        for one, (own, checks) in zip(population, told, strict=True):
            hits[one.entry.entry_id] += own
            found[one.entry.entry_id] = checks
        return found

    async def _head(self, db: Transaction, until: datetime) -> Head | None:
        """The first after the period that an outsider signed, else the first of our own."""
        for log, size, text in await store.heads_since(db, until, MOST_HEADS, cosigned=True):
            note = Note.parse(text)
            given = await witness_store.cosignatures(db, log, size)
            if by := verified(note, given, self._witnesses):
                return Head(log, size, Checkpoint.parse(note.text).root, by[0].witness)
        for log, size, text in await store.heads_since(db, until, 1, cosigned=False):
            return Head(log, size, Checkpoint.parse(Note.parse(text).text).root, None)
        return None

    # --- looking ------------------------------------------------------------------------------

    async def overview(self, session: StaffSession) -> Overview:
        """Recorded: it names people."""
        async with self._database.transaction(session.tenant) as db:
            found = Overview(await store.reviews(db, LIST), await store.openings(db, LIST))
        await self._record_reading(session, found.openings, {"list": "reviews"})
        return found

    async def of_review(self, session: StaffSession, review_id: UUID) -> Shown:
        """Recorded with everybody on it. Raises NotFound."""
        async with self._database.transaction(session.tenant) as db:
            review = await store.review(db, review_id)
            if review is None:
                raise NotFound
            items = await store.items(db, review_id, MOST_ITEMS)
        await self._record_reading(session, items, {"review_id": str(review_id)})
        return Shown(review, items)

    async def of_item(self, session: StaffSession, item_id: UUID) -> Shown:
        """One of them, with its record. Recorded. Raises NotFound."""
        async with self._database.transaction(session.tenant) as db:
            item = await store.item(db, item_id)
            if item is None:
                raise NotFound
            review = await store.review(db, item.review_id) if item.review_id else None
            items = await store.items(db, review.id, MOST_ITEMS) if review else [item]
        await self._record_reading(session, items, {"item_id": str(item_id)})
        entry = await self._entry(session, item)
        async with self._database.transaction(session.tenant) as db:
            letters = await _letters(db, item, entry)
        return Shown(review, items, item, entry, letters)

    async def _entry(self, session: StaffSession, item: Item) -> Entered | None:
        async with self._reader.transaction(session.tenant) as db:
            return await opening_store.one(db, item.entry_id)

    async def letter(
        self, session: StaffSession, item_id: UUID, party: CohabitantId | None = None
    ) -> tuple[Item, Letter]:
        """What the person, or a cohabitant, is told once it is judged; printing it is recorded.

        Raises NotFound, ReviewNotDone.
        """
        now = self._clock.now()
        async with self._database.transaction(session.tenant) as db:
            item = await store.item(db, item_id)
        if item is None or item.resident_id is None:
            raise NotFound
        if item.closed_at is None:
            raise ReviewNotDone
        entry = await self._entry(session, item)
        async with self._by(session) as db:
            letters = await _letters(db, item, entry)
            letter = next((one for one in letters if one.party == party), None)
            if letter is None:
                raise NotFound
            await store.printed(db, item.id, party, now)
            persons = await persons_of(db, [item.resident_id])
            what: Document = {"entry": item.entry_id, "item_id": str(item_id)}
            if party is not None:
                what = {**what, "cohabitant_id": str(party)}
            await append(db, Record(Action.LETTER_PRINTED, session.actor, persons, what))
        return item, letter

    async def _record_reading(
        self, session: StaffSession, items: Sequence[Item], what: Document
    ) -> None:
        residents = {one.resident_id for one in items if one.resident_id is not None}
        async with self._database.transaction(session.tenant) as db:
            persons = await persons_of(db, list(residents))
        await record_reading(self._database, session, Action.REVIEW_READ, persons, what)

    async def following(self, session: StaffSession, item: Item) -> UUID | None:
        """The next of its review that waits for a verdict, after it or from the top."""
        if item.review_id is None:
            return None
        async with self._database.transaction(session.tenant) as db:
            items = await store.items(db, item.review_id, MOST_ITEMS)
        waiting = [one for one in items if one.closed_at is None and one.asked_at is None]
        later = [one for one in waiting if (one.at, one.entry_id) > (item.at, item.entry_id)]
        return next((one.id for one in [*later, *waiting]), None)

    # --- judging ------------------------------------------------------------------------------

    async def judge(
        self, session: StaffSession, item_id: UUID, verdict: Verdict, comment: str
    ) -> Item:
        """`unjustified` needs a comment. Raises NotFound, ItemClosed, OwnAct (recorded)."""
        now = self._clock.now()
        async with self._by(session) as db:
            item, persons = await self._open(db, session, item_id, Action.REVIEW_JUDGED)
            await store.judge(db, item.id, verdict, comment, by=session.staff.id, now=now)
            await cancel_timers(db, [OVERDUE], item.id)
            kinds: tuple[FollowUpKind, ...] = ("review_overdue", "log_question")
            records: list[Record] = []
            for kind in kinds:
                closed = await close_follow_ups(db, kind, [item.id], note=verdict, now=now)
                if closed:
                    records += closed_without_us(closed, persons[0], session.actor, verdict)
            what: Document = {**_named(item), "comment": comment, "outcome": verdict}
            judged = Record(Action.REVIEW_JUDGED, session.actor, persons, what)
            await append_all(db, [*records, judged])
            if verdict == "unjustified":
                found_now = NewFinding(
                    "unjustified", str(item.id), item.resident_id, entry_id=item.entry_id
                )
                await found(db, [found_now], session.actor, now)
        return item

    async def ask(self, session: StaffSession, item_id: UUID, question: str) -> Item:
        """The head of the unit answers; once for each item. Raises NotFound, ItemClosed, OwnAct."""
        now = self._clock.now()
        async with self._by(session) as db:
            item, persons = await self._open(db, session, item_id, Action.REVIEW_ASKED)
            if item.asked_at is not None or item.resident_id is None:
                raise ItemClosed
            await store.ask(db, item.id, question, by=session.staff.id, now=now)
            resident = await known(db, item.resident_id)
            await make_follow_up(
                db,
                "log_question",
                resident,
                unit_id=item.unit_id,
                about_id=item.id,
                actor=session.actor,
                now=now,
            )
            what: Document = {**_named(item), "question": question}
            await append(db, Record(Action.REVIEW_ASKED, session.actor, persons, what))
        return item

    async def sign_off(self, session: StaffSession, review_id: UUID, statement: str) -> None:
        """It is done, and what came of it. Raises NotFound, ReviewNotDone, ItemClosed."""
        now = self._clock.now()
        async with self._by(session) as db:
            review = await store.review(db, review_id)
            if review is None:
                raise NotFound
            if review.signed_at is not None:
                raise ItemClosed
            items = await store.items(db, review_id, MOST_ITEMS)
            if any(one.closed_at is None for one in items):
                raise ReviewNotDone
            await store.sign(db, review_id, statement, by=session.staff.id, now=now)
            counted = Counter(str(one.outcome) for one in items)
            what: Document = {**_period(review), "statement": statement, **counted}
            await append(db, Record(Action.REVIEW_SIGNED, session.actor, (), what))

    async def _open(
        self, db: Transaction, session: StaffSession, item_id: UUID, tried: Action
    ) -> tuple[Item, Sequence[Person]]:
        item = await store.hold_item(db, item_id)
        if item is None:
            raise NotFound
        persons = await persons_of(db, [item.resident_id] if item.resident_id else [])
        if item.staff_id == session.staff.id:
            record = refused(Code.REVIEW_OWN_ACT, tried, session.actor, persons, _named(item))
            raise OwnAct(Kept(record))
        if item.closed_at is not None:
            raise ItemClosed
        return item, persons

    def _by(self, session: StaffSession) -> AbstractAsyncContextManager[Transaction]:
        return self._database.transaction(session.tenant, actor_text(session.actor))


async def _letters(db: Transaction, item: Item, entry: Entered | None) -> Sequence[Letter]:
    """Whoever asked; and of what was not justified, or opened without a mission, whoever it is
    about: also a cohabitant whose yes the record quotes.
    """
    if item.closed_at is None or item.resident_id is None:
        return []
    found = await store.parties(db, item.id, _quoted(entry))
    hers = next((one for one in found if one.id is None), None)
    asked = hers is not None or any(hit.rule is Rule.ASKED for hit in item.hits)
    told = item.outcome == "unjustified" or item.drawn == "break_glass"
    is_call = item.event.startswith("call.")
    seen: Literal["seen", "read"] = "seen" if is_call else "read"
    letters = []
    if asked or told:
        kind = "asked" if asked else "opened" if item.drawn == "break_glass" else seen
        printed = hers.printed_at if hers else None
        letters.append(Letter(None, item.resident_name or "", kind, printed))
    return letters + [
        Letter(one.id, one.name, "asked" if one.asked_at else "seen", one.printed_at)
        for one in found
        if one.id is not None and (one.asked_at is not None or told)
    ]


def _quoted(entry: Entered | None) -> list[CohabitantId]:
    listed = entry.basis.get("consents") if entry else None
    if not isinstance(listed, list):
        return []
    given = [one.get("cohabitant_id") for one in listed if isinstance(one, dict)]
    return [CohabitantId(UUID(str(one))) for one in given if one]


def _named(item: Item) -> Document:
    return {"entry": item.entry_id, "item_id": str(item.id), "staff_id": str(item.staff_id)}


def _period(review: Review) -> Document:
    return {
        "review_id": str(review.id),
        "since": review.since.isoformat(),
        "unit_id": str(review.unit_id),
        "until": review.until.isoformat(),
    }


async def _drawn(
    db: Transaction,
    review: Review,
    population: Sequence[Access],
    hits: dict[int, list[Hit]],
    checks: dict[int, list[Check]],
) -> Sequence[NewItem]:
    """What a rule hits, all of it; of everything, the sample."""
    places = {(one.log, one.index): one for one in population}
    candidates = [Candidate(one.log, one.index, one.staff_id) for one in population]
    seeded = seed(review.seed_root, review.unit_id, review.since, review.until)
    sample = {places[one.log, one.index].entry.entry_id for one in draw(candidates, seeded)}
    units = await _units(db, population)
    return [
        NewItem(
            id=new_row_id(review.drawn_at),
            entry_id=one.entry.entry_id,
            at=one.entry.at,
            event=one.entry.event,
            staff_id=one.staff_id,
            unit_id=units.get(one.resident_id, review.unit_id)
            if one.resident_id
            else review.unit_id,
            resident_id=one.resident_id,
            drawn="rule" if hits[one.entry.entry_id] else "sample",
            hits=hits[one.entry.entry_id],
            review_id=review.id,
            checks=checks[one.entry.entry_id],
        )
        for one in population
        if hits[one.entry.entry_id] or one.entry.entry_id in sample
    ]


async def _units(db: Transaction, population: Sequence[Access]) -> dict[ResidentId, CareUnitId]:
    ids = {one.resident_id for one in population if one.resident_id is not None}
    return {one.id: one.unit_id for one in await people_store.residents(db, list(ids))}


async def _hits(db: Transaction, population: Sequence[Access]) -> dict[int, list[Hit]]:
    """By entry number."""
    found: dict[int, list[Hit]] = {one.entry.entry_id: [] for one in population}
    of_one = [one for one in population if one.resident_id is not None]
    told = await store.facts(db, of_one, rules.NEAR)
    for one, facts in zip(of_one, told, strict=True):
        found[one.entry.entry_id] += rules.hits(facts)
    cards = [one for one in of_one if one.entry.event == Action.CARD_READ]
    many = rules.many(_days(cards))
    for one in cards:
        if hit := many.get((one.staff_id, _day(one))):
            found[one.entry.entry_id].append(hit)
    return found


def _day(one: Access) -> date:
    return one.entry.at.astimezone(STOCKHOLM).date()


def _days(cards: Sequence[Access]) -> list[StaffDay]:
    people: dict[tuple[UUID, date], set[ResidentId | None]] = {}
    roles: dict[UUID, tuple[str, ...]] = {}
    for one in cards:
        people.setdefault((one.staff_id, _day(one)), set()).add(one.resident_id)
        listed = one.entry.actor.get("roles")
        roles[one.staff_id] = (
            tuple(str(role) for role in listed) if isinstance(listed, list) else ()
        )
    return [
        StaffDay(staff_id, day, roles[staff_id], len(seen))
        for (staff_id, day), seen in people.items()
    ]

"""Begäran om utdrag: who asks for a person's records and as what, what is tested, what is decided.

The person herself is not asked why. Nothing here opens a camera, for anybody: an extract is of what
has been entered. A decided request stays as it is; whoever asks again makes a new one.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from uuid import UUID

from telecare.access.model import StaffSession
from telecare.audit.actions import Action
from telecare.audit.append import append
from telecare.audit.format import Document
from telecare.audit.model import Record, actor_text
from telecare.integrity import extract_store, harm_test
from telecare.integrity import requests_store as store
from telecare.integrity.harm_test import NEEDS_DOCUMENT, HarmTest, Outcome, Third
from telecare.integrity.reading import persons_of, record_reading
from telecare.integrity.records import document
from telecare.integrity.requests_store import Asked, Decision, Issue, Listed, Registered
from telecare.people.keeping import EndBeforeStart
from telecare.people.model import Resident
from telecare.people.service import known
from telecare.runtime.clock import STOCKHOLM, Clock
from telecare.runtime.db import Database, Transaction
from telecare.runtime.errors import FieldInvalid, NotFound, TelecareError
from telecare.wire.errors import Code
from telecare.wire.ids import ExtractRequestId, ResidentId, new_row_id

ANSWERED_IN = timedelta(days=30)
"""Proposed as due: GDPR art. 12.3 gives a month; whoever registers it sets the day."""
ALL_NUMBERS = 2**62


class WithoutCapacity(TelecareError):
    """As what somebody asks decides what she may have."""

    status = 422
    code = Code.REQUEST_WITHOUT_CAPACITY


class DocumentMissing(TelecareError):
    """Who acts for another, or after her, shows by which document."""

    status = 422
    code = Code.REQUEST_DOCUMENT_MISSING


class NotIdentified(TelecareError):
    """What is hers is given to her alone."""

    status = 422
    code = Code.REQUEST_NOT_IDENTIFIED


class AsksNoReason(TelecareError):
    """The person herself is not asked why."""

    status = 422
    code = Code.REQUEST_ASKS_NO_REASON


class GroundMissing(TelecareError):
    """Whatever is withheld or denied has its statute and its reason."""

    status = 422
    code = Code.REQUEST_GROUND_MISSING


class PersonThere(TelecareError):
    """She is tested in this request already."""

    code = Code.REQUEST_PERSON_THERE


class OutcomeDiffers(TelecareError):
    """All of it is given out when nothing is withheld, and part of it when something is."""

    code = Code.REQUEST_OUTCOME_DIFFERS


class NothingFound(TelecareError):
    """There are no records of her in that time."""

    code = Code.REQUEST_NOTHING_FOUND


class RequestDecided(TelecareError):
    code = Code.REQUEST_DECIDED


@dataclass(frozen=True, slots=True)
class Weighed:
    """A test, and in how many of the records it is about something."""

    test: HarmTest
    hits: int


@dataclass(frozen=True, slots=True)
class Opened:
    """A request as its page shows it. `numbers`: what it would cover now, or does since it was
    decided. `to_name`: staff in the records who are not tested one by one yet.
    """

    request: Registered
    resident: Resident
    tests: Sequence[Weighed]
    numbers: tuple[int, int] | None
    hidden: int
    erased: int
    to_name: Sequence[Third]
    decision: Decision | None
    issues: Sequence[Issue]
    earlier: Sequence[Listed]
    is_signed: bool
    is_overdue: bool

    @property
    def comes_to(self) -> Outcome:
        """What it is when anything is given out."""
        return "partial" if self.hidden else "full"


@dataclass(frozen=True, slots=True)
class InList:
    listed: Listed
    name: str
    """The resident's; empty with protected identity."""
    is_overdue: bool


@dataclass(frozen=True, slots=True)
class Register:
    open: Sequence[InList]
    decided: Sequence[InList]


@dataclass(frozen=True, slots=True)
class _Hers:
    """What her records say, as far as they are asked for."""

    numbers: tuple[int, int] | None
    texts: Sequence[tuple[int, harm_test.Texts]]
    erased: int


class Requests:
    """`database` holds the register and the records of it; `reader` (role reader) sees the log."""

    def __init__(self, database: Database, reader: Database, clock: Clock) -> None:
        self._database = database
        self._reader = reader
        self._clock = clock

    # --- reading ------------------------------------------------------------------------------

    async def register(self, session: StaffSession) -> Register:
        """Recorded as a reading of the list, about all who stand in it."""
        async with self._database.transaction(session.tenant) as db:
            open_ones, decided = await store.open_ones(db), await store.decided(db)
            ids = list({one.resident_id for one in [*open_ones, *decided]})
            persons = await persons_of(db, ids)
        await record_reading(self._database, session, Action.REQUESTS_LISTED, persons, {})
        names = {one.id: one.shown_name for one in persons}

        def shown(listed: Sequence[Listed]) -> Sequence[InList]:
            return [
                InList(one, names.get(one.resident_id, ""), is_overdue=self._is_overdue(one))
                for one in listed
            ]

        return Register(shown(open_ones), shown(decided))

    async def about(self, session: StaffSession, resident_id: ResidentId) -> Resident:
        """Whom a new request is about; recorded. Raises NotFound."""
        async with self._database.transaction(session.tenant) as db:
            resident = await known(db, resident_id)
        await record_reading(self._database, session, Action.REQUEST_READ, [resident.person], {})
        return resident

    async def read(self, session: StaffSession, request_id: ExtractRequestId) -> Opened:
        """Recorded before her records are looked through. Raises NotFound."""
        async with self._database.transaction(session.tenant) as db:
            request = await found(db, request_id)
            resident = await known(db, request.asked.resident_id)
            tests = await store.tests(db, request_id)
            decision = await store.decision(db, request_id)
            issues = await store.issues(db, request_id)
            earlier = await store.earlier(db, resident.id, request_id)
        what = {"request_id": str(request_id)}
        await record_reading(self._database, session, Action.REQUEST_READ, [resident.person], what)
        async with self._reader.transaction(session.tenant) as db:
            hers = await _hers(db, request.asked, decision)
            is_signed = hers.numbers is not None and await store.are_signed(
                db, resident.id, hers.numbers
            )
        async with self._database.transaction(session.tenant) as db:
            staff = await store.staff_named(db, _staff_in(hers.texts))
        weighed = await asyncio.to_thread(harm_test.weigh, tests, hers.texts)
        tested = {one.place for one in tests}
        return Opened(
            request=request,
            resident=resident,
            tests=[Weighed(one, weighed.hits[one.place]) for one in tests],
            numbers=hers.numbers,
            hidden=len(weighed.withheld),
            erased=hers.erased,
            to_name=[one for one in staff if str(one.id) not in tested],
            decision=decision,
            issues=issues,
            earlier=earlier,
            is_signed=is_signed,
            is_overdue=decision is None and self._is_late(request.asked),
        )

    def _is_overdue(self, one: Listed) -> bool:
        return one.outcome is None and one.due_on < self._today

    def _is_late(self, asked: Asked) -> bool:
        return asked.due_on < self._today

    @property
    def _today(self) -> date:
        return self._clock.now().astimezone(STOCKHOLM).date()

    # --- registering --------------------------------------------------------------------------

    async def add(
        self, session: StaffSession, asked: Asked, press: UUID | None = None
    ) -> ExtractRequestId:
        """With its tests as they are by default; once for each `press`, which becomes its id.

        Raises NotFound, DocumentMissing, NotIdentified, AsksNoReason, EndBeforeStart, FieldInvalid.
        """
        _check(asked)
        now = self._clock.now()
        request_id = ExtractRequestId(press or new_row_id(now))
        async with self._database.transaction(session.tenant, actor_text(session.actor)) as db:
            resident = await known(db, asked.resident_id)
            if not await store.add(db, request_id, asked, session.staff.id, now):
                return request_id
            thirds = await store.thirds(db, resident.id)
            for test in harm_test.by_default(asked.capacity, thirds):
                await store.add_test(db, request_id, test)
            what: Document = {
                "capacity": asked.capacity,
                "case": asked.diary_number,
                "due_on": asked.due_on.isoformat(),
                "identified_by": asked.identified_by,
                "request_id": str(request_id),
                "since": asked.since.isoformat() if asked.since else None,
                "until": asked.until.isoformat() if asked.until else None,
            }
            await append(
                db, Record(Action.REQUEST_REGISTERED, session.actor, [resident.person], what)
            )
        return request_id

    # --- testing ------------------------------------------------------------------------------

    async def test(
        self, session: StaffSession, request_id: ExtractRequestId, answer: HarmTest
    ) -> None:
        """Raises NotFound, RequestDecided, GroundMissing."""
        if not answer.gives_out and not (answer.statute and answer.reason):
            raise GroundMissing("statute", "reason")
        given = replace(answer, statute="" if answer.gives_out else answer.statute)
        now = self._clock.now()
        async with self._database.transaction(session.tenant, actor_text(session.actor)) as db:
            request = await _undecided(db, request_id)
            kind = await store.set_test(db, request_id, given, session.staff.id, now)
            if kind is None:
                raise NotFound
            resident = await known(db, request.asked.resident_id)
            what: Document = {
                "about": kind,
                "gives_out": given.gives_out,
                "place": given.place,
                "reason": given.reason,
                "request_id": str(request_id),
                "statute": given.statute,
            }
            await append(db, Record(Action.REQUEST_TESTED, session.actor, [resident.person], what))

    async def name_third(
        self, session: StaffSession, request_id: ExtractRequestId, who: str | UUID
    ) -> None:
        """Somebody else in the records, to be tested: a name as it is written, or a colleague's id.

        Raises NotFound, RequestDecided, PersonThere, FieldInvalid.
        """
        now = self._clock.now()
        async with self._database.transaction(session.tenant, actor_text(session.actor)) as db:
            request = await _undecided(db, request_id)
            resident = await known(db, request.asked.resident_id)
            third = await _third(db, who, resident, now)
            tests = await store.tests(db, request_id)
            if third.kind == "named" and third.name.casefold() in {
                one.name.casefold() for one in tests
            }:
                raise PersonThere("name")
            if not await store.add_test(db, request_id, harm_test.of_third(third)):
                raise PersonThere("staff_id")
            what: Document = {
                "about": third.kind,
                "gives_out": False,
                "place": str(third.id),
                "request_id": str(request_id),
                "statute": harm_test.SECRECY,
            }
            await append(db, Record(Action.REQUEST_TESTED, session.actor, [resident.person], what))

    # --- deciding -----------------------------------------------------------------------------

    async def decide(
        self,
        session: StaffSession,
        request_id: ExtractRequestId,
        outcome: Outcome,
        *,
        statute: str,
        reason: str,
    ) -> None:
        """The numbers up to now are what it covers. Its record has the log signed at once.

        Raises NotFound, RequestDecided, GroundMissing, OutcomeDiffers, NothingFound.
        """
        if outcome != "full" and not (statute and reason):
            raise GroundMissing("statute", "reason")
        async with self._database.transaction(session.tenant) as db:
            asked = (await found(db, request_id)).asked
            tests = await store.tests(db, request_id)
        async with self._reader.transaction(session.tenant) as db:
            hers = await _hers(db, asked, None)
        hides = (await asyncio.to_thread(harm_test.weigh, tests, hers.texts)).withheld
        now = self._clock.now()
        async with self._database.transaction(session.tenant, actor_text(session.actor)) as db:
            await _undecided(db, request_id)
            resident = await known(db, asked.resident_id)
            is_as_weighed = await store.tests(db, request_id) == tests
            if outcome != "none":
                if hers.numbers is None:
                    raise NothingFound
                if not is_as_weighed or outcome != ("partial" if hides else "full"):
                    raise OutcomeDiffers("outcome")
            numbers = None if outcome == "none" else hers.numbers
            decision = Decision(outcome, statute, reason, numbers, now, "")
            await store.decide(db, request_id, decision, session.staff.id)
            what: Document = {
                "case": asked.diary_number,
                "first_number": numbers[0] if numbers else None,
                "last_number": numbers[1] if numbers else None,
                "outcome": outcome,
                "reason": reason,
                "request_id": str(request_id),
                "statute": statute,
                "withheld_records": len(hides) if numbers else None,
            }
            await append(db, Record(Action.REQUEST_DECIDED, session.actor, [resident.person], what))


async def found(db: Transaction, request_id: ExtractRequestId) -> Registered:
    """Raises NotFound, also for another tenant's request."""
    request = await store.one(db, request_id)
    if request is None:
        raise NotFound
    return request


async def _undecided(db: Transaction, request_id: ExtractRequestId) -> Registered:
    """Held until commit. Raises NotFound, RequestDecided."""
    await store.hold(db, request_id)
    request = await found(db, request_id)
    if await store.decision(db, request_id) is not None:
        raise RequestDecided
    return request


def _check(asked: Asked) -> None:
    if asked.capacity in NEEDS_DOCUMENT and not asked.capacity_document:
        raise DocumentMissing("capacity_document")
    if asked.capacity == "self" and asked.identified_by == "not_asked":
        raise NotIdentified("identified_by")
    if asked.capacity == "self" and asked.reason:
        raise AsksNoReason("reason")
    if asked.since and asked.until and asked.until <= asked.since:
        raise EndBeforeStart("since", "until")
    if asked.due_on < asked.received_on:
        raise FieldInvalid("due_on")


async def _third(db: Transaction, who: str | UUID, resident: Resident, now: datetime) -> Third:
    if isinstance(who, UUID):
        named = await store.staff_named(db, [who])
        if not named:
            raise FieldInvalid("staff_id")
        return named[0]
    if who.casefold() == resident.name.casefold():
        raise FieldInvalid("name")
    return Third(new_row_id(now), "named", who)


async def _hers(db: Transaction, asked: Asked, decision: Decision | None) -> _Hers:
    """Her records that are asked for, or were when it was decided (role reader)."""
    numbers = (
        decision.numbers
        if decision is not None
        else await store.numbers(db, asked.resident_id, asked.since, asked.until)
    )
    if numbers is None:
        return _Hers(None, (), 0)
    texts, erased = await texts_of(db, asked.resident_id, numbers)
    return _Hers(numbers, texts, erased)


async def texts_of(
    db: Transaction, resident_id: ResidentId, numbers: tuple[int, int]
) -> tuple[Sequence[tuple[int, harm_test.Texts]], int]:
    """Her records' sections by running number, and how many have none any more (role reader)."""
    rows = await extract_store.texts(db, resident_id, *numbers)
    return [(n, texts) for n, texts in rows if texts], sum(not texts for _, texts in rows)


def _staff_in(texts: Sequence[tuple[int, harm_test.Texts]]) -> Sequence[UUID]:
    ids = set()
    for _, sections in texts:
        actor = document(sections["actor"])
        if actor.get("kind") == "staff":
            ids.add(str(actor.get("id", "")))
    return [UUID(one) for one in sorted(ids) if one]

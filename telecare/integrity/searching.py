"""Searching the log: newest first, a page at a time, and never without an end."""

import base64
import binascii
import struct
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from telecare.access.model import StaffSession
from telecare.audit.actions import Action
from telecare.audit.format import Document
from telecare.integrity import searching_store as store
from telecare.integrity.reading import persons_of, record_reading
from telecare.integrity.records import Entered
from telecare.integrity.searching_store import FoundByName, Place, Wanted
from telecare.people.keeping import EndBeforeStart
from telecare.runtime.clock import Clock
from telecare.runtime.db import Database, Transaction
from telecare.runtime.errors import FieldInvalid, NotFound, TelecareError
from telecare.runtime.timers import Due, set_timer
from telecare.wire.errors import Code
from telecare.wire.ids import ResidentId, new_row_id

PAGE = 100
MOST_PAGES = 100
MOST_NAMED = 20
FIRST_STRETCH = timedelta(days=1)
LONGEST_STRETCH = timedelta(days=62)
"""A search goes back in stretches of time, each twice the last: what is rare is looked for in many,
what is common in few."""
FORGET = "log.search_forget"
KEPT = timedelta(hours=12)
"""As long as a session."""
LONGEST_LOOK_S = 4.0
"""After so long a page is given as it is, and the next goes on from where this one came."""
AFTER = struct.Struct(">IqQ")
FindByName = Callable[[Transaction, str, int], Awaitable[Sequence[FoundByName]]]


class PageBeyondEnd(TelecareError):
    """There is no such page in this search."""

    status = 422
    code = Code.PAGE_BEYOND_END


class SearchTooLong(TelecareError):
    """A search shows MOST_PAGES pages; a shorter time shows the rest."""

    status = 422
    code = Code.SEARCH_TOO_LONG


class NameTooCommon(TelecareError):
    """More than MOST_NAMED people have such a name."""

    status = 422
    code = Code.NAME_TOO_COMMON


@dataclass(frozen=True, slots=True)
class After:
    """Where the next page begins: its number, and the place that is older than all shown."""

    page: int
    place: Place

    def __str__(self) -> str:
        micros = (self.place.at - datetime.fromtimestamp(0, UTC)) // timedelta(microseconds=1)
        packed = AFTER.pack(self.page, micros, self.place.entry_id)
        return base64.urlsafe_b64encode(packed).rstrip(b"=").decode()

    @classmethod
    def parse(cls, text: str) -> "After":
        """Raises FieldInvalid."""
        try:
            page, micros, entry_id = AFTER.unpack(base64.urlsafe_b64decode(text + "=="))
            at = datetime.fromtimestamp(0, UTC) + timedelta(microseconds=micros)
        except (binascii.Error, struct.error, OverflowError, ValueError) as error:
            raise FieldInvalid("after") from error
        if not (page and entry_id < 2**63):
            raise FieldInvalid("after")
        return cls(page, Place(at, entry_id))


@dataclass(frozen=True, slots=True)
class Terms:
    """What is searched for, and why. `until` is not included."""

    resident: str = ""
    staff: str = ""
    since: datetime | None = None
    until: datetime | None = None
    event: str | None = None
    purpose: str | None = None
    reason: str = ""
    case: str = ""

    def document(self) -> Document:
        given: dict[str, str | None] = {
            "case": self.case,
            "event_searched": self.event,
            "purpose_searched": self.purpose,
            "resident": self.resident,
            "search_reason": self.reason,
            "since": self.since.isoformat() if self.since else None,
            "staff": self.staff,
            "until": self.until.isoformat() if self.until else None,
        }
        return {key: value for key, value in given.items() if value}


@dataclass(frozen=True, slots=True)
class Page:
    """Records newest first. `after` is empty on the last page; `looked_to` says how far back the
    search came when it stopped before its end.
    """

    entries: Sequence[Entered]
    number: int
    after: str
    looked_to: datetime | None = None


@dataclass(frozen=True, slots=True)
class Result:
    residents: Sequence[FoundByName]
    staff: Sequence[FoundByName]
    page: Page


class Searching:
    """`database` enters that somebody searches; `reader` (role reader) sees the log."""

    def __init__(self, database: Database, reader: Database, clock: Clock) -> None:
        self._database = database
        self._reader = reader
        self._clock = clock
        self.longest_look_s = LONGEST_LOOK_S

    async def ask(self, session: StaffSession, terms: Terms, typed: Mapping[str, str]) -> UUID:
        """Keeps what was typed for KEPT, so that its answer has an address without names. Nothing
        is shown by it, and nothing recorded.

        Raises EndBeforeStart, NameTooCommon.
        """
        now = self._clock.now()
        id_ = new_row_id(now)
        check_order(terms.since, terms.until)
        async with self._database.transaction(session.tenant) as db:
            await _named(db, store.residents_named, terms.resident)
            await _named(db, store.staff_named, terms.staff)
            await store.ask(db, id_, session.staff.id, typed, now)
            await set_timer(db, FORGET, id_, now + KEPT)
        return id_

    async def asked(self, session: StaffSession, id_: UUID) -> Mapping[str, str]:
        """What she typed. Raises NotFound: nobody else's, and not after KEPT."""
        async with self._database.transaction(session.tenant) as db:
            found = await store.asked(db, id_, session.staff.id)
        if found is None:
            raise NotFound
        return found

    async def forget(self, db: Transaction, due: Due, now: datetime) -> None:
        """What was typed goes (a timer)."""
        del now
        await store.forget(db, due.subject)

    async def search(self, session: StaffSession, terms: Terms, after: str) -> Result:
        """Recorded with its terms and whoever was found by name, before the log is read.

        Raises EndBeforeStart, NameTooCommon, PageBeyondEnd, SearchTooLong, FieldInvalid.
        """
        check_order(terms.since, terms.until)
        begins = After.parse(after) if after else None
        number = begins.page if begins else 1
        if number > MOST_PAGES:
            raise SearchTooLong
        async with self._database.transaction(session.tenant) as db:
            residents = await _named(db, store.residents_named, terms.resident)
            staff = await _named(db, store.staff_named, terms.staff)
            persons = await persons_of(db, [ResidentId(one.id) for one in residents or ()])
        what = {**terms.document(), "page": number}
        await record_reading(self._database, session, Action.LOG_SEARCHED, persons, what)
        wanted = Wanted(
            None if residents is None else [one.id for one in residents],
            None if staff is None else [one.id for one in staff],
            terms.event,
            terms.purpose,
        )
        async with self._reader.transaction(session.tenant) as db:
            page = await newest(db, wanted, (terms.since, terms.until), begins, self.longest_look_s)
        return Result(residents or (), staff or (), page)


def check_order(since: datetime | None, until: datetime | None) -> None:
    """Raises EndBeforeStart."""
    if since is not None and until is not None and until <= since:
        raise EndBeforeStart("since", "until")


async def _named(db: Transaction, find: FindByName, words: str) -> Sequence[FoundByName] | None:
    """None: nobody was asked for by name. Raises NameTooCommon."""
    if not words:
        return None
    found = await find(db, words, MOST_NAMED + 1)
    if len(found) > MOST_NAMED:
        raise NameTooCommon
    return found


async def newest(
    db: Transaction,
    wanted: Wanted,
    span: tuple[datetime | None, datetime | None],
    begins: After | None,
    longest_s: float = LONGEST_LOOK_S,
) -> Page:
    """The next page of them, back from `begins` or the end of `span` (role reader).

    Raises PageBeyondEnd.
    """
    end = span[1] or await store.now(db)
    since = span[0] or await store.begun(db) or end
    before = begins.place if begins else Place(end, 0)
    number = begins.page if begins else 1
    entries, came_to = await _back(db, wanted, since, before, longest_s)
    goes_on_where_time_was_up = before.entry_id == 0
    if not entries and came_to is None and not goes_on_where_time_was_up:
        raise PageBeyondEnd
    if len(entries) > PAGE:
        last = entries[PAGE - 1]
        after = After(number + 1, Place(last.at, last.entry_id))
        return Page(entries[:PAGE], number, str(after))
    if came_to is not None:
        return Page(entries, number, str(After(number + 1, Place(came_to, 0))), came_to)
    return Page(entries, number, "")


async def _back(
    db: Transaction, wanted: Wanted, since: datetime, before: Place, longest_s: float
) -> tuple[list[Entered], datetime | None]:
    """One more than a page, and how far back it came when time was up first."""
    until = time.monotonic() + longest_s
    entries: list[Entered] = []
    stretch = FIRST_STRETCH if wanted.residents is None else before.at - since
    while before.at > since or (before.at == since and before.entry_id):
        lowest = max(since, before.at - max(stretch, FIRST_STRETCH))
        entries += await store.between(db, wanted, lowest, before, PAGE + 1 - len(entries))
        if len(entries) > PAGE or lowest <= since:
            return entries, None
        if time.monotonic() > until:
            return entries, lowest
        before = Place(lowest, 0)
        stretch = min(stretch * 2, LONGEST_STRETCH)
    return entries, None

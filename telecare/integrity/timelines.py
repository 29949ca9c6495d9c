"""Timelines: all that is in the log about a resident, or that a member of staff has done."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from telecare.access.model import StaffSession
from telecare.audit.actions import Action
from telecare.audit.format import Document
from telecare.integrity import searching_store
from telecare.integrity import timelines_store as store
from telecare.integrity.reading import record_reading
from telecare.integrity.records import Entered, document
from telecare.integrity.searching import (
    MOST_PAGES,
    After,
    Page,
    PageBeyondEnd,
    SearchTooLong,
    check_order,
    newest,
)
from telecare.integrity.searching_store import Wanted
from telecare.integrity.timelines_store import Numbered, Tally
from telecare.people.service import known
from telecare.runtime.db import Database
from telecare.runtime.errors import NotFound
from telecare.wire.ids import ResidentId, StaffId

PAGE = 100
MOST_WHO = 20
MOST_MISSING = 20
ALL_NUMBERS = 2**62
KINDS: Mapping[str, Sequence[str] | None] = {
    "all": None,
    "calls": ("call", "camera", "face", "visit"),
    "read": ("card", "list", "residents", "log", "resident"),
    "consents": ("consent", "objection"),
}
"""What a timeline can be narrowed to, by the first word of an action."""


@dataclass(frozen=True, slots=True)
class Span:
    """`until` is not included."""

    since: datetime | None = None
    until: datetime | None = None

    def document(self) -> Document:
        """What a record says of it."""
        given = {"since": self.since, "until": self.until}
        return {key: at.isoformat() for key, at in given.items() if at}


@dataclass(frozen=True, slots=True)
class Seen:
    """A member of staff as she last stands in a resident's records, and in how many."""

    actor: Document
    times: int


@dataclass(frozen=True, slots=True)
class ResidentTimeline:
    name: str
    """Empty for one with protected identity."""
    entries: Sequence[Entered]
    numbers: tuple[int, int] | None
    """First and last of the shown span; None: nothing is shown."""
    missing: Sequence[int]
    older: int | None
    """Below which number the next page goes on."""
    tally: Tally
    who: Sequence[Seen]


@dataclass(frozen=True, slots=True)
class StaffTimeline:
    name: str
    unit_name: str
    page: Page


class Timelines:
    """`database` enters that somebody reads; `reader` (role reader) sees the log."""

    def __init__(self, database: Database, reader: Database) -> None:
        self._database = database
        self._reader = reader

    async def of_resident(
        self,
        session: StaffSession,
        resident_id: ResidentId,
        *,
        kind: str,
        span: Span,
        below: int | None,
    ) -> ResidentTimeline:
        """Raises NotFound, EndBeforeStart, PageBeyondEnd."""
        check_order(span.since, span.until)
        async with self._database.transaction(session.tenant) as db:
            person = (await known(db, resident_id)).person
        what: Document = {"kinds": kind, **span.document()}
        await record_reading(self._database, session, Action.LOG_PERSON_READ, [person], what)
        async with self._reader.transaction(session.tenant) as db:
            end = span.until or await searching_store.now(db) + timedelta(seconds=1)
            since = span.since or await searching_store.begun(db) or end
            which = Numbered(below or ALL_NUMBERS, since, end, KINDS[kind])
            entries = await store.of_person(db, resident_id, which, PAGE + 1)
            if below is not None and not entries:
                raise PageBeyondEnd
            shown = entries[:PAGE]
            numbers = (shown[-1].n or 0, shown[0].n or 0) if shown else None
            missing = await store.missing(db, resident_id, numbers, MOST_MISSING) if numbers else ()
            tally = await store.tally(db, resident_id, since, end)
            who = await store.who(db, resident_id, since, end, MOST_WHO)
        return ResidentTimeline(
            name=person.shown_name,
            entries=shown,
            numbers=numbers,
            missing=missing,
            older=shown[-1].n if len(entries) > PAGE else None,
            tally=tally,
            who=[Seen(document(actor), times) for _, actor, times in who],
        )

    async def of_staff(
        self, session: StaffSession, staff_id: StaffId, *, span: Span, after: str
    ) -> StaffTimeline:
        """Raises NotFound, EndBeforeStart, PageBeyondEnd, SearchTooLong, FieldInvalid."""
        check_order(span.since, span.until)
        begins = After.parse(after) if after else None
        if begins is not None and begins.page > MOST_PAGES:
            raise SearchTooLong
        async with self._database.transaction(session.tenant) as db:
            colleague = await store.colleague(db, staff_id)
        if colleague is None:
            raise NotFound
        what: Document = {"staff_id": str(staff_id), **span.document()}
        await record_reading(self._database, session, Action.LOG_STAFF_READ, (), what)
        async with self._reader.transaction(session.tenant) as db:
            wanted = Wanted(staff=[staff_id])
            page = await newest(db, wanted, (span.since, span.until), begins)
        return StaffTimeline(*colleague, page)

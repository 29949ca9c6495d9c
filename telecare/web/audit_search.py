"""Searching the log, and opening one record."""

from datetime import timedelta
from typing import Annotated, Literal
from uuid import UUID

from aiohttp import web
from pydantic import Field, StringConstraints

from telecare.access.http import ACCESS, STAFF, STAFF_COOKIE, drop_cookie, path_id
from telecare.audit.actions import Action
from telecare.consent.model import Purpose
from telecare.integrity.opening import Opening
from telecare.integrity.searching import (
    MOST_PAGES,
    PAGE,
    PageBeyondEnd,
    Result,
    Searching,
    SearchTooLong,
    Terms,
)
from telecare.runtime.errors import FieldInvalid, NotFound
from telecare.runtime.http import Body, Empty, Exempt, Route
from telecare.runtime.texts import text
from telecare.web.audit_frame import WallTime, audit_page, from_wall, read_query
from telecare.web.html import Outcome, Sent, form_route, language_of, see_other
from telecare.wire.errors import Code

SEARCHING = web.AppKey("searching", Searching)
OPENING = web.AppKey("opening", Opening)
LONGEST_NUMBER = 18
"""Digits of an entry number that PostgreSQL can hold."""

Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=2, max_length=80)]
REASONS = ("routine", "request", "suspicion", "case")


class SearchForm(Body):
    """Wall times are Swedish; `until` counts to the end of its minute."""

    reason: Literal["routine", "request", "suspicion", "case"]
    case: str = Field(default="", max_length=40)
    resident: Words | None = None
    staff: Words | None = None
    since: WallTime | None = None
    until: WallTime | None = None
    event: Action | None = None
    purpose: Purpose | None = None

    @property
    def terms(self) -> Terms:
        until = from_wall(self.until)
        return Terms(
            resident=self.resident or "",
            staff=self.staff or "",
            since=from_wall(self.since),
            until=until + timedelta(minutes=1) if until else None,
            event=self.event,
            purpose=self.purpose,
            reason=self.reason,
            case=self.case,
        )

    @property
    def kept(self) -> dict[str, str]:
        """What was typed, as the form has it."""
        typed = self.model_dump(mode="json", exclude_none=True)
        return {**typed, **{n: str(typed[n])[:16] for n in ("since", "until") if n in typed}}


class PageOf(Body):
    """Which page of what was found."""

    after: str = Field(default="", max_length=60)


class FoundBy(Body):
    """The search to go back to."""

    search: UUID | None = None


async def begin(request: web.Request, sent: Sent | None = None) -> web.StreamResponse:
    """An empty search; what was refused comes again with why."""
    return await _search_page(request, sent, result=None, kept={})


async def search(request: web.Request, form: SearchForm) -> Outcome:
    """On to what was found: an address that can be gone back to."""
    asked = await request.app[SEARCHING].ask(request[STAFF], form.terms, form.kept)
    return f"/audit/searches/{asked}"


async def result(request: web.Request) -> web.StreamResponse:
    """What was asked for. Recorded with its terms, each time it is shown; of a page that is not
    there, what was typed comes again with why.
    """
    session, searching = request[STAFF], request.app[SEARCHING]
    asked, query = path_id(request), read_query(request, PageOf)
    form = SearchForm.model_validate(await searching.asked(session, asked))
    try:
        found = await searching.search(session, form.terms, query.after)
    except (PageBeyondEnd, SearchTooLong, FieldInvalid) as error:
        typed = {name: [value] for name, value in form.kept.items()}
        answer = await begin(request, Sent("/audit", error.code, error.fields, typed))
        answer.set_status(error.status)
        return answer
    return await _search_page(request, None, result=found, kept=form.kept, asked=asked)


async def _search_page(
    request: web.Request,
    sent: Sent | None,
    *,
    result: Result | None,
    kept: dict[str, str],
    asked: UUID | None = None,
) -> web.Response:
    language = language_of(request)
    actions = sorted((text(language, f"action.{one}"), str(one)) for one in Action)
    return await audit_page(
        request, "search", "search", sent=sent, result=result, kept=kept, actions=actions,
        purposes=list(Purpose), reasons=REASONS, page_size=PAGE, most_pages=MOST_PAGES, asked=asked,
    )  # fmt: skip


async def record(request: web.Request) -> web.StreamResponse:
    """The whole record and its place in the log. That it is opened is recorded first."""
    number = request.match_info["entry_id"]
    if not (number.isascii() and number.isdecimal() and len(number) <= LONGEST_NUMBER):
        raise NotFound
    query = read_query(request, FoundBy)
    opened = await request.app[OPENING].record(request[STAFF], int(number))
    return await audit_page(request, "record", "search", opened=opened, asked=query.search)


async def sign_out(request: web.Request, _: Empty) -> Outcome:
    await request.app[ACCESS].sign_out(request[STAFF])
    answer = see_other("/")
    drop_cookie(answer, STAFF_COOKIE)
    return answer


_FORM = Exempt("an empty form; nothing is searched yet")
_ASKED = Exempt("what is asked for is kept half a day; what is shown of it is recorded")

ROUTES = (
    Route("GET", "/audit", begin, "staff", _FORM, kind="page", permission="review"),
    form_route("/audit", search, begin, _ASKED, SearchForm,
               errors=(Code.END_BEFORE_START, Code.NAME_TOO_COMMON), permission="review"),
    Route("GET", "/audit/searches/{id}", result, "staff", Action.LOG_SEARCHED,
          errors=(Code.PAGE_BEYOND_END, Code.SEARCH_TOO_LONG), kind="page", permission="review"),
    Route("GET", "/audit/records/{entry_id}", record, "staff", Action.LOG_RECORD_READ,
          kind="page", permission="review"),
    form_route("/audit/sign-out", sign_out, begin, Action.SIGNED_OUT, Empty, permission="review"),
)  # fmt: skip

"""Timelines: a resident's, and a member of staff's. For paper too."""

from typing import Literal
from urllib.parse import urlencode

from aiohttp import web
from pydantic import Field

from telecare.access.http import STAFF, path_id
from telecare.audit.actions import Action
from telecare.integrity.timelines import KINDS, MOST_MISSING, MOST_WHO, Span, Timelines
from telecare.runtime.http import Body, Route
from telecare.web.audit_frame import WallTime, audit_page, from_wall, read_query
from telecare.wire.errors import Code
from telecare.wire.ids import ResidentId, StaffId

TIMELINES = web.AppKey("timelines", Timelines)


class Asked(Body):
    since: WallTime | None = None
    until: WallTime | None = None

    @property
    def span(self) -> Span:
        return Span(from_wall(self.since), from_wall(self.until))


class AskedOfPerson(Asked):
    show: Literal["all", "calls", "read", "consents"] = "all"
    below: int | None = Field(default=None, ge=1, lt=2**62)


class AskedOfStaff(Asked):
    after: str = Field(default="", max_length=60)


async def person(request: web.Request) -> web.StreamResponse:
    """All that is in the log about a resident, with her running numbers."""
    resident_id = ResidentId(path_id(request))
    asked = read_query(request, AskedOfPerson)
    line = await request.app[TIMELINES].of_resident(
        request[STAFF], resident_id, kind=asked.show, span=asked.span, below=asked.below
    )
    kept = _kept(request)
    return await audit_page(
        request, "person", "search", line=line, kind=asked.show, kinds=list(KINDS), asked=kept,
        path=request.path, resident_id=resident_id, most_who=MOST_WHO, most_missing=MOST_MISSING,
        hrefs={kind: _href(request, {**kept, "show": kind}) for kind in KINDS},
        older=line.older and _href(request, {**kept, "show": asked.show, "below": str(line.older)}),
    )  # fmt: skip


async def colleague(request: web.Request) -> web.StreamResponse:
    """All that a member of staff has done, and about whom."""
    staff_id = StaffId(path_id(request))
    asked = read_query(request, AskedOfStaff)
    line = await request.app[TIMELINES].of_staff(
        request[STAFF], staff_id, span=asked.span, after=asked.after
    )
    kept, after = _kept(request), line.page.after
    return await audit_page(
        request, "colleague", "search", line=line, path=request.path, asked=kept,
        older=after and _href(request, {**kept, "after": after}),
    )  # fmt: skip


def _kept(request: web.Request) -> dict[str, str]:
    """The span as it was typed; it holds times only."""
    return {name: request.query[name] for name in ("since", "until") if request.query.get(name)}


def _href(request: web.Request, query: dict[str, str]) -> str:
    return f"{request.path}?{urlencode(query)}"


_ERRORS = (Code.NOT_FOUND, Code.FIELD_INVALID, Code.END_BEFORE_START, Code.PAGE_BEYOND_END)
ROUTES = (
    Route("GET", "/audit/residents/{id}", person, "staff", Action.LOG_PERSON_READ, kind="page",
          errors=_ERRORS, permission="review"),
    Route("GET", "/audit/staff/{id}", colleague, "staff", Action.LOG_STAFF_READ, kind="page",
          errors=(*_ERRORS, Code.SEARCH_TOO_LONG), permission="review"),
)  # fmt: skip

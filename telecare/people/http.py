"""Finding residents, taking over, closing follow-ups. The card itself: web/card.py."""

from uuid import UUID

from aiohttp import web
from pydantic import AwareDatetime, Field

from telecare.access.http import STAFF, path_id
from telecare.audit.actions import Action
from telecare.people.service import People
from telecare.runtime.http import Answer, Body, Empty, Route, json_answer, nothing, read_body
from telecare.wire.errors import Code
from telecare.wire.ids import FollowUpId, ResidentId

PEOPLE = web.AppKey("people", People)
MAX_LIST = 100


class FoundResident(Answer):
    id: UUID
    name: str
    unit_name: str


class Residents(Answer):
    items: list[FoundResident]
    next: str | None


class TakenOverRow(Answer):
    id: UUID
    at: AwareDatetime
    staff_name: str
    resident_id: UUID
    resident_name: str


class TakenOverList(Answer):
    items: list[TakenOverRow]


class FollowUpEndBody(Body):
    note: str = Field(default="", max_length=1000)


class SearchBody(Body):
    q: str = Field(default="", max_length=80)
    """Part of a name; all when empty."""
    after: UUID | None = None
    """`next` of the page before."""
    limit: int = Field(default=50, ge=1, le=MAX_LIST)


async def search(request: web.Request) -> web.Response:
    """Residents by name, which stands in the body: addresses end up in other people's logs. Each
    search is recorded with its words.
    """
    body = await read_body(request, SearchBody)
    limit = body.limit
    found = await request.app[PEOPLE].search(
        request[STAFF], body.q.strip(), after=body.after, limit=limit
    )
    items = [FoundResident(id=r.id, name=r.name, unit_name=r.unit_name) for r in found]
    more = str(found[-1].id) if len(found) == limit else None
    return json_answer(Residents(items=items, next=more))


async def take_over(request: web.Request) -> web.Response:
    """ "Ta över": on shift in the unit, or in one that covers it now."""
    await read_body(request, Empty)
    await request.app[PEOPLE].take_over(request[STAFF], ResidentId(path_id(request)))
    return nothing()


async def taken_over(request: web.Request) -> web.Response:
    """For the unit's head: who took over whom, newest first."""
    found = await request.app[PEOPLE].taken_over(request[STAFF])
    items = [
        TakenOverRow(
            id=row.id,
            at=row.at,
            staff_name=row.staff_name,
            resident_id=row.resident_id,
            resident_name=row.resident_name,
        )
        for row in found
    ]
    return json_answer(TakenOverList(items=items))


async def close_follow_up(request: web.Request) -> web.Response:
    body = await read_body(request, FollowUpEndBody)
    await request.app[PEOPLE].close_follow_up(
        request[STAFF], FollowUpId(path_id(request)), body.note
    )
    return nothing()


ROUTES = (
    Route(
        "POST", "/api/residents/search", search, "staff", Action.SEARCHED, SearchBody, Residents,
    ),
    Route(
        "POST", "/api/residents/{id}/take-over", take_over, "staff", Action.ASSIGNMENT_BEGUN,
        Empty, errors=(Code.NOT_ON_SHIFT, Code.RESIDENT_ENDED), status=204,
    ),
    Route(
        "GET", "/api/taken-over", taken_over, "staff", Action.LIST_READ, answer=TakenOverList,
        errors=(Code.NOT_PERMITTED,), permission="lead",
    ),
    Route(
        "POST", "/api/follow-ups/{id}/close", close_follow_up, "staff", Action.FOLLOW_UP_CLOSED,
        FollowUpEndBody, errors=(Code.FOLLOW_UP_CLOSED,), status=204,
    ),
)  # fmt: skip

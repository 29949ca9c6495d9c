"""Finding residents, taking over, closing follow-ups. The card itself: web/card.py."""

from typing import Annotated
from uuid import UUID

from aiohttp import web
from pydantic import AwareDatetime, Field, StringConstraints

from telecare.access.http import STAFF, path_id
from telecare.audit.actions import Action
from telecare.people.relations import Relations
from telecare.people.service import People
from telecare.runtime.http import Answer, Body, Empty, Route, json_answer, nothing, read_body
from telecare.wire.errors import Code
from telecare.wire.ids import FollowUpId, ResidentId

PEOPLE = web.AppKey("people", People)
RELATIONS = web.AppKey("relations", Relations)
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


class ReasonBody(Body):
    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=200)]


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


async def give_reason(request: web.Request) -> web.Response:
    """Why she needs to, in spite of the relation she has stated."""
    body = await read_body(request, ReasonBody)
    await request.app[RELATIONS].give_reason(
        request[STAFF], ResidentId(path_id(request)), body.reason
    )
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


async def take_follow_up(request: web.Request) -> web.Response:
    """ "Jag tar det"."""
    await read_body(request, Empty)
    await request.app[PEOPLE].take_follow_up(request[STAFF], FollowUpId(path_id(request)))
    return nothing()


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
        Empty, errors=(Code.NOT_ON_SHIFT, Code.REASON_NEEDED), status=204,
    ),
    Route(
        "POST", "/api/residents/{id}/reason", give_reason, "staff", Action.REASON_GIVEN,
        ReasonBody, status=204,
    ),
    Route(
        "GET", "/api/taken-over", taken_over, "staff", Action.LIST_READ, answer=TakenOverList,
        errors=(Code.NOT_PERMITTED,), permission="lead",
    ),
    Route(
        "POST", "/api/follow-ups/{id}/take", take_follow_up, "staff", Action.FOLLOW_UP_TAKEN,
        Empty, errors=(Code.FOLLOW_UP_CLOSED, Code.FOLLOW_UP_TAKEN, Code.NOT_ON_SHIFT,
                       Code.REASON_NEEDED),
        status=204,
    ),
    Route(
        "POST", "/api/follow-ups/{id}/close", close_follow_up, "staff", Action.FOLLOW_UP_CLOSED,
        FollowUpEndBody, errors=(Code.FOLLOW_UP_CLOSED,), status=204,
    ),
)  # fmt: skip

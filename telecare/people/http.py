"""Finding residents, taking over, closing follow-ups. The card itself: web/card.py."""

from uuid import UUID

from aiohttp import web
from pydantic import Field

from telecare.access.http import STAFF, path_id
from telecare.audit.actions import Action
from telecare.people.service import People
from telecare.runtime.errors import FieldInvalid
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


class FollowUpEndBody(Body):
    note: str = Field(default="", max_length=1000)


async def search(request: web.Request) -> web.Response:
    """Residents by name. Each search is recorded with its words."""
    words = request.query.get("q", "").strip()[:80]
    after = cursor(request)
    limit = list_limit(request)
    found = await request.app[PEOPLE].search(request[STAFF], words, after=after, limit=limit)
    items = [FoundResident(id=r.id, name=r.name, unit_name=r.unit_name) for r in found]
    more = str(found[-1].id) if len(found) == limit else None
    return json_answer(Residents(items=items, next=more))


def cursor(request: web.Request) -> UUID | None:
    """`?after=`: where the last page ended. Raises FieldInvalid."""
    try:
        return UUID(given) if (given := request.query.get("after")) else None
    except ValueError as error:
        raise FieldInvalid("after") from error


def list_limit(request: web.Request) -> int:
    """`?limit=`, at most MAX_LIST. Raises FieldInvalid."""
    text = request.query.get("limit", "50")
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:6]) <= MAX_LIST):
        raise FieldInvalid("limit")
    return int(text)


async def take_over(request: web.Request) -> web.Response:
    """ "Ta över": on shift in the unit, or in one that covers it now."""
    await read_body(request, Empty)
    await request.app[PEOPLE].take_over(request[STAFF], ResidentId(path_id(request)))
    return nothing()


async def close_follow_up(request: web.Request) -> web.Response:
    body = await read_body(request, FollowUpEndBody)
    await request.app[PEOPLE].close_follow_up(
        request[STAFF], FollowUpId(path_id(request)), body.note
    )
    return nothing()


ROUTES = (
    Route(
        "GET", "/api/residents", search, "staff", Action.SEARCHED, answer=Residents,
        errors=(Code.FIELD_INVALID,),
        query={"q": "part of a name", "after": "where the last page ended", "limit": "1 to 100"},
    ),
    Route(
        "POST", "/api/residents/{id}/take-over", take_over, "staff", Action.ASSIGNMENT_BEGUN,
        Empty, errors=(Code.NOT_ON_SHIFT,), status=204,
    ),
    Route(
        "POST", "/api/follow-ups/{id}/close", close_follow_up, "staff", Action.FOLLOW_UP_CLOSED,
        FollowUpEndBody, errors=(Code.FOLLOW_UP_CLOSED,), status=204,
    ),
)  # fmt: skip

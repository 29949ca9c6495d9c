"""Own relations: staff state on a page of their own whom they are related to. No script needed."""

from typing import Annotated
from uuid import UUID

from aiohttp import web
from pydantic import Field, StringConstraints

from telecare.access.http import STAFF, path_id
from telecare.audit.actions import Action
from telecare.people.http import PEOPLE, RELATIONS
from telecare.people.relations_store import RelationKind
from telecare.people.store import Found
from telecare.runtime.http import Body, Empty, Exempt, Route
from telecare.web.html import TEMPLATES, Sent, form_route, language_of
from telecare.wire.ids import ResidentId

PATH = "/me/relations"
SHOWN = 20

Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=2, max_length=80)]


class SearchForm(Body):
    q: Words


class RelationForm(Body):
    resident_id: UUID
    kind: RelationKind
    note: str = Field(default="", max_length=200)


async def _page(
    request: web.Request, sent: Sent | None = None, found: list[Found] | None = None
) -> web.StreamResponse:
    return request.app[TEMPLATES].page(
        request,
        "staff/relations.html",
        language_of(request),
        sent=sent,
        mine=await request.app[RELATIONS].mine(request[STAFF]),
        found=found,
    )


async def relations(request: web.Request, sent: Sent | None = None) -> web.StreamResponse:
    """What she has stated, and a search for whom else."""
    return await _page(request, sent)


async def search(request: web.Request, form: SearchForm) -> web.StreamResponse:
    """By name; recorded like every search."""
    people = request.app[PEOPLE]
    found = await people.search(request[STAFF], form.q, after=None, limit=SHOWN)
    return await _page(request, found=list(found))


async def state(request: web.Request, form: RelationForm) -> str:
    await request.app[RELATIONS].state(
        request[STAFF], ResidentId(form.resident_id), form.kind, form.note
    )
    return PATH


async def remove(request: web.Request, _: Empty) -> str:
    await request.app[RELATIONS].remove(request[STAFF], path_id(request))
    return PATH


_OWN = Exempt("shows the signed-in person what she has stated herself")
ROUTES = (
    Route("GET", PATH, relations, "staff", _OWN, kind="page"),
    form_route(f"{PATH}/search", search, relations, Action.SEARCHED, SearchForm),
    form_route(PATH, state, relations, Action.RELATION_STATED, RelationForm),
    form_route(f"{PATH}/{{id}}/remove", remove, relations, Action.RELATION_REMOVED, Empty),
)  # fmt: skip

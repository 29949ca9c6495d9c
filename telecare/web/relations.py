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
from telecare.runtime.http import Body, Exempt, Route
from telecare.web.html import TEMPLATES, Sent, language_of, read_form, submitted
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


class RemoveForm(Body):
    pass


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


async def search(request: web.Request) -> web.StreamResponse:
    """By name; recorded like every search."""

    async def act() -> web.StreamResponse:
        form = await read_form(request, SearchForm)
        people = request.app[PEOPLE]
        found = await people.search(request[STAFF], form.q, after=None, limit=SHOWN)
        return await _page(request, found=list(found))

    return await submitted(request, act, relations)


async def state(request: web.Request) -> web.StreamResponse:
    async def act() -> str:
        form = await read_form(request, RelationForm)
        await request.app[RELATIONS].state(
            request[STAFF], ResidentId(form.resident_id), form.kind, form.note
        )
        return PATH

    return await submitted(request, act, relations)


async def remove(request: web.Request) -> web.StreamResponse:
    async def act() -> str:
        await read_form(request, RemoveForm)
        await request.app[RELATIONS].remove(request[STAFF], path_id(request))
        return PATH

    return await submitted(request, act, relations)


_OWN = Exempt("shows the signed-in person what she has stated herself")
ROUTES = (
    Route("GET", PATH, relations, "staff", _OWN, kind="page"),
    Route("POST", f"{PATH}/search", search, "staff", Action.SEARCHED, SearchForm, kind="page"),
    Route("POST", PATH, state, "staff", Action.RELATION_STATED, RelationForm, kind="page",
          status=303),
    Route("POST", f"{PATH}/{{id}}/remove", remove, "staff", Action.RELATION_REMOVED, RemoveForm,
          kind="page", status=303),
)  # fmt: skip

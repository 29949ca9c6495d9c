"""Accepting, arriving, closing a home visit."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from aiohttp import web
from pydantic import AwareDatetime, Field

from telecare.access.http import STAFF, path_id
from telecare.audit.actions import Action
from telecare.dispatches.model import Found
from telecare.dispatches.service import Dispatches
from telecare.runtime.http import Answer, Body, Route, json_answer, nothing, read_body
from telecare.wire.errors import Code
from telecare.wire.ids import DispatchId

DISPATCHES = web.AppKey("dispatches", Dispatches)


class NotedBody(Body):
    """`noted_at`: when she noted it, if that was without network; null: now."""

    noted_at: AwareDatetime | None = None


class DispatchEndBody(NotedBody):
    outcome: str = Field(min_length=1, max_length=500)
    found: Found = "somebody"


class DispatchAcceptBody(Body):
    within_min: int = Field(default=30, ge=5, le=180)


class MissionAnswer(Answer):
    """`key_note`: how one gets in; null: nothing is noted."""

    address: str
    phone: str
    to_know: Sequence[str]
    key_note: str | None
    arrive_by: datetime | None


async def mission(request: web.Request) -> web.Response:
    found = await request.app[DISPATCHES].mission(request[STAFF], DispatchId(path_id(request)))
    return json_answer(
        MissionAnswer(
            address=found.resident.address,
            phone=found.resident.phone,
            to_know=found.resident.to_know,
            key_note=found.key_note,
            arrive_by=found.arrive_by,
        )
    )


async def accept(request: web.Request) -> web.Response:
    """ "Vi åker"."""
    body = await read_body(request, DispatchAcceptBody)
    within = timedelta(minutes=body.within_min)
    await request.app[DISPATCHES].accept(request[STAFF], DispatchId(path_id(request)), within)
    return nothing()


async def arrive(request: web.Request) -> web.Response:
    """ "Framme"."""
    body = await read_body(request, NotedBody)
    dispatches = request.app[DISPATCHES]
    await dispatches.arrive(request[STAFF], DispatchId(path_id(request)), noted_at=body.noted_at)
    return nothing()


async def close(request: web.Request) -> web.Response:
    body = await read_body(request, DispatchEndBody)
    await request.app[DISPATCHES].close(
        request[STAFF],
        DispatchId(path_id(request)),
        body.outcome,
        body.found,
        noted_at=body.noted_at,
    )
    return nothing()


_CLOSED = (Code.DISPATCH_CLOSED,)
_HERS = (Code.DISPATCH_CLOSED, Code.NOT_YOUR_DISPATCH)
ROUTES = (
    Route("GET", "/api/dispatches/{id}", mission, "staff", Action.KEY_NOTE_READ,
          answer=MissionAnswer, errors=_HERS),
    Route("POST", "/api/dispatches/{id}/accept", accept, "staff", Action.DISPATCH_ACCEPTED,
          DispatchAcceptBody, errors=_CLOSED, status=204),
    Route("POST", "/api/dispatches/{id}/arrive", arrive, "staff", Action.DISPATCH_ARRIVED,
          NotedBody, errors=(*_HERS, Code.FIELD_INVALID), status=204),
    Route("POST", "/api/dispatches/{id}/close", close, "staff", Action.DISPATCH_DONE,
          DispatchEndBody, errors=(*_HERS, Code.FIELD_INVALID), status=204),
)  # fmt: skip

"""Accepting, arriving, closing a home visit."""

from aiohttp import web
from pydantic import Field

from telecare.access.http import STAFF, path_id
from telecare.audit.actions import Action
from telecare.dispatches.service import Dispatches
from telecare.runtime.http import Body, Empty, Route, nothing, read_body
from telecare.wire.errors import Code
from telecare.wire.ids import DispatchId

DISPATCHES = web.AppKey("dispatches", Dispatches)


class DispatchEndBody(Body):
    outcome: str = Field(min_length=1, max_length=500)


async def accept(request: web.Request) -> web.Response:
    """ "Jag åker"."""
    await read_body(request, Empty)
    await request.app[DISPATCHES].accept(request[STAFF], DispatchId(path_id(request)))
    return nothing()


async def arrive(request: web.Request) -> web.Response:
    """ "Framme"."""
    await read_body(request, Empty)
    await request.app[DISPATCHES].arrive(request[STAFF], DispatchId(path_id(request)))
    return nothing()


async def close(request: web.Request) -> web.Response:
    body = await read_body(request, DispatchEndBody)
    await request.app[DISPATCHES].close(request[STAFF], DispatchId(path_id(request)), body.outcome)
    return nothing()


_CLOSED = (Code.DISPATCH_CLOSED,)
ROUTES = (
    Route("POST", "/api/dispatches/{id}/accept", accept, "staff", Action.DISPATCH_ACCEPTED, Empty,
          errors=_CLOSED, status=204),
    Route("POST", "/api/dispatches/{id}/arrive", arrive, "staff", Action.DISPATCH_ARRIVED, Empty,
          errors=_CLOSED, status=204),
    Route("POST", "/api/dispatches/{id}/close", close, "staff", Action.DISPATCH_DONE,
          DispatchEndBody, errors=_CLOSED, status=204),
)  # fmt: skip

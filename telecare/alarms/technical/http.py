"""Taking technical alarms, and closing them."""

from aiohttp import web
from pydantic import Field

from telecare.access.http import STAFF, path_id
from telecare.alarms.technical.service import TechnicalAlarms
from telecare.audit.actions import Action
from telecare.runtime.http import Body, Empty, Route, nothing, read_body
from telecare.wire.errors import Code

TECHNICAL = web.AppKey("technical", TechnicalAlarms)


class DoneBody(Body):
    note: str = Field(min_length=1, max_length=500)


async def take(request: web.Request) -> web.Response:
    """ "Jag tar det"."""
    await read_body(request, Empty)
    await request.app[TECHNICAL].take(request[STAFF], path_id(request))
    return nothing()


async def close(request: web.Request) -> web.Response:
    """ "Klar"."""
    body = await read_body(request, DoneBody)
    await request.app[TECHNICAL].close(request[STAFF], path_id(request), body.note)
    return nothing()


async def take_outage(request: web.Request) -> web.Response:
    """ "Jag tar det", of a Driftstörning."""
    await read_body(request, Empty)
    await request.app[TECHNICAL].take_outage(request[STAFF], path_id(request))
    return nothing()


_CLOSED = (Code.TECHNICAL_CLOSED,)
ROUTES = (
    Route("POST", "/api/technical/{id}/take", take, "staff", Action.TECHNICAL_TAKEN, Empty,
          errors=_CLOSED, status=204, permission="alarm"),
    Route("POST", "/api/technical/{id}/close", close, "staff", Action.TECHNICAL_CLOSED, DoneBody,
          errors=_CLOSED, status=204, permission="alarm"),
    Route("POST", "/api/outages/{id}/take", take_outage, "staff", Action.OUTAGE_TAKEN, Empty,
          errors=_CLOSED, status=204, permission="alarm"),
)  # fmt: skip

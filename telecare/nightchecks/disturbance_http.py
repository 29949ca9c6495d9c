"""Declaring a Driftstörning, and ending it."""

from aiohttp import web
from pydantic import Field

from telecare.access.http import STAFF
from telecare.audit.actions import Action
from telecare.nightchecks.disturbance import Disturbances
from telecare.runtime.http import Body, Empty, Route, nothing, read_body
from telecare.wire.errors import Code

DISTURBANCES = web.AppKey("disturbances", Disturbances)


class DisturbanceBody(Body):
    reason: str = Field(min_length=1, max_length=200, pattern=r"\S")


async def declare(request: web.Request) -> web.Response:
    body = await read_body(request, DisturbanceBody)
    await request.app[DISTURBANCES].declare(request[STAFF], body.reason.strip())
    return nothing()


async def end(request: web.Request) -> web.Response:
    await read_body(request, Empty)
    await request.app[DISTURBANCES].end(request[STAFF])
    return nothing()


_MAY = (Code.NOT_PERMITTED, Code.NOT_ON_SHIFT)
ROUTES = (
    Route("POST", "/api/disturbance", declare, "staff", Action.DISTURBANCE_DECLARED,
          DisturbanceBody, errors=_MAY, status=204),
    Route("POST", "/api/disturbance/end", end, "staff", Action.DISTURBANCE_ENDED, Empty,
          errors=_MAY, status=204),
)  # fmt: skip

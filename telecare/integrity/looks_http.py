"""Who has looked, for the TV."""

from aiohttp import web
from pydantic import AwareDatetime, Field

from telecare.access.http import SCREEN
from telecare.audit.actions import Action
from telecare.integrity.looks import Looks
from telecare.runtime.errors import NotFound
from telecare.runtime.http import Answer, Body, Empty, Route, json_answer, nothing, read_body
from telecare.wire.errors import Code

LOOKS = web.AppKey("looks", Looks)
LONGEST_NUMBER = 15


class LookRow(Answer):
    n: int
    at: AwareDatetime
    """When it ended."""
    kind: str
    seconds: int
    who: str
    """First name; empty of somebody protected."""
    unit: str


class LookPage(Answer):
    """Newest first; `below` asks for the next page, None on the last."""

    items: list[LookRow]
    below: int | None


class AskedBody(Body):
    below: int | None = Field(default=None, ge=1, lt=2**53)


class ShowBody(Body):
    show: bool


async def looks(request: web.Request) -> web.Response:
    """Three at a time. Recorded: reading it is itself an event."""
    body = await read_body(request, AskedBody)
    page = await request.app[LOOKS].of_home(request[SCREEN], body.below)
    items = [
        LookRow(
            n=one.n,
            at=one.at,
            kind=one.kind,
            seconds=one.seconds,
            who=by.given_name,
            unit=by.unit_name,
        )
        for one, by in page.looks
    ]
    return json_answer(LookPage(items=items, below=page.below))


async def show(request: web.Request) -> web.Response:
    """Whether she wants to see it here; off until she says so."""
    body = await read_body(request, ShowBody)
    await request.app[LOOKS].show(request[SCREEN], on=body.show)
    return nothing()


async def ask(request: web.Request) -> web.Response:
    """ "Fråga om det här", by her own running number."""
    await read_body(request, Empty)
    number = request.match_info["n"]
    if not (number.isascii() and number.isdecimal() and len(number) <= LONGEST_NUMBER):
        raise NotFound
    await request.app[LOOKS].ask(request[SCREEN], int(number))
    return nothing()


_HIDDEN = (Code.LOOKS_HIDDEN,)
ROUTES = (
    Route("POST", "/api/tv/looks", looks, "screen", Action.LOOKS_READ, AskedBody, LookPage,
          _HIDDEN),
    Route("POST", "/api/tv/looks/show", show, "screen", Action.LOOKS_SHOWN, ShowBody, status=204),
    Route("POST", "/api/tv/looks/{n}/ask", ask, "screen", Action.LOOK_ASKED, Empty,
          errors=(*_HIDDEN, Code.NOT_FOUND), status=204),
)  # fmt: skip

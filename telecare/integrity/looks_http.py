"""Who has looked, for the TV."""

from uuid import UUID

from aiohttp import web
from pydantic import AwareDatetime, Field

from telecare.access.http import SCREEN
from telecare.audit.actions import Action
from telecare.integrity.looks import Looks
from telecare.runtime.errors import NotFound
from telecare.runtime.http import Answer, Body, Route, json_answer, nothing, read_body
from telecare.wire.errors import Code
from telecare.wire.ids import CohabitantId

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


class SharerRow(Answer):
    """A cohabitant who has said yes."""

    id: UUID
    given_name: str
    shows: bool
    """She wants a view of her own."""


class LookPage(Answer):
    """Newest first; `below` asks for the next page, None on the last."""

    items: list[LookRow]
    below: int | None
    sharers: list[SharerRow]


class WhoseBody(Body):
    """Whose view; a cohabitant's id, or nothing: the resident's own."""

    whose: UUID | None = None

    @property
    def party(self) -> CohabitantId | None:
        return CohabitantId(self.whose) if self.whose else None


class AskedBody(WhoseBody):
    below: int | None = Field(default=None, ge=1, lt=2**53)


class ShowBody(WhoseBody):
    show: bool


async def looks(request: web.Request) -> web.Response:
    """Three at a time. Recorded: reading it is itself an event."""
    body = await read_body(request, AskedBody)
    page = await request.app[LOOKS].of_home(request[SCREEN], body.below, body.party)
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
    sharers = [
        SharerRow(id=one.id, given_name=one.given_name, shows=one.shows) for one in page.sharers
    ]
    return json_answer(LookPage(items=items, below=page.below, sharers=sharers))


async def show(request: web.Request) -> web.Response:
    """Whether she wants to see it here; off until she says so."""
    body = await read_body(request, ShowBody)
    await request.app[LOOKS].show(request[SCREEN], on=body.show, party=body.party)
    return nothing()


async def ask(request: web.Request) -> web.Response:
    """ "Fråga om det här", by her own running number."""
    body = await read_body(request, WhoseBody)
    number = request.match_info["n"]
    if not (number.isascii() and number.isdecimal() and len(number) <= LONGEST_NUMBER):
        raise NotFound
    await request.app[LOOKS].ask(request[SCREEN], int(number), body.party)
    return nothing()


_HIDDEN = (Code.LOOKS_HIDDEN, Code.NOT_FOUND)
ROUTES = (
    Route("POST", "/api/tv/looks", looks, "screen", Action.LOOKS_READ, AskedBody, LookPage,
          _HIDDEN),
    Route("POST", "/api/tv/looks/show", show, "screen", Action.LOOKS_SHOWN, ShowBody,
          errors=_HIDDEN, status=204),
    Route("POST", "/api/tv/looks/{n}/ask", ask, "screen", Action.LOOK_ASKED, WhoseBody,
          errors=_HIDDEN, status=204),
)  # fmt: skip

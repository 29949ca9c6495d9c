"""`--lan`, the server's half: nobody on the network gets in without a one-time start code.

The codes live in this process's memory alone. That is right for a demo, whose terminal shows them:
a killed server forgets them all, and the next one makes and shows new ones, so nothing is left
open. Cookies are sealed with a key of the supervisor's, so that a device that was let in survives a
restarted server, and none survives the demo.
"""

import asyncio
import hmac
import secrets
from datetime import datetime, timedelta
from typing import Literal, assert_never

from aiohttp import web
from aiohttp.typedefs import Middleware

from telecare.access.service import Limit, count_try, token_hash
from telecare.demo.lan import Codes, LanSettings, write_secret
from telecare.runtime.clock import Clock
from telecare.runtime.errors import NotFound, TelecareError
from telecare.runtime.http import Exempt, Handler, Route
from telecare.web.floor import FLOOR
from telecare.web.html import TEMPLATES, language_of
from telecare.wire.errors import Code

Page = Literal["tv", "staff"]
PAGES: tuple[Page, ...] = ("tv", "staff")

COOKIE = "__Host-telecare-lan"
START = "/start/{code}"
CODE_LIFE = timedelta(minutes=10)
LET_IN_FOR = timedelta(hours=12)
START_LIMIT = Limit("lan-start", 10, timedelta(minutes=10))
CODE_LETTERS = "0123456789abcdefghjkmnpqrstvwxyz"
"""Crockford's base 32: short enough to type on a TV without a camera."""
CODE_LENGTH = 10
"""50 bits, and at most ten tries an address in ten minutes."""


class LanStartNeeded(TelecareError):
    status = 403
    code = Code.LAN_START_NEEDED


class StartCodeWrong(TelecareError):
    """Never ours, used already, or older than ten minutes: the answer is the same."""

    status = 403
    code = Code.START_CODE_WRONG


class Door:
    """Which codes work, and which cookies we sealed."""

    def __init__(self, settings: LanSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._codes: dict[bytes, tuple[Page, datetime]] = {}
        self._clear: dict[Page, str] = {}

    async def open(self) -> None:
        for page in PAGES:
            self._make(page)
        await self._show()

    async def spend(self, code: str) -> Page:
        """Which page this code is for; it never works again, and a new one is shown.

        Raises StartCodeWrong.
        """
        found = self._codes.pop(token_hash(code), None)
        if found is None:
            raise StartCodeWrong
        page, until = found
        self._make(page)
        await self._show()
        if self._clock.now() >= until:
            raise StartCodeWrong
        return page

    def seal(self) -> str:
        until = int((self._clock.now() + LET_IN_FOR).timestamp())
        return f"{until}.{self._mac(until)}"

    def knows(self, cookie: str) -> bool:
        until, _, mac = cookie.partition(".")
        if not (until.isascii() and until.isdigit() and len(until) <= 12 and mac.isascii()):  # noqa: PLR2004 - seconds until the year 33658
            return False
        sealed = hmac.compare_digest(mac, self._mac(int(until)))
        return sealed and self._clock.now().timestamp() < int(until)

    def _mac(self, until: int) -> str:
        key = bytes.fromhex(self._settings.cookie_key)
        return hmac.new(key, f"telecare-lan {until}".encode(), "sha256").hexdigest()

    def _make(self, page: Page) -> None:
        code = "".join(secrets.choice(CODE_LETTERS) for _ in range(CODE_LENGTH))
        self._codes[token_hash(code)] = (page, self._clock.now() + CODE_LIFE)
        self._clear[page] = code

    async def _show(self) -> None:
        codes = Codes(**self._clear).model_dump_json().encode()
        await asyncio.to_thread(write_secret, self._settings.codes_file, codes)


DOOR = web.AppKey("door", Door)


def gate(door: Door) -> Middleware:
    """Stands inside the border and before every route, known or not."""

    @web.middleware
    async def at_the_gate(request: web.Request, handler: Handler) -> web.StreamResponse:
        is_local = not request.secure
        if is_local or _is_start(request) or door.knows(request.cookies.get(COOKIE, "")):
            return await handler(request)
        if "text/html" in request.headers.get("Accept", ""):
            return _refused(request, LanStartNeeded())
        raise LanStartNeeded

    return at_the_gate


def _is_start(request: web.Request) -> bool:
    resource = request.match_info.route.resource
    return resource is not None and resource.canonical == START


def _refused(request: web.Request, error: TelecareError) -> web.Response:
    page = request.app[TEMPLATES].page(
        request, "lan-refused.html", language_of(request), why=f"error.{error.code}"
    )
    page.set_status(error.status)
    return page


async def start(request: web.Request) -> web.StreamResponse:
    """Let this device in, once for each code, and show it the page the code is for."""
    if not request.secure:
        raise NotFound
    floor, door = request.app[FLOOR], request.app[DOOR]
    try:
        await count_try(floor.database, START_LIMIT, request.remote or "", floor.clock.now())
        page = await door.spend(request.match_info["code"].lower())
    except TelecareError as error:
        return _refused(request, error)
    answer = web.Response(status=303, headers={"Location": _address(page)})
    seconds = int(LET_IN_FOR.total_seconds())
    answer.set_cookie(
        COOKIE, door.seal(), max_age=seconds, path="/", secure=True, httponly=True,
        samesite="Strict",
    )  # fmt: skip
    return answer


def _address(page: Page) -> str:
    match page:
        case "tv":
            return "/demo/tv/birgitta"
        case "staff":
            return "/"
        case _:
            assert_never(page)


ROUTES = (
    Route("GET", START, start, "public", Exempt("lets a device into the demo, nobody is known yet"),
          kind="page", errors=(Code.NOT_FOUND, Code.START_CODE_WRONG), status=303),
)  # fmt: skip

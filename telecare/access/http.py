"""Who is asking, signing in and out, shifts. The session behind a request is found here only."""

from collections.abc import Awaitable, Callable
from uuid import UUID

from aiohttp import web

from telecare.access.errors import SessionLocked, SignInNeeded
from telecare.access.model import Permission, ScreenSession, Session, StaffSession
from telecare.access.service import Access
from telecare.audit.actions import Action
from telecare.runtime.errors import NotFound
from telecare.runtime.http import (
    IS_PAGE,
    OWN,
    Answer,
    Body,
    Empty,
    Exempt,
    Handler,
    Route,
    json_answer,
    nothing,
    read_body,
)
from telecare.wire.errors import Code
from telecare.wire.ids import CareUnitId

ACCESS = web.AppKey("access", Access)
STAFF = web.RequestKey("staff", StaffSession)
SCREEN = web.RequestKey("screen", ScreenSession)

STAFF_COOKIE = "__Host-telecare"
SCREEN_COOKIE = "__Host-telecare-tv"
"""`__Host-`: Secure, whole host, no Domain; Chromium takes it over http://localhost too."""


def keep_cookie(answer: web.StreamResponse, name: str, token: str, *, days: int) -> None:
    answer.set_cookie(
        name, token, max_age=days * 86_400, path="/", secure=True, httponly=True, samesite="Strict"
    )


def drop_cookie(answer: web.StreamResponse, name: str) -> None:
    answer.del_cookie(name, path="/", secure=True, httponly=True, samesite="Strict")


async def session_of(request: web.Request, cookie: str) -> Session:
    """Raises SignInNeeded."""
    token = request.cookies.get(cookie)
    if not token or len(token) > 200:  # noqa: PLR2004 - ours are 43 and 64
        raise SignInNeeded
    return await request.app[ACCESS].session(token)


async def staff_even_locked(request: web.Request) -> StaffSession:
    """Raises SignInNeeded."""
    session = await session_of(request, STAFF_COOKIE)
    if not isinstance(session, StaffSession):
        raise SignInNeeded
    return session


async def staff_of(request: web.Request) -> StaffSession:
    """Raises SignInNeeded, SessionLocked."""
    session = await staff_even_locked(request)
    if session.is_locked:
        raise SessionLocked
    return session


async def screen_of(request: web.Request) -> ScreenSession:
    session = await session_of(request, SCREEN_COOKIE)
    if not isinstance(session, ScreenSession):
        raise SignInNeeded
    return session


def guarded(route: Route) -> Handler:
    """The route's handler behind its door: who may come in is read from the table."""
    find: dict[str, Callable[[web.Request], Awaitable[None]]] = {
        "public": _nobody,
        "staff": _staff,
        "staff_even_locked": _staff_even_locked,
        "screen": _screen,
    }
    door = find[route.who]

    async def handle(request: web.Request) -> web.StreamResponse:
        if route.kind == "page":
            request[IS_PAGE] = True
        await door(request)
        if STAFF in request and route.permission != OWN:
            await request.app[ACCESS].permit(
                request[STAFF], Permission(route.permission), tried=_tried(route)
            )
        return await route.handler(request)

    return handle


def _tried(route: Route) -> str:
    """What the record of a refusal at the door calls it."""
    return f"{route.method} {route.path}" if isinstance(route.record, Exempt) else route.record


async def _nobody(request: web.Request) -> None:
    del request


async def _staff(request: web.Request) -> None:
    request[STAFF] = await staff_of(request)


async def _staff_even_locked(request: web.Request) -> None:
    request[STAFF] = await staff_even_locked(request)


async def _screen(request: web.Request) -> None:
    request[SCREEN] = await screen_of(request)


def path_id(request: web.Request, name: str = "id") -> UUID:
    """An id in the path. Raises NotFound: what is no uuid is nothing we know."""
    try:
        return UUID(request.match_info[name])
    except ValueError as error:
        raise NotFound from error


class ShiftBody(Body):
    unit_id: UUID


class Made(Answer):
    id: UUID


async def sign_out(request: web.Request) -> web.Response:
    """End this session; its page and sockets are out within a second."""
    await read_body(request, Empty)
    await request.app[ACCESS].sign_out(request[STAFF])
    answer = nothing()
    drop_cookie(answer, STAFF_COOKIE)
    return answer


async def begin_shift(request: web.Request) -> web.Response:
    """ "Börja passet"."""
    body = await read_body(request, ShiftBody)
    shift = await request.app[ACCESS].begin_shift(request[STAFF], CareUnitId(body.unit_id))
    return json_answer(Made(id=shift), status=201)


async def end_shift(request: web.Request) -> web.Response:
    """ "Avsluta passet"."""
    await read_body(request, Empty)
    await request.app[ACCESS].end_shift(request[STAFF])
    return nothing()


ROUTES = (
    Route(
        "POST", "/api/sign-out", sign_out, "staff", Action.SIGNED_OUT, Empty, status=204,
        permission=OWN,
    ),
    Route(
        "POST", "/api/shifts/begin", begin_shift, "staff", Action.SHIFT_BEGUN, ShiftBody, Made,
        (Code.SHIFT_ALREADY_BEGUN,), status=201,
    ),
    Route(
        "POST", "/api/shifts/end", end_shift, "staff", Action.SHIFT_ENDED, Empty,
        errors=(Code.NOT_ON_SHIFT,), status=204,
    ),
)  # fmt: skip

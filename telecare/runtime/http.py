"""HTTP at the border: the route table, one translator of errors, headers, Origin and size limits.

No route is registered but through `Route`, so that the router, /openapi.json and the tests that
walk every route see the same table.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeVar

from aiohttp import web
from aiohttp.typedefs import Middleware
from pydantic import BaseModel, ConfigDict, ValidationError

from telecare.runtime.errors import FieldInvalid, NotFound, TelecareError
from telecare.runtime.log import tell_if_unrecorded
from telecare.wire.errors import Code

log = logging.getLogger(__name__)

MAX_BODY_BYTES = 65_536
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Who = Literal["public", "staff", "staff_even_locked", "screen"]
PUBLIC: Who = "public"
OWN = "own"
"""Of a staff route: what is there is her own."""
IS_PAGE = web.RequestKey("is_page", bool)
"""A route that answers in HTML, its refusals too."""


class Body(BaseModel):
    """A request's JSON body: frozen, and unknown fields are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Answer(BaseModel):
    """A JSON answer."""

    model_config = ConfigDict(frozen=True)


class Empty(Body):
    """`{}`"""


@dataclass(frozen=True, slots=True)
class Exempt:
    """Why a route leaves no record of its own."""

    reason: str


@dataclass(frozen=True, slots=True)
class Route:
    """One row of the table. `record` is the action entered in the log, or why there is none."""

    method: Literal["GET", "POST"]
    path: str
    handler: Handler
    who: Who
    record: str | Exempt
    body: type[BaseModel] | None = None
    answer: type[BaseModel] | None = None
    errors: tuple[Code, ...] = ()
    kind: Literal["json", "page", "socket", "file"] = "json"
    status: int = 200
    permission: str = "work"
    """Staff routes: what one of her roles must allow. OWN: whoever is signed in."""


class BodyMalformed(TelecareError):
    """The body is no JSON, or not of the type the route reads."""

    status = 422
    code = Code.BODY_MALFORMED


class FieldUnknown(TelecareError):
    status = 422
    code = Code.FIELD_UNKNOWN


class BodyTooLarge(TelecareError):
    status = 413
    code = Code.BODY_TOO_LARGE


class OriginRefused(TelecareError):
    """A POST or WebSocket from a page that is not ours."""

    status = 403
    code = Code.ORIGIN_REFUSED


class MethodNotAllowed(TelecareError):
    status = 405
    code = Code.METHOD_NOT_ALLOWED


class RateLimited(TelecareError):
    """Too many tries in this window; a new one begins in `retry_after_s`."""

    status = 429
    code = Code.RATE_LIMITED

    def __init__(self, retry_after_s: int) -> None:
        super().__init__()
        self.retry_after_s = retry_after_s


Model = TypeVar("Model", bound=BaseModel)


NUL = b"\\u0000"
"""The one character that JSON can carry and PostgreSQL's text cannot."""


async def read_body(request: web.Request, model: type[Model]) -> Model:
    """Raises BodyMalformed, FieldUnknown, FieldInvalid, BodyTooLarge."""
    if request.content_length is not None and request.content_length > MAX_BODY_BYTES:
        raise BodyTooLarge
    if request.content_type != "application/json":
        raise BodyMalformed
    raw = await request.read()
    if NUL in raw:
        raise BodyMalformed
    return parse(raw, model)


def parse(raw: bytes | str, model: type[Model]) -> Model:
    try:
        return model.model_validate_json(raw)
    except ValidationError as error:
        raise as_refusal(error) from error


def as_refusal(error: ValidationError) -> TelecareError:
    """Names of the fields at fault; never what stood in them."""
    problems = error.errors(include_url=False, include_context=False, include_input=False)
    names = [".".join(str(part) for part in problem["loc"]) for problem in problems]
    kinds = {problem["type"] for problem in problems}
    if "json_invalid" in kinds:
        return BodyMalformed()
    if "extra_forbidden" in kinds:
        return FieldUnknown(*names)
    return FieldInvalid(*names)


def json_answer(answer: BaseModel, *, status: int = 200) -> web.Response:
    return web.json_response(text=answer.model_dump_json(), status=status)


def nothing() -> web.Response:
    return web.Response(status=204)


CSP = "; ".join((  # noqa: FLY002 - one directive a line
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "font-src 'self'",
    "connect-src 'self' {sockets}",
    "media-src 'self' blob:",
    "worker-src 'self'",
    "manifest-src 'self'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
))  # fmt: skip


@dataclass(frozen=True, slots=True)
class Origins:
    """Where our pages are: the public address, and those that this process itself serves by TLS."""

    public: str
    direct: frozenset[str] = frozenset()

    def of(self, request: web.Request) -> str:
        """The origin of the page this request may come from. Raises OriginRefused.

        Which listener took it is asked of the connection; its Host header only picks among ours.
        """
        if not request.secure:
            return self.public
        origin = f"https://{request.host}"
        if origin not in self.direct:
            raise OriginRefused
        return origin


def headers(origin: str) -> Mapping[str, str]:
    """Sent with every answer. Older TV engines want the socket's host named (style §4)."""
    sockets = origin.replace("http", "ws", 1)
    secure = origin.startswith("https")
    return {
        "Content-Security-Policy": CSP.format(sockets=sockets),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
        "Permissions-Policy": "camera=(self), microphone=(self), geolocation=()",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        **({"Strict-Transport-Security": "max-age=31536000"} if secure else {}),
    }


def problem(error: TelecareError) -> web.Response:
    body = {
        "type": "about:blank",
        "status": error.status,
        "code": str(error.code),
        "title": f"error.{error.code}",
        "fields": list(error.fields),
    }
    return web.json_response(body, status=error.status, content_type="application/problem+json")


ErrorPage = Callable[[web.Request, TelecareError], web.StreamResponse]


def border(origins: Origins, error_page: ErrorPage) -> Middleware:
    """The middleware around everything: Origin, headers, and errors into problem+json, or into a
    page where a page was asked for.
    """
    always = {origin: headers(origin) for origin in (origins.public, *origins.direct)}

    def refusal(request: web.Request, error: TelecareError) -> web.StreamResponse:
        answer = error_page(request, error) if IS_PAGE in request else problem(error)
        answer.headers.update(_when_again(error))
        return answer

    @web.middleware
    async def at_the_border(request: web.Request, handler: Handler) -> web.StreamResponse:
        origin = origins.public
        try:
            origin = origins.of(request)
            _check_origin(request, origin)
            answer = await handler(request)
        except TelecareError as error:
            tell_if_unrecorded(error)
            answer = refusal(request, error)
        except web.HTTPException as error:
            answer = _of_aiohttp(error)
            if isinstance(error, web.HTTPNotFound) and _is_typed(request):
                answer = error_page(request, NotFound())
        except Exception as error:
            left = isinstance(error, ConnectionResetError) and request.transport is None
            if not left:
                log.exception("request failed", extra={"method": request.method})
            answer = refusal(request, _OurFault())
        if not answer.prepared:
            for name, value in always[origin].items():
                answer.headers.setdefault(name, value)
            answer.headers.setdefault("Cache-Control", "no-store")
        return answer

    return at_the_border


def _when_again(error: TelecareError) -> Mapping[str, str]:
    return {"Retry-After": str(error.retry_after_s)} if isinstance(error, RateLimited) else {}


class _OurFault(TelecareError):
    status = 500
    code = Code.INTERNAL


def _is_typed(request: web.Request) -> bool:
    """Somebody reads the answer: an address in the browser's bar, or an old link."""
    return request.method == "GET" and "text/html" in request.headers.get("Accept", "")


def _of_aiohttp(error: web.HTTPException) -> web.StreamResponse:
    refusals: dict[int, type[TelecareError]] = {
        404: NotFound,
        405: MethodNotAllowed,
        413: BodyTooLarge,
    }
    if error.status in refusals:
        answer = problem(refusals[error.status]())
        if "Allow" in error.headers:
            answer.headers["Allow"] = error.headers["Allow"]
        return answer
    if error.status >= 400:  # noqa: PLR2004 - the client's or our error range
        answer = problem(BodyMalformed())
        answer.set_status(error.status)
        return answer
    return error


def _check_origin(request: web.Request, own: str) -> None:
    """Cookies alone never act: a POST or a socket must come from a page of ours.

    Home units are no browsers and send no Origin; their routes carry no cookie either.
    """
    is_socket = request.headers.get("Upgrade", "").lower() == "websocket"
    if request.method != "POST" and not is_socket:
        return
    origin = request.headers.get("Origin")
    if origin is None and not request.cookies:
        return
    if origin != own:
        raise OriginRefused

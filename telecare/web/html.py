"""Pages made on the server: templates, forms that are sent without a script, refusals as pages."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from types import UnionType
from typing import TypeVar, Union, get_args, get_origin
from uuid import UUID

import jinja2
from aiohttp import BodyPartReader, web
from pydantic import ValidationError

from telecare.access.errors import SessionLocked, SignInNeeded
from telecare.access.http import STAFF
from telecare.audit.actions import Action
from telecare.runtime.errors import TelecareError
from telecare.runtime.http import Body, BodyMalformed, BodyTooLarge, Exempt, Route, as_refusal
from telecare.runtime.log import tell_if_unrecorded
from telecare.runtime.texts import LANGUAGES, text
from telecare.web import page_texts
from telecare.web.static_files import STATIC
from telecare.wire.errors import Code

FORM = "application/x-www-form-urlencoded"
OUR_FAULT = 500
MAX_FILE_BYTES = 5_000_000
MAX_FIELD_BYTES = 200
"""Of a field beside a file."""
FORM_ERRORS = (Code.FIELD_INVALID, Code.NOT_PERMITTED)


@dataclass(frozen=True, slots=True)
class Sent:
    """A form that was refused: why, which fields, and what stood in it."""

    action: str
    code: Code
    fields: Sequence[str]
    values: Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class FormState:
    """What a template asks about the form it draws: fresh, or sent and refused."""

    action: str
    sent: Sent | None

    @property
    def refused(self) -> Code | None:
        return self.sent.code if self.sent else None

    def value(self, name: str, kept: object = "") -> str:
        """What was typed; in a fresh form what is kept."""
        if self.sent is not None:
            return next(iter(self.sent.values.get(name, ())), "")
        return "" if kept is None else str(kept)

    def has(self, name: str, value: object, kept: Sequence[object] = ()) -> bool:
        """Whether a box is ticked or an option chosen."""
        if self.sent is not None:
            return str(value) in self.sent.values.get(name, ())
        return str(value) in [str(one) for one in kept]

    def is_wrong(self, name: str) -> bool:
        return self.sent is not None and name in self.sent.fields


@dataclass(frozen=True, slots=True)
class Templates:
    environment: jinja2.Environment
    is_demo: bool

    def page(
        self,
        request: web.Request,
        name: str,
        language: str,
        *,
        sent: Sent | None = None,
        **values: object,
    ) -> web.Response:
        static = request.app[STATIC]

        def form(action: str) -> FormState:
            return FormState(action, sent if sent and sent.action == action else None)

        html = self.environment.get_template(name).render(
            static=static.prefix,
            lang=language,
            langs=LANGUAGES,
            demo=self.is_demo,
            t=lambda key, **v: text(language, key, **v),
            form=form,
            **values,
        )
        return web.Response(text=html, content_type="text/html")

    def app_page(
        self, request: web.Request, name: str, language: str, *, is_tv: bool, **boot: object
    ) -> web.Response:
        """A page of modules: its texts (`tv.` or all others) and version come in one data block."""
        static = request.app[STATIC]
        return self.page(
            request,
            name,
            language,
            boot={
                "static": static.prefix,
                "version": static.version,
                "lang": language,
                "texts": (page_texts.of_tv if is_tv else page_texts.of_staff)(language),
                "demo": self.is_demo,
                **boot,
            },
        )


TEMPLATES = web.AppKey("templates", Templates)


@cache
def templates(*, is_demo: bool) -> Templates:
    """One a process: a template is compiled once."""
    loader = jinja2.PackageLoader("telecare.web", "templates")
    environment = jinja2.Environment(
        loader=loader, autoescape=True, undefined=jinja2.StrictUndefined
    )
    return Templates(environment, is_demo)


def language_of(request: web.Request) -> str:
    """Of who is signed in, else `?lang=`, else what the browser asks for, else Swedish."""
    if STAFF in request:
        return request[STAFF].staff.language
    asked = request.query.get("lang", "")
    if asked in LANGUAGES:
        return asked
    for part in request.headers.get("Accept-Language", "").split(","):
        if (language := part.split(";")[0].strip()[:2].lower()) in LANGUAGES:
            return language
    return "sv"


def see_other(location: str) -> web.Response:
    """Go on there (RFC 9110 §15.4.4)."""
    return web.Response(status=303, headers={"Location": location})


def error_page(request: web.Request, error: TelecareError) -> web.StreamResponse:
    """Why not, and the way back; whoever is not signed in comes to the first page."""
    if isinstance(error, (SignInNeeded, SessionLocked)):
        return see_other("/")
    page = request.app[TEMPLATES].page(
        request, "refused.html", language_of(request), code=str(error.code)
    )
    page.set_status(error.status)
    return page


class OneForm(Body):
    """A button beside one of several."""

    one: UUID


Form = TypeVar("Form", bound=Body)
Outcome = str | web.StreamResponse
"""Of a form: the address to go on to, or a page, for what is shown once."""
Show = Callable[[web.Request, Sent], Awaitable[web.StreamResponse]]
"""Draws a form's page again, with the reason and what was typed."""


def form_route(
    path: str,
    act: Callable[[web.Request, Form], Awaitable[Outcome]],
    show: Show,
    record: Action | Exempt,
    body: type[Form],
    *,
    errors: tuple[Code, ...] = (),
    permission: str = "work",
) -> Route:
    """Where staff send a form: `act` does what it asks; refused, `show` answers.

    `errors` are those besides what any form may be refused with.
    """

    async def read_and_act(request: web.Request) -> Outcome:
        return await act(request, await read_form(request, body))

    async def handle(request: web.Request) -> web.StreamResponse:
        return await submitted(request, read_and_act, show)

    return Route(
        "POST", path, handle, "staff", record, body, errors=(*FORM_ERRORS, *errors), kind="page",
        permission=permission,
    )  # fmt: skip


async def read_form(request: web.Request, model: type[Form]) -> Form:
    """What was typed; a field left empty counts as not sent.

    Raises FieldInvalid, FieldUnknown, BodyMalformed, BodyTooLarge.
    """
    values = {
        name: list(given) if _is_list(model, name) else given[-1]
        for name, given in (await _typed(request)).items()
    }
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise as_refusal(error) from error


async def read_upload(request: web.Request, model: type[Form]) -> tuple[Form, bytes]:
    """A file, part `file`, and the fields beside it.

    Raises BodyMalformed, BodyTooLarge, FieldInvalid, FieldUnknown.
    """
    if request.content_type != "multipart/form-data":
        raise BodyMalformed
    fields: dict[str, str] = {}
    content = b""
    async for part in await request.multipart():
        if not isinstance(part, BodyPartReader) or part.name is None:
            raise BodyMalformed
        read = await _read_part(part, MAX_FILE_BYTES if part.name == "file" else MAX_FIELD_BYTES)
        if part.name == "file":
            content = read
        else:
            fields[part.name] = read.decode("utf-8", "replace")
    try:
        return model.model_validate(fields), content
    except ValidationError as error:
        raise as_refusal(error) from error


async def _read_part(part: BodyPartReader, most: int) -> bytes:
    content = bytearray()
    while chunk := await part.read_chunk():
        content += chunk
        if len(content) > most:
            raise BodyTooLarge
    return bytes(content)


async def _typed(request: web.Request) -> Mapping[str, Sequence[str]]:
    """Raises BodyMalformed."""
    if request.content_type != FORM:
        raise BodyMalformed
    posted = await request.post()
    typed: dict[str, list[str]] = {}
    for name, value in posted.items():
        if not isinstance(value, str) or "\0" in value:
            raise BodyMalformed
        if value.strip():
            typed.setdefault(name, []).append(value.strip())
    return typed


def _is_list(model: type[Body], name: str) -> bool:
    field = model.model_fields.get(name)
    return field is not None and _takes_many(field.annotation)


def _takes_many(kind: object) -> bool:
    if get_origin(kind) in (Union, UnionType):
        return any(_takes_many(each) for each in get_args(kind))
    return get_origin(kind) is tuple


async def submitted(
    request: web.Request, act: Callable[[web.Request], Awaitable[Outcome]], show: Show
) -> web.StreamResponse:
    """Do what a form asks; refused, `show` answers."""
    try:
        outcome = await act(request)
    except TelecareError as error:
        if error.status >= OUR_FAULT or isinstance(error, (SessionLocked, BodyMalformed)):
            raise
        tell_if_unrecorded(error)
        typed = await _typed(request) if request.content_type == FORM else {}
        sent = Sent(request.path, error.code, error.fields, typed)
        answer = await show(request, sent)
        answer.set_status(error.status)
        return answer
    if isinstance(outcome, str):
        return see_other(outcome)
    return outcome

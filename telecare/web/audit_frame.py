"""The frame of the integrity portal: who looks, which part, and how its addresses are read.

Every page works without a script. No name stands in an address: searches are sent as forms.
"""

from datetime import datetime
from typing import Annotated, TypeVar
from uuid import uuid4

from aiohttp import web
from pydantic import AfterValidator, ValidationError

from telecare.access.http import ACCESS, STAFF
from telecare.integrity.words import AuditWords
from telecare.runtime.clock import STOCKHOLM, from_local
from telecare.runtime.http import Body, as_refusal
from telecare.web.html import TEMPLATES, Sent, language_of

PARTS = (
    ("search", "/audit"),
    ("verify", "/audit/verify"),
    ("consents", "/audit/consents"),
    ("reviews", "/audit/reviews"),
    ("findings", "/audit/findings"),
    ("requests", "/audit/requests"),
    ("keeping", "/audit/keeping"),
)
YEARS = range(2000, 2100)


def _of_our_time(typed: datetime) -> datetime:
    if typed.year not in YEARS:
        raise ValueError("year")
    return typed


WallTime = Annotated[datetime, AfterValidator(_of_our_time)]
"""As typed in Sweden; `from_wall` makes a moment of it."""


def from_wall(typed: datetime | None) -> datetime | None:
    return None if typed is None else from_local(typed.replace(tzinfo=None))


def wall(at: datetime | None) -> str:
    """As a field of type datetime-local wants it."""
    return "" if at is None else f"{at.astimezone(STOCKHOLM):%Y-%m-%dT%H:%M}"


Query = TypeVar("Query", bound=Body)


def read_query(request: web.Request, model: type[Query]) -> Query:
    """What stands behind the question mark; empty counts as not there. Raises FieldInvalid."""
    given = {name: value for name, value in request.query.items() if value.strip()}
    try:
        return model.model_validate(given)
    except ValidationError as error:
        raise as_refusal(error) from error


async def audit_page(
    request: web.Request, template: str, part: str, *, sent: Sent | None = None, **values: object
) -> web.Response:
    """A page of the portal, in the language of who reads. `press`: what a form that adds carries,
    so that sent twice it adds once.
    """
    session = request[STAFF]
    tenant = await request.app[ACCESS].tenant(session.tenant)
    language = language_of(request)
    return request.app[TEMPLATES].page(
        request,
        f"audit/{template}.html",
        language,
        sent=sent,
        tenant_name=tenant.name,
        parts=[{"key": key, "href": href, "is_here": key == part} for key, href in PARTS],
        me=session.staff.shown_name,
        words=AuditWords(language),
        wall=wall,
        press=uuid4(),
        **values,
    )

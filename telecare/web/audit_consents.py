"""Consents at a moment, as they were known then or are known now."""

from typing import Literal
from uuid import UUID

from aiohttp import web

from telecare.access.http import STAFF
from telecare.audit.actions import Action
from telecare.consent import words as consent_words
from telecare.integrity.consent_history import ConsentHistory
from telecare.integrity.consent_history_store import Stated
from telecare.runtime.http import Body, Route
from telecare.runtime.texts import text
from telecare.web.audit_frame import WallTime, audit_page, from_wall, read_query
from telecare.web.audit_search import REASONS
from telecare.web.html import language_of
from telecare.wire.errors import Code
from telecare.wire.ids import ResidentId

HISTORY = web.AppKey("consent_history", ConsentHistory)


class Asked(Body):
    """`at` is Swedish wall time."""

    resident: UUID | None = None
    at: WallTime | None = None
    known: Literal["then", "now"] = "then"


async def consents(request: web.Request) -> web.StreamResponse:
    """Without a resident: where to find her."""
    asked = read_query(request, Asked)
    language = language_of(request)
    if asked.resident is None:
        return await audit_page(request, "consents", "consents", history=None, reasons=REASONS)
    history = await request.app[HISTORY].at(
        request[STAFF], ResidentId(asked.resident), from_wall(asked.at), asked.known
    )
    is_protected = history.resident.is_protected
    name = text(language, "protected.name") if is_protected else history.resident.name

    def given(one: Stated) -> str:
        party = text(language, "audit.herself")
        if one.consent.cohabitant_id is not None:
            party = text(language, "audit.cohabitant") if is_protected else one.party
        return consent_words.given(one.consent, party, language)

    return await audit_page(
        request, "consents", "consents", history=history, shown_name=name, given=given,
        sentence=lambda consent: consent_words.sentence(consent, language),
    )  # fmt: skip


ROUTES = (
    Route("GET", "/audit/consents", consents, "staff", Action.LOG_CONSENTS_READ, kind="page",
          errors=(Code.NOT_FOUND, Code.FIELD_INVALID), permission="review"),
)  # fmt: skip

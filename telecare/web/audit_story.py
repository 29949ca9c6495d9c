"""The story of one call, with the home unit's own record beside the server's."""

from collections.abc import Sequence

from aiohttp import web

from telecare.access.http import STAFF, path_id
from telecare.audit.actions import Action
from telecare.consent import words as consent_words
from telecare.integrity.records import Entered
from telecare.integrity.story import DARK, LIGHT, Given, Stories
from telecare.runtime.http import Route
from telecare.runtime.texts import text
from telecare.web.audit_frame import audit_page
from telecare.web.html import language_of
from telecare.wire.errors import Code
from telecare.wire.ids import CallId

STORIES = web.AppKey("stories", Stories)


async def call(request: web.Request) -> web.StreamResponse:
    """Requested, rung, answered, opened on what ground, dark or lit, ended."""
    story = await request.app[STORIES].of_call(request[STAFF], CallId(path_id(request)))
    language = language_of(request)

    def given(one: Given) -> str:
        party = one.party or text(language, "audit.herself")
        return consent_words.given(one.consent, party, language)

    return await audit_page(
        request, "story", "search", story=story, given=given, lit=_lit(story.entries),
        sentence=lambda consent: consent_words.sentence(consent, language),
        basis={key: value for key, value in story.basis.items() if key != "consents"},
    )  # fmt: skip


def _lit(entries: Sequence[Entered]) -> Sequence[bool]:
    """Which records stand while picture and sound are open."""
    lit, is_lit = [], False
    for one in entries:
        is_lit = is_lit or one.event in LIGHT
        lit.append(is_lit)
        is_lit = is_lit and one.event not in DARK
    return lit


ROUTES = (
    Route("GET", "/audit/calls/{id}", call, "staff", Action.LOG_CALL_READ, kind="page",
          errors=(Code.NOT_FOUND,), permission="review"),
)  # fmt: skip

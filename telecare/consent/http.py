"""Taking down consents and objections, and taking consents back."""

from datetime import date, time
from typing import Annotated, Literal
from uuid import UUID

from aiohttp import web
from pydantic import AfterValidator, Field

from telecare.access.http import SCREEN, STAFF, Made, path_id
from telecare.audit.actions import Action
from telecare.consent.model import Purpose, StandIn
from telecare.consent.service import Consents, Outcome, Statement
from telecare.consent.words import details, sentence
from telecare.runtime.http import (
    Answer,
    Body,
    Empty,
    Exempt,
    Route,
    json_answer,
    nothing,
    read_body,
)
from telecare.wire.errors import Code
from telecare.wire.ids import CohabitantId, ConsentId, ResidentId, StaffId
from telecare.wire.signalling import Language

CONSENTS = web.AppKey("consents", Consents)


def _local(value: time) -> time:
    if value.tzinfo is not None:
        raise ValueError("a Swedish wall time has no offset")
    return value


WallTime = Annotated[time, AfterValidator(_local)]


class HoursBody(Body):
    start: WallTime = Field(alias="from")
    end: WallTime = Field(alias="to")


class ConsentBody(Body):
    """One statement; see docs/protocol.md."""

    purpose: Purpose
    decision: Literal["permit", "deny"]
    party: Literal["resident"] | UUID = "resident"
    information_version: int = Field(ge=1, le=10_000)
    information_language: Language
    present: str = Field(min_length=1, max_length=200)
    will_shown: Literal["spoken", "sign", "written", "other"]
    ability: Literal["clear", "doubtful"]
    given: Literal["in_person", "paper", "phone", "tv"]
    valid_until: date | None = None
    hours: HoursBody | None = None
    callers: list[UUID] | None = Field(default=None, max_length=100)
    answer_after_s: int | None = Field(default=None, ge=10, le=60)
    stands_in: StandIn | None = None
    emergency_allowed: bool = False
    """It holds for somebody who opens without a mission in an emergency too."""

    def statement(self) -> Statement:
        return Statement(
            purpose=self.purpose,
            decision=self.decision,
            party=None if self.party == "resident" else CohabitantId(UUID(str(self.party))),
            information_version=self.information_version,
            information_language=self.information_language,
            present=self.present,
            will_shown=self.will_shown,
            ability=self.ability,
            given=self.given,
            valid_until=self.valid_until,
            hours=(self.hours.start, self.hours.end) if self.hours else None,
            callers=None if self.callers is None else tuple(StaffId(c) for c in self.callers),
            answer_after_s=self.answer_after_s,
            stands_in=self.stands_in,
            emergency_allowed=self.emergency_allowed,
        )


class Preview(Answer):
    sentence: str
    details: str
    gate_open: bool
    waiting_for: list[str]
    ask_again_on: date | None


class Given(Answer):
    id: UUID
    gate_open: bool


class WithdrawBody(Body):
    asked_by: Literal["resident", "cohabitant", "by_phone", "not_said"]


class ObjectionBody(Body):
    purpose: Purpose
    by: Literal["guardian", "relative", "cohabitant", "staff"]
    name: str = Field(default="", max_length=120)
    text: str = Field(min_length=1, max_length=2000)


async def preview(request: web.Request) -> web.Response:
    """The sentence the gate would test, in the resident's language; nothing is stored."""
    body = await read_body(request, ConsentBody)
    outcome, resident = await request.app[CONSENTS].preview(
        request[STAFF], ResidentId(path_id(request)), body.statement()
    )
    return json_answer(_preview(outcome, resident.language))


def _preview(outcome: Outcome, language: Language) -> Preview:
    return Preview(
        sentence=sentence(outcome.consent, language),
        details=details(outcome.consent, language),
        gate_open=outcome.gate_is_open,
        waiting_for=list(outcome.waiting_for),
        ask_again_on=outcome.consent.ask_again_on,
    )


async def give(request: web.Request) -> web.Response:
    """A yes or a no, taken down by staff."""
    body = await read_body(request, ConsentBody)
    outcome = await request.app[CONSENTS].record(
        request[STAFF], ResidentId(path_id(request)), body.statement()
    )
    return json_answer(Given(id=outcome.consent.id, gate_open=outcome.gate_is_open), status=201)


async def withdraw(request: web.Request) -> web.Response:
    """Taken back: cut at the commit."""
    body = await read_body(request, WithdrawBody)
    await request.app[CONSENTS].withdraw(request[STAFF], ConsentId(path_id(request)), body.asked_by)
    return nothing()


async def object_to(request: web.Request) -> web.Response:
    body = await read_body(request, ObjectionBody)
    made = await request.app[CONSENTS].object_to(
        request[STAFF],
        ResidentId(path_id(request)),
        body.purpose,
        by_kind=body.by,
        by_name=body.name,
        body=body.text,
    )
    return json_answer(Made(id=made), status=201)


async def withdraw_at_home(request: web.Request) -> web.Response:
    """One OK on the TV."""
    await read_body(request, Empty)
    try:
        purpose = Purpose(request.match_info["purpose"])
    except ValueError as error:
        raise web.HTTPNotFound from error
    await request.app[CONSENTS].withdraw_at_home(request[SCREEN], purpose)
    return nothing()


_GIVE_ERRORS = (
    Code.NOT_ASSIGNED,
    Code.RELATIVE_CANNOT_CONSENT,
    Code.YES_NOT_FROM_TV,
    Code.PARTY_UNKNOWN,
    Code.POLICY_MISSING,
)

ROUTES = (
    Route(
        "POST", "/api/residents/{id}/consents/preview", preview, "staff",
        Exempt("shows back what was typed; nothing about the resident is read"), ConsentBody,
        Preview, _GIVE_ERRORS,
    ),
    Route(
        "POST", "/api/residents/{id}/consents", give, "staff", Action.CONSENT_GIVEN, ConsentBody,
        Given, _GIVE_ERRORS, status=201,
    ),
    Route(
        "POST", "/api/consents/{id}/withdraw", withdraw, "staff", Action.CONSENT_WITHDRAWN,
        WithdrawBody, status=204,
    ),
    Route(
        "POST", "/api/residents/{id}/objections", object_to, "staff", Action.OBJECTION_MADE,
        ObjectionBody, Made, status=201,
    ),
    Route(
        "POST", "/api/tv/consents/{purpose}/withdraw", withdraw_at_home, "screen",
        Action.CONSENT_WITHDRAWN, Empty, status=204,
    ),
)  # fmt: skip

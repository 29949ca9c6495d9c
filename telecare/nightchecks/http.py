"""The round: what is to be looked to tonight, looks, outcomes, the phone; her own pause."""

from datetime import date, datetime
from typing import Literal
from uuid import UUID

from aiohttp import web

from telecare.access.http import SCREEN, STAFF, path_id
from telecare.audit.actions import Action
from telecare.calls.http import CONSENT_ERRORS, Ringing
from telecare.dispatches.http import NotedBody
from telecare.nightchecks.looks import NightLooks
from telecare.nightchecks.model import Cut, Outcome
from telecare.nightchecks.service import NightChecks
from telecare.nightchecks.staying import Staying
from telecare.nightchecks.tonight import Tonight, is_last_night
from telecare.nightchecks.tonight_store import Listed
from telecare.runtime.http import Answer, Body, Empty, Route, json_answer, nothing, read_body
from telecare.wire.errors import Code
from telecare.wire.ids import CallId, CheckId

NIGHTS = web.AppKey("nights", NightChecks)
NIGHT_LOOKS = web.AppKey("night_looks", NightLooks)
STAYING = web.AppKey("staying", Staying)
TONIGHT = web.AppKey("tonight", Tonight)


class RoundOf(Answer):
    id: UUID
    n: int
    starts_at: datetime


class LastCheck(Answer):
    at: datetime
    ended_as: str
    by: str | None


class CheckOf(Answer):
    id: UUID
    round_id: UUID
    resident_id: UUID
    resident_name: str
    """Empty: protected."""
    resident_phone: str
    """Only while she is to be rung."""
    unit_name: str
    unit_phone: str
    place: str
    starts_at: datetime
    look_from: datetime
    closes_at: datetime
    modality: str
    state: str
    since: datetime
    call_id: UUID | None
    is_mine: bool
    by: str | None
    """Given name of who looks, or looked last."""
    looks: int
    interrupted: int
    without_camera: str | None
    why: str | None
    ended_as: str | None
    called_off_for: str | None
    last_outcome: str | None
    look_s: int
    extended: int
    may_speak: bool
    is_last_night: bool
    again_from: datetime | None
    """From when whoever saw that a visit is needed may look again; it ends with the arrival."""
    there_by: datetime | None
    """When she who goes there is to be there; None: nobody has said that she goes, or late."""


class AboutHome(Answer):
    """What only she who looks there now needs."""

    to_know: str
    picture: Literal["clear", "blurred"]
    hours: str
    last: LastCheck | None


class Looked(Answer):
    call_id: UUID
    about: AboutHome


class Tonights(Answer):
    night: date
    is_private: bool
    """She has said, in this shift, that nobody else sees her screen."""
    rounds: list[RoundOf]
    checks: list[CheckOf]


class OutcomeBody(Body):
    outcome: Outcome


class CutBody(Body):
    why: Cut


class PhonedBody(NotedBody):
    reached: bool


class PauseBody(Body):
    somebody_comes: bool


async def tonight(request: web.Request) -> web.Response:
    session = request[STAFF]
    found = await request.app[TONIGHT].listed(session)
    return json_answer(
        Tonights(
            night=found.night,
            is_private=found.is_private,
            rounds=[
                RoundOf(id=one.id, n=n, starts_at=one.first)
                for n, one in enumerate(found.rounds, start=1)
            ],
            checks=[_check(one, session.staff.id) for one in found.checks],
        )
    )


def _check(one: Listed, me: UUID) -> CheckOf:
    check = one.check
    return CheckOf(
        id=check.id,
        round_id=check.round_id,
        resident_id=check.resident_id,
        resident_name=one.resident_name,
        resident_phone=one.resident_phone if check.state == "phone" else "",
        unit_name=one.unit_name,
        unit_phone=one.unit_phone,
        place=one.place,
        starts_at=check.starts_at,
        look_from=check.may_look_from,
        closes_at=check.must_begin_by,
        modality=str(check.modality),
        state=str(check.state),
        since=check.since,
        call_id=check.call_id if check.staff_id == me else None,
        is_mine=check.staff_id == me,
        by=one.staff_given_name,
        looks=check.looks,
        interrupted=check.interrupted,
        without_camera=check.without_camera,
        why=check.why,
        ended_as=str(check.ended_as) if check.ended_as else None,
        called_off_for=check.called_off_for,
        last_outcome=check.last_outcome,
        look_s=one.look_s,
        extended=check.extended,
        may_speak=one.may_speak,
        is_last_night=is_last_night(one.valid_until, check.starts_at),
        again_from=check.may_look_again_from if check.staff_id == me else None,
        there_by=check.expected_by if one.has_driver else None,
    )


async def make_ready(request: web.Request) -> web.Response:
    """The home connects; nothing leaves it."""
    await read_body(request, Empty)
    call_id = await request.app[NIGHT_LOOKS].make_ready(request[STAFF], CheckId(path_id(request)))
    return json_answer(Ringing(call_id=call_id), status=201)


async def say_private(request: web.Request) -> web.Response:
    """ "Jag sitter i avskilt rum", once for each shift."""
    await read_body(request, Empty)
    await request.app[TONIGHT].say_private(request[STAFF])
    return nothing()


async def look(request: web.Request) -> web.Response:
    """Her turn: the camera opens."""
    await read_body(request, Empty)
    call_id = await request.app[NIGHT_LOOKS].begin(request[STAFF], CheckId(path_id(request)))
    return await _looked(request, call_id)


async def look_again(request: web.Request) -> web.Response:
    """While somebody is on the way."""
    await read_body(request, Empty)
    call_id = await request.app[STAYING].look_again(request[STAFF], CheckId(path_id(request)))
    return await _looked(request, call_id)


async def speak(request: web.Request) -> web.Response:
    """ "Säg något": the home gives its signal first."""
    await read_body(request, Empty)
    await request.app[STAYING].speak(request[STAFF], CheckId(path_id(request)))
    return nothing()


async def _looked(request: web.Request, call_id: CallId) -> web.Response:
    one = await request.app[TONIGHT].of_check(request[STAFF], CheckId(path_id(request)))
    last = None
    if one.last_at is not None and one.last_ended_as is not None:
        last = LastCheck(at=one.last_at, ended_as=one.last_ended_as, by=one.last_by)
    about = AboutHome(
        to_know=one.to_know,
        picture="blurred" if one.picture == "blurred" else "clear",
        hours=one.yes_hours,
        last=last,
    )
    return json_answer(Looked(call_id=call_id, about=about), status=201)


async def conclude(request: web.Request) -> web.Response:
    """What was seen closes the picture."""
    body = await read_body(request, OutcomeBody)
    looks = request.app[NIGHT_LOOKS]
    await looks.conclude(request[STAFF], CheckId(path_id(request)), body.outcome)
    return nothing()


async def close_picture(request: web.Request) -> web.Response:
    """Dark at once; the reason, or the outcome, comes after."""
    await read_body(request, Empty)
    await request.app[NIGHT_LOOKS].close_picture(request[STAFF], CheckId(path_id(request)))
    return nothing()


async def cut(request: web.Request) -> web.Response:
    """What was wrong with the picture."""
    body = await read_body(request, CutBody)
    await request.app[NIGHT_LOOKS].cut(request[STAFF], CheckId(path_id(request)), body.why)
    return nothing()


async def extend(request: web.Request) -> web.Response:
    await read_body(request, Empty)
    await request.app[NIGHT_LOOKS].extend(request[STAFF], CheckId(path_id(request)))
    return nothing()


async def phoned(request: web.Request) -> web.Response:
    """She was rung, and answered or not."""
    body = await read_body(request, PhonedBody)
    await request.app[NIGHTS].phoned(
        request[STAFF], CheckId(path_id(request)), reached=body.reached, noted_at=body.noted_at
    )
    return nothing()


async def pause(request: web.Request) -> web.Response:
    """ "Pausa i natt"."""
    body = await read_body(request, PauseBody)
    await request.app[NIGHTS].pause_night(request[SCREEN], somebody_comes=body.somebody_comes)
    return nothing()


async def go_on(request: web.Request) -> web.Response:
    """The camera after all."""
    await read_body(request, Empty)
    await request.app[NIGHTS].go_on_tonight(request[SCREEN])
    return nothing()


_LOOKS = (
    Code.NIGHT_CHECK_TAKEN, Code.NIGHT_CHECK_NOT_DUE, Code.NIGHT_CHECK_CLOSED,
    Code.CAMERA_UNUSABLE, Code.ROOM_NOT_PRIVATE, Code.BUSY, Code.NOT_ON_SHIFT, Code.NOT_ASSIGNED,
    Code.STAFF_REVOKED,
    Code.REASON_NEEDED, Code.NOT_PERMITTED, *CONSENT_ERRORS,
)  # fmt: skip
_SAYS = (Code.NIGHT_CHECK_TAKEN, Code.NIGHT_CHECK_CLOSED)
ROUTES = (
    Route("GET", "/api/nightchecks", tonight, "staff", Action.LIST_READ, answer=Tonights,
          errors=(Code.NOT_PERMITTED,), permission="look"),
    Route("POST", "/api/nightchecks/{id}/ready", make_ready, "staff", Action.CALL_PREPARED, Empty,
          Ringing, _LOOKS, status=201, permission="look"),
    Route("POST", "/api/nightchecks/private-room", say_private, "staff", Action.ROOM_PRIVATE, Empty,
          errors=(Code.NOT_PERMITTED, Code.NOT_ON_SHIFT), status=204, permission="look"),
    Route("POST", "/api/nightchecks/{id}/look", look, "staff", Action.CALL_OPENED, Empty, Looked,
          _LOOKS, status=201, permission="look"),
    Route("POST", "/api/nightchecks/{id}/again", look_again, "staff", Action.LOOKED_AGAIN, Empty,
          Looked, (*_LOOKS, Code.LOOKED_JUST_NOW), status=201, permission="look"),
    Route("POST", "/api/nightchecks/{id}/speak", speak, "staff", Action.SPEECH_ASKED, Empty,
          errors=(*_LOOKS, Code.SPEECH_NOT_AGREED, Code.CALL_ENDED), status=204,
          permission="look"),
    Route("POST", "/api/nightchecks/{id}/outcome", conclude, "staff", Action.CHECK_CONCLUDED,
          OutcomeBody, errors=(*_SAYS, Code.NOTHING_SEEN), status=204, permission="look"),
    Route("POST", "/api/nightchecks/{id}/close", close_picture, "staff", Action.CALL_ENDED, Empty,
          errors=_SAYS, status=204, permission="look"),
    Route("POST", "/api/nightchecks/{id}/cut", cut, "staff", Action.LOOK_CUT, CutBody,
          errors=_SAYS, status=204, permission="look"),
    Route("POST", "/api/nightchecks/{id}/extend", extend, "staff", Action.LOOK_EXTENDED, Empty,
          errors=(*_LOOKS, Code.NO_MORE_TIME), status=204, permission="look"),
    Route("POST", "/api/nightchecks/{id}/phoned", phoned, "staff", Action.CHECK_PHONED, PhonedBody,
          errors=(Code.NIGHT_CHECK_CLOSED, Code.NOT_ON_SHIFT, Code.FIELD_INVALID), status=204),
    Route("POST", "/api/tv/night/pause", pause, "screen", Action.NIGHT_PAUSED, PauseBody,
          status=204),
    Route("POST", "/api/tv/night/go-on", go_on, "screen", Action.NIGHT_PAUSED, Empty, status=204),
)  # fmt: skip

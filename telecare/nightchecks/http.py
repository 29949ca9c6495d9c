"""The round: what is to be looked to tonight, looks, outcomes, the phone; her own pause."""

from datetime import date, datetime
from typing import Literal
from uuid import UUID

from aiohttp import web

from telecare.access.http import SCREEN, STAFF, path_id
from telecare.audit.actions import Action
from telecare.calls.http import CONSENT_ERRORS, Ringing
from telecare.nightchecks.looks import NightLooks
from telecare.nightchecks.model import Cut, Outcome
from telecare.nightchecks.service import NightChecks
from telecare.nightchecks.tonight import Tonight, is_last_night
from telecare.nightchecks.tonight_store import Listed
from telecare.runtime.http import Answer, Body, Empty, Route, json_answer, nothing, read_body
from telecare.wire.errors import Code
from telecare.wire.ids import CheckId

NIGHTS = web.AppKey("nights", NightChecks)
NIGHT_LOOKS = web.AppKey("night_looks", NightLooks)
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
    to_know: str
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
    picture: Literal["clear", "blurred"]
    last: LastCheck | None
    hours: str
    valid_until: datetime | None
    is_last_night: bool


class Tonights(Answer):
    night: date
    rounds: list[RoundOf]
    checks: list[CheckOf]


class OutcomeBody(Body):
    outcome: Outcome


class CutBody(Body):
    why: Cut


class PhonedBody(Body):
    reached: bool


class PauseBody(Body):
    somebody_comes: bool


async def tonight(request: web.Request) -> web.Response:
    session = request[STAFF]
    found = await request.app[TONIGHT].listed(session)
    return json_answer(
        Tonights(
            night=found.night,
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
        to_know=one.to_know,
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
        picture="blurred" if one.picture == "blurred" else "clear",
        last=LastCheck(at=one.last_at, ended_as=one.last_ended_as, by=one.last_by)
        if one.last_at is not None and one.last_ended_as is not None
        else None,
        hours=one.yes_hours,
        valid_until=one.valid_until,
        is_last_night=is_last_night(one.valid_until, check.starts_at),
    )


async def make_ready(request: web.Request) -> web.Response:
    """The home connects; nothing leaves it."""
    await read_body(request, Empty)
    call_id = await request.app[NIGHT_LOOKS].make_ready(request[STAFF], CheckId(path_id(request)))
    return json_answer(Ringing(call_id=call_id), status=201)


async def look(request: web.Request) -> web.Response:
    """Her turn: the camera opens."""
    await read_body(request, Empty)
    call_id = await request.app[NIGHT_LOOKS].begin(request[STAFF], CheckId(path_id(request)))
    return json_answer(Ringing(call_id=call_id), status=201)


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
        request[STAFF], CheckId(path_id(request)), reached=body.reached
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
    Code.CAMERA_UNUSABLE, Code.BUSY, Code.NOT_ON_SHIFT, Code.NOT_ASSIGNED, Code.STAFF_REVOKED,
    Code.REASON_NEEDED, Code.NOT_PERMITTED, *CONSENT_ERRORS,
)  # fmt: skip
_SAYS = (Code.NIGHT_CHECK_TAKEN, Code.NIGHT_CHECK_CLOSED)
ROUTES = (
    Route("GET", "/api/nightchecks", tonight, "staff", Action.LIST_READ, answer=Tonights,
          errors=(Code.NOT_PERMITTED,), permission="look"),
    Route("POST", "/api/nightchecks/{id}/ready", make_ready, "staff", Action.CALL_PREPARED, Empty,
          Ringing, _LOOKS, status=201, permission="look"),
    Route("POST", "/api/nightchecks/{id}/look", look, "staff", Action.CALL_OPENED, Empty, Ringing,
          _LOOKS, status=201, permission="look"),
    Route("POST", "/api/nightchecks/{id}/outcome", conclude, "staff", Action.CHECK_CONCLUDED,
          OutcomeBody, errors=(*_SAYS, Code.NOTHING_SEEN), status=204, permission="look"),
    Route("POST", "/api/nightchecks/{id}/close", close_picture, "staff", Action.CALL_ENDED, Empty,
          errors=_SAYS, status=204, permission="look"),
    Route("POST", "/api/nightchecks/{id}/cut", cut, "staff", Action.LOOK_CUT, CutBody,
          errors=_SAYS, status=204, permission="look"),
    Route("POST", "/api/nightchecks/{id}/extend", extend, "staff", Action.LOOK_EXTENDED, Empty,
          errors=(*_LOOKS, Code.NO_MORE_TIME), status=204, permission="look"),
    Route("POST", "/api/nightchecks/{id}/phoned", phoned, "staff", Action.CHECK_PHONED, PhonedBody,
          errors=(Code.NIGHT_CHECK_CLOSED, Code.NOT_ON_SHIFT), status=204),
    Route("POST", "/api/tv/night/pause", pause, "screen", Action.NIGHT_PAUSED, PauseBody,
          status=204),
    Route("POST", "/api/tv/night/go-on", go_on, "screen", Action.NIGHT_PAUSED, Empty, status=204),
)  # fmt: skip

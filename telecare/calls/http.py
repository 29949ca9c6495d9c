"""Ringing, taking, answering and ending calls. What flows during a call: web/sockets.py."""

from typing import Literal
from uuid import UUID

from aiohttp import web

from telecare.access.http import SCREEN, STAFF, path_id
from telecare.audit.actions import Action
from telecare.calls.service import Calls
from telecare.runtime.http import Answer, Body, Empty, Route, json_answer, nothing, read_body
from telecare.wire.errors import Code
from telecare.wire.ids import CallId, ResidentId

CALLS = web.AppKey("calls", Calls)

CONSENT_ERRORS = (
    Code.CONSENT_MISSING,
    Code.CONSENT_WITHDRAWN,
    Code.CONSENT_EXPIRED,
    Code.CONSENT_OUTSIDE_HOURS,
    Code.COHABITANT_CONSENT_MISSING,
    Code.CALLER_NOT_ALLOWED,
    Code.OBJECTION_PAUSES,
    Code.POLICY_MISSING,
)
RING_ERRORS = (
    *CONSENT_ERRORS, Code.NOT_ASSIGNED, Code.STAFF_REVOKED, Code.BUSY, Code.NO_ENDPOINT,
    Code.REASON_NEEDED,
)  # fmt: skip


class RingBody(Body):
    resident_id: UUID


class Ringing(Answer):
    call_id: UUID


class AnswerBody(Body):
    by_itself: bool = False


class FaceBody(Body):
    call_id: UUID
    face: Literal["good", "so_so", "bad"] | None


async def ring(request: web.Request) -> web.Response:
    """An unplanned video call."""
    body = await read_body(request, RingBody)
    call_id = await request.app[CALLS].ring(request[STAFF], ResidentId(body.resident_id))
    return json_answer(Ringing(call_id=call_id), status=201)


async def take(request: web.Request) -> web.Response:
    """Answer a call-in."""
    await read_body(request, Empty)
    await request.app[CALLS].take(request[STAFF], CallId(path_id(request)))
    return nothing()


async def hang_up(request: web.Request) -> web.Response:
    await read_body(request, Empty)
    await request.app[CALLS].hang_up(request[STAFF], CallId(path_id(request)))
    return nothing()


async def call_in(request: web.Request) -> web.Response:
    """ "Ring hemtjänsten". Never refused."""
    await read_body(request, Empty)
    call_id = await request.app[CALLS].call_in(request[SCREEN])
    return json_answer(Ringing(call_id=call_id), status=201)


async def answer(request: web.Request) -> web.Response:
    body = await read_body(request, AnswerBody)
    await request.app[CALLS].answer(
        request[SCREEN], CallId(path_id(request)), by_itself=body.by_itself
    )
    return nothing()


async def decline(request: web.Request) -> web.Response:
    await read_body(request, Empty)
    await request.app[CALLS].decline(request[SCREEN], CallId(path_id(request)))
    return nothing()


async def hang_up_at_home(request: web.Request) -> web.Response:
    await read_body(request, Empty)
    await request.app[CALLS].hang_up_at_home(request[SCREEN], CallId(path_id(request)))
    return nothing()


async def face(request: web.Request) -> web.Response:
    """How it felt; null means it was asked and not answered."""
    body = await read_body(request, FaceBody)
    await request.app[CALLS].face(request[SCREEN], CallId(body.call_id), body.face)
    return nothing()


ROUTES = (
    Route("POST", "/api/calls", ring, "staff", Action.CALL_RUNG, RingBody, Ringing, RING_ERRORS,
          status=201),
    Route("POST", "/api/calls/{id}/take", take, "staff", Action.CALL_TAKEN, Empty,
          errors=(Code.CALL_TAKEN, Code.CALL_ENDED, Code.CALL_NOT_RINGING, Code.BUSY), status=204),
    Route("POST", "/api/calls/{id}/hang-up", hang_up, "staff", Action.CALL_ENDED, Empty,
          errors=(Code.NOT_YOUR_CALL,), status=204),
    Route("POST", "/api/tv/calls", call_in, "screen", Action.CALL_CALLED_IN, Empty, Ringing,
          status=201),
    Route("POST", "/api/tv/calls/{id}/answer", answer, "screen", Action.CALL_OPENED, AnswerBody,
          errors=(*CONSENT_ERRORS, Code.CALL_TAKEN, Code.CALL_ENDED, Code.CALL_NOT_RINGING,
                  Code.STAFF_REVOKED, Code.NOT_ASSIGNED), status=204),
    Route("POST", "/api/tv/calls/{id}/decline", decline, "screen", Action.CALL_DECLINED, Empty,
          status=204),
    Route("POST", "/api/tv/calls/{id}/hang-up", hang_up_at_home, "screen", Action.CALL_ENDED,
          Empty, status=204),
    Route("POST", "/api/tv/faces", face, "screen", Action.FACE_LEFT, FaceBody, status=204),
)  # fmt: skip

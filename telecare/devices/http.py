"""Pairing a TV page and enrolling a home unit."""

import contextlib
from datetime import datetime, timedelta
from typing import Literal

from aiohttp import web
from pydantic import Field

from telecare.access.errors import SignInNeeded
from telecare.access.http import SCREEN_COOKIE, STAFF, keep_cookie, path_id, screen_of
from telecare.access.service import PAIRING_LIMIT, Limit
from telecare.audit.actions import Action
from telecare.devices.certificates import Certificates
from telecare.devices.model import TV_CODE_LIMIT, Pairing
from telecare.devices.service import Devices
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
from telecare.runtime.qr import qr_path
from telecare.runtime.texts import text
from telecare.wire.edge import (
    ClosedAnswer,
    ClosedQuestion,
    Enrolment,
    EnrolRequest,
    UnitCertificate,
    WipedNotice,
)
from telecare.wire.errors import Code
from telecare.wire.ids import ResidentId, UnitId

DEVICES = web.AppKey("devices", Devices)
CERTIFICATES = web.AppKey("certificates", Certificates)
CERTIFICATE_LIMIT = Limit("certificate", 60, timedelta(minutes=10))
POLL_COOKIE = "__Host-telecare-pairing"
TV_DAYS = 3650


class PairBody(Body):
    letters: str = Field(min_length=6, max_length=12)


class Word(Answer):
    """The word both screens show."""

    word: str


class Letters(Answer):
    """What an unpaired TV shows. `valid_s`: a TV's own clock may be wrong.

    `qr_path`: the staff app with these letters, as dark units of a square of `qr_size`.
    """

    letters: str
    expires_at: datetime
    valid_s: int
    qr_path: str
    qr_size: int


class PairingState(Answer):
    state: Literal["waiting", "paired"]
    word: str | None = None


async def pair_tv(request: web.Request) -> web.Response:
    """Staff type the six letters that the TV shows."""
    session = request[STAFF]
    body = await read_body(request, PairBody)
    devices = request.app[DEVICES]
    await devices.count_try(PAIRING_LIMIT, str(session.id))
    word = await devices.pair_tv(session, ResidentId(path_id(request)), body.letters)
    return json_answer(Word(word=text(session.staff.language, f"pairing.word.{word}")))


async def begin_pairing(request: web.Request) -> web.Response:
    """A TV page without a home asks for letters to show."""
    await read_body(request, Empty)
    devices = request.app[DEVICES]
    await devices.count_try(PAIRING_LIMIT, request.remote or "")
    code = await devices.begin_tv_pairing()
    # The border has let only our own origin through; without one the letters are typed.
    qr = qr_path(f"{request.headers.get('Origin', '')}/#/tv/{code.letters}")
    letters = Letters(
        letters=code.letters,
        expires_at=code.expires_at,
        valid_s=int(TV_CODE_LIMIT.total_seconds()),
        qr_path=qr.path,
        qr_size=qr.size,
    )
    answer = json_answer(letters, status=201)
    keep_cookie(answer, POLL_COOKIE, code.poll, days=1)
    return answer


async def pairing_state(request: web.Request) -> web.Response:
    """Paired yet? The first time the answer is yes, the TV gets its session."""
    with contextlib.suppress(SignInNeeded):
        await screen_of(request)
        return json_answer(PairingState(state="paired"))
    state = await request.app[DEVICES].tv_pairing(request.cookies.get(POLL_COOKIE, ""))
    if isinstance(state, Pairing):
        return json_answer(PairingState(state="waiting"))
    answer = json_answer(
        PairingState(state="paired", word=text("sv", f"pairing.word.{state.word}"))
    )
    if state.token is not None:
        keep_cookie(answer, SCREEN_COOKIE, state.token, days=TV_DAYS)
    return answer


async def enrol(request: web.Request) -> web.Response:
    """A home unit trades its code for an identity."""
    body = await read_body(request, EnrolRequest)
    devices = request.app[DEVICES]
    await devices.count_try(PAIRING_LIMIT, request.remote or "")
    return json_answer(await devices.enrol(body))


async def certificate(request: web.Request) -> web.Response:
    """A home unit's newest one. It is no secret: without the unit's key it opens nothing."""
    await request.app[DEVICES].count_try(CERTIFICATE_LIMIT, request.remote or "")
    unit_id = UnitId(request.match_info["unit"])
    pem = await request.app[CERTIFICATES].current(unit_id)
    return json_answer(UnitCertificate(certificate=pem))


async def closed(request: web.Request) -> web.Response:
    """A unit that the broker refuses asks whether it is closed; proven by its key, or 404."""
    body = await read_body(request, ClosedQuestion)
    devices = request.app[DEVICES]
    await devices.count_try(CERTIFICATE_LIMIT, request.remote or "")
    proof = await devices.closed_proof(UnitId(request.match_info["unit"]), body.challenge)
    return json_answer(ClosedAnswer(proof=proof))


async def wiped(request: web.Request) -> web.Response:
    """Its last word; a unit that has a broker says it there."""
    body = await read_body(request, WipedNotice)
    devices = request.app[DEVICES]
    await devices.count_try(CERTIFICATE_LIMIT, request.remote or "")
    await devices.wiped_elsewhere(UnitId(request.match_info["unit"]), body)
    return nothing()


_PAIR_ERRORS = (Code.PAIRING_CODE_WRONG, Code.PAIRING_CODE_EXPIRED, Code.RATE_LIMITED)
_NOTHING_YET = Exempt("nobody is known yet; pairing itself is recorded")

ROUTES = (
    Route("POST", "/api/residents/{id}/pairings", pair_tv, "staff", Action.SCREEN_PAIRED, PairBody,
          Word, (*_PAIR_ERRORS, Code.NOT_ASSIGNED)),
    Route("POST", "/api/tv/pairing", begin_pairing, "public", _NOTHING_YET, Empty, Letters,
          (Code.RATE_LIMITED,), status=201),
    Route("GET", "/api/tv/pairing", pairing_state, "public", _NOTHING_YET, answer=PairingState,
          errors=(Code.NOT_FOUND, Code.PAIRING_CODE_EXPIRED)),
    Route("POST", "/api/units/enrol", enrol, "public", Action.UNIT_ENROLLED, EnrolRequest,
          Enrolment, _PAIR_ERRORS),
    Route("GET", "/api/units/{unit}/certificate", certificate, "public",
          Exempt("says that a key is a unit's, as its enrolment did, which is recorded"),
          answer=UnitCertificate, errors=(Code.NOT_FOUND, Code.RATE_LIMITED)),
    Route("POST", "/api/units/{unit}/closed", closed, "public",
          Exempt("says what its closing has recorded, to whoever cannot use it"), ClosedQuestion,
          ClosedAnswer, (Code.NOT_FOUND, Code.RATE_LIMITED)),
    Route("POST", "/api/units/{unit}/wiped", wiped, "public", Action.UNIT_WIPED, WipedNotice,
          errors=(Code.NOT_FOUND, Code.RATE_LIMITED), status=204),
)  # fmt: skip

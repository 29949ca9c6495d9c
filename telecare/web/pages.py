"""HTML pages: sign-in, invitation, the staff app's and the TV's first page, health."""

from contextlib import suppress
from datetime import datetime, timedelta
from uuid import UUID

from aiohttp import web
from pydantic import Field, JsonValue

from telecare.access import lists_store
from telecare.access.errors import SignInNeeded
from telecare.access.http import (
    ACCESS,
    STAFF,
    STAFF_COOKIE,
    keep_cookie,
    screen_of,
    session_of,
    staff_even_locked,
)
from telecare.access.model import Permission, StaffSession
from telecare.access.passkeys import Passkeys
from telecare.access.service import new_token
from telecare.audit.actions import Action
from telecare.audit.append import has_room, longest_wait
from telecare.people import relations_store
from telecare.people import store as people_store
from telecare.people.relations_store import RelationKind
from telecare.runtime.broker import Broker
from telecare.runtime.errors import TelecareError
from telecare.runtime.http import (
    OWN,
    Answer,
    Body,
    Empty,
    Exempt,
    Route,
    json_answer,
    nothing,
    read_body,
)
from telecare.shifts import store as shift_store
from telecare.shifts.model import Task
from telecare.visits import store as visit_store
from telecare.web.floor import FLOOR
from telecare.web.html import TEMPLATES, language_of, see_other
from telecare.wire.errors import Code

PASSKEYS = web.AppKey("passkeys", Passkeys)
BROKERS = web.AppKey("brokers", tuple[Broker, ...])
LONGEST_WAIT = timedelta(seconds=10)
"""A record is a leaf within a second; after this much longer nobody keeps the log's tree."""
CEREMONY_COOKIE = "__Host-telecare-ceremony"


async def front(request: web.Request) -> web.StreamResponse:
    """The staff app for who is signed in, else the sign-in page. Those who hold no visits begin
    in the administration, those who review the log and do nothing else with the log.
    """
    try:
        session = await session_of(request, STAFF_COOKIE)
    except TelecareError:
        return request.app[TEMPLATES].page(request, "staff/sign-in.html", language_of(request))
    language = "sv"
    if isinstance(session, StaffSession):
        language = session.staff.language
        if not session.staff.may(Permission.WORK) and not session.is_locked:
            reviews_only = session.staff.permissions == {Permission.REVIEW}
            return see_other("/audit" if reviews_only else "/admin")
    now = request.app[FLOOR].clock.now().isoformat()
    return request.app[TEMPLATES].app_page(
        request, "staff/app.html", language, is_tv=False, now=now
    )


async def tv(request: web.Request) -> web.StreamResponse:
    """The TV page, in the resident's language once it is paired."""
    language, paired = language_of(request), False
    try:
        session = await screen_of(request)
    except TelecareError:
        pass
    else:
        paired = True
        async with request.app[FLOOR].database.transaction(session.tenant) as db:
            resident = await people_store.resident(db, session.actor.resident_id)
        language = resident.language if resident else language
    return request.app[TEMPLATES].app_page(
        request, "tv/app.html", language, is_tv=True, paired=paired
    )


class CredentialBody(Body):
    credential: dict[str, JsonValue]


def _ceremony(request: web.Request) -> str:
    return request.cookies.get(CEREMONY_COOKIE, "")


def _options(options: str, ceremony: str) -> web.Response:
    answer = web.json_response(text=options)
    keep_cookie(answer, CEREMONY_COOKIE, ceremony, days=1)
    return answer


def _signed_in(token: str) -> web.Response:
    answer = nothing()
    keep_cookie(answer, STAFF_COOKIE, token, days=1)
    return answer


async def begin_sign_in(request: web.Request) -> web.Response:
    """WebAuthn request options."""
    await read_body(request, Empty)
    ceremony = new_token()
    options = await request.app[PASSKEYS].begin_sign_in(ceremony, request.remote or "")
    return _options(options, ceremony)


async def finish_sign_in(request: web.Request) -> web.Response:
    body = await read_body(request, CredentialBody)
    credential = body.model_dump_json(include={"credential"})
    token = await request.app[PASSKEYS].finish_sign_in(_ceremony(request), _inner(credential))
    await _leave_locked(request)
    return _signed_in(token)


async def _leave_locked(request: web.Request) -> None:
    """Whoever signs in at a locked page begins a session of her own; the one before ends."""
    with suppress(SignInNeeded):
        before = await staff_even_locked(request)
        if before.is_locked:
            await request.app[ACCESS].sign_out(before)


def _inner(document: str) -> str:
    """The credential's own JSON out of `{"credential": …}`."""
    return document[len('{"credential":') : -1]


class InvitationBody(Body):
    invitation: str = Field(min_length=1, max_length=200)


class RegistrationBody(Body):
    """What the browser made for an invitation."""

    invitation: str = Field(min_length=1, max_length=200)
    credential: dict[str, JsonValue]


async def invitation(request: web.Request) -> web.StreamResponse:
    """The page behind a one-time link, whose secret is in the fragment: it reaches no log."""
    return request.app[TEMPLATES].page(request, "staff/invitation.html", language_of(request))


async def begin_registration(request: web.Request) -> web.Response:
    """WebAuthn creation options for the invited person."""
    body = await read_body(request, InvitationBody)
    ceremony = new_token()
    options = await request.app[PASSKEYS].begin_registration(body.invitation, ceremony)
    return _options(options, ceremony)


async def finish_registration(request: web.Request) -> web.Response:
    body = await read_body(request, RegistrationBody)
    credential = _inner(body.model_dump_json(include={"credential"}))
    token = await request.app[PASSKEYS].finish_registration(
        body.invitation, _ceremony(request), credential
    )
    return _signed_in(token)


class UnitChoice(Answer):
    id: UUID
    name: str


class InsatsChoice(Answer):
    id: UUID
    name: str
    minutes: int


class MyShift(Answer):
    id: UUID
    begun_at: str
    tasks: list[Task]


class MyRelation(Answer):
    resident_id: UUID
    given_name: str
    kind: RelationKind


class Me(Answer):
    """Who is signed in, and what her forms choose from."""

    staff_id: UUID
    name: str
    given_name: str
    languages: list[str]
    roles: list[str]
    may: list[Permission]
    """What one of her roles allows: the page offers nothing else."""
    tenant_name: str
    unit_id: UUID
    unit_name: str
    language: str
    shift: MyShift | None
    units: list[UnitChoice]
    """Where she may begin a shift."""
    colleagues: list[UnitChoice]
    insatser: list[InsatsChoice]
    outcomes: list[UnitChoice]
    """The municipality's own, for how a home visit ended."""
    relations: list[MyRelation]
    """Whom she has stated a relation to: to open asks why."""
    session_ends_at: datetime
    """Sixteen hours after she signed in. A call that goes on then is not cut."""
    demo: bool
    locked: bool = Field(default=False)


async def me(request: web.Request) -> web.Response:
    """Who am I here."""
    session = request[STAFF]
    staff = session.staff
    access = request.app[ACCESS]
    tenant = await access.tenant(session.tenant)
    units = await access.units(session)
    colleagues = await access.colleagues(session)
    async with request.app[FLOOR].database.transaction(session.tenant) as db:
        insatser = await visit_store.insatser(db)
        outcomes = await lists_store.outcomes(db)
        tasks = await shift_store.tasks_of(db, staff.id)
        relations = await relations_store.stated_by(db, staff.id)
    shift = None
    if staff.shift_id is not None and staff.shift_begun_at is not None:
        shift = MyShift(
            id=staff.shift_id, begun_at=staff.shift_begun_at.isoformat(), tasks=list(tasks)
        )
    return json_answer(
        Me(
            staff_id=staff.id,
            name=staff.name,
            given_name=staff.given_name,
            languages=list(staff.languages),
            roles=[str(role) for role in staff.roles],
            may=[one for one in Permission if staff.may(one)],
            tenant_name=tenant.name,
            unit_id=staff.works_in,
            unit_name=staff.shift_unit_name or staff.unit_name,
            language=staff.language,
            shift=shift,
            units=[
                UnitChoice(id=unit.id, name=unit.name)
                for unit in units
                if staff.may_in(Permission.WORK, unit.id)
            ],
            colleagues=[UnitChoice(id=c.id, name=c.name) for c in colleagues],
            insatser=[InsatsChoice(id=i.id, name=i.name, minutes=i.minutes) for i in insatser],
            outcomes=[UnitChoice(id=one, name=name) for one, name in outcomes],
            relations=[
                MyRelation(resident_id=one.resident_id, given_name=one.given_name, kind=one.kind)
                for one in relations
            ],
            session_ends_at=session.expires_at,
            demo=request.app[TEMPLATES].is_demo,
        )
    )


class Health(Answer):
    ok: bool


async def healthz(request: web.Request) -> web.Response:
    """The process lives."""
    del request
    return json_answer(Health(ok=True))


async def readyz(request: web.Request) -> web.Response:
    """Database and broker answer, no record waits long for its place in the log's tree, and next
    month's records have a table.
    """
    floor = request.app[FLOOR]
    ok = await floor.database.is_up() and all(one.is_up for one in request.app[BROKERS])
    if ok:
        async with floor.database.across_tenants() as db:
            is_kept_up = await longest_wait(db) <= LONGEST_WAIT
            ok = is_kept_up and await has_room(db, floor.clock.now())
    return json_answer(Health(ok=ok), status=200 if ok else 503)


_SIGN_IN = (Code.SIGN_IN_FAILED, Code.RATE_LIMITED, Code.INVITATION_EXPIRED)
_NOT_YET = Exempt("nobody is signed in yet; signing in itself is recorded")
_OWN = Exempt("shows the signed-in person what is hers")
_NOBODY = Exempt("no personal data")

ROUTES = (
    Route("GET", "/", front, "public", _OWN, kind="page"),
    Route("GET", "/tv", tv, "public", _OWN, kind="page"),
    Route("GET", "/api/me", me, "staff", _OWN, answer=Me, permission=OWN),
    Route("POST", "/api/sign-in/begin", begin_sign_in, "public", _NOT_YET, Empty,
          errors=(Code.RATE_LIMITED,)),
    Route("POST", "/api/sign-in/finish", finish_sign_in, "public", Action.SIGNED_IN,
          CredentialBody, errors=_SIGN_IN, status=204),
    Route("GET", "/invitation", invitation, "public", _NOT_YET, kind="page"),
    Route("POST", "/api/invitations/begin", begin_registration, "public", _NOT_YET,
          InvitationBody, errors=(Code.INVITATION_EXPIRED,)),
    Route("POST", "/api/invitations/finish", finish_registration, "public",
          Action.PASSKEY_REGISTERED, RegistrationBody, errors=_SIGN_IN, status=204),
    Route("GET", "/healthz", healthz, "public", _NOBODY, answer=Health),
    Route("GET", "/readyz", readyz, "public", _NOBODY, answer=Health,
          errors=(Code.UNAVAILABLE,)),
)  # fmt: skip

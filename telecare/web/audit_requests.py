"""Begäran om utdrag: the register, a request's own page, its letter, and what is handed out.

There is no way here, or anywhere, to open a camera for whoever asks.
"""

from datetime import date, datetime, time, timedelta
from typing import Annotated, Literal
from uuid import UUID

from aiohttp import web
from pydantic import AfterValidator, StringConstraints, model_validator

from telecare.access.http import ACCESS, STAFF, path_id
from telecare.audit.actions import Action
from telecare.integrity.harm_test import SECRECY, Capacity, HarmTest, Outcome
from telecare.integrity.issuing import Issuing
from telecare.integrity.requests import ANSWERED_IN, Opened, Requests, WithoutCapacity
from telecare.integrity.requests_store import Asked, IdentifiedBy, Part
from telecare.integrity.words import AuditWords
from telecare.runtime.clock import STOCKHOLM, from_local
from telecare.runtime.http import Body, Route
from telecare.web.audit_frame import YEARS, audit_page, read_query
from telecare.web.audit_search import REASONS
from telecare.web.floor import FLOOR
from telecare.web.html import TEMPLATES, Sent, form_route
from telecare.web.html import Outcome as FormOutcome
from telecare.wire.errors import Code
from telecare.wire.ids import ExtractRequestId, ResidentId
from telecare.wire.signalling import Language

REQUESTS = web.AppKey("extract_requests", Requests)
ISSUING = web.AppKey("issuing", Issuing)
CAPACITIES = (
    "self", "cohabitant", "proxy", "guardian", "estate", "police", "court", "supervision", "other",
)  # fmt: skip
IDENTIFIED = ("id_document", "e_id", "known", "authority", "not_asked")
NO_CAMERA_FOR = ("police", "other")
LOOKS_AGAIN_FOR = timedelta(seconds=30)
"""So long the page asks again by itself after the decision; then by a link."""
LOOKS_AGAIN_S = 3

Line = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)]
Text = Annotated[str, StringConstraints(strip_whitespace=True, max_length=2000)]


def _of_our_time(day: date) -> date:
    if day.year not in YEARS:
        raise ValueError("year")
    return day


Day = Annotated[date, AfterValidator(_of_our_time)]


class About(Body):
    resident: UUID | None = None


class RequestForm(Body):
    """Days are Swedish; `until_day` counts to its end."""

    resident: UUID
    press: UUID | None = None
    capacity: Capacity | None = None
    capacity_document: Line = ""
    asked_by: Line = ""
    identified_by: IdentifiedBy
    diary_number: Annotated[str, StringConstraints(min_length=1, max_length=40)]
    wanted: Text = ""
    reason: Text = ""
    since_day: Day | None = None
    until_day: Day | None = None
    language: Language
    received_on: Day
    due_on: Day

    @property
    def asked(self) -> Asked:
        """Raises WithoutCapacity."""
        if self.capacity is None:
            raise WithoutCapacity("capacity")
        return Asked(
            resident_id=ResidentId(self.resident),
            diary_number=self.diary_number,
            asked_by=self.asked_by,
            capacity=self.capacity,
            capacity_document=self.capacity_document,
            identified_by=self.identified_by,
            wanted=self.wanted,
            reason=self.reason,
            since=_midnight(self.since_day) if self.since_day else None,
            until=_midnight(self.until_day + timedelta(days=1)) if self.until_day else None,
            language=self.language,
            received_on=self.received_on,
            due_on=self.due_on,
        )


def _midnight(day: date) -> datetime:
    return from_local(datetime.combine(day, time()))


class TestForm(Body):
    place: Annotated[str, StringConstraints(max_length=40)]
    answer: Literal["give", "withhold"]
    statute: Line = ""
    reason: Text = ""


class PersonForm(Body):
    """Somebody by name, or one of the staff."""

    name: Annotated[str, StringConstraints(min_length=2, max_length=80)] | None = None
    staff_id: UUID | None = None

    @model_validator(mode="after")
    def _one(self) -> "PersonForm":
        if (self.name is None) == (self.staff_id is None):
            raise ValueError("name")
        return self


class DecisionForm(Body):
    outcome: Outcome
    statute: Line = ""
    reason: Text = ""


class ExtractForm(Body):
    part: Part


# --- pages ----------------------------------------------------------------------------------------


async def listed(request: web.Request) -> web.StreamResponse:
    """Open ones, what is due first first; then those that are decided."""
    register = await request.app[REQUESTS].register(request[STAFF])
    return await audit_page(request, "requests", "requests", register=register)


async def new(request: web.Request, sent: Sent | None = None) -> web.StreamResponse:
    """A form about a resident; without one, where to find her."""
    about = read_query(request, About).resident
    if sent is not None:
        typed = next(iter(sent.values.get("resident", ())), "")
        about = About.model_validate({"resident": typed}).resident if _is_id(typed) else None
    resident = None
    if about is not None:
        resident = await request.app[REQUESTS].about(request[STAFF], ResidentId(about))
    today = _today(request)
    return await audit_page(
        request, "request-new", "requests", sent=sent, resident=resident, reasons=REASONS,
        capacities=CAPACITIES, identified=IDENTIFIED, today=today, due=today + ANSWERED_IN,
    )  # fmt: skip


def _is_id(typed: str) -> bool:
    try:
        UUID(typed)
    except ValueError:
        return False
    return True


def _today(request: web.Request) -> date:
    return request.app[FLOOR].clock.now().astimezone(STOCKHOLM).date()


async def one(request: web.Request, sent: Sent | None = None) -> web.StreamResponse:
    """What is asked, tested and decided, and what it comes to."""
    opened = await request.app[REQUESTS].read(request[STAFF], _id(request))
    page = await audit_page(
        request, "request", "requests", sent=sent, opened=opened, secrecy=SECRECY,
        no_camera_for=NO_CAMERA_FOR, last_day=_last_day(opened.request.asked),
    )  # fmt: skip
    decision = opened.decision
    if decision and decision.outcome != "none" and not opened.is_signed:
        now = request.app[FLOOR].clock.now()
        if now - decision.decided_at < LOOKS_AGAIN_FOR and request.method == "GET":
            page.headers["Refresh"] = str(LOOKS_AGAIN_S)
    return page


def _id(request: web.Request) -> ExtractRequestId:
    return ExtractRequestId(path_id(request))


def _last_day(asked: Asked) -> date | None:
    return (
        (asked.until - timedelta(seconds=1)).astimezone(STOCKHOLM).date() if asked.until else None
    )


async def letter(request: web.Request) -> web.StreamResponse:
    """The decision to whoever asked, in her language, with how to appeal when it is not all."""
    session = request[STAFF]
    opened: Opened = await request.app[REQUESTS].read(session, _id(request))
    language = opened.request.asked.language
    tenant = await request.app[ACCESS].tenant(session.tenant)
    return request.app[TEMPLATES].page(
        request, "audit/decision.html", language, opened=opened, words=AuditWords(language),
        tenant_name=tenant.name, last_day=_last_day(opened.request.asked),
    )  # fmt: skip


# --- forms ----------------------------------------------------------------------------------------


async def register(request: web.Request, form: RequestForm) -> FormOutcome:
    request_id = await request.app[REQUESTS].add(request[STAFF], form.asked, form.press)
    return f"/audit/requests/{request_id}"


async def test(request: web.Request, form: TestForm) -> FormOutcome:
    answer = HarmTest(form.place, "section", "", form.answer == "give", form.statute, form.reason)
    await request.app[REQUESTS].test(request[STAFF], _id(request), answer)
    return f"/audit/requests/{_id(request)}#harm"


async def person(request: web.Request, form: PersonForm) -> FormOutcome:
    who = form.staff_id or form.name or ""
    await request.app[REQUESTS].name_third(request[STAFF], _id(request), who)
    return f"/audit/requests/{_id(request)}#harm"


async def decide(request: web.Request, form: DecisionForm) -> FormOutcome:
    await request.app[REQUESTS].decide(
        request[STAFF], _id(request), form.outcome, statute=form.statute, reason=form.reason
    )
    return f"/audit/requests/{_id(request)}"


async def hand_out(request: web.Request, form: ExtractForm) -> FormOutcome:
    """A file; that it leaves is entered first."""
    handed = await request.app[ISSUING].hand_out(request[STAFF], _id(request), form.part)
    return web.Response(
        body=handed.content,
        content_type=handed.content_type,
        headers={
            "Cache-Control": "no-store",
            "Content-Disposition": f'attachment; filename="{handed.name}"',
        },
    )


_REGISTER = (
    Code.NOT_FOUND, Code.REQUEST_WITHOUT_CAPACITY, Code.REQUEST_DOCUMENT_MISSING,
    Code.REQUEST_NOT_IDENTIFIED, Code.REQUEST_ASKS_NO_REASON, Code.END_BEFORE_START,
)  # fmt: skip
_DECIDED = (Code.NOT_FOUND, Code.REQUEST_DECIDED)

ROUTES = (
    Route("GET", "/audit/requests", listed, "staff", Action.REQUESTS_LISTED, kind="page",
          permission="review"),
    Route("GET", "/audit/requests/new", new, "staff", Action.REQUEST_READ, kind="page",
          errors=(Code.NOT_FOUND, Code.FIELD_INVALID), permission="review"),
    form_route("/audit/requests", register, new, Action.REQUEST_REGISTERED, RequestForm,
               errors=_REGISTER, permission="review"),
    Route("GET", "/audit/requests/{id}", one, "staff", Action.REQUEST_READ, kind="page",
          errors=(Code.NOT_FOUND,), permission="review"),
    Route("GET", "/audit/requests/{id}/letter", letter, "staff", Action.REQUEST_READ, kind="page",
          errors=(Code.NOT_FOUND,), permission="review"),
    form_route("/audit/requests/{id}/test", test, one, Action.REQUEST_TESTED, TestForm,
               errors=(*_DECIDED, Code.REQUEST_GROUND_MISSING), permission="review"),
    form_route("/audit/requests/{id}/persons", person, one, Action.REQUEST_TESTED, PersonForm,
               errors=(*_DECIDED, Code.REQUEST_PERSON_THERE), permission="review"),
    form_route("/audit/requests/{id}/decision", decide, one, Action.REQUEST_DECIDED, DecisionForm,
               errors=(*_DECIDED, Code.REQUEST_GROUND_MISSING, Code.REQUEST_OUTCOME_DIFFERS,
                       Code.REQUEST_NOTHING_FOUND), permission="review"),
    form_route("/audit/requests/{id}/extract", hand_out, one, Action.EXTRACT_ISSUED, ExtractForm,
               errors=(Code.NOT_FOUND, Code.REQUEST_NOT_GRANTED, Code.EXTRACT_WAITS),
               permission="review"),
)  # fmt: skip

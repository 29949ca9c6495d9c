"""What does not fit, and the personal data breaches that are made of it."""

from datetime import datetime, timedelta
from typing import Annotated

from aiohttp import web
from pydantic import Field, StringConstraints

from telecare.access.http import STAFF, path_id
from telecare.audit.actions import Action
from telecare.integrity.findings import NOTIFY_WITHIN, Findings
from telecare.integrity.findings_store import Decision, Told
from telecare.integrity.reconciling import Reconciling
from telecare.runtime.clock import from_local
from telecare.runtime.http import Body, Empty, Route
from telecare.web.audit_frame import WallTime, audit_page
from telecare.web.floor import FLOOR
from telecare.web.html import Outcome, Sent, form_route
from telecare.wire.errors import Code

FINDINGS = web.AppKey("findings", Findings)
RECONCILING = web.AppKey("reconciling", Reconciling)
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=1000)]
HOURS = int(NOTIFY_WITHIN.total_seconds()) // 3600


class CloseForm(Body):
    note: Text


class IncidentForm(Body):
    """`known_at`: Swedish wall time."""

    title: Annotated[Text, Field(max_length=200)]
    known_at: WallTime


class DecideForm(Body):
    decision: Decision
    reason: Text


class NotifiedForm(Body):
    at: WallTime
    diary_number: Annotated[
        str, StringConstraints(strip_whitespace=True, min_length=1, max_length=40)
    ]


class ToldForm(Body):
    whether: Told
    how: Text


async def findings(request: web.Request, sent: Sent | None = None) -> web.StreamResponse:
    """Open ones first, and incidents; when the log was last compared with the homes."""
    session = request[STAFF]
    return await audit_page(
        request, "findings", "findings", sent=sent, hours=HOURS,
        found=await request.app[FINDINGS].overview(session),
        last=await request.app[RECONCILING].last(session), now=request.app[FLOOR].clock.now(),
        within=NOTIFY_WITHIN,
    )  # fmt: skip


async def compare(request: web.Request, _: Empty) -> Outcome:
    await request.app[RECONCILING].now(request[STAFF])
    return "/audit/findings"


async def close(request: web.Request, form: CloseForm) -> Outcome:
    await request.app[FINDINGS].close(request[STAFF], path_id(request), form.note)
    return "/audit/findings"


async def make_incident(request: web.Request, form: IncidentForm) -> Outcome:
    made = await request.app[FINDINGS].make_incident(
        request[STAFF], path_id(request), form.title, _moment(form.known_at)
    )
    return f"/audit/incidents/{made}"


async def incident(request: web.Request, sent: Sent | None = None) -> web.StreamResponse:
    """The file of one. It prints."""
    found = await request.app[FINDINGS].of_incident(request[STAFF], path_id(request))
    now = request.app[FLOOR].clock.now()
    left = max(found.due_at - now, timedelta())
    return await audit_page(
        request, "incident", "findings", sent=sent, file=found, path=_file(request), now=now,
        hours_left=int(left.total_seconds()) // 3600, hours=HOURS,
    )  # fmt: skip


async def decide(request: web.Request, form: DecideForm) -> Outcome:
    await request.app[FINDINGS].decide(request[STAFF], path_id(request), form.decision, form.reason)
    return _file(request)


async def notified(request: web.Request, form: NotifiedForm) -> Outcome:
    await request.app[FINDINGS].notified(
        request[STAFF], path_id(request), _moment(form.at), form.diary_number
    )
    return _file(request)


async def told(request: web.Request, form: ToldForm) -> Outcome:
    await request.app[FINDINGS].told(request[STAFF], path_id(request), form.whether, form.how)
    return _file(request)


async def close_incident(request: web.Request, _: Empty) -> Outcome:
    await request.app[FINDINGS].close_incident(request[STAFF], path_id(request))
    return _file(request)


def _moment(typed: datetime) -> datetime:
    return from_local(typed.replace(tzinfo=None))


def _file(request: web.Request) -> str:
    return f"/audit/incidents/{path_id(request)}"


_FILE = (Code.NOT_FOUND, Code.INCIDENT_CLOSED, Code.INCIDENT_NOT_DONE)
_FINDING = (Code.NOT_FOUND, Code.FINDING_CLOSED)
ROUTES = (
    Route("GET", "/audit/findings", findings, "staff", Action.FINDINGS_READ, kind="page",
          permission="review"),
    form_route("/audit/findings/compare", compare, findings, Action.LOG_COMPARED, Empty,
               permission="review"),
    form_route("/audit/findings/{id}", close, findings, Action.FINDING_CLOSED, CloseForm,
               errors=_FINDING, permission="review"),
    form_route("/audit/findings/{id}/incident", make_incident, findings, Action.INCIDENT_OPENED,
               IncidentForm, errors=_FINDING, permission="review"),
    Route("GET", "/audit/incidents/{id}", incident, "staff", Action.FINDINGS_READ, kind="page",
          errors=(Code.NOT_FOUND,), permission="review"),
    form_route("/audit/incidents/{id}/decide", decide, incident, Action.INCIDENT_DECIDED,
               DecideForm, errors=_FILE, permission="review"),
    form_route("/audit/incidents/{id}/notified", notified, incident, Action.INCIDENT_NOTIFIED,
               NotifiedForm, errors=_FILE, permission="review"),
    form_route("/audit/incidents/{id}/told", told, incident, Action.INCIDENT_TOLD, ToldForm,
               errors=_FILE, permission="review"),
    form_route("/audit/incidents/{id}/close", close_incident, incident, Action.INCIDENT_CLOSED,
               Empty, errors=_FILE, permission="review"),
)  # fmt: skip

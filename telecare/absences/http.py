"""Reporting an absence, and "Hemma igen"."""

from uuid import UUID

from aiohttp import web
from pydantic import AwareDatetime, Field

from telecare.absences.service import Absences, Report
from telecare.access.http import STAFF, path_id
from telecare.audit.actions import Action
from telecare.runtime.http import Answer, Body, Empty, Route, json_answer, nothing, read_body
from telecare.wire.errors import Code
from telecare.wire.ids import AbsenceId, ResidentId
from telecare.wire.signalling import AbsenceKind

ABSENCES = web.AppKey("absences", Absences)


class AbsenceBody(Body):
    kind: AbsenceKind
    from_at: AwareDatetime | None = None
    """Now, when it is not said."""
    until_at: AwareDatetime | None = None
    """Open, when nobody knows."""
    reported_by: str = Field(min_length=1, max_length=200)
    note: str = Field(default="", max_length=1000)


class Reported(Answer):
    id: UUID


async def report(request: web.Request) -> web.Response:
    body = await read_body(request, AbsenceBody)
    made = await request.app[ABSENCES].report(
        request[STAFF],
        ResidentId(path_id(request)),
        Report(
            kind=body.kind,
            from_at=body.from_at,
            until_at=body.until_at,
            reported_by=body.reported_by,
            note=body.note,
        ),
    )
    return json_answer(Reported(id=made), status=201)


async def home(request: web.Request) -> web.Response:
    """ "Hemma igen"."""
    await read_body(request, Empty)
    await request.app[ABSENCES].home(request[STAFF], AbsenceId(path_id(request)))
    return nothing()


ROUTES = (
    Route("POST", "/api/residents/{id}/absences", report, "staff", Action.ABSENCE_REPORTED,
          AbsenceBody, Reported, (Code.NOT_ASSIGNED, Code.RESIDENT_ENDED, Code.ABSENCE_OVERLAPS),
          status=201),
    Route("POST", "/api/absences/{id}/home", home, "staff", Action.ABSENCE_ENDED, Empty,
          errors=(Code.NOT_ASSIGNED,), status=204),
)  # fmt: skip

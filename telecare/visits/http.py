"""The day's visits: planning, ringing, outcomes and next steps."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from aiohttp import web
from pydantic import AwareDatetime, Field, NaiveDatetime

from telecare.access.http import STAFF, path_id
from telecare.audit.actions import Action
from telecare.calls.http import RING_ERRORS, Ringing
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
from telecare.visits.model import Outcome, Repeat, Step
from telecare.visits.service import Plan, Visits
from telecare.wire.errors import Code
from telecare.wire.ids import CareUnitId, ResidentId, StaffId, VisitId

VISITS = web.AppKey("visits", Visits)
Note = Annotated[str, Field(max_length=2000)]
ToDo = Annotated[str, Field(min_length=1, max_length=200)]


class RepeatBody(Body):
    rule: Literal["daily", "weekly"]
    weekdays: list[Annotated[int, Field(ge=0, le=6)]] = Field(default_factory=list, max_length=7)
    until: date


class PlanBody(Body):
    resident_id: UUID
    insats_id: UUID
    starts_at: NaiveDatetime
    """Swedish wall time."""
    minutes: int = Field(ge=1, le=240)
    staff_id: UUID | None = None
    unit_id: UUID | None = None
    to_do: list[ToDo] = Field(default_factory=list, max_length=20)
    to_know: Note = ""
    repeat: RepeatBody | None = None


class Planned(Answer):
    ids: list[UUID]


class OutcomeBody(Body):
    outcome: Outcome
    note: Note = ""
    done: list[int] = Field(default_factory=list, max_length=20)


class StepBody(Body):
    step: Step
    at: AwareDatetime | None = None
    note: Note = ""


class MoveBody(Body):
    starts_at: AwareDatetime


class CancelBody(Body):
    reason: str = Field(min_length=1, max_length=500)


class HandOverBody(Body):
    staff_id: UUID


class HandOverChoice(Answer):
    not_to: list[UUID]
    """Of the colleagues, those not to choose."""


class ToDoItem(Answer):
    n: int
    text: str
    done: bool


class LastCall(Answer):
    at: datetime
    minutes: int
    outcome: str


class LivesHere(Answer):
    name: str
    relation: str
    has_said_yes: bool


class VisitDetail(Answer):
    id: UUID
    starts_at: datetime
    minutes: int
    insats: str
    resident_id: UUID
    resident_name: str
    resident_language: str
    state: str
    to_do: list[ToDoItem]
    to_know: str
    note: str
    last_call: LastCall | None
    lives_here: list[LivesHere]


async def plan(request: web.Request) -> web.Response:
    body = await read_body(request, PlanBody)
    repeat = body.repeat
    ids = await request.app[VISITS].plan(
        request[STAFF],
        Plan(
            resident_id=ResidentId(body.resident_id),
            insats_id=body.insats_id,
            first=body.starts_at,
            minutes=body.minutes,
            staff_id=StaffId(body.staff_id) if body.staff_id else None,
            unit_id=CareUnitId(body.unit_id) if body.unit_id else None,
            to_do=tuple(body.to_do),
            to_know=body.to_know,
            repeat=Repeat(repeat.rule, tuple(repeat.weekdays), repeat.until) if repeat else None,
        ),
    )
    return json_answer(Planned(ids=list(ids)), status=201)


async def detail(request: web.Request) -> web.Response:
    """What to do and to know in this visit."""
    found = await request.app[VISITS].detail(request[STAFF], VisitId(path_id(request)))
    visit = found.visit
    return json_answer(
        VisitDetail(
            id=visit.id,
            starts_at=visit.starts_at,
            minutes=visit.minutes,
            insats=found.insats.name,
            resident_id=found.resident.id,
            resident_name=found.resident.name,
            resident_language=found.resident.language,
            state=str(visit.state),
            to_do=[
                ToDoItem(n=n, text=text, done=n in visit.done) for n, text in enumerate(visit.to_do)
            ],
            to_know=" ".join(part for part in (visit.to_know, *found.resident.to_know) if part),
            note=visit.note,
            last_call=LastCall(at=found.last[0], minutes=found.last[1], outcome=found.last[2])
            if found.last
            else None,
            lives_here=[
                LivesHere(name=c.name, relation=c.relation, has_said_yes=c.id in found.said_yes)
                for c in found.lives_here
            ],
        )
    )


async def ring(request: web.Request) -> web.Response:
    """ "Ring nu"."""
    await read_body(request, Empty)
    call_id = await request.app[VISITS].ring(request[STAFF], VisitId(path_id(request)))
    return json_answer(Ringing(call_id=call_id), status=201)


async def conclude(request: web.Request) -> web.Response:
    body = await read_body(request, OutcomeBody)
    await request.app[VISITS].conclude(
        request[STAFF], VisitId(path_id(request)), body.outcome, note=body.note, done=body.done
    )
    return nothing()


async def take_step(request: web.Request) -> web.Response:
    body = await read_body(request, StepBody)
    await request.app[VISITS].take_step(
        request[STAFF], VisitId(path_id(request)), body.step, at=body.at, note=body.note
    )
    return nothing()


async def move(request: web.Request) -> web.Response:
    body = await read_body(request, MoveBody)
    await request.app[VISITS].move(request[STAFF], VisitId(path_id(request)), body.starts_at)
    return nothing()


async def cancel(request: web.Request) -> web.Response:
    body = await read_body(request, CancelBody)
    await request.app[VISITS].cancel(request[STAFF], VisitId(path_id(request)), body.reason)
    return nothing()


async def choose_for_hand_over(request: web.Request) -> web.Response:
    """What the choice of a colleague leaves out."""
    not_to = await request.app[VISITS].not_to(request[STAFF], VisitId(path_id(request)))
    return json_answer(HandOverChoice(not_to=sorted(not_to)))


async def choose_for_plan(request: web.Request) -> web.Response:
    """What the choice of who is to hold a planned visit leaves out."""
    not_for = await request.app[VISITS].not_for(request[STAFF], ResidentId(path_id(request)))
    return json_answer(HandOverChoice(not_to=sorted(not_for)))


async def hand_over(request: web.Request) -> web.Response:
    body = await read_body(request, HandOverBody)
    await request.app[VISITS].hand_over(
        request[STAFF], VisitId(path_id(request)), StaffId(body.staff_id)
    )
    return nothing()


_CLOSED = (Code.VISIT_CLOSED,)
ROUTES = (
    Route("POST", "/api/visits", plan, "staff", Action.VISIT_PLANNED, PlanBody, Planned,
          (Code.NOT_PERMITTED, Code.SERIES_EMPTY, Code.OWN_RELATION), status=201,
          permission="plan"),
    Route("GET", "/api/residents/{id}/not-for", choose_for_plan, "staff",
          Exempt("whom not to choose; the plan is recorded"), answer=HandOverChoice,
          errors=(Code.NOT_PERMITTED,), permission="plan"),
    Route("GET", "/api/visits/{id}", detail, "staff", Action.VISIT_READ, answer=VisitDetail,
          errors=(Code.NOT_ASSIGNED,)),
    Route("POST", "/api/visits/{id}/ring", ring, "staff", Action.CALL_RUNG, Empty, Ringing,
          (*RING_ERRORS, *_CLOSED), status=201),
    Route("POST", "/api/visits/{id}/outcome", conclude, "staff", Action.VISIT_CONCLUDED,
          OutcomeBody, errors=(*_CLOSED, Code.OUTCOME_NEEDS_CALL, Code.NOT_ASSIGNED), status=204),
    Route("POST", "/api/visits/{id}/step", take_step, "staff", Action.VISIT_STEP_CHOSEN, StepBody,
          errors=(*_CLOSED, Code.NOT_ASSIGNED), status=204),
    Route("POST", "/api/visits/{id}/move", move, "staff", Action.VISIT_MOVED, MoveBody,
          errors=(*_CLOSED, Code.NOT_PERMITTED), status=204, permission="plan"),
    Route("POST", "/api/visits/{id}/cancel", cancel, "staff", Action.VISIT_CANCELLED, CancelBody,
          errors=(*_CLOSED, Code.NOT_PERMITTED), status=204, permission="plan"),
    Route("GET", "/api/visits/{id}/hand-over", choose_for_hand_over, "staff",
          Exempt("whom not to choose; the choice is recorded"), answer=HandOverChoice,
          errors=(Code.NOT_PERMITTED,)),
    Route("POST", "/api/visits/{id}/hand-over", hand_over, "staff", Action.VISIT_HANDED_OVER,
          HandOverBody, errors=(*_CLOSED, Code.NOT_PERMITTED, Code.OWN_RELATION), status=204),
)  # fmt: skip

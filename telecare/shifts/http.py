"""Beginning and ending a shift, and handing over what is held open."""

from typing import Literal
from uuid import UUID

from aiohttp import web
from pydantic import AwareDatetime, Field

from telecare.access.http import STAFF, Made, path_id
from telecare.audit.actions import Action
from telecare.runtime.http import Answer, Body, Empty, Route, json_answer, nothing, read_body
from telecare.shifts.model import Task
from telecare.shifts.service import Ask, HeldThing, Shifts
from telecare.wire.errors import Code
from telecare.wire.ids import CareUnitId, HandOverId, StaffId

SHIFTS = web.AppKey("shifts", Shifts)


class ShiftBody(Body):
    unit_id: UUID
    tasks: list[Task] = Field(default_factory=list, max_length=3)


class AskBody(Body):
    """`staff_id` or `unit_id`, not both."""

    kind: str = Field(max_length=20)
    about_id: UUID
    staff_id: UUID | None = None
    unit_id: UUID | None = None


class AskedOf(Answer):
    """The question about a thing that is still in sight."""

    id: UUID
    state: Literal["asked", "declined", "unanswered"]
    to_name: str


class HeldItem(Answer):
    kind: str
    id: UUID
    resident_id: UUID
    resident_name: str
    since: AwareDatetime
    can_hand_over: bool
    asked: AskedOf | None
    not_to: list[UUID]
    """Of the colleagues, those not to ask about this."""


class ColleagueOnShift(Answer):
    id: UUID
    name: str
    unit_name: str


class UnitToAsk(Answer):
    id: UUID
    name: str


class HeldList(Answer):
    items: list[HeldItem]
    colleagues: list[ColleagueOnShift]
    """On shift now, those of the same unit first."""
    units: list[UnitToAsk]


async def begin(request: web.Request) -> web.Response:
    """ "Börja passet"."""
    body = await read_body(request, ShiftBody)
    unit = CareUnitId(body.unit_id)
    shift = await request.app[SHIFTS].begin(request[STAFF], unit, body.tasks)
    return json_answer(Made(id=shift), status=201)


async def end(request: web.Request) -> web.Response:
    """ "Avsluta passet": when nothing is held any more."""
    await read_body(request, Empty)
    await request.app[SHIFTS].end(request[STAFF])
    return nothing()


async def held(request: web.Request) -> web.Response:
    """What keeps her shift open, and who could take it."""
    found = await request.app[SHIFTS].held_open(request[STAFF])
    return json_answer(
        HeldList(
            items=[_item(thing) for thing in found.things],
            colleagues=[
                ColleagueOnShift(id=one.id, name=one.name, unit_name=one.unit_name)
                for one in found.colleagues
            ],
            units=[UnitToAsk(id=unit.id, name=unit.name) for unit in found.units],
        )
    )


def _item(thing: HeldThing) -> HeldItem:
    one, asked = thing.held, thing.asked
    return HeldItem.model_validate({
        "kind": one.kind,
        "id": one.id,
        "resident_id": one.person.id,
        "resident_name": one.person.shown_name,
        "since": one.since,
        "can_hand_over": thing.can_hand_over,
        "not_to": list(thing.not_to),
        "asked": asked and {
            "id": asked.hand_over.id,
            "state": str(asked.hand_over.state),
            "to_name": asked.to_name,
        },
    })  # fmt: skip


async def ask(request: web.Request) -> web.Response:
    """Ask a colleague or a unit to take one thing over."""
    body = await read_body(request, AskBody)
    made = await request.app[SHIFTS].ask(
        request[STAFF],
        Ask(
            kind=body.kind,
            about_id=body.about_id,
            to_staff_id=StaffId(body.staff_id) if body.staff_id else None,
            to_unit_id=CareUnitId(body.unit_id) if body.unit_id else None,
        ),
    )
    return json_answer(Made(id=made), status=201)


async def accept(request: web.Request) -> web.Response:
    """ "Ta emot"; the first wins."""
    await read_body(request, Empty)
    await request.app[SHIFTS].accept(request[STAFF], HandOverId(path_id(request)))
    return nothing()


async def decline(request: web.Request) -> web.Response:
    """ "Nej", from the colleague who was asked by name."""
    await read_body(request, Empty)
    await request.app[SHIFTS].decline(request[STAFF], HandOverId(path_id(request)))
    return nothing()


async def withdraw(request: web.Request) -> web.Response:
    """ "Behåll": the giver keeps it."""
    await read_body(request, Empty)
    await request.app[SHIFTS].withdraw(request[STAFF], HandOverId(path_id(request)))
    return nothing()


_CLOSED = (Code.HAND_OVER_CLOSED,)
_ANSWER = (*_CLOSED, Code.NOT_PERMITTED, Code.NOT_ON_SHIFT)
ROUTES = (
    Route("POST", "/api/shifts/begin", begin, "staff", Action.SHIFT_BEGUN, ShiftBody, Made,
          (Code.SHIFT_ALREADY_BEGUN, Code.NOT_PERMITTED), status=201),
    Route("POST", "/api/shifts/end", end, "staff", Action.SHIFT_ENDED, Empty,
          errors=(Code.NOT_ON_SHIFT, Code.SHIFT_HOLDS_OPEN), status=204),
    Route("GET", "/api/shifts/held", held, "staff", Action.LIST_READ, answer=HeldList),
    Route("POST", "/api/hand-overs", ask, "staff", Action.HAND_OVER_ASKED, AskBody, Made,
          (Code.NOT_ON_SHIFT, Code.HAND_OVER_IMPOSSIBLE, Code.OWN_RELATION), status=201),
    Route("POST", "/api/hand-overs/{id}/accept", accept, "staff", Action.HAND_OVER_ACCEPTED,
          Empty, errors=(*_ANSWER, Code.REASON_NEEDED), status=204),
    Route("POST", "/api/hand-overs/{id}/decline", decline, "staff", Action.HAND_OVER_DECLINED,
          Empty, errors=_ANSWER, status=204),
    Route("POST", "/api/hand-overs/{id}/withdraw", withdraw, "staff", Action.HAND_OVER_WITHDRAWN,
          Empty, errors=_CLOSED, status=204),
)  # fmt: skip

"""Taking alarms, what is done about them, and closing them."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Literal
from uuid import UUID

from aiohttp import web
from pydantic import Field

from telecare.access.http import SCREEN, STAFF, path_id
from telecare.alarms.model import Closing, Person, PressedBy
from telecare.alarms.recent import RecentAlarms
from telecare.alarms.service import Alarms
from telecare.audit.actions import Action
from telecare.runtime.http import Answer, Body, Empty, Route, json_answer, nothing, read_body
from telecare.wire.errors import Code
from telecare.wire.ids import AlarmId

ALARMS = web.AppKey("alarms", Alarms)
RECENT = web.AppKey("recent_alarms", RecentAlarms)


class NoteBody(Body):
    text: str = Field(min_length=1, max_length=500)


class TalkedBody(Body):
    to: Person


class CloseBody(Body):
    pressed_by: PressedBy
    cause_id: UUID
    measure_id: UUID
    note: str = Field(default="", max_length=2000)


class StepAnswer(Answer):
    at: datetime
    kind: str
    by: str | None
    unit: str | None
    what: dict[str, str]


class ItemAnswer(Answer):
    id: UUID
    name: str


class OverAnswer(Answer):
    """An alarm that is at rest. `closed_by`: '' a protected name, null nobody."""

    id: UUID
    state: Literal["closed", "cancelled", "tested"]
    trigger: str
    device: str
    place: str
    resident_id: UUID
    resident_name: str
    pressed_at: datetime
    closed_at: datetime | None
    closed_by: str | None
    cause: str | None
    measure: str | None


class RecentAnswer(Answer):
    items: Sequence[OverAnswer]


class AlarmAnswer(Answer):
    """Everything that has happened with it, and what it can be closed with."""

    id: UUID
    state: str
    trigger: str
    device: str
    place: str
    resident_id: UUID
    resident_name: str
    pressed_at: datetime
    mine: bool
    cancelled: bool
    may_close: bool
    steps: Sequence[StepAnswer]
    next_at: datetime | None
    next_unit: str | None
    """Who is asked then, while nobody has it; null: the unit's head."""
    causes: Sequence[ItemAnswer]
    measures: Sequence[ItemAnswer]


def _id(request: web.Request) -> AlarmId:
    return AlarmId(path_id(request))


async def recent(request: web.Request) -> web.Response:
    """Those of the last 24 hours that are at rest, newest first."""
    found = await request.app[RECENT].listed(request[STAFF])
    return json_answer(RecentAnswer(items=[OverAnswer.model_validate(asdict(a)) for a in found]))


async def read(request: web.Request) -> web.Response:
    session = request[STAFF]
    view = await request.app[ALARMS].view(session, _id(request))
    alarm = view.alarm
    return json_answer(
        AlarmAnswer(
            id=alarm.id,
            state=str(alarm.state),
            trigger=alarm.trigger,
            device=alarm.device,
            place=alarm.place,
            resident_id=alarm.resident_id,
            resident_name=view.resident_name,
            pressed_at=alarm.pressed_at,
            mine=alarm.taken_by == session.staff.id,
            cancelled=alarm.cancelled_at is not None,
            may_close=alarm.contact_at is not None and alarm.taken_by == session.staff.id,
            steps=[
                StepAnswer(
                    at=step.at,
                    kind=step.kind,
                    by=step.staff_name,
                    unit=step.unit_name,
                    what={key: str(value) for key, value in step.what.items()},
                )
                for step in view.steps
            ],
            next_at=view.next_at,
            next_unit=view.next_unit,
            causes=[ItemAnswer(id=id_, name=name) for id_, name in view.causes],
            measures=[ItemAnswer(id=id_, name=name) for id_, name in view.measures],
        )
    )


async def take(request: web.Request) -> web.Response:
    """ "Svara på larm"."""
    await read_body(request, Empty)
    await request.app[ALARMS].take(request[STAFF], _id(request))
    return nothing()


async def note(request: web.Request) -> web.Response:
    body = await read_body(request, NoteBody)
    await request.app[ALARMS].note(request[STAFF], _id(request), body.text)
    return nothing()


async def talked(request: web.Request) -> web.Response:
    """ "Talade i telefon"."""
    body = await read_body(request, TalkedBody)
    await request.app[ALARMS].talked(request[STAFF], _id(request), body.to)
    return nothing()


async def send(request: web.Request) -> web.Response:
    """ "Skicka personal"."""
    await read_body(request, Empty)
    await request.app[ALARMS].send(request[STAFF], _id(request))
    return nothing()


async def give_back(request: web.Request) -> web.Response:
    await read_body(request, Empty)
    await request.app[ALARMS].give_back(request[STAFF], _id(request))
    return nothing()


async def close(request: web.Request) -> web.Response:
    """ "Klar"."""
    body = await read_body(request, CloseBody)
    closing = Closing(body.pressed_by, body.cause_id, body.measure_id, body.note)
    await request.app[ALARMS].close(request[STAFF], _id(request), closing)
    return nothing()


class PressBody(Body):
    press: UUID


async def press(request: web.Request) -> web.Response:
    """ "Larma", on the TV."""
    body = await read_body(request, PressBody)
    await request.app[ALARMS].press_on_tv(request[SCREEN], body.press)
    return nothing()


async def cancel(request: web.Request) -> web.Response:
    """ "Jag tryckte fel", on the TV."""
    await read_body(request, Empty)
    await request.app[ALARMS].cancel_on_tv(request[SCREEN], _id(request))
    return nothing()


_HERS = (Code.NOT_YOUR_ALARM, Code.ALARM_CLOSED)
ROUTES = (
    Route("POST", "/api/tv/alarms", press, "screen", Action.ALARM_RAISED, PressBody, status=204),
    Route("POST", "/api/tv/alarms/{id}/cancel", cancel, "screen", Action.ALARM_CANCELLED, Empty,
          errors=(Code.NOT_FOUND,), status=204),
    Route("GET", "/api/alarms", recent, "staff", Action.LIST_READ, answer=RecentAnswer,
          permission="work"),
    Route("GET", "/api/alarms/{id}", read, "staff", Action.ALARM_READ, answer=AlarmAnswer),
    Route("POST", "/api/alarms/{id}/take", take, "staff", Action.ALARM_TAKEN, Empty,
          errors=(Code.ALARM_TAKEN, Code.ALARM_CLOSED), status=204, permission="alarm"),
    Route("POST", "/api/alarms/{id}/note", note, "staff", Action.ALARM_NOTED, NoteBody,
          errors=_HERS, status=204),
    Route("POST", "/api/alarms/{id}/talked", talked, "staff", Action.ALARM_CONTACT, TalkedBody,
          errors=_HERS, status=204),
    Route("POST", "/api/alarms/{id}/send", send, "staff", Action.DISPATCH_ASKED, Empty,
          errors=_HERS, status=204),
    Route("POST", "/api/alarms/{id}/give-back", give_back, "staff", Action.ALARM_RETURNED, Empty,
          errors=_HERS, status=204),
    Route("POST", "/api/alarms/{id}/close", close, "staff", Action.ALARM_CLOSED, CloseBody,
          errors=(*_HERS, Code.CONTACT_MISSING), status=204),
)  # fmt: skip

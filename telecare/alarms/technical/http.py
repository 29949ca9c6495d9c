"""Taking technical alarms and closing them; the devices page."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal, assert_never
from uuid import UUID

from aiohttp import web
from pydantic import Field

from telecare.access.http import STAFF, path_id
from telecare.alarms.technical.model import Kind
from telecare.alarms.technical.overview import Health, Overview
from telecare.alarms.technical.overview_store import AlarmUnitDevice, Device
from telecare.alarms.technical.service import TechnicalAlarms
from telecare.audit.actions import Action
from telecare.runtime.http import Answer, Body, Empty, Route, json_answer, nothing, read_body
from telecare.wire.errors import Code
from telecare.wire.ids import EndpointId

TECHNICAL = web.AppKey("technical", TechnicalAlarms)
OVERVIEW = web.AppKey("overview", Overview)


class DoneBody(Body):
    note: str = Field(min_length=1, max_length=500)


async def take(request: web.Request) -> web.Response:
    """ "Jag tar det"."""
    await read_body(request, Empty)
    await request.app[TECHNICAL].take(request[STAFF], path_id(request))
    return nothing()


async def close(request: web.Request) -> web.Response:
    """ "Klar"."""
    body = await read_body(request, DoneBody)
    await request.app[TECHNICAL].close(request[STAFF], path_id(request), body.note)
    return nothing()


async def take_outage(request: web.Request) -> web.Response:
    """ "Jag tar det", of a Driftstörning."""
    await read_body(request, Empty)
    await request.app[TECHNICAL].take_outage(request[STAFF], path_id(request))
    return nothing()


class WeakAnswer(Answer):
    device: str
    percent: int


class DeviceAnswer(Answer):
    """`need`: what must be done first; `mains`, `battery_percent`: null where it cannot tell;
    `here`: null where nobody knows how often it says something; `label`: an alarm unit's number and
    place.
    """

    id: UUID
    kind: Literal["tv", "unit", "alarm_unit"]
    label: str
    resident_id: UUID
    resident_name: str
    address: str
    unit_name: str
    need: Literal["silent", "fault", "battery", "test", "nothing"]
    here: bool | None
    seen_at: datetime | None
    mains: bool | None
    battery_percent: int | None
    path: str | None
    weak: Sequence[WeakAnswer]
    troubles: Sequence[Kind]
    tested_at: datetime | None
    alarmed_at: datetime | None
    longest_silence_s: int | None
    asked: bool


class DevicesAnswer(Answer):
    items: Sequence[DeviceAnswer]


async def devices(request: web.Request) -> web.Response:
    found = await request.app[OVERVIEW].listed(request[STAFF])
    return json_answer(DevicesAnswer(items=[_device(one) for one in found]))


def _device(health: Health) -> DeviceAnswer:
    one, silence = health.device, health.longest_silence
    return DeviceAnswer.model_validate({
        **_own(one),
        "id": one.id,
        "resident_id": one.resident_id,
        "resident_name": one.resident_name,
        "address": one.address,
        "unit_name": one.unit_name,
        "need": health.need.name.lower(),
        "here": health.is_here,
        "seen_at": one.seen_at,
        "weak": [{"device": device, "percent": percent} for device, percent in health.weak],
        "tested_at": health.tried.tested_at,
        "alarmed_at": health.tried.alarmed_at,
        "longest_silence_s": int(silence.total_seconds()) if silence is not None else None,
        "asked": one.is_asked_for,
    })  # fmt: skip


def _own(device: Device | AlarmUnitDevice) -> Mapping[str, object]:
    """What only one of the kinds can tell."""
    match device:
        case Device():
            return {
                "kind": device.kind, "label": device.label, "mains": device.mains,
                "battery_percent": device.battery_percent, "path": device.path, "troubles": (),
            }  # fmt: skip
        case AlarmUnitDevice():
            return {
                "kind": "alarm_unit",
                "label": ", ".join(word for word in (device.account, device.place) if word),
                "mains": False if "unit_mains" in device.troubles else None,
                "battery_percent": None, "path": None, "troubles": device.troubles,
            }  # fmt: skip
        case _:
            assert_never(device)


async def ask_for(request: web.Request) -> web.Response:
    """ "Skicka tekniker", "Beställ byte", "Be om prov": a task of the unit."""
    await read_body(request, Empty)
    await request.app[OVERVIEW].ask_for(request[STAFF], EndpointId(path_id(request)))
    return nothing()


_CLOSED = (Code.TECHNICAL_CLOSED,)
ROUTES = (
    Route("GET", "/api/devices", devices, "staff", Action.LIST_READ, answer=DevicesAnswer,
          permission="work"),
    Route("POST", "/api/devices/{id}/ask-for", ask_for, "staff", Action.FOLLOW_UP_MADE, Empty,
          errors=(Code.NOT_FOUND,), status=204, permission="work"),
    Route("POST", "/api/technical/{id}/take", take, "staff", Action.TECHNICAL_TAKEN, Empty,
          errors=_CLOSED, status=204, permission="alarm"),
    Route("POST", "/api/technical/{id}/close", close, "staff", Action.TECHNICAL_CLOSED, DoneBody,
          errors=_CLOSED, status=204, permission="alarm"),
    Route("POST", "/api/outages/{id}/take", take_outage, "staff", Action.OUTAGE_TAKEN, Empty,
          errors=_CLOSED, status=204, permission="alarm"),
)  # fmt: skip

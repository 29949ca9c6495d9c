"""Administration of endings: ending somebody's care here, undoing it, closing one device."""

from datetime import date
from typing import Literal
from uuid import UUID

from aiohttp import web

from telecare.access.http import STAFF, path_id
from telecare.audit.actions import Action
from telecare.devices.http import DEVICES
from telecare.endings.service import Endings
from telecare.runtime.clock import STOCKHOLM
from telecare.runtime.http import Body, Route
from telecare.web.admin import NothingForm, admin_page, after
from telecare.web.admin_people import KEEPING, person
from telecare.web.floor import FLOOR
from telecare.web.html import Sent, read_form, submitted
from telecare.wire.errors import Code
from telecare.wire.ids import EndingId, EndpointId, ResidentId

ENDINGS = web.AppKey("endings", Endings)


class EndingForm(Body):
    reason: Literal["deceased", "moved", "declined"]
    on_date: date


class DeviceForm(Body):
    """The device whose button was pressed."""

    one: UUID


async def ending(request: web.Request, sent: Sent | None = None) -> web.StreamResponse:
    """What an ending ends, before it does."""
    resident_id = ResidentId(path_id(request))
    card = await request.app[KEEPING].card(request[STAFF], resident_id)
    today = request.app[FLOOR].clock.now().astimezone(STOCKHOLM).date()
    return await admin_page(
        request, "ending", "people", sent=sent, resident=card.resident, today=today
    )


async def end(request: web.Request) -> web.StreamResponse:
    async def act() -> str:
        form = await read_form(request, EndingForm)
        resident_id = ResidentId(path_id(request))
        await request.app[ENDINGS].end(request[STAFF], resident_id, form.reason, form.on_date)
        return after("/admin/endings", "ended")

    return await submitted(request, act, ending)


async def endings(request: web.Request, sent: Sent | None = None) -> web.StreamResponse:
    """Planned, and those that a colleague may still undo."""
    session = request[STAFF]
    listed = await request.app[ENDINGS].undoable(session)
    return await admin_page(
        request, "endings", "endings", sent=sent, listed=listed, me=session.staff.id
    )


async def undo(request: web.Request) -> web.StreamResponse:
    async def act() -> str:
        await read_form(request, NothingForm)
        await request.app[ENDINGS].undo(request[STAFF], EndingId(path_id(request)))
        return after("/admin/endings", "undone")

    return await submitted(request, act, endings)


async def close_device(request: web.Request) -> web.StreamResponse:
    """From the person it stands with, never by a number typed from a list."""

    async def act() -> str:
        form = await read_form(request, DeviceForm)
        resident_id = ResidentId(path_id(request))
        await request.app[DEVICES].close(request[STAFF], resident_id, EndpointId(form.one))
        return after(f"/admin/people/{resident_id}", "ended")

    return await submitted(request, act, person)


_FORM = (Code.FIELD_INVALID, Code.NOT_PERMITTED)
ROUTES = (
    Route("GET", "/admin/people/{id}/ending", ending, "staff", Action.REGISTER_READ, kind="page",
          errors=(Code.NOT_PERMITTED,), permission="plan"),
    Route("POST", "/admin/people/{id}/ending", end, "staff", Action.RESIDENT_ENDED, EndingForm,
          errors=(*_FORM, Code.RESIDENT_ENDED), kind="page", permission="plan"),
    Route("POST", "/admin/people/{id}/devices/close", close_device, "staff", Action.DEVICE_CLOSED,
          DeviceForm, errors=_FORM, kind="page", permission="plan"),
    Route("GET", "/admin/endings", endings, "staff", Action.LIST_READ, kind="page",
          permission="plan"),
    Route("POST", "/admin/endings/{id}/undo", undo, "staff", Action.ENDING_UNDONE, NothingForm,
          errors=(*_FORM, Code.ENDING_UNDO_OWN, Code.ENDING_UNDO_LATE), kind="page",
          permission="plan"),
)  # fmt: skip

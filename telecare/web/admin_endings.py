"""Administration of endings: ending somebody's care here, undoing it, closing one device."""

from datetime import date
from typing import Literal

from aiohttp import web

from telecare.access.http import STAFF, path_id
from telecare.audit.actions import Action
from telecare.devices.http import DEVICES
from telecare.endings.service import Endings
from telecare.runtime.clock import STOCKHOLM
from telecare.runtime.http import Body, Empty, Route
from telecare.web.admin import admin_page, after
from telecare.web.admin_people import KEEPING, person
from telecare.web.floor import FLOOR
from telecare.web.html import OneForm, Sent, form_route
from telecare.wire.errors import Code
from telecare.wire.ids import EndingId, EndpointId, ResidentId

ENDINGS = web.AppKey("endings", Endings)


class EndingForm(Body):
    reason: Literal["deceased", "moved", "declined"]
    on_date: date


async def ending(request: web.Request, sent: Sent | None = None) -> web.StreamResponse:
    """What an ending ends, before it does."""
    resident_id = ResidentId(path_id(request))
    card = await request.app[KEEPING].card(request[STAFF], resident_id)
    today = request.app[FLOOR].clock.now().astimezone(STOCKHOLM).date()
    return await admin_page(
        request, "ending", "people", sent=sent, resident=card.resident, today=today
    )


async def end(request: web.Request, form: EndingForm) -> str:
    resident_id = ResidentId(path_id(request))
    await request.app[ENDINGS].end(request[STAFF], resident_id, form.reason, form.on_date)
    return after("/admin/endings", "ended")


async def endings(request: web.Request, sent: Sent | None = None) -> web.StreamResponse:
    """Planned, and those that a colleague may still undo."""
    session = request[STAFF]
    listed = await request.app[ENDINGS].undoable(session)
    return await admin_page(
        request, "endings", "endings", sent=sent, listed=listed, me=session.staff.id
    )


async def undo(request: web.Request, _: Empty) -> str:
    await request.app[ENDINGS].undo(request[STAFF], EndingId(path_id(request)))
    return after("/admin/endings", "undone")


async def close_device(request: web.Request, form: OneForm) -> str:
    """From the person it stands with, never by a number typed from a list."""
    resident_id = ResidentId(path_id(request))
    await request.app[DEVICES].close(request[STAFF], resident_id, EndpointId(form.one))
    return after(f"/admin/people/{resident_id}", "ended")


ROUTES = (
    Route("GET", "/admin/people/{id}/ending", ending, "staff", Action.REGISTER_READ, kind="page",
          errors=(Code.NOT_PERMITTED,), permission="plan"),
    form_route("/admin/people/{id}/ending", end, ending, Action.RESIDENT_ENDED, EndingForm,
               errors=(Code.RESIDENT_ENDED,), permission="plan"),
    form_route("/admin/people/{id}/devices/close", close_device, person, Action.DEVICE_CLOSED,
               OneForm, permission="plan"),
    Route("GET", "/admin/endings", endings, "staff", Action.LIST_READ, kind="page",
          permission="plan"),
    form_route("/admin/endings/{id}/undo", undo, endings, Action.ENDING_UNDONE, Empty,
               errors=(Code.ENDING_UNDO_OWN, Code.ENDING_UNDO_LATE), permission="plan"),
)  # fmt: skip

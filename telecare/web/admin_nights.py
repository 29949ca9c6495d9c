"""Administration of Nattfrid: what is agreed about nights, the cameras, the impact assessment."""

from datetime import date, time
from typing import Annotated, Literal
from uuid import UUID

from aiohttp import web
from pydantic import Field, StringConstraints

from telecare.access.http import STAFF, path_id
from telecare.access.model import Permission
from telecare.audit.actions import Action
from telecare.nightchecks.agreement import Informed, Modality, Notice, PictureMode, Slot, Substitute
from telecare.nightchecks.agreements import Agreements, Terms
from telecare.runtime.errors import FieldInvalid
from telecare.runtime.http import Body, Empty, Route
from telecare.web.admin import admin_page, after
from telecare.web.admin_people import KEEPING
from telecare.web.html import OneForm, Sent, form_route
from telecare.wire.errors import Code
from telecare.wire.ids import CameraId, EndpointId, ResidentId

AGREEMENTS = web.AppKey("agreements", Agreements)

Times = Annotated[str, Field(max_length=100)]
"""Local times between commas or blanks: "23:00, 02:00"."""
LOOK_S = (10, 15, 20, 30, 45, 60)
RETRY_MIN = (3, 5, 10, 15, 20, 30)
WINDOW_MIN = (10, 20, 30, 45, 60)


class AssessmentForm(Body):
    reference: Annotated[str, StringConstraints(strip_whitespace=True, max_length=120)]
    decided_on: date


class CameraForm(Body):
    endpoint_id: UUID
    name: Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,32}$")]
    place: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60)]


class AgreementForm(Body):
    camera_at: Times = ""
    visit_at: Times = ""
    phone_at: Times = ""
    camera_id: UUID | None = None
    look_s: int = Field(default=30, ge=10, le=60)
    picture: PictureMode = "clear"
    may: list[Literal["clearer", "speak"]] = Field(default_factory=list)
    retry_min: int = Field(default=15, ge=3, le=30)
    then: Literal["visit", "phone"] = "visit"
    notice: Notice = "lamp"
    substitute: Substitute = Substitute.VISIT
    declined: list[Literal["herself"]] = Field(default_factory=list)
    window_min: int = Field(default=30, ge=10, le=60)
    alternatives: str = Field(default="", max_length=2000)
    informed_on: date | None = None
    informed_by: Informed | None = None
    reassess_on: date | None = None
    to_know: str = Field(default="", max_length=500)

    @property
    def terms(self) -> Terms:
        """Raises FieldInvalid."""
        return Terms(
            slots=(
                *_slots("camera_at", self.camera_at, Modality.CAMERA),
                *_slots("visit_at", self.visit_at, Modality.VISIT),
                *_slots("phone_at", self.phone_at, Modality.PHONE),
            ),
            camera_id=CameraId(self.camera_id) if self.camera_id else None,
            look_s=self.look_s,
            picture=self.picture,
            may_be_clearer="clearer" in self.may,
            may_speak="speak" in self.may,
            retry_min=self.retry_min,
            phone_first=self.then == "phone",
            notice=self.notice,
            substitute=self.substitute,
            declined_herself="herself" in self.declined,
            window_min=self.window_min,
            alternatives=self.alternatives,
            informed_on=self.informed_on,
            informed_by=self.informed_by,
            reassess_on=self.reassess_on,
            to_know=self.to_know,
        )


def _slots(field: str, typed: str, modality: Modality) -> list[Slot]:
    try:
        times = [time.fromisoformat(word) for word in typed.replace(",", " ").split()]
    except ValueError as error:
        raise FieldInvalid(field) from error
    if any(at.tzinfo is not None or at.second or at.microsecond for at in times):
        raise FieldInvalid(field)
    return [Slot(at, modality) for at in times]


async def nights(request: web.Request, sent: Sent | None = None) -> web.StreamResponse:
    """The agreements in force, the assessment they rest on, and whom to agree with."""
    session = request[STAFF]
    overview = await request.app[AGREEMENTS].listed(session)
    return await admin_page(
        request,
        "nights",
        "nights",
        sent=sent,
        overview=overview,
        residents=await request.app[KEEPING].listed(session),
        may_configure=session.staff.may(Permission.CONFIGURE),
    )


async def night(request: web.Request, sent: Sent | None = None) -> web.StreamResponse:
    """One person's nights."""
    found = await request.app[AGREEMENTS].of(request[STAFF], ResidentId(path_id(request)))
    return await admin_page(
        request, "night", "nights", sent=sent, nights=found, resident=found.resident,
        modalities=Modality, look_s=LOOK_S, retry_min=RETRY_MIN, window_min=WINDOW_MIN,
    )  # fmt: skip


async def assess(request: web.Request, form: AssessmentForm) -> str:
    agreements = request.app[AGREEMENTS]
    await agreements.set_assessment(request[STAFF], form.reference, form.decided_on)
    return after("/admin/nights", "saved")


async def agree(request: web.Request, form: AgreementForm) -> str:
    resident_id = ResidentId(path_id(request))
    await request.app[AGREEMENTS].agree(request[STAFF], resident_id, form.terms)
    return after(f"/admin/nights/{resident_id}", "saved")


async def end(request: web.Request, _: Empty) -> str:
    await request.app[AGREEMENTS].end(request[STAFF], ResidentId(path_id(request)))
    return after("/admin/nights", "ended")


async def add_camera(request: web.Request, form: CameraForm) -> str:
    resident_id = ResidentId(path_id(request))
    await request.app[AGREEMENTS].add_camera(
        request[STAFF], resident_id, EndpointId(form.endpoint_id), name=form.name, place=form.place
    )
    return after(f"/admin/nights/{resident_id}", "added")


async def activate(request: web.Request, form: OneForm) -> str:
    await request.app[AGREEMENTS].activate(request[STAFF], CameraId(form.one))
    return after(f"/admin/nights/{path_id(request)}", "saved")


async def close_camera(request: web.Request, form: OneForm) -> str:
    await request.app[AGREEMENTS].close_camera(request[STAFF], CameraId(form.one))
    return after(f"/admin/nights/{path_id(request)}", "ended")


ROUTES = (
    Route("GET", "/admin/nights", nights, "staff", Action.LIST_READ, kind="page",
          permission="plan"),
    form_route("/admin/nights", assess, nights, Action.ASSESSMENT_SET, AssessmentForm,
               permission="configure"),
    Route("GET", "/admin/nights/{id}", night, "staff", Action.REGISTER_READ, kind="page",
          errors=(Code.NOT_FOUND,), permission="plan"),
    form_route("/admin/nights/{id}", agree, night, Action.NIGHT_AGREED, AgreementForm,
               errors=(Code.AGREEMENT_INCOMPLETE,), permission="plan"),
    form_route("/admin/nights/{id}/end", end, night, Action.NIGHT_AGREEMENT_ENDED, Empty,
               permission="plan"),
    form_route("/admin/nights/{id}/cameras", add_camera, night, Action.CAMERA_ADDED, CameraForm,
               permission="register"),
    form_route("/admin/nights/{id}/cameras/activate", activate, night, Action.CAMERA_ACTIVATED,
               OneForm, errors=(Code.CAMERA_NOT_READY,), permission="register"),
    form_route("/admin/nights/{id}/cameras/close", close_camera, night, Action.CAMERA_CLOSED,
               OneForm, permission="register"),
)  # fmt: skip

"""Administration: the frame of its pages, and care units and staff. People: admin_people.py.

Server-rendered, works without a script. Each form goes to an address of its own; refused, its page
comes again with what was typed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Annotated
from urllib.parse import urlencode
from uuid import UUID

from aiohttp import web
from pydantic import Field, StringConstraints

from telecare.access.care_units import CareUnits, UnitDetails
from telecare.access.http import ACCESS, STAFF, path_id
from telecare.access.model import GRANTABLE, PERMISSIONS, Permission, Role
from telecare.access.staffing import Details, NewRole, Staffing
from telecare.alarms.centre import secret_text
from telecare.alarms.chain import Chains
from telecare.alarms.http import ALARMS
from telecare.audit.actions import Action
from telecare.deviations.service import Deviations
from telecare.devices.http import DEVICES
from telecare.nightchecks.http import TONIGHT
from telecare.runtime.clock import STOCKHOLM, from_local
from telecare.runtime.http import OWN, Body, Empty, Exempt, Route
from telecare.runtime.qr import qr_path
from telecare.web.floor import FLOOR
from telecare.web.html import TEMPLATES, Sent, form_route, language_of
from telecare.wire.errors import Code
from telecare.wire.ids import CareUnitId, EndpointId, ProviderId, StaffId
from telecare.wire.signalling import Language

CHAINS = web.AppKey("chains", Chains)
DEVIATIONS = web.AppKey("deviations", Deviations)
STAFFING = web.AppKey("staffing", Staffing)
CARE_UNITS = web.AppKey("care_units", CareUnits)
PUBLIC_URL = web.AppKey("public_url", str)

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)]
Phone = Annotated[str, StringConstraints(pattern=r"^\+?[0-9][0-9 ()-]{2,28}$")]


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the administration, in its menu for those who may."""

    key: str
    href: str
    permission: Permission


SECTIONS = (
    Section("people", "/admin/people", Permission.REGISTER),
    Section("nights", "/admin/nights", Permission.PLAN),
    Section("alarm_units", "/admin/alarm-units", Permission.REGISTER),
    Section("endings", "/admin/endings", Permission.PLAN),
    Section("staff", "/admin/staff", Permission.INVITE),
    Section("units", "/admin/units", Permission.CONFIGURE),
    Section("lists", "/admin/lists", Permission.CONFIGURE),
    Section("rules", "/admin/rules", Permission.CONFIGURE),
    Section("deviations", "/admin/deviations", Permission.LEAD),
    Section("devices", "/admin/devices", Permission.DEVICES),
    Section("rights", "/admin/rights", Permission.INVITE),
    Section("audit", "/audit", Permission.REVIEW),
)


async def admin_page(
    request: web.Request, template: str, section: str, *, sent: Sent | None = None, **values: object
) -> web.Response:
    """A page of the administration, with the menu of what she may."""
    session = request[STAFF]
    tenant = await request.app[ACCESS].tenant(session.tenant)
    nav = [
        {"key": one.key, "href": one.href, "is_here": one.key == section}
        for one in SECTIONS
        if session.staff.may(one.permission)
    ]
    return request.app[TEMPLATES].page(
        request,
        f"admin/{template}.html",
        language_of(request),
        sent=sent,
        tenant_name=tenant.name,
        nav=nav,
        works=session.staff.may(Permission.WORK),
        done=request.query.get("done", "") if request.query.get("done", "") in DONE else "",
        now=request.app[FLOOR].clock.now(),
        local=local,
        wall=wall,
        **values,
    )


DONE = ("saved", "added", "ended", "undone")


def local(at: datetime | date | None) -> str:
    """As one writes it in Sweden: 2026-11-23 or 2026-11-23 23:05."""
    if at is None:
        return ""
    if isinstance(at, datetime):
        return at.astimezone(STOCKHOLM).strftime("%Y-%m-%d %H:%M")
    return at.isoformat()


def wall(at: datetime | None) -> str:
    """As a field of type datetime-local wants it."""
    return "" if at is None else at.astimezone(STOCKHOLM).strftime("%Y-%m-%dT%H:%M")


def moment(typed: datetime | None) -> datetime | None:
    """A wall time typed in Sweden, as a moment."""
    return None if typed is None else from_local(typed.replace(tzinfo=None))


def after(path: str, done: str) -> str:
    return f"{path}?{urlencode({'done': done})}"


async def front(request: web.Request) -> web.StreamResponse:
    """What she may keep."""
    return await admin_page(request, "front", "")


# --- care units ---------------------------------------------------------------------------------


class ProviderForm(Body):
    name: Name


class UnitForm(Body):
    name: Name
    phone: Phone
    provider_id: UUID
    next_unit_id: UUID | None = None

    @property
    def details(self) -> UnitDetails:
        following = CareUnitId(self.next_unit_id) if self.next_unit_id else None
        return UnitDetails(self.name, self.phone, ProviderId(self.provider_id), following)


class CoverForm(Body):
    covers: UUID
    start: time
    until: time


class UncoverForm(Body):
    covers: UUID


class CentreForm(Body):
    url: str = Field(min_length=9, max_length=300)


async def units(
    request: web.Request, sent: Sent | None = None, secrets: Mapping[CareUnitId, str] | None = None
) -> web.StreamResponse:
    """`secrets`: of alarm centres, shown once."""
    found = await request.app[CARE_UNITS].register(request[STAFF])
    centres = await request.app[CHAINS].centres(request[STAFF])
    others = {
        unit.id: [(other.id, other.name) for other in found.units if other.id != unit.id]
        for unit in found.units
    }
    return await admin_page(
        request,
        "units",
        "units",
        sent=sent,
        register=found,
        others=others,
        centres={centre.unit_id: centre.url for centre in centres},
        secrets=secrets or {},
    )


async def add_provider(request: web.Request, form: ProviderForm) -> str:
    await request.app[CARE_UNITS].add_provider(request[STAFF], form.name)
    return after("/admin/units", "added")


async def add_unit(request: web.Request, form: UnitForm) -> str:
    await request.app[CARE_UNITS].add(request[STAFF], form.details)
    return after("/admin/units", "added")


async def change_unit(request: web.Request, form: UnitForm) -> str:
    unit_id = CareUnitId(path_id(request))
    await request.app[CARE_UNITS].change(request[STAFF], unit_id, form.details)
    return after("/admin/units", "saved")


async def cover(request: web.Request, form: CoverForm) -> str:
    await request.app[CARE_UNITS].cover(
        request[STAFF],
        CareUnitId(path_id(request)),
        CareUnitId(form.covers),
        hours=(form.start, form.until),
    )
    return after("/admin/units", "saved")


async def uncover(request: web.Request, form: UncoverForm) -> str:
    unit_id = CareUnitId(path_id(request))
    await request.app[CARE_UNITS].uncover(request[STAFF], unit_id, CareUnitId(form.covers))
    return after("/admin/units", "ended")


async def set_centre(request: web.Request, form: CentreForm) -> web.StreamResponse:
    unit_id = CareUnitId(path_id(request))
    secret = await request.app[CHAINS].set_centre(request[STAFF], unit_id, form.url)
    return await units(request, secrets={unit_id: secret_text(secret)})


async def end_centre(request: web.Request, _: Empty) -> str:
    await request.app[CHAINS].end_centre(request[STAFF], CareUnitId(path_id(request)))
    return after("/admin/units", "ended")


# --- staff --------------------------------------------------------------------------------------


class StaffForm(Body):
    name: Name
    unit_id: UUID
    languages: tuple[Language, ...] = Field(min_length=1)
    language: Language
    ends_at: datetime | None = None
    is_protected: bool = False

    @property
    def details(self) -> Details:
        unit_id = CareUnitId(self.unit_id)
        return Details(
            self.name, unit_id, self.languages, self.language, moment(self.ends_at),
            self.is_protected,
        )  # fmt: skip


class NewStaffForm(StaffForm):
    role: Role
    role_until: datetime | None = None
    trained_on: date | None = None


class RoleForm(Body):
    role: Role
    unit_id: UUID
    role_until: datetime | None = None
    trained_on: date | None = None


class EndRoleForm(Body):
    grant_id: UUID


async def staff(request: web.Request, sent: Sent | None = None) -> web.StreamResponse:
    """Everybody of the units whose staff she keeps, and the form for somebody new."""
    colleagues = await request.app[STAFFING].listed(request[STAFF])
    return await admin_page(
        request, "staff", "staff", sent=sent, colleagues=colleagues, **await _choices(request)
    )


async def _choices(request: web.Request) -> dict[str, object]:
    """What the forms of staff choose from."""
    session = request[STAFF]
    roles = {role for grant in session.staff.grants for role in GRANTABLE.get(grant.role, ())}
    keeps = session.staff.units_of(Permission.INVITE)
    every = await request.app[ACCESS].units(session)
    is_system = Role.SYSTEMFORVALTARE in session.staff.roles
    return {
        "roles": [role for role in Role if role in roles],
        "units": [unit for unit in every if is_system or unit.id in keeps],
    }


async def add_staff(request: web.Request, form: NewStaffForm) -> web.StreamResponse:
    role = NewRole(form.role, CareUnitId(form.unit_id), moment(form.role_until), form.trained_on)
    token = await request.app[STAFFING].add(request[STAFF], form.details, [role])
    return await _invited(request, form.name, token)


async def _invited(request: web.Request, name: str, token: str) -> web.Response:
    """The link, shown once. Its secret is in the fragment and reaches no log."""
    link = f"{request.app[PUBLIC_URL]}/invitation#{token}"
    return await admin_page(request, "invited", "staff", who=name, link=link, qr=qr_path(link))


async def colleague(request: web.Request, sent: Sent | None = None) -> web.StreamResponse:
    """One member of staff: details, roles now and before, key."""
    found = await request.app[STAFFING].colleague(request[STAFF], StaffId(path_id(request)))
    return await admin_page(
        request, "colleague", "staff", sent=sent, colleague=found, **await _choices(request)
    )


async def change_staff(request: web.Request, form: StaffForm) -> str:
    staff_id = StaffId(path_id(request))
    await request.app[STAFFING].change(request[STAFF], staff_id, form.details)
    return after(f"/admin/staff/{staff_id}", "saved")


async def give_role(request: web.Request, form: RoleForm) -> str:
    staff_id = StaffId(path_id(request))
    role = NewRole(form.role, CareUnitId(form.unit_id), moment(form.role_until), form.trained_on)
    await request.app[STAFFING].give(request[STAFF], staff_id, role)
    return after(f"/admin/staff/{staff_id}", "added")


async def end_role(request: web.Request, form: EndRoleForm) -> str:
    staff_id = StaffId(path_id(request))
    await request.app[STAFFING].end_role(request[STAFF], staff_id, form.grant_id)
    return after(f"/admin/staff/{staff_id}", "ended")


async def invite(request: web.Request, _: Empty) -> web.StreamResponse:
    staff_id = StaffId(path_id(request))
    token = await request.app[STAFFING].invite(request[STAFF], staff_id)
    found = await request.app[STAFFING].colleague(request[STAFF], staff_id)
    return await _invited(request, found.member.name, token)


async def revoke(request: web.Request, _: Empty) -> str:
    await request.app[STAFFING].revoke(request[STAFF], StaffId(path_id(request)))
    return after("/admin/staff", "ended")


async def rights(request: web.Request, sent: Sent | None = None) -> web.StreamResponse:
    """The yearly follow-up of who may do what (HSLF-FS 2016:40 4 kap. 3 §)."""
    return await admin_page(
        request,
        "rights",
        "rights",
        sent=sent,
        rights=await request.app[STAFFING].rights(request[STAFF]),
        table=[(role, PERMISSIONS[role]) for role in Role],
        permissions=list(Permission),
        a_year=timedelta(days=365),
    )


class ReviewForm(Body):
    unit_id: UUID


async def review(request: web.Request, form: ReviewForm) -> str:
    await request.app[STAFFING].review(request[STAFF], CareUnitId(form.unit_id))
    return after("/admin/rights", "saved")


async def devices(request: web.Request, sent: Sent | None = None) -> web.StreamResponse:
    """Devices and their health, for who keeps the system going and sees no person."""
    found = await request.app[DEVICES].health(request[STAFF])
    now = request.app[FLOOR].clock.now()
    silent = sum(not one.is_here(now) for one in found)
    return await admin_page(request, "devices", "devices", sent=sent, devices=found, silent=silent)


async def deviations(request: web.Request) -> web.StreamResponse:
    """What went wrong, newest first, and how soon alarms were answered."""
    found = await request.app[DEVIATIONS].listed(request[STAFF])
    figures = await request.app[ALARMS].figures(request[STAFF])
    rounds = [one.about_id for one in found if one.source == "round"]
    missed = await request.app[TONIGHT].missed(request[STAFF], rounds) if rounds else {}
    return await admin_page(
        request, "deviations", "deviations", deviations=found, figures=figures, missed=missed
    )


class NetworkForm(Body):
    network: str = Field(default="", max_length=60)


async def set_network(request: web.Request, form: NetworkForm) -> str:
    endpoint_id = EndpointId(path_id(request))
    await request.app[DEVICES].set_network(request[STAFF], endpoint_id, form.network.strip())
    return after("/admin/devices", "saved")


_STAFF = Exempt("shows staff, no resident")
_UNITS = Exempt("no personal data")

ROUTES = (
    Route("GET", "/admin", front, "staff", _UNITS, kind="page", permission=OWN),
    Route("GET", "/admin/units", units, "staff", _UNITS, kind="page", permission="configure"),
    form_route("/admin/providers", add_provider, units, Action.PROVIDER_ADDED, ProviderForm,
               permission="configure"),
    form_route("/admin/units", add_unit, units, Action.UNIT_ADDED, UnitForm,
               permission="configure"),
    form_route("/admin/units/{id}", change_unit, units, Action.UNIT_CHANGED, UnitForm,
               permission="configure"),
    form_route("/admin/units/{id}/covers", cover, units, Action.UNIT_CHANGED, CoverForm,
               permission="configure"),
    form_route("/admin/units/{id}/covers/end", uncover, units, Action.UNIT_CHANGED, UncoverForm,
               permission="configure"),
    form_route("/admin/units/{id}/centre", set_centre, units, Action.ALARM_CENTRE_SET, CentreForm,
               permission="configure"),
    form_route("/admin/units/{id}/centre/end", end_centre, units, Action.ALARM_CENTRE_SET, Empty,
               permission="configure"),
    Route("GET", "/admin/staff", staff, "staff", _STAFF, kind="page", permission="invite"),
    form_route("/admin/staff", add_staff, staff, Action.STAFF_ADDED, NewStaffForm,
               errors=(Code.TRAINING_MISSING,), permission="invite"),
    Route("GET", "/admin/staff/{id}", colleague, "staff", _STAFF, kind="page",
          errors=(Code.NOT_PERMITTED,), permission="invite"),
    form_route("/admin/staff/{id}", change_staff, colleague, Action.STAFF_CHANGED, StaffForm,
               errors=(Code.LAST_HEAD,), permission="invite"),
    form_route("/admin/staff/{id}/roles", give_role, colleague, Action.ROLE_GIVEN, RoleForm,
               errors=(Code.TRAINING_MISSING,), permission="invite"),
    form_route("/admin/staff/{id}/roles/end", end_role, colleague, Action.ROLE_CHANGED, EndRoleForm,
               errors=(Code.LAST_HEAD,), permission="invite"),
    form_route("/admin/staff/{id}/invite", invite, colleague, Action.INVITATION_MADE, Empty,
               permission="invite"),
    form_route("/admin/staff/{id}/revoke", revoke, colleague, Action.STAFF_REVOKED, Empty,
               errors=(Code.LAST_HEAD,), permission="invite"),
    Route("GET", "/admin/deviations", deviations, "staff", Action.LIST_READ, kind="page",
          permission="lead"),
    Route("GET", "/admin/devices", devices, "staff", _UNITS, kind="page", permission="devices"),
    form_route("/admin/devices/{id}/network", set_network, devices, Action.UNIT_NETWORK_SET,
               NetworkForm, permission="devices"),
    Route("GET", "/admin/rights", rights, "staff", _STAFF, kind="page", permission="invite"),
    form_route("/admin/rights/reviews", review, rights, Action.RIGHTS_REVIEWED, ReviewForm,
               permission="invite"),
)  # fmt: skip

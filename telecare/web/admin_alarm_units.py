"""Administration of other makers' units (larmenheter): whose they are and how they prove it."""

from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated, Literal
from uuid import UUID

from aiohttp import web
from pydantic import Field, StringConstraints

from telecare.access.http import STAFF, path_id
from telecare.alarms.alarm_units import AlarmUnits, Details, Settings
from telecare.audit.actions import Action
from telecare.runtime.errors import FieldInvalid
from telecare.runtime.http import Body, Route
from telecare.web.admin import admin_page, after
from telecare.web.admin_people import KEEPING
from telecare.web.html import OneForm, Sent, form_route
from telecare.wire.errors import Code
from telecare.wire.ids import AlarmUnitId, ResidentId

ALARM_UNITS = web.AppKey("alarm_units", AlarmUnits)

Account = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z._-]{1,32}$")]
Hexadecimal = Annotated[str, StringConstraints(pattern=r"^([0-9A-Fa-f]{2}){16,32}$")]
MAX_NETWORKS = 8


class SettingsForm(Body):
    networks: str = Field(default="", max_length=400)
    """Addresses or ranges (CIDR), between commas or blanks."""
    password: str | None = Field(default=None, min_length=4, max_length=128)
    key: Hexadecimal | None = None
    digest: Literal["MD5", "SHA-256"] = "MD5"
    reply: Literal["message", "in_200"] = "message"
    place: str = Field(default="", max_length=64)
    signs_every_h: int | None = Field(default=None, ge=1, le=744)

    @property
    def settings(self) -> Settings:
        """Raises FieldInvalid."""
        return Settings(
            networks=_networks(self.networks),
            password=self.password,
            key=bytes.fromhex(self.key) if self.key else None,
            digest=self.digest,
            reply=self.reply,
            place=self.place,
            signs_every_h=self.signs_every_h,
        )


class AlarmUnitForm(SettingsForm):
    resident_id: UUID
    protocol: Literal["scaip", "dc09"]
    account: Account


def _networks(typed: str) -> tuple[IPv4Network | IPv6Network, ...]:
    words = typed.replace(",", " ").split()
    if len(words) > MAX_NETWORKS:
        raise FieldInvalid("networks")
    try:
        return tuple(ip_network(word, strict=False) for word in words)
    except ValueError as error:
        raise FieldInvalid("networks") from error


async def alarm_units(request: web.Request, sent: Sent | None = None) -> web.StreamResponse:
    """Those in the homes of her units, and the form for another."""
    session = request[STAFF]
    listed = await request.app[KEEPING].listed(session)
    return await admin_page(
        request,
        "alarm-units",
        "alarm_units",
        sent=sent,
        units=await request.app[ALARM_UNITS].listed(session),
        residents=[(one.id, one.name) for one in listed if one.name],
    )


async def register(request: web.Request, form: AlarmUnitForm) -> str:
    details = Details(ResidentId(form.resident_id), form.protocol, form.account, form.settings)
    await request.app[ALARM_UNITS].register(request[STAFF], details)
    return after("/admin/alarm-units", "added")


async def change(request: web.Request, form: SettingsForm) -> str:
    unit_id = AlarmUnitId(path_id(request))
    await request.app[ALARM_UNITS].change(request[STAFF], unit_id, form.settings)
    return after("/admin/alarm-units", "saved")


async def close(request: web.Request, form: OneForm) -> str:
    await request.app[ALARM_UNITS].close(request[STAFF], AlarmUnitId(form.one))
    return after("/admin/alarm-units", "ended")


_UNPROVEN = (Code.ALARM_PROOF_MISSING, Code.ALARM_KEY_MISSING)

ROUTES = (
    Route("GET", "/admin/alarm-units", alarm_units, "staff", Action.LIST_READ, kind="page",
          permission="register"),
    form_route("/admin/alarm-units", register, alarm_units, Action.ALARM_UNIT_REGISTERED,
               AlarmUnitForm, permission="register",
               errors=(Code.ALARM_ACCOUNT_TAKEN, Code.RESIDENT_ENDED, *_UNPROVEN)),
    form_route("/admin/alarm-units/{id}", change, alarm_units, Action.ALARM_UNIT_CHANGED,
               SettingsForm, errors=(Code.NOT_FOUND, *_UNPROVEN), permission="register"),
    form_route("/admin/alarm-units/close", close, alarm_units, Action.ALARM_UNIT_CLOSED, OneForm,
               permission="register"),
)  # fmt: skip

"""Administration of residents: the register, one person's page, her home's devices."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, time
from typing import Annotated
from uuid import UUID, uuid4

from aiohttp import web
from pydantic import Field, StringConstraints

from telecare.access.http import ACCESS, STAFF, path_id
from telecare.access.model import Permission
from telecare.access.service import PAIRING_LIMIT
from telecare.alarms.chain_store import OwnChain
from telecare.audit.actions import Action
from telecare.devices.http import DEVICES
from telecare.people.http import PEOPLE
from telecare.people.keeping import Details, Keeping
from telecare.people.model import (
    Hearing,
    Priority,
    Relative,
    Representative,
    RepresentativeKind,
    Scale,
)
from telecare.runtime.errors import FieldInvalid
from telecare.runtime.http import Body, Empty, Route
from telecare.runtime.texts import text
from telecare.web.admin import CHAINS, Name, Phone, admin_page, after
from telecare.web.html import OneForm, Sent, form_route, language_of
from telecare.wire.errors import Code
from telecare.wire.ids import CareUnitId, ResidentId
from telecare.wire.signalling import Language

KEEPING = web.AppKey("keeping", Keeping)

Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
MAX_TO_KNOW = 20


class PersonForm(Body):
    name: Name
    given_name: Name | None = None
    unit_id: UUID
    national_id: str | None = Field(default=None, max_length=20)
    language: Language
    address: str = Field(default="", max_length=200)
    phone: Phone | None = None
    hearing: Hearing = "good"
    priority: str = Field(default="2", pattern="^[123]$")
    scale_percent: str = Field(default="100", pattern="^(100|115|130)$")
    to_know: str = Field(default="", max_length=2000)
    """One thing a line."""
    is_protected: bool = False

    @property
    def details(self) -> Details:
        lines = [line.strip() for line in self.to_know.splitlines()]
        return Details(
            name=self.name,
            given_name=self.given_name or self.name.split()[0],
            unit_id=CareUnitId(self.unit_id),
            language=self.language,
            address=self.address,
            phone=self.phone or "",
            hearing=self.hearing,
            to_know=tuple(line for line in lines if line)[:MAX_TO_KNOW],
            priority=PRIORITIES[self.priority],
            is_protected=self.is_protected,
            national_id=self.national_id,
            scale_percent=SCALES[self.scale_percent],
        )


PRIORITIES: dict[str, Priority] = {"1": 1, "2": 2, "3": 3}
SCALES: dict[str, Scale] = {"100": 100, "115": 115, "130": 130}


class CohabitantForm(Body):
    """Her name, or which resident she is."""

    name: Name | None = None
    relation: Line
    is_resident_id: UUID | None = None


class RelativeForm(Body):
    name: Name
    relation: Line
    phone: Phone
    rings_first: bool = False
    may_be_told: str = Field(default="", max_length=200)


class KeyForm(Body):
    note: str = Field(default="", max_length=500)


class RepresentativeForm(Body):
    kind: RepresentativeKind
    name: Name
    phone: Phone
    scope: Line
    document: Line
    valid_from: date
    valid_until: date | None = None


class ChainForm(Body):
    start: time
    until: time
    first: UUID
    second: UUID | None = None
    third: UUID | None = None

    @property
    def chain(self) -> OwnChain:
        units = [CareUnitId(one) for one in (self.first, self.second, self.third) if one]
        return OwnChain(self.start, self.until, tuple(dict.fromkeys(units)))


class ChainEndForm(Body):
    start: time


class PairForm(Body):
    letters: str = Field(min_length=6, max_length=12)


class UnitCodeForm(Body):
    label: Line


async def people(request: web.Request, sent: Sent | None = None) -> web.StreamResponse:
    """The register of her units."""
    listed = await request.app[KEEPING].listed(request[STAFF])
    return await admin_page(
        request, "people", "people", sent=sent, listed=listed, units=await _units(request)
    )


async def _units(request: web.Request) -> list[tuple[CareUnitId, str]]:
    session = request[STAFF]
    keeps = session.staff.units_of(Permission.REGISTER)
    every = await request.app[ACCESS].units(session)
    return [(unit.id, unit.name) for unit in every if unit.id in keeps]


async def add_person(request: web.Request, form: PersonForm) -> str:
    resident_id = await request.app[KEEPING].register(request[STAFF], form.details)
    return after(f"/admin/people/{resident_id}", "added")


@dataclass(frozen=True, slots=True)
class Once:
    """What is shown once, after a button: a code, or the word both screens show."""

    unit_code: str = ""
    word: str = ""


async def person(
    request: web.Request, sent: Sent | None = None, once: Once | None = None
) -> web.StreamResponse:
    """One resident: what is kept of her, those near her, the devices of her home."""
    session = request[STAFF]
    resident_id = ResidentId(path_id(request))
    card = await request.app[KEEPING].card(session, resident_id)
    every_unit = {unit.id: unit.name for unit in await request.app[ACCESS].units(session)}
    return await admin_page(
        request,
        "person",
        "people",
        sent=sent,
        card=card,
        resident=card.resident,
        endpoints=await request.app[DEVICES].listed(session, resident_id),
        units=await _units(request),
        others=await _others(request, resident_id),
        chains=await _chains(request, resident_id, every_unit),
        every_unit=list(every_unit.items()),
        once=once or Once(),
        to_know="\n".join(card.resident.to_know),
    )


async def _chains(
    request: web.Request, resident_id: ResidentId, names: Mapping[CareUnitId, str]
) -> list[dict[str, object]]:
    """Her own chains, with the names of their units."""
    found = await request.app[CHAINS].own(request[STAFF], resident_id)
    return [
        {"start": one.start, "until": one.until, "units": [names[id_] for id_ in one.unit_ids]}
        for one in found
    ]


async def _others(request: web.Request, besides: ResidentId) -> list[tuple[ResidentId, str]]:
    """Who else is in her units' register and may be named."""
    listed = await request.app[KEEPING].listed(request[STAFF])
    return [(one.id, one.name) for one in listed if one.id != besides and one.name]


def _path(request: web.Request) -> tuple[ResidentId, str]:
    resident_id = ResidentId(path_id(request))
    return resident_id, f"/admin/people/{resident_id}"


async def change_person(request: web.Request, form: PersonForm) -> str:
    resident_id, path = _path(request)
    await request.app[KEEPING].change(request[STAFF], resident_id, form.details)
    return after(path, "saved")


async def take_over(request: web.Request, _: Empty) -> str:
    """Whom no list names can be reached by those on shift in her unit; listed for the head."""
    resident_id, path = _path(request)
    await request.app[PEOPLE].take_over(request[STAFF], resident_id)
    return after(path, "saved")


async def add_cohabitant(request: web.Request, form: CohabitantForm) -> str:
    resident_id, path = _path(request)
    known = dict(await _others(request, resident_id))
    is_resident_id = ResidentId(form.is_resident_id) if form.is_resident_id else None
    name = form.name or (known.get(is_resident_id) if is_resident_id else None)
    if name is None:
        raise FieldInvalid("name")
    await request.app[KEEPING].add_cohabitant(
        request[STAFF],
        resident_id,
        name=name,
        relation=form.relation,
        is_resident_id=is_resident_id,
    )
    return after(path, "added")


async def move_out(request: web.Request, form: OneForm) -> str:
    resident_id, path = _path(request)
    await request.app[KEEPING].move_out(request[STAFF], resident_id, form.one)
    return after(path, "ended")


async def add_relative(request: web.Request, form: RelativeForm) -> str:
    resident_id, path = _path(request)
    relative = Relative(
        uuid4(), form.name, form.relation, form.phone, form.rings_first, form.may_be_told.strip()
    )
    await request.app[KEEPING].add_relative(request[STAFF], resident_id, relative)
    return after(path, "added")


async def set_key(request: web.Request, form: KeyForm) -> str:
    resident_id, path = _path(request)
    await request.app[KEEPING].set_key_note(request[STAFF], resident_id, form.note.strip())
    return after(path, "saved")


async def end_relative(request: web.Request, form: OneForm) -> str:
    resident_id, path = _path(request)
    await request.app[KEEPING].end_relative(request[STAFF], resident_id, form.one)
    return after(path, "ended")


async def add_representative(request: web.Request, form: RepresentativeForm) -> str:
    resident_id, path = _path(request)
    one = Representative(
        uuid4(), form.kind, form.name, form.phone, form.scope, form.document,
        form.valid_from, form.valid_until,
    )  # fmt: skip
    await request.app[KEEPING].add_representative(request[STAFF], resident_id, one)
    return after(path, "added")


async def end_representative(request: web.Request, form: OneForm) -> str:
    resident_id, path = _path(request)
    await request.app[KEEPING].end_representative(request[STAFF], resident_id, form.one)
    return after(path, "ended")


async def add_chain(request: web.Request, form: ChainForm) -> str:
    resident_id, path = _path(request)
    await request.app[CHAINS].add(request[STAFF], resident_id, form.chain)
    return after(path, "added")


async def end_chain(request: web.Request, form: ChainEndForm) -> str:
    resident_id, path = _path(request)
    await request.app[CHAINS].end(request[STAFF], resident_id, form.start)
    return after(path, "ended")


async def pair_tv(request: web.Request, form: PairForm) -> web.StreamResponse:
    """The letters that the TV shows; then the word both show."""
    resident_id, _ = _path(request)
    session, devices = request[STAFF], request.app[DEVICES]
    await devices.count_try(PAIRING_LIMIT, str(session.id))
    word = await devices.pair_tv(session, resident_id, form.letters)
    once = Once(word=text(language_of(request), f"pairing.word.{word}"))
    return await person(request, once=once)


async def unit_code(request: web.Request, form: UnitCodeForm) -> web.StreamResponse:
    """A code for a home unit that is to be enrolled here, shown once."""
    resident_id, _ = _path(request)
    code = await request.app[DEVICES].unit_code(request[STAFF], resident_id, form.label)
    return await person(request, once=Once(unit_code=f"{code[:4]} {code[4:]}"))


_PERSON = (Code.NATIONAL_ID_WRONG, Code.NATIONAL_ID_TAKEN, Code.NATIONAL_ID_KEY_MISSING)

ROUTES = (
    Route("GET", "/admin/people", people, "staff", Action.LIST_READ, kind="page",
          permission="register"),
    Route("GET", "/admin/people/{id}", person, "staff", Action.REGISTER_READ, kind="page",
          errors=(Code.NOT_PERMITTED,), permission="register"),
    form_route("/admin/people", add_person, people, Action.RESIDENT_REGISTERED, PersonForm,
               errors=_PERSON, permission="register"),
    form_route("/admin/people/{id}", change_person, person, Action.RESIDENT_CHANGED, PersonForm,
               errors=_PERSON, permission="register"),
    form_route("/admin/people/{id}/take-over", take_over, people, Action.ASSIGNMENT_BEGUN, Empty,
               errors=(Code.NOT_ON_SHIFT,), permission="register"),
    form_route("/admin/people/{id}/cohabitants", add_cohabitant, person,
               Action.COHABITANT_REGISTERED, CohabitantForm, permission="register"),
    form_route("/admin/people/{id}/cohabitants/end", move_out, person, Action.COHABITANT_MOVED_OUT,
               OneForm, permission="register"),
    form_route("/admin/people/{id}/relatives", add_relative, person, Action.RELATIVE_ADDED,
               RelativeForm, permission="register"),
    form_route("/admin/people/{id}/relatives/end", end_relative, person, Action.RELATIVE_ENDED,
               OneForm, permission="register"),
    form_route("/admin/people/{id}/key", set_key, person, Action.KEY_NOTE_SET, KeyForm,
               permission="register"),
    form_route("/admin/people/{id}/representatives", add_representative, person,
               Action.REPRESENTATIVE_ADDED, RepresentativeForm, errors=(Code.END_BEFORE_START,),
               permission="register"),
    form_route("/admin/people/{id}/representatives/end", end_representative, person,
               Action.REPRESENTATIVE_ENDED, OneForm, permission="register"),
    form_route("/admin/people/{id}/alarm-chain", add_chain, person, Action.ALARM_CHAIN_SET,
               ChainForm, permission="register"),
    form_route("/admin/people/{id}/alarm-chain/end", end_chain, person, Action.ALARM_CHAIN_SET,
               ChainEndForm, permission="register"),
    form_route("/admin/people/{id}/screens", pair_tv, person, Action.SCREEN_PAIRED, PairForm,
               errors=(Code.PAIRING_CODE_WRONG, Code.PAIRING_CODE_EXPIRED, Code.RATE_LIMITED),
               permission="register"),
    form_route("/admin/people/{id}/units", unit_code, person, Action.PAIRING_BEGUN, UnitCodeForm,
               permission="register"),
)  # fmt: skip

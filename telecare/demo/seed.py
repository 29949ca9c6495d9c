"""Invented people of an invented municipality, made through the same stores as real ones."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID, uuid5

from telecare.access import lists_store
from telecare.access import store as access_store
from telecare.access.lists import ListName
from telecare.access.model import CareUnit, Grant, Role
from telecare.audit.model import CommandLineActor, actor_text
from telecare.consent import store as consent_store
from telecare.consent.model import Consent, Hours, Purpose
from telecare.consent.tenants import add_tenant
from telecare.devices.service import make_unit_code
from telecare.people import store as people_store
from telecare.people.model import Cohabitant, Resident
from telecare.people.service import register, register_cohabitant
from telecare.runtime.clock import STOCKHOLM, local_day
from telecare.runtime.db import Database, Transaction
from telecare.visits import store as visit_store
from telecare.visits.model import Insats
from telecare.visits.service import Plan, plan_visits
from telecare.wire.ids import (
    CareUnitId,
    CohabitantId,
    ConsentId,
    ProviderId,
    ResidentId,
    StaffId,
    TenantId,
    new_row_id,
)
from telecare.wire.signalling import Language

SLUG = "norrvika"
ACTOR = CommandLineActor("demo")
NAMES = UUID("6f0c4d0e-7c55-4b54-9c1b-0f2d6c1f7a10")


def named(kind: str, name: str) -> UUID:
    """The same id for the same invented thing in every demo."""
    return uuid5(NAMES, f"{kind}/{name}")


TEAM = CareUnitId(named("unit", "skallberget"))
BACKBY = CareUnitId(named("unit", "backby"))


@dataclass(frozen=True, slots=True)
class Person:
    key: str
    name: str
    what: str
    roles: tuple[Role, ...]
    unit: CareUnitId = TEAM
    languages: tuple[str, ...] = ("sv",)
    language: str = "sv"

    @property
    def id(self) -> StaffId:
        return StaffId(named("staff", self.key))

    @property
    def given_name(self) -> str:
        return self.name.split()[0]


STAFF = (
    Person("maria", "Maria Ek", "undersköterska", (Role.OMSORGSPERSONAL, Role.LARMMOTTAGARE)),
    Person("kirsi", "Kirsi Niemi", "undersköterska", (Role.OMSORGSPERSONAL, Role.LARMMOTTAGARE),
           languages=("fi", "sv")),
    Person("per", "Per Holm", "samordnare", (Role.SAMORDNARE,)),
    Person("eva", "Eva Sjö", "enhetschef", (Role.ENHETSCHEF,)),
    Person("jonas", "Jonas Lund", "nattpersonal", (Role.NATTILLSYN, Role.LARMMOTTAGARE)),
    Person("nils", "Nils Wik", "systemförvaltare", (Role.SYSTEMFORVALTARE,)),
    Person("lena", "Lena Ask", "granskare", (Role.GRANSKARE,), unit=BACKBY),
    Person("anna", "Anna Berg", "undersköterska", (Role.OMSORGSPERSONAL,), unit=BACKBY),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Home:
    key: str
    name: str
    address: str
    born_on: date
    language: Language = "sv"
    to_know: tuple[str, ...] = ()
    has_unit: bool = True
    says_yes: bool = True

    @property
    def id(self) -> ResidentId:
        return ResidentId(named("resident", self.key))


HOMES = (
    Home("ingrid", "Ingrid Lindqvist", "Hagagatan 5, 2 tr", date(1942, 3, 8),
         to_know=("Hör bäst på vänster öra, tala långsamt.",
                  "Blir orolig om samtalet bryts tvärt.")),
    Home("aino", "Aino Virtanen", "Vasagatan 12", date(1939, 11, 2), "fi",
         ("Talar helst finska.",)),
    Home("karl-erik", "Karl-Erik Ström", "Parkvägen 3", date(1945, 6, 20)),
    Home("olof", "Olof Hedman", "Skolgatan 9", date(1937, 1, 14), says_yes=False),
    Home("birgitta", "Birgitta Norén", "Lugna gatan 4, lägenhet 1204", date(1944, 9, 30),
         has_unit=False),
)  # fmt: skip

INSATSER = (("Tillsyn", 10), ("Påminnelse", 5), ("Måltid", 15), ("Social samvaro", 20))
LISTS: dict[ListName, tuple[str, ...]] = {
    "cause": ("Oavsiktligt larm", "Fall", "Oro", "Hjälp till toaletten", "Tekniskt fel"),
    "measure": ("Samtal", "Besök", "Ambulans"),
}
PLANNED = (
    ("ingrid", "maria", "Tillsyn", 0,
     ("Fråga hur natten har varit", "Påminn om medicin klockan 14")),
    ("aino", "kirsi", "Påminnelse", 15, ("Päivän lääkkeet",)),
    ("birgitta", "maria", "Social samvaro", 30, ()),
    ("karl-erik", "maria", "Måltid", 45, ("Har han ätit lunch?",)),
    ("olof", "maria", "Tillsyn", 60, ()),
)  # fmt: skip


async def seed(database: Database, now: datetime) -> TenantId:
    """The whole municipality, once; later starts only plan the day. Returns its tenant."""
    async with database.across_tenants(actor_text(ACTOR)) as db:
        known = await access_store.tenant_by_slug(db, SLUG)
        if known is not None:
            tenant = known.id
        else:
            tenant = await add_tenant(
                db,
                slug=SLUG,
                name="Norrvika kommun",
                phone="021-00 00 00",
                actor=ACTOR,
                now=now,
            )
            await _people(db, now)
    await _plan_today(database, tenant, now)
    return tenant


async def add_homes(
    database: Database, tenant: TenantId, homes: Sequence[Home], now: datetime
) -> None:
    """More invented homes, for benches."""
    async with database.transaction(tenant, actor_text(ACTOR)) as db:
        for home in homes:
            await _home(db, home, now)


async def _people(db: Transaction, now: datetime) -> None:
    provider = ProviderId(named("provider", "kommunen"))
    await access_store.add_provider(db, provider, "Norrvika hemtjänst")
    team = CareUnit(TEAM, "Team Skallberget", "021-00 00 01", None)
    backby = CareUnit(BACKBY, "Team Bäckby", "021-00 00 02", None)
    for unit in (team, backby):
        await access_store.add_unit(db, unit, provider)
    await access_store.set_next_unit(db, TEAM, BACKBY)
    await access_store.add_cover(db, BACKBY, TEAM, hours=(time(22), time(7)))
    for person in STAFF:
        await access_store.add_staff(
            db,
            person.id,
            name=person.name,
            given_name=person.given_name,
            unit=person.unit,
            roles=[role for role in person.roles if role is not Role.NATTILLSYN],
            languages=person.languages,
            language=person.language,
            now=now,
        )
        if Role.NATTILLSYN in person.roles:
            await access_store.give_role(
                db,
                new_row_id(now),
                person.id,
                Grant(Role.NATTILLSYN, person.unit),
                valid_from=now,
                valid_until=now + timedelta(days=365),
                trained_on=now.date(),
            )
    for name, minutes in INSATSER:
        insats = Insats(named("insats", name), name, minutes, 10)
        await visit_store.add_insats(db, insats)
    for list_, words in LISTS.items():
        for word in words:
            await lists_store.add(db, named(list_, word), list_, word, now)
    for home in HOMES:
        await _home(db, home, now)


async def _home(db: Transaction, home: Home, now: datetime) -> None:
    resident = Resident(
        id=home.id,
        unit_id=TEAM,
        name=home.name,
        given_name=home.name.split()[0],
        language=home.language,
        address=home.address,
        phone="",
        born_on=home.born_on,
        to_know=home.to_know,
        scale_percent=100,
    )
    await register(db, resident, ACTOR, now)
    await consent_store.add_gates(db, resident.id)
    parties: list[CohabitantId | None] = [None]
    if home.key == "ingrid":
        lennart = Cohabitant(CohabitantId(named("cohabitant", "lennart")), "Lennart", "make")
        await register_cohabitant(db, resident, lennart, ACTOR, now)
        parties.append(lennart.id)
    if home.says_yes:
        for party in parties:
            await say_yes(db, resident.id, Purpose.VIDEO_VISIT, party=party, now=now)


async def say_yes(
    db: Transaction,
    resident_id: ResidentId,
    purpose: Purpose,
    *,
    party: CohabitantId | None,
    now: datetime,
    hours: tuple[time, time] | None = None,
    answer_after_s: int | None = None,
    emergency_allowed: bool = False,
) -> ConsentId:
    consent = Consent(
        id=ConsentId(new_row_id(now)),
        purpose=purpose,
        cohabitant_id=party,
        decision="permit",
        valid_from=now - timedelta(seconds=1),
        valid_until=None,
        ask_again_on=(now + timedelta(days=365)).date(),
        hours=Hours(*hours) if hours else None,
        callers=None,
        answer_after_s=answer_after_s,
        information_version=1,
        information_language="sv",
        given="in_person",
        recorded_at=now,
        emergency_allowed=emergency_allowed,
    )
    how = consent_store.Documentation(
        present="Eva Sjö", will_shown="spoken", ability="clear", asked_by=None
    )
    await consent_store.add(db, resident_id, consent, how)
    return consent.id


async def _plan_today(database: Database, tenant: TenantId, now: datetime) -> None:
    """A visit that can be rung now and some later, unless today's are planned already."""
    start, end = local_day(now)
    async with database.transaction(tenant, actor_text(ACTOR)) as db:
        today = await visit_store.day(db, [TEAM], start, end)
        if any(v.visit.starts_at > now - timedelta(minutes=5) for v in today):
            return
        for resident, staff, insats, minutes, to_do in PLANNED:
            at = (now + timedelta(minutes=minutes)).astimezone(STOCKHOLM)
            plan = Plan(
                resident_id=ResidentId(named("resident", resident)),
                insats_id=named("insats", insats),
                first=at.replace(second=0, microsecond=0, tzinfo=None),
                minutes=dict(INSATSER)[insats],
                staff_id=StaffId(named("staff", staff)),
                unit_id=TEAM,
                to_do=to_do,
                to_know="",
                repeat=None,
            )
            await plan_visits(db, plan, now)


async def unit_codes(
    database: Database, tenant: TenantId, homes: Sequence[Home], now: datetime
) -> dict[str, str]:
    """A fresh enrolment code for each home's unit."""
    codes = {}
    async with database.transaction(tenant, actor_text(ACTOR)) as db:
        for home in homes:
            resident = await people_store.resident(db, home.id)
            assert resident is not None  # noqa: S101 - seeded before
            codes[home.key] = await make_unit_code(db, resident, "Teven", now)
    return codes

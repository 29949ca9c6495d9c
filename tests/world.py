"""Real rows through the real services and stores: people, homes and consents for tests."""

import json
import secrets
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from uuid import UUID, uuid4

import asyncpg

from telecare.access import store as access_store
from telecare.access.model import CareUnit, Grant, Role, ScreenSession, StaffSession
from telecare.access.service import begin_session, new_token, token_hash
from telecare.alarms.arriving import Arrivals
from telecare.alarms.technical.service import raise_unknown_sender
from telecare.app import Services, timer_handlers
from telecare.audit.model import HomeActor, actor_text
from telecare.consent import store as consent_store
from telecare.consent.model import Purpose
from telecare.consent.service import Statement
from telecare.consent.tenants import add_tenant
from telecare.demo import seed
from telecare.devices import store as device_store
from telecare.devices.model import Unit
from telecare.devices.service import make_unit_code
from telecare.nightchecks.agreement import Modality, Slot
from telecare.nightchecks.agreements import Terms
from telecare.people.model import Cohabitant, Resident
from telecare.people.service import make_follow_up, register, register_cohabitant
from telecare.runtime.clock import STOCKHOLM
from telecare.runtime.timers import Timers
from telecare.visits import store as visit_store
from telecare.visits.model import Insats
from telecare.visits.service import Plan
from telecare.wire.edge import AlarmRaised, EnrolRequest
from telecare.wire.ids import (
    AlarmId,
    AssignmentId,
    CareUnitId,
    CheckId,
    CohabitantId,
    EndpointId,
    ProviderId,
    ResidentId,
    StaffId,
    TenantId,
    UnitId,
    VisitId,
    new_row_id,
)

YES = Statement(
    purpose=Purpose.VIDEO_VISIT,
    decision="permit",
    party=None,
    information_version=1,
    information_language="fi",
    present="Eva Sjö",
    will_shown="spoken",
    ability="clear",
    given="in_person",
)
"""Her own word to a video visit."""


@dataclass
class MovedClock:
    """Time stands still until a test moves it."""

    at: datetime

    def now(self) -> datetime:
        return self.at

    def forward(self, **by: float) -> None:
        self.at += timedelta(**by)


@dataclass
class World:
    """One municipality: a provider, two units, and whoever a test adds."""

    services: Services
    tenant: TenantId
    unit: CareUnitId
    night_unit: CareUnitId
    insats: UUID
    superuser_url: str
    superuser: asyncpg.Pool

    @classmethod
    @asynccontextmanager
    async def found(cls, services: Services, superuser_url: str) -> "AsyncIterator[World]":
        now = services.clock.now()
        unit, night = CareUnitId(uuid4()), CareUnitId(uuid4())
        async with services.database.across_tenants(actor_text(seed.ACTOR)) as db:
            slug = "t" + secrets.token_hex(6)
            tenant = await add_tenant(
                db, slug=slug, name="Provköping", phone="021-1", actor=seed.ACTOR, now=now
            )
            provider = ProviderId(uuid4())
            await access_store.add_provider(db, provider, "Utföraren")
            await access_store.add_unit(db, CareUnit(night, "Natten", "021-3", None), provider)
            await access_store.add_unit(db, CareUnit(unit, "Dagen", "021-2", night), provider)
            insats = uuid4()
            await visit_store.add_insats(db, Insats(insats, "Tillsyn", 10, 10))
        async with asyncpg.create_pool(superuser_url, min_size=0, max_size=4) as superuser:
            yield cls(services, tenant, unit, night, insats, superuser_url, superuser)

    @property
    def now(self) -> datetime:
        return self.services.clock.now()

    def begun(self):
        return self.services.database.transaction(self.tenant, actor_text(seed.ACTOR))

    async def resident(
        self,
        given_name: str = "Ingrid",
        *,
        says_yes: bool = True,
        cohabitant: str | None = None,
        language: str = "sv",
    ) -> Resident:
        resident = Resident(
            id=ResidentId(uuid4()),
            unit_id=self.unit,
            name=f"{given_name} Provsson",
            given_name=given_name,
            language=language,
            address="Provgatan 1",
            phone="",
            born_on=None,
            to_know=(),
            scale_percent=100,
        )
        async with self.begun() as db:
            await register(db, resident, seed.ACTOR, self.now)
            await consent_store.add_gates(db, resident.id)
            if cohabitant:
                await register_cohabitant(
                    db,
                    resident,
                    Cohabitant(CohabitantId(uuid4()), cohabitant, "make"),
                    seed.ACTOR,
                    self.now,
                )
            if says_yes:
                await seed.say_yes(db, resident.id, Purpose.VIDEO_VISIT, party=None, now=self.now)
        return resident

    async def yes(
        self,
        resident: Resident,
        purpose: Purpose = Purpose.VIDEO_VISIT,
        *,
        party: CohabitantId | None = None,
        hours: tuple[time, time] | None = None,
        answer_after_s: int | None = None,
        emergency_allowed: bool = False,
    ) -> None:
        async with self.begun() as db:
            await seed.say_yes(
                db,
                resident.id,
                purpose,
                party=party,
                now=self.now,
                hours=hours,
                answer_after_s=answer_after_s,
                emergency_allowed=emergency_allowed,
            )

    async def staff(
        self,
        given_name: str = "Maria",
        *,
        role: Role = Role.OMSORGSPERSONAL,
        assigned: tuple[Resident, ...] = (),
        on_shift: bool = False,
        unit: CareUnitId | None = None,
        languages: tuple[str, ...] = ("sv",),
    ) -> StaffSession:
        """Somebody signed in; her session."""
        staff_id = StaffId(uuid4())
        async with self.begun() as db:
            await access_store.add_staff(
                db,
                staff_id,
                name=f"{given_name} Ek",
                given_name=given_name,
                unit=unit or self.unit,
                roles=[] if role is Role.NATTILLSYN else [role],
                languages=list(languages),
                language="sv",
                now=self.now,
            )
            if role is Role.NATTILLSYN:
                await access_store.give_role(
                    db,
                    uuid4(),
                    staff_id,
                    Grant(role, unit or self.unit),
                    valid_from=self.now,
                    valid_until=self.now + timedelta(days=90),
                    trained_on=self.now.date(),
                )
            token = await begin_session(db, staff_id, "demo", self.now)
        for resident in assigned:
            await self.assign(staff_id, resident)
        session = await self.services.access.session(token)
        assert isinstance(session, StaffSession)
        if on_shift:
            await self.services.shifts.begin(session, unit or self.unit)
            session = await self.services.access.session(token)
            assert isinstance(session, StaffSession)
        TOKENS[session.id] = token
        return session

    async def assign(self, staff_id: StaffId, resident: Resident) -> UUID:
        source = uuid4()
        async with self.begun() as db:
            await access_store.assign(
                db,
                AssignmentId(new_row_id(self.now)),
                staff_id=staff_id,
                resident_id=resident.id,
                source="visit",
                source_id=source,
                valid_from=self.now - timedelta(hours=1),
                valid_until=None,
            )
        return source

    async def tv(self, resident: Resident) -> ScreenSession:
        endpoint = EndpointId(new_row_id(self.now))
        session_id = uuid4()
        token = new_token()
        async with self.begun() as db:
            await device_store.add_endpoint(
                db, endpoint, resident.id, kind="tv", label="", has_picture=True, now=self.now
            )
            await access_store.add_session(
                db,
                access_store.SessionRow(
                    tenant=self.tenant,
                    id=session_id,
                    kind="tv",
                    staff_id=None,
                    endpoint_id=endpoint,
                    resident_id=resident.id,
                    signed_in_by="pairing",
                    used_at=self.now,
                    expires_at=None,
                    page_locked_at=None,
                ),
                token_hash=token_hash(token),
            )
        TOKENS[session_id] = token
        return ScreenSession(self.tenant, session_id, HomeActor(endpoint, "tv", resident.id))

    async def home_unit(self, resident: Resident) -> Unit:
        """A home unit with a picture, enrolled."""
        async with self.begun() as db:
            code = await make_unit_code(db, resident, "Teven", self.now)
        public_key = b64encode(bytes(32), b"-_").decode().rstrip("=")
        devices = self.services.devices
        enrolled = await devices.enrol(EnrolRequest(code=code, public_key=public_key))
        [unit] = (await devices.units([UnitId(enrolled.unit)])).values()
        return unit

    async def alarm(self, resident: Resident) -> AlarmId:
        """She has pressed the button just now."""
        unit = await self.home_unit(resident)
        press = AlarmRaised(
            boot=uuid4(), seq=1, occurred_at=self.now, trigger="button", device="armband"
        )
        arrivals = Arrivals(self.services.database, self.services.clock)
        await arrivals.take_in(self.tenant, [(unit, press)])
        rows = await self.rows(
            "select id from alarm where tenant_id = $1 and source_id = $2", self.tenant, unit.id
        )
        return AlarmId(rows[0]["id"])

    async def technical_alarm(self) -> UUID:
        """From a unit that nobody has registered."""
        async with self.begun() as db:
            return await raise_unknown_sender(db, "SCAIP 4711", self.now)

    async def is_enrolled(self, unit: Unit) -> bool:
        return unit.id in await self.services.devices.units([unit.id])

    async def visit(
        self, session: StaffSession, resident: Resident, *, minutes: int = 0
    ) -> VisitId:
        """A visit of `session`'s, `minutes` from now."""
        planner = await self.staff("Per", role=Role.SAMORDNARE)
        at = (self.now + timedelta(minutes=minutes)).astimezone(STOCKHOLM).replace(tzinfo=None)
        ids = await self.services.visits.plan(
            planner,
            Plan(
                resident_id=resident.id,
                insats_id=self.insats,
                first=at,
                minutes=10,
                staff_id=session.staff.id,
                unit_id=None,
                to_do=("Ät lunch",),
                to_know="",
                repeat=None,
            ),
        )
        return ids[0]

    async def night_check(self, resident: Resident) -> CheckId:
        """A check of this night, in an hour, that is a visit."""
        head = await self.staff("Eva", role=Role.ENHETSCHEF)
        at = (self.now + timedelta(hours=1)).astimezone(STOCKHOLM).time().replace(tzinfo=None)
        terms = Terms((Slot(at, Modality.VISIT),), None)
        await self.services.agreements.agree(head, resident.id, terms)
        rows = await self.rows("select id from night_check where resident_id = $1", resident.id)
        return CheckId(rows[0]["id"])

    async def call_back(self, resident: Resident) -> UUID:
        """A task of the unit: somebody should ring her. The only one that is open about her."""
        async with self.begun() as db:
            await make_follow_up(
                db, "call_back", resident, unit_id=self.unit, about_id=None, actor=seed.ACTOR,
                now=self.now,
            )  # fmt: skip
        rows = await self.rows(
            "select id from follow_up where resident_id = $1 and closed_at is null", resident.id
        )
        return rows[0]["id"]

    async def run_due(self) -> None:
        """This municipality's due timers; others', in the same database, may come first."""
        services = self.services
        timers = Timers(services.database, services.clock, timer_handlers(services))
        due = "select id from timer where tenant_id = $1 and due_at <= $2"
        while await self.rows(due, self.tenant, self.now):
            await timers.run_due()

    async def records(self) -> list[dict]:
        """The tenant's log as a superuser sees it, oldest first."""
        rows = await self.superuser.fetch(
            """
            select b.entry_id, b.event, b.seed, b.actor, b.subject, b.persons, b.what, b.basis,
                e.data
            from audit.body b join audit.entry e using (tenant_id, entry_id)
            where b.tenant_id = $1
            order by b.entry_id
            """,
            self.tenant,
        )
        return [
            {
                **dict(row),
                "actor": json.loads(row["actor"]),
                "subject": {"persons": [json.loads(person) for person in row["persons"]]},
                "what": json.loads(row["what"]),
                "basis": json.loads(row["basis"]),
                "text": {k: row[k] for k in ("actor", "subject", "persons", "what", "basis")},
            }
            for row in rows
        ]

    async def events(self, after: int = 0) -> list[str]:
        return [r["event"] for r in (await self.records())[after:]]

    async def rows(self, sql: str, *values: object) -> list[dict]:
        return [dict(row) for row in await self.superuser.fetch(sql, *values)]


TOKENS: dict[UUID, str] = {}
"""Session tokens by session, for tests that go through HTTP."""

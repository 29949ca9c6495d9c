"""Ingrid's home at two in the night, Maria at work, and what her unit is told."""

import json
from dataclasses import dataclass, field
from datetime import date, time
from uuid import UUID, uuid4

import pytest

from telecare.access.model import Role, StaffSession
from telecare.consent.model import Purpose
from telecare.devices.model import Unit
from telecare.nightchecks.agreement import Modality, Slot
from telecare.nightchecks.agreements import Terms
from telecare.people.model import Resident
from telecare.wire import edge
from telecare.wire.ids import CheckId
from tests.services.test_night_checks import EVENING, PAPERS, TWO

CHECK = "select * from night_check where resident_id = $1 and state <> 'called_off'"
CALLS = "select id, kind, state, end_reason, must_end, opened_at from call where resident_id = $1"


@dataclass
class Round:
    """Ingrid's home at two, Maria at work, and what her unit is told."""

    world: object
    per: StaffSession
    maria: StaffSession
    ingrid: Resident
    unit: Unit
    camera: UUID
    told: list = field(default_factory=list)
    stamp: edge.Stamp = field(default_factory=lambda: edge.Stamp(boot=uuid4(), monotonic_ms=1))

    @property
    def looks(self):
        return self.world.services.night_looks

    @property
    def calls(self):
        return self.world.services.calls

    async def check(self) -> dict:
        [row] = await self.world.rows(CHECK, self.ingrid.id)
        return row

    async def check_id(self) -> CheckId:
        return CheckId((await self.check())["id"])

    async def call(self) -> dict:
        return (await self.world.rows(CALLS + " order by created_at", self.ingrid.id))[-1]

    def messages(self, kind: str) -> list[dict]:
        found = [json.loads(one.payload) for one in self.told if b'"kind"' in one.payload]
        return [one for one in found if one["kind"] == kind]

    async def begin(self) -> UUID:
        call_id = await self.looks.begin(self.maria, await self.check_id())
        self.alive(call_id)
        return call_id

    def alive(self, call_id) -> None:
        self.world.services.liveness.hear(call_id, self.unit, self.stamp)

    async def shown(self, seconds: float = 2) -> None:
        """The viewer's page has had the picture this long."""
        await self.calls.report(self.maria, (await self.call())["id"], "first_frame")
        self.world.services.clock.forward(seconds=seconds)


@pytest.fixture
async def night(world, clock, database):
    clock.at = EVENING
    per = await world.staff("Per", role=Role.ENHETSCHEF)
    maria = await world.staff("Maria", role=Role.NATTILLSYN, on_shift=True)
    agreements = world.services.agreements
    await agreements.set_assessment(per, "KS 2026/114", date(2026, 6, 1))
    ingrid = await world.resident("Ingrid")
    await world.yes(ingrid, Purpose.CAMERA_CHECK, hours=(time(22), time(7)))
    unit = await world.home_unit(ingrid)
    camera = await agreements.add_camera(
        per, ingrid.id, unit.endpoint_id, name="bedroom", place="Sovrum"
    )
    slots = (Slot(time(2), Modality.CAMERA),)
    await agreements.agree(per, ingrid.id, Terms(slots, camera, picture="blurred", **PAPERS))
    await agreements.activate(per, camera)
    made = Round(world, per, maria, ingrid, unit, camera)
    database.dispatch = made.told.append
    clock.at = TWO
    await world.run_due()
    await world.services.tonight.say_private(maria)
    return made

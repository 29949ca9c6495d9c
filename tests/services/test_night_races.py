"""Looks against whatever takes the permission away: no camera is open after the commit (P6)."""

from datetime import date, time

import asyncpg
import pytest

from telecare.absences.service import Report
from telecare.access.model import Role
from telecare.consent import store as consent_store
from telecare.consent.model import Purpose
from telecare.nightchecks.agreement import Modality, Slot
from telecare.nightchecks.agreements import Terms
from telecare.nightchecks.held import CameraUnusable
from telecare.nightchecks.model import CheckClosed, CheckNotDue, CheckTaken
from telecare.runtime.errors import Refusal, TelecareError
from telecare.wire.ids import CheckId
from tests.services.test_night_checks import EVENING, PAPERS, TWO
from tests.services.test_races import ROUNDS, STARTERS, Race, run

pytestmark = pytest.mark.timeout(300)

CHECK = "select id from night_check where tenant_id = $1"
DUE_AGAIN = """
update night_check set state = 'due', since = $2, staff_id = null, call_id = null,
    not_before = null, shown_at = null, last_outcome = null, without_camera = null, why = null,
    expected_by = null, ended_as = null, called_off_for = null
where tenant_id = $1
"""
NOBODY_GOES = "delete from dispatch where tenant_id = $1"
STANDS_STILL = """
select 1 from night_check c where c.tenant_id = $1 and not (
    c.state in ('dispatched', 'done', 'called_off')
    or exists (select from timer t where t.tenant_id = c.tenant_id and t.subject = c.id)
)
"""


class LookRace(Race):
    """One home with a check that is due, and five of the night's staff who look there at once."""

    async def begin(self):
        self.world.services.clock.at = EVENING
        per = await self.world.staff("Per", role=Role.ENHETSCHEF)
        agreements = self.made.agreements
        await agreements.set_assessment(per, "KS 2026/114", date(2026, 6, 1))
        self.ingrid = await self.world.resident("Ingrid")
        await self.world.yes(self.ingrid, Purpose.CAMERA_CHECK)
        self.tv = await self.world.tv(self.ingrid)
        unit = await self.world.home_unit(self.ingrid)
        self.camera = await agreements.add_camera(
            per, self.ingrid.id, unit.endpoint_id, name="bedroom", place="Sovrum"
        )
        terms = Terms((Slot(time(2), Modality.CAMERA),), self.camera, **PAPERS)
        await agreements.agree(per, self.ingrid.id, terms)
        await agreements.activate(per, self.camera)
        self.starters = [
            await self.world.staff(f"S{n}", role=Role.NATTILLSYN, on_shift=True)
            for n in range(STARTERS)
        ]
        for one in self.starters:
            await self.made.tonight.say_private(one)
        self.world.services.clock.at = TWO
        await self.world.run_due()
        [row] = await self.world.rows(CHECK, self.world.tenant)
        self.check = CheckId(row["id"])
        return self

    async def start(self, session):
        try:
            await self.made.night_looks.begin(session, self.check)
        except (Refusal, CheckTaken, CheckClosed, CheckNotDue, CameraUnusable):
            return "refused"
        except TelecareError as error:
            return type(error).__name__
        return "opened"

    async def due_again(self):
        await self.tidy()
        await self.world.rows(DUE_AGAIN, self.world.tenant, self.world.now)
        await self.world.rows(NOBODY_GOES, self.world.tenant)


@pytest.fixture
async def race(world, made):
    return await LookRace(world, made).begin()


async def of_withdrawal(race):
    async def take_away():
        await race.made.consents.withdraw_at_home(race.tv, Purpose.CAMERA_CHECK)

    async def give_back():
        await race.world.yes(race.ingrid, Purpose.CAMERA_CHECK)
        await race.due_again()

    return take_away, give_back


async def of_absence(race):
    eva = await race.world.staff("Eva", assigned=(race.ingrid,))
    away = []

    async def take_away():
        report = Report("hospital", None, None, "Dottern")
        away.append(await race.made.absences.report(eva, race.ingrid.id, report))

    async def give_back():
        while away:
            await race.made.absences.home(eva, away.pop())
        race.world.services.clock.forward(milliseconds=1)
        await race.due_again()

    return take_away, give_back


@pytest.mark.parametrize("rounds", ROUNDS)
@pytest.mark.parametrize("permission", [of_withdrawal, of_absence])
async def test_no_camera_is_open_after_the_permission_has_gone(race, permission, rounds):
    take_away, give_back = await permission(race)

    outcomes, left_open = await run(race, take_away, give_back, rounds)

    assert left_open == 0
    assert set(outcomes) == {"opened", "refused"}, "nothing was lost to a lock"
    assert await race.world.rows(STANDS_STILL, race.world.tenant) == []


async def test_of_five_who_look_at_once_one_does(race):
    async def nothing():
        return

    for _ in range(5):
        outcomes, _ = await run(race, nothing, race.due_again, 1)
        assert outcomes == {"opened": 1, "refused": STARTERS - 1}


async def test_without_the_gates_lock_the_race_is_lost(race, monkeypatch):
    take_away, give_back = await of_withdrawal(race)
    unlocked = consent_store.HOLD_GATE.replace("for share", "")
    assert unlocked != consent_store.HOLD_GATE
    monkeypatch.setattr(consent_store, "HOLD_GATE", unlocked)

    with pytest.raises((AssertionError, asyncpg.DeadlockDetectedError)):
        await none_open(race, take_away, give_back)


async def none_open(race, take_away, give_back):
    _, left_open = await run(race, take_away, give_back, 100)
    assert left_open == 0

"""Starts against whatever takes a permission away: 0 calls open after the commit (P6).

Each race has ≥ 5 connections and ≥ 500 rounds; without its lock each fails (shown at the end).
"""

import asyncio
from collections import Counter

import pytest

from telecare.absences.service import Report
from telecare.access import store as access_store
from telecare.access.model import Role
from telecare.access.service import end_assignments
from telecare.calls import store as call_store
from telecare.calls.model import CallEnded, CallNotRinging, CallTaken, Reason
from telecare.calls.opening import SYSTEM, end_call
from telecare.consent import store as consent_store
from telecare.consent.model import Purpose
from telecare.runtime.clock import STOCKHOLM
from telecare.runtime.errors import Refusal, TelecareError

ROUNDS = [pytest.param(20), pytest.param(500, marks=pytest.mark.slow)]
STARTERS = 5
LATEST = 300
pytestmark = pytest.mark.timeout(300)

LIVE = """
select count(*) as n from call where tenant_id = $1 and resident_id = $2 and state <> 'ended'
"""
RESET = """
select c.id from call c where c.tenant_id = $1 and c.resident_id = $2 and c.state <> 'ended'
"""


class Race:
    """One resident, five colleagues who ring her, a TV that answers, and a permission that goes."""

    def __init__(self, world, made):
        self.world, self.made = world, made

    async def begin(self):
        self.ingrid = await self.world.resident("Ingrid")
        self.tv = await self.world.tv(self.ingrid)
        self.starters = [
            await self.world.staff(f"S{n}", assigned=(self.ingrid,)) for n in range(STARTERS)
        ]
        return self

    async def start(self, session):
        """Ring and answer: the whole way to an open call."""
        try:
            call_id = await self.made.calls.ring(session, self.ingrid.id)
            await self.made.calls.answer(self.tv, call_id)
        except (Refusal, CallEnded, CallTaken, CallNotRinging):
            return "refused"
        except TelecareError as error:
            return type(error).__name__
        return "opened"

    async def live(self):
        rows = await self.world.rows(LIVE, self.world.tenant, self.ingrid.id)
        return rows[0]["n"]

    async def tidy(self):
        for row in await self.world.rows(RESET, self.world.tenant, self.ingrid.id):
            async with self.world.begun() as db:
                call = await call_store.hold(db, row["id"])
                await end_call(
                    db,
                    call,
                    Reason.CANCELLED,
                    SYSTEM,
                    now=self.world.now,
                    react=self.made.reactions,
                )


async def run(race, take_away, give_back, rounds):
    """How starts ended, and in how many rounds a call was live after the permission was gone."""
    outcomes, left_open = Counter(), 0
    for n in range(rounds):
        await give_back()
        starts = [race.start(session) for session in race.starters]
        late = _after_queries(race.world, (n * 37) % LATEST, take_away)
        jobs = [*starts[: n % STARTERS], late, *starts[n % STARTERS :]]
        results = await asyncio.gather(*jobs)
        outcomes.update(r for r in results if r)
        left_open += await race.live() > 0
        if left_open:
            await race.tidy()
    return outcomes, left_open


async def _after_queries(world, count, take_away):
    """The permission goes `count` round trips later, so that it meets starts at every stage."""
    async with world.services.database.across_tenants() as db:
        for _ in range(count):
            await db.fetchval("select 1")
    await take_away()


async def withdrawal(world, made):
    race = await Race(world, made).begin()

    async def take_away():
        await made.consents.withdraw_at_home(race.tv, Purpose.VIDEO_VISIT)

    async def give_back():
        await world.yes(race.ingrid)

    return race, take_away, give_back


async def ending_assignments(world, made):
    race = await Race(world, made).begin()
    await world.rows(
        "delete from assignment where tenant_id = $1 and resident_id = $2",
        world.tenant,
        race.ingrid.id,
    )
    sources = []

    async def take_away():
        for source in sources:
            async with world.begun() as db:
                await end_assignments(db, "visit", source, world.now, made.reactions)

    async def give_back():
        sources[:] = [await world.assign(s.staff.id, race.ingrid) for s in race.starters]

    return race, take_away, give_back


async def revoking(world, made):
    race = await Race(world, made).begin()
    head = await world.staff("Eva", role=Role.ENHETSCHEF)

    async def take_away():
        for session in race.starters:
            await made.staffing.revoke(head, session.staff.id)

    async def give_back():
        await world.rows("update staff set revoked_at = null where tenant_id = $1", world.tenant)

    return race, take_away, give_back


async def absence(world, made):
    race = await Race(world, made).begin()
    reported = []

    async def take_away():
        told = Report("hospital", None, None, "Dottern")
        reported[:] = [await made.absences.report(race.starters[0], race.ingrid.id, told)]

    async def give_back():
        for one in reported:
            await made.absences.home(race.starters[0], one)
        world.services.clock.forward(seconds=1)

    return race, take_away, give_back


async def ending(world, made):
    race = await Race(world, made).begin()
    per = await world.staff("Per", role=Role.SAMORDNARE)
    head = await world.staff("Eva", role=Role.ENHETSCHEF)
    ended = []

    async def take_away():
        today = world.now.astimezone(STOCKHOLM).date()
        ended[:] = [await made.endings.end(per, race.ingrid.id, "moved", today)]

    async def give_back():
        for one in ended:
            await made.endings.undo(head, one)
            for starter in race.starters:
                await world.assign(starter.staff.id, race.ingrid)
        world.services.clock.forward(seconds=1)

    return race, take_away, give_back


RACES = {
    "withdrawal": withdrawal,
    "ending assignments": ending_assignments,
    "revoking": revoking,
    "absence": absence,
    "ending": ending,
}


@pytest.mark.parametrize("rounds", ROUNDS)
@pytest.mark.parametrize("name", RACES)
async def test_no_call_is_open_after_the_permission_is_gone(world, made, name, rounds):
    race, take_away, give_back = await RACES[name](world, made)

    outcomes, left_open = await run(race, take_away, give_back, rounds)

    assert left_open == 0
    assert outcomes["opened"] > 0, "the race is only a race when some starts come first"
    assert outcomes["refused"] > 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "module", "constant"),
    [
        ("withdrawal", consent_store, "HOLD_GATE"),
        ("absence", consent_store, "HOLD_GATE"),
        ("ending assignments", access_store, "HOLD_ASSIGNMENT"),
        ("revoking", access_store, "HOLD_STAFF"),
    ],
)
async def test_without_its_lock_the_race_is_lost(world, made, monkeypatch, name, module, constant):
    """The mutation that shows the test above can fail: the same race, FOR SHARE taken out."""
    unlocked = getattr(module, constant).replace("for share", "")
    monkeypatch.setitem(vars(module), constant, unlocked)
    race, take_away, give_back = await RACES[name](world, made)

    _, left_open = await run(race, take_away, give_back, 500)

    assert left_open > 0

"""Whatever happens in whatever order: nothing reaches somebody who is away or no longer with us."""

import contextlib
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from telecare.absences.service import AbsenceOverlaps, Report
from telecare.access.model import Role
from telecare.calls.model import CallEnded, CallNotRinging, CallTaken
from telecare.calls.opening import Busy, NoEndpoint
from telecare.consent.gate import ConsentWithdrawnBefore, ResidentAbsent
from telecare.consent.model import Purpose
from telecare.endings.service import EndingUndoLate
from telecare.people.service import ResidentGone
from telecare.runtime.clock import STOCKHOLM
from telecare.runtime.errors import FieldInvalid, NotFound, Refusal

pytestmark = pytest.mark.timeout(300)
LIVE = """
select c.kind, c.state, c.home_picture, l.call_id is not null as has_lease
from call c left join call_lease l on l.tenant_id = c.tenant_id and l.call_id = c.id
where c.tenant_id = $1 and c.resident_id = $2 and (c.state <> 'ended' or l.call_id is not null)
"""
REPORT = st.tuples(
    st.just("report"), st.sampled_from([0, 0, 1, 20]), st.sampled_from([None, None, 30])
)
STEPS = st.one_of(
    REPORT,
    st.tuples(st.just("end"), st.sampled_from([0, 1])),
    st.tuples(st.just("wait"), st.sampled_from([1, 25, 1440])),
    *(
        st.tuples(st.just(name))
        for name in (
            "home", "undo", "undo", "ring", "ring", "answer", "answer", "call_in", "take", "take",
            "hang_up", "withdraw", "yes",
        )
    ),
    REPORT,
)  # fmt: skip


class Life:
    """One person and all that may happen to her, with what must then be so."""

    def __init__(self, world, made, clock):
        self.world, self.made, self.clock = world, made, clock
        self.timers = world
        self.absences = []
        self.ending = None
        self.ended_from = None
        self.call_id = None
        self.says_yes = True

    async def begin(self):
        self.ingrid = await self.world.resident("Ingrid")
        self.maria = await self.world.staff("Maria", on_shift=True)
        self.per = await self.world.staff("Per", role=Role.SAMORDNARE)
        self.eva = await self.world.staff("Eva", role=Role.ENHETSCHEF)
        self.tv = await self.world.tv(self.ingrid)
        return self

    @property
    def now(self) -> datetime:
        return self.clock.now()

    @property
    def is_away(self) -> bool:
        return any(
            start <= self.now and (end is None or self.now < end) for _, start, end in self.absences
        )

    @property
    def is_ended(self) -> bool:
        return self.ended_from is not None and self.ended_from <= self.now

    async def report(self, after, lasts):
        begins = self.now + timedelta(minutes=after)
        ends = begins + timedelta(minutes=lasts) if lasts else None
        with contextlib.suppress(AbsenceOverlaps, ResidentGone):
            told = Report("hospital", begins, ends, "Dottern")
            made = await self.made.absences.report(self.maria, self.ingrid.id, told)
            self.absences.append((made, begins, ends))

    async def home(self):
        for n, (absence, start, end) in enumerate(self.absences):
            if end is None or self.now < end:
                await self.made.absences.home(self.maria, absence)
                self.absences[n] = (absence, start, self.now)

    async def end(self, days):
        day = self.now.astimezone(STOCKHOLM).date() + timedelta(days=days)
        with contextlib.suppress(ResidentGone):
            self.ending = await self.made.endings.end(self.per, self.ingrid.id, "moved", day)
            midnight = datetime(day.year, day.month, day.day, tzinfo=STOCKHOLM)
            self.ended_from = max(self.now, midnight)

    async def undo(self):
        if self.ending is None:
            return
        with contextlib.suppress(NotFound, EndingUndoLate):
            await self.made.endings.undo(self.eva, self.ending)
            self.ending = self.ended_from = None

    async def ring(self):
        await self.world.assign(self.maria.staff.id, self.ingrid)
        try:
            self.call_id = await self.made.calls.ring(self.maria, self.ingrid.id)
        except ResidentGone:
            assert self.is_ended
        except ResidentAbsent:
            assert self.is_away
            assert not self.is_ended
        except ConsentWithdrawnBefore:
            assert not self.says_yes
        except (Busy, NoEndpoint):
            assert not (self.is_away)
            assert not (self.is_ended)
        else:
            assert self.says_yes
            assert not (self.is_away)
            assert not (self.is_ended)

    async def answer(self):
        if self.call_id is not None:
            with contextlib.suppress(Refusal, CallEnded, CallTaken, CallNotRinging):
                await self.made.calls.answer(self.tv, self.call_id)

    async def call_in(self):
        try:
            self.call_id = await self.made.calls.call_in(self.tv)
        except ResidentGone:
            assert self.is_ended
        except (Refusal, CallNotRinging):
            pass
        else:
            assert not self.is_ended

    async def take(self):
        if self.call_id is not None:
            with contextlib.suppress(Refusal, CallEnded, CallTaken, CallNotRinging, NotFound):
                await self.made.calls.take(self.maria, self.call_id)

    async def hang_up(self):
        if self.call_id is not None:
            with contextlib.suppress(Refusal):
                await self.made.calls.hang_up(self.maria, self.call_id)

    async def withdraw(self):
        await self.made.consents.withdraw_at_home(self.tv, Purpose.VIDEO_VISIT)
        self.says_yes = False

    async def yes(self):
        await self.world.yes(self.ingrid)
        self.says_yes = True

    async def wait(self, minutes):
        """What comes due is done."""
        self.clock.forward(minutes=minutes)
        await self.timers.run_due()

    async def check(self):
        async with self.world.begun() as db:
            live = await db.fetch(LIVE, self.world.tenant, self.ingrid.id)
        for call in live:
            assert not self.is_ended, call
            assert call["kind"] == "call_in" or not self.is_away, call
            assert not (call["home_picture"] and self.is_away), call
            assert not (call["home_picture"] and not self.says_yes), call


@given(steps=st.lists(STEPS, min_size=8, max_size=40))
@settings(
    max_examples=30, deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
async def test_no_ring_call_or_picture_reaches_who_is_away_or_ended(world, made, clock, steps):
    life = await Life(world, made, clock).begin()

    for name, *values in steps:
        with contextlib.suppress(FieldInvalid):
            await getattr(life, name)(*values)
        await life.check()

    await life.undo()
    await life.home()
    await life.yes()
    await life.hang_up()
    if life.ending is None:
        await life.ring()

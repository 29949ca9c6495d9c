"""Consent: who may say yes, what a yes covers, and a random life of yes, no and time."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from telecare.access.errors import NotAssigned
from telecare.consent.model import Allowed, Consent, Hours, Known, Policy, Purpose, decide
from telecare.consent.service import PartyUnknown, RelativeCannotConsent, Statement, YesNotFromTv
from telecare.runtime.errors import FieldInvalid, NotFound
from telecare.wire.errors import Code
from tests.world import YES


def saying(**changes) -> Statement:
    return replace(YES, **changes)


async def test_a_yes_keeps_how_it_was_given(world, made):
    ingrid = await world.resident("Ingrid", says_yes=False)
    maria = await world.staff(assigned=(ingrid,))

    outcome = await made.consents.record(maria, ingrid.id, YES)

    assert outcome.gate_is_open
    record = (await world.records())[-1]
    assert record["event"] == "consent.given"
    assert record["actor"]["id"] == str(maria.staff.id)
    assert record["what"]["will_shown"] == "spoken"
    assert record["basis"] == {
        "information_language": "fi", "information_version": 1, "purpose": "video_visit",
    }  # fmt: skip


async def test_a_relative_cannot_say_yes_for_somebody(world, made):
    ingrid = await world.resident("Ingrid", says_yes=False)
    maria = await world.staff(assigned=(ingrid,))
    before = len(await world.events())

    with pytest.raises(RelativeCannotConsent):
        await made.consents.record(maria, ingrid.id, saying(stands_in="relative"))

    assert await world.events(before) == ["action.refused"]


async def test_what_a_stand_in_says_where_policy_allows_it_is_never_taken_for_her_word(
    world, made, as_superuser
):
    await as_superuser(
        f"select set_config('app.tenant', '{world.tenant}', true);"
        f"update purpose_policy set stand_ins = '{{guardian}}' where tenant_id = {world.tenant}"
    )
    ingrid = await world.resident("Ingrid", says_yes=False)
    maria = await world.staff(assigned=(ingrid,))
    await world.tv(ingrid)

    await made.consents.record(maria, ingrid.id, saying(stands_in="guardian"))
    said = (await world.records())[-1]
    await made.calls.ring(maria, ingrid.id)
    rung = (await world.records())[-1]

    assert said["what"]["stands_in"] == "guardian"
    assert rung["basis"]["consents"][0]["stands_in"] == "guardian"


async def test_yes_to_auto_answer_never_comes_from_a_tv_key(world, made):
    ingrid = await world.resident("Ingrid")
    maria = await world.staff(assigned=(ingrid,))
    auto = saying(
        purpose=Purpose.AUTO_ANSWER, given="tv", hours=(time(8), time(20)), answer_after_s=20
    )

    with pytest.raises(YesNotFromTv):
        await made.consents.record(maria, ingrid.id, auto)


async def test_a_yes_waits_for_everybody_who_lives_there(world, made):
    ingrid = await world.resident("Ingrid", says_yes=False, cohabitant="Lennart")
    maria = await world.staff(assigned=(ingrid,))

    outcome = await made.consents.record(maria, ingrid.id, YES)

    assert not outcome.gate_is_open
    assert outcome.waiting_for == ("Lennart",)


async def test_doubt_about_ability_makes_a_second_talk_a_task(world, made):
    ingrid = await world.resident("Ingrid", says_yes=False)
    maria = await world.staff(assigned=(ingrid,))

    await made.consents.record(maria, ingrid.id, saying(ability="doubtful"))

    tasks = await world.rows("select kind from follow_up where tenant_id = $1", world.tenant)
    assert tasks == [{"kind": "second_talk"}]


async def test_a_yes_until_further_notice_comes_up_again_before_it_is_old(world, made, clock):
    ingrid = await world.resident("Ingrid", says_yes=False)
    maria = await world.staff(assigned=(ingrid,))
    outcome = await made.consents.record(maria, ingrid.id, YES)
    tasks = "select kind, about_id from follow_up where tenant_id = $1"

    clock.forward(days=364)
    await world.run_due()
    assert await world.rows(tasks, world.tenant) == []
    clock.forward(days=2)
    await world.run_due()

    assert await world.rows(tasks, world.tenant) == [
        {"kind": "ask_again", "about_id": outcome.consent.id}
    ]


@pytest.mark.parametrize(
    ("statement", "refusal"),
    [
        (saying(valid_until=date(2020, 1, 1)), FieldInvalid),
        (saying(purpose=Purpose.AUTO_ANSWER), FieldInvalid),
        (saying(party=uuid4()), PartyUnknown),
    ],
)
async def test_what_cannot_be_is_not_taken_down(world, made, statement, refusal):
    ingrid = await world.resident("Ingrid", says_yes=False)
    maria = await world.staff(assigned=(ingrid,))
    before = await world.events()

    with pytest.raises(refusal):
        await made.consents.record(maria, ingrid.id, statement)

    assert await world.events() == before


async def test_only_the_assigned_take_down_a_yes_but_anybody_a_no(world, made):
    ingrid = await world.resident("Ingrid")
    stranger = await world.staff("Anna")
    with pytest.raises(NotAssigned):
        await made.consents.record(stranger, ingrid.id, YES)
    with pytest.raises(NotAssigned):
        await made.consents.preview(stranger, ingrid.id, YES)
    consents = await world.rows("select id from consent where tenant_id = $1", world.tenant)

    await made.consents.withdraw(stranger, consents[0]["id"], "by_phone")

    assert (await world.events())[-1] == "consent.withdrawn"


async def test_a_consent_of_another_municipality_is_not_there(world, other_world, made):
    await other_world.resident("Aino")
    theirs = await world.rows("select id from consent where tenant_id = $1", other_world.tenant)
    maria = await world.staff()

    with pytest.raises(NotFound):
        await made.consents.withdraw(maria, theirs[0]["id"], "resident")


@given(
    start=st.times(), end=st.times(), at=st.datetimes(
        datetime(2026, 1, 1), datetime(2027, 12, 31)  # noqa: DTZ001 - strategy bounds
    ),
)  # fmt: skip
@settings(max_examples=300)
def test_hours_always_end_after_the_moment_they_contain(start, end, at):
    hours = Hours(start, end)
    moment = at.replace(tzinfo=UTC)

    if hours.contain(moment):
        ends = hours.end_after(moment)
        assert moment <= ends <= moment + timedelta(hours=25)


T0 = datetime(2026, 10, 24, 20, 0, tzinfo=UTC)  # the night before winter time
POLICY = Policy(
    "p", Purpose.VIDEO_VISIT, frozenset({"resident", "cohabitant"}), frozenset(),
    frozenset({"in_person"}), True, 12, "Äldrenämnden", "SoL", "SoL",
)  # fmt: skip


class ConsentLife(RuleBasedStateMachine):
    """The newest word of each party decides, and only while it holds."""

    @initialize()
    def begin(self):
        self.now = T0
        self.consents = {}
        self.cohabitants = []
        self.objects = False
        self.ids = iter(UUID(int=n) for n in range(1, 10_000))

    @rule(
        party=st.sampled_from(["resident", "cohabitant"]),
        decision=st.sampled_from(["permit", "deny", "withdrawn"]),
        days=st.none() | st.integers(1, 3),
    )
    def says(self, party, decision, days):
        if party == "cohabitant" and not self.cohabitants:
            return
        who = None if party == "resident" else self.cohabitants[-1]
        self.consents[who] = Consent(
            id=next(self.ids), purpose=Purpose.VIDEO_VISIT, cohabitant_id=who, decision=decision,
            valid_from=self.now, valid_until=self.now + timedelta(days=days) if days else None,
            ask_again_on=None, hours=None, callers=None, answer_after_s=None,
            information_version=1, information_language="sv", given="in_person",
            recorded_at=self.now,
        )  # fmt: skip

    @rule()
    def somebody_moves_in(self):
        self.cohabitants.append(next(self.ids))

    @rule()
    def somebody_moves_out(self):
        if self.cohabitants:
            self.cohabitants.pop()

    @rule(objects=st.booleans())
    def somebody_objects(self, objects):
        self.objects = objects

    @rule(hours=st.integers(0, 60))
    def time_passes(self, hours):
        self.now += timedelta(hours=hours)

    @invariant()
    def allowed_means_everybody_says_yes_now(self):
        known = Known(POLICY, list(self.consents.values()), self.cohabitants, self.objects)
        decision = decide(known, caller=None, at=self.now)
        everybody = [self.consents.get(party) for party in [None, *self.cohabitants]]
        covered = all(
            c is not None
            and c.decision == "permit"
            and (c.valid_until is None or self.now < c.valid_until)
            for c in everybody
        )
        assert isinstance(decision, Allowed) == (covered and not self.objects)
        if isinstance(decision, Allowed):
            assert decision.ends_at is None or decision.ends_at > self.now
        else:
            assert isinstance(decision, Code)

    @invariant()
    def without_a_policy_nothing_is_allowed(self):
        known = Known(None, list(self.consents.values()), self.cohabitants, False)
        assert decide(known, caller=None, at=self.now) is Code.POLICY_MISSING


TestConsentLife = ConsentLife.TestCase
TestConsentLife.settings = settings(max_examples=100, deadline=None)

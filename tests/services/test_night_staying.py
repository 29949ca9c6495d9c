"""A home that needs a visit: open to whoever saw it, spoken to where agreed, shut at the end."""

from dataclasses import replace

import pytest

from telecare.access.errors import NotAssigned, NotPermitted
from telecare.access.model import Role
from telecare.calls.model import CallEnded
from telecare.consent.gate import ConsentMissing
from telecare.consent.model import Purpose
from telecare.nightchecks.model import CheckClosed, CheckTaken, LookedJustNow
from telecare.nightchecks.staying import SpeechNotAgreed
from telecare.wire.ids import DispatchId

DISPATCH = "select id, state from dispatch where about_id = $1"


@pytest.fixture
async def sent(night, clock):
    """Maria has seen that Ingrid needs a visit."""
    await night.begin()
    await night.shown(5)
    await night.looks.conclude(night.maria, await night.check_id(), "needs_visit")
    clock.forward(seconds=60)
    return night


async def again(sent):
    check = await sent.check_id()
    call_id = await sent.world.services.staying.look_again(sent.maria, check)
    sent.alive(call_id)
    await sent.calls.open_again(sent.unit, call_id, sent.stamp)
    return call_id


async def may_speak(night):
    """From the next night on; this night's check keeps its agreement."""
    await night.world.rows(
        "update night_agreement set may_speak = true where resident_id = $1", night.ingrid.id
    )


async def test_she_who_saw_it_may_look_again_every_two_minutes_until_somebody_is_there(
    sent, world, clock
):
    with pytest.raises(LookedJustNow):
        await again(sent)
    clock.forward(seconds=60)
    before = await sent.check()
    call_id = await again(sent)

    assert sent.messages("opened")[-1]["call_id"] == str(call_id)
    check = await sent.check()
    assert (check["state"], check["expected_by"]) == ("dispatched", before["expected_by"])
    await sent.shown(7)
    await sent.calls.stopped_at_home(sent.unit, call_id)
    check = await sent.check()
    assert (check["state"], check["seen_s"], check["call_id"]) == ("dispatched", 5 + 7, None)
    with pytest.raises(LookedJustNow):
        await again(sent)
    events = await world.events()
    assert events.count("look.again") == 1
    [record] = [r for r in await world.records() if r["event"] == "look.again"]
    assert record["what"]["to"] == "dispatched"


async def test_nobody_else_looks_again_and_nobody_where_all_is_well(sent, world, clock):
    clock.forward(minutes=2)
    anna = await world.staff("Anna", role=Role.NATTILLSYN, on_shift=True)
    with pytest.raises(CheckTaken):
        await world.services.staying.look_again(anna, await sent.check_id())
    await world.rows(
        "update night_check set last_outcome = 'technical_fault' where resident_id = $1",
        sent.ingrid.id,
    )
    with pytest.raises(CheckClosed):
        await again(sent)


async def test_a_role_that_has_ended_looks_and_speaks_no_more(sent, clock):
    clock.forward(minutes=2)
    no_more = replace(sent.maria, staff=replace(sent.maria.staff, grants=()))
    for tried in (sent.world.services.staying.look_again, sent.world.services.staying.speak):
        with pytest.raises(NotPermitted):
            await tried(no_more, await sent.check_id())
    assert (await sent.call())["state"] == "ended"


async def test_an_arrival_shuts_the_picture_and_ends_it(sent, world, clock):
    clock.forward(minutes=2)
    call_id = await again(sent)
    driver = await world.staff("Drivare", on_shift=True)
    [dispatch] = await world.rows(DISPATCH, await sent.check_id())
    await world.services.dispatches.accept(driver, DispatchId(dispatch["id"]))
    assert (await sent.call())["state"] == "open", "until somebody is there"
    await world.services.dispatches.arrive(driver, DispatchId(dispatch["id"]))

    call = await sent.call()
    assert (call["id"], call["end_reason"]) == (call_id, "somebody_there")
    assert (await sent.check())["ended_as"] == "visited"
    clock.forward(minutes=2)
    with pytest.raises(CheckClosed):
        await again(sent)


async def test_a_withdrawal_while_somebody_is_on_the_way_shuts_the_picture_not_the_visit(
    sent, world, clock
):
    clock.forward(minutes=2)
    await again(sent)
    await world.services.consents.withdraw_at_home(
        await world.tv(sent.ingrid), Purpose.CAMERA_CHECK
    )
    assert (await sent.call())["end_reason"] == "consent_withdrawn"
    assert (await sent.check())["state"] == "dispatched"
    clock.forward(minutes=2)
    with pytest.raises(ConsentMissing):
        await again(sent)


async def test_a_late_visit_is_told_once_although_she_looks_again(sent, world, clock):
    clock.forward(minutes=10)
    await world.run_due()
    late = "select 1 from deviation where kind = 'night_visit_late' and tenant_id = $1"
    assert len(await world.rows(late, world.tenant)) == 1
    await again(sent)
    await sent.shown(3)
    assert len(await world.rows(late, world.tenant)) == 1
    assert (await sent.check())["expected_by"] is None


async def test_she_is_spoken_to_only_where_that_is_agreed_and_her_home_says_when(
    night,
    world,
):
    staying = world.services.staying
    call_id = await night.begin()
    await night.shown(3)
    with pytest.raises(SpeechNotAgreed):
        await staying.speak(night.maria, await night.check_id())
    assert night.messages("speak") == []
    await may_speak(night)

    await staying.speak(night.maria, await night.check_id())

    assert [one["call_id"] for one in night.messages("speak")] == [str(call_id)]
    speech = "select speech from call where id = $1"
    assert await world.rows(speech, call_id) == [{"speech": "asked"}]
    await night.calls.lets_speak(night.unit, call_id)
    await night.calls.lets_speak(night.unit, call_id)
    assert await world.rows(speech, call_id) == [{"speech": "on"}]
    events = await world.events()
    assert (events.count("speech.asked"), events.count("speech.began")) == (1, 1)


async def test_nobody_speaks_into_a_home_that_is_not_looked_at(night, world):
    await may_speak(night)
    staying = world.services.staying
    call_id = await night.looks.make_ready(night.maria, await night.check_id())
    with pytest.raises(CallEnded):
        await staying.speak(night.maria, await night.check_id())
    await night.begin()
    await night.shown(3)
    anna = await world.staff("Anna", role=Role.NATTILLSYN, on_shift=True)
    with pytest.raises(NotAssigned):
        await staying.speak(anna, await night.check_id())
    await night.calls.lets_speak(night.unit, call_id)
    assert await world.rows("select speech from call where id = $1", call_id) == [
        {"speech": None}
    ], "a home that was not asked lets nobody in"
    await night.looks.close_picture(night.maria, await night.check_id())
    with pytest.raises((CallEnded, CheckClosed)):
        await staying.speak(night.maria, await night.check_id())

"""Calls through the use cases: who may, who wins, what ends them, what is recorded."""

import asyncio
from datetime import time, timedelta
from uuid import uuid4

import pytest

from telecare.access.errors import NotAssigned
from telecare.access.model import Role
from telecare.calls import store as call_store
from telecare.calls.model import CallEnded, CallNotRinging, CallTaken, Reason, State
from telecare.calls.opening import Busy, NoEndpoint
from telecare.calls.service import NotByItself, NotYourCall
from telecare.consent.gate import (
    CohabitantConsentMissing,
    ConsentMissing,
    ConsentOutsideHours,
    ConsentWithdrawnBefore,
)
from telecare.consent.model import Purpose
from telecare.devices import store as device_store
from telecare.devices.model import Unit
from telecare.runtime.errors import NotFound
from telecare.wire.ids import EndpointId, UnitId


@pytest.fixture
def timers(world):
    """This municipality's, however many others have due."""
    return world


async def state_of(world, call_id):
    async with world.begun() as db:
        return await call_store.by_id(db, call_id)


async def leases(world):
    rows = await world.rows("select call_id from call_lease where tenant_id = $1", world.tenant)
    return [row["call_id"] for row in rows]


@pytest.fixture
async def home(world):
    """Ingrid says yes, Maria is assigned, the TV is paired."""
    ingrid = await world.resident("Ingrid")
    maria = await world.staff(assigned=(ingrid,), on_shift=True)
    return ingrid, maria, await world.tv(ingrid)


async def test_a_visit_rings_is_answered_and_ends_with_its_records(world, made, home):
    ingrid, maria, tv = home
    before = len(await world.events())

    call_id = await made.calls.ring(maria, ingrid.id)
    await made.calls.answer(tv, call_id)
    await made.calls.report(maria, call_id, "first_frame")
    await made.calls.hang_up(maria, call_id)

    assert await world.events(before) == [
        "call.rung", "call.opened", "call.seen", "call.ended",
    ]  # fmt: skip
    ended = (await world.records())[-1]
    assert ended["what"]["reason"] == "hung_up_by_staff"
    assert ended["basis"]["purpose"] == "video_visit"
    assert ended["basis"]["board"] == "Äldrenämnden"


async def test_an_answer_from_the_home_names_the_device_and_never_the_person(world, made, home):
    ingrid, maria, tv = home

    await made.calls.answer(tv, await made.calls.ring(maria, ingrid.id))

    opened = (await world.records())[-1]
    assert opened["actor"] == {
        "channel": "tv",
        "home_of": str(ingrid.id),
        "id": str(tv.actor.endpoint_id),
        "kind": "home",
    }


async def test_no_lease_exists_before_the_answer_and_none_after_the_end(world, made, home):
    ingrid, maria, tv = home

    call_id = await made.calls.ring(maria, ingrid.id)
    assert await leases(world) == []
    await made.calls.answer(tv, call_id)
    assert await leases(world) == [call_id]
    await made.calls.hang_up_at_home(tv, call_id)
    assert await leases(world) == []


async def test_without_consent_nothing_rings_and_the_refusal_is_the_only_trace(world, made):
    ingrid = await world.resident("Ingrid", says_yes=False)
    maria = await world.staff(assigned=(ingrid,))
    await world.tv(ingrid)
    before = len(await world.events())

    with pytest.raises(ConsentMissing):
        await made.calls.ring(maria, ingrid.id)

    assert await world.events(before) == ["action.refused"]
    record = (await world.records())[-1]
    assert record["what"]["code"] == "consent_missing"
    assert record["what"]["tried"] == "call.rung"
    assert await world.rows("select id from call where tenant_id = $1", world.tenant) == []


async def test_somebody_who_lives_there_must_say_yes_too(world, made):
    ingrid = await world.resident("Ingrid", cohabitant="Lennart")
    maria = await world.staff(assigned=(ingrid,))
    await world.tv(ingrid)

    with pytest.raises(CohabitantConsentMissing):
        await made.calls.ring(maria, ingrid.id)


async def test_a_consent_covers_its_hours_and_the_call_ends_when_they_do(
    world, made, clock, timers
):
    ingrid = await world.resident("Ingrid", says_yes=False)
    await world.yes(ingrid, hours=(time(8), time(11)))  # the clock stands at 10 in Sweden
    maria = await world.staff(assigned=(ingrid,))
    tv = await world.tv(ingrid)
    call_id = await made.calls.ring(maria, ingrid.id)
    await made.calls.answer(tv, call_id)
    await made.calls.report(maria, call_id, "first_frame")

    clock.forward(minutes=59)
    await timers.run_due()
    assert (await state_of(world, call_id)).state is State.OPEN
    clock.forward(minutes=1)
    await timers.run_due()

    assert (await state_of(world, call_id)).end_reason is Reason.TIME_OVER
    with pytest.raises(ConsentOutsideHours):
        await made.calls.ring(maria, ingrid.id)


async def test_only_the_assigned_may_ring(world, made, home):
    ingrid, _, _ = home
    stranger = await world.staff("Anna")

    with pytest.raises(NotAssigned):
        await made.calls.ring(stranger, ingrid.id)


async def test_consent_taken_back_on_the_tv_ends_the_call_at_the_commit(world, made, home):
    ingrid, maria, tv = home
    call_id = await made.calls.ring(maria, ingrid.id)
    await made.calls.answer(tv, call_id)

    await made.consents.withdraw_at_home(tv, Purpose.VIDEO_VISIT)

    assert (await state_of(world, call_id)).end_reason is Reason.CONSENT_WITHDRAWN
    assert await leases(world) == []
    with pytest.raises(ConsentWithdrawnBefore):
        await made.calls.ring(maria, ingrid.id)


async def test_revoked_staff_are_out_of_their_calls_at_the_commit(world, made, home):
    ingrid, maria, tv = home
    call_id = await made.calls.ring(maria, ingrid.id)
    await made.calls.answer(tv, call_id)
    head = await world.staff("Eva", role=Role.ENHETSCHEF)

    await made.staffing.revoke(head, maria.staff.id)

    assert (await state_of(world, call_id)).end_reason is Reason.STAFF_REVOKED


async def test_the_first_screen_to_answer_wins(world, made, home):
    ingrid, maria, tv = home
    tablet = await world.tv(ingrid)
    call_id = await made.calls.ring(maria, ingrid.id)

    results = await asyncio.gather(
        made.calls.answer(tv, call_id),
        made.calls.answer(tablet, call_id),
        return_exceptions=True,
    )

    assert sorted(type(r) for r in results if r is not None) == [CallTaken]


async def test_two_colleagues_ring_at_once_and_one_hears_that_she_is_busy(world, made, home):
    ingrid, maria, _ = home
    anna = await world.staff("Anna", assigned=(ingrid,))

    results = await asyncio.gather(
        made.calls.ring(maria, ingrid.id),
        made.calls.ring(anna, ingrid.id),
        return_exceptions=True,
    )

    assert [type(r) for r in results].count(Busy) == 1


async def test_a_home_without_a_screen_says_so(world, made):
    ingrid = await world.resident("Ingrid")
    maria = await world.staff(assigned=(ingrid,))

    with pytest.raises(NoEndpoint):
        await made.calls.ring(maria, ingrid.id)


async def test_nobody_answers_for_a_minute_and_it_stops(world, made, home, clock, timers):
    ingrid, maria, tv = home
    call_id = await made.calls.ring(maria, ingrid.id)

    clock.forward(seconds=60)
    with pytest.raises(CallNotRinging):
        await made.calls.answer(tv, call_id)
    await timers.run_due()

    assert (await state_of(world, call_id)).end_reason is Reason.NO_ANSWER
    with pytest.raises(CallEnded):
        await made.calls.answer(tv, call_id)


async def test_a_screen_answers_by_itself_only_under_its_own_consent(world, made, home, clock):
    ingrid, maria, tv = home
    call_id = await made.calls.ring(maria, ingrid.id)
    clock.forward(seconds=25)

    with pytest.raises(NotByItself):
        await made.calls.answer(tv, call_id, by_itself=True)
    assert (await world.records())[-1]["actor"]["signed_in_by"] == "demo"
    await made.calls.hang_up(maria, call_id)
    await world.yes(ingrid, Purpose.AUTO_ANSWER, hours=(time(8), time(20)), answer_after_s=20)
    again = await made.calls.ring(maria, ingrid.id)
    with pytest.raises(NotByItself):  # the countdown is not over
        await made.calls.answer(tv, again, by_itself=True)
    clock.forward(seconds=20)
    await made.calls.answer(tv, again, by_itself=True)

    assert (await state_of(world, again)).answered_by_itself


async def test_a_call_in_without_consent_opens_with_sound_only(world, made):
    ingrid = await world.resident("Ingrid", says_yes=False)
    tv = await world.tv(ingrid)
    anna = await world.staff("Anna", on_shift=True)

    call_id = await made.calls.call_in(tv)
    await made.calls.take(anna, call_id)

    call = await state_of(world, call_id)
    assert call.state is State.OPEN
    assert not call.home_picture
    assert call.home_sound


async def test_consent_taken_back_in_a_call_she_began_cuts_her_picture_only(world, made, home):
    _, _, tv = home
    anna = await world.staff("Anna", on_shift=True)
    call_id = await made.calls.call_in(tv)
    await made.calls.take(anna, call_id)
    assert (await state_of(world, call_id)).home_picture

    await made.consents.withdraw_at_home(tv, Purpose.VIDEO_VISIT)

    call = await state_of(world, call_id)
    assert call.state is State.OPEN
    assert not call.home_picture


async def test_consent_taken_back_ends_a_call_in_whose_picture_a_unit_sends(world, made, home):
    ingrid, _, tv = home
    anna = await world.staff("Anna", on_shift=True)
    endpoint = EndpointId(uuid4())
    async with world.begun() as db:
        await device_store.add_endpoint(
            db, endpoint, ingrid.id, kind="unit", label="", has_picture=True, now=world.now
        )
    unit = Unit(world.tenant, UnitId("u-" + "a" * 26), endpoint, ingrid.id, b"", b"")
    call_id = await made.calls.call_in(unit)
    await made.calls.take(anna, call_id)

    await made.consents.withdraw_at_home(tv, Purpose.VIDEO_VISIT)

    assert (await state_of(world, call_id)).end_reason is Reason.CONSENT_WITHDRAWN
    assert await leases(world) == []


async def test_two_take_a_call_in_and_one_has_it(world, made, home):
    _, _, tv = home
    anna, berit = (
        await world.staff("Anna", on_shift=True),
        await world.staff("Berit", on_shift=True),
    )
    call_id = await made.calls.call_in(tv)

    results = await asyncio.gather(
        made.calls.take(anna, call_id), made.calls.take(berit, call_id), return_exceptions=True
    )

    assert sorted(type(r) for r in results if r is not None) == [CallTaken]


async def test_an_unanswered_call_in_goes_on_and_ends_in_a_task(world, made, home, clock, timers):
    ingrid, _, tv = home
    call_id = await made.calls.call_in(tv)

    clock.forward(seconds=60)
    await timers.run_due()
    assert (await state_of(world, call_id)).unit_id == world.night_unit
    clock.forward(seconds=120)
    await timers.run_due()

    assert (await state_of(world, call_id)).end_reason is Reason.NO_ANSWER
    tasks = await world.rows(
        "select kind, resident_id from follow_up where tenant_id = $1 and closed_at is null",
        world.tenant,
    )
    assert tasks == [{"kind": "call_back", "resident_id": ingrid.id}]


async def test_her_press_while_somebody_rings_her_is_the_answer(world, made, home):
    ingrid, maria, tv = home
    call_id = await made.calls.ring(maria, ingrid.id)

    assert await made.calls.call_in(tv) == call_id

    assert (await state_of(world, call_id)).state is State.OPEN


async def test_whoever_took_a_call_in_stays_assigned_for_an_hour(world, made, home, clock):
    ingrid, _, tv = home
    anna = await world.staff("Anna", on_shift=True)
    call_id = await made.calls.call_in(tv)
    await made.calls.take(anna, call_id)
    await made.calls.hang_up(anna, call_id)

    clock.forward(minutes=59)
    again = await made.calls.ring(anna, ingrid.id)
    await made.calls.hang_up(anna, again)
    clock.forward(minutes=2)

    with pytest.raises(NotAssigned):
        await made.calls.ring(anna, ingrid.id)


async def test_a_lost_end_has_thirty_seconds_to_come_back(world, made, home, clock, timers):
    ingrid, maria, tv = home
    call_id = await made.calls.ring(maria, ingrid.id)
    await made.calls.answer(tv, call_id)
    await made.calls.report(maria, call_id, "first_frame")

    await made.calls.lost(tv, call_id)
    clock.forward(seconds=29)
    await timers.run_due()
    assert (await state_of(world, call_id)).is_live
    await made.calls.back(tv, call_id)
    clock.forward(seconds=30)
    await timers.run_due()
    assert (await state_of(world, call_id)).is_live
    await made.calls.lost(maria, call_id)
    clock.forward(seconds=30)
    await timers.run_due()

    assert (await state_of(world, call_id)).end_reason is Reason.CONNECTION_LOST


async def test_a_call_whose_two_ends_died_with_the_server_does_not_keep_her_busy(
    world, made, home, clock, timers
):
    ingrid, maria, tv = home
    call_id = await made.calls.ring(maria, ingrid.id)
    await made.calls.answer(tv, call_id)
    await made.calls.report(maria, call_id, "first_frame")

    await made.calls.suspect_all()  # the server has started anew, and nobody comes back
    clock.forward(seconds=30)
    await timers.run_due()

    assert (await state_of(world, call_id)).end_reason is Reason.CONNECTION_LOST
    assert await made.calls.ring(maria, ingrid.id)


async def test_nobody_else_ends_hears_or_signals_in_a_call(world, made, home):
    ingrid, maria, tv = home
    call_id = await made.calls.ring(maria, ingrid.id)
    await made.calls.answer(tv, call_id)
    stranger = await world.staff("Anna", assigned=(ingrid,))
    neighbour = await world.tv(await world.resident("Olof"))

    with pytest.raises(NotYourCall):
        await made.calls.hang_up(stranger, call_id)
    for outsider in (stranger, neighbour):
        with pytest.raises(NotFound):
            await made.calls.signal(outsider, call_id, generation=1, kind="offer", body="v=0")
    with pytest.raises(NotFound):
        await made.calls.answer(neighbour, call_id)


async def test_no_signal_outlives_the_call_it_raced_with(world, made, home):
    ingrid, maria, tv = home
    for _ in range(25):
        call_id = await made.calls.ring(maria, ingrid.id)
        await made.calls.answer(tv, call_id)
        said = {"kind": "candidate", "body": "{}"}
        await asyncio.gather(
            *(made.calls.signal(maria, call_id, generation=n, **said) for n in range(1, 5)),
            made.calls.hang_up(maria, call_id),
            *(made.calls.signal(tv, call_id, generation=n, **said) for n in range(1, 5)),
            return_exceptions=True,
        )

    left = await world.rows("select 1 from call_signal where tenant_id = $1", world.tenant)
    assert left == []


async def test_signals_are_gone_when_the_call_has_ended(world, made, home):
    ingrid, maria, tv = home
    call_id = await made.calls.ring(maria, ingrid.id)
    await made.calls.answer(tv, call_id)
    await made.calls.signal(maria, call_id, generation=1, kind="offer", body="v=0 secret")
    sql = "select body from call_signal where tenant_id = $1"
    assert len(await world.rows(sql, world.tenant)) == 1

    await made.calls.hang_up(maria, call_id)

    assert await world.rows(sql, world.tenant) == []


async def test_a_newer_page_of_the_same_person_replaces_the_old_one(world, made, home):
    ingrid, maria, tv = home
    call_id = await made.calls.ring(maria, ingrid.id)
    await made.calls.answer(tv, call_id)
    old, new = uuid4(), uuid4()
    await made.calls.join(maria, call_id, old)
    await made.calls.join(maria, call_id, new)

    with pytest.raises(CallTaken):
        await made.calls.signal(maria, call_id, generation=1, kind="offer", body="v=0", page=old)
    await made.calls.signal(maria, call_id, generation=1, kind="offer", body="v=0", page=new)


async def test_an_unseen_call_is_given_up_after_half_a_minute(world, made, home, clock, timers):
    ingrid, maria, tv = home
    call_id = await made.calls.ring(maria, ingrid.id)
    await made.calls.answer(tv, call_id)

    clock.at += timedelta(seconds=30)
    await timers.run_due()

    assert (await state_of(world, call_id)).end_reason is Reason.NO_CONNECTION

"""A look by camera: whether, when, by whom, for how long, and what it leaves behind."""

from datetime import time, timedelta
from uuid import uuid4

import pytest

from telecare.access.errors import NotOnShift, NotPermitted
from telecare.access.model import Role
from telecare.calls.model import CallEnded, CallNotRinging
from telecare.calls.opening import Busy
from telecare.consent.gate import ConsentOutsideHours, ResidentAbsent
from telecare.consent.model import Purpose
from telecare.nightchecks.agreement import Modality, Slot
from telecare.nightchecks.agreements import Terms
from telecare.nightchecks.held import CameraUnusable, RoomNotPrivate
from telecare.nightchecks.model import (
    CheckClosed,
    CheckNotDue,
    CheckTaken,
    NoMoreTime,
    NothingSeen,
)
from telecare.wire.ids import CheckId
from tests.services.night_round import CALLS, CHECK
from tests.services.test_night_checks import EVENING, HOME_AT, PAPERS, TWO

FINDINGS = "select kind, key from finding where resident_id = $1"


async def test_nobody_is_looked_at_before_she_has_said_that_she_sits_alone(night, world, clock):
    anna = await world.staff("Anna", role=Role.NATTILLSYN, on_shift=True)
    for tried in (night.looks.make_ready, night.looks.begin):
        with pytest.raises(RoomNotPrivate):
            await tried(anna, await night.check_id())
    assert (await night.check())["state"] == "due"
    await world.services.tonight.say_private(anna)
    await world.services.tonight.say_private(anna)

    assert (await world.services.tonight.listed(anna)).is_private
    said = [r for r in await world.records() if r["event"] == "room.private"]
    assert len(said) == 2, "once for Maria's shift, and once for hers"
    await night.looks.begin(anna, await night.check_id())


async def test_a_home_is_made_ready_without_anything_leaving_it(night):
    call_id = await night.looks.make_ready(night.maria, await night.check_id())

    [told] = night.messages("prepare_look")
    assert (told["camera"], told["picture"], told["notice"]) == ("bedroom", "blurred", "lamp")
    assert night.messages("opened") == []
    call = await night.call()
    assert (call["id"], call["kind"], call["state"]) == (call_id, "look", "ready")
    assert await night.world.rows("select 1 from call_lease where call_id = $1", call_id) == []
    assert (await night.check())["state"] == "ready"
    assert await night.looks.make_ready(night.maria, await night.check_id()) == call_id
    [record] = [r for r in await night.world.records() if r["event"] == "call.prepared"]
    assert record["basis"]["purpose"] == "camera_check"


async def test_what_is_not_used_in_thirty_seconds_is_let_go_and_the_check_waits_on(night, clock):
    await night.looks.make_ready(night.maria, await night.check_id())
    clock.forward(seconds=31)
    await night.world.run_due()

    assert (await night.call())["end_reason"] == "not_used"
    check = await night.check()
    assert (check["state"], check["interrupted"]) == ("due", 0)
    assert night.messages("hang_up")


async def test_on_her_turn_the_camera_opens_with_the_echo_of_its_own_clock(night):
    call_id = await night.looks.make_ready(night.maria, await night.check_id())
    night.alive(call_id)

    assert await night.looks.begin(night.maria, await night.check_id()) == call_id

    [opened] = night.messages("opened")
    assert opened["echo"]["monotonic_ms"] == 1
    assert (opened["max_s"], opened["sends_picture"], opened["sends_sound"]) == (30, True, False)
    assert (await night.check())["state"] == "connecting"
    events = await night.world.events()
    assert events[-2:] == ["call.opened", "check.stepped"]


async def test_a_home_that_was_not_made_ready_is_opened_as_soon_as_it_answers(night):
    call_id = await night.looks.begin(night.maria, await night.check_id())
    assert night.messages("opened") == []

    assert await night.calls.open_again(night.unit, call_id, night.stamp)

    assert len(night.messages("opened")) == 1


async def test_a_ready_home_that_is_heard_from_is_not_opened_by_that(night):
    call_id = await night.looks.make_ready(night.maria, await night.check_id())
    assert await night.calls.open_again(night.unit, call_id, night.stamp)
    assert night.messages("opened") == []


async def test_what_she_saw_closes_the_picture_in_the_same_transaction(night, clock):
    await night.begin()
    await night.shown(12)

    await night.looks.conclude(night.maria, await night.check_id(), "asleep")

    check, call = await night.check(), await night.call()
    assert (check["state"], check["ended_as"], check["seen_s"]) == ("done", "asleep", 12)
    assert (call["state"], call["end_reason"]) == ("ended", "looked")
    assert night.messages("hang_up")
    said = [r["what"] for r in await night.world.records() if r["event"] == "check.concluded"]
    assert (said[0]["outcome"], said[0]["seconds"]) == ("asleep", 12)


async def test_a_wrong_picture_that_was_closed_in_time_blocks_its_camera_too(night):
    await night.begin()
    await night.shown(1)
    await night.looks.close_picture(night.maria, await night.check_id())
    await night.looks.cut(night.maria, await night.check_id(), "camera_moved")
    assert (await night.check())["why"] == "fault"
    [camera] = await night.world.rows("select * from night_camera where id = $1", night.camera)
    assert camera["blocked_why"] == "camera_moved"
    with pytest.raises(CheckClosed):
        await night.looks.cut(night.maria, await night.check_id(), "camera_moved")


async def test_nothing_is_said_of_what_nobody_has_seen(night):
    await night.begin()
    with pytest.raises(NothingSeen):
        await night.looks.conclude(night.maria, await night.check_id(), "asleep")
    await night.calls.report(night.unit, (await night.call())["id"], "first_frame")
    night.world.services.clock.forward(seconds=5)
    with pytest.raises(NothingSeen):
        await night.looks.conclude(night.maria, await night.check_id(), "up")
    assert (await night.call())["state"] == "open"
    await night.shown()
    assert (await night.check())["state"] == "viewing", "the home's own first frame came before"

    await night.looks.conclude(night.maria, await night.check_id(), "technical_fault")

    assert (await night.check())["why"] == "fault"
    assert (await night.call())["state"] == "ended"


async def test_a_look_that_runs_out_waits_for_its_outcome_and_then_counts_for_nothing(night, clock):
    await night.begin()
    await night.shown(20)
    await night.calls.stopped_at_home(night.unit, (await night.call())["id"])
    assert (await night.check())["state"] == "deciding"
    clock.forward(seconds=31)
    await night.world.run_due()
    check = await night.check()
    assert (check["state"], check["interrupted"], check["seen_s"]) == ("due", 1, 20)


async def test_the_server_ends_a_look_whose_home_says_nothing(night, clock):
    await night.begin()
    await night.shown(2)
    clock.forward(seconds=31)
    await night.world.run_due()
    assert (await night.call())["end_reason"] == "time_over"


async def test_she_who_was_not_seen_is_looked_for_again_in_a_quarter(night, clock):
    for looked in (1, 2):
        await night.begin()
        await night.shown()
        await night.looks.conclude(night.maria, await night.check_id(), "not_seen")
        if looked == 1:
            with pytest.raises(CheckNotDue):
                await night.begin()
            clock.forward(minutes=15)
    assert (await night.check())["why"] == "not_seen"


async def test_a_look_is_lengthened_twice_and_the_home_is_told_each_time(night):
    await night.begin()
    await night.shown()
    before = (await night.call())["must_end"]
    for _ in range(2):
        await night.looks.extend(night.maria, await night.check_id())
    with pytest.raises(NoMoreTime):
        await night.looks.extend(night.maria, await night.check_id())
    assert [(m["n"], m["more_s"]) for m in night.messages("longer")] == [(1, 30), (2, 30)]
    assert (await night.call())["must_end"] - before == timedelta(seconds=60)


async def test_a_look_is_never_lengthened_beyond_what_she_has_said_yes_to(night, clock):
    await night.begin()
    await night.shown()
    ends_at = clock.at + timedelta(seconds=40)
    await night.world.rows(
        "update consent set valid_until = $2 where resident_id = $1 and purpose = 'camera_check'",
        night.ingrid.id, ends_at,
    )  # fmt: skip
    await night.looks.extend(night.maria, await night.check_id())
    assert (await night.call())["must_end"] == ends_at
    with pytest.raises(NoMoreTime):
        await night.looks.extend(night.maria, await night.check_id())
    assert len(night.messages("longer")) == 1


async def test_a_look_is_no_contact_with_who_has_pressed_the_alarm(night, world, clock):
    alarm = await world.alarm(night.ingrid)
    await world.rows(
        "update alarm set state = 'taken', taken_by = $2, taken_at = $3 where id = $1",
        alarm,
        night.maria.staff.id,
        clock.at,
    )
    await night.begin()
    await night.shown(10)
    await night.looks.conclude(night.maria, await night.check_id(), "asleep")
    [still] = await world.rows("select state, contact_at from alarm where id = $1", alarm)
    assert still == {"state": "taken", "contact_at": None}


async def test_a_wrong_home_is_closed_at_once_and_its_camera_blocked_until_it_is_tested(night):
    await night.begin()
    await night.shown(1)
    await night.looks.cut(night.maria, await night.check_id(), "wrong_home")

    assert (await night.call())["end_reason"] == "closed_at_once"
    check = await night.check()
    assert (check["state"], check["why"]) == ("dispatched", "fault")
    [camera] = await night.world.rows("select * from night_camera where id = $1", night.camera)
    assert camera["blocked_why"] == "wrong_home"
    [found] = await night.world.rows(FINDINGS, night.ingrid.id)
    assert found["kind"] == "wrong_home"
    assert found["key"] == str(check["id"])
    await night.world.services.agreements.activate(night.per, night.camera)
    [camera] = await night.world.rows("select * from night_camera where id = $1", night.camera)
    assert camera["blocked_at"] is None


async def test_somebody_else_in_the_picture_blocks_nothing_and_she_is_still_to_be_looked_to(night):
    await night.begin()
    await night.shown(1)
    await night.looks.close_picture(night.maria, await night.check_id())
    check = await night.check()
    assert (check["state"], check["interrupted"]) == ("due", 1)
    assert (await night.call())["end_reason"] == "closed_at_once"
    assert await night.world.rows(FINDINGS, night.ingrid.id) == []
    [camera] = await night.world.rows("select * from night_camera where id = $1", night.camera)
    assert camera["blocked_at"] is None


async def test_one_person_looks_at_a_time(night):
    anna = await night.world.staff("Anna", role=Role.NATTILLSYN, on_shift=True)
    await night.world.services.tonight.say_private(anna)
    await night.looks.make_ready(night.maria, await night.check_id())
    with pytest.raises(CheckTaken):
        await night.looks.begin(anna, await night.check_id())
    await night.begin()
    await night.shown()
    with pytest.raises(CheckTaken):
        await night.looks.conclude(anna, await night.check_id(), "asleep")


async def test_two_homes_are_made_ready_while_a_third_is_looked_at(night, clock):
    others = []
    for name in ("Nils", "Elsa"):
        resident = await night.world.resident(name)
        await night.world.yes(resident, Purpose.CAMERA_CHECK)
        unit = await night.world.home_unit(resident)
        agreements = night.world.services.agreements
        camera = await agreements.add_camera(
            night.per, resident.id, unit.endpoint_id, name="bedroom", place="Sovrum"
        )
        terms = Terms((Slot(time(2), Modality.CAMERA),), camera, **PAPERS)
        await agreements.agree(night.per, resident.id, terms)
        await agreements.activate(night.per, camera)
        await night.world.run_due()
        [row] = await night.world.rows(CHECK, resident.id)
        others.append(CheckId(row["id"]))
    await night.begin()

    for check_id in others:
        await night.looks.make_ready(night.maria, check_id)

    states = await night.world.rows(
        "select state from call where tenant_id = $1 order by state", night.world.tenant
    )
    assert [row["state"] for row in states] == ["open", "ready", "ready"]
    with pytest.raises(Busy):
        await night.looks.begin(night.maria, others[0])


async def test_only_who_has_the_role_and_the_shift_may_look(night):
    eva = await night.world.staff("Eva", on_shift=True)
    home = await night.world.staff("Siv", role=Role.NATTILLSYN)
    for session, refused in ((eva, NotPermitted), (home, NotOnShift)):
        with pytest.raises(refused):
            await night.looks.begin(session, await night.check_id())
    assert await night.world.rows(CALLS, night.ingrid.id) == []


async def test_nobody_looks_outside_the_window(night, clock):
    clock.at = TWO - timedelta(hours=2)
    with pytest.raises(CheckNotDue):
        await night.begin()


async def test_a_yes_taken_back_in_mid_look_closes_the_picture_and_sends_somebody(night):
    await night.begin()
    await night.shown(1)
    eva = await night.world.staff("Eva", assigned=(night.ingrid,))

    await night.world.services.consents.record(eva, night.ingrid.id, HOME_AT)

    assert (await night.call())["end_reason"] == "consent_withdrawn"
    check = await night.check()
    assert (check["state"], check["without_camera"]) == ("dispatched", "withdrawn")
    with pytest.raises(CheckClosed):
        await night.begin()


async def test_what_the_gate_refuses_goes_on_without_a_camera(night, clock):
    clock.at = EVENING
    await night.world.rows(
        "update consent set hours_from = '03:00' where purpose = 'camera_check'"
        " and resident_id = $1", night.ingrid.id,
    )  # fmt: skip
    clock.at = TWO
    with pytest.raises(ConsentOutsideHours):
        await night.begin()
    check = await night.check()
    assert (check["state"], check["without_camera"]) == ("dispatched", "outside_hours")
    assert (await night.world.events()).count("action.refused") == 1


async def test_a_camera_that_is_gone_when_her_turn_comes_is_a_visit(night):
    await night.world.services.agreements.close_camera(night.per, night.camera)
    with pytest.raises(CameraUnusable):
        await night.begin()
    assert (await night.check())["why"] == "fault"


async def test_nobody_looks_at_a_home_whose_person_is_away(night):
    await night.world.rows(
        "insert into absence (tenant_id, id, resident_id, kind, from_at, reported_by, made_by,"
        " made_at) values ($1, $2, $3, 'hospital', $4, 'Dottern', $5, $4)",
        night.world.tenant, uuid4(), night.ingrid.id, TWO, night.per.staff.id,
    )  # fmt: skip
    with pytest.raises(ResidentAbsent):
        await night.begin()
    rows = await night.world.rows(
        "select called_off_for from night_check where resident_id = $1", night.ingrid.id
    )
    assert [row["called_off_for"] for row in rows] == ["absent"]


async def test_a_home_that_rings_or_is_rung_is_not_looked_at_meanwhile(night):
    await night.begin()
    await night.shown(1)
    mine = await night.calls.call_in(night.unit, uuid4())
    calls = await night.world.rows(CALLS, night.ingrid.id)
    assert {(c["kind"], c["state"], c["end_reason"]) for c in calls} == {
        ("look", "ended", "home_calls"), ("call_in", "ringing", None),
    }  # fmt: skip
    with pytest.raises(Busy):
        await night.begin()
    await night.calls.hang_up_at_home(night.unit, mine)
    await night.begin()
    eva = await night.world.staff("Eva", assigned=(night.ingrid,))
    await night.calls.ring(eva, night.ingrid.id)
    assert (await night.check())["state"] == "due"


async def test_her_television_is_told_of_no_look(night, made):
    from telecare.calls import store as call_store  # noqa: PLC0415

    await night.begin()
    async with night.world.begun() as db:
        assert await call_store.live_at_home(db, night.ingrid.id) is None


async def test_a_unit_does_not_answer_a_look(night):
    call_id = await night.looks.begin(night.maria, await night.check_id())
    other = await night.world.home_unit(night.ingrid)
    await night.calls.stopped_at_home(other, call_id)
    assert (await night.call())["state"] == "open"
    with pytest.raises(CallNotRinging):
        await night.calls.answer(night.unit, call_id, stamp=night.stamp)
    await night.calls.hang_up(night.maria, call_id)
    with pytest.raises(CallEnded):
        await night.calls.answer(night.unit, call_id, stamp=night.stamp)


async def test_the_log_tells_who_looked_and_for_how_long(night):
    await night.begin()
    await night.shown(9)
    await night.looks.conclude(night.maria, await night.check_id(), "up")
    told = [r for r in await night.world.records() if r["event"] == "call.ended"]
    assert told[-1]["actor"]["id"] == str(night.maria.staff.id)
    assert told[-1]["what"]["seconds"] == 9

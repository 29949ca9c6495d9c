"""Alarms: every press its own, stored before anybody says so, and at rest only with a human."""

import json
from contextlib import asynccontextmanager
from datetime import time, timedelta
from uuid import uuid4

import pytest

from telecare.access.errors import NotPermitted
from telecare.access.model import Role
from telecare.access.store import add_cover
from telecare.alarms.asking import alarms_topic
from telecare.alarms.model import AlarmClosed, AlarmTaken, Closing, ContactMissing
from telecare.alarms.mqtt import SHARE
from telecare.alarms.receiving import receivers
from telecare.alarms.service import NotYourAlarm
from telecare.alarms.store import Figures
from telecare.dispatches.service import NotYourDispatch
from telecare.runtime.errors import FieldInvalid, NotFound
from telecare.runtime.feed import Feed
from telecare.shifts.model import ShiftHoldsOpen
from telecare.web.board import Boards
from telecare.web.board_rows import unit_rows
from tests.services.alarm_home import Home, closing_of

ALARM = "select * from alarm where tenant_id = $1 order by received_at, id"
STEPS = """
select kind from alarm_step s join alarm a on a.tenant_id = s.tenant_id and a.id = s.alarm_id
where s.tenant_id = $1 order by a.received_at, s.alarm_id, s.n
"""


@pytest.fixture
async def ingrid(world):
    return await world.resident("Ingrid")


@pytest.fixture
async def home(world, made, ingrid):
    return Home(made, world, await world.home_unit(ingrid))


@pytest.fixture
async def maria(world, made):
    """On shift, and her page would sound."""
    maria = await world.staff("Maria", role=Role.LARMMOTTAGARE, on_shift=True)
    await made.receiving.heard(maria, has_sound=True)
    return maria


@pytest.fixture
async def wait(made, world, clock):
    """Time goes by, and the consoles of those who are there say so."""

    async def go_by(seconds, *sessions):
        step = 10
        for _ in range(0, seconds, step):
            clock.forward(seconds=step)
            for session in sessions:
                await made.receiving.heard(session, has_sound=True)
            await world.run_due()

    return go_by


@pytest.fixture
async def effects(made):
    heard = []
    made.database.dispatch = heard.append
    return heard


@pytest.fixture
async def closing(world, made):
    return await closing_of(world, made)


async def alarm_of(world):
    [row] = await world.rows(ALARM, world.tenant)
    return row


async def steps_of(world):
    return [row["kind"] for row in await world.rows(STEPS, world.tenant)]


# --- they come in -----------------------------------------------------------------------------


async def test_every_press_is_an_alarm_of_its_own_stored_with_record_and_timer(world, home, ingrid):
    await home.say(home.pressed(), home.pressed())

    rows = await world.rows(ALARM, world.tenant)
    assert [(row["state"], row["resident_id"]) for row in rows] == [("new", ingrid.id)] * 2
    assert home.receipted == [1, 2]
    told = [r for r in await world.records() if r["event"] == "alarm.raised"]
    assert [one["what"]["trigger"] for one in told] == ["button"] * 2
    timers = await world.rows("select kind from timer where tenant_id = $1", world.tenant)
    assert sorted(row["kind"] for row in timers) == [
        "alarm.ask_next", "alarm.ask_next", "alarm.unanswered", "alarm.unanswered",
    ]  # fmt: skip


async def test_a_flood_in_one_homes_name_takes_no_others_turn(world, made, home):
    other = Home(made, world, await world.home_unit(await world.resident("Karin")))
    flood = [home.sealed(home.pressed()) for _ in range(SHARE + 10)]

    await home.lane.take([*flood, other.sealed(other.pressed())])

    assert home.receipted == list(range(1, SHARE + 1))
    assert other.unit.id in {row["source_id"] for row in await world.rows(ALARM, world.tenant)}
    await home.lane.take(flood[SHARE:])
    assert home.receipted == list(range(1, SHARE + 11))


async def test_a_press_that_comes_again_is_one_alarm_receipted_again(world, home):
    event = home.pressed()

    await home.say(event, event)
    await home.say(event)

    assert len(await world.rows(ALARM, world.tenant)) == 1
    assert home.receipted == [1, 1, 1]
    assert len([r for r in await world.records() if r["event"] == "alarm.raised"]) == 1


@pytest.mark.parametrize(
    ("minutes", "clock_ok", "counts_from_press"),
    [(-3, True, True), (-3, False, False), (5, True, False), (-60 * 24 * 40, True, False)],
)
async def test_waiting_counts_from_the_press_where_the_homes_clock_can_be_right(
    world, home, minutes, clock_ok, counts_from_press
):
    at = world.now + timedelta(minutes=minutes)
    await home.press(occurred_at=at, clock_ok=clock_ok)

    assert (await alarm_of(world))["pressed_at"] == (at if counts_from_press else world.now)


async def test_a_test_alarm_asks_nobody(world, home):
    await home.press(is_test=True)

    assert (await alarm_of(world))["state"] == "tested"
    assert await world.rows("select 1 from timer where tenant_id = $1", world.tenant) == []
    assert "alarm.tested" in await world.events()


async def test_what_is_malformed_is_counted_and_takes_no_other_alarm_with_it(world, home):
    broken = home.pressed().model_dump_json().replace('"button"', '"teapot"').encode()

    await home.say(broken, home.pressed())

    assert len(await world.rows(ALARM, world.tenant)) == 1
    assert sorted(home.receipted) == [1, 2]


@pytest.fixture
def no_table_for_records(as_superuser):
    """At midnight, and next month's table is missing: no record can be entered at all."""
    body = "create or replace function audit.at() returns timestamptz language sql volatile as "

    @asynccontextmanager
    async def missing():
        await as_superuser(f"{body} $$ select '2031-01-01 00:00Z'::timestamptz $$")
        try:
            yield
        finally:
            await as_superuser(f"{body} 'select clock_timestamp()'")

    return missing


async def test_an_alarm_stands_when_its_record_cannot_be_entered_and_the_record_is_owed(
    world, home, clock, no_table_for_records
):
    async with no_table_for_records():
        await home.press()
        before = await world.events()
        assert home.receipted == [1]
        clock.forward(seconds=11)
        await world.run_due()
        assert await world.events() == before
    pressed = (await alarm_of(world))["received_at"]

    clock.forward(seconds=11)
    await world.run_due()

    [record] = [r for r in await world.records() if r["event"] == "alarm.raised"]
    assert record["what"]["written_afterwards"] is True
    assert record["what"]["happened_at"] == pressed.isoformat()
    owed = await world.rows("select entered_at, tries from owed_record where tenant_id = $1",
                            world.tenant)  # fmt: skip
    assert [(row["entered_at"], row["tries"]) for row in owed] == [(world.now, 1)]


async def test_an_open_console_is_told_that_a_record_is_owed_and_when_it_was_entered(
    world, client, home, maria, clock, no_table_for_records
):
    async with client.page(maria) as page:
        await page.say(type="subscribe", view="today", unit=str(world.unit))
        await page.until("snapshot")

        async def owed(count):
            changed = []
            while not any(row.get("records_owed") == count for row in changed):
                changed = (await page.until("rows"))["changed"]

        async with no_table_for_records():
            await home.press()
            await owed(1)
        clock.forward(seconds=11)
        await world.run_due()
        await owed(0)


async def test_a_unit_that_covers_hers_is_told_of_her_alarm_by_the_alarm_itself(
    world, client, home
):
    async with world.begun() as db:
        await add_cover(db, world.night_unit, world.unit, hours=(time(9), time(11)))
    nils = await world.staff("Nils", on_shift=True, unit=world.night_unit)
    async with client.page(nils) as page:
        await page.say(type="subscribe", view="today", unit=str(world.night_unit))
        await page.until("snapshot")

        pressed = await home.press()
        changed = (await page.until("rows"))["changed"]

    assert (str(pressed), "Dagen") in [(row["id"], row.get("unit_name")) for row in changed]


async def test_she_who_pressed_by_mistake_is_still_asked_how_she_is(world, home, maria, made):
    event = home.pressed()
    await home.say(event, home.cancelled(event))

    row = await alarm_of(world)
    assert (row["state"], row["cancelled_at"]) == ("new", world.now)
    await made.alarms.take(maria, row["id"])
    assert (await alarm_of(world))["state"] == "taken"
    assert home.receipted == [1, 2]


async def test_a_mistake_that_comes_before_its_alarm_comes_again_by_itself(world, home):
    event = home.pressed()
    mistake = home.cancelled(event)

    await home.say(mistake)
    assert home.receipted == []
    await home.say(event, mistake)

    assert sorted(home.receipted) == [1, 2]
    assert (await alarm_of(world))["cancelled_at"] == world.now


async def test_on_the_tv_the_same_press_is_the_same_alarm_and_a_mistake_is_marked(
    world, ingrid, other_world, made
):
    tv, press = await world.tv(ingrid), uuid4()
    await made.alarms.press_on_tv(tv, press)
    await made.alarms.press_on_tv(tv, press)

    row = await alarm_of(world)
    assert (row["source"], row["trigger"], row["state"]) == ("tv", "screen", "new")
    theirs = await other_world.tv(await other_world.resident("Aino"))
    neighbour = await world.tv(await world.resident("Birgitta"))
    for other in (theirs, neighbour):
        with pytest.raises(NotFound):
            await made.alarms.cancel_on_tv(other, row["id"])
    await made.alarms.cancel_on_tv(tv, row["id"])
    assert (await alarm_of(world))["cancelled_at"] == world.now


# --- somebody takes it -------------------------------------------------------------------------


async def test_the_first_who_takes_it_has_it_and_the_home_is_told_her_name(
    world, home, maria, made, effects
):
    alarm = await home.press()
    fatima = await world.staff("Fatima", role=Role.LARMMOTTAGARE, on_shift=True)

    await made.alarms.take(maria, alarm)
    with pytest.raises(AlarmTaken):
        await made.alarms.take(fatima, alarm)

    assert home.told(effects) == [("taken", "Maria")]
    assert await steps_of(world) == ["pressed", "stored", "asked", "taken"]
    assigned = await world.rows(
        "select source, valid_until from assignment where tenant_id = $1 and staff_id = $2",
        world.tenant, maria.staff.id,
    )  # fmt: skip
    assert [(row["source"], row["valid_until"]) for row in assigned] == [("alarm", None)]


async def test_a_home_that_asks_again_hears_who_has_it(world, home, maria, made, effects):
    event = home.pressed()
    await home.say(event)
    await made.alarms.take(maria, (await alarm_of(world))["id"])
    effects.clear()

    await home.say(event)

    assert home.told(effects) == [("taken", "Maria")]
    assert home.receipted == [1, 1]


async def test_only_those_who_take_alarms_and_are_asked_may(world, other_world, home, made):
    alarm = await home.press()
    eva = await world.staff("Eva", on_shift=True)
    theirs = await other_world.staff("Per", role=Role.LARMMOTTAGARE, on_shift=True)

    with pytest.raises(NotPermitted):
        await made.alarms.take(eva, alarm)
    with pytest.raises(NotFound):
        await made.alarms.take(theirs, alarm)
    assert (await alarm_of(world))["state"] == "new"


async def test_an_alarm_that_was_taken_and_forgotten_is_in_the_queue_again(
    world, home, maria, made, wait, effects
):
    alarm = await home.press()
    await made.alarms.take(maria, alarm)

    await wait(170, maria)
    assert (await alarm_of(world))["state"] == "taken"
    await wait(10, maria)

    row = await alarm_of(world)
    assert (row["state"], row["returned_why"]) == ("new", "idle")
    assert row["returned_from"] == maria.staff.id
    assert home.told(effects) == [("taken", "Maria"), ("waiting", "")]
    with pytest.raises(NotYourAlarm):
        await made.alarms.note(maria, alarm, "Ringer nu")
    still = await world.rows(
        "select 1 from assignment where staff_id = $1 "
        "and (valid_until is null or valid_until > $2)",
        maria.staff.id, world.now,
    )  # fmt: skip
    assert still == []


async def test_whoever_does_something_about_it_keeps_it_three_minutes_more(
    world, home, maria, made, wait
):
    alarm = await home.press()
    await made.alarms.take(maria, alarm)
    await wait(120, maria)

    await made.alarms.note(maria, alarm, "Ringer grannen")
    await wait(170, maria)
    assert (await alarm_of(world))["state"] == "taken"
    await wait(10, maria)

    assert (await alarm_of(world))["state"] == "new"


async def test_one_whose_page_has_gone_silent_for_a_minute_has_it_no_more(
    world, home, maria, made, wait
):
    alarm = await home.press()
    await made.alarms.take(maria, alarm)
    await wait(60, maria)

    await wait(50)
    assert (await alarm_of(world))["state"] == "taken"
    await wait(30)

    assert (await alarm_of(world))["returned_why"] == "unreachable"


async def test_one_that_was_sent_and_does_not_arrive_is_asked_for_again(
    world, home, maria, made, clock
):
    alarm = await home.press()
    await made.alarms.take(maria, alarm)
    await made.alarms.send(maria, alarm)
    [dispatch] = await world.rows("select id from dispatch where about_id = $1", alarm)
    eva = await world.staff("Eva", on_shift=True)
    await made.dispatches.accept(eva, dispatch["id"])

    clock.forward(minutes=29)
    await world.run_due()
    assert (await alarm_of(world))["state"] == "taken"
    clock.forward(minutes=1)
    await world.run_due()

    assert (await alarm_of(world))["returned_why"] == "not_arrived"


async def test_whoever_goes_says_when_she_is_there_and_sees_how_one_gets_in(
    world, other_world, home, ingrid, maria, made, clock
):
    head = await world.staff("Rut", role=Role.ENHETSCHEF)
    await made.keeping.set_key_note(head, ingrid.id, "Nyckel 14. Portkod 4711")
    alarm = await home.press()
    await made.alarms.take(maria, alarm)
    await made.alarms.send(maria, alarm)
    [dispatch] = await world.rows("select id from dispatch where about_id = $1", alarm)
    eva = await world.staff("Eva", on_shift=True)
    far = await world.staff("Fia", on_shift=True, unit=world.night_unit)
    theirs = await other_world.staff("Per", on_shift=True)
    with pytest.raises(NotYourDispatch):
        await made.dispatches.mission(eva, dispatch["id"])
    with pytest.raises(NotPermitted):
        await made.dispatches.accept(far, dispatch["id"])

    await made.dispatches.accept(eva, dispatch["id"], timedelta(minutes=45))

    mission = await made.dispatches.mission(eva, dispatch["id"])
    assert (mission.key_note, mission.resident.address, mission.arrive_by) == (
        "Nyckel 14. Portkod 4711", "Provgatan 1", world.now + timedelta(minutes=45),
    )  # fmt: skip
    await made.dispatches.mission(eva, dispatch["id"])
    with pytest.raises(NotYourDispatch):
        await made.dispatches.mission(maria, dispatch["id"])
    with pytest.raises(NotFound):
        await made.dispatches.mission(theirs, dispatch["id"])
    events = await world.events()
    assert (events.count("key_note.set"), events.count("key_note.read")) == (1, 2)
    refusals = [one["what"] for one in await world.records() if "tried" in one["what"]]
    assert [what["code"] for what in refusals].count("not_your_dispatch") == 2
    assert "4711" not in str(await world.records())

    clock.forward(minutes=44)
    await world.run_due()
    assert (await alarm_of(world))["state"] == "taken"
    clock.forward(minutes=1)
    await world.run_due()
    assert (await alarm_of(world))["returned_why"] == "not_arrived"


async def test_whoever_arrives_is_the_contact(world, home, maria, made, clock):
    alarm = await home.press()
    await made.alarms.take(maria, alarm)
    await made.alarms.send(maria, alarm)
    [dispatch] = await world.rows("select id from dispatch where about_id = $1", alarm)
    eva = await world.staff("Eva", on_shift=True)
    await made.dispatches.accept(eva, dispatch["id"])
    with pytest.raises(NotYourDispatch):
        await made.dispatches.arrive(maria, dispatch["id"])
    assert (await alarm_of(world))["contact"] is None
    await made.dispatches.arrive(eva, dispatch["id"])
    with pytest.raises(NotYourDispatch):
        await made.dispatches.close(maria, dispatch["id"], "Uppe igen")

    clock.forward(minutes=60)
    await world.run_due()

    row = await alarm_of(world)
    assert (row["state"], row["contact"]) == ("handled", "arrival")


async def test_it_is_closed_only_after_somebody_has_spoken_with_her(
    world, home, maria, made, closing, effects
):
    alarm = await home.press()
    await made.alarms.take(maria, alarm)
    with pytest.raises(ContactMissing):
        await made.alarms.close(maria, alarm, closing)
    with pytest.raises(ShiftHoldsOpen):
        await made.shifts.end(maria)

    await made.alarms.talked(maria, alarm, "resident")
    with pytest.raises(FieldInvalid):
        await made.alarms.close(maria, alarm, Closing("resident", uuid4(), closing.measure_id))
    await made.alarms.close(maria, alarm, closing)

    row = await alarm_of(world)
    assert (row["state"], row["contact"], row["closed_by"]) == ("closed", "phone", maria.staff.id)
    assert home.told(effects)[-1] == ("closed", "")
    with pytest.raises(AlarmClosed):
        await made.alarms.take(maria, alarm)
    assert await world.rows("select 1 from timer where tenant_id = $1", world.tenant) == []
    await made.shifts.end(maria)


async def test_a_call_that_nobody_answers_stands_among_what_has_happened_and_is_no_contact(
    world, home, ingrid, made, clock
):
    maria = await world.staff("Maria", role=Role.LARMMOTTAGARE, on_shift=True, assigned=(ingrid,))
    tv = await world.tv(ingrid)
    alarm_id = await home.press()
    await made.alarms.take(maria, alarm_id)

    first = await made.calls.ring(maria, ingrid.id)
    clock.forward(seconds=12)
    await made.calls.hang_up(maria, first)
    second = await made.calls.ring(maria, ingrid.id)
    clock.forward(seconds=3)
    await made.calls.decline(tv, second)
    third = await made.calls.ring(maria, ingrid.id)
    await made.calls.answer(tv, third)
    clock.forward(seconds=4)
    await made.calls.hang_up(maria, third)

    rows = await world.rows(
        "select what, staff_id from alarm_step where alarm_id = $1 and kind = 'rang' order by n",
        alarm_id,
    )
    assert [json.loads(row["what"]) for row in rows] == [
        {"seconds": 12, "why": "no_answer"},
        {"seconds": 3, "why": "declined"},
    ]
    assert {row["staff_id"] for row in rows} == {maria.staff.id}
    assert (await alarm_of(world))["contact"] is None


async def test_one_she_called_a_mistake_ends_as_that(world, home, maria, made, closing):
    event = home.pressed()
    await home.say(event, home.cancelled(event))
    alarm = (await alarm_of(world))["id"]
    await made.alarms.take(maria, alarm)
    await made.alarms.talked(maria, alarm, "resident")

    await made.alarms.close(maria, alarm, closing)

    assert (await alarm_of(world))["state"] == "cancelled"


async def test_whoever_chose_other_work_for_her_shift_receives_no_alarms(world, made, clock):
    for tasks, receives in ((["round"], False), (["alarm", "round"], True), ([], True)):
        siv = await world.staff("Siv", role=Role.LARMMOTTAGARE, on_shift=True)
        await world.rows("update shift set tasks = $2 where staff_id = $1", siv.staff.id, tasks)
        await made.receiving.heard(siv, has_sound=True)
        async with made.database.transaction(world.tenant) as db:
            found = await receivers(db, world.unit, clock.at)
        assert ("Siv" in " ".join(found)) is receives
        await world.rows("update receiver set ready_at = null where staff_id = $1", siv.staff.id)


# --- nobody takes it ---------------------------------------------------------------------------


async def test_unanswered_it_is_asked_of_the_next_unit_too_and_then_is_a_deviation(
    world, home, maria, made, wait
):
    nina = await world.staff("Nina", role=Role.LARMMOTTAGARE, on_shift=True, unit=world.night_unit)
    await made.receiving.heard(nina, has_sound=True)
    alarm = await home.press()

    await wait(50, maria, nina)
    assert (await alarm_of(world))["asked_units"] == [world.unit]
    await wait(10, maria, nina)
    assert (await alarm_of(world))["asked_units"] == [world.unit, world.night_unit]
    await wait(60, maria, nina)
    assert await steps_of(world) == ["pressed", "stored", "asked", "asked", "heads"]
    await wait(70, maria, nina)

    found = await world.rows("select kind, about_id from deviation where tenant_id = $1",
                             world.tenant)  # fmt: skip
    assert found == [{"kind": "alarm_unanswered", "about_id": alarm}]
    events = await world.events()
    assert (events.count("alarm.passed_on"), events.count("deviation.opened")) == (1, 1)
    assert (await alarm_of(world))["state"] == "new"
    await made.alarms.take(nina, alarm)


async def test_the_head_of_the_unit_sees_the_deviation_and_nobody_elses_head(
    world, home, client, wait
):
    await home.press()
    await wait(190)
    head = await world.staff("Hedda", role=Role.ENHETSCHEF)
    other = await world.staff("Nora", role=Role.ENHETSCHEF, unit=world.night_unit)
    nobody = await world.staff("Eva")

    _, page = await client.look("/admin/deviations", head)
    _, theirs = await client.look("/admin/deviations", other)
    refused, _ = await client.look("/admin/deviations", nobody)

    assert page.count('data-kind="alarm_unanswered"') == 1
    assert "Ingrid Provsson" in page
    assert "Ingrid" not in theirs
    assert refused == 403
    assert "list.read" in await world.events()


async def test_the_head_sees_how_many_were_answered_in_time_and_nobody_elses(
    world, other_world, home, maria, made, wait
):
    head = await world.staff("Hedda", role=Role.ENHETSCHEF)
    theirs = await other_world.staff("Rune", role=Role.ENHETSCHEF)
    for seconds in (60, 120, 190):
        alarm = await home.press()
        await wait(seconds, maria)
        await made.alarms.take(maria, alarm)
    await home.press(is_test=True)
    await home.press()
    assert await made.alarms.figures(head) == Figures(3, 1, 2, 0, 0)

    await wait(190, maria)

    assert await made.alarms.figures(head) == Figures(4, 1, 2, 0, 0), "nobody has answered the last"
    assert await made.alarms.figures(theirs) == Figures(0, 0, 0, 0, 0)
    with pytest.raises(NotPermitted):
        await made.alarms.figures(maria)


async def test_the_head_sees_how_many_alarms_were_stored_at_their_first_sending(
    world, home, maria, made, wait, client
):
    head = await world.staff("Hedda", role=Role.ENHETSCHEF)
    first = home.pressed(attempt=1)
    await home.say(first)
    await home.say(first.model_copy(update={"attempt": 2}))  # its receipt was lost
    await home.press(attempt=1)
    await home.press(attempt=3)
    await home.press()  # an older home unit
    await home.press(attempt=1, is_test=True)
    await wait(190, maria)

    figures = await made.alarms.figures(head)
    _, page = await client.look("/admin/deviations", head)

    assert (figures.alarms, figures.told_attempt, figures.at_first_attempt) == (4, 3, 2)
    assert '<dd data-test="first-attempt">2 (67 %)</dd>' in page


async def test_a_unit_where_nobody_would_hear_it_is_passed_over_at_once(world, home, made):
    deaf = await world.staff("Doris", role=Role.LARMMOTTAGARE, on_shift=True)
    await made.receiving.heard(deaf, has_sound=False)
    await world.staff("Sven", role=Role.LARMMOTTAGARE, on_shift=True)
    await home.press()

    await world.run_due()

    assert (await alarm_of(world))["asked_units"] == [world.unit, world.night_unit]
    assert await steps_of(world) == [
        "pressed", "stored", "asked", "nobody_receives", "asked", "nobody_receives", "heads",
    ]  # fmt: skip


async def test_a_page_counts_only_while_it_answers_with_its_sound_on(world, made, clock):
    maria = await world.staff("Maria", role=Role.LARMMOTTAGARE, on_shift=True)
    eva = await world.staff("Eva", on_shift=True)
    free = await world.staff("Fia", role=Role.LARMMOTTAGARE)

    async def listed():
        async with world.begun() as db:
            return list(await receivers(db, world.unit, world.now))

    assert await listed() == []
    for one in (maria, eva, free):
        await made.receiving.heard(one, has_sound=True)
    assert await listed() == ["Maria Ek"]
    clock.forward(seconds=10)
    await made.receiving.heard(maria, has_sound=False)
    assert await listed() == ["Maria Ek"], "a second window of hers without sound"
    clock.forward(seconds=10)
    await made.receiving.heard(maria, has_sound=False)
    assert await listed() == []


async def test_one_that_is_revoked_leaves_her_alarm_to_the_queue(world, home, maria, made):
    alarm = await home.press()
    await made.alarms.take(maria, alarm)
    head = await world.staff("Hedda", role=Role.ENHETSCHEF)

    await made.staffing.revoke(head, maria.staff.id)

    row = await alarm_of(world)
    assert (row["state"], row["returned_why"]) == ("new", "left")


async def test_the_page_of_an_alarm_is_read_by_those_who_are_asked_and_recorded(
    world, other_world, home, maria, made
):
    alarm = await home.press()

    view = await made.alarms.view(maria, alarm)
    await made.alarms.view(maria, alarm)

    assert (view.resident_name, view.next_at) == (
        "Ingrid Provsson",
        world.now + timedelta(seconds=60),
    )
    assert [step.kind for step in view.steps] == ["pressed", "stored", "asked"]
    assert (await world.events()).count("alarm.read") == 1
    theirs = await other_world.staff("Per", role=Role.LARMMOTTAGARE, on_shift=True)
    with pytest.raises(NotFound):
        await made.alarms.view(theirs, alarm)


async def test_only_a_unit_with_a_device_in_some_home_is_told_that_nobody_receives(world, made):
    ingrid = await world.resident("Ingrid")

    async def rows():
        async with world.begun() as db:
            return [row.row for row in await unit_rows(db, world.unit, world.now)]

    assert "receivers" not in await rows()
    await world.home_unit(ingrid)
    assert "receivers" in await rows()


async def test_an_alarm_stands_on_the_list_without_the_rest_being_read(world, made, home):
    feed = Feed(made.database)
    board = Boards(made.database, made.clock, feed).of(world.tenant, world.unit)
    _, version = await board.frame(None)
    alarm = await home.press()

    feed.wake(alarms_topic(world.unit))
    changes, _ = await board.frame(version)

    assert board.rest_s() == 0
    assert [row["id"] for row in json.loads(changes)["changed"]] == [str(alarm)]


async def test_pressing_again_says_nothing_twice(world, home, maria, made):
    alarm = await home.press()
    await made.alarms.take(maria, alarm)
    for _ in range(2):
        await made.alarms.send(maria, alarm)
        await made.alarms.talked(maria, alarm, "relative")
    await made.alarms.talked(maria, alarm, "resident")

    assert (await steps_of(world))[4:] == ["sent", "met"]
    assert (await world.events()).count("alarm.contact") == 1


async def test_taking_an_alarm_ends_her_call_with_somebody_else_and_the_home_hears_why(
    world, home, ingrid, made
):
    aino = await world.resident("Aino")
    maria = await world.staff(
        "Maria", role=Role.LARMMOTTAGARE, on_shift=True, assigned=(aino, ingrid)
    )
    nina = await world.staff("Nina", role=Role.LARMMOTTAGARE, on_shift=True)
    tv = await world.tv(aino)
    call = await made.calls.ring(maria, aino.id)
    await made.calls.answer(tv, call)
    alarm = await home.press()

    async def reason():
        rows = await world.rows("select end_reason from call where id = $1", call)
        return rows[0]["end_reason"]

    await made.alarms.take(nina, alarm)
    with pytest.raises(AlarmTaken):
        await made.alarms.take(maria, alarm)
    assert await reason() is None, "she did not get it"

    await made.alarms.take(maria, await home.press())
    assert await reason() == "alarm_taken"


async def test_an_alarm_from_whom_she_is_speaking_with_goes_on_in_that_call(
    world, home, ingrid, made
):
    maria = await world.staff("Maria", role=Role.LARMMOTTAGARE, on_shift=True, assigned=(ingrid,))
    tv = await world.tv(ingrid)
    call = await made.calls.ring(maria, ingrid.id)
    await made.calls.answer(tv, call)

    await made.alarms.take(maria, await home.press())

    rows = await world.rows("select state from call where id = $1", call)
    assert rows[0]["state"] != "ended"

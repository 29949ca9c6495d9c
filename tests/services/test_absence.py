"""Away and home again: what is not rung, not seen and not missed, and what starts anew."""

from datetime import UTC, datetime, timedelta

import pytest

from telecare.absences.model import Absence
from telecare.absences.service import AbsenceOverlaps, Report
from telecare.access import store as access_store
from telecare.access.errors import NotAssigned
from telecare.access.model import Role
from telecare.calls import store as call_store
from telecare.calls.model import Reason, State
from telecare.consent.gate import ResidentAbsent
from telecare.runtime.clock import local_day
from telecare.runtime.errors import FieldInvalid, NotFound
from telecare.visits import store as visit_store
from telecare.visits.model import VisitState
from telecare.web.board_rows import unit_rows
from tests.world import YES

VISITS = "select state from visit where tenant_id = $1 order by starts_at"
TASKS = "select kind, closed_at, note from follow_up where tenant_id = $1"
TIMERS = "select kind from timer where tenant_id = $1 and kind = any($2)"


def hospital(**changes) -> Report:
    told = {"kind": "hospital", "from_at": None, "until_at": None, "reported_by": "Dottern"}
    return Report(**{**told, **changes})


@pytest.fixture
def timers(world):
    """This municipality's, however many others have due."""
    return world


@pytest.fixture
async def home(world):
    """Ingrid says yes, Maria is assigned, the TV is paired."""
    ingrid = await world.resident("Ingrid")
    maria = await world.staff(assigned=(ingrid,), on_shift=True)
    return ingrid, maria, await world.tv(ingrid)


async def call_of(world, call_id):
    async with world.begun() as db:
        return await call_store.by_id(db, call_id)


async def rows_of(world, kind):
    async with world.begun() as db:
        rows = await unit_rows(db, world.unit, world.now)
    return [row for row in rows if row.row == kind]


async def test_nothing_rings_while_she_is_away_and_all_starts_with_one_press(world, made, home):
    ingrid, maria, _ = home
    before = len(await world.events())

    absence = await made.absences.report(maria, ingrid.id, hospital())
    with pytest.raises(ResidentAbsent):
        await made.calls.ring(maria, ingrid.id)
    await made.absences.home(maria, absence)
    await made.calls.ring(maria, ingrid.id)

    assert await world.events(before) == [
        "absence.reported", "action.refused", "absence.ended", "call.rung",
    ]  # fmt: skip
    told = (await world.records())[before]["what"]
    assert (told["kind"], told["reported_by"]) == ("hospital", "Dottern")


@pytest.mark.parametrize("answered", [False, True], ids=["ringing", "open"])
async def test_a_call_to_her_ends_with_the_report(world, made, home, answered):
    ingrid, maria, tv = home
    call_id = await made.calls.ring(maria, ingrid.id)
    if answered:
        await made.calls.answer(tv, call_id)

    await made.absences.report(maria, ingrid.id, hospital())

    call = await call_of(world, call_id)
    assert (call.state, call.end_reason) == (State.ENDED, Reason.ABSENT)
    assert await world.rows("select 1 from call_lease where tenant_id = $1", world.tenant) == []


async def test_a_call_she_began_goes_on_without_her_picture(world, made, home):
    ingrid, maria, tv = home
    call_id = await made.calls.call_in(tv)
    await made.calls.take(maria, call_id)

    await made.absences.report(maria, ingrid.id, hospital())

    call = await call_of(world, call_id)
    assert (call.state, call.home_picture) == (State.OPEN, False)


async def test_a_picture_from_a_home_unit_ends_fails_closed(world, made, home):
    ingrid, maria, _ = home
    call_id = await made.calls.call_in(await world.home_unit(ingrid))
    await made.calls.take(maria, call_id)

    await made.absences.report(maria, ingrid.id, hospital())

    assert (await call_of(world, call_id)).end_reason is Reason.ABSENT


async def test_somebody_rings_in_from_the_empty_home_and_it_says_so(world, made, home):
    ingrid, maria, tv = home
    await made.absences.report(maria, ingrid.id, hospital())

    call_id = await made.calls.call_in(tv)
    waiting = await rows_of(world, "call")
    await made.calls.take(maria, call_id)

    assert [row.absent for row in waiting] == ["hospital"]
    assert not (await call_of(world, call_id)).home_picture


async def test_a_visit_in_the_absence_is_nobodys_miss(world, made, home, clock, timers):
    ingrid, maria, _ = home
    await world.visit(maria, ingrid, minutes=30)
    await made.absences.report(maria, ingrid.id, hospital())
    listed = await rows_of(world, "visit")

    clock.forward(hours=2)
    await timers.run_due()

    assert [(row.state, row.overdue_at) for row in listed] == [("absent", None)]
    assert await world.rows(VISITS, world.tenant) == [{"state": "absent"}]
    assert await world.rows(TASKS, world.tenant) == []
    assert (await world.events())[-1] == "visit.called_off"


async def test_home_before_the_visit_it_is_to_be_held_again(world, made, home, clock, timers):
    ingrid, maria, _ = home
    visit = await world.visit(maria, ingrid, minutes=60)
    absence = await made.absences.report(maria, ingrid.id, hospital())
    assert [row.state for row in await rows_of(world, "visit")] == ["absent"]

    clock.forward(minutes=30)
    await made.absences.home(maria, absence)

    assert [row.state for row in await rows_of(world, "visit")] == ["planned"]
    assert await made.visits.ring(maria, visit)
    clock.forward(hours=2)
    await timers.run_due()
    assert await world.rows(VISITS, world.tenant) == [{"state": "needs_step"}]


async def test_what_was_missed_since_she_left_is_not_chased(world, made, home, clock, timers):
    ingrid, maria, _ = home
    for minutes in (10, 30, 58):
        await world.visit(maria, ingrid, minutes=minutes)
    clock.forward(hours=1)
    await timers.run_due()
    left = world.now - timedelta(minutes=45)

    await made.absences.report(maria, ingrid.id, hospital(from_at=left))

    states = [row["state"] for row in await world.rows(VISITS, world.tenant)]
    assert states == ["needs_step", "absent", "absent"]
    tasks = await world.rows(TASKS, world.tenant)
    assert sorted((t["note"] or "open") for t in tasks) == ["absence", "open"]


async def test_whoever_had_taken_the_task_of_a_missed_visit_is_free_of_it(
    world, made, home, clock, timers
):
    ingrid, maria, _ = home
    await world.visit(maria, ingrid)
    clock.forward(hours=1)
    await timers.run_due()
    [task] = await world.rows("select id from follow_up where tenant_id = $1", world.tenant)
    await made.people.take_follow_up(maria, task["id"])

    left = world.now - timedelta(hours=1)
    await made.absences.report(maria, ingrid.id, hospital(from_at=left))

    [assigned] = await world.rows(
        "select valid_until from assignment where tenant_id = $1 and source = 'follow_up'",
        world.tenant,
    )
    assert assigned["valid_until"] is not None


async def test_to_ring_again_in_the_absence_is_called_off_too(world, made, home, clock, timers):
    ingrid, maria, _ = home
    visit = await world.visit(maria, ingrid)
    again = world.now + timedelta(hours=1)
    await made.visits.take_step(maria, visit, "ring_again", at=again, note="")
    await made.absences.report(maria, ingrid.id, hospital())

    clock.forward(hours=2)
    await timers.run_due()

    assert await world.rows(VISITS, world.tenant) == [{"state": "absent"}]


async def test_a_visit_can_be_planned_and_moved_meanwhile(world, made, home):
    ingrid, maria, _ = home
    planner = await world.staff("Per", role=Role.SAMORDNARE)
    await made.absences.report(maria, ingrid.id, hospital())

    visit = await world.visit(maria, ingrid, minutes=30)
    await made.visits.move(planner, visit, world.now + timedelta(hours=3))

    assert await world.rows(VISITS, world.tenant) == [{"state": "planned"}]


async def test_a_visit_that_was_called_off_can_be_moved_to_another_day(
    world, made, home, clock, timers
):
    ingrid, maria, _ = home
    planner = await world.staff("Per", role=Role.SAMORDNARE)
    visit = await world.visit(maria, ingrid)
    await made.absences.report(maria, ingrid.id, hospital())
    clock.forward(hours=1)
    await timers.run_due()

    await made.visits.move(planner, visit, world.now + timedelta(days=3))

    assert await world.rows(VISITS, world.tenant) == [{"state": "planned"}]


async def test_known_absence_is_still_a_next_step(world, made, home, clock, timers):
    ingrid, maria, _ = home
    visit = await world.visit(maria, ingrid)
    clock.forward(minutes=11)
    await timers.run_due()

    await made.visits.take_step(maria, visit, "known_absence", at=None, note="")

    assert await world.rows(VISITS, world.tenant) == [{"state": "stepped"}]


async def test_an_absence_ahead_begins_by_itself_and_bounds_what_opens(
    world, made, home, clock, timers
):
    ingrid, maria, tv = home
    begins = world.now + timedelta(minutes=30)
    await made.absences.report(maria, ingrid.id, hospital(from_at=begins))
    call_id = await made.calls.ring(maria, ingrid.id)
    await made.calls.answer(tv, call_id)
    await made.calls.report(maria, call_id, "first_frame")
    assert (await call_of(world, call_id)).must_end == begins

    clock.forward(minutes=30)
    await timers.run_due()

    assert (await call_of(world, call_id)).state is State.ENDED
    assert "absence.begun" in await world.events()
    with pytest.raises(ResidentAbsent):
        await made.calls.ring(maria, ingrid.id)


async def test_an_absence_reported_while_they_talk_ends_the_talk_in_its_time(
    world, made, home, clock, timers
):
    ingrid, maria, tv = home
    call_id = await made.calls.ring(maria, ingrid.id)
    await made.calls.answer(tv, call_id)
    await made.calls.report(maria, call_id, "first_frame")
    begins = world.now + timedelta(minutes=10)
    await made.absences.report(maria, ingrid.id, hospital(from_at=begins))

    clock.forward(minutes=10)
    await timers.run_due()

    assert (await call_of(world, call_id)).end_reason is Reason.ABSENT


async def test_an_absence_with_an_end_is_over_by_itself_and_leaves_a_record(
    world, made, home, clock, timers
):
    ingrid, maria, _ = home
    until = world.now + timedelta(days=2)
    await made.absences.report(maria, ingrid.id, hospital(until_at=until))

    clock.forward(days=2)
    await made.calls.hang_up(maria, await made.calls.ring(maria, ingrid.id))
    await timers.run_due()

    assert await rows_of(world, "absence") == []
    ended = [r for r in await world.records() if r["event"] == "absence.ended"]
    assert [r["actor"]["kind"] for r in ended] == ["system"]


async def test_an_open_absence_stands_on_the_list_each_day(world, made, home, clock):
    ingrid, maria, _ = home
    absence = await made.absences.report(maria, ingrid.id, hospital())

    clock.forward(days=3)
    [row] = await rows_of(world, "absence")

    assert (row.id, row.resident_id, row.kind, row.until) == (absence, ingrid.id, "hospital", None)


async def test_home_pressed_twice_is_one_home_coming(world, made, home):
    ingrid, maria, _ = home
    absence = await made.absences.report(maria, ingrid.id, hospital())

    await made.absences.home(maria, absence)
    await made.absences.home(maria, absence)

    assert (await world.events()).count("absence.ended") == 1


async def test_an_absence_ahead_can_be_called_off(world, made, home, clock, timers):
    ingrid, maria, _ = home
    ahead = hospital(from_at=world.now + timedelta(hours=1))
    await made.absences.home(maria, await made.absences.report(maria, ingrid.id, ahead))

    clock.forward(hours=2)
    await timers.run_due()

    assert await made.calls.ring(maria, ingrid.id)
    left = await world.rows(TIMERS, world.tenant, ["absence.begins", "absence.over"])
    assert left == []


@pytest.mark.parametrize(
    ("first", "second"),
    [((0, None), (5, 6)), ((0, 5), (4, None)), ((2, 5), (0, 3)), ((2, 5), (0, None))],
)
async def test_two_absences_never_overlap(world, made, home, first, second):
    ingrid, maria, _ = home

    def days(pair):
        from_at, until_at = (None if d is None else world.now + timedelta(days=d) for d in pair)
        return hospital(from_at=from_at, until_at=until_at)

    await made.absences.report(maria, ingrid.id, days(first))
    with pytest.raises(AbsenceOverlaps):
        await made.absences.report(maria, ingrid.id, days(second))


async def test_one_absence_may_follow_another(world, made, home):
    ingrid, maria, _ = home
    noon = world.now + timedelta(days=1)
    await made.absences.report(maria, ingrid.id, hospital(until_at=noon))

    await made.absences.report(maria, ingrid.id, hospital(kind="short_term", from_at=noon))

    async with world.begun() as db:
        start, end = local_day(world.now)
        assert await visit_store.of_resident(db, ingrid.id, start, end) == []


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"from_at": 3, "until_at": 2}, "until_at"),
        ({"from_at": -5, "until_at": -1}, "until_at"),
        ({"reported_by": "  "}, "reported_by"),
    ],
)
async def test_what_cannot_be_is_refused_with_its_field(world, made, home, changes, field):
    ingrid, maria, _ = home
    told = {
        key: world.now + timedelta(hours=value) if isinstance(value, int) else value
        for key, value in changes.items()
    }
    before = await world.events()

    with pytest.raises(FieldInvalid) as refused:
        await made.absences.report(maria, ingrid.id, hospital(**told))

    assert refused.value.fields == (field,)
    assert await world.events() == before


async def test_her_unit_and_those_that_cover_it_may_report(world, made):
    ingrid = await world.resident("Ingrid")
    colleague = await world.staff("Anna")
    stranger = await world.staff("Nils", unit=world.night_unit)

    absence = await made.absences.report(colleague, ingrid.id, hospital())
    with pytest.raises(NotAssigned):
        await made.absences.home(stranger, absence)
    midnight = datetime(2026, 11, 23, 0, 0, tzinfo=UTC).time()
    async with world.begun() as db:
        await access_store.add_cover(
            db, world.night_unit, world.unit, hours=(midnight, midnight.replace(hour=23))
        )
    await made.absences.home(stranger, absence)

    assert await rows_of(world, "absence") == []


async def test_an_absence_of_another_municipality_is_not_there(world, other_world, made):
    aino = await other_world.resident("Aino")
    theirs = await made.absences.report(await other_world.staff(), aino.id, hospital())
    maria = await world.staff()

    with pytest.raises(NotFound):
        await made.absences.home(maria, theirs)
    with pytest.raises(NotFound):
        await made.absences.report(maria, aino.id, hospital())


async def test_her_word_may_be_taken_down_while_she_is_away(world, made):
    ingrid = await world.resident("Ingrid", says_yes=False)
    maria = await world.staff(assigned=(ingrid,))
    await made.absences.report(maria, ingrid.id, hospital())

    outcome = await made.consents.record(maria, ingrid.id, YES)

    assert outcome.gate_is_open


def test_one_that_was_called_off_before_it_began_covers_nothing():
    noon = datetime(2026, 11, 23, 12, tzinfo=UTC)
    hours = [noon + timedelta(hours=n) for n in range(-3, 4)]

    absence = Absence(None, None, "travel", noon, None, "Sonen", "", home_at=hours[0])

    assert [absence.covers(at) for at in hours] == [False] * 7
    assert VisitState.ABSENT == "absent"

"""A shift begins with what she does in it, and ends only when she holds nothing."""

import json
from datetime import timedelta

import pytest

from telecare.access.errors import NotPermitted
from telecare.access.model import Role
from telecare.access.staffing import NewRole
from telecare.shifts.model import ShiftAlreadyBegun, ShiftHoldsOpen
from telecare.shifts.service import Ask
from tests.world import TOKENS


@pytest.fixture
async def ingrid(world):
    return await world.resident("Ingrid")


async def call_back(world, made, maria, ingrid):
    """A task that Maria has taken."""
    task = await world.call_back(ingrid)
    await made.people.take_follow_up(maria, task)
    return task


async def test_what_she_does_in_the_shift_is_in_the_record(world, made):
    maria = await world.staff("Maria")

    await made.shifts.begin(maria, world.unit, ["drive", "alarm", "drive"])

    record = (await world.records())[-1]
    assert (record["event"], record["what"]["tasks"]) == ("shift.begun", ["alarm", "drive"])
    with pytest.raises(ShiftAlreadyBegun):
        await made.shifts.begin(maria, world.unit)


async def test_nothing_of_it_is_fine_too(world, made):
    await made.shifts.begin(await world.staff("Maria"), world.unit)

    assert (await world.records())[-1]["what"]["tasks"] == []


async def test_it_does_not_end_while_she_holds_something_and_ends_when_another_has_it(
    world, made, ingrid
):
    maria = await world.staff("Maria", on_shift=True)
    anna = await world.staff("Anna", on_shift=True)
    task = await call_back(world, made, maria, ingrid)
    before = len(await world.events())

    with pytest.raises(ShiftHoldsOpen):
        await made.shifts.end(maria)
    assert await world.events(before) == []
    one = await made.shifts.ask(maria, Ask("follow_up", task, anna.staff.id, None))
    with pytest.raises(ShiftHoldsOpen):
        await made.shifts.end(maria)
    await made.shifts.accept(anna, one)

    await made.shifts.end(maria)

    assert (await world.events())[-1] == "shift.ended"


async def test_a_live_call_keeps_the_shift_open(world, made, ingrid):
    maria = await world.staff("Maria", on_shift=True, assigned=(ingrid,))
    await world.tv(ingrid)
    call = await made.calls.ring(maria, ingrid.id)

    with pytest.raises(ShiftHoldsOpen):
        await made.shifts.end(maria)

    await made.calls.hang_up(maria, call)
    await made.shifts.end(maria)


@pytest.mark.parametrize("state", ["needs_step", "unfinished", "stepped"])
async def test_a_visit_that_waits_for_her_keeps_the_shift_open(world, made, ingrid, state):
    maria = await world.staff("Maria", on_shift=True)
    visit = await world.visit(maria, ingrid)
    step = "step = 'ring_again'" if state == "stepped" else "step = null"
    await world.rows(f"update visit set state = $2, {step} where id = $1", visit, state)

    with pytest.raises(ShiftHoldsOpen):
        await made.shifts.end(maria)


@pytest.mark.parametrize("state", ["planned", "cancelled"])
async def test_a_visit_that_waits_for_nothing_does_not(world, made, ingrid, state):
    maria = await world.staff("Maria", on_shift=True)
    visit = await world.visit(maria, ingrid, minutes=30)
    await world.rows("update visit set state = $2 where id = $1", visit, state)

    await made.shifts.end(maria)


async def test_a_visit_of_the_day_before_yesterday_does_not(world, made, ingrid, clock):
    visit = await world.visit(await world.staff("Maria"), ingrid)
    staff = (await world.rows("select staff_id from visit where id = $1", visit))[0]["staff_id"]
    await world.rows("update visit set state = 'needs_step' where id = $1", visit)
    clock.forward(hours=25)

    async with world.begun() as db:
        assert await made.shifts.held_by(db, staff, world.now) == []


async def test_the_list_of_what_she_holds_is_recorded_once_with_its_residents(world, made, ingrid):
    maria = await world.staff("Maria", on_shift=True)
    await world.staff("Anna", on_shift=True, unit=world.night_unit)
    await world.staff("Berit", on_shift=True)
    await world.staff("Resting")
    task = await call_back(world, made, maria, ingrid)
    before = len(await world.events())

    for _ in range(2):
        found = await made.shifts.held_open(maria)

    assert [(thing.held.kind, thing.held.id) for thing in found.things] == [("follow_up", task)]
    assert [one.name for one in found.colleagues] == ["Berit Ek", "Anna Ek"]
    assert await world.events(before) == ["list.read"]
    assert str(ingrid.id) in str((await world.records())[-1]["subject"])


async def test_over_http_the_page_gets_what_she_holds_and_why_it_does_not_end(
    client, world, made, ingrid
):
    from telecare.app import ROUTES  # noqa: PLC0415

    maria = await world.staff("Maria", on_shift=True)
    await call_back(world, made, maria, ingrid)
    routes = {route.path: route for route in ROUTES}

    status, text, _ = await client.ask(routes["/api/shifts/end"], session=maria)
    assert (status, '"code": "shift_holds_open"' in text) == (409, True)
    status, text, _ = await client.ask(routes["/api/shifts/held"], session=maria)

    assert status == 200
    assert '"resident_name":"Ingrid Provsson"' in text
    assert '"can_hand_over":true' in text
    assert TOKENS[maria.id]


async def test_a_shift_begins_where_she_has_a_role_and_nowhere_else(client, world, made):
    maria = await world.staff("Maria")
    eva = await world.staff("Eva", role=Role.ENHETSCHEF, unit=world.night_unit)

    with pytest.raises(NotPermitted):
        await made.shifts.begin(maria, world.night_unit)
    _, me = await client.look("/api/me", maria)
    assert [unit["name"] for unit in json.loads(me)["units"]] == ["Dagen"]

    until = world.now + timedelta(hours=1)
    role = NewRole(Role.OMSORGSPERSONAL, world.night_unit, until=until)
    await made.staffing.give(eva, maria.staff.id, role)
    await made.shifts.begin(await made.access.still(TOKENS[maria.id]), world.night_unit)

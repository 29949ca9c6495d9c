""" "Ta över": who may, what it leaves, and that the unit's head sees it."""

import pytest

from telecare.access.errors import NotAssigned, NotOnShift, NotPermitted
from telecare.access.model import Role


@pytest.fixture
async def ingrid(world):
    return await world.resident("Ingrid")


async def test_whoever_takes_over_on_shift_is_assigned_and_on_the_heads_list(world, made, ingrid):
    maria = await world.staff("Maria", on_shift=True)
    eva = await world.staff("Eva", role=Role.ENHETSCHEF)
    await world.tv(ingrid)

    await made.people.take_over(maria, ingrid.id)
    await made.calls.ring(maria, ingrid.id)

    listed = await made.people.taken_over(eva)
    assert [(row.staff_name, row.resident_name) for row in listed] == [
        ("Maria Ek", "Ingrid Provsson")
    ]
    assert "assignment.begun" in await world.events()


async def test_the_heads_look_at_the_list_is_recorded_once_with_its_residents(world, made, ingrid):
    await made.people.take_over(await world.staff("Maria", on_shift=True), ingrid.id)
    eva = await world.staff("Eva", role=Role.ENHETSCHEF)
    before = len(await world.events())

    await made.people.taken_over(eva)
    await made.people.taken_over(eva)

    assert await world.events(before) == ["list.read"]
    assert (await world.records())[-1]["what"]["list"] == "taken_over"
    assert str(ingrid.id) in str((await world.records())[-1]["subject"])


async def test_others_do_not_see_it(world, made):
    maria = await world.staff("Maria", on_shift=True)

    with pytest.raises(NotPermitted):
        await made.people.taken_over(maria)


async def test_nobody_takes_over_outside_a_shift(world, made, ingrid):
    with pytest.raises(NotOnShift):
        await made.people.take_over(await world.staff("Maria"), ingrid.id)


async def test_what_is_older_than_two_weeks_is_off_the_list(world, made, ingrid, clock):
    await made.people.take_over(await world.staff("Maria", on_shift=True), ingrid.id)
    clock.forward(days=15)

    assert await made.people.taken_over(await world.staff("Eva", role=Role.ENHETSCHEF)) == []


async def test_what_was_taken_over_ends_with_the_shift(world, made, ingrid):
    maria = await world.staff("Maria", on_shift=True)
    olof = await world.resident("Olof")
    for resident in (ingrid, olof):
        await made.people.take_over(maria, resident.id)
        await world.tv(resident)

    await made.shifts.end(maria)

    for resident in (ingrid, olof):
        with pytest.raises(NotAssigned):
            await made.calls.ring(maria, resident.id)


async def test_what_others_gave_her_stays_when_the_shift_ends(world, made, ingrid):
    maria = await world.staff("Maria", on_shift=True, assigned=(ingrid,))
    await world.tv(ingrid)
    await made.people.take_over(maria, ingrid.id)

    await made.shifts.end(maria)

    assert await made.calls.ring(maria, ingrid.id)

"""Who is asked when a resident rings in: her language, her unit, those who cover it, the next."""

from datetime import time

import pytest

from telecare.access import store as access_store
from telecare.access.errors import NotPermitted
from telecare.calls.call_in import LanguageFirst
from telecare.web.board_rows import unit_rows


@pytest.fixture
async def rung(world, made):
    """Aino, who speaks Finnish, has rung; Kirsi speaks it and is on shift."""
    aino = await world.resident("Aino", language="fi")
    kirsi = await world.staff("Kirsi", on_shift=True, languages=("fi", "sv"))
    maria = await world.staff("Maria", on_shift=True)
    call_id = await made.calls.call_in(await world.tv(aino))
    return call_id, kirsi, maria


async def rows_of(world, unit):
    async with world.begun() as db:
        rows = await unit_rows(db, unit, world.now)
    return [row for row in rows if row.row != "receivers"]


async def cover(world, hours):
    async with world.begun() as db:
        await access_store.add_cover(db, world.night_unit, world.unit, hours=hours)


async def test_those_who_speak_her_language_are_asked_first(world, made, rung, clock):
    call_id, kirsi, maria = rung

    clock.forward(seconds=14)
    with pytest.raises(LanguageFirst):
        await made.calls.take(maria, call_id)

    assert (await world.events())[-1] == "action.refused"
    await made.calls.take(kirsi, call_id)


async def test_after_fifteen_seconds_anybody_answers_her(made, rung, clock):
    call_id, _, maria = rung
    clock.forward(seconds=15)

    await made.calls.take(maria, call_id)


async def test_she_does_not_wait_for_a_language_that_nobody_on_shift_speaks(world, made):
    aino = await world.resident("Aino", language="fi")
    maria = await world.staff("Maria", on_shift=True)
    await world.staff("Kirsi", languages=("fi",))
    call_id = await made.calls.call_in(await world.tv(aino))

    assert (await rows_of(world, world.unit))[0].first_for is None
    await made.calls.take(maria, call_id)


async def test_the_night_team_sees_and_answers_those_it_covers_at_its_hours(world, made, rung):
    call_id, _, _ = rung
    natt = await world.staff("Nils", on_shift=True, unit=world.night_unit, languages=("fi",))

    await cover(world, (time(22), time(9)))
    assert await rows_of(world, world.night_unit) == []
    with pytest.raises(NotPermitted):
        await made.calls.take(natt, call_id)

    await world.rows("delete from unit_cover where tenant_id = $1", world.tenant)
    await cover(world, (time(9), time(11)))
    row = (await rows_of(world, world.night_unit))[0]
    assert (row.id, row.unit_name) == (call_id, "Dagen")
    await made.calls.take(natt, call_id)


async def test_a_units_own_rows_name_no_unit(world, rung):
    assert (await rows_of(world, world.unit))[0].unit_name is None

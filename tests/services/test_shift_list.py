"""The shift on paper: who stands on it, who may have it, and that it is recorded."""

import pytest

from telecare.app import ROUTES

LIST = next(route for route in ROUTES if route.path == "/shift/list")


@pytest.fixture
async def ingrid(world):
    return await world.resident("Ingrid")


async def test_it_names_those_of_the_day_with_times_addresses_and_what_to_do(client, world, ingrid):
    await world.resident("Olof")
    maria = await world.staff("Maria", on_shift=True)
    await world.visit(maria, ingrid, minutes=30)

    status, page, _ = await client.ask(LIST, session=maria)

    assert status == 200
    for words in ("Ingrid Provsson", "Provgatan 1", "10:30", "Tillsyn", "Ät lunch", "021-2", "112"):
        assert words in page
    assert "Olof" not in page


async def test_of_somebody_protected_only_the_time_is_on_paper(client, world, ingrid):
    await world.rows("update resident set is_protected = true where id = $1", ingrid.id)
    maria = await world.staff("Maria", on_shift=True)
    await world.visit(maria, ingrid, minutes=30)

    _, page, _ = await client.ask(LIST, session=maria)

    assert "10:30" in page
    for words in (ingrid.name, ingrid.address, "Ät lunch"):
        assert words not in page
    assert str(ingrid.id) in str((await world.records())[-1]["subject"])


async def test_each_print_is_recorded_with_everybody_on_it(client, world, ingrid):
    maria = await world.staff("Maria", on_shift=True)
    aino = await world.resident("Aino")
    for resident in (ingrid, aino):
        await world.visit(maria, resident)
    before = len(await world.events())

    for _ in range(2):
        await client.ask(LIST, session=maria)

    assert await world.events(before) == ["list.printed", "list.printed"]
    subject = str((await world.records())[-1]["subject"])
    assert str(ingrid.id) in subject
    assert str(aino.id) in subject


async def test_only_who_is_on_shift_has_it_and_the_try_is_recorded(client, world, ingrid):
    maria = await world.staff("Maria")
    await world.visit(maria, ingrid)

    status, text, _ = await client.ask(LIST, session=maria)

    assert (status, "Ingrid" in text) == (403, False)
    assert (await world.records())[-1]["what"]["tried"] == "list.printed"

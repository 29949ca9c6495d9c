""" "Vem har tittat" on her TV: only if she wants it, and only who saw or spoke with her."""

import pytest

from telecare.access.model import Role
from telecare.integrity.looks import LooksHidden
from telecare.runtime.errors import NotFound


@pytest.fixture
async def ingrid(world):
    return await world.resident("Ingrid")


@pytest.fixture
async def tv(world, ingrid):
    return await world.tv(ingrid)


@pytest.fixture
def called(made, clock, tv, ingrid):
    """Somebody has rung, she has answered, and it is over after so many seconds."""

    async def call(session, seconds=40):
        call = await made.calls.ring(session, ingrid.id)
        await made.calls.answer(tv, call)
        clock.forward(seconds=seconds)
        await made.calls.hang_up(session, call)
        clock.forward(minutes=1)
        return call

    return call


@pytest.fixture
async def maria(world, ingrid):
    return await world.staff("Maria", assigned=(ingrid,), on_shift=True)


async def test_nothing_is_shown_until_she_wants_it(made, world, tv, maria, called):
    await called(maria)

    with pytest.raises(LooksHidden):
        await made.looks.of_home(tv, None)

    await made.looks.show(tv, on=True)
    page = await made.looks.of_home(tv, None)
    assert [(one.kind, one.seconds, by.given_name, by.unit_name) for one, by in page.looks] == [
        ("video_call", 40, "Maria", "Dagen")
    ]
    await made.looks.show(tv, on=False)
    with pytest.raises(LooksHidden):
        await made.looks.of_home(tv, None)


async def test_reading_it_and_choosing_it_are_records_about_her_from_the_home(
    made, world, tv, ingrid
):
    before = len(await world.events())
    await made.looks.show(tv, on=True)
    await made.looks.show(tv, on=True)
    await made.looks.of_home(tv, None)
    await made.looks.show(tv, on=False)

    assert await world.events(before) == ["looks.shown", "looks.read", "looks.hidden"]
    for record in (await world.records())[before:]:
        assert record["actor"]["kind"] == "home"
        assert [p["id"] for p in record["subject"]["persons"]] == [str(ingrid.id)]


async def test_who_read_her_card_and_who_rang_in_vain_do_not_stand_here(
    made, world, tv, ingrid, maria, clock
):
    await made.looks.show(tv, on=True)
    call = await made.calls.ring(maria, ingrid.id)
    clock.forward(seconds=5)
    await made.calls.hang_up(maria, call)
    await made.break_glass.open(
        await world.staff("Per", unit=world.night_unit), ingrid.id, "other", "Larm utan svar."
    )

    assert (await made.looks.of_home(tv, None)).looks == []


async def test_three_at_a_time_the_newest_first(made, tv, maria, called):
    for seconds in (10, 20, 30, 40):
        await called(maria, seconds)
    await made.looks.show(tv, on=True)

    first = await made.looks.of_home(tv, None)
    second = await made.looks.of_home(tv, first.below)

    assert [one.seconds for one, _ in first.looks] == [40, 30, 20]
    assert [one.seconds for one, _ in second.looks] == [10]
    assert second.below is None


async def test_a_look_under_review_reads_like_any_other(world, made, tv, ingrid, called):
    """Else a screen in the room would tell before anybody has found out."""
    await world.yes(ingrid, emergency_allowed=True)
    per = await world.staff("Per", unit=world.night_unit)
    await made.break_glass.open(per, ingrid.id, "other", "Larm utan svar.")
    await called(per)
    await made.looks.show(tv, on=True)

    one, by = (await made.looks.of_home(tv, None)).looks[0]

    assert (one.kind, by.given_name, by.unit_name) == ("video_call", "Per", "Natten")


async def test_somebody_protected_appears_by_her_unit(world, made, tv, maria, called):
    await called(maria)
    await world.rows("update staff set is_protected = true where id = $1", maria.staff.id)
    await made.looks.show(tv, on=True)

    _, by = (await made.looks.of_home(tv, None)).looks[0]

    assert (by.given_name, by.unit_name) == ("", "Dagen")


async def test_what_she_asks_about_is_looked_at_by_somebody_once(world, made, tv, maria, called):
    await called(maria)
    await made.looks.show(tv, on=True)
    look, _ = (await made.looks.of_home(tv, None)).looks[0]

    await made.looks.ask(tv, look.n)
    await made.looks.ask(tv, look.n)

    lena = await world.staff("Lena", role=Role.GRANSKARE)
    waiting = (await made.reviews.overview(lena)).openings
    assert [(one.drawn, one.staff_name, str(one.hits[0].rule)) for one in waiting] == [
        ("asked", "Maria Ek", "asked")
    ]
    assert "looks.asked" in await world.events()


async def test_she_asks_only_about_what_she_can_see(world, made, tv, maria, called, other_world):
    await called(maria)
    await made.looks.show(tv, on=True)
    look, _ = (await made.looks.of_home(tv, None)).looks[0]
    neighbour = await world.tv(await world.resident("Aino"))
    await made.looks.show(neighbour, on=True)

    for session, n in ((tv, look.n - 1), (tv, 10_000), (neighbour, look.n)):
        with pytest.raises(NotFound):
            await made.looks.ask(session, n)


async def test_a_screen_shows_its_own_homes_only(world, made, maria, called):
    await called(maria)
    neighbour = await world.tv(await world.resident("Aino"))
    await made.looks.show(neighbour, on=True)

    assert (await made.looks.of_home(neighbour, None)).looks == []

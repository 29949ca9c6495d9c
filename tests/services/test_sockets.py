"""The live channel: who hears what of whom, and what a locked page still hears."""

from uuid import uuid4

import pytest

from telecare.access.service import session_topic, unit_topic

SIGNED_OUT = 4401


@pytest.fixture
async def visit(world, made):
    """Maria's call to Ingrid, answered on Ingrid's TV."""
    ingrid = await world.resident("Ingrid")
    maria = await world.staff("Maria", assigned=(ingrid,))
    tv = await world.tv(ingrid)
    call_id = await made.calls.ring(maria, ingrid.id)
    await made.calls.answer(tv, call_id)
    return call_id, maria, tv


async def outsiders(world, other_world):
    """A colleague on shift, a neighbour's TV, and both of another municipality."""
    signed_in = []
    for place in (world, other_world):
        stranger = await place.resident("Aino")
        signed_in += [
            await place.staff("Eva", on_shift=True, assigned=(stranger,)),
            await place.tv(stranger),
        ]
    return signed_in


async def notified(made, world, topic):
    async with made.database.transaction(world.tenant) as db:
        db.changed(topic)


async def test_a_page_hears_of_no_call_that_is_not_its_own(client, made, world, other_world, visit):
    call_id, maria, _ = visit
    await made.calls.signal(maria, call_id, generation=1, kind="offer", body="v=0")
    for session in await outsiders(world, other_world):
        async with client.page(session) as page:
            await page.say(type="join", call_id=str(call_id), after=0)
            await page.say(type="alive", call_id=str(call_id), mono_ms=5)
            await page.say(type="report", call_id=str(call_id), what="first_frame")
            await page.say(
                type="signal", call_id=str(call_id), generation=2, kind="offer", body="v=0"
            )
            await made.calls.renew_leases()
            await page.said_all()
            await made.calls.renew_leases()
            await page.said_all()

        said = {
            (frame["type"], frame.get("code")) for frame in page.heard if frame["type"] != "home"
        }
        assert said <= {
            ("hello", None), ("refused", "not_found"), ("refused", "not_permitted"),
            ("refused", "field_invalid"),
        }  # fmt: skip
    rows = await world.rows("select generation from call_signal where call_id = $1", call_id)
    assert [row["generation"] for row in rows] == [1]


async def test_only_the_page_that_holds_the_call_has_its_lease_renewed(client, made, visit):
    call_id, maria, _ = visit
    async with client.page(maria) as first, client.page(maria) as second:
        for page in (first, second):
            await page.say(type="join", call_id=str(call_id), after=0)
            await page.until("call", mine=True)
            await page.say(type="alive", call_id=str(call_id), mono_ms=5)
        await first.until("call", mine=False)
        await second.said_all()

        while "lease" not in {frame["type"] for frame in second.heard}:
            await made.calls.renew_leases()
            await second.said_all()
        await first.said_all()

        assert "lease" not in {frame["type"] for frame in first.heard}


async def test_a_unit_one_does_not_cover_is_not_shown(client, world, other_world):
    maria = await world.staff("Maria", on_shift=True)
    async with client.page(maria) as page:
        for unit in (other_world.unit, uuid4()):
            await page.say(type="subscribe", view="today", unit=str(unit))
            await page.until("refused", about="subscribe", code="not_permitted")

    assert (await world.events()).count("action.refused") == 2


async def test_a_locked_page_hears_who_waits_and_nothing_about_anybody(client, made, world, clock):
    ingrid = await world.resident("Ingrid")
    maria = await world.staff("Maria", on_shift=True, assigned=(ingrid,))
    tv = await world.tv(ingrid)
    async with client.page(maria) as page:
        await page.say(type="subscribe", view="today", unit=str(world.unit))
        await page.until("snapshot")
        clock.forward(minutes=31)
        await notified(made, world, session_topic(maria.id))
        await page.until("locked")
        page.heard.clear()
        call_id = await made.calls.call_in(tv)

        locked = await page.until("locked")
        await page.say(type="join", call_id=str(call_id), after=0)
        await page.until("refused", code="session_locked")

    assert [one["id"] for one in locked["waiting"]] == [str(call_id)]
    assert "Ingrid" not in str(page.heard)
    assert str(ingrid.id) not in str(page.heard)


async def test_a_locked_page_that_connects_anew_is_still_told_who_waits(client, made, world, clock):
    ingrid = await world.resident("Ingrid")
    maria = await world.staff("Maria", on_shift=True)
    call_id = await made.calls.call_in(await world.tv(ingrid))
    clock.forward(minutes=31)

    async with client.page(maria) as page:
        await page.say(type="subscribe", view="today", unit=str(world.unit))
        locked = await page.until("locked")

    assert [one["id"] for one in locked["waiting"]] == [str(call_id)]
    assert "list.read" not in await world.events()


async def test_a_page_that_says_nobody_is_there_is_locked_and_reads_its_list_anew(
    client, made, world
):
    maria = await world.staff("Maria", on_shift=True)
    async with client.page(maria) as page:
        await page.say(type="subscribe", view="today", unit=str(world.unit))
        await page.until("snapshot")
        await page.say(type="lock")
        await page.until("locked")
        await made.access.unlock(maria)
        await page.say(type="subscribe", view="today", unit=str(world.unit))
        await page.until("snapshot")


async def test_whoever_is_at_the_page_keeps_it_open(client, made, world, clock):
    maria = await world.staff("Maria", on_shift=True)
    async with client.page(maria) as page:
        for _ in range(3):
            clock.forward(minutes=20)
            await page.say(type="touched")
            await page.say(type="subscribe", view="today", unit=str(world.unit))
            await page.until("snapshot")

    assert "locked" not in {frame["type"] for frame in page.heard}


async def test_sixteen_hours_close_the_page(client, made, world, clock):
    maria = await world.staff("Maria", on_shift=True)
    async with client.page(maria) as page:
        await page.say(type="subscribe", view="today", unit=str(world.unit))
        await page.until("snapshot")
        clock.forward(hours=16)
        await page.say(type="subscribe", view="today", unit=str(world.unit))

        assert await page.closed() == SIGNED_OUT


async def test_the_record_of_a_frame_names_the_shift_begun_since_the_page_opened(
    client, made, world
):
    ingrid = await world.resident("Ingrid")
    maria = await world.staff("Maria", assigned=(ingrid,))
    tv = await world.tv(ingrid)
    async with client.page(maria) as page:
        shift = await made.shifts.begin(maria, world.unit)
        await page.say(type="subscribe", view="today", unit=str(world.unit))
        await page.until("snapshot")
        call_id = await made.calls.ring(maria, ingrid.id)
        await made.calls.answer(tv, call_id)
        await page.say(type="report", call_id=str(call_id), what="first_frame")
        await page.said_all()

    seen = [r for r in await world.records() if r["event"] == "call.seen"]
    assert str(shift) in str(seen[0]["actor"])


async def test_a_page_that_shows_the_nights_lists_is_told_when_they_change_and_then_only(
    client, made, world
):
    maria = await world.staff("Maria", on_shift=True)
    async with client.page(maria) as page:
        await page.say(type="watch", nights=True)
        await page.say(type="subscribe", view="today", unit=str(world.unit))
        await page.until("snapshot")
        await notified(made, world, unit_topic(world.unit))
        await page.until("nights")

        await page.say(type="watch", nights=False)
        await page.said_all()
        page.heard.clear()
        await notified(made, world, unit_topic(world.unit))
        await page.said_all()

    assert "nights" not in [frame["type"] for frame in page.heard]


async def test_a_locked_page_is_told_nothing_of_the_nights(client, made, world):
    maria = await world.staff("Maria", on_shift=True)
    async with client.page(maria) as page:
        await page.say(type="subscribe", view="today", unit=str(world.unit))
        await page.until("snapshot")
        await page.say(type="watch", nights=True)
        await page.say(type="lock")
        await page.until("locked")
        page.heard.clear()
        await notified(made, world, unit_topic(world.unit))
        await page.say(type="watch", nights=True)
        await page.say(type="join", call_id=str(uuid4()), after=0)
        await page.until("refused", code="session_locked")

    assert "nights" not in [frame["type"] for frame in page.heard]

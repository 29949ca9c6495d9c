"""A unit's word: news is written at once, a sign of life with the others, a goodbye stays."""

from datetime import timedelta
from uuid import uuid4

import pytest

from telecare.devices import store
from telecare.devices.model import UNIT_LEASE
from telecare.wire.edge import Stamp, UnitStatus

BOOT = uuid4()

SEEN = """
select u.is_online, u.seen_at, u.cameras_at, e.seen_at as endpoint_seen_at
from edge_unit u join endpoint e on e.tenant_id = u.tenant_id and e.id = u.endpoint_id
where u.id = $1
"""


@pytest.fixture
async def unit(world):
    return await world.home_unit(await world.resident("Ingrid"))


def says(at_ms: int, *, online: bool = True, camera: str = "off") -> UnitStatus:
    stamp = Stamp(boot=BOOT, monotonic_ms=at_ms)
    return UnitStatus(online=online, stamp=stamp, version="1", cameras={"room": camera})


async def stored(world, unit) -> dict:
    return (await world.rows(SEEN, unit.id))[0]


async def test_signs_of_life_are_written_together_with_the_time_they_were_heard(
    made, world, unit, clock
):
    begun = world.now
    await made.devices.status(unit, says(1))
    clock.forward(seconds=15)
    await made.devices.status(unit, says(2))
    before = await stored(world, unit)
    clock.forward(seconds=4)
    await made.devices.keep_signs_of_life()
    after = await stored(world, unit)

    heard = begun + timedelta(seconds=15)
    assert (before["seen_at"], before["cameras_at"]) == (begun, begun)
    assert (after["seen_at"], after["cameras_at"], after["endpoint_seen_at"]) == (heard,) * 3


async def test_a_camera_that_goes_on_is_news_at_once(made, world, unit, clock):
    await made.devices.status(unit, says(1))
    clock.forward(seconds=1)
    await made.devices.status(unit, says(2, camera="on"))

    assert (await stored(world, unit))["cameras_at"] == world.now


async def test_a_goodbye_is_not_taken_back_by_what_was_said_before_it(made, world, unit, clock):
    await made.devices.status(unit, says(1))
    clock.forward(seconds=15)
    await made.devices.status(unit, says(2))
    await made.devices.status(unit, says(3, online=False))
    await made.devices.keep_signs_of_life()

    assert not (await stored(world, unit))["is_online"]


async def test_after_a_silence_whoever_shows_the_unit_is_told_that_it_is_heard_again(
    made, world, unit, clock
):
    await made.devices.status(unit, says(1))

    async def heard_after(seconds):
        clock.forward(seconds=seconds)
        async with made.database.across_tenants() as db:
            return await store.mark_seen(db, {unit.id: world.now}, UNIT_LEASE)

    assert await heard_after(39) == []
    assert await heard_after(41) == [(world.unit, unit.resident_id)]
    assert (await stored(world, unit))["seen_at"] == world.now


async def test_what_was_said_before_a_restart_is_no_news_after_it(made, world, unit, clock):
    news = {"cameras": {"room": "off"}, "screen": "on", "mains": True, "battery_percent": 90,
            "path": "second"}  # fmt: skip
    await made.devices.status(unit, says(1).model_copy(update=news))
    begun = world.now
    anew = made.devices.on(made.database)
    await anew.remember_units()
    clock.forward(seconds=10)

    await anew.status(unit, says(2).model_copy(update=news))

    assert (await stored(world, unit))["seen_at"] == begun, "kept for the others"
    await anew.keep_signs_of_life()
    assert (await stored(world, unit))["seen_at"] == world.now
    await anew.status(unit, says(3).model_copy(update={**news, "mains": False}))
    rows = await world.rows("select mains from edge_unit where id = $1", unit.id)
    assert rows == [{"mains": False}]


async def test_news_that_could_not_be_stored_is_news_the_next_time(
    made, world, unit, clock, as_superuser
):
    await made.devices.status(unit, says(1))
    await as_superuser("alter table edge_unit rename to gone")
    try:
        with pytest.raises(Exception, match="edge_unit"):
            await made.devices.status(unit, says(2, camera="on"))
    finally:
        await as_superuser("alter table gone rename to edge_unit")
    clock.forward(seconds=1)
    await made.devices.status(unit, says(3, camera="on"))

    assert (await stored(world, unit))["cameras_at"] == world.now

"""What became of the last day's alarms."""

import pytest

from telecare.access.errors import NotPermitted
from telecare.access.model import Role
from telecare.alarms.recent import RecentAlarms
from tests.services.alarm_home import Home, closing_of


@pytest.fixture
async def maria(world, made):
    maria = await world.staff("Maria", role=Role.LARMMOTTAGARE, on_shift=True)
    await made.receiving.heard(maria, has_sound=True)
    return maria


@pytest.fixture
async def home(world, made):
    return Home(made, world, await world.home_unit(await world.resident("Ingrid")))


@pytest.fixture
async def closing(world, made):
    return await closing_of(world, made)


@pytest.fixture
def recent(made):
    return RecentAlarms(made.database, made.clock)


async def closed(made, maria, home, closing):
    alarm = await home.press()
    await made.alarms.take(maria, alarm)
    await made.alarms.talked(maria, alarm, "resident")
    await made.alarms.close(maria, alarm, closing)
    return alarm


async def test_whoever_begins_her_shift_reads_how_the_nights_alarms_ended(
    world, made, maria, home, closing, recent
):
    alarm = await closed(made, maria, home, closing)
    await home.press(is_test=True)
    await home.press()
    eva = await world.staff("Eva", on_shift=True)

    tested, over = sorted(await recent.listed(eva), key=lambda one: one.state == "closed")

    assert (over.id, over.resident_name, over.closed_by) == (
        alarm, "Ingrid Provsson", "Maria Ek",
    )  # fmt: skip
    assert (over.cause, over.measure, over.trigger) == (
        "Oavsiktligt larm", "Samtal", "button",
    )  # fmt: skip
    assert (tested.state, tested.closed_by) == ("tested", None)


async def test_reading_them_is_recorded_once_with_whom_they_were_about(
    world, made, maria, home, closing, recent
):
    await closed(made, maria, home, closing)

    for _ in range(2):
        await recent.listed(maria)

    [record] = [one for one in await world.records() if one["event"] == "list.read"]
    assert record["what"] == {"list": "alarms", "units": [str(world.unit)]}
    assert ["Ingrid" in person for person in record["persons"]] == [True]


async def test_a_list_with_nobody_on_it_is_no_reading(world, maria, recent):
    assert await recent.listed(maria) == []
    assert "list.read" not in await world.events()


async def test_they_are_gone_from_the_list_after_a_day_and_never_elsewhere(
    world, other_world, made, maria, home, closing, recent, clock
):
    await closed(made, maria, home, closing)
    far = await world.staff("Fia", on_shift=True, unit=world.night_unit)
    theirs = await other_world.staff("Per", on_shift=True)

    assert [await recent.listed(one) for one in (far, theirs)] == [[], []]
    clock.forward(hours=25)
    assert await recent.listed(maria) == []


async def test_whoever_gives_no_care_does_not_read_them(world, recent):
    keeper = await world.staff("Nils", role=Role.SYSTEMFORVALTARE)
    with pytest.raises(NotPermitted):
        await recent.listed(keeper)

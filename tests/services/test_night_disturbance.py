"""A declared Driftstörning: the round becomes a list to ring and drive by, nobody is left out."""

import json
from datetime import time, timedelta

import pytest

from telecare.access.errors import NotOnShift, NotPermitted
from telecare.access.model import Role
from telecare.nightchecks.agreement import Modality, Slot, Substitute
from tests.services.test_night_checks import TWO, night  # noqa: F401 - a fixture
from tests.services.test_patrol import asked_about, listed

OPENS = TWO - timedelta(minutes=30)
WHY = "Mobilnätet är nere"


@pytest.fixture
async def three(night):  # noqa: F811
    """Nils is rung first, Ingrid is not, Elsa's look comes two hours later; the window is open."""
    nils, ingrid, elsa = [await night.home(name) for name in ("Nils", "Ingrid", "Elsa")]
    await night.agreed(nils, phone_first=True)
    await night.agreed(ingrid)
    await night.agreed(elsa, slots=(Slot(time(4), Modality.CAMERA),))
    await night.at(OPENS)
    return nils, ingrid, elsa


async def states(night, residents) -> list[str]:  # noqa: F811
    return [(await night.the_check(one))["state"] for one in residents]


def disturbances(night):  # noqa: F811
    return night.world.services.disturbances


async def test_what_nobody_has_begun_goes_to_phone_first_where_agreed_else_to_a_drive(
    night, three  # noqa: F811
):  # fmt: skip
    await disturbances(night).declare(night.maria, WHY)

    assert await states(night, three) == ["phone", "dispatched", "planned"]
    assert "disturbance.declared" in await night.world.events()
    await night.at(TWO + timedelta(minutes=90))
    assert (await states(night, three))[2] == "dispatched"


async def test_when_it_is_over_what_comes_later_is_a_look_again(night, three):  # noqa: F811
    await disturbances(night).declare(night.maria, WHY)
    await disturbances(night).declare(night.maria, "Sagt en gång till")
    await disturbances(night).end(night.maria)

    await night.at(TWO + timedelta(minutes=90))

    assert (await states(night, three))[2] == "due"
    events = await night.world.events()
    assert (events.count("disturbance.declared"), events.count("disturbance.ended")) == (1, 1)


async def test_every_open_check_of_the_night_has_its_line(night, client, three):  # noqa: F811
    nils, ingrid, elsa = three
    await disturbances(night).declare(night.maria, WHY)

    found = await listed(night.world, client, night.maria)

    assert found["disturbance"]["reason"] == WHY
    assert [one["resident_name"] for one in found["to_ring"]] == [nils.name]
    assert [one["resident_name"] for one in found["jobs"]] == [ingrid.name]
    assert found["jobs"][0]["why"] == ["patrol.why.disturbance"]
    assert [one["resident_name"] for one in found["coming"]] == [elsa.name]


async def test_with_many_to_ring_and_drive_to_the_head_is_not_told_of_each_after_ten_minutes(
    night, three  # noqa: F811
):  # fmt: skip
    await disturbances(night).declare(night.maria, WHY)

    await night.at(OPENS + timedelta(minutes=20))

    assert (await states(night, three))[0] == "phone"
    assert "night_visit_late" not in await night.tasks()
    await night.at(OPENS + timedelta(minutes=50))
    assert (await states(night, three))[0] == "dispatched", "nobody rang: somebody drives"


async def test_who_has_declined_everything_but_the_camera_is_left_in_peace(night):  # noqa: F811
    ingrid = await night.home()
    await night.agreed(ingrid, substitute=Substitute.NOTHING, declined_herself=True)
    await night.at(OPENS)

    await disturbances(night).declare(night.maria, WHY)

    assert (await night.the_check(ingrid))["ended_as"] == "nothing_wanted"


async def test_only_who_leads_the_unit_or_carries_out_its_round_declares_it(night):  # noqa: F811
    anna = await night.world.staff("Anna", on_shift=True)
    lena = await night.world.staff("Lena", role=Role.NATTILLSYN)

    with pytest.raises(NotPermitted):
        await disturbances(night).declare(anna, WHY)
    with pytest.raises(NotOnShift):
        await disturbances(night).declare(lena, WHY)
    await disturbances(night).declare(night.per, WHY)


async def test_nobody_at_home_is_no_check_that_went_well_and_a_task_at_once(night, three):  # noqa: F811
    _, ingrid, _ = three
    await disturbances(night).declare(night.maria, WHY)
    dispatches = night.world.services.dispatches
    drive = await asked_about(night.world, ingrid)
    await dispatches.accept(night.maria, drive)
    await dispatches.arrive(night.maria, drive)
    await dispatches.close(night.maria, drive, "Ingen öppnade", "nobody")

    assert (await night.the_check(ingrid))["ended_as"] == "nobody_there"
    assert "nobody_there" in await night.tasks()
    done = [r for r in await night.world.records() if r["event"] == "dispatch.done"]
    assert done[-1]["what"]["found"] == "nobody"
    assert json.loads(done[-1]["text"]["what"])["outcome"] == "Ingen öppnade"

"""What was noted without network and entered afterwards: when it happened, and when it came."""

from datetime import UTC, datetime, time, timedelta

import pytest

from telecare.dispatches.noted import AHEAD, OLDEST, entered
from telecare.dispatches.service import DispatchClosed, NotYourDispatch
from telecare.nightchecks.agreement import Modality, Slot
from telecare.runtime.errors import FieldInvalid
from tests.services.test_night_checks import TWO, night  # noqa: F401 - a fixture
from tests.services.test_patrol import asked_about

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
ROW = "select arrived_at, done_at, arrived_noted_at from dispatch where tenant_id = $1 and id = $2"


@pytest.fixture
async def accepted(night):  # noqa: F811
    """Maria has said at half past one that she goes to Ingrid."""
    ingrid = await night.home()
    await night.agreed(ingrid, slots=(Slot(time(2), Modality.VISIT),))
    await night.at(TWO - timedelta(minutes=30))
    drive = await asked_about(night.world, ingrid)
    await night.world.services.dispatches.accept(night.maria, drive)
    return drive


async def test_it_stands_at_the_time_she_noted_with_the_time_it_came_in_the_record(
    night, accepted  # noqa: F811
):  # fmt: skip
    dispatches, there = night.world.services.dispatches, TWO - timedelta(minutes=10)
    night.world.services.clock.at = TWO + timedelta(hours=1)
    await dispatches.arrive(night.maria, accepted, noted_at=there)
    done = there + timedelta(minutes=20)
    await dispatches.close(night.maria, accepted, "Sov", noted_at=done)

    [row] = await night.world.rows(ROW, night.world.tenant, accepted)
    assert (row["arrived_at"], row["done_at"]) == (there, done)
    records = await night.world.records()
    last = next(one for one in records if one["event"] == "dispatch.done")
    assert last["what"]["noted_at"] == done.isoformat()


async def test_what_is_said_at_once_is_no_late_entry(night, accepted):  # noqa: F811
    now = night.world.now
    await night.world.services.dispatches.arrive(
        night.maria, accepted, noted_at=now - timedelta(seconds=3)
    )

    [row] = await night.world.rows(ROW, night.world.tenant, accepted)
    assert row["arrived_at"] == now
    said = [r for r in await night.world.records() if r["event"] == "dispatch.arrived"]
    assert "noted_at" not in said[0]["what"]


async def test_said_again_because_no_answer_came_it_is_said_once(night, accepted):  # noqa: F811
    dispatches, there = night.world.services.dispatches, night.world.now
    await dispatches.arrive(night.maria, accepted, noted_at=there)
    night.world.services.clock.at = TWO

    await dispatches.arrive(night.maria, accepted, noted_at=there)

    assert (await night.world.events()).count("dispatch.arrived") == 1
    with pytest.raises(DispatchClosed):
        await dispatches.arrive(night.maria, accepted, noted_at=there + timedelta(seconds=9))


async def test_what_came_late_is_judged_like_anything_else(night, accepted):  # noqa: F811
    lena = await night.world.staff("Lena", on_shift=True)
    with pytest.raises(NotYourDispatch):
        await night.world.services.dispatches.arrive(
            lena, accepted, noted_at=night.world.now - timedelta(minutes=2)
        )


@pytest.mark.parametrize(
    "noted_at",
    [
        NOW + AHEAD + timedelta(seconds=1),
        NOW - OLDEST - timedelta(seconds=1),
        NOW - timedelta(hours=2, seconds=1),
    ],
    ids=["ahead of its time", "of another shift", "before it was asked for"],
)
def test_a_time_that_cannot_be_is_refused(noted_at):
    with pytest.raises(FieldInvalid):
        entered(noted_at, since=NOW - timedelta(hours=2), now=NOW)

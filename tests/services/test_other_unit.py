"""A role is given in a unit: what it lets somebody do there, it lets her do nowhere else."""

from datetime import datetime, timedelta

import pytest

from telecare.access.errors import NotAssigned, NotPermitted
from telecare.access.model import Role
from telecare.people.correcting import Correcting
from telecare.visits.service import Plan
from tests.world import TOKENS


@pytest.fixture
async def ingrid(world):
    return await world.resident("Ingrid")


@pytest.fixture
async def per(world):
    """He plans, but for the night unit."""
    return await world.staff("Per", role=Role.SAMORDNARE, unit=world.night_unit)


def plan(world, resident, staff) -> Plan:
    return Plan(
        resident_id=resident.id, insats_id=world.insats, first=datetime(2026, 11, 24, 10),  # noqa: DTZ001
        minutes=10, staff_id=staff.staff.id, unit_id=None, to_do=(), to_know="", repeat=None,
    )  # fmt: skip


async def test_nobody_plans_for_a_resident_of_another_unit(world, made, ingrid, per):
    """A plan is an assignment: with it he would see her card and could ring her."""
    with pytest.raises(NotPermitted):
        await made.visits.plan(per, plan(world, ingrid, per))
    with pytest.raises(NotPermitted):
        await made.visits.not_for(per, ingrid.id)

    assert not await world.rows("select 1 from assignment where resident_id = $1", ingrid.id)


async def test_nobody_moves_cancels_or_hands_over_another_units_visit(world, made, ingrid, per):
    anna = await world.staff("Anna")
    visit = await world.visit(anna, ingrid, minutes=60)

    for tried in (
        made.visits.move(per, visit, world.now + timedelta(hours=3)),
        made.visits.cancel(per, visit, "Frisk"),
        made.visits.hand_over(per, visit, per.staff.id),
        made.visits.not_to(per, visit),
    ):
        with pytest.raises(NotPermitted):
            await tried

    rows = await world.rows("select state, staff_id from visit where id = $1", visit)
    assert (rows[0]["state"], rows[0]["staff_id"]) == ("planned", anna.staff.id)
    eva = await world.staff("Eva", role=Role.SAMORDNARE)
    await made.visits.move(eva, visit, world.now + timedelta(hours=3))


async def test_nobody_corrects_what_was_written_in_another_unit(world, made, ingrid, per):
    anna = await world.staff("Anna", assigned=(ingrid,), on_shift=True)
    visit = await world.visit(anna, ingrid)
    await world.rows("update visit set note = 'Fel person' where id = $1", visit)
    change = Correcting(
        kind="visit_note", about_id=visit, old_text="Fel person", why="Fel", new_text="",
        right_resident_id=None,
    )  # fmt: skip

    with pytest.raises(NotAssigned):
        await made.corrections.correct(per, change)


async def test_a_head_sees_who_took_over_in_her_own_unit_only(world, made):
    eva = await world.staff("Eva", role=Role.ENHETSCHEF)
    assert list(await made.people.taken_over(eva)) == []

    await world.rows("update staff set unit_id = $2 where id = $1", eva.staff.id, world.night_unit)
    elsewhere = await world.services.access.session(TOKENS[eva.id])

    with pytest.raises(NotPermitted):
        await made.people.taken_over(elsewhere)

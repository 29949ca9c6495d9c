"""Own relations: planning avoids them, opening asks why, a call for help is never hindered."""

import json
from datetime import datetime

import pytest

from telecare.access.errors import NotPermitted
from telecare.access.model import Role
from telecare.app import ROUTES
from telecare.people.own_relation import OwnRelation, ReasonNeeded
from telecare.runtime.errors import NotFound
from telecare.shifts.service import Ask
from telecare.visits.service import Plan

CARD = next(
    route for route in ROUTES if (route.method, route.path) == ("GET", "/api/residents/{id}")
)
WHY = "Hon har ramlat och ingen annan är här"


@pytest.fixture
async def ingrid(world):
    return await world.resident("Ingrid")


@pytest.fixture
async def maria(world, made, ingrid):
    """Ingrid's neighbour, on shift, assigned to her."""
    await world.tv(ingrid)
    maria = await world.staff("Maria", on_shift=True, assigned=(ingrid,))
    await made.relations.state(maria, ingrid.id, "neighbour", "Samma trappa")
    return maria


async def card(client, session, resident):
    return await client.ask(CARD, session=session, path=f"/api/residents/{resident.id}")


async def test_what_she_states_is_recorded_and_hers_alone(world, made, ingrid, maria):
    anna = await world.staff("Anna")

    [stated] = await made.relations.mine(maria)

    assert (stated.name, stated.kind, stated.note) == (ingrid.name, "neighbour", "Samma trappa")
    assert await made.relations.mine(anna) == []
    with pytest.raises(NotFound):
        await made.relations.remove(anna, stated.id)
    await made.relations.remove(maria, stated.id)
    assert await made.relations.mine(maria) == []
    assert (await world.events())[-1] == "relation.removed"
    assert await made.calls.ring(maria, ingrid.id)


async def test_said_anew_it_is_changed_not_doubled(made, ingrid, maria):
    await made.relations.state(maria, ingrid.id, "relative", "")

    assert [one.kind for one in await made.relations.mine(maria)] == ["relative"]


async def test_the_card_opens_when_she_has_said_why_and_the_reason_stands_in_the_record(
    client, world, made, ingrid, maria
):
    status, text, _ = await card(client, maria, ingrid)
    assert (status, '"code": "reason_needed"' in text, ingrid.address in text) == (409, True, False)
    refusal = (await world.records())[-1]
    assert (refusal["event"], refusal["what"]["relation"]) == ("action.refused", "neighbour")

    await made.relations.give_reason(maria, ingrid.id, WHY)
    status, _, _ = await card(client, maria, ingrid)

    assert status == 200
    read = (await world.records())[-1]
    assert (read["event"], read["what"]) == (
        "card.read",
        {"reason": WHY, "relation": "neighbour"},
    )


async def test_ringing_and_taking_over_ask_why_too(world, made, ingrid, maria):
    for attempt in (made.calls.ring, made.people.take_over):
        with pytest.raises(ReasonNeeded):
            await attempt(maria, ingrid.id)
    await made.relations.give_reason(maria, ingrid.id, WHY)

    await made.people.take_over(maria, ingrid.id)
    await made.calls.ring(maria, ingrid.id)

    rung = next(r for r in await world.records() if r["event"] == "call.rung")
    assert (rung["what"]["reason"], rung["what"]["relation"]) == (WHY, "neighbour")


async def test_the_reason_holds_for_a_quarter_of_an_hour(made, ingrid, maria, clock):
    await made.relations.give_reason(maria, ingrid.id, WHY)
    clock.forward(minutes=14)
    await made.people.take_over(maria, ingrid.id)
    clock.forward(minutes=1)

    with pytest.raises(ReasonNeeded):
        await made.people.take_over(maria, ingrid.id)


@pytest.mark.parametrize("says_yes", [True, False])
async def test_a_call_for_help_is_taken_without_a_reason_and_names_the_relation(
    world, made, says_yes
):
    aino = await world.resident("Aino", says_yes=says_yes)
    maria = await world.staff("Maria", on_shift=True)
    await made.relations.state(maria, aino.id, "neighbour", "")
    tv = await world.tv(aino)
    call = await made.calls.call_in(tv)

    await made.calls.take(maria, call)

    opened = next(r for r in await world.records() if r["event"] == "call.opened")
    assert opened["basis"]["relation"] == "neighbour"


async def test_planning_and_handing_over_a_visit_to_her_are_refused(world, made, ingrid, maria):
    planner = await world.staff("Per", role=Role.SAMORDNARE)
    anna = await world.staff("Anna")
    visit = await world.visit(anna, ingrid)
    plan = Plan(
        resident_id=ingrid.id, insats_id=world.insats, first=datetime(2026, 11, 24, 10),  # noqa: DTZ001
        minutes=10, staff_id=maria.staff.id, unit_id=None, to_do=(), to_know="", repeat=None,
    )  # fmt: skip

    with pytest.raises(OwnRelation):
        await made.visits.plan(planner, plan)
    with pytest.raises(OwnRelation):
        await made.visits.hand_over(planner, visit, maria.staff.id)


async def test_whoever_may_hand_a_visit_over_is_told_whom_not_to_choose(
    client, world, made, ingrid, maria
):
    planner = await world.staff("Per", role=Role.SAMORDNARE)
    anna, berit = await world.staff("Anna"), await world.staff("Berit")
    visit = await world.visit(anna, ingrid, minutes=600)

    for session in (anna, planner):
        _, text = await client.look(f"/api/visits/{visit}/hand-over", session)
        assert json.loads(text) == {"not_to": [str(maria.staff.id)]}
    with pytest.raises(NotPermitted):
        await made.visits.not_to(berit, visit)
    [stated] = await made.relations.mine(maria)
    await made.relations.remove(maria, stated.id)
    assert await made.visits.not_to(anna, visit) == frozenset()


async def test_whoever_plans_is_told_whom_not_to_choose(client, world, made, ingrid, maria):
    planner = await world.staff("Per", role=Role.SAMORDNARE)

    _, text = await client.look(f"/api/residents/{ingrid.id}/not-for", planner)

    assert json.loads(text) == {"not_to": [str(maria.staff.id)]}


async def test_she_is_not_asked_by_name_to_take_something_over_but_may_offer(
    world, made, ingrid, maria
):
    anna = await world.staff("Anna", on_shift=True)
    task = await world.call_back(ingrid)
    with pytest.raises(ReasonNeeded):
        await made.people.take_follow_up(maria, task)
    await made.people.take_follow_up(anna, task)

    [thing] = (await made.shifts.held_open(anna)).things
    assert thing.not_to == {maria.staff.id}
    with pytest.raises(OwnRelation):
        await made.shifts.ask(anna, Ask("follow_up", task, maria.staff.id, None))
    one = await made.shifts.ask(anna, Ask("follow_up", task, None, world.unit))
    with pytest.raises(ReasonNeeded):
        await made.shifts.accept(maria, one)
    await made.relations.give_reason(maria, ingrid.id, WHY)
    await made.shifts.accept(maria, one)

    accepted = next(r for r in await world.records() if r["event"] == "hand_over.accepted")
    assert (accepted["what"]["reason"], accepted["what"]["relation"]) == (WHY, "neighbour")


async def test_the_card_suggests_others(client, world, made, ingrid, maria):
    anna = await world.staff("Anna", assigned=(ingrid,))

    _, text, _ = await card(client, anna, ingrid)

    read = json.loads(text)
    assert {one["id"] for one in read["callers"]} == {str(anna.staff.id)}


async def test_a_reason_without_a_relation_is_about_nothing(world, made, ingrid):
    with pytest.raises(NotFound):
        await made.relations.give_reason(await world.staff("Anna"), ingrid.id, WHY)


@pytest.mark.parametrize("language", ["sv", "fi", "en"])
async def test_the_page_works_by_forms_alone(client, world, made, ingrid, language):
    maria = await world.staff("Maria")
    await world.rows("update staff set language = $2 where id = $1", maria.staff.id, language)

    status, page, _ = await client.send("/me/relations/search", maria, q="ingr")
    assert (status, str(ingrid.id) in page) == (200, True)
    assert (await world.records())[-1]["event"] == "residents.searched"
    status, _, location = await client.send(
        "/me/relations", maria, resident_id=str(ingrid.id), kind="relative", note="Moster"
    )
    assert (status, location) == (303, "/me/relations")
    _, page = await client.look("/me/relations", maria)
    assert "Moster" in page
    [stated] = await made.relations.mine(maria)
    status, _, _ = await client.send(f"/me/relations/{stated.id}/remove", maria)

    assert status == 303
    assert await made.relations.mine(maria) == []
    assert (await client.send("/me/relations/search", maria, q="i"))[0] == 422

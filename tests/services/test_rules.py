"""Lists, policies and information texts: dated, decided, never changed behind anybody's back."""

import json
from dataclasses import replace
from datetime import date, timedelta

import pytest

from telecare.access.errors import NameTaken, NotPermitted
from telecare.access.model import Role
from telecare.calls.model import POLICIES
from telecare.consent import rules, store
from telecare.consent.gate import ObjectionPauses
from telecare.consent.model import Purpose
from telecare.consent.rules import PolicyTooSoon


@pytest.fixture
async def eva(world):
    return await world.staff("Eva", role=Role.ENHETSCHEF)


async def shipped(world):
    async with world.begun() as db:
        return await store.policy(db, Purpose.VIDEO_VISIT, world.now)


def test_no_call_lasts_as_long_as_a_rule_is_announced():
    assert max(policy.longest for policy in POLICIES.values()) < rules.AHEAD


async def test_a_rule_holds_from_its_midnight_and_the_one_before_is_kept(world, made, eva, clock):
    ingrid = await world.resident("Ingrid")
    maria = await world.staff(assigned=(ingrid,))
    await world.tv(ingrid)
    await made.consents.object_to(
        maria, ingrid.id, Purpose.VIDEO_VISIT, by_kind="relative", by_name="Sonen", body="Nej",
    )  # fmt: skip
    stricter = replace(await shipped(world), objection_pauses=True)
    await made.rules.set_policy(
        eva, stricter, first_day=world.now.date() + timedelta(days=1), decision="ÄN 2026-1"
    )
    await made.calls.hang_up(maria, await made.calls.ring(maria, ingrid.id))

    clock.forward(hours=13, minutes=59)
    await world.assign(maria.staff.id, ingrid)
    call = await made.calls.ring(maria, ingrid.id)
    await made.calls.hang_up(maria, call)
    clock.forward(minutes=1)
    with pytest.raises(ObjectionPauses):
        await made.calls.ring(maria, ingrid.id)

    book = await made.rules.book(eva)
    of_visits = [d for d in book.policies if d.policy.purpose is Purpose.VIDEO_VISIT]
    assert [(d.decision, d.valid_until is None) for d in of_visits] == [
        ("ÄN 2026-1", True), ("", False),
    ]  # fmt: skip
    events = await world.events()
    assert events.count("policy.set") == len(Purpose) + 1
    assert events.count("policy.ended") == 1


async def test_a_rule_that_was_to_begin_is_followed_by_the_next_decision(world, made, eva):
    policy = await shipped(world)
    for days, decision in ((30, "ÄN 1"), (10, "ÄN 2")):
        first_day = world.now.date() + timedelta(days=days)
        await made.rules.set_policy(eva, policy, first_day=first_day, decision=decision)

    async with world.begun() as db:
        later = world.now + timedelta(days=40)
        in_force = await store.policy(db, Purpose.VIDEO_VISIT, later)
    book = await made.rules.book(eva)
    assert {d.decision for d in book.policies if d.policy.id == in_force.id} == {"ÄN 2"}


async def test_a_rule_cannot_begin_while_a_call_could_run_under_the_old_one(world, made, eva):
    for day in (world.now.date(), date(2026, 11, 22)):
        with pytest.raises(PolicyTooSoon):
            await made.rules.set_policy(
                eva, await shipped(world), first_day=day, decision="ÄN 2026-1"
            )


async def test_a_text_is_published_in_a_new_version_and_old_consents_keep_theirs(world, made, eva):
    ingrid = await world.resident("Ingrid")
    await made.rules.publish(
        eva, Purpose.VIDEO_VISIT, {"sv": "Ny text", "fi": "Uusi teksti", "en": "New text"}
    )

    book = await made.rules.book(eva)
    newest = next(i for i in book.information if i.purpose is Purpose.VIDEO_VISIT)
    assert (newest.version, newest.bodies["fi"]) == (2, "Uusi teksti")
    kept = await world.rows(
        "select information_version from consent where resident_id = $1", ingrid.id
    )
    assert [row["information_version"] for row in kept] == [1]
    assert (await world.records())[-1]["what"]["texts"]["sv"] == "Ny text"


async def test_lists_hold_a_word_once_and_planned_visits_keep_theirs(world, made, eva):
    ingrid = await world.resident("Ingrid")
    maria = await world.staff(assigned=(ingrid,))
    visit = await world.visit(maria, ingrid)
    with pytest.raises(NameTaken):
        await made.insatser.add(eva, name="tillsyn", minutes=10, step_after_min=10)
    await made.lists.add(eva, "cause", "Fall")
    with pytest.raises(NameTaken):
        await made.lists.add(eva, "cause", "FALL")
    await made.lists.add(eva, "measure", "Fall")

    await made.insatser.end(eva, world.insats)
    await made.insatser.add(eva, name="Tillsyn", minutes=20, step_after_min=10)

    assert [(i.name, i.minutes) for i in await made.insatser.listed(eva)] == [("Tillsyn", 20)]
    detail = await made.visits.detail(maria, visit)
    assert detail.insats.minutes == 10
    items = await made.lists.items(eva)
    for item in items:
        await made.lists.end(eva, item.id)
    assert await made.lists.items(eva) == []
    assert (await world.events())[-1] == "list.changed"


async def test_staff_choose_from_the_outcomes_that_are_not_ended(
    client, world, other_world, made, eva
):
    maria = await world.staff()
    await made.lists.add(await other_world.staff(role=Role.ENHETSCHEF), "outcome", "Deras")
    await made.lists.add(eva, "cause", "Fall")
    for name in ("Till sjukhus", "Borttaget", "Hjälp upp"):
        await made.lists.add(eva, "outcome", name)
    ended = next(one for one in await made.lists.items(eva) if one.name == "Borttaget")
    await made.lists.end(eva, ended.id)

    _, me = await client.look("/api/me", maria)

    assert [one["name"] for one in json.loads(me)["outcomes"]] == ["Hjälp upp", "Till sjukhus"]


async def test_only_those_who_configure_change_rules_and_lists(world, made):
    maria = await world.staff()
    policy = await shipped(world)
    for use in (
        made.rules.set_policy(maria, policy, first_day=date(2027, 1, 1), decision="ÄN 1"),
        made.rules.publish(maria, Purpose.VIDEO_VISIT, {"sv": "x", "fi": "x", "en": "x"}),
        made.lists.add(maria, "cause", "Fall"),
        made.insatser.add(maria, name="Nytt", minutes=5, step_after_min=5),
    ):
        with pytest.raises(NotPermitted):
            await use


async def test_the_pages_of_rules_say_what_holds_and_what_was_wrong(client, world, eva):
    fields = {
        "purpose": "video_visit", "first_day": "2027-01-01", "decision": "ÄN 2026-7",
        "parties": ["resident", "cohabitant"], "yes_comes_by": ["in_person", "paper"],
        "review_months": "6", "board": "Vårdnämnden", "law": "LSS",
    }  # fmt: skip

    none = await client.send("/admin/rules/policies", eva, **{**fields, "parties": []})
    soon = await client.send("/admin/rules/policies", eva, **{**fields, "first_day": "2026-11-23"})
    good = await client.send("/admin/rules/policies", eva, **fields)
    short = await client.send("/admin/rules/texts", eva, purpose="video_visit", sv="x", fi="y",
                              en="z")  # fmt: skip

    assert (none[0], soon[0], good[0], short[0]) == (422, 422, 303, 422)
    assert "minst fyra timmar fram" in soon[1]
    assert 'value="Vårdnämnden"' in soon[1]
    _, page = await client.look("/admin/rules", eva)
    assert "Gäller från 2027-01-01 00:00" in page
    assert "Vårdnämnden, LSS" in page
    _, lists = await client.look("/admin/lists", eva)
    assert "till andra efter 10 minuter" in lists
    again = await client.send("/admin/lists/insatser", eva, name="Tillsyn", minutes="10")
    assert again[0] == 409
    assert "Det namnet finns redan" in again[1]
    kept = await client.send("/admin/lists/items", eva, list="cause", name="Fall")
    assert kept[2] == "/admin/lists?done=added"

"""Skyddade personuppgifter: found by those assigned, addressed on a mission, named in no list."""

import json
from dataclasses import replace

import pytest

from telecare.access.errors import NotAssigned, NotPermitted
from telecare.access.model import Role
from telecare.calls import store as call_store
from telecare.people.keeping import Details
from telecare.web.board_rows import unit_rows
from telecare.web.frames import call_frame, home_frame
from tests.world import TOKENS

NAME, GIVEN, STREET, PHONE = "Zorana Kanarek", "Zorana", "Hemliga backen 7", "070-7654321"
SECRETS = (NAME, GIVEN, "Kanarek", STREET, PHONE)


@pytest.fixture
async def per(world):
    return await world.staff("Per", role=Role.SAMORDNARE, on_shift=True)


@pytest.fixture
def details(world):
    return Details(
        name=NAME, given_name=GIVEN, unit_id=world.unit, language="sv", address=STREET,
        phone=PHONE, hearing="good", to_know=(), priority=2, is_protected=True, national_id=None,
    )  # fmt: skip


@pytest.fixture
async def zorana(world, made, per, details):
    resident_id = await made.keeping.register(per, details)
    async with world.begun() as db:
        from telecare.people.store import resident  # noqa: PLC0415

        return await resident(db, resident_id)


def told(text):
    return [secret for secret in SECRETS if secret in text]


async def board(world):
    async with world.begun() as db:
        rows = await unit_rows(db, world.unit, world.now)
    return [row.model_dump_json() for row in rows if row.row != "receivers"]


async def test_only_those_assigned_find_her(world, made, per, zorana):
    maria = await world.staff("Maria", assigned=(zorana,))

    found = await made.people.search(maria, "zor", after=None, limit=10)
    stranger = await made.people.search(per, "zor", after=None, limit=10)

    assert [f.name for f in found] == [NAME]
    assert stranger == []


async def test_no_list_names_her_and_the_list_goes_on_working(world, made, per, zorana):
    maria = await world.staff("Maria", assigned=(zorana,), on_shift=True)
    await world.visit(maria, zorana)
    tv = await world.tv(zorana)
    call = await made.calls.call_in(tv)
    rows = await board(world)

    assert len(rows) == 2
    assert [told(row) for row in rows] == [[], []]
    await made.calls.take(maria, call)
    await made.calls.hang_up(maria, call)
    listed = await made.keeping.listed(per)
    assert [(one.name, one.is_protected) for one in listed] == [("", True)]


async def test_her_address_is_told_on_an_accepted_mission_only(client, world, made, zorana):
    maria = await world.staff("Maria", assigned=(zorana,), on_shift=True)
    await world.tv(zorana)
    await world.yes(zorana)
    visit = await world.visit(maria, zorana)

    async def card():
        return (await client.look(f"/api/residents/{zorana.id}", maria))[1]

    before = await card()
    await made.calls.hang_up(maria, await made.visits.ring(maria, visit))
    await made.visits.take_step(maria, visit, "home_visit", at=None, note="")
    asked = await world.rows("select id from dispatch where resident_id = $1", zorana.id)
    await made.dispatches.accept(maria, asked[0]["id"])
    on_mission = await card()
    await made.dispatches.arrive(maria, asked[0]["id"])
    await made.dispatches.close(maria, asked[0]["id"], "Klart")
    after = await card()

    assert told(before) == [NAME, GIVEN, "Kanarek"]
    assert told(on_mission) == list(SECRETS)
    assert told(after) == [NAME, GIVEN, "Kanarek"]


async def test_who_keeps_the_register_keeps_hers_while_assigned_and_sees_no_address(
    client, world, made, per, details, zorana
):
    with pytest.raises(NotAssigned):
        await made.keeping.card(per, zorana.id)
    path = f"/admin/people/{zorana.id}"
    assert (await client.look(path, per))[0] == 403
    assert (await client.send(f"{path}/take-over", per))[0] == 303

    status, page = await client.look(path, per)
    kept = {"address": "", "phone": "", "national_id": None}
    await made.keeping.change(per, zorana.id, replace(details, **kept, priority=1))

    assert (status, told(page)) == (200, [NAME, GIVEN, "Kanarek"])
    stored = await world.rows("select address, phone from resident where id = $1", zorana.id)
    assert stored == [{"address": STREET, "phone": PHONE}]


async def test_only_a_head_lifts_the_protection(world, made, per, details, zorana):
    await made.people.take_over(per, zorana.id)
    lifted = replace(details, is_protected=False, address="", phone="")

    with pytest.raises(NotPermitted):
        await made.keeping.change(per, zorana.id, lifted)
    eva = await world.staff("Eva", role=Role.ENHETSCHEF, on_shift=True)
    await made.people.take_over(eva, zorana.id)
    await made.keeping.change(eva, zorana.id, lifted)

    assert len(await made.people.search(per, "zor", after=None, limit=10)) == 1


async def test_each_record_has_her_id_alone_and_is_marked_for_review(world, made, per, zorana):
    maria = await world.staff("Maria", assigned=(zorana,), on_shift=True)
    tv = await world.tv(zorana)
    await made.people.search(maria, "", after=None, limit=10)
    await made.calls.take(maria, await made.calls.call_in(tv))
    with pytest.raises(NotAssigned):
        await made.calls.ring(per, zorana.id)

    records = [
        r for r in await world.records()
        if any(p["id"] == str(zorana.id) for p in r["subject"]["persons"])
    ]  # fmt: skip

    assert len(records) > 6
    by_trigger = {"assignment.begun", "assignment.changed", "consent.given"}
    for record in records:
        assert told(json.dumps(record["text"], ensure_ascii=False)) == [], record["event"]
        if record["event"] not in by_trigger:
            assert record["what"]["review"] == "protected_identity", record["event"]


async def test_nothing_that_is_said_to_others_names_her(client, world, made, per, zorana):
    """Every route that answers with a page or JSON, asked by somebody who is not assigned."""
    from telecare.app import ROUTES  # noqa: PLC0415
    from tests.services.conftest import filled  # noqa: PLC0415

    maria = await world.staff("Maria", assigned=(zorana,), on_shift=True)
    visit = await world.visit(maria, zorana)
    await world.tv(zorana)
    ingrid = await world.resident("Ingrid")
    eva = await world.staff("Eva", role=Role.ENHETSCHEF, on_shift=True)
    tv = await world.tv(ingrid)

    for route in ROUTES:
        if route.kind not in ("json", "page") or route.who == "public":
            continue
        session = tv if route.who == "screen" else eva
        thing = visit if "/visits/" in route.path else zorana.id
        if route.path in {"/admin/people/{id}/take-over", "/api/residents/{id}/take-over"}:
            continue
        _, text, _ = await client.ask(route, session=session, path=filled(route.path, thing))
        assert told(text) == [], route.path


async def test_staff_with_protected_identity_appear_by_their_role(world, made):
    ingrid = await world.resident("Ingrid")
    hidden = await world.staff("Zorana", assigned=(ingrid,), on_shift=True)
    await world.rows(
        "update staff set name = $2, is_protected = true where id = $1", hidden.staff.id, NAME
    )
    hidden = await made.access.still(TOKENS[hidden.id])
    maria = await world.staff("Maria", assigned=(ingrid,))
    tv = await world.tv(ingrid)
    await world.visit(hidden, ingrid)
    before = len(await world.events())
    call_id = await made.calls.ring(hidden, ingrid.id)

    async with world.begun() as db:
        view = await call_store.view(db, call_id)
        frame = call_frame(view, tv, page=None, turn=None)
        home = await home_frame(db, tv, version=1, now=world.now)
    colleagues = await made.access.colleagues(maria)
    rows = await board(world)
    records = (await world.records())[before:]

    assert (frame.staff_name, frame.staff_given_name) == (None, None)
    assert told(home.model_dump_json()) == []
    assert [c.name for c in colleagues if c.id == hidden.staff.id] == [""]
    assert [told(row) for row in rows] == [[]]
    assert [r["actor"]["name"] for r in records] == [""]
    assert [r["actor"]["roles"] for r in records] == [["omsorgspersonal"]]

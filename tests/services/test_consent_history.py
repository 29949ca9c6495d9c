"""Consents as they were known at a moment, and who could have seen her then."""

from dataclasses import replace
from datetime import time, timedelta

import pytest

from telecare.access import store as access_store
from telecare.access.model import Role
from telecare.consent import store as consent_store
from telecare.consent.model import Purpose
from telecare.consent.store import Documentation
from telecare.wire.ids import ConsentId, new_row_id

HOW = Documentation(present="Eva", will_shown="spoken", ability="clear")


@pytest.fixture
async def lena(world):
    return await world.staff("Lena", role=Role.GRANSKARE)


@pytest.fixture
def at(made, lena):
    async def look(resident, moment, known="then"):
        return await made.consent_history.at(lena, resident.id, moment, known)

    return look


def states(history) -> list[tuple[str, str]]:
    return [(str(one.stated.consent.purpose), one.state) for one in history.shown]


async def take_back(world, made, resident):
    consents = await world.rows("select id from consent where resident_id = $1", resident.id)
    maria = await world.staff("Maria")
    await made.consents.withdraw(maria, consents[0]["id"], "resident")


async def test_what_was_said_later_is_hidden_also_a_withdrawal(world, made, clock, at):
    ingrid = await world.resident("Ingrid")
    clock.forward(days=1)
    moment = clock.now()
    clock.forward(days=1)
    await take_back(world, made, ingrid)

    then, now, after = (
        await at(ingrid, moment),
        await at(ingrid, moment, "now"),
        await at(ingrid, clock.now()),
    )

    assert states(then) == [("video_visit", "in_force")]
    assert states(now) == [("video_visit", "in_force")]
    assert (then.corrected, now.corrected) == ((), [])
    assert states(after) == [("video_visit", "withdrawn")]


async def test_a_correction_shows_what_was_believed_then(world, clock, at):
    ingrid = await world.resident("Ingrid")
    clock.forward(days=2)
    moment = clock.now()
    clock.forward(days=1)
    async with world.begun() as db:
        given = (await consent_store.newest(db, ingrid.id, Purpose.VIDEO_VISIT))[0]
        right = replace(
            given, id=ConsentId(new_row_id(clock.now())), recorded_at=clock.now(),
            valid_until=moment - timedelta(days=1),
        )  # fmt: skip
        await consent_store.add(db, ingrid.id, right, HOW)

    then, now = await at(ingrid, moment), await at(ingrid, moment, "now")

    assert states(then) == [("video_visit", "in_force")]
    assert then.corrected == ()
    assert states(now) == [("video_visit", "expired")]
    assert [(one.then.state, one.now.state) for one in now.corrected] == [("in_force", "expired")]


async def test_before_anything_was_said_nothing_was_known(world, clock, at):
    ingrid = await world.resident("Ingrid")

    history = await at(ingrid, clock.now() - timedelta(days=1))

    assert states(history) == []


async def test_outside_its_hours_a_yes_was_not_in_force(world, clock, at):
    ingrid = await world.resident("Ingrid", says_yes=False)
    await world.yes(ingrid, hours=(time(20), time(21)))

    assert states(await at(ingrid, clock.now())) == [("video_visit", "hours")]


async def test_a_yes_for_later_shut_the_gate_as_soon_as_it_was_known(world, clock, at):
    ingrid = await world.resident("Ingrid")
    clock.forward(hours=1)
    async with world.begun() as db:
        given = (await consent_store.newest(db, ingrid.id, Purpose.VIDEO_VISIT))[0]
        later = replace(
            given, id=ConsentId(new_row_id(clock.now())), recorded_at=clock.now(),
            valid_from=clock.now() + timedelta(days=7),
        )  # fmt: skip
        await consent_store.add(db, ingrid.id, later, HOW)
    clock.forward(hours=1)

    assert states(await at(ingrid, clock.now())) == [("video_visit", "not_yet")]


async def test_who_could_have_seen_her_then(world, clock, at):
    ingrid = await world.resident("Ingrid")
    maria = await world.staff("Maria")
    source = await world.assign(maria.staff.id, ingrid)
    clock.forward(hours=2)
    moment = clock.now()
    kirsi = await world.staff("Kirsi")
    elsewhere = await world.staff("Nils", unit=world.night_unit)
    async with world.begun() as db:
        until = moment - timedelta(hours=1)
        await access_store.close_assignments(db, "visit", source, until)

    with_her = await at(ingrid, moment - timedelta(hours=2))
    without = await at(ingrid, moment)

    assert [one.staff_id for one in with_her.assigned] == [maria.staff.id]
    assert with_her.in_unit == []
    assert without.assigned == []
    assert {one.staff_id for one in without.in_unit} == {maria.staff.id, kirsi.staff.id}
    assert elsewhere.staff.id not in {one.staff_id for one in without.in_unit}


async def test_each_consent_leads_to_its_record_and_the_look_is_recorded(
    world, client, lena, clock
):
    ingrid = await world.resident("Ingrid")
    given = next(r for r in await world.records() if r["event"] == "consent.given")

    status, page = await client.look(
        f"/audit/consents?resident={ingrid.id}&at=2026-11-23T10:30&known=now", lena
    )
    last = (await world.records())[-1]

    assert status == 200
    assert f'href="/audit/records/{given["entry_id"]}"' in page
    assert "Videosamtal på teven, tills vidare." in page
    assert last["event"] == "log.consents_read"
    assert last["what"] == {"asked_at": "2026-11-23T09:30:00+00:00", "known": "now"}
    assert [p["id"] for p in last["subject"]["persons"]] == [str(ingrid.id)]


async def test_without_a_person_the_page_says_where_to_find_her(client, lena):
    status, page = await client.look("/audit/consents", lena)

    assert status == 200
    assert 'data-test="resident"' in page

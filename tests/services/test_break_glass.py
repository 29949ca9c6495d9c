""" "Öppna ändå": what remains in an emergency without an assignment, and what it never gives."""

import asyncio
from dataclasses import replace
from datetime import time, timedelta

import asyncpg
import pytest

from telecare.absences.service import Report
from telecare.access.errors import NotAssigned, NotPermitted
from telecare.access.model import Role
from telecare.consent.gate import EmergencyExcluded
from telecare.consent.model import Purpose
from telecare.people import http as people_http
from telecare.people.break_glass import AlreadyAssigned, TakeOverInstead
from telecare.people.correcting import Correcting
from telecare.people.service import ResidentGone
from telecare.runtime.errors import NotFound
from telecare.web import card
from tests.world import YES

CARD = card.ROUTES[0]
WHY = "Hon svarar inte, och dörren står öppen."


@pytest.fixture
async def ingrid(world):
    resident = await world.resident("Ingrid")
    await world.tv(resident)
    return resident


@pytest.fixture
async def per(world):
    """He works, but at night in another unit."""
    return await world.staff("Per", unit=world.night_unit, on_shift=True)


@pytest.fixture
def opened(made, ingrid):
    async def open_(session, lasts=timedelta(minutes=30)):
        return await made.break_glass.open(session, ingrid.id, "no_answer_twice", WHY, lasts)

    return open_


async def card_of(client, resident, session):
    status, _, _ = await client.ask(CARD, session=session, path=f"/api/residents/{resident.id}")
    return status


async def test_whoever_opens_sees_the_card_for_half_an_hour(client, clock, ingrid, per, opened):
    assert await card_of(client, ingrid, per) == 403

    await opened(per)
    assert await card_of(client, ingrid, per) == 200
    clock.forward(minutes=29, seconds=59)
    assert await card_of(client, ingrid, per) == 200
    clock.forward(seconds=1)

    assert await card_of(client, ingrid, per) == 403


async def test_it_is_recorded_with_its_reason_and_stands_in_her_own_log(world, ingrid, per, opened):
    opening = await opened(per)

    record = next(r for r in await world.records() if r["event"] == "break_glass.opened")
    assert record["what"]["reason"] == WHY
    assert record["what"]["kind"] == "no_answer_twice"
    assert record["what"]["until"] == opening.until_at.isoformat()
    assert record["actor"]["id"] == str(per.staff.id)
    assert [p["id"] for p in record["subject"]["persons"]] == [str(ingrid.id)]


async def test_no_longer_than_the_limit_is_given(clock, per, opened):
    opening = await opened(per, timedelta(hours=3))

    assert opening.until_at == clock.now() + timedelta(minutes=30)


async def test_the_head_of_her_unit_is_told_at_once_and_only_a_head_closes_it(
    world, made, ingrid, per, opened
):
    await opened(per)
    eva = await world.staff("Eva", role=Role.ENHETSCHEF, on_shift=True)
    maria = await world.staff("Maria", on_shift=True)

    listed = await made.people.taken_over(eva)
    task = (await world.rows("select id, unit_id, kind from follow_up"
                             " where tenant_id = $1", world.tenant))[0]  # fmt: skip
    assert [(one.staff_name, one.kind, one.reason) for one in listed] == [
        ("Per Ek", "no_answer_twice", WHY)
    ]
    assert (task["kind"], task["unit_id"]) == ("break_glass", world.unit)
    for session in (maria, per):
        with pytest.raises(NotPermitted):
            await made.people.close_follow_up(session, task["id"], "Läst")
        with pytest.raises(NotPermitted):
            await made.people.take_follow_up(session, task["id"])
    await made.people.close_follow_up(eva, task["id"], "Jag har talat med Per.")


async def test_a_mission_goes_before_it(world, made, ingrid):
    maria = await world.staff("Maria", assigned=(ingrid,))

    with pytest.raises(AlreadyAssigned):
        await made.break_glass.open(maria, ingrid.id, "other", WHY)

    assert not await world.rows("select 1 from break_glass where tenant_id = $1", world.tenant)


async def test_taking_over_goes_before_it(world, made, ingrid):
    maria = await world.staff("Maria", on_shift=True)

    with pytest.raises(TakeOverInstead):
        await made.break_glass.open(maria, ingrid.id, "other", WHY)

    assert not await world.rows("select 1 from assignment where tenant_id = $1", world.tenant)


async def test_it_never_replaces_a_consent(world, made, ingrid, per, opened):
    """Her yes was to those who have a mission with her."""
    await opened(per)

    with pytest.raises(EmergencyExcluded):
        await made.calls.ring(per, ingrid.id)

    assert not await world.rows("select 1 from call where tenant_id = $1", world.tenant)


async def test_nobody_takes_down_a_yes_for_herself_by_opening(world, made, ingrid, per, opened):
    """Else she could write the very consent that the opening does not give."""
    await opened(per)
    before = await world.rows("select id from consent where tenant_id = $1", world.tenant)

    with pytest.raises(NotAssigned):
        await made.consents.record(per, ingrid.id, replace(YES, emergency_allowed=True))

    assert await world.rows("select id from consent where tenant_id = $1", world.tenant) == before


async def test_an_opening_alone_changes_nothing_about_her(world, made, ingrid, per, opened):
    """Absence, screens, units and the register need a mission; he may see the card, and ring."""
    planner = await world.staff("Kim", role=Role.SAMORDNARE, unit=world.night_unit)
    maria = await world.staff("Maria", assigned=(ingrid,))
    await world.rows("update resident set is_protected = true where id = $1", ingrid.id)
    before = len(await world.records())
    for session in (per, planner):
        await opened(session)
    acts = [
        made.absences.report(per, ingrid.id, Report("hospital", None, None, "Dottern")),
        made.devices.pair_tv(per, ingrid.id, "ABCDEF"),
        made.devices.unit_code(per, ingrid.id, "Teven"),
        made.devices.listed(per, ingrid.id),
        made.devices.listed(planner, ingrid.id),
        made.visits.conclude(per, await world.visit(maria, ingrid), "all_well", note="", done=()),
        made.visits.take_step(
            per, await world.visit(maria, ingrid), "home_visit", at=None, note=""
        ),
        made.visits.ring(per, await world.visit(maria, ingrid)),
    ]
    for act in acts:
        with pytest.raises(NotAssigned):
            await act

    after = (await world.records())[before:]
    assert [r["what"]["code"] for r in after if r["event"] == "action.refused"] == [
        "not_assigned"
    ] * len(acts)


async def test_a_protected_persons_register_is_not_kept_by_an_opening_alone(world, made, ingrid):
    kim = await world.staff("Kim", role=Role.SAMORDNARE)
    await world.rows("update resident set is_protected = true where id = $1", ingrid.id)
    await made.break_glass.open(kim, ingrid.id, "other", WHY)

    with pytest.raises(NotAssigned):
        await made.keeping.card(kim, ingrid.id)


async def test_his_own_text_is_not_corrected_by_an_opening_alone(world, made, ingrid, per, opened):
    await world.assign(per.staff.id, ingrid)
    await made.people.close_follow_up(per, await world.call_back(ingrid), "Hon mår bra.")
    async with world.begun() as db:
        await db.execute(
            "update assignment set valid_until = $2 where staff_id = $1", per.staff.id, world.now
        )
    world.services.clock.forward(minutes=1)
    await opened(per)
    [note] = (await made.corrections.notes(per, ingrid.id)).notes
    assert not note.may_correct
    change = Correcting(
        kind=note.written.kind, about_id=note.written.id, old_text=note.written.text,
        why="Fel person", new_text="", right_resident_id=None,
    )  # fmt: skip

    with pytest.raises(NotAssigned):
        await made.corrections.correct(per, change)
    await world.assign(per.staff.id, ingrid)
    await made.corrections.correct(per, change)


async def test_pressed_twice_at_once_it_is_one_opening(world, ingrid, per, opened):
    done = await asyncio.gather(*(opened(per) for _ in range(5)), return_exceptions=True)

    assert [type(one) for one in done if isinstance(one, Exception)] == [AlreadyAssigned] * 4
    for table in ("break_glass", "assignment", "review_item", "follow_up"):
        rows = await world.rows(f"select 1 from {table} where tenant_id = $1", world.tenant)
        assert len(rows) == 1, table


async def test_the_database_itself_keeps_one_opening_at_a_time(world, clock, ingrid, per, opened):
    opening = await opened(per)
    again = """
    insert into break_glass (tenant_id, id, staff_id, resident_id, unit_id, kind, reason,
        opened_at, until_at)
    select tenant_id, gen_random_uuid(), staff_id, resident_id, unit_id, kind, reason, opened_at,
        until_at
    from break_glass where id = $1
    """
    with pytest.raises(asyncpg.UniqueViolationError):
        await world.rows(again, opening.id)

    clock.forward(minutes=31)
    await opened(per)
    rows = await world.rows(
        "select closed_at from break_glass where tenant_id = $1 order by opened_at", world.tenant
    )
    assert [row["closed_at"] for row in rows] == [opening.until_at, None]


async def test_a_yes_for_emergencies_too_lets_him_ring_until_it_is_over(
    world, made, clock, ingrid, per, opened
):
    await world.yes(ingrid, emergency_allowed=True)
    screen = await world.tv(ingrid)
    opening = await opened(per)
    clock.forward(minutes=20)

    call = await made.calls.ring(per, ingrid.id)
    await made.calls.answer(screen, call)

    rows = await world.rows("select must_end, basis from call where id = $1", call)
    assert rows[0]["must_end"] == opening.until_at
    assert '"assignment_source":"break_glass"' in rows[0]["basis"].replace(" ", "")


async def test_every_party_must_have_said_so(world, made, per):
    karin = await world.resident("Karin", cohabitant="Olle")
    rows = await world.rows("select id from cohabitant where resident_id = $1", karin.id)
    await world.tv(karin)
    await world.yes(karin, emergency_allowed=True)
    await world.yes(karin, party=rows[0]["id"])
    await made.break_glass.open(per, karin.id, "other", WHY)

    with pytest.raises(EmergencyExcluded):
        await made.calls.ring(per, karin.id)


async def test_a_screen_that_answers_by_itself_does_not_in_an_emergency(
    world, made, ingrid, per, opened
):

    await world.yes(ingrid, emergency_allowed=True)
    await world.yes(ingrid, Purpose.AUTO_ANSWER, hours=(time(0), time(23, 59)), answer_after_s=20)
    await opened(per)

    call = await made.calls.ring(per, ingrid.id)

    rows = await world.rows("select answers_itself_at from call where id = $1", call)
    assert rows[0]["answers_itself_at"] is None


async def test_a_mission_given_meanwhile_is_the_ground_that_counts(
    world, made, ingrid, per, opened
):
    await opened(per)
    await world.assign(per.staff.id, ingrid)

    call = await made.calls.ring(per, ingrid.id)

    rows = await world.rows("select basis from call where id = $1", call)
    assert '"assignment_source":"visit"' in rows[0]["basis"].replace(" ", "")


async def test_closing_it_ends_what_rests_on_it(world, made, client, ingrid, per, opened):
    await world.yes(ingrid, emergency_allowed=True)
    await opened(per)
    await made.calls.ring(per, ingrid.id)

    await made.break_glass.close(per, ingrid.id)

    assert await card_of(client, ingrid, per) == 403
    rows = await world.rows("select state, end_reason from call where tenant_id = $1", world.tenant)
    assert [tuple(row.values()) for row in rows] == [("ended", "assignment_ended")]
    assert "break_glass.closed" in await world.events()
    with pytest.raises(NotFound):
        await made.break_glass.close(per, ingrid.id)


async def test_opening_gives_one_person_and_nobody_else(world, client, per, opened):
    aino = await world.resident("Aino")
    await opened(per)

    assert await card_of(client, aino, per) == 403


async def test_nothing_is_opened_of_who_is_no_longer_with_us(world, made, ingrid, per):
    eva = await world.staff("Eva", role=Role.ENHETSCHEF)
    await made.endings.end(eva, ingrid.id, "moved", world.now.date())
    await world.run_due()

    with pytest.raises(ResidentGone):
        await made.break_glass.open(per, ingrid.id, "other", WHY)


async def test_the_neighbours_people_are_not_found(made, other_world, ingrid):
    stranger = await other_world.staff("Per")

    with pytest.raises(NotFound):
        await made.break_glass.open(stranger, ingrid.id, "other", WHY)


@pytest.mark.parametrize(
    "body",
    [
        {"kind": "fall_suspected", "reason": "för kort"},
        {"kind": "fall_suspected", "reason": "         .        "},
        {"kind": "curious", "reason": WHY},
        {"kind": "other", "reason": WHY, "minutes": 31},
    ],
)
async def test_without_a_real_reason_it_stays_closed(client, world, ingrid, per, body):
    route = next(r for r in people_http.ROUTES if r.path.endswith("open-anyway"))

    status, _, _ = await client.ask(
        route, session=per, body=body, path=f"/api/residents/{ingrid.id}/open-anyway"
    )

    assert status == 422
    assert not await world.rows("select 1 from break_glass where tenant_id = $1", world.tenant)


async def test_a_closed_card_says_only_whose_it_is_and_is_recorded_once(world, made, ingrid, per):
    before = len(await world.events())

    first = await made.break_glass.of(per, ingrid.id)
    await made.break_glass.of(per, ingrid.id)

    assert (first.name, first.unit_name) == ("Ingrid Provsson", "Dagen")
    assert await world.events(before) == ["list.read"]


async def test_her_own_relation_stands_in_the_record(world, made, ingrid, per):
    await made.relations.state(per, ingrid.id, "relative", "")

    await made.break_glass.open(per, ingrid.id, "fall_suspected", WHY)

    record = next(r for r in await world.records() if r["event"] == "break_glass.opened")
    assert record["what"]["relation"] == "relative"


async def test_without_an_opening_a_yes_for_emergencies_gives_nothing(world, made, ingrid, per):
    await world.yes(ingrid, emergency_allowed=True)

    with pytest.raises(NotAssigned):
        await made.calls.ring(per, ingrid.id)

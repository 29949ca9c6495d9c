"""Bevarandestopp: proposed by one, approved by another, lifted by two; and it holds."""

import asyncio
from uuid import UUID, uuid4

import asyncpg
import pytest

from telecare.access.model import Role
from telecare.integrity.erasing import Named, RecordHeld, erase, order
from telecare.integrity.preservation import HoldClosed, HoldNamesNothing, HoldNeedsAnother
from telecare.integrity.preservation_store import Scope
from telecare.people.keeping import EndBeforeStart
from telecare.runtime.errors import NotFound
from tests.services.test_sequencer import files, kept, sequencer_database  # noqa: F401

ORDER = order("2026/14", "GDPR art. 17", "Eva Sjö", "Karin Ek", "root")
WHY = {"reason": "Tvist om en tillsyn", "decision": "2026/31"}


@pytest.fixture
async def lena(world):
    return await world.staff("Lena", role=Role.GRANSKARE)


@pytest.fixture
async def ulf(world):
    return await world.staff("Ulf", role=Role.GRANSKARE)


@pytest.fixture
async def ingrid(world):
    return await world.resident("Ingrid")


@pytest.fixture
def holds(made):
    return made.preservation


async def what(world):
    record = (await world.records())[-1]
    return record["event"], record["what"], [p["name"] for p in record["subject"]["persons"]]


async def test_one_proposes_and_another_approves_and_both_are_records(
    world, holds, lena, ulf, ingrid
):
    hold = await holds.propose(lena, Scope(ingrid.id), **WHY)
    event, said, whom = await what(world)
    assert (event, whom) == ("hold.proposed", [ingrid.name])
    assert (said["reason"], said["hold_id"]) == ("Tvist om en tillsyn", str(hold))

    await holds.approve(ulf, hold)

    assert (await what(world))[0] == "hold.approved"
    record = (await world.records())[-1]
    assert record["actor"]["name"] == "Ulf Ek"
    assert record["basis"] == {"decision": "2026/31"}
    [shown] = (await holds.shown(lena, None)).holds
    assert (shown.approved.name, shown.proposed.name) == ("Ulf Ek", "Lena Ek")


async def test_nobody_approves_or_lifts_what_she_proposed_herself(world, holds, lena, ulf, ingrid):
    hold = await holds.propose(lena, Scope(ingrid.id), **WHY)
    with pytest.raises(HoldNeedsAnother):
        await holds.approve(lena, hold)
    event, said, _ = await what(world)
    assert (event, said["tried"], said["code"]) == (
        "action.refused", "hold.approved", "hold_needs_another",
    )  # fmt: skip
    await holds.approve(ulf, hold)
    await holds.propose_lift(ulf, hold, "Tvisten är över")

    with pytest.raises(HoldNeedsAnother):
        await holds.lift(ulf, hold)
    [shown] = (await holds.shown(lena, None)).holds
    assert shown.lift.name == "Ulf Ek"


LIFTED_BY_ONE = """
lift_reason = 'x', lift_proposed_by = proposed_by, lift_proposed_at = proposed_at,
lifted_by = proposed_by, lifted_at = proposed_at
"""


@pytest.mark.parametrize(
    "change", ["approved_by = proposed_by, approved_at = proposed_at", LIFTED_BY_ONE]
)
async def test_the_database_itself_wants_two_people(world, holds, lena, ulf, ingrid, change):
    hold = await holds.propose(lena, Scope(ingrid.id), **WHY)
    if "lifted" in change:
        await holds.approve(ulf, hold)

    with pytest.raises(asyncpg.CheckViolationError):
        async with world.begun() as db:
            await db.execute(f"update log_hold set {change} where id = $1", hold)


async def test_lifting_takes_two_and_then_it_holds_no_more(
    kept, config, holds, lena, ulf, ingrid  # noqa: F811
):  # fmt: skip
    hold = await holds.propose(lena, Scope(ingrid.id), **WHY)
    await holds.approve(ulf, hold)
    await kept.go_on()
    hers = Named.read([], str(ingrid.id), ["1"])
    await holds.propose_lift(lena, hold, "Tvisten är över")
    with pytest.raises(RecordHeld):
        await erase(config, kept.slug, hers, ORDER)

    await holds.lift(ulf, hold)

    event, said, _ = await what(kept.world)
    assert (event, said["lift_reason"]) == ("hold.lifted", "Tvisten är över")
    await erase(config, kept.slug, hers, ORDER)
    assert list((await holds.shown(lena, None)).holds) == []


async def test_a_proposal_holds_until_it_is_declined(
    kept, config, holds, lena, ulf, ingrid  # noqa: F811
):  # fmt: skip
    hold = await holds.propose(lena, Scope(ingrid.id), **WHY)
    await kept.go_on()
    hers = Named.read([], str(ingrid.id), ["1"])
    with pytest.raises(RecordHeld):
        await erase(config, kept.slug, hers, ORDER)

    await holds.decline(ulf, hold)

    await erase(config, kept.slug, hers, ORDER)


async def test_a_lift_that_is_declined_leaves_the_hold_in_force(holds, lena, ulf, ingrid):
    hold = await holds.propose(lena, Scope(ingrid.id), **WHY)
    await holds.approve(ulf, hold)
    await holds.propose_lift(ulf, hold, "Tvisten är över")
    await holds.decline_lift(lena, hold)

    [shown] = (await holds.shown(lena, None)).holds
    assert (shown.lift, shown.is_over) == (None, False)
    with pytest.raises(HoldClosed):
        await holds.lift(lena, hold)


async def test_it_holds_what_fits_all_that_it_names(
    kept, config, holds, lena, ingrid  # noqa: F811
):  # fmt: skip
    await holds.propose(lena, Scope(ingrid.id, event="consent.given"), **WHY)
    await kept.go_on()
    events = {
        n: r["event"]
        for r in await kept.world.records()
        for p in r["subject"]["persons"]
        if (n := p["n"]) and p["id"] == str(ingrid.id)
    }
    given = next(n for n, event in events.items() if event == "consent.given")
    other = next(n for n, event in events.items() if event == "resident.registered")

    with pytest.raises(RecordHeld):
        await erase(config, kept.slug, Named.read([], str(ingrid.id), [str(given)]), ORDER)
    await erase(config, kept.slug, Named.read([], str(ingrid.id), [str(other)]), ORDER)


async def test_what_is_decided_is_closed(holds, lena, ulf, ingrid):
    hold = await holds.propose(lena, Scope(ingrid.id), **WHY)
    with pytest.raises(HoldClosed):
        await holds.propose_lift(lena, hold, "Tvisten är över")
    with pytest.raises(HoldClosed):
        await holds.decline_lift(lena, hold)
    await holds.approve(ulf, hold)
    for again in (holds.approve(ulf, hold), holds.decline(ulf, hold), holds.lift(ulf, hold)):
        with pytest.raises(HoldClosed):
            await again
    await holds.propose_lift(lena, hold, "Tvisten är över")
    await holds.lift(ulf, hold)
    for again in (holds.lift(ulf, hold), holds.propose_lift(lena, hold, "Igen")):
        with pytest.raises(HoldClosed):
            await again


async def test_two_who_decide_at_once_decide_once(world, holds, lena, ulf, ingrid):
    hold = await holds.propose(lena, Scope(ingrid.id), **WHY)

    outcomes = await asyncio.gather(
        holds.approve(ulf, hold), holds.decline(ulf, hold), return_exceptions=True
    )

    assert sorted(type(one) for one in outcomes if one is not None) == [HoldClosed]


async def test_another_municipalitys_hold_or_person_is_not_there(holds, lena, other_world, ingrid):
    theirs = await other_world.resident("Aino")
    stranger = await other_world.staff("Lisa", role=Role.GRANSKARE)
    hold = await holds.propose(lena, Scope(ingrid.id), **WHY)

    for attempt in (
        holds.approve(stranger, hold), holds.decline(stranger, hold),
        holds.propose_lift(stranger, hold, "Skäl"), holds.approve(lena, uuid4()),
        holds.propose(lena, Scope(theirs.id), **WHY), holds.shown(lena, theirs.id),
    ):  # fmt: skip
        with pytest.raises(NotFound):
            await attempt
    assert list((await holds.shown(stranger, None)).holds) == []


async def test_a_hold_that_names_nothing_or_ends_before_it_begins_is_refused(world, holds, lena):
    before = await world.events()

    with pytest.raises(HoldNamesNothing):
        await holds.propose(lena, Scope(), **WHY)
    with pytest.raises(EndBeforeStart):
        await holds.propose(lena, Scope(since=world.now, until=world.now), **WHY)

    assert await world.events() == before


async def test_the_page_proposes_approves_and_lifts(world, client, lena, ulf, ingrid):
    status, page = await client.look(f"/audit/keeping?resident={ingrid.id}", lena)
    assert status == 200
    assert "För Ingrid Provsson" in page
    assert "Ingen bevarandetid är beslutad" in page
    record = (await world.records())[-1]
    assert (record["event"], len(record["subject"]["persons"])) == ("hold.read", 1)

    _, _, at = await client.send("/audit/keeping/holds", lena, resident=str(ingrid.id), **WHY)
    assert at == "/audit/keeping"
    [row] = await world.rows("select id from log_hold where tenant_id = $1", world.tenant)
    _, page = await client.look("/audit/keeping", lena)
    assert 'data-state="proposed"' in page
    assert 'data-test="approve"' not in page
    status, page, _ = await client.send("/audit/keeping/approve", lena, one=str(row["id"]))
    assert (status, 'data-code="hold_needs_another"' in page) == (403, True)
    await client.send("/audit/keeping/approve", ulf, one=str(row["id"]))
    await client.send("/audit/keeping/lift", ulf, one=str(row["id"]), reason="Tvisten är över")
    _, page = await client.look("/audit/keeping", lena)
    assert 'data-state="lifting"' in page
    assert "Tvisten är över" in page
    await client.send("/audit/keeping/lift/approve", lena, one=str(row["id"]))
    _, page = await client.look("/audit/keeping", lena)
    assert 'data-test="no-holds"' in page


async def test_the_page_says_what_was_typed_wrong_and_keeps_it(client, lena, ingrid):
    status, page, _ = await client.send("/audit/keeping/holds", lena, **WHY)
    assert (status, 'data-code="hold_names_nothing"' in page) == (422, True)
    assert 'value="Tvist om en tillsyn"' in page

    status, page, _ = await client.send("/audit/keeping/holds", lena, resident=str(ingrid.id))
    assert (status, 'data-code="field_invalid"' in page) == (422, True)
    assert "För Ingrid Provsson" in page
    status, page, _ = await client.send("/audit/keeping/approve", lena, one="x")
    assert (status, 'data-code="field_invalid"' in page) == (422, True)
    status, _, _ = await client.send("/audit/keeping/approve", lena, one=str(uuid4()))
    assert status == 404
    status, _ = await client.look(f"/audit/keeping?resident={UUID(int=0)}", lena)
    assert status == 404


async def test_a_person_with_protected_identity_stands_without_her_name(world, client, lena):
    elsa = await world.resident("Elsa")
    async with world.begun() as db:
        await db.execute("update resident set is_protected = true where id = $1", elsa.id)
    await client.send("/audit/keeping/holds", lena, resident=str(elsa.id), **WHY)

    _, page = await client.look(f"/audit/keeping?resident={elsa.id}", lena)

    assert "Elsa" not in page
    assert "kyddad" in page


async def test_a_form_that_is_sent_twice_proposes_one_hold(world, client, lena, ingrid):
    _, page = await client.look(f"/audit/keeping?resident={ingrid.id}", lena)
    press = page.split('name="press" value="')[1].split('"')[0]

    for _ in range(2):
        status, _, _ = await client.send(
            "/audit/keeping/holds", lena, resident=str(ingrid.id), press=press, **WHY
        )
        assert status == 303

    assert len(await world.rows("select 1 from log_hold where tenant_id = $1", world.tenant)) == 1
    proposed = [r for r in await world.records() if r["event"] == "hold.proposed"]
    assert len(proposed) == 1

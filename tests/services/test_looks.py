""" "Vem har tittat" on her TV: only if she wants it, and only who saw or spoke with her."""

from dataclasses import replace
from uuid import uuid4

import pytest

from telecare.access.model import Role
from telecare.consent import store as consent_store
from telecare.consent.model import Purpose
from telecare.integrity.looks import LooksHidden
from telecare.runtime.errors import NotFound
from telecare.wire.ids import ConsentId


@pytest.fixture
async def ingrid(world):
    return await world.resident("Ingrid")


@pytest.fixture
async def tv(world, ingrid):
    return await world.tv(ingrid)


@pytest.fixture
def called(made, clock, tv, ingrid):
    """Somebody has rung, she has answered, and it is over after so many seconds."""

    async def call(session, seconds=40):
        call = await made.calls.ring(session, ingrid.id)
        await made.calls.answer(tv, call)
        clock.forward(seconds=seconds)
        await made.calls.hang_up(session, call)
        clock.forward(minutes=1)
        return call

    return call


@pytest.fixture
async def maria(world, ingrid):
    return await world.staff("Maria", assigned=(ingrid,), on_shift=True)


async def test_nothing_is_shown_until_she_wants_it(made, world, tv, maria, called):
    await called(maria)

    with pytest.raises(LooksHidden):
        await made.looks.of_home(tv, None)

    await made.looks.show(tv, on=True)
    page = await made.looks.of_home(tv, None)
    assert [(one.kind, one.seconds, by.given_name, by.unit_name) for one, by in page.looks] == [
        ("video_call", 40, "Maria", "Dagen")
    ]
    await made.looks.show(tv, on=False)
    with pytest.raises(LooksHidden):
        await made.looks.of_home(tv, None)


async def test_reading_it_and_choosing_it_are_records_about_her_from_the_home(
    made, world, tv, ingrid
):
    before = len(await world.events())
    await made.looks.show(tv, on=True)
    await made.looks.show(tv, on=True)
    await made.looks.of_home(tv, None)
    await made.looks.show(tv, on=False)

    assert await world.events(before) == ["looks.shown", "looks.read", "looks.hidden"]
    for record in (await world.records())[before:]:
        assert record["actor"]["kind"] == "home"
        assert [p["id"] for p in record["subject"]["persons"]] == [str(ingrid.id)]


async def test_who_read_her_card_and_who_rang_in_vain_do_not_stand_here(
    made, world, tv, ingrid, maria, clock
):
    await made.looks.show(tv, on=True)
    call = await made.calls.ring(maria, ingrid.id)
    clock.forward(seconds=5)
    await made.calls.hang_up(maria, call)
    await made.break_glass.open(
        await world.staff("Per", unit=world.night_unit), ingrid.id, "other", "Larm utan svar."
    )

    assert (await made.looks.of_home(tv, None)).looks == []


async def test_three_at_a_time_the_newest_first(made, tv, maria, called):
    for seconds in (10, 20, 30, 40):
        await called(maria, seconds)
    await made.looks.show(tv, on=True)

    first = await made.looks.of_home(tv, None)
    second = await made.looks.of_home(tv, first.below)

    assert [one.seconds for one, _ in first.looks] == [40, 30, 20]
    assert [one.seconds for one, _ in second.looks] == [10]
    assert second.below is None


async def test_a_look_under_review_reads_like_any_other(world, made, tv, ingrid, called):
    """Else a screen in the room would tell before anybody has found out."""
    await world.yes(ingrid, emergency_allowed=True)
    per = await world.staff("Per", unit=world.night_unit)
    await made.break_glass.open(per, ingrid.id, "other", "Larm utan svar.")
    await called(per)
    await made.looks.show(tv, on=True)

    one, by = (await made.looks.of_home(tv, None)).looks[0]

    assert (one.kind, by.given_name, by.unit_name) == ("video_call", "Per", "Natten")


async def test_somebody_protected_appears_by_her_unit(world, made, tv, maria, called):
    await called(maria)
    await world.rows("update staff set is_protected = true where id = $1", maria.staff.id)
    await made.looks.show(tv, on=True)

    _, by = (await made.looks.of_home(tv, None)).looks[0]

    assert (by.given_name, by.unit_name) == ("", "Dagen")


async def test_what_she_asks_about_is_looked_at_by_somebody_once(world, made, tv, maria, called):
    await called(maria)
    await made.looks.show(tv, on=True)
    look, _ = (await made.looks.of_home(tv, None)).looks[0]

    await made.looks.ask(tv, look.n)
    await made.looks.ask(tv, look.n)

    lena = await world.staff("Lena", role=Role.GRANSKARE)
    waiting = (await made.reviews.overview(lena)).openings
    assert [(one.drawn, one.staff_name, str(one.hits[0].rule)) for one in waiting] == [
        ("asked", "Maria Ek", "asked")
    ]
    assert "looks.asked" in await world.events()


async def test_she_asks_only_about_what_she_can_see(world, made, tv, maria, called, other_world):
    await called(maria)
    await made.looks.show(tv, on=True)
    look, _ = (await made.looks.of_home(tv, None)).looks[0]
    neighbour = await world.tv(await world.resident("Aino"))
    await made.looks.show(neighbour, on=True)

    for session, n in ((tv, look.n - 1), (tv, 10_000), (neighbour, look.n)):
        with pytest.raises(NotFound):
            await made.looks.ask(session, n)


async def test_a_screen_shows_its_own_homes_only(world, made, maria, called):
    await called(maria)
    neighbour = await world.tv(await world.resident("Aino"))
    await made.looks.show(neighbour, on=True)

    assert (await made.looks.of_home(neighbour, None)).looks == []


# --- somebody who lives there too ----------------------------------------------------------------


@pytest.fixture
async def shared(world):
    """Ingrid and Bo, who has said yes too; her TV shows who has looked."""
    ingrid = await world.resident("Ingrid", cohabitant="Bo Provsson")
    [row] = await world.rows("select id from cohabitant where resident_id = $1", ingrid.id)
    await world.yes(ingrid, party=row["id"])
    tv = await world.tv(ingrid)
    maria = await world.staff("Maria", assigned=(ingrid,), on_shift=True)
    await world.services.looks.show(tv, on=True)
    return Shared(world, ingrid, row["id"], tv, maria)


class Shared:
    def __init__(self, world, ingrid, bo, tv, maria):
        self.world, self.ingrid, self.bo, self.tv, self.maria = world, ingrid, bo, tv, maria
        self.looks = world.services.looks

    async def called(self, seconds=40):
        made = self.world.services
        call = await made.calls.ring(self.maria, self.ingrid.id)
        await made.calls.answer(self.tv, call)
        made.clock.forward(seconds=seconds)
        await made.calls.hang_up(self.maria, call)
        made.clock.forward(minutes=1)

    async def of_bo(self):
        return (await self.looks.of_home(self.tv, None, self.bo)).looks


async def test_a_cohabitant_sees_hers_only_when_both_have_chosen_it(shared):
    await shared.called()
    with pytest.raises(LooksHidden):
        await shared.of_bo()

    await shared.looks.show(shared.tv, on=True, party=shared.bo)
    assert [(one.seconds, by.given_name) for one, by in await shared.of_bo()] == [(40, "Maria")]

    await shared.looks.show(shared.tv, on=False)
    for forbidden in (
        shared.of_bo(),
        shared.looks.show(shared.tv, on=True, party=shared.bo),
        shared.looks.ask(shared.tv, 1, shared.bo),
    ):
        with pytest.raises((LooksHidden, NotFound)):
            await forbidden


async def test_hers_holds_only_what_a_yes_of_hers_was_needed_for(world, made, clock, shared):
    """Not calls from before she moved in, and not what the resident has rung about herself."""
    await shared.looks.show(shared.tv, on=True, party=shared.bo)
    await shared.called(10)
    await world.rows("update cohabitant set moved_out_at = $2 where id = $1", shared.bo, world.now)
    await shared.called(20)
    await world.rows("update cohabitant set moved_out_at = null where id = $1", shared.bo)

    assert [one.seconds for one, _ in await shared.of_bo()] == [10]
    own = (await shared.looks.of_home(shared.tv, None)).looks
    assert [one.seconds for one, _ in own] == [20, 10]
    hers = {one.n for one, _ in own} - {one.n for one, _ in await shared.of_bo()}
    with pytest.raises(NotFound):
        await shared.looks.ask(shared.tv, hers.pop(), shared.bo)


@pytest.mark.parametrize("how", ["takes back", "moves out"])
async def test_who_takes_back_her_yes_or_moves_out_has_no_view(world, shared, how):
    await shared.looks.show(shared.tv, on=True, party=shared.bo)
    sharers = (await shared.looks.of_home(shared.tv, None)).sharers
    assert [one.given_name for one in sharers] == ["Bo"]
    async with world.begun() as db:
        if how == "takes back":
            yes = next(
                one
                for one in await consent_store.newest(db, shared.ingrid.id, Purpose.VIDEO_VISIT)
                if one.cohabitant_id == shared.bo
            )
            no = replace(yes, id=ConsentId(uuid4()), decision="withdrawn", recorded_at=world.now)
            asked = consent_store.Documentation(asked_by="cohabitant")
            await consent_store.add(db, shared.ingrid.id, no, asked)
        else:
            await db.execute(
                "update cohabitant set moved_out_at = $2 where id = $1", shared.bo, world.now
            )

    assert (await shared.looks.of_home(shared.tv, None)).sharers == []
    with pytest.raises(NotFound):
        await shared.of_bo()


async def test_a_cohabitant_without_a_yes_or_of_another_home_is_nobody_here(world, made, shared):
    other = await world.resident("Aino", cohabitant="Kalle")
    [kalle] = await world.rows("select id from cohabitant where resident_id = $1", other.id)
    tv = await world.tv(other)
    await made.looks.show(tv, on=True)

    for session, who in ((tv, kalle["id"]), (tv, shared.bo), (shared.tv, kalle["id"])):
        with pytest.raises(NotFound):
            await made.looks.show(session, on=True, party=who)
        with pytest.raises(NotFound):
            await made.looks.of_home(session, None, who)


async def test_whose_view_it_was_stands_in_the_record(world, shared):
    before = len(await world.events())
    await shared.looks.show(shared.tv, on=True, party=shared.bo)
    await shared.of_bo()

    records = (await world.records())[before:]
    assert [r["event"] for r in records] == ["looks.shown", "looks.read"]
    assert {r["what"]["cohabitant_id"] for r in records} == {str(shared.bo)}
    assert {p["id"] for r in records for p in r["subject"]["persons"]} == {str(shared.ingrid.id)}


async def test_what_a_cohabitant_asks_about_is_judged_and_the_letter_is_hers(world, made, shared):
    await shared.called()
    await shared.looks.show(shared.tv, on=True, party=shared.bo)
    [(look, _)] = await shared.of_bo()
    await shared.looks.ask(shared.tv, look.n, shared.bo)
    await shared.looks.ask(shared.tv, look.n, shared.bo)
    lena = await world.staff("Lena", role=Role.GRANSKARE)
    [item] = (await made.reviews.overview(lena)).openings
    assert [str(hit.rule) for hit in item.hits] == ["cohabitant_asked"]

    await made.reviews.judge(lena, item.id, "justified", "")

    shown = await made.reviews.of_item(lena, item.id)
    assert [(one.party, one.name, one.kind) for one in shown.letters] == [
        (shared.bo, "Bo Provsson", "asked")
    ]
    with pytest.raises(NotFound):
        await made.reviews.letter(lena, item.id)
    assert [one.id for one in (await made.reviews.overview(lena)).openings] == [item.id]
    _, letter = await made.reviews.letter(lena, item.id, shared.bo)
    assert letter.name == "Bo Provsson"
    record = (await world.records())[-1]
    assert (record["event"], record["what"]["cohabitant_id"]) == (
        "letter.printed", str(shared.bo),
    )  # fmt: skip
    assert (await made.reviews.overview(lena)).openings == []


async def test_both_ask_and_each_gets_a_letter_also_when_one_asks_afterwards(world, made, shared):
    await shared.called()
    await shared.looks.show(shared.tv, on=True, party=shared.bo)
    [(look, _)] = await shared.of_bo()
    lena = await world.staff("Lena", role=Role.GRANSKARE)
    await shared.looks.ask(shared.tv, look.n)
    [item] = (await made.reviews.overview(lena)).openings
    await made.reviews.judge(lena, item.id, "justified", "")
    await made.reviews.letter(lena, item.id)

    await shared.looks.ask(shared.tv, look.n, shared.bo)

    assert [one.id for one in (await made.reviews.overview(lena)).openings] == [item.id]
    letters = (await made.reviews.of_item(lena, item.id)).letters
    assert [(one.party, one.kind, one.printed_at is None) for one in letters] == [
        (None, "asked", False), (shared.bo, "asked", True),
    ]  # fmt: skip


async def test_of_a_call_that_was_not_justified_the_cohabitant_is_told_unasked(
    world, made, shared, client
):
    await shared.called()
    [(look, _)] = (await shared.looks.of_home(shared.tv, None)).looks
    await shared.looks.ask(shared.tv, look.n)
    lena = await world.staff("Lena", role=Role.GRANSKARE)
    [item] = (await made.reviews.overview(lena)).openings
    await made.reviews.judge(lena, item.id, "unjustified", "Fel person.")

    letters = (await made.reviews.of_item(lena, item.id)).letters

    assert [(one.party, one.kind) for one in letters] == [(None, "asked"), (shared.bo, "seen")]
    _, page = await client.look(f"/audit/items/{item.id}/letter?to={shared.bo}", lena)
    assert "Bo Provsson" in page
    assert "var det ett samtal till ditt hem" in page

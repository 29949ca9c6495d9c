"""Timelines of residents and staff: who, what, why, and whether a number is missing."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from telecare.access.model import Role
from telecare.audit.actions import Action
from telecare.audit.append import append
from telecare.audit.model import CommandLineActor, Record
from telecare.integrity.searching import PageBeyondEnd
from telecare.integrity.timelines import Span
from telecare.people.keeping import EndBeforeStart

CLERK = CommandLineActor("clerk")


@pytest.fixture
async def lena(world):
    return await world.staff("Lena", role=Role.GRANSKARE)


@pytest.fixture
async def home(world, made):
    """Ingrid has been called by Maria."""
    ingrid = await world.resident("Ingrid")
    maria = await world.staff(assigned=(ingrid,), on_shift=True)
    tv = await world.tv(ingrid)
    call_id = await made.calls.ring(maria, ingrid.id)
    await made.calls.answer(tv, call_id)
    await made.calls.hang_up(maria, call_id)
    return ingrid, maria, tv


async def test_a_timeline_says_who_what_and_why(world, client, home, lena):
    ingrid, maria, _ = home

    status, page = await client.look(f"/audit/residents/{ingrid.id}", lena)
    last = (await world.records())[-1]

    assert status == 200
    for shown in ("Personalen ringde", "Maria Ek", "Planerat besök", "1 samtycke", "SoL"):
        assert shown in page
    assert f'href="/audit/staff/{maria.staff.id}"' in page
    assert last["event"] == "log.person_read"
    assert [p["id"] for p in last["subject"]["persons"]] == [str(ingrid.id)]
    assert "Läste en persons tidslinje" in page  # the reading has a number of its own, shown too


async def test_numbers_without_a_gap_are_said_for_the_shown_span_only(world, client, home, lena):
    ingrid, *_ = home
    async with world.begun() as db:
        for _ in range(110):
            await append(db, Record(Action.CARD_READ, CLERK, [ingrid.person]))

    _, page = await client.look(f"/audit/residents/{ingrid.id}", lena)
    records = await world.records()
    last = [p["n"] for r in records for p in r["subject"]["persons"] if p["id"] == str(ingrid.id)]

    assert f"Inga luckor i nummer {last[-100]}\u2013{last[-1]}." in page
    assert "Ingen saknas" not in page


async def test_a_missing_number_is_named(world, as_superuser, client, home, lena):
    ingrid, *_ = home
    await as_superuser(
        "set session_replication_role = replica; delete from audit.subject_entry "
        f"where resident_id = '{ingrid.id}' and n = 3"
    )

    _, page = await client.look(f"/audit/residents/{ingrid.id}", lena)

    assert 'data-test="gap"' in page
    assert "</b> 3." in page
    assert "Inga luckor" not in page


async def test_a_number_left_out_by_the_chosen_kind_is_no_gap(client, home, lena):
    ingrid, *_ = home

    _, page = await client.look(f"/audit/residents/{ingrid.id}?show=calls", lena)

    assert "Personalen ringde" in page
    assert "Personen lades in" not in page
    assert 'data-test="no-gap"' in page


async def test_it_goes_on_page_by_page_and_stops(world, made, home, lena):
    ingrid, *_ = home
    async with world.begun() as db:
        for _ in range(150):
            await append(db, Record(Action.CARD_READ, CLERK, [ingrid.person]))

    async def look(below):
        return await made.timelines.of_resident(
            lena, ingrid.id, kind="all", span=Span(), below=below
        )

    first = await look(None)
    second = await look(first.older)
    numbers = [entry.n for page in (first, second) for entry in page.entries]

    assert second.older is None
    assert numbers == list(range(numbers[0], 0, -1))
    with pytest.raises(PageBeyondEnd):
        await look(1)


async def test_a_span_narrows_records_and_counts(made, home, lena):
    ingrid, *_ = home
    ahead = datetime.now(UTC) + timedelta(hours=1)

    nothing = await made.timelines.of_resident(
        lena, ingrid.id, kind="all", span=Span(ahead, ahead + timedelta(hours=1)), below=None
    )

    assert (list(nothing.entries), nothing.numbers, nothing.tally.events) == ([], None, 0)
    with pytest.raises(EndBeforeStart):
        await made.timelines.of_resident(
            lena, ingrid.id, kind="all", span=Span(ahead, ahead), below=None
        )


async def test_who_stands_in_her_records_is_counted(made, home, lena):
    ingrid, maria, _ = home

    line = await made.timelines.of_resident(lena, ingrid.id, kind="all", span=Span(), below=None)

    seen = {one.actor["id"]: one.times for one in line.who}
    assert seen[str(lena.staff.id)] == 1
    assert seen[str(maria.staff.id)] == 2


async def test_staff_have_a_timeline_with_whom_it_was_about(world, client, home, lena):
    _, maria, _ = home

    status, page = await client.look(f"/audit/staff/{maria.staff.id}", lena)
    last = (await world.records())[-1]

    assert status == 200
    assert "Personalen ringde" in page
    assert "Ingrid Provsson" in page
    assert last["event"] == "log.staff_read"
    assert last["what"] == {"staff_id": str(maria.staff.id)}


async def test_those_who_no_longer_work_here_still_have_a_timeline(world, client, home, lena):
    _, maria, _ = home
    await world.rows("update staff set revoked_at = now() where id = $1", maria.staff.id)

    status, page = await client.look(f"/audit/staff/{maria.staff.id}", lena)

    assert status == 200
    assert "Maria Ek" in page


async def test_nobodys_and_the_neighbours_timelines_are_not_there(
    world, other_world, made, client, lena
):
    aino, berit = await other_world.resident("Aino"), await other_world.staff("Berit")
    tv = await other_world.tv(aino)
    call_id = await made.calls.call_in(tv)
    before = await world.events()
    paths = [
        f"/audit/residents/{aino.id}", f"/audit/residents/{uuid4()}", "/audit/residents/x",
        f"/audit/staff/{berit.staff.id}", f"/audit/staff/{uuid4()}",
        f"/audit/calls/{call_id}", f"/audit/calls/{uuid4()}",
        f"/audit/consents?resident={aino.id}", f"/audit/consents?resident={uuid4()}",
    ]  # fmt: skip

    answers = [await client.look(path, lena) for path in paths]

    assert {status for status, _ in answers} == {404}
    assert len({page for _, page in answers}) == 1
    assert await world.events() == before


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("below=1", "inga fler händelser"),
        ("below=x", "ifyllt på fel sätt"),
        ("since=2026-11-23T10:00&until=2026-11-22T10:00", "Slutet ligger före början"),
        ("show=other", "ifyllt på fel sätt"),
    ],
)
async def test_an_address_that_asks_for_nothing_sensible_is_refused(
    client, home, lena, query, sentence
):
    ingrid, *_ = home

    status, page = await client.look(f"/audit/residents/{ingrid.id}?{query}", lena)

    assert status == 422
    assert sentence in page


async def test_somebody_with_protected_identity_has_no_name_on_her_timeline(
    world, client, home, lena
):
    ingrid, *_ = home
    await world.rows("update resident set is_protected = true where id = $1", ingrid.id)

    status, page = await client.look(f"/audit/residents/{ingrid.id}", lena)

    assert status == 200
    assert "Skyddade uppgifter" in page
    assert "Ingrid" not in page

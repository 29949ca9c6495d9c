"""Searching the log and opening a record: what is shown and refused, and that it is recorded."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from telecare.access.http import STAFF_COOKIE
from telecare.access.model import Role
from telecare.audit.actions import Action
from telecare.audit.append import append
from telecare.audit.model import CommandLineActor, Record
from telecare.integrity import searching
from telecare.integrity.searching import After, Terms
from telecare.integrity.searching_store import Place
from telecare.people.service import known
from telecare.runtime.clock import STOCKHOLM
from telecare.runtime.errors import FieldInvalid, NotFound
from tests.world import TOKENS

CLERK = CommandLineActor("clerk")
NEEDED = {"reason": "routine"}


@pytest.fixture
async def lena(world):
    return await world.staff("Lena", role=Role.GRANSKARE)


async def searched(client, session, after="", **fields):
    """What the form leads to: (status, page, its address)."""
    status, page, where = await client.send("/audit", session, **fields)
    if not where:
        return status, page, where
    return *await client.look(f"{where}?after={after}", session), where


async def test_a_search_is_recorded_with_its_terms_before_it_is_shown(world, client, lena):
    ingrid = await world.resident("Ingrid")

    status, page, _ = await searched(
        client, lena, resident="ingrid", reason="request", case="2026-311"
    )
    last = (await world.records())[-1]

    assert status == 200
    assert "Personen lades in" in page
    assert f'href="/audit/residents/{ingrid.id}"' in page
    assert last["event"] == "log.searched"
    assert last["what"] == {
        "case": "2026-311", "page": 1, "resident": "ingrid", "search_reason": "request",
    }  # fmt: skip
    assert [p["id"] for p in last["subject"]["persons"]] == [str(ingrid.id)]
    assert last["actor"]["id"] == str(lena.staff.id)
    assert "Sökte i loggen" in page.split('class="ev"')[1]  # its own record is there already


async def test_only_what_is_searched_for_is_found(world, made, lena):
    ingrid, aino = await world.resident("Ingrid"), await world.resident("Aino")
    maria = await world.staff("Maria", assigned=(ingrid,), on_shift=True)
    tv = await world.tv(aino)
    await made.calls.hang_up_at_home(tv, await made.calls.call_in(tv))
    async with world.begun() as db:
        await append(db, Record(Action.CARD_READ, maria.actor, [ingrid.person]))
    look = made.searching.search

    by_person = await look(lena, Terms(resident="Aino"), "")
    by_staff = await look(lena, Terms(staff="maria ek"), "")
    by_kind = await look(lena, Terms(event="call.called_in"), "")
    by_purpose = await look(lena, Terms(purpose="video_visit", resident="ingrid"), "")
    nobody = await look(lena, Terms(resident="Nobody"), "")
    both = await look(lena, Terms(resident="ingrid", staff="maria"), "")

    assert {p.id for e in by_person.page.entries for p in e.persons} == {str(aino.id)}
    assert {e.actor["id"] for e in by_staff.page.entries} == {str(maria.staff.id)}
    assert [e.event for e in by_kind.page.entries] == ["call.called_in"]
    assert {e.event for e in by_purpose.page.entries} == {"consent.given"}
    assert nobody.page.entries == []
    assert [e.entry_id for e in both.page.entries] == [
        e.entry_id for e in by_staff.page.entries if str(ingrid.id) in {p.id for p in e.persons}
    ]
    assert both.page.entries != []


async def test_newest_first_a_hundred_a_page_and_each_once(world, made, lena):
    async with world.begun() as db:
        for _ in range(250):
            await append(db, Record(Action.SEARCHED, CLERK))

    seen, after = [], ""
    while True:
        page = (await made.searching.search(lena, Terms(event="residents.searched"), after)).page
        seen += [entry.entry_id for entry in page.entries]
        assert len(page.entries) <= 100
        if not (after := page.after):
            break

    assert len(seen) == 250
    assert seen == sorted(set(seen), reverse=True)


async def test_a_time_is_a_swedish_one_and_its_last_minute_counts(world, client, lena):
    now = datetime.now(UTC)
    await world.resident("Ingrid")
    local = now.astimezone(STOCKHOLM)

    def typed(at):
        return at.strftime("%Y-%m-%dT%H:%M")

    _, here, _ = await searched(
        client, lena, since=typed(local), until=typed(local + timedelta(minutes=2)), **NEEDED
    )
    _, before, _ = await searched(client, lena, until=typed(local - timedelta(minutes=2)), **NEEDED)

    assert "Personen lades in" in here
    assert 'data-test="nothing"' in before


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"since": "2026-11-23T10:00", "until": "2026-11-22T10:00"}, "end_before_start"),
        ({"since": "1026-11-23T10:00"}, "field_invalid"),
        ({"after": "nonsense"}, "field_invalid"),
        ({"event": "no.such"}, "field_invalid"),
        ({"resident": "x"}, "field_invalid"),
        ({"after": str(After(2, Place(datetime(2001, 1, 1, tzinfo=UTC), 1)))}, "page_beyond_end"),
        ({"after": str(After(101, Place(datetime(2026, 1, 1, tzinfo=UTC), 1)))}, "search_too_long"),
    ],
)
async def test_what_cannot_be_searched_is_refused_with_a_sentence(client, lena, fields, code):
    status, page, _ = await searched(client, lena, **NEEDED, **fields)

    assert status == 422
    assert f'data-code="{code}"' in page
    assert 'class="stop" role="alert"' in page


async def test_a_name_that_too_many_have_is_refused(world, made, lena):
    for _ in range(21):
        await world.resident("Eva", says_yes=False)

    with pytest.raises(searching.NameTooCommon):
        await made.searching.search(lena, Terms(resident="Eva"), "")


async def test_a_search_that_takes_long_gives_what_it_has_and_goes_on(world, made, lena):
    made.searching.longest_look_s = -1.0
    since = datetime.now(UTC) - timedelta(days=10)

    first = (await made.searching.search(lena, Terms(event="tenant.added", since=since), "")).page
    empty = await made.searching.search(lena, Terms(event="robot.none", since=since), "")
    pages = 1
    while empty.page.after:
        empty = await made.searching.search(
            lena, Terms(event="robot.none", since=since), empty.page.after
        )
        pages += 1

    assert [entry.event for entry in first.entries] == ["tenant.added"]
    assert first.looked_to is not None
    assert pages == 11


async def test_nobody_with_protected_identity_is_found_by_name(world, made, lena):
    ingrid = await world.resident("Ingrid")
    await world.rows("update resident set is_protected = true where id = $1", ingrid.id)
    maria = await world.staff("Maria")
    await world.rows("update staff set is_protected = true where id = $1", maria.staff.id)

    result = await made.searching.search(lena, Terms(resident="Ingrid", staff="Maria"), "")

    assert [*result.residents, *result.staff, *result.page.entries] == []


async def test_a_list_shows_no_reasons_and_no_notes(world, client, lena):
    ingrid = await world.resident("Ingrid")
    async with world.begun() as db:
        what = {"reason": "Hemligt skäl", "note": "Hemlig anteckning", "words": "hemligt"}
        await append(db, Record(Action.CARD_READ, CLERK, [ingrid.person], what))

    _, page, _ = await searched(client, lena, **NEEDED)

    assert "Kortet öppnades" in page
    assert "emlig" not in page


async def test_a_record_is_shown_whole_with_its_place_and_that_it_was_opened(world, client, lena):
    ingrid = await world.resident("Ingrid")
    async with world.begun() as db:
        what = {"unheard_of": "x<y", "reason": "Skälet", "on": True, "nested": {"law": "SoL"}}
        entry = await append(db, Record(Action.CARD_READ, CLERK, [ingrid.person], what))

    status, page = await client.look(f"/audit/records/{entry}", lena)
    last = (await world.records())[-1]

    assert status == 200
    for shown in ("unheard_of", "x&lt;y", "Skälet", "Ingrid Provsson", "Lag", "SoL", "På</dt>"):
        assert shown in page
    assert "Händelsen väntar på sin plats" in page
    assert last["event"] == "log.record_read"
    assert last["what"] == {"entry": entry}
    assert [p["id"] for p in last["subject"]["persons"]] == [str(ingrid.id)]


async def test_somebody_with_protected_identity_stays_as_the_record_has_her(world, client, lena):
    ingrid = await world.resident("Ingrid")
    await world.rows("update resident set is_protected = true where id = $1", ingrid.id)
    async with world.begun() as db:
        person = (await known(db, ingrid.id)).person
        entry = await append(db, Record(Action.CARD_READ, CLERK, [person]))

    _, page = await client.look(f"/audit/records/{entry}", lena)

    assert "Skyddade uppgifter" in page
    assert "Ingrid Provsson" not in page


async def test_another_municipalitys_record_is_not_there(world, other_world, client, lena):
    theirs = await other_world.resident("Aino")
    entry = (await other_world.records())[-1]["entry_id"]
    before = await world.events()

    answers = [
        await client.look(f"/audit/records/{which}", lena)
        for which in (entry, 10**17, "x", uuid4())
    ]

    assert {status for status, _ in answers} == {404}
    assert len({page for _, page in answers}) == 1
    assert await world.events() == before
    assert theirs.name not in answers[0][1]


async def test_a_name_that_was_searched_for_stands_in_no_address(world, client, lena):
    await world.resident("Ingrid")

    _, page, _ = await searched(client, lena, resident="Ingrid", **NEEDED)

    addresses = [part.split('"')[0] for part in page.split('href="')[1:]]
    assert [one for one in addresses if "ngrid" in one] == []


async def test_a_search_can_be_gone_back_to_and_each_showing_is_recorded(world, client, lena):
    await world.resident("Ingrid")
    status, page, where = await searched(client, lena, resident="Ingrid", **NEEDED)
    again, same = await client.look(where, lena)
    number = page.split('href="/audit/records/')[1].split('"')[0]
    _, record = await client.look(f"/audit/records/{number}", lena)
    told = [event for event in await world.events() if event == "log.searched"]
    other = await world.staff("Olle", role=Role.GRANSKARE)
    hers, _ = await client.look(where, other)

    assert (status, again, hers) == (200, 200, 404)
    assert 'value="Ingrid"' in same
    assert f'class="crumb" href="{where}"' in record
    assert told == ["log.searched"] * 2


async def test_what_was_asked_for_is_kept_half_a_day(world, made, clock, lena):
    ask = made.searching.ask
    first = await ask(lena, Terms(), {"resident": "Ingrid"})
    clock.forward(hours=11)
    second = await ask(lena, Terms(), {"resident": "Aino"})
    clock.forward(hours=2)
    await world.run_due()

    assert await made.searching.asked(lena, second) == {"resident": "Aino"}
    with pytest.raises(NotFound):
        await made.searching.asked(lena, first)


async def test_whoever_only_reviews_begins_in_the_portal_and_can_sign_out(world, client, lena):
    nils = await world.staff("Nils", role=Role.SYSTEMFORVALTARE)

    begins = [await first_page(client, session) for session in (lena, nils)]
    _, _, where = await client.send("/audit/sign-out", lena)
    again, _ = await client.look("/audit", lena)

    assert begins == ["/audit", "/admin"]
    assert (where, again) == ("/", 303)


async def first_page(client, session):
    cookies = {STAFF_COOKIE: TOKENS[session.id]}
    async with client.http.get(client.url, allow_redirects=False, cookies=cookies) as answer:
        return answer.headers["Location"]


def test_a_page_mark_is_read_back_as_it_was_written():
    mark = After(7, Place(datetime(2026, 11, 23, 9, 0, 0, 123456, tzinfo=UTC), 2**40))

    assert After.parse(str(mark)) == mark
    for broken in ("", "x", str(mark)[:-3], str(mark) + "AAAA", "å"):
        with pytest.raises(FieldInvalid):
            After.parse(broken)


async def test_reading_needs_the_right_role(world, client):
    maria = await world.staff("Maria")

    status, _ = await client.look("/audit", maria)

    assert status == 403
    assert (await world.events())[-1] == "action.refused"

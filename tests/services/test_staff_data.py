"""Rules on staff's own data: off until two have decided; hashed at once; said against what."""

import base64
from datetime import date, timedelta
from uuid import uuid4

import aiohttp
import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from telecare.access.http import STAFF_COOKIE
from telecare.access.model import Role
from telecare.integrity.protocol import protocol
from telecare.integrity.rules import StaffRule
from telecare.integrity.staff_data import (
    StaffData,
    StaffDataClosed,
    StaffDataDecided,
    StaffDataNeedsAnother,
    StaffDataNotDecided,
)
from telecare.integrity.staff_data_store import NewDecision
from telecare.integrity.staff_file import (
    MOST_ROWS,
    StaffFileRows,
    StaffFileTooLong,
    read_staff_file,
)
from telecare.integrity.street import read_street
from telecare.people.national_id import NationalIdKeyMissing, read_national_id
from telecare.people.people_file import FileColumns, FileEmpty
from telecare.runtime.clock import STOCKHOLM
from telecare.runtime.sealing import Sealer
from telecare.wire.ids import StaffId
from tests.services.test_importing import number
from tests.services.test_reviews import clock, desk, ingrid, lena, rules  # noqa: F401
from tests.services.test_sequencer import files, kept, sequencer_database  # noqa: F401
from tests.world import TOKENS

ADDRESS, KIN, ROSTER = StaffRule
TODAY = date(2026, 11, 23)
SOMEBODY = uuid4()
DECISION = NewDecision(
    rules=tuple(StaffRule), decision="OMS 2026/77", decided_on=date(2026, 10, 1),
    law="SoLPuL 10 §", consulted="MBL 11 § med Kommunal 2026-09-12",
)  # fmt: skip


@pytest.fixture
async def ulf(world):
    return await world.staff("Ulf", role=Role.GRANSKARE)


@pytest.fixture
async def maria(world, ingrid):  # noqa: F811
    return await world.staff("Maria", assigned=(ingrid,))


@pytest.fixture
def data(made):
    return made.staff_data


@pytest.fixture
async def on(data, lena, ulf):  # noqa: F811
    """All three rules are decided; the decision."""
    decision = await data.propose(lena, DECISION)
    await data.approve(ulf, decision)
    return decision


def addresses(*rows):
    return "\r\n".join(["id;namn;adress;postnummer", *rows]).encode()


def kin(*rows):
    return "\r\n".join(["id;personnummer;relation", *rows]).encode()


def roster(*rows):
    return "\r\n".join(["id;från;till", *rows]).encode()


def around(now, *, hours):
    """A shift so long before and after, as told in Sweden."""
    ends = [(now + timedelta(hours=h)).astimezone(STOCKHOLM) for h in hours]
    return ";".join(f"{one:%Y-%m-%d %H:%M}" for one in ends)


async def with_number(world, resident, n):
    keeping = world.services.keeping
    national_id = read_national_id(n, world.now.date())
    digest = keeping.digest(world.tenant, national_id)
    await world.rows(
        "update resident set national_id_sealed = 'x', national_id_hash = $2 where id = $1",
        resident.id, digest,
    )  # fmt: skip


async def item_of(desk, entry):  # noqa: F811
    """The item drawn of a record, and the review."""
    shown = await desk.drawn()
    return next(one for one in shown.items if one.entry_id == entry), shown.review


def said(item):
    return {str(one.rule): one.why or str(one.day) for one in item.checks}


# --- addresses and files -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Provgatan 1", "PROVGATAN  1"),
        ("Provgatan 1", "Provg. 1"),
        ("Provgatan 1", "Provgatan 1, lgh 1102"),
        ("Provgatan 1", "Provgatan 1 2 tr"),
        ("Provgatan 1", "c/o Ek, Provgatan 1"),
        ("Provgatan 1 B", "provgatan 1b"),
        ("Sankt Eriks väg 3", "S:t Eriks väg 3"),
        ("Stora gatan 12", "Storag. 12"),
        ("Näs Norrgård", "näs norrgård, 731 30 Köping"),
        ("Lgh 1102, Provgatan 1", "Provgatan 1"),
    ],
)
def test_the_same_street_number_and_entrance_is_the_same_address(one, other):
    assert read_street(one).key == read_street(other).key


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Provgatan 1", "Provgatan 11"),
        ("Provgatan 1", "Provgatan 1 B"),
        ("Berg 5", "Berggatan 5"),
        ("Norra Provgatan 1", "Provgatan 1"),
    ],
)
def test_another_number_entrance_or_street_is_another_address(one, other):
    assert read_street(one).key != read_street(other).key


def test_a_postcode_is_found_wherever_it_stands():
    assert read_street("Provgatan 1, 731 30 Köping").postcode == "73130"
    assert read_street("Provgatan 1", "SE-731 30") == read_street("Provgatan 1, 73130")
    assert read_street("") is None
    assert read_street("731 30") is None


@given(st.text(max_size=60))
def test_any_text_is_read_as_an_address_or_as_none(text):
    street = read_street(text)
    assert street is None or street.key


@pytest.mark.parametrize(
    ("rule", "content", "told"),
    [
        (ADDRESS, lambda i: addresses("x;Eva;Gatan 1;"), "2 id staff_row_unknown"),
        (ADDRESS, lambda i: addresses(f"{i};Eva;;"), "2 adress staff_row_missing"),
        (ADDRESS, lambda i: addresses(f"{i};Eva;Gatan 1"), "2 - staff_row_width"),
        (ADDRESS, lambda i: addresses(f"{i};Eva;{'x' * 201};"), "2 - staff_row_width"),
        (KIN, lambda i: kin(f"{i};19420308-9803;själv"), "2 personnummer national_id_wrong"),
        (KIN, lambda i: kin(f"{i};{number(1)};granne"), "2 relation staff_row_relation"),
        (ROSTER, lambda i: roster(f"{i};i dag;2026-11-23 16:00"), "2 från staff_row_time"),
        (ROSTER, lambda i: roster(f"{i};2026-11-23 16:00;2026-11-23 07:00"),
         "2 till staff_row_time"),
        (ROSTER, lambda i: roster(f"{i};2026-11-23T07:00Z;2026-11-23 16:00"),
         "2 från staff_row_time"),
    ],
)  # fmt: skip
def test_a_row_that_cannot_be_used_is_named_by_its_number(rule, content, told):
    with pytest.raises(StaffFileRows) as refused:
        read_staff_file(content(SOMEBODY), rule, {SOMEBODY: StaffId(SOMEBODY)}, TODAY)

    assert refused.value.fields == (told,)


async def test_of_a_file_with_one_row_at_fault_nothing_is_taken(world, data, lena, maria, on):  # noqa: F811
    before = await world.events()

    with pytest.raises(StaffFileRows) as refused:
        await data.take_in(lena, ADDRESS, addresses(f"{maria.staff.id};;Gatan 1;", "x;;Gatan 1;"))

    assert refused.value.fields == ("3 id staff_row_unknown",)
    assert (await facts(world), await world.events()) == ([], before)


@pytest.mark.parametrize(
    ("content", "refusal"),
    [
        (b"id;adress;skostorlek\r\nx;y;z", FileColumns),
        (b"namn;adress\r\nx;y", FileColumns),
        (b"id;adress", FileEmpty),
        (b"id;adress\r\n" + b"x;y\r\n" * (MOST_ROWS + 1), StaffFileTooLong),
    ],
)
def test_a_file_of_another_shape_is_refused_whole(content, refusal):
    with pytest.raises(refusal):
        read_staff_file(content, ADDRESS, {}, TODAY)


# --- the decision --------------------------------------------------------------------------------


async def test_one_notes_the_decision_and_another_approves_it(world, data, lena, ulf):  # noqa: F811
    decision = await data.propose(lena, DECISION)
    with pytest.raises(StaffDataNeedsAnother):
        await data.approve(lena, decision)
    refused = (await world.records())[-1]
    assert (refused["event"], refused["what"]["code"]) == (
        "action.refused", "staff_data_needs_another",
    )  # fmt: skip
    with pytest.raises(StaffDataDecided):
        await data.propose(ulf, DECISION)

    await data.approve(ulf, decision)
    with pytest.raises(StaffDataClosed):
        await data.approve(ulf, decision)

    record = (await world.records())[-1]
    assert (record["event"], record["actor"]["name"]) == ("staff_data.approved", "Ulf Ek")
    assert record["what"]["rules"] == ["same_address", "registered_relative", "outside_roster"]
    assert record["what"]["consulted"] == "MBL 11 § med Kommunal 2026-09-12"
    assert record["basis"] == {"decision": "OMS 2026/77", "law": "SoLPuL 10 §"}


async def test_the_database_itself_wants_two_people(world, data, lena):  # noqa: F811
    decision = await data.propose(lena, DECISION)

    with pytest.raises(asyncpg.CheckViolationError):
        async with world.begun() as db:
            await db.execute(
                "update staff_data_decision set approved_by = proposed_by,"
                " approved_at = proposed_at where id = $1", decision,
            )  # fmt: skip


async def test_a_declined_decision_leaves_room_for_another(data, lena, ulf):  # noqa: F811
    decision = await data.propose(lena, DECISION)
    with pytest.raises(StaffDataClosed):
        await data.withdraw(ulf, decision)
    await data.decline(lena, decision)

    assert (await data.shown(lena)).decision is None
    await data.propose(ulf, DECISION)


async def test_nothing_is_taken_in_that_no_decision_in_force_covers(
    world, data, lena, ulf, maria  # noqa: F811
):  # fmt: skip
    content = roster(f"{maria.staff.id};2026-11-23 07:00;2026-11-23 16:00")
    with pytest.raises(StaffDataNotDecided):
        await data.take_in(lena, ROSTER, content)
    only = NewDecision((ADDRESS,), "2026/1", date(2026, 10, 1), "lag", "MBL")
    decision = await data.propose(lena, only)
    with pytest.raises(StaffDataNotDecided):
        await data.take_in(lena, ADDRESS, addresses(f"{maria.staff.id};;Gatan 1;"))
    await data.approve(ulf, decision)
    with pytest.raises(StaffDataNotDecided):
        await data.take_in(lena, ROSTER, content)

    assert await facts(world) == []


async def facts(world):
    return await world.rows(
        "select rule, kind, staff_id, digest from staff_fact where tenant_id = $1 order by rule, n",
        world.tenant,
    )


# --- what is sent in -----------------------------------------------------------------------------


async def test_clear_values_stand_nowhere_in_the_database_afterwards(
    world, data, lena, maria, on  # noqa: F811
):  # fmt: skip
    """Also not in the log, and not in what the record says."""
    me = maria.staff.id
    await data.take_in(lena, ADDRESS, addresses(f"{me};Maria;Kanariestigen 17;73199"))
    await data.take_in(lena, KIN, kin(f"{me};{number(5)};själv", f"{me};{number(6)};anhörig"))

    tables = await world.rows(
        "select format('%I.%I', schemaname, tablename) as name from pg_tables"
        " where schemaname in ('public', 'audit')"
    )
    numbers = [n for long in (number(5), number(6)) for n in (long, long[2:])]
    canaries = ["kanariestigen", *numbers, *(n.replace("-", "") for n in numbers)]
    for table in tables:
        found = await world.rows(
            f"select 1 from {table['name']} t where lower(t::text) like any($1) limit 1",
            [f"%{one}%" for one in canaries],
        )
        assert found == [], table["name"]
    record = (await world.records())[-1]
    assert record["event"] == "staff_data.sent"
    assert record["what"] == {
        "decision_id": str(on), "employed": 1, "left_out": 0, "own_numbers": 1, "relatives": 1,
        "rows": 2, "rule": "registered_relative",
    }  # fmt: skip


async def test_a_new_file_replaces_the_old_of_its_own_rule_only(world, data, lena, maria, on):  # noqa: F811
    me = maria.staff.id
    await data.take_in(lena, KIN, kin(f"{me};{number(5)};själv"))
    await data.take_in(lena, ADDRESS, addresses(f"{me};;Gatan 1;", f"{me};;Gatan 2;73130"))
    await data.take_in(lena, ADDRESS, addresses(f"{me};;Gatan 3;"))

    assert [row["kind"] for row in await facts(world)] == ["self", "street"]
    assert (await data.shown(lena)).imports[ADDRESS].row_count == 1


async def test_withdrawal_deletes_everything_that_was_sent_in(world, data, lena, ulf, maria, on):  # noqa: F811
    await data.take_in(lena, ADDRESS, addresses(f"{maria.staff.id};;Gatan 1;"))

    await data.withdraw(ulf, on)

    assert (await facts(world), (await data.shown(lena)).imports) == ([], {})
    assert (await world.events())[-1] == "staff_data.withdrawn"


async def test_the_servers_login_cannot_read_the_hashes_back(world, data, lena, maria, on):  # noqa: F811
    await data.take_in(lena, ADDRESS, addresses(f"{maria.staff.id};;Gatan 1;"))

    for column in ("digest", "staff_id", "since"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with world.begun() as db:
                await db.fetch(f"select {column} from staff_fact where tenant_id = $1", db.tenant)


async def test_of_staff_with_protected_identity_nothing_is_kept(
    world, data, lena, maria, on  # noqa: F811
):  # fmt: skip
    await world.rows("update staff set is_protected = true where id = $1", maria.staff.id)

    await data.take_in(lena, ADDRESS, addresses(f"{maria.staff.id};;Gatan 1;"))

    assert await facts(world) == []
    assert (await data.shown(lena)).imports[ADDRESS].left_out == 1
    assert str(maria.staff.id) not in await data.template(lena, ADDRESS)
    assert str(lena.staff.id) in await data.template(lena, ADDRESS)


async def test_without_a_key_file_nothing_is_taken_in(database, clock, lena, maria, on):  # noqa: F811
    keyless = StaffData(database, clock, None)
    with pytest.raises(NationalIdKeyMissing):
        await keyless.take_in(lena, ADDRESS, addresses(f"{maria.staff.id};;Gatan 1;"))


# --- comparing -----------------------------------------------------------------------------------


async def test_until_it_is_decided_every_item_says_not_checked(world, desk, ingrid):  # noqa: F811
    without = await desk.read(await world.staff("Per"), ingrid)
    item, review = await item_of(desk, without)
    assert said(item) == dict.fromkeys(StaffRule, "no_decision")
    assert [(str(one.rule), one.why, n) for one, n in review.checks] == [
        ("outside_roster", "no_decision", 1),
        ("registered_relative", "no_decision", 1),
        ("same_address", "no_decision", 1),
    ]


async def test_decided_but_not_sent_in_is_not_checked_either(desk, ingrid, maria, on):  # noqa: F811
    item, _ = await item_of(desk, await desk.read(maria, ingrid))

    assert said(item) == dict.fromkeys(StaffRule, "no_data")


async def test_a_shared_address_a_relative_and_a_day_off_shift_are_hits_with_their_day(
    world, data, desk, ingrid, lena, maria, on  # noqa: F811
):  # fmt: skip
    me, today = maria.staff.id, world.now.astimezone(STOCKHOLM).date()
    await world.call_back(ingrid)
    await with_number(world, ingrid, number(7))
    await data.take_in(lena, ADDRESS, addresses(f"{me};;provg. 1 lgh 1203;731 30"))
    await data.take_in(lena, KIN, kin(f"{me};{number(5)};själv", f"{me};{number(7)};anhörig"))
    # Short of an hour, and over half an hour away, on whichever side of midnight it is.
    shift = around(world.now, hours=(-1.6, -0.6) if today == day(world, -1.6) else (0.7, 1.6))
    await data.take_in(lena, ROSTER, roster(f"{me};{shift}"))
    entry = await desk.read(maria, ingrid)

    item, review = await item_of(desk, entry)

    assert [(str(hit.rule), dict(hit.values)) for hit in item.hits] == [
        ("same_address", {"day": str(today)}),
        ("registered_relative", {"day": str(today)}),
        ("outside_roster", {"day": str(today), "minutes": 30}),
    ]
    assert said(item) == dict.fromkeys(StaffRule, str(today))
    assert item.drawn == "rule"
    begun = next(r for r in await world.records() if r["event"] == "review.begun")
    assert begun["what"]["staff_rules"][0] == {
        "compared_with": str(today), "count": 1, "not_compared": None, "rule": "outside_roster",
    }  # fmt: skip
    facts_of_sample = protocol(review, [item], "Provköping", "sv").proves
    assert any(one.startswith("Samma adress: 1 av 1 jämförda") for one in facts_of_sample)


def day(world, hours):
    return (world.now + timedelta(hours=hours)).astimezone(STOCKHOLM).date()


async def test_no_hit_says_against_what_and_until_when(
    world, data, desk, ingrid, lena, maria, on, client  # noqa: F811
):  # fmt: skip
    me = maria.staff.id
    await world.call_back(ingrid)
    await with_number(world, ingrid, number(7))
    await data.take_in(lena, ADDRESS, addresses(f"{me};;Annangatan 2;"))
    await data.take_in(lena, KIN, kin(f"{me};{number(5)};själv"))
    await data.take_in(lena, ROSTER, roster(f"{me};{around(world.now, hours=(-3, -0.4))}"))
    entry = await desk.read(maria, ingrid)
    item, _ = await item_of(desk, entry)
    assert [str(hit.rule) for hit in item.hits] == []

    _, page = await client.look(f"/audit/items/{item.id}", lena)

    assert "Ingen släktskap registrerad i de uppgifter som lämnades in" in page
    assert "Ingen gemensam gatuadress i de uppgifter" in page
    assert "Inom arbetspasset" in page
    assert "ej kontrollerat" not in page


async def test_her_own_record_is_found(world, data, desk, ingrid, lena, maria, on):  # noqa: F811
    await with_number(world, ingrid, number(5))
    await data.take_in(lena, KIN, kin(f"{maria.staff.id};{number(5)};själv"))

    item, _ = await item_of(desk, await desk.read(maria, ingrid))

    assert "own_record" in [str(hit.rule) for hit in item.hits]


async def test_a_postcode_tells_two_streets_of_the_same_name_apart(
    world, data, desk, ingrid, lena, maria, on  # noqa: F811
):  # fmt: skip
    await world.rows(
        "update resident set address = 'Provgatan 1, 731 30 Köping' where id = $1", ingrid.id
    )
    await data.take_in(lena, ADDRESS, addresses(f"{maria.staff.id};;Provgatan 1;731 99"))

    item, _ = await item_of(desk, await desk.read(maria, ingrid))

    assert "same_address" not in [str(hit.rule) for hit in item.hits]


async def test_whoever_is_not_in_the_file_and_whoever_has_no_number_is_not_checked(
    world, data, desk, ingrid, lena, maria, on  # noqa: F811
):  # fmt: skip
    """No hit would read as no kinship."""
    per = await world.staff("Per", assigned=(ingrid,))
    me = per.staff.id
    away = around(world.now + timedelta(days=3), hours=(0, 8))
    await data.take_in(lena, ADDRESS, addresses(f"{me};;Gatan 1;"))
    await data.take_in(lena, KIN, kin(f"{me};{number(5)};själv"))
    await data.take_in(lena, ROSTER, roster(f"{me};{away}"))
    await world.rows("update resident set address = '' where id = $1", ingrid.id)
    hers = await desk.read(maria, ingrid)
    his = await desk.read(per, ingrid)
    list_ = await desk.read(per)

    shown = await desk.drawn()
    items = {one.entry_id: said(one) for one in shown.items}

    assert items[hers] == {
        "same_address": "no_staff_data", "registered_relative": "no_staff_data",
        "outside_roster": "no_day",
    }  # fmt: skip
    assert items[his] == {
        "same_address": "no_resident_data", "registered_relative": "no_resident_data",
        "outside_roster": "no_day",
    }  # fmt: skip
    assert items[list_]["same_address"] == "no_person"


async def test_protected_identities_are_not_compared_by_address(
    world, data, desk, ingrid, lena, maria, on  # noqa: F811
):  # fmt: skip
    await data.take_in(lena, ADDRESS, addresses(f"{maria.staff.id};;Provgatan 1;"))
    await world.rows("update resident set is_protected = true where id = $1", ingrid.id)

    item, _ = await item_of(desk, await desk.read(maria, ingrid))

    assert said(item)["same_address"] == "protected"
    assert "same_address" not in [str(hit.rule) for hit in item.hits]


async def test_hashes_of_another_key_are_not_taken_for_no_hit(
    world, made, data, database, clock, desk, ingrid, lena, maria, on  # noqa: F811
):  # fmt: skip
    other = StaffData(database, clock, Sealer(base64.b64decode("A" * 43 + "=")))
    await other.take_in(lena, ADDRESS, addresses(f"{maria.staff.id};;Provgatan 1;"))

    item, _ = await item_of(desk, await desk.read(maria, ingrid))

    assert said(item)["same_address"] == "other_key"


async def test_what_was_drawn_stays_as_it_was_when_the_decision_is_withdrawn(
    world, made, data, desk, ingrid, lena, ulf, maria, on  # noqa: F811
):  # fmt: skip
    await data.take_in(lena, ADDRESS, addresses(f"{maria.staff.id};;Provgatan 1;"))
    item, _ = await item_of(desk, await desk.read(maria, ingrid))

    await data.withdraw(ulf, on)

    after = (await made.reviews.of_item(lena, item.id)).item
    assert (after.hits, after.checks) == (item.hits, item.checks)
    assert "same_address" in [str(hit.rule) for hit in after.hits]


async def test_an_opening_without_a_mission_is_held_against_them_too(
    world, made, data, lena, ingrid, on  # noqa: F811
):  # fmt: skip
    per = await world.staff("Per", unit=world.night_unit)
    await data.take_in(lena, ADDRESS, addresses(f"{per.staff.id};;Provgatan 1;"))

    await made.break_glass.open(per, ingrid.id, "other", "Larm utan svar.")

    [item] = (await made.reviews.overview(lena)).openings
    assert [str(hit.rule) for hit in item.hits] == ["break_glass", "same_address"]
    assert said(item)["registered_relative"] == "no_data"


async def test_another_municipalitys_hashes_are_never_compared(
    world, other_world, made, data, desk, ingrid, lena, ulf, maria, on  # noqa: F811
):  # fmt: skip
    one = await other_world.staff("Eva", role=Role.GRANSKARE)
    two = await other_world.staff("Kim", role=Role.GRANSKARE)
    await data.approve(two, await data.propose(one, DECISION))
    with pytest.raises(StaffFileRows):
        await data.take_in(one, ADDRESS, addresses(f"{maria.staff.id};;Provgatan 1;"))

    assert [one.rule for one in (await data.shown(lena)).imports.values()] == []


# --- the page ------------------------------------------------------------------------------------


async def test_the_page_takes_the_decision_and_the_file_and_names_the_rows_at_fault(
    world, client, lena, ulf, maria  # noqa: F811
):  # fmt: skip
    path = "/audit/staff-data"
    form = {
        "rules": ["same_address", "outside_roster"], "decision": "OMS 2026/77",
        "decided_on": "2026-10-01", "law": "SoLPuL 10 §", "consulted": "MBL 11 §",
    }  # fmt: skip
    bad = await client.send(path, lena, **{**form, "rules": []})
    assert bad[0] == 422
    assert (await client.send(path, lena, **form))[0] == 303
    [row] = await world.rows(
        "select id from staff_data_decision where tenant_id = $1", world.tenant
    )
    status, page, _ = await client.send(f"{path}/approve", lena, one=str(row["id"]))
    assert (status, 'data-code="staff_data_needs_another"' in page) == (403, True)
    assert (await client.send(f"{path}/approve", ulf, one=str(row["id"])))[0] == 303
    _, template = await client.look(f"{path}/template/same_address", lena)
    assert str(maria.staff.id) in template

    wrong = await post(client, lena, addresses("x;;Kanariestigen 1;"))
    assert wrong[0] == 422
    assert 'data-code="staff_row_unknown"' in wrong[1]
    assert "Kanariestigen" not in wrong[1]
    assert (await post(client, lena, addresses(f"{maria.staff.id};;Gatan 1;")))[0] == 303
    _, page = await client.look(path, lena)
    assert "1 rader om 1 anställda" in page


async def post(client, session, content):
    form = aiohttp.FormData({"rule": "same_address"})
    form.add_field("file", content, filename="personal.csv", content_type="text/csv")
    async with client.http.post(
        f"{client.url}/audit/staff-data/file", data=form, headers={"Origin": client.url},
        cookies={STAFF_COOKIE: TOKENS[session.id]}, allow_redirects=False,
    ) as answer:  # fmt: skip
        return answer.status, await answer.text()


async def test_only_reviewers_come_here(client, maria):
    assert (await client.look("/audit/staff-data", maria))[0] == 403
    assert (await post(client, maria, addresses("x;;y;")))[0] == 403

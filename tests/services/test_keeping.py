"""The register of residents: who may keep it, what is checked, what its pages say."""

from dataclasses import replace
from datetime import date
from uuid import uuid4

import pytest

from telecare.access.errors import NotPermitted
from telecare.access.model import Role
from telecare.calls.model import State
from telecare.consent.model import Purpose
from telecare.people.keeping import Details, EndBeforeStart
from telecare.people.model import Representative
from telecare.people.national_id import NationalIdTaken, NationalIdWrong, read_national_id
from telecare.people.service import known
from telecare.runtime.errors import NotFound

TODAY = date(2026, 11, 23)


@pytest.fixture
async def per(world):
    return await world.staff("Per", role=Role.SAMORDNARE)


@pytest.fixture
def elsa(world):
    return Details(
        name="Elsa Prov", given_name="Elsa", unit_id=world.unit, language="sv",
        address="Provgatan 2", phone="", hearing="aid", to_know=("Ser dåligt",), priority=1,
        is_protected=False, national_id="19420308-9802",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("typed", "digits"),
    [
        ("19420308-9802", "194203089802"),
        ("420308-9802", "194203089802"),
        ("19420308 9802", "194203089802"),
        ("701063-2391", "197010632391"),
    ],
)
def test_a_number_is_read_however_it_is_typed(typed, digits):
    assert read_national_id(typed, TODAY).digits == digits


@pytest.mark.parametrize(
    "typed",
    ["19420308-9808", "19420230-9805", "20990101-9804", "x", "", "1942030898021", "१९४२०३०८९८०९"],
)
def test_a_number_that_cannot_be_is_refused(typed):
    with pytest.raises(NationalIdWrong):
        read_national_id(typed, TODAY)


async def test_a_resident_is_registered_with_what_is_known_and_a_shut_gate(world, made, per, elsa):
    resident_id = await made.keeping.register(per, elsa)

    card = await made.keeping.card(per, resident_id)

    assert (card.resident.name, card.resident.hearing, card.resident.priority) == (
        "Elsa Prov", "aid", 1,
    )  # fmt: skip
    assert (card.national_id, card.resident.born_on) == ("19420308-9802", date(1942, 3, 8))
    gates = await world.rows(
        "select purpose from consent_gate where resident_id = $1 order by 1", resident_id
    )
    assert [g["purpose"] for g in gates] == sorted(Purpose)
    assert (await world.events())[-2:] == ["resident.registered", "resident.register_read"]


async def test_the_number_stands_nowhere_in_the_database(world, made, per, elsa):
    await made.keeping.register(per, elsa)

    tables = await world.rows(
        "select format('%I.%I', n.nspname, c.relname) as name from pg_class c "
        "join pg_namespace n on n.oid = c.relnamespace "
        "where c.relkind in ('r', 'p') and n.nspname in ('public', 'audit')"
    )
    for table in tables:
        hits = await world.rows(
            f"select 1 from {table['name']} t where t::text ~ '420308-?9802' limit 1"
        )
        assert hits == [], table["name"]


async def test_two_people_never_share_a_number_and_another_municipality_may_have_it(
    world, other_world, made, per, elsa
):
    await made.keeping.register(per, elsa)
    before = await world.rows("select count(*) from resident where tenant_id = $1", world.tenant)

    with pytest.raises(NationalIdTaken):
        await made.keeping.register(per, replace(elsa, name="Någon annan"))

    after = await world.rows("select count(*) from resident where tenant_id = $1", world.tenant)
    assert after == before
    elsewhere = await other_world.staff("Per", role=Role.SAMORDNARE)
    await made.keeping.register(elsewhere, replace(elsa, unit_id=other_world.unit))


async def test_a_change_tells_what_stood_there(world, made, per, elsa):
    resident_id = await made.keeping.register(per, elsa)

    changed = replace(elsa, address="Storgatan 1", national_id=None, scale_percent=130)
    await made.keeping.change(per, resident_id, changed)

    record = (await world.records())[-1]
    assert (record["event"], record["what"]) == (
        "resident.changed",
        {"address": ["Provgatan 2", "Storgatan 1"], "scale_percent": [100, 130]},
    )  # fmt: skip
    assert (await made.keeping.card(per, resident_id)).national_id == "19420308-9802"


async def test_the_address_of_somebody_protected_stands_in_no_record(world, made, per, elsa):
    resident_id = await made.keeping.register(per, replace(elsa, is_protected=True))
    async with world.begun() as db:
        registered = await known(db, resident_id)
    await world.assign(per.staff.id, registered)

    await made.keeping.change(
        per, resident_id, replace(elsa, is_protected=True, address="Hemlig gata 7")
    )

    assert not any("Hemlig gata" in str(record) for record in await world.records())


async def test_a_cohabitant_who_moves_in_has_not_said_yes(world, made, per):
    ingrid = await world.resident("Ingrid")
    maria = await world.staff(assigned=(ingrid,))
    tv = await world.tv(ingrid)
    call_id = await made.calls.ring(maria, ingrid.id)
    await made.calls.answer(tv, call_id)

    await made.keeping.add_cohabitant(per, ingrid.id, name="Sven", relation="son")

    call = await world.rows("select state from call where id = $1", call_id)
    assert call == [{"state": str(State.ENDED)}]
    cohabitant = (await made.keeping.card(per, ingrid.id)).cohabitants[0]
    await made.keeping.move_out(per, ingrid.id, cohabitant.id)
    await made.calls.ring(maria, ingrid.id)


async def test_a_cohabitant_who_is_a_resident_is_known_as_herself(client, world, made, per):
    ingrid, sven = await world.resident("Ingrid"), await world.resident("Sven")
    path = f"/admin/people/{ingrid.id}/cohabitants"

    herself = await client.send(path, per, relation="make", is_resident_id=str(ingrid.id))
    nobody = await client.send(path, per, relation="make")
    good = await client.send(path, per, relation="make", is_resident_id=str(sven.id))
    twice = await client.send(path, per, relation="make", is_resident_id=str(sven.id))

    assert (herself[0], nobody[0], good[0], twice[0]) == (422, 422, 303, 422)
    lives = (await made.keeping.card(per, ingrid.id)).cohabitants
    assert [(one.name, one.is_resident_id) for one in lives] == [(sven.name, sven.id)]
    _, page = await client.look(f"/admin/people/{ingrid.id}", per)
    assert "är också brukare" in page


async def test_a_representative_has_kind_document_and_days(world, made, per):
    ingrid = await world.resident("Ingrid")
    guardian = Representative(
        uuid4(), "god_man", "Gun Mann", "021-1", "bevaka rätt", "Ä 12-26", TODAY, None
    )

    with pytest.raises(EndBeforeStart):
        await made.keeping.add_representative(
            per, ingrid.id, replace(guardian, valid_until=date(2026, 11, 22))
        )
    await made.keeping.add_representative(per, ingrid.id, guardian)

    card = await made.keeping.card(per, ingrid.id)
    assert card.representatives == [guardian]
    await made.keeping.end_representative(per, ingrid.id, guardian.id)
    assert (await made.keeping.card(per, ingrid.id)).representatives == []
    with pytest.raises(NotFound):
        await made.keeping.end_representative(per, ingrid.id, guardian.id)


async def test_another_units_register_is_not_hers(world, made, elsa):
    night = await world.staff("Nils", role=Role.SAMORDNARE, unit=world.night_unit)
    ingrid = await world.resident("Ingrid")

    for use in (
        made.keeping.register(night, elsa),
        made.keeping.card(night, ingrid.id),
        made.keeping.change(night, ingrid.id, elsa),
        made.keeping.add_cohabitant(night, ingrid.id, name="Sven", relation="son"),
    ):
        with pytest.raises(NotPermitted):
            await use
    assert await made.keeping.listed(night) == []


# --- the pages ----------------------------------------------------------------------------------


async def test_a_resident_is_set_up_by_forms_alone(client, world, made, per):
    fields = {
        "name": "Elsa Prov", "unit_id": str(world.unit), "national_id": "420308-9802",
        "language": "sv", "address": "Provgatan 2", "hearing": "hard", "priority": "1",
        "to_know": "Ser dåligt\r\n\r\nHar en katt",
    }  # fmt: skip

    wrong = await client.send("/admin/people", per, **{**fields, "national_id": "420308-9808"})
    status, _, path = await client.send("/admin/people", per, **fields)
    twice = await client.send("/admin/people", per, **fields)

    assert (wrong[0], status, twice[0]) == (422, 303, 409)
    assert "Personnumret stämmer inte." in wrong[1]
    assert "Någon är redan registrerad" in twice[1]
    path = path.split("?")[0]
    assert (await client.send(f"{path}/cohabitants", per, name="Sven", relation="make"))[0] == 303
    assert (
        await client.send(
            f"{path}/relatives", per, name="Eva", relation="dotter", phone="070-1234567"
        )
    )[0] == 303
    code = await made.devices.begin_tv_pairing()
    paired, page, _ = await client.send(f"{path}/screens", per, letters=code.letters)
    assert paired == 200
    for words in ("Samma ord ska stå på teven", "Sven", "Eva", "Har en katt", "19420308-9802"):
        assert words in page
    status, page, _ = await client.send(f"{path}/units", per, label="Teven i rummet")
    assert status == 200
    assert "Skriv in den i hemenheten inom 15 minuter." in page


async def test_a_person_of_another_municipality_is_not_found(client, world, other_world, per):
    theirs = await other_world.resident("Aino")

    status, page = await client.look(f"/admin/people/{theirs.id}", per)

    assert (status, "Aino" in page) == (404, False)

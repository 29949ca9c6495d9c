"""Keeping staff: invitations, roles with an end, lost keys, heads who cannot leave a unit alone."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from telecare.access.errors import LastHead, NotPermitted, SignInNeeded, TrainingMissing
from telecare.access.model import Permission, Role
from telecare.access.staffing import Details, NewRole
from telecare.runtime.errors import FieldInvalid
from tests.world import TOKENS


@pytest.fixture
async def eva(world):
    return await world.staff("Eva", role=Role.ENHETSCHEF)


def anna(world, **changes):
    return replace(Details("Anna Berg", world.unit, ("sv",), "sv", None), **changes)


async def the_one_called(world, name):
    rows = await world.rows(
        "select id from staff where tenant_id = $1 and name = $2", world.tenant, name
    )
    return rows[0]["id"]


async def roles_of(world, made, staff_id):
    async with world.begun() as db:
        from telecare.access import store  # noqa: PLC0415

        found = await store.staff(db, staff_id, world.now)
    return [str(role) for role in found.roles] if found else None


async def test_a_substitute_is_invited_at_night_and_helps_minutes_later(world, made, eva, clock):
    role = NewRole(Role.OMSORGSPERSONAL, world.unit)
    token = await made.staffing.add(eva, anna(world), [role])
    clock.forward(minutes=4)

    options = await made.passkeys.begin_registration(token, "ceremony")

    assert "Anna Berg" in options
    staff_id = await the_one_called(world, "Anna Berg")
    assert await roles_of(world, made, staff_id) == ["omsorgspersonal"]
    assert (await world.events())[-3:] == ["staff.added", "invitation.made", "role.given"]


async def test_a_coordinator_gives_no_role_above_her_own(world, made):
    per = await world.staff("Per", role=Role.SAMORDNARE)

    for role in (Role.ENHETSCHEF, Role.SAMORDNARE, Role.GRANSKARE):
        with pytest.raises(NotPermitted):
            await made.staffing.add(per, anna(world), [NewRole(role, world.unit)])

    rows = await world.rows("select 1 from staff where name = 'Anna Berg' and tenant_id = $1",
                            world.tenant)  # fmt: skip
    assert rows == []


async def test_nobody_gets_a_link_to_the_account_of_somebody_above_her(world, made, eva):
    per = await world.staff("Per", role=Role.SAMORDNARE)

    for use in (
        made.staffing.invite(per, eva.staff.id),
        made.staffing.revoke(per, eva.staff.id),
        made.staffing.change(per, eva.staff.id, anna(world)),
    ):
        with pytest.raises(NotPermitted):
            await use

    assert (await made.access.session(TOKENS[eva.id])).staff.name == eva.staff.name


async def test_another_units_staff_are_not_hers_to_keep(world, made, eva):
    other = await world.staff("Olle", unit=world.night_unit)

    with pytest.raises(NotPermitted):
        await made.staffing.revoke(eva, other.staff.id)
    assert [c.member.name for c in await made.staffing.listed(eva)] == [eva.staff.name]


async def test_night_supervision_needs_training_and_an_end(world, made, eva):
    maria = await world.staff()
    role = NewRole(Role.NATTILLSYN, world.unit)

    with pytest.raises(TrainingMissing) as refused:
        await made.staffing.give(eva, maria.staff.id, role)
    assert refused.value.fields == ("trained_on", "until")
    tomorrow = world.now.date() + timedelta(days=1)
    until = world.now + timedelta(days=90)
    with pytest.raises(FieldInvalid):
        await made.staffing.give(
            eva, maria.staff.id, replace(role, trained_on=tomorrow, until=until)
        )
    await made.staffing.give(
        eva, maria.staff.id, replace(role, trained_on=world.now.date(), until=until)
    )
    assert "nattillsyn" in await roles_of(world, made, maria.staff.id)


async def test_a_role_ends_at_the_minute(world, made, eva, clock):
    maria = await world.staff()
    until = world.now + timedelta(minutes=5)
    await made.staffing.give(eva, maria.staff.id, NewRole(Role.SAMORDNARE, world.unit, until=until))

    clock.forward(seconds=299)
    assert (await made.access.session(TOKENS[maria.id])).staff.may(Permission.PLAN)
    clock.forward(seconds=1)
    assert not (await made.access.session(TOKENS[maria.id])).staff.may(Permission.PLAN)


async def test_her_last_minute_ends_session_and_call(world, made, eva, clock):
    ingrid = await world.resident("Ingrid")
    maria = await world.staff(assigned=(ingrid,))
    tv = await world.tv(ingrid)
    call_id = await made.calls.ring(maria, ingrid.id)
    await made.calls.answer(tv, call_id)
    await made.calls.report(tv, call_id, "first_frame")
    ends_at = world.now + timedelta(minutes=10)
    details = Details("Maria Ek", world.unit, ("sv",), "sv", ends_at)
    await made.staffing.change(eva, maria.staff.id, details)

    clock.forward(minutes=10)
    await world.run_due()

    call = await world.rows("select state, end_reason from call where id = $1", call_id)
    assert call == [{"state": "ended", "end_reason": "staff_revoked"}]
    with pytest.raises(SignInNeeded):
        await made.access.session(TOKENS[maria.id])
    assert "staff.ended" in await world.events()


async def test_who_ended_can_be_let_in_again(world, made, eva, clock):
    maria = await world.staff()
    details = Details("Maria Ek", world.unit, ("sv",), "sv", world.now + timedelta(minutes=1))
    await made.staffing.change(eva, maria.staff.id, details)
    clock.forward(minutes=2)
    await world.run_due()

    await made.staffing.change(eva, maria.staff.id, replace(details, ends_at=None))

    assert await roles_of(world, made, maria.staff.id) == ["omsorgspersonal"]


@pytest.mark.parametrize("way", ["role", "revoke", "end date"])
async def test_the_last_head_cannot_leave_the_unit_without_one(world, made, eva, way):
    async def leave(session):
        if way == "role":
            kept = await made.staffing.colleague(session, session.staff.id)
            await made.staffing.end_role(session, session.staff.id, kept.given[0].id)
        elif way == "revoke":
            await made.staffing.revoke(session, session.staff.id)
        else:
            ends_at = world.now + timedelta(days=1)
            details = Details("Eva Ek", world.unit, ("sv",), "sv", ends_at)
            await made.staffing.change(session, session.staff.id, details)

    with pytest.raises(LastHead):
        await leave(eva)
    second = await world.staff("Sara", role=Role.ENHETSCHEF)
    await leave(eva)

    assert await roles_of(world, made, second.staff.id) == ["enhetschef"]


async def test_two_heads_who_remove_each_other_at_once_leave_one(world, made, eva):
    for _ in range(10):
        sara = await world.staff("Sara", role=Role.ENHETSCHEF)
        rows = await asyncio.gather(
            made.staffing.revoke(eva, sara.staff.id),
            made.staffing.revoke(sara, eva.staff.id),
            return_exceptions=True,
        )
        heads = await world.rows(
            "select s.id from staff s join access_grant g on g.staff_id = s.id "
            "where s.tenant_id = $1 and g.role = 'enhetschef' and s.revoked_at is null",
            world.tenant,
        )
        assert len(heads) == 1, rows
        eva = eva if heads[0]["id"] == eva.staff.id else sara


async def test_a_lost_key_opens_nothing_any_more(world, made, eva):
    maria = await world.staff()
    await world.rows(
        "insert into passkey (tenant_id, staff_id, credential_id, public_key, sign_count,"
        " created_at) values ($1, $2, $3, '\\x00', 0, now())",
        world.tenant, maria.staff.id, UUID(int=maria.staff.id.int).bytes,
    )  # fmt: skip
    old = await made.staffing.invite(eva, maria.staff.id)
    fresh = await made.staffing.invite(eva, maria.staff.id)

    with pytest.raises(SignInNeeded):
        await made.access.session(TOKENS[maria.id])
    found = await world.rows("select 1 from passkey_of($1)", UUID(int=maria.staff.id.int).bytes)
    assert found == []
    assert old != fresh
    links = await world.rows(
        "select used_at is null as works from invitation where staff_id = $1 order by expires_at",
        maria.staff.id,
    )
    assert sorted(row["works"] for row in links) == [False, True]


async def test_the_rights_are_gone_through_once_a_year_and_the_record_holds_them(world, made, eva):
    await world.staff("Maria")

    before = await made.staffing.rights(eva)
    await made.staffing.review(eva, world.unit)
    after = await made.staffing.rights(eva)

    assert [(r.at, r.by) for r in before.reviewed] == [(None, None)]
    assert [(r.at, r.by) for r in after.reviewed] == [(world.now, eva.staff.name)]
    record = (await world.records())[-1]
    assert record["event"] == "rights.reviewed"
    assert sorted(r["role"] for r in record["what"]["rights"]) == ["enhetschef", "omsorgspersonal"]


# --- the pages ----------------------------------------------------------------------------------


async def test_the_page_of_staff_shows_what_was_typed_when_it_is_refused(client, world, eva):
    fields = {
        "name": "Anna Berg", "unit_id": str(world.unit), "languages": ["sv", "fi"],
        "language": "sv", "role": "nattillsyn",
    }  # fmt: skip

    status, page, _ = await client.send("/admin/staff", eva, **fields)

    assert status == 422
    assert "Nattillsyn kräver datum för utbildning" in page
    assert 'value="Anna Berg"' in page
    assert page.count('aria-invalid="true"') == 1


async def test_a_new_colleagues_link_is_shown_once(client, world, eva):
    fields = {
        "name": "Anna Berg", "unit_id": str(world.unit), "languages": ["sv"], "language": "sv",
        "role": "omsorgspersonal",
    }  # fmt: skip

    status, page, _ = await client.send("/admin/staff", eva, **fields)

    assert status == 200
    assert f"{client.url}/invitation#" in page
    assert "<svg" in page
    _, listed = await client.look("/admin/staff", eva)
    assert "Anna Berg" in listed
    assert "/invitation#" not in listed


async def test_units_are_kept_by_forms_alone(client, world, made, eva):
    assert (await client.send("/admin/providers", eva, name="Ny utförare"))[0] == 303
    provider = (await made.care_units.register(eva)).providers[0]
    unit = {"name": "Kvällen", "phone": "ring", "provider_id": str(provider.id)}
    assert (await client.send("/admin/units", eva, **unit))[0] == 422
    unit["phone"] = "021-900 00"
    assert (await client.send("/admin/units", eva, **unit))[2] == "/admin/units?done=added"
    kept = {u.name: u.id for u in (await made.care_units.register(eva)).units}
    path = f"/admin/units/{kept['Kvällen']}/covers"
    hours = {"start": "21:00", "until": "21:00"}

    same = await client.send(path, eva, covers=str(world.unit), **hours)
    good = await client.send(path, eva, covers=str(world.unit), start="21:00", until="07:00")
    itself = await client.send(path, eva, covers=str(kept["Kvällen"]), start="21:00", until="07:00")

    assert (same[0], good[0], itself[0]) == (422, 303, 422)
    _, page = await client.look("/admin/units", eva)
    assert "Dagen klockan 21:00\N{EN DASH}07:00" in page
    assert (await client.send(f"{path}/end", eva, covers=str(world.unit)))[0] == 303
    assert (await made.care_units.register(eva)).covers == []


async def test_whoever_is_not_signed_in_comes_to_the_first_page(client):
    async with client.http.get(f"{client.url}/admin/staff", allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (303, "/")


async def test_a_refused_page_is_a_page(client, world):
    maria = await world.staff()

    status, page = await client.look("/admin/staff", maria)

    assert status == 403
    assert page.startswith("<!doctype html>")
    assert "Din roll får inte göra det." in page


async def test_a_system_administrator_begins_in_the_administration(client, world):
    nils = await world.staff("Nils", role=Role.SYSTEMFORVALTARE)

    async with client.http.get(
        f"{client.url}/", cookies={"__Host-telecare": TOKENS[nils.id]}, allow_redirects=False
    ) as answer:
        assert (answer.status, answer.headers["Location"]) == (303, "/admin")


async def test_a_system_administrator_sees_devices_and_no_person(client, world, clock):
    ingrid = await world.resident("Ingrid")
    await world.tv(ingrid)
    unit = await world.home_unit(ingrid)
    nils = await world.staff("Nils", role=Role.SYSTEMFORVALTARE)
    clock.forward(minutes=5)

    status, page = await client.look("/admin/devices", nils)

    assert status == 200
    assert unit.id in page
    assert "2 svarar inte" in page
    assert "Ingrid" not in page
    assert "Provgatan" not in page
    assert (await client.look("/admin/people", nils))[0] == 403
    assert (await client.look(f"/api/residents/{ingrid.id}", nils))[0] == 403

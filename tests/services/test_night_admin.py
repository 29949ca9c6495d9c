"""The pages where nights are agreed: each record a camera needs, and what is wrong in a word."""

import re
from datetime import date, timedelta

import pytest

from telecare.access.model import Role
from telecare.consent.model import Purpose

AGREED = "select * from night_agreement where resident_id = $1 and ended_at is null"
SLOTS = """
select s.at, s.modality from night_slot s join night_agreement a
    on a.tenant_id = s.tenant_id and a.id = s.agreement_id
where a.resident_id = $1 and a.ended_at is null order by s.at
"""
CAMERAS = "select id, name, place, activated_at, closed_at from night_camera where resident_id = $1"
FORM = {
    "camera_at": "23:00, 02:00",
    "visit_at": "06:00",
    "look_s": "20",
    "picture": "blurred",
    "retry_min": "10",
    "then": "phone",
    "notice": "lamp",
    "substitute": "visit",
    "window_min": "30",
    "alternatives": "Larmmatta provad i tre veckor",
    "informed_on": "2026-11-01",
    "informed_by": "in_person",
    "to_know": "Går ofta upp vid två.",
}


@pytest.fixture
async def eva(world):
    return await world.staff("Eva", role=Role.ENHETSCHEF)


@pytest.fixture
async def ingrid(world):
    return await world.resident("Ingrid")


async def with_camera(client, world, eva, ingrid) -> str:
    unit = await world.home_unit(ingrid)
    status, _, _ = await client.send(
        f"/admin/nights/{ingrid.id}/cameras", eva,
        endpoint_id=str(unit.endpoint_id), name="bedroom", place="Sovrum",
    )  # fmt: skip
    assert status == 303
    [camera] = await world.rows(CAMERAS, ingrid.id)
    return str(camera["id"])


async def test_a_head_writes_down_what_is_agreed_and_activates_the_camera(
    client, world, eva, ingrid
):
    page = f"/admin/nights/{ingrid.id}"
    _, before = await client.look(page, eva)
    assert "Konsekvensbedömning saknas" in before
    status, _, _ = await client.send(
        "/admin/nights", eva, reference="KS 2026/114", decided_on="2026-06-01"
    )
    assert status == 303
    camera = await with_camera(client, world, eva, ingrid)
    status, _, to = await client.send(page, eva, camera_id=camera, **FORM)
    assert (status, to.split("?")[0]) == (303, page)
    slots = await world.rows(SLOTS, ingrid.id)
    assert [(f"{s['at']:%H:%M}", s["modality"]) for s in slots] == [
        ("02:00", "camera"), ("06:00", "visit"), ("23:00", "camera"),
    ]  # fmt: skip

    status, refused, _ = await client.send(f"{page}/cameras/activate", eva, one=camera)
    assert status == 422
    assert "Kameran kan inte aktiveras än" in refused
    await world.yes(ingrid, Purpose.CAMERA_CHECK)
    status, _, _ = await client.send(f"{page}/cameras/activate", eva, one=camera)
    assert status == 303
    _, after = await client.look(page, eva)
    assert "Får användas" in after
    assert "23:00" in after
    _, listed = await client.look("/admin/nights", eva)
    assert ingrid.name in listed
    assert "KS 2026/114" in listed


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"camera_at": "25:00"}, "Kontrollera"),
        ({"camera_at": "två"}, "Kontrollera"),
        ({"camera_at": "", "visit_at": ""}, "Något saknas i överenskommelsen"),
        ({"alternatives": ""}, "Något saknas i överenskommelsen"),
        ({"informed_on": ""}, "Något saknas i överenskommelsen"),
        ({"substitute": "nothing"}, "Något saknas i överenskommelsen"),
        ({"informed_on": "2027-01-01"}, "Kontrollera"),
        ({"look_s": "90"}, "Kontrollera"),
    ],
)
async def test_what_is_missing_is_said_and_nothing_is_kept(
    client, world, made, eva, ingrid, changed, says
):
    await made.agreements.set_assessment(eva, "KS 2026/114", date(2026, 6, 1))
    camera = await with_camera(client, world, eva, ingrid)
    status, page, _ = await client.send(
        f"/admin/nights/{ingrid.id}", eva, camera_id=camera, **{**FORM, **changed}
    )
    assert status == 422
    assert says in page
    assert "Larmmatta" in page or "alternatives" in changed, "what was typed is still there"
    assert await world.rows(AGREED, ingrid.id) == []


async def test_an_agreement_and_a_camera_end_by_one_press(client, world, made, eva, ingrid):
    await made.agreements.set_assessment(eva, "KS 2026/114", date(2026, 6, 1))
    camera = await with_camera(client, world, eva, ingrid)
    page = f"/admin/nights/{ingrid.id}"
    await client.send(page, eva, camera_id=camera, **FORM)
    status, _, _ = await client.send(f"{page}/cameras/close", eva, one=camera)
    assert status == 303
    assert (await world.rows(CAMERAS, ingrid.id))[0]["closed_at"] is not None
    status, _, _ = await client.send(f"{page}/end", eva)
    assert status == 303
    assert await world.rows(AGREED, ingrid.id) == []


async def test_another_units_camera_or_name_is_refused(client, world, eva, ingrid):
    nils = await world.resident("Nils")
    unit = await world.home_unit(nils)
    status, _, _ = await client.send(
        f"/admin/nights/{ingrid.id}/cameras", eva,
        endpoint_id=str(unit.endpoint_id), name="bedroom", place="Sovrum",
    )  # fmt: skip
    assert status == 422
    camera = await with_camera(client, world, eva, nils)
    status, _, _ = await client.send(f"/admin/nights/{ingrid.id}", eva, camera_id=camera, **FORM)
    assert status == 422
    assert await world.rows(CAMERAS, ingrid.id) == []


async def test_what_ends_within_thirty_days_is_a_list_of_its_own(client, world, eva, ingrid):
    nils = await world.resident("Nils")
    for resident in (ingrid, nils):
        await world.yes(resident, Purpose.CAMERA_CHECK)
        page = f"/admin/nights/{resident.id}"
        await client.send("/admin/nights", eva, reference="KS 1", decided_on="2026-06-01")
        status, _, _ = await client.send(page, eva, **{**FORM, "camera_at": ""})
        assert status == 303
    today = world.now.date()
    set_yes = "update consent set valid_until = $2, ask_again_on = $3 where resident_id = $1"
    set_day = "update night_agreement set reassess_on = $2 where resident_id = $1"
    await world.rows(set_yes, ingrid.id, world.now + timedelta(days=10), None)
    await world.rows(set_day, ingrid.id, today - timedelta(days=1))
    await world.rows(set_yes, nils.id, world.now + timedelta(days=40), None)
    await world.rows(set_day, nils.id, today + timedelta(days=31))

    _, text = await client.look("/admin/nights", eva)

    soon = text.split('data-test="ending-soon"')[1].split("</section>")[0]
    assert re.findall(r'data-what="(\w+)"', soon) == ["reassess", "yes_ends"]
    assert ingrid.name in soon
    assert "Skulle ha gjorts" in soon.split("yes_ends")[0]
    assert nils.name not in soon


async def test_a_yes_that_is_gone_ends_no_more(client, world, eva, ingrid):
    await client.send("/admin/nights", eva, reference="KS 1", decided_on="2026-06-01")
    await world.yes(ingrid, Purpose.CAMERA_CHECK)
    await client.send(f"/admin/nights/{ingrid.id}", eva, **{**FORM, "camera_at": ""})
    await world.rows(
        "update consent set ask_again_on = $2 where resident_id = $1", ingrid.id, world.now.date()
    )
    _, before = await client.look("/admin/nights", eva)
    await world.rows("update consent set decision = 'withdrawn' where resident_id = $1", ingrid.id)
    _, after = await client.look("/admin/nights", eva)

    assert 'data-what="ask_again"' in before
    assert 'data-what="ask_again"' not in after

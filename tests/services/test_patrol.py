"""The night patrol's list: whom somebody must drive to, the most urgent first, each with why."""

import json
from datetime import UTC, datetime, time, timedelta

import pytest

from telecare.access.model import Role
from telecare.nightchecks.agreement import Modality, Slot, Substitute
from telecare.web.patrol import ROUTES
from tests.services.test_night_checks import AT_TWO, TWO, night  # noqa: F401 - a fixture

[PATROL] = ROUTES
READS = """
select what::jsonb ->> 'list' as list from audit.body
where tenant_id = $1 and event = 'list.read' and what::jsonb ->> 'list' = 'patrol'
"""


AT_HER_PAGE = "update session set used_at = $2, page_locked_at = null where id = $1"


async def listed(world, client, session) -> dict:
    await world.rows(AT_HER_PAGE, session.id, world.now)
    status, text, _ = await client.ask(PATROL, session=session)
    assert status == 200, text
    return json.loads(text)


async def asked_about(world, resident) -> str:
    [row] = await world.rows(
        "select id from dispatch where tenant_id = $1 and resident_id = $2",
        world.tenant, resident.id,
    )  # fmt: skip
    return row["id"]


async def test_a_paused_night_a_fault_and_an_alarm_stand_in_one_list_the_alarm_first(
    night, client  # noqa: F811
):  # fmt: skip
    world = night.world
    paused, broken = await night.home("Pausad"), await night.home("Trasig")
    await night.agreed(paused)
    await night.agreed(broken)
    screen = await world.tv(paused)
    await night.nights.pause_night(screen, somebody_comes=True)
    await world.rows(
        "update night_camera set closed_at = $3 where tenant_id = $1 and resident_id = $2",
        world.tenant, broken.id, TWO,
    )  # fmt: skip
    await night.at(TWO - timedelta(minutes=30))
    alarmed = await world.resident("Larm")
    alarm = await world.alarm(alarmed)
    receiver = await world.staff("Nina", role=Role.LARMMOTTAGARE, on_shift=True)
    await world.services.alarms.take(receiver, alarm)
    await world.services.alarms.send(receiver, alarm)

    jobs = (await listed(night.world, client, night.maria))["jobs"]

    assert jobs[0]["resident_name"] == alarmed.name
    assert {job["resident_name"]: job["why"] for job in jobs} == {
        alarmed.name: ["alarm.trigger.button"],
        paused.name: ["patrol.why.paused"],
        broken.name: ["patrol.why.fault"],
    }
    assert await world.rows(READS, world.tenant)


async def test_what_she_goes_to_stands_first_and_alone_says_what_to_know(night, client):  # noqa: F811
    ingrid, nils = [await night.home(name) for name in ("Ingrid", "Nils")]
    for resident in (ingrid, nils):
        await night.agreed(
            resident, slots=(Slot(time(2), Modality.VISIT),), to_know="Går ofta upp vid två."
        )
    await night.at(TWO - timedelta(minutes=30))
    world = night.world

    _, last = (await listed(world, client, night.maria))["jobs"]

    await world.services.dispatches.accept(night.maria, last["id"])
    first, second = (await listed(world, client, night.maria))["jobs"]

    assert (first["id"], first["is_mine"]) == (last["id"], True)
    assert first["to_know"] == "Går ofta upp vid två."
    assert (second["to_know"], second["accepted_by"]) == ("", None)
    assert second["why"] == ["patrol.why.agreed"]


async def test_of_two_who_wait_for_the_same_she_goes_first_who_is_asked_for_first(
    night, client  # noqa: F811
):  # fmt: skip
    ingrid, nils = [await night.home(name) for name in ("Ingrid", "Nils")]
    await night.agreed(ingrid, slots=(Slot(time(2), Modality.VISIT),))
    await night.agreed(nils, slots=(Slot(time(2, 1), Modality.VISIT),))
    await night.world.rows(
        "update resident set priority = 1 where tenant_id = $1 and id = $2",
        night.world.tenant, nils.id,
    )  # fmt: skip
    await night.at(TWO - timedelta(minutes=30))
    await night.at(TWO - timedelta(minutes=29))

    jobs = (await listed(night.world, client, night.maria))["jobs"]

    assert [job["resident_name"] for job in jobs] == [nils.name, ingrid.name]


async def test_what_is_done_stands_below_until_the_night_is_over(night, client):  # noqa: F811
    ingrid = await night.home()
    await night.agreed(ingrid, slots=(Slot(time(2), Modality.VISIT),))
    await night.at(TWO - timedelta(minutes=30))
    world, dispatches = night.world, night.world.services.dispatches
    drive = await asked_about(world, ingrid)
    await dispatches.accept(night.maria, drive)
    world.services.clock.at = TWO
    await dispatches.arrive(night.maria, drive)
    world.services.clock.at = TWO + timedelta(minutes=18)
    await dispatches.close(night.maria, drive, "Hjälp till toaletten")

    found = await listed(night.world, client, night.maria)
    assert found["jobs"] == []
    [done] = found["done"]
    assert (done["outcome"], done["minutes"]) == ("Hjälp till toaletten", 18)
    world.services.clock.at = datetime(2026, 11, 24, 11, 30, tzinfo=UTC)
    assert (await listed(night.world, client, night.maria))["done"] == []


async def test_who_is_protected_has_no_name_and_no_address_before_somebody_goes(
    night, client  # noqa: F811
):  # fmt: skip
    ingrid = await night.home()
    await night.agreed(ingrid, slots=(Slot(time(2), Modality.VISIT),))
    await night.world.rows(
        "update resident set is_protected = true where tenant_id = $1 and id = $2",
        night.world.tenant, ingrid.id,
    )  # fmt: skip
    await night.at(TWO - timedelta(minutes=30))

    [job] = (await listed(night.world, client, night.maria))["jobs"]

    assert (job["resident_name"], job["address"]) == ("", "")


async def test_without_a_shift_there_is_no_list(night, client):  # noqa: F811
    lena = await night.world.staff("Lena", role=Role.NATTILLSYN)

    status, text, _ = await client.ask(PATROL, session=lena)

    assert (status, json.loads(text)["code"]) == (403, "not_on_shift")


@pytest.mark.parametrize(
    ("looks", "why"), [(0, ["no_answer"]), (2, ["not_seen_twice", "no_answer"])]
)
async def test_she_who_was_rung_in_vain_is_said_to_have_been_rung(night, client, looks, why):  # noqa: F811
    ingrid = await night.home()
    slots = AT_TWO if looks else (Slot(time(2), Modality.PHONE),)
    await night.agreed(ingrid, slots=slots, phone_first=True, substitute=Substitute.VISIT)
    await night.at(TWO - timedelta(minutes=30))
    check = await night.the_check(ingrid)
    if looks:
        await night.world.rows(
            "update night_check set state = 'phone', looks = 2, last_outcome = 'not_seen'"
            " where tenant_id = $1 and id = $2",
            night.world.tenant, check["id"],
        )  # fmt: skip
    await night.nights.phoned(night.maria, check["id"], reached=False)

    [job] = (await listed(night.world, client, night.maria))["jobs"]

    assert job["why"] == [f"patrol.why.{one}" for one in why]
    assert job["urgency"] == 2

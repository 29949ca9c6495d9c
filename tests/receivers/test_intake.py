"""What other makers' units send reaches the database: once, with its record, and never by half."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address, ip_network

import pytest

from telecare.access.errors import NotPermitted
from telecare.access.model import Role
from telecare.alarms.alarm_units import (
    AlarmAccountTaken,
    AlarmKeyMissing,
    AlarmProofMissing,
    AlarmUnits,
    Details,
    Settings,
)
from telecare.alarms.falling import FallingMessages
from telecare.alarms.intake import Intake, Whose
from telecare.alarms.receivers.arrived import Arrived, Claim, Refused, Voice
from telecare.alarms.technical.overview import Overview
from telecare.app import sealer_of
from telecare.runtime.db import open_database
from telecare.runtime.errors import FieldInvalid, NotFound
from telecare.runtime.sealing import Sealer
from telecare.wire.ids import AlarmUnitId, new_row_id

HERE = (ip_network("127.0.0.0/8"),)
ALARMS = "select * from alarm where tenant_id = $1 order by received_at, id"
STEPS = "select kind from alarm_step where tenant_id = $1 order by alarm_id, n"
MESSAGES = "select * from alarm_unit_message where tenant_id = $1 order by id"
TECHNICAL = "select * from technical_alarm where tenant_id = $1 order by raised_at, id"
BEFORE_OTHERS = datetime(2019, 3, 1, tzinfo=UTC)
"""What falls then is of no other test."""
UNITS = "select * from alarm_unit where tenant_id = $1 order by registered_at"


@pytest.fixture
async def ingrid(world):
    return await world.resident("Ingrid")


@pytest.fixture
async def eva(world):
    return await world.staff("Eva", role=Role.SAMORDNARE)


@pytest.fixture
async def unit(made, eva, ingrid):
    """A trygghetstelefon in Ingrid's home; its id."""
    details = Details(ingrid.id, "scaip", "700123", Settings(networks=HERE, place="hallen"))
    return await made.alarm_units.register(eva, details)


@pytest.fixture
def intake(made, world, config):
    whose = Whose({"north": world.tenant}, exchanges={world.tenant: ("sip:larm@vaxel.example",)})
    return Intake(made.database, made.clock, sealer_of(config), whose)


def arrived(**more):
    values = {
        "claim": Claim("scaip", "north", "larm.example", "700123", ip_address("127.0.0.1")),
        "is_proven": True,
        "reference": "aB3",
        "fingerprint": b"1" * 32,
        "same_for": timedelta(hours=24),
        "kind": "alarm",
        "trigger": "button",
        "codes": (("ref", "aB3"), ("stc", "0010")),
        **more,
    }
    return Arrived(**values)


# --- alarms -----------------------------------------------------------------------------------


async def test_an_alarm_of_a_registered_unit_is_the_residents(intake, world, ingrid, unit):
    answer = await intake.receive(arrived(device="Doro", voice=Voice(("gsm:+46",))))

    assert (answer.is_known, answer.is_repeat) == (True, False)
    assert answer.voice_to == ("sip:larm@vaxel.example",)
    [alarm] = await world.rows(ALARMS, world.tenant)
    assert (alarm["resident_id"], alarm["source"], alarm["source_id"]) == (
        ingrid.id,
        "scaip",
        str(unit),
    )
    assert (alarm["state"], alarm["trigger"], alarm["device"], alarm["place"]) == (
        "new",
        "button",
        "Doro",
        "hallen",
    )
    [record] = [r for r in await world.records() if r["event"] == "alarm.raised"]
    assert record["actor"] == {
        "channel": "alarm_unit",
        "home_of": str(ingrid.id),
        "id": str(unit),
        "kind": "home",
    }
    [message] = await world.rows(MESSAGES, world.tenant)
    assert (message["alarm_id"], message["alarm_unit_id"]) == (alarm["id"], unit)


async def test_what_nobody_has_a_code_for_is_as_urgent_as_a_button(intake, world, unit):
    await intake.receive(arrived(trigger="other", codes=(("stc", "4711"),)))

    [alarm] = await world.rows(ALARMS, world.tenant)
    assert (alarm["state"], alarm["priority"], alarm["trigger"]) == ("new", 1, "other")


@pytest.mark.parametrize(
    ("more", "place"),
    [
        ({"place": "hos Ingrid", "room": "kitchen"}, "hos Ingrid"),
        ({"room": "kitchen"}, "kök"),
        ({}, "hallen"),
    ],
)
async def test_staff_are_told_where_as_exactly_as_anybody_knows(intake, world, unit, more, place):
    await intake.receive(arrived(**more))

    assert [alarm["place"] for alarm in await world.rows(ALARMS, world.tenant)] == [place]


async def test_a_test_is_a_test_and_a_sign_of_life_is_no_alarm(intake, world, unit, clock):
    await intake.receive(arrived(kind="heartbeat"))
    clock.forward(seconds=1)
    await intake.receive(arrived(kind="test", reference="t1"))
    await intake.receive(arrived(kind="information", reference="i1"))

    assert [a["state"] for a in await world.rows(ALARMS, world.tenant)] == ["tested"]
    assert [u["seen_at"] for u in await world.rows(UNITS, world.tenant)] == [world.now]
    kinds = {m["kind"] for m in await world.rows(MESSAGES, world.tenant)}
    assert kinds == {"test", "information"}


async def test_a_unit_that_withdraws_marks_its_alarms_and_no_others(
    intake, world, made, eva, ingrid, unit
):
    await made.alarm_units.register(
        eva, Details(ingrid.id, "scaip", "700124", Settings(networks=HERE))
    )
    other = replace(arrived().claim, account="700124")
    await intake.receive(arrived())
    await intake.receive(arrived(claim=other))

    await intake.receive(arrived(kind="cancel", reference="c1"))

    alarms = await world.rows(ALARMS, world.tenant)
    assert [(a["state"], a["cancelled_at"] is not None) for a in alarms] == [
        ("new", a["source_id"] == str(unit)) for a in alarms
    ]
    assert sum(a["cancelled_at"] is not None for a in alarms) == 1
    assert "withdrawn" in [row["kind"] for row in await world.rows(STEPS, world.tenant)]
    assert "alarm.cancelled" in await world.events()


async def test_an_alarm_stands_when_its_record_cannot_be_entered(
    intake, world, unit, clock, as_superuser
):
    body = "create or replace function audit.at() returns timestamptz language sql volatile as "
    await as_superuser(f"{body} $$ select '2031-01-01 00:00Z'::timestamptz $$")
    try:
        assert (await intake.receive(arrived())).is_known
    finally:
        await as_superuser(f"{body} 'select clock_timestamp()'")

    clock.forward(seconds=11)
    await world.run_due()

    [record] = [r for r in await world.records() if r["event"] == "alarm.raised"]
    assert record["what"]["written_afterwards"] is True
    assert (record["actor"]["channel"], record["actor"]["id"]) == ("alarm_unit", str(unit))


# --- repeats ----------------------------------------------------------------------------------


async def test_what_comes_again_is_answered_again_and_stored_once(intake, world, unit, clock):
    first = await intake.receive(arrived())
    clock.forward(hours=23)

    again = await intake.receive(arrived())

    assert (first.is_repeat, again.is_repeat, again.is_known) == (False, True, True)
    assert len(await world.rows(ALARMS, world.tenant)) == 1


@pytest.mark.parametrize("is_proven", [True, False])
async def test_two_ways_of_one_alarm_at_once_are_one(intake, world, unit, is_proven):
    said = arrived(is_proven=is_proven)
    answers = await asyncio.gather(*(intake.receive(said) for _ in range(5)))

    assert sorted(answer.is_repeat for answer in answers) == [False, True, True, True, True]
    assert len(await world.rows(MESSAGES, world.tenant)) == 1
    assert len(await world.rows(ALARMS, world.tenant)) == is_proven


@pytest.mark.parametrize(
    "more",
    [{"reference": "aB4"}, {"fingerprint": b"2" * 32}, {"same_for": timedelta(hours=1)}],
)
async def test_another_number_other_contents_or_much_later_is_another_alarm(
    intake, world, unit, clock, more
):
    await intake.receive(arrived())
    clock.forward(hours=2)

    await intake.receive(arrived(**more))

    assert len(await world.rows(ALARMS, world.tenant)) == 2


async def test_a_unit_that_numbers_all_alike_is_heard_again_when_its_alarm_is_closed(
    intake, world, made, unit
):
    await intake.receive(arrived())
    [alarm] = await world.rows(ALARMS, world.tenant)
    await world.superuser.execute(
        "update alarm set state = 'closed', contact_at = $2 where id = $1", alarm["id"], world.now
    )

    again = await intake.receive(arrived())

    assert not again.is_repeat
    assert len(await world.rows(ALARMS, world.tenant)) == 2


# --- units that nobody knows, or that prove nothing ---------------------------------------------


@pytest.mark.parametrize("more", [{"is_proven": False}, {"account": "31007"}])
async def test_what_is_not_proven_is_stored_and_raises_no_ones_alarm(intake, world, unit, more):
    claim = replace(arrived().claim, account=more.pop("account", "700123"))

    answer = await intake.receive(arrived(claim=claim, **more))

    assert (answer.is_known, answer.is_repeat) == (False, False)
    assert await world.rows(ALARMS, world.tenant) == []
    [message] = await world.rows(MESSAGES, world.tenant)
    assert (message["account"], message["alarm_unit_id"]) == (claim.account, None)


async def test_what_was_said_unproven_before_hides_no_alarm(intake, world, unit):
    await intake.receive(arrived(is_proven=False))

    answer = await intake.receive(arrived())

    assert (answer.is_known, answer.is_repeat) == (True, False)
    assert len(await world.rows(ALARMS, world.tenant)) == 1


async def test_what_is_proven_already_is_not_shown_again_as_unproven(intake, world, unit):
    await intake.receive(arrived())

    answer = await intake.receive(arrived(is_proven=False))

    assert (answer.is_known, answer.is_repeat) == (False, True)


async def test_a_closed_unit_is_out_with_the_commit_and_what_it_sends_is_kept(
    intake, world, made, eva, unit
):
    await intake.receive(arrived())
    await made.alarm_units.close(eva, unit)

    assert await intake.look_up(arrived().claim) is None
    answer = await intake.receive(arrived(reference="aB4"))

    assert not answer.is_known
    assert len(await world.rows(ALARMS, world.tenant)) == 1
    assert len(await world.rows(MESSAGES, world.tenant)) == 2


async def test_whose_receiver_it_was_says_whose_alarm_it_is(
    intake, world, other_world, made, config, unit
):
    whose = Whose({"north": other_world.tenant}, {"larm.example": world.tenant})
    shared = Intake(made.database, made.clock, sealer_of(config), whose)

    assert (await shared.receive(arrived())).is_known
    elsewhere = replace(arrived().claim, domain="")
    assert not (await shared.receive(arrived(claim=elsewhere))).is_known

    assert len(await world.rows(ALARMS, world.tenant)) == 1
    assert len(await world.rows(MESSAGES, other_world.tenant)) == 1


async def test_what_nobody_can_read_is_kept_as_a_digest(intake, world):
    await intake.refuse(
        Refused("scaip", "north", ip_address("127.0.0.1"), "9", "scaip_bad_format", b"<mrq>hemligt")
    )

    rows = await world.rows("select * from event_reject where topic = 'scaip/north/9'")
    assert [row["reason"] for row in rows] == ["scaip_bad_format"]
    assert b"hemligt" not in rows[0]["payload_sha256"]
    assert await world.rows(TECHNICAL, world.tenant) == []


async def test_a_registered_unit_that_nobody_can_read_is_to_be_seen_to(intake, world, ingrid, unit):
    here = ip_address("127.0.0.1")
    for _ in range(2):
        await intake.refuse(
            Refused("scaip", "north", here, "700123", "scaip_tag_missing", b"<mrq>")
        )

    [shown] = await world.rows(TECHNICAL, world.tenant)
    assert (shown["kind"], shown["resident_id"]) == ("unit_fault", ingrid.id)


async def test_an_unknown_units_alarm_stands_in_the_technical_queue_until_somebody_sees_to_it(
    intake, world, made
):
    maria = await world.staff("Maria", role=Role.LARMMOTTAGARE, on_shift=True)
    claim = replace(arrived().claim, account="31007")
    said = arrived(claim=claim, is_proven=False, device="Doro", place="badrum")
    for n in range(3):
        await intake.receive(replace(said, reference=f"r{n}"))

    [shown] = await world.rows(TECHNICAL, world.tenant)
    assert (shown["kind"], shown["unit_id"]) == ("unknown_sender", None)
    assert shown["detail"] == "SCAIP 31007, Doro, badrum"
    assert (await world.events()).count("technical.raised") == 1
    messages = await world.rows(MESSAGES, world.tenant)
    assert [m["technical_alarm_id"] for m in messages] == [shown["id"]] * 3
    told = [r["what"] for r in await world.records() if r["event"] == "alarm.unproven"]
    assert [(one["account"], one["kind"], one["place"]) for one in told] == [
        ("31007", "alarm", "badrum")
    ] * 3

    await made.technical.close(maria, shown["id"], "Ringde")
    await intake.receive(replace(said, reference="r4"))

    assert len(await world.rows(TECHNICAL, world.tenant)) == 2


@pytest.fixture
async def daily(made, eva, ingrid):
    """A unit of Ingrid's that is set up to be heard each day; its claim."""
    details = Details(
        ingrid.id, "scaip", "800", Settings(networks=HERE, place="köket", signs_every_h=24)
    )
    await made.alarm_units.register(eva, details)
    return replace(arrived().claim, account="800")


async def test_a_unit_that_is_not_heard_in_its_time_is_told_of_once_until_it_is(
    intake, world, made, clock, ingrid, daily
):
    sign = arrived(claim=daily, kind="heartbeat")
    clock.forward(hours=23)
    await intake.receive(sign)
    heard_at = clock.at
    clock.forward(hours=23)
    await world.run_due()
    assert await world.rows(TECHNICAL, world.tenant) == []

    for _ in range(3):
        clock.forward(hours=1)
        await world.run_due()

    [shown] = await world.rows(TECHNICAL, world.tenant)
    assert (shown["kind"], shown["device"], shown["resident_id"]) == (
        "unit_silent", "800", ingrid.id,
    )  # fmt: skip
    assert shown["began_at"] == heard_at
    maria = await world.staff("Maria", role=Role.LARMMOTTAGARE, on_shift=True)
    await made.technical.close(maria, shown["id"], "Ringde henne")
    [health] = await Overview(made.database, clock).listed(maria)
    assert (health.need.name, health.is_here) == ("SILENT", False)
    assert health.longest_silence == clock.at - heard_at
    await intake.receive(sign)
    [shown] = await world.rows(TECHNICAL, world.tenant)
    assert shown["ended_at"] == clock.at


async def test_other_makers_units_stand_on_the_devices_page_with_what_is_known_of_them(
    intake, world, made, clock, unit, daily, other_world
):
    maria = await world.staff("Maria", role=Role.LARMMOTTAGARE, on_shift=True)
    overview = Overview(made.database, clock)

    async def shown():
        listed = {one.device.account: one for one in await overview.listed(maria)}
        return [
            (account, one.need.name, one.is_here) for account, one in sorted(listed.items())
        ], listed

    await intake.receive(arrived(kind="heartbeat"))
    await intake.receive(arrived(claim=daily, kind="test", reference="t1"))
    states, listed = await shown()
    assert states == [("700123", "TEST", None), ("800", "NOTHING", True)]
    assert listed["800"].tried.tested_at == listed["700123"].device.seen_at == clock.at
    assert (listed["700123"].longest_silence, listed["800"].device.place) == (None, "köket")

    fault = arrived(claim=daily, kind="technical", fault="battery_low", reference="b1")
    await intake.receive(fault)
    await intake.receive(arrived(kind="technical", fault="mains_lost", reference="m1"))
    states, listed = await shown()
    assert states == [("700123", "FAULT", None), ("800", "BATTERY", True)]
    assert listed["700123"].device.troubles == ("unit_mains",)

    await overview.ask_for(maria, listed["800"].device.id)
    _, listed = await shown()
    assert listed["800"].device.is_asked_for
    theirs = await other_world.staff("Per", on_shift=True)
    assert await overview.listed(theirs) == []
    with pytest.raises(NotFound):
        await overview.ask_for(theirs, listed["800"].device.id)
    await made.alarm_units.close(await world.staff("Ebba", role=Role.SAMORDNARE), unit)
    assert (await shown())[0] == [("800", "BATTERY", True)]


async def test_what_units_said_falls_after_its_time_and_what_nobody_has_seen_to_stays(
    intake, world, made, unit, clock, config
):
    maria = await world.staff("Maria", role=Role.LARMMOTTAGARE, on_shift=True)
    unknown = arrived(claim=replace(arrived().claim, account="31007"), is_proven=False)
    today, clock.at = clock.at, BEFORE_OTHERS
    await intake.receive(arrived(reference="old"))
    await intake.receive(replace(unknown, reference="unseen"))
    clock.forward(days=2)
    await intake.receive(arrived(reference="young"))
    alarms, later = await world.rows(ALARMS, world.tenant), clock.at

    async def left_after(days):
        async with open_database(config.role_url("eraser"), size=1) as eraser:
            await FallingMessages(eraser, clock, days).go_round()
        return sorted(row["reference"] for row in await world.rows(MESSAGES, world.tenant))

    assert await left_after(3) == ["old", "unseen", "young"]
    assert await left_after(1) == ["unseen", "young"]
    [shown] = await world.rows(TECHNICAL, world.tenant)
    clock.at = today
    await made.technical.close(maria, shown["id"], "Ringde")
    clock.at = later
    assert await left_after(1) == ["young"]
    assert await world.rows(ALARMS, world.tenant) == alarms


async def test_a_sign_of_life_of_an_unknown_unit_troubles_nobody(intake, world):
    claim = replace(arrived().claim, account="31007")

    await intake.receive(arrived(claim=claim, is_proven=False, kind="heartbeat"))

    assert await world.rows(TECHNICAL, world.tenant) == []


@pytest.mark.parametrize(
    ("begins", "ends", "kind"),
    [
        ("battery_low", "battery_ok", "unit_battery"),
        ("mains_lost", "mains_back", "unit_mains"),
        ("radio_lost", "radio_back", "unit_line"),
    ],
)
async def test_a_units_fault_is_shown_once_and_over_when_it_says_so(
    intake, world, ingrid, unit, begins, ends, kind
):
    for n in range(2):
        await intake.receive(arrived(kind="technical", fault=begins, reference=f"f{n}"))
    [shown] = await world.rows(TECHNICAL, world.tenant)
    assert (shown["kind"], shown["resident_id"], shown["device"]) == (kind, ingrid.id, "700123")
    assert shown["ended_at"] is None

    await intake.receive(arrived(kind="technical", fault=ends, reference="over"))

    [shown] = await world.rows(TECHNICAL, world.tenant)
    assert shown["ended_at"] == world.now
    found = [event for event in await world.events() if event.startswith("technical.")]
    assert found == ["technical.raised", "technical.ended"]


# --- voice ------------------------------------------------------------------------------------


async def test_a_minute_without_voice_stands_in_what_has_happened(intake, world, unit, clock):
    await intake.receive(arrived(voice=Voice()))
    clock.forward(seconds=59)
    await world.run_due()
    assert "no_voice" not in [row["kind"] for row in await world.rows(STEPS, world.tenant)]

    clock.forward(seconds=1)
    await world.run_due()

    assert "no_voice" in [row["kind"] for row in await world.rows(STEPS, world.tenant)]


async def test_whoever_has_spoken_with_her_is_voice_enough(intake, world, made, unit, clock):
    maria = await world.staff("Maria", role=Role.LARMMOTTAGARE, on_shift=True)
    await intake.receive(arrived(voice=Voice()))
    [alarm] = await world.rows(ALARMS, world.tenant)
    await made.alarms.take(maria, alarm["id"])
    await made.alarms.talked(maria, alarm["id"], "resident")

    clock.forward(seconds=61)
    await world.run_due()

    assert "no_voice" not in [row["kind"] for row in await world.rows(STEPS, world.tenant)]


# --- the register -----------------------------------------------------------------------------


async def test_a_units_secret_is_sealed_and_proves_it(intake, world, made, eva, ingrid):
    details = Details(ingrid.id, "scaip", "700125", Settings(password="hemligt ord"))  # noqa: S106
    await made.alarm_units.register(eva, details)

    profile = await intake.look_up(replace(arrived().claim, account="700125"))

    assert profile.password == "hemligt ord"
    [row] = await world.rows(UNITS, world.tenant)
    assert b"hemligt ord" not in row["password"]
    assert "hemligt ord" not in str(await world.records())


async def test_a_key_opens_what_a_dc09_unit_sealed(intake, made, eva, ingrid):
    key = bytes(range(16))
    await made.alarm_units.register(eva, Details(ingrid.id, "dc09", "ab12", Settings(key=key)))

    claim = Claim("dc09", "north", "", "AB12", ip_address("127.0.0.1"))

    assert (await intake.look_up(claim)).key == key


async def test_a_unit_whose_secret_the_server_cannot_open_is_shown_and_not_left_silent(
    world, made, clock, eva, ingrid
):
    details = Details(ingrid.id, "scaip", "700125", Settings(password="hemligt ord"))  # noqa: S106
    await made.alarm_units.register(eva, details)
    claim = replace(arrived().claim, account="700125")
    elsewhere = Intake(made.database, clock, Sealer(bytes(32)), Whose({"north": world.tenant}))

    assert await elsewhere.look_up(claim) is None
    await elsewhere.receive(arrived(claim=claim, is_proven=False))

    [shown] = await world.rows(TECHNICAL, world.tenant)
    assert shown["kind"] == "unknown_sender"


async def test_a_unit_must_be_able_to_prove_itself(made, eva, ingrid, unit, clock, config):
    register = made.alarm_units.register

    with pytest.raises(AlarmProofMissing):
        await register(eva, Details(ingrid.id, "scaip", "700126", Settings()))
    with pytest.raises(FieldInvalid):
        await register(eva, Details(ingrid.id, "dc09", "700126", Settings(key=b"short")))
    with pytest.raises(AlarmAccountTaken):
        await register(eva, Details(ingrid.id, "scaip", "700123", Settings(networks=HERE)))
    keyless = AlarmUnits(made.database, clock, None)
    secret = Settings(password="hemligt")  # noqa: S106
    with pytest.raises(AlarmKeyMissing):
        await keyless.register(eva, Details(ingrid.id, "scaip", "9", secret))


async def test_a_changed_unit_proves_itself_anew_from_its_next_message(
    intake, world, made, eva, unit
):
    secret = Settings(password="nytt ord", digest="SHA-256", place="köket")  # noqa: S106
    await made.alarm_units.change(eva, unit, secret)
    profile = await intake.look_up(arrived().claim)
    kept = Settings(networks=HERE, digest="SHA-256", place="köket")
    await made.alarm_units.change(eva, unit, kept)
    await made.alarm_units.change(eva, unit, kept)

    assert (profile.password, profile.digest, profile.networks) == ("nytt ord", "SHA-256", ())
    assert (await intake.look_up(arrived().claim)).password == "nytt ord"
    first, second = [r for r in await world.records() if r["event"] == "alarm_unit.changed"]
    assert first["what"]["from"]["place"] == "hallen"
    assert first["what"]["to"]["place"] == "köket"
    assert [one["what"]["new_secret"] for one in (first, second)] == [True, False]
    assert second["what"]["to"]["networks"] == [str(network) for network in HERE]
    assert "nytt ord" not in str([first, second])


async def test_how_often_a_unit_is_to_be_heard_counts_from_when_it_was_changed(
    intake, world, made, clock, eva, daily
):
    [row] = await world.rows(f"{UNITS} desc limit 1", world.tenant)
    clock.forward(hours=20)
    await made.alarm_units.change(eva, row["id"], Settings(networks=HERE, signs_every_h=48))
    clock.forward(hours=47)
    await world.run_due()
    assert await world.rows(TECHNICAL, world.tenant) == []
    clock.forward(hours=2)
    await world.run_due()
    [silent] = await world.rows(TECHNICAL, world.tenant)
    assert (silent["kind"], silent["ended_at"]) == ("unit_silent", None)

    await made.alarm_units.change(eva, row["id"], Settings(networks=HERE))
    await intake.receive(arrived(claim=daily, kind="heartbeat"))
    clock.forward(days=30)
    await world.run_due()

    [silent] = await world.rows(TECHNICAL, world.tenant)
    assert silent["ended_at"] is not None


async def test_a_change_that_cannot_be_changes_nothing(world, made, eva, unit):
    change = made.alarm_units.change
    nobodys = AlarmUnitId(new_row_id(world.now))

    with pytest.raises(AlarmProofMissing):
        await change(eva, unit, Settings(place="köket"))
    with pytest.raises(FieldInvalid):
        await change(eva, unit, Settings(networks=HERE, key=bytes(16)))
    with pytest.raises(NotFound):
        await change(eva, nobodys, Settings(networks=HERE))
    await made.alarm_units.close(eva, unit)
    with pytest.raises(NotFound):
        await change(eva, unit, Settings(networks=HERE, place="köket"))

    assert [row["place"] for row in await world.rows(UNITS, world.tenant)] == ["hallen"]


async def test_only_who_keeps_her_register_registers_changes_or_closes(
    world, other_world, made, ingrid, unit
):
    maria = await world.staff("Maria", on_shift=True, assigned=(ingrid,))
    theirs = await other_world.staff("Per", role=Role.SAMORDNARE)
    details = Details(ingrid.id, "scaip", "700126", Settings(networks=HERE))

    with pytest.raises(NotPermitted):
        await made.alarm_units.register(maria, details)
    with pytest.raises(NotPermitted):
        await made.alarm_units.change(maria, unit, details.settings)
    with pytest.raises(NotPermitted):
        await made.alarm_units.close(maria, unit)
    with pytest.raises(NotFound):
        await made.alarm_units.register(theirs, details)
    with pytest.raises(NotFound):
        await made.alarm_units.change(theirs, unit, details.settings)
    with pytest.raises(NotFound):
        await made.alarm_units.close(theirs, unit)

    assert await made.alarm_units.listed(theirs) == []
    assert [row["ended_at"] for row in await world.rows(UNITS, world.tenant)] == [None]


async def test_registering_closing_and_reading_them_is_in_the_log(world, made, eva, unit):
    listed = await made.alarm_units.listed(eva)
    await made.alarm_units.close(eva, unit)

    assert [(one.account, one.resident_name) for one in listed] == [("700123", "Ingrid Provsson")]
    found = [r for r in await world.records() if r["event"].startswith(("alarm_unit.", "list."))]
    assert [r["event"] for r in found] == [
        "alarm_unit.registered",
        "list.read",
        "alarm_unit.closed",
    ]
    assert all(len(r["persons"]) == 1 for r in found)


async def test_her_units_close_when_her_care_ends_and_open_when_that_is_undone(
    world, made, intake, eva, ingrid, unit
):
    await made.endings.end(eva, ingrid.id, "moved", world.now.date())
    await world.run_due()
    assert await intake.look_up(arrived().claim) is None

    karin = await world.staff("Karin", role=Role.ENHETSCHEF)
    [ending] = await world.rows("select id from ending where tenant_id = $1", world.tenant)
    await made.endings.undo(karin, ending["id"])

    assert await intake.look_up(arrived().claim) is not None

"""Technical alarms: a home that cannot be heard is told of, alone or as one of many."""

from datetime import timedelta
from uuid import uuid4

import pytest

from telecare.access.errors import NotPermitted
from telecare.access.model import Role
from telecare.alarms.technical.model import Lost, TechnicalClosed, outage_among
from telecare.alarms.technical.overview import NEVER, Overview
from telecare.devices.model import UNIT_LEASE
from telecare.runtime.errors import NotFound
from telecare.web.board_rows import unit_rows
from telecare.wire import edge
from telecare.wire.ids import CareUnitId
from tests.services.alarm_home import Home


@pytest.fixture
async def maria(world):
    return await world.staff("Maria", role=Role.LARMMOTTAGARE, on_shift=True)


@pytest.fixture
async def home(world):
    ingrid = await world.resident("Ingrid")
    return await world.home_unit(ingrid)


@pytest.fixture
async def say(made):
    boot = uuid4()
    at = iter(range(1, 10_000))

    async def status(unit, **more):
        stamp = edge.Stamp(boot=boot, monotonic_ms=next(at))
        news = {"online": True, "stamp": stamp, "version": "1", **more}
        await made.devices.status(unit, edge.UnitStatus(**news))
        await made.devices.keep_signs_of_life()

    return status


@pytest.fixture
async def look(made, clock):
    """Time goes by; the server, which has heard homes for a while, looks who is silent."""
    for _ in range(0, 44, 4):
        await made.technical.look_for_silent(hears=True)
        clock.forward(seconds=4)

    async def go_by(seconds, *, hears=True):
        for _ in range(0, seconds, 4):
            clock.forward(seconds=4)
            await made.technical.look_for_silent(hears=hears)

    return go_by


async def rows(world, kind="technical", unit=None):
    async with world.begun() as db:
        found = await unit_rows(db, unit or world.unit, world.now)
    return [row for row in found if row.row == kind]


async def kinds(world):
    return [row.kind for row in await rows(world)]


async def test_a_silent_home_is_known_within_45_seconds_and_is_over_when_it_is_heard(
    world, home, say, look, clock
):
    await say(home)
    await look(40)
    assert await kinds(world) == []
    last = world.now - timedelta(seconds=40)
    await look(4)

    (row,) = await rows(world)
    assert (row.kind, row.since, row.resident_name) == ("offline", last, "Ingrid Provsson")
    assert "technical.raised" in await world.events()
    await look(60)
    assert await kinds(world) == ["offline"]

    await say(home)
    await look(4)
    assert await kinds(world) == []
    assert (await world.events()).count("technical.ended") == 1


async def test_a_sign_of_life_ends_it_too(world, home, say, look, made, clock):
    """The process that hears it may never have noticed the silence."""
    await say(home)
    await look(28)
    await say(home)
    await world.superuser.execute(
        "update edge_unit set seen_at = $2 where id = $1", home.id, world.now - UNIT_LEASE
    )
    await look(4)
    assert await kinds(world) == ["offline"]

    clock.forward(seconds=4)
    await say(home)
    await look(4)

    assert await kinds(world) == []


async def test_a_will_does_not_count_as_a_sign_of_life(world, home, say, look, clock):
    await say(home)
    await look(36)
    await say(home, online=False)
    await look(8)

    assert await kinds(world) == ["offline"]


async def test_what_the_server_itself_did_not_hear_is_nobodys_silence(
    world, home, say, look, clock, made
):
    await say(home)
    await look(80, hears=False)
    assert await kinds(world) == []
    await look(40)
    assert await kinds(world) == [], "the line has only just come back"
    clock.forward(seconds=600)  # the process was frozen
    await look(40)
    assert await kinds(world) == []
    await look(4)
    assert await kinds(world) == ["offline"]


async def test_mains_and_battery_come_and_go_with_what_the_unit_says(world, home, say):
    await say(home, mains=True, battery_percent=100)
    assert await kinds(world) == []
    await say(home, mains=False, battery_percent=90)
    assert await kinds(world) == ["mains"]
    await say(home, mains=False, battery_percent=20)
    assert sorted(await kinds(world)) == ["battery", "mains"]
    await say(home, mains=True, battery_percent=25)
    assert await kinds(world) == ["battery"]
    await say(home, mains=True, battery_percent=30)
    assert await kinds(world) == []


async def test_a_devices_own_battery_is_told_of_once_until_it_is_changed(world, home, made):
    boot = uuid4()

    async def level(seq, percent):
        await made.technical.reported(home, edge.BatteryLevel(
            boot=boot, seq=seq, occurred_at=world.now, device="armband", percent=percent
        ))  # fmt: skip

    await level(1, 20)
    await level(2, 19)
    (row,) = await rows(world)
    assert (row.kind, row.device, row.detail) == ("battery", "armband", "20")
    await level(3, 100)
    assert await kinds(world) == []


async def test_an_opened_cover_stays_until_somebody_has_looked(world, home, made, say, maria):
    boot = uuid4()
    for seq, is_open in enumerate((True, False), 1):
        event = edge.CoverChanged(boot=boot, seq=seq, occurred_at=world.now, is_open=is_open)
        await made.technical.reported(home, event)
    (row,) = await rows(world)
    assert row.kind == "cover"

    await made.technical.take(maria, row.id)
    await made.technical.close(maria, row.id, "Sladden satt löst")

    assert await kinds(world) == []
    with pytest.raises(TechnicalClosed):
        await made.technical.close(maria, row.id, "En gång till")
    events = await world.events()
    assert (events.count("technical.taken"), events.count("technical.closed")) == (1, 1)


async def test_a_silent_home_that_somebody_has_seen_to_is_told_of_again_only_after_it_was_heard(
    world, home, made, say, look, maria
):
    await say(home)
    await look(44)
    (row,) = await rows(world)
    await made.technical.close(maria, row.id, "Hon är på sjukhus och har dragit ur sladden")
    await look(60)
    assert await kinds(world) == []

    await say(home)
    await look(44)
    assert await kinds(world) == ["offline"]


async def test_the_first_who_takes_it_has_it_and_only_those_who_take_alarms_may(
    world, other_world, home, made, say, look, maria
):
    await say(home)
    await look(44)
    (row,) = await rows(world)
    eva = await world.staff("Eva", on_shift=True)
    nina = await world.staff("Nina", role=Role.LARMMOTTAGARE, on_shift=True)
    per = await other_world.staff("Per", role=Role.LARMMOTTAGARE, on_shift=True)
    far = await world.staff("Fia", role=Role.LARMMOTTAGARE, on_shift=True, unit=world.night_unit)

    for one, refusal in ((eva, NotPermitted), (far, NotPermitted), (per, NotFound)):
        with pytest.raises(refusal):
            await made.technical.take(one, row.id)
    await made.technical.take(maria, row.id)
    await made.technical.take(maria, row.id)
    with pytest.raises(TechnicalClosed):
        await made.technical.take(nina, row.id)

    (row,) = await rows(world)
    assert row.taken_by_id == maria.staff.id


async def test_a_closed_device_is_nothing_to_see_to(world, home, made, say, look):
    await say(home)
    await look(44)
    head = await world.staff("Rut", role=Role.ENHETSCHEF)

    await made.devices.close(head, home.resident_id, home.endpoint_id)

    assert await kinds(world) == []


# --- the devices page ---------------------------------------------------------------------------


async def needs(overview, session):
    return [(one.device.resident_name.split()[0], one.need.name) for one in
            await overview.listed(session)]  # fmt: skip


async def test_what_must_be_seen_to_stands_first_on_the_devices_page(world, made, say, look, maria):
    overview = Overview(made.database, made.clock)
    units = {}
    for name in ("Ada", "Bo", "Cia", "Dan"):
        units[name] = await world.home_unit(await world.resident(name))
        await say(units[name], mains=True)
    for name in ("Bo", "Cia", "Dan"):
        tested = Home(made, world, units[name])
        await tested.say(tested.pressed(is_test=True))
    await look(48)
    for name in ("Ada", "Cia", "Dan"):
        await say(units[name], mains=True, battery_percent=20 if name == "Cia" else 90)

    assert await needs(overview, maria) == [
        ("Bo", "SILENT"), ("Cia", "BATTERY"), ("Ada", "TEST"), ("Dan", "NOTHING"),
    ]  # fmt: skip
    by_name = {one.device.resident_name.split()[0]: one for one in await overview.listed(maria)}
    assert by_name["Bo"].longest_silence == timedelta(seconds=48)
    assert by_name["Ada"].longest_silence == timedelta(seconds=48)
    assert by_name["Ada"].tried == NEVER
    assert by_name["Dan"].tried.tested_at is not None
    assert (await world.events()).count("list.read") == 1


async def test_a_test_older_than_a_month_is_late(world, made, say, home, maria, clock):
    overview = Overview(made.database, made.clock)
    tested = Home(made, world, home)
    await tested.say(tested.pressed(is_test=True))
    await say(home)
    assert await needs(overview, maria) == [("Ingrid", "NOTHING")]

    clock.forward(days=32)
    await say(home)
    assert await needs(overview, await world.staff("Mia", on_shift=True)) == [("Ingrid", "TEST")]


async def test_asking_for_a_technician_makes_one_task_of_the_unit(
    world, other_world, made, home, maria
):
    overview = Overview(made.database, made.clock)
    for _ in range(2):
        await overview.ask_for(maria, home.endpoint_id)

    (row,) = await rows(world, "task")
    assert row.kind == "mend_device"
    (one,) = await overview.listed(maria)
    assert one.device.is_asked_for
    far = await world.staff("Fia", on_shift=True, unit=world.night_unit)
    theirs = await other_world.staff("Per", on_shift=True)
    with pytest.raises(NotPermitted):
        await overview.ask_for(far, home.endpoint_id)
    with pytest.raises(NotFound):
        await overview.ask_for(theirs, home.endpoint_id)
    assert await overview.listed(theirs) == []


# --- many at once ------------------------------------------------------------------------------


@pytest.fixture
async def five(world):
    people = [await world.resident(name) for name in ("Ada", "Bo", "Cia", "Dan", "Elsa")]
    return [await world.home_unit(one) for one in people]


async def test_five_lost_together_are_one_card_that_is_over_with_the_last(
    world, five, say, look, made, maria
):
    for unit in five:
        await say(unit)
    await look(44)

    (card,) = await rows(world, "outage")
    assert await kinds(world) == []
    assert (card.shares, card.name, len(card.homes)) == ("area", "Dagen", 5)
    assert (await world.events()).count("outage.began") == 1

    await made.technical.take_outage(maria, card.id)
    for unit in five[:4]:
        await say(unit)
    await look(4)
    (card,) = await rows(world, "outage")
    assert ([home.resident_name for home in card.homes], card.taken_by) == (
        ["Elsa Provsson"], "Maria Ek",
    )  # fmt: skip
    await say(five[4])
    await look(4)
    assert await rows(world, "outage") == []
    assert (await world.events()).count("outage.ended") == 1


async def test_four_are_four_alarms_the_fifth_makes_them_one_and_a_sixth_joins(
    world, five, say, look
):
    for unit in five[:4]:
        await say(unit)
    await look(44)
    assert (len(await rows(world)), await rows(world, "outage")) == (4, [])
    await say(five[4])
    await look(44)
    (card,) = await rows(world, "outage")
    assert (len(card.homes), await rows(world)) == (5, [])

    await say(await world.home_unit(await world.resident("Fia")))
    await look(44)
    (later,) = await rows(world, "outage")
    assert (later.id, len(later.homes), await rows(world)) == (card.id, 6, [])
    assert (await world.events()).count("outage.began") == 1


async def test_the_network_that_was_noted_is_what_they_may_share(
    world, other_world, five, say, look, made
):
    keeper = await world.staff("Sten", role=Role.SYSTEMFORVALTARE)
    theirs = await other_world.staff("Per", role=Role.SYSTEMFORVALTARE)
    head = await world.staff("Rut", role=Role.ENHETSCHEF)
    async with world.begun() as db:
        await db.execute(
            "update resident set unit_id = $2 where tenant_id = $1 and id = $3",
            world.tenant, world.night_unit, five[0].resident_id,
        )  # fmt: skip
    for unit in five:
        await made.devices.set_network(keeper, unit.endpoint_id, "Norrnät")
        await say(unit, path="first" if unit is five[1] else "second")
    with pytest.raises(NotFound):
        await made.devices.set_network(theirs, five[0].endpoint_id, "Annat")
    with pytest.raises(NotPermitted):
        await made.devices.set_network(head, five[0].endpoint_id, "Annat")
    await look(44)

    (card,) = await rows(world, "outage")
    assert (card.shares, card.name) == ("provider", "Norrnät")
    assert len(card.homes) == 4, "of her own unit"
    assert (await world.events()).count("unit.network_set") == 5


def lost(*, area="Dagen", provider="", broker="first"):
    return Lost(uuid4(), CareUnitId(uuid4()), None, area, provider, broker)


def test_what_explains_most_is_what_they_share_and_then_the_narrowest():
    two_areas = [*(lost(area="A", provider="Nät") for _ in range(4)),
                 *(lost(area="B", provider="Nät") for _ in range(3))]  # fmt: skip
    assert outage_among(two_areas).shares == "provider"
    assert outage_among([lost(area="A", provider="Nät") for _ in range(5)]).shares == "area"
    assert outage_among([lost(area=str(n)) for n in range(6)]).shares == "broker"
    assert outage_among([lost() for _ in range(4)]) is None
    assert timedelta(seconds=41) >= UNIT_LEASE, "P3: 45 s with a look each four"

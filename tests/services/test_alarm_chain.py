"""Larmkedjan: an alarm goes from unit to unit, to the alarm centre, to the unit's head."""

import base64
import hashlib
import hmac
import json
from dataclasses import replace
from datetime import UTC, datetime, time

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from telecare.access.care_units import UnitDetails
from telecare.access.errors import NotPermitted
from telecare.access.model import Role
from telecare.alarms import asking
from telecare.alarms.centre import AlarmCentres
from telecare.alarms.chain import Chains
from telecare.alarms.chain_store import OwnChain
from telecare.integrity.witnesses import speaking
from telecare.runtime.errors import FieldInvalid, NotFound
from telecare.runtime.outbox import Outbox
from tests.services.alarm_home import Home

PUBLIC = "https://telecare.example"


@pytest.fixture
async def ingrid(world):
    return await world.resident("Ingrid")


@pytest.fixture
async def home(world, made, ingrid):
    return Home(made, world, await world.home_unit(ingrid))


@pytest.fixture
async def keeper(world):
    return await world.staff("Rut", role=Role.ENHETSCHEF)


@pytest.fixture
async def admin(world):
    return await world.staff("Sten", role=Role.SYSTEMFORVALTARE)


class Centre:
    """The alarm centre's own system: what it was told, and what it answers."""

    def __init__(self):
        self.rung, self.status = [], 200

    async def ring(self, request):
        self.rung.append((dict(request.headers), await request.text()))
        return web.Response(status=self.status)


@pytest.fixture
async def centre():
    one = Centre()
    app = web.Application()
    app.router.add_post("/ring", one.ring)
    async with TestServer(app) as server:
        one.url = f"http://localhost:{server.port}/ring"
        yield one


@pytest.fixture
async def chains(made):
    return Chains(made.database, made.clock, is_local=True)


@pytest.fixture
async def send_due(made):
    async with speaking() as http:
        channel = AlarmCentres(made.database, made.clock, http, PUBLIC)
        outbox = Outbox(made.database, made.clock, {asking.CENTRE: channel})
        yield outbox.send_due


@pytest.fixture
async def central(world, made, admin):
    """A unit of its own, where the centre's people sign in."""
    register = await made.care_units.register(admin)
    provider = register.providers[0].id
    await made.care_units.add(admin, UnitDetails("Larmcentralen", "021-9", provider, None))
    register = await made.care_units.register(admin)
    (unit,) = (unit.id for unit in register.units if unit.name == "Larmcentralen")
    return unit


async def alarm_of(world):
    (row,) = await world.rows("select * from alarm where tenant_id = $1", world.tenant)
    return row


async def steps_of(world):
    sql = "select kind from alarm_step where tenant_id = $1 order by n"
    return [row["kind"] for row in await world.rows(sql, world.tenant)]


async def tasks_of(world):
    sql = "select kind from follow_up where tenant_id = $1 and closed_at is null"
    return [row["kind"] for row in await world.rows(sql, world.tenant)]


def at(clock, hour):
    """Local winter time."""
    clock.at = datetime(2026, 1, 14, hour - 1, 30, tzinfo=UTC)


# --- her own way -------------------------------------------------------------------------------


async def test_at_her_own_hours_the_alarm_goes_her_own_way(
    world, home, ingrid, keeper, chains, clock
):
    at(clock, 12)
    await chains.add(keeper, ingrid.id, OwnChain(time(22), time(7), (world.night_unit, world.unit)))

    for hour in (23, 3, 7, 12):
        at(clock, hour)
        alarm = await home.press()
        (row,) = await world.rows("select chain, asked_units from alarm where id = $1", alarm)
        own = [world.night_unit, world.unit]
        assert row["chain"] == (own if hour in {23, 3} else own[::-1]), hour
        assert row["asked_units"] == row["chain"][:1]


async def test_a_chain_that_was_changed_does_not_move_an_alarm_that_is_out(
    world, home, ingrid, keeper, chains
):
    await home.press()
    before = (await alarm_of(world))["chain"]

    await chains.add(keeper, ingrid.id, OwnChain(time(0), time(23, 59), (world.night_unit,)))

    assert (await alarm_of(world))["chain"] == before


async def test_units_that_follow_each_other_in_a_circle_are_asked_once_each(world, home):
    async with world.begun() as db:
        await db.execute(
            "update care_unit set next_unit_id = $3 where tenant_id = $1 and id = $2",
            world.tenant, world.night_unit, world.unit,
        )  # fmt: skip

    await home.press()

    assert (await alarm_of(world))["chain"] == [world.unit, world.night_unit]


async def test_hours_that_meet_are_refused_and_change_nothing(world, ingrid, keeper, chains):
    night = OwnChain(time(22), time(7), (world.night_unit,))
    await chains.add(keeper, ingrid.id, night)

    for wrong in (
        replace(night, start=time(6), until=time(8)),
        replace(night, start=time(21), until=time(23)),
        replace(night, start=time(23), until=time(1)),
        replace(night, start=time(12), until=time(12)),
        OwnChain(time(8), time(9), (ingrid.id,)),
    ):
        with pytest.raises(FieldInvalid):
            await chains.add(keeper, ingrid.id, wrong)

    assert await chains.own(keeper, ingrid.id) == [night]
    await chains.end(keeper, ingrid.id, night.start)
    with pytest.raises(NotFound):
        await chains.end(keeper, ingrid.id, night.start)


async def test_only_who_keeps_the_register_changes_a_chain(world, other_world, ingrid, chains):
    maria = await world.staff("Maria", on_shift=True)
    theirs = await other_world.staff("Rune", role=Role.ENHETSCHEF)
    chain = OwnChain(time(22), time(7), (world.night_unit,))

    with pytest.raises(NotPermitted):
        await chains.add(maria, ingrid.id, chain)
    with pytest.raises(NotFound):
        await chains.add(theirs, ingrid.id, chain)


# --- the alarm centre ---------------------------------------------------------------------------


async def test_the_centre_is_rung_last_signed_and_hears_nothing_about_anybody(
    world, home, admin, chains, central, centre, send_due, clock
):
    secret = await chains.set_centre(admin, central, centre.url)
    alarm = await home.press()
    await send_due()
    assert centre.rung == []

    await world.run_due()  # nobody receives in either unit
    await send_due()
    await send_due()

    ((headers, body),) = centre.rung
    assert json.loads(body)["data"] == {
        "alarm_id": str(alarm), "url": f"{PUBLIC}/#/alarm/{alarm}",
    }  # fmt: skip
    for told in ("Ingrid", "Provsson", "Provgatan", "sovrum"):
        assert told not in body
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.{body}".encode()
    digest = base64.b64encode(hmac.digest(secret, signed, hashlib.sha256)).decode()
    assert headers["webhook-signature"] == f"v1,{digest}"
    assert (await steps_of(world))[-1] == "centre_answered"
    assert "alarm.centre_answered" in await world.events()


async def test_a_centre_that_has_answered_has_its_minute_and_then_the_head_has_it(
    world, home, admin, chains, central, centre, send_due, clock
):
    await chains.set_centre(admin, central, centre.url)
    await home.press()
    await world.run_due()
    clock.forward(seconds=50)
    await send_due()
    clock.forward(seconds=50)
    await world.run_due()
    assert await tasks_of(world) == []

    clock.forward(seconds=10)
    await world.run_due()

    assert await tasks_of(world) == ["alarm_unanswered"]


async def test_a_centre_that_does_not_answer_is_rung_again_and_the_head_has_it_meanwhile(
    world, home, admin, chains, central, centre, send_due, clock, made
):
    await chains.set_centre(admin, central, centre.url)
    centre.status = 503
    alarm = await home.press()
    await world.run_due()
    await send_due()
    clock.forward(seconds=60)
    await send_due()
    await world.run_due()

    assert (len(centre.rung), await tasks_of(world)) == (2, ["alarm_unanswered"])
    assert len({headers["webhook-id"] for headers, _ in centre.rung}) == 1
    assert "centre_answered" not in await steps_of(world)

    maria = await world.staff("Maria", role=Role.LARMMOTTAGARE, on_shift=True)
    await made.alarms.take(maria, alarm)
    assert await tasks_of(world) == []
    assert "follow_up.closed" in await world.events()


async def test_a_centre_is_rung_by_tls_alone(world, made, admin):
    chains = Chains(made.database, made.clock, is_local=False)

    for url in ("http://larm.example/x", "ftp://larm.example", "https://a:b@larm.example",
                "https://", "https://localhost/x", "https://[", "larm.example"):  # fmt: skip
        with pytest.raises(FieldInvalid):
            await chains.set_centre(admin, world.night_unit, url)

    assert await chains.centres(admin) == []


async def test_a_centre_that_was_removed_is_asked_no_more(
    world, home, admin, chains, central, centre
):
    await chains.set_centre(admin, central, centre.url)
    await chains.end_centre(admin, central)

    await home.press()

    assert central not in (await alarm_of(world))["chain"]
    with pytest.raises(NotFound):
        await chains.end_centre(admin, central)

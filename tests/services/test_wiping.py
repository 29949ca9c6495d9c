"""A unit that was closed: nothing it says counts, and it is told until it has heard."""

from base64 import b64encode
from itertools import count

import pytest

from telecare.access.model import Role
from telecare.app import services
from telecare.calls.mqtt import Inbox
from telecare.devices.mqtt import Unsealing
from telecare.devices.service import make_unit_code
from telecare.runtime.broker import Message
from telecare.wire import edge, seal, topics

REJECTS = "select reason from event_reject where topic like $1 order by id"


class Line:
    """A unit's line to the server, and what the server says on it."""

    def __init__(self, made, unit):
        self.unit = unit
        self.said = []
        unsealing = Unsealing(made.devices, self.said.append)
        self._inbox = Inbox(unsealing, made.devices, made.calls, made.liveness, self.said.append)
        self._numbers = count(1)

    async def say(self, lane, message, *, key=None):
        topic = topics.up(self.unit.id, lane)
        payload = message if isinstance(message, bytes) else message.model_dump_json().encode()
        sealed = seal.seal(key or self.unit.mac_key, topic, next(self._numbers), payload)
        await self._inbox.take([Message(topic, payload, tuple(sealed))])

    @property
    def wipes(self):
        """Sealed with the unit's own key, or it would not believe them."""
        return [
            one
            for one in self.said
            if one.topic == topics.down(self.unit.id, topics.Down.CONFIG)
            and edge.Wipe.model_validate_json(one.payload)
            and seal.opened(self.unit.mac_key, one.topic, list(one.properties), one.payload)
        ]


CALLS_IN = edge.UnitCallsIn(press="0b7c2f7e-6c0a-4b0e-9d8a-2f1c5e7a9b01")


@pytest.fixture
async def line(world, made):
    ingrid = await world.resident("Ingrid")
    line = Line(made, await world.home_unit(ingrid))
    per = await world.staff("Per", role=Role.SAMORDNARE)
    await made.endings.end(per, ingrid.id, "deceased", world.now.date())
    return line


async def test_one_that_was_away_is_told_when_it_is_back(world, line):
    before = await world.events()

    await line.say(topics.Up.SIGNAL, CALLS_IN)

    assert len(line.wipes) == 1
    assert await world.rows("select 1 from call where tenant_id = $1", world.tenant) == []
    assert await world.events() == before
    rejects = await world.rows(REJECTS, f"%{line.unit.id}%")
    assert rejects == [{"reason": "unit_unknown"}]


async def test_it_is_told_each_time_until_it_says_that_it_is_done(world, line):
    await line.say(topics.Up.SIGNAL, CALLS_IN)
    await line.say(topics.Up.SIGNAL, CALLS_IN)
    assert len(line.wipes) == 2

    await line.say(topics.Up.SIGNAL, edge.UnitWiped())

    assert len(line.wipes) == 2
    assert (await world.events())[-1] == "unit.wiped"


@pytest.mark.parametrize("message", [edge.UnitWiped(), CALLS_IN, b"{}"])
async def test_who_does_not_have_its_key_is_told_nothing_and_believed_nothing(world, line, message):
    before = await world.events()

    await line.say(topics.Up.SIGNAL, message, key=bytes(32))

    assert line.said == []
    assert await world.events() == before


async def test_a_unit_in_use_that_says_it_is_wiped_is_not_believed(world, made):
    ingrid = await world.resident("Ingrid")
    line = Line(made, await world.home_unit(ingrid))

    await line.say(topics.Up.SIGNAL, edge.UnitWiped())

    assert await world.is_enrolled(line.unit)
    assert line.said == []


async def test_a_home_learns_at_enrolment_where_else_to_try(world, database, reader, clock, config):
    second = "mqtts://mobile.example"
    made = services(
        database, reader, clock, config.model_copy(update={"second_broker_url_for_units": second})
    )
    ingrid = await world.resident("Ingrid")
    async with world.begun() as db:
        code = await make_unit_code(db, ingrid, "Teven", world.now)
    key = b64encode(bytes(32), b"-_").decode().rstrip("=")

    enrolment = await made.devices.enrol(edge.EnrolRequest(code=code, public_key=key))

    assert (enrolment.broker_url, enrolment.second_broker_url) == (config.mqtt_url, second)

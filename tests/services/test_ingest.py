"""Events from the homes: stored once, receipted after that, and thrown away by nobody."""

import json
from datetime import UTC, datetime, timedelta
from itertools import count
from uuid import uuid4

import pytest

from telecare.devices.falling import FallingEvents
from telecare.devices.ingest import Ingest
from telecare.devices.mqtt import EventLane, Unsealing
from telecare.runtime.broker import Message
from telecare.runtime.config import Config, DaysMalformed
from telecare.runtime.db import open_database
from telecare.wire import edge, seal, topics

EVENTS = """
select unit_id, seq, kind, occurred_at, partition_at, payload from event
where tenant_id = $1 order by seq
"""


class Home:
    """A home unit, what it says and what it is told."""

    def __init__(self, unit):
        self.unit, self.boot = unit, uuid4()
        self._numbers, self._seqs = count(1), count(1)

    def door(self, world, **more):
        values = {"seq": next(self._seqs), "occurred_at": world.now, **more}
        return edge.SensorChanged(boot=self.boot, sensor="door", device="d", is_on=True, **values)

    def sealed(self, message, *, key=None):
        topic = topics.up(self.unit.id, topics.Up.EVENT)
        payload = message if isinstance(message, bytes) else message.model_dump_json().encode()
        properties = seal.seal(key or self.unit.mac_key, topic, next(self._numbers), payload)
        return Message(topic, payload, tuple(properties))


class Lane:
    def __init__(self, lane, said):
        self.take, self.said = lane.take, said

    def receipted(self, home):
        """Numbers that this home may forget."""
        topic = topics.down(home.unit.id, topics.Down.RECEIPT)
        receipts = [edge.Receipt.model_validate_json(m.payload) for m in self.said
                    if m.topic == topic]  # fmt: skip
        assert all(receipt.boot == home.boot for receipt in receipts)
        return [seq for receipt in receipts for seq in receipt.seqs]


@pytest.fixture
async def lane(made, config, clock):
    said = []
    async with open_database(config.role_url("ingest"), size=1) as database:
        unsealing = Unsealing(made.devices, said.append)
        yield Lane(
            EventLane(
                unsealing,
                made.devices,
                Ingest(database, clock),
                made.technical.reported,
                said.append,
            ),
            said,
        )


@pytest.fixture
async def home(world):
    return Home(await world.home_unit(await world.resident("Ingrid")))


async def rejected(world, home):
    rows = await world.rows(
        "select reason from event_reject where topic like $1 order by id", f"%{home.unit.id}%"
    )
    return [row["reason"] for row in rows]


async def test_events_of_many_homes_are_stored_together_and_each_home_told_once(
    world, other_world, lane, home
):
    theirs = Home(await other_world.home_unit(await other_world.resident("Aino")))
    messages = [home.sealed(home.door(world)) for _ in range(3)]
    messages[1:1] = [theirs.sealed(theirs.door(world))]

    await lane.take(messages)

    assert [row["seq"] for row in await world.rows(EVENTS, world.tenant)] == [1, 2, 3]
    [row] = await other_world.rows(EVENTS, other_world.tenant)
    assert (row["unit_id"], row["kind"]) == (theirs.unit.id, "sensor.changed")
    assert (lane.receipted(home), lane.receipted(theirs)) == ([1, 2, 3], [1])
    assert len(lane.said) == 2


async def test_an_event_that_comes_again_is_one_event_and_receipted_again(world, lane, home):
    event = home.door(world)

    await lane.take([home.sealed(event), home.sealed(event)])
    await lane.take([home.sealed(event)])

    assert len(await world.rows(EVENTS, world.tenant)) == 1
    assert lane.receipted(home) == [1, 1, 1]


@pytest.mark.parametrize(
    "when",
    [
        {"clock_ok": False},
        {"occurred_at": "1970-01-01T00:03:00Z"},
        {"occurred_at": "2099-01-01T00:00:00Z"},
    ],
)
async def test_an_event_whose_clock_cannot_be_right_is_kept_with_what_it_said(
    world, lane, home, when
):
    event = home.door(world, **when)

    await lane.take([home.sealed(event)])

    [row] = await world.rows(EVENTS, world.tenant)
    assert row["partition_at"].year == 1970
    assert row["occurred_at"] == event.occurred_at
    assert lane.receipted(home) == [1]


async def test_an_event_from_a_month_without_a_table_is_stored_once_also_when_it_gets_one(
    world, lane, home, clock, as_superuser
):
    ahead = home.door(world, occurred_at=world.now + timedelta(days=40 * 31))
    await lane.take([home.sealed(ahead)])

    month = ahead.occurred_at.strftime("%Y-%m-15")
    await as_superuser(f"select make_event_partitions('{month}', 0)")
    clock.forward(minutes=11)
    await lane.take([home.sealed(ahead)])

    assert len(await world.rows(EVENTS, world.tenant)) == 1
    assert lane.receipted(home) == [1, 1]


async def test_a_month_that_has_fallen_since_somebody_looked_loses_no_event(
    world, lane, home, as_superuser
):
    await as_superuser("select make_event_partitions('2025-02-15', 0)")
    await lane.take([home.sealed(home.door(world))])
    for month in ("2025_01", "2025_02"):
        await as_superuser(f"drop table event_{month}")

    await lane.take([home.sealed(home.door(world, occurred_at="2025-02-03T00:00:00Z"))])

    assert len(await world.rows(EVENTS, world.tenant)) == 2
    assert lane.receipted(home) == [1, 2]


@pytest.mark.parametrize(
    "payload",
    [
        {"kind": "sensor.changed", "sensor": "roof"},
        {"kind": "of.tomorrow"},
        {"kind": "camera.turned", "camera": "room", "number": 1, "on": True, "signature": "x"},
    ],
)
async def test_what_is_malformed_is_counted_kept_as_a_digest_and_comes_no_more(
    world, lane, home, payload
):
    place = {"boot": str(home.boot), "seq": 9, "occurred_at": world.now.isoformat()}

    await lane.take([
        home.sealed(json.dumps({**place, **payload}).encode()),
        home.sealed(home.door(world)),
    ])  # fmt: skip

    assert await rejected(world, home) == ["message_malformed"]
    assert sorted(lane.receipted(home)) == [1, 9]
    assert len(await world.rows(EVENTS, world.tenant)) == 1


async def test_what_says_not_where_it_stands_is_counted_and_no_more(world, lane, home):
    await lane.take([home.sealed(b"{"), home.sealed(b'{"boot":"x","seq":1}')])

    assert await rejected(world, home) == ["message_malformed"] * 2
    assert lane.said == []


async def test_nobody_else_speaks_for_a_home(world, lane, home):
    await lane.take([home.sealed(home.door(world), key=bytes(32))])

    assert await rejected(world, home) == ["seal_wrong"]
    assert (await world.rows(EVENTS, world.tenant), lane.said) == ([], [])


async def test_whoever_stores_events_sees_nothing_of_them_but_their_numbers(
    world, lane, home, config
):
    await lane.take([home.sealed(home.door(world))])

    async with (
        open_database(config.role_url("ingest"), size=1) as database,
        database.across_tenants() as db,
    ):
        seen = await db.fetch("select seq from event where unit_id = $1", home.unit.id)
        may = await db.fetch(
            "select p from unnest(array['payload', 'kind', 'occurred_at']) p "
            "where has_column_privilege('event', p, 'select')"
        )
    assert (len(seen), list(may)) == (1, [])


@pytest.fixture
async def eraser(config):
    async with open_database(config.role_url("eraser"), size=1) as database:
        yield database


async def months(world):
    rows = await world.rows("select relname from pg_class where relname ~ '^event_2019_[0-9]{2}$'")
    return sorted(row["relname"] for row in rows)


async def test_a_month_falls_when_it_is_old_and_younger_ones_stay(
    world, lane, home, clock, eraser, as_superuser
):
    await as_superuser("select make_event_partitions('2019-04-15', 0)")
    clock.forward(minutes=11)
    old = home.door(world, occurred_at="2019-03-05T12:00:00Z")
    await lane.take([home.sealed(old), home.sealed(home.door(world))])
    clock.at = datetime(2019, 7, 1, tzinfo=UTC)

    await FallingEvents(eraser, clock, 92).go_round()
    assert await months(world) == ["event_2019_03", "event_2019_04"]
    await FallingEvents(eraser, clock, 91).go_round()
    assert await months(world) == ["event_2019_04"]
    assert [row["seq"] for row in await world.rows(EVENTS, world.tenant)] == [2]
    await FallingEvents(eraser, clock, 61).go_round()
    assert await months(world) == []


async def test_what_a_crash_left_half_detached_is_finished(world, clock, eraser, as_superuser):
    await as_superuser("select make_event_partitions('2019-09-15', 0)")
    await eraser.alone("alter table event detach partition event_2019_08 concurrently")
    clock.at = datetime(2019, 9, 1, tzinfo=UTC)

    await FallingEvents(eraser, clock, 91).go_round()

    assert await months(world) == ["event_2019_09"]
    await as_superuser("drop table event_2019_09")


@pytest.mark.parametrize("given", ["x", "0", "-3", "1.5"])
def test_a_number_of_days_that_is_none_is_refused_at_the_start(given):
    environment = {
        "TELECARE_DATABASE_URL": "x", "TELECARE_PUBLIC_URL": "x", "TELECARE_EVENT_DAYS": given,
    }  # fmt: skip

    with pytest.raises(DaysMalformed, match="TELECARE_EVENT_DAYS"):
        Config.from_environment(environment)

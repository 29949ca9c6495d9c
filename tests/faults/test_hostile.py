"""Those who send too much, twice, or read nothing: no alarm waits for them (F12, F13, P18)."""

import asyncio
import secrets
from collections.abc import Iterable
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import repeat

import pytest
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from telecare.access.http import STAFF_COOKIE
from telecare.wire import seal, topics
from telecare.wire.ids import new_unit_id
from tests.deaf import deaf_client, memory_kb
from tests.faults.test_killed_services import P1_S
from tests.gaps import Gaps

pytestmark = pytest.mark.slow

DEAF = 20
GROWTH_KB = 50_000
"""T18 of the threat model."""
FLOOD = 20_000
REPLAYED_TOGETHER = 50


@contextmanager
def connected(port: int):
    client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
    client.max_queued_messages_set(0)
    client.connect("127.0.0.1", port)
    client.loop_start()
    try:
        yield client
    finally:
        client.disconnect()
        client.loop_stop()


@dataclass
class Echo:
    """Whoever can hear what the homes say, and says it again: each twice, the newest first."""

    client: Client
    heard: list[MQTTMessage] = field(default_factory=list)
    all: list[MQTTMessage] = field(default_factory=list)
    _known: set[tuple] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.client.on_message = self._on_message
        lanes = (topics.Up.EVENT, topics.Up.ALARM)
        self.client.subscribe([(topics.filter_of(lane), 1) for lane in lanes])

    def _on_message(self, _client, _user, message: MQTTMessage) -> None:
        sealed = (message.topic, *(message.properties.UserProperty[0]))
        if sealed in self._known:
            return  # our own
        self._known.add(sealed)
        self.heard.append(message)
        self.all.append(message)
        if len(self.heard) >= REPLAYED_TOGETHER:
            said, self.heard = self.heard, []
            self.say([*reversed(said), *said])

    def say(self, messages: list[MQTTMessage]) -> None:
        for message in messages:
            properties = Properties(PacketTypes.PUBLISH)
            properties.UserProperty = message.properties.UserProperty
            self.client.publish(message.topic, message.payload, qos=1, properties=properties)


async def test_what_is_said_again_and_in_the_wrong_order_is_stored_once(run):
    """F13: the broker, or somebody on the line, repeats everything three times."""
    with connected(run.broker_port) as client:
        echo = Echo(client)
        homes = await run.furnished(count=10, events=300, alarms=4, seconds=8.0)
        await homes.start()
        await run.drained()
        echo.say(list(echo.all))
        last = echo.client.publish("tc/1/last", b"", qos=1)
        await asyncio.to_thread(last.wait_for_publish, 30)
        marker = await run.furnished(count=1, events=1, alarms=1, seconds=0)
        await marker.start()
        await run.drained()

    assert len(echo.all) >= homes.meant
    assert await run.findings() == []


def flood(client: Client, of: Iterable[str], key: bytes) -> None:
    """A message of each of these topics that nobody has sealed, as fast as they go."""
    for n, topic in enumerate(of):
        properties = Properties(PacketTypes.PUBLISH)
        payload = secrets.token_bytes(200)
        properties.UserProperty = seal.seal(key, topic, n, payload)
        client.publish(topic, payload, qos=1, properties=properties)


@pytest.mark.parametrize("lane", [topics.Up.EVENT, topics.Up.ALARM])
async def test_a_flood_that_nobody_has_sealed_delays_no_alarm_long(run, lane):
    """Strangers, each message in another's name; one stranger; one of ours with a wrong key."""
    site = run.site
    homes = await run.furnished(count=5, events=100, alarms=8, seconds=10.0)
    before_kb = memory_kb(site.server.running.pid)
    with Gaps() as gaps, connected(run.broker_port) as client:
        await homes.start()
        strangers = [topics.up(new_unit_id(), lane) for _ in range(FLOOD // 2)]
        one, ours = (topics.up(unit, lane) for unit in (new_unit_id(), homes.homes[0].unit.id))
        for of in (strangers, repeat(one, FLOOD // 4), repeat(ours, FLOOD // 4)):
            await asyncio.to_thread(flood, client, of, bytes(32))
        await run.drained()
        slowest_s = await run.slowest_alarm_s()
    grown_kb = memory_kb(site.server.running.pid) - before_kb
    gaps.note(f"\nflood on {lane}: slowest alarm {slowest_s:.2f} s, {grown_kb} kB more")

    assert await run.findings() == []
    assert slowest_s <= P1_S + gaps.largest_ms / 1000
    assert grown_kb < GROWTH_KB


async def test_consoles_that_never_read_delay_no_alarm(run):
    """F12."""
    site, operator = run.site, run.operator
    cookie = f"{STAFF_COOKIE}={operator.token}"
    homes = await run.furnished(count=5, events=100, alarms=8, seconds=10.0)
    before_kb = memory_kb(site.server.running.pid)
    with Gaps() as gaps, ExitStack() as opened:
        for _ in range(DEAF):
            opened.enter_context(
                await asyncio.to_thread(
                    deaf_client, site.port, origin=site.url, cookie=cookie, unit=run.world.unit
                )
            )
        await homes.start()
        await run.drained()
        slowest_s = await run.slowest_alarm_s()
        grown_kb = memory_kb(site.server.running.pid) - before_kb
    gaps.note(f"\n{DEAF} deaf consoles: slowest alarm {slowest_s:.2f} s, {grown_kb} kB more")

    assert await run.findings() == []
    assert slowest_s <= P1_S + gaps.largest_ms / 1000
    assert grown_kb < GROWTH_KB

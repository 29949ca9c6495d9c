"""The line to the server: MQTT 5 with a seal around every message (telecare.wire.seal).

The only user of paho, whose thread hands over to the loop and does nothing else. Clean start and
session expiry 0: what must survive is re-sent by `edge.delivery`, never by broker or client.
"""

import asyncio
import logging
import random
import socket
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from edge import certificate
from edge.identity import Identity, refuse_plain_text
from edge.paths import PathPatience, Paths
from edge.pipe import monotonic_ms
from telecare.wire import seal, tcp
from telecare.wire.edge import MAX_PAYLOAD_BYTES, BrokerPath
from telecare.wire.topics import ALIVE, HELLO, Down, Up, down, up

log = logging.getLogger(__name__)

KEEPALIVE_S = 15
FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 30.0
URGENT_PAUSE_S = 2.0
"""Longest pause while an alarm waits."""
PROBE_TIMEOUT_S = 5
COUNTERS_PER_CONNECTION = 1 << 20
"""Reserved at once, so that the will (sealed before the rest) can have the highest of them."""
LISTENS_TO = (Down.RECEIPT, Down.CALL, Down.SIGNAL, Down.CONFIG, Down.ALARM)
TO_ALL = (HELLO, ALIVE)
TELEMETRY = (Up.EVENT, Up.VITAL)
MOST_UNANSWERED = 10
"""Telemetry on its way to the broker: on a slow line an alarm stands behind no more than this, and
half of what brokers allow in flight (Mosquitto: 20) is left for it.
"""
MAX_RECEIVED = 1_000
"""Messages that wait for the agent; beyond it the newest are dropped and counted."""


@dataclass(frozen=True, slots=True)
class Received:
    """A genuine message of the server; `lane` is None for what it says to all, unsealed."""

    lane: Down | None
    payload: bytes


@dataclass(slots=True)
class Counts:
    """What was thrown away; telemetry, and proof in tests."""

    unsealed: int = 0
    replayed: int = 0
    oversized: int = 0
    overflowed: int = 0


@dataclass(slots=True)
class Counters:
    """Rising numbers of both directions. `taken` outlives a restart: see `Agent`."""

    next_out: int
    last_out: int
    taken: dict[str, int] = field(default_factory=dict)


class Link:
    """`run` keeps the connection up; `send` outside a connection is lost, and says so."""

    def __init__(
        self,
        identity: Identity,
        *,
        reserve: Callable[[int], Awaitable[int]],
        will: Callable[[], bytes],
        came_up: Callable[[int | None], None],
        has_room: Callable[[], None] = lambda: None,
        is_urgent: Callable[[], bool] = lambda: False,
        patience: PathPatience | None = None,
    ) -> None:
        """`reserve(n)` gives the first of n numbers never given before (durable). `came_up` hears
        how many milliseconds it was silent, or None the first time; `has_room`, that `is_full` is
        over.
        """
        self._urls: dict[BrokerPath, str] = {"first": identity.broker_url}
        if identity.second_broker_url is not None:
            self._urls["second"] = identity.second_broker_url
        for url in self._urls.values():
            refuse_plain_text(url, secure_scheme="mqtts")
        self._identity = identity
        self._reserve = reserve
        self._will = will
        self._came_up = came_up
        self._has_room = has_room
        self._is_urgent = is_urgent
        self._unanswered: set[int] = set()
        self._paths = Paths("second" in self._urls, monotonic_ms(), patience or PathPatience())
        self._hurried = asyncio.Event()
        self._has_network = asyncio.Event()
        self._has_network.set()
        self._numbers = Counters(0, 0)
        self._client: Client | None = None
        self._lost = asyncio.Event()
        self._settled = asyncio.Event()
        self.connected = asyncio.Event()
        self.refused = asyncio.Event()
        """A broker was there and did not let us in. Whoever has seen to it clears this."""
        self.connections = 0
        self.received: asyncio.Queue[Received] = asyncio.Queue(MAX_RECEIVED)
        self.counts = Counts()

    @property
    def taken(self) -> dict[str, int]:
        """The newest counter taken on each topic."""
        return dict(self._numbers.taken)

    def remember(self, taken: dict[str, int]) -> None:
        """What earlier runs of this unit have taken."""
        self._numbers.taken.update(taken)

    def send(self, lane: Up, payload: bytes, *, qos: int = 1, retain: bool = False) -> bool:
        """Hand a sealed message to the connection; False when there is none."""
        client = self._client
        if client is None or not self.connected.is_set():
            return False
        if self._numbers.next_out >= self._numbers.last_out:
            self._lost.set()
            return False
        counter, self._numbers.next_out = self._numbers.next_out, self._numbers.next_out + 1
        topic = up(self._identity.unit, lane)
        properties = self._sealed(topic, counter, payload, PacketTypes.PUBLISH)
        handed = client.publish(topic, payload, qos, retain, properties)
        if lane in TELEMETRY:
            self._unanswered.add(handed.mid)
        return True

    @property
    def is_full(self) -> bool:
        """No more telemetry now: `send` would take it, and an alarm would wait behind it."""
        return len(self._unanswered) >= MOST_UNANSWERED

    @property
    def path(self) -> BrokerPath:
        """The address of this connection, or of the next."""
        return self._paths.current

    async def run(self) -> None:
        """Connect, stay, and connect again with growing, jittered pauses."""
        pause_s = FIRST_PAUSE_S
        while True:
            await self._has_network.wait()
            path = self._paths.next(monotonic_ms(), is_urgent=self._is_urgent())
            if await self._live_once(self._urls[path]):
                pause_s = FIRST_PAUSE_S
            await self._pause(pause_s * random.uniform(0.5, 1.5))  # noqa: S311 - jitter
            pause_s = min(pause_s * 2, LONGEST_PAUSE_S)

    def hurry(self) -> None:
        """Somebody waits: do not sit out a pause."""
        self._hurried.set()

    def heard(self) -> None:
        """The server has answered."""
        self._paths.heard(monotonic_ms())

    async def reconsider(self, *, silent_ms: int, waiting_ms: int) -> None:
        """Leave an address that looks dead, and go back to the first when it answers; to be asked
        now and then. `waiting_ms`: of the oldest alarm without a sign from the server.
        """
        if not self.connected.is_set():
            return
        if self._paths.doubts(monotonic_ms(), silent_ms=silent_ms, waiting_ms=waiting_ms):
            log.warning("the server is silent; connecting anew")
            self._fall()
        elif (
            self._paths.should_probe(monotonic_ms())
            and await answers(self._urls["first"])
            and not self._is_urgent()
        ):
            self._paths.go_back()
            self._lost.set()
            self._hurried.set()

    def cut(self) -> None:
        """Simulated: the network is gone."""
        self._has_network.clear()
        self._fall()

    def mend(self) -> None:
        self._has_network.set()

    def _fall(self) -> None:
        """Without a goodbye: a dead line would not carry it."""
        self.connected.clear()
        self._lost.set()
        self._hurried.set()

    async def _pause(self, seconds: float) -> None:
        longest_s = URGENT_PAUSE_S if self._is_urgent() else LONGEST_PAUSE_S
        with suppress(TimeoutError):
            async with asyncio.timeout(min(seconds, longest_s)):
                await self._hurried.wait()
        self._hurried.clear()

    async def _live_once(self, url: str) -> bool:
        """One connection from first to last; False when it never came up."""
        first = await self._reserve(COUNTERS_PER_CONNECTION)
        self._numbers.next_out, self._numbers.last_out = first, first + COUNTERS_PER_CONNECTION - 1
        self._lost.clear()
        self._settled.clear()
        self._unanswered.clear()
        client = self._new_client(url)
        try:
            return await self._stay(client, url)
        finally:
            was_connected = self.connected.is_set()
            self.connected.clear()
            self._client = None
            self._paths.lost(monotonic_ms())
            await asyncio.shield(asyncio.to_thread(self._close, client, polite=was_connected))

    async def _stay(self, client: Client, url: str) -> bool:
        host, port = address_of(url)
        self._client = client  # a refusal can come before `connect` has returned
        try:
            await asyncio.to_thread(
                client.connect, host, port, KEEPALIVE_S, clean_start=True, properties=no_session()
            )
        except (OSError, ValueError) as error:
            if isinstance(error, ssl.SSLError):
                self.refused.set()
            return False
        client.loop_start()
        try:
            async with asyncio.timeout(client.connect_timeout):
                await self._settled.wait()
        except TimeoutError:
            return False
        if not self.connected.is_set():
            self.refused.set()
            return False
        await self._lost.wait()
        return True

    def _new_client(self, url: str) -> Client:
        unit = self._identity.unit
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=unit,
            protocol=MQTTProtocolVersion.MQTTv5,
            reconnect_on_failure=False,
        )
        client.connect_timeout = self._paths.try_ms(monotonic_ms()) / 1000
        client.on_socket_open = lambda _client, _user, line: tcp.send_at_once(line)
        will, topic = self._will(), up(unit, Up.STATUS)
        properties = self._sealed(topic, self._numbers.last_out, will, PacketTypes.WILLMESSAGE)
        client.will_set(topic, will, qos=1, retain=True, properties=properties)
        if urlsplit(url).scheme == "mqtts":
            client.tls_set_context(tls_context(self._identity.folder))
        self._listen(client, asyncio.get_running_loop())
        return client

    def _listen(self, client: Client, loop: asyncio.AbstractEventLoop) -> None:
        topics = [
            *((topic, 1) for topic in TO_ALL),
            *((down(self._identity.unit, lane), 1) for lane in LISTENS_TO),
        ]

        def on_connect(
            client: Client, _user: object, _flags: ConnectFlags, reason: ReasonCode, _: object
        ) -> None:
            if reason.is_failure:
                loop.call_soon_threadsafe(self._on_lost, client)
            else:
                client.subscribe(topics)

        def on_subscribe(client: Client, *_: object) -> None:
            loop.call_soon_threadsafe(self._on_connected, client)

        def on_message(client: Client, _user: object, message: MQTTMessage) -> None:
            tcp.acknowledge_at_once(client.socket())
            loop.call_soon_threadsafe(self._on_message, message)

        def on_publish(client: Client, _user: object, mid: int, *_: object) -> None:
            tcp.acknowledge_at_once(client.socket())
            loop.call_soon_threadsafe(self._on_answered, client, mid)

        def on_disconnect(
            client: Client, _user: object, _flags: DisconnectFlags, _reason: ReasonCode, _: object
        ) -> None:
            loop.call_soon_threadsafe(self._on_lost, client)

        client.on_connect = on_connect
        client.on_subscribe = on_subscribe
        client.on_message = on_message
        client.on_publish = on_publish
        client.on_disconnect = on_disconnect

    @staticmethod
    def _close(client: Client, *, polite: bool) -> None:
        """Without a proper goodbye the broker sends the will, which is what a fall should do."""
        if polite:
            client.disconnect()
        else:
            end(client.socket())
        client.loop_stop()

    def _on_connected(self, client: Client) -> None:
        if client is self._client:
            log.info("connected to the broker")
            self.connections += 1
            self.connected.set()
            self._settled.set()
            self._came_up(self._paths.connected(monotonic_ms()))

    def _on_answered(self, client: Client, mid: int) -> None:
        if client is self._client and mid in self._unanswered:
            self._unanswered.remove(mid)
            if len(self._unanswered) == MOST_UNANSWERED // 2:
                self._has_room()

    def _on_lost(self, client: Client) -> None:
        if client is self._client:
            log.warning("connection to the broker lost")
            self.connected.clear()
            self._settled.set()
            self._lost.set()

    def _on_message(self, message: MQTTMessage) -> None:
        received = self._opened(message)
        if received is None:
            return
        try:
            self.received.put_nowait(received)
        except asyncio.QueueFull:
            self.counts.overflowed += 1

    def _opened(self, message: MQTTMessage) -> Received | None:
        """The message if it is the server's and new; everything else is counted and forgotten."""
        topic, payload = message.topic, bytes(message.payload)
        if len(payload) > MAX_PAYLOAD_BYTES:
            self.counts.oversized += 1
            return None
        if topic in TO_ALL:
            return None if message.retain else Received(None, payload)
        properties = getattr(message.properties, "UserProperty", [])
        counter = seal.opened(self._identity.mac_key, topic, properties, payload)
        if counter is None:
            self.counts.unsealed += 1
            return None
        if counter <= self._numbers.taken.get(topic, -1):
            self.counts.replayed += 1
            return None
        self._numbers.taken[topic] = counter
        return Received(Down(topic.rsplit("/", 1)[1]), payload)

    def _sealed(self, topic: str, counter: int, payload: bytes, packet: int) -> Properties:
        properties = Properties(packet)  # type: ignore[no-untyped-call]
        properties.UserProperty = seal.seal(self._identity.mac_key, topic, counter, payload)
        return properties


def end(line: object) -> None:
    """Now: paho's thread would wait for a dead line to drain."""
    if isinstance(line, socket.socket):
        with suppress(OSError):
            line.shutdown(socket.SHUT_RDWR)


def address_of(url: str) -> tuple[str, int]:
    address = urlsplit(url)
    port = address.port or (8883 if address.scheme == "mqtts" else 1883)
    return address.hostname or "localhost", port


async def answers(url: str) -> bool:
    """Does anything listen there? What it is shows when connecting."""

    def listens() -> bool:
        try:
            socket.create_connection(address_of(url), PROBE_TIMEOUT_S).close()
        except OSError:
            return False
        return True

    return await asyncio.to_thread(listens)


def no_session() -> Properties:
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    properties.SessionExpiryInterval = 0
    return properties


def tls_context(state: Path) -> ssl.SSLContext:
    """System authorities, or `tls/ca.pem`; with `tls/unit.pem` and `.key` the unit's own paper."""
    folder = state / certificate.FOLDER
    authority = folder / certificate.AUTHORITY_FILE
    context = ssl.create_default_context(cafile=str(authority) if authority.exists() else None)
    paper = folder / certificate.CERTIFICATE_FILE
    if paper.exists():
        context.load_cert_chain(paper, folder / certificate.KEY_FILE)
    return context

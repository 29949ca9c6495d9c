"""The server's MQTT 5 connections. The only importer of paho in the server.

Clean start, session expiry 0: what a broker holds proves nothing (architecture §1.8). Messages are
handed over in batches, as many as have come while the last one was carried out, and acknowledged
after that, so after the commit. paho runs on the loop itself, without a thread of its own.
"""

import asyncio
import contextlib
import logging
import ssl
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal  # Any: the socket that paho makes, of a type it does not publish
from urllib.parse import SplitResult, unquote, urlsplit
from uuid import uuid4

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from telecare.runtime.mqtt_packets import (
    NotPlain,
    Published,
    first_published,
    packed,
    puback,
    published,
)
from telecare.wire import tcp

log = logging.getLogger(__name__)

KEEP_ALIVE_S = 15
LOOK_S = 1.0
DISPLACE_S = 5.0
RECONNECT_S = (0.2, 0.5, 1.0, 2.0)
MOST_AT_ONCE = 1_000
WAITING = 4_000
"""Messages taken from the broker and not yet acknowledged; when full, the broker waits."""
READ_BYTES = 65_536
READ_AT_ONCE = 50
"""Messages, about a millisecond of them: others on the loop wait no longer."""
MOST_UNANSWERED = 100
"""What we have said and the broker has not acknowledged; half of what paho and brokers usually
allow would be one receipt for each unit of a batch, and then a pause.
"""
NUMBER_ALONE = 2
"""Bytes of a PUBACK that says no more than that it is one (MQTT 5 §3.4.2.1)."""
BETWEEN_PACKETS = 0
"""What paho has of a packet's first byte when it has read nothing of it."""
ANSWERED = ReasonCode(PacketTypes.PUBACK, "Success")
WITHOUT_PROPERTIES = Properties(PacketTypes.PUBACK)  # type: ignore[no-untyped-call]


@dataclass(frozen=True, slots=True)
class Message:
    """One message with its user properties."""

    topic: str
    payload: bytes
    properties: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Publish:
    """An effect: publish after the commit. QoS 0 for renewals, which may be lost."""

    topic: str
    payload: bytes
    properties: tuple[tuple[str, str], ...] = ()
    qos: int = 1


Take = Callable[[Sequence[Message]], Awaitable[None]]
"""Carries out what has come, in its order; then it is acknowledged."""
Subscribed = Callable[[], Awaitable[None]]


async def nobody() -> None:
    """Nobody waits for this connection."""


class Broker:
    """One connection that keeps itself up; `subscribed` runs each time it is up anew."""

    def __init__(
        self,
        url: str,
        filters: Sequence[str],
        take: Take,
        subscribed: Subscribed = nobody,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """`tls`: None for the system's authorities and no certificate of ours."""
        self._tls = tls
        self._url = urlsplit(url)
        self._filters = filters
        self._take = take
        self._subscribed = subscribed
        self._client: Client | None = None
        self._is_up = False

    @property
    def is_up(self) -> bool:
        return self._is_up

    def publish(self, message: Publish) -> None:
        """Hand to the connection; dropped (and logged) while it is down: timers stand behind it."""
        if self._client is None or not self._is_up:
            log.warning("broker down, message dropped", extra={"count": 1})
            return
        self._client.publish(
            message.topic,
            message.payload,
            qos=message.qos,
            properties=PackedProperties(message.properties),
        )

    async def run(self) -> None:
        failures = 0
        while True:
            try:
                await self._one_connection()
                failures = 0
            except (OSError, ssl.SSLError, ConnectionError) as error:
                log.warning("broker connection lost", extra={"reason": type(error).__name__})
            self._is_up = False
            await asyncio.sleep(RECONNECT_S[min(failures, len(RECONNECT_S) - 1)])
            failures += 1

    async def _one_connection(self) -> None:
        line = Line(self._url, self._filters, self._tls)
        await asyncio.to_thread(line.connect)
        with line.on_the_loop():
            self._client = line.client
            async with asyncio.TaskGroup() as group:
                looking = group.create_task(line.look_after(), name="mqtt-keep-alive")
                taking = group.create_task(self._serve(line), name="mqtt-take")
                await line.ended.wait()
                looking.cancel()
                taking.cancel()

    async def _serve(self, line: "Line") -> None:
        async with asyncio.timeout(KEEP_ALIVE_S):
            await line.is_subscribed.wait()
        self._is_up = True
        await self._subscribed()
        while True:
            batch = await line.next_batch()
            await self._take([Message(one.topic, one.payload, one.properties) for one in batch])
            line.client.ack_all(batch)


async def displace(url: str, tls: ssl.SSLContext, client_id: str) -> None:
    """Whoever is connected under this id is disconnected (MQTT 5 §3.1.4). Raises OSError,
    TimeoutError.
    """
    line = Line(urlsplit(url), (), tls, client_id)
    await asyncio.to_thread(line.connect)
    with line.on_the_loop():
        async with asyncio.timeout(DISPLACE_S):
            await line.is_connected.wait()


class Line:
    """One connection of paho's from first to last, driven by the loop."""

    def __init__(
        self,
        url: SplitResult,
        filters: Sequence[str],
        tls: ssl.SSLContext | None,
        client_id: str = "",
    ) -> None:
        self._url = url
        self._filters = filters
        self._tls = tls
        self._client_id = client_id or f"server-{uuid4().hex}"
        self._waiting: deque[Published] = deque()
        self._something = asyncio.Event()
        self.is_connected = asyncio.Event()
        self.is_subscribed = asyncio.Event()
        self.ended = asyncio.Event()
        self.client = self._made()

    def connect(self) -> None:
        """Blocks until the line is made; the broker's answer is for the loop. Raises OSError."""
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = 0
        properties.ReceiveMaximum = WAITING
        self.client.connect(
            self._url.hostname or "127.0.0.1",
            self._url.port or (8883 if self._url.scheme == "mqtts" else 1883),
            KEEP_ALIVE_S,
            clean_start=True,
            properties=properties,
        )

    @contextlib.contextmanager
    def on_the_loop(self) -> Iterator[None]:
        """From here on the loop reads and writes. Says goodbye at the end."""
        loop, client = asyncio.get_running_loop(), self.client
        line: Any = client.socket()
        if line is None:
            raise ConnectionError
        number: int = line.fileno()

        def read() -> None:
            if client.read_some():
                loop.call_soon(read)  # no new byte need come for what is here already

        def write(*_: object) -> None:
            loop.add_writer(number, client.loop_write)

        def written(*_: object) -> None:
            loop.remove_writer(number)

        def closed(*_: object) -> None:
            loop.remove_reader(number)
            loop.remove_writer(number)
            self.ended.set()

        client.on_socket_register_write = write
        client.on_socket_unregister_write = written
        client.on_socket_close = closed
        loop.add_reader(number, read)
        if client.want_write():
            write()
        try:
            yield
        finally:
            if client.socket() is not None:
                client.disconnect()
                client.loop_write()
            if client.socket() is not None:
                loop.remove_reader(number)
                loop.remove_writer(number)
                line.close()

    async def look_after(self) -> None:
        """Keeps the line alive, and finds it dead."""
        while True:
            self.client.loop_misc()
            await asyncio.sleep(LOOK_S)

    async def next_batch(self) -> Sequence[Published]:
        await self._something.wait()
        count = min(len(self._waiting), MOST_AT_ONCE)
        batch = [self._waiting.popleft() for _ in range(count)]
        if not self._waiting:
            self._something.clear()
        return batch

    def _made(self) -> "BufferedClient":
        client = BufferedClient(
            CallbackAPIVersion.VERSION2,
            client_id=self._client_id,
            protocol=MQTTProtocolVersion.MQTTv5,
            manual_ack=True,
        )
        client.suppress_exceptions = False
        client.max_inflight_messages_set(MOST_UNANSWERED)

        def connected(_c: Client, _u: object, _f: object, code: ReasonCode, _p: object) -> None:
            if code.is_failure:
                self.ended.set()
                return
            self.is_connected.set()
            if self._filters:
                client.subscribe([(one, 1) for one in self._filters])

        def subscribed(*_: object) -> None:
            self.is_subscribed.set()

        def disconnected(*_: object) -> None:
            self.ended.set()

        def message(_c: Client, _u: object, taken: MQTTMessage) -> None:
            came(_published(taken))

        def came(message: Published) -> None:
            self._waiting.append(message)
            self._something.set()

        client.came = came
        client.on_connect = connected
        client.on_subscribe = subscribed
        client.on_disconnect = disconnected
        client.on_message = message
        if self._url.scheme == "mqtts":
            client.tls_set_context(self._tls or ssl.create_default_context())
        if self._url.username:
            client.username_pw_set(unquote(self._url.username), unquote(self._url.password or ""))
        return client


class BufferedClient(Client):
    """paho asks the system for a byte or two at a time; here it is asked for 64 kB at once (a third
    more messages a second, evidence `ingest.md` §3), and plain packets are read in a tenth of its
    time (runtime/mqtt_packets.py), without its reading where they have come whole.
    """

    came: Callable[[Published], None]

    def ack_all(self, messages: Iterable[Published]) -> None:
        """In one piece: paho sends each acknowledgement by a system call of its own."""
        acknowledged = b"".join(puback(one.number) for one in messages if one.qos)
        if acknowledged:
            self._packet_queue(PacketTypes.PUBACK << 4, acknowledged, 0, 1)

    def _create_socket(self) -> Any:
        return BufferedSocket(super()._create_socket())

    def read_some(self) -> bool:
        """At most READ_AT_ONCE packets; whether more is here, of which the loop would not hear."""
        for _ in range(READ_AT_ONCE):
            self.loop_read()
            line = self.socket()
            if not isinstance(line, BufferedSocket) or not line.has_more:
                return False
        return True

    def loop_read(self, max_packets: int = 1) -> MQTTErrorCode:
        if self._in_packet["command"] == BETWEEN_PACKETS and self._took_whole():
            return MQTTErrorCode.MQTT_ERR_SUCCESS
        return super().loop_read(max_packets)

    def _took_whole(self) -> bool:
        """A plain PUBLISH that is here whole does not go through paho's reading, byte by byte."""
        line = self._sock
        if not isinstance(line, BufferedSocket):
            return False
        try:
            message, end = first_published(line.unread)
        except NotPlain:
            return False
        line.unread = line.unread[end:]
        self._last_msg_in = time.monotonic()
        self.came(message)
        return True

    def _handle_publish(self) -> MQTTErrorCode:
        try:
            message = published(self._in_packet["command"], bytes(self._in_packet["packet"]))
        except NotPlain:
            return super()._handle_publish()
        self.came(message)
        return MQTTErrorCode.MQTT_ERR_SUCCESS

    def _handle_pubackcomp(self, cmd: Literal["PUBACK", "PUBCOMP"]) -> MQTTErrorCode:
        packet = self._in_packet["packet"]
        if len(packet) != NUMBER_ALONE:
            return super()._handle_pubackcomp(cmd)
        number = int.from_bytes(packet, "big")
        with self._out_message_mutex:
            if number in self._out_messages:
                return self._do_on_publish(number, ANSWERED, WITHOUT_PROPERTIES)
        return MQTTErrorCode.MQTT_ERR_SUCCESS


class PackedProperties(Properties):
    """Of a PUBLISH, ready to be sent: paho asks them for no more than this."""

    ready: bytes

    def __init__(self, properties: Iterable[tuple[str, str]]) -> None:
        self.__dict__["ready"] = packed(properties)

    def pack(self) -> bytes:
        return self.ready

    def __str__(self) -> str:
        return "packed"


class BufferedSocket:
    """A socket, but for `recv`."""

    def __init__(self, line: Any) -> None:
        self._line = line
        self.unread = memoryview(b"")
        tcp.send_at_once(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._line, name)

    @property
    def has_more(self) -> bool:
        """What the loop would not hear of: here, or inside TLS."""
        return bool(self.unread) or (
            isinstance(self._line, ssl.SSLSocket) and self._line.pending() > 0
        )

    def recv(self, size: int) -> bytes:
        if not self.unread:
            self.unread = memoryview(self._line.recv(READ_BYTES))
            tcp.acknowledge_at_once(self._line)
        taken, self.unread = self.unread[:size], self.unread[size:]
        return bytes(taken)


def _published(message: MQTTMessage) -> Published:
    properties = getattr(message.properties, "UserProperty", None) or []
    pairs = tuple((str(k), str(v)) for k, v in properties)
    return Published(message.topic, bytes(message.payload), pairs, message.mid, message.qos)

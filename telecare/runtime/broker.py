"""The server's MQTT 5 connection. The only importer of paho in the server.

Clean start, session expiry 0: what a broker holds proves nothing (architecture §1.8). A message is
acknowledged after its handler has returned, so after the commit.
"""

import asyncio
import logging
import ssl
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit
from uuid import uuid4

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from telecare.wire import tcp

log = logging.getLogger(__name__)

KEEP_ALIVE_S = 15
RECONNECT_S = (0.2, 0.5, 1.0, 2.0)
WAITING = 10_000
"""Messages taken from the broker and not yet handled; when full, the broker waits (no PUBACK)."""


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


Handle = Callable[[Message], Awaitable[None]]


class Broker:
    """One connection that keeps itself up; `subscribed` runs each time it is up anew."""

    def __init__(self, url: str, topic_filter: str, handle: Handle, subscribed: Handle) -> None:
        self._url = urlsplit(url)
        self._filter = topic_filter
        self._handle = handle
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
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        if message.properties:
            properties.UserProperty = list(message.properties)
        self._client.publish(message.topic, message.payload, qos=message.qos, properties=properties)

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
        loop = asyncio.get_running_loop()
        arrived: asyncio.Queue[MQTTMessage] = asyncio.Queue()
        ended = asyncio.Event()
        up = asyncio.Event()
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=f"server-{uuid4().hex}",
            protocol=MQTTProtocolVersion.MQTTv5,
            manual_ack=True,
        )
        client.suppress_exceptions = False

        def connected(_c: Client, _u: object, _f: object, code: ReasonCode, _p: object) -> None:
            if code.is_failure:
                loop.call_soon_threadsafe(ended.set)
                return
            client.subscribe(self._filter, qos=1)

        def subscribed(*_: object) -> None:
            loop.call_soon_threadsafe(up.set)

        def disconnected(*_: object) -> None:
            loop.call_soon_threadsafe(ended.set)

        def message(_c: Client, _u: object, taken: MQTTMessage) -> None:
            tcp.acknowledge_at_once(client.socket())
            loop.call_soon_threadsafe(arrived.put_nowait, taken)

        def opened(_c: Client, _u: object, line: object) -> None:
            tcp.send_at_once(line)

        def acknowledged(*_: object) -> None:
            tcp.acknowledge_at_once(client.socket())

        client.on_socket_open = opened
        client.on_publish = acknowledged
        client.on_connect = connected
        client.on_subscribe = subscribed
        client.on_disconnect = disconnected
        client.on_message = message
        if self._url.scheme == "mqtts":
            client.tls_set_context(ssl.create_default_context())
        if self._url.username:
            client.username_pw_set(unquote(self._url.username), unquote(self._url.password or ""))
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = 0
        properties.ReceiveMaximum = WAITING
        await asyncio.to_thread(
            client.connect,
            self._url.hostname or "127.0.0.1",
            self._url.port or (8883 if self._url.scheme == "mqtts" else 1883),
            KEEP_ALIVE_S,
            clean_start=True,
            properties=properties,
        )
        async with AsyncExitStack() as stack:
            client.loop_start()
            stack.callback(client.loop_stop)
            stack.callback(client.disconnect)
            self._client = client
            await self._serve(client, arrived, up, ended)

    async def _serve(
        self,
        client: Client,
        arrived: "asyncio.Queue[MQTTMessage]",
        up: asyncio.Event,
        ended: asyncio.Event,
    ) -> None:
        async with asyncio.TaskGroup() as group:

            async def take() -> None:
                async with asyncio.timeout(KEEP_ALIVE_S):
                    await up.wait()
                self._is_up = True
                await self._subscribed(Message(self._filter, b"", ()))
                while True:
                    message = await arrived.get()
                    await self._handle(_message(message))
                    client.ack(message.mid, message.qos)

            taking = group.create_task(take(), name="mqtt-take")
            await ended.wait()
            taking.cancel()


def _message(message: MQTTMessage) -> Message:
    properties = getattr(message.properties, "UserProperty", None) or []
    return Message(
        message.topic, bytes(message.payload), tuple((str(k), str(v)) for k, v in properties)
    )

"""An outsider's view of the wire protocol: a server and a staff browser that know only the wire.

The server stands in for telecare (not imported here): it stores, receipts, rings, opens, renews.
"""

import asyncio
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import UUID, uuid4

from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from telecare.wire import seal
from telecare.wire.edge import (
    UP_ALARM,
    UP_EVENT,
    UP_SIGNAL,
    AlarmIs,
    AlarmRaised,
    Alive,
    CameraTurned,
    HangUp,
    Hello,
    Offer,
    Opened,
    Receipt,
    Renewal,
    Ring,
    UnitAlive,
    UnitAnswered,
    UnitSdp,
    UnitStatus,
)
from telecare.wire.ids import UnitId
from telecare.wire.topics import ALIVE, HELLO, Down, Up, down, filter_of, parse_up

WAIT_S = 15


def monotonic_ms() -> int:
    return time.monotonic_ns() // 1_000_000


@dataclass
class Server:
    port: int
    unit: UnitId
    mac_key: bytes
    receipts: bool = True
    heard: list = field(default_factory=list)
    """Every genuine message of the unit, parsed, in order."""
    sent_bytes: list = field(default_factory=list)
    """(topic, user properties, payload) of what this server said, for replaying it."""
    refused: int = 0
    newest_alive: UnitAlive | None = None
    _counters: dict = field(default_factory=dict)

    async def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._news = asyncio.Condition()
        self._client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=f"server-{uuid4().hex[:8]}",
            protocol=MQTTProtocolVersion.MQTTv5,
        )
        subscribed = asyncio.Event()
        self._client.on_subscribe = lambda *_: self._loop.call_soon_threadsafe(subscribed.set)
        self._client.on_message = lambda _c, _u, m: self._loop.call_soon_threadsafe(self._take, m)
        await asyncio.to_thread(self._client.connect, "127.0.0.1", self.port, 60)
        self._client.loop_start()
        self._client.subscribe([(filter_of(lane), 1) for lane in Up])
        async with asyncio.timeout(WAIT_S):
            await subscribed.wait()

    def stop(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()
        self._client.on_message = self._client.on_subscribe = None
        del self._client

    def _take(self, message) -> None:
        properties = getattr(message.properties, "UserProperty", [])
        counter = seal.opened(self.mac_key, message.topic, properties, message.payload)
        if counter is None or counter <= self._counters.get(message.topic, -1):
            self.refused += 1
            return
        self._counters[message.topic] = counter
        _, lane = parse_up(message.topic)
        match lane:
            case Up.STATUS:
                parsed = UnitStatus.model_validate_json(message.payload)
            case Up.SIGNAL:
                parsed = UP_SIGNAL.validate_json(message.payload)
            case _:
                adapter = UP_ALARM if lane is Up.ALARM else UP_EVENT
                parsed = adapter.validate_json(message.payload)
                if self.receipts:
                    self.receipt(parsed)
        if isinstance(parsed, UnitAlive):
            self.newest_alive = parsed
        self.heard.append(parsed)
        self._loop.create_task(self._tell())

    async def _tell(self) -> None:
        async with self._news:
            self._news.notify_all()

    def say(self, lane: Down, message, *, qos: int = 1) -> None:
        topic = down(self.unit, lane)
        payload = message if isinstance(message, bytes) else message.model_dump_json().encode()
        properties = seal.seal(self.mac_key, topic, time.time_ns(), payload)
        self.sent_bytes.append((topic, properties, payload))
        self.say_raw(topic, properties, payload, qos=qos)

    def say_raw(self, topic: str, user_properties, payload: bytes, *, qos: int = 1) -> None:
        properties = Properties(PacketTypes.PUBLISH)
        properties.UserProperty = user_properties
        self._client.publish(topic, payload, qos, False, properties)

    def hello(self) -> None:
        self._client.publish(HELLO, Hello(epoch=uuid4()).model_dump_json(), 1)

    def receipt(self, *events) -> None:
        self.say(Down.RECEIPT, Receipt(boot=events[0].boot, seqs=[event.seq for event in events]))

    def alive(self, *, retain: bool = False) -> None:
        payload = Alive(epoch=uuid4()).model_dump_json()
        self._client.publish(ALIVE, payload, 1, retain=retain)

    def alarm_is(self, alarm: AlarmRaised, state: str, by: str = "") -> None:
        self.say(Down.ALARM, AlarmIs(boot=alarm.boot, seq=alarm.seq, state=state, by=by))

    def all(self, kind, **values) -> list:
        return [
            message
            for message in self.heard
            if isinstance(message, kind)
            and all(getattr(message, name) == value for name, value in values.items())
        ]

    async def hears(self, kind, *, count: int = 1, **values):
        """The newest of at least `count` such messages."""
        async with asyncio.timeout(WAIT_S), self._news:
            await self._news.wait_for(lambda: len(self.all(kind, **values)) >= count)
        return self.all(kind, **values)[-1]

    # --- a call ------------------------------------------------------------------------------

    def ring(self, call_id: UUID, **values) -> None:
        filled = {"caller": "Maria", "from_unit": "Norr", "language": "sv", "ring_s": 30, **values}
        self.say(Down.CALL, Ring(call_id=call_id, **filled))

    def open(self, answer: UnitAnswered | UnitAlive, **values) -> None:
        filled = {
            "lease_ms": 3_000,
            "max_s": 600,
            "sends_picture": True,
            "sends_sound": True,
            **values,
        }
        self.say(Down.CALL, Opened(call_id=answer.call_id, echo=answer.stamp, **filled))

    def renew(self, call_id: UUID, *, lease_ms: int = 3_000) -> int | None:
        """When the renewal given now lapses; None before the unit's first liveness."""
        alive = self.newest_alive
        if alive is None or alive.call_id != call_id:
            return None
        renewal = Renewal(call_id=call_id, echo=alive.stamp, lease_ms=lease_ms)
        self.say(Down.CALL, renewal, qos=0)
        return alive.stamp.monotonic_ms + lease_ms

    @asynccontextmanager
    async def renewing(self, call_id: UUID):
        """Renew four times a second while inside; `last_lapse[0]` is when the newest one lapses."""
        last_lapse = [0]

        async def renew() -> None:
            while True:
                last_lapse[0] = self.renew(call_id) or last_lapse[0]
                await asyncio.sleep(0.25)

        async with asyncio.TaskGroup() as group:
            task = group.create_task(renew())
            yield last_lapse
            task.cancel()

    def hang_up(self, call_id: UUID) -> None:
        self.say(Down.CALL, HangUp(call_id=call_id, reason="staff"))

    async def camera_turned(self, *, on: bool, count: int = 1) -> CameraTurned:
        return await self.hears(CameraTurned, on=on, count=count)


class Staff:
    """The staff browser: wants picture and sound, sends its own picture when told to."""

    def __init__(self, *, sends: list = ()) -> None:
        self.peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.frames = 0
        self.sounds = 0
        self.last_frame_ms = 0
        self.sizes: set = set()
        self._arrived = asyncio.Condition()
        self._tasks: set = set()
        self.text = self.peer.createDataChannel("text")
        self.alive = self.peer.createDataChannel("alive", ordered=False, maxRetransmits=0)
        for track in sends:
            self.peer.addTrack(track)
        for kind in {"audio", "video"} - {track.kind for track in sends}:
            self.peer.addTransceiver(kind, direction="recvonly")
        self.peer.on("track", self._on_track)

    def _on_track(self, track) -> None:
        task = asyncio.get_running_loop().create_task(self._watch(track))
        self._tasks.add(task)

    async def _watch(self, track) -> None:
        try:
            while True:
                frame = await track.recv()
                if track.kind == "video":
                    self.frames, self.last_frame_ms = self.frames + 1, monotonic_ms()
                    self.sizes.add((frame.width, frame.height))
                else:
                    self.sounds += 1
                async with self._arrived:
                    self._arrived.notify_all()
        except MediaStreamError:
            return

    async def call(self, server: Server, call_id: UUID, *, n: int = 1) -> None:
        await self.peer.setLocalDescription(await self.peer.createOffer())
        sdp = self.peer.localDescription.sdp
        server.say(Down.SIGNAL, Offer(call_id=call_id, n=n, sdp=sdp))
        answer = await server.hears(UnitSdp, call_id=call_id, n=n)
        await self.peer.setRemoteDescription(RTCSessionDescription(answer.sdp, "answer"))
        task = asyncio.get_running_loop().create_task(self._stay_alive())
        self._tasks.add(task)

    async def _stay_alive(self) -> None:
        while True:
            if self.alive.readyState == "open":
                self.alive.send("1")
            await asyncio.sleep(0.5)

    async def sees(self, frames: int) -> None:
        """Return when that many more pictures have come."""
        wanted = self.frames + frames
        async with asyncio.timeout(WAIT_S), self._arrived:
            await self._arrived.wait_for(lambda: self.frames >= wanted)

    async def hears_sound(self, frames: int) -> None:
        wanted = self.sounds + frames
        async with asyncio.timeout(WAIT_S), self._arrived:
            await self._arrived.wait_for(lambda: self.sounds >= wanted)

    def fall_silent(self) -> None:
        """The page hangs: the connection stays, nobody says that she watches."""
        self.alive.close()

    async def leave(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.peer.close()

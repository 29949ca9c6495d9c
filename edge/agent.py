"""The home unit: everything put together, every task in one tree, nothing open that should not be.

Leaving `run` (cancelled or failed) ends the call first, then says goodbye, then drops the line.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Annotated, assert_never
from uuid import UUID, uuid4

from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from edge import call as calls
from edge import closing, sensing
from edge.alarm import Patience
from edge.announcer import Announcer
from edge.call import CALL_IN_PATIENCE_MS, Answered, Stage
from edge.clock import HomeClock
from edge.delivery import Delivery
from edge.events import HomeEvents, Reached
from edge.hardware.lamp import Lamp, NoLamp
from edge.hardware.screen import Screen
from edge.hardware.speaker import NoSpeaker, Speaker
from edge.identity import Identity
from edge.link import LISTENS_TO, Link, Received
from edge.live_alarm import LiveAlarms
from edge.live_call import Home, LiveCall, Press, Said
from edge.media_process import Standby
from edge.outbox import DISK_FAULTS, Outbox
from edge.paths import PathPatience
from edge.pipe import Hardware, monotonic_ms
from edge.records import CameraRecords
from edge.window import ROOM
from telecare.wire.edge import (
    DOWN_CALL,
    DOWN_SIGNAL,
    STATUS_INTERVAL_S,
    AlarmIs,
    Alive,
    CameraState,
    Candidate,
    DownCall,
    HangUp,
    Hello,
    Longer,
    Offer,
    Opened,
    PrepareLook,
    Receipt,
    Renewal,
    Ring,
    ScreenState,
    Speak,
    Stamp,
    StopRinging,
    UnitAlive,
    UnitCallsIn,
    UnitDeclined,
    UnitStatus,
    UnitWiped,
    Wipe,
)
from telecare.wire.homes import HomeSettings
from telecare.wire.topics import Down, Up, down

log = logging.getLogger(__name__)

VERSION = "0.1.0"
SEAL_COUNTER = "seal.out"
TAKEN_COUNTER = "seal.in."
REMEMBERED_CALLS = 32
PRESS_AGAIN_S = 2
SCREEN_INTERVAL_S = 15
SAID_TO_ALL: TypeAdapter[Hello | Alive] = TypeAdapter(
    Annotated[Hello | Alive, Field(discriminator="kind")]
)


@dataclass(frozen=True, slots=True)
class Fittings:
    """What stands in this home."""

    hardware: Hardware
    screen: Screen
    standby: Standby
    rings_on_screen: bool = True
    lamp: Lamp = field(default_factory=NoLamp)
    speaker: Speaker = field(default_factory=NoSpeaker)
    settings: HomeSettings = field(default_factory=HomeSettings)


@dataclass(frozen=True, slots=True)
class Patiences:
    """How long this home waits; other figures than these are for tests."""

    alarm: Patience = field(default_factory=Patience)
    path: PathPatience = field(default_factory=PathPatience)


class Wiped(Exception):
    """The server has closed this unit: nothing of it may stay."""


class Agent:
    """One home. `notice` hears each stage of a call, `press` is every hand on every key."""

    def __init__(
        self,
        identity: Identity,
        outbox: Outbox,
        fittings: Fittings,
        *,
        clock: HomeClock,
        notice: Callable[[Stage], None],
        patiences: Patiences | None = None,
    ) -> None:
        hardware = fittings.hardware
        waits = patiences or Patiences()
        self._identity = identity
        self._outbox = outbox
        self._screen = fittings.screen
        self._rings_on_screen = fittings.rings_on_screen
        self._notice = notice
        self.boot = uuid4()
        self.malformed = 0
        self._clock = clock
        self._settings = fittings.settings
        self._mains: bool | None = None
        self._batteries: dict[str, int] = {}
        self._cameras: dict[str, CameraState] = camera_states(hardware)
        self._screen_state: ScreenState = "unknown"
        self._live: LiveCall | None = None
        self._ended: deque[UUID] = deque(maxlen=REMEMBERED_CALLS)
        self._waiting_press: UUID | None = None
        self._epoch: UUID | None = None
        self._reserved_to = 0
        self._pressed = asyncio.Event()
        self._changed = asyncio.Event()
        self._screen_wanted: asyncio.Queue[Stage] = asyncio.Queue()
        self._group: asyncio.TaskGroup | None = None
        self.link = Link(
            identity,
            reserve=self._reserve,
            will=lambda: self._status_json(0),
            came_up=self._came_up,
            has_room=self._send_on,
            is_urgent=self._is_urgent,
            patience=waits.path,
        )
        self._delivery = Delivery(outbox, self.link)
        self._events = HomeEvents(outbox, clock=clock, stored=self._delivery.wake)
        announcer = Announcer(
            fittings.settings, lamp=fittings.lamp, screen=fittings.screen, speaker=fittings.speaker
        )
        self._alarms = LiveAlarms(
            outbox, self.link, self._delivery, announcer, clock=clock, patience=waits.alarm
        )
        records = CameraRecords(
            outbox, identity, camera=ROOM, clock=clock, stored=self._delivery.wake
        )
        self._home = Home(
            boot=self.boot,
            hardware=hardware,
            screen=fittings.screen,
            standby=fittings.standby,
            records=records,
            say=self._say,
            camera_is=self._camera_is,
            notice=self._noticed,
            look=lambda notice, is_on: announcer.look(notice, is_on=is_on),
            before_speech=announcer.before_speech,
        )

    async def run(self) -> None:
        """Until cancelled, or told to be no more: then a group of `Wiped`, everything closed."""
        await self._home.records.close_what_was_left_open()
        await self._remember_counters()
        async with asyncio.TaskGroup() as lines:
            lines.create_task(self.link.run(), name="link")
            lines.create_task(self._delivery.run(), name="delivery")
            lines.create_task(self._home.records.run(), name="owed camera records")
            lines.create_task(self._alarms.run(), name="alarms")
            lines.create_task(self._events.run(), name="events")
            try:
                await self._live_on()
            except* Wiped:
                self._say(UnitWiped())
                raise
            finally:
                self.link.send(Up.STATUS, self._status_json(0), retain=True)
                await self._keep_counters()

    def press(self, press: Press) -> None:
        if self._live is not None and not self._live.is_look:
            self._live.take(press)
        elif press is Press.CALL_HOME_CARE and self._waiting_press is None:
            self._waiting_press = uuid4()
            self._pressed.set()
            self._changed.set()
        elif press is Press.HANG_UP:
            self._waiting_press = None

    def sense(self, signal: sensing.Signal) -> None:
        """Every sensor and button that is not about a call."""
        at = self._clock.now()
        is_right = self._clock.is_right(at)
        for what in sensing.felt(signal, self._settings, at=at, is_clock_right=is_right):
            match what:
                case sensing.Alarm():
                    battery = self._batteries.get(what.device)
                    self._alarms.raise_alarm(what, battery_percent=battery)
                case sensing.Mistake():
                    self._alarms.cancel_newest()
                case sensing.Network(is_on=is_on):
                    self.link.mend() if is_on else self.link.cut()
                case sensing.Battery() | sensing.Mains() | sensing.Cover() | sensing.Change():
                    self._note(what)
                case _:
                    assert_never(what)

    def _note(self, what: sensing.Telemetry) -> None:
        match what:
            case sensing.Mains(is_on=is_on):
                self._mains = is_on
                self._changed.set()
            case sensing.Battery(device=device, percent=percent):
                self._batteries[device] = percent
                self._changed.set()
        self._events.note(what)

    def _came_up(self, silent_ms: int | None) -> None:
        if silent_ms is not None:
            self._events.note(Reached(self.link.path, silent_ms))
            self._alarms.start_over()
        self._changed.set()

    def _send_on(self) -> None:
        self._delivery.wake()

    def _is_urgent(self) -> bool:
        """An alarm or a call holds this line."""
        return self._live is not None or self._alarms.is_urgent()

    async def _live_on(self) -> None:
        async with asyncio.TaskGroup() as self._group:
            self._group.create_task(self._listen(), name="listen")
            self._group.create_task(self._tell_status(), name="status")
            self._group.create_task(self._keep_counting(), name="counters")
            self._group.create_task(self._watch_screen(), name="screen state")
            self._group.create_task(self._turn_screen(), name="screen")
            self._group.create_task(self._call_in(), name="call in")
            self._group.create_task(self._ask_if_closed(), name="ask if closed")

    # --- hearing the server ------------------------------------------------------------------

    async def _listen(self) -> None:
        while True:
            received = await self.link.received.get()
            try:
                await self._hear(received)
            except ValidationError:
                self.malformed += 1

    async def _hear(self, received: Received) -> None:
        match received.lane:
            case None:
                self._hear_all(SAID_TO_ALL.validate_json(received.payload))
            case Down.RECEIPT:
                await self._forget(Receipt.model_validate_json(received.payload))
            case Down.CALL:
                self._hear_call(DOWN_CALL.validate_json(received.payload))
            case Down.SIGNAL:
                self._pass_on(DOWN_SIGNAL.validate_json(received.payload))
            case Down.ALARM:
                self._alarms.told(AlarmIs.model_validate_json(received.payload))
            case Down.CONFIG:
                Wipe.model_validate_json(received.payload)
                raise Wiped

    async def _ask_if_closed(self) -> None:
        """A closed unit that was away comes no further than the broker's door."""
        while True:
            await self.link.refused.wait()
            if await closing.is_closed(self._identity):
                await closing.say_wiped(self._identity)
                raise Wiped
            await asyncio.sleep(closing.ASK_AGAIN_S)
            self.link.refused.clear()

    async def _forget(self, receipt: Receipt) -> None:
        """On a disk that refuses even this the event stays, and is receipted again."""
        with suppress(*DISK_FAULTS):
            if await asyncio.wrap_future(self._outbox.receipted(receipt)) == 0:
                self._changed.set()
        await self._alarms.receipted(receipt)
        self._delivery.wake()

    def _hear_all(self, message: Hello | Alive) -> None:
        if isinstance(message, Alive):
            self._alarms.heard()
        else:
            self._greeted(message)

    def _greeted(self, hello: Hello) -> None:
        """Not sealed, so it may cost no more than sending what is unreceipted once."""
        if hello.epoch != self._epoch:
            self._epoch = hello.epoch
            self._delivery.start_over()
            self._alarms.start_over()
            self._changed.set()

    def _hear_call(self, message: DownCall) -> None:
        if message.call_id in self._ended:
            return
        if isinstance(message, PrepareLook):
            self._prepare(message)
            return
        if isinstance(message, Ring):
            self._rung(message)
            return
        if isinstance(message, Opened) and self._live is None and self._waiting_press is not None:
            self._start(calls.called_in(message.call_id, boot=self.boot, now_ms=monotonic_ms()))
        self._pass_on(message)

    def _prepare(self, look: PrepareLook) -> None:
        """A home that is in a call, or whose camera has another name, is not looked at."""
        hardware = self._home.hardware
        is_known = look.camera in hardware.cameras
        if self._live is None and is_known:
            call = calls.made_ready(look, boot=self.boot, now_ms=monotonic_ms())
            self._start(call, look=look)
        elif self._live is None or self._live.call_id != look.call_id:
            self._say(UnitDeclined(call_id=look.call_id))

    def _rung(self, ring: Ring) -> None:
        if self._live is not None:
            # Her own press made this one, and comes again: what it takes the place of is closing.
            is_hers = ring.press is not None and ring.press == self._waiting_press
            if self._live.call_id != ring.call_id and not is_hers:
                self._say(UnitDeclined(call_id=ring.call_id))
            return
        now_ms = monotonic_ms()
        if ring.press is not None and ring.press == self._waiting_press:
            call = calls.called_in(ring.call_id, boot=self.boot, now_ms=now_ms)
            self._start(call, Answered(by_itself=False))
        elif ring.press is None:
            self._start(calls.rings(ring, boot=self.boot, now_ms=now_ms))

    def _pass_on(
        self, message: StopRinging | Opened | Longer | Speak | Renewal | HangUp | Offer | Candidate
    ) -> None:
        if self._live is not None and self._live.call_id == message.call_id:
            self._live.take(message)

    def _start(self, call: calls.Call, *begin: Answered, look: PrepareLook | None = None) -> None:
        if self._group is not None:
            if look is None:
                self._waiting_press = None
            self._live = LiveCall(call, self._home, look)
            self._group.create_task(self._live_through(self._live, begin), name="call")

    async def _live_through(self, live: LiveCall, begin: tuple[Answered, ...]) -> None:
        try:
            await live.run(begin)
        finally:
            self._ended.append(live.call_id)
            self._live = None
            self._noticed(Stage.ENDED)

    # --- talking -----------------------------------------------------------------------------

    def _say(self, message: Said | UnitCallsIn | UnitWiped) -> None:
        """About a call; liveness may be lost, the rest is repeated or missed by its timer."""
        qos = 0 if isinstance(message, UnitAlive) else 1
        self.link.send(Up.SIGNAL, as_json(message), qos=qos)

    def _camera_is(self, camera: str, state: CameraState) -> None:
        self._cameras[camera] = state
        self._changed.set()

    def _noticed(self, stage: Stage) -> None:
        self._notice(stage)
        if self._rings_on_screen:
            self._screen_wanted.put_nowait(stage)

    async def _tell_status(self) -> None:
        """On each connection, at once on a change, and every 15 s."""
        waiting = 0
        while True:
            await self.link.connected.wait()
            changed = self._changed.is_set()
            self._changed.clear()
            with suppress(*DISK_FAULTS):
                waiting = await asyncio.wrap_future(self._outbox.count())
            payload = self._status_json(waiting, online=True)
            self.link.send(Up.STATUS, payload, qos=1 if changed else 0, retain=True)
            with suppress(TimeoutError):
                async with asyncio.timeout(self._status_pause_s()):
                    await self._changed.wait()

    def _status_pause_s(self) -> float:
        """A press that waits for its call has no other way to bring the server fresh stamps."""
        return 1 if self._waiting_press is not None else STATUS_INTERVAL_S

    def _status_json(self, waiting: int, *, online: bool = False) -> bytes:
        return as_json(
            UnitStatus(
                online=online,
                stamp=Stamp(boot=self.boot, monotonic_ms=monotonic_ms()),
                version=VERSION,
                cameras=self._cameras,
                screen=self._screen_state,
                waiting=waiting,
                path=self.link.path,
                mains=self._mains,
                battery_percent=self._batteries.get(sensing.UNIT),
            )
        )

    async def _call_in(self) -> None:
        """Say the press again until it has become a call, or nobody could answer."""
        while True:
            await self._pressed.wait()
            self._pressed.clear()
            until_ms = monotonic_ms() + CALL_IN_PATIENCE_MS
            while (press := self._waiting_press) is not None and monotonic_ms() < until_ms:
                self._say(UnitCallsIn(press=press))
                await asyncio.sleep(PRESS_AGAIN_S)
            self._waiting_press = None

    # --- the screen --------------------------------------------------------------------------

    async def _turn_screen(self) -> None:
        rings = False
        while True:
            stage = await self._screen_wanted.get()
            if stage is Stage.ENDED and rings:
                rings = False
                await self._screen.rest()
            elif stage is not Stage.ENDED and not rings:
                rings = True
                await self._screen.ring()

    async def _watch_screen(self) -> None:
        while True:
            state = await self._screen.state()
            if state != self._screen_state:
                self._screen_state = state
                self._changed.set()
            await asyncio.sleep(SCREEN_INTERVAL_S)

    # --- counters that outlive this run ------------------------------------------------------

    async def _reserve(self, count: int) -> int:
        """A unit whose file is lost or full goes on from its clock, above what it gave before."""
        floor = max(int(self._clock.now().timestamp() * 1_000_000), self._reserved_to)
        try:
            first = await asyncio.wrap_future(
                self._outbox.reserve(SEAL_COUNTER, count, floor=floor)
            )
        except DISK_FAULTS:
            first = floor
        self._reserved_to = first + count
        return first

    async def _remember_counters(self) -> None:
        topics = [down(self._identity.unit, lane) for lane in LISTENS_TO]
        remembered = await asyncio.wrap_future(
            self._outbox.counters([TAKEN_COUNTER + topic for topic in topics])
        )
        self.link.remember(dict(zip(topics, remembered, strict=True)))

    async def _keep_counting(self) -> None:
        """Now and then: each is a write to the disk, which a camera's record would wait for."""
        while True:
            await asyncio.to_thread(self._outbox.keep_ballast)
            await asyncio.sleep(STATUS_INTERVAL_S)
            await self._keep_counters()

    async def _keep_counters(self) -> None:
        """So that a recorded message cannot be played to the next run of this unit."""
        kept = {TAKEN_COUNTER + topic: value for topic, value in self.link.taken.items()}
        with suppress(*DISK_FAULTS):
            await asyncio.wrap_future(self._outbox.keep(kept))


def as_json(message: BaseModel) -> bytes:
    return message.model_dump_json(exclude_none=True).encode()


def camera_states(hardware: Hardware) -> dict[str, CameraState]:
    """All off: the one of calls, and those for looks."""
    names = [*([] if hardware.camera == "none" else [ROOM]), *hardware.cameras]
    return dict.fromkeys(names, "off")

"""The WebSocket of a staff page and of a TV page.

What must be sent is kept as names of stale things, not as a queue of frames: a slow reader misses
no state and holds no memory, and one that reads nothing for SEND_LIMIT_S is dropped.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from uuid import UUID, uuid4

from aiohttp import WSMsgType, web
from pydantic import BaseModel, ValidationError

from telecare.access import store as access_store
from telecare.access.errors import NotPermitted
from telecare.access.http import ACCESS, SCREEN, STAFF, STAFF_COOKIE
from telecare.access.model import ScreenSession, StaffSession
from telecare.access.service import is_new_list, session_topic
from telecare.audit.actions import Action
from telecare.audit.append import Kept, append
from telecare.audit.model import Person, Record, refused
from telecare.calls import store as call_store
from telecare.calls.model import State
from telecare.calls.service import Calls, call_topic, lease_topic, signal_topic
from telecare.calls.turn import TurnServer
from telecare.consent.service import resident_topic
from telecare.devices.service import Devices
from telecare.runtime.clock import STOCKHOLM, Clock
from telecare.runtime.db import Database
from telecare.runtime.errors import DatabaseUnavailable, TelecareError
from telecare.runtime.feed import Feed
from telecare.runtime.http import Exempt, Route, as_refusal
from telecare.web.board import Boards
from telecare.web.frames import call_frame, home_frame
from telecare.wire import signalling as wire
from telecare.wire.edge import LEASE_MS
from telecare.wire.errors import Code
from telecare.wire.ids import CallId, CareUnitId, ResidentId

log = logging.getLogger(__name__)

BEAT_S = 2.0
"""A `hello` this often: a page that hears nothing for 5 s tells its user."""
SEND_LIMIT_S = 10.0
SEEN_EVERY_S = 15.0
BACK_EVERY_S = 10.0
FRESH_ALIVE_S = 3.0
SIGNED_OUT = 4401


@dataclass(frozen=True, slots=True)
class Floor:
    """What every socket stands on; built once in app.py."""

    database: Database
    clock: Clock
    feed: Feed
    boards: Boards
    calls: Calls
    devices: Devices
    turn: TurnServer | None
    version: str


FLOOR = web.AppKey("floor", Floor)


@dataclass(slots=True)
class Stale:
    """Set by the feed: this thing must be looked at again."""

    name: str
    names: set[str]
    woken: asyncio.Event

    def set(self) -> None:
        self.names.add(self.name)
        self.woken.set()

    __hash__ = object.__hash__


@dataclass(slots=True)
class Joined:
    """A call this page follows."""

    call_id: CallId
    sent: int
    """Highest signal number sent to the page."""
    alive_ms: int = 0
    alive_at: float = 0.0
    back_at: float = 0.0
    stack: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)


class PageSocket:
    """What both kinds of page have in common."""

    def __init__(
        self, floor: Floor, socket: "Accepted", session: StaffSession | ScreenSession
    ) -> None:
        self.floor = floor
        self.session = session
        self.page = uuid4()
        self._socket = socket.response
        self._transport = socket.transport
        self._names: set[str] = set()
        self._woken = asyncio.Event()
        self._joined: dict[CallId, Joined] = {}
        self._said: dict[CallId, str] = {}
        """The last frame of each call, so that nothing is said twice."""
        self._shown: set[CallId] = set()
        """Calls whose frame was sent and has not said "ended"."""

    def stale(self, name: str) -> Stale:
        return Stale(name, self._names, self._woken)

    async def send(self, frame: BaseModel | str) -> None:
        text = frame if isinstance(frame, str) else frame.model_dump_json()
        try:
            async with asyncio.timeout(SEND_LIMIT_S):
                await self._socket.send_str(text)
        except TimeoutError:
            # Dropped, not closed: whoever reads nothing reads no goodbye either.
            self._transport.abort()
            raise ConnectionResetError from None

    async def run(self, *topics: tuple[str, str]) -> None:
        """Serve until the page or the session goes. `topics`: (name of the thing, topic)."""
        with contextlib.ExitStack() as stack:
            for name, topic in topics:
                stack.enter_context(self.floor.feed.following(self.stale(name), topic))
                self._names.add(name)
            self._woken.set()
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(self._write(), name="socket-write")
                    group.create_task(self._beat(), name="socket-beat")
                    await self._read()
                    raise _PageGone  # noqa: TRY301 - ends the group
            except* (_PageGone, ConnectionError):
                pass
            finally:
                await self._leave()

    async def _leave(self) -> None:
        for joined in self._joined.values():
            joined.stack.close()
            with contextlib.suppress(TelecareError):
                await self.floor.calls.lost(self.session, joined.call_id, self.page)

    async def _beat(self) -> None:
        while True:
            await self.send(wire.Hello(version=self.floor.version, now=self.floor.clock.now()))
            await self.on_beat()
            await asyncio.sleep(BEAT_S)

    async def on_beat(self) -> None: ...

    async def _write(self) -> None:
        while True:
            await self._woken.wait()
            self._woken.clear()
            names, kept = sorted(self._names), self._names
            kept.clear()
            for name in names:
                try:
                    await self._refresh(name)
                except DatabaseUnavailable:
                    self._names.add(name)
                    await asyncio.sleep(0.2)
                    self._woken.set()

    async def _refresh(self, name: str) -> None:
        kind, _, about = name.partition(" ")
        match kind:
            case "call":
                await self._send_call(CallId(UUID(about)))
            case "signals":
                await self._send_signals(CallId(UUID(about)))
            case "lease":
                await self._send_lease(CallId(UUID(about)))
            case _:
                await self.refresh(kind)

    async def refresh(self, kind: str) -> None: ...

    async def _read(self) -> None:
        async for message in self._socket:
            if message.type is not WSMsgType.TEXT:
                return
            try:
                frame = wire.FROM_PAGE.validate_json(message.data)
            except ValidationError as error:
                await self.send(wire.Refused(code=str(as_refusal(error).code)))
                continue
            try:
                await self.take(frame)
            except TelecareError as error:
                await self.send(wire.Refused(code=str(error.code), about=frame.type))

    async def take(self, frame: BaseModel) -> None:
        match frame:
            case wire.Join():
                await self.join(CallId(frame.call_id), frame.after)
            case wire.Signal():
                await self.floor.calls.signal(
                    self.session,
                    CallId(frame.call_id),
                    generation=frame.generation,
                    kind=frame.kind,
                    body=frame.body,
                    page=self.page,
                )
            case wire.Alive():
                await self._alive(frame)
            case wire.Report():
                if frame.what in ("first_frame", "dark", "lit"):
                    await self.floor.calls.report(self.session, CallId(frame.call_id), frame.what)
            case _:
                raise NotYours

    async def join(self, call_id: CallId, after: int) -> None:
        """Follow the call; from now on this page speaks for its end."""
        if call_id not in self._joined:
            joined = Joined(call_id, after)
            feed = self.floor.feed
            for name, topic in (
                (f"call {call_id}", call_topic(call_id)),
                (f"signals {call_id}", signal_topic(call_id)),
                (f"lease {call_id}", lease_topic(call_id)),
            ):
                joined.stack.enter_context(feed.following(self.stale(name), topic))
            self._joined[call_id] = joined
        self._joined[call_id].sent = after
        with contextlib.suppress(TelecareError):  # ringing elsewhere, or ended: only shown
            await self.floor.calls.join(self.session, call_id, self.page)
        self.stale(f"call {call_id}").set()
        self.stale(f"signals {call_id}").set()

    async def _alive(self, frame: wire.Alive) -> None:
        joined = self._joined.get(CallId(frame.call_id))
        if joined is None:
            return
        joined.alive_ms = frame.mono_ms
        joined.alive_at = time.monotonic()
        if joined.alive_at - joined.back_at > BACK_EVERY_S:
            joined.back_at = joined.alive_at
            await self.floor.calls.back(self.session, joined.call_id)

    async def _send_call(self, call_id: CallId) -> None:
        async with self.floor.database.transaction(self.session.tenant) as db:
            call = await call_store.by_id(db, call_id)
            if call is None or not self.may_see(call.resident_id, call.staff_id):
                return
            frame = await call_frame(
                db,
                call,
                self.session,
                page=self.speaking_as(call_id),
                turn=self.floor.turn,
            )
            speaks = await call_store.page_of(db, call_id, self._party)
        if frame.mine and call.is_live and speaks is None and call_id in self._joined:
            # Joined while it rang, when no screen was an end of it yet.
            await self.floor.calls.join(self.session, call_id, self.page)
            self.stale(f"signals {call_id}").set()
        text = frame.model_dump_json()
        if self._said.get(call_id) != text:
            self._said[call_id] = text
            await self.send(text)
        if call.state is State.ENDED:
            self._shown.discard(call_id)
            self._said.pop(call_id, None)
            if (joined := self._joined.pop(call_id, None)) is not None:
                joined.stack.close()
        else:
            self._shown.add(call_id)

    def may_see(self, resident_id: ResidentId, staff_id: UUID | None) -> bool:
        if isinstance(self.session, StaffSession):
            return staff_id == self.session.staff.id
        return resident_id == self.session.actor.resident_id

    async def _send_signals(self, call_id: CallId) -> None:
        joined = self._joined.get(call_id)
        if joined is None:
            return
        party = self._party
        async with self.floor.database.transaction(self.session.tenant) as db:
            call = await call_store.by_id(db, call_id)
            own = await call_store.page_of(db, call_id, party)
            if call is None or own not in (None, self.page):
                return
            if party == "home" and call.endpoint_id != self._endpoint():
                return
            signals = await call_store.signals(db, call_id, party, after=joined.sent)
        for signal in signals:
            await self.send(
                wire.SignalFrame(
                    call_id=call_id,
                    n=signal.n,
                    generation=signal.generation,
                    kind=signal.kind,
                    body=signal.body,
                )
            )
            joined.sent = max(joined.sent, signal.n)

    def speaking_as(self, call_id: CallId) -> UUID | None:
        """A console that has not joined leaves the call to the page that holds it; a screen is
        one device, whose newest page takes it over."""
        is_new_screen = self._party == "home" and call_id not in self._joined
        return None if is_new_screen else self.page

    @property
    def _party(self) -> call_store.Party:
        return "staff" if isinstance(self.session, StaffSession) else "home"

    def _endpoint(self) -> UUID | None:
        return None if isinstance(self.session, StaffSession) else self.session.actor.endpoint_id

    async def _send_lease(self, call_id: CallId) -> None:
        """Renew for a page that was heard from lately; the echo is its own clock."""
        joined = self._joined.get(call_id)
        if joined is None or time.monotonic() - joined.alive_at > FRESH_ALIVE_S:
            return
        await self.send(wire.Lease(call_id=call_id, echo_ms=joined.alive_ms, lease_ms=LEASE_MS))

    async def show_live(self, live: CallId | None) -> None:
        """The call this end is in now, and the end of those it was shown."""
        for call_id in {*self._shown, *([live] if live else [])}:
            await self._send_call(call_id)


class _PageGone(Exception):
    """The page closed its socket."""


class NotYours(TelecareError):
    """A frame of the other kind of page."""

    status = 422
    code = Code.FIELD_INVALID


class StaffSocket(PageSocket):
    """Follows a unit's board and the calls of its member of staff."""

    session: StaffSession

    def __init__(
        self, floor: Floor, socket: "Accepted", session: StaffSession, check: "Check"
    ) -> None:
        super().__init__(floor, socket, session)
        self._check = check
        self._unit: CareUnitId | None = None
        self._version: int | None = None
        self._board_stack = contextlib.ExitStack()

    async def take(self, frame: BaseModel) -> None:
        if isinstance(frame, wire.Subscribe):
            await self._subscribe(CareUnitId(frame.unit))
        else:
            await super().take(frame)

    async def on_beat(self) -> None:
        if self._unit is not None:
            self.stale("board").set()

    async def refresh(self, kind: str) -> None:
        if kind == "session":
            if not await self._check():
                await self._socket.close(code=SIGNED_OUT)
                raise _PageGone
            async with self.floor.database.transaction(self.session.tenant) as db:
                live = await call_store.live_of_staff(db, self.session.staff.id)
            await self.show_live(live)
        elif kind == "board" and self._unit is not None:
            board = self.floor.boards.of(self.session.tenant, self._unit)
            text, self._version = await board.frame(self._version)
            if text is not None:
                await self.send(text)

    async def _subscribe(self, unit: CareUnitId) -> None:
        now = self.floor.clock.now()
        staff = self.session.staff
        board = self.floor.boards.of(self.session.tenant, unit)
        async with self.floor.database.transaction(self.session.tenant) as db:
            local = now.astimezone(STOCKHOLM)
            if unit != staff.unit_id and not await access_store.covers(
                db, staff.works_in, unit, local=local
            ):
                what = {"unit_id": str(unit)}
                raise NotPermitted(
                    Kept(
                        refused(Code.NOT_PERMITTED, Action.LIST_READ, self.session.actor, (), what)
                    )
                )
        await board.frame(None)
        async with self.floor.database.transaction(self.session.tenant) as db:
            if await is_new_list(db, self.session, unit, now):
                persons = [Person(ResidentId(id_), name) for id_, name in board.residents]
                what = {"list": "today", "unit_id": str(unit)}
                await append(db, Record(Action.LIST_READ, self.session.actor, persons, what))
        self._unit, self._version = unit, None
        self._board_stack.close()
        self._board_stack.enter_context(
            self.floor.feed.following(self.stale("board"), f"unit:{unit}")
        )
        self.stale("board").set()

    async def _leave(self) -> None:
        self._board_stack.close()
        await super()._leave()


class ScreenSocket(PageSocket):
    """Follows one home: what stands on its TV and who rings."""

    session: ScreenSession

    def __init__(self, floor: Floor, socket: "Accepted", session: ScreenSession) -> None:
        super().__init__(floor, socket, session)
        self._version = 0
        self._last = ""
        self._seen_at = 0.0

    async def on_beat(self) -> None:
        if time.monotonic() - self._seen_at > SEEN_EVERY_S:
            self._seen_at = time.monotonic()
            with contextlib.suppress(DatabaseUnavailable):
                await self.floor.devices.tv_seen(self.session)
            self.stale("home").set()

    async def refresh(self, kind: str) -> None:
        if kind != "home":
            return
        now = self.floor.clock.now()
        async with self.floor.database.transaction(self.session.tenant) as db:
            frame = await home_frame(db, self.session, version=0, now=now)
            live = await call_store.live_of_resident(db, self.session.actor.resident_id)
        text = frame.model_dump_json()
        if text != self._last:
            self._last = text
            self._version += 1
            await self.send(frame.model_copy(update={"version": self._version}))
        await self.show_live(live)


class Check:
    """Whether this cookie is still somebody's session."""

    def __init__(self, request: web.Request) -> None:
        self._access = request.app[ACCESS]
        self._token = request.cookies.get(STAFF_COOKIE, "")

    async def __call__(self) -> bool:
        try:
            await self._access.session(self._token)
        except DatabaseUnavailable:
            raise
        except TelecareError:
            return False
        return True


@dataclass(frozen=True, slots=True)
class Accepted:
    """An open socket and the connection under it."""

    response: web.WebSocketResponse
    transport: asyncio.Transport


@contextlib.asynccontextmanager
async def _accepted(request: web.Request) -> AsyncIterator[Accepted]:
    socket = web.WebSocketResponse(max_msg_size=wire.MAX_FRAME_BYTES, heartbeat=20, compress=False)
    await socket.prepare(request)
    if request.transport is None:
        raise ConnectionResetError
    sockets = request.app[SOCKETS].all
    sockets.add(socket)
    try:
        yield Accepted(socket, request.transport)
    finally:
        sockets.discard(socket)
        await socket.close()


@dataclass(slots=True)
class OpenSockets:
    """Told to close when the server stops, so that pages come back at once."""

    all: set[web.WebSocketResponse] = field(default_factory=set)


SOCKETS = web.AppKey("sockets", OpenSockets)


async def staff_socket(request: web.Request) -> web.WebSocketResponse:
    """The console's live channel."""
    async with _accepted(request) as socket:
        session = request[STAFF]
        page = StaffSocket(request.app[FLOOR], socket, session, Check(request))
        await page.run(("session", session_topic(session.id)))
    return socket.response


async def screen_socket(request: web.Request) -> web.WebSocketResponse:
    """The TV's live channel."""
    async with _accepted(request) as socket:
        session = request[SCREEN]
        page = ScreenSocket(request.app[FLOOR], socket, session)
        await page.run(("home", resident_topic(session.actor.resident_id)))
    return socket.response


_STEPS = Exempt("each list read and each step of a call is recorded where it happens")
ROUTES = (
    Route("GET", "/ws/staff", staff_socket, "staff", _STEPS, kind="socket", status=101),
    Route("GET", "/ws/tv", screen_socket, "screen", _STEPS, kind="socket", status=101),
)

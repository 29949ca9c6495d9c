"""The WebSocket routes: a staff page follows a unit's day, a TV page one home; both their calls."""

import asyncio
import time

from aiohttp import web

from telecare.access import store as access_store
from telecare.access.errors import NotPermitted, SessionLocked, SignInNeeded
from telecare.access.http import ACCESS, SCREEN, STAFF, STAFF_COOKIE
from telecare.access.model import ScreenSession, StaffSession
from telecare.access.service import is_new_list, session_topic
from telecare.audit.actions import Action
from telecare.audit.append import Kept, append
from telecare.audit.model import Person, Record, refused
from telecare.calls import store as call_store
from telecare.calls.opening import calls_topic
from telecare.people.service import resident_topic
from telecare.runtime.clock import STOCKHOLM
from telecare.runtime.http import Exempt, Route
from telecare.web.board import Board
from telecare.web.frames import home_frame
from telecare.web.page_socket import SCREENS, Accepted, PageSocket, Screens
from telecare.wire import signalling as wire
from telecare.wire.errors import Code
from telecare.wire.ids import CareUnitId, ResidentId

SEEN_EVERY_S = 15.0
CHECKED_EVERY_S = 60.0
"""Whether a staff page's session has ended or locked by time."""
SIGNED_OUT = 4401


class StaffSocket(PageSocket):
    """Follows a unit's board and the calls of its member of staff.

    While its session is locked it says who waits and nothing else, and obeys nothing else.
    """

    __slots__ = (
        "_checked_at",
        "_cookie",
        "_is_locked",
        "_last",
        "_topics",
        "_unit",
        "_version",
        "_watches_nights",
        "session",
    )

    def __init__(
        self,
        screens: Screens,
        socket: Accepted,
        session: StaffSession,
        cookie: "Cookie",
    ) -> None:
        super().__init__(screens, socket, session)
        self.session = session
        self._cookie = cookie
        self._is_locked = False
        self._checked_at = time.monotonic()
        self._last = ""
        self._topics: frozenset[str] = frozenset()
        self._unit: CareUnitId | None = None
        self._version: int | None = None
        self._watches_nights = False
        self._hold(session)

    async def take(self, frame: wire.FromPageFrame) -> None:
        match frame:
            case wire.Subscribe():
                await self._subscribe(CareUnitId(frame.unit))
            case wire.Touched():
                await self._cookie.use()
            case wire.Ready():
                await self.floor.receiving.heard(self.session, has_sound=frame.sound)
            case wire.Watch():
                self._watch(nights=frame.nights)
            case wire.Lock():
                await self._cookie.lock(self.session)
            case _ if self._is_locked:
                raise SessionLocked
            case _:
                await super().take(frame)

    def on_beat(self) -> tuple[str, ...]:
        names = ("board",) if self._unit is not None else ()
        if time.monotonic() - self._checked_at < CHECKED_EVERY_S:
            return names
        return ("session", *names)

    async def refresh(self, kind: str) -> None:
        if kind == "session":
            await self._check()
        elif kind == "calls" and not self._is_locked:
            await self._refresh_calls()
        elif kind == "nights" and not self._is_locked:
            await self.send(wire.Nights())
        elif kind == "board" and self._unit is not None:
            await self._refresh_board(self.floor.boards.of(self.session.tenant, self._unit))

    async def _check(self) -> None:
        """Sessions end, and lock, by time alone; and whose shift it is stands in each record."""
        self._checked_at = time.monotonic()
        try:
            session = await self._cookie.still()
            self.session = self.calls.session = session
            self._hold(session)
        except SignInNeeded:
            await self.close(SIGNED_OUT)

    def _hold(self, session: StaffSession) -> None:
        """What is shown depends on whether the page is locked. An unlocked one subscribes anew:
        its list is a read, to be recorded.
        """
        if session.is_locked == self._is_locked:
            return
        self._is_locked = session.is_locked
        if self._is_locked:
            self._show(self._unit or session.staff.works_in)
        else:
            self._unit = None
            self.unfollow("board")

    def _show(self, unit: CareUnitId) -> None:
        self._unit, self._version, self._last = unit, None, ""
        self.unfollow("board")
        self.unfollow("nights")
        self._topics = frozenset()
        self._follow(self.floor.boards.of(self.session.tenant, unit))
        self.wake("board")

    def _follow(self, board: Board) -> None:
        """Which units it covers is known once it was read, and may grow while it is shown."""
        for topic in board.topics - self._topics:
            self.follow("board", topic)
            if self._watches_nights:
                self.follow("nights", topic)
        self._topics = board.topics

    def _watch(self, *, nights: bool) -> None:
        """The night's lists change with what the board's units do."""
        self.unfollow("nights")
        self._watches_nights = nights
        for topic in self._topics if nights else ():
            self.follow("nights", topic)

    async def _refresh_board(self, board: Board) -> None:
        if (rest_s := board.rest_s()) > 0:
            asyncio.get_running_loop().call_later(rest_s, self.wake, "board")
            if not board.has_news:
                return
        if self._is_locked:
            text = await board.locked()
            self._follow(board)
            if text != self._last:
                self._last = text
                await self.send(text)
            return
        changes, self._version = await board.frame(self._version)
        self._follow(board)
        if changes is not None:
            await self.send(changes)

    async def _refresh_calls(self) -> None:
        async with self.floor.database.transaction(self.session.tenant) as db:
            live = await call_store.live_of_staff(db, self.session.staff.id)
        await self.calls.show_live(live)

    async def _subscribe(self, unit: CareUnitId) -> None:
        await self._check()
        if self._is_locked or self._is_gone:
            return
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
                persons = [
                    Person(ResidentId(id_), name, is_protected=not name)
                    for id_, name in board.residents
                ]
                what = {"list": "today", "unit_id": str(unit)}
                await append(db, Record(Action.LIST_READ, self.session.actor, persons, what))
        self._show(unit)


class ScreenSocket(PageSocket):
    """Follows one home: what stands on its TV and who rings."""

    __slots__ = ("_last", "_seen_at", "_version", "session")

    def __init__(self, screens: Screens, socket: Accepted, session: ScreenSession) -> None:
        super().__init__(screens, socket, session)
        self.session = session
        self._version = 0
        self._last = 0
        self._seen_at = 0.0

    def on_beat(self) -> tuple[str, ...]:
        if time.monotonic() - self._seen_at <= SEEN_EVERY_S:
            return ()
        self._seen_at = time.monotonic()
        return ("seen", "home")

    async def refresh(self, kind: str) -> None:
        if kind == "home":
            await self._refresh_home()
        elif kind == "seen":
            await self.floor.devices.tv_seen(self.session)

    async def _refresh_home(self) -> None:
        now = self.floor.clock.now()
        async with self.floor.database.transaction(self.session.tenant) as db:
            if not await access_store.session_stands(db, self.session.id):
                await self.close(SIGNED_OUT)
                return
            frame = await home_frame(db, self.session, version=0, now=now)
            live = await call_store.live_at_home(db, self.session.actor.resident_id)
        said = hash(frame.model_dump_json())
        if said != self._last:
            self._last = said
            self._version += 1
            await self.send(frame.model_copy(update={"version": self._version}))
        await self.calls.show_live(live)


class Cookie:
    """The session behind a page, as it is now."""

    __slots__ = ("_access", "_token")

    def __init__(self, request: web.Request) -> None:
        self._access = request.app[ACCESS]
        self._token = request.cookies.get(STAFF_COOKIE, "")

    async def still(self) -> StaffSession:
        """Raises SignInNeeded."""
        return await self._access.still(self._token)

    async def use(self) -> None:
        """Somebody is at the page. Raises SignInNeeded."""
        await self._access.session(self._token)

    async def lock(self, session: StaffSession) -> None:
        await self._access.lock(session)


async def _accepted(request: web.Request) -> Accepted:
    socket = web.WebSocketResponse(max_msg_size=wire.MAX_FRAME_BYTES, heartbeat=20, compress=False)
    await socket.prepare(request)
    if request.transport is None:
        raise ConnectionResetError
    return Accepted(socket, request.transport)


async def staff_socket(request: web.Request) -> web.WebSocketResponse:
    """The console's live channel."""
    screens = request.app[SCREENS]
    session = request[STAFF]
    socket = await _accepted(request)
    page = StaffSocket(screens, socket, session, Cookie(request))
    follows = (("session", session_topic(session.id)), ("calls", calls_topic(session.id)))
    await screens.hold(page, *follows)
    return socket.response


async def screen_socket(request: web.Request) -> web.WebSocketResponse:
    """The TV's live channel."""
    screens = request.app[SCREENS]
    session = request[SCREEN]
    socket = await _accepted(request)
    page = ScreenSocket(screens, socket, session)
    await screens.hold(page, ("home", resident_topic(session.actor.resident_id)))
    return socket.response


_STEPS = Exempt("each list read and each step of a call is recorded where it happens")
ROUTES = (
    Route("GET", "/ws/staff", staff_socket, "staff_even_locked", _STEPS, kind="socket", status=101),
    Route("GET", "/ws/tv", screen_socket, "screen", _STEPS, kind="socket", status=101),
)

"""The live channel of one page, and the register of all pages that are open.

What must be sent is kept as names of stale things, not as a queue of frames: a slow reader misses
no state and holds no memory, and one that reads nothing for SEND_LIMIT_S is dropped. An idle page
costs its reader and nothing else: writing is an errand that ends when nothing is stale, and one
beat goes round for all.
"""

import asyncio
import contextlib
from dataclasses import dataclass
from datetime import timedelta
from uuid import uuid4

from aiohttp import WSMsgType, web
from pydantic import BaseModel, ValidationError

from telecare.access.model import ScreenSession, StaffSession
from telecare.runtime.errors import DatabaseUnavailable, TelecareError
from telecare.runtime.http import as_refusal
from telecare.runtime.log import tell_if_unrecorded
from telecare.runtime.tasks import Errands
from telecare.web.floor import Floor
from telecare.web.followed_calls import KINDS as CALL_KINDS
from telecare.web.followed_calls import FollowedCalls
from telecare.wire import signalling as wire
from telecare.wire.errors import Code

BEAT = timedelta(seconds=2)
"""A `hello` this often: a page that hears nothing for 5 s tells its user."""
SEND_LIMIT_S = 10.0
RETRY_S = 0.2
OK = 1000
RESTART = 1012
HELLO = "hello"


class NotYours(TelecareError):
    """A frame of the other kind of page."""

    status = 422
    code = Code.FIELD_INVALID


@dataclass(frozen=True, slots=True)
class Accepted:
    """An open socket and the connection under it."""

    response: web.WebSocketResponse
    transport: asyncio.Transport


class Stale:
    """Set by the feed: this thing of this page must be looked at again."""

    __slots__ = ("_page", "name")

    def __init__(self, page: "PageSocket", name: str) -> None:
        self._page = page
        self.name = name

    def set(self) -> None:
        self._page.wake(self.name)


class PageSocket:
    """What both kinds of page have in common."""

    __slots__ = (
        "_errands", "_follows", "_is_gone", "_names", "_reader", "_socket", "_writer", "calls",
        "floor", "hello", "id",
    )  # fmt: skip

    def __init__(
        self,
        screens: "Screens",
        socket: "Accepted",
        session: StaffSession | ScreenSession,
    ) -> None:
        self.id = uuid4()
        self.floor = screens.floor
        self.hello = screens.hello()
        self.calls = FollowedCalls(
            screens.floor, session, page=self.id, send=self.send, stale=self.stale, wake=self.wake
        )
        self._errands = screens.errands
        self._socket = socket
        self._names: set[str] = set()
        self._follows: list[tuple[Stale, str]] = []
        self._writer: asyncio.Task[None] | None = None
        self._reader: asyncio.Task[object] | None = None
        self._is_gone = False

    async def run(self, *follows: tuple[str, str]) -> None:
        """Serve until the page or the session goes."""
        self._reader = asyncio.current_task()
        try:
            for name, topic in follows:
                self.follow(name, topic)
            self.wake(HELLO, *(name for name, _ in follows))
            await self._read()
        finally:
            await self._leave()

    # --- what must be sent -------------------------------------------------------------------

    def follow(self, name: str, topic: str) -> None:
        """Look at `name` again whenever `topic` changes, for the life of the page."""
        stale = self.stale(name)
        self._follows.append((stale, topic))
        self.floor.feed.follow(stale, topic)

    def unfollow(self, name: str) -> None:
        gone = [each for each in self._follows if each[0].name == name]
        for stale, topic in gone:
            self.floor.feed.unfollow(stale, topic)
            self._follows.remove((stale, topic))

    def stale(self, name: str) -> Stale:
        return Stale(self, name)

    def wake(self, *names: str) -> None:
        """These things must be looked at, and said when they have changed."""
        self._names.update(names)
        if self._writer is None and not self._is_gone:
            self._writer = self._errands.start(self._write(), name="page", failed=self._fail)

    def beat(self, hello: str) -> None:
        self.hello = hello
        self.wake(HELLO, *self.on_beat())

    def on_beat(self) -> tuple[str, ...]:
        """What else must be looked at each two seconds."""
        return ()

    async def _write(self) -> None:
        try:
            while self._names and not self._is_gone:
                names = sorted(self._names, key=_urgency)
                self._names.clear()
                for name in names:
                    await self._say(name)
        except ConnectionError:
            self._is_gone = True
        finally:
            self._writer = None

    async def _say(self, name: str) -> None:
        kind = name.partition(" ")[0]
        try:
            if kind == HELLO:
                await self.send(self.hello)
            elif kind in CALL_KINDS:
                await self.calls.say(name)
            else:
                await self.refresh(kind)
        except DatabaseUnavailable:
            self._names.add(name)
            await asyncio.sleep(RETRY_S)

    async def refresh(self, kind: str) -> None: ...

    async def send(self, frame: BaseModel | str) -> None:
        text = frame if isinstance(frame, str) else frame.model_dump_json()
        try:
            async with asyncio.timeout(SEND_LIMIT_S):
                await self._socket.response.send_str(text)
        except TimeoutError:
            # Dropped, not closed: whoever reads nothing reads no goodbye either.
            self._is_gone = True
            self._socket.transport.abort()
            raise ConnectionResetError from None

    async def close(self, code: int) -> None:
        """Nothing more is sent or obeyed, from this moment."""
        self._is_gone = True
        await self._socket.response.close(code=code)

    def _fail(self) -> None:
        """A fault of ours while writing: the page connects anew."""
        if self._reader is not None:
            self._reader.cancel()

    # --- what the page says ------------------------------------------------------------------

    async def _read(self) -> None:
        async for message in self._socket.response:
            if message.type is not WSMsgType.TEXT or self._is_gone:
                return
            try:
                frame = wire.FROM_PAGE.validate_json(message.data)
            except ValidationError as error:
                await self._refuse(wire.Refused(code=str(as_refusal(error).code)))
                continue
            try:
                await self.take(frame)
            except TelecareError as error:
                tell_if_unrecorded(error)
                await self._refuse(wire.Refused(code=str(error.code), about=frame.type))

    async def _refuse(self, refused: wire.Refused) -> None:
        with contextlib.suppress(ConnectionError):
            await self.send(refused)

    async def take(self, frame: wire.FromPageFrame) -> None:
        if not await self.calls.take(frame):
            raise NotYours

    async def _leave(self) -> None:
        self._is_gone = True
        for stale, topic in self._follows:
            self.floor.feed.unfollow(stale, topic)
        if self._writer is not None:
            self._writer.cancel()
        await self.calls.leave()


def _urgency(name: str) -> tuple[int, str]:
    """The first frame of a page is `hello`; a call comes before the lists."""
    kind = name.partition(" ")[0]
    return 0 if kind == HELLO else 1 if kind in CALL_KINDS else 2, name


class Screens:
    """Every page that is open in this process."""

    def __init__(self, floor: Floor, errands: Errands) -> None:
        self.floor = floor
        self.errands = errands
        self._open: set[PageSocket] = set()

    def hello(self) -> str:
        return wire.Hello(version=self.floor.version, now=self.floor.clock.now()).model_dump_json()

    async def hold(self, page: PageSocket, *follows: tuple[str, str]) -> None:
        """Serve the page. `follows`: what it shows from the start, each with its topic."""
        self._open.add(page)
        try:
            await page.run(*follows)
        finally:
            self._open.discard(page)
            await page.close(OK)

    async def beat(self) -> None:
        """Each two seconds, for all of them."""
        hello = self.hello()
        for page in tuple(self._open):
            page.beat(hello)

    async def close(self, limit_s: float) -> None:
        """The server stops: pages are told at once, so that they come back at once."""
        async with asyncio.TaskGroup() as group:
            for page in tuple(self._open):
                group.create_task(_closed(page, limit_s), name="close page")


async def _closed(page: PageSocket, limit_s: float) -> None:
    with contextlib.suppress(TimeoutError, ConnectionError):
        async with asyncio.timeout(limit_s):
            await page.close(RESTART)


SCREENS = web.AppKey("screens", Screens)

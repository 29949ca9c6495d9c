"""The calls that one page follows: their frames, their signals, their leases."""

import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from uuid import UUID

from pydantic import BaseModel

from telecare.access.model import ScreenSession, StaffSession
from telecare.calls import store
from telecare.calls.model import State
from telecare.calls.opening import call_topic, lease_topic, signal_topic
from telecare.runtime.errors import FieldInvalid, TelecareError
from telecare.runtime.feed import Follower
from telecare.web.floor import Floor
from telecare.web.frames import call_frame
from telecare.wire import signalling as wire
from telecare.wire.edge import LEASE_MS
from telecare.wire.ids import CallId, ResidentId

BACK_EVERY_S = 10.0
FRESH_ALIVE_S = 3.0
MOST_CALLS = 20
"""A page is in one call, and may still show the end of another."""
KINDS = frozenset({"call", "signals", "lease"})


@dataclass(slots=True)
class Followed:
    """What this page has been told of a call."""

    said: str = ""
    """Its last frame, so that nothing is said twice."""
    joined: "Joined | None" = None


@dataclass(slots=True)
class Joined:
    """This page asked to speak for its end of the call."""

    sent: int
    """Highest signal number sent to the page."""
    speaks: bool = False
    """It does, by the call's newest state: only then is its lease renewed."""
    alive_ms: int = 0
    alive_at: float = 0.0
    back_at: float = 0.0
    follows: list[tuple[Follower, str]] = field(default_factory=list)


class FollowedCalls:
    """Part of a page's socket."""

    __slots__ = ("_calls", "_floor", "_page", "_send", "_stale", "_wake", "session")

    def __init__(
        self,
        floor: Floor,
        session: StaffSession | ScreenSession,
        *,
        page: UUID,
        send: Callable[[BaseModel | str], Awaitable[None]],
        stale: Callable[[str], Follower],
        wake: Callable[..., None],
    ) -> None:
        self.session = session
        self._floor = floor
        self._page = page
        self._send = send
        self._stale = stale
        self._wake = wake
        self._calls: dict[CallId, Followed] = {}

    async def take(self, frame: wire.FromPageFrame) -> bool:
        """False for a frame that is not about calls."""
        calls = self._floor.calls
        match frame:
            case wire.Join():
                await self._join(CallId(frame.call_id), frame.after)
            case wire.Signal():
                await calls.signal(
                    self.session,
                    CallId(frame.call_id),
                    generation=frame.generation,
                    kind=frame.kind,
                    body=frame.body,
                    page=self._page,
                )
            case wire.Alive():
                await self._alive(frame)
            case wire.Report():
                if frame.what in ("first_frame", "dark", "lit"):
                    await calls.report(self.session, CallId(frame.call_id), frame.what)
            case _:
                return False
        return True

    async def show_live(self, live: CallId | None) -> None:
        """The call this end is in now, and the end of those it was shown.

        One that this page has joined it follows anyhow.
        """
        for call_id in {*self._calls, *([live] if live else [])}:
            if self._joined(call_id) is None:
                await self._send_call(call_id)

    async def say(self, name: str) -> None:
        """What became stale; `name` is "<kind> <call id>"."""
        kind, _, about = name.partition(" ")
        call_id = CallId(UUID(about))
        if kind == "call":
            await self._send_call(call_id)
        elif kind == "signals":
            await self._send_signals(call_id)
        else:
            await self._send_lease(call_id)

    async def leave(self) -> None:
        for call_id in list(self._calls):
            if self._forget(call_id):
                with suppress(TelecareError):
                    await self._floor.calls.lost(self.session, call_id, self._page)

    async def _join(self, call_id: CallId, after: int) -> None:
        """Follow the call; from now on this page speaks for its end."""
        if call_id not in self._calls and len(self._calls) >= MOST_CALLS:
            raise FieldInvalid("call_id")
        followed = self._calls.setdefault(call_id, Followed())
        if followed.joined is None:
            followed.joined = Joined(after)
            for kind, topic in (
                ("call", call_topic(call_id)),
                ("signals", signal_topic(call_id)),
                ("lease", lease_topic(call_id)),
            ):
                stale = self._stale(f"{kind} {call_id}")
                self._floor.feed.follow(stale, topic)
                followed.joined.follows.append((stale, topic))
        followed.joined.sent = after
        with suppress(TelecareError):  # ringing elsewhere, or ended: only shown
            await self._floor.calls.join(self.session, call_id, self._page)
        self._wake(f"call {call_id}", f"signals {call_id}")

    async def _alive(self, frame: wire.Alive) -> None:
        joined = self._joined(CallId(frame.call_id))
        if joined is None:
            return
        joined.alive_ms = frame.mono_ms
        joined.alive_at = time.monotonic()
        if joined.alive_at - joined.back_at > BACK_EVERY_S:
            joined.back_at = joined.alive_at
            await self._floor.calls.back(self.session, CallId(frame.call_id))

    async def _send_call(self, call_id: CallId) -> None:
        async with self._floor.database.transaction(self.session.tenant) as db:
            seen = await store.view(db, call_id)
        if seen is None or not self._may_see(seen.call.resident_id, seen.call.staff_id):
            return
        call, speaks = seen.call, seen.pages[self._party]
        frame = call_frame(
            seen, self.session, page=self._speaking_as(call_id), turn=self._floor.turn
        )
        if frame.mine and call.is_live and speaks is None and self._joined(call_id) is not None:
            # Joined while it rang, when no screen was an end of it yet.
            await self._floor.calls.join(self.session, call_id, self._page)
            self._wake(f"signals {call_id}")
        if (joined := self._joined(call_id)) is not None:
            joined.speaks = frame.mine
        text = frame.model_dump_json()
        followed = self._calls.setdefault(call_id, Followed())
        if followed.said != text:
            followed.said = text
            await self._send(text)
        if call.state is State.ENDED:
            self._forget(call_id)

    def _forget(self, call_id: CallId) -> bool:
        """True when this page spoke for its end of the call."""
        followed = self._calls.pop(call_id, None)
        if followed is None or followed.joined is None:
            return False
        for stale, topic in followed.joined.follows:
            self._floor.feed.unfollow(stale, topic)
        return True

    def _joined(self, call_id: CallId) -> Joined | None:
        followed = self._calls.get(call_id)
        return followed.joined if followed else None

    def _may_see(self, resident_id: ResidentId, staff_id: UUID | None) -> bool:
        if isinstance(self.session, StaffSession):
            return staff_id == self.session.staff.id
        return resident_id == self.session.actor.resident_id

    async def _send_signals(self, call_id: CallId) -> None:
        joined = self._joined(call_id)
        if joined is None:
            return
        async with self._floor.database.transaction(self.session.tenant) as db:
            seen = await store.view(db, call_id)
            if seen is None or seen.pages[self._party] not in (None, self._page):
                return
            if self._party == "home" and seen.call.endpoint_id != self._endpoint():
                return
            signals = await store.signals(db, call_id, self._party, after=joined.sent)
        for signal in signals:
            await self._send(
                wire.SignalFrame(
                    call_id=call_id,
                    n=signal.n,
                    generation=signal.generation,
                    kind=signal.kind,
                    body=signal.body,
                )
            )
            joined.sent = max(joined.sent, signal.n)

    def _speaking_as(self, call_id: CallId) -> UUID | None:
        """A console that has not joined leaves the call to the page that holds it; a screen is
        one device, whose newest page takes it over."""
        is_new_screen = self._party == "home" and self._joined(call_id) is None
        return None if is_new_screen else self._page

    @property
    def _party(self) -> store.Party:
        return "staff" if isinstance(self.session, StaffSession) else "home"

    def _endpoint(self) -> UUID | None:
        return None if isinstance(self.session, StaffSession) else self.session.actor.endpoint_id

    async def _send_lease(self, call_id: CallId) -> None:
        """Renew for a page that was heard from lately; the echo is its own clock."""
        joined = self._joined(call_id)
        if joined is None or not joined.speaks:
            return
        if time.monotonic() - joined.alive_at > FRESH_ALIVE_S:
            return
        await self._send(wire.Lease(call_id=call_id, echo_ms=joined.alive_ms, lease_ms=LEASE_MS))

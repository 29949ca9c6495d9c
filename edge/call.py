"""One call as the home unit lives it: rings, answered, lit or dark, ended.

Pure: `now_ms` is the unit's own monotonic clock, nothing here waits, sends or opens anything.
The caller carries out the effects in order. Where in doubt it is dark (architecture §1.5, §1.6).
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal
from uuid import UUID

from telecare.wire.edge import Longer, Opened, PrepareLook, Renewal, Ring, Stamp

DARK_KEPT_MS = 30_000
"""How long a dark call keeps its connection for a renewal that may come."""
VIEWER_SILENT_MS = 3_000
VIEWER_CONNECTS_MS = 10_000
"""How long a new connection may take before the viewer counts as silent."""
OPENING_PATIENCE_MS = 30_000
CALL_IN_PATIENCE_MS = 180_000
"""A call-in rings at the care unit this long (issue 2, point 7)."""

DarkReason = Literal["lease", "viewer_silent"]
EndReason = Literal[
    "declined", "no_answer", "not_opened", "hang_up", "lease", "must_end", "viewer_silent", "fault"
]


class Stage(StrEnum):
    RINGING = "ringing"
    ANSWERED = "answered"
    LIT = "lit"
    DARK = "dark"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Answered:
    """Say to the server that somebody answered; say it again until it opens or ends the call."""

    by_itself: bool


@dataclass(frozen=True, slots=True)
class Declined:
    """Say to the server that the person does not want this call."""


@dataclass(frozen=True, slots=True)
class HungUp:
    """Say to the server that the person ended the call."""


@dataclass(frozen=True, slots=True)
class TurnedLit:
    """Open camera and sound, after the record; valid until `until_ms` at the latest."""

    until_ms: int


@dataclass(frozen=True, slots=True)
class StillLit:
    """As `TurnedLit`, for a camera that is open already."""

    until_ms: int


@dataclass(frozen=True, slots=True)
class TurnedDark:
    """Close camera and sound now; keep the connection."""

    reason: DarkReason


@dataclass(frozen=True, slots=True)
class Ended:
    """Close everything now."""

    reason: EndReason


Effect = Answered | Declined | HungUp | TurnedLit | StillLit | TurnedDark | Ended


@dataclass(slots=True)
class Call:
    """`boot` is this run of the unit: stamps of another one say nothing about our clock."""

    call_id: UUID
    boot: UUID
    stage: Stage
    gives_up_at_ms: int
    """When a call that is not open yet ends by itself."""
    answers_itself_at_ms: int | None = None
    is_call_in: bool = False
    """Her own press made this call."""
    is_look: bool = False
    """By camera, without a word: nobody answers, and it ends instead of going dark."""
    answered_by_itself: bool = field(default=False, init=False)
    must_end_at_ms: int = field(default=0, init=False)
    lease_until_ms: int = field(default=0, init=False)
    viewer_until_ms: int = field(default=0, init=False)
    newest_echo_ms: int = field(default=-1, init=False)
    dark_since_ms: int = field(default=0, init=False)
    extended: int = field(default=0, init=False)

    def answer(self, now_ms: int, *, by_itself: bool = False) -> list[Effect]:
        """The person (or, with her consent, the countdown) answers."""
        if self.stage is not Stage.RINGING or now_ms >= self.gives_up_at_ms:
            return []
        self.stage = Stage.ANSWERED
        self.answered_by_itself = by_itself
        self.gives_up_at_ms = now_ms + OPENING_PATIENCE_MS
        return [Answered(by_itself)]

    def decline(self) -> list[Effect]:
        if self.stage is not Stage.RINGING:
            return []
        return [Declined(), *self._end("declined")]

    def stop_counting_down(self) -> None:
        """Any key but OK, volume and power: it rings on, but does not answer by itself."""
        self.answers_itself_at_ms = None

    def hang_up(self) -> list[Effect]:
        """The person presses the red key."""
        if self.stage is Stage.ENDED:
            return []
        return [HungUp(), *self._end("hang_up")]

    def stop(self) -> list[Effect]:
        """The server says that it is over, in whatever stage."""
        return self._end("hang_up")

    def break_down(self) -> list[Effect]:
        """The process that holds camera and connection is gone."""
        return [] if self.stage is Stage.ENDED else [HungUp(), *self._end("fault")]

    def opened(self, message: Opened, now_ms: int) -> list[Effect]:
        """Open only what this unit answered. A repeat renews; it never lengthens the call."""
        lapsed = self.tick(now_ms)
        must_end_at_ms = now_ms + message.max_s * 1000
        match self.stage:
            case Stage.ANSWERED:
                if not self._take(message.echo, message.lease_ms, now_ms):
                    return lapsed
                self.must_end_at_ms = must_end_at_ms
                self.viewer_until_ms = now_ms + VIEWER_CONNECTS_MS
                self.stage, self.dark_since_ms = Stage.DARK, now_ms
                return self._lit_if_allowed(now_ms)
            case Stage.LIT | Stage.DARK:
                self.must_end_at_ms = min(self.must_end_at_ms, must_end_at_ms)
                return [*lapsed, *self._renew(message.echo, message.lease_ms, now_ms)]
            case _:
                return lapsed

    def renewed(self, message: Renewal, now_ms: int) -> list[Effect]:
        lapsed = self.tick(now_ms)
        if self.stage not in {Stage.LIT, Stage.DARK}:
            return lapsed
        return [*lapsed, *self._renew(message.echo, message.lease_ms, now_ms)]

    def longer(self, message: Longer, now_ms: int) -> list[Effect]:
        """A look may go on; each extension counts once."""
        lapsed = self.tick(now_ms)
        if not self.is_look or self.stage is not Stage.LIT or message.n <= self.extended:
            return lapsed
        self.extended = message.n
        self.must_end_at_ms += message.more_s * 1000
        return [*lapsed, StillLit(self.open_until_ms)]

    def viewer_heard(self, now_ms: int) -> list[Effect]:
        """Her liveness on the data channel."""
        lapsed = self.tick(now_ms)
        self.viewer_until_ms = now_ms + VIEWER_SILENT_MS
        return [*lapsed, *self._lit_if_allowed(now_ms)]

    def viewer_reconnects(self, now_ms: int) -> list[Effect]:
        """A new offer: the new connection gets its time."""
        lapsed = self.tick(now_ms)
        self.viewer_until_ms = max(self.viewer_until_ms, now_ms + VIEWER_CONNECTS_MS)
        return [*lapsed, *self._lit_if_allowed(now_ms)]

    def went_dark(self, now_ms: int) -> list[Effect]:
        """The media process closed camera and sound by itself, at the time it had been given."""
        return self._darken("lease", now_ms) if self.stage is Stage.LIT else []

    def tick(self, now_ms: int) -> list[Effect]:
        """What time alone brings about; idempotent. Every other input does this first."""
        match self.stage:
            case Stage.RINGING | Stage.ANSWERED:
                return self._wait(now_ms)
            case Stage.LIT | Stage.DARK if now_ms >= self.must_end_at_ms:
                return self._end("must_end")
            case Stage.LIT if now_ms >= self.lease_until_ms:
                return self._darken("lease", now_ms)
            case Stage.LIT if now_ms >= self.viewer_until_ms:
                return self._darken("viewer_silent", now_ms)
            case Stage.DARK if now_ms >= self.dark_since_ms + DARK_KEPT_MS:
                return self._end("lease" if now_ms >= self.lease_until_ms else "viewer_silent")
            case _:
                return []

    def _wait(self, now_ms: int) -> list[Effect]:
        if now_ms >= self.gives_up_at_ms:
            return self._end("no_answer" if self.stage is Stage.RINGING else "not_opened")
        at_ms = self.answers_itself_at_ms
        if self.stage is Stage.RINGING and at_ms is not None and now_ms >= at_ms:
            return self.answer(now_ms, by_itself=True)
        return []

    @property
    def deadline_ms(self) -> int | None:
        """When to `tick` next; None once ended."""
        match self.stage:
            case Stage.RINGING:
                return min(self.gives_up_at_ms, self.answers_itself_at_ms or self.gives_up_at_ms)
            case Stage.ANSWERED:
                return self.gives_up_at_ms
            case Stage.LIT:
                return self._lit_until_ms
            case Stage.DARK:
                return min(self.must_end_at_ms, self.dark_since_ms + DARK_KEPT_MS)
            case Stage.ENDED:
                return None

    @property
    def open_until_ms(self) -> int:
        """What the media process enforces by itself, should this process stand still."""
        return min(self.lease_until_ms, self.must_end_at_ms)

    @property
    def _lit_until_ms(self) -> int:
        return min(self.open_until_ms, self.viewer_until_ms)

    def _take(self, echo: Stamp, lease_ms: int, now_ms: int) -> bool:
        """Take a newer echo of our own clock; False for a stranger's, an old or a future one."""
        if echo.boot != self.boot or not self.newest_echo_ms < echo.monotonic_ms <= now_ms:
            return False
        self.newest_echo_ms = echo.monotonic_ms
        self.lease_until_ms = echo.monotonic_ms + lease_ms
        return True

    def _renew(self, echo: Stamp, lease_ms: int, now_ms: int) -> list[Effect]:
        if not self._take(echo, lease_ms, now_ms):
            return []
        if self.stage is Stage.LIT and now_ms < self._lit_until_ms:
            return [StillLit(self.open_until_ms)]
        return self._lit_if_allowed(now_ms)

    def _lit_if_allowed(self, now_ms: int) -> list[Effect]:
        if self.stage is not Stage.DARK or now_ms >= self._lit_until_ms:
            return []
        self.stage = Stage.LIT
        return [TurnedLit(self.open_until_ms)]

    def _darken(self, reason: DarkReason, now_ms: int) -> list[Effect]:
        if self.is_look:
            return self._end(reason)
        self.stage, self.dark_since_ms = Stage.DARK, now_ms
        return [TurnedDark(reason)]

    def _end(self, reason: EndReason) -> list[Effect]:
        if self.stage is Stage.ENDED:
            return []
        self.stage = Stage.ENDED
        return [Ended(reason)]


def rings(ring: Ring, *, boot: UUID, now_ms: int) -> Call:
    """A call that has reached this home and rings here."""
    counted = ring.answers_itself_after_s
    return Call(
        ring.call_id,
        boot,
        Stage.RINGING,
        gives_up_at_ms=now_ms + ring.ring_s * 1000,
        answers_itself_at_ms=None if counted is None else now_ms + counted * 1000,
    )


def called_in(call_id: UUID, *, boot: UUID, now_ms: int) -> Call:
    """Her own press made this call: she has answered it already, and now waits for staff."""
    gives_up_at_ms = now_ms + CALL_IN_PATIENCE_MS
    return Call(call_id, boot, Stage.ANSWERED, gives_up_at_ms=gives_up_at_ms, is_call_in=True)


def made_ready(prepare: PrepareLook, *, boot: UUID, now_ms: int) -> Call:
    """A look whose turn will come: as if answered, and dark."""
    gives_up_at_ms = now_ms + prepare.ready_s * 1000
    return Call(prepare.call_id, boot, Stage.ANSWERED, gives_up_at_ms=gives_up_at_ms, is_look=True)

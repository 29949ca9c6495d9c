"""The one state machine of every live connection. Pure: `now` comes in, a new call goes out."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal
from uuid import UUID

from telecare.consent.model import Purpose
from telecare.runtime.errors import TelecareError
from telecare.wire.errors import Code
from telecare.wire.ids import CallId, CareUnitId, EndpointId, ResidentId, StaffId, VisitId


class Kind(StrEnum):
    VISIT = "visit"
    VIDEO_CALL = "video_call"
    CALL_IN = "call_in"
    LOOK = "look"
    """By a camera at night: nothing rings, nobody answers, only her picture."""


class State(StrEnum):
    READY = "ready"
    """A look whose connection is made in advance; nothing leaves the home."""
    RINGING = "ringing"
    OPEN = "open"
    DARK = "dark"
    ENDED = "ended"


class Reason(StrEnum):
    """Why a call ended; texts `call.end.<reason>`."""

    HUNG_UP_BY_STAFF = "hung_up_by_staff"
    HUNG_UP_AT_HOME = "hung_up_at_home"
    CANCELLED = "cancelled"
    DECLINED = "declined"
    NO_ANSWER = "no_answer"
    NO_CONNECTION = "no_connection"
    CONNECTION_LOST = "connection_lost"
    TIME_OVER = "time_over"
    CONSENT_WITHDRAWN = "consent_withdrawn"
    ASSIGNMENT_ENDED = "assignment_ended"
    STAFF_REVOKED = "staff_revoked"
    ABSENT = "absent"
    RESIDENT_ENDED = "resident_ended"
    DEVICE_CLOSED = "device_closed"
    ALARM_TAKEN = "alarm_taken"
    """She took an alarm from another home."""
    NOT_USED = "not_used"
    """It was made ready, and its turn did not come in time."""
    LOOKED = "looked"
    """She has said what she saw."""
    CLOSED_AT_ONCE = "closed_at_once"
    """ "Stäng bilden"."""
    SOMEBODY_THERE = "somebody_there"
    """Whoever was on the way has come."""
    HOME_CALLS = "home_calls"
    """The person at home calls, or is called: a look gives way."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What a kind of call does; the only place where kinds differ."""

    ring: timedelta
    longest: timedelta
    purpose: Purpose
    rings_in: Literal["home", "console", "nowhere"]
    is_talk: bool = True
    """Sound both ways and our picture to her; a look is her picture alone."""


POLICIES: dict[Kind, Policy] = {
    Kind.VISIT: Policy(timedelta(seconds=60), timedelta(hours=2), Purpose.VIDEO_VISIT, "home"),
    Kind.VIDEO_CALL: Policy(timedelta(seconds=60), timedelta(hours=2), Purpose.VIDEO_VISIT, "home"),
    Kind.CALL_IN: Policy(
        timedelta(seconds=180), timedelta(hours=2), Purpose.VIDEO_VISIT, "console"
    ),
    Kind.LOOK: Policy(
        timedelta(seconds=30), timedelta(minutes=3), Purpose.CAMERA_CHECK, "nowhere", is_talk=False
    ),
}

CALL_IN_NEXT_UNIT = timedelta(seconds=60)
CALL_IN_LANGUAGE_FIRST = timedelta(seconds=15)
CONNECT_LIMIT = timedelta(seconds=30)
"""From open to somebody's first frame."""
DARK_LIMIT = timedelta(seconds=30)
"""A dark or lost connection is kept this long."""
AFTER_CALL_IN = timedelta(minutes=60)
"""How long whoever took a call-in stays assigned after it ended."""


class CallNotRinging(TelecareError):
    code = Code.CALL_NOT_RINGING


class CallEnded(TelecareError):
    status = 410
    code = Code.CALL_ENDED


class CallTaken(TelecareError):
    """Somebody else answered first."""

    code = Code.CALL_TAKEN


@dataclass(frozen=True, slots=True)
class Call:
    """A call rings until `ring_until`, is then open (now and then dark), and ends once."""

    id: CallId
    kind: Kind
    state: State
    resident_id: ResidentId
    unit_id: CareUnitId
    staff_id: StaffId | None
    staff_session_id: UUID | None
    visit_id: VisitId | None
    endpoint_id: EndpointId | None
    created_at: datetime
    ring_until: datetime
    answers_itself_at: datetime | None = None
    answered_by_itself: bool = False
    opened_at: datetime | None = None
    seen_at: datetime | None = None
    dark_at: datetime | None = None
    must_end: datetime | None = None
    ended_at: datetime | None = None
    end_reason: Reason | None = None
    home_picture: bool = False
    home_sound: bool = False
    basis: str = "{}"
    first_language: str | None = None
    """A call-in: those who speak it are asked first (CALL_IN_LANGUAGE_FIRST)."""
    speech: Literal["asked", "on"] | None = None
    """A look's voice into the home: asked for, then let through by the home."""
    early_endpoint_id: EndpointId | None = None
    """The home unit that may connect while it rings; nothing leaves the home before `open`."""

    @property
    def policy(self) -> Policy:
        return POLICIES[self.kind]

    @property
    def is_live(self) -> bool:
        """Open or dark: a lease exists."""
        return self.state in (State.OPEN, State.DARK)

    @property
    def connects_early(self) -> bool:
        """It rings or is ready, and the two ends may already make their connection."""
        waits = self.state in (State.RINGING, State.READY)
        return waits and self.early_endpoint_id is not None

    @property
    def home_end(self) -> EndpointId | None:
        """The home's end of the connection."""
        return self.early_endpoint_id if self.connects_early else self.endpoint_id

    @property
    def max_s(self) -> int | None:
        """Longest time open, from `opened_at`."""
        if self.opened_at is None or self.must_end is None:
            return None
        return max(0, int((self.must_end - self.opened_at).total_seconds()))

    @property
    def open_seconds(self) -> int:
        if self.opened_at is None or self.ended_at is None:
            return 0
        return max(0, int((self.ended_at - self.opened_at).total_seconds()))

    def open(
        self,
        now: datetime,
        *,
        staff_id: StaffId,
        endpoint_id: EndpointId,
        home_picture: bool,
        ends_at: datetime | None,
        by_itself: bool = False,
    ) -> "Call":
        """Answered. Raises CallEnded, CallTaken, CallNotRinging (rung out)."""
        if self.state is State.ENDED:
            raise CallEnded
        if self.state not in (State.RINGING, State.READY):
            raise CallTaken
        if now >= self.ring_until:
            raise CallNotRinging
        longest = now + self.policy.longest
        return replace(
            self,
            state=State.OPEN,
            staff_id=staff_id,
            endpoint_id=endpoint_id,
            opened_at=now,
            answered_by_itself=by_itself,
            must_end=min(longest, ends_at) if ends_at else longest,
            home_picture=home_picture,
            home_sound=self.policy.is_talk,
        )

    def seen(self, now: datetime) -> "Call":
        """An end reported its first frame; the first report counts."""
        return self if self.seen_at or not self.is_live else replace(self, seen_at=now)

    def darken(self, now: datetime) -> "Call":
        if self.state is not State.OPEN:
            return self
        return replace(self, state=State.DARK, dark_at=now)

    def light(self) -> "Call":
        if self.state is not State.DARK:
            return self
        return replace(self, state=State.OPEN, dark_at=None)

    def longer(self, by: timedelta) -> "Call":
        """Not beyond the longest of its kind."""
        if self.opened_at is None or self.must_end is None:
            return self
        longest = self.opened_at + self.policy.longest
        return replace(self, must_end=min(longest, self.must_end + by))

    def ask_speech(self) -> "Call":
        return self if self.speech else replace(self, speech="asked")

    def speaks(self) -> "Call":
        """The home lets the voice through; only what was asked for."""
        if self.speech != "asked" or not self.is_live:
            return self
        return replace(self, speech="on")

    def without_home_picture(self) -> "Call":
        return replace(self, home_picture=False)

    def end(self, now: datetime, reason: Reason) -> "Call":
        """Ended once; ending again changes nothing."""
        if self.state is State.ENDED:
            return self
        return replace(self, state=State.ENDED, ended_at=now, end_reason=reason)


# --- what happened (reactions.py) ------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CallOpened:
    call: Call
    at: datetime


@dataclass(frozen=True, slots=True)
class LookShown:
    """The viewer's page has shown a look's first frame."""

    call: Call
    at: datetime


@dataclass(frozen=True, slots=True)
class CallClosed:
    """A call ended, for `call.end_reason`."""

    call: Call
    at: datetime


@dataclass(frozen=True, slots=True)
class CallInUnanswered:
    """Nobody took a call-in: she was told that somebody rings back."""

    call: Call
    at: datetime

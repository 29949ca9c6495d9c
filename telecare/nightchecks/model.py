"""One check of one night: the state machine. Pure: `now` comes in, a new check goes out.

A check ends in one of three ways only: somebody saw or spoke with her, the agreed substitute was
carried out, or it was called off because she is away or no longer with us. Everything else leads
to a visit, so that nobody is without supervision because a camera was (fail loud).
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal

from telecare.nightchecks.agreement import Modality, Substitute
from telecare.runtime.errors import TelecareError
from telecare.wire.errors import Code
from telecare.wire.ids import AgreementId, CallId, CareUnitId, CheckId, ResidentId, RoundId, StaffId

SHOWN_FOR = timedelta(seconds=2)
"""An outcome that says what was seen needs a real frame on the screen this long."""
DECIDED_WITHIN = timedelta(seconds=30)
"""From the end of a look to its outcome; else it was no check."""
SAYS_WHY_WITHIN = timedelta(minutes=2)
"""From closing the picture at once to saying what was wrong with it."""
PHONED_WITHIN = timedelta(minutes=10)
"""She is to be rung within this; else somebody drives."""
DISTURBED_WITHIN = timedelta(minutes=45)
"""The same two in a Driftstörning, when everybody is to be rung or driven to at once."""
ACCEPTED_WITHIN = timedelta(minutes=10)
"""Somebody says "Vi åker" within this; else the unit head is told."""
LONGEST_LOOK = timedelta(minutes=5)
"""No look lasts this long; one that does has lost its call."""
LAPSES_AFTER = timedelta(hours=4)
"""A check whose window closed this long ago, while nothing of ours ran, is a deviation: nobody is
sent to a night that is over.
"""
OUTAGE = "outage"
ABSENT = "absent"
ENDED = "ended"
"""She is no longer with us."""
MAX_EXTENSIONS = 2
AGAIN_EVERY = timedelta(minutes=2)
""" "Titta igen" while somebody is on the way."""

Outcome = Literal["asleep", "up", "not_seen", "needs_visit", "technical_fault"]
WithoutCamera = Literal["paused", "refused", "withdrawn", "expired", "outside_hours", "disturbance"]
"""Why a camera slot goes without its camera although nothing is broken."""
CameraIs = Literal["usable", "faulty"] | WithoutCamera
Cut = Literal["wrong_home", "camera_moved", "somebody_else"]
"""Why a picture was closed at once (key 0)."""
Why = Literal["not_seen", "abnormal", "fault", "missed", "agreed", "without_camera", "not_reached"]
"""Why somebody is to drive there."""


class CheckState(StrEnum):
    PLANNED = "planned"
    DUE = "due"
    READY = "ready"
    CONNECTING = "connecting"
    VIEWING = "viewing"
    DECIDING = "deciding"
    """The picture is closed, and whoever looked has not said what she saw."""
    PHONE = "phone"
    DISPATCHED = "dispatched"
    DONE = "done"
    CALLED_OFF = "called_off"


class Ending(StrEnum):
    """How a check that is done was fulfilled."""

    ASLEEP = "asleep"
    UP = "up"
    PHONED = "phoned"
    VISITED = "visited"
    NOBODY_THERE = "nobody_there"
    """Somebody stood at the door in vain; a task asks where she is."""
    NOTHING_WANTED = "nothing_wanted"


LOOKING = frozenset({CheckState.READY, CheckState.CONNECTING, CheckState.VIEWING})
OVER = frozenset({CheckState.DONE, CheckState.CALLED_OFF})


class CheckTaken(TelecareError):
    """Somebody else is looking there now."""

    code = Code.NIGHT_CHECK_TAKEN


class CheckNotDue(TelecareError):
    """Before its window, or between the first and the second look."""

    code = Code.NIGHT_CHECK_NOT_DUE


class CheckClosed(TelecareError):
    """It has its outcome."""

    code = Code.NIGHT_CHECK_CLOSED


class NothingSeen(TelecareError):
    """No frame has been on the screen long enough to say what was seen."""

    code = Code.NOTHING_SEEN


class LookedJustNow(TelecareError):
    """ "Titta igen" comes at most every two minutes."""

    code = Code.LOOKED_JUST_NOW


class NoMoreTime(TelecareError):
    """It has been extended as often as it may be."""

    code = Code.NO_MORE_TIME


@dataclass(frozen=True, slots=True)
class Check:
    """One slot of one night. As long as it is not over it has a `deadline`."""

    id: CheckId
    agreement_id: AgreementId
    resident_id: ResidentId
    unit_id: CareUnitId
    round_id: RoundId
    starts_at: datetime
    opens_at: datetime
    closes_at: datetime
    modality: Modality
    substitute: Substitute
    phone_first: bool
    retry_min: int
    state: CheckState
    since: datetime
    """When it came into its state."""
    staff_id: StaffId | None = None
    """Who looks now, or looked last."""
    call_id: CallId | None = None
    not_before: datetime | None = None
    """The second look's time."""
    looks: int = 0
    """Looks that ended with an outcome."""
    interrupted: int = 0
    extended: int = 0
    shown_at: datetime | None = None
    """First frame of the look under way, or of the one to be decided."""
    seen_s: int = 0
    """Seconds a picture was open, all looks together."""
    last_outcome: Outcome | None = None
    without_camera: WithoutCamera | None = None
    why: Why | None = None
    expected_by: datetime | None = None
    """Until when somebody is to say that she goes, then to be there; None: late, and told."""
    again_at: datetime | None = None
    """When she was last looked to again while somebody was on the way."""
    ended_as: Ending | None = None
    called_off_for: str | None = None

    @property
    def is_over(self) -> bool:
        return self.state in OVER

    @property
    def was_missed(self) -> bool:
        """Its time passed without anybody: a deviation of its round."""
        return self.why == "missed" or self.called_off_for == OUTAGE

    @property
    def is_late(self) -> bool:
        """Nobody goes there, or she who goes is not there in time."""
        return self.state is CheckState.DISPATCHED and self.expected_by is None

    @property
    def may_look_from(self) -> datetime:
        return self.not_before or self.opens_at

    @property
    def may_look_again_from(self) -> datetime | None:
        """ "Behöver besök" keeps the home open to whoever saw it, until somebody is there; None:
        it is not open.
        """
        if self.state is not CheckState.DISPATCHED or self.last_outcome != "needs_visit":
            return None
        return (self.again_at or self.since) + AGAIN_EVERY

    @property
    def must_begin_by(self) -> datetime:
        """When a check that nobody has begun becomes a visit."""
        if self.not_before is None:
            return self.closes_at
        return max(self.closes_at, self.not_before + timedelta(minutes=self.retry_min))

    @property
    def deadline(self) -> datetime | None:  # noqa: PLR0911 - one for each state
        """When `tick` has something to say; None once it is over, or a late visit has been told."""
        match self.state:
            case CheckState.PLANNED:
                return self.opens_at
            case CheckState.DUE:
                return self.must_begin_by
            case CheckState.READY | CheckState.CONNECTING | CheckState.VIEWING:
                return self.since + LONGEST_LOOK
            case CheckState.DECIDING:
                return self.since + DECIDED_WITHIN
            case CheckState.PHONE:
                return self.since + _patience(self, PHONED_WITHIN)
            case CheckState.DISPATCHED:
                return self.expected_by
            case _:
                return None

    def tick(  # noqa: PLR0911 - one for each state
        self, now: datetime, camera: CameraIs = "usable"
    ) -> "Check":
        """What time alone brings about; `camera` is asked for when its window opens."""
        if self.deadline is None or now < self.deadline:
            return self
        match self.state:
            case CheckState.PLANNED if now >= self.closes_at + LAPSES_AFTER:
                return self.call_off(OUTAGE, now)
            case CheckState.PLANNED:
                return self._open(now, camera)
            case CheckState.DUE:
                return _drive(self, "missed", now)
            case CheckState.PHONE:
                return _drive(self, "not_reached", now)
            case CheckState.DISPATCHED:
                return replace(self, expected_by=None)
            case _:
                return _interrupt(self, now)

    # --- looking ------------------------------------------------------------------------------

    def require_look(self, by: StaffId, now: datetime) -> None:
        """May she look there now? Raises CheckTaken, CheckNotDue, CheckClosed."""
        if self.state in LOOKING | {CheckState.DECIDING}:
            self._mine(by)
        elif self.state is CheckState.PLANNED or (
            self.state is CheckState.DUE and now < self.may_look_from
        ):
            raise CheckNotDue
        elif self.state is not CheckState.DUE:
            raise CheckClosed

    def make_ready(self, call_id: CallId, by: StaffId, now: datetime) -> "Check":
        """Raises CheckTaken, CheckNotDue, CheckClosed."""
        self.require_look(by, now)
        return self._looked_at(CheckState.READY, call_id, by, now)

    def connect(self, call_id: CallId, by: StaffId, now: datetime) -> "Check":
        """Her turn: the camera is to open. Raises CheckTaken, CheckNotDue, CheckClosed."""
        if not (self.state is CheckState.READY and self.call_id == call_id and self.staff_id == by):
            self.require_look(by, now)
        return self._looked_at(CheckState.CONNECTING, call_id, by, now)

    def shown(self, now: datetime) -> "Check":
        """The viewer's first frame."""
        if self.state is CheckState.DISPATCHED:
            return replace(self, shown_at=now)
        if self.state is not CheckState.CONNECTING:
            return self
        return replace(self, state=CheckState.VIEWING, since=now, shown_at=now)

    def extend(self, by: StaffId) -> "Check":
        """Raises NoMoreTime, CheckClosed, CheckTaken."""
        if self.state is not CheckState.VIEWING:
            raise CheckClosed
        self._mine(by)
        if self.extended >= MAX_EXTENSIONS:
            raise NoMoreTime
        return replace(self, extended=self.extended + 1)

    def look_ended(self, seconds: int, now: datetime) -> "Check":
        """The picture is closed; what was shown too shortly to judge is no look."""
        match self.state:
            case CheckState.VIEWING:
                seen = replace(self, seen_s=self.seen_s + seconds)
                if not self._was_shown(now):
                    return _interrupt(seen, now)
                return replace(seen, state=CheckState.DECIDING, since=now)
            case CheckState.CONNECTING:
                return _interrupt(self, now)
            case CheckState.READY:
                return _back(self, now)
            case CheckState.DISPATCHED:
                return replace(self, seen_s=self.seen_s + seconds, call_id=None, shown_at=None)
            case _:
                return self

    def look_again(self, call_id: CallId, by: StaffId, now: datetime) -> "Check":
        """While somebody is on the way; no outcome is asked for. Raises CheckClosed, CheckTaken,
        LookedJustNow.
        """
        self.require_look_again(by, now)
        return replace(self, call_id=call_id, again_at=now, shown_at=None)

    def require_look_again(self, by: StaffId, now: datetime) -> None:
        """Raises as `look_again`."""
        may_from = self.may_look_again_from
        if may_from is None:
            raise CheckClosed
        self._mine(by)
        if now < may_from:
            raise LookedJustNow

    def conclude(self, outcome: Outcome, by: StaffId, now: datetime) -> "Check":
        """What she saw. A fault can be said without a picture; nothing else can.

        Raises CheckClosed, CheckTaken, NothingSeen.
        """
        if self.state not in LOOKING | {CheckState.DECIDING}:
            raise CheckClosed
        self._mine(by)
        if outcome != "technical_fault" and not self._was_shown(now):
            raise NothingSeen
        said = replace(self, looks=self.looks + 1, last_outcome=outcome)
        match outcome:
            case "asleep":
                return _done(said, Ending.ASLEEP, now)
            case "up":
                return _done(said, Ending.UP, now)
            case "not_seen":
                return _not_seen(said, now)
            case "needs_visit":
                return _drive(said, "abnormal", now)
            case "technical_fault":
                return _drive(said, "fault", now)

    def cut(self, why: Cut, by: StaffId, now: datetime) -> "Check":
        """Key 0. What the wrong camera shows is no check, and that camera cannot be asked again;
        a stranger in the picture does not excuse from looking. Raises CheckClosed, CheckTaken.
        """
        just_closed = self.state is CheckState.DUE and now - self.since < SAYS_WHY_WITHIN
        if not just_closed and self.state not in LOOKING | {CheckState.DECIDING}:
            raise CheckClosed
        self._mine(by)
        if just_closed and why == "somebody_else":
            return self
        return _interrupt(self, now) if why == "somebody_else" else _drive(self, "fault", now)

    # --- without a camera ---------------------------------------------------------------------

    def pause(self, *, somebody_comes: bool, now: datetime) -> "Check":
        """ "Pausa i natt": her own word, for this night only."""
        if not self._uses_camera:
            return self
        instead = Substitute.VISIT if somebody_comes else Substitute.NOTHING
        return replace(self, substitute=instead).go_without("paused", now)

    def unpause(self, substitute: Substitute) -> "Check":
        """She wants the camera after all, before its time came."""
        if self.state is not CheckState.PLANNED or self.without_camera != "paused":
            return self
        return replace(self, substitute=substitute, without_camera=None)

    def go_without(self, why: WithoutCamera, now: datetime) -> "Check":
        """The camera may not be used: the agreed substitute, when its time comes."""
        if not self._uses_camera:
            return self
        marked = replace(self, without_camera=why)
        if self.state is CheckState.PLANNED:
            return marked
        match self.substitute:
            case Substitute.VISIT if why == "disturbance" and self.phone_first:
                return _to(marked, CheckState.PHONE, now)
            case Substitute.VISIT:
                return _drive(marked, "without_camera", now)
            case Substitute.PHONE:
                return _to(marked, CheckState.PHONE, now)
            case Substitute.NOTHING:
                return _done(marked, Ending.NOTHING_WANTED, now)

    def fault(self, now: datetime) -> "Check":
        """The camera is closed, unpaired or lent out: that is a visit, when its time has come."""
        if not self._uses_camera or self.state is CheckState.PLANNED:
            return self
        return _drive(self, "fault", now)

    # --- the phone and the visit --------------------------------------------------------------

    def phoned(self, *, reached: bool, now: datetime) -> "Check":
        """Raises CheckClosed."""
        if self.state is not CheckState.PHONE:
            raise CheckClosed
        return _done(self, Ending.PHONED, now) if reached else _drive(self, "not_reached", now)

    def accepted(self, arrive_by: datetime) -> "Check":
        """Somebody goes there."""
        if self.state is not CheckState.DISPATCHED:
            return self
        return replace(self, expected_by=arrive_by)

    def visited(self, now: datetime) -> "Check":
        if self.state is not CheckState.DISPATCHED:
            return self
        return _done(self, Ending.VISITED, now)

    def nobody_there(self) -> "Check":
        """Whoever drove there says so when she leaves."""
        if self.ended_as is not Ending.VISITED:
            return self
        return replace(self, ended_as=Ending.NOBODY_THERE)

    def call_off(self, why: str, now: datetime) -> "Check":
        """She is away, or no longer with us. Whoever is on her way to one who is away goes on."""
        if self.is_over or (self.state is CheckState.DISPATCHED and why != ENDED):
            return self
        return replace(_to(self, CheckState.CALLED_OFF, now), called_off_for=why)

    # --- parts --------------------------------------------------------------------------------

    @property
    def _uses_camera(self) -> bool:
        """Its camera is still to be used: nobody looks now, and no other way has been taken."""
        waits = self.state in (CheckState.PLANNED, CheckState.DUE)
        return self.modality is Modality.CAMERA and waits

    def _open(self, now: datetime, camera: CameraIs) -> "Check":
        match self.modality:
            case Modality.VISIT:
                return _drive(self, "agreed", now)
            case Modality.PHONE:
                return _to(self, CheckState.PHONE, now)
            case Modality.CAMERA:
                pass
        due = _to(self, CheckState.DUE, now)
        if self.without_camera == "paused":
            return due.go_without("paused", now)
        due = replace(due, without_camera=None)
        match camera:
            case "usable":
                return due
            case "faulty":
                return due.fault(now)
            case why:
                return due.go_without(why, now)

    def _mine(self, by: StaffId) -> None:
        if self.staff_id != by:
            raise CheckTaken

    def _was_shown(self, now: datetime) -> bool:
        return self.shown_at is not None and now - self.shown_at >= SHOWN_FOR

    def _looked_at(self, state: CheckState, call_id: CallId, by: StaffId, now: datetime) -> "Check":
        begun = _to(self, state, now)
        if self.state is CheckState.DECIDING:
            begun = replace(begun, interrupted=self.interrupted + 1)
        return replace(begun, call_id=call_id, staff_id=by, shown_at=None, extended=0)


def _not_seen(check: Check, now: datetime) -> Check:
    if check.not_before is None:
        again = now + timedelta(minutes=check.retry_min)
        return replace(_back(check, now), not_before=again)
    if check.phone_first:
        return _to(check, CheckState.PHONE, now)
    return _drive(check, "not_seen", now)


def _to(check: Check, state: CheckState, now: datetime) -> Check:
    return replace(check, state=state, since=now, call_id=None)


def _interrupt(check: Check, now: datetime) -> Check:
    return replace(_back(check, now), interrupted=check.interrupted + 1)


def _back(check: Check, now: datetime) -> Check:
    return replace(_to(check, CheckState.DUE, now), shown_at=None)


def _drive(check: Check, why: Why, now: datetime) -> Check:
    asked = _to(check, CheckState.DISPATCHED, now)
    return replace(asked, why=why, expected_by=now + _patience(check, ACCEPTED_WITHIN))


def _patience(check: Check, usual: timedelta) -> timedelta:
    return DISTURBED_WITHIN if check.without_camera == "disturbance" else usual


def _done(check: Check, ending: Ending, now: datetime) -> Check:
    return replace(_to(check, CheckState.DONE, now), ended_as=ending)


# --- what happened (reactions.py) ------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RoundDelayed:
    """A check's window closed before anybody began: one deviation for its whole round."""

    check: Check
    at: datetime


@dataclass(frozen=True, slots=True)
class WrongPicture:
    """A camera showed another home, or has been moved; it is blocked."""

    check: Check
    why: Cut
    at: datetime


@dataclass(frozen=True, slots=True)
class NightVisitLate:
    """Nobody goes there, or she who goes is not there in time: for the unit's head."""

    check: Check
    at: datetime

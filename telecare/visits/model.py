"""Visits and series. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Literal
from uuid import UUID

from dateutil.rrule import DAILY, WEEKLY, rrule

from telecare.runtime.clock import from_local
from telecare.runtime.errors import TelecareError
from telecare.wire.errors import Code
from telecare.wire.ids import CallId, CareUnitId, ResidentId, StaffId, VisitId

Outcome = Literal["all_well", "ring_again", "needs_visit", "follow_up", "technical_fault"]
Step = Literal["ring_again", "home_visit", "talked_by_phone", "known_absence"]

ASSIGNED_BEFORE = timedelta(hours=12)
ASSIGNED_AFTER = timedelta(hours=12)
"""A planned visit makes its person assigned this long around it."""
LONGEST_SERIES = 400
HEAD_AFTER = timedelta(minutes=10)
"""From the coordinator to the unit head."""
UNFINISHED_AFTER = timedelta(minutes=10)


class VisitState(StrEnum):
    PLANNED = "planned"
    IN_CALL = "in_call"
    UNFINISHED = "unfinished"
    """Talked, but no outcome is saved: never "all well" by itself."""
    NEEDS_STEP = "needs_step"
    """Unanswered, declined or missed."""
    STEPPED = "stepped"
    DONE = "done"
    CANCELLED = "cancelled"
    ABSENT = "absent"
    """She was away: nobody was to be rung, and nothing was missed."""


class VisitClosed(TelecareError):
    """Done, cancelled or called off: nothing more can be done with it."""

    code = Code.VISIT_CLOSED


class OutcomeNeedsCall(TelecareError):
    """No conversation has been held: an outcome would say that it has."""

    code = Code.OUTCOME_NEEDS_CALL


class SeriesEmpty(TelecareError):
    """The rule gives no day, or more than LONGEST_SERIES."""

    status = 422
    code = Code.SERIES_EMPTY


@dataclass(frozen=True, slots=True)
class Insats:
    """What a visit is for, from the municipality's list."""

    id: UUID
    name: str
    minutes: int
    step_after_min: int


@dataclass(frozen=True, slots=True)
class Visit:
    id: VisitId
    series_id: UUID | None
    resident_id: ResidentId
    unit_id: CareUnitId
    staff_id: StaffId | None
    insats_id: UUID
    starts_at: datetime
    minutes: int
    to_do: tuple[str, ...]
    done: tuple[int, ...]
    to_know: str
    state: VisitState
    call_id: CallId | None = None
    outcome: Outcome | None = None
    step: Step | None = None
    step_at: datetime | None = None
    note: str = ""
    moved: bool = False
    taken_over: bool = False

    @property
    def is_closed(self) -> bool:
        return self.state in (VisitState.DONE, VisitState.CANCELLED, VisitState.ABSENT)

    def _open(self) -> None:
        if self.is_closed:
            raise VisitClosed

    def ring(self) -> None:
        """May it be rung now? Raises VisitClosed."""
        self._open()

    def in_call(self, call_id: CallId) -> "Visit":
        if self.is_closed:
            return self
        return replace(self, state=VisitState.IN_CALL, call_id=call_id, step=None, step_at=None)

    def after_call(self, *, was_held: bool) -> "Visit":
        """The call ended: talked (waits for its outcome), or not (needs a next step)."""
        if self.is_closed:
            return self
        state = VisitState.UNFINISHED if was_held else VisitState.NEEDS_STEP
        return replace(self, state=state, step=None, step_at=None)

    def missed(self) -> "Visit":
        """Its time and grace passed without a conversation."""
        if self.state is not VisitState.PLANNED:
            return self
        return replace(self, state=VisitState.NEEDS_STEP)

    def call_off(self) -> "Visit":
        """She is away. What was held, or waits for the outcome of a talk, stays as it is."""
        if self.state not in (VisitState.PLANNED, VisitState.NEEDS_STEP, VisitState.STEPPED):
            return self
        return replace(self, state=VisitState.ABSENT, step=None, step_at=None)

    def conclude(self, outcome: Outcome, note: str, done: Sequence[int]) -> "Visit":
        """Raises VisitClosed; OutcomeNeedsCall when nobody has talked."""
        self._open()
        if self.state not in (VisitState.UNFINISHED, VisitState.IN_CALL):
            raise OutcomeNeedsCall
        ticked = tuple(sorted({n for n in done if 0 <= n < len(self.to_do)}))
        return replace(self, state=VisitState.DONE, outcome=outcome, note=note, done=ticked)

    def take_step(self, step: Step, at: datetime | None, note: str) -> "Visit":
        self._open()
        return replace(
            self, state=VisitState.STEPPED, step=step, step_at=at, note=note or self.note
        )

    def move(self, starts_at: datetime) -> "Visit":
        """Also one that was called off: it is to be held after all."""
        if self.state is not VisitState.ABSENT:
            self._open()
        return replace(
            self,
            state=VisitState.PLANNED,
            starts_at=starts_at,
            moved=True,
            step=None,
            step_at=None,
        )

    def cancel(self, reason: str) -> "Visit":
        self._open()
        return replace(self, state=VisitState.CANCELLED, note=reason, step=None, step_at=None)

    def hand_over(self, staff_id: StaffId) -> "Visit":
        self._open()
        return replace(self, staff_id=staff_id, taken_over=True)


@dataclass(frozen=True, slots=True)
class Repeat:
    """Every day, or on these weekdays (0 = Monday), until and including a local day."""

    rule: Literal["daily", "weekly"]
    weekdays: tuple[int, ...]
    until: date


def occurrences(first: datetime, repeat: Repeat | None) -> Sequence[datetime]:
    """UTC starts of a series whose first local wall time is `first` (naive, Swedish).

    The wall time stays the same over summer time; see runtime.clock.from_local for both nights.
    Raises SeriesEmpty.
    """
    if repeat is None:
        return [from_local(first)]
    rule = rrule(
        DAILY if repeat.rule == "daily" else WEEKLY,
        dtstart=first,
        until=datetime.combine(repeat.until, first.time()),
        byweekday=list(repeat.weekdays) or None,
    )
    days = rule.xafter(first, count=LONGEST_SERIES + 1, inc=True)
    found = [from_local(day) for day in days]
    if not found or len(found) > LONGEST_SERIES:
        raise SeriesEmpty("repeat")
    return found


# --- what happened (reactions.py) ------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class VisitOverdue:
    """No next step in time: to the coordinator, then to the unit head."""

    visit: Visit
    to_head: bool
    at: datetime

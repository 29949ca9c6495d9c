"""An alarm from its press to its end. Pure: `now` is passed in.

Taking one is a lease, not a possession: whoever does nothing more loses it to the queue again.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal
from uuid import UUID

from telecare.runtime.errors import TelecareError
from telecare.wire.errors import Code
from telecare.wire.ids import AlarmId, CareUnitId, ResidentId, StaffId

ASK_NEXT_AFTER = timedelta(seconds=60)
"""Unanswered for this long, the next in the chain is asked too (P5)."""
DEVIATION_AFTER = timedelta(seconds=180)
LEASE = timedelta(minutes=3)
"""No contact, dispatch or note within this: it goes back to the queue."""
UNREACHABLE_AFTER = timedelta(seconds=60)
CLOCK_TOLERANCE = timedelta(seconds=2)
OLDEST_PRESS = timedelta(days=31)
PRIORITY: Mapping[str, int] = {
    "button": 1, "cord": 1, "screen": 1, "fall": 1, "smoke": 1, "door": 2, "bed": 2, "pills": 3,
}  # fmt: skip

NO_VOICE_AFTER = timedelta(seconds=60)
"""A unit that was given somebody to call has called by then (docs/receivers.md)."""

Lane = Literal["care", "test"]
Source = Literal["unit", "tv", "scaip", "dc09"]
Contact = Literal["call", "arrival", "phone"]
Person = Literal["resident", "cohabitant", "relative", "other"]
PressedBy = Literal["resident", "cohabitant", "relative", "staff", "device", "unknown"]
Why = Literal["idle", "unreachable", "shift_ended", "not_arrived", "given_back", "left"]
"""Why an alarm that somebody had taken stands in the queue again."""


class State(StrEnum):
    NEW = "new"
    TAKEN = "taken"
    HANDLED = "handled"
    """Somebody has spoken with her, or is there."""
    CLOSED = "closed"
    CANCELLED = "cancelled"
    """Closed, and she had said that she pressed by mistake."""
    TESTED = "tested"


OPEN = frozenset({State.NEW, State.TAKEN, State.HANDLED})
ENDS = frozenset({State.CLOSED, State.CANCELLED, State.TESTED})


class AlarmTaken(TelecareError):
    """A colleague was first."""

    code = Code.ALARM_TAKEN


class AlarmClosed(TelecareError):
    code = Code.ALARM_CLOSED


class ContactMissing(TelecareError):
    """Nobody has spoken with her or been there yet."""

    code = Code.CONTACT_MISSING


@dataclass(frozen=True, slots=True)
class Closing:
    """What she who closes it says; the ids are of the municipality's lists."""

    pressed_by: PressedBy
    cause_id: UUID
    measure_id: UUID
    note: str = ""


@dataclass(frozen=True, slots=True)
class Alarm:
    id: AlarmId
    lane: Lane
    source: Source
    source_id: str
    reference: str
    resident_id: ResidentId
    unit_id: CareUnitId
    chain: tuple[CareUnitId, ...]
    """Whom it is put to, in this order, while nobody takes it; fixed when it came."""
    asked_units: tuple[CareUnitId, ...]
    trigger: str
    device: str
    place: str
    priority: int
    state: State
    pressed_at: datetime
    received_at: datetime
    cancelled_at: datetime | None = None
    taken_by: StaffId | None = None
    taken_at: datetime | None = None
    lease_until: datetime | None = None
    contact_at: datetime | None = None
    contact: Contact | None = None
    contact_with: Person | None = None
    returned_at: datetime | None = None
    returned_from: StaffId | None = None
    returned_why: Why | None = None
    attempt: int | None = None
    """Which sending of its home unit was stored; None: the unit did not say, or is none of ours."""

    def take(self, by: StaffId, now: datetime) -> "Alarm":
        """The first wins; hers already, it stays hers. Raises AlarmTaken, AlarmClosed."""
        self._open()
        if self.state is not State.NEW and self.taken_by != by:
            raise AlarmTaken
        if self.state is not State.NEW:
            return self
        if self.contact_at is not None:
            return replace(self, state=State.HANDLED, taken_by=by, taken_at=now)
        return replace(self, state=State.TAKEN, taken_by=by, taken_at=now, lease_until=now + LEASE)

    def is_held_by(self, staff_id: StaffId) -> bool:
        """She has taken it. Raises AlarmClosed."""
        self._open()
        return self.state is not State.NEW and self.taken_by == staff_id

    def go_on(self, now: datetime) -> "Alarm":
        """Whoever holds it has done something about it."""
        if self.state is State.HANDLED:
            return self
        return replace(self, lease_until=max(self.lease_until or now, now + LEASE))

    def wait_for_arrival(self, until: datetime) -> "Alarm":
        """Somebody is on her way and has said when she is there."""
        return replace(self, lease_until=until) if self.state is State.TAKEN else self

    def met(self, contact: Contact, contact_with: Person, now: datetime) -> "Alarm":
        """A human has spoken with her, or is there; the first contact is the one that counts."""
        self._open()
        if self.contact_at is not None:
            return self
        state = State.HANDLED if self.taken_by is not None else self.state
        return replace(
            self, state=state, contact=contact, contact_with=contact_with, contact_at=now,
            lease_until=None if state is State.HANDLED else self.lease_until,
        )  # fmt: skip

    def cancel(self, now: datetime) -> "Alarm":
        """She pressed by mistake: it is marked, and somebody still asks her how she is."""
        if self.cancelled_at is not None or self.state in ENDS:
            return self
        return replace(self, cancelled_at=now)

    def give_back(self, why: Why, now: datetime) -> "Alarm":
        """Back to the queue. With a contact it stays handled: then only its closing is missing."""
        if self.state not in (State.TAKEN, State.HANDLED):
            return self
        return replace(
            self, state=State.NEW, taken_by=None, taken_at=None, lease_until=None,
            returned_at=now, returned_from=self.taken_by, returned_why=why,
        )  # fmt: skip

    def has_lapsed(self, now: datetime) -> bool:
        """Taken, and forgotten."""
        return (
            self.state is State.TAKEN and self.lease_until is not None and now >= self.lease_until
        )

    @property
    def next_unit(self) -> CareUnitId | None:
        """Who is asked next; None: all have been."""
        return next((unit for unit in self.chain if unit not in self.asked_units), None)

    def ask(self, unit: CareUnitId) -> "Alarm":
        """Another unit is asked too; nobody who was asked stops being asked."""
        return replace(self, asked_units=(*self.asked_units, unit))

    def close(self) -> "Alarm":
        """By whoever holds it. Raises ContactMissing."""
        if self.contact_at is None:
            raise ContactMissing
        state = State.CLOSED if self.cancelled_at is None else State.CANCELLED
        return replace(self, state=state, lease_until=None)

    def _open(self) -> None:
        if self.state in ENDS:
            raise AlarmClosed


def priority_of(trigger: str) -> int:
    """What nobody knows is as urgent as a button (fails loud)."""
    return PRIORITY.get(trigger, 1)


def pressed_at(occurred_at: datetime, *, clock_ok: bool, received_at: datetime) -> datetime:
    """When it was pressed, as far as the home's clock can be right; else when it came."""
    is_plausible = received_at - OLDEST_PRESS <= occurred_at <= received_at + CLOCK_TOLERANCE
    return min(occurred_at, received_at) if clock_ok and is_plausible else received_at


# --- what happened (reactions.py) ------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AlarmTaking:
    """She answers an alarm of this resident: what she is in with somebody else ends."""

    staff_id: StaffId
    resident_id: ResidentId
    at: datetime


WhyInVain = Literal["no_answer", "declined", "no_connection"]


@dataclass(frozen=True, slots=True)
class RangInVain:
    """She rang the home for `rang`, and spoke with nobody."""

    why: WhyInVain
    rang: timedelta


@dataclass(frozen=True, slots=True)
class AlarmForHead:
    """All units of its chain have been asked, and nobody has taken it."""

    alarm: Alarm
    at: datetime


@dataclass(frozen=True, slots=True)
class AlarmUnanswered:
    """Nobody took it in three minutes, or nobody took it again."""

    alarm: Alarm
    at: datetime

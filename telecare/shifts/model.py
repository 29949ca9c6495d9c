"""Shifts, and one thing on its way from one pair of hands to another. Pure."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal
from uuid import UUID

from telecare.access.errors import NoLongerHeld
from telecare.runtime.errors import TelecareError
from telecare.wire.errors import Code
from telecare.wire.ids import CareUnitId, HandOverId, ResidentId, StaffId

Task = Literal["alarm", "round", "drive"]
"""What she does in the shift: takes alarms, holds rounds, drives out."""
ANSWER_WITHIN = timedelta(minutes=10)


class ShiftAlreadyBegun(TelecareError):
    code = Code.SHIFT_ALREADY_BEGUN


class ShiftHoldsOpen(TelecareError):
    """Something is still hers: it is finished, or handed over, first."""

    code = Code.SHIFT_HOLDS_OPEN


class HandOverImpossible(TelecareError):
    """A live call is ended, not handed over."""

    code = Code.HAND_OVER_IMPOSSIBLE


class HandOverState(StrEnum):
    ASKED = "asked"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    UNANSWERED = "unanswered"
    WITHDRAWN = "withdrawn"
    """She keeps it, asked somebody else, or had finished it."""


OPEN = (HandOverState.ASKED, HandOverState.DECLINED, HandOverState.UNANSWERED)
"""Still in sight: an unanswered one until the giver asks anew or keeps it."""


@dataclass(frozen=True, slots=True)
class HandOver:
    """`to_staff_id` None: anybody on shift in `to_unit_id`."""

    id: HandOverId
    kind: str
    about_id: UUID
    resident_id: ResidentId
    from_staff_id: StaffId
    from_unit_id: CareUnitId
    to_staff_id: StaffId | None
    to_unit_id: CareUnitId
    state: HandOverState
    asked_at: datetime
    answered_at: datetime | None = None
    answered_by: StaffId | None = None

    def answer(
        self, state: Literal[HandOverState.ACCEPTED, HandOverState.DECLINED], by: StaffId,
        now: datetime,
    ) -> "HandOver":  # fmt: skip
        """The first answer holds. Raises NoLongerHeld."""
        if self.state is not HandOverState.ASKED:
            raise NoLongerHeld
        return replace(self, state=state, answered_at=now, answered_by=by)

    def lapse(self, now: datetime) -> "HandOver":
        """Unanswered once its time is over."""
        if self.state is not HandOverState.ASKED or now < self.asked_at + ANSWER_WITHIN:
            return self
        return replace(self, state=HandOverState.UNANSWERED, answered_at=now)

    def withdraw(self, now: datetime) -> "HandOver":
        """Raises NoLongerHeld when it has been accepted, or withdrawn before."""
        if self.state not in OPEN:
            raise NoLongerHeld
        return replace(self, state=HandOverState.WITHDRAWN, answered_at=now)

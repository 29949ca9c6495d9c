"""Endings: from when they hold, and who may undo them until when. Pure."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Literal

from telecare.runtime.clock import STOCKHOLM, from_local
from telecare.wire.ids import EndingId, ResidentId, StaffId

Reason = Literal["deceased", "moved", "declined"]

UNDO_LIMIT = timedelta(days=30)
LONGEST_AHEAD = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Ending:
    """From `from_at` on nothing reaches her; what was to stop has been stopped at
    `carried_out_at`.
    """

    id: EndingId
    resident_id: ResidentId
    reason: Reason
    on_date: date
    from_at: datetime
    done_by: StaffId
    carried_out_at: datetime | None = None

    def is_own(self, staff_id: StaffId) -> bool:
        """One that lies ahead is only a plan: whoever made it may take it back."""
        return self.carried_out_at is not None and self.done_by == staff_id

    def is_late(self, now: datetime) -> bool:
        return self.carried_out_at is not None and now > self.carried_out_at + UNDO_LIMIT


def begins_at(reason: Reason, on_date: date, now: datetime) -> datetime | None:
    """Now, or the first minute of a Swedish day ahead; None for a day that cannot be."""
    today = now.astimezone(STOCKHOLM).date()
    if on_date <= today:
        return now
    if reason == "deceased" or on_date > today + LONGEST_AHEAD:
        return None
    return from_local(datetime.combine(on_date, time.min))


# --- what happened (reactions.py) ------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ResidentEnded:
    """Nothing reaches her any more: all that does stops in this transaction."""

    ending: Ending
    at: datetime


@dataclass(frozen=True, slots=True)
class EndingUndone:
    """It was a mistake: what it stopped and still lies ahead returns in this transaction."""

    ending: Ending
    at: datetime

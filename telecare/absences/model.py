"""An absence: which moments it covers. Pure."""

from dataclasses import dataclass
from datetime import datetime

from telecare.wire.ids import AbsenceId, ResidentId
from telecare.wire.signalling import AbsenceKind


@dataclass(frozen=True, slots=True)
class Absence:
    """From `from_at` inclusive, until `ends_at` exclusive; open when nobody knows."""

    id: AbsenceId
    resident_id: ResidentId
    kind: AbsenceKind
    from_at: datetime
    until_at: datetime | None
    reported_by: str
    note: str
    home_at: datetime | None = None

    @property
    def ends_at(self) -> datetime | None:
        """When she came home, or was to come; before `from_at` when it was called off."""
        return min((at for at in (self.until_at, self.home_at) if at is not None), default=None)

    def covers(self, at: datetime) -> bool:
        return self.from_at <= at and not self.is_over(at)

    def is_over(self, at: datetime) -> bool:
        return self.ends_at is not None and self.ends_at <= at


# --- what happened (reactions.py) ------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AbsenceBegan:
    """She is away from now on: what rings or shows her ends in this transaction."""

    absence: Absence
    at: datetime

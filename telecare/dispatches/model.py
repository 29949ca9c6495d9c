"""What happens with a home visit (reactions.py). Pure."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from telecare.wire.ids import CareUnitId, DispatchId, ResidentId, StaffId

Found = Literal["somebody", "nobody"]
"""In the home."""


@dataclass(frozen=True, slots=True)
class DispatchAccepted:
    """Somebody goes there."""

    about_id: UUID
    arrive_by: datetime
    at: datetime


@dataclass(frozen=True, slots=True)
class NobodyThere:
    """Somebody was at the door, and nobody in the home."""

    about_id: UUID
    dispatch_id: DispatchId
    resident_id: ResidentId
    unit_id: CareUnitId
    at: datetime


@dataclass(frozen=True, slots=True)
class DispatchArrived:
    """Somebody is there."""

    about_id: UUID
    by: StaffId
    at: datetime

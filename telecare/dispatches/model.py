"""What happens with a home visit (reactions.py). Pure."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from telecare.wire.ids import StaffId


@dataclass(frozen=True, slots=True)
class DispatchAccepted:
    """Somebody goes there."""

    about_id: UUID
    arrive_by: datetime
    at: datetime


@dataclass(frozen=True, slots=True)
class DispatchArrived:
    """Somebody is there."""

    about_id: UUID
    by: StaffId
    at: datetime

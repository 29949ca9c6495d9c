"""What was noted without network and entered afterwards (i efterhand). Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from telecare.audit.format import Document
from telecare.runtime.errors import FieldInvalid

AT_ONCE = timedelta(minutes=1)
"""What is entered so soon is not late: then the server's clock counts."""
AHEAD = timedelta(minutes=2)
"""How far the clock of a telephone may be ahead."""
OLDEST = timedelta(hours=16)
"""As long as a session lasts."""


@dataclass(frozen=True, slots=True)
class Entered:
    """`at`: when it happened; `noted_at`: as the person's device says, null: it does not."""

    at: datetime
    noted_at: datetime | None
    is_late: bool

    @property
    def words(self) -> Document:
        """For the record, whose own time is when it was received."""
        if not self.is_late or self.noted_at is None:
            return {}
        return {"noted_at": self.noted_at.isoformat()}


def entered(noted_at: datetime | None, *, since: datetime, now: datetime) -> Entered:
    """`since`: before this it cannot have happened. Raises FieldInvalid."""
    if noted_at is None:
        return Entered(now, None, is_late=False)
    is_late = now - noted_at > AT_ONCE
    if noted_at > now + AHEAD or now - noted_at > OLDEST or (is_late and noted_at < since):
        raise FieldInvalid("noted_at")
    return Entered(noted_at if is_late else now, noted_at, is_late=is_late)

"""Texts that people write about a resident, and that can be corrected: packages join theirs in
app.py, one `Correctable` for each place that holds one.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from telecare.runtime.db import Transaction
from telecare.wire.ids import ResidentId, StaffId


@dataclass(frozen=True, slots=True)
class Written:
    """A text as it stands now. `author_id` None: it is not known who wrote it."""

    kind: str
    id: UUID
    resident_id: ResidentId
    text: str
    author_id: StaffId | None
    author_name: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Correctable:
    kind: str
    written_of: Callable[[Transaction, ResidentId, datetime], Awaitable[Sequence[Written]]]
    """Of a resident, since a moment; newest first, none empty."""
    hold: Callable[[Transaction, UUID, str], Awaitable[Written | None]]
    """Locked; None when there is no such text any more."""
    replace: Callable[[Transaction, Written, str, datetime], Awaitable[None]]
    """Empty: it is taken away."""

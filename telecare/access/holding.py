"""What a member of staff holds open: the one list that packages join in app.py.

Each kind of work says what she holds and how it goes to somebody else. A shift ends only when
nothing is held (telecare/shifts); whoever is revoked leaves hers to the units. Alarms and rounds
join the same way: one `Holding` each.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from telecare.audit.model import Person
from telecare.runtime.db import Row, Transaction
from telecare.wire.ids import CareUnitId, ResidentId, StaffId


@dataclass(frozen=True, slots=True)
class Held:
    """One thing that somebody has taken and not finished. `unit_id`: whose it is without her."""

    kind: str
    id: UUID
    unit_id: CareUnitId
    person: Person
    since: datetime


def held(kind: str, row: Row) -> Held:
    """For stores, from a row of id, unit_id, resident_id, resident_name (as shown) and since."""
    name = row["resident_name"]
    person = Person(ResidentId(row["resident_id"]), name, is_protected=not name)
    return Held(kind, row["id"], CareUnitId(row["unit_id"]), person, row["since"])


@dataclass(frozen=True, slots=True)
class Handing:
    """`to` None: back to its unit, for anybody there to take."""

    about_id: UUID
    giver: StaffId
    to: StaffId | None
    at: datetime


HeldBy = Callable[[Transaction, StaffId, datetime], Awaitable[Sequence[Held]]]
HandTo = Callable[[Transaction, Handing], Awaitable[None]]
"""Moves it, with its assignments, in the caller's transaction. Raises NoLongerHeld."""


@dataclass(frozen=True, slots=True)
class Holding:
    """One kind of work. `hand_to` None: it can only be ended, not handed over (a live call)."""

    kind: str
    held_by: HeldBy
    hand_to: HandTo | None

"""Residents, cohabitants, follow-ups. Pure."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal
from uuid import UUID

from telecare.audit.model import Person
from telecare.wire.ids import CareUnitId, CohabitantId, FollowUpId, ResidentId
from telecare.wire.signalling import Language

FollowUpKind = Literal[
    "call_back", "second_talk", "visit_overdue", "ask_again", "follow_up", "check_devices"
]


@dataclass(frozen=True, slots=True)
class Resident:
    id: ResidentId
    unit_id: CareUnitId
    name: str
    given_name: str
    language: Language
    address: str
    phone: str
    born_on: date | None
    to_know: tuple[str, ...]
    scale_percent: Literal[100, 115, 130]

    @property
    def person(self) -> Person:
        return Person(self.id, self.name)


@dataclass(frozen=True, slots=True)
class Cohabitant:
    """Lives in the same home and may be seen there, from `moved_in_at` until `moved_out_at`."""

    id: CohabitantId
    name: str
    relation: str


@dataclass(frozen=True, slots=True)
class FollowUp:
    id: FollowUpId
    unit_id: CareUnitId
    resident_id: ResidentId
    kind: FollowUpKind
    about_id: UUID | None
    created_at: datetime

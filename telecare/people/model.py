"""Residents, cohabitants, follow-ups. Pure."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal
from uuid import UUID

from telecare.audit.model import Person
from telecare.wire.ids import CareUnitId, CohabitantId, FollowUpId, ResidentId, StaffId
from telecare.wire.signalling import Language

Hearing = Literal["good", "aid", "hard", "deaf"]
Priority = Literal[1, 2, 3]
Scale = Literal[100, 115, 130]
RepresentativeKind = Literal["god_man", "forvaltare", "framtidsfullmakt"]
FollowUpKind = Literal[
    "call_back",
    "second_talk",
    "visit_overdue",
    "ask_again",
    "follow_up",
    "check_devices",
    "break_glass",
    "review_overdue",
    "log_question",
    "alarm_unanswered",
    "mend_device",
    "camera_withdrawn",
    "nobody_there",
    "night_visit_late",
    "reassess",
]
FOR_HEAD: frozenset[FollowUpKind] = frozenset({
    "break_glass", "review_overdue", "log_question", "alarm_unanswered", "night_visit_late",
    "reassess",
})  # fmt: skip
"""Follow-ups that only the head of the unit takes and closes."""


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
    scale_percent: Scale
    hearing: Hearing = "good"
    priority: Priority = 2
    """1: asked for first when not all can be reached."""
    is_protected: bool = False
    """Skyddade personuppgifter: found by those assigned only, address on a mission only."""

    @property
    def person(self) -> Person:
        return Person(self.id, self.name, is_protected=self.is_protected)


@dataclass(frozen=True, slots=True)
class Cohabitant:
    """Lives in the same home and may be seen there, from `moved_in_at` until `moved_out_at`."""

    id: CohabitantId
    name: str
    relation: str
    is_resident_id: ResidentId | None = None
    """She is a resident herself: what is hers stays hers when the other's service ends."""


@dataclass(frozen=True, slots=True)
class Relative:
    """Somebody near her (anhörig), who may be rung and decides nothing."""

    id: UUID
    name: str
    relation: str
    phone: str
    rings_first: bool
    may_be_told: str = ""
    """What the resident has agreed that she is told when an alarm has come; '': nothing."""


@dataclass(frozen=True, slots=True)
class Representative:
    """Who stands for her, as far as `scope` goes, by `document` (its number and issuer)."""

    id: UUID
    kind: RepresentativeKind
    name: str
    phone: str
    scope: str
    document: str
    valid_from: date
    valid_until: date | None

    def stands(self, today: date) -> bool:
        last = self.valid_until
        return self.valid_from <= today and (last is None or today <= last)


@dataclass(frozen=True, slots=True)
class FollowUp:
    id: FollowUpId
    unit_id: CareUnitId
    resident_id: ResidentId
    kind: FollowUpKind
    about_id: UUID | None
    created_at: datetime
    taken_by: StaffId | None = None


# --- what happened (reactions.py) ------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ResidentRegistered:
    resident_id: ResidentId


@dataclass(frozen=True, slots=True)
class CohabitantMovedIn:
    """Somebody who has not said yes may now be seen in the home."""

    resident_id: ResidentId
    at: datetime

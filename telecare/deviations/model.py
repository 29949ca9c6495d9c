"""What a deviation says. Pure."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from telecare.wire.ids import CareUnitId

Kind = Literal["alarm_unanswered", "round_delayed", "night_visit_late"]


@dataclass(frozen=True, slots=True)
class Opening:
    """`source`: what kind of thing `about_id` is."""

    kind: Kind
    unit_id: CareUnitId
    source: Literal["alarm", "round", "check"]
    about_id: UUID
    at: datetime

"""Technical alarms: something in a home, or many at once, does not work as it should. Pure."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, get_args
from uuid import UUID

from telecare.runtime.errors import TelecareError
from telecare.wire.errors import Code
from telecare.wire.ids import CareUnitId, EndpointId, ResidentId, StaffId

Kind = Literal[
    "offline", "battery", "mains", "cover", "dropped", "unknown_sender",
    "unit_silent", "unit_battery", "unit_mains", "unit_line", "unit_cover", "unit_fault",
]  # fmt: skip
"""`unit_…`: told of by another maker's unit, which is no endpoint; `device` is its account."""
Shares = Literal["area", "provider", "broker"]
"""What units that were lost together have in common, the narrowest first."""

LOW_BATTERY = 20
"""Percent, and below: somebody should change it."""
BATTERY_FINE = 30
OUTAGE_UNITS = 5
OUTAGE_WITHIN = timedelta(minutes=5)


class TechnicalClosed(TelecareError):
    """It is over, or somebody else has it."""

    code = Code.TECHNICAL_CLOSED


@dataclass(frozen=True, slots=True)
class NewTechnical:
    """What is to be raised. `detail`: for people, without names; `device` '': the unit itself."""

    kind: Kind
    endpoint_id: EndpointId | None
    resident_id: ResidentId | None
    unit_id: CareUnitId | None
    began_at: datetime
    device: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Technical:
    id: UUID
    kind: Kind
    resident_id: ResidentId | None
    unit_id: CareUnitId | None
    taken_by: StaffId | None
    is_open: bool


@dataclass(frozen=True, slots=True)
class Lost:
    """A silent unit, and what it may have in common with others."""

    id: UUID
    unit_id: CareUnitId
    began_at: datetime
    area: str
    provider: str
    broker: str

    def common(self, shares: Shares) -> str:
        return {"area": self.area, "provider": self.provider, "broker": self.broker}[shares]


@dataclass(frozen=True, slots=True)
class Found:
    """Units that were lost together."""

    shares: Shares
    name: str
    members: tuple[Lost, ...]


def outage_among(lost: Sequence[Lost]) -> Found | None:
    """What five or more of them share; where several do, what explains most, then the narrowest.

    `lost`: those that have become silent within OUTAGE_WITHIN, in no outage yet.
    """
    best: Found | None = None
    for shares in get_args(Shares):
        names = Counter(one.common(shares) for one in lost if one.common(shares))
        for name, number in names.most_common(1):
            if number >= OUTAGE_UNITS and (best is None or number > len(best.members)):
                members = tuple(one for one in lost if one.common(shares) == name)
                best = Found(shares, name, members)
    return best

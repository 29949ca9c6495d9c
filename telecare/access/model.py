"""Staff, roles and permissions, sessions. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal
from uuid import UUID

from telecare.audit.model import HomeActor, StaffActor
from telecare.wire.ids import CareUnitId, ShiftId, StaffId, TenantId

IDLE_LIMIT = timedelta(minutes=30)
SESSION_LIMIT = timedelta(hours=16)
INVITATION_LIMIT = timedelta(hours=72)
USED_RESOLUTION = timedelta(seconds=60)
"""How exactly a session's last use is kept."""


class Role(StrEnum):
    OMSORGSPERSONAL = "omsorgspersonal"
    SAMORDNARE = "samordnare"
    ENHETSCHEF = "enhetschef"


class Permission(StrEnum):
    WORK = "work"
    """Hold visits and calls, read cards of assigned residents, record consents."""
    PLAN = "plan"
    """Plan, move, cancel and hand over visits of the unit."""
    LEAD = "lead"
    """Invite and revoke staff of the unit, close objections."""


PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.OMSORGSPERSONAL: frozenset({Permission.WORK}),
    Role.SAMORDNARE: frozenset({Permission.WORK, Permission.PLAN}),
    Role.ENHETSCHEF: frozenset({Permission.WORK, Permission.PLAN, Permission.LEAD}),
}


@dataclass(frozen=True, slots=True)
class Staff:
    """A member of staff as she is now. `shift` is the one begun and not ended."""

    id: StaffId
    name: str
    given_name: str
    unit_id: CareUnitId
    unit_name: str
    provider: str
    roles: tuple[Role, ...]
    languages: tuple[str, ...]
    language: str
    shift_id: ShiftId | None
    shift_unit_id: CareUnitId | None
    shift_unit_name: str | None
    shift_begun_at: datetime | None

    def may(self, permission: Permission) -> bool:
        return any(permission in PERMISSIONS[role] for role in self.roles)

    @property
    def works_in(self) -> CareUnitId:
        """The shift's unit, or her own when no shift has begun."""
        return self.shift_unit_id or self.unit_id


@dataclass(frozen=True, slots=True)
class StaffSession:
    """A signed-in browser of a member of staff."""

    tenant: TenantId
    id: UUID
    staff: Staff
    signed_in_by: Literal["passkey", "demo"]
    is_locked: bool
    expires_at: datetime

    @property
    def actor(self) -> StaffActor:
        staff = self.staff
        return StaffActor(
            id=staff.id,
            name=staff.name,
            roles=tuple(str(role) for role in staff.roles),
            provider=staff.provider,
            unit_id=staff.works_in,
            unit_name=staff.shift_unit_name or staff.unit_name,
            shift_id=staff.shift_id,
            session_id=self.id,
            signed_in_by=self.signed_in_by,
        )


@dataclass(frozen=True, slots=True)
class ScreenSession:
    """A paired TV page."""

    tenant: TenantId
    id: UUID
    actor: HomeActor


Session = StaffSession | ScreenSession


@dataclass(frozen=True, slots=True)
class CareUnit:
    id: CareUnitId
    name: str
    phone: str
    next_unit_id: CareUnitId | None


# --- what happened (reactions.py) ------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class StaffRevoked:
    staff_id: StaffId
    at: datetime


@dataclass(frozen=True, slots=True)
class AssignmentEnded:
    """Nothing may go on that rested on this assignment alone."""

    staff_id: StaffId
    resident_id: UUID
    at: datetime

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
    NATTILLSYN = "nattillsyn"
    """Given with the date of training and an end date."""
    SAMORDNARE = "samordnare"
    ENHETSCHEF = "enhetschef"
    LARMMOTTAGARE = "larmmottagare"
    GRANSKARE = "granskare"
    SYSTEMFORVALTARE = "systemforvaltare"
    """Sees devices and their health, no resident."""


class Permission(StrEnum):
    WORK = "work"
    """Hold visits and calls, read cards of assigned residents, record consents."""
    LOOK = "look"
    """Look in by camera at night (Nattfrid)."""
    ALARM = "alarm"
    """Take alarms."""
    PLAN = "plan"
    """Plan, move, cancel and hand over visits of the unit."""
    REGISTER = "register"
    """Register residents of the unit, keep what is known of them, their homes and devices."""
    INVITE = "invite"
    """Add staff of the unit and give the roles in GRANTABLE."""
    LEAD = "lead"
    """Revoke staff of the unit, see who took over, close objections."""
    CONFIGURE = "configure"
    """Care units, the municipality's lists, policies and information texts."""
    DEVICES = "devices"
    """Devices and their health, without whose they are."""
    REVIEW = "review"
    """Review the log."""


PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.OMSORGSPERSONAL: frozenset({Permission.WORK}),
    Role.NATTILLSYN: frozenset({Permission.WORK, Permission.LOOK}),
    Role.SAMORDNARE: frozenset(
        {Permission.WORK, Permission.PLAN, Permission.REGISTER, Permission.INVITE}
    ),
    Role.ENHETSCHEF: frozenset({
        Permission.WORK, Permission.PLAN, Permission.REGISTER, Permission.INVITE, Permission.LEAD,
        Permission.CONFIGURE,
    }),
    Role.LARMMOTTAGARE: frozenset({Permission.WORK, Permission.ALARM}),
    Role.GRANSKARE: frozenset({Permission.REVIEW}),
    Role.SYSTEMFORVALTARE: frozenset(
        {Permission.INVITE, Permission.CONFIGURE, Permission.DEVICES}
    ),
}  # fmt: skip

GRANTABLE: dict[Role, frozenset[Role]] = {
    Role.SAMORDNARE: frozenset({Role.OMSORGSPERSONAL, Role.NATTILLSYN, Role.LARMMOTTAGARE}),
    Role.ENHETSCHEF: frozenset({
        Role.OMSORGSPERSONAL, Role.NATTILLSYN, Role.LARMMOTTAGARE, Role.SAMORDNARE,
        Role.ENHETSCHEF,
    }),
    Role.SYSTEMFORVALTARE: frozenset({Role.ENHETSCHEF, Role.GRANSKARE, Role.SYSTEMFORVALTARE}),
}  # fmt: skip
"""Who may give which role. A head does not choose who reviews her."""


@dataclass(frozen=True, slots=True)
class Grant:
    """A role given in a care unit; in force now when it stands in `Staff.grants`."""

    role: Role
    unit_id: CareUnitId


@dataclass(frozen=True, slots=True)
class Staff:
    """A member of staff as she is now. `shift` is the one begun and not ended."""

    id: StaffId
    name: str
    given_name: str
    unit_id: CareUnitId
    unit_name: str
    provider: str
    grants: tuple[Grant, ...]
    languages: tuple[str, ...]
    language: str
    shift_id: ShiftId | None
    shift_unit_id: CareUnitId | None
    shift_unit_name: str | None
    shift_begun_at: datetime | None
    is_protected: bool = False
    """Skyddade personuppgifter: she appears by her role, to colleagues and in homes."""

    @property
    def shown_name(self) -> str:
        return "" if self.is_protected else self.name

    @property
    def shown_given_name(self) -> str:
        return "" if self.is_protected else self.given_name

    @property
    def roles(self) -> tuple[Role, ...]:
        return tuple(dict.fromkeys(grant.role for grant in self.grants))

    @property
    def permissions(self) -> frozenset[Permission]:
        return frozenset().union(*(PERMISSIONS[role] for role in self.roles))

    def may(self, permission: Permission) -> bool:
        return permission in self.permissions

    def may_in(self, permission: Permission, unit_id: CareUnitId) -> bool:
        return unit_id in self.units_of(permission)

    def units_of(self, permission: Permission) -> tuple[CareUnitId, ...]:
        """The units where one of her roles allows it."""
        found = (g.unit_id for g in self.grants if permission in PERMISSIONS[g.role])
        return tuple(dict.fromkeys(found))

    def may_give(self, role: Role, unit_id: CareUnitId) -> bool:
        """A systemförvaltare gives hers in any unit, everybody else in the unit of her own role."""
        return any(
            role in GRANTABLE.get(grant.role, ())
            and (grant.role is Role.SYSTEMFORVALTARE or grant.unit_id == unit_id)
            for grant in self.grants
        )

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
            name=staff.shown_name,
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

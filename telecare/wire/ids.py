"""Names for ids, so that a visit's id is never handed over where a resident's is meant.

Rows have uuid7 made from our own clock (RFC 9562 §5.7), secrets and rooms have uuid4.
"""

import secrets
from datetime import datetime
from typing import NewType
from uuid import UUID

TenantId = NewType("TenantId", int)
ProviderId = NewType("ProviderId", UUID)
CareUnitId = NewType("CareUnitId", UUID)
StaffId = NewType("StaffId", UUID)
ShiftId = NewType("ShiftId", UUID)
AssignmentId = NewType("AssignmentId", UUID)
ResidentId = NewType("ResidentId", UUID)
CohabitantId = NewType("CohabitantId", UUID)
AbsenceId = NewType("AbsenceId", UUID)
EndingId = NewType("EndingId", UUID)
ConsentId = NewType("ConsentId", UUID)
VisitId = NewType("VisitId", UUID)
CallId = NewType("CallId", UUID)
DispatchId = NewType("DispatchId", UUID)
FollowUpId = NewType("FollowUpId", UUID)
HandOverId = NewType("HandOverId", UUID)
AlarmId = NewType("AlarmId", UUID)
AgreementId = NewType("AgreementId", UUID)
CameraId = NewType("CameraId", UUID)
CheckId = NewType("CheckId", UUID)
"""One night check."""
RoundId = NewType("RoundId", UUID)
EndpointId = NewType("EndpointId", UUID)
AlarmUnitId = NewType("AlarmUnitId", UUID)
"""Another maker's unit (larmenhet)."""
ExtractRequestId = NewType("ExtractRequestId", UUID)
UnitId = NewType("UnitId", str)
"""A home unit: `u-` and 26 characters of base32; opaque, flat, in topics and certificates."""

BASE32 = "abcdefghijklmnopqrstuvwxyz234567"


def new_row_id(now: datetime) -> UUID:
    """A uuid7 of `now` (milliseconds) and 74 random bits; sorts by time of making."""
    milliseconds = int(now.timestamp() * 1000)
    value = (milliseconds & ((1 << 48) - 1)) << 80
    value |= 0x7 << 76
    value |= secrets.randbits(12) << 64
    value |= 0b10 << 62
    value |= secrets.randbits(62)
    return UUID(int=value)


def new_unit_id() -> UnitId:
    return UnitId("u-" + "".join(secrets.choice(BASE32) for _ in range(26)))

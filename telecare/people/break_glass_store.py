"""SQL of openings without a mission."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from telecare.runtime.db import Transaction
from telecare.wire.ids import CareUnitId, ResidentId, StaffId

BreakGlassKind = Literal["alarm_unanswered", "fall_suspected", "no_answer_twice", "other"]

ADD = """
insert into break_glass (tenant_id, id, staff_id, resident_id, unit_id, kind, reason, opened_at,
    until_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
on conflict (tenant_id, staff_id, resident_id) where closed_at is null do nothing
returning id
"""
CLOSE_OVER = """
update break_glass set closed_at = until_at
where tenant_id = $1 and staff_id = $2 and resident_id = $3 and closed_at is null
    and until_at <= $4
"""
STANDING = """
select id, staff_id, resident_id, unit_id, kind, reason, opened_at, until_at from break_glass
where tenant_id = $1 and staff_id = $2 and resident_id = $3 and until_at > $4
    and closed_at is null
order by until_at desc
limit 1
"""
CLOSE = """
update break_glass set closed_at = $3
where tenant_id = $1 and id = $2 and closed_at is null
returning id
"""


@dataclass(frozen=True, slots=True)
class Opening:
    """One opening. `unit_id`: the resident's."""

    id: UUID
    staff_id: StaffId
    resident_id: ResidentId
    unit_id: CareUnitId
    kind: BreakGlassKind
    reason: str
    opened_at: datetime
    until_at: datetime


async def add(db: Transaction, opening: Opening) -> bool:
    """False when one of hers stands already, also one that commits just now."""
    await db.execute(
        CLOSE_OVER, db.tenant, opening.staff_id, opening.resident_id, opening.opened_at
    )
    added = await db.fetchval(
        ADD, db.tenant, opening.id, opening.staff_id, opening.resident_id, opening.unit_id,
        opening.kind, opening.reason, opening.opened_at, opening.until_at,
    )  # fmt: skip
    return added is not None


async def standing(
    db: Transaction, staff_id: StaffId, resident_id: ResidentId, now: datetime
) -> Opening | None:
    """Hers that still holds."""
    row = await db.fetchrow(STANDING, db.tenant, staff_id, resident_id, now)
    return Opening(**row) if row else None


async def close(db: Transaction, opening_id: UUID, now: datetime) -> bool:
    """False when it is closed already."""
    return await db.fetchval(CLOSE, db.tenant, opening_id, now) is not None

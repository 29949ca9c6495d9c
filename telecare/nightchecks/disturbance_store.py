"""SQL of declared disturbances."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from telecare.runtime.db import Transaction
from telecare.wire.ids import CareUnitId, StaffId

BEGIN = """
insert into night_disturbance (tenant_id, id, unit_id, reason, begun_at, begun_by)
values ($1, $2, $3, $4, $5, $6)
on conflict (tenant_id, unit_id) where ended_at is null do nothing
returning id
"""
END = """
update night_disturbance set ended_at = $3, ended_by = $4
where tenant_id = $1 and unit_id = any($2) and ended_at is null
returning unit_id
"""
NOW = """
select d.begun_at, d.reason, shown_given_name(s) as begun_by
from night_disturbance d
join staff s on s.tenant_id = d.tenant_id and s.id = d.begun_by
where d.tenant_id = $1 and d.unit_id = any($2) and d.ended_at is null
order by d.begun_at
limit 1
"""
IS_DISTURBED = """
select exists (
    select from night_disturbance where tenant_id = $1 and unit_id = $2 and ended_at is null
)
"""


@dataclass(frozen=True, slots=True)
class Disturbance:
    begun_at: datetime
    reason: str
    begun_by: str
    """Given name; empty: protected."""


async def begin(
    db: Transaction, id_: UUID, unit_id: CareUnitId, reason: str, by: StaffId, now: datetime
) -> bool:
    """False when one lasts there already."""
    return await db.fetchval(BEGIN, db.tenant, id_, unit_id, reason, now, by) is not None


async def end(
    db: Transaction, units: Sequence[CareUnitId], by: StaffId, now: datetime
) -> Sequence[CareUnitId]:
    """Those in which one lasted."""
    rows = await db.fetch(END, db.tenant, list(units), now, by)
    return [CareUnitId(row["unit_id"]) for row in rows]


async def current(db: Transaction, units: Sequence[CareUnitId]) -> Disturbance | None:
    """The oldest that lasts in any of them."""
    row = await db.fetchrow(NOW, db.tenant, list(units))
    return Disturbance(row["begun_at"], row["reason"], row["begun_by"]) if row else None


async def is_disturbed(db: Transaction, unit_id: CareUnitId) -> bool:
    found: bool = await db.fetchval(IS_DISTURBED, db.tenant, unit_id)
    return found

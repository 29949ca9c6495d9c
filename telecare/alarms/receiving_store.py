"""SQL of consoles that receive alarms."""

from collections.abc import Sequence
from datetime import datetime, time
from uuid import UUID

from telecare.runtime.db import Transaction
from telecare.wire.ids import CareUnitId, StaffId

LIMIT = 500

READY_AT = "select ready_at from receiver where tenant_id = $1 and session_id = $2"
KEEP = """
insert into receiver (tenant_id, session_id, staff_id, unit_id, heard_at, ready_at)
values ($1, $2, $3, $4, $5, case when $7 then $6::timestamptz end)
on conflict (tenant_id, session_id) do update
set unit_id = excluded.unit_id, heard_at = excluded.heard_at,
    ready_at = case when $7 then greatest(receiver.ready_at, excluded.ready_at) end
"""
TAKES_ALARMS = """
select h.tasks = '{}' or 'alarm' = any(h.tasks) from shift h
where h.tenant_id = $1 and h.staff_id = $2 and h.ended_at is null
"""
READY_FOR = """
select shown_name(s) as name
from receiver r
join staff s on s.tenant_id = r.tenant_id and s.id = r.staff_id
join session o on o.tenant_id = r.tenant_id and o.id = r.session_id and o.ended_at is null
where r.tenant_id = $1 and r.ready_at > $3
    and (r.unit_id = $2 or exists (
        select from unit_cover c
        where c.tenant_id = $1 and c.unit_id = r.unit_id and c.covers_unit_id = $2
            and is_within($4, c.from_time, c.until_time)
    ))
order by s.name, r.session_id
limit $5
"""
LAST_HEARD = "select max(heard_at) from receiver where tenant_id = $1 and staff_id = $2"


async def ready_at(db: Transaction, session_id: UUID) -> datetime | None:
    """When a page of this session would last have sounded."""
    at: datetime | None = await db.fetchval(READY_AT, db.tenant, session_id)
    return at


async def takes_alarms(db: Transaction, staff_id: StaffId) -> bool:
    """In the shift she is in she chose alarms, or chose nothing."""
    return await db.fetchval(TAKES_ALARMS, db.tenant, staff_id) is True


async def keep(
    db: Transaction,
    session_id: UUID,
    staff_id: StaffId,
    unit_id: CareUnitId,
    *,
    heard_at: datetime,
    ready_at: datetime | None,
    may_receive: bool,
) -> None:
    await db.execute(
        KEEP, db.tenant, session_id, staff_id, unit_id, heard_at, ready_at, may_receive
    )


async def ready_for(
    db: Transaction, unit_id: CareUnitId, since: datetime, *, local: time
) -> Sequence[str]:
    """Who works in the unit, or in one that covers it at this local time, and has been ready
    since; their names as they may be shown, one for each console.
    """
    rows = await db.fetch(READY_FOR, db.tenant, unit_id, since, local, LIMIT)
    return [row["name"] for row in rows]


async def last_heard(db: Transaction, staff_id: StaffId) -> datetime | None:
    at: datetime | None = await db.fetchval(LAST_HEARD, db.tenant, staff_id)
    return at

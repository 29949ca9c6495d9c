"""SQL of the alarms that are over."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Literal

from telecare.runtime.db import Transaction
from telecare.wire.ids import AlarmId, CareUnitId, ResidentId

LIMIT = 200

OVER = """
select a.id, a.state, a.trigger, a.device, a.place, a.resident_id,
    shown_name(r) as resident_name, a.pressed_at, a.closed_at, shown_name(s) as closed_by,
    cause.name as cause, measure.name as measure
from alarm a
join resident r on r.tenant_id = a.tenant_id and r.id = a.resident_id
left join staff s on s.tenant_id = a.tenant_id and s.id = a.closed_by
left join list_item cause on cause.tenant_id = a.tenant_id and cause.id = a.cause_id
left join list_item measure on measure.tenant_id = a.tenant_id and measure.id = a.measure_id
where a.tenant_id = $1 and a.state in ('closed', 'cancelled', 'tested') and a.asked_units && $2
    and a.received_at >= $3
order by a.received_at desc, a.id desc
limit $4
"""


@dataclass(frozen=True, slots=True)
class Over:
    """An alarm that is at rest. Names are empty where protected, None where there is none."""

    id: AlarmId
    state: Literal["closed", "cancelled", "tested"]
    trigger: str
    device: str
    place: str
    resident_id: ResidentId
    resident_name: str
    pressed_at: datetime
    closed_at: datetime | None
    closed_by: str | None
    cause: str | None
    measure: str | None


_NAMES = tuple(field.name for field in fields(Over))


async def over(db: Transaction, asked: Sequence[CareUnitId], since: datetime) -> Sequence[Over]:
    """Those that one of these units was asked about; the newest first."""
    rows = await db.fetch(OVER, db.tenant, list(asked), since, LIMIT)
    return [Over(**{name: row[name] for name in _NAMES}) for row in rows]

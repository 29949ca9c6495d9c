"""SQL of what a unit's head must see to before it ends."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

from telecare.runtime.clock import STOCKHOLM
from telecare.runtime.db import Transaction
from telecare.wire.ids import CareUnitId, ResidentId

LIMIT = 300
AHEAD = timedelta(days=30)
What = Literal["yes_ends", "ask_again", "reassess"]

ENDING_SOON = """
with said as (
    select distinct on (n.resident_id, n.cohabitant_id) n.resident_id, n.cohabitant_id,
        n.decision, n.valid_until, n.ask_again_on
    from consent n
    where n.tenant_id = $1 and n.purpose = 'camera_check'
    order by n.resident_id, n.cohabitant_id, n.ordinal desc
), ends as (
    select said.resident_id, said.cohabitant_id, 'yes_ends' as what,
        ((said.valid_until - interval '1 microsecond') at time zone $6)::date as on_day
    from said
    where said.decision = 'permit' and said.valid_until > $3
    union all
    select said.resident_id, said.cohabitant_id, 'ask_again', said.ask_again_on
    from said
    where said.decision = 'permit' and (said.valid_until is null or said.valid_until > $3)
        and said.ask_again_on is not null
    union all
    select a.resident_id, null, 'reassess', a.reassess_on
    from night_agreement a
    where a.tenant_id = $1 and a.ended_at is null
)
select ends.resident_id, ends.what, ends.on_day, shown_name(r) as resident_name,
    coalesce(c.relation, '') as relation, u.name as unit_name
from ends
join night_agreement a on a.tenant_id = $1 and a.resident_id = ends.resident_id
    and a.ended_at is null
join resident r on r.tenant_id = $1 and r.id = ends.resident_id
join care_unit u on u.tenant_id = $1 and u.id = r.unit_id
left join cohabitant c on c.tenant_id = $1 and c.id = ends.cohabitant_id
where (r.unit_id = any($2) or a.unit_id = any($2)) and ends.on_day <= $4
    and (c.id is null or c.moved_out_at is null)
order by ends.on_day, r.name, ends.what
limit $5
"""


@dataclass(frozen=True, slots=True)
class EndingSoon:
    """An empty name is protected; `relation`: of the cohabitant whose yes it is, empty: her own."""

    resident_id: ResidentId
    resident_name: str
    unit_name: str
    what: What
    on_day: date
    """The last day of a yes; else the day by which to ask, or to assess again."""
    relation: str
    is_past: bool


async def ending_soon(
    db: Transaction, units: Sequence[CareUnitId], now: datetime
) -> Sequence[EndingSoon]:
    """What ends within AHEAD, or should have been seen to by now; the earliest first."""
    today = now.astimezone(STOCKHOLM).date()
    rows = await db.fetch(
        ENDING_SOON, db.tenant, list(units), now, today + AHEAD, LIMIT, str(STOCKHOLM)
    )
    return [
        EndingSoon(
            resident_id=ResidentId(row["resident_id"]),
            resident_name=row["resident_name"],
            unit_name=row["unit_name"],
            what=row["what"],
            on_day=row["on_day"],
            relation=row["relation"],
            is_past=row["on_day"] < today,
        )
        for row in rows
    ]

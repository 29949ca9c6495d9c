"""SQL of deviations."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from telecare.deviations.model import Opening
from telecare.runtime.db import Transaction
from telecare.wire.ids import CareUnitId, ResidentId

LIMIT = 200

ADD = """
insert into deviation (tenant_id, id, kind, at, unit_id, resident_id, source, about_id)
values ($1, $2, $3, $4, $5, $6, $7, $8)
on conflict (tenant_id, kind, about_id) do nothing
returning id
"""


LISTED = """
select d.id, d.kind, d.at, d.source, d.about_id, u.name as unit_name, d.resident_id,
    shown_name(r) as resident_name
from deviation d
join care_unit u on u.tenant_id = d.tenant_id and u.id = d.unit_id
left join resident r on r.tenant_id = d.tenant_id and r.id = d.resident_id
where d.tenant_id = $1 and d.unit_id = any($2)
order by d.at desc, d.id
limit $3
"""


@dataclass(frozen=True, slots=True)
class Listed:
    id: UUID
    kind: str
    at: datetime
    source: str
    about_id: UUID
    unit_name: str
    resident_id: ResidentId | None
    resident_name: str


async def listed(db: Transaction, units: Sequence[CareUnitId]) -> Sequence[Listed]:
    """Newest first, at most 200."""
    rows = await db.fetch(LISTED, db.tenant, list(units), LIMIT)
    return [
        Listed(
            row["id"], row["kind"], row["at"], row["source"], row["about_id"], row["unit_name"],
            row["resident_id"], row["resident_name"] or "",
        )
        for row in rows
    ]  # fmt: skip


async def add(db: Transaction, id_: UUID, opening: Opening, resident_id: ResidentId | None) -> bool:
    """False when it stands there already."""
    found = await db.fetchval(
        ADD, db.tenant, id_, opening.kind, opening.at, opening.unit_id, resident_id,
        opening.source, opening.about_id,
    )  # fmt: skip
    return found is not None

"""SQL of deviations."""

from uuid import UUID

from telecare.deviations.model import Opening
from telecare.runtime.db import Transaction
from telecare.wire.ids import ResidentId

ADD = """
insert into deviation (tenant_id, id, kind, at, unit_id, resident_id, source, about_id)
values ($1, $2, $3, $4, $5, $6, $7, $8)
on conflict (tenant_id, kind, about_id) do nothing
returning id
"""


async def add(db: Transaction, id_: UUID, opening: Opening, resident_id: ResidentId) -> bool:
    """False when it stands there already."""
    found = await db.fetchval(
        ADD, db.tenant, id_, opening.kind, opening.at, opening.unit_id, resident_id,
        opening.source, opening.about_id,
    )  # fmt: skip
    return found is not None

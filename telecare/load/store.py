"""SQL of the simulated homes' registry."""

from collections.abc import Sequence

from telecare.runtime.db import Transaction
from telecare.wire.ids import UnitId

UNITS = """
select id, mac_key from edge_unit
where tenant_id = $1 and revoked_at is null
order by id
limit $2
"""


async def units(db: Transaction, limit: int) -> Sequence[tuple[UnitId, bytes]]:
    """Of this municipality, with their keys."""
    rows = await db.fetch(UNITS, db.tenant, limit)
    return [(UnitId(row["id"]), row["mac_key"]) for row in rows]

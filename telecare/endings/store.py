"""SQL of endings."""

from datetime import datetime

from telecare.runtime.db import Transaction
from telecare.wire.ids import ResidentId

ENDED_FROM = """
select from_at from ending where tenant_id = $1 and resident_id = $2 and undone_at is null
"""


async def ended_from(db: Transaction, resident_id: ResidentId) -> datetime | None:
    """From when on she is no longer with us; it may lie ahead."""
    found: datetime | None = await db.fetchval(ENDED_FROM, db.tenant, resident_id)
    return found

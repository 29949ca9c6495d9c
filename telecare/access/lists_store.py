"""SQL of the municipality's lists of words."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal
from uuid import UUID

from telecare.runtime.db import Transaction

LIMIT = 500

ITEMS = """
select id, list, name from list_item
where tenant_id = $1 and ended_at is null
order by list, name, id
limit $2
"""
OUTCOMES = """
select id, name from list_item
where tenant_id = $1 and list = 'outcome' and ended_at is null
order by name, id
limit $2
"""
HAS = """
select exists (
    select from list_item where tenant_id = $1 and id = $2 and list = $3 and ended_at is null
)
"""
ADD = """
insert into list_item (tenant_id, id, list, name, added_at)
values ($1, $2, $3, $4, $5)
on conflict (tenant_id, list, lower(name)) where ended_at is null do nothing
returning id
"""
END = """
update list_item set ended_at = $3 where tenant_id = $1 and id = $2 and ended_at is null
returning name
"""


async def items(
    db: Transaction,
) -> Sequence[tuple[UUID, Literal["outcome", "cause", "measure"], str]]:
    return [(r["id"], r["list"], r["name"]) for r in await db.fetch(ITEMS, db.tenant, LIMIT)]


async def has(db: Transaction, item: UUID, list_: str) -> bool:
    """It stands in that list now."""
    found: bool = await db.fetchval(HAS, db.tenant, item, list_)
    return found


async def outcomes(db: Transaction) -> Sequence[tuple[UUID, str]]:
    """What a home visit's end is chosen from: those not ended."""
    return [(r["id"], r["name"]) for r in await db.fetch(OUTCOMES, db.tenant, LIMIT)]


async def add(db: Transaction, item: UUID, to: str, name: str, now: datetime) -> bool:
    """False when it stands there already."""
    return await db.fetchval(ADD, db.tenant, item, to, name, now) is not None


async def end(db: Transaction, item: UUID, now: datetime) -> str | None:
    """Its name; None when it is not there."""
    name: str | None = await db.fetchval(END, db.tenant, item, now)
    return name

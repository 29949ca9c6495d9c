"""SQL of objections as texts that can be corrected."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from telecare.people.correctable import Correctable, Written
from telecare.runtime.db import Row, Transaction
from telecare.wire.ids import ResidentId

LIMIT = 100

WRITTEN = """
select id, resident_id, body, made_at from objection
where tenant_id = $1 and resident_id = $2 and closed_at is null
order by made_at desc, id
limit $3
"""
HOLD = """
select id, resident_id, body, made_at from objection
where tenant_id = $1 and id = $2 and body = $3 and closed_at is null
for update
"""
SET = "update objection set body = $3 where tenant_id = $1 and id = $2"
TAKE_AWAY = "update objection set body = '', closed_at = $3 where tenant_id = $1 and id = $2"


def _written(row: Row) -> Written:
    return Written(
        "objection", row["id"], ResidentId(row["resident_id"]), row["body"], None, "",
        row["made_at"],
    )  # fmt: skip


async def _of(db: Transaction, resident_id: ResidentId, since: datetime) -> Sequence[Written]:
    """However old: it stands until it is closed."""
    del since
    return [_written(r) for r in await db.fetch(WRITTEN, db.tenant, resident_id, LIMIT)]


async def _hold(db: Transaction, about_id: UUID, text: str) -> Written | None:
    row = await db.fetchrow(HOLD, db.tenant, about_id, text)
    return _written(row) if row else None


async def _set(db: Transaction, written: Written, text: str, now: datetime) -> None:
    """Nobody objected: what it paused goes on."""
    if text:
        await db.execute(SET, db.tenant, written.id, text)
    else:
        await db.execute(TAKE_AWAY, db.tenant, written.id, now)


CORRECTABLE = Correctable("objection", _of, _hold, _set)

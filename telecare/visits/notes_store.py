"""SQL of visits' notes, which can be corrected."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from telecare.people.correctable import Correctable, Written
from telecare.runtime.db import Row, Transaction
from telecare.wire.ids import ResidentId

LIMIT = 100

WRITTEN = """
select v.id, v.resident_id, v.note, v.starts_at, s.id as author_id, shown_name(s) as author_name
from visit v
left join call c on c.tenant_id = v.tenant_id and c.id = v.call_id
left join staff s on s.tenant_id = v.tenant_id and s.id = coalesce(c.staff_id, v.staff_id)
where v.tenant_id = $1 and v.resident_id = $2 and v.starts_at > $3 and v.note <> ''
order by v.starts_at desc, v.id
limit $4
"""
HOLD = """
select v.id, v.resident_id, v.note, v.starts_at, s.id as author_id, shown_name(s) as author_name
from visit v
left join call c on c.tenant_id = v.tenant_id and c.id = v.call_id
left join staff s on s.tenant_id = v.tenant_id and s.id = coalesce(c.staff_id, v.staff_id)
where v.tenant_id = $1 and v.id = $2 and v.note = $3 and v.note <> ''
for update of v
"""
SET = "update visit set note = $3, version = version + 1 where tenant_id = $1 and id = $2"


def _written(row: Row) -> Written:
    """By whoever held its call; else whose visit it was."""
    return Written(
        "visit_note", row["id"], ResidentId(row["resident_id"]), row["note"], row["author_id"],
        row["author_name"] or "", row["starts_at"],
    )  # fmt: skip


async def _of(db: Transaction, resident_id: ResidentId, since: datetime) -> Sequence[Written]:
    return [_written(r) for r in await db.fetch(WRITTEN, db.tenant, resident_id, since, LIMIT)]


async def _hold(db: Transaction, about_id: UUID, text: str) -> Written | None:
    row = await db.fetchrow(HOLD, db.tenant, about_id, text)
    return _written(row) if row else None


async def _set(db: Transaction, written: Written, text: str, now: datetime) -> None:
    del now
    await db.execute(SET, db.tenant, written.id, text)


CORRECTABLE = Correctable("visit_note", _of, _hold, _set)

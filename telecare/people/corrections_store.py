"""SQL of corrections, and of the texts of this package that can be corrected."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from telecare.people.correctable import Correctable, Written
from telecare.runtime.db import Row, Transaction
from telecare.wire.ids import FollowUpId, ResidentId, StaffId

LIMIT = 100

ADD = """
insert into correction (tenant_id, id, kind, about_id, resident_id, right_resident_id, why,
    old_text, new_text, written_by, written_at, corrected_by, corrected_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
"""
OF = """
select c.id, c.kind, c.resident_id, c.why, c.old_text, c.new_text, c.written_at, c.corrected_at,
    shown_name(s) as corrected_name
from correction c
join staff s on s.tenant_id = c.tenant_id and s.id = c.corrected_by
where c.tenant_id = $1 and (c.resident_id = $2 or c.right_resident_id = $2)
    and c.corrected_at > $3
order by c.corrected_at desc, c.id
limit $4
"""
FOLLOW_UP_NOTES = """
select f.id, f.resident_id, f.note, f.closed_at, f.closed_by, shown_name(s) as closed_name
from follow_up f
left join staff s on s.tenant_id = f.tenant_id and s.id = f.closed_by
where f.tenant_id = $1 and f.resident_id = $2 and f.closed_at > $3 and f.note <> ''
order by f.closed_at desc, f.id
limit $4
"""
HOLD_FOLLOW_UP_NOTE = """
select f.id, f.resident_id, f.note, f.closed_at, f.closed_by, shown_name(s) as closed_name
from follow_up f
left join staff s on s.tenant_id = f.tenant_id and s.id = f.closed_by
where f.tenant_id = $1 and f.id = $2 and f.note = $3 and f.note <> ''
for update of f
"""
SET_FOLLOW_UP_NOTE = "update follow_up set note = $3 where tenant_id = $1 and id = $2"
TO_KNOW = "select to_know, created_at from resident where tenant_id = $1 and id = $2"
HOLD_TO_KNOW = """
select id, created_at from resident where tenant_id = $1 and id = $2 and $3 = any(to_know)
for update
"""
SET_TO_KNOW = """
update resident set to_know = case
    when $4 = '' then array_remove(to_know, $3) else array_replace(to_know, $3, $4) end
where tenant_id = $1 and id = $2
"""


@dataclass(frozen=True, slots=True)
class Correction:
    id: UUID
    written: Written
    right_resident_id: ResidentId | None
    why: str
    new_text: str | None
    by: StaffId
    at: datetime


@dataclass(frozen=True, slots=True)
class Listed:
    """`resident_id`: on whom it stood. For the right person the old text is what was meant of her,
    unless it was written anew.
    """

    id: UUID
    kind: str
    resident_id: ResidentId
    why: str
    old_text: str
    new_text: str | None
    written_at: datetime
    corrected_at: datetime
    corrected_name: str


async def add(db: Transaction, one: Correction) -> None:
    written = one.written
    await db.execute(
        ADD, db.tenant, one.id, written.kind, written.id, written.resident_id,
        one.right_resident_id, one.why, written.text, one.new_text, written.author_id, written.at,
        one.by, one.at,
    )  # fmt: skip


async def of(db: Transaction, resident_id: ResidentId, since: datetime) -> Sequence[Listed]:
    """What was corrected on her, and what was moved to her; newest first."""
    return [
        Listed(
            r["id"], r["kind"], ResidentId(r["resident_id"]), r["why"], r["old_text"],
            r["new_text"], r["written_at"], r["corrected_at"], r["corrected_name"],
        )
        for r in await db.fetch(OF, db.tenant, resident_id, since, LIMIT)
    ]  # fmt: skip


def _note(row: Row) -> Written:
    return Written(
        "follow_up_note", FollowUpId(row["id"]), ResidentId(row["resident_id"]), row["note"],
        row["closed_by"], row["closed_name"] or "", row["closed_at"],
    )  # fmt: skip


async def _notes(db: Transaction, resident_id: ResidentId, since: datetime) -> Sequence[Written]:
    rows = await db.fetch(FOLLOW_UP_NOTES, db.tenant, resident_id, since, LIMIT)
    return [_note(row) for row in rows]


async def _hold_note(db: Transaction, about_id: UUID, text: str) -> Written | None:
    row = await db.fetchrow(HOLD_FOLLOW_UP_NOTE, db.tenant, about_id, text)
    return _note(row) if row else None


async def _set_note(db: Transaction, written: Written, text: str, now: datetime) -> None:
    del now
    await db.execute(SET_FOLLOW_UP_NOTE, db.tenant, written.id, text)


async def _to_know(db: Transaction, resident_id: ResidentId, since: datetime) -> Sequence[Written]:
    """However old: it stands until it is taken away."""
    del since
    row = await db.fetchrow(TO_KNOW, db.tenant, resident_id)
    lines = row["to_know"] if row else []
    at: datetime | None = row["created_at"] if row else None
    return [
        Written("to_know", resident_id, resident_id, line, None, "", at)
        for line in lines
        if at is not None
    ]


async def _hold_to_know(db: Transaction, about_id: UUID, text: str) -> Written | None:
    row = await db.fetchrow(HOLD_TO_KNOW, db.tenant, about_id, text)
    if row is None:
        return None
    resident = ResidentId(row["id"])
    return Written("to_know", resident, resident, text, None, "", row["created_at"])


async def _set_to_know(db: Transaction, written: Written, text: str, now: datetime) -> None:
    del now
    await db.execute(SET_TO_KNOW, db.tenant, written.id, written.text, text)


CORRECTABLES = (
    Correctable("to_know", _to_know, _hold_to_know, _set_to_know),
    Correctable("follow_up_note", _notes, _hold_note, _set_note),
)

"""SQL of files of people that are being read in."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from telecare.people.people_file import Kind
from telecare.runtime.db import Transaction
from telecare.wire.ids import CareUnitId, StaffId

ADD = """
insert into people_import (tenant_id, id, kind, unit_id, staff_id, staff_session_id,
    content_sealed, row_count, sent_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
"""
HOLD_IMPORT = """
select id, kind, unit_id, staff_id, staff_session_id, row_count, row_done, row_added, sent_at,
    begun_at, finished_at, content_sealed
from people_import
where tenant_id = $1 and id = $2
for update
"""
BEGIN = "update people_import set begun_at = $3 where tenant_id = $1 and id = $2"
WENT_ON = """
update people_import set row_done = $3, row_added = $4, finished_at = $5,
    content_sealed = case when $5::timestamptz is null then content_sealed end
where tenant_id = $1 and id = $2
"""
FORGET = """
update people_import set content_sealed = null
where tenant_id = $1 and id = $2 and begun_at is null
"""
STAFF_NAMES = """
select name from staff
where tenant_id = $1 and unit_id = $2 and name = any($3) and revoked_at is null
"""


@dataclass(frozen=True, slots=True)
class Import:
    """A file that was sent; `row_done` of its `row_count` rows have been gone through."""

    id: UUID
    kind: Kind
    unit_id: CareUnitId
    staff_id: StaffId
    staff_session_id: UUID
    row_count: int
    row_done: int
    row_added: int
    sent_at: datetime
    begun_at: datetime | None
    finished_at: datetime | None


async def add(db: Transaction, about: Import, sealed: bytes) -> None:
    await db.execute(
        ADD, db.tenant, about.id, about.kind, about.unit_id, about.staff_id,
        about.staff_session_id, sealed, about.row_count, about.sent_at,
    )  # fmt: skip


async def hold(db: Transaction, import_id: UUID) -> tuple[Import, bytes | None] | None:
    """The import and its sealed file, if that is still kept."""
    r = await db.fetchrow(HOLD_IMPORT, db.tenant, import_id)
    if r is None:
        return None
    about = Import(
        r["id"], r["kind"], CareUnitId(r["unit_id"]), StaffId(r["staff_id"]),
        r["staff_session_id"], r["row_count"], r["row_done"], r["row_added"], r["sent_at"],
        r["begun_at"], r["finished_at"],
    )  # fmt: skip
    return about, r["content_sealed"]


async def begin(db: Transaction, import_id: UUID, now: datetime) -> None:
    await db.execute(BEGIN, db.tenant, import_id, now)


async def went_on(db: Transaction, about: Import, *, finished_at: datetime | None) -> None:
    """Finished, the file goes."""
    await db.execute(WENT_ON, db.tenant, about.id, about.row_done, about.row_added, finished_at)


async def forget_unless_begun(db: Transaction, import_id: UUID) -> None:
    await db.execute(FORGET, db.tenant, import_id)


async def staff_names(db: Transaction, unit_id: CareUnitId, names: Sequence[str]) -> frozenset[str]:
    """Which of these names somebody who works in the unit has."""
    rows = await db.fetch(STAFF_NAMES, db.tenant, unit_id, list(names))
    return frozenset(row["name"] for row in rows)

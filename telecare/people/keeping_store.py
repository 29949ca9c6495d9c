"""SQL of keeping the register of residents and those near them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from telecare.people.model import Relative, Representative, Resident
from telecare.runtime.db import Row, Transaction, UniqueViolation
from telecare.wire.ids import CareUnitId, ResidentId, StaffId

LIMIT = 1000

LISTED = """
select r.id, shown_name(r) as name, r.priority, r.is_protected, u.name as unit_name
from resident r
join care_unit u on u.tenant_id = r.tenant_id and u.id = r.unit_id
where r.tenant_id = $1 and r.unit_id = any($2)
    and not exists (
        select from ending e
        where e.tenant_id = r.tenant_id and e.resident_id = r.id and e.carried_out_at is not null
            and e.undone_at is null
    )
order by u.name, r.name, r.id
limit $3
"""
CHANGE = """
update resident set unit_id = $3, name = $4, given_name = $5, language = $6, address = $7,
    phone = $8, born_on = $9, to_know = $10, scale_percent = $11, hearing = $12, priority = $13,
    is_protected = $14
where tenant_id = $1 and id = $2
"""
HOLD = "select id from resident where tenant_id = $1 and id = $2 for no key update"
SET_NATIONAL_ID = """
update resident set national_id_sealed = $3, national_id_hash = $4
where tenant_id = $1 and id = $2
"""
NATIONAL_ID = "select national_id_sealed from resident where tenant_id = $1 and id = $2"
TAKEN = """
select national_id_hash from resident where tenant_id = $1 and national_id_hash = any($2)
"""
MOVE_OUT = """
update cohabitant set moved_out_at = $4
where tenant_id = $1 and resident_id = $2 and id = $3 and moved_out_at is null
returning name
"""
ADD_RELATIVE = """
insert into relative (tenant_id, id, resident_id, name, relation, phone, rings_first, may_be_told,
    added_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
"""
RELATIVES = """
select id, name, relation, phone, rings_first, may_be_told from relative
where tenant_id = $1 and resident_id = $2 and ended_at is null
order by rings_first desc, name, id
limit $3
"""
KEY_NOTE = "select note from home_key where tenant_id = $1 and resident_id = $2"
KEY_NOTE_SINCE = "select set_at from home_key where tenant_id = $1 and resident_id = $2"
SET_KEY_NOTE = """
insert into home_key (tenant_id, resident_id, note, set_at, set_by) values ($1, $2, $3, $4, $5)
on conflict (tenant_id, resident_id) do update
set note = excluded.note, set_at = excluded.set_at, set_by = excluded.set_by
"""
END_KEY_NOTE = "delete from home_key where tenant_id = $1 and resident_id = $2"
END_RELATIVE = """
update relative set ended_at = $4
where tenant_id = $1 and resident_id = $2 and id = $3 and ended_at is null
returning name
"""
ADD_REPRESENTATIVE = """
insert into representative (tenant_id, id, resident_id, kind, name, phone, scope, document,
    valid_from, valid_until, added_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
"""
REPRESENTATIVES = """
select id, kind, name, phone, scope, document, valid_from, valid_until from representative
where tenant_id = $1 and resident_id = $2 and ended_at is null
order by valid_from desc, name, id
limit $3
"""
END_REPRESENTATIVE = """
update representative set ended_at = $4
where tenant_id = $1 and resident_id = $2 and id = $3 and ended_at is null
returning name
"""


@dataclass(frozen=True, slots=True)
class Listed:
    id: ResidentId
    name: str
    priority: int
    is_protected: bool
    unit_name: str


async def listed(db: Transaction, units: Sequence[CareUnitId]) -> Sequence[Listed]:
    rows = await db.fetch(LISTED, db.tenant, list(units), LIMIT)
    return [
        Listed(ResidentId(r["id"]), r["name"], r["priority"], r["is_protected"], r["unit_name"])
        for r in rows
    ]


async def hold(db: Transaction, resident_id: ResidentId) -> None:
    """Nobody else changes her until commit."""
    await db.fetchval(HOLD, db.tenant, resident_id)


async def change(db: Transaction, resident: Resident) -> None:
    await db.execute(
        CHANGE, db.tenant, resident.id, resident.unit_id, resident.name, resident.given_name,
        resident.language, resident.address, resident.phone, resident.born_on,
        list(resident.to_know), resident.scale_percent, resident.hearing, resident.priority,
        resident.is_protected,
    )  # fmt: skip


async def set_national_id(
    db: Transaction, resident_id: ResidentId, sealed: bytes | None, digest: bytes | None
) -> bool:
    """False when somebody else has it."""
    try:
        async with db.savepoint():
            await db.execute(SET_NATIONAL_ID, db.tenant, resident_id, sealed, digest)
    except UniqueViolation:
        return False
    return True


async def national_id(db: Transaction, resident_id: ResidentId) -> bytes | None:
    """Sealed."""
    sealed: bytes | None = await db.fetchval(NATIONAL_ID, db.tenant, resident_id)
    return sealed


async def taken(db: Transaction, digests: Sequence[bytes]) -> frozenset[bytes]:
    rows = await db.fetch(TAKEN, db.tenant, list(digests))
    return frozenset(row["national_id_hash"] for row in rows)


async def move_out(
    db: Transaction, resident_id: ResidentId, cohabitant_id: UUID, now: datetime
) -> str | None:
    """Her name; None when nobody such lives there."""
    return await _ended(db, MOVE_OUT, resident_id, cohabitant_id, now)


async def add_relative(
    db: Transaction, resident_id: ResidentId, relative: Relative, now: datetime
) -> None:
    await db.execute(
        ADD_RELATIVE, db.tenant, relative.id, resident_id, relative.name, relative.relation,
        relative.phone, relative.rings_first, relative.may_be_told, now,
    )  # fmt: skip


async def relatives(db: Transaction, resident_id: ResidentId) -> Sequence[Relative]:
    rows = await db.fetch(RELATIVES, db.tenant, resident_id, LIMIT)
    return [
        Relative(
            r["id"], r["name"], r["relation"], r["phone"], r["rings_first"], r["may_be_told"]
        )
        for r in rows
    ]  # fmt: skip


async def key_note(db: Transaction, resident_id: ResidentId) -> str | None:
    """How one gets in. For whoever goes there alone."""
    note: str | None = await db.fetchval(KEY_NOTE, db.tenant, resident_id)
    return note


async def key_note_since(db: Transaction, resident_id: ResidentId) -> datetime | None:
    """When it was noted; None: it is not."""
    at: datetime | None = await db.fetchval(KEY_NOTE_SINCE, db.tenant, resident_id)
    return at


async def set_key_note(
    db: Transaction, resident_id: ResidentId, note: str, by: StaffId, now: datetime
) -> None:
    """Instead of the one there is; '' takes it away."""
    if note:
        await db.execute(SET_KEY_NOTE, db.tenant, resident_id, note, now, by)
    else:
        await db.execute(END_KEY_NOTE, db.tenant, resident_id)


async def end_relative(
    db: Transaction, resident_id: ResidentId, relative_id: UUID, now: datetime
) -> str | None:
    return await _ended(db, END_RELATIVE, resident_id, relative_id, now)


async def add_representative(
    db: Transaction, resident_id: ResidentId, one: Representative, now: datetime
) -> None:
    await db.execute(
        ADD_REPRESENTATIVE, db.tenant, one.id, resident_id, one.kind, one.name, one.phone,
        one.scope, one.document, one.valid_from, one.valid_until, now,
    )  # fmt: skip


async def representatives(db: Transaction, resident_id: ResidentId) -> Sequence[Representative]:
    rows = await db.fetch(REPRESENTATIVES, db.tenant, resident_id, LIMIT)
    return [_representative(row) for row in rows]


def _representative(row: Row) -> Representative:
    valid_from: date = row["valid_from"]
    return Representative(
        row["id"], row["kind"], row["name"], row["phone"], row["scope"], row["document"],
        valid_from, row["valid_until"],
    )  # fmt: skip


async def end_representative(
    db: Transaction, resident_id: ResidentId, one: UUID, now: datetime
) -> str | None:
    return await _ended(db, END_REPRESENTATIVE, resident_id, one, now)


async def _ended(
    db: Transaction, sql: str, resident_id: ResidentId, one: UUID, now: datetime
) -> str | None:
    name: str | None = await db.fetchval(sql, db.tenant, resident_id, one, now)
    return name

"""SQL of keeping providers, care units and which unit covers which."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import time

from telecare.runtime.db import Transaction
from telecare.wire.ids import CareUnitId, ProviderId

LIMIT = 100

PROVIDERS = "select id, name from provider where tenant_id = $1 order by name, id limit $2"
UNITS = """
select u.id, u.name, u.phone, u.next_unit_id, u.provider_id, p.name as provider
from care_unit u
join provider p on p.tenant_id = u.tenant_id and p.id = u.provider_id
where u.tenant_id = $1
order by u.name, u.id
limit $2
"""
COVERS = """
select c.unit_id, c.covers_unit_id, o.name as covers_name, c.from_time, c.until_time
from unit_cover c
join care_unit o on o.tenant_id = c.tenant_id and o.id = c.covers_unit_id
where c.tenant_id = $1
order by o.name, c.from_time
limit $2
"""
CHANGE_UNIT = """
update care_unit set name = $3, phone = $4, next_unit_id = $5, provider_id = $6
where tenant_id = $1 and id = $2
returning id
"""
COVER = """
insert into unit_cover (tenant_id, unit_id, covers_unit_id, from_time, until_time)
values ($1, $2, $3, $4, $5)
on conflict (tenant_id, unit_id, covers_unit_id)
do update set from_time = excluded.from_time, until_time = excluded.until_time
"""
UNCOVER = """
delete from unit_cover where tenant_id = $1 and unit_id = $2 and covers_unit_id = $3
returning unit_id
"""


@dataclass(frozen=True, slots=True)
class Provider:
    id: ProviderId
    name: str


@dataclass(frozen=True, slots=True)
class KeptUnit:
    """A care unit as those who keep the register see it."""

    id: CareUnitId
    name: str
    phone: str
    next_unit_id: CareUnitId | None
    provider_id: ProviderId
    provider: str


@dataclass(frozen=True, slots=True)
class Cover:
    """`unit_id` looks after another unit's residents between these local times."""

    unit_id: CareUnitId
    covers_unit_id: CareUnitId
    covers_name: str
    start: time
    end: time


async def providers(db: Transaction) -> Sequence[Provider]:
    rows = await db.fetch(PROVIDERS, db.tenant, LIMIT)
    return [Provider(ProviderId(r["id"]), r["name"]) for r in rows]


async def units(db: Transaction) -> Sequence[KeptUnit]:
    rows = await db.fetch(UNITS, db.tenant, LIMIT)
    return [
        KeptUnit(
            CareUnitId(r["id"]), r["name"], r["phone"], r["next_unit_id"],
            ProviderId(r["provider_id"]), r["provider"],
        )
        for r in rows
    ]  # fmt: skip


async def covers(db: Transaction) -> Sequence[Cover]:
    rows = await db.fetch(COVERS, db.tenant, LIMIT)
    return [
        Cover(
            CareUnitId(r["unit_id"]), CareUnitId(r["covers_unit_id"]), r["covers_name"],
            r["from_time"], r["until_time"],
        )
        for r in rows
    ]  # fmt: skip


async def change_unit(db: Transaction, unit: KeptUnit) -> bool:
    """False when there is no such unit."""
    found = await db.fetchval(
        CHANGE_UNIT, db.tenant, unit.id, unit.name, unit.phone, unit.next_unit_id, unit.provider_id
    )
    return found is not None


async def cover(db: Transaction, cover: Cover) -> None:
    """Again for the same two units: other hours."""
    await db.execute(COVER, db.tenant, cover.unit_id, cover.covers_unit_id, cover.start, cover.end)


async def uncover(db: Transaction, unit_id: CareUnitId, covers: CareUnitId) -> bool:
    return await db.fetchval(UNCOVER, db.tenant, unit_id, covers) is not None

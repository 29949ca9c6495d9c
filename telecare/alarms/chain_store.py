"""SQL of the chains that alarms are put to, and of alarm centres."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import time

from telecare.runtime.db import Transaction
from telecare.wire.ids import CareUnitId, ResidentId

LIMIT = 100

PUT_TO = """
with recursive following (id, path) as (
    select r.unit_id, array[r.unit_id]
    from resident r
    where r.tenant_id = $1 and r.id = $2
    union all
    select u.next_unit_id, f.path || u.next_unit_id
    from following f
    join care_unit u on u.tenant_id = $1 and u.id = f.id
    where u.next_unit_id is not null and u.next_unit_id <> all (f.path)
),
own as (
    select unit_ids from alarm_chain
    where tenant_id = $1 and resident_id = $2
        and is_within($3, from_time, until_time)
    order by from_time
    limit 1
)
select coalesce(
    (select nullif(unit_ids, '{}') from own),
    (select path from following order by cardinality(path) desc limit 1)
) || array(select unit_id from alarm_centre where tenant_id = $1 order by unit_id limit $4)
"""
OWN = """
select from_time, until_time, unit_ids from alarm_chain
where tenant_id = $1 and resident_id = $2
order by from_time
"""
ADD = """
insert into alarm_chain (tenant_id, resident_id, from_time, until_time, unit_ids)
values ($1, $2, $3, $4, $5)
"""
END = """
delete from alarm_chain where tenant_id = $1 and resident_id = $2 and from_time = $3
returning unit_ids
"""
CENTRE = "select unit_id, url, secret from alarm_centre where tenant_id = $1 and unit_id = $2"
CENTRES = (
    "select unit_id, url, secret from alarm_centre where tenant_id = $1 order by unit_id limit $2"
)
SET_CENTRE = """
insert into alarm_centre (tenant_id, unit_id, url, secret) values ($1, $2, $3, $4)
on conflict (tenant_id, unit_id) do update set url = excluded.url, secret = excluded.secret
"""
END_CENTRE = "delete from alarm_centre where tenant_id = $1 and unit_id = $2 returning unit_id"


@dataclass(frozen=True, slots=True)
class OwnChain:
    """Between these local hours (from > until: over midnight) her alarms go to these units."""

    start: time
    until: time
    unit_ids: tuple[CareUnitId, ...]


@dataclass(frozen=True, slots=True)
class Centre:
    """A unit that is also rung by webhook; `secret` signs it (32 bytes)."""

    unit_id: CareUnitId
    url: str
    secret: bytes


async def put_to(db: Transaction, resident_id: ResidentId, at: time) -> Sequence[CareUnitId]:
    """Her own chain at that local time, else her unit and those asked after it; then the alarm
    centres. A unit may stand there twice.
    """
    units: Sequence[CareUnitId] = await db.fetchval(PUT_TO, db.tenant, resident_id, at, LIMIT)
    return units


async def own(db: Transaction, resident_id: ResidentId) -> Sequence[OwnChain]:
    rows = await db.fetch(OWN, db.tenant, resident_id)
    return [OwnChain(r["from_time"], r["until_time"], tuple(r["unit_ids"])) for r in rows]


async def add(db: Transaction, resident_id: ResidentId, chain: OwnChain) -> None:
    units = list(chain.unit_ids)
    await db.execute(ADD, db.tenant, resident_id, chain.start, chain.until, units)


async def end(db: Transaction, resident_id: ResidentId, start: time) -> bool:
    """False when there is none that begins then."""
    return await db.fetchval(END, db.tenant, resident_id, start) is not None


async def centre(db: Transaction, unit_id: CareUnitId) -> Centre | None:
    row = await db.fetchrow(CENTRE, db.tenant, unit_id)
    return Centre(CareUnitId(row["unit_id"]), row["url"], row["secret"]) if row else None


async def centres(db: Transaction) -> Sequence[Centre]:
    rows = await db.fetch(CENTRES, db.tenant, LIMIT)
    return [Centre(CareUnitId(r["unit_id"]), r["url"], r["secret"]) for r in rows]


async def set_centre(db: Transaction, centre: Centre) -> None:
    await db.execute(SET_CENTRE, db.tenant, centre.unit_id, centre.url, centre.secret)


async def end_centre(db: Transaction, unit_id: CareUnitId) -> bool:
    return await db.fetchval(END_CENTRE, db.tenant, unit_id) is not None

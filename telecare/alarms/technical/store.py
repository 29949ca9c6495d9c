"""SQL of technical alarms and of what many of them have in common."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from telecare.alarms.technical.model import Kind, Lost, NewTechnical, Shares, Technical
from telecare.runtime.db import Row, Transaction
from telecare.wire.ids import CareUnitId, EndpointId, ResidentId, StaffId, TenantId

LIMIT = 100
SILENT_LIMIT = 1000

SILENT = "select tenant_id, endpoint_id from silent_units($1, $2)"
HEARD_AGAIN = "select tenant_id, endpoint_id from units_heard_again($1)"
HOME_OF = "select resident_id from endpoint where tenant_id = $1 and id = $2"
STILL_SILENT = """
select e.id as endpoint_id, e.resident_id, r.unit_id, coalesce(u.seen_at, u.enrolled_at) as since
from edge_unit u
join endpoint e on e.tenant_id = u.tenant_id and e.id = u.endpoint_id
join resident r on r.tenant_id = e.tenant_id and r.id = e.resident_id
where u.tenant_id = $1 and u.endpoint_id = any($2) and u.revoked_at is null and e.ended_at is null
    and coalesce(u.seen_at, u.enrolled_at + interval '10 minutes') < $3
order by e.resident_id
for update of u
"""
ADD = """
insert into technical_alarm (tenant_id, id, kind, endpoint_id, resident_id, unit_id, device,
    detail, began_at, raised_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
on conflict (tenant_id, kind, endpoint_id, device) where ended_at is null do nothing
returning id
"""
END = """
update technical_alarm set ended_at = $5
where tenant_id = $1 and endpoint_id = $2 and kind = any($3) and ended_at is null
    and ($4::text is null or device = $4)
returning id, kind, unit_id, outage_id, closed_at is null as was_open
"""
HOLD = """
select id, kind, resident_id, unit_id, taken_by, ended_at is null and closed_at is null as is_open
from technical_alarm
where tenant_id = $1 and id = $2
for update
"""
TAKE = "update technical_alarm set taken_by = $3, taken_at = $4 where tenant_id = $1 and id = $2"
CLOSE = """
update technical_alarm set closed_by = $3, closed_at = $4, note = $5,
    ended_at = case
        when kind in ('offline', 'battery', 'mains', 'unit_silent') then ended_at else $4
    end
where tenant_id = $1 and id = $2
"""
JUST_LOST = """
select t.id, t.unit_id, t.began_at, c.name as area, u.network, u.path
from technical_alarm t
join care_unit c on c.tenant_id = t.tenant_id and c.id = t.unit_id
join edge_unit u on u.tenant_id = t.tenant_id and u.endpoint_id = t.endpoint_id
    and u.revoked_at is null
where t.tenant_id = $1 and t.kind = 'offline' and t.ended_at is null and t.closed_at is null
    and t.outage_id is null and t.began_at > $2
order by t.began_at
"""
ONGOING = """
select id, shares, name from outage where tenant_id = $1 and ended_at is null
order by began_at, id
for update
"""
ADD_OUTAGE = """
insert into outage (tenant_id, id, shares, name, began_at) values ($1, $2, $3, $4, $5)
"""
JOIN_OUTAGE = """
update technical_alarm set outage_id = $2 where tenant_id = $1 and id = any($3)
"""
END_OUTAGE = """
update outage set ended_at = $3
where tenant_id = $1 and id = $2 and ended_at is null and not exists (
    select from technical_alarm t
    where t.tenant_id = $1 and t.outage_id = $2 and t.ended_at is null
)
returning id
"""
HOLD_OUTAGE = """
select taken_by, ended_at is null as is_open from outage where tenant_id = $1 and id = $2 for update
"""
TAKE_OUTAGE = "update outage set taken_by = $3, taken_at = $4 where tenant_id = $1 and id = $2"
IN_OUTAGE = """
select distinct unit_id from technical_alarm
where tenant_id = $1 and outage_id = $2 and unit_id is not null
"""
OPEN = """
select t.id, t.kind, t.unit_id, t.device, t.detail, t.began_at, t.resident_id,
    shown_name(r) as resident_name, t.taken_by, shown_name(s) as taken_name
from technical_alarm t
left join resident r on r.tenant_id = t.tenant_id and r.id = t.resident_id
left join staff s on s.tenant_id = t.tenant_id and s.id = t.taken_by
where t.tenant_id = $1 and (t.unit_id is null or t.unit_id = any($2))
    and t.ended_at is null and t.closed_at is null and t.outage_id is null
order by t.began_at, t.id
limit $3
"""
OUTAGES = """
select o.id, o.shares, o.name, o.began_at, o.taken_by, shown_name(s) as taken_name,
    array_agg(r.id order by r.priority, r.name) as home_ids,
    array_agg(shown_name(r) order by r.priority, r.name) as home_names
from outage o
join technical_alarm t on t.tenant_id = o.tenant_id and t.outage_id = o.id and t.ended_at is null
join resident r on r.tenant_id = t.tenant_id and r.id = t.resident_id
left join staff s on s.tenant_id = o.tenant_id and s.id = o.taken_by
where o.tenant_id = $1 and o.ended_at is null and t.unit_id = any($2)
group by o.id, o.shares, o.name, o.began_at, o.taken_by, s
order by o.began_at
limit $3
"""


async def silent(
    db: Transaction, before: datetime
) -> Sequence[tuple[TenantId, Sequence[EndpointId]]]:
    """Units of all municipalities that nobody has been told of, by municipality."""
    return _by_tenant(await db.fetch(SILENT, before, SILENT_LIMIT))


async def heard_again(db: Transaction) -> Sequence[tuple[TenantId, Sequence[EndpointId]]]:
    """Units somebody was told of, and that have been heard since."""
    return _by_tenant(await db.fetch(HEARD_AGAIN, SILENT_LIMIT))


def _by_tenant(rows: Sequence[Row]) -> Sequence[tuple[TenantId, Sequence[EndpointId]]]:
    found: dict[TenantId, list[EndpointId]] = {}
    for row in rows:
        found.setdefault(TenantId(row["tenant_id"]), []).append(EndpointId(row["endpoint_id"]))
    return list(found.items())


async def home_of(db: Transaction, endpoint_id: EndpointId) -> ResidentId:
    return ResidentId(await db.fetchval(HOME_OF, db.tenant, endpoint_id))


async def still_silent(
    db: Transaction, endpoints: Sequence[EndpointId], before: datetime
) -> Sequence[NewTechnical]:
    """Those of them that are, held; by resident, which is the order of their records."""
    rows = await db.fetch(STILL_SILENT, db.tenant, list(endpoints), before)
    return [
        NewTechnical(
            "offline", EndpointId(r["endpoint_id"]), ResidentId(r["resident_id"]),
            CareUnitId(r["unit_id"]), r["since"],
        )
        for r in rows
    ]  # fmt: skip


async def add(db: Transaction, id_: UUID, new: NewTechnical, now: datetime) -> bool:
    """False when it stands there already."""
    found = await db.fetchval(
        ADD, db.tenant, id_, new.kind, new.endpoint_id, new.resident_id, new.unit_id, new.device,
        new.detail, new.began_at, now,
    )  # fmt: skip
    return found is not None


@dataclass(frozen=True, slots=True)
class Ended:
    id: UUID
    kind: Kind
    unit_id: CareUnitId | None
    outage_id: UUID | None
    was_open: bool
    """Nobody had closed it."""


async def end(
    db: Transaction,
    endpoint_id: EndpointId,
    kinds: Sequence[Kind],
    now: datetime,
    *,
    device: str | None = None,
) -> Sequence[Ended]:
    """What it tells of is over; `device` None: whichever."""
    rows = await db.fetch(END, db.tenant, endpoint_id, list(kinds), device, now)
    return [Ended(r["id"], r["kind"], r["unit_id"], r["outage_id"], r["was_open"]) for r in rows]


async def hold(db: Transaction, id_: UUID) -> Technical | None:
    row = await db.fetchrow(HOLD, db.tenant, id_)
    return _technical(row) if row else None


def _technical(row: Row) -> Technical:
    return Technical(
        row["id"], row["kind"], row["resident_id"], row["unit_id"], row["taken_by"], row["is_open"]
    )


async def take(db: Transaction, id_: UUID, by: StaffId, now: datetime) -> None:
    await db.execute(TAKE, db.tenant, id_, by, now)


async def close(db: Transaction, id_: UUID, by: StaffId, note: str, now: datetime) -> None:
    await db.execute(CLOSE, db.tenant, id_, by, now, note)


async def just_lost(db: Transaction, since: datetime) -> Sequence[Lost]:
    """Silent units in no outage yet."""
    return [
        Lost(r["id"], CareUnitId(r["unit_id"]), r["began_at"], r["area"], r["network"], r["path"])
        for r in await db.fetch(JUST_LOST, db.tenant, since)
    ]


async def ongoing(db: Transaction) -> Sequence[tuple[UUID, Shares, str]]:
    """Held: what their units share, and its name."""
    return [(r["id"], r["shares"], r["name"]) for r in await db.fetch(ONGOING, db.tenant)]


async def add_outage(
    db: Transaction, id_: UUID, shares: Shares, name: str, began_at: datetime
) -> None:
    await db.execute(ADD_OUTAGE, db.tenant, id_, shares, name, began_at)


async def join_outage(db: Transaction, outage_id: UUID, members: Sequence[UUID]) -> None:
    await db.execute(JOIN_OUTAGE, db.tenant, outage_id, list(members))


async def end_outage(db: Transaction, outage_id: UUID, now: datetime) -> bool:
    """True when it is over now: all of its units are heard again."""
    return await db.fetchval(END_OUTAGE, db.tenant, outage_id, now) is not None


async def hold_outage(db: Transaction, outage_id: UUID) -> tuple[StaffId | None, bool] | None:
    """Who has it, and whether it still goes on."""
    row = await db.fetchrow(HOLD_OUTAGE, db.tenant, outage_id)
    return (row["taken_by"], row["is_open"]) if row else None


async def take_outage(db: Transaction, outage_id: UUID, by: StaffId, now: datetime) -> None:
    await db.execute(TAKE_OUTAGE, db.tenant, outage_id, by, now)


async def units_in(db: Transaction, outage_id: UUID) -> Sequence[CareUnitId]:
    rows = await db.fetch(IN_OUTAGE, db.tenant, outage_id)
    return [CareUnitId(row["unit_id"]) for row in rows]


@dataclass(frozen=True, slots=True)
class Listed:
    """An open technical alarm on a list. Names as they may be shown."""

    id: UUID
    kind: Kind
    unit_id: CareUnitId | None
    device: str
    detail: str
    began_at: datetime
    resident_id: ResidentId | None
    resident_name: str | None
    taken_by: StaffId | None
    taken_name: str | None


async def open_in(db: Transaction, units: Sequence[CareUnitId]) -> Sequence[Listed]:
    """Of these units and of nobody's, oldest first; none that is part of an outage."""
    rows = await db.fetch(OPEN, db.tenant, list(units), LIMIT)
    return [
        Listed(
            r["id"], r["kind"], r["unit_id"], r["device"], r["detail"], r["began_at"],
            r["resident_id"], r["resident_name"], r["taken_by"], r["taken_name"],
        )
        for r in rows
    ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class ListedOutage:
    """`homes`: id and name, of the asked units alone; those to be reached first stand first."""

    id: UUID
    shares: Shares
    name: str
    began_at: datetime
    taken_by: StaffId | None
    taken_name: str | None
    homes: tuple[tuple[ResidentId, str], ...]


async def outages_in(db: Transaction, units: Sequence[CareUnitId]) -> Sequence[ListedOutage]:
    rows = await db.fetch(OUTAGES, db.tenant, list(units), LIMIT)
    return [
        ListedOutage(
            r["id"], r["shares"], r["name"], r["began_at"], r["taken_by"], r["taken_name"],
            tuple(zip(r["home_ids"], r["home_names"], strict=True)),
        )
        for r in rows
    ]  # fmt: skip

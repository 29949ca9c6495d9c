"""SQL of the devices page: what each home has, how it is, when it was tried last."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from telecare.alarms.receivers.arrived import Protocol
from telecare.alarms.technical.model import Kind
from telecare.runtime.db import Transaction
from telecare.wire.ids import AlarmUnitId, CareUnitId, EndpointId, ResidentId, UnitId

LIMIT = 1000

DEVICES = """
select e.id, e.kind, e.label, e.seen_at, e.paired_at, r.id as resident_id,
    shown_name(r) as resident_name,
    case when r.is_protected then '' else r.address end as address,
    c.id as unit_id, c.name as unit_name, u.id as home_unit_id, u.mains, u.battery_percent, u.path,
    exists (
        select from follow_up f
        where f.tenant_id = e.tenant_id and f.about_id = e.id and f.kind = 'mend_device'
            and f.closed_at is null
    ) as is_asked_for
from endpoint e
join resident r on r.tenant_id = e.tenant_id and r.id = e.resident_id
join care_unit c on c.tenant_id = r.tenant_id and c.id = r.unit_id
left join edge_unit u on u.tenant_id = e.tenant_id and u.endpoint_id = e.id and u.revoked_at is null
where e.tenant_id = $1 and r.unit_id = any($2) and e.ended_at is null
order by r.name, e.paired_at, e.id
limit $3
"""
ALARM_UNITS = """
select u.id, u.protocol, u.account, u.place, u.seen_at, u.signs_every_h, r.id as resident_id,
    shown_name(r) as resident_name,
    case when r.is_protected then '' else r.address end as address,
    c.id as unit_id, c.name as unit_name,
    array(
        select t.kind from technical_alarm t
        where t.tenant_id = u.tenant_id and t.resident_id = u.resident_id and t.device = u.account
            and t.endpoint_id is null and t.ended_at is null
        order by t.began_at
    ) as troubles,
    (
        select max(coalesce(t.ended_at, $4) - greatest(t.began_at, $3)) from technical_alarm t
        where t.tenant_id = u.tenant_id and t.resident_id = u.resident_id and t.device = u.account
            and t.endpoint_id is null and t.kind = 'unit_silent' and coalesce(t.ended_at, $4) > $3
    ) as longest_silence,
    exists (
        select from follow_up f
        where f.tenant_id = u.tenant_id and f.about_id = u.id and f.kind = 'mend_device'
            and f.closed_at is null
    ) as is_asked_for
from alarm_unit u
join resident r on r.tenant_id = u.tenant_id and r.id = u.resident_id
join care_unit c on c.tenant_id = r.tenant_id and c.id = r.unit_id
where u.tenant_id = $1 and r.unit_id = any($2) and u.ended_at is null
order by r.name, u.registered_at, u.id
limit $5
"""
TRIED = """
select source_id, max(received_at) filter (where lane = 'test') as tested_at,
    max(received_at) filter (where lane = 'care') as alarmed_at
from alarm
where tenant_id = $1 and source in ('unit', 'scaip', 'dc09') and source_id = any($2)
    and received_at > $3
group by source_id
"""
SILENCES = """
select endpoint_id, max(coalesce(ended_at, $4) - greatest(began_at, $3)) as longest
from technical_alarm
where tenant_id = $1 and endpoint_id = any($2) and kind = 'offline'
    and coalesce(ended_at, $4) > $3
group by endpoint_id
"""
WEAK = """
select endpoint_id, device, detail from technical_alarm
where tenant_id = $1 and endpoint_id = any($2) and kind = 'battery' and device <> ''
    and ended_at is null
order by device
"""
ONE = """
select e.resident_id from endpoint e
where e.tenant_id = $1 and e.id = $2 and e.ended_at is null
union all
select u.resident_id from alarm_unit u
where u.tenant_id = $1 and u.id = $2 and u.ended_at is null
"""


@dataclass(frozen=True, slots=True)
class Device:
    """A TV or home unit. `battery_percent`, `mains`: None where it cannot tell."""

    id: EndpointId
    kind: Literal["tv", "unit"]
    label: str
    seen_at: datetime | None
    resident_id: ResidentId
    resident_name: str
    address: str
    unit_id: CareUnitId
    unit_name: str
    home_unit_id: UnitId | None
    mains: bool | None
    battery_percent: int | None
    path: str | None
    is_asked_for: bool


@dataclass(frozen=True, slots=True)
class AlarmUnitDevice:
    """Another maker's unit. `signs_every`: it says something at least so often; None: nobody knows,
    and then its silence says nothing. `troubles`: those nobody has ended, as it has told of them.
    """

    id: AlarmUnitId
    protocol: Protocol
    account: str
    place: str
    seen_at: datetime | None
    signs_every: timedelta | None
    resident_id: ResidentId
    resident_name: str
    address: str
    unit_id: CareUnitId
    unit_name: str
    troubles: tuple[Kind, ...]
    longest_silence: timedelta | None
    is_asked_for: bool


@dataclass(frozen=True, slots=True)
class Tried:
    tested_at: datetime | None
    alarmed_at: datetime | None


async def devices(db: Transaction, units: Sequence[CareUnitId]) -> Sequence[Device]:
    rows = await db.fetch(DEVICES, db.tenant, list(units), LIMIT)
    return [
        Device(
            EndpointId(r["id"]), r["kind"], r["label"], r["seen_at"],
            ResidentId(r["resident_id"]), r["resident_name"], r["address"],
            CareUnitId(r["unit_id"]), r["unit_name"], r["home_unit_id"], r["mains"],
            r["battery_percent"], r["path"], r["is_asked_for"],
        )
        for r in rows
    ]  # fmt: skip


async def alarm_units(
    db: Transaction, units: Sequence[CareUnitId], since: datetime, now: datetime
) -> Sequence[AlarmUnitDevice]:
    """Those in use; silences as of `since`, one that goes on counts until now."""
    rows = await db.fetch(ALARM_UNITS, db.tenant, list(units), since, now, LIMIT)
    return [
        AlarmUnitDevice(
            AlarmUnitId(r["id"]), r["protocol"], r["account"], r["place"], r["seen_at"],
            timedelta(hours=r["signs_every_h"]) if r["signs_every_h"] else None,
            ResidentId(r["resident_id"]), r["resident_name"], r["address"],
            CareUnitId(r["unit_id"]), r["unit_name"], tuple(r["troubles"]), r["longest_silence"],
            r["is_asked_for"],
        )
        for r in rows
    ]  # fmt: skip


async def tried(db: Transaction, sources: Sequence[str], since: datetime) -> Mapping[str, Tried]:
    """When alarms came last from these home units and other makers' units, as tests and in
    earnest.
    """
    rows = await db.fetch(TRIED, db.tenant, sources, since)
    return {r["source_id"]: Tried(r["tested_at"], r["alarmed_at"]) for r in rows}


async def silences(
    db: Transaction, endpoints: Sequence[EndpointId], since: datetime, now: datetime
) -> Mapping[EndpointId, timedelta]:
    """The longest of each; one that goes on counts until now."""
    rows = await db.fetch(SILENCES, db.tenant, list(endpoints), since, now)
    return {EndpointId(r["endpoint_id"]): r["longest"] for r in rows}


async def weak(
    db: Transaction, endpoints: Sequence[EndpointId]
) -> Mapping[EndpointId, Sequence[tuple[str, str]]]:
    """Devices whose battery is low, and how many percent it said."""
    found: dict[EndpointId, list[tuple[str, str]]] = {}
    for row in await db.fetch(WEAK, db.tenant, list(endpoints)):
        found.setdefault(EndpointId(row["endpoint_id"]), []).append((row["device"], row["detail"]))
    return found


async def resident_of(db: Transaction, device_id: UUID) -> ResidentId | None:
    """Whose it is, while it is in use; of whatever kind."""
    found: ResidentId | None = await db.fetchval(ONE, db.tenant, device_id)
    return found

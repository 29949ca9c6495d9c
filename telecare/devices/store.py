"""SQL of endpoints, units, pairing and units' events."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, Self
from uuid import UUID

from telecare.devices.model import UNIT_LEASE, Closed, Endpoint, Pairing, Unit
from telecare.runtime.db import Row, Transaction
from telecare.wire.edge import CameraState, ScreenState, Stamp, UnitEvent, UnitStatus
from telecare.wire.ids import CareUnitId, EndingId, EndpointId, ResidentId, TenantId, UnitId

LIMIT = 100
HEALTH_LIMIT = 1000

ADD_ENDPOINT = """
insert into endpoint (tenant_id, id, resident_id, kind, label, has_picture, paired_at)
values ($1, $2, $3, $4, $5, $6, $7)
"""
ENDPOINTS = """
select e.id, e.kind, e.label, e.has_picture, e.seen_at, u.id as unit_id, u.mac_key,
    coalesce(u.is_online, true) as is_online, coalesce(u.screen, 'unknown') as screen,
    coalesce(u.cameras, '{}') as cameras, u.cameras_at
from endpoint e
left join edge_unit u on u.tenant_id = e.tenant_id and u.endpoint_id = e.id and u.revoked_at is null
where e.tenant_id = $1 and e.resident_id = $2 and e.ended_at is null
order by e.paired_at
limit $3
"""
ENDPOINTS_OF_UNIT = """
select e.resident_id, e.id, e.kind, e.label, e.has_picture, e.seen_at, u.id as unit_id, u.mac_key,
    coalesce(u.is_online, true) as is_online, coalesce(u.screen, 'unknown') as screen,
    coalesce(u.cameras, '{}') as cameras, u.cameras_at
from endpoint e
left join edge_unit u on u.tenant_id = e.tenant_id and u.endpoint_id = e.id and u.revoked_at is null
where e.tenant_id = $1 and e.resident_id = any($2) and e.ended_at is null
order by e.paired_at
limit 1000
"""
HAS_OPEN = """
select exists (
    select from endpoint e
    join resident r on r.tenant_id = e.tenant_id and r.id = e.resident_id
    where e.tenant_id = $1 and r.unit_id = any($2) and e.ended_at is null
)
"""
CLOSED = """
select e.id, e.kind, e.resident_id, e.ended_at, u.id as unit_id, u.mac_key,
    u.wiped_at is not null as was_wiped
from endpoint e
left join edge_unit u on u.tenant_id = e.tenant_id and u.endpoint_id = e.id
where e.tenant_id = $1 and e.ended_at is not null"""
CLOSED_ONE = f"{CLOSED} and e.id = $2"
CLOSED_BY = f"""{CLOSED} and e.ending_id = $2
order by e.paired_at
"""
CLOSE = """
update endpoint set ended_at = $3, ending_id = $4
where tenant_id = $1 and id = $2 and ended_at is null
returning id
"""
REVOKE_UNIT = """
update edge_unit set revoked_at = $3, is_online = false
where tenant_id = $1 and endpoint_id = $2 and revoked_at is null
"""
REOPEN = """
update endpoint set ended_at = null, ending_id = null where tenant_id = $1 and id = $2
"""
UNREVOKE_UNIT = "update edge_unit set revoked_at = null where tenant_id = $1 and endpoint_id = $2"
EXPIRE_CODES = """
update pairing set expires_at = $3
where tenant_id = $1 and resident_id = $2 and used_at is null and expires_at > $3
"""
REVOKED_UNITS_OF = """
select unit_id, tenant_id, endpoint_id, resident_id, public_key, mac_key from revoked_units_of($1)
"""
WIPED = """
update edge_unit set wiped_at = $3 where tenant_id = $1 and id = $2 and wiped_at is null
returning id
"""
RESIDENT_OF = "select resident_id from endpoint where tenant_id = $1 and id = $2"
OPEN_RESIDENT_OF = """
select resident_id from endpoint where tenant_id = $1 and id = $2 and ended_at is null
"""
ENDPOINT_SEEN = "update endpoint set seen_at = $3 where tenant_id = $1 and id = $2"
ADD_UNIT = """
insert into edge_unit (tenant_id, id, endpoint_id, public_key, mac_key, enrolled_at)
values ($1, $2, $3, $4, $5, $6)
"""
UNITS_OF = """
select unit_id, tenant_id, endpoint_id, resident_id, public_key, mac_key from units_of($1)
"""
STATUS = """
update edge_unit set is_online = $3, seen_at = case when $3 then $4 else seen_at end, boot = $5,
    screen = $6, cameras = $7, cameras_at = $4, version = $8, mains = $9, battery_percent = $10,
    path = $11
where tenant_id = $1 and id = $2
returning endpoint_id
"""
ADD_EVENT = """
insert into edge_event (tenant_id, unit_id, boot, seq, kind, occurred_at, clock_ok, received_at,
    payload)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
on conflict do nothing
returning seq
"""
REJECT = """
insert into event_reject (received_at, topic, reason, payload_sha256)
select $1, r.topic, r.reason, r.digest
from unnest($2::text[], $3::text[], $4::bytea[]) as r (topic, reason, digest)
"""
MARK_SEEN = "select unit_id, resident_id from mark_seen($1, $2, $3)"
SAID_BY_UNITS = """
select unit_id, is_online, boot, screen, cameras, version, mains, battery_percent, path
from said_by_units()
"""
BEGIN_TV_PAIRING = "select begin_tv_pairing($1, $2, $3, $4, $5)"
CLAIM_TV_PAIRING = "select id, expires_at from claim_tv_pairing($1)"
PAIRING_OF = "select tenant_id, id, expires_at, used_at, word, endpoint_id from pairing_of($1)"
FINISH_PAIRING = """
update pairing set used_at = $3, word = $4, endpoint_id = $5 where tenant_id = $1 and id = $2
"""
ADD_UNIT_PAIRING = """
insert into pairing (tenant_id, id, kind, code_hash, resident_id, label, expires_at)
values ($1, $2, 'unit', $3, $4, $5, $6)
"""
UNIT_PAIRING_OF = """
select tenant_id, id, resident_id, label, expires_at, tries from unit_pairing_of($1)
"""


def _endpoint(row: Row) -> Endpoint:
    cameras: Mapping[str, CameraState] = json.loads(row["cameras"])
    screen: ScreenState = row["screen"]
    return Endpoint(
        id=EndpointId(row["id"]),
        kind=row["kind"],
        label=row["label"],
        has_picture=row["has_picture"],
        seen_at=row["seen_at"],
        unit_id=row["unit_id"],
        mac_key=row["mac_key"],
        is_online=row["is_online"],
        screen=screen,
        cameras=tuple(cameras.values()),
        cameras_at=row["cameras_at"],
    )


async def add_endpoint(
    db: Transaction, endpoint_id: EndpointId, resident_id: ResidentId, *, kind: str, label: str,
    has_picture: bool, now: datetime,
) -> None:  # fmt: skip
    await db.execute(
        ADD_ENDPOINT, db.tenant, endpoint_id, resident_id, kind, label, has_picture, now
    )


async def endpoints(db: Transaction, resident_id: ResidentId) -> list[Endpoint]:
    rows = await db.fetch(ENDPOINTS, db.tenant, resident_id, LIMIT)
    return [_endpoint(row) for row in rows]


async def endpoints_of(db: Transaction, residents: Sequence[UUID]) -> Mapping[UUID, list[Endpoint]]:
    """Every resident's endpoints, for a list."""
    found: dict[UUID, list[Endpoint]] = {resident: [] for resident in residents}
    for row in await db.fetch(ENDPOINTS_OF_UNIT, db.tenant, list(residents)):
        found[row["resident_id"]].append(_endpoint(row))
    return found


async def has_open(db: Transaction, units: Sequence[CareUnitId]) -> bool:
    """Some home of these units has a device that can call for help."""
    found: bool = await db.fetchval(HAS_OPEN, db.tenant, list(units))
    return found


async def resident_of(db: Transaction, endpoint_id: EndpointId) -> ResidentId:
    return ResidentId(await db.fetchval(RESIDENT_OF, db.tenant, endpoint_id))


async def open_resident_of(db: Transaction, endpoint_id: EndpointId) -> ResidentId | None:
    """Whose it is; None when it is closed or unknown."""
    found: ResidentId | None = await db.fetchval(OPEN_RESIDENT_OF, db.tenant, endpoint_id)
    return found


async def endpoint_seen(db: Transaction, endpoint_id: EndpointId, now: datetime) -> None:
    await db.execute(ENDPOINT_SEEN, db.tenant, endpoint_id, now)


async def close(
    db: Transaction, endpoint_id: EndpointId, ending_id: EndingId | None, now: datetime
) -> Closed | None:
    """None when it was closed before. Its unit is refused from this commit on."""
    if await db.fetchval(CLOSE, db.tenant, endpoint_id, now, ending_id) is None:
        return None
    await db.execute(REVOKE_UNIT, db.tenant, endpoint_id, now)
    row = await db.fetchrow(CLOSED_ONE, db.tenant, endpoint_id)
    return _closed(row) if row else None


async def closed_by(db: Transaction, ending_id: EndingId) -> Sequence[Closed]:
    return [_closed(row) for row in await db.fetch(CLOSED_BY, db.tenant, ending_id)]


async def reopen(db: Transaction, endpoint_id: EndpointId) -> None:
    await db.execute(REOPEN, db.tenant, endpoint_id)
    await db.execute(UNREVOKE_UNIT, db.tenant, endpoint_id)


async def expire_codes(db: Transaction, resident_id: ResidentId, now: datetime) -> None:
    """Codes that wait for a unit of hers are good for nothing."""
    await db.execute(EXPIRE_CODES, db.tenant, resident_id, now)


async def wiped(db: Transaction, unit_id: UnitId, now: datetime) -> bool:
    """False when it had said so before."""
    return await db.fetchval(WIPED, db.tenant, unit_id, now) is not None


def _closed(row: Row) -> Closed:
    return Closed(
        EndpointId(row["id"]), row["kind"], ResidentId(row["resident_id"]), row["ended_at"],
        row["unit_id"], row["mac_key"], row["was_wiped"],
    )  # fmt: skip


async def add_unit(db: Transaction, unit: Unit, now: datetime) -> None:
    await db.execute(
        ADD_UNIT, db.tenant, unit.id, unit.endpoint_id, unit.public_key, unit.mac_key, now
    )


async def units_of(db: Transaction, unit_ids: Collection[UnitId]) -> Mapping[UnitId, Unit]:
    """Those that are enrolled and not revoked, of any municipality."""
    return _units(await db.fetch(UNITS_OF, list(unit_ids)))


async def revoked_units_of(db: Transaction, unit_ids: Collection[UnitId]) -> Mapping[UnitId, Unit]:
    """Those that were closed and may not know it."""
    return _units(await db.fetch(REVOKED_UNITS_OF, list(unit_ids)))


def _units(rows: Sequence[Row]) -> Mapping[UnitId, Unit]:
    return {
        UnitId(row["unit_id"]): Unit(
            TenantId(row["tenant_id"]), UnitId(row["unit_id"]), EndpointId(row["endpoint_id"]),
            ResidentId(row["resident_id"]), row["public_key"], row["mac_key"],
        )
        for row in rows
    }  # fmt: skip


async def set_status(
    db: Transaction, unit_id: UnitId, *, is_online: bool, now: datetime, boot: UUID,
    screen: ScreenState, cameras: Mapping[str, CameraState], version: str,
    power: tuple[bool | None, int | None], path: str,
) -> None:  # fmt: skip
    """`power`: mains, and battery percent; None where it cannot tell. A will (not online) says
    nothing of when the unit was heard last.
    """
    await db.execute(
        STATUS, db.tenant, unit_id, is_online, now, boot, screen, json.dumps(dict(cameras)),
        version, *power, path,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class StoredEvent:
    tenant: TenantId
    unit_id: UnitId
    boot: UUID
    seq: int
    kind: str
    occurred_at: datetime
    clock_ok: bool
    payload: str

    @classmethod
    def of(cls, unit: Unit, event: UnitEvent) -> Self:
        return cls(
            unit.tenant, unit.id, event.boot, event.seq, event.kind, event.occurred_at,
            event.clock_ok, event.model_dump_json(),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Reject:
    """A message that nobody carries out: where it came, why, and its SHA-256."""

    topic: str
    reason: str
    digest: bytes


async def add_event(db: Transaction, event: StoredEvent, now: datetime) -> bool:
    """False when it was stored before (a retransmission)."""
    found = await db.fetchval(
        ADD_EVENT, db.tenant, event.unit_id, event.boot, event.seq, event.kind, event.occurred_at,
        event.clock_ok, now, event.payload,
    )  # fmt: skip
    return found is not None


async def reject(db: Transaction, rejects: Sequence[Reject], now: datetime) -> None:
    await db.execute(
        REJECT, now, [r.topic for r in rejects], [r.reason for r in rejects],
        [r.digest for r in rejects],
    )  # fmt: skip


async def mark_seen(
    db: Transaction, seen: Mapping[UnitId, datetime], silence: timedelta
) -> Sequence[tuple[CareUnitId, ResidentId]]:
    """Units of any tenant that are online still, and what they said stands; whose lists and homes
    show one that had been silent for `silence`.
    """
    rows = await db.fetch(MARK_SEEN, list(seen.keys()), list(seen.values()), silence)
    return [(CareUnitId(row["unit_id"]), ResidentId(row["resident_id"])) for row in rows]


async def said_by_units(db: Transaction) -> Mapping[UnitId, UnitStatus]:
    """What every unit in use, of all tenants, said last."""
    return {
        UnitId(row["unit_id"]): UnitStatus(
            online=row["is_online"],
            stamp=Stamp(boot=row["boot"], monotonic_ms=0),
            version=row["version"] or "",
            cameras=json.loads(row["cameras"]),
            screen=row["screen"],
            path=row["path"],
            mains=row["mains"],
            battery_percent=row["battery_percent"],
        )
        for row in await db.fetch(SAID_BY_UNITS)
    }


async def begin_tv_pairing(
    db: Transaction, pairing_id: UUID, *, code_hash: bytes, poll_hash: bytes, now: datetime,
    until: datetime,
) -> bool:  # fmt: skip
    """False when somebody else's waiting code is the same."""
    made: bool = await db.fetchval(BEGIN_TV_PAIRING, pairing_id, code_hash, poll_hash, now, until)
    return made


async def claim_tv_pairing(db: Transaction, code_hash: bytes) -> tuple[UUID, datetime] | None:
    row = await db.fetchrow(CLAIM_TV_PAIRING, code_hash)
    return (row["id"], row["expires_at"]) if row else None


async def pairing_of(db: Transaction, poll_hash: bytes) -> Pairing | None:
    row = await db.fetchrow(PAIRING_OF, poll_hash)
    if row is None:
        return None
    return Pairing(
        row["tenant_id"], row["id"], row["expires_at"], row["used_at"], row["word"],
        row["endpoint_id"],
    )  # fmt: skip


async def finish_pairing(
    db: Transaction, pairing_id: UUID, *, endpoint_id: EndpointId, word: int | None, now: datetime
) -> None:
    await db.execute(FINISH_PAIRING, db.tenant, pairing_id, now, word, endpoint_id)


async def add_unit_pairing(
    db: Transaction, pairing_id: UUID, resident_id: ResidentId, *, code_hash: bytes, label: str,
    until: datetime,
) -> None:  # fmt: skip
    await db.execute(ADD_UNIT_PAIRING, db.tenant, pairing_id, code_hash, resident_id, label, until)


@dataclass(frozen=True, slots=True)
class UnitPairing:
    tenant: TenantId
    id: UUID
    resident_id: ResidentId
    label: str
    expires_at: datetime
    tries: int


async def unit_pairing_of(db: Transaction, code_hash: bytes) -> UnitPairing | None:
    """Counts a try; the database is in the pairing's tenant afterwards."""
    row = await db.fetchrow(UNIT_PAIRING_OF, code_hash)
    if row is None:
        return None
    return UnitPairing(
        TenantId(row["tenant_id"]), row["id"], ResidentId(row["resident_id"]), row["label"],
        row["expires_at"], row["tries"],
    )  # fmt: skip


SET_NETWORK = """
update edge_unit u set network = $3
from endpoint e
where u.tenant_id = $1 and u.endpoint_id = $2 and u.revoked_at is null
    and e.tenant_id = u.tenant_id and e.id = u.endpoint_id and e.ended_at is null
returning e.resident_id
"""
HEALTH = """
select e.id, e.kind, e.paired_at, e.seen_at, c.name as care_unit, u.id as unit_id, u.version,
    u.screen, u.network
from endpoint e
join resident r on r.tenant_id = e.tenant_id and r.id = e.resident_id
join care_unit c on c.tenant_id = r.tenant_id and c.id = r.unit_id
left join edge_unit u on u.tenant_id = e.tenant_id and u.endpoint_id = e.id
where e.tenant_id = $1 and e.ended_at is null
order by e.seen_at nulls first, e.id
limit $2
"""


async def set_network(db: Transaction, endpoint_id: EndpointId, network: str) -> ResidentId | None:
    """Whose home it is in; None: no home unit of that name is in use."""
    found: ResidentId | None = await db.fetchval(SET_NETWORK, db.tenant, endpoint_id, network)
    return found


@dataclass(frozen=True, slots=True)
class Health:
    """A device in some home of a care unit, and nothing of whose home it is."""

    id: EndpointId
    kind: Literal["tv", "unit"]
    care_unit: str
    unit_id: UnitId | None
    version: str | None
    screen: ScreenState | None
    paired_at: datetime
    seen_at: datetime | None
    network: str | None
    """Whose line it is on; '': not noted, None: no home unit."""

    def is_here(self, now: datetime) -> bool:
        return self.seen_at is not None and now - self.seen_at < UNIT_LEASE


async def health(db: Transaction) -> Sequence[Health]:
    """Those not heard from for longest first, at most 1000."""
    rows = await db.fetch(HEALTH, db.tenant, HEALTH_LIMIT)
    return [
        Health(
            EndpointId(r["id"]), r["kind"], r["care_unit"], r["unit_id"], r["version"],
            r["screen"], r["paired_at"], r["seen_at"], r["network"],
        )
        for r in rows
    ]  # fmt: skip

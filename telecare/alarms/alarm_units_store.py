"""SQL of other makers' units."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv4Network, IPv6Network
from typing import Literal

from telecare.alarms.receivers.arrived import Network, Protocol
from telecare.runtime.db import Row, Transaction, UniqueViolation
from telecare.wire.ids import AlarmUnitId, CareUnitId, EndingId, ResidentId

LIMIT = 1000

ADD = """
insert into alarm_unit (tenant_id, id, resident_id, protocol, account, networks, password, aes_key,
    digest, reply, place, signs_every_h, registered_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
"""
COLUMNS = """
select id, resident_id, protocol, account, networks, password, aes_key, digest, reply, place,
    signs_every_h
from alarm_unit
"""
OPEN = f"""{COLUMNS}
where tenant_id = $1 and protocol = $2 and account = $3 and ended_at is null
"""
ONE = f"{COLUMNS} where tenant_id = $1 and id = $2 and ended_at is null for update"
OF_RESIDENT = f"{COLUMNS} where tenant_id = $1 and resident_id = $2 and ended_at is null for update"
LISTED = """
select u.id, u.resident_id, u.protocol, u.account, u.networks,
    u.password is not null as has_password, u.aes_key is not null as has_key, u.digest, u.reply,
    u.place, u.signs_every_h, u.registered_at, u.seen_at,
    shown_name(r) as resident_name, c.name as unit_name
from alarm_unit u
join resident r on r.tenant_id = u.tenant_id and r.id = u.resident_id
join care_unit c on c.tenant_id = r.tenant_id and c.id = r.unit_id
where u.tenant_id = $1 and r.unit_id = any($2) and u.ended_at is null
order by c.name, shown_name(r), u.account
limit $3
"""
CHANGE = """
update alarm_unit set networks = $3, password = $4, aes_key = $5, digest = $6, reply = $7,
    place = $8, signs_every_h = $9
where tenant_id = $1 and id = $2
"""
SEEN = "update alarm_unit set seen_at = $3 where tenant_id = $1 and id = $2"
CLOSE = "update alarm_unit set ended_at = $3, ending_id = $4 where tenant_id = $1 and id = $2"
# An account that somebody else has been given meanwhile stays with her.
REOPEN = """
update alarm_unit u set ended_at = null, ending_id = null
where u.tenant_id = $1 and u.ending_id = $2 and not exists (
    select from alarm_unit o
    where o.tenant_id = u.tenant_id and o.protocol = u.protocol and o.account = u.account
        and o.ended_at is null
)
returning id, resident_id, protocol, account, networks, password, aes_key, digest, reply, place,
    signs_every_h
"""

Digest = Literal["MD5", "SHA-256"]
Reply = Literal["message", "in_200"]


@dataclass(frozen=True, slots=True)
class AlarmUnit:
    """As it is kept: `password` and `key` are sealed. `signs_every_h`: None when nobody knows."""

    id: AlarmUnitId
    resident_id: ResidentId
    protocol: Protocol
    account: str
    networks: tuple[Network, ...] = ()
    password: bytes | None = None
    key: bytes | None = None
    digest: Digest = "MD5"
    reply: Reply = "message"
    place: str = ""
    signs_every_h: int | None = None

    @property
    def signs_every(self) -> timedelta | None:
        """At least so often it says something; None when nobody knows."""
        return None if self.signs_every_h is None else timedelta(hours=self.signs_every_h)


def _unit(row: Row) -> AlarmUnit:
    return AlarmUnit(
        AlarmUnitId(row["id"]), ResidentId(row["resident_id"]), row["protocol"], row["account"],
        tuple(row["networks"]), row["password"], row["aes_key"], row["digest"], row["reply"],
        row["place"], row["signs_every_h"],
    )  # fmt: skip


async def add(db: Transaction, unit: AlarmUnit, now: datetime) -> bool:
    """False when the account is another's."""
    try:
        async with db.savepoint():
            await db.execute(
                ADD, db.tenant, unit.id, unit.resident_id, unit.protocol, unit.account,
                list(unit.networks), unit.password, unit.key, unit.digest, unit.reply, unit.place,
                unit.signs_every_h, now,
            )  # fmt: skip
    except UniqueViolation:
        return False
    return True


async def change(db: Transaction, unit: AlarmUnit) -> None:
    """All but whose it is and what it calls itself."""
    await db.execute(
        CHANGE, db.tenant, unit.id, list(unit.networks), unit.password, unit.key, unit.digest,
        unit.reply, unit.place, unit.signs_every_h,
    )  # fmt: skip


async def open_unit(db: Transaction, protocol: Protocol, account: str) -> AlarmUnit | None:
    """None for one that is closed, too."""
    row = await db.fetchrow(OPEN, db.tenant, protocol, account)
    return _unit(row) if row else None


async def hold(db: Transaction, unit_id: AlarmUnitId) -> AlarmUnit | None:
    row = await db.fetchrow(ONE, db.tenant, unit_id)
    return _unit(row) if row else None


async def hold_of(db: Transaction, resident_id: ResidentId) -> Sequence[AlarmUnit]:
    return [_unit(row) for row in await db.fetch(OF_RESIDENT, db.tenant, resident_id)]


async def seen(db: Transaction, unit_id: AlarmUnitId, now: datetime) -> None:
    await db.execute(SEEN, db.tenant, unit_id, now)


async def close(
    db: Transaction, unit_id: AlarmUnitId, ending_id: EndingId | None, now: datetime
) -> None:
    await db.execute(CLOSE, db.tenant, unit_id, now, ending_id)


async def reopen(db: Transaction, ending_id: EndingId) -> Sequence[AlarmUnit]:
    return [_unit(row) for row in await db.fetch(REOPEN, db.tenant, ending_id)]


@dataclass(frozen=True, slots=True)
class Listed:
    """Names as they may be shown; secrets never are."""

    id: AlarmUnitId
    resident_id: ResidentId
    resident_name: str
    unit_name: str
    protocol: Protocol
    account: str
    networks: tuple[IPv4Network | IPv6Network, ...]
    has_password: bool
    has_key: bool
    digest: Digest
    reply: Reply
    place: str
    signs_every_h: int | None
    registered_at: datetime
    seen_at: datetime | None


async def listed(db: Transaction, units: Sequence[CareUnitId]) -> Sequence[Listed]:
    """Those in the homes of these care units, at most 1000."""
    rows = await db.fetch(LISTED, db.tenant, list(units), LIMIT)
    return [
        Listed(
            AlarmUnitId(r["id"]), ResidentId(r["resident_id"]), r["resident_name"], r["unit_name"],
            r["protocol"], r["account"], tuple(r["networks"]), r["has_password"], r["has_key"],
            r["digest"], r["reply"], r["place"], r["signs_every_h"], r["registered_at"],
            r["seen_at"],
        )
        for r in rows
    ]  # fmt: skip

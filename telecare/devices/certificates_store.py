"""SQL of home units' certificates."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from telecare.devices.authority import UnitCertificate
from telecare.runtime.db import Transaction
from telecare.wire.ids import UnitId

ADD = """
insert into unit_certificate (tenant_id, unit_id, serial, pem, issued_at, valid_until)
values ($1, $2, $3, $4, $5, $6)
"""
NEWEST = """
select serial, pem, issued_at, valid_until from unit_certificate
where tenant_id = $1 and unit_id = $2
order by valid_until desc
limit 1
"""
REVOKED = "select unit_id, serial, revoked_at from revoked_certificates($1)"


async def add(db: Transaction, unit_id: UnitId, made: UnitCertificate) -> None:
    serial = f"{made.serial:x}"
    await db.execute(ADD, db.tenant, unit_id, serial, made.pem, made.issued_at, made.valid_until)


async def newest(db: Transaction, unit_id: UnitId) -> UnitCertificate | None:
    row = await db.fetchrow(NEWEST, db.tenant, unit_id)
    if row is None:
        return None
    return UnitCertificate(int(row["serial"], 16), row["pem"], row["issued_at"], row["valid_until"])


@dataclass(frozen=True, slots=True)
class Revoked:
    unit_id: UnitId
    serial: int
    at: datetime


async def revoked(db: Transaction, now: datetime) -> Sequence[Revoked]:
    """Of every municipality, those that have not expired."""
    rows = await db.fetch(REVOKED, now)
    return [
        Revoked(UnitId(row["unit_id"]), int(row["serial"], 16), row["revoked_at"]) for row in rows
    ]

"""What witnesses have signed of a log's heads."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from telecare.runtime.db import Transaction

COSIGNATURES = """
select witness, line, seen_at from audit.cosignature
where tenant_id = $1 and log = $2 and size = $3
order by seen_at, witness
"""
ADD_COSIGNATURE = """
insert into audit.cosignature (tenant_id, log, size, witness, line, seen_at)
values ($1, $2, $3, $4, $5, $6)
on conflict do nothing
"""
LARGEST_SEEN = """
select coalesce(max(size), 0) from audit.cosignature
where tenant_id = $1 and log = $2 and witness = $3
"""
KEYS = """
select public_key from audit.log_key where tenant_id = $1
"""


@dataclass(frozen=True, slots=True)
class Cosignature:
    """`witness`: its verifier key; `line`: as it stands under the head, with its newline."""

    witness: str
    line: str
    seen_at: datetime


async def cosignatures(db: Transaction, log: int, size: int) -> Sequence[Cosignature]:
    """What witnesses have signed of this head, the earliest first."""
    return [Cosignature(*row) for row in await db.fetch(COSIGNATURES, db.tenant, log, size)]


async def add_cosignature(db: Transaction, log: int, size: int, given: Cosignature) -> None:
    """The first of a witness on a head is kept."""
    await db.execute(
        ADD_COSIGNATURE, db.tenant, log, size, given.witness, given.line, given.seen_at
    )


async def largest_seen(db: Transaction, log: int, witness: str) -> int:
    """The size of the largest head that this witness has signed; 0: none."""
    seen: int = await db.fetchval(LARGEST_SEEN, db.tenant, log, witness)
    return seen


async def keys(db: Transaction) -> Sequence[bytes]:
    """Public keys that the log has announced."""
    return [row["public_key"] for row in await db.fetch(KEYS, db.tenant)]

"""SQL of own relations."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from telecare.runtime.db import Transaction
from telecare.wire.ids import ResidentId, StaffId

LIMIT = 100
RelationKind = Literal["relative", "neighbour", "conflict"]

STATE = """
insert into own_relation (tenant_id, id, staff_id, resident_id, kind, note, stated_at)
values ($1, $2, $3, $4, $5, $6, $7)
on conflict (tenant_id, staff_id, resident_id) where removed_at is null
do update set kind = excluded.kind, note = excluded.note
returning id
"""
REMOVE = """
update own_relation set removed_at = $4
where tenant_id = $1 and id = $2 and staff_id = $3 and removed_at is null
returning resident_id
"""
STATED_BY = """
select o.id, o.resident_id, o.kind, o.note, shown_name(r) as name,
    shown_given_name(r) as given_name
from own_relation o
join resident r on r.tenant_id = o.tenant_id and r.id = o.resident_id
where o.tenant_id = $1 and o.staff_id = $2 and o.removed_at is null
order by r.name, o.id
limit $3
"""
KIND_OF = """
select kind from own_relation
where tenant_id = $1 and staff_id = $2 and resident_id = $3 and removed_at is null
"""
RELATED_TO = """
select staff_id from own_relation
where tenant_id = $1 and resident_id = $2 and removed_at is null
limit $3
"""
GIVE_REASON = """
insert into own_relation_reason (tenant_id, staff_id, resident_id, reason, at)
values ($1, $2, $3, $4, $5)
on conflict (tenant_id, staff_id, resident_id)
do update set reason = excluded.reason, at = excluded.at
"""
REASON = """
select reason from own_relation_reason
where tenant_id = $1 and staff_id = $2 and resident_id = $3 and at > $4
"""


@dataclass(frozen=True, slots=True)
class Stated:
    """What somebody says of herself and a resident."""

    id: UUID
    resident_id: ResidentId
    kind: RelationKind
    note: str
    name: str
    given_name: str


async def state(
    db: Transaction, relation_id: UUID, *, staff_id: StaffId, resident_id: ResidentId,
    kind: RelationKind, note: str, now: datetime,
) -> UUID:  # fmt: skip
    """Once per person: said anew, it is changed."""
    found: UUID = await db.fetchval(
        STATE, db.tenant, relation_id, staff_id, resident_id, kind, note, now
    )
    return found


async def remove(
    db: Transaction, relation_id: UUID, staff_id: StaffId, now: datetime
) -> ResidentId | None:
    """Whom it was about; None when it is not hers, or gone."""
    found: ResidentId | None = await db.fetchval(REMOVE, db.tenant, relation_id, staff_id, now)
    return found


async def stated_by(db: Transaction, staff_id: StaffId) -> Sequence[Stated]:
    return [
        Stated(
            r["id"], ResidentId(r["resident_id"]), r["kind"], r["note"], r["name"], r["given_name"]
        )
        for r in await db.fetch(STATED_BY, db.tenant, staff_id, LIMIT)
    ]


async def kind_of(
    db: Transaction, staff_id: StaffId, resident_id: ResidentId
) -> RelationKind | None:
    kind: RelationKind | None = await db.fetchval(KIND_OF, db.tenant, staff_id, resident_id)
    return kind


async def related_to(db: Transaction, resident_id: ResidentId) -> frozenset[StaffId]:
    """Whom not to choose for this resident."""
    rows = await db.fetch(RELATED_TO, db.tenant, resident_id, LIMIT)
    return frozenset(StaffId(row["staff_id"]) for row in rows)


async def give_reason(
    db: Transaction, staff_id: StaffId, resident_id: ResidentId, reason: str, now: datetime
) -> None:
    await db.execute(GIVE_REASON, db.tenant, staff_id, resident_id, reason, now)


async def reason_given(
    db: Transaction, staff_id: StaffId, resident_id: ResidentId, since: datetime
) -> str | None:
    reason: str | None = await db.fetchval(REASON, db.tenant, staff_id, resident_id, since)
    return reason

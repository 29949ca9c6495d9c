"""What a comparison reads: calls and what units wrote (app), records of calls (reader)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from telecare.integrity.records import Entered, entered
from telecare.integrity.story_store import CameraSaid, said
from telecare.runtime.db import Transaction
from telecare.wire.ids import ResidentId, TenantId

MOST = 20_000

TENANTS = "select id from tenant order by id"
LAST = """
select since, until, ran_at, calls, activations, findings from reconciliation
where tenant_id = $1 order by until desc limit 1
"""
ADD = """
insert into reconciliation (tenant_id, id, since, until, ran_at, calls, activations, findings)
values ($1, $2, $3, $4, $5, $6, $7, $8)
on conflict (tenant_id, until) do nothing
"""
OPENED = """
select k.id, k.resident_id, k.home_picture, coalesce(e.kind = 'unit', false) as keeps_book
from call k
left join endpoint e on e.tenant_id = k.tenant_id and e.id = k.endpoint_id
where k.tenant_id = $1 and k.opened_at is not null and k.ended_at >= $2 and k.ended_at < $3
order by k.ended_at
limit $4
"""
ACTIVATIONS = """
select v.unit_id, v.occurred_at, v.clock_ok, v.received_at, v.payload,
    nullif(v.payload ->> 'call_id', '')::uuid as call_id, u.resident_id
from edge_event v
join edge_unit w on w.tenant_id = v.tenant_id and w.id = v.unit_id
join endpoint u on u.tenant_id = w.tenant_id and u.id = w.endpoint_id
where v.tenant_id = $1 and v.kind = 'camera.turned' and (
    v.payload ->> 'call_id' = any($2::text[])
    or (
        v.received_at >= $3 and v.received_at < $4 and not exists (
            select from call k where k.tenant_id = v.tenant_id
                and k.id::text = v.payload ->> 'call_id'
        )
    )
)
order by v.unit_id, (v.payload ->> 'number')::bigint
limit $5
"""
GAPS = """
select g.unit_id, u.resident_id, g.before, g.number
from (
    select v.unit_id, v.received_at, (v.payload ->> 'number')::bigint as number,
        lag((v.payload ->> 'number')::bigint, 1, 0::bigint) over (
            partition by v.unit_id order by (v.payload ->> 'number')::bigint
        ) as before
    from edge_event v
    where v.tenant_id = $1 and v.kind = 'camera.turned' and v.received_at < $3
) g
join edge_unit w on w.tenant_id = $1 and w.id = g.unit_id
join endpoint u on u.tenant_id = w.tenant_id and u.id = w.endpoint_id
where g.received_at >= $2 and g.number > g.before + 1
order by g.unit_id, g.number
limit $4
"""
RECORDS = """
select b.call_id, b.entry_id, b.recorded_at, b.event, b.actor, b.what, b.basis, b.subject, b.persons
from audit.body b
where b.tenant_id = $1 and b.call_id = any($2)
order by b.call_id, b.entry_id
limit $3
"""


@dataclass(frozen=True, slots=True)
class Ran:
    """One comparison that was made."""

    since: datetime
    until: datetime
    ran_at: datetime
    calls: int
    activations: int
    findings: int


@dataclass(frozen=True, slots=True)
class OpenedCall:
    """`keeps_book`: a unit answered, which writes what its camera does."""

    id: UUID
    resident_id: ResidentId
    home_picture: bool
    keeps_book: bool


@dataclass(frozen=True, slots=True)
class Activation:
    """A camera record of a unit. `call_id` None: it names no call."""

    said: CameraSaid
    call_id: UUID | None
    resident_id: ResidentId


@dataclass(frozen=True, slots=True)
class Gap:
    """Between two numbers of a unit's camera there are others that never came."""

    unit: str
    resident_id: ResidentId
    after: int
    before: int


class Counted(Protocol):
    @property
    def calls(self) -> int: ...
    @property
    def activations(self) -> int: ...
    @property
    def new(self) -> int: ...


async def tenants(db: Transaction) -> Sequence[TenantId]:
    return [TenantId(row["id"]) for row in await db.fetch(TENANTS)]


async def last(db: Transaction) -> Ran | None:
    row = await db.fetchrow(LAST, db.tenant)
    return Ran(**row) if row else None


async def add(
    db: Transaction, id_: UUID, since: datetime, until: datetime, now: datetime, of: Counted
) -> None:
    await db.execute(
        ADD, db.tenant, id_, since, until, now, of.calls, of.activations, of.new
    )  # fmt: skip


async def opened(db: Transaction, since: datetime, until: datetime) -> Sequence[OpenedCall]:
    """Calls that were open and ended in the span."""
    return [OpenedCall(**row) for row in await db.fetch(OPENED, db.tenant, since, until, MOST)]


async def activations(
    db: Transaction, calls: Sequence[UUID], since: datetime, until: datetime
) -> Sequence[Activation]:
    """Of these calls, and those that came in the span and belong to no call."""
    ids = [str(one) for one in calls]
    rows = await db.fetch(ACTIVATIONS, db.tenant, ids, since, until, MOST)
    return [Activation(said(row), row["call_id"], row["resident_id"]) for row in rows]


async def gaps(db: Transaction, since: datetime, until: datetime) -> Sequence[Gap]:
    rows = await db.fetch(GAPS, db.tenant, since, until, MOST)
    return [Gap(row["unit_id"], row["resident_id"], row["before"], row["number"]) for row in rows]


async def records(db: Transaction, calls: Sequence[UUID]) -> Sequence[tuple[str, Entered]]:
    """By call, in the order they were entered (role reader)."""
    rows = await db.fetch(RECORDS, db.tenant, sorted(str(one) for one in calls), MOST)
    return [(row["call_id"], entered(row)) for row in rows]

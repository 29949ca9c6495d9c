"""SQL of what she sees on her own screen: who saw her (role reader), their names (role app)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from telecare.runtime.db import Transaction
from telecare.wire.ids import CareUnitId, CohabitantId, ResidentId, StaffId

LOOKS = """
select s.n, b.entry_id, b.recorded_at as at, b.what::jsonb ->> 'kind' as kind,
    (b.what::jsonb ->> 'seconds')::int as seconds, b.what::jsonb ->> 'staff_id' as staff_id
from audit.subject_entry s
join audit.body b on b.tenant_id = s.tenant_id and b.entry_id = s.entry_id
    and b.recorded_at = s.recorded_at
where s.tenant_id = $1 and s.resident_id = $2 and ($3::bigint is null or s.n < $3)
    and b.event = 'call.ended' and (b.what::jsonb ->> 'seconds')::int > 0
    and b.what::jsonb ->> 'staff_id' is not null
    and ($5::text is null or b.basis::jsonb @> jsonb_build_object(
        'consents', jsonb_build_array(jsonb_build_object('cohabitant_id', $5))
    ))
order by s.n desc
limit $4
"""
STAFF = """
select s.id, case when s.is_protected then '' else s.given_name end as given_name,
    u.name as unit_name
from staff s
join care_unit u on u.tenant_id = s.tenant_id and u.id = s.unit_id
where s.tenant_id = $1 and s.id = any($2)
"""
SHOWS = "select shows_looks, unit_id from resident where tenant_id = $1 and id = $2"
SHOW = """
update resident set shows_looks = $3 where tenant_id = $1 and id = $2 and shows_looks <> $3
returning id
"""
SHOW_TO = """
update cohabitant set shows_looks = $4
where tenant_id = $1 and resident_id = $2 and id = $3 and shows_looks <> $4
returning id
"""
# Whoever lives there now and has a yes that holds, to whatever purpose.
COHABITANTS = """
select c.id, c.name, c.shows_looks as shows
from cohabitant c
where c.tenant_id = $1 and c.resident_id = $2 and c.moved_in_at <= $3
    and (c.moved_out_at is null or c.moved_out_at > $3)
    and exists (
        select from (
            select distinct on (n.purpose) n.decision, n.valid_until
            from consent n
            where n.tenant_id = $1 and n.resident_id = $2 and n.cohabitant_id = c.id
            order by n.purpose, n.ordinal desc
        ) newest
        where newest.decision = 'permit'
            and (newest.valid_until is null or newest.valid_until > $3)
    )
order by c.name, c.id
limit $4
"""
MOST_COHABITANTS = 3


@dataclass(frozen=True, slots=True)
class Sharer:
    """A cohabitant who has said yes; `shows`: she wants a view of her own."""

    id: CohabitantId
    name: str
    shows: bool

    @property
    def given_name(self) -> str:
        return self.name.split()[0] if self.name.split() else ""


@dataclass(frozen=True, slots=True)
class Look:
    """A call with picture or sound. `n`: her running number of its end; `at`: when."""

    n: int
    entry_id: int
    at: datetime
    kind: str
    seconds: int
    staff_id: StaffId


@dataclass(frozen=True, slots=True)
class SeenBy:
    """`given_name` is empty of somebody protected: she appears by her unit."""

    given_name: str
    unit_name: str


async def looks(
    db: Transaction,
    resident_id: ResidentId,
    below: int | None,
    limit: int,
    party: CohabitantId | None = None,
) -> Sequence[Look]:
    """Newest first (role reader). `party`: only what a yes of hers was needed for."""
    of = str(party) if party else None
    rows = await db.fetch(LOOKS, db.tenant, resident_id, below, limit, of)
    return [Look(**{**row, "staff_id": StaffId(UUID(row["staff_id"]))}) for row in rows]


async def seen_by(db: Transaction, staff: Sequence[StaffId]) -> dict[StaffId, SeenBy]:
    rows = await db.fetch(STAFF, db.tenant, list(staff))
    return {StaffId(row["id"]): SeenBy(row["given_name"], row["unit_name"]) for row in rows}


async def shows(db: Transaction, resident_id: ResidentId) -> tuple[bool, CareUnitId]:
    """Whether she wants it, and her unit."""
    row = await db.fetchrow(SHOWS, db.tenant, resident_id)
    assert row is not None  # noqa: S101 - a screen has a resident
    return row["shows_looks"], CareUnitId(row["unit_id"])


async def show(db: Transaction, resident_id: ResidentId, on: bool) -> bool:  # noqa: FBT001
    """False when it was so already."""
    return await db.fetchval(SHOW, db.tenant, resident_id, on) is not None


async def show_to(
    db: Transaction,
    resident_id: ResidentId,
    party: CohabitantId,
    on: bool,  # noqa: FBT001
) -> bool:
    """False when it was so already."""
    return await db.fetchval(SHOW_TO, db.tenant, resident_id, party, on) is not None


async def sharers(db: Transaction, resident_id: ResidentId, now: datetime) -> Sequence[Sharer]:
    rows = await db.fetch(COHABITANTS, db.tenant, resident_id, now, MOST_COHABITANTS)
    return [Sharer(CohabitantId(row["id"]), row["name"], row["shows"]) for row in rows]

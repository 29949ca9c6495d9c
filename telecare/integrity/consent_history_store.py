"""Consents as they were known, and who could have seen whom (role app); their records (reader)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from telecare.consent.model import Consent
from telecare.consent.store import consent as consent_of
from telecare.runtime.db import Transaction
from telecare.wire.ids import CareUnitId, ResidentId, StaffId

LIMIT = 200

KNOWN = """
select distinct on (c.purpose, c.cohabitant_id) c.id, c.purpose, c.cohabitant_id, c.decision,
    c.valid_from, c.valid_until, c.ask_again_on, c.hours_from, c.hours_until, c.callers,
    c.answer_after_s, c.information_version, c.information_language, c.given, c.recorded_at,
    c.stands_in, c.emergency_allowed, h.name as party
from consent c
left join cohabitant h on h.tenant_id = c.tenant_id and h.id = c.cohabitant_id
where c.tenant_id = $1 and c.resident_id = $2 and c.recorded_at <= $4
    and (c.recorded_at <= $3 or c.valid_from <= $3)
order by c.purpose, c.cohabitant_id, c.ordinal desc
limit $5
"""
ASSIGNED = """
select shown_name(s) as name, u.name as unit_name, a.source, a.valid_from, a.valid_until,
    array(
        select distinct g.role from access_grant g
        where g.tenant_id = s.tenant_id and g.staff_id = s.id and g.valid_from <= $3
            and (g.valid_until is null or g.valid_until > $3)
        order by g.role
    ) as roles, s.id
from assignment a
join staff s on s.tenant_id = a.tenant_id and s.id = a.staff_id
join care_unit u on u.tenant_id = s.tenant_id and u.id = s.unit_id
where a.tenant_id = $1 and a.resident_id = $2 and a.valid_from <= $3
    and (a.valid_until is null or a.valid_until > $3)
    and (s.revoked_at is null or s.revoked_at > $3) and (s.ends_at is null or s.ends_at > $3)
order by s.name, s.id, a.valid_from
limit $4
"""
IN_UNIT = """
select shown_name(s) as name, u.name as unit_name, g.roles, s.id
from (
    select a.staff_id, array_agg(distinct a.role order by a.role) as roles
    from access_grant a
    where a.tenant_id = $1 and a.unit_id = $2 and a.role = any($4) and a.valid_from <= $3
        and (a.valid_until is null or a.valid_until > $3)
    group by a.staff_id
) g
join staff s on s.tenant_id = $1 and s.id = g.staff_id
join care_unit u on u.tenant_id = s.tenant_id and u.id = s.unit_id
where (s.revoked_at is null or s.revoked_at > $3) and (s.ends_at is null or s.ends_at > $3)
order by s.name, s.id
limit $5
"""
RECORDS = """
select b.what::jsonb ->> 'consent_id' as consent_id, b.entry_id
from audit.subject_entry s
join audit.body b on b.tenant_id = s.tenant_id and b.entry_id = s.entry_id
    and b.recorded_at = s.recorded_at
where s.tenant_id = $1 and s.resident_id = $2
    and b.event in ('consent.given', 'consent.denied', 'consent.withdrawn')
order by b.entry_id
"""


@dataclass(frozen=True, slots=True)
class Stated:
    """The newest statement of a party that was known; `party` is a cohabitant's name, else ""."""

    consent: Consent
    party: str


@dataclass(frozen=True, slots=True)
class CouldSee:
    """`source` of her assignment; empty: by her role in the unit she could have taken one."""

    staff_id: StaffId
    name: str
    unit_name: str
    roles: Sequence[str]
    source: str = ""


async def known(
    db: Transaction, resident: ResidentId, at: datetime, as_known: datetime
) -> Sequence[Stated]:
    """Of each party the newest that was known `as_known` and speaks of `at`, or was known then."""
    rows = await db.fetch(KNOWN, db.tenant, resident, at, as_known, LIMIT)
    return [
        Stated(
            consent_of(row),
            row["party"] or "",
        )
        for row in rows
    ]


async def assigned(db: Transaction, resident: ResidentId, at: datetime) -> Sequence[CouldSee]:
    rows = await db.fetch(ASSIGNED, db.tenant, resident, at, LIMIT)
    return [
        CouldSee(StaffId(r["id"]), r["name"], r["unit_name"], r["roles"], r["source"]) for r in rows
    ]


async def in_unit(
    db: Transaction, unit: CareUnitId, at: datetime, roles: Sequence[str]
) -> Sequence[CouldSee]:
    rows = await db.fetch(IN_UNIT, db.tenant, unit, at, roles, LIMIT)
    return [CouldSee(StaffId(r["id"]), r["name"], r["unit_name"], r["roles"]) for r in rows]


async def records(db: Transaction, resident: ResidentId) -> dict[UUID, int]:
    """Entry numbers of her consents, by consent (role reader)."""
    rows = await db.fetch(RECORDS, db.tenant, resident)
    return {UUID(row["consent_id"]): row["entry_id"] for row in rows if row["consent_id"]}

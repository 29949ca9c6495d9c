"""SQL of keeping staff: who works where, with which roles, keys and end."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from telecare.access.model import Role
from telecare.runtime.db import Row, Transaction
from telecare.wire.ids import CareUnitId, StaffId

LIMIT = 500
"""More staff than any unit has; the rights report pages by unit."""

MEMBERS = """
select s.id, shown_name(s) as name, s.unit_id, u.name as unit_name, s.languages, s.language,
    s.ends_at,
    s.revoked_at, s.is_protected, exists (
        select from passkey k
        where k.tenant_id = s.tenant_id and k.staff_id = s.id and k.ended_at is null
    ) as has_key
from staff s
join care_unit u on u.tenant_id = s.tenant_id and u.id = s.unit_id
where s.tenant_id = $1 and s.unit_id = any($2) and (s.revoked_at is null or s.revoked_at > $3)
order by u.name, s.name, s.id
limit $4
"""
MEMBER = """
select s.id, s.name, s.unit_id, u.name as unit_name, s.languages, s.language, s.ends_at,
    s.revoked_at, s.is_protected, exists (
        select from passkey k
        where k.tenant_id = s.tenant_id and k.staff_id = s.id and k.ended_at is null
    ) as has_key
from staff s
join care_unit u on u.tenant_id = s.tenant_id and u.id = s.unit_id
where s.tenant_id = $1 and s.id = $2
"""
GRANTS = """
select g.id, g.staff_id, g.unit_id, u.name as unit_name, g.role, g.valid_from, g.valid_until,
    g.trained_on
from access_grant g
join care_unit u on u.tenant_id = g.tenant_id and u.id = g.unit_id
where g.tenant_id = $1 and g.staff_id = any($2)
order by g.staff_id, g.valid_from desc, g.id
limit $3
"""
CHANGE = """
update staff set name = $3, given_name = $4, unit_id = $5, languages = $6, language = $7,
    ends_at = $8, is_protected = $9
where tenant_id = $1 and id = $2
"""
HOLD = "select id from staff where tenant_id = $1 and id = $2 for no key update"
END_GRANT = """
update access_grant set valid_until = $3 where tenant_id = $1 and id = $2
"""
HOLD_UNIT = "select id from care_unit where tenant_id = $1 and id = $2 for update"
OTHER_HEAD = """
select exists (
    select from access_grant g
    join staff s on s.tenant_id = g.tenant_id and s.id = g.staff_id
    where g.tenant_id = $1 and g.unit_id = $2 and g.role = 'enhetschef' and g.staff_id <> $3
        and g.valid_from <= $4 and g.valid_until is null
        and s.revoked_at is null and s.ends_at is null
)
"""
END_KEYS = """
update passkey set ended_at = $3 where tenant_id = $1 and staff_id = $2 and ended_at is null
returning credential_id
"""
END_INVITATIONS = """
update invitation set used_at = $3 where tenant_id = $1 and staff_id = $2 and used_at is null
"""


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody who works or worked here, as those who keep staff see her."""

    id: StaffId
    name: str
    unit_id: CareUnitId
    unit_name: str
    languages: tuple[str, ...]
    language: str
    ends_at: datetime | None
    revoked_at: datetime | None
    has_key: bool
    is_protected: bool

    @property
    def shown_name(self) -> str:
        return "" if self.is_protected else self.name

    def works(self, now: datetime) -> bool:
        return self.revoked_at is None and (self.ends_at is None or self.ends_at > now)


@dataclass(frozen=True, slots=True)
class Given:
    """A role as it was given, whether in force or not."""

    id: UUID
    staff_id: StaffId
    unit_id: CareUnitId
    unit_name: str
    role: Role
    valid_from: datetime
    valid_until: datetime | None
    trained_on: date | None

    def is_over(self, now: datetime) -> bool:
        return self.valid_until is not None and self.valid_until <= now


def _member(row: Row) -> Member:
    return Member(
        StaffId(row["id"]), row["name"], CareUnitId(row["unit_id"]), row["unit_name"],
        tuple(row["languages"]), row["language"], row["ends_at"], row["revoked_at"],
        row["has_key"], row["is_protected"],
    )  # fmt: skip


async def members(
    db: Transaction, units: Sequence[CareUnitId], revoked_since: datetime
) -> Sequence[Member]:
    rows = await db.fetch(MEMBERS, db.tenant, list(units), revoked_since, LIMIT)
    return [_member(row) for row in rows]


async def member(db: Transaction, staff_id: StaffId) -> Member | None:
    row = await db.fetchrow(MEMBER, db.tenant, staff_id)
    return _member(row) if row else None


async def grants(db: Transaction, staff: Sequence[StaffId]) -> Sequence[Given]:
    """Newest first for each person."""
    rows = await db.fetch(GRANTS, db.tenant, list(staff), LIMIT)
    return [
        Given(
            r["id"], StaffId(r["staff_id"]), CareUnitId(r["unit_id"]), r["unit_name"],
            Role(r["role"]), r["valid_from"], r["valid_until"], r["trained_on"],
        )
        for r in rows
    ]  # fmt: skip


async def hold(db: Transaction, staff_id: StaffId) -> None:
    """Until commit nobody else changes her, and no call of hers opens."""
    await db.fetchval(HOLD, db.tenant, staff_id)


async def change(
    db: Transaction, staff_id: StaffId, *, name: str, given_name: str, unit_id: CareUnitId,
    languages: Sequence[str], language: str, ends_at: datetime | None, is_protected: bool,
) -> None:  # fmt: skip
    await db.execute(
        CHANGE, db.tenant, staff_id, name, given_name, unit_id, list(languages), language,
        ends_at, is_protected,
    )  # fmt: skip


async def end_grant(db: Transaction, grant_id: UUID, now: datetime) -> None:
    await db.execute(END_GRANT, db.tenant, grant_id, now)


async def has_other_head(
    db: Transaction, unit_id: CareUnitId, besides: StaffId, now: datetime
) -> bool:
    """Somebody else leads the unit, with no end in sight. Holds the unit until commit, so that two
    heads cannot both go."""
    await db.fetchval(HOLD_UNIT, db.tenant, unit_id)
    found: bool = await db.fetchval(OTHER_HEAD, db.tenant, unit_id, besides, now)
    return found


async def end_keys(db: Transaction, staff_id: StaffId, now: datetime) -> int:
    """How many there were. Open invitations end too."""
    ended = await db.fetch(END_KEYS, db.tenant, staff_id, now)
    await db.execute(END_INVITATIONS, db.tenant, staff_id, now)
    return len(ended)


LAST_SIGN_INS = """
select staff_id, max(created_at) as at from session
where tenant_id = $1 and staff_id = any($2)
group by staff_id
"""
LAST_REVIEWS = """
select u.id, u.name, r.reviewed_at, s.name as reviewed_by
from care_unit u
left join lateral (
    select reviewed_at, reviewed_by from rights_review
    where tenant_id = u.tenant_id and unit_id = u.id
    order by reviewed_at desc limit 1
) r on true
left join staff s on s.tenant_id = u.tenant_id and s.id = r.reviewed_by
where u.tenant_id = $1 and u.id = any($2)
order by u.name
"""
ADD_REVIEW = """
insert into rights_review (tenant_id, id, unit_id, reviewed_by, reviewed_at)
values ($1, $2, $3, $4, $5)
"""


async def last_sign_ins(db: Transaction, staff: Sequence[StaffId]) -> Mapping[StaffId, datetime]:
    rows = await db.fetch(LAST_SIGN_INS, db.tenant, list(staff))
    return {StaffId(r["staff_id"]): r["at"] for r in rows}


@dataclass(frozen=True, slots=True)
class Reviewed:
    """When somebody last went through a unit's rights, and who; None: nobody yet."""

    unit_id: CareUnitId
    unit_name: str
    at: datetime | None
    by: str | None


async def last_reviews(db: Transaction, units: Sequence[CareUnitId]) -> Sequence[Reviewed]:
    rows = await db.fetch(LAST_REVIEWS, db.tenant, list(units))
    return [
        Reviewed(CareUnitId(r["id"]), r["name"], r["reviewed_at"], r["reviewed_by"]) for r in rows
    ]


async def add_review(
    db: Transaction, review_id: UUID, unit_id: CareUnitId, by: StaffId, now: datetime
) -> None:
    await db.execute(ADD_REVIEW, db.tenant, review_id, unit_id, by, now)

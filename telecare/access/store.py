"""SQL of tenants, staff, sessions, shifts and assignments."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Literal
from uuid import UUID

from telecare.access.model import CareUnit, Grant, Role, Staff
from telecare.runtime.db import Row, Transaction
from telecare.wire.ids import (
    AssignmentId,
    CareUnitId,
    EndpointId,
    ProviderId,
    ResidentId,
    ShiftId,
    StaffId,
    TenantId,
    new_row_id,
)

LIMIT = 100


@dataclass(frozen=True, slots=True)
class TenantRow:
    id: TenantId
    slug: str
    name: str
    language: str
    phone: str
    relay_only: bool


@dataclass(frozen=True, slots=True)
class SessionRow:
    tenant: TenantId
    id: UUID
    kind: Literal["staff", "tv"]
    staff_id: StaffId | None
    endpoint_id: EndpointId | None
    resident_id: ResidentId | None
    signed_in_by: Literal["passkey", "demo", "pairing"]
    used_at: datetime
    expires_at: datetime | None
    page_locked_at: datetime | None


TENANT = "select id, slug, name, language, phone, relay_only from tenant where id = $1"
TENANT_BY_SLUG = "select id, slug, name, language, phone, relay_only from tenant where slug = $1"
TENANTS = "select id, slug, name, language, phone, relay_only from tenant order by id limit $1"
ADD_TENANT = """
insert into tenant (slug, name, language, phone, relay_only, created_at)
values ($1, $2, $3, $4, $5, $6)
returning id
"""


def _tenant(row: Row) -> TenantRow:
    return TenantRow(
        TenantId(row["id"]), row["slug"], row["name"], row["language"], row["phone"],
        row["relay_only"],
    )  # fmt: skip


async def tenant(db: Transaction) -> TenantRow:
    """The tenant of this transaction."""
    row = await db.fetchrow(TENANT, db.tenant)
    assert row is not None, "a transaction's tenant exists"  # noqa: S101 - foreign keys say so
    return _tenant(row)


async def tenant_by_slug(db: Transaction, slug: str) -> TenantRow | None:
    row = await db.fetchrow(TENANT_BY_SLUG, slug)
    return _tenant(row) if row else None


async def tenants(db: Transaction) -> Sequence[TenantRow]:
    return [_tenant(row) for row in await db.fetch(TENANTS, LIMIT)]


async def add_tenant(
    db: Transaction, *, slug: str, name: str, language: str, phone: str, relay_only: bool,
    now: datetime,
) -> TenantId:  # fmt: skip
    return TenantId(await db.fetchval(ADD_TENANT, slug, name, language, phone, relay_only, now))


ADD_PROVIDER = "insert into provider (tenant_id, id, name) values ($1, $2, $3)"
ADD_UNIT = """
insert into care_unit (tenant_id, id, provider_id, name, phone, next_unit_id)
values ($1, $2, $3, $4, $5, $6)
"""
SET_NEXT_UNIT = "update care_unit set next_unit_id = $3 where tenant_id = $1 and id = $2"
ADD_COVER = """
insert into unit_cover (tenant_id, unit_id, covers_unit_id, from_time, until_time)
values ($1, $2, $3, $4, $5)
"""
COVERED = """
select covers_unit_id from unit_cover
where tenant_id = $1 and unit_id = $2
    and is_within($3, from_time, until_time)
order by covers_unit_id
limit $4
"""
COVERS_AT_TIMES = """
select covers_unit_id from unit_cover where tenant_id = $1 and unit_id = $2 limit $3
"""
SPEAKER_ON_SHIFT = """
select exists (
    select from shift h
    join staff s on s.tenant_id = h.tenant_id and s.id = h.staff_id
    where h.tenant_id = $1 and h.unit_id = $2 and h.ended_at is null and s.revoked_at is null
        and $3 = any(s.languages)
)
"""
UNIT = "select id, name, phone, next_unit_id from care_unit where tenant_id = $1 and id = $2"
UNITS = """
select id, name, phone, next_unit_id from care_unit where tenant_id = $1 order by name limit $2
"""


def _unit(row: Row) -> CareUnit:
    return CareUnit(CareUnitId(row["id"]), row["name"], row["phone"], row["next_unit_id"])


async def add_provider(db: Transaction, provider: ProviderId, name: str) -> None:
    await db.execute(ADD_PROVIDER, db.tenant, provider, name)


async def add_unit(db: Transaction, unit: CareUnit, provider: ProviderId) -> None:
    await db.execute(
        ADD_UNIT, db.tenant, unit.id, provider, unit.name, unit.phone, unit.next_unit_id
    )


async def set_next_unit(db: Transaction, unit: CareUnitId, next_unit: CareUnitId) -> None:
    await db.execute(SET_NEXT_UNIT, db.tenant, unit, next_unit)


async def add_cover(
    db: Transaction, unit: CareUnitId, covers: CareUnitId, *, hours: tuple[time, time]
) -> None:
    """`hours`: local times, from and until; until before from is past midnight."""
    await db.execute(ADD_COVER, db.tenant, unit, covers, *hours)


async def unit(db: Transaction, unit_id: CareUnitId) -> CareUnit | None:
    row = await db.fetchrow(UNIT, db.tenant, unit_id)
    return _unit(row) if row else None


async def units(db: Transaction) -> Sequence[CareUnit]:
    return [_unit(row) for row in await db.fetch(UNITS, db.tenant, LIMIT)]


async def covers(
    db: Transaction, unit_id: CareUnitId, other: CareUnitId, *, local: datetime
) -> bool:
    """Whether `unit_id` looks after the residents of `other` at this local time."""
    if unit_id == other:
        return True
    return other in await covered_now(db, unit_id, local=local)


async def covered_now(
    db: Transaction, unit_id: CareUnitId, *, local: datetime
) -> Sequence[CareUnitId]:
    """The other units whose residents `unit_id` looks after at this local time."""
    rows = await db.fetch(COVERED, db.tenant, unit_id, local.time(), LIMIT)
    return [CareUnitId(row["covers_unit_id"]) for row in rows]


async def covered_at_times(db: Transaction, unit_id: CareUnitId) -> Sequence[CareUnitId]:
    """The other units that it looks after at some hours of the day."""
    rows = await db.fetch(COVERS_AT_TIMES, db.tenant, unit_id, LIMIT)
    return [CareUnitId(row["covers_unit_id"]) for row in rows]


async def speaker_on_shift(db: Transaction, unit_id: CareUnitId, language: str) -> bool:
    found: bool = await db.fetchval(SPEAKER_ON_SHIFT, db.tenant, unit_id, language)
    return found


ADD_STAFF = """
insert into staff (tenant_id, id, name, given_name, unit_id, languages, language, ends_at,
    is_protected)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
"""
GIVE_ROLE = """
insert into access_grant (tenant_id, id, staff_id, unit_id, role, valid_from, valid_until,
    trained_on)
values ($1, $2, $3, $4, $5, $6, $7, $8)
"""
STAFF = """
select s.id, s.name, s.given_name, s.unit_id, u.name as unit_name, p.name as provider, g.roles,
    g.unit_ids, s.languages, s.language, h.id as shift_id, h.unit_id as shift_unit_id,
    hu.name as shift_unit_name, h.begun_at as shift_begun_at, s.is_protected
from staff s
join care_unit u on u.tenant_id = s.tenant_id and u.id = s.unit_id
join provider p on p.tenant_id = u.tenant_id and p.id = u.provider_id
left join shift h on h.tenant_id = s.tenant_id and h.staff_id = s.id and h.ended_at is null
left join care_unit hu on hu.tenant_id = h.tenant_id and hu.id = h.unit_id
cross join lateral (
    select coalesce(array_agg(a.role order by a.valid_from, a.id), '{}') as roles,
        coalesce(array_agg(a.unit_id order by a.valid_from, a.id), '{}') as unit_ids
    from access_grant a
    where a.tenant_id = s.tenant_id and a.staff_id = s.id and a.valid_from <= $3
        and (a.valid_until is null or a.valid_until > $3)
) g
where s.tenant_id = $1 and s.id = $2 and s.revoked_at is null
    and (s.ends_at is null or s.ends_at > $3)
"""
COLLEAGUES = """
select id, shown_name(s) as name, shown_given_name(s) as given_name, languages from staff s
where tenant_id = $1 and unit_id = $2 and revoked_at is null and (ends_at is null or ends_at > $3)
order by name limit $4
"""
HOLD_STAFF = """
select id from staff
where tenant_id = $1 and id = $2 and revoked_at is null and (ends_at is null or ends_at > $3)
for share
"""
REVOKE = """
update staff set revoked_at = $3 where tenant_id = $1 and id = $2 and revoked_at is null
returning shown_name(staff) as name
"""


def _staff(row: Row) -> Staff:
    return Staff(
        id=StaffId(row["id"]),
        name=row["name"],
        given_name=row["given_name"],
        unit_id=CareUnitId(row["unit_id"]),
        unit_name=row["unit_name"],
        provider=row["provider"],
        grants=tuple(
            Grant(Role(role), CareUnitId(unit))
            for role, unit in zip(row["roles"], row["unit_ids"], strict=True)
        ),
        languages=tuple(row["languages"]),
        language=row["language"],
        shift_id=row["shift_id"],
        shift_unit_id=row["shift_unit_id"],
        shift_unit_name=row["shift_unit_name"],
        shift_begun_at=row["shift_begun_at"],
        is_protected=row["is_protected"],
    )


async def add_staff(  # noqa: PLR0913 - as many as its row
    db: Transaction, staff_id: StaffId, *, name: str, given_name: str, unit: CareUnitId,
    roles: Sequence[Role], languages: Sequence[str], language: str, now: datetime,
    ends_at: datetime | None = None, is_protected: bool = False,
) -> None:  # fmt: skip
    """With these roles in her unit from now on; recorded by their table's trigger."""
    await db.execute(
        ADD_STAFF, db.tenant, staff_id, name, given_name, unit, list(languages), language,
        ends_at, is_protected,
    )  # fmt: skip
    for role in roles:
        await give_role(
            db, new_row_id(now), staff_id, Grant(role, unit), valid_from=now, valid_until=None
        )


async def give_role(
    db: Transaction, grant_id: UUID, staff_id: StaffId, grant: Grant, *, valid_from: datetime,
    valid_until: datetime | None, trained_on: date | None = None,
) -> None:  # fmt: skip
    await db.execute(
        GIVE_ROLE, db.tenant, grant_id, staff_id, grant.unit_id, str(grant.role), valid_from,
        valid_until, trained_on,
    )  # fmt: skip


async def staff(db: Transaction, staff_id: StaffId, now: datetime) -> Staff | None:
    """Somebody who works here now; None when revoked, ended or unknown."""
    row = await db.fetchrow(STAFF, db.tenant, staff_id, now)
    return _staff(row) if row else None


@dataclass(frozen=True, slots=True)
class Colleague:
    id: StaffId
    name: str
    given_name: str
    languages: tuple[str, ...]


async def colleagues(db: Transaction, unit_id: CareUnitId, now: datetime) -> Sequence[Colleague]:
    rows = await db.fetch(COLLEAGUES, db.tenant, unit_id, now, LIMIT)
    return [
        Colleague(StaffId(r["id"]), r["name"], r["given_name"], tuple(r["languages"])) for r in rows
    ]


async def hold_staff(db: Transaction, staff_id: StaffId, now: datetime) -> bool:
    """Lock the row against revocation until commit; False when she no longer works here."""
    return await db.fetchval(HOLD_STAFF, db.tenant, staff_id, now) is not None


async def revoke(db: Transaction, staff_id: StaffId, now: datetime) -> str | None:
    """Her name; None when she was gone already. Waits for calls that are being opened."""
    name: str | None = await db.fetchval(REVOKE, db.tenant, staff_id, now)
    return name


ADD_SESSION = """
insert into session (tenant_id, id, token_hash, kind, staff_id, endpoint_id, resident_id,
    signed_in_by, created_at, used_at, expires_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9, $10)
"""
SESSION_OF = """
select tenant_id, id, kind, staff_id, endpoint_id, resident_id, signed_in_by, used_at, expires_at,
    page_locked_at
from session_of($1)
"""
USED = "update session set used_at = $3 where tenant_id = $1 and id = $2"
LOCK_PAGE = """
update session set page_locked_at = $3 where tenant_id = $1 and id = $2 and page_locked_at is null
"""
UNLOCK_PAGE = """
update session set page_locked_at = null, used_at = $3 where tenant_id = $1 and id = $2
"""
SIGNED_IN_BY = "select signed_in_by from session where tenant_id = $1 and id = $2"
END_SESSION = """
update session set ended_at = $3 where tenant_id = $1 and id = $2 and ended_at is null
"""
END_SCREEN_SESSIONS = """
update session set ended_at = $3 where tenant_id = $1 and endpoint_id = $2 and ended_at is null
"""
REOPEN_SCREEN_SESSIONS = """
update session set ended_at = null where tenant_id = $1 and endpoint_id = $2 and ended_at = $3
"""
SESSION_STANDS = """
select exists (select from session where tenant_id = $1 and id = $2 and ended_at is null)
"""
END_SESSIONS_OF = """
update session set ended_at = $3 where tenant_id = $1 and staff_id = $2 and ended_at is null
returning id
"""


async def add_session(db: Transaction, row: SessionRow, *, token_hash: bytes) -> None:
    await db.execute(
        ADD_SESSION, db.tenant, row.id, token_hash, row.kind, row.staff_id, row.endpoint_id,
        row.resident_id, row.signed_in_by, row.used_at, row.expires_at,
    )  # fmt: skip


async def session_of(db: Transaction, token_hash: bytes) -> SessionRow | None:
    """The session of a token; the database is in its tenant afterwards."""
    row = await db.fetchrow(SESSION_OF, token_hash)
    if row is None:
        return None
    return SessionRow(
        TenantId(row["tenant_id"]), row["id"], row["kind"], row["staff_id"], row["endpoint_id"],
        row["resident_id"], row["signed_in_by"], row["used_at"], row["expires_at"],
        row["page_locked_at"],
    )  # fmt: skip


async def signed_in_by(db: Transaction, session_id: UUID) -> Literal["passkey", "demo"]:
    """How a member of staff's session was begun."""
    how: Literal["passkey", "demo"] = await db.fetchval(SIGNED_IN_BY, db.tenant, session_id)
    return how


async def mark_used(db: Transaction, session_id: UUID, now: datetime) -> None:
    await db.execute(USED, db.tenant, session_id, now)


async def lock_page(db: Transaction, session_id: UUID, now: datetime) -> None:
    await db.execute(LOCK_PAGE, db.tenant, session_id, now)


async def unlock_page(db: Transaction, session_id: UUID, now: datetime) -> None:
    await db.execute(UNLOCK_PAGE, db.tenant, session_id, now)


async def end_session(db: Transaction, session_id: UUID, now: datetime) -> None:
    await db.execute(END_SESSION, db.tenant, session_id, now)


async def end_sessions_of(db: Transaction, staff_id: StaffId, now: datetime) -> Sequence[UUID]:
    return [row["id"] for row in await db.fetch(END_SESSIONS_OF, db.tenant, staff_id, now)]


async def end_screen_sessions(db: Transaction, endpoint_id: EndpointId, now: datetime) -> None:
    await db.execute(END_SCREEN_SESSIONS, db.tenant, endpoint_id, now)


async def reopen_screen_sessions(
    db: Transaction, endpoint_id: EndpointId, ended_at: datetime
) -> None:
    """Those that ended at that very moment."""
    await db.execute(REOPEN_SCREEN_SESSIONS, db.tenant, endpoint_id, ended_at)


async def session_stands(db: Transaction, session_id: UUID) -> bool:
    found: bool = await db.fetchval(SESSION_STANDS, db.tenant, session_id)
    return found


HOLD_SHIFT = """
select id, unit_id from shift where tenant_id = $1 and staff_id = $2 and ended_at is null for share
"""


@dataclass(frozen=True, slots=True)
class HeldShift:
    id: ShiftId
    unit_id: CareUnitId


async def hold_shift(db: Transaction, staff_id: StaffId) -> HeldShift | None:
    """The shift she is in, locked against its end until commit."""
    row = await db.fetchrow(HOLD_SHIFT, db.tenant, staff_id)
    return HeldShift(ShiftId(row["id"]), CareUnitId(row["unit_id"])) if row else None


ASSIGN = """
insert into assignment (tenant_id, id, staff_id, resident_id, source, source_id, valid_from,
    valid_until)
values ($1, $2, $3, $4, $5, $6, $7, $8)
on conflict (tenant_id, source, source_id, staff_id, resident_id) where source_id is not null
do update set valid_from = least(assignment.valid_from, excluded.valid_from),
    valid_until = excluded.valid_until
"""
HOLD_ASSIGNMENT = """
select id, source, source_id, valid_until from assignment
where tenant_id = $1 and staff_id = $2 and resident_id = $3
    and valid_from <= $4 and (valid_until is null or valid_until > $4)
order by source = 'break_glass', valid_until desc nulls first
limit 1
for share
"""
BREAK_GLASS = "break_glass"
"""The source of what is held by nothing else: every other ground goes before it."""
HAS_ASSIGNMENT = """
select exists (
    select from assignment
    where tenant_id = $1 and staff_id = $2 and resident_id = $3
        and valid_from <= $4 and (valid_until is null or valid_until > $4)
)
"""
ONLY_IN_EMERGENCY = """
select coalesce(bool_and(source = 'break_glass'), false) from assignment
where tenant_id = $1 and staff_id = $2 and resident_id = $3
    and valid_from <= $4 and (valid_until is null or valid_until > $4)
"""
END_ASSIGNMENTS = """
update assignment set valid_until = $4
where tenant_id = $1 and source = $2 and source_id = $3
    and (valid_until is null or valid_until > $4)
returning staff_id, resident_id
"""
END_ASSIGNMENTS_OF = """
update assignment set valid_until = $3
where tenant_id = $1 and resident_id = $2 and (valid_until is null or valid_until > $3)
"""
CLOSE_ASSIGNMENTS = """
update assignment set valid_until = $4
where tenant_id = $1 and source = $2 and source_id = $3 and valid_until is null
"""


@dataclass(frozen=True, slots=True)
class HeldAssignment:
    """Locked until commit: nobody can end it beside us."""

    id: AssignmentId
    source: Literal[
        "visit", "call_in", "alarm", "dispatch", "took_over", "follow_up", "break_glass"
    ]
    source_id: UUID | None
    valid_until: datetime | None


async def assign(
    db: Transaction, assignment: AssignmentId, *, staff_id: StaffId, resident_id: ResidentId,
    source: str, source_id: UUID | None, valid_from: datetime, valid_until: datetime | None,
) -> None:  # fmt: skip
    """Once per source; asking again moves its times. Recorded by the table's trigger."""
    await db.execute(
        ASSIGN, db.tenant, assignment, staff_id, resident_id, source, source_id, valid_from,
        valid_until,
    )  # fmt: skip


async def hold_assignment(
    db: Transaction, staff_id: StaffId, resident_id: ResidentId, now: datetime
) -> HeldAssignment | None:
    row = await db.fetchrow(HOLD_ASSIGNMENT, db.tenant, staff_id, resident_id, now)
    if row is None:
        return None
    return HeldAssignment(
        AssignmentId(row["id"]), row["source"], row["source_id"], row["valid_until"]
    )


async def has_assignment(
    db: Transaction, staff_id: StaffId, resident_id: ResidentId, now: datetime
) -> bool:
    found: bool = await db.fetchval(HAS_ASSIGNMENT, db.tenant, staff_id, resident_id, now)
    return found


async def only_in_emergency(
    db: Transaction, staff_id: StaffId, resident_id: ResidentId, now: datetime
) -> bool:
    """All that she may rests on having opened without a mission (break-glass)."""
    found: bool = await db.fetchval(ONLY_IN_EMERGENCY, db.tenant, staff_id, resident_id, now)
    return found


async def end_assignments(
    db: Transaction, source: str, source_id: UUID, now: datetime
) -> Sequence[tuple[StaffId, ResidentId]]:
    """End now what came from `source`; who had it, for whom."""
    rows = await db.fetch(END_ASSIGNMENTS, db.tenant, source, source_id, now)
    return [(StaffId(r["staff_id"]), ResidentId(r["resident_id"])) for r in rows]


async def end_assignments_of(db: Transaction, resident_id: ResidentId, now: datetime) -> None:
    """Nobody is assigned to her any more, nor will be by what was planned."""
    await db.execute(END_ASSIGNMENTS_OF, db.tenant, resident_id, now)


async def close_assignments(
    db: Transaction, source: str, source_id: UUID, valid_until: datetime
) -> None:
    """Give open-ended ones of `source` an end that lies ahead."""
    await db.execute(CLOSE_ASSIGNMENTS, db.tenant, source, source_id, valid_until)


READ_MARK = """
insert into read_mark as m (tenant_id, staff_id, what, about_id, at)
values ($1, $2, $3, $4, $5)
on conflict (tenant_id, staff_id, what, about_id) do update set at = excluded.at where m.at <= $6
returning at
"""


async def is_new_read(
    db: Transaction, staff_id: StaffId, what: str, about_id: UUID, *, now: datetime, since: datetime
) -> bool:
    """Whether this read needs a record of its own: none was made after `since`."""
    found = await db.fetchval(READ_MARK, db.tenant, staff_id, what, about_id, now, since)
    return found is not None


COUNT = """
insert into rate_limit as r (key, window_start, count) values ($1, $2, 1)
on conflict (key, window_start) do update set count = r.count + 1
returning count
"""
FORGET_WINDOWS = "delete from rate_limit where window_start < $1"


async def count_try(db: Transaction, key: str, window_start: datetime) -> int:
    tries: int = await db.fetchval(COUNT, key, window_start)
    return tries


async def forget_windows(db: Transaction, before: datetime) -> None:
    await db.execute(FORGET_WINDOWS, before)


INVITE = """
insert into invitation (tenant_id, token_hash, staff_id, expires_at) values ($1, $2, $3, $4)
"""
INVITATION_OF = "select tenant_id, staff_id, expires_at, used_at from invitation_of($1)"
USE_INVITATION = """
update invitation set used_at = $3 where tenant_id = $1 and token_hash = $2
"""
ADD_PASSKEY = """
insert into passkey (tenant_id, staff_id, credential_id, public_key, sign_count, created_at)
values ($1, $2, $3, $4, $5, $6)
"""
PASSKEY_OF = "select tenant_id, staff_id, public_key, sign_count from passkey_of($1)"
PASSKEY_USED = "update passkey set sign_count = $3 where tenant_id = $1 and credential_id = $2"
KEEP_CHALLENGE = "select keep_challenge($1, $2, $3, $4)"
TAKE_CHALLENGE = "select take_challenge($1, $2)"


async def invite(
    db: Transaction, token_hash: bytes, staff_id: StaffId, expires_at: datetime
) -> None:
    await db.execute(INVITE, db.tenant, token_hash, staff_id, expires_at)


@dataclass(frozen=True, slots=True)
class Invitation:
    tenant: TenantId
    staff_id: StaffId
    expires_at: datetime
    used_at: datetime | None


async def invitation_of(db: Transaction, token_hash: bytes) -> Invitation | None:
    """Locks the invitation; the database is in its tenant afterwards."""
    row = await db.fetchrow(INVITATION_OF, token_hash)
    if row is None:
        return None
    return Invitation(
        TenantId(row["tenant_id"]), StaffId(row["staff_id"]), row["expires_at"], row["used_at"]
    )


async def use_invitation(db: Transaction, token_hash: bytes, now: datetime) -> None:
    await db.execute(USE_INVITATION, db.tenant, token_hash, now)


async def add_passkey(
    db: Transaction, staff_id: StaffId, *, credential_id: bytes, public_key: bytes,
    sign_count: int, now: datetime,
) -> None:  # fmt: skip
    await db.execute(ADD_PASSKEY, db.tenant, staff_id, credential_id, public_key, sign_count, now)


@dataclass(frozen=True, slots=True)
class Passkey:
    tenant: TenantId
    staff_id: StaffId
    public_key: bytes
    sign_count: int


async def passkey_of(db: Transaction, credential_id: bytes) -> Passkey | None:
    row = await db.fetchrow(PASSKEY_OF, credential_id)
    if row is None:
        return None
    return Passkey(
        TenantId(row["tenant_id"]), StaffId(row["staff_id"]), row["public_key"], row["sign_count"]
    )


async def passkey_used(db: Transaction, credential_id: bytes, sign_count: int) -> None:
    await db.execute(PASSKEY_USED, db.tenant, credential_id, sign_count)


async def keep_challenge(
    db: Transaction, token_hash: bytes, challenge: bytes, *, now: datetime, until: datetime
) -> None:
    await db.execute(KEEP_CHALLENGE, token_hash, challenge, now, until)


async def take_challenge(db: Transaction, token_hash: bytes, now: datetime) -> bytes | None:
    """The challenge, once."""
    challenge: bytes | None = await db.fetchval(TAKE_CHALLENGE, token_hash, now)
    return challenge

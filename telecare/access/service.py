"""Signing in and out, taking over, revoking. Passkeys are in access/passkeys.py."""

import hashlib
import math
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID, uuid4

from telecare.access import store
from telecare.access.errors import (
    NotOnShift,
    NotPermitted,
    SignInFailed,
    SignInNeeded,
    StaffGone,
)
from telecare.access.model import (
    IDLE_LIMIT,
    SESSION_LIMIT,
    USED_RESOLUTION,
    AssignmentEnded,
    CareUnit,
    Permission,
    ScreenSession,
    Session,
    Staff,
    StaffRevoked,
    StaffSession,
)
from telecare.audit.actions import Action
from telecare.audit.append import Kept, append
from telecare.audit.format import Document
from telecare.audit.model import Actor, HomeActor, Person, Record, actor_text, refused
from telecare.runtime.clock import STOCKHOLM, Clock
from telecare.runtime.db import Database, Transaction
from telecare.runtime.errors import NotFound
from telecare.runtime.http import RateLimited
from telecare.wire.errors import Code
from telecare.wire.ids import (
    AssignmentId,
    CareUnitId,
    ResidentId,
    ShiftId,
    StaffId,
    TenantId,
    new_row_id,
)

React = Callable[[Transaction, object], Awaitable[None]]
HoldsOpen = Callable[[Transaction, StaffId], Awaitable[bool]]

READ_WINDOW = timedelta(minutes=15)
TAKE_OVER_LIMIT = timedelta(hours=12)
"""Longest a "Ta över" lasts when nobody ends the shift."""


def new_token() -> str:
    return secrets.token_urlsafe(32)


def token_hash(token: str) -> bytes:
    """What the database keeps of a secret."""
    return hashlib.sha256(token.encode()).digest()


def session_topic(session_id: UUID) -> str:
    return f"session:{session_id}"


def unit_topic(unit_id: UUID) -> str:
    """What the day's list of a care unit shows."""
    return f"unit:{unit_id}"


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `count` tries per key in `window` (fixed windows, kept in the database)."""

    name: str
    count: int
    window: timedelta


SIGN_IN_LIMIT = Limit("sign-in", 20, timedelta(minutes=5))
PAIRING_LIMIT = Limit("pairing", 30, timedelta(minutes=10))


async def count_try(database: Database, limit: Limit, key: str, now: datetime) -> None:
    """Count one try in a transaction of its own. Raises RateLimited.

    `key` (an address, a session) is kept as a hash for the window's length only.
    """
    seconds = int(limit.window.total_seconds())
    start = now - timedelta(seconds=now.timestamp() % seconds)
    digest = hashlib.sha256(key.encode()).hexdigest()[:32]
    async with database.across_tenants() as db:
        tries = await store.count_try(db, f"{limit.name}:{digest}", start)
        if tries == 1:
            await store.forget_windows(db, now - timedelta(days=1))
    if tries > limit.count:
        ends = start + limit.window
        raise RateLimited(max(1, math.ceil((ends - now).total_seconds())))


async def begin_session(
    db: Transaction, staff_id: StaffId, signed_in_by: Literal["passkey", "demo"], now: datetime
) -> str:
    """A new session of somebody who works here; returns its token, kept nowhere. Recorded."""
    person = await store.staff(db, staff_id, now)
    if person is None:
        raise SignInFailed
    token = new_token()
    row = store.SessionRow(
        tenant=db.tenant,
        id=uuid4(),
        kind="staff",
        staff_id=staff_id,
        endpoint_id=None,
        resident_id=None,
        signed_in_by=signed_in_by,
        used_at=now,
        expires_at=now + SESSION_LIMIT,
        page_locked_at=None,
    )
    await store.add_session(db, row, token_hash=token_hash(token))
    session = _staff_session(row, person, is_locked=False)
    await append(db, Record(Action.SIGNED_IN, session.actor))
    return token


def require(db: Transaction, session: StaffSession, permission: Permission, tried: Action) -> None:
    """Raises NotPermitted unless one of her roles allows it.

    Takes the transaction because a refusal is recorded by the one it ends, and by nothing else.
    """
    del db
    if not session.staff.may(permission):
        record = refused(Code.NOT_PERMITTED, tried, session.actor, (), {"needs": str(permission)})
        raise NotPermitted(Kept(record))


def require_in(
    db: Transaction,
    session: StaffSession,
    permission: Permission,
    unit_id: CareUnitId,
    tried: Action,
) -> None:
    """Raises NotPermitted unless one of her roles allows it in this unit."""
    del db
    if not session.staff.may_in(permission, unit_id):
        what: Document = {"needs": str(permission), "unit_id": str(unit_id)}
        raise NotPermitted(Kept(refused(Code.NOT_PERMITTED, tried, session.actor, (), what)))


async def is_new_read(
    db: Transaction, session: StaffSession, what: str, about_id: UUID, now: datetime
) -> bool:
    """One record per staff, resident, purpose and 15 minutes (architecture §6)."""
    return await store.is_new_read(
        db, session.staff.id, what, about_id, now=now, since=now - READ_WINDOW
    )


async def is_new_list(
    db: Transaction, session: StaffSession, unit_id: CareUnitId, now: datetime
) -> bool:
    """One record per staff, list and shift; without a shift, per 16 hours."""
    begun = session.staff.shift_begun_at or now - SESSION_LIMIT
    return await store.is_new_read(
        db, session.staff.id, "list", unit_id, now=now, since=begun - timedelta(microseconds=1)
    )


async def units_seen(db: Transaction, session: StaffSession, now: datetime) -> Sequence[CareUnitId]:
    """Hers first, then those it covers now."""
    own = session.staff.works_in
    return [own, *await store.covered_now(db, own, local=now.astimezone(STOCKHOLM))]


async def list_read(
    db: Transaction,
    session: StaffSession,
    list_: str,
    units: Sequence[CareUnitId],
    named: Mapping[ResidentId, str],
    now: datetime,
) -> None:
    """A list of these units was shown, with these residents' names on it ('': protected).

    Recorded once in 15 min; a list with nobody on it is no reading.
    """
    if not named or not await is_new_read(db, session, list_, units[0], now):
        return
    persons = [Person(id_, name, is_protected=not name) for id_, name in sorted(named.items())]
    what: Document = {"list": list_, "units": [str(unit) for unit in units]}
    await append(db, Record(Action.LIST_READ, session.actor, persons, what))


class Access:
    """`react` carries what follows elsewhere; `holds_open` says whether a call keeps her in."""

    def __init__(
        self, database: Database, clock: Clock, react: React, holds_open: HoldsOpen
    ) -> None:
        self._database = database
        self._clock = clock
        self._react = react
        self._holds_open = holds_open

    async def session(self, token: str) -> Session:
        """Who holds this token and now asks for something. Raises SignInNeeded."""
        now = self._clock.now()
        async with self._database.across_tenants() as db:
            row = await self._row(db, token)
            if row.kind == "tv":
                return _screen_session(row)
            session = await self._staff_session(db, row, now)
            if not session.is_locked and now - row.used_at >= USED_RESOLUTION:
                await store.mark_used(db, row.id, now)
            return session

    async def still(self, token: str) -> StaffSession:
        """Whose page this is; a look that is no use of it. Raises SignInNeeded."""
        async with self._database.across_tenants() as db:
            row = await self._row(db, token)
            return await self._staff_session(db, row, self._clock.now())

    async def _row(self, db: Transaction, token: str) -> store.SessionRow:
        row = await store.session_of(db, token_hash(token))
        if row is None:
            raise SignInNeeded
        db.tenant = row.tenant
        return row

    async def _staff_session(
        self, db: Transaction, row: store.SessionRow, now: datetime
    ) -> StaffSession:
        """Locks the page after 30 idle minutes. Raises SignInNeeded after 16 h."""
        if row.staff_id is None:
            raise SignInNeeded
        assert row.expires_at is not None  # noqa: S101
        person = await store.staff(db, row.staff_id, now)
        if person is None:
            raise SignInNeeded
        is_locked = row.page_locked_at is not None
        is_over = now >= row.expires_at
        is_idle = not is_locked and now - row.used_at >= IDLE_LIMIT
        if (is_over or is_idle) and not await self._holds_open(db, row.staff_id):
            if is_over:
                raise SignInNeeded
            await self._lock(db, row.id, now)
            is_locked = True
        return _staff_session(row, person, is_locked=is_locked)

    async def lock(self, session: StaffSession) -> None:
        """Nobody is at the page, it says. Not while a call is held or waits for its outcome."""
        async with self._begun(session) as db:
            if not await self._holds_open(db, session.staff.id):
                await self._lock(db, session.id, self._clock.now())

    async def _lock(self, db: Transaction, session_id: UUID, now: datetime) -> None:
        await store.lock_page(db, session_id, now)
        db.changed(session_topic(session_id))

    async def permit(self, session: StaffSession, permission: Permission, *, tried: str) -> None:
        """Raises NotPermitted (recorded) unless one of her roles allows it."""
        if not session.staff.may(permission):
            async with self._begun(session):
                record = refused(
                    Code.NOT_PERMITTED, tried, session.actor, (), {"needs": str(permission)}
                )
                raise NotPermitted(Kept(record))

    async def sign_out(self, session: StaffSession) -> None:
        now = self._clock.now()
        async with self._begun(session) as db:
            await store.end_session(db, session.id, now)
            db.changed(session_topic(session.id))
            await append(db, Record(Action.SIGNED_OUT, session.actor))

    async def unlock(self, session: StaffSession) -> None:
        """After the person has signed in anew in the locked page."""
        now = self._clock.now()
        async with self._begun(session) as db:
            await store.unlock_page(db, session.id, now)
            db.changed(session_topic(session.id))

    async def units(self, session: StaffSession) -> Sequence[CareUnit]:
        async with self._begun(session) as db:
            return await store.units(db)

    async def colleagues(self, session: StaffSession) -> Sequence[store.Colleague]:
        async with self._begun(session) as db:
            return await store.colleagues(db, session.staff.works_in, self._clock.now())

    async def tenant(self, tenant: TenantId) -> store.TenantRow:
        async with self._database.transaction(tenant) as db:
            return await store.tenant(db)

    def _begun(self, session: StaffSession) -> AbstractAsyncContextManager[Transaction]:
        return self._database.transaction(session.tenant, actor_text(session.actor))


async def revoke(
    db: Transaction, staff_id: StaffId, actor: Actor, now: datetime, react: React
) -> None:
    """Joins the caller's transaction. Raises NotFound when she is no longer (or never was) here."""
    name = await store.revoke(db, staff_id, now)
    if name is None:
        raise NotFound
    for ended in await store.end_sessions_of(db, staff_id, now):
        db.changed(session_topic(ended))
    await react(db, StaffRevoked(staff_id, now))
    what = {"name": name, "staff_id": str(staff_id)}
    await append(db, Record(Action.STAFF_REVOKED, actor, what=what))


async def end_assignments(
    db: Transaction, source: str, source_id: UUID, now: datetime, react: React
) -> None:
    """End what came from `source`; whoever is left without any ground loses what rests on it."""
    for staff_id, resident_id in await store.end_assignments(db, source, source_id, now):
        if not await store.has_assignment(db, staff_id, resident_id, now):
            await react(db, AssignmentEnded(staff_id, resident_id, now))


async def stays(db: Transaction, session: StaffSession, tried: Action, now: datetime) -> None:
    """She works here until the commit: what she takes now is not left alone by a revocation beside
    it. Raises StaffGone (recorded).
    """
    if not await store.hold_staff(db, session.staff.id, now):
        raise StaffGone(Kept(refused(Code.STAFF_REVOKED, tried, session.actor, (), {})))


async def on_shift_for(
    db: Transaction,
    session: StaffSession,
    unit_id: CareUnitId,
    tried: Action,
    persons: Sequence[Person],
    *,
    now: datetime,
) -> ShiftId:
    """Her shift, in `unit_id` or in a unit that covers it now; it does not end before the commit.

    Raises NotOnShift (recorded).
    """
    shift = await store.hold_shift(db, session.staff.id)
    local = now.astimezone(STOCKHOLM)
    if shift is None or not await store.covers(db, shift.unit_id, unit_id, local=local):
        raise NotOnShift(Kept(refused(Code.NOT_ON_SHIFT, tried, session.actor, persons, {})))
    return shift.id


async def take_over(
    db: Transaction, session: StaffSession, person: Person, unit_id: CareUnitId, now: datetime
) -> None:
    """Assign herself to a resident of `unit_id`: on shift there, or in a unit covering it now."""
    shift = await on_shift_for(db, session, unit_id, Action.ASSIGNMENT_BEGUN, [person], now=now)
    await store.assign(
        db,
        AssignmentId(new_row_id(now)),
        staff_id=session.staff.id,
        resident_id=person.id,
        source="took_over",
        source_id=shift,
        valid_from=now,
        valid_until=now + TAKE_OVER_LIMIT,
    )


async def session_now(
    db: Transaction, staff_id: StaffId, session_id: UUID, now: datetime
) -> StaffSession | None:
    """Who began something in `session_id`, with what she may now; None once she is no longer staff.

    For what goes on without her: a timer, or somebody else's answer.
    """
    person = await store.staff(db, staff_id, now)
    if person is None:
        return None
    return StaffSession(
        tenant=db.tenant,
        id=session_id,
        staff=person,
        signed_in_by=await store.signed_in_by(db, session_id),
        is_locked=False,
        expires_at=now,
    )


def _staff_session(row: store.SessionRow, person: Staff, *, is_locked: bool) -> StaffSession:
    assert row.signed_in_by != "pairing"  # noqa: S101 - staff do not pair
    assert row.expires_at is not None  # noqa: S101 - staff sessions end
    return StaffSession(
        tenant=row.tenant,
        id=row.id,
        staff=person,
        signed_in_by=row.signed_in_by,
        is_locked=is_locked,
        expires_at=row.expires_at,
    )


def _screen_session(row: store.SessionRow) -> ScreenSession:
    assert row.endpoint_id is not None  # noqa: S101 - a check constraint says so
    assert row.resident_id is not None  # noqa: S101
    return ScreenSession(
        tenant=row.tenant,
        id=row.id,
        actor=HomeActor(row.endpoint_id, "tv", row.resident_id),
    )

"""Keeping staff: adding, roles with their end, lost keys, who has which rights."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from telecare.access import staffing_store, store
from telecare.access.errors import LastHead, NotPermitted, TrainingMissing
from telecare.access.model import CareUnit, Grant, Permission, Role, StaffRevoked, StaffSession
from telecare.access.passkeys import invite
from telecare.access.service import React, revoke, session_topic
from telecare.access.staffing_store import Given, Member, Reviewed
from telecare.audit.actions import Action
from telecare.audit.append import Kept, append
from telecare.audit.format import Document, Value
from telecare.audit.model import Actor, Record, StaffActor, SystemActor, actor_text, refused
from telecare.runtime.clock import Clock
from telecare.runtime.db import Database, Transaction
from telecare.runtime.errors import FieldInvalid, NotFound
from telecare.runtime.timers import Due, cancel_timers, set_timer
from telecare.wire.errors import Code
from telecare.wire.ids import CareUnitId, ProviderId, StaffId, new_row_id
from telecare.wire.signalling import Language

STAFF_ENDS = "staff.ends"
REVOKED_SHOWN = timedelta(days=90)
SYSTEM = SystemActor("staff timer")


@dataclass(frozen=True, slots=True)
class Details:
    """What is kept of a member of staff. `ends_at`: her last moment here."""

    name: str
    unit_id: CareUnitId
    languages: tuple[Language, ...]
    language: Language
    ends_at: datetime | None
    is_protected: bool = False

    @property
    def shown_name(self) -> str:
        return "" if self.is_protected else self.name

    @property
    def given_name(self) -> str:
        return self.name.split()[0]


@dataclass(frozen=True, slots=True)
class NewRole:
    """`until` and `trained_on` are needed for nattillsyn."""

    role: Role
    unit_id: CareUnitId
    until: datetime | None = None
    trained_on: date | None = None


@dataclass(frozen=True, slots=True)
class Colleague:
    """A member and every role she was ever given, newest first."""

    member: Member
    given: Sequence[Given]


@dataclass(frozen=True, slots=True)
class Rights:
    """Who may do what now, in the units whose staff she keeps."""

    colleagues: Sequence[Colleague]
    signed_in: Mapping[StaffId, datetime]
    """When each last signed in."""
    reviewed: Sequence[Reviewed]


class Staffing:
    """Use cases of those who keep staff. A link's token is returned once and kept nowhere."""

    def __init__(self, database: Database, clock: Clock, react: React) -> None:
        self._database = database
        self._clock = clock
        self._react = react

    async def listed(self, session: StaffSession) -> Sequence[Colleague]:
        """Of the units whose staff she keeps; revoked ones for 90 days."""
        since = self._clock.now() - REVOKED_SHOWN
        async with self._begun(session) as db:
            units = await self._units(db, session)
            members = await staffing_store.members(db, units, since)
            given = await staffing_store.grants(db, [m.id for m in members])
        return [Colleague(m, [g for g in given if g.staff_id == m.id]) for m in members]

    async def colleague(self, session: StaffSession, staff_id: StaffId) -> Colleague:
        """Raises NotFound, NotPermitted."""
        async with self._begun(session) as db:
            return await self._kept(db, session, staff_id, Action.STAFF_CHANGED)

    async def add(self, session: StaffSession, details: Details, roles: Sequence[NewRole]) -> str:
        """Somebody new; the token of her one-time link.

        Raises NotPermitted, FieldInvalid, TrainingMissing.
        """
        now = self._clock.now()
        async with self._begun(session) as db:
            await self._check(db, details, now)
            self._may_keep_in(session, details.unit_id, Action.STAFF_ADDED)
            staff_id = await self._add(db, details, session.actor, now)
            for role in roles:
                await self._give(db, session, staff_id, role, now)
            return await invite(db, staff_id, session.actor, self._clock)

    async def add_one(
        self, db: Transaction, details: Details, role: NewRole, actor: StaffActor, now: datetime
    ) -> None:
        """In the caller's transaction, who has asked whether this may be. Not invited yet."""
        staff_id = await self._add(db, details, actor, now)
        await store.give_role(
            db,
            new_row_id(now),
            staff_id,
            Grant(role.role, role.unit_id),
            valid_from=now,
            valid_until=role.until,
        )

    async def _add(
        self, db: Transaction, details: Details, actor: StaffActor, now: datetime
    ) -> StaffId:
        staff_id = StaffId(new_row_id(now))
        await store.add_staff(
            db,
            staff_id,
            name=details.name,
            given_name=details.given_name,
            unit=details.unit_id,
            roles=(),
            languages=details.languages,
            language=details.language,
            now=now,
            ends_at=details.ends_at,
            is_protected=details.is_protected,
        )
        if details.ends_at is not None:
            await set_timer(db, STAFF_ENDS, staff_id, details.ends_at)
        what: Document = {
            "name": details.shown_name,
            "staff_id": str(staff_id),
            "unit_id": str(details.unit_id),
        }
        await append(db, Record(Action.STAFF_ADDED, actor, what=what))
        return staff_id

    async def change(self, session: StaffSession, staff_id: StaffId, details: Details) -> None:
        """Her end works at the minute. Raises NotFound, NotPermitted, FieldInvalid, LastHead."""
        now = self._clock.now()
        async with self._begun(session) as db:
            await staffing_store.hold(db, staff_id)
            before = await self._kept(db, session, staff_id, Action.STAFF_CHANGED)
            await self._check(db, details, now)
            if details.unit_id != before.member.unit_id:
                self._may_keep_in(session, details.unit_id, Action.STAFF_CHANGED)
            if details.ends_at is not None:
                await self._spare_last_head(db, session, before.given, Action.STAFF_CHANGED, now)
            await staffing_store.change(
                db,
                staff_id,
                name=details.name,
                given_name=details.given_name,
                unit_id=details.unit_id,
                languages=details.languages,
                language=details.language,
                ends_at=details.ends_at,
                is_protected=details.is_protected,
            )
            await cancel_timers(db, [STAFF_ENDS], staff_id)
            if details.ends_at is not None:
                await set_timer(db, STAFF_ENDS, staff_id, details.ends_at)
            what: Document = {
                "ends_at": details.ends_at.isoformat() if details.ends_at else None,
                "name": details.shown_name,
                "staff_id": str(staff_id),
                "unit_id": str(details.unit_id),
            }
            await append(db, Record(Action.STAFF_CHANGED, session.actor, what=what))

    async def give(self, session: StaffSession, staff_id: StaffId, role: NewRole) -> None:
        """Recorded by the table's trigger. Raises NotFound, NotPermitted, FieldInvalid, …"""
        now = self._clock.now()
        async with self._begun(session) as db:
            await staffing_store.hold(db, staff_id)
            await self._known(db, staff_id)
            await self._give(db, session, staff_id, role, now)

    async def end_role(self, session: StaffSession, staff_id: StaffId, grant_id: UUID) -> None:
        """Works at once. Raises NotFound, NotPermitted, LastHead."""
        now = self._clock.now()
        async with self._begun(session) as db:
            await staffing_store.hold(db, staff_id)
            kept = await self._known(db, staff_id)
            given = next((g for g in kept.given if g.id == grant_id and not g.is_over(now)), None)
            if given is None:
                raise NotFound
            self._may_give(session, given.role, given.unit_id, Action.ROLE_CHANGED)
            await self._spare_last_head(db, session, [given], Action.ROLE_CHANGED, now)
            await staffing_store.end_grant(db, grant_id, max(now, given.valid_from))

    async def invite(self, session: StaffSession, staff_id: StaffId) -> str:
        """A new one-time link; the key she lost, her open links and her sessions end.

        Raises NotFound, NotPermitted.
        """
        now = self._clock.now()
        async with self._begun(session) as db:
            await staffing_store.hold(db, staff_id)
            await self._kept(db, session, staff_id, Action.INVITATION_MADE)
            ended = await staffing_store.end_keys(db, staff_id, now)
            for lost in await store.end_sessions_of(db, staff_id, now):
                db.changed(session_topic(lost))
            if ended:
                what: Document = {"keys": ended, "staff_id": str(staff_id)}
                await append(db, Record(Action.KEY_LOST, session.actor, what=what))
            return await invite(db, staff_id, session.actor, self._clock)

    async def revoke(self, session: StaffSession, staff_id: StaffId) -> None:
        """She is out at the commit: no session, no call, no assignment goes on.

        Raises NotFound, NotPermitted, LastHead.
        """
        now = self._clock.now()
        async with self._begun(session) as db:
            await staffing_store.hold(db, staff_id)
            kept = await self._kept(db, session, staff_id, Action.STAFF_REVOKED)
            await self._spare_last_head(db, session, kept.given, Action.STAFF_REVOKED, now)
            await revoke(db, staff_id, session.actor, now, self._react)

    async def ends(self, db: Transaction, due: Due, now: datetime) -> None:
        """Her last moment has come (a timer): out, like one who is revoked."""
        staff_id = StaffId(due.subject)
        await staffing_store.hold(db, staff_id)
        member = await staffing_store.member(db, staff_id)
        if member is None or member.works(now) or member.revoked_at is not None:
            return
        for ended in await store.end_sessions_of(db, staff_id, now):
            db.changed(session_topic(ended))
        await self._react(db, StaffRevoked(staff_id, now))
        what: Document = {"name": member.shown_name, "staff_id": str(staff_id)}
        await append(db, Record(Action.STAFF_ENDED, SYSTEM, what=what))

    async def rights(self, session: StaffSession) -> Rights:
        async with self._begun(session) as db:
            units = await self._units(db, session)
            members = await staffing_store.members(db, units, self._clock.now())
            ids = [member.id for member in members]
            given = await staffing_store.grants(db, ids)
            return Rights(
                [Colleague(m, [g for g in given if g.staff_id == m.id]) for m in members],
                await staffing_store.last_sign_ins(db, ids),
                await staffing_store.last_reviews(db, units),
            )

    async def review(self, session: StaffSession, unit_id: CareUnitId) -> None:
        """She has gone through the unit's rights; the record holds them as they were.

        Raises NotPermitted.
        """
        now = self._clock.now()
        async with self._begun(session) as db:
            self._may_keep_in(session, unit_id, Action.RIGHTS_REVIEWED)
            members = await staffing_store.members(db, [unit_id], now)
            given = await staffing_store.grants(db, [member.id for member in members])
            await staffing_store.add_review(db, new_row_id(now), unit_id, session.staff.id, now)
            rights: list[Value] = [
                {"role": str(g.role), "staff_id": str(g.staff_id), "unit_id": str(g.unit_id)}
                for g in given
                if not g.is_over(now)
            ]
            what: Document = {"rights": rights, "unit_id": str(unit_id)}
            await append(db, Record(Action.RIGHTS_REVIEWED, session.actor, what=what))

    # --- parts --------------------------------------------------------------------------------

    def _begun(self, session: StaffSession) -> AbstractAsyncContextManager[Transaction]:
        return self._database.transaction(session.tenant, actor_text(session.actor))

    async def _units(self, db: Transaction, session: StaffSession) -> Sequence[CareUnitId]:
        if Role.SYSTEMFORVALTARE in session.staff.roles:
            return [unit.id for unit in await store.units(db)]
        return session.staff.units_of(Permission.INVITE)

    async def _check(self, db: Transaction, details: Details, now: datetime) -> None:
        if not details.name.strip():
            raise FieldInvalid("name")
        if await store.unit(db, details.unit_id) is None:
            raise FieldInvalid("unit_id")
        if details.ends_at is not None and details.ends_at <= now:
            raise FieldInvalid("ends_at")

    async def _known(self, db: Transaction, staff_id: StaffId) -> Colleague:
        member = await staffing_store.member(db, staff_id)
        if member is None:
            raise NotFound
        return Colleague(member, await staffing_store.grants(db, [staff_id]))

    async def _kept(
        self, db: Transaction, session: StaffSession, staff_id: StaffId, tried: Action
    ) -> Colleague:
        """Somebody she keeps: of her unit, and with no role that she could not give. Whoever hands
        out a link to somebody's account could otherwise become her.
        """
        found = await self._known(db, staff_id)
        now = self._clock.now()
        self._may_keep_in(session, found.member.unit_id, tried)
        for given in found.given:
            if not given.is_over(now):
                self._may_give(session, given.role, given.unit_id, tried)
        return found

    async def _give(
        self,
        db: Transaction,
        session: StaffSession,
        staff_id: StaffId,
        role: NewRole,
        now: datetime,
    ) -> None:
        if await store.unit(db, role.unit_id) is None:
            raise FieldInvalid("unit_id")
        self._may_give(session, role.role, role.unit_id, Action.ROLE_GIVEN)
        if role.until is not None and role.until <= now:
            raise FieldInvalid("until")
        if role.role is Role.NATTILLSYN:
            missing = [n for n in ("trained_on", "until") if getattr(role, n) is None]
            if missing:
                raise TrainingMissing(*missing)
            if role.trained_on is not None and role.trained_on > now.date():
                raise FieldInvalid("trained_on")
        await store.give_role(
            db,
            new_row_id(now),
            staff_id,
            Grant(role.role, role.unit_id),
            valid_from=now,
            valid_until=role.until,
            trained_on=role.trained_on,
        )

    def _may_keep_in(self, session: StaffSession, unit_id: CareUnitId, tried: Action) -> None:
        staff = session.staff
        if Role.SYSTEMFORVALTARE in staff.roles or staff.may_in(Permission.INVITE, unit_id):
            return
        what: Document = {"needs": str(Permission.INVITE), "unit_id": str(unit_id)}
        raise NotPermitted(Kept(refused(Code.NOT_PERMITTED, tried, session.actor, (), what)))

    def _may_give(
        self, session: StaffSession, role: Role, unit_id: CareUnitId, tried: Action
    ) -> None:
        if session.staff.may_give(role, unit_id):
            return
        what: Document = {"role": str(role), "unit_id": str(unit_id)}
        raise NotPermitted(Kept(refused(Code.NOT_PERMITTED, tried, session.actor, (), what)))

    async def _spare_last_head(
        self,
        db: Transaction,
        session: StaffSession,
        given: Sequence[Given],
        tried: Action,
        now: datetime,
    ) -> None:
        """A unit always has somebody who leads it. Raises LastHead."""
        for one in given:
            if one.role is not Role.ENHETSCHEF or one.is_over(now):
                continue
            if not await staffing_store.has_other_head(db, one.unit_id, one.staff_id, now):
                what: Document = {"staff_id": str(one.staff_id), "unit_id": str(one.unit_id)}
                raise LastHead(Kept(refused(Code.LAST_HEAD, tried, session.actor, (), what)))


async def first_head(
    db: Transaction,
    *,
    name: str,
    provider: str,
    unit: str,
    phone: str,
    actor: Actor,
    now: datetime,
) -> StaffId:
    """Somebody who can do everything else on the pages: head of the first unit of a municipality
    that has none.
    """
    provider_id, unit_id = ProviderId(new_row_id(now)), CareUnitId(new_row_id(now))
    head = StaffId(new_row_id(now))
    await store.add_provider(db, provider_id, provider)
    await store.add_unit(db, CareUnit(unit_id, unit, phone, None), provider_id)
    details = Details(name, unit_id, ("sv",), "sv", None)
    await store.add_staff(
        db, head, name=name, given_name=details.given_name, unit=unit_id,
        roles=(Role.ENHETSCHEF, Role.SYSTEMFORVALTARE), languages=("sv",), language="sv", now=now,
    )  # fmt: skip
    what: Document = {"name": name, "staff_id": str(head), "unit_id": str(unit_id)}
    await append(db, Record(Action.STAFF_ADDED, actor, what=what))
    return head

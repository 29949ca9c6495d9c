"""Öppna ändå (break-glass): what remains in an emergency when no assignment applies.

It replaces a mission, never a consent: pictures and sound need a yes that holds in emergencies too
(`consent.gate`). The unit's head is told at once; that somebody else reviews it within 72 h follows
from `OpenedAnyway` (integrity/reviews.py).
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from telecare.access import store as access_store
from telecare.access.model import StaffSession
from telecare.access.service import end_assignments, is_new_read, stays
from telecare.audit.actions import Action
from telecare.audit.append import Kept, append
from telecare.audit.format import Document
from telecare.audit.model import Record, actor_text, refused
from telecare.people import break_glass_store as store
from telecare.people import relations_store
from telecare.people.break_glass_store import BreakGlassKind, Opening
from telecare.people.model import Resident
from telecare.people.own_relation import relation_of
from telecare.people.service import known, make_follow_up, still_with_us
from telecare.runtime.clock import STOCKHOLM, Clock
from telecare.runtime.db import Database, Transaction
from telecare.runtime.errors import NotFound, Refusal
from telecare.wire.errors import Code
from telecare.wire.ids import AssignmentId, ResidentId, new_row_id

LONGEST = timedelta(minutes=30)
React = Callable[[Transaction, object], Awaitable[None]]


class AlreadyAssigned(Refusal):
    """She has a mission there: nothing needs to be opened."""

    status = 409
    code = Code.ALREADY_ASSIGNED


class TakeOverInstead(Refusal):
    """She is on shift for the person's unit: "Ta över" is the ordinary way."""

    status = 409
    code = Code.TAKE_OVER_INSTEAD


@dataclass(frozen=True, slots=True)
class OpenedAnyway:
    """Somebody has opened without a mission; `entry_id`: the record that says so (reactions.py)."""

    opening: Opening
    entry_id: int


@dataclass(frozen=True, slots=True)
class Closed:
    """What whoever may not open a card sees of it. `name` is empty of somebody protected."""

    name: str
    unit_name: str


class BreakGlass:
    """`react` carries what follows elsewhere: a review by somebody else, calls that must end."""

    def __init__(self, database: Database, clock: Clock, react: React) -> None:
        self._database = database
        self._clock = clock
        self._react = react

    async def open(
        self,
        session: StaffSession,
        resident_id: ResidentId,
        kind: BreakGlassKind,
        reason: str,
        lasts: timedelta = LONGEST,
    ) -> Opening:
        """At most LONGEST from now. `reason`: 10 to 1,000 characters.

        Raises NotFound, and as recorded refusals StaffGone, ResidentGone, AlreadyAssigned,
        TakeOverInstead.
        """
        now = self._clock.now()
        async with self._database.transaction(session.tenant, actor_text(session.actor)) as db:
            tried = Action.BREAK_GLASS_OPENED
            await stays(db, session, tried, now)
            resident = await known(db, resident_id)
            await still_with_us(db, session.actor, resident, tried, now)
            await _nothing_else_applies(db, session, resident, now)
            opening = Opening(
                id=new_row_id(now),
                staff_id=session.staff.id,
                resident_id=resident.id,
                unit_id=resident.unit_id,
                kind=kind,
                reason=reason,
                opened_at=now,
                until_at=now + min(lasts, LONGEST),
            )
            if not await store.add(db, opening):
                raise AlreadyAssigned(_kept(Code.ALREADY_ASSIGNED, session, resident))
            await access_store.assign(
                db,
                AssignmentId(new_row_id(now)),
                staff_id=session.staff.id,
                resident_id=resident.id,
                source=access_store.BREAK_GLASS,
                source_id=opening.id,
                valid_from=now,
                valid_until=opening.until_at,
            )
            relation = await relation_of(db, session.staff.id, resident)
            if relation:
                await relations_store.give_reason(db, session.staff.id, resident.id, reason, now)
            await make_follow_up(
                db,
                "break_glass",
                resident,
                unit_id=resident.unit_id,
                about_id=opening.id,
                actor=session.actor,
                now=now,
            )
            what: Document = {
                "break_glass_id": str(opening.id),
                "kind": kind,
                "reason": reason,
                "until": opening.until_at.isoformat(),
                **relation,
            }
            entry = await append(db, Record(tried, session.actor, [resident.person], what))
            await self._react(db, OpenedAnyway(opening, entry))
        return opening

    async def of(self, session: StaffSession, resident_id: ResidentId) -> Closed:
        """Whose closed card this is, as a search says it. Raises NotFound."""
        now = self._clock.now()
        async with self._database.transaction(session.tenant) as db:
            resident = await known(db, resident_id)
            unit = await access_store.unit(db, resident.unit_id)
            assert unit is not None  # noqa: S101 - a foreign key
            if await is_new_read(db, session, "closed_card", resident.id, now):
                what: Document = {"list": "closed_card"}
                await append(db, Record(Action.LIST_READ, session.actor, [resident.person], what))
        return Closed(resident.person.shown_name, unit.name)

    async def close(self, session: StaffSession, resident_id: ResidentId) -> None:
        """She needs it no longer. Raises NotFound when nothing of hers is open."""
        now = self._clock.now()
        async with self._database.transaction(session.tenant, actor_text(session.actor)) as db:
            resident = await known(db, resident_id)
            opening = await store.standing(db, session.staff.id, resident.id, now)
            if opening is None or not await store.close(db, opening.id, now):
                raise NotFound
            await end_assignments(db, access_store.BREAK_GLASS, opening.id, now, self._react)
            what: Document = {
                "break_glass_id": str(opening.id),
                "seconds": int((now - opening.opened_at).total_seconds()),
            }
            record = Record(Action.BREAK_GLASS_CLOSED, session.actor, [resident.person], what)
            await append(db, record)


async def _nothing_else_applies(
    db: Transaction, session: StaffSession, resident: Resident, now: datetime
) -> None:
    """Raises AlreadyAssigned, TakeOverInstead."""
    if await access_store.has_assignment(db, session.staff.id, resident.id, now):
        raise AlreadyAssigned(_kept(Code.ALREADY_ASSIGNED, session, resident))
    shift = await access_store.hold_shift(db, session.staff.id)
    local = now.astimezone(STOCKHOLM)
    if shift and await access_store.covers(db, shift.unit_id, resident.unit_id, local=local):
        raise TakeOverInstead(_kept(Code.TAKE_OVER_INSTEAD, session, resident))


def _kept(code: Code, session: StaffSession, resident: Resident) -> Kept:
    return Kept(refused(code, Action.BREAK_GLASS_OPENED, session.actor, [resident.person], {}))

"""Registering people, finding them, and follow-ups."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from telecare.access import store as access_store
from telecare.access.errors import NotAssigned
from telecare.access.model import Permission, StaffSession
from telecare.access.service import (
    list_read,
    on_shift_for,
    require_in,
    stays,
    take_over,
    unit_topic,
)
from telecare.audit.actions import Action
from telecare.audit.append import Kept, append
from telecare.audit.format import Document
from telecare.audit.model import Actor, Person, Record, actor_text, refused
from telecare.people import store
from telecare.people.model import FOR_HEAD, Cohabitant, FollowUp, FollowUpKind, Resident
from telecare.people.own_relation import reason_for
from telecare.runtime.clock import STOCKHOLM, Clock
from telecare.runtime.db import Database, Transaction
from telecare.runtime.errors import NotFound, Refusal, TelecareError
from telecare.wire.errors import Code
from telecare.wire.ids import (
    AssignmentId,
    CareUnitId,
    EndingId,
    FollowUpId,
    ResidentId,
    StaffId,
    new_row_id,
)

AFTER_FOLLOW_UP = timedelta(minutes=60)
"""Who closed it may still see whom it was about, as after a home visit."""


class FollowUpClosed(TelecareError):
    code = Code.FOLLOW_UP_CLOSED


class FollowUpTaken(TelecareError):
    """Somebody else was first."""

    code = Code.FOLLOW_UP_TAKEN


class ResidentGone(Refusal):
    """She has died, moved or declined: nothing more is done for her here (avslutad)."""

    code = Code.RESIDENT_ENDED


async def known(db: Transaction, resident_id: ResidentId) -> Resident:
    """Raises NotFound, also for another tenant's resident."""
    found = await store.resident(db, resident_id)
    if found is None:
        raise NotFound
    return found


async def held(db: Transaction, resident_id: ResidentId) -> Resident:
    """She, locked until commit against what may be said of her only once. Raises NotFound."""
    await store.hold_resident(db, resident_id)
    return await known(db, resident_id)


def resident_topic(resident_id: UUID) -> str:
    """What the screens in a resident's home show."""
    return f"resident:{resident_id}"


def without_address(resident: Resident) -> Resident:
    """As somebody protected is told of: where she lives, on a mission there only."""
    return replace(resident, address="", phone="")


async def assigned(
    db: Transaction, session: StaffSession, resident: Resident, tried: Action, now: datetime
) -> None:
    """Raises NotAssigned (recorded) unless the session's person is assigned to the resident now."""
    if not await access_store.has_assignment(db, session.staff.id, resident.id, now):
        record = refused(Code.NOT_ASSIGNED, tried, session.actor, [resident.person], {})
        raise NotAssigned(Kept(record))


async def on_mission(
    db: Transaction, session: StaffSession, resident: Resident, tried: Action, now: datetime
) -> None:
    """As `assigned`, and not by an opening without a mission alone (break-glass): that lets her see
    and, where a yes says so, ring; it changes nothing about the resident.
    """
    await assigned(db, session, resident, tried, now)
    if await access_store.only_in_emergency(db, session.staff.id, resident.id, now):
        record = refused(Code.NOT_ASSIGNED, tried, session.actor, [resident.person], {})
        raise NotAssigned(Kept(record))


async def working_for(
    db: Transaction, session: StaffSession, resident: Resident, tried: Action, now: datetime
) -> None:
    """Raises NotAssigned (recorded) unless she is assigned to the resident, or of her unit: her
    own, her shift's, or one that covers it now.
    """
    staff = session.staff
    local = now.astimezone(STOCKHOLM)
    if resident.unit_id == staff.unit_id or await access_store.covers(
        db, staff.works_in, resident.unit_id, local=local
    ):
        return
    await on_mission(db, session, resident, tried, now)


async def still_with_us(
    db: Transaction, actor: Actor, resident: Resident, tried: Action, now: datetime
) -> None:
    """Raises ResidentGone (recorded) for somebody who has been ended."""
    if await store.has_ended(db, resident.id, now):
        raise ResidentGone(Kept(refused(Code.RESIDENT_ENDED, tried, actor, [resident.person], {})))


async def assigned_or_keeps(
    db: Transaction, session: StaffSession, resident: Resident, tried: Action, now: datetime
) -> None:
    """As `assigned`, or she keeps the register of the resident's unit."""
    if not session.staff.may_in(Permission.REGISTER, resident.unit_id):
        await on_mission(db, session, resident, tried, now)


async def register(db: Transaction, resident: Resident, actor: Actor, now: datetime) -> None:
    """A new resident. Her gate rows are made by the consent package's reaction."""
    await store.add_resident(db, resident, now)
    await append(db, Record(Action.RESIDENT_REGISTERED, actor, [resident.person]))


async def register_cohabitant(
    db: Transaction, resident: Resident, cohabitant: Cohabitant, actor: Actor, now: datetime
) -> None:
    await store.add_cohabitant(db, resident.id, cohabitant, now)
    what = {
        "cohabitant_id": str(cohabitant.id),
        "name": cohabitant.name,
        "relation": cohabitant.relation,
        "is_resident_id": str(cohabitant.is_resident_id) if cohabitant.is_resident_id else None,
    }
    await append(db, Record(Action.COHABITANT_REGISTERED, actor, [resident.person], what))


async def make_follow_up(
    db: Transaction,
    kind: FollowUpKind,
    resident: Resident,
    *,
    unit_id: CareUnitId,
    about_id: UUID | None,
    actor: Actor,
    now: datetime,
) -> None:
    """A task that stays until a human closes it; the same thing makes only one."""
    follow_up = FollowUp(FollowUpId(new_row_id(now)), unit_id, resident.id, kind, about_id, now)
    if not await store.add_follow_up(db, follow_up):
        return
    db.changed(unit_topic(unit_id))
    what = {"follow_up_id": str(follow_up.id), "kind": kind, "unit_id": str(unit_id)}
    await append(db, Record(Action.FOLLOW_UP_MADE, actor, [resident.person], what))


async def assign_to(db: Transaction, follow_up: FollowUp, staff_id: StaffId, now: datetime) -> None:
    """Whoever has taken it is assigned to the person until it is closed."""
    await access_store.assign(
        db,
        AssignmentId(new_row_id(now)),
        staff_id=staff_id,
        resident_id=follow_up.resident_id,
        source="follow_up",
        source_id=follow_up.id,
        valid_from=now,
        valid_until=None,
    )


async def close_follow_ups(
    db: Transaction, kind: FollowUpKind, about: Sequence[UUID], *, note: str, now: datetime
) -> Sequence[FollowUp]:
    """Those nobody needs to look at any more; their records: `closed_without_us`."""
    closed = await store.close_about(db, kind, about, note=note, now=now)
    for follow_up in closed:
        db.changed(unit_topic(follow_up.unit_id))
        until = now + AFTER_FOLLOW_UP
        await access_store.close_assignments(db, "follow_up", follow_up.id, until)
    return closed


async def end_of_resident(
    db: Transaction, person: Person, ending_id: EndingId, *, note: str, actor: Actor, now: datetime
) -> Sequence[Record]:
    """Her follow-ups close, and she moves out where she is somebody's cohabitant: her word is
    asked for there no more. The records are for the caller to enter.
    """
    closed = await store.close_of_resident(db, person.id, note=note, now=now)
    for follow_up in closed:
        db.changed(unit_topic(follow_up.unit_id))
    moved = await store.move_out(db, person.id, ending_id, now)
    return [
        *closed_without_us(closed, person, actor, note),
        *_moves(db, Action.COHABITANT_MOVED_OUT, moved, actor),
    ]


async def undo_end(db: Transaction, ending_id: EndingId, actor: Actor) -> Sequence[Record]:
    moved = await store.move_in_again(db, ending_id)
    return _moves(db, Action.COHABITANT_MOVED_IN, moved, actor)


def _moves(
    db: Transaction, action: Action, moved: Sequence[store.Moved], actor: Actor
) -> Sequence[Record]:
    for one in moved:
        db.changed(resident_topic(one.home_of.id))
    return [Record(action, actor, [one.home_of], {"cohabitant_id": str(one.id)}) for one in moved]


def closed_without_us(
    closed: Sequence[FollowUp], person: Person, actor: Actor, note: str
) -> Sequence[Record]:
    return [
        Record(
            Action.FOLLOW_UP_CLOSED,
            actor,
            [person],
            {"follow_up_id": str(one.id), "kind": one.kind, "note": note},
        )
        for one in closed
    ]


def _for_head(db: Transaction, session: StaffSession, follow_up: FollowUp, tried: Action) -> None:
    """Raises NotPermitted for a colleague, where only the unit's head answers."""
    if follow_up.kind in FOR_HEAD:
        require_in(db, session, Permission.LEAD, follow_up.unit_id, tried)


TAKEN_OVER_SHOWN = timedelta(days=14)


class People:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def search(
        self, session: StaffSession, words: str, *, after: UUID | None, limit: int
    ) -> Sequence[store.Found]:
        """A list shows only names; looking somebody up is recorded with what was asked."""
        async with self._database.transaction(session.tenant) as db:
            found = await store.search(
                db, words, by=session.staff.id, now=self._clock.now(), after=after, limit=limit
            )
            persons = [Person(row.id, row.name, is_protected=row.is_protected) for row in found]
            what: Document = {"found": len(found), "words": words}
            await append(db, Record(Action.SEARCHED, session.actor, persons, what))
        return found

    async def take_over(self, session: StaffSession, resident_id: ResidentId) -> None:
        now = self._clock.now()
        async with self._database.transaction(session.tenant, actor_text(session.actor)) as db:
            resident = await known(db, resident_id)
            await still_with_us(db, session.actor, resident, Action.ASSIGNMENT_BEGUN, now)
            await reason_for(db, session, resident, Action.ASSIGNMENT_BEGUN, now)
            await take_over(db, session, resident.person, resident.unit_id, now)

    async def taken_over(self, session: StaffSession) -> Sequence[store.TakenOver]:
        """Who assigned herself in the unit these two weeks, for its head. Raises NotPermitted."""
        now = self._clock.now()
        unit = session.staff.works_in
        async with self._database.transaction(session.tenant) as db:
            require_in(db, session, Permission.LEAD, unit, Action.LIST_READ)
            found = await store.taken_over(db, unit, now - TAKEN_OVER_SHOWN)
            named = {row.resident_id: row.resident_name for row in found}
            await list_read(db, session, "taken_over", [unit], named, now)
        return found

    async def take_follow_up(self, session: StaffSession, follow_up_id: FollowUpId) -> None:
        """ "Jag tar det": the first wins. Taking it again changes nothing."""
        now = self._clock.now()
        async with self._database.transaction(session.tenant, actor_text(session.actor)) as db:
            await stays(db, session, Action.FOLLOW_UP_TAKEN, now)
            follow_up = await store.hold_follow_up(db, follow_up_id)
            if follow_up is None:
                raise FollowUpClosed
            if follow_up.taken_by == session.staff.id:
                return
            if follow_up.taken_by is not None:
                raise FollowUpTaken
            _for_head(db, session, follow_up, Action.FOLLOW_UP_TAKEN)
            resident = await known(db, follow_up.resident_id)
            persons = [resident.person]
            await on_shift_for(
                db, session, follow_up.unit_id, Action.FOLLOW_UP_TAKEN, persons, now=now
            )
            why = await reason_for(db, session, resident, Action.FOLLOW_UP_TAKEN, now)
            await store.give_follow_up(db, follow_up_id, session.staff.id, now)
            await assign_to(db, follow_up, session.staff.id, now)
            db.changed(unit_topic(follow_up.unit_id))
            what: Document = {
                "follow_up_id": str(follow_up_id), "kind": follow_up.kind, **why,
            }  # fmt: skip
            await append(db, Record(Action.FOLLOW_UP_TAKEN, session.actor, persons, what))

    async def close_follow_up(
        self, session: StaffSession, follow_up_id: FollowUpId, note: str
    ) -> None:
        now = self._clock.now()
        async with self._database.transaction(session.tenant, actor_text(session.actor)) as db:
            follow_up = await store.hold_follow_up(db, follow_up_id)
            if follow_up is None:
                raise FollowUpClosed
            _for_head(db, session, follow_up, Action.FOLLOW_UP_CLOSED)
            resident = await known(db, follow_up.resident_id)
            await store.close_follow_up(db, follow_up_id, by=session.staff.id, note=note, now=now)
            until = now + AFTER_FOLLOW_UP
            await access_store.close_assignments(db, "follow_up", follow_up_id, until)
            db.changed(unit_topic(follow_up.unit_id))
            what = {"follow_up_id": str(follow_up_id), "kind": follow_up.kind, "note": note}
            await append(
                db, Record(Action.FOLLOW_UP_CLOSED, session.actor, [resident.person], what)
            )

"""Beginning and ending shifts, and handing over what is held open.

Whatever somebody has taken is either finished by her, or moved to somebody who has said yes: a
shift does not end otherwise, and a revocation gives everything back to its unit (fails loud).
"""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from telecare.access import store as access_store
from telecare.access.errors import NotOnShift, NotPermitted
from telecare.access.holding import Handing, Held, Holding
from telecare.access.model import CareUnit, Permission, StaffSession
from telecare.access.service import (
    React,
    end_assignments,
    is_new_read,
    on_shift_for,
    require_in,
    stays,
    unit_topic,
)
from telecare.audit.actions import Action
from telecare.audit.append import Kept, append
from telecare.audit.format import Document
from telecare.audit.model import Actor, Record, SystemActor, actor_text, refused
from telecare.people.model import Resident
from telecare.people.own_relation import reason_for, unrelated
from telecare.people.relations_store import related_to
from telecare.people.service import known
from telecare.runtime.clock import Clock
from telecare.runtime.db import Database, Transaction
from telecare.runtime.errors import FieldInvalid, NotFound
from telecare.runtime.timers import Due, cancel_timers, set_timer
from telecare.shifts import store
from telecare.shifts.model import (
    OPEN,
    HandOver,
    HandOverImpossible,
    HandOverState,
    ShiftAlreadyBegun,
    ShiftHoldsOpen,
    Task,
)
from telecare.wire.errors import Code
from telecare.wire.ids import CareUnitId, HandOverId, ShiftId, StaffId, new_row_id

LOOK = "hand_over.look"
LOOK_EVERY = timedelta(minutes=1)
TIMER = SystemActor("hand-over timer")
LEFT = SystemActor("reaction")


@dataclass(frozen=True, slots=True)
class Ask:
    """What she holds, and who should have it: a colleague on shift, or a unit."""

    kind: str
    about_id: UUID
    to_staff_id: StaffId | None
    to_unit_id: CareUnitId | None


@dataclass(frozen=True, slots=True)
class HeldThing:
    held: Held
    can_hand_over: bool
    asked: store.Listed | None
    not_to: frozenset[StaffId]
    """Colleagues who have stated a relation to the person."""


@dataclass(frozen=True, slots=True)
class HeldOpen:
    """All that keeps her shift open, and who is there to take it."""

    things: Sequence[HeldThing]
    colleagues: Sequence[store.OnShift]
    units: Sequence[CareUnit]


class Shifts:
    """`holdings`: every kind of work that can be held (app.py)."""

    def __init__(
        self, database: Database, clock: Clock, react: React, holdings: Sequence[Holding]
    ) -> None:
        self._database = database
        self._clock = clock
        self._react = react
        self._holdings = {holding.kind: holding for holding in holdings}

    async def begin(
        self, session: StaffSession, unit_id: CareUnitId, tasks: Sequence[Task] = ()
    ) -> ShiftId:
        """In a unit where one of her roles lets her work.

        Raises NotFound, NotPermitted, ShiftAlreadyBegun.
        """
        now = self._clock.now()
        shift = ShiftId(new_row_id(now))
        done = sorted(set(tasks))
        async with self._by(session) as db:
            unit = await access_store.unit(db, unit_id)
            if unit is None:
                raise NotFound
            require_in(db, session, Permission.WORK, unit_id, Action.SHIFT_BEGUN)
            if not await store.begin(
                db, shift, staff_id=session.staff.id, unit_id=unit_id, tasks=done, now=now
            ):
                raise ShiftAlreadyBegun
            what: Document = {
                "shift_id": str(shift),
                "tasks": [str(task) for task in done],
                "unit_id": str(unit_id),
                "unit_name": unit.name,
            }
            await append(db, Record(Action.SHIFT_BEGUN, session.actor, what=what))
        return shift

    async def end(self, session: StaffSession) -> None:
        """With it ends what she took over in it. Raises NotOnShift, ShiftHoldsOpen."""
        now = self._clock.now()
        async with self._by(session) as db:
            await store.hold_alone(db, session.staff.id)
            shift = await store.end(db, session.staff.id, now)
            if shift is None:
                raise NotOnShift(
                    Kept(refused(Code.NOT_ON_SHIFT, Action.SHIFT_ENDED, session.actor, (), {}))
                )
            if await self.held_by(db, session.staff.id, now):
                raise ShiftHoldsOpen
            await self._withdraw_all(db, session.staff.id, session.actor, now)
            await end_assignments(db, "took_over", shift, now, self._react)
            await append(
                db, Record(Action.SHIFT_ENDED, session.actor, what={"shift_id": str(shift)})
            )

    async def held_by(self, db: Transaction, staff_id: StaffId, now: datetime) -> Sequence[Held]:
        """Of every kind, oldest first within it."""
        found: list[Held] = []
        for holding in self._holdings.values():
            found += await holding.held_by(db, staff_id, now)
        return found

    async def held_open(self, session: StaffSession) -> HeldOpen:
        """What she holds, for her own page; a list, recorded once in 15 minutes."""
        now = self._clock.now()
        staff = session.staff
        async with self._by(session) as db:
            held = await self.held_by(db, staff.id, now)
            asked = {
                (row.hand_over.kind, row.hand_over.about_id): row
                for row in await store.listed_from(db, staff.id)
            }
            colleagues = await store.on_shift(db, staff.id, staff.works_in, now)
            units = await access_store.units(db)
            related = {one.id: await related_to(db, one.person.id) for one in held}
            if held and await is_new_read(db, session, "held", staff.works_in, now):
                persons = {one.person.id: one.person for one in held}
                what: Document = {"list": "held", "unit_id": str(staff.works_in)}
                named = sorted(persons.values(), key=lambda person: person.id)
                await append(db, Record(Action.LIST_READ, session.actor, named, what))
        things = [
            HeldThing(
                one,
                can_hand_over=self._holdings[one.kind].hand_to is not None,
                asked=asked.get((one.kind, one.id)),
                not_to=related[one.id],
            )
            for one in held
        ]
        return HeldOpen(things, colleagues, units)

    # --- handing over -------------------------------------------------------------------------

    async def ask(self, session: StaffSession, ask: Ask) -> HandOverId:
        """Ask for one thing; an earlier question about it is taken back.

        Raises NotOnShift, NotFound (not hers), HandOverImpossible, FieldInvalid.
        """
        now = self._clock.now()
        staff = session.staff
        async with self._by(session) as db:
            await stays(db, session, Action.HAND_OVER_ASKED, now)
            await on_shift_for(db, session, staff.works_in, Action.HAND_OVER_ASKED, (), now=now)
            held = await self._hers(db, staff.id, ask.kind, ask.about_id, now)
            if self._holdings[ask.kind].hand_to is None:
                raise HandOverImpossible
            to_unit = await self._to_unit(db, session, ask, now)
            if ask.to_staff_id is not None:
                resident = await known(db, held.person.id)
                await unrelated(db, session, ask.to_staff_id, resident, Action.HAND_OVER_ASKED)
            earlier = await store.hold_open(db, ask.kind, ask.about_id)
            if earlier is not None:
                await self._withdraw(db, earlier, now)
            one = HandOver(
                id=HandOverId(new_row_id(now)),
                kind=ask.kind,
                about_id=ask.about_id,
                resident_id=held.person.id,
                from_staff_id=staff.id,
                from_unit_id=staff.works_in,
                to_staff_id=ask.to_staff_id,
                to_unit_id=to_unit,
                state=HandOverState.ASKED,
                asked_at=now,
            )
            await store.ask(db, one)
            await set_timer(db, LOOK, one.id, now + LOOK_EVERY)
            _tell(db, one)
            record = Record(Action.HAND_OVER_ASKED, session.actor, [held.person], _what(one))
            await append(db, record)
        return one.id

    async def accept(self, session: StaffSession, hand_over_id: HandOverId) -> None:
        """ "Ta emot": it is hers, with its assignment, and the giver's ends. The first wins.

        Raises NotFound, NotPermitted, NotOnShift, NoLongerHeld.
        """
        now = self._clock.now()
        async with self._by(session) as db:
            await stays(db, session, Action.HAND_OVER_ACCEPTED, now)
            one, resident = await self._for_her(db, session, hand_over_id, now)
            why = await reason_for(db, session, resident, Action.HAND_OVER_ACCEPTED, now)
            accepted = one.answer(HandOverState.ACCEPTED, session.staff.id, now)
            hand_to = self._holdings[one.kind].hand_to
            if hand_to is None:
                raise HandOverImpossible
            await store.save(db, accepted)
            await cancel_timers(db, [LOOK], one.id)
            await hand_to(db, Handing(one.about_id, one.from_staff_id, session.staff.id, now))
            _tell(db, accepted)
            what: Document = {**_what(accepted), **why}
            record = Record(Action.HAND_OVER_ACCEPTED, session.actor, [resident.person], what)
            await append(db, record)

    async def decline(self, session: StaffSession, hand_over_id: HandOverId) -> None:
        """ "Nej", by the colleague who was asked by name. A unit leaves it unanswered."""
        now = self._clock.now()
        async with self._by(session) as db:
            one, resident = await self._for_her(db, session, hand_over_id, now)
            if one.to_staff_id is None:
                raise NotFound
            declined = one.answer(HandOverState.DECLINED, session.staff.id, now)
            await store.save(db, declined)
            _tell(db, declined)
            what = _what(declined)
            record = Record(Action.HAND_OVER_DECLINED, session.actor, [resident.person], what)
            await append(db, record)

    async def withdraw(self, session: StaffSession, hand_over_id: HandOverId) -> None:
        """ "Behåll": she keeps it. Raises NotFound for anybody but the giver; NoLongerHeld."""
        now = self._clock.now()
        async with self._by(session) as db:
            one = await store.hold(db, hand_over_id)
            if one is None or one.from_staff_id != session.staff.id:
                raise NotFound
            await self._withdraw(db, one, now)
            resident = await known(db, one.resident_id)
            record = Record(
                Action.HAND_OVER_WITHDRAWN, session.actor, [resident.person], _what(one)
            )
            await append(db, record)

    # --- timers and reactions -----------------------------------------------------------------

    async def look(self, db: Transaction, due: Due, now: datetime) -> None:
        """Each minute while it is in sight: is it still hers? What she finished herself, or what
        was ended for her, is asked of nobody. Unanswered, she is told (fails loud).
        """
        one = await store.hold(db, HandOverId(due.subject))
        if one is None or one.state not in OPEN:
            return
        held = await self.held_by(db, one.from_staff_id, now)
        if not any((h.kind, h.id) == (one.kind, one.about_id) for h in held):
            await self._withdraw(db, one, now)
            return
        await set_timer(db, LOOK, one.id, now + LOOK_EVERY)
        lapsed = one.lapse(now)
        if lapsed.state is not one.state:
            await store.save(db, lapsed)
            _tell(db, lapsed)
            resident = await known(db, one.resident_id)
            record = Record(Action.HAND_OVER_UNANSWERED, TIMER, [resident.person], _what(lapsed))
            await append(db, record)

    async def left(self, db: Transaction, staff_id: StaffId, now: datetime) -> None:
        """She works here no more: what she held goes back to its unit (fails loud), and her shift
        is over.
        """
        await self._withdraw_all(db, staff_id, LEFT, now)
        returned: list[Held] = []
        for holding in self._holdings.values():
            if holding.hand_to is None:
                continue
            for held in await holding.held_by(db, staff_id, now):
                await holding.hand_to(db, Handing(held.id, staff_id, None, now))
                returned.append(held)
        shift = await store.end(db, staff_id, now)
        if shift is not None:
            await end_assignments(db, "took_over", shift, now, self._react)
        for held in sorted(returned, key=lambda one: one.person.id):
            what: Document = {
                "about_id": str(held.id),
                "from_staff_id": str(staff_id),
                "kind": held.kind,
                "to_unit_id": str(held.unit_id),
            }
            await append(db, Record(Action.HAND_OVER_RETURNED, LEFT, [held.person], what))
        if shift is not None:
            ended: Document = {"shift_id": str(shift), "staff_id": str(staff_id)}
            await append(db, Record(Action.SHIFT_ENDED, LEFT, what=ended))

    # --- parts --------------------------------------------------------------------------------

    def _by(self, session: StaffSession) -> AbstractAsyncContextManager[Transaction]:
        return self._database.transaction(session.tenant, actor_text(session.actor))

    async def _hers(
        self, db: Transaction, staff_id: StaffId, kind: str, about_id: UUID, now: datetime
    ) -> Held:
        """Raises NotFound when she does not hold it."""
        if kind in self._holdings:
            for held in await self._holdings[kind].held_by(db, staff_id, now):
                if held.id == about_id:
                    return held
        raise NotFound

    async def _to_unit(
        self, db: Transaction, session: StaffSession, ask: Ask, now: datetime
    ) -> CareUnitId:
        """Where it is asked for. Raises FieldInvalid: no such unit, or she is not on shift."""
        if (ask.to_staff_id is None) == (ask.to_unit_id is None):
            raise FieldInvalid("staff_id")
        if ask.to_unit_id is not None:
            if await access_store.unit(db, ask.to_unit_id) is None:
                raise FieldInvalid("unit_id")
            return ask.to_unit_id
        assert ask.to_staff_id is not None  # noqa: S101 - one of the two is
        colleague = await access_store.staff(db, ask.to_staff_id, now)
        if colleague is None or colleague.id == session.staff.id or not colleague.shift_unit_id:
            raise FieldInvalid("staff_id")
        return colleague.shift_unit_id

    async def _for_her(
        self, db: Transaction, session: StaffSession, hand_over_id: HandOverId, now: datetime
    ) -> tuple[HandOver, Resident]:
        """Hers to answer: asked by name, or on shift in the unit that was asked."""
        one = await store.hold(db, hand_over_id)
        if one is None:
            raise NotFound
        resident = await known(db, one.resident_id)
        tried, persons = Action.HAND_OVER_ACCEPTED, [resident.person]
        if one.to_staff_id not in (None, session.staff.id):
            what = {"hand_over_id": str(one.id)}
            record = refused(Code.NOT_PERMITTED, tried, session.actor, persons, what)
            raise NotPermitted(Kept(record))
        asked_in = session.staff.works_in if one.to_staff_id else one.to_unit_id
        await on_shift_for(db, session, asked_in, tried, persons, now=now)
        return one, resident

    async def _withdraw(self, db: Transaction, one: HandOver, now: datetime) -> None:
        withdrawn = one.withdraw(now)
        await store.save(db, withdrawn)
        await cancel_timers(db, [LOOK], one.id)
        _tell(db, withdrawn)

    async def _withdraw_all(
        self, db: Transaction, staff_id: StaffId, actor: Actor, now: datetime
    ) -> None:
        """What is still in sight of hers is about nothing she holds."""
        for one in await store.hold_open_from(db, staff_id):
            await self._withdraw(db, one, now)
            resident = await known(db, one.resident_id)
            record = Record(Action.HAND_OVER_WITHDRAWN, actor, [resident.person], _what(one))
            await append(db, record)


def _tell(db: Transaction, one: HandOver) -> None:
    db.changed(unit_topic(one.from_unit_id))
    db.changed(unit_topic(one.to_unit_id))


def _what(one: HandOver) -> Document:
    return {
        "about_id": str(one.about_id),
        "from_staff_id": str(one.from_staff_id),
        "hand_over_id": str(one.id),
        "kind": one.kind,
        "to_staff_id": str(one.answered_by or one.to_staff_id or "") or None,
        "to_unit_id": str(one.to_unit_id),
    }

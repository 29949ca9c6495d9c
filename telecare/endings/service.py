"""Ending somebody's care here, and undoing it. What stops and returns elsewhere: reactions.py."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import date, datetime

from telecare.access.model import Permission, StaffSession
from telecare.access.service import list_read, require, require_in, unit_topic
from telecare.audit.actions import Action
from telecare.audit.append import Kept, append
from telecare.audit.format import Document
from telecare.audit.model import Actor, Record, SystemActor, actor_text, refused
from telecare.endings import store
from telecare.endings.model import (
    UNDO_LIMIT,
    Ending,
    EndingUndone,
    Reason,
    ResidentEnded,
    begins_at,
)
from telecare.people.model import Resident
from telecare.people.service import held, known, resident_topic, still_with_us
from telecare.runtime.clock import Clock
from telecare.runtime.db import Database, Transaction
from telecare.runtime.errors import FieldInvalid, NotFound, Refusal
from telecare.runtime.timers import Due, cancel_timers, set_timer
from telecare.wire.errors import Code
from telecare.wire.ids import ConsentId, EndingId, ResidentId, new_row_id

React = Callable[[Transaction, object], Awaitable[None]]
Consented = Callable[[Transaction, ResidentId, datetime], Awaitable[Sequence[ConsentId]]]

CARRY_OUT = "ending.carry_out"
SYSTEM = SystemActor("ending timer")


class EndingUndoOwn(Refusal):
    """Who ended somebody by mistake believes it was right: a colleague looks at it."""

    code = Code.ENDING_UNDO_OWN


class EndingUndoLate(Refusal):
    """After 30 days it stands; she is registered anew."""

    code = Code.ENDING_UNDO_LATE


class Endings:
    """`react` carries what follows in other packages; `consented` lists what an ending ends."""

    def __init__(
        self, database: Database, clock: Clock, react: React, consented: Consented
    ) -> None:
        self._database = database
        self._clock = clock
        self._react = react
        self._consented = consented

    async def end(
        self, session: StaffSession, resident_id: ResidentId, reason: Reason, on_date: date
    ) -> EndingId:
        """At once, or at the first minute of a day ahead; it takes the place of one planned.

        Raises NotPermitted, ResidentGone, FieldInvalid.
        """
        now = self._clock.now()
        from_at = begins_at(reason, on_date, now)
        if from_at is None:
            raise FieldInvalid("on_date")
        ending = Ending(
            EndingId(new_row_id(now)), resident_id, reason, on_date, from_at, session.staff.id
        )
        async with self._by(session) as db:
            resident = await held(db, resident_id)
            require_in(db, session, Permission.PLAN, resident.unit_id, Action.RESIDENT_ENDED)
            planned = await store.hold_of_resident(db, resident.id)
            await still_with_us(db, session.actor, resident, Action.RESIDENT_ENDED, now)
            if planned is not None:
                await store.undo(db, planned.id, session.staff.id, now)
                await cancel_timers(db, [CARRY_OUT], planned.id)
            await store.add(db, ending, now)
            if from_at <= now:
                await self._carry_out(db, ending, resident, session.actor, now)
            else:
                await set_timer(db, CARRY_OUT, ending.id, from_at)
                tell(db, resident)
                record = Record(
                    Action.ENDING_PLANNED, session.actor, [resident.person], _what(ending)
                )
                await append(db, record)
        return ending.id

    async def undo(self, session: StaffSession, ending_id: EndingId) -> None:
        """Within 30 days, by somebody else than the one who did it; a plan by anybody who may.

        Raises NotPermitted, NotFound, EndingUndoOwn, EndingUndoLate.
        """
        now = self._clock.now()
        async with self._by(session) as db:
            resident = await self._of(db, ending_id)
            ending = await store.hold(db, ending_id)
            if ending is None:
                raise NotFound
            require_in(db, session, Permission.PLAN, resident.unit_id, Action.ENDING_UNDONE)
            _check_undo(session, ending, resident, now)
            await store.undo(db, ending.id, session.staff.id, now)
            await cancel_timers(db, [CARRY_OUT], ending.id)
            tell(db, resident)
            if ending.carried_out_at is not None:
                await self._react(db, EndingUndone(ending, now))
            record = Record(Action.ENDING_UNDONE, session.actor, [resident.person], _what(ending))
            await append(db, record)

    async def undoable(self, session: StaffSession) -> Sequence[store.Listed]:
        """Planned ones, and those that may still be undone, of the units she plans for."""
        now = self._clock.now()
        async with self._by(session) as db:
            require(db, session, Permission.PLAN, Action.LIST_READ)
            units = session.staff.units_of(Permission.PLAN)
            found = await store.undoable(db, units, now - UNDO_LIMIT)
            named = {one.ending.resident_id: one.resident_name for one in found}
            await list_read(db, session, "endings", [session.staff.works_in], named, now)
        return found

    # --- timers (app.py) ----------------------------------------------------------------------

    async def carry_out(self, db: Transaction, due: Due, now: datetime) -> None:
        """The day has come; the gate has refused since its first minute."""
        ending = await store.hold(db, EndingId(due.subject))
        if ending is None or ending.carried_out_at is not None:
            return
        resident = await known(db, ending.resident_id)
        await self._carry_out(db, ending, resident, SYSTEM, now)

    # --- parts --------------------------------------------------------------------------------

    def _by(self, session: StaffSession) -> AbstractAsyncContextManager[Transaction]:
        return self._database.transaction(session.tenant, actor_text(session.actor))

    async def _of(self, db: Transaction, ending_id: EndingId) -> Resident:
        """Whose it is, held: she comes before her ending, as when it is made."""
        seen = await store.by_id(db, ending_id)
        if seen is None:
            raise NotFound
        return await held(db, seen.resident_id)

    async def _carry_out(
        self, db: Transaction, ending: Ending, resident: Resident, actor: Actor, now: datetime
    ) -> None:
        """Consents are ended by the ending being there; its record says which they were."""
        consents = await self._consented(db, resident.id, now)
        await store.carried_out(db, ending.id, now)
        tell(db, resident)
        await self._react(db, ResidentEnded(ending, now))
        what: Document = {**_what(ending), "consent_ids": [str(one) for one in consents]}
        await append(db, Record(Action.RESIDENT_ENDED, actor, [resident.person], what))


def _check_undo(session: StaffSession, ending: Ending, resident: Resident, now: datetime) -> None:
    def no(code: Code) -> Kept:
        what: Document = {"ending_id": str(ending.id)}
        persons = [resident.person]
        return Kept(refused(code, Action.ENDING_UNDONE, session.actor, persons, what))

    if ending.is_own(session.staff.id):
        raise EndingUndoOwn(no(Code.ENDING_UNDO_OWN))
    if ending.is_late(now):
        raise EndingUndoLate(no(Code.ENDING_UNDO_LATE))


def tell(db: Transaction, resident: Resident) -> None:
    db.changed(unit_topic(resident.unit_id))
    db.changed(resident_topic(resident.id))


def _what(ending: Ending) -> Document:
    return {
        "done_by": str(ending.done_by),
        "ending_id": str(ending.id),
        "on_date": ending.on_date.isoformat(),
        "reason": ending.reason,
    }

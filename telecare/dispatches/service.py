"""Asking somebody to go to a home, and what became of it."""

from collections.abc import Container, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from telecare.access import store as access_store
from telecare.access.errors import NotPermitted
from telecare.access.model import StaffSession
from telecare.access.service import React, stays, unit_topic
from telecare.audit.actions import Action
from telecare.audit.append import Kept, append
from telecare.audit.format import Document
from telecare.audit.model import Actor, Person, Record, actor_text, refused
from telecare.dispatches import store
from telecare.dispatches.model import DispatchAccepted, DispatchArrived, Found, NobodyThere
from telecare.dispatches.noted import entered
from telecare.people import keeping_store
from telecare.people.model import Resident
from telecare.people.service import known
from telecare.runtime.clock import STOCKHOLM, Clock
from telecare.runtime.db import Database, Transaction
from telecare.runtime.errors import NotFound, Refusal, TelecareError
from telecare.wire.errors import Code
from telecare.wire.ids import AssignmentId, CareUnitId, DispatchId, StaffId, new_row_id

ARRIVE_WITHIN = timedelta(minutes=30)
"""Whoever goes there, when nothing else was promised."""
AFTER_DISPATCH = timedelta(minutes=60)


class NotYourDispatch(Refusal):
    """Somebody else goes there, or nobody has said so yet."""

    code = Code.NOT_YOUR_DISPATCH


@dataclass(frozen=True, slots=True)
class Mission:
    """What whoever goes there must have with her."""

    resident: Resident
    key_note: str | None
    arrive_by: datetime | None


class DispatchClosed(TelecareError):
    """Somebody else took it, or it is done."""

    code = Code.DISPATCH_CLOSED


async def ask(
    db: Transaction,
    resident: Resident,
    *,
    unit_id: CareUnitId,
    about_id: UUID,
    by: StaffId | None,
    actor: Actor,
    now: datetime,
) -> bool:
    """A home visit is asked for; asking again about the same thing changes nothing (False)."""
    id_ = DispatchId(new_row_id(now))
    dispatch = store.Dispatch(id_, unit_id, resident.id, "asked", now, None, about_id)
    if not await store.add(db, dispatch, by=by):
        return False
    db.changed(unit_topic(unit_id))
    what = {"about_id": str(about_id), "dispatch_id": str(dispatch.id), "unit_id": str(unit_id)}
    await append(db, Record(Action.DISPATCH_ASKED, actor, [resident.person], what))
    return True


async def assign_to(
    db: Transaction, dispatch: store.Dispatch, staff_id: StaffId, now: datetime
) -> None:
    """Whoever goes is assigned to the person until it is done."""
    await access_store.assign(
        db,
        AssignmentId(new_row_id(now)),
        staff_id=staff_id,
        resident_id=dispatch.resident_id,
        source="dispatch",
        source_id=dispatch.id,
        valid_from=now,
        valid_until=None,
    )


async def end_of_resident(
    db: Transaction, person: Person, *, outcome: str, actor: Actor, now: datetime
) -> Sequence[Record]:
    """Nobody is to go there any more. The records are for the caller to enter."""
    closed = await store.close_of_resident(db, person.id, outcome, now)
    for dispatch in closed:
        db.changed(unit_topic(dispatch.unit_id))
    return [
        Record(
            Action.DISPATCH_DONE,
            actor,
            [person],
            {"dispatch_id": str(dispatch.id), "outcome": outcome},
        )
        for dispatch in closed
    ]


class Dispatches:
    def __init__(self, database: Database, clock: Clock, react: React) -> None:
        self._database = database
        self._clock = clock
        self._react = react

    async def accept(
        self, session: StaffSession, dispatch_id: DispatchId, within: timedelta = ARRIVE_WITHIN
    ) -> None:
        """ "Vi åker", and how soon she is there: the first wins, and is assigned until it is done.

        Raises NotFound, NotPermitted, DispatchClosed.
        """
        now = self._clock.now()
        async with self._database.transaction(session.tenant, actor_text(session.actor)) as db:
            await stays(db, session, Action.DISPATCH_ACCEPTED, now)
            dispatch, resident = await self._held(db, dispatch_id)
            if dispatch.state != "asked":
                raise DispatchClosed
            local = now.astimezone(STOCKHOLM)
            if not await access_store.covers(
                db, session.staff.works_in, dispatch.unit_id, local=local
            ):
                tried = Action.DISPATCH_ACCEPTED
                record = refused(Code.NOT_PERMITTED, tried, session.actor, [resident.person], {})
                raise NotPermitted(Kept(record))
            await store.accept(db, dispatch.id, session.staff.id, now + within, now)
            await assign_to(db, dispatch, session.staff.id, now)
            await self._react(db, DispatchAccepted(dispatch.about_id, now + within, now))
            await self._record(db, Action.DISPATCH_ACCEPTED, session, resident, dispatch)

    async def mission(self, session: StaffSession, dispatch_id: DispatchId) -> Mission:
        """For her who goes there, until it is done; each time she is shown how one gets in is
        recorded.

        Raises NotFound, NotYourDispatch.
        """
        async with self._database.transaction(session.tenant, actor_text(session.actor)) as db:
            dispatch, resident = await self._hers(
                db, session, dispatch_id, ("accepted", "arrived"), Action.KEY_NOTE_READ
            )
            note = await keeping_store.key_note(db, resident.id)
            what: Document = {"dispatch_id": str(dispatch.id), "is_there": note is not None}
            record = Record(Action.KEY_NOTE_READ, session.actor, [resident.person], what)
            await append(db, record)
        return Mission(resident, note, dispatch.arrive_by)

    async def arrive(
        self, session: StaffSession, dispatch_id: DispatchId, *, noted_at: datetime | None = None
    ) -> None:
        """`noted_at`: on her device, which may have been without network; said again with the same
        it is said once. Raises NotFound, NotYourDispatch, DispatchClosed, FieldInvalid.
        """
        now = self._clock.now()
        async with self._database.transaction(session.tenant, actor_text(session.actor)) as db:
            held, _ = await self._held(db, dispatch_id)
            said = await store.said(db, held.id)
            if noted_at is not None and said.arrived_noted_at == noted_at:
                return
            dispatch, resident = await self._hers(
                db, session, dispatch_id, ("accepted",), Action.DISPATCH_ARRIVED
            )
            entry = entered(noted_at, since=dispatch.asked_at, now=now)
            await store.arrive(db, dispatch.id, entry)
            await self._react(db, DispatchArrived(dispatch.about_id, session.staff.id, entry.at))
            await self._record(
                db, Action.DISPATCH_ARRIVED, session, resident, dispatch, entry.words
            )

    async def close(
        self, session: StaffSession, dispatch_id: DispatchId, outcome: str,
        found: Found = "somebody", *, noted_at: datetime | None = None,
    ) -> None:  # fmt: skip
        """Nobody found is a task for the unit at once (fails loud). `noted_at` as in `arrive`.

        Raises NotFound, NotYourDispatch, DispatchClosed, FieldInvalid.
        """
        now = self._clock.now()
        async with self._database.transaction(session.tenant, actor_text(session.actor)) as db:
            held, _ = await self._held(db, dispatch_id)
            said = await store.said(db, held.id)
            if noted_at is not None and said.done_noted_at == noted_at:
                return
            dispatch, resident = await self._hers(
                db, session, dispatch_id, ("arrived",), Action.DISPATCH_DONE
            )
            entry = entered(noted_at, since=said.arrived_at or dispatch.asked_at, now=now)
            await store.close(db, dispatch.id, outcome, entry)
            until = now + AFTER_DISPATCH
            await access_store.close_assignments(db, "dispatch", dispatch.id, until)
            if found == "nobody":
                nobody = NobodyThere(
                    dispatch.about_id, dispatch.id, resident.id, dispatch.unit_id, entry.at
                )
                await self._react(db, nobody)
            more: Document = {"found": found, "outcome": outcome, **entry.words}
            await self._record(db, Action.DISPATCH_DONE, session, resident, dispatch, more)

    async def _held(
        self, db: Transaction, dispatch_id: DispatchId
    ) -> tuple[store.Dispatch, Resident]:
        dispatch = await store.hold(db, dispatch_id)
        if dispatch is None:
            raise NotFound
        return dispatch, await known(db, dispatch.resident_id)

    async def _hers(
        self,
        db: Transaction,
        session: StaffSession,
        dispatch_id: DispatchId,
        states: Container[store.State],
        tried: Action,
    ) -> tuple[store.Dispatch, Resident]:
        """An arrival counts as contact with a resident: only she who goes may say it."""
        dispatch, resident = await self._held(db, dispatch_id)
        if dispatch.accepted_by != session.staff.id:
            what: Document = {"dispatch_id": str(dispatch.id)}
            record = refused(Code.NOT_YOUR_DISPATCH, tried, session.actor, [resident.person], what)
            raise NotYourDispatch(Kept(record))
        if dispatch.state not in states:
            raise DispatchClosed
        return dispatch, resident

    async def _record(
        self,
        db: Transaction,
        action: Action,
        session: StaffSession,
        resident: Resident,
        dispatch: store.Dispatch,
        more: Document | None = None,
    ) -> None:
        db.changed(unit_topic(dispatch.unit_id))
        what: Document = {"dispatch_id": str(dispatch.id), "outcome": None, **(more or {})}
        await append(db, Record(action, session.actor, [resident.person], what))

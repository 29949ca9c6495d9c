"""Asking somebody to go to a home, and what became of it."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from telecare.access import store as access_store
from telecare.access.model import StaffSession
from telecare.access.service import React, stays, unit_topic
from telecare.audit.actions import Action
from telecare.audit.append import append
from telecare.audit.model import Actor, Person, Record, actor_text
from telecare.dispatches import store
from telecare.dispatches.model import DispatchAccepted, DispatchArrived
from telecare.people.model import Resident
from telecare.people.service import known
from telecare.runtime.clock import Clock
from telecare.runtime.db import Database, Transaction
from telecare.runtime.errors import NotFound, TelecareError
from telecare.wire.errors import Code
from telecare.wire.ids import AssignmentId, CareUnitId, DispatchId, StaffId, new_row_id

AFTER_DISPATCH = timedelta(minutes=60)


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

    async def accept(self, session: StaffSession, dispatch_id: DispatchId) -> None:
        """ "Jag åker": the first wins, and is assigned to the person until it is done."""
        now = self._clock.now()
        async with self._database.transaction(session.tenant, actor_text(session.actor)) as db:
            await stays(db, session, Action.DISPATCH_ACCEPTED, now)
            dispatch, resident = await self._held(db, dispatch_id, "asked")
            await store.accept(db, dispatch.id, session.staff.id, now)
            await assign_to(db, dispatch, session.staff.id, now)
            await self._react(db, DispatchAccepted(dispatch.about_id, now))
            await self._record(db, Action.DISPATCH_ACCEPTED, session, resident, dispatch)

    async def arrive(self, session: StaffSession, dispatch_id: DispatchId) -> None:
        now = self._clock.now()
        async with self._database.transaction(session.tenant, actor_text(session.actor)) as db:
            dispatch, resident = await self._held(db, dispatch_id, "accepted")
            await store.arrive(db, dispatch.id, now)
            await self._react(db, DispatchArrived(dispatch.about_id, session.staff.id, now))
            await self._record(db, Action.DISPATCH_ARRIVED, session, resident, dispatch)

    async def close(self, session: StaffSession, dispatch_id: DispatchId, outcome: str) -> None:
        now = self._clock.now()
        async with self._database.transaction(session.tenant, actor_text(session.actor)) as db:
            dispatch, resident = await self._held(db, dispatch_id, "arrived")
            await store.close(db, dispatch.id, outcome, now)
            until = now + AFTER_DISPATCH
            await access_store.close_assignments(db, "dispatch", dispatch.id, until)
            await self._record(
                db, Action.DISPATCH_DONE, session, resident, dispatch, outcome=outcome
            )

    async def _held(
        self, db: Transaction, dispatch_id: DispatchId, state: store.State
    ) -> tuple[store.Dispatch, Resident]:
        dispatch = await store.hold(db, dispatch_id)
        if dispatch is None:
            raise NotFound
        if dispatch.state != state:
            raise DispatchClosed
        return dispatch, await known(db, dispatch.resident_id)

    async def _record(
        self,
        db: Transaction,
        action: Action,
        session: StaffSession,
        resident: Resident,
        dispatch: store.Dispatch,
        *,
        outcome: str | None = None,
    ) -> None:
        db.changed(unit_topic(dispatch.unit_id))
        what = {"dispatch_id": str(dispatch.id), "outcome": outcome}
        await append(db, Record(action, session.actor, [resident.person], what))

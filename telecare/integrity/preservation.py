"""Bevarandestopp, and what has been erased: what a reviewer decides and sees.

One proposes, another approves; lifting takes two as well. A proposal holds at once, for what falls
meanwhile cannot be brought back (docs/decisions/0013).
"""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from uuid import UUID

from telecare.access.model import StaffSession
from telecare.audit.actions import Action
from telecare.audit.append import Kept, append
from telecare.audit.format import Document
from telecare.audit.model import Person, Record, actor_text, refused
from telecare.integrity import erasing_store, erasures_store
from telecare.integrity import preservation_store as store
from telecare.integrity.erasing_store import Retention
from telecare.integrity.erasures import Erasure
from telecare.integrity.preservation_store import Hold, Scope
from telecare.integrity.reading import persons_of, record_reading
from telecare.integrity.searching import check_order
from telecare.runtime.clock import Clock
from telecare.runtime.db import Database, Transaction
from telecare.runtime.errors import NotFound, Refusal, TelecareError
from telecare.wire.errors import Code
from telecare.wire.ids import ResidentId, new_row_id

MOST_ERASURES = 100


class HoldNamesNothing(TelecareError):
    """A person, a kind of event or a time: one of them at least."""

    status = 422
    code = Code.HOLD_NAMES_NOTHING


class HoldClosed(TelecareError):
    """Somebody has decided already, or nothing waits for a decision."""

    code = Code.HOLD_CLOSED


class HoldNeedsAnother(Refusal):
    """Whoever proposed it does not decide it."""

    code = Code.HOLD_NEEDS_ANOTHER


@dataclass(frozen=True, slots=True)
class Shown:
    """What the page shows. `retention`: None when nobody has decided for how long."""

    holds: Sequence[Hold]
    erasures: Sequence[Erasure]
    retention: Retention | None
    resident: Person | None


class Preservation:
    """`database` decides and records; `reader` (role reader) sees the log."""

    def __init__(self, database: Database, reader: Database, clock: Clock) -> None:
        self._database = database
        self._reader = reader
        self._clock = clock

    async def shown(self, session: StaffSession, resident_id: ResidentId | None) -> Shown:
        """Recorded with whoever is named in it. `resident_id`: whom a hold may be proposed for.

        Raises NotFound.
        """
        async with self._by(session) as db:
            holds = await store.in_force(db)
            named = {one.scope.resident_id for one in holds} | {resident_id}
            persons = await persons_of(db, [one for one in named if one is not None])
        resident = next((one for one in persons if one.id == resident_id), None)
        if resident_id is not None and resident is None:
            raise NotFound
        await record_reading(self._database, session, Action.HOLDS_READ, persons, {})
        async with self._reader.transaction(session.tenant) as db:
            erasures = await erasures_store.erasures(db, MOST_ERASURES)
            retention = await erasing_store.retention(db, self._clock.now())
        return Shown(holds, erasures, retention, resident)

    async def propose(
        self,
        session: StaffSession,
        scope: Scope,
        *,
        reason: str,
        decision: str,
        press: UUID | None = None,
    ) -> UUID:
        """Once for each `press`, which becomes its id.

        Raises HoldNamesNothing, EndBeforeStart, NotFound.
        """
        if scope == Scope():
            raise HoldNamesNothing("event", "since", "until")
        check_order(scope.since, scope.until)
        now = self._clock.now()
        hold_id = press or new_row_id(now)
        async with self._by(session) as db:
            persons = await _persons(db, scope)
            is_new = await store.add(
                db, hold_id, scope, reason=reason, decision=decision, by=session.staff.id, now=now
            )
            if not is_new:
                return hold_id
            hold = await self._held(db, hold_id)
            await append(db, _record(Action.HOLD_PROPOSED, session, persons, hold))
        return hold_id

    async def approve(self, session: StaffSession, hold_id: UUID) -> None:
        """Raises NotFound, HoldClosed, HoldNeedsAnother."""
        async with self._by(session) as db:
            hold, persons = await self._waiting(db, session, hold_id, Action.HOLD_APPROVED)
            if hold.approved is not None:
                raise HoldClosed
            await store.approve(db, hold_id, session.staff.id, self._clock.now())
            await append(db, _record(Action.HOLD_APPROVED, session, persons, hold))

    async def decline(self, session: StaffSession, hold_id: UUID) -> None:
        """Also by whoever proposed it. Raises NotFound, HoldClosed."""
        async with self._by(session) as db:
            hold = await self._held(db, hold_id)
            if hold.approved is not None:
                raise HoldClosed
            await store.decline(db, hold_id, session.staff.id, self._clock.now())
            persons = await _persons(db, hold.scope)
            await append(db, _record(Action.HOLD_DECLINED, session, persons, hold))

    async def propose_lift(self, session: StaffSession, hold_id: UUID, reason: str) -> None:
        """It holds until another approves. Raises NotFound, HoldClosed."""
        async with self._by(session) as db:
            hold = await self._held(db, hold_id)
            if hold.approved is None or hold.lift is not None:
                raise HoldClosed
            now = self._clock.now()
            await store.propose_lift(db, hold_id, session.staff.id, now, reason)
            persons = await _persons(db, hold.scope)
            more = {"lift_reason": reason}
            await append(db, _record(Action.HOLD_LIFT_PROPOSED, session, persons, hold, more))

    async def decline_lift(self, session: StaffSession, hold_id: UUID) -> None:
        """It goes on holding. Raises NotFound, HoldClosed."""
        async with self._by(session) as db:
            hold = await self._held(db, hold_id)
            if hold.lift is None:
                raise HoldClosed
            await store.decline_lift(db, hold_id)
            persons = await _persons(db, hold.scope)
            more = {"lift_reason": hold.lift_reason}
            await append(db, _record(Action.HOLD_LIFT_DECLINED, session, persons, hold, more))

    async def lift(self, session: StaffSession, hold_id: UUID) -> None:
        """Raises NotFound, HoldClosed, HoldNeedsAnother."""
        async with self._by(session) as db:
            hold, persons = await self._waiting(db, session, hold_id, Action.HOLD_LIFTED)
            if hold.lift is None:
                raise HoldClosed
            await store.lift(db, hold_id, session.staff.id, self._clock.now())
            more = {"lift_reason": hold.lift_reason}
            await append(db, _record(Action.HOLD_LIFTED, session, persons, hold, more))

    def _by(self, session: StaffSession) -> AbstractAsyncContextManager[Transaction]:
        return self._database.transaction(session.tenant, actor_text(session.actor))

    async def _held(self, db: Transaction, hold_id: UUID) -> Hold:
        """Raises NotFound, HoldClosed."""
        hold = await store.one(db, hold_id)
        if hold is None:
            raise NotFound
        if hold.is_over:
            raise HoldClosed
        return hold

    async def _waiting(
        self, db: Transaction, session: StaffSession, hold_id: UUID, tried: Action
    ) -> tuple[Hold, Sequence[Person]]:
        """Raises NotFound, HoldClosed, HoldNeedsAnother."""
        hold = await self._held(db, hold_id)
        persons = await _persons(db, hold.scope)
        if hold.proposed_by(session.staff.id):
            what: Document = {"hold_id": str(hold.id)}
            record = refused(Code.HOLD_NEEDS_ANOTHER, tried, session.actor, persons, what)
            raise HoldNeedsAnother(Kept(record))
        return hold, persons


async def _persons(db: Transaction, scope: Scope) -> Sequence[Person]:
    """Raises NotFound."""
    if scope.resident_id is None:
        return []
    found = await persons_of(db, [scope.resident_id])
    if not found:
        raise NotFound
    return found


def _record(
    action: Action,
    session: StaffSession,
    persons: Sequence[Person],
    hold: Hold,
    more: Document | None = None,
) -> Record:
    scope = hold.scope
    what: Document = {
        "event_held": scope.event,
        "hold_id": str(hold.id),
        "reason": hold.reason,
        "since": scope.since.isoformat() if scope.since else None,
        "until": scope.until.isoformat() if scope.until else None,
        **(more or {}),
    }
    return Record(action, session.actor, persons, what, {"decision": hold.decision})

"""Looking: made ready, her turn, what was seen. The check says when, the gate says whether."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import datetime

from telecare.access.model import StaffSession
from telecare.access.service import React, stays
from telecare.audit.actions import Action
from telecare.audit.append import append, append_all
from telecare.audit.format import Document
from telecare.audit.model import Record, actor_text
from telecare.calls import looking
from telecare.calls import store as call_store
from telecare.calls.model import Call, Reason, State
from telecare.calls.opening import close_call
from telecare.consent.gate import (
    CallerNotAllowed,
    ConsentMissing,
    EmergencyExcluded,
    ResidentAbsent,
    admit,
)
from telecare.nightchecks import agreements_store, store
from telecare.nightchecks.held import (
    CameraUnusable,
    camera_of,
    held,
    held_with_call,
    require_role,
    seen,
    take_on_alone,
)
from telecare.nightchecks.model import (
    ABSENT,
    Check,
    CheckClosed,
    Cut,
    NoMoreTime,
    Outcome,
    WrongPicture,
)
from telecare.nightchecks.planning import SYSTEM
from telecare.nightchecks.service import WITHOUT, move
from telecare.people.model import Resident
from telecare.people.service import known
from telecare.runtime.clock import Clock
from telecare.runtime.db import Database, Transaction
from telecare.runtime.errors import NotFound
from telecare.wire import edge
from telecare.wire.ids import CallId, CheckId

Move = Callable[[Check, datetime], Check]


class NightLooks:
    """`stamp_of`: what a call's unit said last of its own clock."""

    def __init__(
        self, database: Database, clock: Clock, react: React,
        stamp_of: Callable[[CallId], edge.Stamp | None],
    ) -> None:  # fmt: skip
        self._database = database
        self._clock = clock
        self._react = react
        self._stamp_of = stamp_of

    async def make_ready(self, session: StaffSession, check_id: CheckId) -> CallId:
        """The home connects, and shows nothing; at most 30 s. Asked again it is the same.

        Raises NotFound, NotPermitted, NotOnShift, RoomNotPrivate, CheckTaken, CheckNotDue,
        CheckClosed, CameraUnusable, what the gate raises, and Busy. What the gate refuses goes
        on without a camera, and a camera that is gone is a visit.
        """
        return await self._or_without(session, check_id, self._make_ready)

    async def begin(self, session: StaffSession, check_id: CheckId) -> CallId:
        """Her turn: the camera opens. Raises as `make_ready`."""
        return await self._or_without(session, check_id, self._begin)

    async def conclude(self, session: StaffSession, check_id: CheckId, outcome: Outcome) -> None:
        """What she saw; the picture is closed in the same transaction.

        Raises NotFound, CheckClosed, CheckTaken, NothingSeen.
        """
        now = self._clock.now()
        async with self._by(session) as db:
            call, check = await held_with_call(db, check_id)
            after = check.conclude(outcome, session.staff.id, now)
            await self._over(db, session, call, check, after, Reason.LOOKED, now)

    async def cut(self, session: StaffSession, check_id: CheckId, why: Cut) -> None:
        """ "Stäng bilden", and what was wrong with it. A camera that shows another home, or has
        been moved, is blocked until a new installation test.

        Raises NotFound, CheckClosed, CheckTaken.
        """
        now = self._clock.now()
        async with self._by(session) as db:
            call, check = await held_with_call(db, check_id)
            after = check.cut(why, session.staff.id, now)
            resident = await known(db, check.resident_id)
            agreement = await agreements_store.by_id(db, check.agreement_id)
            what: Document = {"check_id": str(check.id), "why": why}
            records = [Record(Action.LOOK_CUT, session.actor, [resident.person], what)]
            if why != "somebody_else" and agreement is not None and agreement.camera_id is not None:
                await agreements_store.block(db, agreement.camera_id, why, now)
                about: Document = {"camera_id": str(agreement.camera_id), "why": why}
                blocked = Record(Action.CAMERA_BLOCKED, session.actor, [resident.person], about)
                records.append(blocked)
            await self._over(db, session, call, check, after, Reason.CLOSED_AT_ONCE, now)
            await append_all(db, records)
            if why != "somebody_else":
                await self._react(db, WrongPicture(after, why, now))

    async def close_picture(self, session: StaffSession, check_id: CheckId) -> None:
        """Dark at once; what was wrong, or what she saw, is said afterwards.

        Raises NotFound, CheckTaken.
        """
        now = self._clock.now()
        async with self._by(session) as db:
            call, check = await held_with_call(db, check_id)
            if check.staff_id != session.staff.id:
                raise NotFound
            if call is not None:
                ended = await close_call(
                    db, call, Reason.CLOSED_AT_ONCE, session.actor, now=now, react=self._react
                )
                if ended is not None:
                    await append(db, ended)

    async def extend(self, session: StaffSession, check_id: CheckId) -> None:
        """As long again, at most twice, and never beyond what is consented to: the gate is passed
        anew. Raises NotFound, CheckClosed, CheckTaken, NoMoreTime, and what the gate raises.
        """
        now = self._clock.now()
        async with self._by(session) as db:
            resident = await known(db, (await seen(db, check_id)).resident_id)
            purpose, tried = looking.POLICY.purpose, Action.LOOK_EXTENDED
            basis = await admit(db, session.actor, resident, purpose, now, tried=tried)
            call, check = await held_with_call(db, check_id)
            agreement = await agreements_store.by_id(db, check.agreement_id)
            after = check.extend(session.staff.id)
            if call is None or agreement is None or not call.is_live:
                raise CheckClosed
            if not await looking.lengthen(
                db, call, after.extended, agreement.look_s, ends_at=basis.ends_at
            ):
                raise NoMoreTime
            await store.save(db, after)
            what: Document = {"check_id": str(check.id), "n": after.extended}
            await append(db, Record(Action.LOOK_EXTENDED, session.actor, [resident.person], what))

    # --- reactions ------------------------------------------------------------------------------

    async def shown(self, db: Transaction, call: Call, now: datetime) -> None:
        """The viewer has the first frame."""
        check = await store.hold_of_call(db, call.id)
        if check is not None:
            await move(db, check, check.shown(now), SYSTEM, now, self._react)

    async def call_closed(self, db: Transaction, call: Call, now: datetime) -> None:
        """However it ended: the seconds stay, and an outcome is owed or the check is due again."""
        check = await store.hold_of_call(db, call.id)
        if check is not None:
            after = check.look_ended(call.open_seconds, now)
            await move(db, check, after, SYSTEM, now, self._react)

    # --- parts ----------------------------------------------------------------------------------

    async def _or_without(
        self, session: StaffSession, check_id: CheckId,
        do: Callable[[StaffSession, CheckId], Awaitable[CallId]],
    ) -> CallId:  # fmt: skip
        """What stops a look never stops the check (its own transaction: the refusal ended ours)."""
        try:
            return await do(session, check_id)
        except (CallerNotAllowed, EmergencyExcluded):
            raise  # it is she who may not; a colleague may
        except ConsentMissing as refusal:
            why = WITHOUT.get(refusal.code, "refused")
            await self._go_on(session, check_id, lambda check, now: check.go_without(why, now))
            raise
        except ResidentAbsent:
            await self._go_on(session, check_id, lambda check, now: check.call_off(ABSENT, now))
            raise
        except CameraUnusable:
            await self._go_on(session, check_id, lambda check, now: check.fault(now))
            raise

    async def _go_on(self, session: StaffSession, check_id: CheckId, change: Move) -> None:
        now = self._clock.now()
        async with self._by(session) as db:
            call, check = await held_with_call(db, check_id)
            if call is not None:
                ended = await close_call(
                    db, call, Reason.NOT_USED, SYSTEM, now=now, react=self._react
                )
                check = await held(db, check_id)
            else:
                ended = None
            await move(db, check, change(check, now), SYSTEM, now, self._react)
            await append_all(db, [ended] if ended else [])

    async def _make_ready(self, session: StaffSession, check_id: CheckId) -> CallId:
        now = self._clock.now()
        async with self._by(session) as db:
            before, resident = await self._taken_on(db, session, check_id, now)
            if before.call_id is not None and before.staff_id == session.staff.id:
                return before.call_id
            endpoint, look = await camera_of(db, before, resident)
            made = await looking.prepare(
                db, session, resident, endpoint=endpoint, look=look, now=now
            )
            check = await held(db, check_id)
            after = check.make_ready(made.id, session.staff.id, now)
            await move(db, check, after, session.actor, now, self._react)
        return made.id

    async def _begin(self, session: StaffSession, check_id: CheckId) -> CallId:
        now = self._clock.now()
        async with self._by(session) as db:
            before, resident = await self._taken_on(db, session, check_id, now)
            endpoint, look = await camera_of(db, before, resident)
            call = await self._prepared(db, session, before, now)
            if call is None:
                call = await looking.prepare(
                    db, session, resident, endpoint=endpoint, look=look, now=now
                )
            opened = await looking.open_look(
                db, session, resident, call, look,
                stamp=self._stamp_of(call.id), now=now, react=self._react,
            )  # fmt: skip
            check = await held(db, check_id)
            after = check.connect(call.id, session.staff.id, now)
            await move(db, check, after, session.actor, now, self._react)
        return opened.call.id

    async def _prepared(
        self, db: Transaction, session: StaffSession, check: Check, now: datetime
    ) -> Call | None:
        """The call that she made ready, held, while its time has not run out."""
        if check.call_id is None or check.staff_id != session.staff.id:
            return None
        call = await call_store.hold(db, check.call_id)
        is_ready = call is not None and call.state is State.READY and now < call.ring_until
        return call if is_ready else None

    async def _taken_on(
        self, db: Transaction, session: StaffSession, check_id: CheckId, now: datetime
    ) -> tuple[Check, Resident]:
        """Not held: staff, assignment, gate and call come before it (architecture §1.11)."""
        tried = Action.CALL_PREPARED
        await stays(db, session, tried, now)
        check = await seen(db, check_id)
        resident = await known(db, check.resident_id)
        require_role(session, resident, tried)
        check.require_look(session.staff.id, now)
        await take_on_alone(db, session, check, tried, now)
        return check, resident

    async def _over(
        self, db: Transaction, session: StaffSession, call: Call | None, before: Check,
        after: Check, reason: Reason, now: datetime,
    ) -> None:  # fmt: skip
        """Save what was said, then close the picture: its end has nothing more to say."""
        if call is not None and call.opened_at is not None and before.shown_at is not None:
            shown_s = int((now - before.shown_at).total_seconds())
            after = replace(after, seen_s=before.seen_s + shown_s)
        action = Action.CHECK_CONCLUDED if reason is Reason.LOOKED else None
        await store.save(db, after)
        ended = None
        if call is not None:
            ended = await close_call(db, call, reason, session.actor, now=now, react=self._react)
        await move(db, before, after, session.actor, now, self._react, action)
        await append_all(db, [ended] if ended else [])

    def _by(self, session: StaffSession) -> AbstractAsyncContextManager[Transaction]:
        return self._database.transaction(session.tenant, actor_text(session.actor))

"""A home that needs a visit stays open to whoever saw it, until somebody is there."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import datetime

from telecare.access.model import StaffSession
from telecare.access.service import React, stays
from telecare.audit.actions import Action
from telecare.audit.append import append
from telecare.audit.format import Document
from telecare.audit.model import Record, actor_text
from telecare.calls import looking
from telecare.calls.model import CallEnded, Reason
from telecare.calls.opening import close_call
from telecare.consent.gate import admit
from telecare.nightchecks import agreements_store, store
from telecare.nightchecks.held import (
    camera_of,
    held,
    held_with_call,
    require_role,
    seen,
    take_on_alone,
)
from telecare.nightchecks.model import CheckTaken
from telecare.nightchecks.planning import SYSTEM
from telecare.nightchecks.service import move
from telecare.people.service import known
from telecare.runtime.clock import Clock
from telecare.runtime.db import Database, Transaction
from telecare.runtime.errors import TelecareError
from telecare.wire import edge
from telecare.wire.errors import Code
from telecare.wire.ids import CallId, CheckId


class SpeechNotAgreed(TelecareError):
    """Nobody has agreed that she may be spoken to through the camera."""

    code = Code.SPEECH_NOT_AGREED


class Staying:
    """`stamp_of`: what a call's unit said last of its own clock."""

    def __init__(
        self, database: Database, clock: Clock, react: React,
        stamp_of: Callable[[CallId], edge.Stamp | None],
    ) -> None:  # fmt: skip
        self._database = database
        self._clock = clock
        self._react = react
        self._stamp_of = stamp_of

    async def look_again(self, session: StaffSession, check_id: CheckId) -> CallId:
        """ "Titta igen", for as long as a look lasts; no outcome is asked for.

        Raises NotFound, NotPermitted, NotOnShift, RoomNotPrivate, CheckClosed, CheckTaken,
        LookedJustNow, CameraUnusable, what the gate raises, and Busy.
        """
        now, tried = self._clock.now(), Action.LOOKED_AGAIN
        async with self._by(session) as db:
            await stays(db, session, tried, now)
            before = await seen(db, check_id)
            resident = await known(db, before.resident_id)
            require_role(session, resident, tried)
            before.require_look_again(session.staff.id, now)
            await take_on_alone(db, session, before, tried, now)
            endpoint, look = await camera_of(db, before, resident)
            made = await looking.prepare(
                db, session, resident, endpoint=endpoint, look=look, now=now
            )
            opened = await looking.open_look(
                db, session, resident, made, look,
                stamp=self._stamp_of(made.id), now=now, react=self._react,
            )  # fmt: skip
            check = await held(db, check_id)
            after = check.look_again(made.id, session.staff.id, now)
            await move(db, check, after, session.actor, now, self._react, tried)
        return opened.call.id

    async def speak(self, session: StaffSession, check_id: CheckId) -> None:
        """ "Säg något": the home gives its signal first, then lets her voice through until the
        look is over. The gate is passed anew.

        Raises NotFound, NotPermitted, CheckTaken, SpeechNotAgreed, CallEnded, and what the gate
        raises.
        """
        now, tried = self._clock.now(), Action.SPEECH_ASKED
        async with self._by(session) as db:
            before = await seen(db, check_id)
            resident = await known(db, before.resident_id)
            require_role(session, resident, tried)
            await admit(db, session.actor, resident, looking.POLICY.purpose, now, tried=tried)
            call, check = await held_with_call(db, check_id)
            if check.staff_id != session.staff.id:
                raise CheckTaken
            agreement = await agreements_store.by_id(db, check.agreement_id)
            if agreement is None or not agreement.may_speak:
                raise SpeechNotAgreed
            if call is None or not call.is_live:
                raise CallEnded
            await looking.let_speak(db, call)
            what: Document = {"call_id": str(call.id), "check_id": str(check.id)}
            await append(db, Record(tried, session.actor, [resident.person], what))

    async def arrived(self, db: Transaction, check_id: CheckId, now: datetime) -> None:
        """Somebody is there: nobody looks in any more. `check_id` may be another's."""
        check = await store.by_id(db, check_id)
        if check is None or check.call_id is None:
            return
        call, _ = await held_with_call(db, check_id)
        if call is not None:
            ended = await close_call(
                db, call, Reason.SOMEBODY_THERE, SYSTEM, now=now, react=self._react
            )
            if ended is not None:
                await append(db, ended)

    def _by(self, session: StaffSession) -> AbstractAsyncContextManager[Transaction]:
        return self._database.transaction(session.tenant, actor_text(session.actor))

"""Use cases of calls: ring, answer, take, hang up; signals, reports, leases; what timers bring.

What opens and ends is in `opening`, call-ins in `call_in`.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from telecare.access import store as access_store
from telecare.access.model import ScreenSession, StaffSession
from telecare.access.service import session_now
from telecare.audit.actions import Action
from telecare.audit.append import Kept, append, append_all
from telecare.audit.format import Document
from telecare.audit.model import HomeActor, Record, actor_text, refused
from telecare.calls import call_in, store
from telecare.calls.home_messages import unit_signal, units
from telecare.calls.model import (
    DARK_LIMIT,
    Call,
    CallEnded,
    CallInUnanswered,
    CallNotRinging,
    CallTaken,
    Kind,
    LookShown,
    Reason,
    State,
)
from telecare.calls.opening import (
    HOME_LOST,
    NOT_CONNECTED,
    STAFF_LOST,
    SYSTEM,
    React,
    close_call,
    end_call,
    give_way,
    lease_topic,
    open_call,
    open_unit,
    ring,
    signal_topic,
    tell,
)
from telecare.calls.turn import TurnServer
from telecare.consent.gate import admit, covered, hold_with_us
from telecare.consent.model import Purpose
from telecare.devices import store as device_store
from telecare.devices.model import Unit
from telecare.devices.outgoing import Addressee, to_unit
from telecare.people import store as people_store
from telecare.people.model import Resident
from telecare.people.service import known, resident_topic
from telecare.runtime.clock import Clock
from telecare.runtime.db import Database, Transaction
from telecare.runtime.errors import NotFound, Refusal
from telecare.runtime.timers import Due, cancel_timers, set_timer
from telecare.wire import edge, topics
from telecare.wire.errors import Code
from telecare.wire.ids import (
    CallId,
    EndpointId,
    ResidentId,
    StaffId,
)
from telecare.wire.signalling import SignalKind

AUTO_ANSWER_EARLY = timedelta(seconds=2)
"""The countdown on a screen may be this much ahead of the server's."""
NEARLY = timedelta(seconds=1)
"""A unit's hard stop may come this much before ours."""


class NotYourCall(Refusal):
    code = Code.NOT_YOUR_CALL


class NotByItself(Refusal):
    """The screen answered by itself without a consent that covers this caller now."""

    code = Code.CONSENT_MISSING


class Calls:
    """Use cases of calls. `react` carries what follows in other packages, same transaction."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        react: React,
        stamp_of: Callable[[CallId], edge.Stamp | None],
        turn: TurnServer | None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._react = react
        self.stamp_of = stamp_of
        self.turn = turn

    # --- from the console ------------------------------------------------------------------

    async def ring(self, session: StaffSession, resident_id: ResidentId) -> CallId:
        """An unplanned video call to a resident she is assigned to."""
        now = self._clock.now()
        async with self._by(session) as db:
            resident = await known(db, resident_id)
            call = await ring(
                db, session, resident, Kind.VIDEO_CALL, visit_id=None, now=now, react=self._react
            )
        return call.id

    async def take(self, session: StaffSession, call_id: CallId) -> None:
        """Answer a call-in."""
        now = self._clock.now()
        async with self._by(session) as db:
            opened = await call_in.take(db, session, call_id, now=now, react=self._react)
            await open_unit(db, opened.call, now, self.stamp_of(call_id))

    async def hang_up(self, session: StaffSession, call_id: CallId) -> None:
        now = self._clock.now()
        async with self._by(session) as db:
            call = await self._held(db, call_id)
            await self._mine(db, session, call)
            reason = Reason.HUNG_UP_BY_STAFF if call.is_live else Reason.CANCELLED
            await end_call(db, call, reason, session.actor, now=now, react=self._react)

    # --- from the home ----------------------------------------------------------------------

    async def call_in(self, session: ScreenSession | Unit, press: UUID | None = None) -> CallId:
        """She rings. Never refused while she is with us: without consent, or registered absent,
        it will open with sound only.

        While somebody rings her, her press answers; while she is in a call, it is that call.
        `press` makes a retransmission the same call.
        """
        now = self._clock.now()
        actor = session.actor
        async with self._database.transaction(session.tenant, actor_text(actor)) as db:
            resident = await known(db, actor.resident_id)
            await hold_with_us(db, actor, resident, now, tried=Action.CALL_CALLED_IN)
            if press is not None and (same := await store.by_press(db, press)) is not None:
                return same
            given_way = await give_way(db, resident, now=now, react=self._react)
            await append_all(db, given_way)
            live = await store.live_of_resident(db, resident.id)
            if live is None:
                return (await call_in.begin(db, resident, actor, press=press, now=now)).id
        ringing = await self._ringing_for(session, live)
        if ringing:
            await self.answer(session, live)
        return live

    async def answer(
        self,
        session: ScreenSession | Unit,
        call_id: CallId,
        *,
        by_itself: bool = False,
        stamp: edge.Stamp | None = None,
    ) -> None:
        """Somebody pressed Svara; the first, decided here, wins. The gate is passed anew."""
        now = self._clock.now()
        actor = session.actor
        async with self._database.transaction(session.tenant, actor_text(actor)) as db:
            seen = await store.by_id(db, call_id)
            if seen is None or seen.resident_id != actor.resident_id:
                raise NotFound
            if seen.state is State.ENDED:
                raise CallEnded
            if seen.kind is Kind.LOOK:
                raise CallNotRinging
            caller = await self._caller(db, seen, now)
            resident = await known(db, seen.resident_id)
            basis = await admit(
                db, caller.actor, resident, seen.policy.purpose, now, tried=Action.CALL_ANSWERED
            )
            if by_itself:
                await self._check_by_itself(db, caller, resident, seen, now)
            call = await self._held(db, call_id)
            opened = await open_call(
                db,
                call,
                basis.document(),
                home_picture=True,
                ends_at=basis.ends_at,
                endpoint_id=actor.endpoint_id,
                by_itself=by_itself,
                actor=actor,
                person=resident.person,
                now=now,
                react=self._react,
            )
            await self._stop_others(db, opened.call, actor)
            await open_unit(db, opened.call, now, stamp)

    async def decline(self, session: ScreenSession | Unit, call_id: CallId) -> None:
        await self._end_at_home(session, call_id, Reason.DECLINED)

    async def hang_up_at_home(self, session: ScreenSession | Unit, call_id: CallId) -> None:
        await self._end_at_home(session, call_id, Reason.HUNG_UP_AT_HOME)

    async def face(
        self, session: ScreenSession, call_id: CallId, face: Literal["good", "so_so", "bad"] | None
    ) -> None:
        """How the call felt; silence (None) is stored as no answer and asked no more today."""
        now = self._clock.now()
        async with self._database.transaction(session.tenant) as db:
            call = await store.by_id(db, call_id)
            if call is None or call.resident_id != session.actor.resident_id:
                raise NotFound
            resident = await known(db, call.resident_id)
            await store.add_face(db, call_id, face, now)
            db.changed(resident_topic(resident.id))
            what = {"call_id": str(call_id), "face": face}
            await append(db, Record(Action.FACE_LEFT, session.actor, [resident.person], what))

    # --- both -------------------------------------------------------------------------------

    async def signal(
        self,
        session: StaffSession | ScreenSession | Unit,
        call_id: CallId,
        *,
        generation: int,
        kind: SignalKind,
        body: str,
        page: UUID | None = None,
    ) -> None:
        """SDP or a candidate for the other end. Only the two ends of a live call, and while it
        rings of one that connects early. For a page it is a row; a unit is told at once.

        `page`: the sending page; one that was replaced by a newer page is refused (CallTaken).
        """
        async with self._database.transaction(session.tenant) as db:
            call = await store.by_id(db, call_id)
            if call is None:
                raise NotFound
            to = self._other_end(session, call)
            own: store.Party = "staff" if to == "home" else "home"
            if page is not None and await store.page_of(db, call_id, own) not in (None, page):
                raise CallTaken
            if not (call.is_live or call.connects_early):
                raise CallEnded
            if to == "home" and await self._signal_unit(db, call, generation, kind, body):
                return
            if not await store.add_signal(
                db, call_id, to, generation=generation, kind=kind, body=body
            ):
                raise CallEnded
            db.changed(signal_topic(call_id))

    async def report(
        self,
        session: StaffSession | ScreenSession | Unit,
        call_id: CallId,
        what: Literal["first_frame", "dark", "lit"],
    ) -> None:
        """What an end sees: a first frame makes the call seen; the home goes dark or lit."""
        now = self._clock.now()
        async with self._database.transaction(session.tenant) as db:
            call = await self._held(db, call_id)
            is_home = self._other_end(session, call) == "staff"
            if what == "first_frame":
                changed, action = call.seen(now), Action.CALL_SEEN
            elif what == "dark":
                changed, action = call.darken(now), Action.CALL_WENT_DARK
            else:
                changed, action = call.light(), Action.CALL_LIT_AGAIN
            if what == "first_frame" and not is_home and call.kind is Kind.LOOK and call.is_live:
                await self._react(db, LookShown(call, now))
            if changed == call or (what != "first_frame" and not is_home):
                return
            await store.save(db, changed)
            if what == "first_frame":
                await cancel_timers(db, [NOT_CONNECTED], call_id)
            elif what == "dark":
                await set_timer(db, HOME_LOST, call_id, now + DARK_LIMIT)
            else:
                await cancel_timers(db, [HOME_LOST], call_id)
            tell(db, changed)
            resident = await known(db, call.resident_id)
            record = Record(action, session.actor, [resident.person], {"call_id": str(call_id)})
            await append(db, record)

    async def lets_speak(self, unit: Unit, call_id: CallId) -> None:
        """The home has given its signal and plays the viewer's voice."""
        async with self._database.transaction(unit.tenant, actor_text(unit.actor)) as db:
            call = await store.hold(db, call_id)
            if call is None or call.endpoint_id != unit.endpoint_id or call == call.speaks():
                return
            await store.save(db, call.speaks())
            tell(db, call)
            resident = await known(db, call.resident_id)
            what: Document = {"call_id": str(call_id)}
            await append(db, Record(Action.SPEECH_BEGAN, unit.actor, [resident.person], what))

    async def stopped_at_home(self, unit: Unit, call_id: CallId) -> None:
        """A unit has closed everything of this call by itself. A look is over then; a talk has its
        30 s to come back.
        """
        now = self._clock.now()
        async with self._database.transaction(unit.tenant, actor_text(unit.actor)) as db:
            call = await store.hold(db, call_id)
            if call is None or call.kind is not Kind.LOOK or call.endpoint_id != unit.endpoint_id:
                return
            is_over = call.must_end is not None and now >= call.must_end - NEARLY
            reason = Reason.TIME_OVER if is_over else Reason.CONNECTION_LOST
            await end_call(db, call, reason, unit.actor, now=now, react=self._react)

    async def join(
        self, session: StaffSession | ScreenSession, call_id: CallId, page: UUID
    ) -> None:
        """This page speaks for its end from now on; an older page of the same end is replaced."""
        async with self._database.transaction(session.tenant) as db:
            call = await store.by_id(db, call_id)
            if call is None:
                raise NotFound
            to = self._other_end(session, call)
            await store.set_page(db, call_id, "staff" if to == "home" else "home", page)
            await cancel_timers(db, [STAFF_LOST if to == "home" else HOME_LOST], call_id)
            tell(db, call)

    async def open_again(self, unit: Unit, call_id: CallId, stamp: edge.Stamp) -> bool:
        """Say "opened" once more to the unit that holds this call; False when it does not."""
        now = self._clock.now()
        async with self._database.transaction(unit.tenant) as db:
            call = await store.by_id(db, call_id)
            if call is None or call.endpoint_id != unit.endpoint_id:
                return False
            if call.is_live:
                await open_unit(db, call, now, stamp)
            elif call.state is State.READY:
                return True
            elif call.state is State.ENDED:
                over = edge.HangUp(call_id=call_id, reason=str(call.end_reason))
                addressee = Addressee(unit.id, unit.mac_key)
                db.after_commit(to_unit(addressee, topics.Down.CALL, over))
            return call.state is not State.RINGING or call.staff_id is None

    async def renew_leases(self) -> list[store.Renewed]:
        """Each second: every live call's lease, in one statement (architecture §1.5)."""
        async with self._database.across_tenants() as db:
            renewed = list(await store.renew_leases(db))
            for lease in renewed:
                db.changed(lease_topic(lease.call_id))
        return renewed

    async def suspect_all(self) -> None:
        """After a start: whatever is live must be heard from again within DARK_LIMIT.

        Without this a call whose two ends died with the server would keep its home busy.
        """
        now = self._clock.now()
        for lease in await self.renew_leases():
            async with self._database.transaction(lease.tenant) as db:
                for kind in (HOME_LOST, STAFF_LOST):
                    await set_timer(db, kind, lease.call_id, now + DARK_LIMIT)

    async def lost(
        self,
        session: StaffSession | ScreenSession | Unit,
        call_id: CallId,
        page: UUID | None = None,
    ) -> None:
        """An end's connection to us went away; it has 30 s to come back, as any page of its.

        `page`: the page that went; when a newer one speaks for the end, nothing was lost.
        """
        now = self._clock.now()
        async with self._database.transaction(session.tenant) as db:
            call = await store.by_id(db, call_id)
            if call is None or not call.is_live:
                return
            is_staff = self._other_end(session, call) == "home"
            own: store.Party = "staff" if is_staff else "home"
            if page is not None and await store.page_of(db, call_id, own) != page:
                return
            await store.set_page(db, call_id, own, None)
            await set_timer(db, STAFF_LOST if is_staff else HOME_LOST, call_id, now + DARK_LIMIT)
            tell(db, call)

    async def back(self, session: StaffSession | ScreenSession | Unit, call_id: CallId) -> None:
        """An end is heard from again. A console that reloads takes the call to its new page."""
        async with self._database.transaction(session.tenant) as db:
            call = await store.by_id(db, call_id)
            if call is None or not call.is_live:
                return
            is_staff = self._other_end(session, call) == "home"
            await cancel_timers(db, [STAFF_LOST if is_staff else HOME_LOST], call_id)

    # --- timers (app.py) --------------------------------------------------------------------

    async def ring_over(self, db: Transaction, due: Due, now: datetime) -> None:
        call = await store.hold(db, CallId(due.subject))
        if call is None or call.state not in (State.RINGING, State.READY):
            return
        if call.state is State.READY:
            await end_call(db, call, Reason.NOT_USED, SYSTEM, now=now, react=self._react)
            return
        if call.kind is Kind.CALL_IN:
            await self._react(db, CallInUnanswered(call, now))
        await end_call(db, call, Reason.NO_ANSWER, SYSTEM, now=now, react=self._react)

    async def next_unit(self, db: Transaction, due: Due, now: datetime) -> None:
        call = await store.hold(db, CallId(due.subject))
        if call is not None:
            await call_in.pass_on(db, call, now)

    async def time_over(self, db: Transaction, due: Due, now: datetime) -> None:
        await self._end_by_timer(db, due, now, Reason.TIME_OVER)

    async def not_connected(self, db: Transaction, due: Due, now: datetime) -> None:
        await self._end_by_timer(db, due, now, Reason.NO_CONNECTION)

    async def end_lost(self, db: Transaction, due: Due, now: datetime) -> None:
        await self._end_by_timer(db, due, now, Reason.CONNECTION_LOST)

    async def _end_by_timer(self, db: Transaction, due: Due, now: datetime, reason: Reason) -> None:
        call = await store.hold(db, CallId(due.subject))
        if call is not None and call.is_live:
            await end_call(db, call, reason, SYSTEM, now=now, react=self._react)

    # --- reactions: what takes a permission away ends the call in the same transaction --------

    async def end_of_resident(
        self, db: Transaction, resident_id: ResidentId, purpose: Purpose, now: datetime
    ) -> Sequence[Record]:
        """A consent is gone. A conversation she began herself goes on without her picture. Its
        record is for the caller to enter.
        """
        live = await store.live_of_resident(db, resident_id)
        call = await store.hold(db, live) if live is not None else None
        if call is None or purpose not in (call.policy.purpose, Purpose.AUTO_ANSWER):
            return ()
        if purpose is Purpose.AUTO_ANSWER:
            if call.state is State.RINGING:
                await store.save(db, replace(call, answers_itself_at=None))
                tell(db, call)
        elif call.kind is not Kind.CALL_IN or await self._unit_sends(db, call):
            why = Reason.CONSENT_WITHDRAWN
            ended = await close_call(db, call, why, SYSTEM, now=now, react=self._react)
            return [ended] if ended else ()
        elif call.home_picture:
            await store.save(db, call.without_home_picture())
            tell(db, call)
        return ()

    async def end_of_absent(
        self, db: Transaction, resident_id: ResidentId, now: datetime
    ) -> Sequence[Record]:
        """She is away: nobody is to be rung or seen there. What she began herself goes on without
        her picture. Its record is for the caller to enter.
        """
        live = await store.live_of_resident(db, resident_id)
        call = await store.hold(db, live) if live is not None else None
        if call is None:
            return ()
        if call.kind is Kind.CALL_IN and not await self._unit_sends(db, call):
            if call.home_picture:
                await store.save(db, call.without_home_picture())
                tell(db, call)
            return ()
        ended = await close_call(db, call, Reason.ABSENT, SYSTEM, now=now, react=self._react)
        return [ended] if ended else ()

    async def end_of_ended(
        self, db: Transaction, resident_id: ResidentId, reason: Reason, now: datetime,
        endpoint_id: EndpointId | None = None,
    ) -> Sequence[Record]:  # fmt: skip
        """Whatever connects anybody with her home, or with that one screen of it, ends: what she
        began too. Its record is for the caller to enter.
        """
        live = await store.live_of_resident(db, resident_id)
        call = await store.hold(db, live) if live is not None else None
        if call is None or endpoint_id not in (None, call.endpoint_id):
            return ()
        ended = await close_call(db, call, reason, SYSTEM, now=now, react=self._react)
        return [ended] if ended else ()

    async def _unit_sends(self, db: Transaction, call: Call) -> bool:
        """Her picture comes from a home unit, which cannot be told to go on with sound only:
        fails closed, the call ends."""
        endpoints = await device_store.endpoints(db, call.resident_id)
        return call.home_picture and any(
            e.kind == "unit" and e.id == call.endpoint_id for e in endpoints
        )

    async def end_of_staff(
        self, db: Transaction, staff_id: StaffId, reason: Reason, now: datetime,
        resident_id: ResidentId | None = None, *, besides: ResidentId | None = None,
    ) -> None:  # fmt: skip
        """Only with `resident_id` where that is given; never with `besides`."""
        live = await store.live_of_staff(db, staff_id)
        call = await store.hold(db, live) if live is not None else None
        if call is None or (resident_id is not None and call.resident_id != resident_id):
            return
        if call.resident_id == besides:
            return
        await end_call(db, call, reason, SYSTEM, now=now, react=self._react)

    # --- parts --------------------------------------------------------------------------------

    def _by(self, session: StaffSession) -> AbstractAsyncContextManager[Transaction]:
        return self._database.transaction(session.tenant, actor_text(session.actor))

    async def _held(self, db: Transaction, call_id: CallId) -> Call:
        call = await store.hold(db, call_id)
        if call is None:
            raise NotFound
        return call

    async def _ringing_for(self, session: ScreenSession | Unit, call_id: CallId) -> bool:
        async with self._database.transaction(session.tenant) as db:
            call = await store.by_id(db, call_id)
        return call is not None and call.state is State.RINGING and call.staff_id is not None

    async def _mine(self, db: Transaction, session: StaffSession, call: Call) -> None:
        if call.staff_id == session.staff.id:
            return
        found = await people_store.resident(db, call.resident_id)
        persons = [found.person] if found else []
        what = {"call_id": str(call.id)}
        record = refused(Code.NOT_YOUR_CALL, Action.CALL_ENDED, session.actor, persons, what)
        raise NotYourCall(Kept(record))

    def _other_end(self, session: StaffSession | ScreenSession | Unit, call: Call) -> store.Party:
        """Who the message is for. Raises NotFound for anybody who is neither end."""
        if isinstance(session, StaffSession):
            if call.staff_id == session.staff.id:
                return "home"
        elif session.actor.endpoint_id == call.home_end:
            return "staff"
        raise NotFound

    async def _caller(self, db: Transaction, call: Call, now: datetime) -> StaffSession:
        """Who rings, as the gate must see her now."""
        if call.staff_id is None or call.staff_session_id is None:
            raise CallEnded
        caller = await session_now(db, call.staff_id, call.staff_session_id, now)
        if caller is None:
            raise CallEnded
        return caller

    async def _check_by_itself(
        self, db: Transaction, caller: StaffSession, resident: Resident, call: Call, now: datetime
    ) -> None:
        auto = await covered(db, caller.actor, resident, Purpose.AUTO_ANSWER, now)
        at = call.answers_itself_at
        if isinstance(auto, Code) or at is None or now < at - AUTO_ANSWER_EARLY:
            code = auto if isinstance(auto, Code) else Code.CONSENT_MISSING
            what = {"call_id": str(call.id), "purpose": str(Purpose.AUTO_ANSWER)}
            record = refused(code, Action.CALL_ANSWERED, caller.actor, [resident.person], what)
            raise NotByItself(Kept(record))

    async def _stop_others(self, db: Transaction, call: Call, actor: HomeActor) -> None:
        stop = edge.StopRinging(call_id=call.id, reason="answered")
        for endpoint in await device_store.endpoints(db, call.resident_id):
            if endpoint.id != actor.endpoint_id:
                for addressee in units([endpoint]):
                    db.after_commit(to_unit(addressee, topics.Down.CALL, stop))

    async def _signal_unit(
        self, db: Transaction, call: Call, generation: int, kind: SignalKind, body: str
    ) -> bool:
        """False when the home's end is no unit. Each offer brings credentials of its own."""
        endpoints = await device_store.endpoints(db, call.resident_id)
        addressees = units([e for e in endpoints if e.id == call.home_end])
        relay_only = kind == "offer" and (await access_store.tenant(db)).relay_only
        message = unit_signal(
            call.id, generation, kind, body, turn=self.turn, relay_only=relay_only
        )
        for addressee in addressees:
            if message is not None:
                db.after_commit(to_unit(addressee, topics.Down.SIGNAL, message))
        return bool(addressees)

    async def _end_at_home(
        self, session: ScreenSession | Unit, call_id: CallId, reason: Reason
    ) -> None:
        now = self._clock.now()
        actor = session.actor
        async with self._database.transaction(session.tenant, actor_text(actor)) as db:
            call = await self._held(db, call_id)
            if call.resident_id != actor.resident_id:
                raise NotFound
            if call.is_live and call.endpoint_id != actor.endpoint_id:
                raise NotFound
            if call.state is State.RINGING and call.kind is Kind.CALL_IN:
                reason = Reason.CANCELLED
            await end_call(db, call, reason, actor, now=now, react=self._react)

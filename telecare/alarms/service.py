"""What is done about an alarm, by people and by time.

Nothing here asks for consent: receiving an alarm, and answering it, is what she pressed for. What
somebody does then in her home (a picture) passes the gate as always.
"""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from telecare.access import lists_store
from telecare.access import store as access_store
from telecare.access.errors import NotPermitted
from telecare.access.model import Permission, ScreenSession, StaffSession
from telecare.access.service import React, end_assignments, is_new_read, require, stays
from telecare.alarms import arriving, asking, store
from telecare.alarms.arriving import TIMER, UNANSWERED, tell_home
from telecare.alarms.asking import NEXT, tell
from telecare.alarms.model import (
    ASK_NEXT_AFTER,
    DEVIATION_AFTER,
    UNREACHABLE_AFTER,
    Alarm,
    AlarmForHead,
    AlarmTaking,
    AlarmUnanswered,
    Closing,
    Person,
    RangInVain,
    State,
    Why,
)
from telecare.alarms.receiving import last_heard
from telecare.audit.actions import Action
from telecare.audit.append import Kept, append, append_all
from telecare.audit.format import Document
from telecare.audit.model import Actor, Record, SystemActor, actor_text, refused
from telecare.dispatches import service as dispatches
from telecare.dispatches import store as dispatch_store
from telecare.people.model import Resident
from telecare.people.own_relation import relation_of
from telecare.people.service import close_follow_ups, closed_without_us, known
from telecare.runtime.clock import STOCKHOLM, Clock
from telecare.runtime.db import Database, Transaction
from telecare.runtime.errors import FieldInvalid, NotFound, Refusal
from telecare.runtime.timers import Due, cancel_timers, set_timer
from telecare.wire.errors import Code
from telecare.wire.ids import AlarmId, AssignmentId, ResidentId, StaffId, new_row_id

LEASE_OVER = "alarm.lease_over"
TAKEN = str(Action.ALARM_TAKEN)
"""Why the head's task about it is closed."""
LOOK_EVERY = timedelta(seconds=20)
FIGURES_OF = timedelta(days=30)
AFTER_ALARM = timedelta(minutes=60)
"""Who closed it may still see whom it was about, as after a home visit."""


class NotYourAlarm(Refusal):
    """Nobody has taken this alarm, or somebody else has."""

    code = Code.NOT_YOUR_ALARM


@dataclass(frozen=True, slots=True)
class View:
    """An alarm as its page shows it. `next_at`: when something is done by itself."""

    alarm: Alarm
    resident_name: str
    steps: Sequence[store.Step]
    next_at: datetime | None
    next_unit: str | None
    """Who is asked then; None: the unit's head."""
    causes: Sequence[tuple[UUID, str]]
    measures: Sequence[tuple[UUID, str]]


class Alarms:
    def __init__(self, database: Database, clock: Clock, react: React) -> None:
        self._database = database
        self._clock = clock
        self._react = react

    # --- from her own screen --------------------------------------------------------------------

    async def press_on_tv(self, session: ScreenSession, press: UUID) -> None:
        """ "Larma": the same press is the same alarm."""
        now = self._clock.now()
        async with self._database.transaction(session.tenant, actor_text(session.actor)) as db:
            await arriving.raised_on_tv(db, session.actor, press, now)

    async def cancel_on_tv(self, session: ScreenSession, alarm_id: AlarmId) -> None:
        """ "Jag tryckte fel", also of one that was raised by a button. Raises NotFound."""
        now = self._clock.now()
        async with self._database.transaction(session.tenant, actor_text(session.actor)) as db:
            alarm = await store.hold(db, alarm_id)
            if alarm is None or alarm.resident_id != session.actor.resident_id:
                raise NotFound
            await arriving.mark_cancelled(db, alarm, session.actor, now)

    # --- by staff -----------------------------------------------------------------------------

    async def view(self, session: StaffSession, alarm_id: AlarmId) -> View:
        """What has happened with it, for those who were asked. Raises NotFound, NotPermitted."""
        now = self._clock.now()
        async with self._by(session) as db:
            alarm = await store.by_id(db, alarm_id)
            if alarm is None:
                raise NotFound
            resident = await known(db, alarm.resident_id)
            if alarm.taken_by != session.staff.id:
                await self._is_asked(db, session, alarm, resident, Action.ALARM_READ, now)
            steps = await store.steps(db, alarm.id)
            due = alarm.lease_until or await store.next_at(db, alarm.id, NEXT)
            following = alarm.next_unit
            next_unit = await access_store.unit(db, following) if following else None
            items = await lists_store.items(db)
            if await is_new_read(db, session, "alarm", alarm.id, now):
                persons = [resident.person]
                await append(db, Record(Action.ALARM_READ, session.actor, persons, _what(alarm)))
        return View(
            alarm,
            resident.person.shown_name,
            steps,
            due,
            next_unit.name if next_unit else None,
            [(id_, name) for id_, list_, name in items if list_ == "cause"],
            [(id_, name) for id_, list_, name in items if list_ == "measure"],
        )

    async def figures(self, session: StaffSession) -> store.Figures:
        """Of the last thirty days, in the units she leads. Raises NotPermitted."""
        now = self._clock.now()
        async with self._by(session) as db:
            require(db, session, Permission.LEAD, Action.LIST_READ)
            units = session.staff.units_of(Permission.LEAD)
            return await store.figures(db, units, now - FIGURES_OF, now - DEVIATION_AFTER)

    async def take(self, session: StaffSession, alarm_id: AlarmId) -> None:
        """ "Svara på larm": the first wins, and is assigned to the person until it is closed.

        Raises NotFound, NotPermitted, AlarmTaken, AlarmClosed.
        """
        now = self._clock.now()
        async with self._by(session) as db:
            await stays(db, session, Action.ALARM_TAKEN, now)
            asked_for = await store.by_id(db, alarm_id)
            if asked_for is None:
                raise NotFound
            # Before the alarm is held: a call that ends holds itself first, and then her alarms.
            await self._react(db, AlarmTaking(session.staff.id, asked_for.resident_id, now))
            alarm, resident = await self._held(db, alarm_id)
            await self._may_take(db, session, alarm, resident, now)
            taken = alarm.take(session.staff.id, now)
            if taken == alarm:
                return
            await self._assign(db, taken, session.staff.id, now)
            await cancel_timers(db, [NEXT, UNANSWERED], alarm.id)
            await self._save(db, taken)
            heads = await close_follow_ups(db, "alarm_unanswered", [alarm.id], note=TAKEN, now=now)
            await store.add_step(db, alarm.id, "taken", now, staff_id=session.staff.id)
            await tell_home(db, taken, "taken", by=session.staff.shown_given_name)
            what: Document = {
                **_what(taken),
                "waited_s": int((now - alarm.received_at).total_seconds()),
                **await relation_of(db, session.staff.id, resident),
            }
            told = closed_without_us(heads, resident.person, session.actor, TAKEN)
            took = Record(Action.ALARM_TAKEN, session.actor, [resident.person], what)
            await append_all(db, [took, *told])

    async def note(self, session: StaffSession, alarm_id: AlarmId, text: str) -> None:
        """ "Anteckna". Raises NotFound, NotYourAlarm, AlarmClosed."""
        now = self._clock.now()
        async with self._by(session) as db:
            alarm, resident = await self._hers(db, session, alarm_id, Action.ALARM_NOTED)
            await self._save(db, alarm.go_on(now))
            what = {"text": text}
            await store.add_step(db, alarm.id, "noted", now, staff_id=session.staff.id, what=what)
            record = Record(
                Action.ALARM_NOTED, session.actor, [resident.person], {**_what(alarm), **what}
            )
            await append(db, record)

    async def talked(self, session: StaffSession, alarm_id: AlarmId, to: Person) -> None:
        """ "Talade i telefon", and with whom. Raises NotFound, NotYourAlarm, AlarmClosed."""
        now = self._clock.now()
        async with self._by(session) as db:
            alarm, resident = await self._hers(db, session, alarm_id, Action.ALARM_CONTACT)
            met = alarm.met("phone", to, now)
            if met != alarm:
                await self._met(db, met, resident, session.actor, session.staff.id, now)

    async def send(self, session: StaffSession, alarm_id: AlarmId) -> None:
        """ "Skicka personal": a home visit is asked for; asking again changes nothing.

        Raises NotFound, NotYourAlarm, AlarmClosed.
        """
        now = self._clock.now()
        async with self._by(session) as db:
            alarm, resident = await self._hers(db, session, alarm_id, Action.DISPATCH_ASKED)
            await self._save(db, alarm.go_on(now))
            is_new = await dispatches.ask(
                db,
                resident,
                unit_id=alarm.unit_id,
                about_id=alarm.id,
                by=session.staff.id,
                actor=session.actor,
                now=now,
            )
            if is_new:
                await store.add_step(db, alarm.id, "sent", now, staff_id=session.staff.id)

    async def give_back(self, session: StaffSession, alarm_id: AlarmId) -> None:
        """ "Lämna tillbaka". Raises NotFound, NotYourAlarm, AlarmClosed."""
        now = self._clock.now()
        async with self._by(session) as db:
            alarm, resident = await self._hers(db, session, alarm_id, Action.ALARM_RETURNED)
            await self._return(db, alarm, resident, "given_back", session.actor, now)

    async def close(self, session: StaffSession, alarm_id: AlarmId, closing: Closing) -> None:
        """ "Klar". Raises NotFound, NotYourAlarm, AlarmClosed, ContactMissing, FieldInvalid."""
        now = self._clock.now()
        async with self._by(session) as db:
            alarm, resident = await self._hers(db, session, alarm_id, Action.ALARM_CLOSED)
            closed = alarm.close()
            for id_, list_, field in (
                (closing.cause_id, "cause", "cause_id"),
                (closing.measure_id, "measure", "measure_id"),
            ):
                if not await lists_store.has(db, id_, list_):
                    raise FieldInvalid(field)
            await store.save(db, closed)
            await store.close(db, alarm.id, session.staff.id, closing, now)
            await store.add_step(db, alarm.id, "closed", now, staff_id=session.staff.id)
            await cancel_timers(db, [NEXT, UNANSWERED, LEASE_OVER], alarm.id)
            await access_store.close_assignments(db, "alarm", alarm.id, now + AFTER_ALARM)
            await tell_home(db, closed, "closed")
            tell(db, closed)
            what: Document = {
                **_what(closed),
                "cause_id": str(closing.cause_id),
                "end": str(closed.state),
                "measure_id": str(closing.measure_id),
                "pressed_by": closing.pressed_by,
            }
            await append(db, Record(Action.ALARM_CLOSED, session.actor, [resident.person], what))

    # --- by time ------------------------------------------------------------------------------

    async def ask_next(self, db: Transaction, due: Due, now: datetime) -> None:
        """Nobody took it: the next in the chain is asked too. After the last it is the head's, and
        goes on sounding everywhere (fails loud).
        """
        alarm = await store.hold(db, AlarmId(due.subject))
        if alarm is None or alarm.state is not State.NEW:
            return
        following = alarm.next_unit
        if following is None:
            await store.add_step(db, alarm.id, "heads", now)
            tell(db, alarm)
            await self._react(db, AlarmForHead(alarm, now))
            return
        asked = alarm.ask(following)
        await store.save(db, asked)
        await asking.ask_next(db, asked, following, now)
        tell(db, asked)
        resident = await known(db, alarm.resident_id)
        what: Document = {**_what(asked), "to_unit_id": str(following)}
        await append(db, Record(Action.ALARM_PASSED_ON, TIMER, [resident.person], what))

    async def unanswered(self, db: Transaction, due: Due, now: datetime) -> None:
        """Three minutes, and nobody has taken it: a deviation."""
        alarm = await store.hold(db, AlarmId(due.subject))
        if alarm is not None and alarm.state is State.NEW:
            await self._react(db, AlarmUnanswered(alarm, now))

    async def lease_over(self, db: Transaction, due: Due, now: datetime) -> None:
        """Whoever has taken it has done nothing since: it is in the queue again (fails loud)."""
        alarm = await store.hold(db, AlarmId(due.subject))
        if alarm is None or alarm.lease_until is None or alarm.state is not State.TAKEN:
            return
        is_on_the_way = await dispatch_store.is_on_the_way(db, alarm.id)
        why: Why = "not_arrived" if is_on_the_way else "idle"
        if not alarm.has_lapsed(now):
            if is_on_the_way or not await self._is_unreachable(db, alarm, now):
                await self._look_again(db, alarm, now)
                return
            why = "unreachable"
        resident = await known(db, alarm.resident_id)
        await self._return(db, alarm, resident, why, TIMER, now)

    async def hand_to(
        self, db: Transaction, alarm_id: AlarmId, giver: StaffId, to: StaffId | None, now: datetime
    ) -> bool:
        """From her hands into a colleague's, or (None) back to the queue; False: not hers."""
        alarm = await store.hold(db, alarm_id)
        if alarm is None or alarm.taken_by != giver:
            return False
        resident = await known(db, alarm.resident_id)
        why: Why = "left" if to is None else "given_back"
        await self._return(db, alarm, resident, why, SystemActor("hand-over"), now)
        if to is not None:
            back = await store.hold(db, alarm_id)
            assert back is not None  # noqa: S101 - held a moment ago
            taken = back.take(to, now)
            await self._assign(db, taken, to, now)
            await cancel_timers(db, [NEXT, UNANSWERED], alarm.id)
            await self._save(db, taken)
            await store.add_step(db, alarm.id, "taken", now, staff_id=to)
        return True

    # --- by what happens elsewhere (reactions.py) -----------------------------------------------

    async def called(
        self, db: Transaction, staff_id: StaffId, resident_id: ResidentId, now: datetime
    ) -> None:
        """She has spoken with the resident over a call of ours."""
        for alarm, resident in await self._held_about(db, staff_id, resident_id):
            met = alarm.met("call", "resident", now)
            if met != alarm:
                await self._met(db, met, resident, SystemActor("reaction"), staff_id, now)

    async def rang_in_vain(
        self, db: Transaction, staff_id: StaffId, resident_id: ResidentId, vain: RangInVain,
        now: datetime,
    ) -> None:  # fmt: skip
        """She has rung the home, and not spoken with anybody."""
        what: Document = {"seconds": int(vain.rang.total_seconds()), "why": vain.why}
        for alarm, _ in await self._held_about(db, staff_id, resident_id):
            await store.add_step(db, alarm.id, "rang", now, staff_id=staff_id, what=what)

    async def on_the_way(
        self, db: Transaction, about_id: AlarmId, arrive_by: datetime, now: datetime
    ) -> None:
        """Whoever was sent has said that she goes, and when she is there."""
        alarm = await store.hold(db, about_id)
        if alarm is None or alarm.state is not State.TAKEN:
            return
        await self._save(db, alarm.wait_for_arrival(arrive_by))
        await store.add_step(db, alarm.id, "on_the_way", now)

    async def there(self, db: Transaction, about_id: AlarmId, by: StaffId, now: datetime) -> None:
        """Whoever was sent is in the home."""
        alarm = await store.hold(db, about_id)
        if alarm is None or alarm.state in (State.CLOSED, State.CANCELLED, State.TESTED):
            return
        resident = await known(db, alarm.resident_id)
        met = alarm.met("arrival", "resident", now)
        if met != alarm:
            await self._met(db, met, resident, SystemActor("reaction"), by, now)

    # --- parts --------------------------------------------------------------------------------

    def _by(self, session: StaffSession) -> AbstractAsyncContextManager[Transaction]:
        return self._database.transaction(session.tenant, actor_text(session.actor))

    async def _held(self, db: Transaction, alarm_id: AlarmId) -> tuple[Alarm, Resident]:
        """Raises NotFound."""
        alarm = await store.hold(db, alarm_id)
        if alarm is None:
            raise NotFound
        return alarm, await known(db, alarm.resident_id)

    async def _held_about(
        self, db: Transaction, staff_id: StaffId, resident_id: ResidentId
    ) -> Sequence[tuple[Alarm, Resident]]:
        """The alarms of hers that she has taken."""
        held = [one for one in await store.held_by(db, staff_id) if one.person.id == resident_id]
        return [await self._held(db, AlarmId(one.id)) for one in held]

    async def _hers(
        self, db: Transaction, session: StaffSession, alarm_id: AlarmId, tried: Action
    ) -> tuple[Alarm, Resident]:
        """Raises NotFound, NotYourAlarm, AlarmClosed."""
        alarm, resident = await self._held(db, alarm_id)
        if not alarm.is_held_by(session.staff.id):
            raise NotYourAlarm(Kept(_no(Code.NOT_YOUR_ALARM, session, alarm, resident, tried)))
        return alarm, resident

    async def _may_take(
        self, db: Transaction, session: StaffSession, alarm: Alarm, resident: Resident,
        now: datetime,
    ) -> None:  # fmt: skip
        """One who takes alarms, in a unit that has been asked or covers one."""
        tried = Action.ALARM_TAKEN
        if not session.staff.may(Permission.ALARM):
            raise NotPermitted(Kept(_no(Code.NOT_PERMITTED, session, alarm, resident, tried)))
        await self._is_asked(db, session, alarm, resident, tried, now)

    async def _is_asked(
        self, db: Transaction, session: StaffSession, alarm: Alarm, resident: Resident,
        tried: Action, now: datetime,
    ) -> None:  # fmt: skip
        local = now.astimezone(STOCKHOLM)
        for unit in alarm.asked_units:
            if await access_store.covers(db, session.staff.works_in, unit, local=local):
                return
        raise NotPermitted(Kept(_no(Code.NOT_PERMITTED, session, alarm, resident, tried)))

    async def _assign(
        self, db: Transaction, alarm: Alarm, staff_id: StaffId, now: datetime
    ) -> None:
        await access_store.assign(
            db,
            AssignmentId(new_row_id(now)),
            staff_id=staff_id,
            resident_id=alarm.resident_id,
            source="alarm",
            source_id=alarm.id,
            valid_from=now,
            valid_until=None,
        )

    async def _save(self, db: Transaction, alarm: Alarm) -> None:
        await store.save(db, alarm)
        if alarm.lease_until is not None:
            await self._look_again(db, alarm, self._clock.now())
        else:
            await cancel_timers(db, [LEASE_OVER], alarm.id)
        tell(db, alarm)

    async def _look_again(self, db: Transaction, alarm: Alarm, now: datetime) -> None:
        assert alarm.lease_until is not None  # noqa: S101 - it is taken
        at = min(alarm.lease_until, now + LOOK_EVERY)
        await set_timer(db, LEASE_OVER, alarm.id, at)

    async def _is_unreachable(self, db: Transaction, alarm: Alarm, now: datetime) -> bool:
        """No console of hers has answered for a minute."""
        assert alarm.taken_by is not None  # noqa: S101 - it is taken
        assert alarm.taken_at is not None  # noqa: S101
        heard = await last_heard(db, alarm.taken_by)
        return now - max(heard or alarm.taken_at, alarm.taken_at) >= UNREACHABLE_AFTER

    async def _met(
        self, db: Transaction, met: Alarm, resident: Resident, actor: Actor, staff_id: StaffId,
        now: datetime,
    ) -> None:  # fmt: skip
        await self._save(db, met)
        what: Document = {"contact": met.contact, "with": met.contact_with}
        await store.add_step(db, met.id, "met", now, staff_id=staff_id, what=what)
        told: Document = {**_what(met), **what, "staff_id": str(staff_id)}
        await append(db, Record(Action.ALARM_CONTACT, actor, [resident.person], told))

    async def _return(
        self, db: Transaction, alarm: Alarm, resident: Resident, why: Why, actor: Actor,
        now: datetime,
    ) -> None:  # fmt: skip
        back = alarm.give_back(why, now)
        await self._save(db, back)
        await end_assignments(db, "alarm", alarm.id, now, self._react)
        await set_timer(db, NEXT, alarm.id, now + ASK_NEXT_AFTER)
        await set_timer(db, UNANSWERED, alarm.id, now + DEVIATION_AFTER)
        await store.add_step(
            db, alarm.id, "returned", now, staff_id=alarm.taken_by, what={"why": why}
        )
        await tell_home(db, back, "waiting")
        what: Document = {**_what(back), "from_staff_id": str(alarm.taken_by), "why": why}
        await append(db, Record(Action.ALARM_RETURNED, actor, [resident.person], what))


def _no(
    code: Code, session: StaffSession, alarm: Alarm, resident: Resident, tried: Action
) -> Record:
    return refused(code, tried, session.actor, [resident.person], _what(alarm))


def _what(alarm: Alarm) -> Document:
    return {"alarm_id": str(alarm.id)}

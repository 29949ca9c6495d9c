"""Planning, holding and concluding visits, and what happens when nobody does."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from telecare.absences import store as absence_store
from telecare.absences.model import Absence
from telecare.access import store as access_store
from telecare.access.model import Permission, StaffSession
from telecare.access.service import end_assignments, is_new_read, require_in, unit_topic
from telecare.audit.actions import Action
from telecare.audit.append import append
from telecare.audit.format import Document
from telecare.audit.model import Person, Record, SystemActor, actor_text
from telecare.calls import opening as calls
from telecare.calls.model import Call, Kind
from telecare.consent import store as consent_store
from telecare.consent.model import Purpose
from telecare.dispatches.service import ask
from telecare.people import store as people_store
from telecare.people.model import Cohabitant, Resident
from telecare.people.own_relation import unrelated
from telecare.people.relations_store import related_to
from telecare.people.service import (
    assigned,
    close_follow_ups,
    closed_without_us,
    known,
    make_follow_up,
    on_mission,
    resident_topic,
)
from telecare.runtime.clock import Clock
from telecare.runtime.db import Database, Transaction
from telecare.runtime.errors import FieldInvalid, NotFound
from telecare.runtime.timers import Due, cancel_timers, set_timer
from telecare.visits import store
from telecare.visits.model import (
    ASSIGNED_AFTER,
    ASSIGNED_BEFORE,
    HEAD_AFTER,
    UNFINISHED_AFTER,
    Insats,
    Outcome,
    Repeat,
    Step,
    Visit,
    VisitOverdue,
    VisitState,
    occurrences,
)
from telecare.wire.ids import (
    AssignmentId,
    CallId,
    CareUnitId,
    CohabitantId,
    EndingId,
    ResidentId,
    StaffId,
    VisitId,
    new_row_id,
)

React = Callable[[Transaction, object], Awaitable[None]]

MISSED = "visit.missed"
STEP_OVERDUE = "visit.step_overdue"
HEAD = "visit.to_head"
RING_AGAIN = "visit.ring_again"
TIMERS = [MISSED, STEP_OVERDUE, HEAD, RING_AGAIN]
SYSTEM = SystemActor("visit timer")
AWAY = "absence"
"""The note of a follow-up that closed because she was away."""


@dataclass(frozen=True, slots=True)
class Plan:
    """One visit or a series; `first` is a naive Swedish wall time."""

    resident_id: ResidentId
    insats_id: UUID
    first: datetime
    minutes: int
    staff_id: StaffId | None
    unit_id: CareUnitId | None
    to_do: tuple[str, ...]
    to_know: str
    repeat: Repeat | None


@dataclass(frozen=True, slots=True)
class Detail:
    """One visit as the page that holds it needs it."""

    visit: Visit
    insats: Insats
    resident: Resident
    last: tuple[datetime, int, str] | None
    lives_here: Sequence[Cohabitant]
    said_yes: frozenset[CohabitantId]
    """Those of them whose newest word on video visits is yes."""


class Visits:
    def __init__(self, database: Database, clock: Clock, react: React) -> None:
        self._database = database
        self._clock = clock
        self._react = react

    async def plan(self, session: StaffSession, plan: Plan) -> Sequence[VisitId]:
        """By who plans in her unit: a plan is an assignment.

        Raises NotPermitted, NotFound, FieldInvalid, SeriesEmpty.
        """
        now = self._clock.now()
        async with self._by(session) as db:
            resident = await known(db, plan.resident_id)
            require_in(db, session, Permission.PLAN, resident.unit_id, Action.VISIT_PLANNED)
            if plan.staff_id is not None:
                await unrelated(db, session, plan.staff_id, resident, Action.VISIT_PLANNED)
            visits = await plan_visits(db, plan, now)
            what: Document = {
                "count": len(visits),
                "first": visits[0].starts_at.isoformat(),
                "insats_id": str(plan.insats_id),
                "series_id": str(visits[0].series_id) if visits[0].series_id else None,
                "staff_id": str(plan.staff_id) if plan.staff_id else None,
                "visit_id": str(visits[0].id),
            }
            record = Record(Action.VISIT_PLANNED, session.actor, [resident.person], what)
            await append(db, record)
        return [visit.id for visit in visits]

    async def detail(self, session: StaffSession, visit_id: VisitId) -> Detail:
        """What to do and to know. A read of the resident: assigned, and recorded."""
        now = self._clock.now()
        async with self._by(session) as db:
            visit, resident = await self._seen(db, visit_id)
            await assigned(db, session, resident, Action.VISIT_READ, now)
            insats = await self._insats(db, visit.insats_id)
            last = await store.last_done(db, resident.id, now)
            cohabitants = await people_store.cohabitants(db, resident.id, now)
            consents = await consent_store.newest(db, resident.id, Purpose.VIDEO_VISIT)
            if await is_new_read(db, session, "visit", resident.id, now):
                what = {"visit_id": str(visit_id)}
                record = Record(Action.VISIT_READ, session.actor, [resident.person], what)
                await append(db, record)
        said_yes = frozenset(
            c.cohabitant_id
            for c in consents
            if c.cohabitant_id is not None and c.decision == "permit"
        )
        return Detail(visit, insats, resident, last, cohabitants, said_yes)

    async def ring(self, session: StaffSession, visit_id: VisitId) -> CallId:
        """ "Ring nu". Somebody else's visit can be rung by whoever has a mission with the person;
        an opening without one lets her ring, but not take the visit.
        """
        now = self._clock.now()
        async with self._by(session) as db:
            visit = await store.by_id(db, visit_id)
            if visit is None:
                raise NotFound
            visit.ring()
            resident = await known(db, visit.resident_id)
            await on_mission(db, session, resident, Action.CALL_RUNG, now)
            call = await calls.ring(
                db, session, resident, Kind.VISIT, visit_id=visit.id, now=now, react=self._react
            )
            db.changed(unit_topic(visit.unit_id))
        return call.id

    async def conclude(
        self,
        session: StaffSession,
        visit_id: VisitId,
        outcome: Outcome,
        *,
        note: str,
        done: Sequence[int],
    ) -> None:
        """The outcome is the save. "Behöver besök" dispatches, "Följ upp" leaves a task."""
        now = self._clock.now()
        async with self._by(session) as db:
            visit, resident = await self._held(db, session, visit_id, Action.VISIT_CONCLUDED, now)
            concluded = visit.conclude(outcome, note, done)
            await self._save(db, concluded)
            await cancel_timers(db, TIMERS, visit.id)
            what: Document = {
                "done": list(concluded.done),
                "note": note,
                "outcome": outcome,
                "visit_id": str(visit.id),
            }
            record = Record(Action.VISIT_CONCLUDED, session.actor, [resident.person], what)
            await append(db, record)
            if outcome == "needs_visit":
                await self._dispatch(db, session, visit, resident, now)
            elif outcome == "follow_up":
                await make_follow_up(
                    db,
                    "follow_up",
                    resident,
                    unit_id=visit.unit_id,
                    about_id=visit.id,
                    actor=session.actor,
                    now=now,
                )
            elif outcome == "ring_again":
                await make_follow_up(
                    db,
                    "call_back",
                    resident,
                    unit_id=visit.unit_id,
                    about_id=visit.id,
                    actor=session.actor,
                    now=now,
                )

    async def take_step(
        self,
        session: StaffSession,
        visit_id: VisitId,
        step: Step,
        *,
        at: datetime | None,
        note: str,
    ) -> None:
        """What happens next with a visit nobody answered. `at` (aware) only for ringing again."""
        now = self._clock.now()
        if (step == "ring_again") != (at is not None):
            raise FieldInvalid("at")
        if at is not None and at <= now:
            raise FieldInvalid("at")
        async with self._by(session) as db:
            visit, resident = await self._held(db, session, visit_id, Action.VISIT_STEP_CHOSEN, now)
            stepped = visit.take_step(step, at, note)
            await self._save(db, stepped)
            await cancel_timers(db, TIMERS, visit.id)
            if at is not None:
                await set_timer(db, RING_AGAIN, visit.id, at + timedelta(minutes=5))
            what = {
                "at": at.isoformat() if at else None,
                "note": note,
                "step": step,
                "visit_id": str(visit.id),
            }
            record = Record(Action.VISIT_STEP_CHOSEN, session.actor, [resident.person], what)
            await append(db, record)
            if step == "home_visit":
                await self._dispatch(db, session, visit, resident, now)

    async def move(self, session: StaffSession, visit_id: VisitId, starts_at: datetime) -> None:
        now = self._clock.now()
        async with self._by(session) as db:
            visit, resident = await self._found(db, visit_id)
            _planned_by(db, session, visit, resident, Action.VISIT_MOVED)
            moved = visit.move(starts_at)
            await self._save(db, moved)
            insats = await self._insats(db, visit.insats_id)
            await _watch(db, moved, insats)
            if moved.staff_id is not None:
                await _assign(db, moved, moved.staff_id, now)
            what = {
                "from": visit.starts_at.isoformat(),
                "to": starts_at.isoformat(),
                "visit_id": str(visit.id),
            }
            await append(db, Record(Action.VISIT_MOVED, session.actor, [resident.person], what))

    async def cancel(self, session: StaffSession, visit_id: VisitId, reason: str) -> None:
        """Ends the assignment that came from it, and with it a call that rests on it."""
        now = self._clock.now()
        async with self._by(session) as db:
            _planned_by(db, session, *await self._seen(db, visit_id), Action.VISIT_CANCELLED)
            # Assignment before call before visit: the order in which a call is opened.
            await end_assignments(db, "visit", visit_id, now, self._react)
            visit, resident = await self._found(db, visit_id)
            await self._save(db, visit.cancel(reason))
            await cancel_timers(db, TIMERS, visit.id)
            what = {"reason": reason, "visit_id": str(visit.id)}
            await append(db, Record(Action.VISIT_CANCELLED, session.actor, [resident.person], what))

    async def not_to(self, session: StaffSession, visit_id: VisitId) -> frozenset[StaffId]:
        """Whom not to hand it over to: they have stated a relation to the resident.

        Raises NotFound, NotPermitted.
        """
        async with self._by(session) as db:
            visit, resident = await self._seen(db, visit_id)
            _hers_or_planned(db, session, visit, resident)
            return await related_to(db, resident.id)

    async def not_for(self, session: StaffSession, resident_id: ResidentId) -> frozenset[StaffId]:
        """Whom not to plan visits to her for. Raises NotFound, NotPermitted."""
        async with self._by(session) as db:
            resident = await known(db, resident_id)
            require_in(db, session, Permission.PLAN, resident.unit_id, Action.VISIT_PLANNED)
            return await related_to(db, resident.id)

    async def hand_over(self, session: StaffSession, visit_id: VisitId, to: StaffId) -> None:
        now = self._clock.now()
        async with self._by(session) as db:
            visit, resident = await self._found(db, visit_id)
            _hers_or_planned(db, session, visit, resident)
            colleague = await access_store.staff(db, to, now)
            if colleague is None:
                raise FieldInvalid("staff_id")
            await unrelated(db, session, to, resident, Action.VISIT_HANDED_OVER)
            await self._save(db, visit.hand_over(to))
            await _assign(db, visit, to, now)
            what = {
                "from_staff_id": str(visit.staff_id) if visit.staff_id else None,
                "to_staff_id": str(to),
                "visit_id": str(visit.id),
            }
            await append(
                db, Record(Action.VISIT_HANDED_OVER, session.actor, [resident.person], what)
            )

    # --- reactions ----------------------------------------------------------------------------

    async def call_opened(self, db: Transaction, call: Call) -> None:
        visit = await self._of_call(db, call)
        if visit is not None:
            await self._save(db, visit.in_call(call.id))
            await cancel_timers(db, TIMERS, visit.id)

    async def call_closed(self, db: Transaction, call: Call, now: datetime) -> None:
        """Not held: a next step is needed in the insats's minutes, then others are told."""
        visit = await self._of_call(db, call)
        if visit is None or visit.is_closed:
            return
        was_held = call.seen_at is not None
        after = visit.after_call(was_held=was_held)
        await self._save(db, after)
        if was_held:
            await set_timer(db, STEP_OVERDUE, visit.id, now + UNFINISHED_AFTER)
        else:
            insats = await self._insats(db, visit.insats_id)
            due = now + timedelta(minutes=insats.step_after_min)
            await set_timer(db, STEP_OVERDUE, visit.id, due)

    async def call_off(self, db: Transaction, absence: Absence, now: datetime) -> Sequence[Record]:
        """She has been away since `absence.from_at`: what nobody answered since was no miss. Its
        records are for the caller to enter.
        """
        visits = await store.hold_unheld(db, absence.resident_id, since=absence.from_at, until=now)
        return await self._called_off(db, visits, absence, now)

    async def end_of_resident(
        self, db: Transaction, person: Person, ending_id: EndingId
    ) -> Sequence[Record]:
        """Every visit of hers that is open is cancelled; the ending remembers which. The record
        is for the caller to enter.
        """
        visits = await store.cancel_open(db, person.id, ending_id)
        for visit in visits:
            await cancel_timers(db, TIMERS, visit.id)
            db.changed(unit_topic(visit.unit_id))
        return _of_ending(Action.VISIT_CANCELLED, person, ending_id, visits)

    async def undo_end(
        self, db: Transaction, person: Person, ending_id: EndingId, now: datetime
    ) -> Sequence[Record]:
        """What still lies ahead is to be held after all, by whoever was to hold it."""
        visits = await store.cancelled_by(db, ending_id, now)
        for visit in visits:
            if visit.staff_id is not None:
                await _assign(db, visit, visit.staff_id, now)
        for visit in visits:
            await store.restore(db, visit.id)
            await _watch(db, visit, await self._insats(db, visit.insats_id))
            db.changed(unit_topic(visit.unit_id))
        return _of_ending(Action.VISIT_RESTORED, person, ending_id, visits)

    # --- timers -------------------------------------------------------------------------------

    async def missed(self, db: Transaction, due: Due, now: datetime) -> None:
        """Nobody rang in time: it needs a step, and the coordinator hears of it (fails loud)."""
        visit = await store.hold(db, VisitId(due.subject))
        if visit is None or visit.state is not VisitState.PLANNED:
            return
        if await self._was_away(db, visit, visit.starts_at, now):
            return
        await self._save(db, visit.missed())
        await set_timer(db, HEAD, visit.id, now + HEAD_AFTER)
        resident = await known(db, visit.resident_id)
        what = {"visit_id": str(visit.id)}
        await append(db, Record(Action.VISIT_MISSED, SYSTEM, [resident.person], what))
        await self._react(db, VisitOverdue(visit, to_head=False, at=now))

    async def step_overdue(self, db: Transaction, due: Due, now: datetime) -> None:
        visit = await store.hold(db, VisitId(due.subject))
        if visit is None or visit.state not in (VisitState.NEEDS_STEP, VisitState.UNFINISHED):
            return
        db.changed(unit_topic(visit.unit_id))
        await set_timer(db, HEAD, visit.id, now + HEAD_AFTER)
        await self._react(db, VisitOverdue(visit, to_head=False, at=now))

    async def ring_again_missed(self, db: Transaction, due: Due, now: datetime) -> None:
        """The time to ring again has passed and nobody rang: it needs a step once more."""
        visit = await store.hold(db, VisitId(due.subject))
        if visit is None or visit.state is not VisitState.STEPPED:
            return
        if await self._was_away(db, visit, visit.step_at or now, now):
            return
        await self._save(db, visit.after_call(was_held=False))
        await set_timer(db, HEAD, visit.id, now + HEAD_AFTER)
        await self._react(db, VisitOverdue(visit, to_head=False, at=now))

    async def to_head(self, db: Transaction, due: Due, now: datetime) -> None:
        visit = await store.hold(db, VisitId(due.subject))
        if visit is None or visit.state not in (VisitState.NEEDS_STEP, VisitState.UNFINISHED):
            return
        db.changed(unit_topic(visit.unit_id))
        await self._react(db, VisitOverdue(visit, to_head=True, at=now))

    async def _was_away(self, db: Transaction, visit: Visit, at: datetime, now: datetime) -> bool:
        """Whether she was absent when somebody was to ring her: then it is called off."""
        absence = await absence_store.covering(db, visit.resident_id, at)
        if absence is None:
            return False
        for record in await self._called_off(db, [visit], absence, now):
            await append(db, record)
        return True

    async def _called_off(
        self, db: Transaction, visits: Sequence[Visit], absence: Absence, now: datetime
    ) -> Sequence[Record]:
        if not visits:
            return ()
        for visit in visits:
            await self._save(db, visit.call_off())
            await cancel_timers(db, TIMERS, visit.id)
        ids = [visit.id for visit in visits]
        closed = await close_follow_ups(db, "visit_overdue", ids, note=AWAY, now=now)
        person = (await known(db, absence.resident_id)).person
        what: Document = {
            "absence_id": str(absence.id),
            "visit_ids": [str(visit_id) for visit_id in ids],
        }
        return [
            Record(Action.VISIT_CALLED_OFF, SYSTEM, [person], what),
            *closed_without_us(closed, person, SYSTEM, AWAY),
        ]

    # --- parts --------------------------------------------------------------------------------

    def _by(self, session: StaffSession) -> AbstractAsyncContextManager[Transaction]:
        return self._database.transaction(session.tenant, actor_text(session.actor))

    async def _insats(self, db: Transaction, insats_id: UUID) -> Insats:
        insats = await store.insats(db, insats_id)
        if insats is None:
            raise NotFound
        return insats

    async def _seen(self, db: Transaction, visit_id: VisitId) -> tuple[Visit, Resident]:
        """Not held: for what comes before the locks."""
        visit = await store.by_id(db, visit_id)
        if visit is None:
            raise NotFound
        return visit, await known(db, visit.resident_id)

    async def _found(self, db: Transaction, visit_id: VisitId) -> tuple[Visit, Resident]:
        visit = await store.hold(db, visit_id)
        if visit is None:
            raise NotFound
        return visit, await known(db, visit.resident_id)

    async def _held(
        self,
        db: Transaction,
        session: StaffSession,
        visit_id: VisitId,
        tried: Action,
        now: datetime,
    ) -> tuple[Visit, Resident]:
        visit, resident = await self._found(db, visit_id)
        await on_mission(db, session, resident, tried, now)
        return visit, resident

    async def _save(self, db: Transaction, visit: Visit) -> None:
        await store.save(db, visit)
        db.changed(unit_topic(visit.unit_id))
        db.changed(resident_topic(visit.resident_id))

    async def _of_call(self, db: Transaction, call: Call) -> Visit | None:
        return await store.hold(db, call.visit_id) if call.visit_id is not None else None

    async def _dispatch(
        self,
        db: Transaction,
        session: StaffSession,
        visit: Visit,
        resident: Resident,
        now: datetime,
    ) -> None:
        await ask(
            db,
            resident,
            unit_id=visit.unit_id,
            about_id=visit.id,
            by=session.staff.id,
            actor=session.actor,
            now=now,
        )


async def plan_visits(db: Transaction, plan: Plan, now: datetime) -> Sequence[Visit]:
    """Make the rows, their timers and their person's assignments."""
    resident = await known(db, plan.resident_id)
    insats = await store.insats(db, plan.insats_id)
    if insats is None:
        raise FieldInvalid("insats_id")
    if plan.staff_id is not None and await access_store.staff(db, plan.staff_id, now) is None:
        raise FieldInvalid("staff_id")
    unit_id = plan.unit_id or resident.unit_id
    if await access_store.unit(db, unit_id) is None:
        raise FieldInvalid("unit_id")
    starts = occurrences(plan.first, plan.repeat)
    series_id = new_row_id(now) if plan.repeat is not None else None
    visits = [
        Visit(
            id=VisitId(new_row_id(now)),
            series_id=series_id,
            resident_id=resident.id,
            unit_id=unit_id,
            staff_id=plan.staff_id,
            insats_id=insats.id,
            starts_at=at,
            minutes=plan.minutes,
            to_do=plan.to_do,
            done=(),
            to_know=plan.to_know,
            state=VisitState.PLANNED,
        )
        for at in starts
    ]
    for visit in visits:
        await store.add(db, visit, now)
        await _watch(db, visit, insats)
        if plan.staff_id is not None:
            await _assign(db, visit, plan.staff_id, now)
    db.changed(unit_topic(unit_id))
    db.changed(resident_topic(resident.id))
    return visits


def _of_ending(
    action: Action, person: Person, ending_id: EndingId, visits: Sequence[Visit]
) -> Sequence[Record]:
    if not visits:
        return ()
    what: Document = {
        "ending_id": str(ending_id),
        "visit_ids": [str(visit.id) for visit in visits],
    }
    return [Record(action, SYSTEM, [person], what)]


def _hers_or_planned(
    db: Transaction, session: StaffSession, visit: Visit, resident: Resident
) -> None:
    """Her own visit is hers to hand over; anybody else's by who plans. Raises NotPermitted."""
    if visit.staff_id != session.staff.id:
        _planned_by(db, session, visit, resident, Action.VISIT_HANDED_OVER)


def _planned_by(
    db: Transaction, session: StaffSession, visit: Visit, resident: Resident, tried: Action
) -> None:
    """Who plans in the unit whose list it is on, or in the resident's own. Raises NotPermitted."""
    if not session.staff.may_in(Permission.PLAN, visit.unit_id):
        require_in(db, session, Permission.PLAN, resident.unit_id, tried)


async def _watch(db: Transaction, visit: Visit, insats: Insats) -> None:
    """It is missed when nobody has rung by its start and the insats's grace."""
    due = visit.starts_at + timedelta(minutes=insats.step_after_min)
    await cancel_timers(db, TIMERS, visit.id)
    await set_timer(db, MISSED, visit.id, due)


async def _assign(db: Transaction, visit: Visit, staff_id: StaffId, now: datetime) -> None:
    await access_store.assign(
        db,
        AssignmentId(new_row_id(now)),
        staff_id=staff_id,
        resident_id=visit.resident_id,
        source="visit",
        source_id=visit.id,
        valid_from=visit.starts_at - ASSIGNED_BEFORE,
        valid_until=visit.starts_at + ASSIGNED_AFTER,
    )

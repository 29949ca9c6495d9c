"""What becomes of each check: its time, the phone, the visit, and what ends it from elsewhere."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from datetime import date, datetime, timedelta

from telecare.absences import store as absence_store
from telecare.access import store as access_store
from telecare.access.model import ScreenSession, StaffSession
from telecare.access.service import React, on_shift_for, stays, unit_topic
from telecare.audit.actions import Action
from telecare.audit.append import append
from telecare.audit.format import Document
from telecare.audit.model import Actor, Record, actor_text
from telecare.consent.gate import stands
from telecare.consent.model import Purpose
from telecare.dispatches.noted import entered
from telecare.dispatches.service import ask
from telecare.endings import store as ending_store
from telecare.nightchecks import agreements_store, disturbance_store, store
from telecare.nightchecks.agreement import Agreement, Substitute, night_begins, night_of
from telecare.nightchecks.model import (
    ABSENT,
    ENDED,
    CameraIs,
    Check,
    CheckState,
    NightVisitLate,
    RoundDelayed,
    WithoutCamera,
)
from telecare.nightchecks.planning import CATCHES_UP, PLAN, STEP, SYSTEM, plan_night
from telecare.people.model import Resident
from telecare.people.service import known, resident_topic
from telecare.runtime.clock import Clock
from telecare.runtime.db import Database, Transaction
from telecare.runtime.errors import NotFound
from telecare.runtime.timers import Due, cancel_timers, set_timer
from telecare.wire.errors import Code
from telecare.wire.ids import AssignmentId, CareUnitId, CheckId, ResidentId, ShiftId, new_row_id

WITHOUT: dict[Code, WithoutCamera] = {
    Code.CONSENT_WITHDRAWN: "withdrawn",
    Code.CONSENT_EXPIRED: "expired",
    Code.CONSENT_OUTSIDE_HOURS: "outside_hours",
}
"""Every other reason is "refused"."""
ASSIGNED_FOR = timedelta(hours=1)
"""How long past its window a check keeps whoever took it on assigned."""


class NightChecks:
    """`react` carries what follows in other packages, in the same transaction."""

    def __init__(self, database: Database, clock: Clock, react: React) -> None:
        self._database = database
        self._clock = clock
        self._react = react

    # --- staff ----------------------------------------------------------------------------------

    async def phoned(
        self, session: StaffSession, check_id: CheckId, *, reached: bool,
        noted_at: datetime | None = None,
    ) -> None:  # fmt: skip
        """She was rung. Who was not reached is driven to. `noted_at`: on a device that may have
        been without network.

        Raises NotFound, NotOnShift, CheckClosed, FieldInvalid.
        """
        now = self._clock.now()
        async with self._database.transaction(session.tenant, actor_text(session.actor)) as db:
            await stays(db, session, Action.CHECK_PHONED, now)
            seen = await store.by_id(db, check_id)
            if seen is None:
                raise NotFound
            await take_on(db, session, seen, Action.CHECK_PHONED, now)
            check = await self._held(db, check_id)
            entry = entered(noted_at, since=check.opens_at, now=now)
            after = check.phoned(reached=reached, now=entry.at if reached else now)
            await move(
                db, check, after, session.actor, now, self._react, Action.CHECK_PHONED, entry.words
            )

    # --- her screen -----------------------------------------------------------------------------

    async def pause_night(self, session: ScreenSession, *, somebody_comes: bool) -> None:
        """ "Pausa i natt"; said again it is her newer word. Raises NotFound: no agreement."""
        now = self._clock.now()
        night = night_of(now)
        async with self._mine(session) as db:
            resident = await self._with_nights(db, session)
            await store.pause(db, resident.id, night, now, somebody_comes=somebody_comes)
            what: Document = {"night": night.isoformat(), "somebody_comes": somebody_comes}
            await append(db, Record(Action.NIGHT_PAUSED, session.actor, [resident.person], what))
            for check in await self._of_night(db, resident.id, night):
                after = check.pause(somebody_comes=somebody_comes, now=now)
                await move(db, check, after, session.actor, now, self._react)
            db.changed(resident_topic(resident.id))

    async def go_on_tonight(self, session: ScreenSession) -> None:
        """The camera after all, for what still lies ahead."""
        now = self._clock.now()
        night = night_of(now)
        async with self._mine(session) as db:
            resident = await self._with_nights(db, session)
            await store.unpause(db, resident.id, night)
            what: Document = {"night": night.isoformat(), "somebody_comes": None}
            await append(db, Record(Action.NIGHT_PAUSED, session.actor, [resident.person], what))
            for check in await self._of_night(db, resident.id, night):
                after = check.unpause(await self._agreed_substitute(db, check))
                await move(db, check, after, session.actor, now, self._react)
            db.changed(resident_topic(resident.id))

    # --- timers (app.py) ------------------------------------------------------------------------

    async def plan(self, db: Transaction, due: Due, now: datetime) -> None:
        """Each noon, a unit's next night; nights that nothing of ours ran to make come first."""
        unit_id = CareUnitId(due.subject)
        if not await agreements_store.of_unit(db, unit_id):
            return
        night = night_of(max(due.due_at, now - CATCHES_UP))
        while night <= night_of(now):
            await plan_night(db, unit_id, night, now)
            night += timedelta(days=1)
        await set_timer(db, PLAN, unit_id, night_begins(night))

    async def step(self, db: Transaction, due: Due, now: datetime) -> None:
        """A check's deadline has come."""
        seen = await store.by_id(db, CheckId(due.subject))
        if seen is None:
            return
        resident = await known(db, seen.resident_id)
        camera = await self._camera_is(db, seen, resident, now)
        check = await self._held(db, seen.id)
        away = await self._away(db, check, now)
        after = check.tick(now, camera) if away is None else check.call_off(away, now)
        await move(db, check, after, SYSTEM, now, self._react)

    # --- reactions ------------------------------------------------------------------------------

    async def camera_not_allowed(
        self, db: Transaction, resident_id: ResidentId, why: WithoutCamera, now: datetime
    ) -> Agreement | None:
        """A yes to the camera is gone: what is due goes on without it at once, what lies ahead when
        its time comes. The agreement that must do without; None: there is none.
        """
        agreement = await agreements_store.of_resident(db, resident_id)
        for check in await store.hold_open(db, resident_id):
            await move(db, check, check.go_without(why, now), SYSTEM, now, self._react)
        return agreement if agreement is not None and agreement.uses_camera else None

    async def absence_began(self, db: Transaction, resident_id: ResidentId, now: datetime) -> None:
        """What is due is called off; what lies ahead is asked when its time comes: she may be home
        again.
        """
        for check in await store.hold_open(db, resident_id):
            if check.state is not CheckState.PLANNED:
                await move(db, check, check.call_off(ABSENT, now), SYSTEM, now, self._react)

    async def end_of_resident(
        self, db: Transaction, resident_id: ResidentId, now: datetime
    ) -> None:
        for check in await store.hold_open(db, resident_id):
            await move(db, check, check.call_off(ENDED, now), SYSTEM, now, self._react)

    async def on_the_way(self, db: Transaction, check_id: CheckId, by: datetime) -> None:
        """Somebody goes there; `check_id` may be another's."""
        check = await store.hold(db, check_id)
        if check is not None:
            after = check.accepted(by)
            await store.save(db, after)
            await _watch(db, after)

    async def there(self, db: Transaction, check_id: CheckId, actor: Actor, now: datetime) -> None:
        """Somebody is there: that is the check."""
        check = await store.hold(db, check_id)
        if check is not None:
            await move(db, check, check.visited(now), actor, now, self._react)

    async def nobody_there(
        self, db: Transaction, check_id: CheckId, actor: Actor, now: datetime
    ) -> None:
        """Whoever drove there found nobody; `check_id` may be another's."""
        check = await store.hold(db, check_id)
        if check is not None:
            await move(db, check, check.nobody_there(), actor, now, self._react)

    # --- parts ----------------------------------------------------------------------------------

    async def _camera_is(
        self, db: Transaction, check: Check, resident: Resident, now: datetime
    ) -> CameraIs:
        """Asked before the check is locked: the gate comes first (architecture §1.11)."""
        allowed = await stands(db, resident, Purpose.CAMERA_CHECK, now)
        if isinstance(allowed, Code):
            return WITHOUT.get(allowed, "refused")
        agreement = await agreements_store.by_id(db, check.agreement_id)
        if agreement is None or agreement.camera_id is None:
            return "faulty"
        if await disturbance_store.is_disturbed(db, check.unit_id):
            return "disturbance"
        camera = await agreements_store.camera(db, agreement.camera_id)
        return "usable" if camera is not None and camera.is_usable else "faulty"

    async def _away(self, db: Transaction, check: Check, now: datetime) -> str | None:
        """Why nobody is to be looked for, while nobody has begun."""
        if check.state not in (CheckState.PLANNED, CheckState.DUE, CheckState.PHONE):
            return None
        ended_from = await ending_store.ended_from(db, check.resident_id)
        if ended_from is not None and now >= ended_from:
            return ENDED
        absence = await absence_store.covering(db, check.resident_id, now)
        return ABSENT if absence is not None else None

    async def _held(self, db: Transaction, check_id: CheckId) -> Check:
        check = await store.hold(db, check_id)
        if check is None:
            raise NotFound
        return check

    async def _of_night(
        self, db: Transaction, resident_id: ResidentId, night: date
    ) -> Sequence[Check]:
        """Hers of that night that are not over, held."""
        held = await store.hold_open(db, resident_id)
        return [check for check in held if night_of(check.starts_at) == night]

    async def _agreed_substitute(self, db: Transaction, check: Check) -> Substitute:
        agreement = await agreements_store.by_id(db, check.agreement_id)
        return Substitute.VISIT if agreement is None else agreement.substitute

    async def _with_nights(self, db: Transaction, session: ScreenSession) -> Resident:
        resident = await known(db, session.actor.resident_id)
        if await agreements_store.of_resident(db, resident.id) is None:
            raise NotFound
        return resident

    def _mine(self, session: ScreenSession) -> AbstractAsyncContextManager[Transaction]:
        return self._database.transaction(session.tenant, actor_text(session.actor))


async def take_on(
    db: Transaction, session: StaffSession, check: Check, tried: Action, now: datetime
) -> ShiftId:
    """Whoever is on shift for the unit may carry out its checks, and is assigned for this one.
    Her shift. Raises NotOnShift.
    """
    person = (await known(db, check.resident_id)).person
    shift_id = await on_shift_for(db, session, check.unit_id, tried, [person], now=now)
    await access_store.assign(
        db,
        AssignmentId(new_row_id(now)),
        staff_id=session.staff.id,
        resident_id=check.resident_id,
        source="night_check",
        source_id=check.id,
        valid_from=now,
        valid_until=max(now, check.closes_at) + ASSIGNED_FOR,
    )
    return shift_id


async def move(
    db: Transaction, before: Check, after: Check, actor: Actor, now: datetime, react: React,
    action: Action | None = None, more: Document | None = None,
) -> None:  # fmt: skip
    """Save, watch, ask somebody to drive, say it; nothing when nothing has changed."""
    if after == before:
        return
    await store.save(db, after)
    await _watch(db, after)
    db.changed(unit_topic(after.unit_id))
    db.changed(resident_topic(after.resident_id))
    resident = await known(db, after.resident_id)
    if after.state is CheckState.DISPATCHED and before.state is not CheckState.DISPATCHED:
        by = after.staff_id if after.last_outcome is not None else None
        await ask(
            db, resident, unit_id=after.unit_id, about_id=after.id, by=by, actor=actor, now=now
        )
    if before.expected_by is not None and after.is_late:
        await react(db, NightVisitLate(after, now))
    if after.was_missed and not before.was_missed:
        await react(db, RoundDelayed(after, now))
    what: Document = {
        "check_id": str(after.id),
        "from": str(before.state),
        "outcome": after.last_outcome if after.looks > before.looks else None,
        "round_id": str(after.round_id),
        "seconds": after.seen_s - before.seen_s,
        "starts_at": after.starts_at.isoformat(),
        "to": str(after.state),
        "why": after.why or after.without_camera or after.called_off_for or after.ended_as,
        **(more or {}),
    }
    await append(db, Record(action or _action(after), actor, [resident.person], what))


async def _watch(db: Transaction, check: Check) -> None:
    """Its one timer: when time alone has something to say."""
    if check.deadline is None:
        await cancel_timers(db, [STEP], check.id)
    else:
        await set_timer(db, STEP, check.id, check.deadline)


def _action(after: Check) -> Action:
    if after.was_missed:
        return Action.CHECK_MISSED
    called_off = after.state is CheckState.CALLED_OFF
    return Action.CHECK_CALLED_OFF if called_off else Action.CHECK_STEPPED

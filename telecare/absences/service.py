"""Reporting somebody absent, and home again. What ends and is called off: reactions.py."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime

from telecare.absences import store
from telecare.absences.model import Absence, AbsenceBegan
from telecare.access.model import StaffSession
from telecare.access.service import unit_topic
from telecare.audit.actions import Action
from telecare.audit.append import append
from telecare.audit.format import Document
from telecare.audit.model import Actor, Record, SystemActor, actor_text
from telecare.people.model import Resident
from telecare.people.service import held, known, resident_topic, still_with_us, working_for
from telecare.runtime.clock import Clock
from telecare.runtime.db import Database, Transaction
from telecare.runtime.errors import FieldInvalid, NotFound, TelecareError
from telecare.runtime.timers import Due, cancel_timers, set_timer
from telecare.wire.errors import Code
from telecare.wire.ids import AbsenceId, ResidentId, new_row_id
from telecare.wire.signalling import AbsenceKind

React = Callable[[Transaction, object], Awaitable[None]]

BEGINS = "absence.begins"
OVER = "absence.over"
TIMERS = [BEGINS, OVER]
SYSTEM = SystemActor("absence timer")


class AbsenceOverlaps(TelecareError):
    """She is absent at some of that time already."""

    code = Code.ABSENCE_OVERLAPS


@dataclass(frozen=True, slots=True)
class Report:
    """What somebody said: `from_at` None is now, `until_at` None is open. Times are aware."""

    kind: AbsenceKind
    from_at: datetime | None
    until_at: datetime | None
    reported_by: str
    note: str = ""


class Absences:
    """`react` carries what follows in other packages, in the same transaction."""

    def __init__(self, database: Database, clock: Clock, react: React) -> None:
        self._database = database
        self._clock = clock
        self._react = react

    async def report(
        self, session: StaffSession, resident_id: ResidentId, report: Report
    ) -> AbsenceId:
        """By anyone who is assigned to her or works for her unit.

        Raises NotAssigned, ResidentGone, FieldInvalid, AbsenceOverlaps.
        """
        now = self._clock.now()
        absence = _absence(resident_id, report, now)
        async with self._by(session) as db:
            resident = await held(db, resident_id)
            await working_for(db, session, resident, Action.ABSENCE_REPORTED, now)
            await still_with_us(db, session.actor, resident, Action.ABSENCE_REPORTED, now)
            if await store.overlaps(db, absence):
                raise AbsenceOverlaps("from_at")
            await store.add(db, absence, session.staff.id, now)
            await set_timers(db, absence, now)
            tell(db, resident)
            if absence.covers(now):
                await self._react(db, AbsenceBegan(absence, now))
            what = _what(absence)
            record = Record(Action.ABSENCE_REPORTED, session.actor, [resident.person], what)
            await append(db, record)
        return absence.id

    async def home(self, session: StaffSession, absence_id: AbsenceId) -> None:
        """ "Hemma igen": all starts again at the commit. Pressed twice it is one home-coming;
        before it has begun it is called off.
        """
        now = self._clock.now()
        async with self._by(session) as db:
            absence = await store.hold(db, absence_id)
            if absence is None:
                raise NotFound
            resident = await known(db, absence.resident_id)
            await working_for(db, session, resident, Action.ABSENCE_ENDED, now)
            if absence.is_over(now):
                return
            await store.come_home(db, absence.id, now, session.staff.id)
            await cancel_timers(db, TIMERS, absence.id)
            await _ended(db, absence, resident, session.actor)

    # --- timers (app.py) ----------------------------------------------------------------------

    async def begins(self, db: Transaction, due: Due, now: datetime) -> None:
        """An absence that was reported ahead."""
        absence = await store.hold(db, AbsenceId(due.subject))
        if absence is None or not absence.covers(now):
            return
        resident = await known(db, absence.resident_id)
        tell(db, resident)
        await self._react(db, AbsenceBegan(absence, now))
        await append(db, Record(Action.ABSENCE_BEGUN, SYSTEM, [resident.person], _what(absence)))

    async def over(self, db: Transaction, due: Due, now: datetime) -> None:
        """The time it was to last until has come; the gate has let through since that moment."""
        absence = await store.hold(db, AbsenceId(due.subject))
        if absence is None or absence.home_at is not None or not absence.is_over(now):
            return
        assert absence.until_at is not None  # noqa: S101 - what made it over
        await store.come_home(db, absence.id, absence.until_at, None)
        await _ended(db, absence, await known(db, absence.resident_id), SYSTEM)

    # --- reactions ----------------------------------------------------------------------------

    async def stop(self, db: Transaction, resident_id: ResidentId, now: datetime) -> None:
        """She is no longer with us: nothing begins or ends for her by itself."""
        for absence in await store.not_over(db, resident_id, now):
            await cancel_timers(db, TIMERS, absence.id)

    async def go_on(self, db: Transaction, resident_id: ResidentId, now: datetime) -> None:
        for absence in await store.not_over(db, resident_id, now):
            await set_timers(db, absence, now)

    def _by(self, session: StaffSession) -> AbstractAsyncContextManager[Transaction]:
        return self._database.transaction(session.tenant, actor_text(session.actor))


async def set_timers(db: Transaction, absence: Absence, now: datetime) -> None:
    if absence.from_at > now:
        await set_timer(db, BEGINS, absence.id, absence.from_at)
    if absence.until_at is not None:
        await set_timer(db, OVER, absence.id, absence.until_at)


def tell(db: Transaction, resident: Resident) -> None:
    db.changed(unit_topic(resident.unit_id))
    db.changed(resident_topic(resident.id))


async def _ended(db: Transaction, absence: Absence, resident: Resident, actor: Actor) -> None:
    tell(db, resident)
    what: Document = {"absence_id": str(absence.id), "kind": absence.kind}
    await append(db, Record(Action.ABSENCE_ENDED, actor, [resident.person], what))


def _absence(resident_id: ResidentId, report: Report, now: datetime) -> Absence:
    """Raises FieldInvalid: an end before the start or in the past, nobody who said it."""
    from_at = report.from_at or now
    until = report.until_at
    if until is not None and (until <= from_at or until <= now):
        raise FieldInvalid("until_at")
    if not report.reported_by.strip():
        raise FieldInvalid("reported_by")
    return Absence(
        id=AbsenceId(new_row_id(now)),
        resident_id=resident_id,
        kind=report.kind,
        from_at=from_at,
        until_at=until,
        reported_by=report.reported_by.strip(),
        note=report.note.strip(),
    )


def _what(absence: Absence) -> Document:
    return {
        "absence_id": str(absence.id),
        "from": absence.from_at.isoformat(),
        "kind": absence.kind,
        "note": absence.note,
        "reported_by": absence.reported_by,
        "until": absence.until_at.isoformat() if absence.until_at else None,
    }

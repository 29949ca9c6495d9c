"""What happened -> what else follows, in the same transaction. One table; reactions raise no
further events beyond one level (architecture §1.11).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from telecare.absences.model import AbsenceBegan
from telecare.absences.service import Absences
from telecare.access import store as access_store
from telecare.access.model import AssignmentEnded, StaffRevoked
from telecare.alarms import alarm_units
from telecare.alarms.model import AlarmForHead, AlarmTaking, AlarmUnanswered, RangInVain, WhyInVain
from telecare.alarms.service import Alarms
from telecare.alarms.technical.service import TechnicalAlarms
from telecare.audit.append import append_all
from telecare.audit.model import SystemActor
from telecare.calls.model import CallClosed, CallInUnanswered, CallOpened, LookShown, Reason
from telecare.calls.service import Calls
from telecare.consent import store as consent_store
from telecare.consent.model import AbilityDoubtful, ConsentWithdrawn, Purpose
from telecare.consent.service import Consents
from telecare.deviations.model import Opening
from telecare.deviations.service import open_deviation
from telecare.devices.model import DeviceClosing, UnitHeard
from telecare.devices.service import Devices
from telecare.dispatches import service as dispatches
from telecare.dispatches.model import DispatchAccepted, DispatchArrived, NobodyThere
from telecare.endings.model import EndingUndone, ResidentEnded
from telecare.integrity.findings import found
from telecare.integrity.findings_store import NewFinding
from telecare.integrity.reviews import Reviews
from telecare.nightchecks.agreements import Agreements
from telecare.nightchecks.looks import NightLooks
from telecare.nightchecks.model import NightVisitLate, RoundDelayed, WrongPicture
from telecare.nightchecks.service import NightChecks
from telecare.nightchecks.staying import Staying
from telecare.people import service as people
from telecare.people.break_glass import OpenedAnyway
from telecare.people.model import CohabitantMovedIn, FollowUpKind, ResidentRegistered
from telecare.people.service import known, make_follow_up
from telecare.runtime.db import Transaction
from telecare.shifts.service import Shifts
from telecare.visits.model import VisitOverdue
from telecare.visits.service import Visits
from telecare.wire.ids import AlarmId, CareUnitId, CheckId, ResidentId

SYSTEM = SystemActor("reaction")
SPOKEN = timedelta(seconds=5)
"""A shorter call is no conversation."""

RANG_IN_VAIN: Mapping[Reason, WhyInVain] = {
    Reason.NO_ANSWER: "no_answer",
    Reason.CANCELLED: "no_answer",
    Reason.DECLINED: "declined",
    Reason.NO_CONNECTION: "no_connection",
}


class UnknownEvent(Exception):
    """An event nobody has decided the consequences of."""


@dataclass(slots=True)
class Reactions:
    """Filled by app.py once the services stand."""

    calls: Calls | None = None
    visits: Visits | None = None
    shifts: Shifts | None = None
    absences: Absences | None = None
    consents: Consents | None = None
    devices: Devices | None = None
    reviews: Reviews | None = None
    alarms: Alarms | None = None
    technical: TechnicalAlarms | None = None
    agreements: Agreements | None = None
    nights: NightChecks | None = None
    looks: NightLooks | None = None
    staying: Staying | None = None

    async def __call__(  # noqa: C901, PLR0912, PLR0915 - one table, a row for each event
        self, db: Transaction, event: object
    ) -> None:
        assert self.calls is not None  # noqa: S101 - app.py fills them before anything runs
        assert self.visits is not None  # noqa: S101
        assert self.shifts is not None  # noqa: S101
        assert self.reviews is not None  # noqa: S101
        assert self.alarms is not None  # noqa: S101
        assert self.technical is not None  # noqa: S101
        assert self.nights is not None  # noqa: S101
        assert self.looks is not None  # noqa: S101
        assert self.staying is not None  # noqa: S101
        match event:
            case ConsentWithdrawn():
                await self._not_allowed(db, event.resident_id, [event.purpose], event.at)
            case ResidentRegistered():
                await consent_store.add_gates(db, event.resident_id)
            case CohabitantMovedIn():
                await consent_store.shut_gates(db, event.resident_id)
                await self._not_allowed(db, event.resident_id, list(Purpose), event.at)
            case StaffRevoked():
                await self.calls.end_of_staff(db, event.staff_id, Reason.STAFF_REVOKED, event.at)
                await self.shifts.left(db, event.staff_id, event.at)
            case AssignmentEnded():
                await self.calls.end_of_staff(
                    db,
                    event.staff_id,
                    Reason.ASSIGNMENT_ENDED,
                    event.at,
                    ResidentId(event.resident_id),
                )
            case AbilityDoubtful():
                await _task(db, "second_talk", event.resident_id, event.consent_id, event.at)
            case AbsenceBegan():
                await self._absence_began(db, event)
            case ResidentEnded():
                await self._resident_ended(db, event)
            case EndingUndone():
                await self._ending_undone(db, event)
            case UnitHeard():
                await self.technical.heard(db, event)
            case DeviceClosing():
                await self.technical.end_of(db, event.endpoint_id, event.at)
                ended = await self.calls.end_of_ended(
                    db, event.resident_id, Reason.DEVICE_CLOSED, event.at, event.endpoint_id
                )
                await append_all(db, ended)
            case OpenedAnyway():
                await self.reviews.opened_anyway(db, event)
            case CallOpened():
                await self.visits.call_opened(db, event.call)
            case LookShown():
                await self.looks.shown(db, event.call, event.at)
            case CallClosed():
                await self.visits.call_closed(db, event.call, event.at)
                await self._call_closed(db, event)
                await self.looks.call_closed(db, event.call, event.at)
            case DispatchAccepted():
                about_id = AlarmId(event.about_id)
                await self.alarms.on_the_way(db, about_id, event.arrive_by, event.at)
                await self.nights.on_the_way(db, CheckId(event.about_id), event.arrive_by)
            case DispatchArrived():
                await self.alarms.there(db, AlarmId(event.about_id), event.by, event.at)
                await self.staying.arrived(db, CheckId(event.about_id), event.at)
                await self.nights.there(db, CheckId(event.about_id), SYSTEM, event.at)
            case NobodyThere():
                await self.nights.nobody_there(db, CheckId(event.about_id), SYSTEM, event.at)
                await _task(
                    db,
                    "nobody_there",
                    event.resident_id,
                    event.dispatch_id,
                    event.at,
                    unit_id=event.unit_id,
                )
            case RoundDelayed():
                check = event.check
                late = Opening("round_delayed", check.unit_id, "round", check.round_id, event.at)
                await open_deviation(db, late, None)
            case WrongPicture():
                wrong = NewFinding(
                    event.why, str(event.check.id), event.check.resident_id, event.check.call_id
                )
                await found(db, [wrong], SYSTEM, event.at)
            case NightVisitLate():
                check = event.check
                late = Opening("night_visit_late", check.unit_id, "check", check.id, event.at)
                await open_deviation(db, late, await known(db, check.resident_id))
                await _task(
                    db,
                    "night_visit_late",
                    check.resident_id,
                    check.id,
                    event.at,
                    unit_id=check.unit_id,
                )
            case AlarmTaking():
                await self.calls.end_of_staff(
                    db, event.staff_id, Reason.ALARM_TAKEN, event.at, besides=event.resident_id
                )
            case AlarmForHead():
                await _task(
                    db,
                    "alarm_unanswered",
                    event.alarm.resident_id,
                    event.alarm.id,
                    event.at,
                    unit_id=event.alarm.unit_id,
                )
            case AlarmUnanswered():
                resident = await known(db, event.alarm.resident_id)
                opening = Opening(
                    "alarm_unanswered", event.alarm.unit_id, "alarm", event.alarm.id, event.at
                )
                await open_deviation(db, opening, resident)
            case CallInUnanswered():
                await _task(db, "call_back", event.call.resident_id, event.call.id, event.at)
            case VisitOverdue():
                await _task(
                    db,
                    "visit_overdue",
                    event.visit.resident_id,
                    event.visit.id,
                    event.at,
                    unit_id=event.visit.unit_id,
                )
            case _:
                raise UnknownEvent(type(event).__name__)

    async def _not_allowed(
        self, db: Transaction, resident_id: ResidentId, purposes: Sequence[Purpose], now: datetime
    ) -> None:
        """A yes is gone, or is not enough any more: call, then checks; records come last."""
        assert self.calls is not None  # noqa: S101 - as above
        assert self.nights is not None  # noqa: S101
        ended = [
            record
            for purpose in purposes
            for record in await self.calls.end_of_resident(db, resident_id, purpose, now)
        ]
        agreement = None
        if Purpose.CAMERA_CHECK in purposes:
            agreement = await self.nights.camera_not_allowed(db, resident_id, "withdrawn", now)
        await append_all(db, ended)
        if agreement is not None:
            await _task(
                db, "camera_withdrawn", resident_id, agreement.id, now, unit_id=agreement.unit_id
            )

    async def _call_closed(self, db: Transaction, event: CallClosed) -> None:
        """She who has taken an alarm has spoken with whom it was about, or tried to. Who only
        looked has not.
        """
        assert self.alarms is not None  # noqa: S101 - as above
        call = event.call
        if call.staff_id is None or not call.policy.is_talk:
            return
        if call.opened_at is not None:
            if event.at - call.opened_at >= SPOKEN:
                await self.alarms.called(db, call.staff_id, call.resident_id, event.at)
        elif call.end_reason is not None and (why := RANG_IN_VAIN.get(call.end_reason)):
            vain = RangInVain(why, event.at - call.created_at)
            await self.alarms.rang_in_vain(db, call.staff_id, call.resident_id, vain, event.at)

    async def _absence_began(self, db: Transaction, event: AbsenceBegan) -> None:
        """Gate, then call, then visits: the order in which a call is opened. Records come last."""
        assert self.calls is not None  # noqa: S101 - as above
        assert self.visits is not None  # noqa: S101
        assert self.nights is not None  # noqa: S101
        absence = event.absence
        await consent_store.shut_gates(db, absence.resident_id)
        ended = await self.calls.end_of_absent(db, absence.resident_id, event.at)
        called_off = await self.visits.call_off(db, absence, event.at)
        await self.nights.absence_began(db, absence.resident_id, event.at)
        await append_all(db, [*ended, *called_off])

    async def _resident_ended(self, db: Transaction, event: ResidentEnded) -> None:
        """Assignment, gate, call, then the rest; each package stops what is its own."""
        assert self.calls is not None  # noqa: S101 - as above
        assert self.visits is not None  # noqa: S101
        assert self.absences is not None  # noqa: S101
        assert self.consents is not None  # noqa: S101
        assert self.devices is not None  # noqa: S101
        assert self.agreements is not None  # noqa: S101
        assert self.nights is not None  # noqa: S101
        ending, now = event.ending, event.at
        person = (await known(db, ending.resident_id)).person
        why = f"{Reason.RESIDENT_ENDED}: {ending.reason}"
        await access_store.end_assignments_of(db, person.id, now)
        await consent_store.shut_gates(db, person.id)
        await self.consents.stop_asking(db, person.id)
        await self.absences.stop(db, person.id, now)
        records = [
            *await self.calls.end_of_ended(db, person.id, Reason.RESIDENT_ENDED, now),
            *await self.visits.end_of_resident(db, person, ending.id),
            *await dispatches.end_of_resident(db, person, outcome=why, actor=SYSTEM, now=now),
            *await people.end_of_resident(db, person, ending.id, note=why, actor=SYSTEM, now=now),
            *await self.devices.end_of_resident(db, person, ending.id, now),
            *await alarm_units.end_of_resident(db, person, ending.id, now),
        ]
        await self.nights.end_of_resident(db, person.id, now)
        await self.agreements.end_of_resident(db, person.id, now)
        await append_all(db, records)

    async def _ending_undone(self, db: Transaction, event: EndingUndone) -> None:
        """What the ending stopped and still lies ahead. A task asks somebody to see to the home:
        nobody is left without a way to be reached (fails loud).
        """
        assert self.visits is not None  # noqa: S101 - as above
        assert self.absences is not None  # noqa: S101
        assert self.consents is not None  # noqa: S101
        assert self.devices is not None  # noqa: S101
        assert self.agreements is not None  # noqa: S101
        ending, now = event.ending, event.at
        resident = await known(db, ending.resident_id)
        await self.consents.go_on_asking(db, resident.id)
        await self.absences.go_on(db, resident.id, now)
        await self.agreements.undo_end(db, resident.id, ending.carried_out_at or now, now)
        visits = await self.visits.undo_end(db, resident.person, ending.id, now)
        devices = await self.devices.undo_end(db, resident.person, ending.id)
        units = await alarm_units.undo_end(db, resident.person, ending.id)
        moved = await people.undo_end(db, ending.id, SYSTEM)
        for home_of in {person.id for record in moved for person in record.persons}:
            await self(db, CohabitantMovedIn(home_of, now))
        await append_all(db, [*visits, *devices, *units, *moved])
        await _task(db, "check_devices", resident.id, ending.id, now)


async def _task(
    db: Transaction, kind: FollowUpKind, resident_id: ResidentId, about_id: UUID, now: datetime,
    *, unit_id: CareUnitId | None = None,
) -> None:  # fmt: skip
    """For somebody in `unit_id`, or in the resident's own unit."""
    resident = await known(db, resident_id)
    await make_follow_up(
        db, kind, resident, unit_id=unit_id or resident.unit_id, about_id=about_id, actor=SYSTEM,
        now=now,
    )  # fmt: skip

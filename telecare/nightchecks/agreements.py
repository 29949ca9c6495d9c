"""Making, changing and ending agreements; cameras in homes; the impact assessment behind them."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta

from telecare.access import store as access_store
from telecare.access.model import Permission, StaffSession
from telecare.access.service import is_new_read, list_read, require, require_in
from telecare.audit.actions import Action
from telecare.audit.append import append
from telecare.audit.format import Document
from telecare.audit.model import Record, SystemActor, actor_text
from telecare.consent.gate import stands
from telecare.consent.model import Allowed, Purpose
from telecare.devices import store as device_store
from telecare.devices.model import Endpoint
from telecare.nightchecks import agreements_store, store
from telecare.nightchecks.agreement import (
    REASSESS_AFTER,
    Agreement,
    AgreementIncomplete,
    Camera,
    Informed,
    Notice,
    Papers,
    PictureMode,
    Slot,
    Substitute,
    checked,
    night_begins,
    night_of,
)
from telecare.nightchecks.ending_soon_store import EndingSoon, ending_soon
from telecare.nightchecks.planning import PLAN, STEP, plan_agreement
from telecare.people.model import Resident
from telecare.people.service import known, make_follow_up, resident_topic
from telecare.runtime.clock import STOCKHOLM, Clock, from_local
from telecare.runtime.db import Database, Transaction, UniqueViolation
from telecare.runtime.errors import FieldInvalid, NotFound, TelecareError
from telecare.runtime.timers import Due, cancel_timers, keep_timer, set_timer
from telecare.wire.errors import Code
from telecare.wire.ids import (
    AgreementId,
    CameraId,
    CareUnitId,
    EndpointId,
    ResidentId,
    new_row_id,
)

REASSESS = "night.reassess"
ASK_BEFORE = timedelta(days=30)
SYSTEM = SystemActor("agreement timer")
CHANGED = "agreement_changed"


class CameraNotReady(TelecareError):
    """A camera is activated only when agreement, papers and consents are there."""

    status = 422
    code = Code.CAMERA_NOT_READY


@dataclass(frozen=True, slots=True)
class Terms:
    """What was agreed, as it is written down; the rest follows."""

    slots: tuple[Slot, ...]
    camera_id: CameraId | None
    unit_id: CareUnitId | None = None
    """None: her own unit's rounds."""
    look_s: int = 30
    picture: PictureMode = "clear"
    may_be_clearer: bool = False
    may_speak: bool = False
    retry_min: int = 15
    phone_first: bool = False
    notice: Notice = "lamp"
    substitute: Substitute = Substitute.VISIT
    declined_herself: bool = False
    window_min: int = 30
    alternatives: str = ""
    informed_on: date | None = None
    informed_by: Informed | None = None
    reassess_on: date | None = None
    to_know: str = ""


@dataclass(frozen=True, slots=True)
class Overview:
    agreements: Sequence[agreements_store.Listed]
    ending_soon: Sequence[EndingSoon]
    """Within 30 days."""
    assessment: agreements_store.Assessment | None


@dataclass(frozen=True, slots=True)
class Nights:
    """One person's."""

    resident: Resident
    agreement: Agreement | None
    cameras: tuple[agreements_store.CameraRow, ...]
    units: tuple[Endpoint, ...]
    allowed: Allowed | Code
    assessment: agreements_store.Assessment | None

    @property
    def has_yes(self) -> bool:
        """It holds, if not at this hour."""
        return isinstance(self.allowed, Allowed) or self.allowed is Code.CONSENT_OUTSIDE_HOURS


class Agreements:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def agree(
        self, session: StaffSession, resident_id: ResidentId, terms: Terms
    ) -> AgreementId:
        """Write down what was agreed; the agreement before it ends. Tonight's checks whose time has
        not come follow the new one.

        Raises NotFound, NotPermitted, FieldInvalid, AgreementIncomplete.
        """
        now = self._clock.now()
        async with self._by(session) as db:
            resident = await known(db, resident_id)
            require_in(db, session, Permission.PLAN, resident.unit_id, Action.NIGHT_AGREED)
            before = await agreements_store.hold_of_resident(db, resident.id)
            agreement = checked(await self._agreement(db, resident, terms, now))
            if before is not None:
                await self._end(db, before, now)
            await agreements_store.add(db, agreement, session.staff.id)
            await self._watch(db, agreement)
            await plan_agreement(db, agreement, night_of(now), now)
            await _keep_planning(db, agreement.unit_id, now)
            db.changed(resident_topic(resident.id))
            record = Record(Action.NIGHT_AGREED, session.actor, [resident.person], _what(agreement))
            await append(db, record)
        return agreement.id

    async def end(self, session: StaffSession, resident_id: ResidentId) -> None:
        """No more checks from now on; what is due or under way is carried through.

        Raises NotFound, NotPermitted.
        """
        now = self._clock.now()
        async with self._by(session) as db:
            resident = await known(db, resident_id)
            tried = Action.NIGHT_AGREEMENT_ENDED
            require_in(db, session, Permission.PLAN, resident.unit_id, tried)
            agreement = await agreements_store.hold_of_resident(db, resident.id)
            if agreement is None:
                raise NotFound
            await self._end(db, agreement, now)
            db.changed(resident_topic(resident.id))
            what: Document = {"agreement_id": str(agreement.id)}
            await append(db, Record(tried, session.actor, [resident.person], what))

    async def add_camera(
        self, session: StaffSession, resident_id: ResidentId, endpoint_id: EndpointId, *,
        name: str, place: str,
    ) -> CameraId:  # fmt: skip
        """A camera on a home unit of hers, not yet to be looked through.

        Raises NotFound, NotPermitted, FieldInvalid (a unit that is not hers, a name in use).
        """
        now = self._clock.now()
        async with self._by(session) as db:
            resident = await known(db, resident_id)
            require_in(db, session, Permission.REGISTER, resident.unit_id, Action.CAMERA_ADDED)
            endpoints = await device_store.endpoints(db, resident.id)
            if endpoint_id not in {e.id for e in endpoints if e.kind == "unit"}:
                raise FieldInvalid("endpoint_id")
            camera = Camera(CameraId(new_row_id(now)), resident.id, name, place, None)
            try:
                async with db.savepoint():
                    await agreements_store.add_camera(db, camera, endpoint_id, now)
            except UniqueViolation as error:
                raise FieldInvalid("name") from error
            what: Document = {"camera_id": str(camera.id), "place": place}
            record = Record(Action.CAMERA_ADDED, session.actor, [resident.person], what)
            await append(db, record)
        return camera.id

    async def activate(self, session: StaffSession, camera_id: CameraId) -> None:
        """It may be looked through from now on: the four records are there, and its unit answers.

        Raises NotFound, NotPermitted, CameraNotReady with what is missing.
        """
        now = self._clock.now()
        async with self._by(session) as db:
            seen = await agreements_store.camera(db, camera_id)
            if seen is None or seen.camera.closed_at is not None:
                raise NotFound
            resident = await known(db, seen.camera.resident_id)
            require_in(db, session, Permission.REGISTER, resident.unit_id, Action.CAMERA_ACTIVATED)
            allowed = await stands(db, resident, Purpose.CAMERA_CHECK, now)
            if isinstance(allowed, Code) and allowed is not Code.CONSENT_OUTSIDE_HOURS:
                raise CameraNotReady("consent")
            agreement = await agreements_store.of_resident(db, resident.id)
            if agreement is None or agreement.camera_id != camera_id:
                raise CameraNotReady("agreement")
            row = await agreements_store.hold_camera(db, camera_id)
            if row is None or not row.is_paired:
                raise CameraNotReady("endpoint_id")
            try:
                agreement.require_papers()
            except AgreementIncomplete as error:
                raise CameraNotReady(*error.fields) from error
            await agreements_store.activate(db, camera_id, session.staff.id, now)
            what: Document = {"agreement_id": str(agreement.id), "camera_id": str(camera_id)}
            record = Record(Action.CAMERA_ACTIVATED, session.actor, [resident.person], what)
            await append(db, record)

    async def close_camera(self, session: StaffSession, camera_id: CameraId) -> None:
        """Taken down or lent out: her checks go on, as visits. Raises NotFound, NotPermitted."""
        now = self._clock.now()
        async with self._by(session) as db:
            row = await agreements_store.hold_camera(db, camera_id)
            if row is None:
                raise NotFound
            resident = await known(db, row.camera.resident_id)
            require_in(db, session, Permission.REGISTER, resident.unit_id, Action.CAMERA_CLOSED)
            if row.camera.closed_at is not None:
                return
            await agreements_store.close_camera(db, camera_id, now)
            what: Document = {"camera_id": str(camera_id)}
            record = Record(Action.CAMERA_CLOSED, session.actor, [resident.person], what)
            await append(db, record)

    async def set_assessment(self, session: StaffSession, reference: str, decided_on: date) -> None:
        """The municipality's impact assessment, which every camera's agreement names.

        Raises NotPermitted, FieldInvalid.
        """
        now = self._clock.now()
        if decided_on > now.astimezone(STOCKHOLM).date():
            raise FieldInvalid("decided_on")
        async with self._by(session) as db:
            require(db, session, Permission.CONFIGURE, Action.ASSESSMENT_SET)
            assessment = agreements_store.Assessment(reference.strip(), decided_on)
            if not assessment.reference:
                raise FieldInvalid("reference")
            id_ = new_row_id(now)
            await agreements_store.set_assessment(db, id_, assessment, session.staff.id, now)
            what: Document = {"decided_on": decided_on.isoformat(), "reference": reference}
            await append(db, Record(Action.ASSESSMENT_SET, session.actor, what=what))

    async def listed(self, session: StaffSession) -> Overview:
        """Agreements in force in the units she plans for. A read of the list, recorded once in 15
        min. Raises NotPermitted.
        """
        now = self._clock.now()
        async with self._by(session) as db:
            require(db, session, Permission.PLAN, Action.LIST_READ)
            units = session.staff.units_of(Permission.PLAN)
            found = await agreements_store.listed(db, units)
            soon = await ending_soon(db, units, now)
            named = {one.agreement.resident_id: one.resident_name for one in found}
            await list_read(db, session, "night_agreements", units, named, now)
            return Overview(found, soon, await agreements_store.assessment(db))

    async def of(self, session: StaffSession, resident_id: ResidentId) -> Nights:
        """What is agreed about her nights, her cameras, and what a camera still lacks.

        Raises NotFound, NotPermitted.
        """
        now = self._clock.now()
        async with self._by(session) as db:
            resident = await known(db, resident_id)
            require_in(db, session, Permission.PLAN, resident.unit_id, Action.REGISTER_READ)
            if await is_new_read(db, session, "register", resident.id, now):
                record = Record(Action.REGISTER_READ, session.actor, [resident.person], {})
                await append(db, record)
            endpoints = await device_store.endpoints(db, resident.id)
            return Nights(
                resident,
                await agreements_store.of_resident(db, resident.id),
                tuple((await agreements_store.cameras(db, resident.id)).values()),
                tuple(e for e in endpoints if e.kind == "unit"),
                await stands(db, resident, Purpose.CAMERA_CHECK, now),
                await agreements_store.assessment(db),
            )

    # --- timers (app.py) ------------------------------------------------------------------------

    async def reassess(self, db: Transaction, due: Due, now: datetime) -> None:
        """Within 30 days it must be asked whether the camera is still right."""
        agreement = await agreements_store.by_id(db, AgreementId(due.subject))
        if agreement is None or agreement.ended_at is not None:
            return
        await make_follow_up(
            db, "reassess", await known(db, agreement.resident_id), unit_id=agreement.unit_id,
            about_id=agreement.id, actor=SYSTEM, now=now,
        )  # fmt: skip

    # --- reactions ------------------------------------------------------------------------------

    async def end_of_resident(
        self, db: Transaction, resident_id: ResidentId, now: datetime
    ) -> None:
        agreement = await agreements_store.hold_of_resident(db, resident_id)
        if agreement is not None:
            await self._end(db, agreement, now)

    async def undo_end(
        self, db: Transaction, resident_id: ResidentId, ended_at: datetime, now: datetime
    ) -> None:
        """The ending that closed it was a mistake: tonight's checks come back."""
        agreement = await agreements_store.newest(db, resident_id)
        if agreement is None or agreement.ended_at is None or agreement.ended_at < ended_at:
            return
        if await agreements_store.reopen(db, agreement.id):
            again = replace(agreement, ended_at=None)
            await self._watch(db, again)
            await plan_agreement(db, again, night_of(now), now)
            await _keep_planning(db, agreement.unit_id, now)

    # --- parts ----------------------------------------------------------------------------------

    async def _agreement(
        self, db: Transaction, resident: Resident, terms: Terms, now: datetime
    ) -> Agreement:
        unit_id = terms.unit_id or resident.unit_id
        if await access_store.unit(db, unit_id) is None:
            raise FieldInvalid("unit_id")
        if terms.camera_id is not None:
            row = await agreements_store.camera(db, terms.camera_id)
            if row is None or row.camera.resident_id != resident.id:
                raise FieldInvalid("camera_id")
        today = now.astimezone(STOCKHOLM).date()
        reassess_on = terms.reassess_on or today + REASSESS_AFTER
        if not today < reassess_on <= today + 2 * REASSESS_AFTER:
            raise FieldInvalid("reassess_on")
        if terms.informed_on is not None and terms.informed_on > today:
            raise FieldInvalid("informed_on")
        assessment = await agreements_store.assessment(db)
        return Agreement(
            id=AgreementId(new_row_id(now)),
            resident_id=resident.id,
            unit_id=unit_id,
            slots=tuple(sorted(terms.slots, key=lambda slot: slot.at)),
            camera_id=terms.camera_id,
            look_s=terms.look_s,
            picture=terms.picture,
            may_be_clearer=terms.may_be_clearer,
            may_speak=terms.may_speak,
            retry_min=terms.retry_min,
            phone_first=terms.phone_first,
            notice=terms.notice,
            substitute=terms.substitute,
            declined_herself=terms.declined_herself,
            window_min=terms.window_min,
            papers=Papers(
                terms.alternatives.strip(),
                terms.informed_on,
                terms.informed_by,
                assessment.reference if assessment else "",
            ),
            reassess_on=reassess_on,
            to_know=terms.to_know.strip(),
            valid_from=now,
        )

    async def _end(self, db: Transaction, agreement: Agreement, now: datetime) -> None:
        await agreements_store.end(db, agreement.id, now)
        await cancel_timers(db, [REASSESS], agreement.id)
        for check in await store.hold_planned(db, agreement.id):
            await store.save(db, check.call_off(CHANGED, now))
            await cancel_timers(db, [STEP], check.id)

    async def _watch(self, db: Transaction, agreement: Agreement) -> None:
        noon = from_local(datetime.combine(agreement.reassess_on, time(12)))
        await set_timer(db, REASSESS, agreement.id, noon - ASK_BEFORE)

    def _by(self, session: StaffSession) -> AbstractAsyncContextManager[Transaction]:
        return self._database.transaction(session.tenant, actor_text(session.actor))


async def _keep_planning(db: Transaction, unit_id: CareUnitId, now: datetime) -> None:
    """Its next nights are made by themselves; one that is overdue keeps its place."""
    await keep_timer(db, PLAN, unit_id, night_begins(night_of(now) + timedelta(days=1)))


def _what(agreement: Agreement) -> Document:
    papers = agreement.papers
    return {
        "agreement_id": str(agreement.id),
        "alternatives": papers.alternatives,
        "camera_id": str(agreement.camera_id) if agreement.camera_id else None,
        "declined_herself": agreement.declined_herself,
        "dpia": papers.dpia,
        "informed_by": papers.informed_by,
        "informed_on": papers.informed_on.isoformat() if papers.informed_on else None,
        "look_s": agreement.look_s,
        "may_be_clearer": agreement.may_be_clearer,
        "may_speak": agreement.may_speak,
        "notice": agreement.notice,
        "phone_first": agreement.phone_first,
        "picture": agreement.picture,
        "reassess_on": agreement.reassess_on.isoformat(),
        "retry_min": agreement.retry_min,
        "slots": [f"{slot.at:%H:%M} {slot.modality}" for slot in agreement.slots],
        "substitute": str(agreement.substitute),
        "unit_id": str(agreement.unit_id),
    }

"""Tonight's drives, as whoever sits in the car needs them: night checks, alarms and visits that
somebody is asked to go to, in one list. What is done about them is done by dispatches/http.py.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from aiohttp import web

from telecare.access import store as access_store
from telecare.access.http import STAFF
from telecare.access.model import Permission, StaffSession
from telecare.access.service import list_read, on_shift_for, require, units_seen
from telecare.alarms import store as alarm_store
from telecare.alarms.model import Alarm
from telecare.audit.actions import Action
from telecare.audit.model import actor_text
from telecare.dispatches import store as dispatch_store
from telecare.dispatches.service import ARRIVE_WITHIN
from telecare.nightchecks import agreements_store, disturbance_store, tonight_store
from telecare.nightchecks import patrol as reasons
from telecare.nightchecks import store as check_store
from telecare.nightchecks.agreement import night_begins, night_of
from telecare.nightchecks.disturbance import may_declare
from telecare.nightchecks.model import LOOKING, Check, CheckState
from telecare.runtime.db import Transaction
from telecare.runtime.http import Answer, Route, json_answer
from telecare.web.floor import FLOOR
from telecare.wire.errors import Code
from telecare.wire.ids import CareUnitId, DispatchId

NOT_BEGUN = (CheckState.PLANNED, CheckState.DUE, *LOOKING, CheckState.DECIDING)
OF_A_VISIT = 3
"""Its urgency; a visit by video became a drive."""


class Job(Answer):
    id: UUID
    state: Literal["asked", "accepted", "arrived"]
    about: Literal["check", "alarm", "visit"]
    why: list[str]
    """Text keys, to be read after each other."""
    urgency: int
    asked_at: datetime
    be_there_by: datetime
    """As promised; before anybody has promised, at the latest."""
    resident_id: UUID
    resident_name: str
    """Empty: protected; then the address too is on her mission only."""
    address: str
    to_know: str
    """Of the agreement on her nights, for her who goes there; the mission has the rest."""
    unit_name: str
    """Empty: her own unit's."""
    accepted_by: str | None
    is_mine: bool


class Finished(Answer):
    id: UUID
    at: datetime
    resident_name: str
    outcome: str
    minutes: int | None
    """In the home; null: nobody said when they arrived."""


class Disturbance(Answer):
    since: datetime
    reason: str
    by: str
    """Given name; empty: protected."""


class ToRing(Answer):
    """A check that is made by telephone now."""

    id: UUID
    resident_name: str
    phone: str
    ring_by: datetime | None
    unit_name: str


class Coming(Answer):
    """A check whose time has not come, or that somebody is about to see to by camera."""

    id: UUID
    at: datetime
    resident_name: str


class Patrol(Answer):
    """`jobs`: hers first, then the most urgent, then who has waited longest. In a Driftstörning the
    rest of the night's open checks stand here too: none is without a line.
    """

    unit_name: str
    unit_phone: str
    """Of the unit whose staff look by camera tonight; empty: not entered."""
    jobs: list[Job]
    done: list[Finished]
    """Of this night, the newest first."""
    may_declare: bool
    disturbance: Disturbance | None
    to_ring: list[ToRing]
    coming: list[Coming]


@dataclass(frozen=True, slots=True)
class Reasons:
    """What drives are about, by its id."""

    checks: Mapping[UUID, Check]
    alarms: Mapping[UUID, Alarm]
    to_know: Mapping[UUID, str]
    """Only of the checks that she goes to."""


@dataclass(frozen=True, slots=True)
class Rest:
    """Of the night's checks those that nobody drives to, in a Driftstörning."""

    disturbance: disturbance_store.Disturbance | None
    checks: Sequence[tonight_store.Open]


@dataclass(frozen=True, slots=True)
class Reason:
    about: Literal["check", "alarm", "visit"]
    why: Sequence[str]
    urgency: int
    be_there_by: datetime


async def patrol(request: web.Request) -> web.Response:
    """While on shift only: there are addresses on it."""
    session, floor = request[STAFF], request.app[FLOOR]
    now = floor.clock.now()
    async with floor.database.transaction(session.tenant, actor_text(session.actor)) as db:
        require(db, session, Permission.WORK, Action.LIST_READ)
        await on_shift_for(db, session, session.staff.works_in, Action.LIST_READ, (), now=now)
        units = await units_seen(db, session, now)
        night = night_of(now)
        found = await dispatch_store.tonight(db, units, night_begins(night))
        disturbed = await disturbance_store.current(db, units)
        checks = await tonight_store.open_checks(db, units, night) if disturbed else ()
        named = {d.listed.dispatch.resident_id: d.listed.resident_name for d in found}
        named |= {one.check.resident_id: one.resident_name for one in checks}
        about = await _reasons(db, session, found)
        answer = await _answer(db, session, units, found, about, Rest(disturbed, checks))
        await list_read(db, session, "patrol", units, named, now)
    return json_answer(answer)


async def _answer(
    db: Transaction,
    session: StaffSession,
    units: Sequence[CareUnitId],
    found: Sequence[dispatch_store.OfTonight],
    about: Reasons,
    rest: Rest,
) -> Patrol:
    known = {unit.id: unit for unit in await access_store.units(db)}
    own = known[units[0]]
    others = {id_: unit.name for id_, unit in known.items() if id_ != own.id}
    jobs = [_job(one, about, session, others) for one in found if one.done_at is None]
    first = {one.listed.dispatch.id: one.priority for one in found}
    jobs.sort(
        key=lambda job: (not job.is_mine, job.urgency, first[DispatchId(job.id)], job.asked_at)
    )
    done = [_finished(one, at) for one in found if (at := one.done_at) is not None]
    done.sort(key=lambda one: one.at, reverse=True)
    return Patrol(
        unit_name=own.name,
        unit_phone=own.phone,
        jobs=jobs,
        done=done,
        may_declare=may_declare(session),
        disturbance=_disturbance(rest.disturbance),
        to_ring=[_to_ring(one, others) for one in rest.checks if one.check.state == "phone"],
        coming=[_coming(one) for one in rest.checks if one.check.state in NOT_BEGUN],
    )


async def _reasons(
    db: Transaction, session: StaffSession, found: Sequence[dispatch_store.OfTonight]
) -> Reasons:
    open_ = [one.listed.dispatch for one in found if one.done_at is None]
    ids = [dispatch.about_id for dispatch in open_]
    checks: dict[UUID, Check] = {check.id: check for check in await check_store.by_ids(db, ids)}
    alarms: dict[UUID, Alarm] = {alarm.id: alarm for alarm in await alarm_store.by_ids(db, ids)}
    to_know: dict[UUID, str] = {}
    for dispatch in open_:
        check = checks.get(dispatch.about_id)
        if check is not None and dispatch.accepted_by == session.staff.id:
            agreement = await agreements_store.by_id(db, check.agreement_id)
            to_know[check.id] = agreement.to_know if agreement is not None else ""
    return Reasons(checks, alarms, to_know)


def _reason(dispatch: dispatch_store.Dispatch, about: Reasons) -> Reason:
    asked_at = dispatch.asked_at
    if (check := about.checks.get(dispatch.about_id)) is not None:
        why = [f"patrol.why.{one}" for one in reasons.reasons(check)]
        by = reasons.be_there_by(check, asked_at)
        return Reason("check", why, reasons.urgency(check), by)
    soon = asked_at + ARRIVE_WITHIN
    if (alarm := about.alarms.get(dispatch.about_id)) is not None:
        return Reason("alarm", [f"alarm.trigger.{alarm.trigger}"], alarm.priority, soon)
    return Reason("visit", ["patrol.why.visit"], OF_A_VISIT, soon)


def _job(
    one: dispatch_store.OfTonight,
    about: Reasons,
    session: StaffSession,
    others: Mapping[CareUnitId, str],
) -> Job:
    dispatch = one.listed.dispatch
    reason = _reason(dispatch, about)
    return Job.model_validate({
        "id": dispatch.id,
        "state": dispatch.state,
        "about": reason.about,
        "why": list(reason.why),
        "urgency": reason.urgency,
        "asked_at": dispatch.asked_at,
        "be_there_by": dispatch.arrive_by or reason.be_there_by,
        "resident_id": dispatch.resident_id,
        "resident_name": one.listed.resident_name,
        "address": one.address,
        "to_know": about.to_know.get(dispatch.about_id, ""),
        "unit_name": others.get(dispatch.unit_id, ""),
        "accepted_by": one.listed.accepted_name,
        "is_mine": dispatch.accepted_by == session.staff.id,
    })  # fmt: skip


def _disturbance(one: disturbance_store.Disturbance | None) -> Disturbance | None:
    return (
        None if one is None else Disturbance(since=one.begun_at, reason=one.reason, by=one.begun_by)
    )


def _to_ring(one: tonight_store.Open, others: Mapping[CareUnitId, str]) -> ToRing:
    check = one.check
    return ToRing(
        id=check.id,
        resident_name=one.resident_name,
        phone=one.resident_phone,
        ring_by=check.deadline,
        unit_name=others.get(check.unit_id, ""),
    )


def _coming(one: tonight_store.Open) -> Coming:
    return Coming(id=one.check.id, at=one.check.may_look_from, resident_name=one.resident_name)


def _finished(one: dispatch_store.OfTonight, at: datetime) -> Finished:
    there = at - one.arrived_at if one.arrived_at is not None else None
    return Finished(
        id=one.listed.dispatch.id,
        at=at,
        resident_name=one.listed.resident_name,
        outcome=one.outcome,
        minutes=None if there is None else round(there / timedelta(minutes=1)),
    )


ROUTES = (
    Route("GET", "/api/patrol", patrol, "staff", Action.LIST_READ, answer=Patrol,
          errors=(Code.NOT_ON_SHIFT, Code.NOT_PERMITTED)),
)  # fmt: skip

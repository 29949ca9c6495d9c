"""What the day's list of a care unit shows: alarms first, then everything else that waits or is
planned, from what is stored.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from telecare.absences import store as absence_store
from telecare.access import store as access_store
from telecare.alarms import store as alarm_store
from telecare.alarms.asking import NEXT
from telecare.alarms.receiving import receivers
from telecare.alarms.technical import store as technical_store
from telecare.calls import store as call_store
from telecare.calls.model import CALL_IN_LANGUAGE_FIRST, CALL_IN_NEXT_UNIT, State
from telecare.devices import store as device_store
from telecare.devices.model import screen_of
from telecare.dispatches import store as dispatch_store
from telecare.people import store as people_store
from telecare.runtime.clock import STOCKHOLM, local_day
from telecare.runtime.db import Transaction
from telecare.shifts import store as shift_store
from telecare.visits import store as visit_store
from telecare.visits.model import VisitState
from telecare.wire.ids import CareUnitId, ResidentId
from telecare.wire.signalling import (
    AbsenceKind,
    AbsenceRow,
    AlarmRow,
    CallRow,
    DispatchRow,
    HandOverRow,
    OutageRow,
    ReceiversRow,
    Row,
    SilentHome,
    TaskRow,
    TechnicalRow,
    VisitRow,
)

WAITS = frozenset({VisitState.NEEDS_STEP, VisitState.UNFINISHED, VisitState.PLANNED})
"""States of a visit that somebody must do something about in time."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose rows a unit's list shows: its own first, and those of the units it covers at this hour,
    which are named.
    """

    units: Sequence[CareUnitId]
    names: Mapping[CareUnitId, str]


async def scope_of(db: Transaction, unit: CareUnitId, now: datetime) -> Scope:
    covered = await access_store.covered_now(db, unit, local=now.astimezone(STOCKHOLM))
    names = {other.id: other.name for other in await access_store.units(db) if other.id in covered}
    return Scope((unit, *covered), names)


async def unit_rows(db: Transaction, unit: CareUnitId, now: datetime) -> Sequence[Row]:
    """What the unit's list shows."""
    return await rows_in(db, await scope_of(db, unit, now), now)


async def rows_in(db: Transaction, scope: Scope, now: datetime) -> Sequence[Row]:
    """Alarms first."""
    return [*await alarm_rows(db, scope, now), *await other_rows(db, scope, now)]


async def alarm_rows(db: Transaction, scope: Scope, now: datetime) -> Sequence[Row]:
    """At most 100."""
    alarms = await alarm_store.open_in(db, scope.units, NEXT)
    residents = [listed.alarm.resident_id for listed in alarms]
    away = await absence_store.away(db, [], residents, now) if residents else {}
    return [
        _alarm_row(
            listed, scope.names.get(listed.alarm.unit_id), _kind(away, listed.alarm.resident_id)
        )
        for listed in alarms
    ]


async def other_rows(db: Transaction, scope: Scope, now: datetime) -> Sequence[Row]:
    """Who receives alarms, technical alarms, call-ins, tasks, dispatches, what is handed over,
    today's visits and who is away; at most 100 of each.
    """
    start, end = local_day(now)
    units, names = scope.units, scope.names
    visits = await visit_store.day(db, units, start, end)
    endpoints = await device_store.endpoints_of(db, [v.visit.resident_id for v in visits])
    waiting = await call_store.waiting(db, units)
    tasks = await people_store.open_follow_ups(db, units)
    dispatches = await dispatch_store.open_in(db, units)
    residents = [
        *(call.resident_id for call in waiting),
        *(task.follow_up.resident_id for task in tasks),
        *(d.dispatch.resident_id for d in dispatches),
    ]
    away = await absence_store.away(db, units, residents, now)
    rows: list[Row] = []
    if await device_store.has_open(db, units):
        rows.append(
            ReceiversRow(
                id=units[0],
                names=list(await receivers(db, units[0], now)),
                records_owed=await alarm_store.how_many_owed(db),
            )
        )
    rows += [_outage_row(one) for one in await technical_store.outages_in(db, units)]
    rows += [
        _technical_row(one, names.get(one.unit_id) if one.unit_id else None)
        for one in await technical_store.open_in(db, units)
    ]
    rows += [
        _call_row(call, names.get(call.unit_id), _kind(away, call.resident_id)) for call in waiting
    ]
    rows += [
        TaskRow(
            id=task.follow_up.id,
            kind=task.follow_up.kind,
            since=task.follow_up.created_at,
            resident_id=task.follow_up.resident_id,
            resident_name=task.resident_name,
            unit_name=names.get(task.follow_up.unit_id),
            taken_by=task.taken_name,
            taken_by_id=task.follow_up.taken_by,
            absent=_kind(away, task.follow_up.resident_id),
        )
        for task in tasks
    ]
    rows += [
        DispatchRow(
            id=d.dispatch.id,
            state=d.dispatch.state,
            asked_at=d.dispatch.asked_at,
            resident_id=d.dispatch.resident_id,
            resident_name=d.resident_name,
            accepted_by=d.accepted_name,
            unit_name=names.get(d.dispatch.unit_id),
            absent=_kind(away, d.dispatch.resident_id),
            accepted_by_id=d.dispatch.accepted_by,
            arrive_by=d.dispatch.arrive_by,
        )
        for d in dispatches
    ]
    rows += [_hand_over_row(row, units) for row in await shift_store.listed_in(db, units)]
    rows += [
        visit_row(
            listed,
            screen_of(endpoints[listed.visit.resident_id], now),
            names.get(listed.visit.unit_id),
        )
        for listed in visits
    ]
    rows += [
        _absence_row(one, names.get(one.unit_id)) for one in away.values() if one.unit_id in units
    ]
    return rows


def _alarm_row(
    listed: alarm_store.Listed, unit_name: str | None, absent: AbsenceKind | None
) -> AlarmRow:
    alarm = listed.alarm
    return AlarmRow.model_validate({
        "id": alarm.id,
        "state": str(alarm.state),
        "since": alarm.pressed_at,
        "trigger": alarm.trigger,
        "device": alarm.device,
        "place": alarm.place,
        "priority": alarm.priority,
        "resident_id": alarm.resident_id,
        "resident_name": listed.resident_name,
        "taken_by": listed.taken_name,
        "taken_by_id": alarm.taken_by,
        "cancelled": alarm.cancelled_at is not None,
        "returned_from": listed.returned_name,
        "returned_why": alarm.returned_why,
        "returned_at": alarm.returned_at,
        "next_at": listed.next_at,
        "unit_name": unit_name,
        "absent": absent,
    })  # fmt: skip


def _technical_row(one: technical_store.Listed, unit_name: str | None) -> TechnicalRow:
    return TechnicalRow(
        id=one.id,
        kind=one.kind,
        since=one.began_at,
        device=one.device,
        detail=one.detail,
        resident_id=one.resident_id,
        resident_name=one.resident_name or "",
        taken_by=one.taken_name,
        taken_by_id=one.taken_by,
        unit_name=unit_name,
    )


def _outage_row(one: technical_store.ListedOutage) -> OutageRow:
    return OutageRow(
        id=one.id,
        shares=one.shares,
        name=one.name,
        since=one.began_at,
        homes=[SilentHome(resident_id=id_, resident_name=name) for id_, name in one.homes],
        taken_by=one.taken_name,
        taken_by_id=one.taken_by,
    )


def _kind(
    away: Mapping[ResidentId, absence_store.Away], resident_id: ResidentId
) -> AbsenceKind | None:
    return away[resident_id].absence.kind if resident_id in away else None


def _absence_row(away: absence_store.Away, unit_name: str | None) -> AbsenceRow:
    absence = away.absence
    return AbsenceRow(
        id=absence.id,
        kind=absence.kind,
        since=absence.from_at,
        until=absence.until_at,
        resident_id=absence.resident_id,
        resident_name=away.resident_name,
        unit_name=unit_name,
    )


def visit_row(listed: visit_store.Listed, screen: str, unit_name: str | None) -> VisitRow:
    visit = listed.visit
    state = str(visit.state)
    if listed.call_state == State.RINGING:
        state = "ringing"
    elif listed.call_state is not None:
        state = "in_call"
    elif listed.is_away and visit.state is VisitState.PLANNED:
        state = str(VisitState.ABSENT)
    waits = state in WAITS
    overdue = visit.starts_at + timedelta(minutes=listed.step_after_min) if waits else None
    return VisitRow.model_validate({
        "id": visit.id,
        "starts_at": visit.starts_at,
        "minutes": visit.minutes,
        "insats": listed.insats_name,
        "resident_id": visit.resident_id,
        "resident_name": listed.resident_name,
        "resident_given_name": listed.resident_given_name,
        "resident_language": listed.resident_language,
        "staff_id": visit.staff_id,
        "staff_name": listed.staff_name,
        "state": state,
        "call_id": visit.call_id,
        "outcome": visit.outcome,
        "step": visit.step,
        "step_at": visit.step_at,
        "screen": screen,
        "overdue_at": overdue,
        "tasks": len(visit.to_do),
        "unit_name": unit_name,
    })  # fmt: skip


def _hand_over_row(listed: shift_store.Listed, units: Sequence[CareUnitId]) -> HandOverRow:
    one = listed.hand_over
    return HandOverRow.model_validate({
        "id": one.id,
        "kind": one.kind,
        "state": str(one.state),
        "since": one.asked_at,
        "resident_id": one.resident_id,
        "resident_name": listed.resident_name,
        "from_id": one.from_staff_id,
        "from_name": listed.from_name,
        "to_id": one.to_staff_id,
        "to_name": listed.to_name,
        "to_here": one.to_unit_id in units,
    })  # fmt: skip


def _call_row(
    call: call_store.Waiting, unit_name: str | None, absent: AbsenceKind | None
) -> CallRow:
    return CallRow(
        id=call.id,
        since=call.since,
        resident_id=call.resident_id,
        resident_name=call.resident_name,
        resident_language=call.resident_language,
        source=call.source,
        first_for=call.first_language,
        first_until=call.since + CALL_IN_LANGUAGE_FIRST if call.first_language else None,
        taken_by=None,
        next_unit_at=call.since + CALL_IN_NEXT_UNIT if call.has_next_unit else None,
        unit_name=unit_name,
        absent=absent,
    )

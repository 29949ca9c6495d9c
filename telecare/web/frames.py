"""Frames for pages, made from what is stored: a call for either end, a home for its TV."""

from datetime import datetime, timedelta
from uuid import UUID

from telecare.access import store as access_store
from telecare.access.model import ScreenSession, StaffSession
from telecare.alarms import store as alarm_store
from telecare.calls import store as call_store
from telecare.calls.model import Kind, Reason
from telecare.calls.turn import TurnServer, credential
from telecare.consent import store as consent_store
from telecare.devices import store as device_store
from telecare.devices.model import cameras_of
from telecare.integrity import looks_store
from telecare.nightchecks import agreements_store
from telecare.nightchecks import store as night_store
from telecare.nightchecks.agreement import night_of
from telecare.people import store as people_store
from telecare.runtime.clock import local_day
from telecare.runtime.db import Transaction
from telecare.visits import store as visit_store
from telecare.visits.model import VisitState
from telecare.wire.ids import CallId
from telecare.wire.signalling import CallFrame, Home, HomeAlarm, IceServer, Media, NextThing

FACES_FOR = timedelta(seconds=60)
"""How long after a call the question how it felt may still come up."""
LATE_FOR = timedelta(hours=3)


def ice_servers(turn: TurnServer | None, call_id: CallId) -> list[IceServer]:
    if turn is None:
        return []
    made = credential(turn, call_id)
    return [IceServer(urls=list(made.urls), username=made.username, credential=made.credential)]


def call_frame(
    seen: call_store.View,
    session: StaffSession | ScreenSession,
    *,
    page: UUID | None,
    turn: TurnServer | None,
) -> CallFrame:
    """The call as this page may know it. `page` None: it takes the place of any older page."""
    call = seen.call
    is_staff = isinstance(session, StaffSession)
    if isinstance(session, StaffSession):
        is_end = call.staff_id == session.staff.id
    else:
        is_end = call.endpoint_id == session.actor.endpoint_id
    speaks = seen.pages["staff" if is_staff else "home"]
    mine = is_end and (page is None or speaks in (None, page))
    early = is_staff and call.connects_early
    may_connect = mine and (call.is_live or early)
    unanswered = call.kind is Kind.CALL_IN and call.end_reason is Reason.NO_ANSWER
    return CallFrame(
        call_id=call.id,
        kind=str(call.kind),
        state=str(call.state),
        resident_id=call.resident_id,
        resident_name=seen.resident_name if is_staff else seen.resident_given_name,
        resident_given_name=seen.resident_given_name,
        staff_id=call.staff_id if is_staff else None,
        staff_name=seen.staff_name if is_staff else seen.staff_given_name,
        staff_given_name=seen.staff_given_name,
        unit_name=seen.unit_name,
        visit_id=call.visit_id,
        answered_by=seen.endpoint_kind if call.opened_at else None,
        mine=mine,
        ring_until=call.ring_until,
        answers_itself_at=call.answers_itself_at,
        opened_at=call.opened_at,
        ended_at=call.ended_at,
        end_reason=str(call.end_reason) if call.end_reason else None,
        media=Media(
            home_picture=call.home_picture,
            home_sound=call.home_sound,
            staff_picture=call.policy.is_talk,
            staff_sound=call.policy.is_talk or call.speech == "on",
        )
        if call.opened_at
        else None,
        max_s=call.max_s,
        connects_early=early,
        ice_servers=ice_servers(turn, call.id) if may_connect else [],
        relay_only=seen.relay_only,
        phone=seen.unit_phone if unanswered else None,
    )


async def home_frame(
    db: Transaction, session: ScreenSession, *, version: int, now: datetime
) -> Home:
    """Everything the TV shows when nobody rings."""
    resident = await people_store.resident(db, session.actor.resident_id)
    assert resident is not None  # noqa: S101 - a foreign key says so
    unit = await access_store.unit(db, resident.unit_id)
    assert unit is not None  # noqa: S101 - likewise
    start, end = local_day(now)
    visits = await visit_store.of_resident(db, resident.id, start, end)
    things = [thing for v in visits if (thing := await _thing(db, v, now)) is not None]
    ahead = [t for t in things if t.at > now - LATE_FOR]
    cameras, heard_at = cameras_of(await device_store.endpoints(db, resident.id), now)
    consents = await consent_store.all_newest(db, resident.id)
    alarm = await alarm_store.in_home(db, resident.id)
    agreement = await agreements_store.of_resident(db, resident.id)
    has_nights = agreement is not None and agreement.uses_camera
    paused = await night_store.paused(db, resident.id, night_of(now)) if has_nights else None
    return Home(
        version=version,
        resident_given_name=resident.given_name,
        language=resident.language,
        next=ahead[0] if ahead else None,
        today=things,
        cameras=cameras,
        camera_heard_at=heard_at,
        unit_phone=unit.phone,
        unit_name=unit.name,
        scale_percent=resident.scale_percent,
        ask_faces_for=await call_store.faces_due(
            db, session.actor.endpoint_id, since=now - FACES_FOR, day_start=start
        ),
        alarm=HomeAlarm(
            id=alarm.id, taken=alarm.is_taken, by=alarm.by, cancelled=alarm.is_cancelled
        )
        if alarm
        else None,
        night=("planned" if paused is None else "paused") if has_nights else "none",
        shows_looks=(await looks_store.shows(db, resident.id))[0],
        yes=[
            str(c.purpose)
            for c in consents
            if c.cohabitant_id is None
            and c.decision == "permit"
            and (c.valid_until is None or c.valid_until > now)
        ],
    )


async def _thing(db: Transaction, listed: visit_store.Listed, now: datetime) -> NextThing | None:
    visit = listed.visit
    if visit.is_closed or (listed.is_away and visit.state is VisitState.PLANNED):
        return None
    at = visit.step_at or visit.starts_at
    who = await visit_store.staff_given_name(db, visit.staff_id) if visit.staff_id else None
    if now > at + timedelta(minutes=1) and listed.call_state is None:
        state = "late"
    elif visit.taken_over:
        state = "taken_over"
    else:
        state = "moved" if visit.moved else "planned"
    return NextThing.model_validate(
        {"at": at, "kind": "visit", "who": who, "insats": listed.insats_name, "state": state}
    )

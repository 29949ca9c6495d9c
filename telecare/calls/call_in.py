"""A resident rings in. Never refused: without consent it opens with sound only.

She is asked for first by those who speak her language, then by her whole unit and the units that
cover it, then by the next unit; last she is told that somebody will ring her (fails loud).
"""

from dataclasses import replace
from datetime import datetime
from uuid import UUID, uuid4

from telecare.access import store as access_store
from telecare.access.errors import NotPermitted
from telecare.access.model import StaffSession
from telecare.access.service import unit_topic
from telecare.audit.actions import Action
from telecare.audit.append import Kept, append
from telecare.audit.format import Document
from telecare.audit.model import HomeActor, Record, refused
from telecare.calls import store
from telecare.calls.model import (
    CALL_IN_LANGUAGE_FIRST,
    CALL_IN_NEXT_UNIT,
    POLICIES,
    Call,
    Kind,
    State,
)
from telecare.calls.opening import (
    NEXT_UNIT,
    RING_OVER,
    SYSTEM,
    Busy,
    Opened,
    React,
    open_call,
    tell,
)
from telecare.consent.gate import covered
from telecare.consent.model import Basis, Purpose
from telecare.people.model import Resident
from telecare.people.own_relation import relation_of
from telecare.people.service import known
from telecare.runtime.clock import STOCKHOLM
from telecare.runtime.db import Transaction, UniqueViolation
from telecare.runtime.errors import NotFound, Refusal
from telecare.runtime.timers import set_timer
from telecare.wire.errors import Code
from telecare.wire.ids import AssignmentId, CallId, new_row_id


class LanguageFirst(Refusal):
    """A colleague on shift speaks her language and is asked first; in some seconds, everybody."""

    status = 409
    code = Code.LANGUAGE_FIRST


async def begin(
    db: Transaction, resident: Resident, actor: HomeActor, *, press: UUID | None, now: datetime
) -> Call:
    """The call rings in her unit."""
    language = resident.language
    has_speaker = await access_store.speaker_on_shift(db, resident.unit_id, language)
    call = Call(
        id=CallId(uuid4()),
        kind=Kind.CALL_IN,
        state=State.RINGING,
        resident_id=resident.id,
        unit_id=resident.unit_id,
        staff_id=None,
        staff_session_id=None,
        visit_id=None,
        endpoint_id=actor.endpoint_id,
        created_at=now,
        ring_until=now + POLICIES[Kind.CALL_IN].ring,
        first_language=language if has_speaker else None,
    )
    await store.add(db, call)
    if press is not None:
        await store.set_press(db, call.id, press)
    await set_timer(db, RING_OVER, call.id, call.ring_until)
    await set_timer(db, NEXT_UNIT, call.id, now + CALL_IN_NEXT_UNIT)
    tell(db, call)
    what: Document = {
        "call_id": str(call.id),
        "first_language": call.first_language,
        "unit_id": str(call.unit_id),
    }
    await append(db, Record(Action.CALL_CALLED_IN, actor, [resident.person], what))
    return call


async def take(
    db: Transaction, session: StaffSession, call_id: CallId, *, now: datetime, react: React
) -> Opened:
    """Answer it. Atomic: the first wins. Her picture only under her consent.

    Raises NotFound, NotPermitted (another unit's), LanguageFirst, CallTaken, CallEnded, Busy.
    """
    seen = await store.by_id(db, call_id)
    if seen is None or seen.kind is not Kind.CALL_IN:
        raise NotFound
    resident = await known(db, seen.resident_id)
    await _may_take(db, session, seen, resident, now)
    await access_store.hold_staff(db, session.staff.id, now)
    await access_store.assign(
        db,
        AssignmentId(new_row_id(now)),
        staff_id=session.staff.id,
        resident_id=resident.id,
        source="call_in",
        source_id=call_id,
        valid_from=now,
        valid_until=None,
    )
    allowed = await covered(db, session.actor, resident, Purpose.VIDEO_VISIT, now)
    call = await store.hold(db, call_id)
    if call is None:
        raise NotFound
    relation = await relation_of(db, session.staff.id, resident)
    basis: Document = {"began_herself": True, "purpose": "call_in", **relation}
    ends_at = None
    if not isinstance(allowed, Code):
        full = Basis(
            Purpose.VIDEO_VISIT, resident.id, allowed.policy, allowed.consents, None,
            "call_in", allowed.ends_at,
        )  # fmt: skip
        basis = {**full.document(), "began_herself": True, **relation}
        ends_at = allowed.ends_at
    assert call.endpoint_id is not None  # noqa: S101 - a call-in comes from a screen
    try:
        async with db.savepoint():
            return await open_call(
                db,
                replace(call, staff_id=session.staff.id, staff_session_id=session.id),
                basis,
                home_picture=not isinstance(allowed, Code),
                ends_at=ends_at,
                endpoint_id=call.endpoint_id,
                by_itself=False,
                actor=session.actor,
                person=resident.person,
                now=now,
                react=react,
            )
    except UniqueViolation as error:
        record = refused(Code.BUSY, Action.CALL_TAKEN, session.actor, [resident.person], {})
        raise Busy(Kept(record)) from error


async def _may_take(
    db: Transaction, session: StaffSession, call: Call, resident: Resident, now: datetime
) -> None:
    """Hers to answer: of a unit she works in, or one that unit covers now, in its turn."""
    staff = session.staff
    local = now.astimezone(STOCKHOLM)
    what: Document = {"call_id": str(call.id)}

    def no(code: Code) -> Kept:
        return Kept(refused(code, Action.CALL_TAKEN, session.actor, [resident.person], what))

    if not await access_store.covers(db, staff.works_in, call.unit_id, local=local):
        raise NotPermitted(no(Code.NOT_PERMITTED))
    is_first = now < call.created_at + CALL_IN_LANGUAGE_FIRST and call.state is State.RINGING
    if is_first and call.first_language and call.first_language not in staff.languages:
        raise LanguageFirst(no(Code.LANGUAGE_FIRST))


async def pass_on(db: Transaction, call: Call, now: datetime) -> None:
    """Nobody took it: it rings in the next unit too (fails loud)."""
    unit = await access_store.unit(db, call.unit_id)
    if call.state is not State.RINGING or unit is None or unit.next_unit_id is None:
        return
    db.changed(unit_topic(call.unit_id))
    moved = replace(call, unit_id=unit.next_unit_id)
    await store.save(db, moved)
    await set_timer(db, NEXT_UNIT, call.id, now + CALL_IN_NEXT_UNIT)
    tell(db, moved)
    resident = await known(db, call.resident_id)
    what: Document = {
        "call_id": str(call.id),
        "from_unit_id": str(call.unit_id),
        "to_unit_id": str(unit.next_unit_id),
    }
    await append(db, Record(Action.CALL_PASSED_ON, SYSTEM, [resident.person], what))

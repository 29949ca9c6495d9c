"""How a call begins, opens and ends. `open_call` is the only maker of leases, TURN credentials and
media grants, and it has always passed the gate (architecture §1.2).

Locks are taken in the order staff, assignment, gate, call; records come last.
"""

import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID, uuid4

from telecare.access import store as access_store
from telecare.access.model import StaffSession
from telecare.access.service import unit_topic
from telecare.audit.actions import Action
from telecare.audit.append import Kept, append, append_all
from telecare.audit.format import Document
from telecare.audit.model import Actor, Person, Record, SystemActor, refused
from telecare.calls import store
from telecare.calls.home_messages import units
from telecare.calls.model import (
    AFTER_CALL_IN,
    CONNECT_LIMIT,
    POLICIES,
    Call,
    CallClosed,
    CallOpened,
    Kind,
    Reason,
    State,
)
from telecare.consent.gate import admit, covered
from telecare.consent.model import Purpose
from telecare.devices import store as device_store
from telecare.devices.model import Endpoint
from telecare.devices.outgoing import to_unit
from telecare.people.model import Resident
from telecare.people.own_relation import reason_for
from telecare.people.service import known, resident_topic
from telecare.runtime.db import Transaction, UniqueViolation
from telecare.runtime.errors import Refusal
from telecare.runtime.timers import cancel_timers, set_timer
from telecare.wire import edge, topics
from telecare.wire.errors import Code
from telecare.wire.ids import (
    CallId,
    EndpointId,
    VisitId,
)

React = Callable[[Transaction, object], Awaitable[None]]


RING_OVER = "call.ring_over"
NEXT_UNIT = "call.next_unit"
MUST_END = "call.must_end"
NOT_CONNECTED = "call.not_connected"
HOME_LOST = "call.home_lost"
STAFF_LOST = "call.staff_lost"
TIMERS = [RING_OVER, NEXT_UNIT, MUST_END, NOT_CONNECTED, HOME_LOST, STAFF_LOST]
SYSTEM = SystemActor("call timer")


class Busy(Refusal):
    """She is in another conversation, or the caller is."""

    status = 409
    code = Code.BUSY


class NoEndpoint(Refusal):
    """Nothing in the home can ring."""

    status = 409
    code = Code.NO_ENDPOINT


@dataclass(frozen=True, slots=True)
class Opened:
    """Proof that the gate let this call open in this transaction; what grants are made of."""

    call: Call
    basis: Document


def call_topic(call_id: CallId) -> str:
    return f"call:{call_id}"


def signal_topic(call_id: CallId) -> str:
    return f"signal:{call_id}"


def calls_topic(session_id: UUID) -> str:
    """Which calls a console is in."""
    return f"calls:{session_id}"


def lease_topic(call_id: CallId) -> str:
    return f"lease:{call_id}"


async def ring(
    db: Transaction,
    session: StaffSession,
    resident: Resident,
    kind: Literal[Kind.VISIT, Kind.VIDEO_CALL],
    *,
    visit_id: VisitId | None,
    now: datetime,
    react: React,
) -> Call:
    """Ring in a home: the first half of the gate, its record, nothing opened. Raises Refusals.

    A home unit may connect meanwhile; picture and sound wait for `open_call`.
    """
    actor = session.actor
    policy = POLICIES[kind]
    basis = await admit(db, actor, resident, policy.purpose, now, tried=Action.CALL_RUNG)
    why = await reason_for(db, session, resident, Action.CALL_RUNG, now)
    endpoints = await device_store.endpoints(db, resident.id)
    if not endpoints:
        raise NoEndpoint(
            Kept(refused(Code.NO_ENDPOINT, Action.CALL_RUNG, actor, [resident.person], {}))
        )
    early = connects_early(endpoints)
    auto = await covered(db, actor, resident, Purpose.AUTO_ANSWER, now)
    seconds = None if isinstance(auto, Code) else auto.consents[0].answer_after_s
    call = Call(
        id=CallId(uuid4()),
        kind=kind,
        state=State.RINGING,
        resident_id=resident.id,
        unit_id=session.staff.works_in,
        staff_id=session.staff.id,
        staff_session_id=session.id,
        visit_id=visit_id,
        endpoint_id=None,
        created_at=now,
        ring_until=now + policy.ring,
        answers_itself_at=now + timedelta(seconds=seconds) if seconds else None,
        basis=json.dumps(basis.document()),
        early_endpoint_id=early,
    )
    given_way = await give_way(db, resident, now=now, react=react)
    try:
        async with db.savepoint():
            await store.add(db, call)
    except UniqueViolation as error:
        record = refused(Code.BUSY, Action.CALL_RUNG, actor, [resident.person], {})
        raise Busy(Kept(record)) from error
    await set_timer(db, RING_OVER, call.id, call.ring_until)
    tell(db, call)
    unit_name = session.staff.shift_unit_name or session.staff.unit_name
    for addressee in units(endpoints):
        message = edge.Ring(
            call_id=call.id,
            caller=session.staff.shown_given_name or unit_name,
            from_unit=unit_name,
            language=resident.language,
            ring_s=int(policy.ring.total_seconds()),
            answers_itself_after_s=seconds,
        )
        db.after_commit(to_unit(addressee, topics.Down.CALL, message))
    what: Document = {
        "answers_itself_after_s": seconds,
        "call_id": str(call.id),
        "connects_early": str(early) if early else None,
        "kind": str(kind),
        "visit_id": str(visit_id) if visit_id else None,
        **why,
    }
    record = Record(Action.CALL_RUNG, actor, [resident.person], what, basis.document())
    await append_all(db, [*given_way, record])
    return call


def connects_early(endpoints: Sequence[Endpoint]) -> EndpointId | None:
    """The home's only unit with a picture. Where several could answer, none connects in advance."""
    found = [e.id for e in endpoints if e.kind == "unit" and e.has_picture]
    return found[0] if len(found) == 1 else None


async def open_call(  # noqa: PLR0913 - what an opening is made of
    db: Transaction,
    call: Call,
    basis: Document,
    *,
    home_picture: bool,
    ends_at: datetime | None,
    endpoint_id: EndpointId,
    by_itself: bool,
    actor: Actor,
    person: Person,
    now: datetime,
    react: React,
) -> Opened:
    """The second half of the gate has been passed (`basis`): lease, timers, record."""
    assert call.staff_id is not None  # noqa: S101 - whoever rang or took it
    open_now = call.open(
        now,
        staff_id=call.staff_id,
        endpoint_id=endpoint_id,
        home_picture=home_picture,
        ends_at=ends_at,
        by_itself=by_itself,
    )
    open_now = replace(open_now, basis=json.dumps(basis), staff_session_id=call.staff_session_id)
    await store.save(db, open_now)
    await store.add_lease(db, call.id)
    await cancel_timers(db, [RING_OVER, NEXT_UNIT], call.id)
    assert open_now.must_end is not None  # noqa: S101 - set by open
    await set_timer(db, MUST_END, call.id, open_now.must_end)
    await set_timer(db, NOT_CONNECTED, call.id, now + CONNECT_LIMIT)
    tell(db, open_now)
    await react(db, CallOpened(open_now, now))
    what: Document = {
        "answered_by_itself": by_itself,
        "call_id": str(call.id),
        "endpoint_id": str(endpoint_id),
        "home_picture": home_picture,
        "kind": str(call.kind),
        "staff_id": str(call.staff_id),
    }
    await append(db, Record(Action.CALL_OPENED, actor, [person], what, basis))
    return Opened(open_now, basis)


async def open_unit(
    db: Transaction, call: Call, now: datetime, stamp: edge.Stamp | None = None
) -> None:
    """Tell the unit that is the home's end that it may open.

    Without a stamp of its own clock nothing is said: it says again that it is there, with one.
    """
    current = await store.hold(db, call.id)
    if current is None or not current.is_live or stamp is None:
        return
    endpoints = await device_store.endpoints(db, call.resident_id)
    for addressee in units([e for e in endpoints if e.id == current.endpoint_id]):
        message = edge.Opened(
            call_id=call.id,
            echo=stamp,
            lease_ms=edge.LEASE_MS,
            max_s=max(1, int((current.must_end - now).total_seconds())) if current.must_end else 1,
            sends_picture=current.home_picture,
            sends_sound=current.home_sound,
        )
        db.after_commit(to_unit(addressee, topics.Down.CALL, message))


async def give_way(
    db: Transaction, resident: Resident, *, now: datetime, react: React
) -> Sequence[Record]:
    """A look ends for whoever rings her or is rung by her; nothing else does. Its record is for the
    caller to enter.
    """
    live = await store.live_of_resident(db, resident.id)
    call = await store.hold(db, live) if live is not None else None
    if call is None or call.kind is not Kind.LOOK:
        return ()
    ended = await close_call(db, call, Reason.HOME_CALLS, SYSTEM, now=now, react=react)
    return [ended] if ended else ()


async def end_call(
    db: Transaction, call: Call, reason: Reason, actor: Actor, *, now: datetime, react: React
) -> None:
    """End a held call once: lease and signals go, every end is told, the record stands."""
    record = await close_call(db, call, reason, actor, now=now, react=react)
    if record is not None:
        await append(db, record)


async def close_call(
    db: Transaction, call: Call, reason: Reason, actor: Actor, *, now: datetime, react: React
) -> Record | None:
    """As `end_call`, for a caller that locks more before it enters the record."""
    if call.state is State.ENDED:
        return None
    ended = call.end(now, reason)
    await store.save(db, ended)
    await store.end_lease(db, call.id)
    await cancel_timers(db, TIMERS, call.id)
    if call.kind is Kind.CALL_IN and call.staff_id is not None:
        until = now + AFTER_CALL_IN
        await access_store.close_assignments(db, "call_in", call.id, until)
    tell(db, ended)
    resident = await known(db, call.resident_id)
    hang_up = edge.HangUp(call_id=call.id, reason=str(reason))
    for addressee in units(await device_store.endpoints(db, resident.id)):
        db.after_commit(to_unit(addressee, topics.Down.CALL, hang_up))
    await react(db, CallClosed(ended, now))
    action = {
        Reason.DECLINED: Action.CALL_DECLINED,
        Reason.NO_ANSWER: Action.CALL_UNANSWERED,
    }.get(reason, Action.CALL_ENDED)
    what: Document = {
        "call_id": str(call.id),
        "kind": str(call.kind),
        "reason": str(reason),
        "seconds": ended.open_seconds,
        "staff_id": str(call.staff_id) if call.staff_id else None,
    }
    return Record(action, actor, [resident.person], what, json.loads(call.basis))


def tell(db: Transaction, call: Call) -> None:
    db.changed(call_topic(call.id))
    db.changed(resident_topic(call.resident_id))
    db.changed(unit_topic(call.unit_id))
    if call.staff_session_id is not None:
        db.changed(calls_topic(call.staff_session_id))

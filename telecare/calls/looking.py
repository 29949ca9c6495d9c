"""A look by camera: made ready while nothing leaves the home, then open for seconds.

The gate is passed twice, for each half; nothing rings, and a look ends instead of going dark.
"""

import json
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal
from uuid import uuid4

from telecare.access.model import StaffSession
from telecare.audit.actions import Action
from telecare.audit.append import Kept, append
from telecare.audit.format import Document
from telecare.audit.model import Record, refused
from telecare.calls import store
from telecare.calls.home_messages import units
from telecare.calls.model import POLICIES, Call, Kind, State
from telecare.calls.opening import (
    MUST_END,
    RING_OVER,
    Busy,
    Opened,
    React,
    open_call,
    open_unit,
    tell,
)
from telecare.consent.gate import admit
from telecare.devices import store as device_store
from telecare.devices.model import Endpoint
from telecare.devices.outgoing import to_unit
from telecare.people.model import Resident
from telecare.people.own_relation import reason_for
from telecare.runtime.db import Transaction, UniqueViolation
from telecare.runtime.timers import set_timer
from telecare.wire import edge, topics
from telecare.wire.errors import Code
from telecare.wire.ids import CallId

POLICY = POLICIES[Kind.LOOK]
UNIT_STOPS_FIRST = timedelta(seconds=2)
"""The home's hard stop comes before ours, which is for a unit that is lost."""


@dataclass(frozen=True, slots=True)
class Look:
    """What a home is asked to show, and for how long at most."""

    camera: str
    picture: Literal["clear", "blurred"]
    notice: Literal["lamp", "lamp_and_sound", "none"]
    seconds: int


async def prepare(
    db: Transaction, session: StaffSession, resident: Resident, *, endpoint: Endpoint, look: Look,
    now: datetime,
) -> Call:  # fmt: skip
    """Connected, and dark, for 30 s at most. Raises what the gate raises, and Busy."""
    actor, tried = session.actor, Action.CALL_PREPARED
    basis = await admit(db, actor, resident, POLICY.purpose, now, tried=tried)
    why = await reason_for(db, session, resident, tried, now)
    call = Call(
        id=CallId(uuid4()),
        kind=Kind.LOOK,
        state=State.READY,
        resident_id=resident.id,
        unit_id=session.staff.works_in,
        staff_id=session.staff.id,
        staff_session_id=session.id,
        visit_id=None,
        endpoint_id=endpoint.id,
        created_at=now,
        ring_until=now + POLICY.ring,
        basis=json.dumps(basis.document()),
        early_endpoint_id=endpoint.id,
    )
    try:
        async with db.savepoint():
            await store.add(db, call)
    except UniqueViolation as error:
        raise Busy(Kept(refused(Code.BUSY, tried, actor, [resident.person], {}))) from error
    await set_timer(db, RING_OVER, call.id, call.ring_until)
    tell(db, call)
    message = edge.PrepareLook(
        call_id=call.id,
        camera=look.camera,
        picture=look.picture,
        notice=look.notice,
        ready_s=int(POLICY.ring.total_seconds()),
    )
    for addressee in units([endpoint]):
        db.after_commit(to_unit(addressee, topics.Down.CALL, message))
    what: Document = {
        "call_id": str(call.id),
        "camera": look.camera,
        "picture": look.picture,
        **why,
    }
    await append(db, Record(tried, actor, [resident.person], what, basis.document()))
    return call


async def open_look(
    db: Transaction, session: StaffSession, resident: Resident, call: Call, look: Look, *,
    stamp: edge.Stamp | None, now: datetime, react: React,
) -> Opened:  # fmt: skip
    """Her turn: the gate anew, then the camera. `call` is held. Raises what the gate raises,
    and Busy: she is in another call, or looks at another home.
    """
    assert call.endpoint_id is not None  # noqa: S101 - `prepare` set it
    basis = await admit(db, session.actor, resident, POLICY.purpose, now, tried=Action.CALL_OPENED)
    longest = now + timedelta(seconds=look.seconds) + UNIT_STOPS_FIRST
    ends_at = longest if basis.ends_at is None else min(longest, basis.ends_at)
    try:
        async with db.savepoint():
            opened = await open_call(
                db,
                call,
                basis.document(),
                home_picture=True,
                ends_at=ends_at,
                endpoint_id=call.endpoint_id,
                by_itself=False,
                actor=session.actor,
                person=resident.person,
                now=now,
                react=react,
            )
    except UniqueViolation as error:
        what: Document = {"call_id": str(call.id)}
        record = refused(Code.BUSY, Action.CALL_OPENED, session.actor, [resident.person], what)
        raise Busy(Kept(record)) from error
    await open_unit(db, opened.call, now + UNIT_STOPS_FIRST, stamp)
    return opened


async def let_speak(db: Transaction, call: Call) -> None:
    """Her home gives its signal, then lets the voice through; asked again it is told again.
    `call` is held and live.
    """
    asked = call.ask_speech()
    await store.save(db, asked)
    tell(db, asked)
    endpoints = await device_store.endpoints(db, call.resident_id)
    message = edge.Speak(call_id=call.id)
    for addressee in units([e for e in endpoints if e.id == call.endpoint_id]):
        db.after_commit(to_unit(addressee, topics.Down.CALL, message))


async def lengthen(
    db: Transaction, call: Call, n: int, more_s: int, *, ends_at: datetime | None
) -> bool:
    """As long again, not beyond `ends_at`, which the gate gave just now; `call` is held and live.
    `n`: which time, so that a repeat counts once. False: nothing may be added.
    """
    wished = call.longer(timedelta(seconds=more_s))
    assert call.must_end is not None  # noqa: S101 - it is live
    assert wished.must_end is not None  # noqa: S101 - likewise
    until = wished.must_end if ends_at is None else min(wished.must_end, ends_at)
    more_s = int((until - call.must_end).total_seconds())
    if more_s < 1:
        return False
    longer = replace(wished, must_end=until)
    await store.save(db, longer)
    await set_timer(db, MUST_END, call.id, until)
    tell(db, longer)
    endpoints = await device_store.endpoints(db, call.resident_id)
    message = edge.Longer(call_id=call.id, n=n, more_s=more_s)
    for addressee in units([e for e in endpoints if e.id == call.endpoint_id]):
        db.after_commit(to_unit(addressee, topics.Down.CALL, message))
    return True

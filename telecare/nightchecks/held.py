"""What a look needs, in the order in which it is locked: call, then check (architecture §1.11)."""

from datetime import datetime

from telecare.access.errors import NotPermitted
from telecare.access.model import Permission, StaffSession
from telecare.audit.actions import Action
from telecare.audit.append import Kept
from telecare.audit.format import Document
from telecare.audit.model import refused
from telecare.calls import looking
from telecare.calls import store as call_store
from telecare.calls.model import Call
from telecare.devices import store as device_store
from telecare.devices.model import Endpoint
from telecare.nightchecks import agreements_store, store
from telecare.nightchecks.model import Check
from telecare.nightchecks.service import take_on
from telecare.people.model import Resident
from telecare.runtime.db import Transaction
from telecare.runtime.errors import NotFound, TelecareError
from telecare.wire.errors import Code
from telecare.wire.ids import CheckId


class CameraUnusable(TelecareError):
    """It is blocked, closed, never activated, or its unit is not paired: that is a visit."""

    code = Code.CAMERA_UNUSABLE


class RoomNotPrivate(TelecareError):
    """She has not said, in this shift, that she sits where nobody else sees her screen."""

    code = Code.ROOM_NOT_PRIVATE


def require_role(session: StaffSession, resident: Resident, tried: Action) -> None:
    """Whoever looks, or speaks to her, has been trained for it. Raises NotPermitted (recorded)."""
    if not session.staff.may(Permission.LOOK):
        what: Document = {"needs": str(Permission.LOOK)}
        denied = refused(Code.NOT_PERMITTED, tried, session.actor, [resident.person], what)
        raise NotPermitted(Kept(denied))


async def take_on_alone(
    db: Transaction, session: StaffSession, check: Check, tried: Action, now: datetime
) -> None:
    """Before any look. Raises NotOnShift, RoomNotPrivate."""
    shift_id = await take_on(db, session, check, tried, now)
    if not await store.is_private(db, shift_id):
        raise RoomNotPrivate


async def seen(db: Transaction, check_id: CheckId) -> Check:
    """Not held: for what comes before the locks. Raises NotFound."""
    check = await store.by_id(db, check_id)
    if check is None:
        raise NotFound
    return check


async def held(db: Transaction, check_id: CheckId) -> Check:
    """Raises NotFound."""
    check = await store.hold(db, check_id)
    if check is None:
        raise NotFound
    return check


async def held_with_call(db: Transaction, check_id: CheckId) -> tuple[Call | None, Check]:
    """Its call, if it has one, then the check. Raises NotFound."""
    before = await seen(db, check_id)
    call = await call_store.hold(db, before.call_id) if before.call_id is not None else None
    return call, await held(db, check_id)


async def camera_of(
    db: Transaction, check: Check, resident: Resident
) -> tuple[Endpoint, looking.Look]:
    """The unit to ask, and what for. Raises CameraUnusable."""
    agreement = await agreements_store.by_id(db, check.agreement_id)
    if agreement is None or agreement.camera_id is None:
        raise CameraUnusable
    row = await agreements_store.camera(db, agreement.camera_id)
    endpoints = await device_store.endpoints(db, resident.id)
    endpoint = next((e for e in endpoints if row and e.id == row.endpoint_id), None)
    if row is None or not row.is_usable or endpoint is None:
        raise CameraUnusable
    look = looking.Look(row.camera.name, agreement.picture, agreement.notice, agreement.look_s)
    return endpoint, look

"""What a look needs, in the order in which it is locked: call, then check (architecture §1.11)."""

from telecare.calls import looking
from telecare.calls import store as call_store
from telecare.calls.model import Call
from telecare.devices import store as device_store
from telecare.devices.model import Endpoint
from telecare.nightchecks import agreements_store, store
from telecare.nightchecks.model import Check
from telecare.people.model import Resident
from telecare.runtime.db import Transaction
from telecare.runtime.errors import NotFound, TelecareError
from telecare.wire.errors import Code
from telecare.wire.ids import CheckId


class CameraUnusable(TelecareError):
    """It is blocked, closed, never activated, or its unit is not paired: that is a visit."""

    code = Code.CAMERA_UNUSABLE


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

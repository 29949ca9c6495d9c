"""Nights of the invented homes: a camera in the bedroom, and a check that is due now."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from telecare.audit.model import actor_text
from telecare.consent import store as consent_store
from telecare.consent.model import Purpose
from telecare.demo import seed
from telecare.devices import store as device_store
from telecare.nightchecks import agreements_store, store
from telecare.nightchecks.agreement import (
    REASSESS_AFTER,
    Agreement,
    Camera,
    Modality,
    Papers,
    PictureMode,
    Slot,
    Substitute,
    checked,
    night_of,
)
from telecare.nightchecks.planning import plan_agreement
from telecare.people import store as people_store
from telecare.runtime.clock import STOCKHOLM
from telecare.runtime.db import Database, Transaction
from telecare.wire.ids import AgreementId, CameraId, TenantId, new_row_id

CAMERA = "bedroom"
EVA = next(one.id for one in seed.STAFF if one.key == "eva")
DPIA = agreements_store.Assessment("NK 2026/114", datetime(2026, 6, 1, tzinfo=STOCKHOLM).date())


async def agree(
    database: Database, tenant: TenantId, homes: Sequence[seed.Home], now: datetime,
    *, picture: PictureMode = "clear",
) -> Sequence[seed.Home]:  # fmt: skip
    """Each home whose unit is there gets a check now, and in four hours; which they are."""
    async with database.transaction(tenant, actor_text(seed.ACTOR)) as db:
        if await agreements_store.assessment(db) is None:
            await agreements_store.set_assessment(db, new_row_id(now), DPIA, EVA, now)
        return [home for home in homes if await _agree(db, home, now, picture)]


async def _agree(db: Transaction, home: seed.Home, now: datetime, picture: PictureMode) -> bool:
    units = [e for e in await device_store.endpoints(db, home.id) if e.kind == "unit"]
    if not units:
        return False
    before = await agreements_store.hold_of_resident(db, home.id)
    if before is None:
        camera_id = CameraId(new_row_id(now))
        camera = Camera(camera_id, home.id, CAMERA, "Sovrum", None)
        await agreements_store.add_camera(db, camera, units[0].id, now)
        await _say_yes(db, home, now)
    else:
        assert before.camera_id is not None  # noqa: S101 - made here
        camera_id = before.camera_id
        await agreements_store.end(db, before.id, now)
        for check in await store.hold_planned(db, before.id):
            await store.save(db, check.call_off("agreement_changed", now))
    local = now.astimezone(STOCKHOLM).replace(second=0, microsecond=0)
    times = (local.time(), (local + timedelta(hours=4)).time())
    agreement = Agreement(
        id=AgreementId(new_row_id(now)),
        resident_id=home.id,
        unit_id=seed.TEAM,
        slots=tuple(Slot(at.replace(tzinfo=None), Modality.CAMERA) for at in times),
        camera_id=camera_id,
        look_s=30,
        picture=picture,
        may_be_clearer=False,
        may_speak=True,
        retry_min=15,
        phone_first=False,
        notice="lamp",
        substitute=Substitute.VISIT,
        declined_herself=False,
        window_min=30,
        papers=Papers("Larmmatta provad i tre veckor.", DPIA.decided_on, "in_person",
                      DPIA.reference),
        reassess_on=(now + REASSESS_AFTER).date(),
        to_know="Går ofta upp vid två.",
        valid_from=now - timedelta(minutes=1),
    )  # fmt: skip
    await agreements_store.add(db, checked(agreement), EVA)
    await agreements_store.activate(db, camera_id, EVA, now)
    await plan_agreement(db, agreement, night_of(now), now)
    return True


async def _say_yes(db: Transaction, home: seed.Home, now: datetime) -> None:
    """She, and whoever lives there."""
    known = await consent_store.newest(db, home.id, Purpose.CAMERA_CHECK)
    if known:
        return
    cohabitants = await people_store.cohabitants(db, home.id, now)
    for party in (None, *(one.id for one in cohabitants)):
        await seed.say_yes(db, home.id, Purpose.CAMERA_CHECK, party=party, now=now)

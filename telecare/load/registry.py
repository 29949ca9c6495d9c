"""The municipality of simulated homes. Fails closed: only beside others that are invented too."""

import secrets
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from telecare.access import store as access_store
from telecare.access.model import CareUnit
from telecare.audit.actions import Action
from telecare.audit.append import append
from telecare.audit.model import CommandLineActor, HomeActor, Record, actor_text
from telecare.consent import store as consent_store
from telecare.consent.tenants import add_tenant
from telecare.devices import store as device_store
from telecare.devices.model import Unit
from telecare.load import store
from telecare.load.homes import LightHome
from telecare.people.model import Resident
from telecare.people.service import register
from telecare.runtime.db import Database, Transaction
from telecare.runtime.errors import CannotStart
from telecare.wire.ids import (
    CareUnitId,
    EndpointId,
    ProviderId,
    ResidentId,
    TenantId,
    UnitId,
    new_row_id,
    new_unit_id,
)

SLUG = "simulated"
UNIT = CareUnitId(UUID("5b0f3a52-3a0c-4c5e-9d3e-6b1c0d7f2a11"))
DEMO_UNIT = CareUnitId(UUID("a1650bd3-1c60-54ee-8a50-371fa7f687ac"))
"""Known by these, which no other municipality has: a short name can be anybody's."""
ACTOR = CommandLineActor("simulate")
TOGETHER = 100
KEY_BYTES = 32


class RealMunicipality(CannotStart):
    """This database holds a municipality that is not invented, or not known to be. Homes are
    simulated beside the demo's or in a database of their own, never beside real residents.
    """


async def registered(database: Database, count: int, now: datetime) -> list[LightHome]:
    """So many homes, those of earlier runs first. Raises RealMunicipality, changing nothing."""
    await refuse_real(database)
    tenant = await _tenant(database, now)
    async with database.transaction(tenant) as db:
        known = list(await store.units(db, count))
    while len(known) < count:
        async with database.transaction(tenant, actor_text(ACTOR)) as db:
            known += await _homes(db, min(TOGETHER, count - len(known)), len(known), now)
    return [LightHome.begun(unit, key, now) for unit, key in known]


async def refuse_real(database: Database) -> None:
    """Raises RealMunicipality."""
    async with database.across_tenants() as db:
        tenants = await access_store.tenants(db)
    for tenant in tenants:
        async with database.transaction(tenant.id) as db:
            found = [await access_store.unit(db, unit) for unit in (UNIT, DEMO_UNIT)]
        if not any(found):
            raise RealMunicipality(tenant.slug)


async def _tenant(database: Database, now: datetime) -> TenantId:
    async with database.across_tenants(actor_text(ACTOR)) as db:
        known = await access_store.tenant_by_slug(db, SLUG)
        if known is not None:
            return known.id
        made = await add_tenant(
            db, slug=SLUG, name="Simulerade hem", phone="021-00 00 00", actor=ACTOR, now=now
        )
        provider = ProviderId(new_row_id(now))
        await access_store.add_provider(db, provider, "Simulerad utförare")
        await access_store.add_unit(db, CareUnit(UNIT, "Simulerade hem", "", None), provider)
        return made


async def _homes(
    db: Transaction, count: int, after: int, now: datetime
) -> Sequence[tuple[UnitId, bytes]]:
    return [await _home(db, after + n + 1, now) for n in range(count)]


async def _home(db: Transaction, number: int, now: datetime) -> tuple[UnitId, bytes]:
    resident = Resident(
        id=ResidentId(new_row_id(now)),
        unit_id=UNIT,
        name=f"Simulerad {number}",
        given_name=f"Simulerad {number}",
        language="sv",
        address="",
        phone="",
        born_on=None,
        to_know=(),
        scale_percent=100,
    )
    await register(db, resident, ACTOR, now)
    await consent_store.add_gates(db, resident.id)
    unit = Unit(
        tenant=db.tenant,
        id=new_unit_id(),
        endpoint_id=EndpointId(new_row_id(now)),
        resident_id=resident.id,
        public_key=bytes(KEY_BYTES),
        mac_key=secrets.token_bytes(KEY_BYTES),
    )
    await device_store.add_endpoint(
        db, unit.endpoint_id, resident.id, kind="unit", label="simulated", has_picture=False,
        now=now,
    )  # fmt: skip
    await device_store.add_unit(db, unit, now)
    what = {"endpoint_id": str(unit.endpoint_id), "unit": unit.id}
    actor = HomeActor(unit.endpoint_id, "unit", resident.id)
    await append(db, Record(Action.UNIT_ENROLLED, actor, [resident.person], what))
    return unit.id, unit.mac_key

"""Opens the receivers that the configuration names, and keeps them for the life of the process."""

import asyncio
from dataclasses import dataclass

from telecare.access import store as access_store
from telecare.alarms.intake import Intake, Whose
from telecare.alarms.receivers import configured
from telecare.alarms.receivers.configured import Configured
from telecare.alarms.receivers.dc09_receiver import Dc09Receiver
from telecare.alarms.receivers.scaip_receiver import ScaipReceiver
from telecare.runtime.clock import Clock
from telecare.runtime.config import Config, ConfigMissing
from telecare.runtime.db import Database
from telecare.runtime.errors import CannotStart
from telecare.runtime.sealing import Sealer
from telecare.runtime.tasks import Errands
from telecare.wire.ids import TenantId


class MunicipalityUnknown(CannotStart):
    """A receiver is of a municipality that there is not; `telecare tenant add` makes it."""


@dataclass(frozen=True, slots=True)
class Receivers:
    """None without a configured port."""

    scaip: ScaipReceiver | None = None
    dc09: Dc09Receiver | None = None

    async def run(self) -> None:
        """For the life of the process; ends at once when there is nothing to listen to."""
        async with asyncio.TaskGroup() as group:
            if self.scaip is not None:
                group.create_task(self.scaip.run(), name="scaip")
            if self.dc09 is not None:
                group.create_task(self.dc09.run(), name="dc09")


async def receivers_of(
    config: Config, database: Database, clock: Clock, sealer: Sealer | None, errands: Errands
) -> Receivers:
    """Raises ReceiverMalformed, CertificateUnusable, MunicipalityUnknown, ConfigMissing,
    DatabaseUnavailable.
    """
    wanted = configured.read(config)
    if not (wanted.scaip or wanted.dc09):
        return Receivers()
    if sealer is None:
        raise ConfigMissing("TELECARE_PERSON_KEY_FILE")  # the units' passwords and keys
    intake = Intake(database, clock, sealer, await _whose(database, wanted))
    return Receivers(
        ScaipReceiver(wanted.scaip, intake, errands=errands) if wanted.scaip else None,
        Dc09Receiver(wanted.dc09, intake, errands=errands, clock=clock) if wanted.dc09 else None,
    )


async def _whose(database: Database, wanted: Configured) -> Whose:
    tenants: dict[str, TenantId] = {}
    async with database.across_tenants() as db:
        for slug in sorted(wanted.slugs):
            row = await access_store.tenant_by_slug(db, slug)
            if row is None:
                raise MunicipalityUnknown(slug)
            tenants[slug] = row.id
    return Whose(
        tenants,
        {domain: tenants[slug] for domain, slug in wanted.domains.items()},
        {tenants[slug]: uris for slug, uris in wanted.exchanges.items()},
    )

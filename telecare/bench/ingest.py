"""Events from homes: how fast they are stored, beside the plainest way into the same database."""

import time
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID, uuid4

from telecare.bench.log import Ground, ground
from telecare.bench.reference.copying import copied
from telecare.bench.report import Part, compared, told
from telecare.devices.ingest import Ingest
from telecare.devices.store import StoredEvent
from telecare.runtime.clock import SystemClock
from telecare.runtime.embedded.postgres import SUPERUSER
from telecare.wire import edge
from telecare.wire.ids import UnitId, new_unit_id

BATCHES, BATCH = 60, 500
UNITS = 200
ROUNDS = 3


async def ingest_db(rounds: int | None) -> list[Part]:
    """New events, and the same once more, by turns with COPY."""
    bare, new, again = 0.0, 0.0, 0.0
    async with ground() as here, here.role("ingest") as database:
        ingest = Ingest(database, SystemClock())
        units = [new_unit_id() for _ in range(UNITS)]
        for _ in range(rounds or ROUNDS):
            batches = _batches(here, units)
            rows = [[_row(event) for event in batch] for batch in batches]
            bare += await copied(here.services.postgres.url(SUPERUSER), rows)
            new += await _stored(ingest, batches)
            again += await _stored(ingest, batches)
    events = (rounds or ROUNDS) * BATCHES * BATCH
    return [
        compared(
            f"stored once, {BATCH} at a time, beside COPY",
            events / new, events / bare, "events/s", at_least=0.45,
        ),
        told("the same again", events / again, "events/s"),
    ]  # fmt: skip


async def _stored(ingest: Ingest, batches: Sequence[Sequence[StoredEvent]]) -> float:
    begun = time.perf_counter()
    for batch in batches:
        await ingest.add(batch)
    return time.perf_counter() - begun


def _batches(here: Ground, units: Sequence[UnitId]) -> list[list[StoredEvent]]:
    boot = uuid4()
    return [
        [_event(here, units[n % UNITS], boot, batch * BATCH + n + 1) for n in range(BATCH)]
        for batch in range(BATCHES)
    ]


def _event(here: Ground, unit: UnitId, boot: UUID, seq: int) -> StoredEvent:
    at = SystemClock().now() - timedelta(milliseconds=seq)
    event = edge.SensorChanged(
        boot=boot, seq=seq, occurred_at=at, sensor="door", device="ytterdorr", place="hall",
        is_on=seq % 2 == 0,
    )  # fmt: skip
    return StoredEvent(here.tenant, unit, boot, seq, event.kind, at, True, event.model_dump_json())


def _row(event: StoredEvent) -> tuple[object, ...]:
    at = event.occurred_at
    return (
        event.tenant, event.unit_id, event.boot, event.seq, event.kind, at, event.clock_ok, at, at,
        event.payload,
    )  # fmt: skip

"""Events from homes: how fast they are stored and receipted, beside the plainest ways to take them
from the broker and into the same database.
"""

import asyncio
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

from telecare.bench.log import Ground, ground
from telecare.bench.reference.copying import copied
from telecare.bench.report import Part, compared, told
from telecare.bench.simulated import Feeder, feeder, home_at, homes_of
from telecare.bench.stack import Stack, child, running_stack, until, until_says
from telecare.devices.ingest import Ingest
from telecare.devices.store import StoredEvent
from telecare.load.fleet import Counts, Line
from telecare.load.homes import LightHome
from telecare.runtime.broker import Publish
from telecare.runtime.clock import SystemClock
from telecare.runtime.embedded.postgres import SUPERUSER
from telecare.runtime.tasks import running
from telecare.wire import edge
from telecare.wire.ids import UnitId, new_unit_id

BATCHES, BATCH = 60, 500
UNITS = 200
ROUNDS = 3
WAITING = 40_000
DRAIN_LIMIT_S = 120.0
SUBSCRIBED_S = 1.0
"""mosquitto_sub does not say when it is."""
REFERENCE_TOPIC = "ref/1/"
REFERENCE_FILTER = "ref/1/+/up/event"


async def ingest(rounds: int | None) -> list[Part]:
    """40,000 events wait in the broker for whoever is frozen; from the thaw to the last one."""
    times = rounds or ROUNDS
    spent = Spent()
    async with running_stack() as stack, AsyncExitStack() as until_end:
        homes = await homes_of(stack, UNITS)
        plain = [_for_reference(message) for message in _said(homes)]
        for home in homes:
            home.waiting.clear()
        feeding = await until_end.enter_async_context(feeder(stack, plain))
        for _ in range(times):
            spent.paho += await _paho_alone(stack, feeding)
            spent.mosquitto += await _mosquitto_sub(stack, feeding)
            spent.server += await _server(stack, homes)
    events = times * WAITING
    figure = events / spent.server
    mosquitto = events / spent.mosquitto if spent.mosquitto else 0.0
    return [
        compared(
            "stored and receipted, beside paho alone",
            figure, events / spent.paho, "events/s", at_least=0.6,
        ),
        compared(
            "stored and receipted, beside mosquitto_sub",
            figure, mosquitto, "events/s", at_least=0.18,
        ),
    ]  # fmt: skip


@dataclass(slots=True)
class Spent:
    """Seconds."""

    paho: float = 0.0
    mosquitto: float = 0.0
    server: float = 0.0


def _said(homes: Sequence[LightHome]) -> list[Publish]:
    now = SystemClock().now()
    return [home_at(homes, n).door(now, 0.0) for n in range(WAITING)]


def _for_reference(message: Publish) -> Publish:
    """The same where the server does not listen."""
    return replace(message, topic=message.topic.replace("tc/1/", REFERENCE_TOPIC))


async def _paho_alone(stack: Stack, feeding: Feeder) -> float:
    log = stack.folder / f"draining-{uuid4().hex}.log"
    command = [sys.executable, "-m", "telecare.bench.reference.draining"]
    wanted = [stack.services.broker.url, REFERENCE_FILTER, str(WAITING)]
    with child([*command, *wanted], log) as running_:
        await until_says(running_, log, "up\n")
        begun = await _thawed(running_, feeding)
        async with asyncio.timeout(DRAIN_LIMIT_S):
            await until(lambda: bool(_after_up(log)))
        return float(_after_up(log)) - begun


def _after_up(log: Path) -> str:
    return log.read_text().partition("up\n")[2].strip()


async def _mosquitto_sub(stack: Stack, feeding: Feeder) -> float:
    """0 where it is not installed."""
    program = shutil.which("mosquitto_sub")
    if program is None:
        return 0.0
    broker = stack.services.broker
    address = ["-V", "mqttv5", "-h", broker.host, "-p", str(broker.port)]
    wanted = ["-q", "1", "-t", REFERENCE_FILTER, "-C", str(WAITING)]
    with child([program, *address, *wanted], stack.folder / "mosquitto_sub.log") as running_:
        await asyncio.sleep(SUBSCRIBED_S)
        begun = await _thawed(running_, feeding)
        async with asyncio.timeout(DRAIN_LIMIT_S):
            await until(lambda: running_.poll() is not None)
        return time.monotonic() - begun


async def _server(stack: Stack, homes: Sequence[LightHome]) -> float:
    line = Line(stack.services.broker.url, homes, Counts())
    async with feeder(stack, _said(homes)) as feeding, running(line=line.broker.run()):
        await until(lambda: line.broker.is_up)
        begun = await _thawed(stack.server, feeding)
        async with asyncio.timeout(DRAIN_LIMIT_S):
            await until(lambda: not any(home.waiting for home in homes))
        return time.monotonic() - begun


async def _thawed(taker: "subprocess.Popen[bytes]", feeding: Feeder) -> float:
    """Frozen while everything is said; when it goes on, on time.monotonic()."""
    taker.send_signal(signal.SIGSTOP)
    try:
        feeding.begin()
        await feeding.fed()
    finally:
        taker.send_signal(signal.SIGCONT)
    return time.monotonic()


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

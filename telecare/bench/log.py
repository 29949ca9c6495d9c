"""The log's benches: entering, giving places, checking, proving. Each beside the plain work it
cannot do without, in the same run. A database and a municipality of its own.
"""

import asyncio
import contextlib
import hashlib
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from functools import partial

from telecare.audit.tree import TILE_WIDTH, Edge, inclusion
from telecare.bench.report import Part, at_most, compared, percentile, told
from telecare.bench.stack import ACTOR, BENCH, STOP_S, folder_of_bench
from telecare.consent.tenants import add_tenant
from telecare.integrity import checking_store, tree_store
from telecare.integrity.checking import check
from telecare.integrity.examining import Hands
from telecare.integrity.sequencer import BATCH
from telecare.runtime.clock import SystemClock
from telecare.runtime.db import Database, Transaction, open_database, run_script
from telecare.runtime.embedded import process
from telecare.runtime.embedded.postgres import SUPERUSER
from telecare.runtime.embedded.services import EmbeddedServices
from telecare.wire.ids import TenantId

SECONDS = 6
"""Of each kind of work, by turns, in `audit-append`."""
PER_SECOND = 200
RECORDS = 400_000
PROOFS = 300
SMALL, LARGE = 1_000_000, 10_000_000
POLL_S = 0.02
WHAT = '{"call_id":"5f3c1a52-0c5e-4a4b-9d0e-0e6f1f6a6d11","outcome":"all_well","seconds":412}'
BASIS = '{"consent_ids":["018c"],"policy":"video_visit","purpose":"video_visit","visit_id":"0193"}'
PLAIN_TABLE = """
create table bench_plain (
    tenant_id int not null, id bigint generated always as identity primary key,
    at timestamptz not null default clock_timestamp(), event text not null, data bytea not null,
    seed bytea not null, actor text not null, subject text not null, what text not null,
    basis text not null, resident_id uuid not null
);
create table bench_work (tenant_id int not null, id bigint generated always as identity primary key,
    note text not null);
grant insert on bench_plain, bench_work to telecare_app;
grant usage on all sequences in schema public to telecare_app;
"""
WORK = "insert into bench_work (tenant_id, note) values ($1, 'a visit that was held')"
PLAIN = """
insert into bench_plain (tenant_id, event, data, seed, actor, subject, what, basis, resident_id)
values ($1, 'visit.concluded', decode(repeat('61', 290), 'hex'), sha256('seed'), $2,
    '{"persons":[{"id":"00000000-0000-4000-8000-000000000001","n":1,"name":"Ingrid"}]}', $3, $4,
    '00000000-0000-4000-8000-000000000001')
"""
ENTER = """
select audit.append('visit.concluded', $1, array['00000000-0000-4000-8000-000000000001'::uuid],
    array['Ingrid'], $2, $3)
"""
ENTER_MANY = f"{ENTER} from generate_series(1, $4)"
LEAVES_ALONE = """
set session_replication_role = replica;
insert into audit.leaf (tenant_id, log, leaf_index, entry_id, hash)
select {tenant}, {log}, {first} + n - 1, -({first} + n), hash
from unnest(array[{hashes}]) with ordinality as w (hash, n);
"""
"""Leaves that have no entries: only their hashes are asked for."""


@dataclass(frozen=True, slots=True)
class Ground:
    """A database with one municipality in it."""

    services: EmbeddedServices
    app: Database
    tenant: TenantId

    def role(self, name: str) -> contextlib.AbstractAsyncContextManager[Database]:
        return open_database(self.services.postgres.url(f"telecare_{name}"), size=3)

    async def as_superuser(self, sql: str) -> None:
        await run_script(self.services.postgres.url(SUPERUSER), sql)

    @contextlib.contextmanager
    def sequencer(self) -> Iterator[None]:
        """The real process, for the life of the block."""
        running = process.start(
            [sys.executable, "-m", "telecare", "sequencer"],
            environment={
                **os.environ,
                **self.services.environment,
                "TELECARE_PUBLIC_URL": "http://localhost:1",
                "TELECARE_LOG_KEY_DIR": str(self.services.log_key_dir),
            },
        )
        try:
            yield
        finally:
            process.stop(running, signal.SIGTERM, STOP_S)


@contextlib.asynccontextmanager
async def ground() -> AsyncIterator[Ground]:
    with folder_of_bench() as folder:
        services = EmbeddedServices(folder)
        services.start()
        try:
            await services.prepare()
            async with open_database(services.postgres.url("telecare_app"), size=4) as app:
                async with app.across_tenants(ACTOR) as db:
                    tenant = await add_tenant(
                        db, slug="bench", name="Bench", phone="0", actor=BENCH,
                        now=SystemClock().now(),
                    )  # fmt: skip
                yield Ground(services, app, tenant)
        finally:
            services.stop()


# --- audit-append ---------------------------------------------------------------------------------


async def audit_append(rounds: int | None) -> list[Part]:
    seconds = rounds or SECONDS
    async with ground() as here:
        await here.as_superuser(PLAIN_TABLE)

        async def plain(count: int) -> None:
            async with here.app.transaction(here.tenant, ACTOR) as db:
                await db.execute(WORK, db.tenant)
                for _ in range(count):
                    await db.execute(PLAIN, db.tenant, ACTOR, WHAT, BASIS)

        async def audited(count: int) -> None:
            async with here.app.transaction(here.tenant, ACTOR) as db:
                await db.execute(WORK, db.tenant)
                for _ in range(count):
                    await db.execute(ENTER, ACTOR, WHAT, BASIS)

        parts = []
        for count, least in ((1, 0.60), (256, 0.30)):
            bare, ours = await _rates(seconds, plain, audited, count)
            name = f"transactions with {count} records, beside plain inserts"
            parts.append(compared(name, ours, bare, "records/s", at_least=least))
    return parts


async def _rates(
    seconds: int,
    plain: Callable[[int], Awaitable[None]],
    audited: Callable[[int], Awaitable[None]],
    count: int,
) -> tuple[float, float]:
    """Records a second of each, by turns of one second so that both meet the same machine."""
    done = {plain: 0, audited: 0}
    for work in (plain, audited):
        await work(count)
    for _ in range(seconds):
        for work in done:
            until = time.monotonic() + 1
            while time.monotonic() < until:
                await work(count)
                done[work] += count
    return done[plain] / seconds, done[audited] / seconds


# --- audit-sequence -------------------------------------------------------------------------------


async def audit_sequence(rounds: int | None) -> list[Part]:
    seconds = rounds or 30
    async with ground() as here:
        with here.sequencer():
            quiet = await _waits(here, seconds)
            async with _long_writer(here):
                busy = await _waits(here, seconds)
    return [
        told(f"appended a second, for {seconds} s each", PER_SECOND, ""),
        at_most("append -> in the tree, p99", percentile(quiet, 99), "ms", 1000),
        told("append -> in the tree, p50", percentile(quiet, 50), "ms"),
        at_most("beside a long writing transaction, p99", percentile(busy, 99), "ms", 1000),
        told("beside a long writing transaction, p50", percentile(busy, 50), "ms"),
    ]


@contextlib.asynccontextmanager
async def _long_writer(here: Ground) -> AsyncIterator[None]:
    """Somebody writes and does not commit: nothing below his number may be taken for final."""
    async with here.app.transaction(here.tenant, ACTOR) as db:
        await db.execute("set local idle_in_transaction_session_timeout = 0")
        await db.execute(WORK_OF_ANOTHER)
        yield


WORK_OF_ANOTHER = "select audit.append('visit.concluded', '{}', '{}', '{}', '{}', '{}')"
NEWEST = "select max(entry_id) from audit.leaf where tenant_id = $1"
ENTER_ONE = "select audit.append('visit.concluded', $1, '{}', '{}', $2, $3)"


async def _waits(here: Ground, seconds: int) -> list[float]:
    """Milliseconds from each commit until its record was seen in the tree."""
    entered: list[tuple[int, float]] = []
    waited: list[float] = []

    async def write() -> None:
        begun = time.monotonic()
        for n in range(seconds * PER_SECOND):
            await asyncio.sleep(max(0.0, begun + n / PER_SECOND - time.monotonic()))
            async with here.app.transaction(here.tenant, ACTOR) as db:
                entry = await db.fetchval(ENTER_ONE, ACTOR, WHAT, BASIS)
            entered.append((entry, time.monotonic()))

    async with here.role("sequencer") as reader, asyncio.TaskGroup() as group:
        writing = group.create_task(write(), name="writer")
        while not (writing.done() and not entered):
            async with reader.transaction(here.tenant) as db:
                newest = await db.fetchval(NEWEST, here.tenant) or 0
            now = time.monotonic()
            while entered and entered[0][0] <= newest:
                waited.append((now - entered.pop(0)[1]) * 1000)
            await asyncio.sleep(POLL_S)
    return waited


# --- audit-verify ---------------------------------------------------------------------------------


async def audit_verify(rounds: int | None) -> list[Part]:
    count = rounds or RECORDS
    async with ground() as here:
        for _ in range(0, count, 1000):
            async with here.app.transaction(here.tenant, ACTOR) as db:
                await db.execute(ENTER_MANY, ACTOR, WHAT, BASIS, 1000)
        with here.sequencer():
            await _until_sequenced(here)
        async with here.role("reader") as reader:
            bare = await _rate(reader, here.tenant, _fetch_all)
            hands = Hands(here.services.postgres.url("telecare_reader"))
            ours = await _rate(reader, here.tenant, partial(_check_all, hands=hands))
            alone = await _rate(reader, here.tenant, _check_all)
    return [
        compared("whole check, beside fetching", ours, bare, "records/s", at_least=0.4),
        told("the same in one process", alone, "records/s"),
    ]


async def _until_sequenced(here: Ground) -> None:
    async with asyncio.timeout(600), here.role("sequencer") as database:
        while True:
            async with database.transaction(here.tenant) as db:
                newest = await tree_store.newest_log(db)
                if newest is not None and not await tree_store.waiting(db, newest, 1):
                    return
            await asyncio.sleep(0.2)


async def _rate(
    database: Database, tenant: TenantId, work: Callable[[Transaction], Awaitable[int]]
) -> float:
    async with database.transaction(tenant) as db:
        begun = time.monotonic()
        return await work(db) / (time.monotonic() - begun)


async def _fetch_all(db: Transaction) -> int:
    first, count = 0, 0
    while rows := await db.fetch(checking_store.PLACES, db.tenant, 1, first, BATCH, None):
        first, count = rows[-1]["leaf_index"] + 1, count + len(rows)
    return count


async def _check_all(db: Transaction, hands: Hands | None = None) -> int:
    checked = await check(db, hands=hands)
    assert checked.is_whole, checked.findings[:3]  # noqa: S101 - else the figure says nothing
    return checked.records


# --- audit-proof ----------------------------------------------------------------------------------


async def audit_proof(rounds: int | None) -> list[Part]:
    large = rounds or LARGE
    async with ground() as here, here.role("sequencer") as database:
        at_small = await _proving(here, database, 1, large // (LARGE // SMALL))
        at_large = await _proving(here, database, 2, large)
    name = f"inclusion proof among {large:,} leaves, p50"
    return [
        at_most(name, percentile(at_large, 50), "ms", 5),
        compared("the same, beside a tenth of the leaves", percentile(at_large, 50),
                 percentile(at_small, 50), "ms", at_most=1.5),
        told("p95", percentile(at_large, 95), "ms"),
    ]  # fmt: skip


async def _proving(here: Ground, database: Database, log: int, size: int) -> list[float]:
    """Milliseconds of each proof, spread over a tree of `size`."""
    await _grow(here, database, log, size)
    took = []
    for n in range(PROOFS):
        async with database.transaction(here.tenant) as db:
            begun = time.monotonic()
            await tree_store.proofs(db, log, [inclusion(n * size // PROOFS, size)])
            took.append((time.monotonic() - begun) * 1000)
    return took


async def _grow(here: Ground, database: Database, log: int, size: int) -> None:
    """Tiles of a tree whose leaves are numbers, and the leaves that no full tile holds."""
    edge, begun = Edge(), 0
    async with database.transaction(here.tenant) as db:
        await tree_store.open_log(db, log, f"bench/{log}", None, SystemClock().now())
    while begun < size:
        end = min(begun + BATCH * 16, size)
        leaves = [hashlib.sha256(b"%d" % n).digest() for n in range(begun, end)]
        async with database.transaction(here.tenant) as db:
            await tree_store.add_tiles(db, log, edge.append(leaves))
        begun = end
    first = size - size % TILE_WIDTH
    if edge.levels[0]:
        hashes = ", ".join(f"'\\x{leaf.hex()}'::bytea" for leaf in edge.levels[0])
        await here.as_superuser(
            LEAVES_ALONE.format(tenant=here.tenant, log=log, first=first, hashes=hashes)
        )

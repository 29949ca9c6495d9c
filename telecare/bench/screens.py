"""Idle pages held by one server process: memory each, beside a bare aiohttp echo server.

Each TV page has a home of its own, as in real life; staff pages follow one unit's day. The figure
is what the server process's resident memory grew by, divided by the sockets.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import aiohttp

from telecare.access import store as access_store
from telecare.access.http import SCREEN_COOKIE, STAFF_COOKIE
from telecare.access.model import Permission
from telecare.access.service import begin_session, new_token
from telecare.bench.report import Part, compared, told
from telecare.bench.stack import ACTOR, BENCH, Stack, free_port, reference_process, running_stack
from telecare.consent import store as consent_store
from telecare.devices import store as device_store
from telecare.devices.service import tv_session
from telecare.people.model import Resident
from telecare.people.service import register
from telecare.runtime.clock import SystemClock
from telecare.runtime.db import Transaction, open_database
from telecare.wire.ids import CareUnitId, EndpointId, ResidentId, StaffId, new_row_id
from telecare.wire.signalling import Subscribe

SOCKETS = 400
WARM_SOCKETS = 20
"""Opened and closed before: what a process learns once is not counted for each."""
AT_ONCE = 20
SETTLE_S = 5.0
READINGS = 5
RATIO = 1.5
CONNECT_S = 30.0


@dataclass(frozen=True, slots=True)
class Page:
    """How one page comes in: its address, and what it says first."""

    url: str
    headers: dict[str, str]
    says: str = ""


async def screens(rounds: int | None) -> list[Part]:
    count = rounds or SOCKETS
    async with running_stack() as stack:
        made_tv = await _tv_pages(stack, count + WARM_SOCKETS)
        tv = await _kb_each(stack.server.pid, made_tv)
    async with running_stack() as stack:
        made_staff = await _staff_pages(stack, count + WARM_SOCKETS)
        staff = await _kb_each(stack.server.pid, made_staff)
        async with reference_process("echo", stack.folder, port=free_port()) as (url, process):
            bare = await _kb_each(process.pid, [Page(url, {})] * (count + WARM_SOCKETS))
    return [
        compared("TV page, memory each", tv, bare, "kB", at_most=RATIO),
        compared("staff page, memory each", staff, bare, "kB", at_most=RATIO),
        told("sockets of each kind", count, ""),
    ]


async def _kb_each(pid: int, pages: Sequence[Page]) -> float:
    warm, pages = pages[:WARM_SOCKETS], pages[WARM_SOCKETS:]
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
        async with _held(http, warm):
            await asyncio.sleep(1)
        before = await _settled_kb(pid)
        async with _held(http, pages):
            after = await _settled_kb(pid)
    return (after - before) / len(pages)


@contextlib.asynccontextmanager
async def _held(http: aiohttp.ClientSession, pages: Sequence[Page]) -> AsyncIterator[None]:
    """All of them connected and read for the life of the block."""
    gate = asyncio.Semaphore(AT_ONCE)
    connected = asyncio.Semaphore(0)

    async def hold(page: Page) -> None:
        async with contextlib.AsyncExitStack() as stack:
            async with gate:
                socket = await stack.enter_async_context(
                    http.ws_connect(page.url, headers=page.headers, compress=0)
                )
                if page.says:
                    await socket.send_str(page.says)
                    await socket.receive()
            connected.release()
            async for _ in socket:
                pass
            raise ConnectionError(f"the server closed a socket: {socket.close_code}")

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(hold(page), name="page") for page in pages]
        async with asyncio.timeout(CONNECT_S + len(pages)):
            for _ in pages:
                await connected.acquire()
        yield
        for task in tasks:
            task.cancel()


async def _settled_kb(pid: int) -> int:
    """The smallest of a few readings, after what came at once has been served."""
    await asyncio.sleep(SETTLE_S)
    readings = []
    for _ in range(READINGS):
        readings.append(await asyncio.to_thread(_resident_kb, pid))
        await asyncio.sleep(0.2)
    return min(readings)


def _resident_kb(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise ProcessLookupError(pid)


async def _tv_pages(stack: Stack, count: int) -> list[Page]:
    async with open_database(stack.config.role_url("app"), size=1) as database:
        tenant = await stack.tenant(database)
        async with database.transaction(tenant, ACTOR) as db:
            model = await stack.resident(db, "Karl-Erik")
        now = SystemClock().now()
        tokens = []
        for _ in range(count):
            async with database.transaction(tenant, ACTOR) as db:
                tokens.append(await _home(db, model, now))
    address, origin = stack.url.replace("http", "ws"), stack.url
    return [
        Page(f"{address}/ws/tv", {"Origin": origin, "Cookie": f"{SCREEN_COOKIE}={token}"})
        for token in tokens
    ]


async def _home(db: Transaction, model: Resident, now: datetime) -> str:
    """One more resident with a TV; gives the TV's cookie."""
    resident = replace(model, id=ResidentId(new_row_id(now)))
    await register(db, resident, BENCH, now)
    await consent_store.add_gates(db, resident.id)
    endpoint = EndpointId(new_row_id(now))
    await device_store.add_endpoint(
        db, endpoint, resident.id, kind="tv", label="", has_picture=True, now=now
    )
    token = await tv_session(db, endpoint, new_token(), now)
    assert token is not None  # noqa: S101 - a new secret always gets one
    return token


async def _carers(db: Transaction, unit: CareUnitId, now: datetime) -> list[StaffId]:
    """Those of the unit who have the page that is measured."""
    every = [
        await access_store.staff(db, one.id, now)
        for one in await access_store.colleagues(db, unit, now)
    ]
    return [one.id for one in every if one is not None and one.may(Permission.WORK)]


async def _staff_pages(stack: Stack, count: int) -> list[Page]:
    now = SystemClock().now()
    async with open_database(stack.config.role_url("app"), size=1) as database:
        tenant = await stack.tenant(database)
        async with database.transaction(tenant, ACTOR) as db:
            unit: CareUnitId = (await stack.resident(db, "Karl-Erik")).unit_id
            carers = await _carers(db, unit, now)
            tokens = [
                await begin_session(db, carers[n % len(carers)], "demo", now) for n in range(count)
            ]
    address, origin = stack.url.replace("http", "ws"), stack.url
    says = Subscribe(view="today", unit=unit).model_dump_json()
    return [
        Page(f"{address}/ws/staff", {"Origin": origin, "Cookie": f"{STAFF_COOKIE}={token}"}, says)
        for token in tokens
    ]

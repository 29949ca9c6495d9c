"""What a visit lives through when a process it stands on is killed (F2, F3, P12)."""

import asyncio
import os
import signal
import sys
import time
from contextlib import asynccontextmanager

import aiohttp
import asyncpg
import pytest
import pytest_asyncio

from tests.flows.conftest import PATIENCE_S, sees
from tests.flows.steps import CAMERA, ended, live_call, ring, staff_cookie

pytestmark = pytest.mark.asyncio(loop_scope="session")

LOG_CLOCK = """
create or replace function audit.at() returns timestamptz language sql volatile
as $$ select clock_timestamp() + interval '{} s' $$
"""
LEFT_OPEN = """
select 'lease' as what from call_lease
union all select 'timer' from timer where kind like 'call.%'
union all select 'signal' from call_signal
union all select 'call' from call where state <> 'ended'
"""


@pytest_asyncio.fixture(loop_scope="session")
async def watched(stack):
    """What `telecare demo` does: services that ended by themselves are started again. The server
    stays up meanwhile, and nothing it meets is a fault of its own.
    """
    process, log = stack.server, stack.folder / "server.log"
    before = log.stat().st_size
    async with asyncio.TaskGroup() as group:
        watching = group.create_task(stack.services.watch(), name="services")
        yield
        watching.cancel()
    assert stack.server is process
    assert process.poll() is None
    assert '"level": "error"' not in log.read_text()[before:]


@asynccontextmanager
async def measured(what: str):
    begun = time.monotonic()
    yield
    sys.stdout.write(f"\n{what}: {time.monotonic() - begun:.2f} s\n")


async def database_answers(stack) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            try:
                assert await stack.rows("select 1")
            except (OSError, asyncpg.PostgresError):
                await asyncio.sleep(0.02)
            else:
                return


async def kill(stack, service) -> None:
    """As `kill -9`; returns when its successor runs."""
    former = service.pid
    os.kill(former, signal.SIGKILL)
    async with asyncio.timeout(PATIENCE_S):
        while service.pid == former:
            await asyncio.sleep(0.02)


async def hung_up_and_nothing_left(stack, maria) -> None:
    await maria.locator("[data-test=hang-up]").click()
    await ended(stack, "hung_up_by_staff")
    assert await stack.rows(LEFT_OPEN) == []


@pytest.mark.slow
async def test_a_visit_to_a_tv_survives_that_the_database_is_killed(stack, windows, watched):
    birgitta = await windows.tv()
    maria = await windows.staff()
    await ring(maria, "Birgitta")
    await birgitta.locator("[data-test=answer]").click()
    await asyncio.gather(sees(maria), sees(birgitta))
    call = await live_call(stack)

    await kill(stack, stack.services.postgres)
    await database_answers(stack)
    await stack.server_up()

    await asyncio.gather(sees(maria), sees(birgitta))
    assert await live_call(stack) == call
    await hung_up_and_nothing_left(stack, maria)


@pytest.mark.slow
async def test_a_visit_to_a_home_unit_survives_that_the_database_is_killed(stack, windows, watched):
    maria = await windows.staff()
    await ring(maria, "Ingrid")
    await sees(maria)
    call = await live_call(stack)

    await kill(stack, stack.services.postgres)
    await database_answers(stack)
    await stack.server_up()

    await sees(maria)
    assert await live_call(stack) == call
    await hung_up_and_nothing_left(stack, maria)
    await camera_records_are_whole(stack, call)
    await and_a_new_visit_begins(stack, maria)


@pytest.mark.slow
async def test_a_visit_to_a_home_unit_survives_that_the_broker_is_killed(stack, windows, watched):
    maria = await windows.staff()
    await ring(maria, "Ingrid")
    await sees(maria)
    call = await live_call(stack)

    await kill(stack, stack.services.broker)
    await stack.server_up()

    await sees(maria)
    assert await live_call(stack) == call
    await hung_up_and_nothing_left(stack, maria)
    await camera_records_are_whole(stack, call)
    await and_a_new_visit_begins(stack, maria)


async def camera_records_are_whole(stack, call: str) -> None:
    """As many off as on: what the unit could not send then, it has sent since."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            on, off = [len(await stack.rows(CAMERA, call, which)) for which in (True, False)]
            if on == off > 0:
                return
            await asyncio.sleep(0.05)


async def and_a_new_visit_begins(stack, maria) -> None:
    await stack.rows("update visit set state = 'planned', outcome = null")
    await maria.goto(f"{stack.url}/#/")
    await ring(maria, "Ingrid")
    await sees(maria)
    await hung_up_and_nothing_left(stack, maria)


async def test_the_server_is_ready_again_after_it_was_killed(stack, windows):
    stack.kill_server()

    async with measured("P12, server killed until /readyz answers"):
        stack.start_server()
        await stack.server_up()

    maria = await windows.staff()
    await maria.locator("[data-test=visit]").first.wait_for()


async def test_the_database_answers_again_after_it_was_killed(stack, windows, watched):
    maria = await windows.staff()

    async with measured("P12, database killed until queries work"):
        await kill(stack, stack.services.postgres)
        await database_answers(stack)
    async with measured("and until the server says it is ready"):
        await stack.server_up()

    await maria.reload()
    await maria.locator("[data-test=visit]").first.wait_for()


@pytest_asyncio.fixture(loop_scope="session")
async def later(stack):
    """The log's clock is past what a record may wait for its place."""

    async def moved(seconds: int) -> None:
        await stack.rows(LOG_CLOCK.format(seconds))

    yield moved
    await moved(0)
    if stack.sequencer.poll() is not None:
        stack.start_sequencer()


async def test_the_server_is_not_ready_while_nobody_keeps_the_logs_tree(stack, later):
    stack.sequencer.send_signal(signal.SIGKILL)
    stack.sequencer.wait()
    await staff_cookie(stack, "maria")
    async with aiohttp.ClientSession() as http:
        await later(0)
        async with http.get(f"{stack.url}/readyz") as soon:
            assert soon.status == 200
        await later(11)
        async with http.get(f"{stack.url}/readyz") as late:
            assert late.status == 503

    stack.start_sequencer()
    await stack.server_up()

    waiting = "select 1 from audit.entry e where not exists (select 1 from audit.leaf l "
    assert await stack.rows(f"{waiting} where l.entry_id = e.entry_id)") == []

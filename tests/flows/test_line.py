"""Bad lines under a video visit (F7): jitter, stalls and cuts; to a browser, and to a home unit."""

import asyncio
import tempfile
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import async_playwright

from tests.flows.conftest import (
    ARGUMENTS,
    CHROMIUM,
    PATIENCE_S,
    Windows,
    hears,
    remove,
    sees,
    started,
    stops_seeing,
)
from tests.flows.fault_proxy import fault_proxy
from tests.flows.steps import CAMERA, OPENED, WENT_DARK, ended, live_call, renewed, ring

pytestmark = pytest.mark.asyncio(loop_scope="session")

LEAST_S, MOST_S = 0.05, 0.4


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def unit_line():
    """Between home units and the broker."""
    async with fault_proxy() as proxy:
        yield proxy


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def stack(unit_line):
    folder = Path(tempfile.mkdtemp(prefix="telecare-line-"))
    running = await started(
        folder, TELECARE_BROKER_URL_FOR_UNITS=f"mqtt://127.0.0.1:{unit_line.port}"
    )
    unit_line.target_port = running.services.broker.port
    try:
        await running.start_home("ingrid")
        await running.keep_state()
        yield running
    finally:
        unit_line.release()
        running.stop()
        remove(folder)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def page_line(stack):
    """Between a browser and the server."""
    async with fault_proxy(stack.port) as proxy:
        yield proxy


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def far_chromium(stack, page_line):
    """A browser to which the server's address leads through `page_line`: same origin, other way."""
    way = f"--host-resolver-rules=MAP localhost:{stack.port} 127.0.0.1:{page_line.port}"
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=[*ARGUMENTS, way])
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="session")
async def far(stack, far_chromium, page_line, unit_line):
    """Windows behind the bad line, which is sound again afterwards."""
    await stack.new_day()
    made = Windows(far_chromium, stack.url)
    yield made
    page_line.release()
    unit_line.release()
    await made.close()
    assert made.errors == []


async def given_up(page_line) -> None:
    """Some page has tried a new connection."""
    before = page_line.accepted
    async with asyncio.timeout(PATIENCE_S):
        while page_line.accepted == before:
            await asyncio.sleep(0.05)


async def test_a_visit_begins_over_a_line_with_jitter(stack, far, page_line):
    birgitta = await far.tv()
    maria = await far.staff()
    page_line.shake(LEAST_S, MOST_S)

    await ring(maria, "Birgitta")
    await birgitta.locator("[data-test=answer]").click()

    await asyncio.gather(sees(maria), sees(birgitta))
    await asyncio.gather(hears(maria), hears(birgitta))
    call = await live_call(stack)
    await renewed(stack, call)
    assert len(await stack.rows(OPENED, call)) == 1
    assert await stack.rows(WENT_DARK, call) == []
    await maria.locator("[data-test=hang-up]").click()
    await ended(stack, "hung_up_by_staff")


async def test_a_home_unit_is_reached_over_a_line_with_jitter(stack, far, windows, unit_line):
    unit_line.shake(LEAST_S, MOST_S)
    maria = await windows.staff()

    await ring(maria, "Ingrid")

    await sees(maria)
    call = await live_call(stack)
    await renewed(stack, call)
    assert len(await stack.rows(OPENED, call)) == 1
    assert await stack.rows(WENT_DARK, call) == []
    await maria.locator("[data-test=hang-up]").click()
    await ended(stack, "hung_up_by_staff")


@pytest.mark.parametrize("held", [("up", "down"), pytest.param(("down",), marks=pytest.mark.slow)])
async def test_her_answer_on_a_line_that_hangs_counts_once(stack, far, windows, page_line, held):
    birgitta = await far.tv()
    maria = await windows.staff()
    await ring(maria, "Birgitta")
    await birgitta.locator("[data-test=answer]").wait_for()
    call = await live_call(stack)

    page_line.stall(*held)
    await birgitta.keyboard.press("Enter")  # OK is Svara
    await birgitta.keyboard.press("Enter")  # nothing happens on the screen, so she presses again
    await given_up(page_line)
    page_line.release()

    await asyncio.gather(sees(maria), sees(birgitta))
    assert await live_call(stack) == call
    assert len(await stack.rows(OPENED, call)) == 1
    await maria.locator("[data-test=hang-up]").click()
    await ended(stack, "hung_up_by_staff")


async def test_the_camera_goes_dark_while_the_homes_line_hangs_and_returns(
    stack, far, windows, unit_line
):
    maria = await windows.staff()
    await ring(maria, "Ingrid")
    await sees(maria)
    call = await live_call(stack)

    unit_line.stall()
    await stops_seeing(maria)
    unit_line.release()

    await sees(maria)
    await stack.until(f"{CAMERA} and what::jsonb ->> 'reason' = 'lease'", call, False)
    async with asyncio.timeout(PATIENCE_S):
        while len(await stack.rows(CAMERA, call, True)) < 2:
            await asyncio.sleep(0.05)
    assert await live_call(stack) == call
    await maria.locator("[data-test=hang-up]").click()
    await ended(stack, "hung_up_by_staff")


async def test_the_visit_goes_on_when_the_pages_lines_are_cut(stack, far, page_line):
    birgitta = await far.tv()
    maria = await far.staff()
    await ring(maria, "Birgitta")
    await birgitta.locator("[data-test=answer]").click()
    await asyncio.gather(sees(maria), sees(birgitta))
    call = await live_call(stack)
    before = page_line.accepted

    page_line.cut()

    async with asyncio.timeout(PATIENCE_S):
        while page_line.accepted < before + 2:
            await asyncio.sleep(0.05)
    await asyncio.gather(sees(maria), sees(birgitta))
    await stack.until("select 1 where not exists (select 1 from timer where kind like '%_lost')")
    stack.move_clock(seconds=40)  # beyond what a lost end is given to come back
    await renewed(stack, call)
    assert await live_call(stack) == call
    await maria.locator("[data-test=hang-up]").click()
    await ended(stack, "hung_up_by_staff")

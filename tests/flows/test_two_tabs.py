"""The same person, or the same screen, in a second tab in the middle of a visit."""

import asyncio

import pytest

from tests.flows.conftest import sees, stops_seeing
from tests.flows.steps import OPENED, ended, live_call, renewed, ring

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def in_a_visit(windows):
    birgitta = await windows.tv()
    maria = await windows.staff()
    await ring(maria, "Birgitta")
    await birgitta.locator("[data-test=answer]").click()
    await asyncio.gather(sees(maria), sees(birgitta))
    return maria, birgitta


async def ends_once(stack, page, call: str) -> None:
    await renewed(stack, call)
    assert await live_call(stack) == call
    assert len(await stack.rows(OPENED, call)) == 1
    await page.locator("[data-test=hang-up]").click()
    await ended(stack, "hung_up_by_staff")


@pytest.mark.slow
async def test_a_second_tab_leaves_the_visit_alone_until_she_moves_it_there(stack, windows):
    maria, birgitta = await in_a_visit(windows)
    call = await live_call(stack)

    second = await maria.context.new_page()
    await second.goto(windows.url)
    await second.locator("[data-test=call-elsewhere]").wait_for()
    await asyncio.gather(sees(maria), sees(birgitta))
    await second.locator("[data-test=call-elsewhere] button").click()

    await asyncio.gather(sees(second), sees(birgitta))
    await maria.locator("[data-test=elsewhere]").wait_for()
    await stops_seeing(maria)
    await maria.locator("[data-test=elsewhere] button").click()
    await asyncio.gather(sees(maria), sees(birgitta))
    await second.locator("[data-test=elsewhere]").wait_for()
    await ends_once(stack, maria, call)


@pytest.mark.slow
async def test_a_duplicated_tab_takes_the_visit_over_and_the_first_says_so(stack, windows):
    maria, birgitta = await in_a_visit(windows)
    call = await live_call(stack)

    async with maria.expect_popup() as opening:  # takes a copy of the tab's own storage along
        await maria.evaluate("() => { window.open(location.href); }")
    second = await opening.value

    await asyncio.gather(sees(second), sees(birgitta))
    await maria.locator("[data-test=elsewhere]").wait_for()
    await stops_seeing(maria)
    await ends_once(stack, second, call)


@pytest.mark.slow
async def test_the_tv_in_a_second_tab_takes_the_visit_over_and_the_first_says_so(stack, windows):
    maria, birgitta = await in_a_visit(windows)
    call = await live_call(stack)

    second = await birgitta.context.new_page()
    await second.goto(f"{windows.url}/tv")

    await birgitta.locator("[data-test=taken]").wait_for()
    await asyncio.gather(sees(maria), sees(second))
    await stops_seeing(birgitta)
    await asyncio.gather(sees(maria), sees(second))
    await ends_once(stack, maria, call)

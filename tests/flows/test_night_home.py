"""Nights as the person at home decides them, and as they are agreed."""

import pytest
import pytest_asyncio

from telecare.demo import nights, seed
from telecare.runtime.clock import FileClock
from telecare.runtime.config import Config
from telecare.runtime.db import open_database
from tests.flows.look import MATRIX, staff_look, tv_look

pytestmark = pytest.mark.asyncio(loop_scope="session")

INGRID = next(home for home in seed.HOMES if home.key == "ingrid")
BIRGITTA = next(home for home in seed.HOMES if home.key == "birgitta")
PAUSES = "select somebody_comes from night_pause where resident_id = $1"


@pytest_asyncio.fixture(loop_scope="session")
async def agreed(stack, windows):
    """Ingrid's nights are agreed; Birgitta's become hers, who has a TV and no camera of her own."""
    config = Config.from_environment(stack.environment)
    now = FileClock(stack.clock_file).now()
    async with open_database(config.role_url("app"), size=2) as database:
        tenant = await seed.seed(database, now)
        assert await nights.agree(database, tenant, [INGRID], now)
    await stack.rows(
        "update night_agreement set resident_id = $1 where resident_id = $2", BIRGITTA.id, INGRID.id
    )
    await stack.rows(
        "update night_check set resident_id = $1 where resident_id = $2", BIRGITTA.id, INGRID.id
    )
    return stack


async def at_pause(windows):
    tv = await windows.tv()
    await tv.locator("[data-test=tile-yes]").click()
    await tv.locator("[data-test=pause-night]").click()
    await tv.locator("[data-test=pause]").wait_for()
    return tv


async def test_a_pause_asks_one_thing_and_the_harmless_answer_has_the_focus(agreed, windows):
    tv = await at_pause(windows)
    await tv.locator("[data-test=pause-yes]:focus").wait_for()
    await tv.keyboard.press("ArrowRight")
    await tv.keyboard.press("Enter")
    await tv.locator("[data-test=yes]").wait_for()
    await agreed.until(PAUSES, BIRGITTA.id)
    assert await agreed.rows(PAUSES, BIRGITTA.id) == [{"somebody_comes": False}]

    await tv.locator("[data-test=pause-night]").click()
    await agreed.until("select 1 where not exists (select from night_pause)")


async def test_who_says_nothing_gets_a_visit(agreed, windows):
    tv = await windows.tv()
    await tv.clock.install()
    await tv.locator("[data-test=tile-yes]").click()
    await tv.locator("[data-test=pause-night]").click()
    await tv.locator("[data-test=pause]").wait_for()
    for _ in range(21):
        await tv.clock.run_for(1000)
    assert await agreed.until(PAUSES, BIRGITTA.id) == [{"somebody_comes": True}]


@pytest.mark.parametrize(("language", "which"), MATRIX)
async def test_the_pause_and_the_agreement_are_readable_everywhere(
    agreed, windows, in_language, language, which
):
    await in_language(language)
    tv = await at_pause(windows)
    seen = tv_look(language, which)
    await seen.at(tv, "pause")
    eva = await windows.staff("Eva Sjö")
    pages = staff_look(language, which)
    for name, path in {"nights": "/admin/nights", "night": f"/admin/nights/{INGRID.id}"}.items():
        await eva.goto(windows.url + path)
        await pages.at(eva, f"admin-{name}")
    assert seen.faults + pages.faults == []

"""The TV page by itself: it starts without its server, and takes a new version when it may."""

import asyncio
import re
import shutil
from pathlib import Path

import pytest
import pytest_asyncio

import telecare
from tests.flows.conftest import PATIENCE_S, sees
from tests.flows.steps import ended, live_call, renewed, ring

pytestmark = pytest.mark.asyncio(loop_scope="session")

PHONE = "021-00 00 01"
IS_KEPT = """
async () => {
  const cache = await caches.open("telecare-tv-1");
  const kept = (await cache.keys()).map((one) => new URL(one.url).pathname);
  return kept.includes("/tv") && kept.some((path) => path.endsWith("/js/tv/main.js"));
}
"""
VERSION = "() => JSON.parse(document.getElementById('boot').textContent).version"


async def until_true(page, script: str) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not await page.evaluate(script):
            await asyncio.sleep(0.1)


@pytest_asyncio.fixture(loop_scope="session")
async def next_release(stack, tmp_path_factory):
    """The same program with one more file among those that pages load."""
    folder = tmp_path_factory.mktemp("release")
    here = Path(telecare.__file__).parent
    shutil.copytree(here, folder / "telecare", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "telecare/web/static/css/next.css").write_text("/* next */\n")
    yield folder
    stack.kill_server()
    stack.release = None
    stack.start_server()
    await stack.server_up()


async def test_the_tv_starts_without_its_server_and_is_back_by_itself(stack, windows):
    tv = await windows.tv()
    await until_true(tv, IS_KEPT)
    stack.kill_server()
    try:
        await tv.reload()

        await tv.locator("[data-test=home], [data-test=night]").first.wait_for()
        clock = tv.locator(".clock time")
        assert re.fullmatch(r"\d\d[.:]\d\d", (await clock.inner_text()).strip())
        lost = tv.locator("[data-test=no-contact]")
        await lost.get_by_text(PHONE).wait_for()
        assert re.fullmatch(r"\d\d[.:]\d\d", (await lost.locator("time").first.inner_text()))
    finally:
        stack.start_server()
        await stack.server_up()

    await tv.locator("[data-test=home]").wait_for()
    maria = await windows.staff()
    await ring(maria, "Birgitta")
    await tv.locator("[data-test=answer]").click()
    await asyncio.gather(sees(maria), sees(tv))
    await maria.locator("[data-test=hang-up]").click()
    await ended(stack, "hung_up_by_staff")


@pytest.mark.slow
async def test_a_new_version_waits_until_the_visit_is_over(stack, windows, next_release):
    tv = await windows.tv()
    maria = await windows.staff()
    await ring(maria, "Birgitta")
    await tv.locator("[data-test=answer]").click()
    await asyncio.gather(sees(maria), sees(tv))
    call, version = await live_call(stack), await tv.evaluate(VERSION)
    await tv.evaluate("() => { window.loadedBefore = true; }")

    stack.kill_server()
    stack.release = next_release
    stack.start_server()
    await stack.server_up()

    await asyncio.gather(sees(maria), sees(tv))
    await renewed(stack, call)
    assert await tv.evaluate("() => window.loadedBefore")
    async with tv.expect_event("load"):  # by itself
        await maria.locator("[data-test=hang-up]").click()
        await ended(stack, "hung_up_by_staff")
    await tv.locator("[data-test=home]").wait_for()
    assert await tv.evaluate(VERSION) != version

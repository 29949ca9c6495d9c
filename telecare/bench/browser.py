"""A real Chromium, and what `watch.js` saw in its pages."""

import asyncio
import contextlib
import shutil
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from telecare.runtime.errors import CannotStart

if TYPE_CHECKING:
    from playwright.async_api import Browser, BrowserContext, Page, StorageState

ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
)
PATIENCE_S = 20.0
POLL_S = 0.02
CLOCK_TRIES = 5


class BrowserMissing(CannotStart):
    """Chromium or Playwright is not here; the message says how to get it."""


class Seen(BaseModel):
    """What a page saw, in ms of its own performance.now()."""

    model_config = ConfigDict(frozen=True)
    stamps: dict[str, float]
    frames: int
    first: float | None
    last: float | None

    def between(self, start: str, end: str) -> float:
        return self.stamps[end] - self.stamps[start]


@contextlib.asynccontextmanager
async def chromium() -> AsyncIterator["Browser"]:
    """Raises BrowserMissing."""
    try:
        from playwright.async_api import async_playwright  # noqa: PLC0415 - only tests install it
    except ImportError as error:
        raise BrowserMissing("Playwright is not installed: pip install 'telecare[test]'") from error
    path = shutil.which("chromium")
    if path is None:
        raise BrowserMissing("Chromium was not found: apt install chromium")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=[*ARGUMENTS])
        try:
            yield browser
        finally:
            await browser.close()


@contextlib.asynccontextmanager
async def watched_page(
    browser: "Browser", kept: "StorageState | None" = None
) -> AsyncIterator["Page"]:
    """A page in a context of its own, with `watch.js` in it; `kept` carries a sign-in."""
    context: BrowserContext = await browser.new_context(
        permissions=["camera", "microphone"],
        locale="sv-SE",
        viewport={"width": 1440, "height": 900},
        storage_state=kept,
    )
    try:
        await context.add_init_script(path=Path(__file__).with_name("watch.js"))
        yield await context.new_page()
    finally:
        await context.close()


async def signed_in(browser: "Browser", url: str, name: str) -> "StorageState":
    """The cookie of an invented member of staff."""
    async with watched_page(browser) as page:
        await page.goto(url)
        await page.get_by_role("button", name=name).click()
        await page.locator("[data-test=visit]").first.wait_for()
        return await page.context.storage_state()


async def seen(page: "Page") -> Seen:
    return Seen.model_validate(await page.evaluate("() => window.bench"))


async def until_frames(page: "Page", frames: int) -> Seen:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            now = await seen(page)
            if now.frames >= frames:
                return now
            await asyncio.sleep(POLL_S)


async def until_stamped(page: "Page", stamp: str) -> Seen:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            now = await seen(page)
            if stamp in now.stamps:
                return now
            await asyncio.sleep(POLL_S)


async def clock_offset_ms(page: "Page") -> float:
    """Add it to the page's performance.now() to get time.monotonic() in ms.

    Both are CLOCK_MONOTONIC on Linux; the quickest of a few readings bounds the error.
    """
    readings: list[tuple[float, float]] = []
    for _ in range(CLOCK_TRIES):
        before = time.monotonic() * 1000
        page_ms = float(await page.evaluate("() => performance.now()"))
        after = time.monotonic() * 1000
        readings.append((after - before, (before + after) / 2 - page_ms))
    return min(readings)[1]

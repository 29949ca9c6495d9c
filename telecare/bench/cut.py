"""Consent withdrawn until the last picture at the viewer; and the same with a frozen server.

The viewer's page sends the withdrawal itself, so that one clock measures: from the request sent,
not from the commit. "Camera off" is the home's own camera, on the machine's monotonic clock.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from telecare.bench.browser import (
    Seen,
    chromium,
    clock_offset_ms,
    seen,
    signed_in,
    until_frames,
    until_stamped,
    watched_page,
)
from telecare.bench.report import Part, at_most, percentile, told
from telecare.bench.stack import SimulatedHome, Stack, running_stack

if TYPE_CHECKING:
    from playwright.async_api import Browser, Page, StorageState

ROUNDS = 20
FROZEN_ROUNDS = 3
LIMIT_MS = 500
TOLD_LIMIT_MS = 200
LEASE_MS = 3000
"""What the promise says, not what the code says."""
FRAME_MS = 50
"""The simulated camera's 20 pictures a second."""
FRAMES_BEFORE = 20
AFTER_S = 0.7
"""Longer than the limit: a picture that came later would be seen."""
FROZEN_S = 4.5

CONSENT = """
async (resident) => {
  const card = await (await fetch(`/api/residents/${resident}`)).json();
  return card.consents.find((one) => one.purpose === "video_visit" && one.active).id;
}
"""
WITHDRAW = """
async (consent) => {
  const sent = performance.now();
  const answer = await fetch(`/api/consents/${consent}/withdraw`, {
    method: "POST", headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ asked_by: "resident" }),
  });
  if (answer.status !== 204) throw new Error(`withdraw: ${answer.status}`);
  return [sent, performance.now()];
}
"""
GIVE_AGAIN = """
async (resident) => {
  const answer = await fetch(`/api/residents/${resident}/consents`, {
    method: "POST", headers: { "Content-Type": "application/json" },
    body: JSON.stringify({
      purpose: "video_visit", decision: "permit", information_version: 1,
      information_language: "sv", present: "Eva", will_shown: "spoken", ability: "clear",
      given: "in_person",
    }),
  });
  if (answer.status !== 201) throw new Error(`consent: ${answer.status}`);
}
"""


@dataclass(frozen=True, slots=True)
class Cut:
    """All in ms after the withdrawal was sent (or the server froze)."""

    last_picture: float
    camera_off: float
    told: float | None = None
    answered: float | None = None


async def cut(rounds: int | None) -> list[Part]:
    async with (
        running_stack() as stack,
        stack.home_of("Karl-Erik") as home,
        chromium() as browser,
    ):
        maria = await signed_in(browser, stack.url, "Maria Ek")
        withdrawn = [await _withdraw(browser, stack, maria, home) for _ in range(rounds or ROUNDS)]
        frozen = [
            await _freeze(browser, stack, maria, home)
            for _ in range(min(rounds or FROZEN_ROUNDS, FROZEN_ROUNDS))
        ]
    return _parts(withdrawn, frozen)


async def _withdraw(
    browser: "Browser", stack: Stack, kept: "StorageState", home: SimulatedHome
) -> Cut:
    async with _in_call(browser, stack, kept, home) as page:
        consent = await page.evaluate(CONSENT, str(home.resident_id))
        offset = await clock_offset_ms(page)
        sent, answered = await page.evaluate(WITHDRAW, consent)
        await until_stamped(page, "call ended")
        await asyncio.sleep(AFTER_S)
        at_end = await seen(page)
        off_ms = await home.camera_off_ms() - offset
        await page.evaluate(GIVE_AGAIN, str(home.resident_id))
    return Cut(
        last_picture=_last(at_end) - sent,
        camera_off=off_ms - sent,
        told=at_end.stamps["call ended"] - sent,
        answered=answered - sent,
    )


async def _freeze(
    browser: "Browser", stack: Stack, kept: "StorageState", home: SimulatedHome
) -> Cut:
    async with _in_call(browser, stack, kept, home) as page:
        offset = await clock_offset_ms(page)
        with stack.frozen() as frozen_s:
            await asyncio.sleep(FROZEN_S)
            at_end = await seen(page)
            off_ms = await home.camera_off_ms()
        await page.locator("[data-test=hang-up]").click()
        await until_stamped(page, "call ended")
    frozen_ms = frozen_s * 1000
    return Cut(last_picture=_last(at_end) + offset - frozen_ms, camera_off=off_ms - frozen_ms)


@asynccontextmanager
async def _in_call(
    browser: "Browser", stack: Stack, kept: "StorageState", home: SimulatedHome
) -> AsyncIterator["Page"]:
    await home.rested()
    async with watched_page(browser, kept) as page:
        await page.goto(f"{stack.url}/#/people/{home.resident_id}")
        await page.locator("[data-test=ring]:enabled").click()
        await until_frames(page, FRAMES_BEFORE)
        yield page


def _last(page: Seen) -> float:
    if page.last is None:
        raise AssertionError("pictures came before")
    return page.last


def _parts(withdrawn: list[Cut], frozen: list[Cut]) -> list[Part]:
    pictures = [max(0.0, one.last_picture) for one in withdrawn]
    cameras = [one.camera_off for one in withdrawn]
    tellings = [one.told for one in withdrawn if one.told is not None]
    answers = [one.answered for one in withdrawn if one.answered is not None]
    return [
        at_most(
            "withdrawn -> last picture at the viewer, p99", percentile(pictures, 99), "ms", LIMIT_MS
        ),
        told("withdrawn -> last picture, p50", percentile(pictures, 50), "ms"),
        told("withdrawn -> last picture, slowest", max(pictures), "ms"),
        at_most(
            "withdrawn -> camera off in the home, p99", percentile(cameras, 99), "ms", LIMIT_MS
        ),
        at_most(
            "withdrawn -> the page is told, p99", percentile(tellings, 99), "ms", TOLD_LIMIT_MS
        ),
        told("withdrawn -> the page is told, p50", percentile(tellings, 50), "ms"),
        told("withdrawn -> answered over HTTP, p50", percentile(answers, 50), "ms"),
        at_most(
            "server frozen -> last picture at the viewer, slowest",
            max(one.last_picture for one in frozen),
            "ms",
            LEASE_MS + FRAME_MS,
        ),
        told("server frozen -> camera off, slowest", max(one.camera_off for one in frozen), "ms"),
    ]

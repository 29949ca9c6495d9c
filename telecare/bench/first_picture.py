"""Ring pressed until the first decoded picture from a home unit, in a page opened for it (cold;
nobody presses while it still loads).

Includes the whole way: ring, the home's answer (the simulated person presses at once), the camera's
committed record, signalling over WebSocket and MQTT, and WebRTC. The reference does the same with a
bare aiohttp server between a page and a bare aiortc home with the same camera, over WebSockets: it
rings, is answered at once, offers, answers. It has no person, consent, record, lease, database or
broker.

And once more with somebody who takes a while to answer, as people do: the two ends have connected
by then, and only the camera's record and its first picture are left.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from telecare.bench.browser import (
    Seen,
    chromium,
    signed_in,
    until_frames,
    until_stamped,
    watched_page,
)
from telecare.bench.report import Part, at_most, compared, percentile, told
from telecare.bench.stack import SimulatedHome, free_port, reference_process, running_stack

if TYPE_CHECKING:
    from playwright.async_api import Browser, StorageState

ROUNDS = 20
RATIO = 1.3
LIMIT_MS = 500
TAKES_S = 1.5
STAGES = (
    ("pressed", "call open", "  of which: pressed -> open at the page"),
    ("call open", "offer made", "  of which: open -> offer made"),
    ("offer made", "answer came", "  of which: offer -> the home's answer"),
    ("answer came", "connected", "  of which: answer -> connected"),
)


async def first_picture(rounds: int | None) -> list[Part]:
    ours: list[Seen] = []
    bare: list[Seen] = []
    slow: list[Seen] = []
    async with (
        running_stack() as stack,
        bare_stack(stack.folder) as reference_url,
        chromium() as browser,
    ):
        maria = await signed_in(browser, stack.url, "Maria Ek")
        async with stack.home_of("Karl-Erik") as home:
            for _ in range(rounds or ROUNDS):
                bare.append(await _ring_bare(browser, reference_url))
                await home.rested()
                ours.append(await _ring(browser, stack.url, maria, home))
        async with stack.home_of("Ingrid", answers_after_s=TAKES_S) as home:
            for _ in range(rounds or ROUNDS):
                await home.rested()
                slow.append(await _ring(browser, stack.url, maria, home))
    return _parts(ours, bare, slow)


@asynccontextmanager
async def bare_stack(folder: Path) -> AsyncIterator[str]:
    port = free_port()
    async with (
        reference_process("switchboard", folder, port=port) as (url, _),
        reference_process("answerer", folder, port=port),
    ):
        yield url


async def _ring(browser: "Browser", url: str, kept: "StorageState", home: SimulatedHome) -> Seen:
    async with watched_page(browser, kept) as page:
        await page.goto(f"{url}/#/people/{home.resident_id}")
        await page.wait_for_load_state("networkidle")
        await page.locator("[data-test=ring]:enabled").click()
        await until_frames(page, 1)
        seen = await until_stamped(page, "connected")
        await page.locator("[data-test=hang-up]").click()
        await until_stamped(page, "call ended")
    return seen


async def _ring_bare(browser: "Browser", url: str) -> Seen:
    async with watched_page(browser) as page:
        await page.goto(url)
        await page.wait_for_load_state("networkidle")
        await page.locator("[data-test=ring]:enabled").click()
        await until_frames(page, 1)
        seen = await until_stamped(page, "connected")
        await page.locator("[data-test=hang-up]").click()
    return seen


def _after(seen: Seen, start: str) -> float:
    if seen.first is None:
        raise AssertionError("waited for")
    return seen.first - seen.stamps[start]


def _parts(ours: list[Seen], bare: list[Seen], slow: list[Seen]) -> list[Part]:
    whole = [_after(seen, "pressed") for seen in ours]
    opened = [_after(seen, "call open") for seen in ours]
    answered = [_after(seen, "call open") for seen in slow]
    reference = [_after(seen, "pressed") for seen in bare]
    p50, p95 = percentile(whole, 50), percentile(whole, 95)
    reference_p50 = percentile(reference, 50)
    return [
        compared("Ring pressed -> first picture, p50", p50, reference_p50, "ms", at_most=RATIO),
        at_most("Ring pressed -> first picture, p95", p95, "ms", LIMIT_MS),
        told("Ring pressed -> first picture, slowest", max(whole), "ms"),
        told("reference, p95", percentile(reference, 95), "ms"),
        compared(
            "open at the page -> first picture, p50", percentile(opened, 50), reference_p50, "ms"
        ),
        compared(
            "answered after 1.5 s: open at the page -> first picture, p50",
            percentile(answered, 50),
            reference_p50,
            "ms",
        ),
        told("answered after 1.5 s: the same, p95", percentile(answered, 95), "ms"),
        *(
            told(name, percentile([seen.between(start, end) for seen in ours], 50), "ms")
            for start, end, name in STAGES
        ),
        told(
            "  of which: connected -> first picture",
            percentile([_after(seen, "connected") for seen in ours], 50),
            "ms",
        ),
        told(
            "  reference: offer -> answer",
            percentile([seen.between("offer made", "answer came") for seen in bare], 50),
            "ms",
        ),
        told(
            "  reference: connected -> first picture",
            percentile([_after(seen, "connected") for seen in bare], 50),
            "ms",
        ),
    ]

"""Night benches: homes with a camera in the bedroom, and Jonas at the round page.

`first-picture --kind look`: the outcome of one home pressed until the first decoded picture of the
next, which was made ready; and a round's beginning until the first picture of a home that was not.
The reference opens the same camera with PyAV (or the simulated one) and waits for its first
picture: no page, no person, no consent, no record, no network.

`round`: what a round of many homes takes beyond the looking itself. The reference is the same round
without anything made ready.
"""

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from telecare.bench.browser import chromium, watched_page
from telecare.bench.report import Part, at_most, compared, percentile, told
from telecare.bench.stack import (
    Stack,
    environment,
    running_stack,
    ticks_of_tree,
    until_says,
)
from telecare.demo import nights, seed
from telecare.runtime.clock import SystemClock
from telecare.runtime.db import open_database, run_script
from telecare.runtime.embedded import process
from telecare.runtime.embedded.postgres import SUPERUSER
from telecare.wire.homes import HomeScript, HomeSettings

if TYPE_CHECKING:
    from playwright.async_api import Browser, Page, StorageState

ROUNDS = 20
HOMES = 40
READY_MS = 150
RTSP_READY_MS = 700
BEYOND = 0.5
PATIENCE_S = 60.0
REST_S = 0.6
REST_TICKS = 2
"""Of each home."""
STOP_S = 10.0
POLL_MS = 500
"""Seldom: each question takes time from the page that is measured."""
LET_GO_MS = 45_000
"""A home that was made ready is let go after half a minute."""
DUE_AGAIN = """
update night_check set state = 'due', since = now(), staff_id = null, call_id = null,
    not_before = null, shown_at = null, last_outcome = null, why = null, expected_by = null,
    ended_as = null, called_off_for = null, looks = 0, interrupted = 0
where starts_at <= now() and state <> 'called_off';
update night_check set state = 'done', ended_as = 'asleep' where starts_at > now();
"""
SEEN = "[data-phase=viewing] [data-test=say-asleep]:not([disabled])"
CARRIED_OUT = """(seen) => {
  let last = "";
  const timer = setInterval(() => {
    const who = document.querySelector(".who");
    if (!who || who.textContent === last || !document.querySelector(seen)) return;
    last = who.textContent;
    dispatchEvent(new KeyboardEvent("keydown", { key: "1" }));
  }, 20);
  setTimeout(() => clearInterval(timer), 1800000);
}"""
"""Says what she sees as soon as it may be said, quicker than a hand."""


class Looks(BaseModel):
    """What the page saw: presses that turn to a home, and each track's first picture, in ms."""

    model_config = ConfigDict(frozen=True)
    presses: list[float]
    firsts: list[float]

    def after(self, n: int) -> float:
        """From press `n` to the first picture after it."""
        return min(at for at in self.firsts if at > self.presses[n]) - self.presses[n]


@dataclass(frozen=True, slots=True)
class Night:
    """Homes up and agreed, Jonas on shift, nobody looked at yet."""

    stack: Stack
    jonas: "StorageState"
    home_process: "subprocess.Popen[bytes]"
    homes: int

    async def due_again(self) -> None:
        await run_script(self.stack.services.postgres.url(SUPERUSER), DUE_AGAIN)

    async def rested(self) -> None:
        """Until the units work no more: after a look they make the next media process ready."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                before = ticks_of_tree(self.home_process.pid)
                await asyncio.sleep(REST_S)
                if ticks_of_tree(self.home_process.pid) - before <= REST_TICKS * self.homes:
                    return

    @asynccontextmanager
    async def at_the_round(self, browser: "Browser") -> AsyncIterator["Page"]:
        async with watched_page(browser, self.jonas) as page:
            await page.goto(f"{self.stack.url}/#/night")
            await page.locator("[data-test=begin-round]:enabled").wait_for()
            await page.wait_for_load_state("networkidle")
            yield page


async def look(rounds: int | None) -> list[Part]:
    return await _first_picture(rounds or ROUNDS, "simulated", READY_MS)


async def round_of(homes: int | None) -> list[Part]:
    """`homes`: how many."""
    count = homes or HOMES
    async with chromium() as browser, running_night(browser, count, "simulated") as night:
        await night.due_again()
        await night.rested()
        ready, whole = await _whole_round(night, browser, count, makes_ready=True)
        await night.due_again()
        await night.rested()
        bare, bare_whole = await _whole_round(night, browser, count, makes_ready=False)
    return [
        compared(f"{count} homes: beyond the looking itself", ready, bare, "s", at_most=BEYOND),
        told("the whole round", whole, "s"),
        told("the whole round, nothing made ready", bare_whole, "s"),
        told("between two homes, mean", ready * 1000 / count, "ms"),
    ]


async def _first_picture(rounds: int, camera: str, limit_ms: float) -> list[Part]:
    cold: list[float] = []
    ready: list[float] = []
    async with chromium() as browser, running_night(browser, 2, camera) as night:
        for _ in range(rounds):
            await night.due_again()
            await night.rested()
            seen = await _two_looks(night, browser)
            cold.append(seen.after(0))
            ready.append(seen.after(1))
    opening = await asyncio.to_thread(opened_alone, camera, rounds)
    reference = percentile(opening, 50)
    return [
        at_most("made ready: pressed -> first picture, p95", percentile(ready, 95), "ms", limit_ms),
        compared("made ready: the same, p50", percentile(ready, 50), reference, "ms"),
        told("made ready: the same, slowest", max(ready), "ms"),
        compared("cold: pressed -> first picture, p50", percentile(cold, 50), reference, "ms"),
        told("cold: the same, p95", percentile(cold, 95), "ms"),
        told("reference: camera opened -> its first picture, p95", percentile(opening, 95), "ms"),
    ]


async def _two_looks(night: Night, browser: "Browser") -> Looks:
    async with night.at_the_round(browser) as page:
        await page.locator("[data-test=begin-round]").click()
        await page.locator(SEEN).wait_for()
        first = await page.locator(".who").inner_text()
        await page.locator("[data-test=check]", has_text="Klar").wait_for()
        await page.keyboard.press("1")
        await page.locator(".who", has_not_text=first).wait_for()
        await page.locator(SEEN).wait_for()
        seen = await _looks(page)
        await page.keyboard.press("1")
        await page.locator("[data-phase=idle]").wait_for()
    return seen


async def _whole_round(
    night: Night, browser: "Browser", homes: int, *, makes_ready: bool
) -> tuple[float, float]:
    """Seconds beyond the looking, and altogether."""
    async with night.at_the_round(browser) as page:
        if not makes_ready:
            refused = {"code": "busy", "title": "", "status": 409}
            await page.route(
                "**/api/nightchecks/*/ready",
                lambda route: route.fulfill(status=409, json=refused),
            )
        await page.evaluate(CARRIED_OUT, SEEN)
        await page.locator("[data-test=begin-round]").click()
        await page.wait_for_function(
            "homes => window.bench.presses.length > homes",
            arg=homes,
            polling=POLL_MS,
            timeout=homes * PATIENCE_S * 1000,
        )
        seen = await _looks(page)
        await page.locator("[data-phase=idle]").wait_for()
    beyond = sum(seen.after(n) for n in range(homes))
    return beyond / 1000, (seen.presses[homes] - seen.presses[0]) / 1000


async def _looks(page: "Page") -> Looks:
    return Looks.model_validate(await page.evaluate("() => window.bench"))


@asynccontextmanager
async def running_night(browser: "Browser", count: int, camera: str) -> AsyncIterator[Night]:
    """`count` homes in one process, each with `camera` in the bedroom and a check that is due."""
    homes = [
        seed.Home(f"natt-{n}", f"Hem {n:02}", "", date(1940, 1, 1), says_yes=False)
        for n in range(count)
    ]
    async with running_stack() as stack:
        now = SystemClock().now()
        async with open_database(stack.config.role_url("app"), size=2) as database:
            tenant = await seed.seed(database, now)
            await seed.add_homes(database, tenant, homes, now)
            codes = await seed.unit_codes(database, tenant, homes, now)
            scripts = [_script(stack, home, codes[home.key], camera) for home in homes]
            async with running_homes(stack, scripts) as running:
                await nights.agree(database, tenant, homes, now)
                jonas = await _on_shift(browser, stack.url)
                yield Night(stack, jonas, running, count)


def _script(stack: Stack, home: seed.Home, code: str, camera: str) -> HomeScript:
    return HomeScript(
        state_dir=str(stack.folder / home.key),
        server_url=stack.url,
        enrol_code=code,
        settings=HomeSettings(cameras={nights.CAMERA: camera}),
    )


@asynccontextmanager
async def running_homes(
    stack: Stack, scripts: Sequence[HomeScript]
) -> AsyncIterator["subprocess.Popen[bytes]"]:
    log = stack.folder / "homes.log"
    with log.open("ab") as output:
        running = process.start(
            [sys.executable, "-m", "edge", "simulate"],
            output=output,
            stdin=subprocess.PIPE,
            environment=environment(stack.services, stack.port),
        )
    try:
        if running.stdin is not None:
            lines = "".join(f"{script.model_dump_json()}\n" for script in scripts)
            running.stdin.write(lines.encode())
            running.stdin.close()
        await until_says(running, log, '"up": true', times=len(scripts))
        yield running
    finally:
        process.stop(running, signal.SIGTERM, STOP_S)


async def _on_shift(browser: "Browser", url: str) -> "StorageState":
    """Jonas has begun his shift, and has said that he sits alone."""
    async with watched_page(browser) as page:
        await page.goto(url)
        await page.get_by_role("button", name="Jonas Lund").click()
        await page.locator("[data-test=begin-shift]").click()
        await page.locator("[data-test=nav-night]").first.click()
        await page.locator("[data-test=private]").check()
        await page.locator("[data-test=begin-round]").click()
        await page.locator(SEEN).wait_for()
        await page.locator("[data-test=pause]").click()
        await page.keyboard.press("1")
        await page.locator("[data-phase=idle]").wait_for()
        ready = page.locator("[data-test=check]", has_text="Klar").first
        await ready.wait_for(state="detached", timeout=LET_GO_MS)
        return await page.context.storage_state()


def opened_alone(camera: str, rounds: int) -> list[float]:
    """Milliseconds from opening the camera to its first picture, each time anew."""
    program = Path(__file__).with_name("reference") / "opening.py"
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, str(program), camera, str(rounds)],
        capture_output=True,
        check=True,
        cwd=Path(__file__).parents[2],
        env={"PYTHONPATH": str(Path(__file__).parents[2])},
    )
    found: list[float] = json.loads(done.stdout)
    return found

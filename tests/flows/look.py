"""What is looked at on every page: axe's rules, sizes, and what the keyboard reaches."""

import os
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path

import pytest
from playwright.async_api import Page

AXE = (resources.files("axe_playwright_python") / "axe.min.js").read_text("utf-8")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
QUESTIONS = Path(__file__).with_name("look.js").read_text("utf-8")
SETTLED = "() => new Promise(done => requestAnimationFrame(() => setTimeout(done, 150)))"
DATES = "input[type=date], input[type=time], input[type=datetime-local]"
PARTS_OF_A_DATE = 6
"""Chromium stops at year, month, day, hour, minute and the calendar of one field."""
ARROWS = ("ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight")


@dataclass
class Look:
    """Faults of a walk through the pages, each with where it was seen."""

    language: str
    sizes: list[tuple[int, int]]
    is_tv: bool = False
    faults: list[str] = field(default_factory=list)

    async def at(self, page: Page, name: str, *, keys: bool = True) -> None:
        """Look at `name`, as it stands now, in every size."""
        before = page.viewport_size
        await page.evaluate(f"() => {{ if (!window.axe) {{ {AXE} }} {QUESTIONS} }}")
        for width, height in self.sizes:
            await page.set_viewport_size({"width": width, "height": height})
            await page.evaluate(SETTLED)
            await self._ask(page, f"{name} {self.language} {width}")
            await self._picture(page, name, width)
        if keys:
            reach = self._arrows if self.is_tv else self._tabs
            self._note(f"{name} {self.language}", await reach(page))
        await page.set_viewport_size(before)

    async def _ask(self, page: Page, where: str) -> None:
        self._note(where, await page.evaluate("isTv => look.sizes(isTv)", self.is_tv))
        self._note(where, await page.evaluate("rules => look.axe(rules)", RULES))
        if self.is_tv:
            self._note(where, await page.evaluate("() => look.focusShows()"))

    def _note(self, where: str, faults: list[str]) -> None:
        self.faults += [f"{where}: {fault}" for fault in faults]

    async def _picture(self, page: Page, name: str, width: int) -> None:
        if folder := os.environ.get("TELECARE_KEEP_PICTURES"):
            file = (
                Path(folder)
                / f"{'tv' if self.is_tv else 'staff'}-{name}-{self.language}-{width}.png"
            )
            await page.screenshot(path=file, full_page=not self.is_tv)

    async def _tabs(self, page: Page) -> list[str]:
        """Controls that the Tab key never comes to."""
        wanted = await page.evaluate("() => look.stops()")
        reached = set()
        await page.evaluate("() => document.activeElement && document.activeElement.blur()")
        parts = PARTS_OF_A_DATE * await page.locator(DATES).count()
        for _ in range(len(wanted) + 12 + parts):
            await page.keyboard.press("Tab")
            reached.add(await page.evaluate("() => look.focused()"))
        stops = {i for i, _ in wanted}
        by_stop = {stop: [j for j, (i, _) in enumerate(wanted) if i == stop] for stop in stops}
        return [
            f"Tab never reaches {wanted[stop][1]}"
            for stop, members in by_stop.items()
            if not reached & set(members)
        ]

    async def _arrows(self, page: Page) -> list[str]:
        """Controls that no row of arrow keys comes to from where focus is."""
        wanted = await page.evaluate("() => look.stops()")
        todo, reached = [await page.evaluate("() => look.focused()")], set()
        first = todo[0]
        while todo:
            here = todo.pop()
            if here in reached or here < 0:
                continue
            reached.add(here)
            for key in ARROWS:
                await page.evaluate("i => look.focusOn(i)", here)
                await page.keyboard.press(key)
                todo.append(await page.evaluate("() => look.focused()"))
        await page.evaluate("i => look.focusOn(i)", first)
        return [f"no arrow key reaches {name}" for i, name in wanted if i not in reached]


PHONES = [(320, 640), (390, 844)]
DESK = (1440, 900)
TVS = [(1920, 1080), (1024, 768)]
SMALL = (320, 640)
MATRIX = [
    pytest.param("sv", "small", id="sv-320"),
    pytest.param("sv", "wide", id="sv", marks=pytest.mark.slow),
    pytest.param("fi", "small", id="fi-320", marks=pytest.mark.slow),
    pytest.param("en", "small", id="en-320", marks=pytest.mark.slow),
    pytest.param("fi", "wide", id="fi", marks=pytest.mark.slow),
    pytest.param("en", "wide", id="en", marks=pytest.mark.slow),
]


def staff_look(language: str, which: str) -> Look:
    small, wide = [SMALL], [PHONES[1], DESK]
    return Look(language, {"small": small, "wide": wide}[which])


def tv_look(language: str, which: str) -> Look:
    sizes = {"small": [SMALL], "wide": TVS}[which]
    return Look(language, sizes, is_tv=True)

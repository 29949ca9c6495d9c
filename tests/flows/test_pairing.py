"""A TV without a home, and the staff phone that scans what it shows."""

import asyncio
import re
from urllib.parse import urlsplit

import pytest
import segno

from tests.flows.conftest import UP_S

pytestmark = pytest.mark.asyncio(loop_scope="session")

DRAWN = """() => {
    const svg = document.querySelector("[data-test=qr]");
    return [svg.querySelector("path").getAttribute("d"), svg.querySelector("path").getBBox().width];
}"""


def dark(path: str) -> set[tuple[int, int]]:
    return {(int(x), int(y)) for x, y in re.findall(r"M(\d+) (\d+)", path)}


def modules(content: str) -> set[tuple[int, int]]:
    rows = segno.make(content, error="m", micro=False).matrix
    return {(x, y) for y, row in enumerate(rows) for x, is_dark in enumerate(row) if is_dark}


async def test_a_phone_that_scans_the_tv_needs_no_typing(stack, windows):
    tv = await windows.new(viewport={"width": 1920, "height": 1080})
    await tv.goto(f"{windows.url}/tv")
    letters = (await tv.locator("[data-test=letters]").text_content()).strip()
    address = f"{windows.url}/#/tv/{letters}"

    path, _ = await tv.evaluate(DRAWN)
    assert dark(path) == modules(address)  # what a camera reads: nothing but the letters
    maria = await windows.staff(viewport={"width": 390, "height": 844})
    await maria.goto(address)
    await maria.locator("#q").fill("Olof")
    await maria.locator("[data-test=person] a", has_text="Olof").click()
    assert await maria.locator("#letters").input_value() == letters
    await maria.locator("[data-test=pair-send]").click()

    word = await maria.locator("[data-test=pair-word] .word").text_content()
    assert await tv.locator("[data-test=pair-word]").text_content() == word
    await tv.locator("[data-test=same]").click()
    await tv.locator("[data-test=home]").wait_for()


async def test_the_code_stands_still_on_a_tv_whose_clock_is_wrong(stack, windows):
    stack.move_clock(hours=-5)
    asked = []
    tv = await windows.new()
    tv.on("request", lambda r: asked.append(r.method) if urlsplit(r.url).path == "/api/tv/pairing"
          else None)  # fmt: skip
    await tv.goto(f"{windows.url}/tv")
    await tv.locator("[data-test=letters]").wait_for()

    async with asyncio.timeout(UP_S):
        while asked.count("GET") < 2:
            await tv.wait_for_timeout(100)

    assert asked.count("POST") == 1

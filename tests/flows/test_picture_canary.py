"""A picture that can be recognised byte for byte, and where it must not be found (P23)."""

import asyncio
import tempfile
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import async_playwright

from edge.hardware.drawing import CANARY, CANARY_TILE, HEIGHT, WIDTH, drawn_canary
from tests.flows.conftest import ARGUMENTS, CHROMIUM, Windows, remove, sees, started
from tests.flows.seekers import (
    content,
    family,
    files,
    found_in,
    loaded,
    media_pieces,
    memory,
    tapped_line,
    udp_sockets,
)
from tests.flows.steps import ended, ring

pytestmark = pytest.mark.asyncio(loop_scope="session")

ROWS = [CANARY[at : at + CANARY_TILE] for at in range(0, 16 * CANARY_TILE, 4 * CANARY_TILE)]
"""Rows of luma, as a decoded frame (I420, NV12, grey) would hold them."""
PIECES = 24
HEADS = [b"\xff\xd8\xff\xe0\x00\x10JFIF", b"\xff\xd8\xff\xdb\x00\x43", b"\x89PNG\r\n\x1a\n"]
"""How a JPEG or PNG file begins."""


def in_colour(row: bytes, *, is_limited: bool) -> bytes:
    """The same row as RGB24 (BT.601, limited or full range): its chroma is neutral."""
    scaled = [min(255, max(0, round((y - 16) * 255 / 219))) if is_limited else y for y in row]
    return bytes(value for value in scaled for _ in range(3))


PICTURES = [
    *ROWS,
    *(in_colour(row, is_limited=limited) for row in ROWS for limited in (True, False)),
]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def stack():
    folder = Path(tempfile.mkdtemp(prefix="telecare-picture-"))
    (folder / "tmp").mkdir()
    running = await started(folder, TMPDIR=str(folder / "tmp"))
    try:
        await running.start_home("ingrid", picture="canary")
        await running.keep_state()
        yield running
    finally:
        running.stop()
        remove(folder)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def canary_chromium(tmp_path_factory):
    """Its camera shows the canary."""
    film = tmp_path_factory.mktemp("film") / "canary.y4m"
    picture = drawn_canary()
    head = f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F20:1 Ip A1:1 C420jpeg\nFRAME\n".encode()
    film.write_bytes(head + bytes(picture.luma + picture.u + picture.v))
    camera = f"--use-file-for-fake-video-capture={film}"
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=[*ARGUMENTS, camera]
        )
        yield browser
        await browser.close()


async def wire_pieces() -> list[bytes]:
    with tapped_line() as tap:
        return await asyncio.to_thread(media_pieces, tap, PIECES)


async def found(stack, wanted: list[bytes]) -> dict[str, set[bytes]]:
    """Where any of it is: the server's memory, all files of server, database, broker, unit."""
    await stack.rows("checkpoint")
    return await asyncio.to_thread(_found, stack.server.pid, stack.folder, wanted)


def _found(pid: int, folder: Path, wanted: list[bytes]) -> dict[str, set[bytes]]:
    places = {"the server's memory": found_in(memory(pid), wanted)}
    for path in files(folder):
        places[str(path)] = found_in(content(path), [*wanted, *HEADS])
    assert len(places) > 100
    return {where: hits for where, hits in places.items() if hits}


def has_no_means(pid: int) -> None:
    """A process that could neither receive a picture nor decode one."""
    assert udp_sockets(pid) == 0
    assert loaded(pid, "libav", "libvpx", "libopus", "libsrtp") == []


async def test_the_picture_of_a_home_unit_is_nowhere_but_at_its_ends(stack, chromium):
    await stack.new_day()
    windows = Windows(chromium, stack.url)
    maria = await windows.staff()
    await ring(maria, "Ingrid")
    await sees(maria)
    wanted = [*PICTURES, *await wire_pieces()]

    assert await found(stack, wanted) == {}
    has_no_means(stack.server.pid)
    # The same search finds it where it belongs, and so would find it elsewhere.
    unit = family(stack.homes[0].pid)
    assert ROWS[0] in set.union(*(found_in(memory(pid), ROWS) for pid in unit))
    assert sum(udp_sockets(pid) for pid in unit) > 0
    assert any(loaded(pid, "libav") for pid in unit)

    await maria.locator("[data-test=hang-up]").click()
    await ended(stack, "hung_up_by_staff")
    assert await found(stack, wanted) == {}
    await windows.close()


@pytest.mark.slow
async def test_the_picture_of_a_tv_page_is_nowhere_but_at_its_ends(stack, canary_chromium):
    await stack.new_day()
    windows = Windows(canary_chromium, stack.url)
    birgitta = await windows.tv()
    maria = await windows.staff()
    await ring(maria, "Birgitta")
    await birgitta.locator("[data-test=answer]").click()
    await asyncio.gather(sees(maria), sees(birgitta))
    wanted = [*PICTURES, *await wire_pieces()]

    assert await found(stack, wanted) == {}
    has_no_means(stack.server.pid)

    await maria.locator("[data-test=hang-up]").click()
    await ended(stack, "hung_up_by_staff")
    assert await found(stack, wanted) == {}
    await windows.close()

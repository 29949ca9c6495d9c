"""What anybody may fetch of a log, without signing in (C2SP tlog-tiles)."""

import pytest

from telecare.audit.note import Checkpoint, Note, check_signature
from telecare.audit.tree import (
    TILE_WIDTH,
    NotInTree,
    hashes,
    in_tile,
    inclusion,
    read_tile_path,
    root_of,
    tile_path,
    tiles,
    width_of,
)
from telecare.integrity import witness_store
from telecare.integrity.public import LIMIT
from telecare.integrity.witness_store import Cosignature
from tests.services.test_sequencer import Kept, files, kept, sequencer_database  # noqa: F401


class Outsider:
    """Somebody on the internet."""

    def __init__(self, client, kept) -> None:  # noqa: F811
        self.client, self.kept = client, kept
        self.base = f"{client.url}/t/{kept.slug}/audit/1/"

    async def get(self, path: str, base: str | None = None) -> tuple[int, bytes, dict[str, str]]:
        async with self.client.http.get((base or self.base) + path) as answer:
            return answer.status, await answer.read(), dict(answer.headers)

    async def note(self) -> Note:
        status, body, _ = await self.get("checkpoint")
        assert status == 200
        return Note.parse(body.decode())

    async def tree(self, size: int) -> dict[tuple[int, int], bytes]:
        found = {}
        for level, n, width in tiles(size):
            status, packed, _ = await self.get(tile_path(level, n, width))
            assert (status, len(packed)) == (200, width * 32)
            for at in range(width):
                found[level * 8, n * TILE_WIDTH + at] = in_tile(packed, at)
        return found


@pytest.fixture
async def outsider(kept, client):  # noqa: F811
    await kept.write(300)
    await kept.go_on()
    await kept.sign()
    return Outsider(client, kept)


async def test_anybody_can_grow_the_tree_again_from_tiles_and_reach_the_signed_root(outsider):
    note = await outsider.note()
    head = Checkpoint.parse(note.text)
    check_signature(note, outsider.kept.verifier())

    found = await outsider.tree(head.size)

    assert root_of((0, head.size), found.__getitem__) == head.root
    assert hashes(inclusion(299, head.size), found.__getitem__)
    assert [found[0, at] for at in range(head.size)] == await outsider.kept.leaves()


async def test_heads_are_asked_for_anew_and_full_tiles_kept_for_ever(outsider):
    _, _, head = await outsider.get("checkpoint")
    _, _, full = await outsider.get("tile/0/000")
    _, _, partial = await outsider.get("tile/0/001.p/2")

    assert head["Content-Type"] == "text/plain; charset=utf-8"
    assert head["Cache-Control"] == "no-cache"
    assert full["Content-Type"] == partial["Content-Type"] == "application/octet-stream"
    assert "immutable" in full["Cache-Control"]
    assert "immutable" not in partial["Cache-Control"]


async def test_nothing_is_shown_that_no_head_covers(outsider):
    await outsider.kept.write(1)
    await outsider.kept.sign()
    size = Checkpoint.parse((await outsider.note()).text).size
    await outsider.kept.write(5)
    await outsider.kept.go_on()
    assert len(await outsider.kept.leaves()) == size + 5

    assert (await outsider.get(f"tile/0/001.p/{size - 256}"))[0] == 200
    assert (await outsider.get(f"tile/0/001.p/{size - 255}"))[0] == 404


@pytest.mark.parametrize(
    "path",
    ["tile/0/001", "tile/0/002.p/1", "tile/1/000", "tile/1/000.p/2", "tile/0/000.p/0",
     "tile/0/000.p/256", "tile/0/000.p/01", "tile/0/0", "tile/00/000", "tile/0/x000/000",
     "tile/8/000", "tile/64/000", "tile/-1/000", "tile/0/999999", "tile/entries/000", "tile/0/",
     "tile/0/000/", "tile/0/%00", "tile/0/x999/x999/x999/x999/x999/999",
     "tile/0/%D9%A0%D9%A0%D9%A0"],
)  # fmt: skip
async def test_what_is_no_tile_of_the_tree_is_not_found(outsider, path):
    status, body, _ = await outsider.get(path)
    nothing = await outsider.get("tile/7/000")

    assert (status, body) == (404, nothing[1])
    assert b'"not_found"' in body


@pytest.mark.parametrize(
    "base",
    ["/t/nowhere/audit/1/", "/t/{slug}/audit/2/", "/t/{slug}/audit/0/", "/t/{slug}/audit/x/",
     "/t/{slug}/audit/99999999999/", "/t/%00/audit/1/", "/t/{slug}%27/audit/1/"],
)  # fmt: skip
async def test_an_unknown_log_answers_as_a_missing_tile_does(outsider, base):
    elsewhere = outsider.client.url + base.format(slug=outsider.kept.slug)
    nothing = await outsider.get("tile/7/000")

    for path in ("checkpoint", "tile/0/000"):
        status, body, _ = await outsider.get(path, elsewhere)
        assert (status, body) == (404, nothing[1])


async def test_a_head_carries_what_witnesses_have_signed_of_it(outsider):
    size = Checkpoint.parse((await outsider.note()).text).size
    line = "\N{EM DASH} witness.example AAAAAAAAAAAA\n"
    given = Cosignature("witness.example+key", line, outsider.kept.clock.now())
    async with outsider.kept.database.transaction(outsider.kept.world.tenant) as db:
        await witness_store.add_cosignature(db, 1, size, given)
        await witness_store.add_cosignature(db, 1, size, given)

    _, body, _ = await outsider.get("checkpoint")

    assert body.decode().endswith(line)
    assert body.decode().count("witness.example") == 1
    assert len((await outsider.note()).signatures) == 2


def test_a_tiles_address_is_read_as_it_is_written():
    for level, n, width in [(0, 0, 256), (1, 999, 1), (2, 1000, 255), (7, 1234067, 17)]:
        assert read_tile_path(tile_path(level, n, width)) == (level, n, width)
    with pytest.raises(NotInTree):
        read_tile_path("tile/0/1000")


def test_the_width_of_a_tile_follows_from_the_size():
    for size in (0, 1, 255, 256, 257, 70_000):
        listed = {(level, n): width for level, n, width in tiles(size)}
        for level in range(3):
            for n in range(280):
                assert width_of(level, n, size) == listed.get((level, n), 0)


async def test_whoever_asks_too_often_is_told_when_to_come_back(outsider):
    """By address, whatever is asked for; the next minute is a new one."""
    clock, world = outsider.kept.clock, outsider.kept.world
    # A minute of its own: the database, its counts and the hour are shared with other tests.
    clock.forward(days=40)
    assert (await outsider.get("checkpoint"))[0] == 200
    await world.rows(
        "update rate_limit set count = $1 where key like 'public-log:%' and window_start > $2",
        LIMIT.count, clock.now() - LIMIT.window,
    )  # fmt: skip
    left = 60 - clock.now().second

    for path in ("checkpoint", "tile/0/000", "tile/7/000"):
        status, body, headers = await outsider.get(path)
        assert (status, headers["Retry-After"]) == (429, str(left))
        assert headers["Cache-Control"] == "no-store"
        assert b'"rate_limited"' in body

    clock.forward(seconds=left)
    assert (await outsider.get("checkpoint"))[0] == 200

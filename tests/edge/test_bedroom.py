"""The drawn bedroom at night: what a look shows can be told apart, and is never quite still."""

import pytest

from edge.media import camera
from edge.pipe import Hardware
from edge.studio.scene import FRAMES, Bedroom

BED, FLOOR, WINDOW_SIDE = (256, 262), (430, 380), (260, 440)
PLACES = {"asleep": BED, "floor": FLOOR, "up": WINDOW_SIDE}


def around(frame, place) -> float:
    """How bright it is there, over 16 x 16 pixels."""
    plane = frame.planes[0]
    luma, top, left = bytes(plane), place[0], place[1]
    rows = (luma[y * plane.line_size + left :][:16] for y in range(top, top + 16))
    return sum(map(sum, rows)) / 256


@pytest.mark.parametrize("scene", PLACES)
def test_where_she_is_can_be_seen(scene):
    shown, empty = (Bedroom(name).picture(0) for name in (scene, "empty"))
    assert around(shown, PLACES[scene]) > around(empty, PLACES[scene]) + 12


def test_no_two_pictures_are_the_same_even_where_nobody_moves():
    bedroom = Bedroom("empty")
    pictures = {bytes(bedroom.picture(number).planes[0]) for number in (0, 1, FRAMES, FRAMES + 1)}
    assert len(pictures) == 4


def test_a_room_with_next_to_no_light_is_not_a_covered_lens():
    dim, black = (bytes(Bedroom(name).picture(0).planes[0]) for name in ("dim", "black"))
    assert max(dim) - min(dim) > 2 * (max(black) - min(black))


async def test_a_home_gives_the_scene_that_stands_in_its_settings():
    made = camera(Hardware(camera="simulated:floor"))
    await made.open()
    try:
        assert around(await made.read(), FLOOR) > 60
    finally:
        await made.close()

"""A bedroom at night as an infra-red camera sees it, drawn: nobody's room and nobody's picture.

Grey, dim, noisy and soft at the edges. She sleeps (and breathes), is up, lies on the floor, or is
not there; `black` is a lens that is covered, `dim` a room with next to no light, which is not it.
"""

import math
from fractions import Fraction
from functools import cache
from itertools import pairwise
from typing import Literal, TypeGuard, get_args

from av import VideoFormat, VideoFrame
from av.filter import Graph

from edge.hardware.drawing import HEIGHT, WIDTH, Box, Colour, Picture

Scene = Literal["asleep", "up", "floor", "empty", "black", "dim"]
FRAMES_PER_S = 20
BREATH_S = 4
"""Fifteen breaths a minute."""
LOOP_S = 8
"""Whole breaths, so that the film goes on without a seam."""
FRAMES = LOOP_S * FRAMES_PER_S
NOISE_STRENGTH = {"dim": 7, "black": 2}
"""Of libavfilter's `noise`; a covered lens is amplified too, but there is nothing to amplify."""
USUAL_NOISE = 10


def is_scene(name: str) -> TypeGuard[Scene]:
    return name in get_args(Scene)


def grey(luma: int) -> Colour:
    return Colour(lit(luma), 128, 128)


def lit(luma: int) -> int:
    """As the camera's own infra-red lamp lights it."""
    return min(235, 16 + (luma - 16) * 8 // 5)


@cache
def room() -> Picture:
    """Wall, floor, a window with the moon's light, a bed, a bedside table."""
    picture = Picture.plain(grey(46))
    picture.paint(Box(300, 0, 180, WIDTH), grey(34))
    picture.paint(Box(296, 0, 4, WIDTH), grey(58))
    picture.paint(Box(50, 470, 150, 110), grey(92))
    picture.paint(Box(50, 522, 150, 6), grey(40))
    picture.paint(Box(122, 470, 6, 110), grey(40))
    picture.paint(Box(250, 500, 90, 70), grey(52))
    picture.paint(Box(214, 528, 36, 14), grey(74))
    picture.paint(Box(170, 60, 150, 24), grey(64))
    picture.paint(Box(270, 84, 90, 330), grey(78))
    picture.paint(Box(360, 92, 30, 10), grey(28))
    picture.paint(Box(360, 396, 30, 10), grey(28))
    picture.paint(Box(252, 90, 34, 84), grey(118))
    return picture


def drawn(scene: Scene, number: int) -> Picture:
    """Picture `number` of the loop, before noise and softening."""
    breath = math.sin(2 * math.pi * number / (BREATH_S * FRAMES_PER_S))
    sway = math.sin(2 * math.pi * number / FRAMES)
    picture = room().copy()
    match scene:
        case "asleep":
            _oval(picture, 250, 132, 20, 24, 136)
            _oval(picture, 244, 140, 14, 20, 88)
            _oval(picture, 290, 270, round(34 + 3 * breath), 132, 96)
        case "up":
            _oval(picture, 300, 250, 20, 120, 86)
            left = 440 + round(24 * sway)
            _oval(picture, 168, left, 24, 18, 134)
            _oval(picture, 262, left, 84, 30, 104)
            picture.paint(Box(330, left // 2 * 2 - 18, 70, 14), grey(66))
            picture.paint(Box(330, left // 2 * 2 + 4, 70, 14), grey(66))
        case "floor":
            _oval(picture, 286, 250, 18, 110, 84)
            _oval(picture, 430, 300, 22, 26, 130)
            _oval(picture, 434, 410, round(24 + breath), 96, 100)
        case "empty":
            _oval(picture, 292, 250, 16, 124, 88)
        case "black":
            picture = Picture.plain(grey(18))
        case "dim":
            _oval(picture, 290, 270, round(34 + 3 * breath), 132, 96)
            _darken(picture)
    return picture


class Bedroom:
    """What the camera's sensor gives, picture after picture."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._lens = _Lens(NOISE_STRENGTH.get(scene, USUAL_NOISE))

    def picture(self, number: int) -> VideoFrame:
        """`number` rises; what is drawn comes again after FRAMES, its noise does not."""
        return self._lens.through(drawn(self._scene, number % FRAMES).frame(), number)


class _Lens:
    """Soft, darker at the edges, and noisy, as small sensors are at night."""

    def __init__(self, noise: int) -> None:
        self._graph = Graph()
        source = self._graph.add_buffer(
            width=WIDTH,
            height=HEIGHT,
            format=VideoFormat("yuv420p"),
            time_base=Fraction(1, FRAMES_PER_S),
        )
        parts = [
            source,
            self._graph.add("gblur", "sigma=2.2"),
            self._graph.add("vignette", "angle=PI/8:dither=0"),
            self._graph.add("noise", f"c0s={noise}:c0f=t:all_seed=20261"),
            self._graph.add("format", "pix_fmts=yuv420p"),
            self._graph.add("buffersink"),
        ]
        for one, after in pairwise(parts):
            one.link_to(after)
        self._graph.configure()

    def through(self, frame: VideoFrame, number: int) -> VideoFrame:
        frame.pts, frame.time_base = number, Fraction(1, FRAMES_PER_S)
        self._graph.push(frame)
        made = self._graph.pull()
        if not isinstance(made, VideoFrame):
            raise TypeError("a filter of pictures gave none")
        return made


def _oval(
    picture: Picture, top: int, left: int, half_height: int, half_width: int, luma: int
) -> None:
    """Around (top, left); rows of one grey."""
    for y in range(-half_height, half_height + 1):
        half = round(half_width * math.sqrt(1 - (y / (half_height + 1)) ** 2))
        if half > 0 and 0 <= top + y < HEIGHT:
            start = (top + y) * WIDTH + max(0, left - half)
            end = (top + y) * WIDTH + min(WIDTH, left + half)
            picture.luma[start:end] = bytes([lit(luma)]) * (end - start)


DIM = bytes(16 + max(0, luma - 16) // 8 for luma in range(256))


def _darken(picture: Picture) -> None:
    """An eighth of the light: what a person would call black, and a camera does not."""
    picture.luma[:] = picture.luma.translate(DIM)

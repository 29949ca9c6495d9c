"""Pictures drawn straight in yuv420p: a quiet room, figures, and the canary pattern.

No imaging library: a picture is one bytearray, filled by slices (a frame costs about 0.3 ms).
"""

import random
from dataclasses import dataclass
from functools import cache
from typing import Self

from av import VideoFrame

WIDTH, HEIGHT = 640, 480

CANARY_SEED = 20_261
CANARY_TILE = 64
CANARY = random.Random(CANARY_SEED).randbytes(CANARY_TILE * CANARY_TILE)  # noqa: S311 - a pattern
"""Luma of a 64x64 tile, repeated over the picture; must never be found outside the two ends."""

FONT = {  # 3x5 dots, one number per row, its highest bit left
    "0": (7, 5, 5, 5, 7),
    "1": (2, 6, 2, 2, 7),
    "2": (7, 1, 7, 4, 7),
    "3": (7, 1, 7, 1, 7),
    "4": (5, 5, 7, 1, 1),
    "5": (7, 4, 7, 1, 7),
    "6": (7, 4, 7, 5, 7),
    "7": (7, 1, 1, 2, 2),
    "8": (7, 5, 7, 5, 7),
    "9": (7, 5, 7, 1, 7),
    ":": (0, 2, 0, 2, 0),
    " ": (0, 0, 0, 0, 0),
}
DOT = 8
"""Pixels per font dot."""
INK = bytes([235]) * DOT


@dataclass(frozen=True, slots=True)
class Colour:
    luma: int
    u: int
    v: int


@dataclass(frozen=True, slots=True)
class Box:
    """Even numbers only: chroma has half the resolution."""

    top: int
    left: int
    height: int
    width: int


@dataclass(slots=True)
class Picture:
    """Planar yuv420p, WIDTH x HEIGHT, rows without padding."""

    luma: bytearray
    u: bytearray
    v: bytearray

    @classmethod
    def plain(cls, colour: Colour) -> Self:
        quarter = WIDTH * HEIGHT // 4
        return cls(
            bytearray([colour.luma]) * (WIDTH * HEIGHT),
            bytearray([colour.u]) * quarter,
            bytearray([colour.v]) * quarter,
        )

    def copy(self) -> "Picture":
        return Picture(self.luma[:], self.u[:], self.v[:])

    def paint(self, box: Box, colour: Colour) -> None:
        fill(self.luma, box, WIDTH, colour.luma)
        half = Box(box.top // 2, box.left // 2, box.height // 2, box.width // 2)
        fill(self.u, half, WIDTH // 2, colour.u)
        fill(self.v, half, WIDTH // 2, colour.v)

    def write(self, text: str, *, top: int, left: int) -> None:
        """Figures and colons, white on what is there."""
        for place, character in enumerate(text):
            for row, bits in enumerate(FONT[character]):
                for column in range(3):
                    if bits & (4 >> column):
                        x = left + (place * 4 + column) * DOT
                        self._dot((top + row * DOT) * WIDTH + x)

    def _dot(self, start: int) -> None:
        for at in range(start, start + DOT * WIDTH, WIDTH):
            self.luma[at : at + DOT] = INK

    def frame(self) -> VideoFrame:
        frame = VideoFrame(WIDTH, HEIGHT, "yuv420p")
        for plane, pixels in zip(frame.planes, (self.luma, self.u, self.v), strict=True):
            plane.update(padded(pixels, plane.width, plane.line_size))
        return frame


def fill(plane: bytearray, box: Box, stride: int, value: int) -> None:
    row = bytes([value]) * box.width
    start = box.top * stride + box.left
    for at in range(start, start + box.height * stride, stride):
        plane[at : at + box.width] = row


def padded(pixels: bytearray, width: int, line_size: int) -> bytes:
    """Rows as long as the codec library lays them out."""
    if width == line_size:
        return bytes(pixels)
    gap = bytes(line_size - width)
    rows = (bytes(pixels[at : at + width]) for at in range(0, len(pixels), width))
    return gap.join(rows) + gap


@cache
def drawn_room() -> Picture:
    """A wall, a floor, a window and an armchair, in quiet colours."""
    picture = Picture.plain(Colour(168, 118, 138))
    picture.paint(Box(320, 0, 160, 640), Colour(95, 110, 148))
    picture.paint(Box(60, 60, 170, 190), Colour(220, 140, 112))
    picture.paint(Box(60, 150, 170, 8), Colour(240, 128, 128))
    picture.paint(Box(220, 380, 150, 180), Colour(80, 120, 165))
    picture.paint(Box(290, 350, 110, 40), Colour(70, 120, 165))
    picture.paint(Box(290, 550, 110, 40), Colour(70, 120, 165))
    return picture


def drawn_canary() -> Picture:
    picture = Picture.plain(Colour(128, 128, 128))
    repeats = WIDTH // CANARY_TILE
    for y in range(HEIGHT):
        start = y % CANARY_TILE * CANARY_TILE
        picture.luma[y * WIDTH : (y + 1) * WIDTH] = CANARY[start : start + CANARY_TILE] * repeats
    return picture

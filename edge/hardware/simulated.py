"""A camera and a microphone that need no hardware: a drawn room with a clock, and a tone."""

import asyncio
import json
import math
import time
from array import array
from fractions import Fraction
from pathlib import Path

from av import AudioFrame, VideoFrame

from edge.hardware.drawing import WIDTH, Box, Colour, drawn_canary, drawn_room
from edge.hardware.ports import HardwareFailed
from edge.pipe import monotonic_ms
from edge.studio.scene import Bedroom, is_scene

FRAMES_PER_S = 20
SAMPLES_PER_S = 48_000
SAMPLES = 960
"""20 ms of sound."""
LOUDNESS = 6_000
BALL = Colour(200, 90, 170)


class SimulatedCamera:
    """`picture`: `moving`, `canary`, or a bedroom at night (edge/studio/scene.py).

    Writes when it opened and closed to `stamps` (JSON lines, CLOCK_MONOTONIC ms).
    """

    def __init__(self, picture: str = "moving", *, stamps: Path | None = None) -> None:
        self._background = drawn_canary() if picture == "canary" else drawn_room()
        self._bedroom = Bedroom(picture) if is_scene(picture) else None
        self._moves = picture != "canary"
        self._stamps = stamps
        self._opened_at: float | None = None
        self._count = 0

    async def open(self) -> None:
        self._opened_at = time.monotonic()
        self._count = 0
        self._stamp(on=True)

    async def read(self) -> VideoFrame:
        """Keeps the pace of a real camera: pictures nobody fetched in time are lost."""
        opened_at = self._opened_at
        if opened_at is None:
            raise HardwareFailed("the camera is closed")
        self._count = max(self._count, int((time.monotonic() - opened_at) * FRAMES_PER_S)) + 1
        await asyncio.sleep(opened_at + self._count / FRAMES_PER_S - time.monotonic())
        if self._opened_at != opened_at:
            raise HardwareFailed("the camera was closed")
        return self._draw()

    async def close(self) -> None:
        if self._opened_at is not None:
            self._opened_at = None
            self._stamp(on=False)

    def _draw(self) -> VideoFrame:
        if self._bedroom is not None:
            return self._bedroom.picture(self._count)
        if not self._moves:
            return self._background.frame()
        picture = self._background.copy()
        left = 20 + self._count * 6 % (WIDTH - 100) // 2 * 2
        picture.paint(Box(400, left, 48, 48), BALL)
        picture.write(time.strftime("%H:%M:%S"), top=16, left=300)
        picture.write(f"{self._count:6d}", top=80, left=300)
        return picture.frame()

    def _stamp(self, *, on: bool) -> None:
        if self._stamps is not None:
            with self._stamps.open("a") as file:
                file.write(json.dumps({"on": on, "at_ms": monotonic_ms()}) + "\n")


class SimulatedMicrophone:
    """A steady tone of whole hertz, so that one second of it repeats without a seam."""

    def __init__(self, tone_hz: int) -> None:
        turn = 2 * math.pi * tone_hz / SAMPLES_PER_S
        self._second = array(
            "h", (int(LOUDNESS * math.sin(turn * n)) for n in range(SAMPLES_PER_S))
        )
        self._opened_at: float | None = None
        self._count = 0

    async def open(self) -> None:
        self._opened_at = time.monotonic()
        self._count = 0

    async def read(self) -> AudioFrame:
        opened_at = self._opened_at
        if opened_at is None:
            raise HardwareFailed("the microphone is closed")
        self._count += 1
        due = opened_at + self._count * SAMPLES / SAMPLES_PER_S
        await asyncio.sleep(due - time.monotonic())
        if self._opened_at != opened_at:
            raise HardwareFailed("the microphone was closed")
        return self._frame()

    async def close(self) -> None:
        self._opened_at = None

    def _frame(self) -> AudioFrame:
        start = self._count * SAMPLES % SAMPLES_PER_S
        frame = AudioFrame(format="s16", layout="mono", samples=SAMPLES)
        frame.planes[0].update(self._second[start : start + SAMPLES].tobytes())
        frame.sample_rate = SAMPLES_PER_S
        frame.time_base = Fraction(1, SAMPLES_PER_S)
        return frame

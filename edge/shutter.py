"""What may leave this home now: the camera and the microphone behind one lock with a deadline.

Opened by an order that carries its end on the monotonic clock; the end comes whether or not the
one who ordered still runs. While dark, tracks give nothing and the devices are released.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from av import AudioFrame, VideoFrame

from edge.hardware.ports import Camera, HardwareFailed, Microphone
from edge.pipe import CameraFailed, Light, Report, WentDark, monotonic_ms

MAX_LIT_MS = 10_000
"""No order reaches further into the future (the wire's longest lease)."""


@dataclass(frozen=True, slots=True)
class Devices:
    """None: this call sends no such thing, or the home has none."""

    camera: Camera | None
    microphone: Microphone | None


class Shutter:
    """`watch` must run for the life of the call: it is the dead-man."""

    def __init__(self, devices: Devices, tell: Callable[[Report], None]) -> None:
        self._devices = devices
        self._tell = tell
        self._opening = 0
        self._until_ms = 0
        self._picture = asyncio.Event()
        self._sound = asyncio.Event()
        self._changed = asyncio.Event()
        self._turning = asyncio.Lock()

    @property
    def is_lit(self) -> bool:
        return self._opening > 0 and monotonic_ms() < self._until_ms

    async def open(self, order: Light) -> None:
        async with self._turning:
            await self._release()
            self._opening = order.opening
            self._until_ms = bounded(order.until_ms)
            self._changed.set()
            if not self.is_lit:
                return
            if order.picture and self._devices.camera is not None:
                await self._open_camera(self._devices.camera)
            if self._devices.microphone is not None:
                await self._open_microphone(self._devices.microphone)

    def extend(self, *, opening: int, until_ms: int) -> None:
        """Opens nothing: an opening that is over stays over."""
        if opening == self._opening and self.is_lit:
            self._until_ms = max(self._until_ms, bounded(until_ms))
            self._changed.set()

    async def close(self) -> None:
        """Dark now. No frame that a track has not given yet will be given."""
        opening, self._until_ms = self._opening, 0
        async with self._turning:
            if opening == self._opening:
                await self._release()

    async def watch(self) -> None:
        while True:
            self._changed.clear()
            if self._opening == 0:
                await self._changed.wait()
                continue
            left_s = (self._until_ms - monotonic_ms()) / 1000
            if left_s <= 0:
                await self.close()
                continue
            try:
                async with asyncio.timeout(left_s):
                    await self._changed.wait()
            except TimeoutError:
                continue

    async def picture(self) -> VideoFrame:
        """The next picture; waits through the dark."""
        camera = self._devices.camera
        while True:
            await self._picture.wait()
            opening = self._opening
            try:
                frame = await camera.read() if camera is not None else None
            except HardwareFailed:
                if self._picture.is_set() and opening == self._opening:
                    await self._fail(opening)
                continue
            if frame is not None and self.is_lit and self._picture.is_set():
                return frame

    async def sound(self) -> AudioFrame:
        """The next 20 ms; waits through the dark."""
        microphone = self._devices.microphone
        while True:
            await self._sound.wait()
            try:
                frame = await microphone.read() if microphone is not None else None
            except HardwareFailed:
                self._sound.clear()
                continue
            if frame is not None and self.is_lit and self._sound.is_set():
                return frame

    async def _open_camera(self, camera: Camera) -> None:
        try:
            await camera.open()
        except HardwareFailed:
            self._tell(CameraFailed(opening=self._opening))
        else:
            self._picture.set()

    async def _open_microphone(self, microphone: Microphone) -> None:
        try:
            await microphone.open()
        except HardwareFailed:
            return
        self._sound.set()

    async def _fail(self, opening: int) -> None:
        """A camera that stopped is released; sound goes on."""
        self._picture.clear()
        if self._devices.camera is not None:
            await self._devices.camera.close()
        self._tell(CameraFailed(opening=opening))

    async def _release(self) -> None:
        self._picture.clear()
        self._sound.clear()
        if self._devices.camera is not None:
            await self._devices.camera.close()
        if self._devices.microphone is not None:
            await self._devices.microphone.close()
        if self._opening:
            self._tell(WentDark(opening=self._opening, at_ms=monotonic_ms()))
        self._opening = 0


def bounded(until_ms: int) -> int:
    return min(until_ms, monotonic_ms() + MAX_LIT_MS)

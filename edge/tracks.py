"""aiortc tracks that give what the shutter lets through, stamped with when it was taken."""

import time
from collections.abc import Callable
from fractions import Fraction

from aiortc import MediaStreamTrack
from av import AudioFrame, VideoFrame

from edge.shutter import Shutter

VIDEO_TICKS_PER_S = 90_000
"""RFC 3551 §5: the RTP clock of video."""


class PictureTrack(MediaStreamTrack):
    kind = "video"

    def __init__(self, shutter: Shutter, first: Callable[[VideoFrame], None]) -> None:
        super().__init__()
        self._shutter = shutter
        self._first: Callable[[VideoFrame], None] | None = first
        self._begun = time.monotonic()

    async def recv(self) -> VideoFrame:
        frame = await self._shutter.picture()
        frame.pts = int((time.monotonic() - self._begun) * VIDEO_TICKS_PER_S)
        frame.time_base = Fraction(1, VIDEO_TICKS_PER_S)
        if self._first is not None:
            self._first(frame)
            self._first = None
        return frame


class SoundTrack(MediaStreamTrack):
    kind = "audio"

    def __init__(self, shutter: Shutter) -> None:
        super().__init__()
        self._shutter = shutter
        self._samples = 0

    async def recv(self) -> AudioFrame:
        frame = await self._shutter.sound()
        frame.pts = self._samples
        self._samples += frame.samples
        return frame

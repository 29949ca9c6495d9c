"""Where the voice of whoever looks to her is heard: only while she may be spoken to."""

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import Protocol

import av
from av import AudioFrame
from av.audio.stream import AudioStream
from av.container import OutputContainer

from edge.hardware.lamp import write_stamp
from edge.hardware.ports import HardwareFailed

RATE = 48_000


class Loudspeaker(Protocol):
    """Closed when made."""

    async def open(self) -> None:
        """Raises `HardwareFailed`."""

    async def play(self, frame: AudioFrame) -> None:
        """Raises `HardwareFailed`."""

    async def close(self) -> None:
        """Idempotent."""


class SimulatedLoudspeaker:
    """Writes to `stamps` when it opened, first heard anything louder than silence, and closed."""

    def __init__(self, stamps: Path | None) -> None:
        self._stamps = stamps
        self._is_open = False
        self._has_heard = False

    async def open(self) -> None:
        self._is_open, self._has_heard = True, False
        self._stamp("on")

    async def play(self, frame: AudioFrame) -> None:
        if not self._is_open:
            raise HardwareFailed("the loudspeaker is closed")
        if not self._has_heard and any(bytes(frame.planes[0])):
            self._has_heard = True
            self._stamp("heard")

    async def close(self) -> None:
        if self._is_open:
            self._is_open = False
            self._stamp("off")

    def _stamp(self, voice: str) -> None:
        if self._stamps is not None:
            write_stamp(self._stamps, voice=voice)


class AlsaLoudspeaker:
    """An ALSA device such as `default`, written to in a thread of its own."""

    def __init__(self, device: str) -> None:
        self._device = device
        self._container: OutputContainer | None = None
        self._stream: AudioStream | None = None
        self._busy = asyncio.Lock()

    async def open(self) -> None:
        async with self._busy:
            await asyncio.to_thread(self._open)

    async def play(self, frame: AudioFrame) -> None:
        async with self._busy:
            await asyncio.to_thread(self._play, frame)

    async def close(self) -> None:
        async with self._busy:
            container, self._container = self._container, None
            if container is not None:
                with suppress(av.FFmpegError):
                    await asyncio.to_thread(container.close)

    def _open(self) -> None:
        try:
            container = av.open(self._device, mode="w", format="alsa")
            self._stream = container.add_stream("pcm_s16le", rate=RATE, layout="stereo")
        except (av.FFmpegError, ValueError) as error:
            raise HardwareFailed("alsa") from error
        self._container = container
        self._resampler = av.AudioResampler(format="s16", layout="stereo", rate=RATE)

    def _play(self, frame: AudioFrame) -> None:
        if self._container is None or self._stream is None:
            raise HardwareFailed("the loudspeaker is closed")
        try:
            for piece in self._resampler.resample(frame):
                self._container.mux(self._stream.encode(piece))
        except av.FFmpegError as error:
            raise HardwareFailed("alsa") from error

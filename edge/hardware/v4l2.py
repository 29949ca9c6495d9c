"""A USB camera (V4L2) and a microphone (ALSA) through libav, each read in a thread of its own.

`has_camera` tells whether there is one; a device that vanishes raises `HardwareFailed`.
"""

import asyncio
from pathlib import Path

import av
from av import AudioFrame, VideoFrame
from av.container import InputContainer

from edge.hardware.ports import HardwareFailed

OPEN_TIMEOUT_S = 5
READ_TIMEOUT_S = 5
"""libav gives up on a silent device after this, so no thread waits for ever."""
PICTURE = {"video_size": "640x480", "framerate": "25"}
SOUND_RATE = 48_000
SAMPLES = 960


def has_camera(device: str) -> bool:
    return Path(device).is_char_device() and "v4l2" in av.formats_available


class V4l2Camera:
    def __init__(self, device: str) -> None:
        self._device = device
        self._container: InputContainer | None = None
        self._busy = asyncio.Lock()

    async def open(self) -> None:
        if not await asyncio.to_thread(has_camera, self._device):
            raise HardwareFailed("no such camera")
        async with self._busy:
            self._container = await asyncio.to_thread(
                opened, self._device, device_kind="v4l2", options=PICTURE
            )

    async def read(self) -> VideoFrame:
        async with self._busy:
            if self._container is None:
                raise HardwareFailed("the camera is closed")
            return await asyncio.to_thread(next_picture, self._container)

    async def close(self) -> None:
        """Waits for a `read` under way (at most one frame), then releases the device."""
        async with self._busy:
            container, self._container = self._container, None
            if container is not None:
                await asyncio.to_thread(container.close)


class AlsaMicrophone:
    def __init__(self, device: str) -> None:
        self._device = device
        self._container: InputContainer | None = None
        self._waiting: list[AudioFrame] = []
        self._busy = asyncio.Lock()

    async def open(self) -> None:
        async with self._busy:
            self._waiting.clear()
            self._container = await asyncio.to_thread(
                opened, self._device, device_kind="alsa", options={}
            )
            self._resampler = av.AudioResampler(
                format="s16", layout="mono", rate=SOUND_RATE, frame_size=SAMPLES
            )

    async def read(self) -> AudioFrame:
        async with self._busy:
            while not self._waiting:
                if self._container is None:
                    raise HardwareFailed("the microphone is closed")
                heard = await asyncio.to_thread(next_sound, self._container)
                self._waiting.extend(self._resampler.resample(heard))
            return self._waiting.pop(0)

    async def close(self) -> None:
        async with self._busy:
            container, self._container = self._container, None
            if container is not None:
                await asyncio.to_thread(container.close)


def opened(device: str, *, device_kind: str, options: dict[str, str]) -> InputContainer:
    try:
        return av.open(
            device,
            mode="r",
            format=device_kind,
            options=options,
            timeout=(OPEN_TIMEOUT_S, READ_TIMEOUT_S),
        )
    except (av.FFmpegError, ValueError) as error:
        raise HardwareFailed(device_kind) from error


def next_picture(container: InputContainer) -> VideoFrame:
    try:
        return next(container.decode(video=0))
    except (av.FFmpegError, StopIteration, IndexError) as error:
        raise HardwareFailed("v4l2") from error


def next_sound(container: InputContainer) -> AudioFrame:
    try:
        return next(container.decode(audio=0))
    except (av.FFmpegError, StopIteration, IndexError) as error:
        raise HardwareFailed("alsa") from error

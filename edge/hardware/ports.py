"""What the media process asks of a camera and a microphone, simulated or real."""

from typing import Protocol

from av import AudioFrame, VideoFrame


class HardwareFailed(OSError):
    """The device could not be opened or stopped delivering."""


class Camera(Protocol):
    """Closed when made. No picture exists before `open` and none after `close`."""

    async def open(self) -> None:
        """Raises `HardwareFailed`."""

    async def read(self) -> VideoFrame:
        """The next picture, taken after this call to `open`; raises `HardwareFailed`."""

    async def close(self) -> None:
        """Release the device; idempotent, and a `read` under way ends."""


class Microphone(Protocol):
    """As `Camera`, with 20 ms frames: s16, 48 kHz, mono or stereo."""

    async def open(self) -> None: ...

    async def read(self) -> AudioFrame: ...

    async def close(self) -> None: ...

"""A picture from which nobody can be known and nothing be read, made here in the home.

First down to 20 columns, which throws the details away for good, then smoothed: what is left is
where a person is and whether she moves.
"""

import asyncio
from fractions import Fraction

from av import VideoFrame
from av.filter import Graph

from edge.hardware.ports import Camera, HardwareFailed

COLUMNS, ROWS = 20, 15
SMOOTHED = 12


class Blurred:
    """A camera whose every picture is blurred before anybody gets it."""

    def __init__(self, camera: Camera) -> None:
        self._camera = camera
        self._blur: Blur | None = None

    async def open(self) -> None:
        await self._camera.open()

    async def read(self) -> VideoFrame:
        frame = await self._camera.read()
        return await asyncio.to_thread(self._blurred, frame)

    async def close(self) -> None:
        await self._camera.close()

    def _blurred(self, frame: VideoFrame) -> VideoFrame:
        if self._blur is None or not self._blur.fits(frame):
            self._blur = Blur(frame)
        return self._blur.of(frame)


class Blur:
    """A filter for pictures of one size and format."""

    def __init__(self, frame: VideoFrame) -> None:
        self._form = (frame.width, frame.height, frame.format.name)
        self._graph = Graph()
        source = self._graph.add_buffer(
            width=frame.width, height=frame.height, format=frame.format, time_base=Fraction(1, 90)
        )
        small = self._graph.add("scale", f"{COLUMNS}:{ROWS}:flags=area")
        large = self._graph.add("scale", f"{frame.width}:{frame.height}:flags=bilinear")
        smooth = self._graph.add("gblur", f"sigma={SMOOTHED}")
        form = self._graph.add("format", "pix_fmts=yuv420p")
        sink = self._graph.add("buffersink")
        source.link_to(small)
        small.link_to(large)
        large.link_to(smooth)
        smooth.link_to(form)
        form.link_to(sink)
        self._graph.configure()

    def fits(self, frame: VideoFrame) -> bool:
        return self._form == (frame.width, frame.height, frame.format.name)

    def of(self, frame: VideoFrame) -> VideoFrame:
        """Raises HardwareFailed: a picture that cannot be blurred is not given."""
        frame.time_base = Fraction(1, 90)
        frame.pts = None
        self._graph.push(frame)
        made = self._graph.pull()
        if not isinstance(made, VideoFrame):
            raise HardwareFailed("blur")
        return made

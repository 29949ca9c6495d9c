# ruff: noqa: INP001
"""The reference of `first-picture`: aiohttp, aiortc and the simulated camera, and nothing else.

No consent, no record, no lease, no signalling of ours. A program of its own, not a module of the
package: it is the one place beside `edge` that may use aiortc.
"""

import asyncio
import ctypes
import signal
import sys
import time
from fractions import Fraction
from pathlib import Path

from aiohttp import web
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.contrib.media import MediaBlackhole
from aiortc.sdp import candidate_from_sdp
from av import AudioFrame, VideoFrame

from edge.hardware.simulated import SimulatedCamera, SimulatedMicrophone

VIDEO_TICKS_PER_S = 90_000
PR_SET_PDEATHSIG = 1
PAGE = Path(__file__).with_suffix(".html").read_text()


class Picture(MediaStreamTrack):
    kind = "video"

    def __init__(self, camera: SimulatedCamera) -> None:
        super().__init__()
        self._camera = camera
        self._begun = time.monotonic()

    async def recv(self) -> VideoFrame:
        frame = await self._camera.read()
        frame.pts = int((time.monotonic() - self._begun) * VIDEO_TICKS_PER_S)
        frame.time_base = Fraction(1, VIDEO_TICKS_PER_S)
        return frame


class Sound(MediaStreamTrack):
    kind = "audio"

    def __init__(self, microphone: SimulatedMicrophone) -> None:
        super().__init__()
        self._microphone = microphone
        self._samples = 0

    async def recv(self) -> AudioFrame:
        frame = await self._microphone.read()
        frame.pts = self._samples
        self._samples += frame.samples
        return frame


class Answerer:
    """One connection at a time: the next offer ends the one before."""

    def __init__(self) -> None:
        self._pc: RTCPeerConnection | None = None
        self._camera = SimulatedCamera()
        self._microphone = SimulatedMicrophone(440)

    async def page(self, _request: web.Request) -> web.Response:
        return web.Response(text=PAGE, content_type="text/html")

    async def offer(self, request: web.Request) -> web.Response:
        given = await request.json()
        await self.close()
        self._pc = pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        received = MediaBlackhole()
        pc.on("track", received.addTrack)
        await self._camera.open()
        await self._microphone.open()
        pc.addTrack(Sound(self._microphone))
        pc.addTrack(Picture(self._camera))
        await pc.setRemoteDescription(RTCSessionDescription(given["sdp"], "offer"))
        await pc.setLocalDescription(await pc.createAnswer())
        await received.start()
        return web.json_response({"type": "answer", "sdp": pc.localDescription.sdp})

    async def candidate(self, request: web.Request) -> web.Response:
        given = await request.json()
        if self._pc is not None:
            candidate = candidate_from_sdp(given["candidate"].removeprefix("candidate:"))
            candidate.sdpMid = given["sdpMid"]
            candidate.sdpMLineIndex = given["sdpMLineIndex"]
            await self._pc.addIceCandidate(candidate)
        return web.Response(status=204)

    async def hang_up(self, _request: web.Request) -> web.Response:
        await self.close()
        return web.Response(status=204)

    async def close(self) -> None:
        await self._camera.close()
        await self._microphone.close()
        if self._pc is not None:
            await self._pc.close()


async def main(port: int) -> None:
    answerer = Answerer()
    app = web.Application()
    app.router.add_get("/", answerer.page)
    app.router.add_post("/offer", answerer.offer)
    app.router.add_post("/candidate", answerer.candidate)
    app.router.add_post("/hang-up", answerer.hang_up)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "localhost", port).start()
    print("up", flush=True)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await stop.wait()
    await answerer.close()
    await runner.cleanup()


if __name__ == "__main__":
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    asyncio.run(main(int(sys.argv[1])))

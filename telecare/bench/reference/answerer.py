# ruff: noqa: INP001
"""The reference of `first-picture`, the home: it answers when it rings, and shows its camera.

Bare aiohttp and aiortc and the simulated camera: no consent, no record, no lease, no outbox. A
program of its own, not a module of the package: the one place beside `edge` that may use aiortc.
"""

import asyncio
import ctypes
import signal
import sys
import time
from fractions import Fraction
from typing import Any

import aiohttp
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.contrib.media import MediaBlackhole
from aiortc.sdp import candidate_from_sdp
from av import AudioFrame, VideoFrame

from edge.hardware.simulated import SimulatedCamera, SimulatedMicrophone

VIDEO_TICKS_PER_S = 90_000
PR_SET_PDEATHSIG = 1


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


class Home:
    """One call at a time."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._pc: RTCPeerConnection | None = None
        self._camera = SimulatedCamera()
        self._microphone = SimulatedMicrophone(440)

    async def live(self) -> None:
        async for message in self._socket:
            said = message.json()
            match said["type"]:
                case "ring":
                    await self._socket.send_json({"type": "call", "state": "open"})
                case "offer":
                    await self._answer(said["sdp"])
                case "candidate":
                    await self._add(said["candidate"])
                case "hang_up":
                    await self.close()

    async def _answer(self, sdp: str) -> None:
        self._pc = pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        received = MediaBlackhole()
        pc.on("track", received.addTrack)
        await self._camera.open()
        await self._microphone.open()
        pc.addTrack(Sound(self._microphone))
        pc.addTrack(Picture(self._camera))
        await pc.setRemoteDescription(RTCSessionDescription(sdp, "offer"))
        await pc.setLocalDescription(await pc.createAnswer())
        await received.start()
        await self._socket.send_json({"type": "answer", "sdp": pc.localDescription.sdp})

    async def _add(self, given: dict[str, Any]) -> None:
        if self._pc is not None:
            candidate = candidate_from_sdp(str(given["candidate"]).removeprefix("candidate:"))
            candidate.sdpMid = given["sdpMid"]
            candidate.sdpMLineIndex = given["sdpMLineIndex"]
            await self._pc.addIceCandidate(candidate)

    async def close(self) -> None:
        await self._camera.close()
        await self._microphone.close()
        if self._pc is not None:
            await self._pc.close()
            self._pc = None


async def main(port: int) -> None:
    async with (
        aiohttp.ClientSession() as http,
        http.ws_connect(f"http://localhost:{port}/ws/home") as socket,
    ):
        print("up", flush=True)
        home = Home(socket)
        try:
            await home.live()
        finally:
            await home.close()


if __name__ == "__main__":
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    asyncio.run(main(int(sys.argv[1])))

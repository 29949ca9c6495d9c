"""The media process: camera, microphone and WebRTC of one call, ordered through stdin.

Dark or gone whenever in doubt: each opening ends by itself at the moment it was given, silence on
the pipe ends the process, and so does the pipe's end or the parent's death. Keeps and logs nothing.
"""

import asyncio
import ctypes
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path

from pydantic import ValidationError

from edge.hardware.blurred import Blurred
from edge.hardware.loudspeaker import AlsaLoudspeaker, Loudspeaker, SimulatedLoudspeaker
from edge.hardware.ports import Camera, Microphone
from edge.hardware.simulated import SimulatedCamera, SimulatedMicrophone
from edge.hardware.v4l2 import AlsaMicrophone, V4l2Camera
from edge.peer import Peer
from edge.pipe import (
    MAX_LINE_BYTES,
    ORDER,
    AnswerMade,
    Darken,
    Extend,
    Hardware,
    LetSpeak,
    Light,
    OfferRefused,
    Order,
    Ready,
    Report,
    Speaks,
    Stop,
    Take,
    TakeCandidate,
    TakeOffer,
)
from edge.shutter import Devices, Shutter
from edge.spoken import Spoken

SILENCE_S = 90
"""A taken process without an order this long has lost its agent: it rings for 60 s at most, and a
dark call lasts 30 s. Open it closes by itself long before."""
QUALITY_INTERVAL_S = 5
CLOSE_TIMEOUT_S = 2
ANSWER_TIMEOUT_S = 15
PR_SET_PDEATHSIG = 1
SCENE = "simulated:"
"""Before the name of a bedroom at night (edge/studio/scene.py)."""


class Stopped(Exception):
    """This process has done its work."""


class Pipe:
    """stdin and stdout as lines; what the agent does not read in time is dropped."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.WriteTransport) -> None:
        self._reader = reader
        self._writer = writer

    async def next_order(self) -> Order:
        try:
            line = await self._reader.readline()
        except ValueError as error:
            raise Stopped from error
        if not line:
            raise Stopped
        return ORDER.validate_json(line)

    def tell(self, report: Report) -> None:
        if self._writer.get_write_buffer_size() < MAX_LINE_BYTES:
            self._writer.write(report.model_dump_json().encode() + b"\n")


class CallMedia:
    """Carries out orders one after the other; connections are made beside."""

    def __init__(self, take: Take, pipe: Pipe, group: asyncio.TaskGroup) -> None:
        self._take = take
        self._pipe = pipe
        self._group = group
        self.shutter = Shutter(devices(take), pipe.tell)
        self._spoken = Spoken(loudspeaker(take.hardware), lambda: self.shutter.is_lit)
        self._peer: Peer | None = None

    async def obey(self, order: Order) -> None:
        match order:
            case Light():
                await self.shutter.open(order)
            case Extend():
                self.shutter.extend(opening=order.opening, until_ms=order.until_ms)
            case LetSpeak():
                if await self._spoken.let_through():
                    self._pipe.tell(Speaks())
            case Darken():
                await self._spoken.stop()
                await self.shutter.close()
            case TakeOffer():
                await self._replace(order)
            case TakeCandidate():
                if self._peer is not None and self._peer.n == order.n:
                    self._group.create_task(self._peer.add(order), name="candidate")
            case Stop() | Take():
                raise Stopped

    async def report_quality(self) -> None:
        while True:
            await asyncio.sleep(QUALITY_INTERVAL_S)
            if self._peer is not None and self.shutter.is_lit:
                self._pipe.tell(await self._peer.quality())

    async def close(self) -> None:
        """The camera first; a connection that will not close dies with the process."""
        await self.shutter.close()
        await self._spoken.stop()
        if self._peer is not None:
            with suppress(TimeoutError):
                async with asyncio.timeout(CLOSE_TIMEOUT_S):
                    await self._peer.close()

    async def _replace(self, offer: TakeOffer) -> None:
        old = self._peer
        if old is not None and offer.n <= old.n:
            return
        self._peer = Peer(
            self._take,
            offer,
            shutter=self.shutter,
            tell=self._pipe.tell,
            group=self._group,
            heard=self._spoken.take,
        )
        self._group.create_task(self._answer(self._peer, old), name="answer")

    async def _answer(self, peer: Peer, old: Peer | None) -> None:
        if old is not None:
            await old.close()
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT_S):
                sdp = await peer.answer()
        except Exception:  # noqa: BLE001 - aiortc raises anything about a stranger's SDP
            self._pipe.tell(OfferRefused(n=peer.n))
            return
        self._pipe.tell(AnswerMade(n=peer.n, sdp=sdp))


def devices(take: Take) -> Devices:
    return Devices(
        camera=camera_of(take) if take.sends_picture else None,
        microphone=microphone(take.hardware) if take.sends_sound else None,
    )


def camera_of(take: Take) -> Camera | None:
    """Never clearer than was agreed."""
    found = camera(take.hardware)
    return Blurred(found) if found is not None and take.is_blurred else found


def camera(hardware: Hardware) -> Camera | None:
    match hardware.camera:
        case "none":
            return None
        case "simulated":
            return SimulatedCamera(hardware.picture, stamps=stamps_of(hardware))
        case scene if scene.startswith(SCENE):
            return SimulatedCamera(scene.removeprefix(SCENE), stamps=stamps_of(hardware))
        case device:
            return V4l2Camera(device)


def stamps_of(hardware: Hardware) -> Path | None:
    return None if hardware.stamps is None else Path(hardware.stamps)


def microphone(hardware: Hardware) -> Microphone | None:
    match hardware.microphone:
        case "none":
            return None
        case "simulated":
            return SimulatedMicrophone(hardware.tone_hz)
        case device:
            return AlsaMicrophone(device)


def loudspeaker(hardware: Hardware) -> Loudspeaker | None:
    match hardware.loudspeaker:
        case "none":
            return None
        case "simulated":
            return SimulatedLoudspeaker(stamps_of(hardware))
        case device:
            return AlsaLoudspeaker(device)


async def serve(pipe: Pipe) -> None:
    """Wait to be taken by a call, live it through, and return."""
    pipe.tell(Ready())
    take = await pipe.next_order()
    if not isinstance(take, Take):
        return
    async with asyncio.TaskGroup() as group:
        media = CallMedia(take, pipe, group)
        group.create_task(media.shutter.watch(), name="dead-man")
        group.create_task(media.report_quality(), name="quality")
        try:
            while True:
                async with asyncio.timeout(SILENCE_S):
                    order = await pipe.next_order()
                await media.obey(order)
        finally:
            await media.close()


async def connect_pipe() -> Pipe:
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=MAX_LINE_BYTES)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    writer, _ = await loop.connect_write_pipe(asyncio.BaseProtocol, sys.stdout)
    return Pipe(reader, writer)


async def live() -> None:
    """Serve until stopped, orphaned or misunderstood; each of these is an ordinary end."""
    pipe = await connect_pipe()
    try:
        await serve(pipe)
    except* (Stopped, TimeoutError, ValidationError):
        pass


def die_with_parent() -> None:
    """Linux prctl(2): the kernel ends this process when the thread that started it is gone."""
    parent = os.getppid()
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit(0)


def main() -> None:
    die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    asyncio.run(live())

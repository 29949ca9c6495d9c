"""One WebRTC connection of a call, as the answering side (RFC 8829 §4.1.8).

aiortc has no ICE restart and no trickle out: the answer is complete, and a new offer is a new
`Peer`. What arrives is consumed at once, so that aiortc's unbounded queues stay empty.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable

from aiortc import (
    MediaStreamTrack,
    RTCBundlePolicy,
    RTCConfiguration,
    RTCDataChannel,
    RTCIceServer,
    RTCIceTransportPolicy,
    RTCPeerConnection,
    RTCRtpCodecCapability,
    RTCRtpSender,
    RTCSessionDescription,
)
from aiortc.exceptions import InvalidStateError
from aiortc.mediastreams import MediaStreamError
from aiortc.sdp import candidate_from_sdp
from aiortc.stats import RTCRemoteInboundRtpStreamStats
from av import AudioFrame, VideoFrame
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from edge.pipe import (
    FirstFrame,
    Quality,
    Report,
    Take,
    TakeCandidate,
    TakeOffer,
    TextHeard,
    ViewerHeard,
    monotonic_ms,
)
from edge.shutter import Shutter
from edge.tracks import PictureTrack, SoundTrack
from telecare.wire.edge import IceServer

MEDIA_LINE = re.compile(r"^m=(audio|video) ", re.MULTILINE)
VIEWER_REPORT_MS = 250
"""Her liveness is passed on at most four times a second."""
MAX_TEXT_CHARS = 2_000
FRACTION_LOST_UNIT = 256
"""RFC 3550 §6.4.1: fraction lost is in 256ths."""


class TextMessage(BaseModel):
    """Real-time text on the channel `text`: exactly one of the three."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    live: str | None = Field(default=None, max_length=MAX_TEXT_CHARS)
    line: str | None = Field(default=None, max_length=MAX_TEXT_CHARS)
    clear: bool = False


class Peer:
    """`tell` gets reports; `group` owns what runs until the connection is closed."""

    def __init__(
        self,
        take: Take,
        offer: TakeOffer,
        *,
        shutter: Shutter,
        tell: Callable[[Report], None],
        group: asyncio.TaskGroup,
        heard: Callable[[AudioFrame], Awaitable[None]],
    ) -> None:
        self.n = offer.n
        self._take = take
        self._offer = offer
        self._shutter = shutter
        self._tell = tell
        self._group = group
        self._heard = heard
        self._viewer_told_ms = 0
        self._sent: VideoFrame | None = None
        self._connection = RTCPeerConnection(configuration(offer))
        self._connection.on("track", self._on_track)
        self._connection.on("datachannel", self._on_channel)

    async def answer(self) -> str:
        """The complete answer. Raises whatever aiortc raises about an offer it cannot use."""
        used: set[str] = set()
        for kind in MEDIA_LINE.findall(self._offer.sdp):
            self._add(kind, sends=kind not in used)
            used.add(kind)
        await self._connection.setRemoteDescription(RTCSessionDescription(self._offer.sdp, "offer"))
        await self._connection.setLocalDescription(await self._connection.createAnswer())
        return self._connection.localDescription.sdp

    async def add(self, order: TakeCandidate) -> None:
        """A trickled candidate; one we cannot read or use is only one path less."""
        try:
            if not order.candidate:
                await self._connection.addIceCandidate(None)
                return
            candidate = candidate_from_sdp(order.candidate.removeprefix("candidate:"))
            candidate.sdpMid, candidate.sdpMLineIndex = order.mid, order.line
            await self._connection.addIceCandidate(candidate)
        except (ValueError, AssertionError, IndexError, InvalidStateError, OSError):
            return

    async def quality(self) -> Quality:
        """Loss and round trip as the viewer reports them (RTCP), and the size we send."""
        loss: int | None = None
        round_trip_ms: int | None = None
        for line in (await self._connection.getStats()).values():
            if isinstance(line, RTCRemoteInboundRtpStreamStats):
                loss = max(loss or 0, round(line.fractionLost * 100 / FRACTION_LOST_UNIT))
                if line.roundTripTime is not None:
                    round_trip_ms = max(round_trip_ms or 0, round(line.roundTripTime * 1000))
        return Quality(
            loss_percent=loss,
            round_trip_ms=round_trip_ms,
            width=self._sent.width if self._sent else None,
            height=self._sent.height if self._sent else None,
        )

    async def close(self) -> None:
        await self._connection.close()

    def _add(self, kind: str, *, sends: bool) -> None:
        track = self._track(kind) if sends else None
        transceiver = self._connection.addTransceiver(
            track or kind, direction="sendrecv" if track else "recvonly"
        )
        if kind == "video":
            transceiver.setCodecPreferences(video_codecs())

    def _track(self, kind: str) -> MediaStreamTrack | None:
        if kind == "video":
            sends = self._take.sends_picture
            return PictureTrack(self._shutter, self._on_first_sent) if sends else None
        return SoundTrack(self._shutter) if self._take.sends_sound else None

    def _on_first_sent(self, frame: VideoFrame) -> None:
        self._sent = frame
        self._tell(FirstFrame(n=self.n, sent=True, at_ms=monotonic_ms()))

    def _on_track(self, track: MediaStreamTrack) -> None:
        self._group.create_task(self._consume(track), name=f"received {track.kind}")

    async def _consume(self, track: MediaStreamTrack) -> None:
        try:
            frame = await track.recv()
            if isinstance(frame, VideoFrame):
                self._tell(FirstFrame(n=self.n, sent=False, at_ms=monotonic_ms()))
            while True:
                if isinstance(frame, AudioFrame):
                    await self._heard(frame)
                frame = await track.recv()
        except MediaStreamError:
            return

    def _on_channel(self, channel: RTCDataChannel) -> None:
        match channel.label:
            case "alive":
                channel.on("message", self._on_alive)
            case "text":
                channel.on("message", self._on_text)
            case _:
                channel.close()

    def _on_alive(self, _message: str | bytes) -> None:
        now_ms = monotonic_ms()
        if now_ms - self._viewer_told_ms >= VIEWER_REPORT_MS:
            self._viewer_told_ms = now_ms
            self._tell(ViewerHeard(at_ms=now_ms))

    def _on_text(self, message: str | bytes) -> None:
        try:
            text = TextMessage.model_validate_json(message)
        except ValidationError:
            return
        self._tell(TextHeard(live=text.live, line=text.line, clear=text.clear))


def configuration(offer: TakeOffer) -> RTCConfiguration:
    """Always our own servers, never aiortc's default; each new offer tries the next TURN path."""
    policy = RTCIceTransportPolicy.RELAY if offer.relay_only else RTCIceTransportPolicy.ALL
    return RTCConfiguration(
        iceServers=ice_servers(offer.ice_servers, offer.n),
        iceTransportPolicy=policy,
        bundlePolicy=RTCBundlePolicy.MAX_BUNDLE,
    )


def ice_servers(servers: list[IceServer], n: int) -> list[RTCIceServer]:
    """The first STUN and TURN address is all that aiortc uses: turn the TURN list by `n`."""
    single = [
        RTCIceServer(urls=url, username=server.username, credential=server.credential)
        for server in servers
        for url in server.urls
    ]
    turn = [server for server in single if str(server.urls).startswith("turn")]
    other = [server for server in single if server not in turn]
    if not turn:
        return other
    first = max(n - 1, 0) % len(turn)
    return [*other, *turn[first:], *turn[:first]]


def video_codecs() -> list[RTCRtpCodecCapability]:
    """VP8 first: its rate goes low enough for a bad mobile line (media evidence §2)."""
    codecs = RTCRtpSender.getCapabilities("video").codecs
    return sorted(codecs, key=lambda codec: codec.mimeType.lower() != "video/vp8")

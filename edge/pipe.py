"""What the agent and its media process say to each other, one JSON object per line.

Both run on one machine and share CLOCK_MONOTONIC, so moments are plain milliseconds of it.
"""

import time
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from telecare.wire.edge import IceServer

MAX_LINE_BYTES = 65_536


def monotonic_ms() -> int:
    return time.monotonic_ns() // 1_000_000


class PipeMessage(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Hardware(PipeMessage):
    """Which camera and microphone stand in this home."""

    camera: str = "simulated"
    """`simulated`, `simulated:asleep` (or another scene), `none`, or a V4L2 device."""
    microphone: str = "simulated"
    """`simulated`, `none`, or an ALSA device such as default."""
    loudspeaker: str = "simulated"
    """Where a voice from a look is heard: as `microphone`."""
    cameras: dict[str, str] = Field(default_factory=dict)
    """Those for looks, by their names: as `camera`."""
    picture: Literal["moving", "canary"] = "moving"
    tone_hz: int = 440
    stamps: str | None = None
    """A file where the simulated camera writes when it opened and closed, for tests."""


# --- to the media process --------------------------------------------------------------------


class Take(PipeMessage):
    """The first order: this process now belongs to this call."""

    kind: Literal["take"] = "take"
    call_id: UUID
    hardware: Hardware
    sends_picture: bool
    sends_sound: bool
    is_blurred: bool = False


class Light(PipeMessage):
    """Open what may be opened, until `until_ms` and no longer, whatever happens to the agent."""

    kind: Literal["light"] = "light"
    opening: int
    """Rises with each opening; reports about an older one are history."""
    until_ms: int
    picture: bool
    """False when the camera's record could not be stored: then sound only."""


class Extend(PipeMessage):
    """As long as opening `opening` is lit, it may be so until `until_ms`; opens nothing."""

    kind: Literal["extend"] = "extend"
    opening: int
    until_ms: int


class LetSpeak(PipeMessage):
    """The viewer's voice is heard in the home for as long as this opening is lit."""

    kind: Literal["let_speak"] = "let_speak"


class Darken(PipeMessage):
    kind: Literal["darken"] = "darken"


class TakeOffer(PipeMessage):
    kind: Literal["offer"] = "offer"
    n: int
    sdp: str
    ice_servers: list[IceServer]
    relay_only: bool


class TakeCandidate(PipeMessage):
    kind: Literal["candidate"] = "candidate"
    n: int
    candidate: str
    mid: str | None
    line: int | None


class Stop(PipeMessage):
    kind: Literal["stop"] = "stop"


Order = Take | Light | Extend | LetSpeak | Darken | TakeOffer | TakeCandidate | Stop
ORDER: TypeAdapter[Order] = TypeAdapter(Annotated[Order, Field(discriminator="kind")])


# --- to the agent ----------------------------------------------------------------------------


class Ready(PipeMessage):
    """Everything slow is imported."""

    kind: Literal["ready"] = "ready"


class WentDark(PipeMessage):
    """Camera and microphone are released; on the order or because the time was up."""

    kind: Literal["went_dark"] = "went_dark"
    opening: int
    at_ms: int


class CameraFailed(PipeMessage):
    """The camera could not be opened, or stopped giving pictures; it is released."""

    kind: Literal["camera_failed"] = "camera_failed"
    opening: int


class AnswerMade(PipeMessage):
    kind: Literal["answer"] = "answer"
    n: int
    sdp: str


class OfferRefused(PipeMessage):
    kind: Literal["offer_refused"] = "offer_refused"
    n: int


class FirstFrame(PipeMessage):
    """The first picture of connection `n` was handed to the encoder, or came from her."""

    kind: Literal["first_frame"] = "first_frame"
    n: int
    sent: bool
    at_ms: int


class Speaks(PipeMessage):
    """The loudspeaker is open, and the viewer's voice is let through."""

    kind: Literal["speaks"] = "speaks"


class ViewerHeard(PipeMessage):
    kind: Literal["viewer_heard"] = "viewer_heard"
    at_ms: int


class TextHeard(PipeMessage):
    """Real-time text: shown, never stored or logged."""

    kind: Literal["text_heard"] = "text_heard"
    live: str | None = None
    line: str | None = None
    clear: bool = False


class Quality(PipeMessage):
    kind: Literal["quality"] = "quality"
    loss_percent: int | None
    round_trip_ms: int | None
    width: int | None
    height: int | None


Report = (
    Ready
    | WentDark
    | CameraFailed
    | AnswerMade
    | OfferRefused
    | FirstFrame
    | Speaks
    | ViewerHeard
    | TextHeard
    | Quality
)
REPORT: TypeAdapter[Report] = TypeAdapter(Annotated[Report, Field(discriminator="kind")])

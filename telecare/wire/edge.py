"""What a home unit and the server say to each other over MQTT 5 (docs/protocol.md).

Unknown fields are ignored, so a newer unit can talk to an older server. Authenticity is not here
but around: `telecare.wire.seal`. Golden files in tests/assets/wire/ are added to, never changed.
"""

from datetime import timedelta
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter

MAX_PAYLOAD_BYTES = 16_384
MAX_SDP_CHARS = 12_000
STATUS_INTERVAL_S = 15
ALIVE_INTERVAL_S = 1
ALIVE_EVERY = timedelta(seconds=10)
"""How often the server says to all units that an alarm would be stored."""
LEASE_MS = 3_000
"""How long one renewal allows picture, sound and driving (architecture §1.5)."""

CameraState = Literal["off", "on", "fault"]
ScreenState = Literal["on", "off", "unknown"]
BrokerPath = Literal["first", "second"]
Trigger = Literal["button", "cord", "screen", "fall", "smoke", "door", "bed", "pills"]


class EdgeMessage(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Stamp(EdgeMessage):
    """A moment on the unit's own monotonic clock; compared only with others of the same boot."""

    boot: UUID
    monotonic_ms: int = Field(ge=0)


# --- up/event, up/alarm, up/vital: stored in the unit until receipted ------------------------


class EdgeEvent(EdgeMessage):
    """`(unit, boot, seq)` is the same on every retransmission: the server stores it once.

    `boot` changes when the outbox file is made anew; `seq` rises by one per event. `occurred_at`
    is the unit's wall clock, which may be wrong (`clock_ok`), and is never used for ordering.
    """

    boot: UUID
    seq: int = Field(ge=1)
    occurred_at: AwareDatetime
    clock_ok: bool = True


class EventPlace(EdgeMessage):
    """What of an event is enough to receipt it, also when the rest cannot be read."""

    boot: UUID
    seq: int = Field(ge=1)


class CameraTurned(EdgeEvent):
    """A camera went on or off. Signed by the unit (Ed25519, `signature` over `signed_text`)."""

    kind: Literal["camera.turned"] = "camera.turned"
    camera: str = Field(max_length=32)
    number: int = Field(ge=1)
    """Rises by one per camera record of this unit, across boots; a gap is a finding."""
    on: bool
    call_id: UUID | None = None
    reason: Literal["call", "hang_up", "lease", "must_end", "viewer_silent", "fault", "start"] = (
        "call"
    )
    seconds: int | None = Field(default=None, ge=0)
    """How long it was on, for `on=false`."""
    signature: str = Field(max_length=128)
    """base64url without padding."""


def signed_text(unit: str, event: CameraTurned) -> bytes:
    """The bytes a unit signs: field values joined by newline, in this order, UTF-8."""
    fields = (
        "telecare camera record 1",
        unit,
        str(event.boot),
        str(event.seq),
        event.occurred_at.isoformat(),
        event.camera,
        str(event.number),
        "on" if event.on else "off",
        str(event.call_id or ""),
        event.reason,
        "" if event.seconds is None else str(event.seconds),
    )
    return "\n".join(fields).encode()


class EventsDropped(EdgeEvent):
    """The outbox was full: this many of the oldest telemetry events were thrown away."""

    kind: Literal["outbox.dropped"] = "outbox.dropped"
    count: int = Field(ge=1)


class SensorChanged(EdgeEvent):
    """Something in the home that says one of two things: a door, a bed, a pill dispenser."""

    kind: Literal["sensor.changed"] = "sensor.changed"
    sensor: Literal["door", "bed", "pills", "smoke", "motion"]
    device: str = Field(min_length=1, max_length=32)
    place: str = Field(default="", max_length=32)
    is_on: bool
    """Open, occupied, taken, smoke, moving."""


class BatteryLevel(EdgeEvent):
    """Of a device in the home, or of the unit itself; when it has changed, and once a day."""

    kind: Literal["battery.level"] = "battery.level"
    device: str = Field(min_length=1, max_length=32)
    percent: int = Field(ge=0, le=100)


class PowerChanged(EdgeEvent):
    """The unit runs on the mains, or on its battery."""

    kind: Literal["power.changed"] = "power.changed"
    mains: bool


class PathChanged(EdgeEvent):
    """The unit reaches its broker again, by which of its addresses, after how long a silence."""

    kind: Literal["path.changed"] = "path.changed"
    path: BrokerPath
    silent_ms: int = Field(ge=0)


class CoverChanged(EdgeEvent):
    """Somebody has opened the unit, or closed it again."""

    kind: Literal["cover.changed"] = "cover.changed"
    is_open: bool


UnitEvent = (
    CameraTurned
    | EventsDropped
    | SensorChanged
    | BatteryLevel
    | PowerChanged
    | PathChanged
    | CoverChanged
)
UP_EVENT: TypeAdapter[UnitEvent] = TypeAdapter(Annotated[UnitEvent, Field(discriminator="kind")])


# --- up/alarm: stored in the unit until receipted, before everything else, never shed ---------


class AlarmRaised(EdgeEvent):
    """Somebody asks for help, or a device does for her. Each press is an alarm of its own."""

    kind: Literal["alarm.raised"] = "alarm.raised"
    trigger: Trigger
    device: str = Field(min_length=1, max_length=32)
    """What was pressed or felt it, as the installer named it."""
    place: str = Field(default="", max_length=32)
    """A room; never an address."""
    battery_percent: int | None = Field(default=None, ge=0, le=100)
    is_test: bool = False
    attempt: int | None = Field(default=None, ge=1)
    """Which sending of it this is, on any connection; None: the unit does not know."""


class AlarmCancelled(EdgeEvent):
    """ "Jag tryckte fel": the alarm stands, and is marked."""

    kind: Literal["alarm.cancelled"] = "alarm.cancelled"
    alarm: int = Field(ge=1)
    """`seq` of the `AlarmRaised`, of the same boot."""


UnitAlarm = AlarmRaised | AlarmCancelled
UP_ALARM: TypeAdapter[UnitAlarm] = TypeAdapter(Annotated[UnitAlarm, Field(discriminator="kind")])


# --- up/status: retained, with a will; not an event ------------------------------------------


class UnitStatus(EdgeMessage):
    """Every 15 s, at once on a change, and as the will (`online=false`)."""

    kind: Literal["status"] = "status"
    online: bool
    stamp: Stamp
    version: str = Field(max_length=32)
    cameras: dict[str, CameraState] = Field(default_factory=dict, max_length=16)
    screen: ScreenState = "unknown"
    waiting: int = Field(default=0, ge=0)
    """Events in the outbox without a receipt."""
    path: BrokerPath = "first"
    mains: bool | None = None
    """None: it cannot tell."""
    battery_percent: int | None = Field(default=None, ge=0, le=100)


# --- up/signal: about a call -----------------------------------------------------------------


class UnitAnswered(EdgeMessage):
    """Somebody in the home pressed answer (or auto-answer ran out). The server decides who won."""

    kind: Literal["answered"] = "answered"
    call_id: UUID
    stamp: Stamp
    by_itself: bool = False


class UnitDeclined(EdgeMessage):
    kind: Literal["declined"] = "declined"
    call_id: UUID


class UnitHungUp(EdgeMessage):
    kind: Literal["hung_up"] = "hung_up"
    call_id: UUID


class UnitCallsIn(EdgeMessage):
    """A press on "call home care". `press` makes a retransmission the same call."""

    kind: Literal["calls_in"] = "calls_in"
    press: UUID


class UnitSdp(EdgeMessage):
    """The unit's complete answer (aiortc cannot trickle out); `n` numbers the offer it answers."""

    kind: Literal["sdp"] = "sdp"
    call_id: UUID
    n: int
    sdp: str = Field(max_length=MAX_SDP_CHARS)


class UnitAlive(EdgeMessage):
    """Each second from a call's first message to its end; a lease echoes the newest stamp."""

    kind: Literal["alive"] = "alive"
    call_id: UUID
    stamp: Stamp


class UnitReport(EdgeMessage):
    """What this end sees: first frame sent, quality, that it went dark, or lets a voice in."""

    kind: Literal["report"] = "report"
    call_id: UUID
    what: Literal["first_frame", "dark", "lit", "quality", "stopped", "speaks"]
    loss_percent: int | None = Field(default=None, ge=0, le=100)
    round_trip_ms: int | None = Field(default=None, ge=0)
    width: int | None = Field(default=None, ge=0)
    height: int | None = Field(default=None, ge=0)


class UnitWiped(EdgeMessage):
    """The last word of a unit that was told `Wipe`: its keys and its outbox are going now."""

    kind: Literal["wiped"] = "wiped"


UnitSignal = (
    UnitAnswered
    | UnitDeclined
    | UnitHungUp
    | UnitCallsIn
    | UnitSdp
    | UnitAlive
    | UnitReport
    | UnitWiped
)
UP_SIGNAL: TypeAdapter[UnitSignal] = TypeAdapter(Annotated[UnitSignal, Field(discriminator="kind")])


# --- down ------------------------------------------------------------------------------------


class Receipt(EdgeMessage):
    """These events are committed in PostgreSQL: the unit may forget them."""

    kind: Literal["receipt"] = "receipt"
    boot: UUID
    seqs: list[int] = Field(max_length=1000)


class Hello(EdgeMessage):
    """The server subscribes anew: replay what has no receipt. `epoch` differs each time."""

    kind: Literal["hello"] = "hello"
    epoch: UUID


class Alive(EdgeMessage):
    """The server and its database answer. Every 10 s; 25 s without one is "no contact" (P4)."""

    kind: Literal["alive"] = "alive"
    epoch: UUID


class AlarmIs(EdgeMessage):
    """What has become of her alarm, said at each change and again while the unit asks.

    That it has arrived is the receipt's to say, not this.
    """

    kind: Literal["alarm_is"] = "alarm_is"
    boot: UUID
    seq: int = Field(ge=1)
    state: Literal["waiting", "taken", "closed"]
    by: str = Field(default="", max_length=80)
    """Given name of who has taken it; spoken and shown in the home, never logged."""


class IceServer(EdgeMessage):
    urls: list[str]
    username: str | None = None
    credential: str | None = None


class Ring(EdgeMessage):
    """Ring in the home. Not an order to open anything: a camera opens only on `Opened`."""

    kind: Literal["ring"] = "ring"
    call_id: UUID
    caller: str = Field(max_length=80)
    """Given name, spoken and shown in the home; never logged."""
    from_unit: str = Field(max_length=80)
    language: str = Field(max_length=5)
    ring_s: int = Field(ge=1, le=180)
    answers_itself_after_s: int | None = Field(default=None, ge=10, le=60)
    """Set only under an `auto_answer` consent whose caller and hours allow it."""
    press: UUID | None = None
    """Her own call-in made this call: nothing rings, the unit answers at once and is alive."""


class PrepareLook(EdgeMessage):
    """Be ready for a look by this camera: make the connection, send nothing before `Opened`.

    A camera that speaks RTSP may be reached already, its packets dropped undecoded; a V4L2 device
    stays closed. Nothing rings, and nothing is said to the home.
    """

    kind: Literal["prepare_look"] = "prepare_look"
    call_id: UUID
    camera: str = Field(max_length=32)
    """By its name in the unit's own configuration."""
    picture: Literal["clear", "blurred"]
    """Made in the home: what leaves it is never clearer than this."""
    notice: Literal["lamp", "lamp_and_sound", "none"]
    ready_s: int = Field(ge=1, le=60)
    """How long to wait for `Opened`."""


class Longer(EdgeMessage):
    """A look may last this much longer than it was to."""

    kind: Literal["longer"] = "longer"
    call_id: UUID
    n: int = Field(ge=1, le=2)
    """Which extension: the same one counts once."""
    more_s: int = Field(ge=1, le=60)


class Speak(EdgeMessage):
    """The viewer of a look may be heard: signal and lamp first, then her voice until it is over."""

    kind: Literal["speak"] = "speak"
    call_id: UUID


class StopRinging(EdgeMessage):
    kind: Literal["stop_ringing"] = "stop_ringing"
    call_id: UUID
    reason: str = Field(max_length=32)


class Opened(EdgeMessage):
    """The call is open and recorded. Media may start; without renewals it ends by itself.

    `echo` is the unit's own stamp from its answer: valid until echo + lease_ms on its own clock.
    """

    kind: Literal["opened"] = "opened"
    call_id: UUID
    echo: Stamp
    lease_ms: int = Field(ge=0, le=10_000)
    max_s: int = Field(ge=1)
    """Longest time open, on the unit's own clock from receiving this."""
    sends_picture: bool
    sends_sound: bool
    ice_servers: list[IceServer] = Field(default_factory=list)
    relay_only: bool = False
    """Both stand in each offer now; here for older units."""


class Renewal(EdgeMessage):
    """QoS 0, each second. A renewal echoing an old stamp has no effect."""

    kind: Literal["renewal"] = "renewal"
    call_id: UUID
    echo: Stamp
    lease_ms: int = Field(ge=0, le=10_000)


class HangUp(EdgeMessage):
    """Stop at once: camera, sound, everything."""

    kind: Literal["hang_up"] = "hang_up"
    call_id: UUID
    reason: str = Field(max_length=32)


DownCall = Ring | PrepareLook | StopRinging | Opened | Longer | Speak | Renewal | HangUp
DOWN_CALL: TypeAdapter[DownCall] = TypeAdapter(Annotated[DownCall, Field(discriminator="kind")])


class Offer(EdgeMessage):
    """The staff browser's offer. A new `n` means a new peer connection (no ICE restart).

    While it rings: connect and answer, and send nothing before `Opened`.
    """

    kind: Literal["offer"] = "offer"
    call_id: UUID
    n: int
    sdp: str = Field(max_length=MAX_SDP_CHARS)
    ice_servers: list[IceServer] = Field(default_factory=list)
    relay_only: bool = False


class Candidate(EdgeMessage):
    """A trickled candidate of offer `n`; `candidate` empty ends them."""

    kind: Literal["candidate"] = "candidate"
    call_id: UUID
    n: int
    candidate: str = Field(max_length=1024)
    mid: str | None = Field(default=None, max_length=32)
    line: int | None = None


DOWN_SIGNAL: TypeAdapter[Offer | Candidate] = TypeAdapter(
    Annotated[Offer | Candidate, Field(discriminator="kind")]
)


class Wipe(EdgeMessage):
    """This unit is revoked: stop everything, forget keys, events and who you are, and stop.

    Said when the unit is closed, and again to each genuine message of a revoked one.
    """

    kind: Literal["wipe"] = "wipe"


# --- enrolment over HTTP ---------------------------------------------------------------------


class EnrolRequest(BaseModel):
    """POST /api/units/enrol. `code`: 8 Crockford base32 characters, 15 min, 5 tries."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    code: str = Field(min_length=8, max_length=9)
    public_key: str = Field(min_length=43, max_length=43)
    """Ed25519 public key, 32 bytes, base64url without padding."""


class Enrolment(BaseModel):
    """The answer: who the unit is, its 32-byte MAC key (base64url), and where the broker is."""

    model_config = ConfigDict(frozen=True)
    unit: str
    mac_key: str
    broker_url: str
    certificate: str | None = None
    """Over the unit's own key, in PEM, where the broker asks for one."""
    authority: str | None = None
    """Who has signed the broker's certificate and this, in PEM."""
    second_broker_url: str | None = None
    """Tried by itself when the first does not answer, e.g. over a mobile network."""


class ClosedQuestion(BaseModel):
    """POST /api/units/{unit}/closed, by a unit that the broker lets in no longer."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    challenge: str = Field(min_length=43, max_length=43)
    """32 random bytes, base64url without padding, new each time."""


class ClosedAnswer(BaseModel):
    """It is closed. Worth as much as `Wipe`; without the right proof it is nothing."""

    model_config = ConfigDict(frozen=True)
    proof: str
    """`telecare.wire.seal.proof` of "closed"."""


class WipedNotice(BaseModel):
    """POST /api/units/{unit}/wiped: what `UnitWiped` says, of one that has no broker."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    challenge: str = Field(min_length=43, max_length=43)
    proof: str = Field(max_length=64)
    """`telecare.wire.seal.proof` of "wiped"."""


class UnitCertificate(BaseModel):
    """The answer of GET /api/units/{unit}/certificate: over the unit's own key, in PEM."""

    model_config = ConfigDict(frozen=True)
    certificate: str

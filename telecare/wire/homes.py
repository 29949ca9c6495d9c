"""A simulated home, written down: what stands there, what the person does and what happens, when.

Shared by the demo, the tests, `telecare simulate` and the benches; handed to
`python -m edge simulate` as one JSON object per line on standard input. `HomeSettings` is also
the file a real unit reads (docs/home-unit.md).
"""

from datetime import time
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Language = Literal["sv", "fi", "en"]
CameraName = Annotated[str, Field(pattern=r"^[a-z0-9-]{1,32}$")]
Happening = Literal[
    "button",
    "cord",
    "screen",
    "fall",
    "smoke",
    "smoke_gone",
    "test_alarm",
    "mistake",
    "door_opens",
    "door_closes",
    "bed_taken",
    "bed_left",
    "pills_taken",
    "pills_missed",
    "moves",
    "still",
    "battery",
    "mains_lost",
    "mains_back",
    "network_lost",
    "network_back",
    "cover_opens",
    "cover_closes",
]
"""What sensors and hands can do in a home. `mistake`: "Jag tryckte fel", about the newest alarm."""


class Pressed(BaseModel):
    """What the person does when it rings, `after_s` seconds later (0 = at once)."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    key: Literal["answer", "decline", "nothing"]
    after_s: float = 1.0


class CallsIn(BaseModel):
    """The person presses "call home care" by herself, once, this long after the unit is up."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    after_s: float


class Happens(BaseModel):
    """Once, this long after the unit is up."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    after_s: float = Field(ge=0)
    what: Happening
    device: str = Field(default="", max_length=32)
    """As the installer named it; the kind of thing when empty."""
    place: str = Field(default="", max_length=32)
    """A room; never an address."""
    percent: int = Field(default=100, ge=0, le=100)
    """Of `battery`."""


class Watch(BaseModel):
    """These hours (local, may span midnight; equal = always) this change is an alarm too.

    With a clock that cannot be believed it is one at any hour.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    sensor: Literal["door", "bed", "pills"]
    is_on: bool
    """Open, occupied, taken."""
    begins: time = time(22)
    ends: time = time(6)


class HomeSettings(BaseModel):
    """What the installer has set in this home."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    language: Language = "sv"
    phone: str = Field(default="", pattern=r"^[0-9+ -]{0,20}$")
    """The municipality's number, said beside 112 when nobody can be reached."""
    watches: tuple[Watch, ...] = ()
    time_zone: str = "Europe/Stockholm"
    cameras: dict[CameraName, str] = {}
    """Those for looks at night, by name: `simulated`, or a V4L2 device such as /dev/video0."""
    voice_dir: str = ""
    """Voice files of the municipality's, looked in before ours: `sv/arrived.opus`."""
    player: tuple[str, ...] = ()
    """The command that plays a file; `{file}` stands for it. Empty: the home does not speak."""
    speech: tuple[str, ...] = ()
    """The command that says a text from its standard input, for words that hold a name."""


class HomeScript(BaseModel):
    """One simulated home. Either `enrol_code` (first start) or an existing state folder."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    state_dir: str
    """Where the unit keeps its keys and outbox."""
    server_url: str
    """http://localhost:PORT; only used to enrol."""
    enrol_code: str | None = None
    when_it_rings: Pressed = Pressed(key="answer", after_s=1.0)
    then_hangs_up_after_s: float | None = None
    calls_in: CallsIn | None = None
    happens: tuple[Happens, ...] = ()
    settings: HomeSettings = HomeSettings()
    has_right_clock: bool = True
    screen: Literal["on", "off", "unknown"] = "on"
    camera: str = Field(default="simulated", pattern=r"^(simulated|none|/dev/\w+)$")
    """`simulated`, `none`, or a V4L2 device such as /dev/video0 when the demo was given one."""
    loudspeaker: Literal["simulated", "none"] = "simulated"
    picture: str = "moving"
    """`moving`: a drawn room with a clock; `canary`: a fixed pattern that tests search for."""
    tone_hz: int = Field(default=440, ge=100, le=3000)
    rings_on_screen: bool = True

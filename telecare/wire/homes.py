"""A simulated home, written down: what stands there and what the person does, when.

Shared by the demo, the tests, `telecare simulate` and the benches; handed to
`python -m edge simulate` as one JSON object per line on standard input.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class Pressed(BaseModel):
    """What the person does when it rings, `after_s` seconds later (0 = at once)."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    key: Literal["answer", "decline", "nothing"]
    after_s: float = 1.0


class CallsIn(BaseModel):
    """The person presses "call home care" by herself, once, this long after the unit is up."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    after_s: float


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
    screen: Literal["on", "off", "unknown"] = "on"
    camera: str = Field(default="simulated", pattern=r"^(simulated|none|/dev/\w+)$")
    """`simulated`, `none`, or a V4L2 device such as /dev/video0 when the demo was given one."""
    picture: str = "moving"
    """`moving`: a drawn room with a clock; `canary`: a fixed pattern that tests search for."""
    tone_hz: int = Field(default=440, ge=100, le=3000)
    rings_on_screen: bool = True

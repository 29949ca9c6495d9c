"""The light on the unit or the button: one sign at a time, for who cannot hear."""

import json
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from edge.alarm import Sign
from edge.pipe import monotonic_ms


class Lamp(Protocol):
    def show(self, sign: Sign) -> None:
        """Until the next one; must neither block nor raise."""


class NoLamp:
    """A unit without a light of its own."""

    def show(self, sign: Sign) -> None:
        """See the class."""


@dataclass(frozen=True, slots=True)
class SimulatedLamp:
    """Writes what it shows to `stamps` (JSON lines, CLOCK_MONOTONIC ms)."""

    stamps: Path

    def show(self, sign: Sign) -> None:
        write_stamp(self.stamps, lamp=sign.value)


def write_stamp(stamps: Path, **what: str) -> None:
    with suppress(OSError), stamps.open("a") as file:  # a full disk hinders no alarm
        file.write(json.dumps({**what, "at_ms": monotonic_ms()}, ensure_ascii=False) + "\n")

"""MQTT topics. A topic names a unit and a lane, never a tenant or a person."""

import re
from enum import StrEnum

from telecare.wire.ids import UnitId

ROOT = "tc/1"
HELLO = f"{ROOT}/all/hello"
ALIVE = f"{ROOT}/all/alive"


class Up(StrEnum):
    """From a home unit to the server."""

    ALARM = "alarm"
    EVENT = "event"
    VITAL = "vital"
    SIGNAL = "signal"
    STATUS = "status"


class Down(StrEnum):
    """From the server to a home unit."""

    RECEIPT = "receipt"
    CALL = "call"
    SIGNAL = "signal"
    CONFIG = "config"
    ALARM = "alarm"


def filter_of(lane: Up) -> str:
    """What every unit says on a lane."""
    return f"{ROOT}/+/up/{lane}"


_UP = re.compile(r"tc/1/(u-[a-z2-7]{26})/up/(alarm|event|vital|signal|status)")


def up(unit: UnitId, lane: Up) -> str:
    return f"{ROOT}/{unit}/up/{lane}"


def down(unit: UnitId, lane: Down) -> str:
    return f"{ROOT}/{unit}/down/{lane}"


def parse_up(topic: str) -> tuple[UnitId, Up] | None:
    """The unit and lane of an upward topic; None for any other topic."""
    match = _UP.fullmatch(topic)
    return (UnitId(match[1]), Up(match[2])) if match else None

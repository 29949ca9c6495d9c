"""What a hand or a sensor in the home becomes: an alarm, an event, or both. Pure.

An alarm is raised where in doubt: a watched door is one at any hour when the clock is not right.
"""

from dataclasses import dataclass
from datetime import datetime, time
from typing import Literal
from zoneinfo import ZoneInfo

from telecare.wire.edge import Trigger
from telecare.wire.homes import Happening, HomeSettings, Watch

SensorKind = Literal["door", "bed", "pills", "smoke", "motion"]
UNIT = "unit"
"""The device name of the home unit itself."""


@dataclass(frozen=True, slots=True)
class Signal:
    """One thing felt in the home."""

    what: Happening
    device: str = ""
    place: str = ""
    percent: int = 100


@dataclass(frozen=True, slots=True)
class Alarm:
    trigger: Trigger
    device: str
    place: str = ""
    is_test: bool = False


@dataclass(frozen=True, slots=True)
class Mistake:
    """ "Jag tryckte fel", about the newest alarm."""


@dataclass(frozen=True, slots=True)
class Change:
    """Of a sensor that says one of two things."""

    sensor: SensorKind
    device: str
    place: str
    is_on: bool


@dataclass(frozen=True, slots=True)
class Battery:
    device: str
    percent: int


@dataclass(frozen=True, slots=True)
class Mains:
    is_on: bool


@dataclass(frozen=True, slots=True)
class Cover:
    is_open: bool


@dataclass(frozen=True, slots=True)
class Network:
    """The line itself is gone, or back; the unit hears no more than that."""

    is_on: bool


Telemetry = Change | Battery | Mains | Cover
Felt = Alarm | Mistake | Telemetry | Network


def felt(
    signal: Signal, settings: HomeSettings, *, at: datetime, is_clock_right: bool
) -> list[Felt]:
    """In the order to act on: alarms first."""
    match signal.what:
        case "button" | "cord" | "screen" | "fall":
            return [Alarm(signal.what, signal.device or signal.what, signal.place)]
        case "test_alarm":
            return [Alarm("button", signal.device or "button", signal.place, is_test=True)]
        case "mistake":
            return [Mistake()]
        case "network_lost" | "network_back":
            return [Network(signal.what == "network_back")]
        case "battery" | "mains_lost" | "mains_back" | "cover_opens" | "cover_closes":
            return [of_the_unit(signal)]
        case _:
            hour = None if not is_clock_right else local_time(at, settings.time_zone)
            change = changed(signal)
            alarms = [alarmed(change)] if is_alarm(change, settings, hour) else []
            return [*alarms, change]


def of_the_unit(signal: Signal) -> Battery | Mains | Cover:
    match signal.what:
        case "battery":
            return Battery(signal.device or UNIT, signal.percent)
        case "mains_lost" | "mains_back":
            return Mains(signal.what == "mains_back")
        case _:
            return Cover(signal.what == "cover_opens")


def changed(signal: Signal) -> Change:
    sensor, is_on = sensor_of(signal.what)
    return Change(sensor, signal.device or sensor, signal.place, is_on)


def sensor_of(what: Happening) -> tuple[SensorKind, bool]:
    match what:
        case "smoke" | "smoke_gone":
            return "smoke", what == "smoke"
        case "door_opens" | "door_closes":
            return "door", what == "door_opens"
        case "bed_taken" | "bed_left":
            return "bed", what == "bed_taken"
        case "pills_taken" | "pills_missed":
            return "pills", what == "pills_taken"
        case "moves" | "still":
            return "motion", what == "moves"
        case _:
            raise ValueError(what)


def is_alarm(change: Change, settings: HomeSettings, hour: time | None) -> bool:
    """Smoke always; the rest when the home's settings watch it at this hour."""
    if change.sensor == "smoke":
        return change.is_on
    return any(
        watch.sensor == change.sensor
        and watch.is_on == change.is_on
        and (hour is None or is_within(hour, watch))
        for watch in settings.watches
    )


def alarmed(change: Change) -> Alarm:
    if change.sensor == "motion":
        raise ValueError(change.sensor)
    return Alarm(change.sensor, change.device, change.place)


def is_within(hour: time, watch: Watch) -> bool:
    if watch.begins < watch.ends:
        return watch.begins <= hour < watch.ends
    return hour >= watch.begins or hour < watch.ends


def local_time(at: datetime, zone: str) -> time:
    return at.astimezone(ZoneInfo(zone)).time()

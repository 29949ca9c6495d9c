"""Endpoints, units, pairing codes. Pure."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from telecare.audit.model import HomeActor
from telecare.wire.edge import CameraState, ScreenState, UnitStatus
from telecare.wire.ids import EndpointId, ResidentId, TenantId, UnitId

TV_LETTERS = "BCDFGHJKLMNPQRSTVWXZ"
"""20 letters: no vowels, so no words; no digits, so nothing looks like O/0 or I/1."""
TV_CODE_LENGTH = 6
TV_CODE_LIMIT = timedelta(minutes=10)
UNIT_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base32."""
UNIT_CODE_LENGTH = 8
UNIT_CODE_LIMIT = timedelta(minutes=15)
MAX_TRIES = 5
UNIT_LEASE = timedelta(seconds=40)
"""Not heard from for this long: offline (P3)."""
CAMERA_NEWS_LIMIT = timedelta(seconds=40)
"""An older camera state is not known any more."""
PAIRING_WORDS = 24
"""Both screens show text `pairing.word.<0..23>`."""


def new_tv_code() -> str:
    return "".join(secrets.choice(TV_LETTERS) for _ in range(TV_CODE_LENGTH))


def new_unit_code() -> str:
    return "".join(secrets.choice(UNIT_ALPHABET) for _ in range(UNIT_CODE_LENGTH))


def tidy_code(code: str) -> str:
    """As typed by people: any case, spaces and hyphens; Crockford's look-alikes."""
    return code.upper().replace(" ", "").replace("-", "")


def tidy_unit_code(code: str) -> str:
    return tidy_code(code).replace("O", "0").replace("I", "1").replace("L", "1")


@dataclass(frozen=True, slots=True)
class Unit:
    """A home unit as the registry knows it."""

    tenant: TenantId
    id: UnitId
    endpoint_id: EndpointId
    resident_id: ResidentId
    public_key: bytes
    mac_key: bytes

    @property
    def actor(self) -> HomeActor:
        return HomeActor(self.endpoint_id, "unit", self.resident_id)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Something in a home that can ring: a TV page or a unit."""

    id: EndpointId
    kind: Literal["tv", "unit"]
    label: str
    has_picture: bool
    seen_at: datetime | None
    unit_id: UnitId | None
    mac_key: bytes | None
    is_online: bool
    screen: ScreenState
    cameras: tuple[CameraState, ...]
    cameras_at: datetime | None

    def is_here(self, now: datetime) -> bool:
        return self.seen_at is not None and now - self.seen_at < UNIT_LEASE


@dataclass(frozen=True, slots=True)
class Closed:
    """A TV or home unit that has ended."""

    id: EndpointId
    kind: Literal["tv", "unit"]
    resident_id: ResidentId
    ended_at: datetime
    unit_id: UnitId | None
    mac_key: bytes | None
    was_wiped: bool


@dataclass(frozen=True, slots=True)
class Pairing:
    tenant: TenantId | None
    id: UUID
    expires_at: datetime
    used_at: datetime | None
    word: int | None
    endpoint_id: EndpointId | None


def cameras_of(
    endpoints: list[Endpoint], now: datetime
) -> tuple[Literal["off", "on", "unknown"], datetime | None]:
    """What every camera in the home last reported; unknown when any report is too old."""
    units = [e for e in endpoints if e.kind == "unit"]
    heard = [e.cameras_at for e in units if e.cameras_at is not None]
    oldest = min(heard, default=None)
    if any("on" in e.cameras for e in units):
        return "on", oldest
    for unit in units:
        if unit.cameras_at is None or now - unit.cameras_at >= CAMERA_NEWS_LIMIT:
            return "unknown", oldest
        if any(state != "off" for state in unit.cameras):
            return "unknown", oldest
    return "off", oldest


def screen_of(endpoints: list[Endpoint], now: datetime) -> Literal["here", "silent", "off", "none"]:
    """Before the call: is somebody's screen there, and is the TV on?"""
    if not endpoints:
        return "none"
    here = [e for e in endpoints if e.is_here(now)]
    if not here:
        return "silent"
    if all(e.screen == "off" for e in here):
        return "off"
    return "here"


# --- what happened (reactions.py) ------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DeviceClosing:
    """A TV or unit is being closed: what runs on it ends first."""

    endpoint_id: EndpointId
    resident_id: ResidentId
    at: datetime


@dataclass(frozen=True, slots=True)
class UnitHeard:
    """A unit says that it is there, and something that it did not say before."""

    endpoint_id: EndpointId
    resident_id: ResidentId
    status: UnitStatus
    at: datetime

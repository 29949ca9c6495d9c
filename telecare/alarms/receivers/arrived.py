"""What a receiver hands over, the same for every protocol, and what it wants back.

Nothing here stores anything: the desk does, and returns when it is committed.
"""

from dataclasses import dataclass, field
from datetime import timedelta
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Literal
from typing import Protocol as Shape

from telecare.wire import edge

MAX_WORDS = 64
"""Characters of a unit's own words. All it said stands in `Arrived.codes`."""
Protocol = Literal["scaip", "dc09"]
Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Trigger = edge.Trigger | Literal["other"]
Kind = Literal["alarm", "technical", "test", "cancel", "information", "heartbeat"]
"""`cancel` withdraws an alarm or resets its cause: the alarm stands in the record. `technical` has
its `Fault`. What nobody understands is an `alarm`.
"""
NEVER_LOST: frozenset[Kind] = frozenset({"alarm", "technical", "test", "cancel"})
"""Handed over even if its unit does not prove itself."""
Fault = Literal[
    "battery_low",
    "battery_failed",
    "battery_ok",
    "mains_lost",
    "mains_back",
    "line_lost",
    "line_back",
    "radio_lost",
    "radio_back",
    "tamper",
    "fault",
]
"""`line` is the unit's way to us, `radio` a device's way to the unit."""

Room = Literal[
    "bathroom",
    "bedroom",
    "floor",
    "garden",
    "kitchen",
    "laundry",
    "sauna",
    "stairs",
    "door",
    "front_door",
    "back_door",
    "hall",
    "living_room",
    "common_area",
]


@dataclass(frozen=True, slots=True)
class Claim:
    """Who a message says it is from. `receiver` and `domain` tell whose receiver it came to."""

    protocol: Protocol
    receiver: str
    """Name of the port, as configured."""
    domain: str
    """Host the unit addressed; empty where the protocol has none."""
    account: str
    source: Address


@dataclass(frozen=True, slots=True)
class Profile:
    """How a registered unit proves itself and wants its answer."""

    networks: tuple[Network, ...] = ()
    """It sends from these. Needed of a unit with neither password nor key."""
    password: str | None = field(default=None, repr=False)
    """SIP digest: asked for when there is one."""
    digest: Literal["MD5", "SHA-256"] = "MD5"
    """The one the unit knows: asked for both, those that know MD5 alone give up."""
    key: bytes | None = field(default=None, repr=False)
    """DC-09, AES: 16, 24 or 32 bytes; what is not encrypted does not prove the unit then."""
    scaip_reply: Literal["message", "in_200"] = "message"


@dataclass(frozen=True, slots=True)
class Voice:
    """The unit wants to be spoken with."""

    callers: tuple[str, ...] = ()
    """URIs it calls from or is called on; as it wrote them."""
    is_called: bool = False
    """The receiver is to call; else the unit calls `Answer.voice_to`."""


@dataclass(frozen=True, slots=True)
class Arrived:
    """One message of another maker's unit, understood.

    `(account, reference, fingerprint)` is the same each time the unit sends this message, and no
    other has it within `same_for`. A reference that comes again with other contents is another
    message: a unit that has lost its power may begin its counting anew. So may one whose alarm is
    closed already, which is for whoever stores it to judge.
    """

    claim: Claim
    is_proven: bool
    """It is the registered unit, by password, key or network. False also of one nobody knows."""
    reference: str
    fingerprint: bytes
    same_for: timedelta
    kind: Kind
    trigger: Trigger = "other"
    fault: Fault | None = None
    device: str = ""
    """What behind the unit raised it, in the unit's own words or number; at most `MAX_WORDS`."""
    place: str = ""
    """Where, as the unit wrote it; at most `MAX_WORDS`, often empty."""
    room: Room | None = None
    """Where, by the protocol's own code."""
    voice: Voice | None = None
    codes: tuple[tuple[str, str], ...] = ()
    """Everything it said, name and value, in its order."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What has become of an `Arrived`, which is committed."""

    is_known: bool
    """A registered unit, proven. Else it was shown in the technical queue, and the unit is told
    that it was not treated, so that it tries its next receiver too."""
    is_repeat: bool = False
    """It had come before; the rest is what was answered then."""
    voice_to: tuple[str, ...] = ()
    """URIs of the exchange the unit is to call (SCAIP `tnu`); none: no voice."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A message that could not be read."""

    protocol: Protocol
    receiver: str
    source: Address
    account: str
    """Empty where that could not be read either."""
    reason: str
    """A stable code."""
    payload: bytes
    """Its first bytes."""


class Unreadable(ValueError):
    """What came is nothing its protocol knows. On a stream nobody knows where the next begins."""


class Desk(Shape):
    """Who stands behind a receiver. All raise DatabaseUnavailable."""

    async def look_up(self, claim: Claim) -> Profile | None:
        """None: no such unit. Asked for each message."""
        ...

    async def receive(self, arrived: Arrived) -> Answer:
        """Returns after the commit, and only then is the unit answered."""
        ...

    async def refuse(self, refused: Refused) -> None:
        """Returns after the commit."""
        ...

"""What one receiver keeps in memory and takes from one sender, and what it has counted."""

from dataclasses import dataclass

from telecare.alarms.receivers.shares import Allowance

ALARMS = Allowance(20, 1)
OTHERS = Allowance(20, 0.2)
UNKNOWN = Allowance(40, 2)


@dataclass(frozen=True, slots=True)
class Limits:
    messages: int = 20_000
    """Being treated, or answered lately."""
    connections: int = 2_000
    shares: int = 50_000
    unproven: int = 2_000
    alarms: Allowance = ALARMS
    """Of one account from one address."""
    others: Allowance = OTHERS
    """Heartbeats and the like, of one account from one address."""
    unknown: Allowance = UNKNOWN
    """Of one address, under accounts nobody knows or in messages nobody can read."""


@dataclass(slots=True)
class Counts:
    """Since the process began."""

    taken: int = 0
    repeated: int = 0
    retransmitted: int = 0
    refused: int = 0
    doubted: int = 0
    """Asked for a password, or told what time it is."""
    unproven: int = 0
    flooded: int = 0
    untreated: int = 0
    """Left without an answer, so that they are sent again."""

    def stored(self, *, is_repeat: bool, is_proven: bool) -> None:
        self.taken += not is_repeat
        self.repeated += is_repeat
        self.unproven += not is_proven

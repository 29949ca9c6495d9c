"""What each sender may send: a flood takes its own sender's share and nobody else's."""

from collections import OrderedDict
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Allowance:
    """So many at once, and so many a second after that."""

    at_once: float
    per_second: float


@dataclass(slots=True)
class _Share:
    left: float
    at: float


class Shares:
    """At most `capacity` of them are remembered; the one unused longest is forgotten, and full
    again when it comes back.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._shares: OrderedDict[tuple[str, ...], _Share] = OrderedDict()

    def __len__(self) -> int:
        return len(self._shares)

    def take(self, key: tuple[str, ...], allowance: Allowance, now: float) -> bool:
        """False: nothing is left of it now."""
        share = self._shares.pop(key, None) or _Share(allowance.at_once, now)
        if len(self._shares) >= self._capacity:
            self._shares.popitem(last=False)
        self._shares[key] = share
        earned = (now - share.at) * allowance.per_second
        share.left, share.at = min(allowance.at_once, share.left + earned), now
        if share.left < 1:
            return False
        share.left -= 1
        return True

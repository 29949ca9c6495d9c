"""SIP's non-INVITE transactions as tables (RFC 3261 §17.1.2, §17.2.2). Time is given, seconds."""

from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

T1_S = 0.5
T2_S = 4.0
LIFE_S = 64 * T1_S
"""Timers F and J: how long a request is sent again, and its answer kept."""

Key = tuple[str, ...]
Begun = Literal["begun", "running", "full"]
Route = TypeVar("Route")


@dataclass(slots=True)
class _Served:
    answer: bytes | None
    ends_at: float


class ServerTransactions:
    """What has been asked lately and what was answered, at most `capacity` of them.

    When full, the answer longest kept goes: a request that comes again is then treated again, and
    found to be a repeat where it is stored. While all of them are being treated, no more is taken.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._treating: dict[Key, _Served] = {}
        self._answered: dict[Key, _Served] = {}

    def __len__(self) -> int:
        return len(self._treating) + len(self._answered)

    def answer_to(self, key: Key) -> bytes | None:
        """What was answered; the same to each retransmission."""
        served = self._answered.get(key)
        return served.answer if served else None

    def begin(self, key: Key, now: float) -> Begun:
        """Unless it has begun now, nothing is to be done."""
        if key in self._treating:
            return "running"
        if len(self._treating) >= self._capacity:
            return "full"
        while len(self) >= self._capacity:
            del self._answered[next(iter(self._answered))]
        self._treating[key] = _Served(None, now + LIFE_S)
        return "begun"

    def answered(self, key: Key, answer: bytes, now: float) -> None:
        if self._treating.pop(key, None) is not None:
            self._answered[key] = _Served(answer, now + LIFE_S)

    def forget(self, key: Key) -> None:
        """It could not be treated: the next time it comes is the first."""
        self._treating.pop(key, None)

    def sweep(self, now: float) -> None:
        for table in (self._treating, self._answered):
            while table and table[first := next(iter(table))].ends_at <= now:
                del table[first]


@dataclass(slots=True)
class _Asked(Generic[Route]):
    route: Route
    request: bytes
    pause_s: float | None
    """None where the transport is reliable."""
    again_at: float
    ends_at: float


class ClientTransactions(Generic[Route]):
    """Our own requests until they are answered, at most `capacity` of them."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._asked: dict[str, _Asked[Route]] = {}
        self.unanswered = 0
        """How many were given up, also for want of room."""

    def __len__(self) -> int:
        return len(self._asked)

    def begin(
        self, branch: str, route: Route, request: bytes, *, is_reliable: bool, now: float
    ) -> None:
        if len(self._asked) >= self._capacity:
            del self._asked[next(iter(self._asked))]
            self.unanswered += 1
        self._asked[branch] = _Asked(
            route, request, None if is_reliable else T1_S, now + T1_S, now + LIFE_S
        )

    def answered(self, branch: str, status: int) -> None:
        """Provisional: less often from now on. Final: it is done."""
        asked = self._asked.get(branch)
        if asked is None:
            return
        if status >= 200:  # noqa: PLR2004 - RFC 3261 §7.2: final
            del self._asked[branch]
        elif asked.pause_s is not None:
            asked.pause_s = T2_S

    def due(self, now: float) -> list[tuple[Route, bytes]]:
        """What is to be sent again now."""
        again = []
        for branch, asked in list(self._asked.items()):
            if asked.ends_at <= now:
                del self._asked[branch]
                self.unanswered += 1
            elif asked.pause_s is not None and asked.again_at <= now:
                asked.pause_s = min(asked.pause_s * 2, T2_S)
                asked.again_at = now + asked.pause_s
                again.append((asked.route, asked.request))
        return again

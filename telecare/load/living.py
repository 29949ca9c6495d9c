"""What goes on in simulated homes, by chance and at a pace: signs of life, doors, presses."""

import asyncio
import heapq
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from telecare.load.fleet import Fleet

HOUR_S = 3_600.0
STATUS_S = 15.0
"""As a home unit does (wire.edge.STATUS_INTERVAL_S)."""
PAUSE_S = 0.05


@dataclass(frozen=True, slots=True)
class Pace:
    """Of each home."""

    events_an_hour: float = 12.0
    alarms_an_hour: float = 0.0
    outages_an_hour: float = 0.0
    outage_s: float = 60.0
    """So long a home says nothing; what happened meanwhile it says afterwards."""


class What(Enum):
    STATUS = "status"
    DOOR = "door"
    ALARM = "alarm"
    OUTAGE = "outage"


class Living:
    """`run` until cancelled; the same `seed` is the same day."""

    def __init__(self, fleet: Fleet, pace: Pace, *, seed: int = 1) -> None:
        self._fleet = fleet
        self._chance = random.Random(seed)  # noqa: S311 - a day, not a secret
        self._pace = pace
        self._silent_until_s: dict[int, float] = {}
        self._means_s = {
            What.DOOR: mean_s(pace.events_an_hour),
            What.ALARM: mean_s(pace.alarms_an_hour),
            What.OUTAGE: mean_s(pace.outages_an_hour),
        }
        self._plan = self._begun(time.monotonic())

    async def run(self) -> None:
        while True:
            self.go_on(time.monotonic())
            await asyncio.sleep(PAUSE_S)

    def go_on(self, now_s: float) -> None:
        """All that is due."""
        while self._plan and self._plan[0][0] <= now_s:
            due_s, number, name = heapq.heappop(self._plan)
            what = What(name)
            until_s = self._silent_until_s.get(number, 0.0)
            if due_s < until_s:
                heapq.heappush(self._plan, (until_s, number, name))
                continue
            self._happens(what, number, due_s)
            heapq.heappush(self._plan, (due_s + self._pause_s(what), number, name))

    def _happens(self, what: What, number: int, due_s: float) -> None:
        if what is What.OUTAGE:
            self._silent_until_s[number] = due_s + self._pace.outage_s
            return
        said: dict[What, Callable[[int], None]] = {
            What.STATUS: self._fleet.status,
            What.DOOR: self._fleet.door,
            What.ALARM: self._fleet.press,
        }
        said[what](number)

    def _pause_s(self, what: What) -> float:
        return (
            STATUS_S if what is What.STATUS else self._chance.expovariate(1 / self._means_s[what])
        )

    def _begun(self, now_s: float) -> list[tuple[float, int, str]]:
        """Homes do not all begin at once."""
        plan = []
        for number in range(len(self._fleet.homes)):
            plan.append((now_s + self._chance.uniform(0, STATUS_S), number, What.STATUS.value))
            plan += [
                (now_s + self._pause_s(what), number, what.value)
                for what, mean in self._means_s.items()
                if mean < float("inf")
            ]
        heapq.heapify(plan)
        return plan


def mean_s(an_hour: float) -> float:
    return HOUR_S / an_hour if an_hour else float("inf")

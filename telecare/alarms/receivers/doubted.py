"""Alarms whose units have been asked to prove themselves, and have a little time for it."""

import asyncio
from collections.abc import Callable
from functools import partial

from telecare.alarms.receivers.arrived import Arrived, Claim, Desk
from telecare.alarms.receivers.limits import Counts
from telecare.runtime.errors import DatabaseUnavailable
from telecare.runtime.tasks import Errands

PROOF_WITHIN_S = 5.0
STORED_WITHIN_S = 30.0

Key = tuple[Claim, str, bytes]


class Doubted:
    """At most `capacity`. Whoever stays silent has its alarm handed over as unproven; that is kept
    until it is stored, for nobody sends it again (fails loud).
    """

    def __init__(
        self,
        desk: Desk,
        errands: Errands,
        counts: Counts,
        *,
        seconds: Callable[[], float],
        capacity: int,
    ) -> None:
        self._desk = desk
        self._errands = errands
        self._counts = counts
        self._seconds = seconds
        self._capacity = capacity
        self._waiting: dict[Key, tuple[Arrived, float]] = {}

    def wait_for(self, arrived: Arrived) -> bool:
        """False: there is no room, and it must come again."""
        if len(self._waiting) >= self._capacity:
            return False
        self._waiting.setdefault(_key(arrived), (arrived, self._seconds() + PROOF_WITHIN_S))
        return True

    def settled(self, arrived: Arrived) -> None:
        """It has come again, and goes the usual way."""
        self._waiting.pop(_key(arrived), None)

    def hand_over_due(self) -> None:
        now = self._seconds()
        for key, (arrived, due_at) in list(self._waiting.items()):
            if due_at <= now:
                del self._waiting[key]
                self._errands.start(
                    self._hand_over(arrived),
                    name="alarm, unproven",
                    failed=partial(self._wait_again, arrived),
                )

    async def _hand_over(self, arrived: Arrived) -> None:
        try:
            async with asyncio.timeout(STORED_WITHIN_S):
                answer = await self._desk.receive(arrived)
        except (DatabaseUnavailable, TimeoutError):
            self._wait_again(arrived)
            return
        self._counts.stored(is_repeat=answer.is_repeat, is_proven=False)

    def _wait_again(self, arrived: Arrived) -> None:
        self._waiting[_key(arrived)] = (arrived, self._seconds() + PROOF_WITHIN_S)


def _key(arrived: Arrived) -> Key:
    return arrived.claim, arrived.reference, arrived.fingerprint

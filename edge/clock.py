"""The unit's wall clock, and whether it can be believed; times between are monotonic elsewhere."""

import ctypes
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

PLAUSIBLE_FROM = datetime(2026, 1, 1, tzinfo=UTC)
"""This program is younger: a unit without a clock battery wakes up long before."""
TIMEX_BYTES = 1_024
"""More than any `struct timex` (208 on 64-bit Linux); with modes = 0 it is only read."""
TIME_ERROR = 5
"""adjtimex(2): the clock is not synchronised."""


def kernel_says_synchronised() -> bool:
    """Asks the kernel, which NTP and PTP clients keep informed; False where it cannot tell."""
    try:
        adjtimex = ctypes.CDLL(None, use_errno=True).adjtimex
    except (OSError, AttributeError):
        return False
    state = int(adjtimex(ctypes.create_string_buffer(TIMEX_BYTES)))
    return 0 <= state < TIME_ERROR


def wall_clock() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class HomeClock:
    """`now` is aware; an event keeps what it said, whatever the clock becomes later."""

    now: Callable[[], datetime] = wall_clock
    is_synchronised: Callable[[], bool] = kernel_says_synchronised

    def is_right(self, at: datetime) -> bool:
        return at >= PLAUSIBLE_FROM and self.is_synchronised()

"""Which of the unit's two broker addresses to try: the first, until it does not answer.

Pure: `now_ms` is the unit's own monotonic clock. A unit with one address has only patience.
"""

import random
from dataclasses import dataclass, field

from telecare.wire.edge import BrokerPath

OTHER: dict[BrokerPath, BrokerPath] = {"first": "second", "second": "first"}
MOST_DOUBTS = 5
"""Each useless change doubles the wait for the next, up to 2^5 times."""


@dataclass(frozen=True, slots=True)
class PathPatience:
    answer_ms: int = 10_000
    """So long the first may be silent before another is tried; of one address alone also an alarm
    without a receipt."""
    alarm_ms: int = 3_000
    """So long an alarm waits for its receipt on one of two addresses: it has been sent twice, and
    there is time for the other before the 10 s of P1 are over."""
    silent_ms: int = 20_000
    """Connected, but no word of the server: two of its signs of life have not come."""
    deaf_ms: int = 15_000
    """Lost after such a silence, a line was dead already: one sign of life has not come."""
    silent_jitter_ms: int = 6_000
    """All homes miss the same sign; they do not all connect anew at once."""
    short_try_ms: int = 3_000
    long_try_ms: int = 10_000
    """How long a step of connecting may take; the short one while `short_for_ms` of silence."""
    short_for_ms: int = 30_000
    """After that both have been tried, and a line may be slow: each gets its time."""
    probe_ms: int = 60_000
    """On the second, the first is asked this often; ever more seldom when it disappoints."""


@dataclass(slots=True)
class Paths:
    has_second: bool
    started_ms: int
    patience: PathPatience = field(default_factory=PathPatience)
    current: BrokerPath = field(default="first", init=False)
    is_silent: bool = field(default=True, init=False)
    _silent_since_ms: int = field(init=False)
    _was_connected: bool = field(default=False, init=False)
    _was_tried: bool = field(default=False, init=False)
    _connected_at_ms: int = field(default=0, init=False)
    _heard_at_ms: int = field(default=0, init=False)
    _probed_at_ms: int = field(default=0, init=False)
    _doubts: int = field(default=0, init=False)
    _disappointments: int = field(default=0, init=False)
    _wanted: BrokerPath | None = field(default=None, init=False)
    """Tried next, whatever the rule says."""
    _jitter_ms: int = field(init=False)

    def __post_init__(self) -> None:
        self._silent_since_ms = self.started_ms
        self._jitter_ms = random.randint(0, self.patience.silent_jitter_ms)  # noqa: S311 - jitter

    def next(self, now_ms: int, *, is_urgent: bool = False) -> BrokerPath:
        """The address to try now; with an alarm waiting, never the same twice."""
        if not self.has_second:
            return "first"
        wanted, self._wanted = self._wanted, None
        is_first_due = now_ms - self._silent_since_ms < self.patience.answer_ms
        if wanted is not None:
            self.current = wanted
        elif not self._was_tried or (is_first_due and not is_urgent):
            self.current = "first"
        else:
            self.current = OTHER[self.current]
        self._was_tried = True
        return self.current

    def try_ms(self, now_ms: int) -> int:
        """How long one step of connecting may take now."""
        patience = self.patience
        is_short = self.has_second and now_ms - self._silent_since_ms < patience.short_for_ms
        return patience.short_try_ms if is_short else patience.long_try_ms

    def connected(self, now_ms: int) -> int | None:
        """How long it was silent; None the first time."""
        silent_ms = now_ms - self._silent_since_ms if self._was_connected else None
        self._was_connected, self.is_silent = True, False
        self._connected_at_ms = self._probed_at_ms = now_ms
        return silent_ms

    def lost(self, now_ms: int) -> None:
        """Also said of a try that failed. What was silent before it fell is not tried again."""
        if self.is_silent:
            return
        self.is_silent, self._silent_since_ms = True, now_ms
        if now_ms - max(self._connected_at_ms, self._heard_at_ms) >= self.patience.deaf_ms:
            self._leave()

    def _leave(self) -> None:
        if self._wanted is None and self.has_second:
            self._wanted = OTHER[self.current]

    def heard(self, now_ms: int) -> None:
        """The server answers on this address."""
        self._heard_at_ms = now_ms
        self._doubts = 0
        if self.current == "first":
            self._disappointments = 0

    def doubts(self, now_ms: int, *, silent_ms: int, waiting_ms: int) -> bool:
        """True when this connection looks dead: leave it, for the other address if there is one."""
        held_ms = (now_ms - self._connected_at_ms) >> self._doubts
        alarm_ms = self.patience.alarm_ms if self.has_second else self.patience.answer_ms
        is_dead = min(held_ms, waiting_ms) >= alarm_ms or self._is_too_silent(silent_ms, held_ms)
        if is_dead:
            self._doubts = min(self._doubts + 1, MOST_DOUBTS)
            self._leave()
            if self.current == "first":
                self._disappointments = min(self._disappointments + 1, MOST_DOUBTS)
        return is_dead

    def _is_too_silent(self, silent_ms: int, held_ms: int) -> bool:
        limit_ms = self.patience.silent_ms + self._jitter_ms
        return self.has_second and min(silent_ms, held_ms) >= limit_ms

    def should_probe(self, now_ms: int) -> bool:
        """On the second: ask now whether the first answers?"""
        pause_ms = self.patience.probe_ms << self._disappointments
        if self.current == "first" or now_ms - self._probed_at_ms < pause_ms:
            return False
        self._probed_at_ms = now_ms
        return True

    def go_back(self) -> None:
        """The first has answered; should it be silent after all, that is a disappointment."""
        self._wanted = "first"

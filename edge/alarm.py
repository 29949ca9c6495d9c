"""Her alarms as the home lives them: sent, arrived, taken, waiting again; and if nobody hears us.

Pure: `now_ms` is the unit's own monotonic clock; nothing here stores, sends, lights or speaks. What
is shown is of her newest alarm that is not closed. Three states are never merged: it has arrived
only on the receipt, and is taken only when the server says so (promise P4: no contact is said too).
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from edge.outbox import Place

MOST_REMEMBERED = 1_000
"""Alarms that nobody closes; beyond it the oldest is no longer shown. It is stored all the same."""


class Sign(StrEnum):
    """What the home shows."""

    QUIET = "quiet"
    SENDING = "sending"
    NOT_ARRIVED = "not_arrived"
    ARRIVED = "arrived"
    TAKEN = "taken"
    WAITING_AGAIN = "waiting_again"
    NO_CONTACT = "no_contact"
    LOOKS = "looks"
    """Somebody looks to her by camera now."""


class Phrase(StrEnum):
    """What the home says; also the name of its text and its voice file."""

    SENDING = "sending"
    TEST_SENDING = "test_sending"
    NOT_ARRIVED = "not_arrived"
    ARRIVED = "arrived"
    TEST_ARRIVED = "test_arrived"
    TAKEN = "taken"
    WAITING_AGAIN = "waiting_again"
    NO_CONTACT = "no_contact"
    NO_CONTACT_AFTER_ARRIVAL = "no_contact_after_arrival"
    CONTACT_AGAIN = "contact_again"
    CLOSED = "closed"
    MISTAKE = "mistake"
    LOOKS = "looks"
    SPEAKS = "speaks"


@dataclass(frozen=True, slots=True)
class Shown:
    """On the lamp and the screen, until the next one."""

    sign: Sign
    phrase: Phrase | None
    by: str = ""


@dataclass(frozen=True, slots=True)
class Spoken:
    """Once."""

    phrase: Phrase
    by: str = ""


Effect = Shown | Spoken


@dataclass(frozen=True, slots=True)
class Patience:
    """How long the home waits before it says that something is wrong."""

    receipt_ms: int = 10_000
    """screens/NOTES 12: no receipt in 10 s is said."""
    contact_ms: int = 25_000
    """Wire contract of `Alive`: one in 10 s; together with what follows within P4's 30 s."""
    hope_ms: int = 30_000
    """An alarm without a receipt for so long is as good as no contact: she must ring herself."""
    test_ms: int = 30_000
    """A test alarm has arrived, and nobody closes it: shown for so long."""


@dataclass(slots=True)
class OpenAlarm:
    place: Place
    pressed_at_ms: int
    is_test: bool
    is_safe: bool
    """On the disk, or handed to a connection."""
    has_arrived: bool = False
    arrived_at_ms: int = 0
    told: Literal["nothing", "waiting", "taken", "waiting again"] = "nothing"
    by: str = ""
    is_mistake: bool = False
    last_said: tuple[Sign, str] | None = None

    @property
    def is_known_to_server(self) -> bool:
        return self.has_arrived or self.told != "nothing"

    def ends_ms(self, patience: Patience) -> int | None:
        """A test ends by itself; an alarm when the server says so."""
        is_over = self.is_test and self.has_arrived
        return self.arrived_at_ms + patience.test_ms if is_over else None

    def sign(self, now_ms: int, patience: Patience) -> Sign:
        if self.told == "taken":
            return Sign.TAKEN
        if self.told == "waiting again":
            return Sign.WAITING_AGAIN
        if self.has_arrived:
            return Sign.ARRIVED
        if not self.is_known_to_server and now_ms >= self.pressed_at_ms + patience.receipt_ms:
            return Sign.NOT_ARRIVED
        return Sign.SENDING


@dataclass(slots=True)
class HomeAlarms:
    """`started_ms`: the unit has heard nothing yet, and has as long as ever to hear something."""

    started_ms: int
    patience: Patience = field(default_factory=Patience)
    heard_at_ms: int = field(init=False)
    _open: dict[Place, OpenAlarm] = field(default_factory=dict, init=False)
    _shown: Shown = field(default=Shown(Sign.QUIET, None), init=False)

    def __post_init__(self) -> None:
        self.heard_at_ms = self.started_ms

    def pressed(
        self, place: Place, now_ms: int, *, is_test: bool = False, is_safe: bool = True
    ) -> list[Effect]:
        """A new alarm has its place; each press says again how it stands."""
        self._open[place] = OpenAlarm(place, now_ms, is_test, is_safe)
        if len(self._open) > MOST_REMEMBERED:
            del self._open[next(iter(self._open))]
        return self._turn(now_ms, is_press=True)

    def mistaken(self, place: Place, now_ms: int) -> list[Effect]:
        """She has said that it was a mistake; staff still get in touch."""
        alarm = self._open.get(place)
        if alarm is None or alarm.is_mistake:
            return []
        alarm.is_mistake = True
        return [Spoken(Phrase.MISTAKE), *self._turn(now_ms)]

    def receipted(self, place: Place, now_ms: int) -> list[Effect]:
        """The server has committed it."""
        alarm = self._open.get(place)
        if alarm is not None and not alarm.has_arrived:
            alarm.has_arrived, alarm.arrived_at_ms = True, now_ms
        return self.heard(now_ms)

    def told(
        self, place: Place, state: Literal["waiting", "taken", "closed"], by: str, now_ms: int
    ) -> list[Effect]:
        """What has become of an alarm; one of an earlier run is taken up, unless it is closed."""
        self.heard_at_ms = now_ms
        alarm = self._open.get(place)
        if state == "closed":
            return self._closed(place, now_ms) if alarm is not None else self._turn(now_ms)
        if alarm is None:
            alarm = OpenAlarm(place, now_ms, is_test=False, is_safe=True, has_arrived=True)
            self._open = {place: alarm, **self._open}
        if state == "taken":
            alarm.by = by if by or alarm.told != "taken" else alarm.by
            alarm.told = "taken"
        elif alarm.told != "waiting again":
            alarm.told = "waiting again" if alarm.told == "taken" else "waiting"
        return self._turn(now_ms)

    def heard(self, now_ms: int) -> list[Effect]:
        """Server and database answer."""
        self.heard_at_ms = now_ms
        return self._turn(now_ms)

    def tick(self, now_ms: int) -> list[Effect]:
        for alarm in list(self._open.values()):
            ends_ms = alarm.ends_ms(self.patience)
            if ends_ms is not None and now_ms >= ends_ms:
                del self._open[alarm.place]
        return self._turn(now_ms)

    def due_ms(self, now_ms: int) -> int | None:
        """When `tick` may have something to say by itself."""
        times = [self.heard_at_ms + self.patience.contact_ms]
        newest = self._newest()
        if newest is not None and not newest.is_known_to_server:
            times.append(newest.pressed_at_ms + self.patience.receipt_ms)
            times.append(newest.pressed_at_ms + self.patience.hope_ms)
        times += [at for a in self._open.values() if (at := a.ends_ms(self.patience)) is not None]
        return min((at for at in times if at > now_ms), default=None)

    @property
    def newest(self) -> Place | None:
        """The one that "Jag tryckte fel" is about."""
        newest = self._newest()
        return None if newest is None or newest.is_mistake else newest.place

    def is_open(self, place: Place) -> bool:
        return place in self._open

    @property
    def arrived(self) -> list[Place]:
        """Open, and the server's to tell about; oldest first."""
        return [alarm.place for alarm in self._open.values() if alarm.has_arrived]

    def waits_for_receipt(self) -> bool:
        return any(not alarm.has_arrived for alarm in self._open.values())

    def waiting_ms(self, now_ms: int) -> int:
        """How long the oldest alarm has had no sign from the server; 0 when none has."""
        pressed = [a.pressed_at_ms for a in self._open.values() if not a.is_known_to_server]
        return now_ms - min(pressed, default=now_ms)

    def is_silent(self, now_ms: int) -> bool:
        return now_ms >= self.heard_at_ms + self.patience.contact_ms

    def _newest(self) -> OpenAlarm | None:
        return next(reversed(self._open.values()), None)

    def _closed(self, place: Place, now_ms: int) -> list[Effect]:
        del self._open[place]
        after = self._turn(now_ms)
        return after if self._open else [Spoken(Phrase.CLOSED), *after]

    def _sign(self, now_ms: int) -> Sign:
        newest = self._newest()
        if self.is_silent(now_ms) or (newest is not None and self._is_hopeless(newest, now_ms)):
            return Sign.NO_CONTACT
        return Sign.QUIET if newest is None else newest.sign(now_ms, self.patience)

    def _is_hopeless(self, alarm: OpenAlarm, now_ms: int) -> bool:
        if alarm.is_known_to_server:
            return False
        return not alarm.is_safe or now_ms >= alarm.pressed_at_ms + self.patience.hope_ms

    def _turn(self, now_ms: int, *, is_press: bool = False) -> list[Effect]:
        before, newest = self._shown.sign, self._newest()
        sign = self._sign(now_ms)
        by = newest.by if newest is not None and sign is Sign.TAKEN else ""
        phrase = phrase_of(sign, newest)
        effects: list[Effect] = []
        if self._shown != (shown := Shown(sign, phrase, by)):
            self._shown = shown
            effects.append(shown)
        if before is Sign.NO_CONTACT and sign is not Sign.NO_CONTACT:
            effects.append(Spoken(Phrase.CONTACT_AGAIN))
        if phrase is not None and (is_press or self._is_news(before, sign, newest, by)):
            effects.append(Spoken(phrase, by))
        if newest is not None and sign is not Sign.NO_CONTACT:
            newest.last_said = (sign, by)
        return effects

    @staticmethod
    def _is_news(before: Sign, sign: Sign, newest: OpenAlarm | None, by: str) -> bool:
        if sign is Sign.NO_CONTACT:
            return before is not Sign.NO_CONTACT
        return newest is not None and newest.last_said != (sign, by)


def phrase_of(sign: Sign, newest: OpenAlarm | None) -> Phrase | None:
    """In words; nothing is said about a home where nothing is the matter."""
    match sign:
        case Sign.QUIET:
            return None
        case Sign.NO_CONTACT:
            has_arrived = newest is not None and newest.is_known_to_server
            return Phrase.NO_CONTACT_AFTER_ARRIVAL if has_arrived else Phrase.NO_CONTACT
        case Sign.SENDING | Sign.ARRIVED if newest is not None and newest.is_test:
            return Phrase.TEST_SENDING if sign is Sign.SENDING else Phrase.TEST_ARRIVED
        case _:
            return Phrase(sign.value)

"""What the homes said beside what the database holds: the judge of every fault run.

Pure. A home's own list is written in the transaction that stores the event in the home, so it holds
exactly what the home has promised to bring.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import groupby, pairwise


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """The identity of an event on every retransmission."""

    unit: str
    boot: str
    seq: int


@dataclass(frozen=True, slots=True)
class Said:
    """On a home's own list. `receipted_at`: when the home forgot it; None: it still keeps it."""

    place: Place
    is_alarm: bool
    what: str
    """What tells it from any other: the device's name, else its kind."""
    at: datetime
    receipted_at: datetime | None


@dataclass(frozen=True, slots=True)
class Held:
    """In the database."""

    place: Place
    is_alarm: bool
    what: str
    received_at: datetime


class Wrong(StrEnum):
    LOST = "said and receipted, and the database does not hold it"
    KEPT = "still waits in the home"
    DOUBLED = "held more than once"
    ALTERED = "held as something else than was said"
    INVENTED = "held, and no home has said it"
    TOO_EARLY = "receipted before it was stored"


@dataclass(frozen=True, slots=True)
class Finding:
    wrong: Wrong
    place: Place


def compared(said: Sequence[Said], held: Sequence[Held]) -> list[Finding]:
    """Everything that does not fit, in the order of places; nothing when all is well."""
    times = Counter(one.place for one in held)
    by_place = {one.place: one for one in held}
    spoken = {one.place for one in said}
    found = [Finding(Wrong.INVENTED, place) for place in by_place if place not in spoken]
    found += [Finding(Wrong.DOUBLED, place) for place, count in times.items() if count > 1]
    for one in said:
        found += [Finding(wrong, one.place) for wrong in _wrong(one, by_place.get(one.place))]
    return sorted(found, key=lambda finding: (finding.place, finding.wrong))


def _wrong(said: Said, held: Held | None) -> Iterable[Wrong]:
    if said.receipted_at is None:
        yield Wrong.KEPT
    if held is None:
        if said.receipted_at is not None:
            yield Wrong.LOST
        return
    if (held.what, held.is_alarm) != (said.what, said.is_alarm):
        yield Wrong.ALTERED
    if said.receipted_at is not None and said.receipted_at < held.received_at:
        yield Wrong.TOO_EARLY


def overtaken(held: Sequence[Held]) -> int:
    """How many events came after a later one of the same boot. The order they stand in is that of
    `seq` all the same; without a fault none is overtaken.
    """
    events = sorted((one for one in held if not one.is_alarm), key=lambda one: one.place)
    boots = groupby(events, key=lambda one: (one.place.unit, one.place.boot))
    return sum(
        earlier.received_at > later.received_at
        for _, of_boot in boots
        for earlier, later in pairwise(of_boot)
    )

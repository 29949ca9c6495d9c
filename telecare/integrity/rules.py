"""What makes a reading or a call worth a second look (loggkontroll). Pure: each rule that hits
says why, in values its text can show; a hit is a question, not a fault.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from statistics import median
from uuid import UUID

NEAR = timedelta(minutes=30)
"""A visit, a call, a task or a dispatch so near is a ground."""
MANY_AT_LEAST = 10
TIMES_THE_MEDIAN = 3
ENDS_LATE = timedelta(seconds=4)
"""A home sends at most so long after the end that was set (lease 3 s and its last frame)."""


class Rule(StrEnum):
    ASKED = "asked"
    """The person herself wonders."""
    AFTER_WITHDRAWAL = "after_withdrawal"
    NOT_EMPLOYED = "not_employed"
    TOO_LONG = "too_long"
    BREAK_GLASS = "break_glass"
    NO_ASSIGNMENT = "no_assignment"
    OWN_RELATION = "own_relation"
    PROTECTED_IDENTITY = "protected_identity"
    NOTHING_NEAR = "nothing_near"
    MANY_PEOPLE = "many_people"


NOT_CHECKED = ("same_address", "registered_relative", "outside_roster")
"""Rules on staff's own data: off until the municipality has decided and imported keyed hashes."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What was the case when somebody read about a person, or saw her."""

    was_assigned: bool
    by_break_glass: bool
    """All she had was an opening without a mission."""
    something_near: bool
    relation: str | None
    """Her own stated relation: `relative`, `neighbour`, `conflict`."""
    is_protected: bool
    was_employed: bool
    withdrawn: bool
    """A picture or sound, when the newest word of a party was no."""
    seconds_over: int
    """How much longer a call was open than it was allowed."""


@dataclass(frozen=True, slots=True)
class Hit:
    rule: Rule
    values: Mapping[str, str | int]


def hits(facts: Facts) -> list[Hit]:
    """The gravest first."""
    found: list[tuple[bool, Rule, Mapping[str, str | int]]] = [
        (facts.withdrawn, Rule.AFTER_WITHDRAWAL, {}),
        (not facts.was_employed, Rule.NOT_EMPLOYED, {}),
        (facts.seconds_over > ENDS_LATE.seconds, Rule.TOO_LONG, {"seconds": facts.seconds_over}),
        (facts.by_break_glass, Rule.BREAK_GLASS, {}),
        (not facts.was_assigned, Rule.NO_ASSIGNMENT, {}),
        (facts.relation is not None, Rule.OWN_RELATION, {"relation": facts.relation or ""}),
        (facts.is_protected, Rule.PROTECTED_IDENTITY, {}),
        (not facts.something_near, Rule.NOTHING_NEAR, {"minutes": NEAR.seconds // 60}),
    ]
    return [Hit(rule, values) for is_so, rule, values in found if is_so]


@dataclass(frozen=True, slots=True)
class StaffDay:
    """How many people's cards somebody opened in a day. `roles` as they stand in the records."""

    staff_id: UUID
    day: date
    roles: tuple[str, ...]
    people: int


def many(days: Sequence[StaffDay]) -> dict[tuple[UUID, date], Hit]:
    """Whoever opened at least MANY_AT_LEAST, and TIMES_THE_MEDIAN times what others with the same
    roles did on a day.
    """
    of_roles: dict[tuple[str, ...], list[int]] = {}
    for one in days:
        of_roles.setdefault(one.roles, []).append(one.people)
    found = {}
    for one in days:
        usual = median(of_roles[one.roles])
        if one.people >= MANY_AT_LEAST and one.people > TIMES_THE_MEDIAN * usual:
            values = {"people": one.people, "usual": round(usual)}
            found[one.staff_id, one.day] = Hit(Rule.MANY_PEOPLE, values)
    return found

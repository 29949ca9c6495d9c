"""What makes a reading or a call worth a second look (loggkontroll). Pure: each rule that hits
says why, in values its text can show; a hit is a question, not a fault.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from statistics import median
from typing import Literal
from uuid import UUID

NEAR = timedelta(minutes=30)
"""A visit, a call, an alarm, a task or a dispatch so near is a ground."""
MANY_AT_LEAST = 10
TIMES_THE_MEDIAN = 3
ENDS_LATE = timedelta(seconds=4)
"""A home sends at most so long after the end that was set (lease 3 s and its last frame)."""


class Rule(StrEnum):
    ASKED = "asked"
    """The person herself wonders."""
    COHABITANT_ASKED = "cohabitant_asked"
    """Somebody who lives with her, under whose yes too the home was seen."""
    AFTER_WITHDRAWAL = "after_withdrawal"
    NOT_EMPLOYED = "not_employed"
    TOO_LONG = "too_long"
    BREAK_GLASS = "break_glass"
    NO_ASSIGNMENT = "no_assignment"
    OWN_RELATION = "own_relation"
    PROTECTED_IDENTITY = "protected_identity"
    NOTHING_NEAR = "nothing_near"
    MANY_PEOPLE = "many_people"
    SAME_ADDRESS = "same_address"
    REGISTERED_RELATIVE = "registered_relative"
    OWN_RECORD = "own_record"
    OUTSIDE_ROSTER = "outside_roster"


class StaffRule(StrEnum):
    """Rules on staff's own data: off until the municipality has decided, and only against what was
    sent in.
    """

    SAME_ADDRESS = "same_address"
    REGISTERED_RELATIVE = "registered_relative"
    OUTSIDE_ROSTER = "outside_roster"


Why = Literal[
    "no_decision", "no_data", "other_key", "no_person", "protected", "no_staff_data",
    "no_resident_data", "no_day",
]  # fmt: skip
"""Why something was not compared."""


@dataclass(frozen=True, slots=True)
class Check:
    """What a rule on staff's own data came to: compared with what was sent in on `day`, or not,
    and why.
    """

    rule: StaffRule
    day: date | None = None
    why: Why | None = None


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


@dataclass(frozen=True, slots=True)
class Sent:
    """What a rule on staff's own data has to go by, as of `day`; None when there is nothing, with
    the reason.
    """

    rule: StaffRule
    day: date | None
    why: Why | None


@dataclass(frozen=True, slots=True)
class Compared:
    """How her own data stand to the person, or to the time, of one access."""

    is_about_one: bool
    is_protected: bool
    """She herself or the person: addresses are not compared then."""
    person_has_address: bool
    has_address: bool
    same_address: bool
    has_relatives: bool
    has_national_id: bool
    """The person has; without one no kinship can be seen."""
    is_self: bool
    is_relative: bool
    has_day: bool
    """Some rostered shift of hers touches that day."""
    on_shift: bool


def staff_hits(sent: Sequence[Sent], one: Compared) -> tuple[list[Hit], list[Check]]:
    """What hits, and of each rule what it was held against."""
    found: list[Hit] = []
    checks: list[Check] = []
    for held in sent:
        why = held.why or _not_compared(held.rule, one)
        if why is not None or held.day is None:
            checks.append(Check(held.rule, why=why))
            continue
        checks.append(Check(held.rule, day=held.day))
        values: dict[str, str | int] = {"day": held.day.isoformat()}
        match held.rule:
            case StaffRule.SAME_ADDRESS if one.same_address:
                found.append(Hit(Rule.SAME_ADDRESS, values))
            case StaffRule.REGISTERED_RELATIVE if one.is_self:
                found.append(Hit(Rule.OWN_RECORD, values))
            case StaffRule.REGISTERED_RELATIVE if one.is_relative:
                found.append(Hit(Rule.REGISTERED_RELATIVE, values))
            case StaffRule.OUTSIDE_ROSTER if not one.on_shift:
                minutes = NEAR.seconds // 60
                found.append(Hit(Rule.OUTSIDE_ROSTER, {**values, "minutes": minutes}))
    return found, checks


def _not_compared(rule: StaffRule, one: Compared) -> Why | None:
    reasons: dict[StaffRule, list[tuple[bool, Why]]] = {
        StaffRule.SAME_ADDRESS: [
            (not one.is_about_one, "no_person"),
            (one.is_protected, "protected"),
            (not one.has_address, "no_staff_data"),
            (not one.person_has_address, "no_resident_data"),
        ],
        StaffRule.REGISTERED_RELATIVE: [
            (not one.is_about_one, "no_person"),
            (not one.has_relatives, "no_staff_data"),
            (not one.has_national_id, "no_resident_data"),
        ],
        StaffRule.OUTSIDE_ROSTER: [(not (one.has_day or one.on_shift), "no_day")],
    }
    return next((why for is_so, why in reasons[rule] if is_so), None)

"""Menprövning: what of a person's records is given out, section by section and person by person.

Secret unless it is clear that nobody comes to harm (OSL 26 kap. 1 §): whoever asks for herself gets
what is hers, a third person who has not asked is withheld, anybody else gets nothing by default.
Pure.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

SECTIONS = ("actor", "what", "basis")
"""What is tested as a whole. The subject section opens her own part only, and is always shown."""
SECRECY = "OSL 26 kap. 1 §"
Capacity = Literal[
    "self", "cohabitant", "proxy", "guardian", "estate", "police", "court", "supervision", "other"
]
Kind = Literal["section", "cohabitant", "relative", "representative", "staff", "named"]
Outcome = Literal["full", "partial", "none"]
NEEDS_DOCUMENT = frozenset({"proxy", "guardian", "estate"})
TOLD_BY_DEFAULT = frozenset({"self", "proxy", "guardian", "estate", "court", "supervision"})
"""Who gets the sections unless somebody decides otherwise."""
NAMES_STAFF = re.compile(
    r'"(?:[a-z_]*staff_id|done_by|present)":"[^"]|"kind":"(?:staff|operator|database_login)"'
)
"""What tells who of the staff it was: an actor's kind, and keys of the other sections."""


@dataclass(frozen=True, slots=True)
class Third:
    """Somebody else who may stand in her records."""

    id: UUID
    kind: Kind
    name: str


@dataclass(frozen=True, slots=True)
class HarmTest:
    """`place`: a section's name, or a third person's id. `tester` None: as it is by default; ""
    is one with protected identity.
    """

    place: str
    kind: Kind
    name: str
    gives_out: bool
    statute: str
    reason: str
    tester: str | None = None
    tested_at: datetime | None = None


def by_default(capacity: Capacity, thirds: Iterable[Third]) -> Sequence[HarmTest]:
    tells = capacity in TOLD_BY_DEFAULT
    statute = "" if tells else SECRECY
    sections = [HarmTest(one, "section", "", tells, statute, "") for one in SECTIONS]
    return [*sections, *(of_third(one) for one in thirds)]


def of_third(third: Third) -> HarmTest:
    """She has not asked, and nobody has asked her."""
    return HarmTest(
        str(third.id), third.kind, third.name, gives_out=False, statute=SECRECY, reason=""
    )


Texts = Mapping[str, str]
"""A record's sections by name."""


Withheld = Mapping[int, Mapping[str, str]]
"""By running number, the sections that are not shown, with the statute."""


@dataclass(frozen=True, slots=True)
class Weighed:
    """`hits`: by place, in how many records it is about something."""

    withheld: Withheld
    hits: Mapping[str, int]


def weigh(tests: Sequence[HarmTest], records: Sequence[tuple[int, Texts]]) -> Weighed:
    """Takes a while with many records: not on the loop."""
    withheld: dict[int, dict[str, str]] = {}
    hits = dict.fromkeys((one.place for one in tests), 0)
    for number, texts in records:
        sections = [_Section(one, texts[one]) for one in SECTIONS if one in texts]
        for test in tests:
            touched = [one.name for one in sections if one.is_about(test)]
            hits[test.place] += bool(touched)
            for section in touched if not test.gives_out else ():
                withheld.setdefault(number, {}).setdefault(section, test.statute)
    return Weighed(withheld, hits)


class _Section:
    """One section of a record, and whether a test is about it."""

    __slots__ = ("_lowered", "_names_staff", "_text", "name")

    def __init__(self, name: str, text: str) -> None:
        self.name, self._text = name, text
        self._lowered = text.casefold()
        self._names_staff = NAMES_STAFF.search(text) is not None

    def is_about(self, test: HarmTest) -> bool:
        if test.kind == "section":
            return self._names_staff if test.place == "actor" else test.place == self.name
        return self._names(test)

    def _names(self, test: HarmTest) -> bool:
        """By id, by the whole name, or by the first name where somebody has written freely."""
        name = test.name.casefold()
        if test.place in self._text or name in self._lowered:
            return True
        first = next(iter(name.split()), name)
        is_free = self.name != "actor" and test.kind != "staff"
        return (
            is_free
            and first in self._lowered
            and re.search(rf"\b{re.escape(first)}\b", self._lowered) is not None
        )

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


def withheld(
    tests: Iterable[HarmTest], records: Iterable[tuple[int, Texts]]
) -> dict[int, dict[str, str]]:
    """By running number, the sections that are not shown, with the statute."""
    kept_back = [one for one in tests if not one.gives_out]
    found = {}
    for number, texts in records:
        sections: dict[str, str] = {}
        for test in kept_back:
            for section in touched(test, texts):
                sections.setdefault(section, test.statute)
        if sections:
            found[number] = sections
    return found


def hits(test: HarmTest, records: Iterable[tuple[int, Texts]]) -> int:
    """In how many records it would hide something."""
    return sum(bool(touched(test, texts)) for _, texts in records)


def touched(test: HarmTest, texts: Texts) -> Sequence[str]:
    """The sections of one record that this test is about."""
    present = [section for section in SECTIONS if section in texts]
    if test.kind != "section":
        return [section for section in present if _names(test, section, texts[section])]
    if test.place == "actor":
        return [one for one in present if NAMES_STAFF.search(texts[one])]
    return [one for one in present if one == test.place]


def _names(test: HarmTest, section: str, text: str) -> bool:
    """By id, by the whole name, or by the first name where somebody has written freely."""
    if test.place in text:
        return True
    lowered, name = text.casefold(), test.name.casefold()
    if name in lowered:
        return True
    is_free = section != "actor" and test.kind != "staff"
    first = name.split()[0] if name.split() else ""
    return is_free and bool(first) and re.search(rf"\b{re.escape(first)}\b", lowered) is not None

"""A record as it stands in the log, read back for who reviews it. Names are as written then."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from telecare.audit.format import Document
from telecare.runtime.db import Row

UNREADABLE = "unreadable"
"""Key of a text that is no JSON object: it has been changed, which the check of the log says."""


@dataclass(frozen=True, slots=True)
class Named:
    """Whom a record is about: her running number, and her name as the record has it."""

    id: str
    n: int
    name: str


@dataclass(frozen=True, slots=True)
class Entered:
    """One record. `n` is the number it has for the person it was looked up by."""

    entry_id: int
    at: datetime
    event: str
    actor: Document
    what: Document
    basis: Document
    persons: Sequence[Named]
    has_text: bool = True
    n: int | None = None


def entered(row: Row | dict[str, Any]) -> Entered:
    """From entry_id, recorded_at, event, actor, what, basis, subject, persons (and n)."""
    has_text = row["actor"] is not None
    return Entered(
        entry_id=row["entry_id"],
        at=row["recorded_at"],
        event=row["event"] or "",
        actor=document(row["actor"]),
        what=document(row["what"]),
        basis=document(row["basis"]),
        persons=_persons(row["subject"], row["persons"]),
        has_text=has_text,
        n=row.get("n"),
    )


def document(text: str | None) -> Document:
    if text is None:
        return {}
    try:
        read = json.loads(text)
    except ValueError:
        return {UNREADABLE: text}
    return read if isinstance(read, dict) else {UNREADABLE: text}


def _persons(subject: str | None, parts: Sequence[str] | None) -> Sequence[Named]:
    """Records from before decision 0009 have the persons in the subject section itself."""
    if parts is not None:
        return [_named(document(part)) for part in parts]
    within = document(subject).get("persons")
    listed = within if isinstance(within, list) else []
    return [_named(one) for one in listed if isinstance(one, dict)]


def _named(person: Document) -> Named:
    n = person.get("n")
    return Named(
        str(person.get("id", "")), n if isinstance(n, int) else 0, str(person.get("name", ""))
    )

"""The one way into the log: a record in the action's own transaction (architecture §1.4)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from telecare.audit.format import Document, canonical
from telecare.audit.model import Record, actor_text
from telecare.runtime.db import Transaction

APPEND = "select audit.append($1, $2, $3, $4, $5, $6)"
HAS_ROOM = "select log_has_room($1)"
LONGEST_WAIT = "select coalesce(log_longest_wait(), interval '0')"


async def append(db: Transaction, record: Record) -> int:
    """Enter `record`; returns its entry number. The last thing a transaction does.

    Fails closed: when the record cannot be written, the transaction and its action are undone.
    """
    entry: int = await db.fetchval(
        APPEND,
        str(record.action),
        actor_text(record.actor),
        [person.id for person in record.persons],
        [person.shown_name for person in record.persons],
        canonical(_marked(record)),
        canonical(record.basis),
    )
    return entry


async def append_all(db: Transaction, records: Sequence[Record]) -> None:
    """Enter what several packages did in one use case; by person, so that two such transactions
    take people's running numbers in one order (architecture §1.11).
    """
    for record in sorted(records, key=lambda one: sorted(p.id for p in one.persons)):
        await append(db, record)


def _marked(record: Record) -> Document:
    """Whatever touches somebody with protected identity is looked at by a reviewer."""
    if any(person.is_protected for person in record.persons):
        return {**record.what, "review": "protected_identity"}
    return record.what


async def longest_wait(db: Transaction) -> timedelta:
    """How long the oldest record has waited for its place in the tree, by the log's own clock."""
    waited: timedelta = await db.fetchval(LONGEST_WAIT)
    return waited


async def has_room(db: Transaction, at: datetime) -> bool:
    """Whether records of the month after `at` have a table; without one nothing can be done."""
    there: bool = await db.fetchval(HAS_ROOM, at)
    return there


@dataclass(frozen=True, slots=True)
class Kept:
    """A record as a Refusal carries it: written after the refused work was rolled back."""

    record: Record

    async def write(self, db: Transaction) -> None:
        await append(db, self.record)

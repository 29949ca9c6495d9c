"""Drawing a sample nobody can steer, that anybody can draw anew (docs/privacy.md, "Stickprov").

The seed comes from the first head of the log that an outsider signed after the period, so whoever
acted in the period could not know it, and whoever draws cannot choose it.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

LEAST = 20
"""A sample has so many, or all there are."""
ONE_IN = 20
"""Of many: one in so many."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A record that can be drawn: its place in the log, and whose act it was."""

    log: int
    index: int
    staff_id: UUID


def seed(root: bytes, unit_id: UUID, since: datetime, until: datetime) -> bytes:
    """SHA-256 of the head's root, the unit's 16 bytes, and both ends as seconds since 1970 UTC,
    eight bytes each, big end first.
    """
    ends = b"".join(int(at.timestamp()).to_bytes(8, "big") for at in (since, until))
    return hashlib.sha256(root + unit_id.bytes + ends).digest()


def rank(of: bytes, candidate: Candidate) -> bytes:
    """SHA-256 of the seed, the log's number (4 bytes) and the record's in it (8): low first."""
    place = candidate.log.to_bytes(4, "big") + candidate.index.to_bytes(8, "big")
    return hashlib.sha256(of + place).digest()


def draw(candidates: Sequence[Candidate], of: bytes) -> list[Candidate]:
    """The first of each member of staff, then the first of all until there are enough."""
    ranked = sorted(candidates, key=lambda one: rank(of, one))
    wanted = min(len(ranked), max(LEAST, -(-len(ranked) // ONE_IN)))
    firsts = list({one.staff_id: one for one in reversed(ranked)}.values())
    rest = [one for one in ranked if one not in firsts]
    drawn = firsts + rest[: max(0, wanted - len(firsts))]
    return sorted(drawn, key=lambda one: (one.log, one.index))

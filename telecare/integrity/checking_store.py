"""What a check of a whole log reads: every leaf with its entry and body, and what is beside it."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from telecare.runtime.db import Transaction

BATCH = 4096

LOGS = """
select log, origin, mark, stopped_at is not null as is_stopped
from audit.log
where tenant_id = $1
order by log
"""
PLACES = """
select
    l.leaf_index, l.entry_id, l.hash, e.data, e.recorded_at,
    b.event, b.seed, b.actor, b.basis, b.subject, b.what, b.persons
from audit.leaf l
left join audit.entry e on e.tenant_id = l.tenant_id and e.entry_id = l.entry_id
left join audit.body b on b.tenant_id = l.tenant_id and b.entry_id = l.entry_id
    and b.recorded_at = e.recorded_at
where l.tenant_id = $1 and l.log = $2 and l.leaf_index >= $3
    and ($5::bigint is null or l.leaf_index < $5)
order by l.leaf_index
limit $4
"""
TILES_OF = """
select level, n, hashes, root from audit.tile where tenant_id = $1 and log = $2 order by level, n
"""
CHECKPOINTS = """
select size, root, note, signed_at from audit.checkpoint
where tenant_id = $1 and log = $2
order by size
"""
PASSED_OVER = """
select e.entry_id from audit.entry e
where e.tenant_id = $1
    and e.entry_id <= (select max(mark) from audit.log where tenant_id = $1)
    and not exists (
        select 1 from audit.leaf l where l.tenant_id = e.tenant_id and l.entry_id = e.entry_id
    )
order by e.entry_id
limit $2
"""
FIRST_RECORD = """
select b.event, b.what
from audit.leaf l
join audit.body b on b.tenant_id = l.tenant_id and b.entry_id = l.entry_id
where l.tenant_id = $1 and l.log = $2 and l.leaf_index = 0
"""
STRAY_BODIES = """
select b.entry_id from audit.body b
where b.tenant_id = $1 and not exists (
    select 1 from audit.entry e
    where e.tenant_id = b.tenant_id and e.entry_id = b.entry_id and e.recorded_at = b.recorded_at
)
order by b.entry_id
limit $2
"""
NUMBERS = """
select
    coalesce(s.resident_id, c.resident_id) as resident_id,
    coalesce(array_agg(s.n order by s.n) filter (where s.n is not null), '{}') as numbers,
    c.n as last
from (select resident_id, n from audit.subject_entry where tenant_id = $1) s
full join (select resident_id, n from audit.subject_counter where tenant_id = $1) c
    on c.resident_id = s.resident_id
group by 1, c.n
having count(s.n) <> c.n or max(s.n) is distinct from c.n or min(s.n) <> 1
"""
SUBJECTS = """
select entry_id, resident_id::text, n, actor_id from audit.subject_entry
where tenant_id = $1 and entry_id = any($2)
"""
ERASURES = """
select b.event, b.seed, b.actor, b.basis, b.subject, b.what, b.persons,
    b.entry_id, e.data, e.recorded_at, l.log, l.leaf_index
from audit.body b
join audit.entry e on e.tenant_id = b.tenant_id and e.entry_id = b.entry_id
left join audit.leaf l on l.tenant_id = b.tenant_id and l.entry_id = b.entry_id
where b.tenant_id = $1 and b.event = 'record.erased'
order by b.entry_id
"""
WITH_TEXT = """
select l.leaf_index
from unnest($3::bigint[], $4::bigint[]) as r (first, last)
join audit.leaf l on l.tenant_id = $1 and l.log = $2 and l.leaf_index between r.first and r.last
join audit.entry e on e.tenant_id = l.tenant_id and e.entry_id = l.entry_id
join audit.body b on b.tenant_id = l.tenant_id and b.entry_id = l.entry_id
    and b.recorded_at = e.recorded_at
order by l.leaf_index
limit $5
"""


@dataclass(frozen=True, slots=True)
class LogToCheck:
    log: int
    origin: str
    mark: int
    is_stopped: bool


class Body(NamedTuple):
    """A record's texts, by section in the order of SECTIONS, and its persons' own parts."""

    event: str
    seed: bytes
    actor: str
    basis: str
    subject: str
    what: str
    persons: Sequence[str] | None

    @property
    def texts(self) -> tuple[str, str, str, str]:
        return self.actor, self.basis, self.subject, self.what


class PlaceToCheck(NamedTuple):
    """A leaf, and the entry and body that are there for it, if they are."""

    leaf_index: int
    entry_id: int
    leaf: bytes
    """Its hash."""
    data: bytes | None
    recorded_at: datetime | None
    body: Body | None


class Subject(NamedTuple):
    """What the index of people says of a record: whom it is about, her number, whose act it was
    (None: the system's own, or erased).
    """

    resident: str
    n: int
    actor: str | None


@dataclass(frozen=True, slots=True)
class ErasureToCheck:
    """A record of an erasure, also one that waits for its place."""

    about: str
    data: bytes
    recorded_at: datetime
    body: Body


async def erasures(db: Transaction) -> Sequence[ErasureToCheck]:
    """All that there are now."""
    return [
        ErasureToCheck(
            f"entry {row['entry_id']}"
            if row["log"] is None
            else f"log {row['log']} record {row['leaf_index']}",
            row["data"],
            row["recorded_at"],
            Body(*row[:7]),
        )
        for row in await db.fetch(ERASURES, db.tenant)
    ]


async def with_text(
    db: Transaction, log: int, spans: Sequence[tuple[int, int]], limit: int
) -> Sequence[int]:
    """Leaves in these spans whose text is there now."""
    if not spans:
        return []
    firsts, lasts = [first for first, _ in spans], [last for _, last in spans]
    rows = await db.fetch(WITH_TEXT, db.tenant, log, firsts, lasts, limit)
    return [row["leaf_index"] for row in rows]


async def logs(db: Transaction) -> Sequence[LogToCheck]:
    return [LogToCheck(*row) for row in await db.fetch(LOGS, db.tenant)]


async def first_record(db: Transaction, log: int) -> tuple[str, str] | None:
    """Its action and what it says; None: it is not there."""
    row = await db.fetchrow(FIRST_RECORD, db.tenant, log)
    return None if row is None else (row["event"], row["what"])


async def places(
    db: Transaction, log: int, first: int, end: int | None
) -> AsyncIterator[Sequence[PlaceToCheck]]:
    """Leaves in order from the first, up to but without `end`, a batch at a time."""
    while rows := await db.fetch(PLACES, db.tenant, log, first, BATCH, end):
        yield [
            PlaceToCheck(
                leaf_index, entry_id, leaf, data, recorded_at,
                Body(*body) if body[0] is not None else None,
            )
            for leaf_index, entry_id, leaf, data, recorded_at, *body in rows
        ]  # fmt: skip
        first = rows[-1]["leaf_index"] + 1


async def stay(db: Transaction) -> None:
    """Asks for nothing: a transaction that does not is closed as idle."""
    await db.fetchval("select 1")


async def tiles(db: Transaction, log: int) -> dict[tuple[int, int], tuple[bytes, bytes]]:
    """Hashes and root of each full tile, by level and number."""
    rows = await db.fetch(TILES_OF, db.tenant, log)
    return {(row["level"], row["n"]): (row["hashes"], row["root"]) for row in rows}


async def checkpoints(db: Transaction, log: int) -> Sequence[tuple[int, bytes, str]]:
    """Size, root and note of every head that was signed, smallest first."""
    rows = await db.fetch(CHECKPOINTS, db.tenant, log)
    return [(row["size"], row["root"], row["note"]) for row in rows]


async def passed_over(db: Transaction, limit: int) -> Sequence[int]:
    """Entries whose number lies below the mark, and which are in no tree."""
    return [row["entry_id"] for row in await db.fetch(PASSED_OVER, db.tenant, limit)]


async def stray_bodies(db: Transaction, limit: int) -> Sequence[int]:
    """Bodies that no entry speaks of."""
    return [row["entry_id"] for row in await db.fetch(STRAY_BODIES, db.tenant, limit)]


async def broken_numbers(db: Transaction) -> Sequence[tuple[UUID, Sequence[int], int | None]]:
    """Residents whose running numbers are not 1 to the last: those there are, and the counter."""
    rows = await db.fetch(NUMBERS, db.tenant)
    return [(row["resident_id"], row["numbers"], row["last"]) for row in rows]


async def subjects(db: Transaction, entries: Sequence[int]) -> dict[int, set[Subject]]:
    """Whom the index of people finds each entry by."""
    found: dict[int, set[Subject]] = {}
    for entry, *subject in await db.fetch(SUBJECTS, db.tenant, entries):
        found.setdefault(entry, set()).add(Subject(*subject))
    return found

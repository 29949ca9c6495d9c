"""What an extract is made of: a person's records with their texts, and their places in the logs."""

from collections.abc import Sequence
from dataclasses import dataclass

from telecare.integrity.tree_store import Signed
from telecare.runtime.db import Transaction
from telecare.wire.ids import ResidentId

OF_PERSON = """
select s.n, l.log, l.leaf_index, e.data, b.seed, b.actor, b.basis, b.subject, b.what, b.persons
from audit.subject_entry s
join audit.leaf l on l.tenant_id = s.tenant_id and l.entry_id = s.entry_id
join audit.entry e on e.tenant_id = s.tenant_id and e.entry_id = s.entry_id
left join audit.body b on b.tenant_id = s.tenant_id and b.entry_id = s.entry_id
    and b.recorded_at = s.recorded_at
where s.tenant_id = $1 and s.resident_id = $2 and s.n between $3 and $4
order by s.n
"""
TEXTS = """
select s.n, b.actor, b.basis, b.what
from audit.subject_entry s
left join audit.body b on b.tenant_id = s.tenant_id and b.entry_id = s.entry_id
    and b.recorded_at = s.recorded_at
where s.tenant_id = $1 and s.resident_id = $2 and s.n between $3 and $4
order by s.n
"""
ERASURES = """
select null::bigint, l.log, l.leaf_index, e.data, b.seed, b.actor, b.basis, b.subject, b.what,
    b.persons
from audit.body b
join audit.leaf l on l.tenant_id = b.tenant_id and l.entry_id = b.entry_id
join audit.entry e on e.tenant_id = b.tenant_id and e.entry_id = b.entry_id
where b.tenant_id = $1 and b.event = 'record.erased'
order by b.entry_id
"""
HEADS = """
select distinct on (c.log) c.log, g.origin, c.size, c.root, c.note, c.signed_at
from audit.checkpoint c
join audit.log g using (tenant_id, log)
where c.tenant_id = $1
order by c.log, c.size desc
"""
WITNESSED = """
select c.log, c.size, c.root, c.note, c.signed_at
from audit.checkpoint c
where c.tenant_id = $1 and exists (
    select from audit.cosignature w
    where w.tenant_id = c.tenant_id and w.log = c.log and w.size = c.size and w.witness = any($2)
)
order by c.log, c.size desc
limit 100
"""
BEFORE = """
select c.size, c.root, c.note, c.signed_at
from audit.checkpoint c
where c.tenant_id = $1 and c.log = $2 and c.size between 1 and $3 and exists (
    select from audit.cosignature w
    where w.tenant_id = c.tenant_id and w.log = c.log and w.size = c.size and w.witness = any($4)
)
order by c.size desc
limit 1
"""
SEAMS = """
select null::bigint, l.log, l.leaf_index, e.data, b.seed, b.actor, b.basis, b.subject, b.what,
    b.persons
from audit.leaf l
join audit.entry e on e.tenant_id = l.tenant_id and e.entry_id = l.entry_id
join audit.body b on b.tenant_id = l.tenant_id and b.entry_id = l.entry_id
where l.tenant_id = $1 and l.log > 1 and l.leaf_index = 0 and b.event = 'log.reopened'
order by l.log
"""
KEYS = """
select k.public_key
from audit.log_key k
join audit.leaf l using (tenant_id, entry_id)
where k.tenant_id = $1
order by l.log, l.leaf_index
"""


@dataclass(frozen=True, slots=True)
class Kept:
    """A record and its place. `n` is None of a record that is not about her; `seed` of an erased
    one. Sections by name; `persons` are the parts the subject section commits to.
    """

    n: int | None
    log: int
    index: int
    entry: bytes
    seed: bytes | None
    texts: dict[str, str]
    persons: Sequence[str]


@dataclass(frozen=True, slots=True)
class Head:
    log: int
    origin: str
    signed: Signed


async def of_person(db: Transaction, resident: ResidentId, first: int, last: int) -> Sequence[Kept]:
    """Her records of those numbers, as far as they have a place in a log."""
    return [_kept(*row) for row in await db.fetch(OF_PERSON, db.tenant, resident, first, last)]


async def texts(
    db: Transaction, resident: ResidentId, first: int, last: int
) -> Sequence[tuple[int, dict[str, str]]]:
    """What her records of those numbers say, with a place or without; empty: erased."""
    rows = await db.fetch(TEXTS, db.tenant, resident, first, last)
    return [
        (n, {"actor": actor, "basis": basis, "what": what} if actor is not None else {})
        for n, actor, basis, what in rows
    ]


async def erasures(db: Transaction) -> Sequence[Kept]:
    return [_kept(*row) for row in await db.fetch(ERASURES, db.tenant)]


def _kept(
    n: int | None,
    log: int,
    index: int,
    entry: bytes,
    seed: bytes | None,
    actor: str,
    basis: str,
    subject: str,
    what: str,
    persons: Sequence[str] | None,
) -> Kept:
    texts = {"actor": actor, "basis": basis, "subject": subject, "what": what}
    return Kept(n, log, index, entry, seed, texts if seed else {}, persons or ())


async def heads(db: Transaction) -> Sequence[Head]:
    """The newest head of each log."""
    rows = await db.fetch(HEADS, db.tenant)
    return [
        Head(log, origin, Signed(size, root, note, signed_at))
        for log, origin, size, root, note, signed_at in rows
    ]


async def witnessed(db: Transaction, witnesses: Sequence[str]) -> Sequence[tuple[int, Signed]]:
    """Log and head of those that one of these witnesses has signed, newest first."""
    rows = await db.fetch(WITNESSED, db.tenant, witnesses)
    return [(log, Signed(*signed)) for log, *signed in rows]


async def before(db: Transaction, log: int, index: int, witnesses: Sequence[str]) -> Signed | None:
    """The newest head without that leaf that one of these witnesses has signed."""
    row = await db.fetchrow(BEFORE, db.tenant, log, index, witnesses)
    return Signed(*row) if row else None


async def seams(db: Transaction) -> Sequence[Kept]:
    """The first record of each log that follows another."""
    return [_kept(*row) for row in await db.fetch(SEAMS, db.tenant)]


async def keys(db: Transaction) -> Sequence[bytes]:
    """Public keys of the log, in the order in which they were announced."""
    return [row["public_key"] for row in await db.fetch(KEYS, db.tenant)]

"""The log's tree in PostgreSQL: logs, leaves, tiles, checkpoints (docs/decisions/0009)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from telecare.audit.tree import (
    HASH_BYTES,
    TILE_HEIGHT,
    TILE_WIDTH,
    Edge,
    Node,
    Range,
    Tile,
    hashes,
    in_tile,
    nodes,
    root_of,
    stored_nodes,
)
from telecare.runtime.db import Transaction
from telecare.wire.ids import TenantId

LOCK_CLASS = 0x7463
"""First half of the advisory lock's key; the tenant is the other."""

TENANTS = """
select t.id, t.slug, exists (
    select 1 from audit.entry e where e.tenant_id = t.id and e.entry_id > coalesce(newest.mark, 0)
) and newest.stopped_at is null as has_news
from tenant t
left join lateral (
    select l.mark, l.stopped_at
    from audit.log l
    where l.tenant_id = t.id
    order by l.log desc
    limit 1
) newest on true
order by t.id
"""
HOLD = """
select pg_try_advisory_xact_lock($1, $2)
"""
NEWEST_LOG = """
select log, origin, first_entry, mark, stopped_at
from audit.log
where tenant_id = $1
order by log desc
limit 1
"""
OPEN_LOG = """
insert into audit.log (tenant_id, log, origin, first_entry, opened_at)
values ($1, $2, $3, $4, $5)
"""
STOP_LOG = """
update audit.log set stopped_at = $3, stopped_because = $4
where tenant_id = $1 and log = $2 and stopped_at is null
"""
SIZE = """
select coalesce(max(leaf_index) + 1, 0) from audit.leaf where tenant_id = $1 and log = $2
"""
SNAPSHOT = """
select
    pg_snapshot_xmin(pg_current_snapshot())::text::bigint as xmin,
    pg_snapshot_xmax(pg_current_snapshot())::text::bigint as xmax,
    array(select x::text::bigint from pg_snapshot_xip(pg_current_snapshot()) as x) as open
"""
OWN_TRANSACTION = "select pg_current_xact_id()::text::bigint"
NEW = """
select e.entry_id, e.data
from audit.entry e
where e.tenant_id = $1 and e.entry_id > $2
order by e.entry_id
limit $3
"""
HIGHEST = """
select coalesce(max(entry_id), 0) from audit.leaf where tenant_id = $1
"""
LATE = """
select e.entry_id, e.data
from audit.entry e
where e.tenant_id = $1 and e.entry_id > $2 and e.entry_id <= $3
    and e.xid::text::bigint = any($4::bigint[])
    and not exists (
        select 1 from audit.leaf l where l.tenant_id = e.tenant_id and l.entry_id = e.entry_id
    )
order by e.entry_id
"""
WAITING = """
select e.entry_id, e.data
from audit.entry e
where e.tenant_id = $1 and e.entry_id > $2
    and not exists (
        select 1 from audit.leaf l where l.tenant_id = e.tenant_id and l.entry_id = e.entry_id
    )
order by (e.entry_id = $4) desc, e.entry_id
limit $3
"""
ADD_LEAVES = """
insert into audit.leaf (tenant_id, log, leaf_index, entry_id, hash)
select $1, $2, $3 + w.ordinal - 1, w.entry_id, w.hash
from unnest($4::bigint[], $5::bytea[]) with ordinality as w (entry_id, hash, ordinal)
"""
ADD_TILES = """
insert into audit.tile (tenant_id, log, level, n, hashes, root)
select $1, $2, w.level, w.n, w.hashes, w.root
from unnest($3::int[], $4::bigint[], $5::bytea[], $6::bytea[]) as w (level, n, hashes, root)
"""
MOVE_MARK = """
update audit.log set mark = $3 where tenant_id = $1 and log = $2 and mark < $3
"""
FULL_TILES = """
select t.level, t.n, t.hashes
from unnest($3::int[], $4::bigint[]) as w (level, n)
cross join lateral (
    select t.level, t.n, t.hashes from audit.tile t
    where t.tenant_id = $1 and t.log = $2 and t.level = w.level and t.n = w.n
    limit 1
) t
"""
"""One by one by the index, whatever the planner believes of a table that grows fast."""
LEAVES = """
select hash from audit.leaf
where tenant_id = $1 and log = $2 and leaf_index >= $3 and leaf_index < $4
order by leaf_index
"""
ROOTS = """
select root from audit.tile
where tenant_id = $1 and log = $2 and level = $3 and n >= $4 and n < $5
order by n
"""
NEWEST_CHECKPOINT = """
select size, root, note, signed_at
from audit.checkpoint
where tenant_id = $1 and log = $2
order by size desc
limit 1
"""
ADD_CHECKPOINT = """
insert into audit.checkpoint (tenant_id, log, size, root, note, signed_at)
values ($1, $2, $3, $4, $5, $6)
"""
KEY_ENTRY = """
select entry_id from audit.log_key where tenant_id = $1 and public_key = $2
"""
ADD_KEY = """
insert into audit.log_key (tenant_id, public_key, entry_id) values ($1, $2, $3)
"""
KEY_PLACE = """
select l.log, l.leaf_index
from audit.log_key k join audit.leaf l using (tenant_id, entry_id)
where k.tenant_id = $1 and k.public_key = $2
"""


class TreeIncomplete(Exception):
    """Leaves or tiles that must be there are not."""


@dataclass(frozen=True, slots=True)
class Log:
    """One of a municipality's logs; `mark`: every entry up to it is a leaf or never was."""

    log: int
    origin: str
    first_entry: int | None
    mark: int
    stopped_at: datetime | None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Transactions below `xmin` are over; of those up to `xmax`, these were `open`; `xmax` follows
    the youngest that was over, so that younger ones may have been writing too, and are not listed.
    """

    xmin: int
    xmax: int
    open: frozenset[int]

    def is_over(self, transaction: int) -> bool:
        return transaction < self.xmax and transaction not in self.open

    def not_over_below(self, transaction: int) -> frozenset[int]:
        """All that are older than `transaction`, and whose end this snapshot did not see."""
        return self.open | frozenset(range(self.xmax, transaction))


@dataclass(frozen=True, slots=True)
class Signed:
    """A checkpoint as it was signed."""

    size: int
    root: bytes
    note: str
    signed_at: datetime


async def tenants(db: Transaction) -> Sequence[tuple[TenantId, str, bool]]:
    """Every municipality, its short name, and whether a record may wait there."""
    return [(TenantId(row["id"]), row["slug"], row["has_news"]) for row in await db.fetch(TENANTS)]


async def hold(db: Transaction) -> bool:
    """Be the only one who sequences this municipality until the transaction ends; False: another
    does."""
    held: bool = await db.fetchval(HOLD, LOCK_CLASS, db.tenant)
    return held


async def newest_log(db: Transaction) -> Log | None:
    row = await db.fetchrow(NEWEST_LOG, db.tenant)
    return None if row is None else Log(*row)


async def open_log(
    db: Transaction, log: int, origin: str, first_entry: int | None, now: datetime
) -> None:
    await db.execute(OPEN_LOG, db.tenant, log, origin, first_entry, now)


async def stop_log(db: Transaction, log: int, because: str, now: datetime) -> None:
    """`because` is a JSON document. What has stopped stays stopped for the first reason."""
    await db.execute(STOP_LOG, db.tenant, log, now, because)


async def size(db: Transaction, log: int) -> int:
    found: int = await db.fetchval(SIZE, db.tenant, log)
    return found


async def snapshot(db: Transaction) -> Snapshot:
    row = await db.fetchrow(SNAPSHOT)
    assert row is not None  # noqa: S101 - a select without a table has one row
    return Snapshot(row["xmin"], row["xmax"], frozenset(row["open"]))


async def own_transaction(db: Transaction) -> int:
    """This transaction's number; whoever has taken a number in the log by now has a lower one."""
    number: int = await db.fetchval(OWN_TRANSACTION)
    return number


async def new(db: Transaction, after: int, limit: int) -> Sequence[tuple[int, bytes]]:
    """Entries with a higher number than any that was seen."""
    rows = await db.fetch(NEW, db.tenant, after, limit)
    return [(row["entry_id"], row["data"]) for row in rows]


async def highest(db: Transaction) -> int:
    """The highest number of an entry that is a leaf; 0: none is."""
    found: int = await db.fetchval(HIGHEST, db.tenant)
    return found


async def late(
    db: Transaction, log: Log, highest: int, over: Iterable[int]
) -> Sequence[tuple[int, bytes]]:
    """Entries of transactions that were open when higher numbers were seen, and are `over` now."""
    rows = await db.fetch(LATE, db.tenant, log.mark, highest, list(over))
    return [(row["entry_id"], row["data"]) for row in rows]


async def waiting(db: Transaction, log: Log, limit: int) -> Sequence[tuple[int, bytes]]:
    """Entries in no log yet, with the bytes to hash: the record that opened this log first."""
    rows = await db.fetch(WAITING, db.tenant, log.mark, limit, log.first_entry or 0)
    return [(row["entry_id"], row["data"]) for row in rows]


async def add_leaves(
    db: Transaction, log: int, first: int, entries: Sequence[int], leaves: Sequence[bytes]
) -> None:
    await db.execute(ADD_LEAVES, db.tenant, log, first, entries, leaves)


async def add_tiles(db: Transaction, log: int, tiles: Sequence[Tile]) -> None:
    await db.execute(
        ADD_TILES,
        db.tenant,
        log,
        [tile.level for tile in tiles],
        [tile.n for tile in tiles],
        [tile.hashes for tile in tiles],
        [tile.root for tile in tiles],
    )


async def move_mark(db: Transaction, log: int, mark: int) -> None:
    await db.execute(MOVE_MARK, db.tenant, log, mark)


async def newest_checkpoint(db: Transaction, log: int) -> Signed | None:
    row = await db.fetchrow(NEWEST_CHECKPOINT, db.tenant, log)
    return None if row is None else Signed(*row)


async def add_checkpoint(db: Transaction, log: int, signed: Signed) -> None:
    await db.execute(
        ADD_CHECKPOINT, db.tenant, log, signed.size, signed.root, signed.note, signed.signed_at
    )


async def key_entry(db: Transaction, public_key: bytes) -> int | None:
    """The record that announced it."""
    entry: int | None = await db.fetchval(KEY_ENTRY, db.tenant, public_key)
    return entry


async def add_key(db: Transaction, public_key: bytes, entry: int) -> None:
    await db.execute(ADD_KEY, db.tenant, public_key, entry)


async def key_place(db: Transaction, public_key: bytes) -> tuple[int, int] | None:
    """The log and the leaf of the record that announced it; None while it is no leaf."""
    row = await db.fetchrow(KEY_PLACE, db.tenant, public_key)
    return None if row is None else (row["log"], row["leaf_index"])


# --- hashes of the tree ---------------------------------------------------------------------------


async def edge(db: Transaction, log: int) -> Edge:
    """The right edge, from leaves and tile roots. Raises TreeIncomplete."""
    leaves = await size(db, log)
    levels: list[list[bytes]] = []
    count = leaves
    while count or not levels:
        row = await _row(db, log, len(levels), count // TILE_WIDTH)
        if len(row) != count % TILE_WIDTH:
            raise TreeIncomplete
        levels.append(row)
        count //= TILE_WIDTH
    return Edge(levels, leaves)


async def _row(db: Transaction, log: int, level: int, n: int) -> list[bytes]:
    """What tile `n` of `level` holds or will hold, from what lies below it."""
    first, end = n * TILE_WIDTH, (n + 1) * TILE_WIDTH
    if level == 0:
        rows = await db.fetch(LEAVES, db.tenant, log, first, end)
        return [row["hash"] for row in rows]
    rows = await db.fetch(ROOTS, db.tenant, log, level - 1, first, end)
    return [row["root"] for row in rows]


async def proofs(db: Transaction, log: int, wanted: Sequence[Sequence[Range]]) -> list[list[bytes]]:
    """The hashes over ranges of leaves, a list for each proof. Raises TreeIncomplete."""
    below = {
        stored
        for ranges in wanted
        for each in ranges
        for node in nodes(each)
        for stored in stored_nodes(node)
    }
    found = await _read(db, log, below)
    return [hashes(ranges, found.__getitem__) for ranges in wanted]


async def tile(db: Transaction, log: int, level: int, n: int, width: int) -> bytes:
    """The first `width` hashes of a tile, packed. Raises TreeIncomplete."""
    rows = await db.fetch(FULL_TILES, db.tenant, log, [level], [n])
    packed: bytes = rows[0]["hashes"] if rows else b"".join(await _row(db, log, level, n))
    if len(packed) < width * HASH_BYTES:
        raise TreeIncomplete
    return packed[: width * HASH_BYTES]


async def root_at(db: Transaction, log: int, leaves: int) -> bytes:
    """The root when the log had so many leaves. Raises TreeIncomplete."""
    found = await _read(
        db, log, {below for node in nodes((0, leaves)) for below in stored_nodes(node)}
    )
    return root_of((0, leaves), found.__getitem__)


async def _read(db: Transaction, log: int, wanted: Iterable[Node]) -> dict[Node, bytes]:
    """Raises TreeIncomplete."""
    wanted = set(wanted)
    places = sorted({(height // TILE_HEIGHT, index // TILE_WIDTH) for height, index in wanted})
    rows = await db.fetch(
        FULL_TILES, db.tenant, log, [level for level, _ in places], [n for _, n in places]
    )
    tiles = {(row["level"], row["n"]): row["hashes"] for row in rows}
    for level, n in places:
        if (level, n) not in tiles:
            tiles[level, n] = b"".join(await _row(db, log, level, n))
    found = {}
    for height, index in wanted:
        packed = tiles[height // TILE_HEIGHT, index // TILE_WIDTH]
        at = index % TILE_WIDTH
        if len(packed) < (at + 1) * HASH_BYTES:
            raise TreeIncomplete
        found[height, index] = in_tile(packed, at)
    return found

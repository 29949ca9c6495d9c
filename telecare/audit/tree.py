"""The Merkle tree over a log's leaves (RFC 6962 §2.1), kept in tiles of 256 hashes.

Tiles and their addresses: C2SP tlog-tiles. Pure: the caller reads and keeps.
"""

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

HASH_BYTES = 32
TILE_HEIGHT = 8
TILE_WIDTH = 1 << TILE_HEIGHT
"""Hashes in a full tile."""
NODE_PREFIX = b"\x01"
MAX_LEVEL = 7
"""256**8 leaves are more than there will be."""
_TILE_PATH = re.compile(
    r"tile/(0|[1-9][0-9]?)/((?:x[0-9]{3}/){0,4}[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?"
)
EMPTY_ROOT = hashlib.sha256(b"").digest()

Range = tuple[int, int]
"""Leaves from the first, up to but without the second."""
Node = tuple[int, int]
"""A complete subtree: its height, and how many of that height lie left of it."""
Stored = Callable[[Node], bytes]
"""The hash of a complete subtree; its height is a multiple of TILE_HEIGHT."""


class NotInTree(ValueError):
    """An index, a size or a hash that does not belong to the tree."""


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(NODE_PREFIX + left + right).digest()


def fold(hashes: Sequence[bytes]) -> bytes:
    """The root over 2**k neighbours of the same height."""
    sha256 = hashlib.sha256
    row = hashes
    while len(row) > 1:
        row = [sha256(NODE_PREFIX + row[at] + row[at + 1]).digest() for at in range(0, len(row), 2)]
    return row[0]


# --- growing --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Tile:
    """A full tile: hashes of complete subtrees of height `level * TILE_HEIGHT`, and their root."""

    level: int
    n: int
    hashes: bytes
    root: bytes

    @property
    def end(self) -> int:
        """How many leaves there are when it is full."""
        return (self.n + 1) << (TILE_HEIGHT * (self.level + 1))


@dataclass(slots=True)
class Edge:
    """The right edge of a growing tree: what no full tile holds yet, lowest level first."""

    levels: list[list[bytes]] = field(default_factory=lambda: [[]])
    size: int = 0

    def append(self, leaves: Sequence[bytes]) -> list[Tile]:
        """Take in leaf hashes; the tiles that became full, lower ones before those above."""
        full: list[Tile] = []
        at = 0
        while at < len(leaves):
            lowest = self.levels[0]
            taken = leaves[at : at + TILE_WIDTH - len(lowest)]
            lowest += taken
            at += len(taken)
            self.size += len(taken)
            if len(lowest) == TILE_WIDTH:
                self._fill(0, full)
        return full

    def _fill(self, level: int, full: list[Tile]) -> None:
        hashes = self.levels[level]
        root = fold(hashes)
        n = (self.size >> (TILE_HEIGHT * (level + 1))) - 1
        full.append(Tile(level, n, b"".join(hashes), root))
        self.levels[level] = []
        if level + 1 == len(self.levels):
            self.levels.append([])
        self.levels[level + 1].append(root)
        if len(self.levels[level + 1]) == TILE_WIDTH:
            self._fill(level + 1, full)

    def root(self) -> bytes:
        held = self.levels

        def stored(node: Node) -> bytes:
            height, index = node
            return held[height // TILE_HEIGHT][index % TILE_WIDTH]

        return root_of((0, self.size), stored)


# --- which hashes an answer needs -----------------------------------------------------------------


def nodes(of: Range) -> Iterator[Node]:
    """The largest complete subtrees that cover `of`, from the left."""
    at, end = of
    while at < end:
        height = (end - at).bit_length() - 1
        if at:
            height = min(height, (at & -at).bit_length() - 1)
        yield height, at >> height
        at += 1 << height


def stored_nodes(node: Node) -> Iterator[Node]:
    """The nodes a tile keeps from which `node` is folded: itself, or up to 128 below it."""
    height, index = node
    above = height % TILE_HEIGHT
    first = index << above
    for at in range(first, first + (1 << above)):
        yield height - above, at


def root_of(of: Range, stored: Stored) -> bytes:
    """The hash over a range of leaves whose start is a multiple of its largest subtree's size."""
    parts = [fold([stored(one) for one in stored_nodes(node)]) for node in nodes(of)]
    if not parts:
        return EMPTY_ROOT
    root = parts.pop()
    while parts:
        root = node_hash(parts.pop(), root)
    return root


def _split(of: Range) -> int:
    """Where RFC 6962 §2.1 parts a range of two leaves or more."""
    start, end = of
    return start + (1 << ((end - start - 1).bit_length() - 1))


def inclusion(index: int, size: int) -> list[Range]:
    """The ranges whose hashes prove that leaf `index` is in the tree of `size`: RFC 6962 §2.1.1.

    Raises NotInTree.
    """
    if not 0 <= index < size:
        raise NotInTree(f"leaf {index} of {size}")
    here, found = (0, size), []
    while here[1] - here[0] > 1:
        middle = _split(here)
        left, right = (here[0], middle), (middle, here[1])
        here, beside = (left, right) if index < middle else (right, left)
        found.append(beside)
    return found[::-1]


def consistency(old: int, size: int) -> list[Range]:
    """The ranges whose hashes prove that the tree of `size` begins with that of `old`: §2.1.2.

    Raises NotInTree.
    """
    if not 0 <= old <= size:
        raise NotInTree(f"{old} leaves before {size}")
    if old in {0, size}:
        return []
    here, found, is_old_known = (0, size), [], True
    while here[1] != old:
        middle = _split(here)
        if old <= middle:
            found.append((middle, here[1]))
            here = (here[0], middle)
        else:
            found.append((here[0], middle))
            here, is_old_known = (middle, here[1]), False
    return ([] if is_old_known else [here]) + found[::-1]


def hashes(ranges: Sequence[Range], stored: Stored) -> list[bytes]:
    """A proof: one hash for each range."""
    return [root_of(each, stored) for each in ranges]


# --- checking -------------------------------------------------------------------------------------


def check_inclusion(
    leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes
) -> None:
    """Raises NotInTree unless `proof` shows `leaf` at `index` in the tree of `size` and `root`."""
    if _climbed((index, leaf), _paired(inclusion(index, size), proof))[1] != root:
        raise NotInTree("another root")


def check_consistency(
    old: int, old_root: bytes, size: int, root: bytes, proof: Sequence[bytes]
) -> None:
    """Raises NotInTree unless the tree of `size` begins with the one of `old`."""
    steps = _paired(consistency(old, size), proof)
    if old == 0:
        found = (EMPTY_ROOT, root)
    elif steps and steps[0][0] < old:
        start, known = steps[0]
        found = _climbed((start, known), steps[1:])
    else:
        found = _climbed((0, old_root), steps)
    if found != (old_root, root):
        raise NotInTree("another root")


def _paired(ranges: Sequence[Range], proof: Sequence[bytes]) -> list[tuple[int, bytes]]:
    if len(ranges) != len(proof):
        raise NotInTree("a hash too many" if len(proof) > len(ranges) else "a hash is missing")
    return [(start, given) for (start, _), given in zip(ranges, proof, strict=True)]


def _climbed(start: tuple[int, bytes], steps: Sequence[tuple[int, bytes]]) -> tuple[bytes, bytes]:
    """The root over what lies left of the starting subtree's end, and the root over all."""
    here, left = start
    whole = left
    for at, beside in steps:
        if at < here:
            here, left, whole = at, node_hash(beside, left), node_hash(beside, whole)
        else:
            whole = node_hash(whole, beside)
    return left, whole


# --- tiles by their address (C2SP tlog-tiles) -----------------------------------------------------


def tile_path(level: int | str, n: int, width: int = TILE_WIDTH) -> str:
    """`tile/0/x001/234`, with `.p/17` behind a tile that holds only so many hashes."""
    groups = [n % 1000]
    while n := n // 1000:
        groups.append(n % 1000)
    *above, last = [f"{group:03}" for group in reversed(groups)]
    address = "/".join([f"x{group}" for group in above] + [last])
    partial = "" if width == TILE_WIDTH else f".p/{width}"
    return f"tile/{level}/{address}{partial}"


def width_of(level: int, n: int, size: int) -> int:
    """How many hashes that tile holds in a tree of `size`; 0: there is none."""
    held = (size >> (TILE_HEIGHT * level)) - n * TILE_WIDTH
    return max(0, min(held, TILE_WIDTH))


def tiles(size: int) -> Iterator[tuple[int, int, int]]:
    """Level, number and width of each tile of a tree of that size, lowest level first."""
    level, count = 0, size
    while count:
        for n in range(count // TILE_WIDTH):
            yield level, n, TILE_WIDTH
        if count % TILE_WIDTH:
            yield level, count // TILE_WIDTH, count % TILE_WIDTH
        level, count = level + 1, count // TILE_WIDTH


def read_tile_path(path: str) -> tuple[int, int, int]:
    """Level, number and width. Raises NotInTree for any other way of writing an address."""
    match = _TILE_PATH.fullmatch(path)
    if match is None:
        raise NotInTree(path)
    level, groups, partial = match.groups()
    n = int(groups.replace("x", "").replace("/", ""))
    width = int(partial) if partial else TILE_WIDTH
    if int(level) > MAX_LEVEL or tile_path(level, n, width) != path:
        raise NotInTree(path)
    return int(level), n, width


def in_tile(packed: bytes, at: int) -> bytes:
    return packed[at * HASH_BYTES : (at + 1) * HASH_BYTES]

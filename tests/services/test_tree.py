"""The Merkle tree: the roots and proofs of RFC 6962, over tiles, at every size."""

import hashlib
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telecare.audit import tree
from telecare.audit.tree import Edge, NotInTree, check_consistency, check_inclusion, in_tile

SIZES = (*range(18), 255, 256, 257, 511, 513, 65_535, 65_536, 65_537)
MANY = 16_777_516
"""Past 256**3: a fourth level of tiles."""


def leaf(i: int) -> bytes:
    return hashlib.sha256(b"\x00%d" % i).digest()


def root(leaves: list[bytes]) -> bytes:
    """RFC 6962 §2.1, word for word."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return hashlib.sha256(b"\x01" + root(leaves[:k]) + root(leaves[k:])).digest()


class Kept:
    """A tree whose tiles are kept, as the database keeps them."""

    def __init__(self, size: int) -> None:
        self.edge, self.tiles = Edge(), {}
        self.leaves = [leaf(i) for i in range(size)]
        chance, at = random.Random(size), 0  # noqa: S311
        while at < size:
            step = chance.randint(1, 5000)
            for tile in self.edge.append(self.leaves[at : at + step]):
                self.tiles[tile.level, tile.n] = tile.hashes
            at += step

    def stored(self, node: tree.Node) -> bytes:
        height, index = node
        level, (n, at) = height // 8, divmod(index, 256)
        if (level, n) in self.tiles:
            return in_tile(self.tiles[level, n], at)
        return self.edge.levels[level][at]


@pytest.fixture(scope="module")
def small() -> Kept:
    return Kept(700)


@pytest.mark.parametrize("size", SIZES)
def test_the_root_is_that_of_the_rfc_at_sizes_where_tiles_fill(size):
    kept = Kept(size)

    assert kept.edge.root() == root(kept.leaves)
    assert kept.edge.size == size


@settings(deadline=None, max_examples=150)
@given(st.integers(1, 700), st.data())
def test_a_leaf_is_proved_in_its_place_and_no_other(small, size, data):
    index = data.draw(st.integers(0, size - 1))
    other = data.draw(st.integers(0, size))
    whole = root(small.leaves[:size])
    proof = tree.hashes(tree.inclusion(index, size), small.stored)

    check_inclusion(small.leaves[index], index, size, proof, whole)
    if other != index:
        with pytest.raises(NotInTree):
            check_inclusion(small.leaves[index], other, size, proof, whole)
    with pytest.raises(NotInTree):
        check_inclusion(small.leaves[index], index, size, [*proof, whole], whole)
    for at in range(len(proof)):
        with pytest.raises(NotInTree):
            check_inclusion(small.leaves[index], index, size, proof[:at] + proof[at + 1 :], whole)
        with pytest.raises(NotInTree):
            check_inclusion(
                small.leaves[index], index, size, [*proof[:at], whole, *proof[at + 1 :]], whole
            )


@settings(deadline=None, max_examples=150)
@given(st.integers(0, 700), st.data())
def test_a_longer_tree_is_proved_to_begin_with_the_shorter(small, size, data):
    old = data.draw(st.integers(0, size))
    before, whole = root(small.leaves[:old]), root(small.leaves[:size])
    proof = tree.hashes(tree.consistency(old, size), small.stored)

    check_consistency(old, before, size, whole, proof)
    with pytest.raises(NotInTree):
        check_consistency(old, leaf(-1), size, whole, proof)
    if old:  # nothing goes before everything
        with pytest.raises(NotInTree):
            check_consistency(old, before, size, leaf(-1), proof)
    with pytest.raises(NotInTree):
        check_consistency(old, before, size, whole, [*proof, whole])
    with pytest.raises(NotInTree):
        check_consistency(size + 1, before, size, whole, proof)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_tree_of_more_than_sixteen_million_leaves_is_proved_too():
    edge, tiles = Edge(), {}
    for first in range(0, MANY, 65_536):
        row = [leaf(i) for i in range(first, min(first + 65_536, MANY))]
        for tile in edge.append(row):
            tiles[tile.level, tile.n] = tile.hashes

    def stored(node):
        height, index = node
        level, (n, at) = height // 8, divmod(index, 256)
        return in_tile(tiles[level, n], at) if (level, n) in tiles else edge.levels[level][at]

    whole = edge.root()
    for index in (0, 255, 65_536, 16_777_215, 16_777_216, MANY - 1):
        proof = tree.hashes(tree.inclusion(index, MANY), stored)
        check_inclusion(leaf(index), index, MANY, proof, whole)
    for old in (1, 65_537, 16_777_216, MANY - 1):
        before = tree.root_of((0, old), stored)
        check_consistency(
            old, before, MANY, whole, tree.hashes(tree.consistency(old, MANY), stored)
        )


def test_tiles_have_the_addresses_of_the_specification():
    assert tree.tile_path(0, 5) == "tile/0/005"
    assert tree.tile_path(1, 1_234_067, 17) == "tile/1/x001/x234/067.p/17"
    assert list(tree.tiles(70_000))[-4:] == [
        (0, 273, 112), (1, 0, 256), (1, 1, 17), (2, 0, 1),
    ]  # fmt: skip

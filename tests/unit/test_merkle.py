import pytest

from schemas.merkle import (
    Frontier,
    InclusionPath,
    inclusion_path,
    leaf_hash,
    leaf_hashes,
    node_hash,
    root_from,
    root_of,
)

CONTENTS = [bytes([number]) for number in range(40)]
LEAVES = leaf_hashes(CONTENTS)

# The leaves and roots that certificate transparency's own tests have.
CT_CONTENTS = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
CT_ROOTS = (
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)


def by_definition(leaves: list[bytes]) -> bytes:
    """RFC 6962 section 2.1, word by word."""
    if len(leaves) == 1:
        return leaves[0]
    middle = 1
    while middle * 2 < len(leaves):
        middle *= 2
    return node_hash(by_definition(leaves[:middle]), by_definition(leaves[middle:]))


@pytest.mark.parametrize("size", range(9))
def test_roots_are_those_of_certificate_transparency(size: int) -> None:
    assert root_of(leaf_hashes(CT_CONTENTS[:size])).hex() == CT_ROOTS[size]


def test_a_tree_grows_to_the_same_root_in_whatever_steps() -> None:
    for size in range(1, len(LEAVES) + 1):
        for step in (1, 2, 3, 7, size):
            tree = Frontier()
            for first in range(0, size, step):
                tree = Frontier(tree.size, tree.peaks)  # as from a checkpoint
                tree.extend(LEAVES[first : min(first + step, size)])
            assert (tree.size, tree.root) == (size, by_definition(LEAVES[:size]))


def test_every_leaf_is_proven_and_no_other() -> None:
    for size in range(1, len(LEAVES) + 1):
        root = root_of(LEAVES[:size])
        for index in range(size):
            path = inclusion_path(LEAVES[:size], index)
            assert root_from(LEAVES[index], index, size, path) == root
            assert root_from(leaf_hash(b"another"), index, size, path) != root
            assert size == 1 or root_from(LEAVES[index], index, size, [*path[:-1], b"\x00" * 32]) != root


def test_a_path_is_found_from_leaves_that_come_in_pieces() -> None:
    path = InclusionPath(21, 40)
    for first in range(0, 40, 9):
        path.extend(LEAVES[first : first + 9])
    assert path.hashes == inclusion_path(LEAVES, 21)
    assert root_from(LEAVES[21], 21, 40, path.hashes) == root_of(LEAVES)


@pytest.mark.parametrize(("index", "size"), [(-1, 3), (3, 3), (0, 0)])
def test_what_is_not_in_a_tree_has_no_path(index: int, size: int) -> None:
    with pytest.raises(ValueError, match="has no leaf"):
        InclusionPath(index, size)
    with pytest.raises(ValueError, match="no path"):
        root_from(LEAVES[0], index, size, [])


def test_a_path_of_another_length_is_none() -> None:
    with pytest.raises(ValueError, match="no path"):
        root_from(LEAVES[0], 0, 5, inclusion_path(LEAVES[:4], 0))


@pytest.mark.parametrize(("size", "peaks"), [(3, LEAVES[:1]), (-1, []), (1, [b"short"])])
def test_a_frontier_has_the_subtrees_of_its_size(size: int, peaks: list[bytes]) -> None:
    with pytest.raises(ValueError, match="other subtrees"):
        Frontier(size, peaks)

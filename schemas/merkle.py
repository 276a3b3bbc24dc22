"""Merkle trees as certificate transparency has them (RFC 6962 section 2.1), over SHA-256, grown leaf by leaf. Pure.

A tree over *n* leaves is kept as the roots of the whole subtrees that make it up, one for each bit of *n*: with 2⁴⁰
leaves these are 40 at most.
"""

from collections.abc import Iterable, Sequence
from hashlib import sha256

EMPTY_ROOT = sha256(b"").digest()
"""The root of the tree without leaves."""

HASH_BYTES = 32


def leaf_hash(data: bytes) -> bytes:
    """The hash of a leaf with this content."""
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of a node over two others."""
    return sha256(b"\x01" + left + right).digest()


class Frontier:
    """A tree that grows at its right end."""

    __slots__ = ("_by_height", "size")

    def __init__(self, size: int = 0, peaks: Sequence[bytes] = ()) -> None:
        """``peaks``: as the property gives them, to go on from there. Raises ValueError if they are not as many as
        such a tree has."""
        if size < 0 or len(peaks) != size.bit_count() or any(len(peak) != HASH_BYTES for peak in peaks):
            raise ValueError(f"a tree of {size} leaves has other subtrees")
        left = iter(peaks)
        self.size = size
        self._by_height: list[bytes | None] = [
            next(left) if size >> height & 1 else None for height in reversed(range(size.bit_length()))
        ][::-1]

    @property
    def peaks(self) -> list[bytes]:
        """The roots of the whole subtrees, from the largest to the smallest."""
        return [peak for peak in reversed(self._by_height) if peak is not None]

    def extend(self, leaves: Sequence[bytes]) -> None:
        """Add the hashes of further leaves."""
        self.size += len(leaves)
        level, height = list(leaves), 0
        while level:
            if height == len(self._by_height):
                self._by_height.append(None)
            peak = self._by_height[height]
            if peak is not None:
                level.insert(0, peak)
            self._by_height[height] = level.pop() if len(level) % 2 else None
            # As node_hash, without the call: every record of the audit comes by here.
            level = [sha256(b"\x01" + level[n] + level[n + 1]).digest() for n in range(0, len(level), 2)]
            height += 1

    @property
    def root(self) -> bytes:
        """The root of the tree as it is now."""
        found: bytes | None = None
        for peak in self._by_height:
            if peak is not None:
                found = peak if found is None else node_hash(peak, found)
        return EMPTY_ROOT if found is None else found


def root_of(leaves: Sequence[bytes]) -> bytes:
    """The root of the tree over these leaves' hashes."""
    tree = Frontier()
    tree.extend(leaves)
    return tree.root


class InclusionPath:
    """Finds what proves that a leaf is in a tree, from all leaves in their order, keeping O(log n) hashes."""

    def __init__(self, index: int, size: int) -> None:
        """Raises ValueError for a leaf that is not in the tree."""
        if not 0 <= index < size:
            raise ValueError(f"a tree of {size} leaves has no leaf {index}")
        self._siblings = [(begin, end, Frontier()) for begin, end in _sibling_ranges(index, size)]
        self._position = 0

    def extend(self, leaves: Sequence[bytes]) -> None:
        """Take the hashes of the next leaves."""
        first, self._position = self._position, self._position + len(leaves)
        for begin, end, tree in self._siblings:
            if begin < self._position and first < end:
                tree.extend(leaves[max(begin - first, 0) : end - first])

    @property
    def hashes(self) -> list[bytes]:
        """The audit path of RFC 6962 section 2.1.1, from the leaf's sibling to a child of the root, once all leaves
        have been taken."""
        return [tree.root for _, _, tree in self._siblings]


def inclusion_path(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """The same, of a tree that is at hand. Raises ValueError for a leaf that is not in it."""
    path = InclusionPath(index, len(leaves))
    path.extend(leaves)
    return path.hashes


def root_from(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes:
    """The root of the tree of so many leaves that has this one at ``index``, if ``path`` is of it.

    Raises ValueError for a path of another length.
    """
    ranges = _sibling_ranges(index, size)
    if not 0 <= index < size or len(ranges) != len(path):
        raise ValueError(f"this is no path from leaf {index} of {size}")
    found = leaf
    for (begin, _), sibling in zip(ranges, path, strict=True):
        found = node_hash(found, sibling) if begin > index else node_hash(sibling, found)
    return found


def _sibling_ranges(index: int, size: int) -> list[tuple[int, int]]:
    """Which leaves the subtrees beside the way from a leaf to the root are over, from the leaf on."""
    begin, end = 0, size
    ranges = []
    while end - begin > 1:
        middle = begin + (1 << (end - begin - 1).bit_length() - 1)
        if index < middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((begin, middle))
            begin = middle
    return ranges[::-1]


def leaf_hashes(contents: Iterable[bytes]) -> list[bytes]:
    """The hashes of leaves with these contents."""
    return [sha256(b"\x00" + content).digest() for content in contents]

"""Merkle trees as RFC 6962 has them: the hash of a list, which shows of each line that it belongs to the list."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence


def leaf_hash(line: bytes) -> bytes:
    """Returns the hash of a leaf: SHA-256 of a zero byte and the line."""
    return hashlib.sha256(b"\0" + line).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Returns the hash of a node: SHA-256 of a byte of one and both hashes below it."""
    return hashlib.sha256(b"\1" + left + right).digest()


class Tree:
    """The hash of a list that grows, in memory of the logarithm of its length.

    >>> tree = Tree()
    >>> tree.root().hex()[:8]
    'e3b0c442'
    >>> for line in (b"a", b"b", b"c"):
    ...     tree.add(leaf_hash(line))
    >>> tree.root() == node_hash(node_hash(leaf_hash(b"a"), leaf_hash(b"b")), leaf_hash(b"c"))
    True
    """

    def __init__(self) -> None:
        self.size = 0
        self._peaks: list[bytes] = []  # of the full subtrees, the largest first

    def add(self, leaf: bytes) -> None:
        """Adds the hash of a leaf."""
        self.size += 1
        rest = self.size
        while rest % 2 == 0:
            leaf = node_hash(self._peaks.pop(), leaf)
            rest //= 2
        self._peaks.append(leaf)

    def root(self) -> bytes:
        """Returns the hash of the list so far; that of an empty list is SHA-256 of nothing."""
        if not self._peaks:
            return hashlib.sha256(b"").digest()
        *others, root = self._peaks
        for peak in reversed(others):
            root = node_hash(peak, root)
        return root


def inclusion_path(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """Returns the hashes beside the way from a leaf to the root, from the leaf on. ``leaves``: hashes of all leaves."""
    path = []
    level, place = list(leaves), index
    while len(level) > 1:
        beside = place ^ 1
        if beside < len(level):
            path.append(level[beside])
        above = [node_hash(level[i], level[i + 1]) for i in range(0, len(level) - 1, 2)]
        level = above + level[len(above) * 2 :]
        place //= 2
    return path


def root_by_path(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes | None:
    """Returns the root that a path leads to from the leaf at ``index`` of ``size``; ``None`` for a path of a wrong
    length."""
    if not 0 <= index < size:
        return None
    last, rest, found = size - 1, list(path), leaf
    while last > 0:
        if index % 2 == 1 or index < last:
            if not rest:
                return None
            beside = rest.pop(0)
            found = node_hash(beside, found) if index % 2 == 1 else node_hash(found, beside)
        index, last = index // 2, last // 2
    return None if rest else found

"""Hashes of rows, a column at a time: for digests that know no order, and for draws that are the same in every run."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

_FACTORS = (0x9E3779B97F4A7C15, 0xD6E8FEB86659FD93)
_HALF = 2**64
_KEPT = 1 << 20  # texts whose hashes are held


def seed_of(text: str) -> int:
    """Returns 64 bits of a text.

    >>> hex(seed_of("srcaddr"))
    '0x419fe20fc6d4d03e'
    """
    return _of_bytes(text.encode("utf-8", "surrogateescape"))


def _of_bytes(text: bytes, key: bytes = b"") -> int:
    return int.from_bytes(hashlib.blake2b(text, digest_size=8, key=key).digest(), "big")


def mixed(values: pa.Array) -> pa.Array:
    """Mixes the bits of each of many numbers of 64 bits, so that each depends on all."""
    import pyarrow as pa
    import pyarrow.compute as pc

    for factor in _FACTORS:
        values = pc.multiply(values, pa.scalar(factor, pa.uint64()))
        values = pc.bit_wise_xor(values, pc.shift_right(values, pa.scalar(32, pa.uint64())))
    return values


class Hasher:
    """Makes hashes of columns; ``key``, up to 64 bytes, makes other ones."""

    def __init__(self, key: bytes = b"") -> None:
        self._key = key
        self._texts: dict[bytes | None, int | None] = {None: None}

    def column(self, column: Any) -> pa.Array:
        """Returns 64 bits for each value of a column, null for null; the same for a text, and for a number, wherever
        it stands."""
        import pyarrow as pa

        if isinstance(column, pa.ChunkedArray):
            return pa.concat_arrays([self.column(chunk) for chunk in column.chunks] or [pa.nulls(0, pa.uint64())])
        if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
            column = column.dictionary_encode()
        if pa.types.is_dictionary(column.type):
            texts = column.dictionary.cast(pa.large_binary()).to_pylist()
            return pa.array([self._text(text) for text in texts], pa.uint64()).take(column.indices)
        return mixed(column.cast(pa.int64()).view(pa.uint64()))

    def _text(self, text: bytes | None) -> int | None:
        if text not in self._texts:
            if len(self._texts) > _KEPT:
                self._texts = {None: None}
            assert text is not None
            self._texts[text] = _of_bytes(text, self._key)
        return self._texts[text]

    def digest(self, table: pa.Table, names: Iterable[str] | None = None) -> int:
        """Returns a sum over the hashes of all rows: the same for any order of rows and columns; null adds nothing.
        Digests of parts are put together by :func:`together`.

        It finds what an error changes, not what somebody changes who wants to deceive.
        """
        import pyarrow as pa
        import pyarrow.compute as pc

        first = second = 0
        wanted = sorted(table.schema.names if names is None else names)
        shift, factor = pa.scalar(29, pa.uint64()), pa.scalar(_FACTORS[0], pa.uint64())
        for batch in table.to_batches():
            row = pa.nulls(len(batch), pa.uint64()).fill_null(0)
            for name in wanted:
                values = self.column(batch.column(name))
                seed = pa.scalar(seed_of(name), pa.uint64())
                step = pc.multiply(pc.bit_wise_xor(pc.add(row, seed), values), factor)
                step = pc.bit_wise_xor(step, pc.shift_right(step, shift))
                row = pc.coalesce(step, row) if values.null_count else step
            first += pc.sum(row).as_py() or 0
            second += pc.sum(mixed(row)).as_py() or 0
        return (first % _HALF) * _HALF + second % _HALF


def together(digests: Sequence[int]) -> int:
    """Returns the digest of parts together.

    >>> together([2**128 - 1, 2]) == (2**64 - 1) * 2**64 + 1
    True
    """
    first = sum(digest // _HALF for digest in digests)
    return (first % _HALF) * _HALF + sum(digest % _HALF for digest in digests) % _HALF

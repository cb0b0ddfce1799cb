"""Records of streams and requests, packed or not, as text."""

from __future__ import annotations

import zlib

PACKED = (b"\x1f\x8b", b"x\x9c", b"x\x01", b"x\xda")  # gzip; zlib at its usual levels
_MOST_UNPACKED = 64 << 20  # bytes of a record


class RefusedError(Exception):
    """A request that is not taken: a status of HTTP, and why. ``unread``: so is its body."""

    def __init__(self, status: int, why: str, *, unread: bool = False) -> None:
        super().__init__(why)
        self.status, self.unread = status, unread


def unpacked(data: bytes, most: int) -> bytes:
    """Unpacks gzip or zlib. Raises :class:`RefusedError` for damage, and for more than ``most`` bytes."""
    out = []
    rest = data
    room = most
    try:
        while rest:
            stream = zlib.decompressobj(wbits=47)  # of either kind
            out.append(stream.decompress(rest, room + 1))
            room -= len(out[-1])
            if room < 0:
                raise RefusedError(413, f"the data unpacks to more than {most:,} bytes")
            if not stream.eof:
                raise RefusedError(400, "the packed data is cut off")
            rest = stream.unused_data
    except zlib.error:
        raise RefusedError(400, "the packed data is damaged") from None
    return b"".join(out)


def line_of(record: bytes) -> bytes:
    """Returns a record of a stream as text with a line end. Raises :class:`RefusedError` for one that cannot be
    unpacked.

    >>> line_of(b"2 123456789010 eni-1")
    b'2 123456789010 eni-1\\n'
    """
    data = unpacked(record, _MOST_UNPACKED) if record.startswith(PACKED) else record
    return data if data.endswith(b"\n") else data + b"\n"

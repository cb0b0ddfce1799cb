"""Crypto-PAn: a keyed map of addresses that keeps shared prefixes, on many addresses at once.

Xu, Fan, Ammar and Moon: Prefix-Preserving IP Address Anonymization (2002). Whether bit i of an address flips is the
first bit of AES of its first i bits, filled up by the pad. AES is that of the package cryptography.
"""

from __future__ import annotations

import functools
import ipaddress
from typing import TYPE_CHECKING, Any

from ..errors import ProtectionError
from .keyfile import KEY_BYTES

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Bytes = npt.NDArray[np.uint8]
    Words = npt.NDArray[np.uint64]

_BLOCK = 16  # bytes of AES
_MOST_BLOCKS = 1 << 18  # at once: 4 MB


class CryptoPan:
    """The map of one key of 32 bytes: 16 of AES, and 16 of which the pad is made.

    Two addresses that share their first k bits, and no more, have images that do. It is one-to-one. :meth:`flips` costs
    as many blocks of AES as an address has bits. Not for several threads at once.

    Of the sample of the original program:

    >>> key = bytes([21, 34, 23, 141, 51, 164, 207, 128, 19, 10, 91, 22, 73, 144, 125, 16,
    ...              216, 152, 143, 131, 121, 121, 101, 39, 98, 87, 76, 45, 42, 132, 34, 2])
    >>> CryptoPan(key).map("128.11.68.132")
    '135.242.180.132'
    """

    def __init__(self, key: bytes) -> None:
        import numpy as np
        from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

        if len(key) != KEY_BYTES:
            raise ProtectionError(f"key: {len(key)} bytes; allowed are {KEY_BYTES}")
        # ECB of single blocks is the function that the method asks for; nothing is decrypted.
        self._aes = Cipher(algorithms.AES(key[:_BLOCK]), modes.ECB()).encryptor()
        pad = np.frombuffer(self._aes.update(key[_BLOCK:]), np.uint8)
        # Row i: the first i bits, and the pad behind them.
        bits = np.arange(8 * _BLOCK)
        self._heads: Bytes = np.packbits(bits[None, :] < bits[:, None], axis=1)
        self._tails: Bytes = pad & ~self._heads

    def flips(self, addresses: Bytes) -> Bytes:
        """Returns the bits that flip: for addresses of 4 or 16 bytes, a row each, rows of as many bytes."""
        return self._span(addresses, 0, 8 * addresses.shape[1])

    def flips6(self, words: Words) -> Words:
        """Returns the bits that flip, of IPv6 addresses as two numbers each: as :meth:`flips`, with the first 64 bits
        once for each network, as many addresses are in one."""
        import numpy as np

        networks, places = np.unique(words[:, 0], return_inverse=True)
        packed = np.zeros((len(networks), 16), np.uint8)
        packed[:, :8] = networks.astype(">u8").view(np.uint8).reshape(-1, 8)
        out: Words = np.empty_like(words)
        out[:, 0] = self._span(packed, 0, 64).view(">u8")[:, 0][places]
        out[:, 1] = self._span(words.astype(">u8").view(np.uint8).reshape(-1, 16), 64, 128).view(">u8")[:, 0]
        return out

    def _span(self, addresses: Bytes, begin: int, end: int) -> Bytes:
        """Returns which of the bits [begin, end) flip, packed; both are whole bytes."""
        import numpy as np

        rows, size = addresses.shape
        heads, tails = self._heads[begin:end, :size], self._tails[begin:end]
        out: Bytes = np.empty((rows, (end - begin) // 8), np.uint8)
        step = _MOST_BLOCKS // (end - begin)
        for row in range(0, rows, step):
            part = addresses[row : row + step]
            blocks = np.empty((len(part), end - begin, _BLOCK), np.uint8)
            blocks[:] = tails
            blocks[:, :, :size] |= part[:, None, :] & heads
            out[row : row + step] = self._bits_of(blocks, end - begin)
        return out

    def flips4(self, numbers: Words) -> Words:
        """Returns the bits that flip, of IPv4 addresses as numbers: as :meth:`flips` with half as many blocks, as those
        of the first 16 bits are known."""
        import numpy as np

        out: Words = self._first16[numbers >> np.uint64(16)]
        heads = (np.uint64(0xFFFFFFFF) << np.arange(16, 0, -1, dtype=np.uint64)) & np.uint64(0xFFFFFFFF)
        pad = self._tails[0].view(">u4").astype(np.uint64)
        step = _MOST_BLOCKS // 16
        blocks = np.empty((min(step, len(numbers)), 16, 4), ">u4")
        blocks[:, :, 1:] = pad[1:]
        for begin in range(0, len(numbers), step):
            part = numbers[begin : begin + step, None]
            blocks[: len(part), :, 0] = (part & heads) | (pad[0] & ~heads)
            out[begin : begin + step] |= self._bits_of(blocks[: len(part)], 16).view(">u2")[:, 0]
        return out

    def _bits_of(self, blocks: Any, count: int) -> Any:
        """Returns the first bit of each encrypted block, of `count` blocks a row, packed."""
        import numpy as np

        first: Any = np.frombuffer(self._aes.update(blocks.view(np.uint8).data), np.uint8)[::_BLOCK]
        return np.packbits(first.reshape(-1, count) >> 7, axis=1)

    @functools.cached_property
    def _first16(self) -> Words:
        """By the first 16 bits of an IPv4 address: which of these flip. A block for each beginning of up to 15 bits."""
        import numpy as np

        pad = self._tails[0].view(">u4").astype(np.uint64)
        out: Words = np.zeros(1 << 16, np.uint64)
        for bit in range(16):
            blocks = np.empty((1 << bit, 1, 4), ">u4")
            blocks[:, 0, 0] = (np.arange(1 << bit, dtype=np.uint64) << np.uint64(32 - bit)) | (
                pad[0] & np.uint64((1 << 32 - bit) - 1)
            )
            blocks[:, :, 1:] = pad[1:]
            flips = self._bits_of(blocks, 1)[:, 0].astype(np.uint64) >> np.uint64(7)
            out |= np.repeat(flips, 1 << 16 - bit) << np.uint64(31 - bit)
        return out

    def map(self, address: str) -> str:
        """Returns the image of one address, as text."""
        import numpy as np

        packed = ipaddress.ip_address(address).packed
        one = np.frombuffer(packed, np.uint8)[None, :]
        return str(ipaddress.ip_address((one ^ self.flips(one)).tobytes()))

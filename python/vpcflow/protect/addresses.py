"""Addresses under a key: prefixes are kept, and so are the ranges that mean something by themselves."""

from __future__ import annotations

import functools
import ipaddress
import re
from typing import TYPE_CHECKING, Any

from ..errors import PlanError
from .cryptopan import CryptoPan

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Words = npt.NDArray[np.uint64]

#: Ranges whose addresses stay within them, and what they are. Bits behind the prefix are mapped.
KEPT_RANGES = {
    "10.0.0.0/8": "private", "172.16.0.0/12": "private", "192.168.0.0/16": "private", "100.64.0.0/10": "shared (CGNAT)",
    "224.0.0.0/4": "multicast", "240.0.0.0/4": "reserved",
    "2000::/3": "global unicast", "fc00::/7": "unique local", "fe80::/10": "link-local", "fe80::/64": "link-local",
    "ff00::/8": "multicast", "64:ff9b::/96": "NAT64",
}  # fmt: skip
#: Ranges whose addresses stay as they are: they are the same everywhere, and name nobody.
SAME_RANGES = {
    "0.0.0.0/8": "this network", "127.0.0.0/8": "loopback", "169.254.0.0/16": "link-local, with AWS's own services",
    "224.0.0.0/24": "multicast of the link", "255.255.255.255/32": "broadcast",
    "::/127": "unspecified, loopback", "ff00::/12": "multicast that IANA assigns",
}  # fmt: skip

#: What ``mode`` may be: prefix, cryptopan, truncate=BITS.
MODES = "prefix, cryptopan or truncate=BITS, as truncate=24"


def _bit_length(words: Words) -> Words:
    """Returns the number of bits of each number, without its leading zeros."""
    import numpy as np

    high, low = words >> np.uint64(32), words & np.uint64(0xFFFFFFFF)
    # Of 32 bits a double tells them exactly.
    exponents = np.where(high > 0, np.frexp(high.astype(np.float64))[1] + 32, np.frexp(low.astype(np.float64))[1])
    bits: Words = exponents.astype(np.uint64)
    return bits


class AddressMap:
    """The map of addresses of a key and a mode; the same address has the same image in every file and run.

    ``prefix``: Crypto-PAn, of which the flips are left out that would lead into or out of one of :data:`KEPT_RANGES`
    or :data:`SAME_RANGES`: the bits of the way to such a range. Whether a bit flips is still said by the bits before
    it, so that shared prefixes are kept exactly and it is one-to-one. ``cryptopan``: without that, as other programs
    do it. ``truncate=BITS``: zeros behind so many bits of IPv4, and twice as many of IPv6.

    Raises :class:`~vpcflow.PlanError` for another mode. Not for several threads at once.
    """

    def __init__(self, key: bytes, mode: str = "prefix") -> None:
        match = re.fullmatch(r"truncate=([0-9]{1,2})", mode)
        self._bits = int(match[1]) if match else None
        if (self._bits is None and mode not in ("prefix", "cryptopan")) or (self._bits or 0) > 32:
            raise PlanError(f"mode {mode!r}: expected {MODES}")
        self._special = mode == "prefix"
        self._pan = CryptoPan(key)
        nets = [(ipaddress.ip_network(net), net in SAME_RANGES) for net in [*KEPT_RANGES, *SAME_RANGES]]
        # The first 64 bits, the others, the length of the prefix, and how many bits of an address in it are kept.
        self._nets: dict[int, list[tuple[int, int, int, int]]] = {4: [], 6: []}
        for net, same in nets:
            number = int(net.network_address) << (96 if net.version == 4 else 0)
            kept = net.max_prefixlen if same else net.prefixlen
            self._nets[net.version].append((number >> 64, number & (1 << 64) - 1, net.prefixlen, kept))

    def map(self, address: str) -> str:
        """Returns the image of one address, as text."""
        import numpy as np

        own = ipaddress.ip_address(address)
        number = int(own) | (0xFFFF << 32 if own.version == 4 else 0)
        one = np.array([number >> 64, number & (1 << 64) - 1], np.uint64)
        image = np.frombuffer(self.images(one.tobytes()), np.uint64)
        out = ipaddress.IPv6Address(int(image[0]) << 64 | int(image[1]))
        return str(out.ipv4_mapped or out)

    def images(self, addresses: bytes) -> bytes:
        """Returns the images of addresses, as the engine keeps them: two numbers of 64 bits each, IPv4 as ``::ffff:``.
        O(addresses): 16 blocks of AES for each of IPv4, 64 to 128 of IPv6."""
        import numpy as np

        words: Words = np.frombuffer(addresses, np.uint64).reshape(-1, 2)
        v4 = (words[:, 0] == 0) & (words[:, 1] >> np.uint64(32) == 0xFFFF)
        out = words.copy()
        out[v4, 1] ^= self._changes4(words[v4, 1] & np.uint64(0xFFFFFFFF))
        out[~v4] ^= self._changes6(words[~v4])
        return bytes(out)

    def _changes4(self, numbers: Words) -> Words:
        """Returns the bits in which the images of IPv4 addresses differ from them."""
        import numpy as np

        if self._bits is not None:
            cut: Words = numbers & np.uint64((1 << 32 - self._bits) - 1)
            return cut
        flips = self._pan.flips4(numbers)
        if not self._special:
            return flips
        kept = self._kept4[numbers >> np.uint64(16)]
        deep = kept > 16  # of these the first 16 bits do not tell
        kept[deep] = self._kept(np.stack([numbers[deep] << np.uint64(32), numbers[deep] * np.uint64(0)], axis=1), 4)
        flips &= np.uint64(0xFFFFFFFF) >> kept
        return flips

    def _changes6(self, words: Words) -> Words:
        """Returns the bits in which the images of IPv6 addresses differ from them."""
        import numpy as np

        if self._bits is not None:
            return words & ~self._masks(np.full(len(words), 2 * self._bits, np.uint64))
        flips = self._pan.flips6(words)
        return flips & ~self._masks(self._kept(words, 6)) if self._special else flips

    @functools.cached_property
    def _kept4(self) -> Words:
        """By the first 16 bits of an IPv4 address: how many bits are kept, more than 16 if those behind matter."""
        import numpy as np

        first = np.arange(1 << 16, dtype=np.uint64) << np.uint64(48)
        least = self._kept(np.stack([first, first * np.uint64(0)], axis=1), 4)
        most = self._kept(np.stack([first | np.uint64(0xFFFF << 32), first * np.uint64(0)], axis=1), 4)
        return np.maximum(least, most)

    def _kept(self, words: Words, version: int) -> Words:
        """Returns how many bits of each address stay: those before the first that may flip."""
        import numpy as np

        kept: Words = np.zeros(len(words), np.uint64)
        for high, low, length, inside in self._nets[version]:
            other = words ^ np.array([high, low], np.uint64)
            behind = np.where(other[:, 0] > 0, _bit_length(other[:, 0]) + np.uint64(64), _bit_length(other[:, 1]))
            shared = np.uint64(128) - behind
            # Where the way to the range parts, the bit is kept as well.
            np.maximum(kept, np.where(shared >= length, np.uint64(inside), shared + np.uint64(1)), out=kept)
        return kept

    @staticmethod
    def _masks(kept: Words) -> Words:
        """Returns ones for the first bits."""
        import numpy as np

        bits = np.arange(128, dtype=np.uint64)
        ones: Any = np.packbits(bits[None, :] < kept[:, None], axis=1)
        masks: Words = ones.view(">u8").astype(np.uint64)
        return masks

"""Addresses under a key: prefixes are kept, and so are the ranges that mean something by themselves."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
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
_MOST_SEEN = 1 << 21  # addresses whose images are remembered


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

    Raises :class:`~vpcflow.PlanError` for another mode. Memory: at most 2 million addresses. Not for several threads
    at once.
    """

    def __init__(self, key: bytes, mode: str = "prefix") -> None:
        match = re.fullmatch(r"truncate=([0-9]{1,2})", mode)
        self._bits = int(match[1]) if match else None
        if (self._bits is None and mode not in ("prefix", "cryptopan")) or (self._bits or 0) > 32:
            raise PlanError(f"mode {mode!r}: expected {MODES}")
        self._special = mode == "prefix"
        self._pan = CryptoPan(key)
        self._seen: dict[bytes, bytes] = {}
        nets = [(ipaddress.ip_network(net), net in SAME_RANGES) for net in [*KEPT_RANGES, *SAME_RANGES]]
        # The first 64 bits, the others, the length of the prefix, and how many bits of an address in it are kept.
        self._nets: dict[int, list[tuple[int, int, int, int]]] = {4: [], 6: []}
        for net, same in nets:
            number = int(net.network_address) << (96 if net.version == 4 else 0)
            kept = net.max_prefixlen if same else net.prefixlen
            self._nets[net.version].append((number >> 64, number & (1 << 64) - 1, net.prefixlen, kept))

    def map(self, address: str) -> str:
        """Returns the image of one address, as text."""
        number = int(ipaddress.ip_address(address))
        if "." in address and ":" not in address:
            number |= 0xFFFF << 32
        import numpy as np

        one = np.array([number >> 64, number & (1 << 64) - 1], np.uint64)
        image = np.frombuffer(self.images([one.tobytes()])[0], np.uint64)
        out = ipaddress.IPv6Address(int(image[0]) << 64 | int(image[1]))
        return str(out.ipv4_mapped or out)

    def images(self, addresses: Sequence[bytes]) -> list[bytes]:
        """Returns the images of addresses, as the engine keeps them: two numbers of 64 bits, IPv4 as ``::ffff:``."""
        seen = self._seen
        new = [address for address in addresses if address not in seen]
        if new:
            if len(seen) + len(new) > _MOST_SEEN:
                seen.clear()
                new = list(addresses)
            seen.update(zip(new, self._computed(new)))
        return [seen[address] for address in addresses]

    def _computed(self, addresses: Sequence[bytes]) -> list[bytes]:
        import numpy as np

        words: Words = np.frombuffer(b"".join(addresses), np.uint64).reshape(-1, 2)
        v4 = (words[:, 0] == 0) & (words[:, 1] >> np.uint64(32) == 0xFFFF)
        out = words.copy()
        low = words[v4, 1] & np.uint64(0xFFFFFFFF)
        out[v4, 1] ^= self._changes(np.stack([low << np.uint64(32), low ^ low], axis=1), 4)[:, 0] >> np.uint64(32)
        out[~v4] ^= self._changes(words[~v4], 6)
        data = out.tobytes()
        return [data[i : i + 16] for i in range(0, len(data), 16)]

    def _changes(self, words: Words, version: int) -> Words:
        """Returns the bits in which images differ, of addresses that begin at the first bit."""
        import numpy as np

        if self._bits is not None:
            return words & ~self._masks(np.full(len(words), self._bits * (1 if version == 4 else 2), np.uint64))
        size = 4 if version == 4 else 16
        packed = np.zeros((len(words), 16), np.uint8)
        packed[:, :size] = self._pan.flips(np.ascontiguousarray(words.astype(">u8").view(np.uint8)[:, :size]))
        flips: Words = packed.view(">u8").astype(np.uint64)
        return flips & ~self._masks(self._kept(words, version)) if self._special else flips

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

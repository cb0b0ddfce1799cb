"""Digests: what was seen on each day, in few bytes, for years; and the hunt in them.

>>> import tempfile, vpcflow as vf
>>> folder = tempfile.mkdtemp()
>>> log = b"srcaddr dstaddr start end action\\n10.0.0.1 198.51.100.7 1700000000 1700000060 ACCEPT\\n"
>>> _ = vf.digest.build(vf.scan(log), folder)
>>> [(row.indicator, row.seen, row.peers) for row in vf.hunt(["198.51.100.0/24", "203.0.113.9"], folder)]
[('198.51.100.0/24', True, ['10.0.0.1']), ('203.0.113.9', False, [])]
"""

from .folder import Built, Digests, build, merge
from .hunt import Hunt, Sighting, hunt

__all__ = ["Built", "Digests", "Hunt", "Sighting", "build", "hunt", "merge"]


def __dir__() -> list[str]:
    return __all__

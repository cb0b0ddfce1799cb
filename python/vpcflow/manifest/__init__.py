"""Manifests: what was collected, hashed, chained and signed; and bags of evidence.

>>> import vpcflow as vf
>>> callable(vf.manifest.add) and callable(vf.manifest.verify)
True
"""

from . import evidence
from .adding import Added, add
from .checking import Row
from .heads import Head
from .newest import head
from .proofs import prove
from .seals.making import sign
from .verifying import Verification, verify

__all__ = ["Added", "Head", "Row", "Verification", "add", "evidence", "head", "prove", "sign", "verify"]


def __dir__() -> list[str]:
    return __all__

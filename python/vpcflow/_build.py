"""How the engine was built."""

from __future__ import annotations

import dataclasses

from . import _core
from ._keyed import Keyed


@dataclasses.dataclass(frozen=True)
class BuildInfo(Keyed):
    """How this build was made and what it uses, of :func:`build_info`."""

    version: str
    compiler: str
    #: The vector kernels in use.
    kernel: str
    #: Those that this processor can run.
    kernels: list[str]
    #: What ``VPCFLOW_FORCE_SIMD`` names, if this build and processor do not have it; else empty.
    missing_kernel: str
    #: The library that unpacks gzip.
    gzip: str


def build_info() -> BuildInfo:
    """Returns how this build was made and what it uses.

    The environment variable ``VPCFLOW_FORCE_SIMD``, read once, picks other kernels; for a name that is none of
    ``kernels``, ``import vpcflow`` warns.

    >>> import vpcflow as vf
    >>> vf.build_info().kernel in vf.build_info().kernels
    True
    """
    return BuildInfo(**_core.build_info())

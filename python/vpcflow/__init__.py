"""AWS VPC flow logs at memory speed: parse, filter, group, plot.

>>> import vpcflow as vf
>>> flows = vf.scan(b"srcaddr dstport action bytes\\n10.0.0.1 22 REJECT 40\\n10.0.0.2 443 ACCEPT 960\\n")
>>> rejected = flows.filter("action = 'REJECT'").group_by("srcaddr").agg(n=vf.count(), bytes=vf.sum("bytes"))
>>> rejected.collect().rows()
[{'srcaddr': '10.0.0.1', 'n': 1, 'bytes': 40}]

Heavy packages (pandas, pyarrow, polars, matplotlib) are imported only when a method needs them.
"""

import importlib
import warnings
from typing import TYPE_CHECKING, Any

from ._build import BuildInfo, build_info
from .detect.detect import detect
from .errors import (
    ArgumentError,
    DataLossError,
    DataQualityWarning,
    FieldError,
    FilterError,
    FormatError,
    NoRecordsError,
    NotifyError,
    OutOfMemoryError,
    OutputError,
    ParseError,
    PlanError,
    RuleError,
    SourceError,
    SourceNotFoundError,
    StateError,
    SynthError,
    VpcflowError,
)
from .findings.finding import Finding
from .findings.findings import Findings
from .formats.capabilities import Capability, capabilities, recommended_format
from .formats.catalogue import FieldInfo, containers, fields, reject_reasons
from .query.aggregation import Aggregation, merge_all
from .query.expr import (
    Agg,
    Column,
    Expr,
    approx_n_unique,
    approx_quantile,
    col,
    count,
    difference,
    first,
    last,
    max,
    mean,
    min,
    n_unique,
    quantile,
    rate,
    ratio,
    sum,
)
from .query.flows import Flows, Grouped
from .query.report import Reject, Report
from .query.result import Result, diff
from .query.running import collect_all
from .query.scan import query, scan
from .query.wrong import right_name
from .synthetic import Synthetic, plants, synth

if TYPE_CHECKING:
    from . import labels, rules, sketches, spread

_info = build_info()
__version__: str = _info.version
if _info.missing_kernel:
    warnings.warn(
        f"VPCFLOW_FORCE_SIMD={_info.missing_kernel}: this build and processor have no such kernels; using "
        f"{_info.kernel}, allowed are {', '.join(_info.kernels)}",
        RuntimeWarning,
        stacklevel=2,
    )


__all__ = [
    "Agg",
    "Aggregation",
    "ArgumentError",
    "BuildInfo",
    "Capability",
    "Column",
    "DataLossError",
    "DataQualityWarning",
    "Expr",
    "FieldError",
    "FieldInfo",
    "FilterError",
    "Finding",
    "Findings",
    "Flows",
    "FormatError",
    "Grouped",
    "NoRecordsError",
    "NotifyError",
    "OutOfMemoryError",
    "OutputError",
    "ParseError",
    "PlanError",
    "Reject",
    "Report",
    "Result",
    "RuleError",
    "SourceError",
    "SourceNotFoundError",
    "StateError",
    "SynthError",
    "Synthetic",
    "VpcflowError",
    "approx_n_unique",
    "approx_quantile",
    "build_info",
    "capabilities",
    "col",
    "collect_all",
    "containers",
    "count",
    "detect",
    "diff",
    "difference",
    "fields",
    "first",
    "labels",
    "last",
    "max",
    "mean",
    "merge_all",
    "min",
    "n_unique",
    "plants",
    "quantile",
    "query",
    "rate",
    "ratio",
    "recommended_format",
    "reject_reasons",
    "rules",
    "scan",
    "sketches",
    "spread",
    "sum",
    "synth",
]

_LATE = ("detection", "labels", "rules", "sketches", "spread")  # modules that are loaded when they are used


def __getattr__(name: str) -> Any:
    if name in _LATE:
        return importlib.import_module(f".{name}", __name__)
    hint = "" if name.startswith("_") else right_name(name, __all__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}{hint}")


def __dir__() -> list[str]:
    return sorted([*__all__, *(name for name in globals() if name.startswith("__"))])

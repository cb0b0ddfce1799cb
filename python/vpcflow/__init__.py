"""AWS VPC flow logs at memory speed: parse, filter, group, plot.

>>> import vpcflow as vf
>>> flows = vf.scan(b"srcaddr dstport action bytes\\n10.0.0.1 22 REJECT 40\\n10.0.0.2 443 ACCEPT 960\\n")
>>> rejected = flows.filter("action = 'REJECT'").group_by("srcaddr").agg(n=vf.count(), bytes=vf.sum("bytes"))
>>> rejected.collect().rows()
[{'srcaddr': '10.0.0.1', 'n': 1, 'bytes': 40}]

Heavy packages (pandas, pyarrow, polars, matplotlib) are imported only when a method needs them.
"""

import importlib
import sys
import types
import warnings
from typing import TYPE_CHECKING, Any

from . import _core

if TYPE_CHECKING:
    from . import audit, charts, digest, labels, manifest, rules, siem, sketches, spread, volume
    from ._build import BuildInfo, build_info
    from .billing.logs import reconcile
    from .billing.reconcile import Reconciliation
    from .correlate.correlate import Correlation, correlate
    from .detect.detect import detect
    from .digest.hunt import Hunt, hunt
    from .errors import (
        ArgumentError,
        DataLossError,
        DataQualityWarning,
        FieldError,
        FilterError,
        FormatError,
        ManifestError,
        NoRecordsError,
        NotifyError,
        OutOfMemoryError,
        OutputError,
        ParseError,
        PlanError,
        PriceError,
        ProtectionError,
        RuleError,
        SourceError,
        SourceNotFoundError,
        StateError,
        SynthError,
        VpcflowError,
    )
    from .explain.explain import explain
    from .explain.explanation import Explanation
    from .findings.finding import Finding
    from .findings.findings import Findings
    from .formats.capabilities import Capability, capabilities, recommended_format
    from .formats.catalogue import FieldInfo, containers, fields, reject_reasons
    from .health.dependencies import Dependencies, dependencies
    from .health.health import Health, health
    from .inventory.inventory import Inventory, inventory
    from .pricing.imports import import_prices
    from .pricing.sheet import Sheet, prices
    from .protect.anonymise import Anonymised, anonymise
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
    from .report.report import ReportPage, report
    from .siem.community import community_id
    from .siem.export import export
    from .synthetic import Synthetic, plants, synth
    from .trace.trace import Trace, trace
    from .tuning.check import RuleCheck, check_rules
    from .tuning.observed import Observed
    from .tuning.proposal import Proposal
    from .tuning.propose import propose_rules
    from .tuning.usage import RuleUsage, rule_usage

_missing_kernel = _core.build_info()["missing_kernel"]
__version__: str = _core.build_info()["version"]
if _missing_kernel:
    warnings.warn(
        f"VPCFLOW_FORCE_SIMD={_missing_kernel}: this build and processor have no such kernels; using "
        f"{_core.build_info()['kernel']}, allowed are {', '.join(_core.build_info()['kernels'])}",
        RuntimeWarning,
        stacklevel=2,
    )


__all__ = [
    "Agg",
    "Aggregation",
    "Anonymised",
    "ArgumentError",
    "BuildInfo",
    "Capability",
    "Column",
    "Correlation",
    "DataLossError",
    "DataQualityWarning",
    "Dependencies",
    "Explanation",
    "Expr",
    "FieldError",
    "FieldInfo",
    "FilterError",
    "Finding",
    "Findings",
    "Flows",
    "FormatError",
    "Grouped",
    "Health",
    "Hunt",
    "Inventory",
    "ManifestError",
    "NoRecordsError",
    "NotifyError",
    "Observed",
    "OutOfMemoryError",
    "OutputError",
    "ParseError",
    "PlanError",
    "PriceError",
    "Proposal",
    "ProtectionError",
    "Reconciliation",
    "Reject",
    "Report",
    "ReportPage",
    "Result",
    "RuleCheck",
    "RuleError",
    "RuleUsage",
    "Sheet",
    "SourceError",
    "SourceNotFoundError",
    "StateError",
    "SynthError",
    "Synthetic",
    "Trace",
    "VpcflowError",
    "anonymise",
    "approx_n_unique",
    "approx_quantile",
    "audit",
    "build_info",
    "capabilities",
    "charts",
    "check_rules",
    "col",
    "collect_all",
    "community_id",
    "containers",
    "correlate",
    "count",
    "dependencies",
    "detect",
    "diff",
    "difference",
    "digest",
    "explain",
    "export",
    "fields",
    "first",
    "health",
    "hunt",
    "import_prices",
    "inventory",
    "labels",
    "last",
    "manifest",
    "max",
    "mean",
    "merge_all",
    "min",
    "n_unique",
    "plants",
    "prices",
    "propose_rules",
    "quantile",
    "query",
    "rate",
    "ratio",
    "recommended_format",
    "reconcile",
    "reject_reasons",
    "report",
    "rule_usage",
    "rules",
    "scan",
    "siem",
    "sketches",
    "spread",
    "sum",
    "synth",
    "trace",
    "volume",
]

# Where public names are. Their modules are loaded when a name is used first, so that a short command starts at once.
_PLACES: dict[str, tuple[str, ...]] = {
    "_build": ("BuildInfo", "build_info"),
    "billing.logs": ("reconcile",),
    "billing.reconcile": ("Reconciliation",),
    "correlate.correlate": ("Correlation", "correlate"),
    "detect.detect": ("detect",),
    "digest.hunt": ("Hunt", "hunt"),
    "errors": (
        "ArgumentError", "DataLossError", "DataQualityWarning", "FieldError", "FilterError", "FormatError",
        "ManifestError", "NoRecordsError", "NotifyError", "OutOfMemoryError", "OutputError", "ParseError", "PlanError",
        "PriceError", "ProtectionError", "RuleError", "SourceError", "SourceNotFoundError", "StateError", "SynthError",
        "VpcflowError",
    ),
    "explain.explain": ("explain",),
    "explain.explanation": ("Explanation",),
    "findings.finding": ("Finding",),
    "findings.findings": ("Findings",),
    "formats.capabilities": ("Capability", "capabilities", "recommended_format"),
    "formats.catalogue": ("FieldInfo", "containers", "fields", "reject_reasons"),
    "health.dependencies": ("Dependencies", "dependencies"),
    "health.health": ("Health", "health"),
    "inventory.inventory": ("Inventory", "inventory"),
    "pricing.imports": ("import_prices",),
    "pricing.sheet": ("Sheet", "prices"),
    "protect.anonymise": ("Anonymised", "anonymise"),
    "query.aggregation": ("Aggregation", "merge_all"),
    "query.expr": (
        "Agg", "Column", "Expr", "approx_n_unique", "approx_quantile", "col", "count", "difference", "first",
        "last", "max", "mean", "min", "n_unique", "quantile", "rate", "ratio", "sum",
    ),
    "query.flows": ("Flows", "Grouped"),
    "query.report": ("Reject", "Report"),
    "query.result": ("Result", "diff"),
    "query.running": ("collect_all",),
    "query.scan": ("query", "scan"),
    "report.report": ("ReportPage", "report"),
    "siem.export": ("export",),
    "synthetic": ("Synthetic", "plants", "synth"),
    "siem.community": ("community_id",),
    "trace.trace": ("Trace", "trace"),
    "tuning.check": ("RuleCheck", "check_rules"),
    "tuning.observed": ("Observed",),
    "tuning.proposal": ("Proposal",),
    "tuning.propose": ("propose_rules",),
    "tuning.usage": ("RuleUsage", "rule_usage"),
}  # fmt: skip
_MODULES = {name: module for module, names in _PLACES.items() for name in names}
# Modules that are names of this package.
_LATE = (
    "audit", "charts", "detection", "digest", "labels", "manifest", "rules", "siem", "sketches", "spread", "volume",
)  # fmt: skip


def _load(name: str) -> Any:
    if name in _LATE:
        return importlib.import_module(f".{name}", __name__)
    if name not in _MODULES:
        hint = ""
        if not name.startswith("_"):  # nobody writes those; `from . import _display` asks for them
            from .query.wrong import right_name

            hint = right_name(name, __all__)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}{hint}")
    return getattr(importlib.import_module(f".{_MODULES[name]}", __name__), name)


class _Package(types.ModuleType):
    """This module. Importing a package sets it as an attribute, which would hide the functions of these names."""

    @property
    def correlate(self) -> Any:
        return _load("correlate")

    @correlate.setter
    def correlate(self, package: object) -> None:
        pass

    @property
    def detect(self) -> Any:
        return _load("detect")

    @detect.setter
    def detect(self, package: object) -> None:
        pass

    @property
    def explain(self) -> Any:
        return _load("explain")

    @explain.setter
    def explain(self, package: object) -> None:
        pass

    @property
    def health(self) -> Any:
        return _load("health")

    @health.setter
    def health(self, package: object) -> None:
        pass

    @property
    def inventory(self) -> Any:
        return _load("inventory")

    @inventory.setter
    def inventory(self, package: object) -> None:
        pass

    @property
    def query(self) -> Any:
        return _load("query")

    @query.setter
    def query(self, package: object) -> None:
        pass

    @property
    def report(self) -> Any:
        return _load("report")

    @report.setter
    def report(self, package: object) -> None:
        pass

    @property
    def trace(self) -> Any:
        return _load("trace")

    @trace.setter
    def trace(self, package: object) -> None:
        pass


if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        value = globals()[name] = _load(name)
        return value

    sys.modules[__name__].__class__ = _Package


def __dir__() -> list[str]:
    return sorted([*__all__, *(name for name in globals() if name.startswith("__"))])

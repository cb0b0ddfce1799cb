"""What MkDocs makes of the repository (hooks of mkdocs.yml): the front page of the README, pages of headers and docstrings."""

from __future__ import annotations

import json
import posixpath
import re
from pathlib import Path
from typing import Any

import header_pages

ROOT = Path(__file__).resolve().parents[1]
TOP = {
    "README.md": "index.md",
    "README.ja.md": "ja.md",
    "CHANGELOG.md": "project/changelog.md",
    "CONTRIBUTING.md": "project/contributing.md",
    "SECURITY.md": "project/security.md",
}
NOTEBOOKS = {
    f"examples/notebooks/{name}.ipynb": f"tutorial/{name.replace('_', '-')}.md" for name in ("vpc_in_five_cells", "first_look", "incident")
}
# The pages of the Python reference: names with the modules that define them.
PYTHON = {
    "Queries": {"query.scan": "scan query", "query.running": "collect_all", "query.flows": "Flows Grouped"},
    "Conditions and aggregates": {
        "query.expr": "col Column Expr Agg count sum min max mean n_unique approx_n_unique quantile approx_quantile first last rate "
        "ratio difference"
    },
    "Results": {"query.result": "Result diff", "query.report": "Report Reject"},
    "Answers that are kept": {"query.aggregation": "Aggregation merge_all", "": "spread"},
    "Detection": {"detect.detect": "detect", "findings.finding": "Finding", "findings.findings": "Findings", "": "rules"},
    "Health": {"health.health": "health Health", "health.dependencies": "dependencies Dependencies"},
    "Events for SIEMs and lakes": {"siem.export": "export", "": "siem"},
    "Labels": {"": "labels"},
    "Inventories": {"inventory.inventory": "inventory Inventory"},
    "Why A cannot reach B": {"explain.explain": "explain", "explain.explanation": "Explanation"},
    "Controls": {"": "audit"},
    "Security groups": {
        "tuning.usage": "rule_usage RuleUsage", "tuning.propose": "propose_rules", "tuning.proposal": "Proposal",
        "tuning.check": "check_rules RuleCheck", "tuning.observed": "Observed",
    },
    "Charts": {"": "charts"},
    "Reports": {"report.report": "report ReportPage"},
    "Bills": {"billing.logs": "reconcile", "billing.reconcile": "Reconciliation"},
    "Digests and hunts": {"digest.hunt": "hunt Hunt", "": "digest"},
    "Traces": {"trace.trace": "trace Trace", "siem.community": "community_id"},
    "Correlation": {"correlate.correlate": "correlate Correlation"},
    "Manifests": {"": "manifest"},
    "Volume": {"": "volume"},
    "Prices": {"pricing.sheet": "prices Sheet", "pricing.imports": "import_prices"},
    "Protection": {"protect.anonymise": "anonymise Anonymised"},
    "Catalogue": {
        "formats.catalogue": "fields FieldInfo containers reject_reasons",
        "formats.capabilities": "capabilities Capability recommended_format",
    },
    "Sketches": {"": "sketches"},
    "Synthetic logs": {"synthetic": "synth Synthetic plants"},
    "Build": {"_build": "build_info BuildInfo"},
    "Errors and warnings": {
        "errors": "VpcflowError FieldError PlanError ArgumentError FilterError FormatError ParseError NoRecordsError SourceError "
        "SourceNotFoundError DataLossError OutOfMemoryError OutputError StateError ManifestError RuleError NotifyError SynthError PriceError "
        "ProtectionError DataQualityWarning"
    },
}
LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)\s]+)\)")
CODE = re.compile(r"(^```.*?^```|`[^`\n]*`)", re.M | re.S)


def slug(title: str) -> str:
    """The name of a page's file."""
    return title.lower().replace(" ", "-")


def python_pages() -> dict[str, tuple[str, str]]:
    """The pages of the Python reference, by path: title and text."""
    pages = {}
    for title, modules in PYTHON.items():
        names = [".".join(filter(None, ("vpcflow", module, name))) for module, names in modules.items() for name in names.split()]
        parts = "\n\n".join(f"::: {name}" for name in names)
        pages[f"reference/python/{slug(title)}.md"] = (title, f"# {title}\n\n{parts}\n")
    return pages


def shown(output: dict[str, Any]) -> str:
    """An output of a notebook: a picture, a table or text."""
    data = output.get("data", {})
    if "image/png" in data:
        return f'<img alt="A plot" src="data:image/png;base64,{"".join(data["image/png"].split())}">'
    if "text/html" in data:
        return re.sub(r"\n\s*", "\n", "".join(data["text/html"])).strip()
    text = "".join(output.get("text") or data.get("text/plain", ""))
    return f"```text\n{text.rstrip()}\n```"


def notebook_page(path: Path) -> str:
    """A notebook as it is stored, with its outputs."""
    parts = []
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        source = "".join(cell["source"])
        parts.append(source if cell["cell_type"] == "markdown" else f"```python\n{source}\n```")
        parts += [shown(output) for output in cell.get("outputs", [])]
    return "\n\n".join(parts) + f"\n\nThe notebook: `{path.relative_to(ROOT)}`\n"


def place(path: str) -> str:
    """The path of a file of the repository in the site; empty if it has none."""
    return TOP.get(path) or NOTEBOOKS.get(path) or (path.removeprefix("docs/") if path.startswith("docs/") else "")


def linked(text: str, origin: str) -> str:
    """A page with its links as the site needs them. Links to files that the site does not have become their paths."""

    def one(match: re.Match[str]) -> str:
        mark, words, link = match.groups()
        if re.match(r"[a-z]+:|#", link):
            return match[0]
        name, _, anchor = link.partition("#")
        path = posixpath.normpath(posixpath.join(posixpath.dirname(origin), name))
        target = place(path)
        if not target:
            return f"{words} (`{path}`)"
        relative = posixpath.relpath(target, posixpath.dirname(place(origin)) or ".")
        return f"{mark}[{words}]({relative}{'#' + anchor if anchor else ''})"

    parts = CODE.split(text)
    return "".join(part if i % 2 else LINK.sub(one, part) for i, part in enumerate(parts))


def navigation() -> dict[str, list[Any]]:
    """The entries of mkdocs.yml's navigation that are made, by the title of the section that they end."""
    commands = [f"reference/cli/{stem}.md" for stem in sorted(path.stem for path in (ROOT / "docs/reference/cli").glob("vpcflow-*.md"))]
    rooms: dict[str, list[str]] = {}
    for path in header_pages.pages():
        rooms.setdefault(path.split("/")[2], []).append(path)
    return {
        "Notebooks": list(NOTEBOOKS.values()),
        "Commands": commands,
        "Python": [{title: path} for path, (title, _) in python_pages().items()],
        "C++": [{room: paths} for room, paths in rooms.items()],
    }


def on_config(config: Any) -> Any:
    """Completes the navigation."""
    made = navigation()

    def complete(entries: list[Any]) -> None:
        for entry in entries:
            for title, inner in entry.items() if isinstance(entry, dict) else ():
                if isinstance(inner, list):
                    inner += [more for more in made.get(title, []) if more not in inner]
                    complete(inner)

    complete(config.nav)
    return config


def on_files(files: Any, config: Any) -> Any:
    """Adds the pages that stand elsewhere in the repository, and those that are made."""
    from mkdocs.structure.files import File

    pages = {target: (ROOT / name).read_text(encoding="utf-8") for name, target in TOP.items()}
    pages |= {target: notebook_page(ROOT / name) for name, target in NOTEBOOKS.items()}
    pages |= {path: text for path, (_, text) in python_pages().items()}
    pages |= header_pages.pages()
    for path, text in pages.items():
        files.append(File.generated(config, path, content=text))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Turns links of the repository into links of the site."""
    path = page.file.src_uri
    origin = next((name for name, target in {**TOP, **NOTEBOOKS}.items() if target == path), f"docs/{path}")
    return linked(markdown, origin)

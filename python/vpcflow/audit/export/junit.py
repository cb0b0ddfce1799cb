"""JUnit XML: a test case a control; what cannot be told is an error, so that no gate takes it for a pass."""

from __future__ import annotations

from xml.etree import ElementTree

from ..._display import printable
from ..result import LIMITS, ControlResult, ControlResults
from .common import all_of, headline, iso, sentence_of, span_of, title_of


def junit_of(results: ControlResults) -> str:
    """Returns results as a document of one suite."""
    ordered = all_of(results)
    verdicts = [one.verdict for one in ordered]
    counts = {
        "tests": str(len(ordered)), "failures": str(verdicts.count("fail")),
        "errors": str(verdicts.count("error") + verdicts.count("not_evaluable")), "skipped": "0",
    }  # fmt: skip
    root = ElementTree.Element("testsuites", counts)
    suite = ElementTree.SubElement(root, "testsuite", {
        "name": "vpcflow controls", **counts, "time": "0", "timestamp": iso(span_of(ordered)[1]).replace("+00:00", ""),
    })  # fmt: skip
    for one in ordered:
        _case(suite, one)
    ElementTree.indent(root, " ")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ElementTree.tostring(root, encoding="unicode")}\n'


def _case(suite: ElementTree.Element, one: ControlResult) -> None:
    case = ElementTree.SubElement(suite, "testcase", {
        "classname": f"vpcflow.{one.plan.get('kind', 'control')}", "name": printable(one.id), "time": "0",
    })  # fmt: skip
    lines = [title_of(one), headline(one), *map(sentence_of, one.violating), *one.not_known, *LIMITS]
    text = "\n".join(map(printable, lines))
    if one.verdict == "fail":
        wrong = ElementTree.SubElement(case, "failure", {"type": one.verdict, "message": printable(headline(one))})
        wrong.text = text
    elif one.verdict in ("error", "not_evaluable"):
        wrong = ElementTree.SubElement(case, "error", {"type": one.verdict, "message": printable(headline(one))})
        wrong.text = text
    else:
        ElementTree.SubElement(case, "system-out").text = text

"""Results of controls in the forms that other tools read: :func:`export`."""

from __future__ import annotations

from typing import Callable

from ..._hints import hint
from ...errors import PlanError
from ..result import ControlResults
from . import asff, junit, ocsf, oscal, page

_FORMS: dict[str, Callable[[ControlResults], str]] = {
    "json": ControlResults.to_json_lines, "html": page.html_of, "junit": junit.junit_of, "oscal": oscal.oscal_of,
    "ocsf": ocsf.ocsf_of,
}  # fmt: skip
#: Names of the forms.
FORMS = (*_FORMS, "asff")


def export(results: ControlResults, form: str, *, hub: str = "") -> str:
    """Returns results as text in a form: ``json`` (lines), ``html`` (a page that needs nothing else), ``junit``,
    ``oscal`` (assessment results 1.1), ``ocsf`` (lines of Compliance Finding), ``asff`` (a list for Security Hub, of
    whose account and region ``hub`` is, as ``"123456789012/eu-west-1"``).

    The same results give the same text: its times are those of the logs. :class:`~vpcflow.PlanError` for another form.

    >>> from vpcflow import audit
    >>> audit.export(audit.ControlResults([]), "json")
    ''
    """
    if form == "asff":
        return asff.asff_of(results, hub)
    if form not in _FORMS:
        raise PlanError(f"export: no form {form!r}; {hint(form, FORMS)}")
    return _FORMS[form](results)


__all__ = ["FORMS", "export"]

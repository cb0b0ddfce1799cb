"""The report: :func:`report`, and what it gives."""

from __future__ import annotations

import html
import json
import os
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .._units import unix_seconds
from ..audit import Controls, load
from ..cost import ranges_in
from ..detect.detect import checked_settings
from ..detect.history import Past
from ..detect.settings import DetectorSettings
from ..errors import DataQualityWarning, OutputError, PlanError, VpcflowError
from ..findings.findings import Covering
from ..inventory.inventory import inventory as read_inventory
from ..io.writing import write_whole
from ..labels import Labels, mmdb
from ..manifest import head
from ..pricing.sheet import prices as read_prices
from ..query.arguments import instance, names, text
from ..query.flows import Flows
from ..query.report import Report
from ..rules import Rule
from ..typing import Instant, Progress
from .gather import Wanted, gather
from .model import Model, model_of

if TYPE_CHECKING:
    from typing_extensions import Unpack

_CALL = "vf.report(vf.scan('logs/'))"


class ReportPage:
    """A report on flow logs: :attr:`html` is one page for people, :meth:`to_dict` the same figures as plain values.

    Never changed. The same logs and arguments give the same page, byte for byte. A notebook shows the page in a frame.
    ``report``: what was read and rejected. ``error``: of a damaged source, of which the readable part is in the page.
    """

    def __init__(self, model: Model, report: Report, error: VpcflowError | None) -> None:
        self._model, self.report, self.error = model, report, error

    @property
    def html(self) -> str:
        """The page. Needs jinja2 (extra ``report``)."""
        from .page import html_of

        return html_of(self._model)

    @property
    def verdict(self) -> str:
        """The line that a reader takes along."""
        return str(self._model["verdict"]["text"])

    def to_dict(self) -> Model:
        """Returns all figures of the page as plain values: what ``vpcflow report --json`` prints."""
        copy: Model = json.loads(json.dumps(self._model))
        return copy

    def to_json(self) -> str:
        """Returns :meth:`to_dict` as a JSON object on a line."""
        return json.dumps(self._model) + "\n"

    def to_html(self, path: str | os.PathLike[str]) -> None:
        """Writes the page to a file, whole or not at all."""
        write_whole(os.fspath(path), self.html.encode("utf-8"))

    def to_pdf(self, path: str | os.PathLike[str]) -> None:
        """Writes the page as PDF, by Chromium or WeasyPrint; :class:`~vpcflow.OutputError` if there is neither."""
        from .page import html_of
        from .pdf import pdf_of

        write_whole(os.fspath(path), pdf_of(html_of(self._model, opened=True)))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the page by the ending of the file's name: ``.html`` or ``.pdf``."""
        writer = {".html": self.to_html, ".htm": self.to_html, ".pdf": self.to_pdf}[checked_ending(path)]
        writer(path)

    def _repr_html_(self) -> str:
        return f'<iframe sandbox srcdoc="{html.escape(self.html)}" width="100%" height="720" title="report"></iframe>'

    def __repr__(self) -> str:
        return f"<ReportPage: {self.verdict}>"


def checked_ending(path: str | os.PathLike[str]) -> str:
    """Returns the ending of a file's name if a report can be written to it. Needs jinja2 (extra ``report``), so that
    its lack is known before the logs are read."""
    import jinja2  # noqa: F401

    name = os.fspath(path)
    ending = os.path.splitext(name)[1].lower()
    if ending not in (".html", ".htm", ".pdf"):
        raise OutputError(f"report: {name}: unknown ending {ending!r}; expected .html or .pdf")
    return ending


def _priced(inventory: str | os.PathLike[str] | None, prices: str | os.PathLike[str] | None) -> dict[str, Any]:
    """Reads what the cost of traffic is told by, before the logs."""
    if inventory is None:
        return {}
    sheet = read_prices(prices) if prices is not None else read_prices()
    return {"inventory": read_inventory(inventory), "ranges": ranges_in(inventory), "prices": sheet}


def _countries(geo: str) -> Labels | None:
    """Reads the countries of a database; of one of networks, which detection takes, too, there are none."""
    if not geo:
        return None
    try:
        return mmdb(geo)
    except PlanError:
        mmdb(geo, "autonomous_system_organization")
        return None


def report(
    flows: Flows, *, baseline: Past | None = None, inventory: str | os.PathLike[str] | None = None,
    prices: str | os.PathLike[str] | None = None, controls: Controls | str | os.PathLike[str] | None = None,
    manifest: str | os.PathLike[str] | None = None, rules: Sequence[Rule] = (), silences: Sequence[Covering] = (),
    only: Sequence[str] = (), title: str = "Network report", made: Instant | None = None,
    progress: Progress | bool | None = None, **settings: Unpack[DetectorSettings],
) -> ReportPage:  # fmt: skip
    """Makes a report on flow logs for people who decide: what was not seen, the verdict, incidents with their evidence,
    what is new, traffic and rejects over time, talkers, exposed ports, countries, cost, and how to repeat it.

    ``baseline``: what was usual before, as for :func:`vpcflow.detect`. ``inventory``: a folder of answers of AWS's
    describe calls, for names of addresses and the cost by path, at ``prices`` or public list prices. ``controls``: a
    file of controls, or what :func:`vpcflow.audit.load` gives. ``manifest``: the folder of a manifest, whose head is
    named. ``rules``, ``silences``, ``only`` and ``settings`` are those of detection; ``geo``, a MaxMind DB file, gives
    countries, too. ``made``: the time to write into the page; without it the page says none, and the same logs give the
    same bytes.

    Reads the logs three times, for figures, coverage and sample records; of a stream, which is read once, the page says
    what lacks. Of damaged sources the page has what could be read, and says so; :attr:`ReportPage.error` is the error.
    Raises :class:`~vpcflow.NoRecordsError` for logs without a record, unless they were opened with ``allow_empty``.

    >>> import vpcflow as vf
    >>> made = vf.synth(20_000, seed=3, plant="port_scan", peers=500, noise_sources=500)
    >>> vf.report(vf.scan(made.data)).verdict
    '1 incident: 1 high'
    """
    instance(flows, Flows, "report", _CALL)
    text(title, "title", "vf.report(flows, title='Network report')")
    own = checked_settings(only, settings)
    wanted = Wanted(
        settings=own, only=names([only], "vf.report(flows, only=['port_scan'])"), baseline=baseline, rules=rules,
        silences=silences, place="" if inventory is None else os.fspath(inventory), **_priced(inventory, prices),
        countries=_countries(own.geo),
        controls=load(controls) if isinstance(controls, (str, os.PathLike)) else controls,
        manifest=None if manifest is None else head(manifest),
    )  # fmt: skip
    when = unix_seconds("made", made)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataQualityWarning)  # the page says it
        found = gather(flows, wanted, progress)
    model = model_of(found, flows, wanted, title, when)
    return ReportPage(model, found.summary.report, found.damage)

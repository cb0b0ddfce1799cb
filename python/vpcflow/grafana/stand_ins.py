"""Stand-ins for Grafana that a trial starts here: VictoriaMetrics draws the dashboard over the history of logs,
VictoriaLogs answers questions to their records."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.parse
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any

from .._display import instant
from .._hints import hint
from ..errors import ArgumentError, PlanError, SourceError
from ..io.saving import write_batches
from ..query.flows import Flows
from ..serve.board import Board, Figures
from ..serve.metrics import at_each_bin, history
from .dashboard import victoriametrics
from .languages import logsql
from .panels import PANELS, fields_of, lacks

_PATIENCE = 30.0  # seconds until a program answers, and until records are found
_TRIES = 3  # of ports, as another program may take one meanwhile
_KEEP = "100y"
_AHEAD = 86_400  # seconds after now from which on both need to be told that times may be in the future
_DATA = {"text": "text/plain", "lines": "application/stream+json"}

@dataclasses.dataclass(frozen=True)
class StandIn:
    """A program that stands in for Grafana: its names, the Go module that has it, the path of its page, and what it
    shows."""

    programs: tuple[str, ...]
    module: str
    page: str
    shows: str


STAND_INS: dict[str, StandIn] = {
    "victoriametrics": StandIn(
        ("victoria-metrics", "victoria-metrics-prod"), "VictoriaMetrics/VictoriaMetrics/app/victoria-metrics@v1.151.0",
        "vmui/", "draws the dashboard",
    ),
    "victorialogs": StandIn(
        ("victoria-logs", "victoria-logs-prod"), "VictoriaMetrics/VictoriaLogs/app/victoria-logs@v1.52.1",
        "select/vmui/", "answers questions to records",
    ),
}  # fmt: skip


def found(names: Iterable[str] = ()) -> dict[str, str]:
    """Returns the stand-ins that are installed: the paths of their programs by name. ``names``: those that are wanted,
    by default any. Raises :class:`~vpcflow.PlanError`, with how to get them, if one that is wanted is not there."""
    wanted = list(names)
    for name in wanted:
        if name not in STAND_INS:
            raise ArgumentError(f"stand-in {name!r}: {hint(name, list(STAND_INS))}")
    there = {}
    for name in wanted or STAND_INS:
        path = next(filter(None, (shutil.which(one, path=_path()) for one in STAND_INS[name].programs)), None)
        if path is not None:
            there[name] = path
    missing = [name for name in wanted or STAND_INS if name not in there]
    if missing and (wanted or not there):
        ways = "; ".join(f"go install github.com/{STAND_INS[name].module}" for name in missing)
        raise PlanError(
            f"grafana try: no {' and no '.join(STAND_INS[name].programs[0] for name in missing)} on PATH. "
            f"Get what you want to see: {ways}. Or import vpcflow grafana dashboard into a Grafana of yours"
        )
    return there


def _path() -> str:
    """Returns where programs are looked for: on PATH, and where Go installs them."""
    home = os.environ.get("GOPATH") or os.path.expanduser("~/go")
    return os.pathsep.join([os.environ.get("PATH", os.defpath), os.environ.get("GOBIN") or os.path.join(home, "bin")])


class Running:
    """A stand-in that runs: on loopback, at a free port, its data in a folder that goes with it. It ends with
    :meth:`close`, and with this process. Raises :class:`~vpcflow.SourceError` if it does not start."""

    def __init__(self, name: str, program: str, last: int, board: str = "") -> None:
        self.name, self.page = name, ""
        self._folder = tempfile.TemporaryDirectory(prefix="vpcflow-try-")
        own = [f"-retentionPeriod={_KEEP}"]
        if board:
            boards = Path(self._folder.name, "boards")
            boards.mkdir()
            (boards / "vpcflow.json").write_text(board)
            own.append(f"-vmui.customDashboardsPath={boards}")
        if last > time.time() + _AHEAD:  # older ones know no such flag
            own.append(f"-futureRetention={_KEEP}")
        try:
            for left in reversed(range(_TRIES)):
                self._process, self.url = self._started(program, own)
                if self._answers():
                    break
                if not left:
                    raise SourceError(f"{program}: it did not start: {self.last_words()}")
        except BaseException:
            self.close()
            raise

    def _started(self, program: str, arguments: list[str]) -> tuple[subprocess.Popen[bytes], str]:
        with socket.socket() as one:
            one.bind(("127.0.0.1", 0))
            port = one.getsockname()[1]
        data = Path(self._folder.name)
        with open(data / "log", "wb") as log:
            own = [program, f"-httpListenAddr=127.0.0.1:{port}", f"-storageDataPath={data / 'data'}", *arguments]
            no = subprocess.DEVNULL
            try:
                process = subprocess.Popen(own, stdin=no, stdout=log, stderr=log, preexec_fn=_die_with)
            except OSError as error:
                raise SourceError(f"{program}: it cannot be run: {error.strerror or error}") from None
        return process, f"http://127.0.0.1:{port}"

    def _answers(self) -> bool:
        until = time.monotonic() + _PATIENCE
        while time.monotonic() < until and self.alive:
            with contextlib.suppress(SourceError):
                self.ask("health")
                return True
            time.sleep(0.05)
        self._end()
        return False

    def last_words(self) -> str:
        """Returns the last line that it wrote."""
        lines = Path(self._folder.name, "log").read_text(errors="replace").splitlines()
        return lines[-1][-300:] if lines else "it said nothing"

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        return self._process.poll() is None

    def ask(self, path: str, body: IO[bytes] | None = None, kind: str = "", **parameters: object) -> bytes:
        """Returns an answer. Raises :class:`~vpcflow.SourceError`."""
        import urllib.request

        url = f"{self.url}/{path}" + (f"?{urllib.parse.urlencode(parameters)}" if parameters else "")
        headers = {"Content-Type": _DATA[kind]} if kind else {}
        if body is not None:
            headers["Content-Length"] = str(os.fstat(body.fileno()).st_size)
        try:
            with _direct().open(urllib.request.Request(url, body, headers), timeout=600) as answer:
                return bytes(answer.read())
        except OSError as error:
            raise SourceError(f"{self.name}: {url} does not answer: {getattr(error, 'reason', error)}") from None

    def check_page(self) -> None:
        """Raises :class:`~vpcflow.PlanError` if the program was built without its page, as Debian's is."""
        own = STAND_INS[self.name]
        try:
            self.ask(own.page)
        except SourceError:
            raise PlanError(
                f"{self.name}: this build has no page, as that of Debian's package; go install github.com/{own.module}"
            ) from None

    def _end(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def close(self) -> None:
        """Ends it and deletes its data."""
        if hasattr(self, "_process") and self.alive:
            self._end()
        self._folder.cleanup()


def _direct() -> Any:
    """Returns an opener that asks no proxy."""
    import urllib.request

    return urllib.request.build_opener(urllib.request.ProxyHandler({}))


def _die_with() -> None:
    """Asks Linux to end this process when its parent ends, however that ends."""
    import ctypes
    import signal

    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG


def draw(program: str, figures: Figures, format: str) -> Running:
    """Starts VictoriaMetrics with the dashboard for a format, and with the metrics of logs through their time; its
    ``page`` shows the dashboard at that time. Raises :class:`~vpcflow.SourceError`, :class:`~vpcflow.PlanError`."""
    first, last = _times(figures)
    running = Running("victoriametrics", program, last, json.dumps(victoriametrics(format)))
    try:
        running.check_page()
        with tempfile.TemporaryFile() as text:
            text.writelines(_samples(figures))
            text.flush()
            text.seek(0)
            running.ask("api/v1/import/prometheus", text, "text")
        running.ask("internal/force_flush")
    except BaseException:
        running.close()
        raise
    running.page = f"{running.url}/vmui/?#/dashboards?{_span('g0.', first, last)}"
    return running


def _times(figures: Figures) -> tuple[int, int]:
    """Returns when the records begin and end, Unix seconds, whole bins."""
    times = [row["time"] for row in figures.bins if row["time"] is not None]
    if times:
        return min(times), max(times) + figures.every
    report = figures.report
    if not report.ok:
        raise PlanError(f"grafana try: nothing can be drawn: of traffic there is no record ({report.nodata:,} NODATA, "
                        f"{report.skipdata:,} SKIPDATA)")  # fmt: skip
    raise PlanError("grafana try: the records have no time, so that no history can be drawn; add start and end")


def _samples(figures: Figures) -> Iterator[bytes]:
    """Yields counters through time, and what is of all the logs at each of their bins, in milliseconds."""
    for lines in (history(figures), at_each_bin(Board(figures), figures)):
        for text in lines:
            for line in text.splitlines():
                if not line.startswith("#"):
                    yield f"{line}000\n".encode()


def _span(prefix: str, first: int, last: int) -> str:
    minutes = -(-(last - first) // 60) + 10
    end = instant(last + 300).replace(" ", "T")
    return f"{prefix}range_input={minutes}m&{prefix}end_input={end}&{prefix}relative_time=none"


@dataclasses.dataclass
class Told:
    """What a stand-in got: records that were sent, those of them that it has, and the error that ended reading."""

    sent: int = 0
    there: int = 0
    error: BaseException | None = None
    report: Any = None


def answer(program: str, flows: Flows, format: str, figures: Figures) -> tuple[Running, Told]:
    """Starts VictoriaLogs with the records of logs; its ``page`` asks the first question of the dashboard. Raises
    :class:`~vpcflow.SourceError`, :class:`~vpcflow.PlanError`."""
    first, last = _times(figures)
    if "start" not in fields_of(format):
        raise PlanError("grafana try: VictoriaLogs keeps records by their start, which these do not have")
    told = Told()
    running = Running("victorialogs", program, last)
    try:
        running.check_page()
        with tempfile.NamedTemporaryFile(prefix="vpcflow-try-") as file:
            written = write_batches(file, "jsonl", flows._batches(65536))
            file.flush()
            file.seek(0)
            told.sent, told.error, told.report = written.rows, written.error, written.report
            fields = {"_stream_fields": "action", "_time_field": "start", "_msg_field": "version"}
            running.ask("insert/jsonline", file, "lines", **fields)
        until = time.monotonic() + _PATIENCE
        running.ask("internal/force_flush")
        while told.there < told.sent and time.monotonic() < until:
            own = running.ask("select/logsql/query", query="* | count() n")
            told.there = int(json.loads(own or b"{}").get("n", 0))
            time.sleep(0.1)
    except BaseException:
        running.close()
        raise
    asks = [panel.ask for panel in PANELS if panel.ask and panel.kind == "table" and not lacks(panel, format)]
    query = urllib.parse.quote(logsql(asks[1], format)) if len(asks) > 1 else "*"
    running.page = f"{running.url}/select/vmui/?#/?query={query}&{_span('g0.', first, last)}"
    return running, told

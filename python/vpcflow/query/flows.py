"""Lazy queries over flow logs, run by :meth:`Flows.collect`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from .. import _core
from .._threads import SharedIterator
from .._units import seconds
from ..errors import PlanError
from ..typing import BinBy, ColumnType, Duration, Frame, Input, Progress, ScanKeywords, Vantage
from .arguments import Names, Unnamed, label_of, name_of, names, order_of, several, top_of, whole
from .describing import aggregates, described
from .expr import Agg, Column, Derived, Expr, Literal, aggregates_spec, as_condition, as_filter, col, count
from .logs import Logs, open_logs
from .outline import outline
from .outputs import Outputs
from .planning import plan_of
from .progress import shown
from .result import Result, check
from .running import collect_all
from .wrong import GROUPED, Unrun, no_attribute

if TYPE_CHECKING:
    import polars as pl
    from typing_extensions import Unpack

    from ..labels import Labels


class Flows(Unrun, Outputs):
    """A lazy query over flow logs, of :func:`scan`, or without any, of :func:`query`. Every method returns a new query;
    :meth:`collect` runs it.

    Names of fields are AWS's, with ``-`` or ``_``. Errors: :class:`~vpcflow.FieldError` and friends for a query that
    cannot be, :class:`~vpcflow.SourceError` and :class:`~vpcflow.FormatError` for logs that cannot be read, with what
    could be read as ``partial``; :class:`~vpcflow.NoRecordsError` if no record was read, or none in the time asked for.

    A query is never changed; any number of threads may use one at once.
    """

    def __init__(
        self, logs: Logs | None, spec: _core.PlanSpec, filters: Sequence[str] = (), last: int | None = None
    ) -> None:
        self._bound = logs
        self._spec = spec
        self._filters = filters  # those of the spec
        self._last = last  # how many rows from the end

    def _with(self, **changes: Unpack[_core._PlanMembers]) -> Flows:
        return Flows(self._bound, self._spec.replace(**changes), self._filters, self._last)

    def _filtered(self, filters: Sequence[str]) -> Flows:
        return Flows(self._bound, self._spec.replace(filters=filters), filters, self._last)

    @property
    def _logs(self) -> Logs:
        if self._bound is None:
            raise PlanError("this query has no data; bind(data) gives it some")
        return self._bound

    @property
    def _sources(self) -> list[_core.Source]:
        return self._logs.sources

    @property
    def _options(self) -> _core.ScanOptions:
        return self._logs.options

    @property
    def _allows_empty(self) -> bool:
        return self._logs.options.allow_empty or self._spec.limit == 0

    @property
    def _grouped(self) -> bool:
        spec = self._spec
        return bool(spec.by or spec.every or spec.aggs or spec.sessions)

    @property
    def _chooses(self) -> bool:
        """Whether it takes some of the records only."""
        return bool(self._filters) or self._spec.asked is not None

    @property
    def _streams(self) -> bool:
        return not (self._grouped or self._spec.sort or self._last is not None)

    def _no_grouping(self, verb: str) -> None:
        if self._last is not None:
            raise PlanError(f"{verb} comes before tail; of a result, use pandas, polars or DuckDB")
        if self._grouped:
            raise PlanError(f"{verb} comes before group_by; of a result, use pandas, polars or DuckDB")

    def _no_limit(self, verb: str) -> None:
        if self._spec.limit is not None:
            raise PlanError(f"{verb} all records; limit comes after it, and is then of its rows")

    def bind(self, data: Input | Flows, **options: Unpack[ScanKeywords]) -> Flows:
        """Returns the query over data. Only a query without data, of :func:`vpcflow.query`, can be bound.

        ``data`` and ``options``: those of :func:`vpcflow.scan`. Data may also be a query without grouping, whose
        filters and labels then apply, too, and which has its options.

        >>> import vpcflow as vf
        >>> tries = vf.query().filter("action = 'REJECT'").group_by("dstport").agg(n=vf.count())
        >>> monday, tuesday = b"dstport action\\n22 REJECT\\n", b"dstport action\\n23 REJECT\\n22 ACCEPT\\n"
        >>> [tries.bind(day).collect()["dstport"] for day in (monday, tuesday)]
        [[22], [23]]
        """
        if self._bound is not None:
            raise PlanError("bind: this query has data; begin it with vpcflow.query()")
        if isinstance(data, Flows):
            if options:
                raise PlanError("bind: options belong to the scan(...) that made the query")
            data._no_grouping("bind")
            if self._grouped:
                data._no_limit("a grouping is of")
            logs, base, filters = data._logs, data._spec, [*data._filters]
        else:
            logs = open_logs(data, **options)
            base, filters = logs.spec, logs.filters
        own = self._spec
        spec = own.replace(
            asked=base.asked, labels=[*base.labels, *own.labels], select=own.select or base.select,
            limit=base.limit if own.limit is None else own.limit, located=own.located or base.located,
            sort=own.sort or base.sort, allow_missing=own.allow_missing or base.allow_missing,
            check_all=own.check_all or base.check_all, lenient=own.lenient or base.lenient,
            session_records=own.session_records or base.session_records,
        )  # fmt: skip
        return Flows(logs, spec, last=self._last)._filtered([*filters, *self._filters])

    # -- building -------------------------------------------------------------------------------------------------

    def filter(self, *expressions: Expr | str, **values: Literal) -> Flows:
        """Keeps only records that pass all the expressions: texts of the filter language or built with :func:`col`; and
        whose fields have the values: ``filter("bytes > 100", dstport=22)``."""
        self._no_grouping("filter")
        equal = [col(name) == value for name, value in values.items()]
        return self._filtered([*self._filters, *(as_filter(e) for e in (*expressions, *equal))])

    def unfiltered(self) -> Flows:
        """Drops all filters."""
        return self._filtered(())

    def join(self, frame: Frame, on: str | Column, *, key: str | None = None) -> Flows:
        """Adds the columns of a frame to the records, as texts: those of its row whose ``key`` has the value of ``on``,
        null where there is none. Usable wherever fields are, as those of :meth:`label`.

        ``frame``: of pandas, polars or pyarrow, a result, or a mapping of lists. ``on``: a field. ``key``: the frame's
        column of its values, by default of the same name; for addresses also prefixes, of which the longest counts.
        A column whose name is that of a field, or taken, gets ``_right`` behind it. :class:`~vpcflow.PlanError` for a
        key that stands twice with different values.

        >>> import vpcflow as vf
        >>> hosts = {"address": ["10.0.0.1", "10.0.1.0/24"], "team": ["web", "data"]}
        >>> flows = vf.scan(b"srcaddr bytes\\n10.0.0.1 40\\n10.0.1.7 2\\n").join(hosts, "srcaddr", key="address")
        >>> flows.group_by("team").agg(vf.sum("bytes")).collect().rows()
        [{'team': 'data', 'bytes': 2}, {'team': 'web', 'bytes': 40}]
        """
        from .joining import tables_of

        self._no_grouping("join")
        field = name_of(on, "join(frame, on='srcaddr')")
        taken = [name for name, _, _ in self._spec.labels]
        tables = tables_of(frame, field, field if key is None else key, taken)
        return self._with(labels=[*self._spec.labels, *(label_of(name, field, t) for name, t in tables.items())])

    def label(self, name: str, field: str | Column, table: Labels) -> Flows:
        """Adds a column of texts, looked up in a table by the value of ``field``: a name for a network, a service,
        an instance. Usable wherever fields are: filters, keys, aggregates, selections. Tables: :mod:`vpcflow.labels`.

        >>> import vpcflow as vf
        >>> networks = vf.labels.prefixes({"10.0.0.0/8": "inside", "10.9.0.0/16": "guests"})
        >>> log = b"srcaddr bytes\\n10.0.0.1 40\\n10.9.0.2 2\\n8.8.8.8 1\\n"
        >>> flows = vf.scan(log).label("src_net", "srcaddr", networks)
        >>> flows.group_by("src_net").agg(bytes=vf.sum("bytes")).collect().rows()
        [{'src_net': 'guests', 'bytes': 2}, {'src_net': 'inside', 'bytes': 40}, {'src_net': None, 'bytes': 1}]
        """
        self._no_grouping("label")
        return self._with(labels=[*self._spec.labels, label_of(name, field, table)])

    def select(self, *fields: Names) -> Flows:
        """Keeps only these fields, as columns in this order. Without it, all fields that the logs have."""
        self._no_grouping("select")
        return self._with(select=names(fields, "select('srcaddr', 'bytes')"))

    def located(self) -> Flows:
        """Adds two columns: ``file``, and ``offset``, the byte of its unpacked text where the record's line begins;
        of Parquet and Arrow the row, null for records that are wrapped in something else. For evidence.

        >>> import vpcflow as vf
        >>> flows = vf.scan(b"srcaddr bytes\\n10.0.0.1 40\\n10.0.0.2 2\\n").filter("bytes < 10")
        >>> flows.select("srcaddr").located().collect().rows()
        [{'srcaddr': '10.0.0.2', 'file': '<bytes>', 'offset': 26}]
        """
        self._no_grouping("located")
        return self._with(located=True)

    def limit(self, n: int) -> Flows:
        """Keeps only the first ``n`` rows: of records in the order of the input, of sessions in that of the result."""
        if not self._spec.sessions:
            self._no_grouping("limit")
        return self._with(limit=whole(n, "limit", "head(10)"))

    def head(self, n: int = 5) -> Flows:
        """Keeps only the first ``n`` rows, as :meth:`limit` does."""
        return self.limit(n)

    def tail(self, n: int = 5) -> Flows:
        """Keeps only the last ``n`` rows of the result, which :meth:`collect` holds whole before."""
        return Flows(self._bound, self._spec, self._filters, whole(n, "tail", "tail(10)"))

    def group_by(
        self,
        *fields: Names,
        every: Duration | None = None,
        window: Duration | None = None,
        gap: Duration | None = None,
        bin_by: BinBy = "spread",
    ) -> Grouped:
        """Groups by fields and, with ``every`` (``"5m"``, a timedelta, or seconds), by time bins aligned to the epoch.

        With ``bin_by="spread"`` the sums of a record are spread over the bins that it spans, in proportion to time, and
        add up to the whole; all else counts it in the bin of its start. ``bin_by="start"`` puts all of it there. The
        bins are the column ``time``. NODATA and SKIPDATA records are left out unless the query names ``log_status``.

        ``window``, a multiple of ``every``: windows of that length that begin with every bin, so that they overlap.
        ``gap``, a multiple of ``every``: one window for each run of bins of a key that are no further apart than that.
        ``time`` is then where a window begins.
        """
        self._no_grouping("group_by")
        by = names(fields, "group_by('srcaddr', 'dstport')")
        lengths = {"every": every, "window": window, "gap": gap}
        bins = [0 if length is None else seconds(length, name) for name, length in lengths.items()]
        return Grouped(self._with(by=by, bin_by=bin_by, every=bins[0], window=bins[1], gap=bins[2]))

    def agg(self, *unnamed: Unnamed, **aggregates: Agg | Derived | str) -> Flows:
        """Aggregates all records to one row. ``flows.agg(bytes=vf.sum("bytes"))``"""
        self._no_grouping("agg")
        return Grouped(self).agg(*unnamed, **aggregates)

    def top_k(
        self, n: int, by: str | Column = "", *, other: bool = False, per: Names = (), counters: int | None = None
    ) -> Flows:
        """Keeps the ``n`` groups with the largest ``by``, an aggregate; ties by key. With ``other`` one more row,
        marked in a column ``other``, has the aggregates over all the rest. With ``per``, one or some of the keys, ``n``
        groups for each of their values:
        ``group_by("srcaddr", "dstaddr").agg(...).top_k(10, by="bytes", per="srcaddr")`` gives every source's ten
        greatest peers.

        With ``counters`` in bounded memory: of each value of ``per`` (of all, without) about that many groups are held,
        the lighter ones are dropped when there are twice as many. A column ``<by>_error`` bounds what a group may have
        had more: its total lies between ``<by>`` and ``<by> + <by>_error``, and a group that is not there had at most
        the error. For groupings with one aggregate, ``count()`` or ``sum(field)``; more counters, smaller errors."""
        if not self._grouped or self._spec.sessions:
            raise PlanError("top_k needs a grouping: group_by(...).agg(...) first")
        return self._with(top=top_of(n, by, other, per, counters))

    def having(self, *conditions: Expr | str) -> Flows:
        """Keeps only groups that pass all conditions on their columns (aggregates, derived columns, keys), as
        ``"n >= 100 and (share > 0.5 or bytes > 10 * packets)"`` or ``vf.col("n") >= 100``: the language of filters,
        with arithmetic, and columns on both sides. A test on null is neither true nor false. Comes before ``top_k``.

        >>> import vpcflow as vf
        >>> log = b"srcaddr bytes packets\\n10.0.0.1 4000 5\\n10.0.0.2 40 1\\n"
        >>> sums = vf.scan(log).group_by("srcaddr").agg(b=vf.sum("bytes"), p=vf.sum("packets"), each="b / p")
        >>> sums.having((vf.col("each") > 100) | vf.col("srcaddr").is_in("10.1.0.0/16")).collect().rows()
        [{'srcaddr': '10.0.0.1', 'b': 4000, 'p': 5, 'each': 800.0}]
        """
        if not self._grouped or self._spec.sessions:
            raise PlanError("having needs a grouping: group_by(...).agg(...) first; records are chosen by filter()")
        return self._with(having=[*self._spec.having, *(as_condition(c) for c in conditions)])

    def sort(self, *columns: Names, descending: bool | Sequence[bool] = False) -> Flows:
        """Sorts the result by columns; null last. Addresses and texts sort by their text."""
        return self._with(sort=order_of(columns, descending))

    # -- looking --------------------------------------------------------------------------------------------------

    @property
    def format(self) -> str | None:
        """The format of the first source, as ``${field} ${field}``; ``None`` for an empty one. Reads some lines."""
        formats = self._sources[0].peek_formats(self._options)
        return formats[0] if formats else None

    @property
    def formats(self) -> list[str]:
        """The different formats of all sources, as :attr:`format`; of each source its first 16 KiB are read."""
        texts = self._logs.formats()
        return [" ".join(f"${{{name}}}" for name in names.split()) for names in texts]

    def _plan(self, sources: int | None = None) -> _core.Plan:
        """``sources``: how many of them are looked at for their columns; all by default."""
        everything = self._bound is not None and not self._grouped and not self._spec.select
        return plan_of(self._bound, self._spec, self._logs.formats(sources) if everything else [])

    @property
    def columns(self) -> list[str]:
        """Names of the result's columns, without running the query."""
        return [name for name, _ in self.schema]

    @property
    def schema(self) -> list[tuple[str, ColumnType]]:
        """Names and types of the result's columns, as :attr:`vpcflow.Result.schema`, without running the query. Only a
        total beyond 64 bits changes a type: int64 to int128."""
        if not self._grouped and not self._spec.select:
            _ = self._logs  # they have the columns
        return self._plan().schema

    def explain(self) -> str:
        """Describes what :meth:`collect` will do, stage by stage, and which columns it parses."""
        if self._bound is None:
            return "scan      no data; bind(data) gives it some\n" + self._plan().explain()
        names = [s.name for s in self._sources[:3]]
        more = f" and {len(self._sources) - 3} more" if len(self._sources) > 3 else ""
        kernel = _core.build_info()["kernel"]
        places = "".join(f"list      {place}\n" for place in self._bound.places)
        return f"{places}scan      {', '.join(names)}{more}  (kernel {kernel})\n" + self._plan().explain()

    def __repr__(self) -> str:
        names = None if self._bound is None else [source.name for source in self._bound.sources]
        return outline(names, self._spec, self._filters, self._last)

    # -- running --------------------------------------------------------------------------------------------------

    def collect(self, *, progress: Progress | bool | None = None) -> Result:
        """Runs the query. Files are read in parallel, the result does not depend on it; Ctrl-C ends it.

        ``progress=True`` shows a bar, by tqdm if that is installed, as a notebook does of itself unless ``False``; a
        function is called about 20 times a second with (bytes read, bytes in all, sources read, sources in all).
        """
        return collect_all([self], progress=progress)[0]

    def count(self) -> int:
        """Runs the query and returns the number of its rows: of records, NODATA and SKIPDATA included, all that pass
        the filters.

        >>> import vpcflow as vf
        >>> vf.scan(b"srcaddr bytes\\n10.0.0.1 40\\n10.0.0.2 2\\n").filter("bytes > 10").count()
        1
        """
        if not self._streams or self._spec.limit is not None:
            return len(self.collect())
        # Groupings leave NODATA and SKIPDATA out, unless they name the field.
        known = any("log-status" in text.split() for text in self._logs.formats())
        every = count(where="log_status is null or log_status is not null" if known else None)
        (rows,) = self._with(select=[], located=False).agg(rows=every).collect()["rows"]
        return int(rows)

    def describe(self) -> Result:
        """Runs over the records and returns a row for each column: ``column``, ``type``, ``count`` of values, ``null``,
        ``unique`` (about), ``min`` and ``max`` as texts, ``mean``. NODATA and SKIPDATA records count only if the query
        names ``log_status``, or selects nothing.

        >>> import vpcflow as vf
        >>> for row in vf.scan(b"srcaddr bytes\\n10.0.0.1 40\\n10.0.0.2 2\\n").describe(): print(*row.values())
        srcaddr address 2 0 2 None None None
        bytes int64 2 0 2 2 40 21.0
        """
        self._no_grouping("describe")
        if self._spec.limit is not None or self._spec.sort:
            raise PlanError("describe() is of all records; of some, flows.to_polars().describe()")
        schema = self.schema
        return described(schema, self._with(select=[]).agg(**aggregates(schema)).collect())

    def coverage(self, *, progress: Progress | bool | None = None) -> Result:
        """Finds the minutes of interfaces that the logs have records of, as rows ``interface_id``, ``seen``, ``start``,
        ``end``, ``minutes``, sorted by interface and time.

        ``seen`` is ``"OK"``, ``"NODATA"``, ``"SKIPDATA"`` (records were lost: counts are a floor) or ``"absent"``: no
        record for longer than an aggregation window, within the span of all the logs. Records without an interface
        stand under their transit gateway attachment or, of regional NAT gateways, their resource-id. Filters apply;
        needs the fields ``start`` and ``end``.

        >>> import vpcflow as vf
        >>> log = b"interface-id start end log-status\\neni-1 60 120 OK\\neni-1 240 300 NODATA\\n"
        >>> [(row["seen"], row["minutes"]) for row in vf.scan(log).coverage()]
        [('OK', 1), ('absent', 2), ('NODATA', 1)]
        """
        self._no_grouping("coverage")
        self._no_limit("coverage() is of")
        plan = self.select(*_core.coverage_fields())._with(allow_missing=True)._plan()
        with shown(progress) as call:
            result = Result(*_core.coverage(plan, self._sources, self._options, call))
        check([result], self._allows_empty)
        return result

    def sessions(
        self, *, idle: Duration = "10m", vantage: Vantage = "most", intermediaries: Iterable[object] = ()
    ) -> Flows:
        """Joins the records of a conversation, of both directions, all windows and interfaces, to one row.

        Records of the same two endpoints and protocol are one session as long as no two that follow each other are
        further apart than ``idle``. Columns: ``client``, ``client_port``, ``server``, ``server_port``, ``protocol``;
        ``start``, ``end``, ``duration`` (seconds); ``client_bytes``, ``server_bytes``, ``client_packets``,
        ``server_packets``, sent by each; ``records``; ``interface``, whose figures they are, and ``interfaces``, how
        many saw it; ``client_flags``, ``server_flags`` (TCP, of all records); ``state`` (``established``, ``reset``,
        ``unanswered``, ``one-way``, ``half``, ``rejected``); ``decided_by``, the evidence for client and server
        (``syn``, ``service-port``, ``flow-direction``, ``first-seen``, ``none``); ``counted``, false for the second leg
        of a conversation through a NAT gateway or load balancer: the bytes of counted sessions have every byte once;
        ``client_known``, false if no evidence shows who began: the ends then stand in an order that says nothing of
        roles; ``conn_state``, Zeek's name of a TCP session, null where the flags do not determine it; ``answered``,
        whether it came about, null where the logs cannot show it. Logs of one direction only are said in the report's
        warnings.

        ``vantage``: whose figures a session has when several interfaces saw it: of each direction the one that saw
        ``"most"``, the one at the ``"client"``'s or ``"server"``'s side (needs ``flow-direction``), or ``"all"`` of
        them added up. ``intermediaries``: addresses of NAT gateways and load balancers, for logs without
        ``pkt-srcaddr`` and ``interface-type``.

        Needs ``srcaddr``, ``dstaddr``, ``start``, ``end``; ``include/vpcflow/session/sessions.h`` says how the rest is
        used, and what memory a session takes; all are held.

        >>> import vpcflow as vf
        >>> log = b"srcaddr dstaddr srcport dstport protocol bytes start end action\\n"
        >>> log += b"10.0.0.1 10.0.0.2 40000 443 6 840 0 60 ACCEPT\\n10.0.0.2 10.0.0.1 443 40000 6 9000 0 60 ACCEPT\\n"
        >>> [(s["client"], s["server_port"], s["server_bytes"], s["state"]) for s in vf.scan(log).sessions().collect()]
        [('10.0.0.1', 443, 9000, 'established')]
        """
        self._no_grouping("sessions")
        if self._spec.select:
            raise PlanError("sessions() reads the fields that it needs; leave out select")
        self._no_limit("sessions() joins")
        call = "sessions(intermediaries=['10.0.0.5'])"
        texts = [str(address) for address in several(intermediaries, "intermediaries", call)]
        sessions = _core.SessionSpec(idle=seconds(idle, "idle"), vantage=vantage, intermediaries=texts)
        return self._with(sessions=sessions)

    def _in_any_order(self) -> Flows:
        """Drops the order of sessions, for those who do not go by it."""
        sessions = self._spec.sessions
        return self._with(sessions=sessions.replace(ordered=False) if sessions else None)

    def _folded(self, above: int, inside: Sequence[str]) -> Flows:
        """Folds tries of hosts that are seen once or twice into counts, if there are more than ``above`` tries (0:
        never), but for those of ``inside`` (prefixes); for detectors."""
        sessions = self._spec.sessions
        return self._with(sessions=sessions.replace(fold_above=above, fold_not=list(inside)) if sessions else None)

    def batches(self, rows: int = 65536) -> Iterator[Result]:
        """Yields the selected rows, in results of about ``rows`` rows, in the order of the input and in bounded memory.

        Several threads may take from one iterator; each result goes to one of them.
        """
        if whole(rows, "rows", "batches(rows=65536)") < 1:
            raise PlanError(f"batches: rows={rows}: expected at least 1")
        return SharedIterator(batch for batch in self._batches(rows) if len(batch) > 0)

    def _batches(self, rows: int) -> Iterator[Result]:
        """As :meth:`batches`, and in the end one without rows, which has the columns and the whole report."""
        if self._grouped or self._last is not None:
            raise PlanError("batches() is for selections; a grouping, and tail, has one result: collect()")
        if self._spec.sort:
            raise PlanError("batches() gives the order of the input; sort needs collect()")
        reader = _core.BatchReader(self._plan(), self._sources, self._options)
        while True:
            result = Result(*reader.next(rows))
            yield result
            if len(result) == 0:
                break
        check([result], self._allows_empty)

    def lazy(self, *, categories: bool = False) -> pl.LazyFrame:
        """Returns the records as a ``polars.LazyFrame``, read when polars collects, in batches: only the columns that
        its query uses are parsed, and comparisons with numbers, texts, times and addresses are applied while reading.
        Addresses and texts are strings, with ``categories`` categoricals. Needs polars 1.25 or later.

        >>> import polars, vpcflow as vf
        >>> frame = vf.scan(b"srcaddr dstport bytes\\n10.0.0.1 443 40\\n10.0.0.2 22 2\\n").lazy()
        >>> frame.filter(polars.col("dstport") == 443).select("bytes").collect().rows()
        [(40,)]
        """
        from ..io.polars import lazy_frame

        return lazy_frame(self, categories=categories)


class Grouped:
    """What :meth:`Flows.group_by` gives; :meth:`agg` says what to compute per group."""

    def __init__(self, flows: Flows) -> None:
        self._flows = flows

    def agg(self, *unnamed: Unnamed, **aggregates: Agg | Derived | str) -> Flows:
        """Computes aggregates by name: ``agg(bytes=vf.sum("bytes"), n=vf.count())``, and columns computed of them:
        ``each="bytes / n"``. Without any, the number of records.

        An aggregate without a name has that of its field, as in polars: ``agg(vf.sum("bytes"), vf.count())`` gives
        ``bytes`` and ``count``; ``vf.sum("bytes").alias("total")`` names it, too."""
        return self._flows._with(**aggregates_spec(unnamed, aggregates))

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            raise no_attribute(self, name, GROUPED, "a grouping without aggregates")

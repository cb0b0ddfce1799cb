"""The exceptions of vpcflow: a small hierarchy below :class:`VpcflowError`.

>>> import vpcflow as vf
>>> try:
...     vf.scan(b"2 1 2 3").filter("actoin = 'REJECT'").collect()
... except vf.FilterError as e:
...     print(str(e).splitlines()[0])
filter: unknown field 'actoin'; did you mean 'action'?
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from .query.report import Reject
    from .query.result import Result


class VpcflowError(Exception):
    """Base of all exceptions that vpcflow raises on purpose.

    ``partial`` is the result of what could be read, if the error came after some of it, else ``None``: what the call
    gives else, a :class:`~vpcflow.Result`, :class:`~vpcflow.Findings`, ...
    """

    partial: Any = None
    #: The same for each query of :func:`vpcflow.collect_all`.
    partials: Sequence[Result] = ()

    def __reduce__(self) -> tuple[Any, ...]:
        # Said here, as libraries that send exceptions between processes (Dask, by tblib) guess wrongly for classes with
        # a second builtin base. A partial result stays where it is.
        state = {k: v for k, v in self.__dict__.items() if k not in ("partial", "partials")}
        return (type(self), self.args, state)


class FormatError(VpcflowError, ValueError):
    """A format text is wrong, or a log has none that can be found."""


class FilterError(VpcflowError, ValueError):
    """A filter expression is wrong; the message shows the place."""


class FieldError(VpcflowError, ValueError):
    """A field name is unknown; the message has the nearest right one."""


class PlanError(VpcflowError, ValueError):
    """A query asks for something that does not fit together."""


class RuleError(VpcflowError, ValueError):
    """A rule cannot be: the message names the file, the rule, its key, and the nearest right name."""


class NotifyError(VpcflowError, OSError):
    """An alert could not be delivered. The message names the channel by scheme and host, never its secrets."""


class SynthError(VpcflowError, ValueError):
    """Options of :func:`vpcflow.synth` that do not fit together."""


class ParseError(VpcflowError, ValueError):
    """The first line that is no record, with ``on_error="raise"``.

    Attributes: ``path``, ``line`` (from 1), ``column`` (byte in the line, from 1), ``byte_offset`` (of the line in the
    unpacked text), ``field`` (or ``None`` for the line as a whole), ``code`` (see ``vpcflow.reject_reasons()``).
    """

    def __init__(self, message: str, /, **place: Any) -> None:
        super().__init__(message)
        self.path: str = place.get("file", "")
        self.line: int = place.get("line", 0)
        self.column: int = place.get("column", 0)
        self.byte_offset: int = place.get("byte_offset", 0)
        self.field: str | None = place.get("field")
        self.code: str = place.get("reason", "")


class SourceError(VpcflowError, OSError):
    """A source cannot be read."""


class SourceNotFoundError(SourceError, FileNotFoundError):
    """There is no such file, or no log in a folder or under a pattern."""


class DataLossError(SourceError):
    """A source is damaged: cut or corrupt gzip. What was read before the damage is in ``partial``."""


class NoRecordsError(VpcflowError, ValueError):
    """No record was read, or none in the time asked for: nothing can be concluded. The message says what was read and
    why it was no record; ``partial`` is the empty result, with its report. ``scan(..., allow_empty=True)`` gives that
    instead.

    >>> import vpcflow as vf
    >>> vf.scan(b"").agg(n=vf.count()).collect()
    Traceback (most recent call last):
    vpcflow.errors.NoRecordsError: no record was read: <bytes> is empty
    """


class StateError(VpcflowError, ValueError):
    """Bytes that are no saved state, or a damaged one, or one of a newer version."""


class OutputError(VpcflowError, OSError):
    """A file, a folder or standard output cannot be written; what was begun is gone."""


class OutOfMemoryError(VpcflowError, MemoryError):
    """A query needs more memory than there is; use fewer keys or a filter."""


class DataQualityWarning(UserWarning):
    """Lines were rejected, or fields are not in the catalogue. Warned once per query; details are in the report."""


def raise_reject(reject: Reject) -> NoReturn:
    """Raises a :class:`ParseError` for an entry of a report's rejects."""
    raise ParseError(str(reject), **reject)


_BY_CODE = {
    "DATA_LOSS": DataLossError,
    "INVALID_ARGUMENT": FormatError,
    "NOT_FOUND": SourceNotFoundError,
    "RESOURCE_EXHAUSTED": OutOfMemoryError,
}


def from_report(errors: list[tuple[str, str]]) -> VpcflowError:
    """One exception for the errors of a report: (status code, message) pairs."""
    code, first = errors[0]
    message = first
    if len(errors) > 1:
        shown = "".join(f"\n  {text}" for _, text in errors[:10])
        more = f"\n  and {len(errors) - 10} more" if len(errors) > 10 else ""
        message = f"{len(errors)} sources could not be read to their end:{shown}{more}"
    return _BY_CODE.get(code, SourceError)(message)

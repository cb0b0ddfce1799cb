"""The exceptions of vpcflow: a small hierarchy below :class:`VpcflowError`.

>>> import vpcflow as vf
>>> try:
...     vf.scan(b"2 1 2 3").filter("actoin = 'REJECT'").collect()
... except vf.FieldError as e:
...     print(str(e).splitlines()[0])
...     print(e.kind, e.field, e.suggestion, e.position)
filter: unknown field 'actoin'; did you mean 'action'?
field actoin action 0

A name that is no field is a :class:`FieldError`, wherever fields are named; a name that is no column of the result (in
``sort``, ``having``, ``top_k``, ``result[...]``) is a :class:`PlanError`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from . import _core

if TYPE_CHECKING:
    from .query.result import Result


class VpcflowError(Exception):
    """Base of all exceptions that vpcflow raises on purpose.

    ``partial`` has the result for the input before the error, of the type that the call returns (a
    :class:`~vpcflow.Result`, :class:`~vpcflow.Findings`, ...), or ``None``.

    Details of the failure, ``None`` where unknown: ``field``, the name as it was written; ``suggestion``, the nearest
    right name or value; ``source``, the name of the source; ``line``, in it, from 1; ``position``, the byte of an
    expression, from 0. ``kind`` names the failure in short, as ``"field"`` or ``"not-found"``.
    """

    kind: str = "error"
    field: str | None = None
    suggestion: str | None = None
    source: str | None = None
    line: int | None = None
    position: int | None = None
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

    kind = "format"


class FilterError(VpcflowError, ValueError):
    """A filter expression is wrong; the message shows the place."""

    kind = "filter"


class FieldError(VpcflowError, ValueError):
    """A name is no field (``kind`` is ``"field"``; the message has the nearest right one), or a field is in none of the
    logs (``"missing-field"``)."""

    kind = "field"


class PlanError(VpcflowError, ValueError):
    """A query asks for something that does not fit together, or names a column that its result does not have."""

    kind = "plan"


class ArgumentError(PlanError, TypeError):
    """An argument has a type that the call does not take; the message has the right call."""


class RuleError(VpcflowError, ValueError):
    """A rule cannot be: the message names the file, the rule, its key, and the nearest right name."""

    kind = "rule"


class PriceError(VpcflowError, ValueError):
    """A price sheet, a price list or a bill cannot be used: the message names the file, the row and what is allowed."""

    kind = "prices"


class NotifyError(VpcflowError, OSError):
    """An alert or an event could not be delivered. The message names the channel or sink by scheme and host, never its
    secrets."""

    kind = "notify"


class ProtectionError(VpcflowError, ValueError):
    """A key, a role or an encrypted file cannot be used. The message holds no part of a key."""

    kind = "protection"


class SynthError(VpcflowError, ValueError):
    """Options of :func:`vpcflow.synth` that do not fit together."""

    kind = "synth"


class ParseError(VpcflowError, ValueError):
    """The first line that is no record, with ``on_error="raise"``.

    Attributes: ``path`` (as ``source``), ``line`` (from 1), ``column`` (byte in the line, from 1), ``byte_offset`` (of
    the line in the unpacked text), ``field`` (or ``None`` for the line as a whole), ``code`` (see
    ``vpcflow.reject_reasons()``).
    """

    kind = "reject"
    line: int = 0
    column: int = 0
    byte_offset: int = 0
    code: str = ""

    @property
    def path(self) -> str:
        """The name of the source."""
        return self.source or ""


class SourceError(VpcflowError, OSError):
    """A source cannot be read."""

    kind = "source"


class SourceNotFoundError(SourceError, FileNotFoundError):
    """There is no such file, or no log in a folder or under a pattern."""

    kind = "not-found"


class DataLossError(SourceError):
    """A source is damaged: cut or corrupt gzip. What was read before the damage is in ``partial``."""

    kind = "damaged"


class NoRecordsError(VpcflowError, ValueError):
    """No record was read, or none in the time asked for: nothing can be concluded. The message says what was read and
    why it was no record; ``partial`` is the empty result, with its report. ``scan(..., allow_empty=True)`` gives that
    instead.

    >>> import vpcflow as vf
    >>> vf.scan(b"").agg(n=vf.count()).collect()
    Traceback (most recent call last):
    vpcflow.errors.NoRecordsError: no record was read: <bytes> is empty
    """

    kind = "no-records"


class StateError(VpcflowError, ValueError):
    """Bytes that are no saved state, or a damaged one, or one of a newer version."""

    kind = "state"


class ManifestError(VpcflowError, ValueError):
    """A manifest, a signature or a bag of evidence is not as it was written; a key cannot be used."""

    kind = "manifest"


class OutputError(VpcflowError, OSError):
    """A file, a folder or standard output cannot be written; no part of it is left behind."""

    kind = "output"


class OutOfMemoryError(VpcflowError, MemoryError):
    """A query needs more memory than there is; use fewer keys or a filter."""

    kind = "memory"


class DataQualityWarning(UserWarning):
    """Lines were rejected, or fields are not in the catalogue. Warned once per query; details are in the report."""


def from_report(errors: Sequence[tuple[str, str, str]]) -> VpcflowError:
    """Makes one exception of the errors of a report: (name of the kind, message, name of the source)."""
    kind, message, source = errors[0]
    if len(errors) > 1:
        shown = "".join(f"\n  {text}" for _, text, _ in errors[:10])
        more = f"\n  and {len(errors) - 10} more" if len(errors) > 10 else ""
        message = f"{len(errors)} sources could not be read to their end:{shown}{more}"
    error: VpcflowError = globals()[_core.error_class(kind)](message)
    if len(errors) == 1:
        error.source = source or None
    return error

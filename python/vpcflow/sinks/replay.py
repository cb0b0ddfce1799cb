"""Sends dead letters again."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import Any, Callable

from ..errors import OutputError, RuleError, SourceError
from .dead import DeadLetters, Ids, locked, read_dead
from .opening import open_sink
from .sending import PATIENCE, Sent, send


def replay(
    path: str | os.PathLike[str], url: str, *, auth: str | None = None, allow_hosts: tuple[str, ...] = (),
    aws: Any = None, patience: float = PATIENCE, log: Callable[[str], None] = lambda _: None,
    counts: Sent | None = None,
) -> Sent:  # fmt: skip
    """Sends the events of a file of dead letters to a sink. When all are answered, the file holds those that died
    again, and is gone if there are none; if sending fails it stays as it is.

    Arguments and errors are those of :func:`~vpcflow.sinks.open_sink` and :func:`~vpcflow.sinks.send`.
    :class:`~vpcflow.RuleError` if the file has events of several schemas, or none.
    """
    name = os.fspath(path)
    schemas = sorted({dead.schema for dead in read_dead(name)})
    if len(schemas) != 1:
        raise RuleError(f"{name}: " + (f"events of {', '.join(schemas)}; expected one schema" if schemas else "empty"))
    sink = open_sink(url, schemas[0], auth=auth, allow_hosts=allow_hosts, aws=aws)
    with open(name, "rb") as held:
        if not locked(held, name, wait=False):
            raise SourceError(f"{name}: cannot be read: it was replaced just now; try again")
        with contextlib.suppress(FileNotFoundError):  # of a replay that was cut
            os.unlink(f"{name}.again")
        again = DeadLetters(f"{name}.again", schemas[0], sink.label)
        again.shown = name
        try:
            counts = send(_once(name), sink, again, patience=patience, log=log, counts=counts)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(again.path)
            raise
        finally:
            sink.close()
            again.close()
        _replace(name, again.path)
    return counts


def _once(name: str) -> Iterator[tuple[str, bytes]]:
    """Yields the events of a file, each id once."""
    known = Ids()
    try:
        for dead in read_dead(name):
            if known.add(dead.id):
                yield dead.id, dead.line
    finally:
        known.close()


def _replace(name: str, again: str) -> None:
    try:
        if os.path.exists(again):
            os.replace(again, name)
        else:
            os.unlink(name)
    except OSError as e:
        raise OutputError(f"{name}: cannot be written: {e.strerror}") from None

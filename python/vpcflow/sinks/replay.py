"""Sends dead letters again."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import Any, Callable

from ..errors import OutputError, RuleError, SourceError
from .dead import DeadLetters, Ids, locked, parsed, read_dead
from .opening import open_sink
from .sending import PATIENCE, Sent, send


def replay(
    path: str | os.PathLike[str], url: str, *, auth: str | None = None, allow_hosts: tuple[str, ...] = (),
    aws: Any = None, patience: float = PATIENCE, log: Callable[[str], None] = lambda _: None,
    counts: Sent | None = None, schema: str | None = None,
) -> Sent:  # fmt: skip
    """Sends the events of a file of dead letters to a sink. When all are answered, the file holds those that died
    again, and is gone if there are none; if sending fails it stays as it is.

    Arguments and errors are those of :func:`~vpcflow.sinks.open_sink` and :func:`~vpcflow.sinks.send`.
    ``schema``: sends the events of that one alone, the others stay. :class:`~vpcflow.RuleError` if the file has events
    of several schemas and none is given, or no event.
    """
    name = os.fspath(path)
    schemas = sorted({dead.schema for dead in read_dead(name)})
    chosen = schemas[0] if len(schemas) == 1 and schema is None else schema
    if chosen not in schemas:
        has = f"events of {', '.join(schemas)}" if schemas else "empty"
        raise RuleError(f"{name}: {has}" + ("; --as says which of them to send" if schemas else ""))
    assert chosen is not None
    sink = open_sink(url, chosen, auth=auth, allow_hosts=allow_hosts, aws=aws)
    with open(name, "rb") as held:
        if not locked(held, name, wait=False):
            raise SourceError(f"{name}: cannot be read: it was replaced just now; try again")
        with contextlib.suppress(FileNotFoundError):  # of a replay that was cut
            os.unlink(f"{name}.again")
        again = DeadLetters(f"{name}.again", chosen, sink.label)
        again.shown = name
        try:
            counts = send(_once(name, chosen), sink, again, patience=patience, log=log, counts=counts)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(again.path)
            raise
        finally:
            sink.close()
            again.close()
        _keep_others(name, again.path, chosen)
        _replace(name, again.path)
    return counts


def _keep_others(name: str, again: str, schema: str) -> None:
    """Appends the letters of other schemas to the file that takes the place of the first one."""
    with open(name, "rb") as file:
        others = (line for line in file if (dead := parsed(line)) is not None and dead.schema != schema)
        first = next(others, None)
        if first is None:
            return
        try:
            with open(again, "ab") as rest:
                rest.write(first)
                rest.writelines(others)
        except OSError as e:
            raise OutputError(f"{again}: cannot be written: {e.strerror}") from None


def _once(name: str, schema: str) -> Iterator[tuple[str, bytes]]:
    """Yields the events of a file that are of a schema, each id once."""
    known = Ids()
    try:
        for dead in read_dead(name):
            if dead.schema == schema and known.add(dead.id):
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

"""Files of controls as values that know the line they stand in, and the checks common to all of them."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from .._display import printable
from .._hints import hint
from ..errors import RuleError

_MOST_VALUES = 20_000  # of one file: references of YAML can unfold to any number
_DEEPEST = 20


@dataclasses.dataclass(frozen=True)
class Value:
    """A value of a file with its place. ``inner``: text, number, boolean, ``None``, a list or a mapping of values."""

    inner: Any
    place: str

    def fail(self, what: str) -> RuleError:
        """Returns the error that says what is wrong with it."""
        return RuleError(f"{self.place}: {what}")

    def text(self, key: str) -> str:
        """Returns it as a text that is not empty."""
        if isinstance(self.inner, bool) or not isinstance(self.inner, (str, int, float)) or self.inner == "":
            raise self.fail(f"{key}: expected a text")
        return str(self.inner)

    def texts(self, key: str) -> list[str]:
        """Returns it as texts: one, or a list of them that is not empty."""
        return [one.text(key) for one in self.each(key)]

    def each(self, key: str) -> list[Value]:
        """Returns the members of a list that is not empty, or the value alone."""
        if not isinstance(self.inner, list):
            return [self]
        if not self.inner:
            raise self.fail(f"{key}: the list is empty")
        return self.inner

    def listed(self, key: str) -> list[Value]:
        """Returns the members of a list."""
        if not isinstance(self.inner, list):
            raise self.fail(f"{key}: expected a list")
        return self.inner

    def mapping(self, key: str, known: Sequence[str] = ()) -> dict[str, Value]:
        """Returns it as a mapping, whose keys must be among ``known`` if there are any."""
        if not isinstance(self.inner, dict):
            raise self.fail(f"{key}: expected a mapping of keys")
        for name, value in self.inner.items():
            if known and name not in known:
                raise value.fail(f"{key}: no key {printable(name)!r}; {hint(name, list(known))}")
        return self.inner


def read(source: str | os.PathLike[str]) -> Value:
    """Reads a file, YAML (needs PyYAML) or JSON. :class:`~vpcflow.RuleError` names it and the line."""
    name = printable(os.fspath(source))
    try:
        with open(source, encoding="utf-8") as file:
            text = file.read()
    except OSError as error:
        raise RuleError(f"{name}: {error.strerror or error}") from None
    except UnicodeDecodeError as error:
        raise RuleError(f"{name}: not a text in UTF-8, at byte {error.start}; YAML or JSON is expected") from None
    return _json(text, name) if name.endswith(".json") else _yaml(text, name)


def of(data: Any, name: str) -> Value:
    """Makes a value of plain ones, whose place is its way through them: ``name: controls: 2``."""
    return _Limit(name).whole(data, name)


def _json(text: str, name: str) -> Value:
    try:
        return of(json.loads(text), name)
    except (ValueError, RecursionError) as error:
        raise RuleError(f"{name}: invalid JSON: {error}") from None


class _Limit:
    """Counts the values of a file, so that a hostile one does not unfold without end."""

    def __init__(self, name: str) -> None:
        self.name, self.count = name, 0

    def take(self, depth: int) -> None:
        self.count += 1
        if self.count > _MOST_VALUES or depth > _DEEPEST:
            raise RuleError(f"{self.name}: too many values, or too deep: at most {_MOST_VALUES:,}, {_DEEPEST} deep")

    def whole(self, data: Any, place: str, depth: int = 0) -> Value:
        self.take(depth)
        if isinstance(data, Mapping):
            inner = {str(k): self.whole(v, f"{place}: {printable(str(k))}", depth + 1) for k, v in data.items()}
            return Value(inner, place)
        if isinstance(data, (list, tuple)):
            return Value([self.whole(v, f"{place}: {i + 1}", depth + 1) for i, v in enumerate(data)], place)
        return Value(data if data is None or isinstance(data, (str, int, float, bool)) else str(data), place)


def _yaml(text: str, name: str) -> Value:
    try:
        import yaml  # an extra
    except ImportError:
        raise RuleError(f"{name}: YAML needs PyYAML: pip install 'vpcflow[rules]'; JSON needs nothing") from None
    try:
        nodes = list(yaml.compose_all(text, yaml.SafeLoader))
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise RuleError(f"{name}: invalid YAML: {' '.join(str(error).split())}") from None
    if len(nodes) != 1:
        raise RuleError(f"{name}: expected one document, not {len(nodes)}")
    return _of_node(nodes[0], yaml, _Limit(name), 0)


def _of_node(node: Any, yaml: Any, limit: _Limit, depth: int) -> Value:
    limit.take(depth)
    place = f"{limit.name}: line {node.start_mark.line + 1}"
    if isinstance(node, yaml.SequenceNode):
        return Value([_of_node(one, yaml, limit, depth + 1) for one in node.value], place)
    if isinstance(node, yaml.MappingNode):
        inner: dict[str, Value] = {}
        for key, value in _pairs(node, yaml, limit):
            if key in inner:
                raise RuleError(f"{limit.name}: line {value.start_mark.line + 1}: duplicate key {printable(key)!r}")
            made = _of_node(value, yaml, limit, depth + 1)
            # Of what stands below its key, the line of the key.
            line = next(k.start_mark.line for k, v in node.value if v is value and str(k.value) == key) + 1
            inner[key] = dataclasses.replace(made, place=f"{limit.name}: line {line}")
        return Value(inner, place)
    return Value(_scalar(node), place)


def _pairs(node: Any, yaml: Any, limit: _Limit) -> Iterator[tuple[str, Any]]:
    for key, value in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise RuleError(f"{limit.name}: line {key.start_mark.line + 1}: expected a text as key")
        yield str(key.value), value


def _scalar(node: Any) -> Any:
    """Returns the value of a scalar; times stay as they are written."""
    kinds: dict[str, Callable[[str], Any]] = {"int": _number, "float": _number, "bool": _truth, "null": lambda _: None}
    kind = str(node.tag).rpartition(":")[2]
    return kinds.get(kind, str)(node.value)


def _number(text: str) -> Any:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            pass
    return text


def _truth(text: str) -> Any:
    return text.lower() in ("true", "yes", "on")

"""Files of rules and silences as plain values, and the checks common to both."""

from __future__ import annotations

import dataclasses
import json
import os
from typing import Any, Callable, ClassVar

from .._display import printable
from .._hints import hint
from ..errors import RuleError
from .sigma import is_sigma, items_of


def content_of(source: str | os.PathLike[str], sigma: Callable[[list[Any], str], Any] = items_of) -> Any:
    """Reads the values of a file, ``.json`` or YAML; documents of Sigma are what ``sigma`` makes of them.
    :class:`~vpcflow.RuleError` names the file."""
    return _parsed(_text(source), printable(os.fspath(source)), sigma)


def _text(source: str | os.PathLike[str]) -> str:
    try:
        with open(source, encoding="utf-8") as file:
            return file.read()
    except FileNotFoundError:
        raise RuleError(f"{printable(os.fspath(source))}: no such file") from None
    except (OSError, UnicodeDecodeError) as e:
        raise RuleError(f"{printable(os.fspath(source))}: {getattr(e, 'strerror', None) or e}") from None


def _parsed(text: str, name: str, sigma: Callable[[list[Any], str], Any]) -> Any:
    if name.endswith(".json"):
        try:
            return json.loads(text)
        except (ValueError, RecursionError) as e:
            raise RuleError(f"{name}: invalid JSON: {e}") from None
    try:
        import yaml  # an extra
    except ImportError:
        raise RuleError(f"{name}: YAML needs PyYAML: pip install 'vpcflow[rules]'; JSON needs nothing") from None
    try:
        documents = list(yaml.load_all(text, _loader(yaml)))
    except (yaml.YAMLError, RecursionError, ValueError) as e:
        raise RuleError(f"{name}: invalid YAML: {' '.join(str(e).split())}") from None
    if any(map(is_sigma, documents)):
        return sigma(documents, name)
    if len(documents) > 1:
        raise RuleError(f"{name}: several documents; only Sigma rules may be")
    return documents[0] if documents else None


def _loader(yaml: Any) -> Any:
    """Makes a safe loader that leaves times as they are written, so that the error of a wrong one has its place."""

    class Loader(yaml.SafeLoader):  # type: ignore[misc]
        yaml_implicit_resolvers: ClassVar[dict[str, Any]] = {
            first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith(":timestamp")]
            for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
        }

    return Loader


def with_known_keys(item: Any, kind: type, place: str) -> dict[str, Any]:
    """Checks that the keys of a mapping are fields of a dataclass, and writes them with `_`."""
    if not isinstance(item, dict):
        raise RuleError(f"{place}: expected a mapping of keys, not {type(item).__name__}")
    known = [field.name for field in dataclasses.fields(kind)]
    out: dict[str, Any] = {}
    for key, value in item.items():
        name = str(key).replace("-", "_")
        if name not in known:
            raise RuleError(f"{place}: no key {printable(str(key))!r}; {hint(name, known)}")
        if name in out:
            raise RuleError(f"{place}: duplicate key {name!r}")
        out[name] = value
    return out

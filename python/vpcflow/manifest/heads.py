"""Heads: what a manifest held at a time, each with the hash of the one before it."""

from __future__ import annotations

import dataclasses
import datetime
import hashlib
from typing import Any

from .. import _core
from ..errors import ManifestError
from .strict import checked, is_sha256, json_bytes, json_value

SCHEMA = "vpcflow-manifest-head-1"
_NONE = type(None)
_KINDS: dict[str, tuple[type, ...]] = {
    "schema": (str,), "number": (int,), "tree_size": (int,), "root": (str,), "prev_head_sha256": (str, _NONE),
    "prev_tree_size": (int,), "lines_sha256": (str,), "period": (str, _NONE), "created": (str,), "tool": (str,),
    "records": (int,), "ok": (int,), "nodata": (int,), "skipdata": (int,), "rejects": (int,),
    "expected": (dict, _NONE), "coverage": (dict, _NONE),
}  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Head:
    """A head of a manifest: ``number``, from 1; ``tree_size``: how many objects the manifest held, and ``root``, the
    hash of their lines as a tree of RFC 6962; ``prev_head_sha256``, the hash of the head before, null for the first,
    and its ``prev_tree_size``; ``lines_sha256``: SHA-256 of the lines that it added, with their ends; ``period``: the
    day of these objects in UTC, or days without objects as ``first/last``, null for objects without a time;
    ``created``; ``tool``; sums over the objects that it added; ``expected``: how many interfaces an inventory says
    there were, and which of them are silent; ``coverage``: of interfaces, in minutes; both null where not known.

    ``sha256`` is the hash of its file: the value to quote and to publish.
    """

    schema: str
    number: int
    tree_size: int
    root: str
    prev_head_sha256: str | None
    prev_tree_size: int
    lines_sha256: str
    period: str | None
    created: str
    tool: str
    records: int
    ok: int
    nodata: int
    skipdata: int
    rejects: int
    expected: dict[str, Any] | None
    coverage: dict[str, Any] | None

    @property
    def objects(self) -> int:
        """How many objects this head added."""
        return self.tree_size - self.prev_tree_size

    @property
    def file(self) -> str:
        """Its file in the folder of the manifest."""
        return head_file(self.number)

    @property
    def predicate_type(self) -> str:
        """The type of statements about heads."""
        return "urn:vpcflow:manifest-head:1"

    def data(self) -> bytes:
        """Returns the bytes of its file, which are hashed and signed."""
        return json_bytes(self.as_dict()) + b"\n"

    @property
    def sha256(self) -> str:
        """SHA-256 of its file."""
        return hashlib.sha256(self.data()).hexdigest()

    def as_dict(self) -> dict[str, Any]:
        """Returns its members in the order of the file."""
        return {name: getattr(self, name) for name in _KINDS}

    def __str__(self) -> str:
        return f"head {self.number} of {self.tree_size:,} objects, sha256 {self.sha256}"

    @classmethod
    def of(cls, data: bytes, what: str) -> Head:
        """Parses the bytes of a file. Raises :class:`~vpcflow.ManifestError`, which names ``what``."""
        if not data.endswith(b"\n"):
            raise ManifestError(f"{what}: cut: it ends without the end of its line")
        value = checked(json_value(data[:-1], what), _KINDS, what)
        hashes = (value["root"], value["lines_sha256"], value["prev_head_sha256"] or value["root"])
        right = value["schema"] == SCHEMA and all(map(is_sha256, hashes))
        if not right or value["prev_tree_size"] > value["tree_size"]:
            raise ManifestError(f"{what}: has a value that cannot be")
        return cls(**value)


def head_file(number: int) -> str:
    """Returns the name of a head's file in the folder of its manifest."""
    return f"heads/{number:06}.json"


def tool_name() -> str:
    """Returns the program that writes, with its version."""
    return f"vpcflow {_core.build_info()['version']}"


def utc_text(seconds: float) -> str:
    """Formats Unix seconds as ``2026-11-23T06:00:00Z``."""
    return datetime.datetime.fromtimestamp(int(seconds), datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")

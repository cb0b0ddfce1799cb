"""Lines of custody: who did what with a bag, when; each has the hash of the line before."""

from __future__ import annotations

import dataclasses
import getpass
import hashlib
import os
import socket
from collections.abc import Sequence
from typing import Any

from ..errors import ManifestError
from .heads import tool_name, utc_text
from .strict import checked, is_sha256, json_bytes, json_value

_LONGEST = 4096  # characters of who and what
_NONE = type(None)
_KINDS: dict[str, tuple[type, ...]] = {
    "when": (str,), "who": (str,), "where": (str,), "what": (str,), "tool": (str,), "payload_sha256": (str,),
    "head_sha256": (str, _NONE), "previous": (str, _NONE),
}  # fmt: skip


@dataclasses.dataclass(frozen=True)
class CustodyLine:
    """A line of ``custody.jsonl``: ``when`` in UTC, ``who``, on which host (``where``), ``what`` was done, by which
    ``tool``; ``payload_sha256``, of the bag's ``manifest-sha256.txt``; ``head_sha256``, of the manifest's newest head,
    if the bag has a manifest; ``previous``, SHA-256 of the line before with its end; ``number``, from 1."""

    when: str
    who: str
    where: str
    what: str
    tool: str
    payload_sha256: str
    head_sha256: str | None
    previous: str | None

    number: int = 0

    @property
    def file(self) -> str:
        """What statements call it."""
        return f"custody.jsonl line {self.number}"

    @property
    def predicate_type(self) -> str:
        """The type of statements about lines of custody."""
        return "urn:vpcflow:custody:1"

    def as_dict(self) -> dict[str, Any]:
        """Returns its members in the order of the line."""
        return {name: getattr(self, name) for name in _KINDS}

    def data(self) -> bytes:
        """Returns the line, with its end."""
        return json_bytes(self.as_dict()) + b"\n"


def next_line(
    before: bytes, who: str | None, what: str, payload_sha256: str, head_sha256: str | None, now: float
) -> bytes:
    """Makes the line that follows the lines ``before``."""
    for name, text in (("who", who or ""), ("what", what)):
        if len(text) > _LONGEST:
            raise ManifestError(f"custody: {name}: has {len(text):,} characters; allowed are {_LONGEST:,}")
    host = socket.gethostname()
    last = before.splitlines(keepends=True)[-1] if before else None
    return CustodyLine(
        when=utc_text(now), who=who or f"{_user()}@{host}", where=host, what=what, tool=tool_name(),
        payload_sha256=payload_sha256, head_sha256=head_sha256,
        previous=None if last is None else hashlib.sha256(last).hexdigest(),
    ).data()  # fmt: skip


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):  # a user without a name
        return f"uid {os.getuid()}"


def lines_of(data: bytes) -> list[CustodyLine]:
    """Reads lines, and checks their chain. Raises :class:`~vpcflow.ManifestError`, which names the line."""
    out: list[CustodyLine] = []
    previous = None
    if not data.endswith(b"\n"):
        raise ManifestError("line 1: is missing" if not data else "the last line is cut")
    for number, line in enumerate(data.splitlines(keepends=True), 1):
        value = checked(json_value(line[:-1], f"line {number}"), _KINDS, f"line {number}")
        if value["previous"] != previous:
            raise ManifestError(f"line {number}: does not follow the line before as that is now")
        if not is_sha256(value["payload_sha256"]):
            raise ManifestError(f"line {number}: has a value that cannot be")
        out.append(CustodyLine(**value, number=number))
        previous = hashlib.sha256(line).hexdigest()
    return out


def told(lines: Sequence[CustodyLine]) -> list[str]:
    """Returns the lines for people."""
    return [f"{line.when} {line.who}: {line.what}" for line in lines]

"""Requirements that controls are evidence for: dated data of this package, and files of the user's own beside it."""

from __future__ import annotations

import dataclasses
import functools
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .._display import printable
from .._hints import hint
from ..errors import RuleError

if TYPE_CHECKING:
    from .model import Control

#: What stands beside every list of requirements.
CERTIFIES_NOTHING = (
    "Results are evidence of what flow logs can show of a requirement. They certify nothing: whether a requirement is "
    "met is decided by people, by its own text."
)


@dataclasses.dataclass(frozen=True)
class Requirement:
    """A requirement of a frame: ``id`` (``pci-4.0.1/1.3.1``), the frame's ``title`` and date, ``what`` it asks in short
    words, what a flow log ``shows`` of it and what it ``lacks``."""

    id: str
    title: str
    dated: str
    what: str
    shows: str
    lacks: str

    def said(self) -> dict[str, str]:
        """Returns it as plain values."""
        return dataclasses.asdict(self)


def requirements(files: Iterable[str] = ()) -> dict[str, Requirement]:
    """Returns all requirements by id, in small letters: of this package, then of ``files``, whose own come instead of
    those of the same id. :class:`~vpcflow.RuleError` for a file that is none.

    >>> requirements()["pci-4.0.1/1.3.1"].title
    'PCI DSS 4.0.1'
    """
    out = dict(_own())
    for file in files:
        try:
            text = Path(file).read_text(encoding="utf-8")
            out.update(_of(json.loads(text), printable(file)))
        except (OSError, ValueError, RecursionError) as error:
            if isinstance(error, RuleError):
                raise
            raise RuleError(f"{printable(file)}: frames: {error}") from None
    return out


@functools.cache
def _own() -> Mapping[str, Requirement]:
    return _of(json.loads((Path(__file__).parent / "frames.json").read_text(encoding="utf-8")), "frames.json")


def _of(data: Any, name: str) -> dict[str, Requirement]:
    frames = data.get("frames") if isinstance(data, dict) else None
    expected = 'expected {"frames": {"my-frame": {"title": ..., "requirements": {"1.1": {"what": ...}}}}}'
    if not isinstance(frames, dict):
        raise RuleError(f"{name}: {expected}")
    out = {}
    for frame, one in frames.items():
        items = one.get("requirements") if isinstance(one, dict) else None
        if not isinstance(items, dict) or not all(isinstance(item, dict) for item in items.values()):
            raise RuleError(f"{name}: frame {printable(str(frame))!r}: {expected}")
        for number, item in items.items():
            id = f"{frame}/{number}".lower()
            texts = {key: str(item.get(key, "")) for key in ("what", "shows", "lacks")}
            out[id] = Requirement(id, str(one.get("title", frame)), str(one.get("dated", "")), **texts)
    return out


def check_maps(control: Control, files: tuple[str, ...]) -> None:
    """Raises :class:`~vpcflow.RuleError` for a requirement of a control that does not exist, with the nearest one."""
    if not control.maps:
        return
    known = requirements(files)
    for text in control.maps:
        if text.lower() in known:
            continue
        frame = text.lower().partition("/")[0]
        frames = sorted({id.partition("/")[0] for id in known})
        near = [id for id in known if id.startswith(f"{frame}/")] if frame in frames else frames
        raise RuleError(
            f"{control.place}: control {printable(control.id)}: maps: no requirement {printable(text)!r}; "
            f"{hint(text.lower(), near)}; requirements of your own stand in a file that `frames` names"
        )

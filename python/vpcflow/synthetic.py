"""Synthetic flow logs with planted and labelled incidents."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Callable, TypedDict

from . import _core
from .errors import SynthError
from .io.writing import folder_in_place

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .typing import World


class SynthKeywords(TypedDict, total=False):
    """Further options of :func:`synth`."""

    intensity: float
    start: int
    hours: float
    window: int
    interfaces: int
    accounts: int
    peers: int
    noise_sources: int
    ipv6_share: float
    nodata_share: float
    skipdata_share: float
    reject_share: float
    files: int
    gzip: bool
    gzip_level: int
    header: bool
    s3_layout: bool
    by: str


class PlantLabel(TypedDict, total=False):
    """What was planted, as in ``labels.json``."""

    kind: str
    benign: bool
    actor: str
    actors: list[str]  # of attacks of the office world, which may have many
    detectors: list[str]  # that may name such an attack
    targets: list[str]
    interfaces: list[str]
    ports: list[int]
    distinct_ports: int
    first: int  # Unix seconds
    last: int
    records: int
    accepted: int
    rejected: int
    bytes: int
    conversations: list[dict[str, Any]]
    note: str


@dataclass(frozen=True)
class Synthetic:
    """What :func:`synth` made.

    ``data`` is the text if no folder was given, else ``None``; ``files`` are paths below the folder; ``labels`` says
    what was planted: kind, benign, actor, targets, interfaces, ports, first, last, records, accepted, rejected, bytes.
    """

    records: int
    text_bytes: int
    data: bytes | None = None
    files: list[str] = field(default_factory=list)
    labels: list[PlantLabel] = field(default_factory=list)
    #: What is right in the worlds of faults and of costs, as their ``labels.json`` has it.
    questions: list[dict[str, Any]] = field(default_factory=list)


#: Records of a host and day of the office world.
_OFFICE_DENSITY = 17_000


def plants(world: World = "tame") -> dict[str, str]:
    """Returns what can be planted in a world, each with its meaning: attacks and what looks like them, faults,
    or what is kept from the logs of the world of costs."""
    if world == "faults":
        from .faults import PLANTS

        return {name: meaning for name, (meaning, _) in PLANTS.items()}
    if world == "costs":
        from .cost_world import GAPS

        return dict(GAPS)
    return {name: meaning for own, name, _, meaning in _core.plants() if own == world}


def synth(
    records: int | None = None,
    *,
    out: str | os.PathLike[str] | None = None,
    seed: int = 1,
    format: str | None = None,
    world: World = "tame",
    plant: str | Sequence[str] | None = None,
    progress: Callable[[int, int], None] | None = None,
    **options: Unpack[SynthKeywords],
) -> Synthetic:
    """Makes realistic flow logs; the same arguments give the same bytes.

    ``records``: how many; without it 100,000, in the office world 17,000 an interface and day. ``out``: a folder for
    the files, ``manifest.json`` and ``labels.json``; without it the text is returned. ``format``: as for
    :func:`scan`; AWS's default without. ``world``: ``"tame"`` (conversations drawn at random) or ``"office"``
    (besides, what the hosts of an office do all day, hard to tell from attacks; 24 hours of 200 interfaces unless
    ``hours`` and ``interfaces`` say else) or ``"faults"`` (what keeps A from reaching B: ``logs/``, the answers of
    describe calls in ``inventory/``, and questions with what is right in ``labels.json``; it takes ``out``, ``seed``,
    ``format``, ``plant``, ``start``, ``hours``, ``window`` of 60 or 600, and ``by``: a file an ``"hour"`` or an
    ``"interface"`` and hour) or ``"costs"`` (accounts, zones and gateways with a bill: ``logs/``, ``truth/`` of each
    record, ``inventory/``, ``prices.json``, ``bill/``; the same options without ``by``; ``plant`` keeps something from
    the logs). ``plant``: names of :func:`plants`, ``"benign"`` for all that are no attacks (the office
    world's default), or ``"all"`` (that of faults); ``"-name"`` takes one out again. ``intensity``: times the attacks
    of the office world. Further options: ``start`` (Unix seconds), ``hours``, ``window`` (seconds),
    ``interfaces``, ``accounts``, ``peers``, ``noise_sources``, ``ipv6_share``, ``nodata_share``, ``skipdata_share``,
    ``reject_share``, and for files ``files``, ``gzip``, ``gzip_level``, ``header``, ``s3_layout``.

    Raises :class:`~vpcflow.SynthError` for options that do not fit together. The text, if it
    is returned, is held in memory; files are written as they are made, and are in place when all of them are.
    :class:`~vpcflow.OutputError` leaves none of them behind.

    >>> import vpcflow as vf
    >>> made = vf.synth(1000, seed=7, peers=500, noise_sources=500)
    >>> vf.scan(made.data).agg(n=vf.count()).collect().report.records
    1000
    """
    if world in ("faults", "costs"):
        return _told(world, records, out, {"seed": seed, "format": format, "plant": plant, **options})
    if world == "office":
        options = {"hours": 24.0, "interfaces": 200, "peers": 30_000, "noise_sources": 10_000, **options}
        plant = "benign" if plant is None else plant
        if records is None:
            records = round(_OFFICE_DENSITY * options["interfaces"] * options["hours"] / 24)
    records = 100_000 if records is None else records
    names = [p for p in plant.split(",") if p] if isinstance(plant, str) else list(plant or ())
    if "by" in options:
        raise SynthError(f"synth: by: the world {world!r} has no such option; the world of faults does")
    known = [name for name in SynthKeywords.__annotations__ if name != "by"]
    unknown = set(options) - set(known)
    if unknown:
        raise TypeError(f"synth() has no option {sorted(unknown)[0]!r}; it has {', '.join(sorted(known))}")
    settings = {"records": records, "seed": seed, "format": format, "world": world, "plant": names, **options}
    if out is None:
        data, labels = _core.synthesize_text(settings)
        return Synthetic(records, len(data), data, [], json.loads(labels))
    with folder_in_place(out) as place:
        made = _core.synthesize(settings, place, progress)
    return Synthetic(
        made["records"], made["text_bytes"], None, made["files"], json.loads(made["labels"]) if made["labels"] else []
    )


def _told(world: str, records: int | None, out: str | os.PathLike[str] | None, options: dict[str, Any]) -> Synthetic:
    """Makes a world whose truth is more than incidents: of faults, or of costs."""
    allowed = ["seed", "format", "plant", "start", "hours", "window", *(["by"] if world == "faults" else [])]
    wrong = [*(["records"] if records is not None else []), *(name for name in options if name not in allowed)]
    if wrong:
        raise SynthError(f"synth: {wrong[0]}: the world of {world} has no such option; it has {', '.join(allowed)}")
    if out is None:
        raise SynthError(f"synth: the world of {world} is written to a folder; name one by out=")
    plant = options.pop("plant") or ()
    names = [name for name in plant.split(",") if name] if isinstance(plant, str) else list(plant)
    if world == "costs":
        from .cost_world import make_costs

        bill = make_costs(out, gaps=names, **{name: value for name, value in options.items() if value is not None})
        return Synthetic(bill.records, bill.text_bytes, None, bill.files, [], [bill.labels])
    from .faults import make_faults

    made = make_faults(out, plant=names, **options)
    return Synthetic(made.records, made.text_bytes, None, made.files, [], made.labels)

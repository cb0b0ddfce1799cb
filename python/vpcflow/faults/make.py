"""Makes a world of faults: logs, documents and labels in a folder."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Sequence
from typing import Any

from .._hints import hint
from ..errors import SynthError
from ..io.writing import folder_in_place, write_whole
from . import at_times, by_rules, in_between, traps
from .stage import Stage
from .world import ACCOUNT
from .writing import fields_of_format, write_documents, write_logs

#: Meaning and plant of every fault, by name.
PLANTS = {**by_rules.PLANTS, **in_between.PLANTS, **at_times.PLANTS, **traps.PLANTS}
#: What has so many records that it is planted only by its name.
_LARGE = {"nat_ports"}
#: When the logs begin, unless told: 2026-11-01T12:00:00Z.
START = 1_793_534_400


@dataclasses.dataclass(frozen=True)
class FaultWorld:
    """What :func:`make_faults` wrote: figures, files below the folder, and a label for each question."""

    records: int
    text_bytes: int
    files: list[str]
    labels: list[dict[str, Any]]


def make_faults(
    out: str | os.PathLike[str], *, seed: int = 1, plant: Sequence[str] = (), format: str | None = None,
    start: int = START, hours: float = 3.0, window: int = 60, by: str = "hour",
) -> FaultWorld:  # fmt: skip
    """Writes ``logs/``, ``inventory/`` and ``labels.json`` to a folder; the same arguments give the same bytes.

    ``plant``: names of faults, ``"all"`` but ``nat_ports``, ``"-name"`` takes one out again; all without.
    ``format``: as for :func:`scan`; ``"v11"`` without. ``window``: 60 or 600 seconds. ``by``: a file an ``"hour"``, or
    an ``"interface"`` and hour. Raises :class:`~vpcflow.SynthError` for what is not allowed,
    :class:`~vpcflow.OutputError` for what cannot be written, and then leaves nothing behind.
    """
    if window not in (60, 600):
        raise SynthError(f"synth: window: {window}; the world of faults has AWS's 60 or 600 seconds")
    if not 2 <= hours <= 24:
        raise SynthError(f"synth: hours: {hours:g}; the world of faults takes 2 to 24")
    if by not in ("hour", "interface"):
        raise SynthError(f"synth: by: {by!r}; allowed are 'hour' and 'interface'")
    names, version = fields_of_format(format or "v11")
    stage = Stage(seed, start, hours, window)
    for name in chosen(plant):
        PLANTS[name][1](stage, name)
    for vpc in stage.world.documents["Vpcs"]:
        stage.world.put("FlowLogs", _flow_log(stage, vpc["VpcId"], names))
    labels = stage.play()
    with folder_in_place(out) as place:
        for folder in ("logs", "inventory"):
            os.makedirs(os.path.join(place, folder))
        files = [f"inventory/{name}" for name in write_documents(stage.world, os.path.join(place, "inventory"))]
        records, size, logs = write_logs(stage.wire, names, version, os.path.join(place, "logs"), by)
        text = json.dumps(labels, indent=1) + "\n"
        write_whole(os.path.join(place, "labels.json"), text.encode())
    return FaultWorld(records, size, [*(f"logs/{name}" for name in logs), *files], labels)


def chosen(plant: Sequence[str]) -> list[str]:
    """Returns the faults that are meant, in the order in which they are planted."""
    known = list(PLANTS)
    wanted = {*known} - _LARGE if not plant or all(name.startswith("-") for name in plant) else set()
    for name in plant:
        bare = name.lstrip("-")
        if bare not in (*known, "all"):
            raise SynthError(f"synth: the world of faults has no {bare!r}; {hint(bare, known)}")
        ones = {*known} - _LARGE if bare == "all" else {bare}
        wanted = wanted - ones if name.startswith("-") else wanted | ones
    if not wanted:
        raise SynthError(f"synth: nothing is planted; there are {', '.join(known)}")
    return [name for name in known if name in wanted]


def _flow_log(stage: Stage, vpc: str, names: list[str]) -> dict[str, Any]:
    return {
        "FlowLogId": stage.world.id("fl"), "ResourceId": vpc, "TrafficType": "ALL", "FlowLogStatus": "ACTIVE",
        "LogDestinationType": "s3", "LogDestination": f"arn:aws:s3:::flow-logs-{ACCOUNT}",
        "MaxAggregationInterval": stage.window, "LogFormat": " ".join(f"${{{name}}}" for name in names),
        "DeliverLogsStatus": "SUCCESS", "CreationTime": "2026-01-01T00:00:00.000Z",
    }  # fmt: skip

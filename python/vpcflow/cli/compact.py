"""Writes logs to sorted Parquet files without losing any of them: ``vpcflow compact``."""

from __future__ import annotations

import argparse
import dataclasses
import json
from collections.abc import Callable
from typing import Any

from .._words import count
from ..errors import PlanError
from ..io.iceberg import SCHEME
from ..query.flows import Flows
from ..typing import Progress
from ..volume.compacting import Compaction, compact
from ..volume.hours import account_of, region_of
from ..volume.tables import compact_to_table
from ..volume.verifying import Verdict, delete_sources, verify
from ._output import ERROR, FOUND, REJECTS, print_note, progress_line, write_out
from ._shared import add_input, flows_of
from ._volume import RefusedError, add_places, add_prove, prover, refused, sizes

HELP = "write logs to sorted zstd Parquet, every record and value kept; verify it, then delete what it came from"
EXAMPLES = (
    "compact logs/ -o lake/\n  vpcflow compact logs/ -o proved/ --prove detect\n"
    "  vpcflow compact today/ -o day/ && vpcflow compact --verify day/"
)


class _Alone(argparse.Action):
    """An option that stands alone: neither paths nor -o are needed."""

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Any, *_: object
    ) -> None:
        setattr(namespace, self.dest, values)
        for action in parser._actions:
            action.required = False


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the command to its parser."""
    add_input(parser)
    parser.add_argument(
        "-o", "--out", required=True, metavar="DIR",
        help="write to this folder, which may have more, or append to the table of an iceberg:// URL",
    )  # fmt: skip
    add_places(parser)
    add_prove(parser)
    parser.add_argument("--verify", action=_Alone, metavar="DIR", help="read all of a folder back, and compare")
    parser.add_argument(
        "--delete-sources", action=_Alone, metavar="DIR",
        help="delete the files that a folder was made of, if all of them is proved to be in it",
    )  # fmt: skip


def run(args: argparse.Namespace) -> int:
    """Runs the command and returns its exit code."""
    alone = [one for one in (args.verify, args.delete_sources) if one]
    if len(alone) > 1 or (alone and (args.paths or args.out)):
        raise PlanError("--verify DIR and --delete-sources DIR stand alone, without PATH, -o and each other")
    if args.verify:
        return _verify(args.verify, args.json)
    if args.delete_sources:
        return _delete(args.delete_sources, args.json)
    if args.where:
        raise PlanError("compact keeps every record: --where would drop some; vpcflow convert takes it")
    flows = flows_of(args)
    if args.out.startswith(SCHEME):
        return _to_table(flows, args)
    account, region = (names[0] if names and len(names) == 1 else None for names in (args.account, args.region))
    with progress_line(True) as progress:
        try:
            done = compact(
                flows, args.out, layout=args.layout, by=args.by, max_memory=args.max_memory,
                account=account_of(account), region=region_of(region), check=prover(args.prove, flows),
                told=_told(progress),
            )  # fmt: skip
        except RefusedError as refusal:
            return refused(refusal.proof, args.out)
    return _show(done, args)


def _to_table(flows: Flows, args: argparse.Namespace) -> int:
    if args.prove:
        raise PlanError("--prove needs a folder (-o DIR): what is in a table cannot be taken back")
    done = compact_to_table(flows, args.out)
    if args.json:
        write_out(json.dumps({"schema_version": 1, **dataclasses.asdict(done)}) + "\n")
    else:
        write_out(f"{count(done.records, 'record')} of {count(len(done.sources), 'source')} in {done.table}\n")
    if done.known:
        print_note(f"{count(len(done.known), 'source')} passed over: {done.table} has them")
    return 0


def _told(progress: Progress | None) -> Callable[[int, int], None] | None:
    if progress is None:
        return None

    def told(read: int, sources: int) -> None:
        progress(read, sources, read, sources)

    return told


def _show(done: Compaction, args: argparse.Namespace) -> int:
    if args.json:
        write_out(json.dumps({
            "schema_version": 1, "records": done.records, "rejected": done.rejected,
            "sources": [row["uri"] for row in done.sources], "known": done.known,
            "objects": [row["path"] for row in done.objects], "size_before": done.size_before, "size": done.size,
            "error": None if done.error is None else str(done.error),
        }) + "\n")  # fmt: skip
    elif done.sources or not done.known:
        write_out(
            f"{count(done.records, 'record')} of {count(len(done.sources), 'source')} in "
            f"{count(len(done.objects), 'object')}: {sizes(done.size_before, done.size, 'of Parquet')}\n"
        )
    if done.known:
        print_note(f"{count(len(done.known), 'source')} passed over: compacted to {done.folder} before")
    if done.rejected:
        print_note(f"{count(done.rejected, 'line')} rejected, and kept in {done.folder}/.vpcflow/rejects")
    cut = [row for row in done.sources if row["cut"]]
    if cut:
        print_note(f"note: {count(len(cut), 'source')} with {cut[0]['cut']}, not kept: keep what they came from")
    if done.error is not None:
        print_note(f"error: {done.error}")
        return ERROR
    return REJECTS if args.max_rejects is not None and done.rejected > args.max_rejects else 0


def _verify(folder: str, as_json: bool) -> int:
    found = verify(folder)
    if as_json:
        write_out("".join(_line(verdict) for verdict in found.verdicts))
    else:
        for verdict in found.wrong:
            write_out(f"{verdict.verdict}: {verdict.name}{': ' if verdict.detail else ''}{verdict.detail}\n")
        write_out(f"{count(found.records, 'record')} read back; {len(found.wrong):,} wrong\n")
    return FOUND if found.wrong else 0


def _delete(folder: str, as_json: bool) -> int:
    deleted, stays = delete_sources(folder)
    if as_json:
        write_out("".join(_line(verdict) for verdict in [*(Verdict(name, "deleted") for name in deleted), *stays]))
        return 0
    for verdict in stays:
        print_note(f"kept: {verdict.name}: {verdict.detail}")
    write_out(f"{count(len(deleted), 'file')} deleted, {len(stays):,} kept\n")
    return 0


def _line(verdict: Verdict) -> str:
    return json.dumps({"name": verdict.name, "verdict": verdict.verdict, "detail": verdict.detail}) + "\n"

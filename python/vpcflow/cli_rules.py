"""The commands of rules: `vpcflow rules` and `vpcflow watch`."""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from typing import Any, Callable

from . import cli, display, rules
from .findings import Findings

AddCommand = Callable[[str, str, str], argparse.ArgumentParser]


def add_commands(add: AddCommand) -> None:
    """Adds the parsers."""
    own = add(
        "rules", "rules of your own: checked, tested, tried on past logs",
        "rules test rules.yaml\n  vpcflow rules replay rules.yaml logs/\n  vpcflow rules run rules.yaml logs/ --json",
    )  # fmt: skip
    verbs = own.add_subparsers(dest="verb", metavar="VERB", required=True)
    test = verbs.add_parser("test", help="check rules, and that their examples give what they say")
    test.add_argument("rules", metavar="RULES", help="a YAML or JSON file")
    for name, text in (("run", "findings in logs, worst first; exit code 1 if there are any"),
                       ("replay", "how often rules would have fired, before they are enabled")):  # fmt: skip
        verb = verbs.add_parser(name, help=text, description=text)
        verb.add_argument("rules", metavar="RULES", help="a YAML or JSON file")
        cli.add_input(verb)
        if name == "replay":
            verb.add_argument(
                "--throttle", default=rules.THROTTLE, metavar="TIME", help="findings no further apart are one (1h)"
            )

    watch = add(
        "watch", "follow a folder: rules are asked of new logs, alerts are told once",
        "watch logs/ --rules rules.yaml --notify jsonl:alerts.jsonl\n"
        "  vpcflow watch logs/ --rules rules.yaml --state watch.sqlite --notify env:SLACK_URL \\\n"
        "      --notify alertmanager+http://localhost:9093 --notify syslog://siem.internal",
    )  # fmt: skip
    watch.add_argument("source", metavar="FOLDER", help="a folder, followed with all below it, or a pattern in quotes")
    watch.add_argument("--rules", required=True, metavar="RULES", help="a YAML or JSON file, with silences if need be")
    watch.add_argument(
        "--notify", action="append", default=[], metavar="URL",
        help="jsonl:PATH, https://..., alertmanager+http://HOST, syslog://HOST, any URL of Apprise; or env:NAME, "
        "file:PATH that hold one (default: jsonl:-)",
    )  # fmt: skip
    watch.add_argument("--state", default="vpcflow-watch.sqlite", metavar="FILE", help="where it keeps its place")
    watch.add_argument("--interval", default="30s", metavar="TIME", help="between looks (default 30s)")
    watch.add_argument("--throttle", default=rules.THROTTLE, metavar="TIME", help="no further apart: one alert (1h)")
    watch.add_argument("--settle", default="5s", metavar="TIME", help="a file is read when it is so old (default 5s)")
    watch.add_argument("--format", help="format of logs without header line")
    watch.add_argument("--allow-host", action="append", default=[], metavar="HOST[:PORT]",
                       help="a webhook's host that may be private, and plain http")  # fmt: skip
    watch.add_argument("--once", action="store_true", help="look once, deliver, and end")


def run_watch(args: argparse.Namespace) -> int:
    """`vpcflow watch`."""
    from .notify import channel
    from .units import seconds
    from .watch import Watch

    own, silences = rules.load(args.rules), rules.load_silences(args.rules)
    allowed = tuple(args.allow_host)
    urls = args.notify or ["jsonl:-"]
    channels = {hashlib.sha256(url.encode()).hexdigest()[:16]: channel(url, allow_hosts=allowed) for url in urls}
    watch = Watch(
        args.source, own, channels, args.state, silences=silences, throttle=args.throttle,
        settle=seconds(args.settle, "--settle"), format=args.format, log=cli.note,
    )  # fmt: skip
    try:
        if args.once:
            watch.poll()
            watch.deliver()
        else:
            watch.run(seconds(args.interval, "--interval"))
    finally:
        watch.close()
    return 0


def run_rules(args: argparse.Namespace) -> int:
    """`vpcflow rules test|run|replay`."""
    own = rules.load(args.rules)
    if args.verb == "test":
        wrong = rules.test(own)
        for text in wrong:
            cli.note(text)
        examples = sum(len(rule.examples) for rule in own)
        print(f"{len(own)} rules, {examples} examples, {len(wrong)} wrong")
        return 1 if wrong else 0
    with cli.progress_line(True) as progress:
        if args.verb == "replay":
            rows, code = cli.collect(
                lambda: rules.replay(cli.flows_of(args), own, throttle=args.throttle, progress=progress)
            )
            if not isinstance(rows, list):  # damaged sources: their error was told
                return code
            _show(rows, args.json)
            return code
        findings, code = cli.collect(lambda: rules.run(cli.flows_of(args), own, progress=progress))
    if not isinstance(findings, Findings):
        return code
    print(findings.to_json_lines() if args.json else findings, end="" if args.json else "\n")
    return cli.verdict(findings.report, args, code) or (1 if len(findings) else 0)


def _show(rows: list[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        sys.stdout.write("".join(json.dumps(row) + "\n" for row in rows))
        return
    kinds = {"rule": "text", "severity": "text", "first": "time", "last": "time", "needs": "text"}
    print(display.text_table([(name, kinds.get(name, "int64")) for name in rows[0]] if rows else [], rows))

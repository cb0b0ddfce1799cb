"""The commands of detection: `vpcflow detect`, `vpcflow rules` and `vpcflow watch`."""

from __future__ import annotations

import argparse
import hashlib
import json
import os
from typing import TYPE_CHECKING, Any, Callable

from .. import _display as display
from ..alerts.channels import Channel, channel, check
from ..detect.detect import DETECTORS, Settings, baseline, detect
from ..errors import NotifyError, PlanError, RuleError, SourceNotFoundError, VpcflowError
from ..findings.evidence import as_line
from ..findings.finding import SEVERITIES
from ..io.writing import check_writable, write_whole
from ..query.aggregation import Aggregation
from ..rules import evaluate as rules
from . import _shared as cli
from ._output import note, progress_line, put

if TYPE_CHECKING:
    from ..watch.service import Watch

_NOT_LEARNED = "nothing was learned of this; {} is as it was"
AddCommand = Callable[[str, str, str], argparse.ArgumentParser]


def add_commands(add: AddCommand) -> None:
    """Adds the parsers."""
    found = add(
        "detect", "incidents with their findings, worst first; exit code 1 if there are any",
        "detect logs/ --json\n  vpcflow detect logs/ --only port_scan,brute_force --set scan_ports=50\n"
        "  vpcflow detect logs/ --rules rules.yaml\n"
        "  vpcflow detect today/ --baseline usual.vpcflow --learn usual.vpcflow",
    )  # fmt: skip
    cli.add_input(found)
    _add_detectors(found)
    found.add_argument("--rules", metavar="RULES", help="findings of your own rules, too")
    found.add_argument("--baseline", metavar="FILE", help="what was usual before, to tell what is new: of --learn")
    found.add_argument("--learn", metavar="FILE", help="add who talked to whom to this file, after detection")
    found.add_argument("--samples", type=int, default=3, metavar="N", help="records shown as evidence (default 3)")

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
        "watch", "follow a folder: detectors and rules are asked of new logs, alerts are told once",
        "watch logs/ --once --notify jsonl:alerts.jsonl\n"
        "  vpcflow watch logs/ --once --rules rules.yaml --detect --state watch.sqlite --notify jsonl:-",
    )  # fmt: skip
    watch.add_argument("source", metavar="FOLDER", help="a folder, followed with all below it, or a pattern in quotes")
    watch.add_argument("--rules", metavar="RULES", help="a YAML or JSON file, with silences if need be")
    watch.add_argument("--detect", action="store_true", help="ask the detectors, too; the default without --rules")
    _add_detectors(watch)
    watch.add_argument("--baseline", metavar="FILE", help="what was usual before: of vpcflow detect --learn")
    watch.add_argument("--span", default="1d", metavar="TIME", help="how far back the detectors look (default 1d)")
    watch.add_argument(
        "--least", choices=SEVERITIES, default="medium", help="findings of detectors that are told (default medium)"
    )
    watch.add_argument(
        "--notify", action="append", default=[], metavar="URL",
        help="jsonl:PATH, https://..., alertmanager+http://HOST, syslog://HOST, any URL of Apprise; or env:NAME, "
        "file:PATH that hold one (default: jsonl:-)",
    )  # fmt: skip
    watch.add_argument("--state", default="vpcflow-watch.sqlite", metavar="FILE", help="where it keeps its place")
    watch.add_argument("--interval", default="30s", metavar="TIME", help="between looks (default 30s)")
    watch.add_argument("--throttle", default=rules.THROTTLE, metavar="TIME", help="no further apart: one alert (1h)")
    watch.add_argument("--repeat", metavar="TIME", help="what goes on is told again after so long (default: never)")
    watch.add_argument("--settle", default="5s", metavar="TIME", help="a file is read when it is so old (default 5s)")
    watch.add_argument("--format", help="format of logs without header line")
    watch.add_argument("--allow-host", action="append", default=[], metavar="HOST[:PORT]",
                       help="a webhook's host that may be private, and plain http")  # fmt: skip
    watch.add_argument("--once", action="store_true", help="look once, deliver, and end: 1 if there were alerts")


def _add_detectors(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--only", metavar="NAMES", default="", help=f"some of: {', '.join(DETECTORS)}")
    parser.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="a setting of a detector; may be repeated"
    )


def _settings(texts: list[str]) -> dict[str, Any]:
    """Settings of detectors, out of NAME=VALUE."""
    settings: dict[str, Any] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        name = name.strip().replace("-", "_")
        if not equals:
            raise PlanError(f"--set {text}: write NAME=VALUE")
        default = getattr(Settings(), name, "")
        try:
            settings[name] = _as(default, value)
        except (ValueError, KeyError):
            wanted = "true or false" if isinstance(default, bool) else "a number"
            raise PlanError(f"--set {text}: {wanted} is needed") from None
    return settings


def _detector_names(text: str) -> list[str]:
    return [name.replace("-", "_") for name in cli.names_of(text)]


def _as(default: Any, value: str) -> Any:
    """A setting's text as what its default is."""
    if isinstance(default, bool):
        return {"true": True, "1": True, "false": False, "0": False}[value.lower()]
    if isinstance(default, (int, float)):
        return type(default)(float(value))
    return value.split(",") if isinstance(default, tuple) else value


def run_detect(args: argparse.Namespace) -> int:
    """`vpcflow detect`."""
    settings, only, samples = _settings(args.set), _detector_names(args.only), args.samples
    own = _rules_of(args.rules)[0]
    flows = cli.flows_of(args)
    learned = _learned_before(args.learn) if args.learn else None
    past = _past_of(args)
    with progress_line(True) as progress:
        findings, code = cli.collect(
            lambda: detect(flows, only=only, baseline=past, samples=samples, progress=progress, **settings)
        )
        if own:
            more, code = cli.collect(lambda: rules.run(flows, own, samples=samples), told=code)
            findings += more
    cli.say_first(findings.report, args.json)
    if args.json:
        put(findings.to_json_lines())
        if not findings:
            note(findings.conclusion())
    else:
        for incident in findings.incidents():
            put(f"{incident}\n")
            for sample in incident.findings[0].samples:
                put(f"          {as_line(sample)}\n")
        put("".join(f"{display.printable(text)}\n" for text in findings.conclusion().splitlines()))
    code = cli.verdict(findings.report, args, code)
    if args.learn and code:
        note(_NOT_LEARNED.format(args.learn))
    elif args.learn:
        fresh = baseline(flows)
        write_whole(args.learn, (fresh if learned is None else fresh.merge(learned)).to_bytes())
    return code or (cli.FOUND if len(findings) else 0)


def _rules_of(path: str | None) -> tuple[list[rules.Rule], list[rules.Silence]]:
    """The rules and silences of a file; both are checked, whatever is done with them."""
    if not path:
        return [], []
    own, silences = rules.load(path), rules.load_silences(path)
    rules.check_silences(silences, own)
    return own, silences


def _past_of(args: argparse.Namespace) -> Aggregation | None:
    """The baseline; none yet if it is what this run learns for the first time."""
    if not args.baseline:
        return None
    own = getattr(args, "learn", None)
    if own and os.path.realpath(own) == os.path.realpath(args.baseline) and not os.path.exists(own):
        note(f"note: {own}: there is no baseline yet; it begins with these logs")
        return None
    return _state_of(args.baseline)


def _learned_before(path: str) -> Aggregation | None:
    """What --learn adds to. What cannot be read or written is told before the logs are read."""
    check_writable(path)
    return _state_of(path) if os.path.isfile(path) else None


def _state_of(path: str) -> Aggregation:
    try:
        with open(path, "rb") as file:
            return Aggregation.from_bytes(file.read())
    except (OSError, VpcflowError) as e:
        raise PlanError(f"{path}: no baseline: {e}") from None


def run_watch(args: argparse.Namespace) -> int:
    """`vpcflow watch`."""
    from .._units import seconds
    from ..watch.service import Watch

    own, silences = _rules_of(args.rules)
    detectors = None
    if args.detect or not args.rules:
        detectors = {**_settings(args.set), "only": _detector_names(args.only)}
    settle = 0.0 if args.settle in ("0", "0s") else float(seconds(args.settle, "--settle"))
    interval = seconds(args.interval, "--interval")
    channels = _channels(args.notify or ["jsonl:-"], tuple(args.allow_host))
    if channels is None:
        return cli.ERROR
    watch = Watch(
        args.source, own, channels, args.state, silences=silences, throttle=args.throttle, detectors=detectors,
        baseline=_past_of(args), repeat=args.repeat, span=args.span,
        least=args.least, format=args.format, log=note, settle=settle,
    )  # fmt: skip
    try:
        if args.once:
            return _watch_once(watch, args)
        watch.run(interval)
    finally:
        watch.close()
    return 0


def _channels(urls: list[str], allowed: tuple[str, ...]) -> dict[str, Channel] | None:
    """The channels by a name that stays; nothing if one of them cannot be, after all of these were told."""
    out: dict[str, Channel] = {}
    wrong = False
    for url in urls:
        try:
            one = channel(url, allow_hosts=allowed)
            out[hashlib.sha256(url.encode()).hexdigest()[:16]] = one
            check(one)
        except RuleError as error:
            note(f"error: {error}")
            wrong = True
        except NotifyError as error:
            note(f"note: not to be reached now, to be tried again: {error}")
    return None if wrong else out


def _watch_once(watch: Watch, args: argparse.Namespace) -> int:
    alerts = watch.poll()
    if not watch.seen:
        raise SourceNotFoundError(f"{args.source}: no files to read")
    watch.deliver()
    if watch.young:
        files = "1 file is" if len(watch.young) == 1 else f"{len(watch.young):,} files are"
        were = "was" if len(watch.young) == 1 else "were"
        note(f"{files} younger than --settle {args.settle} and {were} not read; run again or --settle 0")
    if watch.damaged or watch.undelivered:
        return cli.ERROR  # what it is was told
    return cli.FOUND if alerts else 0


def run_rules(args: argparse.Namespace) -> int:
    """`vpcflow rules test|run|replay`."""
    own = _rules_of(args.rules)[0]
    if args.verb == "test":
        wrong = rules.test(own)
        for text in wrong:
            note(text)
        examples = sum(len(rule.examples) for rule in own)
        put(f"{len(own)} rules, {examples} examples, {len(wrong)} wrong\n")
        return cli.FOUND if wrong else 0
    flows, replay = cli.flows_of(args), args.verb == "replay"
    with progress_line(True) as progress:
        findings, code = cli.collect(lambda: rules.run(flows, own, samples=0 if replay else 3, progress=progress))
    if args.json or replay:  # a page of findings says it itself
        cli.say_first(findings.report, args.json)
    if replay:
        _show(rules.count_alerts(findings, own, throttle=args.throttle), args.json)
    else:
        put(findings.to_json_lines() if args.json else f"{findings}\n")
    if not findings and (args.json or replay):
        note(findings.conclusion())
    report = findings.report
    if replay and args.max_rejects is not None:  # of all fields, not of those that the rules name
        report = cli.collect(flows._with(check_all=True).agg(n="count()").collect)[0].report
    return cli.verdict(report, args, code) or (cli.FOUND if len(findings) and not replay else 0)


def _show(rows: list[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        put("".join(json.dumps(row) + "\n" for row in rows))
        return
    kinds = {"rule": "text", "severity": "text", "first": "time", "last": "time", "needs": "text"}
    put(display.text_table([(name, kinds.get(name, "int64")) for name in rows[0]] if rows else [], rows) + "\n")

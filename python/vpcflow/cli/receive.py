"""Receives deliveries of Firehose: ``vpcflow receive``."""

from __future__ import annotations

import argparse
import signal

from .._units import byte_count
from ..alerts.opening import kept_elsewhere
from ..errors import RuleError
from ..io.aws.receive import Receiver, Spool
from ..io.listening import address_of
from ._output import print_note

HELP = "receive flow logs of Amazon Data Firehose, as an HTTP endpoint"
EXAMPLES = "receive --listen 127.0.0.1:8080 --key env:FIREHOSE_KEY --spool spool/"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the command to its parser."""
    parser.add_argument(
        "--listen", default="127.0.0.1:8080", metavar="HOST:PORT",
        help="listen there (default 127.0.0.1:8080); Firehose needs HTTPS, which a proxy before it speaks",
    )  # fmt: skip
    parser.add_argument(
        "--key", required=True, metavar="PLACE", help="ask for the access key that env:NAME or file:PATH hold"
    )
    parser.add_argument("--spool", default="spool", metavar="DIR", help="keep deliveries in this folder, for watch")
    parser.add_argument("--max-request", default="64MiB", metavar="SIZE", help="refuse larger requests (default 64MiB)")


def run(args: argparse.Namespace) -> int:
    """Runs the command and returns its exit code."""
    host, port = address_of(args.listen)
    if not args.key.startswith(("env:", "file:")):
        raise RuleError("--key: a secret on a command line is seen by all; give env:NAME or file:PATH")
    key = kept_elsewhere(args.key, "--key")
    limit = byte_count("--max-request", args.max_request)
    receiver = Receiver(host, port, key, Spool(args.spool), limit, print_note)
    signal.signal(signal.SIGTERM, lambda *_: receiver.stop())
    print_note(f"listening at {receiver.url}; deliveries go to {args.spool}")
    receiver.run()
    return 0

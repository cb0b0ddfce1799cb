"""Sessions as records, so that queries group them."""

from __future__ import annotations

from .flows import Flows
from .result import Result
from .scan import query, scan


def sessions_as_records(
    sessions: Result, size: str, *, answered: bool = False, known: bool = False, interface: bool = False
) -> Flows:
    """Converts sessions to records of the client's, so that the engine groups them: `action` is the state, `tcp_flags`
    are the server's. ``answered``: only those of which the column of that name is true; ``known``: only those of which
    it is known who the client is; ``interface``: with the one whose figures they are."""
    names = [
        ("client", "srcaddr"), ("server", "dstaddr"), ("client_port", "srcport"), ("server_port", "dstport"),
        ("protocol", "protocol"), ("start", "start"), ("end", "end"), ("client_packets", "packets"),
        (size, "bytes"), ("state", "action"), ("server_flags", "tcp_flags"),
        *([("interface", "interface_id")] if interface else []),
    ]  # fmt: skip
    only = ["counted", *(["answered"] if answered else []), *(["client_known"] if known else [])]
    records = Result(sessions._table.renamed(names, only), sessions.report)
    # No session is no lack of records.
    return scan(records, allow_empty=True)._with(session_records=True)


def session_query() -> Flows:
    """Makes a query without data over the records of :func:`sessions_as_records`."""
    return query(allow_missing=True)._with(session_records=True)

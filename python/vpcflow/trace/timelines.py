"""Timelines of sessions for other tools: Timesketch, CSV, STIX 2.1, Zeek's conn.log."""

from __future__ import annotations

import csv
import io
import json
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from .._display import human_bytes, instant, length, protocol_names
from ..errors import PlanError
from ..query.flows import Flows
from ..siem.community import community_id_of

Session = Mapping[str, Any]
_FIRST = ("message", "datetime", "timestamp_desc", "timestamp", "community_id")
_TEXT = str.maketrans({"\t": "\\x09", "\n": "\\x0a", "\r": "\\x0d"})  # as Zeek writes them in fields
_STIX = uuid.UUID("00abedb4-aa42-466c-9c01-fed23315a9b7")  # the namespace that STIX 2.1 has for observables
_OURS = uuid.uuid5(uuid.NAMESPACE_URL, "https://github.com/vpcflow/observed-data")
_ZEEK = (
    ("ts", "time"), ("uid", "string"), ("id.orig_h", "addr"), ("id.orig_p", "port"), ("id.resp_h", "addr"),
    ("id.resp_p", "port"), ("proto", "enum"), ("service", "string"), ("duration", "interval"),
    ("orig_bytes", "count"), ("resp_bytes", "count"), ("conn_state", "string"), ("local_orig", "bool"),
    ("local_resp", "bool"), ("missed_bytes", "count"), ("history", "string"), ("orig_pkts", "count"),
    ("orig_ip_bytes", "count"), ("resp_pkts", "count"), ("resp_ip_bytes", "count"),
    ("tunnel_parents", "set[string]"), ("community_id", "string"),
)  # fmt: skip


def sessions_of(flows: Flows, addresses: Sequence[str] = ()) -> Flows:
    """Returns the query of the sessions of addresses and prefixes, those of their packets included; of all, without."""
    return (flows.filter(about(addresses)) if addresses else flows)._with(allow_missing=True).sessions()


def about(addresses: Sequence[str]) -> str:
    """Returns the filter of the records that have one of some addresses at either end, of themselves or their packets.

    >>> about(["10.0.0.1"])
    "srcaddr in ('10.0.0.1') or dstaddr in ('10.0.0.1') or pkt_srcaddr in ('10.0.0.1') or pkt_dstaddr in ('10.0.0.1')"
    """
    several = ", ".join(repr(str(one)) for one in addresses)
    fields = ("srcaddr", "dstaddr", "pkt_srcaddr", "pkt_dstaddr")
    return " or ".join(f"{field} in ({several})" for field in fields)


def timeline(sessions: Iterable[Session], form: str) -> Iterator[str]:
    """Yields the text of a timeline with an event for each session, at its start, in pieces.

    ``form``: ``timesketch`` (JSON lines), ``timesketch-csv``, ``csv``, ``stix`` (a bundle of 2.1), ``zeek`` (conn.log).
    :class:`~vpcflow.PlanError` for another. Sessions are taken one by one; a bundle holds the addresses that it has.

    >>> import vpcflow as vf
    >>> log = b"srcaddr dstaddr srcport dstport protocol bytes start end action\\n"
    >>> log += b"10.0.0.1 10.0.0.2 40000 443 6 840 0 60 ACCEPT\\n"
    >>> event = next(timeline(vf.scan(log).sessions().collect(), "timesketch"))
    >>> json.loads(event)["datetime"], json.loads(event)["timestamp_desc"]
    ('1970-01-01T00:00:00+00:00', 'Flow start')
    """
    if form not in FORMS:
        raise PlanError(f"timeline: form {form!r}: expected one of {', '.join(FORMS)}")
    return FORMS[form](sessions)


def iso_time(seconds: int) -> str:
    """Formats Unix seconds by ISO 8601, as ``2026-11-23T10:00:00Z``."""
    return instant(seconds).replace(" ", "T") + "Z"


def event_of(session: Session) -> dict[str, Any]:
    """Returns the event of a session: Timesketch's three members first, then the session's columns."""
    start = session["start"] or 0
    return {
        "message": message_of(session),
        "datetime": iso_time(start).replace("Z", "+00:00"),
        "timestamp_desc": "Flow start",
        "timestamp": start * 1_000_000,
        "community_id": community_id_of(session),
        **{name: value for name, value in session.items() if name != "start"},
    }


def message_of(session: Session) -> str:
    """Says in a line what a session was."""
    protocol = protocol_names().get(session["protocol"], str(session["protocol"]))
    ends = " -> ".join(
        f"[{address}]:{port}" if port and ":" in (address or "") else f"{address}:{port}" if port else str(address)
        for address, port in ((session["client"], session["client_port"]), (session["server"], session["server_port"]))
    )
    sent, back = (human_bytes(session[name] or 0) for name in ("client_bytes", "server_bytes"))
    return f"{ends} {protocol} {session['state']}, {sent} sent, {back} back, {length(session['duration'] or 0)}"


def _timesketch(sessions: Iterable[Session]) -> Iterator[str]:
    for session in sessions:
        yield json.dumps(event_of(session), ensure_ascii=False) + "\n"


def _timesketch_csv(sessions: Iterable[Session]) -> Iterator[str]:
    return _rows(map(event_of, sessions), _FIRST)


def _csv(sessions: Iterable[Session]) -> Iterator[str]:
    made = (
        {"start": iso_time(one["start"] or 0), **{k: v for k, v in event_of(one).items() if k not in _FIRST},
         "end": iso_time(one["end"] or 0), "community_id": community_id_of(one), "message": message_of(one)}
        for one in sessions
    )  # fmt: skip
    return _rows(made, ("start", "end"))


def _rows(events: Iterable[Mapping[str, Any]], first: Sequence[str]) -> Iterator[str]:
    """Writes CSV; a text that a spreadsheet would take for a formula gets a ``'`` in front."""
    names: list[str] = []
    for event in events:
        if not names:
            names = [*first, *(name for name in event if name not in first)]
            yield _line(names)
        yield _line([f"'{v}" if isinstance(v := event[n], str) and v[:1] in tuple("=+-@\t\r") else v for n in names])
    if not names:
        yield _line(first)


def _line(values: Iterable[Any]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerow(values)
    return out.getvalue()


def _zeek(sessions: Iterable[Session]) -> Iterator[str]:
    yield "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tconn\n"
    yield "#fields\t" + "\t".join(name for name, _ in _ZEEK) + "\n"
    yield "#types\t" + "\t".join(kind for _, kind in _ZEEK) + "\n"
    for one in sessions:
        protocol = {1: "icmp", 6: "tcp", 17: "udp", 58: "icmp"}.get(one["protocol"], "unknown_transport")
        values = {
            "ts": f"{one['start'] or 0}.000000", "uid": _uid(one), "id.orig_h": one["client"],
            "id.orig_p": one["client_port"] or 0, "id.resp_h": one["server"], "id.resp_p": one["server_port"] or 0,
            "proto": protocol, "duration": f"{one['duration'] or 0}.000000", "conn_state": one["conn_state"],
            "orig_pkts": one["client_packets"], "orig_ip_bytes": one["client_bytes"],
            "resp_pkts": one["server_packets"], "resp_ip_bytes": one["server_bytes"],
            "community_id": community_id_of(one),
        }  # fmt: skip
        yield "\t".join(_field(values.get(name)) for name, _ in _ZEEK) + "\n"


def _field(value: Any) -> str:
    return "-" if value is None else str(value).translate(_TEXT)


def _uid(session: Session) -> str:
    return "C" + uuid.uuid5(_OURS, _name(session)).hex[:17]


def _name(session: Session) -> str:
    names = ("client", "client_port", "server", "server_port", "protocol", "start", "interface")
    return json.dumps([session[name] for name in names])


def _stix(sessions: Iterable[Session]) -> Iterator[str]:
    """Writes a bundle: an observed-data a session, with its network-traffic and two addresses, each of them once."""
    yield f'{{"type": "bundle", "id": "bundle--{uuid.uuid5(_OURS, "bundle")}"'
    known: set[str] = set()
    for session in sessions:
        for one in _observed(session):
            if one["id"] not in known:
                yield (",\n" if known else ', "objects": [\n') + json.dumps(one)
                known.add(one["id"])
    yield "\n]}\n" if known else "}\n"  # a bundle has no empty list


def _observed(session: Session) -> Iterator[dict[str, Any]]:
    ends = []
    for address in (session["client"], session["server"]):
        own = _observable("ipv6-addr" if ":" in (address or "") else "ipv4-addr", {"value": address})
        ends.append(own["id"])
        yield own
    start, end = (_stix_time(session[name] or session["start"] or 0) for name in ("start", "end"))
    protocol = protocol_names().get(session["protocol"], str(session["protocol"])).lower()
    ports = {"src_port": session["client_port"], "dst_port": session["server_port"]}
    has_ports = session["protocol"] in (6, 17, 132)
    version = "ipv6" if ":" in (session["client"] or "") else "ipv4"
    known = {
        "start": start, "end": end, "src_ref": ends[0], "dst_ref": ends[1],
        **{name: port for name, port in ports.items() if has_ports and port is not None},
        "protocols": [version, protocol],
    }  # fmt: skip
    sizes = {
        "src_byte_count": session["client_bytes"], "dst_byte_count": session["server_bytes"],
        "src_packets": session["client_packets"], "dst_packets": session["server_packets"],
    }  # fmt: skip
    traffic = _observable("network-traffic", known)
    traffic |= {"is_active": False, **{name: size for name, size in sizes.items() if size is not None}}
    yield traffic
    yield {
        "type": "observed-data", "spec_version": "2.1", "id": f"observed-data--{uuid.uuid5(_OURS, _name(session))}",
        "created": start, "modified": start, "first_observed": start, "last_observed": end,
        "number_observed": max(session["records"] or 1, 1), "object_refs": [*dict.fromkeys(ends), traffic["id"]],
    }  # fmt: skip


def _observable(kind: str, known: Mapping[str, Any]) -> dict[str, Any]:
    """Returns an object whose id follows from what it is known by, as STIX 2.1 has it."""
    text = json.dumps(known, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return {"type": kind, "spec_version": "2.1", "id": f"{kind}--{uuid.uuid5(_STIX, text)}", **known}


def _stix_time(seconds: int) -> str:
    return iso_time(seconds).replace("Z", ".000Z")


FORMS: dict[str, Callable[[Iterable[Session]], Iterator[str]]] = {
    "timesketch": _timesketch, "timesketch-csv": _timesketch_csv, "csv": _csv, "stix": _stix, "zeek": _zeek,
}  # fmt: skip

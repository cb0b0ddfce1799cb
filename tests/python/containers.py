"""Writers of every container that the tests know: flow log lines in, bytes out. They share no code with the package."""

import base64
import csv
import gzip
import io
import json

DEFAULT = ["version", "account-id", "interface-id", "srcaddr", "dstaddr", "srcport", "dstport", "protocol", "packets", "bytes", "start", "end", "action", "log-status"]
CAMEL = ["version", "accountId", "interfaceId", "srcAddr", "dstAddr", "srcPort", "dstPort", "protocol", "packets", "bytes", "start", "end", "action", "logStatus"]
ATHENA = ["version", "account_id", "interface_id", "srcaddr", "dstaddr", "srcport", "dstport", "protocol", "packets", "bytes", "start", "end", "action", "log_status"]
OLD_ATHENA = ["version", "account", "interfaceid", "sourceaddress", "destinationaddress", "sourceport", "destinationport", "protocol", "numpackets", "numbytes", "starttime", "endtime", "action", "logstatus"]
NUMBERS = {"version", "srcport", "dstport", "protocol", "packets", "bytes", "start", "end"}


def _event(i, line):
    return {
        "logStreamName": "eni-1-all",
        "timestamp": 1_000 * i,
        "message": line,
        "ingestionTime": 1_000 * i + 5,
        "eventId": str(i),
    }


def _subscription(lines, message_type="DATA_MESSAGE"):
    return {
        "messageType": message_type,
        "owner": "123456789010",
        "logGroup": "flows",
        "logStream": "eni-1-all",
        "subscriptionFilters": ["all"],
        "logEvents": [{"id": str(i), "timestamp": 1_000 * i, "message": line} for i, line in enumerate(lines)],
    }


def _groups(lines, size=100):
    return [lines[i : i + size] for i in range(0, len(lines), size)]


def _blob(document):
    return base64.b64encode(gzip.compress(json.dumps(document).encode(), 1)).decode()


def _csv(header, rows, quoting=csv.QUOTE_MINIMAL):
    out = io.StringIO()
    writer = csv.writer(out, quoting=quoting, lineterminator="\n")
    if header:
        writer.writerow(header)
    writer.writerows(rows)
    return out.getvalue().encode()


def _object(line, names=DEFAULT):
    """As Firehose and Parquet tools write them: numbers as numbers, null for `-` in them."""
    values = dict(zip(names, line.split()))
    out = {}
    for aws, name in zip(DEFAULT, names):
        value = values[name]
        out[name] = (None if value == "-" else int(value)) if aws in NUMBERS else value
    return out


def _ocsf(line):
    v = dict(zip(DEFAULT, line.split()))
    number = {k: int(v[k]) for k in NUMBERS if v[k] != "-"}
    event = {
        "class_uid": 4001,
        "activity_id": 6,
        "metadata": {"version": "1.1.0", "product": {"version": v["version"], "name": "Amazon VPC"}},
        "cloud": {"provider": "AWS", "account": {"uid": v["account-id"]}},
        "src_endpoint": {"ip": v["srcaddr"], "port": number.get("srcport")},
        "dst_endpoint": {"ip": v["dstaddr"], "port": number.get("dstport"), "interface_uid": v["interface-id"]},
        "connection_info": {"protocol_num": number.get("protocol"), "boundary_id": 99},
        "traffic": {"packets": number.get("packets"), "bytes": number.get("bytes")},
        "start_time": number["start"] * 1000,
        "end_time": number["end"] * 1000,
        "action": {"ACCEPT": "Allowed", "REJECT": "Denied"}.get(v["action"], "-"),
        "status_code": v["log-status"],
    }
    return event


def written(lines):
    """Name -> bytes, for every container: the same records, lines of the default format without line ends."""
    rows = [line.split() for line in lines]
    header = " ".join(DEFAULT)
    text = "\n".join([header, *lines, ""]).encode()
    events = [_event(i, line) for i, line in enumerate(lines)]
    subscriptions = [_subscription(group) for group in _groups(lines)]
    control = _subscription(["CWL CONTROL MESSAGE: Checking health of destination Firehose."], "CONTROL_MESSAGE")
    insights = [
        [{"field": "@timestamp", "value": "2022-03-01 22:18:35.000"}, {"field": "@message", "value": line}]
        for line in lines
    ]
    return {
        "text": text,
        "text without header": text[len(header) + 1 :],
        "gzip": gzip.compress(text, 1),
        "filter-log-events": json.dumps({"events": events, "searchedLogStreams": []}).encode(),
        "get-log-events, indented": json.dumps({"events": events, "nextForwardToken": "f/1"}, indent=4).encode(),
        "events, one a line": "".join(json.dumps(e) + "\n" for e in events).encode(),
        "subscription documents": b"".join(json.dumps(s).encode() for s in [control, *subscriptions]),
        "subscription gzip members": b"".join(gzip.compress(json.dumps(s).encode(), 1) for s in [control, *subscriptions]),
        "subscription base64": "".join(_blob(s) + "\n" for s in [control, *subscriptions]).encode(),
        "lambda events": b"".join(json.dumps({"awslogs": {"data": _blob(s)}}).encode() + b"\n" for s in subscriptions),
        "kinesis events": json.dumps({"Records": [{"kinesis": {"data": _blob(s)}} for s in subscriptions]}).encode(),
        "extracted fields": json.dumps(
            {"messageType": "DATA_MESSAGE", "logEvents": [{"extractedFields": dict(zip(ATHENA, r))} for r in rows]}
        ).encode(),
        "cloudwatch export": "".join(f"2018-09-22T20:28:14.000Z {line}\n" for line in lines).encode(),
        "insights csv, message": _csv(["@timestamp", "@message"], [["2022-03-01 22:18:35.000", x] for x in lines]),
        "insights csv, columns": _csv(["@timestamp", *CAMEL], [["2022-03-01 22:18:35.000", *r] for r in rows]),
        "insights json": json.dumps({"status": "Complete", "results": insights}).encode(),
        "athena csv": _csv(ATHENA, [["" if c == "-" else c for c in r] for r in rows], csv.QUOTE_ALL),
        "athena csv, old table": _csv(OLD_ATHENA, rows, csv.QUOTE_ALL),
        "csv without header": _csv(None, rows),
        "firehose glued": b"".join(json.dumps({"message": line}).encode() for line in lines),
        "firehose lines": b"".join(json.dumps({"message": line}).encode() + b"\n" for line in lines),
        "objects, one a line": "".join(json.dumps(_object(line)) + "\n" for line in lines).encode(),
        "objects, nulls left out": "".join(
            json.dumps({k: v for k, v in _object(line).items() if v not in (None, "-")}) + "\n" for line in lines
        ).encode(),
        "objects as floats": json.dumps(
            [{k: float(v) if k in ("srcport", "dstport", "protocol") and v is not None else v for k, v in _object(line).items()} for line in lines]
        ).encode(),
        "objects in one array": json.dumps([_object(line) for line in lines], indent=1).encode(),
        "ocsf lines": "".join(json.dumps(_ocsf(line)) + "\n" for line in lines).encode(),
    }  # fmt: skip

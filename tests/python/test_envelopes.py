"""What services, tools and pipelines wrap flow log records in, as JSON: each alone, as lines, glued together, in one
array and over many lines; and what has the same shape and holds no record."""

import base64
import gzip
import json
import zlib

import pytest

import vpcflow as vf
from containers import ATHENA, CAMEL, DEFAULT, _blob, _subscription

LINES = [
    "2 210987654321 eni-0b5e77aa10c94d3f2 198.51.100.23 10.20.4.9 51514 3389 6 3 180 1769000000 1769000040 REJECT OK",
    "2 210987654321 eni-0b5e77aa10c94d3f2 10.20.4.9 203.0.113.80 44321 443 6 25 31337 1769000002 1769000059 ACCEPT OK",
    "2 210987654321 eni-0b5e77aa10c94d3f2 2001:db8:4::9 2001:db8:9::1 5353 53 17 1 91 1769000010 1769000011 ACCEPT OK",
    "2 210987654321 eni-0c0ffee0c0ffee001 - - - - - - - 1769000000 1769000060 - NODATA",
]
NAMES = [name.replace("-", "_") for name in DEFAULT]


def base64_of(data):
    return base64.b64encode(data if isinstance(data, bytes) else data.encode()).decode()


def row_of(line, names=ATHENA):
    return {name: value for name, value in zip(names, line.split()) if value != "-"}


def numbers_of(line):
    return {
        name: int(value) if value.isdigit() and name != "account_id" else value for name, value in row_of(line).items()
    }


def bulk(line):
    return [{"index": {"_index": "flows", "_id": line[-8:]}}, {"@timestamp": "2026-01-21T12:53:20Z", "message": line}]


def table(lines, names=ATHENA):
    return [
        ["TimeGenerated", *names],
        [["2026-01-21T12:53:20Z", *(None if v == "-" else v for v in line.split())] for line in lines],
    ]


def ecs(line):
    values = row_of(line)
    event = {
        "@timestamp": "2026-01-21T12:54:19.000Z",
        "aws": {
            "vpcflow": {
                k: values[k] for k in ("version", "account_id", "interface_id", "action", "log_status") if k in values
            }
        },
        "cloud": {"provider": "aws", "account": {"id": values["account_id"]}},
        "event": {"start": utc(values["start"]), "end": utc(values["end"]), "kind": "event"},
        "network": {},
        "source": {},
        "destination": {},
    }
    if "srcaddr" in values:
        event["source"] = {
            "ip": values["srcaddr"],
            "address": values["srcaddr"],
            "port": int(values["srcport"]),
            "bytes": int(values["bytes"]),
            "packets": int(values["packets"]),
        }
        event["destination"] = {"ip": values["dstaddr"], "address": values["dstaddr"], "port": int(values["dstport"])}
        event["network"] = {"iana_number": values["protocol"], "bytes": int(values["bytes"]), "type": "ipv4"}
    return event  # fmt: skip


def utc(seconds):
    import datetime

    return datetime.datetime.fromtimestamp(int(seconds), datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def flat(value, prefix=""):
    if not isinstance(value, dict):
        return {prefix[:-1]: value}
    return {k: v for name, member in value.items() for k, v in flat(member, f"{prefix}{name}.").items()}


def attribute(name, value):
    return {"key": name, "value": {"intValue": str(value)} if isinstance(value, int) else {"stringValue": value}}


def otlp(records, resource=()):
    scope = {"scope": {"name": "vpc"}, "logRecords": records}
    return {"resourceLogs": [{"resource": {"attributes": list(resource)}, "scopeLogs": [scope]}]}


def otel_attributes(line):
    values = row_of(line)
    names = {"version": "aws.vpc.flow.log.version", "account_id": "cloud.account.id", "interface_id": "network.interface.name",
             "srcaddr": "source.address", "dstaddr": "destination.address", "srcport": "source.port",
             "dstport": "destination.port", "protocol": "network.protocol.name", "packets": "aws.vpc.flow.packets",
             "bytes": "aws.vpc.flow.bytes", "start": "aws.vpc.flow.start", "end": "aws.vpc.flow.end",
             "action": "aws.vpc.flow.action", "log_status": "aws.vpc.flow.status"}  # fmt: skip
    values["protocol"] = {"6": "tcp", "17": "udp"}.get(values.get("protocol"), "-")
    return [attribute(names[k], int(v) if k in ("srcport", "bytes") else v) for k, v in values.items()]


def insights_row(line, message=True):
    cells = {"@message": line} if message else dict(zip(CAMEL, line.split()))
    return [
        {"field": k, "value": v} for k, v in {"@timestamp": "2026-01-21 12:53:20.000", **cells, "@ptr": "Cm0K"}.items()
    ]


def athena(lines, header=True):
    rows = [ATHENA, *(line.split() for line in lines)] if header else [line.split() for line in lines]
    cells = [{"Data": [{} if v == "-" else {"VarCharValue": v} for v in row]} for row in rows]
    columns = [{"CatalogName": "hive", "Name": name, "Type": "varchar"} for name in ATHENA]
    return {"ResultSet": {"Rows": cells, "ResultSetMetadata": {"ColumnInfo": columns}}, "UpdateCount": 0}


def kinesis(data):
    return {
        "SequenceNumber": "49590338271490256608559692538361571095921575989136588898",
        "PartitionKey": "k",
        "Data": data,
    }


SUBSCRIPTION = _subscription(LINES)
PLAIN = "\n".join(LINES) + "\n"
CONTROL = _subscription(["CWL CONTROL MESSAGE: Checking health of destination Kinesis stream."], "CONTROL_MESSAGE")
FIREHOSE = {"requestId": "ed1d787c-b9e2-4631-92dc-8e7c9d26d804", "timestamp": 1769000100000}
LOKI = [{"stream": {"job": "vpc"}, "values": [[f"{1769000000 + i}000000000", line] for i, line in enumerate(LINES)]}]

ENVELOPES = {  # name: documents that together hold the records
    "filter-log-events": [{"events": [{"logStreamName": "eni-all", "timestamp": 1, "message": x, "eventId": "3"} for x in LINES],
                           "searchedLogStreams": []}],
    "get-log-events": [{"events": [{"timestamp": 1, "message": x, "ingestionTime": 2} for x in LINES], "nextForwardToken": "f/3"}],
    "kinesis get-records": [{"Records": [kinesis(_blob(CONTROL)), kinesis(_blob(SUBSCRIPTION))], "MillisBehindLatest": 0}],
    "kinesis get-records, base64 twice": [{"NextShardIterator": "AAA", "Records": [kinesis(base64_of(_blob(SUBSCRIPTION)))]}],
    "kinesis get-records, plain lines": [{"Records": [kinesis(base64_of(line)) for line in LINES]}],
    "kinesis get-records, many lines in one": [{"Records": [kinesis(base64_of(PLAIN))]}],
    "kinesis get-records, zlib": [{"Records": [kinesis(base64_of(zlib.compress(json.dumps(SUBSCRIPTION).encode())))]}],
    "kinesis get-records, gzip of lines": [{"Records": [kinesis(base64_of(gzip.compress(PLAIN.encode())))]}],
    "kinesis lambda event": [{"Records": [{"kinesis": {"partitionKey": "k", "data": _blob(SUBSCRIPTION)}, "eventSource": "aws:kinesis",
                                           "awsRegion": "eu-west-1"}]}],
    "cloudwatch lambda event": [{"awslogs": {"data": _blob(SUBSCRIPTION)}}],
    "sqs lambda event": [{"Records": [{"messageId": "1", "body": json.dumps({"message": x}), "eventSource": "aws:sqs"} for x in LINES]}],
    "sqs receive-message": [{"Messages": [{"MessageId": "1", "ReceiptHandle": "x", "Body": x} for x in LINES]}],
    "sns in lambda event": [{"Records": [{"EventSource": "aws:sns", "Sns": {"Type": "Notification", "Message": x}} for x in LINES]}],
    "firehose http body": [{**FIREHOSE, "records": [{"data": base64_of(json.dumps({"message": x}))} for x in LINES]}],
    "firehose http body of a subscription": [{**FIREHOSE, "records": [{"data": _blob(CONTROL)}, {"data": _blob(SUBSCRIPTION)}]}],
    "firehose http body of lines": [{**FIREHOSE, "records": [{"data": base64_of(x + "\n")} for x in LINES]}],
    "firehose http body behind api gateway": [{"version": "2.0", "routeKey": "POST /", "isBase64Encoded": False,
        "body": json.dumps({**FIREHOSE, "records": [{"data": _blob(SUBSCRIPTION)}]})}],
    "firehose transformation event": [{"invocationId": "i", "region": "eu-west-1", "records": [
        {"recordId": str(i), "approximateArrivalTimestamp": 1, "data": base64_of(json.dumps({"message": x}))} for i, x in enumerate(LINES)]}],
    "firehose transformation response": [{"records": [
        *({"recordId": str(i), "result": "Ok", "data": base64_of(json.dumps({"message": x}) + "\n")} for i, x in enumerate(LINES)),
        {"recordId": "9", "result": "Dropped", "data": ""}]}],
    "insights get-query-results": [{"results": [insights_row(x) for x in LINES], "statistics": {"recordsMatched": 4.0}, "status": "Complete"}],
    "insights rows": [[insights_row(x) for x in LINES]],
    "insights rows of columns": [[insights_row(x, message=False) for x in LINES]],
    "insights rows one by one": [insights_row(x) for x in LINES],
    "insights console export": [[{"@timestamp": "2026-01-21 12:53:20.000", "@message": x, "@ptr": "Cm0K"} for x in LINES]],
    "insights console export of json": [[{"@timestamp": "t", "@message": numbers_of(x)} for x in LINES]],
    "athena get-query-results": [athena(LINES)],
    "athena get-query-results, later page": [athena(LINES, header=False)],
    "elastic _search": [{"took": 3, "timed_out": False, "_shards": {"total": 1}, "hits": {"total": {"value": 4}, "max_score": 1.0, "hits": [
        {"_index": "flows", "_id": "a", "_score": 1.0, "_source": {"@timestamp": "t", "message": x, "tags": ["a"]}} for x in LINES]}}],
    "elastic _search with fields": [{"hits": {"hits": [{"_id": "a", "fields": {"message": [x], "tags": ["a", "b"]}} for x in LINES]}}],
    "elastic dump": [{"_index": "flows", "_id": "a", "_source": {"event": {"original": x, "kind": "event"}, "ecs": {"version": "8"}}} for x in LINES],
    "elastic dotted original": [{"@timestamp": "t", "event.original": x} for x in LINES],
    "elastic bulk file": [document for line in LINES for document in bulk(line)],
    "elastic ecs": [ecs(x) for x in LINES],
    "elastic ecs in hits": [{"hits": {"hits": [{"_id": "a", "_source": ecs(x)} for x in LINES]}}],
    "elastic ecs, dotted": [flat(ecs(x)) for x in LINES],
    "splunk hec text": [{"time": 1769000000.5, "host": "h", "sourcetype": "aws:vpc", "event": x, "fields": {"env": "prod"}} for x in LINES],
    "splunk hec object": [{"event": numbers_of(x), "time": 1769000000, "index": "main"} for x in LINES],
    "splunk hec message": [{"sourcetype": "aws:firehose", "event": {"message": x}} for x in LINES],
    "splunk hec fields": [{"event": "flow", "fields": row_of(x)} for x in LINES],
    "splunk search": [{"preview": False, "offset": i, "result": {"_time": "2026-01-21", "_raw": x, "host": "h", "linecount": "1"}} for i, x in enumerate(LINES)],
    "splunk results": [{"preview": False, "init_offset": 0, "results": [{"_raw": x, "_time": "t"} for x in LINES]}],
    "splunk json_rows": [{"preview": False, "fields": ["_time", "_raw"], "rows": [["t", x] for x in LINES]}],
    "wazuh fields": [{"timestamp": "t", "rule": {"level": 3}, "data": {"integration": "aws", "aws": {"source": "vpc", **row_of(x)}}} for x in LINES],
    "wazuh full_log": [{"rule": {"level": 3, "description": "AWS VPC"}, "full_log": x, "decoder": {"name": "json"}} for x in LINES],
    "wazuh full_log of json": [{"full_log": json.dumps({"integration": "aws", "aws": row_of(x)}), "agent": {"id": "000"}} for x in LINES],
    "loki query": [{"status": "success", "data": {"resultType": "streams", "result": LOKI, "stats": {"summary": {"totalBytes": 5}}}}],
    "loki push": [{"streams": LOKI}],
    "loki push with metadata": [{"streams": [{"stream": {}, "values": [["1", x, {"trace": "2"}] for x in LINES]}]}],
    "loki old push": [{"streams": [{"labels": "{job=\"vpc\"}", "entries": [{"ts": "t", "line": x} for x in LINES]}]}],
    "logcli": [{"labels": {"job": "vpc"}, "line": x, "timestamp": "2026-01-21T12:53:20Z"} for x in LINES],
    "datadog archive": [{"_id": "A", "date": "t", "host": "eni", "message": x, "attributes": {"aws": {"awslogs": {"logGroup": "g"}}}} for x in LINES],
    "datadog v1": [{"logs": 1, "id": "A", "content": {"timestamp": "t", "tags": ["a"], "message": x, "attributes": {}}} for x in LINES],
    "datadog v2": [{"data": [{"id": "A", "type": "log", "attributes": {"message": x, "tags": [], "attributes": {}}} for x in LINES], "meta": {"elapsed": 1}}],
    "datadog attributes.content": [{"id": "A", "attributes": {"status": "info", "content": x}} for x in LINES],
    "graylog search": [{"query": "*", "messages": [{"index": "graylog_0", "message": {"_id": "1", "message": x, "source": "vpc"}} for x in LINES]}],
    "gelf": [{"version": "1.1", "host": "h", "short_message": x, "timestamp": 1769000000.1, "level": 6, "_group": "g"} for x in LINES],
    "gelf, full message": [{"version": "1.1", "host": "h", "short_message": "a flow log record", "full_message": x} for x in LINES],
    "otlp": [otlp([{"timeUnixNano": "1769000000000000000", "body": {"stringValue": x}, "attributes": [attribute("log.group", "g")]} for x in LINES])],
    "otlp attributes": [otlp([{"body": {}, "attributes": [attribute(k, v) for k, v in numbers_of(x).items()]} for x in LINES])],
    "otlp conventions": [otlp([{"attributes": otel_attributes(x)} for x in LINES], [attribute("cloud.provider", "aws")])],
    "otlp map": [otlp([{"body": {"kvlistValue": {"values": [attribute(k, v) for k, v in row_of(x).items()]}}} for x in LINES])],
    "log analytics": [{"tables": [{"name": "PrimaryResult", "columns": [{"name": n, "type": "string"} for n in table(LINES)[0]], "rows": table(LINES)[1]}]}],
    "pandas split": [{"columns": table(LINES)[0], "index": [0, 1, 2, 3], "data": table(LINES)[1]}],
    "fluent bit": [{"date": 1769000000.1, "log": x + "\n", "container_id": "a"} for x in LINES],
    "vector": [{"message": x, "source_type": "aws_s3", "timestamp": "t", "region": "eu-west-1"} for x in LINES],
    "syslog": [{"PRIORITY": "6", "_HOSTNAME": "h", "MESSAGE": x} for x in LINES],
    "logscale": [{"@timestamp": 1769000000000, "@rawstring": x, "#repo": "vpc"} for x in LINES],
    "kafka connect": [{"schema": {"type": "string", "optional": False}, "payload": x} for x in LINES],
    "live tail": [{"sessionUpdate": {"sessionMetadata": {"sampled": False}, "sessionResults": [{"message": x, "timestamp": 1} for x in LINES]}}],
    "lines as json texts": [[json.dumps({"message": x}) for x in LINES]],
    "google cloud logging": [{"entries": [{"textPayload": x, "logName": "l"} for x in LINES]}],
    "sumo logic": [{"fields": [{"name": "_raw", "fieldType": "string"}], "messages": [{"map": {"_raw": x, "_messageid": "1"}} for x in LINES]}],
    "eventbridge, a record": [{"version": "0", "id": "i", "detail-type": "flow", "source": "own", "region": "eu-west-1", "detail": numbers_of(x)} for x in LINES],
    "eventbridge, events": [{"version": "0", "detail-type": "flows", "account": "210987654321", "detail": {"events": [{"message": x} for x in LINES]}}],
}  # fmt: skip


def as_alone(documents):
    return json.dumps(documents[0]) if len(documents) == 1 else "\n".join(map(json.dumps, documents))


WAYS = {
    "alone": as_alone,
    "as lines": lambda documents: "".join(json.dumps(document) + "\n" for document in documents),
    "glued": lambda documents: "".join(map(json.dumps, documents)),
    "in an array": json.dumps,
    "in an array over many lines": lambda documents: json.dumps(documents, indent=2) + "\n",
    "over many lines": lambda documents: "\n".join(json.dumps(document, indent=4) for document in documents),
    "members the other way round": lambda documents: "\n".join(json.dumps(turned(document)) for document in documents),
}


def turned(value):
    if isinstance(value, list):
        return [turned(member) for member in value]
    if isinstance(value, dict):
        return {name: turned(value[name]) for name in reversed(value)}
    return value


def records(text, **options):
    result = vf.scan(text.encode(), **options)._with(allow_missing=True).select(*NAMES).collect()
    return result.rows(), result.report


WANTED = records(" ".join(DEFAULT) + "\n" + PLAIN)[0]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", ENVELOPES)
def test_an_envelope(quiet, name, way):
    rows, report = records(WAYS[way](ENVELOPES[name]))
    assert (report.records, report.rejects_by_reason) == (len(LINES), {})
    assert rows == WANTED


def test_many_envelopes_in_one_file(quiet):
    documents = [document for name in sorted(ENVELOPES) for document in ENVELOPES[name]]
    for threads in (1, 3):
        _, report = records("\n".join(map(json.dumps, documents)), threads=threads)
        assert (report.records, report.rejects_by_reason) == (len(LINES) * len(ENVELOPES), {})


NO_RECORDS = {  # name: (document, rejects)
    "a query without results": ({"results": [], "status": "Running"}, 0),
    "no hits": ({"took": 1, "hits": {"total": {"value": 0}, "hits": []}}, 0),
    "no streams": ({"status": "success", "data": {"resultType": "streams", "result": []}}, 0),
    "a control message": (CONTROL, 0),
    "a control message in kinesis": ({"Records": [kinesis(_blob(CONTROL))]}, 0),
    "a control message in firehose": ({**FIREHOSE, "records": [{"data": _blob(CONTROL)}]}, 0),
    "bulk actions alone": ({"delete": {"_index": "flows", "_id": "1"}}, 0),
    "an athena result that counts": ({"ResultSet": {"Rows": [{"Data": [{"VarCharValue": v}]} for v in ("n", "5")]}}, 1),
    "insights rows that count": ({"results": [[{"field": "count(*)", "value": "5"}]]}, 1),
    "a bare row that counts": ([{"field": "bin", "value": "5"}, {"field": "sum(bytes)", "value": "7"}], 1),
    "kinesis of something else": ({"Records": [kinesis(base64_of(json.dumps({"a": 1})))]}, 1),
    "kinesis of no base64": ({"Records": [kinesis("%%%")]}, 1),
    "kinesis of bytes": ({"Records": [kinesis(base64_of(bytes(range(256))))]}, 1),
    "a metric for splunk": ({"time": 1, "event": "metric", "fields": {"metric_name": "cpu", "_value": 1.5}}, 1),
    "an alert of wazuh": ({"rule": {"level": 7}, "full_log": "sshd: Accepted password for root", "data": {"srcuser": "root"}}, 1),
    "a metric of loki": ({"status": "success", "data": {"resultType": "matrix", "result": [{"metric": {}, "values": [[1, "5"]]}]}}, 1),
    "spans": ({"resourceSpans": [{"scopeSpans": [{"spans": [{"name": "GET"}]}]}]}, 1),
    "another log of otlp": (otlp([{"body": {"stringValue": "started"}}]), 1),
    "zeek in ecs": ({"source": {"ip": "10.0.0.1"}, "destination": {"ip": "10.0.0.2"}, "event": {"start": "t"}, "network": {"bytes": 5}}, 1),
    "another table": ({"tables": [{"columns": [{"name": "Cost"}, {"name": "Region"}], "rows": [[5, "eu"], [6, "us"]]}]}, 2),
    "cloudtrail": ({"Records": [{"eventVersion": "1.09", "eventName": "RunInstances", "awsRegion": "eu-west-1"}] * 3}, 3),
    "an s3 notification": ({"Records": [{"eventVersion": "2.1", "eventSource": "aws:s3", "s3": {"object": {"key": "k"}}}]}, 1),
    "guardduty in eventbridge": ({"detail-type": "GuardDuty Finding", "account": "210987654321", "region": "eu-west-1",
                                  "detail": {"type": "Recon:EC2/Portscan", "accountId": "210987654321", "service": {"count": 3}}}, 1),
    "config in eventbridge": ({"detail-type": "Config Configuration Item Change", "detail": {"configurationItem": {"resourceId": "eni-1"}}}, 1),
    "a list of guardduty's": ({"Findings": [{"Id": "1", "Type": "Recon"}]}, 1),
}  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", NO_RECORDS)
def test_the_same_shapes_without_records(quiet, name, way):
    document, rejects = NO_RECORDS[name]
    good = {"message": LINES[0]}
    _, report = records(WAYS[way]([good, document]))
    assert report.records == 1
    assert report.rejects_by_reason == ({"no-record": rejects} if rejects else {})


def test_sentences_in_envelopes_are_lines_that_are_none(quiet):
    for document in ({"message": "the flow log was created"}, {"events": [{"message": "hello there"}]}):
        _, report = records(json.dumps({"message": LINES[0]}) + json.dumps(document))
        assert (report.records, report.rejected) == (1, 1)
        assert "no-record" not in report.rejects_by_reason


def test_records_keep_members_that_envelopes_have(quiet):
    """A record is one by its own names, whatever else it has."""
    for extra in ({"event": "x 1 2"}, {"data": "eyJhIjogMX0="}, {"fields": {"a": 1}}, {"attributes": []}, {"line": "1 2"},
                  {"result": {"message": LINES[1]}}, {"index": {"_id": "1"}}, {"values": [["1", LINES[1]]]}):  # fmt: skip
        rows, report = records(json.dumps({**numbers_of(LINES[0]), **extra}))
        assert (report.records, report.rejected) == (1, 0)
        assert rows == WANTED[:1]


def test_entries_of_answers_larger_than_a_piece(quiet):
    """Of long answers each entry is read by itself: 8 MiB is the most that is parsed at a time."""
    source = {"message": LINES[1], "tags": ["x" * 1000]}
    for answer in ({"took": 1, "hits": {"total": 1, "hits": [{"_id": "1", "_source": source}] * 10_000}},
                   {"status": "success", "data": {"resultType": "streams", "result": [{"stream": {"a": "x" * 900}, "values": [["1", LINES[1]]]}] * 10_000}},
                   otlp([])["resourceLogs"] and {"resourceLogs": otlp([{"body": {"stringValue": LINES[1]}, "traceId": "x" * 900}])["resourceLogs"] * 10_000}):  # fmt: skip
        for indent in (None, 1):
            text = json.dumps(answer, indent=indent)
            assert len(text) > 9 << 20
            result = vf.scan(text.encode()).agg(n=vf.count(), bytes=vf.sum("bytes")).collect()
            assert result.rows() == [{"n": 10_000, "bytes": 10_000 * 31337}]
            assert result.report.rejected == 0


def test_pages_of_athena_larger_than_a_piece(quiet):
    """The rows of a first page are read as they come; those of a later one are held until their columns are named."""
    lines = [LINES[1]] * 12_000
    text = json.dumps(athena(lines), indent=4)
    assert len(text) > 9 << 20
    result = vf.scan(text.encode()).agg(n=vf.count(), bytes=vf.sum("bytes")).collect()
    assert (result.rows(), result.report.rejected) == ([{"n": 12_000, "bytes": 12_000 * 31337}], 0)
    for turn in (lambda page: page, turned):
        page = json.dumps(turn(athena(lines[:2000], header=False)), indent=4)
        result = vf.scan((text + page).encode()).agg(n=vf.count()).collect()
        assert (result.rows(), result.report.rejected) == ([{"n": 14_000}], 0)


def test_wrappers_too_deep_are_no_record(quiet):
    deep = {"message": LINES[0]}
    for _ in range(200):
        deep = {"result": deep}
    lists = LINES[0]
    for _ in range(200):
        lists = [lists]
    for document in (deep, {"messages": lists}):
        _, report = records(json.dumps({"message": LINES[0]}) + "\n" + json.dumps(document))
        assert (report.records, report.rejects_by_reason) == (1, {"no-record": 1})

"""Writes what is made from what the code knows: docs/fields.md, docs/formats.md, the detectors in docs/detection.md,
their settings in the Python package, and the names in vpcflow/typing.py. python tools/generate_docs.py"""

from pathlib import Path

import detector_pages
import shell_pages

import vpcflow as vf
from vpcflow import _core

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
TYPING = ROOT / "python" / "vpcflow" / "typing.py"
BEGIN, END = "# -- made by tools/generate_docs.py: names of the engine\n", "# -- made until here\n"
ALIASES = {
    "BinBy": "``bin_by=``: how a record that spans several time bins is counted.",
    "Container": "``container=``: what records are wrapped in.",
    "Duplicates": "``duplicates=``: what becomes of a file with the bytes of an earlier one.",
    "ErrorKind": "The engine's kinds of errors, as in :attr:`vpcflow.Report.errors`.",
    "OnError": "``on_error=``: what a malformed line does.",
    "RejectReason": "Why a line is rejected, :func:`vpcflow.reject_reasons`.",
    "Severity": "Severities of findings, worst first.",
    "Vantage": "``vantage=``: whose figures a session has that several interfaces saw.",
    "Verdict": "Whether logs of a format can answer an analysis.",
}

FORMATS = """# Formats and containers

Made by `tools/generate_docs.py`; do not edit. What is read, what is refused, and what a format can answer.

## How the format of a source is found

1. Its header line, which may come again anywhere and may be another one: AWS's names, or, where two thirds of them mean fields, names in any
   case and spelling (`SrcAddr`, `ACCOUNT_ID`, `StartTime`). Columns are united by name: a field that a part of the input lacks is null there.
2. Without one, `format=` (C++: `ScanOptions::format`, command line: `--format`): `${{a}} ${{b}}`, Terraform's `$${{a}}`, plain names with `-`
   or `_`, `default`, `tgw`, `v3` to `v11`.
3. Else AWS's default, if one of the first 100 lines is a record of it.
4. Else the one format, of those that AWS makes when asked for all fields up to a version, in its order or in the console's
   alphabetical one, that fits nine lines in ten, if no other fits more than one in ten. Every value must be one that its field can have.
   The report has a warning with the counts: `no header line: the format is taken to be v5 in alphabetical order (100 of 100 lines); none of ...`.
5. Else an error that lists the candidates with their counts.

It is never chosen by `version`, nor by the number of fields alone.

## Containers

Recognised by the first 4 KiB after unpacking, never by a name; `container=` (`--container`) overrides it. Gzip (any number of members,
with or without line ends between them), zstd (any number of frames) and zlib are found by content in front of all of them, up to four layers deep.

| container | what it is |
| --- | --- |
{containers}

**Parquet**: the threads of a scan read row groups side by side, small ones together and large ones in batches of half a million rows at the
most, so that memory does not grow with the file. Texts that are stored as dictionaries come as such, and each different one is parsed once a
batch; of nested columns only the members that a query needs are read. Where the filter of a query, `start` or `end` gives bounds of numbers, times, texts or
IPv4 addresses, row groups whose statistics leave no room between them are read in part: log status and what the filter reads. So all records are
counted, and a row group of which one passes even so is read whole: statistics that are wrong, cut, deprecated or missing change no result.
`trust_statistics=True` (`--trust-statistics`) believes them and reads the log status alone, and `start` if a time was asked for. Queries that share a scan (`collect_all`) read
every row group whole. The page index is not used; pyarrow does not give it.

**Parquet** and **Arrow IPC** (files, streams, Feather; lz4 and zstd) are found by content and read by pyarrow, a batch at a time and only
the columns that a query names, through the same engine; C++ programs make any Arrow stream a source with `Source::Arrow`. Text and tables may be
mixed in one scan, and whatever works for text works for tables: several threads, `batches()`, sessions, coverage,
places of rejects. Columns may be integers, floats and decimals of any width, dates and timestamps of any unit and zone
(without one they are UTC), texts and binary of any layout, and dictionaries of those; their values are spelt as in CSV: NaN is null,
`22.0` is 22, an account id of an integer column has its 12 digits. A column of another type (boolean, list, struct, ...) that a query reads is an
error that names both. The columns tell whether rows are flow records: an address or an interface, with times, counts, an action or a log status;
of two columns of one field AWS's own name wins, with a warning. A table without them and with a column `message` (`@message`, `_raw`, `log`, ...)
of texts has a log line or an event in each row, as has a series of texts.

Tables from outside are checked, batch by batch, before a value is read: offsets, lengths, dictionaries, string views. A damaged table is an error
that names it; what was read before it, and all others, stay in the result.

Names of fields in JSON, CSV and Arrow may be AWS's with any separators and in any case (`srcAddr`, `pkt_srcaddr`, `logStatus`), or those of
Athena's old table (`sourceaddress`, `numbytes`, `starttime`, ...). Columns of Logs Insights' own (`@timestamp`, `@ptr`) are left out; with
`@message` that column is the record. Other names become text fields. Of two columns of one field the one with AWS's own name is taken, the other
is kept as text, with a warning. In tables of Log Analytics `TrafficType` is the field `type` and `TimeGenerated` stands in for `start`.

What is no flow log by its names is no record: one needs an address or an interface, with `start`, `end`, `packets`, `bytes`, `action` or
`log-status`, or both addresses. The reject says what the document seems to be: a CloudTrail event, a GuardDuty finding, a bill, ...

Values of JSON and CSV may be spelt as other tools do: `22.0` and `4.2e4`; `NaN`, `null`, `None`, `N/A` or nothing for null (in texts of users only
nothing, `NaN` and `null`); times of ISO 8601 in every common form, with an offset or UTC, `11/29/2025, 7:06:40.000 AM` and
`Nov 29, 2025 @ 07:06:40.000`; `TCP`; account ids without their leading zeros; `accept`. A number that a spreadsheet rounded (`1.23457E+11`) is a
reject. Texts come out as they went in, with blanks and control bytes.

**JSON** finds records in documents alone, by line, glued together, in an array and over many lines, with members in any order:

| from | what is read |
| --- | --- |
| CloudWatch Logs | `events` of get-log-events and filter-log-events, events as NDJSON; subscription documents, plain, gzip, base64, in Lambda's `awslogs`; `extractedFields`, where there is no message. A `CONTROL_MESSAGE` holds no record and is no reject |
| Logs Insights | `results` of get-query-results, or its rows alone (`[{{"field", "value"}}, ...]`); exports of the console |
| Kinesis, Firehose | `Records` of get-records and of Lambda events; bodies of HTTP endpoints; events and responses of transformations; `{{"message": ...}}`. Data is base64, once or twice, of gzip, zlib or nothing, of JSON or lines |
| SQS, SNS, EventBridge | `Body`, `body`, `Message`; `detail` that is a record or holds events |
| Athena | get-query-results; the first row of the first page is its header |
| OpenSearch, Elastic | `_search` answers (`_source`, `fields`), dumps, bulk files; `message`, `event.original`, `body`, or the fields of ECS with `aws.vpcflow`, nested or dotted |
| Splunk | events for the HTTP Event Collector (`event` as text or object, `fields`); exports of searches (`_raw`), also json_rows |
| Loki, Graylog, Datadog, Wazuh, Sumo Logic | query and push API, `logcli`; GELF and searches; archives and both APIs; alerts (`data.aws`, `full_log`); searches |
| OpenTelemetry | OTLP: `body`, or attributes, by AWS's names or by its conventions |
| Fluent Bit, Vector, Google Cloud Logging | `log`, `message`, `textPayload`, `jsonPayload` |
| tables | Log Analytics' `tables`, pandas' `split`: names of columns beside rows |
| objects | whose members are fields, whatever else they have |
| OCSF | class 4001 as AWS writes it (1.0.0-rc.2, 1.1, 1.5), as JSON and as Parquet of nested columns: `unmapped` as object or map, times as RFC 3339 with `T` or a blank, or numbers from seconds to nanoseconds. A value that cannot be read is a reject that names its field |

A document of another kind is one reject, `no-record`; of a known array (`Records`, `events`, `results`) each entry is one. JSON that is one document over many lines may have any size:
its entries (of the array that it is, or of `events`, `logEvents`, `Records`, `records`, `results`, `resourceLogs`, `hits` and Loki's `result`) are read one by one. A malformed
entry costs no other, in a document over many lines, in one of a line, and glued. Messages and objects may take turns: each have the format that their own
header gives, or that messages are found to have; messages of no known format among objects are rejects, and a warning says so.
An entry, and what a document holds beside them, has 8 MiB at most; a line of one that has its documents by line 16 MiB.

**Lines behind a time** (`cloudwatch-export`): ISO 8601 with T, blank or tab, with or without fraction and zone, in brackets or not, or syslog's. Behind it
up to eight words are passed over until a known format fits; for another format (`format=`) those up to the name of a log stream (`eni-...-all`).
Of cells between tabs the record is the one of the most words: `aws logs filter-log-events`, `get-log-events` and `get-query-results` with `--output text`.

**Tables** (`csv`): commas, semicolons or tabs, by the first row; `sep=;` before it. A column holds records if its first value is one of a known format or
JSON, or by its name (`@message`, `_raw`, `message`, `event.original`, `Message`, `log`, `textPayload`, `body`, `event`, `RawData`), unless the
columns beside it make a record and its value is no line of one. Without a header the record is the value of several words beside a time.

**Base64** (`subscription`, and `data` of events in JSON): of JSON or of lines, packed by gzip, zstd, zlib or deflate or not, base64 again, in the alphabet of URLs
too, up to eight layers deep and 64 MiB a blob; one blob a line, or one over lines of 64 or 76 characters. `max_output_bytes` holds for all blobs of a source together.

**Places.** Rejects of containers give the line of the container in which their entry begins, and the excerpt.

**Refused by name, with advice**, whatever bytes follow and whichever container or format is asked for: zip (also empty, and Excel workbooks), tar (also in gzip), xz,
lzma, bzip2, 7z, RAR, lz4, snappy, compress, lzip, lzop; ORC, Avro, Parquet and Arrow IPC where no Arrow library reads them, HDF5, SQLite, SequenceFiles; pcap and
pcapng, evtx; UTF-16 and UTF-32 with and without byte order mark; PDF, HTML, XML, images, programs; other binary data. Not flow logs, and said so: anything whose lines
fit no format.

## Logs as they lie in S3

`scan(folder, start=, end=, account=, region=)` (command line: `--start`, ...; C++: `SelectObjects`) opens only what can match, by what paths tell:

| layout | account | region | time | allowed before and after |
| --- | --- | --- | --- | --- |
| AWS's file names, `AWSLogs/.../vpcflowlogs/<region>/YYYY/MM/DD/[HH/]`, `aws-account-id=/aws-service=/aws-region=/year=/month=/day=/[hour=/]` | yes | yes | 5 minutes, hour, day | 21 minutes, 0: a record starts up to 10 minutes before the end that its object is named after, and is delivered up to 11 minutes late |
| Security Lake: `region=/accountId=/eventDay=YYYYMMDD` | yes | yes | day | 48 hours, 24 hours |
| Glue, Spark, Athena: `account=`, `account_id=`, `accountid=`, `region=`, `year=/month=/day=/hour=`, `date=` or `dt=YYYY-MM-DD` | yes | yes | hour, day, month, year | 48 hours, 24 hours: a job may go by start, end or its own time, in any time zone |
| Firehose: `YYYY/MM/DD/HH/` | no | no | hour | 48 hours, 24 hours: it goes by the arrival of the first record in the object, up to a day late after failures, in UTC or the time zone of the stream |
| CloudWatch exports | no | no | no | |

Keys are read in any case, with `-`, `_` or neither. What a path does not tell never leaves an object out. `start` and `end` also filter the records.

**Folders.** Files ending in `.log`, `.gz`, `.zst`, `.parquet`, `.ndjson`, `.jsonl`, `.csv` and `.txt` are read; of others (Firehose's objects have no ending,
`.json`, `.out`, ...) the first 4 KiB, unpacked, tell whether they hold records. Left out are objects that AWS's
paths or names give to other services (CloudTrail, Config, elasticloadbalancing, vpcdnsquerylogs, GuardDuty, WAFLogs, ...), and folders behind symbolic links. One line of the report's
warnings says how many of each, and the names of the first; a file that is named, or matched by a pattern, is always read. Folders that cannot be
read are reported in the same way. Hidden files, manifests and checksums are left out, too, and named only where there is no log. A folder without any log is an error that says what is in it.

Files with the same bytes are read once, and the report says so (`duplicates="all"` reads them all). Only files of the same size and the same first bytes are
compared, by a digest and then byte by byte.

## What a format can answer

`vpcflow capabilities FORMAT|PATH` says it for yours, with the reasons and the fields to add; `vpcflow capabilities --recommend port_scan,cost` prints the format to ask AWS for.

{capabilities}
"""


def fields_page() -> str:
    """The page with every field, filter and aggregate fact that the code knows."""
    rows = [
        f"| `{f['name']}` | {f['version']} | {f['delivered_in']} | {f['type']} | {f['unit']} | {'' if f['nullable'] else 'yes'} | {f['meaning']} |"
        for f in vf.fields()
    ]
    reasons = [f"| `{name}` | {meaning} |" for name, meaning in vf.reject_reasons().items()]
    return "\n".join(
        [
            "# Fields",
            "",
            "Made by `tools/generate_docs.py` from the catalogue in `include/vpcflow/format/catalogue.h`; do not edit.",
            "",
            "Python columns and C++ getters have `_` for `-`. `-` in a log is null in every field; *always set* is what AWS promises.",
            "",
            "| field | version | delivered in | type | unit | always set | meaning |",
            "| --- | --- | --- | --- | --- | --- | --- |",
            *rows,
            "",
            "# Why a line is rejected",
            "",
            "| reason | meaning |",
            "| --- | --- |",
            *reasons,
            "",
        ]
    )


def formats_page() -> str:
    """The page about formats and containers, with its tables from the code."""
    containers = "\n".join(f"| `{name}` | {meaning} |" for name, meaning in vf.containers().items())
    formats = ["default", "v3", "v5", "v8", "v11", "tgw"]
    verdicts = {f: {c["analysis"]: c["verdict"] for c in vf.capabilities(f)} for f in formats}
    lines = ["| analysis | " + " | ".join(formats) + " |", "| --- " * (len(formats) + 1) + "|"]
    for c in vf.capabilities("default"):
        name = c["analysis"]
        lines.append(f"| `{name}`: {c['meaning']} | " + " | ".join(verdicts[f][name] for f in formats) + " |")
    return FORMATS.format(containers=containers, capabilities="\n".join(lines))


def typing_module() -> str:
    """vpcflow/typing.py with the aliases of what users choose from."""
    names = _core.names()
    lines = []
    for alias, meaning in ALIASES.items():
        items = [f'"{name}"' for name in names[alias]]
        literal = f"{alias} = Literal[{', '.join(items)}]"
        if len(literal) > 120:
            literal = "\n".join([f"{alias} = Literal[", *(f"    {item}," for item in items), "]"])
        lines += [f"#: {meaning}", literal]
    before, rest = TYPING.read_text().split(BEGIN)
    return before + BEGIN + "\n".join(lines) + "\n" + END + rest.split(END)[1]


def pages() -> dict[Path, str]:
    """All that is made, by its path."""
    detection = DOCS / "detection.md"
    return {
        DOCS / "fields.md": fields_page(),
        DOCS / "formats.md": formats_page(),
        detection: detector_pages.detection_page(detection.read_text()),
        ROOT / "python" / "vpcflow" / "detect" / "settings.py": detector_pages.settings_module(),
        TYPING: typing_module(),
        **shell_pages.pages(),
    }


if __name__ == "__main__":
    for path, text in pages().items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)

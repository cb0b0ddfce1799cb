"""Tables of Athena over flow logs, with partitions that nobody has to add."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence

from ... import _core
from ..._hints import hint
from ...errors import ArgumentError, FormatError
from .url import S3Url

LAYOUTS = ("daily", "hourly", "hive", "hive-hourly")
_TABLE = re.compile(r"[a-z_][a-z0-9_]{0,127}")
_TYPES = {"int32": "int", "uint16": "int", "uint8": "int", "int64": "bigint", "time": "bigint"}
_FIRST = "2015"  # the year of the first flow logs


@dataclasses.dataclass(frozen=True)
class Place:
    """Where logs lie: ``location`` up to and with ``AWSLogs/``, and one of :data:`LAYOUTS`."""

    location: str
    layout: str

    @classmethod
    def of(cls, url: str) -> Place | None:
        """Returns the place of an object by its URL; ``None`` if AWS did not name it.

        >>> key = "AWSLogs/123456789010/vpcflowlogs/us-east-1/2026/11/23/06/a.log.gz"
        >>> Place.of(f"s3://logs/{key}")
        Place(location='s3://logs/AWSLogs/', layout='hourly')
        """
        plain = re.match(r"(.*?AWSLogs/)[0-9]{12}/vpcflowlogs/[a-z0-9-]+/[0-9]{4}/[0-9]{2}/[0-9]{2}/([0-9]{2}/)?", url)
        if plain:
            return cls(plain[1], "hourly" if plain[2] else "daily")
        hive = re.match(r"(.*?AWSLogs/)aws-account-id=[0-9]{12}/aws-service=vpcflowlogs/.*?/day=[0-9]{2}/(hour=)?", url)
        return cls(hive[1], "hive-hourly" if hive[2] else "hive") if hive else None


def ddl(
    format: str, place: Place, *, accounts: Sequence[str], regions: Sequence[str], parquet: bool = False,
    table: str = "vpc_flow_logs",
) -> str:  # fmt: skip
    """Returns the statement that makes a table over logs of a format.

    Partitions come by projection, of ``accounts`` and ``regions``. A query that names none of them reads
    everything. Raises :class:`~vpcflow.VpcflowError` for what makes no table.

    >>> made = ddl("default", Place("s3://logs/AWSLogs/", "daily"), accounts=["123456789010"], regions=["us-east-1"])
    >>> made.splitlines()[0]
    'CREATE EXTERNAL TABLE IF NOT EXISTS `vpc_flow_logs` ('
    """
    _check(place, accounts, regions, table)
    partitions, template = _partitions(place, accounts, regions)
    properties = {"projection.enabled": "true"}
    for name, kind in partitions.items():
        properties.update({f"projection.{name}.{key}": value for key, value in kind.items()})
    properties["storage.location.template"] = template
    if parquet:
        rows = ["STORED AS PARQUET"]
    else:
        rows = ["ROW FORMAT DELIMITED FIELDS TERMINATED BY ' '", "STORED AS TEXTFILE"]
        properties = {"skip.header.line.count": "1", **properties}
    columns = ",\n".join(f"  `{name}` {kind}" for name, kind in _columns(format))
    keys = ", ".join(
        f"`{name}` string" if "digits" not in kind else f"`{name}` int" for name, kind in partitions.items()
    )
    shown = ",\n".join(f"  {_quoted(name)} = {_quoted(value)}" for name, value in properties.items())
    return "\n".join([
        f"CREATE EXTERNAL TABLE IF NOT EXISTS `{table}` (", columns, ")", f"PARTITIONED BY ({keys})", *rows,
        f"LOCATION {_quoted(place.location)}", "TBLPROPERTIES (", shown, ");",
    ]) + "\n"  # fmt: skip


def _columns(format: str) -> list[tuple[str, str]]:
    """Names and types as AWS writes them: text by the order of the format, Parquet by the names."""
    types = {field["name"]: _TYPES.get(field["type"], "string") for field in _core.fields()}
    names = [name for name, _ in _core.parse_format(format)]
    if len(set(names)) < len(names):
        raise FormatError("a field is twice in the format; Athena needs a name for each column")
    return [(name.replace("-", "_"), types.get(name, "string")) for name in names]


def _partitions(place: Place, accounts: Sequence[str], regions: Sequence[str]) -> tuple[dict[str, dict[str, str]], str]:
    """Returns how each partition is found, and the template of the folders. Their names are those of no field."""
    kinds = {
        "log_account": {"type": "enum", "values": ",".join(accounts)},
        "log_region": {"type": "enum", "values": ",".join(regions)},
    }
    hourly = place.layout.endswith("hourly")
    if place.layout.startswith("hive"):
        spans = {"log_year": f"{_FIRST},2100", "log_month": "1,12", "log_day": "1,31"}
        spans.update({"log_hour": "0,23"} if hourly else {})
        for name, span in spans.items():
            kinds[name] = {"type": "integer", "range": span, "digits": "4" if name == "log_year" else "2"}
        folders = "".join(f"{name[4:]}=${{{name}}}/" for name in spans)
        own = "aws-account-id=${log_account}/aws-service=vpcflowlogs/aws-region=${log_region}/"
        return kinds, f"{place.location}{own}{folders}"
    kinds["log_time"] = {
        "type": "date", "format": "yyyy/MM/dd/HH" if hourly else "yyyy/MM/dd",
        "range": f"{_FIRST}/01/01/00,NOW" if hourly else f"{_FIRST}/01/01,NOW",
        "interval": "1", "interval.unit": "HOURS" if hourly else "DAYS",
    }  # fmt: skip
    return kinds, f"{place.location}${{log_account}}/vpcflowlogs/${{log_region}}/${{log_time}}/"


def _check(place: Place, accounts: Sequence[str], regions: Sequence[str], table: str) -> None:
    S3Url.of(place.location)
    if place.layout not in LAYOUTS:
        raise ArgumentError(f"layout={place.layout!r}: {hint(place.layout, LAYOUTS)}")
    if not _TABLE.fullmatch(table):
        raise ArgumentError(f"table={table!r}: small letters, digits and _ are allowed")
    wrong = [name for name in accounts if not re.fullmatch("[0-9]{12}", name)]
    wrong += [name for name in regions if not re.fullmatch("[a-z]{2}(-[a-z]+)+-[0-9]+", name)]
    if wrong:
        raise ArgumentError(f"{wrong[0]!r}: neither an account of 12 digits nor a region such as us-east-1")
    if not accounts or not regions:
        raise ArgumentError("athena: partitions need the accounts and regions; give --account and --region")


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"

"""Lists of known bad addresses, as others give them out."""

from __future__ import annotations

import csv
import datetime
import ipaddress
import json
import os
import re
from collections.abc import Iterator, Sequence
from typing import Any

from .._hints import hint
from ..errors import PlanError
from ..query.arguments import each

# Columns of CSV that hold addresses, the first that is there.
_COLUMNS = ("indicator", "ip", "ip_address", "ipaddress", "address", "dst_ip", "src_ip", "ioc", "value")
# Of STIX patterns: an address, or an end of traffic, and what it is compared with.
_PATTERN = re.compile(
    r"(?:ipv[46]-addr:value|network-traffic:(?:src|dst)_ref\.value)\s*(?:=|ISSUBSET|IN)\s*(\([^)]*\)|'[^']*')"
)


def addresses_of(
    bad: Sequence[str] | str, *, column: str | None = None, what: str = "detect: bad"
) -> tuple[list[str], str]:
    """Reads addresses and prefixes, and the day of their list if it is a file: a STIX 2 bundle, an export of MISP as
    JSON or CSV (columns ``type`` and ``value``), CSV with a column of addresses (``column``, or one named ``ip``,
    ``address``, ``indicator``, ...), or one at the beginning of each line. :class:`~vpcflow.PlanError`, which names
    ``what`` was asked, for a file that is none of these; whether they are addresses is not checked.

    >>> addresses_of(["198.51.100.7"])
    (['198.51.100.7'], '')
    """
    if isinstance(bad, str):
        return _read(bad, column, what)
    bad = each(bad, str, "bad", "detect(flows, bad=['198.51.100.7'])")
    return _read(bad[0], column, what) if len(bad) == 1 and not _is_prefix(bad[0]) else (list(bad), "")


def _is_prefix(text: str) -> bool:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return True


def day_of(path: str) -> str:
    """Returns the day of a file's last change, in UTC."""
    changed = os.stat(path).st_mtime
    return datetime.datetime.fromtimestamp(changed, datetime.timezone.utc).date().isoformat()


def _read(path: str, column: str | None, what: str) -> tuple[list[str], str]:
    try:
        with open(path, encoding="utf-8-sig") as file:
            text = file.read()
        day = day_of(path)
        if path.endswith(".json") or text.lstrip()[:1] in ("{", "["):
            document = json.loads(text)
            objects = document.get("objects") if isinstance(document, dict) else None
            plain = [one for one in document if isinstance(one, str)] if isinstance(document, list) else []
            found = plain or list(_of_misp(document) if objects is None else _of_stix(objects))
            if objects is None and not found:
                raise PlanError("no address in it; expected a STIX bundle, an export of MISP or an array of addresses")
        else:
            found = _of_lines([line for line in text.splitlines() if line.strip() and not line.startswith("#")], column)
    except PlanError as e:
        raise PlanError(f"{what}={path!r}: {e}") from None
    except OSError as e:
        raise PlanError(f"{what}={path!r}: {e.strerror or e}") from None
    except (ValueError, AttributeError, TypeError, csv.Error, RecursionError) as e:
        raise PlanError(f"{what}={path!r}: {e}") from None
    return list(dict.fromkeys(found)), day


def _of_stix(objects: Any) -> Iterator[str]:
    for one in objects:
        if one.get("type") == "indicator":
            for compared in _PATTERN.findall(str(one.get("pattern", ""))):
                yield from re.findall(r"'([^']+)'", compared)


def _of_misp(part: Any) -> Iterator[str]:
    """Yields the addresses of attributes, in events, objects and answers, wherever they stand."""
    if isinstance(part, list):
        for one in part:
            yield from _of_misp(one)
    elif isinstance(part, dict):
        if str(part.get("type", "")).startswith("ip-") and "value" in part:
            yield str(part["value"]).split("|")[0]
        for one in part.values():
            if isinstance(one, (dict, list)):
                yield from _of_misp(one)


def _of_lines(lines: list[str], column: str | None) -> list[str]:
    columns = next(csv.reader(lines[:1]), [])
    if column is None and "type" in columns and "value" in columns:
        rows = csv.DictReader(lines)
        return [row["value"].split("|")[0] for row in rows if (row["type"] or "").startswith("ip-")]
    named = {name.strip().lower(): name for name in columns}
    if column is not None and column.lower() not in named:
        raise PlanError(f"no column {column!r}; {hint(column, columns)}")
    own = column.lower() if column is not None else next((name for name in _COLUMNS if name in named), None)
    if own is not None:
        return [value for row in csv.DictReader(lines) if (value := (row[named[own]] or "").strip())]
    words = [line.split("#")[0].replace(",", " ").split() for line in lines]
    return [parts[0].strip('"') for parts in words if parts]

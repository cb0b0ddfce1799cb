"""Lists of known bad addresses, as others give them out."""

from __future__ import annotations

import datetime
import ipaddress
import os
from collections.abc import Sequence

from ..errors import PlanError
from ..query.arguments import each


def addresses_of(bad: Sequence[str] | str) -> tuple[list[str], str]:
    """Reads addresses and prefixes, and the day of their list if it is a file: a STIX 2 bundle (``.json``), MISP's CSV
    (columns ``type`` and ``value``), or one at the beginning of each line. :class:`~vpcflow.PlanError` for a file that
    is none of these; whether they are addresses is not checked.

    >>> addresses_of(["198.51.100.7"])
    (['198.51.100.7'], '')
    """
    if isinstance(bad, str):
        return _read(bad)
    bad = each(bad, str, "bad", "detect(flows, bad=['198.51.100.7'])")
    return _read(bad[0]) if len(bad) == 1 and not _is_prefix(bad[0]) else (list(bad), "")


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


def _read(path: str) -> tuple[list[str], str]:
    import csv
    import json
    import re

    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
        day = day_of(path)
        if path.endswith(".json"):
            objects = json.loads(text).get("objects", [])
            patterns = " ".join(str(o.get("pattern", "")) for o in objects if o.get("type") == "indicator")
            found = re.findall(r"ipv[46]-addr:value\s*=\s*'([^']+)'", patterns)
        else:
            lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
            columns = next(csv.reader(lines[:1]), [])
            if "type" in columns and "value" in columns:
                rows = csv.DictReader(lines)
                found = [row["value"].split("|")[0] for row in rows if (row["type"] or "").startswith("ip-")]
            else:
                words = [line.split("#")[0].replace(",", " ").split() for line in lines]
                found = [parts[0].strip('"') for parts in words if parts]
    except (OSError, ValueError, AttributeError, csv.Error, RecursionError) as e:
        raise PlanError(f"detect: bad={path!r}: {e}") from None
    return list(dict.fromkeys(found)), day

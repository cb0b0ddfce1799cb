"""Retention: how long logs are kept and where, as documents for S3, CloudWatch Logs and Terraform; legal holds."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Mapping, Sequence
from typing import Any, Callable

from .. import _core
from .._hints import hint
from .._units import seconds, unix_seconds
from ..errors import PlanError, RuleError, VpcflowError
from ..io.aws.session import Connection
from ..io.aws.words import in_words
from ..rules.files import content_of, with_known_keys
from .lake import Lake

DAY = 86400
#: Days that CloudWatch Logs takes for a log group.
CLOUDWATCH_DAYS = (
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
)  # fmt: skip
#: Storage classes with the days that an object is paid for at least.
CLASSES = {"STANDARD_IA": 30, "ONEZONE_IA": 30, "GLACIER_IR": 90, "GLACIER": 90, "DEEP_ARCHIVE": 180}
_OWN = "vpcflow-"  # what the ids of our lifecycle rules begin with
_LEAST_IA = 30  # days before S3 moves an object to an infrequent access class
_SMALL = "objects below 128 KB are not moved, and each move costs a request: compact before"
_SLOW = ("GLACIER", "DEEP_ARCHIVE")


@dataclasses.dataclass(frozen=True)
class Tier:
    """Objects below a prefix of the bucket: after how long they go, and where they lie until then."""

    name: str
    prefix: str = ""
    keep: str = ""
    #: Storage classes by age: ``{"30d": "STANDARD_IA"}``.
    move: Mapping[str, str] = dataclasses.field(default_factory=dict)

    @property
    def days(self) -> int | None:
        """Returns after how many days they go; ``None``: never."""
        return _days(self.keep) if self.keep else None


@dataclasses.dataclass(frozen=True)
class LogGroup:
    """A log group of CloudWatch Logs, and how long it keeps events."""

    name: str
    keep: str = ""

    @property
    def days(self) -> int | None:
        """Returns the least number of days that CloudWatch Logs takes and that is long enough; ``None``: for ever."""
        wanted = _days(self.keep) if self.keep else None
        return None if wanted is None else next((days for days in CLOUDWATCH_DAYS if days >= wanted), None)


@dataclasses.dataclass(frozen=True)
class Hold:
    """A legal hold: what must not be deleted, until somebody takes the hold away. ``prefix`` of objects and ``group``
    of CloudWatch Logs, ``start`` and ``end`` of records; what is empty is all."""

    name: str
    owner: str
    prefix: str = ""
    group: str = ""
    start: str = ""
    end: str = ""

    def covers(self, key: str, begin: int | None, end: int | None) -> bool:
        """Returns whether an object is, or may be, under the hold: one whose times are not known may be."""
        if self.group or not key.startswith(self.prefix):
            return False
        first, last = instant_of("start", self.start), instant_of("end", self.end)
        early = end is not None and first is not None and end <= first
        return not early and not (begin is not None and last is not None and begin >= last)


@dataclasses.dataclass(frozen=True)
class Retention:
    """A policy of retention, of :func:`load_retention`."""

    bucket: str
    tiers: Sequence[Tier]
    log_groups: Sequence[LogGroup]
    holds: Sequence[Hold]

    def notes(self) -> list[str]:
        """Returns what the policy does other than one may expect."""
        out = []
        for tier in self.tiers:
            for hold in self.holds_of(tier):
                if tier.days is not None:
                    out.append(f"{tier.name}: does not expire in S3 while hold {hold.name} of {hold.owner} lasts")
            for kind in tier.move.values():
                if kind in _SLOW:
                    out.append(f"{tier.name}: {kind} needs a restore of hours before it can be read")
            if tier.move:
                out.append(f"{tier.name}: {_SMALL}")
        for group in self.log_groups:
            if self.holds_of_group(group):
                out.append(f"{group.name}: keeps events for ever while a hold lasts")
            elif group.days is not None and group.days != _days(group.keep):
                out.append(f"{group.name}: {group.days} days, the next that CloudWatch Logs takes")
        return out

    def holds_of(self, tier: Tier) -> list[Hold]:
        """Returns the holds of what lies below the prefix of a tier: a lifecycle rule knows no exception."""
        found = [hold for hold in self.holds if not hold.group]
        return [h for h in found if h.prefix.startswith(tier.prefix) or tier.prefix.startswith(h.prefix)]

    def holds_of_group(self, group: LogGroup) -> list[Hold]:
        """Returns the holds of a log group, and those of everything."""
        return [hold for hold in self.holds if hold.group == group.name or not (hold.group or hold.prefix)]


def instant_of(name: str, text: str | None) -> int | None:
    """Returns the Unix seconds of a time as :func:`vpcflow.scan` takes it, or of digits; ``None`` for no text."""
    if text and text.isascii() and text.isdigit():
        return int(text)
    return unix_seconds(name, text or None)


def _days(text: str) -> int:
    length = seconds(text, "keep")
    if length % DAY:
        raise PlanError(f"{text!r}: whole days are needed, as 90d")
    return length // DAY


def load_retention(path: str | os.PathLike[str]) -> Retention:
    """Loads a policy of a YAML or JSON file: ``bucket``, ``tiers``, ``log_groups``, ``holds``. Raises
    :class:`~vpcflow.RuleError` for what is wrong where."""
    name = os.fspath(path)
    data = content_of(path)
    if not isinstance(data, dict):
        raise RuleError(f"{name}: expected a mapping of bucket, tiers, log_groups and holds")
    known = ("bucket", "tiers", "log_groups", "holds")
    for key in data:
        if key not in known:
            raise RuleError(f"{name}: no key {key!r}; {hint(str(key), known)}")
    parts: dict[str, list[Any]] = {}
    for key, kind, needed in (
        ("tiers", Tier, ("name",)), ("log_groups", LogGroup, ("name",)), ("holds", Hold, ("name", "owner")),
    ):  # fmt: skip
        if not isinstance(data.get(key) or [], list):
            raise RuleError(f"{name}: {key}: expected a list")
        parts[key] = [_item(item, kind, needed, f"{name}: {key} {i + 1}") for i, item in enumerate(data.get(key) or [])]
        names = [item.name for item in parts[key]]
        if len(set(names)) < len(names):
            raise RuleError(f"{name}: {key}: two have the same name")
    if parts["tiers"] and not data.get("bucket"):
        raise RuleError(f"{name}: tiers need the bucket that they are of")
    return Retention(str(data.get("bucket") or ""), parts["tiers"], parts["log_groups"], parts["holds"])


def _item(item: Any, kind: type, needed: Sequence[str], place: str) -> Any:
    values = with_known_keys(item, kind, place)
    for key in needed:
        if not values.get(key):
            raise RuleError(f"{place}: {key} is needed")
    made = kind(**{key: value if key == "move" else str(value) for key, value in values.items()})
    try:
        _ = (instant_of("start", made.start), instant_of("end", made.end)) if isinstance(made, Hold) else made.days
        if isinstance(made, Tier):
            _check_moves(made)
    except VpcflowError as error:
        raise RuleError(f"{place}: {error}") from None
    return made


def _check_moves(tier: Tier) -> None:
    if not isinstance(tier.move, dict):
        raise PlanError("move: expected ages with storage classes, as {30d: STANDARD_IA}")
    last = 0
    for age, kind in tier.move.items():
        if kind not in CLASSES:
            raise PlanError(f"move: {kind!r}; {hint(str(kind), list(CLASSES))}")
        days = _days(str(age))
        if kind.endswith("_IA") and days < _LEAST_IA:
            raise PlanError(f"move: {kind} after {days} days; S3 moves there from {_LEAST_IA} days on")
        if days <= last:
            raise PlanError("move: the ages grow from move to move")
        last = days
    if last and tier.days is not None and tier.days <= last:
        raise PlanError(f"keep: {tier.keep}: goes before its last move after {last} days")


# -- documents ----------------------------------------------------------------------------------------------------


def lifecycle(policy: Retention) -> dict[str, Any]:
    """Returns the lifecycle configuration of the bucket, as ``put-bucket-lifecycle-configuration`` takes it. A tier of
    which anything is under a hold does not expire."""
    rules = []
    for tier in policy.tiers:
        rule: dict[str, Any] = {"ID": f"{_OWN}{tier.name}", "Status": "Enabled", "Filter": {"Prefix": tier.prefix}}
        if tier.move:
            rule["Transitions"] = [
                {"Days": _days(str(age)), "StorageClass": kind} for age, kind in tier.move.items()
            ]  # fmt: skip
        if tier.days is not None and not policy.holds_of(tier):
            rule["Expiration"] = {"Days": tier.days}
        if len(rule) > 3:
            rules.append(rule)
    return {"Rules": rules}


def cloudwatch(policy: Retention) -> list[dict[str, Any]]:
    """Returns the calls of ``put-retention-policy``; of a group that keeps for ever ``delete-retention-policy``."""
    out: list[dict[str, Any]] = []
    for group in policy.log_groups:
        days = None if policy.holds_of_group(group) else group.days
        call = "delete-retention-policy" if days is None else "put-retention-policy"
        out.append({
            "call": call, "logGroupName": group.name, **({} if days is None else {"retentionInDays": days}),
        })  # fmt: skip
    return out


def terraform(policy: Retention) -> dict[str, Any]:
    """Returns resources of Terraform's AWS provider, in its JSON syntax (``retention.tf.json``)."""
    resources: dict[str, Any] = {}
    rules = [
        {
            "id": rule["ID"], "status": rule["Status"], "filter": {"prefix": rule["Filter"]["Prefix"]},
            **({"transition": [
                {"days": one["Days"], "storage_class": one["StorageClass"]} for one in rule["Transitions"]
            ]} if "Transitions" in rule else {}),
            **({"expiration": {"days": rule["Expiration"]["Days"]}} if "Expiration" in rule else {}),
        }
        for rule in lifecycle(policy)["Rules"]
    ]  # fmt: skip
    if rules:
        resources["aws_s3_bucket_lifecycle_configuration"] = {"vpcflow": {"bucket": policy.bucket, "rule": rules}}
    groups = {
        f"vpcflow_{number}": {"name": one["logGroupName"], "retention_in_days": one.get("retentionInDays", 0)}
        for number, one in enumerate(cloudwatch(policy))
    }
    if groups:
        resources["aws_cloudwatch_log_group"] = groups
    return {"resource": resources}


#: Documents by name.
DOCUMENTS: Mapping[str, Callable[[Retention], Any]] = {
    "lifecycle": lifecycle, "cloudwatch": cloudwatch, "terraform": terraform,
}  # fmt: skip


# -- applying -----------------------------------------------------------------------------------------------------


def apply(policy: Retention, connection: Connection) -> list[str]:
    """Puts the policy in place, and returns what was done, a line each. Rules of the bucket that others made stay.

    Raises :class:`~vpcflow.SourceError` with the words of AWS for what it refuses.
    """
    done = []
    rules = lifecycle(policy)["Rules"]
    if policy.bucket:
        client = connection.client("s3")
        with in_words(policy.bucket):
            kept = [rule for rule in _rules_of(client, policy.bucket) if not rule.get("ID", "").startswith(_OWN)]
            if kept or rules:
                client.put_bucket_lifecycle_configuration(
                    Bucket=policy.bucket, LifecycleConfiguration={"Rules": [*kept, *rules]}
                )
            else:
                client.delete_bucket_lifecycle(Bucket=policy.bucket)
        done.append(f"{policy.bucket}: {len(rules)} lifecycle rules, {len(kept)} of others stay")
    for call in cloudwatch(policy):
        client = connection.client("logs")
        group = call["logGroupName"]
        with in_words(group):
            if "retentionInDays" in call:
                client.put_retention_policy(logGroupName=group, retentionInDays=call["retentionInDays"])
                done.append(f"{group}: {call['retentionInDays']} days")
            else:
                client.delete_retention_policy(logGroupName=group)
                done.append(f"{group}: for ever")
    return done


def _rules_of(client: Any, bucket: str) -> list[dict[str, Any]]:
    try:
        found: list[dict[str, Any]] = client.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    except Exception as error:
        code = getattr(error, "response", {}).get("Error", {}).get("Code")
        if code != "NoSuchLifecycleConfiguration":
            raise
        return []
    return found


# -- deletions ----------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Due:
    """An object that is older than its tier keeps it: ``delete``, or ``hold`` with the name of the hold."""

    object: str
    tier: str
    days: int
    verdict: str
    hold: str | None = None


def due(policy: Retention, folder: str | os.PathLike[str], now: int) -> list[Due]:
    """Returns the objects of a folder that are older at ``now`` (Unix seconds) than their tier keeps them, with those
    that a hold keeps. The tier is the one with the longest prefix. Ages are of the last record by the manifest of
    :func:`vpcflow.volume.compact`, else of what the object's path tells; one that tells nothing is never due."""
    lake = Lake(folder)
    told = {
        row["path"]: (row["min_start"], row["max_end"])
        for rows in lake.runs().values() for row in rows if row["kind"] == "object"
    }  # fmt: skip
    out = []
    for base, folders, names in os.walk(lake.folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            key = os.path.relpath(os.path.join(base, name), lake.folder)
            begin, end = told.get(key) or _by_path(key)
            tier = max(
                (t for t in policy.tiers if key.startswith(t.prefix)), key=lambda t: len(t.prefix), default=None
            )
            if tier is None or tier.days is None or end is None or now - end < tier.days * DAY:
                continue
            hold = next((h.name for h in policy.holds if h.covers(key, begin, end)), None)
            out.append(Due(key, tier.name, (now - end) // DAY, "hold" if hold else "delete", hold))
    return out


def _by_path(key: str) -> tuple[int | None, int | None]:
    path = _core.Source.data(key, b"").object_path
    return path["begin"], path["end"]


def as_text(document: Any) -> str:
    """Returns a document as it is written."""
    return json.dumps(document, indent=2, sort_keys=False) + "\n"

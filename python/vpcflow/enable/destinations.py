"""Where flow logs are delivered: S3, CloudWatch Logs, Firehose."""

from __future__ import annotations

import dataclasses
import re
from urllib.parse import parse_qsl

from ..errors import PlanError

S3, CLOUDWATCH, FIREHOSE = "s3", "cloud-watch-logs", "kinesis-data-firehose"
FORMS = "s3://BUCKET[/FOLDER], cloudwatch://GROUP[?region=R&account=A], firehose://STREAM[?...], or an ARN of these"


@dataclasses.dataclass(frozen=True, order=True)
class Destination:
    """A place that flow logs are delivered to.

    Two are equal if they are one place, however it was written: ``:*`` behind a log group and slashes around a folder
    are no part of it. Account and region are empty where they are not known.

    >>> destination_of("arn:aws:s3:::flow-logs/vpc/") == destination_of("s3://flow-logs/vpc")
    True
    """

    #: As LogDestinationType has it.
    type: str
    #: The bucket, log group or stream.
    name: str
    #: Of S3, without slashes around it.
    folder: str = ""
    region: str = ""
    account: str = ""

    @property
    def url(self) -> str:
        """The destination as a command takes it."""
        if self.type == S3:
            return f"s3://{self.name}/{self.folder}".rstrip("/")
        return f"{'cloudwatch' if self.type == CLOUDWATCH else 'firehose'}://{self.name}"

    def arn(self, partition: str = "aws") -> str:
        """Returns the ARN; ``*`` stands for a region or an account that is not known."""
        where = f"{self.region or '*'}:{self.account or '*'}"
        if self.type == S3:
            return f"arn:{partition}:s3:::{self.name}" + (f"/{self.folder}/" if self.folder else "")
        if self.type == CLOUDWATCH:
            return f"arn:{partition}:logs:{where}:log-group:{self.name}"
        return f"arn:{partition}:firehose:{where}:deliverystream/{self.name}"

    def is_at(self, other: Destination) -> bool:
        """Tells whether both are one place, as far as account and region are known of both."""

        def agree(one: str, two: str) -> bool:
            return not one or not two or one == two

        same = (self.type, self.name, self.folder) == (other.type, other.name, other.folder)
        return same and agree(self.region, other.region) and agree(self.account, other.account)

    def within(self, account: str, region: str) -> Destination:
        """Returns the destination with this account and region where it has none; S3's have none by design."""
        if self.type == S3:
            return self
        return dataclasses.replace(self, account=self.account or account, region=self.region or region)


def partition_of(region: str) -> str:
    """Returns the partition that a region is of."""
    return "aws-cn" if region.startswith("cn-") else "aws-us-gov" if region.startswith("us-gov-") else "aws"


def destination_of(text: str) -> Destination:
    """Reads a destination, written as a URL or an ARN. Raises :class:`~vpcflow.PlanError`."""
    found = _from_arn(text.strip()) if text.strip().startswith("arn:") else _from_url(text.strip())
    if found is None or not found.name:
        raise PlanError(f"no destination of flow logs: {text!r}; allowed are {FORMS}")
    if found.folder.split("/")[0] == "AWSLogs":
        raise PlanError(
            f"no destination of flow logs: {text!r}; AWS makes the folder AWSLogs itself, below the one that is named: "
            f"write s3://{found.name}"
        )
    return found


def _from_url(text: str) -> Destination | None:
    scheme, separator, rest = text.partition("://")
    if not separator:
        return None
    if scheme.lower() == "s3":
        bucket, _, folder = rest.partition("/")
        return Destination(S3, bucket, folder.strip("/"))
    types = {"cloudwatch": CLOUDWATCH, "logs": CLOUDWATCH, "firehose": FIREHOSE}
    if scheme.lower() not in types:
        return None
    name, _, options = rest.partition("?")
    named = dict(parse_qsl(options))
    if set(named) - {"region", "account"}:
        raise PlanError(f"no destination of flow logs: {text!r}; after ? region= and account= are allowed")
    return Destination(types[scheme.lower()], name, "", named.get("region", ""), named.get("account", ""))


def _from_arn(text: str) -> Destination | None:
    parts = text.split(":", 5)
    if len(parts) < 6:
        return None
    _, _, service, region, account, rest = parts
    if service == "s3":
        bucket, _, folder = rest.partition("/")
        return Destination(S3, bucket, folder.strip("/"))
    if service == "logs" and rest.startswith("log-group:"):
        name = re.sub(r":\*$", "", rest[len("log-group:") :])
        return Destination(CLOUDWATCH, name, "", region, account)
    if service == "firehose" and rest.startswith("deliverystream/"):
        return Destination(FIREHOSE, rest[len("deliverystream/") :], "", region, account)
    return None


def doubts(destination: Destination) -> list[str]:
    """Returns what AWS would refuse of the name, in words; it is not refused here, as its rules may change."""
    allowed = {
        S3: (r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", "names of buckets have 3 to 63 of a-z, 0-9, '.' and '-'"),
        CLOUDWATCH: (r"[A-Za-z0-9_\-/.#]{1,512}", "names of log groups have letters, digits and _ - / . #"),
        FIREHOSE: (r"[A-Za-z0-9_.\-]{1,64}", "names of streams have letters, digits and _ . -"),
    }
    pattern, rule = allowed[destination.type]
    out = [] if re.fullmatch(pattern, destination.name) else [f"AWS will refuse the name {destination.name!r}: {rule}"]
    if destination.folder and not destination.folder.isprintable():
        out.append(f"the folder {destination.folder!r} has characters that cannot be printed")
    return out

"""Keyed tokens of identifying texts, in the shape of what they stand for; words that name nobody stay."""

from __future__ import annotations

import hmac
import re
from collections.abc import Sequence

from ..errors import ProtectionError
from ..formats.catalogue import fields

_INTERFACES = (
    "interface nat_gateway regional_nat_gateway network_load_balancer gateway_load_balancer "
    "gateway_load_balancer_endpoint load_balancer transit_gateway vpc_endpoint lambda quicksight "
    "global_accelerator_managed api_gateway_managed aws_codestar_connections_managed iot_rules_managed branch trunk "
    "efa efa-only"
)
_SERVICES = (
    "amazon amazon_appflow amazon_connect api_gateway aurora_dsql chime_meetings chime_voiceconnector cloud9 "
    "cloudfront cloudfront_origin_facing codebuild dynamodb ebs ec2 ec2_instance_connect globalaccelerator "
    "ivs_low_latency ivs_realtime kinesis_video_streams media_package_v2 route53 route53_healthchecks "
    "route53_healthchecks_publishing route53_resolver s3 workspaces_gateways"
)
_PLACE = r"(us|us-gov|us-iso[a-z]?|af|ap|ca|cn|eu|eu-isoe|eusc|il|me|mx|sa)"
_SIDE = "(central|north|south|east|west|northeast|northwest|southeast|southwest)"
_REGION = rf"{_PLACE}-(de-)?{_SIDE}-[0-9]"
_ZONE = r"(us|ug|af|ap|ca|cn|eu|il|me|mx|sa)[nsewcg]{1,3}[0-9]-([a-z]{3}[0-9]-)?az[0-9]"


def _words(text: str) -> str:
    return "|".join(map(re.escape, text.split()))


#: By field: the values that stay as they are, as an expression, without regard to case. All other texts become tokens,
#: those of a field that AWS adds, too.
KEPT_WORDS = {
    "action": "accept|reject", "log-status": "ok|nodata|skipdata", "type": "ipv4|ipv6|efa",
    "flow-direction": "ingress|egress", "sublocation-type": "wavelength|outpost|localzone",
    "resource-type": "transitgateway", "reject-reason": "bpa|ec|accepted",
    "region": _REGION, "az-id": _ZONE, "tgw-src-az-id": _ZONE, "tgw-dst-az-id": _ZONE, "next-hop-az-id": _ZONE,
    "interface-type": _words(_INTERFACES), "next-hop-interface-type": _words(_INTERFACES),
    "pkt-src-aws-service": _words(_SERVICES), "pkt-dst-aws-service": _words(_SERVICES),
}  # fmt: skip
_RESOURCES = (
    "eni i vpc subnet tgw tgw-attach nat igw eigw vgw vpce pcx fl lgw cagw op sg acl rtb eipalloc eipassoc asg mi"
)
_ID = re.compile(rf"({_words(_RESOURCES)})-([0-9a-z]+)")
_HEX = re.compile("[0-9a-f]{8,}")
_UUID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_ARN = re.compile(
    rf"(?P<head>arn:(aws|aws-cn|aws-us-gov):(ecs|ec2):({_REGION})?):(?P<account>[0-9]{{12}})?:(?P<rest>.+)"
)
_ARN_WORDS = frozenset({"cluster", "container-instance", "service", "task", "task-definition"})
_STAYS = ("unknown", "-", "")
_MOST_SEEN = 1 << 20  # texts whose tokens are remembered


class Tokens:
    """The tokens of a key: HMAC-SHA-256, cut to the shape of the text.

    The same text has the same token wherever it stands, so that what belongs together stays together.
    ``masked``: how many different values of fields of known words were none of them, by field.

    >>> tokens = Tokens(bytes(32))
    >>> tokens.of("account-id", ["123456789012", "unknown"])
    ['766482917437', 'unknown']
    >>> tokens.of("interface-id", ["eni-0abc0abc0abc0abc0"])[0][:4], tokens.of("action", ["REJECT"])
    ('eni-', ['REJECT'])
    """

    def __init__(self, key: bytes) -> None:
        self._key = hmac.digest(key, b"vpcflow anonymise: tokens, 1", "sha256")
        self._seen: dict[str, str] = {}
        self._given: dict[str, str] = {}  # by token, of those short enough to meet
        self._patterns = {name: re.compile(text, re.IGNORECASE) for name, text in KEPT_WORDS.items()}
        self.masked: dict[str, set[str]] = {}

    def of(self, field: str, values: Sequence[str]) -> list[str]:
        """Returns the tokens of values of a field, by AWS's name.

        Raises :class:`~vpcflow.ProtectionError` if two values would get the same token.
        """
        pattern = self._patterns.get(field)
        out = []
        for value in values:
            if value in _STAYS or (pattern is not None and pattern.fullmatch(value)):
                out.append(value)
                continue
            if pattern is not None and len(self.masked.setdefault(field, set())) < _MOST_SEEN:
                self.masked[field].add(value)
            out.append(self._token(value))
        return out

    def _token(self, value: str) -> str:
        token = self._seen.get(value)
        if token is None:
            token = self._shaped(value)
            if self._given.setdefault(token, value) != value:
                raise ProtectionError("tokens: two ids would get the same token under this key; take another key")
            if len(self._seen) >= _MOST_SEEN:
                self._seen.clear()
                self._given.clear()
            self._seen[value] = token
        return token

    def _shaped(self, value: str) -> str:
        digits = self._digits(value)
        if len(value) == 12 and value.isascii() and value.isdigit():
            return f"{int(digits, 16) % 10**12:012}"
        if match := _ID.fullmatch(value):
            return f"{match[1]}-{digits[: len(match[2]) if _HEX.fullmatch(match[2]) else 17]}"
        if _HEX.fullmatch(value) and len(value) <= len(digits):
            return digits[: len(value)]
        if _UUID.fullmatch(value):
            return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:32]}"
        if match := _ARN.fullmatch(value):
            parts = [part if part in _ARN_WORDS or not part else self._token(part) for part in match["rest"].split("/")]
            account = self._token(match["account"]) if match["account"] else ""
            return f"{match['head']}:{account}:{'/'.join(parts)}"
        return f"name-{digits[:16]}"

    def _digits(self, value: str) -> str:
        return hmac.digest(self._key, value.encode("utf-8", "surrogateescape"), "sha256").hex()


def treatment() -> dict[str, str]:
    """Returns what becomes of each field of the catalogue: ``mapped`` addresses, ``token``, ``word`` or ``number``.

    >>> treatment()["srcaddr"], treatment()["vpc-id"], treatment()["region"], treatment()["bytes"]
    ('mapped', 'token', 'word', 'number')
    """
    out = {}
    for field in fields():
        if field.column_type == "address":
            out[field.name] = "mapped"
        elif field.column_type == "text":
            out[field.name] = "word" if field.name in KEPT_WORDS else "token"
        else:
            out[field.name] = "number"
    return out

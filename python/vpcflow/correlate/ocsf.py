"""OCSF's forms of AWS's events, as Security Lake has them, converted back: the readers of the originals take them.

The class decides, and the product, never ``type_uid``, which versions number differently. Fields that versions name
differently are looked for under all names.
"""

from __future__ import annotations

import json
from typing import Any

from .values import at, items_in

_DNS, _HTTP, _FINDINGS = 4003, 4002, (2001, 2002, 2003, 2004)
_SEVERITIES = {1: "INFORMATIONAL", 2: "LOW", 3: "MEDIUM", 4: "HIGH", 5: "CRITICAL", 6: "CRITICAL"}
_ACTIONS = {"blocked": "BLOCK", "dropped": "BLOCK", "denied": "BLOCK", "alert": "ALERT", "allowed": "ALLOW"}


def is_ocsf(document: Any) -> bool:
    """Tells whether a document is an event of OCSF."""
    return isinstance(document, dict) and "class_uid" in document and isinstance(document.get("metadata"), dict)


def original_of(event: Any) -> tuple[str, dict[str, Any]] | None:
    """Returns the source of an event of OCSF, and the document as AWS's service writes it; ``None`` for others, and for
    findings of vpcflow."""
    product = str(at(event, "metadata", "product", "name") or "").lower()
    number = event.get("class_uid")
    if "cloudtrail" in product or (isinstance(at(event, "api", "operation"), str) and number not in _FINDINGS):
        return "cloudtrail", _cloudtrail(event)
    if number == _DNS:
        return "dns", _dns(event)
    if number == _HTTP and "waf" in product:
        return "waf", _waf(event)
    if number in _FINDINGS and "vpcflow" not in product:
        return "securityhub", _finding(event)
    return None


def _cloudtrail(event: dict[str, Any]) -> dict[str, Any]:
    user, unmapped = at(event, "actor", "user"), _unmapped(event)
    names = [at(user, name) for name in ("uid", "uuid", "uid_alt")]
    error = at(event, "api", "response", "error")
    answered = _parsed(at(event, "api", "response", "data")) or _below(unmapped, "responseElements")
    more = _below(unmapped, "additionalEventData")
    operation = at(event, "api", "operation")
    if operation == "ConsoleLogin":
        mfa = next((x for x in (event.get("is_mfa"), event.get("mfa")) if isinstance(x, bool)), None)
        more = {**({} if mfa is None else {"MFAUsed": "Yes" if mfa else "No"}), **more}
        answered = {"ConsoleLogin": event.get("status"), **answered}
    return {
        "eventName": operation, "eventSource": at(event, "api", "service", "name"), "eventTime": event.get("time"),
        "eventID": at(event, "metadata", "uid"), "awsRegion": at(event, "cloud", "region"),
        "recipientAccountId": _account(event) or unmapped.get("recipientAccountId"),
        "sourceIPAddress": at(event, "src_endpoint", "ip") or at(event, "src_endpoint", "domain"),
        "userAgent": at(event, "http_request", "user_agent"), "errorCode": error or None,
        "readOnly": {"true": True, "false": False}.get(str(unmapped.get("readOnly")).lower()),
        "userIdentity": {
            "arn": next((x for x in names if isinstance(x, str) and x.startswith("arn:")), None),
            "principalId": next((x for x in names if isinstance(x, str) and x and not x.startswith("arn:")), None),
            "type": at(user, "type"), "accountId": at(user, "account", "uid") or at(user, "account_uid"),
            "accessKeyId": at(user, "credential_uid"), "invokedBy": at(event, "actor", "invoked_by"),
        },
        "requestParameters": _parsed(at(event, "api", "request", "data")) or _below(unmapped, "requestParameters"),
        "responseElements": answered, "additionalEventData": more,
    }  # fmt: skip


def _dns(event: dict[str, Any]) -> dict[str, Any]:
    disposition = str(event.get("disposition") or "").lower()
    instance = at(event, "src_endpoint", "instance_uid") or at(event, "src_endpoint", "uid")
    return {
        "query_timestamp": event.get("time"), "query_name": at(event, "query", "hostname"),
        "query_type": at(event, "query", "type"), "rcode": str(event.get("rcode") or "").upper() or None,
        "answers": [{"Rdata": x.get("rdata"), "Type": x.get("type")} for x in items_in(event.get("answers"))],
        "srcaddr": at(event, "src_endpoint", "ip"), "vpc_id": at(event, "src_endpoint", "vpc_uid"),
        "srcids": {"instance": instance}, "account_id": _account(event), "region": at(event, "cloud", "region"),
        "firewall_rule_action": _ACTIONS.get(disposition), "transport": at(event, "connection_info", "protocol_name"),
    }  # fmt: skip


def _waf(event: dict[str, Any]) -> dict[str, Any]:
    asked = event.get("http_request")
    action = str(event.get("disposition") or event.get("action") or "").lower()
    headers = [{"name": x.get("name"), "value": x.get("value")} for x in items_in(at(asked, "http_headers"))]
    return {
        "timestamp": event.get("time"), "action": _ACTIONS.get(action, action.upper()),
        "terminatingRuleId": at(event, "firewall_rule", "uid"), "httpSourceId": at(event, "src_endpoint", "uid"),
        "webaclId": at(event, "metadata", "product", "feature", "uid"),
        "httpRequest": {
            "clientIp": at(event, "src_endpoint", "ip"), "country": at(event, "src_endpoint", "location", "country"),
            "uri": at(asked, "url", "path"), "httpMethod": at(asked, "http_method"), "headers": headers,
            "host": at(asked, "url", "hostname"), "requestId": at(asked, "uid"),
        },
    }  # fmt: skip


def _finding(event: dict[str, Any]) -> dict[str, Any]:
    """Returns a finding in Security Hub's format. Before 1.1 `finding`, then `finding_info` says what it is."""
    info = event.get("finding_info") or event.get("finding")
    product = at(event, "metadata", "product")
    resources = items_in(event.get("resources"))
    ends = [at(one, "src_endpoint", "ip") for one in items_in(event.get("evidences"))]
    ends += [at(one, "dst_endpoint", "ip") for one in items_in(event.get("evidences"))]
    time = event.get("time")
    fields = {f"{number}/ipAddressV4": ip for number, ip in enumerate(x for x in ends if x)}
    number = event.get("severity_id")
    return {
        "Id": at(info, "uid"), "ProductArn": at(product, "uid") or f"product/{at(product, 'name')}",
        "ProductName": at(product, "name"), "GeneratorId": at(product, "feature", "uid"), "Title": at(info, "title"),
        "Types": at(info, "types"), "AwsAccountId": _account(event), "Region": at(event, "cloud", "region"),
        "FirstObservedAt": _time_in(info, "first_seen_time") or time,
        "LastObservedAt": _time_in(info, "last_seen_time") or time, "CreatedAt": time,
        "UpdatedAt": _time_in(info, "modified_time") or time,
        "Severity": {"Label": _SEVERITIES.get(number, "") if isinstance(number, int) else event.get("severity")},
        "Resources": [{"Id": one.get("uid"), "Details": _parsed(one.get("data"))} for one in resources],
        "ProductFields": fields, "Compliance": {"Status": str(at(event, "compliance", "status") or "").upper()},
        "RecordState": _unmapped(event).get("RecordState"),
    }  # fmt: skip


def _time_in(info: Any, name: str) -> Any:
    return at(info, name) or at(info, f"{name}_dt")


def _account(event: dict[str, Any]) -> Any:
    return at(event, "cloud", "account", "uid") or at(event, "cloud", "account_uid")


def _unmapped(event: dict[str, Any]) -> dict[str, Any]:
    """Returns what has no field; of Parquet a list of pairs."""
    value = event.get("unmapped")
    if isinstance(value, list):
        value = {str(pair[0]): pair[1] for pair in value if isinstance(pair, (list, tuple)) and len(pair) == 2}
    return value if isinstance(value, dict) else {}


def _below(unmapped: dict[str, Any], name: str) -> dict[str, Any]:
    """Returns the members of an object that is written as `object.member`."""
    inner = unmapped.get(name)
    flat = {key[len(name) + 1 :]: value for key, value in unmapped.items() if key.startswith(f"{name}.")}
    return {**flat, **(inner if isinstance(inner, dict) else {})}


def _parsed(value: Any) -> dict[str, Any]:
    """Returns an object that is written as text."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return {}
    return value if isinstance(value, dict) else {}

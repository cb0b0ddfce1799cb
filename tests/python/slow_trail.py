"""CloudTrail as Python reads it, a document at a time: what the engine's rows are compared with."""

import contextlib
import datetime
import gzip
import ipaddress
import json
import re

ID = re.compile(r"(?:i|eni|sg|fl|nat)-[0-9A-Za-z][0-9A-Za-z-]{0,40}")
HIGH = ("DeleteFlowLogs", "StopLogging", "DeleteTrail", "DeleteDetector")
OPENS = ("AuthorizeSecurityGroupIngress", "ModifySecurityGroupRules")
LOW = (*OPENS, "CreateAccessKey", "CreateUser", "AttachUserPolicy", "PutBucketPolicy", "RunInstances", "CreateNetworkAclEntry", "CreateRoute")
WRAPPERS = ("Records", "records", "Findings", "findings", "events", "Events", "logEvents")
LATEST = 9_999_999_999
WHO = ("userName", "issuer", "issuerName", "sourceIdentity", "onBehalfOf", "session", "sessionKey", "roleArn")  # entities behind the first


def documents_of(data):
    """The documents of a whole file: JSON, or lines of it."""
    text = (gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data).decode("utf-8", "replace").lstrip("\ufeff")
    try:
        values = [json.loads(text)]
    except ValueError:
        values = []
        for line in text.splitlines():
            with contextlib.suppress(ValueError):
                values.append(json.loads(line))
    for value in values:
        yield from items(value)


def items(value, depth=0):
    if isinstance(value, list):
        for item in value:
            yield from items(item, depth + 1) if depth < 4 else ()
        return
    if isinstance(value, dict) and depth < 4:
        if "detail-type" in value and isinstance(value.get("detail"), dict):
            yield from items(value["detail"], depth + 1)
            return
        inner = next((held for name, held in value.items() if name in WRAPPERS and isinstance(held, list)), None)
        if inner is not None:
            yield from items(inner, depth + 1)
            return
        if isinstance(value.get("CloudTrailEvent"), str):
            try:
                yield from items(json.loads(value["CloudTrailEvent"]), depth + 1)
                return
            except ValueError:
                pass
    yield value


def at(value, *names):
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def listed(value):
    if isinstance(value, dict):
        value = value.get("items") or value.get("item") or []
    value = [value] if isinstance(value, dict) else value
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def plain(value):
    return isinstance(value, (str, int, float))


def seconds(value):
    if isinstance(value, str) and value.strip().isdecimal() and len(value.strip()) <= 13:
        value = int(value)
    if isinstance(value, (int, float)) and not isinstance(value, bool) and value == value:
        value = value / 1000 if value > LATEST else value
        return int(value) if 0 <= value <= LATEST else None
    if not isinstance(value, str) or not 10 <= len(value) <= 40:
        return None
    head, dot, rest = value.strip().replace("Z", "+00:00").partition(".")
    try:
        when = datetime.datetime.fromisoformat(head + rest.lstrip("0123456789") if dot else head)
    except ValueError:
        return None
    when = when.replace(tzinfo=when.tzinfo or datetime.timezone.utc).timestamp()
    return int(when) if 0 <= when <= LATEST else None


def address(value):
    try:
        return isinstance(value, str) and bool(ipaddress.ip_address(value.strip()))
    except ValueError:
        return False


def events_of(record, ref):
    """The rows of a document, as :meth:`vpcflow.correlate.Event.as_dict` gives them, with their keys."""
    if not isinstance(record, dict):
        return
    time, name = seconds(record.get("eventTime")), record.get("eventName")
    if not isinstance(name, str) or "eventSource" not in record or time is None:
        yield from added_up_in(record, time, ref)
        return
    common = common_of(record)
    entities = [common.get(one) for one in ("principal", "accessKeyId", "account", *WHO)]
    entities += [common["address"]] if address(common.get("address")) else []
    ids = [*ids_in(record.get("requestParameters")), *ids_in(record.get("responseElements"))]
    parts = [({}, ids)]
    if re.fullmatch(r"(Authorize|Revoke)SecurityGroup(Ingress|Egress)", name):
        parts = [(rule, ids) for rule in rules_of(record)] or parts
    elif name == "ModifySecurityGroupRules":
        parts = [(rule, ids) for rule in changed_in(record)] or parts
    elif name == "RunInstances":
        started = [one for one in listed(at(record, "responseElements", "instancesSet")) if one.get("instanceId")]
        names = ("instanceId", "instanceType", "imageId", "privateIpAddress", "vpcId", "subnetId")
        parts = [({n: one[n] for n in names if isinstance(one.get(n), str)}, [*ids_in(one)]) for one in started] or parts
    again = at(record, "addendum")
    keys = (at(again, "originalEventID"), record.get("eventID"), ref)
    key = str(next(key for key in keys if plain(key) and key))
    for number, (more, own) in enumerate(parts):
        attrs = {n: v for n, v in {**common, **more}.items() if plain(v)}
        named = list(dict.fromkeys(str(one) for one in [*own, *entities] if one))
        level = severity(name, common, attrs)
        yield {"time": time, "end": time, "source": "cloudtrail", "kind": name, "entities": named, "severity": level, "attrs": attrs, "key": f"{key}/{number}" if number else key, "version": text(at(again, "reason"))}


def text(value):
    return value if isinstance(value, str) else ""


def added_up_in(record, time, ref):
    """Insights events, and what CloudTrail adds up of data events."""
    kind, inner, window = record.get("eventType"), record.get("insightDetails"), record.get("timeWindow")
    if isinstance(kind, str) and "insightDetails" in record and time is not None:
        end, keys, account = time, ("eventID",), record.get("recipientAccountId")
        attrs = {name: at(inner, name) for name in ("eventSource", "eventName", "state", "errorCode")}
        attrs |= {"insight": at(inner, "insightType")}
    elif isinstance(kind, str) and "timeWindow" in record and seconds(at(window, "windowStart")) is not None:
        time, keys, account = seconds(window["windowStart"]), ("eventId", "eventID"), record.get("accountId") or record.get("recipientAccountId")
        end = max(seconds(at(window, "windowEnd")) or time, time)
        attrs = {"eventSource": record.get("eventSource"), "dimension": at(record, "summary", "primaryDimension", "dimension")}
    else:
        return
    attrs = {name: value for name, value in {**attrs, "account": account, "region": record.get("awsRegion")}.items() if plain(value)}
    key = str(next(one for one in (*map(record.get, keys), ref) if plain(one) and one))
    named = [str(account)] if plain(account) and account else []
    yield {"time": time, "end": end, "source": "cloudtrail", "kind": kind, "entities": named, "severity": None, "attrs": attrs, "key": key, "version": ""}


def severity(name, common, attrs):
    if common.get("errorCode"):
        return None
    if name == "ConsoleLogin":
        return "medium" if common.get("mfa") == "No" and common.get("outcome") == "Success" else None
    if name in OPENS and attrs.get("cidr") in ("0.0.0.0/0", "::/0"):
        return "medium"
    return "high" if name in HIGH else "low" if name in LOW else None


def common_of(record):
    who, asked = record.get("userIdentity"), record.get("requestParameters")
    session, answered = at(who, "sessionContext"), record.get("responseElements")
    out = {
        "userName": at(who, "userName"), "issuer": at(session, "sessionIssuer", "arn"), "issuerName": at(session, "sessionIssuer", "userName"), "sourceIdentity": at(session, "sourceIdentity"),
        "sessionMfa": at(session, "attributes", "mfaAuthenticated"), "onBehalfOf": at(who, "onBehalfOf", "userId"), "identityProvider": at(who, "identityProvider"),
        "session": at(answered, "assumedRoleUser", "arn") or at(answered, "federatedUser", "arn"), "sessionKey": at(answered, "credentials", "accessKeyId"), "roleArn": at(asked, "roleArn"),
        "principal": at(who, "arn") or at(who, "principalId") or at(who, "invokedBy"), "userType": at(who, "type"), "accessKeyId": at(who, "accessKeyId"),
        "address": record.get("sourceIPAddress"), "account": record.get("recipientAccountId") or at(who, "accountId"), "region": record.get("awsRegion"),
        "eventSource": record.get("eventSource"), "errorCode": record.get("errorCode"), "userAgent": record.get("userAgent"),
        "mfa": at(record, "additionalEventData", "MFAUsed"), "outcome": at(record, "responseElements", "ConsoleLogin"), "readOnly": record.get("readOnly"),
    }  # fmt: skip
    for name, value in asked.items() if isinstance(asked, dict) else ():
        if plain(value) and name not in out and re.fullmatch(r"\w{1,60}", name):
            out[name] = value
    return {name: value for name, value in out.items() if plain(value)}


def ids_in(value, depth=0):
    if isinstance(value, str):
        if ID.fullmatch(value):
            yield value
    elif depth < 12 and isinstance(value, (dict, list)):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from ids_in(inner, depth + 1)


def rules_of(record):
    asked = record.get("requestParameters")
    group = at(asked, "groupId") or at(asked, "groupName")
    answered = listed(at(record, "responseElements", "securityGroupRuleSet"))
    for item in answered:
        yield rule(item.get("groupId") or group, item.get("cidrIpv4") or item.get("cidrIpv6") or at(item, "referencedGroupInfo", "groupId"), item)
    if answered:
        return
    for item in listed(at(asked, "ipPermissions")):
        for where, leaf in (("ipRanges", "cidrIp"), ("ipv6Ranges", "cidrIpv6"), ("groups", "groupId")):
            for one in listed(item.get(where)):
                yield rule(group, one.get(leaf), item)
    if at(asked, "cidrIp"):
        yield rule(group, at(asked, "cidrIp"), asked)


def changed_in(record):
    """The rules that a request changes: one object, or several in a list."""
    asked = at(record, "requestParameters", "ModifySecurityGroupRulesRequest")
    changes = at(asked, "SecurityGroupRule")
    several = changes if isinstance(changes, list) else [changes] if at(changes, "SecurityGroupRule") else listed(changes)
    for change in several:
        if at(change, "SecurityGroupRule"):
            to = change["SecurityGroupRule"]
            item = {"ipProtocol": at(to, "IpProtocol"), "fromPort": at(to, "FromPort"), "toPort": at(to, "ToPort")}
            yield rule(at(asked, "GroupId"), at(to, "CidrIpv4") or at(to, "CidrIpv6") or at(to, "ReferencedGroupId"), item)


def rule(group, source, item):
    protocol = item.get("ipProtocol")
    protocol = str(protocol) if plain(protocol) else "-1"
    return {"groupId": group, "cidr": source, "protocol": protocol, "port": ports(item.get("fromPort"), item.get("toPort"), protocol), "fromPort": item.get("fromPort"), "toPort": item.get("toPort")}


def ports(first, last, protocol):
    both = []
    for value in (first, last):
        try:
            both.append(int(value) if not isinstance(value, bool) else -1)
        except (TypeError, ValueError, OverflowError):
            return "0-65535"
    low, high = both
    if protocol in ("-1", "all") or not 0 <= low <= 65535 or not 0 <= high <= 65535:
        return "0-65535"
    return low if low == high else f"{low}-{high}"


HOSTILE = [None, True, False, 0, -1, 1e999, 5.0, 2**80, 2**63, "", "\ud800", "-", "0", " 22 ", [], {}, [[]], {"items": 7}, "9" * 400, "2026-99-99T00:00:00Z", "2026-11-23T06:00:00.5+02:00", 1795413600, {"item": [None]}, "i-0a", {"items": [{"cidrIp": "::/0"}]}, "192.0.2.1", "::1", "\x00\x1f\x7f\u2028"]


def mutated(value, rng, rate=0.04):
    if rng.random() < rate:
        return rng.choice(HOSTILE)
    if isinstance(value, dict):
        return {name: mutated(inner, rng, rate) for name, inner in value.items() if rng.random() > 0.02}
    return [mutated(inner, rng, rate) for inner in value] if isinstance(value, list) else value


def beyond(value):
    """What no JSON of the engine has, as its reader mends it: texts of numbers that are too large, no surrogates."""
    if isinstance(value, dict):
        return {name: beyond(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [beyond(inner) for inner in value]
    if isinstance(value, float) and value in (float("inf"), float("-inf")):
        return "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, int) and not -(2**63) <= value < 2**64:
        return str(value)
    return value.encode("utf-8", "replace").decode().replace("?", "\ufffd") if isinstance(value, str) and "\ud800" in value else value

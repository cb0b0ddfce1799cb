"""AWS's other events as Python reads them, a document or line at a time: what the engine's rows are compared with.

Access logs, WAF, Resolver, findings of GuardDuty and Security Hub, and OCSF's forms of these and of CloudTrail.
"""

from __future__ import annotations

import csv
import json
import re
from typing import Any

from slow_trail import events_of as trail_events
from vpcflow.correlate.events import Event, address_of, type_of
from vpcflow.correlate.values import at, camel, items_in, unix

DIGEST = "digest"  # stands for a hash of the document


def cells_of(line):
    """The cells of a line; none of one whose quotes are not closed."""
    try:
        cells = next(iter(csv.reader([line.strip()], delimiter=" ")), [])
    except csv.Error:
        return []
    return cells if line.count('"') % 2 == 0 else []


def rows_of(source, document):
    """The rows of a document, as :meth:`vpcflow.correlate.Event.as_dict` gives them, with their keys and versions."""
    ref = "document:byte 0"
    if isinstance(document, str):
        document = cells_of(document)
    if is_ocsf(document):
        kind, original = original_of(document) or ("", None)
        if source != "cloudtrail" or not [*trail_events(document, ref)]:
            if not (source in ("ocsf", kind) or (source, kind) == ("guardduty", "securityhub")):
                return
            source, document = kind, original
    if source == "cloudtrail":
        yield from ({"version": "", **row} for row in trail_events(document, ref))
    elif source in READERS:
        for event in READERS[source](document, ref):
            yield {**{n: v for n, v in event.as_dict().items() if n != "ref"}, "key": event.key, "version": event.version}

# Access logs and WAF.

_ALB = ("http", "https", "h2", "grpcs", "ws", "wss")


def of_alb(line, ref):
    """Yields the event of the cells of a line of an application load balancer."""
    if not isinstance(line, list) or len(line) < 22 or line[0] not in _ALB:
        return
    time = unix(line[21]) or unix(line[1])  # when the request came; the first time is that of the answer
    if time is None:
        return
    client, target = _host(line[3]), _host(line[4])
    attrs = {"client": client, "target": target, "status": line[8], "target_status": line[9], "request": line[12],
             "method": line[12].partition(" ")[0], "elb": line[2], "userAgent": line[13]}  # fmt: skip
    yield _request("alb", time, unix(line[1]) or time, (client, target), attrs, ref, line)


def of_nlb(line, ref):
    """Yields the event of the cells of a line of a network load balancer: a TLS connection, which has no status, and
    whose first time is that of its end."""
    if not isinstance(line, list) or len(line) < 15 or line[0] != "tls":
        return
    end = unix(line[2])
    if end is None:
        return
    begun = unix(line[21]) if len(line) > 21 else None
    lasted = int(line[7]) // 1000 if line[7].isdecimal() and len(line[7]) < 12 else 0
    client, target = _host(line[5]), _host(line[6])
    attrs = {
        "client": client, "target": target, "elb": line[3], "listener": line[4], "tls_version": line[15]
        if len(line) > 15 else "-", "host": line[17] if len(line) > 17 else "-",
    }  # fmt: skip
    attrs |= {name: int(line[n]) for name, n in (("received", 9), ("sent", 10)) if line[n].isdecimal()}
    time = begun if begun is not None else max(end - lasted, 0)
    yield _request("nlb", min(time, end), end, (client, target), attrs, ref, line)


def of_clb(line, ref):
    """Yields the event of the cells of a line of a classic load balancer."""
    if not isinstance(line, list) or len(line) < 12 or address_of(_host(line[2])) is None or unix(line[0]) is None:
        return
    client, target, more = _host(line[2]), _host(line[3]), [*line, "-", "-", "-"]
    asked = line[11] if line[11] != "- - - " else ""
    attrs = {"client": client, "target": target, "status": line[7], "target_status": line[8], "request": asked, "method": asked.partition(" ")[0], "elb": line[1], "userAgent": more[12], "tls_version": more[14]}
    attrs |= {name: int(line[n]) for name, n in (("received", 9), ("sent", 10)) if line[n].isdecimal()}
    yield _request("clb", unix(line[0]), unix(line[0]), (client, target), attrs, ref, line)


def of_waf(one, ref):
    """Yields the event of a request that WAF judged."""
    time, asked = unix(at(one, "timestamp")), at(one, "httpRequest")
    if time is None or not isinstance(asked, dict) or not isinstance(at(one, "action"), str):
        return
    headers = {str(h.get("name")).lower(): h.get("value") for h in items_in(asked.get("headers"))}
    attrs = {
        "client": asked.get("clientIp"), "action": one["action"], "ruleId": one.get("terminatingRuleId"),
        "country": asked.get("country"), "method": asked.get("httpMethod"), "request": asked.get("uri"),
        "host": headers.get("host") or asked.get("host"), "userAgent": headers.get("user-agent"),
        "webacl": one.get("webaclId"), "elb": one.get("httpSourceId"),
    }  # fmt: skip
    yield _request("waf", time, time, (attrs["client"],), attrs, ref, one)


def _request(
    source: str, time: int, end: int, ends: tuple[Any, ...], attrs: dict[str, Any], ref: str, document: Any
):
    entities = tuple(dict.fromkeys(one for one in ends if address_of(one) is not None))
    held = {k: v for k, v in attrs.items() if isinstance(v, (str, int)) and v not in ("", "-")}
    return Event(time, max(time, end), source, "request", entities, "", ref, DIGEST, held)


def _host(text):
    return text.rpartition(":")[0].strip("[]")


# Queries.


def _resolver(one, ref):
    time = unix(at(one, "query_timestamp"))
    if time is None or not isinstance(at(one, "query_name"), str):
        return
    answers = [a.get("Rdata") for a in items_in(one.get("answers"))]
    addresses = [a for a in dict.fromkeys(a for a in answers if isinstance(a, str)) if address_of(a) is not None]
    attrs = {name: one.get(name) for name in ("query_name", "query_type", "rcode", "firewall_rule_action", "vpc_id",
                                              "srcaddr", "account_id", "region")}  # fmt: skip
    attrs["query_name"] = "".join(c.lower() if c.isascii() else c for c in attrs["query_name"].rstrip(".")) or "."
    severity, key = "medium" if attrs["firewall_rule_action"] in ("BLOCK", "ALERT") else "", DIGEST
    for number, answer in enumerate(addresses or [None]):
        entities = [at(one, "srcids", "instance"), one.get("srcaddr"), answer]
        yield Event(time, time, "dns", "query", tuple(dict.fromkeys(e for e in entities if isinstance(e, str) and e)),
                    severity if number == 0 else "", ref, f"{key}/{number}" if number else key,
                    {k: v for k, v in {**attrs, "answer": answer}.items() if isinstance(v, (str, int))})  # fmt: skip


# Findings.

_LEVELS = {"CRITICAL": "high", "HIGH": "high", "MEDIUM": "medium", "LOW": "low"}
_OWN = re.compile(r"arn:[\w-]+:securityhub:[^:]*:(\d{12}):product/\1/default")  # of any program of the account


def of_guardduty(raw, ref):
    """Yields the event of a finding of GuardDuty."""
    one = camel(raw)
    service, kind = at(one, "service"), at(one, "type")
    if not isinstance(kind, str) or not isinstance(service, dict) or at(one, "severity") is None:
        return
    first = unix(service.get("eventFirstSeen") or one.get("createdAt"))
    last = unix(service.get("eventLastSeen") or one.get("updatedAt")) or first
    if first is None or last is None:
        return
    instance = at(one, "resource", "instanceDetails")
    cards = items_in(at(instance, "networkInterfaces"))
    calls = _calls(at(service, "action"))
    remotes = [one for call in calls for one in _remote(call)]
    entities = [at(instance, "instanceId"), *(card.get("networkInterfaceId") for card in cards)]
    entities += [card.get("privateIpAddress") for card in cards] + [card.get("publicIp") for card in cards]
    entities += [address for card in cards for address in _list(card.get("ipv6Addresses"))]
    held = at(one, "resource", "accessKeyDetails")
    entities += [*remotes, at(held, "accessKeyId"), at(held, "userName"), one.get("accountId")]
    level = one["severity"]
    number = float(level) if isinstance(level, (int, float)) and not isinstance(level, bool) else 0.0
    severity = "high" if number >= 7 else "medium" if number >= 4 else "low"
    attrs = {
        "type": kind, "severity": number, "count": service.get("count"), "role": service.get("resourceRole"),
        "remote": next((r for r in remotes if r), None), "account": one.get("accountId"), "region": one.get("region"),
        "domain": next((at(c, "domain") for c in calls if at(c, "domain")), None), "title": one.get("title"),
        "direction": next((at(c, "connectionDirection") for c in calls if at(c, "connectionDirection")), None),
        "port": next((at(c, "localPortDetails", "port") for c in calls if at(c, "localPortDetails", "port")), None),
        "userName": at(held, "userName"),
    }  # fmt: skip
    yield _event("guardduty", kind, first, last, entities, severity, ref, _word(one.get("id")) or ref, attrs,
                 _word(one.get("updatedAt")))  # fmt: skip


def _word(value):
    return str(value) if isinstance(value, (str, int, float)) and value else ""


def is_own(one):
    """Tells whether a finding of Security Hub is one that vpcflow sent there."""
    arn, generator = at(one, "ProductArn"), at(one, "GeneratorId")
    own = isinstance(arn, str) and _OWN.fullmatch(arn) is not None
    return own and isinstance(generator, str) and generator.startswith("vpcflow/")


def of_securityhub(one, ref):
    """Yields the event of a finding in Security Hub's format; our own are none, so that nothing goes round. One of
    GuardDuty is an event of that source."""
    if not isinstance(at(one, "ProductArn"), str) or not isinstance(at(one, "Id"), str) or is_own(one):
        return
    types = [text for text in _list(one.get("Types")) if isinstance(text, str) and text]
    fields = one["ProductFields"] if isinstance(one.get("ProductFields"), dict) else {}
    product = _word(one.get("ProductName")) or one["ProductArn"].rpartition("/")[2]
    first = unix(one.get("FirstObservedAt") or fields.get("aws/guardduty/service/eventFirstSeen")) or unix(
        one.get("CreatedAt")
    )
    last = unix(one.get("LastObservedAt") or one.get("UpdatedAt")) or first
    if first is None or last is None:
        return
    calls = _calls(camel(one.get("Action")))
    remotes = [one for call in calls for one in _remote(call)]
    remotes += [value for name, value in sorted(fields.items()) if str(name).endswith("/ipAddressV4")]
    remotes += [at(one, "Network", f"{end}IpV{n}") for end in ("Source", "Destination") for n in (4, 6)]
    entities = [entity for resource in items_in(one.get("Resources")) for entity in _of_resource(resource)]
    entities += [value for value in remotes if address_of(value) is not None]
    label = at(one, "Severity", "Label")
    severity = _LEVELS.get(str(label).upper(), "")
    attrs = {
        "type": types[0] if types else None, "severity": label, "title": one.get("Title"), "product": product or None,
        "remote": next((r for r in remotes if address_of(r) is not None), None), "account": one.get("AwsAccountId"),
        "region": one.get("Region"), "generator": one.get("GeneratorId"), "state": one.get("RecordState"),
        "compliance": at(one, "Compliance", "Status"), "role": fields.get("aws/guardduty/service/resourceRole"),
    }  # fmt: skip
    passed = attrs["compliance"] == "PASSED" or attrs["state"] == "ARCHIVED"
    source, kind, key = "securityhub", types[0] if types else product or "finding", one["Id"]
    if product.lower() == "guardduty":
        source, key = "guardduty", key.rpartition("/")[2]
        kind = kind.rpartition("/")[2].replace("-", "/", 1) if kind.count("/") > 1 else kind
    yield _event(source, kind, first, last, [*entities, one.get("AwsAccountId")], "" if passed else severity, ref, key,
                 attrs, _word(one.get("UpdatedAt")))  # fmt: skip


def _of_resource(resource):
    """Yields what a resource of a finding is, and its interfaces and addresses."""
    name = resource.get("Id") if isinstance(resource.get("Id"), str) else ""
    last = name.rpartition("/")[2].rpartition(":")[2]
    if type_of(last) in ("instance", "interface", "group", "access-key", "account"):
        yield last
    elif re.match(r"arn:[\w-]+:(iam|sts):", name):
        yield name
    details = resource.get("Details")
    for detail in details.values() if isinstance(details, dict) else ():
        if isinstance(detail, dict):
            yield detail.get("NetworkInterfaceId")
            yield from (x for n in ("IpV4Addresses", "IpV6Addresses") for x in _list(detail.get(n)))
            yield from (x.get("NetworkInterfaceId") for x in items_in(detail.get("NetworkInterfaces")))
            yield from (x.get("PrivateIpAddress") for x in items_in(detail.get("PrivateIpAddresses")))
            yield detail.get("UserName")


def _calls(action):
    """Returns the actions of a finding, and the probes of a port."""
    held = action.items() if isinstance(action, dict) else ()
    calls = [v for n, v in held if n.endswith("Action") and isinstance(v, dict)]
    return calls + [probe for call in calls for probe in items_in(call.get("portProbeDetails"))]


def _remote(call):
    yield at(call, "remoteIpDetails", "ipAddressV4")
    yield at(call, "remoteIpDetails", "ipAddressV6")


def _list(value):
    return value if isinstance(value, list) else []


def _event(
    source: str, kind: str, first: int, last: int, entities: list[Any], severity: str, ref: str, key: str,
    attrs: dict[str, Any], version: str,
) -> Event:  # fmt: skip
    named = tuple(dict.fromkeys(e for e in entities if isinstance(e, str) and e))
    held = {k: v for k, v in attrs.items() if isinstance(v, (str, int, float)) and (v != "" or k not in ("type", "compliance"))}
    return Event(first, max(first, last), source, kind, named, severity, ref, key, held, version)


# OCSF.

_DNS, _HTTP, _FINDINGS = 4003, 4002, (2001, 2002, 2003, 2004)
_SEVERITIES = {1: "INFORMATIONAL", 2: "LOW", 3: "MEDIUM", 4: "HIGH", 5: "CRITICAL", 6: "CRITICAL"}
_ACTIONS = {"blocked": "BLOCK", "dropped": "BLOCK", "denied": "BLOCK", "alert": "ALERT", "allowed": "ALLOW"}


def is_ocsf(document):
    """Tells whether a document is an event of OCSF."""
    return isinstance(document, dict) and "class_uid" in document and isinstance(document.get("metadata"), dict)


def original_of(event):
    """Returns the source of an event of OCSF, and the document as AWS's service writes it; ``None`` for others, and for
    findings of vpcflow."""
    product = _word(at(event, "metadata", "product", "name")).lower()
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


def _cloudtrail(event):
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
            "userName": at(user, "name"), "sessionContext": _session(event, unmapped),
            "type": at(user, "type"), "accountId": at(user, "account", "uid") or at(user, "account_uid"),
            "accessKeyId": at(user, "credential_uid"), "invokedBy": at(event, "actor", "invoked_by"),
        },
        "requestParameters": _parsed(at(event, "api", "request", "data")) or _below(unmapped, "requestParameters"),
        "responseElements": answered, "additionalEventData": more,
    }  # fmt: skip


def _session(event, unmapped):
    held = lambda path: unmapped.get(f"userIdentity.sessionContext.{path}")  # noqa: E731
    mfa = held("attributes.mfaAuthenticated")
    for name in ("mfa", "is_mfa"):
        said = at(event, "actor", "session", name)
        mfa = str(said).lower() if isinstance(said, bool) else mfa
    issuer = {"arn": at(event, "actor", "session", "issuer") or held("sessionIssuer.arn"), "userName": held("sessionIssuer.userName")}
    return {"sessionIssuer": issuer, "sourceIdentity": held("sourceIdentity"), "attributes": {"mfaAuthenticated": mfa}}


def _dns(event):
    disposition = _word(event.get("disposition")).lower()
    instance = at(event, "src_endpoint", "instance_uid") or at(event, "src_endpoint", "uid")
    return {
        "query_timestamp": event.get("time"), "query_name": at(event, "query", "hostname"),
        "query_type": at(event, "query", "type"), "rcode": _word(event.get("rcode")).upper() or None,
        "answers": [{"Rdata": x.get("rdata"), "Type": x.get("type")} for x in items_in(event.get("answers"))],
        "srcaddr": at(event, "src_endpoint", "ip"), "vpc_id": at(event, "src_endpoint", "vpc_uid"),
        "srcids": {"instance": instance}, "account_id": _account(event), "region": at(event, "cloud", "region"),
        "firewall_rule_action": _ACTIONS.get(disposition), "transport": at(event, "connection_info", "protocol_name"),
    }  # fmt: skip


def _waf(event):
    asked = event.get("http_request")
    action = (_word(event.get("disposition")) if event.get("disposition") else _word(event.get("action"))).lower()
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


def _finding(event):
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
        "Id": at(info, "uid"), "ProductArn": at(product, "uid") or f"product/{_word(at(product, 'name'))}",
        "ProductName": at(product, "name"), "GeneratorId": at(product, "feature", "uid"), "Title": at(info, "title"),
        "Types": at(info, "types"), "AwsAccountId": _account(event), "Region": at(event, "cloud", "region"),
        "FirstObservedAt": _time_in(info, "first_seen_time") or time,
        "LastObservedAt": _time_in(info, "last_seen_time") or time, "CreatedAt": time,
        "UpdatedAt": _time_in(info, "modified_time") or time,
        "Severity": {"Label": _SEVERITIES.get(number, "") if isinstance(number, int) else event.get("severity")},
        "Resources": [{"Id": one.get("uid"), "Details": _parsed(one.get("data"))} for one in resources],
        "ProductFields": fields, "Compliance": {"Status": _word(at(event, "compliance", "status")).upper()},
        "RecordState": _unmapped(event).get("RecordState"),
    }  # fmt: skip


def _time_in(info, name):
    return at(info, name) or at(info, f"{name}_dt")


def _account(event):
    return at(event, "cloud", "account", "uid") or at(event, "cloud", "account_uid")


def _unmapped(event):
    """Returns what has no field; of Parquet a list of pairs."""
    value = event.get("unmapped")
    if isinstance(value, list):
        value = {str(pair[0]): pair[1] for pair in value if isinstance(pair, (list, tuple)) and len(pair) == 2}
    return value if isinstance(value, dict) else {}


def _below(unmapped, name):
    """Returns the members of an object that is written as `object.member`."""
    inner = unmapped.get(name)
    flat = {key[len(name) + 1 :]: value for key, value in unmapped.items() if key.startswith(f"{name}.")}
    return {**flat, **(inner if isinstance(inner, dict) else {})}


def _parsed(value):
    """Returns an object that is written as text."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return {}
    return value if isinstance(value, dict) else {}


READERS = {"guardduty": of_guardduty, "securityhub": of_securityhub, "dns": _resolver, "alb": of_alb, "nlb": of_nlb, "clb": of_clb, "waf": of_waf}

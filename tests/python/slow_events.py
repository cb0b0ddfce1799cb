"""Events as the mapping says, made slowly and by hand of one record: a dict of AWS's names to texts, numbers and None.

The oracle of the engine's writer, with which it shares no code and no table.
"""

import datetime

CAPTIONS = {4: "Same VPC", 5: "Internet/VPC Gateway", 6: "Virtual Private Gateway", 7: "Intra-region VPC",
            8: "Inter-region VPC", 9: "Local Gateway", 10: "Gateway VPC", 11: "Internet Gateway"}  # fmt: skip
PROTOCOLS = {1: "icmp", 6: "tcp", 17: "udp", 47: "gre", 50: "esp", 58: "icmpv6"}


def rfc3339(seconds):
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def without_none(value):
    """The value without members that are None, and without objects and lists that are then empty."""
    if isinstance(value, dict):
        members = {name: without_none(member) for name, member in value.items()}
        return {name: member for name, member in members.items() if member not in (None, {}, [])}
    return [member for member in map(without_none, value) if member is not None] if isinstance(value, list) else value


def end_of(record):
    return {"egress": "src", "ingress": "dst"}.get(record.get("flow-direction"), "device")


def ocsf(record, uid, version="1.5.0"):
    r = dict(record)
    get = r.get
    action, status, start, end = get("action"), get("log-status"), get("start"), get("end")
    if action == "ACCEPT":
        says = {"action": "Allowed", "action_id": 1, "disposition": "Allowed", "disposition_id": 1}
    elif action == "REJECT":
        says = {"action": "Denied", "action_id": 2, "disposition": "Blocked", "disposition_id": 2}
    elif action is not None:
        says = {"action": "Other", "action_id": 99, "disposition": "Other", "disposition_id": 99}
    else:
        says = {"action": "Unknown", "action_id": 0, "disposition": "Unknown", "disposition_id": 0}
    if action == "REJECT":
        says |= {"activity_id": 5, "activity_name": "Refuse", "type_uid": 400105}
    elif action is None and status in ("NODATA", "SKIPDATA"):
        says |= {"activity_id": 0, "activity_name": "Unknown", "type_uid": 400100}
    else:
        says |= {"activity_id": 6, "activity_name": "Traffic", "type_uid": 400106}
    time = start if start is not None else end if end is not None else 0
    ids = {"interface_uid": get("interface-id"), "vpc_uid": get("vpc-id"), "subnet_uid": get("subnet-id"),
           "instance_uid": get("instance-id")}  # fmt: skip
    ends = {"src": {}, "dst": {}, "device": {}}
    ends[end_of(r)] = ids
    observables = []
    endpoints = {}
    for side in ("src", "dst"):
        own, pkt = get(f"{side}addr"), get(f"pkt-{side}addr")
        nat = own if own is not None and pkt is not None and own != pkt else None
        ip = pkt if pkt is not None else own
        endpoint = {"ip": ip, "intermediate_ips": [nat] if nat else None, "port": get(f"{side}port"),
                    "svc_name": get(f"pkt-{side}-aws-service"), **ends[side]}  # fmt: skip
        if all(endpoint.get(name) is None for name in ("ip", "svc_name", "interface_uid", "instance_uid")):
            endpoint["name"] = "unknown"
        endpoints[f"{side}_endpoint"] = endpoint
        for name, value in (("ip", ip), ("intermediate_ips", nat)):
            if value is not None:
                observables.append({"name": f"{side}_endpoint.{name}", "type": "IP Address", "type_id": 2, "value": value})
    device = ends["device"]
    if any(value is not None for value in device.values()):
        device["type_id"] = 0
        if device["interface_uid"] is None and device["instance_uid"] is None:
            device["name"] = "unknown"
    direction, path, kind, protocol = get("flow-direction"), get("traffic-path"), get("type"), get("protocol")
    info = {"protocol_num": protocol, "protocol_name": PROTOCOLS.get(protocol), "tcp_flags": get("tcp-flags"),
            "direction": "Unknown", "direction_id": 0}  # fmt: skip
    unmapped = {}
    if kind is not None:
        info["protocol_ver_id"] = {"IPv4": 4, "IPv6": 6}.get(kind, 99)
        info["protocol_ver"] = f"Internet Protocol version {kind[-1]} ({kind})" if kind in ("IPv4", "IPv6") else "Other"
        if kind not in ("IPv4", "IPv6"):
            unmapped["type"] = kind
    if direction is not None:
        info["direction_id"] = {"ingress": 1, "egress": 2}.get(direction, 99)
        info["direction"] = {"ingress": "Inbound", "egress": "Outbound"}.get(direction, "Other")
        if direction not in ("ingress", "egress"):
            unmapped["flow_direction"] = direction
    if path is not None:
        info["boundary_id"] = path + 3 if 1 <= path <= 8 else 99
        info["boundary"] = CAPTIONS.get(path + 3, "Other") if 1 <= path <= 8 else "Other"
        if not 1 <= path <= 8:
            unmapped["traffic_path"] = str(path)
    if action not in (None, "ACCEPT", "REJECT"):
        unmapped["action"] = action
    nulls = {}
    for side in ("src", "dst"):
        own, pkt = get(f"{side}addr"), get(f"pkt-{side}addr")
        if own is None and pkt is not None:
            nulls[f"{side}addr"] = None
        if own is not None and pkt is None:
            nulls[f"pkt_{side}addr"] = None
    for name in ("start", "end"):
        if get(name) is not None and get(name) * 1000 <= 2**31:
            unmapped[name] = str(get(name))
    if start is None:
        nulls["start"] = None
    placed = {"version", "account-id", "interface-id", "srcaddr", "dstaddr", "srcport", "dstport", "protocol", "packets",
              "bytes", "start", "end", "action", "log-status", "vpc-id", "subnet-id", "instance-id", "tcp-flags", "type",
              "pkt-srcaddr", "pkt-dstaddr", "region", "az-id", "pkt-src-aws-service", "pkt-dst-aws-service",
              "flow-direction", "traffic-path"}  # fmt: skip
    for name, value in r.items():
        if name not in placed and value is not None:
            unmapped[name.replace("-", "_")] = str(value)
    out = without_none({
        "metadata": {"uid": uid, "version": version, "profiles": ["cloud", "datetime", "host", "security_control"],
                     "product": {"name": "Amazon VPC", "vendor_name": "AWS", "feature": {"name": "Flowlogs"},
                                 "version": None if get("version") is None else str(get("version"))}},
        "class_uid": 4001, "class_name": "Network Activity", "category_uid": 4, "severity_id": 1, **says,
        "time": time * 1000, "time_dt": rfc3339(time), "start_time": None if start is None else start * 1000,
        "end_time": None if end is None else end * 1000, "end_time_dt": None if end is None else rfc3339(end),
        "duration": None if start is None or end is None or end < start else (end - start) * 1000,
        "cloud": {"provider": "AWS", "account": {"uid": get("account-id")}, "region": get("region"), "zone": get("az-id")},
        **endpoints, "device": device, "connection_info": info,
        "traffic": {"bytes": get("bytes"), "packets": get("packets"), "bytes_out": get("bytes"), "packets_out": get("packets")},
        "status_code": status,
        "status": None if status is None else {"OK": "Success", "NODATA": "Success", "SKIPDATA": "Failure"}.get(status, "Other"),
        "status_id": None if status is None else {"OK": 1, "NODATA": 1, "SKIPDATA": 2}.get(status, 99),
        "status_detail": get("reject-reason") if status is not None else None,
        "observables": observables,
    })  # fmt: skip
    if unmapped or nulls:
        out["unmapped"] = {**unmapped, **nulls}
    return out


def ecs(record, uid):
    get = dict(record).get
    start, end, action, kind = get("start"), get("end"), get("action"), get("type")
    status, direction = get("log-status"), get("flow-direction")
    last = end if end is not None else start if start is not None else 0
    types = {"ACCEPT": ["connection", "allowed"], "REJECT": ["connection", "denied"]}.get(action, ["connection"])
    if action is None and status in ("NODATA", "SKIPDATA"):
        types = ["info"]
    own = {name: get(name.replace("_", "-")) for name in ("version", "interface_id", "action", "log_status", "vpc_id",
           "subnet_id", "tcp_flags", "type", "traffic_path", "reject_reason", "pkt_srcaddr", "pkt_dstaddr")}  # fmt: skip
    own["pkt_src_service"], own["pkt_dst_service"] = get("pkt-src-aws-service"), get("pkt-dst-aws-service")
    own["sublocation"] = {"type": get("sublocation-type"), "id": get("sublocation-id")}
    sides, related, nulls = {}, [], {}
    for side, name in (("src", "source"), ("dst", "destination")):
        address, pkt = get(f"{side}addr"), get(f"pkt-{side}addr")
        nat = address if address is not None and pkt is not None and address != pkt else None
        ip = pkt if pkt is not None else address
        sides[name] = {"ip": ip, "address": ip, "nat": {"ip": nat}, "port": get(f"{side}port")}
        related += [value for value in (ip, nat) if value is not None]
        if address is None and pkt is not None:
            nulls[f"{side}addr"] = None
    sides["source"] |= {"bytes": get("bytes"), "packets": get("packets")}
    placed = {"account-id", "region", "az-id", "instance-id", "srcaddr", "dstaddr", "srcport", "dstport", "protocol",
              "packets", "bytes", "start", "end", "flow-direction", "pkt-src-aws-service", "pkt-dst-aws-service",
              "sublocation-type", "sublocation-id"}  # fmt: skip
    for name, value in dict(record).items():
        if name not in placed and name.replace("-", "_") not in own:
            own[name.replace("-", "_")] = value
    if direction not in (None, "ingress", "egress"):
        own["flow_direction"] = direction
    out = without_none({
        "@timestamp": rfc3339(last), "ecs": {"version": "9.4.0"},
        "event": {"id": uid, "kind": "event", "category": ["network"], "module": "aws", "dataset": "aws.vpcflow",
                  "provider": "vpcflow", "type": types, "action": action, "reason": get("reject-reason"),
                  "outcome": {"ACCEPT": "success", "REJECT": "failure"}.get(action, "unknown"),
                  "start": None if start is None else rfc3339(start), "end": None if end is None else rfc3339(end),
                  "duration": None if start is None or end is None or end < start else (end - start) * 10**9},
        "cloud": {"provider": "aws", "account": {"id": get("account-id")}, "region": get("region"),
                  "availability_zone": get("az-id"), "instance": {"id": get("instance-id")}},
        **sides,
        "network": {"iana_number": None if get("protocol") is None else str(get("protocol")),
                    "transport": PROTOCOLS.get(get("protocol")), "type": {"IPv4": "ipv4", "IPv6": "ipv6"}.get(kind),
                    "direction": None if direction is None else direction if direction in ("ingress", "egress") else "unknown",
                    "bytes": get("bytes"), "packets": get("packets")},
        "related": {"ip": related},
        "observer": {{"src": "egress", "dst": "ingress"}.get(end_of(record), "-"): {"interface": {"id": get("interface-id")}}
                     if end_of(record) != "device" else None},
        "aws": {"vpcflow": own},
    })  # fmt: skip
    out.setdefault("aws", {}).setdefault("vpcflow", {}).update(nulls)  # tells readers what it is
    return out

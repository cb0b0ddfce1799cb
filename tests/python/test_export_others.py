"""Logs of other people as events, read back by json and pyarrow with tables written by hand, and by us: each record as it was. For
`make soak`."""

import datetime
import gzip
import json

import pytest

import vpcflow as vf
from conftest import LONG, corpora
from ocsf_schema import errors_of
from test_export import vf_quiet
from vpcflow import cli

pytestmark = [
    pytest.mark.skipif(not LONG, reason="make soak"),
    pytest.mark.skipif(corpora() is None, reason="the logs of other projects are not here (set VPCFLOW_CORPORA)"),
]
TYPES = {field.column: field.type for field in vf.fields()}
KINDS = ("ocsf-jsonl 1.5.0", "ocsf-jsonl 1.1.0", "ocsf-parquet 1.5.0", "ocsf-parquet 1.1.0", "ecs-jsonl")
#: By field: where OCSF and ECS have it. Ends that are named differently follow.
OCSF = {
    "srcport": "src_endpoint.port", "dstport": "dst_endpoint.port", "pkt_src_aws_service": "src_endpoint.svc_name",
    "pkt_dst_aws_service": "dst_endpoint.svc_name", "pkt_srcaddr": "src_endpoint.ip", "pkt_dstaddr": "dst_endpoint.ip",
    "protocol": "connection_info.protocol_num", "tcp_flags": "connection_info.tcp_flags", "bytes": "traffic.bytes",
    "packets": "traffic.packets", "account_id": "cloud.account.uid", "region": "cloud.region", "az_id": "cloud.zone",
    "log_status": "status_code", "version": "metadata.product.version",
}  # fmt: skip
ECS = {
    "srcport": "source.port", "dstport": "destination.port", "protocol": "network.iana_number", "bytes": "network.bytes",
    "packets": "network.packets", "account_id": "cloud.account.id", "region": "cloud.region", "start": "event.start",
    "end": "event.end", "az_id": "cloud.availability_zone", "instance_id": "cloud.instance.id",
    "sublocation_type": "aws.vpcflow.sublocation.type", "sublocation_id": "aws.vpcflow.sublocation.id",
    "pkt_src_aws_service": "aws.vpcflow.pkt_src_service", "pkt_dst_aws_service": "aws.vpcflow.pkt_dst_service",
}  # fmt: skip


def files():
    others = [path for path in sorted(corpora().rglob("*")) if path.is_file() and "expected" not in path.name]
    cases = [path for path in sorted((corpora().parent / "cases").glob("*/*")) if path.stem in ("input", "flow", "t")]
    return [*others, *cases]


def at(event, path):
    for name in path.split("."):
        event = (event or {}).get(name)
    return event


def plain(row):
    """A record by its columns: those of the catalogue, without nulls, times in seconds."""
    for name in ("start", "end"):
        if isinstance(row.get(name), datetime.datetime):
            row[name] = int(row[name].timestamp())
    return {name: value for name, value in row.items() if name in TYPES and value is not None}


def typed(own):
    """Values of unmapped fields, which are texts in OCSF."""
    whole = ("int", "uint", "time")
    return {k: int(v) if v is not None and TYPES.get(k, "").startswith(whole) else v for k, v in own.items()}


def of_ocsf(event):
    row = {name: at(event, path) for name, path in OCSF.items()}
    row["version"] = int(row["version"]) if row["version"] else None
    for side in ("src", "dst"):
        ip = at(event, f"{side}_endpoint.ip")
        row[f"{side}addr"] = next(iter(at(event, f"{side}_endpoint.intermediate_ips") or []), ip)
    for name in ("interface", "vpc", "subnet", "instance"):
        found = {at(event, f"{end}.{name}_uid") for end in ("src_endpoint", "dst_endpoint", "device")} - {None}
        assert len(found) < 2
        row[f"{name}_id"] = next(iter(found), None)
    for name in ("start", "end"):
        when = event.get(f"{name}_time")
        row[name] = when // 1000 if when is not None else None
    row["action"] = {1: "ACCEPT", 2: "REJECT"}.get(event["action_id"])
    row["type"] = {4: "IPv4", 6: "IPv6"}.get(at(event, "connection_info.protocol_ver_id"))
    row["flow_direction"] = {1: "ingress", 2: "egress"}.get(at(event, "connection_info.direction_id"))
    path = at(event, "connection_info.boundary_id")
    row["traffic_path"] = path - 3 if path not in (None, 99) else None
    return plain(row | typed(dict(event.get("unmapped") or {})))


def of_ecs(event):
    row = {name: at(event, path) for name, path in ECS.items()}
    row["protocol"] = int(row["protocol"]) if row["protocol"] else None
    for name in ("start", "end"):
        row[name] = row[name] and datetime.datetime.fromisoformat(row[name].replace("Z", "+00:00"))
    for side, end in (("src", "source"), ("dst", "destination")):
        row[f"{side}addr"] = at(event, f"{end}.nat.ip") or at(event, f"{end}.ip")
    row["flow_direction"] = at(event, "network.direction")
    return plain(row | typed(at(event, "aws.vpcflow") or {}))


def records_of(path):
    return [plain(row) for row in vf.scan(str(path))._with(allow_missing=True).collect().rows()]


def events_of(path):
    if path.suffix == ".parquet":
        pyarrow = pytest.importorskip("pyarrow.parquet")
        return pyarrow.read_table(path).to_pylist()
    return [json.loads(line) for line in gzip.open(path)]


@pytest.mark.parametrize("path", files() if LONG and corpora() else [], ids=lambda path: f"{path.parent.name}/{path.name}")
def test_logs_of_others_come_back(path, tmp_path, capsys):
    with vf_quiet():
        try:
            records = records_of(path)
        except vf.VpcflowError as error:
            pytest.skip(f"no log: {type(error).__name__}")
        for kind in KINDS:
            to, _, version = kind.partition(" ")
            out = tmp_path / f"{kind.replace(' ', '-')}{'.parquet' if 'parquet' in to else '.jsonl.gz'}"
            options = ["--to", to, "--unit", "records", *(["--ocsf-version", version] if version else [])]
            assert cli.main(["convert", str(path), "-o", str(out), *options]) == 0
            events = events_of(out)
            by_hand = [(of_ocsf if version else of_ecs)(event) for event in events]
            assert by_hand == records, kind
            assert records_of(out) == records, kind
            if version and "jsonl" in to:
                assert [error for event in events for error in errors_of(event, version, "network_activity")] == []


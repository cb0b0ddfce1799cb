"""What is served over HTTP: equal to the aggregates of commands, refused where it should be."""

import contextlib
import http.client
import io
import json
import os
import pathlib
import random
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
import types

import pytest

import vpcflow as vf
from any_logs import any_log
from conftest import LONG, run_cli
from vpcflow.analyze.questions import TABLES
from vpcflow.cli import main
from vpcflow.cli.serve import _counted
from vpcflow.detect.settings import Settings
from vpcflow.errors import RuleError
from vpcflow.io.listening import Listener
from vpcflow.io.packed import RefusedError
from vpcflow.serve import Board, Server, exposition, gather, gathering, history
from vpcflow.serve.metrics import MOST_SERIES, families_of

MADE = vf.synth(6000, seed=3, plant="port_scan", peers=60, noise_sources=60)
TOKEN = "CANARYtoken"
EVERY_TABLE = gathering._TABLES


@pytest.fixture(scope="module")
def figures():
    return gather(vf.scan(MADE.data), settings=Settings())


@pytest.fixture(scope="module")
def served(figures):
    server = Server("127.0.0.1", 0, Board(figures), hosts=("logs.example",))
    thread = threading.Thread(target=server.run)
    thread.start()
    yield server
    server.stop()
    thread.join(20)
    assert not thread.is_alive()


def get(server, path, method="GET", body=None, **headers):
    """Asks as a plain client does; returns status, headers and body."""
    connection = http.client.HTTPConnection(server.url[7:-1], timeout=20)
    try:
        connection.request(method, path, body, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


def rows(server, path):
    status, headers, body = get(server, path)
    assert status == 200, body
    return json.loads(body), headers


@pytest.mark.parametrize(
    ("path", "by", "where", "measure"),
    [
        ("talkers?limit=7", ["srcaddr"], None, "bytes"),
        ("talkers?limit=7&where=dstport%3D443&", ["srcaddr"], "dstport=443", "bytes"),
        ("pairs?limit=5", ["srcaddr", "dstaddr"], None, "bytes"),
        ("rejected_ports?limit=5", ["dstport", "protocol"], "action = 'REJECT'", "records"),
        ("rejects?limit=5&where=dstaddr+in+'10.0.0.0/8'", ["srcaddr", "dstaddr", "dstport", "protocol"],
         "action = 'REJECT' and dstaddr in '10.0.0.0/8'", "records"),
        ("ports?limit=4", ["dstport", "protocol"], "dstport < 32768 and action != 'REJECT'", "bytes"),
    ],
)  # fmt: skip
def test_a_table_is_the_aggregate(served, path, by, where, measure):
    found, headers = rows(served, f"/api/v1/table/{path}")
    flows = vf.scan(MADE.data)
    flows = flows.filter(where) if where else flows
    limit = int(path.partition("limit=")[2].partition("&")[0])
    query = flows.group_by(*by).agg(bytes=vf.sum("bytes"), packets=vf.sum("packets"), records=vf.count())
    expected = query.top_k(limit, by=measure).collect().rows()
    names = [*by, "bytes", "packets", "records"]
    assert [{name: row[name] for name in names} for row in found] == [{name: row[name] for name in names} for row in expected]
    total = sum(row[measure] for row in query.collect())
    assert {(row["total"], row["other"]) for row in found} == {(total, total - sum(row[measure] for row in found))}
    assert headers["X-Vpcflow-Total"] == str(total)


def test_a_part_of_the_time_is_that_of_commands(served, figures):
    bins = sorted(row["time"] for row in figures.totals)
    start, end = bins[2] + 17, bins[len(bins) // 2] + 1
    found, headers = rows(served, f"/api/v1/table/talkers?from={start * 1000}&to={end * 1000}&limit=1000")
    start, end = start // 300 * 300, -(-end // 300) * 300
    assert (headers["X-Vpcflow-From"], headers["X-Vpcflow-To"]) == (str(start * 1000), str(end * 1000))
    flows = vf.scan(MADE.data).filter(f"start >= {start} and start < {end}")
    expected = {row["srcaddr"]: row["bytes"] for row in flows.group_by("srcaddr").agg(bytes=vf.sum("bytes")).collect()}
    assert {row["srcaddr"]: row["bytes"] for row in found} == expected


def test_series_and_counters_sum_up_to_all(served, figures):
    total = vf.scan(MADE.data).agg(bytes=vf.sum("bytes"), n=vf.count()).collect().rows()[0]
    by_action, _ = rows(served, "/api/v1/series/bytes")
    by_protocol, _ = rows(served, "/api/v1/series/bytes?by=protocol&limit=1")
    assert sum(row["value"] for row in by_action) == sum(row["value"] for row in by_protocol) == total["bytes"]
    assert {row["series"] for row in by_protocol} == {"other"}
    assert all(row["time"] % 300_000 == 0 for row in by_action)
    text = exposition(Board(figures))
    for name, expected in (("bytes", total["bytes"]), ("records", total["n"])):
        for metric in (f"vpcflow_{name}_total", f"vpcflow_service_{name}_total", f"vpcflow_place_{name}_total"):
            lines = [line for line in text.splitlines() if line.startswith(f"{metric}{{")]
            assert sum(int(line.rpartition(" ")[2]) for line in lines) == expected, metric


def test_history_ends_where_the_counters_are(figures):
    last, times = {}, {}
    lines = "".join(history(figures)).splitlines()
    assert lines[-1] == "# EOF"
    for line in lines:
        if not line.startswith("#"):
            name, value, time_ = line.rsplit(" ", 2)
            assert int(value) >= last.get(name, 0)
            assert int(time_) > times.get(name, 0)
            last[name], times[name] = int(value), int(time_)
    now = {}
    for line in exposition(Board(figures)).splitlines():
        if not line.startswith("#") and "_total{" in line:
            now[line.rpartition(" ")[0]] = int(line.rpartition(" ")[2])
    assert last == now
    assert len(set(times.values())) == 1


def test_the_graph_holds_together(served):
    nodes, _ = rows(served, "/api/v1/nodes?limit=20")
    edges, headers = rows(served, "/api/v1/edges?limit=20")
    assert 1 < len(nodes) <= 20
    assert len(edges) <= 20
    ids = {node["id"] for node in nodes}
    assert {end for edge in edges for end in (edge["source"], edge["target"])} <= ids
    assert all(abs(node["arc__accepted"] + node["arc__rejected"] - 1) < 1e-6 for node in nodes)
    whole, _ = rows(served, "/api/v1/edges?limit=20")
    assert sum(edge["detail__bytes"] for edge in whole) + whole[0]["other"] == whole[0]["total"]
    assert headers["X-Vpcflow-Total"] == str(whole[0]["total"])


def test_findings_are_annotations_in_milliseconds(served, figures):
    expected = vf.detect(vf.scan(MADE.data))
    found, _ = rows(served, "/api/v1/annotations")
    assert [(row["time"], row["timeEnd"], row["text"]) for row in found] == [(f.start * 1000, f.end * 1000, f.sentence) for f in expected]
    assert found
    late = max(f.end for f in expected) + 3600
    assert rows(served, f"/api/v1/annotations?from={late * 1000}")[0] == []
    assert [row["id"] for row in rows(served, "/api/v1/table/findings")[0]] == [f.id for f in expected]


def test_coverage_is_said_with_every_table(served):
    minutes = dict.fromkeys(("OK", "NODATA", "SKIPDATA", "absent"), 0)
    for row in vf.scan(MADE.data).coverage():
        minutes[row["seen"]] += row["minutes"]
    share = (minutes["OK"] + minutes["NODATA"]) / sum(minutes.values())
    for path in ("table/talkers", "nodes", "edges", "annotations", "series/bytes", "table/coverage"):
        _, headers = rows(served, f"/api/v1/{path}")
        assert headers["X-Vpcflow-Coverage"].startswith(f"{share:.4f}; absent-minutes={minutes['absent']};")


PLACED = [
    {"account-id": f"{n % 3:012}", "region": ("eu-west-1", "-")[n % 2], "vpc-id": f"vpc-{n % 4}", "interface-id": f"eni-{n % 8}",
     "srcaddr": f"10.0.0.{n % 16}", "dstaddr": f"10.0.1.{n % 5}", "dstport": str((443, 22)[n % 2]), "protocol": "6",
     "action": ("ACCEPT", "ACCEPT", "REJECT")[n % 3], "flow-direction": ("ingress", "egress")[n // 8 % 2],
     "packets": "1", "bytes": str(100 + n), "start": str(600 * (n % 7)), "end": str(600 * (n % 7) + 50)}
    for n in range(480)
]  # fmt: skip


@pytest.fixture(scope="module")
def placed():
    return vf.scan("\n".join([" ".join(PLACED[0]), *(" ".join(row.values()) for row in PLACED)]).encode())


@pytest.mark.parametrize(
    ("query", "chosen"),
    [
        ("account=000000000001", {"account-id": "000000000001"}), ("region=eu-west-1", {"region": "eu-west-1"}),
        ("region=-", {"region": "-"}), ("vpc=vpc-2&action=accept", {"vpc-id": "vpc-2", "action": "ACCEPT"}),
        ("interface=eni-5&service=ssh", {"interface-id": "eni-5", "dstport": "22"}), ("vpc=all&account=&interface=*", {}),
        ("vpc=it's", {"vpc-id": "it's"}), ("where=vpc_id+%3D+'vpc-1'+and+flow_direction+%3D+'egress'", {"vpc-id": "vpc-1", "flow-direction": "egress"}),
    ],
)  # fmt: skip
def test_places_are_chosen(placed, query, chosen):
    """Each table and series of an account, a region, a VPC or an interface is that of its records alone."""
    server = Server("127.0.0.1", 0, Board(gather(placed)))
    own = [row for row in PLACED if all(row[name] == value for name, value in chosen.items())]
    whole = sum(int(row["bytes"]) for row in own)

    def asked(path):
        return json.loads(server.reply(f"/api/v1/{path}{'&' if '?' in path else '?'}{query.replace(' ', '+')}").body)

    try:
        for path, field in (("talkers", "srcaddr"), ("accounts", "account-id"), ("vpcs", "vpc-id"), ("interfaces", "interface-id"), ("regions", "region")):
            sums = {}
            for row in own:
                sums[row[field]] = sums.get(row[field], 0) + int(row["bytes"])
            found = asked(f"table/{path}")
            assert {row[field.replace("-", "_")] or "-": row["bytes"] for row in found} == sums
            assert all((row["total"], row["other"]) == (whole, 0) for row in found)
        for by, field in (("action", "action"), ("direction", "flow-direction")):
            sums = {}
            for row in own:
                key = (int(row["start"]) // 300 * 300_000, row[field])
                sums[key] = sums.get(key, 0) + int(row["bytes"])
            assert {(row["time"], row["series"]): row["value"] for row in asked(f"series/bytes?by={by}")} == sums
        assert sum(row["detail__bytes"] for row in asked("edges")) == whole
    finally:
        server.close()


def test_places_that_are_not_told_apart_are_said(placed):
    """Beyond the flows that are held what would be wrong is refused, and what is known of all is served."""
    others = ({**row, "interface-id": "eni-9"} for row in PLACED)  # 960 flows at interfaces, 480 of both together
    twice = vf.scan("\n".join([" ".join(PLACED[0]), *(" ".join(row.values()) for row in (*PLACED, *others))]).encode())
    server, many = Server("127.0.0.1", 0, Board(gather(twice, most=960))), Server("127.0.0.1", 0, Board(gather(twice, most=500)))
    bare = Server("127.0.0.1", 0, Board(gather(vf.scan(b"srcaddr bytes\n10.0.0.1 4\n"))))
    try:
        assert json.loads(server.reply("/api/v1/table/vpcs?vpc=vpc-1").body)[0]["vpc_id"] == "vpc-1"
        assert json.loads(many.reply("/api/v1/table/talkers?action=REJECT").body)
        assert {row["account_id"] for row in json.loads(many.reply("/api/v1/table/accounts").body)} == {row["account-id"] for row in PLACED}
        for path in ("table/talkers?vpc=vpc-1", "table/vpcs", "nodes?interface=eni-1", "series/bytes?account=000000000001", "series/bytes?by=direction&action=REJECT"):
            with pytest.raises(RefusedError, match="does not tell flows apart by it"):
                many.reply(f"/api/v1/{path}")
        for path in ("table/talkers?vpc=vpc-1", "table/vpcs"):
            with pytest.raises(RefusedError, match="vpc: the logs lack vpc-id"):
                bare.reply(f"/api/v1/{path}")
    finally:
        for one in (server, many, bare):
            one.close()


def test_findings_and_coverage_are_of_what_is_chosen(served, figures):
    actor = figures.findings[0].actor
    own = rows(served, f"/api/v1/table/findings?address={actor}")[0]
    assert 0 < len(own) <= len(figures.findings)
    assert all(actor in (row["actor"], *row["targets"].split(", ")) for row in own)
    assert rows(served, "/api/v1/annotations?address=192.0.2.77")[0] == []
    name = figures.coverage[0]["interface_id"]
    assert {row["interface_id"] for row in rows(served, f"/api/v1/table/coverage?interface={name}")[0]} == {name}
    assert {row["series"] for row in rows(served, f"/api/v1/series/status?interface={name}")[0]} == {name}


@pytest.mark.parametrize(
    ("path", "status", "says"),
    [
        ("/api/v1/table/talkers?interface=%1b", 400, "interface: "), ("/api/v1/table/talkers?vpc=" + "v" * 201, 400, "at most 200"),
        ("/api/v1/table/coverage?vpc=vpc-1", 400, "no parameter 'vpc'"), ("/api/v1/table/interfacez", 404, "did you mean '/api/v1/table/interfaces'"),
        ("/api/v1/table/talkers?limit=0", 400, "1 to 1,000"),
        ("/api/v1/table/talkers?limit=1001", 400, "1 to 1,000"),
        ("/api/v1/table/talkers?limit=-1", 400, "1 to 1,000"),
        ("/api/v1/table/talkers?limit=%D9%A1", 400, "1 to 1,000"),
        ("/api/v1/table/talkers?limit=5&limit=6", 400, "twice"),
        ("/api/v1/table/talkers?limt=5", 400, "did you mean 'limit'"),
        ("/api/v1/table/talkers?%ff", 400, "cannot be read"),
        ("/api/v1/table/talkers?" + "a=1&" * 30, 400, "cannot be read"),
        ("/api/v1/table/talkers?from=yesterday", 400, "from: 'yesterday'"),
        ("/api/v1/table/talkers?from=99999999999999999999", 400, "from:"),
        ("/api/v1/table/talkers?from=2000000000000&to=1000000000000", 400, "before it begins"),
        ("/api/v1/table/talkers?where=dstport+lik+3", 400, "found 'lik'"),
        ("/api/v1/table/talkers?where=bytes+>+5".replace(">", "%3E"), 400, "bytes"),
        ("/api/v1/table/talkers?where=action%3D'DENY'", 400, "DENY"),
        ("/api/v1/table/talkers?where=" + "not+" * 600, 400, "at most 2,000"),
        ("/api/v1/table/talkers?where=" + "(" * 1500, 400, "where:"),
        ("/api/v1/series/bytes?by=acton", 400, "did you mean 'action'"),
        ("/api/v1/table/talkerz", 404, "did you mean '/api/v1/table/talkers'"),
        ("/api/v1/../../etc/passwd", 404, "no "),
        ("/metrics?x=1", 400, "no parameters"),
    ],
)
def test_hostile_parameters_are_refused(served, path, status, says):
    found, headers, body = get(served, path)
    assert (found, headers["Content-Type"]) == (status, "application/json")
    assert says in json.loads(body)["error"]
    assert b"Traceback" not in body


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost:1", 200), ("127.0.0.1", 200), ("[::1]:80", 200), ("LOGS.example", 200), ("evil.example", 403),
        ("127.0.0.1.evil.example", 403), ("", 403), ("10.0.0.1", 403), ("localhost:1@evil.example", 403),
    ],
)  # fmt: skip
def test_the_host_is_checked(served, host, status):
    assert get(served, "/api/v1/table/talkers", Host=host)[0] == status


def test_only_get_is_answered(served):
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        status, headers, _ = get(served, "/api/v1/table/talkers", method, b"x" if method == "POST" else None)
        assert (status, headers["Allow"]) == (405, "GET, HEAD, OPTIONS")
    assert get(served, "/api/v1/nodes", "OPTIONS")[1]["Allow"] == "GET, HEAD, OPTIONS"
    for path in ("/api/v1/table/talkers?limit=3", "/metrics", "/api/v1/table/talkerz"):  # the head is that of GET
        (status, headers, body), (of_head, head, nothing) = get(served, path), get(served, path, "HEAD")
        assert (of_head, nothing) == (status, b"")
        assert {name: head[name] for name in headers if name != "Date"} == {name: headers[name] for name in headers if name != "Date"}
        assert head["Content-Length"] == str(len(body))
    assert get(served, "/", "BREW")[0] == 501
    assert get(served, "/", "GET", b"body")[0] == 400


def test_beyond_this_machine_a_token_is_needed(figures):
    with pytest.raises(RuleError, match="--token"):
        Server("0.0.0.0", 0, Board(figures))
    server = Server("127.0.0.1", 0, Board(figures), TOKEN)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        for given in (None, "Bearer wrong", TOKEN, "Basic " + TOKEN, "Bearer " + TOKEN + "x"):
            status, headers, body = get(server, "/metrics", **({"Authorization": given} if given else {}))
            assert (status, headers["WWW-Authenticate"]) == (401, "Bearer")
            assert b"vpcflow_" not in body
            assert TOKEN.encode() not in body
        assert get(server, "/metrics", Authorization=f"Bearer {TOKEN}")[0] == 200
    finally:
        server.stop()
        thread.join(20)


def test_slow_clients_do_not_block_others(figures):
    server = Server("127.0.0.1", 0, Board(figures))
    server._listener._most = 40
    server._listener._patience = 0.5
    thread = threading.Thread(target=server.run)
    thread.start()
    host, port = server.url[7:-1].split(":")
    try:
        slow = [socket.create_connection((host, int(port)), 5) for _ in range(30)]
        for one in slow:
            one.sendall(b"GET /metrics HTTP/1.1\r\nHo")
        assert get(server, "/metrics")[0] == 200
        ended = []
        for one in slow:  # each ends, although a byte of it comes now and then
            one.settimeout(5)
            try:
                for _ in range(2):
                    one.sendall(b"s")
                ended.append(one.recv(100))
            except ConnectionError:
                ended.append(b"")
            one.close()
        assert len(ended) == 30
        assert all(b" 200 " not in data for data in ended)
    finally:
        server.stop()
        thread.join(20)
    assert not thread.is_alive()


def test_who_never_reads_does_not_block_others(served):
    """Each asks for more than all buffers hold, and takes none of it."""
    host, port = served.url[7:-1].split(":")
    request = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"
    deaf = []
    for _ in range(20):
        one = socket.socket()
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        one.connect((host, int(port)))
        one.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            for _ in range(200):
                one.send(request * 50)
        deaf.append(one)
    try:
        for path in ("/metrics", "/api/v1/table/talkers?limit=3", "/api/v1/nodes"):
            assert get(served, path)[0] == 200
    finally:
        for one in deaf:
            one.close()


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", 414),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"X: y\r\n" * 200 + b"\r\n", 431),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"y" * 70_000 + b"\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n", 403),
        (b"GET / HTTP/1.1\r\n\r\n", 403),
        (b"GET / HTTP/9.9\r\nHost: localhost\r\n\r\n", 505),
        (b"GET http://evil.example/metrics HTTP/1.1\r\nHost: localhost\r\n\r\n", 404),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 \r\n\r\n", 400),
        (b"GET /%00%0d%0aX-Evil:1 HTTP/1.1\r\nHost: localhost\r\n\r\n", 404),
    ],
)
def test_what_is_no_request_is_refused_in_json(served, request_, status):
    host, port = served.url[7:-1].split(":")
    with socket.create_connection((host, int(port)), 10) as own:
        own.sendall(request_)
        answer = http.client.HTTPResponse(own)
        answer.begin()
        body = answer.read()
    assert (answer.status, answer.headers["Content-Type"]) == (status, "application/json")
    assert json.loads(body)["error"]
    assert b"evil" not in body or status == 404
    assert answer.headers["X-Evil"] is None


def test_more_connections_than_it_holds_are_refused(served):
    listener = Listener("127.0.0.1", 0, served._listener.RequestHandlerClass, most=1)
    thread = threading.Thread(target=listener.run)
    thread.start()
    try:
        with socket.create_connection(listener.server_address[:2], 5) as first:
            first.sendall(b"G")
            time.sleep(0.05)
            with socket.create_connection(listener.server_address[:2], 5) as second:
                assert second.recv(100).startswith(b"HTTP/1.1 503 ")
    finally:
        listener.stop()
        thread.join(20)


def answered(figures, path):
    server = Server("127.0.0.1", 0, Board(figures))
    try:
        made = server.reply(f"/api/v1/{path}")
    finally:
        server.close()
    return json.loads(made.body), made.headers


@pytest.fixture(scope="module")
def many():
    """Few heavy sources among many light ones, in which each of the tables has more groups than counters have room."""
    draw = random.Random(5)
    lines = ["account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status"]
    for n in range(12_000):
        heavy = draw.random() < 0.3
        source = f"10.0.0.{draw.randrange(40)}" if heavy else f"20.{n >> 16}.{n >> 8 & 255}.{n & 255}"
        target, port = f"10.1.{draw.randrange(3)}.{draw.randrange(200)}", draw.choice([443, 22, draw.randrange(65536)])
        size, start = draw.randrange(5000, 9000) if heavy else draw.randrange(40, 400), draw.randrange(0, 7200)
        action = draw.choice(["ACCEPT", "REJECT", "REJECT"])
        lines.append(f"{100_000_000_000 + n % 900} eni-1 {source} {target} 4 {port} {6 + n % 2} 2 {size} {start} {start + 60} {action} OK")
    return vf.scan("\n".join(lines).encode())


@pytest.fixture(scope="module")
def whole(many):
    """What all groups are, by the plain way: with no limit."""
    return gather(many)


@pytest.fixture(scope="module", params=["counters", "many", "few"])
def some(many, request):
    """What is served where not all groups are held: of more flows than are held, of more groups than memory is for, and
    of the same with so little that few groups are counted through the time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gathering, "_COUNTERS", 2100)
        kinds = {"counters": {"budget": 5 << 20}, "many": {"most": 50}, "few": {"budget": 1 << 20, "most": 500}}
        return gather(many, **kinds[request.param])


@pytest.mark.parametrize("part", ["", "from=1200000&to=4500000&"])
@pytest.mark.parametrize("name", EVERY_TABLE)
def test_of_groups_that_are_too_many_the_largest_are_exact(whole, some, name, part):
    """Each value is the exact one, totals are, and a group that is not listed has no more than is said."""
    assert whole.held.complete
    assert not some.held.complete
    own, (exact, _) = EVERY_TABLE[name], answered(whole, f"table/{name}?{part}limit=1000")
    found, headers = answered(some, f"table/{name}?{part}limit=20")
    keys = {tuple(row[key] for key in own.by): row for row in exact}
    bound = found[0]["bound"]
    assert headers.get("X-Vpcflow-Bound", "0") == str(bound)
    for row in found:
        expected = keys.pop(tuple(row[key] for key in own.by), None)
        if expected is not None:  # else it is none of the thousand
            assert [row[m] for m in ("bytes", "packets", "records")] == [expected[m] for m in ("bytes", "packets", "records")]
    assert {row["total"] for row in found} == {exact[0]["total"]} == {found[0]["other"] + sum(row[own.measure] for row in found)}
    assert all(row[own.measure] <= max(bound, found[-1][own.measure]) for row in keys.values())
    if name in ("talkers", "receivers", "protocols", "actions") and not part:
        assert bound == 0  # forty heavy ones stand out
    if len(found) < 20:
        assert bound > 0 or len(exact) == len(found)


def test_of_groups_that_are_too_many_the_rest_holds_together(whole, some):
    exact, bounded = (exposition(Board(figures)).splitlines() for figures in (whole, some))
    same = ("vpcflow_bytes_total{", "vpcflow_service_", "vpcflow_top_source_bytes{")
    assert [line for line in bounded if line.startswith(same)] == [line for line in exact if line.startswith(same)]
    places = next(f for f in families_of(Board(some)) if f.name == "vpcflow_place_records")
    assert sum(places.samples.values()) == 12_000
    with pytest.raises(Exception, match="--max-flows"):
        answered(some, "table/talkers?where=dstport%3D443")
    edges, headers = answered(some, "edges?limit=20")
    every = {frozenset((row["source"], row["target"])): row for row in answered(whole, "edges?limit=200")[0]}
    assert edges[0]["total"] == next(iter(every.values()))["total"] == sum(e["detail__bytes"] for e in edges) + edges[0]["other"]
    assert int(headers["X-Vpcflow-Bound"]) == edges[0]["bound"] > 0


def test_any_logs_are_gathered_alike(quiet, monkeypatch):
    """Whatever the logs have or lack: with next to no memory the totals are the same, and so is each group."""
    monkeypatch.setattr(gathering, "_COUNTERS", 2100)
    compared = 0
    for seed in range(300 if LONG else 15):
        flows = vf.scan(any_log(seed))
        try:
            exact, bounded = gather(flows), gather(flows, budget=1)
        except vf.VpcflowError:
            continue
        for name in TABLES:
            one, two = ([row for row in made.tables[name] if not row["other"]] for made in (exact, bounded))
            assert one == two, (seed, name)
            sums = [[sum(row[m] or 0 for row in made.tables[name]) for m in ("bytes", "packets", "records")] for made in (exact, bounded)]
            assert sums[0] == sums[1]
            compared += len(one) if bounded.kept else 0
        assert exposition(Board(exact)) == exposition(Board(bounded))
    assert compared > 50


def test_memory_that_is_asked_for_stays_a_limit(many):
    with pytest.raises(vf.OutOfMemoryError, match="max_memory"):
        gather(vf.scan(many._sources[0].memory(), max_memory=1))
    stream = types.SimpleNamespace(read=io.BytesIO(many._sources[0].memory()).read)
    with pytest.raises(vf.OutOfMemoryError, match="as a stream is; write them to a file"):
        gather(vf.scan(stream), budget=1 << 20)


def test_the_largest_sessions_are_held(monkeypatch, figures):
    monkeypatch.setattr(gathering, "_MOST_SESSIONS", 30)
    few = gather(vf.scan(MADE.data), settings=Settings())
    assert few.sessions == figures.sessions[:30]
    middle = sorted(row["start"] for row in figures.sessions)[len(figures.sessions) // 2] * 1000
    for part in ("limit=5", f"from={middle}&limit=25"):
        (some, headers), (exact, _) = answered(few, f"table/sessions?{part}"), answered(figures, f"table/sessions?{part}")
        assert [row["total"] for row in some] == [exact[0]["total"]] * len(some)
        assert [{**row, "other": 0} for row in some] == [{**row, "other": 0} for row in exact[: len(some)]]
        assert ("X-Vpcflow-Bound" in headers) == (len(some) < len(exact))


def test_the_number_of_series_stays(figures):
    """However many addresses and accounts there are."""
    lines = ["account-id region srcaddr dstaddr dstport protocol action bytes packets start end log-status"]
    lines += [
        f"{100000000000 + n} r{n % 40} 10.{n >> 8}.{n & 255}.1 10.9.9.9 {n} {n % 140} ACCEPT 10 1 {n} {n + 60} OK" for n in range(4000)
    ]
    many = gather(vf.scan("\n".join(lines).encode()))
    families = families_of(Board(many))
    assert sum(len(family.samples) for family in families) < MOST_SERIES
    assert not any(label == "srcaddr" or value.startswith("10.") for f in families for key in f.samples for label, value in key)
    places = next(f for f in families if f.name == "vpcflow_place_records")
    assert sum(places.samples.values()) == 4000


def test_what_logs_lack_is_no_answer():
    found = gather(vf.scan(b"srcaddr bytes start end\n10.0.0.1 9 0 60\n"), settings=Settings())
    assert set(found.lacking) == {"findings", "sessions"}
    server = Server("127.0.0.1", 0, Board(found))
    answer = json.loads(server.reply("/api/v1/table/talkers").body)
    assert answer == [{"srcaddr": "10.0.0.1", "bytes": 9, "packets": 0, "records": 1, "other": 0, "bound": 0, "total": 9}]
    for path, why in (("talkers?where=dstport%3D22", "dstport"), ("findings", "dstaddr"), ("sessions", "dstaddr"), ("severities", "dstaddr")):
        with pytest.raises(Exception, match=why):
            server.reply(f"/api/v1/table/{path}")
    assert "dstaddr" in server.reply("/api/v1/annotations").headers["X-Vpcflow-Lacking"]
    server.close()


def test_of_a_watch_its_alerts_are_served(tmp_path):
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "a.log").write_bytes(MADE.data)
    os.utime(tmp_path / "logs" / "a.log", (1760000000, 1760000000))
    state = tmp_path / "state.sqlite"
    told = tmp_path / "told.jsonl"
    assert main(["watch", str(tmp_path / "logs"), "--once", "--state", str(state), "--notify", f"jsonl:{told}"]) in (0, 1)
    board = Board(_counted(str(state)), str(state))
    actions, headers = answered(board.figures, "table/actions")
    assert sum(row["records"] for row in actions) + actions[0]["other"] == actions[0]["total"] == 5979
    assert headers["X-Vpcflow-Floor"]
    server = Server("127.0.0.1", 0, board)
    exact = vf.scan(MADE.data).group_by("srcaddr").agg(bytes=vf.sum("bytes")).top_k(5, by="bytes", other=True).collect().rows()
    talkers = json.loads(server.reply("/api/v1/table/talkers?limit=5").body)
    assert [(row["srcaddr"], row["bytes"]) for row in talkers] == [(row["srcaddr"], row["bytes"]) for row in exact[:5]]
    assert talkers[0]["other"] == exact[5]["bytes"]
    made = server.reply("/api/v1/series/records")
    assert (sum(row["value"] for row in json.loads(made.body)), made.headers["X-Vpcflow-Total"]) == (5979, "5979")
    flows = server.reply("/api/v1/table/pairs?limit=5")  # of which a watch keeps the largest flows of each slot
    every = {(row["srcaddr"], row["dstaddr"]): row["bytes"] for row in vf.scan(MADE.data).group_by("srcaddr", "dstaddr").agg(bytes=vf.sum("bytes")).collect()}
    assert all(row["bytes"] <= every[row["srcaddr"], row["dstaddr"]] for row in json.loads(flows.body))
    for path, why in (("table/sessions", "a watch keeps none"), ("series/bytes?by=protocol", "by action alone"), ("table/volume", "does not count")):
        with pytest.raises(Exception, match=why):
            server.reply(f"/api/v1/{path}")
    assert "vpcflow_top_source_bytes" in exposition(board)
    assert "_total" not in exposition(board)  # what is forgotten again is no counter
    assert len(json.loads(server.reply("/api/v1/nodes").body)) > 5
    server.close()
    server = Server("127.0.0.1", 0, Board(None, str(state)))
    found = json.loads(server.reply("/api/v1/table/findings").body)
    assert len(found) == len(told.read_text().splitlines()) > 0
    assert 'vpcflow_watch{what="alerts"} 1' in exposition(Board(None, str(state)))
    with pytest.raises(Exception, match="no logs are served"):
        server.reply("/api/v1/table/talkers")
    db = sqlite3.connect(state)  # as the watch does when it tells more
    db.execute("insert into alerts (id, finding, made) select 'more', replace(finding, 'port_scan', 'beacon'), made + 1 from alerts limit 1")
    db.commit()
    db.close()
    assert len(json.loads(server.reply("/api/v1/table/findings").body)) == len(found) + 1
    server.close()


def test_wrong_calls_say_what_is_right(tmp_path, capsys):
    (tmp_path / "a.log").write_bytes(MADE.data)
    for wrong, says in (
        (["--listen", "0.0.0.0:0"], "--token"), (["--listen", "nowhere"], "HOST:PORT"), (["--token", "x"], "env:NAME"),
        (["--token", "env:NO_SUCH"], "not set"), (["--state", "none.sqlite"], "no such state"),
    ):  # fmt: skip
        assert main(["serve", str(tmp_path / "a.log"), *wrong]) == 2
        assert says in capsys.readouterr().err


def test_the_command_reads_what_is_new_and_ends_clean(tmp_path):
    (tmp_path / "a.log").write_bytes(MADE.data)
    command = ["serve", tmp_path, "--listen", "127.0.0.1:0", "--no-detect", "--refresh", "1s"]
    serving = subprocess.Popen([sys.executable, "-m", "vpcflow", *map(str, command)], stderr=subprocess.PIPE, text=True)
    try:
        line = serving.stderr.readline()
        assert "listening at http://127.0.0.1:" in line
        server = types.SimpleNamespace(url=f"http://{line.partition('http://')[2].partition('/')[0]}/")
        (tmp_path / "b.log").write_bytes(MADE.data.replace(b" eni-", b" eni-b"))
        until = time.monotonic() + 30
        while sum(row["records"] for row in rows(server, "/api/v1/table/actions")[0]) < 11_000:
            assert time.monotonic() < until
            time.sleep(0.1)
    finally:
        serving.send_signal(signal.SIGINT)
        code, left = serving.wait(20), serving.stderr.read()
        serving.stderr.close()
    assert (code, left) == (0, "")


@pytest.mark.skipif(not LONG, reason="a minute of requests: make soak")
def test_a_minute_of_two_hundred_requests_a_second(tmp_path):
    """All are answered, with the state of a watch that grows, among clients that never finish; and memory stays."""
    (tmp_path / "a.log").write_bytes(vf.synth(200_000, seed=7, plant="all").data)
    state = tmp_path / "state.sqlite"
    run_cli("watch", tmp_path, "--once", "--settle", "0s", "--state", state, "--notify", f"jsonl:{tmp_path}/told.jsonl", check=None)
    command = ["serve", tmp_path / "a.log", "--state", state, "--listen", "127.0.0.1:0"]
    serving = subprocess.Popen([sys.executable, "-m", "vpcflow", *map(str, command)], stderr=subprocess.PIPE, text=True)
    host = serving.stderr.readline().partition("http://")[2].partition("/")[0]
    paths = ["/metrics", "/api/v1/table/talkers?limit=10", "/api/v1/nodes", "/api/v1/edges", "/api/v1/series/bytes", "/api/v1/annotations"]
    end, statuses, waits, memory = time.monotonic() + 60, [], [], []

    def ask(number):
        connection = http.client.HTTPConnection(host, timeout=30)
        turn, begun = 0, time.monotonic()
        while time.monotonic() < end:
            turn += 1
            path = paths[turn % len(paths)] if turn % 10 else f"/api/v1/table/talkers?where=dstport%3D{number * 7919 + turn}"
            asked = time.monotonic()
            connection.request("GET", path)
            answer = connection.getresponse()
            answer.read()
            statuses.append(answer.status)
            waits.append(time.monotonic() - asked)
            time.sleep(max(0.0, begun + turn * 0.04 - time.monotonic()))
        connection.close()

    def trickle():
        """Holds connections on which a byte comes now and then."""
        while time.monotonic() < end:
            held = [socket.create_connection(tuple(host.split(":")), 10) for _ in range(50)]
            for byte in b"GET /me":
                time.sleep(1)
                for one in held:
                    with contextlib.suppress(OSError):
                        one.sendall(bytes([byte]))
            for one in held:
                one.close()

    try:
        threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)] + [threading.Thread(target=trickle)]
        for thread in threads:
            thread.start()
        while time.monotonic() < end:
            time.sleep(5)
            os.utime(state)  # as if the watch had told more
            status = pathlib.Path(f"/proc/{serving.pid}/status").read_text()
            memory.append(int(status.partition("VmRSS:")[2].split()[0]) >> 10)
        for thread in threads:
            thread.join(60)
    finally:
        serving.terminate()
        serving.wait(20)
        serving.stderr.close()
    waits.sort()
    print(f"{len(statuses)} answers in a minute, half in {waits[len(waits) // 2]:.3f} s, 99 of 100 in {waits[len(waits) * 99 // 100]:.3f} s, worst {waits[-1]:.3f} s, MiB: {memory}")
    assert set(statuses) == {200}
    assert len(statuses) > 1000
    assert memory[-1] < memory[2] + 30

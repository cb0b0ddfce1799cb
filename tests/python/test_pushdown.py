"""Groupings that Logs Insights computes are those of all records; on a stand-in of it."""

import bisect
import json
import random

import pytest

import vpcflow as vf
from aws_servers import SECRET
from conftest import run_cli
from insights_stand_in import answer
from test_cloudwatch import Client
from vpcflow import cli
from vpcflow.io.aws import Connection
from vpcflow.query import pushdown
from vpcflow.query.pushdown import Pushdown

pytest.importorskip("boto3")
DAY = 1795392000  # 2026-11-23
URL = "cloudwatch:///vpc/flows?region=us-east-1"
FORMAT = "${version} ${interface-id} ${srcaddr} ${dstaddr} ${srcport} ${dstport} ${protocol} ${packets} ${bytes} ${start} ${end} ${action} ${log-status} ${tcp-flags}"


def lines(n, seed=7):
    draw = random.Random(seed)
    for k in range(n):
        start = DAY + k * 7200 // n
        if k % 40 == 0:
            yield start, f"2 eni-{k % 3} - - - - - - - {start} {start + 60} - {draw.choice(['NODATA', 'SKIPDATA'])} -"
            continue
        source = draw.choice([f"10.0.{draw.randrange(3)}.{draw.randrange(9)}", f"fd00::{draw.randrange(1, 5):x}", "203.0.113.9"])
        flags = draw.choice(["-", "2", "18"])
        yield start, f"2 eni-{k % 3} {source} 10.0.0.9 {draw.randrange(1024, 65536)} {draw.choice([22, 80, 443])} {draw.choice([6, 17])} {draw.randrange(1, 99)} {draw.randrange(40, 1 << 33)} {start} {start + draw.randrange(1, 120)} {draw.choice(['ACCEPT', 'REJECT'])} OK {flags}"


class Insights(Client):
    """CloudWatch Logs with queries. `states`: what a query says of itself before it is done."""

    def __init__(self, records, states=("Scheduled", "Running")):
        super().__init__([(start * 1000, 0, text) for start, text in records], formats=(FORMAT,))
        self.states, self.queries, self.stopped, self.meta = list(states), [], [], type("Meta", (), {"region_name": "us-east-1"})

    def start_query(self, logGroupName, startTime, endTime, queryString):  # noqa: N803
        assert logGroupName == "/vpc/flows"
        self.queries.append((startTime, endTime, queryString))
        return {"queryId": "q1"}

    def stop_query(self, queryId):  # noqa: N803
        self.stopped.append(queryId)
        return {}

    def get_query_results(self, queryId):  # noqa: N803
        if self.states:
            return {"status": self.states.pop(0), "results": []}
        start, end, query = self.queries[-1]
        begin, until = (bisect.bisect_left(self.events, (at * 1000,)) for at in (start, end + 1))
        messages = [event[3] for event in self.events[begin:until]]
        rows, matched = answer(query, messages)
        return {
            "status": "Complete",
            "results": [[{"field": name, "value": value} for name, value in row.items()] for row in rows],
            "statistics": {"bytesScanned": float(sum(map(len, messages))), "recordsScanned": float(len(messages)), "recordsMatched": float(matched)},
        }


@pytest.fixture
def served(monkeypatch):
    def serve(records, **own):
        client = Insights(records, **own)
        monkeypatch.setattr(Connection, "client", lambda self, service, region=None, **more: client)
        monkeypatch.setattr("vpcflow.io.aws.cloudwatch.Pace.wait", lambda self: None)
        monkeypatch.setattr("vpcflow.io.aws.insights._sleep", lambda seconds: None)
        return client

    return serve


RECORDS = list(lines(500))
ASKED = [
    lambda f: f.group_by("srcaddr").agg(bytes="sum(bytes)", n="count()"),
    lambda f: f.group_by("dst_port", "protocol", "action").agg(first="min(start)", last="max(end)", most="max(bytes)", least="min(packets)"),
    lambda f: f.group_by("dstport").agg(mean="mean(bytes)", each="sum(packets)", ratio="mean / each"),
    lambda f: f.group_by("interface-id", every="5m", bin_by="start").agg(bytes="sum(bytes)"),
    lambda f: f.agg(n="count()", bytes="sum(bytes)"),
    lambda f: f.group_by("tcp-flags").agg(n="count()"),
    lambda f: f.group_by("srcaddr").agg(bytes="sum(bytes)", n="count()").having("n > 7").top_k(3, by="bytes"),
    lambda f: f.group_by("srcaddr", "dstport").agg(bytes="sum(bytes)").top_k(2, by="bytes", other=True),
    lambda f: f.group_by("srcaddr").agg(n="count()").sort("n", descending=True).tail(4),
]
FILTERS = [
    None,
    "action = 'reject'",
    "dstport in (22, 443) and bytes > 1000000",
    "not (dstport = 22 or protocol = 'x')".replace(" or protocol = 'x'", " or protocol = 17"),
    "srcaddr in '10.0.0.0/16' and not srcaddr in '10.0.1.0/24'",
    "srcaddr in ('10.0.2.0/24', 'fd00::/8') or dstport between 80 and 90",
    "srcaddr not in ('10.0.0.0/8', 'fd00::/8')",
    "tcp-flags = 2",
    "tcp_flags != 2",
    "not tcp-flags = 2 and not (tcp-flags is null)",
    "tcp-flags is null and srcaddr = 'fd00::1'",
    "start >= '2026-11-23T00:30:00Z' and interface-id != 'eni-1'",
    "srcaddr not in (10.0.0.1, 10.0.0.2) and not (action = 'REJECT' and dstport = 80)",
    "dst_port not between 23 and 442 and packets <= 50",
]


@pytest.mark.parametrize("where", FILTERS)
def test_the_answer_is_that_of_all_records(served, where):
    served(RECORDS)
    for number, ask in enumerate(ASKED):
        flows = vf.scan(URL, start=DAY + 600, end=DAY + 6000)
        query = ask(flows.filter(where) if where else flows)
        result, said = Pushdown(URL, query, Connection()).run()
        wanted = query.collect()
        assert result.schema == wanted.schema, number
        assert result.rows() == wanted.rows(), number
        assert said.scanned > 300
    assert said.scanned_bytes > 20_000


def test_nothing_is_asked_before_and_little_is_scanned(served):
    client = served(RECORDS)
    flows = vf.scan(URL, start=DAY + 600, end=DAY + 1200).group_by("srcaddr").agg(n="count()")
    pushed = Pushdown(URL, flows, Connection())
    assert client.queries == []
    assert pushed.text.startswith('parse @message "* * * * * * * * * * * * * *" as f_version, f_interface_id,')
    pushed.run()
    assert [query[:2] for query in client.queries] == [(DAY + 540, DAY + 1260)]
    assert client.calls == []  # no record was read


@pytest.mark.parametrize(
    ("ask", "why"),
    [
        (lambda f: f.select("srcaddr"), "for groupings"),
        (lambda f: f.sessions(), "for groupings"),
        (lambda f: f.group_by("srcaddr", every="5m").agg(n="count()"), "give --bin-by start"),
        (lambda f: f.group_by("srcaddr").agg(n="n_unique(dstaddr)"), "n_unique(dstaddr) is not to be had"),
        (lambda f: f.group_by("srcaddr").agg(n="count() where dstport = 22"), "is not to be had"),
        (lambda f: f.group_by("srcaddr").agg(n="sum(dstport)"), "only of bytes, packets and times"),
        (lambda f: f.group_by("log_status").agg(n="count()"), "a question about log-status is of all records"),
        (lambda f: f.filter("log_status = 'NODATA'").group_by("srcaddr").agg(n="count()"), "a question about log-status"),
        (lambda f: f.filter("interface_id like 'eni%'").group_by("srcaddr").agg(n="count()"), "Logs Insights is not asked for"),
        (lambda f: f.filter("srcaddr = dstaddr").group_by("srcaddr").agg(n="count()"), "Logs Insights is not asked for"),
        (lambda f: f.filter("interface_id = 'a\"b'").group_by("srcaddr").agg(n="count()"), "Logs Insights is not asked for"),
        (lambda f: f._with(allow_missing=True).group_by("vpc-id").agg(n="count()"), "the lines have no vpc-id"),
        (lambda f: f.group_by("srcaddr").agg(**{f"n{i}": "sum(bytes)" for i in range(7)}), "so many aggregates"),
    ],
)
def test_what_cannot_be_asked_is_refused_with_its_reason(served, ask, why):
    client = served(RECORDS)
    with pytest.raises(vf.PlanError) as error:
        Pushdown(URL, ask(vf.scan(URL)), Connection())
    assert why in str(error.value)
    assert str(error.value).endswith("without it all records are read")
    assert client.queries == []


def test_answers_that_would_not_be_whole_or_exact_are_refused(served, monkeypatch):
    served(RECORDS)
    flows = vf.scan(URL).group_by("srcaddr").agg(bytes="sum(bytes)")
    with monkeypatch.context() as patch:
        patch.setattr(pushdown, "MOST_ROWS", 5)
        with pytest.raises(vf.SourceError, match="5 groups or more; Logs Insights gives no more"):
            Pushdown(URL, flows, Connection()).run()
    served([(DAY, f"2 eni-1 10.0.0.1 10.0.0.9 1 22 6 1 {1 << 53} {DAY} {DAY + 60} ACCEPT OK -")])
    with pytest.raises(vf.SourceError, match="is not exact; leave out --pushdown"):
        Pushdown(URL, vf.scan(URL).group_by("srcaddr").agg(bytes="sum(bytes)"), Connection()).run()


def test_queries_that_end_otherwise(served):
    client = served(RECORDS, states=["Scheduled", "Failed"])
    flows = vf.scan(URL).group_by("srcaddr").agg(n="count()")
    with pytest.raises(vf.SourceError, match="Logs Insights ended the query: Failed"):
        Pushdown(URL, flows, Connection()).run()
    assert client.stopped == []
    client = served(RECORDS, states=["Running"] * 10_000)
    with pytest.raises(vf.SourceError, match="did not answer within 60 minutes"):
        Pushdown(URL, flows, Connection()).run()
    assert client.stopped == ["q1"]  # one that nobody waits for is not paid for
    served([])
    with pytest.raises(vf.NoRecordsError):
        Pushdown(URL, vf.scan(URL).group_by("srcaddr").agg(n="count()"), Connection()).run()


def test_the_command_says_the_cost_first(served, capsys):
    served(RECORDS)
    asked = ["top", URL, "--by", "dstport", "--agg", "bytes=sum:bytes", "--where", "action = 'REJECT'", "--json", "--percent"]
    assert cli.main(asked) == 0
    wanted = capsys.readouterr().out
    assert cli.main([*asked, "--pushdown"]) == 0
    out, err = capsys.readouterr()
    assert out == wanted
    assert len(json.loads(out.splitlines()[0])) == 3
    told = f"(us-east-1, 0.005 USD a GB, prices of {vf.prices().published})"
    assert err.splitlines()[0] == f"vpcflow: Logs Insights: the group stores 1000 B; to scan that costs 0.0000 USD {told}"
    assert "of 500 records passed" in err
    assert cli.main(["top", "logs/", "--by", "dstport", "--pushdown"]) == 2
    assert SECRET not in out + err


def test_other_inputs_are_refused():
    done = run_cli("top", "examples/data/sample.log.gz", "--by", "dstport", "--pushdown", check=2)
    assert b"it is for one log group, cloudwatch://GROUP" in done.stderr

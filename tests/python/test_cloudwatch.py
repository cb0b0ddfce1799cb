"""Log groups of CloudWatch: the format by DescribeFlowLogs, pages, throttling; and a day followed live."""

import bisect
import random

import pytest

import vpcflow as vf
from aws_servers import SECRET, environment, moto
from conftest import run_cli
from vpcflow.io.aws import Connection, cloudwatch
from vpcflow.watch import Watch, group, status
from vpcflow.watch.store import Store

pytest.importorskip("boto3")
DAY = 1795392000  # 2026-11-23
FORMAT = "${version} ${interface-id} ${srcaddr} ${dstaddr} ${dstport} ${protocol} ${bytes} ${start} ${end} ${action} ${log-status}"
URL = "cloudwatch:///vpc/flows?region=us-east-1"


class Client:
    """CloudWatch Logs and EC2, as boto3 has them, with a clock: an event is there from its arrival on. Pages are short,
    and every third one is empty."""

    def __init__(self, events=(), clock=lambda: DAY + 10 * 86400, formats=(FORMAT,)):
        self.clock, self.formats = clock, formats
        self.events = sorted((time, f"e{n}", arrival, text) for n, (time, arrival, text) in enumerate(events))
        self.calls, self.throttled, self.denied = [], 0, False

    def describe_log_groups(self, **own):
        names = ["/vpc/flows", "/vpc/other"]
        return {
            "logGroups": [
                {"logGroupName": n, "storedBytes": 1000}
                for n in names
                if n.startswith(own.get("logGroupNamePrefix", ""))
            ]
        }

    def get_paginator(self, name):
        assert name == "describe_flow_logs"
        if self.denied:
            raise error("UnauthorizedOperation", "You are not authorized to perform this operation.")
        client = self

        class Pages:
            def paginate(self, Filters):  # noqa: N803
                assert Filters == [{"Name": "log-group-name", "Values": ["/vpc/flows"]}]
                for n, text in enumerate(client.formats):
                    yield {"FlowLogs": [{"FlowLogId": f"fl-{n}", "LogFormat": text}]}

        return Pages()

    def filter_log_events(self, logGroupName, startTime=0, endTime=1 << 60, nextToken=None):  # noqa: N803
        assert logGroupName == "/vpc/flows"
        self.calls.append((startTime, endTime))
        if self.throttled:
            self.throttled -= 1
            raise error("ThrottlingException", "Rate exceeded")
        page, at = map(int, (nextToken or "0,-1").split(","))
        if at < 0:
            at = bisect.bisect_left(self.events, (startTime,))
        if page % 3 == 1:
            return {"events": [], "nextToken": f"{page + 1},{at}"}
        out, now = [], self.clock()
        while at < len(self.events) and self.events[at][0] <= endTime and len(out) < 100:
            time, id, arrival, text = self.events[at]
            at += 1
            if arrival <= now:
                out.append({"eventId": id, "timestamp": time, "message": text})
        more = at < len(self.events) and self.events[at][0] <= endTime
        return {"events": out, **({"nextToken": f"{page + 1},{at}"} if more else {})}


def error(code, message):
    from botocore.exceptions import ClientError

    return ClientError({"Error": {"Code": code, "Message": message}}, "FilterLogEvents")


@pytest.fixture
def served(monkeypatch):
    """Makes a client the answer to every connection; no call waits."""

    def serve(client):
        monkeypatch.setattr(Connection, "client", lambda self, service, region=None, attempts=5: client)
        monkeypatch.setattr(cloudwatch.Pace, "wait", lambda self: None)
        return client

    return serve


def text(n, time, source="10.0.0.1"):
    return f"2 eni-1 {source} 10.0.0.9 22 6 {n} {time} {time + 60} ACCEPT OK"


def events(n, every=60):
    return [((DAY + i * every) * 1000, 0, text(i, DAY + i * every)) for i in range(n)]


def test_a_group_is_read_by_the_format_of_its_flow_log(served):
    client = served(Client(events(1000)))
    flows = vf.scan(URL)
    assert flows.agg(n=vf.count(), bytes=vf.sum("bytes")).collect().rows() == [{"n": 1000, "bytes": sum(range(1000))}]
    assert flows.agg(n=vf.count()).explain().startswith(f"list      {URL}: 1000 B stored, lines of 11 fields")
    some = vf.scan(URL, start=DAY + 600, end=DAY + 1200).agg(n=vf.count())
    client.calls.clear()
    assert some.collect()["n"] == [10]
    assert set(client.calls) == {((DAY + 600) * 1000 - 60000, (DAY + 1200) * 1000 + 60000 - 1)}


def test_a_format_that_nobody_knows_is_an_error_with_the_candidates(served):
    served(Client(formats=(FORMAT, "${version} ${srcaddr}")))
    with pytest.raises(
        vf.FormatError,
        match=r"2 flow logs of different formats write into it(?s:.)*fl-0: (?s:.)*fl-1: \$\{version\} \$\{srcaddr\}",
    ):
        vf.scan(URL)
    served(Client(events(3), formats=(FORMAT, FORMAT)))
    assert vf.scan(URL).agg(n=vf.count()).collect()["n"] == [3]
    served(Client(formats=()))
    with pytest.raises(vf.FormatError, match="no flow log of this account writes into it now; give its --format"):
        vf.scan(URL)
    served(Client(events(3))).denied = True
    with pytest.raises(
        vf.FormatError, match=r"its format is not known \(ec2:DescribeFlowLogs: access denied(?s:.)*give its --format"
    ):
        vf.scan(URL)
    assert vf.scan(URL, format=FORMAT).agg(n=vf.count()).collect()["n"] == [3]


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("cloudwatch://", "the log group is missing"),
        ("cloudwatch:///vpc/flow", "no log group '/vpc/flow' in this region; did you mean '/vpc/flows'"),
        ("cloudwatch:///vpc/flows?regon=x", "no option 'regon'; there is region"),
        ("cloudwatch:///vpc/flows?calls-per-second=many", "expected a number such as 2"),
    ],
)
def test_wrong_urls(served, url, said):
    served(Client())
    with pytest.raises(vf.SourceError) as error:
        vf.scan(url)
    assert said in str(error.value)


def test_a_group_without_events_is_no_all_clear(served):
    served(Client())
    with pytest.raises(vf.NoRecordsError):
        vf.scan(URL).agg(n=vf.count()).collect()


def test_throttling_makes_it_slower_and_then_faster_again():
    now, slept = [0.0], []

    def sleep(seconds):
        slept.append(seconds)
        now[0] += seconds

    pace = cloudwatch.Pace(2.0, lambda: now[0], sleep)
    for _ in range(5):
        pace.wait()
    assert slept == [0.5] * 4
    pace.slower()
    pace.wait()
    pace.wait()
    assert slept[-2:] == [1.0, 1.0]
    for _ in range(40):
        pace.faster()
    pace.wait()
    pace.wait()
    assert slept[-1] == pytest.approx(0.5)


def test_throttled_calls_are_made_again(served):
    served(Client(events(10))).throttled = 5
    assert vf.scan(URL, format=FORMAT).agg(n=vf.count()).collect()["n"] == [10]


class Live:
    """A discovery with a clock, what it gave, and how late that was."""

    def __init__(self, client, clock, since="now"):
        self.log, self.got = [], {}
        self.store = Store("s.sqlite", 1.0)
        self.group = cloudwatch.LogGroup(URL, Connection())
        self.found = group.GroupEvents(self.store, URL, Connection(), since, None, self.log.append, clock)
        self.store.open()
        self.found.begin()

    def __call__(self):
        for batch in self.found.batches(set()):
            with self.store.transaction():
                for one in batch:
                    self.found.record(one, None)
                    for line in one.path.data.decode().splitlines()[1:]:
                        self.got[line] = self.got.get(line, 0) + 1
        self.found.finished()


def test_a_day_that_comes_late_is_read_whole_and_nothing_twice(served, tmp_path, monkeypatch, capsys):
    """Delays of up to 15 minutes. Beside it, what asks for the events since its last look gets."""
    monkeypatch.chdir(tmp_path)
    draw = random.Random(7)
    now = [DAY - 60]
    made = []
    for n in range(6000):
        time = DAY + draw.randrange(86400 - 3600)
        made.append((time * 1000, time + 60 + draw.uniform(30, 15 * 60), text(n, time)))
    client = served(Client(made, lambda: now[0]))
    live, naive, last, by_third = Live(client, lambda: now[0]), set(), now[0], None
    while now[0] < DAY + 86400 + 3600:
        now[0] += 120
        live()
        naive |= {e["message"] for page in pages(client, last * 1000 + 1, now[0] * 1000) for e in page}
        last = now[0]
        if by_third is None and now[0] >= DAY + 86400:
            by_third = len(live.got)
    assert len(live.got) == 6000
    assert set(live.got.values()) == {1}
    assert len(naive) < 6000 * 0.2
    third = 6000 - (live.found._memory.mark("late-events") or 0)
    with capsys.disabled():
        print(
            f"\n  of 6,000 events {third:,} by the third pass, {len(live.got):,} in all; since the last look: {len(naive):,}",
            end=" ",
        )
    (rows,) = live.store.execute("select count(*) from seen").fetchone()
    assert rows < 1000


def pages(client, start, end):
    token = {}
    while True:
        answer = client.filter_log_events("/vpc/flows", start, end, **token)
        yield answer["events"]
        if "nextToken" not in answer:
            return
        token = {"nextToken": answer["nextToken"]}


def test_late_events_are_read_and_said(served, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    now = [DAY + 10]
    client = served(Client([((DAY + 30) * 1000, DAY + 2400, text(1, DAY + 30))], lambda: now[0]))
    live = Live(client, lambda: now[0])
    for minute in range(0, 70, 2):
        now[0] = DAY + minute * 60
        live()
    assert len(live.got) == 1
    assert live.log == [
        f"{URL}: 1 event came more than 20 minutes after their time; they were read (late-events: 1 in all)"
    ]
    assert status("s.sqlite")["late"] == 1


@pytest.mark.parametrize(("since", "found"), [("all", 100), ("24h", 24), ("now", 0)])
def test_since(served, tmp_path, monkeypatch, since, found):
    monkeypatch.chdir(tmp_path)
    now = [DAY + 99 * 3600 + 3600 + 1]
    client = served(Client(events(100, 3600), lambda: now[0]))
    live = Live(client, lambda: now[0], since)
    now[0] += 3600
    live()
    assert len(live.got) == found


def test_watch_tells_what_comes_by_rules(served, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    served(Client([((DAY + n) * 1000, 0, text(n, DAY + n, "198.51.100.7")) for n in range(30)]))
    rules = vf.rules.of([{"name": "busy", "by": ["srcaddr"], "having": "flows >= 30"}])
    with pytest.raises(vf.errors.ArgumentError, match="--since now, 24h or all"):
        Watch(URL, rules, {}, "w.sqlite")
    watch = Watch(URL, rules, {}, "w.sqlite", since="all")
    assert [alert.finding.evidence["flows"] for alert in watch.poll()] == [30]
    assert watch.poll() == []
    watch.close()


def test_on_moto(tmp_path, monkeypatch):
    """The way over the wire: a group, the format of its flow log, the command."""
    server = moto()
    try:
        for name, value in environment(server.url).items():
            monkeypatch.setenv(name, value)
        logs, ec2 = server.client("logs"), server.client("ec2")
        logs.create_log_group(logGroupName="flows")
        logs.create_log_stream(logGroupName="flows", logStreamName="eni-1-all")
        import time

        now = int(time.time())
        sent = [{"timestamp": (now - 600 + n) * 1000, "message": text(n, now - 600 + n)} for n in range(50)]
        logs.put_log_events(logGroupName="flows", logStreamName="eni-1-all", logEvents=sent)
        vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        role = "arn:aws:iam::123456789012:role/flows"
        ec2.create_flow_logs(
            ResourceType="VPC",
            ResourceIds=[vpc],
            TrafficType="ALL",
            LogGroupName="flows",
            DeliverLogsPermissionArn=role,
            LogFormat=FORMAT,
        )
        done = run_cli(
            "top", "cloudwatch://flows?region=us-east-1", "--by", "dstport", "--agg", "bytes=sum:bytes", "--json"
        )
        assert done.returncode == 0, done.stderr
        assert b'"dstport": 22' in done.stdout
        assert f'"bytes": {sum(range(50))}'.encode() in done.stdout
        assert SECRET.encode() not in done.stdout + done.stderr
    finally:
        server.close()

"""watch over a topic of Kafka: each record counted once, over kills; on a stand-in, and with VPCFLOW_LONG on a broker."""

import gzip
import json
import signal
import subprocess
import sys
import time

import pytest

import vpcflow as vf
from conftest import LONG, line, run_cli
from kafka_servers import FakeKafka, FakeTopic, broker
from vpcflow.io import kafka
from vpcflow.watch import Watch, status

RULES = [{"name": "seen", "by": ["srcaddr"], "having": "flows >= 1"}]


@pytest.fixture
def topic(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    made = FakeTopic(3)
    made.kafka = FakeKafka({"flows": made, "__consumer_offsets": FakeTopic(1)})
    made.log = []
    monkeypatch.setitem(sys.modules, "confluent_kafka", made.kafka)
    return made


def watch(topic, since=None, url="kafka://one,two:9093/flows?group=siem", **more):
    return Watch(url, vf.rules.of(RULES), {}, "w.sqlite", since=since, log=topic.log.append, **{"format": "default", **more})


def sources(alerts):
    return {alert.finding.actor: alert.finding.evidence["flows"] for alert in alerts}


def flow(n):
    return line(src=f"10.9.0.{n}")


def test_all_shapes_once_over_restarts(topic):
    topic.put(0, flow(1))
    topic.put(1, flow(2).rstrip(b"\n") + b"\n" + flow(3))  # lines
    topic.put(1, None)  # a tombstone
    topic.put(2, gzip.compress(flow(4)))
    topic.mark(2)  # the end of a transaction
    first = watch(topic, "all")
    assert sources(first.poll()) == {f"10.9.0.{n}": 1 for n in (1, 2, 3, 4)}
    assert first.poll() == []
    first.close()
    topic.put(0, flow(5))
    topic.mark(0)
    again = watch(topic)
    assert sources(again.poll()) == {"10.9.0.5": 1}
    again.close()
    assert status("w.sqlite")["events"] == 4
    assert topic.committed == {0: 2, 1: 2, 2: 1}
    assert topic.kafka.closed == len(topic.kafka.opened)
    config = topic.kafka.opened[0]
    assert config["bootstrap.servers"] == "one:9092,two:9093"
    assert (config["group.id"], config["enable.auto.commit"]) == ("siem", False)


def test_json_records(topic):
    record = {"srcaddr": "10.9.0.1", "dstaddr": "10.0.0.9", "srcport": 1, "dstport": 22, "protocol": 6, "packets": 1, "bytes": 40, "start": 1000, "end": 1060, "action": "ACCEPT", "log-status": "OK"}
    for n in (1, 2):
        topic.put(n, json.dumps({**record, "srcaddr": f"10.9.0.{n}"}).encode())
    seen = watch(topic, "all", format=None)
    assert sources(seen.poll()) == {"10.9.0.1": 1, "10.9.0.2": 1}
    seen.close()


@pytest.mark.parametrize(("since", "found"), [("all", 3), ("24h", 2), ("now", 1)])
def test_since(topic, since, found):
    now = time.time()
    topic.put(0, flow(1), now - 2 * 86400)
    topic.put(0, flow(2), now - 3600)
    seen = watch(topic, since)
    topic.put(1, flow(3), now)
    assert len(sources(seen.poll())) == found
    seen.close()


def test_partitions_that_come_later_are_read_from_their_beginning(topic):
    seen = watch(topic, "now")
    topic.partitions[3], topic.ends[3], topic.first[3] = [], 0, 0
    topic.put(3, flow(1))
    assert sources(seen.poll()) == {"10.9.0.1": 1}
    seen.close()


def test_what_retention_took_is_counted_and_said(topic):
    for n in range(1, 6):
        topic.put(0, flow(n))
    seen = watch(topic, "all")
    assert len(seen.poll()) == 5
    for n in range(6, 10):
        topic.put(0, flow(n))
    topic.drop(0, before=8)
    assert sources(seen.poll()) == {"10.9.0.9": 1}
    assert "partition 0: 3 offsets were deleted before they were read" in "\n".join(topic.log)
    topic.partitions[0], topic.ends[0], topic.first[0] = [], 0, 0
    topic.put(0, flow(11))
    assert sources(seen.poll()) == {"10.9.0.11": 1}
    assert "partition 0 was made anew" in "\n".join(topic.log)
    seen.close()


def test_an_error_within_a_poll_loses_and_repeats_nothing(topic, monkeypatch):
    for n in range(1, 6):
        topic.put(n % 3, flow(n))
    seen = watch(topic, "all")
    with monkeypatch.context() as patch:
        patch.setattr(seen._counts, "add", lambda *args: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            seen.poll()
    assert topic.committed == {}
    assert len(sources(seen.poll())) == 5
    seen.close()


def test_parts_are_counted_apart(topic, monkeypatch):
    monkeypatch.setattr(kafka, "_PART_BYTES", 150)
    for n in range(1, 8):
        topic.put(0, flow(n))
    seen = watch(topic, "all")
    assert len(sources(seen.poll())) == 7
    assert status("w.sqlite")["events"] == 7
    seen.close()


def test_bad_records_hold_up_no_others_and_a_missing_format_passes_nothing_over(topic):
    topic.put(0, b"10.9.0.1 10.0.0.9 40000 22 6\n")
    seen = watch(topic, "all", format=None)
    with pytest.raises(vf.SourceError, match="nothing was read of it yet, so nothing is passed over"):
        seen.poll()
    assert topic.committed == {}
    seen.close()
    seen = watch(topic, format="srcaddr dstaddr srcport dstport protocol")
    assert sources(seen.poll()) == {"10.9.0.1": 1}
    topic.put(1, gzip.compress(flow(2))[:20])
    topic.put(1, b"10.9.0.3 10.0.0.9 40000 22 6\n")
    assert sources(seen.poll()) == {"10.9.0.3": 1}
    assert "partition 1, offset 0: the packed data is cut off; given up" in "\n".join(topic.log)
    seen.close()


def test_a_group_that_takes_no_offsets_changes_nothing(topic):
    topic.kafka.no_commit = True
    seen = watch(topic, "all")
    for n in (1, 2):
        topic.put(0, flow(n))
        assert len(seen.poll()) == 1
    assert len([text for text in topic.log if "its group does not show how far this is" in text]) == 1
    seen.close()


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("kafka://", "the broker is missing"),
        ("kafka:///flows", "the broker is missing"),
        ("kafka://one:9092", "the topic is missing; write kafka://HOST:9092/TOPIC"),
        ("kafka://one/flow", "did you mean 'flows'?"),
        ("kafka://one/flows?grop=x", "no option 'grop'; there is group"),
        ("kafka://me:CANARY@one/flows", "no user in the URL; credentials belong into ?config=FILE"),
        ("kafka://one/flows?config=none.properties", "none.properties: cannot be read: No such file"),
        ("kafka://one/flows?config=bad.properties", "bad.properties, line 2: no property; write name=value"),
    ],
)
def test_wrong_topics(topic, url, said, tmp_path):
    (tmp_path / "bad.properties").write_text("a=b\nCANARY\n")
    with pytest.raises(vf.SourceError) as error:
        watch(topic, "all", url)
    assert said in str(error.value)
    assert "CANARY" not in str(error.value)


def test_the_state_of_another_place_is_refused_before_anything_is_asked(topic):
    watch(topic, "all").close()
    topic.kafka.down = True
    with pytest.raises(vf.RuleError, match="the state is that of kafka://one,two:9093/flows; give another --state"):
        watch(topic, "all", "kafka://one/other")
    topic.kafka.down = False
    with pytest.raises(vf.errors.ArgumentError, match="--since now, 24h or all"):
        Watch("kafka://one/flows", vf.rules.of(RULES), {}, "new.sqlite")


def test_credentials_come_from_a_file_and_stay_there(topic, tmp_path):
    (tmp_path / "k.properties").write_text("# of the team\nsecurity.protocol=SASL_SSL\nsasl.password = CANARY=\nenable.auto.commit=true\n")
    topic.put(0, flow(1))
    seen = watch(topic, "all", "kafka://one/flows?config=k.properties")
    assert len(seen.poll()) == 1
    seen.close()
    config = topic.kafka.opened[0]
    assert (config["security.protocol"], config["sasl.password"], config["enable.auto.commit"]) == ("SASL_SSL", "CANARY=", False)
    assert b"CANARY" not in (tmp_path / "w.sqlite").read_bytes()
    topic.kafka.down = True
    with pytest.raises(vf.SourceError, match="no broker answers; are host and port right"):
        watch(topic, url="kafka://one/flows?config=k.properties")


def test_without_the_library_and_by_other_commands(topic, monkeypatch):
    assert b"vpcflow watch kafka://one/flows" in run_cli("summary", "kafka://one/flows", check=2).stderr
    monkeypatch.setitem(sys.modules, "confluent_kafka", None)
    with pytest.raises(vf.SourceError, match=r"confluent-kafka is not installed; pip install 'vpcflow\[kafka\]'"):
        watch(topic, "all")


KILLED = """
import json, os, signal, sys
import vpcflow as vf
from vpcflow.io import kafka
from vpcflow.watch import Watch, store
place, count = int(sys.argv[1]), 0
kafka._PART_BYTES = 300

def dies(call):
    def counted(*args, **kwargs):
        global count
        count += 1
        if count == place:
            os.kill(os.getpid(), signal.SIGKILL)
        return call(*args, **kwargs)
    return counted

store.Store.execute = dies(store.Store.execute)
kafka.Topic.commit = dies(kafka.Topic.commit)
kafka.line_of = dies(kafka.line_of)
channel = vf.alerts.channel("jsonl:out.jsonl")
watch = Watch(sys.argv[2], vf.rules.of(json.loads(sys.argv[3])), {"out": channel}, "w.sqlite", since="all", format="default")
watch.poll()
watch.deliver()
print("whole", count)
"""


@pytest.mark.skipif(not LONG, reason="VPCFLOW_LONG: a broker of Kafka takes its time")
def test_on_a_real_broker_killed_anywhere(tmp_path, monkeypatch):
    """SIGKILL at 50 places of a look: every record counted once, every alert told once."""
    library = pytest.importorskip("confluent_kafka")
    admin = pytest.importorskip("confluent_kafka.admin")
    (tmp_path / "broker").mkdir()
    server = broker(tmp_path / "broker")
    try:
        at = server.url.removeprefix("http://")
        client = admin.AdminClient({"bootstrap.servers": at})  # has to live as long as its answer takes
        client.create_topics([admin.NewTopic("flows", 3, 1)])["flows"].result()
        producer = library.Producer({"bootstrap.servers": at})
        for n in range(20):
            for _ in range(n % 3 + 1):
                producer.produce("flows", flow(n), partition=n % 3)
        producer.flush()
        # One record lost or counted twice is a pair less or more.
        rules = [{"name": f"seen{least}", "by": ["srcaddr"], "having": f"flows >= {least}"} for least in (1, 2, 3)]
        wanted = sorted((f"seen{least}", f"10.9.0.{n}") for n in range(20) for least in range(1, n % 3 + 2))
        (tmp_path / "killed.py").write_text(KILLED)

        def run(folder, place):
            folder.mkdir(exist_ok=True)
            command = [sys.executable, str(tmp_path / "killed.py"), str(place), f"kafka://{at}/flows", json.dumps(rules)]
            return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60)

        whole = run(tmp_path / "whole", 0)
        assert whole.returncode == 0, whole.stderr
        assert told(tmp_path / "whole") == wanted
        places = int(whole.stdout.split()[1])
        for n in range(50):
            folder = tmp_path / f"killed{n}"
            assert run(folder, 1 + n * places // 50).returncode == -signal.SIGKILL
            assert run(folder, 0).returncode == 0
            assert told(folder) == wanted, n
    finally:
        server.close()


def told(folder):
    """Rules and actors of all alerts."""
    return sorted((one["detector"], one["actor"]) for one in map(json.loads, (folder / "out.jsonl").read_text().splitlines()))

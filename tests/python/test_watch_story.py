"""A synthetic day in S3 with CloudTrail beside it, followed by a watch that is killed on the way: findings, sequences and
risk in OpenSearch and Alertmanager, nothing twice, nothing lost. Against stand-ins, and the real ones in `make soak`."""

import datetime
import gzip
import json
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.request

import pytest

import vpcflow as vf
from aws_servers import free_port, opensearch, versitygw
from conftest import LONG
from s3_stand_in import StandIn
from test_alerts_end_to_end import ALERTMANAGER, ROUTES, hook, start, wait_for  # noqa: F401
from test_s3 import begun
from test_sinks import Fake, Index
from vpcflow import cli, watch
from vpcflow.correlate import write_events

pytest.importorskip("boto3")
ACCOUNT, REGION, NAMES = "123456789012", "eu-central-1", ("cloudtrail", "guardduty", "dns")
FOLDERS = {"cloudtrail": "CloudTrail", "guardduty": "GuardDuty", "dns": "vpcdnsquerylogs"}
PLANTS = "brute_force,exfiltration,port_scan"
pytestmark = pytest.mark.filterwarnings("ignore::vpcflow.DataQualityWarning")


def made(folder, records, hours):
    """Objects of a bucket by key, the stories that they tell, and places of the same as files."""
    logs = vf.synth(records, seed=3, format="v5", peers=300, noise_sources=300, interfaces=30, hours=hours, plant=PLANTS)
    stories = write_events(logs.labels, folder / "beside", seed=3, benign=300)
    header, *lines = logs.data.splitlines(keepends=True)
    column = header.split().index(b"start")
    by_hour = {}
    for text in lines:
        begin = text.split()[column]
        by_hour.setdefault(int(begin) // 3600 * 3600 if begin.isdigit() else min(by_hour), []).append(text)
    objects = {}
    when = datetime.datetime.now(datetime.timezone.utc)  # by their names: what comes into old folders is found hours later
    for hour, some in sorted(by_hour.items()):
        name = f"{ACCOUNT}_vpcflowlogs_{REGION}_fl-0planted1_{when:%Y%m%dT%H%MZ}_{hour:08x}.log.gz"
        objects[f"AWSLogs/{ACCOUNT}/vpcflowlogs/{REGION}/{when:%Y/%m/%d}/{name}"] = gzip.compress(header + b"".join(some), mtime=0)
    for name in NAMES:
        for file in sorted((folder / "beside" / name).iterdir()):
            objects[f"AWSLogs/{ACCOUNT}/{FOLDERS[name]}/{REGION}/{when:%Y/%m/%d}/{file.name}"] = file.read_bytes()
    (folder / "same").mkdir()
    for number, key in enumerate(key for key in objects if "vpcflowlogs" in key):
        (folder / "same" / f"{number}.log.gz").write_bytes(objects[key])
    return objects, stories


def command(index, alertmanager, *more):
    beside = [part for name in NAMES for part in (f"--{name}", f"s3://logs/AWSLogs/{ACCOUNT}/{FOLDERS[name]}/")]
    return [
        sys.executable, "-m", "vpcflow", "watch", "s3://logs/AWSLogs/", "--since", "all", "--state", "w.sqlite", *beside,
        "--send", f"opensearch+{index}/alerts", "--as", "ecs", "--unit", "findings",
        "--send", f"opensearch+{index}/flows", "--as", "ecs", "--unit", "records",
        "--notify", f"alertmanager+{alertmanager}", "--risk", "medium", *more,
    ]  # fmt: skip


def told(folder):
    """The alerts that were made, by id."""
    with sqlite3.connect(folder / "w.sqlite") as db:
        rows = dict(db.execute("select id, finding from alerts where withdrawn = ''").fetchall())
    db.close()
    return {one: json.loads(text) for one, text in rows.items()}


def check(folder, stories, flows, found):
    """``found``: ids of alerts in the index and in Alertmanager, ids of records. What the watch told is what one look
    over all tells, and each of it is there once."""
    alerts = told(folder)
    indexed, alerting, records = found
    assert sorted(indexed) == sorted(alerting) == sorted(alerts)
    expected = [i for batch in vf.export(flows, "ecs", unit="records").batches() for i in batch.ids]
    assert sorted(records) == sorted(expected)
    rules = [one["detector"] for one in alerts.values()]
    assert {"port_scan", "exfiltration", "risk"} <= set(rules)
    for story in stories:
        assert rules.count(story["rule"]) == 1, story
    beside = {name: folder / "beside" / name for name in NAMES}
    whole = vf.correlate(vf.scan(str(folder / "same")), **beside)
    names = {rule.name for rule in whole.rules}
    assert sorted((m.rule, m.entity) for m in whole.matches) == sorted(
        (one["detector"], one["actor"]) for one in alerts.values() if one["detector"] in names
    )
    status = watch.status(folder / "w.sqlite")
    assert [(one["waiting"], one["dead"]) for one in status["sinks"]] == [(0, 0)] * 3
    assert status["provisional"] == 0
    return len(alerts), len(records), len(whole.matches)


class Receivers:
    """OpenSearch and Alertmanager. ``kills``: names of places at which the process that asks is killed, once each: what
    it asked is done, but it is not answered."""

    def __init__(self, *kills):
        self.kills = list(kills)
        self.alerts, self.flows, self.alerting = Index(), Index(), []
        self.process = None
        self.fake = Fake(self.answer)

    def answer(self, n, body):
        path = self.fake.asked[n][0]
        if path == "/api/v2/alerts":
            self.alerting += [one["labels"]["id"] for one in json.loads(body)]
            place, answer = "alertmanager", (200, {}, b"")
        else:
            place = path.split("/")[1]
            answer = getattr(self, place).answer(body)
        return None if self.killed(place) else answer

    def killed(self, place):
        if self.kills[:1] == [place]:
            self.kills.pop(0)
            self.process.send_signal(signal.SIGKILL)
            self.process.wait(20)
            return True
        return False


def test_killed_on_the_way_it_tells_all_of_it_once(tmp_path, monkeypatch):
    server = StandIn()
    s3 = begun(server, monkeypatch)
    monkeypatch.chdir(tmp_path)
    objects, stories = made(tmp_path, 7000, 3)
    for key, data in objects.items():
        s3.put(key, data)
    kills = ["CloudTrail", "alertmanager", "alerts", "flows"] if LONG else ["alertmanager", "flows"]
    receivers = Receivers(*kills)
    get = s3.get
    s3.get = lambda bucket, key, headers: get(bucket, key, headers) if not receivers.killed(key.split("/")[2]) else (500, {}, b"")
    url = f"http://{receivers.fake.host}"
    try:
        for left in reversed(range(len(kills))):
            receivers.process = subprocess.Popen(command(url, url, "--once"), stderr=subprocess.PIPE)
            _, text = receivers.process.communicate(timeout=60)
            assert (receivers.process.returncode, len(receivers.kills)) == (-signal.SIGKILL, left), text.decode()
        assert cli.main(command(url, url, "--once")[3:]) in (0, 1)
        # The index keeps one document of each id; who sees all requests sees a few of them again.
        found = (receivers.alerts.documents, set(receivers.alerting), receivers.flows.documents)
        assert len(receivers.alerting) - len(set(receivers.alerting)) <= 1
        check(tmp_path, stories, vf.scan("s3://logs/AWSLogs/"), found)
    finally:
        receivers.fake.__exit__()
        server.close()


@pytest.mark.skipif(not LONG, reason="make soak")
def test_with_the_real_servers(tmp_path, monkeypatch, start, hook):  # noqa: F811
    if not ALERTMANAGER.exists():
        pytest.skip("no Alertmanager: tools/servers.sh build/servers")
    (tmp_path / "alertmanager.yml").write_text(ROUTES.format(hook=hook))
    port = free_port()
    start([
        ALERTMANAGER, f"--config.file={tmp_path}/alertmanager.yml", f"--storage.path={tmp_path}/alertmanager",
        f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address=",
    ], port)  # fmt: skip
    for name in ("s3", "search"):
        (tmp_path / name).mkdir()
    gateway, node = versitygw(tmp_path / "s3"), opensearch(tmp_path / "search")
    search = node.url
    monkeypatch.chdir(tmp_path)
    for name, value in {"ENDPOINT_URL_S3": gateway.url, "ACCESS_KEY_ID": "AKIDCANARY", "SECRET_ACCESS_KEY": "wJalrCANARYsecretCANARYkey",
                        "REGION": "us-east-1", "EC2_METADATA_DISABLED": "true"}.items():  # fmt: skip
        monkeypatch.setenv(f"AWS_{name}", value)
    import boto3

    s3 = boto3.client("s3", endpoint_url=gateway.url)
    s3.create_bucket(Bucket="logs")
    objects, stories = made(tmp_path, 40_000, 24)
    alertmanager = f"http://127.0.0.1:{port}"
    run = command(search, alertmanager, "--interval", "1s")
    keys = list(objects)
    thirds = [keys[i::3] for i in range(3)]  # of each kind some come later
    try:
        for some in thirds:
            for key in some:
                s3.put_object(Bucket="logs", Key=key, Body=objects[key])
            if some is not thirds[-1]:
                before = number(f"{search}/flows")
                with open(tmp_path / "watch.log", "ab") as log, subprocess.Popen(run, stderr=log) as process:
                    try:
                        wait_for(lambda seen=before: number(f"{search}/flows") > seen, 300)
                    finally:
                        process.send_signal(signal.SIGKILL)
        done = None
        for _ in range(5):
            done = subprocess.run([*run, "--once"], capture_output=True, timeout=300)
            if done.returncode in (0, 1):
                break
            time.sleep(2)
        assert done.returncode in (0, 1), done.stderr.decode()
        indexed, flows = ids(f"{search}/alerts"), ids(f"{search}/flows")
        there = asked(f"{alertmanager}/api/v2/alerts")
        counts = check(tmp_path, stories, vf.scan("s3://logs/AWSLogs/"), (indexed, [one["labels"]["id"] for one in there], flows))
        print("alerts {}, records {}, matches {}".format(*counts))
    finally:
        gateway.close()
        node.close()


def asked(url, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.loads(answer.read())


def number(index):
    try:
        urllib.request.urlopen(urllib.request.Request(f"{index}/_refresh", b"", method="POST"), timeout=60).close()
        return asked(f"{index}/_count")["count"]
    except urllib.error.HTTPError:  # it is not there yet
        return 0


def ids(index):
    """The ids of all documents, each as often as it is there."""
    out, after = [], None
    number(index)
    while True:
        body = {"size": 5000, "_source": False, "sort": [{"event.id.keyword": "asc"}], "query": {"match_all": {}}}
        if after is not None:
            body["search_after"] = after
        hits = asked(f"{index}/_search", body)["hits"]["hits"]
        if not hits:
            return out
        out += [hit["_id"] for hit in hits]
        after = hits[-1]["sort"]

"""Logs in S3, over the wire: a stand-in that counts and fails; both clients, obstore and boto3."""

import gzip
import sys
import threading

import pytest

import vpcflow as vf
from conftest import HEADER, line, run_cli
from s3_stand_in import StandIn

pytest.importorskip("boto3")
SECRET = "wJalrCANARYsecretCANARYkey"
DAY = 1795392000  # 2026-11-23


@pytest.fixture(scope="module")
def server():
    stand_in = StandIn()
    yield stand_in
    stand_in.close()


@pytest.fixture(params=["obstore", "boto3"])
def s3(request, server, monkeypatch):
    if request.param == "obstore":
        pytest.importorskip("obstore")
    else:
        monkeypatch.setitem(sys.modules, "obstore", None)
    return begun(server, monkeypatch)


@pytest.fixture
def quick(server, monkeypatch):
    """The same for what does not depend on the client."""
    return begun(server, monkeypatch)


def begun(server, monkeypatch):
    server.__dict__.update(
        objects={"logs": {}}, errors={}, storage={}, pause=0.0, until=0, listed=[], got=[], ranges=[], most_at_once=0
    )
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    for name, value in {
        "ENDPOINT_URL_S3": server.url,
        "ACCESS_KEY_ID": "AKIDCANARY",
        "SECRET_ACCESS_KEY": SECRET,
        "REGION": "us-east-1",
        "EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    return server


def key(account="123456789010", region="us-east-1", day=23, hour=6, n=0, flow_log="fl-1"):
    folder = f"AWSLogs/{account}/vpcflowlogs/{region}/2026/11/{day:02}"
    return f"{folder}/{account}_vpcflowlogs_{region}_{flow_log}_202611{day:02}T{hour:02}05Z_{n:08x}.log.gz"


def log(n=10, start=DAY + 6 * 3600, port=22):
    return gzip.compress(
        HEADER + b"".join(line(dstport=port, size=i + 1, start=start, end=start + 60) for i in range(n))
    )


def counted(data, **options):
    return vf.scan(data, **options).agg(n=vf.count(), bytes=vf.sum("bytes")).collect()


def test_objects_give_what_files_give(s3, tmp_path):
    for n in range(40):
        data = log(n + 1, port=n)
        s3.put(key(hour=n % 24, n=n), data)
        (tmp_path / f"{n}.log.gz").write_bytes(data)
    wanted = vf.scan(tmp_path).group_by("dstport").agg(bytes=vf.sum("bytes")).collect().rows()
    flows = vf.scan("s3://logs/AWSLogs/").group_by("dstport").agg(bytes=vf.sum("bytes"))
    assert flows.collect().rows() == wanted
    assert s3.most_at_once <= 32
    assert "list      s3://logs/AWSLogs/: 3 folders listed; 40 objects" in flows.explain()
    assert counted(["s3://logs/AWSLogs/", tmp_path])["n"] == [2 * 820]


@pytest.mark.parametrize("name", ["a b+c&d=e.log", "ü/ключ#1.log", "x%20y.log", "q'\"<>.log"])
def test_keys_of_any_letters(s3, name):
    url = s3.put(f"odd/{name}", HEADER + line())
    assert counted(url)["n"] == [1]
    assert counted("s3://logs/odd/")["n"] == [1]


def test_nothing_is_read_before_the_query_runs(quick):
    quick.put(key(), log())
    flows = vf.scan("s3://logs/AWSLogs/").agg(n=vf.count())
    assert flows.explain().startswith("list      s3://logs/AWSLogs/: ")
    assert quick.got == []


def test_only_folders_that_can_hold_it_are_listed(quick, quiet):
    for account in ("123456789010", "123456789011"):
        for region in ("us-east-1", "eu-west-1"):
            for day in range(1, 28):
                quick.put(key(account, region, day), log(start=DAY + (day - 23) * 86400 + 6 * 3600))
        quick.put(
            f"AWSLogs/{account}/CloudTrail/us-east-1/2026/11/23/{account}_CloudTrail_us-east-1_20261123T0000Z_a.json.gz",
            b"{}",
        )
        quick.put(f"AWSLogs/{account}/vpcflowlogs/us-east-1/2025/11/23/x.log", b"")
    flows = vf.scan(
        "s3://logs/AWSLogs/", start="2026-11-23", end="2026-11-24", account="123456789010", region="us-east-1"
    )
    assert flows.count() == 10
    own = "AWSLogs/123456789010/vpcflowlogs/us-east-1/2026/11"
    assert sorted(prefix for prefix, _ in quick.listed if prefix.count("/") > 6) == [f"{own}/23/", f"{own}/24/"]
    assert len(quick.listed) == 8, quick.listed
    assert set(quick.got) == {key()}
    with pytest.raises(vf.NoRecordsError, match=r"none of its .* folders and objects can hold what is asked for"):
        vf.scan("s3://logs/AWSLogs/", start="2027-03-01")


@pytest.mark.parametrize(
    ("layout", "listed"),
    [
        (
            "AWSLogs/aws-account-id=123456789010/aws-service=vpcflowlogs/aws-region=us-east-1/year=2026/month={m:02}/day={d:02}/hour={h:02}/x.log",
            2,
        ),
        ("AWSLogs/123456789010/vpcflowlogs/us-east-1/2026/{m:02}/{d:02}/{h:02}/x.log", 2),
    ],
)
def test_hours_of_other_layouts(quick, layout, listed):
    for day in range(20, 26):
        for hour in range(24):
            quick.put(layout.format(m=11, d=day, h=hour), HEADER + line(start=DAY + (day - 23) * 86400 + hour * 3600))
    assert vf.scan("s3://logs/AWSLogs/", start=DAY + 6 * 3600, end=DAY + 7 * 3600).count() == 1
    hours = [prefix for prefix, _ in quick.listed if layout.format(m=11, d=23, h=6).count("/") == prefix.count("/")]
    assert len(hours) == listed, hours


def test_security_lakes_partitions_are_listed_by_what_is_asked_for(quick, quiet):
    for region in ("us-east-1", "eu-west-1"):
        for account in ("123456789010", "210987654321"):
            for day in range(19, 27):
                folder = f"aws/VPC_FLOW/2.0/region={region}/accountId={account}/eventDay=202611{day}"
                start = DAY + (day - 23) * 86400 + 60
                quick.put(f"{folder}/{day:08x}.log", HEADER + line(start=start, size=day))
    asked = {"start": DAY, "end": DAY + 86400, "account": "123456789010", "region": "us-east-1"}
    flows = vf.scan("s3://logs/aws/VPC_FLOW/2.0/", **asked)
    assert "4 objects" in flows.explain()  # two days before, one after: others name these folders
    assert flows.agg(bytes=vf.sum("bytes")).collect()["bytes"] == [23]
    below = {prefix for prefix, _ in quick.listed if "accountId=" in prefix}
    assert all(prefix.startswith("aws/VPC_FLOW/2.0/region=us-east-1/accountId=123456789010/") for prefix in below)
    assert len(below) <= 5, below  # that of the account, and days


def test_firehose_folders_are_pruned_with_room_for_late_arrival(quick):
    for month in range(1, 13):
        for day in (1, 15):
            quick.put(
                f"flow/2026/{month:02}/{day:02}/06/stream-1-2026-{month:02}-{day:02}-06-00-00-01234567-89ab-cdef-0123-456789abcdef",
                HEADER + line(),
            )
    flows = vf.scan("s3://logs/flow/", start="2026-06-14", end="2026-06-15")
    assert [s.name for s in flows._sources] == [
        "s3://logs/flow/2026/06/15/06/stream-1-2026-06-15-06-00-00-01234567-89ab-cdef-0123-456789abcdef"
    ]
    assert len(quick.listed) < 10


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("AWSLogs/*/vpcflowlogs/*/2026/11/2[34]/*.gz", [23, 24]),
        ("AWSLogs/**/*_20261124T*.log.gz", [24]),
        ("AWSLogs/**", [22, 23, 24]),
        ("AWSLogs/123456789010/vpcflowlogs/us-east-1/2026/11/2?/*T0605Z*", [22, 23, 24]),
        ("AWSLogs/*/vpcflowlogs/*/2026/11/2[!3]/*", [22, 24]),
    ],
)
def test_patterns(quick, pattern, found):
    for day in (22, 23, 24):
        quick.put(key(day=day), log(day))
    assert [int(s.name.split("/")[-2]) for s in vf.scan(f"s3://logs/{pattern}")._sources] == found


def test_what_is_no_flow_log_is_said(quick, quiet):
    quick.put(key(), log())
    quick.put(key(hour=7), log())  # the same bytes
    for other in ("notes.pdf", "_SUCCESS", "empty.log", "folder/", ".hidden.log"):
        quick.put(f"AWSLogs/{other}", b"" if other in ("empty.log", "folder/") else b"x")
    quick.put(key(hour=8), log(5))
    quick.storage[key(hour=8)] = "DEEP_ARCHIVE"
    report = counted("s3://logs/").report
    (note,) = [w for w in report.warnings if "not read" in w]
    assert note.startswith(
        "s3://logs/: 4 objects were not read: 1 empty (empty.log), 1 in an archived storage class, to be restored first ("
    )
    assert "1 with the bytes of another object" in note
    assert "1 with the ending of no log (notes.pdf)" in note
    assert counted("s3://logs/", duplicates="all")["n"] == [20]


def test_what_goes_wrong_with_one_object_leaves_the_others(s3, quiet):
    for n in range(6):
        s3.put(key(n=n), log(n + 1))
    s3.errors[key(n=1)] = (
        403,
        "AccessDenied",
        "User is not authorized to perform: kms:Decrypt on resource arn:aws:kms:...",
    )
    s3.errors[key(n=2)] = (403, "InvalidObjectState", "The operation is not valid for the object's storage class")
    s3.errors[key(n=3)] = (404, "NoSuchKey", "The specified key does not exist.")
    with pytest.raises(vf.SourceError) as error:
        counted("s3://logs/AWSLogs/")
    text = str(error.value)
    assert "2 sources could not be read to their end" in text
    assert f"{key(n=1)}: access to its key was denied; the reader needs kms:Decrypt" in text
    assert f"{key(n=2)}: it is in an archived storage class; restore it first" in text
    assert error.value.partial["n"] == [1 + 5 + 6]
    assert error.value.partial.report.warnings == [f"s3://logs/{key(n=3)} is gone since it was listed: not read"]
    del s3.errors[key(n=1)], s3.errors[key(n=2)]
    assert counted("s3://logs/AWSLogs/")["n"] == [1 + 2 + 3 + 5 + 6]


def test_all_gone_is_no_all_clear(s3, quiet):
    s3.put(key(), log())
    s3.errors[key()] = (404, "NoSuchKey", "The specified key does not exist.")
    with pytest.raises(vf.errors.SourceNotFoundError, match="gone since it was listed; nothing is left to read"):
        counted("s3://logs/AWSLogs/")


def test_throttling_backs_off_and_goes_on(s3, monkeypatch):
    pauses = []
    monkeypatch.setattr("vpcflow.io.aws.pool.the_pool", lambda: pool)
    from vpcflow.io.aws.pool import Pool

    pool = Pool(pauses.append)
    for n in range(4):
        s3.put(key(n=n), log(n + 1))
        s3.errors[key(n=n)] = [(503, "SlowDown", "Please reduce your request rate.")] * 7
    assert counted("s3://logs/AWSLogs/")["n"] == [10]
    assert pauses
    pool.end()


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("s3://lgos/AWSLogs/", "s3://lgos/AWSLogs/: there is no such bucket; did you mean 'logs'?"),
        ("s3://logs/AWSLog/", "no such object or folder; did you mean s3://logs/AWSLogs?"),
        ("s3://logs/AWSLogs/1234", "with that begins AWSLogs/123456789010/: add * for all"),
        ("s3a://logs/", "cannot read s3a:// URLs; did you mean 's3'?"),
        ("s3://", "the bucket is missing; write s3://BUCKET/PREFIX/"),
        ("s3://logs/denied/", "s3://logs/denied/: access denied; the reader needs s3:ListBucket"),
    ],
)
def test_errors_in_words(quick, url, said):
    quick.put(key(), log())
    quick.errors["denied/"] = (403, "AccessDenied", "Access Denied")
    with pytest.raises(vf.SourceError) as error:
        vf.scan(url)
    assert said in str(error.value)
    done = run_cli("summary", url, check=2)
    assert said in done.stderr.decode()
    assert SECRET not in (done.stderr + done.stdout).decode() + str(error.value) + repr(error.value)


def test_a_path_object_is_no_url(quick):
    import pathlib

    with pytest.raises(vf.errors.ArgumentError, match="a URL is no path"):
        vf.scan(pathlib.Path("s3://logs/x"))


def test_large_objects_come_in_ranges_of_one_version(s3, monkeypatch):
    from vpcflow.io.aws.objects import _RANGES_AHEAD

    monkeypatch.setattr("vpcflow.io.aws.objects._LARGE", 1000)
    monkeypatch.setattr("vpcflow.io.aws.objects._RANGE", 700)
    data = HEADER + b"".join(line(size=n) for n in range(200))
    url = s3.put("big.log", data)
    assert counted(url).rows() == [{"n": 200, "bytes": sum(range(200))}]
    wanted = [("big.log", at, min(at + 700, len(data))) for at in range(0, len(data), 700)]
    assert sorted(set(s3.ranges)) == wanted
    assert len(s3.ranges) <= len(wanted) + _RANGES_AHEAD  # what was asked for ahead when the format was read first
    flows = vf.scan(url).agg(n=vf.count())
    s3.put("big.log", data + line())
    with pytest.raises(vf.SourceError, match="it was replaced by another version since it was listed"):
        flows.collect()


@pytest.mark.parametrize("small", [True, False])
def test_parquet_by_what_is_read(s3, monkeypatch, tmp_path, small):
    parquet = pytest.importorskip("pyarrow.parquet")
    if not small:
        monkeypatch.setattr("vpcflow.io.aws.tables._SMALL", 1000)
        monkeypatch.setattr("vpcflow.io.aws.tables._GAP", 10)
    made = vf.synth(20000, seed=3, format="v5").data
    table = vf.scan(made).select("srcaddr", "dstaddr", "dstport", "bytes", "start", "end").collect().to_arrow()
    for n, size in enumerate((1000, 17000, 1000)):
        part = table.slice(n * 1000, size)
        parquet.write_table(
            part, tmp_path / f"{n}.parquet", row_group_size=5000, compression="none", use_dictionary=False
        )
        s3.put(f"pq/{n}.parquet", (tmp_path / f"{n}.parquet").read_bytes())
    query = vf.query().group_by("dstport").agg(n=vf.count(), bytes=vf.sum("bytes"))
    assert query.bind("s3://logs/pq/").collect().rows() == query.bind(tmp_path).collect().rows()
    size = sum(len(data) for data in s3.objects["logs"].values())
    if small:
        assert s3.ranges == []
    else:
        assert sum(end - start for _, start, end in s3.ranges) < size * 0.6
    s3.errors["pq/1.parquet"] = (403, "AccessDenied", "Access Denied")
    with pytest.raises(vf.SourceError, match=r"pq/1\.parquet: access denied"):
        query.bind("s3://logs/pq/").collect()


def test_many_at_once_and_never_more_than_32(s3):
    for n in range(100):
        s3.put(f"many/{n:03}.log", HEADER + line(size=n))
    flows = vf.scan("s3://logs/many/").agg(n=vf.count(), bytes=vf.sum("bytes"))
    s3.until = 32
    assert flows.collect().rows() == [{"n": 100, "bytes": sum(range(100))}]
    assert s3.most_at_once == 32


def test_commands_take_urls(quick):
    quick.put(key(), log())
    done = run_cli("summary", "s3://logs/AWSLogs/", "--json", check=0)
    assert b'"records": 10' in done.stdout
    done = run_cli(
        "top",
        "s3://logs/AWSLogs/",
        "--by",
        "dstport",
        "--json",
        "--endpoint-url",
        quick.url,
        "--aws-region",
        "us-east-1",
        check=0,
    )
    assert b'"dstport": 22' in done.stdout
    assert b"no option" not in run_cli("head", "s3://logs/AWSLogs/", "-n", "1", "--no-sign-request", check=0).stderr


def test_processes_read_it_themselves(quick):
    for n in range(6):
        quick.put(key(n=n), log(n + 1, port=n))
    question = vf.Aggregation(by="dstport", n=vf.count())
    whole = question.copy()
    whole.update("s3://logs/AWSLogs/")
    quick.listed.clear()
    spread = vf.spread.aggregate("s3://logs/AWSLogs/", question, workers=2)
    assert spread.to_bytes() == whole.to_bytes()
    assert len(quick.listed) == 3  # none by the workers


def test_the_pool_ends_with_its_process(quick):
    """Threads that come back from native code while Python ends would end it with SIGABRT."""
    for n in range(40):
        quick.put(key(n=n), log(3))
    quick.pause = 0.02
    before = threading.active_count()
    for _ in range(3):
        run_cli("head", "s3://logs/AWSLogs/", "-n", "1", check=0)
    assert threading.active_count() == before


def test_secrets_are_nowhere(quick, tmp_path, monkeypatch):
    """Canaries in all credentials, and a password in the endpoint."""
    quick.put(key(), log())
    monkeypatch.setenv("AWS_SESSION_TOKEN", f"token{SECRET}")
    flows = vf.scan("s3://logs/AWSLogs/", aws={"endpoint_url": quick.url, "requester_pays": True})
    seen = [repr(flows), flows.explain(), str(flows.agg(n=vf.count()).collect().report), repr(flows._logs)]
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", f"http://user:{SECRET}@127.0.0.1:9/")
    with pytest.raises(vf.SourceError) as error:
        vf.scan("s3://logs/AWSLogs/")
    seen += [str(error.value), repr(error.value)]
    done = run_cli("summary", "s3://logs/AWSLogs/", check=2)
    seen += [done.stdout.decode(), done.stderr.decode()]
    assert [text for text in seen if SECRET in text] == []

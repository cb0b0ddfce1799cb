"""Tables of Iceberg, by pyiceberg with a catalog in SQLite and a warehouse in a folder."""

import datetime
import warnings

import pytest

import vpcflow as vf
from conftest import run_cli

pa = pytest.importorskip("pyarrow")
pytest.importorskip("sqlalchemy")
catalogs = pytest.importorskip("pyiceberg.catalog")
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")

DAY = 1795392000  # 2026-11-23, 00:00
ROWS = [
    {"account_id": f"12345678901{day}", "srcaddr": f"10.0.{day}.{n}", "dstaddr": "10.0.0.9", "dstport": 22 + n % 2, "protocol": 6, "bytes": 100 * day + n, "start": DAY + 86400 * day + 60 * n, "end": DAY + 86400 * day + 60 * n + 60, "action": "ACCEPT", "log_status": "OK"}
    for day in range(3)
    for n in range(4)
]


@pytest.fixture(scope="module")
def lake(tmp_path_factory):
    """A catalog with a table of a file a day."""
    folder = tmp_path_factory.mktemp("lake")
    settings = {"type": "sql", "uri": f"sqlite:///{folder}/catalog.db", "warehouse": f"file://{folder}"}
    catalog = catalogs.load_catalog("lake", **settings)
    catalog.create_namespace("net")
    whole = pa.Table.from_pylist(ROWS)
    table = catalog.create_table("net.flows", whole.schema)
    for day in range(3):
        table.append(whole.slice(4 * day, 4))
    catalog.settings = settings
    return catalog


@pytest.fixture
def configured(lake, monkeypatch):
    for name, value in lake.settings.items():
        monkeypatch.setenv(f"PYICEBERG_CATALOG__LAKE__{name.upper()}", value)
    config = pytest.importorskip("pyiceberg.utils.config").Config()  # which is read when pyiceberg is loaded
    monkeypatch.setattr("pyiceberg.catalog._ENV_CONFIG", config)
    return lake


def ask(data, **options):
    return vf.scan(data, **options).group_by("srcaddr", "dstport").agg(bytes=vf.sum("bytes")).collect().rows()


def test_a_table_and_its_url_say_the_same_as_the_rows(configured):
    wanted = ask(pa.Table.from_pylist(ROWS))
    assert len(wanted) == 12
    table = configured.load_table("net.flows")
    assert ask(table) == wanted
    assert ask("iceberg://lake/net.flows") == wanted
    assert ask(table.scan(row_filter="dstport == 22")) == [row for row in wanted if row["dstport"] == 22]
    flows = vf.scan(table)
    assert flows.count() == flows.count() == 12  # may be asked again
    assert sorted(flows.select("srcaddr").collect()["srcaddr"]) == sorted(row["srcaddr"] for row in ROWS)
    done = run_cli("top", "iceberg://lake/net.flows", "--by", "dstport", "--agg", "n=count()", "--json", check=0)
    assert done.stdout == b'{"dstport": 22, "n": 6}\n{"dstport": 23, "n": 6}\n'


def test_only_files_and_columns_that_are_asked_for_are_read(configured, monkeypatch):
    from pyiceberg.table import DataScan

    table = configured.load_table("net.flows")
    selected = []
    select = DataScan.select

    def noted(scan, *names):
        selected.append(names)
        return select(scan, *names)

    monkeypatch.setattr(DataScan, "select", noted)
    flows = vf.scan(table, start=DAY + 86400, end=DAY + 2 * 86400)
    assert "1 file," in flows.explain()
    assert flows.agg(bytes=vf.sum("bytes"), n=vf.count()).collect().rows() == [{"bytes": 406, "n": 4}]
    assert set(selected[-1]) == {"bytes", "start", "log_status"}
    assert "3 files," in vf.scan(table).explain()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        flows = vf.scan(table, account="123456789012")
        assert "1 file," in flows.explain()
        assert flows.agg(n=vf.count()).collect()["n"] == [4]


def test_milliseconds_timestamps_and_null_starts_lose_nothing(configured):
    utc = datetime.timezone.utc
    kinds = {
        "millis": (pa.int64(), lambda second: second * 1000),
        "stamps": (pa.timestamp("us"), lambda second: datetime.datetime.fromtimestamp(second, utc).replace(tzinfo=None)),
        "zoned": (pa.timestamp("us", "UTC"), lambda second: datetime.datetime.fromtimestamp(second, utc)),
    }
    plain = pa.Table.from_pylist(ROWS)
    for name, (kind, value) in kinds.items():
        starts = pa.array([None, *(value(row["start"]) for row in ROWS[1:])], kind)
        whole = plain.set_column(plain.schema.get_field_index("start"), "start", starts)
        table = configured.create_table(f"net.{name}", whole.schema)
        table.append(whole)
        for start, end in ((DAY, DAY + 86400), (DAY + 60, DAY + 86400 + 61), (None, DAY + 120), (DAY + 2 * 86400 + 180, None)):
            assert ask(table, start=start, end=end) == ask(whole, start=start, end=end), name


def test_a_scan_keeps_its_snapshot(configured):
    rows = pa.Table.from_pylist(ROWS[:2])
    table = configured.create_table("net.growing", rows.schema)
    with pytest.raises(vf.NoRecordsError):
        vf.scan(table).agg(n=vf.count()).collect()
    table.append(rows)
    flows = vf.scan(table)
    table.append(rows)
    assert flows.count() == 2
    assert vf.scan(table).count() == 4


def test_lines_in_a_column(configured):
    lines = pa.table({"message": [f"10.0.0.{n} {n}" for n in range(3)]})
    table = configured.create_table("net.lines", lines.schema)
    table.append(lines)
    assert vf.scan(table, format="srcaddr bytes").agg(bytes=vf.sum("bytes")).collect()["bytes"] == [3]


def ocsf(day, account, n):
    ms = 1000 * (DAY + 86400 * day + 60 * n)
    return {
        "class_uid": 4001, "time": ms, "start_time": ms, "end_time": ms + 60000, "time_dt": datetime.datetime.fromtimestamp(ms // 1000, datetime.timezone.utc).replace(tzinfo=None),
        "src_endpoint": {"ip": f"10.{day}.0.{n}", "port": 40000}, "dst_endpoint": {"ip": "10.0.0.9", "port": 22},
        "connection_info": {"protocol_num": 6}, "traffic": {"bytes": 10 + n, "packets": 1}, "disposition": "Allowed",
        "region": "us-east-1", "accountid": account, "eventday": f"{datetime.datetime.fromtimestamp(ms // 1000, datetime.timezone.utc):%Y%m%d}",
    }  # fmt: skip


def test_security_lakes_tables(configured):
    """OCSF events, partitioned as AWS does: region, account, day."""
    from pyiceberg.transforms import IdentityTransform

    rows = [ocsf(day, f"12345678901{account}", n) for day in range(4) for account in range(2) for n in range(3)]
    whole = pa.Table.from_pylist(rows)
    table = configured.create_table("net.ocsf", whole.schema)
    with table.update_spec() as spec:
        for name in ("region", "accountid", "eventday"):
            spec.add_field(name, IdentityTransform())
    table.append(whole)
    wanted = ask(whole)
    assert len(wanted) == 12
    assert ask(table) == wanted
    assert "8 files," in vf.scan(table).explain()
    flows = vf.scan(table, account="123456789010", region="us-east-1", start=DAY + 3 * 86400)
    assert "3 files" in flows.explain()  # two days more, as for folders that others name
    assert flows.agg(n=vf.count()).collect()["n"] == [3]


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("iceberg://lake/net.flow", "no such table; did you mean iceberg://lake/net.flows?"),
        ("iceberg://lake/nett.flows", "no such table; did you mean iceberg://lake/net.flows?"),
        ("iceberg://lake/flows", "no name of a table; write iceberg://CATALOG/NAMESPACE.TABLE"),
        ("iceberg://", "no name of a table"),
        ("iceberg://lak/net.flows", "no catalog 'lak'"),
    ],
)
def test_wrong_tables(configured, url, said):
    with pytest.raises(vf.SourceError) as error:
        vf.scan(url)
    assert said in str(error.value)


def test_tables_are_not_followed():
    assert b"tables are scanned, not followed" in run_cli("watch", "iceberg://lake/net.flows", "--once", check=2).stderr


def test_logs_are_compacted_into_a_table_once(configured, tmp_path):
    from vpcflow.volume.tables import compact_to_table

    for day in range(2):
        vf.synth(300, seed=day, start=DAY + 86400 * day, format="v5" if day else "default", out=tmp_path / f"{day}")
    url = "iceberg://lake/made.flows"
    logs = [str(next((tmp_path / f"{day}").glob("*.log"))) for day in range(2)]
    assert compact_to_table(vf.scan(logs[0]), url).records == 300
    done = compact_to_table(vf.scan(logs), url)
    assert (done.records, done.known) == (300, [logs[0]])
    by = ["srcaddr", "dstaddr", "srcport", "dstport", "start", "action", "tcp_flags"]

    def asked(data):
        return vf.scan(data, allow_missing=True).group_by(*by).agg(bytes=vf.sum("bytes"), n=vf.count()).collect()

    assert asked(url) == asked(logs)
    table = configured.load_table("made.flows")
    assert len(table.metadata.snapshots) == 2
    assert vf.scan(url).count() == 600
    bad = tmp_path / "bad.log"
    bad.write_bytes(b"srcaddr bytes\n10.0.0.1 1\n10.0.0.1 x\n")
    with pytest.raises(vf.SourceError, match="no place for"):
        compact_to_table(vf.scan([*logs, bad]), url)
    assert vf.scan(url).count() == 600
    done = run_cli("compact", *logs, "-o", url, check=0)
    assert b"2 sources passed over" in done.stderr
    assert b"--prove needs a folder" in run_cli("compact", *logs, "-o", url, "--prove", "detect", check=2).stderr

"""No conclusion without records: what every command and call says of inputs from which nothing, or not all, was read."""

import gzip
import json
import re

import pytest

import vpcflow as vf
from conftest import HEADER, line
from vpcflow import cli
from vpcflow.analyze import summarize

GOOD = HEADER + b"".join(line(src=f"10.0.0.{i}", start=1000 + i, end=1060 + i) for i in range(1, 6))
BAD = b"2 123456789010 eni-1 10.0.0.1\n"
NODATA = b"2 123456789010 eni-1 - - - - - - - 1000 1060 - NODATA\n"
CLOUDTRAIL = json.dumps({"Records": [{"eventVersion": "1.08", "eventName": "DescribeInstances"}]})

# Inputs of which nothing can be concluded, each with why.
NOTHING = {
    "empty": (b"", r"is empty"),
    "header": (HEADER, r"1 header line"),
    "all_rejected": (HEADER + BAD * 3, r"3 lines were rejected; the first: .*:2:\d+: too-few-fields"),
    "all_but_nodata": (HEADER + NODATA + BAD, r"1 line was rejected, the other 1 record is NODATA or SKIPDATA"),
    "other_service": (CLOUDTRAIL.encode(), r"1 line was rejected; the first: .*no-record.*eventVersion"),
    "none_in_time": (GOOD, r"from 2030-01-01 00:00:00 UTC: the 5 records read start between 1970-01-01 00:16:41 and"),
}
# Commands that conclude, with what their page begins with where there is something.
COMMANDS = {
    "summary": (),
    "top": ("--by", "srcaddr"),
    "head": (),
    "sessions": (),
    "coverage": (),
    "detect": (),
    "rules run": (),
    "rules replay": (),
    "convert": (),
    "capabilities": (),
}
def _lazy(flows):
    import polars as pl

    try:
        return flows.lazy().collect()
    except pl.exceptions.ComputeError as error:  # the last polars for Python 3.9 puts ours into its own
        if "exception: NoRecordsError: " not in str(error):
            raise
        raise vf.NoRecordsError(str(error).partition("NoRecordsError: ")[2]) from None


CALLS = {
    "collect": lambda data, **o: vf.scan(data, **o).collect(),
    "agg": lambda data, **o: vf.scan(data, **o).agg(n=vf.count()).collect(),
    "group_by": lambda data, **o: vf.scan(data, **o).group_by("srcaddr").agg(n=vf.count()).top_k(3, by="n").collect(),
    "sessions": lambda data, **o: vf.scan(data, **o).sessions().collect(),
    "coverage": lambda data, **o: vf.scan(data, **o).coverage(),
    "batches": lambda data, **o: list(vf.scan(data, **o).batches(2)),
    "lazy": lambda data, **o: _lazy(vf.scan(data, **o).select("srcaddr")),
    "summarize": lambda data, **o: summarize(vf.scan(data, **o)),
    "detect": lambda data, **o: vf.detect(vf.scan(data, **o)),
    "rules.run": lambda data, **o: vf.rules.run(vf.scan(data, **o), RULES),
    "rules.replay": lambda data, **o: vf.rules.replay(vf.scan(data, **o), RULES),
    "update": lambda data, **o: vf.Aggregation(by="srcaddr", n=vf.count()).update(data, **o),
    "to_pandas": lambda data, **o: vf.scan(data, **o).to_pandas(),
}
RULES = vf.rules.of([{"name": "many", "by": "srcaddr", "having": "flows > 100"}, {"name": "none", "over": "sessions"}])


def options_of(situation):
    return {"start": "2030-01-01"} if situation == "none_in_time" else {}


def run(command, paths, tmp_path, capsys, *more):
    """A command line over files: exit code, output, messages."""
    rules = tmp_path / "rules.json"
    rules.write_text(json.dumps([{"name": "many", "by": "srcaddr", "having": "flows > 100"}]))
    args = [*command.split(), *([str(rules)] if command.startswith("rules") else []), *map(str, paths)]
    args += [*COMMANDS[command], *(["-o", str(tmp_path / "out.csv")] if command == "convert" else [])]
    code = cli.main([*args, *more])
    said = capsys.readouterr()
    return code, said.out, said.err


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("situation", NOTHING)
def test_no_command_concludes_from_nothing(situation, command, tmp_path, capsys):
    data, why = NOTHING[situation]
    if command == "capabilities" and situation in ("none_in_time", "header", "all_rejected", "all_but_nodata"):
        pytest.skip("capabilities speak of the format, which is known here")
    path = tmp_path / "flow.log"
    path.write_bytes(data)
    start = ("--start", "2030-01-01") if situation == "none_in_time" else ()
    code, out, err = run(command, [path], tmp_path, capsys, *start)
    assert (code, out) == (2, "")
    assert re.match(rf"vpcflow: error: no record.*{why}", err), err
    if situation != "all_but_nodata":  # there the NODATA record was written before
        assert not (tmp_path / "out.csv").exists()
    if command != "capabilities":
        code, out, err = run(command, [path], tmp_path, capsys, *start, "--allow-empty")
        assert code == 0, err


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    "data",
    [b"PK\x03\x04zip", b"hello, how are you?\n" * 9, gzip.compress(GOOD)[:12]],
    ids=["zip", "other text", "cut gzip"],
)
def test_a_file_that_cannot_be_read_is_one_error(data, command, tmp_path, capsys):
    path = tmp_path / "flow.log"
    path.write_bytes(data)
    code, out, err = run(command, [path], tmp_path, capsys)
    assert (code, out) == (2, "")
    assert err.startswith("vpcflow: error: ")
    assert err.count("error:") == 1


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("situation", NOTHING)
def test_no_call_concludes_from_nothing(situation, call):
    data, why = NOTHING[situation]
    with pytest.raises(vf.NoRecordsError, match=why) as raised:
        CALLS[call](data, **options_of(situation))
    assert str(raised.value).startswith("no record")
    CALLS[call](data, allow_empty=True, **options_of(situation))


@pytest.mark.parametrize("command", COMMANDS)
def test_most_lines_rejected_is_said_first(command, tmp_path, capsys):
    path = tmp_path / "flow.log"
    path.write_bytes(GOOD + BAD * 7)
    code, out, err = run(command, [path], tmp_path, capsys)
    assert code == 0
    if command in ("convert", "capabilities"):
        return  # they print no page of conclusions
    first = "WARNING: 7 lines of 12 rejected; what follows is of the other 5 alone"
    assert out.splitlines()[0] == first
    code, out, err = run(command, [path], tmp_path, capsys, "--json")
    assert first in err
    assert "WARNING" not in out


@pytest.mark.parametrize("command", [c for c in COMMANDS if c not in ("capabilities", "head")])  # head stops before
def test_damage_does_not_swallow_what_was_read(command, tmp_path, capsys):
    for i in (1, 3):
        (tmp_path / f"{i}.log").write_bytes(GOOD)
    (tmp_path / "2.log.gz").write_bytes(gzip.compress(GOOD * 50)[:-20])
    paths = [tmp_path / name for name in ("1.log", "2.log.gz", "3.log")]
    code, out, err = run(command, paths, tmp_path, capsys, "--duplicates", "all")
    assert code == 2
    assert re.match(r"vpcflow: error: .*2\.log\.gz.*", err), err
    assert err.count("error:") == 1
    if command == "convert":
        assert len((tmp_path / "out.csv").read_text().splitlines()) > 10
    else:
        assert out


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize("damage", ["cut", "missing", "no_log"])
def test_one_bad_object_does_not_remove_the_findings_of_the_others(damage, tmp_path):
    made = vf.synth(20_000, seed=3, plant="port_scan", peers=500, noise_sources=500)
    (tmp_path / "a.log").write_bytes(made.data)
    bad = tmp_path / "b.log"
    cut = gzip.compress(GOOD * 50)[:-20]
    bad.write_bytes({"cut": cut, "missing": GOOD, "no_log": b"hello, how are you?\n" * 9}[damage])
    flows = vf.scan([tmp_path / "a.log", bad])
    if damage == "missing":
        bad.unlink()  # between listing and reading
    whole = vf.detect(vf.scan(made.data), samples=0)
    rules = vf.rules.of([{"name": "many", "by": "srcaddr", "having": "flows > 100"}])
    with pytest.raises(vf.VpcflowError) as raised:
        vf.detect(flows, samples=0)
    assert {f.sentence for f in whole} <= {f.sentence for f in raised.value.partial}
    with pytest.raises(vf.VpcflowError) as raised:
        vf.rules.run(flows, rules, samples=0)
    assert len(raised.value.partial) >= len(vf.rules.run(vf.scan(made.data), rules, samples=0)) > 0


def test_nothing_found_says_in_what(tmp_path, capsys):
    path = tmp_path / "flow.log"
    path.write_bytes(GOOD)
    code, out, _ = run("detect", [path], tmp_path, capsys)
    assert code == 0
    first, *others = out.splitlines()
    assert first == "nothing found in 5 records of 1 interface, 1970-01-01 00:16:41 to 1970-01-01 00:17:45 UTC"
    assert any(text.startswith("sees less: port_scan") for text in others), others
    code, out, err = run("detect", [path], tmp_path, capsys, "--where", "srcaddr = '10.0.0.1'", "--json")
    assert (code, out) == (0, "")
    assert "nothing found in 1 of 5 records of 1 interface" in err


def test_nothing_found_says_that_records_were_lost_and_answers_not_logged(quiet):
    lost = GOOD + NODATA.replace(b"NODATA", b"SKIPDATA")
    assert re.search(r"sees less: .*port_scan.*1 SKIPDATA record", vf.detect(vf.scan(lost)).conclusion())
    lines = [b"srcaddr dstaddr srcport dstport protocol packets bytes start end action flow-direction"]
    lines += [b"10.0.0.%d 10.0.1.1 %d 443 6 90 90000 0 60 ACCEPT egress" % (i, 40_000 + i) for i in range(9)]
    findings = vf.detect(vf.scan(b"\n".join(lines)))
    assert not findings
    assert re.search(r"sees less: .*port_scan.*one direction only", findings.conclusion())


@pytest.mark.parametrize("command", ["top", "sessions", "head"])
def test_an_empty_table_says_of_what(command, tmp_path, capsys):
    path = tmp_path / "flow.log"
    path.write_bytes(GOOD)
    code, _, err = run(command, [path], tmp_path, capsys, "--where", "dstport = 9")
    assert code == 0
    assert "no rows: 0 of 5 records pass the filter; read were 5 records of 1 interface, 1970-01-01 00:16:41" in err


@pytest.mark.parametrize("command", [c for c in COMMANDS if c != "capabilities"])
def test_only_nodata_is_an_answer_and_says_so(command, tmp_path, capsys):
    path = tmp_path / "flow.log"
    path.write_bytes(HEADER + NODATA * 3)
    code, out, err = run(command, [path], tmp_path, capsys)
    assert code == 0
    if command in ("detect", "rules run"):
        assert out.startswith("nothing found in 3 records without traffic (all NODATA or SKIPDATA) of 1 interface")
    if command in ("top", "sessions"):
        assert "no rows: 3 records, none of traffic" in err


def test_the_report_counts_what_passes_and_what_is_in_time():
    flows = vf.scan(GOOD, start=1002, end=1004)
    report = flows.filter("srcaddr = '10.0.0.2'").agg(n=vf.count()).collect().report
    assert (report.records, report.in_time, report.matched) == (5, 2, 1)
    some, all_of_them = vf.collect_all([flows.filter("bytes > 1000").agg(n=vf.count()), flows.agg(n=vf.count())])
    assert (some.report.matched, all_of_them.report.matched) == (0, 2)
    (batch, *_) = vf.scan(GOOD, start=1002).select("srcaddr").batches()
    assert len(batch) == 4


def test_each_batch_says_what_passed_so_far():
    many = HEADER + b"".join(line(src=f"10.0.{i // 250}.{i % 250}") for i in range(5000))
    batches = list(vf.scan(many).filter("srcaddr in '10.0.0.0/20'").batches(1000))
    assert len(batches) > 2
    assert all(batch.report.matched >= len(batch) for batch in batches)
    assert not any("none passes" in str(batch) for batch in batches)
    assert batches[-1].report.matched == sum(map(len, batches)) == 4000


def test_merged_reports_keep_the_verdict(tmp_path):
    day = vf.Aggregation(by="srcaddr", n=vf.count())
    day.update(b"", allow_empty=True)
    assert day.report.no_records
    day.update(GOOD)
    assert day.report.no_records is None


def test_parts_without_records_are_no_error_if_another_has_some(tmp_path):
    (tmp_path / "a.log").write_bytes(GOOD)
    (tmp_path / "b.log").write_bytes(HEADER)
    question = vf.Aggregation(by="srcaddr", n=vf.count())
    assert len(vf.spread.aggregate(tmp_path, question, workers=1)) == 5
    (tmp_path / "a.log").write_bytes(HEADER + b"\n")
    with pytest.raises(vf.NoRecordsError):
        vf.spread.aggregate(tmp_path, question, workers=1)


def test_watch_says_what_was_no_record(tmp_path, capsys):
    """A file of another service is told and no quiet success; single rejects, too."""
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "a.log").write_bytes(GOOD + BAD)
    (logs / "b.json").write_text(CLOUDTRAIL)
    arguments = ["watch", str(logs), "--once", "--settle", "0", "--state", str(tmp_path / "state")]
    assert cli.main(arguments) == 2
    err = capsys.readouterr().err
    assert re.search(r"b\.json: no record was read: 1 line was rejected", err), err
    assert re.search(r"1 line rejected; the first: .*a\.log:7:\d+: too-few-fields", err), err


def test_a_condition_on_a_field_that_no_log_has_is_an_error():
    """Also of a selection of everything, which takes what there is: such a condition would hold of no record."""
    logs = b"srcaddr dstaddr\n10.0.0.1 10.0.0.2\n"
    some = vf.scan(logs).filter("bytes > 5")
    for query in (some, some.select("srcaddr"), some.head(5), some.agg(n=vf.count())):
        with pytest.raises(vf.FieldError, match="bytes is in none of the logs read"):
            query.collect()
    both = vf.scan([logs, b"srcaddr dstaddr bytes\n10.0.0.1 10.0.0.2 9\n"])
    assert len(both.filter("bytes > 5").collect()) == 1
    assert len(vf.scan(logs, allow_missing=True).filter("bytes > 5").collect()) == 0

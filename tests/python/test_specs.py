"""Specifications, options and reports: classes of the engine, with attributes that cannot be changed."""

import copy
import pickle
import sys
from importlib import import_module
from pathlib import Path
from typing import get_args

import pytest

import vpcflow as vf
import vpcflow.typing as types
from vpcflow import _core
from vpcflow.rules.replay import AlertCount

LOG = b"srcaddr dstport bytes\n10.0.0.1 22 40\n10.0.0.2 x 2\n10.0.0.2 443 960\nbad\n"
GROUPED = vf.scan(LOG).group_by("srcaddr").agg(n=vf.count(), m=vf.count(), share=vf.ratio("m", "n")).having("n > 1")
SPECS = [
    _core.TopSpec(n=3, by="bytes", other=True, per=["srcaddr"], counters=100),
    _core.SessionSpec(idle=60, vantage="client", intermediaries=["10.0.0.7", "2001:db8::1"], ordered=False, fold_above=9, fold_not=["10.0.0.0/8"]),
    GROUPED._spec.replace(
        where="bytes > 1", filters=["bytes > 2"], select=["srcaddr"], limit=0, located=True, every=300, bin_by="start", derived=[("each", "m / n")],
        window=900, gap=600, sessions=_core.SessionSpec(vantage="all"),
        top=_core.TopSpec(n=5, by="n"), sort=[("n", True)], allow_missing=True, check_all=True, asked=(None, 7),
        session_records=True, lenient=True,
    ),
    _core.ScanOptions(
        format="srcaddr bytes", container="json", on_error="null", duplicates="all", trust_statistics=True, threads=3, max_output_bytes=1 << 40,
        max_memory=1 << 33, first_source=9, block_bytes=100, allow_empty=True,
        allow_missing=True, notes=["one"],
    ),
]  # fmt: skip


def report():
    return vf.scan(LOG).agg(n=vf.count()).collect().report


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: type(spec).__name__)
def test_specs_are_values(spec):
    assert pickle.loads(pickle.dumps(spec)) == copy.copy(spec) == copy.deepcopy(spec) == spec.replace() == spec
    assert spec != type(spec)()
    assert repr(type(spec)()) == f"{type(spec).__name__}()"
    names = [name for name in dir(spec) if not name.startswith("_") and name not in ("replace", "labels")]
    assert len(names) > 3
    for name in names:
        assert f"{name}=" in repr(spec)
        with pytest.raises(AttributeError):
            setattr(spec, name, getattr(spec, name))
    assert type(spec)(**{name: getattr(spec, name) for name in names}) == spec


def test_labels_of_a_spec_are_shared():
    table = vf.labels.prefixes({"10.0.0.0/8": "inside"})
    spec = vf.scan(LOG).label("net", "srcaddr", table)._spec
    assert spec.labels == [("net", "srcaddr", table._core)]
    assert spec.replace(limit=1).labels[0][2] is table._core
    with pytest.raises(TypeError, match="pickle"):
        pickle.dumps(spec)


def test_mistakes_in_specs_name_the_member():
    with pytest.raises(TypeError, match="PlanSpec has no member 'wher'"):
        _core.PlanSpec(wher="bytes > 1")
    with pytest.raises(TypeError, match="TopSpec has no member 'm'"):
        SPECS[0].replace(m=1)
    with pytest.raises(vf.PlanError, match=r"bin_by='sprad': it is 'spread' or 'start'"):
        vf.scan(LOG).group_by("srcaddr", bin_by="sprad")
    with pytest.raises(vf.PlanError, match=r"on_error='skp': it is 'skip', 'raise' or 'null'"):
        vf.scan(LOG, on_error="skp")
    with pytest.raises(vf.PlanError, match=r"vantage=None: it is 'most', 'client', 'server' or 'all'"):
        vf.scan(LOG).sessions(vantage=None)
    with pytest.raises(vf.PlanError, match=r"limit: a whole number from 0 to \d+ is needed, not -1"):
        vf.scan(LOG).limit(-1)
    with pytest.raises(vf.PlanError, match=r"top_k: n: a whole number from 0 to .* is needed, not -3"):
        vf.scan(LOG).agg(n=vf.count()).top_k(-3, by="n")
    with pytest.raises(vf.PlanError, match="select: a list of texts is needed, not "):
        _core.PlanSpec(select=3)
    with pytest.raises(vf.FormatError):
        vf.scan(LOG, format="srcadr bytes")


def test_a_query_does_not_change():
    flows = vf.scan(LOG)
    before = flows._spec
    flows.filter("bytes > 1").select("srcaddr").limit(3).sort("srcaddr")
    assert flows._spec is before
    assert before == _core.PlanSpec()
    assert copy.copy(flows).limit(1)._spec == flows.limit(1)._spec


def test_reports_have_typed_attributes():
    with pytest.warns(vf.DataQualityWarning):
        got = report()
    counts = ["sources", "duplicates", "text_bytes", "lines", "headers", "blank_lines", "records", "ok", "nodata", "skipdata", "matched", "in_time", "rejected", "nulled_values", "unspread"]
    for name in counts:
        assert type(getattr(got, name)) is int, name
    assert (got.records, got.rejected, got.lines) == (3, 1, 5)
    (reject,) = got.rejects
    assert isinstance(reject, vf.Reject)
    assert (reject.file, reject.line, reject.column, reject.field, reject.reason) == ("<bytes>", 5, 4, None, "too-few-fields")
    for holder, name in ((got, "records"), (reject, "line")):
        with pytest.raises(AttributeError):
            setattr(holder, name, 7)
    with pytest.raises(AttributeError):
        got.rejectd  # noqa: B018
    with pytest.raises(AttributeError):
        got.rejectd = 7


def test_reports_read_as_dictionaries():
    with pytest.warns(vf.DataQualityWarning):
        got = report()
    plain = got.as_dict()
    assert list(plain) == got.keys()
    assert plain["rejects"] == [dict(got.rejects[0])]
    assert all(got[name] == getattr(got, name) and name in got for name in got.keys())  # noqa: SIM118
    assert got.rejects[0]["line"] == 5
    assert set(got.rejects[0].keys()) == {
        "file", "line", "byte_offset", "column", "field", "reason", "message", "excerpt",
    }
    for holder in (got, got.rejects[0], vf.fields()[0], vf.capabilities("default")[0], vf.build_info()):
        assert "as_dict" not in holder
        assert "x" not in holder
        with pytest.raises(KeyError, match="x"):
            holder["x"]
        assert dict(holder)
    assert vf.fields()[0]["name"] == vf.fields()[0].name == "version"


def test_reports_survive_pickling_whatever_they_hold(tmp_path):
    (tmp_path / "a.log").write_bytes(b"srcaddr start bytes \xff\xfe\n10.0.0.1 9 x\xff\n10.0.0.1 5 4 \xff\xff\n")
    (tmp_path / "b.log.gz").write_bytes(b"\x1f\x8b\x08\x00broken")
    with pytest.raises(vf.SourceError) as caught:
        vf.scan(tmp_path, start=1, end=100, on_error="skip").agg(n=vf.count(), b=vf.sum("bytes")).collect()
    got = caught.value.partial.report
    again = pickle.loads(pickle.dumps(got))
    assert type(again) is vf.Report
    assert again == got
    assert again.as_dict() == got.as_dict()
    assert str(again) == str(got)
    assert got.errors
    assert got.rejected
    assert got.formats
    assert [pickle.loads(pickle.dumps(reject)) for reject in got.rejects] == got.rejects


def test_merged_reports_count_both():
    with pytest.warns(vf.DataQualityWarning):
        one, other = report(), vf.scan(b"srcaddr dstport bytes\nworse\n", allow_empty=True).agg(n=vf.count()).collect().report
    both = _core.merge_reports(one, other)
    assert (both.sources, both.records, both.rejected, both.lines) == (2, 3, 2, 7)
    assert both.rejects_by_reason == {"too-few-fields": 2}
    assert len(both.rejects) == 2
    assert (one.records, other.no_records is None, both.no_records) == (3, False, None)
    assert _core.Report().no_records is None


def test_the_names_are_the_engines():
    for alias, names in _core.names().items():
        assert get_args(getattr(types, alias)) == names, alias
    sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))
    try:
        generate = import_module("generate_docs")
    finally:
        sys.path.pop(0)
    assert generate.TYPING.read_text() == generate.typing_module(), "run tools/generate_docs.py"
    assert set(generate.ALIASES) == set(_core.names())


def test_the_names_are_all_that_is_there():
    fields = vf.fields()
    assert {field.column_type for field in fields} <= set(get_args(types.FieldType))
    log = b"srcaddr start bytes\n10.0.0.1 5 40\n"
    queries = (vf.scan(log).agg(f=vf.mean("bytes"), s=vf.sum("bytes")), vf.scan(log), vf.scan(log).located())
    kinds = {kind for query in queries for _, kind in query.collect().schema}
    assert len(kinds) > 3
    assert kinds <= set(get_args(types.ColumnType))
    assert set(get_args(types.Verdict)) >= {c.verdict for c in vf.capabilities("srcaddr")}
    assert get_args(types.Container) == tuple(vf.containers())
    assert get_args(types.RejectReason) == tuple(vf.reject_reasons())


def test_labels_and_counts_have_the_members_that_are_typed():
    made = vf.synth(25_000, seed=3, plant="all", peers=300, noise_sources=300)
    office = vf.synth(40_000, world="office", seed=3, hours=1, interfaces=40, plant="ssh_guesses")
    labels = {name for label in made.labels + office.labels for name in label}
    assert labels == set(vf.synthetic.PlantLabel.__annotations__)
    (row,) = vf.rules.replay(vf.scan(made.data), vf.rules.of([{"name": "all", "where": "bytes > 0"}]))
    assert list(row) == list(AlertCount.__annotations__)

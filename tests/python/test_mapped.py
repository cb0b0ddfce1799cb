"""Events of any CSV or JSON lines by a mapping: what is read, and what is said of a mapping or of values that do not fit."""

import json

import pytest

import vpcflow as vf
from vpcflow.correlate.mapped import checked_mapping
from vpcflow.correlate.sources import load_events

TIME = 1_795_413_600  # 2026-11-23 06:00:00
VPN = {"source": "vpn", "time": "when", "kind": "what", "entities": ["user", "addr"]}


def loaded(tmp_path, text, name="v.csv", **more):
    (tmp_path / name).write_text(text)
    return load_events(tmp_path / name, "mapped", mapping=checked_mapping({**VPN, **more}))


@pytest.mark.parametrize("time", ["1795413600", "1795413600.5", "1795413600123", "1795413600123456", "1795413600123456789", "2026-11-23T07:00:00+01:00", "2026-11-23 06:00:00Z", "2026-11-23T06:00:00.123456Z", "2026-11-23T01:00:00.5-05:00"])
def test_times_in_other_forms(tmp_path, time):
    events, notes = loaded(tmp_path, f"when,what,user,addr\n{time},login,ann,192.0.2.9\n")
    assert [(e.time, e.kind, e.entities) for e in events] == [(TIME, "login", ("ann", "192.0.2.9"))]
    assert notes == []
    plain = float(time) if time.replace(".", "").isdecimal() else time
    (event,) = loaded(tmp_path, json.dumps({"when": plain, "what": "login", "user": "ann", "addr": "a"}), "v.json")[0]
    assert event.time == TIME


def test_what_was_assumed_or_left_out_is_said(tmp_path):
    head = "when,what,user,addr,level,day\n"
    rows = ["2026-11-23 06:00:00,login,ann,192.0.2.9,critical,1", "23/Nov/2026:06:00:00 +0100,login,bob,192.0.2.9,high,1", ",x,y,z,,", "2026-11-23T06:00:00Z,logout, ann ,,weird,1"]
    events, notes = loaded(tmp_path, head + "\n".join(rows), severity="level")
    assert [(e.kind, e.severity, e.entities) for e in events] == [("login", "high", ("ann", "192.0.2.9")), ("logout", "", ("ann",))]
    place = tmp_path / "v.csv"
    assert notes == [
        f"{place}: 2 of 4 records without a time in 'when', such as '23/Nov/2026:06:00:00 +0100'; left out; expected ISO 8601, or seconds since 1970",
        f"{place}: 1 time in 'when' without a zone; taken as UTC",
        f"{place}: 1 severity in 'level' not known, such as 'weird'; taken as none; expected high, medium or low",
    ]


@pytest.mark.parametrize(("text", "name"), [("\ufeffwhen;what;user;addr\n{t};login;ann;192.0.2.9\n", "a.csv"), ("when\twhat\tuser\taddr\n{t}\tlogin\tann\t192.0.2.9\n", "a.TSV"), ("when|what|user|addr\r\n{t}|login|ann|192.0.2.9\r\n", "a.csv")])
def test_tables_with_other_separators(tmp_path, text, name):
    (event,) = loaded(tmp_path, text.format(t=TIME), name)[0]
    assert (event.time, event.kind, event.entities) == (TIME, "login", ("ann", "192.0.2.9"))


@pytest.mark.parametrize(
    ("mapping", "says"),
    [
        ([1], "mapping: expected names, as {source: vpn, .*}, not list"), ({"source": "v"}, "mapping: `time` is missing: the column of their times"), ({"time": "t"}, "mapping: `source` is missing: a name for these events"),
        ({"source": "v", "time": "t", "entitys": "x"}, "no key 'entitys'; did you mean 'entities'"), ({"source": "v", "time": 5}, "mapping: time: 5; expected the name of a column, as text"), ({"source": "v", "time": "t", "entities": ["a", None]}, "entities: None; expected the name"),
        ({"source": "v", "time": "t", "entities": {"a": 1}}, "entities: {'a': 1}; expected names of columns"), ({"source": "flows", "time": "t"}, "'flows' is what flow logs give; choose another name"),
    ],
)  # fmt: skip
def test_mappings_that_cannot_be(mapping, says):
    with pytest.raises(vf.PlanError, match=says):
        checked_mapping(mapping)


@pytest.mark.parametrize(
    ("text", "name", "more", "says"),
    [
        ("wen,what,user,addr\n1,2,3,4\n", "a.csv", {}, "mapping: time: no column 'when'; did you mean 'wen'\\? There are wen, what, user, addr"), ("when,what,user,addr\n", "a.csv", {"entities": ["usr"]}, "entities: no column 'usr'; did you mean 'user'"),
        ("when,what,user,addr\n", "a.csv", {"severity": "zzz"}, "severity: no column 'zzz'; there are when"), ("1795413600,login,ann,192.0.2.9\n", "a.csv", {}, "no column 'when'; there are 1795413600, login"),
        ('{"at": {"when": 1}, "what": 1}', "a.json", {}, "time: no column 'when'; did you mean 'at.when'"),
    ],
)  # fmt: skip
def test_columns_that_are_not_there(tmp_path, text, name, more, says):
    with pytest.raises(vf.PlanError, match=says):
        loaded(tmp_path, text, name, **more)


def test_documents_without_a_column_are_said(tmp_path):
    events, notes = loaded(tmp_path, json.dumps({"at": {"when": TIME}, "what": "x", "user": "ann", "adr": "1"}), "a.json", time="at.when")
    assert len(events) == 1
    assert notes == [f"{tmp_path / 'a.json'}: mapping: entities: no column 'addr'; did you mean 'adr'? There are at.when, what, user, adr"]


def test_nothing_with_a_time_is_an_error_that_says_why(tmp_path):
    with pytest.raises(vf.NoRecordsError, match=r"no event of vpn in 1 file; .*: 1 of 1 record without a time in 'when', such as 'today'"):
        loaded(tmp_path, "when,what,user,addr\ntoday,a,b,c\n")


def test_rules_that_ask_for_what_no_event_has_are_said(tmp_path):
    (tmp_path / "v.csv").write_text(f"when,what,user,addr\n{TIME},login,ann,192.0.2.9\n")
    flows = vf.scan(f"2 1 eni-1 192.0.2.9 10.0.0.2 1 22 6 1 40 {TIME + 60} {TIME + 90} ACCEPT OK\n".encode())
    then = {"source": "flows", "where": "srcaddr = $who"}
    for step, says in (({"bind": {"who": "adr"}}, "no event of vpn has 'adr'; did you mean 'addr'"), ({"kind": "logon", "bind": {"who": "addr"}}, "no event of vpn is 'logon'; did you mean 'login'"), ({"where": "usr = 'ann'", "bind": {"who": "addr"}}, "has 'usr'; did you mean 'user'"), ({"kind": "login", "bind": {"who": "addr"}}, "")):
        found = vf.correlate(flows, events=tmp_path / "v.csv", mapping=VPN, rules=[{"name": "r", "sequence": [{"source": "vpn", **step}, then]}])
        assert [note.partition("?")[0] for note in found.notes] == ([f"r: {says}"] if says.startswith("no") else found.notes and [f"r: no event of vpn {says}"])
        assert len(found.matches) == (not says)
    with pytest.raises(vf.PlanError, match=r"events without mapping, which says which columns are what: as {source: vpn"):
        vf.correlate(flows, events=tmp_path / "v.csv")

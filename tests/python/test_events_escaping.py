"""CEF and LEEF: whatever stands in a text, a second parser finds the same members with the same values, on one line."""

import json
import os
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import vpcflow as vf
from test_events_round_trip import HOSTILE
from test_export import exported
from vpcflow.alerts import Alert, cef
from vpcflow.siem.findings import finding_line

LONG = bool(os.environ.get("VPCFLOW_LONG"))  # make soak
SETTINGS = settings(
    max_examples=3000 if LONG else 40, deadline=None, derandomize=not LONG, suppress_health_check=list(HealthCheck)
)
TEXTS = st.one_of(
    st.sampled_from([*HOSTILE, "a=b", "a\\=b", "a|b", "\\", "\\n", "a b=c d=e", "|x09|", "cat=x\tsev=1", "\x9b31m", "\x7f"]),
    st.text(st.characters(codec="utf-8"), min_size=1, max_size=12),
)
# What none of them may hold: it would end a line, or tell a terminal something.
CONTROLS = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f]")


def plain(text):
    """The text as it arrives where controls have no escape: they and blanks beside each other are one blank."""
    return " ".join(re.sub("[\x00-\x1f\x7f-\x9f]", " ", text).split())


def parsed_cef(line):
    """The seven fields of the head, and the members of the extension: a key is a word before an = without a backslash."""
    assert not CONTROLS.search(line)
    head, at, field = [], 0, ""
    while len(head) < 7:
        if line[at] == "\\":
            assert line[at + 1] in "\\|"
            at += 1
            field += line[at]
        elif line[at] == "|":
            head.append(field)
            field = ""
        else:
            field += line[at]
        at += 1
    extension = line[at:]
    begins = [match for match in re.finditer(r"(?:^| )([A-Za-z0-9]+)(?<!\\)=", extension)]
    members = {}
    for one, following in zip(begins, [*begins[1:], None]):
        value = extension[one.end() : following.start() if following else len(extension)]
        members[one[1]] = re.sub(r"\\(.)", lambda m: {"n": "\n", "r": "\r"}.get(m[1], m[1]), value)
    return head, members


def parsed_leef(line):
    assert not CONTROLS.search(line)
    *head, event, separator, body = line.split("|", 6)
    assert (*head, separator) == ("LEEF:2.0", "vpcflow", "vpcflow", "1", "x09")
    members = dict(member.split("=", 1) for member in body.split("\t"))
    assert len(members) == body.count("\t") + 1
    return event, members


def finding_of(text, evidence):
    return vf.Finding("port_scan", "high", "203.0.113.7", [text], 0, 60, 0.9, "T1046", evidence, {}, text)


@SETTINGS
@given(text=TEXTS, evidence=st.dictionaries(TEXTS, TEXTS, max_size=3))
def test_findings(text, evidence):
    found = finding_of(text, evidence)
    event, leef = parsed_leef(finding_line(found, "leef").decode())
    assert (event, leef["src"], leef.get("msg", ""), leef["sev"]) == ("port_scan", "203.0.113.7", plain(text), "9")
    assert json.loads(leef.get("evidence", "{}")) == evidence
    head, members = parsed_cef(cef(Alert("id", found)))
    assert head == ["CEF:0", "vpcflow", "vpcflow", "1", "port_scan", plain(text), "9"]
    assert plain(members["msg"]) == plain(text)
    assert json.loads(members["cs2"]) == evidence


@SETTINGS
@given(vpc=TEXTS, reason=TEXTS)
def test_records(vpc, reason):
    log = json.dumps({"srcaddr": "10.0.0.1", "dstaddr": "10.0.0.2", "start": 1, "action": "REJECT", "bytes": 7,
                      "vpc-id": vpc, "reject-reason": reason, "protocol": 6}).encode()  # fmt: skip
    line, rest = exported(log, "cef")[0].decode().split("\n")
    assert rest == ""
    head, members = parsed_cef(line)
    assert head[4:] == ["reject", "Flow rejected", "3"]
    with_text = vf.scan(log).collect()[0]
    for name, value in (("cs3", with_text["vpc_id"]), ("reason", with_text["reject_reason"])):
        assert plain(members.get(name, "")) == plain(value or "")
    assert (members["in"], members["proto"], members["src"]) == ("7", "TCP", "10.0.0.1")


@pytest.mark.parametrize("line", ["CEF:0|a|b|1|x|y|3|k=v\x1b[31m", "CEF:0|a|b|1|x\\y|z|3|k=v"])
def test_the_parser_refuses_what_is_not_escaped(line):
    with pytest.raises(AssertionError):
        parsed_cef(line)

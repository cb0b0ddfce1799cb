"""Sample records of findings: the first that a reader of all records would take."""

import dataclasses

import pytest

import vpcflow as vf
from conftest import SAMPLE
from test_detection import talk
from vpcflow.findings.evidence import with_samples


def first_records(finding, rows, n):
    """What a plain reading of all records gives."""
    out = []
    for row in rows:
        ends = (row.get("pkt_srcaddr") or row["srcaddr"], row.get("pkt_dstaddr") or row["dstaddr"])
        if finding.targets:
            mine = any(set(ends) == {finding.actor, target} for target in finding.targets)
        else:
            mine = finding.actor in ends
        port = finding.evidence.get("dstport")
        if mine and finding.start <= row["start"] <= finding.end and port in (None, row["srcport"], row["dstport"]):
            out.append((row["file"], row["offset"]))
    return out[:n]


@pytest.mark.parametrize("n", [1, 3, 40])
def test_samples_are_the_first_records_of_each_finding(n):
    flows = vf.scan(SAMPLE)
    rows = flows.located().collect().rows()
    findings = list(vf.detect(flows, samples=n))
    findings += with_samples(flows, [dataclasses.replace(f, targets=[], samples=[]) for f in findings], n)
    assert len(findings) > 10
    for finding in findings:
        assert [(s["file"], s["offset"]) for s in finding.samples] == first_records(finding, rows, n), finding.sentence


def test_findings_that_share_their_ends_each_have_samples():
    log = talk(*(("10.0.0.4", "10.0.0.9", port, 6, 20, 5000, 1000 + i, "answered") for i, port in enumerate((22, 80, 22, 80))))
    (made,) = vf.rules.run(vf.scan(log), vf.rules.of([{"name": "a", "by": "srcaddr", "where": "srcaddr = '10.0.0.4'"}]), samples=0)
    ones = [dataclasses.replace(made, targets=["10.0.0.9"], evidence={"dstport": port}, start=0, end=9999) for port in (22, 80, 443)]
    rule = dataclasses.replace(made, actor="not an address")
    found = with_samples(vf.scan(log), [*ones, rule, dataclasses.replace(made, targets=["nor this"])], 2)
    assert [[s["dstport"] for s in f.samples if s["dstport"] < 1024] for f in found[:3]] == [[22], [80], []]
    assert [len(f.samples) for f in found] == [2, 2, 0, 0, 0]

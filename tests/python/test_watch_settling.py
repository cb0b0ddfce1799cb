"""A watch, file by file, tells in the end what one pass over all files finds, and takes back what does not hold."""

import json

import pytest

import vpcflow as vf
from conftest import SAMPLE
from test_detection import talk
from vpcflow.alerts import Alert, cef
from vpcflow.watch import Watch

HOUR = 3600


class Looks:
    """A watch whose folder gets one file after another."""

    def __init__(self, tmp_path, **options):
        (tmp_path / "logs").mkdir()
        self.folder, self.options, self.told = tmp_path, options, []

    def __call__(self, data):
        """The alerts after one more file: their detectors and severities, or that they are withdrawn."""
        name = f"{len(list((self.folder / 'logs').iterdir())):04}.log"
        (self.folder / "logs" / name).write_bytes(data)
        options = {"detectors": {}, **self.options}
        watch = Watch(self.folder / "logs", [], {}, self.folder / "state.sqlite", settle=0, **options)  # a new process
        alerts = watch.poll()
        watch.close()
        self.told += alerts
        return [(a.finding.detector, "withdrawn" if a.withdrawn else a.finding.severity) for a in alerts]


def holds(alerts):
    """The keys of what is told and not withdrawn."""
    out = set()
    for alert in alerts:
        (out.discard if alert.withdrawn else out.add)(alert.finding.key)
    return out


def call(hour, minute=0.0, target="198.51.100.7"):
    return ("10.0.0.4", target, 443, 6, 20, 5000, int(hour * HOUR + minute * 60), "answered")


def upload(actor, hour):
    return (actor, "203.0.113.9", 443, 6, 200_000, 3 * 10**9, hour * HOUR, "sent")


def test_a_few_regular_calls_are_told_when_they_went_on_for_long(tmp_path):
    look = Looks(tmp_path)
    told = [look(talk(call(hour))) for hour in range(16)]
    assert told[:12] == [[]] * 12
    assert [("beacon", "medium")] in told[12:]
    assert sum(map(len, told)) == 1


def test_regular_calls_that_turn_out_to_be_irregular_are_never_told(tmp_path):
    look = Looks(tmp_path)
    times = [*range(6), 5.1, 5.15, 5.9, 6.7, 6.75, 7.3, 8.9, 9, 11.2, 11.3, 13.5, 17.2]
    assert vf.detect(vf.scan(talk(*map(call, times[:6]))), only=["beacon"])
    assert not vf.detect(vf.scan(talk(*map(call, times))), only=["beacon"])
    assert [told for told in map(look, [talk(call(time)) for time in times]) if told] == []


def test_what_later_files_refute_is_withdrawn_once_with_a_note(tmp_path):
    look = Looks(tmp_path)
    usual = [("10.0.0.4", "198.51.100.7", 443, 6, 20, 5000, 10, "answered")]
    assert look(talk(*usual, upload("10.0.0.4", 1))) == [("exfiltration", "high")]
    assert look(talk(upload("10.0.0.5", 2))) == [("exfiltration", "high")]
    assert look(talk(upload("10.0.0.6", 3))) == [("exfiltration", "withdrawn")] * 2  # three of them: it is common
    assert look(talk(upload("10.0.0.7", 4))) == []
    note = look.told[-1]
    assert note.withdrawn.startswith("it is low by what came later: ")
    assert note.as_dict()["withdrawn"] == note.withdrawn
    assert look.told[0].as_dict()["withdrawn"] is None
    assert len({alert.id for alert in look.told}) == len(look.told)
    assert "|withdrawn, it is low by what came later" in cef(note)
    assert cef(Alert("1", note.finding)) != cef(note)


def test_what_falls_out_of_the_span_or_is_cut_otherwise_is_not_refuted(tmp_path):
    scan = [("198.51.100.9", "10.0.0.9", 8000 + i, 6, 1, 40, 1000 + i, "REJECT") for i in range(120)]
    look = Looks(tmp_path, span="1h")
    ((detector, _),) = look(talk(*scan))
    assert detector == "port_scan"
    look.options["detectors"] = {"idle": "5m"}
    assert look(talk(call(0.5))) == []
    look.options["detectors"] = {}
    assert look(talk(call(9))) == []
    assert look(talk(call(20))) == []


def test_services_that_a_file_named_stay_known(tmp_path):
    fields = "srcaddr dstaddr srcport dstport protocol packets bytes start end action pkt-dst-aws-service flow-direction"

    def rows(*lines):
        return "\n".join([fields, *lines, ""]).encode()

    def sent(start, service, target="203.0.113.9"):
        return f"10.0.0.4 {target} 40000 443 6 200000 3000000000 {start} {start + 60} ACCEPT {service} egress"

    look = Looks(tmp_path)
    assert look(rows(sent(1000, "S3"))) == []  # low
    assert look(rows("10.0.0.5 10.0.0.6 40000 443 6 10 1000 5000 5060 ACCEPT - egress")) == []
    assert look(rows(sent(9000, "S3", "203.0.113.10"))) == []
    # The list that comes with the library stays in force where the logs name nothing.
    known = Looks(tmp_path / "known") if (tmp_path / "known").mkdir() is None else None
    assert known(rows(sent(1000, "-", "52.219.84.217"))) == []
    assert known(rows(sent(5000, "-", "203.0.113.9"))) == [("exfiltration", "high")]


def test_guesses_of_many_sources_are_one_alert_whoever_is_first(tmp_path):
    look = Looks(tmp_path)

    def guesses(hour, sources):
        return talk(*((f"198.51.100.{i}", "10.0.0.9", 22, 6, 12, 1700 + i, hour * HOUR + (i * 37) % 600 + 97 * j * j, "answered") for i in sources for j in range(7)))

    told = [name for at, sources in enumerate((range(20, 40), range(10, 30), range(1, 20))) for name, _ in look(guesses(at, sources))]
    assert told.count("brute_force") == 1


@pytest.mark.parametrize("parts", [2, 7])
def test_file_by_file_is_one_pass(tmp_path, parts):
    import gzip

    head, *lines = gzip.decompress(SAMPLE.read_bytes()).splitlines(keepends=True)
    look = Looks(tmp_path)
    for n in range(parts):
        look(head + b"".join(lines[len(lines) * n // parts : len(lines) * (n + 1) // parts]))
    whole = [f for f in vf.detect(vf.scan(SAMPLE), samples=0) if f.severity != "low"]
    assert holds(look.told) == {f.key for f in whole}
    worst = {alert.finding.key: alert.finding.severity for alert in look.told}
    assert worst == {f.key: f.severity for f in whole}
    assert json.dumps([a.as_dict() for a in look.told])


def test_other_settings_withdraw_nothing(tmp_path):
    look, said = Looks(tmp_path), []
    assert look(talk(upload("10.0.0.4", 1))) == [("exfiltration", "high")]
    look.options = {"detectors": {"exfil_bytes": "50GB", "exfil_small": "50GB"}, "log": said.append}
    assert look(talk(upload("10.0.0.4", 1), call(2))) == []
    assert said == [
        "the detectors go by other settings than before: exfil_bytes 50000000000 (was 500000000), exfil_small "
        "50000000000 (was 50000000); what was told stays as it was told"
    ]
    assert look(talk(call(3))) == []
    assert len(said) == 1
    look.options = {"min_severity": "high", "log": said.append}
    assert look(talk(call(4))) == []
    assert len(said) == 2
    assert "min_severity \"high\" (was \"medium\")" in said[1]


def test_what_is_told_with_the_settings_of_now_is_withdrawn_as_ever(tmp_path):
    look = Looks(tmp_path)
    look(talk(call(0)))
    look.options = {"detectors": {"exfil_bytes": "400MB"}}
    look(talk(call(1)))  # other settings, before anything was told
    assert look(talk(upload("10.0.0.4", 2))) == [("exfiltration", "high")]
    later = look(talk(upload("10.0.0.5", 2), upload("10.0.0.6", 2)))
    assert ("exfiltration", "withdrawn") in later

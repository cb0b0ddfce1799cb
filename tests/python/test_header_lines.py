"""Header lines of text in any case and with any separators."""

import pytest

import vpcflow as vf
from conftest import with_options

OWN = "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status"
LINES = (
    "2 210987654321 eni-0b 10.1.0.7 192.0.2.44 50123 8443 6 12 9000 1772000000 1772000060 ACCEPT OK\n"
    "2 210987654321 eni-0b 192.0.2.44 10.1.0.7 8443 50123 6 9 700 1772000000 1772000060 REJECT OK\n"
)
HEADERS = {
    "capitals": OWN.upper(),
    "camel case": "Version AccountID InterfaceID SrcAddr DstAddr SrcPort DstPort Protocol Packets Bytes StartTime EndTime "
                  "Action LogStatus",
    "small camel case": "version accountId interfaceId srcAddr dstAddr srcPort dstPort protocol packets bytes start end "
                        "action logStatus",
    "underscores": OWN.replace("-", "_"),
    "capitals and underscores": OWN.replace("-", "_").upper(),
    "Athena's old table": "version account interfaceid sourceaddress destinationaddress sourceport destinationport protocol "
                          "numpackets numbytes starttime endtime action logstatus",
    "tabs": OWN.title().replace(" ", "\t"),
    "blanks around": "  " + OWN.replace(" ", "  ") + " \r",
    "commas": OWN.title().replace(" ", ", "),
}  # fmt: skip


def rows(data, **options):
    result = vf.scan(data.encode() if isinstance(data, str) else data, **options).collect()
    assert result.report.rejected == 0, result.report.rejects
    return result.rows()


WANTED = rows(OWN + "\n" + LINES)


@pytest.mark.parametrize("name", HEADERS)
def test_headers_in_any_spelling(quiet, name):
    for before in ("", "\ufeff", "\n"):
        assert rows(before + HEADERS[name] + "\n" + LINES) == WANTED


@pytest.mark.parametrize("name", ["capitals", "camel case", "small camel case", "Athena's old table", "tabs"])
def test_headers_that_come_again(quiet, name):
    """Files put together, and a header of another order in AWS's names between them."""
    once = HEADERS[name] + "\n" + LINES
    assert rows(once * 3) == WANTED * 3
    turned = " ".join(OWN.split()[::-1]) + "\n" + "".join(" ".join(x.split()[::-1]) + "\n" for x in LINES.splitlines())
    for data, times in ((once + turned + once, 3), (turned + once, 2)):
        flows = vf.scan(data.encode()).select(*[n.replace("-", "_") for n in OWN.split()])
        flows = with_options(flows, block_bytes=100)
        got = flows.collect()
        assert got.report.rejected == 0
        assert got.rows() == WANTED * times


def test_the_first_column_may_be_unknown_or_an_alias(quiet):
    lines = "".join(f"x{i} " + line + "\n" for i, line in enumerate(LINES.splitlines()))
    got = vf.scan(("Team " + HEADERS["camel case"] + "\n" + lines).encode()).collect()
    assert got.rows() == [{**row, "team": f"x{i}"} for i, row in enumerate(WANTED)]
    assert got.report.warnings == ["field 'team' is not in the catalogue; kept as text"]


def test_aws_own_name_wins(quiet):
    lines = "".join(line + " 5\n" for line in LINES.splitlines())
    got = vf.scan((HEADERS["camel case"].replace("StartTime", "Start") + " StartTime\n" + lines).encode()).collect()
    assert [{n: v for n, v in row.items() if n != "starttime"} for row in got.rows()] == WANTED
    assert got.report.warnings == ["column 'starttime' is kept as text: another column is the field 'start'"]


@pytest.mark.parametrize("line", ["Alpha Beta Gamma", "Version 2", "Bytes", "ACCEPT REJECT OK", "Team Alpha Start", "A" * 300])
def test_lines_that_are_no_headers(quiet, line):
    """A line that names too few fields is a reject, not a header."""
    report = vf.scan((OWN + "\n" + LINES + line + "\n" + LINES).encode()).agg(n=vf.count()).collect().report
    if line != "Bytes":
        assert (report.records, report.rejected, report.headers) == (4, 1, 1)


def test_lines_that_begin_with_capitals_are_no_headers(quiet):
    data = "".join(f"ACCEPT 10.0.0.{i % 250} {i}\n" for i in range(5000))
    result = vf.scan(data.encode(), format="${action} ${srcaddr} ${bytes}").agg(n=vf.count(), bytes=vf.sum("bytes")).collect()
    assert result.rows() == [{"n": 5000, "bytes": sum(range(5000))}]

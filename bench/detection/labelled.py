"""Real flows with known actors, as records of VPC flow logs: what the detectors and published definitions say of them.

    python bench/detection/labelled.py FOLDER      # writes the table to docs/explanation/detection-measured.md; needs dpkt for captures

FOLDER holds files of two public projects, which are not part of this one: `testing/pcaps/*.pcap` of ncsa/bro-simple-scan
(as simple-scan-NAME.pcap), and of stratosphereips/StratosphereLinuxIPS `dataset/port-scans/vertical/conn.log` (as
slips-portscan-vertical-conn.ndjson) and `dataset/test*.binetflow` (as slips-NAME.binetflow, .tsv where tabs separate).
Each connection becomes the records that AWS would write: one for each direction that had packets, ACCEPT, with the OR
of the TCP flags that AWS reports. `walk_outside` is on: slow scans by outsiders are what some files hold.
"""

import csv
import datetime
import ipaddress
import json
import sys
from pathlib import Path

import published
from page import put

import vpcflow as vf

FIELDS = "srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status"
PROTOCOLS = {"tcp": 6, "udp": 17, "icmp": 1}
FRAME = 14  # bytes of Ethernet, which Argus counts and AWS does not
FLAGS = {"F": 1, "S": 2, "R": 4}

# file, what is known of it, the actor, the detectors one of which must name it (none: no incident is known in it)
FILES = [
    ("slips-portscan-vertical-conn.ndjson", "46 ports of one host by nmap, refused", "192.168.1.9", ("port_scan",)),
    ("slips-test11-portscan.binetflow", "40 ports of one host, no answer", "10.8.0.69", ("port_scan",)),
    ("slips-test3-mixed.binetflow", "445 of 11 hosts, some refuse", "216.73.23.146", ("port_scan",)),
    ("slips-test3-mixed.binetflow", "3389 of 28 hosts, one packet each", "46.166.151.160", ("port_scan",)),
    ("slips-test5-mixed.binetflow.tsv", "malware, DNS and HTTP", "10.0.2.15", ("beacon", "tunnel", "exfiltration")),
    ("slips-test2-malicious.binetflow", "an infected phone, mostly DNS and TLS", "10.8.0.69", ("beacon", "tunnel", "exfiltration")),
    ("simple-scan-port_scan.pcap", "10 ports of one host, no answer", "192.168.2.154", ("port_scan",)),
    ("simple-scan-scan_with_zero_windows.pcap", "port 23 of 10 hosts, no answer", "10.0.0.1", ("port_scan",)),
    ("simple-scan-445_scan.pcap", "445 of 8 hosts in an hour, no answer", "176.192.150.3", ("port_scan",)),
    ("simple-scan-multiport_scan.pcap", "three ports of 9 hosts in 4 hours, no answer", "125.27.226.209", ("port_scan",)),
]  # fmt: skip


def flags_of(letters):
    """The flags that AWS reports, out of Argus' or Zeek's letters."""
    return sum(bit for letter, bit in FLAGS.items() if letter in letters)


def answer_of(letters):
    """The same of the side that answers: its SYN is a SYN-ACK, 18."""
    return flags_of(letters) | (16 if "S" in letters and "A" in letters else 0)


def sides(client, server, ports, protocol, start, end, sent, answered, flags):
    """Records of one connection: sent and answered are (packets, bytes)."""
    for source, target, (a, b), (packets, size), flag in (
        (client, server, ports, sent, flags[0]), (server, client, ports[::-1], answered, flags[1])
    ):  # fmt: skip
        if packets > 0:
            yield f"{source} {target} {a} {b} {protocol} {packets} {size} {int(start)} {int(end)} ACCEPT OK {flag}"


def zeek(path):
    for line in path.read_text().splitlines():
        r = json.loads(line)
        letters = r.get("history", "")
        yield from sides(
            r["id.orig_h"], r["id.resp_h"], (r["id.orig_p"], r["id.resp_p"]), PROTOCOLS.get(r["proto"], 0), r["ts"],
            r["ts"] + r.get("duration", 0), (r["orig_pkts"], r["orig_ip_bytes"]), (r["resp_pkts"], r["resp_ip_bytes"]),
            (flags_of(letters.replace("D", "").translate(LOWER_OUT).upper()), answer_of(zeek_server(letters))),
        )  # fmt: skip


LOWER_OUT = {ord(c): None for c in "abcdefghijklmnopqrstuvwxyz"}


def zeek_server(letters):
    """Zeek's history: small letters are the server's, h is its SYN-ACK."""
    return "".join(c.upper() for c in letters if c.islower()).replace("H", "SA")


def argus(path):
    with open(path, newline="") as file:
        for r in csv.DictReader(file, delimiter="\t" if path.suffix == ".tsv" else ","):
            try:
                addresses = [str(ipaddress.ip_address(r[name])) for name in ("SrcAddr", "DstAddr")]
                ports = tuple(int(r[name] or "0", 0) for name in ("Sport", "Dport"))
                start = datetime.datetime.strptime(r["StartTime"], "%Y/%m/%d %H:%M:%S.%f").replace(tzinfo=datetime.timezone.utc).timestamp()
                packets, size = int(r["TotPkts"]), int(r["TotBytes"])
                own = int(r["SrcBytes"])
            except ValueError:
                continue  # no IP: ARP, LLC
            client, _, server = r["State"].partition("_")
            size, own = size - FRAME * packets, own - FRAME * int(r.get("SrcPkts") or 0)
            # S0: no answer, whatever the dataset's own counts say.
            own_packets = packets if r["State"] == "S0" else int(r.get("SrcPkts") or 0)
            answered = (0, 0) if r["State"] == "S0" else (packets - own_packets, size - own)
            yield from sides(
                *addresses, ports, PROTOCOLS.get(r["Proto"], 0), start, start + float(r["Dur"]), (own_packets, own),
                answered, (flags_of(client), answer_of(server)),
            )  # fmt: skip


def capture(path):
    import dpkt

    with open(path, "rb") as file:
        for ts, frame in dpkt.pcap.Reader(file):
            ip = dpkt.ethernet.Ethernet(frame).data
            if isinstance(ip.data, dpkt.tcp.TCP):
                ends = [str(ipaddress.ip_address(address)) for address in (ip.src, ip.dst)]
                yield from sides(*ends, (ip.data.sport, ip.data.dport), 6, ts, ts, (1, ip.len), (0, 0), (ip.data.flags & 7, 0))


def records_of(path, with_flags):
    read = zeek if path.suffix == ".ndjson" else capture if path.suffix == ".pcap" else argus
    lines = sorted(read(path), key=lambda line: int(line.split()[7]))
    if not with_flags:
        lines = [line.rsplit(" ", 1)[0] for line in lines]
    return "\n".join([FIELDS + (" tcp-flags" if with_flags else ""), *lines, ""]).encode()


def main():
    folder = Path(sys.argv[1])
    rules = vf.rules.of([{"name": name, **rule} for kind, name, rule in published.PUBLISHED if kind == "port_scan"])
    lines = ["| flows | known of them | records | vpcflow, with flags | without flags | published definitions that name the actor |", "| --- | --- | --- | --- | --- | --- |"]
    others = 0
    for name, known, actor, wanted in FILES:
        cells = []
        for with_flags in (True, False):
            data = records_of(folder / name, with_flags)
            found = vf.detect(vf.scan(data), walk_outside=True, samples=0)
            mine = [f for f in found if f.actor == actor and f.detector in wanted]
            cells.append(f"{mine[0].detector}, {mine[0].severity}" if mine else "NO")
            actors = {a for n, _, a, _ in FILES if n == name}
            others += sum(f.severity != "low" and f.actor not in actors for f in found)
        theirs = sorted({f.detector for f in vf.rules.run(vf.scan(data), rules, samples=0) if f.actor == actor})
        lines.append(f"| {name} | {known} | {data.count(10) - 1:,} | {cells[0]} | {cells[1]} | {'; '.join(theirs) or 'none'} |")
    lines += ["", f"Findings of severity `medium` or `high` about others than these actors: {others}."]
    text = "\n".join(lines)
    put("labelled.py", "end of labelled", text)


if __name__ == "__main__":
    main()

"""Published definitions as rules, and two that are none (models.py), beside the detectors, on the same labelled data:
precision, recall and F1 by actor.

    python bench/detection/published.py [SEEDS]     # 5 by default, from 1001 on; writes the table to docs/explanation/detection-measured.md

An actor that a rule names is right if it is the label's, wrong if it is no incident's; the actors of other incidents
count as neither. At lower intensities a 10th or 40th of the incidents is left (`thinned`). Each definition is written as its source has it, with its constants; where a source fires on single
records, so does the rule. Sources: the vendors' public repositories and Zeek's and SiLK's documentation.
"""

import sys
import zlib

from models import MODELS, sessions_of
from page import put

import vpcflow as vf

FIRST_SEED, RECORDS = 1001, 200_000
PRIVATE = "('10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16')"
FAILED = "(action = 'rejected' or (action = 'unanswered' and packets <= 3))"
ADMIN = "(21, 22, 23, 25, 139, 445, 3389, 5985, 5986)"

# kind of incident, name, rule
PUBLISHED = [
    ("port_scan", "Zeek scan.zeek, address scan", {
        "over": "sessions", "where": FAILED, "by": ["srcaddr", "dstport"], "every": "5m",
        "aggregates": {"hosts": "n_unique(dstaddr)"}, "having": "hosts >= 25"}),
    ("port_scan", "Zeek scan.zeek, port scan", {
        "over": "sessions", "where": FAILED, "by": ["srcaddr", "dstaddr"], "every": "5m",
        "aggregates": {"ports": "n_unique(dstport)"}, "having": "ports >= 15"}),
    ("port_scan", "Splunk, internal vertical", {
        "by": ["srcaddr", "dstaddr", "protocol"], "every": "1h", "having": ["ports >= 500", "low >= 20"],
        "where": f"srcaddr in {PRIVATE}",
        "aggregates": {"ports": "n_unique(dstport)", "low": "n_unique(dstport) where dstport < 1024"}}),
    ("port_scan", "Splunk, vertical, of any source", {
        "by": ["srcaddr", "dstaddr", "protocol"], "every": "1h", "having": ["ports >= 500", "low >= 20"],
        "aggregates": {"ports": "n_unique(dstport)", "low": "n_unique(dstport) where dstport < 1024"}}),
    ("port_scan", "Elastic, network scan", {
        "by": ["srcaddr", "dstaddr"], "every": "1m", "aggregates": {"ports": "n_unique(dstport)"}, "having": "ports >= 50"}),
    ("port_scan", "Panther, port scan (without its field of direction)", {
        "by": ["srcaddr", "dstaddr"], "every": "1h", "aggregates": {"ports": "n_unique(dstport)"}, "having": "ports >= 10",
        "where": "not dstport in (80, 123, 443, 445, 53, 853, 2049)"}),
    ("port_scan", "Tailpipe, packets of one record", {"by": "srcaddr", "where": "action = 'ACCEPT' and packets > 10000"}),
    ("lateral_movement", "Splunk, internal horizontal", {
        "by": ["srcaddr", "dstport", "protocol"], "every": "1h", "aggregates": {"hosts": "n_unique(dstaddr)"},
        "having": "hosts >= 250", "where": f"srcaddr in {PRIVATE}"}),
    ("lateral_movement", "Elastic, network sweep", {
        "by": "srcaddr", "every": "1m", "aggregates": {"hosts": "n_unique(dstaddr)"}, "having": "hosts >= 100",
        "where": f"dstport in {ADMIN}"}),
    ("brute_force", "Panther, SSH from a global source", {
        "by": "srcaddr", "where": f"action = 'ACCEPT' and dstport = 22 and not srcaddr in {PRIVATE} and dstaddr in {PRIVATE}"}),
    ("brute_force", "Tailpipe, any record to SSH or RDP", {"by": "srcaddr", "where": "dstport in (22, 3389)"}),
    ("brute_force", "Zeek, 30 tries in 30 minutes (as sessions)", {
        "over": "sessions", "by": ["srcaddr", "dstaddr"], "every": "30m", "having": "flows >= 30",
        "where": "dstport = 22 and action = 'established'"}),
    ("exfiltration", "Tailpipe, 500 MB in one record", {
        "by": "srcaddr", "where": f"action = 'ACCEPT' and bytes > 500000000 and srcaddr in {PRIVATE}"}),
    ("exfiltration", "Panther, hourly sum, z of 10", {
        "by": "srcaddr", "every": "1h", "aggregates": {"bytes": "sum(bytes)"}, "unusual": {"of": "bytes", "deviations": 10, "bins": 3},
        "where": f"srcaddr in {PRIVATE} and not dstaddr in {PRIVATE} and dstport < 1024"}),
]  # fmt: skip
OURS = ("port_scan", "lateral_movement", "brute_force", "exfiltration", "beacon")


def thinned(data, labels, keep_one_in):
    """The log with every so many-th conversation of some addresses; of the upload, which is one conversation, and of the
    beacon, whose calls must stay regular, a so many-th of the bytes, and every so many-th call."""
    actors = {label["actor"] for label in labels if not label["benign"]}
    actor_of = {label["kind"]: label["actor"] for label in labels}
    calls = {}
    header, *lines = data.decode().splitlines(keepends=True)
    names = header.split()
    src, dst, sport, dport = (names.index(n) for n in ("srcaddr", "dstaddr", "srcport", "dstport"))
    packets, size = names.index("packets"), names.index("bytes")

    def left(line):
        f = line.split()
        if f[src] not in actors and f[dst] not in actors:
            return line
        ends = repr(sorted([(f[src], f[sport]), (f[dst], f[dport])]))
        if actor_of["exfiltration"] in (f[src], f[dst]):
            f[packets], f[size] = (str(max(1, int(f[i]) // keep_one_in)) if f[i] != "-" else "-" for i in (packets, size))
            return " ".join(f) + "\n"
        if actor_of["beacon"] in (f[src], f[dst]):
            return line if calls.setdefault(ends, len(calls)) % keep_one_in == 0 else ""
        return line if zlib.crc32(ends.encode()) % keep_one_in == 0 else ""

    return "".join([header, *map(left, lines)]).encode()


def main():
    seeds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    rules = vf.rules.of([{"name": name, **rule} for _, name, rule in PUBLISHED])
    rows = [(kind, name) for kind, name, _ in [*PUBLISHED, *MODELS]] + [(kind, f"vpcflow {kind}") for kind in OURS]
    table = {}
    for shown, fmt, keep_one_in in (("v2", "default", 1), ("v5", "v5", 1), ("v5", "v5", 10), ("v5", "v5", 40)):
        counts = {name: [0, 0] for _, name in rows}  # right, wrong
        for seed in range(FIRST_SEED, FIRST_SEED + seeds):
            made = vf.synth(RECORDS, seed=seed, plant="all", format=fmt, window=60)
            actor_of = {label["kind"]: label["actor"] for label in made.labels}
            evil = {label["actor"] for label in made.labels if not label["benign"]}
            flows = vf.scan(thinned(made.data, made.labels, keep_one_in) if keep_one_in > 1 else made.data)
            named = [(f.detector, f.actor) for f in vf.rules.run(flows, rules)]
            named += [(f"vpcflow {f.detector}", f.actor) for f in vf.detect(flows) if f.severity != "low"]
            sessions = sessions_of(flows)
            named += [(name, actor) for _, name, model in MODELS for actor in model(sessions)]
            for kind, name in rows:
                actors = {actor for detector, actor in named if detector == name}
                counts[name][0] += actor_of[kind] in actors
                counts[name][1] += len(actors - evil)
        table[shown if keep_one_in == 1 else f"{shown}, 1/{keep_one_in}"] = counts
    lines = ["| incident | definition | format, intensity | precision | recall | F1 |", "| --- | --- | --- | --- | --- | --- |"]
    for kind, name in sorted(rows):
        for shown, counts in table.items():
            right, wrong = counts[name]
            precision, recall = right / max(right + wrong, 1), right / seeds
            f1 = 2 * precision * recall / (precision + recall) if right else 0.0
            lines.append(f"| {kind} | {name} | {shown} | {precision:.2f} | {recall:.2f} | {f1:.2f} |")
    text = "\n".join([*lines, "", f"{seeds} seeds from {FIRST_SEED} on, {RECORDS:,} records each, windows of 60 s."])
    put("published.py", "end of published", text)


if __name__ == "__main__":
    main()

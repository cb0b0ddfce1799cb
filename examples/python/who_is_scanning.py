"""Who tries many ports, and did one of them open? A security script: JSON lines out, exit code 1 if there is something.

usage: who_is_scanning.py LOG...
"""

import json
import sys

import vpcflow as vf

flows = vf.scan(sys.argv[1:] or "logs")
tries, opened = vf.collect_all(
    [
        flows.filter("action = 'REJECT'")
        .group_by("srcaddr", "dstaddr")
        .agg(ports=vf.n_unique("dstport"), first=vf.min("start"))
        .top_k(20, by="ports"),
        flows.filter((vf.col("action") == "ACCEPT") & ((vf.col("tcp_flags") & 18) == 2))
        .group_by("srcaddr", "dstaddr")
        .agg(ports=vf.n_unique("dstport")),
    ]
)
answered = {(row["srcaddr"], row["dstaddr"]): row["ports"] for row in opened}
for row in tries:
    if row["ports"] >= 100:
        row["accepted_ports"] = answered.get((row["srcaddr"], row["dstaddr"]), 0)
        print(json.dumps(row))

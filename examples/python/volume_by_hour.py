"""Volume over time and the largest receivers outside, as pandas tables.

usage: volume_by_hour.py LOG...
"""

import sys

import vpcflow as vf

flows = vf.scan(sys.argv[1:] or "logs")
outside = flows.filter("flow_direction = 'egress' and not dstaddr in ('10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16')")
hours, receivers = vf.collect_all(
    [
        outside.group_by(every="1h").agg(bytes=vf.sum("bytes"), rate=vf.rate("bytes"), records=vf.count()),
        outside.group_by("dstaddr")
        .agg(bytes=vf.sum("bytes"), hosts=vf.n_unique("srcaddr"))
        .top_k(5, by="bytes", other=True),
    ]
)
print(hours.to_pandas().to_string(index=False))
print(receivers.to_pandas().to_string(index=False))
print(hours.report)

"""Makes src/enrich/aws_s3.inc, the addresses of Amazon S3, out of AWS's ip-ranges.json:

    python tools/aws_s3.py ip-ranges.json        # of https://ip-ranges.amazonaws.com/ip-ranges.json
"""

import ipaddress
import json
import sys
from pathlib import Path

OUT = Path(__file__).resolve().parents[1] / "src" / "enrich" / "aws_s3.inc"


def main():
    document = json.loads(Path(sys.argv[1]).read_text())
    day = "-".join(document["createDate"].split("-")[:3])
    lines = [
        "// The addresses of Amazon S3, of AWS's https://ip-ranges.amazonaws.com/ip-ranges.json of that day; neighbours joined.",
        "// Made by tools/aws_s3.py.",
        f'VPCFLOW_AWS_DAY("{day}")',
    ]
    for prefixes, key in (("prefixes", "ip_prefix"), ("ipv6_prefixes", "ipv6_prefix")):
        found = [ipaddress.ip_network(p[key]) for p in document[prefixes] if p["service"] == "S3"]
        lines += [f'VPCFLOW_AWS_S3("{prefix}")' for prefix in ipaddress.collapse_addresses(found)]
    OUT.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()

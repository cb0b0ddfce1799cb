"""Logs of any fields with any values, most of which make little sense: what must not break on them is much."""

import random

_VALUES = {
    "account-id": ("1", "-", "123456789012"), "interface-id": ("eni-1", "eni-2", "-"), "srcaddr": ("10.0.0.1", "8.8.8.8", "-", "2600::1"),
    "dstaddr": ("10.0.0.2", "1.1.1.1", "fd00::1"), "srcport": ("0", "443", "50000", "-"), "dstport": ("22", "443", "-", "3389"),
    "protocol": ("6", "17", "1", "-", "58"), "packets": ("1", "10", "-"), "bytes": ("40", "9000000000000", "-", "0"),
    "start": ("0", "1795413600", "1795417200", "-", "9999999999"), "end": ("60", "1795413660", "1795417260", "-"),
    "action": ("ACCEPT", "REJECT", "-"), "log-status": ("OK", "NODATA", "SKIPDATA", "-"), "region": ("us-east-1", "-"),
    "flow-direction": ("ingress", "egress"), "tcp-flags": ("2", "18", "-"), "tgw-attachment-id": ("tgw-1", "-"),
    "pkt-srcaddr": ("10.0.0.3",), "vpc-id": ("vpc-1",),
}  # fmt: skip


def any_log(seed):
    """A log of at most forty records, the same for the same seed."""
    chance = random.Random(seed)
    fields = chance.sample(sorted(_VALUES), chance.randint(1, len(_VALUES)))
    lines = [" ".join(fields)]
    lines += [" ".join(chance.choice(_VALUES[field]) for field in fields) for _ in range(chance.randint(1, 40))]
    return ("\n".join(lines) + "\n").encode()

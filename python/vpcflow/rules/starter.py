"""A file of rules to begin with."""

from __future__ import annotations

#: Rules as YAML, with the keys that they can have and examples that ``vpcflow rules test`` checks.
STARTER = """\
# Rules of your own. vpcflow rules test FILE checks them; vpcflow rules replay FILE logs/ counts how often they
# would have fired; vpcflow watch logs/ --rules FILE sends alerts.
rules:
  - name: rdp-from-outside
    where: dstport = 3389 and not srcaddr in ('10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16')
    by: [srcaddr, dstaddr]        # a finding for each group; the first key is the actor
    every: 10m                    # counts in bins of time; without, over all that is kept
    aggregates:                   # without, flows: count()
      tries: count()
      rejected: count() where action = 'REJECT'
    having: tries >= 3            # groups that are findings
    severity: high                # critical, high, medium, low or info
    message: "{srcaddr} tried RDP of {dstaddr} {tries:,} times, {rejected:,} of them rejected"
    technique: T1021.001
    examples:                     # small logs, with the number of findings that they must give
      - findings: 1
        log: |
          srcaddr dstaddr dstport start end action
          203.0.113.9 10.0.0.7 3389 1795413600 1795413660 REJECT
          203.0.113.9 10.0.0.7 3389 1795413660 1795413720 REJECT
          203.0.113.9 10.0.0.7 3389 1795413720 1795413780 ACCEPT
      - findings: 0
        log: |
          srcaddr dstaddr dstport start end action
          10.0.0.9 10.0.0.7 3389 1795413600 1795413660 ACCEPT

  - name: much-sent-by-one-host
    by: srcaddr
    every: 1h
    aggregates: {bytes: sum(bytes)}
    having: bytes > 10GB
    severity: medium
    message: "{srcaddr} sent {bytes:,} bytes in an hour"

# What is known and wanted; each silence says why, and may end.
silences:
  - {rule: rdp-from-outside, actor: 198.51.100.0/24, reason: our own scanner, until: 2030-01-31}
"""

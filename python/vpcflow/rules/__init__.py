"""Rules of your own: what to look for, in a file, checked before it runs.

A file holds a list of rules, or a mapping whose ``rules`` is one, as YAML (needs PyYAML) or JSON (``.json``):

.. code-block:: yaml

    - name: rdp-from-outside
      where: dstport = 3389 and not srcaddr in ('10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16')
      by: [srcaddr, dstaddr]
      every: 10m
      aggregates: {tries: count(), bytes: sum(bytes)}
      having: [tries >= 20]
      severity: high
      message: "{srcaddr} tried RDP of {dstaddr} {tries} times"
      technique: T1021.001

Sigma rules may be there instead, see :mod:`vpcflow.rules.sigma`. Keys of
a rule: :class:`Rule`. The language of ``where``, of aggregates and of ``having`` is that of :class:`vpcflow.Flows`:
what a rule asks, a query can ask.
"""

from .evaluate import run
from .load import load, of
from .model import Rule
from .replay import count_alerts, replay, test
from .silences import Silence, check_silences, load_silences

__all__ = ["Rule", "Silence", "check_silences", "count_alerts", "load", "load_silences", "of", "replay", "run", "test"]


def __dir__() -> list[str]:
    return __all__

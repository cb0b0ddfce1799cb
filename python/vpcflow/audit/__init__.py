"""Controls: assertions about sessions, checked against logs, with evidence: ``vpcflow.audit.check``.

A file of controls has zones, and what must not, may only or must pass between them:

.. code-block:: yaml

    inventory: aws/                     # answers of describe calls; tags, VPCs and what should have logged
    zones:
      cde: {cidr: [10.20.0.0/16], vpc: [vpc-0a1b]}
      dev: {tag: {env: dev}}
    controls:
      - id: seg-dev-cde
        deny: {from: dev, to: cde, except: [tcp/443]}
        maps: [pci-4.0.1/1.3.1]
        coverage: {least: 0.99}
        exceptions:
          - {id: EX-12, from: 10.30.1.9, to: cde, ports: [tcp/22], until: 2026-12-31, owner: net, ticket: C-77}

Results are values: those of days are joined by ``+``, :func:`merge` or ``vpcflow audit merge``.
"""

from .check import check
from .export import export
from .load import load
from .matrix import matrix
from .model import Control, Controls, Zone
from .result import ControlResults, merge, results_of

__all__ = ["Control", "ControlResults", "Controls", "Zone", "check", "export", "load", "matrix", "merge", "results_of"]


def __dir__() -> list[str]:
    return __all__

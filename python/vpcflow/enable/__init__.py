"""Flow logs, from nothing to the first record: planned, written for others' tools, applied, verified, audited, priced.

Plans and audits are pure: they take an :class:`Inventory` (answers of AWS's describe calls, from a folder or read by
boto3) and call nothing. Needs boto3, ``pip install 'vpcflow[aws]'``, only for what calls AWS.
"""

from .audit import AuditRow, audit
from .costs import Cost, measured_cost
from .emitters import emit
from .inventory import Inventory, inventory_in
from .plan import Plan, read_plan
from .planning import plan

__all__ = [
    "AuditRow",
    "Cost",
    "Inventory",
    "Plan",
    "audit",
    "emit",
    "inventory_in",
    "measured_cost",
    "plan",
    "read_plan",
]


def __dir__() -> list[str]:
    return __all__

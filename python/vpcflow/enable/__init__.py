"""Flow logs, from nothing to the first record: planned, written for others' tools, applied, verified, audited, priced.

Plans and audits are pure: they take an :class:`Inventory` (answers of AWS's describe calls, from a folder or read by
boto3) and call nothing. :func:`apply`, :func:`verify` and :func:`delete` call AWS by :class:`vpcflow.enable.aws.Aws`,
which takes clients of boto3 (``pip install 'vpcflow[aws]'``).
"""

from .apply import apply
from .audit import audit
from .costs import measured_cost
from .delete import delete
from .emitters import emit
from .inventory import Inventory, inventory_in
from .plan import Plan
from .planning import plan
from .verify import verify

__all__ = [
    "Inventory",
    "Plan",
    "apply",
    "audit",
    "delete",
    "emit",
    "inventory_in",
    "measured_cost",
    "plan",
    "verify",
]


def __dir__() -> list[str]:
    return __all__

"""Inventories read from AWS: one account, or all of an organisation by a role."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from ..inventory.documents import Document
from .audit import AuditRow, audit
from .aws import Aws, code_of, message_of
from .inventory import Inventory, inventory_of

# The calls of an inventory: service, operation, kind; whether an account without it is read all the same.
_CALLS = (
    ("ec2", "describe_flow_logs", "FlowLogs", False),
    ("ec2", "describe_vpcs", "Vpcs", False),
    ("ec2", "describe_subnets", "Subnets", False),
    ("ec2", "describe_network_interfaces", "NetworkInterfaces", False),
    ("ec2", "describe_transit_gateways", "TransitGateways", True),
    ("ec2", "describe_transit_gateway_attachments", "TransitGatewayAttachments", True),
    ("ec2", "describe_nat_gateways", "NatGateways", True),
    ("networkmanager", "list_core_networks", "CoreNetworks", True),
    ("networkmanager", "list_attachments", "Attachments", True),
    ("logs", "describe_log_groups", "LogGroups", True),
    ("firehose", "list_delivery_streams", "DeliveryStreamNames", True),
)
_AT_ONCE = 8  # accounts


def read_inventory(aws: Aws, region: str = "", buckets: Iterable[str] = ()) -> Inventory:
    """Reads what an account has in a region, with the policies of ``buckets``. What may not be read is a note, and then
    not known; without flow logs, VPCs, subnets and interfaces there is no inventory: the error of AWS is raised."""
    account, place = aws.account(), region or aws.region()
    notes: list[str] = []
    documents = list(_documents(aws, region, account, place, notes))
    for bucket in buckets:
        try:
            policy = aws.bucket_policy(bucket)
        except Exception as error:
            if not code_of(error):
                raise
            notes.append(f"policy of bucket {bucket}: {message_of(error)}")
            continue
        documents.append(Document("Policy", (policy,), account, place, "s3 get_bucket_policy", bucket))
    return inventory_of(documents, notes, account, place)


def _documents(aws: Aws, region: str, account: str, place: str, notes: list[str]) -> Iterator[Document]:
    core_networks = True
    for service, operation, kind, optional in _CALLS:
        if kind == "Attachments" and not core_networks:
            continue
        try:
            items = aws.answers(service, operation, kind, region)
        except Exception as error:
            if not optional:
                raise
            told = message_of(error) if code_of(error) else type(error).__name__
            notes.append(f"not read: {service} {operation}: {' '.join(told.split())[:100]}")
            continue
        core_networks = bool(items) if kind == "CoreNetworks" else core_networks
        yield Document(kind, tuple(items), account, place, f"{service} {operation}")


def audit_organisation(
    aws: Aws,
    reach: Callable[[str, str], Aws],
    *,
    accounts: Sequence[str] = (),
    regions: Sequence[str] = ("",),
    for_: Iterable[str] = (),
    interval: int = 60,
) -> tuple[list[AuditRow], list[str]]:
    """Audits accounts side by side, those of the organisation unless some are named; returns rows and notes.

    ``reach(account, region)`` gives the calls of one. An account or region that refuses is a row ``cannot_tell``.
    """
    named = list(accounts) or _accounts_of(aws)
    analyses = list(for_)

    def one(place: tuple[str, str]) -> tuple[list[AuditRow], list[str]]:
        account, region = place
        try:
            inventory = read_inventory(reach(account, region), region)
            return audit(inventory, analyses, interval=interval), list(inventory.notes)
        except Exception as error:  # of any kind: one account ends no audit
            verdict, told = "cannot_tell", message_of(error)
            return [AuditRow(account, "Account", "", account, region, verdict, [verdict], [], [told], "", [])], []

    places = [(account, region) for account in named for region in regions]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        found = list(pool.map(one, places))
    return [row for rows, _ in found for row in rows], list(dict.fromkeys(note for _, notes in found for note in notes))


def _accounts_of(aws: Aws) -> list[str]:
    items = aws.answers("organizations", "list_accounts", "Accounts")
    return [str(item["Id"]) for item in items if item.get("Status", "ACTIVE") == "ACTIVE"]

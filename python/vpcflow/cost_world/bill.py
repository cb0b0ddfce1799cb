"""The bill of a world: lines of a CUR 2.0 at the grain of an hour, by a slow calculator of its own."""

from __future__ import annotations

import csv
import datetime
import io
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from .talks import Charge
from .world import ACCOUNTS, REGIONS, Item, World

#: Prices by class and region (and region sent to). They are the world's own, so that all is priced: not AWS's.
PRICES: dict[tuple[str, ...], list[tuple[int, int | None, str]]] = {}
for _region, _nat in (("us-east-1", "0.045"), ("eu-west-1", "0.048")):
    PRICES.update({
        ("nat.gb", _region): [(0, None, _nat)], ("nat.hour", _region): [(0, None, _nat)],
        ("cross_az", _region): [(0, None, "0.01")], ("peering", _region): [(0, None, "0.01")],
        ("public_in_region", _region): [(0, None, "0.01")], ("tgw.gb", _region): [(0, None, "0.02")],
        ("vpce.gb", _region): [(0, 1048576, "0.01"), (1048576, 5242880, "0.006"), (5242880, None, "0.004")],
        ("vpce.hour", _region): [(0, None, "0.01")], ("tgw.hour", _region): [(0, None, "0.05")],
        ("ipv4.hour", _region): [(0, None, "0.005")], ("logs.s3", _region): [(0, 10240, "0.25"), (10240, None, "0.15")],
        ("internet.out", _region): [
            (0, 10240, "0.09"), (10240, 51200, "0.085"), (51200, 153600, "0.07"), (153600, None, "0.05"),
        ],
    })  # fmt: skip
PRICES["region.out", "us-east-1", "eu-west-1"] = [(0, None, "0.02")]
PRICES["region.out", "eu-west-1", "us-east-1"] = [(0, None, "0.02")]
_UNITS = {"hour": "Hrs"}
HEADER = (
    "bill_payer_account_id", "bill_billing_period_start_date", "line_item_line_item_type", "line_item_usage_account_id",
    "line_item_usage_start_date", "line_item_usage_end_date", "line_item_product_code", "line_item_usage_type",
    "line_item_operation", "line_item_resource_id", "line_item_usage_amount", "pricing_unit",
    "line_item_unblended_rate", "line_item_unblended_cost", "line_item_net_unblended_cost",
    "pricing_public_on_demand_cost", "line_item_currency_code", "product_region_code", "product_from_region_code",
    "product_to_region_code", "line_item_line_item_description",
)  # fmt: skip
Use = dict[tuple[int, Charge], int]


def sheet(gb: int) -> dict[str, Any]:
    """Returns the prices as a sheet."""
    rows = []
    for (kind, *where), tiers in PRICES.items():
        place = {"region": where[0]} if len(where) == 1 else {"from": where[0], "to": where[1]}
        unit = _UNITS.get(kind.rpartition(".")[2], "GB")
        scope = {"scope": "payer-month"} if len(tiers) > 1 else {}
        rows.append({**place, "class": kind, "unit": unit, **scope, "tiers": [list(t) for t in tiers], "source": 0})
    return {
        "schema": 1, "currency": "USD", "published": "2026-11-01", "gb": gb,
        "sources": [{"id": "the made-up prices of a synthetic world", "seen": "2026-11-01"}], "rows": rows,
    }  # fmt: skip


def tiered(tiers: list[tuple[int, int | None, str]], before: Decimal, amount: Decimal) -> Decimal:
    """Returns what an amount costs after what was used before: tier by tier."""
    total = Decimal(0)
    for begin, end, price in tiers:
        low = max(before, Decimal(begin))
        high = before + amount if end is None else min(before + amount, Decimal(end))
        if high > low:
            total += (high - low) * Decimal(price)
    return total


def bill_lines(
    world: World, use: Use, start: int, hours: int, *, gb: int, discount: Mapping[str, Decimal], log_bytes: int,
    month_to_date: Mapping[str, Decimal],
) -> Iterator[dict[str, str]]:  # fmt: skip
    """Yields the lines of a bill, hour by hour; ``use``: bytes by hour and charge. ``discount``: what is paid of the
    list price, by class, as ``{"nat.gb": Decimal("0.9")}``."""
    used: dict[tuple[str, ...], Decimal] = {}
    by_hour: dict[int, list[tuple[Charge, Decimal]]] = {}
    for (hour, charge), size in use.items():
        by_hour.setdefault(hour, []).append((charge, Decimal(size) / gb))
    for hour in range(start // 3600, start // 3600 + hours):
        standing = [(charge, Decimal(1)) for charge in _hourly(world)]
        logs = [(_log_charge(), Decimal(log_bytes) / hours / gb)] if log_bytes else []
        for charge, amount in [*sorted(by_hour.get(hour, ()), key=lambda pair: _order(pair[0])), *standing, *logs]:
            yield _line(charge, amount, hour, used, discount, month_to_date)
    yield from _others(start, hours)


def _order(charge: Charge) -> tuple[str, ...]:
    return (charge.account, charge.usage_type, charge.operation, charge.resource, charge.to or "")


def _line(
    charge: Charge, amount: Decimal, hour: int, used: dict[tuple[str, ...], Decimal], discount: Mapping[str, Decimal],
    month_to_date: Mapping[str, Decimal],
) -> dict[str, str]:  # fmt: skip
    kind = charge.price
    where = (charge.region, charge.to) if charge.to else (charge.region,)
    listed = Decimal(0)
    if kind is not None:
        key = (kind, *where)
        before = used.get(key, month_to_date.get(kind, Decimal(0)))
        listed = tiered(PRICES[key], before, amount)
        used[key] = before + amount
    paid = listed * discount.get(kind or "", Decimal(1))
    unit = "Hrs" if kind and kind.endswith(".hour") else "GB"
    return _values(
        charge, hour, "Usage", line_item_usage_amount=_text(amount), pricing_unit=unit,
        line_item_unblended_rate=_text(paid / amount) if amount else "0", line_item_unblended_cost=_text(listed),
        line_item_net_unblended_cost=_text(paid), pricing_public_on_demand_cost=_text(listed),
        line_item_line_item_description=f"{charge.usage_type} in {charge.region}",
    )  # fmt: skip


def _values(charge: Charge, hour: int, kind: str, **more: str) -> dict[str, str]:
    return {
        "bill_payer_account_id": ACCOUNTS[0], "bill_billing_period_start_date": _time(hour * 3600)[:8] + "01T00:00:00Z",
        "line_item_line_item_type": kind, "line_item_usage_account_id": charge.account,
        "line_item_usage_start_date": _time(hour * 3600), "line_item_usage_end_date": _time(hour * 3600 + 3600),
        "line_item_product_code": charge.product, "line_item_usage_type": charge.usage_type,
        "line_item_operation": charge.operation, "line_item_resource_id": charge.resource,
        "line_item_currency_code": "USD", "product_region_code": charge.region,
        "product_from_region_code": charge.region if charge.to else "", "product_to_region_code": charge.to or "",
        **more,
    }  # fmt: skip


def _hourly(world: World) -> Iterator[Charge]:
    """Yields what stands by the hour: gateways, endpoints a zone, attachments, public addresses."""
    for (account, name), kinds in world.documents.items():
        region = REGIONS[name]
        for nat in kinds.get("NatGateways", ()):
            usage = f"{region.prefix}NatGateway-Hours"
            if nat["AvailabilityMode"] == "regional":
                usage = f"{region.prefix}RegionalNatGateway-Hours"
            yield _standing(
                account, name, "nat.hour", usage, "NatGateway", "AmazonEC2", "natgateway", nat["NatGatewayId"]
            )
        for one in kinds.get("VpcEndpoints", ()):
            for _ in one["SubnetIds"]:
                usage = f"{region.prefix}VpcEndpoint-Hours"
                yield _standing(
                    account, name, "vpce.hour", usage, "VpcEndpoint", "AmazonVPC", "vpc-endpoint", one["VpcEndpointId"]
                )
        for one in kinds.get("TransitGatewayVpcAttachments", ()):
            usage, own = f"{region.prefix}TransitGateway-Hours", one["TransitGatewayAttachmentId"]
            yield _standing(
                account, name, "tgw.hour", usage, "TransitGatewayVPC", "AmazonVPC", "transit-gateway-attachment", own
            )
        for address in _addresses(kinds):
            usage = f"{region.prefix}PublicIPv4:InUseAddress"
            yield _standing(
                account, name, "ipv4.hour", usage, "AssociateAddressVPC", "AmazonVPC", "elastic-ip", address
            )


def _addresses(kinds: Mapping[str, list[Item]]) -> list[str]:
    held = {one["Association"]["PublicIp"] for one in kinds.get("NetworkInterfaces", ()) if "Association" in one}
    return sorted(held | {a["PublicIp"] for nat in kinds.get("NatGateways", ()) for a in nat["NatGatewayAddresses"]})


def _standing(
    account: str, region: str, price: str, usage: str, operation: str, product: str, kind: str, one: str
) -> Charge:
    return Charge(account, region, price, usage, operation, product, f"arn:aws:ec2:{region}:{account}:{kind}/{one}")


def _log_charge() -> Charge:
    return Charge(
        ACCOUNTS[0],
        "us-east-1",
        "logs.s3",
        "S3-Egress-Bytes",
        "VendedLogs",
        "AmazonCloudWatch",
        "arn:aws:s3:::flow-logs",
    )


def _others(start: int, hours: int) -> Iterator[dict[str, str]]:
    """Yields lines that are no traffic: other usage, tax, a credit and a discount."""
    box = Charge(ACCOUNTS[0], "us-east-1", None, "BoxUsage:m5.large", "RunInstances", "AmazonEC2", "i-0box")
    money = {"pricing_unit": "", "line_item_usage_amount": "1", "pricing_public_on_demand_cost": "0"}
    yield _values(box, start // 3600, "Usage", **{
        **money, "line_item_unblended_cost": "0.096", "line_item_net_unblended_cost": "0.096", "pricing_unit": "Hrs",
    })  # fmt: skip
    for kind, cost in (("Tax", "12.5"), ("Credit", "-5"), ("EdpDiscount", "-3.25")):
        line = Charge(
            ACCOUNTS[0], "us-east-1", None, "NatGateway-Bytes" if kind == "EdpDiscount" else "", "", "AmazonEC2", ""
        )
        yield _values(line, start // 3600 + hours - 1, kind, **{
            **money, "line_item_unblended_cost": cost, "line_item_net_unblended_cost": cost,
        })  # fmt: skip


def _text(value: Decimal) -> str:
    text = format(value.quantize(Decimal("1e-10")), "f")
    return text.rstrip("0").rstrip(".") or "0"


def _time(seconds: int) -> str:
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def csv_of(lines: Iterable[Mapping[str, str]], header: Iterable[str] = HEADER) -> bytes:
    """Returns lines as CSV with a header."""
    out = io.StringIO()
    writer = csv.DictWriter(out, list(header), restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines)
    return out.getvalue().encode()

"""Bills: CUR 2.0, legacy CUR, FOCUS and Cost Explorer, told apart by their headers, as amounts and costs by class."""

from __future__ import annotations

import dataclasses
import datetime
import os
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from ..errors import PriceError
from .classes import price_class
from .files import Text, files_of, json_of, parquet_rows, text_rows

#: The columns of each form of a bill, by what they mean; of alternatives the first that is there.
_FORMS: dict[str, dict[str, tuple[str, ...]]] = {
    "legacy CUR": {
        "start": ("lineItem/UsageStartDate",), "end": ("lineItem/UsageEndDate",), "usage_type": ("lineItem/UsageType",),
        "operation": ("lineItem/Operation",), "product": ("lineItem/ProductCode",),
        "account": ("lineItem/UsageAccountId",), "resource": ("lineItem/ResourceId",),
        "amount": ("lineItem/UsageAmount",), "unit": ("pricing/unit",), "cost": ("lineItem/UnblendedCost",),
        "net": ("lineItem/NetUnblendedCost",), "list": ("pricing/publicOnDemandCost",),
        "kind": ("lineItem/LineItemType",), "region": ("product/regionCode", "product/region"),
        "to": ("product/toRegionCode",), "currency": ("lineItem/CurrencyCode",),
        "description": ("lineItem/LineItemDescription",),
    },
    "CUR": {
        "start": ("line_item_usage_start_date",), "end": ("line_item_usage_end_date",),
        "usage_type": ("line_item_usage_type",), "operation": ("line_item_operation",),
        "product": ("line_item_product_code",), "account": ("line_item_usage_account_id",),
        "resource": ("line_item_resource_id",), "amount": ("line_item_usage_amount",), "unit": ("pricing_unit",),
        "cost": ("line_item_unblended_cost",), "net": ("line_item_net_unblended_cost",),
        "list": ("pricing_public_on_demand_cost",), "kind": ("line_item_line_item_type",),
        "region": ("product_region_code", "product_region"), "to": ("product_to_region_code",),
        "currency": ("line_item_currency_code",), "description": ("line_item_line_item_description",),
    },
    "FOCUS": {
        "start": ("ChargePeriodStart",), "end": ("ChargePeriodEnd",), "usage_type": ("x_UsageType", "SkuMeter"),
        "operation": ("x_Operation",), "product": ("x_ServiceCode", "ServiceName"), "account": ("SubAccountId",),
        "resource": ("ResourceId",), "amount": ("ConsumedQuantity", "UsageQuantity", "PricingQuantity"),
        "unit": ("ConsumedUnit", "UsageUnit", "PricingUnit"), "cost": ("BilledCost",), "net": ("EffectiveCost",),
        "list": ("ListCost",), "kind": ("ChargeCategory", "ChargeType"), "region": ("RegionId", "Region"),
        "currency": ("BillingCurrency",), "description": ("ChargeDescription",),
    },
}  # fmt: skip
_NEEDED = {"legacy CUR": ("usage_type", "amount", "cost", "kind"), "CUR": ("usage_type", "amount", "cost", "kind"),
           "FOCUS": ("amount", "cost", "kind")}  # fmt: skip
#: What a FOCUS export without usage types says of a charge. All words of a row are in the text.
_DESCRIPTIONS = (
    (("nat gateway", "gb"), "nat.gb"), (("nat gateway", "hour"), "nat.hour"), (("vpc endpoint", "gb"), "vpce.gb"),
    (("vpc endpoint", "hour"), "vpce.hour"), (("transit gateway", "gb"), "tgw.gb"),
    (("transit gateway", "hour"), "tgw.hour"), (("vpc peering", "gb"), "peering"),
    (("regional data transfer",), "cross_az"), (("data transfer", "to", "from", "region"), None),
    (("data transfer in",), "internet.in"), (("data transfer out", "internet"), "internet.out"),
    (("data transfer out", "month"), "internet.out"), (("data transfer out", "global free tier"), "internet.out"),
    (("public ipv4",), "ipv4.hour"), (("vended log",), "logs.cloudwatch"),
)  # fmt: skip


@dataclasses.dataclass(frozen=True)
class BillLine:
    """What a line of a bill says of use; empty text for what it does not say."""

    #: The class of prices, or ``None``: no traffic, gateway or log.
    kind: str | None
    usage_type: str
    operation: str
    product: str
    account: str
    region: str
    to: str
    resource: str
    #: Unix seconds; ``None`` if the bill does not say.
    start: int | None
    end: int | None
    amount: Decimal
    unit: str
    cost: Decimal
    #: What is paid after discounts; ``cost`` where the bill does not say.
    net: Decimal
    listed: Decimal | None
    currency: str


class Bill:
    """A bill as it is read: iterate once over its lines of use; then it knows what it dropped.

    ``form``: ``"CUR"``, ``"legacy CUR"``, ``"FOCUS"`` or ``"Cost Explorer"``; ``dropped``: lines and cost by kind of
    what is no use: taxes, credits, refunds, discounts.
    """

    def __init__(
        self, name: str, form: str, lines: Iterable[BillLine], dropped: dict[str, tuple[int, Decimal]]
    ) -> None:
        self.name, self.form, self._lines, self.dropped = name, form, lines, dropped

    def __iter__(self) -> Iterator[BillLine]:
        return iter(self._lines)

    def __repr__(self) -> str:
        return f"<Bill {self.name}: {self.form}>"


def read_bill(path: str | os.PathLike[str]) -> Bill:
    """Opens a bill: a file, or a folder with the parts of one; CSV, gzip or Parquet (with pyarrow), or JSON of Cost
    Explorer by usage type. Which form it has, its header tells. Lines are read as they are asked for.

    Raises :class:`~vpcflow.SourceNotFoundError`, :class:`~vpcflow.SourceError`, and :class:`~vpcflow.PriceError` for
    what is no bill: it names the columns that were looked for.
    """
    files = files_of(Path(path))
    name = os.fspath(path)
    dropped: dict[str, tuple[int, Decimal]] = {}
    forms = []
    parts: list[Iterator[BillLine]] = []
    for file in files:
        if isinstance(file, Text) and file.is_json:
            forms.append("Cost Explorer")
            parts.append(_cost_explorer(json_of(file), file.name))
            continue
        columns, rows = text_rows(file) if isinstance(file, Text) else parquet_rows(file, _wanted())
        form = form_of(columns, file.name)
        forms.append(form)
        parts.append(_lines(rows, columns, form, file.name, dropped))
    if len(set(forms)) > 1:
        raise PriceError(f"{name}: its files are bills of {' and '.join(sorted(set(forms)))}; give one of them")
    return Bill(name, forms[0], (line for part in parts for line in part), dropped)


def _wanted() -> set[str]:
    return {column for form in _FORMS.values() for columns in form.values() for column in columns}


def form_of(columns: Iterable[str], name: str) -> str:
    """Returns the form that columns are of."""
    there = set(columns)
    for form, meanings in _FORMS.items():
        if all(any(column in there for column in meanings[needed]) for needed in _NEEDED[form]):
            return form
    nearest = max(_FORMS, key=lambda form: sum(c in there for columns in _FORMS[form].values() for c in columns))
    if not any(c in there for columns in _FORMS[nearest].values() for c in columns):
        raise PriceError(
            f"{name}: no bill: its columns begin with {', '.join(list(columns)[:4])[:60] or 'nothing'}; expected those "
            "of CUR 2.0 (line_item_usage_type), legacy CUR (lineItem/UsageType), FOCUS (ChargeCategory), or JSON of "
            "Cost Explorer"
        )
    lacking = [
        " or ".join(_FORMS[nearest][n]) for n in _NEEDED[nearest] if not any(c in there for c in _FORMS[nearest][n])
    ]
    raise PriceError(f"{name}: a {nearest} export without {', '.join(lacking)}; add the columns to the export")


def _lines(
    rows: Iterable[Mapping[str, Any]], columns: Iterable[str], form: str, name: str,
    dropped: dict[str, tuple[int, Decimal]],
) -> Iterator[BillLine]:  # fmt: skip
    there = set(columns)
    of = {meaning: next((c for c in names if c in there), None) for meaning, names in _FORMS[form].items()}

    def text(row: Mapping[str, Any], meaning: str) -> str:
        column = of.get(meaning)
        value = row.get(column) if column else None
        return "" if value is None or value == "NULL" else str(value).strip()

    for number, row in enumerate(rows, 1):
        kind = text(row, "kind")
        cost = _money(text(row, "cost") or "0", name, number)
        if kind != "Usage" and not kind.endswith("Usage"):
            count, total = dropped.get(kind or "without a kind", (0, Decimal(0)))
            dropped[kind or "without a kind"] = (count + 1, total + cost)
            continue
        usage_type, operation = text(row, "usage_type"), text(row, "operation")
        found = price_class(usage_type, operation)
        if form == "FOCUS" and not usage_type:
            found = described(text(row, "description"))
        net, listed, account = text(row, "net"), text(row, "list"), text(row, "account")
        yield BillLine(
            found, usage_type, operation, text(row, "product"), account.zfill(12) if account else "",
            text(row, "region"), text(row, "to"), text(row, "resource"), _seconds(text(row, "start"), name, number),
            _seconds(text(row, "end"), name, number), _money(text(row, "amount") or "0", name, number),
            text(row, "unit"),
            cost, _money(net, name, number) if net else cost, _money(listed, name, number) if listed else None,
            text(row, "currency") or "USD",
        )  # fmt: skip


def described(text: str) -> str | None:
    """Returns the class of a charge by its description, or ``None``."""
    low = text.lower()
    return next((kind for words, kind in _DESCRIPTIONS if all(word in low for word in words)), None)


def _cost_explorer(document: Any, name: str) -> Iterator[BillLine]:
    """Yields what answers of ``aws ce get-cost-and-usage`` say, grouped by usage type and perhaps one thing more."""
    answers = document if isinstance(document, list) else [document]
    for answer in answers:
        if not isinstance(answer, dict) or not isinstance(answer.get("ResultsByTime"), list):
            raise PriceError(f"{name}: no bill: expected JSON of Cost Explorer with 'ResultsByTime'")
        keys = [str(one.get("Key")) for one in answer.get("GroupDefinitions") or ()]
        if "USAGE_TYPE" not in keys:
            raise PriceError(f"{name}: grouped by {', '.join(keys) or 'nothing'}; ask Cost Explorer by USAGE_TYPE")
        for result in answer["ResultsByTime"]:
            period = result.get("TimePeriod") or {}
            start, end = (_seconds(str(period.get(side) or ""), name, 0) for side in ("Start", "End"))
            for group in result.get("Groups") or ():
                of = dict(zip(keys, [str(key) for key in group.get("Keys") or ()]))
                yield _group(of, group.get("Metrics") or {}, start, end, name)


def _group(
    of: Mapping[str, str], metrics: Mapping[str, Any], start: int | None, end: int | None, name: str
) -> BillLine:
    def metric(*names: str) -> tuple[Decimal, str] | None:
        value = next((metrics[one] for one in names if one in metrics), None)
        return None if value is None else (_money(str(value.get("Amount", "0")), name, 0), str(value.get("Unit", "")))

    usage, cost = metric("UsageQuantity"), metric("UnblendedCost", "AmortizedCost", "BlendedCost")
    if usage is None or cost is None:
        raise PriceError(f"{name}: metrics: {', '.join(metrics) or 'none'}; needed are UsageQuantity and UnblendedCost")
    net = metric("NetUnblendedCost") or cost
    usage_type, operation = of.get("USAGE_TYPE", ""), of.get("OPERATION", "")
    return BillLine(
        price_class(usage_type, operation), usage_type, operation, of.get("SERVICE", ""), of.get("LINKED_ACCOUNT", ""),
        of.get("REGION", ""), "", of.get("RESOURCE_ID", ""), start, end, usage[0], usage[1], cost[0], net[0], None,
        cost[1],
    )  # fmt: skip


def _money(text: str, name: str, number: int) -> Decimal:
    try:
        value = Decimal(text)
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite():
        raise PriceError(f"{name}: line {number}: {text!r} is no amount or cost")
    return value


def _seconds(text: str, name: str, number: int) -> int | None:
    """Returns the Unix seconds of a time, with ``T`` or a blank, in UTC."""
    if not text:
        return None
    plain = text.replace("T", " ").replace("Z", "").split(".")[0].split("+")[0].strip()
    for form in ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d"):
        try:
            return int(datetime.datetime.strptime(plain, form).replace(tzinfo=datetime.timezone.utc).timestamp())
        except ValueError:
            continue
    raise PriceError(f"{name}: line {number}: time: {text!r}; expected 2026-11-02T00:00:00Z")

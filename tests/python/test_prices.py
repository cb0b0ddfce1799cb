"""Price sheets: exact decimals with tiers against a slow calculator, and what price lists and bills make of them."""

import copy
import csv
import gzip
import io
import json
from decimal import Decimal

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

import vpcflow as vf
import vpcflow.cli
from test_schemas import table
from vpcflow.enable.prices import price_regions, usd_per_gb
from vpcflow.pricing import CLASSES, PRICE_OF, import_prices, price_class
from vpcflow.pricing.bill import read_bill
from vpcflow.pricing.sheet import PriceRow, Source, sheet_of
from vpcflow.pricing.streaming import JsonReader

_STEP = Decimal("0.25")


@st.composite
def _tiers(draw):
    """Tiers whose bounds are quarters, with prices that floats do not have."""
    bounds = sorted(draw(st.sets(st.integers(1, 60), max_size=4)))
    ends = [*(bound * _STEP for bound in bounds), None]
    prices = draw(st.lists(st.decimals("0", "1", places=7), min_size=len(ends), max_size=len(ends)))
    return tuple(zip([Decimal(0), *ends[:-1]], ends, prices))


def _slowly(tiers, before, amount):
    """Buys quarter by quarter, each at the price of the tier that it lies in."""
    total = Decimal(0)
    for step in range(int(amount / _STEP)):
        at = before + step * _STEP
        total += next(price for begin, end, price in tiers if begin <= at and (end is None or at < end)) * _STEP
    return total


@settings(deadline=None, max_examples=200)
@given(_tiers(), st.integers(0, 80), st.integers(0, 80))
def test_tiers_cost_what_a_slow_calculator_says(tiers, before, amount):
    row = PriceRow("internet.out", "us-east-1", None, tiers, Source("test"))
    assert row.cost(amount * _STEP, before * _STEP) == _slowly(tiers, before * _STEP, amount * _STEP)
    half = row.cost(amount * _STEP / 2, before * _STEP)
    assert half + row.cost(amount * _STEP / 2, (before + Decimal(amount) / 2) * _STEP) == row.cost(amount * _STEP, before * _STEP)


def test_bytes_are_exact():
    sheet = vf.prices()
    assert sheet.cost("nat.gb", "us-east-1", 1 << 30) == Decimal("0.045")
    assert sheet.cost("nat.gb", "us-east-1", 1) * (1 << 30) == Decimal("0.045")
    assert sheet.cost("internet.out", "us-east-1", 20 << 40) == 10240 * (Decimal("0.09") + Decimal("0.085"))
    assert sheet.cost("nat.hour", "us-east-1", 730) == Decimal("32.85")
    whole = sheet_of({**sheet.to_dict(), "gb": 10**9}, "x")
    assert whole.cost("nat.gb", "us-east-1", 10**9) == Decimal("0.045")


def test_logs_cost_the_same_for_plans_of_flow_logs():
    """Prices of delivery stand in two places until plans read the sheet: they must agree."""
    for region in price_regions():
        for destination, kind in (("cloud-watch-logs", "logs.cloudwatch"), ("s3", "logs.s3"), ("kinesis-data-firehose", "logs.firehose")):
            row = vf.prices().price(kind, region)
            assert usd_per_gb(region, destination) == (None if row is None else float(row.rate()))
        assert usd_per_gb(region, "s3", True) - usd_per_gb(region, "s3") == pytest.approx(float(vf.prices().price("logs.parquet", region).rate()))


def test_sheets_are_as_the_schema_says():
    sheet, members = vf.prices().to_dict(), [row[0] for row in table("Rows of a price sheet")]
    assert list(sheet) == [row[0] for row in table("Price sheet")]
    assert {name for row in sheet["rows"] for name in row} == set(members)
    classes = next(row[2] for row in table("Rows of a price sheet") if row[0] == "class")
    assert [name.strip("` ") for name in classes.split(",")] == list(CLASSES)


def test_public_sheet():
    """What older tables have wrong is right, what is missing is unpriced, and all has a source with a date."""
    sheet = vf.prices()
    assert sheet.price("nat.gb", "eu-west-1").rate() == Decimal("0.048")
    assert sheet.price("nat.gb", "eu-west-2").rate() == Decimal("0.050")
    assert sheet.price("region.out", "us-east-1", "us-east-2").rate() == Decimal("0.01")
    assert sheet.price("region.out", "us-east-1", "eu-west-1") is None
    assert sheet.cost("nat.gb", "eu-central-1", 5) is None
    assert all(row.source.seen >= "2026" for row in sheet.rows)
    assert sheet.gaps
    assert set(PRICE_OF.values()) - {"region.out"} <= {row.kind for row in sheet.rows}
    assert sheet_of(json.loads(json.dumps(sheet.to_dict())), "again").to_dict() == sheet.to_dict()


@pytest.mark.parametrize(("usage_type", "operation", "kind"), [
    ("NatGateway-Bytes", "", "nat.gb"), ("EU-NatGateway-Bytes", "", "nat.gb"), ("CAN1-NatGateway-Bytes", "", "nat.gb"),
    ("USE1-RegionalNatGateway-Bytes", "RegionalNatGateway", "nat.gb"), ("RegionalNatGateway-Hours", "", "nat.hour"),
    ("NatGateway-Prvd-Gbps", "", "nat.provisioned.hour"), ("USE1-LAX1-NatGateway-Bytes", "", None),
    ("xNatGateway-Bytes", "", None), ("NatGateway-Bytes2", "", None), ("natgateway-bytes", "", None), ("", "", None),
    ("DataTransfer-Regional-Bytes", "InterZone-In", "cross_az"), ("EU-DataTransfer-Regional-Bytes", "", "cross_az"),
    ("DataTransfer-Regional-Bytes", "PublicIP-Out", "public_in_region"),
    ("DataTransfer-Regional-Bytes", "LoadBalancing-PublicIP-In", "public_in_region"),
    ("DataTransfer-Regional-Bytes", "VPCPeering-In", "peering"), ("USE1-DataTransfer-xAZ-In-Bytes", "", "xaz"),
    ("USE1-EUW2-AWS-Out-Bytes", "", "region.out"), ("USE1-AWS-Out-Bytes", "", "region.out"), ("AWS-Out-Bytes", "", None),
    ("USE1-USE2-AWS-In-Bytes", "", "region.in"), ("Global-DataTransfer-Out-Bytes", "", "internet.free"),
    ("EUC1-VpcEndpoint-GWLBE-Bytes", "", "gwlbe.gb"), ("APN1-S3-Egress-Bytes", "", "logs.s3"), ("S3-Egress-ComprBytes", "", None),
    ("BoxUsage:m5.large", "RunInstances", None), ("EU-PublicIPv4:IdleAddress", "", "ipv4.hour"),
])  # fmt: skip
def test_classes_of_usage_types(usage_type, operation, kind):
    assert price_class(usage_type, operation) == kind


_SHEET = {"schema": 1, "sources": [{"id": "a"}], "rows": [{"region": "us-east-1", "class": "nat.gb", "tiers": [[0, None, "0.045"]]}]}


@pytest.mark.parametrize(("change", "said"), [
    ({"class": "nat.gbs"}, "row 1: class: 'nat.gbs' is no class of prices; did you mean 'nat.gb'"),
    ({"usage_types": ["NatGatway-Bytes"]}, "'NatGatway-Bytes' is none of nat.gb; did you mean 'NatGateway-Bytes'"),
    ({"region": None}, "nat.gb needs 'region'"), ({"class": "region.out"}, "region.out needs 'from' and 'to'"),
    ({"tiers": [[0, 5, "0.1"], [6, None, "0.2"]]}, "tiers: from 6 to None; they follow each other"),
    ({"tiers": [[1, None, "0.1"]]}, "the first from 0"), ({"tiers": [[0, None, "cheap"]]}, "'cheap' is no price"),
    ({"tiers": [[0, None, "-0.1"]]}, "'-0.1' is no price"), ({"tiers": [[0, None, "NaN"]]}, "'NaN' is no price"),
    ({"tiers": []}, "tiers: expected"), ({"unit": "MB"}, "unit: 'MB'; nat.gb is by GB"), ({"source": 3}, "source: 3"),
    ({"prize": 1}, "'prize' is no member of a row"),
])  # fmt: skip
def test_wrong_sheets(tmp_path, change, said):
    sheet = copy.deepcopy(_SHEET)
    sheet["rows"][0].update(change)
    path = tmp_path / "prices.json"
    path.write_text(json.dumps(sheet))
    with pytest.raises(vf.PriceError) as caught:
        vf.prices(path)
    assert said in str(caught.value)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(("text", "said"), [
    ("{", "invalid JSON"), ("[]", "no price sheet"), ('{"rows": []}', "without rows"), ('{"rows": [1]}', "expected an object"),
    ('{"schema": 2, "rows": []}', "schema: 2; this version reads 1"), ('{"gb": 1000, "rows": []}', "gb: 1000; allowed are"),
])  # fmt: skip
def test_files_that_are_no_sheets(tmp_path, text, said):
    (tmp_path / "x.json").write_text(text)
    with pytest.raises(vf.PriceError, match=said):
        vf.prices(tmp_path / "x.json")


def test_two_prices_of_one_thing(tmp_path):
    sheet = copy.deepcopy(_SHEET)
    sheet["rows"].append({**sheet["rows"][0], "tiers": [[0, None, "0.05"]]})
    (tmp_path / "x.json").write_text(json.dumps(sheet))
    with pytest.raises(vf.PriceError, match=r"nat.gb of us-east-1 has two prices"):
        vf.prices(tmp_path / "x.json")
    with pytest.raises(vf.SourceNotFoundError):
        vf.prices(tmp_path / "none.json")
    with pytest.raises(vf.PriceError, match=r"did you mean 'nat.gb'"):
        vf.prices().price("nat.bg", "us-east-1")


# -- price lists


def _product(sku, usage_type, tiers, operation="", **more):
    attributes = {"servicecode": "AmazonEC2", "usagetype": usage_type, "operation": operation, "regionCode": "eu-central-1", **more}
    dimensions = {
        f"{sku}.{n}": {"unit": "GB", "beginRange": begin, "endRange": end, "pricePerUnit": {"USD": price}}
        for n, (begin, end, price) in enumerate(tiers)
    }
    return (
        {"sku": sku, "productFamily": "Data Transfer", "attributes": attributes},
        {f"{sku}.JRTCKXETXF": {"offerTermCode": "JRTCKXETXF", "sku": sku, "priceDimensions": dimensions}},
    )


_PRODUCTS = [
    _product("B2", "EUC1-DataTransfer-Out-Bytes", [("10240", "51200", "0.085"), ("0", "10240", "0.09"), ("51200", "Inf", "0.07")]),
    _product("A1", "EUC1-NatGateway-Bytes", [("0", "Inf", "0.0520000000")], "NatGateway"),
    _product("C3", "EUC1-RegionalNatGateway-Bytes", [("0", "Inf", "0.0520000000")], "RegionalNatGateway"),
    _product("D4", "EUC1-USE1-AWS-Out-Bytes", [("0", "Inf", "0.02")], fromRegionCode="eu-central-1", toRegionCode="us-east-1", regionCode=""),
    _product("E5", "EUC1-BoxUsage:m5.large", [("0", "Inf", "0.115")], "RunInstances"),
]  # fmt: skip
_EXPECTED = {
    ("internet.out", "eu-central-1", None): "0.09", ("nat.gb", "eu-central-1", None): "0.052",
    ("region.out", "eu-central-1", "us-east-1"): "0.02",
}


def _offer_json(products=_PRODUCTS):
    return json.dumps({
        "formatVersion": "v1.0", "disclaimer": "{ \"not\": it", "offerCode": "AmazonEC2", "version": "20260831121448",
        "publicationDate": "2026-08-31T12:14:48Z", "products": {one["sku"]: one for one, _ in products},
        "terms": {
            "OnDemand": {one["sku"]: terms for one, terms in products},
            "Reserved": {one["sku"]: {"x": {"priceDimensions": {"y": {"pricePerUnit": {"USD": "9"}, "beginRange": "0", "endRange": "Inf"}}}} for one, _ in products},
        },
    }, indent=1)  # fmt: skip


def _offer_csv(products=_PRODUCTS):
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n")
    for row in (("FormatVersion", "v1.0"), ("Disclaimer", "x, y"), ("Publication Date", "2026-08-31T12:14:48Z"), ("Version", "20260831121448"), ("OfferCode", "AmazonEC2")):
        writer.writerow(row)
    writer.writerow(("SKU", "OfferTermCode", "TermType", "StartingRange", "EndingRange", "Unit", "PricePerUnit", "Currency", "From Region Code", "To Region Code", "usageType", "operation", "Region Code"))
    for one, terms in products:
        a = one["attributes"]
        for term in terms.values():
            for d in term["priceDimensions"].values():
                place = (a.get("fromRegionCode", ""), a.get("toRegionCode", ""), a["usagetype"], a["operation"], a["regionCode"])
                writer.writerow((one["sku"], "J", "OnDemand", d["beginRange"], d["endRange"], "GB", d["pricePerUnit"]["USD"], "USD", *place))
                writer.writerow((one["sku"], "R", "Reserved", d["beginRange"], d["endRange"], "GB", "9", "USD", *place))
    return out.getvalue()


def _get_products(products=_PRODUCTS):
    listed = [{"product": one, "serviceCode": "AmazonEC2", "terms": {"OnDemand": terms}, "publicationDate": "2026-08-31T12:14:48Z"} for one, terms in products]
    return json.dumps({"FormatVersion": "aws_v1", "PriceList": [json.dumps(one) for one in listed]})


@pytest.mark.parametrize("make", [_offer_json, _offer_csv, _get_products])
@pytest.mark.parametrize("packed", [False, True])
def test_price_lists(tmp_path, make, packed):
    path = tmp_path / "list"
    path.write_bytes(gzip.compress(make().encode()) if packed else make().encode())
    sheet = import_prices([path])
    assert {(row.kind, row.region, row.to): str(row.rate().normalize()) for row in sheet.rows} == _EXPECTED
    assert sheet.published == "2026-08-31"
    assert sheet.price("nat.gb", "eu-central-1").usage_types == ("EUC1-NatGateway-Bytes", "EUC1-RegionalNatGateway-Bytes")
    assert [str(end) for _, end, _ in sheet.price("internet.out", "eu-central-1").tiers] == ["10240", "51200", "None"]
    assert sheet_of(json.loads(json.dumps(sheet.to_dict())), "x").to_dict() == sheet.to_dict()


@pytest.mark.parametrize("make", [_offer_json, _offer_csv, _get_products])
def test_a_list_without_traffic_is_an_error(tmp_path, make):
    path = tmp_path / "list"
    path.write_text(make(_PRODUCTS[-1:]))
    with pytest.raises(vf.PriceError, match="no price of traffic, gateways or logs in 1 product"):
        import_prices([path])
    path.write_text(make([]))
    with pytest.raises(vf.PriceError, match="no price of traffic, gateways or logs in 0 products"):
        import_prices([path])


def test_prices_that_contradict(tmp_path):
    other = [_product("Z9", "EUC1-NatGateway-Bytes", [("0", "Inf", "0.06")], "NatGateway")]
    (tmp_path / "a").write_text(_offer_json())
    (tmp_path / "b").write_text(_get_products(other))
    with pytest.raises(vf.PriceError, match=r"EUC1-NatGateway-Bytes costs 0.05\d* by offer AmazonEC2.*0.06 by"):
        import_prices([tmp_path / "a", tmp_path / "b"])
    (tmp_path / "c").write_text(_get_products([_product("Z9", "EUC1-RegionalNatGateway-Bytes", [("0", "Inf", "0.06")])]))
    (tmp_path / "d").write_text(_get_products(_PRODUCTS[1:2]))
    sheet = import_prices([tmp_path / "d", tmp_path / "c"])
    assert "EUC1-RegionalNatGateway-Bytes (any operation) costs 0.06" in sheet.gaps[0]


@pytest.mark.parametrize("chunk", [1, 2, 3, 7, 1 << 20])
def test_json_in_chunks(chunk):
    """A member is the same whatever the chunks are, and memory is that of one member."""

    class Slow(io.StringIO):
        def read(self, size=-1):
            return super().read(min(chunk, size) if size >= 0 else size)

    document = {"a": 12345, "b": {"x": [1.5, "}", None], "y": {}}, "c": "é\\\"", "d": -7}
    reader = JsonReader(Slow(json.dumps(document) + "  "), "x")
    read = {}
    for name in reader.members():
        read[name] = {inner: reader.value() for inner in reader.members()} if name == "b" else reader.value()
    assert read == {**document, "b": {"x": [Decimal("1.5"), "}", None], "y": {}}}
    for wrong in ('{"a": 1', '{"a" 1}', '{"a": }', "[1]", '{"a": 1 "b": 2}', ""):
        with pytest.raises(vf.PriceError, match="x: invalid JSON"):
            list((name, JsonReader) and reader.value() for reader in [JsonReader(Slow(wrong), "x")] for name in reader.members())


# -- bills


_BILL = [  # usage type, operation, amount, cost, net
    ("EU-NatGateway-Bytes", "NatGateway", "100", "4.8", "4.3"), ("EU-NatGateway-Bytes", "NatGateway", "300", "14.4", "12.9"),
    ("EU-DataTransfer-Regional-Bytes", "InterZone-In", "10", "0.1", "0.1"), ("EU-BoxUsage:t3.micro", "RunInstances", "1", "0.01", "0.01"),
]


def _rows(columns, kinds=("Usage", "Tax")):
    for kind in kinds:
        for usage_type, operation, amount, cost, net in _BILL if kind == kinds[0] else _BILL[:1]:
            values = dict(type=kind, usage=usage_type, operation=operation, amount=amount, cost=cost, net=net,
                          start="2026-11-02T00:00:00Z", region="eu-west-1", account="12345678901", currency="USD")  # fmt: skip
            yield {column: values[name] for column, name in columns.items()}


_CUR = {
    "line_item_line_item_type": "type", "line_item_usage_type": "usage", "line_item_operation": "operation",
    "line_item_usage_amount": "amount", "line_item_unblended_cost": "cost", "line_item_net_unblended_cost": "net",
    "line_item_usage_start_date": "start", "product_region_code": "region", "line_item_usage_account_id": "account",
    "line_item_currency_code": "currency",
}
_LEGACY = {
    "lineItem/LineItemType": "type", "lineItem/UsageType": "usage", "lineItem/Operation": "operation",
    "lineItem/UsageAmount": "amount", "lineItem/UnblendedCost": "cost", "lineItem/NetUnblendedCost": "net",
    "lineItem/UsageStartDate": "start", "product/region": "region", "lineItem/UsageAccountId": "account",
}
_FOCUS = {
    "ChargeCategory": "type", "x_UsageType": "usage", "x_Operation": "operation", "ConsumedQuantity": "amount",
    "BilledCost": "cost", "EffectiveCost": "net", "ChargePeriodStart": "start", "RegionId": "region", "SubAccountId": "account",
}


@pytest.mark.parametrize(("form", "columns"), [("CUR", _CUR), ("legacy CUR", _LEGACY), ("FOCUS", _FOCUS)])
@pytest.mark.parametrize("kind", ["csv", "csv.gz", "parquet"])
def test_bills(tmp_path, form, columns, kind):
    rows = list(_rows(columns))
    path = tmp_path / f"bill.{kind}"
    if kind == "parquet":
        pa = pytest.importorskip("pyarrow")
        pytest.importorskip("pyarrow.parquet").write_table(pa.Table.from_pylist(rows), path)
    else:
        out = io.StringIO()
        writer = csv.DictWriter(out, list(columns))
        writer.writeheader()
        writer.writerows(rows)
        path.write_bytes(gzip.compress(out.getvalue().encode()) if kind == "csv.gz" else out.getvalue().encode())
    bill = read_bill(path)
    lines = list(bill)
    assert bill.form == form
    assert bill.dropped == {"Tax": (1, Decimal("4.8"))}
    assert [line.kind for line in lines] == ["nat.gb", "nat.gb", "cross_az", None]
    assert lines[0].account == "012345678901"
    assert lines[0].start == 1793577600
    sheet = import_prices([path])
    assert sheet.price("nat.gb", "eu-west-1").rate() == Decimal("0.043")  # 17.2 for 400
    assert sheet.price("cross_az", "eu-west-1").rate() == Decimal("0.01")
    assert sheet.published == "2026-11-02"


def test_sheets_are_merged(tmp_path):
    (tmp_path / "sheet.json").write_text(json.dumps(vf.prices().to_dict(), indent=1))
    (tmp_path / "list").write_text(_get_products())
    sheet = import_prices([tmp_path / "sheet.json", tmp_path / "list"])
    assert sheet.price("nat.gb", "eu-central-1").rate() == Decimal("0.052")
    assert sheet.price("nat.gb", "us-east-1") == vf.prices().price("nat.gb", "us-east-1")


def test_a_bill_goes_before_a_list(tmp_path):
    (tmp_path / "list").write_text(_get_products([_product("A", "EU-NatGateway-Bytes", [("0", "Inf", "0.048")], regionCode="eu-west-1"), _PRODUCTS[0]]))
    out = io.StringIO()
    writer = csv.DictWriter(out, list(_CUR))
    writer.writeheader()
    writer.writerows(_rows(_CUR))
    (tmp_path / "bill.csv").write_text(out.getvalue())
    sheet = import_prices([tmp_path / "list", tmp_path / "bill.csv"])
    assert sheet.price("nat.gb", "eu-west-1").rate() == Decimal("0.043")
    assert sheet.price("internet.out", "eu-central-1").rate() == Decimal("0.09")


def test_focus_without_usage_types(tmp_path):
    header = "ChargeCategory,ConsumedQuantity,BilledCost,EffectiveCost,ChargePeriodStart,RegionId,ChargeDescription,SubAccountId"
    rows = [
        "Usage,10,0.45,0.45,2024-09-01 00:00:00,us-east-1,$0.045 per GB Data Processed by NAT Gateways,123456789012",
        "Usage,10,0.45,0.45,2024-09-01 00:00:00.000,us-east-1,$0.045 per NAT Gateway Hour,NULL",
        "Usage,NULL,0.1,0.1,2024-09-01 00:00:00,us-east-1,$0.010 per GB - regional data transfer - in/out/between EC2 AZs,NULL",
    ]
    (tmp_path / "focus.csv").write_text("\n".join([header, *rows]) + "\n")
    lines = list(read_bill(tmp_path / "focus.csv"))
    assert [line.kind for line in lines] == ["nat.gb", "nat.hour", "cross_az"]
    assert [line.account for line in lines] == ["123456789012", "", ""]


def test_cost_explorer(tmp_path):
    groups = [{"Keys": ["EU-NatGateway-Bytes", "eu-west-1"], "Metrics": {"UsageQuantity": {"Amount": "4", "Unit": "GB"}, "UnblendedCost": {"Amount": "0.192", "Unit": "USD"}}}]
    answer = {
        "GroupDefinitions": [{"Type": "DIMENSION", "Key": "USAGE_TYPE"}, {"Type": "DIMENSION", "Key": "REGION"}],
        "ResultsByTime": [{"TimePeriod": {"Start": "2026-11-02", "End": "2026-11-03"}, "Groups": groups}],
    }
    (tmp_path / "ce.json").write_text(json.dumps(answer))
    assert import_prices([tmp_path / "ce.json"]).price("nat.gb", "eu-west-1").rate() == Decimal("0.048")
    answer["GroupDefinitions"][0]["Key"] = "SERVICE"
    (tmp_path / "ce.json").write_text(json.dumps(answer))
    with pytest.raises(vf.PriceError, match="ask Cost Explorer by USAGE_TYPE"):
        list(read_bill(tmp_path / "ce.json"))


@pytest.mark.parametrize(("text", "said"), [
    ("a,b\n1,2\n", "no bill: its columns begin with a, b"), ("line_item_usage_type,x\n", "a CUR export without line_item_usage_amount"),
    (",".join(_CUR) + "\nUsage,NatGateway-Bytes,,much,1,1,2026-11-02T00:00:00Z,x,1,USD\n", "line 1: 'much' is no amount"),
    (",".join(_CUR) + "\nUsage,NatGateway-Bytes,,1,1,1,yesterday,x,1,USD\n", "time: 'yesterday'"),
    (",".join(_CUR) + "\nUsage,1\n", "line 2: 2 cells; the header has 10"), ("", "no bill: its columns begin with nothing"),
    (",".join(_CUR) + "\n", "no line with a region is one of traffic"),
])  # fmt: skip
def test_wrong_bills(tmp_path, text, said):
    (tmp_path / "bill.csv").write_text(text)
    with pytest.raises(vf.PriceError, match=said):
        import_prices([tmp_path / "bill.csv"])


def test_damaged_and_missing_bills(tmp_path):
    rows = "".join(f"Usage,NatGateway-Bytes,,{n * 7919 % 99991},1,1,2026-11-02T00:00:00Z,x,1,USD\n" for n in range(9999))
    whole = gzip.compress((",".join(_CUR) + "\n" + rows).encode())
    (tmp_path / "bill.csv.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(vf.SourceError, match="cannot be read"):
        import_prices([tmp_path / "bill.csv.gz"])
    with pytest.raises(vf.SourceNotFoundError):
        import_prices([tmp_path / "none.csv"])
    (tmp_path / "x").write_bytes(b"PK\x03\x04rest")
    with pytest.raises(vf.PriceError, match="a zip archive"):
        import_prices([tmp_path / "x"])


def test_commands(tmp_path, capsys):
    (tmp_path / "offer.json").write_text(_offer_json())
    out = tmp_path / "sheet.json"
    assert vf.cli.main(["prices", "import", str(tmp_path / "offer.json"), "-o", str(out)]) == 0
    assert capsys.readouterr().out.startswith("3 prices of 1 region, as of 2026-08-31")
    assert vf.cli.main(["prices", "show", str(out), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == json.loads(out.read_text())
    assert vf.cli.main(["prices", "show"]) == 0
    shown = capsys.readouterr().out
    assert "0.09 to 10,240, 0.085 to 51,200, 0.07 to 153,600, 0.05 beyond" in shown
    assert "gap: region to region" in shown
    assert vf.cli.main(["prices", "show", "--region", "eu-west-9"]) == 2
    assert "'eu-west-9' is unpriced" in capsys.readouterr().err

"""Plans as text for others' tools: each text, read by a parser of its own language, says what the plan says."""

import ast
import json
import re
import shlex
import subprocess
import sys
import warnings

import pytest

import vpcflow as vf
from conftest import run_cli
from enable_cases import ACCOUNT, REGION, inventory, policy, vpc
from test_enable_plan import CASES, FOREIGN, made
from vpcflow import enable
from vpcflow.enable.emitters import FORMS, emit
from vpcflow.enable.spec import TAG_FIELDS

HOSTILE = ["a\"b'c", "${x}", "$${x}%{ if y }", "line\nbreak\r\ttab", "\\", "$(touch x)`y`", "end */ # -- ; <<EOF", "é\u2028\x00\x7f", "file://x"]
MADE = [name for name in CASES if made(name).calls() and "Cloud WAN" not in name]


def hostile(text):
    """A plan whose free names are all hostile: folder, key of a tag, name of the VPC, policy of the bucket."""
    known = inventory(
        Vpcs=[vpc("vpc-1", Tags=[{"Key": "Name", "Value": text}])], FlowLogs=[], Policy=[policy({**FOREIGN, "Resource": f"arn:aws:s3:::flow-logs/{text}"})]
    )  # fmt: skip
    return enable.plan(["vpc-1"], to=f"s3://flow-logs/x{text}y", for_=["cost"], tag_keys=[f"instance={text}"], inventory=known, id="plan")


def hostile_group(text):
    return enable.plan(["vpc-1"], to=f"cloudwatch://g{text}".replace("?", ""), inventory=inventory(Vpcs=[vpc("vpc-1")], FlowLogs=[], LogGroups=[]), id="plan")


PLANS = [*((name, lambda name=name: made(name)) for name in MADE), *((repr(text), lambda text=text: hostile(text)) for text in HOSTILE)]
PLANS += [(f"group {text!r}", lambda text=text: hostile_group(text)) for text in HOSTILE]
EACH = pytest.mark.parametrize("plan", [plan for _, plan in PLANS], ids=[name for name, _ in PLANS])


def wanted(plan):
    """Each flow log to create, by resource, as arguments of CreateFlowLogs."""
    return {
        identity: {name: value for name, value in call.arguments.items() if name not in ("ResourceIds", "ResourceType")}
        for call in plan.calls()
        for identity in call.arguments["ResourceIds"]
    }


def with_tags(arguments):
    """The same with the tags as a dictionary."""
    out = dict(arguments)
    (specification,) = out.pop("TagSpecifications")
    return {**out, "Tags": {tag["Key"]: tag["Value"] for tag in specification["Tags"]}}


# -- Terraform


def text_of(value):
    """The text of a quoted template of HCL, by its own rules."""
    if not (isinstance(value, str) and value.startswith('"')):
        return value
    body = value[1:-1]
    assert not re.search(r"(?<!\$)\$\{|(?<!%)%\{", re.sub(r"\$\$\{|%%\{", "", body)), "a template in it"

    def one(match):
        escape = match[0]
        if escape[0] == "\\":
            return {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\"}.get(escape[1]) or chr(int(escape[2:], 16))
        return escape[1:]

    return re.sub(r"\\u[0-9a-f]{4}|\\U[0-9a-f]{8}|\\.|\$\$\{|%%\{", one, body)


def read_hcl(text):
    hcl2 = pytest.importorskip("hcl2")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        document = hcl2.loads(text)

    def plain(value):
        if isinstance(value, dict):
            return {text_of(key): plain(item) for key, item in value.items() if key not in ("__is_block__", "__comments__", "__inline_comments__")}
        return [plain(item) for item in value] if isinstance(value, list) else text_of(value)

    return plain(document)


@EACH
def test_terraform_says_the_plan(plan):
    plan = plan()
    resources = {}
    others = {}
    for block in read_hcl(emit(plan, "terraform"))["resource"]:
        ((kind, named),) = block.items()
        ((name, values),) = named.items()
        (resources if kind == "aws_flow_log" else others).setdefault(name if kind == "aws_flow_log" else kind, values)
    assert len(resources) == len(wanted(plan))
    for values in resources.values():
        identity = next(values[name] for name in values if name in ("vpc_id", "subnet_id", "eni_id", "transit_gateway_id", "transit_gateway_attachment_id", "regional_nat_gateway_id"))
        want = with_tags(wanted(plan)[identity])
        options = want.get("DestinationOptions")
        got = {
            "TrafficType": values.get("traffic_type"), "LogDestinationType": values["log_destination_type"], "LogDestination": values["log_destination"],
            "DeliverLogsPermissionArn": values.get("iam_role_arn"), "DeliverCrossAccountRole": values.get("deliver_cross_account_role"),
            "LogFormat": values.get("log_format"), "MaxAggregationInterval": values["max_aggregation_interval"], "Tags": values["tags"],
            "DestinationOptions": options and dict(zip(options, values["destination_options"][0].values())),
            "TagFieldSpecifications": [{"ResourceType": one["resource_type"], "TagKeys": one["tag_keys"]} for one in values.get("tag_field_specification", [])] or None,
        }  # fmt: skip
        assert {name: value for name, value in got.items() if value is not None} == want
    for bucket in plan.policies.get("buckets", ()):
        if bucket["known"]:
            assert others["aws_s3_bucket_policy"] == {"bucket": bucket["bucket"], "policy": bucket["policy"]}
    role = plan.policies.get("role")
    if role:
        assert json.loads(others["aws_iam_role_policy"]["policy"]) == role["policy"]
        assert json.loads(others["aws_iam_role"]["assume_role_policy"]) == role["trust"]
    for group in plan.log_groups:
        if group["create"]:
            assert others["aws_cloudwatch_log_group"] == {"name": group["name"], "retention_in_days": group["retention_days"]}


# -- CloudFormation and the CDK


def said_by_properties(resources):
    out = {}
    for resource in resources:
        properties = dict(resource["Properties"])
        properties["Tags"] = {tag["Key"]: tag["Value"] for tag in properties["Tags"]}
        properties.pop("ResourceType")
        out[properties.pop("ResourceId")] = properties
    return out


@EACH
def test_cloudformation_says_the_plan(plan):
    plan = plan()
    resources = json.loads(emit(plan, "cloudformation"))["Resources"]
    flow_logs = [one for one in resources.values() if one["Type"] == "AWS::EC2::FlowLog"]
    assert said_by_properties(flow_logs) == {identity: with_tags(one) for identity, one in wanted(plan).items()}
    for bucket in plan.policies.get("buckets", ()):
        if bucket["known"]:
            assert resources["BucketPolicy"]["Properties"] == {"Bucket": bucket["bucket"], "PolicyDocument": json.loads(bucket["policy"])}
    assert all(name.isalnum() for name in resources)
    assert "Fn::" not in emit(plan, "cloudformation")


def test_cfn_lint_finds_nothing(tmp_path):
    pytest.importorskip("cfnlint")
    for number, name in enumerate(("Parquet, Hive, hourly", "log group", "regional NAT gateway", "tags in records", "transit gateway")):
        (tmp_path / f"{number}.json").write_text(emit(made(name), "cloudformation"))
    (tmp_path / "wrong.json").write_text(emit(made("log group"), "cloudformation").replace('"LogFormat"', '"LogFromat"'))
    program = "import sys; from cfnlint.runner import main; main()"
    found = {}
    for path in sorted(tmp_path.glob("*.json")):
        found[path.name] = subprocess.run([sys.executable, "-c", program, str(path)], capture_output=True, text=True, timeout=120).stdout
    assert "LogFromat" in found.pop("wrong.json")
    assert set(found.values()) == {""}


@EACH
def test_the_cdk_says_the_plan(plan):
    plan = plan()
    tree = ast.parse(emit(plan, "cdk"))
    names = {
        "resource_id": "ResourceId", "resource_type": "ResourceType", "traffic_type": "TrafficType", "log_destination_type": "LogDestinationType",
        "log_destination": "LogDestination", "log_group_name": "LogGroupName", "deliver_logs_permission_arn": "DeliverLogsPermissionArn",
        "deliver_cross_account_role": "DeliverCrossAccountRole", "log_format": "LogFormat", "max_aggregation_interval": "MaxAggregationInterval",
    }  # fmt: skip
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "ec2.CfnFlowLog":
            properties = {}
            for keyword in node.keywords:
                if keyword.arg in names:
                    properties[names[keyword.arg]] = ast.literal_eval(keyword.value)
                elif keyword.arg == "destination_options":
                    properties["DestinationOptions"] = ast.literal_eval(keyword.value)
                else:
                    inner = [[ast.literal_eval(one.value) for one in call.keywords] for call in keyword.value.elts]
                    keys = ("Key", "Value") if keyword.arg == "tags" else ("ResourceType", "TagKeys")
                    properties["Tags" if keyword.arg == "tags" else "TagFieldSpecifications"] = [dict(zip(keys, one)) for one in inner]
            found.append({"Properties": properties})
    assert said_by_properties(found) == {identity: with_tags(one) for identity, one in wanted(plan).items()}


# -- commands and programs


def validated(service, operation, arguments):
    """Arguments, once botocore has found nothing wrong with them."""
    session = pytest.importorskip("botocore.session").get_session()
    validate = pytest.importorskip("botocore.validate")
    model = MODELS.setdefault(service, session.get_service_model(service))
    report = validate.ParamValidator().validate(arguments, model.operation_model(operation).input_shape)
    assert not report.has_errors(), report.generate_report()
    return arguments


MODELS = {}


def camel(name):
    return "".join(part.capitalize() for part in name.split("-"))


@EACH
def test_the_commands_say_the_plan(plan):
    plan = plan()
    text = emit(plan, "cli")
    commands = [words for words in lines_of(text) if words[0] == "aws"]
    calls = []
    for words in commands:
        arguments = json.loads(words[words.index("--cli-input-json") + 1])
        validated("s3" if words[1] == "s3api" else words[1], camel(words[2]), arguments)
        if words[2] == "create-flow-logs":
            calls.append((words[words.index("--region") + 1] if "--region" in words else "", arguments))
        if words[2] == "put-bucket-policy":
            assert arguments["Policy"] == plan.policies["buckets"][0]["policy"]
    assert calls == [(call.region, {**call.arguments, "ClientToken": plan.token(call)}) for call in plan.calls()]
    assert subprocess.run(["bash", "-n"], input=text, text=True, capture_output=True).returncode == 0


def lines_of(text):
    """The commands of a script, each as its words; quoted line breaks are part of a word."""
    lexer = shlex.shlex(text, posix=True, punctuation_chars=False)
    lexer.whitespace_split, lexer.whitespace, lexer.commenters = True, " ", "#"
    lexer.whitespace = " \t\r\n"
    words = list(lexer)
    begins = [place for place, word in enumerate(words) if word == "aws"]
    return [words[begin:end] for begin, end in zip(begins, [*begins[1:], len(words)])]


@EACH
def test_the_program_says_the_plan(plan):
    plan = plan()
    text = emit(plan, "boto3")
    (value,) = [node.value for node in ast.parse(text).body if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "PLAN"]
    content = ast.literal_eval(value)
    got = [(call["region"], validated("ec2", "CreateFlowLogs", call["create_flow_logs"])) for call in content["calls"]]
    assert got == [(call.region, {**call.arguments, "ClientToken": plan.token(call)}) for call in plan.calls()]


@EACH
def test_the_policies_alone(plan):
    plan = plan()
    document = json.loads(emit(plan, "policies"))
    assert {name: document[name] for name in plan.policies} == json.loads(json.dumps(dict(plan.policies)))


# -- what cannot be said, and the command


@pytest.mark.parametrize("form", ["terraform", "cloudformation", "cdk"])
def test_types_that_a_form_lacks_are_an_error(form):
    with pytest.raises(vf.PlanError, match="CoreNetwork: core-network-1; write the plan --as cli"):
        emit(made("Cloud WAN"), form)
    assert len(json.loads(emit(made("Cloud WAN"), "policies"))["buckets"][0]["statements"]) == 4


def test_a_policy_that_is_not_known_is_not_overwritten():
    for form in FORMS:
        text = emit(made("nothing is there"), form)
        assert "put_bucket_policy(Bucket=" in text if form == "boto3" else True
        assert "is not in here, as writing it would replace it" in text
    assert "aws_s3_bucket_policy" not in emit(made("nothing is there"), "terraform")
    assert "put-bucket-policy" not in emit(made("nothing is there"), "cli")


def test_an_account_that_is_not_known(tmp_path):
    plan = enable.plan(["vpc-1"], to="cloudwatch://flows")
    document = read_hcl(emit(plan, "terraform"))
    assert document["data"][0]["aws_cloudwatch_log_group"]["vpcflow"] == {"name": "flows"}
    assert document["resource"][0]["aws_flow_log"]["vpc_1"]["log_destination"] == "${data.aws_cloudwatch_log_group.vpcflow.arn}"


def test_names_of_resources_stay_apart():
    plan = enable.plan(["CoreNetworkEdge:a.b", "CoreNetworkEdge:a_b", "vpc-1-2", "vpc-1_2"], to="s3://flow-logs", account=ACCOUNT, region=REGION)
    kept = enable.plan(["vpc-1-2", "vpc-1_2", "vpc-1.2"], to="s3://flow-logs", account=ACCOUNT, region=REGION)
    assert len(plan.calls()) == 2
    assert len(json.loads(emit(kept, "cloudformation"))["Resources"]) == 3
    assert len({name for block in read_hcl(emit(kept, "terraform"))["resource"] for name in block["aws_flow_log"]}) == 3


def test_emit_on_the_command_line(tmp_path):
    made("policy is known").write(tmp_path / "plan.json")
    for form in FORMS:
        out = run_cli("enable", "emit", tmp_path / "plan.json", "--as", form, check=0).stdout.decode()
        assert out == emit(made("policy is known"), form)
    run_cli("enable", "emit", tmp_path / "plan.json", "--as", "terraform", "-o", tmp_path / "main.tf", check=0)
    assert (tmp_path / "main.tf").read_text() == emit(made("policy is known"), "terraform")
    assert b"did you mean 'terraform'" in run_cli("enable", "emit", tmp_path / "plan.json", "--as", "teraform", check=2).stderr
    assert b"no-plan.json: cannot be read" in run_cli("enable", "emit", tmp_path / "no-plan.json", "--as", "cli", check=2).stderr
    assert set(TAG_FIELDS.values()) <= {field.name for field in vf.fields()}

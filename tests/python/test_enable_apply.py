"""Applying, verifying and deleting: against a stand-in in memory that can be killed at every call."""

import contextlib
import datetime
import gzip
import json

import pytest

import vpcflow as vf
from enable_aws import Cloud, Killed, Refusal
from enable_cases import ACCOUNT, MANAGED, PORT_SCAN, REGION, V2, flow_log, inventory, policy, to_group, vpc
from test_enable_plan import FOREIGN
from vpcflow import enable
from vpcflow.enable.apply import OUTCOMES, apply
from vpcflow.enable.delete import delete
from vpcflow.enable.inventory import inventory_of
from vpcflow.enable.verify import VERDICTS, verify

VPCS = [vpc(f"vpc-{i}") for i in range(1, 6)]
HEADER = PORT_SCAN.replace("${", "").replace("}", "")
LINE = "2 012345678901 eni-1 10.0.0.1 10.0.0.2 4000 443 6 10 1000 {start} {end} ACCEPT OK 19"


def plan_of(cloud, resources=("vpc-1",), to="s3://flow-logs", for_=("port_scan",), **options):
    known = inventory(Vpcs=VPCS, FlowLogs=list(cloud.flow_logs.values()), **options.pop("answers", {}))
    return enable.plan(list(resources), to=to, for_=list(for_), inventory=known, id=options.pop("id", "plan"), **options)


def with_logs(*logs):
    cloud = Cloud()
    cloud.flow_logs = {log["FlowLogId"]: log for log in logs}
    return cloud


def deliver(cloud, named, format=PORT_SCAN, folder="", region=REGION):
    """Writes an object as AWS would."""
    now = datetime.datetime.now(datetime.timezone.utc)
    start = int(now.timestamp()) - 300
    names = format.replace("${", "").replace("}", "")
    values = dict(zip(HEADER.split(), LINE.format(start=start, end=start + 60).split()))
    text = f"{names}\n{' '.join(values.get(name, '-') for name in names.split())}\n"
    key = f"{folder}AWSLogs/{ACCOUNT}/vpcflowlogs/{region}/{now:%Y/%m/%d}/{ACCOUNT}_vpcflowlogs_{region}_{named}_{now:%Y%m%dT%H%MZ}_abc.log.gz"
    cloud.objects["flow-logs", key] = gzip.compress(text.encode())
    return start


def outcomes(results):
    return {result.resource: result.outcome for result in results}


# -- applying


def test_a_plan_is_applied_once_however_often():
    cloud = Cloud()
    plan = plan_of(cloud, ["vpc-1", "vpc-2"])
    first = apply(plan, cloud.aws())
    assert outcomes(first) == {"vpc-1": "created", "vpc-2": "created"}
    assert [result.flow_log for result in first] == ["fl-001", "fl-002"]
    there, changes = cloud.set_of(), list(cloud.changes)
    assert outcomes(apply(plan, cloud.aws())) == {"vpc-1": "there", "vpc-2": "there"}
    assert (cloud.set_of(), cloud.changes) == (there, changes)
    assert outcomes(apply(plan_of(cloud, ["vpc-1", "vpc-2"], id="another"), cloud.aws())) == {"vpc-1": "there", "vpc-2": "there"}
    assert (cloud.set_of(), cloud.changes) == (there, changes)


def test_what_comes_first():
    """What may be refused is asked before anything changes; the policy is there before the flow log."""
    cloud = Cloud()
    cloud.policies["flow-logs"] = policy(FOREIGN)
    apply(plan_of(cloud), cloud.aws())
    names = [operation for _, operation, arguments in cloud.calls if operation.startswith(("put", "create"))]
    assert names == ["create_flow_logs", "put_bucket_policy", "create_flow_logs"]
    assert json.loads(cloud.policies["flow-logs"])["Statement"][0] == FOREIGN
    dry = [arguments.get("DryRun", False) for _, operation, arguments in cloud.calls if operation == "create_flow_logs"]
    assert dry == [True, False]


def test_a_dry_run_changes_nothing():
    cloud = Cloud()
    assert outcomes(apply(plan_of(cloud, to="cloudwatch://flows"), cloud.aws(), dry_run=True)) == {"vpc-1": "would_create"}
    assert cloud.changes == []


def test_if_one_batch_is_refused_nothing_changes():
    cloud = Cloud()
    plan = plan_of(cloud, ["vpc-1", "subnet-1"])
    cloud.refuse["create_flow_logs"] = Refusal("UnauthorizedOperation", "You are not authorized")
    (first, _) = apply(plan, cloud.aws())
    assert (first.outcome, first.why) == ("refused", ["UnauthorizedOperation: You are not authorized"])
    assert cloud.changes == []


def test_an_endpoint_that_ignores_dry_runs_is_left_alone(monkeypatch):
    cloud = Cloud()
    monkeypatch.setattr("enable_aws.Operations.create_flow_logs", lambda self, region, **arguments: {"FlowLogIds": ["fl-1"]})
    with pytest.raises(vf.SourceError, match="ignores DryRun"):
        apply(plan_of(cloud), cloud.aws())
    assert cloud.changes == []


def test_batches():
    cloud = Cloud()
    plan = enable.plan([f"eni-{i:03}" for i in range(301)], to="s3://flow-logs", account=ACCOUNT, region=REGION)
    assert set(outcomes(apply(plan, cloud.aws())).values()) == {"created"}
    assert [len(made) for what, made in cloud.changes if what == "create"] == [300, 1]
    assert set(outcomes(apply(plan, cloud.aws())).values()) == {"there"}


def test_ids_that_do_not_tell_their_type_are_known_by_the_plan():
    cloud = Cloud()
    plan = enable.plan(["CoreNetworkEdge:edge-1"], to="s3://flow-logs", account=ACCOUNT, region=REGION)
    assert outcomes(apply(plan, cloud.aws())) == {"edge-1": "created"}
    assert outcomes(apply(plan, cloud.aws())) == {"edge-1": "there"}
    assert verified(cloud, plan)["edge-1"][0] == "not_yet"


def test_what_may_not_be_prepared_ends_it_before_a_flow_log():
    cloud = Cloud()
    cloud.refuse["put_bucket_policy"] = Refusal("AccessDenied", "not you")
    with pytest.raises(Refusal):
        apply(plan_of(cloud), cloud.aws())
    assert cloud.changes == []


def test_partial_failures_are_told_by_resource():
    cloud = Cloud()
    cloud.refuse["vpc-2"] = Refusal("InvalidVpcId.NotFound", "The VPC does not exist")
    plan = plan_of(cloud, ["vpc-1", "vpc-2", "vpc-3"])
    results = apply(plan, cloud.aws())
    assert outcomes(results) == {"vpc-1": "created", "vpc-2": "failed", "vpc-3": "created"}
    assert results[1].why == ["InvalidVpcId.NotFound: The VPC does not exist"]
    del cloud.refuse["vpc-2"]
    assert outcomes(apply(plan, cloud.aws())) == {"vpc-1": "there", "vpc-2": "created", "vpc-3": "there"}


@pytest.mark.parametrize("same", [True, False])
def test_what_aws_says_is_there_is_compared(same):
    """`FlowLogAlreadyExists` in the answer, of a flow log that was not listed before."""
    cloud = with_logs(flow_log("fl-900", "vpc-1", LogFormat=PORT_SCAN if same else V2, LogDestination="arn:aws:s3:::flow-logs"))
    cloud.hidden["fl-900"] = 1
    if not same:
        cloud.refuse["vpc-1"] = Refusal("FlowLogAlreadyExists", "There is one")
    plan = plan_of(Cloud())
    (result,) = apply(plan, cloud.aws())
    assert (result.outcome, result.flow_log) == (("there", "fl-900") if same else ("failed", ""))
    assert list(cloud.flow_logs) == ["fl-900"]


def test_already_exists_as_an_exception():
    cloud = with_logs(flow_log("fl-900", "vpc-1", LogFormat=PORT_SCAN))
    cloud.hidden["fl-900"] = 1
    aws = cloud.aws()
    real = aws.create
    aws.create = lambda *args: (_ for _ in ()).throw(Refusal("FlowLogAlreadyExists"))
    assert outcomes(apply(plan_of(Cloud()), aws)) == {"vpc-1": "there"}
    assert callable(real)


def test_flow_logs_that_are_listed_late():
    cloud = Cloud()
    cloud.unlisted = 3
    (result,) = apply(plan_of(cloud), cloud.aws())
    assert (result.outcome, result.flow_log) == ("created", "fl-001")
    assert 0 < cloud.slept < 60


def test_roles_and_groups():
    cloud = Cloud()
    plan = plan_of(cloud, to="cloudwatch://flows")
    apply(plan, cloud.aws())
    assert [change[0] for change in cloud.changes] == ["role", "group", "retention", "create"]
    assert cloud.groups == {"flows": {"retentionInDays": 90}}
    assert cloud.roles["vpcflow-flow-logs"]["policy"] == plan.policies["role"]["policy"]
    cloud.changes.clear()
    apply(plan, cloud.aws())
    assert cloud.changes == []


def test_a_role_that_is_not_known_yet_is_tried_again():
    cloud = Cloud()
    plan = plan_of(cloud, to="cloudwatch://flows")
    cloud.refuse["vpc-1"] = None
    aws = cloud.aws()
    real, tries = aws.create, []

    def create(*args):
        tries.append(args)
        if len(tries) < 3:
            raise Refusal("InvalidParameter", "Unable to assume given IAM role")
        return real(*args)

    aws.create = create
    assert outcomes(apply(plan, aws)) == {"vpc-1": "created"}
    assert len(tries) == 3
    tries.clear()
    again = Cloud()
    again.roles["vpcflow-flow-logs"] = {"policy": {}}
    aws = again.aws()
    aws.create = create
    assert outcomes(apply(plan, aws)) == {"vpc-1": "failed"}  # a role that was there is not waited for


def test_retention_of_a_group_that_keeps_for_ever():
    cloud = Cloud()
    cloud.groups["flows"] = {}
    plan = enable.Plan("mend", (), log_groups=({"name": "flows", "create": False, "retention_days": 30},))
    assert apply(plan, cloud.aws()) == []
    assert cloud.groups == {"flows": {"retentionInDays": 30}}


def test_another_account_is_not_touched():
    cloud = Cloud("999999999999")
    with pytest.raises(vf.PlanError, match="the plan is of account 012345678901, the credentials of 999999999999"):
        apply(plan_of(Cloud()), cloud.aws())
    assert cloud.changes == []


# -- replacing


OURS = {"tags": {**MANAGED, "vpcflow-spec": "old"}}


def test_replacing_creates_verifies_and_then_deletes():
    cloud = with_logs(flow_log("fl-900", "vpc-1", **OURS))
    plan = plan_of(cloud)
    (result,) = apply(plan, cloud.aws())
    assert (result.outcome, result.flow_log) == ("pending", "fl-001")
    assert "fl-900 stays" in result.why
    assert sorted(cloud.flow_logs) == ["fl-001", "fl-900"]
    deliver(cloud, "fl-001")
    (result,) = apply(plan, cloud.aws())
    assert (result.outcome, result.flow_log) == ("replaced", "fl-001")
    assert list(cloud.flow_logs) == ["fl-001"]
    (result,) = apply(plan, cloud.aws())
    assert result.outcome == "replaced"
    assert list(cloud.flow_logs) == ["fl-001"]


def test_waiting_for_the_first_record():
    cloud = with_logs(flow_log("fl-900", "vpc-1", **OURS))
    cloud.on_sleep = lambda seconds: deliver(cloud, "fl-001") if cloud.slept > 100 else None
    (result,) = apply(plan_of(cloud), cloud.aws(), wait=600)
    assert result.outcome == "replaced"
    assert list(cloud.flow_logs) == ["fl-001"]
    assert cloud.slept < 200


def test_what_delivers_something_else_does_not_replace():
    cloud = with_logs(flow_log("fl-900", "vpc-1", **OURS))
    plan = plan_of(cloud)
    apply(plan, cloud.aws())
    deliver(cloud, "fl-001", format=V2)
    (result,) = apply(plan, cloud.aws())
    assert result.outcome == "pending"
    assert "lacks tcp-flags" in " ".join(result.why)
    assert sorted(cloud.flow_logs) == ["fl-001", "fl-900"]


def test_what_others_made_stays():
    cloud = with_logs(flow_log("fl-900", "vpc-1"), flow_log("fl-901", "vpc-2", LogDestination="arn:aws:s3:::elsewhere"))
    apply(plan_of(cloud, ["vpc-1", "vpc-2"]), cloud.aws())
    deliver(cloud, "fl-001")
    apply(plan_of(cloud, ["vpc-1", "vpc-2"]), cloud.aws())
    assert {"fl-900", "fl-901"} < set(cloud.flow_logs)
    named = plan_of(with_logs(flow_log("fl-900", "vpc-1")), replace=["fl-900"])
    apply(named, cloud.aws())
    assert "fl-900" not in cloud.flow_logs
    assert "fl-901" in cloud.flow_logs


def test_tags_are_set():
    cloud = with_logs(flow_log("fl-900", "vpc-1", LogFormat=PORT_SCAN, **OURS))
    plan = plan_of(cloud)
    assert plan.steps[0].action == "tag"
    assert outcomes(apply(plan, cloud.aws())) == {"vpc-1": "tagged"}
    assert {tag["Key"]: tag["Value"] for tag in cloud.flow_logs["fl-900"]["Tags"]} == plan.steps[0].spec.tags()
    assert plan_of(cloud).steps[0].action == "keep"


SITUATIONS = {
    "new": ((), {"resources": ("vpc-1", "vpc-2")}),
    "group": ((), {"to": "cloudwatch://flows"}),
    "replaced": ((flow_log("fl-900", "vpc-1", **OURS), flow_log("fl-901", "vpc-2")), {"resources": ("vpc-1", "vpc-2")}),
    "tagged": ((flow_log("fl-900", "vpc-1", LogFormat=PORT_SCAN, **OURS),), {}),
}


@pytest.mark.parametrize("late", [0, 2])
@pytest.mark.parametrize("name", SITUATIONS)
def test_killed_after_any_call_and_applied_again(name, late):
    """Whatever call it ends in, before or after its effect: applied again, there is one set, and no other."""
    logs, options = SITUATIONS[name]

    def begun():
        cloud = with_logs(*json.loads(json.dumps(logs)))
        cloud.unlisted = late
        return cloud, plan_of(cloud, **options)

    def finished(cloud, plan):
        for _ in range(3):
            apply(plan, cloud.aws())
            for named, log in list(cloud.flow_logs.items()):
                if log["LogDestinationType"] == "s3" and named < "fl-900":
                    deliver(cloud, named)
        return cloud.set_of()

    cloud, plan = begun()
    expected = finished(cloud, plan)
    calls = len(cloud.calls)
    state = (cloud.policies, cloud.roles, cloud.groups)
    assert calls > 8
    for number in range(1, calls + 1):
        for takes_effect in (False, True):
            cloud, plan = begun()
            cloud.kill_at = (number, takes_effect)
            with contextlib.suppress(Killed):  # a second process may make fewer calls
                finished(cloud, plan)
            old = [log for log in cloud.flow_logs.values() if log["FlowLogId"] == "fl-900"]
            new = [log for log in cloud.flow_logs.values() if log["ResourceId"] == "vpc-1" and log["FlowLogId"] != "fl-900"]
            assert old or new or name in ("new", "group"), "something records it at any time"
            assert finished(cloud, plan) == expected, (number, takes_effect)
            assert (cloud.policies, cloud.roles, cloud.groups) == state


# -- verifying


def verified(cloud, plan, **options):
    return {one.resource: (one.verdict, " ".join(one.why)) for one in verify(plan, cloud.aws(), **options)}


def test_verifying_reads_the_first_record():
    cloud = Cloud()
    plan = plan_of(cloud, to="s3://flow-logs/x")
    assert verified(cloud, plan)["vpc-1"][0] == "missing"
    apply(plan, cloud.aws())
    assert verified(cloud, plan)["vpc-1"] == ("not_yet", "records come up to 15 minutes after their traffic; without traffic none come")
    start = deliver(cloud, "fl-001", folder="x/")
    (one,) = verify(plan, cloud.aws())
    at = datetime.datetime.fromtimestamp(start, datetime.timezone.utc).strftime("%H:%M")
    assert (one.verdict, one.why, one.first_record, one.fields) == ("delivering", [f"first record {at}, 15 fields as asked"], start, 15)


@pytest.mark.parametrize(
    ("change", "verdict", "told"),
    [
        (lambda cloud: cloud.flow_logs["fl-001"].update(DeliverLogsStatus="FAILED", DeliverLogsErrorMessage="Access error"), "failed", "Access error"),
        (lambda cloud: deliver(cloud, "fl-001", format=V2), "differs", "lacks tcp-flags"),
        (lambda cloud: deliver(cloud, "fl-other"), "not_yet", "15 minutes"),
        (lambda cloud: cloud.policies.clear(), "not_yet", "the policy of bucket flow-logs lacks statements"),
        (lambda cloud: cloud.flow_logs["fl-001"].update(MaxAggregationInterval=600), "differs", "interval is 600, should be 60"),
        (lambda cloud: cloud.refuse.update(list_objects_v2=Refusal("AccessDenied", "no list")), "cannot_tell", "AccessDenied: no list"),
        (lambda cloud: cloud.flow_logs.clear(), "missing", "no flow log of vpc-1"),
    ],
)  # fmt: skip
def test_what_does_not_deliver_is_told_with_its_cause(change, verdict, told):
    cloud = Cloud()
    plan = plan_of(cloud)
    apply(plan, cloud.aws())
    change(cloud)
    got = verified(cloud, plan)["vpc-1"]
    assert got[0] == verdict
    assert told in got[1]
    assert verdict in VERDICTS


def test_verifying_a_log_group():
    cloud = Cloud()
    plan = plan_of(cloud, to="cloudwatch://flows")
    apply(plan, cloud.aws())
    assert verified(cloud, plan)["vpc-1"][0] == "not_yet"
    cloud.events["flows"] = [{"message": LINE.format(start=1_795_413_600, end=1_795_413_660)}]
    assert verified(cloud, plan)["vpc-1"] == ("delivering", "first record 06:00, 15 fields as asked")
    cloud.events["flows"] = [{"message": "something else"}]
    assert verified(cloud, plan)["vpc-1"][0] == "differs"
    cloud.events.clear()
    cloud.roles.clear()
    assert "role arn:aws:iam::012345678901:role/vpcflow-flow-logs is not there" in verified(cloud, plan)["vpc-1"][1]


def test_another_account_is_not_looked_at():
    with pytest.raises(vf.PlanError, match="verify: the plan is of account 012345678901, the credentials of 999999999999"):
        verify(plan_of(Cloud()), Cloud("999999999999").aws())


def test_verifying_waits():
    cloud = Cloud()
    plan = plan_of(cloud)
    apply(plan, cloud.aws())
    cloud.on_sleep = lambda seconds: deliver(cloud, "fl-001") if cloud.slept > 60 else None
    assert verified(cloud, plan, wait=1200)["vpc-1"][0] == "delivering"
    assert cloud.slept <= 120


# -- deleting


def test_only_what_is_named_or_ours_is_deleted():
    cloud = with_logs(flow_log("fl-1", "vpc-1", **OURS), flow_log("fl-2", "vpc-2"), flow_log("fl-3", "vpc-3", tags={"managed-by": "terraform"}))
    assert [(one.flow_log, one.outcome) for one in delete(cloud.aws(), managed=True, dry_run=True)] == [("fl-1", "would_delete")]
    assert cloud.changes == []
    assert [(one.flow_log, one.outcome) for one in delete(cloud.aws(), managed=True)] == [("fl-1", "deleted")]
    with pytest.raises(vf.PlanError, match="no flow log fl-9; did you mean"):
        delete(cloud.aws(), ["fl-2", "fl-9"])
    assert sorted(cloud.flow_logs) == ["fl-2", "fl-3"]
    assert [one.resource for one in delete(cloud.aws(), ["fl-2"])] == ["vpc-2"]
    assert delete(cloud.aws(), managed=True) == []


def test_outcomes_are_documented():
    assert {"created", "pending", "replaced"} < set(OUTCOMES)
    assert inventory_of([]).flow_logs == {}
    assert to_group()["LogGroupName"] == "flows"

"""A stand-in for AWS, in memory: flow logs with tokens, quotas and partial failures, and what they need.

It can be killed at any call, before or after its effect, and lists new flow logs late, as AWS does.
"""

import copy
import io
import itertools
import json

from enable_cases import ACCOUNT, REGION
from vpcflow.enable.aws import Aws


class Refusal(Exception):  # noqa: N818
    """An error of AWS, as botocore raises it."""

    def __init__(self, code, message="no"):
        super().__init__(f"An error occurred ({code}): {message}")
        self.response = {"Error": {"Code": code, "Message": message}}


class Killed(BaseException):
    """The process ends here."""


class Cloud:
    """The state of an account, and the clients that change it."""

    def __init__(self, account=ACCOUNT):
        self.account = account
        self.flow_logs, self.tokens, self.policies, self.objects = {}, {}, {}, {}
        self.roles, self.groups, self.events = {}, {}, {}
        self.calls, self.changes = [], []
        self.kill_at = None  # number of the call, and whether it takes effect
        self.refuse = {}  # errors by operation, or by resource for CreateFlowLogs
        self.unlisted = 0  # how often a new flow log is left out of lists
        self.hidden = {}
        self.inventory = {}  # items of describe calls, by operation
        self.numbers = itertools.count(1)
        self.slept = 0.0
        self.on_sleep = lambda seconds: None

    def aws(self):
        def sleep(seconds):
            self.slept += seconds
            self.on_sleep(seconds)

        return Aws(lambda service, region: Client(self, service, region), sleep)

    def set_of(self):
        """What is there, without ids: as an application done once leaves it."""
        return sorted(json.dumps({k: v for k, v in log.items() if k not in ("FlowLogId",)}, sort_keys=True) for log in self.flow_logs.values())


class Client:
    """One client; operations are methods of :class:`Operations`, counted, refused and killed here."""

    def __init__(self, cloud, service, region):
        self.cloud, self.service = cloud, service
        self.meta = type("Meta", (), {"region_name": region or REGION})

    def __getattr__(self, operation):
        def call(**arguments):
            cloud = self.cloud
            cloud.calls.append((self.service, operation, copy.deepcopy(arguments)))
            number = len(cloud.calls)
            if cloud.kill_at == (number, False):
                raise Killed
            if operation in cloud.refuse:
                raise cloud.refuse[operation]
            if operation in LISTED:
                answer = {LISTED[operation]: cloud.inventory.get(operation, [])}
            else:
                answer = getattr(Operations, operation)(cloud, self.meta.region_name, **arguments)
            if cloud.kill_at == (number, True):
                raise Killed
            return answer

        return call


LISTED = {
    "describe_vpcs": "Vpcs", "describe_subnets": "Subnets", "describe_transit_gateways": "TransitGateways",
    "describe_transit_gateway_attachments": "TransitGatewayAttachments", "describe_nat_gateways": "NatGateways",
    "list_core_networks": "CoreNetworks", "list_attachments": "Attachments", "list_delivery_streams": "DeliveryStreamNames",
    "list_accounts": "Accounts",
}  # fmt: skip


class Operations:
    def get_caller_identity(self, region):
        return {"Account": self.account}

    def create_flow_logs(self, region, DryRun=False, ClientToken="", **arguments):  # noqa: N803
        if DryRun:
            raise Refusal("DryRunOperation")
        if ClientToken in self.tokens:
            kept, answer = self.tokens[ClientToken]
            if kept != arguments:
                raise Refusal("IdempotentParameterMismatch")
            return answer
        made, failed = [], []
        for identity in arguments["ResourceIds"]:
            error = self.refuse.get(identity)
            same = [
                log for log in self.flow_logs.values()
                if log["ResourceId"] == identity and log.get("LogDestination") == arguments.get("LogDestination") and log.get("TrafficType") == arguments.get("TrafficType")
                and log.get("LogFormat") == arguments.get("LogFormat") and log["MaxAggregationInterval"] == arguments["MaxAggregationInterval"]
            ]  # fmt: skip
            if same:
                error = Refusal("FlowLogAlreadyExists")
            elif len([log for log in self.flow_logs.values() if log["ResourceId"] == identity]) >= 2:
                error = Refusal("FlowLogsLimitExceeded")
            if error:
                failed.append({"ResourceId": identity, "Error": error.response["Error"]})
                continue
            named = f"fl-{next(self.numbers):03}"
            log = {k: v for k, v in arguments.items() if k not in ("ResourceIds", "ResourceType", "TagSpecifications")}
            tags = [tag for specification in arguments.get("TagSpecifications", ()) for tag in specification["Tags"]]
            self.flow_logs[named] = {**log, "FlowLogId": named, "ResourceId": identity, "FlowLogStatus": "ACTIVE", "Tags": tags}
            self.hidden[named] = self.unlisted
            made.append(named)
        self.changes.append(("create", tuple(made)))
        answer = {"FlowLogIds": made, "Unsuccessful": failed}
        self.tokens[ClientToken] = (arguments, answer)
        return answer

    def describe_flow_logs(self, region, Filters=(), NextToken=None):  # noqa: N803
        wanted = {one["Name"]: one["Values"] for one in Filters}
        assert all(len(values) <= 200 for values in wanted.values())
        found = []
        for named, log in list(self.flow_logs.items()):
            if self.hidden.get(named, 0) > 0:
                self.hidden[named] -= 1
                continue
            keys = {"resource-id": log["ResourceId"], "flow-log-id": named}
            if all(keys[name] in values for name, values in wanted.items()):
                found.append(copy.deepcopy(log))
        begin = int(NextToken or 0)
        more = {"NextToken": str(begin + 100)} if begin + 100 < len(found) else {}
        return {"FlowLogs": found[begin : begin + 100], **more}

    def delete_flow_logs(self, region, FlowLogIds):  # noqa: N803
        gone = [one for one in FlowLogIds if one not in self.flow_logs]
        if gone:
            raise Refusal("InvalidFlowLogId.NotFound")
        for one in FlowLogIds:
            del self.flow_logs[one]
        self.changes.append(("delete", tuple(FlowLogIds)))
        return {"Unsuccessful": []}

    def create_tags(self, region, Resources, Tags):  # noqa: N803
        for one in Resources:
            kept = {tag["Key"]: tag["Value"] for tag in self.flow_logs[one]["Tags"]} | {tag["Key"]: tag["Value"] for tag in Tags}
            self.flow_logs[one]["Tags"] = [{"Key": key, "Value": value} for key, value in kept.items()]
        self.changes.append(("tag", tuple(Resources)))

    def describe_network_interfaces(self, region, Filters=()):  # noqa: N803
        return {"NetworkInterfaces": self.inventory.get("describe_network_interfaces", [] if not Filters else [{}])}

    def get_bucket_policy(self, region, Bucket):  # noqa: N803
        if Bucket not in self.policies:
            raise Refusal("NoSuchBucketPolicy")
        return {"Policy": self.policies[Bucket]}

    def put_bucket_policy(self, region, Bucket, Policy):  # noqa: N803
        self.policies[Bucket] = Policy
        self.changes.append(("policy", Bucket))

    def list_objects_v2(self, region, Bucket, Prefix, ContinuationToken=None):  # noqa: N803
        keys = sorted(key for bucket, key in self.objects if bucket == Bucket and key.startswith(Prefix))
        return {"Contents": [{"Key": key, "Size": len(self.objects[Bucket, key])} for key in keys], "IsTruncated": False}

    def get_object(self, region, Bucket, Key):  # noqa: N803
        return {"Body": io.BytesIO(self.objects[Bucket, Key])}

    def describe_log_groups(self, region, logGroupNamePrefix="", nextToken=None):  # noqa: N803
        return {"logGroups": [{"logGroupName": name, **more} for name, more in self.groups.items() if name.startswith(logGroupNamePrefix)]}

    def create_log_group(self, region, logGroupName):  # noqa: N803
        if logGroupName in self.groups:
            raise Refusal("ResourceAlreadyExistsException")
        self.groups[logGroupName] = {}
        self.changes.append(("group", logGroupName))

    def put_retention_policy(self, region, logGroupName, retentionInDays):  # noqa: N803
        self.groups[logGroupName]["retentionInDays"] = retentionInDays
        self.changes.append(("retention", logGroupName))

    def filter_log_events(self, region, logGroupName, startTime, limit, nextToken=None):  # noqa: N803
        if nextToken is None:
            return {"events": [], "nextToken": "more"}  # as CloudWatch does
        return {"events": self.events.get(logGroupName, [])}

    def get_role(self, region, RoleName):  # noqa: N803
        if RoleName not in self.roles:
            raise Refusal("NoSuchEntity")
        return {"Role": {}}

    def get_role_policy(self, region, RoleName, PolicyName):  # noqa: N803
        if "policy" not in self.roles.get(RoleName, ()):
            raise Refusal("NoSuchEntity")
        return {"PolicyDocument": self.roles[RoleName]["policy"]}

    def create_role(self, region, RoleName, AssumeRolePolicyDocument):  # noqa: N803
        if RoleName in self.roles:
            raise Refusal("EntityAlreadyExists")
        self.roles[RoleName] = {"trust": json.loads(AssumeRolePolicyDocument)}
        self.changes.append(("role", RoleName))

    def put_role_policy(self, region, RoleName, PolicyName, PolicyDocument):  # noqa: N803
        self.roles[RoleName]["policy"] = json.loads(PolicyDocument)

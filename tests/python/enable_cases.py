"""Inventories for the tests of `vpcflow enable`: answers of describe calls, as AWS writes them."""

import json

from vpcflow.enable.inventory import inventory_of
from vpcflow.inventory.documents import Document

ACCOUNT, REGION = "012345678901", "eu-west-1"
V2 = "${version} ${account-id} ${interface-id} ${srcaddr} ${dstaddr} ${srcport} ${dstport} ${protocol} ${packets} ${bytes} ${start} ${end} ${action} ${log-status}"
PORT_SCAN = f"{V2} ${{tcp-flags}}"
S3 = "arn:aws:s3:::flow-logs"
MANAGED = {"managed-by": "vpcflow"}


def vpc(identity, **more):
    return {"VpcId": identity, "OwnerId": ACCOUNT, **more}


def subnet(identity, vpc_id="vpc-1", **more):
    return {"SubnetId": identity, "VpcId": vpc_id, "OwnerId": ACCOUNT, "AvailabilityZone": f"{REGION}a", **more}


def eni(identity, subnet_id="subnet-1", vpc_id="vpc-1", **more):
    zone = {"AvailabilityZone": f"{REGION}a"}
    return {"NetworkInterfaceId": identity, "SubnetId": subnet_id, "VpcId": vpc_id, "OwnerId": ACCOUNT, **zone, **more}


def attachment(identity, gateway="tgw-1", **more):
    more = {"ResourceType": "vpc", "State": "available", **more}
    return {"TransitGatewayAttachmentId": identity, "TransitGatewayId": gateway, "TransitGatewayOwnerId": ACCOUNT, **more}


def flow_log(identity, resource, **more):
    """A flow log to S3 as DescribeFlowLogs gives it, with the defaults that it echoes."""
    made = {
        "FlowLogId": identity, "ResourceId": resource, "FlowLogStatus": "ACTIVE", "DeliverLogsStatus": "SUCCESS", "TrafficType": "ALL",
        "LogDestinationType": "s3", "LogDestination": S3, "LogFormat": V2, "MaxAggregationInterval": 60, "Tags": [],
        "DestinationOptions": {"FileFormat": "plain-text", "HiveCompatiblePartitions": False, "PerHourPartition": False},
    }  # fmt: skip
    if "tags" in more:
        more["Tags"] = [{"Key": key, "Value": value} for key, value in more.pop("tags").items()]
    made.update(more)
    return {name: value for name, value in made.items() if value is not None}


def to_group(group="flows", **more):
    """What a flow log to CloudWatch Logs has instead."""
    return {
        "LogDestinationType": "cloud-watch-logs", "LogDestination": None, "LogGroupName": group, "DestinationOptions": None,
        "DeliverLogsPermissionArn": f"arn:aws:iam::{ACCOUNT}:role/vpcflow-flow-logs", **more,
    }  # fmt: skip


def inventory(account=ACCOUNT, region=REGION, **kinds):
    """An inventory of answers, by kind: `inventory(Vpcs=[vpc("vpc-1")], FlowLogs=[])`."""
    documents = [
        Document(kind, tuple(items), account, region, f"{kind}.json", about="flow-logs" if kind == "Policy" else "")
        for kind, items in kinds.items()
    ]
    return inventory_of(documents, account=account, region=region)


def policy(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})

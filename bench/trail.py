"""Events of CloudTrail and of AWS's other logs: how many a second are read, of files as AWS delivers them, on one core.

    python bench/trail.py [EVENTS] [SOURCE...]

Records are shaped as AWS documents them (1.5 kB: identities with sessions, requests, answers, TLS), 2,500 a file, gzip -6; 100,000 of them, read again and again. Three jobs: all as
objects of Python; the kinds that rules ask for as objects, the others counted, as `correlate` does; all as Arrow batches. Prints events and MB of JSON a second of CPU, and the peak of
memory so far. Then the other sources, as lines, gzip -6: as Arrow batches, and as objects.
"""

import gzip
import json
import pathlib
import random
import resource
import sys
import tempfile
import time

from vpcflow.correlate import read_events

READING = (
    "DescribeInstances",
    "DescribeSecurityGroups",
    "DescribeVolumes",
    "GetObject",
    "ListBuckets",
    "AssumeRole",
    "Decrypt",
    "GetParametersByPath",
    "LookupEvents",
    "DescribeLogStreams",
)
A_FILE = 2500
RARE = ("AuthorizeSecurityGroupIngress", "RunInstances", "ConsoleLogin", "CreateUser", "DeleteFlowLogs")
AGENTS = (
    "aws-sdk-java/2.20.43 Linux/5.10.173 OpenJDK_64-Bit_Server_VM/17.0.6",
    "Boto3/1.26.90 Python/3.9.16 Linux/5.10 exec-env/AWS_Lambda",
    "console.amazonaws.com",
    "aws-cli/2.11.2 Python/3.11.2",
)


def record(draw, number):
    """One record, as real ones are: what a role did with a session."""
    role, account = f"app-role-{draw.randrange(60)}", f"{draw.choice((111122223333, 444455556666))}"
    name = draw.choice(RARE) if draw.random() < 0.0005 else draw.choice(READING)
    key = f"ASIA{draw.getrandbits(80):020X}"[:20]
    bucket = f"company-data-{draw.randrange(40)}"
    minute, second = divmod(number % 3600, 60)
    asked = (
        {
            "bucketName": bucket,
            "key": f"year=2026/month=11/{draw.getrandbits(96):x}.parquet",
            "Host": f"{bucket}.s3.eu-central-1.amazonaws.com",
        }
        if draw.random() < 0.5
        else {
            "instancesSet": {"items": [{"instanceId": f"i-{draw.getrandbits(68):017x}"}]},
            "filterSet": {},
            "maxResults": 1000,
        }
    )
    return {
        "eventVersion": "1.09",
        "userIdentity": {
            "type": "AssumedRole", "principalId": f"AROA{draw.getrandbits(64):016X}:session-{draw.randrange(900)}", "arn": f"arn:aws:sts::{account}:assumed-role/{role}/session-{draw.randrange(900)}",
            "accountId": account, "accessKeyId": key,
            "sessionContext": {"sessionIssuer": {"type": "Role", "arn": f"arn:aws:iam::{account}:role/{role}", "accountId": account, "userName": role}, "attributes": {"creationDate": f"2026-11-23T{number // 3600 % 24:02}:00:00Z", "mfaAuthenticated": "false"}},
        },
        "eventTime": f"2026-11-23T{number // 3600 % 24:02}:{minute:02}:{second:02}Z", "eventSource": "s3.amazonaws.com", "eventName": name, "awsRegion": "eu-central-1",
        "sourceIPAddress": f"10.{draw.randrange(4)}.{draw.randrange(256)}.{draw.randrange(256)}", "userAgent": draw.choice(AGENTS), "requestParameters": asked, "responseElements": None,
        "additionalEventData": {"SignatureVersion": "SigV4", "CipherSuite": "ECDHE-RSA-AES128-GCM-SHA256", "bytesTransferredIn": 0, "AuthenticationMethod": "AuthHeader", "bytesTransferredOut": draw.randrange(10**7)},
        "requestID": f"{draw.getrandbits(64):016X}", "eventID": f"{draw.getrandbits(128):032x}", "readOnly": True,
        "resources": [{"accountId": account, "type": "AWS::S3::Bucket", "ARN": f"arn:aws:s3:::{bucket}"}],
        "eventType": "AwsApiCall", "managementEvent": False, "recipientAccountId": account, "eventCategory": "Data", "tlsDetails": {"tlsVersion": "TLSv1.2", "cipherSuite": "ECDHE-RSA-AES128-GCM-SHA256", "clientProvidedHostHeader": f"{bucket}.s3.eu-central-1.amazonaws.com"},
    }  # fmt: skip


def write(folder, events):
    """Writes the files. Returns bytes of JSON."""
    draw, size = random.Random(1), 0
    for begin in range(0, events, A_FILE):
        records = [record(draw, number) for number in range(begin, min(begin + A_FILE, events))]
        text = json.dumps({"Records": records}, separators=(",", ":")).encode()
        name = f"111122223333_CloudTrail_eu-central-1_{begin:08}.json.gz"
        (folder / name).write_bytes(gzip.compress(text, 6, mtime=0))
        size += len(text)
    return size


def repeated(files, folder, times):
    """Makes a folder of links to files, each so often."""
    folder.mkdir()
    for turn in range(times):
        for path in files:
            (folder / f"{turn:04}_{path.name}").symlink_to(path)
    return folder


def measured(what, job, events, size):
    begin, wall = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    given = job()
    end, took = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter() - wall
    cpu = end.ru_utime - begin.ru_utime + end.ru_stime - begin.ru_stime
    print(
        f"{what}: {events / cpu:,.0f} events a second of CPU ({size / cpu / 1e6:,.0f} MB of JSON), {took:.1f} s; {given:,} given; peak {end.ru_maxrss / 1024:.0f} MiB"
    )


def batches(table):
    """The rows of all batches, none of which is kept."""
    import pyarrow as pa

    return sum(batch.num_rows for batch in pa.RecordBatchReader.from_stream(table))


def of_dns(draw, number):
    """A query, as Resolver logs it."""
    return {
        "version": "1.100000", "account_id": "111122223333", "region": "eu-central-1", "vpc_id": f"vpc-{draw.randrange(9)}", "query_timestamp": instant(number),
        "query_name": f"{draw.choice(('api', 'db', 'cdn', 'www'))}-{draw.randrange(5000)}.example.com.", "query_type": "A", "query_class": "IN", "rcode": "NOERROR",
        "answers": [{"Rdata": "lb.example.net.", "Type": "CNAME", "Class": "IN"}] + [{"Rdata": f"198.51.{draw.randrange(256)}.{draw.randrange(256)}", "Type": "A", "Class": "IN"} for _ in range(draw.choice((1, 1, 2)))],
        "srcaddr": f"10.0.{draw.randrange(256)}.{draw.randrange(256)}", "srcport": str(draw.randrange(1024, 65536)), "transport": "UDP", "srcids": {"instance": f"i-{draw.getrandbits(68):017x}"},
    }  # fmt: skip


def of_waf(draw, number):
    """A request that WAF judged."""
    headers = {"Host": "www.example.com", "User-Agent": draw.choice(AGENTS), "Accept": "text/html,application/xhtml+xml", "X-Amzn-Trace-Id": f"Root=1-{draw.getrandbits(96):024x}", "Accept-Language": "en-GB,en;q=0.9", "Cookie": f"session={draw.getrandbits(128):032x}"}
    return {
        "timestamp": 1795413600000 + number, "formatVersion": 1, "webaclId": "arn:aws:wafv2:eu-central-1:111122223333:regional/webacl/front/1", "terminatingRuleId": draw.choice(("Default_Action", "rate", "bots")), "terminatingRuleType": "REGULAR",
        "action": draw.choice(("ALLOW", "ALLOW", "BLOCK")), "terminatingRuleMatchDetails": [], "httpSourceName": "ALB", "httpSourceId": "111122223333-app/front/1", "ruleGroupList": [{"ruleGroupId": "AWS#AWSManagedRulesCommonRuleSet", "terminatingRule": None, "nonTerminatingMatchingRules": [], "excludedRules": None}], "rateBasedRuleList": [], "nonTerminatingMatchingRules": [],
        "httpRequest": {"clientIp": f"203.0.{draw.randrange(256)}.{draw.randrange(256)}", "country": "DE", "headers": [{"name": n, "value": v} for n, v in headers.items()], "uri": f"/shop/{draw.randrange(9999)}", "args": "page=1", "httpVersion": "HTTP/2.0", "httpMethod": "GET", "requestId": f"{draw.getrandbits(64):x}"},
    }  # fmt: skip


def of_alb(draw, number):
    """A line of an application load balancer."""
    return (
        f"https {instant(number)} app/front/1 203.0.{draw.randrange(256)}.{draw.randrange(256)}:{draw.randrange(1024, 65536)} 10.0.{draw.randrange(256)}.9:80 0.000 0.{draw.randrange(999):03} 0.000 200 200 312 1274 "
        f'"GET https://www.example.com:443/shop/{draw.randrange(9999)}?page=1 HTTP/2.0" "{draw.choice(AGENTS)}" ECDHE-RSA-AES128-GCM-SHA256 TLSv1.2 arn:aws:elasticloadbalancing:eu-central-1:111122223333:targetgroup/t/1 '
        f'"Root=1-{draw.getrandbits(96):024x}" "www.example.com" "session-reused" 1 {instant(number)} "forward" "-" "-" "10.0.0.9:80" "200" "-" "-" TID_{draw.getrandbits(64):x}'
    )


def of_nlb(draw, number):
    """A line of a network load balancer."""
    return f"tls 2.0 {instant(number)} net/front/1 abcd 203.0.{draw.randrange(256)}.{draw.randrange(256)}:{draw.randrange(1024, 65536)} 10.0.0.9:443 {draw.randrange(9999)} 2 98 {draw.randrange(9999)} - arn:aws:acm:eu-central-1:111122223333:certificate/c - ECDHE-RSA-AES128-GCM-SHA256 tlsv12 - www.example.com h2 h2 - {instant(number)}"


def of_clb(draw, number):
    """A line of a classic load balancer."""
    return f'{instant(number)} front 203.0.{draw.randrange(256)}.{draw.randrange(256)}:{draw.randrange(1024, 65536)} 10.0.0.9:80 0.000 0.{draw.randrange(999):03} 0.000 200 200 0 29 "GET https://www.example.com:443/shop/{draw.randrange(9999)} HTTP/1.1" "{draw.choice(AGENTS)}" - -'


def of_guardduty(draw, number):
    """A finding of GuardDuty."""
    card = {"networkInterfaceId": f"eni-{draw.getrandbits(68):017x}", "privateIpAddress": f"10.0.0.{draw.randrange(256)}", "publicIp": "198.51.100.1", "securityGroups": [{"groupId": "sg-1", "groupName": "web"}], "subnetId": "subnet-1", "vpcId": "vpc-1", "ipv6Addresses": [], "privateIpAddresses": [{"privateDnsName": "x", "privateIpAddress": "10.0.0.1"}]}
    remote = {"ipAddressV4": f"203.0.{draw.randrange(256)}.{draw.randrange(256)}", "organization": {"asn": "64500", "asnOrg": "o", "isp": "i", "org": "o"}, "country": {"countryName": "X"}, "city": {"cityName": "Y"}, "geoLocation": {"lat": 1.5, "lon": 2.5}}
    return {
        "schemaVersion": "2.0", "accountId": "111122223333", "region": "eu-central-1", "partition": "aws", "id": f"{draw.getrandbits(128):032x}", "arn": "arn:aws:guardduty:eu-central-1:111122223333:detector/d/finding/f", "type": "Backdoor:EC2/C&CActivity.B", "severity": draw.choice((2, 5, 8)), "title": "An instance is querying a server.", "description": "d" * 200,
        "createdAt": instant(number), "updatedAt": instant(number), "resource": {"resourceType": "Instance", "instanceDetails": {"instanceId": f"i-{draw.getrandbits(68):017x}", "instanceType": "m5.large", "networkInterfaces": [card], "tags": [{"key": "Name", "value": "web"}], "imageId": "ami-1"}},
        "service": {"serviceName": "guardduty", "detectorId": "d", "resourceRole": "TARGET", "count": 3, "eventFirstSeen": instant(number), "eventLastSeen": instant(number), "archived": False, "action": {"actionType": "NETWORK_CONNECTION", "networkConnectionAction": {"connectionDirection": "OUTBOUND", "blocked": False, "protocol": "TCP", "remoteIpDetails": remote, "remotePortDetails": {"port": 443, "portName": "HTTPS"}, "localPortDetails": {"port": 39677, "portName": "Unknown"}}}},
    }  # fmt: skip


def of_securityhub(draw, number):
    """A finding in Security Hub's format."""
    return {
        "SchemaVersion": "2018-10-08", "Id": f"arn:aws:inspector2:eu-central-1:111122223333:finding/{draw.getrandbits(128):032x}", "ProductArn": "arn:aws:securityhub:eu-central-1::product/aws/inspector", "ProductName": "Inspector", "GeneratorId": "AWSInspector", "AwsAccountId": "111122223333", "Types": ["Software and Configuration Checks/Vulnerabilities/CVE"], "Region": "eu-central-1",
        "FirstObservedAt": instant(number), "LastObservedAt": instant(number), "CreatedAt": instant(number), "UpdatedAt": instant(number), "Title": "CVE-2026-0001 - openssl", "Description": "d" * 300, "Severity": {"Label": draw.choice(("LOW", "HIGH")), "Normalized": 70}, "RecordState": "ACTIVE", "Workflow": {"Status": "NEW"}, "ProductFields": {"aws/inspector/FindingStatus": "ACTIVE", "aws/securityhub/ProductName": "Inspector", "aws/securityhub/CompanyName": "Amazon"},
        "Resources": [{"Type": "AwsEc2Instance", "Id": f"arn:aws:ec2:eu-central-1:111122223333:instance/i-{draw.getrandbits(68):017x}", "Partition": "aws", "Region": "eu-central-1", "Details": {"AwsEc2Instance": {"Type": "m5.large", "IpV4Addresses": [f"10.0.0.{draw.randrange(256)}"], "VpcId": "vpc-1", "NetworkInterfaces": [{"NetworkInterfaceId": f"eni-{draw.getrandbits(68):017x}"}]}}}],
    }  # fmt: skip


def of_ocsf(draw, number):
    """A call, a query or a request in OCSF's form, as Security Lake has them."""
    base = {"time": 1795413600000 + number, "severity_id": 1, "cloud": {"provider": "AWS", "account": {"uid": "111122223333"}, "region": "eu-central-1"}, "activity_id": 1, "activity_name": "x", "category_name": "c", "type_name": "t", "observables": [{"name": "src_endpoint.ip", "type": "IP Address", "type_id": 2, "value": "10.0.0.1"}]}
    meta = lambda name: {"product": {"name": name, "vendor_name": "AWS", "feature": {"name": "f", "uid": "u"}}, "version": "1.1.0", "uid": f"{draw.getrandbits(128):032x}", "profiles": ["cloud"]}  # noqa: E731
    kind = number % 3
    if kind == 0:
        one = record(draw, number)
        who = one["userIdentity"]
        api = {"operation": one["eventName"], "service": {"name": one["eventSource"]}, "request": {"uid": one["requestID"], "data": json.dumps(one["requestParameters"])}, "response": {"error": None}}
        return {**base, "class_uid": 6003, "metadata": meta("CloudTrail"), "api": api, "actor": {"user": {"type": who["type"], "uid": who["arn"], "uid_alt": who["principalId"], "credential_uid": who["accessKeyId"]}, "session": {"issuer": who["sessionContext"]["sessionIssuer"]["arn"], "is_mfa": False}}, "src_endpoint": {"ip": one["sourceIPAddress"]}, "http_request": {"user_agent": one["userAgent"]}, "unmapped": {"readOnly": "true", "recipientAccountId": "111122223333"}}
    if kind == 1:
        one = of_dns(draw, number)
        return {**base, "class_uid": 4003, "metadata": meta("Route 53"), "query": {"hostname": one["query_name"], "type": "A", "class": "IN"}, "rcode": "NoError", "answers": [{"rdata": a["Rdata"], "type": a["Type"], "class": "IN"} for a in one["answers"]], "disposition": "Allowed", "src_endpoint": {"ip": one["srcaddr"], "vpc_uid": one["vpc_id"], "instance_uid": one["srcids"]["instance"]}}
    one = of_waf(draw, number)
    asked = one["httpRequest"]
    return {**base, "class_uid": 4002, "metadata": meta("AWS WAF"), "disposition": "Allowed", "firewall_rule": {"uid": "r"}, "http_request": {"http_method": "GET", "url": {"path": asked["uri"], "hostname": "www.example.com"}, "http_headers": asked["headers"]}, "src_endpoint": {"ip": asked["clientIp"], "location": {"country": "DE"}, "uid": "x"}}


def instant(number):
    return f"2026-11-23T{number // 3600 % 24:02}:{number % 3600 // 60:02}:{number % 60:02}.{number % 1000:03}Z"


OTHERS = {"dns": of_dns, "waf": of_waf, "alb": of_alb, "nlb": of_nlb, "clb": of_clb, "ocsf": of_ocsf, "guardduty": of_guardduty, "securityhub": of_securityhub}


def write_others(folder, source, events):
    """Writes files of another source, gzip -6. Returns bytes of their text."""
    draw, size = random.Random(2), 0
    folder.mkdir()
    for begin in range(0, events, A_FILE):
        rows = [OTHERS[source](draw, number) for number in range(begin, min(begin + A_FILE, events))]
        text = "".join(f"{row if isinstance(row, str) else json.dumps(row, separators=(',', ':'))}\n" for row in rows).encode()
        (folder / f"{begin:08}.log.gz").write_bytes(gzip.compress(text, 6, mtime=0))
        size += len(text)
    return size


def main():
    events = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    asked = sys.argv[2:] or ["cloudtrail", *OTHERS]
    with tempfile.TemporaryDirectory() as name:
        for source in asked:
            if source == "cloudtrail":
                of_trail(pathlib.Path(name, source), events)
                continue
            own = min(events, 25_000)
            size = write_others(pathlib.Path(name, f"{source} files"), source, own)
            many = repeated(sorted(pathlib.Path(name, f"{source} files").iterdir()), pathlib.Path(name, source), events // own)
            print(f"{source}: {size / own:.0f} bytes of text each")
            count, bytes_ = events // own * own, events // own * size
            measured(f"{source}, as Arrow batches", lambda m=many, s=source: batches(read_events(m, s)), count, bytes_)
            measured(f"{source}, as objects", lambda n=name, s=source: len(read_events(pathlib.Path(n, f"{s} files"), s).events()), own, size)


def of_trail(folder, events):
    own = min(events, 100_000)
    times = events // own
    files_in = folder / "files"
    files_in.mkdir(parents=True)
    size = write(files_in, own)
    files = sorted(files_in.iterdir())
    packed = sum(path.stat().st_size for path in files)
    print(f"cloudtrail: {own * times:,} events, {size / own:.0f} bytes of JSON each, {packed / own:.0f} packed")
    many = repeated(files, folder / "all", times)
    measured("rules' kinds as objects", lambda: len(read_events(many, kinds=RARE).events()), own * times, size * times)
    measured("all as Arrow batches", lambda: batches(read_events(many)), own * times, size * times)
    measured("all as objects", lambda: len(read_events(files_in).events()), own, size)


if __name__ == "__main__":
    main()

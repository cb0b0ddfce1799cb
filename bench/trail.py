"""Events of CloudTrail: how many a second are read, of files as AWS delivers them, on one core.

    python bench/trail.py [EVENTS] [FOLDER]

Records are shaped as AWS documents them (1 to 1.5 kB: identities with sessions, requests, answers, TLS), 2,500 a file, gzip -6. Three jobs, the first as `correlate` runs it: the kinds
that rules ask for become objects; counts of the others; all as Arrow batches; all as objects of Python. Prints events and MB of JSON a second of user CPU, and the peak of memory.
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
            "sessionContext": {"sessionIssuer": {"type": "Role", "principalId": f"AROA{draw.getrandbits(64):016X}", "arn": f"arn:aws:iam::{account}:role/{role}", "accountId": account, "userName": role}, "attributes": {"creationDate": f"2026-11-23T{number // 3600 % 24:02}:00:00Z", "mfaAuthenticated": "false"}},
        },
        "eventTime": f"2026-11-23T{number // 3600 % 24:02}:{minute:02}:{second:02}Z", "eventSource": "s3.amazonaws.com", "eventName": name, "awsRegion": "eu-central-1",
        "sourceIPAddress": f"10.{draw.randrange(4)}.{draw.randrange(256)}.{draw.randrange(256)}", "userAgent": draw.choice(AGENTS), "requestParameters": asked, "responseElements": None,
        "additionalEventData": {"SignatureVersion": "SigV4", "CipherSuite": "ECDHE-RSA-AES128-GCM-SHA256", "bytesTransferredIn": 0, "AuthenticationMethod": "AuthHeader", "x-amz-id-2": f"{draw.getrandbits(400):0100x}", "bytesTransferredOut": draw.randrange(10**7)},
        "requestID": f"{draw.getrandbits(64):016X}", "eventID": f"{draw.getrandbits(128):032x}", "readOnly": True,
        "resources": [{"type": "AWS::S3::Object", "ARN": f"arn:aws:s3:::{bucket}/year=2026/month=11"}, {"accountId": account, "type": "AWS::S3::Bucket", "ARN": f"arn:aws:s3:::{bucket}"}],
        "eventType": "AwsApiCall", "managementEvent": False, "recipientAccountId": account, "eventCategory": "Data", "tlsDetails": {"tlsVersion": "TLSv1.2", "cipherSuite": "ECDHE-RSA-AES128-GCM-SHA256", "clientProvidedHostHeader": f"{bucket}.s3.eu-central-1.amazonaws.com"},
    }  # fmt: skip


def write(folder, events, distinct=100_000):
    """Writes the files; beyond `distinct` events, files are links to earlier ones. Returns bytes of JSON."""
    draw, size, made = random.Random(1), 0, []
    for number in range(0, events, 2500):
        path = folder / f"111122223333_CloudTrail_eu-central-1_20261123T{number:08}Z.json.gz"
        if number < distinct:
            text = json.dumps(
                {"Records": [record(draw, n) for n in range(number, min(number + 2500, events))]}, separators=(",", ":")
            ).encode()
            path.write_bytes(gzip.compress(text, 6, mtime=0))
            made.append((path, len(text)))
        else:
            path.symlink_to(made[number // 2500 % len(made)][0])
        size += made[number // 2500 % len(made)][1]
    return size


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


def main():
    events = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(sys.argv[2] if len(sys.argv) > 2 else name)
        folder.mkdir(exist_ok=True)
        size = write(folder, events)
        print(
            f"{events:,} events, {size / events:.0f} bytes of JSON each, {sum(p.stat().st_size for p in folder.iterdir()) / events:.0f} packed"
        )
        measured("rules' kinds as objects", lambda: len(read_events(folder, kinds=RARE).events()), events, size)
        measured("all as Arrow batches", lambda: batches(read_events(folder)), events, size)
        if events <= 1_000_000:
            measured("all as objects", lambda: len(read_events(folder).events()), events, size)


if __name__ == "__main__":
    main()

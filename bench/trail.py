"""Events of CloudTrail: how many a second are read, of files as AWS delivers them, on one core.

    python bench/trail.py [EVENTS]

Records are shaped as AWS documents them (1.5 kB: identities with sessions, requests, answers, TLS), 2,500 a file, gzip -6; 100,000 of them, read again and again. Three jobs: all as
objects of Python; the kinds that rules ask for as objects, the others counted, as `correlate` does; all as Arrow batches. Prints events and MB of JSON a second of CPU, and the peak of
memory so far.
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


def main():
    events = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    own = min(events, 100_000)
    times = events // own
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        size = write(folder, own)
        files = sorted(folder.iterdir())
        packed = sum(path.stat().st_size for path in files)
        print(f"{own * times:,} events, {size / own:.0f} bytes of JSON each, {packed / own:.0f} packed")
        measured("all as objects", lambda: len(read_events(folder).events()), own, size)
        many = repeated(files, folder / "all", times)
        measured(
            "rules' kinds as objects", lambda: len(read_events(many, kinds=RARE).events()), own * times, size * times
        )
        measured("all as Arrow batches", lambda: batches(read_events(many)), own * times, size * times)


if __name__ == "__main__":
    main()

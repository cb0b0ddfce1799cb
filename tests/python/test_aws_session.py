"""How AWS is reached: options, the chain of boto3, errors in words."""

import pytest

import vpcflow as vf
from vpcflow.io.aws import Connection, S3Url

pytest.importorskip("boto3")
CANARY = "wJalrCANARYsecretCANARYkey"


@pytest.fixture
def aws(tmp_path, monkeypatch):
    """No credentials but those of the files that the test writes."""
    for name in (
        "AWS_PROFILE",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_REGION",
        "AWS_DEFAULT_REGION",
        "AWS_ENDPOINT_URL",
        "AWS_ENDPOINT_URL_S3",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    (tmp_path / "config").write_text("[profile audit]\nregion = eu-west-1\n")
    (tmp_path / "credentials").write_text(f"[audit]\naws_access_key_id = AKIDAUDIT\naws_secret_access_key = {CANARY}\n")
    return monkeypatch


def test_a_profile_has_its_region_and_credentials(aws):
    session = Connection.of({"profile": "audit"}).session()
    assert session.region_name == "eu-west-1"
    assert session.get_credentials().access_key == "AKIDAUDIT"
    assert Connection.of({"profile": "audit", "region": "us-west-2"}).session().region_name == "us-west-2"


def test_a_role_is_assumed_with_the_credentials_of_the_profile_when_it_is_needed(aws):
    connection = Connection.of(
        {"profile": "audit", "role_arn": "arn:aws:iam::123456789010:role/r", "external_id": CANARY}
    )
    assert connection.session().region_name == "eu-west-1"
    assert connection.session().get_credentials().method == "assume-role"
    assert CANARY not in repr(connection)


def test_endpoints_of_variables_and_options(aws):
    aws.setenv("AWS_ENDPOINT_URL_S3", "http://minio:9000")
    client = Connection.of({"profile": "audit"}).client("s3")
    assert client.meta.endpoint_url == "http://minio:9000"
    assert client.meta.config.s3["addressing_style"] == "path"
    assert "amazonaws" in Connection.of({"profile": "audit"}).client("sqs").meta.endpoint_url
    assert (
        Connection.of({"profile": "audit", "endpoint_url": "http://other:1"}).client("s3").meta.endpoint_url
        == "http://other:1"
    )


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"profil": "x"}, "no option 'profil'; did you mean 'profile'"),
        ({"requester_pays": "yes"}, "requester_pays is of type str; True or False is needed"),
        ({"region": 1}, "region is of type int; a text is needed"),
        ({"external_id": CANARY}, "give role_arn, too"),
        ("audit", "a mapping is needed"),
    ],
)
def test_wrong_options(options, said):
    with pytest.raises(vf.errors.ArgumentError, match=said) as error:
        Connection.of(options)
    assert CANARY not in str(error.value)


def test_the_region_of_variables(aws):
    aws.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    assert Connection().session().region_name == "eu-central-1"
    aws.setenv("AWS_REGION", "eu-north-1")
    assert Connection().session().region_name == "eu-north-1"
    assert Connection.of({"region": "us-west-2"}).session().region_name == "us-west-2"


def test_errors_are_ours(aws):
    with pytest.raises(vf.SourceError, match="no profile 'adit' in the configuration; did you mean 'audit'"):
        Connection.of({"profile": "adit"}).session()
    with pytest.raises(vf.SourceError, match="no region; set AWS_REGION or give --aws-region"):
        Connection().client("sqs")


@pytest.mark.parametrize(
    ("url", "bucket", "key"),
    [
        ("s3://logs", "logs", ""),
        ("s3://logs/", "logs", ""),
        ("S3://logs/a b/ü#%20.gz", "logs", "a b/ü#%20.gz"),
        (
            "s3://arn:aws:s3:eu-west-1:123456789010:accesspoint/mine/AWSLogs/",
            "arn:aws:s3:eu-west-1:123456789010:accesspoint/mine",
            "AWSLogs/",
        ),
    ],
)
def test_urls(url, bucket, key):
    assert S3Url.of(url) == (bucket, key)


@pytest.mark.parametrize(
    ("url", "said"), [("s3://", "the bucket is missing"), ("s3:///x", "the bucket is missing"), ("s3://a b/x", "'a b'")]
)
def test_wrong_urls(url, said):
    with pytest.raises(vf.SourceError, match=said):
        S3Url.of(url)

"""How AWS is reached: clients of boto3 by profile, role, region and endpoint."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from ..errors import SourceError
from .aws import code_of, message_of

_SESSION_NAME = "vpcflow"  # of an assumed role, as CloudTrail shows it


def client_maker(
    profile: str | None = None, role_arn: str | None = None, external_id: str | None = None, region: str | None = None,
    endpoint_url: str | None = None,
) -> Any:  # fmt: skip
    """Returns a function that makes clients, ``client(service, region)``. What is not given comes from where the aws
    command takes it. Raises :class:`~vpcflow.SourceError` without boto3, and for a profile or role that cannot be."""
    try:
        import boto3
        from botocore.config import Config
    except ImportError as error:
        raise SourceError(f"AWS: {error.name} is not installed; pip install 'vpcflow[aws]'") from None
    config = Config(connect_timeout=10, read_timeout=60, retries={"mode": "standard"}, user_agent_extra="vpcflow")
    with in_words():
        session = boto3.Session(profile_name=profile, region_name=region)
        if role_arn:
            extra = {"ExternalId": external_id} if external_id else {}
            sts = session.client("sts", endpoint_url=endpoint_url, config=config)
            found = sts.assume_role(RoleArn=role_arn, RoleSessionName=_SESSION_NAME, **extra)["Credentials"]
            keys = (found["AccessKeyId"], found["SecretAccessKey"], found["SessionToken"])
            session = boto3.Session(*keys, region_name=region or session.region_name)

    def client(service: str, where: str | None) -> Any:
        return session.client(service, region_name=where, endpoint_url=endpoint_url, config=config)

    return client


@contextlib.contextmanager
def in_words() -> Iterator[None]:
    """Turns errors of AWS and its clients into :class:`~vpcflow.SourceError`, without parameters of calls."""
    try:
        yield
    except Exception as error:
        if not type(error).__module__.startswith(("botocore", "boto3", "urllib3")):
            raise
        kind = type(error).__name__
        if code_of(error):
            told = f"{getattr(error, 'operation_name', 'call')}: {message_of(error)}"
        elif "Credential" in kind:
            told = "no credentials; set AWS_PROFILE or AWS_ACCESS_KEY_ID, or give --profile"
        elif "Region" in kind:
            told = "no region; set AWS_REGION or give --aws-region"
        elif "Connection" in kind or "Timeout" in kind:
            url = str(getattr(error, "kwargs", {}).get("endpoint_url", ""))
            told = f"no connection to {url.split('?')[0].split('@')[-1] or 'the service'}"
        else:
            told = " ".join(str(error).split())[:300]
        raise SourceError(f"AWS: {told}") from None

"""Logs where AWS keeps them: S3, CloudWatch Logs, queues. Needs boto3, ``pip install 'vpcflow[aws]'``, when it is used.

The engine never sees credentials: they stay with boto3, whose chain finds them (variables, profiles, SSO, roles,
containers, instances).
"""

from .session import Connection
from .url import S3Url, is_aws_url

__all__ = ["Connection", "S3Url", "is_aws_url"]


def __dir__() -> list[str]:
    return __all__

"""How AWS is reached: profile, role, region, endpoint; and the clients that come of it."""

from __future__ import annotations

import dataclasses
import functools
import os
from collections.abc import Mapping
from typing import Any

from ..._hints import hint
from ...errors import ArgumentError, SourceError
from .words import in_words

MOST_REQUESTS = 32  # at once
_SESSION_NAME = "vpcflow"  # of an assumed role, as CloudTrail shows it


@dataclasses.dataclass(frozen=True)
class Connection:
    """How AWS is reached. Whatever is not given comes from where boto3 and the AWS command line take it: variables such
    as ``AWS_PROFILE``, ``AWS_REGION`` and ``AWS_ENDPOINT_URL_S3``, ``~/.aws``, containers, instances.

    ``profile``: of the configuration files. ``role_arn``: a role to assume, with ``external_id`` if it asks for one.
    ``region``: of the services; that of a bucket is found. ``endpoint_url``: of another server than AWS's.
    ``no_sign_request``: sends no credentials, for what is public. ``requester_pays``: accepts the costs of requests.

    Holds no secret, and may be pickled. Any thread may use it.
    """

    profile: str | None = None
    role_arn: str | None = None
    external_id: str | None = dataclasses.field(default=None, repr=False)
    region: str | None = None
    endpoint_url: str | None = dataclasses.field(default=None, repr=False)  # may have a password
    no_sign_request: bool = False
    requester_pays: bool = False

    @classmethod
    def of(cls, options: Mapping[str, Any] | Connection | None) -> Connection:
        """Makes a connection of the options of ``scan(aws=...)``.

        >>> Connection.of({"profile": "audit"}).profile
        'audit'
        """
        if isinstance(options, cls):
            return options
        if options is not None and not isinstance(options, Mapping):
            raise ArgumentError(f"aws={type(options).__name__}: a mapping is needed; write aws={{'profile': 'audit'}}")
        kinds = {field.name: bool if field.type == "bool" else str for field in dataclasses.fields(cls)}
        for name, value in (options or {}).items():
            if name not in kinds:
                raise ArgumentError(f"aws: no option {name!r}; {hint(name, list(kinds))}")
            if value is not None and not isinstance(value, kinds[name]):
                needed = "True or False" if kinds[name] is bool else "a text"
                raise ArgumentError(f"aws: {name} is of type {type(value).__name__}; {needed} is needed")
        made = cls(**{name: value for name, value in (options or {}).items() if value is not None})
        if made.external_id is not None and made.role_arn is None:
            raise ArgumentError("aws: external_id belongs to a role; give role_arn, too")
        return made

    def session(self) -> Any:
        """Returns the ``boto3.Session``, the same one as long as nothing changes that it was made of."""
        boto3_of()
        return _session_of(self, _surroundings())

    def client(self, service: str, region: str | None = None, *, attempts: int = 5) -> Any:
        """Returns a client of a service, the same one as long as nothing changes that it was made of: to make one takes
        a tenth of a second. ``region``: instead of that of the connection. ``attempts``: how often a request is sent
        until it is answered."""
        boto3_of()
        return _client_of(self, service, region, attempts, _surroundings())

    def _new_session(self) -> Any:
        with in_words("AWS"):
            # The AWS command line and other SDKs read AWS_REGION; boto3 reads AWS_DEFAULT_REGION alone.
            region = self.region or os.environ.get("AWS_REGION") or None
            return _session(self.profile, self.role_arn, self.external_id, region)

    def _new_client(self, service: str, region: str | None, attempts: int) -> Any:
        import botocore
        from botocore.config import Config

        own: dict[str, Any] = {}
        if self.no_sign_request:
            own["signature_version"] = botocore.UNSIGNED
        config = Config(
            connect_timeout=10, read_timeout=60, max_pool_connections=MOST_REQUESTS,
            retries={"mode": "standard", "total_max_attempts": attempts}, user_agent_extra="vpcflow", **own,
        )  # fmt: skip
        session = self.session()
        with in_words(f"AWS {service}"):
            client = session.client(service, region_name=region, endpoint_url=self.endpoint_url, config=config)
            if service != "s3" or _is_amazons(client.meta.endpoint_url):
                return client
            # Servers of others are rarely reached by a name for each bucket.
            addressed = config.merge(Config(s3={"addressing_style": "path"}))
            return session.client(service, region_name=region, endpoint_url=self.endpoint_url, config=addressed)


DEFAULT = Connection()


def _surroundings() -> tuple[object, ...]:
    """Returns what sessions and clients are made of beside their arguments: the process, as a child must not share its
    parent's connections; variables; files."""
    own = tuple(sorted((n, v) for n, v in os.environ.items() if n.startswith("AWS_") or n.lower().endswith("_proxy")))
    names = (("AWS_CONFIG_FILE", "config"), ("AWS_SHARED_CREDENTIALS_FILE", "credentials"))
    files = tuple(_changed(os.environ.get(name) or f"~/.aws/{file}") for name, file in names)
    return (os.getpid(), own, files)


def _changed(path: str) -> tuple[str, int | None]:
    name = os.path.expanduser(path)
    try:
        return name, os.stat(name).st_mtime_ns
    except OSError:
        return name, None


@functools.lru_cache(maxsize=16)
def _session_of(connection: Connection, surroundings: object) -> Any:
    return connection._new_session()


@functools.lru_cache(maxsize=32)
def _client_of(connection: Connection, service: str, region: str | None, attempts: int, surroundings: object) -> Any:
    return connection._new_client(service, region, attempts)


def boto3_of() -> Any:
    """Returns boto3, or says how to get it."""
    try:
        import boto3
    except ImportError as error:
        raise SourceError(f"AWS: {error.name} is not installed; pip install 'vpcflow[aws]'") from None
    return boto3


def _is_amazons(endpoint: str) -> bool:
    host = endpoint.split("://")[-1].split("/")[0].split(":")[0]
    return host.endswith((".amazonaws.com", ".amazonaws.com.cn", ".api.aws"))


def _session(profile: str | None, role_arn: str | None, external_id: str | None, region: str | None) -> Any:
    boto3 = boto3_of()
    base = boto3.Session(profile_name=profile, region_name=region)
    if role_arn is None:
        return base
    import botocore.session
    from botocore.credentials import AssumeRoleCredentialFetcher, DeferredRefreshableCredentials

    source = base.get_credentials()
    if source is None:
        raise SourceError(f"AWS: no credentials to assume {role_arn} with; set AWS_PROFILE or give --profile")
    extra = {"RoleSessionName": _SESSION_NAME, **({} if external_id is None else {"ExternalId": external_id})}
    fetcher = AssumeRoleCredentialFetcher(base._session.create_client, source, role_arn, extra_args=extra)
    core = botocore.session.Session(profile=profile)
    core._credentials = DeferredRefreshableCredentials(fetcher.fetch_credentials, "assume-role")
    return boto3.Session(botocore_session=core, region_name=region or base.region_name)

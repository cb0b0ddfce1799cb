"""Opens sinks by their URLs."""

from __future__ import annotations

import dataclasses
import functools
import importlib
import pkgutil
import urllib.parse
from collections.abc import Sequence
from typing import Any, cast

from .._display import printable
from .._hints import hint
from ..alerts.addresses import RefusedError
from ..alerts.opening import kept_elsewhere
from ..errors import RuleError
from ..io.aws import Connection
from . import kinds
from .sink import Sink


@dataclasses.dataclass(frozen=True)
class Place:
    """Where a sink is: its URL in parts, and how it is reached. ``auth``: a secret, never shown."""

    scheme: str
    url: str
    rest: str  # behind the scheme, without options
    options: dict[str, str]
    schema: str
    auth: str | None = dataclasses.field(default=None, repr=False)
    allow_hosts: tuple[str, ...] = ()
    aws: Connection = dataclasses.field(default_factory=Connection)
    unit: str | None = None

    def option(self, name: str, default: str | None = None) -> str | None:
        """Returns an option of the URL."""
        return self.options.get(name, default)

    @property
    def path(self) -> str:
        """What follows the host."""
        return urllib.parse.unquote(urllib.parse.urlsplit(self.url).path.strip("/"))


def schemes() -> list[str]:
    """Returns the schemes of all sinks.

    >>> from vpcflow.sinks.opening import schemes
    >>> "opensearch+http" in schemes()
    True
    """
    return sorted(_by_scheme())


def open_sink(
    url: str, schema: str, *, auth: str | None = None, allow_hosts: Sequence[str] = (), aws: Any = None,
    unit: str | None = None,
) -> Sink:  # fmt: skip
    """Opens the sink of a URL for events of a schema, without calling anything.

    ``url``: as the table of the guide has them, or ``env:NAME``, whose value is the URL. ``auth``: ``env:NAME`` or
    ``file:PATH``, where the secret is. ``allow_hosts``: hosts whose address is not checked. ``aws``: how AWS is
    reached, as ``scan(aws=...)`` has it. ``unit``: what the events are of; sessions and findings may grow, and where a
    sink can, the last event of an id replaces the others. Raises :class:`~vpcflow.RuleError` for a URL of no sink.

    >>> from vpcflow import sinks
    >>> sinks.open_sink("opensearch+http://127.0.0.1:9200/flows", "ecs").label
    'opensearch+http://127.0.0.1:9200/flows'
    """
    if url.startswith("env:"):
        url = kept_elsewhere(url, "sink")
    scheme, colon, rest = url.partition(":")
    module = _by_scheme().get(scheme.lower())
    if module is None and colon and unit == "findings":
        try:  # Apprise may know it
            return cast(
                "Sink", _alerts().open_sink(Place(scheme, url, rest, {}, schema, None, tuple(allow_hosts), unit=unit))
            )
        except RuleError as e:
            raise RuleError(f"{e}; {hint(scheme[:40].lower(), [*schemes(), 'env'])}") from None
    if not colon:
        raise RuleError(
            f"sink: no scheme in {printable(url[:80])!r}; a file is file:PATH, an index opensearch+https://..."
        )
    if module is None:
        raise RuleError(f"sink: no scheme {scheme[:40]!r}; {hint(scheme[:40].lower(), [*schemes(), 'env'])}")
    rest, _, query = rest.partition("?")
    try:
        for host in urllib.parse.urlsplit(url).netloc.split(","):  # brokers of Kafka are several
            urllib.parse.urlsplit(f"//{host}").port  # noqa: B018 - it raises for what is no port
        is_strict = module.OPTIONS is not None
        pairs = urllib.parse.parse_qsl(query, strict_parsing=is_strict, keep_blank_values=True) if query else []
    except ValueError:
        raise RuleError("sink: invalid URL") from None
    for name, _ in pairs if is_strict else ():
        if name not in module.OPTIONS:
            known = hint(name, list(module.OPTIONS)) if module.OPTIONS else "it has none"
            raise RuleError(f"sink {scheme}: no option {name!r} of the URL; {known}")
    secret = None
    if auth is not None:
        if not auth.startswith(("env:", "file:")):
            raise RuleError("auth: expected env:NAME or file:PATH, as others see the arguments of a process")
        secret = kept_elsewhere(auth, "auth")
    reached = Connection.of(aws)
    place = Place(
        scheme.lower(), url, rest.removeprefix("//"), dict(pairs), schema, secret, tuple(allow_hosts), reached, unit
    )
    try:
        opened: Sink = module.open_sink(place)
    except RefusedError as e:
        raise RuleError(f"sink {e}") from None
    return opened


def takes_alerts(url: str, unit: str | None = None) -> bool:
    """Tells whether a URL is that of a channel of alerts, which takes findings alone. ``unit``: what is sent; findings
    may go to whatever Apprise knows.

    >>> takes_alerts("alertmanager+http://127.0.0.1"), takes_alerts("file:x"), takes_alerts("mailto://x", "findings")
    (True, False, True)
    """
    module = _by_scheme().get(url.partition(":")[0].lower())
    return module is _alerts() if module is not None else unit == "findings"


def _alerts() -> Any:
    return importlib.import_module(f"{kinds.__name__}.alerts")


@functools.cache
def _by_scheme() -> dict[str, Any]:
    names = sorted(m.name for m in pkgutil.iter_modules(kinds.__path__) if not m.name.startswith("_"))
    modules = [importlib.import_module(f"{kinds.__name__}.{name}") for name in names]
    return {scheme: module for module in modules for scheme in module.SCHEMES}

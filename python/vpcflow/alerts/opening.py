"""Opens channels by their URLs."""

from __future__ import annotations

import importlib
import os
import pkgutil
import urllib.parse
from typing import Any

from .._hints import nearest
from ..errors import RuleError
from . import channels
from .addresses import RefusedError
from .alert import Channel

_LONGEST_URL = 65536


def channel(url: str, *, allow_hosts: tuple[str, ...] = ()) -> Channel:
    """Opens a channel by its URL. ``allow_hosts``: hosts of webhooks that may be private and plain ``http``.
    Raises :class:`~vpcflow.RuleError` for a URL of no channel.

    >>> from vpcflow import alerts
    >>> alerts.channel("https://user:secret@hooks.example/T0?token=1").label
    'https://hooks.example'
    """
    if url.startswith(("env:", "file:")):
        named, url = url, kept_elsewhere(url)
        if url.startswith(("env:", "file:")):
            raise RuleError(f"channel {named}: expected a URL in it, not the name of another place")
    by_scheme = _by_scheme()
    if url.startswith("jsonl:"):  # followed by a path
        return _opened(by_scheme["jsonl"], url, allow_hosts)
    try:
        parts = urllib.parse.urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise RuleError("channel: invalid URL") from None
    if not parts.scheme or not host:
        hint = _near_scheme(url.partition(":")[0])
        expected = "a URL such as jsonl:alerts.jsonl, https://..., syslog://HOST, or env:NAME"
        raise RuleError(f"channel: expected {expected}{hint}")
    if parts.scheme in by_scheme:
        return _opened(by_scheme[parts.scheme], url, allow_hosts)
    try:
        return _opened(by_scheme[""], url, allow_hosts)
    except RuleError as error:
        raise RuleError(f"{error}{_near_scheme(parts.scheme)}") from None


def schemes() -> list[str]:
    """Returns the schemes of channels, but those of Apprise.

    >>> from vpcflow.alerts.opening import schemes
    >>> "alertmanager+http" in schemes()
    True
    """
    return sorted(scheme for scheme in _by_scheme() if scheme)


def _by_scheme() -> dict[str, Any]:
    """Returns the modules of channels by scheme; that without a scheme of its own, which takes all others, as ""."""
    names = sorted(m.name for m in pkgutil.iter_modules(channels.__path__) if not m.name.startswith("_"))
    modules = [importlib.import_module(f"{channels.__name__}.{name}") for name in names]
    return {scheme: module for module in modules for scheme in module.SCHEMES or ("",)}


def _opened(module: Any, url: str, allow_hosts: tuple[str, ...]) -> Channel:
    opened: Channel = module.open_channel(url, allow_hosts)
    return opened


def kept_elsewhere(place: str, what: str = "channel") -> str:
    """Returns the line that ``env:NAME`` or ``file:PATH`` hold. ``what`` it is for, as errors say. Raises
    :class:`~vpcflow.RuleError` for nothing, and for more than a line."""
    value = _kept(place, what)
    if not value:
        lacks = "the variable is not set" if place.startswith("env:") else "the file is empty"
        raise RuleError(f"{what} {place}: {lacks}")
    if any(ord(letter) < 32 or ord(letter) == 127 for letter in value):
        raise RuleError(f"{what} {place}: more than a line; expected one line of text")
    return value


def _kept(place: str, what: str) -> str:
    kind, _, name = place.partition(":")
    if kind == "env":
        return os.environ.get(name, "").strip()
    try:
        with open(name, encoding="utf-8") as file:
            return file.read(_LONGEST_URL).strip()
    except OSError as e:
        raise RuleError(f"{what} {place}: {e.strerror}") from None
    except ValueError:
        raise RuleError(f"{what} {place}: not a text file") from None


def _near_scheme(scheme: str) -> str:
    known = [*(name for name in _by_scheme() if name), "env", "file"]
    near = nearest(scheme.lower(), known, least=0.75)
    return f"; did you mean {near!r}?" if near is not None and near != scheme else ""


def check(one: Channel) -> None:
    """Asks a channel whether it could deliver. :class:`~vpcflow.RuleError` for what it will never do, such as to write
    into a folder or to post to a private address; :class:`~vpcflow.NotifyError` for what may be otherwise later, such
    as a name that is not resolved."""
    own = getattr(one, "check", None)
    if own is None:
        return
    try:
        own()
    except RefusedError as error:
        raise RuleError(f"channel {error}") from None

"""The channels: each module of this folder without ``_`` is a kind of them.

It has ``SCHEMES``, those of its URLs (empty: all that no other module has), and ``open_channel(url, allow_hosts)``,
which returns a :class:`~vpcflow.alerts.Channel` or raises :class:`~vpcflow.RuleError`.
"""

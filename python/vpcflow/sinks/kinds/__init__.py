"""The sinks: each module of this folder without ``_`` is a kind of them.

It has ``SCHEMES``, those of its URLs, ``OPTIONS``, the names behind ``?``, and ``open_sink(place)``, which returns a
:class:`~vpcflow.sinks.Sink` or raises :class:`~vpcflow.RuleError`.
"""

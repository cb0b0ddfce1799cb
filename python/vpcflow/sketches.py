"""Sketches on their own: distinct counts, quantiles and heavy hitters of whole numbers, in bounded memory.

Each has ``update(numbers)``, with an iterable or a buffer of 64-bit numbers (``array.array("Q")``, numpy),
``merge(other)``, ``to_bytes()`` and ``from_bytes(data)``, safe with any bytes (:class:`~vpcflow.StateError`). Their
errors, and the papers: the headers in ``include/vpcflow/sketch``; measured: ``docs/explanation/sketches.md``.
Any number of threads may use one sketch at once; each number is taken whole.
In queries use :func:`vpcflow.approx_n_unique` and :func:`vpcflow.approx_quantile`.

>>> from vpcflow import sketches
>>> peers = sketches.DistinctSketch()
>>> peers.update(range(100)); peers.update(range(50, 150)); peers.estimate()
150
>>> sizes = sketches.LogHistogram()
>>> sizes.update([40, 52, 1500]); sizes.quantile(0.5)
52
>>> talkers = sketches.HeavyHitters(counters=10)
>>> talkers.update([7, 7, 8]); talkers.top(1)  # key, total at least, total at most
[(7, 2, 2)]
"""

from ._core import DistinctSketch, HeavyHitters, KllSketch, LogHistogram

__all__ = ["DistinctSketch", "HeavyHitters", "KllSketch", "LogHistogram"]

"""Aggregation on a Dask cluster. Needs ``dask``, and ``distributed`` for one of several machines.

The workers must see the files under the same paths.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from ..query.aggregation import Aggregation
from ..typing import Input, ScanKeywords
from .processes import aggregate_part, empty_question, merge_parts, paths_of, tasks_of

if TYPE_CHECKING:
    from typing_extensions import Unpack


def aggregate(
    data: Input, question: Aggregation, *, partitions: int = 16, **options: Unpack[ScanKeywords]
) -> Aggregation:
    """Aggregates files with Dask's current scheduler: the same bytes as ``question.update(data)``.

    ``partitions``: how many tasks; ``options``: of :func:`vpcflow.scan`. Errors as of
    :meth:`vpcflow.Aggregation.update`.
    """
    dask: Any = importlib.import_module("dask")
    numbered, extra = paths_of(data, options)
    own: ScanKeywords = {"threads": 1, **options}
    part = dask.delayed(aggregate_part, pure=False)
    parts = [part(empty_question(question), task, own) for task in tasks_of(numbered, partitions)]
    return merge_parts(question, dask.compute(*parts), extra, options)

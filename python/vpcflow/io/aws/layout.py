"""What the names of folders tell: which of them can hold what is asked for, and which need no listing of their own."""

from __future__ import annotations

import calendar
import re
from collections.abc import Sequence
from typing import NamedTuple

from ... import _core

_DAY = 86400
# YYYY/ and YYYY/MM/ at the end of a prefix; days and hours are the engine's.
_DATED = re.compile(r"(?:^|/)(20[0-9]{2})/(?:(0[1-9]|1[0-2])/)?$")
_ACCOUNT = re.compile(r"(?:^|/)AWSLogs/(?:o-[0-9a-z]+/)?([0-9]{12})/$")
# How far the starts of records may lie outside of what folders say, whoever names them.
EARLIER, LATER = 2 * _DAY, _DAY


def flow_log_of(key: str) -> str | None:
    """Returns the id of the flow log that an object is of, ``None`` if its name does not tell.

    >>> flow_log_of("123456789010_vpcflowlogs_us-east-1_fl-1_20261123T0605Z_0.log.gz")
    'fl-1'
    """
    found: str | None = _core.Source.data(key, b"").object_path["flow_log_id"]
    return found


class Selection(NamedTuple):
    """Which objects are asked for: of records that start in [start, end), Unix seconds; of accounts and regions; of
    flow logs, by their ids."""

    start: int | None = None
    end: int | None = None
    accounts: Sequence[str] = ()
    regions: Sequence[str] = ()
    flow_logs: Sequence[str] = ()

    def __bool__(self) -> bool:
        return self.by_folder or bool(self.flow_logs)

    @property
    def by_folder(self) -> bool:
        """Whether names of folders tell whether something below them is asked for."""
        return self.start is not None or self.end is not None or bool(self.accounts or self.regions)

    def holding(self, keys: Sequence[str]) -> list[bool]:
        """Tells of each key whether its object may hold something of the selection."""
        held = _core.may_hold(list(keys), self.start, self.end, list(self.accounts), list(self.regions))
        if not self.flow_logs:
            return held
        return [holds and flow_log_of(key) in (None, *self.flow_logs) for key, holds in zip(keys, held)]

    def folder_may_hold(self, folder: str) -> bool:
        """Tells whether an object below a folder, whose prefix ends with a slash, may.

        >>> Selection(start=1795392000).folder_may_hold("AWSLogs/123456789010/vpcflowlogs/us-east-1/2025/")
        False
        """
        account = _ACCOUNT.search(folder)
        if account and self.accounts and account[1] not in self.accounts:
            return False
        if not self.holding([folder + "x"])[0]:
            return False
        dated = _DATED.search(folder)
        if dated is None:
            return True
        year, month = int(dated[1]), int(dated[2] or 1)
        begin = calendar.timegm((year, month, 1, 0, 0, 0))
        months = 1 if dated[2] else 12
        after = year * 12 + month - 1 + months
        end = calendar.timegm((after // 12, after % 12 + 1, 1, 0, 0, 0))
        return not self._outside(begin, end)

    def _outside(self, begin: int, end: int) -> bool:
        early = self.end is not None and begin - EARLIER >= self.end
        return early or (self.start is not None and end + LATER <= self.start)

    def settled_by(self, folder: str) -> bool:
        """Tells whether nothing below a folder has to be decided by its names: an hour, or a day that is wanted as a
        whole."""
        path = _core.Source.data(folder + "x", b"").object_path
        begin, end = path["begin"], path["end"]
        if begin is None or end is None:
            return False
        if end - begin <= 3600:
            return True
        early = self.start is None or self.start <= begin - EARLIER
        return end - begin <= _DAY and early and (self.end is None or self.end >= end + LATER)


NOTHING_CHOSEN = Selection()

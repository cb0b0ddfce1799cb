"""AWS Config's items in a watch: read again when their files change."""

from __future__ import annotations

import os
import time
from typing import Callable

from ..correlate.config import Items, read_config
from ..correlate.documents import files_of
from ..errors import VpcflowError


class FollowedConfig:
    """The items of a file or folder, as they are now. Files that changed are read when all have been as they are for
    ``settle`` seconds. ``log`` gets a line if they cannot be read; what was read before then counts on."""

    def __init__(self, place: str | os.PathLike[str], settle: float, log: Callable[[str], None]) -> None:
        self._place, self._settle, self._log = place, settle, log
        self._files = self._listed()
        #: What the files say. Of an empty place :class:`~vpcflow.NoRecordsError` is raised.
        self.items: Items = read_config(place)

    def look(self) -> bool:
        """Reads the files if they changed. Returns whether they did."""
        try:
            files = self._listed()
            if files == self._files or any(0 <= time.time() - at / 1e9 < self._settle for _, at in files.values()):
                return False
            self._files = files
            self.items = read_config(self._place)
        except (VpcflowError, OSError) as error:
            self._log(f"{os.fspath(self._place)}: what it said before counts on: {str(error).splitlines()[0]}")
            return False
        return True

    def _listed(self) -> dict[str, tuple[int, int]]:
        out = {}
        for path in files_of(self._place):
            info = path.stat()
            out[str(path)] = (info.st_size, info.st_mtime_ns)
        return out

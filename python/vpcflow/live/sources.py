"""Where readings come from: the state of a watch, or logs; and whether there is something new to read."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import Callable, Protocol

from ..errors import VpcflowError
from ..query.flows import Flows
from ..serve.board import Figures
from ..typing import Progress
from .reading import Reading, fingerprint, of_logs
from .state import looks_of, read_state


class Source(Protocol):
    """Something that can be read again and again. ``flows``: makes the logs in which addresses are traced; ``None`` if
    there are none. ``logs``: how a command line names them; ``command``: the one that shows the source."""

    flows: Callable[[], Flows] | None
    logs: str
    command: str

    def read(self, span: int | None, progress: Progress | None = None) -> Reading:
        """Reads what is there now, of a state the last ``span`` seconds. Raises :class:`~vpcflow.VpcflowError`, and
        what ``progress`` raises."""
        ...

    def is_new(self) -> bool:
        """Tells whether there is more than the last :meth:`read` had, at little cost."""
        ...


class StateSource:
    """The state of a watch, which may be running."""

    def __init__(self, path: str, flows: Callable[[], Flows] | None = None, logs: str = "logs/") -> None:
        self.path, self.flows, self.logs = path, flows, logs
        self.command = shlex.join(["vpcflow", "live", "--state", path])
        self._looks: int | None = None

    def read(self, span: int | None, progress: Progress | None = None) -> Reading:
        made = read_state(self.path, span)
        self._looks = made.looks
        return made

    def is_new(self) -> bool:
        try:
            return looks_of(self.path) != self._looks
        except VpcflowError:
            return True  # which the next reading tells


class LogSource:
    """Logs, which are read again, whole, when files of them are new or changed. ``gather``: makes their figures."""

    def __init__(
        self, paths: Sequence[str], flows: Callable[[], Flows], gather: Callable[[Flows, Progress | None], Figures],
        logs: str,
    ) -> None:  # fmt: skip
        self.flows: Callable[[], Flows] | None = flows
        self.logs, self.command = logs, f"vpcflow live {logs}"
        self._make, self._paths, self._gather = flows, list(paths), gather
        self._seen: object = None
        self._reading: Reading | None = None

    def read(self, span: int | None, progress: Progress | None = None) -> Reading:
        seen = fingerprint(self._paths)
        if self._reading is None or seen is None or seen != self._seen:
            made = of_logs(self.logs, self._gather(self._make(), progress))
            self._reading, self._seen = made, seen
        return self._reading

    def is_new(self) -> bool:
        seen = fingerprint(self._paths)
        return seen is not None and seen != self._seen

"""A view as a file: what the key ``w`` of the screen writes."""

from __future__ import annotations

import datetime
import os
import shlex

from .._display import printable
from ..errors import OutputError
from ..io.writing import cannot_write
from .picture import picture
from .view import View

_MOST = 1000  # views of one moment
_WIDTH = 100


def save(made: View, command: str, *, span: int | None, rows: int) -> str:
    """Writes a view as text to a new file in the folder where the program runs, with the command that shows its like,
    and returns the file's name, which has the end of the time shown. ``command``: what reads the same source. Raises
    :class:`~vpcflow.OutputError`."""
    options = ["--once", "--span", "all" if span is None else f"{span}s", "-n", str(rows)]
    options += ["--where", made.where] if made.where else []
    text = f"{picture(made, _WIDTH)}\n{printable(f'{command} {shlex.join(options)}')}\n"
    moment = datetime.datetime.fromtimestamp(made.end or 0, datetime.timezone.utc)
    for number in range(1, _MOST + 1):
        name = f"vpcflow-live-{moment:%Y%m%dT%H%M%SZ}{f'-{number}' if number > 1 else ''}.txt"
        try:
            with open(name, "x", encoding="utf-8", errors="backslashreplace") as out:
                out.write(text)
        except FileExistsError:
            continue
        except OSError as error:
            raise cannot_write(name, error) from None
        return os.path.abspath(name)
    raise OutputError(f"{name}: there are {_MOST:,} views of that time already")

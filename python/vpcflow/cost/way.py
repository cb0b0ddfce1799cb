"""What the classifier of paths says of a record, and the name of the column in which it does."""

from __future__ import annotations

import dataclasses
import urllib.parse

PATH = "path_class"


def owner_text(name: str) -> str:
    """Returns an owner as the classifier carries it: a tag may hold what parts the text."""
    return urllib.parse.quote(name, safe="")


@dataclasses.dataclass(frozen=True)
class Way:
    """What the classifier says of a record."""

    kind: str
    #: Of the outside leg of a NAT gateway: the class that it is priced as; else the class itself.
    priced_as: str
    sides: int
    region: str
    to: str
    owner: str
    owner_is_local: bool
    why: str

    @classmethod
    def of(cls, text: str) -> Way:
        kind, onward, sides, region, to, owner, whose, why = text.split("|", 7)
        return cls(kind, onward or kind, int(sides), region, to, urllib.parse.unquote(owner), whose == "local", why)

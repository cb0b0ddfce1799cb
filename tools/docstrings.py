"""Docstrings for the site: an extension of griffe that turns reStructuredText's roles and doctests into Markdown."""

from __future__ import annotations

import re
from typing import Any

import griffe

ROLE = re.compile(r":(?:class|func|attr|meth|mod|data|exc|obj):`~?([^`]+)`")
DOCTEST = re.compile(r"^([ \t]*)>>> .*(?:\n(?![ \t]*$).*)*", re.M)


def markdown(text: str) -> str:
    """A docstring as Markdown."""
    text = ROLE.sub(lambda match: f"`{match[1].removeprefix('vpcflow.')}`", text).replace("``", "`")
    return DOCTEST.sub(lambda match: f"{match[1]}```pycon\n{match[0]}\n{match[1]}```\n", text)


class Docstrings(griffe.Extension):
    """Rewrites every docstring of the package."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        if obj.docstring is not None:
            obj.docstring.value = markdown(obj.docstring.value)

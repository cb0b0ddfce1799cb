"""What receivers need before events come: templates, policies, tables. Made from the mapping table; calls nothing."""

from .files import TARGETS, files

__all__ = ["TARGETS", "files"]

"""Reading of attributes by name, for code that knows a class as a dictionary."""

from __future__ import annotations

from typing import Any


class Keyed:
    """A dataclass that can be read as a dictionary of its members: ``field["name"]``, ``dict(field)``."""

    def keys(self) -> list[str]:
        """Returns the names of the members."""
        return list(self.__dataclass_fields__)  # type: ignore[attr-defined]

    def __getitem__(self, name: str) -> Any:
        if name not in self:
            raise KeyError(name)
        return getattr(self, name)

    def __contains__(self, name: object) -> bool:
        return name in self.keys()

    def as_dict(self) -> dict[str, Any]:
        """Returns all of it as plain values."""
        return {name: self[name] for name in self.keys()}

"""JSON that is too large to hold: its members one by one, in memory of one member."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import IO, Any

from ..errors import PriceError

_CHUNK = 1 << 20
_BLANK = " \t\r\n"


class JsonReader:
    """Walks over the objects of a JSON text that comes in chunks."""

    def __init__(self, file: IO[str], name: str) -> None:
        self._file, self._name = file, name
        self._text, self._at, self._before = "", 0, 0
        self._ended = False
        self._decoder = json.JSONDecoder(parse_float=Decimal)

    def members(self) -> Iterator[str]:
        """Yields the names of the members of an object that begins here. Of each, the caller takes the value before the
        next one: by :meth:`value`, or by this method again."""
        self._expect("{")
        if self._peek() == "}":
            self._expect("}")
            return
        while True:
            self._peek()
            name = self._decode()
            if not isinstance(name, str):
                raise self._wrong("a member without a name")
            self._expect(":")
            yield name
            if self._peek() == "}":
                self._expect("}")
                return
            self._expect(",")

    def is_object(self) -> bool:
        """Tells whether an object begins here."""
        return self._peek() == "{"

    def value(self) -> Any:
        """Returns the value that begins here."""
        self._peek()
        return self._decode()

    def _decode(self) -> Any:
        while True:
            try:
                value, end = self._decoder.raw_decode(self._text, self._at)
            except (ValueError, RecursionError) as error:
                if self._ended or isinstance(error, RecursionError):
                    raise self._wrong("invalid JSON") from None
                self._more()
                continue
            # A number that ends with the chunk may go on in the next one.
            if end == len(self._text) and not self._ended and self._text[self._at] not in '{["':
                self._more()
                continue
            self._at = end
            return value

    def _peek(self) -> str:
        while True:
            while self._at < len(self._text):
                if self._text[self._at] not in _BLANK:
                    return self._text[self._at]
                self._at += 1
            if self._ended:
                raise self._wrong("it ends in the middle")
            self._more()

    def _expect(self, wanted: str) -> None:
        if self._peek() != wanted:
            raise self._wrong(f"expected {wanted!r}")
        self._at += 1

    def _more(self) -> None:
        chunk = self._file.read(max(_CHUNK, len(self._text) - self._at))
        self._ended = not chunk
        self._before += self._at
        self._text, self._at = self._text[self._at :] + chunk, 0

    def _wrong(self, what: str) -> PriceError:
        return PriceError(f"{self._name}: invalid JSON: {what}, at character {self._before + self._at:,}")

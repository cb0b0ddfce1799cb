"""Security Hub, by BatchImportFindings."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from ...errors import RuleError
from ..opening import Place
from ..sink import Limits, Piece, Receipt
from ._aws import ATTEMPTS, INTERNAL, in_receipts

SCHEMES = ("securityhub",)
OPTIONS = ()


def open_sink(place: Place) -> SecurityHub:
    """Makes the sink of ``securityhub:``, that of the account and region by which AWS is reached."""
    if place.rest:
        raise RuleError("sink securityhub: expected securityhub: and no more; --aws-region and --profile say where")
    if place.schema != "asff":
        raise RuleError(f"sink securityhub: schema {place.schema!r}; expected asff, with --unit findings")
    return SecurityHub(place)


class SecurityHub:
    """The findings of an account. One of the same id is updated."""

    takes_ids = True
    limits = Limits(bytes=6_000_000, items=100, each=240_000)

    def __init__(self, place: Place) -> None:
        self._aws, self.label = place.aws, "securityhub:"

    def encode(self, identity: str, line: bytes) -> bytes:
        """Returns the finding."""
        return line

    def send(self, pieces: Sequence[Piece]) -> Receipt:
        """Imports findings; the answer names those that failed."""
        findings = [json.loads(piece.line) for piece in pieces]
        with in_receipts(self.label):
            client: Any = self._aws.client("securityhub", attempts=ATTEMPTS)
            answer = client.batch_import_findings(Findings=findings)
        failed = {one["Id"]: one for one in answer.get("FailedFindings", [])}
        retry: list[int] = []
        dead: list[tuple[int, str]] = []
        for i, finding in enumerate(findings):
            one = failed.get(finding["Id"])
            if one is None:
                continue
            if one.get("ErrorCode") in INTERNAL or "Throttl" in one.get("ErrorCode", ""):
                retry.append(i)
            else:
                dead.append((i, f"{one.get('ErrorCode')}: {one.get('ErrorMessage')}"))
        return Receipt(retry, dead)

    def close(self) -> None:
        """Does nothing: clients are shared."""

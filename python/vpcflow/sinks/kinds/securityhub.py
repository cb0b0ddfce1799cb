"""Security Hub, by BatchImportFindings."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from ...errors import RuleError
from ..opening import Place
from ..sink import BusyError, Limits, Piece, Receipt
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
        self._owner: dict[str, str] = {}

    def encode(self, identity: str, line: bytes) -> bytes:
        """Returns the finding."""
        return line

    def send(self, pieces: Sequence[Piece]) -> Receipt:
        """Imports findings, as those of the account that is reached; the answer names those that failed."""
        with in_receipts(self.label, "securityhub:BatchImportFindings"):
            client: Any = self._aws.client("securityhub", attempts=ATTEMPTS)
            self._owner = self._owner or self._caller(client)
            findings = [{**json.loads(piece.line), **self._owner} for piece in pieces]
            answer = client.batch_import_findings(Findings=findings)
        failed = {one.get("Id"): one for one in answer.get("FailedFindings", [])}
        if answer.get("FailedCount", 0) != len(failed):
            raise BusyError(f"{self.label}: the answer does not say which findings failed")
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

    def _caller(self, client: Any) -> dict[str, str]:
        """Returns the members by which Security Hub knows whose finding it is; it refuses those of others."""
        account = self._aws.client("sts", attempts=ATTEMPTS).get_caller_identity()["Account"]
        place = f"arn:{client.meta.partition}:securityhub:{client.meta.region_name}:{account}"
        return {"AwsAccountId": account, "ProductArn": f"{place}:product/{account}/default"}

    def close(self) -> None:
        """Does nothing: clients are shared."""

"""A proposal: narrower rules for security groups, with what they keep, what they would break, and how sure that is."""

from __future__ import annotations

import dataclasses
import json
import os
from pathlib import Path
from typing import Any

from ..errors import PlanError, SourceError, SourceNotFoundError
from ..io.writing import write_whole
from . import forms
from .rules import Rule, rule_of_item, rules_of_group

SCHEMA_VERSION = 1  # docs/reference/schemas.md


@dataclasses.dataclass(frozen=True)
class Proposal:
    """Rules that keep what was seen and allow less, made by :func:`vpcflow.propose_rules`. Nothing is applied: it is a
    document, with the steps there and back."""

    #: All rules that the groups would have, as rows of describe-security-group-rules; new ones have ids ``new-N``.
    rules: list[dict[str, Any]]
    #: Ids of current rules that stay, and the rows of those that would go.
    kept_rules: list[str]
    revoked: list[dict[str, Any]]
    #: ``sessions`` to keep, how many of these the rules allow (all), and by rule how many.
    covers: dict[str, Any]
    #: What was accepted and would be denied, an edge a row, by when it was first seen; with ``why``.
    breaks: list[dict[str, Any]]
    #: What the rules allow and the current ones do not; empty, always, unless a rule is of the user's own making.
    widened: list[dict[str, Any]]
    #: Of the days that were not learned from: ``denied`` among ``sessions``, ``share`` with ``low`` and ``high``.
    held_out_denied: dict[str, Any]
    #: By group: how far what was seen tells of what was not.
    confidence: dict[str, dict[str, Any]]
    #: Sessions that were not kept, by reason.
    dropped: dict[str, int]
    #: By need: the curve of addresses against rules, and what was chosen.
    choices: list[dict[str, Any]]
    #: Before and after: rules, addresses x ports allowed, interfaces that reach a port.
    objective: dict[str, Any]
    contradictions: list[dict[str, Any]]
    groups: list[str]
    notes: list[str]
    #: Of the answers that it was made of, so that nothing is exported for a state that is gone.
    inventory_digest: str
    days: float
    held_out_days: int
    #: The folder of the answers, if the command was given one: what is exported is compared with what it holds then.
    inventory: str = ""

    def as_json(self) -> dict[str, Any]:
        """Returns the members of its JSON object."""
        return {"schema_version": SCHEMA_VERSION, **dataclasses.asdict(self)}

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes it as JSON, whole or not at all; :class:`~vpcflow.OutputError` for what cannot be written."""
        write_whole(path, (json.dumps(self.as_json(), indent=2) + "\n").encode())

    @property
    def narrows(self) -> bool:
        """Whether any rule would go or come."""
        return bool(self.revoked) or any(forms.is_new(item) for item in self.rules)

    def to_terraform(self) -> str:
        """Returns it as Terraform, the rules as resources of their own; see :func:`vpcflow.tuning.export`."""
        return forms.terraform(self.rules, self.inventory_digest)

    def to_cloudformation(self) -> str:
        """Returns it as a CloudFormation template."""
        return forms.cloudformation(self.rules, self.inventory_digest)

    def to_cli(self) -> dict[str, str]:
        """Returns it as inputs of the AWS command line, by the names of files, in the order of steps."""
        return forms.cli(self.rules, self.revoked)

    def rollback(self) -> dict[str, str]:
        """Returns the way back, likewise."""
        return forms.rollback(self.rules, self.revoked)

    def __repr__(self) -> str:
        new = sum(forms.is_new(item) for item in self.rules)
        return f"<Proposal: {len(self.groups)} groups, {new} new rules, {len(self.revoked)} to revoke>"


def load_proposal(path: str | os.PathLike[str]) -> Proposal:
    """Reads a proposal; :class:`~vpcflow.SourceError` for what is none."""
    found = _document(path)
    names = [field.name for field in dataclasses.fields(Proposal)]
    if not isinstance(found, dict) or not set(names) <= set(found) or found.get("schema_version") != SCHEMA_VERSION:
        raise SourceError(f"{path}: is no proposal; expected a file of vpcflow sg propose -o")
    for name in ("rules", "revoked"):
        rules = [rule_of_item(item) if isinstance(item, dict) else None for item in found[name] or []]
        if None in rules:
            raise SourceError(f"{path}: {name}: rule {rules.index(None) + 1} cannot be read")
        found[name] = [rule.as_item() for rule in rules if rule is not None]
    return Proposal(**{name: found[name] for name in names})


def load_rules(path: str | os.PathLike[str]) -> dict[str, list[Rule]]:
    """Reads rules by group: of a proposal, or of answers of describe-security-group-rules or describe-security-groups.
    Groups that a proposal or describe-security-groups names and that have no rules are there with none."""
    found = _document(path)
    if isinstance(found, dict) and isinstance(found.get("rules"), list):
        items, groups = found["rules"], [str(one) for one in found.get("groups") or []]
    else:
        items, groups = [], []
        for answer in found if isinstance(found, list) else [found]:
            if not isinstance(answer, dict):
                continue
            if isinstance(answer.get("SecurityGroupRules"), list):
                items += answer["SecurityGroupRules"]
            elif isinstance(answer.get("SecurityGroups"), list):
                for group in answer["SecurityGroups"]:
                    if isinstance(group, dict) and group.get("GroupId"):
                        groups.append(str(group["GroupId"]))
                        items += [rule.as_item() for rule in rules_of_group(group)]
            elif answer.get("IpProtocol") is not None:
                items.append(answer)
    out: dict[str, list[Rule]] = {group: [] for group in groups}
    for number, item in enumerate(items, 1):
        rule = rule_of_item(item) if isinstance(item, dict) else None
        if rule is None:
            raise PlanError(
                f"{path}: rule {number} cannot be read: {item!s:.200}; expected a row as of "
                "describe-security-group-rules"
            )
        out.setdefault(rule.group, []).append(rule)
    if not out:
        raise PlanError(
            f"{path}: no rules in it; expected a proposal, or an answer of describe-security-group-rules or "
            "describe-security-groups"
        )
    return out


def _document(path: str | os.PathLike[str]) -> Any:
    try:
        return json.loads(Path(path).read_text("utf-8-sig"))
    except FileNotFoundError:
        raise SourceNotFoundError(f"{path}: no such file") from None
    except (OSError, UnicodeDecodeError, ValueError, RecursionError) as error:
        raise SourceError(f"{path}: cannot be read as JSON: {error}") from None

"""Writes proposals for what changes rules: Terraform, CloudFormation, the AWS command line; with the way back."""

from __future__ import annotations

import os
from pathlib import Path

from ..errors import PlanError
from ..inventory import Inventory
from ..io.writing import write_whole
from . import forms
from .digest import digest_of
from .proposal import Proposal

#: The forms of :func:`export`.
FORMS = ("terraform", "cloudformation", "cli")
_FILES = {"terraform": forms.terraform_files, "cloudformation": forms.cloudformation_files}
_STEPS = """Steps, in this order. Nothing was applied.

1. Add the narrow rules (step 1). Traffic is as before: rules only add up.
2. Wait, and watch: `vpcflow sg usage LOGS --inventory DIR` of the days since. The exclusive sessions of each rule that
   would go must fall to 0; a rule that keeps some is still needed.
3. Revoke the broad rules (step 3). Connections that are open go on until they are idle.
   If something breaks: the way back (rollback).

The way back makes the old rules again, with their descriptions and tags. AWS gives them new ids (sgr-...).
"""


def export(
    proposal: Proposal, form: str, folder: str | os.PathLike[str], inventory: Inventory | None = None
) -> list[Path]:
    """Writes a proposal as files to a folder, which is made if need be, and returns them: the steps in their order, the
    way back, ``README.md`` with what to do.

    ``form``: ``terraform``, ``cloudformation``, ``cli``. ``inventory``: what is there now, if it is at hand.

    Raises :class:`~vpcflow.PlanError` for a proposal that was made of another state than that of the inventory, for one
    that changes nothing, and for another form; :class:`~vpcflow.OutputError` for what cannot be written.
    """
    if form not in FORMS:
        raise PlanError(f"export: form '{form}'; expected {', '.join(FORMS)}")
    if inventory is not None and digest_of(inventory) != proposal.inventory_digest:
        raise PlanError(
            "export: the inventory differs from that of which the proposal was made: rules, groups or interfaces have "
            "changed since; propose anew"
        )
    if not proposal.narrows:
        raise PlanError("export: the proposal changes no rule")
    rules, revoked, digest = proposal.rules, proposal.revoked, proposal.inventory_digest
    if form == "cli":
        files = {**forms.cli(rules, revoked), **forms.rollback(rules, revoked)}
    else:
        files = _FILES[form](rules, revoked, digest)
    files["README.md"] = _readme(proposal)
    out = []
    Path(folder).mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        path = Path(folder) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, text.encode())
        out.append(path)
    return out


def _readme(proposal: Proposal) -> str:
    held = proposal.held_out_denied
    lines = [_STEPS, f"Made from {proposal.days:g} days of logs, of which {proposal.held_out_days} days were held out."]
    if held["share"] is not None:
        lines.append(
            f"Of these {held['denied']:,} of {held['sessions']:,} sessions would have been denied "
            f"({held['share']:.2%}, {held['low']:.2%} to {held['high']:.2%})."
        )
    lines.append(f"Digest of the inventory: {proposal.inventory_digest}")
    return "\n".join(lines) + "\n"

"""Proofs that a manifest has an object, without its other lines."""

from __future__ import annotations

import os
from typing import Any

from .._display import printable
from .._hints import nearest
from ..errors import ManifestError
from .checking import Checked, check_files
from .entries import Entry
from .folder import Folder
from .heads import Head
from .strict import checked as checked_members
from .strict import is_sha256
from .tree import inclusion_path, leaf_hash, root_by_path

SCHEMA = "vpcflow-manifest-proof-1"
_KINDS: dict[str, tuple[type, ...]] = {
    "schema": (str,),
    "line": (str,),
    "index": (int,),
    "tree_size": (int,),
    "path": (list,),
    "root": (str,),
    "head": (str,),
}


def prove(folder: str | os.PathLike[str], object: str) -> dict[str, Any]:
    """Makes the proof that the newest head of a manifest has an object: ``line``, that of the object; ``index`` and
    ``tree_size``; ``path``, the hashes beside the way from the line to the ``root`` of RFC 6962; ``head``, that has the
    root. A manifest of 100,000 objects needs 17 hashes.

    ``object``: its name as it is listed, or the end of it if that is of one object. Raises
    :class:`~vpcflow.ManifestError` if there is none, and if the manifest is not as it was written.
    """
    found = check_files(Folder(folder), keep_lines=True)
    found.require_whole("manifest prove")
    return proof_of(found, object)


def proof_of(found: Checked, object: str) -> dict[str, Any]:
    """Makes a proof as :func:`prove` does, of a manifest that was checked, with its lines."""
    names = {one.object: number for number, one in enumerate(found.listed)}
    chosen = [object] if object in names else [name for name in names if name.endswith("/" + object)]
    if len(chosen) != 1:
        near = nearest(object, list(names)[:10000])
        rest = (
            f"{len(chosen):,} objects end so"
            if chosen
            else f"did you mean {printable(near)!r}?"
            if near
            else "not listed"
        )
        raise ManifestError(f"manifest prove: {printable(object)}: {rest}")
    index, last = names[chosen[0]], found.last
    assert last is not None  # there is one in a whole manifest
    path = inclusion_path(found.leaves, index)
    return {
        "schema": SCHEMA, "line": found.lines[index].decode("ascii"), "index": index, "tree_size": len(found.leaves),
        "path": [one.hex() for one in path], "root": last.root, "head": last.data().decode("ascii"),
    }  # fmt: skip


def proved(proof: dict[str, Any]) -> tuple[Entry, Head]:
    """Checks a proof of :func:`prove`; returns the line of the object and the head that has it. Raises
    :class:`~vpcflow.ManifestError` if it proves nothing."""
    value = checked_members(proof, _KINDS, "proof")
    hashes = [*value["path"], value["root"]]
    if value["schema"] != SCHEMA or not all(map(is_sha256, hashes)) or len(hashes) > 65:
        raise ManifestError("proof: has a value that cannot be")
    try:
        line, head = value["line"].encode("ascii"), Head.of(value["head"].encode("ascii"), "the head of the proof")
    except UnicodeEncodeError:
        raise ManifestError("proof: has a value that cannot be") from None
    entry = Entry.of(line, "the line of the proof")
    path = [bytes.fromhex(one) for one in value["path"]]
    root = root_by_path(leaf_hash(line), value["index"], value["tree_size"], path)
    same = root is not None and root.hex() == value["root"] == head.root and head.tree_size == value["tree_size"]
    if not same or entry.seq != value["index"]:
        raise ManifestError("proof: the path does not lead from the line to the root of the head")
    return entry, head

"""Looks at signatures."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ...errors import VpcflowError
from ..checking import Row
from ..strict import names_in, read_small
from . import dsse, minisign, ssh, stamp
from .keys import Keys
from .seal import Seal, Signable, parsed_name


def seals_of(root: Path, signed: Mapping[int, Signable], known: Keys) -> tuple[list[Seal], list[Row]]:
    """Returns the good signatures in ``signatures/`` below a folder, and rows for the others. ``signed``: what they can
    be of, by number."""
    seals: list[Seal] = []
    rows: list[Row] = []
    for file in (f"signatures/{name}" for name in names_in(root / "signatures") if not name.startswith(".vpcflow-")):
        name = parsed_name(file)
        of = None if name is None else signed.get(name[0])
        if name is None or of is None:
            why = "no signature has such a name" if name is None else "what it signs is not there"
            rows.append(Row(file, "invalid", "signature", why))
            continue
        try:
            found = _READERS[name[1]](root, file, of, known)
        except VpcflowError as error:
            found = [Seal(file, of.number, False, fault=str(error))]
        seals += [seal for seal in found if seal.good]
        bad = [seal for seal in found if not seal.good]
        if bad:
            rows.append(Row(file, "invalid", "signature", bad[0].fault))
    return seals, rows


def _dsse(root: Path, file: str, of: Signable, known: Keys) -> list[Seal]:
    out = []
    for own in dsse.parsed(read_small(root / file), of):
        keyid = own["keyid"]
        public = known.pem.get(keyid)
        if public is None:
            public = read_small(root / f"keys/{keyid}.pem") if _is_name(keyid, 64) else b""
        named = bool(public) and dsse.keyid_of(public) == keyid
        good = named and dsse.is_signed(of, own["sig"], public)
        signer = f"key {keyid[:16]}"
        out.append(Seal(file, of.number, good, keyid in known.pem, signer, "" if good else "not signed by its key"))
    return out


def _ssh(root: Path, file: str, of: Signable, known: Keys) -> list[Seal]:
    signature, data = read_small(root / file), of.data()
    name = ssh.signer_id(signature)
    if f".{name}." not in file:
        return [Seal(file, of.number, False, fault="by another key than its name says")]
    if not ssh.is_signed(data, signature):
        return [Seal(file, of.number, False, fault="not a signature of this")]
    who = ssh.known_signer(data, signature, known.ssh) if known.ssh else None
    return [Seal(file, of.number, True, who is not None, f"ssh key {who or name}")]


def _minisign(root: Path, file: str, of: Signable, known: Keys) -> list[Seal]:
    name = file.split(".")[-2]
    public = known.minisign.get(name) or read_small(root / f"keys/{name}.pub")
    good = minisign.key_id(public) == name
    good = good and minisign.is_signed(of.data(), read_small(root / file), public)
    fault = "" if good else "not signed by its key"
    return [Seal(file, of.number, good, name in known.minisign, f"minisign key {name.upper()}", fault)]


def _stamp(root: Path, file: str, of: Signable, known: Keys) -> list[Seal]:
    answer, data = read_small(root / file), of.data()
    fault = stamp.fault_of(answer, data)
    if not fault and known.certificates and not stamp.is_stamped(answer, data, known.certificates):
        fault = "not a stamp of an authority that is allowed"
    if fault:
        return [Seal(file, of.number, False, fault=fault)]
    checked_by = "" if known.certificates else ", by an authority that was not checked"
    return [Seal(file, of.number, True, bool(known.certificates), f"stamp of {stamp.time_of(answer)}{checked_by}")]


def _is_name(text: str, size: int) -> bool:
    return len(text) == size and all(c in "0123456789abcdef" for c in text)


_READERS = {"dsse": _dsse, "sig": _ssh, "minisig": _minisign, "tsr": _stamp}

"""Bags of RFC 8493: their files and hashes, and the check of all of it."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import os
import re
import shutil
import tarfile
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from .._display import printable
from .._words import count
from ..errors import ManifestError, SourceError, VpcflowError
from .checking import Row
from .custody import CustodyLine, lines_of
from .folder import file_sha256, limited_lines
from .heads import Head
from .proofs import proved
from .seals.keys import keys_of
from .seals.reading import seals_of
from .seals.seal import Seal
from .strict import checked, json_value, read_small
from .verifying import Verification, verify

BAGIT = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
PAYLOAD, TAGS, INFO, CUSTODY = "manifest-sha256.txt", "tagmanifest-sha256.txt", "bag-info.txt", "custody.jsonl"
NAMES = "data/names.jsonl"
_SUM = re.compile(r"([0-9a-f]{64}) [ *](\S.{0,4999})")
_MOST_CUSTODY = 64 << 20
_LONGEST_NAME = 200  # bytes of a file's name in a bag
_PLAIN = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-,+@")


@dataclasses.dataclass(frozen=True)
class Bag:
    """What a check of a bag found. ``rows``: a verdict for each file, ``"ok"`` or what is wrong. ``custody``: the lines
    of custody, if they hang together; ``signers``: who signed which of them. ``manifest``: the check of the
    manifest in the bag, if there is one."""

    rows: list[Row]
    custody: list[CustodyLine]
    signers: list[str]
    manifest: Verification | None

    @property
    def ok(self) -> bool:
        """Whether every verdict is ``"ok"``."""
        return all(row.verdict == "ok" for row in self.rows)

    @property
    def head(self) -> Head | None:
        """The newest head of the manifest in the bag."""
        return None if self.manifest is None else self.manifest.head


def safe_name(name: str) -> str:
    """Makes a relative name that every file system and ``sha256sum`` take: all bytes but usual ones become ``=XX``.

    >>> safe_name("a b/../é.log")
    'a=20b/=2E=2E/=C3=A9.log'
    """
    parts = []
    for part in os.fsencode(name).split(b"/"):
        if part in (b".", b".."):
            text = "=2E" * len(part)
        else:
            text = "".join(chr(byte) if byte in _PLAIN else f"={byte:02X}" for byte in part)
        if len(text) > _LONGEST_NAME:
            text = f"{text[: _LONGEST_NAME - 40]}={hashlib.sha256(part).hexdigest()[:32]}"
        if text:
            parts.append(text)
    return "/".join(parts)


def sums_text(hashes: Mapping[str, str]) -> bytes:
    """Writes hashes by name as ``sha256sum`` does, in order."""
    return "".join(f"{digest}  {name}\n" for name, digest in sorted(hashes.items())).encode("ascii")


def read_text_sums(path: Path) -> dict[str, str]:
    """Reads a manifest of BagIt. Raises :class:`~vpcflow.ManifestError` for a name that leads out of the bag."""
    found: dict[str, str] = {}
    for line in limited_lines(path, 6000):
        match = _SUM.fullmatch(line.decode("utf-8", "surrogateescape").rstrip("\r"))
        name = "" if match is None else re.sub("%(0[AaDd]|25)", lambda code: chr(int(code[1], 16)), match[2])
        if match is None or name in found or name.startswith("/") or ".." in name.split("/") or "\0" in name:
            raise ManifestError(
                f"{path.name}: a line that cannot be: {printable(line.decode('utf-8', 'replace'))[:200]}"
            )
        found[name] = match[1]
    return found


def payload_files(bag: Path) -> list[str]:
    """Returns the names of all files of the payload."""
    found = []
    for folder, inner, files in os.walk(bag / "data"):
        inner.sort()
        linked = [name for name in inner if os.path.islink(os.path.join(folder, name))]
        found += [os.path.relpath(os.path.join(folder, name), bag) for name in [*files, *linked]]
    return sorted(found)


def tag_files(bag: Path) -> list[str]:
    """Returns the names of all other files of a bag, but for the list of these."""
    found = []
    for folder, inner, files in os.walk(bag):
        if folder == str(bag) and "data" in inner:
            inner.remove("data")
        inner.sort()
        linked = [name for name in inner if os.path.islink(os.path.join(folder, name))]
        found += [os.path.relpath(os.path.join(folder, name), bag) for name in [*files, *linked]]
    return sorted(set(found) - {TAGS})


def check_bag(path: str | os.PathLike[str], keys: Sequence[str | os.PathLike[str]] = ()) -> Bag:
    """Checks a bag, a folder or a tar file. Raises :class:`~vpcflow.ManifestError` for what is none."""
    with opened(Path(path)) as bag:
        rows = _files(bag)
        named = {row.object for row in rows if row.verdict != "ok"}
        known = keys_of(keys)
        custody: list[CustodyLine] = []
        signers: list[str] = []
        try:
            custody = lines_of(read_small(bag / CUSTODY, _MOST_CUSTODY))
            payload = file_sha256(bag / PAYLOAD)
            other = next((n for n, line in enumerate(custody, 1) if line.payload_sha256 != payload), None)
            if other is not None:
                raise ManifestError(f"line {other}: is about another {PAYLOAD}")
            seals, faults = seals_of(bag, {line.number: line for line in custody}, known)
            rows += [row for row in faults if row.object not in named]
            signers = [f"{seal.signer} (line {seal.number})" for seal in seals]
            if keys and CUSTODY not in named:
                rows = [row for row in rows if row.object != CUSTODY] + [_custody_row(custody, seals)]
        except VpcflowError as error:
            if CUSTODY not in named:
                rows = [row for row in rows if row.object != CUSTODY]
                rows.append(Row(CUSTODY, "invalid", "file", str(error)))
        manifest = None
        if (bag / "data" / "manifest").is_dir():
            try:
                manifest = verify(bag / "data" / "manifest", keys=keys)
                rows += [
                    dataclasses.replace(row, object=f"data/manifest/{row.object}")
                    for row in manifest.rows
                    if row.kind == "head" or row.verdict != "ok"
                ]
            except VpcflowError as error:
                rows.append(Row("data/manifest", "invalid", "file", str(error)))
        rows += _proofs(bag, manifest, named)
        return Bag(rows, custody, signers, manifest)


@contextlib.contextmanager
def opened(path: Path) -> Iterator[Path]:
    """Gives the folder of a bag; a tar file is unpacked for the time."""
    name = printable(str(path))
    if path.is_dir():
        if not (path / "bagit.txt").is_file():
            raise ManifestError(f"{name}: no bag is there; 'vpcflow evidence pack' makes one")
        yield path
        return
    if not path.is_file():
        raise SourceError(f"{name}: no such bag; expected a folder or a .tar file")
    with tempfile.TemporaryDirectory(prefix="vpcflow-") as temporary:
        try:
            with tarfile.open(path, "r:") as tar:
                _unpack(tar, Path(temporary))
        except (tarfile.TarError, OSError, ValueError, EOFError) as error:
            if isinstance(error, VpcflowError):
                raise
            raise ManifestError(f"{name}: cannot be read as a tar file: {printable(str(error))}") from None
        inside = [one for one in Path(temporary).iterdir() if (one / "bagit.txt").is_file()]
        if len(inside) != 1 or len(os.listdir(temporary)) != 1:
            raise ManifestError(f"{name}: expected one folder in it, a bag")
        yield inside[0]


def _unpack(tar: tarfile.TarFile, folder: Path) -> None:
    """Unpacks regular files and folders with names below the folder; anything else is refused."""
    for member in tar:
        parts = member.name.split("/")
        wrong = member.name.startswith("/") or ".." in parts or "\0" in member.name
        if wrong or member.issparse() or not (member.isfile() or member.isdir()):
            raise ManifestError(f"{printable(member.name)}: a tar file of a bag has no such member")
        place = folder.joinpath(*parts)
        if member.isdir():
            place.mkdir(parents=True, exist_ok=True)
            continue
        content = tar.extractfile(member)
        place.parent.mkdir(parents=True, exist_ok=True)
        with open(place, "xb") as file:
            if content is not None:
                shutil.copyfileobj(content, file)


def _files(bag: Path) -> list[Row]:
    """Compares the files of a bag with its two lists of hashes."""
    rows = []
    for list_name, kind in ((PAYLOAD, "object"), (TAGS, "file")):
        try:
            listed = read_text_sums(bag / list_name)
        except VpcflowError as error:
            missing = error.kind == "not-found"
            rows.append(Row(list_name, "missing" if missing else "changed", "file", "" if missing else str(error)))
            continue
        inside = kind == "object"
        there = set(payload_files(bag) if inside else tag_files(bag))
        for name, digest in listed.items():
            if name.startswith("data/") != inside:
                rows.append(Row(name, "unlisted", kind, f"does not belong into {list_name}"))
                continue
            rows.append(_file(bag, name, digest, kind) if name in there else Row(name, "missing", kind))
        rows += [Row(name, "unlisted", kind) for name in sorted(there - set(listed))]
    if not any(row.object == "bagit.txt" for row in rows):
        rows.append(Row("bagit.txt", "unlisted", "file", f"{TAGS} does not have it"))
    return rows


def _file(bag: Path, name: str, digest: str, kind: str) -> Row:
    place = bag / name
    if any((bag / Path(*Path(name).parts[:n])).is_symlink() for n in range(1, len(Path(name).parts) + 1)):
        return Row(name, "unreadable", kind, "a symbolic link")
    try:
        found = file_sha256(place)
    except SourceError as error:
        return Row(name, "unreadable", kind, str(error))
    return Row(name, "ok", kind) if found == digest else Row(name, "changed", kind)


def _custody_row(lines: Sequence[CustodyLine], seals: Sequence[Seal]) -> Row:
    """Returns the verdict about custody where a signature by one of some keys is demanded. A signature holds for its
    line and those before, and for all that was packed."""
    last = max((seal.number for seal in seals if seal.known), default=0)
    if not last:
        return Row(CUSTODY, "signer unknown" if seals else "not signed", "file")
    rest = len(lines) - last
    return Row(CUSTODY, "ok", "file", f"the newest {count(rest, 'line')} not signed" if rest else "")


def _proofs(bag: Path, manifest: Verification | None, named: set[str]) -> list[Row]:
    """Checks the proofs: of the files that they name, and by a head of the manifest."""
    rows = []
    for name in payload_files(bag):
        if not name.startswith("data/proofs/") or name in named:
            continue
        try:
            data = read_small(bag / name)
            value = checked(json_value(data[:-1], name), {"file": (str,), "proof": (dict,)}, name)
            entry, head = proved(value["proof"])
            if value["file"] not in payload_files(bag) or file_sha256(bag / value["file"]) != entry.sha256:
                raise ManifestError("not of the file that it names")
            if manifest is None or manifest.head is None or head.sha256 != manifest.head.sha256:
                raise ManifestError("not by the newest head of the manifest")
        except VpcflowError as error:
            rows.append(Row(name, "invalid", "file", str(error)))
    return rows

"""Bags of evidence: files of a case with their hashes, after RFC 8493 (BagIt), which need no program of ours to check.

A bag has ``data/case/``, the files; ``data/names.jsonl``, what they were called; with a manifest ``data/manifest/`` and
``data/proofs/``, which show of each file of the case that the manifest has it; ``data/README.txt``, the commands to
repeat; ``manifest-sha256.txt``; ``custody.jsonl``, a line for each who had it.
"""

from __future__ import annotations

import hashlib
import os
import tarfile
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from .._display import printable
from ..errors import ArgumentError, OutputError, SourceError, SourceNotFoundError
from ..io.aws.session import Connection
from ..io.writing import Writing, cannot_write, folder_in_place, write_whole
from ..typing import AwsOptions
from .bags import BAGIT, CUSTODY, INFO, NAMES, PAYLOAD, TAGS, Bag, check_bag, safe_name, sums_text, tag_files
from .checking import check_files
from .custody import lines_of, next_line
from .folder import Folder, file_sha256
from .heads import Head, tool_name, utc_text
from .limits import LIMITS
from .proofs import proof_of
from .seals.making import sign_this
from .strict import json_bytes, read_small

_CHUNK = 1 << 20
_SMALL = 64 << 20  # bytes, of custody


def pack(
    cases: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    out: str | os.PathLike[str],
    *,
    manifest: str | os.PathLike[str] | None = None,
    commands: Sequence[str] = (),
    who: str | None = None,
    what: str = "packed",
    key: str | os.PathLike[str] | None = None,
    aws: AwsOptions | None = None,
    created: float | None = None,
) -> Bag:
    """Packs files and folders into a bag, a new folder, or a tar file if ``out`` ends with ``.tar``.

    ``manifest``: the folder of a manifest, which goes with it; files of the case that it lists get a proof.
    ``commands``: to repeat what was found. ``who``, ``what``: of the first line of custody; ``who`` is by default the
    user of this process. ``key``: signs this line, and by it all that is packed, as :func:`vpcflow.manifest.sign` does.
    ``created``: the time, Unix seconds, by default now.

    Raises :class:`~vpcflow.SourceNotFoundError` if a path is not there, :class:`~vpcflow.OutputError` if ``out``
    exists, or a file cannot be copied, and :class:`~vpcflow.ManifestError` if the manifest is not as it was written.
    """
    given = [Path(one) for one in ([cases] if isinstance(cases, (str, os.PathLike)) else cases)]
    names = [path.resolve().name for path in given]
    if not given or len(set(names)) < len(names):
        raise ArgumentError("evidence.pack: give files and folders of different names")
    for path in given:
        if not path.exists():
            raise SourceNotFoundError(f"{printable(str(path))}: no such file or folder")
    place = Path(out)
    if place.exists() and not (place.is_dir() and not os.listdir(place)):
        raise OutputError(f"{printable(str(place))}: exists; give a new name")
    now = time.time() if created is None else created
    if place.suffix == ".tar":
        with tempfile.TemporaryDirectory(prefix="vpcflow-") as temporary:
            bag = Path(temporary) / place.stem
            bag.mkdir()
            _fill(bag, given, manifest, commands, who, what, now)
            _sign(bag, key, aws)
            with Writing(place) as written:
                _tar(bag, written.file)
    else:
        with folder_in_place(place) as beside:
            _fill(Path(beside), given, manifest, commands, who, what, now)
            _sign(Path(beside), key, aws)
    return check_bag(place)


def verify(bag: str | os.PathLike[str], *, keys: str | os.PathLike[str] | Sequence[str | os.PathLike[str]] = ()) -> Bag:
    """Verifies a bag, a folder or a tar file: its files, its custody, its manifest, and the proofs.

    ``keys``: as those of :func:`vpcflow.manifest.verify`: one of them must have signed the newest line of custody, or
    one before, which is then said, and the manifest. Raises :class:`~vpcflow.ManifestError` for what is no bag.
    """
    return check_bag(bag, [keys] if isinstance(keys, (str, os.PathLike)) else list(keys))


def hand_over(
    bag: str | os.PathLike[str],
    what: str,
    *,
    who: str | None = None,
    key: str | os.PathLike[str] | None = None,
    aws: AwsOptions | None = None,
    created: float | None = None,
) -> Bag:
    """Adds a line of custody to a bag, a folder, that is as it was written; its other files stay as they are. ``key``
    signs the line."""
    place = Path(bag)
    if not place.is_dir():
        raise ArgumentError(f"evidence custody: {printable(str(place))}: no folder; unpack it first (tar -xf)")
    found = check_bag(place)
    bad = [row for row in found.rows if row.verdict not in ("ok", "not signed")]
    if bad:
        raise SourceError(
            f"evidence custody: {printable(str(place))} is not as it was written: {bad[0].object}: {bad[0].verdict}"
        )
    before = read_small(place / CUSTODY, _SMALL)
    last = lines_of(before)[-1]
    now = time.time() if created is None else created
    line = next_line(before, who, what, last.payload_sha256, last.head_sha256, now)
    write_whole(place / CUSTODY, before + line)
    _write_tags(place)
    _sign(place, key, aws)
    return check_bag(place)


# -- making -------------------------------------------------------------------------------------------------------


def _fill(
    bag: Path, cases: Sequence[Path], manifest: str | os.PathLike[str] | None, commands: Sequence[str],
    who: str | None, what: str, now: float,
) -> None:  # fmt: skip
    hashes: dict[str, str] = {}
    size = 0
    named = []
    for source, name in _files(cases):
        target = f"data/case/{safe_name(name)}"
        hashes[target], copied = _copy(source, bag / target)
        size += copied
        named.append((target, str(source), hashes[target]))
    head = None
    if manifest is not None:
        folder = Folder(manifest)
        checked = check_files(folder, keep_lines=True)
        checked.require_whole("evidence pack")
        head = checked.last
        for name in [*folder.files(), "SHA256SUMS"]:
            if Folder.is_own(name) or name == "SHA256SUMS":
                target = f"data/manifest/{name}"
                hashes[target], copied = _copy(folder.path / name, bag / target)
                size += copied
        by_hash = {one.sha256: one.object for one in checked.listed}
        proved = sorted((file, by_hash[digest]) for file, _, digest in named if digest in by_hash)
        for number, (file, object) in enumerate(proved, 1):
            proof = {"file": file, "proof": proof_of(checked, object)}
            size += _made(bag, f"data/proofs/{number:06}.json", json_bytes(proof) + b"\n", hashes)
    rows = [json_bytes({"file": file, "name": name, "sha256": digest}) + b"\n" for file, name, digest in sorted(named)]
    size += _made(bag, NAMES, b"".join(rows), hashes)
    size += _made(bag, "data/README.txt", _readme(commands, head, now).encode("utf-8", "backslashreplace"), hashes)
    write_whole(bag / PAYLOAD, sums_text(hashes))
    payload = hashlib.sha256((bag / PAYLOAD).read_bytes()).hexdigest()
    write_whole(bag / "bagit.txt", BAGIT)
    info = {
        "Bagging-Date": utc_text(now)[:10], "Bag-Software-Agent": tool_name(),
        "External-Description": "Evidence of VPC flow logs", "Payload-Oxum": f"{size}.{len(hashes)}",
        **({} if head is None else {"Vpcflow-Manifest-Head": head.sha256}),
    }  # fmt: skip
    write_whole(bag / INFO, "".join(f"{name}: {value}\n" for name, value in info.items()).encode())
    line = next_line(b"", who, what, payload, None if head is None else head.sha256, now)
    write_whole(bag / CUSTODY, line)
    _write_tags(bag)


def _write_tags(bag: Path) -> None:
    write_whole(bag / TAGS, sums_text({name: file_sha256(bag / name) for name in tag_files(bag)}))


def _sign(bag: Path, key: str | os.PathLike[str] | None, aws: AwsOptions | None) -> None:
    """Signs the newest line of custody."""
    if key is not None:
        line = lines_of(read_small(bag / CUSTODY, _SMALL))[-1]
        sign_this(bag, line, key, None, Connection.of(aws))
        _write_tags(bag)


def _made(bag: Path, name: str, data: bytes, hashes: dict[str, str]) -> int:
    (bag / name).parent.mkdir(parents=True, exist_ok=True)
    write_whole(bag / name, data)
    hashes[name] = hashlib.sha256(data).hexdigest()
    return len(data)


def _files(cases: Sequence[Path]) -> Iterator[tuple[Path, str]]:
    """Yields the files of a case, with their names below it. Links to folders are not followed."""

    def refused(error: OSError) -> None:
        raise SourceError(f"{printable(str(error.filename))}: cannot be read: {error.strerror}")

    for case in cases:
        top = case.resolve().name
        if not case.is_dir():
            yield case, top
            continue
        found = 0
        for folder, inner, files in os.walk(case, onerror=refused):
            inner.sort()
            for file in sorted(files):
                path = Path(folder) / file
                found += 1
                yield path, f"{top}/{path.relative_to(case)}"
        if not found:
            raise SourceNotFoundError(f"{printable(str(case))}: no files in this folder")


def _copy(source: Path, target: Path) -> tuple[str, int]:
    """Copies a file; returns the SHA-256 of the bytes copied, and their number."""
    digest, size = hashlib.sha256(), 0
    try:
        if not source.is_file():
            raise SourceError(f"{printable(str(source))}: not a regular file")
        target.parent.mkdir(parents=True, exist_ok=True)
        with open(source, "rb") as file, open(target, "xb") as copy:
            while data := file.read(_CHUNK):
                digest.update(data)
                copy.write(data)
                size += len(data)
    except SourceError:
        raise
    except OSError as error:
        if error.filename == str(target):
            raise cannot_write(target, error) from None
        raise SourceError(f"{printable(str(source))}: cannot be read: {error.strerror or error}") from None
    return digest.hexdigest(), size


def _tar(bag: Path, file: object) -> None:
    """Writes a folder as tar: names in order, no owner, no time but 1970: the same bag has the same bytes."""

    def plain(member: tarfile.TarInfo) -> tarfile.TarInfo:
        member.uid = member.gid = 0
        member.uname = member.gname = ""
        member.mtime = 0
        member.mode = 0o755 if member.isdir() else 0o644
        return member

    with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as tar:  # type: ignore[call-overload]
        for path in sorted([bag, *bag.rglob("*")]):
            tar.add(path, str(path.relative_to(bag.parent)), recursive=False, filter=plain)


def _readme(commands: Sequence[str], head: Head | None, now: float) -> str:
    repeat = "".join(f"  {' '.join(command.splitlines())}\n" for command in commands) or "  none were given\n"
    quoted = f"Manifest: {head}\n" if head else ""
    return (
        f"Evidence, packed {utc_text(now)} by {tool_name()}. {quoted}\n"
        "Commands to repeat what was found:\n"
        f"{repeat}\n"
        "Check it without vpcflow, in the folder of the bag:\n"
        "  sha256sum -c manifest-sha256.txt && sha256sum -c tagmanifest-sha256.txt\n"
        "  bagit.py --validate .\n"
        "Check it:\n"
        "  vpcflow evidence verify .\n\n"
        "What it cannot prove:\n"
    ) + "".join(f"- {text}\n" for text in LIMITS)

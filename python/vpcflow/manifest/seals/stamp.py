"""Time stamps of RFC 3161: an authority says that a head existed at a time."""

from __future__ import annotations

import datetime
import hashlib
import re
import urllib.parse
from collections.abc import Sequence
from typing import NamedTuple

from ..._display import printable
from ...errors import ManifestError, SourceError
from ..heads import utc_text
from .seal import PrivateFile, run_program

_TIMEOUT = 30.0  # seconds
_LARGEST = 1 << 20  # bytes of an answer
_HASHES = {
    "2.16.840.1.101.3.4.2.1": "sha256", "2.16.840.1.101.3.4.2.2": "sha384", "2.16.840.1.101.3.4.2.3": "sha512",
}  # fmt: skip
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def stamped(data: bytes, url: str) -> bytes:
    """Asks an authority for a stamp of bytes; returns its answer. Raises :class:`~vpcflow.SourceError` if there is
    none, and :class:`~vpcflow.ManifestError` if it is no stamp of these bytes."""
    from rfc3161_client import HashAlgorithm, TimestampRequestBuilder

    request = TimestampRequestBuilder().data(data).hash_algorithm(HashAlgorithm.SHA256).build()
    answer = _post(url, request.as_bytes())
    fault = fault_of(answer, data)
    if fault:
        raise ManifestError(f"stamp of {_shown(url)}: {fault}")
    return answer


def _post(url: str, body: bytes) -> bytes:
    import urllib.error
    import urllib.request

    if urllib.parse.urlsplit(url).scheme not in ("http", "https"):
        raise ManifestError(f"stamp: {printable(url)!r}; expected the http:// or https:// URL of an authority")
    request = urllib.request.Request(url, body, {"Content-Type": "application/timestamp-query"})
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT) as response:
            answer: bytes = response.read(_LARGEST + 1)
    except (OSError, ValueError) as error:  # of http.client, too
        reason = getattr(error, "reason", None) or error
        raise SourceError(f"stamp: {_shown(url)}: {printable(str(reason))}") from None
    if len(answer) > _LARGEST:
        raise SourceError(f"stamp: {_shown(url)}: the answer is larger than {_LARGEST:,} bytes")
    return answer


def _shown(url: str) -> str:
    parts = urllib.parse.urlsplit(url)
    return printable(f"{parts.scheme}://{parts.hostname or ''}")


class _Stamp(NamedTuple):
    granted: bool
    hash: str  # its name; empty for one that is not allowed
    imprint: bytes
    time: float  # Unix seconds


def _parsed(answer: bytes) -> _Stamp:
    """Reads an answer. ``ValueError`` for one that is none."""
    from rfc3161_client import decode_timestamp_response

    try:
        found = decode_timestamp_response(answer)
    except ValueError as error:
        stamp = _by_openssl(answer)
        if stamp is None:
            raise ValueError(f"{error}") from None
        return stamp
    if found.as_bytes() != answer:
        raise ValueError("there is more behind it")
    if found.status != 0:
        return _Stamp(False, "", b"", 0.0)
    info = found.tst_info
    name = _HASHES.get(info.message_imprint.hash_algorithm.dotted_string, "")
    return _Stamp(True, name, info.message_imprint.message, info.gen_time.timestamp())


def _by_openssl(answer: bytes) -> _Stamp | None:
    """Reads an answer by openssl, as some authorities do not put their certificates into the order of DER, which the
    library wants; ``None`` if openssl is not there, or does not read it either."""
    with PrivateFile(answer) as file:
        try:
            done = run_program(["openssl", "ts", "-reply", "-in", file, "-text"], b"", "openssl")
        except ManifestError:
            return None
    text = done.stdout.decode("utf-8", "replace")
    time = re.search(r"^Time stamp: ([A-Z][a-z]{2}) +([0-9]+) ([0-9:]{8})(?:\.[0-9]+)? ([0-9]{4}) GMT$", text, re.M)
    lines = re.findall(r"^    [0-9a-f]{4} - ((?:[0-9a-f]{2}[ -]){1,16})", text, re.M)
    name = re.search(r"^Hash Algorithm: (sha256|sha384|sha512)$", text, re.M)
    if done.returncode or time is None or name is None or time[1] not in _MONTHS:
        return None
    made = f"{time[4]}-{_MONTHS.index(time[1]) + 1:02}-{int(time[2]):02}T{time[3]}+00:00"
    imprint = bytes.fromhex("".join(lines).replace(" ", "").replace("-", ""))
    seconds = datetime.datetime.fromisoformat(made).timestamp()
    return _Stamp("Status: Granted." in text.splitlines(), name[1], imprint, seconds)


def fault_of(answer: bytes, data: bytes) -> str:
    """Returns why an answer is no stamp of these bytes, whoever gave it; empty if it is one."""
    try:
        found = _parsed(answer)
    except ValueError as error:
        return f"not an answer of RFC 3161: {printable(str(error))[:200]}"
    if not found.granted:
        return "the authority refused"
    if not found.hash or hashlib.new(found.hash, data).digest() != found.imprint:
        return "a stamp of other bytes"
    return ""


def time_of(answer: bytes) -> str:
    """Returns when a stamp was made: ``2026-11-23T06:00:00Z``."""
    return utc_text(_parsed(answer).time)


def is_stamped(answer: bytes, data: bytes, certificates: Sequence[bytes]) -> bool:
    """Tells whether a stamp of bytes comes from an authority below one of the certificates, in PEM, that sign
    themselves."""
    from cryptography.x509 import load_pem_x509_certificate
    from rfc3161_client import VerificationError, VerifierBuilder, decode_timestamp_response

    try:
        found = [(one, load_pem_x509_certificate(one)) for one in certificates]
    except ValueError:
        return False
    roots = [(pem, one) for pem, one in found if one.issuer == one.subject]
    between = [(pem, one) for pem, one in found if one.issuer != one.subject]
    if not roots:
        return False
    try:
        decoded = decode_timestamp_response(answer)
    except ValueError:
        return _verified_by_openssl(answer, data, [pem for pem, _ in roots], [pem for pem, _ in between])
    try:
        verifier = VerifierBuilder(roots=[one for _, one in roots], intermediates=[one for _, one in between]).build()
        return verifier.verify_message(decoded, data)
    except (VerificationError, ValueError):
        return False


def _verified_by_openssl(answer: bytes, data: bytes, roots: Sequence[bytes], between: Sequence[bytes]) -> bool:
    with (
        PrivateFile(answer) as file,
        PrivateFile(data) as content,
        PrivateFile(b"\n".join(roots)) as trusted,
        PrivateFile(b"\n".join(between)) as others,
    ):
        command = ["openssl", "ts", "-verify", "-in", file, "-data", content, "-CAfile", trusted]
        return run_program(command + (["-untrusted", others] if between else []), b"", "openssl").returncode == 0

"""Time stamps of RFC 3161: an authority says that a head existed at a time."""

from __future__ import annotations

import hashlib
import urllib.parse
from collections.abc import Sequence
from typing import Any

from ..._display import printable
from ...errors import ManifestError, SourceError
from ..heads import utc_text

_TIMEOUT = 30.0  # seconds
_LARGEST = 1 << 20  # bytes of an answer


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


def _parsed(answer: bytes) -> Any:
    """Reads an answer. ``ValueError`` for one that is none, or not in DER, as RFC 3161 wants it."""
    from rfc3161_client import decode_timestamp_response

    found = decode_timestamp_response(answer)
    if found.as_bytes() != answer:
        raise ValueError("there is more behind it")
    return found


def fault_of(answer: bytes, data: bytes) -> str:
    """Returns why an answer is no stamp of these bytes, whoever gave it; empty if it is one."""
    try:
        found = _parsed(answer)
    except ValueError as error:
        return f"not an answer of RFC 3161: {printable(str(error))[:200]}"
    if found.status != 0:
        return f"the authority refused, with status {found.status}"
    imprint = found.tst_info.message_imprint
    hashes = {
        "2.16.840.1.101.3.4.2.1": "sha256",
        "2.16.840.1.101.3.4.2.2": "sha384",
        "2.16.840.1.101.3.4.2.3": "sha512",
    }
    name = hashes.get(imprint.hash_algorithm.dotted_string)
    if name is None or hashlib.new(name, data).digest() != imprint.message:
        return "a stamp of other bytes"
    return ""


def time_of(answer: bytes) -> str:
    """Returns when a stamp was made: ``2026-11-23T06:00:00Z``."""
    return utc_text(_parsed(answer).tst_info.gen_time.timestamp())


def is_stamped(answer: bytes, data: bytes, certificates: Sequence[bytes]) -> bool:
    """Tells whether a stamp of bytes comes from an authority below one of the certificates, in PEM, that sign
    themselves."""
    from cryptography.x509 import load_pem_x509_certificate
    from rfc3161_client import VerificationError, VerifierBuilder

    try:
        found = [load_pem_x509_certificate(one) for one in certificates]
        roots = [one for one in found if one.issuer == one.subject]
        if not roots:
            return False
        between = [one for one in found if one.issuer != one.subject]
        return VerifierBuilder(roots=roots, intermediates=between).build().verify_message(_parsed(answer), data)
    except (VerificationError, ValueError):
        return False

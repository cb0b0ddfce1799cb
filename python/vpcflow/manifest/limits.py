"""What a manifest cannot prove, in the words of every place that says it."""

from __future__ import annotations

#: What no manifest shows, a sentence each.
LIMITS = (
    "AWS does not sign flow logs: a manifest shows what was collected, and nothing of the time between capture and "
    "collection.",
    "A chain without an anchor outside can be rewritten as a whole, or lose its newest heads: publish heads where the "
    "owner of the folder cannot write, or let a time-stamping authority stamp them.",
    "What was never delivered leaves no line; days without objects have heads of their own.",
)

READ_ME = """A manifest of VPC flow logs, written by vpcflow.

objects.jsonl   one line an object: SHA-256 of its stored bytes, size, counts, span
heads/          what the list held at a time: root of the RFC 6962 tree of these lines, hash of the head before
signatures/     of heads: .dsse.json (in-toto statement), .sig (ssh-keygen), .minisig, .tsr (RFC 3161)
keys/           public keys of signatures, to compare with those that you got on another way
SHA256SUMS      of these files

Check it:                     vpcflow manifest verify FOLDER LOGS --keys KEY
Check it without vpcflow:     sha256sum -c SHA256SUMS
                              ssh-keygen -Y verify -f ALLOWED_SIGNERS -I WHO -n vpcflow-manifest \\
                                -s signatures/NUMBER.ID.sig < heads/NUMBER.json
                              minisign -V -p PUBLIC_KEY -x signatures/NUMBER.ID.minisig -m heads/NUMBER.json
                              openssl ts -verify -CAfile CA.pem -data heads/NUMBER.json -in signatures/NUMBER.ID.tsr

What it cannot prove:
""" + "".join(f"- {text}\n" for text in LIMITS)

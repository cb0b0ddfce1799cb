"""What became of attempts: each session's outcome, from its state and the TCP flags of both ends.

Success is that the server accepted (SYN-ACK) or, without flags, that it replied: no more can be seen. What the logs
cannot show is ``unknown``, never a failure.
"""

from __future__ import annotations

#: Outcomes of attempts. The last five are failures, in the order of what is told first.
ANSWERED, RESET, UNKNOWN, REJECTED, HALF, REFUSED, SILENT = (
    "answered", "reset", "unknown", "rejected", "half", "refused", "silent",
)  # fmt: skip
#: Sessions that are no attempts: begun before the logs, and packets that came after their connection was over.
ONGOING, LATE = "ongoing", "late"
FAILURES = (REJECTED, HALF, REFUSED, SILENT)
OUTCOMES = (ANSWERED, RESET, UNKNOWN, *FAILURES, ONGOING, LATE)
MEANING = {
    REJECTED: "rejected by a security group or network ACL",
    HALF: "let through one way and rejected the other",
    REFUSED: "refused with a reset",
    SILENT: "without an answer",
}
TCP = 6
_FIN, _SYN, _RST, _SYN_ACK = 1, 2, 4, 18


def outcome_of(
    protocol: int | None, state: str, client_flags: int | None, server_flags: int | None, server_alone: bool,
    one_direction: bool, flagged: bool,
) -> str:  # fmt: skip
    """Returns the outcome of a session.

    ``server_alone``: no packet of the client was logged, but some of the server. ``flagged``: the logs have TCP flags.
    ``one_direction``: the logs hold one direction only, so no silence means anything."""
    if protocol == TCP and (flagged or client_flags or server_flags):
        found = _by_flags(state, client_flags or 0, server_flags or 0, server_alone)
    else:
        found = _by_packets(protocol, state, server_alone)
    return UNKNOWN if found == SILENT and one_direction else found


def _by_flags(state: str, client: int, server: int, server_alone: bool) -> str:
    accepted = server & _SYN_ACK == _SYN_ACK
    if not client & _SYN:
        if accepted:
            return UNKNOWN if server_alone else RESET if state == "reset" else ANSWERED
        return LATE if state in ("rejected", "half") else ONGOING
    if state in ("rejected", "half"):
        return state
    if accepted:
        return RESET if state == "reset" else ANSWERED
    if state == "established":
        return ANSWERED
    if state == "reset":
        return REFUSED if server & _RST else SILENT
    # A client that closes was answered, or scans; one that sends much was answered.
    return UNKNOWN if client & _FIN or state == "one-way" else SILENT


def _by_packets(protocol: int | None, state: str, server_alone: bool) -> str:
    if state == "rejected":
        return LATE if server_alone else REJECTED
    if state == "one-way":
        return UNKNOWN if protocol == TCP or server_alone else SILENT
    return {"established": ANSWERED, "reset": REFUSED, "unanswered": SILENT, "half": HALF}.get(state, UNKNOWN)

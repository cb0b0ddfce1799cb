"""The verdicts, and the places at which packets are seen."""

from __future__ import annotations

#: All verdicts, each as people say it.
VERDICTS = {
    "works": "it works",
    "not_sent": "never sent",
    "blocked_at_client": "blocked at the client",
    "lost_between": "lost on the way",
    "blocked_at_server": "blocked at the server",
    "silent_server": "the server does not answer",
    "no_listener": "nothing listens at the port",
    "reply_blocked_server_acl": "the answer is blocked at the server's subnet",
    "reply_blocked_client_acl": "the answer is blocked at the client's subnet",
    "reply_lost": "the answer is lost on the way",
    "cut_after": "cut after it was established",
    "mtu_suspected": "large packets are lost: an MTU is suspected",
    "intermittent": "some attempts fail",
    "late_packet": "late packets only, which are harmless",
    "cannot_tell": "the logs cannot tell",
}
#: The four vantage points: what they are called, whether packets go to the server there, and at which end they are.
POINTS = (("A", "client, out", True, "client"), ("B", "server, in", True, "server"),
          ("C", "server, out", False, "server"), ("D", "client, in", False, "client"))  # fmt: skip

"""What to change, as commands that nobody has run, and how to check it."""

from __future__ import annotations

from collections.abc import Iterator

from ..inventory.table import members
from .checkpoints import Checkpoint
from .telling import Told

_EPHEMERAL = ((32768, 60999), (49152, 65535), (1024, 65535))  # Linux, Windows, NAT gateways and load balancers


def change_of(told: Told) -> Iterator[str]:
    """Yields what would change the verdict: the narrowest rule first."""
    settled, causes = told.settled, told.causes
    if causes.layer == "block_public_access":
        yield "exclude the subnet from VPC Block Public Access: aws ec2 create-vpc-block-public-access-exclusion"
        return
    for one in causes.denying:
        if one.layer == "security_group":
            yield from _group_rule(one, told)
        elif one.layer == "network_acl" and one.ids:
            yield from _acl_entry(one, told)
        elif one.layer == "route":
            yield f"{one.text}: create or replace the route of {one.peer}, or restore its target"
    if not causes.denying and causes.rules_changed and settled.verdict != "works":
        yield (
            "nothing by these rules, which allow it: fetch newer ones (vpcflow inventory fetch), and look in "
            "CloudTrail for who changed them"
        )
    yield from _OTHER.get(settled.verdict, ())


def check_of(told: Told) -> Iterator[str]:
    """Yields how to see whether the change has helped."""
    question, verdict = told.seeing.question, told.settled.verdict
    if verdict in ("works", "late_packet"):
        if verdict == "works":
            yield (
                "if it is slow: ss -ti on either host, Network Flow Monitor (round-trip time, retransmissions), or the "
                "load balancer's TargetResponseTime"
            )
        return
    server = told.pairs[0].server if told.pairs else question.server.text
    if question.protocol == 6:
        yield f"on the client: nc -vz -w 5 {server} {question.port}"
    elif question.protocol in (1, 58):
        yield f"on the client: ping -c 3 {server}"
    yield from _CHECKS.get(verdict, ())
    if verdict == "cannot_tell" or not told.settled.certain:
        yield (
            "make it certain: flow logs of both ends with TrafficType ALL and all fields, a time (--at), and an "
            "inventory (vpcflow inventory fetch)"
        )
    port = "" if question.port is None else f" --port {question.port}"
    yield (
        f"after some minutes: vpcflow explain PATH --inventory DIR --from {question.client.text} --to "
        f"{question.server.text}{port} --start -10m"
    )


def _group_rule(one: Checkpoint, told: Told) -> Iterator[str]:
    question = told.seeing.question
    direction = "ingress" if one.place == "server_group" else "egress"
    names = {6: "tcp", 17: "udp", 1: "icmp", 58: "icmpv6"}
    protocol = names.get(question.protocol, str(question.protocol))
    ports = f"FromPort={one.port},ToPort={one.port}," if question.has_ports else (
        "FromPort=-1,ToPort=-1," if question.protocol in (1, 58) else ""
    )  # fmt: skip
    v6 = ":" in one.peer
    ranges = f"Ipv6Ranges=[{{CidrIpv6={one.peer}/128}}]" if v6 else f"IpRanges=[{{CidrIp={one.peer}/32}}]"
    yield (
        f"aws ec2 authorize-security-group-{direction} --group-id {one.ids[0]} --ip-permissions "
        f"'IpProtocol={protocol},{ports}{ranges}'"
    )
    near = [(id, parts) for id, parts in one.missed if len(parts) == 1]
    if near:
        yield f"nearest rule: {near[0][0]}, which differs in its {near[0][1][0]} alone"


def _acl_entry(one: Checkpoint, told: Told) -> Iterator[str]:
    assert one.interface is not None
    question, network = told.seeing.question, told.seeing.network
    acl, _, entry = (one.ids[0] if one.ids else "").partition("#")
    is_reply = one.place.startswith("reply_")
    egress = one.place in ("client_acl", "reply_server_acl")
    used = set()
    if network is not None:
        item = network.items["NetworkAcls"].get(acl, {})
        used = {int(e["RuleNumber"]) for e in members(item, "Entries") if bool(e.get("Egress")) == egress}
    below = int(entry) if entry.isdigit() else 32767
    before = max((number for number in used if number < below), default=0)
    number = before + 10 if below >= 32767 else next(
        (n for n in range(below - 1, 0, -1) if n not in used), max(below - 1, 1)
    )  # fmt: skip
    low, high = _reply_range(told) if is_reply else (one.port, one.port)
    ports = f"--port-range From={low},To={high} " if question.has_ports else (
        "--icmp-type-code Code=-1,Type=-1 " if question.protocol in (1, 58) else ""
    )  # fmt: skip
    block = f"--ipv6-cidr-block {one.peer}/128" if ":" in one.peer else f"--cidr-block {one.peer}/32"
    yield (
        f"aws ec2 create-network-acl-entry --network-acl-id {acl} --{'egress' if egress else 'ingress'} --rule-number "
        f"{number} --protocol {question.protocol} {ports}{block} --rule-action allow"
    )


def _reply_range(told: Told) -> tuple[int, int]:
    """Returns the range of usual client ports that the observed ones lie in."""
    seen = [port for pair in told.pairs for port in pair.ports]
    fitting = (span for span in _EPHEMERAL if all(span[0] <= port <= span[1] for port in seen))
    return next(fitting, (0, 65535))


_OTHER = {
    "lost_between": (),
    "silent_server": (
        "on the server: host firewall (iptables -nvL, nft list ruleset, Windows firewall), and whether the program "
        "accepts (ss -ltn: Recv-Q at its limit means a full backlog)",
    ),
    "no_listener": ("start the service, or let it listen at the interface's address instead of 127.0.0.1 (ss -ltnp)",),
    "cut_after": (
        "send keepalives well below the idle time: TCP keepalive of the program, or sysctl net.ipv4.tcp_keepalive_time",
        "an idle timeout of a security group is set by the interface's ConnectionTrackingConfiguration",
    ),
    "mtu_suspected": (
        "lower the MTU of the hosts to the smallest on the way (transit gateway 8500, internet 1500), or clamp the "
        "MSS; let ICMP type 3 code 4 through, so that path MTU discovery works",
    ),
    "reply_lost": (
        "make the way back the same: routes of the server's subnet, appliance mode of the transit gateway attachment",
    ),
}
_CHECKS = {
    "mtu_suspected": ("the largest of ping -M do -s 1472 and -s 8472 that passes is the MTU less 28",),
    "silent_server": ("on the server: tcpdump -ni any 'port PORT' shows whether packets arrive and leave",),
    "lost_between": ("the transit gateway's flow logs: packets-lost-no-route and packets-lost-blackhole",),
}

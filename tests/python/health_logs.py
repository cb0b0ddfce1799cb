"""Logs with planted failures, for tests of health: the slow and obvious way, with what is true beside."""

V2 = "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status"
V5 = f"{V2} tcp-flags pkt-srcaddr pkt-dstaddr flow-direction"
T0 = 1795413600  # 2026-11-23 06:00:00 UTC
CLIENT, SERVER = "10.0.0.1", "10.0.1.9"


class Log:
    """Lines of a log. Every attempt has a port of its own."""

    def __init__(self, head=V5):
        self.head, self.lines, self.port = head.split(), [], 20000

    def record(self, source, target, sport, dport, start, **more):
        """Adds one record of a client's interface."""
        values = {
            "version": 5, "account-id": "123456789012", "interface-id": "eni-1", "srcaddr": source, "dstaddr": target, "srcport": sport,
            "dstport": dport, "protocol": 6, "packets": 6, "bytes": 900, "start": start, "end": start + 5, "action": "ACCEPT",
            "log-status": "OK", "tcp-flags": 0, "pkt-srcaddr": source, "pkt-dstaddr": target, "flow-direction": "-",
        } | {name.replace("_", "-"): value for name, value in more.items()}  # fmt: skip
        self.lines.append(" ".join(str(values[name]) for name in self.head))

    def attempt(self, outcome, start, client=CLIENT, server=SERVER, port=5432, eni="eni-1", protocol=6):
        """Adds what the client's interface logs of one attempt."""
        own = self.port = 20000 + (self.port - 19999) % 40000
        size = 80 if ":" in client else 60
        both = {"interface_id": eni, "protocol": protocol}
        tcp = protocol == 6
        if outcome == "rejected":
            self.record(client, server, own, port, start, **both, packets=1, bytes=size, action="REJECT", tcp_flags=2 * tcp)
        elif outcome == "silent":
            self.record(client, server, own, port, start, **both, packets=3, bytes=3 * size, tcp_flags=2 * tcp)
        elif outcome == "refused":
            self.record(client, server, own, port, start, **both, packets=1, bytes=size, tcp_flags=2)
            self.record(server, client, port, own, start, **both, packets=1, bytes=size - 20, tcp_flags=4)
        elif outcome == "half":
            self.record(client, server, own, port, start, **both, packets=3, bytes=3 * size, tcp_flags=2)
            self.record(server, client, port, own, start, **both, packets=3, bytes=3 * size, tcp_flags=18, action="REJECT")
        else:
            reset = 4 if outcome == "reset" else 0
            self.record(client, server, own, port, start, **both, tcp_flags=3 * tcp)
            self.record(server, client, port, own, start, **both, tcp_flags=(19 | reset) * tcp)

    def status(self, status, start, end, eni="eni-1"):
        """Adds a record of NODATA or SKIPDATA."""
        none = dict.fromkeys(("srcaddr", "dstaddr", "srcport", "dstport", "protocol", "packets", "bytes", "action", "tcp-flags"), "-")
        values = {name: "-" for name in self.head} | none
        values |= {"version": 5, "account-id": "123456789012", "interface-id": eni, "start": start, "end": end, "log-status": status}
        self.lines.append(" ".join(str(values[name]) for name in self.head))

    @property
    def data(self):
        return ("\n".join([" ".join(self.head), *self.lines]) + "\n").encode()


def steady(log, bins, attempts, failing, every=300, **more):
    """Adds ``attempts`` a bin, of which ``failing(bin)`` fail."""
    for number in range(bins):
        failed = failing(number)
        for i in range(attempts):
            start = T0 + number * every + i * every // attempts
            log.attempt("silent" if i * failed // attempts != (i + 1) * failed // attempts else "answered", start, **more)
    return log


OUTAGE = 1795438800  # 2026-11-23 13:00:00 UTC
HOSTS = {"web-1": "10.0.0.11", "web-2": "10.0.0.12", "api-1": "10.0.1.21", "api-2": "10.0.1.22", "db": "10.0.2.30", "cache": "10.0.2.40"}
CALLS = (
    ("web-1", "api-1", 8443), ("web-2", "api-2", 8443), ("api-1", "db", 5432), ("api-2", "db", 5432), ("api-1", "cache", 6379),
    ("api-2", "cache", 6379),
)  # fmt: skip


def outage():
    """Two hours of a small application; from 14:05 on four of ten calls of the database stay without an answer. It is
    examples/outage/flow.log.gz."""
    log = Log()
    for second in range(0, 7200, 15):
        for number, (client, server, port) in enumerate(CALLS):
            fails = server == "db" and second >= 3900 and second // 15 * 7 % 10 < 4
            start = OUTAGE + second + number
            log.attempt("silent" if fails else "answered", start, HOSTS[client], HOSTS[server], port, eni=f"eni-{client}")
    for second in range(0, 7200, 600):  # a stranger who knocks
        log.attempt("rejected", OUTAGE + second, "203.0.113.9", HOSTS["web-1"], 22, eni="eni-web-1")
    return log


def inventory_of_outage():
    """What examples/outage/aws holds."""
    interfaces = [
        {
            "NetworkInterfaceId": f"eni-{name}", "InterfaceType": "interface", "SubnetId": "subnet-1", "VpcId": "vpc-1",
            "PrivateIpAddress": address, "PrivateIpAddresses": [{"PrivateIpAddress": address, "Primary": True}],
            "TagSet": [{"Key": "Name", "Value": name}],
        }
        for name, address in HOSTS.items()
    ]  # fmt: skip
    return {"NetworkInterfaces": interfaces}

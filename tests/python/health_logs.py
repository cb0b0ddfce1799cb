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

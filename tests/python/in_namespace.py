"""Loads rule sets of nftables in a network namespace of its own and tells which probes are answered.

Run as `unshare --net python in_namespace.py`. Reads from standard input an array of `{"rules": TEXT, "probes": [[protocol,
client, client port, server, port], ...]}`; writes an array of arrays of booleans.
"""

import json
import select
import socket
import struct
import subprocess
import sys
import threading
import time

PORTS = (21, 22, 23, 80, 443, 1023, 1024)
PATIENCE = 0.1  # seconds for all probes of a rule set


def family(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def serve():
    """Listens at all ports, and echoes datagrams."""
    listening = []
    for kind in (socket.AF_INET, socket.AF_INET6):
        for port in PORTS:
            tcp = socket.socket(kind, socket.SOCK_STREAM)
            udp = socket.socket(kind, socket.SOCK_DGRAM)
            for own in (tcp, udp):
                own.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if kind == socket.AF_INET6:
                    own.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            # Answers must come from the address that was asked.
            udp.setsockopt(socket.IPPROTO_IP, 8, 1) if kind == socket.AF_INET else udp.setsockopt(
                socket.IPPROTO_IPV6, 49, 1
            )
            tcp.bind(("", port))
            udp.bind(("", port))
            tcp.listen(512)
            listening += [tcp, udp]
    while True:
        for own in select.select(listening, [], [])[0]:
            if own.type == socket.SOCK_STREAM:
                own.accept()[0].close()
                continue
            data, ancillary, _, peer = own.recvmsg(64, 256)
            try:
                own.sendmsg([data], [one for one in ancillary if one[1] in (8, 50)], 0, peer)
            except OSError:  # denied on its way out
                continue


def begin(probe):
    """Sends what a probe sends, and returns its socket and whether an answer is readable or writable."""
    protocol, client, client_port, server, port = probe
    if protocol in (1, 58):
        own = socket.socket(family(client), socket.SOCK_RAW, protocol)
        own.bind((client, 0))
        kind = 8 if protocol == 1 else 128
        echo = struct.pack("!BBHHH", kind, 0, 0, client_port, 1)
        if protocol == 1:
            total = sum(struct.unpack("!4H", echo))
            echo = struct.pack("!BBHHH", kind, 0, ~((total >> 16) + total) & 0xFFFF, client_port, 1)
        send(own, echo, (server, 0))
        return own
    own = socket.socket(family(client), socket.SOCK_STREAM if protocol == 6 else socket.SOCK_DGRAM)
    own.setblocking(False)
    own.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    own.bind((client, client_port))
    if protocol == 6:
        own.connect_ex((server, port))
    else:
        own.connect((server, port))
        send(own, b"x", None)
    return own


def send(own, data, to):
    try:
        own.sendto(data, to) if to else own.send(data)
    except OSError:  # denied on its way out
        return


def answered(own, probe, until):
    """Whether the answer of a probe arrives until a time."""
    protocol, _, client_port, server, _ = probe
    while True:
        left = max(0.0, until - time.monotonic())
        if protocol == 6:
            if not select.select([], [own], [], left)[1]:
                return False
            return own.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0
        if not select.select([own], [], [], left)[0]:
            return False
        try:
            data, peer = own.recvfrom(256)
        except OSError:
            return False
        if protocol == 17:
            return True
        icmp = data[20:] if protocol == 1 else data
        if peer[0] == server and icmp[0] in (0, 129) and struct.unpack("!H", icmp[4:6])[0] == client_port:
            return True


def main():
    scenarios = json.load(sys.stdin)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    addresses = {probe[side] for one in scenarios for probe in one["probes"] for side in (1, 3)}
    for address in sorted(addresses):
        subprocess.run(["ip", "address", "add", f"{address}/{128 if ':' in address else 32}", "dev", "lo"], check=True)
    threading.Thread(target=serve, daemon=True).start()
    out = []
    for one in scenarios:
        subprocess.run(["nft", "-f", "-"], input="flush ruleset\n" + one["rules"], text=True, check=True)
        probes = [(begin(probe), probe) for probe in one["probes"]]
        until = time.monotonic() + PATIENCE
        out.append([answered(own, probe, until) for own, probe in probes])
        for own, _ in probes:
            own.close()
    json.dump(out, sys.stdout)


if __name__ == "__main__":
    main()

"""Screens of a terminal, kept as text in golden/screens: run this file to write them anew, and look at what changes."""

import contextlib
import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path

FOLDER = Path(__file__).parent / "golden" / "screens"
ROOT = Path(__file__).resolve().parents[2]
LOG = "examples/data/sample.log.gz"
WIDTHS = (80, 160)
COMMANDS = {
    "summary": ["summary", LOG, "--percent"],
    "top": ["top", LOG, "--by", "src,dst_port,proto", "--agg", "sum:bytes", "--agg", "flows=count", "--percent", "-n", "5"],
    "sessions": ["sessions", LOG, "-n", "5", "--order-by", "server_bytes", "--human"],
    "detect": ["detect", LOG],
    "head": ["head", LOG, "-n", "5"],
    "coverage": ["coverage", LOG],
    "timeline": ["timeline", LOG, "--every", "15m"],
}


def screen(args, width, encoding="utf-8", **environment):
    """What a terminal of that width gets: text of one stream, as both are the terminal."""
    leader, follower = pty.openpty()
    try:
        fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 50, width, 0, 0))
        own = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "LINES", "NO_COLOR", "LC_ALL")}
        own |= {"TERM": "xterm-256color", "LANG": "C.UTF-8", **environment}
        command = [sys.executable, "-m", "vpcflow", *map(str, args)]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=follower, stderr=follower, env=own, cwd=ROOT)
        os.close(follower)
        follower = -1
        shown = b""
        with contextlib.suppress(OSError):  # the end of a terminal
            while part := os.read(leader, 65536):
                shown += part
        process.wait(60)
    finally:
        os.close(leader)
        if follower >= 0:
            os.close(follower)
    # A slow machine shows progress, too, and wipes it.
    return re.sub(r"\r[^\n]*\r", "", shown.decode(encoding).replace("\r\n", "\n"))


def plain_screens():
    """All screens without colours, by the paths of their files."""
    return {
        FOLDER / f"{name}-{width}.txt": screen(args, width, NO_COLOR="1")
        for name, args in COMMANDS.items()
        for width in WIDTHS
    }


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    for path, text in plain_screens().items():
        path.write_text(text)

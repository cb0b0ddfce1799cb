"""Prints the requirements of an extra of pyproject.toml, one a line (for pip install -r)."""

import re
import sys
from pathlib import Path

text = (Path(__file__).parent.parent / "pyproject.toml").read_text()
extra = re.search(rf"^{sys.argv[1]} = \[(.*?)\]$", text, re.M | re.S)
if extra is None:
    sys.exit(f"no extra {sys.argv[1]!r} in pyproject.toml")
print("\n".join(re.findall(r'"([^"]+)"', extra.group(1))))

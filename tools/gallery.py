"""Makes the pictures of docs/gallery.md by running its examples over the sample: python tools/gallery.py [FOLDER]"""

import os
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "gallery.md"
BLOCK = re.compile(r"^```python\n(.*?)^```\n(?:\n!\[[^\]]*\]\(gallery/(\w+)\.png\))?", re.M | re.S)


def pictures() -> Iterator[tuple[str, Any]]:
    """Yields the name of each picture of the page, and the figure that its example drew, which is closed afterwards."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    names: dict[str, Any] = {}
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "logs").mkdir()
        (Path(folder) / "logs" / "sample.log.gz").symlink_to(ROOT / "examples" / "data" / "sample.log.gz")
        os.chdir(folder)
        try:
            for code, name in BLOCK.findall(PAGE.read_text()):
                pyplot.close("all")
                exec(compile(code, str(PAGE), "exec"), names)
                if name:
                    yield name, pyplot.gcf()
        finally:
            pyplot.close("all")
            os.chdir(before)


def main() -> None:
    """Writes the pictures."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else PAGE.parent / "gallery"
    folder.mkdir(exist_ok=True)
    for name, figure in pictures():
        path = folder / f"{name}.png"
        figure.savefig(path, dpi=72, pil_kwargs={"optimize": True})
        print(f"{path}: {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()

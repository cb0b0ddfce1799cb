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
BLOCK = re.compile(r"^```python\n(.*?)^```\n(?:\n!\[[^\]]*\]\(gallery/(\w+)\.(png|svg)\))?", re.M | re.S)
CHARTS = "## Charts of flow logs"  # from where on pictures are SVG, of the variable `chart`


def _run(blocks: list[tuple[str, str, str]]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Runs examples one after the other, and yields the names of pictures with the variables."""
    names: dict[str, Any] = {}
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "logs").mkdir()
        (Path(folder) / "logs" / "sample.log.gz").symlink_to(ROOT / "examples" / "data" / "sample.log.gz")
        os.chdir(folder)
        try:
            for code, name, _ in blocks:
                exec(compile(code, str(PAGE), "exec"), names)
                if name:
                    yield name, names
        finally:
            os.chdir(before)


def pictures() -> Iterator[tuple[str, Any]]:
    """Yields the name of each plot of the page, and the figure that its example drew, which is closed afterwards."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    try:
        for name, _ in _run(BLOCK.findall(PAGE.read_text().partition(CHARTS)[0])):
            yield name, pyplot.gcf()
            pyplot.close("all")
    finally:
        pyplot.close("all")


def charts() -> Iterator[tuple[str, str]]:
    """Yields the name of each chart of the page, and the SVG that its example made."""
    first, _, own = PAGE.read_text().partition(CHARTS)
    for name, names in _run(BLOCK.findall(first)[:1] + BLOCK.findall(own)):
        yield name, names["chart"].svg()


def main() -> None:
    """Writes the pictures."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else PAGE.parent / "gallery"
    folder.mkdir(exist_ok=True)
    for name, figure in pictures():
        path = folder / f"{name}.png"
        figure.savefig(path, dpi=72, pil_kwargs={"optimize": True})
        print(f"{path}: {path.stat().st_size:,} bytes")
    for name, svg in charts():
        path = folder / f"{name}.svg"
        path.write_text(svg + "\n", encoding="utf-8")
        print(f"{path}: {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()

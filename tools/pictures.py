"""Makes the pictures of README.md and docs/ (`make pictures`): the gallery, the screen of `vpcflow live`, and the report as Chromium
shows it."""

import asyncio
import os
import re
import subprocess
import tempfile
from pathlib import Path

import gallery

import vpcflow as vf
from vpcflow.report.pdf import browser

ROOT = Path(__file__).parent.parent
REPORT = ROOT / "docs" / "assets" / "report.png"
SIZE = (960, 780)
LIVE = ROOT / "docs" / "assets" / "live.svg"


def report_page() -> str:
    """The report of the sample, as docs/how-to/report-for-a-lead.md makes it."""
    os.chdir(ROOT)
    return vf.report(vf.scan("examples/data/sample.log.gz"), title="Shop, 23 November").html


def photograph(program: str, html: str, path: Path) -> None:
    """Writes the first screen of a page as a PNG of few colours."""
    from PIL import Image

    with tempfile.TemporaryDirectory() as folder:
        page, out = Path(folder, "page.html"), Path(folder, "page.png")
        page.write_text(html, encoding="utf-8")
        root = ["--no-sandbox"] if os.geteuid() == 0 else []
        subprocess.run(
            [program, "--headless=new", *root, "--disable-gpu", "--hide-scrollbars", f"--user-data-dir={folder}/profile",
             f"--window-size={SIZE[0]},{SIZE[1]}", f"--screenshot={out}", page.as_uri()],
            check=True, capture_output=True, timeout=120,
        )  # fmt: skip
        with Image.open(out) as picture:
            picture.convert("RGB").quantize(64).save(path, optimize=True)


def live_screen() -> str:
    """The screen of `vpcflow live examples/data/sample.log.gz`, as an SVG that asks for nothing."""
    from vpcflow.detect.settings import Settings
    from vpcflow.live.screen import LiveApp
    from vpcflow.live.sources import LogSource
    from vpcflow.serve import gather

    os.chdir(ROOT)
    name = "examples/data/sample.log.gz"
    source = LogSource([name], lambda: vf.scan(name), lambda flows, _: gather(flows, settings=Settings()), name)

    async def drawn() -> str:
        app = LiveApp(source, source.read(None), span=None, refresh=3600)
        async with app.run_test(size=(100, 34)) as pilot:
            await pilot.pause()
            return app.export_screenshot(title="vpcflow live")

    return re.sub(r"@font-face \{.*?\}\s*", "", asyncio.run(drawn()), flags=re.S)


def main() -> None:
    """Writes the pictures."""
    gallery.main()
    LIVE.write_text(live_screen(), encoding="utf-8")
    print(f"{LIVE}: {LIVE.stat().st_size:,} bytes")
    program = browser()
    if program is None:
        print(f"No Chromium here: {REPORT} stays as it is")
        return
    photograph(program, report_page(), REPORT)
    print(f"{REPORT}: {REPORT.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()

"""Makes the pictures of README.md and docs/ (`make pictures`): the gallery, the screen of `vpcflow live`, and as Chromium shows them
the report, and the dashboard where VictoriaMetrics is installed."""

import asyncio
import os
import re
import subprocess
import tempfile
from pathlib import Path

import gallery

import vpcflow as vf
from vpcflow.detect.settings import Settings
from vpcflow.errors import PlanError
from vpcflow.grafana.stand_ins import draw, found
from vpcflow.report.pdf import browser
from vpcflow.serve import gather

ROOT = Path(__file__).parent.parent
REPORT = ROOT / "docs" / "assets" / "report.png"
DASHBOARD = ROOT / "docs" / "assets" / "dashboard.png"
SAMPLE = "examples/data/sample.log.gz"
SIZE = (960, 780)
WIDE = (1240, 830)
PATIENCE = 20_000  # milliseconds of the page's own time, in which its queries are answered
LIVE = ROOT / "docs" / "assets" / "live.svg"


def report_page() -> str:
    """The report of the sample, as docs/how-to/report-for-a-lead.md makes it."""
    os.chdir(ROOT)
    return vf.report(vf.scan(SAMPLE), title="Shop, 23 November").html


def photograph(program: str, url: str, path: Path, size: tuple[int, int], *options: str) -> None:
    """Writes the first screen of a page as a PNG of few colours."""
    from PIL import Image

    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "page.png")
        root = ["--no-sandbox"] if os.geteuid() == 0 else []
        subprocess.run(
            [program, "--headless=new", *root, "--disable-gpu", "--hide-scrollbars", f"--user-data-dir={folder}/profile",
             f"--window-size={size[0]},{size[1]}", f"--screenshot={out}", *options, url],
            check=True, capture_output=True, timeout=120,
        )  # fmt: skip
        with Image.open(out) as picture:
            picture.convert("RGB").quantize(64).save(path, optimize=True)
    print(f"{path}: {path.stat().st_size:,} bytes")


def photograph_report(program: str) -> None:
    """Writes the picture of the report."""
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder, "page.html")
        page.write_text(report_page(), encoding="utf-8")
        photograph(program, page.as_uri(), REPORT, SIZE)


def photograph_dashboard(program: str) -> None:
    """Writes the picture of the dashboard, as `vpcflow grafana try` shows it in VictoriaMetrics."""
    try:
        victoriametrics = found(["victoriametrics"])["victoriametrics"]
    except PlanError as error:
        print(f"{DASHBOARD} stays as it is: {error}")
        return
    flows = vf.scan(SAMPLE)
    running = draw(victoriametrics, gather(flows, settings=Settings()), "v5")
    try:
        photograph(program, running.page, DASHBOARD, WIDE, f"--virtual-time-budget={PATIENCE}")
    finally:
        running.close()


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
        print(f"No Chromium here: {REPORT} and {DASHBOARD} stay as they are")
        return
    photograph_report(program)
    photograph_dashboard(program)


if __name__ == "__main__":
    main()

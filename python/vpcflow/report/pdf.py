"""The report on paper: by Chromium, or by WeasyPrint where there is none."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from ..charts.drawing import PAPER
from ..errors import OutputError

_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge")
_PATIENCE = 120  # seconds that a browser gets


def browser() -> str | None:
    """Returns the program of a browser of Chromium's kind, if there is one."""
    return next(filter(None, map(shutil.which, _BROWSERS)), None)


def pdf_of(html: str) -> bytes:
    """Prints a page, which asks for nothing else, as PDF. Raises :class:`~vpcflow.OutputError` if nothing can."""
    program = browser()
    if program is not None:
        return _by_browser(program, html)
    try:
        import weasyprint
    except ImportError:
        raise OutputError(
            "report: a PDF needs Chromium or WeasyPrint: install one (pip install 'vpcflow[pdf]'), or print the .html"
        ) from None
    # It gives pictures none of the page's styles, so each takes its own.
    drawn = re.sub(r"<svg\b[^>]*>", lambda found: f"{found[0]}<style>{PAPER}</style>", html)
    made: bytes = weasyprint.HTML(string=drawn).write_pdf()
    return made


def _by_browser(program: str, html: str) -> bytes:
    with tempfile.TemporaryDirectory(prefix="vpcflow-report-") as folder:
        page, out = Path(folder, "report.html"), Path(folder, "report.pdf")
        page.write_text(html, encoding="utf-8")
        root = (
            ["--no-sandbox"] if getattr(os, "geteuid", lambda: 1)() == 0 else []
        )  # it refuses to run as root with one
        command = [
            program, "--headless=new", *root, "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
            f"--user-data-dir={folder}/profile", "--no-pdf-header-footer", f"--print-to-pdf={out}", page.as_uri(),
        ]  # fmt: skip
        try:
            done = subprocess.run(command, capture_output=True, timeout=_PATIENCE, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise OutputError(f"report: {program} did not print the page: {error}") from None
        if not out.exists() or not out.read_bytes().startswith(b"%PDF"):
            said = done.stderr.decode(errors="replace").strip().splitlines()
            raise OutputError(f"report: {program} did not print the page: {said[-1] if said else 'no reason given'}")
        return out.read_bytes()

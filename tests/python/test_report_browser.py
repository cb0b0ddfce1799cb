"""The report in a browser: it asks for nothing, nothing in it runs, everybody can read it, and it prints. With `make soak`."""

import json
import os
import re
import shutil
import socket
import subprocess
import threading

import pytest

import vpcflow as vf
from aws_servers import SERVERS
from conftest import SAMPLE
from test_report import AUDIT, HOSTILE, hostile_log
from vpcflow.report.pdf import browser

pytestmark = [
    pytest.mark.skipif(not os.environ.get("VPCFLOW_LONG"), reason="VPCFLOW_LONG: a browser takes its time"),
    pytest.mark.skipif(browser() is None, reason="no Chromium here"),
]
DARK = ("--blink-settings=preferredColorScheme=0",)
PLANTED = '<img src="http://192.0.2.1/x" onerror="document.title=\'hit\'"><script>document.title=\'hit\'</script>'


def shown(page, *options):
    """The document as the browser has it after its scripts."""
    with_root = ["--no-sandbox"] if os.geteuid() == 0 else []
    done = subprocess.run(
        [browser(), "--headless=new", *with_root, "--disable-gpu", "--no-first-run", "--disable-background-networking",
         f"--user-data-dir={page.parent}/profile", "--virtual-time-budget=5000", *options, "--dump-dom", page.as_uri()],
        capture_output=True, timeout=120, check=True,
    )  # fmt: skip
    return done.stdout.decode()


@pytest.fixture
def proxy():
    """A proxy through which every request would go, and the requests that came for the page."""
    listener = socket.create_server(("127.0.0.1", 0))
    asked = []

    def serve():
        while True:
            try:
                peer, _ = listener.accept()
            except OSError:
                return
            first = peer.recv(4096).split(b"\r\n")[0].decode(errors="replace")
            asked.append(first)
            peer.close()

    threading.Thread(target=serve, daemon=True).start()
    yield f"--proxy-server=127.0.0.1:{listener.getsockname()[1]}", asked
    listener.close()


def title_of(document):
    return re.search(r"<title>(.*?)</title>", document, re.S)[1]


def test_nothing_is_asked_for_and_nothing_runs(tmp_path, proxy):
    option, asked = proxy
    made = vf.report(vf.scan(hostile_log(tmp_path)), title=f"Shop {HOSTILE}")
    page = tmp_path / "report.html"
    made.to_html(page)
    document = shown(page, option)
    assert [request for request in asked if "192.0.2.1" in request or ".log" in request] == []
    assert title_of(document).startswith("Shop &lt;img")
    assert document.count("<script>") == 1
    # Our own script ran: heads of columns are buttons.
    assert '<button type="button">' in document
    # What was planted behind the back of the template is stopped by the policy; without a policy it runs.
    planted = made.html.replace("<main>", f"<main>{PLANTED}")
    page.write_text(planted, encoding="utf-8")
    assert title_of(shown(page, option)) != "hit"
    assert not [request for request in asked if "192.0.2.1" in request]
    page.write_text(re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", planted), encoding="utf-8")
    assert title_of(shown(page, option)) == "hit"
    assert [request for request in asked if "192.0.2.1" in request]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("what", ["sample", "controls", "hostile", "nothing"])
def test_everybody_can_read_it(tmp_path, scheme, what):
    axe = SERVERS / "axe" / "node_modules" / "axe-core" / "axe.min.js"
    if not axe.exists():
        pytest.skip("no axe-core: tools/servers.sh build/servers all")
    logs = {"sample": lambda: vf.scan(SAMPLE), "controls": lambda: vf.scan(AUDIT / "flow.log.gz"), "hostile": lambda: vf.scan(hostile_log(tmp_path)), "nothing": lambda: vf.scan(b"", allow_empty=True)}
    text = vf.report(logs[what](), controls=AUDIT / "controls.yaml" if what == "controls" else None).html
    for details in ("", " open"):
        assert violations(text.replace("<details>", f"<details{details}>"), axe, tmp_path, scheme) == []
    broken = violations(text.replace("<main>", '<main><img src="data:,">'), axe, tmp_path, scheme)
    assert [one["id"] for one in broken] == ["image-alt"]


def violations(text, axe, folder, scheme):
    """What axe-core finds wrong with a page, whose policy would not let it look."""
    look = "axe.run().then(r=>{document.body.setAttribute('data-axe',JSON.stringify([r.violations,r.passes.length]))})"
    text = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", text)
    text = text.replace("</body>", f"<script>{axe.read_text(encoding='utf-8')}</script><script>{look}</script></body>")
    page = folder / "axe.html"
    page.write_text(text, encoding="utf-8")
    document = shown(page, *(DARK if scheme == "dark" else ()))
    found = re.search(r'data-axe="([^"]*)"', document)[1].replace("&quot;", '"').replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    wrong, passed = json.loads(found)
    assert passed > 15
    return [{"id": one["id"], "nodes": [node["html"] for node in one["nodes"]][:5], "why": [n["failureSummary"] for n in one["nodes"]][:2]} for one in wrong]


def test_paper_has_all_of_it(tmp_path):
    if shutil.which("pdftotext") is None:
        pytest.skip("no pdftotext")
    made = vf.report(vf.scan(SAMPLE), title="Shop")
    made.save(tmp_path / "report.pdf")
    done = subprocess.run(["pdftotext", "-layout", tmp_path / "report.pdf", "-"], capture_output=True, check=True)
    text = " ".join(done.stdout.decode().split())
    for words in ("Shop", "What was not seen", made.verdict, "Look closer, or silence it", "The same figures again", "vpcflow detect"):
        assert words in text
    for row in made.to_dict()["over_time"]["rows"][:5]:
        assert f"{row['rejected']:,} {row['records']:,}" in text  # of a table that is folded on the screen
    for incident in made.to_dict()["incidents"]["in_full"]:
        assert incident["story"].split(",")[0] in text
    assert 4 <= done.stdout.count(b"\f") <= 12

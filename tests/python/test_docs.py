"""The documents: links lead somewhere, tables fit a page, both READMEs say the same."""

import re
import shlex

import pytest

import vpcflow as vf
from conftest import ROOT, run_cli

TOP = [ROOT / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")]
PAGES = [*TOP, *sorted((ROOT / "docs").rglob("*.md"))]
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")


def prose(path):
    """A page without its code."""
    return re.sub(r"`[^`\n]*`", "", re.sub(r"^```.*?^```", "", path.read_text(), flags=re.M | re.S))


def anchors(path):
    """The anchors of a page's headings, as GitHub and MkDocs make them."""
    text = re.sub(r"^```.*?^```", "", path.read_text(), flags=re.M | re.S)
    found = []
    for heading in re.findall(r"^#+ (.+)$", text, re.M):
        name = re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")
        found.append(name if name not in found else f"{name}_1")
    return found


def broken_links(path):
    for link in LINK.findall(prose(path)):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (path.parent / name).resolve() if name else path
        if not target.exists():
            yield f"{link}: no such file"
        elif anchor and anchor not in anchors(target):
            yield f"{link}: no such heading"


@pytest.mark.parametrize("path", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_lead_somewhere(path):
    assert list(broken_links(path)) == []


def test_every_page_can_be_reached_from_the_readme():
    seen, todo = set(), [ROOT / "README.md"]
    while todo:
        path = todo.pop()
        if path not in seen:
            seen.add(path)
            links = [link.partition("#")[0] for link in LINK.findall(prose(path))]
            todo += [(path.parent / link).resolve() for link in links if link.endswith(".md") and ":" not in link]
    assert sorted(str(p.relative_to(ROOT)) for p in set(PAGES) - seen) == []


@pytest.mark.parametrize("path", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_no_cell_of_a_table_is_a_paragraph(path):
    cells = [cell.strip() for line in prose(path).splitlines() if line.startswith("|") for cell in line.split("|")]
    assert [cell for cell in cells if len(LINK.sub("", cell)) > 160] == []


def test_the_link_check_finds_what_is_wrong(tmp_path):
    page = tmp_path / "a.md"
    page.write_text("# One `two`: three\n\n[a](b.md) [b](#one-two-three) [c](#four) `[d](e.md)`\n```\n# four\n```\n")
    assert list(broken_links(page)) == ["b.md: no such file", "#four: no such heading"]


def screens():
    """What consoles in the documents show: a command, and the lines below it."""
    for path in PAGES:
        for block in re.findall(r"^```console\n(.*?)^```", path.read_text(), re.M | re.S):
            for screen in re.split(r"^\$ ", block, flags=re.M)[1:]:
                command, *lines = screen.splitlines()
                yield pytest.param(command, lines, id=f"{path.name}: {command[:40]}")


@pytest.mark.parametrize(("command", "lines"), list(screens()))
def test_what_consoles_show_is_what_comes(command, lines, monkeypatch):
    """Three dots stand for any lines."""
    monkeypatch.chdir(ROOT)
    out = run_cli(*shlex.split(command)[1:]).stdout.decode()
    parts = [re.escape(line.rstrip()) + r" *\n" if line != "..." else r"(?:.*\n)*?" for line in lines]
    assert re.fullmatch("".join(parts), out), out


def test_all_errors_are_in_the_reference():
    page = (ROOT / "docs" / "reference" / "errors.md").read_text()
    assert [name for name in vf.__all__ if name.endswith("Error") and f"`{name}`" not in page and f".{name}`" not in page] == []

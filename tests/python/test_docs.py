"""The documents: links lead somewhere, tables fit a page, both READMEs say the same, the site has all of it."""

import ast
import functools
import importlib
import os
import re
import shlex
import subprocess
import sys

import pytest

import vpcflow as vf
from conftest import ROOT, run_cli

TOP = [ROOT / name for name in ("README.md", "README.ja.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")]
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
        if path.name in ("README.ja.md", "aws.md"):
            continue  # shows the same; needs a stand-in of AWS: test_tutorial_aws.py
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


def outline(path):
    """What both READMEs have in common: levels of headings, code, links and pictures, rows of tables."""
    text = path.read_text()
    blocks = re.findall(r"^```.*?^```", text, re.M | re.S)
    rest = re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)
    links = [link for link in LINK.findall(rest) if not link.startswith("README")]
    return re.findall(r"^#+", rest, re.M), blocks, links, re.findall(r"`[^`\n]+`", rest), rest.count("\n| "), rest.count("\n- ")


def test_the_japanese_readme_is_in_step():
    assert outline(ROOT / "README.ja.md") == outline(ROOT / "README.md")
    assert len(re.findall(r"[\u3040-\u30ff\u4e00-\u9fff]", (ROOT / "README.ja.md").read_text())) > 500


@functools.cache
def site():
    """tools/docs_site.py."""
    sys.path.insert(0, str(ROOT / "tools"))
    try:
        return importlib.import_module("docs_site")
    finally:
        sys.path.pop(0)


def test_the_navigation_has_every_page():
    yaml = pytest.importorskip("yaml")
    named = re.findall(r"[\w./-]+\.md", str(yaml.safe_load((ROOT / "mkdocs.yml").read_text())["nav"]))
    made = re.findall(r"[\w./-]+\.md", str(site().navigation()))
    written = [str(path.relative_to(ROOT / "docs")) for path in PAGES if path not in TOP]
    pages = [*written, *site().TOP.values(), *site().NOTEBOOKS.values(), *site().python_pages(), *site().header_pages.pages()]
    assert sorted({*named, *made}) == sorted(pages)


def test_the_python_reference_has_every_name():
    named = {}
    for modules in site().PYTHON.values():
        for module, names in modules.items():
            named |= {name: module for name in names.split()}
    assert sorted(named) == sorted(vf.__all__)
    for name, module in named.items():
        inside = importlib.import_module(".".join(filter(None, ("vpcflow", module))))
        assert getattr(inside, name) is getattr(vf, name)


def test_the_cpp_reference_has_every_public_header():
    pages = site().header_pages.pages()
    public = [
        path.relative_to(ROOT / "include/vpcflow")
        for path in (ROOT / "include/vpcflow").rglob("*.h")
        if path.parent.name not in ("vpcflow", "internal") and not path.name.endswith("-inl.h")
    ]
    left_out = site().header_pages.LEFT_OUT
    assert sorted(pages) == sorted(f"reference/cpp/{path.with_suffix('.md')}" for path in public if str(path) not in left_out)
    for path, text in pages.items():
        assert re.match(r"# \w+\.h\n\n```cpp\n#include <vpcflow/.*>\n```\n\n\S", text), path
        assert "**Example**" in text, path
        assert "\n## " in text, path
        for block in re.findall(r"^```cpp\n(.*?)^```$", text, re.M | re.S):
            bare = re.sub(r'"(?:[^"\\]|\\.)*"|\'.\'|//.*', "", block)
            assert bare.count("{") == bare.count("}"), (path, block)
        assert not re.search(r"\bprivate:|VPCFLOW_X\b", text), path
    view = pages["reference/cpp/record/record_view.md"]
    assert "\n## RecordView\n" in view
    assert "std::string_view text(Field field) const;\n" in view


def test_the_site_builds_and_asks_no_other_host(tmp_path):
    for package in ("mkdocs", "mkdocstrings", "material"):
        pytest.importorskip(package)
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", tmp_path], cwd=ROOT, capture_output=True, text=True,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    for page in tmp_path.rglob("*.html"):
        assert not re.search(r"<(?:script|img|iframe|source)[^>]*\ssrc=\"?(?:https?:)?//|<link[^>]*href=\"?(?:https?:)?//", page.read_text()), page


def test_all_errors_are_in_the_reference():
    page = (ROOT / "docs" / "reference" / "errors.md").read_text()
    assert [name for name in vf.__all__ if name.endswith("Error") and f"`{name}`" not in page and f".{name}`" not in page] == []


def is_property(function):
    return any("property" in ast.unparse(decorator) for decorator in function.decorator_list)


def test_docstrings_of_functions_begin_with_a_verb():
    """In the third person: "Returns ...", "Reads ..."; those of properties and classes name what they are."""
    wrong = []
    for path in sorted((ROOT / "python" / "vpcflow").rglob("*.py")):
        for function in ast.walk(ast.parse(path.read_text())):
            if isinstance(function, ast.FunctionDef) and not function.name.startswith("_") and not is_property(function):
                text = ast.get_docstring(function)
                if text and not re.match(r"[A-Z]\w*s\b", text):
                    wrong.append(f"{path.relative_to(ROOT)}:{function.lineno}: {text[:50]}")
    assert wrong == []

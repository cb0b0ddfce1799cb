"""What users install: extras for all that is imported late, and messages that name what a build lacks."""

import ast
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

import vpcflow
from conftest import ROOT
from vpcflow.cli._main import EXTRAS

PACKAGES = {
    "yaml": "pyyaml", "sigma": "pysigma", "botocore": "boto3", "confluent_kafka": "confluent-kafka",
    "minisign": "py-minisign", "rfc3161_client": "rfc3161-client",
}  # what brings a module, where it is not the name
TEXT = (ROOT / "pyproject.toml").read_text()


def extra(name):
    """The packages of an extra."""
    found = re.search(rf"^{name} = \[(.*)\]$", TEXT.partition("[project.optional-dependencies]")[2], re.M)
    assert found, f"no extra {name}"
    return set(re.findall(r'"([a-z0-9-]+)', found[1]))


def imported():
    """The top names of what the package imports anywhere, without annotations and the standard library."""
    names = set()
    for path in Path(vpcflow.__file__).parent.rglob("*.py"):
        tree = ast.parse(path.read_text())
        typed = {id(n) for i in ast.walk(tree) if isinstance(i, ast.If) and "TYPE_CHECKING" in ast.dump(i.test) for n in ast.walk(i)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Import) and id(node) not in typed:
                names.update(alias.name.partition(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and not node.level and id(node) not in typed:
                names.add((node.module or "").partition(".")[0])
    return names


@pytest.mark.skipif(sys.version_info < (3, 10), reason="the standard library does not list its modules")
def test_each_package_that_is_imported_has_an_extra():
    others = imported() - set(sys.stdlib_module_names) - {"vpcflow"}
    assert others <= set(EXTRAS)
    assert len(others) >= 10


@pytest.mark.parametrize("module", sorted(EXTRAS))
def test_an_extra_brings_the_package_that_it_is_named_for(module):
    assert PACKAGES.get(module, module) in extra(EXTRAS[module])


def test_the_extras_that_texts_name_exist():
    texts = [*Path(vpcflow.__file__).parent.rglob("*.py"), ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    named = {name for path in texts for found in re.findall(r"vpcflow\[([a-z,]+)\]", path.read_text()) for name in found.split(",")}
    assert {"duckdb", "rules"} <= named
    for name in named:
        assert extra(name)


def test_a_command_names_the_extra_that_it_lacks(tmp_path):
    (tmp_path / "duckdb.py").write_text("raise ImportError(name='duckdb')\n")
    log = ROOT / "examples" / "data" / "sample.log.gz"
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); from vpcflow.cli import main; sys.exit(main(['sql', {str(log)!r}, 'select 1']))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr == "vpcflow: error: duckdb is not installed; pip install 'vpcflow[duckdb]'\n"


@pytest.mark.skipif(shutil.which("cmake") is None, reason="CMake is not installed")
def test_a_build_names_the_libraries_that_it_lacks(tmp_path):
    without = [f"-DCMAKE_DISABLE_FIND_PACKAGE_{name}=ON" for name in ("absl", "simdjson")]
    done = subprocess.run(["cmake", "-S", ROOT, "-B", tmp_path, *without], capture_output=True, text=True)
    assert done.returncode != 0
    assert "vpcflow needs libraries that were not found: Abseil, simdjson\n" in done.stderr
    assert "apt install libabsl-dev libsimdjson-dev\n" in done.stderr
    assert done.stderr.count("CMake Error") == 1


def test_what_a_source_distribution_holds(tmp_path, monkeypatch):
    backend = pytest.importorskip("scikit_build_core.build")
    monkeypatch.chdir(ROOT)
    with tarfile.open(tmp_path / backend.build_sdist(str(tmp_path))) as archive:
        sizes = {member.name.partition("/")[2]: member.size for member in archive if member.isfile()}
    needed = {"CMakeLists.txt", "LICENSE", "PKG-INFO", "README.md", "pyproject.toml", "examples/data/sample.log.gz", "python/vpcflow/py.typed"}
    folders = ("cmake", "include", "src", "python/src", "python/vpcflow")
    needed |= {str(path.relative_to(ROOT)) for folder in folders for path in (ROOT / folder).rglob("*") if path.is_file()}
    made = re.compile(r"(^|/)(__pycache__|\.[a-z_]+_cache)/|\.(so|pyc|o|a|out)$|^(build|out|dist|\.venv|\.ci|\.git)/")
    assert {name for name in needed if not made.search(name)} - set(sizes) == set()
    assert [name for name in sizes if made.search(name)] == []
    assert {name.partition("/")[0] for name in sizes} <= {
        ".clang-format", ".github", ".gitignore", "CHANGELOG.md", "CMakeLists.txt", "CONTRIBUTING.md", "LICENSE", "Makefile", "PKG-INFO",
        "README.ja.md", "README.md", "SECURITY.md", "bench", "cmake", "docs", "examples", "include", "mkdocs.yml", "pyproject.toml",
        "python", "src", "tests", "tools",
    }  # fmt: skip
    assert sum(sizes.values()) < 20_000_000

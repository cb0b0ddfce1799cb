"""The project around the code: documentation that runs, types, stubs, what is generated."""

import doctest
import importlib
import os
import pkgutil
import re
import subprocess
import sys

import pytest

import vpcflow as vf
from conftest import ROOT, SAMPLE

MODULES = [m.name for m in pkgutil.walk_packages(vf.__path__, "vpcflow.") if not m.name.endswith(("_core", "__main__"))]


@pytest.mark.parametrize("name", ["vpcflow", *MODULES])
def test_docstring_examples(name):
    failed, _ = doctest.testmod(importlib.import_module(name))
    assert failed == 0


def test_every_public_thing_is_documented():
    for name in vf.__all__:
        item = getattr(vf, name)
        assert item.__doc__, name
        for attribute, member in vars(item).items() if isinstance(item, type) else ():
            if not attribute.startswith("_") and (callable(member) or isinstance(member, property)):
                assert member.__doc__, f"{name}.{attribute}"


@pytest.mark.parametrize(
    "path", sorted(p.relative_to(ROOT) for p in [ROOT / "README.md", *ROOT.glob("docs/**/*.md")]), ids=str
)
def test_python_in_the_documents_runs(path, tmp_path, monkeypatch):
    """Every ```python block of a page runs, in order, in one namespace, beside a folder `logs` with the sample."""
    blocks = re.findall(r"^```python\n(.*?)^```", (ROOT / path).read_text(), re.M | re.S)
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "sample.log.gz").write_bytes(SAMPLE.read_bytes())
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    monkeypatch.chdir(tmp_path)
    names = {}
    for block in blocks:
        exec(compile(block, str(path), "exec"), names)


@pytest.mark.parametrize("path", sorted((ROOT / "examples" / "python").glob("*.py")), ids=lambda p: p.name)
def test_python_examples(path, tmp_path):
    done = subprocess.run([sys.executable, str(path), str(SAMPLE)], capture_output=True, cwd=tmp_path, timeout=120)
    assert done.returncode == 0, done.stderr.decode()
    assert done.stdout


@pytest.mark.parametrize("name", ["first_look", "incident", "vpc_in_five_cells"])
def test_the_notebooks_give_what_is_stored_in_them(name):
    for package in ("nbclient", "ipykernel", "matplotlib", "pandas"):
        pytest.importorskip(package)
    nbformat = pytest.importorskip("nbformat")
    stored = nbformat.read(ROOT / "examples" / "notebooks" / f"{name}.ipynb", as_version=4)
    fresh = tool("notebooks").executed(ROOT / "examples" / "notebooks" / f"{name}.ipynb")
    outputs = [output for cell in fresh.cells for output in cell.get("outputs", ())]
    assert sum("image/png" in o.get("data", {}) for o in outputs) >= 2
    assert any("<table>" in o.get("data", {}).get("text/html", "") for o in outputs)
    assert shown_by(stored) == shown_by(fresh), "run tools/notebooks.py"


def shown_by(notebook):
    """What its cells show, without the bytes of pictures, which differ from one matplotlib to the next."""
    return [
        (output.get("text"), {kind: None if kind.startswith("image/") else data for kind, data in output.get("data", {}).items()})
        for cell in notebook.cells
        for output in cell.get("outputs", ())
    ]


def test_the_stub_names_what_the_module_has():
    core = importlib.import_module("vpcflow._core")
    stub = (ROOT / "python" / "vpcflow" / "_core.pyi").read_text()
    for name in dir(core):
        if not name.startswith("__"):
            assert re.search(rf"^(class|def) {name}\b|^{name}:", stub, re.M), f"{name} is not in _core.pyi"
            item = getattr(core, name)
            for member in vars(item) if isinstance(item, type) else ():
                if not member.startswith("_"):
                    assert re.search(rf"def {member}\b", stub), f"{name}.{member} is not in _core.pyi"


def test_t24_forced_kernels():
    code = "import vpcflow as vf; print(vf.build_info()['kernel'])"
    for kernel in [*vf.build_info()["kernels"], "none"]:
        env = dict(os.environ, VPCFLOW_FORCE_SIMD=kernel)
        done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
        known = kernel != "none"
        assert done.stdout.strip() == (kernel if known else vf.build_info()["kernel"])
        assert ("VPCFLOW_FORCE_SIMD=none: this build and processor have no such kernels" in done.stderr) is not known


def tool(name):
    """A module of tools/."""
    sys.path.insert(0, str(ROOT / "tools"))
    try:
        return importlib.import_module(name)
    finally:
        sys.path.pop(0)


def test_what_is_made_from_the_code_is_current():
    for path, page in tool("generate_docs").pages().items():
        assert path.read_text() == page, f"{path}: run tools/generate_docs.py"


def test_the_sample_is_what_synth_makes():
    import gzip

    made = vf.synth(
        20_000,
        seed=20261123,
        interfaces=60,
        peers=3000,
        noise_sources=1500,
        hours=3,
        start=1795413600,
        format="v5",
        plant="port_scan,brute_force,exfiltration,beacon,lateral_movement,health_check,backup,load_balancer,monitoring",
    )
    assert gzip.decompress(SAMPLE.read_bytes()) == made.data


def test_no_file_is_out_of_bounds():
    """Files over 500 lines ask for a reason."""
    for path in [
        *ROOT.glob("src/**/*.cc"),
        *ROOT.glob("include/**/*.h"),
        *ROOT.glob("python/**/*.py"),
        *ROOT.glob("python/**/*.cc"),
    ]:
        name = str(path.relative_to(ROOT))
        assert len(path.read_text().splitlines()) <= 500, name


def test_the_extras_are_read_whole():
    tomllib = pytest.importorskip("tomllib")
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    for name, packages in extras.items():
        done = subprocess.run([sys.executable, ROOT / "tools" / "requirements.py", name], capture_output=True, text=True)
        assert done.stdout.split("\n") == [*packages, ""], name

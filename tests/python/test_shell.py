"""Completions and manual pages: they are there for every command, and shells and readers take them."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

import vpcflow.cli
from conftest import run_cli
from vpcflow.cli import _commands

SHELL = Path(vpcflow.cli.__file__).parent / "shell"
SHELLS = {"bash": "vpcflow.bash", "zsh": "_vpcflow", "fish": "vpcflow.fish"}


@pytest.mark.parametrize("shell", SHELLS)
def test_completion_prints_the_script(shell):
    assert run_cli("completion", shell, check=0).stdout == (SHELL / SHELLS[shell]).read_bytes()
    assert b"did you mean 'fish'?" in run_cli("completion", "fsh", check=2).stderr


@pytest.mark.parametrize("shell", SHELLS)
def test_shells_take_their_script(shell):
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not here")
    subprocess.run([shell, "-n", SHELL / SHELLS[shell]], check=True, timeout=60)


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        (["vpcflow", "su"], ["summary"]),
        (["vpcflow", "top", "--perc"], ["--percent"]),
        (["vpcflow", "rules", "re"], ["replay"]),
        (["vpcflow", "head", "--container", "js"], ["json"]),
        (["vpcflow", "completion", "z"], ["zsh"]),
        (["vpcflow", "summary", "fl"], ["flow.log"]),
    ],
)
def test_bash_completes(typed, offered, tmp_path):
    (tmp_path / "flow.log").touch()
    words = " ".join(f"'{word}'" for word in typed)
    script = (
        f"source '{SHELL / 'vpcflow.bash'}'; COMP_WORDS=({words}); COMP_CWORD={len(typed) - 1}; "
        f"COMP_LINE=\"${{COMP_WORDS[*]}}\"; COMP_POINT=${{#COMP_LINE}}; "
        f"$(complete -p vpcflow | sed 's/.*-F \\([^ ]*\\).*/\\1/') vpcflow '{typed[-1]}' '{typed[-2]}'; printf '%s\\n' \"${{COMPREPLY[@]}}\""
    )
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=60, cwd=tmp_path)
    assert done.stdout.split() == offered, done.stderr


@pytest.mark.parametrize("name", ["", *_commands.command_names()])
def test_every_command_has_a_page(name):
    page = (SHELL / f"vpcflow{'-' if name else ''}{name}.1").read_text()
    parts = re.findall(r"^\.SH (.*)$", page, re.M)
    assert parts[:2] == ["NAME", "SYNOPSIS"]
    assert {"OPTIONS", "EXAMPLES", "EXIT STATUS", "SEE ALSO"} <= set(parts)
    for option in re.findall(r"(?<![\w-])--[a-z-]+", run_cli(*([name] if name else []), "--help", check=0).stdout.decode()):
        if option != "--learn":  # in a text of watch
            assert option.replace("-", "\\-") in page, option
    if shutil.which("mandoc"):
        done = subprocess.run(["mandoc", "-T", "lint", "-W", "warning"], input=page, capture_output=True, text=True, timeout=60)
        assert [text for text in done.stdout.splitlines() if "missing date" not in text and "unknown manual" not in text] == []
    text = subprocess.run(["man", "-l", "-"], input=page, capture_output=True, text=True, timeout=60) if shutil.which("man") else None
    assert text is None or "SYNOPSIS" in text.stdout

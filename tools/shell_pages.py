"""Manual pages, completions and the reference of the command line, made from its parser."""

import argparse
from pathlib import Path

import shtab

import vpcflow
from vpcflow.cli import _commands

ROOT = Path(__file__).resolve().parents[1]
SHELL = ROOT / "python" / "vpcflow" / "cli" / "shell"
REFERENCE = ROOT / "docs" / "reference" / "cli"
COMPLETIONS = {"bash": "vpcflow.bash", "zsh": "_vpcflow", "fish": "vpcflow.fish"}
FILES = ("PATH", "FILE", "RULES", "FORMAT|PATH")  # metavars
FOLDERS = ("FOLDER", "DIR")


def parsers() -> dict[str, argparse.ArgumentParser]:
    """All parsers by what is typed: "vpcflow", "vpcflow top", "vpcflow rules run"."""
    found = {}

    def add(parser: argparse.ArgumentParser) -> None:
        found[parser.prog] = parser
        for action in parser._actions:
            if isinstance(action, argparse._SubParsersAction):
                for inner in action.choices.values():
                    add(inner)

    add(_commands.make_parser(_commands.command_names()))
    return found


def completions() -> dict[Path, str]:
    """The completion of each shell."""
    made = parsers()
    for parser in made.values():
        for action in parser._actions:
            if action.metavar in FILES:
                action.complete = shtab.FILE
            elif action.metavar in FOLDERS:
                action.complete = shtab.DIRECTORY
    out = {}
    for shell, name in COMPLETIONS.items():
        lines = shtab.complete(made["vpcflow"], shell).splitlines()
        kept = [line.rstrip() for line in lines if not line.startswith(("# Usage:", "# 1)", "# 2)", "#    ", "# See also"))]
        out[SHELL / name] = "\n".join(kept) + "\n"
    return out


def roff(text: str) -> str:
    """Text as roff takes it."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return "\n".join(f"\\&{line}" if line.startswith((".", "'")) else line for line in text.split("\n"))


def option(action: argparse.Action) -> str:
    """An option with its value: "-n N", "--csv"."""
    if action.nargs == 0 or not action.option_strings:
        value = ""
    elif action.choices is not None:
        value = " " + "|".join(map(str, action.choices))
    else:
        value = f" {action.metavar or action.dest.upper()}"
    names = ", ".join(f"\\fB{roff(name)}\\fR" for name in action.option_strings) or f"\\fI{roff(str(action.metavar))}\\fR"
    return f"{names}\\fI{roff(value)}\\fR" if value else names


def help_of(action: argparse.Action) -> str:
    """What an option does."""
    return "print this help, and end" if action.dest == "help" else action.help or ""


def epilog(parser: argparse.ArgumentParser) -> tuple[list[str], str]:
    """The examples of a help page, and its exit codes."""
    examples, codes = [], ""
    for block in (parser.epilog or "").split("\n\n"):
        if block.startswith("example"):
            examples = [line.strip() for line in block.strip().split("\n")[1:]]
        elif block.startswith("exit codes: "):
            codes = block.removeprefix("exit codes: ")
    return examples, codes


def arguments(parser: argparse.ArgumentParser) -> tuple[list[argparse.Action], list[argparse.Action], list[str]]:
    """The subcommands, the operands, and what stands for both in a line of usage."""
    subcommands = [a for a in parser._actions if isinstance(a, argparse._SubParsersAction)]
    operands = [a for a in parser._actions if not a.option_strings and a not in subcommands]
    shown = [f"{a.metavar}..." if a.nargs in ("+", "*") else str(a.metavar) for a in operands]
    return subcommands, operands, [*shown, *("COMMAND ..." for _ in subcommands)]


def manual(prog: str, parser: argparse.ArgumentParser, others: list[str]) -> str:
    """One page."""
    purpose = (parser.description or "").rstrip(".")
    lines = [f'.TH "{prog.replace(" ", "-").upper()}" 1 "" "vpcflow {vpcflow.__version__}" "vpcflow"', ".SH NAME"]
    lines += [f"{roff(prog.replace(' ', '-'))} \\- {roff(purpose)}", ".SH SYNOPSIS"]
    subcommands, operands, usage = arguments(parser)
    rest = [f"\\fI{roff(text)}\\fR" for text in usage]
    lines.append(" ".join([f"\\fB{roff(prog)}\\fR", "[\\fIoptions\\fR]", *rest]))
    for action in subcommands:
        lines.append(".SH COMMANDS")
        for choice in action._choices_actions:
            lines += [".TP", f"\\fB{roff(choice.dest)}\\fR", roff(choice.help or "")]
    for title, actions in (("ARGUMENTS", operands), ("OPTIONS", [a for a in parser._actions if a.option_strings])):
        if actions:
            lines.append(f".SH {title}")
        for action in actions:
            lines += [".TP", option(action), roff(help_of(action).replace("%%", "%"))]
    examples, codes = epilog(parser)
    if examples:
        lines += [".SH EXAMPLES", ".nf", *(roff(line) for line in examples), ".fi"]
    if codes:
        lines += [".SH EXIT STATUS", roff(codes) + "."]
    lines += [".SH SEE ALSO", ",\n".join(f"\\fB{roff(name)}\\fR(1)" for name in others)]
    return "\n".join(lines) + "\n"


def described(action: argparse.Action) -> str:
    """A row of the reference: an option or operand, and what it does."""
    choices = f"{{{','.join(map(str, action.choices))}}}" if action.choices is not None else None
    value = "" if action.nargs == 0 or not action.option_strings else f" {choices or action.metavar or action.dest.upper()}"
    names = ", ".join(f"`{name}{value}`" for name in action.option_strings) or f"`{action.metavar}`"
    return f"- {names}: {help_of(action).replace('%%', '%')}"


def reference(prog: str, parser: argparse.ArgumentParser) -> str:
    """The page of a command for the documents."""
    subcommands, operands, usage = arguments(parser)
    purpose = (parser.description or "").rstrip(".")
    lines = [f"# {prog}", "", f"{purpose[:1].upper()}{purpose[1:]}.", "", "```text", f"{prog} [OPTIONS] {' '.join(usage)}".rstrip(), "```", ""]
    for action in subcommands:
        lines += ["## Commands", "", "| command | what it does |", "| --- | --- |"]
        for choice in action._choices_actions:
            lines.append(f"| [`{choice.dest}`]({prog.replace(' ', '-')}-{choice.dest}.md) | {choice.help} |")
        lines.append("")
    examples, codes = epilog(parser)
    if examples:
        lines += ["## Examples", "", "```sh", *examples, "```", ""]
    for title, actions in (("Arguments", operands), ("Options", [a for a in parser._actions if a.option_strings])):
        if actions:
            lines += [f"## {title}", "", *(described(action) for action in actions), ""]
    if codes:
        lines += ["## Exit codes", "", f"{codes}.", ""]
    return "\n".join(lines)


def references() -> dict[Path, str]:
    """The page of each command for the documents."""
    return {REFERENCE / f"{prog.replace(' ', '-')}.md": reference(prog, parser) for prog, parser in parsers().items()}


def manuals() -> dict[Path, str]:
    """The page of each command."""
    made = parsers()
    commands = [prog.replace(" ", "-") for prog in made if prog.count(" ") == 1]
    out = {}
    for prog, parser in made.items():
        name = prog.replace(" ", "-")
        up = prog.rpartition(" ")[0].replace(" ", "-")
        others = commands if not up else [up, *(n for n in made if n.startswith(f"{prog} "))]
        out[SHELL / f"{name}.1"] = manual(prog, parser, [n.replace(" ", "-") for n in others])
    return out


def pages() -> dict[Path, str]:
    """All files, by path."""
    return {**completions(), **manuals(), **references()}

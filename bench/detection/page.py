"""The tables of docs/explanation/detection-measured.md: each stands between two marks that name what measured it."""

from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs" / "explanation" / "detection-measured.md"


def put(script, end, table):
    """Prints a table and puts it between its marks."""
    print(table)
    begin, end = f"<!-- measured by bench/detection/{script} -->", f"<!-- {end} -->"
    old = PAGE.read_text()
    PAGE.write_text(old[: old.index(begin) + len(begin)] + "\n\n" + table + "\n\n" + old[old.index(end) :])

"""Writes docs/fields.md from the catalogue: python tools/generate_docs.py"""

from pathlib import Path

import vpcflow as vf


def fields_page() -> str:
    """The page with every field, filter and aggregate fact that the code knows."""
    rows = [
        f"| `{f['name']}` | {f['version']} | {f['delivered_in']} | {f['type']} | {f['unit']} | {'' if f['nullable'] else 'yes'} | {f['meaning']} |"
        for f in vf.fields()
    ]
    reasons = [f"| `{name}` | {meaning} |" for name, meaning in vf.reject_reasons().items()]
    return "\n".join(
        [
            "# Fields",
            "",
            "Made by `tools/generate_docs.py` from the catalogue in `include/vpcflow/format/catalogue.h`; do not edit.",
            "",
            "Python columns and C++ getters have `_` for `-`. `-` in a log is null in every field; *always set* is what AWS promises.",
            "",
            "| field | version | delivered in | type | unit | always set | meaning |",
            "| --- | --- | --- | --- | --- | --- | --- |",
            *rows,
            "",
            "# Why a line is rejected",
            "",
            "| reason | meaning |",
            "| --- | --- |",
            *reasons,
            "",
        ]
    )


if __name__ == "__main__":
    (Path(__file__).parent.parent / "docs" / "fields.md").write_text(fields_page())

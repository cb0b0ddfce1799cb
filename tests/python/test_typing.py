"""What a type checker says of programs that use vpcflow: a misspelt name is an error before the program runs."""

import importlib
import inspect
import json
import os
import re
import site
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

import vpcflow as vf

GIVEN = """
import vpcflow as vf
from vpcflow.typing import OnError

def progress(read: int, total: int, sources: int, total_sources: int) -> None: ...

flows = vf.scan("logs/", format="default", on_error="null", start="-2h", max_memory="2GiB", threads=4)
result = flows.group_by("srcaddr", every="5m").agg(bytes=vf.sum("bytes"), n=vf.count()).collect(progress=progress)
report = result.report
"""

RIGHT = [
    "rejected: int = result.report.rejected",
    "places = [(reject.file, reject.line, reject.reason) for reject in report.rejects]",
    "old_style = report.rejects[0]['line'], report['records'], vf.fields()[0]['name'], dict(report.rejects[0])",
    "by_reason: dict[str, int] = {str(reason): n for reason, n in report.rejects_by_reason.items()}",
    "if report.no_records is not None: print(report.no_records.upper())",
    "mode: OnError = 'skip'",
    "strict = vf.scan('flow.log.gz', on_error=mode, container='json', duplicates='all', allow_empty=True)",
    "many = vf.scan(['a.log', 'b.log'], account='123456789012', region=['eu-west-1'])",
    "with open('flow.log', 'rb') as file: print(vf.scan(file).format)",
    "text = vf.scan(b'srcaddr bytes\\n10.0.0.1 40\\n').filter(vf.col('bytes') > 10).select('srcaddr')",
    "lines = vf.scan(line for line in ['srcaddr bytes', '10.0.0.1 40'])",
    "top = flows.group_by('srcaddr', 'dstaddr').agg(bytes=vf.sum('bytes')).top_k(10, by='bytes', per='srcaddr')",
    "started = flows.group_by(every=300, bin_by='start').agg(n=vf.count(where=\"action = 'REJECT'\"))",
    "shares = flows.group_by('srcaddr').agg(n=vf.count(), r=vf.count(), share=vf.ratio('r', 'n')).having('share > 0.5')",
    "sessions = flows.sessions(idle='10m', vantage='client', intermediaries=['10.0.0.7']).limit(5).collect()",
    "rows = [row['bytes'] + 1 for row in result.rows()]",
    "for row in result: print(row['srcaddr'])",
    "values: list[int] = result['bytes']",
    "kinds = {name: kind for name, kind in result.schema if kind == 'time'}",
    "csv, json_lines = result.to_csv(safe=False), result.to_json_lines()",
    "again = vf.scan(result).agg(bytes=vf.sum('bytes')).collect()",
    "week = vf.Aggregation(by=('srcaddr',), every='1h', where=vf.col('action') == 'REJECT', n=vf.count())",
    "saved: bytes = week.update('monday/', threads=2).update('tuesday/').to_bytes()",
    "total = vf.merge_all([saved, vf.Aggregation.from_bytes(saved)]).collect()",
    "changes = vf.diff(result, again, by=['srcaddr'])",
    "versions = {field.name: field.version for field in vf.fields() if field.nullable}",
    "poor = [c.analysis for c in vf.capabilities('default') if c.verdict == 'impossible' and c.add]",
    "advice: str = vf.recommended_format(['port_scan'])",
    "findings = vf.detect(flows, only=['port_scan'], samples=1)",
    "tuned = vf.detect(flows, scan_ports=50, inside=['10.0.0.0/8'], idle='5m')",
    "high = [finding.sentence for finding in findings if finding.severity == 'high']",
    "worst = findings[0].targets if findings else []",
    "made = vf.synth(1000, seed=3, plant=['port_scan'], peers=100, hours=2)",
    "kernel: str = vf.build_info().kernel",
    "unnamed = flows.agg(vf.sum('bytes'), vf.max('bytes').alias('largest'), n=vf.count()).collect(progress=True)",
    "shape: tuple[int, int] = result[:10].shape",
    "part: list[int] = result[['bytes']].head(3).tail(1)['bytes']",
    "result.to_csv('a.csv'); result.to_parquet('a.parquet'); result.to_json('a.json')",
    "text_of: str = result.to_csv() + result.to_json()",
    "import datetime\nbins = flows.group_by(vf.col('srcaddr'), every=datetime.timedelta(minutes=5)).agg(n=vf.count())",
    "bins = flows.group_by(['srcaddr', 'dstport'], every='5min').agg([vf.sum('bytes')]).sort([vf.col('bytes')])",
    "outside = flows.filter(~vf.col('srcaddr').is_private()).head().count()",
    "named = flows.join({'srcaddr': ['10.0.0.1'], 'team': ['web']}, on='srcaddr').join(result, on=vf.col('dstport'))",
    "written: int = flows.sink_parquet('a.parquet').records",
    "types = {name: kind for name, kind in flows.schema}",
    "same: bool = result == result.head(3)",
    "said: list[str] = flows.describe()['column']",
    "try: flows.collect()\nexcept vf.SourceError as error: print(error.partial)",
]

WRONG = [
    "result.report.rejectd",
    "report.rejects[0].colunm",
    "report.records = 3",
    "vf.scan('flow.log', on_error='skp')",
    "vf.scan('flow.log', container='jsn')",
    "vf.scan('flow.log', duplicates='twice')",
    "vf.scan('flow.log', thread=4)",
    "vf.scan('flow.log', threads='4')",
    "vf.scan('flow.log', start=1.5)",
    "vf.scan('flow.log', max_memory=0.5)",
    "vf.scan(5)",
    "vf.scan('flow.log').filter(3)",
    "flows.group_by('srcaddr', every='5m', bin_by='sprad')",
    "flows.group_by('srcaddr', every=5.0)",
    "flows.groupby('srcaddr')",
    "flows.agg(vf.col('bytes'))",
    "flows.shcema",
    "flows['bytes']",
    "for row in flows: print(row)",
    "result.haed()",
    "result.to_csv(3)",
    "vf.col('srcaddr').is_privat()",
    "flows.join(3, on='srcaddr')",
    "flows.sink_parket('a.parquet')",
    "vf.detect(flows).to_panda()",
    "flows.limit('10')",
    "flows.sort('n', descending='yes')",
    "flows.group_by('srcaddr').agg(n=vf.count()).top_k('10', by='n')",
    "flows.sessions(vantage='mst')",
    "flows.sessions(idle=1.5)",
    "flows.collect(progress=lambda done: None)",
    "result.to_arrow(schema='sparc')",
    "[name for name, kind in result.schema if kind == 'adress']",
    "vf.Aggregation(by='srcaddr', bin_by='star')",
    "vf.Aggregation(by='srcaddr').update('monday/', on_error='skp')",
    "vf.fields()[0].nmae",
    "vf.capabilities('default')[0].verdict == 'posible'",
    "vf.recommended_format([3])",
    "[f for f in vf.detect(flows) if f.severity == 'hihg']",
    "vf.detect(flows)[0].sentense",
    "vf.detect(flows, scan_port=3)",
    "vf.detect(flows, scan_ports='3')",
    "vf.synth(1000, peer=100)",
    "vf.build_info().kernal",
]


def complaints(folder: Path, **programs: str) -> dict[str, dict[int, str]]:
    """By program and line what `mypy --strict` says."""
    for name, text in programs.items():
        (folder / f"{name}.py").write_text(text)
    heavy = "\n".join(
        f"[mypy-{name}.*]\nfollow_imports = skip\nignore_missing_imports = True"
        for name in ("pandas", "polars", "pyarrow", "matplotlib", "pyspark", "numpy")
    )
    heavy += "\n[mypy-vpcflow.*]\nfollow_imports = silent"
    (folder / "mypy.ini").write_text(f"[mypy]\nstrict = True\n{heavy}\n")
    place = Path(vf.__file__).parent.parent
    env = dict(os.environ)
    env.pop("MYPYPATH", None)
    if str(place) not in site.getsitepackages():
        env["MYPYPATH"] = str(place)
    arguments = [f"{name}.py" for name in programs]
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--config-file", "mypy.ini", "--cache-dir", "cache", "--no-error-summary", *arguments],
        cwd=folder, env=env, capture_output=True, text=True,
    )  # fmt: skip
    assert not done.stderr, done.stderr
    out: dict[str, dict[int, str]] = {name: {} for name in programs}
    for line in done.stdout.splitlines():
        if line.endswith(" defined here"):  # older ones say where our own functions are
            continue
        match = re.match(r"(\w+)\.py:(\d+): (error|note): (.*)", line)
        assert match, line
        out[match[1]].setdefault(int(match[2]), match[4])
    return out


@pytest.mark.skipif(find_spec("mypy") is None, reason="mypy is not installed")
def test_mypy_finds_every_mistake_and_nothing_in_everyday_lines(tmp_path):
    first = GIVEN.count("\n") + 1
    told = complaints(
        tmp_path, right=GIVEN + "\n".join(RIGHT), wrong=GIVEN + "\n".join(WRONG), revealed=GIVEN + "reveal_type(result.report.rejected)",
    )  # fmt: skip
    assert told["right"] == {}
    missed = [line for number, line in enumerate(WRONG, first) if number not in told["wrong"]]
    assert missed == []
    assert min(told["wrong"]) >= first, told["wrong"]
    assert told["revealed"][first].replace("builtins.", "") == 'Revealed type is "int"'


@pytest.mark.skipif(find_spec("pyright") is None, reason="pyright is not installed")
def test_pyright_finds_every_mistake_and_nothing_in_everyday_lines(tmp_path):
    first = GIVEN.count("\n") + 1
    (tmp_path / "right.py").write_text(GIVEN + "\n".join(RIGHT))
    (tmp_path / "wrong.py").write_text(GIVEN + "\n".join(WRONG))
    place = str(Path(vf.__file__).parent.parent)
    quiet = {"reportUnusedExpression": False, "reportUnusedVariable": False, "reportMissingTypeStubs": False}
    settings = {"include": ["*.py"], "typeCheckingMode": "strict", "extraPaths": [place], **quiet}
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(settings))
    command = [sys.executable, "-m", "pyright", "--outputjson", "--pythonpath", sys.executable]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    told: dict[str, dict[int, str]] = {"right": {}, "wrong": {}}
    for entry in json.loads(done.stdout)["generalDiagnostics"]:
        told[Path(entry["file"]).stem][entry["range"]["start"]["line"] + 1] = entry["message"]
    assert told["right"] == {}
    missed = [line for number, line in enumerate(WRONG, first) if number not in told["wrong"]]
    assert missed == []


#: Cells of rows, evidence and parsed documents: what they are, data alone tells.
UNKNOWN = re.compile(
    r".*\b(Result\.rows|Findings\.rows|Dependencies\.rows|Health\.(rows|bins)|Inventory\.(rows|at)|describe|as_dict|as_json|partial|Finding\.(__init__\()?(evidence|samples)|Rule\.(__init__\()?(unusual|examples)|of\((data|value))\b.*"
)
# Objects as their JSON has them: their members are in docs/reference/schemas.md, which test_schemas.py holds.
DOCUMENTS = re.compile(
    r"vpcflow\.(Correlation\.(rows|risk|about)|Explanation\.(__init__\()?(explained_by|evidence|vantage|coverage|inputs)|Observed\.blocked|"
    r"Proposal\.(__init__\()?(rules|revoked|covers|breaks|widened|held_out_denied|confidence|choices|objective|contradictions)|"
    r"Reconciliation\.(__init__\()?rows|RuleCheck\.(__init__\()?(denied|allowed|maybe|sessions|rows)|"
    r"RuleUsage\.(__init__\()?(rows|almost|advice)|Sheet\.to_dict|Synthetic\.(__init__\()?questions|"
    r"Trace\.(__init__\()?(of|parts|rows)|check_rules\(rules)"
)


def annotations_of(module) -> dict[str, str]:
    """By name the annotations of all that a module makes public: parameters, returned values, attributes."""
    out: dict[str, str] = {}
    for name in module.__all__:
        item = getattr(module, name)
        functions = {name: item}
        if inspect.isclass(item):
            own = {key: value for key, value in vars(item).items() if key == "__init__" or not key.startswith("_")}
            plain = {k: getattr(v, "__func__", v.fget if isinstance(v, property) else v) for k, v in own.items()}
            functions = {f"{name}.{key}": value for key, value in plain.items() if inspect.isfunction(value)}
            attributes = vars(item).get("__annotations__", {})
            out.update({f"{name}.{key}": str(kind) for key, kind in attributes.items() if not key.startswith("_")})
        for key, function in functions.items():
            if callable(function) and not inspect.isclass(function):
                signature = inspect.signature(function)
                out.update({f"{key}({p.name}": str(p.annotation) for p in signature.parameters.values()})
                out[key] = str(signature.return_annotation)
    return out


def test_what_is_known_is_typed():
    names = ("", ".labels", ".rules", ".sketches", ".spread", ".detect", ".watch", ".dask", ".spark", ".alerts", ".findings")
    found = {}
    for name in names:
        of = annotations_of(importlib.import_module(f"vpcflow{name}"))
        found.update({f"vpcflow{name}.{key}": kind for key, kind in of.items()})
    assert len(found) > 200
    untyped = {
        key: kind
        for key, kind in found.items()
        if re.search(r"\bAny\b", kind) and not UNKNOWN.match(key) and not DOCUMENTS.fullmatch(key)
    }
    assert untyped == {}

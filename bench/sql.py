"""Questions in SQL: vpcflow's tables beside DuckDB's own reading of the same text, plain and gzip.

1,500,000 records of AWS's default format. Both run in turns in one process, with as many threads as there are processors;
the least of five, wall and CPU seconds. DuckDB is told the delimiter, the header and the types of all columns, so that it has
nothing to find out.
"""

import gzip
import time
from pathlib import Path

import duckdb

import vpcflow as vf

FOLDER = Path("build/bench/sql")
TYPES = {"packets": "bigint", "bytes": "bigint", "start": "bigint", "end": "bigint", "srcport": "int", "dstport": "int", "protocol": "int"}
QUESTIONS = {
    "sum by source": "select srcaddr, sum(bytes) as b from flows group by all order by b desc limit 10",
    "count of a port": "select count(*) from flows where dstport = 22",
    "rejects by port": "select dstport, count(*) as n from flows where action = 'REJECT' group by all order by n desc limit 10",
    "five columns": "select srcaddr, dstaddr, dstport, max(bytes), count(*) from flows where bytes > 100000 group by all order by all limit 10",
}


def logs():
    """The files, made once."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    plain, packed = FOLDER / "flow.log", FOLDER / "flow.log.gz"
    if not packed.exists():
        plain.write_bytes(vf.synth(1_500_000, seed=3).data)
        packed.write_bytes(gzip.compress(plain.read_bytes(), 6))
    return plain, packed


def by_duckdb(path, question):
    with open(FOLDER / "flow.log") as file:
        names = file.readline().split()
    columns = ", ".join(f"'{name.replace('-', '_')}': '{TYPES.get(name, 'varchar')}'" for name in names)
    reads = f"read_csv('{path}', delim=' ', header=true, nullstr='-', auto_detect=false, columns={{{columns}}})"
    return duckdb.connect().sql(question.replace("from flows", f"from {reads} as flows")).fetchall()


def main():
    print("| question | file | vpcflow s | CPU s | DuckDB s | CPU s | same |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for path in logs():
        for name, question in QUESTIONS.items():
            ways = {"vpcflow": lambda: vf.scan(str(path)).sql(question).fetchall(), "duckdb": lambda: by_duckdb(path, question)}  # noqa: B023
            best, answers = {}, {}
            for _ in range(5):
                for way, run in ways.items():
                    wall, cpu = time.perf_counter(), time.process_time()
                    answers[way] = [[float(v) if hasattr(v, "as_tuple") else v for v in row] for row in run()]
                    took = time.perf_counter() - wall, time.process_time() - cpu
                    best[way] = min(best.get(way, took), took)
            figures = " | ".join(f"{value:.3f}" for way in ways for value in best[way])
            same = "yes" if answers["vpcflow"] == answers["duckdb"] else "NO"
            print(f"| {name} | {path.name} | {figures} | {same} |", flush=True)


if __name__ == "__main__":
    main()

"""The two jobs, by vpcflow and by its peers; one run in a process of its own: jobs.py PEER JOB THREADS PATH

Job `parse`: every field typed into a table (ours: Arrow). Job `frame`: the same as a pandas.DataFrame. Job `agg`: top 20 srcaddr by bytes; REJECTs per dstport, top 20; bytes per
minute of start; distinct dstaddr per srcaddr, top 20; of JSON objects, one a line, if the path ends so. Ours alone: `detect`, all detectors with sample records, and what it is
measured by, `pairs` and `conversations`: records and bytes by two and by five fields. Prints JSON: seconds (imports not counted), peak MiB, and for `agg`
a digest of the answers, so that all are seen to agree.
"""

import glob
import hashlib
import json
import os
import sys
import time

NUMBERS = {"version", "srcport", "dstport", "protocol", "packets", "bytes", "start", "end"}
NAMES = [
    "version",
    "account-id",
    "interface-id",
    "srcaddr",
    "dstaddr",
    "srcport",
    "dstport",
    "protocol",
    "packets",
    "bytes",
    "start",
    "end",
    "action",
    "log-status",
]
NEEDED = ["srcaddr", "dstaddr", "dstport", "bytes", "start", "action", "log-status"]
# Of OCSF events: the columns that hold NEEDED.
OCSF = {
    "srcaddr": "src_endpoint.ip",
    "dstaddr": "dst_endpoint.ip",
    "dstport": "dst_endpoint.port",
    "bytes": "traffic.bytes",
    "start": "start_time // 1000",
    "action": "case action when 'Allowed' then 'ACCEPT' when 'Denied' then 'REJECT' end",
    "log-status": "status_code",
}
KEYS = {"pairs": ["srcaddr", "dstaddr"], "conversations": ["srcaddr", "dstaddr", "srcport", "dstport", "protocol"]}


def files_of(path):
    return sorted(glob.glob(os.path.join(path, "*.log*"))) if os.path.isdir(path) else [path]


def is_json(path):
    return str(path).endswith(".jsonl")


def is_table(path):
    return path.endswith((".parquet", ".arrow"))


def columns_of_table(path):
    """SQL for NEEDED of a Parquet file."""
    if "ocsf" in path:
        return ", ".join(f'{sql} as "{name}"' for name, sql in OCSF.items())
    return ", ".join(f'{name.replace("-", "_")} as "{name}"' for name in NEEDED)


def digest(talkers, rejects, minutes, fanout):
    """Of the answers, in one order; ties are cut off by taking values only where keys may tie."""
    answer = [
        sorted(((str(k), int(v)) for k, v in talkers), key=lambda kv: (-kv[1], kv[0]))[:20],
        sorted((int(v) for _, v in rejects), reverse=True)[:20],
        sorted((int(k), int(v)) for k, v in minutes),
        sorted((int(v) for _, v in fanout), reverse=True)[:20],
    ]
    return hashlib.sha256(json.dumps(answer).encode()).hexdigest()[:12]


def run_vpcflow(job, threads, path):
    import vpcflow as vf

    if job in ("parse", "frame"):
        import pandas  # noqa: F401
        import pyarrow
    data = path
    if is_table(path):
        import pyarrow.compute
        import pyarrow.parquet

        if path.endswith(".arrow"):
            data = pyarrow.ipc.open_file(path).read_all()
    yield
    flows = vf.scan(data, threads=threads)
    if job == "frame":
        yield len(flows.to_pandas())
        return
    if job == "parse":
        yield flows.to_arrow().num_rows
        return
    if job == "detect":
        yield len(vf.detect(flows))
        return
    if job in KEYS:
        yield len(flows.group_by(*KEYS[job]).agg(n=vf.count(), v=vf.sum("bytes")).collect())
        return
    talkers, rejects, minutes, fanout = vf.collect_all(
        [
            flows.group_by("srcaddr").agg(v=vf.sum("bytes")).top_k(20, by="v"),
            flows.filter("action = 'REJECT'").group_by("dstport").agg(v=vf.count()).top_k(20, by="v"),
            flows.group_by(every="1m", bin_by="start").agg(v=vf.sum("bytes")),
            flows.group_by("srcaddr").agg(v=vf.n_unique("dstaddr")).top_k(20, by="v"),
        ]
    )
    yield digest(
        zip(talkers["srcaddr"], talkers["v"]),
        zip(rejects["dstport"], rejects["v"]),
        zip(minutes["time"], minutes["v"]),
        zip(fanout["srcaddr"], fanout["v"]),
    )


def run_polars(job, threads, path):
    import pandas  # noqa: F401
    import polars as pl

    types = {name: pl.Int64 if name in NUMBERS else pl.String for name in NAMES}
    read = None
    if path.endswith(".arrow"):
        import pyarrow.ipc

        read = pl.from_arrow(pyarrow.ipc.open_file(path).read_all()).lazy()
    yield
    if is_json(path):
        frame = pl.scan_ndjson(path, schema={n.replace("-", "_"): types[n] for n in NEEDED})
        frame = frame.rename({"log_status": "log-status"})
    elif is_table(path):
        read = pl.scan_parquet(path) if read is None else read
        frame = pl.SQLContext(t=read).execute(f"select {columns_of_table(path)} from t")
    else:
        frame = pl.scan_csv(files_of(path), separator=" ", schema=types, null_values="-", quote_char=None)
    if job == "frame":
        yield len(frame.collect().to_pandas())
        return
    if job == "parse":
        yield frame.collect().height
        return
    ok = frame.select(NEEDED).filter(pl.col("log-status") == "OK")
    queries = [
        ok.group_by("srcaddr").agg(pl.col("bytes").sum()).top_k(40, by="bytes"),
        ok.filter(pl.col("action") == "REJECT").group_by("dstport").len(),
        ok.group_by(pl.col("start") // 60 * 60).agg(pl.col("bytes").sum()),
        ok.group_by("srcaddr").agg(pl.col("dstaddr").n_unique()),
    ]
    yield digest(*(q.rows() for q in pl.collect_all(queries, engine="streaming")))


def run_pyarrow(job, threads, path):
    import pyarrow as pa
    import pyarrow.compute as pc
    from pyarrow import csv

    pa.set_cpu_count(threads)
    yield
    types = {name: pa.int64() if name in NUMBERS else pa.string() for name in NAMES}
    convert = csv.ConvertOptions(
        column_types=types,
        null_values=["-"],
        strings_can_be_null=True,
        include_columns=NEEDED if job == "agg" else None,
    )
    parse = csv.ParseOptions(delimiter=" ", quote_char=False)
    read = csv.ReadOptions(use_threads=threads > 1)
    table = pa.concat_tables(
        [csv.read_csv(f, read_options=read, parse_options=parse, convert_options=convert) for f in files_of(path)]
    )
    if job == "parse":
        yield table.num_rows
        return
    many = threads > 1
    table = table.filter(pc.equal(table["log-status"], "OK"))

    def group(data, keys, aggs):
        done = data.group_by(keys, use_threads=many).aggregate(aggs)
        return [done.column(i).to_pylist() for i in range(done.num_columns)]

    minutes = pa.table({"m": pc.multiply(pc.divide(table["start"], 60), 60), "b": table["bytes"]})
    pairs = table.group_by(["srcaddr", "dstaddr"], use_threads=many).aggregate([])
    yield digest(
        zip(*group(table, "srcaddr", [("bytes", "sum")])),
        zip(*group(table.filter(pc.equal(table["action"], "REJECT")), "dstport", [("dstport", "count")])),
        zip(*group(minutes, "m", [("b", "sum")])),
        zip(*group(pairs, "srcaddr", [("dstaddr", "count")])),
    )


def run_duckdb(job, threads, path):
    import duckdb

    connection = duckdb.connect()
    connection.execute(f"set threads = {threads}")
    connection.execute("set preserve_insertion_order = false")
    if path.endswith(".arrow"):
        import pyarrow.ipc

        connection.register("frame", pyarrow.ipc.open_file(path).read_all())
    yield
    types = ", ".join(f"'{n}': '{'BIGINT' if n in NUMBERS else 'VARCHAR'}'" for n in NAMES)
    source = (
        f"read_csv({files_of(path)!r}, delim = ' ', header = true, nullstr = '-', quote = '', escape = '', "
        f"auto_detect = false, columns = {{{types}}})"
    )
    if is_json(path):
        types = ", ".join(f"'{n.replace('-', '_')}': '{'BIGINT' if n in NUMBERS else 'VARCHAR'}'" for n in NEEDED)
        source = f"(select *, log_status as \"log-status\" from read_ndjson('{path}', columns = {{{types}}}))"
    if job == "parse":
        connection.execute(f"create table t as select * from {source}")
        yield connection.execute("select count(*) from t").fetchone()[0]
        return
    if is_table(path):  # faster than by a table of its own
        source = "frame" if path.endswith(".arrow") else f"read_parquet('{path}')"
        columns = columns_of_table(path)
        connection.execute(
            f"create temp view t as select * from (select {columns} from {source}) where \"log-status\" = 'OK'"
        )
    else:
        columns = ", ".join(f'"{n}"' for n in NEEDED)
        connection.execute(f"create temp table t as select {columns} from {source} where \"log-status\" = 'OK'")
    yield digest(
        connection.execute("select srcaddr, sum(bytes) from t group by 1").fetchall(),
        connection.execute("select dstport, count(*) from t where action = 'REJECT' group by 1").fetchall(),
        connection.execute("select start // 60 * 60, sum(bytes) from t group by 1").fetchall(),
        connection.execute("select srcaddr, count(distinct dstaddr) from t group by 1").fetchall(),
    )


def run_pandas(job, threads, path):
    import pandas as pd

    yield
    types = {n: "Int64" if n in NUMBERS else "str" for n in NAMES}
    frame = pd.concat(
        [
            pd.read_csv(
                f,
                sep=" ",
                dtype=types,
                na_values=["-"],
                keep_default_na=False,
                usecols=NEEDED if job == "agg" else None,
            )
            for f in files_of(path)
        ]
    )
    if job == "parse":
        yield len(frame)
        return
    frame = frame[frame["log-status"] == "OK"]
    pairs = frame[["srcaddr", "dstaddr"]].drop_duplicates()
    yield digest(
        frame.groupby("srcaddr")["bytes"].sum().items(),
        frame[frame["action"] == "REJECT"]["dstport"].value_counts().items(),
        frame.groupby(frame["start"] // 60 * 60)["bytes"].sum().items(),
        pairs["srcaddr"].value_counts().items(),
    )


def main():
    peer, job, threads, path = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
    os.environ["POLARS_MAX_THREADS"] = str(threads)
    steps = globals()[f"run_{peer}"](job, threads, path)
    next(steps)  # imports
    began = time.perf_counter()
    answer = next(steps)
    seconds = time.perf_counter() - began
    with open("/proc/self/status") as status:
        peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
    print(json.dumps({"seconds": seconds, "peak_MiB": round(peak / 1024), "answer": answer}))


if __name__ == "__main__":
    main()

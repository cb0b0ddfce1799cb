"""Job agg from Parquet and Arrow tables, by vpcflow, polars and duckdb: python bench/tables.py [RECORDS] [FOLDER]

Makes the files once: default records as AWS writes them to Parquet (texts, integers, snappy; 500,000 rows a group), the
same with zstd, in other row groups, without dictionaries, sorted by address; as OCSF events; and as an Arrow table in
memory. Prints, for one and two cores, the seconds of the job and of the whole process, medians of REPEAT rounds, of
which each runs all contestants one after the other.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

import vpcflow as vf

HERE = Path(__file__).parent
REPEAT = int(os.environ.get("REPEAT", "3"))
WHO = ["vpcflow", "polars", "duckdb"] if os.environ.get("PEERS") != "0" else ["vpcflow"]
GROUPS = {
    "snappy, 500,000 a group": {"row_group_size": 500_000},
    "zstd, 500,000 a group": {"row_group_size": 500_000, "compression": "zstd"},
    "snappy, 50,000 a group": {"row_group_size": 50_000},
    "snappy, 1,000,000 a group": {"row_group_size": 1_000_000},
    "no dictionaries": {"row_group_size": 500_000, "use_dictionary": False},
}


def flat_table(records, folder):
    """Records with the types of AWS's Parquet."""
    import pyarrow as pa
    from jobs import NAMES, NUMBERS
    from pyarrow import csv

    text = folder / "flow-0000.log"
    if not text.exists():
        vf.synth(records, out=folder, seed=11)
    kinds = {
        n: (pa.int64() if n in ("packets", "bytes", "start", "end") else pa.int32()) if n in NUMBERS else pa.string()
        for n in NAMES
    }
    table = csv.read_csv(
        text,
        parse_options=csv.ParseOptions(delimiter=" ", quote_char=False),
        convert_options=csv.ConvertOptions(column_types=kinds, null_values=["-"], strings_can_be_null=False),
    )
    return table.rename_columns([n.replace("-", "_") for n in NAMES])


def ocsf_table(flat):
    """The columns of events that the job needs, and some that it does not."""
    import pyarrow as pa
    import pyarrow.compute as pc

    columns = {name: flat[name].combine_chunks() for name in flat.column_names}
    same = pa.array([0] * len(flat), pa.int32())

    def struct(**members):
        return pa.StructArray.from_arrays(list(members.values()), names=list(members))

    def all_of(value):
        return pa.array([value]).take(same)

    nothing = pa.scalar(None, pa.string())
    refused = pc.if_else(pc.equal(columns["action"], "REJECT"), "Denied", nothing)
    allowed = pc.if_else(pc.equal(columns["action"], "ACCEPT"), "Allowed", refused)
    return pa.table({
        "class_uid": all_of(4001), "activity_name": all_of("Traffic"), "activity_id": all_of(6),
        "cloud": struct(region=all_of("eu-west-1"), account=struct(uid=columns["account_id"])),
        "src_endpoint": struct(ip=columns["srcaddr"], port=columns["srcport"], interface_uid=columns["interface_id"]),
        "dst_endpoint": struct(ip=columns["dstaddr"], port=columns["dstport"]),
        "connection_info": struct(protocol_num=columns["protocol"], direction=all_of("Outbound")),
        "traffic": struct(packets=columns["packets"], bytes=columns["bytes"]),
        "start_time": pc.multiply(columns["start"], 1000), "end_time": pc.multiply(columns["end"], 1000),
        "action": allowed, "disposition": allowed, "status_code": columns["log_status"],
    })  # fmt: skip


def make(records, folder):
    """The paths by what they are."""
    from pyarrow import feather, parquet

    folder.mkdir(parents=True, exist_ok=True)
    paths = {name: folder / (name.replace(",", "").replace(" ", "-") + ".parquet") for name in GROUPS}
    paths["sorted by srcaddr"] = folder / "sorted.parquet"
    paths["OCSF"] = folder / "ocsf.parquet"
    paths["Arrow table in memory"] = folder / "memory.arrow"
    if all(path.exists() for path in paths.values()):
        return paths
    print(f"making {records:,} records in {folder}", file=sys.stderr)
    flat = flat_table(records, folder)
    for name, options in GROUPS.items():
        parquet.write_table(flat, paths[name], **options)
    parquet.write_table(flat.sort_by("srcaddr"), paths["sorted by srcaddr"], row_group_size=500_000)
    parquet.write_table(ocsf_table(flat), paths["OCSF"], row_group_size=500_000, compression="zstd")
    feather.write_feather(flat, paths["Arrow table in memory"], compression="uncompressed")
    return paths


def run(who, threads, path):
    """The job in a process of its own, with the seconds of the whole of it."""
    began = time.perf_counter()
    environment = dict(os.environ, POLARS_MAX_THREADS=str(threads), OMP_NUM_THREADS=str(threads))
    command = [sys.executable, HERE / "jobs.py", who, "agg", str(threads), path]
    out = json.loads(subprocess.run(command, env=environment, capture_output=True, check=True).stdout)
    return {**out, "whole": time.perf_counter() - began}


def main():
    records = int(sys.argv[1]) if len(sys.argv) > 1 else 5_000_000
    folder = Path(sys.argv[2]) if len(sys.argv) > 2 else HERE.parent / "build" / "bench" / f"tables-{records}"
    print(f"{records:,} records, medians of {REPEAT} rounds; seconds of the job (of the whole process)\n")
    print("| file | threads | " + " | ".join(WHO) + " | fastest peer / ours | peak MiB | same answer |")
    print("| --- | --- |" + " --- |" * len(WHO) + " --- | --- | --- |")
    for name, path in make(records, folder).items():
        for threads in (1, 2):
            rounds = [{who: run(who, threads, path) for who in WHO} for _ in range(REPEAT)]
            told = {who: [median(r[who][what] for r in rounds) for what in ("seconds", "whole")] for who in WHO}
            ratios = [min((r[p]["seconds"] for p in WHO[1:]), default=0) / r["vpcflow"]["seconds"] for r in rounds]
            same = all(r[who]["answer"] == rounds[0]["vpcflow"]["answer"] for r in rounds for who in WHO)
            seconds = " | ".join(f"{job:.2f} ({whole:.2f})" for job, whole in told.values())
            peak = max(r["vpcflow"]["peak_MiB"] for r in rounds)
            print(
                f"| {name} | {threads} | {seconds} | {median(ratios):.2f} | {peak} | {'yes' if same else 'NO'} |",
                flush=True,
            )


if __name__ == "__main__":
    main()

"""One question over many objects: in one process, a pool of processes, Dask and Spark. Start-up and run time apart.

    python bench/engines.py [RECORDS]       # 4,000,000 by default, in 16 gzip objects; needs distributed, pyspark, Java

Prints a Markdown table; every row says whether its state has the bytes of the first.
"""

import contextlib
import os
import platform
import sys
import tempfile
import time
from pathlib import Path

import vpcflow as vf
import vpcflow.dask
import vpcflow.spark
from vpcflow import spread


def main():
    records = int(sys.argv[1]) if len(sys.argv) > 1 else 4_000_000
    question = vf.Aggregation(by=["srcaddr", "dstport"], bytes=vf.sum("bytes"), peers=vf.approx_n_unique("dstaddr"))
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        vf.synth(records, out=folder, seed=5, files=16, gzip=True, gzip_level=1)
        size = sum(path.stat().st_size for path in Path(folder).glob("**/*.gz"))

        def run(name, start, work):
            began = time.perf_counter()
            context = start()
            with context as engine:
                started = time.perf_counter()
                state = work(engine)
                done = time.perf_counter()
            rows.append((name, started - began, done - started, len(state.to_bytes()), state.to_bytes()))

        nothing = contextlib.nullcontext
        run("threads, 2 (`question.update`)", nothing, lambda _: question.copy().update(folder, threads=2))
        run("processes, 2 (`spread.aggregate`)", nothing, lambda _: spread.aggregate(folder, question, workers=2))

        import distributed

        def dask_start():
            cluster = distributed.LocalCluster(2, threads_per_worker=1, dashboard_address=None)
            return distributed.Client(cluster)

        run(f"Dask {distributed.__version__}, 2 workers", dask_start, lambda _: vpcflow.dask.aggregate(folder, question))

        import pyspark
        from pyspark.sql import SparkSession

        os.environ["PYSPARK_PYTHON"] = sys.executable

        @contextlib.contextmanager
        def spark_start():
            spark = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").getOrCreate()
            try:
                yield spark
            finally:
                spark.stop()

        run(f"Spark {pyspark.__version__}, local[2]", spark_start, lambda s: vpcflow.spark.aggregate(s, folder, question))
    print(f"\n{records:,} records, {size / 1e6:.0f} MB of gzip in 16 objects; Python {platform.python_version()}, {os.cpu_count()} cores\n")
    print("| engine | start, s | run, s | M records/s | state, MB | same bytes |")
    print("| --- | --- | --- | --- | --- | --- |")
    for name, start, seconds, state, data in rows:
        print(f"| {name} | {start:.1f} | {seconds:.2f} | {records / seconds / 1e6:.2f} | {state / 1e6:.2f} | {'yes' if data == rows[0][4] else 'NO'} |")


if __name__ == "__main__":
    main()

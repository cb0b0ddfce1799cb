"""Events a second and core: lines and Parquet of records and sessions, for formats of two fields' counts.

    python bench/events.py [RECORDS]

Seconds are those of the processor, of all threads: one core's work. Reading the log is part of it.
"""

import sys
import tempfile
import time
from pathlib import Path

import vpcflow as vf


class Null:
    """A file that counts bytes."""

    written = 0

    def write(self, data):
        self.written += len(data)
        return len(data)


def rate(make, write, times=5):
    """The most events a second of some runs, and the bytes of one."""
    best, size = 0.0, 0.0
    for _ in range(times):
        events, file = make(), Null()
        begin = time.process_time()
        write(events, file)
        best = max(best, events.written / (time.process_time() - begin))
        size = file.written / events.written
    return best, size


def main():
    records = int(sys.argv[1]) if len(sys.argv) > 1 else 500_000
    with tempfile.TemporaryDirectory() as name:
        for form in ("v2", "v5"):
            folder = Path(name, form)
            vf.synth(records, seed=3, format=form, out=folder)
            flows = vf.scan(str(next(folder.glob("*.log"))), threads=1)
            for schema in ("ocsf", "ecs", "cim", "asim", "cef"):
                found = rate(lambda s=schema, f=flows: vf.export(f, s, unit="records"), lambda e, f: e.write_to(f))
                print(f"{form} {schema} records: {found[0] / 1e6:.2f} M events/s, {found[1]:,.0f} bytes each")
            found = rate(lambda f=flows: vf.export(f, "ocsf"), lambda e, f: e.write_to(f), 2)
            print(f"{form} ocsf sessions: {found[0] / 1e6:.2f} M events/s")
            found = rate(
                lambda f=flows: vf.export(f, "ocsf", unit="records", community_id=True), lambda e, f: e.write_to(f), 2
            )
            print(f"{form} ocsf records with Community ID: {found[0] / 1e6:.2f} M events/s")
            parquet = Path(name, "lake.parquet")
            events = vf.export(flows, "ocsf", unit="records")
            begin = time.process_time()
            with parquet.open("wb") as file:
                events.write_parquet_to(file)
            took = time.process_time() - begin
            size = parquet.stat().st_size / records
            print(f"{form} ocsf records as Parquet: {records / took / 1e6:.2f} M events/s, {size:,.0f} bytes each")


if __name__ == "__main__":
    main()

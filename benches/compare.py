#!/usr/bin/env python3
"""Compares whole processes: fusiongen, tpchgen-cli and DuckDB. Prints Markdown tables.

    benches/compare.py                          as in docs/performance.md; about 4 minutes
    benches/compare.py --events 200k --repetitions 2      a quick look

Needs an idle machine with at least two processors. The other programs come from PyPI, into a
virtual environment under target/. Runs alternate (A, B, C, A, B, C, ...), after one round that is
not counted. CPU seconds are user + system of the process and its threads; memory is its peak
resident set. The kernel reports both when the process ends (wait4).

Every run has its own directory, and all of them are deleted only at the end (13 GB with the
defaults): for minutes after files are deleted, ext4 searches longer for each inode that it
allocates, and a run with many files would pay for the files of the previous one.
"""

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import time
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BINARY = ROOT / "target" / "dist" / "fusiongen"
SCRATCH = ROOT / "target" / "compare"
PACKAGES = ["tpchgen-cli==4.0.0", "duckdb==2.0.0", "pyarrow==26.0.1"]

# Rows of each per event of ours, so that all take about the same CPU seconds.
LINEITEM_ROWS, COPY_ROWS = 1.5, 0.25
LINEITEM_ROWS_PER_SCALE = 6_000_000

# In DuckDB: a table of 28 columns, as wide rows go: keys, a rising time, addresses, numbers, and
# texts from small to large sets. Then what is measured: COPY alone, without making the table.
COPY = """
import json, resource, sys
import duckdb
rows, out = int(sys.argv[1]), sys.argv[2]
con = duckdb.connect(config={"threads": 2})
texts = ",".join(f"'t{i}-' || (hash(i, {i}) % {n}) AS text_{i}" for i, n in enumerate(
    [3, 5, 8, 12, 20, 30, 50, 80, 120, 250, 250, 500, 1000, 2000, 10000]))
numbers = ",".join(f"(hash(i, {100 + k}) % {n})::INTEGER AS number_{k}" for k, n in enumerate(
    [2, 4, 10, 100, 1000, 65536, 65536, 100000]))
con.execute(f'''CREATE TABLE events AS SELECT
    DATE '2024-08-12' + (i * 7 // {rows})::INTEGER AS date,
    'category-' || (hash(i) % 88) AS category,
    TIMESTAMP '2024-08-12' + to_milliseconds(i * 604800000 // {rows}) AS "@timestamp",
    i AS id, hash(i, 1000) % 2 = 0 AS flag, {texts}, {numbers} FROM range({rows}) r(i)''')
columns = con.execute("SELECT count(*) FROM duckdb_columns() WHERE table_name = 'events'").fetchone()[0]
assert columns == 28, columns
def cpu():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
before = cpu()
con.execute(f"COPY events TO '{out}' (FORMAT parquet, PARTITION_BY (date, category), "
            "COMPRESSION zstd, COMPRESSION_LEVEL 1)")
print(json.dumps({"cpu": cpu() - before}))
"""


def number(text):
    found = re.fullmatch(r"(\d+)([kM]?)", text)
    if not found:
        raise argparse.ArgumentTypeError(f"'{text}' is no number like 200k or 10M")
    return int(found[1]) * {"": 1, "k": 1_000, "M": 1_000_000}[found[2]]


def run(words):
    """One process: CPU seconds, wall seconds, peak MiB, and its output."""
    log = SCRATCH / "output"
    with log.open("wb") as out:
        began = time.monotonic()
        process = subprocess.Popen(
            [str(w) for w in words], stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        _, status, used = os.wait4(process.pid, 0)
        took = time.monotonic() - began
        process.returncode = os.waitstatus_to_exitcode(status)
    text = log.read_text()
    if process.returncode != 0:
        sys.exit(f"benches/compare.py: {words} ended with {process.returncode}:\n{text}")
    return {"cpu": used.ru_utime + used.ru_stime, "seconds": took,
            "memory": used.ru_maxrss / 1024, "text": text}


def size(directory):
    return sum(f.stat().st_size for f in directory.rglob("*") if f.is_file())


# Runs in the virtual environment, which has pyarrow.
COUNT = """
import json, sys
from pathlib import Path
import pyarrow.parquet as parquet
rows, files, values, bounds, read = 0, 0, {}, {}, set()
for path in sorted(Path(sys.argv[1]).rglob("*.parquet")):
    meta = parquet.read_metadata(path)
    rows, files = rows + meta.num_rows, files + 1
    for g in range(meta.num_row_groups):
        group = meta.row_group(g)
        for c in range(meta.num_columns):
            column = group.column(c)
            name, statistics = column.path_in_schema, column.statistics
            if statistics is None or not statistics.has_null_count:
                sys.exit(f"{path}: {name} has no count of nulls")
            found = column.num_values - statistics.null_count
            values[name] = values.get(name, 0) + found
            if found:
                if not statistics.has_min_max:
                    sys.exit(f"{path}: {name} has no bounds")
                # Shortened bounds differ as well: the upper one is raised then.
                bounds.setdefault(name, set())
                if len(bounds[name]) < 2:
                    bounds[name] |= {repr(statistics.min), repr(statistics.max)}
several = {name for name in bounds if len(bounds[name]) > 1}
print(json.dumps({"rows": rows, "files": files, "columns": len(values),
    "columns_with_values": len(bounds), "columns_with_several": len(several),
    "values": sum(values.values()), "values_of_several": sum(values[n] for n in several)}))
"""


def spread(values, form="{:.2f}"):
    middle, least, most = statistics.median(values), min(values), max(values)
    return f"{form.format(middle)} ({form.format(least)}–{form.format(most)})"


def table(head, rows):
    print("| " + " | ".join(head) + " |")
    print("| --- |" + " ---: |" * (len(head) - 1))
    for row in rows:
        print("| " + " | ".join(row) + " |")
    print()


def contestants(events, python):
    """Each program: its name, its command for a directory, and the path of its files."""
    scale = round(events * LINEITEM_ROWS / LINEITEM_ROWS_PER_SCALE, 3)

    def fusiongen(threads):
        return lambda out: [BINARY, "generate", "--events", events, "--threads", threads,
                            "--no-progress", "--out", out]

    def tpchgen(threads):
        return lambda out: [python.parent / "tpchgen-cli", "parquet", "-s", scale, "-T", "lineitem",
                            "-c", "ZSTD(1)", "-n", threads, "--no-progress", "-o", out]

    return {
        "fusiongen, 1 thread": fusiongen(1),
        "tpchgen-cli, 1 thread": tpchgen(1),
        "fusiongen, 2 threads": fusiongen(2),
        "tpchgen-cli, 2 threads": tpchgen(2),
        "DuckDB, COPY": lambda out: [python, "-c", COPY, int(events * COPY_ROWS), out],
    }


def ratio(ours, theirs):
    """Paired, run by run."""
    return spread([a / b for a, b in zip(ours, theirs)], "{:.2f} ×")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--events", type=number, default="10M")
    parser.add_argument("--repetitions", type=int, default=5)
    arguments = parser.parse_args()
    subprocess.run(["cargo", "build", "--profile", "dist", "--quiet", "--locked"], cwd=ROOT, check=True)
    shutil.rmtree(SCRATCH, ignore_errors=True)
    SCRATCH.mkdir(parents=True)
    venv.create(SCRATCH / "venv", with_pip=True)
    python = SCRATCH / "venv" / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
                    "--no-input", *PACKAGES], check=True)

    began = time.monotonic()
    all_of = contestants(arguments.events, python)
    runs = {name: [] for name in all_of}
    counts, bytes_of = {}, {}
    for turn in range(-1, arguments.repetitions):
        for name, words in (contestants(max(arguments.events // 20, 1000), python) if turn < 0
                            else all_of).items():
            out = SCRATCH / f"{turn + 1} {name}"
            # Flush what earlier runs have written before this run, not during it.
            os.sync()
            done = run(words(out))
            if turn < 0:
                continue
            if name.startswith("DuckDB"):
                done["cpu"] = json.loads(done["text"].splitlines()[-1])["cpu"]
            runs[name].append(done)
            print(f"{time.monotonic() - began:6.0f} s  {name}: {done['cpu']:.2f} CPU s, "
                  f"{done['seconds']:.2f} s", file=sys.stderr, flush=True)
            if turn == 0:
                events = out / "events" if name.startswith("fusiongen") else out
                bytes_of[name] = size(events)
                counted = subprocess.run([python, "-c", COUNT, events], stdout=subprocess.PIPE)
                if counted.returncode != 0:
                    sys.exit(counted.returncode)
                counts[name] = json.loads(counted.stdout)
    for directory in SCRATCH.glob("[0-9]* *"):
        shutil.rmtree(directory)

    def per_cpu_second(name, what):
        return [counts[name][what] / r["cpu"] for r in runs[name]]

    print(f"Median (least–most) of {arguments.repetitions} runs, in turns.\n")
    millions = lambda values: spread([v / 1e6 for v in values])
    table(
        ["whole process", "rows, M", "CPU s", "s", "M rows a CPU s", "peak MiB", "files", "bytes a row"],
        [[name, f"{counts[name]['rows'] / 1e6:.2f}",
          spread([r["cpu"] for r in runs[name]]),
          "" if name.startswith("DuckDB") else spread([r["seconds"] for r in runs[name]]),
          millions(per_cpu_second(name, "rows")),
          spread([r["memory"] for r in runs[name]], "{:.0f}"),
          f"{counts[name]['files']:,}",
          f"{bytes_of[name] / counts[name]['rows']:.1f}"] for name in runs],
    )
    table(
        ["non-null values", "columns", "with 2 or more values", "values a row", "of those columns",
         "M values a CPU s", "of those columns"],
        [[name, str(counts[name]["columns"]), str(counts[name]["columns_with_several"]),
          f"{counts[name]['values'] / counts[name]['rows']:.1f}",
          f"{counts[name]['values_of_several'] / counts[name]['rows']:.1f}",
          millions(per_cpu_second(name, "values")),
          millions(per_cpu_second(name, "values_of_several"))] for name in runs],
    )
    labels = [("rows a CPU second", "rows"), ("non-null values a CPU second", "values"),
              ("the same, columns with 2 or more values", "values_of_several")]
    ratios = []
    for threads in ["1 thread", "2 threads"]:
        for label, what in labels:
            ours = per_cpu_second(f"fusiongen, {threads}", what)
            theirs = per_cpu_second(f"tpchgen-cli, {threads}", what)
            ratios.append([f"{label}, tpchgen-cli, {threads}", ratio(ours, theirs)])
    ratios.append(["rows a CPU second, DuckDB's COPY", ratio(
        per_cpu_second("fusiongen, 2 threads", "rows"), per_cpu_second("DuckDB, COPY", "rows"))])
    ratios.append(["seconds of 1 thread to those of 2, fusiongen", ratio(
        [r["seconds"] for r in runs["fusiongen, 1 thread"]],
        [r["seconds"] for r in runs["fusiongen, 2 threads"]])])
    table(["fusiongen to", "ratio"], ratios)


if __name__ == "__main__":
    main()

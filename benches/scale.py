#!/usr/bin/env python3
"""What a corpus of any size costs: plans it, makes a few of its files, and counts the others.

    pip install ./python
    benches/scale.py                                    # 1e9, 1e10 and 1e11 events
    benches/scale.py --events 10B --files 12            # more files of one size
    benches/scale.py --events 10B --truth               # also the truth of one date: minutes

Files are made in a temporary directory and removed. CPU seconds are user + system of the process,
which the kernel counts whatever else runs; memory is the peak resident set. Every size has a
process of its own. docs/scale.md has the figures.
"""

from __future__ import annotations

import argparse
import json
import pickle
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SIZES = ["1B", "10B", "100B"]


def cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def peak() -> float:
    """MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def spread(shards: list, number: int) -> list:
    """Files of every size: the smallest, the largest, and some in between."""
    by_rows = sorted(shards, key=lambda shard: (shard.rows, shard.index))
    last = len(by_rows) - 1
    return [by_rows[last * i // max(number - 1, 1)] for i in range(number)]


def written(plan, shards: list, out: Path, threads: int = 1) -> dict:
    began = cpu()
    summaries = [plan.write_shard(shard, out, threads=threads) for shard in shards]
    return {
        "files": len(shards),
        "rows": sum(summary.events for summary in summaries),
        "bytes": sum(summary.bytes for summary in summaries),
        "cpu": cpu() - began,
    }


def measure(events: str, files: int, threads: int, truth: bool) -> dict:
    import fusiongen

    began, wall = cpu(), time.monotonic()
    plan = fusiongen.plan(events=events)
    shards = plan.shards
    found = {
        "events": plan.events,
        "plan_cpu": cpu() - began,
        "plan_wall": time.monotonic() - wall,
        "plan_peak": peak(),
        "pickle": len(pickle.dumps(plan)),
        "plan_json": len(plan.to_json()),
        "estimated": plan.bytes,
        "partitions": len(plan.partitions),
        "tasks": len(plan.tasks()),
    }
    of_events = [shard for shard in shards if shard.kind == "events"]
    assert sum(shard.rows for shard in of_events) == plan.events
    found["files"] = len(of_events)
    found["tables"] = len(shards) - len(of_events)
    found["largest"] = max(shard.rows for shard in of_events)
    with tempfile.TemporaryDirectory() as directory:
        out = Path(directory) / "corpus"
        # Tables that all files need are made with the first.
        small = min(of_events, key=lambda shard: shard.rows)
        found["first"] = written(plan, [small], out)
        rest = [shard for shard in of_events if shard.index != small.index]
        found["made"] = written(plan, spread(rest, files), out, threads)
        found["peak"] = peak()
        if truth:
            day = next(shard.date for shard in shards if shard.kind == "truth")
            of_day = [shard for shard in shards if shard.kind == "truth" and shard.date == day]
            for table in ("chains", "edges", "iocs", "lookalikes", "steps", "verdicts"):
                of_table = [shard for shard in of_day if f"/{table}/" in shard.path][:1]
                found[f"truth_{table}"] = written(plan, of_table, out)
            found["truth_peak"] = peak()
    return found


def show(found: dict) -> None:
    made = found["made"]
    rate = made["rows"] / made["cpu"]
    lines = [
        f"{found['events']:,} events",
        f"  plan: {found['plan_cpu']:.1f} CPU s, {found['plan_wall']:.1f} s, peak {found['plan_peak']:.0f} MiB",
        f"  a pickled plan: {found['pickle']:,} bytes; plan.json: {found['plan_json']:,} bytes",
        f"  {found['partitions']} partitions, {found['files']:,} files of events, the largest of {found['largest']:,}, "
        f"{found['tables']} other files, {found['tasks']:,} tasks, about {found['estimated'] / 1e9:,.0f} GB",
        f"  first file, with the tables of all: {found['first']['cpu']:.1f} CPU s",
        f"  {made['files']} files really made: {made['rows']:,} events in {made['cpu']:.1f} CPU s, "
        f"{rate:,.0f} per CPU second, {made['bytes'] / made['rows']:.1f} bytes each, peak {found['peak']:.0f} MiB",
        f"  all events, from these: {found['events'] / rate / 3600:,.1f} CPU hours, "
        f"{found['events'] * made['bytes'] / made['rows'] / 1e12:.2f} TB",
    ]
    for name, table in found.items():
        if name.startswith("truth_") and isinstance(table, dict):
            lines.append(f"  {name}: {table['files']} file, {table['bytes']:,} bytes, {table['cpu']:.1f} CPU s")
    if "truth_peak" in found:
        lines.append(f"  peak with truth: {found['truth_peak']:.0f} MiB")
    print("\n".join(lines), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--events", nargs="+", default=SIZES, metavar="N")
    parser.add_argument("--files", type=int, default=8, metavar="N")
    parser.add_argument("--threads", type=int, default=1, metavar="N")
    parser.add_argument("--truth", action="store_true")
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        found = measure(arguments.events[0], arguments.files, arguments.threads, arguments.truth)
        json.dump(found, sys.stdout)
        return
    for events in arguments.events:
        command = [sys.executable, __file__, "--one", "--events", events]
        command += ["--files", str(arguments.files), "--threads", str(arguments.threads)]
        command += ["--truth"] if arguments.truth else []
        show(json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout))


if __name__ == "__main__":
    main()

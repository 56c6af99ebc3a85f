#!/usr/bin/env python3
"""The regression guard: counts the instructions of fixed small runs with callgrind.

    benches/instructions.py             compares with the baseline; exit code 1 beyond the allowance
    benches/instructions.py --update    measures, and writes the baseline of this compiler
    benches/instructions.py --parent    compares with the parent commit, whatever the baseline says

Unlike seconds, instruction counts do not depend on other work of the machine. They do depend on the
compiler, so `benches/instructions.toml` has a baseline for each. Without a baseline, the parent
commit is built and counted instead. These figures are compared:

- a small run, which is mostly fixed cost: the world and the files;
- each further event, from the difference to a larger run over the same world and files;
- the same by stage, so that a regression says where it is.

Code that libraries select by processor is made independent of the processor if possible:
GLIBC_TUNABLES switches off the C library's vector variants, and fixes the sizes at which its copy
routines change. BLAKE3, memchr and zstd query the processor themselves and cannot be configured;
valgrind does not offer them AVX-512, and the presence of AVX2 is part of a baseline's name.
"""

import argparse
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BASELINES = ROOT / "benches" / "instructions.toml"
BINARY = ROOT / "target" / "release" / "fusiongen"
SCRATCH = ROOT / "target" / "instructions"

ALLOWANCE = 0.05
# Of a stage: a function may cost less where another one calls it, and count to another stage.
STAGE_ALLOWANCE = 0.1
SMALL, LARGE = 20_000, 200_000
RUN = ["--days", "1", "--seed", "42", "--threads", "1", "--no-progress"]

TUNABLES = ":".join(
    [
        "glibc.cpu.hwcaps=" + ",".join(
            "-" + name
            for name in [
                "AVX2", "AVX512F", "AVX512VL", "AVX512BW", "AVX_Fast_Unaligned_Load",
                "BMI1", "BMI2", "LZCNT", "MOVBE", "RTM", "ERMS", "FSRM", "SSE4_1", "SSE4_2", "SSSE3",
                "Fast_Unaligned_Copy", "Fast_Copy_Backward",
            ]
        ),
        # By default these follow from the size of the processor's caches.
        "glibc.cpu.x86_data_cache_size=0x8000",
        "glibc.cpu.x86_shared_cache_size=0x100000",
        "glibc.cpu.x86_non_temporal_threshold=0xc0000",
    ]
)


def command(*words, **options):
    return subprocess.run(words, check=True, text=True, stdin=subprocess.DEVNULL, **options)


def output(*words):
    return command(*words, stdout=subprocess.PIPE, cwd=ROOT).stdout.strip()


def baseline_name():
    """The properties of the machine and compiler that instruction counts depend on."""
    target = re.search(r"^host: (.+)$", output("rustc", "-vV"), re.M).group(1)
    vectors = ""
    if platform.machine() == "x86_64":
        flags = set(Path("/proc/cpuinfo").read_text().split())
        vectors = ", AVX2" if {"avx2", "bmi2"} <= flags else ", no AVX2"
    return f"{output('rustc', '-V')}, {target}{vectors}"


def costs(profile):
    """Instructions of each function of a callgrind profile, with those of the functions it calls, and
    of each call by (caller, called)."""
    names, inclusive, calls = {}, Counter(), Counter()
    function = called = None
    is_call = False

    def name(text):
        number, _, known = text.partition(" ")
        return names.setdefault(number, known)

    with profile.open() as lines:
        for line in lines:
            line = line.rstrip("\n")
            if line.startswith("fn="):
                function = name(line[3:])
            elif line.startswith("cfn="):
                called = name(line[4:])
            elif line.startswith("calls="):
                is_call = True
            elif line[:1] in tuple("+-*0123456789"):
                count = int(line.split()[1])
                inclusive[function] += count
                if is_call:
                    calls[function, called] += count
                is_call = False
    return inclusive, calls


def stages(profile):
    """Instructions of a run by stage."""
    inclusive, calls = costs(profile)

    def of(function):
        found = [cost for known, cost in inclusive.items() if known.endswith(function)]
        if not found:
            sys.exit(f"benches/instructions.py: the profile has no function {function}: its name has "
                     "changed, or it is inlined; say so in stages()")
        return sum(found)

    truth = of("fusiongen::truth::Truth::write")
    encode = of("fusiongen::run::Workshop<F>::encode")
    view = of("fusiongen::sink::parquet::ParquetRowGroup::write_view")
    append = of("arrow_parquet_encoder::row_group::LeafStream::column")
    # Truth is written by the same encoder.
    finish = sum(
        cost for (caller, called), cost in calls.items()
        if called.endswith("row_group::RowGroupWriter::finish") and "truth::" not in caller)
    return {
        "frames": encode - view - finish,
        "columns": view - append,
        "encoding": append + finish,
        "truth": truth,
    }


def run_instructions(binary, events):
    """Instructions of one run that writes `events` events, and by stage."""
    environment = {
        "PATH": os.environ.get("PATH", ""),
        "LC_ALL": "C",
        "GLIBC_TUNABLES": TUNABLES,
    }
    with tempfile.TemporaryDirectory(prefix="run-", dir=SCRATCH) as scratch:
        profile = Path(scratch) / "callgrind"
        counted = subprocess.run(
            ["valgrind", "--tool=callgrind", f"--callgrind-out-file={profile}",
             binary, "generate", "--events", str(events), *RUN, "--out", f"{scratch}/corpus"],
            env=environment, text=True, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )
        found = re.search(r"Collected : (\d+)", counted.stdout)
        if counted.returncode != 0 or not found:
            sys.exit(f"benches/instructions.py: a run under callgrind failed:\n{counted.stdout}")
        return int(found.group(1)), stages(profile)


def measure(binary):
    """The figures of a binary."""
    # Both runs in parallel: the counts are independent of each other.
    with ThreadPoolExecutor() as pool:
        (large, in_large), (small, in_small) = pool.map(
            lambda events: run_instructions(binary, events), [LARGE, SMALL])

    def further(large, small):
        return round((large - small) / (LARGE - SMALL))

    return {"small_run": small, "further_event": further(large, small)} | {
        stage: further(in_large[stage], in_small[stage]) for stage in in_large}


def build(directory):
    command("cargo", "build", "--release", "--quiet", "--locked", cwd=directory)


def measure_parent():
    """The figures of the previous commit; None if they are not available."""
    changed = subprocess.run(
        ["git", "diff", "--quiet", "HEAD"], cwd=ROOT, stdin=subprocess.DEVNULL
    ).returncode
    parent = "HEAD" if changed else "HEAD^"
    known = subprocess.run(
        ["git", "rev-parse", "--verify", "--quiet", f"{parent}^{{commit}}"],
        cwd=ROOT, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
    )
    if known.returncode != 0:
        return None
    commit = known.stdout.strip()
    print(f"building and counting {commit[:12]}, the commit before", flush=True)
    tree, binary = SCRATCH / "parent", SCRATCH / "fusiongen-parent"
    try:
        command("git", "worktree", "add", "--quiet", "--force", "--detach", tree, commit, cwd=ROOT)
        # The same target directory, so that dependencies are built once.
        command("cargo", "build", "--release", "--quiet", "--locked", cwd=tree,
                env=os.environ | {"CARGO_TARGET_DIR": str(ROOT / "target")})
        shutil.copy2(BINARY, binary)
    finally:
        command("git", "worktree", "remove", "--force", tree, cwd=ROOT)
        # The parent's binary replaced this one's.
        build(ROOT)
    return measure(binary)


def compare(now, before):
    """Prints both; true if no figure has grown by more than the allowance."""
    held = True
    print(f"{'instructions':<16}{'before':>16}{'now':>16}{'change':>10}")
    labels = {"small_run": "a small run", "further_event": "a further event"}
    for figure in now:
        label = labels.get(figure, f"  its {figure}")
        if figure not in before:
            print(f"{label:<16}{'':>16}{now[figure]:>16,}")
            continue
        change = now[figure] / before[figure] - 1
        print(f"{label:<16}{before[figure]:>16,}{now[figure]:>16,}{change:>+10.2%}")
        allowance = ALLOWANCE if figure in labels else STAGE_ALLOWANCE
        if change > allowance:
            held = False
        elif change < -allowance:
            print("  less by more than the allowance: --update, so that the guard holds it")
    return held


def update(name, now):
    baselines = tomllib.loads(BASELINES.read_text()) if BASELINES.exists() else {}
    baselines[name] = now
    lines = [
        "# Instructions of fixed small runs, by compiler, target and processor.",
        "# Written by `benches/instructions.py --update`, which describes them.",
    ]
    for key in sorted(baselines):
        lines += ["", f'["{key}"]', *(f"{k} = {v}" for k, v in baselines[key].items())]
    BASELINES.write_text("\n".join(lines) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--update", action="store_true", help="write the baseline of this compiler")
    how.add_argument("--parent", action="store_true", help="compare with the commit before")
    arguments = parser.parse_args()
    if not shutil.which("valgrind"):
        sys.exit("benches/instructions.py: valgrind is not on PATH; install the package valgrind")

    build(ROOT)
    SCRATCH.mkdir(parents=True, exist_ok=True)
    name = baseline_name()
    now = measure(BINARY)
    if arguments.update:
        update(name, now)
        print(f"{BASELINES.relative_to(ROOT)}, {name}: {now}")
        return
    before = None
    if BASELINES.exists() and not arguments.parent:
        before = tomllib.loads(BASELINES.read_text()).get(name)
    if before:
        print(f"baseline of {name}")
    else:
        print(f"no baseline of {name} is used")
        before = measure_parent()
    if not before:
        print("SKIPPED: there is no commit before this one to compare with")
        return
    if not compare(now, before):
        sys.exit(
            f"benches/instructions.py: slower by more than {ALLOWANCE:.0%}, or a stage by more than "
            f"{STAGE_ALLOWANCE:.0%}. Find what costs with\n"
            "  valgrind --tool=callgrind target/release/fusiongen generate --events 200k --days 1 --threads 1\n"
            "or, where the cost is meant, run benches/instructions.py --update and say why in the commit."
        )


if __name__ == "__main__":
    main()

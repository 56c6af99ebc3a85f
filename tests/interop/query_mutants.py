"""How sharp the query suite is: mutants of its queries and of a corpus, and runs of one binary against itself.

    python tests/interop/query_mutants.py queries     # which changes of a query change its result
    python tests/interop/query_mutants.py corpora     # which damages of a corpus which queries see
    python tests/interop/query_mutants.py noise 20    # how often a run is called slower than an equal one

Each makes a corpus of --events (100k) of the sample inputs. FUSIONGEN names the program.
"""

import argparse
import json
import re
import shutil
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from support import SAMPLE_INPUTS, Corpus, fusiongen, generate

# ---------------------------------------------------------------- mutants of queries


@dataclass(frozen=True)
class Mutant:
    """A query with one change."""

    query: str
    kind: str
    change: str
    sql: str


#: Texts that are never changed: literals are, as a whole, by a rule of their own.
LITERAL = re.compile(r"'[^']*'")

#: Kind, what is looked for outside literals, and what takes its place. From a million on, a number is a
#: time or a duration in microseconds, of which no engine is off by one.
RULES = [
    ("number + 1", r"(?<![\w.])\d{1,6}(?![\w.])", lambda m: str(int(m[0]) + 1)),
    ("number - 1", r"(?<![\w.])\d{1,6}(?![\w.])", lambda m: str(int(m[0]) - 1)),
    ("duration + 10%", r"(?<![\w.])\d{7,13}(?![\w.])", lambda m: str(int(m[0]) * 11 // 10)),
    ("duration - 10%", r"(?<![\w.])\d{7,13}(?![\w.])", lambda m: str(int(m[0]) * 9 // 10)),
    ("an hour later", r"(?<![\w.])\d{14,}(?![\w.])", lambda m: str(int(m[0]) + 3_600_000_000)),
    ("an hour earlier", r"(?<![\w.])\d{14,}(?![\w.])", lambda m: str(int(m[0]) - 3_600_000_000)),
    (">= to >", r">=", lambda m: ">"),
    ("<= to <", r"<=", lambda m: "<"),
    ("> to >=", r"(?<![<>=])>(?![=])", lambda m: ">="),
    ("< to <=", r"(?<![<>=])<(?![=>])", lambda m: "<="),
    ("= to <>", r"(?<![<>=!])=(?![=])", lambda m: "<>"),
    ("DISTINCT lost", r"\bDISTINCT ", lambda m: ""),
    ("outer to inner join", r"\bLEFT JOIN\b", lambda m: "JOIN"),
    ("inner to outer join", r"(?<!LEFT )\bJOIN\b", lambda m: "LEFT JOIN"),
    ("min to max", r"\bmin(?=\()", lambda m: "max"),
    ("max to min", r"\bmax(?=\()", lambda m: "min"),
    ("sum to max", r"\bsum(?=\()", lambda m: "max"),
    ("order reversed", r" DESC\b", lambda m: " ASC"),
    ("null test turned", r"\bIS NOT NULL\b", lambda m: "IS NULL"),
    ("null test turned", r"\bIS NULL\b", lambda m: "IS NOT NULL"),
    ("AND to OR", r"\bAND\b", lambda m: "OR"),
    ("OR to AND", r"\bOR\b", lambda m: "AND"),
    ("RANGE to ROWS", r"\bRANGE BETWEEN\b", lambda m: "ROWS BETWEEN"),
    ("other address", r"\bsource_ip\b", lambda m: "destination_ip"),
    ("other address", r"\bdestination_ip\b", lambda m: "source_ip"),
    ("user for host", r"(?<![.\w])host_name\b", lambda m: "user_name"),
    ("lower lost", r"\blower(?=\()", lambda m: ""),
    ("UNION ALL to UNION", r"\bUNION ALL\b", lambda m: "UNION"),
    ("operator turned", r"(?<= )[+](?= )", lambda m: "-"),
    ("operator turned", r"(?<= )-(?= )", lambda m: "+"),
    ("first order reversed", r"\bORDER BY \w+(?:\.\w+)?(?=[,\s)])(?! (?:DESC|NULLS))", lambda m: m[0] + " DESC"),
]  # fmt: skip


def conditions(sql: str) -> Iterator[tuple[int, int]]:
    """The parts of a conjunction, each with the AND after or before it, that can be dropped."""
    depth = 0
    level: dict[int, int] = {}
    for token in re.finditer(r"'[^']*'|\(|\)|\bBETWEEN\b|\bAND\b|\bWHERE\b|\bGROUP BY\b|\bORDER BY\b|\bUNION\b|\bHAVING\b|$", sql):
        text = token[0]
        if text == "(":
            depth += 1
        elif text in (")", "GROUP BY", "ORDER BY", "UNION", "HAVING", ""):
            start = level.pop(depth, None)
            if start is not None and start < 0:
                yield -start, token.start()
            depth -= text == ")"
        elif text == "BETWEEN":
            level[-1 - depth] = 1
        elif text == "WHERE":
            level[depth] = token.end()
        elif text == "AND" and not level.pop(-1 - depth, None) and depth in level:
            start = level[depth]
            yield (start, token.end()) if start > 0 else (-start, token.start())
            level[depth] = -token.start()


def mutants(query: str, sql: str) -> Iterator[Mutant]:
    """All queries with one change."""
    literals = [match.span() for match in LITERAL.finditer(sql)]
    inside = lambda at: any(start <= at < end for start, end in literals)  # noqa: E731

    def of(kind, start, end, text):
        line = " ".join(sql[max(0, start - 40) : end + 25].split())
        return Mutant(query, kind, line, sql[:start] + text + sql[end:])

    for kind, pattern, change in RULES:
        for match in re.finditer(pattern, sql):
            if not inside(match.start()):
                yield of(kind, *match.span(), change(match))
    for start, end in literals:
        if sql[:start].rstrip().endswith("DATE"):
            continue
        yield of("other literal", start, end, sql[start : end - 1] + "~'")
    for start, end in conditions(sql):
        yield of("condition lost", start, end, " ")


#: Why a mutant survives: the query, the kind of change, what the changed line has, and the reason. With the
#: first EQUIVALENT ones, the query asks the same of any whole corpus of this size: no suite could tell.
REASONS = [
    ("", "number|condition lost", r"LIMIT \d+$", "the result is shorter than the limit"),
    ("", "outer", r"JOIN", "each row on the left has its match, such as every step its event"),
    ("", "condition lost|null test|other address", r"IS NOT NULL", "the other conditions imply that the value is there"),
    ("", "condition lost|AND to OR|literal", r"event_provider|event_code|event_kind = 'alert' AND severity", "the other conditions imply the kind of record"),
    ("q3[034]", "condition lost", r"date|day|category", "the other conditions imply the partition, which only saves time"),
    ("q37", "condition lost", r"date", "the days are all days of the corpus"),
    ("q27", "condition lost|AND to OR", r"", "all steps agree: the conditions are for damages of a corpus"),
    ("q04|q1[1278]", "min to max|max to min", r"", "each group has one value"),
    ("", "lower lost", r"", "the data have one spelling"),
    ("", "literal", r"\bIN \(|, '", "no event of these conditions has this value of the list"),
    ("", "DISTINCT lost", r"SELECT DISTINCT", "the join or the group after it removes duplicates, too"),
    ("q1[12]", "DISTINCT lost", r"HAVING", "each group has one event for each host"),
    ("", "UNION ALL", r"", "no row is there twice"),
    ("q03", "", r"", "the address is no source and no answer"),
    ("q13", "literal", r"LIKE", "another of the patterns fits, too"),
    ("q18", "condition lost", r"LIKE", "only programs are run"),
    ("q24", "", r"generation", "the tree has few generations"),
    ("", "> to|< to|<= to|>= to", r"_us\b|\d{7,}", "no event is at the very microsecond"),
    ("", "> to|< to|<= to|>= to|number|duration", r"", "no group is at the threshold"),
    ("", "order", r"", "no ties, or each group has one value"),
    ("", "user for host", r"ORDER BY|^BY", "no ties, or each group has one value"),
]  # fmt: skip
EQUIVALENT = 4


def reason(mutant: Mutant) -> str | None:
    """Why a mutant survives; None if no rule explains it."""
    for query, kind, pattern, why in REASONS:
        if all(re.search(*pair) for pair in ((query, mutant.query), (kind, mutant.kind), (pattern, mutant.change))):
            return why
    return None


#: A join without its condition must not fill memory or disk.
LIMITS = ("SET memory_limit = '3GB'", "SET temp_directory = ''")
#: Longest time of one mutant in seconds.
PATIENCE = 20


class Judge:
    """Queries of the suite on DuckDB over one corpus."""

    def __init__(self, corpus: Corpus, only: list[str] | None = None):
        listed = json.loads(fusiongen("queries", "list", "--json").stdout)
        names = [query["name"] for query in listed if not only or query["name"][:3] in only]
        self.queries = {}
        for name in names:
            shown = fusiongen("queries", "show", name, "--corpus", corpus.path)
            assert shown.returncode == 0, shown.stderr
            *views, sql = re.split(r";\n\n", shown.stdout.strip())
            # In memory, each of the hundreds of runs takes milliseconds.
            kind = "VIEW" if any("VIEW flat" in view for view in views) else "TABLE"
            tables = [view.replace(" TEMP VIEW ", f" TEMP {kind} ", 1) for view in views]
            self.queries[name] = (tables, re.sub(r"^--.*\n", "", sql).rstrip(";\n"))

    def mutants(self) -> Iterator[tuple[Mutant, bool | None]]:
        """Every mutant, and whether it is noticed; None if the engine refuses it."""
        for name, (tables, sql) in self.queries.items():
            connection = duckdb.connect()
            for statement in ("SET TimeZone = 'UTC'", "SET threads = 2", *LIMITS, *tables):
                connection.execute(statement)
            expected = connection.execute(sql).fetchall()
            print(f"{name}: {len(expected)} rows", file=sys.stderr, flush=True)
            seen = {sql}
            for mutant in mutants(name, sql):
                if mutant.sql in seen:
                    continue
                seen.add(mutant.sql)
                # A join without its condition would take hours, which is noticed, too.
                timer = threading.Timer(PATIENCE, connection.interrupt)
                timer.start()
                try:
                    found = connection.execute(mutant.sql).fetchmany(len(expected) + 1)
                except (duckdb.OutOfMemoryException, duckdb.InterruptException):
                    found = None
                except duckdb.Error:
                    yield mutant, None
                    continue
                finally:
                    timer.cancel()
                yield mutant, found != expected


def queries(options) -> None:
    """Prints how many mutants of queries are noticed, and the survivors."""
    with tempfile.TemporaryDirectory() as directory:
        judge = Judge(sample(Path(directory), options.events), options.only)
        results = list(judge.mutants())
    valid = [(mutant, noticed) for mutant, noticed in results if noticed is not None]
    total, noticed = Counter(m.kind for m, _ in valid), Counter(m.kind for m, seen in valid if seen)
    print("| change | noticed | of |\n| --- | ---: | ---: |")
    for kind, count in sorted(total.items()):
        print(f"| {kind} | {noticed[kind]} | {count} |")
    survivors = [(mutant, reason(mutant)) for mutant, seen in valid if not seen]
    whys = Counter(why or "NOT EXPLAINED" for _, why in survivors)
    print(f"| all | {noticed.total()} ({noticed.total() / total.total():.1%}) | {total.total()} |\n")
    print("| survivors | reason |\n| ---: | --- |")
    for why, count in whys.most_common():
        print(f"| {count} | {why} |")
    meaning = total.total() - sum(whys[why] for *_, why in REASONS[:EQUIVALENT])
    print(f"\nof those that can mean another question: {noticed.total() / meaning:.1%} of {meaning}")
    for mutant, why in survivors:
        print(f"{mutant.query[:3]} {mutant.kind}: {mutant.change}  ({why or 'NOT EXPLAINED'})")
    print(f"{len(results) - len(valid)} changes are no valid SQL and do not count")


# ---------------------------------------------------------------- mutants of corpora


def leaf(table: pa.Table, path: str) -> pa.Array:
    """A leaf of nested columns, one value a row."""
    name, *more = path.split(".")
    array = table[name].combine_chunks()
    for part in more:
        array = pc.struct_field(array, part)
    return array


def with_leaf(array: pa.Array, path: list[str], value: pa.Array) -> pa.Array:
    """A column with one leaf replaced; null structs stay null."""
    if not path:
        return value.cast(array.type)
    names = [field.name for field in array.type]
    children = [array.field(i) for i in range(len(names))]
    at = names.index(path[0])
    children[at] = with_leaf(children[at], path[1:], value)
    return pa.StructArray.from_arrays(children, fields=list(array.type), mask=pc.is_null(array))


def changed(file: Path, leaves: dict[str, Callable[[pa.Table], pa.Array]]) -> None:
    """Writes a file again with leaves replaced."""
    table = pq.read_table(file, partitioning=None)
    for name, change in leaves.items():
        column, *path = name.split(".")
        value = with_leaf(table[column].combine_chunks(), path, change(table))
        table = table.set_column(table.schema.get_field_index(column), table.schema.field(column), value)
    pq.write_table(table, file)


def with_texts(path: str, change: Callable[[pa.Array], pa.Array]):
    """Changes all texts of a leaf."""

    def damage(corpus: Corpus, files: list[Path]):
        for file in files:
            changed(file, {path: lambda table: change(leaf(table, path).cast(pa.string()))})

    return damage


def one_of_a_chain(files: list[Path], corpus: Corpus) -> tuple[Path, int]:
    """The file and the row of an event that belongs to an attack and has a host."""
    for file in files:
        day = re.search(r"date=([\d-]+)", str(file))[1]
        steps = pq.read_table(sorted(corpus.path.glob(f"truth/steps/date={day}/*.parquet")), partitioning=None)
        wanted = steps.filter(pc.is_valid(steps["host"]))["event_sequence"].to_pylist()
        sequences = leaf(pq.read_table(file, partitioning=None), "event.sequence").to_pylist()
        for number in wanted:
            if number in sequences:
                return file, sequences.index(number)
    raise AssertionError("no attack has an event in these files")


def one_changed(path: str):
    """Changes a text of one event of an attack."""

    def change(corpus: Corpus, files: list[Path]):
        file, row = one_of_a_chain(files, corpus)

        def other(table):
            values = leaf(table, path).cast(pa.string()).to_pylist()
            values[row] = "elsewhere"
            return pa.array(values)

        changed(file, {path: other})

    return change


def swapped(corpus, files):
    for file in files:
        source, target = (leaf(pq.read_table(file, partitioning=None), f"{end}.ip") for end in ("source", "destination"))
        ends = {"source.ip": lambda _, value=target: value, "destination.ip": lambda _, value=source: value}
        changed(file, ends)


def shifted(corpus, files):
    hour = pa.scalar(3_600_000_000, pa.duration("us"))
    changed(files[0], {"@timestamp": lambda table: pc.add(leaf(table, "@timestamp"), hour)})


def zeroes(corpus, files):
    """Zero where there was nothing, as of an engine that has no nulls."""
    for file in files:
        changed(file, {"source.bytes": lambda table: pc.fill_null(leaf(table, "source.bytes"), 0)})


def lost_rows(count: int):
    def change(corpus, files):
        table = pq.read_table(files[0], partitioning=None)
        pq.write_table(table.slice(0, table.num_rows - count), files[0])

    return change


def doubled_row(corpus, files):
    table = pq.read_table(files[0], partitioning=None)
    pq.write_table(pa.concat_tables([table, table.slice(table.num_rows // 2, 1)]), files[0])


DAMAGES: dict[str, Callable[[Corpus, list[Path]], object]] = {
    "one file of events is gone": lambda corpus, files: files[0].unlink(),
    "one file is there twice": lambda corpus, files: shutil.copy(files[0], files[0].with_name("again.parquet")),
    "one event is gone": lost_rows(1),
    "one event is there twice": doubled_row,
    "the host of one event of an attack is another": one_changed("host.name"),
    "the user of one event of an attack is another": one_changed("user.name"),
    "the outcome of one event of an attack is another": one_changed("event.outcome"),
    "source and destination addresses are swapped": swapped,
    "the times of one day are an hour late": shifted,
    "bytes that are not known are zero": zeroes,
    "hosts that are not known are empty texts": with_texts("host.name", lambda texts: pc.fill_null(texts, "")),
    "paths of programs are in small letters": with_texts("process.executable", pc.utf8_lower),
    "command lines end after 40 characters": with_texts(
        "process.command_line", lambda texts: pc.utf8_slice_codeunits(texts, 0, 40)
    ),
}


def sample(directory: Path, events: str) -> Corpus:
    """A corpus of the sample inputs, with one file a day."""
    return generate(directory / "corpus", "--events", events, "--days", "3", "--partition-by", "date", *SAMPLE_INPUTS)


def run(corpus: Path, record: Path, *arguments) -> dict:
    done = fusiongen(
        "queries", "run", corpus, "--tries", "1", "--threads", "2", "-o", record, *arguments,
        env={"FUSIONGEN_PYTHON": sys.executable},
    )  # fmt: skip
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return {outcome["query"][:3]: outcome for outcome in json.loads(record.read_text())["queries"]}


def seen(directory: Path, corpus: Corpus, damages: list[str], only: str = "") -> Iterator[tuple[str, set, set]]:
    """Of each damage: queries that are wrong by themselves, and queries whose rows are not those of before."""
    arguments = ["--only", only] if only else []
    before = run(corpus.path, directory / "before.json", *arguments)
    for name in damages:
        copy = Corpus(directory / "damaged")
        shutil.copytree(corpus.path, copy.path)
        # The second day: the first has no day before it, which some queries need.
        files = [file for file in copy.files if copy.files[-1].parent != file.parent != copy.files[0].parent]
        DAMAGES[name](copy, files or copy.files)
        after = run(copy.path, directory / "after.json", *arguments)
        wrong = {number for number, outcome in after.items() if outcome["status"] == "wrong"}
        other = {number for number, outcome in after.items() if outcome["checksum"] != before[number]["checksum"]}
        yield name, wrong, other
        shutil.rmtree(copy.path)


def corpora(options) -> None:
    """Prints which queries see which damage."""
    with tempfile.TemporaryDirectory() as directory:
        corpus = sample(Path(directory), options.events)
        print("| damage | wrong without a baseline | results that change | queries |\n| --- | --- | ---: | --- |")
        for name, wrong, other in seen(Path(directory), corpus, list(DAMAGES)):
            print(f"| {name} | {' '.join(sorted(wrong)) or 'none'} | {len(other)} | {' '.join(sorted(other))} |", flush=True)


# ---------------------------------------------------------------- runs of one binary


def noise(options) -> None:
    """Prints how often a run of the same program, engine and corpus is raised."""
    with tempfile.TemporaryDirectory() as directory:
        corpus = sample(Path(directory), options.events)
        base = Path(directory) / "base.json"
        environment = {"FUSIONGEN_PYTHON": sys.executable}
        arguments = ["queries", "run", corpus.path, "--threads", options.threads, "--tries", options.tries]
        first = fusiongen(*arguments, "-o", base, env=environment, timeout=7200)
        assert first.returncode == 0, first.stdout + first.stderr
        raised: Counter[str] = Counter()
        for round_ in range(options.rounds):
            done = fusiongen(*arguments, "--baseline", base, env=environment, timeout=7200)
            verdicts = re.findall(r"^(q\d\d)\w* .*\b(WRONG|SLOWER|suspect)\b", done.stdout, re.MULTILINE)
            raised.update(word for _, word in verdicts)
            raised["runs with exit code 1"] += done.returncode == 1
            words = ", ".join(f"{query} {word}" for query, word in verdicts) or "nothing"
            print(f"round {round_ + 1}: {words}; {done.stdout.splitlines()[-1]}", flush=True)
        count = len(json.loads(base.read_text())["queries"])
        print(f"{options.rounds} rounds of {count} queries: {dict(raised)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    for command in (queries, corpora, noise):
        added = commands.add_parser(command.__name__, help=command.__doc__)
        added.add_argument("--events", default="100k")
        added.set_defaults(call=command)
        if command is queries:
            added.add_argument("--only", type=lambda text: text.split(","))
        if command is noise:
            added.add_argument("rounds", type=int, nargs="?", default=20)
            added.add_argument("--threads", type=int, default=2)
            added.add_argument("--tries", type=int, default=5)
    options = parser.parse_args()
    options.call(options)


if __name__ == "__main__":
    main()

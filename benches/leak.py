#!/usr/bin/env python3
"""What gives attacks away, apart from labels: a classifier per kind of record, tried on another seed.

    pip install duckdb pandas scikit-learn
    benches/leak.py                                # generates two corpora, seeds 1 and 2
    benches/leak.py --seeds 3 4 --catalog my-catalog
    benches/leak.py out/one out/two                # learns from the first, is tried on the second
    benches/leak.py --kind 'Sysmon 11' --columns 30       # one kind, with more of its columns
    benches/leak.py --without '^(time|counter)'    # contents alone
    benches/leak.py --json

For every kind with enough rows, boosted trees learn the rows of chains against the others of the kind, from
every column that is no label and from what can be derived: remainders and steps of process ids, ports and the
process numbers in ProcessGuids, milliseconds, delays between records of a host and of a process, the length and
entropy of texts. The AUC on the other seed is given for three comparisons, of which the first is the measure:

    all       chains' rows against all others
    alerts    chains' alerts against other alerts
    events    chains' rows without an alert against others without one

An alert is itself a label, so *all* also finds what tells alerts from events. Labels are left out: `rule`,
`threat`, `attack`, `labels`, `tags`, the category and its module, severities, and what only an alert has: kind,
type, category, action and outcome of `event`, and the sensor's direction. *alerts* has the last three.
`event.sequence` is left out because it begins with the number of the category.

The columns under a kind are those with the highest AUC alone; `without` is what the AUC loses when the column
is shuffled in the full model, which is little where another column has the same to say.
"""

from __future__ import annotations

import argparse
import json
import math
import re
import subprocess
import sys
import tempfile
import warnings
from collections import Counter
from pathlib import Path

import duckdb
import numpy
import pandas
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score
from sklearn.tree import DecisionTreeClassifier

ROOT = Path(__file__).resolve().parent.parent

#: Columns that are labels or name one, by their first words.
LABELS = (
    "rule.", "threat.", "attack.", "labels.", "tags", "date", "category", "event.category", "event.type", "event.kind",
    "event.severity", "event.module", "event.dataset", "event.sequence", "fusionai.signature", "fusionai.category",
    "fusionai.severity", "fusionai.noise",
)  # fmt: skip
#: Columns that tell alerts from events, and are labels unless all rows are alerts.
OF_ALERTS = ("event.action", "event.outcome", "fusionai.direction")
#: Names of hosts and people of one organisation, which another seed does not have.
NAMES = ("host.hostname", "winlog.computer_name")

KIND = """CASE WHEN winlog.provider_name = 'Microsoft-Windows-Sysmon' THEN 'Sysmon ' || winlog.event_id
    WHEN winlog.event_id IS NOT NULL THEN winlog.channel || ' ' || winlog.event_id
    WHEN auditd.type IS NOT NULL THEN 'auditd ' || auditd.type
    WHEN fusionai.cloud.dataset IS NOT NULL THEN fusionai.cloud.dataset ELSE 'syslog' END"""

#: Rows of a kind that are judged, and chain rows in a comparison.
LEAST, LEAST_CHAIN, LEAST_CHAINS = 2000, 40, 4
#: Rows that are not of chains are sampled above this many.
MOST = 10_000
#: Values of a text that are told apart: the most frequent in the corpus that is learnt from, if so many of its
#: hosts have them. Names of hosts, people and addresses mean something else under another seed.
VALUES, HOSTS = 200, 5
#: Rows of a chain to learn from. A scan has thousands of one process, whose numbers would be learnt by heart.
MOST_OF_CHAIN = 50

#: Comparisons, and their rows.
WHICH = {"all": "true", "alerts": "alert", "events": "NOT alert"}


def leaves(name: str, kind) -> list[tuple[str, bool]]:
    """A column's fields, and whether they are lists."""
    if kind.id == "struct":
        return [leaf for child, type_ in kind.children for leaf in leaves(f'{name}."{child}"', type_)]
    return [(name, kind.id == "list")]


class Corpus:
    """A corpus, of which the rows of one kind at a time are in memory."""

    def __init__(self, path: Path, without: str | None):
        if not (path / "events").is_dir():
            sys.exit(f"{path} has no directory events: name a corpus that fusiongen generate wrote")
        self.database = duckdb.connect(config={"threads": 1})
        self.database.execute("SET TimeZone = 'UTC'; SET enable_progress_bar = false")
        files = str(path / "events" / "**" / "*.parquet").replace("'", "''")
        self.database.execute(f"CREATE VIEW e AS SELECT * FROM read_parquet('{files}', hive_partitioning = true)")
        relation = self.database.table("e")
        fields = []
        for column, kind in zip(relation.columns, relation.types, strict=True):
            for sql, is_list in leaves(f'"{column}"', kind):
                name = sql.replace('"', "")
                if name not in ("@timestamp", *NAMES) and not name.startswith(LABELS):
                    fields.append(f"""{f"array_to_string({sql}, ' ')" if is_list else sql} AS "{name}\"""")
        self.fields, self.without = ", ".join(fields), without
        # Narrow rows are ordered, wide ones are not.
        self.database.execute(f"""
            CREATE TEMP TABLE steps AS SELECT event.sequence AS sequence, {KIND} AS kind, attack.id AS chain,
                event.kind = 'alert' AS alert, {derived()} FROM e WINDOW
                host AS (PARTITION BY host.name ORDER BY "@timestamp", event.sequence),
                own AS (PARTITION BY host.name, process.entity_id ORDER BY "@timestamp", event.sequence),
                same AS (PARTITION BY host.name, {KIND} ORDER BY "@timestamp", event.sequence),
                channel AS (PARTITION BY host.name, winlog.channel ORDER BY winlog.record_id NULLS FIRST, "@timestamp")""")

    def kinds(self, least: int) -> set[str]:
        """Kinds with enough rows, some of them of chains."""
        found = self.database.execute(
            "SELECT kind FROM steps GROUP BY kind HAVING count(*) >= ? AND count(chain) >= ?", [least, LEAST_CHAIN]
        ).fetchall()
        return {kind for (kind,) in found}

    def counts(self, kind: str, comparison: str) -> tuple[int, int, int]:
        """Rows, those of chains, and chains."""
        return self.database.execute(f"""SELECT count(*), count(chain), count(DISTINCT chain) FROM steps
            WHERE kind = ? AND {WHICH[comparison]}""", [kind]).fetchone()

    def rows(self, kind: str, comparison: str, of_chain: int) -> pandas.DataFrame:
        """At most so many rows of each chain, and a sample of the others."""
        found = self.database.execute(f"""
            WITH chosen AS (SELECT *, row_number() OVER (PARTITION BY chain ORDER BY hash(sequence)) AS place FROM steps
                WHERE kind = ? AND {WHICH[comparison]})
            SELECT chosen.* EXCLUDE (sequence, place, kind, alert), {self.fields}
            FROM (FROM chosen WHERE place <= if(chain IS NULL, {MOST}, {of_chain})) chosen
            JOIN e ON chosen.sequence = event.sequence ORDER BY chosen.sequence""", [kind]).df()
        unwanted = [name for name in found.columns if self.without and re.search(self.without, name)]
        return found.drop(columns=unwanted)


def derived() -> str:
    """Columns that follow from the records and those before them on the host."""
    ordinal = lambda guid: f"""TRY_CAST('0x' || substr({guid}, 28, 2) || substr({guid}, 26, 2) || substr({guid}, 23, 2)
        || substr({guid}, 21, 2) AS BIGINT)"""
    started = lambda guid: f"TRY_CAST('0x' || substr({guid}, 16, 4) || substr({guid}, 11, 4) AS BIGINT)"
    own, parent = "process.entity_id", "process.parent.entity_id"
    utc = "TRY_CAST(winlog.event_data.UtcTime AS TIMESTAMP)"
    made = "TRY_CAST(winlog.event_data.CreationUtcTime AS TIMESTAMP)"
    port = "coalesce(source.port, winlog.event_data.SourcePort)"
    now = 'epoch_us("@timestamp")'
    found = {
        "time hour": 'hour("@timestamp")',
        "time weekday": 'isodow("@timestamp")',
        "time minute": 'minute("@timestamp")',
        "time millisecond": f"{now} // 1000 % 1000",
        "time UtcTime millisecond": f"epoch_ms({utc}) % 1000",
        "time lag": f"{now} - epoch_us({utc})",
        "time since the host's last record": f"{now} - lag({now}) OVER host",
        "time to the host's next record": f"lead({now}) OVER host - {now}",
        "time since the process's last record": f"{now} - lag({now}) OVER own",
        "time since the host's last of the kind": f"{now} - lag({now}) OVER same",
        "time since the process started": f"{now} / 1e6 - {started(own)}",
        "time since the parent started": f"{now} / 1e6 - {started(parent)}",
        "time since the file was made": f"epoch_us({utc}) - epoch_us({made})",
        "counter record id's step": "winlog.record_id - lag(winlog.record_id) OVER channel",
        "counter pid's remainder by 8": "process.pid % 8",
        "counter parent pid's remainder by 8": "process.parent.pid % 8",
        "counter pid's step": "process.pid - lag(process.pid) OVER host",
        "counter pid's step of the kind": "process.pid - lag(process.pid) OVER same",
        "counter ordinal": ordinal(own),
        "counter ordinal's step": f"{ordinal(own)} - lag({ordinal(own)}) OVER host",
        "counter ordinal's step of the kind": f"{ordinal(own)} - lag({ordinal(own)}) OVER same",
        "counter ordinal below the greatest": f"""{ordinal(own)} - max({ordinal(own)}) OVER (
            PARTITION BY host.name ORDER BY "@timestamp", event.sequence
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)""",
        "counter ordinal above the parent's": f"{ordinal(own)} - {ordinal(parent)}",
        "counter port's parity": f"{port} % 2",
        "counter port's step": f"{port} - lag({port}) OVER same",
        "counter serial's step": "auditd.sequence - lag(auditd.sequence) OVER host",
        "counter session's step": "auditd.ses - lag(auditd.ses) OVER same",
        "counter thread's remainder by 8": "winlog.process.thread_id % 8",
    }
    return ", ".join(f'CAST({sql} AS DOUBLE) AS "{name}"' for name, sql in found.items())


def measures(text: str) -> tuple[float, float, float, float]:
    """Length, bits per character, digits and separators of a path."""
    counts = Counter(text)
    bits = -sum(n / len(text) * math.log2(n / len(text)) for n in counts.values())
    return len(text), bits, sum(counts[digit] for digit in "0123456789"), counts["\\"] + counts["/"]


def features(learn: pandas.DataFrame, judge: pandas.DataFrame, alerts: bool):
    """For both corpora, each column's features: {column: [(values, values, whether they are categories)]}."""
    found, seen = {}, set()
    for name in learn.columns:
        if name == "chain" or (name in OF_ALERTS and not alerts):
            continue
        pair = [learn[name], judge[name]]
        # The native record repeats what the document says, under another name.
        digest = b"".join(pandas.util.hash_pandas_object(c.astype(str), index=False).to_numpy().tobytes() for c in pair)
        if digest in seen:
            continue
        seen.add(digest)
        if not any(column.nunique(dropna=False) > 1 for column in pair):
            continue
        if all(pandas.api.types.is_numeric_dtype(column) for column in pair):
            numbers = [pandas.to_numeric(column).astype("float64").to_numpy() for column in pair]
            found[name] = [(*numbers, False)]
            continue
        texts = [column.astype("object").where(column.notna(), None) for column in pair]
        texts = [column.map(lambda value: value if value is None else str(value)) for column in texts]
        hosts = learn["host.name"].groupby(texts[0]).nunique()
        common = texts[0].value_counts().index.intersection(hosts[hosts >= HOSTS].index, sort=False)
        codes = {value: code for code, value in enumerate(common[:VALUES])}
        coded = [column.map(lambda v: numpy.nan if v is None else codes.get(v, VALUES)) for column in texts]
        columns = [(*(column.astype("float64").to_numpy() for column in coded), True)]
        measured = {value: measures(value) for column in texts for value in column.dropna().unique()}
        for at in range(4):
            known = {value: of[at] for value, of in measured.items()}
            columns.append((*(column.map(known).astype("float64").to_numpy() for column in texts), False))
        found[name] = columns
    varied = lambda values: len(numpy.unique(values[~numpy.isnan(values)])) > 1
    kept = {name: [feature for feature in columns if varied(feature[0])] for name, columns in found.items()}
    return {name: columns for name, columns in kept.items() if columns}


def fitted(columns, chain):
    """A classifier of the rows that are learnt from."""
    model = HistGradientBoostingClassifier(
        max_iter=70, learning_rate=0.1, max_leaf_nodes=31, min_samples_leaf=20, l2_regularization=1.0,
        early_stopping=False, categorical_features=[c for *_, c in columns], random_state=0,
    )  # fmt: skip
    return model.fit(numpy.column_stack([a for a, *_ in columns]), chain)


def auc_alone(group, known: numpy.ndarray, right: numpy.ndarray) -> float:
    """The AUC of one column: a tree, for which categories are in the order of their share of chains."""
    ordered = []
    for a, b, is_category in group:
        a, b = numpy.nan_to_num(a, nan=-1), numpy.nan_to_num(b, nan=-1)
        if is_category:
            shares = pandas.Series(known).groupby(a).mean()
            a, b = (pandas.Series(codes).map(shares).fillna(known.mean()).to_numpy() for codes in (a, b))
        ordered.append((a, b))
    tree = DecisionTreeClassifier(max_depth=6, min_samples_leaf=20, random_state=0)
    tree.fit(numpy.column_stack([a for a, _ in ordered]), known)
    return roc_auc_score(right, tree.predict_proba(numpy.column_stack([b for _, b in ordered]))[:, 1])


def judged(learn: Corpus, judge: Corpus, kind: str, comparison: str, telling: int) -> dict | None:
    """The AUC of a kind's comparison, and its most telling columns."""
    for corpus in (learn, judge):
        rows, of_chains, chains = corpus.counts(kind, comparison)
        if min(of_chains, rows - of_chains) < LEAST_CHAIN or chains < LEAST_CHAINS:
            return None
    found = {"rows": rows, "chain_rows": of_chains, "chains": chains}
    learn, judge = learn.rows(kind, comparison, MOST_OF_CHAIN), judge.rows(kind, comparison, MOST)
    known, right = (rows.chain.notna().to_numpy() for rows in (learn, judge))
    columns = features(learn, judge, comparison == "alerts")
    flat = [feature for group in columns.values() for feature in group]
    matrix = numpy.column_stack([b for _, b, _ in flat])
    model = fitted(flat, known)
    whole = roc_auc_score(right, model.predict_proba(matrix)[:, 1])
    alone, without = {}, {}
    for name, group in columns.items() if telling else []:
        alone[name] = auc_alone(group, known, right)
    leading = sorted(alone, key=lambda name: -alone[name])[:telling]
    order = numpy.random.default_rng(0).permutation(len(matrix))
    place = 0
    for name, group in columns.items():
        if name in leading:
            shuffled = matrix.copy()
            shuffled[:, place : place + len(group)] = matrix[order, place : place + len(group)]
            without[name] = whole - roc_auc_score(right, model.predict_proba(shuffled)[:, 1])
        place += len(group)
    told = [{"column": name, "alone": alone[name], "without": without[name]} for name in leading]
    return found | {"auc": whole, "columns": told}


def generated(arguments, seed: int, into: Path) -> Path:
    """A corpus of mostly ordinary life."""
    out = into / f"seed-{seed}"
    command = [
        arguments.binary, "generate", "--events", arguments.events, "--days", "3", "--noise-ratio", "0.9",
        "--attack-chain-ratio", "0.05", "--partition-by", "date", "--seed", seed, "--threads", 1, "--quiet", "--out", out,
    ]  # fmt: skip
    if arguments.catalog:
        command += ["--catalog", arguments.catalog]
    subprocess.run([str(word) for word in command], check=True)
    return out


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpora", type=Path, nargs="*", metavar="CORPUS")
    parser.add_argument("--seeds", type=int, nargs=2, default=[1, 2])
    parser.add_argument("--events", default="400k")
    parser.add_argument("--catalog", type=Path)
    parser.add_argument("--binary", type=Path, default=ROOT / "target" / "release" / "fusiongen")
    parser.add_argument("--least", type=int, default=LEAST, help="rows that a kind needs in both corpora")
    parser.add_argument("--kind", help="only this kind")
    parser.add_argument("--without", metavar="REGEX", help="leave out columns")
    parser.add_argument("--columns", type=int, default=5, help="telling columns of a kind; 0 saves most of the time")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    if len(arguments.corpora) not in (0, 2):
        parser.error("name two corpora of different seeds, or none")
    warnings.filterwarnings("ignore")
    with tempfile.TemporaryDirectory() as scratch:
        corpora = arguments.corpora or [generated(arguments, seed, Path(scratch)) for seed in arguments.seeds]
        learn, judge = (Corpus(corpus, arguments.without) for corpus in corpora)
        kinds = learn.kinds(arguments.least) & judge.kinds(arguments.least)
        found = []
        for kind in sorted(kinds & {arguments.kind} if arguments.kind else kinds):
            verdicts = {name: judged(learn, judge, kind, name, arguments.columns) for name in WHICH}
            if verdicts["all"]:
                found.append({"kind": kind} | verdicts)
                print(f"{kind}: {verdicts['all']['auc']:.3f}", file=sys.stderr)
    found.sort(key=lambda line: -line["all"]["auc"])
    if arguments.json:
        print(json.dumps(found, indent=2))
        return
    print(f"{'kind':<28} {'rows':>7} {'chains':>13} {'all':>6} {'alerts':>6} {'events':>6}")
    for line in found:
        aucs = " ".join(f"{line[name]['auc']:6.3f}" if line[name] else "     -" for name in WHICH)
        of = f"{line['all']['chain_rows']} of {line['all']['chains']}"
        print(f"{line['kind']:<28} {line['all']['rows']:>7} {of:>13} {aucs}")
    print(f"\nworst five: {', '.join(line['kind'] for line in found[:5])}")
    for line in found if arguments.columns else []:
        for name in WHICH:
            if line[name]:
                told = ", ".join(f"{c['column']} {c['alone']:.3f} ({c['without']:+.3f})" for c in line[name]["columns"])
                print(f"\n{line['kind']}, {name}: {told}")


if __name__ == "__main__":
    main()

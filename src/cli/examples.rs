//! Examples and exit codes of the manual pages.

/// A command line, and what it does.
pub struct Example {
    pub line: &'static str,
    pub what: &'static str,
}

const fn example(line: &'static str, what: &'static str) -> Example {
    Example { line, what }
}

/// Examples of each subcommand; those of the program itself have no name. Words are separated by
/// spaces, so that a test can parse them.
const EXAMPLES: &[(&str, &[Example])] = &[
    (
        "",
        &[
            example("fusiongen sample", "Print three events."),
            example(
                "fusiongen generate --events 1M --out out/corpus",
                "Write a million events.",
            ),
            example("fusiongen check out/corpus", "Audit them."),
            example(
                "fusiongen report out/corpus -o report.html",
                "Write a page about them.",
            ),
        ],
    ),
    (
        "generate",
        &[
            example(
                "fusiongen generate --events 50M --days 14 --out out/corpus",
                "Write 50 million events of two weeks.",
            ),
            example(
                "fusiongen generate --preset soc --alerts-db alerts.sqlite --ad-users users.csv --cmdb-assets assets.csv",
                "Write a corpus as a SIEM looks, with your own alerts, users and hosts.",
            ),
            example(
                "fusiongen generate --config corpus.toml --quiet --json",
                "Take the settings from a file, and print only a summary for programs.",
            ),
            example(
                "fusiongen generate --events 10k --out -",
                "Write JSON lines to stdout.",
            ),
            example(
                "fusiongen generate --events 1B --part 1/3 --out s3://bucket/corpus",
                "Write a third of a corpus to an object store; other machines write the others.",
            ),
        ],
    ),
    (
        "replay",
        &[example(
            "fusiongen replay --rate 200/s --duration 10m",
            "Write 200 events a second for ten minutes, each at its time.",
        )],
    ),
    (
        "finish",
        &[example(
            "fusiongen finish out/corpus",
            "Complete a corpus when all its parts are written.",
        )],
    ),
    (
        "profile",
        &[example(
            "fusiongen profile --alerts-db alerts.sqlite --anonymise -o profile.json",
            "Keep what alerts are like in a file that can be shared.",
        )],
    ),
    (
        "plan",
        &[
            example(
                "fusiongen plan --events 1B --days 30",
                "Show categories, files and bytes of a billion events.",
            ),
            example(
                "fusiongen plan --config corpus.toml --json",
                "Print the plan of a file's settings as JSON.",
            ),
        ],
    ),
    (
        "sample",
        &[
            example(
                "fusiongen sample --playbook psexec_lateral_movement -n 5",
                "Print the first five events of an attack.",
            ),
            example(
                "fusiongen sample --assets 100 --noise-ratio 0.9 --host WKS-0042 --minutes 30",
                "Print half an hour of a host's log.",
            ),
        ],
    ),
    (
        "check",
        &[
            example("fusiongen check out/corpus", "Audit a corpus."),
            example(
                "fusiongen check out/corpus --integrity",
                "Compare every file with the manifest, byte for byte.",
            ),
            example(
                "fusiongen check out/corpus --explain",
                "Audit it, and say what to do about what fails.",
            ),
            example(
                "fusiongen check --explain stream.tick",
                "Say what a figure measures, and where its range comes from.",
            ),
        ],
    ),
    (
        "report",
        &[
            example(
                "fusiongen report out/corpus -o report.html",
                "Write a page that needs no network.",
            ),
            example(
                "fusiongen report out/corpus --chain atk-456f6e72d944",
                "Show this attack chain on the page.",
            ),
        ],
    ),
    (
        "queries",
        &[
            example("fusiongen queries list", "Print the questions."),
            example(
                "fusiongen queries answers --corpus out/corpus -o answers.json",
                "Derive the answers.",
            ),
            example(
                "fusiongen queries run out/corpus --engine duckdb --answers answers.json -o run.json",
                "Run the queries on DuckDB, and check what it answers.",
            ),
            example(
                "fusiongen queries compare base.json run.json --threshold 20%",
                "Compare two runs; a query that takes 20% longer is slower.",
            ),
        ],
    ),
    (
        "list",
        &[
            example(
                "fusiongen list playbooks",
                "Print the attacks that --playbook takes.",
            ),
            example(
                "fusiongen list techniques --json",
                "Print the ATT&CK techniques as JSON.",
            ),
        ],
    ),
    (
        "catalog",
        &[example(
            "fusiongen catalog export catalog",
            "Write the catalog's files to a directory, to change them.",
        )],
    ),
    (
        "completions",
        &[example(
            "fusiongen completions bash",
            "Print a completion script for bash.",
        )],
    ),
    (
        "man",
        &[example(
            "fusiongen man generate",
            "Print the manual page of a subcommand.",
        )],
    ),
];

/// Commands that audit or compare something.
const JUDGES: &[&str] = &["", "check", "queries"];
/// Commands that catch signals.
const STOPPABLE: &[&str] = &["", "generate", "replay", "queries"];

/// Exit codes with their meaning and the commands that have them; all commands if there are none.
const STATUS: &[(&str, &str, &[&str])] = &[
    ("0", "Success.", &[]),
    (
        "1",
        "A check failed, or a query is wrong or slower.",
        JUDGES,
    ),
    (
        "2",
        "Wrong usage, or an input or a setting that cannot be used.",
        &[],
    ),
    (
        "3",
        "The operating system, an object store or an engine failed.",
        &[],
    ),
    ("130", "Stopped by SIGINT.", STOPPABLE),
    ("143", "Stopped by SIGTERM.", STOPPABLE),
];

/// The examples of a subcommand.
pub fn examples(command: &str) -> &'static [Example] {
    let own = EXAMPLES.iter().find(|(name, _)| *name == command);
    own.map_or(&[], |(_, examples)| examples)
}

/// The exit codes of a subcommand, with their meaning.
pub fn exit_codes(command: &str) -> impl Iterator<Item = (&'static str, &'static str)> {
    let own = STATUS
        .iter()
        .filter(move |(_, _, commands)| commands.is_empty() || commands.contains(&command));
    own.map(|(code, meaning, _)| (*code, *meaning))
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, FromArgMatches};

    use super::*;
    use crate::cli::Cli;

    #[test]
    fn every_command_has_examples_and_all_of_them_parse() {
        let command = Cli::command();
        let names: Vec<&str> = command.get_subcommands().map(|it| it.get_name()).collect();
        for name in names.iter().chain([&""]) {
            assert!(!examples(name).is_empty(), "{name} has no example");
        }
        for (name, examples) in EXAMPLES {
            assert!(name.is_empty() || names.contains(name), "{name}");
            for Example { line, .. } in *examples {
                let words: Vec<&str> = line.split(' ').collect();
                assert_eq!(words[0], "fusiongen", "{line}");
                assert!(name.is_empty() || words[1] == *name, "{line}");
                let matches = Cli::command().try_get_matches_from(&words);
                let matches = matches.unwrap_or_else(|error| panic!("{line}: {error}"));
                Cli::from_arg_matches(&matches).unwrap_or_else(|error| panic!("{line}: {error}"));
            }
        }
    }
}

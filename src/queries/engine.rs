//! What differs between engines: quotes, literals, how files are read, and how a time becomes a number.

use super::parameters::Value;
use crate::error::Result;
use crate::near::index_of;

/// An engine whose SQL the views are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    DuckDb,
    Spark,
    DataFusion,
    ChDb,
    Polars,
}

/// The program and the words of one engine. `{}` is replaced by the operand.
struct Words {
    name: &'static str,
    package: &'static str,
    adapter: &'static str,
    /// Settings that its SQL needs to mean what the queries mean.
    settings: &'static [&'static str],
    quote: char,
    /// The type of a text.
    text_type: &'static str,
    /// The date of a partition.
    date: &'static str,
    /// A time as Unix microseconds.
    micros: &'static str,
    /// One row for each item of a list, and the condition for rows that have none.
    each: (&'static str, &'static str),
    create: &'static str,
    /// Whether a backslash in a literal starts an escape.
    escapes: bool,
}

/// The text of an adapter, with the protocol before it.
macro_rules! adapter {
    ($name:literal) => {
        concat!(
            include_str!("../../data/adapters/protocol.py"),
            "\n\n",
            include_str!(concat!("../../data/adapters/", $name, "_adapter.py"))
        )
    };
}

const DUCKDB: Words = Words {
    name: "duckdb",
    package: "duckdb",
    adapter: adapter!("duckdb"),
    settings: &[],
    quote: '"',
    text_type: "STRING",
    date: "{}",
    micros: "epoch_us({})",
    each: ("unnest({})", ""),
    create: "CREATE OR REPLACE TEMP VIEW {}",
    escapes: false,
};

const SPARK: Words = Words {
    name: "spark",
    package: "pyspark",
    adapter: adapter!("spark"),
    settings: &[],
    quote: '`',
    text_type: "STRING",
    date: "{}",
    micros: "unix_micros({})",
    each: ("explode({})", ""),
    create: "CREATE OR REPLACE TEMPORARY VIEW {}",
    escapes: true,
};

const DATAFUSION: Words = Words {
    name: "datafusion",
    package: "datafusion",
    adapter: adapter!("datafusion"),
    // Otherwise a name without quotes loses its capitals.
    settings: &["SET datafusion.sql_parser.enable_ident_normalization = false"],
    quote: '"',
    text_type: "STRING",
    // It reads the names of partitions as texts.
    date: "CAST({} AS DATE)",
    // The number of a timestamp is in its unit, which is microseconds in every file.
    micros: "CAST({} AS BIGINT)",
    each: ("unnest({})", ""),
    create: "CREATE OR REPLACE VIEW {}",
    escapes: false,
};

const CHDB: Words = Words {
    name: "chdb",
    package: "chdb",
    adapter: adapter!("chdb"),
    // Missing values are NULL in joins, aggregates, casts and windows, and a name is a column before an
    // alias.
    settings: &[
        "SET join_use_nulls = 1, aggregate_functions_null_for_empty = 1, cast_keep_nullable = 1, \
         prefer_column_name_to_alias = 1, use_hive_partitioning = 1, \
         schema_inference_make_columns_nullable = 1",
    ],
    quote: '"',
    text_type: "String",
    date: "{}",
    micros: "toUnixTimestamp64Micro({})",
    each: ("arrayJoin({})", ""),
    create: "CREATE OR REPLACE VIEW {}",
    escapes: true,
};

const POLARS: Words = Words {
    name: "polars",
    package: "polars",
    adapter: adapter!("polars"),
    settings: &[],
    quote: '"',
    text_type: "STRING",
    date: "{}",
    micros: "CAST({} AS BIGINT)",
    // A list without items would give a row with NULL.
    each: ("unnest({})", " WHERE array_length({}) > 0"),
    // It has no views. A table that is selected is a lazy plan, which is a view.
    create: "CREATE TABLE {}",
    escapes: false,
};

impl Engine {
    /// Every engine, in the order of the help text.
    pub const ALL: &[Engine] = &[
        Engine::DuckDb,
        Engine::Spark,
        Engine::DataFusion,
        Engine::ChDb,
        Engine::Polars,
    ];

    const fn words(self) -> &'static Words {
        match self {
            Engine::DuckDb => &DUCKDB,
            Engine::Spark => &SPARK,
            Engine::DataFusion => &DATAFUSION,
            Engine::ChDb => &CHDB,
            Engine::Polars => &POLARS,
        }
    }

    /// The engine's name on the command line.
    pub fn name(self) -> &'static str {
        self.words().name
    }

    /// The Python package that its adapter needs.
    pub fn package(self) -> &'static str {
        self.words().package
    }

    /// The Python program that runs queries on the engine.
    pub(super) fn adapter(self) -> &'static str {
        self.words().adapter
    }

    /// The engine with this name.
    ///
    /// # Errors
    /// No engine has this name.
    pub fn named(option: &str, name: &str) -> Result<Self> {
        let names: Vec<&str> = Engine::ALL.iter().map(|engine| engine.name()).collect();
        Ok(Engine::ALL[index_of(option, name, &names)?])
    }

    /// Statements to run before any other.
    pub(super) fn settings(self) -> impl Iterator<Item = String> {
        self.words().settings.iter().map(|text| (*text).to_string())
    }

    /// A name in quotes.
    pub(super) fn quoted(self, name: &str) -> String {
        let quote = self.words().quote;
        format!("{quote}{name}{quote}")
    }

    /// The leaf at a dotted path of the rows `e`.
    pub(super) fn leaf(self, path: &str) -> String {
        let names: Vec<String> = path.split('.').map(|name| self.quoted(name)).collect();
        format!("e.{}", names.join("."))
    }

    /// The type of a text.
    pub(super) fn text_type(self) -> &'static str {
        self.words().text_type
    }

    /// The date of a partition, as a date.
    pub(super) fn date(self, partition: &str) -> String {
        self.words().date.replace("{}", partition)
    }

    /// A time as Unix microseconds.
    pub(super) fn micros(self, time: &str) -> String {
        self.words().micros.replace("{}", time)
    }

    /// One row for each item of a list: the expression of the item, and the condition after FROM.
    pub(super) fn each(self, list: &str) -> (String, String) {
        let (item, condition) = self.words().each;
        (item.replace("{}", list), condition.replace("{}", list))
    }

    /// A text in quotes.
    pub(super) fn text(self, text: &str) -> String {
        let text = text.replace('\'', "''");
        match self.words().escapes {
            false => format!("'{text}'"),
            true => format!("'{}'", text.replace('\\', "\\\\")),
        }
    }

    /// A value as a literal.
    pub fn literal(self, value: &Value) -> String {
        match value {
            Value::Text(text) => self.text(text),
            Value::Integer(number) => number.to_string(),
            Value::Date(date) => format!("DATE '{date}'"),
        }
    }

    /// The start of a statement that creates a view.
    pub(super) fn create(self, name: &str) -> String {
        self.words().create.replace("{}", name)
    }

    /// How to read the Parquet files below a directory: statements to run first, and the text after
    /// FROM. `raw` is a free name, `levels` the partitions: `date`, or `date` and `category`, or none,
    /// in which case `path` is a file.
    pub(super) fn files(self, path: &str, raw: &str, levels: &[&str]) -> (Vec<String>, String) {
        // Only the partitions: the files of a table beside them are no data.
        let below: String = levels.iter().map(|level| format!("/{level}=*")).collect();
        let files = match levels.is_empty() {
            true => self.text(path),
            false => self.text(&format!("{path}{below}/*.parquet")),
        };
        match self {
            Engine::DuckDb => {
                let hive = match levels.is_empty() {
                    true => "",
                    false => ", hive_partitioning = true",
                };
                (Vec::new(), format!("read_parquet({files}{hive})"))
            }
            Engine::ChDb => (Vec::new(), format!("file({files}, 'Parquet')")),
            Engine::Polars => (Vec::new(), format!("read_parquet({files})")),
            // A named source is listed once, a path in FROM in every query.
            Engine::Spark => {
                let options = match levels.is_empty() {
                    true => format!("path {}", self.text(path)),
                    false => format!(
                        "path {}, basePath {}",
                        self.text(&format!("{path}/{}=*", levels[0])),
                        self.text(path)
                    ),
                };
                let create = self.create(raw);
                let statement = format!("{create} USING parquet OPTIONS ({options})");
                (vec![statement], raw.to_string())
            }
            Engine::DataFusion => {
                let (partitions, end) = match levels.is_empty() {
                    true => (String::new(), ""),
                    false => (format!(" PARTITIONED BY ({})", levels.join(", ")), "/"),
                };
                let place = self.text(&format!("{path}{end}"));
                let statement = format!(
                    "CREATE EXTERNAL TABLE IF NOT EXISTS {raw} STORED AS PARQUET{partitions} LOCATION {place}"
                );
                (vec![statement], raw.to_string())
            }
        }
    }
}

//! Tables of the truth and the entities as queries see them: plain names, times in microseconds.

use super::Engine;
use crate::plan::TruthTable;

/// Type of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Integer,
    Boolean,
    Date,
    /// A time, which the view turns into Unix microseconds.
    Time,
}

/// A column: its name in the view, its name in the file, its type.
pub(super) type Column = (&'static str, &'static str, Kind);

/// A table: its name, its directory or file below the corpus, its columns.
pub(super) struct Table {
    pub name: &'static str,
    pub path: &'static str,
    pub columns: &'static [Column],
}

use Kind::{Boolean, Date, Integer, Text, Time};

/// The columns of a truth table. Names that are words of SQL are replaced.
pub(super) fn truth(table: TruthTable) -> Table {
    let (path, columns): (&str, &[Column]) = match table {
        TruthTable::Chains => (
            "truth/chains",
            &[
                ("attack_id", "attack_id", Text),
                ("playbook", "playbook", Text),
                ("start_us", "start", Time),
                ("end_us", "end", Time),
                ("hosts", "hosts", Text),
                ("users", "users", Text),
                ("steps", "steps", Integer),
                ("events", "events", Integer),
                ("stop_reason", "stop_reason", Text),
            ],
        ),
        TruthTable::Steps => (
            "truth/steps",
            &[
                ("attack_id", "attack_id", Text),
                ("step", "step", Integer),
                ("sequence", "sequence", Integer),
                ("event_sequence", "event_sequence", Integer),
                ("event_date", "event_date", Date),
                ("event_category", "event_category", Text),
                ("technique", "technique", Text),
                ("tactic", "tactic", Text),
                ("host", "host", Text),
                ("account", "user", Text),
                ("outcome", "outcome", Text),
                ("time_us", "time", Time),
                ("rule", "rule", Text),
                ("process", "process_entity_id", Text),
                ("parent", "parent_entity_id", Text),
            ],
        ),
        TruthTable::Edges => (
            "truth/edges",
            &[
                ("attack_id", "attack_id", Text),
                ("from_step", "from_step", Integer),
                ("to_step", "to_step", Integer),
                ("pivot_type", "pivot_type", Text),
                ("pivot_value", "pivot_value", Text),
                ("from_sequence", "from_sequence", Integer),
                ("to_sequence", "to_sequence", Integer),
            ],
        ),
        TruthTable::Iocs => (
            "truth/iocs",
            &[
                ("attack_id", "attack_id", Text),
                ("ioc_type", "type", Text),
                ("ioc_value", "value", Text),
                ("first_us", "first_seen", Time),
                ("last_us", "last_seen", Time),
                ("events", "events", Integer),
                ("exclusive", "exclusive", Boolean),
            ],
        ),
        TruthTable::Lookalikes => (
            "truth/lookalikes",
            &[
                ("event_sequence", "event_sequence", Integer),
                ("event_date", "event_date", Date),
                ("event_category", "event_category", Text),
                ("technique", "technique", Text),
                ("tactic", "tactic", Text),
                ("scenario", "scenario", Text),
                ("verdict", "verdict", Text),
                ("reason", "reason", Text),
            ],
        ),
        TruthTable::Verdicts => (
            "truth/verdicts",
            &[
                ("event_sequence", "event_sequence", Integer),
                ("event_date", "event_date", Date),
                ("event_category", "event_category", Text),
                ("verdict", "verdict", Text),
                ("noise_type", "noise_type", Text),
            ],
        ),
    };
    Table {
        name: table.name(),
        path,
        columns,
    }
}

/// The tables of hosts and accounts.
pub(super) const ENTITIES: [Table; 2] = [
    Table {
        name: "assets",
        path: "entities/assets.parquet",
        columns: &[
            ("hostname", "hostname", Text),
            ("ip", "ip", Text),
            ("asset_type", "asset_type", Text),
            ("asset_role", "role", Text),
            ("os", "os", Text),
            ("platform", "platform", Text),
            ("criticality", "criticality", Text),
            ("location", "location", Text),
            ("department", "department", Text),
            ("owner", "owner", Text),
            ("source", "source", Text),
            ("inventory_type", "inventory_type", Text),
            ("inventory_os", "inventory_os", Text),
            ("inventory_location", "inventory_location", Text),
            ("inventory_department", "inventory_department", Text),
            ("inventory_owner", "inventory_owner", Text),
            ("account", "user", Text),
            ("sid", "sid", Text),
            ("telemetry", "telemetry", Boolean),
        ],
    },
    Table {
        name: "users",
        path: "entities/users.parquet",
        columns: &[
            ("username", "username", Text),
            ("kind", "kind", Text),
            ("domain", "domain", Text),
            ("display_name", "display_name", Text),
            ("email", "email", Text),
            ("department", "department", Text),
            ("sid", "sid", Text),
            ("uid", "uid", Integer),
            ("home_host", "home_host", Text),
        ],
    },
];

impl Kind {
    /// The SQL type of the view's column.
    pub(super) fn sql(self, engine: Engine) -> &'static str {
        match self {
            Text => engine.text_type(),
            Integer | Time => "BIGINT",
            Boolean => "BOOLEAN",
            Date => "DATE",
        }
    }
}

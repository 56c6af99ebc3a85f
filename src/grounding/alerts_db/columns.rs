//! Which column of a foreign table is what.
//!
//! Names are compared without case and punctuation. It knows names only; what the
//! cells hold is [`super::value`]'s business.

/// What a column can mean to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    Signature,
    SignatureId,
    Category,
    Severity,
    /// The transport alone (`TCP`, `6`).
    Protocol,
    /// The seed's: transport, application or both.
    Protocols,
    Application,
    Direction,
    Action,
    SourceAddress,
    DestinationAddress,
    SourcePort,
    DestinationPort,
    BytesToServer,
    BytesToClient,
    Time,
    /// The sensor's own record as JSON text.
    RawJson,
    /// ntopng's alert number: stands in for a signature.
    AlertId,
}

pub(super) const FIELDS: usize = 18;

/// What is special about a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    /// A row is an alert, its facts are columns.
    Plain,
    /// `alert_id` is a kind of alert and stands in for a signature (ntopng); elsewhere it
    /// is a row's number.
    Numbered,
    /// A row is an event of some kind, as a JSON record in `source` (EveBox).
    Records,
}

/// The column of [`Layout::Records`]; in other tables it may hold anything.
const RECORD: &str = "source";

/// Names of each field, the best first. Lower case, letters and digits only.
const NAMES: [(Field, &[&str]); FIELDS] = [
    (
        Field::Signature,
        &[
            "signature",
            "alertsignature",
            "alertmessage",
            "signaturename",
            "signame",
            "alertname",
            "rulename",
            "message",
            "msg",
        ],
    ),
    (
        Field::SignatureId,
        &["signatureid", "sid", "sigid", "alertsignatureid", "ruleid"],
    ),
    (
        Field::Category,
        &[
            "category",
            "alertcategory",
            "classtype",
            "classification",
            "rulecategory",
            "class",
        ],
    ),
    (
        Field::Severity,
        &["severity", "alertseverity", "priority", "sev", "level"],
    ),
    (Field::Protocol, &["proto", "transport", "ipproto"]),
    (Field::Protocols, &["protocols", "protocol"]),
    (
        Field::Application,
        &[
            "appproto",
            "applicationprotocol",
            "app",
            "l7proto",
            "service",
        ],
    ),
    (Field::Direction, &["direction"]),
    (
        Field::Action,
        &["action", "actiontaken", "alertaction", "verdict"],
    ),
    (
        Field::SourceAddress,
        &[
            "srcip",
            "sourceip",
            "srcaddr",
            "sourceaddress",
            "cliip",
            "clientip",
            "src",
        ],
    ),
    (
        Field::DestinationAddress,
        &[
            "destip",
            "dstip",
            "destinationip",
            "dstaddr",
            "destaddr",
            "destinationaddress",
            "srvip",
            "serverip",
            "dst",
            "dest",
            "hostip",
        ],
    ),
    (
        Field::SourcePort,
        &[
            "srcport",
            "sourceport",
            "sport",
            "spt",
            "cliport",
            "clientport",
        ],
    ),
    (
        Field::DestinationPort,
        &[
            "destport",
            "dstport",
            "destinationport",
            "dport",
            "dpt",
            "srvport",
            "serverport",
        ],
    ),
    (
        Field::BytesToServer,
        &["bytestoserver", "srcbytes", "cli2srvbytes", "sourcebytes"],
    ),
    (
        Field::BytesToClient,
        &[
            "bytestoclient",
            "dstbytes",
            "srv2clibytes",
            "destinationbytes",
        ],
    ),
    (
        Field::Time,
        &["timestamp", "tstamp", "eventtime", "time", "ts", "datetime"],
    ),
    (
        Field::RawJson,
        &[
            "rawjson",
            "rawdata",
            "evejson",
            "eve",
            "raw",
            "eventjson",
            "json",
        ],
    ),
    (Field::AlertId, &["alertid"]),
];

/// Where each field stands in a table.
#[derive(Debug, Clone)]
pub(super) struct Columns {
    layout: Layout,
    /// Position and name as written, by field.
    found: [Option<(usize, String)>; FIELDS],
}

impl Columns {
    /// Looks a table's column names over. Where two names mean the same field, the
    /// better one wins, then the earlier column.
    pub(super) fn locate(names: &[String], layout: Layout) -> Self {
        let plain: Vec<String> = names.iter().map(|name| plain(name)).collect();
        let found = NAMES.map(|(field, aliases)| {
            if field == Field::AlertId && layout != Layout::Numbered {
                return None;
            }
            let record = (field == Field::RawJson && layout == Layout::Records).then_some(&RECORD);
            let position = record
                .into_iter()
                .chain(aliases)
                .find_map(|alias| plain.iter().position(|name| name == alias))?;
            Some((position, names[position].clone()))
        });
        Columns { layout, found }
    }

    /// The column's name as the table writes it.
    pub(super) fn name(&self, field: Field) -> Option<&str> {
        self.found[field as usize]
            .as_ref()
            .map(|(_, name)| name.as_str())
    }

    pub(super) fn has(&self, field: Field) -> bool {
        self.found[field as usize].is_some()
    }

    /// Whether rows of this table can be named at all.
    pub(super) fn has_signature(&self) -> bool {
        self.has(Field::Signature)
            || self.has(Field::AlertId)
            || (self.layout == Layout::Records && self.has(Field::RawJson))
    }

    pub(super) fn layout(&self) -> Layout {
        self.layout
    }

    /// Every field that is there with its column's name, in the order of [`Field`].
    pub(super) fn fields(&self) -> impl Iterator<Item = (Field, &str)> {
        NAMES
            .iter()
            .filter_map(|(field, _)| self.name(*field).map(|name| (*field, name)))
    }
}

/// A name without case and punctuation.
fn plain(name: &str) -> String {
    name.chars()
        .filter(|character| character.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn located(names: &[&str]) -> Columns {
        let names: Vec<String> = names.iter().map(|name| name.to_string()).collect();
        Columns::locate(&names, Layout::Plain)
    }

    #[test]
    fn the_table_of_names_stands_in_the_order_of_fields() {
        for (index, (field, names)) in NAMES.iter().enumerate() {
            assert_eq!(*field as usize, index);
            assert!(names.iter().all(|name| plain(name) == *name));
        }
    }

    #[test]
    fn foreign_names_are_understood() {
        let columns = located(&[
            "alert_id", "tstamp", "cli_ip", "srv_ip", "CLI_PORT", "l7_proto",
        ]);
        assert_eq!(columns.name(Field::Time), Some("tstamp"));
        assert_eq!(columns.name(Field::SourceAddress), Some("cli_ip"));
        assert_eq!(columns.name(Field::SourcePort), Some("CLI_PORT"));
        assert_eq!(columns.name(Field::Application), Some("l7_proto"));
        assert!(!columns.has_signature());
    }

    #[test]
    fn the_better_name_wins() {
        let columns = located(&["message", "host_ip", "dest_ip", "Signature"]);
        assert_eq!(columns.name(Field::Signature), Some("Signature"));
        assert_eq!(columns.name(Field::DestinationAddress), Some("dest_ip"));
    }
}

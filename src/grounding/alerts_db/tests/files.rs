//! Files that are no database: lines of JSON, CSV, Parquet; plain and compressed.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use super::*;

fn written(name: &str, content: &[u8]) -> Database {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join(name);
    std::fs::write(&path, content).expect("written");
    Database { directory, path }
}

fn fitted(name: &str, content: &[u8]) -> Profile {
    let file = written(name, content);
    let profile = fit(&file.path, None).expect("a profile");
    profile.validate(&file.path).expect("a valid profile");
    profile
}

fn refused(name: &str, content: &[u8]) -> String {
    fit(&written(name, content).path, None)
        .expect_err("refused")
        .to_string()
}

const EVE: &str = concat!(
    r#"{"timestamp":"2024-08-12T10:00:00.1+0000","event_type":"dns","src_ip":"10.0.0.2"}"#,
    "\n",
    r#"{"timestamp":"2024-08-12T10:00:00.1+0000","event_type":"alert","src_ip":"8.8.8.8","src_port":53,"dest_ip":"10.0.0.2","dest_port":40000,"proto":"UDP","app_proto":"dns","direction":"to_client","alert":{"action":"allowed","signature_id":7,"signature":"S","category":"C","severity":1},"flow":{"bytes_toserver":80,"bytes_toclient":200}}"#,
    "\n\nno JSON\n",
    r#"{"event_type":"alert","src_ip":"8.8.8.8","src_port":53,"dest_ip":"10.0.0.2","dest_port":40001,"proto":"UDP","app_proto":"dns","direction":"to_client","alert":{"action":"allowed","signature_id":7,"signature":"S","category":"C","severity":1}}"#,
);

#[test]
fn lines_of_eve_json_plain_and_compressed() {
    let plain = fitted("eve.json", EVE.as_bytes());
    assert_eq!((plain.rows, only(&plain).count), (2, 2));
    assert_eq!(plain.severity_scale, SeverityScale::Suricata);
    assert_eq!(only(&plain).service_port, Some(53));
    assert_eq!(only(&plain).ends.internal_external, 2);
    assert!(missing(&plain, "records: 2 of 4"), "{:?}", plain.missing);
    assert_eq!(plain.table, "eve.json");

    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(EVE.as_bytes()).expect("compressed");
    let gzip = gzip.finish().expect("compressed");
    let zstd = zstd::encode_all(EVE.as_bytes(), 1).expect("compressed");
    for (name, content) in [("eve.json", &gzip), ("eve.json", &zstd)] {
        assert_eq!(fitted(name, content), plain);
        let message = refused(name, &content[..content.len() - 6]);
        assert!(message.contains("cut off or damaged"), "{message}");
    }
}

#[test]
fn objects_of_other_tools_are_read_by_their_fields() {
    let profile = fitted(
        "alerts.json",
        br#"{"timestamp":"2025-03-03T00:00:49.832+0000","rule":{"id":"5710","level":5,"description":"sshd: no such user","groups":["syslog","sshd"],"mitre":{"id":["T1110"]}},"agent":{"name":"a","ip":"10.66.0.10"},"data":{"srcip":"8.8.8.8"}}
{"timestamp":"2025-03-03T00:00:49.832+0000","rule":{"id":"502","level":12,"description":"odd"},"agent":{"ip":"10.66.0.10"}}"#,
    );
    let tuple = profile
        .tuples
        .iter()
        .find(|it| it.signature_id == Some(5_710))
        .expect("a tuple");
    assert_eq!(tuple.signature, "sshd: no such user");
    assert_eq!(tuple.category.as_deref(), Some("sshd"));
    assert_eq!(tuple.techniques, ["T1110"]);
    assert_eq!(tuple.ends.external_internal, 1);
    assert_eq!(profile.severity_scale, SeverityScale::Wazuh);
}

const CSV: &str = "Timestamp;Src IP;Dest IP;Dest Port;Proto;Signature;Signature ID;Severity\n\
    2024-08-12 10:00:00;8.8.8.8;10.0.0.1;22;TCP;\"Schl\u{fc}ssel; \"\"SSH\"\"\";7;2\n\
    2024-08-12 10:00:00;8.8.8.8;10.0.0.1;22;TCP;\"Schl\u{fc}ssel; \"\"SSH\"\"\";7;2\n";

#[test]
fn csv_with_any_separator_and_encoding() {
    let profile = fitted("alerts.csv", CSV.as_bytes());
    assert_eq!(only(&profile).signature, "Schl\u{fc}ssel; \"SSH\"");
    assert_eq!(
        (only(&profile).count, only(&profile).service_port),
        (2, Some(22))
    );
    assert_eq!(profile.severity_scale, SeverityScale::Suricata);
    let utf16: Vec<u8> = std::iter::once(0xfeff)
        .chain(CSV.encode_utf16())
        .flat_map(u16::to_le_bytes)
        .collect();
    let windows = encoding_rs::WINDOWS_1252.encode(CSV).0;
    let tabs = CSV
        .replace("Schl\u{fc}ssel; ", "Schl\u{fc}ssel\u{1}")
        .replace(';', "\t")
        .replace('\u{1}', "; ");
    let marked = format!("\u{feff}#TYPE Alert\r\nsep=;\r\n{CSV}");
    for content in [&utf16[..], &windows, tabs.as_bytes(), marked.as_bytes()] {
        assert_eq!(fitted("alerts.csv", content), profile);
    }
}

#[test]
fn parquet_with_nested_and_dictionary_columns() {
    use arrow_array::RecordBatch;
    use arrow_array::types::Int32Type;
    use arrow_array::{
        ArrayRef, DictionaryArray, Int32Array, StringArray, StructArray, TimestampMillisecondArray,
    };
    use arrow_schema::{DataType, Field};
    let signature: DictionaryArray<Int32Type> = vec!["S", "S", "T"].into_iter().collect();
    let alert: Vec<(Arc<Field>, ArrayRef)> = vec![
        (
            Arc::new(Field::new("signature", signature.data_type_of(), true)),
            Arc::new(signature),
        ),
        (
            Arc::new(Field::new("severity", DataType::Int32, true)),
            Arc::new(Int32Array::from(vec![Some(1), Some(1), None])),
        ),
    ];
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("alert", Arc::new(StructArray::from(alert))),
        (
            "src_ip",
            Arc::new(StringArray::from(vec![Some("8.8.8.8"), None, None])),
        ),
        ("dest_port", Arc::new(Int32Array::from(vec![443, 443, 53]))),
        (
            "timestamp",
            Arc::new(TimestampMillisecondArray::from(vec![1_723_458_104_000; 3])),
        ),
    ];
    let batch = RecordBatch::try_from_iter(columns).expect("a batch");
    let file = written("alerts.parquet", b"");
    let writer = std::fs::File::create(&file.path).expect("a file");
    let mut writer =
        ::parquet::arrow::ArrowWriter::try_new(writer, batch.schema(), None).expect("a writer");
    writer.write(&batch).expect("written");
    writer.close().expect("closed");
    let profile = fit(&file.path, None).expect("a profile");
    profile.validate(Path::new("p")).expect("valid");
    let mut counts: Vec<(&str, u64, Option<u16>)> = profile
        .tuples
        .iter()
        .map(|it| (it.signature.as_str(), it.count, it.service_port))
        .collect();
    counts.sort_unstable();
    assert_eq!(counts, [("S", 2, Some(443)), ("T", 1, Some(53))]);
    assert_eq!(profile.severity_scale, SeverityScale::Suricata);
    assert!(!missing(&profile, "timestamp"), "{:?}", profile.missing);

    let content = std::fs::read(&file.path).expect("read");
    let message = refused("cut.parquet", &content[..content.len() / 2]);
    assert!(message.contains("cannot be read as Parquet"), "{message}");
}

/// The type of an array, before it is given away.
trait TypeOf {
    fn data_type_of(&self) -> arrow_schema::DataType;
}

impl<A: arrow_array::Array> TypeOf for A {
    fn data_type_of(&self) -> arrow_schema::DataType {
        self.data_type().clone()
    }
}

#[test]
fn a_file_without_rules_is_refused_by_its_columns() {
    let message = refused("x.csv", b"a,b\n1,2\n");
    assert!(
        message.contains("x.csv") && message.contains("the columns are a, b"),
        "{message}"
    );
    assert!(refused("x", b"").contains("the file is empty"));
    assert!(refused("x", b"[{\"alert\":1}]").contains("one JSON array"));
    assert!(refused("x", b"\x01\x02\0\0\x04").contains("neither SQLite"));
    assert!(refused("x", b"signature,severity\n").contains("the table is empty"));
}

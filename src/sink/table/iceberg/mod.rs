//! An Iceberg table of format version 2, with one snapshot, as a Hadoop catalog lays it out: the
//! table's location is `events/`, and `metadata/version-hint.text` names the version. Any other
//! catalog registers `v1.metadata.json`.
//!
//! Specification: <https://iceberg.apache.org/spec/>.

pub(super) mod avro;
mod manifest;
mod schema;

use serde_json::{Value, json};

use super::statistics::{self, FileStatistics, Tracked};
use super::{committed_at, for_each_file, partition_fields as partition_columns, uuid};
use crate::error::{Error, Result};
use crate::plan::fingerprint::CREATED_BY;
use crate::sink::format::{CommitFile, CompleteCorpus, CompleteFile};
use avro::Encoder;
use manifest::{Manifest, Table};
use schema::{Fields, PARTITION_ID};

/// The table's metadata, relative to `events/`.
pub const METADATA: &str = "metadata/v1.metadata.json";
const HINT: &str = "metadata/version-hint.text";
/// Files of a manifest. Readers plan manifests in parallel, and skip those of other dates.
const MANIFEST_FILES: usize = 1024;

/// Metadata, manifest list and manifests.
pub fn commit(corpus: &CompleteCorpus<'_>) -> Result<Vec<CommitFile>> {
    let defect = || Error::Defect {
        path: corpus.root.join("events").join(METADATA),
    };
    let io = |e| Error::io(&corpus.root.join("events/metadata"), "encode", e);
    let partitions = partition_columns(corpus);
    let fields = Fields::new(corpus.schema, &partitions).ok_or_else(defect)?;
    let tracked = Tracked::new(corpus.schema, corpus.files.len());
    let table = Table {
        fields: &fields,
        location: corpus.location.as_deref().ok_or_else(defect)?,
        snapshot: snapshot(corpus.fingerprint),
        has_category: fields.partitions.len() > 1,
        marker: marker(corpus.fingerprint),
    };

    let mut files = Vec::new();
    let mut list = Encoder::default();
    let mut open = Manifest::default();
    let mut close = |manifest: Manifest| -> Result<()> {
        let path = format!("metadata/manifest-{:05}.avro", files.len());
        let contents = manifest.file(&table).map_err(io)?;
        manifest.list(&table, &path, contents.len(), &mut list);
        files.push(CommitFile { path, contents });
        Ok(())
    };
    let read = |file: &CompleteFile<'_>| statistics::read(corpus, &tracked, file);
    for_each_file(corpus, read, |file, found: FileStatistics| {
        open.add(&table, file, &found).ok_or_else(defect)?;
        match open.len() < MANIFEST_FILES {
            true => Ok(()),
            false => close(std::mem::take(&mut open)),
        }
    })?;
    if open.len() > 0 {
        close(open)?;
    }
    let path = format!("metadata/snap-{}.avro", table.snapshot);
    let contents = manifest::list_file(&table, files.len(), &list).map_err(io)?;
    let mut metadata = serde_json::to_vec_pretty(&metadata(corpus, &table, &tracked, &path))
        .map_err(|_| defect())?;
    metadata.push(b'\n');
    files.push(CommitFile { path, contents });
    files.push(CommitFile {
        path: METADATA.into(),
        contents: metadata,
    });
    // Last: it is what a Hadoop catalog looks for.
    files.push(CommitFile {
        path: HINT.into(),
        contents: b"1".to_vec(),
    });
    Ok(files)
}

/// A positive number that follows from the fingerprint.
fn snapshot(fingerprint: &str) -> i64 {
    let digits: String = fingerprint.chars().take(15).collect();
    i64::from_str_radix(&digits, 16).unwrap_or_default().max(1)
}

fn marker(fingerprint: &str) -> [u8; 16] {
    let mut marker = [0; 16];
    let hash = blake3::hash(fingerprint.as_bytes());
    marker.copy_from_slice(&hash.as_bytes()[..16]);
    marker
}

fn metadata(
    corpus: &CompleteCorpus<'_>,
    table: &Table<'_>,
    tracked: &Tracked<'_>,
    list: &str,
) -> Value {
    let (time, fields, files) = (committed_at(corpus), table.fields, &corpus.files);
    let mut partitions: Vec<_> = files
        .iter()
        .map(|file| (file.date, file.category))
        .collect();
    partitions.dedup();
    let rows: u64 = files.iter().map(|file| file.rows).sum();
    let bytes: u64 = files.iter().map(|file| file.bytes).sum();
    json!({
        "format-version": 2,
        "table-uuid": uuid(corpus.fingerprint),
        "location": table.location,
        "last-sequence-number": 1,
        "last-updated-ms": time,
        "last-column-id": fields.last,
        "current-schema-id": 0,
        "schemas": [fields.schema()],
        "default-spec-id": 0,
        "partition-specs": [{"spec-id": 0, "fields": fields.partition_fields()}],
        "last-partition-id": PARTITION_ID + fields.partitions.len() as i64 - 1,
        "default-sort-order-id": 0,
        "sort-orders": [{"order-id": 0, "fields": []}],
        "properties": {
            "created-by": CREATED_BY,
            "schema.name-mapping.default": Value::from(fields.names.clone()).to_string(),
            // For later writers: 100 columns by default.
            "write.metadata.metrics.max-inferred-column-defaults": tracked.leaves.to_string(),
        },
        "current-snapshot-id": table.snapshot,
        "refs": {"main": {"snapshot-id": table.snapshot, "type": "branch"}},
        "snapshots": [{
            "snapshot-id": table.snapshot,
            "sequence-number": 1,
            "timestamp-ms": time,
            "summary": {
                "operation": "append",
                "added-data-files": files.len().to_string(),
                "added-records": rows.to_string(),
                "added-files-size": bytes.to_string(),
                "changed-partition-count": partitions.len().to_string(),
                "total-records": rows.to_string(),
                "total-files-size": bytes.to_string(),
                "total-data-files": files.len().to_string(),
                "total-delete-files": "0",
                "total-position-deletes": "0",
                "total-equality-deletes": "0",
            },
            "manifest-list": format!("{}/{list}", table.location),
            "schema-id": 0,
        }],
        "snapshot-log": [{"timestamp-ms": time, "snapshot-id": table.snapshot}],
        "metadata-log": [],
    })
}

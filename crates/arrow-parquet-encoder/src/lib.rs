//! A Parquet encoder that never hashes a string it already knows.
//!
//! Arrow dictionary columns come with their values known; `ArrowWriter` looks every row's value up
//! again. This encoder maps keys to a chunk's own ids by a table and packs the ids, for all leaves
//! with one buffer of keys at once; definition levels come straight from validity bitmaps,
//! repetition levels from offsets; chunks bring their part of the footer along. The rest of
//! Parquet stays with the `parquet` crate: the schema, bloom filters, and the types that have no
//! fast path here (floats, decimals, fixed-size binaries, maps, views), whose chunks
//! `ArrowColumnWriter` makes for the same row group.
//!
//! # What it writes
//! - Data pages of version 2, each compressed only where it isn't short, and that saves at least
//!   5%; by zstd, Snappy or LZ4. A short dictionary page, which has no choice, is with zstd a frame
//!   of one raw block.
//! - A dictionary page holds the values that the chunk uses, by first use, each once. Values of
//!   several Arrow dictionaries are merged by value.
//! - A chunk decides on its first page whether a dictionary is worth it; that the values of a table
//!   come again on later pages is reckoned with where a row group's rows are known
//!   ([`Encoder::row_group_of`]). Without one: texts are
//!   `DELTA_BYTE_ARRAY` where neighbours begin alike, else `DELTA_LENGTH_BYTE_ARRAY`; integers are
//!   `DELTA_BINARY_PACKED`. A dictionary that passes its limit later ends with the page at hand,
//!   and the pages after it have none; the encoding statistics say which.
//! - Pages end at records, and at the limits of rows and bytes of the writer properties. Pages of
//!   nulls only, or of one value only, may be longer in rows.
//! - Bounds of a page are those of the values it uses. They are shortened as the properties say,
//!   and flagged inexact then.
//!
//! # Use
//! ```
//! # use std::sync::Arc;
//! # use arrow::{array::*, datatypes::*};
//! # use parquet::{arrow::ArrowSchemaConverter, file::properties::WriterProperties};
//! use arrow_parquet_encoder::{Encoder, FileWriter};
//!
//! let names: DictionaryArray<Int32Type> = ["a", "b", "a"].into_iter().collect();
//! let batch = RecordBatch::try_from_iter([("name", Arc::new(names) as ArrayRef)])?;
//! let descriptor = ArrowSchemaConverter::new().convert(&batch.schema())?;
//! let properties = Arc::new(WriterProperties::default());
//!
//! let encoder = Encoder::new(&batch.schema(), &descriptor, &properties)?;
//! let mut group = encoder.row_group()?; // on any thread
//! group.write(&batch)?;
//! let encoded = group.finish()?;
//!
//! let mut file = FileWriter::new(Vec::new(), &encoder)?;
//! file.append(encoded)?;
//! let bytes = file.finish()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Whoever makes columns one after the other gives them one by one
//! ([`RowGroup::write_leaves`]): the file is the same, and no batch is ever whole in memory. They
//! may be [packed](Column) then, with nothing for rows that have no value.

/// The example of `README.md` is a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
pub struct Readme;

mod bits;
mod bounds;
mod chunk;
mod column;
mod compressor;
mod delta;
mod dictionary;
mod file;
mod foreign;
mod keys;
mod levels;
mod page;
mod remap;
mod row_group;
mod text;
mod texts;
mod thrift;
mod values;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use arrow::datatypes::{DataType, Field, SchemaRef};
use parquet::errors::{ParquetError, Result};
use parquet::file::properties::WriterPropertiesPtr;
use parquet::schema::types::{ColumnDescPtr, SchemaDescriptor, TypePtr};

use chunk::{LeafOptions, Memory};
pub use column::{Column, Dictionary};
pub use file::FileWriter;
use file::FooterTemplate;
pub use row_group::{EncodedRowGroup, RowGroup};

/// How one leaf is written.
enum Leaf {
    Fast(LeafOptions),
    /// By `ArrowColumnWriter`.
    Arrow,
}

/// Encodes row groups of one schema, on any number of threads.
pub struct Encoder {
    arrow: SchemaRef,
    parquet: TypePtr,
    properties: WriterPropertiesPtr,
    leaves: Vec<Leaf>,
    /// By top-level column: whether `ArrowColumnWriter` writes one of its leaves.
    slow: Vec<bool>,
    /// The schema of the leaves that it writes, if there are any.
    foreign: Option<TypePtr>,
    template: Arc<FooterTemplate>,
    /// What row groups leave to the next.
    memory: Mutex<Vec<Memory>>,
}

impl fmt::Debug for Encoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Encoder")
            .field("leaves", &self.leaves.len())
            .finish_non_exhaustive()
    }
}

/// Leaves of a type.
fn leaf_count(data_type: &DataType) -> usize {
    match data_type {
        DataType::Struct(fields) => fields.iter().map(|f| leaf_count(f.data_type())).sum(),
        DataType::List(item)
        | DataType::LargeList(item)
        | DataType::ListView(item)
        | DataType::LargeListView(item)
        | DataType::FixedSizeList(item, _)
        | DataType::Map(item, _) => leaf_count(item.data_type()),
        _ => 1,
    }
}

impl Encoder {
    /// An encoder of batches of the schema `arrow`, whose Parquet form is `descriptor`.
    ///
    /// Of the properties it heeds, by column: compression, dictionary (whether, and its size),
    /// limits of pages in rows and bytes, statistics and their truncation, bloom filters, and
    /// whether there is an offset index. A column without dictionary is delta-encoded; an encoding
    /// that the properties name for the rest is left to the encoder. Codecs other than none, zstd,
    /// Snappy and raw LZ4 are left to `ArrowColumnWriter`.
    ///
    /// # Errors
    /// When the two schemas differ in their leaves, or the `parquet` crate refuses the properties.
    pub fn new(
        arrow: &SchemaRef,
        descriptor: &SchemaDescriptor,
        properties: &WriterPropertiesPtr,
    ) -> Result<Self> {
        fn plan(
            field: &Field,
            columns: &mut std::slice::Iter<'_, ColumnDescPtr>,
            properties: &WriterPropertiesPtr,
            leaves: &mut Vec<Leaf>,
        ) {
            match field.data_type() {
                DataType::Struct(fields) => fields
                    .iter()
                    .for_each(|f| plan(f, columns, properties, leaves)),
                DataType::List(item) | DataType::LargeList(item) => {
                    plan(item, columns, properties, leaves);
                }
                other => {
                    let is_fast = values::is_supported(other);
                    for column in columns.take(leaf_count(other)) {
                        let options =
                            LeafOptions::new(column.clone(), other.clone(), properties.as_ref());
                        let is_fast = is_fast && compressor::is_supported(options.codec());
                        leaves.push(match is_fast {
                            true => Leaf::Fast(options),
                            false => Leaf::Arrow,
                        });
                    }
                }
            }
        }
        let mut leaves = Vec::with_capacity(descriptor.num_columns());
        let mut columns = descriptor.columns().iter();
        let mut slow = Vec::with_capacity(arrow.fields().len());
        for field in arrow.fields() {
            let before = leaves.len();
            plan(field, &mut columns, properties, &mut leaves);
            slow.push(leaves[before..].iter().any(|l| matches!(l, Leaf::Arrow)));
        }
        let expected: usize = arrow
            .fields()
            .iter()
            .map(|f| leaf_count(f.data_type()))
            .sum();
        if leaves.len() != expected || columns.next().is_some() {
            return Err(ParquetError::General(
                "the Arrow and the Parquet schema differ in their leaves".into(),
            ));
        }
        let schema = descriptor.root_schema_ptr();
        let mut is_foreign = leaves.iter().map(|leaf| matches!(leaf, Leaf::Arrow));
        Ok(Encoder {
            arrow: arrow.clone(),
            foreign: foreign::only(&schema, &mut is_foreign)?,
            template: Arc::new(FooterTemplate::new(
                schema.clone(),
                properties,
                leaves.len(),
            )?),
            parquet: schema,
            properties: properties.clone(),
            leaves,
            slow,
            memory: Mutex::default(),
        })
    }

    /// Whether no leaf is left to `ArrowColumnWriter`, so that row groups can be written
    /// [leaf by leaf](RowGroup::write_leaves).
    pub fn takes_leaves(&self) -> bool {
        !self.slow.contains(&true)
    }

    /// Begins a row group, detached from any file.
    ///
    /// # Errors
    /// When `ArrowColumnWriter` refuses a leaf.
    pub fn row_group(&self) -> Result<RowGroup<'_>> {
        RowGroup::new(self, None)
    }

    /// The same of about `rows` rows. A table that is longer than a batch is worth a dictionary
    /// where enough batches will use it.
    ///
    /// # Errors
    /// When `ArrowColumnWriter` refuses a leaf.
    pub fn row_group_of(&self, rows: usize) -> Result<RowGroup<'_>> {
        RowGroup::new(self, Some(rows))
    }

    fn take_memory(&self) -> Memory {
        let mut pool = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        pool.pop().unwrap_or_default()
    }

    fn return_memory(&self, memory: Memory) {
        let mut pool = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        pool.push(memory);
    }
}

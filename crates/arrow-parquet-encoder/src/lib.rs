//! Encodes Arrow record batches to Parquet without hashing a dictionary value twice.
//!
//! `ArrowWriter` of the `parquet` crate hashes and looks up the value of every row of a dictionary
//! column. This crate maps each *key* of an Arrow dictionary to an id of the Parquet dictionary, by
//! a table, and packs the ids. It is also made for row groups that are encoded on several threads:
//!
//! - An [`Encoder`] belongs to a schema, and is shared by threads and files.
//! - It begins a [`RowGroupWriter`], which takes batches, and ends as an [`EncodedRowGroup`] in
//!   memory.
//! - A [`FileWriter`] appends row groups to a file, in order.
//!
//! The `parquet` crate converts the schema, makes Bloom filters, and encodes the types and codecs
//! without a fast path here: floats, decimals, views, maps, fixed-size types, dictionaries of
//! numbers; gzip, Brotli and Hadoop's LZ4. Its `ArrowColumnWriter` makes their chunks for the same row
//! group. `README.md` has the list of types, and the limits.
//!
//! # Example
//! ```
//! # use std::sync::Arc;
//! # use arrow_array::{builder::*, types::*, *};
//! # use arrow_schema::*;
//! # use parquet::{arrow::ArrowSchemaConverter, file::properties::WriterProperties};
//! use arrow_parquet_encoder::{Encoder, FileWriter};
//!
//! let names: DictionaryArray<Int32Type> = ["a", "b", "a"].into_iter().collect();
//! let batch = RecordBatch::try_from_iter([("name", Arc::new(names) as ArrayRef)])?;
//! let descriptor = ArrowSchemaConverter::new().convert(&batch.schema())?;
//! let properties = Arc::new(WriterProperties::default());
//!
//! let encoder = Encoder::new(&batch.schema(), &descriptor, &properties)?;
//! let mut group = encoder.row_group_with_rows(batch.num_rows())?; // on any thread
//! group.write(&batch)?;
//! let encoded = group.finish()?;
//!
//! let mut file = FileWriter::new(Vec::new(), &encoder)?;
//! file.append(encoded)?;
//! let bytes = file.finish()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Columns one by one, and packed columns
//! [`RowGroupWriter::write_leaves`] takes a batch column by column. The row group is the same, and a
//! producer needs memory for one column instead of a batch. The columns are [`ColumnData`]: Arrow
//! arrays, or packed values, which have no elements for null rows.
//!
//! ```
//! # use std::sync::Arc;
//! # use arrow_array::*;
//! # use arrow_schema::*;
//! # use parquet::{arrow::ArrowSchemaConverter, file::properties::WriterProperties};
//! use arrow_parquet_encoder::{ColumnData, Encoder, PackedDictionary};
//!
//! # let fields = vec![
//! #     Field::new("port", DataType::Int64, true),
//! #     Field::new_dictionary("name", DataType::Int32, DataType::Utf8, true),
//! # ];
//! # let schema = Arc::new(Schema::new(fields));
//! # let descriptor = ArrowSchemaConverter::new().convert(&schema)?;
//! # let encoder = Encoder::new(&schema, &descriptor, &Arc::new(WriterProperties::default()))?;
//! let ports = ColumnData::Packed {
//!     values: Arc::new(Int64Array::from(vec![443])),
//!     nulls: Some(vec![false, true, false].into()), // null, 443, null
//! };
//! let names = ColumnData::PackedDictionary(PackedDictionary {
//!     keys: vec![1, 0].into(),
//!     nulls: Some(vec![true, false, true].into()), // "b", null, "a"
//!     values: Arc::new(StringArray::from(vec!["a", "b"])),
//! });
//! let mut group = encoder.row_group()?;
//! group.write_leaves(3, [ports, names])?;
//! assert_eq!(group.finish()?.rows, 3);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What it writes
//! - Data pages of version 2. A page's body is compressed by zstd, Snappy or raw LZ4 if it has at least
//!   512 bytes, and if that saves at least 5%.
//! - A dictionary page has the values that the chunk uses, each once, in the order of their first
//!   use. Values of several Arrow dictionaries are merged by value. With zstd, a dictionary page of
//!   less than 256 bytes is a frame of one raw block.
//! - A chunk's first page decides whether the chunk has a dictionary: the sizes with and without one
//!   are compared. If the number of rows is known ([`Encoder::row_group_with_rows`]), values that later
//!   pages will use again count in the dictionary's favour.
//! - Without a dictionary, strings and binary values are `DELTA_BYTE_ARRAY` if neighbours have common
//!   prefixes, else `DELTA_LENGTH_BYTE_ARRAY`; integers are `DELTA_BINARY_PACKED`.
//! - A dictionary that exceeds its limit of bytes ends with the current page. Later pages have none,
//!   which the encoding statistics say.
//! - Pages end at the row and byte limits of the writer properties, and never within a row. Pages of
//!   nulls only, or of one value only, may have more rows.
//! - A page's bounds are those of its values. The properties say how they are truncated; truncated
//!   bounds are marked as inexact.

/// Runs the example of `README.md` as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
pub struct Readme;

mod bits;
mod bounds;
mod byte_arrays;
mod chunk;
mod column;
mod compressor;
mod delta;
mod dictionary;
mod encoder;
mod fallback;
mod file;
mod footer;
mod id_table;
mod key_map;
mod keys;
mod levels;
mod lists;
mod mode;
mod nested;
mod page;
mod page_ids;
mod row_group;
mod rows;
mod schema_plan;
mod selection;
mod thrift;
mod values;
mod walk;

pub use column::{ColumnData, PackedDictionary};
pub use encoder::Encoder;
pub use file::FileWriter;
pub use row_group::{EncodedRowGroup, RowGroupWriter};

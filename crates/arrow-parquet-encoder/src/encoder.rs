//! The encoder of a schema, which begins row groups.

use std::fmt;
use std::sync::Arc;

use arrow_schema::SchemaRef;
use parquet::errors::Result;
use parquet::file::properties::WriterPropertiesPtr;
use parquet::schema::types::SchemaDescriptor;

use crate::chunk::WorkspacePool;
use crate::footer::FooterTemplate;
use crate::row_group::RowGroupWriter;
use crate::schema_plan::SchemaPlan;

/// Encodes row groups of one schema, on any number of threads.
///
/// An encoder is made once and shared: it holds the footer's common part, and the memory that
/// finished row groups leave to the next ones.
pub struct Encoder {
    plan: SchemaPlan,
    workspaces: WorkspacePool,
}

impl fmt::Debug for Encoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Encoder")
            .field("leaves", &self.plan.leaves.len())
            .finish_non_exhaustive()
    }
}

impl Encoder {
    /// An encoder of batches of the schema `arrow`, whose Parquet form is `descriptor`, as from
    /// [`ArrowSchemaConverter`](parquet::arrow::ArrowSchemaConverter).
    ///
    /// These properties are used, per column where `parquet` has them per column: compression,
    /// whether there is a dictionary and its size limit, the limits of pages in rows and bytes,
    /// statistics and the truncation of bounds, Bloom filters, offset indexes, sorting columns,
    /// `created_by`, and key-value metadata. Pages are always of version 2. A column without a
    /// dictionary is delta-encoded; other encodings that the properties name are ignored. Codecs
    /// other than zstd, Snappy, raw LZ4 and none are left to `ArrowColumnWriter`.
    ///
    /// # Errors
    /// When the two schemas have different numbers of leaves, or the `parquet` crate rejects the
    /// properties.
    pub fn new(
        arrow: &SchemaRef,
        descriptor: &SchemaDescriptor,
        properties: &WriterPropertiesPtr,
    ) -> Result<Self> {
        Ok(Encoder {
            plan: SchemaPlan::new(arrow, descriptor, properties)?,
            workspaces: WorkspacePool::default(),
        })
    }

    /// Whether row groups can be written [leaf by leaf](RowGroupWriter::write_leaves): only if
    /// `ArrowColumnWriter` encodes none of the leaves.
    pub fn can_write_leaves(&self) -> bool {
        !self.plan.any_fallback()
    }

    /// Begins a row group. It belongs to no file yet, and its number of rows is unknown.
    ///
    /// # Errors
    /// When `ArrowColumnWriter` rejects a leaf.
    pub fn row_group(&self) -> Result<RowGroupWriter<'_>> {
        RowGroupWriter::new(&self.plan, &self.workspaces, None)
    }

    /// Begins a row group of about `rows` rows.
    ///
    /// The number decides whether an Arrow dictionary that is longer than a batch is worth a Parquet
    /// dictionary: it is if enough later batches use it again. It doesn't limit the row group.
    ///
    /// # Errors
    /// When `ArrowColumnWriter` rejects a leaf.
    pub fn row_group_with_rows(&self, rows: usize) -> Result<RowGroupWriter<'_>> {
        RowGroupWriter::new(&self.plan, &self.workspaces, Some(rows))
    }

    pub(crate) fn footer_template(&self) -> Arc<FooterTemplate> {
        self.plan.footer.clone()
    }
}

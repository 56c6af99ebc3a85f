//! Row groups: batches or single columns in, encoded column chunks out.

use arrow_array::RecordBatch;
use arrow_schema::{DataType, Field, Fields};
use parquet::arrow::arrow_writer::{ArrowColumnWriter, ArrowRowGroupWriterFactory, compute_leaves};
use parquet::errors::{ParquetError, Result};
use parquet::file::writer::SerializedFileWriter;

use crate::chunk::{ChunkStore, ChunkWriter, EncodedChunk, Workspace, WorkspacePool};
use crate::column::{ColumnData, ColumnRef};
use crate::fallback::FallbackChunks;
use crate::lists::ListCache;
use crate::schema_plan::{LeafPlan, SchemaPlan};
use crate::walk::{LeafWalk, LeafWriter, wrong_type};

/// Encodes one row group in memory, independently of any file.
///
/// From [`Encoder::row_group`](crate::Encoder::row_group).
pub struct RowGroupWriter<'e> {
    plan: &'e SchemaPlan,
    workspaces: &'e WorkspacePool,
    writers: Vec<LeafWriter<'e>>,
    workspace: Box<Workspace>,
    rows: u64,
}

/// An encoded row group in memory, for [`FileWriter::append`](crate::FileWriter::append).
pub struct EncodedRowGroup {
    pub(crate) chunks: Vec<EncodedChunk>,
    pub(crate) store: ChunkStore,
    /// The number of rows.
    pub rows: u64,
}

fn missing_writer() -> ParquetError {
    ParquetError::General("a leaf has no writer".into())
}

impl<'e> RowGroupWriter<'e> {
    pub(crate) fn new(
        plan: &'e SchemaPlan,
        workspaces: &'e WorkspacePool,
        rows: Option<usize>,
    ) -> Result<Self> {
        let mut fallback = match plan.any_fallback() {
            true => arrow_writers(plan)?,
            false => Vec::new(),
        }
        .into_iter();
        let mut writers = Vec::with_capacity(plan.leaves.len());
        for leaf in &plan.leaves {
            // `fallback` has a writer for each leaf, needed or not.
            let fallback = fallback.next();
            writers.push(match leaf {
                LeafPlan::Fast(options) => LeafWriter::Fast(ChunkWriter::new(options, rows)),
                LeafPlan::Fallback => {
                    LeafWriter::Fallback(Box::new(fallback.ok_or_else(missing_writer)?))
                }
            });
        }
        Ok(RowGroupWriter {
            plan,
            workspaces,
            writers,
            workspace: Box::new(workspaces.take()),
            rows: 0,
        })
    }

    /// Appends a batch.
    ///
    /// # Errors
    /// When the batch doesn't have the encoder's schema, a required column contains a null, a
    /// dictionary key is out of range, or compression fails.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        let fields = self.plan.arrow.fields();
        if batch.num_columns() != fields.len() {
            return Err(ParquetError::General(format!(
                "a batch has {} columns where {} are expected",
                batch.num_columns(),
                fields.len()
            )));
        }
        self.workspace.begin_batch();
        let mut walk = LeafWalk {
            writers: &mut self.writers,
            at: 0,
            nulls: Vec::new(),
            lists: &mut ListCache::default(),
            workspace: &mut self.workspace,
        };
        let columns = fields.iter().zip(batch.columns());
        for ((field, column), has_fallback) in columns.zip(&self.plan.has_fallback) {
            if *has_fallback {
                for (leaf, at) in compute_leaves(field, column)?.iter().zip(walk.at..) {
                    if let Some(LeafWriter::Fallback(writer)) = walk.writers.get_mut(at) {
                        writer.write(leaf)?;
                    }
                }
            }
            walk.flat(field, column)?;
        }
        self.rows += batch.num_rows() as u64;
        Ok(())
    }

    /// Whether [`write_leaves`](RowGroupWriter::write_leaves) can be called; see
    /// [`Encoder::can_write_leaves`](crate::Encoder::can_write_leaves).
    pub fn can_write_leaves(&self) -> bool {
        !self.plan.any_fallback()
    }

    /// Appends `rows` rows column by column.
    ///
    /// `leaves` yields, in the schema's order, the values of each field that is not a struct. Structs
    /// are flattened, and are null in no row; a list is one array. Each column is dropped before the
    /// next one is taken from the iterator. So an iterator that makes columns on demand needs memory
    /// for one column instead of a batch, and that memory stays in the processor's cache. The encoded
    /// row group is the same as with [`write`](RowGroupWriter::write).
    ///
    /// # Errors
    /// When [`can_write_leaves`](RowGroupWriter::can_write_leaves) is false, a column has another type
    /// than the schema or another number of rows, there are fewer or more columns, a required
    /// column contains a null, a dictionary key is out of range, or compression fails.
    pub fn write_leaves(
        &mut self,
        rows: usize,
        leaves: impl IntoIterator<Item: Into<ColumnData>>,
    ) -> Result<()> {
        if !self.can_write_leaves() {
            return Err(ParquetError::General(
                "leaves can't be written one by one if ArrowColumnWriter encodes one of them"
                    .into(),
            ));
        }
        self.workspace.begin_batch();
        let mut leaves = leaves.into_iter().map(Into::into);
        let mut stream = LeafStream {
            writers: &mut self.writers,
            at: 0,
            lists: ListCache::default(),
            workspace: &mut self.workspace,
            rows,
        };
        stream.fields(self.plan.arrow.fields(), 0, &mut leaves)?;
        if leaves.next().is_some() {
            return Err(ParquetError::General(
                "there are more leaves than the schema has".into(),
            ));
        }
        self.rows += rows as u64;
        Ok(())
    }

    /// Ends the row group.
    ///
    /// # Errors
    /// When compression or `ArrowColumnWriter` fails.
    pub fn finish(mut self) -> Result<EncodedRowGroup> {
        let mut writers = Vec::with_capacity(self.writers.len());
        let mut fallback = Vec::new();
        for writer in self.writers {
            writers.push(match writer {
                LeafWriter::Fast(writer) => Some(writer),
                LeafWriter::Fallback(writer) => {
                    fallback.push(writer.close()?);
                    None
                }
            });
        }
        let mut fallback = match &self.plan.fallback_schema {
            Some(schema) => {
                let properties = &self.plan.properties;
                Some(FallbackChunks::new(fallback, schema, properties)?)
            }
            None => None,
        };
        let mut store = ChunkStore::default();
        let chunks = writers
            .into_iter()
            .map(|writer| match (writer, &mut fallback) {
                (Some(writer), _) => writer.finish(&mut self.workspace, &mut store),
                (None, Some(fallback)) => fallback.next(&mut store),
                (None, None) => Err(missing_writer()),
            })
            .collect::<Result<_>>()?;
        self.workspaces.give_back(*self.workspace);
        Ok(EncodedRowGroup {
            chunks,
            store,
            rows: self.rows,
        })
    }
}

/// An `ArrowColumnWriter` for each leaf.
fn arrow_writers(plan: &SchemaPlan) -> Result<Vec<ArrowColumnWriter>> {
    let (schema, properties) = (plan.parquet.clone(), plan.properties.clone());
    let file = SerializedFileWriter::new(std::io::sink(), schema, properties)?;
    ArrowRowGroupWriterFactory::new(&file, plan.arrow.clone()).create_column_writers(0)
}

/// Columns of a batch that are given one at a time.
struct LeafStream<'w, 'e> {
    writers: &'w mut [LeafWriter<'e>],
    /// The index of the next leaf.
    at: usize,
    lists: ListCache,
    workspace: &'w mut Workspace,
    /// The number of rows of each column.
    rows: usize,
}

impl LeafStream<'_, '_> {
    /// Appends the columns of fields that are under `nullable` nullable structs.
    fn fields(
        &mut self,
        fields: &Fields,
        nullable: usize,
        leaves: &mut impl Iterator<Item = ColumnData>,
    ) -> Result<()> {
        for field in fields {
            if let DataType::Struct(children) = field.data_type() {
                let nullable = nullable + usize::from(field.is_nullable());
                self.fields(children, nullable, leaves)?;
                continue;
            }
            let column = leaves.next().ok_or_else(|| {
                ParquetError::General(format!("no leaf is left for column {}", field.name()))
            })?;
            self.column(field, nullable, column)?;
        }
        Ok(())
    }

    fn column(&mut self, field: &Field, nullable: usize, column: ColumnData) -> Result<()> {
        self.check(field, &column)?;
        let mut walk = LeafWalk {
            writers: self.writers,
            at: self.at,
            nulls: vec![None; nullable],
            lists: &mut self.lists,
            workspace: self.workspace,
        };
        match column.as_ref() {
            ColumnRef::Array(array) => walk.flat(field, array)?,
            packed => walk.leaf(field, packed)?,
        }
        self.at = walk.at;
        if let ColumnData::Array(array) = column {
            self.lists.hold(array);
        }
        Ok(())
    }

    fn check(&self, field: &Field, column: &ColumnData) -> Result<()> {
        column.check()?;
        let column = column.as_ref();
        if !column.has_type(field.data_type()) {
            return Err(wrong_type(field, column));
        }
        if field.data_type().is_nested() && !matches!(column, ColumnRef::Array(_)) {
            return Err(ParquetError::General(format!(
                "column {} is a list, which can't be packed",
                field.name()
            )));
        }
        if column.len() != self.rows {
            return Err(ParquetError::General(format!(
                "column {} has {} rows where {} are expected",
                field.name(),
                column.len(),
                self.rows
            )));
        }
        Ok(())
    }
}

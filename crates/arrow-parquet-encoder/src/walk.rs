//! From the columns of a batch to its leaves: nulls and levels on the way, and the leaf's writer.

use std::borrow::Cow;
use std::rc::Rc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, StructArray};
use arrow_buffer::NullBuffer;
use arrow_schema::{DataType, Field, Fields};
use parquet::arrow::arrow_writer::ArrowColumnWriter;
use parquet::errors::{ParquetError, Result};

use crate::chunk::{ChunkWriter, Workspace};
use crate::column::ColumnRef;
use crate::lists::{ListCache, ListOffsets};
use crate::nested::NestedLevels;
use crate::rows::LeafRows;
use crate::schema_plan::leaf_count;

/// The writer of one leaf's column chunk.
#[expect(
    clippy::large_enum_variant,
    reason = "hardly any is of the small variant"
)]
pub(crate) enum LeafWriter<'e> {
    Fast(ChunkWriter<'e>),
    Fallback(Box<ArrowColumnWriter>),
}

/// Visits the leaves of a batch in the schema's order, and appends those with a [`ChunkWriter`].
pub(crate) struct LeafWalk<'w, 'e, 'a> {
    pub writers: &'w mut [LeafWriter<'e>],
    /// The index of the next leaf.
    pub at: usize,
    /// The validity of the nullable nodes on the way to the current node; `None` where all elements
    /// are valid.
    pub nulls: Vec<Option<&'a NullBuffer>>,
    pub lists: &'w mut ListCache,
    pub workspace: &'w mut Workspace,
}

pub(crate) fn wrong_type(field: &Field, found: ColumnRef<'_>) -> ParquetError {
    ParquetError::General(format!(
        "column {} has the type {} where {} is expected",
        field.name(),
        found.data_type(),
        field.data_type()
    ))
}

fn as_struct<'a>(field: &Field, fields: &Fields, array: &'a ArrayRef) -> Result<&'a StructArray> {
    array
        .as_struct_opt()
        .filter(|s| s.num_columns() == fields.len())
        .ok_or_else(|| wrong_type(field, ColumnRef::Array(array)))
}

fn as_list<'a>(field: &Field, array: &'a ArrayRef) -> Result<(ListOffsets<'a>, &'a ArrayRef)> {
    ListOffsets::of(array).ok_or_else(|| wrong_type(field, ColumnRef::Array(array)))
}

impl<'a> LeafWalk<'_, '_, 'a> {
    /// Visits a node that is under no list.
    pub(crate) fn flat(&mut self, field: &Field, array: &'a ArrayRef) -> Result<()> {
        match field.data_type() {
            DataType::Struct(fields) => {
                let parent = as_struct(field, fields, array)?;
                if field.is_nullable() {
                    self.nulls
                        .push(array.nulls().filter(|n| n.null_count() > 0));
                }
                for (field, child) in fields.iter().zip(parent.columns()) {
                    self.flat(field, child)?;
                }
                if field.is_nullable() {
                    self.nulls.pop();
                }
                Ok(())
            }
            DataType::List(item) | DataType::LargeList(item) => {
                let (offsets, child) = as_list(field, array)?;
                let levels = self.list_levels(field, array, &offsets);
                self.nested(item, child, &levels)
            }
            _ => self.leaf(field, ColumnRef::Array(array)),
        }
    }

    /// The levels of a list that is under no other list.
    fn list_levels(
        &mut self,
        field: &Field,
        array: &ArrayRef,
        offsets: &ListOffsets<'_>,
    ) -> Rc<NestedLevels> {
        if self.nulls.is_empty() {
            return self.lists.levels(array, offsets, field.is_nullable());
        }
        let mut levels = NestedLevels::new(array.len(), &self.nulls);
        offsets.descend(&mut levels, field.is_nullable(), array.nulls());
        Rc::new(levels)
    }

    /// Visits a leaf that is under no list.
    pub(crate) fn leaf(&mut self, field: &Field, column: ColumnRef<'_>) -> Result<()> {
        let Some(writer) = self.next_writer(field) else {
            return Ok(());
        };
        let own = column.nulls();
        let mut nulls: Vec<Option<&NullBuffer>> = Vec::with_capacity(8);
        nulls.extend(&self.nulls);
        if field.is_nullable() {
            nulls.push(own.as_ref());
        }
        let rows = LeafRows::Flat {
            offset: 0,
            len: column.len(),
            nulls: &nulls,
        };
        self.append(writer, field, column, &rows, own.as_ref())
    }

    /// Visits a node that is under a list, and whose parent has these levels.
    fn nested(&mut self, field: &Field, array: &ArrayRef, levels: &NestedLevels) -> Result<()> {
        match field.data_type() {
            DataType::Struct(fields) => {
                let parent = as_struct(field, fields, array)?;
                let mut levels = Cow::Borrowed(levels);
                if field.is_nullable() {
                    levels.to_mut().nullable(array.nulls());
                }
                for (field, child) in fields.iter().zip(parent.columns()) {
                    self.nested(field, child, &levels)?;
                }
                Ok(())
            }
            DataType::List(item) | DataType::LargeList(item) => {
                let (offsets, child) = as_list(field, array)?;
                let mut levels = levels.clone();
                offsets.descend(&mut levels, field.is_nullable(), array.nulls());
                self.nested(item, child, &levels)
            }
            _ => {
                let Some(writer) = self.next_writer(field) else {
                    return Ok(());
                };
                let column = ColumnRef::Array(array);
                let nulls = column.nulls();
                let mut levels = Cow::Borrowed(levels);
                if field.is_nullable() {
                    levels.to_mut().nullable(nulls.as_ref());
                }
                let rows = LeafRows::Nested(&levels);
                self.append(writer, field, column, &rows, nulls.as_ref())
            }
        }
    }

    /// Passes a leaf; returns the index of its writer unless that is an `ArrowColumnWriter`.
    fn next_writer(&mut self, field: &Field) -> Option<usize> {
        let first = self.at;
        self.at += leaf_count(field.data_type());
        matches!(self.writers.get(first), Some(LeafWriter::Fast(_))).then_some(first)
    }

    /// Appends a leaf's rows with the writer at `writer`. `own` is the leaf's validity.
    fn append(
        &mut self,
        writer: usize,
        field: &Field,
        column: ColumnRef<'_>,
        rows: &LeafRows<'_>,
        own: Option<&NullBuffer>,
    ) -> Result<()> {
        if !field.is_nullable() {
            check_required(field, rows, own)?;
        }
        match self.writers.get_mut(writer) {
            Some(LeafWriter::Fast(writer)) => writer.append(column, rows, self.workspace),
            _ => Ok(()),
        }
    }
}

/// Checks that a required leaf is null only where a parent is.
fn check_required(field: &Field, rows: &LeafRows<'_>, own: Option<&NullBuffer>) -> Result<()> {
    let Some(own) = own else {
        return Ok(());
    };
    let mut has_null = false;
    rows.selection().for_each(|e| has_null |= own.is_null(e));
    match has_null {
        true => Err(ParquetError::General(format!(
            "required column {} contains a null",
            field.name()
        ))),
        false => Ok(()),
    }
}

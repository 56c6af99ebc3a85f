//! A row group: each leaf of each batch to its column chunk.

use std::borrow::Cow;
use std::rc::Rc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, Field, Fields};
use parquet::arrow::arrow_writer::{ArrowColumnWriter, ArrowRowGroupWriterFactory, compute_leaves};
use parquet::errors::{ParquetError, Result};
use parquet::file::writer::SerializedFileWriter;

use super::chunk::{ChunkWriter, EncodedChunk, Memory, Store};
use super::column::{Column, Source};
use super::foreign::ForeignChunks;
use super::levels::{Piece, Slots};
use super::{Encoder, Leaf, leaf_count};

#[expect(clippy::large_enum_variant, reason = "hardly any is of the small one")]
enum Writer<'e> {
    Fast(ChunkWriter<'e>),
    Arrow(Box<ArrowColumnWriter>),
}

/// A row group in the making, detached from any file.
pub struct RowGroup<'e> {
    encoder: &'e Encoder,
    writers: Vec<Writer<'e>>,
    memory: Box<Memory>,
    rows: u64,
}

/// An encoded row group, in memory.
pub struct EncodedRowGroup {
    pub(super) chunks: Vec<EncodedChunk>,
    pub(super) store: Store,
    /// Rows it holds.
    pub rows: u64,
}

impl<'e> RowGroup<'e> {
    pub(super) fn new(encoder: &'e Encoder, rows: Option<usize>) -> Result<Self> {
        let mut arrow = match encoder.slow.contains(&true) {
            true => arrow_writers(encoder)?,
            false => Vec::new(),
        }
        .into_iter();
        let mut writers = Vec::with_capacity(encoder.leaves.len());
        for leaf in &encoder.leaves {
            let slow = arrow.next();
            let writer = match leaf {
                Leaf::Fast(options) => Some(Writer::Fast(ChunkWriter::new(options, rows))),
                Leaf::Arrow => slow.map(|w| Writer::Arrow(Box::new(w))),
            }
            .ok_or_else(|| ParquetError::General("a leaf without a writer".into()))?;
            writers.push(writer);
        }
        Ok(RowGroup {
            encoder,
            writers,
            memory: Box::new(encoder.take_memory()),
            rows: 0,
        })
    }

    /// Adds a batch.
    ///
    /// # Errors
    /// When the batch doesn't have the encoder's schema, a required column holds a null, or
    /// compression fails.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        let fields = self.encoder.arrow.fields();
        if batch.num_columns() != fields.len() {
            return Err(ParquetError::General(format!(
                "a batch of {} columns where {} are expected",
                batch.num_columns(),
                fields.len()
            )));
        }
        self.memory.begin_batch();
        let mut lists = Vec::new();
        let mut walk = Walk {
            writers: &mut self.writers,
            at: 0,
            nulls: Vec::new(),
            lists: &mut lists,
            memory: &mut self.memory,
        };
        for ((field, column), slow) in fields.iter().zip(batch.columns()).zip(&self.encoder.slow) {
            if *slow {
                for (leaf, at) in compute_leaves(field, column)?.iter().zip(walk.at..) {
                    if let Some(Writer::Arrow(writer)) = walk.writers.get_mut(at) {
                        writer.write(leaf)?;
                    }
                }
            }
            walk.flat(field, column)?;
        }
        self.rows += batch.num_rows() as u64;
        Ok(())
    }

    /// Whether the encoder [takes leaves](Encoder::takes_leaves).
    pub fn takes_leaves(&self) -> bool {
        self.encoder.takes_leaves()
    }

    /// Adds `rows` rows column by column: `leaves` gives, in the schema's order, the array of each
    /// node that is no struct, a list as a whole. Structs are there in every row. Each array is let
    /// go before the next is asked for, so that what makes them needs the memory of one column
    /// rather than of a batch, and that one stays in the processor's cache.
    ///
    /// # Errors
    /// When the encoder doesn't [take leaves](Encoder::takes_leaves), an array is not of the
    /// schema's type or of another length, there are fewer or more, a required column holds a null,
    /// or compression fails.
    pub fn write_leaves(
        &mut self,
        rows: usize,
        leaves: impl IntoIterator<Item: Into<Column>>,
    ) -> Result<()> {
        if !self.encoder.takes_leaves() {
            return Err(ParquetError::General(
                "an encoder that leaves columns to ArrowColumnWriter takes whole batches".into(),
            ));
        }
        self.memory.begin_batch();
        let mut leaves = leaves.into_iter().map(Into::into);
        let mut stream = Stream {
            writers: &mut self.writers,
            at: 0,
            lists: Vec::new(),
            held: Vec::new(),
            memory: &mut self.memory,
            rows,
        };
        stream.fields(self.encoder.arrow.fields(), 0, &mut leaves)?;
        if leaves.next().is_some() {
            return Err(ParquetError::General("more leaves than columns".into()));
        }
        self.rows += rows as u64;
        Ok(())
    }

    /// Ends the row group.
    ///
    /// # Errors
    /// When compression fails.
    pub fn finish(mut self) -> Result<EncodedRowGroup> {
        let mut foreign = Vec::new();
        let writers: Vec<Option<ChunkWriter<'_>>> = self
            .writers
            .into_iter()
            .map(|writer| match writer {
                Writer::Fast(writer) => Ok(Some(writer)),
                Writer::Arrow(writer) => {
                    foreign.push(writer.close()?);
                    Ok(None)
                }
            })
            .collect::<Result<_>>()?;
        let mut foreign = match &self.encoder.foreign {
            Some(schema) => Some(ForeignChunks::new(
                foreign,
                schema,
                &self.encoder.properties,
            )?),
            None => None,
        };
        let mut store = Store::default();
        let chunks = writers
            .into_iter()
            .map(|writer| match (writer, &mut foreign) {
                (Some(writer), _) => writer.finish(&mut self.memory, &mut store),
                (None, Some(foreign)) => foreign.next(&mut store),
                (None, None) => Err(ParquetError::General("a leaf without a writer".into())),
            })
            .collect::<Result<_>>()?;
        self.memory.end_row_group();
        self.encoder.return_memory(*self.memory);
        Ok(EncodedRowGroup {
            chunks,
            store,
            rows: self.rows,
        })
    }
}

/// `ArrowColumnWriter`s of all leaves.
fn arrow_writers(encoder: &Encoder) -> Result<Vec<ArrowColumnWriter>> {
    let file = SerializedFileWriter::new(
        std::io::sink(),
        encoder.parquet.clone(),
        encoder.properties.clone(),
    )?;
    ArrowRowGroupWriterFactory::new(&file, encoder.arrow.clone()).create_column_writers(0)
}

/// What decides the slots of a list that is under nothing that can be null. Its addresses are of
/// arrays that outlive all walks of a batch.
#[derive(PartialEq)]
struct ListIdentity {
    offsets: *const u8,
    is_large: bool,
    len: usize,
    is_nullable: bool,
    /// Bits, and which is the first.
    valid: Option<(*const u8, usize)>,
}

impl ListIdentity {
    fn new(field: &Field, array: &ArrayRef) -> Option<Self> {
        let valid = array.nulls().map(NullBuffer::inner);
        let (offsets, is_large) = match list_parts(array)?.0 {
            Offsets::Small(offsets) => (offsets.as_ptr().cast(), false),
            Offsets::Large(offsets) => (offsets.as_ptr().cast(), true),
        };
        Some(ListIdentity {
            offsets,
            is_large,
            len: array.len(),
            is_nullable: field.is_nullable(),
            valid: valid.map(|bits| (bits.values().as_ptr(), bits.offset())),
        })
    }
}

/// Has slots pass a list.
fn pass_list(slots: &mut Slots, field: &Field, array: &ArrayRef) -> Result<()> {
    let (offsets, _) = list_parts(array).ok_or_else(|| foreign(field, Source::Array(array)))?;
    match field.is_nullable() {
        true => slots.nullable_list(array.nulls(), |e| offsets.span(e)),
        false => slots.list(|e| offsets.span(e)),
    }
    Ok(())
}

/// Lists that were met, and their slots.
type Lists = Vec<(ListIdentity, Rc<Slots>)>;

/// Leaves of a batch that is never whole.
struct Stream<'w, 'e> {
    writers: &'w mut [Writer<'e>],
    at: usize,
    lists: Lists,
    /// Those lists' arrays, so that their addresses stay their own.
    held: Vec<ArrayRef>,
    memory: &'w mut Memory,
    rows: usize,
}

impl Stream<'_, '_> {
    /// Takes the leaves of fields that are under `nullable` nullable structs.
    fn fields(
        &mut self,
        fields: &Fields,
        nullable: usize,
        leaves: &mut impl Iterator<Item = Column>,
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
            column.check()?;
            let source = column.source();
            if !source.is_of(field.data_type()) {
                return Err(foreign(field, source));
            }
            if source.len() != self.rows {
                return Err(ParquetError::General(format!(
                    "column {} has {} rows where {} are expected",
                    field.name(),
                    source.len(),
                    self.rows
                )));
            }
            let mut walk = Walk {
                writers: self.writers,
                at: self.at,
                nulls: vec![None; nullable],
                lists: &mut self.lists,
                memory: self.memory,
            };
            match source {
                Source::Array(array) => walk.flat(field, array)?,
                Source::Packed(..) | Source::Dictionary(_) => walk.leaf(field, source)?,
            }
            self.at = walk.at;
            if let Column::Array(array) = column
                && list_parts(&array).is_some()
            {
                self.held.push(array);
            }
        }
        Ok(())
    }
}

/// Visits the leaves of a batch in the schema's order.
struct Walk<'w, 'e, 'a> {
    writers: &'w mut [Writer<'e>],
    at: usize,
    /// Validity of the nullable nodes on the way.
    nulls: Vec<Option<&'a NullBuffer>>,
    /// Slots of lists by their offsets and nulls: lists that have both in common share them.
    lists: &'w mut Lists,
    memory: &'w mut Memory,
}

fn foreign(field: &Field, found: Source<'_>) -> ParquetError {
    ParquetError::General(format!(
        "column {} is {} where {} is expected",
        field.name(),
        found.data_type(),
        field.data_type()
    ))
}

/// Offsets of a list array.
enum Offsets<'a> {
    Small(&'a [i32]),
    Large(&'a [i64]),
}

impl Offsets<'_> {
    /// Where an element's items lie in the child.
    #[inline]
    fn span(&self, at: usize) -> (usize, usize) {
        match self {
            Offsets::Small(offsets) => (offsets[at] as usize, offsets[at + 1] as usize),
            Offsets::Large(offsets) => (offsets[at] as usize, offsets[at + 1] as usize),
        }
    }
}

/// The offsets of a list array, and its child.
fn list_parts(array: &ArrayRef) -> Option<(Offsets<'_>, &ArrayRef)> {
    if let Some(list) = array.as_list_opt::<i32>() {
        return Some((Offsets::Small(list.value_offsets()), list.values()));
    }
    let list = array.as_list_opt::<i64>()?;
    Some((Offsets::Large(list.value_offsets()), list.values()))
}

impl<'a> Walk<'_, '_, 'a> {
    /// A node under no list.
    fn flat(&mut self, field: &Field, array: &'a ArrayRef) -> Result<()> {
        match field.data_type() {
            DataType::Struct(fields) => {
                let parent = array
                    .as_struct_opt()
                    .filter(|s| s.num_columns() == fields.len())
                    .ok_or_else(|| foreign(field, Source::Array(array)))?;
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
                let identity = match self.nulls.is_empty() {
                    true => ListIdentity::new(field, array),
                    false => None,
                };
                let known = self
                    .lists
                    .iter()
                    .find(|(list, _)| Some(list) == identity.as_ref());
                let slots = match known {
                    Some((_, slots)) => slots.clone(),
                    None => {
                        let mut slots = Slots::new(array.len(), &self.nulls);
                        pass_list(&mut slots, field, array)?;
                        let slots = Rc::new(slots);
                        self.lists
                            .extend(identity.map(|list| (list, slots.clone())));
                        slots
                    }
                };
                let (_, child) =
                    list_parts(array).ok_or_else(|| foreign(field, Source::Array(array)))?;
                self.nested(item, child, &slots)
            }
            _ => self.leaf(field, Source::Array(array)),
        }
    }

    /// A leaf under no list.
    fn leaf(&mut self, field: &Field, source: Source<'_>) -> Result<()> {
        let first = self.at;
        self.at += leaf_count(field.data_type());
        let Some(Writer::Fast(writer)) = self.writers.get_mut(first) else {
            return Ok(());
        };
        let own = source.nulls();
        let mut nulls: Vec<Option<&NullBuffer>> = Vec::with_capacity(8);
        nulls.extend(&self.nulls);
        if field.is_nullable() {
            nulls.push(own.as_ref());
        }
        let piece = Piece::Flat {
            offset: 0,
            len: source.len(),
            nulls: &nulls,
        };
        if !field.is_nullable() {
            check_required(field, &piece, own.as_ref())?;
        }
        writer.append(source, &piece, self.memory)
    }

    /// A node under a list.
    fn nested(&mut self, field: &Field, array: &ArrayRef, slots: &Slots) -> Result<()> {
        match field.data_type() {
            DataType::Struct(fields) => {
                let parent = array
                    .as_struct_opt()
                    .filter(|s| s.num_columns() == fields.len())
                    .ok_or_else(|| foreign(field, Source::Array(array)))?;
                let mut own = Cow::Borrowed(slots);
                if field.is_nullable() {
                    own.to_mut().nullable(array.nulls());
                }
                for (field, child) in fields.iter().zip(parent.columns()) {
                    self.nested(field, child, &own)?;
                }
                Ok(())
            }
            DataType::List(item) | DataType::LargeList(item) => {
                let mut own = slots.clone();
                pass_list(&mut own, field, array)?;
                let (_, child) =
                    list_parts(array).ok_or_else(|| foreign(field, Source::Array(array)))?;
                self.nested(item, child, &own)
            }
            other => {
                let first = self.at;
                self.at += leaf_count(other);
                let Some(Writer::Fast(writer)) = self.writers.get_mut(first) else {
                    return Ok(());
                };
                let nulls = Source::Array(array).nulls();
                let mut own = Cow::Borrowed(slots);
                if field.is_nullable() {
                    own.to_mut().nullable(nulls.as_ref());
                }
                let piece = Piece::Nested(&own);
                if !field.is_nullable() {
                    check_required(field, &piece, nulls.as_ref())?;
                }
                writer.append(Source::Array(array), &piece, self.memory)
            }
        }
    }
}

/// A required leaf may be null only where a parent is.
fn check_required(field: &Field, piece: &Piece<'_>, own: Option<&NullBuffer>) -> Result<()> {
    let Some(own) = own else {
        return Ok(());
    };
    let mut broken = false;
    piece.selection().for_each(|e| broken |= own.is_null(e));
    match broken {
        true => Err(ParquetError::General(format!(
            "required column {} holds a null",
            field.name()
        ))),
        false => Ok(()),
    }
}

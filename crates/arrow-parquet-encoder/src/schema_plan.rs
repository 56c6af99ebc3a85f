//! How the leaves of a schema are encoded.

use std::sync::Arc;

use arrow_schema::{DataType, Field, SchemaRef};
use parquet::errors::{ParquetError, Result};
use parquet::file::properties::WriterPropertiesPtr;
use parquet::schema::types::{ColumnDescPtr, SchemaDescriptor, TypePtr};

use crate::chunk::LeafOptions;
use crate::compressor;
use crate::fallback::keep_leaves;
use crate::footer::FooterTemplate;
use crate::values;

/// How one leaf is encoded.
pub(crate) enum LeafPlan {
    /// By this crate.
    Fast(LeafOptions),
    /// By `ArrowColumnWriter`.
    Fallback,
}

/// What an encoder finds out about its schema once, for all row groups and files.
pub(crate) struct SchemaPlan {
    pub arrow: SchemaRef,
    pub parquet: TypePtr,
    pub properties: WriterPropertiesPtr,
    pub leaves: Vec<LeafPlan>,
    /// For each top-level column, whether `ArrowColumnWriter` encodes one of its leaves.
    pub has_fallback: Vec<bool>,
    /// The schema of the leaves that `ArrowColumnWriter` encodes, if there are any.
    pub fallback_schema: Option<TypePtr>,
    pub footer: Arc<FooterTemplate>,
}

impl SchemaPlan {
    /// See [`Encoder::new`](crate::Encoder::new).
    pub(crate) fn new(
        arrow: &SchemaRef,
        descriptor: &SchemaDescriptor,
        properties: &WriterPropertiesPtr,
    ) -> Result<Self> {
        let mut leaves = Vec::with_capacity(descriptor.num_columns());
        let mut columns = descriptor.columns().iter();
        let mut has_fallback = Vec::with_capacity(arrow.fields().len());
        for field in arrow.fields() {
            let first = leaves.len();
            plan_leaves(field, &mut columns, properties, &mut leaves);
            has_fallback.push(leaves[first..].iter().any(LeafPlan::is_fallback));
        }
        let fields = arrow.fields().iter();
        let expected: usize = fields.map(|field| leaf_count(field.data_type())).sum();
        if leaves.len() != expected || columns.next().is_some() {
            return Err(ParquetError::General(
                "the Arrow schema and the Parquet schema have different numbers of leaves".into(),
            ));
        }
        let schema = descriptor.root_schema_ptr();
        let mut is_fallback = leaves.iter().map(LeafPlan::is_fallback);
        let footer = FooterTemplate::new(schema.clone(), properties, leaves.len())?;
        Ok(SchemaPlan {
            arrow: arrow.clone(),
            fallback_schema: keep_leaves(&schema, &mut is_fallback)?,
            footer: Arc::new(footer),
            parquet: schema,
            properties: properties.clone(),
            leaves,
            has_fallback,
        })
    }

    /// Whether `ArrowColumnWriter` encodes a leaf.
    pub(crate) fn any_fallback(&self) -> bool {
        self.has_fallback.contains(&true)
    }
}

impl LeafPlan {
    fn is_fallback(&self) -> bool {
        matches!(self, LeafPlan::Fallback)
    }
}

/// Plans the leaves of a field, taking their descriptors from `columns`.
fn plan_leaves(
    field: &Field,
    columns: &mut std::slice::Iter<'_, ColumnDescPtr>,
    properties: &WriterPropertiesPtr,
    leaves: &mut Vec<LeafPlan>,
) {
    match field.data_type() {
        DataType::Struct(fields) => fields
            .iter()
            .for_each(|child| plan_leaves(child, columns, properties, leaves)),
        DataType::List(item) | DataType::LargeList(item) => {
            plan_leaves(item, columns, properties, leaves);
        }
        other => {
            let is_supported = values::is_supported(other);
            for column in columns.take(leaf_count(other)) {
                let options = LeafOptions::new(column.clone(), other.clone(), properties.as_ref());
                leaves.push(
                    match is_supported && compressor::is_supported(options.codec()) {
                        true => LeafPlan::Fast(options),
                        false => LeafPlan::Fallback,
                    },
                );
            }
        }
    }
}

/// The number of leaves of a type.
pub(crate) fn leaf_count(data_type: &DataType) -> usize {
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

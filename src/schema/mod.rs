//! Schemas: which columns stand under which paths, as data.
//!
//! A schema is a list of ([path](Leaf::path), [kind](Kind), column). The Arrow
//! schema, the record batches and the documentation follow from the list; no
//! column asks which schema it stands in.

mod ecs;
mod fusionai;
mod meanings;

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, RecordBatch, StructArray};
use arrow::datatypes::{DataType, Field, Fields, Schema as ArrowSchema, SchemaRef, TimeUnit};

use crate::columns::ecs::{answer_item, decimal, hexadecimal, own_item};
use crate::columns::{Column, View, list_item, text_type};
use crate::plan::config::{Config, Labels, SchemaName};

pub use meanings::meaning;

/// JSON type of a leaf.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Microseconds since the epoch, UTC.
    Time,
    /// Text out of few values: a dictionary in memory.
    Text,
    /// Text of nearly every row's own.
    OwnText,
    Integer,
    Boolean,
    /// A list of texts.
    Texts,
    /// A list of texts of nearly every row's own.
    OwnTexts,
    /// `dns.answers`: a list of (data, type).
    Answers,
    /// Text out of a column of integers: `4688`.
    Decimal,
    /// Text out of a column of integers: `0x3e7`.
    Hexadecimal,
}

/// One leaf column.
#[derive(Clone, Copy)]
pub struct Leaf {
    /// Dotted path: `winlog.event_data.Image`. `@timestamp` is one name.
    pub path: &'static str,
    pub kind: Kind,
    /// Never null.
    pub required: bool,
    pub column: fn(&View<'_>) -> Column,
}

/// A name that a kind of record spells in its own way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spelling {
    /// The leaf whose name differs only in case.
    pub path: &'static str,
    /// Event ids whose records have the other spelling.
    pub event_ids: &'static [i64],
    pub native: &'static str,
}

/// Path of the event id that decides the spelling.
pub const EVENT_ID: &str = "winlog.event_id";

/// Spellings that share a leaf with another because engines compare names without case.
///
/// Source: manifests of Sysmon 15 (8 `SourceProcessGuid`, 10 `SourceProcessGUID`) and of the
/// Security channel (5156 `ProcessID`).
pub const SPELLINGS: &[Spelling] = &[
    Spelling {
        path: "winlog.event_data.SourceProcessGUID",
        event_ids: &[8],
        native: "SourceProcessGuid",
    },
    Spelling {
        path: "winlog.event_data.TargetProcessGUID",
        event_ids: &[8],
        native: "TargetProcessGuid",
    },
    Spelling {
        path: "winlog.event_data.ProcessId",
        event_ids: &[5156, 5157],
        native: "ProcessID",
    },
];

impl Leaf {
    /// The leaf's column over a view.
    pub fn column(&self, view: &View<'_>) -> Column {
        let column = (self.column)(view);
        match self.kind {
            Kind::Decimal => decimal(column),
            Kind::Hexadecimal => hexadecimal(column),
            _ => column,
        }
    }
}

/// A schema: its leaves in order, and the Arrow schema they make.
pub struct Schema {
    pub name: &'static str,
    pub leaves: Vec<Leaf>,
    /// How they nest.
    tree: Vec<(&'static str, Node)>,
    arrow: SchemaRef,
    /// A fused alert stands as its sensor's document.
    sensor_documents: bool,
}

/// A node of the tree of paths: a leaf's index or a struct of nodes.
enum Node {
    Leaf(usize),
    Struct(Vec<(&'static str, Node)>),
}

fn tree(leaves: &[Leaf]) -> Vec<(&'static str, Node)> {
    fn insert(nodes: &mut Vec<(&'static str, Node)>, path: &'static str, leaf: usize) {
        let Some((head, rest)) = path.split_once('.') else {
            nodes.push((path, Node::Leaf(leaf)));
            return;
        };
        let at = nodes
            .iter()
            .position(|(name, _)| *name == head)
            .unwrap_or_else(|| {
                nodes.push((head, Node::Struct(Vec::new())));
                nodes.len() - 1
            });
        if let Node::Struct(children) = &mut nodes[at].1 {
            insert(children, rest, leaf);
        }
    }
    let mut nodes = Vec::new();
    for (i, leaf) in leaves.iter().enumerate() {
        insert(&mut nodes, leaf.path, i);
    }
    nodes
}

/// Puts leaves beside those of the same struct, which stands where its first leaf does.
fn in_order_of_structs(leaves: &mut Vec<Leaf>) {
    fn visit(nodes: &[(&str, Node)], order: &mut Vec<usize>) {
        for (_, node) in nodes {
            match node {
                Node::Leaf(leaf) => order.push(*leaf),
                Node::Struct(children) => visit(children, order),
            }
        }
    }
    let mut order = Vec::with_capacity(leaves.len());
    visit(&tree(leaves), &mut order);
    *leaves = order.into_iter().map(|at| leaves[at]).collect();
}

impl Kind {
    fn data_type(self) -> DataType {
        match self {
            Kind::Time => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            Kind::Text => text_type(),
            Kind::OwnText | Kind::Decimal | Kind::Hexadecimal => DataType::Utf8,
            Kind::Integer => DataType::Int64,
            Kind::Boolean => DataType::Boolean,
            Kind::Texts => DataType::List(list_item()),
            Kind::OwnTexts => DataType::List(own_item()),
            Kind::Answers => DataType::List(answer_item()),
        }
    }
}

fn field(leaves: &[Leaf], name: &str, node: &Node) -> Field {
    match node {
        Node::Leaf(leaf) => Field::new(
            name,
            leaves[*leaf].kind.data_type(),
            !leaves[*leaf].required,
        ),
        // A struct is always there; absence is asked of a leaf.
        Node::Struct(children) => {
            let fields: Fields = children.iter().map(|(n, c)| field(leaves, n, c)).collect();
            Field::new(name, DataType::Struct(fields), false)
        }
    }
}

fn array(node: &Node, field: &Field, columns: &mut [Option<ArrayRef>], rows: usize) -> ArrayRef {
    match (node, field.data_type()) {
        (Node::Struct(children), DataType::Struct(fields)) => {
            let arrays = children
                .iter()
                .zip(fields)
                .map(|((_, c), f)| array(c, f, columns, rows))
                .collect();
            Arc::new(StructArray::new(fields.clone(), arrays, None))
        }
        (Node::Leaf(leaf), data_type) => columns[*leaf]
            .take()
            .unwrap_or_else(|| arrow::array::new_null_array(data_type, rows)),
        (Node::Struct(_), data_type) => arrow::array::new_null_array(data_type, rows),
    }
}

/// Whether a field says what only the generator knows.
fn is_answer(path: &str) -> bool {
    path.starts_with("attack.")
        || ["labels.verdict", "labels.noise_type", "fusionai.noise"].contains(&path)
}

impl Schema {
    fn new(name: &'static str, mut leaves: Vec<Leaf>) -> Self {
        in_order_of_structs(&mut leaves);
        let tree = tree(&leaves);
        let fields: Vec<Field> = tree
            .iter()
            .map(|(n, node)| field(&leaves, n, node))
            .collect();
        Schema {
            name,
            leaves,
            tree,
            sensor_documents: false,
            arrow: Arc::new(ArrowSchema::new(fields)),
        }
    }

    /// The seed's document.
    pub fn fusionai() -> Self {
        Schema::new("fusionai", fusionai::LEAVES.to_vec())
    }

    /// The Elastic Common Schema.
    pub fn ecs() -> Self {
        Schema {
            sensor_documents: true,
            ..Schema::new("ecs", ecs::leaves())
        }
    }

    /// The schema that a corpus's settings ask for.
    pub fn of(config: &Config) -> Self {
        let schema = match config.schema {
            SchemaName::Fusionai => Schema::fusionai(),
            SchemaName::Ecs => Schema::ecs(),
        };
        match config.labels {
            Labels::Full => schema,
            Labels::None => schema.without_labels(),
        }
    }

    /// The schema without the answers, as a SIEM sees events.
    fn without_labels(self) -> Self {
        let mut leaves = self.leaves;
        leaves.retain(|leaf| !is_answer(leaf.path));
        Schema {
            sensor_documents: self.sensor_documents,
            ..Schema::new(self.name, leaves)
        }
    }

    /// The Arrow schema of every batch.
    pub fn arrow(&self) -> &SchemaRef {
        &self.arrow
    }

    /// The frame's rows as the documents that this schema makes of them; none where they
    /// are the view's own.
    pub fn documents<'v>(&self, view: &View<'v>) -> Option<View<'v>> {
        self.sensor_documents.then(|| view.with_sensor_documents())
    }

    /// The leaves' columns, in order, each made when it is asked for. The view is of
    /// [documents](Schema::documents).
    pub fn columns<'v>(&'v self, view: &'v View<'v>) -> impl Iterator<Item = Column> + 'v {
        self.leaves.iter().map(|leaf| leaf.column(view))
    }

    /// Renders a frame.
    ///
    /// # Errors
    /// Only when a column breaks the schema's promise (a null in a required leaf): a defect.
    pub fn batch(&self, view: &View<'_>) -> Result<RecordBatch, arrow::error::ArrowError> {
        let documents = self.documents(view);
        let view = documents.as_ref().unwrap_or(view);
        let columns = self.columns(view).map(Column::into_array);
        let mut columns: Vec<Option<ArrayRef>> = columns.map(Some).collect();
        let arrays = self
            .tree
            .iter()
            .zip(self.arrow.fields())
            .map(|((_, node), field)| array(node, field, &mut columns, view.len()))
            .collect();
        RecordBatch::try_new(self.arrow.clone(), arrays)
    }
}

/// The column of a dotted path in a batch; of a struct, its children.
pub fn leaf<'b>(batch: &'b RecordBatch, path: &str) -> Option<&'b ArrayRef> {
    let mut names = path.split('.');
    let mut array = names.next().and_then(|name| batch.column_by_name(name))?;
    for name in names {
        array = array.as_struct_opt()?.column_by_name(name)?;
    }
    Some(array)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_without_case_within_a_struct() {
        fn walk(fields: &Fields) {
            let mut names: Vec<String> = fields.iter().map(|f| f.name().to_lowercase()).collect();
            names.sort();
            let count = names.len();
            names.dedup();
            assert_eq!(names.len(), count, "{names:?}");
            for field in fields {
                assert!(!field.name().contains('.'));
                if let DataType::Struct(children) = field.data_type() {
                    walk(children);
                }
            }
        }
        walk(Schema::fusionai().arrow().fields());
        walk(Schema::ecs().arrow().fields());
    }

    #[test]
    fn leaves_stand_in_the_order_of_the_arrow_schema() {
        fn paths(before: &str, fields: &Fields, found: &mut Vec<String>) {
            for field in fields {
                let path = format!("{before}{}", field.name());
                match field.data_type() {
                    DataType::Struct(children) => paths(&format!("{path}."), children, found),
                    _ => found.push(path),
                }
            }
        }
        for schema in [Schema::fusionai(), Schema::ecs()] {
            let mut found = Vec::new();
            paths("", schema.arrow().fields(), &mut found);
            let leaves: Vec<&str> = schema.leaves.iter().map(|leaf| leaf.path).collect();
            assert_eq!(found, leaves, "{}", schema.name);
        }
    }

    #[test]
    fn no_labels_means_no_answers() {
        let schema = Schema::of(&Config {
            labels: Labels::None,
            ..Config::default()
        });
        let full = Schema::of(&Config::default());
        let gone: Vec<&str> = full
            .leaves
            .iter()
            .map(|l| l.path)
            .filter(|p| schema.leaves.iter().all(|l| l.path != *p))
            .collect();
        assert!(gone.contains(&"labels.verdict") && gone.contains(&"labels.noise_type"));
        assert!(gone.contains(&"fusionai.noise") && gone.contains(&"attack.sequence"));
        assert!(schema.arrow().field_with_name("attack").is_err());
        assert!(schema.leaves.iter().any(|l| l.path == "labels.env"));
    }
}

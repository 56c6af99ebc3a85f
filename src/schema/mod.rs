//! Schemas: lists of leaves, each a path, a type and a column.
//!
//! The Arrow schema, the record batches and the documentation follow from the list of
//! [leaves](Leaf). A column does not know which schema uses it.

mod ecs;
mod fusionai;
mod leaf;
mod meanings;

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{ArrayRef, RecordBatch, RecordBatchOptions, StructArray};
use arrow_schema::{DataType, Field, Fields, Schema as ArrowSchema, SchemaRef};

use crate::columns::{Column, View};
use crate::error::Result;
use crate::near::unknown;
use crate::plan::config::{Config, Labels, SchemaName};

pub use leaf::{Kind, Leaf, Role};
pub use meanings::meaning;

/// A name that some records spell differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spelling {
    /// The leaf whose name differs only in case.
    pub path: &'static str,
    /// Event ids of the records that use the other spelling.
    pub event_ids: &'static [i64],
    pub native: &'static str,
}

/// Path of the event id, which determines the spelling.
pub const EVENT_ID: &str = "winlog.event_id";

/// Names that share a leaf with another name, because query engines ignore case in names.
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

/// A schema: its leaves in order, and the Arrow schema that follows from them.
pub struct Schema {
    pub name: &'static str,
    pub leaves: Vec<Leaf>,
    /// How the leaves nest.
    tree: Vec<(&'static str, Node)>,
    arrow: SchemaRef,
    /// A fused alert is rendered as the document of its sensor.
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

/// Groups the leaves of each struct. The struct takes the position of its first leaf.
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

fn field(leaves: &[Leaf], name: &str, node: &Node) -> Field {
    match node {
        Node::Leaf(leaf) => Field::new(
            name,
            leaves[*leaf].kind.data_type(),
            !leaves[*leaf].required,
        ),
        // Structs are never null; only leaves are.
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
            .unwrap_or_else(|| arrow_array::new_null_array(data_type, rows)),
        (Node::Struct(_), data_type) => arrow_array::new_null_array(data_type, rows),
    }
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

    /// The document of the seed example, `fusionai`.
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

    /// The schema that a corpus's settings select.
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
        leaves.retain(|leaf| leaf.role != Role::Answer);
        Schema {
            sensor_documents: self.sensor_documents,
            ..Schema::new(self.name, leaves)
        }
    }

    /// The schema of only these paths, each of a leaf or a struct, in the schema's order.
    ///
    /// # Errors
    /// The schema has no such path.
    pub(crate) fn with_columns(self, paths: &[String]) -> Result<Self> {
        let is_at = |leaf: &Leaf, path: &str| {
            let rest = leaf.path.strip_prefix(path);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        for path in paths {
            if !self.leaves.iter().any(|leaf| is_at(leaf, path)) {
                let known: Vec<&str> = self.leaves.iter().map(|leaf| leaf.path).collect();
                return Err(unknown("columns", path, &known));
            }
        }
        let mut leaves = self.leaves;
        leaves.retain(|leaf| paths.iter().any(|path| is_at(leaf, path)));
        Ok(Schema {
            sensor_documents: self.sensor_documents,
            ..Schema::new(self.name, leaves)
        })
    }

    /// The Arrow schema of every batch.
    pub fn arrow(&self) -> &SchemaRef {
        &self.arrow
    }

    /// The view of this schema's documents, where they differ from the frame's rows.
    pub fn documents<'v>(&self, view: &View<'v>) -> Option<View<'v>> {
        self.sensor_documents.then(|| view.with_sensor_documents())
    }

    /// The columns of the leaves, in order; each is made when the iterator reaches it. Pass the view
    /// that [documents](Schema::documents) returns, if it returns one.
    pub fn columns<'v>(&'v self, view: &'v View<'v>) -> impl Iterator<Item = Column> + 'v {
        self.leaves.iter().map(|leaf| leaf.column(view))
    }

    /// Renders a frame as a record batch.
    ///
    /// # Errors
    /// A required leaf holds a null, which is a defect.
    pub fn batch(
        &self,
        view: &View<'_>,
    ) -> std::result::Result<RecordBatch, arrow_schema::ArrowError> {
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
        let options = RecordBatchOptions::new().with_row_count(Some(view.len()));
        RecordBatch::try_new_with_options(self.arrow.clone(), arrays, &options)
    }
}

/// The array at a dotted path of a batch; a struct array if the path is not a leaf.
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
    fn leaves_have_the_order_of_the_arrow_schema() {
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

    #[test]
    fn roles_are_the_same_in_every_schema() {
        for schema in [Schema::fusionai(), Schema::ecs()] {
            let of_role = |role| {
                let leaves = schema.leaves.iter().filter(move |leaf| leaf.role == role);
                leaves.map(|leaf| leaf.path).collect::<Vec<_>>()
            };
            assert_eq!(of_role(Role::Sorted), ["@timestamp"]);
            assert_eq!(of_role(Role::Rising), ["event.sequence"]);
            let answers = of_role(Role::Answer);
            for leaf in &schema.leaves {
                let is_attack = leaf.path.starts_with("attack.");
                assert!(!is_attack || answers.contains(&leaf.path), "{}", leaf.path);
            }
        }
    }
}

//! The schema of an Iceberg table: fields with ids.

use arrow_schema::{DataType, Field};
use serde_json::{Value, json};

use crate::schema::Schema;

/// First field id of a partition tuple.
pub const PARTITION_ID: i64 = 1000;

/// The fields of a table, numbered depth first from 1 in the schema's order.
pub struct Fields {
    /// JSON of the schema's fields.
    pub fields: Vec<Value>,
    /// JSON of `schema.name-mapping.default`, by which readers find the columns of files without
    /// field ids.
    pub names: Vec<Value>,
    /// Ids of the schema's leaves, in order.
    pub leaves: Vec<i32>,
    /// Ids of the partition columns.
    pub partitions: Vec<i32>,
    /// The last id.
    pub last: i32,
}

impl Fields {
    /// The fields of a schema, and of partition columns after them; none if Iceberg lacks a type.
    pub fn new(schema: &Schema, partitions: &[Field]) -> Option<Self> {
        let mut all = Fields {
            fields: Vec::new(),
            names: Vec::new(),
            leaves: Vec::new(),
            partitions: Vec::new(),
            last: 0,
        };
        for field in schema.arrow().fields() {
            let (field, names) = all.field(field)?;
            all.fields.push(field);
            all.names.push(names);
        }
        let leaves = all.leaves.len();
        for field in partitions {
            let (field, names) = all.field(field)?;
            all.fields.push(field);
            all.names.push(names);
        }
        all.partitions = all.leaves.split_off(leaves);
        Some(all)
    }

    /// JSON of the schema.
    pub fn schema(&self) -> Value {
        json!({"type": "struct", "schema-id": 0, "fields": self.fields})
    }

    /// JSON of the partition spec's fields.
    pub fn partition_fields(&self) -> Value {
        let of = |(index, (name, source)): (usize, (&str, &i32))| {
            json!({
                "name": name,
                "transform": "identity",
                "source-id": source,
                "field-id": PARTITION_ID + index as i64,
            })
        };
        let columns = ["date", "category"].into_iter().zip(&self.partitions);
        columns.enumerate().map(of).collect()
    }

    fn next(&mut self) -> i32 {
        self.last += 1;
        self.last
    }

    /// A field, and the names of it and its children.
    fn field(&mut self, field: &Field) -> Option<(Value, Value)> {
        let id = self.next();
        if !matches!(field.data_type(), DataType::Struct(_)) {
            self.leaves.push(id);
        }
        let (data_type, children) = self.data_type(field.data_type())?;
        let made = json!({
            "id": id,
            "name": field.name(),
            "required": !field.is_nullable(),
            "type": data_type,
        });
        Some((made, mapped(id, field.name(), children)))
    }

    /// A type, and the names of its children.
    fn data_type(&mut self, data_type: &DataType) -> Option<(Value, Vec<Value>)> {
        let simple = |name: &str| Some((Value::from(name), Vec::new()));
        match data_type {
            DataType::Boolean => simple("boolean"),
            DataType::Int64 => simple("long"),
            DataType::Utf8 => simple("string"),
            DataType::Dictionary(_, values) => self.data_type(values),
            DataType::Date32 => simple("date"),
            DataType::Timestamp(_, Some(_)) => simple("timestamptz"),
            DataType::List(item) => {
                let (id, leaves) = (self.next(), self.leaves.len());
                let (element, children) = self.data_type(item.data_type())?;
                // The fields of a list's items are no leaves of the schema.
                self.leaves.truncate(leaves);
                let made = json!({
                    "type": "list",
                    "element-id": id,
                    "element-required": !item.is_nullable(),
                    "element": element,
                });
                Some((made, vec![mapped(id, "element", children)]))
            }
            DataType::Struct(fields) => {
                let (mut made, mut names) = (Vec::new(), Vec::new());
                for field in fields {
                    let (field, mapped) = self.field(field)?;
                    made.push(field);
                    names.push(mapped);
                }
                Some((json!({"type": "struct", "fields": made}), names))
            }
            _ => None,
        }
    }
}

fn mapped(id: i32, name: &str, children: Vec<Value>) -> Value {
    let mut made = json!({"field-id": id, "names": [name]});
    if !children.is_empty() {
        made["fields"] = children.into();
    }
    made
}

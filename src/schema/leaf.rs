//! A leaf of a schema: its path, its type, its column, and its role.

use arrow_schema::{DataType, TimeUnit};

use crate::columns::ecs::{answer_item, decimal, hexadecimal, own_item};
use crate::columns::{Column, View, list_item, text_type};

/// JSON type of a leaf.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Microseconds since the epoch, UTC.
    Time,
    /// Strings with few distinct values: a dictionary in memory.
    Text,
    /// Strings that differ in nearly every row: no dictionary.
    OwnText,
    Integer,
    Boolean,
    /// A list of strings with few distinct values.
    Texts,
    /// A list of strings that differ in nearly every row.
    OwnTexts,
    /// `dns.answers`: a list of (data, type).
    Answers,
    /// Decimal text made from a column of integers: `4688`.
    Decimal,
    /// Hexadecimal text made from a column of integers: `0x3e7`.
    Hexadecimal,
}

/// The role of a leaf beyond its type. Formats and schemas ask for the role, so that none of them
/// depends on the name of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// No special role.
    Plain,
    /// Rows of a row group are sorted by it, ascending; at most one leaf of a schema, at its top
    /// level. Deltas are small.
    Sorted,
    /// Integers whose neighbours differ little: deltas are smaller than a dictionary.
    Rising,
    /// An answer, which only the generator knows; not written with `--labels none`.
    Answer,
    /// An integer that Windows writes in hexadecimal.
    Hexadecimal,
}

/// The function that makes a leaf's column from a frame.
pub(super) type Render = fn(&View<'_>) -> Column;

/// One leaf column.
#[derive(Clone, Copy)]
pub struct Leaf {
    /// Dotted path: `winlog.event_data.Image`. `@timestamp` is one name.
    pub path: &'static str,
    pub kind: Kind,
    /// Never null.
    pub required: bool,
    pub role: Role,
    pub column: Render,
}

/// A leaf that may be null.
pub(super) const fn of(path: &'static str, kind: Kind, column: Render) -> Leaf {
    Leaf {
        path,
        kind,
        required: false,
        role: Role::Plain,
        column,
    }
}

/// A leaf that is never null.
pub(super) const fn always(path: &'static str, kind: Kind, column: Render) -> Leaf {
    Leaf {
        required: true,
        ..of(path, kind, column)
    }
}

pub(super) const fn text(path: &'static str, column: Render) -> Leaf {
    of(path, Kind::Text, column)
}

pub(super) const fn own(path: &'static str, column: Render) -> Leaf {
    of(path, Kind::OwnText, column)
}

pub(super) const fn integer(path: &'static str, column: Render) -> Leaf {
    of(path, Kind::Integer, column)
}

pub(super) const fn texts(path: &'static str, column: Render) -> Leaf {
    of(path, Kind::Texts, column)
}

impl Leaf {
    /// The same leaf as [`Role::Sorted`].
    pub(super) const fn sorted(self) -> Leaf {
        self.with(Role::Sorted)
    }

    /// The same leaf as [`Role::Rising`].
    pub(super) const fn rising(self) -> Leaf {
        self.with(Role::Rising)
    }

    /// The same leaf as [`Role::Answer`].
    pub(super) const fn answer(self) -> Leaf {
        self.with(Role::Answer)
    }

    /// The same leaf as [`Role::Hexadecimal`].
    pub(super) const fn hexadecimal(self) -> Leaf {
        self.with(Role::Hexadecimal)
    }

    const fn with(self, role: Role) -> Leaf {
        Leaf { role, ..self }
    }

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

impl Kind {
    pub(super) fn data_type(self) -> DataType {
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

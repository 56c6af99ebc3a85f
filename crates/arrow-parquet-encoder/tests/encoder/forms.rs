//! Packed columns, and Arrow dictionaries that outlive a row group.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::*;
use arrow_array::*;
use arrow_buffer::NullBuffer;
use arrow_parquet_encoder::{ColumnData, Encoder, PackedDictionary};
use arrow_schema::*;
use arrow_select::filter::filter;
use parquet::arrow::ArrowSchemaConverter;
use proptest::prelude::*;

use super::files::{encode_by, properties};
use super::random::{Dice, chunks, nulls, text};

/// A packed column of an array.
fn packed(array: &ArrayRef) -> ColumnData {
    let nulls = array.nulls().cloned();
    if let Some(array) = array.as_dictionary_opt::<Int32Type>() {
        let keys = array.keys().iter().flatten().collect();
        return ColumnData::PackedDictionary(PackedDictionary {
            keys,
            nulls,
            values: array.values().clone(),
        });
    }
    let values = match &nulls {
        Some(nulls) => filter(array, &BooleanArray::new(nulls.inner().clone(), None)).unwrap(),
        None => array.clone(),
    };
    ColumnData::Packed { values, nulls }
}

/// A dictionary column of `rows` rows, with the values `table`.
fn of_table(dice: &mut Dice, table: &ArrayRef, rows: usize, nulls: Option<NullBuffer>) -> ArrayRef {
    let distinct = match dice.one_in(4) {
        true => 1,
        false => 1 + dice.below(table.len()),
    };
    let keys = (0..rows).map(|_| dice.below(distinct) as i32);
    let keys = Int32Array::new(keys.collect::<Vec<_>>().into(), nulls);
    Arc::new(DictionaryArray::new(keys, table.clone()))
}

fn table(dice: &mut Dice) -> ArrayRef {
    let (len, distinct) = (1 + dice.below(600), 1 + dice.below(900));
    Arc::new(StringArray::from_iter_values(
        (0..len).map(|_| text(dice, distinct)),
    ))
}

/// A batch of integers, strings and dictionary values.
fn mixed(dice: &mut Dice, table: &ArrayRef, rows: usize) -> RecordBatch {
    let distinct = [1, 50, 100_000][dice.below(3)];
    let integers = (0..rows).map(|_| dice.below(distinct) as i64 - 9);
    let integers = integers.collect::<Vec<_>>().into();
    let own: Vec<String> = (0..rows).map(|_| text(dice, distinct)).collect();
    let own = own.into_iter().zip(nulls_of(dice, rows));
    let of = nulls(dice, rows);
    let columns: [(&str, ArrayRef); 3] = [
        (
            "integer",
            Arc::new(Int64Array::new(integers, nulls(dice, rows))),
        ),
        (
            "text",
            Arc::new(StringArray::from_iter(
                own.map(|(t, valid)| valid.then_some(t)),
            )),
        ),
        ("table", of_table(dice, table, rows, of)),
    ];
    let columns = columns.map(|(name, array)| (name, array, true));
    RecordBatch::try_from_iter_with_nullable(columns).unwrap()
}

fn nulls_of(dice: &mut Dice, rows: usize) -> Vec<bool> {
    match nulls(dice, rows) {
        Some(nulls) => nulls.iter().collect(),
        None => vec![true; rows],
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn packed_columns_are_written_as_arrays(
        seed in any::<u64>(),
        lengths in prop::collection::vec(1usize..1500, 1..4),
        page_rows in prop::sample::select(vec![1usize, 100, 1000, 20_000]),
        page_bytes in prop::sample::select(vec![300usize, 1 << 20]),
        dictionary_bytes in prop::sample::select(vec![300usize, 1 << 20]),
    ) {
        let mut dice = Dice(seed);
        let table = table(&mut dice);
        let batches: Vec<RecordBatch> =
            lengths.into_iter().map(|len| mixed(&mut dice, &table, len)).collect();
        let properties = properties()
            .set_data_page_row_count_limit(page_rows)
            .set_data_page_size_limit(page_bytes)
            .set_dictionary_page_size_limit(dictionary_bytes)
            .build();
        let schema = batches[0].schema();
        let arrays = encode_by(&schema, &[&batches], properties.clone(), None, |group, batch| {
            group.write_leaves(batch.num_rows(), batch.columns().iter().cloned())
        });
        let packed = encode_by(&schema, &[&batches], properties, None, |group, batch| {
            group.write_leaves(batch.num_rows(), batch.columns().iter().map(packed))
        });
        prop_assert_eq!(arrays, packed);
    }

    /// What is learnt about a dictionary in earlier row groups changes no byte.
    #[test]
    fn dictionaries_that_outlive_row_groups_are_written_as_new_ones(
        seed in any::<u64>(),
        groups in prop::collection::vec(prop::collection::vec(1usize..900, 1..4), 2..7),
        known_rows in any::<bool>(),
        dictionary_bytes in prop::sample::select(vec![300usize, 3000, 1 << 20]),
    ) {
        let mut dice = Dice(seed);
        let tables = [table(&mut dice), table(&mut dice), table(&mut dice), table(&mut dice)];
        let groups: Vec<Vec<RecordBatch>> = groups
            .into_iter()
            .map(|lengths| {
                let each = lengths.into_iter().map(|len| {
                    let own = table(&mut dice);
                    let of = |dice: &mut Dice| match dice.one_in(6) {
                        true => own.clone(),
                        false => tables[dice.below(tables.len()).min(dice.below(4))].clone(),
                    };
                    let column = |dice: &mut Dice, name: &'static str, table: ArrayRef| {
                        let nulls = nulls(dice, len);
                        (name, of_table(dice, &table, len, nulls), true)
                    };
                    let (first, second) = (of(&mut dice), of(&mut dice));
                    let columns = [column(&mut dice, "a", first), column(&mut dice, "b", second)];
                    RecordBatch::try_from_iter_with_nullable(columns).unwrap()
                });
                each.collect()
            })
            .collect();
        let properties = properties().set_dictionary_page_size_limit(dictionary_bytes).build();
        let schema = groups[0][0].schema();
        let rows = known_rows.then_some(2000);
        let write = |groups: &[&[RecordBatch]]| {
            encode_by(&schema, groups, properties.clone(), rows, |group, batch| group.write(batch))
        };
        let slices: Vec<&[RecordBatch]> = groups.iter().map(Vec::as_slice).collect();
        let together = chunks(&write(&slices));
        let alone: Vec<_> = slices.iter().flat_map(|group| chunks(&write(&[group]))).collect();
        prop_assert_eq!(together, alone);
    }
}

#[test]
fn inconsistent_packed_columns_are_rejected() {
    let schema = Arc::new(Schema::new(vec![Field::new("n", DataType::Int64, true)]));
    let descriptor = ArrowSchemaConverter::new().convert(&schema).unwrap();
    let encoder = Encoder::new(&schema, &descriptor, &Arc::new(properties().build())).unwrap();
    let refused = |values: Int64Array, nulls: Vec<bool>| {
        let mut group = encoder.row_group().unwrap();
        let rows = nulls.len();
        let column = ColumnData::Packed {
            values: Arc::new(values),
            nulls: Some(nulls.into()),
        };
        group.write_leaves(rows, [column]).unwrap_err().to_string()
    };
    let two = vec![true, false, true];
    assert!(
        refused(vec![1, 2, 3].into(), two.clone())
            .contains("a packed column has 3 values for 2 non-null rows")
    );
    assert!(refused(vec![Some(1), None].into(), two).contains("packed values contain a null"));
}

#[test]
fn inconsistent_packed_dictionaries_are_rejected() {
    let schema = Arc::new(Schema::new(vec![Field::new_dictionary(
        "t",
        DataType::Int32,
        DataType::Utf8,
        true,
    )]));
    let descriptor = ArrowSchemaConverter::new().convert(&schema).unwrap();
    let encoder = |has_dictionary| {
        let properties = properties().set_dictionary_enabled(has_dictionary).build();
        Encoder::new(&schema, &descriptor, &Arc::new(properties)).unwrap()
    };
    let refused = |has_dictionary, keys: Vec<i32>, values: StringArray| {
        let encoder = encoder(has_dictionary);
        let mut group = encoder.row_group().unwrap();
        let rows = keys.len();
        let column = ColumnData::PackedDictionary(PackedDictionary {
            keys: keys.into(),
            nulls: None,
            values: Arc::new(values),
        });
        group.write_leaves(rows, [column]).unwrap_err().to_string()
    };
    let texts = || StringArray::from(vec!["a", "b"]);
    for has_dictionary in [true, false] {
        for keys in [vec![0, 2], vec![0, -1]] {
            let error = refused(has_dictionary, keys, texts());
            assert!(
                error.contains("a dictionary key is out of range"),
                "{error}"
            );
        }
    }
    assert!(refused(true, vec![0], StringArray::from(vec![Some("a"), None])).contains("null"));
}

#[test]
fn packed_lists_are_rejected() {
    let item = Arc::new(Field::new_list_field(DataType::Int64, true));
    let schema = Arc::new(Schema::new(vec![Field::new(
        "l",
        DataType::List(item),
        true,
    )]));
    let descriptor = ArrowSchemaConverter::new().convert(&schema).unwrap();
    let encoder = Encoder::new(&schema, &descriptor, &Arc::new(properties().build())).unwrap();
    let mut group = encoder.row_group().unwrap();
    let column = ColumnData::Packed {
        values: new_empty_array(schema.field(0).data_type()),
        nulls: Some(vec![false; 3].into()),
    };
    let error = group.write_leaves(3, [column]).unwrap_err().to_string();
    assert!(error.contains("column l is a list"), "{error}");
}

//! Values that few rows of a frame have.

use super::NONE;

/// A value per row that has one. Takes no memory in a frame without any.
#[derive(Debug, Clone)]
pub struct Sparse<T> {
    /// By row: index into `values`, or [`NONE`]. Empty as long as no row has one.
    of_row: Vec<i32>,
    values: Vec<T>,
}

impl<T> Default for Sparse<T> {
    fn default() -> Self {
        Sparse {
            of_row: Vec::new(),
            values: Vec::new(),
        }
    }
}

impl<T> Sparse<T> {
    /// The value of a row.
    #[inline]
    pub fn get(&self, row: usize) -> Option<&T> {
        let at = usize::try_from(*self.of_row.get(row)?).ok()?;
        self.values.get(at)
    }

    /// Gives a row of a frame of `rows` rows its value.
    pub(super) fn set(&mut self, row: usize, rows: usize, value: T) {
        if self.of_row.is_empty() {
            self.of_row = vec![NONE; rows];
        }
        self.of_row[row] = self.values.len() as i32;
        self.values.push(value);
    }
}

//! What was made last of parts of dates, so that row groups and batches of one part share it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// Least and most rows of a slice of a date that has several, but for those of one minute. A row takes
/// about 38 bytes, so the most are 120 MiB.
const SLICE_ROWS: (u64, u64) = match cfg!(test) {
    true => (900, 900),
    false => (800_000, 3_200_000),
};
/// Slices that a date has, while they are not too large: all of a date's scripts run for each.
const SLICES: u64 = 8;

/// Most rows of a slice of a date, which has `rows`.
pub fn slice_rows(rows: u64) -> u64 {
    (rows / SLICES).clamp(SLICE_ROWS.0, SLICE_ROWS.1)
}

/// Most rows of slices that are kept beside a new slice: with it 64 MiB.
pub const KEPT_ROWS: usize = 800_000;
/// Most guests that are kept beside those of a date: 28 MiB.
pub const KEPT_GUESTS: usize = 1_000_000;

/// The date and number of a part.
type Place = (u32, u32);

/// A part that is made, or being made.
type Cell<T> = Arc<OnceLock<Arc<T>>>;

/// What can be kept.
pub trait Held {
    /// What counts towards the most that is kept.
    fn size(&self) -> usize;
}

/// Those that were asked for last are first.
#[derive(Debug)]
pub struct Kept<T> {
    most: usize,
    cells: Mutex<VecDeque<(Place, Cell<T>)>>,
}

impl<T: Held> Kept<T> {
    pub fn new(most: usize) -> Self {
        Kept {
            most,
            cells: Mutex::default(),
        }
    }

    /// A part. Whoever asks first makes it; others wait for it.
    pub fn get(&self, place: Place, make: impl FnOnce() -> T) -> Arc<T> {
        let cell = {
            let mut kept = self.cells.lock().unwrap_or_else(PoisonError::into_inner);
            let found = kept.iter().position(|(known, _)| *known == place);
            let cell = match found.and_then(|at| kept.remove(at)) {
                Some((_, cell)) => cell,
                None => Cell::default(),
            };
            kept.push_front((place, cell.clone()));
            let mut size = 0;
            let mut fits = |(_, cell): &(Place, Cell<T>)| {
                size += cell.get().map_or(0, |part| part.size());
                size <= self.most
            };
            let count = kept.iter().take_while(|one| fits(one)).count();
            kept.truncate(count.max(1));
            cell
        };
        cell.get_or_init(|| Arc::new(make())).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::days::{ScriptRow, Slice};

    fn slice(rows: usize) -> Slice {
        let row = ScriptRow {
            time: 0,
            native: 0,
            run: 0,
            step: 0,
            round: 0,
            port: 0,
        };
        Slice {
            rows: vec![row; rows],
            ..Slice::default()
        }
    }

    #[test]
    fn a_slice_is_made_once_while_it_is_among_the_last() {
        let kept = Kept::new(KEPT_ROWS);
        let rows = KEPT_ROWS / 2;
        let made = |place, expected: bool| {
            let mut is_made = false;
            kept.get(place, || {
                is_made = true;
                slice(rows)
            });
            assert_eq!(is_made, expected, "{place:?}");
        };
        made((0, 0), true);
        made((0, 1), true);
        made((0, 0), false);
        made((0, 1), false);
        made((1, 0), true);
        made((2, 0), true);
        made((0, 0), true);
    }
}

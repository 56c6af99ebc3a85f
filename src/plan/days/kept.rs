//! Slices that were made last, so that row groups and batches of one part of a date share them.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::Slice;

/// Most rows of a slice, but for those of one minute. A row takes about 38 bytes.
pub const SLICE_ROWS: u64 = if cfg!(test) { 900 } else { 800_000 };
/// Most rows that are kept beside a new slice: with it 64 MiB.
const KEPT_ROWS: usize = 800_000;

/// The date and number of a slice.
type Place = (u32, u32);

/// A slice that is made, or being made.
type Cell = Arc<OnceLock<Arc<Slice>>>;

/// Those that were asked for last are first.
#[derive(Debug, Default)]
pub struct Kept(Mutex<VecDeque<(Place, Cell)>>);

impl Kept {
    /// A slice. Whoever asks first makes it; others wait for it.
    pub fn get(&self, place: Place, make: impl FnOnce() -> Slice) -> Arc<Slice> {
        let cell = {
            let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let found = kept.iter().position(|(known, _)| *known == place);
            let cell = match found.and_then(|at| kept.remove(at)) {
                Some((_, cell)) => cell,
                None => Cell::default(),
            };
            kept.push_front((place, cell.clone()));
            let mut rows = 0;
            let mut fits = |(_, cell): &(Place, Cell)| {
                rows += cell.get().map_or(0, |slice| slice.rows.len());
                rows <= KEPT_ROWS
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
    use crate::plan::days::ScriptRow;

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
        let kept = Kept::default();
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

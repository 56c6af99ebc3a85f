//! A sample of streams that is bounded, and does not depend on the order of files.

use std::collections::BTreeMap;

/// The streams with the lowest digests, whole. If they have too many rows, the one with the highest digest
/// is dropped, and no row at or above it is taken any more. What remains are the first streams by digest
/// whose rows fit, whichever row came first.
pub struct Sample<T> {
    streams: BTreeMap<u64, Vec<T>>,
    rows: usize,
    /// Streams from this digest on are not taken.
    end: Option<u64>,
}

impl<T> Default for Sample<T> {
    fn default() -> Self {
        Sample {
            streams: BTreeMap::new(),
            rows: 0,
            end: None,
        }
    }
}

impl<T> Sample<T> {
    /// Whether rows of a stream may be in the sample.
    pub fn takes(&self, stream: u64) -> bool {
        self.end.is_none_or(|end| stream < end)
    }

    /// Adds a row; at most `most` rows remain.
    pub fn push(&mut self, stream: u64, row: T, most: usize) {
        if self.takes(stream) {
            self.streams.entry(stream).or_default().push(row);
            self.rows += 1;
            self.shrink(most);
        }
    }

    /// Adds the rows of later files.
    pub fn add(&mut self, other: Sample<T>, most: usize) {
        self.end = match (self.end, other.end) {
            (Some(mine), Some(theirs)) => Some(mine.min(theirs)),
            (mine, theirs) => mine.or(theirs),
        };
        for (stream, rows) in other.streams {
            self.rows += rows.len();
            self.streams.entry(stream).or_default().extend(rows);
        }
        while let Some((&last, _)) = self.streams.last_key_value()
            && !self.takes(last)
        {
            self.drop_last();
        }
        self.shrink(most);
    }

    fn shrink(&mut self, most: usize) {
        while self.rows > most {
            self.end = self.drop_last().or(self.end);
        }
    }

    /// The digest of the stream that was dropped.
    fn drop_last(&mut self) -> Option<u64> {
        let (stream, rows) = self.streams.pop_last()?;
        self.rows -= rows.len();
        Some(stream)
    }

    /// The rows of each stream, in the order of digests.
    pub fn into_streams(self) -> impl Iterator<Item = Vec<T>> {
        self.streams.into_values()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows of streams 1 to 9, as many as the number says.
    fn rows() -> Vec<(u64, u64)> {
        (1..10)
            .flat_map(|stream| (0..stream).map(move |row| (stream, row)))
            .collect()
    }

    fn kept(sample: Sample<(u64, u64)>) -> Vec<(u64, u64)> {
        let mut rows: Vec<_> = sample.into_streams().flatten().collect();
        rows.sort_unstable();
        rows
    }

    #[test]
    fn a_sample_is_the_first_streams_that_fit_in_any_order_and_division() {
        let most = 12;
        let all = rows();
        // 1 + 2 + 3 + 4 rows fit, and 5 more do not.
        let wanted: Vec<_> = all.iter().copied().filter(|row| row.0 <= 4).collect();
        for step in [1, 2, 4, 7, 11, 13, 22, 44] {
            for parts in [1, 2, 5] {
                let mut samples: Vec<Sample<_>> = (0..parts).map(|_| Sample::default()).collect();
                // 45 rows, and no step has a factor in common with 45.
                for nth in 0..all.len() {
                    let row = all[nth * step % all.len()];
                    samples[nth % parts].push(row.0, row, most);
                }
                let mut whole = Sample::default();
                for sample in samples {
                    assert!(sample.rows <= most);
                    whole.add(sample, most);
                }
                assert_eq!(whole.rows, wanted.len());
                assert!(whole.takes(4) && !whole.takes(5));
                assert_eq!(kept(whole), wanted, "step {step}, {parts} parts");
            }
        }
    }
}

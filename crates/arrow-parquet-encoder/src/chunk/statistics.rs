//! A chunk's statistics and its column index.

use parquet::basic::{BoundaryOrder, SortOrder};

use super::options::LeafOptions;
use crate::bits::put_zigzag;
use crate::bounds::{Bounds, lower, sign_flip, upper};
use crate::page::DataPage;
use crate::thrift::{BINARY, BOOLEAN, FALSE, INT64, StructWriter, TRUE, put_binary};

/// A chunk's pages, for its statistics and its column index.
pub(super) struct ChunkStatistics<'c> {
    pub options: &'c LeafOptions,
    pub pages: &'c [DataPage],
    /// The width of an integer in bytes.
    pub integer_width: usize,
}

impl ChunkStatistics<'_> {
    /// The minimum and maximum of the chunk.
    fn chunk_bounds(&self) -> Bounds {
        let flip = sign_flip(&self.options.data_type);
        self.pages
            .iter()
            .fold(Bounds::None, |all, page| match (all, &page.bounds) {
                (Bounds::None, page) => page.clone(),
                (all, Bounds::None) => all,
                (Bounds::ByteArray(least, greatest), Bounds::ByteArray(l, g)) => Bounds::ByteArray(
                    if *l < least { l.clone() } else { least },
                    if *g > greatest { g.clone() } else { greatest },
                ),
                (Bounds::Integer(least, greatest), Bounds::Integer(l, g)) => Bounds::Integer(
                    (least ^ flip).min(l ^ flip) ^ flip,
                    (greatest ^ flip).max(g ^ flip) ^ flip,
                ),
                (Bounds::Boolean(least, greatest), Bounds::Boolean(l, g)) => {
                    Bounds::Boolean(least & l, greatest | g)
                }
                (all, _) => all,
            })
    }

    /// Passes bounds to `visit` as statistics have them: truncated to `limit` bytes, and whether they
    /// are exact.
    fn with_bounds<R>(
        &self,
        bounds: &Bounds,
        limit: Option<usize>,
        visit: impl FnOnce(Option<[(&[u8], bool); 2]>) -> R,
    ) -> R {
        let is_utf8 = self.options.is_utf8();
        let width = self.integer_width;
        match bounds {
            Bounds::None => visit(None),
            Bounds::ByteArray(least, greatest) => {
                let (low, low_differs) = lower(least, limit, is_utf8);
                let (high, high_differs) = upper(greatest, limit, is_utf8);
                visit(Some([(low, !low_differs), (&high, !high_differs)]))
            }
            Bounds::Integer(least, greatest) => {
                let [low, high] = [least, greatest].map(|value| value.to_le_bytes());
                visit(Some([(&low[..width], true), (&high[..width], true)]))
            }
            Bounds::Boolean(least, greatest) => visit(Some([
                (&[u8::from(*least)], true),
                (&[u8::from(*greatest)], true),
            ])),
        }
    }

    /// Writes `Statistics`.
    pub(crate) fn put_statistics(&self, mut statistics: StructWriter<'_>) {
        let nulls = self.pages.iter().map(|p| p.nulls as i64).sum();
        // The deprecated fields 1 and 2 are only defined for signed order.
        let signed = self.options.descriptor.sort_order() == SortOrder::SIGNED;
        let limit = self.options.statistics_truncation;
        self.with_bounds(&self.chunk_bounds(), limit, |bounds| {
            if let Some([least, greatest]) = bounds.filter(|_| signed) {
                statistics.binary(1, greatest.0);
                statistics.binary(2, least.0);
            }
            statistics.int64(3, nulls);
            if let Some([least, greatest]) = bounds {
                statistics.binary(5, greatest.0);
                statistics.binary(6, least.0);
            }
            statistics.boolean(7, bounds.is_some_and(|[_, greatest]| greatest.1));
            statistics.boolean(8, bounds.is_some_and(|[least, _]| least.1));
            statistics.end();
        });
    }

    /// Appends `ColumnIndex`.
    pub(crate) fn put_column_index(&self, out: &mut Vec<u8>) {
        let limit = self.options.column_index_truncation;
        let pages = self.pages.len();
        let mut index = StructWriter::new(out);
        index
            .list(1, BOOLEAN, pages)
            .extend(self.pages.iter().map(|page| {
                if page.bounds == Bounds::None {
                    TRUE
                } else {
                    FALSE
                }
            }));
        for (field, side) in [(2, 0), (3, 1)] {
            let list = index.list(field, BINARY, pages);
            for page in self.pages {
                self.with_bounds(&page.bounds, limit, |bounds| {
                    put_binary(list, bounds.map_or(&[], |sides| sides[side].0));
                });
            }
        }
        index.int32(4, self.boundary_order() as i32);
        let list = index.list(5, INT64, pages);
        for page in self.pages {
            put_zigzag(list, page.nulls as i64);
        }
        index.end();
    }

    fn boundary_order(&self) -> BoundaryOrder {
        let flip = sign_flip(&self.options.data_type);
        let (mut rising, mut falling) = (true, true);
        let mut present = self
            .pages
            .iter()
            .map(|page| &page.bounds)
            .filter(|b| **b != Bounds::None);
        let Some(mut last) = present.next() else {
            return BoundaryOrder::ASCENDING;
        };
        for next in present {
            let (least, greatest) = match (last, next) {
                (Bounds::ByteArray(a, b), Bounds::ByteArray(c, d)) => (a.cmp(c), b.cmp(d)),
                (Bounds::Integer(a, b), Bounds::Integer(c, d)) => {
                    ((a ^ flip).cmp(&(c ^ flip)), (b ^ flip).cmp(&(d ^ flip)))
                }
                (Bounds::Boolean(a, b), Bounds::Boolean(c, d)) => (a.cmp(c), b.cmp(d)),
                _ => return BoundaryOrder::UNORDERED,
            };
            rising &= least.is_le() && greatest.is_le();
            falling &= least.is_ge() && greatest.is_ge();
            last = next;
        }
        match (rising, falling) {
            (true, _) => BoundaryOrder::ASCENDING,
            (false, true) => BoundaryOrder::DESCENDING,
            (false, false) => BoundaryOrder::UNORDERED,
        }
    }
}

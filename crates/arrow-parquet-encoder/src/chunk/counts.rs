//! Sizes and encodings of a chunk's pages, summed up for its metadata.

use parquet::basic::{Encoding, EncodingMask, PageType};

/// Statistics about the pages of a chunk.
#[derive(Default)]
pub(super) struct PageCounts {
    /// The bytes of all pages with headers, before compression.
    pub uncompressed: usize,
    pub encodings: EncodingMask,
    /// `PageEncodingStats`: the number of consecutive pages of the same type and encoding.
    pub pages: Vec<(PageType, Encoding, i32)>,
}

impl PageCounts {
    pub(super) fn clear(&mut self) {
        self.uncompressed = 0;
        self.encodings = EncodingMask::default();
        self.pages.clear();
    }

    /// Adds a page of `bytes` bytes with its header, before compression.
    pub(super) fn add(&mut self, page: PageType, encoding: Encoding, bytes: usize) {
        self.uncompressed += bytes;
        self.encodings.insert(encoding);
        match self.pages.last_mut() {
            Some((last, of, count)) if (*last, *of) == (page, encoding) => *count += 1,
            _ => self.pages.push((page, encoding, 1)),
        }
    }
}

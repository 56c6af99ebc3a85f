//! The data pages of a chunk, from their compression to their place in a row group.

use bytes::Bytes;
use parquet::basic::{Compression, Encoding, PageType};
use parquet::errors::{ParquetError, Result};

use super::counts::PageCounts;
use super::store::{ChunkStore, LONG, PageLocation};
use super::workspace::Workspace;
use crate::compressor::{Compressor, is_worth_it};
use crate::page::{DataPage, PageBody};

/// The number of consecutive incompressible pages after which only some pages are compressed.
const HOPELESS: usize = 2;
/// One page in this many is compressed then.
const RETRY: usize = 8;

/// The encoded data pages of a chunk.
#[derive(Default)]
pub(super) struct ChunkPages {
    pages: Vec<DataPage>,
    /// The levels and bodies of all pages.
    bytes: Vec<u8>,
    /// The number of incompressible pages since the last compressible one.
    misses: usize,
}

impl ChunkPages {
    pub(super) fn all(&self) -> &[DataPage] {
        &self.pages
    }

    /// Whether the next page's body is worth compressing, judged by the pages so far.
    pub(super) fn tries_compression(&self) -> bool {
        self.misses < HOPELESS || self.pages.len().is_multiple_of(RETRY)
    }

    /// Begins a page by its encoded levels.
    pub(super) fn begin_page(&mut self, levels: &[u8], workspace: &mut Workspace) {
        if self.pages.is_empty() {
            self.pages = workspace.pages.take();
            self.bytes = workspace.bodies.take();
        }
        self.bytes.extend_from_slice(levels);
    }

    /// Appends the body of a page, compressed with `codec` if that pays. Returns its length, and
    /// whether it is compressed.
    pub(super) fn put_body(
        &mut self,
        raw: &[u8],
        codec: Option<Compression>,
        compressor: &mut Compressor,
    ) -> Result<(usize, bool)> {
        let (stored, is_compressed) = compress_body(raw, codec, compressor)?;
        self.bytes.extend_from_slice(stored);
        Ok((stored.len(), is_compressed))
    }

    /// Ends a page.
    pub(super) fn end_page(&mut self, page: DataPage) {
        self.misses = match page.is_compressed {
            true => 0,
            false => self.misses + usize::from(is_worth_it(page.uncompressed_body)),
        };
        self.pages.push(page);
    }

    /// Writes the pages to `store`, after a dictionary page of `dictionary` bytes, if there is one.
    pub(super) fn put(
        &mut self,
        dictionary: Option<u64>,
        workspace: &mut Workspace,
        store: &mut ChunkStore,
        counts: &mut PageCounts,
    ) -> Result<()> {
        // Long bodies are not copied; the memory of short ones is reused.
        let bytes = std::mem::take(&mut self.bytes);
        let (long, short) = match bytes.len() < LONG {
            true => (Bytes::new(), bytes),
            false => (bytes.into_boxed_slice().into(), Vec::new()),
        };
        let (mut offset, mut first_row, mut from) = (dictionary.unwrap_or(0), 0, 0);
        for page in &mut self.pages {
            let header = put_header(page, dictionary.is_some(), store, counts)?;
            let length = header + page.levels + page.body.len();
            store.pages.push(PageLocation {
                offset,
                length: i32::try_from(length)
                    .map_err(|_| ParquetError::General("a page is too long".into()))?,
                first_row,
            });
            offset += length as u64;
            first_row += page.rows as i64;
            let to = from
                + match &page.body {
                    PageBody::Own(length) => page.levels + length,
                    PageBody::Shared(_) => page.levels,
                };
            match short.get(from..to) {
                Some(bytes) => store.put(bytes),
                None => store.put_shared(long.slice(from..to)),
            }
            from = to;
            if let PageBody::Shared(bytes) = &page.body {
                store.put_shared(bytes.clone());
            }
        }
        workspace.bodies.give_back(short);
        Ok(())
    }

    /// Returns the page list to the workspace for reuse.
    pub(super) fn recycle(self, workspace: &mut Workspace) {
        workspace.pages.give_back(self.pages);
    }
}

/// Writes the header of a page; returns its length. A page without values takes the encoding of the
/// chunk's other pages.
fn put_header(
    page: &mut DataPage,
    has_dictionary: bool,
    store: &mut ChunkStore,
    counts: &mut PageCounts,
) -> Result<usize> {
    let encoding = match (page.encoding, has_dictionary) {
        (Some(encoding), _) => encoding,
        (None, false) => Encoding::PLAIN,
        (None, true) => {
            // The width of ids, and no ids.
            page.body = PageBody::Shared(Bytes::from_static(&[1]));
            page.uncompressed_body = 1;
            Encoding::RLE_DICTIONARY
        }
    };
    let start = store.bytes.len();
    page.header(encoding, &mut store.bytes)?;
    let header = store.bytes.len() - start;
    counts.add(
        PageType::DATA_PAGE_V2,
        encoding,
        header + page.uncompressed(),
    );
    Ok(header)
}

/// A page's body, compressed with `codec` if that pays; and whether it is compressed.
pub(super) fn compress_body<'b>(
    raw: &'b [u8],
    codec: Option<Compression>,
    compressor: &'b mut Compressor,
) -> Result<(&'b [u8], bool)> {
    let compressed = match codec {
        Some(codec) => compressor.compress(codec, raw)?,
        None => None,
    };
    Ok((compressed.unwrap_or(raw), compressed.is_some()))
}

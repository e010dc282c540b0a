//! Reading an object in pieces, as a file is read: for videos, which are too large to fetch whole for each segment.
//!
//! How much is fetched follows from how it is read. A jump begins with a small piece: a container's header, a search for
//! a keyframe. Reading on makes pieces four times as large, up to a bound, and keeps one more on its way. A minute of
//! video at 4 Mb/s is nine requests; what is fetched beyond its end is at most two pieces.

use std::collections::VecDeque;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;

use bytes::Bytes;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use super::sources::ObjectSource;
use crate::error::{StoreError, StoreErrorKind};

/// The first piece after a jump.
const FIRST_PIECE_BYTES: u64 = 256 * 1024;

/// How much larger each piece is than the one before it.
const GROWTH: u64 = 4;

/// The largest piece: some tenths of a second at usual speeds, and little beside a decoder's memory.
const LARGEST_PIECE_BYTES: u64 = 4 << 20;

/// Pieces that are kept: files whose sound and pictures lie apart are read at two places in turn.
const PIECES_KEPT: usize = 3;

/// Reads an object like a file, a piece ahead of its user.
#[derive(Debug)]
pub struct ObjectReader {
    source: ObjectSource,
    runtime: Handle,
    position: u64,
    /// The newest last.
    pieces: VecDeque<Piece>,
    ahead: Option<Ahead>,
}

/// Bytes of the object.
#[derive(Debug)]
struct Piece {
    start: u64,
    bytes: Bytes,
}

/// A piece on its way; given up when dropped.
#[derive(Debug)]
struct Ahead {
    range: Range<u64>,
    bytes: JoinHandle<Result<Bytes, StoreError>>,
}

impl ObjectReader {
    pub(super) fn new(source: ObjectSource, runtime: Handle) -> Self {
        Self { source, runtime, position: 0, pieces: VecDeque::new(), ahead: None }
    }

    /// Fetches a piece that holds the position, and more ahead where it follows another.
    fn fetch(&mut self) -> io::Result<&Piece> {
        let (piece, reads_on) = match self.ahead.take() {
            // What is skipped on the way there, sound mostly, is less than what would be fetched twice.
            Some(ahead) if ahead.range.contains(&self.position) => (self.arrived(ahead)?, true),
            _ => {
                let before = self.pieces.iter().find(|piece| piece.range().end == self.position);
                let reads_on = before.is_some();
                let range = self.range_from(self.position, before.map(Piece::len));
                let bytes = self.runtime.block_on(self.source.read(range)).map_err(io_error)?;
                (Piece { start: self.position, bytes }, reads_on)
            }
        };
        if reads_on {
            self.read_ahead(&piece);
        }
        if self.pieces.len() == PIECES_KEPT {
            self.pieces.pop_front();
        }
        self.pieces.push_back(piece);
        // Just pushed.
        Ok(&self.pieces[self.pieces.len() - 1])
    }

    /// Waits for a piece that is on its way.
    fn arrived(&self, mut ahead: Ahead) -> io::Result<Piece> {
        let stopped = |e| io::Error::other(format!("reading ahead was stopped: {e}"));
        let bytes = self.runtime.block_on(&mut ahead.bytes).map_err(stopped)?.map_err(io_error)?;
        Ok(Piece { start: ahead.range.start, bytes })
    }

    /// The piece from `start` on that follows one of `before` bytes, or none.
    fn range_from(&self, start: u64, before: Option<u64>) -> Range<u64> {
        let wanted = before.map_or(FIRST_PIECE_BYTES, |len| (len * GROWTH).min(LARGEST_PIECE_BYTES));
        start..self.source.size().min(start + wanted)
    }

    fn read_ahead(&mut self, piece: &Piece) {
        let range = self.range_from(piece.range().end, Some(piece.len()));
        if !range.is_empty() {
            let (source, wanted) = (self.source.clone(), range.clone());
            let bytes = self.runtime.spawn(async move { source.read(wanted).await });
            self.ahead = Some(Ahead { range, bytes });
        }
    }
}

impl Piece {
    fn len(&self) -> u64 {
        self.bytes.len() as u64
    }

    fn range(&self) -> Range<u64> {
        self.start..self.start + self.len()
    }
}

impl Drop for Ahead {
    fn drop(&mut self) {
        self.bytes.abort();
    }
}

impl Read for ObjectReader {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if buf.is_empty() || self.position >= self.source.size() {
            return Ok(0);
        }
        let position = self.position;
        let held = self.pieces.iter().rposition(|piece| piece.range().contains(&position));
        let piece = match held {
            Some(index) => &self.pieces[index],
            None => self.fetch()?,
        };
        let rest = &piece.bytes[(position - piece.start) as usize..];
        let len = rest.len().min(buf.len());
        buf[..len].copy_from_slice(&rest[..len]);
        self.position += len as u64;
        Ok(len)
    }
}

impl Seek for ObjectReader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::End(offset) => self.source.size().checked_add_signed(offset),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
        };
        let outside = || io::Error::new(io::ErrorKind::InvalidInput, "a position before the first byte");
        self.position = position.ok_or_else(outside)?;
        Ok(self.position)
    }
}

/// The kinds that readers of files know: a replaced object is what a file server calls a stale handle.
fn io_error(error: StoreError) -> io::Error {
    let kind = match error.kind() {
        StoreErrorKind::NotFound => io::ErrorKind::NotFound,
        StoreErrorKind::Denied => io::ErrorKind::PermissionDenied,
        StoreErrorKind::Replaced => io::ErrorKind::StaleNetworkFileHandle,
        _ => io::ErrorKind::Other,
    };
    io::Error::new(kind, error)
}

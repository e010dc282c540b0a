//! Reading an object in pieces, as a file is read: for videos, which are too large to fetch whole for each segment.
//!
//! The object is pinned: every request names the tag that the object had at first, so that bytes of two versions never
//! mix. A replaced object fails, with a text that says so.

use std::collections::VecDeque;
use std::io::{self, Read, Seek, SeekFrom};
use std::sync::Arc;

use bytes::Bytes;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use super::attempts::Purpose;
use super::connect::Bucket;
use super::objects::{self, Condition};
use super::options::{Place, S3Options};
use crate::error::{StoreError, StoreErrorKind};

/// The first piece after a jump: what a container's header or a search for a keyframe takes.
const FIRST_PIECE_BYTES: u64 = 256 * 1024;

/// The largest piece: some tenths of a second at usual speeds, and little beside a decoder's memory.
const LARGEST_PIECE_BYTES: u64 = 4 << 20;

/// Pieces that are kept: files whose sound and pictures lie apart are read at two places in turn.
const PIECES_KEPT: usize = 3;

const OPERATION: &str = "read";

/// An object as it was at a moment.
#[derive(Debug, Clone)]
pub struct ObjectSource {
    bucket: Arc<Bucket>,
    name: Arc<str>,
    size: u64,
    etag: Arc<str>,
}

impl ObjectSource {
    /// The object at `s3://bucket/name`, with a query as a store's URL has it. Its name may be any.
    pub async fn open(url: &str, options: &S3Options) -> Result<Self, StoreError> {
        let mut options = options.clone();
        let place = Place::parse(url, &mut options)?;
        if place.path.is_empty() {
            return Err(StoreError::invalid_url("the URL names a bucket and no object in it"));
        }
        Self::pin(Arc::new(Bucket::at(&place, &options).await?), place.path).await
    }

    pub(super) async fn pin(bucket: Arc<Bucket>, name: String) -> Result<Self, StoreError> {
        let purpose = Purpose { operation: OPERATION, object: &name };
        let facts = objects::head(&bucket, purpose, &name).await?;
        let facts = facts.ok_or_else(|| purpose.fails(StoreErrorKind::NotFound, "no such object"))?;
        let untagged = || purpose.fails(StoreErrorKind::Invalid, "the server tells no ETag to pin it by");
        let etag = facts.etag.ok_or_else(untagged)?;
        Ok(Self { bucket, name: name.into(), size: facts.size, etag: etag.into() })
    }

    /// Its length in bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Its address, for people.
    #[must_use]
    pub fn url(&self) -> String {
        format!("s3://{}/{}", self.bucket.name, self.name)
    }

    /// A reader at the first byte. It blocks: it must be used on threads that may, while `runtime` runs on others.
    #[must_use]
    pub fn reader(&self, runtime: &Handle) -> ObjectReader {
        ObjectReader {
            source: self.clone(),
            runtime: runtime.clone(),
            position: 0,
            pieces: VecDeque::new(),
            ahead: None,
        }
    }

    /// `len` bytes from `start` on, which the object must have.
    async fn piece(&self, start: u64, len: u64) -> Result<Piece, StoreError> {
        let purpose = Purpose { operation: OPERATION, object: &self.name };
        let condition = Condition::Etag(&self.etag);
        let range = start..start + len;
        let bytes = objects::get_range(&self.bucket, purpose, &self.name, (range, condition)).await?;
        if bytes.len() as u64 != len {
            return Err(
                purpose.fails(StoreErrorKind::Transient, "the server sent another range than asked for")
            );
        }
        Ok(Piece { start, bytes })
    }
}

/// Bytes of the object.
#[derive(Debug)]
struct Piece {
    start: u64,
    bytes: Bytes,
}

impl Piece {
    fn end(&self) -> u64 {
        self.start + self.bytes.len() as u64
    }
}

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

/// A piece on its way; given up when dropped.
#[derive(Debug)]
struct Ahead {
    start: u64,
    piece: JoinHandle<Result<Piece, StoreError>>,
}

impl Drop for Ahead {
    fn drop(&mut self) {
        self.piece.abort();
    }
}

impl ObjectReader {
    /// Fetches the piece that begins at the position. Reading on makes pieces larger and fetches the next one ahead; a
    /// jump starts small again.
    fn fetch(&mut self) -> io::Result<()> {
        let before = self.pieces.iter().find(|piece| piece.end() == self.position);
        let reads_on = before.map(|piece| piece.bytes.len() as u64);
        let piece = match self.ahead.take() {
            Some(mut ahead) if ahead.start == self.position => {
                let stopped = |e| io::Error::other(format!("reading ahead was stopped: {e}"));
                self.runtime.block_on(&mut ahead.piece).map_err(stopped)?
            }
            _ => {
                let len = self.piece_len(self.position, reads_on);
                self.runtime.block_on(self.source.piece(self.position, len))
            }
        };
        let piece = piece.map_err(io_error)?;
        if reads_on.is_some() {
            self.read_ahead(&piece);
        }
        if self.pieces.len() == PIECES_KEPT {
            self.pieces.pop_front();
        }
        self.pieces.push_back(piece);
        Ok(())
    }

    /// How long a piece from `start` on is that follows one of `before` bytes.
    fn piece_len(&self, start: u64, before: Option<u64>) -> u64 {
        let wanted = before.map_or(FIRST_PIECE_BYTES, |len| (len * 2).min(LARGEST_PIECE_BYTES));
        wanted.min(self.source.size - start)
    }

    fn read_ahead(&mut self, piece: &Piece) {
        let start = piece.end();
        if start < self.source.size {
            let len = self.piece_len(start, Some(piece.bytes.len() as u64));
            let source = self.source.clone();
            let piece = self.runtime.spawn(async move { source.piece(start, len).await });
            self.ahead = Some(Ahead { start, piece });
        }
    }
}

impl Read for ObjectReader {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if buf.is_empty() || self.position >= self.source.size {
            return Ok(0);
        }
        let holds = |piece: &Piece| (piece.start..piece.end()).contains(&self.position);
        let index = if let Some(index) = self.pieces.iter().rposition(holds) {
            index
        } else {
            self.fetch()?;
            // The piece just fetched is the newest and begins at the position.
            self.pieces.len() - 1
        };
        let piece = &self.pieces[index];
        let rest = &piece.bytes[(self.position - piece.start) as usize..];
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
            SeekFrom::End(offset) => self.source.size.checked_add_signed(offset),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
        };
        let outside = || io::Error::new(io::ErrorKind::InvalidInput, "a position before the first byte");
        self.position = position.ok_or_else(outside)?;
        Ok(self.position)
    }
}

fn io_error(error: StoreError) -> io::Error {
    let kind = match error.kind() {
        StoreErrorKind::NotFound => io::ErrorKind::NotFound,
        StoreErrorKind::Denied => io::ErrorKind::PermissionDenied,
        _ => io::ErrorKind::Other,
    };
    io::Error::new(kind, error)
}

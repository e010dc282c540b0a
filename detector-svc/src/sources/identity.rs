//! What makes a video this one: its size and its bytes, at fixed places or all of them.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use facereel_domain::digest::{DigestWriter, Sha256Digest};
use facereel_domain::source::{SourceIdentity, sampled_digest, sampled_ranges};
use facereel_store::StoreError;
use facereel_store::s3::ObjectSource;
use futures_util::stream::{self, StreamExt as _};

/// How much of a source goes into its identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Identity {
    /// Size and evenly spaced blocks.
    Sampled,
    /// All bytes as well.
    Whole,
}

/// Requests at once for the blocks of an object: each is small and mostly waits.
const BLOCKS_AT_ONCE: usize = 8;

/// Bytes of one request for the whole of an object.
const PIECE_BYTES: u64 = 4 << 20;

/// Such requests at once.
const PIECES_AT_ONCE: usize = 4;

/// The identity of the file at `path`.
pub(super) fn of_file(path: &Path, extent: Identity) -> io::Result<SourceIdentity> {
    let mut file = File::open(path)?;
    let size_bytes = file.metadata()?.len();
    let mut sampled = sampled_digest(size_bytes);
    let mut block = Vec::new();
    for (offset, len) in sampled_ranges(size_bytes) {
        file.seek(SeekFrom::Start(offset))?;
        block.resize(len as usize, 0);
        file.read_exact(&mut block)?;
        sampled.update(&block);
    }
    let whole_sha256 = match extent {
        Identity::Sampled => None,
        Identity::Whole => Some(digest_all(&mut file)?),
    };
    Ok(SourceIdentity { size_bytes, sampled_sha256: sampled.finish(), whole_sha256 })
}

fn digest_all(file: &mut File) -> io::Result<Sha256Digest> {
    file.seek(SeekFrom::Start(0))?;
    let mut writer = DigestWriter::default();
    let mut buffer = vec![0; 1 << 20];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(writer.finish()),
            n => writer.update(&buffer[..n]),
        }
    }
}

/// The identity of an object: that of a file with the same bytes.
pub(super) async fn of_object(object: &ObjectSource, extent: Identity) -> Result<SourceIdentity, StoreError> {
    let size_bytes = object.size();
    let blocks = sampled_ranges(size_bytes);
    let sampled_sha256 = digest(object, (sampled_digest(size_bytes), BLOCKS_AT_ONCE), blocks).await?;
    let whole_sha256 = match extent {
        Identity::Sampled => None,
        Identity::Whole => {
            let starts = (0..size_bytes).step_by(PIECE_BYTES as usize);
            let pieces = starts.map(|start| (start, PIECE_BYTES.min(size_bytes - start))).collect();
            Some(digest(object, (DigestWriter::default(), PIECES_AT_ONCE), pieces).await?)
        }
    };
    Ok(SourceIdentity { size_bytes, sampled_sha256, whole_sha256 })
}

/// Adds `ranges` (offset, length) of the object to a digest, in order; so many are on their way at once.
async fn digest(
    object: &ObjectSource,
    (mut writer, at_once): (DigestWriter, usize),
    ranges: Vec<(u64, u64)>,
) -> Result<Sha256Digest, StoreError> {
    let reads = ranges.into_iter().map(|(start, len)| object.read(start..start + len));
    let mut blocks = stream::iter(reads).buffered(at_once);
    while let Some(block) = blocks.next().await {
        writer.update(&block?);
    }
    Ok(writer.finish())
}

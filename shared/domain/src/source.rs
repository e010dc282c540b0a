//! What a source video is: its place and its identity.

use serde::{Deserialize, Serialize};

use crate::digest::{DigestWriter, Sha256Digest};

/// A source's identity: its size and a digest over fixed, evenly spaced blocks (or over all bytes).
///
/// Cheap for a file and for a remote object alike: at most `BLOCKS x BLOCK_BYTES` are read unless `whole` is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SourceIdentity {
    /// Bytes of the file.
    pub size_bytes: u64,
    /// Digest over size and sampled blocks.
    pub sampled_sha256: Sha256Digest,
    /// Digest over all bytes, where a setting asks for it.
    pub whole_sha256: Option<Sha256Digest>,
}

/// Blocks that a sampled digest reads.
pub const BLOCKS: u64 = 64;
/// Bytes of each block.
pub const BLOCK_BYTES: u64 = 64 * 1024;

/// Byte ranges `(offset, len)` of a source of `size_bytes` that a sampled digest covers, in order; all of a small source.
#[must_use]
pub fn sampled_ranges(size_bytes: u64) -> Vec<(u64, u64)> {
    if size_bytes <= BLOCKS * BLOCK_BYTES {
        return if size_bytes == 0 { vec![] } else { vec![(0, size_bytes)] };
    }
    let last_start = size_bytes - BLOCK_BYTES;
    (0..BLOCKS).map(|i| (last_start * i / (BLOCKS - 1), BLOCK_BYTES)).collect()
}

/// Starts the digest of a source of `size_bytes`; the blocks of [`sampled_ranges`] follow in order.
#[must_use]
pub fn sampled_digest(size_bytes: u64) -> DigestWriter {
    let mut writer = DigestWriter::default();
    writer.update(&size_bytes.to_le_bytes());
    writer
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn sampled_blocks_lie_inside_and_touch_both_ends(size in 1_u64..1 << 42) {
            let ranges = sampled_ranges(size);
            prop_assert_eq!(ranges[0].0, 0);
            let (start, len) = ranges[ranges.len() - 1];
            prop_assert_eq!(start + len, size);
            prop_assert!(ranges.windows(2).all(|w| w[0].0 + w[0].1 <= w[1].0));
        }
    }
}

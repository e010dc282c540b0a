//! Frames made tiny.

use serde::{Deserialize, Serialize};

/// A frame made tiny: block means of 8-bit luma and chroma, enough to compare frames with.
///
/// Functions over thumbnails panic where a plane has another length than its constants say; [`Thumbnail::new`] and
/// `Deserialize` refuse such planes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "RawThumbnail")]
pub struct Thumbnail {
    /// 32 x 18 luma means, row by row.
    #[serde(with = "serde_bytes")]
    pub luma: Vec<u8>,
    /// 16 x 9 blue-difference means, 128 = none.
    #[serde(with = "serde_bytes")]
    pub cb: Vec<u8>,
    /// 16 x 9 red-difference means, 128 = none.
    #[serde(with = "serde_bytes")]
    pub cr: Vec<u8>,
}

/// Planes that are no thumbnail.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("planes of {luma}, {cb} and {cr} bytes are no thumbnail: it has 576, 144 and 144")]
pub struct ThumbnailError {
    /// Bytes of luma.
    pub luma: usize,
    /// Bytes of blue difference.
    pub cb: usize,
    /// Bytes of red difference.
    pub cr: usize,
}

/// Mean and spread of a thumbnail's luma.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Statistics {
    /// Mean, 0 to 255.
    pub mean: f32,
    /// Standard deviation, 0 to 128; near 0 the picture is plain: black, white or one colour.
    pub spread: f32,
}

impl Thumbnail {
    /// Columns of luma.
    pub const WIDTH: usize = 32;
    /// Rows of luma.
    pub const HEIGHT: usize = 18;
    /// Columns of chroma.
    pub const CHROMA_WIDTH: usize = 16;
    /// Rows of chroma.
    pub const CHROMA_HEIGHT: usize = 9;

    /// A thumbnail of planes with the right lengths.
    pub fn new(luma: Vec<u8>, cb: Vec<u8>, cr: Vec<u8>) -> Result<Self, ThumbnailError> {
        let chroma_len = Self::CHROMA_WIDTH * Self::CHROMA_HEIGHT;
        if luma.len() == Self::WIDTH * Self::HEIGHT && cb.len() == chroma_len && cr.len() == chroma_len {
            Ok(Self { luma, cb, cr })
        } else {
            Err(ThumbnailError { luma: luma.len(), cb: cb.len(), cr: cr.len() })
        }
    }

    /// Mean and spread of luma.
    #[must_use]
    pub fn statistics(&self) -> Statistics {
        let count = self.luma.len() as u64;
        let sum: u64 = self.luma.iter().map(|&v| u64::from(v)).sum();
        let squares: u64 = self.luma.iter().map(|&v| u64::from(v) * u64::from(v)).sum();
        // Integers up to the last step, so that the result is the same everywhere.
        let variance = (count * squares - sum * sum) as f64 / (count * count) as f64;
        Statistics { mean: (sum as f64 / count as f64) as f32, spread: variance.sqrt() as f32 }
    }

    /// The largest difference of two luma blocks in the same place, in levels of 255.
    #[must_use]
    pub fn largest_luma_difference(&self, other: &Self) -> f32 {
        let largest = self.luma.iter().zip(&other.luma).map(|(&a, &b)| a.abs_diff(b)).max();
        f32::from(largest.unwrap_or(0))
    }
}

/// What a stored thumbnail looks like before it is checked.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawThumbnail {
    #[serde(with = "serde_bytes")]
    luma: Vec<u8>,
    #[serde(with = "serde_bytes")]
    cb: Vec<u8>,
    #[serde(with = "serde_bytes")]
    cr: Vec<u8>,
}

impl TryFrom<RawThumbnail> for Thumbnail {
    type Error = ThumbnailError;

    fn try_from(raw: RawThumbnail) -> Result<Self, ThumbnailError> {
        Self::new(raw.luma, raw.cb, raw.cr)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_black_half_white_has_the_largest_spread() {
        let luma = (0..576).map(|i| if i % 2 == 0 { 0 } else { 255 }).collect();
        let picture = Thumbnail::new(luma, vec![128; 144], vec![128; 144]).unwrap();
        assert_eq!(picture.statistics(), Statistics { mean: 127.5, spread: 127.5 });
    }

    #[test]
    fn planes_of_the_wrong_length_are_refused_when_read() {
        let text = r#"{"luma":[1,2,3],"cb":[],"cr":[]}"#;
        assert!(serde_json::from_str::<Thumbnail>(text).is_err());
    }

    #[test]
    fn one_changed_block_is_the_largest_difference() {
        let before = Thumbnail::new(vec![100; 576], vec![128; 144], vec![128; 144]).unwrap();
        let mut after = before.clone();
        after.luma[300] = 93;
        assert!((before.largest_luma_difference(&after) - 7.0).abs() < f32::EPSILON);
    }
}

//! What a video is, as far as decoding needs to know.

use facereel_domain::geometry::Size;
use facereel_domain::time::Timeline;
use serde::{Deserialize, Serialize};

use crate::error::{DecodeError, ErrorKind};

/// Smallest side of a frame, pixels: less holds no face, and decoders and scalers are at their limits there.
pub(crate) const MIN_SIDE_PX: i32 = 16;
/// Largest side of a frame, pixels.
pub(crate) const MAX_SIDE_PX: i32 = 16_384;
/// Largest area of a frame, pixels (8192 x 8192): a decoder keeps up to 17 frames.
pub(crate) const MAX_PIXELS: i64 = 1 << 26;

/// Where timestamps come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimestampSource {
    /// The container has one for every frame, and they make sense.
    Container,
    /// It has not (AVI, timestamps that go backwards): the n-th decoded frame has timestamp n, at the nominal frame rate.
    /// Such a video can't be cut into segments, and every frame of it is decoded.
    Counted,
}

/// What a scan found out about a video.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VideoInfo {
    /// Container: `mp4` (also mov), `matroska` (also webm), `mpegts` or `avi`.
    pub container: String,
    /// FFmpeg's name of the codec: `h264`, `hevc`, ...
    pub codec: String,
    /// FFmpeg's name of the pixel format: `yuv420p`, ...
    pub pixel_format: String,
    /// Bits a sample.
    pub bit_depth: u8,
    /// Frame size as displayed (rotation applied).
    pub size: Size,
    /// Degrees clockwise by which coded frames are turned to be displayed: 0, 90, 180 or 270.
    pub rotation_deg: u16,
    /// From ticks to seconds and frame numbers.
    pub timeline: Timeline,
    /// Where the ticks come from.
    pub timestamps: TimestampSource,
    /// Seconds from the first frame to the end of the last.
    pub duration_sec: f64,
    /// HEVC's temporal sub-layers; 1 elsewhere. Only in the highest one are "non-reference" pictures referred to by none.
    pub temporal_layers: u8,
}

/// Refuses sizes that are not decoded.
pub(crate) fn check_size(width: i32, height: i32, place: &str) -> Result<(), DecodeError> {
    let sides = MIN_SIDE_PX..=MAX_SIDE_PX;
    if sides.contains(&width) && sides.contains(&height) && i64::from(width) * i64::from(height) <= MAX_PIXELS
    {
        return Ok(());
    }
    let detail = format!(
        "{width}x{height} (sides of {MIN_SIDE_PX} to {MAX_SIDE_PX} pixels and up to {MAX_PIXELS} pixels are decoded)"
    );
    Err(DecodeError::new(ErrorKind::SizeOutOfLimits, place).detail(detail))
}

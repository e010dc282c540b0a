//! What the detect stage leaves of each segment: its frames and their faces.

use facereel_domain::detection::Detection;
use facereel_domain::ids::SegmentIndex;
use facereel_domain::shot::Thumbnail;
use facereel_domain::time::Pts;
use serde::{Deserialize, Serialize};

use super::MIB;
use crate::Format;

/// What a segment showed: its decoded frames, the analysed ones among them, and their faces.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DetectionsPart {
    /// The segment.
    pub segment: SegmentIndex,
    /// Every decoded frame in order of presentation.
    pub decoded: Vec<DecodedFrame>,
    /// The first decoded frame and the last, for comparing across the segment's edges; absent in an empty segment.
    pub edges: Option<(Thumbnail, Thumbnail)>,
    /// The analysed frames in order of presentation.
    pub analysed: Vec<AnalysedFrame>,
    /// What was done for it.
    pub counts: DetectionCounts,
}

/// A frame that came out of the decoder, reduced to what finds shots.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct DecodedFrame {
    /// Timestamp.
    #[serde(rename = "p")]
    pub pts: Pts,
    /// Difference from the decoded frame before, 0 to 1 (`facereel_domain::shot::change`); 0 for the first of a segment.
    #[serde(rename = "c")]
    pub change: f32,
    /// Mean luma, 0 to 255.
    #[serde(rename = "m")]
    pub mean: f32,
    /// Standard deviation of luma, 0 to 128.
    #[serde(rename = "s")]
    pub spread: f32,
}

/// Why a frame was analysed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FrameOrigin {
    /// The plan samples it.
    Sampled,
    /// It may be the first of a shot; dropped later where it is not.
    ShotCandidate,
    /// It may fill a short shot; dropped later where it does not.
    ShotFiller,
}

/// An analysed frame.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnalysedFrame {
    /// Timestamp.
    pub pts: Pts,
    /// Why it was analysed.
    pub origin: FrameOrigin,
    /// The frame did not differ from the last analysed one, whose detections these are.
    pub reused: bool,
    /// The frame went through the detector at the size that small faces need as well.
    pub wide: bool,
    /// The frame made tiny.
    pub thumbnail: Thumbnail,
    /// Its faces, highest confidence first.
    pub detections: Vec<Detection>,
}

/// What a segment took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DetectionCounts {
    /// Frames that came out of the decoder.
    pub frames_decoded: u64,
    /// Frames that were not decoded because nothing needs them.
    pub frames_skipped: u64,
    /// Frames that could not be decoded.
    pub frames_broken: u64,
    /// Frames that came out although parts of them are damaged.
    pub frames_damaged: u64,
    /// Frames the detector ran on.
    pub detector_calls: u64,
    /// Boxes refused because they were no boxes inside the frame.
    pub boxes_refused: u64,
}

impl Format for DetectionsPart {
    const NAME: &'static str = "facereel.detections-part";
    const VERSION: u16 = 1;
    const MAX_BYTES: usize = 512 * MIB;
}

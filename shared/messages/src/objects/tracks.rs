//! What the track stage leaves: shots, tracklets, and batches of faces to embed.

use facereel_domain::detection::{ChipRef, Detection, FaceQuality};
use facereel_domain::geometry::Landmarks;
use facereel_domain::ids::{BatchIndex, FaceId, SegmentIndex, ShotIndex};
use facereel_domain::shot::Shot;
use facereel_domain::time::Pts;
use serde::{Deserialize, Serialize};

use super::{DetectionCounts, MIB, VideoFacts};
use crate::Format;

/// An episode's shots, its analysed frames and the tracklets through their faces.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tracks {
    /// The video.
    pub video: VideoFacts,
    /// In order of time.
    pub shots: Vec<Shot>,
    /// The analysed frames that count, in order of time.
    pub frames: Vec<FrameFaces>,
    /// In order of first appearance; a tracklet's number is its place.
    pub tracklets: Vec<Tracklet>,
    /// Batches of faces to embed.
    pub batches: u32,
    /// Sums over all segments.
    pub counts: DetectionCounts,
    /// What people should know: from the plan and from decoding.
    pub warnings: Vec<String>,
}

/// An analysed frame with its faces.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FrameFaces {
    /// Timestamp.
    pub pts: Pts,
    /// Number of the frame in the source.
    pub frame_idx: u64,
    /// Shot it belongs to.
    pub shot: ShotIndex,
    /// Segment whose chip pack holds its chips.
    pub segment: SegmentIndex,
    /// Its detections are those of the frame before, from which it does not differ.
    pub reused: bool,
    /// Highest confidence first; the place is the ordinal of the face's id.
    pub faces: Vec<SeenFace>,
}

/// A detection and what became of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeenFace {
    /// The detection.
    pub detection: Detection,
    /// Number of the tracklet it belongs to, or why it belongs to none.
    pub fate: Result<u32, Untracked>,
}

/// Why a detection belongs to no track.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Untracked {
    /// Below the smallest face that is wanted.
    TooSmall,
    /// Below the confidence that a track may hold.
    LowConfidence,
    /// Too unsure to begin a track, and no track was there to take it.
    NoTrack,
    /// The faces of its track were unsure on the whole.
    TrackUnsure,
    /// Its track had too few observations.
    TrackTooShort,
    /// Its track was split where the person changed, and this piece had too few observations.
    SplitTooShort,
}

impl Untracked {
    /// The reason as the manifests write it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TooSmall => "too_small",
            Self::LowConfidence => "low_confidence",
            Self::NoTrack => "no_track",
            Self::TrackUnsure => "track_unsure",
            Self::TrackTooShort => "track_too_short",
            Self::SplitTooShort => "split_too_short",
        }
    }
}

/// One face through consecutive frames of one shot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tracklet {
    /// Its shot.
    pub shot: ShotIndex,
    /// In order of time.
    pub observations: Vec<FaceId>,
}

/// Faces to embed: whole tracklets, cut from the run's content.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EmbedBatch {
    /// Place among the run's batches.
    pub batch: BatchIndex,
    /// By tracklet, then in order of time.
    pub faces: Vec<FaceToEmbed>,
}

/// A face chosen for embedding.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaceToEmbed {
    /// The face.
    pub face: FaceId,
    /// Number of its tracklet.
    pub tracklet: u32,
    /// Seconds from the first frame.
    pub ts: f64,
    /// Segment whose chip pack holds the chip.
    pub segment: SegmentIndex,
    /// The chip.
    pub chip: ChipRef,
    /// Five points in source pixels.
    pub landmarks: Landmarks,
    /// Shorter side of the face's box in source pixels.
    pub short_side_px: f32,
    /// The detector's score.
    pub confidence: f32,
    /// How well it can be seen.
    pub quality: FaceQuality,
    /// What it was chosen for.
    pub purpose: FacePurpose,
    /// The box jumped since the tracklet's face before it in the batch, or the face parted from another one.
    pub jumped: bool,
}

/// What a face was chosen for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FacePurpose {
    /// One of the track's best views.
    Sample,
    /// A regular look at whether the track still shows the same person.
    Gate,
    /// Both.
    SampleAndGate,
}

impl Format for Tracks {
    const NAME: &'static str = "facereel.tracks";
    const VERSION: u16 = 1;
    const MAX_BYTES: usize = 2048 * MIB;
}

impl Format for EmbedBatch {
    const NAME: &'static str = "facereel.embed-batch";
    const VERSION: u16 = 1;
    const MAX_BYTES: usize = 64 * MIB;
}

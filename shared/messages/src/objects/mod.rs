//! The objects that stages leave for each other, one kind a file, and the digest that names their run.

mod detections;
mod embeddings;
mod plan;
mod request;
mod run_id;
mod tracks;

pub use detections::{AnalysedFrame, DecodedFrame, DetectionCounts, DetectionsPart, FrameOrigin};
pub use embeddings::{EmbeddedFace, EmbeddingsPart, GateSplit, Prototype, SplitReason};
pub use plan::{Plan, PlannedSegment, Timestamps, VideoFacts};
pub use request::{ModelRecord, RunRequest, Source};
pub use run_id::run_id;
pub use tracks::{EmbedBatch, FacePurpose, FaceToEmbed, FrameFaces, SeenFace, Tracklet, Tracks, Untracked};

const MIB: usize = 1024 * 1024;

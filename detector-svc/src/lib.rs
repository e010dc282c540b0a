//! Plans episodes and detects faces in their segments.
//!
//! ```text
//! PlanJob   -> scan packets, cut segments, choose frames      -> work/plan.mpk           -> DetectJob x segments
//! DetectJob -> decode, detect, measure, cut chips             -> work/detections, chips  -> TrackJob (last part)
//! ```
//!
//! Which frames are analysed and what is found in them does not depend on where segments begin; `detect::segment` says
//! how. Deliberately absent: anything that needs more than one segment.

pub mod detect;
mod failure;
pub mod plan;
mod service;
mod sources;

pub use detect::{DetectStage, Detectors, detector_record};
pub use plan::PlanStage;
pub use service::DetectorService;
pub use sources::{FoundVideo, Identity, SourceError, SourceErrorKind, Sources, Trust, is_video_name};
